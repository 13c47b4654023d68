"""Error messages for invalid YAML: PyYAML's errors, reworded, with hints on flow-style pitfalls.

libyaml and PyYAML's own parser word their complaints differently, but say the same by the parts that are looked for.
"""

from __future__ import annotations

import re

import yaml

from convcalc.errors import Source, Span, SpecError
from convcalc.records import NamedTuple


class _ErrorPattern(NamedTuple):
    """A parser's error (context, problem, text from there) and the message for it."""

    context: str
    problem: str
    rest: str
    message: str
    code: str = "CC101"
    at_start: bool = False
    """Whether the place to mend is where the reading began, and not where it failed."""
    before: str = ""
    """What must stand in the text before it."""
    open_bracket_above: bool = False
    """Whether it failed on a later line than that of the last bracket that is open."""


_ALIAS = "YAML alias not allowed (an expression cannot begin with '*': write 4*w; to reuse layers write a block)"
_ANCHOR = "YAML anchor not allowed; to reuse layers write a block"
_TAG = "YAML tags are not allowed; a text that begins with '!' is quoted"
_DIRECTIVE = "YAML directives are not allowed; leave the line with '%' out"
_SECOND = "a second document begins here; a spec is one document"
_CHOICE = "expressions choose by words: write a if condition else b"
_COMMENT = "behind ' #' the line is a comment, its brackets and commas too; quote a text that holds it"
_QUOTATION = "the quotation mark that opens here is never closed"
_BRACKET = "the bracket that opens here is never closed"
_ERROR_PATTERNS = (
    _ErrorPattern("alias", "", "", _ALIAS, "CC102", at_start=True),
    _ErrorPattern("anchor", "", "", _ANCHOR, "CC102", at_start=True),
    _ErrorPattern("tag", "", "", _TAG, "CC103", at_start=True),
    _ErrorPattern("", "tag handle", "", _TAG, "CC103"),
    _ErrorPattern("directive", "", "", _DIRECTIVE, "CC109", at_start=True),
    _ErrorPattern("", "incompatible YAML|directive", "", _DIRECTIVE, "CC109"),
    _ErrorPattern("", "document start", "", _SECOND, "CC107", before=r"^\.\.\."),
    _ErrorPattern("", "document start", "", "nothing can follow here: a spec is one mapping"),
    _ErrorPattern("quoted scalar", "end of stream|document separator", "", _QUOTATION, at_start=True),
    _ErrorPattern("flow", "", r"\Z", _BRACKET, at_start=True),
    _ErrorPattern("flow", "", r"- |:|\w+:(\s|\Z)", _BRACKET, at_start=True, open_bracket_above=True),
    _ErrorPattern("plain scalar", "unexpected ':'", "", "a ':' in { } or [ ] needs a space behind it"),
    _ErrorPattern(
        "flow", "", r"\[", "inside { } or [ ] a '[' breaks an expression: quote it, or write shape(0) for shape[0]"
    ),
    _ErrorPattern("flow node", "", ",", "a value is missing before ','"),
    _ErrorPattern("flow", "", ":", _CHOICE, before=r"\?[^,?\[\]{}]*\Z"),
    _ErrorPattern("flow", "", "", "a ',' or a closing bracket is missing before this"),
    _ErrorPattern("", "", r"\t", "a tab cannot indent; use spaces"),
    _ErrorPattern("", "start any token", "[@`%]", "a value cannot begin with this character; quote it"),
    _ErrorPattern("simple key", "", "", "a ':' is missing behind this", at_start=True),
    _ErrorPattern("", "mapping values", "", _CHOICE, before=r"\w \?[^,?\[\]{}\n]*\Z"),
    _ErrorPattern(
        "", "mapping values", "", "a ':' cannot stand here: quote the text, or put the mapping on lines of its own"
    ),
    _ErrorPattern("", "sequence entries", "", "a list with '-' begins on a line of its own"),
    _ErrorPattern("", "escape|hexdecimal|hexadecimal", "", "an unknown escape in double quotes"),
    _ErrorPattern("", "node content", r"[\]}]", "this bracket closes nothing"),
)
"""In order of priority: the first match is used."""


def yaml_error(source: Source, error: Exception, bracket: Span | None = None) -> SpecError:
    """Return the error about a text that the YAML parser gave up on; ``bracket`` is the last that is open."""
    problem, context = str(getattr(error, "problem", None) or ""), str(getattr(error, "context", None) or "")
    mark, start = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if not isinstance(error, yaml.YAMLError) or mark is None:
        return SpecError("CC101", f"not YAML: {error}", Span(source, 1, 1))
    line = source.line(mark.line + 1)
    rest = line[mark.column :] or ("" if mark.index >= len(source.text) else "\n")
    before, later = source.text[: mark.index], bool(bracket and bracket.line <= mark.line)
    for pattern in _ERROR_PATTERNS:
        fits_problem = re.search(pattern.context, context) and re.search(pattern.problem, problem)
        fits_text = re.search(pattern.before, before, re.MULTILINE) and re.match(pattern.rest, rest)
        if fits_problem and fits_text and later >= pattern.open_bracket_above:
            if bracket and pattern.message == _BRACKET:
                hidden = re.search(r"\s#", source.line(bracket.line)[bracket.column - 1 :])
                return SpecError(pattern.code, pattern.message, bracket, hint=_COMMENT if hidden else "")
            place = start if pattern.at_start and start else mark
            return SpecError(pattern.code, pattern.message, Span(source, place.line + 1, place.column + 1))
    return SpecError(
        "CC101", _misplaced_message(line[: mark.column], rest), Span(source, mark.line + 1, mark.column + 1)
    )


def _misplaced_message(before: str, rest: str) -> str:
    """Say what is wrong with something that continues nothing: its indentation, or that it stands behind a value."""
    if before.strip(" -"):
        return "nothing can follow here; quote the whole value"
    if rest.startswith(("- ", "-\n")) or rest == "-":
        return "a list item cannot stand here: its indentation is that of no list above"
    return "this cannot stand here: its indentation is that of no line above, or a '-' or a ':' is missing"
