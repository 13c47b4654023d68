"""``explain``: pages of kinds, activations and error codes; and the pages themselves."""

from __future__ import annotations

import re
import textwrap
from itertools import chain
from pathlib import Path

import pytest

import convcalc
from convcalc import profiles
from convcalc.cli.commands.report import COLUMNS, TOTAL_ONLY
from convcalc.designs.sources import open_source
from convcalc.devices.roofline import device_names
from convcalc.errors import Source
from convcalc.guide import pages, topics
from convcalc.metrics.metric import Metric
from convcalc.ops.docs import read_docs
from convcalc.ops.op import arguments_of
from convcalc.ops.registry import activation_names, kinds, load_all
from convcalc.spec.document import foreign_names as foreign
from tests import tables
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


@pytest.mark.parametrize(
    "pair", ["CONV conv", "MACs macs", "FVCore fvcore", "RoPE rope", "SqueezeExcite se", "fc dense"]
)
def test_capitals_and_signs_do_not_matter(cli: Command, pair: str) -> None:
    one, other = (cli("explain", word).stdout.partition("\n\n")[2] for word in pair.split())
    assert one == other != ""


# --- what is not a kind -----------------------------------------------------------------------------------------------

METRICS = ("Unit", "Formula", "Not", "Called")


@pytest.mark.parametrize("metric", [*COLUMNS, *TOTAL_ONLY])
def test_every_metric_has_a_page_with_examples_that_run(cli: Command, metric: str) -> None:
    page = cli("explain", metric).stdout
    assert re.match(rf"{metric}( \(\w+\))?: \S", page)
    assert [heading for heading in METRICS if f"\n{heading}\n  " not in page] == []
    words = {"DESIGN": "zoo:lenet", "[PATH]": "", "NAME": "v100-sxm2"}
    for line in page.partition("\nExamples\n  convcalc ")[2].split("\n  convcalc "):
        result = cli(*" ".join(words.get(word, word) for word in line.split()).split())
        assert (result.exit_code, result.stderr) == (0, "")


def test_a_metric_may_be_documented_by_its_formula_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def documented() -> None:
        """Σ of something."""

    def bare() -> None: ...

    measure = Metric("work", "Work", "operations", "some work", 1)
    known = {"work": (measure, documented), "idle": (measure, bare)}
    monkeypatch.setattr(topics, "_metrics", lambda: known)
    pages_of = [topics.find_pages(key)[0](80) for key in known]
    assert [heading in page for page in pages_of for heading in ("Σ of something", "Not", "Called")] == [
        True, False, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("profile", profiles.profile_keys())
def test_every_profile_has_a_page(cli: Command, profile: str) -> None:
    page = " ".join(cli("explain", profile).stdout.split())
    found = profiles.find_profile(profile)
    assert page.startswith(f"{profile}: {found.tool} {found.counts} Unit {found.unit} ")
    assert found.source in page


def test_a_metric_names_the_tools_that_count_it(cli: Command) -> None:
    """Every tool is on one page: as FLOPs, as multiplies or as activations."""
    pages = [cli("explain", metric).stdout.partition("Tools")[2] for metric in ("macs", "flops", "activations")]
    named = [re.findall(r"^  (\w+)  +\S", page, re.MULTILINE) for page in pages]
    assert sorted(chain(*named)) == sorted(profiles.profile_keys())
    assert ("fvcore" in named[0], "torch" in named[1], "timm_macts" in named[2]) == (True, True, True)


@pytest.mark.parametrize("words", [("macs",), ("fvcore",), ("rope",), ("receptive_field",), ()])
def test_pages_of_words_fit(cli: Command, words: tuple[str, ...]) -> None:
    for width in (60, 80):
        text = cli("--width", str(width), "explain", *words).stdout
        prose = text.partition("\nWritten\n")[0].partition("\nTools and")[0]
        assert [line for line in prose.splitlines() if len(line) > width] == []


def test_a_device_has_a_page(cli: Command) -> None:
    """312e12 operations a second over 2039e9 bytes a second are 153.02 a byte."""
    page = cli("explain", "a100-sxm-80gb").stdout
    assert re.search(r"^  float16 +312 T a second +153 FLOPs a byte$", page, re.MULTILINE)
    assert "2.039 TB a second" in page
    for name in device_names():
        assert cli("explain", name).stdout.startswith(f"{name}: NVIDIA ")


ENTRIES = {entry.name: entry for entry in foreign.names().pages.values()}
COUNTED = {
    "residual": (2 * (64 * 64 * 9 + 2 * 64), 2 * 64 * 64 * 9 * 56 * 56),
    "bottleneck": (2 * (256 * 64 + 128 + 64 * 64 * 9 + 128 + 64 * 256 + 512), 2 * (2 * 256 * 64 + 64 * 64 * 9) * 56**2),
    "depthwise": (2 * (32 * 9 + 32), 2 * 32 * 9 * 112 * 112),
    "squeeze-and-excitation": (64 * 16 + 16 + 16 * 64 + 64, 2 * 64 * 16),
    "patch-embedding": (3 * 256 * 768 + 768, 3 * 256 * 768 * 196),
    "swiglu": (3 * 4096 * 11008, 2048 * 3 * 4096 * 11008),
    "gqa": (2 * 4096**2 + 2 * 4096 * 1024, 2048 * (2 * 4096**2 + 2 * 4096 * 1024) + 2 * 2048**2 * 4096),
    "rope": (4 * 4096**2, 2048 * 4 * 4096**2 + 2 * 2048**2 * 4096),
    "lora": (4096**2 + 2 * 8 * 4096, 2048 * (4096**2 + 2 * 8 * 4096)),
    "mixture-of-experts": (1024 * 8 + 8 * 2 * 1024 * 4096, 2048 * (1024 * 8 + 2 * 2 * 1024 * 4096)),
    "weight-tying": (50257 * 768, 128 * 50257 * 768),
}
"""Parameters and multiplies of the specs on the pages, by hand."""


@pytest.mark.parametrize("name", ENTRIES)
def test_the_spec_of_a_word_is_read_and_counted(cli: Command, name: str) -> None:
    page = cli("explain", name).stdout
    shown = textwrap.dedent(page.partition("\nWritten\n")[2].partition("\n\nCounts\n")[0])
    assert yaml_of(shown) == yaml_of(ENTRIES[name].spec)
    network = convcalc.load(text=shown)
    report = network.report()
    assert report.warnings == ()
    totals = [report.totals[key] for key in ("params", "macs")]
    assert f"; {totals[0]:,} params, {totals[1]:,} multiplies\n" in page
    assert tuple(totals) == COUNTED.get(name, tuple(totals))
    assert set(page.rpartition("Kinds\n")[2].replace(",", " ").split()) == {row.op for row in report.rows}


def yaml_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_every_counted_word_is_there() -> None:
    assert COUNTED.keys() <= ENTRIES.keys()


@pytest.mark.parametrize(
    "word",
    ["rope", "residual", "bottleneck", "depthwise", "squeeze-and-excitation", "flops", "gqa", "swiglu",
     "patch embedding", "skip connection", "squeeze and excitation", "mixture of experts",
     "pixel shuffle", "BatchNorm2d", "global-average-pooling", "madds", "einsum"],
)  # fmt: skip
def test_words_of_the_field_however_they_are_written(cli: Command, word: str) -> None:
    result = cli("explain", *word.split())
    assert (result.exit_code, result.stderr) == (0, "")
    assert cli("explain", word).stdout == result.stdout


def test_a_word_that_is_said_otherwise_shows_that_page(cli: Command) -> None:
    page = cli("explain", "batchnorm").stdout
    assert page.startswith("batchnorm is written 'norm: batch' here.\n\n")
    assert page.endswith(pages.kind_page("norm"))


def test_one_word_may_be_two_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "device_names", lambda: ("add",))
    monkeypatch.setattr(topics, "_device_page", lambda key, _: f"the device {key}")
    assert [page(80) for page in topics.find_pages("add")] == [pages.kind_page("add"), "the device add"]


