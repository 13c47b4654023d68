"""The YAML that is written: read again, it is what was to be written."""

from __future__ import annotations

from fractions import Fraction

import pytest
import yaml

from convcalc.recovery.structure.parameters import multiple
from convcalc.recovery.structure.unify import Column, First, column
from convcalc.recovery.writing.text import WIDTH, entries, fields, flow, fraction, scalar


@pytest.mark.parametrize(
    "value",
    ["conv1", "4*out", "-1", "a if b else c", "a: b", "x #y", "chw,hw->c", "[1]", "{a}", "- a", "&a", "*a", "!t", "'",
     '"', "", " a", "a ", "é", "?", ": ", "%", "@", "`", "|", ">", "null"],
)  # fmt: skip
def test_a_text_is_read_as_it_is(value: str) -> None:
    mapping, listed = (yaml.compose(text) for text in (f"{{key: {scalar(value)}}}", f"[{scalar(value)}]"))
    assert mapping is not None
    assert listed is not None
    assert mapping.value[0][1].value == value
    assert listed.value[0].value == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(1, 2), "0.5"), (Fraction(1, 5), "0.2"), (Fraction(-7, 8), "-0.875"), (Fraction(1, 3), "1/3"),
     (Fraction(10, 7), "10/7"), (Fraction(1, 1024), "0.0009765625"), (Fraction(123, 100), "1.23")],
)  # fmt: skip
def test_fractions(value: Fraction, text: str) -> None:
    assert fraction(value) == text
    assert Fraction(text) == value


def test_a_line_is_broken_at_its_outermost() -> None:
    item = {"add": ["identity", [{"conv": [64, 3]} for _ in range(12)]]}
    lines = list(entries([item], 2))
    assert lines[0] == "  - add:"
    assert lines[1] == "      - identity"
    assert max(map(len, lines)) <= WIDTH
    assert yaml.safe_load("\n".join(lines)) == [item]  # noqa: TID251 - what another reader makes of it


def test_fields_and_flow() -> None:
    mapping = {"name": "a, b", "repeat": {"n": list(range(60))}, "of": {"norm": None}}
    text = "\n".join(fields(mapping, 0))
    assert yaml.safe_load(text) == mapping  # noqa: TID251 - as above
    assert flow({"relu": None, "name": "x"}) == "{relu: , name: x}"


@pytest.mark.parametrize(
    ("known", "values", "text"),
    [((8, 16), (32, 64), "4*x"), ((8, 16), (4, 8), "x//2"), ((8, 16), (8, 17), ""), ((3, 5, 7), (6, 10, 14), "2*x"),
     ((96, 192, 384), (507, 1014, 2028), "169*x//32"), ((0, 8), (0, 16), ""), ((8, 16), (-8, -16), "")],
)  # fmt: skip
def test_multiples(known: tuple[int, ...], values: tuple[int, ...], text: str) -> None:
    assert multiple("x", known, values) == text
    if text:
        assert tuple(eval(text, {"x": x}) for x in known) == values  # noqa: S307 - of the texts above


def test_columns() -> None:
    assert column([3, 3]) == 3
    assert column([3, 4]) == Column((3, 4))
    assert column([1, True]) == Column((1, True)), "a flag is no number"
    assert isinstance(column([1, True]), Column)
    assert column([(1, 2), (1, 3)]) == (1, Column((2, 3)))
    assert column([First(2, 1), 1]) == First(Column((2, 1)), 1)
