"""A report as it is asked for: folded by path, op or block, sorted, cut to the first rows, with the chosen columns.

Everything here is data: a format decides how a line looks, never which lines there are or what they add up to. Whatever
is folded or cut, the lines of an additive column add up to its total.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from convcalc.metrics.metric import Metric
from convcalc.records import NamedTuple
from convcalc.report.drawn import UnknownNameError, unknown
from convcalc.report.report import Report

DEFAULT_COLUMNS = ("params", "macs")

MAIN = ("params", "macs", "weight_bytes", "peak_activation_bytes", "depth")
"""The totals that people ask for."""

SPECIAL = {"active_params": "params", "seen_macs": "macs", "cache_bytes": "", "inference_bytes": ""}
"""Totals of interest in some networks: metric → the one that it equals in others, or an empty text if it is 0 there."""
WITH_CACHE = {"inference_bytes": "cache_bytes"}
"""Totals of interest where another metric is."""

TEXT_SORT_KEYS = ("path", "op")

GROUPINGS = ("layer", "op", "block")

INTENSITY = "arithmetic_intensity"
OF_INTENSITY = ("traffic_bytes", "flops")
"""What it is the ratio of."""

MIXED_WORD = "mixed"

FUSED = {"norm", "act"}
"""Segments under which a layer's fused parts stand, as children of its path."""


def is_informative(key: str, values: Mapping[str, Any]) -> bool:
    """Whether the value of a metric does not follow from those of others, given the values of all."""
    key = WITH_CACHE.get(key, key)
    usual = values.get(SPECIAL.get(key, ""), 0)
    return key not in SPECIAL or values.get(key, usual) != usual


class TableOptions(NamedTuple):
    """How a report is looked at: the options ``--depth``, ``--by``, ``--sort``, ``--top`` and ``--columns``."""

    depth: int | None = None
    """Fold rows to the first so many segments of their path."""
    by: str = "layer"
    """``layer``, ``op`` (one line a kind) or ``block`` (one line an enclosing scope)."""
    sort: str | None = None
    """A metric, largest first, or ``path`` or ``op`` in alphabetical order; nothing keeps the network's order."""
    top: int | None = None
    """Keep so many lines (the largest by ``sort``, or by the first column) and sum the others in one more."""
    columns: tuple[str, ...] | None = None
    """Keys of the metrics to show; nothing means params and multiplies, or all of them in machine formats."""
    more: tuple[str, ...] = ()
    """Keys of metrics to show behind those."""
    totals: tuple[str, ...] = ()
    """Keys of metrics whose totals are shown, beside the main ones and those of the columns."""
    every: bool = False
    """Whether all totals are shown."""
    falling: bool | None = None
    """Whether ``sort`` begins with the largest, or the last in alphabetical order; nothing means as said there."""
    repeats: bool = False
    """Whether equal neighbours are shown one by one; otherwise they are one row where people read a tree."""

    def shows_total(self, key: str, totals: Mapping[str, Any] = MappingProxyType({})) -> bool:
        """Whether people see the total of a metric, given those of all: of a special one where it is of interest."""
        asked = key in (*MAIN, *(self.columns or ()), *self.more, *self.totals)
        return asked or (is_informative(key, totals) if key in SPECIAL and totals else self.every)

    def needs_total(self, key: str, totals: Mapping[str, Any]) -> bool:
        """Whether people see the total of a metric, or it decides what they see, given those of metrics before it."""
        asked = {*(self.columns or ()), *self.more, *self.totals, self.sort}
        if key in SPECIAL:
            return key in asked or self.every or key not in WITH_CACHE or totals[WITH_CACHE[key]] != 0
        return key in asked or self.shows_total(key) or (INTENSITY in asked and key in OF_INTENSITY)

    def needs_layers(self, key: str) -> bool:
        """Whether people see a metric of layers, or it decides what they see of them."""
        shown = (*(DEFAULT_COLUMNS if self.columns is None else self.columns), *self.more, self.sort)
        return key in shown or (INTENSITY in shown and key in OF_INTENSITY)

    def hides_total(self, key: str, totals: Mapping[str, Any]) -> bool:
        """Whether there is more to see in the total of a metric, which is not shown."""
        return key not in SPECIAL and not self.shows_total(key, totals)


