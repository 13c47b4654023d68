"""What limits are measured for: samples, number formats, a device; and limits on what is not a sum of layers."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command

NET = """\
input: [3, 8, 8]
layers:
  - {conv: {out: 4, kernel: 3, bias: false}, name: c}
  - {conv: {out: 2, kernel: 3, stride: 2, bias: false}, name: d}
  - {avgpool: global, name: p}
"""
"""c gives 4·6·6 = 144 numbers from 192 with 108 weights, d 2·2·2 = 8 with 72 weights; p gives 2."""
BOARD = """\
name: Board
source: https://example.org/board
bandwidth: 2G
operations: {float32: 1T, int8: 4T}
"""
MULTIPLIES = {"c": 36 * 4 * 27, "d": 8 * 4 * 9}
MOVED = {"c": 192 + 108 + 144, "d": 144 + 72 + 8, "p": 8 + 2}


def check(cli: Command, folder: Path, entry: str) -> tuple[int, dict[str, Any]]:
    (folder / "net.yaml").write_text(NET, "utf-8")
    (folder / "boards").mkdir(exist_ok=True)
    (folder / "boards" / "board.yaml").write_text(BOARD, "utf-8")
    budget = folder / "convcalc-budget.yaml"
    budget.write_text(f"version: 1\nbudgets:\n  - {{id: b, designs: net.yaml, {entry}}}\n", "utf-8")
    result = cli("check", "--budget", budget, "--json")
    return result.exit_code, json.loads(result.stdout)


def values(cli: Command, folder: Path, entry: str) -> dict[str, Any]:
    """The value of every metric that is limited, which has to keep its limit."""
    code, verdict = check(cli, folder, entry)
    assert code == 0, verdict
    return {one["metric"]: one["value"] for one in verdict["standings"]}


def exact(value: Any) -> Fraction:
    return Fraction(value["numerator"], value["denominator"]) if isinstance(value, dict) else Fraction(value)


# --- batch and number format ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "size"), [("", 4), ("dtype: float16, ", 2), ("dtype: int8, ", 1)])
def test_bytes_of_a_number_format(cli: Command, tmp_path: Path, words: str, size: int) -> None:
    found = values(cli, tmp_path, f"{words}max: {{weight_bytes: 1k, peak_activation_bytes: 2k, traffic_bytes: 4k}}")
    assert found == {
        "weight_bytes": size * (108 + 72),
        "peak_activation_bytes": size * (192 + 144),
        "traffic_bytes": size * sum(MOVED.values()),
    }


def test_formats_of_some_layers(cli: Command, tmp_path: Path) -> None:
    found = values(cli, tmp_path, "dtype: 'int8, c=float32', max: {weight_bytes: 1k}")
    assert found == {"weight_bytes": 4 * 108 + 72}


def test_several_samples(cli: Command, tmp_path: Path) -> None:
    found = values(cli, tmp_path, "batch: 10, max: {macs: 100k, params: 180, peak_activation_bytes: 14k, fvcore: 100k}")
    assert found["macs"] == 10 * sum(MULTIPLIES.values())
    assert found["params"] == 180
    assert found["peak_activation_bytes"] == 10 * 4 * (192 + 144)
    assert found["fvcore"] == 10 * (sum(MULTIPLIES.values()) + 8)


def test_what_is_broken_says_for_what(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(cli, tmp_path, "batch: 2, dtype: int8, max: {weight_bytes: 100}")
    assert code == 1
    assert verdict["standings"][0]["under"] == "batch 2, int8"
    assert "weight_bytes (batch 2, int8) of net.yaml: 180, above" in verdict["findings"][0]["text"]


def test_another_design_is_measured_for_the_same(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(cli, tmp_path, 'dtype: int8, against: "net.yaml#c", max: {"weight_bytes/": 1.7}')
    assert code == 0
    assert exact(verdict["standings"][0]["value"]) == Fraction(180, 108)


def test_other_budgets_and_totals_stay_as_they_are(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(
        cli, tmp_path, "dtype: int8, max: {weight_bytes: 1k}}\n  - {id: a, designs: net.yaml, max: {weight_bytes: 720}"
    )
    assert code == 0
    assert [one["value"] for one in verdict["standings"]] == [180, 720]
    assert verdict["outcomes"][0]["totals"]["weight_bytes"] == 720


def test_a_condition_keeps_no_baseline(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(cli, tmp_path, "dtype: int8, growth: {params: +1%}")
    assert code == 2
    assert "growth compares with the baseline, which is for batch 1 and float32" in verdict["errors"][0]["text"]


# --- a device ---------------------------------------------------------------------------------------------------------


def least(size: int, rate: int) -> Fraction:
    """Nanoseconds: operations at ``rate`` in a nanosecond, or numbers of ``size`` bytes at 2 in a nanosecond."""
    each = (
        max(Fraction(2 * MULTIPLIES.get(layer, 0), rate), Fraction(size * moved, 2)) for layer, moved in MOVED.items()
    )
    return sum(each, Fraction(0))


@pytest.mark.parametrize(("dtype", "size", "rate"), [("float32", 4, 1000), ("int8", 1, 4000)])
def test_the_least_time_on_a_device(cli: Command, tmp_path: Path, dtype: str, size: int, rate: int) -> None:
    found = values(cli, tmp_path, f"device: boards/board.yaml, dtype: {dtype}, max: {{least_time: 2us}}")
    assert exact(found["least_time"]) == least(size, rate)


def test_times_have_units(cli: Command, tmp_path: Path) -> None:
    nanoseconds = least(4, 1000)
    for limit, code in (("1.356us", 0), ("0.001356ms", 0), ("1356", 0), ("1355", 1), ("1355ns", 1)):
        assert nanoseconds == 1356
        assert check(cli, tmp_path, f"device: boards/board.yaml, max: {{least_time: {limit}}}")[0] == code


def test_a_layer_has_its_share_of_the_time(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(cli, tmp_path, 'device: boards/board.yaml, per: layer, max: {"least_time%": 66%}')
    assert code == 0
    assert exact(verdict["standings"][0]["value"]) == Fraction(4 * 444, 4 * sum(MOVED.values()))


# --- what is not a sum ------------------------------------------------------------------------------------------------


def test_intensity_of_a_design_a_group_and_layers(cli: Command, tmp_path: Path) -> None:
    whole = Fraction(2 * sum(MULTIPLIES.values()), 4 * sum(MOVED.values()))
    first = Fraction(2 * MULTIPLIES["c"], 4 * MOVED["c"])
    named = "layers: {name: c}, per"
    for entry, value in (("", whole), (f"{named}: layer, ", first), (f"{named}: group, ", first)):
        code, verdict = check(cli, tmp_path, f"{entry}min: {{arithmetic_intensity: 3.0}}")
        assert code == 0
        assert exact(verdict["standings"][0]["value"]) == value


def test_fields_and_strides_of_layers(cli: Command, tmp_path: Path) -> None:
    """Two 3×3 windows see 5 cells, a global pool all 8."""
    layers = "layers: {op: conv}, per: layer, "
    assert values(cli, tmp_path, f"{layers}min: {{receptive_field: 3}}, max: {{effective_stride: 2}}") == {
        "receptive_field": 3,
        "effective_stride": 2,
    }
    assert check(cli, tmp_path, f"{layers}min: {{receptive_field: 4}}")[0] == 1
    assert values(cli, tmp_path, "min: {receptive_field: 8}") == {"receptive_field": 8}
    assert check(cli, tmp_path, "min: {receptive_field: 9}")[0] == 1


def test_what_is_alive_while_a_layer_runs(cli: Command, tmp_path: Path) -> None:
    found = values(cli, tmp_path, "layers: {name: d}, per: layer, max: {peak_activation_bytes: 608}")
    assert found == {"peak_activation_bytes": 4 * (144 + 8)}


def test_what_cannot_be_told_is_an_error(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(cli, tmp_path, "max: {effective_stride: 2}")
    assert code == 2
    assert [error["code"] for error in verdict["errors"]] == ["CC622"]


# --- on the command line ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--dtype int8 --max weight_bytes=180", 0),
        ("--dtype int8 --max weight_bytes=179", 1),
        ("--dtype int8 --dtype c=float32 --max weight_bytes=504", 0),
        ("--batch 10 --max macs=41760", 0),
        ("--batch 10 --max macs=41759", 1),
        ("--device boards/board.yaml --max least_time=1.356us", 0),
        ("--device boards/board.yaml --max least_time=1355", 1),
        ("--min receptive_field=8", 0),
        ("--max least_time=1us", 2),
        ("--dtype int8", 2),
        ("--device nowhere --max least_time=1", 2),
    ],
)  # fmt: skip
def test_ad_hoc(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int) -> None:
    check(cli, tmp_path, "max: {params: 1k}")
    (tmp_path / "convcalc-budget.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    assert cli("check", "net.yaml", *words.split()).exit_code == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--profile fvcore --max macs=4184", 0),
        ("--profile fvcore --max macs=4183", 1),
        ("--profile torch --max flops=8352", 0),
        ("--profile torch --max flops=8351", 1),
        ("--profile fvcore --max params=1k", 2),
        ("--profile fvcor --max macs=1k", 2),
    ],
)
def test_whose_count(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int) -> None:
    """fvcore counts the 4,176 multiplies and the 8 numbers that enter the pool, torch two for each multiply."""
    check(cli, tmp_path, "max: {params: 1k}")
    (tmp_path / "convcalc-budget.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    assert cli("check", "net.yaml", *words.split()).exit_code == code


# --- what strangers may write -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../secret.yaml", "/etc/hostname.yaml", "link.yaml", "link"])
def test_a_device_is_in_the_repository(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What is wrong with a file is shown with its line, and a pull request can come from anybody."""
    (tmp_path / "secret.yaml").write_text("password: hunter2\n", "utf-8")
    inside = tmp_path / "repository"
    inside.mkdir()
    (inside / ".git").mkdir()
    for link in ("link.yaml", "link"):
        (inside / link).symlink_to(tmp_path / "secret.yaml")
    monkeypatch.chdir(inside)
    code, verdict = check(cli, inside, f"device: {name}, max: {{least_time: 1}}")
    assert code == 2
    assert [error["code"] for error in verdict["errors"]] == ["CC634"]
    assert "hunter2" not in json.dumps(verdict)


