"""Hints lead out: what is told is where the cause is, and the text with the hint in it is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import convcalc
from convcalc.errors import Source, SpecError
from convcalc.ops.kinds.norm import TYPES
from convcalc.ops.registry import activation_names, find_op, kinds
from convcalc.spec.document import foreign_names as foreign
from convcalc.spec.yaml.nodes import parse_yaml
from tests.bad_input.cases import errors_of


def wrong(text: str) -> list[SpecError]:
    return [error for error in errors_of(text) if error.severity == "error"]


def one(text: str) -> SpecError:
    (error,) = wrong(text)
    return error


# --- commas -----------------------------------------------------------------------------------------------------------

CALLS = ("min(8, 9)", "max(1, min(4, 3), 2)", "round_up(5, 8)", "make_divisible(2*(3 + 1), 4)", "min(8, 9) + 1")
PLACES = (
    "input: [3, 8, 8]\nlayers: [conv: {out: CALL, kernel: 1}]",
    "input: [3, 8, 8]\nlayers: [conv: {out: CALL, kernel: 1, bias: false}, relu]",
    "input: [3, 8, 8]\nlayers: [conv: {kernel: 1, out: CALL}]",
    "input: [3, 8, 8]\nlayers: [conv: [CALL, 1]]",
    "input: [3, 8, 8]\nlayers: [conv: [CALL, 1], relu]",
    "input: [3, 8, 8]\nlayers: [flatten, linear: CALL, relu]",
    "input: [3, 8, 8]\nlayers: [{conv: [8, 1], when: CALL > 1}]",
    "input: [3, 8, 8]\nlayers:\n  - {conv: [8, 1], repeat: CALL, name: x}",
    "input: [3, CALL, 8]\nlayers: [relu]",
    "input: {c: 3, h: CALL, w: 8}\nlayers: [relu]",
    "input: [3, 8, 8]\nvars: {c: CALL, d: 2}\nlayers: [conv: [c, d]]",
    "input: [3, 8, 8]\nvars: {c: [CALL, 2]}\nlayers: [conv: [c(0), 1]]",
    "input: [3, 8, 8]\ndefaults: {conv: {kernel: 1, out: CALL}}\nlayers: [conv]",
    "input: [3, 8, 8]\nblocks: {B: {params: {c: CALL}, layers: [conv: [c, 1]]}}\nlayers: [B]",
    "input: [3, 8, 8]\nblocks: {B: {params: {c}, layers: [conv: [c, 1]]}}\nlayers: [B: {c: CALL}]",
    "input: [3, 8, 8]\nlayers: [{repeat: {c: [CALL, 4]}, conv: [c, 1]}]",
    "input: [3, 8, 8]\nvars: {c: 2}\nvariants: {wide: {c: CALL}}\nlayers: [conv: [c, 1]]",
)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("place", PLACES)
def test_a_call_that_commas_cut_is_told_to_be_quoted(place: str, call: str) -> None:
    error = one(place.replace("CALL", call))
    assert error.code == "CC302"
    assert "a comma ends a value; quote the expression" in error.text
    found = re.fullmatch(r'write "(.*)"', error.hint)
    assert found
    written = found[1]
    assert call in written
    assert wrong(place.replace("CALL", call).replace(written, f'"{written}"')) == []


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        ("input: [3, 8, 8]\nlayers: [conv: 8, 3]", "conv: 8, 3", "conv: [8, 3]"),
        ("input: [3, 8, 8]\nlayers: [relu, conv: 8, 3, 1, relu]", "conv: 8, 3, 1", "conv: [8, 3, 1]"),
        ("input: [3, 8, 8]\nlayers:\n  - conv: {out: 8, kernel: 3, padding: 1, 2}", "padding: 1, 2", "padding: [1, 2]"),
        ("input: [3, 8, 8]\nlayers:\n  - conv: {out: 8, kernel: 3, 3, stride: 2}", "kernel: 3, 3", "kernel: [3, 3]"),
        ("input: [3, 8, 8]\nlayers:\n  - conv: {8, 3}", "{8, 3}", "[8, 3]"),
        ("input: [3, 8, 8]\nvars: {a: 1, 2}\nlayers: [conv: [a(0), 3]]", "a: 1, 2", "a: [1, 2]"),
        ("input: [3, 8, 8]\nblocks: {A: {params: {w, h}, layers: [conv: [w, h]]}}\nlayers: [A: 8, 3]",
         "A: 8, 3", "A: [8, 3]"),
    ],
)  # fmt: skip
def test_a_list_without_brackets_is_told_to_have_them(text: str, cut: str, whole: str) -> None:
    """One error for what is cut, with what is to be written; written, it is right."""
    (error,) = [error for error in wrong(text) if "list" in error.hint]
    assert error.hint == f"a comma ends a value; a list is written {whole}"
    assert text.count(cut) == 1
    assert wrong(text.replace(cut, whole)) == []


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("input: 3x8x8\nlayers: [relu]", "3x8x8"),
        ("input: [3, 8, 8]\nlayers: [conv: {out: 4, kernel: 3X3}]", "3X3"),
    ],
)
def test_sizes_with_an_x_between_are_a_list(text: str, cut: str) -> None:
    error = one(text)
    assert error.code == "CC303"
    assert error.hint == f"write [{', '.join(cut.lower().split('x'))}]"
    assert wrong(text.replace(cut, error.hint.removeprefix("write "))) == []


@pytest.mark.parametrize("written", ["3, 8, 8", "(3, 8, 8)", "3,8,8"])
def test_an_input_without_brackets(written: str) -> None:
    error = one(f"input: {written}\nlayers: [relu]")
    assert error.code == "CC301"
    assert error.hint.startswith("a list is written in [ ]: [3, 8, 8];")


REDUCED = """\
input: [16, 8, 8]
blocks:
  Gate:
    params: {PARAMS}
    layers:
      - JOIN: [identity, [conv: ["cin//4", 1], conv: [SIZE, 1]]]
