"""The formats for machines and documents: valid, exact, and safe whatever the names are."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import markdown_it
import pytest

from convcalc.render import FORMATS, Surface
from convcalc.report.compare import Comparison, compare
from convcalc.report.fold import TableOptions
from convcalc.report.report import Report
from tests.conftest import needs_latex
from tests.render import designs

Golden = Callable[[str, str], None]
ENDINGS = {"csv": "csv", "html": "html", "json": "json", "latex": "tex", "markdown": "md", "svg": "svg"}
DESIGNS = {
    "reduced": designs.reduced,
    "resnet": designs.resnet,
    "tied": designs.tied,
    "incomplete": designs.incomplete,
    "hostile": designs.hostile,
    "empty": designs.empty,
}


def comparisons() -> dict[str, Comparison]:
    return {
        "inception": compare([designs.naive(), designs.reduced()]),
        "three": compare([designs.resnet(), designs.resnet101(), designs.resnet152()]),
        "hostile": compare([designs.hostile(), designs.incomplete()]),
    }


def shown(format_: str, report: Report, view: TableOptions | None = None) -> str:
    return FORMATS[format_].report(report, view or TableOptions(), Surface())


# --- all formats ------------------------------------------------------------------------------------------------------


def test_the_folder_is_the_list_of_formats() -> None:
    assert list(FORMATS) == ["text", "csv", "html", "json", "latex", "markdown", "svg"]
    assert "table" not in FORMATS
    with pytest.raises(KeyError):
        FORMATS["xml"]


def test_looking_at_the_names_imports_no_format() -> None:
    code = """if True:
        import sys
        from convcalc.render import FORMATS
        names = list(FORMATS)
        print([name for name in names if f'convcalc.render.formats.{name}' in sys.modules])
        FORMATS['csv']
        print([name for name in names if f'convcalc.render.formats.{name}' in sys.modules])
        """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "['csv']"]


def test_text_without_colour_does_not_import_rich() -> None:
    code = """if True:
        import sys
        from convcalc.render import FORMATS, Surface, TableOptions
        from tests.render import designs
        FORMATS['text'].report(designs.resnet(), TableOptions(), Surface(80))
        print('rich' in sys.modules)
        """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("format_", ENDINGS)
def test_golden(golden: Golden, format_: str) -> None:
    end = ENDINGS[format_]
    golden(f"report-reduced.{end}", shown(format_, designs.reduced()))
    golden(f"compare-inception.{end}", FORMATS[format_].comparison(comparisons()["inception"], Surface()))
    if format_ != "svg":
        golden(f"report-hostile.{end}", shown(format_, designs.hostile()))
    if format_ in ("html", "latex", "markdown"):
        golden(f"compare-three.{end}", FORMATS[format_].comparison(comparisons()["three"], Surface()))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", DESIGNS)
def test_every_format_shows_every_design(format_: str, name: str) -> None:
    text = shown(format_, DESIGNS[name]())
    assert text.endswith("\n")
    assert not set(text) & set("\x00\x07\x1b\u202e")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["inception", "three", "hostile"])
def test_every_format_shows_every_comparison(format_: str, name: str) -> None:
    text = FORMATS[format_].comparison(comparisons()[name], Surface())
    assert text.endswith("\n")
    assert not set(text) & set("\x00\x07\x1b\u202e")


@pytest.mark.parametrize("format_", ["text", "csv", "json", "latex", "markdown"])
def test_every_format_can_be_ascii(format_: str) -> None:
    surface = Surface(ascii_only=True)
    FORMATS[format_].report(designs.hostile(), TableOptions(), surface).encode("ascii")
    FORMATS[format_].comparison(comparisons()["hostile"], surface).encode("ascii")


@pytest.mark.parametrize("format_", ["csv", "latex", "markdown", "html", "text"])
def test_views_reach_every_format_for_people(format_: str) -> None:
    text = shown(format_, designs.resnet(), TableOptions(depth=1, columns=("macs",)))
    assert "stage4" in text
    assert "stage4.block" not in text


# --- JSON -------------------------------------------------------------------------------------------------------------


def schema(name: str) -> jsonschema.Draft7Validator:
    loaded = json.loads((resources.files("convcalc") / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(loaded)
    return jsonschema.Draft7Validator(loaded)


@pytest.mark.parametrize("name", DESIGNS)
def test_report_json_is_what_its_schema_says(name: str) -> None:
    schema("report").validate(json.loads(shown("json", DESIGNS[name]())))


@pytest.mark.parametrize("name", ["inception", "three", "hostile"])
def test_comparison_json_is_what_its_schema_says(name: str) -> None:
    schema("compare").validate(json.loads(FORMATS["json"].comparison(comparisons()[name], Surface())))


@pytest.mark.parametrize(
    "broken",
    [
        {"schema_version": 2},
        {"totals": {"params": 1.5, "macs": 1}},
        {"layers": [{"name": "x"}]},
        {"coverage": {"complete": "yes", "unknown": []}},
        {"batch": 0},
    ],
)
def test_the_schema_refuses_what_is_wrong(broken: dict[str, Any]) -> None:
    good = json.loads(shown("json", designs.reduced()))
    assert not schema("report").is_valid({**good, **broken})


def test_json_has_the_keys_in_their_order_and_a_layer_a_line() -> None:
    text = shown("json", designs.tied())
    read = json.loads(text)
    assert " ".join(read) == (
        "schema_version convention tool design name batch dtype inputs outputs totals layers coverage warnings"
    )
    first, second = read["layers"]
    assert list(first)[:6] == ["name", "op", "inputs", "input_shapes", "output_shape", "attributes"]
    assert "tied_to" not in first
    assert second["tied_to"] == "embed"
    assert second["source"] == {"file": "lm.yaml", "line": 4, "column": 5}
    lines = [line for line in text.splitlines() if '"op":' in line]
    assert [json.loads(line.rstrip(","))["name"] for line in lines] == ["embed", "head"]


def test_json_integers_are_exact_at_any_size() -> None:
    build = designs.Builder((10**30, 1, 1))
    build.conv("huge", 10**30, 1)
    assert json.loads(shown("json", build.report("x")))["totals"]["params"] == 10**60


def test_json_has_words_for_exact_values_of_any_kind() -> None:
    build = designs.Builder((4, 8, 8))
    attributes = {
        "scale": Fraction(1, 3),
        "size": Fraction(4),
        "pads": ((1, 2), (3, 4)),
        "by": {"a": 1}.items(),
        "e": ValueError,
    }
    build.add("x", "custom", "", (4, 8, 8), {}, attributes=attributes)
    (layer,) = json.loads(shown("json", build.report("x")))["layers"]
    assert layer["attributes"] == {
        "scale": {"numerator": 1, "denominator": 3, "decimal": 1 / 3},
        "size": 4,
        "pads": [[1, 2], [3, 4]],
        "by": [["a", 1]],
        "e": "<class 'ValueError'>",
    }


def test_a_ratio_beyond_floats_is_still_exact() -> None:
    build = designs.Builder((1, 1, 1))
    build.conv("small", 1, 1)
    huge = designs.Builder((10**200, 1, 1))
    huge.conv("small", 10**200, 1)
    read = json.loads(FORMATS["json"].comparison(compare([build.report("a"), huge.report("b")]), Surface()))
    assert read["metrics"][0]["ratios"][1] == {"numerator": 10**400, "denominator": 1, "decimal": None}


def test_json_layers_add_up() -> None:
    read = json.loads(shown("json", designs.resnet()))
    for key in ("params", "macs", "activations"):
        assert sum(layer[key] for layer in read["layers"]) == read["totals"][key]


def test_comparison_json_has_exact_ratios() -> None:
    read = json.loads(FORMATS["json"].comparison(comparisons()["inception"], Surface()))
    params = next(metric for metric in read["metrics"] if metric["key"] == "params")
    assert params["ratios"][1] == {"numerator": 319, "denominator": 756, "decimal": 319 / 756}
    assert params["differences"] == [0, -223_744]
    assert params["sentence"].startswith("Reduced has 2.37× fewer parameters than naive")
    (pool,) = (row for row in read["rows"] if row["path"] == "pool.conv1")
    assert pool["cells"][0] is None
    assert pool["cells"][1]["path"] == "reduced.pool.conv1"


# --- CSV --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DESIGNS)
def test_csv_has_a_line_a_layer_and_adds_up(name: str) -> None:
    report = DESIGNS[name]()
    text = shown("csv", report)
    assert text.count("\r\n") == text.count("\n") == len(report.rows) + 1
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sum(int(row["macs"] or 0) for row in rows) == report.totals["macs"]
    assert [row["layers"] for row in rows] == ["1"] * len(rows)


def test_no_csv_cell_is_a_formula() -> None:
    for text in (shown("csv", designs.hostile()), FORMATS["csv"].comparison(comparisons()["hostile"], Surface())):
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=1+1" in shown("csv", designs.hostile())


def test_csv_leaves_out_what_could_not_be_counted() -> None:
    rows = list(csv.DictReader(io.StringIO(shown("csv", designs.incomplete()), newline="")))
    assert [row["macs"] for row in rows] == ["442368", "", "4718592"]
    assert [row["params"] for row in rows] == ["432", "0", "4608"]


def test_csv_sums_what_top_leaves_out() -> None:
    rows = list(csv.DictReader(io.StringIO(shown("csv", designs.resnet(), TableOptions(top=1)), newline="")))
    assert [row["path"] for row in rows] == ["stage4.block1.conv2", "(others)"]
    assert sum(int(row["params"]) for row in rows) == designs.resnet().totals["params"]


# --- Markdown ---------------------------------------------------------------------------------------------------------


def rendered(text: str) -> str:
    page: str = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return page


@pytest.mark.parametrize("name", DESIGNS)
def test_markdown_tables_keep_their_shape(name: str) -> None:
    report = DESIGNS[name]()
    page = rendered(shown("markdown", report))
    for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
        counts = {len(re.findall("<t[dh]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)}
        assert len(counts) == 1
    totals = {"params", "macs", "depth", "weight_bytes"} & report.totals.keys()
    assert page.count("<tr>") == (len(report.rows) + 2 if report.rows else 0) + len(totals) + 1


def test_markdown_from_a_file_is_never_markup() -> None:
    page = rendered(shown("markdown", designs.hostile()))
    tags = set(re.findall(r"<(\w+)", page))
    assert tags <= {"h3", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "strong", "sub"}
    assert "<code>@x</code>" in page  # nobody is called
    assert "<code>a|b`c`&lt;script&gt;</code>" in page


# --- LaTeX ------------------------------------------------------------------------------------------------------------


@needs_latex
@pytest.mark.parametrize("name", [*DESIGNS, "compare"])
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    tables = [shown("latex", DESIGNS[name]())] if name in DESIGNS else []
    tables = tables or [FORMATS["latex"].comparison(one, Surface()) for one in comparisons().values()]
    body = "\n\n".join(tables)
    page = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", DESIGNS)
def test_latex_rows_have_as_many_cells_as_columns(name: str) -> None:
    text = shown("latex", DESIGNS[name]())
    (columns,) = re.findall(r"\\begin\{tabular\}\{(\w+)\}", text)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(columns)}


def test_latex_sets_thousands_apart() -> None:
    assert r"128\,049\,152" in shown("latex", designs.reduced())
    assert r"$-223\,744$" in FORMATS["latex"].comparison(comparisons()["inception"], Surface())


# --- HTML and SVG -----------------------------------------------------------------------------------------------------


class Outline(html.parser.HTMLParser):
    """Checks that tags are closed in order, and gathers their names."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", DESIGNS)
def test_html_is_well_formed_and_harmless(name: str) -> None:
    outline = Outline()
    outline.feed(shown("html", DESIGNS[name]()))
    outline.feed(FORMATS["html"].comparison(comparisons()["hostile"], Surface()))
    assert outline.open == []
    assert not outline.seen & {"script", "img", "iframe", "link"}
    assert "http" not in shown("html", DESIGNS[name]())


def test_a_picture_is_the_same_every_time_and_asks_nobody() -> None:
    first, second = (shown("svg", designs.hostile()) for _ in range(2))
    assert first == second
    ET.fromstring(first)  # noqa: S314 - our own text
    assert "url(http" not in first
    assert "@font-face" not in first
