"""``formula``: its formats, what is said on the way, and what it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import convcalc
from convcalc import schemas
from tests.conftest import HANG, ROOT, Command, needs_latex

BOTTLENECK = str(ROOT / "specs" / "tutorials" / "resnet_bottleneck.yaml")
REDUCED = str(ROOT / "specs" / "tutorials" / "googlenet_3a.yaml#reduced")
DESIGNS = [
    ("zoo:mobilenet_v2", "--symbols", "size"),
    ("zoo:resnet50", "--symbols", "h,w"),
    ("zoo:unet", "--symbols", "size"),
    ("zoo:vit", "--symbols", "image,dim"),
    (REDUCED, "--symbols", "h,w,cin,c1,c3,c5,r3,r5,projection"),
    (f"{BOTTLENECK}#bottleneck", "--symbols", "h,w", "--set", "c=4*m", "--over", f"{BOTTLENECK}#single"),
    (f"{BOTTLENECK}#bottleneck", "--symbols", "h,w,c,middle", "--over", f"{BOTTLENECK}#plain"),
]

every_design = pytest.mark.parametrize("arguments", DESIGNS, ids=lambda arguments: arguments[0].rpartition("/")[2])


# --- text -------------------------------------------------------------------------------------------------------------


def test_text(cli: Command) -> None:
    result = cli(
        "formula", f"{BOTTLENECK}#bottleneck", "--symbols", "h,w", "--set", "c=4*m", "--over", f"{BOTTLENECK}#single"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[1] == "for positive integers h, w, m · c = 4*m"
    assert [line.split() for line in lines if line.startswith("bottleneck.")] == [
        ["bottleneck.conv1", "×", "2", "conv", "4·m²", "4·h·w·m²"],
        ["bottleneck.conv2", "conv", "9·m²", "9·h·w·m²"],
    ]
    assert "Multiplies = 17·h·w·m²" in lines
    assert "Multiplies = 17/144 ≈ 0.1181" in lines
    assert "4 layers without params or multiplies are not shown." in lines
    assert any(line.startswith("Verified against the integer count at h = ") for line in lines)


def test_assumptions_are_listed(cli: Command) -> None:
    assert "\nAssumed: image ≥ 16; 12 divides dim.\n" in cli("formula", "zoo:vit", "--symbols", "image,dim").stdout


def test_a_narrow_terminal_has_the_layers_one_below_the_other(cli: Command) -> None:
    text = cli("formula", "zoo:mobilenet_v2", "--symbols", "size", "--width", "60").stdout
    assert max(map(len, text.splitlines())) <= 60
    assert "Layer " not in text
    assert "stage1.block1.depthwise" in text


def test_ascii(run: Command) -> None:
    result = run(
        "formula", "zoo:mobilenet_v2", "--set", "size=32*k", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    )  # fmt: skip
    assert result.exit_code == 0
    assert result.stdout.isascii()
    assert "Multiplies = 6,112,128*k^2 + 1,280,000" in result.stdout


def test_depth_and_metrics(cli: Command) -> None:
    text = cli("formula", "zoo:mobilenet_v2", "--set", "size=32*k", "--depth", "1", "--metrics", "flops,buffers").stdout
    report = convcalc.load("zoo:mobilenet_v2", set={"size": 32}).report()
    below = [row for row in report.rows if row.path.startswith("stage2.")]
    buffers, flops = (sum(row.values[key] for row in below) for key in ("buffers", "flops"))
    assert re.search(rf"^stage2 +18 layers +{buffers:,} +{flops:,}·k²$", text, re.MULTILINE)
    assert "Params" not in text
    assert "FLOPs   = 12,224,256·k² + 2,560,000" in text


# --- other formats ----------------------------------------------------------------------------------------------------


@every_design
def test_json_is_what_its_schema_says(cli: Command, arguments: tuple[str, ...]) -> None:
    document = json.loads(cli("formula", *arguments, "--json").stdout)
    jsonschema.validate(document, json.loads(schemas.schema("formula")))
    assert document["checked"]
    names = [use["name"] for use in document["symbols"]]
    assert set(document["checked"]) == set(names)


def test_json_evaluates_to_the_report(cli: Command) -> None:
    document = json.loads(cli("formula", "zoo:resnet50", "--symbols", "h,w", "--json").stdout)
    report = convcalc.load("zoo:resnet50").report()
    known = {"h": 224, "w": 224}
    assert [layer["name"] for layer in document["layers"]] == [row.path for row in report.rows]
    assert [value(layer["macs"], known) for layer in document["layers"]] == [row.values["macs"] for row in report.rows]
    assert value(document["totals"]["macs"]["python"], known) == report.totals["macs"] == 4089184256


def value(text: str, known: dict[str, int]) -> Any:
    return eval(text, {}, known)  # noqa: S307 - our own


@every_design
def test_python_runs_alone(cli: Command, run: Command, arguments: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "closed.py"
    assert cli("formula", *arguments, "-o", str(path)).exit_code == 0
    document = json.loads(cli("formula", *arguments, "--json").stdout)
    values = document["checked"]
    summed = f"sum(layer['macs'] for layer in closed.layers(**{values}).values())"
    program = f"import closed\nprint(closed.params(**{values}), closed.macs(**{values}), {summed})"
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"]
    params, macs, added = map(int, subprocess.run(command, capture_output=True, check=True).stdout.split())
    assert added == macs
    totals = {key: value(total["python"], values) for key, total in document["totals"].items()}
    assert totals == {"params": params, "macs": macs}


def test_python_refuses_what_is_not_assumed(cli: Command) -> None:
    found: dict[str, Any] = {}
    exec(cli("formula", "zoo:vit", "--symbols", "image,dim", "-f", "python").stdout, found)  # noqa: S102 - our own
    assert found["macs"](224, 768) == 17563828224
    for wrong in ((15, 768), (224, 766), (0, 768)):
        with pytest.raises(ValueError, match="the formula holds only where"):
            found["macs"](*wrong)


def test_a_name_that_python_keeps_for_itself(cli: Command, tmp_path: Path) -> None:
    spec = tmp_path / "words.yaml"
    spec.write_text("input: [8, 9, 9]\nvars: {lambda: 4, require: 3}\nlayers: [conv: [lambda, require]]\n")
    found: dict[str, Any] = {}
    text = cli("formula", str(spec), "--symbols", "lambda,require", "-f", "python").stdout
    exec(text, found)  # noqa: S102 - our own
    assert found["params"](lambda_=5, require_=3) == 5 * 8 * 9 + 5


@every_design
def test_latex_is_balanced_and_uses_known_commands(cli: Command, arguments: tuple[str, ...]) -> None:
    text = cli("formula", *arguments, "-f", "latex").stdout
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    depth = 0
    for piece in re.findall(r"\\[A-Za-z]+|\\.|.", body):
        depth += (piece == "{") - (piece == "}")
        assert depth >= 0
    assert depth == 0
    assert body.count(r"\left") == body.count(r"\right")
    commands = set(re.findall(r"\\([A-Za-z]+)", body))
    known = {"begin", "end", "text", "cdot", "left", "right", "lfloor", "rfloor", "frac", "mathit", "geq", "leq", "mid"}
    assert commands <= known | {"quad", "times", "alpha"}
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", body, re.DOTALL):
        assert all("&" in line for line in block.split("\\\\\n"))


@needs_latex
def test_latex_compiles(cli: Command, tmp_path: Path) -> None:
    bodies = [cli("formula", *arguments, "-f", "latex").stdout for arguments in DESIGNS]
    head = "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{amsmath}\n\\begin{document}\n"
    (tmp_path / "all.tex").write_text(head + "\n".join(bodies) + "\\end{document}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=HANG)
    assert done.returncode == 0, done.stdout.decode("latin-1")[-2000:]


def test_several_formats_at_once(cli: Command, tmp_path: Path) -> None:
    tex, program = tmp_path / "a.tex", tmp_path / "a.py"
    result = cli(
        "formula",
        "zoo:mobilenet_v2",
        "--symbols",
        "size",
        "-f",
        "text",
        "-f",
        f"latex={tex}",
        "-f",
        f"python={program}",
    )
    assert result.exit_code == 0
    assert "align*" in tex.read_text(encoding="utf-8")
    assert "def macs(size):" in program.read_text(encoding="utf-8")


def test_the_same_on_every_run(run: Command) -> None:
    arguments = ("formula", "zoo:inception_v3", "--symbols", "h,w", "--json")
    assert run(*arguments, env={"PYTHONHASHSEED": "1"}) == run(*arguments, env={"PYTHONHASHSEED": "2"})


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("zoo:vit", "--symbols", "imag"), "did you mean 'image'?"),
        (("zoo:alexnet", "--symbols", "halves"), "symbolic 'halves'"),
        (("zoo:vit", "--symbols", "image,"), "not a list of names"),
        (("zoo:vit",), "--symbols names them"),
        (("zoo:vit", "--symbols", "image", "--metrics", "mac"), "did you mean 'macs'?"),
        (("zoo:vit", "--symbols", "image", "--metrics", "bound"), "'bound' is not one of params, "),
        (("zoo:vit", "--symbols", "image", "--metrics", "fvcore"), "'fvcore' is not one of params, "),
        (("zoo:vit", "--symbols", "image", "--metrics", "params,receptive_field"), "'receptive_field' is not one of"),
        (("zoo:vit", "--symbols", "image", "-f", "latx"), "did you mean 'latex'?"),
        (("zoo:vti", "--symbols", "image"), "did you mean 'vit'?"),
        (("zoo:vit", "--symbols", "image", "--over", "zoo:vti"), "did you mean 'vit'?"),
    ],
    ids=str,
)
def test_mistakes(cli: Command, arguments: tuple[str, ...], said: str) -> None:
    result = cli("formula", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_without_sympy_it_names_the_extra(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    result = cli("formula", "zoo:vit", "--symbols", "image")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "error CC719: formulas need SymPy, which is not installed",
        "  hint: pip install 'convcalc[formula]'",
    ]


def test_a_sympy_that_cannot_be_loaded_is_told_with_what_it_raises(tmp_path: Path) -> None:
    (tmp_path / "sympy.py").write_text('raise ValueError("half a copy")')
    command = [sys.executable, "-m", "convcalc", "formula", "zoo:vit", "--symbols", "image"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    said, hint = done.stderr.splitlines()
    assert said == "error CC719: formulas need SymPy, which is installed but cannot be loaded: ValueError: half a copy"
    assert hint.startswith("  hint: reinstall sympy")


def test_a_formula_that_is_wrong_is_a_bug(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from convcalc.formula.simplify import Simplifier

    right = Simplifier.simplify
    monkeypatch.setattr(Simplifier, "simplify", lambda self, expression: right(self, expression * 2))
    result = cli("formula", "zoo:mobilenet_v2", "--symbols", "size")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "internal error: MismatchError: params of " in result.stderr


def test_symbols_are_completed() -> None:
    from convcalc.cli.commands.formula import command

    option = next(parameter for parameter in command.params if parameter.name == "symbols")
    context = command.context_class(command)
    context.params = {"design": "zoo:vit"}
    assert [item.value for item in option.shell_complete(context, "image,d")] == ["image,dim", "image,depth"]
    assert [item.value for item in option.shell_complete(context, "h")] == ["heads", "h"]
