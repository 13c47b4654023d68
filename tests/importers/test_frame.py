"""What every importer gets from the frame: models of a small format of the tests, with all commands."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.arith import Number
from convcalc.errors import Source, SpecError, SpecErrors
from convcalc.graph.graph import Graph
from convcalc.importers import registry
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.model import Importer, Model, unknown_sizes
from tests.conftest import Command

SIZE = 16
"""Of the input here. A 3×3 convolution from 3 to w channels has 28·w weights with bias, and 27·w·s² multiplies."""


class ToyModel(Model):
    """Two convolutions of one weight, an activation, and, with ``mystery``, an operation that nobody knows."""

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        if "x" not in inputs and "size" not in variables:
            raise unknown_sizes(self, ("size",), "write --set size=32")
        sizes = inputs.get("x") or (3, variables["size"], variables["size"])
        width = 2 * variables["w"] if variant == "wide" else variables["w"]
        b = ModelBuilder(self.source)
        x = b.input("x", sizes)
        y = b.add("/stem/conv-1/Conv\x1b[2J", "conv", x, out=width, kernel=3, padding="half", weights="W")
        z = b.add("/stem/conv-2/Conv", "conv", x, out=width, kernel=3, padding="half", weights="W")
        out = b.add("/stem/Add", "add", y, z)
        if self.name in {"mystery", "riddle"}:
            params = 5 if self.name == "mystery" else None
            out = b.opaque("warp", "com.example::Warp", [out], [width], params=params)
        return b.graph({"y": b.add("/head/Relu", "act", out, type="relu")}, name=self.name)


def read(source: Source, data: bytes | None) -> Model:
    name = (data if data is not None else Path(source.name).read_bytes()).decode().strip().removeprefix("toy: ")
    if name == "damaged":
        raise SpecError("CC760", "the toy ends at byte 7")
    sizes = {"x": (3, "size", "size")}
    return ToyModel(source, sizes, name, variants=("wide",), variables={"size": None, "w": 4})


TOY = Importer("Toy", read, suffixes=(".toy",), recognizes=lambda text: text.startswith("toy:"))


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(registry, "importers", lambda: (TOY,))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.toy").write_text("net")
    (tmp_path / "mystery.toy").write_text("mystery")
    (tmp_path / "riddle.toy").write_text("riddle")
    (tmp_path / "damaged.toy").write_text("damaged")
    (tmp_path / "net.yaml").write_text("toy: net\n")
    return tmp_path


def facts(cli: Command, *arguments: str) -> dict[str, Any]:
    result = cli(*arguments, "-f", "json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("file", ["net.toy", "net.yaml"])
def test_a_model_is_reported_as_a_spec_is(cli: Command, file: str) -> None:
    report = facts(cli, "report", file, "--set", "size=16")
    assert report["totals"]["params"] == 28 * 4
    assert report["totals"]["macs"] == 2 * 27 * 4 * SIZE**2
    assert [layer["name"] for layer in report["layers"]][1:] == ["stem.conv-2.Conv", "stem.Add", "head.Relu"]
    assert report["layers"][1]["tied_to"] == report["layers"][0]["name"]
    assert report["layers"][2]["source"] == {"file": file, "line": 0, "column": 0, "node": "/stem/Add"}


def test_sizes_are_given_by_input_and_by_name(cli: Command) -> None:
    assert facts(cli, "report", "net.toy", "--input", "3,16,16") == facts(
        cli, "report", "net.toy", "--input", "x=3,16,16"
    )
    wide = facts(cli, "report", "net.toy@wide", "--set", "size=16", "--set", "w=2*3")
    assert wide["totals"]["params"] == 28 * 12


def test_a_size_that_is_not_known_must_be_given(cli: Command) -> None:
    result = cli("report", "net.toy")
    assert result.exit_code == 2
    assert result.stderr == "net.toy: error CC762: sizes are not known: size\n  hint: write --set size=32\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("report net.toy@tall --set size=4", "no variant 'tall'"),
        ("report net.toy --set sizes=4", "did you mean 'size'?"),
        ("report net.toy --set size=4 --input y=3,4,4", "no input 'y'"),
        ("report net.toy --set size=0", "CC410"),
        ("report net.toy#stem.conv --set size=4", "CC211"),
        ("report damaged.toy", "damaged.toy: error CC760: the toy ends at byte 7\n"),
        ("report missing.toy", "missing.toy: error CC001"),
    ],
)
def test_mistakes(cli: Command, arguments: str, said: str) -> None:
    result = cli(*arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_names_of_the_file_cannot_write_to_the_terminal(cli: Command) -> None:
    result = cli("explain", "net.toy", "stem", "--set", "size=4")
    assert result.exit_code == 0
    first = facts(cli, "report", "net.toy", "--set", "size=4")["layers"][0]
    shown = cli("explain", "net.toy", first["name"], "--set", "size=4")
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout + result.stdout
    assert "defined at net.toy: /stem/conv-1/Conv\\x1b[2J\n" in shown.stdout


def test_many_models_in_a_batch(cli: Command) -> None:
    result = cli("batch", "net.toy", "net.yaml", "--set", "size=16", "--variants", "all", "-f", "csv")
    assert result.exit_code == 0
    rows = [line.split(",") for line in result.stdout.splitlines()]
    assert [row[0] for row in rows[1:]] == ["net.toy", "net.toy@wide", "net.yaml", "net.yaml@wide"]
    assert [row[rows[0].index("params")] for row in rows[1:]] == ["112", "224", "112", "224"]


def test_comparison_check_and_claims(cli: Command) -> None:
    compared = facts(cli, "compare", "net.toy", "net.toy@wide", "--set", "size=16")
    assert [design["totals"]["params"] for design in compared["designs"]] == [112, 224]
    unknown = cli("check", "net.toy", "--max", "params=112")
    assert unknown.exit_code == 2
    assert "sizes are not known" in unknown.stdout


def test_a_layer_that_is_not_counted(cli: Command) -> None:
    report = facts(cli, "report", "mystery.toy", "--set", "size=16")
    assert (report["coverage"]["complete"], report["coverage"]["unknown"]) == (False, ["warp"])
    assert set(report["coverage"]["lower_bounds"]) == {
        "macs", "seen_macs", "flops", "train_flops", "activations", "depth", "nonlinearities", "cache_bytes",
        "inference_bytes",
    }  # fmt: skip
    assert report["totals"]["params"] == 117
    text = cli("report", "mystery.toy", "--set", "size=16")
    assert text.exit_code == 0
    assert f"≥ {2 * 27 * 4 * SIZE**2:,}" in text.stdout
    assert "mystery.toy: warp: warning CC808: the cost of the operation com.example::Warp is not known" in text.stderr
    strict = cli("report", "mystery.toy", "--set", "size=16", "--strict")
    assert (strict.exit_code, strict.stdout) == (2, "")
    assert "mystery.toy: warp: error CC623" in strict.stderr


def test_what_is_known_of_a_layer_that_is_not_counted_is_shown(cli: Command) -> None:
    args = ("report", "mystery.toy", "--set", "size=16", "--columns", "params,macs,output_elements")
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(cli(*args, "-f", "csv").stdout))}
    assert (rows["warp"]["params"], rows["warp"]["macs"], rows["warp"]["output_elements"]) == ("5", "", "4")
    for form in ("text", "markdown", "html", "latex"):
        shown = re.sub(r"<[^>]+>|[|&`]", " ", cli(*args, "-f", form).stdout)
        assert re.search(r"warp +opaque, not counted +4 +5 .*\? +4 ", shown), (form, shown)
        assert "≥ 117" not in shown
    batch = cli("batch", "mystery.toy", "riddle.toy", "--set", "size=16", "-f", "csv").stdout
    assert ",117,55296,lower bounds (≥) of macs: 1 layer is not counted" in batch
    assert ',112,55296,"lower bounds (≥) of params, macs: 1 layer is not counted' in batch


@pytest.mark.parametrize(
    ("file", "limit", "code"),
    [
        ("mystery.toy", "params=117", 0), ("mystery.toy", "params=116", 1), ("mystery.toy", "macs=1G", 2),
        ("riddle.toy", "params=117", 2), ("riddle.toy", "weight_bytes=1G", 2), ("riddle.toy", "output_elements=1G", 0),
    ],
)  # fmt: skip
def test_lower_bounds_are_not_judged(cli: Command, file: str, limit: str, code: int) -> None:
    result = cli("check", file, "--input", "3,16,16", "--max", limit)
    assert (result.exit_code, "CC623" in result.stdout) == (code, code == 2), result.stdout


def test_weights_that_are_not_known_stay_unknown_in_a_recovered_spec(cli: Command, toy: Path) -> None:
    report = cli("report", "riddle.toy", "--set", "size=16").stdout
    assert "≥ 112" in report
    spec = cli("import", "riddle.toy", "--set", "size=16")
    assert spec.exit_code == 0, spec.stderr
    (toy / "riddle.yaml").write_text(spec.stdout)
    assert "≥ 112" in cli("report", "riddle.yaml").stdout


def test_a_sweep_over_a_size_that_the_model_leaves_open(cli: Command) -> None:
    result = cli("sweep", "net.toy", "size=8,16", "w=1..3", "-f", "csv")
    assert result.exit_code == 0, result.stderr
    lines = [line.split(",") for line in result.stdout.splitlines()]
    params, macs = (lines[0].index(key) for key in ("params", "macs"))
    found = {(int(line[0]), int(line[1])): (int(line[params]), int(line[macs])) for line in lines[1:]}
    assert found == {(s, w): (28 * w, 2 * 27 * w * s * s) for s in (8, 16) for w in (1, 2, 3)}
    solved = cli("solve", "net.toy", "--for", "size=1..64", "--max", "macs=50k")
    assert solved.exit_code == 0, solved.stderr
    assert solved.stdout.split("\n\n")[1] == "size = 15"


def test_a_formula_of_a_size_that_the_model_leaves_open(cli: Command) -> None:
    result = cli("formula", "net.toy", "--symbols", "size,w")
    assert result.exit_code == 0, result.stderr
    assert "54·size²·w" in result.stdout.replace("w·size²", "size²·w")


def test_python(toy: Path) -> None:
    design = convcalc.load("net.toy", set={"size": 16})
    assert design.report().totals["params"] == 112
    with pytest.raises(SpecErrors, match="CC762"):
        convcalc.load("net.toy")


@pytest.mark.parametrize(
    "command",
    [
        "sweep mystery.toy size=8,16 -f csv", "solve mystery.toy --for size=1..64 --max macs=50k",
        "formula mystery.toy --symbols size", "check mystery.yaml --max macs=50k",
    ],
)  # fmt: skip
def test_lower_bounds_are_no_answers(cli: Command, toy: Path, command: str) -> None:
    (toy / "mystery.yaml").write_text("input: [3, 8, 8]\nlayers: [conv: [4, 3], opaque: {out: [4]}]\n")
    result = cli(*command.split())
    assert "is not known: the layer" in result.stdout + result.stderr
    assert "CC623" in result.stdout + result.stderr
    assert str(27 * 4 * 36) not in result.stdout


def test_params_are_exact_beside_a_layer_that_is_not_counted(cli: Command) -> None:
    result = cli("sweep", "mystery.toy", "size=8,16", "--columns", "params", "-f", "csv")
    assert result.exit_code == 0, result.stderr
    assert [line.split(",")[1] for line in result.stdout.splitlines()] == ["params", "117", "117"]


def test_what_no_output_reads_is_left_out_unless_it_has_weights() -> None:
    b = ModelBuilder(Source("net"))
    x = b.input("x", (3, 8, 8))
    y = b.add("conv", "conv", x, out=4, kernel=3)
    b.add("view", "flatten", b.add("act", "act", y, type="relu"))
    b.add("side", "conv", b.add("pool", "maxpool", y, kernel=2), out=2, kernel=1)
    graph = b.graph({"y": y})
    assert [node.path for node in graph.layers] == ["conv", "pool", "side"]
    assert [graph.nodes[index].path for node in graph.layers for index in node.inputs] == ["x", "conv", "pool"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x80\x04\x95\x0b", "may be a pickle"), (b"PK\x03\x04" + bytes(26) + b"net/data.pkl", "may be a pickle"),
        (b"PK\x03\x04" + bytes(26) + b"metadata.json", "model of Keras"), (b"\x89HDF\r\n", "HDF5"),
        (b"\x08\x0a\x12\x07pytorch\xff", "ONNX"), (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        (b'\x40\0\0\0\0\0\0\0{"a"', "weights alone"), (b"\xff\xd8\xff", ""),
    ],
)  # fmt: skip
def test_a_file_of_another_format_is_named(cli: Command, toy: Path, content: bytes, what: str) -> None:
    for name in ("net", "other.yaml", "net.weights"):
        (toy / name).write_bytes(content)
        result = cli("report", name)
        assert (result.exit_code, result.stdout) == (2, "")
        code = "CC761" if what else "CC00"
        assert what in result.stderr
        assert f"error {code}" in result.stderr
        assert what == "" or "hint: " in result.stderr


def test_a_file_that_is_not_there(cli: Command, toy: Path) -> None:
    (toy / "folder.toy").mkdir()
    assert "error CC001: no such file\n  hint: did you mean net.toy?" in cli("report", "nte.toy").stderr
    assert "folder.toy: error CC002: is a folder, not a model" in cli("report", "folder.toy").stderr


@pytest.mark.parametrize("option", ["--arg=w=3", "--inputs=a:b", "--train"])
def test_options_of_code_need_a_model_in_code(cli: Command, option: str) -> None:
    result = cli("report", "net.toy", "--set", "size=16", option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{option.partition('=')[0]} is for models in code, torch:MODULE:CALLABLE" in result.stderr
