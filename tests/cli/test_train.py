"""``--train``: a recipe of training bytes, or alone the training mode of models in code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Command

NET = "input: [3, 8, 8]\nlayers: [conv: {out: 5, kernel: 3}, flatten, linear: 7]"
WEIGHTS, OUTPUTS = 5 * 3 * 9 + 5 + 5 * 36 * 7 + 7, 2 * 5 * 36 + 7


@pytest.mark.parametrize(
    ("options", "each", "width"),
    [
        (["--train", "adam"], 16, 4), (["--train=sgd"], 8, 4), (["--train", "mixed", "--dtype", "bfloat16"], 16, 2),
        (["--dtype", "bfloat16", "--train=mixed32"], 18, 2),
    ],
)  # fmt: skip
def test_recipes(cli: Command, options: list[str], each: int, width: int) -> None:
    result = cli("report", "-", *options, "--json", input=NET)
    assert json.loads(result.stdout)["totals"]["training_bytes"] == each * WEIGHTS + width * OUTPUTS


def test_a_recipe_is_shown_where_it_is_not_the_usual_one(cli: Command) -> None:
    assert "batch 1 · float32, train=mixed\n" in cli("report", "-", "--train", "mixed", input=NET).stdout
    assert "batch 1 · float32\n" in cli("report", "-", "--train", "adam", input=NET).stdout


def test_limits_and_rows_of_batch_have_it(cli: Command, tmp_path: Path) -> None:
    limit = f"training_bytes={16 * WEIGHTS + 2 * OUTPUTS}"
    given = ("--train", "mixed", "--dtype", "bfloat16")
    assert cli("check", "-", *given, "--max", limit, input=NET).exit_code == 0
    assert cli("check", "-", *given, "--min", limit, input=NET).exit_code == 0
    (tmp_path / "net.yaml").write_text(NET)
    more = ("--dtype", "float64", "--columns", "training_bytes", "-f", "jsonl")
    rows = cli("batch", str(tmp_path / "net.yaml"), *given, *more).stdout
    counted = [json.loads(row)["training_bytes"] for row in rows.splitlines()]
    assert counted == [16 * WEIGHTS + 2 * OUTPUTS, 16 * WEIGHTS + 8 * OUTPUTS]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report", "net.yaml", "--train"], "--train is for models in code, torch:MODULE:CALLABLE, and none is named"),
        (["report", "--train", "net.yaml"], "--train is for models in code"),
        (["report", "net.yaml", "--train", "adamw"], "'adamw' is not one of adam, mixed, mixed32, sgd, mode"),
        (["report", "net.yaml", "--train=mixd"], "'mixd' is not one of adam, mixed, mixed32, sgd, mode; did you mean"),
        (["import", "net.yaml", "--train", "mixed"], "--train mixed: this command counts no bytes"),
        (["report", "net.yaml", "--train", "sgd", "--train", "sgd"], "--train is given twice"),
        (["report", "net.yaml", "--train", "adam", "--dtype", "int8,train=sgd"], "--dtype has train=sgd: give one"),
    ],
)  # fmt: skip
def test_what_cannot_be(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    (tmp_path / "net.yaml").write_text(NET)
    monkeypatch.chdir(tmp_path)
    result = cli(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