def test_every_fault_is_told_beside_a_wrong_device(cli: Command, tmp_path: Path) -> None:
    rest = "device: nowhere, max: {parms: 1, least_time: 2h}, per: sometimes"
    assert {error["code"] for error in check(cli, tmp_path, rest)[1]["errors"]} == {"CC731", "CC632", "CC633"}


def test_what_is_known_is_judged_beside_what_is_not(cli: Command, tmp_path: Path) -> None:
    code, verdict = check(cli, tmp_path, "layers: {op: [conv, avgpool]}, per: layer, max: {effective_stride: 1}")
    assert code == 2
    assert [finding["path"] for finding in verdict["findings"]] == ["d"]
    assert ["p in net.yaml" in error["text"] for error in verdict["errors"]] == [True]


def test_a_group_that_has_no_metric_is_named(cli: Command, tmp_path: Path) -> None:
    verdict = check(cli, tmp_path, "layers: {name: p}, per: group, max: {effective_stride: 5}")[1]
    assert verdict["errors"][0]["text"].startswith("p in net.yaml has no effective_stride")


def test_a_number_format_for_no_layer_is_noted(cli: Command, tmp_path: Path) -> None:
    verdict = check(cli, tmp_path, "dtype: 'float32, nope.**=int4', max: {weight_bytes: 1k}")[1]
    assert verdict["notes"] == ["'nope.**' of the number formats of b fits no layer of the designs that were checked"]
