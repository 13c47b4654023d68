"""Graphs built in Python: equal to what a spec gives, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy
import pytest

import convcalc
from convcalc import GraphBuilder, SpecError, ops
from convcalc.ops.kinds.conv import Conv
from convcalc.ops.op import Op
from tests.ops.examples import EXAMPLES, Example


def test_ten_lines_build_a_graph_and_report_on_it() -> None:
    b = GraphBuilder()
    x = b.input("image", (3, 32, 32))
    y = b.add("stem", ops.make("conv", out=16, kernel=3, padding=1), x)
    left = b.add("block.left", ops.make("conv", out=16, kernel=1, bias=False), y)
    right = b.add("block.right", ops.make("conv", out=16, kernel=5, padding="half", groups=4), y)
    y = b.add("block.sum", ops.make("add"), left, right)
    y = b.add("pool", ops.make("avgpool", kernel="global"), y)
    y = b.add("flat", ops.make("flatten"), y)
    b.add("fc", ops.make("linear", out=10), y)
    report = convcalc.from_graph(b.graph(), name="mine").report()
    params = 16 * (3 * 9 + 1), 16 * 16, 16 * (4 * 25 + 1), 10 * (16 + 1)
    macs = 1024 * 16 * 27, 1024 * 16 * 16, 1024 * 16 * 4 * 25, 160
    assert (report.totals["params"], report.totals["macs"]) == (sum(params), sum(macs))
    assert report.outputs == {"fc": (10,)}
    assert (report.design, report.name, report.warnings) == ("mine", "mine", ())


SPEC = """
input: [3, 20, 20]
layers:
  - {conv: {out: 8, kernel: 3, padding: 1, stride: 2}, name: a}
  - concat:
      - {conv: {out: 4, kernel: [1, 3], padding: [0, 1]}, name: b}
      - {maxpool: {kernel: 3, stride: 1, padding: 1}, name: c}
    name: d
  - {norm: {type: group, groups: 2}, name: e}
  - {relu, name: f}
