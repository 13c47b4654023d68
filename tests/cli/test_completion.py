"""Shell completion: scripts for three shells, and what a shell is told may stand next."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convcalc import schemas
from convcalc.cli import COMPLETION_VARIABLE
from convcalc.guide.pages import error_codes
from convcalc.importers.registry import importers
from tests.conftest import LEAKS, ROOT, Command

SHELLS = ("bash", "zsh", "fish")


def asked(shell: str, *typed: str) -> dict[str, str | None]:
    """The environment in which a shell asks what the last of the typed words may become."""
    at = typed[-1] if shell == "fish" else str(len(typed))
    return {COMPLETION_VARIABLE: f"{shell}_complete", "COMP_WORDS": " ".join(("convcalc", *typed)), "COMP_CWORD": at}


def words(cli: Command, *typed: str) -> list[str]:
    """What is offered for the last of the typed words; a folder for the shell to look into ends with a slash."""
    result = cli(env=asked("zsh", *typed))
    assert (result.exit_code, result.stderr) == (0, "")
    answer = result.stdout.strip("\n").split("\n")
    types, values = answer[0::3], answer[1::3]
    return [f"{value}/" if type_ == "dir" else value for type_, value in zip(types, values, strict=False)]


# --- what is offered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("re", ["reconcile", "report"]),
        ("report tiny.yaml --profile th", ["thop", "thop_ultralytics"]),
        ("comp", ["compare", "completion"]),
        ("report --by ", ["layer", "op", "block"]),
        ("report --dtype fl", ["float64", "float32", "float16"]),
        ("report --color ", ["auto", "always", "never"]),
        ("report -f j", ["json"]),
        ("validate -f ", ["text", "concise", "json"]),
        ("report --columns params,ma", ["params,macs"]),
        ("report --sort pa", ["params", "path", "palm"]),
        ("report --columns params,th", ["params,thop", "params,thop_ultralytics"]),
        ("-q schema ", list(schemas.NAMES)),
        ("completion ", ["bash", "zsh", "fish"]),
        ("guide pr", ["profiles"]),
        ("guide me", ["metrics"]),
        ("explain con", ["concat", "conv"]),
        ("explain softs", ["softshrink", "softsign"]),
        ("explain thop", ["thop", "thop_ultralytics"]),
        ("explain rtx", ["rtx-4090"]),
        ("explain ti", ["timm", "timm_macts", "tiny.yaml"]),
        ("explain patch", ["patch-embedding"]),
        ("explain effective", ["effective_stride"]),
        ("report tiny.yaml --dep", ["--depth"]),
        ("graph --depth a", ["auto", "all"]),
        ("graph tiny.yaml --direction ", ["down", "right"]),
        ("graph tiny.yaml --open st", ["stem", "stage1", "stage2"]),
        ("graph tiny.yaml --close stage1.", ["stage1.conv1"]),
        ("graph --open st", []),
        ("report t", ["torch:", "tiny.yaml", "t/"]),
        ("report mo", ["model.cfg", "model.keras", "model.onnx", "mo/"]),
        ("validate mo", ["mo/"]),
        ("compare tiny.yaml p", ["pair.yaml", "p/"]),
        ("validate b", ["broken.yaml", "b/"]),
        ("report sub/", ["sub/inner.yaml", "sub//"]),
        ("report nowhere/", []),
        ("report zoo:resnet1", ["zoo:resnet18"]),
        ("report zoo:resnet50@1", ["zoo:resnet50@101", "zoo:resnet50@152"]),
        ("report tiny.yaml@", ["tiny.yaml@wide"]),
        ("report tiny.yaml#st", ["tiny.yaml#stem", "tiny.yaml#stage1", "tiny.yaml#stage2"]),
        ("report tiny.yaml@wide#stage1.", ["tiny.yaml@wide#stage1.conv1"]),
        ("report tiny.yaml#..st", ["tiny.yaml#..stem", "tiny.yaml#..stage1", "tiny.yaml#..stage2"]),
        ("report tiny.yaml#..stage1.", ["tiny.yaml#..stage1.conv1"]),
        ("report tiny.yaml --variant w", ["wide"]),
        ("report tiny.yaml --set w", ["width="]),
        ("report tiny.yaml --input i", ["input="]),
        ("report tiny.yaml --receptive-field w", ["with-gates", "without-gates"]),
        ("report tiny.yaml --columns +fvc", ["+fvcore", "+fvcore_activations"]),
        ("batch tiny.yaml --variants ", ["all", "wide"]),
        ("compare tiny.yaml pair.yaml --variants w", ["wide"]),
        ("sweep tiny.yaml --variants wide,", []),
        ("batch tiny.yaml --sort macs:", ["macs:asc", "macs:desc"]),
        ("batch tiny.yaml --pareto params,-ma", ["params,-macs"]),
        ("sweep tiny.yaml w", ["width="]),
        ("sweep tiny.yaml width=1,2 --sort w", ["width", "weight_bytes"]),
        ("sweep tiny.yaml width=1,2 --pareto params,-w", ["params,-width", "params,-weight_bytes"]),
        ("solve tiny.yaml --for w", ["width="]),
        ("solve tiny.yaml --max params=5M,ma", ["params=5M,macs="]),
        ("formula tiny.yaml --symbols w", ["width", "w"]),
        ("formula tiny.yaml --symbols width,h", ["width,h"]),
        ("report broken.yaml --set ", []),
        ("report nowhere.yaml --set ", []),
        ("report broken.yaml@", []),
        ("report broken.yaml#", []),
    ],
)
def test_offers(cli: Command, folder: Path, line: str, offered: list[str]) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "inner.yaml").touch()
    (folder / "sub" / "notes.txt").touch()
    for ending in {ending for each in importers() if each.title != "refused" for ending in each.suffixes}:
        (folder / f"model{ending}").touch()
    assert words(cli, *line.split(" ")) == offered


def test_designs_are_shipped_specs_files_and_folders(cli: Command, folder: Path) -> None:
    offered = words(cli, "report", "")
    assert {"zoo:lenet", "zoo:vit", "tiny.yaml", "/"} <= set(offered)
    assert words(cli, "explain", "CC4") == [code for code in error_codes() if code.startswith("CC4")] != []


# --- scripts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(cli: Command, shell: str) -> None:
    script = cli("completion", shell).stdout
    assert f"{COMPLETION_VARIABLE}={shell}_complete" in script
    assert "convcalc" in script
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=script.encode(), capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_script_asks_is_answered(run: Command, shell: str) -> None:
    result = run(env=asked(shell, "report", "zoo:resnet50@1"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "zoo:resnet50@101" in result.stdout
    assert "zoo:resnet50@152" in result.stdout


def test_an_unknown_shell_is_no_finding(cli: Command) -> None:
    assert cli(env={COMPLETION_VARIABLE: "basch_complete"}).exit_code == 2


# --- in bash ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bash(folder: Path) -> Callable[[str], list[str]]:
    """Types a line in bash, presses the tab key and returns what bash is given to put in place of the last word."""
    environment = {name: value for name, value in os.environ.items() if name not in LEAKS}

    def type_(line: str) -> list[str]:
        script = (
            f'convcalc() {{ "{sys.executable}" -m convcalc "$@"; }}; compopt() {{ :; }}\n'
            'eval "$(convcalc completion bash)"\n'
            'COMP_LINE="$1" COMP_POINT=${#1}; _convcalc_completion convcalc; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        process = subprocess.run(
            ["bash", "-c", script, "bash", line],
            env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        assert process.stderr == b""
        return process.stdout.decode().split("\n")[:-1]

    return type_


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("convcalc rep", ["report"]),
        ("convcalc -q report --by o", ["op"]),
        ("convcalc report --by=o", ["op"]),
        ("convcalc report tin", ["tiny.yaml"]),
        ("convcalc report tiny.yaml@w", ["wide"]),
        ("convcalc report zoo:resnet50@1", ["101", "152"]),
        ("convcalc report zoo:len", ["lenet"]),
        ("convcalc compare zoo:lenet zoo:a", ["alexnet"]),
        ("convcalc report su", ["sub/"]),
        ("convcalc report sub/i", ["sub/inner.yaml"]),
        ("convcalc report my", ["my\\ net.yaml"]),
        ("convcalc schema ", list(schemas.NAMES)),
    ],
)
def test_bash(bash: Callable[[str], list[str]], folder: Path, line: str, completed: list[str]) -> None:
    """Bash breaks words at : = and @, so that only what stands behind the last of them is replaced."""
    (folder / "sub").mkdir()
    (folder / "sub" / "inner.yaml").touch()
    (folder / "my net.yaml").touch()
    assert bash(line) == completed
