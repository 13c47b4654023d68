"""``explain``: pages of kinds, activations and error codes; and the pages themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convcalc.designs.sources import open_source
from convcalc.errors import Source
from convcalc.guide import pages
from convcalc.ops.docs import doc_of
from convcalc.ops.op import arguments_of
from convcalc.ops.registry import activations, every, kinds
from tests.conftest import Command

HEADINGS = ("Written", "Formula", "Shapes", "Source", "Examples")


@pytest.mark.parametrize("word", pages.kind_words())
def test_every_word_has_a_page(cli: Command, word: str) -> None:
    result = cli("explain", word)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.match(rf"{word}\b", result.stdout)
    assert [line for line in result.stdout.splitlines() if len(line) > 80] == []
    assert "``" not in result.stdout


@pytest.mark.parametrize("code", pages.error_codes())
def test_every_code_has_a_page(cli: Command, code: str) -> None:
    result = cli("explain", code)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.match(rf"{code}: \S", result.stdout)
    assert cli("explain", code.lower()).stdout == result.stdout


def test_capitals_do_not_matter(cli: Command) -> None:
    assert cli("explain", "CONV").stdout == cli("explain", "conv").stdout


@pytest.mark.parametrize("kind", kinds())
def test_a_page_says_all_that_the_op_says(kind: str) -> None:
    page, op = pages.kind_page(kind), every()[kind]
    assert [heading for heading in HEADINGS if f"\n{heading}\n  " not in page] == []
    flat = " ".join(page.split())
    assert [text for text in doc_of(op).arguments.values() if text not in flat] == []
    for key, argument in arguments_of(op).items():
        (line,) = re.findall(rf"^  {key}  .*", page, re.MULTILINE)
        assert ("required" in line) is argument.required


def test_an_activation_is_explained_by_its_kind() -> None:
    for word in activations():
        page = pages.kind_page(word)
        assert page.startswith(f"{word} (act)\n")
        assert word in page.partition("Arguments")[2]


def test_a_page_shows_defaults_words_and_counts() -> None:
    page = pages.kind_page("conv")
    assert "  conv: [out, kernel, stride]\n  conv: {out: …, kernel: …, …}\n" in page
    assert re.search(r"^  stride +1 +Step s", page, re.MULTILINE)
    assert "\n  conv: {out: 8, kernel: 3}\n      [3, 32, 32] → [8, 30, 30]; 224 params, 194,400 multiplies\n" in page
    assert "One of nearest, linear, bilinear," in " ".join(pages.kind_page("upsample").split())


def test_forms_of_joins() -> None:
    assert "\n  concat: [item, item, …]\n  concat: {axis: …, branches: [item, …]}\n" in pages.kind_page("concat")
    assert "\n  matmul: [item, item]\n" in pages.kind_page("matmul")


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_that_is_written_alone_can_be(kind: str) -> None:
    forms = pages.kind_page(kind).partition("Written\n")[2].partition("\n\n")[0].split("\n")
    if f"  {kind}" in forms:
        open_source(Source("alone.yaml", f"input: [4, 8]\nlayers: [{kind}]\n"))


def test_the_examples_of_seq_are_right() -> None:
    for example in pages.SEQ_EXAMPLES:
        assert example in pages.kind_page("seq")
        open_source(Source("seq.yaml", f"input: [64, 8, 8]\nlayers:\n  - {example}\n"))


@pytest.mark.parametrize("width", [20, 40, 60, 120])
def test_pages_of_any_width(width: int) -> None:
    for kind in kinds():
        body = pages.kind_page(kind, width).partition("Formula\n")[2].partition("\n\n")[0].splitlines()
        assert all(len(line) <= width or " " not in line.strip() for line in body)


def test_indented_text_keeps_its_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    codes = 'CC999: {title: Gone, text: "Some\\nwords.\\n\\n  a:\\n    b\\n\\nMore.", wrong: "a\\n  b\\n"}\n'
    (tmp_path / "codes.yaml").write_text(codes)
    monkeypatch.setattr(pages, "CODES", str(tmp_path / "codes.yaml"))
    pages._codes.cache_clear()
    try:
        assert pages.error_codes() == ("CC999",)
        assert pages.error_page("CC999") == (
            "CC999: Gone\n\n  Some words.\n\n    a:\n      b\n\n  More.\n\nWrong\n  a\n    b\n"
        )
    finally:
        pages._codes.cache_clear()


def test_the_table_of_ops() -> None:
    head, rule, *rows = pages.ops_table().splitlines()
    assert head.count("|") == rule.count("|") == 4
    assert [row.split("`")[1] for row in rows] == list(kinds())
    assert {row.count("|") for row in rows} == {4}
    (conv,) = (row for row in rows if row.startswith("| `conv` |"))
    assert (
        "`(out, kernel, stride=1), padding=0, dilation=1, groups=1, bias=true, weight_sharing=none, norm, act`" in conv
    )
