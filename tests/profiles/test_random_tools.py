"""Random single layers as other tools count them: ``random_tools.json`` and ``random_option_tools.json``."""

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

TABLES: list[dict[str, Any]] = [
    json.loads((ROOT / "tests" / "reference" / f"{name}.json").read_text("utf-8"))
    for name in ("random_tools", "random_option_tools")
]
KEYS: list[str] = TABLES[0]["columns"][4:]


class Row(NamedTuple):
    """A layer and what each tool prints for it; None where the tool fails."""

    torch: str
    inputs: list[list[int]]
    spec: str
    printed: dict[str, int | float | None]


@cache
def design(inputs: str, spec: str) -> Graph:
    return open_source(Source("row.yaml", f"inputs: {inputs}\nlayers:\n  - {spec}\n")).graph


KINDS: dict[str, list[Row]] = defaultdict(list)
for kind, torch, entering, spec, *cells in (row for table in TABLES for row in table["rows"]):
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
        inputs = ", ".join(f"{name}: {shape}" for name, shape in zip("xyz", row.inputs, strict=False))
        found = counted(design(f"{{{inputs}}}", row.spec), key)
        if row.printed[key] not in (None, found):
            differing.append((row.torch, row.inputs, row.spec, row.printed[key], found))
    assert differing == []


def test_every_profile_of_torch_has_its_column() -> None:
    """Those of other frameworks, of exporters and of forks are measured elsewhere."""
    assert sum(map(len, KINDS.values())) >= 700
    assert all(any(row.printed[key] for of in KINDS.values() for row in of) for key in KEYS)
