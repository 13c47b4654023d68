"""A comparison in plain English: one sentence a metric, exact numbers in brackets behind every rounded one."""

from __future__ import annotations

from fractions import Fraction

from convcalc.metrics.metric import Metric
from convcalc.number_format import format_exact, format_multiple, format_significant
from convcalc.profiles import profile_keys
from convcalc.records import NamedTuple
from convcalc.report.compare import Comparison, MetricComparison, Value

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Noun(NamedTuple):
    """How a metric is spoken of: ``naive has 12 parameters``."""

    verb: str
    one: str
    many: str

    def of(self, count: Value) -> str:
        """Return the form that goes with a count."""
        return self.one if count == 1 else self.many


NOUNS = {
    "params": Noun("has", "parameter", "parameters"),
    "buffers": Noun("has", "buffer value", "buffer values"),
    "macs": Noun("computes", "multiply", "multiplies"),
    "flops": Noun("computes", "floating-point operation", "floating-point operations"),
    "train_flops": Noun("computes", "floating-point operation in training", "floating-point operations in training"),
    "activations": Noun("has", "activation", "activations"),
    "output_elements": Noun("outputs", "element", "elements"),
    "depth": Noun("has", "layer", "layers"),
    "nonlinearities": Noun("has", "nonlinearity", "nonlinearities"),
    "weight_bytes": Noun("takes", "byte of weights", "bytes of weights"),
    "peak_activation_bytes": Noun("needs", "byte of activations at once", "bytes of activations at once"),
    "inference_bytes": Noun("needs", "byte to run", "bytes to run"),
    "training_bytes": Noun("needs", "byte in training", "bytes in training"),
    "traffic_bytes": Noun("moves", "byte", "bytes"),
}
CLOSE = Fraction(1, 10)
"""Nearer than this, percents say more than a ratio."""


def comparison_sentences(comparison: Comparison) -> list[str]:
    """Return a sentence a column and one on depth, or a sentence a metric where all are shown; then the spec's note.

    There is none for a metric that no design has anything of.
    """
    metrics = comparison.metrics if comparison.view.every else comparison.columns
    told = [sentence(comparison, metric) for metric in metrics if any(metric.values) and None not in metric.values]
    told += [] if comparison.view.every else _structure(comparison)
    return told + [" ".join(part.split()) for part in comparison.note.split("\n\n") if part.strip()]


def _structure(comparison: Comparison) -> list[str]:
    """Return a sentence on depth and nonlinearities, where designs differ in them."""
    known = {metric.column.key: metric for metric in comparison.metrics if None not in metric.values}
    keys = [key for key in ("depth", "nonlinearities") if key in known and len(set(known[key].values)) > 1]
    told = [sentence(comparison, known[key]) for key in keys[:1]]
    if len(keys) == 2 and len(comparison.reports) == 2 and all(_known(comparison, known[keys[1]])):
        value, base = (values or 0 for values in reversed(known[keys[1]].values))
        more = _difference_clause(value, base, NOUNS[keys[1]], comparison.labels[0])
        told = [f"{told[0].removesuffix('.')}, and {more}."]
    return told


def sentence(comparison: Comparison, metric: MetricComparison) -> str:
    """Return what the comparison comes to for one metric."""
    values = [value for value in metric.values if value is not None]
    noun = noun_of(metric.column)
    if not all(_known(comparison, metric)):
        return _uncertain(comparison, metric, values)
    if not any(values):
        none = f"Neither {' nor '.join(comparison.labels)}" if len(values) == 2 else "None of the designs"
        return f"{none} {noun.verb} any {noun.many}."
    first, base = comparison.labels[0], values[0]
    clause = CLAUSES.get(metric.column.key, _ratio_clause)
    others = zip(comparison.labels[1:], values[1:], strict=True)
    told = [f"{name} {clause(value, base, noun, '' if n else first)}" for n, (name, value) in enumerate(others)]
    return f"{_capital(', '.join(told))}."


