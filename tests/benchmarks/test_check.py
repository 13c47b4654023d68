"""How fast a check is: a thousand specs of the size of ResNet-50 under fifty budgets, and one small process.

Run by ``pytest tests/benchmarks``, never by default: a busy machine would make it lie, so nothing here judges a time.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from convcalc.budget.check.checker import check
from convcalc.budget.file.reader import read_budget_file
from convcalc.budget.file.types import BudgetFile
from tests.conftest import ROOT

RESNET50 = (ROOT / "specs" / "zoo" / "resnet50.yaml").read_text(encoding="utf-8").partition("claims:")[0]
SPECS, BUDGETS = 1_000, 50
RULES = (
    "max: {params: 26M, macs: 4.2G}",
    "max: {weight_bytes: 100MiB}\n    min: {depth: 50}",
    'layers: {name: "stage*.**", op: conv}\n    per: layer\n    max: {params: 3M, "params%": 40%}',
    'layers: {name: "stage*"}\n    per: group\n    max: {params: 16M}',
    "layers: {op: [conv, linear]}\n    max: {macs: 4.2G}",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(SPECS):
        place = tmp_path / "models" / f"family{number % 10}" / f"net{number}.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(RESNET50.replace("classes: 1000", f"classes: {1000 - number % 7}"), encoding="utf-8")
    entries = (
        f'  - id: b{number}\n    designs: ["models/**/*.yaml"]\n    {RULES[number % len(RULES)]}\n'
        for number in range(BUDGETS)
    )
    (tmp_path / "convcalc-budget.yaml").write_text(f"version: 1\nbudgets:\n{''.join(entries)}", encoding="utf-8")
    return tmp_path


def budgets(folder: Path) -> BudgetFile:
    return read_budget_file(str(folder / "convcalc-budget.yaml"))


def test_a_thousand_specs_under_fifty_budgets(
    benchmark: BenchmarkFixture, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    verdict = benchmark.pedantic(lambda: check(budgets(folder)), rounds=1)
    assert (verdict.files, len(verdict.designs), verdict.errors) == (SPECS, SPECS, [])
    assert len(verdict.limits) == SPECS * BUDGETS // len(RULES) * 8
    assert [finding.text for finding in verdict.findings] == []


def test_one_spec_as_a_process(benchmark: BenchmarkFixture, folder: Path) -> None:
    line = [sys.executable, "-m", "convcalc", "check", "models/family0/net0.yaml"]

    def process() -> str:
        done = subprocess.run(line, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
        return done.stdout.decode()

    assert re.search(r"^1 spec, 80 limits: 80 met$", benchmark(process), re.MULTILINE)
