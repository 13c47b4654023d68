"""Every error points into the text that it is about, and its code has a page."""

from __future__ import annotations

from convcalc.errors import SpecError, SpecErrors, format_errors
from convcalc.guide.pages import error_codes


def require_places(errors: SpecErrors, text: str) -> None:
    """Demand errors of a text alone, each in its place."""
    assert errors.errors
    assert format_errors(errors.errors) == str(errors)
    for error in errors.errors:
        require_place(error, text)


def require_place(error: SpecError, text: str) -> None:
    """Demand a sentence, a documented code and a place within the text."""
    span = error.span
    assert error.code in error_codes()
    assert span is not None
    assert error.text
    assert str(error).isprintable()
    if span.line:
        line = span.source.line(span.line)
        assert span.source.text in (text, text.removeprefix("\ufeff"))
        assert 1 <= span.column <= len(line) + 1
        assert span.extent >= 1
