"""``--input``: the same numbers as those of a spec in which the shape is written, in every command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sympy import sympify

from convcalc import schemas
from tests.conftest import Command

TEXT = """\
name: Small
vars: {width: 4}
variants: {wide: {width: 8}}
input: [3, 8, 8]
layers: [{conv: [width, 3], name: stem}, {avgpool: global}, flatten, {linear: 10}]
"""
TWO = """\
inputs: {image: [3, 8, 8], mask: [1, 8, 8]}
layers: [{concat: [{relu: {}, from: image}, {relu: {}, from: mask}]}, conv: [4, 3]]
"""
MACS = 10 * 8 * 4 * 3 * 9 + 4 * 10
"""Multiplies at 3×12×10: a 3×3 convolution at 10×8 places, then ten outputs from four channels."""


PLACES = ("given_inputs", "settings", "layers", "inputs", "checked")
"""What tells where shapes and layers stand, or was chosen by the text of the spec."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "net.yaml": TEXT, "other.yaml": TEXT.replace("[3, 8, 8]", "[3, 12, 10]"), "two.yaml": TWO,
        "none.yaml": "layers: [conv: [4, 3]]\n", "blocks.yaml": "blocks: {Twice: [relu, relu]}\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def document(cli: Command, *arguments: str) -> dict[str, Any]:
    result = cli(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, json.loads(schemas.schema(arguments[0])))
    return found


def alike(document: Any) -> Any:
    """A document without what a design is called and where it stands."""
    text = json.dumps(document).replace("other.yaml", "net.yaml")
    return {key: value for key, value in json.loads(text).items() if key not in PLACES}


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "{}"),
        ("report", "{}@wide", "--columns", "+receptive_field"),
        ("report", "{}#stem"),
        ("batch", "{}", "--variants", "all"),
        ("sweep", "{}", "width=1..5"),
        ("solve", "{}", "--for", "width=1..50", "--max", "macs=50k"),
        ("formula", "{}", "--symbols", "width"),
        ("explain", "{}", "stem"),
        ("reconcile", "{}"),
    ],
)
def test_every_command_counts_what_a_spec_of_that_shape_has(cli: Command, arguments: tuple[str, ...]) -> None:
    given, written = ([word.format(name) for word in arguments] for name in ("net.yaml", "other.yaml"))
    assert alike(document(cli, *given, "--input", "3,12,10")) == alike(document(cli, *written))
    assert alike(document(cli, *given)) != alike(document(cli, *written))


def test_the_multiplies_and_how_it_is_told(cli: Command) -> None:
    report = document(cli, "report", "net.yaml", "--input", "3,12,10")
    assert report["totals"]["macs"] == MACS
    assert (report["inputs"], report["given_inputs"]) == ({"input": [3, 12, 10]}, {"input": [3, 12, 10]})
    assert "given_inputs" not in document(cli, "report", "net.yaml")
    assert "3×12×10 → 10 · batch 1 · float32 · input by --input\n" in cli(
        "report", "net.yaml", "--input", "3,12,10").stdout  # fmt: skip
    explained = cli("explain", "net.yaml", "stem", "--input", "3,12,10").stdout
    assert explained.startswith("stem\nconv 3×3, 3 → 4 · net.yaml · input by --input\n")
    assert " · batch 1 · input by --input · " in cli("reconcile", "net.yaml", "--input", "3,12,10").stdout
    assert " · batch 1 · input by --input\n" in cli(
        "reconcile", "net.yaml", "--input", "3,12,10", "-f", "markdown").stdout  # fmt: skip
    for words in ("explain net.yaml", "explain net.yaml stem", "reconcile net.yaml"):
        assert document(cli, *words.split(), "--input", "3,12,10")["given_inputs"] == {"input": [3, 12, 10]}
        assert "given_inputs" not in document(cli, *words.split())
    comparison = document(cli, "compare", "net.yaml", "net.yaml@wide", "--input", "3,12,10")
    assert [design["totals"]["macs"] for design in comparison["designs"]] == [MACS, 2 * MACS]
    for command in (("batch", "net.yaml"), ("sweep", "net.yaml", "width=1,2"),
                    ("solve", "net.yaml", "--for", "width=1..9", "--max", "macs=1M")):  # fmt: skip
        assert document(cli, *command, "--input", "3,12,10")["given_inputs"] == {"input": "3,12,10"}
    assert document(cli, "formula", "net.yaml", "--symbols", "width", "--input", "3,12,10")["settings"] == {
        "input": "3,12,10"}  # fmt: skip


@pytest.mark.parametrize("shape", ["[3, 12, 10]", "input=3,12,10", "3,12,width*2+2", " 3 , 3*4 , 10 "])
def test_ways_to_write_it(cli: Command, shape: str) -> None:
    report = document(cli, "report", "net.yaml", "--input", shape)
    assert report["totals"]["macs"] == MACS


