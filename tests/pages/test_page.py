"""What is in a page: the numbers of the report, the names as texts, and nothing that a browser would have to fetch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.designs.sources import open_spec
from convcalc.errors import escape
from convcalc.render.pictures.svg import element
from convcalc.render.web_page.comparison import comparison_page
from convcalc.render.web_page.design import design_page
from convcalc.render.web_page.shell import page as page_of
from convcalc.report.compare import compare
from tests.conftest import ROOT, Command
from tests.pictures.trees import HOSTILE

ZOO = sorted((ROOT / "specs" / "zoo").glob("*.yaml"))
GOLDEN = ("googlenet", "resnet50", "unet", "vit", "yolov8")
VOID = ("meta", "input", "br")


class Document(HTMLParser):
    """Elements with their attributes, texts, and the raw text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open = ""
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = tag if tag in self.raw else ""

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        self.raw[self.open].append(data) if self.open else self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def unpacked(packed: dict[str, Any]) -> dict[str, Any]:
    """The way back from columns to layers, as the module of the page's data describes it."""

    def value(column: Any, place: int) -> Any:
        if isinstance(column, list):
            return column[place]
        if "of" in column:
            return {key: value(each, place) for key, each in column["of"].items()}
        return column["pool"][column["at"][place]]

    columns = packed["layers"]
    layers: list[dict[str, Any]] = []
    last = ""
    for place, kind in enumerate(columns["kind"]):
        last = last[: value(columns["lead"], place)] + value(columns["name"], place)
        layer = {"name": last} | {
            key: value(column, kind)
            for key, column in columns["kinds"].items()
            if not (isinstance(column, dict) and "at" in column and column["at"][kind] < 0)
        }
        layer["inputs"] = [each if isinstance(each, str) else layers[place - each]["name"] for each in layer["inputs"]]
        layers.append(layer)
    assert len(layers) == columns["count"]
    return {**packed, "layers": layers}


def data_of(page: str) -> Any:
    return json.loads(Document(page).raw["script"][0])


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [
    "zoo:resnet50", "zoo:googlenet", "zoo:yolov8", "zoo:lstm_classifier", "specs/tutorials/googlenet_3a.yaml",
    "zoo:swin",
])  # fmt: skip
def test_the_json_inside_is_the_report_key_by_key(cli: Command, design: str) -> None:
    page = cli("html", design)
    assert (page.exit_code, page.stderr) == (0, "")
    found = unpacked(data_of(page.stdout))
    wanted = json.loads(cli("report", design, "--json").stdout)
    assert found == wanted
    assert list(found["layers"][0]) == list(wanted["layers"][0])


def test_numbers_beyond_those_of_floats_are_whole(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text("input: [99999989]\nlayers: [linear: 99999971, linear: 99999941]\n")
    page = cli("html", tmp_path / "large.yaml").stdout
    assert data_of(page)["totals"]["macs"] == 99999989 * 99999971 + 99999971 * 99999941
    assert f"{99999989 * 99999971 + 99999971 * 99999941:,}" in "".join(Document(page).words)


def test_rows_are_those_of_the_report_and_add_up() -> None:
    report = convcalc.load("zoo:resnet50").report(detailed=["peak"])
    page = design_page(report)
    table = page[page.index("<table class=layers>") : page.index("</table>")]
    rows = re.findall(r'<tr class="?l(\d)( g)?"? data-at=([\w.]+)(?: data-line=L\d+)?>(.*?)(?=<tr|</tbody>)', table)
    leaves = {path: re.split(r"<td>", cells) for _, group, path, cells in rows if not group}

    def whole(text: str) -> int:
        return 0 if text == "–" else int(text.replace(",", ""))

    assert sum(whole(cells[3]) for cells in leaves.values()) == report.totals["params"] == 25557032
    assert sum(whole(cells[6]) for cells in leaves.values()) == report.totals["macs"]
    assert set(leaves) == {row.path for row in report.rows if not row.path.endswith((".norm", ".act"))}


def test_a_row_without_a_line_has_that_of_the_row_before() -> None:
    report = convcalc.load("zoo:convnext_v2").report()
    wanted = {row.path: f"L{row.source.line}" for row in report.rows if row.source is not None}
    found: dict[str, str | None] = {}
    line = None
    for attributes in Document(design_page(report)).all("tr"):
        line = attributes.get("data-line", line)
        at = attributes.get("data-at")
        if at in wanted:
            found[at] = line
    assert found == {path: wanted[path] for path in found}
    assert len(set(found.values())) > 5
    assert len(found) > 100


@pytest.mark.parametrize(("more", "bounds", "zeros"), [
    ("", ["multiplies", "depth"], 1), (", more_params: true", ["parameters", "multiplies", "weights", "depth"], 2),
])  # fmt: skip
def test_what_is_not_counted_is_a_lower_bound_and_nothing_else(
    cli: Command, tmp_path: Path, more: str, bounds: list[str], zeros: int
) -> None:
    """Multiplies and depth; parameters and their bytes too, where a layer may have more than are known."""
    path = tmp_path / "unknown.yaml"
    path.write_text(f"input: [3, 8, 8]\nlayers: [conv: [4, 3], opaque: {{out: [4, 6, 6]{more}}}, conv: [5, 1]]\n")
    result = cli("html", path)
    assert result.exit_code == 0, result.stderr
    tiles = result.stdout[result.stdout.index("<dl") : result.stdout.index("</dl>")]
    assert re.findall(r"<dt>([a-z ]+)</dt><dd><b>≥ ", tiles) == bounds
    assert "not counted" in "".join(Document(result.stdout).words)
    row = re.search(r"data-at=opaque1.*?(?=<tr|</tbody>)", result.stdout)
    assert row
    assert row[0].count("≥ 0") == zeros


# --- what a browser does with it --------------------------------------------------------------------------------------


def test_the_policy_lets_nothing_in_but_this_style_and_this_script(cli: Command) -> None:
    page = cli("html", "zoo:lenet").stdout
    document = Document(page)
    policy = next(each["content"] for each in document.all("meta") if each.get("http-equiv"))

    def digest(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    (style,), (_, script) = document.raw["style"], document.raw["script"]
    assert policy == (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; base-uri 'none'; "
        "form-action 'none'"
    )
    for tag, attributes in document.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "action"}]
    assert "url(" not in style
    assert "@import" not in style
    assert "innerHTML" not in script


