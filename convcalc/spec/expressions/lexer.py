"""Text of an expression → tokens; unknown characters and unbalanced brackets are errors here."""

from __future__ import annotations

import re
import unicodedata

from convcalc import quantities
from convcalc.errors import quoted
from convcalc.records import NamedTuple
from convcalc.spec.expressions.errors import E_BALANCE, E_CHARACTER, E_LIMIT, E_SYNTAX, ExpressionError, TextRange
from convcalc.spec.limits import DEEPEST_NESTING, LONGEST_TEXT

NUMBER, NAME, SIGN, END = "number", "name", "sign", "end"

_DIGITS = "0123456789"
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_APART = rf"{quantities.NUMBER}[ \t]+(?:(?:{quantities.SUFFIX})B?|B)(?!\w)"
_AMOUNT = rf"({quantities.DECIMAL})([A-Za-z]+?)B?"
_WORD = re.compile(r"[A-Za-z0-9_]*")
_WORD_OR_NUMBER = re.compile(r"[\w.]+")
_SIGN = re.compile(r"\*\*|//|[=!<>]=|[-+*/%<>()\[\],]")
BRACKETS = {"(": ")", "[": "]"}
_HINTS = {
    "=": "write == to compare", "!": "write not, or != to compare", "&": "write and", "|": "write or",
    "^": "write ** for a power", "~": "write none for nothing", "'": "words stand without quotes",
    '"': "words stand without quotes", "?": "write a if condition else b", ":": "write a if condition else b",
    "$": "variables stand without $ and braces", "×": "write *", "·": "write *", "÷": "write /", "−": "write -",
    "–": "write -", "≤": "write <=", "≥": "write >=", "≠": "write !=", "²": "write **2", "³": "write **3",
    "√": "write sqrt(x)",
}  # fmt: skip
"""Unknown character → hint."""

_ZEROS = {"k": "e3", "K": "e3", "M": "e6", "G": "e9", "T": "e12", "P": "e15"}
_MALFORMED = (
    (r"\.(?:inf|nan)", "expressions are finite", ""),
    (r"0[xob]\w*", "only decimal digits are read", ""),
    (r"[0-9][0-9._]*_[0-9._]*", "digits are not grouped", "leave out the _"),
    (r"\.([0-9]+)", "a decimal has a digit on both sides of its point", r"write 0.\1"),
    (r"([0-9]+)\.", "a decimal has a digit on both sides of its point", r"write \1.0"),
    (r"[0-9.]+e", "its exponent has no digits", ""),
    (r"([0-9]+)[xX]([0-9]+)[xX]([0-9]+)", "sizes stand in a list", r"write [\1, \2, \3]"),
    (r"([0-9]+)[xX]([0-9]+)", "sizes stand in a list", r"write [\1, \2]"),
    (r"([0-9.]+)([^\W\d]\w*)", "no letter may follow its digits", r"write \1*\2"),
    (r".*", "it is digits, or digits, a point and digits", ""),
)
"""Pattern of a malformed number → reason, hint."""

COMMA_TRAP = "inside { } or [ ] a comma ends a value; quote the expression"


