"""Scatter plots: axes, fronts, labels that never overlap; and tables of results, with the place of what is wrong."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.batch.results import ResultTable, is_results_file, read_results
from convcalc.errors import SpecError
from convcalc.render.pictures.scatter.drawing import MOST_POINTS, Plan, Point, front_of, scatter
from convcalc.render.pictures.scatter.places import Spot, axis, place_labels
from convcalc.render.plots.table import ScatterOptions, is_quality, plot_results
from tests.pictures.trees import HOSTILE

numbers = st.one_of(st.integers(-(10**40), 10**40), st.floats(-1e12, 1e12))
spots = st.lists(st.builds(Spot, st.floats(60, 840), st.floats(40, 500), st.floats(3, 15)), min_size=1, max_size=80)


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(spots, st.booleans(), st.data())
def test_labels_overlap_no_label_and_no_point(found: list[Spot], far: bool, data: st.DataObject) -> None:
    texts = {
        place: data.draw(st.sampled_from(["a", "resnet50@101", "convnext_v2@huge_384"])) for place in range(len(found))
    }
    line = (60.0, 250.0, 840.0, 252.0)
    labels = place_labels(found, texts, (50, 20, 880, 520), lines=[line], strong={0, 2}, far=far)
    rectangles = [label.rectangle for label in labels.values()]
    points = [
        (spot.x - spot.radius, spot.y - spot.radius, spot.x + spot.radius, spot.y + spot.radius) for spot in found
    ]
    assert not [pair for pair in combinations(rectangles, 2) if overlap(*pair)]
    assert not [point for point in (*points, line) for label in rectangles if overlap(point, label)]
    assert all(label[0] >= 50 and label[1] >= 20 and label[2] <= 880 and label[3] <= 520 for label in rectangles)


def test_a_label_with_room_is_there() -> None:
    assert set(place_labels([Spot(100, 100, 4), Spot(400, 300, 4)], {0: "a", 1: "b"}, (0, 0, 900, 560))) == {0, 1}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2)), max_size=40))
def test_the_front_is_what_no_other_is_better_than(values: list[tuple[int, ...]]) -> None:
    def is_better(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))

    brute = [place for place, each in enumerate(values) if not any(is_better(other, each) for other in values)]
    assert front_of(values) == brute


@given(st.lists(numbers, min_size=1, max_size=30), st.sampled_from([None, False]))
def test_an_axis_keeps_the_order_and_holds_all(values: list[int | float], log: bool | None) -> None:
    found = axis(values, 60, 860, log)
    places = [found.at(value) for value in sorted(values)]
    assert all(before <= after + 1e-6 for before, after in pairwise(places))
    assert all(60 <= place <= 860 for place in places)


@given(st.floats(1e-6, 1e15), st.floats(1, 1e12), st.booleans(), st.sampled_from([(60, 860), (520, 40)]))
def test_ticks_are_apart_and_say_where_they_are(low: float, ratio: float, log: bool, ends: tuple[int, int]) -> None:
    found = axis([low, low * ratio], *ends, log)
    ticks = found.ticks(40)
    assert 1 <= len(ticks) <= 40
    assert len({text for _, text in ticks}) == len(ticks)
    for place, text in ticks:
        digits = text.rstrip("kMGTPEZYRQ")
        unit = text[len(digits) :]
        value = Fraction(digits.replace(",", "")) * 1000 ** ["", *"kMGTPEZYRQ"].index(unit)
        assert abs(found.at(value) - place) < 0.5


def test_log_axes_are_for_values_of_many_sizes() -> None:
    assert axis([1, 1000], 0, 100, None).log
    assert not axis([70, 80], 0, 100, None).log
    assert not axis([0, 10**9], 0, 100, None).log


# --- tables -----------------------------------------------------------------------------------------------------------


def table(folder: Path, name: str, text: str) -> ResultTable:
    (folder / name).write_text(text, encoding="utf-8")
    return read_results(str(folder / name))


def test_every_form_of_a_table_gives_the_same_numbers(tmp_path: Path) -> None:
    rows = [{"design": "zoo:a@x", "params": 2**70, "top1": 70.5}, {"design": "zoo:b", "params": 5, "top1": None}]
    forms = {
        "a.csv": f"design,params,top1\nzoo:a@x,{2**70},70.5\nzoo:b,5,\n",
        "b.csv": f"design;params;top1\r\nzoo:a@x;{2**70};70.5\r\n\r\nzoo:b;5;NA\r\n",
        "c.tsv": f"design\tparams\ttop1\nzoo:a@x\t{2**70}\t70.5\nzoo:b\t5\tnan\n",
        "d.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
        "e.json": json.dumps({"schema_version": 1, "designs": rows}),
        "f.json": json.dumps(rows),
    }
    for name, text in forms.items():
        found = table(tmp_path, name, text)
        assert is_results_file(str(tmp_path / name))
        assert found.numbers("params") == [2**70, 5]
        assert found.numbers("top1") == [70.5, None]
        assert found.texts("variant") == ["x", ""]


def test_parquet_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"model": ["a", "b"], "params": [1, 2]}), tmp_path / "x.parquet")
    assert read_results(str(tmp_path / "x.parquet")).numbers("params") == [1, 2]
    (tmp_path / "y.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SpecError) as raised:
        read_results(str(tmp_path / "y.parquet"))
    assert raised.value.code in ("CC001", "CC781")


@pytest.mark.parametrize(("name", "text", "code", "place", "said"), [
    ("a.csv", "", "CC781", (0, 0), "no rows"),
    ("a.csv", "x,y\n", "CC781", (0, 0), "no rows"),
    ("a.csv", "x,x\n1,2\n", "CC781", (1, 1), "two columns have the name 'x'"),
    ("a.csv", "1,2\n3,4\n", "CC781", (1, 1), "the first line has numbers"),
    ("a.csv", "x,y\n1,2\n1,2,3\n", "CC781", (3, 1), "3 cells, and the heading has 2"),
    ("a.csv", 'x,y\n1,"2\n', "CC781", (2, 1), "unexpected end of data"),
    ("a.csv", "x,y\n1,2\n3,two\n", "CC782", (3, 3), "row 2, column 'y': 'two' is not a number"),
    ("a.csv", "x,y\n1,2\n3,1e999\n", "CC782", (3, 3), "is not a number"),
    ("a.csv", f"x,y\n1,{'9' * 301}\n", "CC782", (2, 3), "is too large to be drawn"),
    ("a.jsonl", '{"x": 1, "y": 2}\n{"x": 1,\n', "CC781", (2, 9), "not JSON"),
    ("a.jsonl", '{"x": 1, "y": 2}\n[1]\n', "CC781", (2, 1), "a row is not an object"),
    ("a.json", '{"points": [{"x": 1}, {"x": }]}', "CC781", (1, 29), "not JSON"),
    ("a.json", '[{"x": 1, "y": true}, {"x": 2, "y": 3}]', "CC782", (0, 0), "row 1, column 'y': 'true' is not a number"),
])  # fmt: skip
def test_what_is_wrong_has_its_place(
    tmp_path: Path, name: str, text: str, code: str, place: tuple[int, int], said: str
) -> None:
    with pytest.raises(SpecError) as raised:
        plot_results(table(tmp_path, name, text), ScatterOptions("x", "y"))
    error = raised.value
    assert (error.code, error.span and (error.span.line, error.span.column)) == (code, place)
    assert said in error.text


def test_a_model_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"class_name": "Sequential", "config": {"layers": []}}')
    assert not is_results_file(str(tmp_path / "model.json"))
    assert not is_results_file("model.yaml")
    assert not is_results_file("nothing.json")


ACCURACY = "model,params,top1\na,1000,70.5\nb,2000,75\nc,3000,74\nd,9000,80\ne,400,\n"


def test_the_front_of_a_quality_is_drawn_unasked(tmp_path: Path) -> None:
    """c has more parameters than b and is worse; e has no accuracy."""
    drawing = plot_results(table(tmp_path, "a.csv", ACCURACY), ScatterOptions())
    points = {row["name"]: row["front"] for row in drawing.chart["data"]["values"]}
    assert points == {"a": True, "b": True, "c": False, "d": True}
    assert "frontier" in drawing.picture.to_svg("light").partition("</style>")[2]


def test_the_front_of_costs_is_drawn_if_it_is_asked_for(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "design,params,macs\na,1,9\nb,2,5\nc,3,7\n")
    for pareto, expected in (((), []), (("params", "macs"), ["a", "b"]), (("-params",), ["c"])):
        rows = plot_results(found, ScatterOptions(pareto=pareto)).chart["data"]["values"]
        assert [row["name"] for row in rows if row["front"]] == expected


@pytest.mark.parametrize(
    "name", ["top1", "top-5", "accuracy", "val_acc", "test_accuracy", "mAP", "mIoU", "F1", "BLEU", "score"]
)
def test_a_quality_is_known_by_its_name(name: str) -> None:
    assert is_quality(name)


@pytest.mark.parametrize(
    "name", ["params", "macs", "width", "depth", "loss", "latency", "recallable_parts", "accumulated"]
)
def test_other_columns_are_no_qualities(name: str) -> None:
    assert not is_quality(name)


def test_a_logarithmic_axis_refuses_what_has_no_place_on_it(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "x,y\n1,2\n0,3\n")
    with pytest.raises(SpecError, match="row 2, column 'x': 0 has no place on a logarithmic axis"):
        plot_results(found, ScatterOptions("x", "y", log="both"))


def test_a_lower_bound_is_marked(tmp_path: Path) -> None:
    found = table(
        tmp_path, "a.csv", "design,params,macs,error\na,1,9,lower bounds (≥): 1 layer is not counted\nb,2,5,\n"
    )
    assert [row["name"] for row in plot_results(found, ScatterOptions()).chart["data"]["values"]] == ["≥ a", "b"]


def test_hostile_cells_stay_texts(tmp_path: Path) -> None:
    rows = [
        {"design": HOSTILE, "params": 1, "macs": 2, HOSTILE: HOSTILE},
        {"design": "\u202ex", "params": 3, "macs": 4},
    ]
    found = table(tmp_path, "a.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    svg = plot_results(found, ScatterOptions(color=HOSTILE, size="params", labels="all")).picture.to_svg()
    fromstring(svg)  # noqa: S314 - our own text
    assert "<script" not in svg
    assert "\u202e" not in svg


def test_one_point_and_equal_points_are_drawn() -> None:
    for points in ([Point("a", 5, 0)], [Point("a", 5, 5), Point("b", 5, 5)]):
        svg = scatter(points, Plan("x", "y")).to_svg()
        assert "nan" not in svg
        assert svg.count("<circle") == len(points)


def test_of_very_many_points_those_over_each_other_are_one_and_the_front_is_kept() -> None:
    points = [Point(str(place), place % 200, place // 200, on_front=place == 777) for place in range(40_000)]
    svg = scatter(points, Plan("x", "y", labels="none")).to_svg()
    titles = re.findall(r"<title>(\d+)(?:\nand ([\d,]+) more here)?</title>", svg)
    assert len(titles) <= MOST_POINTS
    assert sum(1 + int((more or "0").replace(",", "")) for _, more in titles) == 40_000
    assert ("777", "") in titles


def test_many_numbers_are_coloured_by_ranges_in_their_order(tmp_path: Path) -> None:
    rows = "".join(f"{place},{place},{place * 100}\n" for place in range(1, 22))
    drawing = plot_results(table(tmp_path, "a.csv", f"x,y,width\n{rows}"), ScatterOptions("x", "y", color="width"))
    groups = [row["group"] for row in drawing.chart["data"]["values"]]
    assert groups[:4] == ["100 … 300"] * 3 + ["400 … 600"]
    assert groups[-1] == "1,900 … 2,100"
    names = re.findall(r'class="muted tick"[^>]*>([^<]+ … [^<]+)<', drawing.picture.to_svg())
    assert names == list(dict.fromkeys(groups))
