"""Functions of torch that imported graphs hold: every row of ``tests/reference/imported_layers.json``."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.conftest import ROOT
from tests.ops.test_random_layers import Row, agrees, counted

TABLE = json.loads((ROOT / "tests" / "reference" / "imported_layers.json").read_text("utf-8"))
ROWS = [Row(kind, torch, entering, spec, measured) for kind, torch, entering, spec, *measured in TABLE["rows"]]


@pytest.mark.parametrize("kind", ["einsum", "sdpa", "pixels", "columns"])
def test_as_torch_has_it(kind: str) -> None:
    compared = [(row, counted(row)) for row in ROWS if row.kind == kind]
    assert [(row.torch, row.input, row.measured, found) for row, found in compared if not agrees(row, found)] == []


def test_the_table_has_enough_of_every_kind() -> None:
    """Both what torch takes and what it refuses."""
    for taken in (True, False):
        counts = Counter(row.kind for row in ROWS if row.refused != taken)
        assert min(counts[kind] for kind in ("einsum", "sdpa", "pixels", "columns")) >= 10