"""


def test_a_graph_counts_as_its_spec() -> None:
    b = GraphBuilder()
    a = b.add("a", ops.make("conv", out=8, kernel=3, padding=1, stride=2), b.input("input", [3, 20, 20]))
    left = b.add("d.b", ops.make("conv", out=4, kernel=[1, 3], padding=[0, 1]), a)
    right = b.add("d.c", ops.make("maxpool", kernel=3, stride=1, padding=1), a)
    d = b.add("d", ops.make("concat"), left, right)
    e = b.add("e", ops.make("norm", type="group", groups=2), d)
    made = convcalc.from_graph(b.graph([b.add("f", ops.make("relu"), e)])).report(batch=2, dtype="float16")
    read = convcalc.load(text=SPEC.replace("{relu, name", "{relu: , name")).report(batch=2, dtype="float16")
    assert made.totals == read.totals
    assert [row._replace(source=None) for row in made.rows] == [row._replace(source=None) for row in read.rows]


def own(op: Op) -> dict[str, Any]:
    """The fields of an op as the arguments that give them."""
    fields = op.__dataclass_fields__.values()
    found = {field.metadata["argument"].key: getattr(op, field.name) for field in fields}
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}
    return {key: value for key, value in given.items() if key not in type(op).unused_arguments(given)}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.line)
def test_every_example_of_an_op_is_true_of_a_graph(example: Example) -> None:
    op, entering = example.bound()
    given = own(op)
    axes = {} if "axes" in given else {"axes": len(entering[0]) - 1}
    made = ops.make(op.kind, **axes, **given)
    assert made == op == type(op).make(**axes, **given)
    b = GraphBuilder()
    end = b.add("layer", made, *(b.input(f"input{index}", shape) for index, shape in enumerate(entering)))
    assert b.shape(end) == example.output
    totals = convcalc.from_graph(b.graph([end])).report().totals
    assert (totals["params"], totals["macs"]) == (example.params, example.multiplies)


@pytest.mark.parametrize(
    ("values", "equal"),
    [
        ({"out": 8.0, "kernel": Fraction(3)}, {"out": 8, "kernel": 3}),
        ({"out": numpy.int64(8), "kernel": [numpy.int32(3), 3]}, {"out": 8, "kernel": (3, 3)}),
        ({"out": 8, "kernel": range(3, 5), "stride": None}, {"out": 8, "kernel": [3, 4]}),
    ],
)
def test_values_mean_the_exact_ones(values: dict[str, Any], equal: dict[str, Any]) -> None:
    made = ops.make("conv", **values)
    assert made == ops.make("conv", **equal)
    assert isinstance(made, Conv)
    assert type(made.out_channels) is int


def test_a_float_is_the_decimal_that_it_prints_as() -> None:
    assert ops.make("upsample", scale=0.1) == ops.make("upsample", scale=Fraction(1, 10))


def test_an_array_is_many_layers_at_once() -> None:
    b = GraphBuilder()
    op = ops.make("conv", out=numpy.array([4, 8]), kernel=3)
    b.add("conv", op, b.input("input", (3, 5, 5)))
    assert convcalc.from_graph(b.graph()).report().totals["params"].tolist() == [4 * 28, 8 * 28]


def test_what_ops_offers() -> None:
    assert {"conv", "linear", "add"} < set(ops.names())
    assert ops.get("conv") is Conv
    assert ops.make("permute", axes=[1, 0]) == ops.get("permute").make(axes=(1, 0))
    assert ops.make("gelu") == ops.make("act", type="gelu")


@pytest.mark.parametrize(
    ("call", "code", "text"),
    [
        (lambda: ops.make("Conv2d", out=8), "CC204", "did you mean 'conv'?"),
        (lambda: ops.make(7), "CC204", "no layer type '7'"),  # type: ignore[arg-type]
        (lambda: ops.make("conv"), "CC202", "conv needs 'out' and 'kernel'"),
        (lambda: ops.make("conv", out=None, kernel=3), "CC202", "conv needs 'out'"),
        (lambda: ops.make("conv", out=8, kernel=3, stide=2), "CC203", "did you mean 'stride'?"),
        (lambda: ops.make("conv", out=8, kernel=3, norm="batch"), "CC203", "a layer of its own"),
        (lambda: ops.make("attention", heads=8, kv="x"), "CC203", "an input of the layer"),
        (lambda: ops.make("norm", type="batch", groups=4), "CC203", "batch norm does not use 'groups'"),
        (lambda: ops.make("conv", out=0, kernel=3), "CC410", "out = 0 must be positive"),
        (lambda: ops.make("conv", out=8, kernel=2.5), "CC410", "kernel = 2.5 is not an integer"),
        (lambda: ops.make("conv", out=float("nan"), kernel=3), "CC410", "out must be an integer, not nan"),
        (lambda: ops.make("conv", out={}, kernel=3), "CC410", "out must be an integer"),
        (lambda: ops.make("conv", out=8, kernel=[3, 3, 3]), "CC410", "3 entries, but there are 2 spatial axes"),
        (lambda: ops.make("conv", out=8, kernel=[3] * 65), "CC508", "the limit is 64 axes"),
        (lambda: ops.make("conv", axes=-1, out=8, kernel=3), "CC410", "axes = -1 must be at least 0"),
        (lambda: ops.make("conv", axes="two", out=8, kernel=3), "CC410", "axes must be an integer"),
    ],
)
def test_what_make_refuses(call: Callable[[], Op], code: str, text: str) -> None:
    with pytest.raises(SpecError) as caught:
        call()
    assert caught.value.code == code
    assert text in caught.value.text
    assert caught.value.span is None


def test_an_error_of_make_is_that_of_a_spec() -> None:
    layers = "layers: [conv: {out: 8, kernel: [3, [1, 2]]}]"
    with pytest.raises(SpecError) as made:
        ops.make("conv", out=8, kernel=[3, [1, 2]])
    with pytest.raises(convcalc.SpecErrors) as read:
        convcalc.load(text=f"input: [3, 9, 9]\n{layers}")
    (error,) = read.value.errors
    assert (error.code, error.text) == (made.value.code, made.value.text)
    assert error.span is not None
    assert error.span.column == layers.index("[1") + 1, "the place is that of the element"


# --- the builder ------------------------------------------------------------------------------------------------------


@pytest.fixture
def b() -> GraphBuilder:
    builder = GraphBuilder()
    builder.add("first", ops.make("conv", out=4, kernel=3), builder.input("x", (3, 8, 8)))
    return builder


RELU = ops.make("relu")


@pytest.mark.parametrize(
    ("call", "code", "text"),
    [
        (lambda b: b.add("next", RELU, 9), "CC210", "no layer has the handle 9"),
        (lambda b: b.add("next", RELU, -1), "CC210", "no layer has the handle -1"),
        (lambda b: b.add("next", RELU, "x"), "CC210", "no layer has the handle 'x'"),
        (lambda b: b.add("next", RELU, True), "CC210", "no layer has the handle True"),
        (lambda b: b.add("first", RELU, 1), "CC212", "the path 'first' is taken"),
        (lambda b: b.input("first", [3]), "CC212", "the path 'first' is taken"),
        (lambda b: b.add("", RELU, 1), "CC110", "'' is not a path of a layer"),
        (lambda b: b.add("a..b", RELU, 1), "CC110", "'a..b' is not a path of a layer"),
        (lambda b: b.add("a b", RELU, 1), "CC110", "'a b' is not a path of a layer"),
        (lambda b: b.add(3, RELU, 1), "CC110", "'3' is not a path of a layer"),
        (lambda b: b.add("next", Conv, 1), "CC204", "is not an op"),
        (lambda b: b.add("next", RELU), "CC415", "act reads 1 input, not 0"),
        (lambda b: b.add("next", RELU, 0, 1), "CC415", "act reads 1 input, not 2"),
        (lambda b: b.add("next", ops.make("matmul"), 1), "CC415", "matmul reads 2 inputs, not 1"),
        (lambda b: b.add("next", ops.make("upsample", scale=2), 1, 1, 1), "CC415", "upsample reads 1 to 2 inputs"),
        (lambda b: b.add("next", ops.make("add"), 0, 1), "CC405", "shapes differ"),
        (lambda b: b.add("next", ops.make("conv", out=1, kernel=9), 1), "CC403", "kernel"),
        (lambda b: b.add("next", ops.make("conv", axes=1, out=1, kernel=3), 1), "CC401", "1 spatial axes"),
        (lambda b: b.add("next", ops.make("conv", out=10**18 + 1, kernel=1), 1), "CC508", "exceeds the limit"),
        (lambda b: b.input("y", []), "CC410", "at least one axis"),
        (lambda b: b.input("y", 3), "CC410", "at least one axis"),
        (lambda b: b.input("y", [3, 0]), "CC410", "an axis of the input = 0 must be positive"),
        (lambda b: b.input("y", [3, 2.5]), "CC410", "an axis of the input must be an integer"),
        (lambda b: b.input("y", [1] * 65), "CC508", "65 axes; the limit is 64"),
        (lambda b: b.input("y", [10**18 + 1]), "CC508", "exceeds the limit"),
        (lambda b: b.tie(1, 7), "CC210", "no layer has the handle 7"),
        (lambda b: b.tie(1, b.add("next", RELU, 1)), "CC407", "differ in shape"),
        (lambda b: b.graph([]), "CC121", "no output"),
        (lambda b: b.graph([5]), "CC210", "no layer has the handle 5"),
        (lambda b: b.graph({"label": "first"}), "CC210", "no layer has the handle 'first'"),
    ],
)
def test_what_the_builder_refuses(b: GraphBuilder, call: Callable[[Any], object], code: str, text: str) -> None:
    with pytest.raises(SpecError) as caught:
        call(b)
    assert caught.value.code == code
    assert text in caught.value.text
    before = [node.path for node in b.nodes if node.path != "next"]
    assert before == ["x", "first"], "what is refused leaves no layer"


def test_a_graph_has_a_layer() -> None:
    b = GraphBuilder()
    b.input("x", [3])
    with pytest.raises(SpecError, match="CC121: the graph has no layer"):
        b.graph()


def test_a_path_is_free_after_an_error(b: GraphBuilder) -> None:
    with pytest.raises(SpecError):
        b.add("next", ops.make("conv", out=1, kernel=9), 1)
    assert b.shape(b.add("next", ops.make("conv", out=1, kernel=3), 1)) == (1, 4, 4)


def test_tied_layers_count_once(b: GraphBuilder) -> None:
    first = b.add("c1", ops.make("conv", out=4, kernel=3, padding=1), 1)
    b.tie(b.add("c2", ops.make("conv", out=4, kernel=3, padding=1), first), first)
    report = convcalc.from_graph(b.graph()).report()
    assert report.totals["params"] == 4 * 28 + 4 * (4 * 9 + 1)
    assert report.rows[-1].tied_to == "c1"


def test_an_identity_is_no_layer(b: GraphBuilder) -> None:
    assert b.add("same", ops.make("identity"), 1) == 1


def test_outputs_have_labels(b: GraphBuilder) -> None:
    side = b.add("side", RELU, 1)
    assert b.graph().outputs == {"side": side}
    assert b.graph({"features": 1, "logits": side}).outputs == {"features": 1, "logits": side}
    (warning,) = b.graph(1).warnings
    assert (warning.code, warning.text) == ("CC804", "the output of 'side' is never used")
