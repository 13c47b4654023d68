"""Adaptive pools: shown as what they are, read as torch reads them, and never as one window with one step."""

from __future__ import annotations

from fractions import Fraction

import pytest

import convcalc
from convcalc.explain import explain
from convcalc.report.report import LayerRow

PLACES = [(5, 7), (10, 3), (10, 4), (7, 7), (6, 3), (9, 1), (3, 10)]


def row(kind: str, size: int, places: int) -> LayerRow:
    text = f"input: [2, {size}, {size}]\nlayers: [{kind}: {{out: {places}}}]\n"
    report = convcalc.load(text=text).report(detailed=("receptive_field", "effective_stride"))
    return report.rows[0]


@pytest.mark.parametrize("kind", ["avgpool", "maxpool"])
@pytest.mark.parametrize(("size", "places"), PLACES)
def test_a_row_says_the_size_to_reach(kind: str, size: int, places: int) -> None:
    found = row(kind, size, places)
    assert found.summary == f"adaptive, → {places}×{places}"
    assert found.attributes == {"out_size": (places, places), "ceil_mode": False, "global": False, "adaptive": True}


@pytest.mark.parametrize(("size", "places"), PLACES)
def test_the_field_is_the_largest_window_that_torch_reads(size: int, places: int) -> None:
    """Place i of o reads ⌊i·n/o⌋ … ⌈(i + 1)·n/o⌉ − 1 of n cells."""
    ends = [(place * size // places, -(-(place + 1) * size // places)) for place in range(places)]
    found = row("avgpool", size, places)
    largest, step = max(last - first for first, last in ends), Fraction(size, places)
    if places == 1:
        assert found.values["receptive_field"] == ("whole", "whole")
    else:
        assert found.values["receptive_field"] == (largest, largest)
        assert found.values["effective_stride"] == (step, step)


@pytest.mark.parametrize("kind", ["avgpool", "maxpool"])
def test_no_window_is_derived(kind: str) -> None:
    network = convcalc.load(text=f"input: [2, 5, 5]\nlayers: [{kind}: {{out: [7, 7]}}]\n")
    found = explain(network.network, f"{kind}1")
    assert found.summary == "adaptive, → 7×7"
    assert found.sizes == ()
    assert [metric.steps for metric in found.metrics if metric.column.key in ("receptive_field", "offset")] == [(), ()]


def test_what_follows_reads_its_cells() -> None:
    """A 3×3 window on 7 places of 5 cells: places 0 … 2 read cells 0 … 2, 1 … 3 read 0 … 2, 2 … 4 read 1 … 3."""
    text = "input: [2, 5, 5]\nlayers: [avgpool: {out: 7}, conv: [2, 3]]\n"
    report = convcalc.load(text=text).report(detailed=("receptive_field",))
    spans = [(first * 5 // 7, -(-(first + 3) * 5 // 7)) for first in range(5)]
    assert report.rows[-1].values["receptive_field"] == (max(last - first for first, last in spans),) * 2
