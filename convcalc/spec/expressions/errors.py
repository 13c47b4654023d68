"""What can be wrong with an expression.

====== =============================================================================
CC301  an expression is not well formed: a value, an operator or a comma is missing or too many
CC302  a parenthesis or bracket is not balanced
CC303  a character or a form of number that expressions do not have
CC304  a limit is exceeded: length, nesting, number, exponent, list
CC305  an unknown name
CC306  a value of the wrong kind: number, boolean, symbol, list
CC307  a division by zero
CC308  a function is called in a way it does not take
CC309  a list is indexed in a way it does not take
====== =============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from convcalc.records import dataclass

E_SYNTAX = "CC301"
E_BALANCE = "CC302"
E_CHARACTER = "CC303"
E_LIMIT = "CC304"
E_UNKNOWN_NAME = "CC305"
E_TYPE = "CC306"
E_ZERO_DIVISION = "CC307"
E_CALL = "CC308"
E_INDEX = "CC309"

Result = TypeVar("Result")

TextRange: TypeAlias = tuple[int, int]
"""Start and end (exclusive) of a part of an expression in its text."""


@dataclass(eq=False)
class ExpressionError(Exception):
    """An error in an expression: ``text`` is one sentence about the characters from ``start`` to before ``end``."""

    code: str
    text: str
    start: int
    end: int
    hint: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(eq=False)
class OperandError(Exception):
    """An error without a place: arithmetic knows only the operand to blame, from 1, or 0 for the operation itself."""

    code: str
    text: str
    operand: int = 0
    hint: str = ""

    def at(self, places: Sequence[TextRange]) -> ExpressionError:
        """Return the error at its place, given those of the operation and of its operands."""
        start, end = places[self.operand]
        return ExpressionError(self.code, self.text, start, end, self.hint)


def locate_errors(rule: Callable[[], Result], place: TextRange) -> Result:
    """Return the result of a rule; give an error of it this place."""
    try:
        return rule()
    except OperandError as error:
        raise error.at([place]) from None
