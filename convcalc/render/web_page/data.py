"""Reports inside a page: every key of ``report --json``, with the layers as columns, which takes an eighth of the room.

Layers that are equal but for their names are of one kind: ``kind`` has that of every layer, and ``kinds`` a column for
each key. A column is the list of its values, or ``{"pool": values, "at": places}`` where values are repeated; a kind
without the key has the place -1. Columns of objects are ``{"of": columns}``. What a layer reads are the distances to
earlier layers, or names of inputs; a name begins with so many characters of the one before as ``lead`` says. The
function ``rebuilt`` of ``page.js`` is the way back.
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
    names: list[str] = []
    places: dict[str, int] = {}
    kinds: dict[str, int] = {}
    kind: list[int] = []
    for place, layer in enumerate(facts["layers"]):
        inputs = [place - places[name] if name in places else name for name in layer["inputs"]]
        names.append(layer["name"])
        places[layer["name"]] = place
        rest = {key: value for key, value in layer.items() if key != "name"}
        kind.append(kinds.setdefault(_text({**rest, "inputs": inputs}), len(kinds)))
    leads = [_lead(*pair) for pair in pairwise(["", *names])]
    packed = {
        "count": len(kind), "name": _column([name[lead:] for name, lead in zip(names, leads, strict=True)]),
        "lead": _column(leads), "kind": kind, "kinds": _columns([json.loads(text) for text in kinds])["of"],
    }  # fmt: skip
    return {**facts, "layers": packed}


def _lead(before: str, name: str) -> int:
    """Return how many characters of a name are those of the one before."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, name, strict=False)))


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
    texts = ["" if value is _MISSING else _text(value) for value in values]
    pool = {text: value for text, value in zip(texts, values, strict=True) if text}
    order = {text: place for place, text in enumerate(pool)} | {"": -1}
    pooled = {"pool": list(pool.values()), "at": [order[text] for text in texts]}
    return pooled if "" in texts or len(_text(pooled)) < len(_text(values)) else list(values)


def _text(value: object) -> str:
    return json.dumps(value, default=plain, separators=(",", ":"))
