"""Explanations: the factors that are printed are worked out again here, and come to the numbers of the report."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import jsonschema
import pytest

import convcalc
from convcalc import schemas
from convcalc.designs.sources import open_design
from convcalc.explain import explain
from convcalc.explain.model import DerivationStep
from convcalc.metrics.registry import DETAIL_KEYS
from tests.conftest import ROOT, Command

DESIGNS = sorted((ROOT / "specs").rglob("zoo/*.yaml")) + sorted((ROOT / "specs").rglob("tutorials/*.yaml"))


def worked_out(step: DerivationStep) -> int:
    """The value of a printed derivation: factors, floors and ceilings, by Python's own arithmetic."""
    text = step.factors.replace(",", "").replace("outputs", "").replace("samples", "").replace("−", "-")
    text = text.replace("×", "*").replace("·", "*")
    text = re.sub(r"⌊(.*)/(\d+)⌋", r"math.floor((\1)/\2)", text)
    text = re.sub(r"⌈(.*)/(\d+)⌉", r"math.ceil((\1)/\2)", text)
    return eval(text, {"math": math})  # noqa: S307 - digits and operators of our own


@pytest.mark.parametrize("path", DESIGNS, ids=[path.stem for path in DESIGNS])
def test_every_derivation_comes_to_the_number_of_the_report(path: Path) -> None:
    """Of every layer that is unlike those before it."""
    network, alike = open_design(str(path)), set()
    for row in network.report().rows:
        kind = row.op, row.summary, row.input_shapes, row.output_shape, row.tied_to
        if kind in alike:
            continue
        alike.add(kind)
        explanation = explain(network, row.path)
        found = {metric.column.key: metric for metric in explanation.metrics}
        for key, value in row.values.items():
            assert found[key].value == value, (row.path, key)
        for key in ("params", "macs"):
            assert sum(map(worked_out, found[key].steps)) == row.values[key] or row.tied_to, (row.path, key)
        for key in ("receptive_field", "effective_stride", "offset"):
            for step in found[key].steps:
                assert worked_out(step) == step.value, (row.path, key)
                assert step.value in found[key].value
        for step, size in zip(explanation.sizes, row.output_shape[1:], strict=False):
            assert worked_out(step) == size, (row.path, step)


def test_what_is_no_sum_is_that_of_the_layer_in_its_network() -> None:
    network = open_design("zoo:resnet50")
    rows = network.report(extra=DETAIL_KEYS).rows
    for row in rows[::7]:
        found = {metric.column.key: metric.value for metric in explain(network, row.path).metrics}
        assert {key: found[key] for key in DETAIL_KEYS} == {key: row.values[key] for key in DETAIL_KEYS}


def test_fields_of_a_layer_are_derived(cli: Command) -> None:
    """Behind 7×7/2, 3×3/2 and three blocks a cell sees 35 cells, 4 apart; a 3×3 adds two of these."""
    text = cli("explain", "zoo:resnet50", "stage2.block1.conv2").stdout
    assert re.search(r"Receptive field +43 +input cells +35 \+ \(3 − 1\)·4\n", text)
    assert re.search(r"Stride +8 +input cells +4·2\n", text)
    assert re.search(r"Offset +-21 +input cells +−17 − 1·4\n", text)


def test_a_convolution(cli: Command) -> None:
    """He et al. 2016, Table 1: the 3×3 of the first block multiplies 64·56·56 outputs by 64·3·3 weights."""
    lines = cli("explain", "zoo:resnet50", "stage1.block1.conv2").stdout.splitlines()
    assert lines[:2] == ["stage1.block1.conv2", "conv 3×3, 64 → 64 · zoo:resnet50"]
    assert "  axis 1: ⌊(56 + 1 + 1 − 3)/1⌋ + 1 = 56" in lines
    assert any(re.fullmatch(r"Params +36,864 +scalars +64·64·3·3", line) for line in lines)
    assert any(
        re.fullmatch(r"Multiplies +115,605,504 +multiplications +\(64·56·56\) × \(64·3·3\)", line) for line in lines
    )
    assert any("input:  64×56×56 from stage1.block1.conv1.act (" in line for line in lines)


def test_a_batch_multiplies(cli: Command) -> None:
    assert (
        "8 samples × (64·56·56) × (64·3·3)"
        in cli("explain", "zoo:resnet50", "stage1.block1.conv2", "--batch", "8").stdout
    )


