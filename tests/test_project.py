"""The project as a whole: one version, extras, what lies in the repository, and what a plain report loads."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import convcalc
from tests.conftest import ROOT

CORE = {"click", "PyYAML", "rich"}
EXTRAS = {
    "sweep": {"numpy"},
    "parquet": {"pyarrow"},
    "formula": {"sympy"},
    "dataframe": {"pandas", "polars"},
    "onnx": {"onnx"},
    "torch": {"torch"},
    "png": {"resvg-py"},
    "cluster": {"distributed"},
}
TOP_LEVEL = {"CHANGELOG.md", "LICENSE", "README.md", "action.yml", "convcalc", "pyproject.toml", "specs", "tests"}
HEAVY = {"dask", "distributed", "numpy", "onnx", "pandas", "polars", "pyarrow", "resvg_py", "sympy", "torch"}

# One letter of each word stands in brackets, so that this file does not find itself.
UNWANTED = {
    "unfinished work": r"\b(TOD[O]|FIXM[E]|XX[X])\b",
    "a registry's host": r"\b(pyp[i]\.org|pythonhoste[d]\.org|npmj[s]\.(org|com)|deb\.debia[n]\.org)\b",
    "an author's tag": r"@autho[r]\b|__autho[r]__|Co-authored-b[y]:|Signed-off-b[y]:",
    "somebody's machine": r"(?<![\w./~-])/(hom[e]|roo[t]|wor[k]|User[s])/",
}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    metadata: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return metadata


def kept_files() -> list[Path]:
    """The files that are in the repository, or would be with the next commit; in an unpacked sdist, what it holds."""
    if not (ROOT / ".git").exists():
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file() and path.name != "PKG-INFO"]
        return [path for path in found if not path.parts[0].startswith(".") and "__pycache__" not in path.parts]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements}


# --- version and extras -----------------------------------------------------------------------------------------------


def test_the_version_stands_in_one_place(project: dict[str, Any]) -> None:
    source = (ROOT / "convcalc" / "__init__.py").read_text(encoding="utf-8")
    assert re.findall(r'^__version__ = "(\d+\.\d+\.\d+[\w.]*)"$', source, re.MULTILINE) == [convcalc.__version__]
    assert project["dynamic"] == ["version"]
    elsewhere = [
        path for path in sorted((ROOT / "convcalc").rglob("*.py")) if convcalc.__version__ in path.read_text("utf-8")
    ]
    assert elsewhere == [ROOT / "convcalc" / "__init__.py"]


def test_the_core_needs_three_packages(project: dict[str, Any]) -> None:
    assert names(project["dependencies"]) == CORE


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_brings_its_package(project: dict[str, Any], extra: str) -> None:
    assert names(project["optional-dependencies"][extra]) == EXTRAS[extra]


def test_all_is_every_extra_but_torch(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    (everything,) = extras["all"]
    assert everything == f"convcalc[{','.join(extra for extra in EXTRAS if extra != 'torch')}]"
    assert set(extras) == {*EXTRAS, "all", "browser", "dev", "test"}


# --- the repository ---------------------------------------------------------------------------------------------------


def test_nothing_else_lies_at_the_top() -> None:
    top = {path.parts[0] for path in kept_files()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_holds(what: str) -> None:
    found = []
    for path in kept_files():
        try:
            lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if re.search(UNWANTED[what], line)]
    assert not found, "\n".join(found)


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "convcalc" / "py.typed").is_file()


# --- start-up ---------------------------------------------------------------------------------------------------------


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running this code."""
    program = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}}, file=sys.__stderr__)"
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert process.returncode == 0, process.stderr.decode()
    return set(process.stderr.decode().split())


@pytest.mark.parametrize(
    "arguments",
    [["report", "specs/zoo/resnet50.yaml"], ["compare", "specs/tutorials/googlenet_3a.yaml"]],
    ids=lambda arguments: arguments[0],
)
def test_a_plain_command_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(f"from convcalc.cli import main; assert main({arguments}) == 0")
    assert "yaml" in loaded
    assert not loaded & HEAVY


def test_the_package_itself_loads_no_screen() -> None:
    assert not loaded_by("import convcalc; convcalc.load") & {*HEAVY, "click", "rich"}


def test_a_piped_report_loads_nothing_that_it_does_not_need() -> None:
    """Start-up is what a script pays again and again: each of these takes milliseconds."""
    program = "from convcalc.cli import main; import sys; main(['report', 'specs/zoo/resnet50.yaml'])"
    process = subprocess.run(
        [sys.executable, "-c", f"{program}; print(*sys.modules, file=sys.stderr)"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    loaded = set(process.stderr.decode().split())
    assert not loaded & {"rich", "tempfile", "shutil", "click.shell_completion", "difflib", "convcalc.report.compare"}
    unused = {"convcalc.ops.kinds.lstm", "convcalc.ops.kinds.upsample"}
    assert not loaded & unused, "an op is loaded where a spec uses it, not for its words"
