"""The entries of a budget file, read: budgets and waivers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from fractions import Fraction

from convcalc.budget.file.fields import (
    BAD_STRUCTURE,
    UNKNOWN_WORD,
    Fields,
    read_list,
    read_mapping,
    read_optional,
    read_optional_choice,
    read_scalar,
)
from convcalc.budget.file.rules import (
    ABSOLUTE_RULES,
    RULES,
    read_growth,
    read_limits,
    read_metric,
    read_percentage,
    read_ratchet,
    require_satisfiable,
)
from convcalc.budget.file.selectors import (
    CONDITION_KEYS,
    GLOB,
    read_conditions,
    read_design_name,
    read_design_pattern,
    read_design_patterns,
    read_layer_filter,
)
from convcalc.budget.file.types import (
    GRANULARITIES,
    OFF,
    RATIO_SUFFIX,
    SEVERITIES,
    SHARE_SUFFIX,
    Budget,
    LimitedMetric,
    ReferenceDesign,
    Waiver,
)
from convcalc.errors import Span, SpecError, did_you_mean, escape, quoted
from convcalc.records import NamedTuple, dataclass, field
from convcalc.report.metrics import LEAST_TIME, metric
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.yaml.fields import is_empty
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, YamlNode


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
        parts = ("group",) if found.per_sample else ("layer", "group")  # for which a metric that is no sum is known
        granularities = parts if rule in ABSOLUTE_RULES else ()
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


def _metrics_by_rule(given: Fields) -> Iterator[tuple[str, LimitedMetric, Span]]:
    """Give every metric of a budget that stands, with its rule and its place."""
    for rule in RULES:
        node = given[rule][1] if rule in given else None
        held = node.get("metrics") if rule == "ratchet" and isinstance(node, MapNode) else None
        keys = [key for key, _ in node.pairs] if isinstance(node, MapNode) else []
        for key in keys if held is None or is_empty(held) else read_list(held, "metrics"):
            if isinstance(key, ScalarNode):
                yield rule, read_metric(key), key.span


QUANTITY, WAIVER, ID = "CC633", "CC635", "CC636"
DEFAULT_KEYS = ("severity", "unmatched", "loose_below")
BUDGET_KEYS = ("id", "note", "designs", "layers", "per", *RULES, "against", *CONDITION_KEYS, *DEFAULT_KEYS)
WAIVER_KEYS = ("budget", "design", "until", "reason")
MAX_ID_LENGTH = 200
"""Characters."""
MAX_IDS_IN_HINT = 10
CLAIM_ID_PREFIX = "claim:"
"""Ids of claims begin so."""
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class BudgetDefaults(NamedTuple):
    """What ``defaults`` may say for all budgets, and each budget for itself."""

    severity: str = "error"
    unmatched: str = "error"
    loose_below: Fraction | None = None


def read_defaults(given: Fields, inherited: BudgetDefaults, errors: list[SpecError]) -> BudgetDefaults:
    """Read what is said; the rest is inherited."""
    severity, unmatched, loose_below = inherited
    return BudgetDefaults(
        read_optional_choice(given, "severity", SEVERITIES, severity, errors),
        read_optional_choice(given, "unmatched", (*SEVERITIES, OFF), unmatched, errors),
        read_optional(given, "loose_below", _read_loose_below, loose_below, errors),
    )


def _read_loose_below(given: ScalarNode) -> Fraction | None:
    if given.text == OFF:
        return None
    value = read_percentage(given, "loose_below")
    if value > 1:
        text = f"loose_below cannot exceed 100%: {quoted(given.text)}"
        raise SpecError(QUANTITY, text, given.span, hint=f"at most 100%, or {OFF}")
    return value


@dataclass(slots=True)
class EntryReader:
    """Reads budgets and waivers; what is wrong is gathered, and what can be read of the rest is read."""

    folder: str
    errors: list[SpecError]
    ids: dict[str, ScalarNode] = field(default_factory=dict)
    """Where each id first stands."""

    # --- budgets ------------------------------------------------------------------------------------------------------

    def read_budget(self, node: YamlNode, inherited: BudgetDefaults) -> Budget | None:
        """Read one budget."""
        with collect_errors(self.errors):
            given = read_mapping(node, "a budget", BUDGET_KEYS, self.errors)
            before = len(self.errors)
            id_, span = self._read_id(given, node)
            read_optional(given, "note", str, "", self.errors)
            designs = given.get("designs")
            patterns = read_design_patterns(designs[1], self.folder, self.errors) if designs else ()
            defaults = read_defaults(given, inherited, self.errors)
            limits = {rule: read_limits(given[rule][1], rule, self.errors) for rule in ABSOLUTE_RULES if rule in given}
            growth = read_growth(given["growth"][1], self.errors) if "growth" in given else ()
            ratchet = read_ratchet(*given["ratchet"], self.errors) if "ratchet" in given else ()
            found = Budget(id_, span, patterns, **defaults._asdict())._replace(
                max=limits.get("max", ()),
                min=limits.get("min", ()),
                equals=limits.get("equals", ()),
                growth=growth + ratchet,
                layers=read_layer_filter(*given["layers"], self.errors) if "layers" in given else None,
                per=read_optional_choice(given, "per", GRANULARITIES, GRANULARITIES[0], self.errors),
                against=read_optional(given, "against", self._read_against, None, self.errors),
                conditions=read_conditions(given, self.folder, self.errors),
            )
            if len(self.errors) == before:
                self._require_complete(found)
                self.errors += contradictions(found, given)
                require_satisfiable(found.max, found.min)
            return found
        return None

    def _read_against(self, written: ScalarNode) -> ReferenceDesign:
        return ReferenceDesign(read_design_name(written, self.folder), written.span)

    def _require_complete(self, budget: Budget) -> None:
        lacks = [] if budget.designs else ["`designs`"]
        if not (budget.max or budget.min or budget.equals or budget.growth):
            lacks.append(f"a rule: one of {', '.join(RULES)}")
        if lacks:
            text = f"the budget {quoted(budget.id)} needs {' and '.join(lacks)}"
            hint = "such as designs: [models/**/*.yaml] and max: {params: 5M}"
            self.errors.append(SpecError(BAD_STRUCTURE, text, budget.span, hint))

    def _read_id(self, given: Fields, node: YamlNode) -> tuple[str, Span]:
        """Return an id in its normal form (NFC) and its place; the budget's place where there is none."""
        with collect_errors(self.errors):
            if "id" not in given:
                text = "a budget needs `id`, by which outputs name it"
                raise SpecError(BAD_STRUCTURE, text, node.span, hint="such as id: edge")
            written = read_scalar(given["id"][1], "id")
            id_ = unicodedata.normalize("NFC", written.text)
            first = self.ids.setdefault(id_, written)
            self._require_id(id_, written)
            if first is not written:
                text = f"the id {quoted(id_)} is taken, first on line {first.span.line}"
                raise SpecError(ID, text, written.span, notes=((first.span, "first here"),))
            return id_, written.span
        return "", node.span

    def _require_id(self, id_: str, written: ScalarNode) -> None:
        if len(id_) > MAX_ID_LENGTH:
            raise SpecError(ID, f"the id {quoted(id_)} is longer than {MAX_ID_LENGTH} characters", written.span)
        if escape(id_) != id_ or id_ != id_.strip():
            rule = "is one line of printable text without blanks at its ends"
            raise SpecError(ID, f"an id {rule}, and {quoted(id_)} is not", written.span)
        if id_.startswith(CLAIM_ID_PREFIX):
            text = f"the id prefix {CLAIM_ID_PREFIX} is reserved: {quoted(id_)}"
            raise SpecError(ID, text, written.span)

    # --- waivers ------------------------------------------------------------------------------------------------------

    def read_waiver(self, node: YamlNode) -> Waiver | None:
        """Read one waiver, when all budgets have been read."""
        with collect_errors(self.errors):
            given = read_mapping(node, "a waiver", WAIVER_KEYS, self.errors)
            lacks = [key for key in WAIVER_KEYS if key not in given or _is_blank(given[key][1])]
            if lacks:
                text = f"a waiver needs {' and '.join(f'`{key}`' for key in lacks)}"
                raise SpecError(WAIVER, text, node.span, hint="a waiver needs `reason` and `until: YYYY-MM-DD`")
            budget = self._read_budget_id(read_scalar(given["budget"][1], "budget"))
            until = self._read_date(given["until"][1])
            reason = read_scalar(given["reason"][1], "reason").text.strip()
            pattern = read_design_pattern(read_scalar(given["design"][1], "design"), self.folder)
            if pattern.is_exclusion:
                raise SpecError(GLOB, "a waiver says which design it covers, not which it does not", pattern.span)
            return Waiver(budget, pattern, until, reason, node.span) if until else None
        return None

    def _read_budget_id(self, given: ScalarNode) -> str:
        id_ = unicodedata.normalize("NFC", given.text)
        if id_ not in self.ids:
            text = f"no budget has the id {quoted(id_)}{did_you_mean(id_, self.ids)}"
            known = ", ".join(map(quoted, list(self.ids)[:MAX_IDS_IN_HINT]))
            self.errors.append(SpecError(WAIVER, text, given.span, hint=f"budgets of this file: {known}"))
        return id_

    def _read_date(self, node: YamlNode) -> date | None:
        with collect_errors(self.errors):
            given = read_scalar(node, "until")
            text = f"{quoted(given.text)} is not a day as YYYY-MM-DD"
            if found := _DAY.fullmatch(given.text):
                text = f"there is no day {quoted(given.text)}"
                with suppress(ValueError):
                    return date(*map(int, found.groups()))
            raise SpecError(WAIVER, text, given.span, hint="year, month, day: 2030-12-31")
        return None


def _is_blank(node: YamlNode) -> bool:
    return isinstance(node, ScalarNode) and not node.text.strip()
