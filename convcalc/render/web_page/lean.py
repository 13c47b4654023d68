"""Pictures and reports as a page has them: without what its table, its style sheet and its script have already.

A report has every key of ``report --json``, with the layers as columns, which takes an eighth of the room.

Layers that are equal but for their names are of one kind: ``kind`` has that of every layer, and ``kinds`` a column for
each key. A column is the list of its values, or ``{"pool": values, "at": places}`` where values are repeated; a kind
without the key has the place -1. Columns of objects are ``{"of": columns}``. What a layer reads are the distances to
earlier layers, or names of inputs; a name begins with so many characters of the one before as ``lead`` says. The
function ``rebuilt`` of ``page.js`` is the way back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from os.path import commonprefix
from typing import Any
from xml.etree.ElementTree import Element

from convcalc.render.pictures.svg import Picture, number
from convcalc.render.report.facts import plain, report_facts
from convcalc.report.report import Report

BARS = {"macs": "m", "params": "p", "activations": "a"}
"""Classes of bars → those of the page's style sheet."""
ROUND = {"tint": "6", "frame": "8"}
"""Classes of boxes → the radius of their corners that the style sheet of the page has."""


def fixed(picture: Picture) -> Element:
    """Return a picture in its own size, for a box that scrolls."""
    picture.root.set("width", number(picture.width))
    picture.root.set("height", number(picture.height))
    return picture.root


def lean_cells(picture: Picture) -> Element:
    """Return a treemap or a skyline without the titles of single modules, which the script makes of their rows.

    Bars, all of one width, are lines. The script makes the grounds of columns, which a pointer can hit.
    """
    _lean_boxes(picture.root)
    for group in picture.root.iter("g"):
        title = group.find("title")
        first, _, rest = (title.text or "").partition("\n") if title is not None else ("", "", "")
        if title is not None and first == group.get("data-at") and rest and not rest.startswith("the "):
            group.remove(title)
        for bar in group.findall("rect"):
            name = bar.get("class", "")
            if name == "hit":
                group.remove(bar)
            elif name in BARS:
                x, y, width, height = (float(bar.get(key, "")) for key in ("x", "y", "width", "height"))
                picture.root.set("stroke-width", number(width))
                bar.tag, bar.attrib = "path", {
                    "class": BARS[name], "d": f"M{number(x + width / 2)},{number(y)}v{number(height)}",
                }  # fmt: skip
    return picture.root


def _lean_boxes(root: Element) -> None:
    """Drop the tints of nothing, which boxes have by themselves, and what the style sheet of the page gives boxes."""
    for group in root.iter("g"):
        for key in ("data-p", "data-m", "data-a"):
            if group.get(key) == "0":
                del group.attrib[key]
        for box in group.findall("rect"):
            name = box.get("class", "").rpartition(" ")[2]
            if name in ROUND:
                box.set("class", name)
            if name in ROUND and box.get("rx") == ROUND[name]:
                del box.attrib["rx"]


def lean_graph(picture: Picture) -> Element:
    """Return a graph in its own size, whose titles have what its labels lack; frames of a single module have none.

    All of its lines are one.
    """
    _lean_boxes(picture.root)
    for group in picture.root.iter("g"):
        title = group.find("title")
        if title is not None and group.get("class") == "module" and " … " not in (title.text or ""):
            group.remove(title)
        elif title is not None:
            path, *others = (title.text or "").split("\n")
            title.text = "\n".join([path, *(value for value in others[1:3] if not value.startswith("0 "))])
    lines = picture.root.findall("path[@class='edge']")
    for line in lines[:1]:
        line.attrib = {"class": "edge", "d": "".join(each.get("d", "") for each in lines)}
    for line in lines[1:]:
        picture.root.remove(line)
    return fixed(picture)


# --- reports ----------------------------------------------------------------------------------------------------------


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
    leads = [len(commonprefix(pair)) for pair in pairwise(["", *names])]  # noqa: RUF071 - of names, letter by letter
    packed = {
        "count": len(kind), "name": _column([name[lead:] for name, lead in zip(names, leads, strict=True)]),
        "lead": _column(leads), "kind": kind, "kinds": _columns([json.loads(text) for text in kinds])["of"],
    }  # fmt: skip
    return {**facts, "layers": packed}


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
