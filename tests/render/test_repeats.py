"""Equal neighbours at a terminal: one row for several, with the numbers of one; nothing is lost by it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.render.report.cells import entries
from convcalc.render.report.outline import DisplayRow
from convcalc.report.fold import TableOptions, fold_report
from convcalc.report.repeats import find_repeats
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
ZOO = (
    "zoo:resnet50", "zoo:vit", "zoo:vgg", "zoo:densenet", "zoo:mobilenet_v2", "zoo:googlenet", "zoo:convnext",
    "zoo:gemma2", "zoo:t5", "zoo:deepseek", "zoo:stable_diffusion", "zoo:yolov8", "zoo:swin", "zoo:inception_v3",
)  # fmt: skip
LANGUAGE_MODELS = (
    "gpt2", "llama2", "llama3@70b", "mistral", "mixtral", "qwen2", "qwen3", "qwen3@235b_a22b", "gemma2@27b",
    "bert@large", "t5@11b", "whisper@large", "mamba@2.8b",
)  # fmt: skip
T5 = convcalc.load("zoo:t5").report()
TURNS = """
input: [8, 16]
layers:
  - repeat: 80
    name: layer
    seq:
      - add: [identity, [norm: rms, attention: {heads: 2, mask: causal, window: "8 if i % 6 == 5 else 4"}]]
      - add: [identity, [norm: rms, linear: 32, linear: 16]]
"""


def rows(report: Report, *, every: bool = False, depth: int | None = None) -> list[DisplayRow]:
    return entries(fold_report(report, TableOptions(depth)), as_tree=True, every=every)


def level(row: DisplayRow) -> int:
    return (len(row.layer) - len(row.layer.lstrip(" "))) // 2


def below(shown: list[DisplayRow], place: int) -> list[DisplayRow]:
    """The rows in a group."""
    after = shown[place + 1 :]
    return after[: next((n for n, row in enumerate(after) if level(row) <= level(shown[place])), len(after))]


def counted(shown: list[DisplayRow], key: str) -> int:
    """The sum over the rows at the top, each as often as it is repeated; what is in a group has to add up to its sum.

    Not all is shown of groups that refer to others, and a join has a number of its own beside its branches.
    """
    total = 0
    for place, row in enumerate(shown):
        if level(row) > level(shown[0]):
            continue
        own, inside = row.values.get(key, 0), counted(below(shown, place), key) if below(shown, place) else 0
        if row.layers == 1:
            total += row.repeats * (own + inside)
        elif row.layers == 0:  # a group of everything, whose sum is the total
            total += inside
        else:
            assert not inside or own == inside or ("," in row.operation and own > inside)
            total += row.repeats * own
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
    shown = [row.layer.strip() for row in entries(fold_report(report, view), as_tree=True)]
    assert [name for name in shown if name.startswith("stage")] == ["stage1", "stage2", "stage3", "stage4"]


@pytest.mark.parametrize("design", ZOO)
def test_the_numbers_behind_the_cross_are_those_of_the_names(design: str) -> None:
    for row in rows(convcalc.load(design).report()):
        if found := re.fullmatch(
            r"(\D*(?:\d+_)?)(\d+)(?:\.[\w.]+)?(?: … |, )\1(\d+)(?:\.[\w.]+)? × (\d+)", row.layer.strip()
        ):
            assert int(found[3]) - int(found[2]) + 1 == int(found[4]) == row.repeats


def test_a_terminal_says_so_and_shows_all_when_asked(cli: Command) -> None:
    folded, shown = (cli("--width", "100", "report", "zoo:vit", *more).stdout for more in ((), ("--show-repeats",)))
    assert "block1 … block12 × 12" in folded
    assert "--show-repeats shows all" in folded
    assert "×" not in re.sub(r"\d×\d", "", shown)
    assert all(re.search(rf"^block{number}\b", shown, re.MULTILINE) for number in range(1, 13))


def test_a_pipe_and_a_file_show_every_layer(cli: Command) -> None:
    assert cli("report", "zoo:vit").stdout == cli("report", "zoo:vit", "--show-repeats").stdout


# --- turns ------------------------------------------------------------------------------------------------------------


def test_neighbours_that_take_turns_are_one_row() -> None:
    shown = rows(convcalc.load(text=TURNS).report())
    assert [(row.layer, row.repeats, row.layers) for row in shown if level(row) == 0] == [
        ("layer1 … layer78 (6 × 13)", 13, 42),
        ("layer79, layer80 × 2", 2, 7),
    ]
    inside = [row for row in below(shown, 0) if level(row) == 1]
    assert [(row.layer.strip(), row.repeats, row.operation) for row in inside] == [
        ("layer1 … layer5 × 5", 5, "7 layers"),
        ("layer6", 1, "7 layers, as layer1 but"),
    ]
    assert [row.operation for row in below(shown, shown.index(inside[1]))] == ["attention causal, window 8, 2 heads"]
    assert sum(row.layers * row.repeats for row in shown if level(row) == 0) == 80 * 7


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_a_language_model_is_a_screen(name: str) -> None:
    assert len(rows(convcalc.load(f"zoo:{name}").report())) <= 40


def test_what_is_alike_elsewhere_is_shown_once() -> None:
    shown = {row.layer.strip(): row for row in rows(T5)}
    assert shown["encoder2 … encoder6 × 5"].operation == "8 layers, as encoder1 but"
    assert "selfattention1.attention" in shown  # the first layer has the table of positions
    assert "5 layers, as encoder1.mlp1 at another shape" in [row.operation.strip() for row in rows(T5)]


NAMES = st.lists(st.integers(0, 2)) | st.builds(
    lambda before, turn, times, after: before + turn * times + after,
    st.lists(st.integers(0, 2), max_size=4),
    st.lists(st.integers(0, 2), min_size=1, max_size=7),
    st.integers(2, 9),
    st.lists(st.integers(0, 2), max_size=4),
)


@given(NAMES)
def test_repeats_written_out_are_the_sequence(names: list[int]) -> None:
    found = find_repeats(names)
    written = [names[each.start : each.start + each.period] * each.times for each in found]
    assert [name for part in written for name in part] == names
    assert [each.start for each in found] == [0, *(each.end for each in found)][: len(found)]


@given(NAMES)
def test_nothing_that_repeats_is_left(names: list[int]) -> None:
    found = [(*names[each.start : each.start + each.period], each.times) for each in find_repeats(names)]
    lengths = range(1, len(found) // 2 + 1)
    assert not any(
        found[at : at + length] == found[at + length : at + 2 * length]
        for length in lengths
        for at in range(len(found) - 2 * length + 1)
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("aaaa", [(1, 4)]),
        ("abababc", [(2, 3), (1, 1)]),
        ("aaaaabaaaaabaa", [(6, 2), (1, 2)]),  # five and one in turn
        ("dddmmmm", [(1, 3), (1, 4)]),
        ("xyxyzxyxyzxyxyz", [(5, 3)]),
        ("abcd", [(1, 1)] * 4),
        ("", []),
    ],
)
def test_the_shortest_turns_come_first(names: str, expected: list[tuple[int, int]]) -> None:
    assert [(each.period, each.times) for each in find_repeats(names)] == expected
