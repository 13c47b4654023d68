"""What a layer reads, however that is written: the compared layers before it, with the joins and pools between.

What rearranges, cuts, fills or scales by a constant is passed through, and constants count as nothing. Sums and
products are in no order, and flat: ``add`` of three is two of two. A concatenation is flat, too, but in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import ClassVar

from convcalc.arith import Number
from convcalc.graph.graph import Node
from convcalc.match.alignment import Numbering
from convcalc.match.differences import Side
from convcalc.match.layers import Layer
from convcalc.ops.op import Window
from convcalc.records import NamedTuple

ADD, MUL, CONCAT, MEAN = "add", "mul", "concat", "mean"
JOINS = (ADD, MUL, CONCAT)
POOLS = ("maxpool", "avgpool", "reduce")
CUTS = ("slice", "split")
TURNED = {"sub": ADD, "neg": ADD, "div": MUL, "reciprocal": MUL, "rsqrt": MUL}
"""Elementwise function → the join that takes its last branch the other way round: a - b is a + (-b)."""
NO_MEANS = ("max", "min", "argmax", "argmin")
"""Reductions that are no kind of mean: a sum is a mean but for a constant."""
NEAR = 16
"""So many nodes before a reduction may be what stacks its branches."""
UNCLEAR = ("custom", "gather")
"""Layers that do something with what they read that is not known."""
Content = tuple[str, int]
Windows = tuple[tuple[Number, Number, Number], ...]
Read = Sequence["Wire | None"]
WHOLE = ((0, 0, 0),)
"""The window of a global pool."""
_BASE, _ROUND = 0x9E3779B97F4A7C15, 1 << 64


class Wire(NamedTuple):
    """What a node gives."""

    kind: str
    """Of a join its kind; of a reduction over all that a window could cover its function; otherwise empty."""
    number: int
    """Equal for equal content, whichever graph it is in: of a join, made of its terms."""
    root: int
    """The node that makes it: those behind it only pass it on."""
    is_clear: bool = True
    """Whether all that leads there is understood."""
    weight: int = 1
    """Of a concatenation, the base to the power of its terms."""

    @property
    def content(self) -> Content:
        return self.kind, self.number

    def term(self, join: str) -> int:
        """Return its number as a part of a join."""
        return self.number if self.kind == join else _digest(*self.content)


@lru_cache(maxsize=1 << 16)
def _digest(kind: str, number: int) -> int:
    # sums of ``hash``, which is nearly linear in small numbers, would be equal for other terms
    return int.from_bytes(blake2b(f"{kind} {number}".encode(), digest_size=8).digest(), "big")


class Wires:
    """The wires of one side, from the inputs on; of a constant there is none."""

    def __init__(self, side: Side, names: Mapping[int, object], numbering: Numbering) -> None:
        self.nodes: Sequence[Node] = side.graph.nodes
        self.layers: dict[int, Layer] = {layer.index: layer for layer in side.layers}
        self._tables = {layer.index for layer in side.tables}
        self._parts = {node.index for layer in side.layers for node in layer.nodes[:-1]}
        self.read = {index for node in self.nodes for index in node.inputs} | set(side.graph.outputs.values())
        self.contents: set[Content | None] = set()
        """Of all nodes up to the last that was asked for."""
        self._names = names
        self._numbering = numbering
        self._known: list[Wire | None] = []
        self._given: dict[int, Wire] = {}
        self._norms: set[int] = set()
        """Reductions that are not the same twice as once over all axes."""
        self._windows: dict[int, tuple[Windows, Wire]] = {}

    def at(self, index: int) -> Wire | None:
        """Return what a node gives."""
        while len(self._known) <= index:
            node = self.nodes[len(self._known)]
            wire = self._given.get(node.index) or self._wire(node)
            self._known.append(wire)
            self.contents.add(wire and wire.content)
        return self._known[index]

    def give(self, index: int, wire: Wire | None = None) -> Wire:
        """Take a node to give something else, or what nothing else gives, from which all behind it follows."""
        given = wire or self._new(index, object())
        self._given[index] = given._replace(root=index)
        self._windows.pop(index, None)
        del self._known[index:]
        return given

    def is_given(self, index: int) -> bool:
        """Whether a node is taken to give something else."""
        return index in self._given

    def read_by(self, layer: Layer) -> dict[Content, Wire]:
        """Return what a layer reads; of an attention, what enters its projections."""
        inside = {node.index for node in layer.nodes}
        for node in self.nodes[layer.nodes[0].index : layer.index] if len(inside) > 1 else ():
            if not inside.isdisjoint(node.inputs):
                inside.add(node.index)
        read = (self.at(index) for node in layer.nodes for index in node.inputs if index not in inside)
        return {wire.content: wire for wire in read if wire}

    def reached(self, index: int) -> set[Content]:
        """Return the layers and inputs from which a node comes, whatever is between."""
        seen, waiting, found = set[int](), [index], set[Content]()
        while waiting:
            wire = self.at(waiting.pop())
            if wire and wire.root not in seen:
                seen.add(wire.root)
                waiting += self.nodes[wire.root].inputs if self.is_between(wire.root) else ()
                found |= set() if self.is_between(wire.root) or wire.root in self._tables else {wire.content}
        return found

    def is_between(self, index: int) -> bool:
        """Whether a node is neither an input nor compared itself."""
        return not (self.nodes[index].op is None or index in self.layers or index in self._tables)

    def _wire(self, node: Node) -> Wire | None:
        own = node.index
        if node.op is None:
            return self._new(own, "input", self._names[own])
        if own in self.layers:
            layer = self.layers[own]
            return self._new(own, layer.key, *sorted(self.read_by(layer)))
        if own in self._parts:
            return None
        read = [self.at(index) for index in node.inputs]
        if own in self._tables:
            table = self._new(own, "table", node.facts.params)
            if node.op.kind == "scale":
                return self._joined(own, MUL, [(read[0], False), (table, False)])
            return self._passed(node, read) if node.op.kind == "custom" and any(read) else table
        return self._RULES.get(node.op.kind, Wires._passed)(self, node, read)

    def _new(self, root: int, *content: object, kind: str = "", is_clear: bool = True) -> Wire:
        return Wire(kind, self._numbering[content], root, is_clear)

    # --- by kind ------------------------------------------------------------------------------------------------------

    def _passed(self, node: Node, read: Read) -> Wire | None:
        """What rearranges, scales or fills passes on what it reads; its other inputs are places or sizes."""
        found = next(filter(None, read), None)
        return found._replace(is_clear=False) if found and node.op and node.op.kind in UNCLEAR else found

    def _join(self, node: Node, read: Read) -> Wire | None:
        assert node.op is not None
        kind = node.op.kind
        before = [getattr(self.nodes[index].op, "type", None) for index in node.inputs]
        terms = [(wire, TURNED.get(f"{name}") == kind) for wire, name in zip(read, before, strict=True)]
        return self._joined(node.index, kind, terms)

    def _joined(self, own: int, kind: str, read: Sequence[tuple[Wire | None, bool]]) -> Wire | None:
        """Return a join of terms, each with whether it is taken the other way round; one that is there twice is once.

        Parts of one tensor that are joined are the tensor.
        """
        terms = [(wire, turned) for wire, turned in read if wire]
        if kind == CONCAT:
            terms = [next(group) for _, group in groupby(terms)]
        terms = list(dict.fromkeys(terms)) if kind != CONCAT else terms
        if len(terms) < 2:
            return terms[0][0] if terms else None
        is_clear = all(wire.is_clear for wire, _ in terms)
        if kind != CONCAT:
            number = sum(-wire.term(kind) if turned else wire.term(kind) for wire, turned in terms)
            return Wire(kind, number % _ROUND, own, is_clear)
        number, weight = 0, 1
        for wire, _ in terms:
            step = wire.weight if wire.kind == CONCAT else _BASE
            number, weight = (number * step + wire.term(kind)) % _ROUND, weight * step % _ROUND
        return Wire(kind, number, own, is_clear, weight)

    def _elementwise(self, node: Node, read: Read) -> Wire | None:
        function = getattr(node.op, "type", "")
        terms = list(filter(None, read))
        if len(terms) < 2:
            return self._passed(node, read)
        if function in TURNED or function == MEAN:
            turned = [(terms[0], False), *((each, function != MEAN) for each in terms[1:])]
            return self._joined(node.index, TURNED.get(function, ADD), turned)
        contents = [wire.content for wire in terms]
        contents = sorted(contents) if function in NO_MEANS else contents
        return self._new(node.index, function, *contents, is_clear=all(wire.is_clear for wire in terms))

    def _cut(self, node: Node, read: Read) -> Wire | None:
        """A part that lies in one branch of a concatenation is as of that branch."""
        axis, start, step = _cut_of(node)
        index: int | None = node.inputs[0]
        found = read[0]
        while index is not None and step == 1:
            found = self.at(index)
            index, start = self._branch(self.nodes[index], axis, start, node.shape[axis])
        return found

    def _branch(self, node: Node, axis: int, start: Number, size: Number) -> tuple[int | None, Number]:
        """Return the one input that a part of a node comes from, if there is one, and where the part begins in it."""
        kind = node.op.kind if node.op and node.index not in self._given else ""
        if kind in CUTS:
            along, first, step = _cut_of(node)
            return (node.inputs[0], first + start) if (along, step) == (axis, 1) else (None, 0)
        if kind == CONCAT and node.op.axis % node.shape.rank == axis:  # type: ignore[union-attr]
            for index, shape in zip(node.inputs, node.input_shapes, strict=True):
                if start >= 0 and start + size <= shape[axis]:
                    return index, start
                start -= shape[axis]
        return None, 0

    def _pooled(self, node: Node, read: Read) -> Wire | None:
        """A pool or reduction; means of means are one, and so are maxima in steps of one."""
        wire, own = read[0], node.index
        window = window_of(node)
        if wire is None or not window:
            return wire
        function = getattr(node.op, "type", "max" if node.op is not None and node.op.kind == "maxpool" else MEAN)
        function = function if function in NO_MEANS else MEAN
        if window == WHOLE:
            if wire.kind == function and wire.root not in self._norms:
                return wire
            self._norms |= {own} if getattr(node.op, "type", MEAN) not in (MEAN, "sum", *NO_MEANS) else set()
            is_clear = wire.is_clear and not self._is_over_branches(node)
            return self._new(own, function, wire.content, kind=function, is_clear=is_clear)
        if function == "max" and all(each[1:] == (1, 1) for each in window):
            inner, before = self._windows.get(wire.root, ((), wire))
            if len(inner) == len(window):
                window = tuple((one[0] + two[0] - 1, 1, 1) for one, two in zip(window, inner, strict=True))
                wire = before
            self._windows[own] = window, wire
        return self._new(own, function, window, wire.content, is_clear=wire.is_clear)

    def _is_over_branches(self, node: Node) -> bool:
        """Whether a reduction may be a join: of as many branches, stacked to be summed, as elements become one."""
        count, waiting = node.input_shapes[0].elements // node.shape.elements, list(node.inputs)
        for index in waiting:
            before = self.nodes[index]
            if getattr(before.op, "kind", "") == CONCAT and len(before.inputs) == count:
                return True
            waiting += before.inputs if self.is_between(index) and len(waiting) < NEAR else ()
        return False

    def _resized(self, node: Node, read: Read) -> Wire | None:
        """Repeated cells may be written as a view."""
        mode, wire = getattr(node.op, "mode", ""), read[0]
        if wire is None or mode == "nearest" or node.shape == node.input_shapes[0]:
            return wire
        return self._new(node.index, mode, wire.content, is_clear=wire.is_clear)

    _RULES: ClassVar[Mapping[str, Callable[[Wires, Node, Read], Wire | None]]] = {
        **dict.fromkeys(JOINS, _join),
        "elementwise": _elementwise,
        **dict.fromkeys(CUTS, _cut),
        **dict.fromkeys(POOLS, _pooled),
        "upsample": _resized,
    }


def _cut_of(node: Node) -> tuple[int, Number, Number]:
    """Return the axis that a slice or split cuts, where the part begins, and the step."""
    axis, start, step = node.op.strided_axis(node.input_shapes[0])  # type: ignore[union-attr]
    return axis, start + node.input_shapes[0][axis] if start < 0 else start, step


def window_of(node: Node) -> Windows:
    """Return kernel, stride and dilation on each axis on which a pool changes something; ``WHOLE`` where one is all."""
    x, op = node.input_shapes[0], node.op
    if op is None or op.kind == "reduce":
        return WHOLE if node.shape.elements != x.elements else ()
    window, after = op.window(x), node.shape.spatial
    if window is None:  # adaptive: the windows are equal where they divide the input
        sizes = [
            (before // size if before % size == 0 else -size) for before, size in zip(x.spatial, after, strict=True)
        ]
        window = Window(tuple(sizes), tuple(sizes), (), (1,) * len(sizes))
    axes = list(zip(window.kernel_size, window.stride, window.dilation, x.spatial, strict=True))
    if all(size == 1 for size in after) and all(kernel >= before for kernel, _, _, before in axes):
        return WHOLE if node.shape.elements != x.elements else ()
    return tuple((kernel, stride, dilation) for kernel, stride, dilation, _ in axes if kernel != 1)


def is_same_pool(one: Node, two: Node) -> bool:
    """Whether both are pools of the same window."""
    kinds = {node.op.kind for node in (one, two) if node.op}
    return len(kinds) == 1 and kinds.issubset(POOLS) and window_of(one) == window_of(two)
