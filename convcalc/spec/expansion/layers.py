"""Layers of a graph from those of a spec: their arguments evaluated, bound to an op and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from convcalc.errors import Span, SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Node
from convcalc.ops.op import Op
from convcalc.spec.document.names import Template
from convcalc.spec.document.syntax_tree import Item, LayerItem
from convcalc.spec.expansion.frames import Frame, InputFailedError
from convcalc.spec.expansion.layer_arguments import GivenArguments, LayerArguments
from convcalc.spec.expansion.scopes import FAILED, NOTHING, Binding, LayerScope
from convcalc.spec.limits import LAYERS, PATHS, TooLargeError

if TYPE_CHECKING:
    from convcalc.ops.idle import Idle


class LayerEmitter:
    """Adds layers to a graph. Fused norms and activations are layers of their own and count as such."""

    def __init__(self) -> None:
        self.builder = GraphBuilder()
        self._arguments = LayerArguments()
        self._idle_ops: dict[Idle, Idle] = {}
        self.warnings: list[SpecError] = []
        self._count = self._characters = 0
        self._checked: set[tuple[int, str]] = set()
        self._doubted: set[int] = set()
        self._refused: set[int] = set()

    def add(
        self,
        layer: LayerItem,
        item: Item,
        tensor: int,
        frame: Frame,
        segment: str,
        look_up: Callable[[Template, int, Frame], int],
    ) -> int:
        """Add a layer and what is fused to it; enter its name; return its last output."""
        entering, start = self.builder.shape(tensor), len(self.builder.nodes)
        span = item.name.span if item.name else item.span
        given = self._arguments.given(layer, frame, entering)
        if layer.op.is_identity or given.is_none:
            frame.scope.add(segment, Binding(tensor, span, (start, start)))
            return tensor
        parts: dict[str, GivenArguments] = {}
        for key, fused in layer.fused.items():
            part = self._arguments.given(fused, frame, entering)
            if not part.is_none:
                parts[key] = part
        inputs: tuple[int, ...] = (tensor,)
        if layer.references:
            inputs = (tensor, *[look_up(reference, tensor, frame) for reference in layer.references.values()])
            if FAILED in inputs:
                raise InputFailedError
        path = frame.scope.path_of(segment)
        op, via = given.op(entering, has_norm="norm" in parts), _via(layer, frame)
        output = self._append(path, op, inputs, item.span, via)
        self._warn(layer, self.builder.nodes[output], via, item.span)
        for key, part in parts.items():
            output = self._part(part, output, f"{path}.{key}", item.span, frame)
        frame.scope.add(segment, Binding(output, span, (start, output + 1), tuple(parts) or None))
        return output

    def _warn(self, layer: LayerItem, node: Node, via: str, span: Span) -> None:
        """Warn, once for every layer of the spec, of what is probably not meant and of what PyTorch refuses."""
        op, form = node.op, (id(node.facts), via)  # nodes of the same facts have the same op and shapes
        if op is None or form in self._checked:
            return
        self._checked.add(form)
        if id(layer) not in self._doubted:
            self._doubted.add(id(layer))
            if doubt := op.warning(*node.input_shapes):
                self.warnings.append(SpecError("CC805", doubt, span))
        unbuilt = op.pytorch_refusal(via, *node.input_shapes)
        if unbuilt and id(layer) not in self._refused:
            self._refused.add(id(layer))
            self.warnings.append(SpecError("CC806", f"PyTorch does not build this layer: {unbuilt}", span))

    def join(self, layer: LayerItem, ends: Sequence[int], frame: Frame, path: str, span: Span) -> int:
        """Add the op in which branches meet; one branch keeps the row, at zero cost."""
        fewest, most = layer.op.arity
        if not ends:
            raise SpecError("CC415", f"{layer.op.kind} has no branch left", span)
        if len(ends) < fewest or (most is not None and len(ends) > most):
            wanted = f"exactly {fewest}" if most == fewest else f"{fewest} to {most}"
            raise SpecError("CC415", f"{layer.op.kind} needs {wanted} branches, not {len(ends)}", span)
        if FAILED in ends:
            raise InputFailedError
        entering = self.builder.shape(ends[0])
        op = self._arguments.given(layer, frame, entering).op(entering)
        return self._append(path, op, ends, span, _via(layer, frame))

    def add_idle(self, op: Idle, outer: LayerScope, item: Item, entering: int, beside: int) -> None:
        """Add the experts that do not run as a row below the name of those that do; no layer can read it."""
        name = item.default_name if item.name is None else next(item.name_prefixes()) or item.default_name
        scope = outer.child(name)
        index = self._append(scope.path_of(op.kind), self._idle(op), (entering,), item.span)
        self.builder.nodes[index].beside = beside
        outer.add(name, Binding(NOTHING, item.span, (index, index + 1), scope))

    def _idle(self, op: Idle) -> Idle:
        """Return the op that equals this one, so that its facts are worked out once."""
        try:
            return self._idle_ops.setdefault(op, op)
        except TypeError:  # arrays cannot be looked up
            return op

    def tie(self, made: tuple[int, int], owners: tuple[int, int], span: Span) -> None:
        """Give layers the weights of others, one by one in order."""
        own, other = ([at for at in range(*nodes) if self.builder.nodes[at].facts.weights] for nodes in (made, owners))
        if len(own) != len(other):
            raise SpecError("CC407", f"tie: {len(own)} layers with weights cannot share those of {len(other)}", span)
        for index, owner in zip(own, other, strict=True):
            self.builder.tie(index, owner)

    def _part(self, given: GivenArguments, tensor: int, path: str, span: Span, frame: Frame) -> int:
        """Add a fused norm or activation; if one from ``defaults`` does not fit, the error is at the layer."""
        part, entering = given.layer, self.builder.shape(tensor)
        try:
            return self._append(path, given.op(entering), (tensor,), part.span, _via(part, frame))
        except SpecError as error:
            if all(each.explicit for each in part.arguments.values()) or part.span is None:
                error.span = error.span or part.span
            elif error.span is None:
                error.span, error.notes = span, ((part.span, f"the {part.op.kind} comes from here"),)
            else:
                error.notes = ((span, "it holds for this layer"),)
            raise

    @property
    def counted(self) -> tuple[int, int]:
        """How many layers there are as limits count them, and how many characters are in their paths."""
        return self._count, self._characters

    def has_room(self, nodes: int, sizes: tuple[int, int], scope: LayerScope) -> bool:
        """Count layers that are added once more in another scope, if that is within the limits."""
        count, characters = self._count + sizes[0], self._characters + sizes[1] + nodes * len(scope.path)
        if count > LAYERS or characters > PATHS:
            return False
        self._count, self._characters = count, characters
        return True

    def _append(self, path: str, op: Op, inputs: Sequence[int], span: Span | None, via: str = "") -> int:
        self._count += getattr(op, "num_layers", 1)  # recurrent layers may be stacked in one
        self._characters += len(path)
        if self._count > LAYERS:
            raise TooLargeError("CC503", f"the network has more layers than the limit of {LAYERS}", span)
        if self._characters > PATHS:
            raise TooLargeError("CC509", f"the paths of all layers exceed the limit of {PATHS} characters", span)
        return self.builder.append(path, op, inputs, span, via)


def _via(layer: LayerItem, frame: Frame) -> str:
    return layer.source_form.evaluate(frame.env, frame.file_variables) if layer.source_form is not None else ""
