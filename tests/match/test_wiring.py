"""What equal layers read: every change of a wire, a join or a pool is found and named; equal functions are equal."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

import convcalc
from convcalc.graph.graph import Graph, Node
from convcalc.match.match import Match, match
from convcalc.recovery import recover
from tests.match.changes import flattened, shuffled
from tests.match.rewiring import rewirings
from tests.zoo.layerwise import SPECS

ZOO = sorted(path.stem for path in (SPECS / "zoo").glob("*.yaml"))
CHANGES = 6
"""Of each network."""
IMAGE, TOKENS = "input: [8, 16, 16]\nlayers:\n", "input: [6, 8]\nlayers:\n"


def graph(layers: str, head: str = IMAGE) -> Graph:
    return convcalc.load(text=head + "".join(f"  - {line}\n" for line in layers.strip().split("\n"))).graph


def matched(one: str, two: str, head: str = IMAGE, **options: object) -> Match:
    return match(("one", "two"), (graph(one, head), graph(two, head)), **options)  # type: ignore[arg-type]


def is_compared(node: Node) -> bool:
    return node.op is not None and (bool(node.facts.multiplies) or node.op.kind in ("norm", "act"))


def first_readers(graph: Graph, changed: Node) -> set[str]:
    """The compared layers that a change of a layer reaches first, by its definition."""
    reached, found = {changed.index}, {changed.path} if is_compared(changed) else set()
    for node in graph.nodes[changed.index + 1 :] if not found else ():
        if not reached.isdisjoint(node.inputs):
            if is_compared(node):
                found.add(node.path)
            else:
                reached.add(node.index)
    return found


# --- every change -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ZOO)
def test_a_change_of_wiring_is_the_one_difference(name: str) -> None:
    graph = convcalc.load(f"zoo:{name}").graph
    for other, change in islice(rewirings(graph, Random(name)), CHANGES):
        (difference,) = match(("one", "two"), (graph, other)).differences
        readers = first_readers(graph, change.node)
        if difference.kind == "output":
            assert not readers
        else:
            assert difference.names == ("reads",)
            unread = (
                {graph.nodes[index].path for index in change.node.inputs} if "is read" in difference.reads else set()
            )
            named = {node.path for node in difference.first[0].nodes}  # of an attention several
            assert named & (readers | unread)  # of several layers alike, that one is not read
        assert difference.reads[0] != difference.reads[1]


@pytest.mark.parametrize("name", ZOO)
def test_a_change_behind_other_names_and_another_order_is_found(name: str) -> None:
    graph = convcalc.load(f"zoo:{name}").graph
    for other, _ in islice(rewirings(graph, Random(f"{name} shuffled")), 2):
        assert not match(("one", "two"), (graph, flattened(shuffled(other, Random(name))))).is_equal


@pytest.mark.parametrize("name", ZOO)
def test_a_network_has_the_wiring_of_its_imported_spec(name: str) -> None:
    graph = convcalc.load(f"zoo:{name}").graph
    for ignored in ((), ("norm", "act")):
        other = convcalc.load(text=recover(graph, flat=True)).graph
        assert match(("one", "two"), (graph, other), ignored=ignored).is_equal


# --- one by one -------------------------------------------------------------------------------------------------------

A, B = "{conv: {out: 8, kernel: 3, padding: half}}", "[{conv: [8, 1]}, relu]"
END = "\n{conv: [4, 1], name: end}"
X, SQUEEZED = "{identity: , name: x}", "[{avgpool: global, from: x}, {conv: [8, 1]}, sigmoid]"


@pytest.mark.parametrize(
    ("one", "two", "reads"),
    [
        (f"add: [{A}, {B}]", f"mul: [{A}, {B}]", ("add(conv1, act1)", "mul(conv1, act1)")),
        (f"concat: [{A}, {B}]", f"concat: [{B}, {A}]", ("concat(conv1, act1)", "concat(act1, conv2)")),
        (f"add: [{A}, identity]", A, ("add(conv1, input)", "conv1")),
        (f"add: [{A}, {B}, identity]", f"add: [{A}, {B}]", ("add(…, input)", "add(…)")),
        (f"elementwise: {{type: sub, branches: [{A}, identity]}}", f"add: [{A}, identity]",
         ("sub(conv1, input)", "add(conv1, input)")),
        ("maxpool: 2", "avgpool: 2", ("maxpool 2×2 stride 2 of input", "avgpool 2×2 stride 2 of input")),
        ("maxpool: {kernel: 3, stride: 2, padding: 1}", "maxpool: 2",
         ("maxpool 3×3 stride 2 of input", "maxpool 2×2 stride 2 of input")),
        ("avgpool: global", "reduce: {type: max, axis: [1, 2], keepdims: true}",
         ("avgpool global of input", "reduce max of input")),
        ("upsample: 2", "upsample: {scale: 2, mode: bilinear}", ("input", "upsample bilinear of input")),
        (f"elementwise: {{type: max, branches: [{A}, identity]}}", f"add: [{A}, identity]",
         ("max(conv1, input)", "add(conv1, input)")),
    ],
)  # fmt: skip
def test_a_join_or_pool_is_named(one: str, two: str, reads: tuple[str, str]) -> None:
    found = matched(one + END, two + END)
    (difference,) = found.differences
    assert (difference.kind, difference.names, difference.reads) == ("changed", ("reads",), reads)
    assert [layer.path for layer in difference.first] == ["end"]
    assert found.equal == found.first.layers - 1


def test_an_output_that_gives_something_else_is_named() -> None:
    (difference,) = matched(f"add: [{A}, identity]", A).differences
    assert (difference.kind, difference.reads) == ("output", ("add(conv1, input)", "conv1"))


def test_the_first_cause_is_the_one_difference() -> None:
    block = "{add: [[norm: layer, {linear: {out: 8, axis: -1}}], identity], name: %s}"
    names = [f"block{number}" for number in range(6)]
    one = "\n".join(block % name for name in names)
    (difference,) = matched(one, one.replace(", identity], name: block2", "], name: block2"), TOKENS).differences
    assert [layer.path for layer in difference.first] == ["block3.norm1"]
    assert difference.reads == ("add(block2.linear1, block1.linear1, block0.linear1, input)", "block2.linear1")


def test_the_same_change_at_several_places_is_one_difference() -> None:
    blocks = [f"{{repeat: 3, name: block, seq: [{join}: [{A}, identity], relu]}}" for join in ("add", "mul")]
    (difference,) = matched(*blocks).differences
    assert [layer.path for layer in difference.first] == [f"block{number}.act1" for number in (1, 2, 3)]


def test_it_is_named_where_the_branches_are_in_another_order() -> None:
    one = f"{{add: [{A}, {B}], name: a}}\nrelu\n{{add: [{A}, {B}], name: b}}{END}"
    two = f"{{add: [{B}, {A}], name: a}}\nrelu\n{{mul: [{B}, {A}], name: b}}{END}"
    (difference,) = matched(one, two).differences
    assert difference.reads[0].startswith("add(")
    assert difference.reads[1].startswith("mul(")


def test_a_skip_from_another_level_is_named() -> None:
    one = f"""{{conv: [8, 1], name: a}}
{{conv: [8, 1], name: b}}
{{conv: [8, 1], name: c}}
concat: [identity, {{from: a}}]{END}"""
    (difference,) = matched(one, one.replace("from: a", "from: b")).differences
    assert difference.reads == ("concat(…, a)", "concat(…, b)")


def test_one_of_several_layers_alike_that_is_not_read_is_named() -> None:
    layers = (
        "{conv: [8, 1], name: a}\n{conv: [8, 1], name: b, from: input}\nadd: [[{from: a}, relu], [{from: b}, relu]]"
    )
    (difference,) = matched(layers + END, layers.replace("from: b", "from: a") + END).differences
    assert [layer.path for layer in difference.first] == ["b"]
    assert difference.reads == ("is read", "is not read")


# --- equal functions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (f"add: [{A}, {B}, identity]", f"add: [{{add: [{A}, {B}]}}, identity]"),
        (f"add: [{A}, {B}]", f"add: [{B}, {A}]"),
        (f"mul: [{A}, {B}]", f"mul: [{B}, {A}]"),
        (f"concat: [{A}, {B}, identity]", f"concat: [{A}, {{concat: [{B}, identity]}}]"),
        (A, f"dropout: 0.1\n{A}\nidentity"),
        ("avgpool: global\nflatten", "reduce: {type: mean, axis: [1, 2]}"),
        ("avgpool: global\nflatten", "reduce: {type: mean, axis: -1}\nreduce: {type: mean, axis: -1}"),
        ("avgpool: global\nflatten", "avgpool: 16\nreshape: [8]"),
        ("avgpool: global\nflatten", "avgpool: {out: 1}\nflatten"),
        ("avgpool: 2\nflatten", "avgpool: {out: 8}\nflatten"),
        (f"{A}\navgpool: {{out: 16}}", A),
        ("maxpool: {kernel: 5, stride: 1, padding: 2}", "\n".join(["maxpool: {kernel: 3, stride: 1, padding: 1}"] * 2)),
        ("pad: 1\nmaxpool: [3, 2]", "maxpool: {kernel: 3, stride: 2, padding: 1}\npad: 0"),
        (f"{X}\nmul: [identity, {SQUEEZED}]", f"{X}\nmul: [{SQUEEZED}, identity]"),
        ("identity", "concat: [split: {into: 2, part: 0}, split: {into: 2, part: 1}]"),
        (f"elementwise: {{type: sub, branches: [{A}, identity]}}", f"add: [{A}, {{elementwise: neg}}]"),
        (f"elementwise: {{type: div, branches: [{A}, identity]}}", f"mul: [{A}, {{elementwise: reciprocal}}]"),
        (f"elementwise: {{type: mean, branches: [{A}, {B}]}}", f"add: [{A}, {B}]\nmul: [identity]"),
        ("scale: channel", "mul: [identity, {param: [8, 1, 1]}]"),
        (f"concat: [{A}, {B}]\nslice: {{start: 8}}", f"concat: [{A}, {B}]\nsplit: {{into: 2, part: 1}}"),
        ("roll: {shift: 1, axis: 1}",
         "concat: {axis: 1, branches: [slice: {axis: 1, start: 15}, slice: {axis: 1, stop: 15}]}"),
        ("upsample: 2", "reshape: [8, 16, 1, 16, 1]\nbroadcast: [8, 16, 2, 16, 2]\nreshape: [8, 32, 32]"),
    ],
)  # fmt: skip
def test_equal_functions_are_equal(one: str, two: str) -> None:
    end = "\nflatten\nlinear: 3"
    assert matched(one + end, two + end).is_equal