layers: [Gate]
"""


@pytest.mark.parametrize("join", ["add", "mul"])
@pytest.mark.parametrize("size", ["cin", "2*cin"])
def test_cin_behind_a_reduction(join: str, size: str) -> None:
    text = REDUCED.replace("JOIN", join).replace("SIZE", size)
    error = one(text.replace("PARAMS", ""))
    assert error.code == "CC405"
    ((place, note),) = error.notes
    assert text.replace("PARAMS", "").splitlines()[place.line - 1][place.column - 1 :].startswith(size.strip('"'))
    assert "`cin` is the size of what enters this item, not the block" in note
    assert "`params: {c: cin}`" in error.hint
    assert wrong(text.replace("PARAMS", "c: cin").replace(f"[{size}, 1]", "[c, 1]")) == []


def test_other_joins_that_differ_do_not_blame_cin() -> None:
    for branch in ("[conv: [4, 1], conv: [8, 1]]", "[conv: [cin, 1], conv: [cin, 3]]", "[conv: [2*cin, 1]]"):
        error = one(f"input: [16, 8, 8]\nlayers: [add: [identity, {branch}]]")
        assert (error.code, error.notes, error.hint) == ("CC405", (), "")


def test_two_calls_in_one_mapping_are_told_one_by_one() -> None:
    """Their ends, ``9)``, are no duplicate keys."""
    text = "input: [3, 9, 9]\nlayers: [conv: {out: min(8, 9), kernel: 1, stride: max(1, 9)}]"
    for call in ("min(8, 9)", "max(1, 9)"):
        assert one(text).hint == f'write "{call}"'
        text = text.replace(call, f'"{call}"')
    assert wrong(text) == []


def test_other_errors_stay() -> None:
    first, second = wrong("input: [3, 8, 8]\nlayers: [conv: [min(8, 9), 3], conv: {out: 3x}]")
    assert (first.hint, second.code) == ('write "min(8, 9)"', "CC303")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input: [3, 8, 8]\nlayers: [conv: {out: a ? 3 : 4, kernel: 3}]", "write a if condition else b"),
        ("input: [3, 8, 8]\nlayers:\n  - conv:\n      out: a ? 3 : 4", "write a if condition else b"),
        ("input: [3, 8, 8]\nlayers:\n  - conv: {out: 8 # eight, kernel: 3}", "the line is a comment"),
        ("input: [3, 8, 8]\nlayers: [conv: [8, 3] #, relu]", "the line is a comment"),
        ("input: [3, 8, 8]\nvars: {a: [1], b: a[0]}\nlayers: [relu]", "quote it, or write shape(0)"),
    ],
)
def test_other_traps_of_flow_style(text: str, said: str) -> None:
    error = one(text)
    assert (error.code, said in f"{error.text} {error.hint}") == ("CC101", True)


# --- words of the field -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("conv2d", "conv"), ("Conv3d", "conv"), ("ConvTranspose2d", "deconv"), ("conv_transpose2d", "deconv"),
        ("BatchNorm2d", "norm: batch"), ("batch_norm", "norm: batch"), ("layernorm", "norm: layer"),
        ("dense", "linear"), ("fc", "linear"), ("AdaptiveAvgPool2d", "avgpool: global"), ("max_pool2d", "maxpool"),
        ("cat", "concat"), ("view", "reshape"), ("transpose", "permute"), ("MultiheadAttention", "attention"),
        ("bmm", "matmul"), ("PixelShuffle", "pixel_shuffle"), ("depth_to_space", "pixel_shuffle"),
        ("space_to_depth", "pixel_unshuffle"), ("Unfold", "unfold"), ("im2col", "unfold"), ("col2im", "fold"),
        ("scaled_dot_product_attention", "sdpa"), ("moe", "experts"), ("chunk", "split"), ("expand", "broadcast"),
        ("index_select", "gather"), ("mean", "reduce"), ("exp", "elementwise"),
        ("maxpol", "maxpool"), ("conv_", "conv"), ("upsampel", "upsample"), ("shufle", "shuffle"),
        ("chanel_shuffle", ""),
    ],
)  # fmt: skip
def test_words_of_frameworks_are_told_what_they_are_here(word: str, meant: str) -> None:
    error = one(f"input: [8, 8, 8]\nlayers: [{word}: 2]")
    assert error.code == "CC204"
    assert error.text.endswith(f"; did you mean '{meant}'?" if meant else f"'{word}'")


@pytest.mark.parametrize("word", ["grid_sample", "roi_align", "deform_conv2d", "mamba"])
def test_what_has_no_kind_is_taken_for_none(word: str) -> None:
    """A hint says how it is written instead."""
    for text in (
        f"input: [8, 8, 8]\nlayers: [{word}: 2]",
        f"input: [8, 8, 8]\ndefaults: {{{word}: {{}}}}\nlayers: [relu]",
    ):
        error = one(text)
        assert (error.code, "did you mean" in error.text) == ("CC204", False)
        assert error.hint


def test_what_is_said_instead_exists() -> None:
    names = foreign.names()
    for word, said in [*names.said.items(), *((word, page.said) for word, page in names.pages.items())]:
        assert word not in {*kinds(), *activation_names(), "seq"}
        if foreign.is_kind(said):
            kind, _, type_ = said.partition(": ")
            assert kind == "seq" or find_op(kind) is not None
            assert type_ in ("", "global", *TYPES)
    assert not names.said.keys() & names.pages.keys()


def test_a_word_stands_once() -> None:
    """Of two lines that say something of one word, one would be lost."""
    parts = foreign._entries(parse_yaml(Source(foreign.NAMES, Path(foreign.NAMES).read_text("utf-8"))))
    pages = foreign._entries(parts["pages"])
    lists = [foreign._entries(page)["words"] for page in pages.values()]
    lists += [words for part in ("said", "metrics") for words in foreign._entries(parts[part]).values()]
    words = [*map(foreign.plain, pages), *(word for words in lists for word in foreign._words(words))]
    assert len(words) > 200
    assert len(set(words)) == len(words)
    assert [word for word in words if word != foreign.plain(word)] == []


def test_a_word_with_a_page_and_no_kind_is_sent_there() -> None:
    error = one("input: [3, 8, 8]\nlayers: [rope]")
    assert (error.code, "`convcalc explain rope`" in error.hint) == ("CC204", True)


# --- inputs, variants -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["conv: [8, 3]", "maxpool: 2", "avgpool: 2", "dwconv: 3", "deconv: [8, 3]"])
@pytest.mark.parametrize("first", ["", "relu, ", "dropout: 0.1, relu, "])
@pytest.mark.parametrize("written", ["3", "[3]", "n"])
def test_an_input_of_one_axis_is_named(layer: str, first: str, written: str) -> None:
    text = f"input: {written}\nvars: {{n: 3}}\nlayers: [{first}{layer}]"
    error = one(text)
    assert error.code == "CC401"
    ((place, said),) = error.notes
    assert (place.line, place.column, said) == (1, 8, "the input has the shape [3]")
    assert "input: [3, H, W]" in error.hint


def test_an_input_that_was_right_for_another_layer_is_not_blamed() -> None:
    error = one("input: 784\nlayers: [linear: 8, conv: [3, 3]]")
    assert (error.code, error.notes, error.hint) == ("CC401", (), "")


def test_the_input_that_is_read_is_named() -> None:
    error = one("inputs: {a: [3, 8, 8], b: 5}\nlayers: [{conv: [8, 3], from: b}]")
    ((place, _),) = error.notes
    assert (place.column, "b: [5, H, W]" in error.hint) == (27, True)


def test_variants_of_claims_are_suggested() -> None:
    text = (
        "input: [3, 8, 8]\nvariants: {wide: {}, thin: {}}\nlayers: [relu]\nclaims: [{variant: wid, macs: 0, source: x}]"
    )
    error = one(text)
    assert error.text == "no variant 'wid'; did you mean 'wide'?"
    assert error.hint == "variants of this file: wide, thin"
    assert one(text.replace("wide: {}, thin: {}", "")).hint == "variants of this file: none"


@pytest.mark.parametrize(
    ("word", "axis"), [("height", "h"), ("W", "w"), ("channels", "c"), ("length", "l"), ("depth", "d")]
)
def test_axes_have_letters(word: str, axis: str) -> None:
    found = [error for error in wrong(f"input: {{c: 3, h: 8, {word}: 4}}\nlayers: [relu]") if error.code == "CC116"]
    assert [error.text for error in found] == [f"unknown axis '{word}'; did you mean '{axis}'?"]


@pytest.mark.parametrize("item", ["{repeat: min(2, 3), layers: [relu]}", "{repeat: min(2, 3), conv: [4, 3]}"])
def test_a_cut_call_that_shows_only_as_a_second_kind(item: str) -> None:
    (error,) = wrong(f"input: [3, 8, 8]\nlayers: [{item}]")
    assert (error.code, error.hint) == ("CC302", 'write "min(2, 3)"')


@pytest.mark.parametrize(("design", "near"), [("vgg@vgg16", "16"), ("vgg@vgg16bn", "16bn"), ("efficientnet@B3", "b3")])
def test_a_variant_with_the_name_of_its_network(design: str, near: str) -> None:
    with pytest.raises(convcalc.SpecErrors) as caught:
        convcalc.load(f"zoo:{design}")
    assert f"; did you mean '{near}'?" in caught.value.errors[0].text


# --- modifiers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modifier", ["name: x", "repeat: 2", "via: fused", "checkpoint: true", "from: input"])
@pytest.mark.parametrize(
    "kind",
    ["attention: {heads: 2}", "linear: {out: 8}", "sdpa: {branches: [identity, identity, identity]}", "B: {w: 8}"],
)
def test_a_modifier_among_arguments_belongs_beside_the_kind(kind: str, modifier: str) -> None:
    """What the hint shows is right, with the arguments in place of the dots."""
    head = "input: [6, 8]\nblocks: {B: {params: {w}, layers: [linear: w]}}\nlayers:\n  - "
    error = one(f"{head}{{{kind[:-1]}, {modifier}}}}}\n")
    name, _, given = kind.partition(": ")
    word, _, value = modifier.partition(": ")
    assert error.hint == f"`{word}` is written beside the kind: {{{name}: …, {word}: …}}"
    written = error.hint.partition("kind: ")[2].replace("…", given, 1).replace("…", value)
    if (name, word) != ("B", "via"):  # it is of a layer
        convcalc.load(text=head + written)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("attention: {heads: 2, mask: sliding}", "none, causal, local"),
        ("attention: {heads: 2, bias: [q, x]}", "q, k, v, o"),
    ],
)
def test_words_of_an_argument_are_listed(layer: str, words: str) -> None:
    error = one(f"input: [6, 8]\nlayers:\n  - {layer}\n")
    assert (error.code, error.hint) == ("CC201", f"words of this argument: {words}")
