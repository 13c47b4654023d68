"""NAS-Bench-201: the cells that torch has counted, and all that share an edge, in structural sweeps.

All 15,625 cells in one sweep: ``pytest tests/benchmarks/test_sweep.py``.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from convcalc.sweep.axes import read_axis
from convcalc.sweep.evaluator import BlockColumns, evaluate
from convcalc.sweep.grid import Block
from convcalc.sweep.job import SweepJob, make_job
from tests.conftest import ROOT

SPEC = ROOT / "tests" / "sweep" / "nasbench201.yaml"
FACTS = ROOT / "tests" / "reference" / "nasbench201.json"
EDGES, OPERATIONS = 6, 5


@pytest.fixture(scope="module")
def job() -> SweepJob:
    return make_job(str(SPEC), [read_axis(f"e{edge}=0..{OPERATIONS - 1}") for edge in range(EDGES)])


def part(job: SweepJob, *fixed: int) -> BlockColumns:
    """All cells whose first edges are these, worked out as a sweep would."""
    free = ((0, OPERATIONS),) * (EDGES - len(fixed))
    return evaluate(job, Block((*((edge, edge + 1) for edge in fixed), *free), (OPERATIONS,) * EDGES))


def test_cells_cost_what_torch_counts(job: SweepJob) -> None:
    cells = json.loads(FACTS.read_text())["cells"]
    assert len(cells) == 25
    for fact in cells:
        totals = {key: column.item() for key, column in part(job, *fact["cell"]).metrics.items()}
        assert totals == {"params": fact["params"], "macs": fact["macs"]}, fact["cell"]


def cost_is_a_sum_of_edges(columns: BlockColumns) -> None:
    """Operations cost the same on all six edges, so that a cell's cost is a sum of six."""
    assert columns.valid.all()
    assert columns.invalid == {}
    for totals in columns.metrics.values():
        edges = [place for place, size in enumerate(totals.shape) if size > 1]
        least = int(totals.ravel()[0])
        alone = np.moveaxis(totals, edges[0], -1).reshape(-1, OPERATIONS)[0] - least
        for place in np.ndindex(totals.shape):
            assert totals[place] == least + sum(int(alone[place[edge]]) for edge in edges)


def test_every_cell_costs_what_its_edges_cost(job: SweepJob) -> None:
    cost_is_a_sum_of_edges(part(job, 3, 4))
