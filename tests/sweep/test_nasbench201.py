"""NAS-Bench-201: all 15,625 cells in one structural sweep, against what torch counts."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from convcalc.sweep import Columns, evaluate, pieces, read_axis, space
from tests.conftest import ROOT

SPEC = ROOT / "tests" / "sweep" / "nasbench201.yaml"
FACTS = ROOT / "tests" / "reference" / "nasbench201.json"


@pytest.fixture(scope="module")
def priced() -> Columns:
    job = space(str(SPEC), [read_axis(f"e{edge}=0..4") for edge in range(6)])
    (piece,) = pieces(job.axes)
    begun = time.monotonic()
    columns = evaluate(job, piece)
    assert time.monotonic() - begun < 180  # a minute on a quiet core
    return columns


def test_cells_cost_what_torch_counts(priced: Columns) -> None:
    cells = json.loads(FACTS.read_text())["cells"]
    assert len(cells) == 25
    for fact in cells:
        place = tuple(fact["cell"])
        assert {key: priced.metrics[key][place] for key in ("params", "macs")} == {
            "params": fact["params"],
            "macs": fact["macs"],
        }, place


def test_every_cell_costs_what_its_edges_cost(priced: Columns) -> None:
    """Operations cost the same on all six edges, so that a cell's cost is a sum of six."""
    assert priced.valid.all()
    assert priced.dropped == {}
    for totals in priced.metrics.values():
        least = int(totals[0, 0, 0, 0, 0, 0])
        alone = [int(totals[operation, 0, 0, 0, 0, 0]) - least for operation in range(5)]
        for place in np.ndindex(totals.shape):
            assert totals[place] == least + sum(alone[operation] for operation in place)
