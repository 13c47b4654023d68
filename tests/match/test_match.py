"""What two networks differ in: layers, blocks, order, inputs, weights that are shared, and what is no difference."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import convcalc
from convcalc.designs.sources import Network
from convcalc.graph.graph import Graph
from convcalc.match.match import Match, match
from convcalc.report.report import LayerRow
from tests.zoo.layerwise import SPECS
from tests.zoo.test_mutations import NARROWEST, STEP, WIDTHS, changed, numbers, opened

ZOO = sorted((SPECS / "zoo").glob("*.yaml"))
HEAD = "input: [8, 16, 16]\nlayers:\n"


def graph(layers: str, head: str = HEAD) -> Graph:
    return convcalc.load(text=head + "".join(f"  - {line}\n" for line in layers.strip().split("\n"))).graph


def matched(one: str, two: str, **options: object) -> Match:
    return match(("one", "two"), (graph(one), graph(two)), **options)  # type: ignore[arg-type]


def told(found: Match) -> list[tuple[str, tuple[str, ...], list[str], list[str]]]:
    """Kind, names, and the paths of each difference on both sides."""
    return [(each.kind, each.names, paths(each.first), paths(each.second)) for each in found.differences]


def paths(layers: tuple[object, ...]) -> list[str]:
    return [layer.path for layer in layers]  # type: ignore[attr-defined]


# --- every mutation of the zoo ----------------------------------------------------------------------------------------


def networks(path: Path, text: str) -> list[Network]:
    spec = opened(path, text)
    return [spec.expand(variant) for variant in spec.variants]


def facts(row: LayerRow) -> object:
    """But for a window as wide as all tokens, which hides nothing: it may be any such."""
    tokens = row.output_shape[-2:][0] + (row.attributes.get("past") or 0) if "window" in row.attributes else 0
    given = [(name, value) for name, value in row.attributes.items() if name != "window" or value < tokens]
    return row.op, row.output_shape, row.values, given


@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
def test_a_mutation_is_found_and_named(path: Path) -> None:
    """And only layers are named whose numbers changed."""
    text = path.read_text("utf-8")
    places = list(numbers(text, WIDTHS, NARROWEST))
    random.Random(f"match {path.stem}").shuffle(places)
    right = [(network.graph, network.report().rows) for network in networks(path, text)]
    for place in places[:2]:
        try:
            wrong = [(network.graph, network.report().rows) for network in networks(path, changed(text, place, STEP))]
        except convcalc.SpecErrors:
            continue
        for (one, old), (two, new) in zip(right, wrong, strict=True):
            found = match(("right", "wrong"), (one, two))
            unlike = [before.path for before, after in zip(old, new, strict=False) if facts(before) != facts(after)]
            assert found.is_equal is (not unlike and len(old) == len(new))
            if len(old) == len(new) and not found.is_equal:
                named = [layer for difference in found.differences for layer in difference.first]
                assert all({node.path for node in layer.nodes} & set(unlike) for layer in named)


# --- what differs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "names"),
    [
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 5}", ("kernel",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 3, stride: 2}", ("stride",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 3, padding: [[0, 1], [0, 0]]}", ("padding",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 3, dilation: 2}", ("dilation",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 3, groups: 2}", ("groups",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 9, kernel: 3}", ("out",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 3, bias: false}", ("bias",)),
        ("conv: {out: 8, kernel: 3}", "conv: {out: 8, kernel: 3, weight_sharing: channels}", ("params",)),
        ("deconv: {out: 8, kernel: 3, stride: 2}", "deconv: {out: 8, kernel: 3, stride: 2, output_padding: 1}",
         ("output_padding",)),
        ("linear: {out: 8, axis: -1}", "linear: {out: 8, axis: -1, bias: false}", ("bias",)),
        ("relu", "gelu", ("type",)),
        ("norm: batch", "norm: {type: batch, bias: false}", ("bias",)),
        ("norm: {type: group, groups: 2}", "norm: {type: group, groups: 4}", ("groups",)),
        ("act: prelu", "act: {type: prelu, slopes: 1}", ("params",)),
    ],
)  # fmt: skip
def test_a_setting_is_named(one: str, two: str, names: tuple[str, ...]) -> None:
    (difference,) = matched(one, two).differences
    assert (difference.kind, difference.names) == ("changed", names)


@pytest.mark.parametrize(
    ("one", "two", "names"),
    [
        ("lstm: 8", "lstm: 9", ("hidden",)),
        ("lstm: 8", "lstm: {hidden: 8, bidirectional: true}", ("bidirectional",)),
        ("attention: 2", "attention: 4", ("heads",)),
        ("attention: 2", "attention: {heads: 2, dim: 16}", ("out",)),
        ("attention: 2", "attention: {heads: 2, bias: false}", ("bias",)),
        ("attention: {heads: 2, mask: causal}", "attention: {heads: 2, mask: causal, window: 5}", ("window",)),
        ("attention: {heads: 2, mask: causal}", "attention: {heads: 2, mask: causal, past: 3}", ("past",)),
        ("attention: {heads: 2, mask: causal}\nattention: {heads: 2, mask: causal}",
         "attention: {heads: 2, mask: causal}\nattention: 2", ("mask",)),
        ("sdpa: {mask: causal, past: 3, branches: [identity, identity, identity]}",
         "sdpa: {mask: causal, branches: [identity, identity, identity]}", ("past",)),
        ("experts: {count: 8, width: 4}", "experts: {count: 8, width: 4, top: 2}", ("top",)),
    ],
)  # fmt: skip
def test_a_setting_of_a_sequence_is_named(one: str, two: str, names: tuple[str, ...]) -> None:
    head = "input: [6, 8]\nlayers:\n"
    (difference,) = match(("one", "two"), (graph(one, head), graph(two, head))).differences
    assert (difference.kind, difference.names) == ("changed", names)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("attention: {heads: 2, mask: causal}", "attention: {heads: 2, mask: causal, window: 6}"),  # of 6 tokens
        ("attention: {heads: 2, mask: causal, window: 8}", "attention: {heads: 2, mask: causal, window: 7}"),
        ("attention: {heads: 2, mask: causal}", "attention: 2"),  # which may have it as a tensor
    ],
)
def test_masks_that_hide_the_same_or_are_not_known_are_equal(one: str, two: str) -> None:
    head = "input: [6, 8]\nlayers:\n"
    assert match(("one", "two"), (graph(one, head), graph(two, head))).is_equal


BY_HAND = """\
seq: [{linear: 8, name: q}, {linear: 8, name: k, from: input}, {linear: 8, name: v, from: input}]
matmul: [{from: q}, {from: k, permute: [1, 0]}]
softmax
matmul: [identity, {from: v}]
linear: 8"""
TENSOR = "sdpa: {branches: [identity, identity, identity, {param: [6, 6]}]}"


@pytest.mark.parametrize(
    ("one", "two", "names", "unknown"),
    [
        ("attention: {heads: 2, mask: causal}", "attention: 2", [("mask",)], ""),
        ("attention: {heads: 2, mask: causal, window: 2}", "attention: 2", [("mask", "window")], ""),
        ("attention: 2", "sdpa: {branches: [identity, identity, identity]}", None, ""),
        ("attention: {heads: 1, mask: causal}", BY_HAND, [], "two"),
        ("sdpa: {mask: causal, branches: [identity, identity, identity]}", TENSOR, [], "two"),
        (TENSOR, "sdpa: {mask: causal, branches: [identity, identity, identity]}", [], "one"),
        ("linear: 8", "linear: 9", [("out",)], ""),
    ],
)
def test_specs_state_their_masks(one: str, two: str, names: list[tuple[str, ...]] | None, unknown: str) -> None:
    """A spec whose attention could have a mask has none; products written out, or a tensor, may be one."""
    head = "input: [6, 8]\nlayers:\n"
    found = match(("one", "two"), (graph(one, head), graph(two, head)), specs=True)
    assert found.masks_unknown == unknown
    if names is not None:
        changed = [each.names for each in found.differences if each.kind == "changed"]
        assert changed == names


@pytest.mark.parametrize(
    ("count", "of", "width", "names"), [(3, 8, 4, ("count",)), (2, 9, 4, ("count", "of")), (2, 8, 5, ("params",))]
)
def test_experts_that_do_not_run_are_compared(count: int, of: int, width: int, names: tuple[str, ...]) -> None:
    layers = "add: [{each: %d, of: %d, name: expert, seq: [linear: %d, linear: 8]}]"
    head = "input: [6, 8]\nlayers:\n"
    one, two = graph(layers % (2, 8, 4), head), graph(layers % (count, of, width), head)
    assert match(("one", "two"), (one, one)).is_equal
    found = match(("one", "two"), (one, two)).differences
    (idle,) = (difference for difference in found if paths(difference.first) == ["expert.idle"])
    assert (idle.kind, idle.names) == ("changed", names)


def test_consequences_are_counted_and_not_listed() -> None:
    layers = "conv: {out: %d, kernel: 3, norm: batch, act: relu}\nconv: [4, 3]\nconv: [4, 3]"
    found = matched(layers % 8, layers % 9)
    (difference,) = found.differences
    assert (difference.names, difference.consequences, found.in_size_alone, found.equal) == (("out",), 3, 3, 1)


def test_a_change_of_a_pool_is_the_cause() -> None:
    layers = "conv: [8, 3]\n{maxpool: %d, name: pool}\nconv: [8, 1]\nconv: [8, 1]"
    (difference,) = matched(layers % 2, layers % 3).differences
    assert (difference.names, paths(difference.first), difference.consequences) == (("input",), ["conv2"], 1)
    assert [[node.path for node in nodes] for nodes in difference.nodes] == [["pool"], ["pool"]]


def test_a_change_behind_a_pool_follows_from_one_before_it() -> None:
    layers = "conv: {out: 8, kernel: 3, stride: %d}\nmaxpool: 2\nconv: [8, 1]"
    (difference,) = matched(layers % 1, layers % 2).differences
    assert (difference.names, difference.consequences) == (("stride",), 1)


def test_the_input_is_the_cause() -> None:
    layers = "conv: [8, 3]\nconv: [8, 3]"
    graphs = (graph(layers), graph(layers, "input: [8, 20, 20]\nlayers:\n"))
    (difference,) = match(("one", "two"), graphs).differences
    assert (difference.kind, difference.consequences) == ("input", 2)


def test_the_output_differs_where_no_layer_does() -> None:
    layers = "conv: [8, 3]\nmaxpool: %d"
    (difference,) = matched(layers % 2, layers % 7).differences
    assert difference.kind == "output"


def blocks(count: int) -> str:
    return (
        f"{{repeat: {count}, name: stage, seq: [conv: {{out: 8, kernel: 3, padding: half, act: relu}}, conv: [8, 1]]}}"
    )


def test_blocks_that_one_side_has_more_are_one_difference() -> None:
    (difference,) = matched(blocks(2), blocks(5)).differences
    assert (difference.kind, difference.first, len(difference.second)) == ("added", (), 9)
    assert {path.split(".")[0] for path in paths(difference.second)} == {"stage3", "stage4", "stage5"}
    (difference,) = matched(blocks(5), blocks(2)).differences
    assert (difference.kind, len(difference.first), difference.second) == ("missing", 9, ())


def test_whole_blocks_are_named_beside_another_difference() -> None:
    found = matched("{conv: [8, 3, 1], name: stem}\n" + blocks(3), "{conv: [8, 3, 2], name: stem}\n" + blocks(2))
    changed_one, missing = found.differences
    assert (changed_one.names, paths(changed_one.first)) == (("stride",), ["stem"])
    assert len({path.split(".")[0] for path in paths(missing.first)}) == 1
    assert (missing.kind, len(missing.first)) == ("missing", 3)


def test_the_same_difference_at_several_places_is_one() -> None:
    (difference,) = matched(blocks(3), blocks(3).replace("relu", "gelu")).differences
    assert paths(difference.first) == [f"stage{number}.conv1.act" for number in (1, 2, 3)]
    assert paths(difference.second) == paths(difference.first)


def test_another_order_is_a_difference() -> None:
    found = matched("conv: [8, 1]\nrelu\nnorm: batch", "conv: [8, 1]\nnorm: batch\nrelu")
    assert not found.is_equal
    assert sum(len(each.first) + len(each.second) for each in found.differences) == 2


# --- what is no difference --------------------------------------------------------------------------------------------


def test_the_order_of_branches_is_none() -> None:
    one, two = "[conv: [8, 1], relu]", "{conv: {out: 8, kernel: 3, padding: half}}"
    assert matched(f"add: [{one}, {two}]", f"add: [{two}, {one}]").is_equal
    assert not matched(f"add: [{one}, {two}]", f"add: [{two}, {two}]").is_equal


def test_a_grouped_and_a_depthwise_convolution_are_the_same() -> None:
    assert matched("conv: {out: 16, kernel: 3, groups: 8}", "dwconv: {kernel: 3, multiplier: 2}").is_equal


def test_cells_that_a_layer_before_adds_are_padding() -> None:
    padded = "conv: {out: 4, kernel: 3, stride: 2, padding: [[0, 1], [0, 1]]}"
    valid = "conv: {out: 4, kernel: 3, stride: 2}"
    assert matched(padded, f"pad: [[0, 1], [0, 1]]\n{valid}").is_equal
    (difference,) = matched(padded, f"pad: [[1, 0], [0, 1]]\n{valid}").differences
    assert difference.names == ("padding",)


def test_windows_may_be_rows() -> None:
    linear = "{linear: {out: 24, axis: -1}, name: mixed}"
    one = f"permute: [1, 2, 0]\n{linear}"
    assert matched(one, f"permute: [1, 2, 0]\nreshape: [256, 8]\n{linear}").is_equal


ONE = "attention: {heads: 2, bias: %s}"
PARTS = """\
{linear: {out: 8, bias: %(bias)s}, name: q}
{linear: {out: 8, bias: %(bias)s}, name: k, from: input}
{linear: {out: 8, bias: %(bias)s}, name: v, from: input}
{reshape: [%(tokens)s, %(heads)d, -1], name: q1, from: q}
{permute: [1, 0, 2], name: q2}
{reshape: [%(tokens)s, %(heads)d, -1], name: k1, from: k}
{permute: [1, 2, 0], name: k2}
{reshape: [%(tokens)s, %(heads)d, -1], name: v1, from: v}
{permute: [1, 0, 2], name: v2}
{matmul: [{from: q2}, {from: k2}], name: scores}
softmax
{matmul: [identity, {from: v2}], name: context}
permute: [1, 0, 2]
reshape: [%(tokens)s, 8]
{linear: {out: 8, bias: %(bias)s}, name: o}"""
TOKENS = "input: [6, 8]\nlayers:\n"


@pytest.mark.parametrize("bias", ["true", "false"])
def test_products_around_a_softmax_are_one_attention(bias: str) -> None:
    parts = graph(PARTS % {"bias": bias, "heads": 2, "tokens": 6}, TOKENS)
    found = match(("one", "two"), (graph(ONE % bias, TOKENS), parts))
    assert found.is_equal
    assert (found.first.layers, found.second.layers) == (1, 1)
    assert found.first.params == found.second.params == 4 * 8 * 8 + (32 if bias == "true" else 0)
    assert found.first.multiplies == found.second.multiplies == 4 * 6 * 8 * 8 + 2 * 6 * 6 * 8


def test_the_heads_of_an_attention_in_parts_are_compared() -> None:
    parts = graph(PARTS % {"bias": "true", "heads": 4, "tokens": 6}, TOKENS)
    (difference,) = match(("one", "two"), (graph(ONE % "true", TOKENS), parts)).differences
    assert (difference.kind, difference.names) == ("changed", ("heads",))


def test_sdpa_is_the_products() -> None:
    written = PARTS.replace("permute: [1, 2, 0], name: k2", "permute: [1, 0, 2], name: k2").split("\n")
    written[9:12] = ["{sdpa: [{from: q2}, {from: k2}, {from: v2}], name: context}"]
    parts = graph("\n".join(written) % {"bias": "true", "heads": 2, "tokens": 6}, TOKENS)
    assert match(("one", "two"), (graph(ONE % "true", TOKENS), parts)).is_equal


def test_a_linear_layer_that_others_read_too_is_no_part_of_an_attention() -> None:
    parts = PARTS % {"bias": "true", "heads": 2, "tokens": 6} + "\nadd: [identity, {from: q}]"
    found = match(("one", "two"), (graph(parts, TOKENS), graph(ONE % "true", TOKENS)))
    assert not found.is_equal


def test_recurrent_layers_on_each_other_are_one_of_several_layers() -> None:
    one, head = "lstm: {hidden: 4, bidirectional: true", "input: [5, 3]\nlayers:\n"
    stack = graph(f"{{{one}, layers: 3}}}}\nlinear: 2\n", head)
    assert match(("a", "b"), (stack, graph(f"{{{one}}}}}\n" * 3 + "linear: 2\n", head))).is_equal
    assert match(("a", "b"), (graph(f"{{{one}, layers: 2}}}}\n{{{one}}}}}\nlinear: 2\n", head), stack)).is_equal
    for other in (f"{{{one}}}}}\n" * 2, f"{{{one}}}}}\n" * 2 + "tanh\n" + f"{{{one}}}}}\n"):
        assert not match(("a", "b"), (stack, graph(f"{other}linear: 2\n", head))).is_equal


def test_norm_and_act_may_be_ignored() -> None:
    one, two = (
        "conv: {out: 8, kernel: 3, bias: false, norm: batch, act: relu}",
        "conv: {out: 8, kernel: 3, bias: false}",
    )
    assert not matched(one, two, ignored=("norm",)).is_equal
    assert not matched(one, two, ignored=("act",)).is_equal
    assert matched(one, two, ignored=("norm", "act")).is_equal


# --- names, parameters, weights that are shared -----------------------------------------------------------------------


def test_names_are_compared_on_demand() -> None:
    one, two = "{conv: [8, 3], name: a}\nrelu", "{conv: [8, 3], name: b}\nrelu"
    assert matched(one, two).is_equal
    assert told(matched(one, two, by_name=True)) == [("name", (), ["a"], ["b"])]
    assert matched(one, one, by_name=True).is_equal


def test_parameters_without_multiplies_are_compared() -> None:
    one = "add: [identity, {param: [8, 1, 1], name: shift}]\nconv: [8, 1]"
    assert matched(one, one).is_equal
    assert told(matched(one, "conv: [8, 1]")) == [("missing", (), ["shift"], [])]
    (difference,) = matched(one, one.replace("[8, 1, 1]", "[1, 1, 1]")).differences
    assert (difference.kind, difference.names) == ("changed", ("params",))


def test_where_parameters_are_in_the_order_is_no_difference() -> None:
    one, two = "{param: [8, 1, 1], name: early}", "{conv: [8, 1], name: c}"
    assert matched(f"add: [{one}, [{two}]]", f"add: [[{two}], {one}]").is_equal


OWN = "{repeat: 2, seq: [conv: {out: 8, kernel: 3, padding: half}]}"
TIED = OWN.replace("seq", "tie: true, seq")


def test_weights_that_are_shared_are_compared() -> None:
    assert matched(TIED, TIED).is_equal
    for one, two, side in ((TIED, OWN, "first"), (OWN, TIED, "second")):
        (difference,) = matched(one, two).differences
        assert (difference.kind, difference.names, len(difference.first)) == ("tie", (side,), 2)


def test_totals_count_shared_weights_once() -> None:
    found = matched(TIED, OWN)
    weights = 8 * 8 * 9 + 8
    assert (found.first.params, found.second.params) == (weights, 2 * weights)


# --- norms that are folded --------------------------------------------------------------------------------------------

NORMED = "conv: {out: 8, kernel: 3, norm: batch}\nrelu\nconv: {out: 4, kernel: 1, norm: batch}"
FOLDED = "conv: {out: 8, kernel: 3}\nrelu\nconv: {out: 4, kernel: 1}"


def test_norms_that_are_folded_are_two_differences() -> None:
    biases, norms = matched(NORMED, FOLDED).differences
    assert (biases.names, paths(biases.first)) == (("bias",), ["conv1", "conv2"])
    assert (norms.kind, paths(norms.first)) == ("missing", ["conv1.norm", "conv2.norm"])


def test_norms_that_are_folded_are_none_where_norms_are_ignored() -> None:
    assert matched(NORMED, FOLDED, ignored=("norm",)).is_equal
    assert matched(NORMED, FOLDED.replace("}", ", bias: false}"), ignored=("norm",)).is_equal
    assert not matched(NORMED, FOLDED.replace("3}", "3, bias: false}"), ignored=("norm",)).is_equal


def test_parameters_are_equal_whatever_a_source_calls_them() -> None:
    one = "add: [identity, {param: [8, 1, 1], name: shift}]\nconv: [8, 1]"
    two = one.replace("{param: [8, 1, 1], name: shift}", "[{custom: {out: [8, 1, 1], params: 8}, name: table}]")
    assert matched(one, two).is_equal
