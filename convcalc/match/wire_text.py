"""What a layer reads, in words: ``add(block1.conv2, maxpool 3×3 of stem)``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from convcalc.graph.graph import Node
from convcalc.match.wires import CONCAT, JOINS, POOLS, WHOLE, Content, Wires, window_of

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
