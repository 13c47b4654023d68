"""Graphs that are no tree of branches: names, several inputs and outputs, shared weights; and random networks."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

import convcalc
from convcalc.errors import Source, SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph, LayerFacts
from convcalc.importers.builder import ModelBuilder
from convcalc.ops.make import make
from convcalc.recovery import _structured, recover, verify
from convcalc.recovery.reading import rewriting
from convcalc.recovery.reading.tree import in_order
from convcalc.shapes import Shape
from tests.fuzz.networks import Builder
from tests.recovery.recovered import lines, of_text, require_equal, require_fixed

HEAD = "input: [8, 16, 16]\n"
SPECS = {
    "skips": "layers:\n- {conv: [8, 3], name: a}\n- {conv: {out: 8, kernel: 3, padding: half}, name: b}\n"
    "- conv: {out: 8, kernel: 3, padding: half}\n- add: [identity, from: a]\n- add: [identity, from: b]",
    "crossed": "layers:\n- {conv: [8, 1], name: a}\n- {conv: [8, 1], name: b, from: input}\n"
    "- {add: [from: a, from: b], name: s}\n- {mul: [from: a, from: b], name: p}\n- add: [from: s, from: p]",
    "outputs": "layers:\n- {conv: [4, 1], name: a}\n- {conv: [2, 1], name: b}\n- {conv: [3, 1], name: c, from: a}\n"
    "outputs: [b, a, c]",
    "first_is_an_output": "layers: [{conv: [4, 1], name: a}, relu]\noutputs: [a, input]",
    "the_last_is_read_first": "layers:\n- {conv: [4, 1], name: a}\n- {conv: [8, 1], name: b}\n"
    "- add: [identity, [{from: a}, conv: [8, 1]]]",
    "unread": "layers: [{conv: [4, 1], name: a}, {conv: [5, 1], name: dead}, {conv: [6, 1], from: a}]",
    "tied": "layers:\n- {conv: [8, 1], name: a}\n- relu\n- {conv: [8, 1], tie: a}\n"
    "- {conv: [8, 1], repeat: 2, tie: true}",
    "tied_norm": "layers: [{norm: batch, name: a}, {conv: {out: 8, kernel: 1, bias: false}}, {norm: batch, tie: a}]",
    "kv": "layers: [reshape: [256, 8], {linear: 8, name: m}, linear: 8, attention: {heads: 2, kv: m}]",
    "states": "layers: [reshape: [256, 8], {linear: 8, name: x}, {slice: {start: -1}}, {flatten: , name: s}, "
    "{linear: 6, name: h}, {param: [1, 6]}, {flatten: , name: c}, {lstm: {hidden: 6, state: h, cell: c}, from: x}]",
    "param": "layers: [add: [identity, param: [8, 1, 1]], mul: [param, identity]]",
    "shared_param": "layers: [{param: [8, 1, 1], name: p}, add: [from: input, from: p], mul: [identity, from: p]]",
    "same_branch_twice": "layers: [add: [identity, identity], concat: [relu, relu]]",
    "words": "layers: [conv: {out: 8, kernel: [1, 3], padding: [[0, 1], [2, 3]], dilation: 2, stride: [2, 1]}, "
    "upsample: {scale: 3/2, mode: bilinear}, dropout: 1/3, pad: [[1, 2], [-1, 0]], norm: {type: group, groups: 4}]",
    "einsum": 'layers: [einsum: {equation: "chw,cvw->hv", branches: [identity, identity]}]',
    "via": "layers: [{conv: {out: 8, kernel: 2, act: {type: relu, via: function}}, via: subclass}, "
    "{relu: , via: function}]",
    "act_in_the_middle": "layers: [conv: {out: 4, kernel: 1, bias: false, act: relu}, norm: batch]",
    "biased_norm": "layers: [conv: {out: 4, kernel: 1, norm: batch, bias: true}, "
    "conv: {out: 4, kernel: 1, norm: batch}]",
    "opaque": "layers: [conv: [4, 1], opaque: {out: [3, 3], params: 7, branches: [identity, from: input]}]",
    "norm_in_some_calls": "blocks: {A: {params: {n, b}, layers: [norm: batch, "
    "conv: {out: 8, kernel: 1, norm: n, bias: b}, relu, conv: [8, 3]]}}\n"
    "layers: [A: [none, false], A: [batch, false], A: [none, true], A: [batch, true]]",
    "deep": "layers: [add: [identity, [conv: [8, 1], add: [identity, [conv: [8, 1], add: [identity, conv: [8, 1]]]]]]]",
    "names_like_numbers": "layers: [{conv: [8, 1], name: relu1}, {relu: , name: conv2}, gelu, "
    "add: [from: relu1, from: conv2]]",
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("flat", [False, True])
def test_recovered(name: str, flat: bool) -> None:
    graph = of_text(HEAD + SPECS[name])
    require_equal(recover(graph, flat=flat), graph)


@pytest.mark.parametrize("name", SPECS)
def test_fixed_point(name: str) -> None:
    require_fixed(of_text(HEAD + SPECS[name]))


def test_several_inputs() -> None:
    graph = of_text(
        "inputs: {x: [4, 8, 8], mask: [1, 8, 8]}\nlayers: [conv: [4, 1], mul: [identity, from: mask], "
        "concat: [identity, [{from: mask}, conv: [2, 1]]]]"
    )
    text = recover(graph)
    require_equal(text, graph)
    assert "inputs: {x: [4, 8, 8], mask: [1, 8, 8]}" in text


@pytest.mark.parametrize("seed", range(150))
def test_random_networks(seed: int) -> None:
    text = Builder(Random(seed)).network().with_values({})
    graph = of_text(text)
    if graph.layers:
        require_equal(recover(graph), graph)
        require_equal(recover(graph, flat=True), graph)


def read_across(dice: Random) -> Graph:
    """Layers that read any before them, several also what they attend to: within a stream, and across inputs."""
    b = GraphBuilder()
    made = [b.input(f"in{number}", (6, 8)) for number in range(dice.choice((1, 1, 2, 3)))]
    for number in range(dice.randint(3, 12)):
        kind, reads = dice.choice(
            (("linear", 1), ("add", 2), ("mul", 3), ("attention", 2), ("attention", 3), ("sdpa", 3))
        )
        given = {"linear": {"out": 8}, "attention": {"heads": 2}}.get(kind, {})
        before = [dice.choice(made if dice.random() < 0.4 else made[-4:]) for _ in range(reads)]
        made.append(b.add(f"l{number}", make(kind, **given), *before))
    return b.graph()


@pytest.mark.parametrize("seed", range(60))
def test_what_is_read_by_name_is_made_before_its_first_reader(seed: int) -> None:
    """The form with joins, blocks and repeats needs no flat one in its place."""
    graph = read_across(Random(seed))
    for arranged in (list, in_order):
        text, _ = _structured(graph, arranged)
        require_equal(text, graph)
    require_equal(recover(graph), graph)


def dense(layers: int) -> Graph:
    """Each layer reads a concatenation of all before it, written with all of them."""
    b = GraphBuilder()
    parts = [b.input("x", (8, 4, 4))]
    for number in range(layers):
        whole = b.add(f"block.layer{number}.concat", make("concat"), *parts) if number else parts[0]
        parts.append(b.add(f"block.layer{number}.conv", make("conv", out=4, kernel=1), whole))
    return b.graph()


def test_a_concatenation_that_extends_another_reads_it() -> None:
    """Without this the text of n layers would have n² names."""
    text = recover(dense(60))
    assert lines(text) < 12
    made = of_text(text)
    assert sum(node.facts.params for node in made.layers) == sum(4 * (8 + 4 * n) + 4 for n in range(60))


def ladder(steps: int) -> Graph:
    """Each step adds what two earlier ones give: the paths through it double with every step."""
    b = GraphBuilder()
    x = b.input("x", (8, 4, 4))
    one, other = (b.add(name, make("conv", out=8, kernel=1), x) for name in ("a", "b"))
    for number in range(steps):
        one, other = (
            b.add(f"add{number}", make("add"), one, other),
            b.add(f"mul{number}", make("mul"), one, other),
        )
    return b.graph([b.add("end", make("add"), one, other)])


def test_every_layer_is_visited_once() -> None:
    graph = ladder(200)
    require_equal(recover(graph), graph)


def test_scopes_name_blocks() -> None:
    """What an importer notes of classes; names of the model may hold slashes."""
    b = ModelBuilder(Source("net.toy"))
    x = b.input("x", (8, 4, 4))
    for number in range(3):
        b.scope(f"stage/{number}", "Wide-Block")
        y = b.add(f"stage/{number}/conv", "conv", x, out=8, kernel=3, padding="half", weights=None)
        y = b.add(f"stage/{number}/relu", "act", y, type="relu")
        y = b.add(f"stage/{number}/proj", "conv", y, out=8 if number else 6, kernel=1)
        x = b.add(f"stage/{number}/act", "act", y, type="gelu") if number else y
    graph = b.graph({"y": x})
    assert graph.scopes == {f"stage.{number}": "Wide-Block" for number in range(3)}
    text = recover(graph)
    require_equal(text, graph)
    assert "WideBlock" in text


@pytest.mark.parametrize("names", [("a.b", "a_b"), ("x", "input"), ("input", "mask"), ("é", "1")])
def test_names_of_inputs(names: tuple[str, str]) -> None:
    b = GraphBuilder()
    one, other = b.input(names[0], (4, 8, 8)), b.input(names[1], (1, 8, 8))
    graph_of = b.add("gate", make("mul"), b.add("conv", make("conv", out=4, kernel=1), one), other)
    graph = b.graph([b.add("again", make("mul"), graph_of, other)])
    require_equal(recover(graph), graph)


@pytest.mark.parametrize(
    "name", ["Wide-Block", "3rd", "_x", "词", "é\x1b[2J", "A" * 500, "C2", "Conv", "Sequential", ""]
)
def test_names_of_classes(name: str) -> None:
    b = ModelBuilder(Source("net.toy"))
    x = b.input("x", (8, 4, 4))
    for number in range(4):
        b.scope(f"stage.{number}", name)
        y = b.add(f"stage.{number}.conv", "conv", x, out=8, kernel=3, padding=1)
        y = b.add(f"stage.{number}.again", "conv", y, out=8 + number, kernel=1)
        x = b.add(f"stage.{number}.pool", "maxpool", y, kernel=3, stride=1, padding=1)
    graph = b.graph({"y": x}, name="A {b} \x07 net: #1")
    text = recover(graph)
    require_equal(text, graph)
    assert "blocks:" in text


def test_a_spec_that_differs_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = of_text(HEAD + SPECS["skips"])
    monkeypatch.setattr("convcalc.recovery.difference", lambda *_: "its kind")
    with pytest.raises(SpecError, match="could be verified: its kind") as raised:
        recover(graph)
    assert raised.value.code == "CC775"


def with_facts(weights: dict[str, Shape], buffers: dict[str, Shape]) -> Graph:
    """A batch norm of eight channels, with the weights and buffers that a model says it has."""
    b = GraphBuilder()
    norm = b.add("norm", make("norm", type="batch"), b.input("x", (8, 4, 4)))
    facts = b.nodes[norm].facts
    b.nodes[norm].facts = LayerFacts(facts.output, weights, buffers, facts.products)
    return b.graph()


def test_a_model_has_names_of_its_own_for_weights() -> None:
    eight = Shape((8,))
    own = {"gamma": eight, "beta": eight}
    assert "norm: batch" in recover(with_facts(own, {"mean_0": eight, "var_0": eight}))
    for graph in (with_facts({**own, "more": eight}, {}), with_facts(own, {"mean_0": eight})):
        with pytest.raises(SpecError, match=r"norm: its (weights|buffers)"):
            recover(graph)


BEFORE = HEAD + (
    "layers: [{conv: {out: 8, kernel: 3, stride: 2, act: relu}, name: a}, {conv: [8, 1], name: b}, "
    "add: [identity, from: a]]"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [("kernel: 3", "kernel: 5"), ("stride: 2", "stride: 1"), ("act: relu", "act: gelu"), ("act: relu", "act: none"),
     ("conv: [8, 1]", "conv: {out: 8, kernel: 1, bias: false}"),
     ("conv: [8, 1]", "conv: {out: 8, kernel: 1, groups: 2}"),
     ("add: [identity, from: a]", "add: [identity, from: b]"), ("add:", "mul:"), ("name: b}", "name: b, tie: a}"),
     ("add: [identity, from: a]]", "add: [identity, from: a]]\noutputs: [a]"), ("[8, 16, 16]", "[8, 18, 16]"),
     ("conv: [8, 1]", "linear: {out: 8, axis: -1}"), ("[8, 16, 16]", "[8, 16]")],
)  # fmt: skip
def test_every_difference_is_found(old: str, new: str) -> None:
    graph = of_text(BEFORE)
    order = [node.index for node in graph.layers]
    assert verify.difference(BEFORE, graph, order) == ""
    assert old in BEFORE
    assert verify.difference(BEFORE.replace(old, new), graph, order) != ""


def test_a_report_loads_nothing_of_it() -> None:
    report = "import sys; from convcalc.cli import main; main(['report', 'zoo:lenet', '-q'])"
    code = f"{report}; sys.exit(any('recovery' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_graph_in_memory() -> None:
    b = GraphBuilder()
    x = b.input("image", (3, 8, 8))
    y = b.add("stem.conv", make("conv", out=4, kernel=3), x)
    b.add("stem.relu", make("relu"), y)
    assert "conv: {out: 4, kernel: 3, act: relu}" in recover(b.graph())


@pytest.mark.parametrize(
    ("name", "scope"),
    [("block_1_expand", ("block_1", "block")), ("conv2_block3_1_conv", ("conv2_block3", "block")),
     ("block2b_se_reduce", ("block2b", "block")), ("expanded_conv_3_expand", ("expanded_conv_3", "expanded_conv")),
     ("net_stage_0_block_1_norm", ("net_stage_0_block_1", "block")), ("conv2d_1", ("", "")), ("Conv1", ("", ""))],
)  # fmt: skip
def test_beginnings_of_names(name: str, scope: tuple[str, str]) -> None:
    assert rewriting._scope(name) == scope


MIXER = """
input: [3, 32, 32]
layers:
  - conv: [64, 4, 4]
  - reshape: [64, %d]
  - permute: [1, 0]
  - add: [identity, [permute: [1, 0], linear: %d, permute: [1, 0]]]
  - add: [identity, [{norm: {type: layer, axis: -1}}, linear: 256, linear: 64]]
  - linear: 64
