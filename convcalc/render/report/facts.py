"""The parts of a report as JSON has them: plain mappings, with the keys of ``schemas/report.schema.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from convcalc import __version__
from convcalc.errors import Span
from convcalc.report.report import CONVENTION_ID, SCHEMA_VERSION, LayerRow, Report

TOOL = {"name": "convcalc", "version": __version__}


def made_by() -> dict[str, object]:
    """Return what every document begins with."""
    return {"schema_version": SCHEMA_VERSION, "convention": CONVENTION_ID, "tool": TOOL}


def design_facts(report: Report) -> dict[str, object]:
    """Return which design it is, and under which conditions it was counted."""
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


def totals_facts(report: Report) -> dict[str, object]:
    """Return the totals by the keys of metrics."""
    return {column.key: report.totals[column.key] for column in report.columns if column.key in report.totals}


def coverage_facts(report: Report) -> dict[str, object]:
    """Return which layers are not counted, and the metrics whose totals are lower bounds because of them."""
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


def report_facts(report: Report) -> dict[str, object]:
    """Return a whole report, its layers one by one."""
    return {
        **made_by(),
        **design_facts(report),
        "totals": totals_facts(report),
        "layers": map(_layer, report.rows),
        "coverage": coverage_facts(report),
        **_details(report),
        "warnings": report.warnings,
    }


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


def location_facts(span: Span | None) -> dict[str, object] | None:
    """Return a place in a file, or nothing."""
    if span is None:
        return None
    node = {"node": span.node} if span.node else {}
    return {"file": span.file, "line": span.line, "column": span.column, **node}


def ratio_facts(value: int | Fraction) -> dict[str, Any]:
    """Return an exact ratio, and the float nearest to it (none where no float is near)."""
    exact = Fraction(value)
    try:
        decimal = float(exact)
    except OverflowError:
        decimal = None
    return {"numerator": exact.numerator, "denominator": exact.denominator, "decimal": decimal}


def plain(value: object) -> object:
    """What JSON has no word for: an exact ratio is its two integers, anything else its text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else ratio_facts(value)
    return list(value) if isinstance(value, Iterable) else str(value)
