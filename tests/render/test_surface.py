"""What a stream can show: width, colour, characters."""

from __future__ import annotations

import io
import os
import pty

import pytest

from convcalc.render.tables.rich_console import console
from convcalc.render.tables.surface import Surface, surface


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal, of no known size."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True


PIPE = io.StringIO()


@pytest.mark.parametrize(
    ("stream", "color", "environ", "expected"),
    [
        (Terminal(), "auto", {}, True),
        (Terminal(), "auto", {"TERM": "dumb"}, False),
        (Terminal(), "auto", {"NO_COLOR": "1"}, False),
        (Terminal(), "auto", {"NO_COLOR": ""}, True),
        (Terminal(), "auto", {"FORCE_COLOR": "0"}, False),
        (Terminal(), "always", {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (Terminal(), "never", {"FORCE_COLOR": "1"}, False),
        (PIPE, "auto", {}, False),
        (PIPE, "auto", {"FORCE_COLOR": "1"}, True),
        (PIPE, "auto", {"FORCE_COLOR": "3", "TERM": "dumb"}, True),
        (PIPE, "auto", {"FORCE_COLOR": "0"}, False),
        (PIPE, "auto", {"FORCE_COLOR": ""}, False),
        (PIPE, "auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (PIPE, "always", {}, True),
    ],
)
def test_color(stream: io.TextIOBase, color: str, environ: dict[str, str], expected: bool) -> None:
    assert surface(stream, color=color, environ=environ).color is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stream", "width", "environ", "expected"),
    [
        (PIPE, None, {"COLUMNS": "50"}, None),  # a pipe is never cut
        (PIPE, 60, {}, 60),
        (Terminal(), None, {"COLUMNS": "50"}, 50),
        (Terminal(), None, {"COLUMNS": "wide"}, 80),
        (Terminal(), None, {"COLUMNS": "0"}, 80),
        (Terminal(), 120, {"COLUMNS": "50"}, 120),
        (Terminal(), 1, {}, 30),
    ],
)
def test_width(stream: io.TextIOBase, width: int | None, environ: dict[str, str], expected: int | None) -> None:
    assert surface(stream, width=width, environ=environ).width == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "ascii_only"), [("utf-8", False), ("ascii", True), ("latin-1", True), ("cp1252", True)]
)
def test_characters(encoding: str, ascii_only: bool) -> None:
    assert surface(Terminal(encoding), environ={}).ascii_only is ascii_only


def test_a_real_terminal_is_measured() -> None:
    leader, follower = pty.openpty()
    try:
        with os.fdopen(follower, "w", encoding="utf-8") as stream:
            assert surface(stream, environ={}) == Surface(80, color=True)  # a new pty has no size
    finally:
        os.close(leader)


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert surface(stream, environ={}) == Surface()


def test_the_console_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "0")
    for color in ("always", "never"):
        stream = io.StringIO()
        console(stream, color=color, width=60).print("x" * 50, style="bold")
        assert ("\x1b[1m" in stream.getvalue()) is (color == "always")
        assert stream.getvalue().count("\n") == 1
    assert console(io.StringIO(), width=60).width == 60
    assert console(io.StringIO()).width > 1000
