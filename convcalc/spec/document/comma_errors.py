"""Errors of commas: YAML cuts ``{out: min(8, 9)}`` into ``out: min(8`` and a key ``9)``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from convcalc.errors import Span, SpecError, quoted
from convcalc.spec.expressions.errors import E_BALANCE
from convcalc.spec.expressions.lexer import COMMA_TRAP
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode

Entry: TypeAlias = tuple[YamlNode, ...]
"""An entry of a mapping or a list: a key and its value, or a key without a value or an item, alone."""


def explain_comma_errors(root: YamlNode | None, errors: Sequence[SpecError]) -> list[SpecError]:
    """Return errors, with those in a call or a list that commas have cut replaced by one that explains it."""
    left = list(errors)
    collections = list(_collections(root))
    for first, last in (call for entries, _ in collections for call in _cut_calls(entries)):
        if within := _between(left, first, last):
            start, end = first.span.column - 1, last.span.column - 1 + last.span.extent
            written = first.span.source.line(first.span.line)[start:end]
            text = f"unbalanced parenthesis in {quoted(first.text)}: {COMMA_TRAP}"
            left = _replaced(left, within, SpecError(E_BALANCE, text, first.span, hint=f'write "{written}"'))
    for before, numbers in (run for entries, alone in collections for run in _stray_numbers(entries, alone=alone)):
        first = before[0] if before else numbers[0]
        within = _between(left, first, numbers[-1])
        of_numbers = [error for error in within if error.span and error.span.column >= numbers[0].span.column]
        if of_numbers:
            sizes = ", ".join(number.text for number in (*before[1:], *numbers))
            hint = f"a comma ends a value; a list is written {f'{first.text}: ' if before else ''}[{sizes}]"
            replacement = SpecError(of_numbers[0].code, of_numbers[0].text, of_numbers[0].span, hint=hint)
            left = _replaced(left, within, replacement)
    return left


def _between(errors: Sequence[SpecError], first: ScalarNode, last: ScalarNode) -> list[SpecError]:
    """Return the errors with a span between two scalars of a line, these included."""
    start, end = first.span, last.span.column + last.span.extent

    def is_between(span: Span | None) -> bool:
        return span is not None and span[:2] == start[:2] and start.column <= span.column < end

    return [error for error in errors if any(map(is_between, (error.span, *(span for span, _ in error.notes))))]


def _replaced(errors: Sequence[SpecError], some: Sequence[SpecError], one: SpecError) -> list[SpecError]:
    """Return errors with one in place of the first of some, and without the others of these."""
    return [one if error is some[0] else error for error in errors if error is some[0] or error not in some]


def _collections(root: YamlNode | None) -> Iterator[tuple[list[Entry], bool]]:
    """Yield the entries of every mapping and list, and whether it is a mapping."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, MapNode):
            waiting += [value for _, value in node.pairs]
            yield [(key,) if is_empty(value) else (key, value) for key, value in node.pairs], True
        elif isinstance(node, ListNode):
            waiting += node.items
            yield [_entry(item) for item in node.items], False


def _entry(item: YamlNode) -> Entry:
    return item.pairs[0] if isinstance(item, MapNode) and len(item.pairs) == 1 else (item,)


def _stray_numbers(
    entries: Sequence[Entry], *, alone: bool
) -> Iterator[tuple[tuple[ScalarNode, ...], list[ScalarNode]]]:
    """Yield numbers behind a comma where a pair or an item should be: ``padding: 1, 2``, ``[conv: 8, 3]``.

    With them the key and the value before them; where there is none, and they may be ``alone``, they are all entries.
    """
    before: tuple[ScalarNode, ...] = ()
    numbers: list[ScalarNode] = []
    for entry in (*entries, ()):
        pieces = tuple(piece for piece in entry if isinstance(piece, ScalarNode))
        if len(entry) == len(pieces) == 1 and pieces[0].is_plain and re.match(r"[-+(]?[0-9]", pieces[0].text):
            numbers.append(pieces[0])
            continue
        if numbers and (before or (alone and not entry and len(numbers) == len(entries))):
            yield before, numbers
        before = pieces if len(entry) == len(pieces) == 2 else ()
        numbers = []


def _cut_calls(entries: Sequence[Entry]) -> Iterator[tuple[ScalarNode, ScalarNode]]:
    """Yield the first and the last piece of every call that is cut; a piece is a value, or a key without one."""
    first: ScalarNode | None = None
    depth = 0
    for entry in entries:
        piece = entry[0] if is_empty(entry[-1]) else entry[-1]
        if not isinstance(piece, ScalarNode) or not piece.is_plain or (first and piece.span.line != first.span.line):
            first, depth = None, 0
            continue
        depth += piece.text.count("(") - piece.text.count(")")
        if first and depth <= 0:
            yield first, piece
        if depth <= 0:
            first, depth = None, 0
        elif first is None:
            first = piece
