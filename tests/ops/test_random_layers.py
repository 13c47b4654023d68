"""Random layers and networks against torch: every row of ``random_layers.json`` and ``imported_layers.json``.

What torch builds and runs must be counted as torch has it. What torch refuses must be refused, or come with a warning.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import convcalc
from convcalc.errors import SpecErrors
from tests.conftest import ROOT

TABLES: list[dict[str, Any]] = [
    json.loads((ROOT / "tests" / "reference" / f"{name}_layers.json").read_text("utf-8"))
    for name in ("random", "imported")
]
NAMES = ("x", "y", "z")


class Row(NamedTuple):
    """What was measured: the numbers, or the words with which torch refuses."""

    kind: str
    torch: str
    input: list[list[int]]
    spec: str
    measured: list[Any]

    @property
    def refused(self) -> bool:
        return isinstance(self.measured[0], str)


def rows() -> Iterator[Row]:
    for kind, torch, entering, spec, *measured in (row for table in TABLES for row in table["rows"]):
        yield Row(kind, torch, entering, spec, measured)


KINDS: dict[str, list[Row]] = defaultdict(list)
for one in rows():
    KINDS[one.kind].append(one)


def written(row: Row) -> str:
    """The row as a file."""
    inputs = ", ".join(f"{name}: {shape}" for name, shape in zip(NAMES, row.input, strict=False))
    return f"inputs: {{{inputs}}}\nlayers:\n  - {row.spec}\n"


def counted(row: Row) -> list[Any]:
    """Params, buffers, multiplies and the shape of the output, or the words of an error or a warning."""
    try:
        report = convcalc.load(text=written(row)).report()
    except SpecErrors as wrong:
        return [f"refused: {wrong.errors[0]}"]
    if report.warnings:
        return [f"warned: {warning}" for warning in report.warnings]
    (shape,) = report.outputs.values()
    return [*(report.totals[name] for name in ("params", "buffers", "macs")), list(shape)]


def agrees(row: Row, found: list[Any]) -> bool:
    return isinstance(found[0], str) if row.refused else found == row.measured


@pytest.mark.parametrize("kind", KINDS)
def test_as_torch_has_it(kind: str) -> None:
    compared = [(row, counted(row)) for row in KINDS[kind]]
    differing = [
        (row.torch, row.input, row.spec, row.measured, found) for row, found in compared if not agrees(row, found)
    ]
    assert differing == []


def test_the_table_is_large_and_of_every_kind() -> None:
    whole = list(rows())
    refused = sum(row.refused for row in whole)
    assert len(whole) >= 4000
    assert 0.05 < refused / len(whole) < 0.3, "both what torch takes and what it refuses"
    assert all(sum(not row.refused for row in of) >= 10 for of in KINDS.values())
