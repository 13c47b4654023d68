"""Where compared layers that are all equal read something else, and outputs give something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice

from convcalc.graph.graph import Node
from convcalc.match.alignment import new_numbering
from convcalc.match.differences import CHANGED, OUTPUT, READS, Difference, Side
from convcalc.match.layers import Layer
from convcalc.match.wires import CONCAT, JOINS, POOLS, WHOLE, Content, Wire, Wires, is_same_pool, window_of

Term = tuple[Content | None, int]
"""What a join reads, and the node that makes it."""
MOST = 4
"""Terms that are shown of one join."""
DEPTHS = (3, 6, 12)
"""So many joins and pools are shown one in the other; more, where the two sides read alike otherwise."""
ELLIPSIS = -1
"""In place of terms that are on both sides."""


def unlike_texts(sides: tuple[Wires, Wires], read: Sequence[Sequence[int]]) -> tuple[str, str]:
    """Return what each side reads that the other does not; of joins of one kind, their unlike terms.

    Args:
        sides: the wires of both.
        read: nodes of each side.
    """
    ours, theirs = "", ""
    for depth in DEPTHS:
        ours, theirs = _texts(sides, read, depth)
        if ours != theirs:
            break
    return ours, theirs


def _texts(sides: tuple[Wires, Wires], read: Sequence[Sequence[int]], depth: int) -> Iterator[str]:
    if [len(nodes) for nodes in read] == [1, 1]:
        nodes = [wires.nodes[index] for wires, (index,) in zip(sides, read, strict=True)]
        kind, other = (_kind(wires, node) for wires, node in zip(sides, nodes, strict=True))
        if kind == other and kind in JOINS:
            terms = (list(_terms(wires, node)) for wires, node in zip(sides, nodes, strict=True))
            unlike = (_unlike_ends if kind == CONCAT else _unlike_sums)(*terms)
            return (_call(wires, kind, shown, depth) for wires, shown in zip(sides, unlike, strict=True))
    return (
        ", ".join(_text(wires, node, depth) for node in nodes) or "nothing more"
        for wires, nodes in zip(sides, read, strict=True)
    )


def unlike_terms(ours: Iterable[Term], theirs: Iterable[Term]) -> list[int]:
    """Return the nodes of one side whose contents the other has not, or fewer times."""
    waiting, unlike = Counter(content for content, _ in theirs), []
    for content, node in ours:
        waiting[content] -= 1
        unlike += [node] if waiting[content] < 0 else []
    return unlike


def _unlike_sums(first: Sequence[Term], second: Sequence[Term]) -> Iterator[list[int]]:
    """Give the terms of each side that the other has not, with an ellipsis for those that both have."""
    for ours, theirs in ((first, second), (second, first)):
        unlike = unlike_terms(ours, theirs)
        yield [ELLIPSIS] * (len(unlike) < len(ours)) + unlike


def _unlike_ends(first: Sequence[Term], second: Sequence[Term]) -> Iterator[list[int]]:
    """Give the terms of each side between those with which both begin and end, with an ellipsis for these."""
    start = _alike(first, second)
    end = _alike(first[start:][::-1], second[start:][::-1])
    for terms in (first, second):
        middle = [node for _, node in terms[start : len(terms) - end]]
        yield [ELLIPSIS] * (start > 0) + middle + [ELLIPSIS] * (end > 0)


def _alike(first: Sequence[Term], second: Sequence[Term]) -> int:
    """Return with how many equal terms both begin."""
    unlike = (place for place, (one, two) in enumerate(zip(first, second, strict=False)) if one[0] != two[0])
    return next(unlike, min(len(first), len(second)))


def _kind(wires: Wires, node: Node) -> str:
    """Return the word for what a node does, where it is not compared."""
    if node.op is None or not wires.is_between(node.index):
        return ""
    return str(node.op.type) if node.op.kind == "elementwise" else node.op.kind  # type: ignore[attr-defined]


def _terms(wires: Wires, node: Node) -> Iterator[Term]:
    """Give what a join reads, and in place of a join of its kind what that reads."""
    kind, waiting, last = _kind(wires, node), [*reversed(node.inputs)], -1
    while waiting:
        wire = wires.at(waiting.pop())
        if wire is None or wire.root == last:  # parts of one tensor are it
            continue
        last = wire.root
        inner = wires.nodes[wire.root]
        if wire.kind == kind and kind in JOINS and _kind(wires, inner) == kind and not wires.is_given(wire.root):
            waiting += reversed(inner.inputs)
        else:
            yield wire.content, wire.root


def _text(wires: Wires, index: int, depth: int) -> str:
    if index == ELLIPSIS:
        return "…"
    node = wires.nodes[index]
    kind = _kind(wires, node)
    if not kind:
        return wires.layers[index].path if index in wires.layers else node.path
    if not depth:
        return node.path
    terms = [root for _, root in _terms(wires, node)]
    if kind not in POOLS and kind != "upsample":
        return _call(wires, kind, terms, depth)
    return f"{kind} {_settings(node)} of {_text(wires, terms[0], depth - 1)}"


def _settings(node: Node) -> str:
    """Return what is special about a pool, a reduction or an upsampling."""
    word = getattr(node.op, "type", getattr(node.op, "mode", ""))
    if word:
        return str(word)
    window = window_of(node)
    kernel = "×".join(str(each[0]) for each in window)
    stride = "×".join(dict.fromkeys(str(each[1]) for each in window))
    return "global" if window == WHOLE else kernel if stride == "1" else f"{kernel} stride {stride}"


def _call(wires: Wires, kind: str, terms: Sequence[int], depth: int) -> str:
    shown = [_text(wires, node, depth - 1) for node in (terms if len(terms) <= MOST else terms[: MOST - 1])]
    shown += [f"{len(terms) - MOST + 1} more"] if len(terms) > MOST else []
    return f"{kind}({', '.join(shown)})"


Pair = tuple[Layer, Layer]
NEAR = 24
"""So many layers alike are tried in place of a partner."""


def unlike_wiring(sides: Sequence[Side], pairs: Sequence[Pair]) -> list[Difference]:
    """Return the first layers, and the outputs, that read something else, without what follows from one.

    Layers are told apart by what they are and read, so that it makes no difference which of two equal ones is paired.
    Linear in the nodes, but for what is read anew behind each difference.
    """
    numbering = new_numbering()
    names = _input_names(sides)

    def wires() -> tuple[Wires, Wires]:
        first, second = (Wires(side, known, numbering) for side, known in zip(sides, names, strict=True))
        return first, second

    if _are_alike(*wires(), sides):
        return []
    walks = [_Walk(*wires(), pairs, swaps=swaps) for swaps in (False, True)]
    found = min((list(walk.differences(sides)) for walk in walks), key=len)
    return found or min((walk.unread for walk in walks), key=len)


def _input_names(sides: Sequence[Side]) -> list[dict[int, object]]:
    """Return how inputs are told apart: by name where both sides have the same names, otherwise by size alone."""
    inputs = [side.graph.inputs for side in sides]
    is_named = {node.path for node in inputs[0]} == {node.path for node in inputs[1]}
    return [{node.index: node.path if is_named else node.shape.elements for node in side} for side in inputs]


def _are_alike(first: Wires, second: Wires, sides: Sequence[Side]) -> bool:
    ours, theirs = (
        Counter((_content(wires, layer.index), layer.index in wires.read) for layer in side.layers)
        for wires, side in zip((first, second), sides, strict=True)
    )
    return ours == theirs and not any(_unlike_outputs(first, second, sides))


def _unlike_outputs(first: Wires, second: Wires, sides: Sequence[Side]) -> tuple[list[int], list[int]]:
    """Return the outputs of each side that the other has not; of the side that has more, as many as are left over."""
    outputs = [
        [(_content(wires, index), index) for index in side.graph.outputs.values()]
        for wires, side in zip((first, second), sides, strict=True)
    ]
    ours, theirs = (unlike_terms(*each) for each in (outputs, outputs[::-1]))
    few = min(len(ours), len(theirs))
    return ours[:few], theirs[:few]


def _content(wires: Wires, index: int) -> Content | None:
    wire = wires.at(index)
    return wire.content if wire else None


class _Walk:
    """Goes through the pairs from the inputs on; behind what differs both sides are taken to give the same."""

    def __init__(self, first: Wires, second: Wires, pairs: Sequence[Pair], *, swaps: bool) -> None:
        self.first, self.second = first, second
        self.near = NEAR if swaps else 0
        self.unread: list[Difference] = []
        self.pairs = sorted((pair for pair in pairs if pair[0].index in first.layers), key=lambda pair: pair[0].index)
        self.free: dict[Hashable, dict[int, Layer]] = {}
        for _, two in self.pairs:
            self.free.setdefault(two.key, {})[two.index] = two

    def differences(self, sides: Sequence[Side]) -> Iterator[Difference]:
        """Give the differences in the order of the first side."""
        for layer, other in self.pairs:
            partner = self._partner(layer, other)
            if not self._is_equal(layer, partner):
                yield from self._unlike(layer, partner)
            self.unread += self._unread(layer, partner)
        for ours, theirs in zip(*_unlike_outputs(self.first, self.second, sides), strict=True):
            one, two = self.first.at(ours), self.second.at(theirs)
            if one and two and one.content != two.content:  # it may follow from the one before
                if self._is_told([one], [two]):
                    yield self._parted(Difference(OUTPUT), [one], [two])
                self._equate(one.root, two.root)

    def _is_equal(self, one: Layer, two: Layer) -> bool:
        return _content(self.first, one.index) == _content(self.second, two.index)

    def _unread(self, one: Layer, two: Layer) -> Iterator[Difference]:
        """Give a layer that is read on one side only: where it is one of several alike, that is all that differs."""
        is_read = one.index in self.first.read
        if is_read != (two.index in self.second.read):
            texts = ("is read", "is not read") if is_read else ("is not read", "is read")
            yield Difference(CHANGED, (one,), (two,), (READS,), reads=texts)

    def _partner(self, one: Layer, two: Layer) -> Layer:
        """Return the pair's layer of the second side, or one alike that reads the same."""
        free = self.free[one.key]
        known = [two] if two.index in free else []
        near = islice((layer for layer in free.values() if layer is not two), self.near)
        found = next((layer for layer in (*known, *near) if self._is_equal(one, layer)), None)
        return free.pop((found or next(iter(known), None) or next(iter(free.values()))).index)

    def _unlike(self, one: Layer, two: Layer) -> Iterator[Difference]:
        """Give how two layers part, and take them to be the same."""
        ours, theirs = self.first.read_by(one), self.second.read_by(two)
        alone = (
            [wire for content, wire in ours.items() if content not in theirs],
            [wire for content, wire in theirs.items() if content not in ours],
        )
        if self._is_told(list(ours.values()), list(theirs.values())):
            yield self._parted(Difference(CHANGED, (one,), (two,), (READS,)), *alone)
        for our, their in zip(*alone, strict=False):
            self._equate(our.root, their.root)
        if _content(self.first, one.index) != _content(self.second, two.index) and (wire := self.first.at(one.index)):
            self.second.give(two.index, wire)

    def _is_told(self, ours: Sequence[Wire], theirs: Sequence[Wire]) -> bool:
        """Whether a difference is certain: where something is not understood, if it comes from other layers."""
        if all(wire.is_clear for wire in (*ours, *theirs)):
            return True
        reached = [
            set[Content]().union(*(wires.reached(wire.root) for wire in read))
            for wires, read in ((self.first, ours), (self.second, theirs))
        ]
        return reached[0] != reached[1]

    def _parted(self, found: Difference, ours: Sequence[Wire], theirs: Sequence[Wire]) -> Difference:
        for one, two in zip(ours[:1], theirs, strict=False):
            *_, (first, second) = self._ways(one.root, two.root)
            nodes = (self.first.nodes[first],), (self.second.nodes[second],)
            found = found._replace(nodes=nodes)
        read = [[wire.root for wire in side] for side in (ours, theirs)]
        return found._replace(reads=unlike_texts((self.first, self.second), read))

    def _equate(self, ours: int, theirs: int) -> None:
        """Take the innermost join or pool that one side alone has to give what its partner does."""
        for one, two in reversed(list(self._ways(ours, theirs))):
            is_own = self.first.is_between(one) and _content(self.first, one) not in self.second.contents
            is_other = self.second.is_between(two) and _content(self.second, two) not in self.first.contents
            if is_own and is_other:
                self.second.give(two, self.first.give(one))
            elif is_other and (wire := self.first.at(one)):
                self.second.give(two, wire)
            elif is_own and (wire := self.second.at(two)):
                self.first.give(one, wire)
            else:
                continue
            return

    def _ways(self, ours: int, theirs: int) -> Iterator[tuple[int, int]]:
        """Give the nodes at which two ways differ, the last first, through pools that are the same."""
        while True:
            yield ours, theirs
            one, two = self.first.nodes[ours], self.second.nodes[theirs]
            if not (self.first.is_between(ours) and self.second.is_between(theirs) and is_same_pool(one, two)):
                return
            before = self.first.at(one.inputs[0]), self.second.at(two.inputs[0])
            if before[0] is None or before[1] is None or before[0].content == before[1].content:
                return
            ours, theirs = before[0].root, before[1].root
