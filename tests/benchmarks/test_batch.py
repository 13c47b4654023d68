"""What a file costs in a batch: on one core and on all, among a hundred files and among ten thousand.

Run by ``pytest tests/benchmarks/test_batch.py``, never by default; nothing here judges a time.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from tests.benchmarks.conftest import Show
from tests.conftest import ROOT

FEW, MANY = 100, 10_000
PAIRS = 3


def distinct(folder: Path, number: int) -> Path:
    """So many files of ResNet-50's size, no two of which have a shape of the same channels and classes."""
    text = (ROOT / "specs" / "zoo" / "resnet50.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    for place in range(number):
        width = 16 + 4 * (place % 100)
        widths = ", ".join(str(width * factor) for factor in (1, 2, 4, 8))
        changed = text.replace("classes: 1000", f"classes: {100 + place}").replace("[64, 128, 256, 512]", f"[{widths}]")
        changed = changed.replace("conv: [64, 7, 2]", f"conv: [{32 + place // 100}, 7, 2]")
        (folder / f"{place:05}.yaml").write_text(changed, encoding="utf-8")
    return folder


def run(folder: Path, number: int, jobs: int | None = None, env: dict[str, str] | None = None) -> tuple[float, float]:
    """Wall-clock seconds and processor seconds of a run over a folder; without a cache, unless ``env`` has another."""
    command = [sys.executable, "-m", "convcalc", "batch", ".", "-f", "csv"]
    command += ["--jobs", str(jobs)] if jobs else []
    outer = {**os.environ, "PYTHONPATH": str(ROOT), "CONVCALC_NO_CACHE": "1", **(env or {})}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    output = subprocess.run(command, cwd=folder, env=outer, capture_output=True, check=True).stdout
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert output.count(b"\n") == number + 1
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_files_a_second(tmp_path: Path, show: Show) -> None:
    few, many = distinct(tmp_path / "few", FEW), distinct(tmp_path / "many", MANY)
    run(few, FEW)  # compiles
    pairs = [(run(few, FEW, 1), run(many, MANY)) for _ in range(PAIRS)]
    for (_, short), (wall, processor) in pairs:
        each = (short / FEW * 1e3, processor / MANY * 1e3)
        show(
            f"{MANY:,} files: {MANY / wall:.0f} a second; processor time {each[1]:.2f} ms a file, "
            f"among {FEW} {each[0]:.2f} ms: ratio {each[1] / each[0]:.2f}"
        )
    show(f"median ratio {median(long / MANY * FEW / short for (_, short), (_, long) in pairs):.2f}")


def test_the_same_files_again(tmp_path: Path, show: Show) -> None:
    folder, used = (
        distinct(tmp_path / "many", MANY),
        {"CONVCALC_NO_CACHE": "", "XDG_CACHE_HOME": str(tmp_path / "user")},
    )
    run(folder, MANY, env=used)
    for _ in range(PAIRS):
        wall, processor = run(folder, MANY, env=used)
        show(f"{MANY:,} files again: {MANY / wall:.0f} a second; processor time {processor / MANY * 1e3:.2f} ms a file")


@pytest.mark.parametrize("number", [FEW, MANY])
def test_memory(tmp_path: Path, show: Show, number: int) -> None:
    program = (
        "import resource, sys; from convcalc.cli import main; main(['batch', sys.argv[1], '-f', 'csv']); "
        "print(*(resource.getrusage(who).ru_maxrss for who in (0, -1)), file=sys.stderr)"
    )
    folder = distinct(tmp_path / "specs", number)
    command = [sys.executable, "-c", program, str(folder)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    own, other = (int(word) / 1024 for word in process.stderr.decode().split()[-2:])
    show(f"{number:,} files: {own:.0f} MiB at most, each of the other processes {other:.0f} MiB")
