"""What a point of a design space costs: a million, ten million, one by one, in a search, and all of NAS-Bench-201.

Run by ``pytest tests/benchmarks/test_sweep.py``, never by default; nothing here judges a time.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

import convcalc
from convcalc.sweep.axes import read_axis
from convcalc.sweep.evaluator import evaluate
from convcalc.sweep.grid import blocks
from convcalc.sweep.job import make_job
from tests.benchmarks.conftest import Show
from tests.conftest import ROOT
from tests.sweep.test_nasbench201 import EDGES, OPERATIONS, cost_is_a_sum_of_edges
from tests.sweep.test_nasbench201 import SPEC as CELLS

RESNET50 = str(ROOT / "tests" / "sweep" / "resnet50.yaml")
SPACES = {
    1_000_000: ("width=1..100", "size=33..132", "classes=1..100"),
    10_000_000: ("width=1..100", "size=33..132", "classes=1..1000"),
}
PAIRS = 3
ALONE = 40


def run(*arguments: str) -> tuple[float, float, int]:
    """Wall-clock seconds, processor seconds and MiB of a run of the program."""
    program = (
        "import resource, sys; from convcalc.cli import main; code = main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
    )
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, check=True)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, processor, int(done.stderr.split()[-1]) // 1024


def test_points_a_second(show: Show) -> None:
    for keep in ("top:3:macs", "pareto:params,macs"):
        for _ in range(PAIRS):
            each = []
            for points, axes in SPACES.items():
                wall, processor, memory = run("sweep", RESNET50, *axes, "--keep", keep, "--json")
                each.append(processor / points)
                show(
                    f"{keep}, {points:,} points: {points / wall:,.0f} a second, "
                    f"{processor / points * 1e9:.0f} ns of processor time a point, {memory} MiB"
                )
            show(f"{keep}: a point among ten millions costs {each[1] / each[0]:.2f} of one among a million")


def test_one_point_alone(show: Show) -> None:
    """The same points, read and counted one after the other as ``report`` does."""
    begun = time.process_time()
    for width in range(1, ALONE + 1):
        convcalc.load(RESNET50, set={"width": width, "size": 32, "classes": 10}).report()
    show(f"one by one: {(time.process_time() - begun) / ALONE * 1e3:.1f} ms a point")


def test_csv_of_a_million(show: Show) -> None:
    wall, processor, memory = run("sweep", RESNET50, *SPACES[1_000_000], "-o", os.devnull, "-f", "csv")
    show(f"a million lines of CSV: {wall:.1f} s, {processor:.1f} s of processor time, {memory} MiB")


def test_searches(show: Show) -> None:
    for top in ("10**6", "10**9", "10**15"):
        wall, _, _ = run("solve", "zoo:resnet18", "--for", f"classes=1..{top}", "--max", "params=20M")
        show(f"the largest of {top} values: {wall:.2f} s with the start of the program")


def test_all_of_nas_bench_201(show: Show) -> None:
    job = make_job(str(CELLS), [read_axis(f"e{edge}=0..{OPERATIONS - 1}") for edge in range(EDGES)])
    (piece,) = blocks(job.axes)
    begun = time.process_time()
    columns = evaluate(job, piece)
    seconds = time.process_time() - begun
    cost_is_a_sum_of_edges(columns)
    show(
        f"all {job.point_count:,} cells of NAS-Bench-201: {seconds:.0f} s, "
        f"{seconds / job.point_count * 1e3:.1f} ms a cell"
    )
