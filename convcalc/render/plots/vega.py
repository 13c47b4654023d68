"""The same pictures as charts of Vega-Lite 6: plain dictionaries with their data inside, for other tools to draw.

Source:
    Satyanarayan et al. (2017), Vega-Lite: A grammar of interactive graphics; its JSON schema is version 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from convcalc.render.pictures.bars import comparison_rows
from convcalc.render.pictures.labels import NAMES, PicturePart, parts_of
from convcalc.render.pictures.modules import COSTS, Module
from convcalc.render.pictures.palette import LIGHT, RAMP
from convcalc.render.pictures.scatter.drawing import Plan, Point
from convcalc.render.pictures.scatter.places import axis
from convcalc.render.pictures.skyline import activations_of, shown_layers
from convcalc.render.pictures.treemap import Box, cells
from convcalc.report.compare import Comparison
from convcalc.report.report import Report

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLORS = {"params": LIGHT["p"], "macs": LIGHT["m"], "output_elements": LIGHT["a"]}
SIDE = 400

Chart = dict[str, Any]


def _chart(description: str, rows: Iterable[Mapping[str, Any]], **content: Any) -> Chart:
    return {"$schema": SCHEMA, "description": description, "data": {"values": list(rows)}, **content}


def _field(name: str, kind: str, **more: Any) -> Chart:
    return {"field": name, "type": kind, **more}


def _rows(parts: Sequence[PicturePart]) -> list[Chart]:
    return [fact for place, part in enumerate(parts) for fact in _facts(place, part.label, part.paths, part)]


def _facts(place: int, name: str, path: str, part: PicturePart, **more: str) -> Iterator[Chart]:
    """Give the values of a part by metric."""
    for key in COSTS:
        yield {"order": place, "part": name, "path": path, **more, "metric": NAMES[key][1], "value": part.value(key),
               "counted": part.is_known(key)}  # fmt: skip


def bridge(root: Module) -> Chart:
    """Return two stacked bars: the share of each part."""
    rows = _rows(parts_of(root))
    return _chart(
        "Share of multiplies and of parameters of each part", rows, mark={"type": "bar", "tooltip": True}, width=160,
        height=SIDE,
        encoding={
            "x": _field("metric", "nominal", title=None),
            "y": _field("value", "quantitative", stack="normalize", title="share", axis={"format": "%"}),
            "color": _field("part", "nominal", sort=None, scale={"range": [LIGHT[f"q{step}"] for step in range(RAMP)]}),
            "order": _field("order", "quantitative", sort="descending"),
            "tooltip": [_field("path", "nominal"), _field("value", "quantitative", format=",")],
        },
    )  # fmt: skip


def bars(root: Module, depth: int | None = None) -> Chart:
    """Return bars, a column of them for each metric."""
    return _bars(_rows(parts_of(root, depth)), {})


def comparison_bars(comparison: Comparison) -> Chart:
    """Return bars, a column for each metric, with those of the designs beside each other."""
    found = [(place, part) for place, (_, parts) in enumerate(comparison_rows(comparison)) for part in parts]
    rows = [fact for place, part in found for fact in _facts(place, part.path, part.path, part, design=part.label)]
    return _bars(rows, {"yOffset": _field("design", "nominal", sort=None)}, "design")


def _bars(rows: Sequence[Chart], more: Chart, color: str = "metric") -> Chart:
    by_metric = {"domain": [NAMES[key][1] for key in COSTS], "range": [COLORS[key] for key in COSTS]}
    scale = {"scale": by_metric, "legend": None} if color == "metric" else {}
    return _chart(
        "Parameters and multiplies, part by part", rows, mark={"type": "bar", "tooltip": True}, width=SIDE // 2,
        encoding={
            "column": _field("metric", "nominal", title=None, sort=None),
            "y": _field("part", "nominal", title=None, sort={"field": "order", "op": "min"}),
            "x": _field("value", "quantitative", title=None, axis={"format": "~s"}),
            "color": _field(color, "nominal", sort=None, **scale), **more,
        },
        resolve={"scale": {"x": "independent"}},
    )  # fmt: skip


def skyline(root: Module, report: Report) -> Chart:
    """Return three rows of bars, a bar for each layer."""
    keys = ("macs", "params", "output_elements")
    activations = activations_of(report)
    rows = [
        {"layer": layer.path, "counted": layer.known, "macs": layer.value("macs"), "params": layer.value("params"),
         "output_elements": activations.get(layer.path, layer.value("output_elements"))}
        for layer in shown_layers(root)
    ]  # fmt: skip
    return _chart(
        "Cost of every layer, in the network's order", rows,
        vconcat=[
            {"width": 2 * SIDE, "height": 100, "mark": {"type": "bar", "color": COLORS[key]},
             "encoding": {
                 "x": _field("layer", "nominal", sort=None, title=None, axis={"labels": key == keys[-1]}),
                 "y": _field(key, "quantitative", title=NAMES[key][1], axis={"format": "~s"}),
                 "tooltip": [_field("layer", "nominal"), _field(key, "quantitative", format=",")],
             }}
            for key in keys
        ],
    )  # fmt: skip


def treemap(root: Module) -> Chart:
    """Return rectangles whose areas are parameters and whose colours are multiplies."""
    rows = list(_rectangles(root, "params", Box(0, 0, 1.4 * SIDE, SIDE), {}))
    return _areas("Area: parameters; colour: multiplies", rows, "macs", (1.4 * SIDE, SIDE))


def squares(designs: Sequence[tuple[str, Module]]) -> Chart:
    """Return a row of squares for each metric, to one scale."""
    charts = []
    for key in COSTS:
        largest = max((root.value(key) for _, root in designs), default=0)
        rows: list[Chart] = []
        x = 0.0
        for label, root in designs:
            side = SIDE / 2 * sqrt(root.value(key) / largest) if largest else 0.0
            rows += _rectangles(root, key, Box(x, SIDE / 2 - side, side, side), {"design": label})
            x += SIDE / 2 + 20
        chart = _areas(f"Area: {NAMES[key][1]}, to one scale", rows, key, (max(x, 1), SIDE / 2))
        charts.append({name: value for name, value in chart.items() if name != "$schema"} | {"title": NAMES[key][1]})
    return {"$schema": SCHEMA, "description": "Designs to one scale: equal areas are equal numbers", "vconcat": charts,
            "resolve": {"scale": {"color": "independent"}}}  # fmt: skip


def _rectangles(root: Module, area: str, box: Box, facts: Chart) -> Iterable[Chart]:
    for cell in cells(root, area, box, heads=False):
        if not cell.is_group:
            x, y, width, height = (round(edge, 2) for edge in cell.box)
            path = cell.modules[0].path if len(cell.modules) == 1 else f"{len(cell.modules)} others"
            yield {**facts, "path": path, "x": x, "y": y, "x2": round(x + width, 2), "y2": round(y + height, 2),
                   **{key: cell.value(key) for key in COSTS}}  # fmt: skip


def _areas(description: str, rows: Sequence[Chart], color: str, size: tuple[float, float]) -> Chart:
    width, height = size
    names = ["design", "path"] if rows and "design" in rows[0] else ["path"]
    scheme = "oranges" if color == "macs" else "blues"
    return _chart(
        description, rows, width=round(width), height=round(height),
        mark={"type": "rect", "stroke": LIGHT["ground"], "strokeWidth": 1},
        encoding={
            "x": _field("x", "quantitative", axis=None, scale={"domain": [0, width]}), "x2": {"field": "x2"},
            "y": _field("y", "quantitative", axis=None, scale={"domain": [0, height], "reverse": True}),
            "y2": {"field": "y2"},
            "color": _field(color, "quantitative", title=NAMES[color][1],
                            scale={"type": "sqrt", "scheme": scheme}, legend={"format": "~s"}),
            "tooltip": [*(_field(name, "nominal") for name in names), *(_field(key, "quantitative") for key in COSTS)],
        },
    )  # fmt: skip


def scatter(points: Sequence[Point], plan: Plan, color: str | None = None) -> Chart:
    """Return points with their names as tooltips, and the line of their front."""
    rows = [
        {"name": point.name, "x": point.x, "y": point.y, "front": point.on_front,
         **({"size": point.size} if plan.size else {}), **({"group": point.group} if color else {})}
        for point in points
    ]  # fmt: skip
    encoding = {
        key: _field(key, "quantitative", title=title, axis={"format": "~s"},
                    scale={"type": "log"} if axis(values, 0, 1, log).log else {"zero": False})
        for key, title, values, log in (
            ("x", plan.x, [point.x for point in points], plan.log_x),
            ("y", plan.y, [point.y for point in points], plan.log_y),
        )
    }  # fmt: skip
    shown: Chart = dict(encoding)
    shown["tooltip"] = [_field("name", "nominal"), _field("x", "quantitative", title=plan.x, format=","),
                        _field("y", "quantitative", title=plan.y, format=",")]  # fmt: skip
    shown["color"] = _field("group", "nominal", title=color) if color else {
        "condition": {"test": "datum.front", "value": COLORS["params"]}, "value": LIGHT["muted"],
    }  # fmt: skip
    if plan.size:
        shown["size"] = _field("size", "quantitative", title=plan.size)
    layers: list[Chart] = [{"mark": {"type": "point", "filled": True, "opacity": 0.7}, "encoding": shown}]
    if plan.line:
        step = "step-before" if plan.line[0] else "step-after"
        mark = {"type": "line", "interpolate": step, "color": COLORS["params"]}
        layers.insert(0, {"transform": [{"filter": "datum.front"}], "mark": mark, "encoding": dict(encoding)})
    names: Chart = {"type": "text", "align": "left", "dx": 7, "fontSize": 10}
    layers.append({"transform": [{"filter": "datum.front"}], "mark": names,
                   "encoding": {**encoding, "text": _field("name", "nominal")}})  # fmt: skip
    return _chart(f"{plan.y} against {plan.x}", rows, width=2 * SIDE, height=SIDE, layer=layers)
