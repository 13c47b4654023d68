"""The JSON Schema of budget files, made from the metrics and the kinds: what an editor completes and underlines.

What the program accepts is never underlined. What only the whole file can tell is left to the program: that ids differ,
that a ratio has something to be compared with, that globs are well formed.
"""

from __future__ import annotations

from collections.abc import Iterable

from convcalc import quantities
from convcalc.budget.file.entries import BUDGET_KEYS, DEFAULT_KEYS, MAX_ID_LENGTH, WAIVER_KEYS
from convcalc.budget.file.reader import BASELINE_KINDS, TOP_LEVEL_KEYS
from convcalc.budget.file.rules import BYTES, RATCHET_KEYS, RULES, TIMES
from convcalc.budget.file.selectors import LAYER_FILTER_KEYS
from convcalc.budget.file.types import GRANULARITIES, OFF, RATIO_SUFFIX, SEVERITIES, SHARE_SUFFIX
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import core_metrics, report_metrics
from convcalc.ops.arguments import JsonSchema
from convcalc.ops.registry import kinds
from convcalc.report.metrics import detail_metrics, profile_metrics
from convcalc.spec.json_schema import DRAFT, TEXT_SCHEMA, array_of, closed_object, described, one_or_more, ref

NON_EMPTY_TEXT: JsonSchema = {**TEXT_SCHEMA, "minLength": 1}
PATTERN = "A glob from this file's folder, FILE, FILE@VARIANT or FILE#PATH; ! takes away."
ALLOWANCE = rf"\+?(?:{quantities.QUANTITY}|{quantities.PERCENT})"


def budget_schema() -> JsonSchema:
    """Return the schema, draft-07, of a budget file."""
    return {
        "$schema": DRAFT,
        "title": "convcalc budget file",
        "description": "Limits on the metrics of designs, which `convcalc check` judges.",
        **closed_object(_sections(), TOP_LEVEL_KEYS, ["version", "budgets"]),
        "definitions": {
            "patterns": one_or_more(described(PATTERN, {"type": "string", "minLength": 1}), 1),
            "quantity": _number(quantities.AMOUNT),
            "bytes": _number(quantities.QUANTITY),
            "time": _number(rf"(?:{quantities.AMOUNT}|{quantities.TIME})"),
            "share": {"type": "string", "pattern": f"^{quantities.PERCENT}$"},
            "ratio": _number(quantities.RATIO),
            "allowance": {"type": ["integer", "string"], "minimum": 0,
                          "pattern": f"^{ALLOWANCE}( +or +{ALLOWANCE})?$"},
            "metric": {"enum": [measure.key for measure in report_metrics()]},
            "limits": _limits(),
            **_settings(),
        },
    }  # fmt: skip


def _sections() -> dict[str, JsonSchema]:
    origins = {
        "git": described("A revision, or merge-base: what the branch was forked from.", NON_EMPTY_TEXT),
        "file": described("A file that `convcalc baseline write` writes; relative to this one.", NON_EMPTY_TEXT),
    }
    return {
        "version": described("Version of the format.", {"enum": [1, "1"]}),
        "note": described("A remark for people.", TEXT_SCHEMA),
        "baseline": described(
            "What designs counted before, for growth and ratchets.",
            {**closed_object(origins, BASELINE_KINDS), "minProperties": 1, "not": {"required": list(BASELINE_KINDS)}},
        ),
        "defaults": described(
            "What budgets have that do not say otherwise.", closed_object(_refs(DEFAULT_KEYS), DEFAULT_KEYS)
        ),
        "budgets": described("The budgets; every one that matches a design applies.", array_of(_budget(), 1)),
        "waivers": described("Budgets that designs may break until a day.", array_of(_waiver())),
    }


