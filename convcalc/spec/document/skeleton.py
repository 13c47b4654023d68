"""Skeletons: specs that differ in numbers alone are read once, and their numbers are put in place.

A text is cut at its digits. What is between them is its skeleton. Of the digits, those of numbers in plain expressions,
of the network's name and of comments may differ; all others have to be the same: those in names of layers, in quotes,
in claims.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

import yaml

from convcalc.errors import Source, Span, SpecError
from convcalc.records import dataclass
from convcalc.spec.document.names import Template
from convcalc.spec.document.syntax_tree import (
    BlockCall,
    BlockDefinition,
    Document,
    Item,
    JoinItem,
    LayerItem,
    Repeat,
    SequenceItem,
)
from convcalc.spec.document.value_nodes import ValueNode
from convcalc.spec.expressions.errors import ExpressionError
from convcalc.spec.expressions.expression import Expression, parse
from convcalc.spec.expressions.lexer import NUMBER, tokenize
from convcalc.spec.yaml.nodes import LOADER

_DIGITS = re.compile("([0-9]+)")
_LINE_END = re.compile(r"\r\n|\r|\n")
_LEAVES = (Span, Source, SpecError, str, type)
"""Values that have no expressions inside."""
_TREE = (Document, BlockDefinition, Item, LayerItem, JoinItem, SequenceItem, BlockCall, Repeat)


def cut(text: str) -> tuple[str, list[str]]:
    r"""Return the skeleton of a text and its digits, in order.

    >>> cut("conv: [64, 3]  # 2nd")
    ('conv: [\x00, \x00]  # \x00nd', ['64', '3', '2'])
    """
    parts = _DIGITS.split(text)
    return "\0".join(parts[::2]), parts[1::2]  # the text of a spec has no control characters


@dataclass(slots=True, eq=False)
class _NumberSlot:
    """An expression whose digits are replaced; ``evaluate`` is that of the present one."""

    evaluate: Any
    text: str
    names: frozenset[str]
    pieces: list[str]
    """What is before, between and behind its digits."""
    place: slice
    """Its digits among those of the text."""

    def put(self, digits: list[str]) -> None:
        text = "".join(chain(*zip(self.pieces, (*digits, ""), strict=True)))
        self.evaluate = parse(text, self.names).evaluate


class Skeleton:
    """A document whose numbers can be replaced; its places are those of the text that it was read from."""

    def __init__(self, document: Document) -> None:
        """Make the numbers of a document replaceable: it has no imports, and nothing else may use it from now on."""
        self.document = document
        self._text = document.source.text
        self._digits = cut(self._text)[1]
        self._spans = [match.span() for match in _DIGITS.finditer(self._text)]
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(self._text))]
        self._slots: list[_NumberSlot] = []
        self._done: dict[int, tuple[object, object]] = {}
        """Identity of a value → it, so that it lives on, and what replaces it."""
        for section in (document.defaults, document.blocks):
            self._replaced(section)
        self._in_blocks = len(self._slots)
        self._with_slots(document)
        self._name = self._place_of_name()
        free = {at for slot in self._slots for at in range(slot.place.start, slot.place.stop)}
        free |= {*range(self._name.start, self._name.stop), *self._places_in_comments()}
        self._fixed = [at for at in range(len(self._digits)) if at not in free]

    @property
    def numbers_in_blocks(self) -> tuple[str, ...]:
        """The digits that blocks and defaults have now."""
        return tuple(chain(*(self._digits[slot.place] for slot in self._slots[: self._in_blocks])))

    def put(self, digits: list[str]) -> bool:
        """Replace the digits of the text by as many others; return whether these fit.

        Raises:
            ExpressionError: where they make no expression; the document is then of no more use.
        """
        before = self._digits
        if any(before[at] != digits[at] for at in self._fixed):
            return False
        for slot in self._slots:
            if before[slot.place] != (given := digits[slot.place]):
                slot.put(given)
        name = self.document.name
        if name is not None and before[self._name] != (given := digits[self._name]):
            pieces = _DIGITS.split(str(name.parts[0]))[::2]
            self.document.name = Template(("".join(chain(*zip(pieces, (*given, ""), strict=True))),), name.span)
        self._digits = digits
        return True

    # --- what can be replaced -----------------------------------------------------------------------------------------

    def _replaced(self, value: Any) -> Any:
        """Return a part of the document with slots in place of its numbers; what can be changed is."""
        if id(value) not in self._done:
            self._done[id(value)] = value, value
            self._done[id(value)] = value, self._with_slots(value)
        return self._done[id(value)][1]

    def _with_slots(self, value: Any) -> Any:
        if isinstance(value, ValueNode) and value.expression:
            return self._with_slot(value, value.expression)
        if isinstance(value, _LEAVES):
            return value
        if isinstance(value, tuple):
            parts = [self._replaced(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        if isinstance(value, list):
            value[:] = map(self._replaced, value)
        elif isinstance(value, dict):
            value.update({key: self._replaced(part) for key, part in value.items()})
        elif isinstance(value, _TREE) and not (isinstance(value, SequenceItem) and value.apart):  # numbered parts
            for name in value.__slots__:
                setattr(value, name, self._replaced(getattr(value, name)))
        return value

    def _with_slot(self, value: ValueNode, expression: Expression) -> ValueNode:
        """Return an expression as a slot, where it is plain text and has no digits but those of numbers."""
        start, text = self._offset(value.span), expression.text
        if not value.is_plain_scalar or expression.words or self._text[start : start + len(text)] != text:
            return value
        place = self._place(start, start + len(text))
        if place.start == place.stop or not _is_of_numbers(expression):
            return value
        slot = _NumberSlot(expression.evaluate, text, value.names, _DIGITS.split(text)[::2], place)
        self._slots.append(slot)
        return value._replace(expression=cast(Expression, slot))

    def _place_of_name(self) -> slice:
        """Return the digits of a network's name that is plain text."""
        name = self.document.name
        if name is None or not name.is_constant:
            return slice(0, 0)
        start, text = self._offset(name.span), str(name.parts[0])
        return self._place(start, start + len(text)) if self._text[start : start + len(text)] == text else slice(0, 0)

    def _places_in_comments(self) -> Iterator[int]:
        """Give the digits that are in no scalar."""
        events: Iterator[Any] = yaml.parse(self._text, Loader=LOADER)
        scalars = ((event.start_mark.index, event.end_mark.index) for event in events if hasattr(event, "value"))
        beyond = len(self._text) + 1, len(self._text) + 1
        start, end = next(scalars, beyond)
        for at, (first, last) in enumerate(self._spans):
            while end <= first:
                start, end = next(scalars, beyond)
            if last <= start:
                yield at

    def _offset(self, span: Span) -> int:
        return self._lines[span.line - 1] + span.column - 1

    def _place(self, start: int, end: int) -> slice:
        """Return the digits between two offsets."""
        return slice(*(bisect_left(self._spans, (offset, 0)) for offset in (start, end)))


def _is_of_numbers(expression: Expression) -> bool:
    """Whether all digits of an expression are in its numbers: those of names mean something else, as texts do."""
    try:
        tokens = tokenize(expression.text)
        constant = None if expression.names else expression.evaluate({})
    except ExpressionError:
        return False
    return not isinstance(constant, str) and not any(
        _DIGITS.search(token.text) for token in tokens if token.kind != NUMBER
    )
