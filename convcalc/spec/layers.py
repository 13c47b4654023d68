"""Layers of a spec on their way into the walk: built, counted, followed by what is fused to them, tied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc.arith import less_equal, require
from convcalc.errors import Span, SpecError
from convcalc.infer import FAILED, Walk
from convcalc.ops import Op
from convcalc.shapes import Shape
from convcalc.spec.build import Builder, is_none
from convcalc.spec.frames import Frame, SkipError, TooLargeError
from convcalc.spec.guards import is_array
from convcalc.spec.items import Item, Layer
from convcalc.spec.limits import AXES, AXIS, LAYERS, PATHS
from convcalc.spec.names import Reference
from convcalc.spec.scopes import Entry, Scope


class Layers:
    """Adds layers to a walk. Fused norms and activations are layers of their own and count as such."""

    def __init__(self) -> None:
        self.walk = Walk()
        self._builder = Builder()
        self.warnings: list[SpecError] = []
        self._count = self._characters = 0
        self._doubted: set[int] = set()
        self._refused: set[int] = set()

    def add(
        self, layer: Layer, item: Item, tensor: int, frame: Frame, segment: str, look_up: Callable[[Reference], int]
    ) -> int:
        """Add a layer and what is fused to it; enter its name; return its last output."""
        entering, start = self.walk.shape(tensor), len(self.walk.nodes)
        span = item.name.span if item.name else item.span
        values = self._builder.values(layer, frame.env, frame.own, entering)
        if layer.op.passes or is_none(values):
            frame.scope.add(segment, Entry(tensor, span, (start, start)))
            return tensor
        parts = {key: self._builder.values(part, frame.env, frame.own, entering) for key, part in layer.fused.items()}
        parts = {key: given for key, given in parts.items() if not is_none(given)}
        if "norm" in parts and "bias" not in values:
            values = {**values, "bias": False}
        more = [look_up(reference) for reference in layer.references.values()]
        if FAILED in more:
            raise SkipError
        path, below = frame.scope.at(segment), Scope() if parts else None
        op = self._builder.op(layer, values, entering)
        output = self._append(path, op, (tensor, *more), item.span, _via(layer, frame))
        shapes = (entering, *map(self.walk.shape, more))
        self._doubt(layer, op, shapes, item.span)
        self._unbuilt(layer, op.unbuilt(_via(layer, frame), *shapes), item.span)
        for key, given in parts.items():
            output = self._part(layer.fused[key], given, output, f"{path}.{key}", item.span, frame)
            if below is not None:
                below.names[key] = Entry(output, span, (output, output + 1))
        frame.scope.add(segment, Entry(output, span, (start, len(self.walk.nodes)), below))
        return output

    def _doubt(self, layer: Layer, op: Op, entering: Sequence[Shape], span: Span) -> None:
        """Warn, once for every place in the spec, of what is probably not meant."""
        if id(layer) not in self._doubted:
            self._doubted.add(id(layer))
            if doubt := op.doubt(*entering):
                self.warnings.append(SpecError("CC805", doubt, span))

    def _unbuilt(self, layer: Layer, why: str, span: Span) -> None:
        """Warn, once for every place in the spec, of what PyTorch refuses."""
        if why and id(layer) not in self._refused:
            self._refused.add(id(layer))
            self.warnings.append(SpecError("CC806", f"PyTorch does not build this layer: {why}", span))

    def join(self, layer: Layer, ends: Sequence[int], frame: Frame, path: str, span: Span) -> int:
        """Add the op in which branches meet; one branch keeps the row, at zero cost."""
        fewest, most = layer.op.arity
        if not ends:
            raise SpecError("CC415", f"{layer.op.kind} has no branch left", span)
        if len(ends) < fewest or (most is not None and len(ends) > most):
            raise SpecError("CC415", f"{layer.op.kind} needs exactly {fewest} branches, not {len(ends)}", span)
        if FAILED in ends:
            raise SkipError
        entering = self.walk.shape(ends[0])
        values = self._builder.values(layer, frame.env, frame.own, entering)
        return self._append(path, self._builder.op(layer, values, entering), ends, span, _via(layer, frame))

    def tie(self, made: tuple[int, int], owners: tuple[int, int], span: Span) -> None:
        """Give layers the weights of others, one by one in order."""
        own, other = self._weighted(made), self._weighted(owners)
        if len(own) != len(other):
            raise SpecError("CC407", f"tie: {len(own)} layers with weights cannot share those of {len(other)}", span)
        for index, owner in zip(own, other, strict=True):
            self.walk.tie(index, owner)

    def _weighted(self, nodes: tuple[int, int]) -> list[int]:
        return [index for index in range(*nodes) if self.walk.nodes[index].facts.weights]

    def _part(self, part: Layer, values: Mapping[str, Any], tensor: int, path: str, span: Span, frame: Frame) -> int:
        """Add a fused norm or activation. One that comes from ``defaults`` and does not fit is a fault of the layer."""
        entering = self.walk.shape(tensor)
        try:
            op = self._builder.op(part, values, entering)
            return self._append(path, op, (tensor,), part.span, _via(part, frame))
        except SpecError as error:
            if all(given.written for given in part.arguments.values()) or part.span is None:
                error.span = error.span or part.span
            elif error.span is None:
                error.span, error.notes = span, ((part.span, f"the {part.op.kind} comes from here"),)
            else:
                error.notes = ((span, "it holds for this layer"),)
            raise

    def _append(self, path: str, op: Op, inputs: Sequence[int], span: Span | None, via: str = "") -> int:
        self._count += getattr(op, "num_layers", 1)  # recurrent layers may be stacked in one
        self._characters += len(path)
        if self._count > LAYERS:
            raise TooLargeError("CC503", f"the network has more layers than the limit of {LAYERS}", span)
        if self._characters > PATHS:
            raise TooLargeError("CC509", f"the paths of all layers exceed the limit of {PATHS} characters", span)
        index = self.walk.add(path, op, inputs, span, via)
        if index != FAILED:
            require_room(self.walk.shape(index))
        return index


def _via(layer: Layer, frame: Frame) -> str:
    return layer.via.evaluate(frame.env, frame.own) if layer.via is not None else ""


def require_room(shape: Shape) -> None:
    """Demand a shape within the limits: what is computed from it stays a number that can be printed."""
    if shape.rank > AXES:
        raise SpecError("CC508", f"the shape has {shape.rank} axes; the limit is {AXES}")
    for size in shape:
        if type(size) is int or is_array(size):
            require(less_equal(size, AXIS), "CC508", f"an axis of {{}} exceeds the limit of {AXIS}", size)
