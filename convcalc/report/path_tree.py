"""Layers as a tree by their paths, with the sums of every group."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from convcalc.records import NamedTuple
from convcalc.report.fold import FUSED, FoldedRow
from convcalc.report.repeats import find_repeats

# --- the tree of paths ------------------------------------------------------------------------------------------------


NO_LINE = FoldedRow("", "", "", 0, (), {})
"""What a group has of its own."""


class PathNode:
    """A path segment: a layer with its fused parts, or a group. Its numbers include those of its children."""

    __slots__ = ("children", "last", "layers", "line", "output_shape", "path", "segment", "unknown", "values")

    def __init__(self, segment: str, path: str, line: FoldedRow | None = None, place: int = -1) -> None:
        self.segment = segment
        self.path = path
        self.line = line
        self.children: dict[str, PathNode] = {}
        own = line or NO_LINE
        self.layers = own.layers
        self.output_shape = own.output_shape
        self.values = own.values
        self.unknown = own.unknown
        self.last = place
        """Where its last layer stands in the network, to know whose output leaves the group."""

    @property
    def group(self) -> bool:
        """Whether it is more than a layer with its fused parts. A named join is a group with a layer of its own."""
        return self.line is None or not self.children.keys() <= FUSED


def build_path_tree(lines: Sequence[FoldedRow], keys: Sequence[str]) -> PathNode:
    """Return the lines as a tree of path segments, children in the network's order, with subtotals for ``keys``."""
    root = PathNode("", "")
    nodes: dict[str, PathNode] = {"": root}
    for place, line in enumerate(lines):
        known = nodes.get(line.path)
        if known:  # a group that some layers before are in
            known.line, known.last, known.output_shape, known.unknown = line, place, line.output_shape, line.unknown
            known.layers, known.values = line.layers, line.values
            continue
        above, _, segment = line.path.rpartition(".")
        parent = nodes.get(above) or _group(above, nodes)
        parent.children[segment] = nodes[line.path] = PathNode(segment, line.path, line, place)
    for node in reversed(nodes.values()):  # children were made after their parents
        if node.children:
            _add_up(node, keys)
    return root


def _group(path: str, nodes: dict[str, PathNode]) -> PathNode:
    """Make the node of a path, and those on the way to it."""
    missing = []
    while path not in nodes:
        above, _, segment = path.rpartition(".")
        missing.append((segment, path))
        path = above
    node = nodes[path]
    for segment, below in reversed(missing):
        node.children[segment] = nodes[below] = node = PathNode(segment, below)
    return node


def _add_up(node: PathNode, keys: Sequence[str]) -> None:
    """Give a node the sums over itself and its children."""
    summed = [node.values, *[child.values for child in node.children.values()]]
    for child in node.children.values():
        node.layers += child.layers
        if child.unknown:
            node.unknown |= child.unknown
        if child.last > node.last:
            node.last, node.output_shape = child.last, child.output_shape
    node.values = sums = {}
    for key in keys:
        found = [values[key] for values in summed if key in values]
        if found:
            sums[key] = sum(found)


# --- equal neighbours -------------------------------------------------------------------------------------------------


def structures(root: PathNode, keys: Sequence[str]) -> dict[int, int]:
    """Return a number for every node by its ``id``: equal ones for nodes that differ in their own names alone.

    Equal are the layers below, by their names, operations, output shapes and the values of ``keys``, in order.
    """
    nodes = [root]
    for node in nodes:  # grows as it goes: parents come before their children
        nodes += node.children.values()
    numbers: dict[Hashable, int] = {}
    found: dict[int, int] = {}
    for node in reversed(nodes):
        line = node.line
        own = line and (
            line.op, line.summary, line.parts, line.tied_to, line.layers, line.unknown, *map(line.values.get, keys)
        )  # fmt: skip
        below = tuple([(child.segment, found[id(child)]) for child in node.children.values()]) if node.children else ()
        found[id(node)] = numbers.setdefault((own, node.output_shape, below), len(numbers))
    return found


class PathRun(NamedTuple):
    """Neighbours that are shown once: one path, or several that take turns."""

    nodes: Sequence[PathNode]
    last: PathNode
    """The last of all."""
    times: int
    """How often they are there."""


def runs(nodes: Iterable[PathNode], equal: Mapping[int, int]) -> list[PathRun]:
    """Return neighbours in order, those that repeat together; each alone where nothing is known to be equal.

    Their names differ in a number at the end alone: a shortcut as large as its neighbour is none of its repeats.
    """
    nodes = list(nodes)
    if not equal or len({equal[id(node)] for node in nodes}) == len(nodes):
        return [PathRun._make(([node], node, 1)) for node in nodes]
    found = find_repeats([(node.path.rstrip("0123456789"), equal[id(node)]) for node in nodes])
    return [PathRun(nodes[one.start : one.start + one.period], nodes[one.end - 1], one.times) for one in found]


def as_group(nodes: Sequence[PathNode], keys: Sequence[str]) -> PathNode:
    """Return neighbours as one node, with the sums of theirs for ``keys``."""
    group = PathNode(nodes[0].segment, nodes[0].path)
    group.children = {node.segment: node for node in nodes}
    _add_up(group, keys)
    return group