def test_hostile_texts_are_texts(cli: Command, tmp_path: Path) -> None:
    evil = f"{HOSTILE}<img src=x onerror=alert(1)>]]>\u202e"
    spec = json.dumps({"name": evil, "note": evil, "input": [3, 8, 8], "layers": [{"conv": [4, 3]}, {"conv": [5, 1]}]})
    name = tmp_path / "evil.yaml"
    name.write_text(spec)
    for result in (cli("html", name), cli("html", name, "zoo:lenet")):
        assert result.exit_code == 0, result.stderr
        document = Document(result.stdout)
        assert len(document.raw["script"]) == 2
        assert not document.all("img")
        assert "\u202e" not in result.stdout
        assert "alert(1)" in "".join(document.words)


@given(st.text() | st.text(alphabet='<>/"=&rectd a;'))
def test_what_html_does_not_need_is_left_out_of_tags_alone(text: str) -> None:
    inside = [element("rect", data_at=text, width="1%"), element("td", element("b", text, title=text), text)]
    main = page_of(text, inside, {"text": text}).partition("<main>")[2].partition("</main>")[0]
    parsed = Document(main)
    shown = "\n".join(map(escape, text.split("\n")))
    assert parsed.elements == [
        ("rect", {"data-at": shown, "width": "1%"}), ("td", {}), ("b", {"title": shown}),
    ]  # fmt: skip
    assert "".join(parsed.words) == shown * 2


def test_ids_are_there_once_and_headings_are_in_order(cli: Command) -> None:
    pages = [
        cli("html", "zoo:resnet50").stdout,
        cli("html", "specs/tutorials/googlenet_3a.yaml#naive", "specs/tutorials/googlenet_3a.yaml#reduced").stdout,
    ]
    for page in pages:
        document = Document(page)
        ids = [attributes["id"] for _, attributes in document.elements if attributes.get("id")]
        assert len(ids) == len(set(ids))
        levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        for attributes in document.all("tr"):
            assert attributes.get("data-line") in {None, "", *ids}


# --- several designs, tables, budgets ---------------------------------------------------------------------------------


def test_a_comparison_has_ratios_differences_and_both_reports(cli: Command) -> None:
    """GoogLeNet's module 3a: the sums are those of the kernels, (1·1·192 + …), counted here by hand."""
    naive = 192 * (64 + 9 * 128 + 25 * 32)
    reduced = 192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32
    both = ["specs/tutorials/googlenet_3a.yaml#naive", "specs/tutorials/googlenet_3a.yaml#reduced"]
    page = cli("html", *both).stdout
    words = "".join(Document(page).words)
    assert f"{naive:,}" in words
    assert f"÷ {naive / reduced:.2f}" in words
    assert "−92,160" in words  # 9·192·128 against 192·96 + 9·96·128
    assert 192 * 96 + 9 * 96 * 128 - 9 * 192 * 128 == -92160
    assert [unpacked(each)["totals"]["params"] for each in data_of(page)] == [naive, reduced]
    for design, each in zip(both, data_of(page), strict=True):
        wanted = json.loads(cli("report", design, "--json").stdout)
        assert unpacked(each)["layers"] == wanted["layers"]


