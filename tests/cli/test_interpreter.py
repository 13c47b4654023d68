"""However the interpreter is started: without asserts, without docstrings, and with warnings that are errors."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import convcalc
from tests.conftest import HANG, LEAKS, ROOT

RESNET50 = str(ROOT / "tests" / "sweep" / "resnet50.yaml")
SCRIPT = str(Path(sysconfig.get_path("scripts")) / "convcalc")
ENTRIES = {"module": ["-m", "convcalc"], "console script": [SCRIPT]}


def started(*arguments: str, path: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    outer = {name: value for name, value in os.environ.items() if name not in LEAKS}
    search = os.pathsep.join({str(path): "", str(ROOT): ""})
    return subprocess.run(
        [sys.executable, *arguments],
        env={**outer, "PYTHONPATH": search, "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=HANG,
        check=False,
    )


# --- python -O and -OO ------------------------------------------------------------------------------------------------

COMMANDS = (
    ("report", "zoo:resnet50", "--json"),
    ("explain", "conv"),
    ("formula", "zoo:vit", "--symbols", "image"),
    ("sweep", RESNET50, "width=8,16", "-f", "csv"),
    ("report", "nowhere.yaml"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_without_asserts_all_is_the_same(arguments: tuple[str, ...]) -> None:
    plain, optimised = (started(*option, "-m", "convcalc", *arguments) for option in ((), ("-O",)))
    assert (optimised.returncode, optimised.stdout, optimised.stderr) == (plain.returncode, plain.stdout, plain.stderr)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("arguments", [["report", "zoo:resnet50"], ["--help"], []], ids=" ".join)
def test_without_docstrings_there_is_one_sentence(entry: list[str], arguments: list[str]) -> None:
    for done in (started("-OO", *entry, *arguments), started(*entry, *arguments, PYTHONOPTIMIZE="2")):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "python -OO takes away the docstrings" in done.stderr


def test_without_docstrings_the_library_counts() -> None:
    program = "import convcalc; print(convcalc.load('zoo:resnet50').report())"
    done = started("-OO", "-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{convcalc.load('zoo:resnet50').report()}\n"


# --- warnings of dependencies -----------------------------------------------------------------------------------------

OLD = """\
import builtins, warnings

loaded = builtins.__import__

def importing(name, *rest, **named):
    if name.partition(".")[0] in {"click", "yaml", "rich", "numpy", "sympy", "pyarrow", "distributed"}:
        warnings.warn(f"{name} is old", DeprecationWarning, stacklevel=2)
    return loaded(name, *rest, **named)

builtins.__import__ = importing
"""
"""A ``sitecustomize`` that warns whenever a dependency is imported, here and in the processes of workers."""

VARIABLE, OPTION = (), ("-W", "error")
RUNS = (
    (VARIABLE, ("report", "zoo:resnet50"), "yaml"),
    (OPTION, ("batch", "zoo:resnet*", "-f", "csv"), "click"),
    (VARIABLE, ("formula", "zoo:vit", "--symbols", "image"), "sympy"),
    (VARIABLE, ("sweep", RESNET50, "width=8,16", "size=32..224:2", "--jobs", "2", "-f", "csv"), "numpy"),
    (OPTION, ("sweep", RESNET50, "width=8,16", "size=32..224:2", "--jobs", "2", "-f", "csv"), "numpy"),
    (OPTION, ("sweep", RESNET50, "width=8,16", "--dask", "local", "-f", "csv"), "distributed"),
)


@pytest.mark.parametrize(("how", "arguments", "old"), RUNS)
def test_a_warning_of_a_dependency_ends_no_run(
    tmp_path: Path, how: tuple[str, ...], arguments: tuple[str, ...], old: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(OLD)
    plain = started("-m", "convcalc", *arguments)
    variables = {} if how else {"PYTHONWARNINGS": "error"}
    warned = started(*how, "-m", "convcalc", *arguments, path=tmp_path, **variables)
    assert (warned.returncode, warned.stdout) == (plain.returncode, plain.stdout) == (0, plain.stdout)
    assert f"DeprecationWarning: {old}" in warned.stderr
