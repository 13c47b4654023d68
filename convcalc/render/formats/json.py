"""For programs: everything, exact, one layer a line. See ``schemas/``.

What only one kind of result needs is imported where that is written: a report does without comparisons and budgets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from convcalc.memory import paused
from convcalc.render.report.facts import (
    coverage_facts,
    design_facts,
    location_facts,
    made_by,
    plain,
    ratio_facts,
    report_facts,
    totals_facts,
)

if TYPE_CHECKING:
    from convcalc.budget.diff.revisions import Diff
    from convcalc.errors import SpecError
    from convcalc.explain.model import Explanation
    from convcalc.findings import CheckResult, ClaimResult, DesignResult, Finding
    from convcalc.formula.closed_form import Formula
    from convcalc.match.match import Match
    from convcalc.profiles import Reconciliation
    from convcalc.render.pictures.graph.graph import GraphDiagram
    from convcalc.render.results.row_list import Rows
    from convcalc.render.tables.surface import Surface
    from convcalc.report.align_layers import AlignedRow
    from convcalc.report.compare import Comparison, MetricComparison
    from convcalc.report.fold import TableOptions
    from convcalc.report.report import Report
    from convcalc.report.row_list import Listing
    from convcalc.sweep.solve import SolveResult


@paused()
def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return one design. All layers and metrics are there, whatever the view: folding is for people."""
    return _document(report_facts(report))


