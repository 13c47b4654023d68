"""Which modules of a graph are open, and the graph as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

from convcalc.errors import did_you_mean, quoted
from convcalc.paths import matches, syntax_error
from convcalc.records import cached_property, dataclass
from convcalc.render.pictures.graph.drawing import Painter, Sizes
from convcalc.render.pictures.graph.nesting import DIRECTIONS, Direction, Places, place
from convcalc.render.pictures.graph.nodes import GraphBox, build, edges, gathered, untangle
from convcalc.render.pictures.labels import NAMES, letters_of
from convcalc.render.pictures.modules import Module, ModuleRun, alone, runs
from convcalc.render.pictures.palette import tint
from convcalc.render.pictures.svg import Picture, Theme
from convcalc.report.drawn import unknown
from convcalc.report.report import Report

AUTO = 96
"""Boxes that ``auto`` shows at most, unless there are more at the top."""
MOST = 400
"""Boxes that are shown at most: more are folded."""
BY = (*NAMES, "none")
"""Metrics of tints, or none."""
REPEATS = ("fold", "show")
DEPTHS = ("auto", "all")


@dataclass(frozen=True)
class View:
    """How a graph is shown.

    Args:
        depth: so many levels of modules are shown: ``auto`` shows as many as have at most 96 boxes.
        opened: globs of paths; modules that match are open at any depth, and those around them.
        closed: globs of paths; modules that match are closed.
        by: the metric of tints, or ``none``.
        direction: of lines: ``down`` or ``right``.
        repeats: ``fold`` draws equal neighbours once, ``show`` each.
        theme: of files.
    """

    depth: int | str = "auto"
    opened: Sequence[str] = ()
    closed: Sequence[str] = ()
    by: str = "macs"
    direction: Direction = "down"
    repeats: Literal["fold", "show"] = "fold"
    theme: Theme = "auto"

    def require(self, root: Module) -> None:
        """Demand values that there are, and globs that match.

        Raises:
            ValueError: for others.
        """
        words = (("metric of tints", self.by, BY), ("direction", self.direction, DIRECTIONS),
                 ("way of repeats", self.repeats, REPEATS))  # fmt: skip
        for what, word, known in words:
            if word not in known:
                raise unknown(what, str(word), known)
        is_number = isinstance(self.depth, int) and not isinstance(self.depth, bool) and self.depth >= 1
        if not is_number and self.depth not in DEPTHS:
            raise ValueError(f"depth is a positive integer, auto or all, not {self.depth!r}")
        for glob in (*self.opened, *self.closed):
            wrong = syntax_error(glob, ".")
            if wrong:
                raise ValueError(f"the glob {quoted(glob)} {wrong}")
            if not _matching([glob], root):
                paths = [module.path for module in root.walk() if module.path]
                raise ValueError(f"no layer or module has the path {quoted(glob)}{did_you_mean(glob, paths)}")


def _matching(globs: Sequence[str], root: Module) -> list[Module]:
    return [each for each in root.walk() if each.path and any(matches(glob, each.path, ".") for glob in globs)]


@dataclass(frozen=True)
class GraphDiagram:
    """Boxes and frames of a design, and what reads what."""

    root: Module
    report: Report
    view: View
    top: GraphBox
    inputs: Sequence[GraphBox]
    edges: Mapping[tuple[GraphBox, GraphBox], None]
    depth: int
    """So many levels are shown."""
    note: str = ""
    """What is folded for want of room."""

    @cached_property
    def places(self) -> Places:
        """Where everything is."""
        return place(self.top, self.inputs, self.edges, Sizes(self.report.inputs), self.view.direction)

    @cached_property
    def picture(self) -> Picture:
        return self.beside([self])

    def beside(self, graphs: Sequence[GraphDiagram]) -> Picture:
        """Draw it with the scale of tints that it shares with others."""
        largest = {key: max(graph.largest[key] for graph in graphs) for key in NAMES}
        view = self.view
        painter = Painter(self.top, self.places, self.report.inputs, view.by, view.direction, largest)
        return painter.picture(self.inputs, self.note)

    @cached_property
    def largest(self) -> Mapping[str, int]:
        """The largest value of any box, by metric."""
        boxes = self.top.boxes()
        return {key: max((box.value(key) for box in boxes), default=0) for key in NAMES}

    @property
    def theme(self) -> Theme:
        return self.view.theme

    def tint(self, node: GraphBox) -> str:
        """Return the palette's name of a box's tint, such as ``m3``; nothing where there is none."""
        by = self.view.by
        return f"{letters_of(by)[by]}{tint(node.value(by), self.largest[by])}" if by in NAMES else ""

    def within(self, boxes: int, why: str) -> GraphDiagram:
        """Return the same with fewer boxes; ``why`` is the beginning of its note."""
        return _opened(self.root, self.report, self.view, boxes, why)


def graph(root: Module, report: Report, view: View | None = None) -> GraphDiagram:
    """Return the graph of a design, with at most 400 boxes: of more the deepest are folded, then neighbours at the top.

    Args:
        root: its modules. Those that read each other in turn are parted.
        report: its numbers.
        view: what is open, and how it is drawn.

    Raises:
        ValueError: for a view that there is not.
    """
    view = view or View()
    untangle(root)
    view.require(root)
    return _opened(root, report, view, MOST, f"More than {MOST:,} boxes")


def _opened(root: Module, report: Report, view: View, most: int, why: str) -> GraphDiagram:
    top, depth, note = _Opening(root, view, most, why).run()
    read, found = edges(top, list(report.inputs))
    return GraphDiagram(root, report, view, top, read, found, depth, note)


class _Opening:
    """What is open at which depth."""

    def __init__(self, root: Module, view: View, most: int, why: str) -> None:
        self.root, self.view, self.most, self.why = root, view, most, why
        self.runs = cache(runs if view.repeats == "fold" else alone)
        self.closed = set(_matching(view.closed, root))
        self.named: set[Module] = set()
        """What is named to be open, and all around it."""
        for module in _matching(view.opened, root):
            around: Module | None = module
            while around is not None and around not in self.named:
                self.named.add(around)
                around = around.parent

    def at(self, depth: int, *, named: bool = True) -> GraphBox:
        def opens(run: ModuleRun, level: int) -> bool:
            if not self.closed.isdisjoint(run.modules):
                return False
            if named and not self.named.isdisjoint(run.modules):
                return True
            if run.first.only is not None:  # drawn as its layer
                return False
            return level < depth and any(leaf.sources for leaf in run.first.leaves())  # not parameters alone

        return build(self.root, self.runs, opens)

    def run(self) -> tuple[GraphBox, int, str]:
        """Return what is shown, to which depth, and a note: what is folded for want of room."""
        if not self.root.children:
            return self.at(1), 1, "The design has no layers."
        wanted = self._wanted()
        for depth in range(wanted, 0, -1):
            top = self.at(depth)
            if len(top.boxes()) <= self.most:
                return top, depth, "" if depth == wanted else f"{self.why}: folded to depth {depth}."
        top = self.at(1, named=False)
        if len(top.boxes()) <= self.most:
            return top, 1, f"{self.why}: folded to depth 1."
        return gathered(top, min(AUTO, self.most)), 1, f"{self.why}: neighbours are drawn together."

    def _wanted(self) -> int:
        levels = self.root.levels
        if self.view.depth != "auto":
            return min(self.view.depth, levels) if isinstance(self.view.depth, int) else levels
        depth = 1
        while depth < levels and len(self.at(depth + 1, named=False).boxes()) <= AUTO:
            depth += 1
        return depth
