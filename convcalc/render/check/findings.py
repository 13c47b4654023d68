"""What formats say of a finding alike: which is worst, what weighs most in it, by what it is known again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction

from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX
from convcalc.errors import Span, SpecError, escape
from convcalc.findings import Finding, LayerMetricChange
from convcalc.number_format import format_count, format_exact, format_percent, format_ratio, format_unlike
from convcalc.paths import repository_root
from convcalc.records import NamedTuple
from convcalc.render.tables.characters import Characters

SEVERITIES = ("error", "warning", "note", "waived")
"""From the worst on."""

LONGEST = 1000
"""Characters that are shown of one sentence."""

Value = int | Fraction


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings worst first: by severity, then by how far beyond the limit they are, as a share of it."""
    return sorted(findings, key=_badness)


def _badness(finding: Finding) -> tuple[object, ...]:
    rank = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else 0
    share = Fraction(finding.excess or 0) / (finding.limit or 1)
    return rank, -abs(share), finding.id, finding.design, finding.metric, finding.path


def format_layer_value(layer: LayerMetricChange) -> str:
    """Return what a layer counts, and what became of it: ``2,359,296 (grew from 1,769,472)``."""
    value = format_exact(layer.after or 0)
    if not layer.change:
        return value
    before = "" if layer.before is None else f" from {format_exact(layer.before)}"
    return f"{value} ({layer.change}{before})"


def format_metric_value(metric: str, value: Value, beside: Value) -> str:
    """Return the value of a metric as a budget writes it; beside another one it never reads the same by rounding."""
    if metric.endswith(SHARE_SUFFIX):
        return format_unlike(value, beside, format_percent)
    if metric.endswith(RATIO_SUFFIX):
        return f"{format_unlike(value, beside, format_ratio)}×"
    if value.denominator != 1:
        return format_unlike(value, beside, format_ratio)
    return format_count(value)


def heaviest(finding: Finding) -> str:
    """``heaviest: conv1 9,408, conv2 4,096``."""
    layers = ", ".join(f"{layer.path} {format_layer_value(layer)}" for layer in finding.heaviest)
    return f"{heaviest_label(finding)}: {layers}"


def heaviest_label(finding: Finding) -> str:
    """Return what its layers have in common: they weigh most, or they changed most."""
    return "grew most" if any(layer.change for layer in finding.heaviest) else "heaviest"


def error_lines(error: SpecError, glyphs: Characters) -> list[str]:
    """Return the sentence of an error, and its hint."""
    return [sentence(error.text, glyphs), *([f"hint: {sentence(error.hint, glyphs)}"] if error.hint else [])]


def details(finding: Finding, glyphs: Characters) -> Iterator[str]:
    """Give the lines below the sentence: the layers that weigh most, the line of the budget, the hint."""
    if finding.heaviest:
        yield glyphs.text(heaviest(finding))
    if finding.rule and finding.rule != main_span(finding):
        yield glyphs.text(f"budget: {finding.rule}")
    if finding.hint:
        yield f"hint: {sentence(finding.hint, glyphs)}"


def sentence(text: str, glyphs: Characters) -> str:
    """Return a sentence as it may be shown, cut where it is endless."""
    return glyphs.truncate(glyphs.text(text), LONGEST)


def main_span(finding: Finding) -> Span | None:
    """Return the place in the spec; for a finding about a budget itself, the line of the budget."""
    return finding.span or finding.rule


class Fingerprints:
    """By what a finding is known again in the next run: its code, id, design, path and metric, not values or lines.

    Two that are alike in all of these are told apart by their order: services drop what they have seen before.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], int] = {}

    def finding(self, finding: Finding) -> str:
        """Return 64 hexadecimal digits."""
        return self._hashed(finding.code, finding.id, finding.design, finding.path, finding.metric)

    def error(self, error: SpecError, file: str) -> str:
        """Return those of an error: its code, file and sentence."""
        return self._hashed(error.code, file, error.text)

    def _hashed(self, *facts: str) -> str:
        number = self._seen[facts] = self._seen.get(facts, 0) + 1
        text = "\x1f".join(map(escape, (*facts, str(number)) if number > 1 else facts))
        return hashlib.sha256(text.encode()).hexdigest()


class RepositoryLocation(NamedTuple):
    """A place in a file; ``line`` 0 means the file as a whole."""

    path: str
    """Relative to the repository; as it was named where ``inside`` is false."""
    line: int
    column: int
    end: int
    """The column behind the last character that is meant."""
    inside: bool
    """Whether it is a file of the repository: not standard input, an option, another revision, a bundled spec."""


def place(span: Span) -> RepositoryLocation:
    """Return where a span is; without a repository, relative to the current folder."""
    path = _relative(span.file)
    return RepositoryLocation(path or span.file, span.line, span.column, span.column + max(1, span.extent), bool(path))


def _relative(file: str) -> str:
    """Return a file's path below the root, or nothing where it is none: ``<stdin>``, ``zoo:NAME``, ``REV:PATH``."""
    if file.startswith(("<", "--")) or (":" in file.replace(os.sep, "/").partition("/")[0] and not os.path.isabs(file)):
        return ""
    here = os.getcwd()
    path = os.path.relpath(os.path.join(here, file), repository_root(here) or here).replace(os.sep, "/")
    return "" if path in ("", ".", "..") or path.startswith("../") else path
