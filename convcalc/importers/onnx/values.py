"""Tensors of an ONNX graph while its layers are made, and how their shapes lose the batch axis.

A leading axis of size 1 is cut off from a shape of two axes or more, whatever it is called; any other size stays as
the first axis of the layers. So a shape alone says what its layer has: axes that are moved, merged or split out of the
batch need no note of where the batch is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcalc.arith import Number, at_least, either, equal, prod, require, total
from convcalc.importers.onnx.model import OnnxNode, Scalar, StoredTensor
from convcalc.records import dataclass, field, replace
from convcalc.shapes import Shape

Sizes = tuple[Number, ...]
"""All axes as ONNX has them, the batch among them."""

FLOAT, UINT8, INT8, INT64, BOOL = 1, 2, 3, 7, 9
WIDTHS = {
    UINT8: 8, INT8: 8, 4: 16, 5: 16, 10: 16, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8,
    25: 2, 26: 2,
}  # fmt: skip
"""Bits of the types of fewer than 32."""
FLOATS = frozenset((1, 10, 11, 16, 17, 18, 19, 20, 23))
"""Types of numbers with a fraction: of 16, 32 and 64 bits, bfloat16, and those of 8 and 4 bits."""
WEIGHT_TYPES = FLOATS | {UINT8, INT8, 21, 22, 25, 26}
"""Types whose constants are learned: numbers with a fraction, and integers of at most 8 bits, which are quantised."""

_MADE = r"(?:.*/)?Constant(?:_\d+)?_output_\d+|(?:new_)?(?:zeros|ones|full|empty)(?:_like)?(?:_\d+)?"
MADE = re.compile(_MADE)
"""Names that PyTorch's exporters give to constants that code makes; a parameter has that of its module."""
MADE_OR_FOLDED = re.compile(rf"{_MADE}|val_\d+|onnx::\w+")
"""Those, and the names of constants that the exporters computed, which may be of parameters."""


@dataclass(slots=True, eq=False)
class Value:
    """A tensor: a layer's output, a constant, or one whose shape is not known."""

    name: str
    sizes: Sizes | None
    data_type: int = 0
    elements: tuple[Any, ...] | None = None
    """Of a small constant: numbers, which may be symbols, in row-major order."""
    key: int = 0
    """Which constant of the file it is, or is a view of."""
    handle: int | None = None
    """Its layer, where it has one."""
    shadow: int | None = None
    """Its layer among those that only constants go through, and that are not counted."""
    is_constant: bool = False
    is_learned: bool = False
    """Whether it is, or was made of, constants that are parameters."""
    is_scale: bool = False
    """Whether it is the scale of values that are quantised while the model runs."""
    recipe: tuple[OnnxNode, list[Value | None], int] | None = None
    """The node that made a constant of parameters, its inputs, and which output it is."""
    quantisation: tuple[Value, ...] = ()
    """Scales and zero points of a quantised constant."""
    bits: int = 32
    """Bits of a number as the file stores it."""
    members: tuple[Value, ...] | None = None
    """The tensors of a sequence, which has no shape of its own."""

    @property
    def shape(self) -> Sizes:
        """Its sizes.

        Raises:
            OpenShape: where they are not known.
        """
        if self.sizes is None:
            raise OpenShape(self.name)
        return self.sizes


def without_fill(value: Value, names: re.Pattern[str] = MADE_OR_FOLDED) -> Value:
    """Return a value, as no parameter where it is one number again and again under a name that an exporter made.

    Such are states that begin at 0, and what a tensor is filled with.
    """
    is_fill = value.is_learned and value.elements and len(set(value.elements)) == 1
    if is_fill and all(names.fullmatch(each.name) for each in _made_of(value) if each.recipe is None):
        return replace(value, is_learned=False, key=0, recipe=None)
    return value


def _made_of(value: Value) -> Iterator[Value]:
    """Yield a value, and those that it was computed from, each once."""
    known, stack = {id(value)}, [value]
    while stack:
        each = stack.pop()
        yield each
        node, read, _ = each.recipe or (None, [], 0)
        is_of_one = node is not None and node.op in REARRANGING and node.op != "Concat"
        for entering in read[:1] if is_of_one else read:
            if entering is not None and entering.is_learned and id(entering) not in known:
                known.add(id(entering))
                stack.append(entering)


