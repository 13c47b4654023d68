"""The trap of commas: YAML cuts ``{out: min(8, 9)}`` into ``out: min(8`` and a key ``9)``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

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
    for before, numbers in _stray(root):
        first = before[0] if before else numbers[0]
        within = [
            error for error in left if any(_stands(place, first.span, numbers[-1].span) for place in _places(error))
        ]
        told = [error for error in within if error.span and error.span.column >= numbers[0].span.column]
        if told:
            listed = ", ".join(number.text for number in (*before[1:], *numbers))
            hint = f"a comma ends a value; a list is written {f'{first.text}: ' if before else ''}[{listed}]"
            left[left.index(within[0])] = SpecError(told[0].code, told[0].text, told[0].span, hint=hint)
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


Stray: TypeAlias = tuple[tuple[Scalar, ...], list[Scalar]]
"""The key and the value that stand before numbers without a key, perhaps none, and these."""


def _stray(root: Node | None) -> Iterator[Stray]:
    """Give numbers that stand behind a comma where a pair or an item should: ``padding: 1, 2``, ``[conv: 8, 3]``."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            waiting += [value for _, value in node.pairs]
            yield from _runs([(key,) if _is_empty(value) else (key, value) for key, value in node.pairs], alone=True)
        elif isinstance(node, List):
            waiting += node.items
            items = (
                item.pairs[0] if isinstance(item, Mapping) and len(item.pairs) == 1 else (item,) for item in node.items
            )
            yield from _runs(list(items), alone=False)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.empty


def _runs(places: Sequence[tuple[Node, ...]], *, alone: bool) -> Iterator[Stray]:
    """Give the numbers behind each pair; where there is no pair, and they may be ``alone``, all of them."""
    before: tuple[Scalar, ...] = ()
    numbers: list[Scalar] = []
    for place in (*places, ()):
        pieces = [piece for piece in place if isinstance(piece, Scalar)]
        if len(place) == len(pieces) == 1 and pieces[0].plain and re.match(r"[-+(]?[0-9]", pieces[0].text):
            numbers.append(pieces[0])
            continue
        if numbers and (before or (alone and not place and len(numbers) == len(places))):
            yield before, numbers
        before = tuple(pieces) if len(place) == len(pieces) == 2 else ()
        numbers = []


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
