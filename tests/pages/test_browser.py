"""Pages in headless Chromium, which playwright drives. Without either, these tests are skipped and say so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HANG, ROOT

playwright = pytest.importorskip(
    "playwright.sync_api", reason="NO BROWSER TEST: playwright is not installed (pip install 'convcalc[browser]')"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER TEST: there is no chromium, chromium-browser or google-chrome on the PATH"
)
LAYER = "stage3.block2.conv1"
BOTH = ["specs/tutorials/googlenet_3a.yaml#naive", "specs/tutorials/googlenet_3a.yaml#reduced"]


def command(*line: str) -> tuple[int, str]:
    """Run a command in the checkout; return its exit code and output."""
    words = [sys.executable, "-m", "convcalc", *line]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pages: one design, a comparison, a table, a check."""
    folder = tmp_path_factory.mktemp("pages")
    evil = folder / "evil.yaml"
    name = "</title><script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"
    evil.write_text(json.dumps({"name": name, "input": [3, 8, 8], "layers": [{"conv": [4, 3]}, {"conv": [5, 1]}]}))
    (folder / "evil.csv").write_text(f'design,params,macs\n"{name.replace(chr(34), chr(34) * 2)}",1,2\nb,3,4\n')
    (folder / "results.csv").write_text("design,params,top1\na,30,71.5\nb,2000,70\nc,100,80\n")
    (folder / "large.yaml").write_text("input: [99999989]\nlayers: [linear: 99999971, linear: 99999941]\n")
    layers = ", ".join(f"conv: [{1 + 37 * n % 991}, 1]" for n in range(4500))
    (folder / "long.yaml").write_text(f"input: [3, 8, 8]\nlayers: [{layers}]\n")
    lines = {
        "long": ["html", str(folder / "long.yaml")],
        "one": ["html", "specs/zoo/resnet50.yaml"], "both": ["html", *BOTH], "evil": ["html", str(evil)],
        "table": ["html", str(folder / "results.csv")], "evil_table": ["html", str(folder / "evil.csv")],
        "vit": ["html", "zoo:vit"], "large": ["html", str(folder / "large.yaml")],
    }  # fmt: skip
    for page, line in lines.items():
        assert command(*line, "-o", str(folder / f"{page}.html"))[0] == 0
    command("check", "specs/zoo/lenet.yaml", "--max", "params=10k", "-f", f"html={folder / 'check.html'}")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as runner:
        started = runner.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any, pages: Path) -> Iterator[Any]:
    """``visit(page, …)`` opens a page of the folder, which must ask for nothing and have no message."""
    contexts: list[Any] = []
    seen: list[tuple[list[str], list[str]]] = []

    def opened(name: str, at: str = "", **options: Any) -> Any:
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        requests: list[str] = []
        messages: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto((pages / f"{name}.html").as_uri() + at)
        seen.append((requests, messages))
        return page

    yield opened
    for context in contexts:
        context.close()
    for requests, messages in seen:
        assert len([url for url in requests if not url.startswith("blob:")]) == 1
        assert messages == []


def texts(page: Any, selector: str) -> list[str]:
    found: list[str] = page.locator(selector).all_inner_texts()
    return found


def marked(page: Any, view: str) -> list[str]:
    paths: list[str] = page.eval_on_selector_all(f"{view} .on", "found => found.map(e => e.dataset.at)")
    return paths


# --- one design -------------------------------------------------------------------------------------------------------


def saved(page: Any) -> Any:
    with page.expect_download(timeout=5000) as download:
        page.click("button.save")
    return json.loads(Path(download.value.path()).read_text())


def test_numbers_beyond_those_of_floats_are_saved_whole(visit: Any, pages: Path) -> None:
    wanted = json.loads(command("report", str(pages / "large.yaml"), "--json")[1])
    assert wanted["totals"]["macs"] > 2**53
    assert saved(visit("large")) == wanted


def test_a_page_without_room_for_all_layers_saves_the_rest(visit: Any, pages: Path) -> None:
    wanted = json.loads(command("report", str(pages / "long.yaml"), "--json")[1])
    page = visit("long")
    found = saved(page)
    assert "report DESIGN --json" in found.pop("layers_left_out")
    assert found == {key: value for key, value in wanted.items() if key != "layers"}
    row = page.locator("table.layers tbody tr").first
    row.click()
    assert marked(page, "table.layers") == [row.get_attribute("data-at")]


