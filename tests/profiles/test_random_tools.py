"""Random single layers as other tools count them: every cell of ``tests/reference/random_tools.json``."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple

import pytest

from convcalc import profiles
from convcalc.arith import Number
from convcalc.designs.sources import open_source
from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from tests.conftest import ROOT

TABLE: dict[str, Any] = json.loads((ROOT / "tests" / "reference" / "random_tools.json").read_text("utf-8"))
KEYS: list[str] = TABLE["columns"][4:]


class Row(NamedTuple):
    """A layer and what each tool prints for it; None where the tool fails."""

    torch: str
    input: list[int]
    spec: str
    printed: dict[str, int | float | None]


@cache
def design(entering: str, spec: str) -> Graph:
    return open_source(Source("row.yaml", f"input: {entering}\nlayers:\n  - {spec}\n")).graph


KINDS: dict[str, list[Row]] = defaultdict(list)
for kind, torch, (entering,), spec, *cells in TABLE["rows"]:
    KINDS[kind].append(Row(torch, entering, spec, dict(zip(KEYS, cells, strict=True))))


def counted(graph: Graph, key: str) -> Number | None:
    """What a profile says; None where it says that the tool has no number."""
    try:
        return profiles.total(graph, key)
    except SpecError as error:
        if error.code != "CC742":
            raise
        return None


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("kind", KINDS)
def test_as_the_tool_prints_it(kind: str, key: str) -> None:
    differing = []
    for row in KINDS[kind]:
        found = counted(design(str(row.input), row.spec), key)
        if row.printed[key] not in (None, found):
            differing.append((row.torch, row.input, row.spec, row.printed[key], found))
    assert differing == []


def test_every_profile_of_torch_has_its_column() -> None:
    """Those of other frameworks, of exporters and of forks are measured elsewhere."""
    assert sum(map(len, KINDS.values())) >= 500
    assert all(any(row.printed[key] for of in KINDS.values() for row in of) for key in KEYS)
