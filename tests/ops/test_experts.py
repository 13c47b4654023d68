"""Experts, carried out row by row; and Mixtral, as transformers builds it."""

from __future__ import annotations

from itertools import product

import pytest

import convcalc

MIXTRAL = """\
input: [n]
vars: {n: 128, d: 4096}
blocks:
  Experts:
    - {linear: {out: 8, bias: false}, name: router}
    - {experts: {count: 8, top: 2, width: 14336, gated: true, router: router}, from: input}
layers:
  - embedding: [32000, d]
  - repeat: 32
    seq:
      - add: [identity, [norm: rms, attention: {heads: 32, kv_heads: 8, bias: false}]]
      - add: [identity, [norm: rms, Experts]]
  - [norm: rms, linear: {out: 32000, bias: false}]
"""


def test_mixtral() -> None:
    """What a module of transformers 5.24 on the meta device holds and multiplies for 128 tokens."""
    report = convcalc.load(text=MIXTRAL).report()
    assert (report.totals["params"], report.totals["macs"]) == (46_702_792_704, 1_636_114_104_320)
    assert report.warnings == ()


@pytest.mark.parametrize(("rows", "count", "top", "width", "gated", "bias", "batch"), [
    (3, 4, 2, 5, True, False, 1), (3, 4, 2, 5, False, True, 2), (1, 8, 2, 3, True, True, 1),
    (6, 3, 1, None, False, True, 1), (2, 9, 3, None, False, False, 2), (7, 2, 2, 4, True, False, 3),
])  # fmt: skip
def test_every_row_runs_through_some(
    rows: int, count: int, top: int, width: int | None, gated: bool, bias: bool, batch: int
) -> None:
    """Row r takes the experts r·top … in turn, so that as many as can be are read; each weight is named when it is."""
    entering, leaving = 2, 3
    first, second = [(1, entering, width or leaving)] * (1 + gated), [(2, width, leaving)] * (width is not None)
    matrices = [(number, *sizes[1:]) for number, sizes in enumerate(first + second)]
    held = {
        (expert, *cell)
        for expert in range(count)
        for number, inputs, outputs in matrices
        for cell in [*product((number,), range(inputs or 0), range(outputs))]
        + [(number, "bias", out) for out in range(outputs if bias else 0)]
    }
    made, read = 0, set()
    for row, choice in product(range(batch * rows), range(top)):
        for weight in held:
            if weight[0] == (row * top + choice) % count:
                read.add(weight)
                made += weight[2] != "bias"
    wide = "" if width is None else f"width: {width}, "
    options = f"count: {count}, top: {top}, {wide}gated: {gated}, bias: {bias}, out: {leaving}".lower()
    text = f"input: [{rows}, {entering}]\nlayers: [experts: {{{options}}}]\n"
    report = convcalc.load(text=text).report(batch=batch)
    assert report.totals["params"] == len(held)
    assert report.totals["macs"] == made
    moved = batch * rows * (entering + leaving) + len(read)
    assert report.totals["traffic_bytes"] == 4 * moved
