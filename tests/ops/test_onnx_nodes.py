"""The node tests of the onnx package: the shapes of its arrays, and how many numbers its weights hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

import convcalc
from tests.conftest import ROOT

TABLE: dict[str, Any] = json.loads((ROOT / "tests" / "reference" / "onnx_nodes.json").read_text("utf-8"))
NAMES = "xyzuvw"


def written(entering: list[list[int]], items: str, outputs: int) -> str:
    """A row as a file; of several outputs each part has a name."""
    inputs = ", ".join(f"{name}: {shape}" for name, shape in zip(NAMES, entering, strict=False))
    text = f"inputs: {{{inputs}}}\nlayers:\n  - {items}\n"
    return text if outputs == 1 else f"{text}outputs: [{', '.join(f'part{number}' for number in range(outputs))}]\n"


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row[0])
def test_shapes(row: list[Any]) -> None:
    _, entering, items, leaving, params = row
    report = convcalc.load(text=written(entering, items, len(leaving))).report()
    assert [list(shape) for shape in report.outputs.values()] == leaving
    assert report.totals["params"] == params


def test_every_test_of_the_package_is_a_row_or_has_a_reason() -> None:
    """Tests without a word are counted by their operator, functions written out in many nodes together."""
    reasons = TABLE["unsaid"].values()
    without = sum(
        sum(of.values()) if isinstance(of, dict) else len(of) if isinstance(of, list) else of for of in reasons
    )
    assert len(TABLE["rows"]) + without == TABLE["tests"]
    assert len({row[0] for row in TABLE["rows"]}) == len(TABLE["rows"]) >= 750
