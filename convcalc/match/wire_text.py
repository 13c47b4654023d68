"""What a layer reads, in words: ``add(block1.conv2, maxpool 3×3 of stem)``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from convcalc.graph.graph import Node
from convcalc.match.wires import CONCAT, JOINS, POOLS, WHOLE, Content, Wires, window_of

Term = tuple[Content, str]
MOST = 4
"""Terms that are shown of one join."""
DEEPEST = 3
"""So many joins and pools are shown one in the other."""


def unlike_texts(sides: tuple[Wires, Wires], read: Sequence[Sequence[int]]) -> tuple[str, str]:
    """Return what each side reads that the other does not; of joins of one kind, their unlike terms.

    Args:
        sides: the wires of both.
        read: nodes of each side.
    """
    if [len(nodes) for nodes in read] != [1, 1]:
        ours, theirs = (
            ", ".join(_text(wires, node, 0) for node in nodes) or "nothing more"
            for wires, nodes in zip(sides, read, strict=True)
        )
        return ours, theirs
    nodes = [wires.nodes[index] for wires, (index,) in zip(sides, read, strict=True)]
    kinds = {_kind(wires, node) for wires, node in zip(sides, nodes, strict=True)}
    terms = [list(_terms(wires, node, 0)) for wires, node in zip(sides, nodes, strict=True)]
    if len(kinds) == 1 and kinds.issubset(JOINS):
        (kind,) = kinds
        ours, theirs = (_call(kind, each) for each in (_unlike_ends if kind == CONCAT else _unlike_terms)(*terms))
        return ours, theirs
    ours, theirs = (_text(wires, index, 0) for wires, (index,) in zip(sides, read, strict=True))
    return ours, theirs


def _unlike_terms(first: Sequence[Term], second: Sequence[Term]) -> Iterator[list[str]]:
    """Give the terms of each side that the other has not, with an ellipsis for those that both have."""
    for ours, theirs in ((first, second), (second, first)):
        waiting = Counter(content for content, _ in theirs)
        texts = []
        for content, text in ours:
            waiting[content] -= 1
            texts += [text] if waiting[content] < 0 else []
        yield ["…"] * (len(texts) < len(ours)) + texts


def _unlike_ends(first: Sequence[Term], second: Sequence[Term]) -> Iterator[list[str]]:
    """Give the terms of each side between those with which both begin and end, with an ellipsis for these."""
    start = _alike(first, second)
    end = _alike(first[: start - 1 : -1] if start else first[::-1], second[: start - 1 : -1] if start else second[::-1])
    for terms in (first, second):
        middle = [text for _, text in terms[start : len(terms) - end]]
        yield ["…"] * (start > 0) + middle + ["…"] * (end > 0)


def _alike(first: Sequence[Term], second: Sequence[Term]) -> int:
    """Return with how many equal terms both begin."""
    unlike = (place for place, (one, two) in enumerate(zip(first, second, strict=False)) if one[0] != two[0])
    return next(unlike, min(len(first), len(second)))


def _kind(wires: Wires, node: Node) -> str:
    """Return the word for what a node does, where it is not compared."""
    if node.op is None or not wires.is_between(node.index):
        return ""
    return str(node.op.type) if node.op.kind == "elementwise" else node.op.kind  # type: ignore[attr-defined]


def _terms(wires: Wires, node: Node, depth: int) -> Iterator[Term]:
    """Give what a join reads, those of a join in it that is of its kind in place of that."""
    waiting = [*reversed(node.inputs)]
    while waiting:
        wire = wires.at(waiting.pop())
        if wire is None:
            continue
        inner = wires.nodes[wire.root]
        if (
            wire.kind in JOINS
            and _kind(wires, inner) == wire.kind == _kind(wires, node)
            and not wires.is_given(wire.root)
        ):
            waiting += reversed(inner.inputs)
        else:
            yield wire.content, _text(wires, wire.root, depth + 1)


def _text(wires: Wires, index: int, depth: int) -> str:
    node = wires.nodes[index]
    kind = _kind(wires, node)
    if not kind:
        return wires.layers[index].path if index in wires.layers else node.path
    if depth >= DEEPEST:
        return node.path
    texts = [text for _, text in _terms(wires, node, depth)]
    if kind not in POOLS:
        return _call(kind, texts)
    window = window_of(node)
    kernel = "×".join(str(each[0]) for each in window)
    stride = "×".join(dict.fromkeys(str(each[1]) for each in window))
    word = f"{node.op.type}" if kind == "reduce" else kind  # type: ignore[union-attr]
    sizes = "global" if window == WHOLE else kernel if stride == "1" else f"{kernel} stride {stride}"
    return f"{word} {sizes} of {', '.join(texts)}"


def _call(kind: str, texts: Sequence[str]) -> str:
    shown = texts if len(texts) <= MOST else [*texts[: MOST - 1], f"{len(texts) - MOST + 1} more"]
    return f"{kind}({', '.join(shown)})"
