"""From a table of results to a scatter plot: which columns, which axes, which front."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.batch.results import ResultTable, Value
from convcalc.designs.names import ZOO
from convcalc.errors import SpecError, quoted
from convcalc.metrics.registry import report_metrics
from convcalc.records import NamedTuple
from convcalc.render.pictures.labels import NAMES
from convcalc.render.pictures.scatter.drawing import MOST_COLORS, Labels, Plan, Point, front_of, scatter
from convcalc.render.plots import vega
from convcalc.render.plots.drawing import Drawing

_LARGER = re.compile(
    r"(?:^|[_ .-])(?:top[-_ ]?[15]|acc|accuracy|precision|recall|f1|m?ap\d*|m?iou|dice|auc|auroc|psnr|ssim|bleu|"
    r"rouge\w*|score|quality)(?:$|[_ .@%-])",
    re.IGNORECASE,
)
"""Columns whose larger values are better."""
_SMALLER = re.compile(
    r"(?:^|[_ .-])(?:\w*loss|err|error|error_rate|perplexity|ppl|wer|cer|fid|rmse|mse|mae|latency\w*)(?:$|[_ .@%-])",
    re.IGNORECASE,
)
"""Columns that are no metrics, and whose smaller values are better."""
LOGS: Mapping[str, tuple[bool | None, bool | None]] = {
    "auto": (None, None), "x": (True, False), "y": (False, True), "both": (True, True), "none": (False, False),
}  # fmt: skip


class ScatterOptions(NamedTuple):
    """What to draw of a table: columns, axes, front and labels."""

    x: str | None = None
    y: str | None = None
    size: str | None = None
    color: str | None = None
    log: str = "auto"
    pareto: tuple[str, ...] = ()
    """Columns of the front; of ``-KEY`` larger is better. Without any: the axes, if one is a quality."""
    labels: Labels = "auto"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics to count for it: the usual ones, and those of its columns that are metrics."""
        keys = [key.removeprefix("-") for key in (self.x, self.y, self.size, self.color, *self.pareto) if key]
        return tuple(dict.fromkeys(["params", "macs", *filter(_is_metric, keys)]))


def plot_results(results: ResultTable, options: ScatterOptions, width: float = 900, height: float = 560) -> Drawing:
    """Draw a table of results.

    Raises:
        SpecError: CC782, for a column that there is not, or that has texts or nothing where numbers are needed.
    """
    x, y = _axes(results, options)
    columns = {key: results.numbers(key) for key in dict.fromkeys(filter(None, (x, y, options.size)))}
    groups = _groups(results, options.color) if options.color else [""] * len(results.rows)
    names = names_of(results)
    keys = options.pareto or _usual_front(x, y)
    ranks = [[-value if value is not None and key.startswith("-") else value
              for value in results.numbers(key.removeprefix("-"))] for key in keys]  # fmt: skip
    whole = [place for place in range(len(names)) if columns[x][place] is not None and columns[y][place] is not None]
    if not whole:
        raise SpecError("CC782", f"no row has both {quoted(x)} and {quoted(y)}", results.places[0]._replace(line=0))
    logs = _logs(columns, (x, y), whole, options.log, results)
    ranked = [place for place in whole if all(rank[place] is not None for rank in ranks)] if ranks else []
    best = {ranked[place] for place in front_of([[rank[each] for rank in ranks] for each in ranked])}  # type: ignore[misc]
    points = [
        Point(names[place], columns[x][place], columns[y][place],  # type: ignore[arg-type] # none of them is missing
              columns[options.size][place] if options.size else None, groups[place],
              _title(names[place], results.rows[place]), place in best)
        for place in whole
    ]  # fmt: skip
    is_drawn = {key.removeprefix("-") for key in keys} == {x, y}
    line = (f"-{x}" in keys, f"-{y}" in keys) if is_drawn else None
    plan = Plan(_words(x), _words(y), _words(options.size or ""), *logs, options.labels, line)
    return Drawing(scatter(points, plan, width, height), vega.scatter(points, plan, options.color))


