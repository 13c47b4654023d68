"""The answer of ``solve``: the values, what they count against the limits, and what keeps them from going on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from convcalc.number_format import count_of, format_exact, format_significant
from convcalc.render.results.sweep_points import conditions, decimal, plain
from convcalc.render.tables import markdown_syntax as gfm
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface
from convcalc.report.metrics import whole_metrics
from convcalc.sweep.axes import Axis
from convcalc.sweep.search import MetricLimit
from convcalc.sweep.solve import Candidate, SolveResult

SIGNS = {"max": "≤", "min": "≥"}
MAX_LISTED = 6
"""Values of a variable that are listed; of more, the ends."""


def solution_blocks(answer: SolveResult, surface: Surface) -> Iterator[Block]:
    """What was asked, the values, the metrics beside their limits, and sentences about what comes next."""
    yield surface.line(answer.job.design, "title")
    yield surface.line(problem_text(answer), "dim")
    yield Paragraph()
    if answer.solution is not None:
        yield surface.line(values(answer.solution.values), "total")
        yield Paragraph()
        yield metrics(answer, answer.solution, surface.glyphs)
        yield Paragraph()
    yield from map(surface.line, result_sentences(answer))


def solution_comment(answer: SolveResult, surface: Surface) -> str:
    """Return the same as Markdown."""
    glyphs = surface.glyphs
    heading = values(answer.solution.values) if answer.solution else "No value fits"
    asked = f"{gfm.code(glyphs.text(answer.job.design))}: {gfm.text(glyphs.text(problem_text(answer)))}"
    parts = [f"### {gfm.text(glyphs.text(heading))}", asked]
    if answer.solution is not None:
        parts.append(gfm.table(metrics(answer, answer.solution, glyphs)))
    parts += [gfm.text(glyphs.text(sentence)) for sentence in result_sentences(answer)]
    return "\n\n".join(parts) + "\n"


def problem_text(answer: SolveResult) -> str:
    """``the largest classes of 1..1000 with params ≤ 24,000,000``."""
    asked, job = answer.question, answer.job
    size = "largest" if asked.largest else "smallest"
    ranges = ", ".join(f"{axis.name} of {extent(axis)}" for axis in job.axes)
    sought = f"the {size} {ranges}"
    if asked.objective is not None:
        better = "least" if asked.objective.startswith("-") else "most"
        sought = f"{ranges} with the {better} {asked.objective.removeprefix('-')}"
    limits = ", ".join(f"{bound.metric} {SIGNS[bound.kind]} {amount(bound.value)}" for bound in asked.bounds)
    facts = [f"batch {job.batch:,}"] if job.batch > 1 else []
    facts += [job.dtype] if job.dtype != "float32" else []
    facts += [f"on {job.device[0]}"] if job.device else []
    facts += [f"{name} {text} by --input" for name, text in job.given_inputs.items()]
    within = f", within {limits}" if limits else ""
    return " · ".join([sought + within, *facts])


def extent(axis: Axis) -> str:
    """``1..1000``, ``5, 7 or 9``, ``0.25..2:0.05 (36 values)``: a few values, or the ends of a range and its step."""
    step = Fraction(abs(axis.values.step), axis.denominator) if isinstance(axis.values, range) else None
    if len(axis.values) == 1 or (step is None and len(axis.values) <= MAX_LISTED):
        *others, last = (plain(value) for value in sorted(map(axis.value, range(len(axis.values)))))
        return f"{', '.join(others)} or {last}" if others else last
    low, high = sorted((axis.value(0), axis.value(len(axis.values) - 1)))
    by = "" if step in (None, 1) else f":{plain(step)}"
    many = "" if step == 1 else f" ({count_of(len(axis.values), 'value')})"
    return f"{plain(low)}..{plain(high)}{by}{many}"


def values(point: Mapping[str, Any]) -> str:
    """``classes = 240, width = 64``."""
    return ", ".join(f"{name} = {plain(value)}" for name, value in point.items())


def amount(value: int | Fraction) -> str:
    """Write a limit, or a distance from it, with all its digits."""
    whole = Fraction(value)
    return format_exact(int(whole)) if whole.denominator == 1 else decimal(whole)


def metrics(answer: SolveResult, point: Candidate, glyphs: Characters) -> Table:
    """Return the metrics that were asked for, each with its limits and what is left of them."""
    rows: list[tuple[str, str, str, str, str]] = []
    for measure in whole_metrics():
        if measure.key not in answer.job.output_metrics and measure.key not in answer.question.metrics:
            continue
        total = point.totals[measure.key]
        held = [bound for bound in answer.question.bounds if bound.metric == measure.key]
        first = (measure.title, format_exact(total))
        for bound in held:
            left = bound.margin(total)
            share = format_significant(100 * left / bound.value, 2) if bound.value else ""
            rows.append((*first, f"{SIGNS[bound.kind]} {amount(bound.value)}", amount(left), share))
            first = ("", "")
        if not held:
            rows.append((*first, "", "", ""))
    headings = ("Metric", "Value", "Limit", "Left", "%")
    columns = [
        TableColumn(heading, [glyphs.text(row[place]) for row in rows], right=place > 0)
        for place, heading in enumerate(headings)
    ]
    return Table(columns, rule=glyphs.rule)


def result_sentences(answer: SolveResult) -> Iterator[str]:
    """What binds, and how many points fit."""
    job, asked = answer.job, answer.question
    if answer.solution is None:
        assert answer.last is not None
        yield f"No value fits: none of {_many(answer)} is within the limits."
        size = "smallest" if asked.largest else "largest"
        yield f"The {size} of all, {_violation_text(answer.last, values(answer.last.values))}."
        return
    moved = {point.step: point for point in answer.following}
    for axis in job.axes:
        if axis.name in moved:
            yield f"{_next_value_text(answer, moved[axis.name])}."
        else:
            edge = "largest" if asked.largest else "smallest"
            yield f"No limit is active for {axis.name}: it is at the {edge} value of its range."
    if answer.fitting_count == job.point_count:
        yield f"Every value fits: all of {_many(answer)}."
    elif answer.fitting_count is not None:
        verb = "is" if answer.fitting_count == 1 else "are"
        yield f"{answer.fitting_count:,} of {_many(answer)} {verb} within the limits."


def _many(answer: SolveResult) -> str:
    return count_of(answer.job.point_count, "value" if len(answer.job.axes) == 1 else "choice")


def _next_value_text(answer: SolveResult, point: Candidate) -> str:
    """Say why the next value of a variable is not the answer."""
    where = f"{point.step} = {plain(point.values[point.step])}"
    key = (answer.question.objective or "").removeprefix("-")
    if point.is_within_limits and answer.solution is not None:
        total = f"{format_exact(point.totals[key])} {key}"
        return f"The next value, {where}, also fits, with {total}, without improving the objective"
    return f"The next value, {_violation_text(point, where)}"


def _violation_text(point: Candidate, where: str) -> str:
    """``width = 8, exceeds params ≤ 5,000,000 by 123 (0.0025 %)``."""
    if point.error is not None:
        return f"{where}, is invalid: {point.error.text} ({point.error.code})"
    return f"{where}, " + " and ".join(_excess_text(bound, point.totals[bound.metric]) for bound in point.violated)


def _excess_text(bound: MetricLimit, total: int) -> str:
    excess = -bound.margin(total)
    share = f" ({format_significant(100 * excess / bound.value, 2)} %)" if bound.value else ""
    verb = "falls short of" if bound.kind == "min" else "exceeds"
    return f"{verb} {bound.metric} {SIGNS[bound.kind]} {amount(bound.value)} by {amount(excess)}{share}"


# --- for programs -----------------------------------------------------------------------------------------------------


def solution_facts(answer: SolveResult) -> dict[str, Any]:
    """Return all of an answer, with the keys of ``schemas/solve.schema.json``."""
    job, asked = answer.job, answer.question
    solved, aim = answer.solution, asked.objective
    return {
        "design": job.design,
        **conditions(job),
        **({"given_inputs": job.given_inputs} if job.inputs else {}),
        "variables": [_variable(axis) for axis in job.axes],
        "limits": [_limit(bound) for bound in asked.bounds],
        "prefer": "largest" if asked.largest else "smallest",
        "objective": aim and {"metric": aim.removeprefix("-"), "goal": "minimize" if aim[0] == "-" else "maximize"},
        "points": job.point_count,
        "fitting": answer.fitting_count,
        "solution": None if solved is None else {
            "values": {name: number(value) for name, value in solved.values.items()},
            "metrics": _totals(answer, solved),
            "margins": [{**_limit(bound), "value": solved.totals[bound.metric],
                         "margin": number(bound.margin(solved.totals[bound.metric]))} for bound in asked.bounds],
        },
        "next": [{"variable": point.step, **_told_facts(answer, point)} for point in answer.following],
        "last": None if answer.last is None else _told_facts(answer, answer.last),
    }  # fmt: skip


def _variable(axis: Axis) -> dict[str, Any]:
    low, high = sorted((axis.value(0), axis.value(len(axis.values) - 1)))
    return {"name": axis.name, "least": number(low), "most": number(high), "values": len(axis.values)}


def _limit(bound: MetricLimit) -> dict[str, Any]:
    return {"metric": bound.metric, "kind": bound.kind, "limit": number(bound.value)}


def _totals(answer: SolveResult, point: Candidate) -> dict[str, int]:
    wanted = (*answer.question.metrics, *answer.job.output_metrics)
    return {measure.key: point.totals[measure.key] for measure in whole_metrics() if measure.key in wanted}


def _told_facts(answer: SolveResult, point: Candidate) -> dict[str, Any]:
    breaks = []
    for bound in point.violated:
        total = point.totals[bound.metric]
        breaks.append({**_limit(bound), "value": total, "excess": number(-bound.margin(total))})
    return {
        "values": {name: number(value) for name, value in point.values.items()},
        "fits": point.is_within_limits,
        "metrics": {} if point.error else _totals(answer, point),
        "breaks": breaks,
        "error": None if point.error is None else {"code": point.error.code, "text": point.error.text},
    }


def number(value: int | Fraction) -> int | float | str:
    """Return a number for JSON: a decimal that a float prints exactly, else a quotient as text."""
    exactly = Fraction(value)
    if exactly.denominator == 1:
        return int(exactly)
    near = float(exactly)
    return near if Fraction(repr(near)) == exactly else f"{exactly.numerator}/{exactly.denominator}"
