"""One node that becomes layers: its inputs and attributes, and what handlers add and leave behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convcalc.arith import Number, is_plain
from convcalc.errors import SpecError
from convcalc.importers.onnx.model import AttributeParameter, OnnxNode
from convcalc.importers.onnx.values import OpenShape, Scope, Sizes, Value, body, has_batch, is_one, known, padded, same
from convcalc.shapes import Shape

if TYPE_CHECKING:
    from convcalc.importers.onnx.run import GraphWalk

FLOAT_ATTRIBUTES = ("min", "max")
"""Attributes of one number that need not be whole, of those that are read here."""
Weights = Mapping[str, tuple[Value | None, Shape]]


class NodeCall:
    """A node, ``x`` its inputs: ``None`` for one that is left out."""

    def __init__(self, run: GraphWalk, node: OnnxNode, inputs: Sequence[Value | None], scope: Scope, path: str) -> None:
        self.run, self.node, self.scope, self.path = run, node, scope, path
        self.x = list(inputs)
        self.op = node.op
        self.name = node.name or path
        self.outputs: list[Value | None] = [None] * len(node.outputs)

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return self.scope.opsets.get("", self.scope.opsets.get("ai.onnx", 1))

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute, or a default."""
        value = self.node.attributes.get(name, default)
        is_number = isinstance(value, int) or (isinstance(value, float) and name in FLOAT_ATTRIBUTES)
        if (isinstance(value, float) and not is_number) or (isinstance(default, int) and not is_number):
            raise TypeError(name)
        return default if isinstance(value, AttributeParameter) or value is None else value

    def size(self, name: str) -> int:
        """Return an attribute that is a positive integer, and may not lack."""
        value = self.attribute(name)
        if type(value) is not int or value < 1:
            raise ValueError(name)
        return value

    def integers(self, name: str, default: Any = None) -> Any:
        """Return an attribute that is a list of integers; one integer is a list of one."""
        value = self.attribute(name, default)
        return (value,) if isinstance(value, int) else value

    def input(self, place: int) -> Value | None:
        """Return an input, if there is one."""
        return self.x[place] if place < len(self.x) else None

    def require(self, place: int) -> Value:
        """Return an input that the operation must have.

        Raises:
            SpecError: CC760.
        """
        value = self.input(place)
        if value is None:
            raise self.run.damaged(f"{self.op} has no input {place + 1}", self.name)
        return value

    def numbers(self, place: int) -> tuple[Number, ...] | None:
        """Return the elements of an input that are sizes and the like, or nothing where it is left out.

        Raises:
            OpenShape: where it is no constant.
        """
        elements = self.reals(place)
        return None if elements is None else tuple(map(_whole, elements))

    def reals(self, place: int) -> tuple[Any, ...] | None:
        """Return the elements of an input, which need not be whole, as of ``numbers``."""
        value = self.input(place)
        if value is None:
            return None
        if value.elements is None:
            raise OpenShape(value.name)
        return value.elements

    def numbers_or(self, name: str, place: int) -> tuple[Number, ...] | None:
        """Return an attribute or, as later versions have it, an input."""
        given = self.integers(name)
        return self.numbers(place) if given is None else given

    def axis(self, axis: int, rank: int) -> int:
        """Return an axis counted from 0.

        Raises:
            SpecError: CC760, where there is no such axis.
        """
        if type(axis) is not int or not -rank <= axis < rank:
            raise self.run.damaged(f"{self.op} has no axis {axis} among {rank}", self.name)
        return axis % rank

    # --- layers -------------------------------------------------------------------------------------------------------

    def add(
        self,
        kind: str,
        *handles: int,
        weights: Weights | None = None,
        statistics: Sequence[Value] = (),
        axes: Any = None,
        **arguments: Any,
    ) -> int:
        """Add the layer that the node is, with the constants that it holds, and those that are buffers."""
        handle = self.run.builder.add(self.name, kind, *handles, path=self.path, axes=axes, **arguments)
        if weights is not None:
            self.run.hold(handle, weights, statistics)
        return handle

    def beside(self, kind: str, *handles: int, axes: Any = None, **arguments: Any) -> int:
        """Add a layer before or behind that of the node."""
        path = f"{self.path}_{kind}"
        return self.run.builder.add(self.name, kind, *handles, path=path, axes=axes, **arguments)

    def shape(self, handle: int) -> Shape:
        """Return the shape of a layer."""
        return self.run.builder.shape(handle)

    def handle(self, value: Value) -> int:
        """Return the layer of a value."""
        return self.run.handle(value)

    def view(self, handle: int, sizes: Sequence[Number], *, is_own: bool = False) -> int:
        """Return a layer of the same elements in other axes: the layer itself where they are the same."""
        have, want = self.shape(handle), Shape(sizes or (1,))
        if same(have, want):
            return handle
        add = self.add if is_own else self.beside
        if want.rank == 1 and have.rank > 1:
            flat = add("flatten", handle)
            return flat if same(self.shape(flat), want) else self.beside("reshape", flat, shape=tuple(want))
        return add("reshape", handle, shape=tuple(want))

    def whole(self, value: Value) -> int:
        """Return a layer that has all axes of a value, the batch among them."""
        return self.view(self.handle(value), value.shape)

    def aligned(self, value: Value, rank: int, *, cut: bool) -> int:
        """Return a layer of a value in so many axes, lined up for broadcasting, the first of them cut off or not."""
        sizes = padded(value.shape, rank)
        return self.view(self.handle(value), sizes[1:] if cut else sizes)

    def along(self, value: Value, axis: int) -> tuple[int, int]:
        """Return a layer of a value that has an axis, and which of its axes that is."""
        if not has_batch(value.shape):
            return self.handle(value), axis
        return (self.handle(value), axis - 1) if axis else (self.whole(value), 0)

    def viewed(self, value: Value, sizes: Sizes, handle: int | None = None) -> Value:
        """Return a tensor of the elements of a value, or of a layer that was made of it, in other axes."""
        handle = self.view(self.handle(value) if handle is None else handle, body(sizes))
        return Value(value.name, sizes, handle=handle, shadow=handle)

    @property
    def result(self) -> Value:
        """The first output, once it has been put."""
        value = self.outputs[0]
        assert value is not None
        return value

    def put(self, place: int, handle: int, sizes: Sizes) -> None:
        """Give an output its layer and all of its sizes."""
        if place < len(self.outputs):
            handle = self.view(handle, body(sizes))
            self.outputs[place] = value = Value(self.node.outputs[place], tuple(sizes), handle=handle)
            if self.run.builder is not self.run.shadow:
                self.run.check_stated(self, value)

    def put_alike(self, kind: str, **arguments: Any) -> None:
        """Give the first output a layer of the first input that keeps its shape."""
        x = self.require(0)
        self.put(0, self.add(kind, self.handle(x), **arguments), x.shape)

    def put_known(self, elements: Sequence[Number], sizes: Sizes) -> None:
        """Give the first output a constant of integers."""
        self.outputs[0] = known(self.node.outputs[0], elements, sizes)

    def leave_opaque(self, operation: str = "") -> list[Value | None]:
        """Let the node be a layer whose cost is not known; its shape is that which the file states."""
        domain = self.node.domain
        operation = operation or (f"{domain}:{self.op}" if domain else self.op)
        params = [value for value in self.x if value is not None and value.is_constant and value.is_learned]
        handles = [
            self.handle(value) for value in self.x if value is not None and value.sizes and not value.is_constant
        ] or [self.run.anchor()]
        for place, name in enumerate(self.node.outputs):
            sizes = self.scope.stated.get(name)
            if place and sizes is None:
                continue
            out = body(sizes) if sizes else (1,)
            handle = self.run.builder.opaque(self.name, operation, handles, out, path=self.path)
            if place == 0:
                self.run.hold(handle, {value.name: (value, Shape(value.shape)) for value in params})
            if sizes is not None:
                self.put(place, handle, sizes)
        return self.outputs

    def leave_open(self) -> list[Value | None]:
        """Leave the shapes of the outputs open, or take those that the file states; a product is at least named."""
        self.outputs = [None] * len(self.node.outputs)
        reads_open = any(value is not None and value.sizes is None for value in self.x)
        is_filled = any(name in self.scope.stated for name in self.node.outputs)
        has_weights = any(value is not None and value.is_learned and value.is_constant for value in self.x)
        if reads_open and not is_filled and not has_weights:
            return self.outputs
        return self.leave_opaque(f"{self.op} (its shape depends on values)")

    # --- axes that layers of a fixed number of axes do not have -------------------------------------------------------

    def spatial(self, value: Value) -> tuple[int, int]:
        """Return a layer [channels, spatial …], and how many further axes it has before the spatial ones: 0 or 1.

        A batch of several is such an axis, over which windows have the size 1: it multiplies and pads nothing.
        """
        if is_one(value.shape[0]):
            return self.view(self.handle(value), value.shape[1:]), 0
        rank = len(value.shape)
        return self.beside("permute", self.handle(value), axes=(1, 0, *range(2, rank))), 1

    def put_spatial(self, handle: int, further: int, value: Value) -> None:
        """Give the first output a layer made of :meth:`spatial`."""
        shape = self.shape(handle)
        if further:
            handle = self.beside("permute", handle, axes=(1, 0, *range(2, shape.rank)))
            self.put(0, handle, tuple(self.shape(handle)))
        else:
            self.put(0, handle, (value.shape[0], *shape))

    def refused(self, text: str, hint: str = "") -> SpecError:
        """Return the error for a node that is not read."""
        return SpecError("CC761", text, self.run.layers.span(self.name), hint=hint)


def _whole(value: Any) -> Any:
    """Return a number as an integer; symbols and arrays as they are."""
    if type(value) is int or not is_plain(value):
        return value
    if value != int(value):
        raise ValueError(value)
    return int(value)
