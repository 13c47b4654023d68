"""The rows of a report's tree: repeats once, and once what is alike elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from convcalc.number_format import count_of
from convcalc.records import NamedTuple
from convcalc.report.fold import FoldedReport, FoldedRow
from convcalc.report.path_tree import PathNode, PathRun, as_group, build_path_tree, runs, structures

TOP_LEVEL = "(top level)"

FEWEST_ALIKE = 3
"""Smaller groups are shown whole, wherever others are alike."""


class DisplayRow(NamedTuple):
    """One row: a layer, a group with its subtotals, the sum of what is not shown, or the total."""

    layer: str
    operation: str
    values: Mapping[str, int]
    style: str = ""
    """``group``, ``zero``, ``rest``, ``total`` or nothing for a layer."""
    layers: int = 1
    unknown: frozenset[str] = frozenset()
    output_shape: tuple[int, ...] | None = None
    repeats: int = 1
    """How many equal neighbours it is one of."""
    period: int = 1
    """How many neighbours take turns in it."""
    is_cut: bool = False
    """Whether what is in it is left out: it is shown elsewhere, or has no values."""
    brief: str = ""
    """The operation on narrow terminals, if that is not what is in front of its first comma."""


def operation(line: FoldedRow) -> str:
    """Return what a layer does in a few words, or how many layers a line holds."""
    if not line.op:
        return count_of(line.layers, "layer")
    text = f"{line.op} {line.summary}" if line.summary else line.op
    if line.parts:
        text += f" + {', '.join(line.parts)}"
    if line.tied_to:
        text += f", tied to {line.tied_to}"
    if line.unknown:
        text += ", not counted"
    return text


class Outline:
    """The tree of paths from the top, a row each; every one where ``every`` says so."""

    def __init__(self, folded: FoldedReport, *, every: bool) -> None:
        self.keys = [column.key for column in folded.columns]
        self.sums = [column.key for column in folded.columns if column.is_additive]
        self.root = build_path_tree(folded.lines, self.sums)
        self.equal = {} if every else structures(self.root, self.keys)
        self.shown: dict[int, str] = {}
        """Where groups are shown, by what is equal for equal ones."""
        self.whole: dict[tuple[str, ...], PathNode] = {}
        """The last group whose rows are all shown, by their names."""

    def rows(self) -> Iterator[DisplayRow]:
        """Walk the tree; a chain of groups with one child each is one row."""
        stack = [(run, 0, "") for run in self._runs(self.root.children.values())]
        while stack:
            run, level, above = stack.pop()
            node, chain = run.nodes[0], ""
            while len(run.nodes) == 1 and node.line is None and len(node.children) == 1:
                (node,) = node.children.values()
                chain += f".{node.segment}"
            label = "  " * level + _name(run, chain, above)
            below: Sequence[PathNode] = run.nodes
            if len(run.nodes) > 1:
                row = self._group(as_group(below, self.sums), label, "", run)
            elif node.group or not node.line:
                alike, below = self._inside(node)
                row, above = self._group(node, label, alike, run), f"{node.path}."
            else:
                line, above, below = node.line, f"{node.path}.", list(node.children.values())
                label, what = label or TOP_LEVEL, operation(line)
                row = DisplayRow(label, what, line.values, "", line.layers, line.unknown, line.output_shape, run.times)
            yield row
            if below:
                stack += [(each, level + 1, above) for each in self._runs(below)]

    def _runs(self, nodes: Iterable[PathNode]) -> list[PathRun]:
        return runs(nodes, self.equal)[::-1]

    def _group(self, node: PathNode, label: str, alike: str, run: PathRun) -> DisplayRow:
        """A group that holds everything says nothing that the total does not."""
        turns, is_cut = (run.times, len(run.nodes)), bool(alike)
        if node.layers == self.root.layers:
            return DisplayRow(label, "", {}, "group", 0, frozenset(), None, *turns, is_cut)
        style = "group" if any(node.values.values()) or node.unknown else "zero"
        count = count_of(node.layers, "layer")
        if node.line:
            count = f"{operation(node.line)}, {count}"
        count += alike
        shape = node.output_shape
        return DisplayRow(label, count, node.values, style, node.layers, node.unknown, shape, *turns, is_cut, count)

    # --- what need not be shown ---------------------------------------------------------------------------------------

    def _inside(self, node: PathNode) -> tuple[str, list[PathNode]]:
        """Return what is left out of a group, in a few words, and what in it is shown.

        Its layers are left out if they have no values (then their operations are named), or are shown elsewhere, equal
        or at another shape. Where more than half are equal to those of another group, the others alone are shown.
        """
        below = list(node.children.values())
        if not self.equal:
            return "", below
        if self.keys == self.sums and not (any(node.values.values()) or node.unknown):
            return f": {', '.join(dict.fromkeys(_ops(node)))}", []
        if node.layers < FEWEST_ALIKE:
            return "", below
        known = self.shown.setdefault(self.equal[id(node)], node.path)
        if known != node.path:
            return f", as {known}", []
        like = self.whole.get(names := tuple(node.children))
        if like and _describe(like) == _describe(node):
            apart = list(self._differences(node, like))
            if 2 * sum(ours.layers for ours, _ in apart) < node.layers:
                return f", as {like.path} but", [ours for ours, _ in apart]
            if self.keys == self.sums and all(map(_differ_in_shape, apart)):
                return f", as {like.path} at another shape", []
        self.whole[names] = node
        return "", below

    def _differences(self, node: PathNode, other: PathNode) -> Iterator[tuple[PathNode, PathNode]]:
        """Give the least parts in which two groups with the same names differ, those of both."""
        stack = [(node, other)]
        while stack:
            ours, theirs = stack.pop()
            if self.equal[id(ours)] == self.equal[id(theirs)]:
                continue
            if ours.group and list(ours.children) == list(theirs.children) and _describe(ours) == _describe(theirs):
                stack += reversed(list(zip(ours.children.values(), theirs.children.values(), strict=True)))
            else:
                yield ours, theirs


def _describe(node: PathNode) -> object:
    """Return what a layer is, whatever its shape and values; nothing for a group without a layer of its own."""
    return node.line and (node.line.op, node.line.summary, node.line.parts, node.line.tied_to, node.unknown)


def _differ_in_shape(pair: tuple[PathNode, PathNode]) -> bool:
    ours, theirs = pair
    if ours.line and not ours.line.op:  # several layers, whose rows are not asked for
        return False
    same = _describe(ours) == _describe(theirs) and list(ours.children) == list(theirs.children)
    return same and all(map(_differ_in_shape, zip(ours.children.values(), theirs.children.values(), strict=True)))


def _ops(node: PathNode) -> Iterator[str]:
    for child in node.children.values():
        if child.line:
            yield child.line.op or count_of(child.line.layers, "layer")
        yield from _ops(child)


def _name(run: PathRun, chain: str, above: str) -> str:
    """Return what stands for neighbours: ``a1``, ``a1, a2 × 2``, ``a1 … a12 × 12`` or ``a1 … b6 (2 × 6)``."""
    first = run.nodes[0].path.removeprefix(above) + chain
    if run.times == 1:
        return first
    last = run.last.path.removeprefix(above) + chain
    if len(run.nodes) > 1:
        return f"{first} … {last} ({len(run.nodes):,} × {run.times:,})"
    return f"{first}{', ' if run.times == 2 else ' … '}{last} × {run.times:,}"
