"""Output formats: one file each, with a function from data to a string for each kind of result.

A format is a file in ``formats/`` with these functions, or with some of them::

    def report(report: Report, view: TableOptions, surface: Surface) -> str
    def comparison(comparison: Comparison, surface: Surface) -> str
    def verdict(verdict: CheckResult, surface: Surface) -> str
    def listing(listing: Listing, surface: Surface) -> str
    def stream(listing: Listing, surface: Surface) -> RowStream
    def diff(diff: Diff, surface: Surface) -> str
    def formula(formula: Formula, surface: Surface) -> str
    def solution(answer: SolveResult, surface: Surface) -> str
    def explanation(explanation: Explanation, surface: Surface) -> str
    def reconciliation(found: Reconciliation, surface: Surface) -> str
    def match(found: Match, surface: Surface) -> str
    def plot(drawing: Drawing, surface: Surface) -> str | bytes
    def graph(graph: Graph, surface: Surface) -> str | bytes

It returns the whole document and writes nothing; a ``stream`` returns it bit by bit, as rows are handed to it.
``view`` says which lines and columns are asked for (a format that is for machines may give all of them), ``surface``
how wide the output is and with which characters and colours (a format that is not a picture of text may ignore it). The
formats are found by walking the folder and imported when they are asked for; a new one needs no line anywhere else.
The other folders hold what several formats share: tables, and a folder for each kind of result.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from convcalc.records import cached_property
from convcalc.render.tables.surface import Surface
from convcalc.report.fold import TableOptions

if TYPE_CHECKING:
    from convcalc.budget.diff.revisions import Diff
    from convcalc.explain.model import Explanation
    from convcalc.findings import CheckResult
    from convcalc.formula.closed_form import Formula
    from convcalc.match.match import Match
    from convcalc.profiles import Reconciliation
    from convcalc.render.pictures.graph.graph import Graph
    from convcalc.render.pictures.svg import Picture as Picture
    from convcalc.render.plots.drawing import Drawing
    from convcalc.render.results.row_list import RowStream
    from convcalc.report.compare import Comparison
    from convcalc.report.report import Report
    from convcalc.report.row_list import Listing
    from convcalc.sweep.solve import SolveResult

__all__ = [
    "DIFFS",
    "EXPLANATIONS",
    "FORMATS",
    "FORMULAS",
    "GRAPHS",
    "LISTINGS",
    "MATCHES",
    "PLOTS",
    "RECONCILIATIONS",
    "SOLUTIONS",
    "STREAMS",
    "VERDICTS",
    "DiffFormat",
    "ExplanationFormat",
    "Format",
    "Formats",
    "FormulaFormat",
    "GraphFormat",
    "ListingFormat",
    "MatchFormat",
    "PlotFormat",
    "ReconciliationFormat",
    "SolutionFormat",
    "StreamFormat",
    "Surface",
    "TableOptions",
    "VerdictFormat",
    "comparison_picture",
    "graph_picture",
    "report_picture",
]


class Format(Protocol):
    """What a file of ``formats/`` offers in order to show designs."""

    def report(self, report: Report, view: TableOptions, surface: Surface) -> str:
        """Return one design's report."""

    def comparison(self, comparison: Comparison, surface: Surface) -> str:
        """Return designs side by side."""


class VerdictFormat(Protocol):
    """What a file of ``formats/`` offers in order to show the outcome of a check."""

    def verdict(self, verdict: CheckResult, surface: Surface) -> str:
        """Return what a check found."""


class ListingFormat(Protocol):
    """What a file of ``formats/`` offers in order to show many designs, a line each."""

    def listing(self, listing: Listing, surface: Surface) -> str:
        """Return the list."""


class StreamFormat(Protocol):
    """What a file of ``formats/`` offers in order to show more designs than memory holds."""

    def stream(self, listing: Listing, surface: Surface) -> RowStream:
        """Return a list without rows, which come later."""


class DiffFormat(Protocol):
    """What a file of ``formats/`` offers in order to show what changed between two versions of designs."""

    def diff(self, diff: Diff, surface: Surface) -> str:
        """Return what changed."""