def test_a_group_shows_its_heaviest_layers_and_how_to_go_on(cli: Command) -> None:
    text = cli("explain", "zoo:googlenet", "3a").stdout
    assert "20 layers" in text
    assert "convcalc explain zoo:googlenet 3a.3x3" in text
    assert [line for line in text.splitlines() if line.startswith("3a.3x3 ")]


def test_a_whole_design(cli: Command) -> None:
    assert "25,557,032" in cli("explain", "zoo:resnet50").stdout


def test_shared_weights_name_their_owner(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "tied.yaml").write_text(
        "input: [4, 4]\nlayers: [{linear: 4, name: same, repeat: 2, tie: true}]\n", encoding="utf-8"
    )
    text = cli("explain", tmp_path / "tied.yaml", "same2").stdout
    assert "uses the weights of same1, which count there" in text


@pytest.mark.parametrize("path", ["conv1", "stage1", ""])
def test_json_is_what_its_schema_says(cli: Command, path: str) -> None:
    document = json.loads(cli("explain", "zoo:resnet50", *filter(None, [path]), "--json").stdout)
    jsonschema.validate(document, json.loads(schemas.schema("explain")))
    assert document["path"] == path


def test_an_unknown_path_is_guessed_at(cli: Command) -> None:
    result = cli("explain", "zoo:resnet50", "conv11")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no layer has the path 'conv11'; did you mean 'conv1'?" in result.stderr


def test_codes_and_kinds_come_first_and_a_file_can_still_be_named(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conv").write_text("input: [4, 4]\nlayers: [linear: 2]\n", encoding="utf-8")
    assert cli("explain", "conv").stdout.startswith("conv")
    assert "Convolution" in cli("explain", "conv").stdout
    assert "10  scalars" in cli("explain", "./conv", "linear1").stdout


def test_pages_have_one_format(cli: Command) -> None:
    result = cli("explain", "conv", "--json")
    assert result.exit_code == 2
    assert "other formats are for designs" in result.stderr


def test_nonsense_is_guessed_at(cli: Command) -> None:
    result = cli("explain", "convv")
    assert result.exit_code == 2
    assert "did you mean 'conv'?" in result.stderr


@pytest.mark.parametrize("width", [34, 60, 100])
def test_narrow_terminals_keep_the_numbers(cli: Command, width: int) -> None:
    lines = cli("explain", "zoo:resnet50", "stage2.block1.conv2", "--width", str(width)).stdout.splitlines()
    numbers = [line for line in lines if re.match(r"(Params|Multiplies|Receptive field|Offset) ", line)]
    assert len(numbers) == 4
    assert max(map(len, numbers)) <= width


@pytest.mark.parametrize("width", [40, 60])
def test_what_other_tools_print_fits_a_narrow_terminal(cli: Command, width: int) -> None:
    lines = cli("reconcile", "zoo:resnet50", "--width", str(width)).stdout.splitlines()
    assert max(map(len, lines[: lines.index("")])) <= width
    assert any(line.startswith("fvcore ") and "4,111,512,576" in line for line in lines)


def test_what_a_mask_hides_and_what_is_kept() -> None:
    """Of 9 queries behind 10 tokens 36 pairs are hidden, for each of 2 heads; each costs 4 in scores and in context."""
    layer = "{attention: {heads: 2, past: 10, mask: causal, bias: false}, name: a}"
    network = convcalc.load(text=f"input: [9, 8]\nlayers: [{layer}]\n").network
    explanation = explain(network, "a", batch=3)
    found = {metric.column.key: metric for metric in explanation.metrics}
    macs, hidden = 3 * (4 * 9 * 8 * 8 + 2 * 9 * 19 * 8), 3 * 36 * 2 * 4
    assert [step.value for step in found["seen_macs"].steps] == [macs, -hidden, -hidden]
    assert [step.factors for step in found["seen_macs"].steps][1:] == ["−3 samples × 72 outputs × 4"] * 2
    assert [step.factors for step in found["cache_bytes"].steps] == ["3 samples × 4·304"]
    for step in (*found["seen_macs"].steps, *found["cache_bytes"].steps):
        assert worked_out(step) == step.value
    assert any("those that the mask hides too" in note for note in explanation.counted)
