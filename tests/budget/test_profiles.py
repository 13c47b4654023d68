"""Budgets over other tools' counts: a profile is a metric, for limits and not for growth."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convcalc import schemas
from convcalc.errors import Source
from convcalc.spec.yaml.nodes import parse_yaml
from tests.conftest import Command
from tests.test_schema import as_json

BUDGET = """\
version: 1
budgets:
  - id: what-the-paper-counts
    designs: ["zoo:resnet50"]
    RULE
"""
FVCORE = 4_111_512_576
"""fvcore's total for torchvision's ResNet-50, measured."""


def check(cli: Command, folder: Path, rule: str) -> tuple[int, dict[str, object]]:
    (folder / "convcalc-budget.yaml").write_text(BUDGET.replace("RULE", rule), encoding="utf-8")
    result = cli("check", "--budget", folder / "convcalc-budget.yaml", "--json")
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(("limit", "code"), [(FVCORE, 0), (FVCORE - 1, 1)])
def test_a_limit_of_another_tools_count(cli: Command, tmp_path: Path, limit: int, code: int) -> None:
    exit_code, verdict = check(cli, tmp_path, f"max: {{fvcore: {limit}}}")
    assert exit_code == code
    assert [(one["metric"], one["value"]) for one in verdict["standings"]] == [("fvcore", FVCORE)]  # type: ignore[attr-defined]


def test_layers_have_it_too(cli: Command, tmp_path: Path) -> None:
    """A norm is 2 operations an element to fvcore, and nothing to us."""
    rule = "layers: {name: conv1.norm}\n    equals: {fvcore: 1605632, macs: 0}"
    assert check(cli, tmp_path, rule)[0] == 0


def test_it_has_no_baseline(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "convcalc-budget.yaml").write_text(BUDGET.replace("RULE", "growth: {fvcore: +1%}"), encoding="utf-8")
    result = cli("check", "--budget", tmp_path / "convcalc-budget.yaml")
    assert result.exit_code == 2
    assert "growth and ratchet do not support 'fvcore': baselines do not store it" in result.stdout


def test_ad_hoc(cli: Command) -> None:
    assert cli("check", "zoo:resnet50", "--max", "thop=4.14G").exit_code == 0
    assert cli("check", "zoo:resnet50", "--max", "thop=4.13G").exit_code == 1


def test_a_misspelt_one_is_guessed_at(cli: Command) -> None:
    result = cli("check", "zoo:resnet50", "--max", "parms=1M")
    assert result.exit_code == 2
    assert "did you mean 'params'?" in result.stdout + result.stderr


def test_the_schema_knows_them() -> None:
    schema = json.loads(schemas.schema("budget"))
    for rule, fits in (("max: {fvcore: 4.2G}", True), ("max: {fvcor: 4.2G}", False)):
        document = as_json(parse_yaml(Source("budget", BUDGET.replace("RULE", rule))))
        assert jsonschema.Draft7Validator(schema).is_valid(document) is fits
