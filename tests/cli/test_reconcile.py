"""``reconcile`` and ``--profile``: every format, exact sums, and what a person gets wrong."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from convcalc import profiles
from convcalc.schemas import schema
from tests.conftest import Command

TOOLS = (
    "fvcore", "timm", "torch", "ptflops_pytorch", "ptflops_aten", "thop", "thop_ultralytics", "torchinfo", "calflops",
    "deepspeed", "torchscan", "onnx_tool", "keras_flops", "netscope",
)  # fmt: skip


def test_json_has_every_tool_and_sums(cli: Command) -> None:
    result = cli("reconcile", "zoo:resnet50", "--json")
    document = json.loads(result.stdout)
    jsonschema.Draft7Validator(json.loads(schema("reconcile"))).validate(document)
    head = {key: document[key] for key in ("design", "name", "batch", "macs")}
    assert head == {"design": "zoo:resnet50", "name": "ResNet-50", "batch": 1, "macs": 4089184256}
    assert set(TOOLS) < set(document["profiles"])
    for found in document["profiles"].values():
        assert sum(found["terms"].values()) == found["total"]
    assert document["profiles"]["fvcore"]["total"] == 4111512576
    assert document["profiles"]["thop"]["terms"] == {"macs": 4089184256, "batch norm": 44455936, "pooling": 102400}


def test_text_shows_every_term_below_its_tool(cli: Command) -> None:
    result = cli("reconcile", "zoo:resnet50")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    start = lines.index("thop 4,133,742,592 MACs thop 0.1.1")
    assert lines[start + 1 : start + 4] == [
        "macs 4,089,184,256 multiplies, as report counts them",
        "batch norm 44,455,936 4 for each of 11,113,984 elements",
        "pooling 102,400 what pools read or give",
    ]
    assert [name for name in TOOLS if not any(line.startswith(f"{name} ") for line in lines)] == []


def test_a_narrow_terminal_does_without_the_meanings(cli: Command) -> None:
    lines = cli("--width", "60", "reconcile", "zoo:vit").stdout.splitlines()
    assert [line for line in lines if len(line) > 60] == []


def test_csv_has_a_term_a_line(cli: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("reconcile", "zoo:vit", "-f", "csv").stdout)))
    for name in (profile.key for profile in profiles.profiles() if not profile.of_tokens):
        own = [row for row in rows if row["profile"] == name]
        assert {int(row["total"]) for row in own} == {sum(int(row["count"]) for row in own)}


def test_markdown_adds_the_terms_up(cli: Command) -> None:
    lines = cli("reconcile", "zoo:vit", "-f", "markdown").stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("| fvcore |")]
    total, _, terms = [cell.strip() for cell in line.split("|")[3:6]]
    assert terms == "17,563,828,224 macs + 18,912,000 layer norm − 715,327,488 missed layers"
    assert total == f"{17563828224 + 18912000 - 715327488:,}"


def test_a_batch_and_a_part(cli: Command) -> None:
    document = json.loads(cli("reconcile", "zoo:resnet50#stage1", "--batch", "4", "--json").stdout)
    found = document["profiles"]
    assert document["name"] == "ResNet-50 · stage1"
    assert (document["batch"], found["torch"]["total"]) == (4, 2 * document["macs"])
    assert found["ptflops_aten"]["total"] == document["macs"] // 4


def test_report_with_a_profile_has_one_more_column(cli: Command) -> None:
    document = json.loads(cli("report", "zoo:resnet50", "--profile", "thop", "--json").stdout)
    assert document["totals"]["thop"] == 4133742592 == sum(layer["thop"] for layer in document["layers"])
    heading = cli("report", "zoo:resnet50", "--profile", "thop", "--top", "3").stdout.splitlines()[3]
    assert heading.split()[-2:] == ["thop", "%"]


def test_compare_with_a_profile_has_one_more_metric(cli: Command) -> None:
    document = json.loads(cli("compare", "zoo:resnet50", "zoo:alexnet", "--profile", "fvcore", "--json").stdout)
    (metric,) = [metric for metric in document["metrics"] if metric["key"] == "fvcore"]
    assert metric["values"] == [4111512576, 714197696]


@pytest.mark.parametrize("command", ["report", "compare"])
def test_an_unknown_profile_names_the_nearest(cli: Command, command: str) -> None:
    result = cli(command, "zoo:resnet50", "--profile", "fvcor")
    assert result.exit_code == 2
    assert "did you mean 'fvcore'" in result.stderr


def test_a_design_that_is_none(cli: Command, tmp_path: Path) -> None:
    result = cli("reconcile", str(tmp_path / "none.yaml"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "none.yaml" in result.stderr


def test_a_layer_that_no_tool_counts(cli: Command, tmp_path: Path) -> None:
    spec = tmp_path / "flat.yaml"
    spec.write_text("convcalc: 1\ninput: [8, 4, 4]\nlayers: [flatten]\n", "utf-8")
    for format_ in ("text", "json", "markdown", "csv"):
        assert cli("reconcile", str(spec), "-f", format_).exit_code == 0
    document = json.loads(cli("reconcile", str(spec), "--json").stdout)
    assert {found["total"] for found in document["profiles"].values()} == {0}


REFUSED = "input: [8, 5, 5]\nlayers:\n  - maxpool: {out: [7, 7]}\n"
REASON = "no number for 'maxpool1': PyTorch does not export an adaptive pool from 5 to 7 places"


@pytest.fixture
def refused(tmp_path: Path) -> str:
    """A design of which onnx-tool and keras-flops have no number."""
    path = tmp_path / "refused.yaml"
    path.write_text(REFUSED, "utf-8")
    return str(path)


def test_what_a_tool_cannot_do_costs_its_own_row(cli: Command, refused: str) -> None:
    result = cli("reconcile", refused, "--json")
    document = json.loads(result.stdout)
    jsonschema.Draft7Validator(json.loads(schema("reconcile"))).validate(document)
    assert (result.exit_code, result.stderr) == (0, "")
    without = {name for name, found in document["profiles"].items() if found["total"] is None}
    assert without == {"onnx_tool", "keras_flops"}
    assert document["profiles"]["onnx_tool"]["fault"].startswith(f"onnx_tool: {REASON}")
    assert all("fault" not in found for name, found in document["profiles"].items() if name not in without)


@pytest.mark.parametrize("arguments", [(), ("-f", "markdown"), ("-f", "csv")])
def test_a_row_without_a_number_says_why(cli: Command, refused: str, arguments: tuple[str, ...]) -> None:
    result = cli("reconcile", refused, *arguments)
    assert result.exit_code == 0
    (line,) = [
        line
        for line in result.stdout.replace("\\", "").splitlines()
        if line.lstrip("| ").startswith("onnx_tool") and REASON in line
    ]
    assert "no number" in line


def test_a_narrow_row_without_a_number_has_the_reason_below(cli: Command, refused: str) -> None:
    text = " ".join(cli("--width", "60", "reconcile", refused).stdout.split())
    assert "onnx_tool no number" in text
    assert f"No number: onnx_tool: {REASON}" in text


@pytest.mark.parametrize("command", [("report",), ("compare", "zoo:lenet")])
def test_one_profile_without_a_number_is_an_error(cli: Command, refused: str, command: tuple[str, ...]) -> None:
    result = cli(*command, refused, "--profile", "onnx_tool")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"refused.yaml:3:5: error CC742: onnx_tool: {REASON}" in result.stderr
    assert cli(*command, refused, "--profile", "thop").exit_code == 0