class FoldedRow(NamedTuple):
    """A layer, or several folded into one: then ``op`` is empty unless they are one layer and its fused ``parts``."""

    path: str
    op: str
    summary: str
    layers: int
    output_shape: tuple[int, ...]
    values: Mapping[str, Any]
    tied_to: str | None = None
    parts: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    """The metrics in which some layer in it is not known."""


class FoldedReport(NamedTuple):
    """The lines of a report under a view. ``remainder`` sums what ``--top`` left out."""

    report: Report
    columns: tuple[Metric, ...]
    lines: Sequence[FoldedRow]
    remainder: FoldedRow | None = None
    in_network_order: bool = True
    """Whether the lines stand in the network's order, so that they can be drawn as a tree of paths."""
    group_by: str = "layer"
    hidden_rows: Sequence[FoldedRow] = ()
    """The lines that ``remainder`` sums."""

    def largest(self, key: str) -> int:
        """Return the greatest value of any line, shown or not: what bars are drawn against."""
        return max([line.values.get(key, 0) for lines in (self.lines, self.hidden_rows) for line in lines], default=0)

    def share(self, key: str, value: int) -> int:
        """Return the part of the total that a value is, in thousandths, rounded half up."""
        total = self.report.totals.get(key) or 0
        return (2000 * value + total) // (2 * total) if total else 0

    @property
    def layers(self) -> int:
        return len(self.report.rows)


def fold_report(report: Report, view: TableOptions, default: Sequence[str] | None = DEFAULT_COLUMNS) -> FoldedReport:
    """Return the lines and columns of a report under a view; ``default`` are the columns when the view names none.

    Raises:
        UnknownNameError: for a column, sort key or grouping that the report does not have.
    """
    columns = select_columns(report, view.columns, default, view.more)
    if view.by not in GROUPINGS:
        raise unknown("grouping", view.by, GROUPINGS)
    lines = _grouped(report, view)
    sort = view.sort or (columns[0].key if view.top is not None and columns else None)
    if sort:
        lines = _sorted(lines, sort, report, falling=view.falling)
    rest = None
    cut: Sequence[FoldedRow] = ()
    if view.top is not None and view.top < len(lines):
        lines, cut = lines[: view.top], lines[view.top :]
        rest = _sum_rows("", cut, _folding(report), by_path=False)
    return FoldedReport(report, columns, lines, rest, not sort and view.by == "layer", view.by, cut)


def select_columns(
    report: Report, keys: Sequence[str] | None, default: Sequence[str] | None, more: Sequence[str] = ()
) -> tuple[Metric, ...]:
    """Return the columns that layers have: those named, or the default ones, or all that are sums; then ``more``."""
    sums = _additive(report)
    known = {**sums, **{column.key: column for column in report.columns if column.per_layer}}
    whole = {column.key for column in report.columns} - known.keys()
    for key in (*(keys or ()), *more):
        if key in whole:
            raise UnknownNameError(f"{key} is not additive: it is shown in the totals, not as a column")
        if key not in known:
            raise unknown("column", key, known)
    usual = [key for key in default or () if key in known] or sums if keys is None else keys
    return tuple(known[key] for key in dict.fromkeys((*usual, *more)))


def _sorted(lines: Sequence[FoldedRow], key: str, report: Report, *, falling: bool | None) -> list[FoldedRow]:
    if key == "path":
        return sorted(lines, key=lambda line: line.path, reverse=bool(falling))
    if key == "op":
        return sorted(lines, key=lambda line: line.op or line.path, reverse=bool(falling))
    if key not in (known := [column.key for column in report.columns if column.is_additive or column.per_layer]):
        raise unknown("sort key", key, [*known, *TEXT_SORT_KEYS])
    ranked = sorted(lines, key=lambda line: _rank(line.values.get(key, 0)), reverse=falling is not False)
    return sorted(ranked, key=lambda line: not any(_rank(line.values.get(key, 0))[:2]))


def _rank(value: Any) -> tuple[bool, bool, Any]:
    """Sort values of an axis each by the largest, below a mark for everything; what is not known comes last."""
    parts = value if isinstance(value, tuple) else (value,)
    numbers = [part for part in parts if part is not None and not isinstance(part, str)]
    return any(isinstance(part, str) for part in parts), bool(numbers), max(numbers, default=0)


