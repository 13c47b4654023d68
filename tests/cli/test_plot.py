"""``convcalc plot``: what is drawn of what, into which files, and what is refused."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

import convcalc
from convcalc.render.pictures.svg import NAMESPACE
from tests.conftest import Command

SPEC = (
    "input: [3, 8, 8]\nvariants: {small: {}}\nlayers: [conv: [4, 3], {name: head, seq: [conv: [5, 1], conv: [6, 1]]}]\n"
)
TWO = """\
input: [3, 8, 8]
layers:
  - {conv: [4, 3], name: one}
  - {conv: [5, 1], name: two, from: input}
outputs: [one, two]
"""
BROKEN = "input: [3, 8, 8]\nlayers: [konv: 3]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.yaml").write_text(SPEC)
    (tmp_path / "two.yaml").write_text(TWO)
    (tmp_path / "many").mkdir()
    for name, text in (("a.yaml", SPEC), ("b.yaml", SPEC.replace("[4, 3]", "[40, 3]"))):
        (tmp_path / "many" / name).write_text(text)
    (tmp_path / "results.csv").write_text("design,macs,top1,color\na,5,70.5,x\nb,6,71,y\nc,7,60,y\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(svg: str) -> Element:
    return fromstring(svg)  # noqa: S314 - our own text


@pytest.mark.parametrize(("line", "kind"), [
    (["net.yaml"], "bridge"), (["net.yaml", "--kind", "bars"], "bars"), (["net.yaml", "--kind", "skyline"], "skyline"),
    (["net.yaml", "--kind", "bars", "--depth", "2"], "bars"), (["net.yaml", "--kind", "treemap"], "treemap"),
    (["net.yaml", "zoo:lenet"], "squares"), (["net.yaml", "zoo:lenet", "--kind", "bars"], "bars"),
    (["two.yaml", "--kind", "compare"], "squares"), (["many"], "scatter"), (["many/*.yaml"], "scatter"),
    (["net.yaml", "zoo:lenet", "--kind", "scatter"], "scatter"), (["results.csv"], "scatter"),
    (["results.csv", "--color", "color", "--size", "macs", "--label", "all", "--log", "x"], "scatter"),
])  # fmt: skip
def test_every_kind_is_a_picture(cli: Command, line: list[str], kind: str) -> None:
    result = cli("plot", *line)
    assert (result.exit_code, result.stderr) == (0, "")
    root = picture(result.stdout)
    assert root.tag == f"{{{NAMESPACE}}}svg"
    assert kind in root.get("class", "").split()
    assert root.get("role") == "img"
    assert root.get("aria-label", "").endswith(".")


def test_a_picture_has_the_size_that_is_asked_for_and_a_margin(cli: Command) -> None:
    assert picture(cli("plot", "net.yaml", "--width", "600").stdout).get("width") == "624"


def test_a_theme_is_that_of_the_reader_or_chosen(cli: Command) -> None:
    auto, light, dark = (cli("plot", "net.yaml", "--theme", name).stdout for name in ("auto", "light", "dark"))
    assert "prefers-color-scheme:dark" in auto
    assert "#fcfcfb" in light
    assert "#14171a" not in light
    assert "#14171a" in dark
    assert "#fcfcfb" not in dark


def test_points_are_what_batch_counts(cli: Command) -> None:
    """4·(3·9+1) + 5·(4+1) + 6·(5+1) parameters, and with 40 in place of 4; multiplies at 6 × 6 places."""
    chart = json.loads(cli("plot", "many", "-f", "vega").stdout)
    points = {row["name"]: (row["x"], row["y"]) for row in chart["data"]["values"]}
    assert points == {
        "many/a.yaml": (4 * 28 + 5 * 5 + 6 * 6, 36 * (4 * 27 + 5 * 4 + 6 * 5)),
        "many/b.yaml": (40 * 28 + 5 * 41 + 6 * 6, 36 * (40 * 27 + 5 * 40 + 6 * 5)),
    }


def test_variants_are_points(cli: Command) -> None:
    line = ["plot", "many", "--variants", "all", "--color", "variant", "-f", "vega"]
    rows = json.loads(cli(*line).stdout)["data"]["values"]
    assert [row["group"] for row in rows] == ["", "small", "", "small"]


def test_a_file_gets_the_format_of_its_ending(cli: Command, folder: Path) -> None:
    assert cli("plot", "net.yaml", "-f", "svg=a.svg", "-o", "b.vl.json", "-f", "vega").exit_code == 0
    picture((folder / "a.svg").read_text(encoding="utf-8"))
    assert cli("plot", "net.yaml", "-o", "c.VL.JSON").exit_code == 0
    chart = json.loads((folder / "c.VL.JSON").read_text())
    assert chart == json.loads((folder / "b.vl.json").read_text())
    assert chart["$schema"].endswith("/vega-lite/v6.json")


@pytest.mark.parametrize("line", [["net.yaml", "--kind", kind] for kind in ("bridge", "bars", "skyline", "treemap")] +
                         [["net.yaml", "zoo:lenet"], ["net.yaml", "zoo:lenet", "--kind", "bars"]])  # fmt: skip
def test_a_chart_has_all_numbers_inside(cli: Command, line: list[str]) -> None:
    chart = json.loads(cli("plot", *line, "-f", "vega").stdout)
    total = 4 * 28 + 5 * 5 + 6 * 6
    assert total in {sum_of(rows) for rows in tables(chart)}


def tables(chart: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The rows of a chart, apart for each of several designs."""
    charts = [each for each in (chart, *chart.get("vconcat", ())) if "data" in each]
    found = []
    for rows in (each["data"]["values"] for each in charts):
        designs = dict.fromkeys(row.get("design") for row in rows)
        found += [
            [row for row in rows if row.get("design") == design and row.get("part") != "total"] for design in designs
        ]
    return found


