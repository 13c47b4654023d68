"""A folder with specs, to run commands in; and a real shell, for pipes and closed streams."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.conftest import HANG, LEAKS, ROOT, Result

SPECS = {
    "tiny.yaml": """\
name: Tiny
input: [3, 8, 8]
vars: {width: 4}
variants: {wide: {width: 8}}
layers:
  - {conv: [width, 3], name: stem}
  - repeat: 2
    name: stage
    seq: [conv: {out: width, kernel: 1, act: relu}]
  - [avgpool: global, flatten, linear: 10]
""",
    "pair.yaml": """\
input: [8, 16, 16]
layers:
  - {conv: [8, 3], name: direct}
  - {seq: [conv: [2, 1], conv: [8, 3]], name: reduced, from: input}
outputs: [direct, reduced]
""",
    "broken.yaml": "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3, dilaton: 2}\n",
    "warns.yaml": "input: [3, 8, 8]\nvars: {unused: 1}\nlayers: [relu]\n",
}

Shell: TypeAlias = Callable[[str], Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the specs above in it."""
    for name, text in SPECS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(folder: Path) -> Shell:
    """Runs a line of bash in the folder; ``convcalc`` is the program."""
    environment = {name: value for name, value in os.environ.items() if name not in LEAKS}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHON": sys.executable}

    def call(line: str) -> Result:
        process = subprocess.run(
            ["bash", "-c", f'convcalc() {{ "$PYTHON" -m convcalc "$@"; }}\nset -o pipefail\n{line}'],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=HANG,
            check=False,
        )
        return Result(process.returncode, process.stdout.decode(), process.stderr.decode())

    return call


def files(folder: Path) -> set[str]:
    """Everything that lies in a folder beside the specs."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")} - set(SPECS)