def test_what_two_designs_lack_is_no_equal_number() -> None:
    """Where a third design alone has a layer, nothing is said of the second."""
    one = "input: [3, 8, 8]\nlayers: [{name: a, conv: [4, 1]}]"
    more = "input: [3, 8, 8]\nlayers: [{name: a, conv: [4, 1]}, {name: b, conv: [5, 1]}]"
    reports = [convcalc.load(text=text, name=name).report(detailed=["peak"])
               for name, text in (("first", one), ("second", one), ("third", more))]  # fmt: skip
    page = comparison_page(compare(reports), [])
    body = page[page.index("class=places") :]
    row = re.findall(r"<th scope=row>b(.*?)(?:<tr|</tbody>)", body, re.DOTALL)[0]
    assert "<td>=" not in row
    assert "+25" in row


def test_a_table_of_results_is_points_and_rows(cli: Command, tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("design,macs,top1,kind\na,5000,70.5,x\nb,6000,71,y\n<b>,7000,60,y\n")
    result = cli("html", file)
    assert (result.exit_code, result.stderr) == (0, "")
    document = Document(result.stdout)
    assert [each.get("data-at") for each in document.all("tr")][1:] == ["a", "b", "<b>"]
    assert sorted(str(each["data-at"]) for each in document.all("circle") if "data-at" in each) == ["<b>", "a", "b"]
    assert "7,000" in document.words
    assert len(data_of(result.stdout)["rows"]) == 3


def test_a_long_table_is_cut_and_its_picture_has_all_points(cli: Command, tmp_path: Path) -> None:
    lines = [f"d{place},{place + 1},{2 * place + 1}" for place in range(2003)]
    (tmp_path / "long.csv").write_text("\n".join(["design,params,macs", *lines]))
    page = cli("html", tmp_path / "long.csv").stdout
    table, picture = page[page.index("<table") :], page[: page.index("<table")]
    assert [place for place in (0, 1999, 2000) if f"data-at=d{place}>" in table] == [0, 1999]
    assert "The first 2,000 rows are shown" in page
    assert len(data_of(page)["rows"]) == 2000
    assert picture.count("<circle") == 2003


@pytest.mark.parametrize(("name", "way"), [("page.svg", "with .html"), ("page.pdf", "print it")])
def test_a_page_has_no_name_of_another_format(cli: Command, tmp_path: Path, name: str, way: str) -> None:
    result = cli("html", "zoo:lenet", "-o", tmp_path / name)
    assert result.exit_code == 2
    assert way in result.stderr
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(("line", "words"), [
    (["results.csv", "zoo:lenet"], "name one file"),
    (["results.csv", "--batch", "2"], "--batch is for designs"),
    (["zoo:lenet", "--variants", "all"], "folders and globs"),
    (["missing.yaml"], "missing.yaml"),
])  # fmt: skip
def test_what_is_not_possible_is_refused(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.csv").write_text("design,macs,params\na,5,1\nb,6,2\n")
    result = cli("html", *line, "-o", "page.html")
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (tmp_path / "page.html").exists()


BUDGET = "version: 1\nbudgets:\n  - {id: small, designs: '*.yaml', max: {params: 100}}\n"


def test_budgets_of_the_folder_have_their_verdict_on_the_page(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # 4·(27 + 1) = 112 parameters
    (tmp_path / "net.yaml").write_text("input: [3, 8, 8]\nvars: {classes: 4}\nlayers: [conv: [classes, 3]]\n")
    plain = cli("html", "net.yaml")
    assert "violated" not in plain.stdout
    (tmp_path / "convcalc-budget.yaml").write_text(BUDGET)
    assert "violated" in "".join(Document(cli("html", "net.yaml").stdout).words)
    assert "violated" not in cli("html", "net.yaml", "--set", "classes=2").stdout
    assert "violated" not in cli("html", "zoo:lenet").stdout
    checked = cli("check", "net.yaml", "--max", "params=100", "-f", "html=check.html")
    assert checked.exit_code == 1
    page = (tmp_path / "check.html").read_text()
    words = "".join(Document(page).words)
    assert "Check failed" in words
    assert "112" in words
    assert "≤ 100" in words
    assert "violated" in words
    assert page.index("violated") < page.index("Every layer at once")
    assert unpacked(data_of(page)[0])["totals"]["params"] == 112


# --- bytes ------------------------------------------------------------------------------------------------------------


def limit(layers: int) -> float:
    """In bytes: 150 kB for 200 layers, 0.6 kB for each one more, 500 kB in all."""
    return 1000 * min(150 + 0.6 * max(0, layers - 200), 500)


def zoo_designs() -> Iterator[tuple[Path, str | None]]:
    for path in ZOO:
        yield path, None
    for name in ("convnext_v2@nano", "densenet@201", "efficientnet@b7", "preact_resnet_cifar@1001", "resnet50@152"):
        file, _, variant = name.partition("@")
        yield ROOT / "specs" / "zoo" / f"{file}.yaml", variant


def test_no_page_of_the_zoo_is_larger_than_its_layers_allow() -> None:
    sizes = {}
    for path, variant in zoo_designs():
        report = open_spec(str(path)).expand(variant).report(extra=["peak"])
        sizes[path.stem, variant] = len(design_page(report).encode()) / limit(len(report.rows))
    assert {design: size for design, size in sizes.items() if size > 1} == {}


MOST = 500_000


def chain(layers: int, name: str = "layer") -> str:
    """A spec of layers that are all unlike."""
    lines = (f"  - {{conv: [{1 + 37 * n % 991}, 1], name: {name}_{n}}}" for n in range(layers))
    return "\n".join(["input: [3, 8, 8]", "layers:", *lines])


def test_a_design_of_20_000_layers_has_a_small_page_with_all_of_them_where_they_repeat(
    cli: Command, tmp_path: Path
) -> None:
    block = "{seq: [conv: [8, 1], norm: batch, relu, conv: [8, 1]], repeat: 5000, name: block}"
    (tmp_path / "deep.yaml").write_text(f"input: [8, 8, 8]\nlayers: [{block}]\n")
    page = cli("html", tmp_path / "deep.yaml").stdout
    assert len(page.encode()) <= MOST
    found = unpacked(data_of(page))
    assert found == json.loads(cli("report", tmp_path / "deep.yaml", "--json").stdout)
    assert len(found["layers"]) == 20_000


def test_a_page_says_which_numbers_it_has_no_room_for(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "varied.yaml").write_text(chain(8000, "a_layer_with_a_name"))
    page = cli("html", tmp_path / "varied.yaml").stdout
    assert len(page.encode()) <= MOST
    found, words = data_of(page), "".join(Document(page).words)
    wanted = json.loads(cli("report", tmp_path / "varied.yaml", "--json").stdout)
    assert len(wanted.pop("layers")) == 8000
    assert "convcalc report DESIGN --json" in found.pop("layers_left_out")
    assert found == wanted
    assert "no layers: 8,000 layers would be too much, since a page has at most 500 kB" in words
    rows = [each for each in Document(page).all("tr") if "data-at" in each]
    assert 0 < len(rows) < 8000
    assert f"{8000 - len(rows):,} more rows: “convcalc report DESIGN --json” has them" in words
    assert "Left out: 8,002 lines" in words


@pytest.mark.parametrize(("wide", "deep"), [(2000, 0), (600, 20)])
def test_long_paths_make_no_large_page(cli: Command, tmp_path: Path, wide: int, deep: int) -> None:
    """Names of 180 characters: of every layer, or of modules in modules."""
    name = "n" * 180
    inside = "conv: [8, 1], relu, conv: [8, 1]"
    for level in range(deep):
        inside = f"{{seq: [{inside}], name: {name}{level}}}"
    nested = f"input: [8, 8, 8]\nlayers: [{{seq: [{inside}], repeat: {wide}, name: block}}]"
    (tmp_path / "long.yaml").write_text(nested if deep else chain(wide, name))
    result = cli("html", tmp_path / "long.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert 100_000 < len(result.stdout.encode()) <= MOST


def test_a_comparison_of_large_designs_is_within_the_limits_of_both(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(chain(2500))
    (tmp_path / "two.yaml").write_text(chain(2501).replace(", 1], name: layer_7}", ", 3], name: layer_7}"))
    page = cli("html", tmp_path / "one.yaml", tmp_path / "two.yaml").stdout
    assert len(page.encode()) <= 2 * MOST
    table = page[page.index("<table class=places>") :].partition("</table>")[0]
    assert 0 < table.count("data-at=") <= 1000
    assert "more rows: “convcalc compare” has them" in page


PROGRAM = """\
import sys
from hashlib import sha256
from convcalc.designs.sources import open_design
from convcalc.errors import escape
from convcalc.render.pictures.svg import element
from convcalc.render.web_page.design import design_page
from convcalc.render.web_page.shell import page as page_of
for name in sys.argv[1:]:
    page = design_page(open_design(f"specs/zoo/{name}.yaml").report(extra=["peak"]))
    print(sha256(page.encode()).hexdigest(), name)
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_pages_are_the_same_bytes_everywhere(golden: Callable[[str, str], None], seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM, *GOLDEN], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    golden("pages.sha256", made.stdout)
