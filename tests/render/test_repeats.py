"""Equal neighbours at a terminal: one row for several, with the numbers of one; nothing is lost by it."""

from __future__ import annotations

import re
from math import prod

import pytest

import convcalc
from convcalc.render.report.cells import DisplayRow, entries
from convcalc.render.tables.characters import Characters
from convcalc.report.fold import TableOptions, fold_report
from convcalc.report.report import Report
from tests.conftest import Command

CHAIN = """
input: [8, 16, 16]
blocks:
  Pair:
    layers: [conv: {out: 8, kernel: 3, padding: 1, act: relu}, conv: {out: 8, kernel: 3, padding: 1, act: relu}]
  Wide:
    layers: [conv: {out: 16, kernel: 3, padding: 1}]
layers:
  - {Pair: {}, repeat: 4, name: stage}
  - Wide
  - Wide
  - Wide
  - {Pair: {}, name: tail}
"""
ZOO = ("zoo:resnet50", "zoo:vit", "zoo:vgg", "zoo:densenet", "zoo:mobilenet_v2", "zoo:googlenet", "zoo:convnext")


def rows(report: Report, *, every: bool = False, depth: int | None = None) -> list[DisplayRow]:
    return entries(fold_report(report, TableOptions(depth)), Characters(), as_tree=True, every=every)


def level(row: DisplayRow) -> int:
    return (len(row.layer) - len(row.layer.lstrip(" "))) // 2


def counted(shown: list[DisplayRow], key: str) -> int:
    """The sum over the rows of layers, each as often as it and the groups around it are repeated."""
    total = 0
    repeats: list[int] = []
    for place, row in enumerate(shown):
        repeats[level(row) :] = [row.repeats]
        is_group = place + 1 < len(shown) and level(shown[place + 1]) > level(row) and row.style in ("group", "zero")
        total += (
            0 if is_group and row.operation.endswith(("layers", "layer")) else row.values.get(key, 0) * prod(repeats)
        )
    return total


@pytest.mark.parametrize("depth", [None, 1, 2])
@pytest.mark.parametrize("design", ZOO)
def test_the_rows_add_up_to_the_total(design: str, depth: int | None) -> None:
    report = convcalc.load(design).report()
    shown = rows(report, depth=depth)
    for key in ("params", "macs"):
        assert counted(shown, key) == report.totals[key] == counted(rows(report, every=True, depth=depth), key)


def test_repeats_of_a_block_are_one_row() -> None:
    shown = {row.layer.strip(): row.repeats for row in rows(convcalc.load(text=CHAIN).report())}
    assert shown["stage1 … stage4 × 4"] == 4
    assert shown["tail"] == 1


def test_layers_that_differ_stay_apart() -> None:
    shown = [row.layer.strip() for row in rows(convcalc.load(text=CHAIN).report())]
    wide = [name for name in shown if name.startswith("wide")]
    assert wide == ["wide1.conv1", "wide2.conv1, wide3.conv1 × 2"]  # the first reads 8 channels


def test_a_shortcut_is_no_repeat_of_its_neighbour() -> None:
    shown = [row.layer.strip() for row in rows(convcalc.load("zoo:resnet50").report())]
    assert "shortcut" in shown
    assert not any("shortcut" in name and "×" in name for name in shown)


def test_a_column_that_differs_keeps_rows_apart() -> None:
    report = convcalc.load(text=CHAIN).report(detailed=("receptive_field",))
    view = TableOptions(columns=("params", "receptive_field"))
    shown = [row.layer.strip() for row in entries(fold_report(report, view), Characters(), as_tree=True)]
    assert [name for name in shown if name.startswith("stage")] == ["stage1", "stage2", "stage3", "stage4"]


@pytest.mark.parametrize("design", ZOO)
def test_the_numbers_behind_the_cross_are_those_of_the_names(design: str) -> None:
    for row in rows(convcalc.load(design).report()):
        if found := re.fullmatch(r"(\D*)(\d+)[\w.]*(?: … |, )\1(\d+)[\w.]* × (\d+)", row.layer.strip()):
            assert int(found[3]) - int(found[2]) + 1 == int(found[4]) == row.repeats


def test_a_terminal_says_so_and_shows_all_when_asked(cli: Command) -> None:
    folded, shown = (cli("--width", "100", "report", "zoo:vit", *more).stdout for more in ((), ("--show-repeats",)))
    assert "block1 … block12 × 12" in folded
    assert "--show-repeats shows all" in folded
    assert "×" not in re.sub(r"\d×\d", "", shown)
    assert all(re.search(rf"^block{number}\b", shown, re.MULTILINE) for number in range(1, 13))


def test_a_pipe_and_a_file_show_every_layer(cli: Command) -> None:
    assert cli("report", "zoo:vit").stdout == cli("report", "zoo:vit", "--show-repeats").stdout
