"""Characters: widths, bars, shortened names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.render.tables.characters import Characters, cells

UNICODE = Characters()
ASCII = Characters(ascii_only=True)


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("conv 3×3 → 4", 12), ("宽字符", 6), ("e\u0301", 1), ("█▏", 2), ("é", 1)]
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("path", "width", "text"),
    [
        ("stage3.block6.conv2", 19, "stage3.block6.conv2"),
        ("stage3.block6.conv2", 13, "stage3….conv2"),
        ("      norm", 8, "    norm"),
        ("    shortcut", 6, "sh…cut"),
        ("stage", 1, "e"),
        ("宽字符宽字符", 7, "宽字…符"),
    ],
)
def test_elide(path: str, width: int, text: str) -> None:
    assert UNICODE.shorten_path(path, width) == text


@given(st.text(max_size=40), st.integers(0, 40))
def test_nothing_elided_or_cut_is_too_wide(text: str, width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        shown = glyphs.text(text)
        assert cells(glyphs.shorten_path(shown, width)) <= width
        assert cells(glyphs.truncate(shown, width)) <= width


@given(st.lists(st.one_of(st.sampled_from(["conv1", "3×3", "é\u202e", "a\tb"]), st.text(max_size=9)), max_size=9))
def test_a_column_is_shown_as_its_texts_are(texts: list[str]) -> None:
    for glyphs in (UNICODE, ASCII):
        assert list(glyphs.texts(texts)) == [glyphs.text(text) for text in texts]


def test_bars_are_in_proportion_to_an_eighth_of_a_cell() -> None:
    assert UNICODE.bars([64, 32, 1, 0, 8, 9], 8) == ["████████", "████", "▏", "", "█", "█▏"]
    assert ASCII.bars([64, 32, 1, 0], 8) == ["########", "####", "", ""]
    assert UNICODE.bars([0, 0], 8) == ["", ""]
    assert UNICODE.bars([], 8) == []


@given(st.lists(st.integers(0, 10**30), max_size=20), st.integers(1, 20))
def test_bars_never_leave_their_column(values: list[int], width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        bars = glyphs.bars(values, width)
        assert all(cells(bar) <= width for bar in bars)
        assert not any(values) or max(map(cells, bars)) == width


def test_ascii_spells_out_what_it_lacks() -> None:
    assert ASCII.text("conv 3×3, 4 → 8 – 宽") == "conv 3x3, 4 -> 8 - \\u5bbd"


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    ASCII.text(text).encode("ascii")
    UNICODE.text(text).encode()
    assert "\n" not in UNICODE.text(text)
