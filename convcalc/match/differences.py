"""What a difference between two designs is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convcalc.graph.graph import Graph, Node
from convcalc.match.layers import Layer
from convcalc.records import NamedTuple, dataclass

CHANGED, MISSING, ADDED, REORDERED, INPUT, OUTPUT, NAME, TIE = (
    "changed", "missing", "added", "order", "input", "output", "name", "tie",
)  # fmt: skip
"""Kinds of differences: layers with other settings; layers that only the first or only the second design has; the same
layers in another order; inputs and outputs of the network; paths; weights that are shared."""
FROM_INPUT = "input"
"""Named as what differs where a layer reads another size though all layers before it that are compared are equal."""
READS = "reads"
"""Named as what differs where equal layers read something else."""
Nodes = tuple[Node, ...]


class Side(NamedTuple):
    """One design: its graph and what is compared of it."""

    graph: Graph
    layers: Sequence[Layer]
    tables: Sequence[Layer]
    scopes: Mapping[str, int]
    """How many of them are at and below each path."""


class Difference(NamedTuple):
    """One difference, with all places at which it is the same."""

    kind: str
    first: tuple[Layer, ...] = ()
    second: tuple[Layer, ...] = ()
    """Where layers are paired, as many as in ``first``."""
    names: tuple[str, ...] = ()
    """The settings that differ; of weights, on which side they are shared: ``first`` or ``second``."""
    consequences: int = 0
    """Layers that differ in size alone, because of it."""
    nodes: tuple[Nodes, Nodes] = ((), ())
    """The cause on each side, where it is not a layer that is compared: an input, an output, a pool."""
    behind: Layer | None = None
    """The layer of the first design behind which the second has more."""
    reads: tuple[str, ...] = ()
    """What is read on each side, as a spec would write it, but for what is the same; of ``reads`` and outputs."""


@dataclass(slots=True)
class Outcome:
    """How two designs differ, given which layers are pairs."""

    differences: list[Difference]
    equal: int
    """Pairs that are equal."""
    pairs: list[tuple[Layer, Layer]]

    @property
    def cost(self) -> tuple[int, int]:
        """Layers of all differences, and those that follow: of several ways to pair layers the one with the fewest."""
        of_differences = sum(max(len(each.first), len(each.second)) for each in self.differences)
        return of_differences, sum(each.consequences for each in self.differences)
