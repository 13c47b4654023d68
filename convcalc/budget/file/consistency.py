"""Keys of a budget that make no sense together."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.budget.file.conditions import CONDITIONS
from convcalc.budget.file.fields import FORM, WORD, Fields, listed
from convcalc.budget.file.metrics import measure
from convcalc.budget.file.rules import BOUNDS, RULES, metric
from convcalc.budget.file.types import RATIO, SHARE, TIME, Budget, Metric
from convcalc.errors import Span, SpecError, quoted
from convcalc.metrics.metric import Measure
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import Mapping, Scalar

# --- what makes no sense together -------------------------------------------------------------------------------------


def _senseless(budget: Budget, given: Fields) -> Iterator[SpecError]:
    """Give what a budget cannot mean, though each part of it is well formed."""
    metrics = list(_metrics(given))
    forms = {what.form for _, what, _ in metrics}
    if budget.against and RATIO not in forms:
        text = "nothing is held against this design: no limit is a ratio"
        yield SpecError(FORM, text, budget.against.span, hint='such as max: {"params/": 0.45}')
    chosen = budget.layers is not None or budget.per != "total"
    for rule, what, span in metrics:
        if what.form == RATIO and not budget.against:
            text = f"{quoted(what.text)} is a ratio, and `against` does not say to which design"
            yield SpecError(FORM, text, span, hint="such as against: models/base.yaml")
        if what.form == SHARE and not chosen:
            text = f"{quoted(what.text)} of a whole design is always 100%"
            yield SpecError(FORM, text, span, hint="say of which `layers`, or `per: layer`")
        found = measure(what.key)
        if not found.additive and chosen and not (rule in BOUNDS and budget.per in _each(found)):
            text = f"{what.key} is no sum over layers, so that layers cannot be limited in it"
            ways = " or ".join(f"`per: {each}`" for each in _each(found))
            hint = "leave `layers` and `per` out, for the whole design" + f", or write {ways}" * (rule in BOUNDS)
            yield SpecError(WORD, text, span, hint=hint)
        if what.key == TIME and budget.conditions.device is None:
            yield SpecError(FORM, f"{TIME} is that of a device", span, hint="such as device: h100-sxm")
    if any(key in given for key in CONDITIONS):
        for rule in RULES[len(BOUNDS) :]:
            if rule in given:
                text = f"{rule} is held against a baseline, which is of one sample in float32"
                hint = f"put it into a budget without {', '.join(key for key in CONDITIONS if key in given)}"
                yield SpecError(FORM, text, given[rule][0].span, hint=hint)


def _each(found: Measure) -> tuple[str, ...]:
    """Return for what parts of a design a metric that is no sum may be limited."""
    return ("layer", "group") if found.of_layers or found.both else ("group",)


def _metrics(given: Fields) -> Iterator[tuple[str, Metric, Span]]:
    """Give every metric of a budget that stands, with its rule and its place."""
    for rule in RULES:
        node = given[rule][1] if rule in given else None
        held = node.get("metrics") if rule == "ratchet" and isinstance(node, Mapping) else None
        keys = [key for key, _ in node.pairs] if isinstance(node, Mapping) else []
        for key in keys if held is None or is_empty(held) else listed(held, "metrics"):
            if isinstance(key, Scalar):
                yield rule, metric(key), key.span
