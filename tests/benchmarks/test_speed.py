"""How fast it is, told in numbers that another machine repeats: times for the hot paths, ratios for the rest.

Run by ``pytest tests/benchmarks``, never by default: a busy machine would make it lie, so nothing here judges a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

import convcalc
from convcalc.report.report import Report
from convcalc.spec.expressions.expression import _compile, parse
from tests.benchmarks.conftest import Show
from tests.conftest import ROOT

RESNET50 = ROOT / "specs" / "zoo" / "resnet50.yaml"
IMPORTS = "import click, rich.console, rich.table, yaml"
"""What every report needs and somebody else wrote: the floor of a start-up."""


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def chain(layers: int) -> str:
    """A spec of that many 1×1 convolutions in a row, a multiple of 1,000."""
    turns = f"{{seq: [{{conv: [8, 1], repeat: 1000}}], repeat: {layers // 1000}}}"
    return f"convcalc: 1\nname: chain\ninput: [8, 8, 8]\nlayers:\n  - {turns}\n"


def test_load_and_report_resnet50(benchmark: BenchmarkFixture) -> None:
    report = benchmark(lambda: convcalc.load(str(RESNET50)).report())
    assert report.totals["params"] == 25_557_032


def test_evaluate_an_expression(benchmark: BenchmarkFixture) -> None:
    expression = parse("make_divisible(c*alpha) if first else 4*cin//groups")
    variables = {"c": 96, "alpha": Fraction(7, 5), "first": True, "cin": 64, "groups": 2}
    assert benchmark(lambda: expression.evaluate(variables)) == 136


def test_parse_an_expression(benchmark: BenchmarkFixture) -> None:
    text = "make_divisible(c*alpha) if first else 4*cin//groups"
    assert benchmark.pedantic(parse, [text], setup=_compile.cache_clear, rounds=1000).text == text


def test_a_layer_costs_the_same_in_a_long_chain(show: Show) -> None:
    short, long = _per_layer(1_000, rounds=20), _per_layer(100_000, rounds=3)
    show(f"chain: {short * 1e6:.1f} µs a layer in 1,000, {long * 1e6:.1f} µs in 100,000: ratio {long / short:.2f}")


def _per_layer(layers: int, rounds: int) -> float:
    text = chain(layers)

    def report() -> Report:
        return convcalc.load(text=text, name="chain.yaml").report()

    assert len(report().rows) == layers
    return min(seconds(report) for _ in range(rounds)) / layers


def test_start_up_against_its_imports(show: Show, tmp_path: Path) -> None:
    outer = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled = {**outer, "PYTHONPYCACHEPREFIX": str(tmp_path)}

    def process(*arguments: str) -> float:
        command = [sys.executable, *arguments]
        return seconds(lambda: subprocess.run(command, cwd=ROOT, env=compiled, stdout=subprocess.DEVNULL, check=True))

    def pair() -> tuple[float, float]:
        return process("-m", "convcalc", "report", str(RESNET50)), process("-c", IMPORTS)

    pair()  # compiles
    pairs = [pair() for _ in range(15)]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    ratio = median(mine / other for mine, other in pairs)
    show(f"start-up: report {ours * 1e3:.0f} ms, its imports alone {theirs * 1e3:.0f} ms: ratio {ratio:.2f}")