def _groups(results: ResultTable, column: str) -> list[str]:
    """Return the group of each row: its text, or, of many different numbers, the range that it is in."""
    results.require(column)
    texts = results.texts(column)
    if len(set(texts)) <= MOST_COLORS or not results.is_numeric(column):
        return texts
    values = results.numbers(column)
    ranked = sorted({value for value in values if value is not None})
    size = -(-len(ranked) // (MOST_COLORS - 1))
    ranges: dict[Value | None, str] = {None: ""}
    for start in range(0, len(ranked), size):
        part = ranked[start : start + size]
        name = f"{part[0]:,} … {part[-1]:,}" if len(part) > 1 else f"{part[0]:,}"
        ranges |= dict.fromkeys(part, name)
    return [ranges[value] for value in values]


def _axes(results: ResultTable, options: ScatterOptions) -> tuple[str, str]:
    """Return the columns of both axes: those named; parameters, and a quality or multiplies; the first with numbers."""
    if options.x and options.y:
        return options.x, options.y
    numeric = [key for key in results.columns if results.is_numeric(key)]
    quality = [key for key in numeric if is_quality(key)]
    for_y = [key for key in (*quality, "macs", *numeric) if key in numeric and key != options.x]
    y = options.y or (for_y[1] if for_y[:1] == ["params"] and len(for_y) > 1 else next(iter(for_y), None))
    x = options.x or next((key for key in ("params", "macs", *numeric) if key in numeric and key != y), None)
    if x is None or y is None:
        text, hint = "two columns with numbers are needed, one for each axis", f"columns: {', '.join(results.columns)}"
        raise SpecError("CC782", text, results.places[0]._replace(line=0), hint)
    return x, y


def is_quality(key: str) -> bool:
    """Whether a column is no cost, and larger values of it are better: ``top1``, ``val_accuracy``, ``mIoU``."""
    return _LARGER.search(key) is not None and not _is_metric(key)


def _is_metric(key: str) -> bool:
    return any(metric.key == key for metric in report_metrics())


def _usual_front(x: str, y: str) -> tuple[str, ...]:
    """Return the keys of the front that is drawn unasked: where an axis is a quality, and the other one or a cost."""
    judged = [is_quality(key) or (_SMALLER.search(key) is not None and not _is_metric(key)) for key in (x, y)]
    known = [each or _is_metric(key) for each, key in zip(judged, (x, y), strict=True)]
    if not any(judged) or not all(known):
        return ()
    return tuple(f"-{key}" if is_quality(key) else key for key in (x, y))


def _logs(
    columns: Mapping[str, Sequence[Value | None]],
    axes: Sequence[str],
    whole: Sequence[int],
    log: str,
    results: ResultTable,
) -> tuple[bool | None, bool | None]:
    """Return which axes are logarithmic.

    Raises:
        SpecError: CC782, where values of such an axis are not positive.
    """
    for key, wanted in zip(axes, LOGS[log], strict=True):
        for place in whole if wanted else ():
            value = columns[key][place]
            if value is not None and value <= 0:
                text = f"row {place + 1:,}, column {quoted(key)}: {value} has no place on a logarithmic axis"
                raise SpecError("CC782", text, results.places[place], "--log none, or --log of the other axis")
    return LOGS[log]


def _words(key: str) -> str:
    """Return a column in words."""
    titles = {metric.key: metric.title.lower() for metric in report_metrics()}
    return NAMES[key][1] if key in NAMES else titles.get(key, key)


def names_of(results: ResultTable) -> list[str]:
    """Return what points are called; ``≥`` marks one whose numbers are lower bounds, as ``batch`` notes."""
    marks = ("≥ " if "≥" in text else "" for text in results.texts("error"))
    return [f"{mark}{name}" for mark, name in zip(marks, _names(results), strict=True)]


def _names(results: ResultTable) -> list[str]:
    """Return the designs of rows, or their names, or what the axes of a sweep are set to."""
    for key in ("design", "name", "model"):
        if key in results.columns:
            return [text.removeprefix(ZOO) for text in results.texts(key)]
    texts = [key for key in results.columns if not results.is_numeric(key)]
    if texts:
        return results.texts(texts[0])
    axes = [key for key in results.columns if not _is_metric(key) and not is_quality(key)]
    columns = [[f"{key}={text}" for text in results.texts(key)] for key in axes]
    return [" ".join(texts) for texts in zip(*columns, strict=True)] if columns else [""] * len(results.rows)


def _title(name: str, row: Mapping[str, Any]) -> str:
    """Return all that is known of a point."""
    facts = [f"{key}: {value:,}" if isinstance(value, int) else f"{key}: {value}" for key, value in row.items()
             if value is not None and value != "" and key != "design"]  # fmt: skip
    return "\n".join([name, *facts])
