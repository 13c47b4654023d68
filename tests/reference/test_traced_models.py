"""The table of traced models, measured again. It is run by its name alone, where PyTorch, torchvision and timm are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def check_where_torch_is(script: str) -> None:
    """Run ``check`` of a script of this folder, in a process of its own."""
    for package in ("torch", "torchvision", "timm"):
        pytest.importorskip(package)
    command = [sys.executable, HERE / script, "check"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)})


def test_the_importer_gives_what_the_table_says() -> None:
    check_where_torch_is("traced_models.py")