class Token(NamedTuple):
    """A word of an expression; names are in their normal form (NFC)."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def place(self) -> TextRange:
        return self.start, self.end


def tokenize(text: str, *, suffixed: bool = False) -> list[Token]:
    """Return the tokens of an expression, ending with one of kind ``END``; numbers may be ``suffixed``: 5M, 2MiB."""
    if len(text) > LONGEST_TEXT:
        message = f"the expression has {len(text)} characters; the limit is {LONGEST_TEXT}"
        raise ExpressionError(E_LIMIT, message, 0, len(text))
    if text.isascii() and (text.isidentifier() or (text.isdecimal() and not suffixed)):  # half of all are one word
        kind, whole = NUMBER if text.isdecimal() else NAME, len(text)
        return [Token(kind, text, 0, whole), Token(END, "", whole, whole)]
    found: list[Token] = []
    at = _after(_SPACE, text, 0)
    while at < len(text):
        found.append(_token(text, at, suffixed=suffixed))
        at = _after(_SPACE, text, found[-1].end)
    if not found:
        raise ExpressionError(E_SYNTAX, "an expression is missing", 0, len(text))
    check_brackets(text, found)
    return [*found, Token(END, "", at, at)]


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a pattern that begins at a character ends; there, if it does not match."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _token(text: str, at: int, *, suffixed: bool) -> Token:
    character = text[at]
    if character.isalpha() or character == "_":
        return _name(text, at)
    if character in _DIGITS or character == ".":
        return _quantity(text, at) if suffixed else _number(text, at)
    end = _after(_SIGN, text, at)
    if end > at:
        return Token(SIGN, text[at:end], at, end)
    codepoint = "" if character.isascii() else f" (U+{ord(character):04X})"
    message = f"unknown character {quoted(character)}{codepoint}"
    raise ExpressionError(E_CHARACTER, message, at, at + 1, _HINTS.get(character, ""))


def _name(text: str, at: int) -> Token:
    end = _after(_WORD, text, at)
    while end < len(text) and (_in_name(text[end]) or unicodedata.category(text[end]).startswith("M")):
        end += 1
    if text[end : end + 1] == ".":
        end = _after(_WORD_OR_NUMBER, text, end)
        message = f"{quoted(text[at:end])} has a dot: expressions name variables, which have none"
        raise ExpressionError(E_CHARACTER, message, at, end, "pass what a block needs as its parameter")
    name = unicodedata.normalize("NFC", text[at:end])
    if not all(map(_in_name, name)):
        message = f"{quoted(name)} is not a name: a name holds letters, digits and _"
        raise ExpressionError(E_CHARACTER, message, at, end)
    return Token(NAME, name, at, end)


def _in_name(character: str) -> bool:
    return character.isalpha() or character.isdecimal() or character == "_"


def _number(text: str, at: int) -> Token:
    end = _after(_NUMBER, text, at)
    if end > at and not (text[end : end + 1] == "." or _in_name(text[end : end + 1])):
        return Token(NUMBER, text[at:end], at, end)
    end = _after(_WORD_OR_NUMBER, text, at)
    raise _malformed(text[at:end], at, end)


def _quantity(text: str, at: int) -> Token:
    """Return a number with the suffix behind it; a space between them is refused, for ``2 k`` may be meant as 2·k."""
    end = _after(re.compile(quantities.QUANTITY), text, at)
    if end > at and not (text[end : end + 1] == "." or _in_name(text[end : end + 1])):
        apart = re.compile(_APART).match(text, at)
        if not apart:
            return Token(NUMBER, text[at:end], at, end)
        end = apart.end()
        message = f"{quoted(apart[0])} is not a number: a suffix must follow its number directly"
    else:
        end = _after(_WORD_OR_NUMBER, text, at)
        message = f"{quoted(text[at:end])} is not a number with a suffix"
    near = quantities.intended_quantity(text[at:end])
    raise ExpressionError(E_CHARACTER, message, at, end, f"write {near}" if near else quantities.FORM)


def _malformed(number: str, start: int, end: int) -> ExpressionError:
    amount = re.fullmatch(_AMOUNT, number)
    if amount and amount[2] in quantities.SUFFIXES:
        digits, suffix = amount[1], amount[2]
        message = f"{quoted(number)} is not a number: no letter may follow its digits, and a spec has no suffixes"
        plain = f"{digits}{_ZEROS[suffix]}" if suffix in _ZEROS else f"{digits}*{quantities.SUFFIXES[suffix]}"
        raise ExpressionError(E_CHARACTER, message, start, end, f"write {plain}, or {digits}*{suffix} for a product")
    forms = ((re.fullmatch(form, number, re.IGNORECASE), reason, hint) for form, reason, hint in _MALFORMED)
    match, reason, hint = next(found for found in forms if found[0])
    message = f"{quoted(number)} is not a number: {reason}"
    return ExpressionError(E_CHARACTER, message, start, end, match.expand(hint) if match else "")


def check_brackets(text: str, found: list[Token]) -> None:
    """Demand that brackets pair, at most 64 deep, before anything reads them recursively."""
    opened: list[Token] = []
    for token in found:
        if token.kind != SIGN:
            continue
        if token.text in BRACKETS:
            opened.append(token)
            if len(opened) > DEEPEST_NESTING:
                message = f"parentheses and brackets are nested deeper than {DEEPEST_NESTING}, the limit"
                raise ExpressionError(E_LIMIT, message, token.start, token.end)
        elif token.text in BRACKETS.values():
            _require_pair(text, opened.pop() if opened else None, token)
    if opened:
        what, reason = ("parenthesis", COMMA_TRAP) if opened[-1].text == "(" else ("bracket", "'[' is never closed")
        raise ExpressionError(E_BALANCE, f"unbalanced {what} in {quoted(text.strip())}: {reason}", 0, len(text))


def _require_pair(text: str, opening: Token | None, closing: Token) -> None:
    what = "parenthesis" if closing.text == ")" else "bracket"
    if opening is None:
        message = f"unbalanced {what} in {quoted(text.strip())}: '{closing.text}' closes nothing"
        raise ExpressionError(E_BALANCE, message, closing.start, closing.end, COMMA_TRAP)
    if BRACKETS[opening.text] != closing.text:
        message = f"unbalanced {what}: '{closing.text}' cannot close '{opening.text}'"
        raise ExpressionError(E_BALANCE, message, closing.start, closing.end)
