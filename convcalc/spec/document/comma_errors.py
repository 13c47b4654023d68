"""The trap of commas: YAML cuts ``{out: min(8, 9)}`` into ``out: min(8`` and a key ``9)``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from convcalc.errors import Span, SpecError, quoted
from convcalc.spec.expressions.errors import E_BALANCE
from convcalc.spec.expressions.lexer import COMMA_TRAP
from convcalc.spec.yaml.nodes import ListNode as List
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, YamlNode


def explain_comma_errors(root: YamlNode | None, errors: Sequence[SpecError]) -> list[SpecError]:
    """Return errors with those that stand in a call cut by commas replaced by one that says so."""
    left = list(errors)
    for first, last in _find_cut_calls(root):
        within = [error for error in left if any(_is_between(place, first.span, last.span) for place in _spans(error))]
        if not within:
            continue
        start, end = first.span.column - 1, last.span.column - 1 + last.span.extent
        written = first.span.source.line(first.span.line)[start:end]
        text = f"unbalanced parenthesis in {quoted(first.text)}: {COMMA_TRAP}"
        left[left.index(within[0])] = SpecError(E_BALANCE, text, first.span, hint=f'write "{written}"')
        left = [error for error in left if error not in within]
    for before, numbers in _stray(root):
        first = before[0] if before else numbers[0]
        within = [
            error for error in left if any(_is_between(place, first.span, numbers[-1].span) for place in _spans(error))
        ]
        told = [error for error in within if error.span and error.span.column >= numbers[0].span.column]
        if told:
            listed = ", ".join(number.text for number in (*before[1:], *numbers))
            hint = f"a comma ends a value; a list is written {f'{first.text}: ' if before else ''}[{listed}]"
            left[left.index(within[0])] = SpecError(told[0].code, told[0].text, told[0].span, hint=hint)
            left = [error for error in left if error not in within]
    return left


def _spans(error: SpecError) -> list[Span]:
    return [place for place in (error.span, *(span for span, _ in error.notes)) if place]


def _is_between(place: Span, first: Span, last: Span) -> bool:
    """Whether a place lies between two scalars of a line, these included."""
    end = last.column + last.extent
    return (place.source, place.line) == (first.source, first.line) and first.column <= place.column < end


def _find_cut_calls(root: YamlNode | None) -> Iterator[tuple[ScalarNode, ScalarNode]]:
    """Give the first and the last piece of every call that is cut."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, MapNode):
            waiting += [value for _, value in node.pairs]
            yield from _matching_pieces([_piece_of_pair(key, value) for key, value in node.pairs])
        elif isinstance(node, List):
            waiting += node.items
            yield from _matching_pieces([_piece_of_item(item) for item in node.items])


Stray: TypeAlias = tuple[tuple[ScalarNode, ...], list[ScalarNode]]
"""The key and the value that stand before numbers without a key, perhaps none, and these."""


def _stray(root: YamlNode | None) -> Iterator[Stray]:
    """Give numbers that stand behind a comma where a pair or an item should: ``padding: 1, 2``, ``[conv: 8, 3]``."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, MapNode):
            waiting += [value for _, value in node.pairs]
            yield from _runs([(key,) if _is_empty(value) else (key, value) for key, value in node.pairs], alone=True)
        elif isinstance(node, List):
            waiting += node.items
            items = (
                item.pairs[0] if isinstance(item, MapNode) and len(item.pairs) == 1 else (item,) for item in node.items
            )
            yield from _runs(list(items), alone=False)


def _is_empty(node: YamlNode) -> bool:
    return isinstance(node, ScalarNode) and node.is_empty


def _runs(places: Sequence[tuple[YamlNode, ...]], *, alone: bool) -> Iterator[Stray]:
    """Give the numbers behind each pair; where there is no pair, and they may be ``alone``, all of them."""
    before: tuple[ScalarNode, ...] = ()
    numbers: list[ScalarNode] = []
    for place in (*places, ()):
        pieces = [piece for piece in place if isinstance(piece, ScalarNode)]
        if len(place) == len(pieces) == 1 and pieces[0].is_plain and re.match(r"[-+(]?[0-9]", pieces[0].text):
            numbers.append(pieces[0])
            continue
        if numbers and (before or (alone and not place and len(numbers) == len(places))):
            yield before, numbers
        before = tuple(pieces) if len(place) == len(pieces) == 2 else ()
        numbers = []


def _piece_of_pair(key: ScalarNode, value: YamlNode) -> ScalarNode | None:
    """Return what may be a piece: a value, or a key without one."""
    if isinstance(value, ScalarNode):
        return key if value.is_empty else value
    return None


def _piece_of_item(item: YamlNode) -> ScalarNode | None:
    """Return what may be a piece: an element, or the value of the one pair that it is."""
    if isinstance(item, MapNode) and len(item.pairs) == 1:
        return _piece_of_pair(*item.pairs[0])
    return item if isinstance(item, ScalarNode) else None


def _matching_pieces(pieces: Sequence[ScalarNode | None]) -> Iterator[tuple[ScalarNode, ScalarNode]]:
    first: ScalarNode | None = None
    depth = 0
    for piece in pieces:
        if piece is None or not piece.is_plain or (first and piece.span.line != first.span.line):
            first, depth = None, 0
            continue
        depth += piece.text.count("(") - piece.text.count(")")
        if first and depth <= 0:
            yield first, piece
        if depth <= 0:
            first, depth = None, 0
        elif first is None:
            first = piece
