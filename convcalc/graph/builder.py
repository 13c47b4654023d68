"""The walk: applies shape rules layer by layer, remembers what each op states, and gathers every error."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from convcalc.arith import equal, less_equal, require
from convcalc.errors import Span, SpecError
from convcalc.graph.graph import Facts, Node
from convcalc.ops.op import Op
from convcalc.shapes import Shape

FAILED = -1
"""The index that stands for the output of a layer that could not be: what reads it is skipped."""


class Walk:
    """Builds the nodes of a graph in order. Time and memory are linear in the layers."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.errors: list[SpecError] = []
        self._facts: dict[tuple[int, tuple[Shape, ...]], tuple[Op, Facts]] = {}

    def enter(self, path: str, shape: Shape, source: Span | None) -> int:
        """Add an input of the graph."""
        return self._append(path, None, (), (), Facts(shape, {}, {}, ()), source)

    def add(self, path: str, op: Op, inputs: Sequence[int], source: Span | None, via: str = "") -> int:
        """Add a layer and return its index, or ``FAILED`` where an input has failed.

        Raises:
            SpecError: where the layer does not fit its inputs; the caller places and records it.
        """
        if FAILED in inputs:
            return FAILED
        shapes = tuple(self.nodes[index].facts.output for index in inputs)
        try:
            facts = self._stated(op, shapes)
        except SpecError as error:
            if error.code == "CC401" and "needs [" in error.text:
                self._blame_input(error, inputs)
            raise
        index = self._append(path, op, tuple(inputs) if op.reads else (), shapes, facts, source)
        if via:
            self.nodes[index].via = via
        return index

    def _blame_input(self, error: SpecError, inputs: Sequence[int]) -> None:
        """Name the input of the graph that a layer's shape of too few axes comes from, through layers that keep it."""
        for index in inputs:
            node, shape = self.nodes[index], self.nodes[index].facts.output
            while node.op is not None and len(node.inputs) == 1 and node.input_shapes[0] is shape:
                node = self.nodes[node.inputs[0]]
            if node.op is None and node.source is not None:
                error.notes = (*error.notes, (node.source, f"the input has the shape {shape}"))
                if shape.rank == 1:
                    axes = f"{shape[0]}, H, W" if "[channels" in error.text else f"N, {shape[0]}"
                    error.hint = f"an input with all axes, such as {node.path}: [{axes}]"

    def shape(self, index: int) -> Shape:
        """Return the shape that leaves a node."""
        return self.nodes[index].facts.output

    def tie(self, index: int, owner: int) -> None:
        """Let a layer use the weights of another.

        Raises:
            SpecError: CC407, where their weights differ in shape.
        """
        tied, kept = self.nodes[index], self.nodes[owner]
        own, other = tuple(tied.facts.weights.values()), tuple(kept.facts.weights.values())
        shown = " and ".join(" ".join(map(str, shapes)) or "none" for shapes in (own, other))
        said = "CC407", "tie: the weights of {} and {} differ in shape: {}", tied.path, kept.path, shown
        require([shape.rank for shape in own] == [shape.rank for shape in other], *said)
        for size, against in zip(chain(*own), chain(*other), strict=True):
            require(equal(size, against), *said)
        tied.owner = kept.owner

    def _append(
        self,
        path: str,
        op: Op | None,
        inputs: tuple[int, ...],
        shapes: tuple[Shape, ...],
        facts: Facts,
        source: Span | None,
    ) -> int:
        index = len(self.nodes)
        self.nodes.append(Node(index, path, op, inputs, shapes, facts, source, index))
        return index

    def _stated(self, op: Op, shapes: tuple[Shape, ...]) -> Facts:
        """Return the facts of a layer; the same op on the same shapes is asked once."""
        try:
            known = self._facts.get((id(op), shapes))
        except TypeError:  # arrays cannot be looked up
            return _facts(op, shapes)
        if known is None:
            known = self._facts[id(op), shapes] = (op, _facts(op, shapes))
        return known[1]


def _facts(op: Op, shapes: tuple[Shape, ...]) -> Facts:
    output = op.output(*shapes)
    for size in output:
        require(less_equal(1, size), "CC403", "{} leaves an axis of size {}: {}", op.kind, size, output)
    return Facts(output, op.weights(*shapes), op.buffers(*shapes), op.products(*shapes))
