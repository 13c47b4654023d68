"""What all tests share: whole outputs as golden files, the command line in this process or in its own, Hypothesis."""

from __future__ import annotations

import difflib
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
"""The programs that the extra [test] installs are found whether or not its environment is activated."""

os.environ["CONVCALC_NO_CACHE"] = "1"
"""No test takes results from another, nor writes a cache where it runs, unless it is about that."""

UNTIMED: Any = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
"""No test fails because the machine is slow."""
hypothesis.settings.register_profile("ci", **UNTIMED, derandomize=True, max_examples=100)
hypothesis.settings.register_profile("dev", **UNTIMED, max_examples=50)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")

LINUX = re.compile(
    r"/dev/(full|zero|fd)|/proc/|mkfifo|import (pty|resource)|setrlimit|killpg|bash|/bin/sh|symlink_to|shell\("
)
collect_ignore = [
    str(path)
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if sys.platform != "linux" and path.name != "conftest.py" and LINUX.search(path.read_text("utf-8"))
]
"""Tests of what only Linux has (shells, pipes with names, full devices, limits on memory) are left out elsewhere."""

LEAKS = ("CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TERM")
"""Variables of the terminal that runs the tests; an output must not depend on them unless a test says so."""

needs_latex = pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="no pdflatex here: Debian has it in texlive-latex-recommended"
)
"""For tests that typeset a page; what it takes is far too large to install for them."""

HANG = 600
"""Seconds that no machine is too slow for: what takes longer has no end, and is ended."""

Input: TypeAlias = str | bytes | None
Env: TypeAlias = Mapping[str, str | None] | None


@dataclass(frozen=True)
class Result:
    """What a command did: its exit code and, apart from each other, its two streams as they were written."""

    exit_code: int
    stdout: str
    stderr: str


class Command(Protocol):
    """Runs convcalc with these arguments; an ``env`` entry of None removes the variable."""

    def __call__(self, *args: str | Path, input: Input = None, env: Env = None) -> Result: ...


# --- golden files -----------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files that the tests compare with"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)``: the text is exactly that of the file ``golden/<name>`` beside the test."""
    folder = request.path.parent / "golden"
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = folder / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        elif not path.is_file():
            pytest.fail(f"{path} is missing; pytest --update-golden writes it. The text:\n{text}", pytrace=False)
        elif (kept := path.read_bytes().decode()) != text:
            pytest.fail(f"the output is no longer that of {path}\n{_difference(kept, text, name)}", pytrace=False)

    return compare


def _difference(kept: str, text: str, name: str) -> str:
    before, after = f"golden/{name}", "this run"
    return "\n".join(difflib.unified_diff(_visible(kept), _visible(text), before, after, lineterm=""))


def _visible(text: str) -> list[str]:
    """Lines in which control characters, blanks at the end and a missing line end can be seen."""
    lines = [re.sub(r" $", "·", line.replace("\r", "␍").replace("\x1b", "␛")) for line in text.split("\n")]
    last = lines.pop()
    return [*lines, f"{last} (no line end)"] if last else lines


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the console script's entry in this process: quick, and coverage sees it."""

    def call(*args: str | Path, input: Input = None, env: Env = None) -> Result:
        from convcalc.cli import main

        with monkeypatch.context() as patch:
            for name in LEAKS:
                patch.delenv(name, raising=False)
            for name, value in (env or {}).items():
                patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
            stdin, stdout, stderr = (_stream(content) for content in (_encoded(input), b"", b""))
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", stderr)
            exit_code = main([str(arg) for arg in args])
        return Result(exit_code, _written(stdout), _written(stderr))

    return call


@pytest.fixture
def run() -> Command:
    """Runs ``python -m convcalc`` as a process of its own: for signals, pipes, encodings and what gets imported."""

    def call(*args: str | Path, input: Input = None, env: Env = None) -> Result:
        outer = {name: value for name, value in os.environ.items() if name not in LEAKS}
        wanted = {**outer, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **(env or {})}
        process = subprocess.run(
            [sys.executable, "-m", "convcalc", *map(str, args)],
            input=_encoded(input),
            env={name: value for name, value in wanted.items() if value is not None},
            capture_output=True,
            timeout=HANG,
            check=False,
        )
        return Result(process.returncode, process.stdout.decode(), process.stderr.decode())

    return call


def _encoded(text: Input) -> bytes:
    return text if isinstance(text, bytes) else (text or "").encode()


def _stream(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
