"""For programs: everything, exact, one layer a line. See ``schemas/``.

What only one kind of result needs is imported where that is written: a report does without comparisons and budgets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from convcalc import __version__
from convcalc.memory import paused
from convcalc.render.check.facts import error_facts, location_facts, ratio_facts, verdict_facts
from convcalc.report.report import CONVENTION_ID, SCHEMA_VERSION

if TYPE_CHECKING:
    from convcalc.budget.diff.revisions import Diff
    from convcalc.explain.model import Explanation
    from convcalc.findings import CheckResult
    from convcalc.formula.closed_form import Formula
    from convcalc.match.match import Match
    from convcalc.profiles import Reconciliation
    from convcalc.render.results.row_list import Rows
    from convcalc.render.tables.surface import Surface
    from convcalc.report.align_layers import AlignedCell, AlignedRow
    from convcalc.report.compare import Comparison, MetricComparison
    from convcalc.report.fold import TableOptions
    from convcalc.report.report import LayerRow, Report
    from convcalc.report.row_list import Listing
    from convcalc.sweep.solve import SolveResult


def report(report: Report, view: TableOptions, surface: Surface) -> str:
    """Return one design. All layers and metrics are there, whatever the view: folding is for people."""
    return report_json(report)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return all designs, metrics and aligned places."""
    return comparison_json(comparison)


def listing(listing: Listing, surface: Surface) -> str:
    """Return a design a line, with every field."""
    document = stream(listing, surface)
    return f"{document.add(listing.rows)}{document.end()}"


def stream(listing: Listing, surface: Surface) -> _Streamed:
    """Return a list to be written as its rows come."""
    return _Streamed(listing)


class _Streamed:
    """A document whose list is open."""

    def __init__(self, listing: Listing) -> None:
        self.keys = [field.key for field in listing.fields]
        facts = {**_made_by(), **listing.shared_values}
        self.head = _document(facts).removesuffix("}\n") + f',\n "{listing.noun}s": ['
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
    return _document({**_made_by(), **verdict_facts(verdict)})


def explanation(explanation: Explanation, surface: Surface) -> str:
    """Return an explanation; the steps of a metric add up to its value."""
    from convcalc.render.results.explanation import explanation_facts

    return _document({**_made_by(), **explanation_facts(explanation, location_facts)})


def reconciliation(found: Reconciliation, surface: Surface) -> str:
    """Return what every tool prints; its terms add up to its total."""
    from convcalc.render.results.reconciliation import reconciliation_facts

    return _document({**_made_by(), **reconciliation_facts(found)})


def match(found: Match, surface: Surface) -> str:
    """Return the totals of two designs and all of their differences."""
    from convcalc.render.results.match import match_facts

    return _document({**_made_by(), **match_facts(found, location_facts)})


def formula(formula: Formula, surface: Surface) -> str:
    """Return every formula: those of layers as expressions of Python, the totals in LaTeX and for people too."""
    from convcalc.render.results.formula import formula_facts

    return _document({**_made_by(), **dict(formula_facts(formula))})


def solution(answer: SolveResult, surface: Surface) -> str:
    """Return the answer of ``solve``: see ``schemas/solve.schema.json``."""
    from convcalc.render.results.solution import solution_facts

    return _document({**_made_by(), **solution_facts(answer)})


def diff(diff: Diff, surface: Surface) -> str:
    """Return every design that changed, with all of its layers that did."""
    from convcalc.render.diff.page import diff_facts

    return _document({**_made_by(), **diff_facts(diff), "errors": map(error_facts, diff.errors)})


@paused()
def report_json(report: Report) -> str:
    """Return a report as JSON; the keys are those of the schema, in its order."""
    return _document(
        {
            **_made_by(),
            **_design(report),
            "totals": _totals(report),
            "layers": map(_layer, report.rows),
            "coverage": _coverage(report),
            **_details(report),
            "warnings": report.warnings,
        }
    )


def _details(report: Report) -> dict[str, object]:
    """Return what stands beside the layers where details were asked for."""
    found: dict[str, object] = {}
    if report.peak is not None:
        found["peak"] = {**report.peak._asdict(), "alive": [tensor._asdict() for tensor in report.peak.alive]}
    if report.misaligned is not None:
        found["misaligned"] = [join._asdict() for join in report.misaligned]
    if report.gated is not None:
        found["without_gates"] = report.gated
    if report.device is not None:
        found["device"] = report.device._asdict()
    return found


@paused()
def comparison_json(comparison: Comparison) -> str:
    """Return a comparison as JSON. A cell is null where a design has nothing."""
    labelled = zip(comparison.labels, comparison.reports, strict=True)
    return _document(
        {
            **_made_by(),
            "designs": (
                {"label": label, **_design(report), "totals": _totals(report), "coverage": _coverage(report)}
                for label, report in labelled
            ),
            "differing": comparison.differing_conditions,
            "metrics": (_metric(comparison, metric) for metric in comparison.metrics),
            "rows": map(_row, comparison.matches),
        }
    )


def _document(parts: Mapping[str, object]) -> str:
    """Write a key a line, and the items of long lists a line each."""
    return "{" + ",\n ".join(f"{_encode(key)}: {_part(value)}" for key, value in parts.items()) + "}\n"


def _part(value: object) -> str:
    if value is None or isinstance(value, str | int | Mapping | list | tuple):
        return _encode(value)
    items = ",\n  ".join(map(_encode, value)) if isinstance(value, Iterable) else _encode(value)
    return f"[\n  {items}\n ]" if items else "[]"


def _plain(value: object) -> object:
    """What JSON has no word for: an exact ratio is its two integers, anything else its text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else ratio_facts(value)
    return list(value) if isinstance(value, Iterable) else str(value)


_encode = json.JSONEncoder(default=_plain).encode
"""ASCII only: any locale can print it, and no bidirectional or control character gets through unescaped."""


_TOOL = {"name": "convcalc", "version": __version__}


def _made_by() -> dict[str, object]:
    return {"schema_version": SCHEMA_VERSION, "convention": CONVENTION_ID, "tool": _TOOL}


def _design(report: Report) -> dict[str, object]:
    return {
        "design": report.design,
        "name": report.name,
        "batch": report.batch,
        "dtype": report.dtype,
        "inputs": dict(report.inputs),
        "outputs": dict(report.outputs),
        **({"given_inputs": {name: report.inputs.get(name) for name in report.given}} if report.given else {}),
        **({"overrides": dict(report.overrides)} if report.overrides else {}),
    }


def _totals(report: Report) -> dict[str, object]:
    return {column.key: report.totals[column.key] for column in report.columns if column.key in report.totals}


def _coverage(report: Report) -> dict[str, object]:
    lower_bounds = [column.key for column in report.columns if column.key in report.lower_bounds]
    bounds = {"lower_bounds": lower_bounds} if lower_bounds else {}
    return {"complete": report.is_complete, "unknown": list(report.unknown), **bounds}


def _layer(row: LayerRow) -> dict[str, object]:
    layer = {
        "name": row.path,
        "op": row.op,
        "inputs": row.inputs,
        "input_shapes": row.input_shapes,
        "output_shape": row.output_shape,
        "attributes": row.attributes,
        **row.values,
    }
    if row.tied_to is not None:
        layer["tied_to"] = row.tied_to
    layer["source"] = location_facts(row.source)
    return layer


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
        "cells": [cell and _cell(cell) for cell in match.cells],
    }


def _cell(cell: AlignedCell) -> dict[str, object]:
    return {
        "path": cell.path,
        "op": cell.op,
        "layers": cell.layers,
        "output_shape": cell.output_shape,
        **cell.values,
    }
