"""How operators bind, and what is said about a token that stands where it cannot."""

from __future__ import annotations

from enum import IntEnum, auto

from convcalc.errors import did_you_mean, quoted
from convcalc.spec.comparisons import COMPARISONS
from convcalc.spec.faults import CALL, SYNTAX, ExpressionError, Place
from convcalc.spec.functions import FUNCTIONS
from convcalc.spec.lexer import END, Token


class Level(IntEnum):
    """How tightly an operator binds: the ones further down bind tighter."""

    LOWEST = auto()
    IF = auto()
    OR = auto()
    AND = auto()
    NOT = auto()
    COMPARISON = auto()
    SUM = auto()
    PRODUCT = auto()
    MINUS = auto()
    POWER = auto()


LEVELS: dict[str, Level] = {
    "if": Level.IF,
    "or": Level.OR,
    "and": Level.AND,
    **dict.fromkeys(COMPARISONS, Level.COMPARISON),
    **dict.fromkeys("+-", Level.SUM),
    **dict.fromkeys(("*", "/", "//", "%"), Level.PRODUCT),
    "**": Level.POWER,
}
"""Operator between two operands → how tightly it binds."""

PREFIXES: dict[str, Level] = {"not": Level.NOT, "-": Level.MINUS}
"""Operator before its operand → how tightly it binds."""

BRACKETS = {"(": ")", "[": "]"}
OPERATORS = frozenset({*LEVELS, *PREFIXES, "else"})

CONDITIONAL = "write a if condition else b"


def missing_value(before: Token | None, token: Token) -> ExpressionError:
    """Return the error about a token that stands where a value should, given the one before it."""
    if before and token.kind == END:
        return ExpressionError(SYNTAX, f"a value is missing after '{before.text}'", *before.place)
    if before and before.text in OPERATORS and token.text in OPERATORS:
        text = f"two operators in a row: '{before.text}' and '{token.text}'"
        hint = "put parentheses around the second and its value" if token.text in PREFIXES else ""
        return ExpressionError(SYNTAX, text, *token.place, hint)
    if token.text == "+":
        return ExpressionError(SYNTAX, "a value has no sign '+'", *token.place, "leave it out")
    return ExpressionError(SYNTAX, f"a value is missing before '{token.text}'", *token.place)


def unexpected(token: Token) -> ExpressionError:
    """Return the error about a token that stands where an operator or the end should."""
    if token.text == ",":
        hint = "a list is written in [ ]; inside { } or [ ] a comma ends a value: quote the expression"
        return ExpressionError(SYNTAX, "an expression is one value, and ',' begins another", *token.place, hint)
    if token.text == "else":
        return ExpressionError(SYNTAX, "'else' without 'if'", *token.place, CONDITIONAL)
    return ExpressionError(SYNTAX, f"an operator is missing before {quoted(token.text)}", *token.place)


def no_else(start: Token) -> ExpressionError:
    """Return the error about an ``if`` that nothing answers."""
    return ExpressionError(SYNTAX, "'if' without 'else'", *start.place, CONDITIONAL)


def no_function(word: str, place: Place) -> ExpressionError:
    """Return the error about something with several arguments that can only be an index."""
    guess = did_you_mean(word, FUNCTIONS)
    return ExpressionError(CALL, f"{quoted(word)} is no function{guess or ', and a list takes one index'}", *place)
