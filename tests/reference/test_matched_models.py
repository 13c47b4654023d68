"""Which bundled designs are what their modules are. ``check`` is run by this file's name alone, where PyTorch is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_the_modules_match_as_the_table_says() -> None:
    for package in ("torch", "torchvision", "timm"):
        pytest.importorskip(package)
    command = [sys.executable, HERE / "matched_models.py", "check"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)})