# --- folding ----------------------------------------------------------------------------------------------------------


def _grouped(report: Report, view: TableOptions) -> list[FoldedRow]:
    lines = _lines(report)
    if view.by == "layer" and view.depth is None:
        return lines
    keys = _folding(report, leaving=view.by != "op")
    if view.by == "op":
        return _group(lines, lambda line: line.op, keys, by_path=False)
    if view.by == "block":
        paths = {line.path for line in lines}
        lines = _group(lines, lambda line: _block(line.path, paths), keys, by_path=False)
    if view.depth is not None:
        depth = view.depth
        lines = _group(lines, lambda line: ".".join(line.path.split(".")[:depth]), keys)
    return lines


class _Folding(NamedTuple):
    """What becomes of the columns of several lines: which are summed, and of which the largest stands."""

    sums: Container[str]
    largest: Container[str]
    leaving: bool
    """Whether the lines follow one another, so that what the last one gives leaves them."""


def _folding(report: Report, *, leaving: bool = False) -> _Folding:
    return _Folding(_additive(report), {column.key for column in report.columns if column.by_max}, leaving)


def _additive(report: Report) -> dict[str, Metric]:
    return {column.key: column for column in report.columns if column.is_additive}


def _lines(report: Report) -> list[FoldedRow]:
    """Return a line for every layer."""
    known, unknown = frozenset[str](), report.unknown.get
    fields = [
        (row.path, row.op, row.summary, 1, row.output_shape, row.values, row.tied_to, (), unknown(row.path, known))
        for row in report.rows
    ]
    return list(map(FoldedRow._make, fields))


def _block(path: str, paths: set[str]) -> str:
    """Return the scope around a layer: a fused part stands in the scope of its layer, not in one of its own."""
    scope, _, name = path.rpartition(".")
    return scope.rpartition(".")[0] if name in FUSED and scope in paths else scope


def _group(
    lines: Sequence[FoldedRow], key: Callable[[FoldedRow], str], keys: _Folding, *, by_path: bool = True
) -> list[FoldedRow]:
    groups: dict[str, list[FoldedRow]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return [_sum_rows(path, group, keys, by_path=by_path) for path, group in groups.items()]


def _sum_rows(path: str, lines: Sequence[FoldedRow], keys: _Folding, *, by_path: bool) -> FoldedRow:
    """Return one line for several. Under one path a lone layer stays itself, and fused parts join their layer."""
    first = lines[0]
    own = by_path and first.path == path
    if own and len(lines) == 1:
        return first
    values: dict[str, int] = {}
    for line in lines:
        for metric, value in line.values.items():
            if metric in keys.sums:
                values[metric] = values.get(metric, 0) + value
    return FoldedRow(
        path=path,
        op=first.op if own else "",
        summary=first.summary if own else "",
        layers=sum(line.layers for line in lines),
        output_shape=lines[-1].output_shape,
        values={**values, **_gathered_details(lines, keys)},
        tied_to=first.tied_to if own else None,
        parts=tuple(line.path.removeprefix(f"{path}.") for line in lines[1:]) if own else (),
        unknown=frozenset().union(*[line.unknown for line in lines]),
    )


def _gathered_details(lines: Sequence[FoldedRow], keys: _Folding) -> dict[str, Any]:
    """Return the values of several layers in columns that are not additive.

    Intensity is the ratio of their sums; a metric per axis is that of the last layer of a path or a block, whose output
    leaves it; a word is the one that all have, or ``mixed``. Anything else has no meaning for several.
    """
    last = lines[-1].values
    found: dict[str, Any] = {key: max(line.values[key] for line in lines) for key in last if key in keys.largest}
    found |= {key: value for key, value in last.items() if isinstance(value, tuple)} if keys.leaving else {}
    words = {key: {line.values[key] for line in lines} for key, value in last.items() if isinstance(value, str)}
    found |= {key: held.pop() if len(held) == 1 else MIXED_WORD for key, held in words.items()}
    if INTENSITY in last:
        moved, operations = (sum(line.values[key] for line in lines) for key in OF_INTENSITY)
        found[INTENSITY] = Fraction(operations, moved) if moved else Fraction(0)
    return found