def test_numbers_are_those_of_the_json(visit: Any) -> None:
    wanted = json.loads(command("report", "specs/zoo/resnet50.yaml", "--json")[1])
    page = visit("one")
    assert saved(page) == wanted
    assert texts(page, ".tiles .p span") == [f"{wanted['totals']['params']:,}"]
    assert texts(page, ".tiles .m span") == [f"{wanted['totals']['macs']:,}"]
    rows = page.eval_on_selector_all(
        "table.layers tbody tr:not(.g)",
        "rows => rows.map(r => [r.dataset.at, r.cells[3].textContent, r.cells[6].textContent])",
    )
    for key, column in (("params", 1), ("macs", 2)):
        for path, *cells in rows:
            layers = [each for each in wanted["layers"] if each["name"] in (path, f"{path}.norm", f"{path}.act")]
            value = sum(each[key] for each in layers)
            assert cells[column - 1] == (f"{value:,}" if value else "–"), path


def test_a_heading_sorts_falling_rising_and_back(visit: Any) -> None:
    page = visit("one")
    heading = page.locator("table.layers thead th", has_text="Multiplies")

    def shown() -> list[int]:
        cells = page.eval_on_selector_all(
            "table.layers tbody tr:not([hidden]):not(.g)", "rows => rows.map(r => r.cells[6].textContent)"
        )
        return [0 if cell == "–" else int(cell.replace(",", "")) for cell in cells]

    before = shown()
    assert len(set(before)) > 5
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert shown() == sorted(before, reverse=True)
    names = "rows => rows.map(r => [r.dataset.at, r.cells[0].textContent])"
    assert all(path == name for path, name in page.eval_on_selector_all("table.layers tbody tr:not(.g)", names))
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert shown() == sorted(before)
    heading.locator("button").press(" ")
    assert heading.get_attribute("aria-sort") is None
    assert shown() == before


def test_the_filter_reads_paths_and_texts(visit: Any) -> None:
    page = visit("one")
    rows = "table.layers tbody tr:not([hidden]):not(.g)"
    every = page.locator(rows).count()
    page.fill("input[type=search]", "stage2.block1")
    assert page.locator(rows).count() == 6  # three convolutions, the shortcut, add, relu
    assert texts(page, "output.found") == ["6 found"]
    page.fill("input[type=search]", "conv 7×7")
    assert page.eval_on_selector_all(rows, "rows => rows.map(r => r.dataset.at)") == ["conv1"]
    page.fill("input[type=search]", "")
    assert page.locator(rows).count() == every


def test_scopes_fold_by_mouse_and_keys(visit: Any) -> None:
    page = visit("one")
    rows = page.locator("table.layers tbody tr:not([hidden])")
    every, stage = rows.count(), page.locator("tr[data-at=stage1]")
    inside = page.locator("tr[data-at^='stage1.']").count()
    fold = stage.locator("button.fold")
    fold.click()
    assert (rows.count(), fold.get_attribute("aria-expanded")) == (every - inside, "false")
    page.locator("table.layers tbody tr").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert (rows.count(), fold.get_attribute("aria-expanded")) == (every, "true")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#/stage1"