class ExplanationFormat(Protocol):
    """What a file of ``formats/`` offers in order to show where numbers come from."""

    def explanation(self, explanation: Explanation, surface: Surface) -> str:
        """Return the explanation of a layer or of a group of layers."""


class ReconciliationFormat(Protocol):
    """What a file of ``formats/`` offers in order to show what other tools print."""

    def reconciliation(self, found: Reconciliation, surface: Surface) -> str:
        """Return every tool with the terms of its total."""


class MatchFormat(Protocol):
    """What a file of ``formats/`` offers in order to show where two designs differ."""

    def match(self, found: Match, surface: Surface) -> str:
        """Return totals and differences."""


class PlotFormat(Protocol):
    """What a file of ``formats/`` offers in order to show pictures."""

    def plot(self, drawing: Drawing, surface: Surface) -> str | bytes:
        """Return a picture, or what other tools draw one from."""


class GraphFormat(Protocol):
    """What a file of ``formats/`` offers in order to show graphs."""

    def graph(self, graph: Graph, surface: Surface) -> str | bytes:
        """Return boxes in frames, and what reads what."""


class FormulaFormat(Protocol):
    """What a file of ``formats/`` offers in order to show closed forms."""

    def formula(self, formula: Formula, surface: Surface) -> str:
        """Return the closed forms of a design."""


class SolutionFormat(Protocol):
    """What a file of ``formats/`` offers in order to show values within limits."""

    def solution(self, answer: SolveResult, surface: Surface) -> str:
        """Return the answer of ``solve``."""


FOLDER = os.path.join(os.path.dirname(__file__), "formats")

Shown = TypeVar("Shown")


class Formats(Mapping[str, Shown]):
    """Formats by name. Looking at the names imports nothing: a file's text tells what it defines."""

    def __init__(self, *functions: str, first: str = "text") -> None:
        self._first = first
        self._marks = [f"\ndef {function}(".encode() for function in functions]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all formats that have the functions, beginning with the usual one."""
        files = [file for file in os.listdir(FOLDER) if file.endswith(".py") and file != "__init__.py"]
        found = [file[:-3] for file in files if self._offers(os.path.join(FOLDER, file))]
        return tuple(sorted(found, key=lambda name: (name != self._first, name)))

    def _offers(self, path: str) -> bool:
        with open(path, "rb") as file:
            text = file.read()
        return all(mark in text for mark in self._marks)

    def __getitem__(self, name: str) -> Shown:
        if name not in self.names:
            raise KeyError(name)
        return cast(Shown, importlib.import_module(f"{__name__}.formats.{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


FORMATS = Formats[Format]("report", "comparison")
VERDICTS = Formats[VerdictFormat]("verdict")
LISTINGS = Formats[ListingFormat]("listing")
STREAMS = Formats[StreamFormat]("stream")
DIFFS = Formats[DiffFormat]("diff")
FORMULAS = Formats[FormulaFormat]("formula")
SOLUTIONS = Formats[SolutionFormat]("solution")
EXPLANATIONS = Formats[ExplanationFormat]("explanation")
RECONCILIATIONS = Formats[ReconciliationFormat]("reconciliation")
MATCHES = Formats[MatchFormat]("match")
GRAPHS = Formats[GraphFormat]("graph")
PLOTS = Formats[PlotFormat]("plot", first="svg")


def report_picture(report: Report, kind: str, **options: Any) -> Picture:
    """Return a picture of a report."""
    from convcalc.render.plots.drawing import draw_report

    return draw_report(report, kind, **options).picture


def comparison_picture(comparison: Comparison, kind: str, **options: Any) -> Picture:
    """Return a picture of a comparison."""
    from convcalc.render.plots.drawing import draw_comparison

    return draw_comparison(comparison, kind, **options).picture


def graph_picture(report: Report, **options: Any) -> Picture:
    """Return the graph of a report as a picture."""
    from convcalc.render.pictures.graph.graph import View, graph
    from convcalc.render.pictures.modules import module_tree

    return graph(module_tree(report), report, View(**options)).picture
