"""A comparison in plain English: one sentence a metric, exact numbers in brackets behind every rounded one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from convcalc.compare import Comparison, Metric, Value
from convcalc.render.layout.numbers import exact, ratio, significant

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Noun:
    """How a metric is spoken of: ``naive has 12 parameters``."""

    verb: str
    one: str
    many: str


NOUNS = {
    "params": Noun("has", "parameter", "parameters"),
    "buffers": Noun("has", "buffer value", "buffer values"),
    "macs": Noun("computes", "multiply", "multiplies"),
    "flops": Noun("computes", "floating-point operation", "floating-point operations"),
    "activations": Noun("has", "activation", "activations"),
    "output_elements": Noun("puts out", "element", "elements"),
    "nonlinearities": Noun("has", "nonlinearity", "nonlinearities"),
    "weight_bytes": Noun("takes", "byte of weights", "bytes of weights"),
    "peak_activation_bytes": Noun("needs", "byte of activations at once", "bytes of activations at once"),
    "training_bytes": Noun("needs", "byte in training", "bytes in training"),
    "traffic_bytes": Noun("moves", "byte", "bytes"),
}
COUNTED_ONE_BY_ONE = ("depth", "nonlinearities")
"""Metrics so small that a difference says more than a ratio."""
CLOSE = Fraction(1, 10)
"""Nearer than this, percents say more than a ratio."""


def sentences(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Return the key of every metric and its sentence."""
    for metric in comparison.metrics:
        if None not in metric.values:
            yield metric.column.key, sentence(comparison, metric)


def sentence(comparison: Comparison, metric: Metric) -> str:
    """Return what the comparison comes to for one metric."""
    first, *others = comparison.labels
    values = [value for value in metric.values if value is not None]
    noun = _noun(metric)
    if not all(report.complete for report in comparison.reports):
        return _uncertain(comparison, noun, values)
    if metric.column.key == "depth":
        clauses = [_deeper(name, first, value, values[0]) for name, value in zip(others, values[1:], strict=True)]
    elif not any(values):
        return f"{_none_of(comparison.labels)} {noun.verb} any {noun.many}."
    elif not values[0]:
        clauses = [f"{first} {noun.verb} no {noun.many}"]
        clauses += [f"{name} {_amount(value, noun)}" for name, value in zip(others, values[1:], strict=True)]
    else:
        clauses = [
            _clause(name, value, first, values[0], noun, stepwise=metric.column.key in COUNTED_ONE_BY_ONE)
            for name, value in zip(others, values[1:], strict=True)
        ]
    return f"{_capital('; '.join(clauses))}."


def _noun(metric: Metric) -> Noun:
    """Unknown metrics are spoken of by their titles."""
    title = metric.column.title
    return NOUNS.get(metric.column.key) or Noun("has", f"unit of {title.lower()}", f"units of {title.lower()}")


def _clause(name: str, value: Value, first: str, base: Value, noun: Noun, *, stepwise: bool) -> str:
    if value == base:
        return f"{name} {noun.verb} as many {noun.many} as {first} ({exact(value)})"
    if not value:
        return f"{name} {noun.verb} no {noun.many} ({first} {exact(base)})"
    numbers = f"{exact(value)} against {exact(base)}"
    if stepwise:
        return f"{name} {noun.verb} {_step(value - base, noun)} than {first} ({numbers})"
    part = Fraction(value) / Fraction(base)
    if abs(part - 1) < CLOSE:
        how = f"{significant(abs(part - 1) * 100)} % {'fewer' if part < 1 else 'more'}"
        return f"{name} {noun.verb} {how} {noun.many} than {first} ({numbers})"
    if part < 1:
        return f"{name} {noun.verb} {ratio(1 / part)}× fewer {noun.many} than {first} ({numbers}: {ratio(part)} of it)"
    return f"{name} {noun.verb} {ratio(part)}× as many {noun.many} as {first} ({numbers})"


def _step(more: Value, noun: Noun) -> str:
    """``one more nonlinearity``, ``two fewer nonlinearities``."""
    return f"{_number(abs(more))} {'more' if more > 0 else 'fewer'} {noun.one if abs(more) == 1 else noun.many}"


def _deeper(name: str, first: str, value: Value, base: Value) -> str:
    if value == base:
        return f"{name} is as deep as {first} ({_layers(value, exact(value))})"
    steps = abs(value - base)
    how = "deeper" if value > base else "shallower"
    return f"{name} is {_layers(steps, _number(steps))} {how} than {first} ({exact(value)} against {exact(base)})"


def _layers(count: Value, text: str) -> str:
    return f"{text} layer" if count == 1 else f"{text} layers"


def _amount(value: Value, noun: Noun) -> str:
    return f"{exact(value)} {noun.one if value == 1 else noun.many}" if value else "none either"


def _number(count: Value) -> str:
    return WORDS[int(count)] if count < len(WORDS) and count == int(count) else exact(count)


def _none_of(labels: tuple[str, ...]) -> str:
    return _capital(f"neither {labels[0]} nor {labels[1]}") if len(labels) == 2 else "None of the designs"


def _uncertain(comparison: Comparison, noun: Noun, values: list[Value]) -> str:
    """A ratio of lower bounds would be a guess."""
    parts = [
        f"{name} {noun.verb} {'' if report.complete else 'at least '}{exact(value)} {noun.one if value == 1 else noun.many}"
        for name, report, value in zip(comparison.labels, comparison.reports, values, strict=True)
    ]
    return f"{_capital(', '.join(parts))}; not every layer could be counted, so there is no ratio."


def _capital(text: str) -> str:
    """Begin a sentence: a word gets its capital, a file's name stays as it is."""
    word = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if word.isalpha() and word.islower() else text
