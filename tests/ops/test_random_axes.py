"""Ops that reduce, repeat, cut, select, shift and pad axes against torch: every row of ``random_axes.json``."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from convcalc import ops
from convcalc.errors import SpecError
from convcalc.graph.builder import GraphBuilder
from tests.conftest import ROOT

ROWS: list[Any] = json.loads((ROOT / "tests" / "reference" / "random_axes.json").read_text("utf-8"))["rows"]


def leaving(kind: str, arguments: dict[str, Any], inputs: list[list[int]]) -> list[int] | str:
    """The shape that leaves the op, or the words of the error."""
    builder = GraphBuilder()
    entering = [builder.input(f"x{place}", shape) for place, shape in enumerate(inputs)]
    try:
        op = ops.make(kind, axes=len(inputs[0]) - 1, **arguments)
        return list(builder.shape(builder.add(kind, op, *entering)))
    except SpecError as error:
        return f"refused: {error}"


@pytest.mark.parametrize("kind", sorted({row[0] for row in ROWS}))
def test_as_torch_has_it(kind: str) -> None:
    """A tensor without axes has one of size 1 here."""
    compared = [(row, leaving(*row[:3])) for row in ROWS if row[0] == kind]
    differing = [
        (row, found)
        for row, found in compared
        if (not isinstance(found, str) if isinstance(row[3], str) else found != (row[3] or [1]))
    ]
    assert differing == []


def test_the_table_has_every_kind_taken_and_refused() -> None:
    taken = Counter(row[0] for row in ROWS if not isinstance(row[3], str))
    refused = Counter(row[0] for row in ROWS if isinstance(row[3], str))
    assert taken.keys() == refused.keys() == {"broadcast", "elementwise", "gather", "pad", "reduce", "roll", "split"}
    assert min(taken.values()) >= 60
    assert min(refused.values()) >= 4
