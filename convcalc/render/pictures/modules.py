"""What pictures show: modules in a tree, a layer with its norm and activation, and equal neighbours as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import digits

from convcalc.records import dataclass, field
from convcalc.report.fold import FUSED, TableOptions, fold_report
from convcalc.report.path_tree import PathNode, build_path_tree, structures
from convcalc.report.report import Report

FEWEST_LAYERS = 4
"""So many equal layers in a row are one box; of modules two are enough."""
COSTS = ("params", "macs")
"""The metrics that pictures are about."""
OUTSIDE: tuple[Module | None, int] = (None, 0)
"""The place of what is in no child of a module."""


@dataclass(eq=False, slots=True)
class Module:
    """A layer with its norm and activation, a scope of layers, or the whole design."""

    name: str
    path: str
    parent: Module | None
    order: int
    """Where its first layer stands in the network."""
    children: list[Module] = field(default_factory=list)
    op: str = ""
    """The operation of a layer; empty for a scope."""
    summary: str = ""
    shape: tuple[int, ...] = ()
    """The shape of what leaves it."""
    layers: int = 1
    values: Mapping[str, int] = field(default_factory=dict)
    """The sums of its layers by the keys of metrics."""
    unknown: frozenset[str] = frozenset()
    """The metrics that are not known of some layer in it."""
    sources: list[Module | str] = field(default_factory=list)
    """What a layer reads: layers, and inputs of the design by their names."""
    likeness: object = None
    """Equal for modules whose layers are equal, whatever the modules' names."""

    @property
    def is_layer(self) -> bool:
        return not self.children

    @property
    def only(self) -> Module | None:
        """The layer that it is, or the only one in it; nothing for several."""
        module = self
        while len(module.children) == 1:
            module = module.children[0]
        return module if module.is_layer else None

    @property
    def known(self) -> bool:
        """Whether all of its layers could be counted."""
        return not self.unknown

    @property
    def opened(self) -> Module:
        """The module without the scopes around it that hold but one scope each: what the design is made of is in it."""
        module = self
        while len(module.children) == 1 and not module.children[0].is_layer:
            module = module.children[0]
        return module

    @property
    def levels(self) -> int:
        """How many levels of modules are in it."""
        level, found = self.children, 0
        while level:
            level, found = [child for module in level for child in module.children], found + 1
        return found

    def is_known(self, key: str) -> bool:
        """Whether its value of a metric is exact; otherwise it is a lower bound."""
        return key not in self.unknown

    def value(self, key: str) -> int:
        """Return the sum of a metric over its layers."""
        return self.values.get(key, 0)

    def walk(self) -> Iterator[Module]:
        """Give the module and all in it, outer ones first, in the network's order."""
        stack = [self]
        while stack:
            module = stack.pop()
            yield module
            stack += reversed(module.children)

    def leaves(self) -> Iterator[Module]:
        """Give its layers in the network's order."""
        return (module for module in self.walk() if module.is_layer)

    def __repr__(self) -> str:
        return f"<Module {self.path or '(all)'}: {self.layers} layers>"


@dataclass(eq=False, slots=True)
class Modules:
    """Modules that are drawn as one."""

    modules: Sequence[Module]

    @property
    def first(self) -> Module:
        return self.modules[0]

    @property
    def last(self) -> Module:
        return self.modules[-1]

    @property
    def paths(self) -> str:
        """``stage3.block1``, or ``stage3.block1 … stage3.block6``."""
        return self.first.path if self.first is self.last else f"{self.first.path} … {self.last.path}"

    @property
    def known(self) -> bool:
        """Whether all of its layers could be counted."""
        return all(module.known for module in self.modules)

    def is_known(self, key: str) -> bool:
        """Whether its value of a metric is exact."""
        return all(module.is_known(key) for module in self.modules)

    def value(self, key: str) -> int:
        """Return the sum of a metric over all of them."""
        return sum(module.value(key) for module in self.modules)


class ModuleRun(Modules):
    """Equal neighbours, drawn once: a module that stands for itself alone, or for several."""

    __slots__ = ()

    @property
    def times(self) -> int:
        return len(self.modules)

    @property
    def name(self) -> str:
        """``block`` for all of block1 … block12, ``conv1`` for that of each; ``0 … 11`` where names are numbers."""
        if self.first.name == self.last.name:
            return self.first.name
        return self.first.name.rstrip(digits).rstrip("_") or self.first.op or f"{self.first.name} … {self.last.name}"

    @property
    def label(self) -> str:
        """``block``, or ``block ×12`` for all of block1 … block12; a number has the name of what holds it before it."""
        holder = self.first.parent
        is_number = self.first.name.isdecimal() and self.name.startswith(self.first.name)
        name = f"{holder.name}.{self.name}" if is_number and holder and holder.name else self.name
        return name if self.times == 1 else f"{name} ×{self.times:,}"


def has_costs(of: Module | Modules) -> bool:
    """Whether it has parameters or multiplies."""
    return any(map(of.value, COSTS))


