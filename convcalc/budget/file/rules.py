"""The rules of a budget, read: limits on metrics, growth over the baseline, ratchets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

from convcalc import quantities
from convcalc.budget.file.fields import BAD_STRUCTURE, UNKNOWN_WORD, read_list, read_mapping
from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, GrowthLimit, Limit, LimitedMetric
from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.metrics.registry import core_metrics
from convcalc.number_format import format_count, format_percent
from convcalc.report.metrics import documented_keys, find_metric, metric
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.yaml.fields import mapping_entries
from convcalc.spec.yaml.nodes import ScalarNode, YamlNode

QUANTITY = "CC633"
METRIC_SUFFIXES = ("", SHARE_SUFFIX, RATIO_SUFFIX)
ABSOLUTE_RULES = ("max", "min", "equals")
RULES = (*ABSOLUTE_RULES, "growth", "ratchet")
RATCHET_KEYS = ("metrics", "headroom", "floor")
BYTES, TIMES = "bytes", "ns"
_OR = re.compile(r"(?<= )or(?= )")
Entry = TypeVar("Entry")


def read_metric(node: ScalarNode, forms: Iterable[str] = METRIC_SUFFIXES) -> LimitedMetric:
    """Read what is limited: its key, and behind that ``%`` or ``/``, where those are taken.

    Raises:
        SpecError: CC632.
    """
    key, form = (node.text[:-1], node.text[-1]) if node.text[-1:] in (SHARE_SUFFIX, RATIO_SUFFIX) else (node.text, "")
    forms = tuple(forms)
    if find_metric(key) is None:
        known = [f"{each}{form}" for each in documented_keys() for form in forms]
        text = f"no metric {quoted(node.text)}{did_you_mean(node.text, known)}"
        raise SpecError(
            UNKNOWN_WORD, text, node.span, hint=f"metrics: {', '.join(documented_keys())}; or a tool's, such as fvcore"
        )
    if SHARE_SUFFIX not in forms and key not in core_metrics():
        text = f"growth and ratchet do not support {quoted(key)}: baselines do not store it"
        raise SpecError(UNKNOWN_WORD, text, node.span, hint="max, min and equals take it")
    if form not in forms:
        text = f"growth and ratchet are of metrics themselves, not of {quoted(node.text)}"
        raise SpecError(UNKNOWN_WORD, text, node.span, hint=f"write {key}")
    if form == SHARE_SUFFIX and metric(key).values_and_total is not None:
        text = f"{key} is not additive, so that no layer has a share of it"
        raise SpecError(UNKNOWN_WORD, text, node.span, hint=f"limit {key} itself")
    return LimitedMetric(key, form)


# --- max, min, equals -------------------------------------------------------------------------------------------------


def read_limits(node: YamlNode, what: str, errors: list[SpecError]) -> tuple[Limit, ...]:
    """Read the bounds of ``max``, ``min`` or ``equals``; faults are gathered."""
    return tuple(_read_entries(node, what, f"{what}: {{params: 5.5M}}", read_limit, errors))


def _read_entries(
    node: YamlNode, what: str, form: str, read: Callable[[ScalarNode, YamlNode], Entry], errors: list[SpecError]
) -> Iterator[Entry]:
    """Give what each metric of a rule is read as; faults are gathered."""
    with collect_errors(errors):
        for key, value in mapping_entries(node, what, form, BAD_STRUCTURE):
            with collect_errors(errors):
                yield read(key, value)


def read_limit(key: ScalarNode, node: YamlNode) -> Limit:
    """Read one bound: a metric and its value.

    Raises:
        SpecError: CC632 for the metric, CC633 for the value.
    """
    what = read_metric(key)
    given = _quantity_text(node, what.label, key.span)
    return Limit(what, _read_value(what, given), given.text, given.span)


def _quantity_text(node: YamlNode, what: str, span: Span) -> ScalarNode:
    if not isinstance(node, ScalarNode):
        raise SpecError(QUANTITY, f"{what} takes one quantity", node.span, hint=quantities.FORM)
    if not node.text.strip() or node.is_empty:
        raise SpecError(QUANTITY, f"no quantity follows {what}", span, hint=quantities.FORM)
    return node._replace(text=node.text.strip())


def _read_value(what: LimitedMetric, given: ScalarNode) -> Fraction:
    if what.suffix == SHARE_SUFFIX:
        return read_percentage(given, f"a share of the design's {what.key}")
    if what.suffix == RATIO_SUFFIX:
        return _parse_scalar(given, quantities.parse_ratio, f"a ratio of {what.key}", "a decimal such as 0.45, or 45%")
    return _read_amount(what, given)


def read_percentage(given: ScalarNode, what: str) -> Fraction:
    """Read a percentage; a bare number is refused, whatever it means.

    Raises:
        SpecError: CC633.
    """
    if quantities.parse_quantity(given.text) is not None and quantities.parse_percentage(given.text) is None:
        raise SpecError(QUANTITY, f"{what} must be a percentage, not {quoted(given.text)}", given.span,
                        hint=_percentage_hint(given.text))  # fmt: skip
    return _parse_scalar(given, quantities.parse_percentage, what, "a percentage such as 40%")


def _percentage_hint(text: str) -> str:
    if quantities.parse_ratio(text) is None:
        return "a percentage such as 40%"
    return f"write {quantities.decimal_to_percentage(text)}" + (f", or {text}%" if Fraction(text) >= 1 else "")


def _read_amount(what: LimitedMetric, given: ScalarNode) -> Fraction:
    """Read a quantity of a metric; ``B`` is for bytes alone, and a unit of time for times."""
    unit = metric(what.key).unit
    if unit == TIMES and (time := quantities.parse_duration(given.text)) is not None:
        return time
    if quantities.has_byte_suffix(given.text) and unit != BYTES and quantities.parse_quantity(given.text) is not None:
        hint = f"without the B: {given.text[:-1]}; for 10⁹ write G"
        raise SpecError(
            QUANTITY, f"{what.key} does not take a byte suffix: {quoted(given.text)}", given.span, hint=hint
        )
    if given.text.endswith("%"):
        hint = f"for a share of the design's total write {quoted(what.key + SHARE_SUFFIX)}: {given.text}"
        raise SpecError(QUANTITY, f"{what.key} takes a quantity, not {quoted(given.text)}", given.span, hint=hint)
    near = quantities.intended_quantity(given.text)
    hint = f"write {near}" if near else quantities.FORM
    if unit == TIMES:
        hint = "nanoseconds, or a time with its unit: 2.5ms"
    return _parse_scalar(given, quantities.parse_quantity, f"a quantity of {what.key}", hint)


def _parse_scalar(given: ScalarNode, reader: Callable[[str], Fraction | None], what: str, hint: str) -> Fraction:
    value = reader(given.text)
    if value is None:
        lowest = "; the least is 0" if given.text.startswith(("-", "−")) else ""
        raise SpecError(QUANTITY, f"{quoted(given.text)} is not {what}{lowest}", given.span, hint=hint)
    return value


def require_satisfiable(most: Iterable[Limit], least: Iterable[Limit]) -> None:
    """Reject limits on one metric that no value is within.

    Raises:
        SpecError: CC631, at the lower limit.
    """
    highest = {limit.metric: limit for limit in sorted(most, key=lambda limit: limit.value, reverse=True)}
    for low in least:
        high = highest.get(low.metric)
        if high is not None and low.value > high.value:
            text = f"min {low.metric.label} {low.text} is above max {low.metric.label} {high.text}"
            raise SpecError(BAD_STRUCTURE, f"{text}: no value is within both", low.span, hint="change one of the two")


# --- growth and ratchet -----------------------------------------------------------------------------------------------


def read_growth(node: YamlNode, errors: list[SpecError]) -> tuple[GrowthLimit, ...]:
    """Read how much metrics may grow; faults are gathered."""
    return tuple(_read_entries(node, "growth", "growth: {params: +1%}", _read_metric_growth, errors))


def _read_metric_growth(key: ScalarNode, node: YamlNode) -> GrowthLimit:
    what = read_metric(key, ("",))
    given = _quantity_text(node, what.label, key.span)
    part_of: Fraction | None = None
    amount: Fraction | None = None
    for part in _split_alternatives(given):
        if part.text.endswith("%"):
            if part_of is not None:
                raise SpecError(QUANTITY, "an allowance has one percentage", part.span, hint="such as +2% or +5M")
            part_of = _parse_scalar(_without_plus(part), quantities.parse_percentage, "a percentage", "such as +1%")
        else:
            if amount is not None:
                raise SpecError(QUANTITY, "an allowance has one amount", part.span, hint="such as +2% or +5M")
            amount = _read_growth_amount(what, _without_plus(part))
    nothing = Fraction(0)
    return GrowthLimit("growth", what, part_of or nothing, amount or nothing, nothing, given.text, given.span)


def _split_alternatives(given: ScalarNode) -> Iterator[ScalarNode]:
    """Give what stands beside ``or``, each at its place where columns inside the text can be told."""
    start = 0
    for end in (*(found.start() for found in _OR.finditer(given.text)), len(given.text)):
        text = given.text[start:end]
        left = start + len(text) - len(text.lstrip())
        span = given.span.subspan(left, left + len(text.strip())) if given.is_plain else given.span
        yield given._replace(text=text.strip(), span=span)
        start = end + len("or")


def _without_plus(part: ScalarNode) -> ScalarNode:
    return part._replace(text=part.text.removeprefix("+"))


def _read_growth_amount(what: LimitedMetric, part: ScalarNode) -> Fraction:
    """Read an amount; a bare decimal is refused, for it looks like a share."""
    if ("." in part.text or "e-" in part.text.lower()) and quantities.parse_ratio(part.text) is not None:
        text = f"growth must be a percentage or an amount, not {quoted(part.text)}"
        raise SpecError(QUANTITY, text, part.span, hint=f"write +{quantities.decimal_to_percentage(part.text)}")
    if part.text.startswith(("-", "−")):
        text = f"{quoted(part.text)} allows no growth; the least is 0"
        raise SpecError(QUANTITY, text, part.span, hint="to demand less than there is, set a max")
    if not part.text:
        raise SpecError(QUANTITY, "an allowance is missing beside `or`", part.span, hint="such as +2% or +5M")
    return _read_amount(what, part)


def read_ratchet(key: ScalarNode, node: YamlNode, errors: list[SpecError]) -> tuple[GrowthLimit, ...]:
    """Read a ratchet; faults are gathered."""
    given = read_mapping(node, "ratchet", RATCHET_KEYS, errors)
    metrics, headroom, floor = list[LimitedMetric](), Fraction(0), Fraction(0)
    items = read_list(given["metrics"][1], "metrics") if "metrics" in given else []
    if not items:
        errors.append(SpecError(BAD_STRUCTURE, "a ratchet needs `metrics`", key.span, hint="such as metrics: [params]"))
        return ()
    for item in items:
        with collect_errors(errors):
            if not isinstance(item, ScalarNode):
                raise SpecError(BAD_STRUCTURE, "metrics is a list of metrics", item.span)
            metrics.append(read_metric(item, ("",)))
    with collect_errors(errors):
        if "headroom" in given:
            written = _quantity_text(given["headroom"][1], "headroom", key.span)
            headroom = read_percentage(_without_plus(written), "headroom")
    with collect_errors(errors):
        if "floor" in given:
            written = _quantity_text(given["floor"][1], "floor", key.span)
            floor = next(iter([_read_amount(what, written) for what in metrics]), floor)
    text = "the ratchet" + (f" with {format_percent(headroom)} headroom" if headroom else "")
    text += f" and a floor of {format_count(floor)}" if floor else ""
    return tuple(GrowthLimit("ratchet", each, headroom, Fraction(0), floor, text, key.span) for each in metrics)
