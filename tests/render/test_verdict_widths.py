"""The text of a check at every width: no line is wider, no number is cut, and in a pipe nothing is left out.

Errors of specs are shown as by every command: with the line of the file as it is.
"""

from __future__ import annotations

import re

import pytest

from convcalc.render.check.page import verdict_text
from convcalc.render.tables.characters import cells
from convcalc.render.tables.surface import Surface
from tests.render.verdicts import VERDICTS

WIDTHS = (30, 40, 60, 80, 100, 120, 200)
PLAIN = Surface()


def tables(text: str) -> list[str]:
    """The lines but those that quote a file, which are shown as they are."""
    lines = text.split("\n")
    quoted = {place + step for place, line in enumerate(lines) if re.fullmatch(r" *\^+", line) for step in (-1, 0)}
    return [line for place, line in enumerate(lines) if place not in quoted]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", VERDICTS)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for every in (False, True):
        for line in tables(
            verdict_text(VERDICTS[name]()._replace(errors=()), PLAIN._replace(width=width), every=every)
        ):
            assert cells(line) <= width, line


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", VERDICTS)
def test_every_value_and_limit_is_whole(name: str, width: int) -> None:
    text = verdict_text(VERDICTS[name]()._replace(errors=()), PLAIN._replace(width=width), every=True)
    shown = set(re.findall(r"\d[\d,]*\d|\d", text))
    for limit in VERDICTS[name]()._replace(errors=()).limits:
        for number in (limit.value, limit.limit):
            if number.denominator == 1 and limit.metric == limit.metric_label:
                assert f"{int(number):,}" in shown


@pytest.mark.parametrize("name", VERDICTS)
def test_a_pipe_leaves_nothing_out(name: str) -> None:
    assert "Not shown" not in verdict_text(VERDICTS[name]()._replace(errors=()), PLAIN)