def module_tree(report: Report) -> Module:
    """Return a report as a tree of modules; children are in the network's order.

    A join that is named like the scope of its branches is the last layer of that scope.
    """
    keys = [column.key for column in report.columns if column.is_additive]
    folded = fold_report(report, TableOptions())
    paths = build_path_tree(folded.lines, keys)
    numbers = structures(paths, keys)
    root = Module("", "", None, 0)
    holders: dict[str, Module] = {}
    stack = [(paths, root)]
    while stack:
        node, module = stack.pop()
        _fill(module, node, numbers, keys, holders)
        groups = [(child, Module(child.segment, child.path, module, 0)) for child in _shown(node)]
        module.children = [made for _, made in groups] + module.children
        stack += groups
    places = {row.path: place for place, row in enumerate(report.rows)}
    for module in reversed(list(root.walk())):
        module.children.sort(key=lambda child: child.order)
        module.order = module.children[0].order if module.children else places.get(module.path, 0)
    for row in report.rows:
        reader = holders[row.path]
        sources = (holders.get(name, name) for name in row.inputs)
        reader.sources += [source for source in sources if source is not reader]
    return root


def _shown(node: PathNode) -> list[PathNode]:
    """Return the children of a path that are modules of their own: norms and activations belong to their layer."""
    if node.line is None:
        return list(node.children.values())
    return [child for child in node.children.values() if child.segment not in FUSED]


def _fill(
    module: Module, node: PathNode, numbers: Mapping[int, int], keys: Sequence[str], holders: dict[str, Module]
) -> None:
    module.shape, module.layers, module.unknown = node.output_shape, node.layers, node.unknown
    module.likeness = numbers[id(node)]
    module.values = {key: node.values.get(key, 0) for key in keys}
    if node.line is None:
        return
    layer = module
    if node.group:
        below = _shown(node)
        layer = Module(node.line.op, node.path, module, 0)
        module.children = [layer]
        layer.values = {key: module.values[key] - sum(child.values.get(key, 0) for child in below) for key in keys}
        layer.shape, layer.unknown = node.line.output_shape, node.line.unknown
        layer.layers = module.layers - sum(child.layers for child in below)
        layer.likeness = node.line.op, node.line.summary, node.line.output_shape
    layer.op, layer.summary = node.line.op, node.line.summary
    held = [node, *(child for child in node.children.values() if child.segment in FUSED)]
    while held:
        part = held.pop()
        holders[part.path] = layer
        held += part.children.values() if part is not node else ()


# --- equal neighbours -------------------------------------------------------------------------------------------------


def alone(module: Module) -> list[ModuleRun]:
    """Return the children of a module, each by itself."""
    return [ModuleRun([child]) for child in module.children]


def runs(module: Module) -> list[ModuleRun]:
    """Return the children of a module, equal neighbours together.

    They are equal in all but a number at the end of their names, and wired alike inside; and they follow one another,
    each reading the one before, or stand beside one another. Nothing but the next reads one before the last.
    """
    wiring = _Wiring(module)
    found: list[list[Module]] = []
    for child in module.children:
        if found and wiring.continues(found[-1], child):
            found[-1].append(child)
        else:
            found.append([child])
    few = [group[0].is_layer and len(group) < FEWEST_LAYERS for group in found]
    parts = ([[module] for module in group] if alone else [group] for group, alone in zip(found, few, strict=True))
    return [ModuleRun(part) for group in parts for part in group]


class _Wiring:
    """How the children of one module read each other, and what is outside."""

    def __init__(self, module: Module) -> None:
        self.positions: dict[Module | str, tuple[Module | None, int]] = {
            leaf: (child, place) for child in module.children for place, leaf in enumerate(child.leaves())
        }
        """The child that a layer is in, and its place there."""
        self.inside: dict[Module, list[tuple[int, ...]]] = {}
        self.outside: dict[Module, list[Module | str]] = {}
        self.readers: dict[Module | None, set[Module]] = {}
        for child in module.children:
            ports: dict[Module | str, int] = {}
            self.inside[child] = [tuple(self._read(child, leaf, ports)) for leaf in child.leaves()]
            self.outside[child] = list(ports)

    def _read(self, child: Module, leaf: Module, ports: dict[Module | str, int]) -> Iterator[int]:
        """Give what a layer reads: places in its child, and below 0 those of what is outside, as it comes."""
        for source in leaf.sources:
            holder, place = self.positions.get(source, OUTSIDE)
            if holder is not child:
                place = -1 - ports.setdefault(source, len(ports))
                self.readers.setdefault(holder, set()).add(child)
            yield place

    def continues(self, group: Sequence[Module], child: Module) -> bool:
        """Whether a module is one more of a group of equal ones."""
        before = group[-1]
        alike = child.likeness == before.likeness and child.name.rstrip(digits) == before.name.rstrip(digits)
        if not alike or child.is_layer != before.is_layer or self.inside[child] != self.inside[before]:
            return False
        steps, pairs = self._steps(child, before), zip(self.outside[child], self.outside[before], strict=True)
        if any(step is None and now != then for step, (now, then) in zip(steps, pairs, strict=True)):
            return False
        if len(group) > 1 and steps != self._steps(before, group[-2]):
            return False
        return all(step is None for step in steps) or self.readers.get(before) == {child}

    def _steps(self, child: Module, before: Module) -> list[int | None]:
        """Return which layer of the module before each source from outside is; nothing where it is none of them."""
        found = (self.positions.get(source, OUTSIDE) for source in self.outside[child])
        return [place if holder is before else None for holder, place in found]
