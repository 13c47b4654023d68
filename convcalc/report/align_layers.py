"""Which layer of one design stands where a layer of another stands: by path, then by position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from convcalc.records import NamedTuple
from convcalc.report.path_tree import PathNode


class AlignedCell(NamedTuple):
    """What one design has at an aligned place: a layer, or a group with its sums."""

    path: str
    """The whole path in the design."""
    layers: int
    output_shape: tuple[int, ...]
    values: Mapping[str, int]
    op: str | None
    """The kind of layer, where there is one: for a named join that of the join."""
    layer: bool
    """Whether it is one layer with its fused parts."""
    unknown: frozenset[str] = frozenset()
    """The metrics in which some layer of it is not known."""


class AlignedRow(NamedTuple):
    """One aligned place: the same layer or group in every design that has it."""

    path: str
    """Within the designs, without what each of them puts in front of all its layers."""
    level: int
    cells: tuple[AlignedCell | None, ...]
    group: bool
    """Whether aligned places beneath it follow."""
    splits_a_layer: bool = False
    """Whether it splits up a place that is a single layer in some design: then there is nothing to compare it with."""
    last_segment: str = ""
    """The last of several neighbours that are summed in this one."""

    def values(self, key: str) -> tuple[int | None, ...]:
        """Return the value of a metric in every design; nothing where the design has nothing here."""
        return tuple(cell.values.get(key, 0) if cell else None for cell in self.cells)

    @property
    def present(self) -> tuple[bool, ...]:
        """Which designs have something here."""
        return tuple(cell is not None for cell in self.cells)

    @property
    def has_equal_values(self) -> bool:
        """Whether the designs that have this place have the same sums."""
        values = [cell.values for cell in self.cells if cell]
        return all(value == values[0] for value in values)

    @property
    def equal(self) -> bool:
        """Whether every design has this place, with the same sums."""
        return self.has_equal_values and all(self.present)

    @property
    def layer(self) -> bool:
        """Whether it is one layer, with its fused parts, in every design that has it."""
        return all(cell.layer for cell in self.cells if cell)


def align(roots: Sequence[PathNode], keys: Sequence[str]) -> Iterator[AlignedRow]:
    """Walk several trees at once: children with the same name meet, then those left over by position.

    A design whose layers all stand in one scope (``reduced.conv1``, ``reduced.conv2``) is compared without that scope,
    unless another design has a scope of that name too.
    """
    nodes = tuple(_skip_enclosing_scopes(roots))
    lone_layer = any(not node.group for node in nodes)
    stack = [_Place("", 0 if lone_layer else -1, nodes)]
    while stack:
        place = stack.pop()
        below = list(_children(place))
        if place.level >= 0:
            cells = tuple(_cell(node, keys) for node in place.nodes)
            yield AlignedRow(place.path, place.level, cells, bool(below), place.detail)
        stack += reversed(below)


class _Place(NamedTuple):
    path: str
    level: int
    nodes: tuple[PathNode | None, ...]
    detail: bool = False


def _cell(node: PathNode | None, keys: Sequence[str]) -> AlignedCell | None:
    if node is None:
        return None
    values = {key: node.values[key] for key in keys if key in node.values}
    op = node.line.op if node.line else None
    return AlignedCell(node.path, node.layers, node.output_shape, values, op, not node.group, node.unknown)


def _skip_enclosing_scopes(roots: Sequence[PathNode]) -> Iterator[PathNode]:
    """Step into the scopes that hold all of a design, where that brings it level with the others."""
    chains = [_single_child_chain(root) for root in roots]
    shared = _common([[node.segment for node in chain] for chain in chains])
    starts = [[root, *chain][shared] for root, chain in zip(roots, chains, strict=True)]
    for start, chain in zip(starts, chains, strict=True):
        own = chain[shared:]
        clash = own and any(own[0].segment in other.children for other in starts if other is not start)
        yield own[-1] if own and not clash else start


def _common(paths: Sequence[Sequence[str]]) -> int:
    """Return how many segments all paths begin with alike."""
    heads = zip(*paths, strict=False)
    return sum(1 for _ in takewhile(lambda segments: len(set(segments)) == 1, heads))


def _single_child_chain(root: PathNode) -> list[PathNode]:
    """Return the chain of nodes from the top that each hold everything."""
    chain = []
    node = root
    while node.line is None and len(node.children) == 1:
        (node,) = node.children.values()
        chain.append(node)
    return chain


def _children(place: _Place) -> Iterator[_Place]:
    """Return the places beneath one; where a design has a single layer, they are details of the others' groups."""
    there = [node for node in place.nodes if node]
    layer_against_group = any(not node.group for node in there) and any(node.group for node in there)
    detail = place.detail or (place.level >= 0 and layer_against_group)
    for nodes in _paired([list(node.children.values()) if node else [] for node in place.nodes]):
        name = next(node.segment for node in nodes if node)
        yield _Place(f"{place.path}.{name}" if place.path else name, place.level + 1, nodes, detail)


def _paired(lists: Sequence[Sequence[PathNode]]) -> list[tuple[PathNode | None, ...]]:
    """Line up the children of one group, design after design."""
    slots: list[_AlignedNodes] = []
    for place, nodes in enumerate(lists):
        slots = _merge_children(slots, place, nodes, len(lists))
    return [tuple(slot) for slot in slots]


_AlignedNodes = list[PathNode | None]


def _merge_children(
    slots: list[_AlignedNodes], place: int, nodes: Sequence[PathNode], designs: int
) -> list[_AlignedNodes]:
    """Put one design's children into the slots; those that find none get new ones behind their predecessor's."""
    found = _by_name(slots, place, nodes)
    for kind in dict.fromkeys(_kind(node) for node in nodes):
        left = [node for node in nodes if node.segment not in found and _kind(node) == kind]
        free = [slot for slot in slots if slot[place] is None and any(_kind(node) == kind for node in slot if node)]
        for node, slot in zip(left, free, strict=False):
            found[node.segment] = slot
            slot[place] = node
    behind: dict[int, list[_AlignedNodes]] = {}
    before = 0
    for node in nodes:
        own = found.get(node.segment)
        if own is None:
            behind.setdefault(before, []).append([node if index == place else None for index in range(designs)])
        else:
            before = id(own)
    return [*behind.get(0, []), *(new for slot in slots for new in (slot, *behind.get(id(slot), [])))]


def _by_name(slots: Sequence[_AlignedNodes], place: int, nodes: Sequence[PathNode]) -> dict[str, _AlignedNodes]:
    named = {node.segment: slot for slot in reversed(slots) for node in reversed(slot) if node}
    found: dict[str, _AlignedNodes] = {}
    taken: set[int] = set()
    for node in nodes:
        slot = named.get(node.segment)
        if slot is not None and id(slot) not in taken:
            taken.add(id(slot))
            found[node.segment] = slot
            slot[place] = node
    return found


def _kind(node: PathNode) -> str:
    """What may meet by position: layers of one op, or groups. Names alone make a layer meet a group."""
    return node.line.op if node.line and not node.group else ""