def test_without_an_argument_all_words_are_listed(cli: Command) -> None:
    listed = cli("explain").stdout
    assert [line for line in listed.splitlines() if len(line) > 80] == []
    found = set(listed.replace(",", " ").split())
    assert {
        *pages.kind_words(),
        *pages.error_codes(),
        *profiles.profile_keys(),
        *device_names(),
        *ENTRIES,
        "macs",
    } <= found


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("resdual", "residual"), ("fvcoer", "fvcore"), ("maccs", "macs"), ("a100", "a100-sxm-80gb"), ("convv", "conv"),
     ("squeeze and exitation", "squeeze-and-excitation"), ("macs zoo:resnet50", "macs"), ("convv stem", "conv"),
     ("CC4044", "CC404"), ("swigluu", "swiglu"), ("peak_activation_byte", "peak_activation_bytes")],
)  # fmt: skip
def test_a_wrong_word_is_told_the_nearest(cli: Command, wrong: str, meant: str) -> None:
    result = cli("explain", *wrong.split())
    assert result.exit_code == 2
    assert f"did you mean '{meant}'?" in " ".join(result.stderr.split())


def test_a_design_is_followed_by_one_path(cli: Command) -> None:
    result = cli("explain", "zoo:lenet", "conv1", "conv2")
    assert (result.exit_code, "one PATH, not by 'conv1 conv2'" in result.stderr) == (2, True)


def test_a_word_that_is_near_nothing(cli: Command) -> None:
    result = cli("explain", "xyzzy")
    assert (result.exit_code, "`convcalc explain` lists the words" in result.stderr) == (2, True)


def test_pages_are_text(cli: Command) -> None:
    for words in (("macs",), ()):
        result = cli("explain", *words, "--json")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "other formats are for designs" in result.stderr


@pytest.mark.parametrize("kind", kinds())
def test_a_page_says_all_that_the_op_says(kind: str) -> None:
    page, op = pages.kind_page(kind), load_all()[kind]
    assert [heading for heading in HEADINGS if f"\n{heading}\n  " not in page] == []
    flat = " ".join(page.split())
    assert [text for text in read_docs(op).arguments.values() if text not in flat] == []
    for key, argument in arguments_of(op).items():
        (line,) = re.findall(rf"^  {key}  .*", page, re.MULTILINE)
        assert ("required" in line) is argument.required


def test_an_activation_is_explained_by_its_kind() -> None:
    for word in activation_names():
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
    pages.code_entries.cache_clear()
    try:
        assert pages.error_codes() == ("CC999",)
        assert pages.error_page("CC999") == (
            "CC999: Gone\n\n  Some words.\n\n    a:\n      b\n\n  More.\n\nWrong\n  a\n    b\n"
        )
    finally:
        pages.code_entries.cache_clear()


def test_the_table_of_ops() -> None:
    head, rule, *rows = tables.ops_table().splitlines()
    assert head.count("|") == rule.count("|") == 4
    assert [row.split("`")[1] for row in rows] == list(kinds())
    assert {row.count("|") for row in rows} == {4}
    (conv,) = (row for row in rows if row.startswith("| `conv` |"))
    assert (
        "`(out, kernel, stride=1), padding=0, dilation=1, groups=1, bias=true, weight_sharing=none, norm, act`" in conv
    )
