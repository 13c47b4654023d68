"""Designs side by side: totals, exact ratios and differences against the first, and layers aligned by path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from os.path import basename, splitext
from typing import TYPE_CHECKING, Literal

from convcalc.graph.graph import LEADING_TO
from convcalc.memory import paused
from convcalc.metrics.metric import Metric
from convcalc.records import NamedTuple, dataclass
from convcalc.report.align_layers import AlignedRow, align
from convcalc.report.drawn import Drawn, require_positive
from convcalc.report.fold import DEFAULT_COLUMNS, TableOptions, fold_report
from convcalc.report.path_tree import build_path_tree
from convcalc.report.report import Report

if TYPE_CHECKING:
    from convcalc.report.drawn import Picture

Value = int | Fraction


class MetricComparison(NamedTuple):
    """One metric of the whole designs; the first design is what the others are compared with."""

    column: Metric
    values: tuple[Value | None, ...]

    @property
    def differences(self) -> tuple[Value | None, ...]:
        """Each value less the first."""
        return tuple(difference(value, self.values[0]) for value in self.values)

    @property
    def ratios(self) -> tuple[Fraction | None, ...]:
        """Each value over the first, exact; none over zero."""
        return tuple(ratio(value, self.values[0]) for value in self.values)


@dataclass(frozen=True, slots=True)
class Comparison(Drawn):
    """Reports of two or more designs, the names to tell them apart by, their totals and their aligned layers."""

    reports: tuple[Report, ...]
    labels: tuple[str, ...]
    metrics: tuple[MetricComparison, ...]
    matches: tuple[AlignedRow, ...]
    view: TableOptions
    note: str
    """What the spec says of its designs, where it says the same of all."""

    @property
    def columns(self) -> list[MetricComparison]:
        """The metrics that layers are compared in: those of the view."""
        usual = DEFAULT_COLUMNS if self.view.columns is None else self.view.columns
        known = {metric.column.key: metric for metric in self.metrics if metric.column.is_additive}
        return [known[key] for key in dict.fromkeys((*usual, *self.view.more)) if key in known]

    @property
    def totals(self) -> list[MetricComparison]:
        """The metrics whose totals are shown."""
        keys = {key for each in self.reports for key in each.totals if self.view.shows_total(key, each.totals)}
        return [metric for metric in self.metrics if metric.column.key in keys]

    method = "comparison"

    def plot(self, kind: Literal["compare", "bars"] = "compare", *, width: int | None = None) -> Picture:
        """Draw the designs to one scale: as squares, or with bars place by place.

        Raises:
            ValueError: for a kind or a width that there is not.
        """
        require_positive("width", 1 if width is None else width)
        return self._picture(kind, width=width)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.labels)}>"

    def _repr_html_(self) -> str:
        return self.to("html")

    @property
    def differing_conditions(self) -> tuple[str, ...]:
        """Which circumstances differ between the designs: ``inputs``, ``batch``, ``dtype``."""
        circumstances = (
            ("inputs", [list(report.inputs.values()) for report in self.reports]),
            ("batch", [report.batch for report in self.reports]),
            ("dtype", [report.dtype for report in self.reports]),
        )
        return tuple(name for name, values in circumstances if any(value != values[0] for value in values))


@paused()
def compare(reports: Sequence[Report], view: TableOptions | None = None) -> Comparison:
    """Return the comparison of designs with the first of them, folded as a view says.

    Raises:
        ValueError: for fewer than two reports.
    """
    if len(reports) < 2:
        raise ValueError(f"a comparison needs two designs or more, not {len(reports)}")
    metrics = tuple(_metrics(reports))
    keys = [metric.column.key for metric in metrics if metric.column.is_additive]
    view = view or TableOptions()
    folding = TableOptions(view.depth, view.by)
    lines = [fold_report(report, folding).lines for report in reports]
    if view.by == "op":  # kinds meet by their names alone
        lines = [[line._replace(op=line.path) for line in some] for some in lines]
    matches = tuple(align([build_path_tree(some, keys) for some in lines], keys))
    note = reports[0].note if len({report.note for report in reports}) == 1 else ""
    return Comparison(tuple(reports), labels([report.design for report in reports]), metrics, matches, view, note)


def _metrics(reports: Sequence[Report]) -> Iterator[MetricComparison]:
    """Return the metrics that any design has, in the order of the first that has it."""
    columns = {column.key: column for report in reversed(reports) for column in report.columns}
    first = {column.key: None for report in reports for column in report.columns}
    for key in first:
        yield MetricComparison(columns[key], tuple(report.totals.get(key) for report in reports))


def difference(value: Value | None, first: Value | None) -> Value | None:
    """Return how much more ``value`` is than the first; nothing where either is missing."""
    return None if value is None or first is None else value - first


def ratio(value: Value | None, first: Value | None) -> Fraction | None:
    """Return ``value`` over the first, exact; nothing where either is missing or the first is zero."""
    return None if value is None or not first else Fraction(value) / Fraction(first)


def labels(designs: Sequence[str]) -> tuple[str, ...]:
    """Return a short name for every design: its part, or its file and variant, or as much more as tells them apart."""
    for shorten in (_part, _file_and_part, str):
        names = tuple(map(shorten, designs))
        if len(set(names)) == len(names):
            return names
    return tuple(f"{name} ({number})" for number, name in enumerate(map(_part, designs), 1))


def _part(design: str) -> str:
    return design.partition("#")[2].removeprefix(LEADING_TO) or _file_and_part(design)


def _file_and_part(design: str) -> str:
    """``specs/zoo/resnet50.yaml@101#stage1`` → ``resnet50@101#stage1``, ``torch:a.models:alexnet`` → ``alexnet``."""
    file, hash_sign, part = design.partition("#")
    file, at_sign, variant = file.partition("@")
    if "/" in file or "\\" in file or ":" not in file:
        file = splitext(basename(file.replace("\\", "/")))[0] or file
    return f"{file.rpartition(':')[2] or file}{at_sign}{variant}{hash_sign}{part}"