def test_several_inputs_by_name(cli: Command) -> None:
    report = document(cli, "report", "two.yaml", "--input", "mask=2,6,5", "--input", "image=3,6,5")
    assert report["totals"]["macs"] == 4 * 3 * 4 * 5 * 9
    assert report["given_inputs"] == {"mask": [2, 6, 5], "image": [3, 6, 5]}
    assert document(cli, "report", "none.yaml", "--input", "3,6,5")["totals"]["macs"] == 4 * 3 * 4 * 3 * 9


def test_symbols_go_before_it(cli: Command) -> None:
    formula = document(cli, "formula", "net.yaml", "--symbols", "h", "--input", "3,12,10")
    assert sympify(formula["totals"]["macs"]["python"]).subs("h", 12) == MACS


@pytest.mark.parametrize(
    ("design", "options", "said"),
    [
        ("two.yaml", ["imag=3,6,5"], "CC709: no input 'imag'; did you mean 'image'?"),
        ("two.yaml", ["3,6,5"], "the design has 2 inputs, and '3,6,5' names none of them"),
        ("two.yaml", ["image=3,6,5"], "two.yaml:2:"),
        ("net.yaml", ["3"], "net.yaml:5:"),
        ("two.yaml", ["3x6x5"], "write --input image=3,6,5; inputs are image, mask"),
        ("two.yaml", ["image=3x6x5"], "hint: write --input image=3,6,5\n"),
        ("two.yaml", ["c=3,h=6,w=5"], "hint: write --input image=3,6,5\n"),
        ("net.yaml", ["3x6x5"], "--input:1:1: error CC709: '3x6x5' is not a shape"),
        ("net.yaml", ["3x6x5"], "hint: write --input 3,6,5\n"),
        ("net.yaml", ["3×6×5"], "hint: write --input 3,6,5\n"),
        ("net.yaml", ["3 6 5"], "hint: write --input 3,6,5\n"),
        ("net.yaml", ["(3, 6, 5)"], "hint: write --input 3,6,5\n"),
        ("net.yaml", ["input=3;6;5"], "hint: write --input input=3,6,5\n"),
        ("net.yaml", ["c=3,h=6,w=5"], "CC709: 'c=3,h=6,w=5' is not a shape"),
        ("net.yaml", ["c=3,h=6,w=5"], "hint: write --input 3,6,5\n"),
        ("net.yaml", ["height: 6 width: 5 channels: 3"], "hint: write --input 3,6,5\n"),
        ("net.yaml", ["imput=3,6,5"], "CC709: no input 'imput'; did you mean 'input'?"),
        ("net.yaml", ["3,,5"], "--input:1:4: error CC101"),
        ("net.yaml", [""], "CC709: '' is not a shape"),
        ("net.yaml", ["[]"], "CC410"),
        ("net.yaml", ["3,0,5"], "CC410"),
        ("net.yaml", ["3,2.5,5"], "CC410"),
        ("net.yaml", ["3,wdth,5"], "did you mean 'width'?"),
        ("net.yaml", ["3,{a: 1},5"], "--input:1:"),
        ("net.yaml", ["=3,4,5"], "no name before the ="),
        ("net.yaml", ["a=3,4,5", "3,4,5"], "a shape without a name"),
        ("net.yaml", ["input=3,4,5", "input=3,4,5"], "the second shape"),
        ("net.yaml", ["3,4,5]\nlayers: [relu"], "--input"),
    ],
)
@pytest.mark.parametrize("command", ["report", "batch"])
def test_what_is_no_input(cli: Command, command: str, design: str, options: list[str], said: str) -> None:
    result = cli(command, design, *(word for text in options for word in ("--input", text)))
    assert result.exit_code == 2
    assert said in result.stderr
    assert "internal error" not in result.stderr


def test_a_file_of_blocks_is_passed_over_as_before(cli: Command) -> None:
    result = cli("batch", ".", "--input", "3,12,10", "-f", "csv")
    rows = {row["design"]: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert rows.keys() == {"./net.yaml", "./none.yaml", "./other.yaml", "./two.yaml"}
    assert {name: row["macs"] for name, row in rows.items() if row["macs"]} == {
        "./net.yaml": str(MACS), "./other.yaml": str(MACS), "./none.yaml": str(10 * 8 * 4 * 3 * 9),
    }  # fmt: skip
    assert "CC709" in rows["./two.yaml"]["error"]


def test_the_points_of_a_sweep(cli: Command, here: Path) -> None:
    assert cli("sweep", "net.yaml", "width=1..300", "--input", "3,12,10", "-o", "points.csv").exit_code == 0
    assert f"\n4,{4 * 27 + 4 + 50},{MACS}\n" in (here / "points.csv").read_text().replace("\r", "")
