"""One measured design, against arithmetic: every number once, of the whole, of parts and under conditions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from convcalc.designs.sources import open_source
from convcalc.errors import Source, SpecError
from convcalc.report import measurements
from convcalc.report.measurements import Conditions, DesignPart, Measurements
from convcalc.report.metrics import metric

NET = """
input: [3, 8, 8]
layers:
  - name: stem
    seq: [conv: [4, 3], relu]
  - name: head
    seq: [flatten, linear: 10]
"""
CONV = 4 * (3 * 3 * 3 + 1)
LINEAR = 10 * (4 * 6 * 6 + 1)
CONV_MACS = 4 * 6 * 6 * 3 * 3 * 3
LINEAR_MACS = 10 * 4 * 6 * 6


def measured(text: str = NET) -> Measurements:
    return open_source(Source("net.yaml", text)).measurements()


def test_totals_are_those_that_are_asked_for() -> None:
    assert measured().totals(("macs", "params")) == {"macs": CONV_MACS + LINEAR_MACS, "params": CONV + LINEAR}
    assert measured().totals()["params"] == CONV + LINEAR


def test_a_metric_is_worked_out_once_and_only_if_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()

    def counting(key: str, *more: Any) -> Any:
        read[key] += 1
        return metric(key, *more)

    monkeypatch.setattr(measurements, "metric", counting)
    design = measured()
    assert design.total("params") == sum(design.values("params")) == design.totals(("params",))["params"]
    assert read == {"params": 1}


def test_conditions_and_parts_are_kept() -> None:
    design, conditions = measured(), Conditions(batch=3, dtype="int8")
    other = design.with_conditions(conditions)
    assert other.totals(("macs", "weight_bytes")) == {"macs": 3 * (CONV_MACS + LINEAR_MACS),
                                                      "weight_bytes": CONV + LINEAR}  # fmt: skip
    assert design.with_conditions(conditions) is other
    assert other.with_conditions(conditions) is other
    assert other.part("stem").total("macs") == 3 * CONV_MACS
    assert other.part("stem") is other.part("stem")


def test_parts_are_layers_sums_and_groups() -> None:
    design = measured()
    parts = [DesignPart(), DesignPart("stem", (0, 1), is_group=True), DesignPart("", (0, 3)), DesignPart("", ())]
    assert design.values_of("params", parts) == [CONV + LINEAR, CONV, CONV + LINEAR, 0]
    assert [design.value_of("params", part) for part in parts] == [CONV + LINEAR, CONV, CONV + LINEAR, 0]
    assert design.value_of("depth", DesignPart("head", (2, 3), is_group=True)) == 1
    assert design.heaviest("params", parts[0]) == [3, 0]


def test_what_is_undefined_is_an_error_at_its_layer() -> None:
    design = measured()
    assert design.value_of("effective_stride", DesignPart(design.layers[0].path, (0,))) == 1
    with pytest.raises(SpecError, match="has no effective_stride") as caught:
        design.value_of("effective_stride", DesignPart(design.layers[3].path, (3,)))
    assert caught.value.code == "CC622"
    assert caught.value.span is not None
    assert caught.value.span.line == 7


def test_a_report_has_what_is_requested_and_nothing_else() -> None:
    plain, full = measured().report(), measured().report(("receptive_field", "fvcore", "peak"))
    assert [column.key for column in full.columns[len(plain.columns) :]] == ["receptive_field", "fvcore"]
    assert full.columns[-1].title == "fvcore"
    assert full.rows[0].values["receptive_field"] == (3, 3)
    assert full.totals["fvcore"] == CONV_MACS + LINEAR_MACS
    assert full.peak is not None
    assert (plain.peak, plain.misaligned, full.misaligned) == (None, None, ())
    tool = measured().report(("fvcore",))
    assert (tool.peak, tool.misaligned) == (None, None)
