"""The playground's Python: what it answers, and that it runs from what the browser gets and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.playground.app import MOST_LAYERS, answer
from convcalc.playground.build import LEFT_OUT, main, packed_files
from tests.conftest import ROOT

SPEC = "input: [3, 8, 8]\nlayers:\n  - conv: [4, 3]\n  - relu\n"
NOT_THERE = ("click", "rich", "numpy", "sympy", "onnx", "torch", "multiprocessing")


def ask(call: str, **given: Any) -> Any:
    return json.loads(answer(call, json.dumps(given)))


def tiles(found: Any) -> dict[str, str]:
    return {tile["title"]: tile["below"] for tile in found["tiles"]}


# --- reports ----------------------------------------------------------------------------------------------------------


def test_a_text_is_counted() -> None:
    """4 filters of 3·3·3 weights and a bias; each weight multiplies once at 6·6 places."""
    found = ask("report", text=SPEC)
    assert tiles(found)["parameters"] == "112"
    assert tiles(found)["multiplies"] == f"{4 * 27 * 36:,}"


def test_variant_batch_and_format_count() -> None:
    text = "input: [8]\nvars: {n: 2}\nvariants: {wide: {n: 5}}\nlayers: [linear: n]\n"
    found = ask("report", text=text, variant="wide", batch=7, dtype="float16")
    assert (found["variant"], found["variants"]) == ("wide", ["wide"])
    assert tiles(found)["multiplies"] == str(7 * 8 * 5)
    assert ask("report", text=text, variant="gone")["variant"] == ""
    report = json.loads(ask("file", kind="json")["text"])
    assert report["totals"]["weight_bytes"] == (8 * 2 + 2) * 4


@pytest.mark.parametrize("name", ["resnet50", "unet", "vit"])
def test_the_page_and_the_numbers_are_those_of_the_command_line(name: str) -> None:
    text = ask("design", folder="zoo", name=name)["text"]
    ask("report", text=text)
    page, numbers = ask("page")["html"], json.loads(ask("file", kind="json")["text"])
    whole = convcalc.load(f"zoo:{name}").report(detailed=["peak"])
    assert page.startswith("<!DOCTYPE html>")
    assert numbers["totals"] == whole.to_dict()["totals"]
    assert [layer["name"] for layer in numbers["layers"]] == [row.path for row in whole.rows]


def test_the_version_at_load_is_compared() -> None:
    ask("report", text=SPEC.replace("[4, 3]", "[8, 3]"), before=SPEC)
    numbers = json.loads(ask("file", kind="json")["text"])
    assert [report["label"] for report in numbers["designs"]] == ["at load", "now"]
    assert "at load → now" in ask("page")["html"]
    (error,) = ask("report", text=SPEC, before="layers: [")["errors"]
    assert "the version at load cannot be compared" in error["text"]


@pytest.mark.parametrize("kind", ["graph", "bridge", "treemap", "skyline"])
def test_a_picture_is_a_file_of_its_own(kind: str) -> None:
    ask("report", text=SPEC)
    file = ask("file", kind=kind)
    assert file["name"] == f"{kind}.svg"
    assert file["text"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_a_design_may_have_so_many_layers() -> None:
    """``repeat`` takes 10,000: three of them are too many, two are as many as there may be."""
    text = "input: [1]\nlayers:\n" + "  - relu: {}\n    repeat: 10000\n" * 2
    assert "tiles" in ask("report", text=text)
    (error,) = ask("report", text=f"{text}  - relu\n")["errors"]
    assert error["text"].startswith(f"{MOST_LAYERS + 1:,} layers")


# --- problems ---------------------------------------------------------------------------------------------------------


def test_a_mistake_has_its_place_and_a_hint() -> None:
    (error,) = ask("report", text=SPEC.replace("- relu", "- maxpol: 2"))["errors"]
    assert error["code"].startswith("CC")
    assert (error["line"], error["from"], error["to"]) == (4, 4, 10)
    assert "maxpool" in error["text"]


def test_a_place_is_counted_as_javascript_counts() -> None:
    """``😀`` is one character of Python and two units of UTF-16."""
    (error,) = ask("report", text='input: [3]\nlayers: [{note: "😀", wrong: 1}]\n')["errors"]
    assert (error["line"], error["from"], error["to"]) == (2, 22, 27)


def test_what_has_no_place_is_an_answer_too() -> None:
    for given in ({"dtype": "flaot32"}, {"batch": 0}, {"batch": 1.5}):
        (error,) = ask("report", text=SPEC, **given)["errors"]
        assert error["line"] == 0
        assert error["text"]
    assert ask("design", folder="zoo", name="../convcalc-budget")["errors"]


def test_the_last_good_report_stays() -> None:
    ask("report", text=SPEC)
    assert "errors" in ask("report", text="layers: [")
    assert json.loads(ask("file", kind="json")["text"])["totals"]["params"] == 112


# --- completion -------------------------------------------------------------------------------------------------------


def offered(text: str) -> set[str]:
    """What is offered at ``|``."""
    before = text[: text.index("|")].split("\n")
    found = ask("complete", text=text.replace("|", ""), line=len(before) - 1, column=len(before[-1]))
    return {option["label"] for option in found["options"]}


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        ("|", {"input", "layers", "vars", "blocks"}, {"conv"}),
        ("layers:\n  - co|", {"conv", "relu", "name", "repeat"}, {"layers", "kernel"}),
        ("layers:\n- co|", {"conv", "relu"}, {"layers"}),
        ("layers:\n  - conv: {out: 3, |", {"kernel", "stride", "padding"}, {"conv", "layers"}),
        ("layers:\n  - conv:\n      |", {"kernel", "stride", "padding"}, {"layers"}),
        ("layers:\n  - conv:\n      out: 3\n    |", {"name", "when", "from"}, {"kernel", "layers"}),
        ("layers:\n  - add:\n      - - conv: [4, 1]\n        - |", {"conv", "relu"}, {"kernel", "layers"}),
        ("blocks:\n  Twice:\n    layers: [relu]\nlayers:\n  - T|", {"Twice", "conv"}, {"params"}),
        ("blocks:\n  Twice:\n    |", {"params", "layers", "note"}, {"conv"}),
        ("defaults: {conv: {|", {"norm", "act", "bias"}, {"conv"}),
        ("layers:\n  - conv: [3, 3]\nout|", {"outputs", "input"}, {"conv"}),
    ],
)
def test_what_can_be_written_is_offered(text: str, some: set[str], none: set[str]) -> None:
    found = offered(text)
    assert some <= found
    assert not none & found


def test_any_place_of_a_design_has_an_answer() -> None:
    lines = ask("design", folder="zoo", name="resnet50")["text"].split("\n")
    for number, line in enumerate(lines):
        for column in range(len(line) + 1):
            assert "options" in ask("complete", text="\n".join(lines), line=number, column=column)


# --- what the browser gets --------------------------------------------------------------------------------------------


def test_it_runs_from_what_the_browser_gets(tmp_path: Path) -> None:
    """The files of the archive, with PyYAML, and no other package."""
    import yaml

    for name, file in packed_files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(file.read_bytes())
    (tmp_path / "yaml").symlink_to(Path(yaml.__file__).parent)
    assert not any((tmp_path / "convcalc" / room).exists() for room in LEFT_OUT)
    program = f"""
