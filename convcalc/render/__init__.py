"""Output formats: one file each, with a function from data to a string for each kind of result.

A format is a file in ``formats/`` with functions of ``Format``: with one for each kind of result that it can show.
Each returns the whole document and writes nothing; a ``stream`` returns it bit by bit, as rows are handed to it.
``view`` says which lines and columns are asked for (a format that is for machines may give all of them), ``surface``
how wide the output is and with which characters and colours (a format that is not a picture of text may ignore it). The
formats are found by walking the folder and imported when they are asked for; a new one needs no line anywhere else.
The other folders hold what several formats share: tables, and a folder for each kind of result.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from convcalc.records import cached_property
from convcalc.render.tables.surface import Surface as Surface
from convcalc.report.fold import TableOptions as TableOptions

if TYPE_CHECKING:
    from convcalc.budget.diff.revisions import Diff
    from convcalc.explain.model import Explanation
    from convcalc.findings import CheckResult
    from convcalc.formula.closed_form import Formula
    from convcalc.match.match import Match
    from convcalc.profiles import Reconciliation
    from convcalc.render.pictures.graph.graph import GraphDiagram
    from convcalc.render.pictures.svg import Picture as Picture
    from convcalc.render.plots.drawing import Drawing
    from convcalc.render.results.row_list import RowStream
    from convcalc.report.compare import Comparison
    from convcalc.report.report import Report
    from convcalc.report.row_list import Listing
    from convcalc.sweep.solve import SolveResult


class Format(Protocol):
    """What a file of ``formats/`` may offer: a function for each kind of result."""

    def report(self, report: Report, view: TableOptions, surface: Surface) -> str:
        """Return one design's report."""

    def comparison(self, comparison: Comparison, surface: Surface) -> str:
        """Return designs side by side."""

    def verdict(self, verdict: CheckResult, surface: Surface) -> str:
        """Return what a check found."""

    def stream(self, listing: Listing, surface: Surface) -> RowStream:
        """Return a list of many designs, a line each, without rows: they come later, for memory may not hold all."""

    def diff(self, diff: Diff, surface: Surface) -> str:
        """Return what changed between two versions of designs."""

    def explanation(self, explanation: Explanation, surface: Surface) -> str:
        """Return where the numbers of a layer or of a group of layers come from."""

    def reconciliation(self, found: Reconciliation, surface: Surface) -> str:
        """Return every tool with the terms of its total."""

    def match(self, found: Match, surface: Surface) -> str:
        """Return totals and differences of two designs."""

    def plot(self, drawing: Drawing, surface: Surface) -> str | bytes:
        """Return a picture, or what other tools draw one from."""

    def graph(self, graph: GraphDiagram, surface: Surface) -> str | bytes:
        """Return boxes in frames, and what reads what."""

    def formula(self, formula: Formula, surface: Surface) -> str:
        """Return the closed forms of a design."""

    def solution(self, answer: SolveResult, surface: Surface) -> str:
        """Return the answer of ``solve``."""


FOLDER = os.path.join(os.path.dirname(__file__), "formats")


class Formats(Mapping[str, Format]):
    """Formats that have some functions, by name. Looking at names imports nothing: a file's text tells what it has."""

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

    def __getitem__(self, name: str) -> Format:
        if name not in self.names:
            raise KeyError(name)
        return cast("Format", importlib.import_module(f"{__name__}.formats.{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


FORMATS = Formats("report", "comparison")
VERDICTS = Formats("verdict")
STREAMS = Formats("stream")
DIFFS = Formats("diff")
FORMULAS = Formats("formula")
SOLUTIONS = Formats("solution")
EXPLANATIONS = Formats("explanation")
RECONCILIATIONS = Formats("reconciliation")
MATCHES = Formats("match")
GRAPHS = Formats("graph")
PLOTS = Formats("plot", first="svg")


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
