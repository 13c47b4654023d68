"""What is said about a word: why no variable may bear it, and what an unknown one may have been meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convcalc.errors import did_you_mean, quoted
from convcalc.spec.expressions.errors import CALL, SYNTAX, UNKNOWN_NAME, ExpressionError, Place
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.lexer import END, Token
from convcalc.spec.expressions.operators import OPERATORS, PREFIXES
from convcalc.spec.expressions.vocabulary import ENTERING, HABITS, INSTEAD, KEYWORDS, SYMBOLS


def is_misspelt_boolean(word: str) -> bool:
    """Whether a word is true or false with capitals, which YAML would take and expressions do not."""
    return word.lower() in {"true", "false"} and word not in KEYWORDS


def reserved_reason(name: str) -> str:
    """Return why no variable may bear a name, and a better one; nothing for a free name."""
    if name in ENTERING:
        return f"'{name}' always describes the tensor entering the item; call it {ENTERING[name]}"
    if is_misspelt_boolean(name):
        return f"'{name}' is a misspelt boolean; call it {INSTEAD[name.lower()]}"
    what = "function" if name in FUNCTIONS else "keyword" if name in KEYWORDS else SYMBOLS.get(name)
    if what is None:
        return ""
    article = "an" if what[0] in "aeiou" else "a"
    return f"'{name}' is {article} {what}; call it {INSTEAD.get(name, f'use_{name}')}"


def unknown_name(name: str, place: Place, known: Iterable[str] = ()) -> ExpressionError:
    """Return the error about a name that nothing bears, with the nearest of all known words."""
    if name in HABITS:
        guess = f"; did you mean '{HABITS[name]}'?"
    else:
        guess = did_you_mean(name, {*known, *SYMBOLS, *FUNCTIONS, *KEYWORDS})
    return ExpressionError(UNKNOWN_NAME, f"unknown name {quoted(name)}{guess}", *place)


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


def unexpected(token: Token, text: str) -> ExpressionError:
    """Return the error about a token of a text that stands where an operator or the end should."""
    if token.text == ",":
        sizes = [size.strip() for size in text.strip("() ").split(",")]
        shown = f": [{', '.join(sizes)}]" if all(re.fullmatch(r"[0-9][\w.]*", size) for size in sizes) else ""
        hint = f"a list is written in [ ]{shown}; inside {{ }} or [ ] a comma ends a value: quote the expression"
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
