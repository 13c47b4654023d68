"""The JSON Schema of budget files, made from the metrics and the kinds: what an editor completes and underlines.

What the program accepts is never underlined. What only the whole file can tell is left to the program: that ids differ,
that a ratio has something to be held against, that globs are well formed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcalc import quantities
from convcalc.budget.file.entries import KEYS, LONGEST_ID, SETTINGS, WAIVED
from convcalc.budget.file.metrics import facts, metrics, tools
from convcalc.budget.file.reader import ORIGINS, TOP
from convcalc.budget.file.rules import BYTES, RATCHET, RULES, TIMES
from convcalc.budget.file.selectors import CHOSEN
from convcalc.budget.file.types import OFF, PER, RATIO, SEVERITIES, SHARE
from convcalc.metrics.metric import Measure
from convcalc.metrics.registry import measures
from convcalc.ops.arguments import JsonSchema
from convcalc.ops.registry import kinds

DRAFT = "http://json-schema.org/draft-07/schema#"
TEXT: JsonSchema = {"type": ["string", "number", "boolean"]}
FILLED: JsonSchema = {**TEXT, "minLength": 1}
ALLOWANCE = rf"\+?(?:{quantities.QUANTITY}|{quantities.PERCENT})"


def budget_schema() -> JsonSchema:
    """Return the schema, draft-07, of a budget file."""
    return {
        "$schema": DRAFT,
        "title": "convcalc budget file",
        "description": "Limits on the metrics of designs, which `convcalc check` judges.",
        **_object(_sections(), TOP, ["version", "budgets"]),
        "definitions": {
            "patterns": _several(_said("A glob from this file's folder, FILE, FILE@VARIANT or FILE#PATH; ! takes away.",
                                       {"type": "string", "minLength": 1})),
            "quantity": _number(quantities.AMOUNT),
            "bytes": _number(quantities.QUANTITY),
            "time": _number(rf"(?:{quantities.AMOUNT}|{quantities.TIME})"),
            "share": {"type": "string", "pattern": f"^{quantities.PERCENT}$"},
            "ratio": _number(quantities.RATIO),
            "allowance": {"type": ["integer", "string"], "minimum": 0,
                          "pattern": f"^{ALLOWANCE}( +or +{ALLOWANCE})?$"},
            "metric": {"enum": [measure.key for measure in measures()]},
            "limits": _limits(),
            **_settings(),
        },
    }  # fmt: skip


def _sections() -> dict[str, JsonSchema]:
    """Return what each top-level key holds."""
    origins = {
        "git": _said("A revision, or merge-base: what the branch was forked from.", FILLED),
        "file": _said("A file that `convcalc baseline write` writes; relative to this one.", FILLED),
    }
    return {
        "version": _said("Version of the format.", {"enum": [1, "1"]}),
        "note": _said("A remark for people.", TEXT),
        "baseline": _said(
            "What designs counted before, for growth and ratchets.",
            {**_object(origins, ORIGINS), "minProperties": 1, "not": {"required": list(ORIGINS)}},
        ),
        "defaults": _said("What budgets have that do not say otherwise.", _object(_refs(SETTINGS), SETTINGS)),
        "budgets": _said("The budgets; every one that matches a design applies.", _list(_budget(), 1)),
        "waivers": _said("Budgets that designs may break until a day.", _list(_waiver())),
    }


def _budget() -> JsonSchema:
    parts = {
        "id": _said("Stable name of the budget, in every output.", {**FILLED, "maxLength": LONGEST_ID}),
        "note": _said("A remark for people.", TEXT),
        "designs": _said("Which designs are meant.", _ref("patterns")),
        "layers": _said("Which of their layers are meant; else all.", _layers()),
        "per": _said("What is limited: the sum of the layers, each layer, or each group.", {"enum": list(PER)}),
        "max": _said("What metrics may be at most.", _ref("limits")),
        "min": _said("What metrics must be at least.", _ref("limits")),
        "equals": _said("What metrics must be.", _ref("limits")),
        "growth": _said("How much metrics may grow over the baseline: +1%, +5M, or the larger of both.", _growth()),
        "ratchet": _said("Metrics that may not exceed the larger of baseline and floor.", _ratchet()),
        "against": _said("The design that ratios are to.", {"type": "string", "minLength": 1}),
        "batch": _said(
            "Samples at once, for max, min and equals.",
            {"type": ["integer", "string", "null"], "minimum": 1, "pattern": f"^ *{quantities.AMOUNT} *$"},
        ),
        "dtype": _said(
            "Number format, for max, min and equals: int8, or 'float16, stage1.**=int8'.",
            {"type": ["string", "null"], "minLength": 1},
        ),
        "device": _said(
            "What least_time is of: the name of a device, or the path of its file.",
            {"type": ["string", "null"], "minLength": 1},
        ),
        **_refs(SETTINGS),
    }
    ruled = {"anyOf": [{"required": [rule]} for rule in RULES]}
    return {**_object(parts, KEYS, ["id", "designs"]), **ruled}


def _layers() -> JsonSchema:
    parts = {
        "name": _said("Globs over the paths of layers: * within a segment, ** across.", _several(FILLED)),
        "op": _said("Kinds of layers.", _several({"enum": list(kinds())})),
    }
    return {**_object(parts, CHOSEN), "minProperties": 1}


def _limits() -> JsonSchema:
    """Return the metrics in their three forms, each with what it takes."""
    known = (*metrics().values(), *facts().values(), *tools().values())
    plain = {each.key: _said(f"{_meaning(each)}.", _ref(_taken(each))) for each in known}
    forms = {SHARE: ("a share of the design's total", "share"), RATIO: ("a ratio to `against`", "ratio")}
    others = {
        f"{each.key}{form}": _said(f"{_meaning(each)}; as {words}.", _ref(taken))
        for form, (words, taken) in forms.items()
        for each in known
        if form == RATIO or each.both is None
    }
    return _object(plain | others)


def _taken(measure: Measure) -> str:
    return {BYTES: "bytes", TIMES: "time"}.get(measure.unit, "quantity")


def _growth() -> JsonSchema:
    return _object({measure.key: _said(f"{_meaning(measure)}.", _ref("allowance")) for measure in measures()})


def _meaning(measure: Measure) -> str:
    return f"{measure.title}: {measure.meaning}"


def _ratchet() -> JsonSchema:
    parts = {
        "metrics": _said("Which metrics.", {"anyOf": [_ref("metric"), _list(_ref("metric"), 1)]}),
        "headroom": _said("How much above the baseline is let pass.", _number(rf"\+?{quantities.PERCENT}", "string")),
        "floor": _said("Up to what a metric may grow in any case.", _ref("bytes")),
    }
    return _object(parts, RATCHET, ["metrics"])


def _settings() -> dict[str, JsonSchema]:
    """Return what defaults and budgets both may say."""
    loose = {"type": "string", "pattern": f"^({quantities.PERCENT}|{OFF})$"}
    return {
        "severity": _said("How bad a broken limit is.", {"enum": list(SEVERITIES)}),
        "unmatched": _said("How bad a budget is that matches nothing.", {"enum": [*SEVERITIES, OFF]}),
        "loose_below": _said("A limit of which less than this share is used is noted as loose.", loose),
    }


def _waiver() -> JsonSchema:
    parts = {
        "budget": _said("Id of the budget.", FILLED),
        "design": _said("The design, or a glob of designs.", {"type": "string", "minLength": 1}),
        "until": _said("The last day, as YYYY-MM-DD.", _number("[0-9]{4}-[0-9]{2}-[0-9]{2}", "string")),
        "reason": _said("Why.", FILLED),
    }
    return _object(parts, WAIVED, list(WAIVED))


# --- JSON Schema ------------------------------------------------------------------------------------------------------


def _said(text: str, schema: JsonSchema) -> JsonSchema:
    """Put a sentence on a schema; draft-07 ignores what stands beside ``$ref``, so that goes one level down."""
    return {"description": text, **({"anyOf": [schema]} if "$ref" in schema else schema)}


def _ref(name: str) -> JsonSchema:
    return {"$ref": f"#/definitions/{name}"}


def _refs(names: Iterable[str]) -> dict[str, JsonSchema]:
    return {name: _ref(name) for name in names}


def _several(schema: JsonSchema) -> JsonSchema:
    return {"anyOf": [schema, _list(schema, 1)]}


def _list(schema: JsonSchema, least: int = 0) -> JsonSchema:
    return {"type": "array", "items": schema, **({"minItems": least} if least else {})}


def _number(pattern: str, *types: str) -> JsonSchema:
    """A number that is not negative, or a text of this form."""
    if types:
        return {"type": list(types) if len(types) > 1 else types[0], "pattern": f"^{pattern}$"}
    return {"type": ["number", "string"], "minimum": 0, "pattern": f"^{pattern}$"}


def _object(
    properties: Mapping[str, JsonSchema], order: Iterable[str] = (), required: list[str] | None = None
) -> JsonSchema:
    """A mapping with these keys and no others, in the order in which the reader of budget files knows them."""
    listed = {key: properties[key] for key in (*order,) or properties}
    demanded = {"required": required} if required else {}
    return {"type": "object", "properties": listed, "additionalProperties": False, **demanded}