def test_a_switch_acts_on_the_pictures_of_its_section(visit: Any) -> None:
    page = visit("one")
    cell = page.locator("svg.treemap [data-m='6'] > .tint").first
    graph = page.locator("svg.graph [data-m='6'] > .tint").first

    def color(at: Any) -> str:
        found: str = at.evaluate("e => getComputedStyle(e).fill")
        return found

    before = color(cell)
    page.locator("section", has=page.locator("svg.treemap")).get_by_role("button", name="parameters").click()
    assert color(cell) != before
    assert color(graph) == before
    pressed = page.locator("section", has=page.locator("svg.treemap")).locator("[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["parameters"]


@pytest.mark.parametrize("how", ["link", "row", "cell", "column"])
def test_one_layer_is_marked_everywhere(visit: Any, how: str) -> None:
    page = visit("one", f"#/{LAYER}" if how == "link" else "")
    if how == "row":
        page.locator(f"tr[data-at='{LAYER}'] td").first.click()
    elif how != "link":
        view = "treemap" if how == "cell" else "skyline"
        page.locator(f"svg.{view} g[data-at='{LAYER}'] rect").last.click(force=True)
    assert page.evaluate("decodeURIComponent(location.hash)") == f"#/{LAYER}"
    assert marked(page, "table.layers tbody") == [LAYER]
    assert marked(page, "svg.treemap") == [LAYER]
    assert marked(page, "svg.skyline") == [LAYER]
    assert set(marked(page, "svg.graph")) == {LAYER}
    assert set(marked(page, "svg.bridge")) == {"stage3"}
    line = page.locator(f"tr[data-at='{LAYER}']").get_attribute("data-line")
    assert page.eval_on_selector_all(".source .on", "found => found.map(e => e.id)") == [line]
    assert page.locator(f"tr[data-at='{LAYER}']").evaluate(
        "r => { const b = r.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight }"
    ) or how != "link"  # fmt: skip
    page.keyboard.press("Escape")
    assert page.locator(".on").count() == 0


@pytest.mark.parametrize(("path", "graph", "bridge"), [
    ("block7.linear1", {"block1.linear1"}, {"block1.linear1"}),
    ("block12", {"block1"}, {"block1.attention1", "block1.linear1", "block1.linear2"}), ("head", {"head"}, set()),
])  # fmt: skip
def test_equal_neighbours_are_marked_where_they_are_drawn_once(
    visit: Any, path: str, graph: set[str], bridge: set[str]
) -> None:
    page = visit("vit", f"#/{path}")
    assert marked(page, "table.layers") == [path]
    assert set(marked(page, "svg.graph")) == graph
    assert bridge <= set(marked(page, "svg.bridge"))


def test_a_tip_has_what_the_row_has(visit: Any) -> None:
    page = visit("one")
    page.locator("svg.treemap g[data-at='stage4.block1.conv2'] rect").hover()
    tip = page.locator("#tip").inner_text()
    row = page.locator("tr[data-at='stage4.block1.conv2'] td").all_inner_texts()
    assert tip.split("\n")[0] == "stage4.block1.conv2"
    assert f"{row[2]} parameters" in tip
    assert f"{row[5]} multiplies" in tip


# --- all pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["one", "both", "table", "check", "vit"])
def test_no_page_is_wider_than_its_window(visit: Any, name: str, scheme: str) -> None:
    page = visit(name, color_scheme=scheme)
    grounds = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert grounds == (
        ["rgb(252, 252, 251)", "rgb(29, 33, 38)"] if scheme == "light" else ["rgb(20, 23, 26)", "rgb(232, 234, 237)"]
    )
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.eval_on_selector_all("details", "found => found.forEach(e => { e.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.eval_on_selector_all("svg.picture text", """found => found.filter(e => {
            const m = e.getScreenCTM(); return parseFloat(getComputedStyle(e).fontSize) * m.a < 8.95
        }).map(e => e.textContent)""")  # fmt: skip
        assert small == []


def test_without_its_script_a_page_has_all_numbers_and_no_dead_control(visit: Any) -> None:
    page = visit("one", java_script_enabled=False)
    assert page.locator("table.layers tbody tr").count() > 70
    assert page.get_by_text("25,557,032").count() >= 2
    for picture in ("bridge", "treemap", "skyline", "graph"):
        assert page.locator(f"svg.{picture}").is_visible()
    assert not page.locator(".switch:visible, input:visible, button:visible").count()


def test_names_that_are_markup_are_texts(visit: Any) -> None:
    for name in ("evil", "evil_table"):
        page = visit(name)
        assert page.title() != "evil"
        assert page.locator("img").count() == 0
        assert "</title><script>" in page.locator("body").inner_text()


def test_a_comparison_opens_its_designs(visit: Any) -> None:
    page = visit("both", "#/reduced.3x3.conv2")
    opened = page.eval_on_selector_all("details", "found => found.map(e => e.open)")
    assert opened == [False, True]
    assert "reduced.3x3.conv2" in marked(page, "details[open] table.layers tbody")
    ids = page.eval_on_selector_all(".source .on", "found => found.map(e => e.id)")
    assert ids
    assert ids[0].startswith("d2-L")


def test_a_table_of_results_sorts_numbers_as_numbers(visit: Any) -> None:
    page = visit("table")
    page.get_by_role("button", name="params").click()
    assert texts(page, "table tbody th") == ["b", "c", "a"]
    page.locator("circle[data-at=c]").click()
    assert set(marked(page, "table")) == {"c"}


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, which npm fetches."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("NO ACCESSIBILITY TEST: there is no npm on the PATH to fetch axe-core with")
    folder = tmp_path_factory.mktemp("axe")
    line = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder), "axe-core@4.11.0"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=HANG)
    if done.returncode:
        pytest.skip(f"NO ACCESSIBILITY TEST: npm cannot fetch axe-core: {done.stderr[-300:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("name", ["one", "both", "table", "check"])
def test_axe_finds_nothing(browser: Any, pages: Path, axe: str, name: str) -> None:
    """Both themes; the policy of the page is put aside so that the script of the test may run in it."""
    for scheme in ("light", "dark"):
        context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto((pages / f"{name}.html").as_uri())
        page.eval_on_selector_all("details", "found => found.forEach(e => { e.open = true })")
        page.evaluate(axe)
        found = page.evaluate(
            "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))]))"
        )
        context.close()
        assert found == []
