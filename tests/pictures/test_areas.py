"""What is drawn is in the ratio of the numbers: areas of treemaps and squares, heights of bridges, lengths of bars."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from math import isclose, prod
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.render.pictures.bars import bars
from convcalc.render.pictures.bridge import bridge, spread
from convcalc.render.pictures.graph.graph import graph
from convcalc.render.pictures.labels import percent, short
from convcalc.render.pictures.modules import module_tree
from convcalc.render.pictures.skyline import skyline
from convcalc.render.pictures.squares import squares
from convcalc.render.pictures.treemap import Box, cells, squarify, treemap
from tests.conftest import Command
from tests.pictures.trees import marked, rectangles, report_of, specs, tree_of

TENTH = 0.11
"""Coordinates are rounded to a tenth of a pixel."""


@given(
    st.lists(st.integers(1, 10**30), min_size=1, max_size=60).map(lambda values: sorted(values, reverse=True)),
    st.floats(1, 3000), st.floats(1, 3000),
)  # fmt: skip
def test_squarify_divides_a_rectangle_in_the_ratio_of_values(values: list[int], width: float, height: float) -> None:
    box = Box(5, 7, width, height)
    parts = squarify(values, box)
    assert len(parts) == len(values)
    for value, part in zip(values, parts, strict=True):
        assert isclose(part.area / box.area, value / sum(values), rel_tol=1e-6, abs_tol=1e-9)
        assert part.x >= box.x - 1e-6
        assert part.y >= box.y - 1e-6
        assert part.x + part.width <= box.x + width + 1e-6
        assert part.y + part.height <= box.y + height + 1e-6


def test_squarify_gives_the_example_of_its_authors() -> None:
    """Bruls, Huizing, van Wijk, figure 4: 6, 6, 4, 3, 2, 2, 1 in a rectangle of 6 × 4."""
    expected = [(0, 0, 3, 2), (0, 2, 3, 2)]
    found = squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))
    assert [tuple(map(round, part)) for part in found[:2]] == expected
    assert all(max(part.width / part.height, part.height / part.width) < 3 for part in found)


@given(specs(), st.sampled_from(["params", "macs"]))
def test_areas_without_headings_are_shares_of_the_whole(text: str, key: str) -> None:
    root, box = tree_of(text), Box(0, 0, 640, 400)
    total = sum(leaf.value(key) for leaf in root.leaves())
    drawn = [cell for cell in cells(root, key, box, heads=False) if not cell.is_group]
    assert sum(cell.value(key) for cell in drawn) == total
    for cell in drawn:
        assert isclose(cell.box.area / box.area, cell.value(key) / total, rel_tol=1e-6, abs_tol=1e-9)


@given(specs())
def test_areas_with_headings_are_shares_of_what_holds_them(text: str) -> None:
    root = tree_of(text)
    found = list(cells(root, "params", Box(0, 0, 640, 400)))
    groups: dict[str, list[tuple[float, int]]] = {}
    for cell in found:
        parent = cell.modules[0].parent
        groups.setdefault(parent.path if parent else "", []).append((cell.box.area, cell.value("params")))
    for siblings in groups.values():
        area, value = (sum(column) for column in zip(*siblings, strict=True))
        for one, own in siblings:
            assert isclose(one / area, own / value, rel_tol=1e-6, abs_tol=1e-9)


@given(specs())
def test_heights_of_the_bridge_are_shares(text: str) -> None:
    root = tree_of(text)
    picture = bridge(root)
    groups = [group for group in picture.root.iter("g") if "depth" in group.get("class", "")]
    bars_ = [rectangle for group in groups for rectangle in group.iter("rect")]
    left = min((float(each.get("x", 0)) for each in bars_), default=0)
    for key, is_left in (("macs", True), ("params", False)):
        heights = [float(bar.get("height", 0)) for bar in bars_ if (float(bar.get("x", 0)) == left) is is_left]
        named = [line for group in groups for line in (group.findtext("title") or "").split("\n") if _is_of(line, key)]
        values = [value for value in (int(line.split()[0].replace(",", "")) for line in named) if value]
        assert sum(values) == root.value(key)
        whole = picture.height - 28 - 8
        for value, height in zip(values, heights, strict=True):
            assert abs(height - max(whole * value / root.value(key) - 0.8, 0.4)) <= TENTH


def _is_of(line: str, key: str) -> bool:
    words = ("multiply", "multiplies") if key == "macs" else ("parameter", "parameters")
    return any(f" {word} (" in line for word in words)


@given(specs())
def test_lengths_of_bars_are_in_the_ratio_of_values(text: str) -> None:
    root = tree_of(text)
    drawn = bars(root, depth=1).root
    for key in ("params", "macs"):
        lengths = [width for _, _, width, _ in rectangles(drawn, key)]
        values = [child.value(key) for child in root.children if child.value(key)]
        for length, value in zip(lengths, values, strict=True):
            assert abs(length - max(max(lengths) * value / max(values), 0.5)) <= 2 * TENTH


@given(specs())
def test_columns_of_the_skyline_are_the_layers_in_order(text: str) -> None:
    report = report_of(text)
    root = module_tree(report)
    layers = [leaf for leaf in root.leaves() if leaf.value("params") or leaf.value("macs")]
    drawn = skyline(root, report).root
    columns = [group for group in drawn.iter("g") if group.find("rect[@class='hit']") is not None]
    assert [column.get("data-at") for column in columns] == [layer.path for layer in layers]
    for key in ("macs", "params"):
        bars_ = [
            float(bar.get("height", 0)) for column in columns for bar in column.iter("rect") if bar.get("class") == key
        ]
        values = [layer.value(key) for layer in layers if layer.value(key)]
        for height, value in zip(bars_, values, strict=True):
            assert abs(height - max(max(bars_) * value / max(values), 0.5)) <= 2 * TENTH


def test_squares_of_several_designs_are_to_one_scale() -> None:
    """VGG-16 has 138,357,544 parameters and 15,470,264,320 multiplies, ResNet-50 25,557,032 and 4,089,184,256."""
    comparison = convcalc.compare("zoo:resnet50", "zoo:vgg")
    designs = [
        (label, module_tree(report)) for label, report in zip(comparison.labels, comparison.reports, strict=True)
    ]
    drawn = squares(designs).root
    areas = [sum(prod(cell[2:]) for cell in rectangles(square, "cell")) for square in drawn.findall("g")]
    assert isclose(areas[0] / areas[1], 25_557_032 / 138_357_544, rel_tol=0.01)
    assert isclose(areas[2] / areas[3], 4_089_184_256 / 15_470_264_320, rel_tol=0.01)


# --- what is not usual ------------------------------------------------------------------------------------------------


NOTHING = "input: [3, 8, 8]\nlayers: [relu, maxpool: 2]"
HUGE = "input: [100000000000, 8, 8]\nlayers: [conv: [400000000000, 3], conv: [1, 1]]"


def pictures_of(text: str) -> list[str]:
    report = report_of(text)
    root = module_tree(report)
    drawn = [bridge(root), bars(root), treemap(root), skyline(root, report), squares([("a", root), ("b", root)])]
    return [picture.to_svg() for picture in drawn]


def test_a_design_without_costs_has_pictures_that_say_so() -> None:
    for svg in pictures_of(NOTHING):
        fromstring(svg)  # noqa: S314 - our own text
        assert "nan" not in svg
        assert "No layer has" in svg or "0 parameters" in svg


def test_counts_beyond_64_bits_are_drawn() -> None:
    params = 100_000_000_000 * 400_000_000_000 * 9 + 400_000_000_000 + 400_000_000_000 + 1
    for svg in pictures_of(HUGE):
        fromstring(svg)  # noqa: S314 - our own text
        assert "inf" not in svg
        assert f"{params:,}" in svg or "360Z" in svg


def test_layers_that_are_not_counted_are_marked_and_named() -> None:
    report = report_of("input: [3, 8, 8]\nlayers: [conv: [4, 3], relu]")
    unknown = report.rows[0]._replace(path="mystery", op="custom", values={})
    partial = replace(report, rows=(*report.rows, unknown), unknown={"mystery": frozenset(("macs", "flops"))})
    root = module_tree(partial)
    assert not root.known
    for picture in (bridge(root), bars(root), treemap(root), skyline(root, partial)):
        svg = picture.to_svg()
        assert "≥ not counted: mystery" in svg
    assert "≥" in squares([("a", root), ("b", root)]).to_svg()


def test_parameters_of_a_layer_whose_multiplies_are_not_known_are_exact() -> None:
    report = report_of("input: [3, 8, 8]\nlayers: [conv: [4, 3], opaque: {out: [4, 6, 6], params: 7}, conv: [5, 1]]")
    params, macs = (4 * 3 * 9 + 4) + 7 + (5 * 4 + 5), 36 * (4 * 3 * 9 + 5 * 4)
    root = module_tree(report)
    shown = {"bridge": bridge(root), "bars": bars(root), "skyline": skyline(root, report)}
    compared = squares([("a", root)])
    for picture in (*shown.values(), compared, treemap(root), graph(root, report).picture):
        for line in re.split("[<>\n]", picture.to_svg()):
            assert not re.search(r"≥ ?[\d.]+[kM]? (parameters|activations)", line), line
    for name in ("bridge", "bars"):
        assert f"≥{macs / 1000:.3g}k multiplies" in shown[name].to_svg()
        assert f">{params} parameters<" in shown[name].to_svg()
    assert f"{params} parameters and ≥ {macs:,} multiplies" in compared.label
    (column,) = [group for group in shown["skyline"].root.iter("g") if group.get("data-at") == "opaque1"]
    assert "≥ 0 multiplies\n7 parameters\n" in (column.findtext("title") or "")
    assert len([rect for rect in column if rect.get("class") == "unknown"]) == 1


def test_very_many_layers_are_folded() -> None:
    text = "input: [3, 8, 8]\nlayers:\n" + "".join(
        f"  - conv: {{out: {4 + place % 7}, kernel: 1}}\n" for place in range(3000)
    )
    for svg in pictures_of(text):
        assert len(svg) < 350_000


def test_pictures_do_not_depend_on_the_seed_of_hashes(run: Command) -> None:
    lines = (["zoo:googlenet"], ["zoo:googlenet", "--kind", "treemap"], ["zoo:lenet", "zoo:vgg"],
             ["zoo:m*", "--variants", "all", "--color", "variant"])  # fmt: skip
    for line in lines:
        first, second = (run("plot", *line, env={"PYTHONHASHSEED": seed}).stdout for seed in ("1", "2"))
        assert first.startswith("<svg")
        assert first == second


def test_modules_are_marked_for_the_page() -> None:
    root = tree_of("input: [3, 8, 8]\nlayers: [conv: [4, 3], {name: head, seq: [conv: [5, 1], conv: [6, 1]]}]")
    for picture in (bridge(root), treemap(root), bars(root)):
        assert marked(picture.root, "conv1")
    for element in treemap(root).root.iter():
        assert not {"style", "id", "onclick"} & set(element.attrib)


# --- numbers and labels -----------------------------------------------------------------------------------------------


@given(st.integers(0, 9 * 10**32))
def test_short_numbers_are_within_half_a_unit_of_their_third_digit(value: int) -> None:
    text = short(value)
    number, unit = (text[:-1], text[-1]) if not text[-1].isdigit() else (text, "")
    scale = 10 ** (3 * ["", *"kMGTPEZYRQ"].index(unit))
    shown = float(number) * scale
    assert abs(shown - value) <= 0.0051 * max(value, 1)
    assert len(number.replace(".", "")) <= 3 or unit == "Q"


@given(st.integers(0, 10**20), st.integers(1, 10**20))
def test_a_share_is_never_none_nor_all_by_rounding(value: int, more: int) -> None:
    total = value + more
    text = percent(value, total)
    assert (text == "0%") == (value == 0)
    assert text != "100%"
    assert percent(total, total) == "100%"


@given(st.lists(st.floats(0, 400), max_size=20).map(sorted), st.floats(1, 16))
def test_spread_labels_do_not_touch_and_keep_their_order(wanted: list[float], gap: float) -> None:
    places = spread(wanted, gap, 0, 400)
    assert all(after - before >= gap - 1e-6 for before, after in pairwise(places))
    assert all(-1e-6 <= place <= 400 + 1e-6 for place in places)
    if all(after - before >= gap for before, after in pairwise(wanted)):
        assert places == pytest.approx(wanted, abs=1e-6)
