"""Keys of a budget that make no sense together."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.budget.file.conditions import CONDITION_KEYS
from convcalc.budget.file.fields import BAD_STRUCTURE, UNKNOWN_WORD, Fields, read_list
from convcalc.budget.file.rules import ABSOLUTE_RULES, RULES, read_metric
from convcalc.budget.file.types import RATIO_SUFFIX, SHARE_SUFFIX, Budget, LimitedMetric
from convcalc.errors import Span, SpecError, quoted
from convcalc.metrics.metric import Metric
from convcalc.report.metrics import LEAST_TIME, metric
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import MapNode, ScalarNode


def contradictions(budget: Budget, given: Fields) -> Iterator[SpecError]:
    """Give what a budget cannot mean, though each part of it is well formed."""
    metrics = list(_metrics_by_rule(given))
    forms = {what.suffix for _, what, _ in metrics}
    if budget.against and RATIO_SUFFIX not in forms:
        text = "`against` is unused: no limit is a ratio"
        yield SpecError(BAD_STRUCTURE, text, budget.against.span, hint='such as max: {"params/": 0.45}')
    chosen = budget.layers is not None or budget.per != "total"
    for rule, what, span in metrics:
        if what.suffix == RATIO_SUFFIX and not budget.against:
            text = f"{quoted(what.label)} is a ratio, and `against` does not say to which design"
            yield SpecError(BAD_STRUCTURE, text, span, hint="such as against: models/base.yaml")
        if what.suffix == SHARE_SUFFIX and not chosen:
            text = f"{quoted(what.label)} of a whole design is always 100%"
            yield SpecError(BAD_STRUCTURE, text, span, hint="say of which `layers`, or `per: layer`")
        found = metric(what.key)
        granularities = _allowed_granularities(found) if rule in ABSOLUTE_RULES else ()
        if not found.is_additive and chosen and budget.per not in granularities:
            text = f"{what.key} is not additive, so that layers cannot be limited in it"
            hint = "leave `layers` and `per` out, for the whole design"
            if granularities:
                hint += f", or write {' or '.join(f'`per: {each}`' for each in granularities)}"
            yield SpecError(UNKNOWN_WORD, text, span, hint=hint)
        if what.key == LEAST_TIME and budget.conditions.device is None:
            yield SpecError(BAD_STRUCTURE, f"{LEAST_TIME} is that of a device", span, hint="such as device: h100-sxm")
    conditions = ", ".join(key for key in CONDITION_KEYS if key in given)
    for rule in RULES[len(ABSOLUTE_RULES) :] if conditions else ():
        if rule in given:
            text = f"{rule} compares with the baseline, which is for batch 1 and float32"
            hint = f"put it into a budget without {conditions}"
            yield SpecError(BAD_STRUCTURE, text, given[rule][0].span, hint=hint)


def _allowed_granularities(found: Metric) -> tuple[str, ...]:
    """Return for what parts of a design a metric that is not a sum may be limited."""
    return ("group",) if found.per_sample else ("layer", "group")


def _metrics_by_rule(given: Fields) -> Iterator[tuple[str, LimitedMetric, Span]]:
    """Give every metric of a budget that stands, with its rule and its place."""
    for rule in RULES:
        node = given[rule][1] if rule in given else None
        held = node.get("metrics") if rule == "ratchet" and isinstance(node, MapNode) else None
        keys = [key for key, _ in node.pairs] if isinstance(node, MapNode) else []
        for key in keys if held is None or is_empty(held) else read_list(held, "metrics"):
            if isinstance(key, ScalarNode):
                yield rule, read_metric(key), key.span
