"""The text format: whole outputs, and what must hold of every one of them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest

from convcalc.designs.sources import open_design
from convcalc.metrics.registry import DETAIL_KEYS
from convcalc.render.formats.text import comparison as comparison_text
from convcalc.render.formats.text import report as report_text
from convcalc.render.tables.blocks import Paragraph
from convcalc.render.tables.characters import cells
from convcalc.render.tables.rich_console import STYLES, StyledLines, console, render_blocks
from convcalc.render.tables.surface import Surface
from convcalc.report.compare import compare
from convcalc.report.fold import TableOptions
from convcalc.report.report import Report
from tests.render import designs
from tests.work import limited_work

Golden = Callable[[str, str], None]
WIDTHS = (None, 40, 80, 120, 200)
DESIGNS = {
    "naive": designs.naive,
    "reduced": designs.reduced,
    "resnet": designs.resnet,
    "tied": designs.tied,
    "incomplete": designs.incomplete,
    "hostile": designs.hostile,
    "joined": designs.joined,
    "empty": designs.empty,
}
COMPARED = {
    "inception": (designs.naive, designs.reduced),
    "resnet50-101": (designs.resnet, designs.resnet101),
    "three": (designs.resnet, designs.resnet101, designs.resnet152),
    "incomplete": (designs.incomplete, designs.reduced),
    "alone": (designs.naive, designs.empty),
}


def rules(text: str) -> list[int]:
    return [place for place, line in enumerate(text.splitlines()) if set(line.strip()) in ({"─"}, {"-"})]


def table(text: str) -> list[str]:
    """The lines between the first rule and the second."""
    first, second = rules(text)[:2]
    return text.splitlines()[first + 1 : second]


def total(text: str) -> str:
    """The line beneath the second rule."""
    return text.splitlines()[rules(text)[1] + 1]


def column(text: str, title: str, lines: list[str]) -> list[int]:
    """The exact counts that stand under a heading: they end where it ends. A dash or a blank is none."""
    head = text.splitlines()[rules(text)[0] - 1]
    end = head.index(title) + len(title)
    cells = [line[:end].split("  ")[-1].strip() if line[end - 1 : end].strip() else "" for line in lines]
    return [int(cell.replace(",", "")) if cell not in ("", "–") else 0 for cell in cells]


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("width", [None, 80])
def test_report(golden: Golden, name: str, width: int | None) -> None:
    golden(f"report-{name}-{width or 'pipe'}.txt", report_text(DESIGNS[name](), TableOptions(), Surface(width)))


@pytest.mark.parametrize("width", [30, 40, 60, 120, 200])
def test_report_at_other_widths(golden: Golden, width: int) -> None:
    golden(f"report-resnet-{width}.txt", report_text(designs.resnet(), TableOptions(), Surface(width)))


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("depth-1", TableOptions(depth=1)),
        ("depth-2", TableOptions(depth=2)),
        ("depth-3", TableOptions(depth=3)),
        ("by-op", TableOptions(by="op")),
        ("by-block", TableOptions(by="block")),
        ("top-5", TableOptions(top=5)),
        ("top-3-by-macs", TableOptions(top=3, sort="macs")),
        ("sort-path", TableOptions(sort="path")),
        ("columns", TableOptions(depth=1, columns=("macs", "activations", "buffers"))),
        ("by-op-top-1", TableOptions(by="op", top=1)),
    ],
)
@pytest.mark.parametrize("width", [None, 100])
def test_views(golden: Golden, name: str, view: TableOptions, width: int | None) -> None:
    golden(f"view-{name}-{width or 'pipe'}.txt", report_text(designs.resnet(), view, Surface(width)))


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("width", WIDTHS)
def test_comparison(golden: Golden, name: str, width: int | None) -> None:
    comparison = compare([make() for make in COMPARED[name]])
    golden(f"compare-{name}-{width or 'pipe'}.txt", comparison_text(comparison, Surface(width)))


def test_colour(golden: Golden) -> None:
    golden("report-reduced-color.txt", report_text(designs.reduced(), TableOptions(), Surface(100, color=True)))
    comparison = compare([designs.naive(), designs.reduced()])
    golden("compare-inception-color.txt", comparison_text(comparison, Surface(120, color=True)))


def test_ascii(golden: Golden) -> None:
    golden("report-hostile-ascii.txt", report_text(designs.hostile(), TableOptions(), Surface(80, ascii_only=True)))
    comparison = compare([designs.resnet(), designs.resnet101()])
    golden("compare-resnet50-101-ascii.txt", comparison_text(comparison, Surface(ascii_only=True)))


# --- what holds of all ------------------------------------------------------------------------------------------------

EVERY = [(name, width) for name in DESIGNS for width in (30, 37, 50, 64, 79, 100, 150, None)]


@pytest.mark.parametrize(("name", "width"), EVERY)
def test_no_line_is_wider_than_the_terminal(name: str, width: int | None) -> None:
    text = report_text(DESIGNS[name](), TableOptions(), Surface(width))
    assert max(cells(line) for line in text.splitlines()) <= (width or 10**6)
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("width", [30, 40, 57, 80, 99, 120, 200])
def test_no_line_of_a_comparison_is_wider_than_the_terminal(name: str, width: int) -> None:
    comparison = compare([make() for make in COMPARED[name]])
    assert max(map(cells, comparison_text(comparison, Surface(width)).splitlines())) <= width


@pytest.mark.parametrize("width", range(30, 61))
def test_a_comparison_cuts_no_name_that_it_has_room_for(width: int) -> None:
    """One more character in the name of a layer and of each design would not fit."""
    comparison = compare([designs.resnet(), designs.resnet101()])
    cut = [
        part for part in comparison_text(comparison, Surface(width)).split("\n\n") if "res…" in part or "blo…" in part
    ]
    for part in cut:
        rows = part.partition("\nNot shown")[0]
        assert max(map(cells, rows.splitlines())) > width - 3


@pytest.mark.parametrize("name", ["reduced", "resnet", "tied"])
def test_piped_columns_add_up_to_their_totals(name: str) -> None:
    report = DESIGNS[name]()
    text = report_text(report, TableOptions(columns=("params", "macs", "output_elements")), Surface())
    for title, key in (("Params", "params"), ("Multiplies", "macs"), ("Output elements", "output_elements")):
        assert sum(column(text, title, table(text))) == report.totals[key]
        assert column(text, title, [total(text)]) == [report.totals[key]]


@pytest.mark.parametrize(
    "view",
    [
        TableOptions(depth=1),
        TableOptions(depth=2),
        TableOptions(by="op"),
        TableOptions(by="block"),
        TableOptions(top=3),
        TableOptions(by="block", top=2),
    ],
)
def test_folded_columns_add_up_too(view: TableOptions) -> None:
    report = designs.resnet()
    text = report_text(report, view, Surface())
    assert sum(column(text, "Params", table(text))) == report.totals["params"]
    assert sum(column(text, "Multiplies", table(text))) == report.totals["macs"]


def test_a_tree_has_the_subtotals_of_what_stands_beneath() -> None:
    report = designs.resnet()
    text = report_text(report, TableOptions(), Surface(120))
    (stage,) = (line for line in table(text) if line.startswith("stage3"))
    rows = [row for row in report.rows if row.path.startswith("stage3.")]
    assert column(text, "Params", [stage]) == [sum(row.values["params"] for row in rows)]
    assert column(text, "Multiplies", [stage]) == [sum(row.values["macs"] for row in rows)]


def test_a_pipe_has_every_whole_path_and_no_notice() -> None:
    report = designs.resnet()
    text = report_text(report, TableOptions(), Surface())
    assert [line.split()[0] for line in table(text)] == [row.path for row in report.rows]
    assert "Not shown" not in text


def test_a_deep_report_is_complete_on_the_narrowest_terminal() -> None:
    report = designs.resnet()
    assert len(table(report_text(report, TableOptions(repeats=True), Surface(30)))) >= len(report.rows)


def test_columns_go_in_a_fixed_order() -> None:
    report = designs.resnet()
    gone = [re.findall(r"Not shown in \d+\s+columns: ([^;]*)", _flat(report, width)) for width in range(30, 140)]
    counts = [len(found[0].split(", ")) if found else 0 for found in gone]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] >= 4
    assert counts[-1] == 0


def _flat(report: Report, width: int) -> str:
    return " ".join(report_text(report, TableOptions(), Surface(width)).split())


def test_the_width_that_a_notice_names_shows_all() -> None:
    report = designs.resnet()
    (width,) = re.findall(r"--width (\d+)", report_text(report, TableOptions(), Surface(80)))
    assert "Not shown" not in report_text(report, TableOptions(), Surface(int(width)))
    assert "Not shown" in report_text(report, TableOptions(), Surface(int(width) - 20))


SEEN = (
    TableOptions(),
    TableOptions(every=True),
    TableOptions(sort="training_bytes", top=4),
    TableOptions(by="op", more=("flops", "arithmetic_intensity")),
    TableOptions(depth=1, columns=("arithmetic_intensity", "receptive_field"), totals=("depth", "train_flops")),
    TableOptions(columns=("traffic_bytes",), sort="cache_bytes"),
)


@pytest.mark.parametrize("design", ["zoo:resnet50", "zoo:mixtral", "zoo:gpt2@decode", "zoo:lenet"])
@pytest.mark.parametrize("view", SEEN)
def test_metrics_that_are_not_seen_make_no_difference(design: str, view: TableOptions) -> None:
    network, asked = open_design(design), {*(view.columns or ()), *view.more}.intersection(DETAIL_KEYS)
    whole, seen = network.report(extra=asked), network.report(extra=asked, seen=view)
    assert len(seen.totals) + len(seen.omitted) == len(whole.totals)
    assert bool(seen.omitted) is not view.every
    for surface in (Surface(), Surface(80)):
        assert report_text(seen, view, surface) == report_text(whole, view, surface)


def test_color_is_as_rich_writes_it() -> None:
    block = Paragraph([(text, style) for style in STYLES for text in ("64 ", "× ", "")] + [("plain", "")], 20)
    written = io.StringIO()
    console(written, color="always", width=80).print(StyledLines(block.styled()), end="", crop=False)
    assert render_blocks([block], Surface(80, color=True)) == written.getvalue()


def test_color_adds_nothing_but_color() -> None:
    for width in (None, 40, 80, 120):
        plain = report_text(designs.resnet(), TableOptions(), Surface(width))
        colored = report_text(designs.resnet(), TableOptions(), Surface(width, color=True))
        stripped = re.sub(r"\x1b\[[0-9;]*m", "", colored)
        assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()


def test_hostile_text_cannot_reach_the_terminal() -> None:
    for surface in (Surface(), Surface(80), Surface(80, color=True), Surface(80, ascii_only=True)):
        text = re.sub(r"\x1b\[[0-9;]*m", "", report_text(designs.hostile(), TableOptions(), surface))
        assert not set(text) & set("\x1b\x07\u202e\x00")
        assert "\\x1b" in text


def test_ascii_is_ascii() -> None:
    report_text(designs.hostile(), TableOptions(), Surface(80, ascii_only=True)).encode("ascii")
    comparison = compare([designs.resnet(), designs.resnet101(), designs.hostile()])
    comparison_text(comparison, Surface(None, ascii_only=True)).encode("ascii")


def test_an_incomplete_total_is_a_lower_bound() -> None:
    text = report_text(designs.incomplete(), TableOptions(), Surface())
    assert "≥ 5,160,960" in total(text)
    assert "≥ 5,040" not in text
    assert re.search(r"warp1 .* –  +\?\n", text)
    assert "1 layer is not counted, so totals marked ≥ are lower bounds: body.warp1" in text


def test_metrics_go_last_and_from_the_end() -> None:
    view = TableOptions(columns=("params", "macs", "activations", "output_elements"))
    text = report_text(designs.resnet(), view, Surface(30))
    assert text.splitlines()[rules(text)[0] - 1].split() == ["Layer", "Params", "Multiplies"]
    assert "Activations, Output elements;" in " ".join(text.split())


def test_a_tied_layer_says_to_what() -> None:
    assert "tied to embed" in report_text(designs.tied(), TableOptions(), Surface())


@pytest.mark.parametrize(("width", "color"), [(None, False), (120, False), (120, True)])
def test_a_hundred_thousand_layers_take_work_in_proportion(width: int | None, color: bool) -> None:
    report = designs.chain(100_000)
    with limited_work():
        text = report_text(report, TableOptions(repeats=True), Surface(width, color))
        report_text(report, TableOptions(), Surface(width, color))
    assert text.count("\n") > 100_000
