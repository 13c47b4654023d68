"""The trap of commas: YAML cuts ``{out: min(8, 9)}`` into ``out: min(8`` and a key ``9)``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.errors import Span, SpecError, quoted
from convcalc.spec.expressions.errors import BALANCE
from convcalc.spec.expressions.lexer import COMMA_TRAP
from convcalc.spec.yaml.nodes import Mapping, Node, Scalar
from convcalc.spec.yaml.nodes import Sequence as List


def explained(root: Node | None, errors: Sequence[SpecError]) -> list[SpecError]:
    """Return errors with those that stand in a call cut by commas replaced by one that says so."""
    left = list(errors)
    for first, last in _cut(root):
        within = [error for error in left if any(_stands(place, first.span, last.span) for place in _places(error))]
        if not within:
            continue
        start, end = first.span.column - 1, last.span.column - 1 + last.span.extent
        written = first.span.source.line(first.span.line)[start:end]
        text = f"unbalanced parenthesis in {quoted(first.text)}: {COMMA_TRAP}"
        left[left.index(within[0])] = SpecError(BALANCE, text, first.span, hint=f'write "{written}"')
        left = [error for error in left if error not in within]
    return left


def _places(error: SpecError) -> list[Span]:
    return [place for place in (error.span, *(span for span, _ in error.notes)) if place]


def _stands(place: Span, first: Span, last: Span) -> bool:
    """Whether a place lies between two scalars of a line, these included."""
    end = last.column + last.extent
    return (place.source, place.line) == (first.source, first.line) and first.column <= place.column < end


def _cut(root: Node | None) -> Iterator[tuple[Scalar, Scalar]]:
    """Give the first and the last piece of every call that is cut."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            waiting += [value for _, value in node.pairs]
            yield from _joined([_pieces(key, value) for key, value in node.pairs])
        elif isinstance(node, List):
            waiting += node.items
            yield from _joined([_of_item(item) for item in node.items])


def _pieces(key: Scalar, value: Node) -> Scalar | None:
    """Return what may be a piece: a value, or a key without one."""
    if isinstance(value, Scalar):
        return key if value.empty else value
    return None


def _of_item(item: Node) -> Scalar | None:
    """Return what may be a piece: an element, or the value of the one pair that it is."""
    if isinstance(item, Mapping) and len(item.pairs) == 1:
        return _pieces(*item.pairs[0])
    return item if isinstance(item, Scalar) else None


def _joined(pieces: Sequence[Scalar | None]) -> Iterator[tuple[Scalar, Scalar]]:
    first: Scalar | None = None
    depth = 0
    for piece in pieces:
        if piece is None or not piece.plain or (first and piece.span.line != first.span.line):
            first, depth = None, 0
            continue
        depth += piece.text.count("(") - piece.text.count(")")
        if first and depth <= 0:
            yield first, piece
        if depth <= 0:
            first, depth = None, 0
        elif first is None:
            first = piece