class OpenShape(Exception):
    """A shape or a number is needed that depends on the values of the inputs."""


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a graph, with those of the graphs around it."""

    opsets: Mapping[str, int]
    values: dict[str, Value | None] = field(default_factory=dict)
    """``None`` while a value has not been computed."""
    parent: Scope | None = None
    readers: Mapping[str, list[OnnxNode | None]] = field(default_factory=dict)
    """Nodes that read a value; ``None`` for a graph inside a node, and for an output."""
    stated: Mapping[str, Sizes] = field(default_factory=dict)
    """Shapes that the file states."""
    path: str = ""
    depth: int = 0
    """In how many nodes it is."""

    def find(self, name: str) -> Value | None:
        """Return a value by its name, if there is one."""
        scope: Scope | None = self
        while scope is not None:
            if (value := scope.values.get(name)) is not None:
                return value
            scope = scope.parent
        return None


def constant(tensor: StoredTensor, name: str = "") -> Value:
    """Return a constant of the file. It may be learned if it has an axis."""
    is_learned = bool(tensor.sizes) and tensor.data_type in WEIGHT_TYPES
    return Value(
        name or tensor.name, tensor.sizes, tensor.data_type, tensor.elements, id(tensor),
        is_constant=True, is_learned=is_learned, bits=WIDTHS.get(tensor.data_type, 32),
    )  # fmt: skip


def known(name: str, elements: Sequence[Scalar], sizes: Sizes, data_type: int = INT64) -> Value:
    """Return a constant that the program worked out."""
    return Value(name, sizes, data_type, tuple(elements), is_constant=True)


def is_one(size: Number) -> bool:
    """Whether a size is the integer 1."""
    return type(size) is int and size == 1


def body(sizes: Sizes) -> Shape:
    """Return the shape of a layer: without a leading axis of size 1, and with one axis at least."""
    return Shape(sizes[1:] if has_batch(sizes) else sizes or (1,))


def has_batch(sizes: Sizes) -> bool:
    """Whether the first axis is cut off."""
    return len(sizes) > 1 and is_one(sizes[0])


def same(left: Sequence[Number], right: Sequence[Number]) -> bool:
    """Whether two shapes are surely equal."""
    return len(left) == len(right) and all(a is b or equal(a, b) is True for a, b in zip(left, right, strict=True))


def padded(sizes: Sizes, rank: int) -> Sizes:
    """Return a shape with leading axes of size 1, as broadcasting adds them."""
    return (*(1,) * (rank - len(sizes)), *sizes)


def broadcast(*shapes: Sizes) -> Sizes:
    """Return the shape that all shapes broadcast to.

    Raises:
        SpecError: CC405, where there is none.
    """
    rank = max(map(len, shapes))
    return tuple(_broadcast_axis(axis, shapes) for axis in zip(*(padded(sizes, rank) for sizes in shapes), strict=True))


def _broadcast_axis(axis: Sizes, shapes: Sequence[Sizes]) -> Number:
    joined: Number = 1
    for size in axis:
        if is_one(size) or size is joined:
            continue
        if is_one(joined):
            joined = size
            continue
        fits = either(equal(joined, size), either(equal(joined, 1), equal(size, 1)))
        require(fits, "CC405", "the shapes {} do not broadcast", " and ".join(str(Shape(each)) for each in shapes))
        joined = joined if equal(joined, size) is True else at_least(joined, size)
    return joined


REARRANGING = frozenset(
    ("Concat", "Slice", "Split", "Gather", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Cast",
     "QuantizeLinear", "DequantizeLinear")
)  # fmt: skip
"""Operations by which exporters write the gates of a recurrent layer in the order of ONNX, and quantise them."""


def rearranged(value: Value) -> Sequence[Value]:
    """Return the constants of the file that a computed one has all elements of, each once; nothing where it has not."""
    parts: dict[int, Value] = {}
    for each in _made_of(value):
        if each.recipe is not None and each.recipe[0].op not in REARRANGING:
            return ()
        if each.recipe is None:
            parts[each.key] = each
    elements = total(prod(part.shape) for part in parts.values())
    return [*parts.values()][::-1] if 0 not in parts and same((elements,), (prod(value.shape),)) else ()
