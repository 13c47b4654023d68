"""For programs: everything, exact, one layer a line. See ``schemas/report.schema.json``, ``compare.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from convcalc import __version__
from convcalc.compare import Comparison, Metric, Value
from convcalc.compare.align import Cell, Match
from convcalc.errors import Span, SpecError
from convcalc.findings import Finding, Judgement, Verdict
from convcalc.fold import View
from convcalc.garbage import uncollected
from convcalc.listing import Listing
from convcalc.render.layout.sentences import sentence
from convcalc.render.surface import Surface
from convcalc.report import CONVENTION, SCHEMA_VERSION, Report, Row


def report(report: Report, view: View, surface: Surface) -> str:
    """Return one design. All layers and metrics are there, whatever the view: folding is for people."""
    return report_json(report)


def comparison(comparison: Comparison, surface: Surface) -> str:
    """Return all designs, metrics and aligned places."""
    return comparison_json(comparison)


def listing(listing: Listing, surface: Surface) -> str:
    """Return a design a line, with every field."""
    keys = [field.key for field in listing.fields]
    rows = ({key: row.get(key) for key in keys} for row in listing.rows)
    return _document({**_made_by(), f"{listing.noun}s": rows})


def verdict(verdict: Verdict, surface: Surface) -> str:
    """Return every claim with its judgement, the findings and the errors."""
    return _document(
        {
            **_made_by(),
            "files": verdict.files,
            "findings": map(_finding, verdict.findings),
            "errors": map(_error, verdict.errors),
            "claims": map(_judgement, verdict.judgements),
        }
    )


def _finding(finding: Finding) -> dict[str, object]:
    facts = finding._asdict()
    places = {"source": _source(facts.pop("span")), "rule": _source(facts.pop("rule"))}
    heaviest = [layer._asdict() for layer in facts.pop("heaviest")]
    return {**facts, "excess": finding.excess, "heaviest": heaviest, **places}


def _error(error: SpecError) -> dict[str, object]:
    return {"code": error.code, "text": error.text, "hint": error.hint, "source": _source(error.span)}


def _judgement(judgement: Judgement) -> dict[str, object]:
    return {
        "id": judgement.id,
        "design": judgement.design,
        "metric": judgement.metric,
        "value": judgement.value,
        "printed": judgement.printed,
        "agrees": judgement.agrees,
        "expected": not judgement.loose,
        "holds": judgement.holds,
        "ratio": None if judgement.ratio is None else _fraction(judgement.ratio),
        "printed_in": judgement.source,
        "quote": judgement.quote,
        "reason": judgement.reason,
        "source": _source(judgement.span),
    }


@uncollected()
def report_json(report: Report) -> str:
    """Return a report as JSON; the keys are those of the schema, in its order."""
    return _document(
        {
            **_made_by(),
            **_design(report),
            "totals": _totals(report),
            "layers": map(_layer, report.rows),
            "coverage": _coverage(report),
            "warnings": report.warnings,
        }
    )


@uncollected()
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
            "differing": comparison.differing,
            "metrics": (_metric(comparison, metric) for metric in comparison.metrics),
            "rows": map(_row, comparison.matches),
        }
    )


def _document(parts: Mapping[str, object]) -> str:
    """Write a key a line, and the items of long lists a line each."""
    return "{" + ",\n ".join(f"{_encode(key)}: {_part(value)}" for key, value in parts.items()) + "}\n"


def _part(value: object) -> str:
    if isinstance(value, str | int | Mapping | list | tuple):
        return _encode(value)
    items = ",\n  ".join(map(_encode, value)) if isinstance(value, Iterable) else _encode(value)
    return f"[\n  {items}\n ]" if items else "[]"


def _plain(value: object) -> object:
    """What JSON has no word for: an exact ratio is its two integers, anything else its text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else _fraction(value)
    return list(value) if isinstance(value, Iterable) else str(value)


_encode = json.JSONEncoder(default=_plain).encode
"""ASCII only: any locale can print it, and no bidirectional or control character gets through unescaped."""


_TOOL = {"name": "convcalc", "version": __version__}


def _made_by() -> dict[str, object]:
    return {"schema_version": SCHEMA_VERSION, "convention": CONVENTION, "tool": _TOOL}


def _design(report: Report) -> dict[str, object]:
    return {
        "design": report.design,
        "name": report.name,
        "batch": report.batch,
        "dtype": report.dtype,
        "inputs": dict(report.inputs),
        "outputs": dict(report.outputs),
    }


def _totals(report: Report) -> dict[str, object]:
    return {column.key: report.totals[column.key] for column in report.columns if column.key in report.totals}


def _coverage(report: Report) -> dict[str, object]:
    return {"complete": report.complete, "unknown": report.unknown}


def _layer(row: Row) -> dict[str, object]:
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
    layer["source"] = _source(row.source)
    return layer


def _source(span: Span | None) -> dict[str, object] | None:
    return None if span is None else {"file": span.file, "line": span.line, "column": span.column}


def _metric(comparison: Comparison, metric: Metric) -> dict[str, object]:
    known = None not in metric.values
    return {
        "key": metric.column.key,
        "title": metric.column.title,
        "unit": metric.column.unit,
        "values": metric.values,
        "differences": metric.differences,
        "ratios": [None if ratio is None else _fraction(ratio) for ratio in metric.ratios],
        "sentence": sentence(comparison, metric) if known else None,
    }


def _fraction(value: Value) -> dict[str, Any]:
    """An exact ratio, and the float nearest to it (none where no float is near)."""
    exact = Fraction(value)
    try:
        decimal = float(exact)
    except OverflowError:
        decimal = None
    return {"numerator": exact.numerator, "denominator": exact.denominator, "decimal": decimal}


def _row(match: Match) -> dict[str, object]:
    return {
        "path": match.path,
        "level": match.level,
        "group": match.group,
        "detail": match.detail,
        "cells": [cell and _cell(cell) for cell in match.cells],
    }


def _cell(cell: Cell) -> dict[str, object]:
    return {
        "path": cell.path,
        "op": cell.op,
        "layers": cell.layers,
        "output_shape": cell.output_shape,
        **cell.values,
    }
