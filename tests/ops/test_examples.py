"""The examples in the docstrings of ops are true: run by the public interface, some also by the oracle."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.ops.registry import load_all
from tests.ops import oracle
from tests.ops.examples import EXAMPLES, Example
from tests.ops.oracle import Case, Counted


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.line)
def test_an_example_is_true(example: Example) -> None:
    report = convcalc.load(text=example.text).report()
    assert list(report.outputs.values()) == [example.output]
    assert (report.totals["params"], report.totals["macs"]) == (example.params, example.multiplies)
    assert report.warnings == ()


def test_every_op_has_an_example() -> None:
    assert {example.op.kind for example in EXAMPLES} == set(load_all())


BY_ORACLE = {
    "conv: {out: 8, kernel: 3} on": (
        oracle.convolved,
        Case((3, 32, 32), (3, 3), (1, 1), (1, 1), "valid", out=8),
    ),
    "conv: {out: 4, kernel: [1, 5], stride: 2, padding: same} on": (
        oracle.convolved,
        Case((6, 7, 9), (1, 5), (2, 2), (1, 1), "same", out=4),
    ),
    "conv: {out: 4, kernel: 3, groups: 2, bias: false} on": (
        oracle.convolved,
        Case((6, 7, 9), (3, 3), (1, 1), (1, 1), "valid", out=4, groups=2, bias=False),
    ),
    "conv: {out: 5, kernel: 5, weight_sharing: channels} on": (
        oracle.convolved,
        Case((20, 8, 9), (5, 5), (1, 1), (1, 1), "valid", out=5, shared=True),
    ),
    "dwconv: {kernel: 3, stride: 2, multiplier: 2, bias: false} on": (
        oracle.convolved,
        Case((4, 9, 9), (3, 3), (2, 2), (1, 1), "valid", out=8, groups=4, bias=False),
    ),
    "deconv: [16, 4, 2] on": (
        oracle.transposed,
        Case((8, 10, 10), (4, 4), (2, 2), (1, 1), "valid", out=16, output_padding=(0, 0)),
    ),
    "deconv: {out: 4, kernel: 3, stride: 2, padding: same} on": (
        oracle.transposed,
        Case((6, 5, 7), (3, 3), (2, 2), (1, 1), "same", out=4, output_padding=(0, 0)),
    ),
    "deconv: {out: 4, kernel: 3, padding: 1, groups: 2} on": (
        oracle.transposed,
        Case((6, 5, 7), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), out=4, groups=2, output_padding=(0, 0)),
    ),
    "deconv: {out: 2, kernel: 2, stride: 3, output_padding: 1} on": (
        oracle.transposed,
        Case((3, 4), (2,), (3,), (1,), "valid", out=2, output_padding=(1,)),
    ),
    "maxpool: {kernel: 3, stride: 2, ceil_mode: true} on": (
        oracle.pooled,
        Case((8, 8, 7), (3, 3), (2, 2), (1, 1), "valid", ceil_mode=True),
    ),
    "avgpool: 2 on": (
        oracle.pooled,
        Case((16, 10, 11), (2, 2), (2, 2), (1, 1), "valid"),
    ),
}


@pytest.mark.parametrize("start", BY_ORACLE)
def test_an_example_is_what_the_oracle_counts(start: str) -> None:
    (example,) = [example for example in EXAMPLES if example.line.startswith(start)]
    count, case = BY_ORACLE[start]
    assert count(case) == Counted(example.output, example.params, example.multiplies)
