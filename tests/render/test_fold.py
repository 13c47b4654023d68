"""Folding, sorting and cutting: whatever is asked for, the lines add up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.metrics.metric import Metric
from convcalc.report.drawn import UnknownNameError
from convcalc.report.fold import GROUPINGS, TableOptions, fold_report
from convcalc.report.path_tree import build_path_tree
from tests.render import designs

RESNET = designs.resnet()
ADDITIVE = [column.key for column in RESNET.columns if column.is_additive]

VIEWS = st.builds(
    TableOptions,
    depth=st.none() | st.integers(1, 5),
    by=st.sampled_from(GROUPINGS),
    sort=st.none() | st.sampled_from([*ADDITIVE, "path", "op"]),
    top=st.none() | st.integers(0, 200),
    columns=st.none() | st.lists(st.sampled_from(ADDITIVE), min_size=1).map(tuple),
    more=st.lists(st.sampled_from(ADDITIVE)).map(tuple),
    falling=st.none() | st.booleans(),
)


@given(VIEWS)
def test_lines_add_up_under_every_view(view: TableOptions) -> None:
    folded = fold_report(RESNET, view)
    lines = [*folded.lines, *([folded.remainder] if folded.remainder else [])]
    for key in ADDITIVE:
        assert sum(line.values.get(key, 0) for line in lines) == RESNET.totals[key]
    assert sum(line.layers for line in lines) == len(RESNET.rows)
    assert view.top is None or len(folded.lines) <= view.top


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_shares_are_rounded_half_up(value: int, total: int) -> None:
    folded = fold_report(designs.made("x", "x", (1,), designs.naive().rows, {}), TableOptions())
    object.__setattr__(folded.report, "totals", {"params": total})
    share = folded.share("params", value)
    assert 2 * total * share - total <= 2000 * value < 2 * total * share + total


def test_depth_keeps_a_layer_and_its_fused_parts_as_that_layer() -> None:
    first, *_ = fold_report(RESNET, TableOptions(depth=1)).lines
    assert (first.path, first.op, first.layers, first.parts) == ("conv1", "conv", 3, ("norm", "act"))
    assert first.values["params"] == 3 * 64 * 49 + 128


def test_depth_sums_a_stage_and_shows_what_leaves_it() -> None:
    stage = next(line for line in fold_report(RESNET, TableOptions(depth=1)).lines if line.path == "stage2")
    assert (stage.op, stage.layers, stage.output_shape) == ("", 42, (512, 28, 28))


def test_by_block_puts_fused_parts_into_the_block_of_their_layer() -> None:
    paths = [line.path for line in fold_report(RESNET, TableOptions(by="block")).lines]
    assert paths[:3] == ["", "stage1.block1", "stage1.block2"]
    assert not any(path.endswith("conv1") for path in paths)


def test_by_op_keeps_kinds_apart_from_layers_of_that_name() -> None:
    build = designs.Builder((3, 8, 8))
    build.conv("conv", 4, 1)
    build.conv("other", 4, 1)
    (line,) = fold_report(build.report("x"), TableOptions(by="op")).lines
    assert (line.path, line.op, line.layers) == ("conv", "", 2)


def test_top_means_the_largest_by_the_first_column() -> None:
    folded = fold_report(RESNET, TableOptions(top=2, columns=("macs", "params")))
    assert [line.path for line in folded.lines] == ["conv1", "stage1.block1.conv2"]
    assert folded.remainder is not None
    assert folded.remainder.layers == 173


def test_sorting_is_stable_and_descending() -> None:
    values = [line.values["params"] for line in fold_report(RESNET, TableOptions(sort="params")).lines]
    assert values == sorted(values, reverse=True)
    assert [line.path for line in fold_report(RESNET, TableOptions(sort="path")).lines] == sorted(
        row.path for row in RESNET.rows
    )


def test_sorting_either_way_puts_what_is_not_known_last() -> None:
    rising = [line.values["macs"] for line in fold_report(RESNET, TableOptions(sort="macs", falling=False)).lines]
    assert rising == sorted(row.values["macs"] for row in RESNET.rows)
    paths = [line.path for line in fold_report(RESNET, TableOptions(sort="path", falling=True)).lines]
    assert paths == sorted((row.path for row in RESNET.rows), reverse=True)
    column = Metric("offset", "Offset", "", "", values_and_total=lambda *_: ((), None), per_layer=True)
    rows = [RESNET.rows[0]._replace(path=name, values={"offset": value})
            for name, value in (("a", None), ("b", 3), ("c", (1, None)), ("d", (None, None)))]  # fmt: skip
    partly = replace(RESNET, columns=(column,), rows=rows, totals={})
    for falling, expected in ((True, "bcad"), (False, "cbad")):
        view = TableOptions(sort="offset", falling=falling, columns=("offset",))
        assert "".join(line.path for line in fold_report(partly, view).lines) == expected


def test_more_columns_stand_behind_the_usual_ones() -> None:
    def keys(view: TableOptions, default: tuple[str, ...] | None = ("params", "macs")) -> list[str]:
        return [column.key for column in fold_report(RESNET, view, default).columns]

    assert keys(TableOptions(more=("flops", "params"))) == ["params", "macs", "flops"]
    assert keys(TableOptions(columns=("buffers",), more=("flops",))) == ["buffers", "flops"]
    assert keys(TableOptions(more=("flops",)), None) == keys(TableOptions(), None)


def test_the_totals_that_are_shown() -> None:
    usual = {"params", "macs", "weight_bytes", "peak_activation_bytes", "depth"}
    keys = {column.key for column in RESNET.columns}
    for view, expected in (
        (TableOptions(), usual), (TableOptions(columns=("flops",), more=("buffers",)), usual | {"flops", "buffers"}),
        (TableOptions(totals=("nonlinearities",)), usual | {"nonlinearities"}), (TableOptions(every=True), keys),
    ):  # fmt: skip
        assert {key for key in keys if view.shows_total(key)} == expected & keys


def test_a_tree_has_subtotals_and_the_last_output() -> None:
    root = build_path_tree(fold_report(RESNET, TableOptions()).lines, ADDITIVE)
    assert root.values == {key: RESNET.totals[key] for key in ADDITIVE}
    assert root.layers == 175
    assert root.children["stage4"].output_shape == (2048, 7, 7)
    assert root.children["stage4"].children["block1"].group
    assert not root.children["conv1"].group


def test_a_named_join_is_a_group_though_it_has_a_layer() -> None:
    build = designs.Builder((3, 8, 8))
    build.conv("join.left", 4, 1)
    build.conv("join.right", 4, 1)
    build.add("join", "add", "", (4, 8, 8), {})
    report = build.report("x")
    assert build_path_tree(fold_report(report, TableOptions()).lines, ADDITIVE).children["join"].group
    assert [line.path for line in fold_report(report, TableOptions(by="block")).lines] == ["join", ""]


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (TableOptions(columns=("parms",)), "unknown column 'parms'; did you mean 'params'?"),
        (TableOptions(sort="mac"), "unknown sort key 'mac'; did you mean 'macs'?"),
        (TableOptions(by="blok"), "unknown grouping 'blok'; did you mean 'block'?"),
        (TableOptions(columns=("depth",)), "depth is not additive"),
        (TableOptions(columns=("\x1b[31m",)), "unknown column '\\x1b[31m'"),
    ],
)
def test_a_wrong_word_gets_the_nearest(view: TableOptions, message: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        fold_report(RESNET, view)
    assert str(error.value).startswith(message)