def noun_of(metric: Metric) -> Noun:
    """Return the words for a metric: those of a tool's count are its unit and the tool, of a new metric its title."""
    if metric.key in NOUNS:
        return NOUNS[metric.key]
    what = f"{metric.unit} counted by {metric.key}" if metric.key in profile_keys() else metric.title.lower()
    return Noun("has", what, what)


def _ratio_clause(value: Value, base: Value, noun: Noun, first: str) -> str:
    """``has 2.5× fewer parameters than naive (400 vs. 1,000; ratio 0.4)``; of a third, ``2.5× fewer (400)``."""
    if not value or not base or value == base:
        return _plain(value, base, noun, first)
    part = Fraction(value) / Fraction(base)
    than, share = "than", f"; ratio {format_multiple(part)}" if part < 1 else ""
    if abs(part - 1) < CLOSE:
        how, share = f"{format_significant(abs(part - 1) * 100)} % {'fewer' if part < 1 else 'more'}", ""
    elif part < 1:
        how = f"{format_multiple(1 / part)}× fewer"
    else:
        how, than = f"{format_multiple(part)}× as many", "as"
    if not first:
        return f"{how} ({format_exact(value)}{share})"
    return f"{noun.verb} {how} {noun.many} {than} {first} ({format_exact(value)} vs. {format_exact(base)}{share})"


def _difference_clause(value: Value, base: Value, noun: Noun, first: str) -> str:
    """``has one more nonlinearity than naive (2 vs. 1)``."""
    if not value or value == base:
        return _plain(value, base, noun, first)
    steps = max(value, base) - min(value, base)
    how = f"{_number(steps)} {'more' if value > base else 'fewer'}"
    if first:
        return f"{noun.verb} {how} {noun.of(steps)} than {first} ({format_exact(value)} vs. {format_exact(base)})"
    return f"{how} ({format_exact(value)})"


def _plain(value: Value, base: Value, noun: Noun, first: str) -> str:
    """Nothing on one side, or the same on both."""
    if value == base:
        return f"{noun.verb} as many {noun.many} as {first} ({format_exact(value)})" if first else "as many"
    if not value:
        return f"{noun.verb} no {noun.many} ({first} {format_exact(base)})" if first else "none"
    return f"{noun.verb} {format_exact(value)} {noun.of(value)}, {first} has none" if first else format_exact(value)


def _depth_clause(value: Value, base: Value, noun: Noun, first: str) -> str:
    """``is one layer deeper than naive (2 vs. 1)``."""
    if value == base:
        return f"is as deep as {first} ({format_exact(value)} {noun.of(value)})" if first else "as deep"
    steps = max(value, base) - min(value, base)
    how = f"{_number(steps)} {noun.of(steps)} {'deeper' if value > base else 'shallower'}"
    if first:
        return f"is {how} than {first} ({format_exact(value)} vs. {format_exact(base)})"
    return f"{how} ({format_exact(value)})"


CLAUSES = {"depth": _depth_clause, "nonlinearities": _difference_clause}
"""Of metrics so small that a difference says more than a ratio."""


def _number(count: Value) -> str:
    return WORDS[int(count)] if count < len(WORDS) and count == int(count) else format_exact(count)


def _known(comparison: Comparison, metric: MetricComparison) -> list[bool]:
    """Return for every design whether its total is exact."""
    return [metric.column.key not in report.lower_bounds for report in comparison.reports]


def _uncertain(comparison: Comparison, metric: MetricComparison, values: list[Value]) -> str:
    """A ratio of lower bounds would be a guess."""
    parts = [
        f"{name} {'' if known else 'at least '}{format_exact(value)}"
        for name, known, value in zip(comparison.labels, _known(comparison, metric), values, strict=True)
    ]
    return f"{metric.column.title}: {', '.join(parts)}; not every layer could be counted, so there is no ratio."


def _capital(text: str) -> str:
    """Begin a sentence: a word gets its capital, a file's name stays as it is."""
    word = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if word.isalpha() and word.islower() else text