import json, sys
sys.path.insert(0, {str(tmp_path)!r})
sys.modules.update(dict.fromkeys({NOT_THERE!r}))
from convcalc.playground.app import answer
import convcalc
assert convcalc.__file__.startswith({str(tmp_path)!r})
def ask(call, **given):
    found = json.loads(answer(call, json.dumps(given)))
    assert "errors" not in found, found
    return found
for folder, names in ask("designs")["designs"].items():
    for name in names:
        text = ask("design", folder=folder, name=name)["text"]
        ask("report", text=text)
ask("page")
text = ask("design", folder="zoo", name="unet")["text"]
ask("report", text=text, before=text, batch=2, dtype="float16, **=int8")
ask("page")
for kind in ("html", "json", "graph", "bridge", "treemap", "skyline"):
    ask("file", kind=kind)
ask("complete", text=text, line=0, column=0)
ask("report", text="backbone: [[-1, 1, Conv, [64, 3, 2]]]\\nhead: []")
for wrong in ("", "layers", "{{}}", "input: [3]\\nlayers: [cnv: 3]"):
    assert "errors" in json.loads(answer("report", json.dumps({{"text": wrong}})))
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("module", ["convcalc.api", "convcalc.playground.app"])
def test_neither_click_nor_rich_is_needed(module: str) -> None:
    """A module that is ``None`` in ``sys.modules`` cannot be imported, at load or later."""
    program = f"""
import sys
sys.modules.update(click=None, rich=None)
import {module}
import convcalc
report = convcalc.load("zoo:lenet").report()
both = report, convcalc.compare("zoo:lenet", "zoo:alexnet")
assert all(each.to("json") and str(each) and each._repr_html_() for each in both)
assert report.graph() and report.plot()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


# --- building ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SystemExit) as stopped:
        main(["-o", str(tmp_path)])
    assert stopped.value.code == 2
    assert "is no playground" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_npm_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        main(["-o", str(tmp_path / "site")])
    assert stopped.value.code == 2
    assert "npm is not installed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
