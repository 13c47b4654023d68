"""Reports and sweeps as data frames: the same integers, whatever their size."""

from __future__ import annotations

from typing import Any, Literal

import pytest

import convcalc
from convcalc import SpecErrors
from convcalc.extras import data_frame

Library = Literal["pandas", "polars"]
both = pytest.mark.parametrize("library", ["pandas", "polars"])


def column(frame: Any, name: str) -> list[Any]:
    values = frame[name]
    return values.to_list() if hasattr(values, "to_list") else list(values)


@both
def test_a_report_as_a_frame(library: Library) -> None:
    report = convcalc.load("zoo:resnet50").report(detailed=["receptive_field", "arithmetic_intensity"])
    frame = report.to_dataframe(library)
    assert len(frame) == len(report.rows)
    assert column(frame, "path") == [row.path for row in report.rows]
    assert [tuple(shape) for shape in column(frame, "output_shape")] == [row.output_shape for row in report.rows]
    assert sum(column(frame, "params")) == 25557032
    assert column(frame, "arithmetic_intensity") == [float(row.values["arithmetic_intensity"]) for row in report.rows]
    assert tuple(column(frame, "receptive_field")[0]) == (7, 7)


@both
def test_integers_stay_exact(library: Library) -> None:
    values = {"large": [2**63, 2**70, 1], "edge": [2**63 - 1, -(2**63), 0], "gaps": [2**53 + 1, None, 3]}
    frame = data_frame(values, library)
    assert column(frame, "large") == values["large"]
    assert column(frame, "edge") == values["edge"]
    first, gap, last = column(frame, "gaps")
    assert (int(first), int(last)) == (2**53 + 1, 3)
    assert str(gap) in {"None", "<NA>"}


@both
def test_columns_of_other_things(library: Library) -> None:
    values = {"none": [None, None], "mixed": [(1, None), "whole"], "word": ["a", "b"], "truth": [True, False]}
    frame = data_frame(values, library)
    assert [column(frame, name) for name in ("mixed", "word", "truth")] == [values["mixed"], ["a", "b"], [True, False]]
    assert all(value is None for value in column(frame, "none"))


@both
def test_a_sweep_as_a_frame(library: Library) -> None:
    table = convcalc.load("zoo:resnet18").sweep(classes=[10, 1000])
    frame = table.to_dataframe(library)
    assert list(frame.columns) == ["classes", "params", "macs"]
    assert column(frame, "params") == [11181642, 11689512]


@both
def test_a_library_that_is_not_installed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(SpecErrors, match=f"CC719: data frames need {library}, which is not installed") as caught:
        convcalc.load("zoo:lenet").report().to_dataframe(library)
    assert caught.value.errors[0].hint == "pip install 'convcalc[dataframe]'"