"""


def test_a_variable_can_be_set() -> None:
    """Tokens and channels are 64 by chance; with one name for both there is no other network."""
    by_chance = recover(of_text(MIXER % (64, 64)))
    assert "vars" not in by_chance
    transformer = recover(
        of_text(
            "input: [9, 64]\nlayers: [add: [identity, attention: 4], add: [identity, [linear: 256, linear: 64]], "
            "add: [identity, param: [9, 64]], linear: 64]"
        )
    )
    assert "vars: {dim: 64}" in transformer
    assert convcalc.load(text=transformer, set={"dim": 128}).graph.outputs


def test_pieces_of_a_module_are_no_block() -> None:
    """Another module's layers are between them: a decoder that reads a memory."""
    b = ModelBuilder(Source("net.toy"))
    x = b.input("x", (8, 16))
    b.scope("decoder", "Decoder")
    for widths in ((64,), (32, 64)):
        for width in widths:
            x = b.add("decoder.wide", "linear", x, out=width)
            x = b.add("decoder.act", "act", x, type="gelu" if width == 64 else "relu")
            x = b.add("decoder.narrow", "linear", x, out=16)
        x = b.add("decoder.norm", "norm", x, type="layer", axis=-1)
        x = b.add("bridge", "roll", x, shift=1, axis=0)
    graph = b.graph({"y": x})
    text = recover(graph)
    require_equal(text, graph)
    assert "Decoder" not in text


