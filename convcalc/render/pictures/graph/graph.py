"""Which modules of a graph are open, and the graph as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from convcalc.render.pictures.graph.drawing import draw, largest_of
from convcalc.render.pictures.graph.nesting import Direction
from convcalc.render.pictures.graph.nodes import Node, Runs, build, edges, gathered
from convcalc.render.pictures.modules import Module, Run
from convcalc.render.pictures.svg import Picture

AUTO = 96
"""Boxes that ``auto`` shows at most, unless there are more at the top."""
MOST = 400
"""Boxes that are shown at most: more are folded."""


@dataclass(frozen=True)
class View:
    """How a graph is shown."""

    depth: int | Literal["auto", "all"] = "auto"
    """So many levels of modules are shown: ``auto`` shows as many as there are at most 96 boxes of."""
    opened: Callable[[str], bool] | None = None
    """Paths of modules that are open, whatever the depth; those around them are too."""
    closed: Callable[[str], bool] | None = None
    """Paths of modules that are closed."""
    by: str = "macs"
    direction: Direction = "down"
    repeats: Literal["fold", "show"] = "fold"


@dataclass(frozen=True)
class Graph:
    """Boxes and frames of a design, and what reads what."""

    top: Node
    inputs: Sequence[Node]
    edges: Mapping[tuple[Node, Node], None]
    shapes: Mapping[str, Sequence[int]]
    """Those of the inputs."""
    view: View
    depth: int
    """So many levels are shown."""
    note: str = ""
    """What is folded for want of room."""

    @cached_property
    def picture(self) -> Picture:
        return self.beside([self])

    def beside(self, graphs: Sequence[Graph]) -> Picture:
        """Draw it with the scale of tints that it shares with others."""
        view, largest = self.view, largest_of([graph.top for graph in graphs])
        return draw(
            self.top, self.inputs, self.edges, shapes=self.shapes, by=view.by, direction=view.direction, note=self.note,
            largest=largest,
        )  # fmt: skip


def graph(root: Module, inputs: Mapping[str, Sequence[int]] | None = None, view: View | None = None,
          most: int = MOST) -> Graph:  # fmt: skip
    """Return the graph of a design.

    Args:
        root: its modules.
        inputs: the shapes of its inputs by their names.
        view: what is open, and how it is drawn.
        most: boxes at most: of more the deepest are folded, then neighbours at the top, and ``note`` says so.
    """
    view = view or View()
    top, depth, note = _Opening(root, view, most).run()
    shapes = inputs or {}
    read, found = edges(top, list(shapes))
    return Graph(top, read, found, shapes, view, depth, note)


class _Opening:
    """What is open at which depth."""

    def __init__(self, root: Module, view: View, most: int) -> None:
        self.root, self.view, self.most = root, view, most
        self.runs = Runs(fold=view.repeats == "fold")
        self.levels = _levels(root)
        self.named = _around(root, view.opened) if view.opened else set[Module]()

    def at(self, depth: int) -> Node:
        def opens(run: Run, level: int) -> bool:
            if self.view.closed and any(self.view.closed(module.path) for module in run.modules):
                return False
            return level < depth or any(module in self.named for module in run.modules)

        return build(self.root, self.runs, opens)

    def run(self) -> tuple[Node, int, str]:
        """Return what is shown, to which depth, and what is folded for want of room."""
        wanted = self._wanted()
        for depth in range(wanted, 0, -1):
            top = self.at(depth)
            boxes = len(top.boxes())
            if boxes <= self.most:
                folded = depth < wanted
                return top, depth, f"More than {self.most:,} boxes: folded to depth {depth}." if folded else ""
        self.named = set()
        top = self.at(1)
        if len(top.boxes()) <= self.most:
            return top, 1, f"More than {self.most:,} boxes: folded to depth 1."
        top = gathered(top, min(AUTO, self.most))
        return top, 1, f"More than {self.most:,} boxes: neighbours are drawn together."

    def _wanted(self) -> int:
        if self.view.depth == "all":
            return self.levels
        if self.view.depth != "auto":
            return max(1, min(self.view.depth, self.levels))
        named, self.named = self.named, set()
        depth = 1
        while depth < self.levels and len(self.at(depth + 1).boxes()) <= AUTO:
            depth += 1
        self.named = named
        return depth


def _levels(root: Module) -> int:
    """Return how many levels of modules there are below the whole."""
    deepest, levels = 0, {root: 0}
    for module in root.walk():
        for child in module.children:
            levels[child] = levels[module] + 1
            deepest = max(deepest, levels[child])
    return max(deepest, 1)


def _around(root: Module, wanted: Callable[[str], bool]) -> set[Module]:
    """Return the modules whose paths are wanted, and all around them."""
    found: set[Module] = set()
    for module in root.walk():
        if module.path and wanted(module.path):
            around: Module | None = module
            while around is not None and around not in found:
                found.add(around)
                around = around.parent
    return found


def paths(root: Module) -> Iterable[str]:
    """Give the paths of all modules and layers."""
    return (module.path for module in root.walk() if module.path)