@paused()
def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return all designs, metrics and aligned places. A cell is null where a design has nothing."""
    labelled = zip(comparison.labels, comparison.reports, strict=True)
    return _document(
        {
            "designs": (
                {
                    "label": label,
                    **design_facts(report),
                    "totals": totals_facts(report),
                    "coverage": coverage_facts(report),
                }
                for label, report in labelled
            ),
            "differing": comparison.differing_conditions,
            "metrics": (_metric(comparison, metric) for metric in comparison.metrics),
            "rows": map(_row, comparison.matches),
        }
    )


def stream(listing: Listing, surface: Surface) -> _Streamed:
    """Return a list of designs, one a line with every field, to be written as its rows come."""
    return _Streamed(listing)


class _Streamed:
    """A document whose list is open."""

    def __init__(self, listing: Listing) -> None:
        self.keys = [field.key for field in listing.fields]
        self.head = _document(listing.shared_values).removesuffix("}\n") + f',\n "{listing.noun}s": ['
        self.has_errors = listing.has_errors
        self.separator = "\n  "

    def add(self, rows: Rows) -> str:
        """Return rows, each on a line."""
        head, self.head = self.head, ""
        texts = []
        for row in rows:
            texts.append(f"{self.separator}{_encode({key: row.get(key) for key in self.keys})}")
            self.separator = ",\n  "
        return head + "".join(texts)

    def end(self, errors: Rows = ()) -> str:
        """Close the list, and list the errors where the list may have some."""
        close = "]" if self.separator == "\n  " else "\n ]"
        more = f',\n "errors": {_part(iter(errors))}' if self.has_errors else ""
        return f"{self.head}{close}{more}}}\n"


def verdict(verdict: CheckResult, surface: Surface) -> str:
    """Return findings, errors, every claim with its judgement, every limit with its use, and what designs were."""
    return _document(
        {
            "files": verdict.files,
            "findings": map(_finding, verdict.findings),
            "errors": map(_error, verdict.errors),
            "claims": map(_claim, verdict.claims),
            "standings": (standing._asdict() for standing in verdict.limits),
            "outcomes": map(_outcome, verdict.designs),
            "baseline": verdict.baseline,
            "notes": iter(verdict.notes),
        }
    )


def explanation(explanation: Explanation, surface: Surface) -> str:
    """Return an explanation; the steps of a metric add up to its value."""
    from convcalc.render.results.explanation import explanation_facts

    return _document(explanation_facts(explanation))


def reconciliation(found: Reconciliation, surface: Surface) -> str:
    """Return what every tool prints; its terms add up to its total."""
    from convcalc.render.results.reconciliation import reconciliation_facts

    return _document(reconciliation_facts(found))


def match(found: Match, surface: Surface) -> str:
    """Return the totals of two designs and all of their differences."""
    from convcalc.render.results.match import match_facts

    return _document(match_facts(found))


def graph(graph: GraphDiagram, surface: Surface) -> str:
    """Return boxes, frames and edges with their places, for others to draw."""
    from convcalc.render.results.graph import graph_facts

    return _document({**design_facts(graph.report), **graph_facts(graph)})


def formula(formula: Formula, surface: Surface) -> str:
    """Return every formula: those of layers as expressions of Python, the totals in LaTeX and for people too."""
    from convcalc.render.results.formula import formula_facts

    return _document(dict(formula_facts(formula)))


def solution(answer: SolveResult, surface: Surface) -> str:
    """Return the answer of ``solve``: see ``schemas/solve.schema.json``."""
    from convcalc.render.results.solution import solution_facts

    return _document(solution_facts(answer))


def diff(diff: Diff, surface: Surface) -> str:
    """Return every design that changed, with all of its layers that did."""
    from convcalc.render.diff.page import diff_facts

    return _document({**diff_facts(diff), "errors": map(_error, diff.errors)})


def _document(parts: Mapping[str, object]) -> str:
    """Write a key a line, and the items of long lists a line each; first what every document begins with."""
    parts = {**made_by(), **parts}
    return "{" + ",\n ".join(f"{_encode(key)}: {_part(value)}" for key, value in parts.items()) + "}\n"


def _part(value: object) -> str:
    if value is None or isinstance(value, str | int | Mapping | list | tuple):
        return _encode(value)
    items = ",\n  ".join(map(_encode, value)) if isinstance(value, Iterable) else _encode(value)
    return f"[\n  {items}\n ]" if items else "[]"


_encode = json.JSONEncoder(default=plain).encode
"""ASCII only: any locale can print it, and no bidirectional or control character gets through unescaped."""


def _metric(comparison: Comparison, metric: MetricComparison) -> dict[str, object]:
    from convcalc.render.comparison.sentences import sentence

    known = None not in metric.values
    return {
        "key": metric.column.key,
        "title": metric.column.title,
        "unit": metric.column.unit,
        "values": metric.values,
        "differences": metric.differences,
        "ratios": [None if ratio is None else ratio_facts(ratio) for ratio in metric.ratios],
        "sentence": sentence(comparison, metric) if known else None,
    }


def _row(match: AlignedRow) -> dict[str, object]:
    return {
        "path": match.path,
        "level": match.level,
        "group": match.group,
        "detail": match.splits_a_layer,
        "cells": [
            cell
            and {
                "path": cell.path,
                "op": cell.op,
                "layers": cell.layers,
                "output_shape": cell.output_shape,
                **cell.values,
            }
            for cell in match.cells
        ],
    }


# --- the parts of a verdict -------------------------------------------------------------------------------------------


def _outcome(met: DesignResult) -> dict[str, object]:
    """Return what a design counts, what it did, and which layers changed."""
    changes = [
        {"path": one.path, "change": one.change, "metric": one.metric, "before": one.before, "after": one.after,
         "was": one.old_path}
        for one in met.changes
    ]  # fmt: skip
    return {**met._asdict(), "changes": changes}


def _finding(found: Finding) -> dict[str, object]:
    """Return a finding with its places and the layers that weigh most."""
    facts = found._asdict()
    places = {"source": location_facts(facts.pop("span")), "rule": location_facts(facts.pop("rule"))}
    heaviest = [
        {"path": one.path, "value": one.after, "change": one.change, "before": one.before}
        for one in facts.pop("heaviest")
    ]
    return {**facts, "excess": found.excess, "heaviest": heaviest, **places}


def _error(fault: SpecError) -> dict[str, object]:
    """Return why something could not be judged."""
    return {"code": fault.code, "text": fault.text, "hint": fault.hint, "source": location_facts(fault.span)}


def _claim(judged: ClaimResult) -> dict[str, object]:
    """Return one number of one claim."""
    return {
        "id": judged.id,
        "design": judged.design,
        "metric": judged.metric,
        "value": judged.value,
        "printed": judged.published,
        "agrees": judged.agrees,
        "expected": not judged.expected_to_disagree,
        "holds": judged.as_expected,
        "ratio": None if judged.ratio is None else ratio_facts(judged.ratio),
        "printed_in": judged.source,
        "quote": judged.quote,
        "reason": judged.reason,
        "source": location_facts(judged.span),
    }
