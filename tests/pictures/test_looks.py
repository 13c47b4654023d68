"""Colours have contrast, texts are as wide as they are taken for, and hostile ones stay texts."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.render.pictures import palette
from convcalc.render.pictures.bars import bars, comparison_bars
from convcalc.render.pictures.bridge import bridge
from convcalc.render.pictures.graph.graph import graph
from convcalc.render.pictures.labels import top_runs
from convcalc.render.pictures.modules import Module, module_tree
from convcalc.render.pictures.palette import CLASSES, DARK, LIGHT, RAMP, contrast, tint
from convcalc.render.pictures.skyline import skyline
from convcalc.render.pictures.squares import squares
from convcalc.render.pictures.svg import fitted, style, text_width
from convcalc.render.pictures.treemap import treemap
from tests.pictures.trees import HOSTILE, report_of, tree_of

# --- colours ----------------------------------------------------------------------------------------------------------

themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white is 21, and #767676 is the lightest grey that passes 4.5 on white: both are in WCAG's texts."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert 4.5 <= contrast("#767676", "#ffffff") < 4.6
    assert contrast("#777777", "#ffffff") < 4.5


@themes
def test_texts_can_be_read_on_every_ground(theme: Mapping[str, str]) -> None:
    for name in ("text", "muted", "p_text", "m_text", "a_text"):
        for ground in ("ground", "panel"):
            assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
    for letter in "pma":
        for step in range(CLASSES):
            cell = theme[f"{letter}{step}"]
            assert contrast(theme[f"on_{letter}{step}"], cell) >= 4.5, (letter, step)
            if step < 4:  # the style sheet leaves these to the text's usual colour
                assert contrast(theme["text"], cell) >= 4.5, (letter, step)


def test_the_style_sheet_gives_every_darker_tint_its_own_colour_of_texts() -> None:
    sheet = style("light")
    for letter in "pma":
        for step in range(CLASSES):
            which = f' [data-{letter}="{step}"]>' if step else " "  # without a class it is nothing
            assert f".by-{letter}{which}.tint{{fill:{LIGHT[f'{letter}{step}']}}}" in sheet
            if step >= 4:
                assert f'.by-{letter} [data-{letter}="{step}"]>text{{fill:{LIGHT[f"on_{letter}{step}"]}}}' in sheet


@themes
def test_graphics_can_be_seen_on_every_ground(theme: Mapping[str, str]) -> None:
    for name in ("p", "m", "a", "muted", *(f"q{step}" for step in range(RAMP))):
        for ground in ("ground", "panel"):
            assert contrast(theme[name], theme[ground]) >= 3, (name, ground)


@given(st.integers(0, 10**25), st.integers(1, 10**25))
def test_a_tint_is_the_ceiling_of_six_times_the_root_of_the_share(value: int, more: int) -> None:
    largest = value + more
    step = tint(value, largest)
    assert (step == 0) == (value == 0)
    assert (step - 1) ** 2 * largest < 36 * value <= step**2 * largest or value == 0
    assert tint(largest, largest) == 6


def test_every_name_of_the_style_sheet_is_a_colour() -> None:
    assert "$" not in style("auto")
    assert set(LIGHT) == set(DARK)
    for name, color in {**LIGHT, **DARK}.items():
        assert re.fullmatch("#[0-9a-f]{6}", color), name
    assert palette.CLASSES == 7


# --- widths -----------------------------------------------------------------------------------------------------------

FONTS = Path("/usr/share/fonts/truetype/liberation")
needs_font = pytest.mark.skipif(
    not (FONTS / "LiberationSans-Regular.ttf").is_file(), reason="no Liberation Sans here: fonts-liberation of Debian"
)


@cache
def advances(file: str) -> dict[str, int]:
    """The advance widths of a TrueType font: its tables cmap (format 4), hhea and hmtx."""
    data = (FONTS / file).read_bytes()
    tables = {}
    for place in range(struct.unpack(">H", data[4:6])[0]):
        name, _, offset, _ = struct.unpack(">4sIII", data[12 + 16 * place : 28 + 16 * place])
        tables[name] = offset
    (count,) = struct.unpack(">H", data[tables[b"hhea"] + 34 : tables[b"hhea"] + 36])
    widths = [
        struct.unpack(">H", data[at : at + 2])[0] for at in range(tables[b"hmtx"], tables[b"hmtx"] + 4 * count, 4)
    ]
    return {chr(code): widths[min(glyph, count - 1)] for code, glyph in _glyphs(data, tables[b"cmap"])}


def _glyphs(data: bytes, cmap: int) -> list[tuple[int, int]]:
    starts = []
    for place in range(struct.unpack(">H", data[cmap + 2 : cmap + 4])[0]):
        platform, encoding, offset = struct.unpack(">HHI", data[cmap + 4 + 8 * place : cmap + 12 + 8 * place])
        if (platform, encoding) == (3, 1):
            starts.append(cmap + offset)
    at = starts[0]
    half = struct.unpack(">H", data[at + 6 : at + 8])[0]
    words = [struct.unpack(f">{half // 2}H", data[at + shift : at + shift + half])
             for shift in (14, 16 + half, 16 + 2 * half, 16 + 3 * half)]  # fmt: skip
    found = []
    for place, (last, first, delta, shift) in enumerate(zip(*words, strict=True)):
        for code in range(first, last + 1 if last < 0xFFFF else last):
            glyph = code
            if shift:
                where = at + 16 + 3 * half + 2 * place + shift + 2 * (code - first)
                glyph = struct.unpack(">H", data[where : where + 2])[0]
            found.append((code, (glyph + delta) & 0xFFFF))
    return found


@needs_font
@given(st.text(st.sampled_from([*map(chr, range(32, 127)), *"×·→…≥≤÷−–"]), max_size=40))
def test_text_is_as_wide_as_the_font_says(text: str) -> None:
    widths = advances("LiberationSans-Regular.ttf")
    exact = sum(widths[character] for character in text) * 12 / 2048
    assert text_width(text, 12) == pytest.approx(exact, abs=0.06 + 0.02 * exact)


@needs_font
@pytest.mark.parametrize("text", ["138M parameters", "4.09G multiplies", "59%", "resnet50@101", "stage1", "block ×12"])
def test_bold_text_is_no_wider_than_it_is_taken_for(text: str) -> None:
    widths = advances("LiberationSans-Bold.ttf")
    assert sum(widths[character] for character in text) * 12 / 2048 <= text_width(text, 12, bold=True) + 1.5


@given(st.text(max_size=40), st.floats(0, 300))
def test_a_fitted_text_fits_and_is_a_beginning(text: str, room: float) -> None:
    shown = fitted(text, room, 12)
    assert text_width(shown, 12) <= room or not shown
    assert shown == text or text.startswith(shown.removesuffix("…"))


# --- hostile texts ----------------------------------------------------------------------------------------------------


def _renamed(root: Module) -> Module:
    """Give all modules names that no spec could have: pictures may not rely on that."""
    for module in root.walk():
        if module.path:
            module.name, module.path = HOSTILE, f"{HOSTILE}.{module.order}"
    return root


def test_hostile_names_stay_texts() -> None:
    report = report_of("input: [3, 8, 8]\nlayers: [conv: [4, 3], {name: head, seq: [conv: [5, 1], conv: [6, 1]]}]")
    root = _renamed(module_tree(report))
    pictures = [bridge(root), bars(root), treemap(root), skyline(root, report)]
    for picture in (*pictures, squares([(HOSTILE, root), ("\x00\u202e]]>", root)])):
        svg = picture.to_svg()
        parsed = fromstring(svg)  # noqa: S314 - our own text
        assert "<script" not in svg
        assert "\x00" not in svg
        assert "\u202e" not in svg
        assert {element.tag.rpartition("}")[2] for element in parsed.iter()} <= {
            "svg", "style", "rect", "g", "title", "path", "text", "tspan", "circle",
        }  # fmt: skip


# --- labels -----------------------------------------------------------------------------------------------------------


def test_a_number_alone_is_no_label() -> None:
    """In models of PyTorch modules are called 0, 1, 2: where a picture is not inside what holds them, that is said."""
    root = tree_of("input: [3, 8, 8]\nlayers: [{name: stages, seq: [conv: [5, 3], conv: [6, 1]]}]")
    for place, module in enumerate(root.children[0].children):
        module.name = str(place)
    assert [run.label for run in top_runs(root)] == ["stages.0", "stages.1"]


def test_large_numbers_of_repeats_have_separators() -> None:
    root = tree_of("input: [3, 8, 8]\nlayers: [{name: block, repeat: 1200, seq: [conv: [3, 1], relu]}]")
    assert [run.label for run in top_runs(root)] == ["block ×1,200"]


def test_equal_blocks_that_are_nearly_all_are_opened_together() -> None:
    block = "{name: block, repeat: 12, seq: [{conv: {out: 3, kernel: 3, padding: 1}}, conv: [3, 1]]}"
    root = tree_of(f"input: [3, 8, 8]\nlayers: [{block}, conv: [1, 1]]")
    found = top_runs(root)
    assert [run.label for run in found] == ["conv1 ×12", "conv2 ×12", "conv1"]
    assert [run.value("params") for run in found] == [12 * (9 * 9 + 3), 12 * (9 + 3), 4]


@given(st.lists(st.tuples(st.text("abcmw", min_size=1, max_size=14), st.integers(1, 3)), min_size=1, max_size=40))
def test_names_of_bands_neither_overlap_nor_leave_the_picture(bands: list[tuple[str, int]]) -> None:
    layers = "".join(f"  - {{name: {name}x{place}, seq: [{', '.join(['conv: [3, 1]'] * size)}]}}\n"
                     for place, (name, size) in enumerate(bands))  # fmt: skip
    report = report_of(f"input: [3, 8, 8]\nlayers:\n{layers}")
    drawn = skyline(module_tree(report), report, width=400)
    names = [text for text in drawn.root.iter("text") if text.get("class") == "small muted middle"]
    spans = [(float(text.get("x", "")) - width / 2, float(text.get("x", "")) + width / 2)
             for text in names for width in [text_width(text.text or "", 10.5)]]  # fmt: skip
    assert all(left >= -0.1 and right <= 400.1 for left, right in spans)
    assert all(right < left for (_, right), (left, _) in pairwise(spans))


@pytest.mark.parametrize("width", [240, 260, 300, 340, 400])
def test_the_keys_of_the_skyline_are_in_the_picture(width: int) -> None:
    report = report_of("input: [3, 99, 99]\nlayers: [conv: [333, 3], {opaque: {out: [9, 9]}, name: other}]")
    drawn = skyline(module_tree(report), report, width=width)
    keys = [text for text in drawn.root.iter("text") if text.get("class") == "muted small"]
    assert len(keys) == 3
    assert all(float(key.get("x", "")) + text_width(key.text or "", 10.5) <= width for key in keys)


def test_bars_of_several_designs_have_both_names_of_a_place() -> None:
    one, other = (
        convcalc.load(text=f"input: [3, 8, 8]\nlayers: [{{name: {name}, conv: [5, 3]}}]", name=name)
        for name in ("begin", "stem")
    )
    drawn = comparison_bars(convcalc.compare(one, other)).to_svg()
    assert "begin / stem" in drawn


def test_numbers_behind_names_from_right_to_left_keep_their_order() -> None:
    """Without a letter or a mark from left to right between them, the numbers would go on from right to left."""
    report = report_of(
        "input: [3, 8, 8]\nlayers: [{name: שכבה, conv: [4, 3]}, {name: نموذج, seq: [conv: [5, 1], relu]}]"
    )
    root = module_tree(report)
    drawn = [bridge(root), bars(root), treemap(root), skyline(root, report), graph(root, report).picture]
    texts = ["".join(text.itertext()) for picture in drawn for text in picture.root.iter("text")]
    named = [text for text in texts if re.search("[\u0590-\u06ff]", text)]
    assert len(named) >= 2 * len(drawn)
    assert not [text for text in named if re.search("[\u0590-\u06ff](?![\u0590-\u06ff\u200e])", text)]
