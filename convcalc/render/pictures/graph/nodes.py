"""What a graph shows: boxes, and frames with boxes in them; and which of them reads which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from convcalc.render.pictures.modules import Module, Modules, Run, runs

Opens = Callable[[Run, int], bool]
"""Whether equal neighbours at a depth are drawn as a frame."""


class Node(Modules):
    """A box, or a frame with others in it; an input of the design has no modules."""

    __slots__ = ("children", "depth", "input", "is_run", "parent")

    def __init__(
        self, modules: Sequence[Module], parent: Node | None, *, is_run: bool = True, input_: str = ""
    ) -> None:
        super().__init__(modules)
        self.parent = parent
        self.is_run = is_run
        """Whether its modules are equal: otherwise they are neighbours that are drawn together."""
        self.input = input_
        self.depth: int = parent.depth + 1 if parent else 0
        self.children: list[Node] = []

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
            return Run(self.modules).name
        return f"{self.first.name} … {self.last.name}"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.last.shape if self.modules else ()

    @property
    def layers(self) -> int:
        return sum(module.layers for module in self.modules)

    def walk(self) -> Iterator[Node]:
        """Give the node and all in it, outer ones first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(node.children)

    def inside(self) -> Iterator[tuple[Node, bool]]:
        """Give what is in it where it begins; frames where they end too, with ``False``."""
        stack = [(child, True) for child in reversed(self.children)]
        while stack:
            node, begins = stack.pop()
            yield node, begins
            if begins and node.is_frame:
                stack += [(node, False), *((child, True) for child in reversed(node.children))]

    def boxes(self) -> list[Node]:
        return [node for node in self.walk() if not node.is_frame]

    def __repr__(self) -> str:
        return f"<Node {self.path or '(all)'} ×{self.times}: {len(self.children)} children>"


class Runs:
    """Equal neighbours of modules, found once."""

    def __init__(self, *, fold: bool) -> None:
        self.fold = fold
        self.known: dict[Module, list[Run]] = {}

    def __call__(self, module: Module) -> list[Run]:
        if module not in self.known:
            self.known[module] = runs(module) if self.fold else [Run([child]) for child in module.children]
        return self.known[module]


def build(root: Module, runs_of: Runs, opens: Opens) -> Node:
    """Return a design with some modules open; the whole is."""
    top = Node([root], None)
    waiting = [top]
    while waiting:
        node = waiting.pop()
        for run in runs_of(node.first):
            child = Node(run.modules, node)
            node.children.append(child)
            if not run.first.is_layer and opens(run, child.depth):
                waiting.append(child)
    return top


def gathered(top: Node, most: int) -> Node:
    """Return a design whose top modules are drawn together with their neighbours, so that there are at most so many."""
    modules = [module for child in top.children for module in child.modules]
    step = -(-len(modules) // most)
    whole = Node(top.modules, None)
    whole.children = [
        Node(modules[start : start + step], whole, is_run=False) for start in range(0, len(modules), step)
    ]
    return whole


def edges(top: Node, sources: Sequence[str]) -> tuple[list[Node], dict[tuple[Node, Node], None]]:
    """Return the inputs of a design that are read, and what reads what: every pair once, in the network's order."""
    boxes, hidden = _boxes_of(top)
    inputs = {name: Node([], top, input_=name) for name in sources}
    found: dict[tuple[Node, Node], None] = {}
    for leaf in top.first.leaves() if top.children else ():
        if leaf in hidden:  # what the first of equal neighbours reads, or the one before
            continue
        reader = boxes[leaf]
        for source in leaf.sources:
            if isinstance(source, str):
                box = inputs.get(source) or inputs.setdefault(source, Node([], top, input_=source))
            else:
                box = boxes[source]
            if box is not reader:
                found[box, reader] = None
    read = {box for box, _ in found}
    return [box for box in inputs.values() if box in read], found


def _boxes_of(top: Node) -> tuple[Mapping[Module, Node], set[Module]]:
    """Return the box that every layer is in, and the layers of frames' neighbours, which are not drawn themselves."""
    boxes: dict[Module, Node] = {}
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
