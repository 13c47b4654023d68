"""Comparison: exact ratios and differences, labels, and which layer meets which."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.metrics.metric import Metric
from convcalc.render.comparison.sentences import sentence
from convcalc.report.align_layers import AlignedRow
from convcalc.report.compare import Comparison, MetricComparison, compare, labels
from convcalc.report.comparison_rows import select_rows
from convcalc.report.report import Report
from tests.render import designs


def built(design: str, *layers: tuple[str, int]) -> Report:
    """A design of convolutions, each with a path and a number of output channels."""
    build = designs.Builder((4, 8, 8))
    for path, out in layers:
        build.shape = build.input
        build.conv(path, out, 1)
    return build.report(design)


def lined_up(*reports: Report) -> list[tuple[str, ...]]:
    """The paths that meet, place by place; a dash where a design has nothing."""
    matches = compare(reports).matches
    return [tuple(cell.path if cell else "-" for cell in match.cells) for match in matches]


def params(match: AlignedRow) -> tuple[int | None, ...]:
    return match.values("params")


# --- totals -----------------------------------------------------------------------------------------------------------


def metric(comparison: Comparison, key: str) -> MetricComparison:
    return next(metric for metric in comparison.metrics if metric.column.key == key)


def test_ratios_are_exact() -> None:
    comparison = compare([designs.naive(), designs.reduced()])
    assert metric(comparison, "params").values == (387_072, 163_328)
    assert metric(comparison, "params").ratios == (Fraction(1), Fraction(163_328, 387_072))
    assert metric(comparison, "macs").differences == (0, 128_049_152 - 303_464_448)


def test_nothing_has_no_ratio_to_it() -> None:
    comparison = compare([designs.naive(), designs.reduced()])
    assert metric(comparison, "buffers").ratios == (None, None)


def test_one_design_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="two designs or more, not 1"):
        compare([designs.naive()])


def test_what_is_not_alike_is_told() -> None:
    assert compare([designs.naive(), designs.reduced()]).differing_conditions == ()
    assert compare([designs.naive(), designs.resnet()]).differing_conditions == ("inputs",)


# --- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["specs/3a.yaml#naive", "specs/3a.yaml#reduced"], ("naive", "reduced")),
        (["zoo/resnet50.yaml", "zoo/resnet50.yaml@101"], ("resnet50", "resnet50@101")),
        (["zoo:resnet50@101", "zoo:vgg"], ("resnet50@101", "vgg")),
        (["a.yaml#head", "b.yaml#head"], ("a#head", "b#head")),
        (["x/net.yaml", "y/net.yaml"], ("x/net.yaml", "y/net.yaml")),
        (["net.yaml", "net.yaml"], ("net (1)", "net (2)")),
        (["torch:torchvision.models:alexnet", "-"], ("alexnet", "-")),
        ([r"C:\specs\a.yaml", "b.onnx"], ("a", "b")),
        (["zoo:mobilenet_v1.5", "a.yaml@x#y.z"], ("mobilenet_v1.5", "y.z")),
    ],
)
def test_labels_are_short(names: list[str], expected: tuple[str, ...]) -> None:
    assert labels(names) == expected


@given(st.lists(st.text(alphabet="ab/.#@:-", max_size=8), min_size=1, max_size=5))
def test_labels_are_unique(names: list[str]) -> None:
    assert len(set(labels(names))) == len(names)


# --- alignment --------------------------------------------------------------------------------------------------------


def test_inception_reads_branch_by_branch() -> None:
    comparison = compare([designs.naive(), designs.reduced()])
    told = {match.path: params(match) for match in comparison.matches if match.level == 0}
    assert told == {
        "1x1": (12_288, 12_288),
        "3x3": (221_184, 18_432 + 110_592),
        "5x5": (153_600, 3_072 + 12_800),
        "pool": (0, 6_144),
        "concat1": (0, 0),
    }


def test_a_layer_meets_the_group_of_its_name_and_its_layers_are_details() -> None:
    matches = compare([designs.naive(), designs.reduced()]).matches
    assert [match.path for match in matches if match.splits_a_layer] == [
        "3x3.reduce", "3x3.conv", "5x5.reduce", "5x5.conv", "pool.maxpool1", "pool.conv1",
    ]  # fmt: skip


def test_own_scopes_are_left_out() -> None:
    one, two = built("one", ("left.a", 1), ("left.b", 2)), built("two", ("right.a", 3), ("right.b", 4))
    assert lined_up(one, two) == [("left.a", "right.a"), ("left.b", "right.b")]


def test_a_scope_that_the_other_has_too_stays() -> None:
    one, two = built("one", ("body.a", 1), ("body.b", 2)), built("two", ("body.a", 1), ("head", 2))
    assert lined_up(one, two) == [("body", "body"), ("body.a", "body.a"), ("body.b", "-"), ("-", "head")]


def test_a_shared_scope_is_left_out() -> None:
    one, two = built("one", ("net.a", 1), ("net.b", 2)), built("two", ("net.a", 1), ("net.c", 2))
    assert lined_up(one, two) == [("net.a", "net.a"), ("net.b", "net.c")]


def test_what_is_left_over_meets_by_position() -> None:
    one = built("one", ("a", 1), ("b", 2), ("c", 3))
    two = built("two", ("x", 1), ("b", 2), ("y", 3), ("z", 4))
    assert lined_up(one, two) == [("a", "x"), ("b", "b"), ("c", "y"), ("-", "z")]


def test_by_position_only_like_meets_like() -> None:
    build = designs.Builder((4, 8, 8))
    build.pool("p", 2, 2)
    build.conv("c", 4, 1)
    pairs = lined_up(built("one", ("a", 1), ("b", 2)), build.report("two"))
    assert ("a", "c") in pairs
    assert ("-", "p") in pairs


def test_new_layers_stand_behind_their_predecessors() -> None:
    one, two = built("one", ("a", 1), ("d", 4)), built("two", ("z", 1), ("a", 1), ("b", 2), ("c", 3), ("d", 4))
    assert lined_up(one, two) == [("-", "z"), ("a", "a"), ("-", "b"), ("-", "c"), ("d", "d")]


def test_a_single_layer_is_compared_as_a_whole() -> None:
    one, two = built("one", ("direct", 5)), built("two", ("reduced.a", 1), ("reduced.b", 2))
    matches = compare([one, two]).matches
    assert lined_up(one, two) == [("direct", "reduced"), ("-", "reduced.a"), ("-", "reduced.b")]
    assert [match.splits_a_layer for match in matches] == [False, True, True]
    assert matches[0].path == ""


PATH = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)
PATHS = st.lists(PATH, min_size=1, max_size=8, unique=True)


@given(st.lists(PATHS, min_size=2, max_size=4))
def test_every_layer_stands_in_exactly_one_place_and_levels_add_up(designs_: list[list[str]]) -> None:
    reports = [built(f"design{number}", *((path, 3) for path in paths)) for number, paths in enumerate(designs_)]
    matches = compare(reports).matches
    for place, report in enumerate(reports):
        paths = [cell.path for match in matches if (cell := match.cells[place])]
        assert len(paths) == len(set(paths))
        tops = [match.cells[place] for match in matches if match.level == 0]
        own = {row.path for row in report.rows}
        missing = own - set(paths)
        whole = sum(cell.values["params"] for cell in tops if cell)
        skipped = sum(row.values["params"] for row in report.rows if row.path in missing)
        assert whole + skipped == report.totals["params"]


# --- the rows worth seeing --------------------------------------------------------------------------------------------


def test_equal_groups_stay_folded_and_runs_are_summed() -> None:
    comparison = compare([designs.resnet(), designs.resnet101()])
    seen = select_rows(comparison.matches, ["params", "macs"])
    names = [(match.path, match.last_segment) for match in seen.rows]
    assert names == [
        ("conv1", ""), ("stage1", ""), ("stage2", ""), ("stage3", ""),
        ("stage3.block1", "block6"), ("stage3.block7", "block23"), ("stage4", ""), ("linear1", ""),
    ]  # fmt: skip
    assert seen.without_value == 3


@pytest.mark.parametrize("key", ["params", "macs", "activations"])
def test_rows_at_the_top_add_up_to_the_totals(key: str) -> None:
    comparison = compare([designs.resnet(), designs.resnet101(), designs.resnet152()])
    rows = select_rows(comparison.matches, [key]).rows
    for place, total in enumerate(metric(comparison, key).values):
        assert sum(match.values(key)[place] or 0 for match in rows if match.level == 0) == total


def test_rows_below_add_up_to_the_row_above() -> None:
    rows = select_rows(compare([designs.resnet(), designs.resnet152()]).matches, ["params"]).rows
    (stage,) = (match for match in rows if match.path == "stage3")
    below = [match for match in rows if match.path.startswith("stage3.")]
    for place in (0, 1):
        assert sum(params(match)[place] or 0 for match in below) == params(stage)[place]


# --- sentences --------------------------------------------------------------------------------------------------------


def said(key: str, *values: int) -> str:
    reports = [designs.made(name, name, (1,), (), {}) for name in ("naive", "reduced", "third")[: len(values)]]
    comparison = compare(reports)
    return sentence(comparison, MetricComparison(Metric(key, key.title(), "", ""), values))


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("params", (387_072, 163_328), "… 2.37× fewer parameters than naive (163,328 vs. 387,072; ratio 0.422)."),
        ("params", (387_072, 157_184), "… 2.46× fewer parameters than naive (157,184 vs. 387,072; ratio 0.406)."),
        ("params", (100, 250), "Reduced has 2.5× as many parameters as naive (250 vs. 100)."),
        ("params", (100, 100), "Reduced has as many parameters as naive (100)."),
        ("params", (1000, 999), "Reduced has 0.1 % fewer parameters than naive (999 vs. 1,000)."),
        ("params", (1000, 1050), "Reduced has 5 % more parameters than naive (1,050 vs. 1,000)."),
        ("params", (5, 0), "Reduced has no parameters (naive 5)."),
        ("params", (0, 1), "Reduced has 1 parameter, naive has none."),
        ("params", (0, 0), "Neither naive nor reduced has any parameters."),
        ("macs", (10, 5), "Reduced computes 2× fewer multiplies than naive (5 vs. 10; ratio 0.5)."),
        ("depth", (1, 2), "Reduced is one layer deeper than naive (2 vs. 1)."),
        ("depth", (50, 101), "Reduced is 51 layers deeper than naive (101 vs. 50)."),
        ("depth", (5, 3), "Reduced is two layers shallower than naive (3 vs. 5)."),
        ("depth", (1, 1), "Reduced is as deep as naive (1 layer)."),
        ("nonlinearities", (1, 2), "Reduced has one more nonlinearity than naive (2 vs. 1)."),
        ("nonlinearities", (4, 2), "Reduced has two fewer nonlinearities than naive (2 vs. 4)."),
        ("nonlinearities", (0, 2), "Reduced has two more nonlinearities than naive (2 vs. 0)."),
        ("spikes", (4, 2), "Reduced has 2× fewer spikes than naive (2 vs. 4; ratio 0.5)."),
        ("params", (100, 50, 10), "… than naive (50 vs. 100; ratio 0.5), third 10× fewer (10; ratio 0.1)."),
        ("params", (100, 200, 100), "Reduced has 2× as many parameters as naive (200 vs. 100), third as many."),
        ("params", (100, 0, 0), "Reduced has no parameters (naive 100), third none."),
        ("params", (0, 0, 0), "None of the designs has any parameters."),
        ("depth", (2, 3, 1), "Reduced is one layer deeper than naive (3 vs. 2), third one layer shallower (1)."),
    ],
)  # fmt: skip
def test_sentences(key: str, values: tuple[int, ...], text: str) -> None:
    assert said(key, *values).endswith(text.removeprefix("…"))


def test_lower_bounds_have_no_ratio() -> None:
    comparison = compare([designs.incomplete(), designs.reduced()])
    text = sentence(comparison, metric(comparison, "depth"))
    assert text == "Depth: odd at least 2, reduced 2; not every layer could be counted, so there is no ratio."
    assert "at least" not in sentence(comparison, metric(comparison, "params"))


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_no_sentence_says_one_times(value: int, first: int) -> None:
    assert " 1× " not in said("params", first, value)
    assert " 1.00× " not in said("params", first, value)