def sum_of(rows: list[dict[str, Any]]) -> int:
    values = [row["value"] if row.get("metric") == "parameters" else row.get("params", 0) for row in rows]
    return sum(values)


# --- PNG --------------------------------------------------------------------------------------------------------------


def test_png_has_two_pixels_for_one(cli: Command, folder: Path) -> None:
    pytest.importorskip("resvg_py")
    assert cli("plot", "net.yaml", "--width", "300", "-o", "a.png").exit_code == 0
    data = (folder / "a.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20]) == 2 * 324


def test_png_without_its_package_is_an_error_and_no_file(
    cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    result = cli("plot", "net.yaml", "-o", "a.png", "-f", "svg=a.svg", "-f", "png")
    assert result.exit_code == 2
    assert "CC719: PNG files need resvg-py, which is not installed" in result.stderr
    assert "pip install 'convcalc[png]'" in result.stderr
    assert not (folder / "a.png").exists()
    assert not (folder / "a.svg").exists()


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "said"), [
    (["net.yaml", "-o", "a.pdf"], "for PDF print the SVG in a browser"),
    (["net.yaml", "-o", "a.txt"], "no format for files with the extension .txt"),
    (["net.yaml", "--x", "macs"], "--x is for scatter plots, not for bridge"),
    (["net.yaml", "--variants", "all"], "--variants is for scatter plots"),
    (["net.yaml", "--depth", "2"], "--depth is for bars of one design"),
    (["net.yaml", "--kind", "compare"], "'net.yaml' has one output"),
    (["net.yaml", "--kind", "pie"], "'pie' is not one of"),
    (["net.yaml", "zoo:lenet", "--kind", "treemap"], "treemap is of one design; --kind compare or bars"),
    (["many", "--kind", "bridge"], "'many' is drawn as a scatter plot"),
    (["results.csv", "--kind", "bars"], "'results.csv' is drawn as a scatter plot"),
    (["results.csv", "--set", "a=1"], "--set is for designs; 'results.csv' has its numbers"),
    (["results.csv", "--jobs", "1"], "--jobs is for designs"),
    (["results.csv", "net.yaml"], "a table is drawn alone"),
    (["results.csv", "--y", "tpo1"], "no column 'tpo1'; did you mean 'top1'?"),
    (["results.csv", "--x", "design"], "row 1, column 'design': 'a' is not a number"),
    (["results.csv", "--pareto", "-top"], "no column 'top'"),
    (["none.csv"], "CC001: cannot read"),
    (["net.yaml", "--width", "20"], "at least 240"),
    (["net.yaml", "--json"], "no option '--json'"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_an_error(cli: Command, line: list[str], said: str) -> None:
    result = cli("plot", *line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())


def test_an_invalid_design_among_others_is_an_error_and_the_others_are_drawn(cli: Command, folder: Path) -> None:
    (folder / "many" / "c.yaml").write_text(BROKEN)
    result = cli("plot", "many", "-f", "vega")
    assert result.exit_code == 2
    assert "c.yaml:2:10: error" in result.stderr
    assert len(json.loads(result.stdout)["data"]["values"]) == 2


def test_a_report_loads_no_pictures() -> None:
    """What draws is loaded when a picture is asked for, and not with the numbers."""
    code = "import convcalc, sys; print(convcalc.load('net.yaml').report().to('json'), *sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode()
    assert "convcalc.report.report" in loaded
    assert "convcalc.render.p" not in loaded


# --- in Python --------------------------------------------------------------------------------------------------------


def test_reports_and_comparisons_draw_themselves() -> None:
    report = convcalc.load("net.yaml").report()
    for kind in ("bridge", "bars", "skyline", "treemap"):
        drawn = report.plot(kind, width=400)
        assert drawn.width == 400
        assert drawn._repr_svg_().startswith("<svg")
    assert "squares" in convcalc.compare("net.yaml", "zoo:lenet").plot().to_svg()
    assert "bars" in convcalc.compare("net.yaml", "zoo:lenet").plot("bars").to_svg()


@pytest.mark.parametrize(("options", "said"), [
    ({"kind": "pie"}, "unknown kind of picture 'pie'"), ({"kind": "skylin"}, "did you mean 'skyline'"),
    ({"width": 0}, "width is a positive integer"), ({"width": 100}, "at least 240 pixels"),
    ({"kind": "bars", "depth": 0}, "depth is a positive integer"),
])  # fmt: skip
def test_pictures_that_there_are_not(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        convcalc.load("net.yaml").report().plot(**options)


def test_a_terminal_gets_no_markup() -> None:
    outer, inner = pty.openpty()
    line = [sys.executable, "-m", "convcalc", "plot", "net.yaml"]
    result = subprocess.run(line, stdout=inner, stderr=subprocess.PIPE, text=True, check=False)
    os.close(inner)
    os.close(outer)
    assert result.returncode == 2
    assert "write to a file with -o" in result.stderr