def _budget() -> JsonSchema:
    parts = {
        "id": described("Stable name of the budget, in every output.", {**NON_EMPTY_TEXT, "maxLength": MAX_ID_LENGTH}),
        "note": described("A remark for people.", TEXT_SCHEMA),
        "designs": described("Which designs are meant.", ref("patterns")),
        "layers": described("Which of their layers are meant; else all.", _layers()),
        "per": described(
            "What is limited: the sum of the layers, each layer, or each group.", {"enum": list(GRANULARITIES)}
        ),
        "max": described("What metrics may be at most.", ref("limits")),
        "min": described("What metrics must be at least.", ref("limits")),
        "equals": described("What metrics must be.", ref("limits")),
        "growth": described(
            "How much metrics may grow over the baseline: +1%, +5M, or the larger of both.",
            closed_object(
                {measure.key: described(f"{_meaning(measure)}.", ref("allowance")) for measure in report_metrics()}
            ),
        ),
        "ratchet": described("Metrics that may not exceed the larger of baseline and floor.", _ratchet()),
        "against": described("The design that ratios are to.", {"type": "string", "minLength": 1}),
        "batch": described(
            "Batch size for max, min and equals.",
            {"type": ["integer", "string", "null"], "minimum": 1, "pattern": f"^ *{quantities.AMOUNT} *$"},
        ),
        "dtype": described(
            "Number format, for max, min and equals: int8, or 'float16, stage1.**=int8'.",
            {"type": ["string", "null"], "minLength": 1},
        ),
        "device": described(
            "What least_time is of: the name of a device, or the path of its file.",
            {"type": ["string", "null"], "minLength": 1},
        ),
        **_refs(DEFAULT_KEYS),
    }
    ruled = {"anyOf": [{"required": [rule]} for rule in RULES]}
    return {**closed_object(parts, BUDGET_KEYS, ["id", "designs"]), **ruled}


def _layers() -> JsonSchema:
    parts = {
        "name": described(
            "Globs over the paths of layers: * within a segment, ** across.", one_or_more(NON_EMPTY_TEXT, 1)
        ),
        "op": described("Kinds of layers.", one_or_more({"enum": list(kinds())}, 1)),
    }
    return {**closed_object(parts, LAYER_FILTER_KEYS), "minProperties": 1}


def _limits() -> JsonSchema:
    """Return the metrics in their three forms, each with what it takes."""
    known = (*core_metrics().values(), *detail_metrics().values(), *profile_metrics().values())
    types = {BYTES: "bytes", TIMES: "time"}
    plain = {each.key: described(f"{_meaning(each)}.", ref(types.get(each.unit, "quantity"))) for each in known}
    forms = {SHARE_SUFFIX: ("a share of the design's total", "share"), RATIO_SUFFIX: ("a ratio to `against`", "ratio")}
    others = {
        f"{each.key}{form}": described(f"{_meaning(each)}; as {words}.", ref(taken))
        for form, (words, taken) in forms.items()
        for each in known
        if form == RATIO_SUFFIX or each.values_and_total is None
    }
    return closed_object(plain | others)


def _meaning(measure: Metric) -> str:
    return f"{measure.title}: {measure.meaning}"


def _ratchet() -> JsonSchema:
    parts = {
        "metrics": described("Which metrics.", {"anyOf": [ref("metric"), array_of(ref("metric"), 1)]}),
        "headroom": described(
            "How much above the baseline is let pass.", _number(rf"\+?{quantities.PERCENT}", "string")
        ),
        "floor": described("Up to what a metric may grow in any case.", ref("bytes")),
    }
    return closed_object(parts, RATCHET_KEYS, ["metrics"])


def _settings() -> dict[str, JsonSchema]:
    loose = {"type": "string", "pattern": f"^({quantities.PERCENT}|{OFF})$"}
    return {
        "severity": described("How severe a violated limit is.", {"enum": list(SEVERITIES)}),
        "unmatched": described("How bad a budget is that matches nothing.", {"enum": [*SEVERITIES, OFF]}),
        "loose_below": described("A limit of which less than this share is used is noted as loose.", loose),
    }


def _waiver() -> JsonSchema:
    parts = {
        "budget": described("Id of the budget.", NON_EMPTY_TEXT),
        "design": described("The design, or a glob of designs.", {"type": "string", "minLength": 1}),
        "until": described("The last day, as YYYY-MM-DD.", _number("[0-9]{4}-[0-9]{2}-[0-9]{2}", "string")),
        "reason": described("Why.", NON_EMPTY_TEXT),
    }
    return closed_object(parts, WAIVER_KEYS, list(WAIVER_KEYS))


def _refs(names: Iterable[str]) -> dict[str, JsonSchema]:
    return {name: ref(name) for name in names}


def _number(pattern: str, *types: str) -> JsonSchema:
    """A number that is not negative, or a text of this form."""
    if types:
        return {"type": list(types) if len(types) > 1 else types[0], "pattern": f"^{pattern}$"}
    return {"type": ["number", "string"], "minimum": 0, "pattern": f"^{pattern}$"}
