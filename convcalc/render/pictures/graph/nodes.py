"""What a graph shows: boxes, and frames with boxes in them; and which of them reads which.

Modules may read each other in turn, as names of imported graphs may have it: they are parted where that happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import groupby, pairwise

from convcalc.render.pictures.modules import Module, ModuleRun, Modules

RunsOf = Callable[[Module], Iterable[ModuleRun]]
"""What a module is made of: its children, equal neighbours together or each alone."""
Opens = Callable[[ModuleRun, int], bool]
"""Whether equal neighbours at a depth are drawn as a frame."""


class GraphBox(Modules):
    """A box, or a frame with others in it; an input of the design has no modules."""

    __slots__ = ("children", "depth", "input", "is_run", "parent")

    def __init__(
        self, modules: Sequence[Module], parent: GraphBox | None, *, is_run: bool = True, input_: str = ""
    ) -> None:
        super().__init__(modules)
        self.parent = parent
        self.is_run = is_run
        """Whether its modules are equal: otherwise they are neighbours that are drawn together."""
        self.input = input_
        self.depth: int = parent.depth + 1 if parent else 0
        self.children: list[GraphBox] = []

    @property
    def times(self) -> int:
        """How many equal modules it stands for."""
        return len(self.modules) if self.is_run and self.modules else 1

    @property
    def is_frame(self) -> bool:
        """Whether others are in it; the design is a frame without layers too."""
        return bool(self.children) or self.parent is None

    @property
    def path(self) -> str:
        return self.first.path if self.modules else self.input

    @property
    def name(self) -> str:
        """Its own name, or those of the first and the last of its neighbours."""
        if not self.modules:
            return self.input
        if self.is_run:
            return ModuleRun(self.modules).name
        return f"{self.first.name} … {self.last.name}"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.last.shape if self.modules else ()

    @property
    def layers(self) -> int:
        return sum(module.layers for module in self.modules)

    def walk(self) -> Iterator[GraphBox]:
        """Give the node and all in it, outer ones first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(node.children)

    def inside(self) -> Iterator[tuple[GraphBox, bool]]:
        """Give what is in it where it begins; frames where they end too, with ``False``."""
        stack = [(child, True) for child in reversed(self.children)]
        while stack:
            node, begins = stack.pop()
            yield node, begins
            if begins and node.is_frame:
                stack += [(node, False), *((child, True) for child in reversed(node.children))]

    def boxes(self) -> list[GraphBox]:
        return [node for node in self.walk() if not node.is_frame]

    def __repr__(self) -> str:
        return f"<Node {self.path or '(all)'} ×{self.times}: {len(self.children)} children>"


def build(root: Module, runs_of: RunsOf, opens: Opens) -> GraphBox:
    """Return a design with some modules open; the whole is."""
    top = GraphBox([root], None)
    waiting = [top]
    while waiting:
        node = waiting.pop()
        for run in runs_of(node.first):
            child = GraphBox(run.modules, node)
            node.children.append(child)
            if not run.first.is_layer and opens(run, child.depth):
                waiting.append(child)
    return top


def gathered(top: GraphBox, most: int) -> GraphBox:
    """Return a design whose top modules are drawn together with their neighbours, so that there are at most so many."""
    modules = [module for child in top.children for module in child.modules]
    step = -(-len(modules) // most)
    whole = GraphBox(top.modules, None)
    starts = range(0, len(modules), step)
    whole.children = [GraphBox(modules[start : start + step], whole, is_run=False) for start in starts]
    return whole


def edges(top: GraphBox, sources: Sequence[str]) -> tuple[list[GraphBox], dict[tuple[GraphBox, GraphBox], None]]:
    """Return the inputs of a design that are read, and what reads what: every pair once, in the network's order."""
    boxes, hidden = _boxes_of(top)
    inputs = {name: GraphBox([], top, input_=name) for name in sources}
    found: dict[tuple[GraphBox, GraphBox], None] = {}
    for leaf in top.first.leaves() if top.children else ():
        if leaf in hidden:  # what the first of equal neighbours reads, or the one before
            continue
        reader = boxes[leaf]
        for source in leaf.sources:
            if isinstance(source, str):
                box = inputs.get(source) or inputs.setdefault(source, GraphBox([], top, input_=source))
            else:
                box = boxes[source]
            if box is not reader:
                found[box, reader] = None
    read = {box for box, _ in found}
    return [box for box in inputs.values() if box in read], found


def _boxes_of(top: GraphBox) -> tuple[Mapping[Module, GraphBox], set[Module]]:
    """Return the box that every layer is in, and the layers of frames' neighbours, which are not drawn themselves."""
    boxes: dict[Module, GraphBox] = {}
    hidden: set[Module] = set()
    for node in reversed(list(top.walk())):
        if not node.is_frame:
            boxes.update((leaf, node) for module in node.modules for leaf in module.leaves())
            continue
        for module in node.modules[1:]:
            for leaf, shown in zip(module.leaves(), node.first.leaves(), strict=True):
                boxes[leaf] = boxes[shown]
                hidden.add(leaf)
    return boxes, hidden


# --- modules that read each other -------------------------------------------------------------------------------------


def untangle(root: Module) -> None:
    """Part modules whose layers read a neighbour that reads them, so that lines have one direction.

    A part has the name and the path of its module; its layers follow one another in the network.
    """
    for module in root.walk():  # which sees what is replaced
        if _overlaps(module) and _has_cycle(module):
            module.children = list(_parts(module))


def _overlaps(module: Module) -> bool:
    """Whether layers of one child are between those of another."""
    spans = sorted((min(orders), max(orders)) for orders in map(_orders, module.children))
    return any(last >= first for (_, last), (first, _) in pairwise(spans))


def _orders(module: Module) -> list[int]:
    return [leaf.order for leaf in module.leaves()]


def _holders(module: Module) -> dict[Module, Module]:
    return {leaf: child for child in module.children for leaf in child.leaves()}


def _has_cycle(module: Module) -> bool:
    holders = _holders(module)
    graph = TopologicalSorter[Module]()
    for leaf, child in holders.items():
        read = {holders[source] for source in leaf.sources if isinstance(source, Module) and source in holders}
        graph.add(child, *(read - {child}))
    try:
        graph.prepare()
    except CycleError:
        return True
    return False


def _parts(module: Module) -> Iterator[Module]:
    holders = _holders(module)
    in_order = sorted(holders, key=lambda leaf: leaf.order)
    for child, leaves in groupby(in_order, key=lambda leaf: holders[leaf]):
        held = list(leaves)
        yield child if len(held) == len(_orders(child)) else _part(child, set(held), module)


def _part(module: Module, leaves: set[Module], parent: Module) -> Module:
    """Return a module with some of its layers alone."""
    if module.is_layer:
        module.parent = parent
        return module
    made = Module(module.name, module.path, parent, module.order)
    made.children = [_part(child, leaves, made) for child in module.children if not leaves.isdisjoint(child.leaves())]
    held = list(made.leaves())
    last = max(held, key=lambda leaf: leaf.order)
    made.order, made.shape, made.layers = min(_orders(made)), last.shape, sum(leaf.layers for leaf in held)
    made.values = {key: sum(leaf.value(key) for leaf in held) for key in module.values}
    made.unknown = frozenset().union(*(leaf.unknown for leaf in held))
    made.likeness = object()  # like no other
    return made
