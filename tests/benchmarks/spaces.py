"""Design spaces, against the same sums written by hand in NumPy; searches in spaces too large to list."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import ROOT, Row, convcalc, paired, process, python, run

RESNET50 = ROOT / "tests" / "sweep" / "resnet50.yaml"
WIDTHS, SIZES, CLASSES = 512, range(128, 320), 1017
POINTS = WIDTHS * len(SIZES) * CLASSES
AXES = (f"width=1..{WIDTHS}", f"size={SIZES[0]}..{SIZES[-1]}", f"classes=1..{CLASSES}")
SEARCHES = {
    "largest width, then classes": (),
    "most multiplies": ("--maximize", "macs"),
}


def macs(width: Any, size: Any, classes: Any) -> Any:
    """Multiplies of ResNet-50, Σ H·W·k²·Cin·Cout by hand: ints or arrays that broadcast."""
    high = (size - 1) // 2 + 1
    total = high * high * 49 * 3 * width
    high = (high - 1) // 2 + 1
    before, channels = width, width
    for number, blocks in enumerate((3, 4, 6, 3)):
        inner = width * 2**number
        wide, high = high, high if number == 0 else (high - 1) // 2 + 1
        total = total + wide * wide * before * inner + high * high * (13 * inner * inner + before * 4 * inner)
        total = total + (blocks - 1) * high * high * 17 * inner * inner
        before = channels = 4 * inner
    return total + channels * classes


def stream() -> None:
    """Keep the three points of fewest multiplies of the whole space, one width at a time."""
    import numpy

    size, classes = numpy.array(SIZES)[:, None], numpy.arange(1, CLASSES + 1)
    best = numpy.full(3, 2**63 - 1)
    rest = 32 * classes  # the last layer's, for a width of 1
    for width in range(1, WIDTHS + 1):
        block = macs(width, size, 0) + width * rest
        if block.min() < best[2]:
            best = numpy.sort(numpy.partition(numpy.append(block, best), 3)[:3])
    assert best.tolist() == [macs(1, SIZES[0], count) for count in (1, 2, 3)]


def rows(pairs: int) -> Iterator[Row]:
    """10⁸ points of a ResNet-50, kept in several ways; ``solve`` over 10¹² points."""
    by_hand = python("from tests.benchmarks.spaces import stream; stream()")
    few = min(pairs, 5)
    for work, keep in (("`--keep top:3:macs`", "top:3:macs"), ("`--keep pareto:params,macs`", "pareto:params,macs")):
        ours = convcalc("sweep", RESNET50, *AXES, "--keep", keep, "--jobs", 1)
        mine, other, ratio = paired(run(ours), run(by_hand), few)
        yield Row(f"{POINTS:,} points, {work}", _each(mine), "NumPy, by hand", _each(other), ratio)
    with tempfile.TemporaryDirectory() as folder:
        used = process(convcalc("sweep", RESNET50, *AXES, "-o", Path(folder) / "all.parquet", "--jobs", 1))
    yield Row(f"{POINTS:,} points, all to Parquet", f"{_each(used.seconds)}, {used.mebibytes:.0f} MiB")
    for work, objective in SEARCHES.items():
        axes = ("--for", "width=1..10**6", "--for", "classes=1..10**6")
        ours = convcalc("solve", RESNET50, *axes, "--max", "params=25M", *objective)
        yield Row(f"`solve`, 10¹² points: {work}", f"{process(ours).seconds:.2f} s")


def _each(seconds: float) -> str:
    return f"{seconds / POINTS * 1e9:.1f} ns a point"
