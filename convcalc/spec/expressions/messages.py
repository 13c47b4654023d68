"""Messages about reserved and unknown names, and about unexpected tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convcalc.errors import did_you_mean, quoted
from convcalc.spec.expressions.errors import E_CALL, E_SYNTAX, E_UNKNOWN_NAME, ExpressionError, TextRange
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.lexer import END, Token
from convcalc.spec.expressions.operators import OPERATORS, PREFIX_PRECEDENCE
from convcalc.spec.expressions.vocabulary import FOREIGN_SPELLINGS, INPUT_VARIABLES, KEYWORDS, SUGGESTED_NAMES, choices


def is_misspelt_boolean(word: str) -> bool:
    """Whether a word is true or false with capitals, which YAML would take and expressions do not."""
    return word.lower() in {"true", "false"} and word not in KEYWORDS


def reserved_reason(name: str) -> str:
    """Return why no variable may bear a name, and a better one; nothing for a free name."""
    if name in INPUT_VARIABLES:
        return f"'{name}' always describes the tensor entering the item; call it {INPUT_VARIABLES[name]}"
    if is_misspelt_boolean(name):
        return f"'{name}' is a misspelt boolean; call it {SUGGESTED_NAMES[name.lower()]}"
    what = "function" if name in FUNCTIONS else "keyword" if name in KEYWORDS else ""
    return what and f"'{name}' is a {what}; call it {SUGGESTED_NAMES[name]}"


def unknown_name(name: str, place: TextRange, known: Iterable[str] = ()) -> ExpressionError:
    """Return the error about an unknown name, with the closest of all known words."""
    native = FOREIGN_SPELLINGS.get(name)
    guess = f"; did you mean '{native}'?" if native else did_you_mean(name, {*known, *choices(), *FUNCTIONS, *KEYWORDS})
    return ExpressionError(E_UNKNOWN_NAME, f"unknown name {quoted(name)}{guess}", *place)


def uncalled(name: str, start: int, end: int) -> ExpressionError:
    """Return the error about a function without its parentheses."""
    return ExpressionError(E_CALL, f"'{name}' is a function: write {FUNCTIONS[name].signature}", start, end)


CONDITIONAL = "write a if condition else b"


def missing_value(before: Token | None, token: Token) -> ExpressionError:
    """Return the error about a token where a value is expected, given the token before it."""
    if before and token.kind == END:
        return ExpressionError(E_SYNTAX, f"a value is missing after '{before.text}'", *before.place)
    if before and before.text in OPERATORS and token.text in OPERATORS:
        text = f"two operators in a row: '{before.text}' and '{token.text}'"
        hint = "put parentheses around the second and its value" if token.text in PREFIX_PRECEDENCE else ""
        return ExpressionError(E_SYNTAX, text, *token.place, hint)
    if token.text == "+":
        return ExpressionError(E_SYNTAX, "a value has no sign '+'", *token.place, "leave it out")
    return ExpressionError(E_SYNTAX, f"a value is missing before '{token.text}'", *token.place)


def unexpected_token(token: Token, text: str) -> ExpressionError:
    """Return the error about a token where an operator or the end of the text is expected."""
    if token.text == ",":
        sizes = [size.strip() for size in text.strip("() ").split(",")]
        shown = f": [{', '.join(sizes)}]" if all(re.fullmatch(r"[0-9][\w.]*", size) for size in sizes) else ""
        hint = f"a list is written in [ ]{shown}; inside {{ }} or [ ] a comma ends a value: quote the expression"
        return ExpressionError(E_SYNTAX, "an expression is one value, and ',' begins another", *token.place, hint)
    if token.text == "else":
        return ExpressionError(E_SYNTAX, "'else' without 'if'", *token.place, CONDITIONAL)
    return ExpressionError(E_SYNTAX, f"an operator is missing before {quoted(token.text)}", *token.place)


def not_a_function(word: str, place: TextRange) -> ExpressionError:
    """Return the error about something with several arguments that can only be an index."""
    guess = did_you_mean(word, FUNCTIONS)
    return ExpressionError(E_CALL, f"{quoted(word)} is not a function{guess or ', and a list takes one index'}", *place)
