"""Too little memory is not a bug, no finding and no package that is missing; a broken package is not a missing one."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest

from convcalc.batch import run as running
from convcalc.batch import worker_pool as workers
from convcalc.cli.group import convcalc
from convcalc.designs.sources import open_design
from convcalc.memory import is_memory_error, with_stack
from convcalc.render.formats.text import report as report_text
from convcalc.render.tables.surface import Surface
from convcalc.report.fold import TableOptions
from tests.conftest import ROOT, Command

MB = 1 << 20
COMMANDS = {
    "report": ("report", "zoo:resnet18"),
    "batch": ("batch", "zoo:v*", "-f", "csv"),
    "sweep": ("sweep", "zoo:resnet18", "classes=1..5"),
    "sweep --jobs": ("sweep", "zoo:resnet18", "classes=1..5", "--jobs", "2"),
    "formula": ("formula", "zoo:resnet18", "--symbols", "h"),
    "solve": ("solve", "zoo:resnet18", "--for", "classes=1..9", "--max", "params=20M"),
    "parquet": ("zoo", "resnet18", "-f", "parquet=out.parquet"),
}
OLD_PYARROW = pyarrow.__version__.startswith("15.")
"""The lowest that is allowed; seen in no later one."""
ABORTED = (-signal.SIGABRT, True)
SIZES = (20, 28, 40, 60, 90, 110, 123, 150, 200, 260)
"""Mebibytes of addresses: from what Python needs alone to what suffices for all but Parquet."""


def limited(folder: Path, size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convcalc", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size * MB, size * MB)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_little_memory(tmp_path: Path, command: str) -> None:
    """Fine, or unusable with the reason; nothing between."""
    ended = {}
    for size in SIZES:
        (tmp_path / "out.parquet").unlink(missing_ok=True)
        done = limited(tmp_path, size, *COMMANDS[command])
        ended[size] = done.returncode
        if command == "parquet" and OLD_PYARROW and (done.returncode, "std::bad_alloc" in done.stderr) == ABORTED:
            # a thread of it found no memory: no Python comes to see that, and nothing must have been written
            assert not (tmp_path / "out.parquet").exists()
            continue
        assert done.returncode in (0, 2), (size, done.stderr)
        assert done.returncode == 0 or "not enough memory" in done.stderr, (size, done.stderr)
        assert "pip install" not in done.stderr
        assert (tmp_path / "out.parquet").exists() <= (done.returncode == 0)
    assert ended[SIZES[0]] == 2 or command == "report"
    assert limited(tmp_path, 16 << 10, *COMMANDS[command]).returncode == 0


def test_a_plain_report_asks_for_no_more_than_it_needs(tmp_path: Path) -> None:
    """What larger commands do about memory costs it nothing."""
    assert limited(tmp_path, 60, *COMMANDS["report"]).returncode == 0


def test_calls_map_no_memory_wherever_the_stack_is() -> None:
    """Frames are mapped in pieces: a loop at the end of one maps and unmaps another, each time, and both are faults."""

    def deepest(depth: int) -> int:
        return 0 if depth == 0 else deepest(depth - 1)

    def faults(call: Callable[[int], int], depth: int) -> int:
        """Page faults of a thousand calls, at a depth of the stack."""
        if depth:
            return faults(call, depth - 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(1000):
            call(10)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    def thousand(depth: int) -> int:
        return faults(deepest, depth)

    assert max(map(thousand, range(300))) > 500
    assert max(map(with_stack(lambda depth: faults(deepest, depth)), range(300))) < 100


def test_a_process_that_counts_without_memory(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forked processes have what is patched here."""

    def full(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0)
    monkeypatch.setattr(workers, "count", full)
    result = cli("batch", "zoo:v*", "--jobs", "2")
    assert (result.exit_code, result.stderr) == (2, "convcalc: not enough memory\n")


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (RuntimeError("can't start new thread"), True),
        (ImportError("libx.so: cannot allocate memory in static TLS block"), False),
        (ImportError("libx.so: cannot open shared object file: No such file or directory"), False),
        (OSError(2, "No such file or directory"), False),
        (ValueError("cannot allocate memory"), False),
    ],
)
def test_what_is_too_little_memory(error: Exception, short: bool) -> None:
    assert is_memory_error(error) is short
    outer = KeyError("later")
    outer.__context__ = error
    assert is_memory_error(outer) is short


# --- broken packages --------------------------------------------------------------------------------------------------

SWEEP = ("sweep", "zoo:resnet18", "classes=1..5")
PACKAGES = {
    "numpy": (SWEEP, "CC719: sweeps need NumPy"),
    "sympy": (COMMANDS["formula"], "formulas need SymPy"),
    "pyarrow": (COMMANDS["parquet"], "CC707: Parquet files need pyarrow"),
    "distributed": ((*SWEEP, "--dask", "local"), "CC719: clusters need Dask's distributed"),
}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("ImportError('libx.so: wrong ELF class')", "ImportError: libx.so: wrong ELF class"),
        ("OSError(5, 'Input/output error')", "OSError: [Errno 5] Input/output error"),
        ("ModuleNotFoundError('No module named needed', name='needed')", "ModuleNotFoundError: No module named needed"),
        ("AttributeError('halfway')", "AttributeError: halfway"),
    ],
)
def test_a_package_that_is_broken(run: Command, tmp_path: Path, package: str, raised: str, said: str) -> None:
    (tmp_path / f"{package}.py").write_text(f"raise {raised}\n")
    arguments, needed = PACKAGES[package]
    result = run(*arguments, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{needed}, which is installed but cannot be loaded: {said}\n" in result.stderr
    assert "pip install" not in result.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_gets_no_memory(run: Command, tmp_path: Path, package: str) -> None:
    (tmp_path / f"{package}.py").write_text("raise MemoryError\n")
    result = run(*PACKAGES[package][0], env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "convcalc: not enough memory\n")


PARSER = """
import resource, sys
from convcalc import cli

def fail(arguments):
    raise ValueError("field 'target' is required for AnnAssign")  # as ast says of a tree that lacks what memory lacked

cli._run = fail
size = int(next(line for line in open("/proc/self/status") if line.startswith("VmPeak")).split()[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + (int(sys.argv[1]) << 20),) * 2)
sys.exit(cli.main(["report"]))
"""


@pytest.mark.parametrize(("spare", "code", "said"), [(8, 2, "not enough memory"), (4096, 3, "a bug in convcalc")])
def test_any_error_near_the_limit_is_one_of_memory(spare: int, code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARSER, str(spare)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert said in done.stderr


def arguments_read() -> None:
    with convcalc.make_context("convcalc", ["report", "zoo:resnet18"]) as context:
        command = convcalc.get_command(context, "report")
        assert command is not None
        command.make_context("report", ["zoo:resnet18"], parent=context).close()


def reported() -> None:
    report_text(open_design("zoo:resnet50").report(), TableOptions(), Surface())


@pytest.mark.parametrize("work", [lambda: open_design("zoo:resnet50"), arguments_read, reported])
def test_no_cycles_are_left_to_the_collector(work: Callable[[], object]) -> None:
    """A search for them takes longer than to free what is in none."""
    work()
    gc.collect()
    gc.disable()
    try:
        work()
        assert gc.collect() == 0
    finally:
        gc.enable()
