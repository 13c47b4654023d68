"""The JSON Schemas of budget files and baselines: true to the program, and strict where an editor can know better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from convcalc import schemas
from convcalc.budget.file.entries import BUDGET_KEYS
from convcalc.budget.file.json_schema import budget_schema
from convcalc.budget.file.reader import TOP_LEVEL_KEYS, read_budget_file
from convcalc.errors import Source, SpecErrors
from convcalc.metrics.registry import report_metrics
from convcalc.profiles import profile_keys
from convcalc.spec.yaml.nodes import parse_yaml
from tests.budget.test_document import NORMATIVE, PAGES
from tests.test_schema import as_json, is_sentence, parts

SCHEMA = budget_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
BASELINE = jsonschema.Draft7Validator(json.loads(schemas.schema("baseline")))


def faults(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(as_json(parse_yaml(Source("budget", text))))]


def accepted(text: str, folder: Path) -> bool:
    path = folder / "convcalc-budget.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        read_budget_file(str(path))
    except SpecErrors:
        return False
    return True


def file(rest: str, top: str = "") -> str:
    return f"version: 1\n{top}budgets:\n  - id: a\n    designs: m.yaml\n    {rest}\n"


# --- the schema itself ------------------------------------------------------------------------------------------------


def test_its_text_is_the_schema() -> None:
    assert json.loads(schemas.schema("budget")) == SCHEMA


def test_every_key_is_described() -> None:
    described = [*SCHEMA["properties"].values(), *budget()["properties"].values()]
    described += SCHEMA["definitions"]["limits"]["properties"].values()
    named = {name: SCHEMA["definitions"][name] for name in ("severity", "unmatched", "loose_below")}
    texts = [part.get("description") or named[part["$ref"].rpartition("/")[2]]["description"] for part in described]
    assert [text for text in texts if not is_sentence(text)] == []
    assert tuple(SCHEMA["properties"]) == TOP_LEVEL_KEYS
    assert tuple(budget()["properties"]) == BUDGET_KEYS


def budget() -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["properties"]["budgets"]["items"]
    return found


def test_every_metric_is_offered_in_every_form() -> None:
    facts = ["arithmetic_intensity", "receptive_field", "effective_stride"]
    keys = [*(measure.key for measure in report_metrics()), *facts, "least_time", *profile_keys()]
    assert list(SCHEMA["definitions"]["limits"]["properties"]) == [
        f"{key}{form}" for form in ("", "%", "/") for key in keys if form != "%" or key not in facts
    ]


def test_every_reference_leads_somewhere_and_stands_alone() -> None:
    found = [part for part in parts(SCHEMA) if isinstance(part.get("$ref"), str)]
    assert {part["$ref"] for part in found} <= {f"#/definitions/{name}" for name in SCHEMA["definitions"]}
    assert [part for part in found if len(part) > 1] == []


def test_editors_can_complete() -> None:
    """They fail below ``oneOf`` and ``maxProperties``."""
    assert not {key for part in parts(SCHEMA) for key in part} & {"oneOf", "maxProperties"}


# --- what it takes ----------------------------------------------------------------------------------------------------

RIGHT = [
    NORMATIVE,
    *(page["right"] for page in PAGES.values()),
    *map(file, [
        "max: {params: 5, macs: 0, weight_bytes: 5kB, flops: 2.5Gi, depth: 3}",
        "per: layer\n    max: {\"params%\": 40%, \"weight_bytes%\": 0.5%}",
        "against: b.yaml\n    max: {params/: 0.45, macs/: 45%, flops/: 2}",
        "growth: {params: +1%, macs: 0, flops: +1Ki, weight_bytes: +1MiB or 2%, buffers: 5}",
        "ratchet: {metrics: params, headroom: +2%, floor: 4M}",
        "ratchet: {metrics: [weight_bytes], floor: 4MiB}",
        "layers: {op: conv}\n    min: {params: 1}\n    severity: note\n    unmatched: off\n    loose_below: off",
        "layers: {name: [a.*, \"!b\"], op: [conv, linear]}\n    equals: {params: 1}\n    note: 12",
        "loose_below: 12.5%\n    max: {params: 1}",
    ]),
    file("max: {params: 1}", "note: x\nbaseline: {file: b.json}\ndefaults: {severity: warning, loose_below: 50%}\n"),
    file("max: {params: 1}", "waivers: [{budget: a, design: m.yaml@w*, until: \"2030-01-01\", reason: 12}]\n"),
    file("max: {params: 1}").replace("id: a", "id: 12").replace("version: 1", "version: \"1\""),
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_it_takes_what_the_program_takes(text: str, tmp_path: Path) -> None:
    assert accepted(text, tmp_path)
    assert faults(text) == []


WRONG = [
    "",
    "- a\n",
    "version: 2\nbudgets: [{id: a, designs: m, max: {params: 1}}]\n",
    "budgets: [{id: a, designs: m, max: {params: 1}}]\n",
    "version: 1\n",
    "version: 1\nbudgets: []\n",
    "version: 1\nbudgets: [{id: a, designs: m}]\n",
    "version: 1\nbudgets: [{id: a, max: {params: 1}}]\n",
    "version: 1\nbudgets: [{designs: m, max: {params: 1}}]\n",
    "version: 1\nbudgets: [{id: a, designs: [], max: {params: 1}}]\n",
    *map(file, [
        "max: {parms: 1}",
        "max: {params: -1}",
        "max: {params: 1m}",
        "max: {params: 1MB}",
        "max: {params: 40%}",
        "max: [1]",
        "per: layer\n    max: {params%: 0.4}",
        "per: layers\n    max: {params: 1}",
        "against: b.yaml\n    max: {params/: 4M}",
        "growth: {params: 0.02}",
        "growth: {params: \"0.02x\"}",
        "growth: {params: -1%}",
        "growth: {params%: 1%}",
        "ratchet: {headroom: 2%}",
        "ratchet: {metrics: [parms]}",
        "ratchet: {metrics: params, headroom: 0.02}",
        "ratchet: {metrics: params, floor: low}",
        "layers: {}\n    max: {params: 1}",
        "layers: {op: convv}\n    max: {params: 1}",
        "severity: off\n    max: {params: 1}",
        "unmatched: never\n    max: {params: 1}",
        "loose_below: 0.8\n    max: {params: 1}",
        "maximum: {params: 1}",
    ]),
    file("max: {params: 1}", "baseline: {git: main, file: b.json}\n"),
    file("max: {params: 1}", "baseline: {}\n"),
    file("max: {params: 1}", "baseline: main\n"),
    file("max: {params: 1}", "defaults: {batch: 4}\n"),
    file("max: {params: 1}", "waivers: [{budget: a, design: m.yaml, until: 2030-01-01}]\n"),
    file("max: {params: 1}", "waivers: [{budget: a, design: m.yaml, reason: x}]\n"),
    file("max: {params: 1}", "waivers: [{budget: a, design: m.yaml, until: soon, reason: x}]\n"),
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_it_refuses_what_an_editor_can_know_to_be_wrong(text: str, tmp_path: Path) -> None:
    assert not accepted(text, tmp_path)
    assert faults(text)


# --- baselines --------------------------------------------------------------------------------------------------------

KEPT: dict[str, Any] = {
    "schema_version": 1,
    "convention": "convcalc/1",
    "batch": 1,
    "dtype": "float32",
    "designs": {
        "models/a.yaml@wide": {"totals": {"params": 10**30, "depth": 0}, "layers": {"stage1.conv": {"params": 224}}},
        "zoo:vgg16": {"totals": {}, "layers": {}},
    },
    "accepted": [{"budget": "edge", "design": "models/a.yaml", "metric": "params", "value": 5, "reason": "ARCH-12"}],
}


def test_a_baseline() -> None:
    BASELINE.validate(KEPT)
    BASELINE.validate({key: value for key, value in KEPT.items() if key != "accepted"})
    BASELINE.validate({**KEPT, "tool": "later versions may say more"})


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"convention": "fvcore"},
        {"batch": 0},
        {"dtype": ""},
        {"designs": []},
        {"designs": {"": {"totals": {}, "layers": {}}}},
        {"designs": {"a": {"totals": {}}}},
        {"designs": {"a": {"totals": {"params": -1}, "layers": {}}}},
        {"designs": {"a": {"totals": {"params": 1.5}, "layers": {}}}},
        {"designs": {"a": {"totals": {}, "layers": {"conv": 224}}}},
        {"accepted": [{**KEPT["accepted"][0], "value": "5"}]},
        {"accepted": [{**KEPT["accepted"][0], "reason": ""}]},
        {"accepted": [{"budget": "edge"}]},
    ],
)
def test_no_baseline(change: dict[str, Any]) -> None:
    assert not BASELINE.is_valid({**KEPT, **change})
