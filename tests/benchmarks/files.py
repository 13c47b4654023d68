"""Many files: ``batch`` over ten thousand, ``check`` of a thousand specs under fifty budgets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measure import ROOT, Row, convcalc, process

FILES, FEW = 10_000, 100
SPECS, BUDGETS = 1_000, 50
RULES = (
    "max: {params: 26M, macs: 4.2G}",
    "max: {weight_bytes: 100MiB}\n    min: {depth: 50}",
    'layers: {name: "stage*.**", op: conv}\n    per: layer\n    max: {params: 3M, "params%": 40%}',
    'layers: {name: "stage*"}\n    per: group\n    max: {params: 16M}',
    "layers: {op: [conv, linear]}\n    max: {macs: 4.2G}",
)


def rows(pairs: int) -> Iterator[Row]:
    """Files of the size of ResNet-50, all different."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        few, many = distinct(place / "few", FEW), distinct(place / "many", FILES)
        process(convcalc("batch", few, "-f", "csv", "--no-cache"))
        for work, cache in (("no cache", ["--no-cache"]), ("an empty cache", []), ("nothing has changed", [])):
            used = process(convcalc("batch", many, "-f", "csv", *cache))
            rate, each = f"{FILES / used.wall:,.0f} files/s", f"{used.seconds / FILES * 1e3:.2f} ms a file"
            yield Row(f"`batch` of {FILES:,} files, {work}", f"{rate}, {each}, {used.mebibytes:.0f} MiB")
        budgets = budget_file(place / "repository")
        used = process(convcalc("check", "--budget", budgets, "--no-cache"))
        yield Row(f"`check` of {SPECS:,} specs, {BUDGETS} budgets", f"{used.seconds:.1f} s, {used.mebibytes:.0f} MiB")


def distinct(folder: Path, number: int) -> Path:
    """Write so many files of ResNet-50's size, no two of which have a shape of the same channels and classes."""
    text = (ROOT / "specs" / "zoo" / "resnet50.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    for place in range(number):
        width = 16 + 4 * (place % 100)
        widths = ", ".join(str(width * factor) for factor in (1, 2, 4, 8))
        changed = text.replace("classes: 1000", f"classes: {100 + place}").replace("[64, 128, 256, 512]", f"[{widths}]")
        changed = changed.replace("conv: [64, 7, 2]", f"conv: [{32 + place // 100}, 7, 2]")
        (folder / f"{place:05}.yaml").write_text(changed, encoding="utf-8")
    return folder


def budget_file(folder: Path) -> Path:
    """Write a thousand specs and fifty budgets, each of which holds for all of them."""
    text = (ROOT / "specs" / "zoo" / "resnet50.yaml").read_text(encoding="utf-8").partition("claims:")[0]
    for number in range(SPECS):
        place = folder / "models" / f"family{number % 10}" / f"net{number}.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.replace("classes: 1000", f"classes: {1000 - number % 7}"), encoding="utf-8")
    entries = (
        f'  - id: b{number}\n    designs: ["models/**/*.yaml"]\n    {RULES[number % len(RULES)]}\n'
        for number in range(BUDGETS)
    )
    budgets = folder / "convcalc-budget.yaml"
    budgets.write_text(f"version: 1\nbudgets:\n{''.join(entries)}", encoding="utf-8")
    return budgets
