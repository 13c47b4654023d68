"""Reports inside a page: every key of ``report --json``, with the layers as columns, which takes a quarter of the room.

A column is the list of its values, or ``{"pool": values, "at": places}`` where values are repeated; a layer without
the key has the place -1. Columns of objects are ``{"of": columns}``. What a layer reads are the distances to earlier
layers, or names of inputs; a name begins with so many characters of the one before as ``lead`` says. The function
``rebuilt`` of ``page.js`` is the way back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any

from convcalc.render.report.facts import plain, report_facts
from convcalc.report.report import Report


def packed_report(report: Report) -> dict[str, object]:
    """Return a report with its layers as columns."""
    facts: dict[str, Any] = report_facts(report)
    layers = [json.loads(_text(layer)) for layer in facts["layers"]]
    places: dict[str, int] = {}
    for place, layer in enumerate(layers):
        layer["inputs"] = [place - places[name] if name in places else name for name in layer["inputs"]]
        places[layer["name"]] = place
    for before, layer in list(pairwise(layers))[::-1]:
        pairs = zip(before["name"], layer["name"], strict=False)
        layer["lead"] = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        layer["name"] = layer["name"][layer["lead"] :]
    return {**facts, "layers": {"count": len(layers), **_columns(layers)["of"]}}


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return objects as columns, in the order in which keys come."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {"of": {key: _column([row.get(key, _MISSING) for row in rows]) for key in keys}}


_MISSING = object()


def _column(values: Sequence[Any]) -> Any:
    """Return the shorter one of a list and a pool."""
    if values and all(isinstance(value, Mapping) and value.keys() == values[0].keys() for value in values):
        columns = _columns(values)
        if len(_text(columns)) < len(_text(values)):
            return columns
    pool: dict[str, Any] = {}
    for value in values:
        if value is not _MISSING:
            pool.setdefault(_text(value), value)
    order = {text: place for place, text in enumerate(pool)}
    pooled = {
        "pool": list(pool.values()),
        "at": [-1 if value is _MISSING else order[_text(value)] for value in values],
    }
    missing = any(value is _MISSING for value in values)
    return pooled if missing or len(_text(pooled)) < len(_text(values)) else list(values)


def _text(value: object) -> str:
    return json.dumps(value, default=plain, separators=(",", ":"))