def test_learned_tensors_have_their_names() -> None:
    b = ModelBuilder(Source("net.toy"))
    x = b.input("x", (8, 4, 4))
    for scope, join, shape in (("one", "add", (8, 4, 4)), ("two", "mul", (8, 1, 1))):
        x = b.add(f"{scope}.{join}", join, x, b.add(f"{scope}.table", "param", x, shape=shape))
    text = recover(b.graph({"y": x}))
    assert text.count("name: table") == text.count("param:") == 2


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("linear: {out: 4, axis: -1}", "linear: 4"),
        ("attention: {heads: 2, head_dim: 4, value_dim: 4}", "attention: 2"),
        ("attention: {heads: 2, head_dim: 4, value_dim: 3}", "attention: {heads: 2, value_dim: 3}"),
        ("attention: {heads: 3, head_dim: 2, value_dim: 2}", "attention: {heads: 3, head_dim: 2}"),
        ("norm: {type: layer, axis: [1]}", "norm: {type: layer, axis: -1}"),
    ],
)  # fmt: skip
def test_arguments_that_say_nothing_are_left_out(written: str, short: str) -> None:
    text = recover(convcalc.load(text=f"input: [6, 8]\nlayers: [{written}]\n").graph)
    assert text.endswith(f"  - {short}\n")
