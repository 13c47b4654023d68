"""ONNX graphs written by hand: batches, weights that are shared or unread, free sizes, branches, loops, functions."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from convcalc.importers.onnx.importer import OnnxModel, read_model
from tests.conftest import Command
from tests.importers import protobuf as pb

FLOAT, INT8, INT64, BOOL = 1, 3, 7, 9


def integer(name: str, value: int) -> bytes:
    return pb.data(1, name) + pb.integer(3, value) + pb.integer(20, 2)


def integers(name: str, *values: int) -> bytes:
    return pb.data(1, name) + pb.packed(8, *values) + pb.integer(20, 7)


def text(name: str, value: str) -> bytes:
    return pb.data(1, name) + pb.data(4, value) + pb.integer(20, 3)


def subgraph(name: str, *fields: bytes) -> bytes:
    return pb.data(1, name) + pb.data(6, b"".join(fields)) + pb.integer(20, 5)


def weight(name: str, *sizes: int, data_type: int = FLOAT) -> bytes:
    """A constant whose elements are in another file."""
    return pb.data(5, pb.tensor(name, sizes, data_type, pb.integer(14, 1)))


def numbers(name: str, *values: int) -> bytes:
    return pb.data(5, pb.tensor(name, (len(values),), INT64, pb.data(9, struct.pack(f"<{len(values)}q", *values))))


def truth(name: str, value: bool) -> bytes:
    return pb.data(5, pb.tensor(name, (), BOOL, pb.data(9, bytes([value]))))


def scalar(name: str, value: int) -> bytes:
    return pb.data(5, pb.tensor(name, (), INT64, pb.data(9, struct.pack("<q", value))))


def entering(name: str, *sizes: int | str, data_type: int = FLOAT) -> bytes:
    return pb.data(11, pb.value(name, data_type, *sizes))


def leaving(name: str) -> bytes:
    return pb.data(12, pb.data(1, name))


def model(folder: Path, *fields: bytes, after: bytes = b"") -> OnnxModel:
    path = folder / "model.onnx"
    path.write_bytes(pb.model(*fields) + after)
    return read_model(Source(str(path)))


def built(folder: Path, *fields: bytes, after: bytes = b"", **variables: int) -> Graph:
    return model(folder, *fields, after=after).graph(None, variables, {})


def counts(graph: Graph) -> tuple[int, int]:
    """Params, each once, and multiplies."""
    params = sum(node.facts.params for node in graph.layers if node.weight_owner == node.index)
    return params, sum(node.facts.multiplies for node in graph.layers)


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.layers if node.op]


CONV = pb.node("Conv", ("x", "w", "b"), ("y",), integers("pads", 1, 1, 1, 1))


# --- the batch --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "shape"), [(1, (8, 6, 5)), (4, (4, 8, 6, 5))])
def test_a_batch_of_one_is_cut_off_and_another_is_the_first_axis(
    tmp_path: Path, batch: int, shape: tuple[int, ...]
) -> None:
    fields = (CONV, weight("w", 8, 3, 3, 3), weight("b", 8), entering("x", "n", 3, 6, 5), leaving("y"))
    graph = built(tmp_path, *fields, n=batch)
    assert graph.layers[-1].shape == shape
    assert counts(graph) == (8 * 3 * 9 + 8, batch * 8 * 30 * 27)


@pytest.mark.parametrize(
    ("node", "shape", "out"),
    [
        (pb.node("MaxPool", ("x",), ("y",), integers("kernel_shape", 2, 3)), (4, 2, 6, 9), (4, 2, 5, 7)),
        (pb.node("GlobalAveragePool", ("x",), ("y",)), (4, 2, 6, 9), (4, 2, 1, 1)),
        (pb.node("Transpose", ("x",), ("y",), integers("perm", 1, 0, 2)), (1, 5, 7), (5, 1, 7)),
        (pb.node("Transpose", ("x",), ("y",), integers("perm", 2, 0, 1)), (1, 5, 7), (7, 1, 5)),
        (pb.node("Concat", ("x", "x"), ("y",), integer("axis", 0)), (1, 5, 7), (2, 5, 7)),
        (pb.node("ReduceMean", ("x",), ("y",), integers("axes", 0), integer("keepdims", 0)), (1, 5, 7), (5, 7)),
        (pb.node("Softmax", ("x",), ("y",), integer("axis", 0)), (1, 5, 7), (1, 5, 7)),
        (pb.node("Add", ("x", "z"), ("y",)), (1, 5, 7), (6, 5, 7)),
    ],
)
def test_operations_on_the_batch_axis(
    tmp_path: Path, node: bytes, shape: tuple[int, ...], out: tuple[int, ...]
) -> None:
    loaded = model(tmp_path, node, entering("x", *shape), entering("z", 6, 1, 7), leaving("y"))
    _, scope = loaded.walk({}, {})
    value = scope.find("y")
    assert value is not None
    assert value.sizes == out


def test_windows_that_are_folded_into_the_batch(tmp_path: Path) -> None:
    fields = (
        pb.node("Reshape", ("x", "to"), ("r",)), pb.node("MatMul", ("r", "w"), ("m",)),
        pb.node("Add", ("m", "b"), ("y",)),
        numbers("to", 4, -1, 6), weight("w", 6, 9), weight("b", 9), entering("x", 1, 20, 6), leaving("y"),
    )  # fmt: skip
    graph = built(tmp_path, *fields)
    assert kinds(graph) == ["reshape", "linear"]
    assert graph.layers[-1].shape == (4, 5, 9)
    assert counts(graph) == (6 * 9 + 9, 20 * 6 * 9)


# --- weights ----------------------------------------------------------------------------------------------------------


def test_one_name_is_one_parameter(tmp_path: Path) -> None:
    """A matrix that two layers share, each with a bias of its own; and a bias that they share."""
    for first, second, params in (("b", "c", 6 * 6 + 12), ("b", "b", 6 * 6 + 6)):
        nodes = (pb.node("Gemm", ("x", "w", first), ("h",)), pb.node("Gemm", ("h", "w", second), ("y",)))
        fields = (weight("w", 6, 6), weight("b", 6), weight("c", 6), entering("x", 1, 6), leaving("y"))
        extra = 0 if second == "c" else 6  # the bias that nothing reads
        assert counts(built(tmp_path, *nodes, *fields)) == (params + extra, 72)
    nodes = (pb.node("Gemm", ("x", "w", "b"), ("h",)), pb.node("Gemm", ("h", "v", "b"), ("y",)))
    fields = (weight("w", 6, 6), weight("v", 6, 6), weight("b", 6), entering("x", 1, 6), leaving("y"))
    assert counts(built(tmp_path, *nodes, *fields)) == (72 + 6, 72)


def test_a_table_is_embedding_and_transposed_head(tmp_path: Path) -> None:
    nodes = (
        pb.node("Gather", ("e", "x"), ("h",)), pb.node("Transpose", ("e",), ("t",)),
        pb.node("MatMul", ("h", "t"), ("y",)),
    )  # fmt: skip
    graph = built(tmp_path, *nodes, weight("e", 50, 8), entering("x", 1, 7, data_type=INT64), leaving("y"))
    assert kinds(graph) == ["embedding", "linear"]
    assert graph.layers[1].weight_owner == graph.layers[0].index
    assert counts(graph) == (400, 7 * 8 * 50)


def test_running_statistics_are_buffers(tmp_path: Path) -> None:
    node = pb.node("BatchNormalization", ("x", "s", "b", "m", "v"), ("y",))
    fields = (*(weight(name, 5) for name in "sbmv"), entering("x", 1, 5, 4, 4), leaving("y"))
    (norm,) = built(tmp_path, node, *fields).layers
    assert norm.facts.params == norm.facts.buffer_elements == 10


def test_what_nothing_reads_is_a_row_with_a_warning(tmp_path: Path) -> None:
    graph = built(
        tmp_path,
        CONV,
        weight("w", 8, 3, 3, 3),
        weight("b", 8),
        weight("head.w", 9, 8),
        entering("x", 1, 3, 6, 5),
        leaving("y"),
    )
    assert graph.layers[-1].path == "unused.head.w"
    assert counts(graph)[0] == 216 + 8 + 72
    assert [warning.code for warning in graph.warnings] == ["CC815"]


def test_quantised_weights_count_and_their_scales_are_buffers(tmp_path: Path) -> None:
    nodes = (
        pb.node("DequantizeLinear", ("w", "s", "z"), ("d",), integer("axis", 0)),
        pb.node("Conv", ("x", "d"), ("y",)),
    )
    fields = (weight("w", 8, 3, 3, 3, data_type=INT8), weight("s", 8), weight("z", 8, data_type=INT8))
    (conv,) = built(tmp_path, *nodes, *fields, entering("x", 1, 3, 6, 6), leaving("y")).layers
    assert (conv.facts.params, conv.facts.buffer_elements, conv.facts.multiplies) == (216, 16, 16 * 216)


def test_a_parameter_that_is_computed_with_is_counted_before(tmp_path: Path) -> None:
    """The table of a relative position bias: elements are selected from it, and added to a tensor."""
    table = pb.data(5, pb.tensor("t", (3, 2), FLOAT, pb.data(9, struct.pack("<6f", *range(6)))))
    nodes = (pb.node("Gather", ("t", "i"), ("g",)), pb.node("Add", ("x", "g"), ("y",)))
    graph = built(tmp_path, *nodes, table, numbers("i", 2, 0, 1, 2), entering("x", 1, 4, 2), leaving("y"))
    assert kinds(graph) == ["param", "gather", "add"]
    assert counts(graph) == (6, 0)


# --- free sizes -------------------------------------------------------------------------------------------------------

FREE = (CONV, weight("w", 8, 3, 3, 3), weight("b", 8), entering("x", "batch", 3, "h", "w x"), leaving("y"))


def test_free_sizes_are_variables_or_given_by_a_shape(tmp_path: Path) -> None:
    loaded = model(tmp_path, *FREE)
    assert loaded.variables == {"batch": 1, "h": None, "w_x": None}
    assert loaded.inputs == {"x": (3, "h", "w_x")}
    assert loaded.graph(None, {"h": 6, "w_x": 5}, {}).layers[-1].shape == (8, 6, 5)
    with pytest.raises(SpecError, match=r"CC762.*h of x, w x of x"):
        loaded.graph(None, {"batch": 1}, {})
    for given in ((3, 6, 5), (1, 3, 6, 5)):
        assert loaded.graph(None, {}, {"x": given}).layers[-1].shape == (8, 6, 5)
    assert loaded.graph(None, {"batch": 2}, {"x": (3, 6, 5)}).layers[-1].shape == (2, 8, 6, 5)
    with pytest.raises(SpecError, match=r"CC762.*4 axes, 3 without the batch, not 2"):
        loaded.graph(None, {}, {"x": (6, 5)})


@pytest.mark.parametrize(
    ("names", "variables", "given", "sizes"),
    [
        (("past", "past + new"), {"past": None}, {"past": 3, "new": 2}, None),
        (("past", "new", "past + new"), {"past": None, "new": None}, {"past": 3, "new": 2}, (3, 2, 5)),
        (("n", "2*n - 1", "(n + 1)//2"), {"n": None}, {"n": 5}, (5, 9, 3)),
        (("a b", "a-b", "1"), {"a_b": None, "a_b_2": None, "n_1": None}, {"a_b": 3, "a_b_2": 4, "n_1": 2}, (3, 4, 2)),
    ],
)  # fmt: skip
def test_names_of_dimensions(
    tmp_path: Path, names: tuple[str, ...], variables: dict[str, int], given: dict[str, int], sizes: tuple[int] | None
) -> None:
    loaded = model(tmp_path, pb.node("Relu", ("x",), ("y",)), entering("x", "b", *names), leaving("y"))
    if sizes is None:  # what a variable would be for is not known
        assert "past_new" in loaded.variables
    else:
        assert {name: loaded.variables[name] for name in loaded.variables if name != "b"} == variables
        assert loaded.graph(None, given, {}).layers[-1].shape == sizes


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["report", "--set", "n=9"], "180"), (["report", "--input", "4,9", "--depth", "1"], "180"),
        (["formula", "--symbols", "n"], "20·n"), (["sweep", "n=1..4"], "80"), (["explain", "--set", "n=2"], "40"),
    ],
)  # fmt: skip
def test_commands_take_a_model_of_a_free_size(tmp_path: Path, command: list[str], shown: str, cli: Command) -> None:
    nodes = (
        pb.node("Shape", ("x",), ("s",)), pb.node("Gather", ("s", "two"), ("n",)),
        pb.node("Unsqueeze", ("n", "zero"), ("u",)),
        pb.node("Concat", ("one", "u", "four"), ("to",), integer("axis", 0)), pb.node("Reshape", ("x", "to"), ("r",)),
        pb.node("MatMul", ("r", "w"), ("y",)),
    )  # fmt: skip
    constants = (scalar("two", 2), numbers("zero", 0), numbers("one", 1), numbers("four", 4), weight("w", 4, 5))
    model(tmp_path, *nodes, *constants, entering("x", "b", 4, "n"), leaving("y"))
    name, *options = command
    done = cli(name, tmp_path / "model.onnx", *options)
    assert done.exit_code == 0, done.stderr
    assert shown in done.stdout


def test_formulas_have_no_size_that_is_not_known(tmp_path: Path, cli: Command) -> None:
    nodes = (pb.node("MatMul", ("x", "y"), ("z",)), entering("x", "b", "n", "m + 1"), entering("y", "b", "m + 1", "k"))
    model(tmp_path, *nodes, entering("u", "b", "m"), leaving("z"))
    formula = cli("formula", tmp_path / "model.onnx", "--symbols", "n,m", "--set", "k=4")
    assert "4·n·(m + 1)" in formula.stdout, formula
    for options in (("--symbols", "n,m"), ("--symbols", "n", "--set", "k=4")):
        missing = cli("formula", tmp_path / "model.onnx", *options)
        assert (missing.exit_code, "CC762" in missing.stderr) == (2, True)


# --- branches, loops and functions ------------------------------------------------------------------------------------


def branches(large: int = 9, small: int = 2) -> bytes:
    """An If of two products with a matrix [4, n]."""
    graphs = [
        subgraph(
            f"{name}_branch", pb.node("MatMul", ("x", f"{name}.w"), ("o",)), weight(f"{name}.w", 4, n), leaving("o")
        )
        for name, n in (("then", small), ("else", large))
    ]
    return pb.node("If", ("c",), ("y",), *graphs)


@pytest.mark.parametrize(("condition", "multiplies"), [(True, 8), (False, 36)])
def test_the_branch_of_a_known_condition(tmp_path: Path, condition: bool, multiplies: int) -> None:
    graph = built(tmp_path, branches(), truth("c", condition), entering("x", 1, 4), leaving("y"))
    assert counts(graph) == (multiplies, multiplies)
    assert not graph.uncounted


@pytest.mark.parametrize(("large", "small"), [(9, 2), (2, 9)])
def test_the_larger_branch_is_a_lower_bound(tmp_path: Path, large: int, small: int) -> None:
    graph = built(tmp_path, branches(large, small), entering("c", data_type=BOOL), entering("x", 1, 4), leaving("y"))
    assert counts(graph) == (36 + 8, 36)  # the other branch's matrix is a parameter all the same
    assert len(graph.uncounted) == 1
    assert [warning.code for warning in graph.warnings] == ["CC808"]


def test_a_branch_that_a_free_size_decides(tmp_path: Path, cli: Command) -> None:
    """Known where the size is; there is no closed form."""
    nodes = (
        pb.node("Shape", ("z",), ("s",)), pb.node("Gather", ("s", "one"), ("n",)),
        pb.node("Equal", ("n", "one"), ("c",)), branches(),
    )  # fmt: skip
    inputs = (entering("x", 1, 4), entering("z", 1, "n"), leaving("y"))
    loaded = model(tmp_path, *nodes, scalar("one", 1), *inputs)
    assert [counts(loaded.graph(None, {"n": n}, {}))[1] for n in (1, 2)] == [8, 36]
    done = cli("formula", tmp_path / "model.onnx", "--symbols", "n")
    assert "CC411" in done.stderr
    done = cli("sweep", tmp_path / "model.onnx", "n=1,2", "--sort", "macs")
    assert (done.exit_code, "36" in done.stdout) == (0, True)


def rounds(*inputs: bytes) -> tuple[bytes, ...]:
    """A Loop whose body multiplies its state by a matrix."""
    body = subgraph(
        "body", pb.node("MatMul", ("h", "w"), ("o",)), pb.node("Identity", ("k",), ("go",)),
        entering("i", data_type=INT64), entering("k", data_type=BOOL), entering("h", 1, 4), leaving("go"), leaving("o"),
    )  # fmt: skip
    node = pb.node("Loop", ("trips", "", "x"), ("y",), body)
    return (node, weight("w", 4, 4), entering("x", 1, 4), leaving("y"), *inputs)


def test_a_loop_runs_as_often_as_it_says(tmp_path: Path) -> None:
    graph = built(tmp_path, *rounds(scalar("trips", 3)))
    assert counts(graph) == (16, 48)
    assert not graph.uncounted


def test_a_loop_of_unknown_rounds_is_a_lower_bound(tmp_path: Path) -> None:
    graph = built(tmp_path, *rounds(entering("trips", data_type=INT64)))
    assert counts(graph) == (16, 16)
    assert len(graph.uncounted) == 1


def function(name: str, *nodes: bytes, inputs: str = "ab") -> bytes:
    head = pb.data(1, name) + b"".join(pb.data(4, each) for each in inputs) + pb.data(5, "r") + pb.data(10, "own")
    body = b"".join(pb.data(7, node[len(pb.tag(1, 2) + pb.varint(len(node) - 2)) :]) for node in nodes)
    return pb.data(25, head + body + pb.data(9, pb.data(1, "") + pb.integer(2, 20)))


def called(op: str, inputs: tuple[str, ...], output: str = "y") -> bytes:
    plain = pb.node(op, inputs, (output,))
    return pb.data(1, plain[2:] + pb.data(7, "own"))


def test_functions_are_inlined(tmp_path: Path) -> None:
    own = function("Twice", pb.node("MatMul", ("a", "b"), ("h",)), pb.node("MatMul", ("h", "b"), ("r",)))
    graph = built(
        tmp_path, called("Twice", ("x", "w")), weight("w", 4, 4), entering("x", 1, 4), leaving("y"), after=own
    )
    assert counts(graph) == (16, 32)


def test_a_function_finds_the_bias_of_every_call_anew(tmp_path: Path) -> None:
    """The Add behind a product is its bias where it adds a constant, and a layer where it adds a tensor."""
    nodes = pb.node("MatMul", ("a", "w"), ("h",)), pb.node("Add", ("h", "b"), ("r",))
    own = function("Linear", *nodes, inputs="awb")
    calls = called("Linear", ("x", "w", "b")), called("Linear", ("y", "w", "z"), "v")
    given = (weight("w", 4, 4), weight("b", 4), entering("x", 3, 4), entering("z", 3, 4), leaving("v"))
    graph = built(tmp_path, *calls, *given, after=own)
    assert kinds(graph) == ["linear", "linear", "add"]
    assert counts(graph) == (4 * 4 + 4, 2 * 3 * 4 * 4)


def test_a_constant_of_a_function_is_that_of_every_call(tmp_path: Path) -> None:
    """The node of one call is gone when that of the next is made, which may be in its place in memory."""
    shape = pb.data(1, "value_ints") + pb.data(21, "p") + pb.integer(20, 7)
    nodes = pb.node("Constant", (), ("c",), shape), pb.node("ConstantOfShape", ("c",), ("w",))
    own = function("Wide", *nodes, pb.node("MatMul", ("a", "w"), ("r",)), inputs="a")
    widths = [5, 6, 7, 8] * 3
    calls, ends = [], []
    for place, width in enumerate(widths):
        plain = pb.node("Wide", ("x",), (f"y{place}",), integers("p", 4, width))
        calls.append(pb.data(1, plain[2:] + pb.data(7, "own")))
        ends.append(leaving(f"y{place}"))
    graph = built(tmp_path, *calls, entering("x", 1, 4), *ends, after=own)
    assert [node.shape[-1] for node in graph.layers] == widths
    assert counts(graph)[0] == 4 * (5 + 6 + 7 + 8)  # calls with the same shape have the same constant


def test_functions_that_call_themselves_are_refused(tmp_path: Path) -> None:
    inner = called("Again", ("a", "b"))
    own = function("Again", inner.replace(pb.data(2, "y"), pb.data(2, "r")))
    with pytest.raises(SpecError, match=r"CC761.*nested"):
        built(tmp_path, called("Again", ("x", "w")), weight("w", 4, 4), entering("x", 1, 4), leaving("y"), after=own)


# --- what is not known, or cannot be ----------------------------------------------------------------------------------


def test_an_operation_of_another_package_is_a_lower_bound_with_its_params(tmp_path: Path) -> None:
    graph = built(tmp_path, called("Mystery", ("x", "w")), weight("w", 7, 3), entering("x", 1, 4), leaving("y"))
    assert counts(graph) == (21, 0)
    assert len(graph.uncounted) == 1
    assert "own:Mystery" in str(graph.warnings[0])


def test_a_shape_that_depends_on_values_leaves_lower_bounds_behind_it(tmp_path: Path) -> None:
    nodes = (pb.node("NonZero", ("x",), ("i",)), pb.node("MatMul", ("i", "w"), ("y",)))
    graph = built(tmp_path, *nodes, weight("w", 7, 3), entering("x", 1, 4), leaving("y"))
    assert counts(graph) == (21, 0)
    assert graph.uncounted


def test_files_for_one_machine_are_refused(tmp_path: Path) -> None:
    node = pb.data(1, pb.node("Conv", ("x", "w"), ("y",))[2:] + pb.data(7, "com.microsoft.nchwc"))
    with pytest.raises(SpecError, match=r"CC761.*one machine"):
        built(tmp_path, node, weight("w", 8, 3, 3, 3), entering("x", 1, 3, 6, 6), leaving("y"))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([pb.node("Relu", ("nothing",), ("y",))], "nothing writes"),
        ([pb.node("Relu", ("x",), ("y",)), pb.node("Relu", ("x",), ("y",))], "two values have the name"),
        ([pb.node("Relu", ("x",), ("x",))], "two values have the name"),
        (
            [pb.node("Add", ("x", "b"), ("a",)), pb.node("Relu", ("a",), ("b",)), pb.node("Relu", ("b",), ("y",))],
            "cycle",
        ),
        ([pb.node("Relu", ("x",), ("other",))], "nothing writes its output 'y'"),
        ([pb.node("Transpose", ("x",), ("y",), integers("perm", 0, 0))], "does not fit"),
        ([pb.node("Concat", (), ("y",))], "does not fit"),
        ([pb.node("Softmax", ("x",), ("y",), integer("axis", 7))], "no axis 7"),
        ([pb.node("Relu", (), ("y",))], "no input 1"),
        ([pb.node("Relu", ("x",), ())], "no output"),
    ],
)
def test_graphs_that_cannot_be(tmp_path: Path, nodes: list[bytes], words: str) -> None:
    with pytest.raises(SpecError, match="CC760") as raised:
        built(tmp_path, *nodes, entering("x", 1, 4), leaving("y"))
    assert words in raised.value.text


def test_gelu_that_is_written_out_is_one_layer(tmp_path: Path) -> None:
    """And not where something else reads a part of it."""
    half = [pb.data(5, pb.tensor(name, (), FLOAT, pb.data(9, struct.pack("<f", 0.5)))) for name in "abc"]
    nodes = (
        pb.node("Div", ("x", "a"), ("d",)), pb.node("Erf", ("d",), ("e",)), pb.node("Add", ("e", "b"), ("f",)),
        pb.node("Mul", ("x", "f"), ("g",)), pb.node("Mul", ("g", "c"), ("h",)), pb.node("Relu", ("h",), ("y",)),
    )  # fmt: skip
    assert kinds(built(tmp_path, *nodes, *half, entering("x", 1, 4), leaving("y"))) == ["act", "act"]
    read = (pb.node("Relu", ("e",), ("z",)), entering("x", 1, 4), leaving("y"), leaving("z"))
    graph = built(tmp_path, *nodes, *half, *read)
    assert kinds(graph) == ["elementwise", "elementwise", "add", "mul", "mul", "act", "act"]


@pytest.mark.parametrize(("other", "expected"), [("x", ["silu", "relu"]), ("z", ["sigmoid", "relu"])])
def test_silu_that_is_written_out_is_one_layer(tmp_path: Path, other: str, expected: list[str]) -> None:
    nodes = (pb.node("Sigmoid", ("x",), ("s",)), pb.node("Mul", ("s", other), ("m",)), pb.node("Relu", ("m",), ("y",)))
    graph = built(tmp_path, *nodes, entering("x", 1, 4), entering("z", 1, 4), leaving("y"))
    assert [getattr(node.op, "type", "") for node in graph.layers if node.op and node.op.kind == "act"] == expected


def written_out_norm(*last: bytes, axis: int = 2, exponent: float = 2) -> tuple[bytes, ...]:
    numbers = {"two": exponent, "eps": 1e-6, "one": 1}
    return (
        *(pb.data(5, pb.tensor(name, (), FLOAT, pb.data(9, struct.pack("<f", n)))) for name, n in numbers.items()),
        pb.node("Pow", ("x", "two"), ("p",)), pb.node("ReduceMean", ("p",), ("m",), integers("axes", axis)),
        pb.node("Add", ("m", "eps"), ("a",)), pb.node("Sqrt", ("a",), ("r",)), *last, weight("w", 4),
        entering("x", 1, 3, 4), leaving("y"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "last",
    [
        (("Reciprocal", "r"), ("Mul", "x", "d"), ("Mul", "w", "e")),
        (("Div", "one", "r"), ("Mul", "d", "x"), ("Mul", "e", "w")),
        (("Div", "x", "r"), ("Mul", "w", "d")),
    ],
)
def test_a_norm_by_the_mean_square_that_is_written_out_is_one_layer(
    tmp_path: Path, last: tuple[tuple[str, ...], ...]
) -> None:
    outputs = [*"de"[: len(last) - 1], "y"]
    nodes = [pb.node(op, tuple(read), (to,)) for (op, *read), to in zip(last, outputs, strict=True)]
    (norm,) = built(tmp_path, *written_out_norm(*nodes)).layers
    assert (norm.facts.params, getattr(norm.op, "type", "")) == (4, "rms")
    for changed in ({"exponent": 3}, {"axis": 1}):
        graph = built(tmp_path, *written_out_norm(*nodes, **changed))
        assert "norm" not in kinds(graph)
    if len(last) == 2:
        wrong = (pb.node("Div", ("r", "x"), ("d",)), nodes[1])
        assert "norm" not in kinds(built(tmp_path, *written_out_norm(*wrong)))


def test_nodes_in_another_order_are_sorted(tmp_path: Path) -> None:
    nodes = (pb.node("Relu", ("a",), ("y",)), pb.node("Sigmoid", ("x",), ("a",)))
    graph = built(tmp_path, *nodes, entering("x", 1, 4), leaving("y"))
    assert [node.op.type for node in graph.layers if node.op] == ["sigmoid", "relu"]  # type: ignore[attr-defined]


def test_a_stated_shape_that_differs_is_a_warning(tmp_path: Path) -> None:
    stated = pb.data(13, pb.value("h", FLOAT, 1, 5))
    nodes = (pb.node("Relu", ("x",), ("h",)), pb.node("Relu", ("h",), ("y",)))
    graph = built(tmp_path, *nodes, stated, entering("x", 1, 4), leaving("y"))
    assert [warning.code for warning in graph.warnings] == ["CC814"]
    assert graph.layers[-1].shape == (4,)


def test_operators_that_are_newer_than_known_are_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(pb.model(pb.node("Relu", ("x",), ("y",)), entering("x", 1, 4), leaving("y"), opset=999))
    (warning,) = read_model(Source(str(path))).graph(None, {}, {}).warnings
    assert (warning.code, "999" in warning.text) == ("CC814", True)


def test_a_place_outside_the_folder_is_named_and_not_opened(tmp_path: Path) -> None:
    place = pb.data(13, pb.data(1, "location") + pb.data(2, "../../../etc/passwd"))
    outside = pb.data(5, pb.tensor("w", (4, 3), FLOAT, place, pb.integer(14, 1)))
    graph = built(tmp_path, pb.node("MatMul", ("x", "w"), ("y",)), outside, entering("x", 1, 4), leaving("y"))
    assert [warning.code for warning in graph.warnings] == ["CC814"]
    assert counts(graph) == (12, 12)


def test_errors_are_at_the_node_and_escape_its_name(tmp_path: Path) -> None:
    node = pb.node("Conv", ("x", "w"), ("y",), name="/layer1/\x1b[31mconv")
    with pytest.raises(SpecError) as raised:
        built(tmp_path, node, weight("w", 8, 5, 3, 3), entering("x", 1, 3, 6, 6), leaving("y"))
    assert raised.value.code == "CC405"
    assert "layer1" in str(raised.value.span)
    assert "\x1b" not in str(raised.value)


# --- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opset", "node", "constants", "out"),
    [
        (12, pb.node("Squeeze", ("x",), ("y",), integers("axes", 1)), (), (4, 5)),
        (13, pb.node("Squeeze", ("x", "a"), ("y",)), (numbers("a", 1),), (4, 5)),
        (12, pb.node("Unsqueeze", ("x",), ("y",), integers("axes", 2)), (), (4, 1, 1, 5)),
        (13, pb.node("Unsqueeze", ("x", "a"), ("y",)), (numbers("a", -2),), (4, 1, 1, 5)),
        (9, pb.node("Slice", ("x",), ("y",), integers("starts", 1), integers("ends", 9)), (), (3, 1, 5)),
        (10, pb.node("Slice", ("x", "a", "b"), ("y",)), (numbers("a", 1), numbers("b", 9)), (3, 1, 5)),
        (2, pb.node("Pad", ("x",), ("y",), integers("pads", 0, 0, 1, 0, 0, 2)), (), (4, 1, 8)),
        (11, pb.node("Pad", ("x", "a"), ("y",)), (numbers("a", 0, 0, 1, 0, 0, 2),), (4, 1, 8)),
        (18, pb.node("Pad", ("x", "a", "", "b"), ("y",)), (numbers("a", 1, 2), numbers("b", -1)), (4, 1, 8)),
        (11, pb.node("ReduceSum", ("x",), ("y",), integers("axes", 2)), (), (4, 1, 1)),
        (13, pb.node("ReduceSum", ("x", "a"), ("y",)), (numbers("a", 2),), (4, 1, 1)),
        (1, pb.node("Reshape", ("x",), ("y",), integers("shape", 0, -1)), (), (4, 5)),
        (5, pb.node("Reshape", ("x", "a"), ("y",)), (numbers("a", 0, -1),), (4, 5)),
        (
            1,
            pb.node("Add", ("x", "w"), ("y",), integer("broadcast", 1), integer("axis", 0)),
            (weight("w", 4),),
            (4, 1, 5),
        ),
        (7, pb.node("Add", ("x", "w"), ("y",)), (weight("w", 4, 1, 1),), (4, 1, 5)),
    ],
)
def test_versions_of_operators(
    tmp_path: Path, opset: int, node: bytes, constants: tuple[bytes, ...], out: tuple[int, ...]
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(pb.model(node, *constants, entering("x", 4, 1, 5), leaving("y"), opset=opset))
    _, scope = read_model(Source(str(path))).walk({}, {})
    value = scope.find("y")
    assert value is not None
    assert value.sizes == out


def test_positions_of_a_free_length(tmp_path: Path) -> None:
    """As many rows of a table as there are tokens, by a Range over the size of the input."""
    nodes = (
        pb.node("Shape", ("x",), ("s",)), pb.node("Gather", ("s", "one"), ("n",)),
        pb.node("Range", ("zero", "n", "one"), ("i",)), pb.node("Gather", ("table", "i"), ("p",)),
        pb.node("Add", ("x", "p"), ("y",)),
    )  # fmt: skip
    fields = (scalar("zero", 0), scalar("one", 1), weight("table", 50, 6), entering("x", 1, "n", 6), leaving("y"))
    loaded = model(tmp_path, *nodes, *fields)
    for length in (1, 7, 49):
        graph = loaded.graph(None, {"n": length}, {})
        assert graph.layers[-1].shape == (length, 6)
        assert counts(graph) == (300, 0)
        assert not graph.uncounted


# --- operations of com.microsoft --------------------------------------------------------------------------------------


def contributed(op: str, inputs: tuple[str, ...], *attributes: bytes) -> bytes:
    node = pb.data(7, "com.microsoft") + b"".join(pb.data(5, attribute) for attribute in attributes)
    texts = [*(pb.data(1, name) for name in inputs), pb.data(2, "y"), pb.data(4, op)]
    return pb.data(1, b"".join(texts) + node)


TOKENS, WIDTH, HEADS = 5, 8, 2
SCORES = TOKENS * TOKENS * WIDTH * 2
"""Scores and context of all heads together: tokens² · width each."""


@pytest.mark.parametrize(
    ("node", "params", "multiplies"),
    [
        (contributed("Attention", ("x", "qkv", "b24"), integer("num_heads", HEADS)), 8 * 24 + 24, 5 * 8 * 24 + SCORES),
        (contributed("QAttention", ("x", "q8", "b24", "s", "s"), integer("num_heads", HEADS)), 216, 960 + SCORES),
        (contributed("MultiHeadAttention", ("x", "x", "x"), integer("num_heads", HEADS)), 0, SCORES),
        (contributed("MultiHeadAttention", ("x", "x", "x", "b24"), integer("num_heads", HEADS)), 24, SCORES),
        (contributed("MultiHeadAttention", ("qkv_x", "", "", "b24"), integer("num_heads", HEADS)), 24, SCORES),
        (
            contributed(
                "GroupQueryAttention", ("x", "half", "half"), integer("num_heads", 2), integer("kv_num_heads", 1)
            ), 0, SCORES,
        ),
        (contributed("SkipLayerNormalization", ("x", "x", "b8", "c8", "d8")), 24, 0),
        (contributed("SkipSimplifiedLayerNormalization", ("x", "x", "b8")), 8, 0),
        (contributed("SimplifiedLayerNormalization", ("x", "b8")), 8, 0),
        (contributed("FusedMatMul", ("x", "w34"), integer("transB", 1)), 4 * 8, 5 * 8 * 4),
        (contributed("BiasGelu", ("x", "b8")), 8, 0),
        (contributed("BiasAdd", ("x", "b8", "x")), 8, 0),
        (contributed("FastGelu", ("x",)), 0, 0),
        (contributed("DynamicQuantizeMatMul", ("x", "m8", "s", "z", "b6")), 8 * 6 + 6, 5 * 8 * 6),
        (contributed("MatMulNBits", ("x", "packed", "s"), integer("K", 8), integer("N", 6)), 48, 240),
        (
            contributed("MoE", ("x", "router", "up", "", "down", ""), integer("k", 2)),
            4 * 2 * 8 * 16, 5 * 2 * 2 * 8 * 16,
        ),
    ],
)  # fmt: skip
def test_operations_of_microsoft(tmp_path: Path, node: bytes, params: int, multiplies: int) -> None:
    weights = {
        "qkv": (8, 24), "b24": (24,), "b8": (8,), "c8": (8,), "d8": (8,), "w34": (4, 8), "b6": (6,), "up": (4, 8, 16),
        "down": (4, 16, 8),
    }  # fmt: skip
    held = [weight(name, *sizes) for name, sizes in weights.items() if f"\n{chr(len(name))}{name}".encode() in node]
    held += [
        weight(name, *sizes, data_type=INT8)
        for name, sizes in {"q8": (8, 24), "m8": (8, 6), "packed": (6, 1, 4)}.items()
        if name.encode() in node
    ]
    held += [pb.data(5, pb.tensor(name, (), FLOAT, pb.integer(14, 1))) for name in "sz"]
    widths = {"x": 8, "half": 4, "router": 4, "qkv_x": 24}
    inputs = [entering(name, 1, 5, width) for name, width in widths.items()]
    graph = built(tmp_path, node, *held, *inputs, leaving("y"))
    assert counts(graph) == (params, multiplies)
    assert not graph.uncounted
    assert graph.layers[-1].shape == (5, {"FusedMatMul": 4, "DynamicQ": 6, "MatMulNB": 6}.get(_op(node), 8))


@pytest.mark.parametrize(("flag", "masked"), [(0, 0), (1, HEADS * (WIDTH // HEADS) * TOKENS * (TOKENS - 1))])
def test_a_mask_of_later_keys(tmp_path: Path, flag: int, masked: int) -> None:
    """Half of all pairs but the diagonal, in scores and in context."""
    flags = integer("num_heads", HEADS), integer("unidirectional", flag)
    node = contributed("MultiHeadAttention", ("x", "x", "x"), *flags)
    graph = built(tmp_path, node, entering("x", 1, TOKENS, WIDTH), leaving("y"))
    assert sum(one.facts.multiplies for one in graph.layers) == SCORES
    assert sum(one.facts.seen for one in graph.layers) == SCORES - masked


def _op(node: bytes) -> str:
    return next((name for name in ("FusedMatMul", "DynamicQ", "MatMulNB") if name.encode() in node), "")


@pytest.mark.parametrize(
    ("flags", "shapes", "out", "multiplies"),
    [
        ((1, 1, 0, 1), ((5, 2, 3), (7, 2, 3)), (2, 5, 7), 2 * 5 * 7 * 3),
        ((0, 1, 0, 0), ((2, 5, 7), (7, 2, 3)), (2, 5, 3), 2 * 5 * 7 * 3),
        ((1, 0, 1, 0), ((5, 2, 3), (2, 5, 4)), (2, 3, 4), 2 * 3 * 5 * 4),
    ],
)
def test_products_whose_rows_are_before_the_batch(
    tmp_path: Path, flags: tuple[int, ...], shapes: tuple[tuple[int, ...], ...], out: tuple[int, ...], multiplies: int
) -> None:
    names = ("transBatchA", "transBatchB", "transA", "transB")
    node = contributed("FusedMatMul", ("x", "z"), *map(integer, names, flags))
    graph = built(tmp_path, node, entering("x", *shapes[0]), entering("z", *shapes[1]), leaving("y"))
    assert graph.layers[-1].shape == out
    assert counts(graph) == (0, multiplies)


def test_a_quantised_lstm(tmp_path: Path) -> None:
    node = contributed("DynamicQuantizeLSTM", ("x", "w", "r", "b", "", "", "", "", "s", "z", "s", "z"))
    weights = (weight("w", 2, 8, 24, data_type=INT8), weight("r", 2, 6, 24, data_type=INT8), weight("b", 2, 48))
    scales = (weight("s", 2), weight("z", 2, data_type=INT8))
    graph = built(tmp_path, node, *weights, *scales, entering("x", 5, 1, 8), leaving("y"))
    assert graph.layers[-1].shape == (5, 2, 1, 6)
    assert counts(graph) == (2 * (24 * 8 + 24 * 6 + 48), 5 * 2 * 24 * (8 + 6))


def test_embeddings_of_words_places_and_segments(tmp_path: Path) -> None:
    for segment, params in (("t", 16), ("", 0)):
        names = ("x", "x" if segment else "", "w", "p", segment, "g", "b")
        tables = [weight("w", 20, 8), weight("p", 9, 8), weight("g", 8), weight("b", 8)]
        tables += [weight("t", 2, 8)] if segment else []
        node = contributed("EmbedLayerNormalization", names)
        graph = built(tmp_path, node, *tables, entering("x", 1, 7, data_type=INT64), leaving("y"))
        assert graph.layers[-1].shape == (7, 8)
        assert counts(graph) == (20 * 8 + 9 * 8 + params + 16, 0)


def test_a_group_norm_with_channels_last(tmp_path: Path) -> None:
    node = contributed("GroupNorm", ("x", "g", "b"), integer("groups", 2), integer("activation", 1))
    graph = built(tmp_path, node, weight("g", 8), weight("b", 8), entering("x", 1, 5, 6, 8), leaving("y"))
    assert kinds(graph) == ["norm", "act"]
    assert counts(graph) == (16, 0)


def learned(op: str, outputs: int, *attributes: bytes) -> bytes:
    texts = [pb.data(1, "x"), *(pb.data(2, name) for name in ("l", "y")[-outputs:]), pb.data(4, op)]
    return pb.data(1, b"".join(texts) + pb.data(7, "ai.onnx.ml") + b"".join(pb.data(5, each) for each in attributes))


def floats(name: str, count: int) -> bytes:
    return pb.data(1, name) + pb.data(7, struct.pack(f"<{count}f", *range(count))) + pb.integer(20, 6)


@pytest.mark.parametrize(
    ("node", "out", "params", "multiplies"),
    [
        (learned("LinearRegressor", 1, floats("coefficients", 8), floats("intercepts", 2)), 2, 10, 8),
        (
            learned(
                "LinearClassifier", 2, floats("coefficients", 12), floats("intercepts", 3),
                integers("classlabels_ints", 0, 1, 2),
            ), 3, 15, 12,
        ),
        (learned("LinearClassifier", 2, floats("coefficients", 4), integers("classlabels_ints", 0, 1)), 2, 4, 4),
        (learned("Normalizer", 1), 4, 0, 0),
    ],
)  # fmt: skip
def test_models_of_scikit_learn(tmp_path: Path, node: bytes, out: int, params: int, multiplies: int) -> None:
    loaded = model(tmp_path, node, entering("x", "n", 4), leaving("y"))
    for rows, leading in ((1, ()), (3, (3,))):
        run, scope = loaded.walk({"n": rows}, {})
        value = scope.find("y")
        assert value is not None
        assert value.sizes == (rows, out)
        assert counts(run.layers.graph({"y": run.handle(value)})) == (params, rows * multiplies)
        assert run.layers.shape(run.handle(value)) == (*leading, out)


# --- constants that are no parameters ---------------------------------------------------------------------------------


def filled(name: str, sizes: tuple[int, ...], *values: float) -> bytes:
    return pb.data(5, pb.tensor(name, sizes, FLOAT, pb.data(9, struct.pack(f"<{len(values)}f", *values))))


@pytest.mark.parametrize(
    ("name", "values", "params"),
    [
        ("/rnn/Constant_1_output_0", (0.0, 0.0), 0), ("val_7", (0.0, 0.0), 0), ("rnn.h0", (0.0, 0.0), 2),
        ("val_7", (0.0, 1.0), 2),
    ],
)  # fmt: skip
def test_states_that_begin_at_zero_are_no_parameters(
    tmp_path: Path, name: str, values: tuple[float, ...], params: int
) -> None:
    node = pb.node("GRU", ("x", "w", "r", "", "", name), ("y",))
    weights = (weight("w", 1, 6, 3), weight("r", 1, 6, 2), filled(name, (1, 1, 2), *values))
    graph = built(tmp_path, node, *weights, entering("x", 5, 1, 3), leaving("y"))
    assert counts(graph) == (18 + 12 + params, 5 * 6 * (3 + 2))


def test_states_of_graphs_before_version_9(tmp_path: Path) -> None:
    fill = pb.node("ConstantFill", ("s",), ("h",), integer("input_as_shape", 1))
    fields = (fill, pb.node("GRU", ("x", "w", "r", "", "", "h"), ("y",)), numbers("s", 1, 1, 2))
    weights = (weight("w", 1, 6, 3), weight("r", 1, 6, 2))
    graph = built(tmp_path, *fields, *weights, entering("x", 5, 1, 3), leaving("y"))
    assert counts(graph) == (18 + 12, 5 * 6 * (3 + 2))
    assert not graph.warnings


def test_what_code_fills_tensors_with_is_no_parameter(tmp_path: Path) -> None:
    nodes = (
        pb.node("Concat", ("x", "zeros_like"), ("c",), integer("axis", 1)), pb.node("Relu", ("c",), ("r",)),
        pb.node("Where", ("k", "r", "val_3"), ("y",)),
    )  # fmt: skip
    held = (filled("zeros_like", (1, 2), 0, 0), filled("val_3", (1, 4), 7, 7, 7, 7))
    graph = built(tmp_path, *nodes, *held, entering("x", 1, 2), entering("k", 1, 4, data_type=BOOL), leaving("y"))
    assert counts(graph) == (0, 0)
    token = (filled("token", (1, 2), 0, 0), pb.node("Concat", ("x", "token"), ("y",), integer("axis", 1)))
    assert counts(built(tmp_path, *token, entering("x", 1, 2), leaving("y"))) == (2, 0)


# --- number formats ---------------------------------------------------------------------------------------------------

FLOAT16, UINT4, INT4, INT32 = 10, 21, 22, 6


def weight_bytes(folder: Path, cli: Command, *options: str) -> int:
    result = cli("report", str(folder / "model.onnx"), "-f", "json", *options)
    return int(json.loads(result.stdout)["totals"]["weight_bytes"])


@pytest.mark.parametrize(("data_type", "bits"), [(FLOAT, 32), (FLOAT16, 16), (INT8, 8), (UINT4, 4), (INT4, 4)])
def test_weights_count_in_the_format_that_the_file_stores(
    tmp_path: Path, cli: Command, data_type: int, bits: int
) -> None:
    """An odd number of elements, with scales of 32 bits, and a bias."""
    nodes = (pb.node("DequantizeLinear", ("w", "s"), ("d",)), pb.node("Gemm", ("x", "d", "b"), ("y",)))
    fields = (weight("w", 3, 5, data_type=data_type), weight("s", 5), weight("b", 5))
    built(tmp_path, *nodes, *fields, entering("x", 1, 3), leaving("y"))
    for dtype, width in (("float32", 32), ("float16", 16), ("int8", 8), ("int4", 4)):
        least = min(bits, width)
        apart = 0 if bits == 32 else -(-15 * least // 8)
        rest = -(-(10 if apart else 25) * width // 8)
        assert weight_bytes(tmp_path, cli, "--dtype", dtype) == apart + rest
    assert weight_bytes(tmp_path, cli) == -(-15 * bits // 8) + 4 * 10


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_packed_weights_count_in_their_bits(tmp_path: Path, cli: Command, bits: int) -> None:
    node = contributed("MatMulNBits", ("x", "p", "s"), integer("K", 32), integer("N", 6), integer("bits", bits))
    fields = (weight("p", 6, 1, 32 * bits // 8, data_type=2), weight("s", 6), entering("x", 1, 5, 32), leaving("y"))
    assert counts(built(tmp_path, node, *fields)) == (32 * 6, 5 * 32 * 6)
    assert weight_bytes(tmp_path, cli) == 32 * 6 * bits // 8 + 6 * 4


def test_a_tied_table_of_few_bits_is_read_in_them(tmp_path: Path, cli: Command) -> None:
    nodes = (
        pb.node("DequantizeLinear", ("e", "s"), ("d",)), pb.node("Gather", ("d", "x"), ("h",)),
        pb.node("Transpose", ("d",), ("t",)), pb.node("MatMul", ("h", "t"), ("y",)),
    )  # fmt: skip
    fields = (weight("e", 9, 6, data_type=INT8), pb.data(5, pb.tensor("s", (), FLOAT, pb.integer(14, 1))))
    graph = built(tmp_path, *nodes, *fields, entering("x", 1, 4, data_type=INT64), leaving("y"))
    assert counts(graph) == (54, 4 * 54)
    read = json.loads(cli("report", str(tmp_path / "model.onnx"), "-f", "json", "--columns", "traffic_bytes").stdout)
    rows, matrix = 4 * 6, 54
    activations = 4 * (4 + 4 * 6) + 4 * (4 * 6 + 4 * 9)
    assert read["totals"]["traffic_bytes"] == rows + matrix + activations


# --- constants that are stored once -----------------------------------------------------------------------------------


def test_biases_that_are_stored_once_are_a_warning_and_import_has_them_apart(tmp_path: Path, cli: Command) -> None:
    first = pb.node("Gemm", ("x", "w", "b"), ("h",), name="/first/Gemm")
    nodes = (first, pb.node("Gemm", ("h", "v", "b"), ("y",), name="/second/Gemm"))
    weights = (weight("w", 6, 6), weight("v", 6, 6))
    fields = (*weights, filled("b", (6,), *(0.0,) * 6), entering("x", 1, 6), leaving("y"))
    graph = built(tmp_path, *nodes, *fields)
    assert counts(graph) == (72 + 6, 72)
    assert [warning.code for warning in graph.warnings] == ["CC816"]
    result = cli("import", str(tmp_path / "model.onnx"), "-o", str(tmp_path / "spec.yaml"))
    assert "CC816" in result.stderr
    assert "6 params more" in result.stderr
    assert json.loads(cli("report", str(tmp_path / "spec.yaml"), "-f", "json").stdout)["totals"]["params"] == 72 + 12
    differing = (*weights, filled("b", (6,), *range(6)), entering("x", 1, 6), leaving("y"))
    assert not built(tmp_path, *nodes, *differing).warnings


def test_a_module_that_is_called_twice_has_one_bias(tmp_path: Path) -> None:
    first = pb.node("Gemm", ("x", "w", "b"), ("h",), name="/fc/Gemm")
    nodes = (first, pb.node("Gemm", ("h", "w", "b"), ("y",), name="/fc_1/Gemm"))
    graph = built(tmp_path, *nodes, weight("w", 6, 6), weight("b", 6), entering("x", 1, 6), leaving("y"))
    assert counts(graph) == (42, 72)
    assert not graph.warnings


@pytest.mark.parametrize(("op", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_layers_are_imported(tmp_path: Path, cli: Command, op: str, gates: int, directions: int) -> None:
    """Also where the exporter writes the gates in the order of ONNX by slices of one matrix."""
    fields = [
        numbers("from", 0), numbers("half", 3 * gates), numbers("to", 6 * gates), numbers("rows", 1),
        pb.node("Slice", ("w", "from", "half", "rows"), ("w1",)),
        pb.node("Slice", ("w", "half", "to", "rows"), ("w2",)),
        pb.node("Concat", ("w2", "w1"), ("gated",), integer("axis", 1)),
        pb.node(op, ("x", "gated", "r", "b"), ("y",), text("direction", "forward")),
        weight("w", directions, 6 * gates, 3), weight("r", directions, 6 * gates, 6),
        weight("b", directions, 12 * gates), entering("x", 5, 1, 3), leaving("y"),
    ]  # fmt: skip
    graph = built(tmp_path, *fields)
    found = directions * 6 * gates * (3 + 6 + 2), directions * 5 * 6 * gates * (3 + 6)
    assert counts(graph) == found
    assert [node.op.kind for node in graph.layers if node.op and node.facts.weights] == [op.lower()]
    assert cli("import", str(tmp_path / "model.onnx"), "-o", str(tmp_path / "spec.yaml")).exit_code == 0
    totals = json.loads(cli("report", str(tmp_path / "spec.yaml"), "-f", "json").stdout)["totals"]
    assert (totals["params"], totals["macs"]) == found


def test_learned_states_of_a_recurrent_layer_are_imported(tmp_path: Path, cli: Command) -> None:
    node = pb.node("GRU", ("x", "w", "r", "", "", "h"), ("y",))
    fields = (weight("w", 1, 6, 3), weight("r", 1, 6, 2), weight("h", 1, 1, 2), entering("x", 5, 1, 3), leaving("y"))
    assert counts(built(tmp_path, node, *fields)) == (18 + 12 + 2, 5 * 6 * (3 + 2))
    assert cli("import", str(tmp_path / "model.onnx"), "--check").exit_code == 0


@pytest.mark.parametrize(("slopes", "params"), [((6,), 6), ((1,), 1), ((6, 1), 6), ((4, 6), 24), ((6, 4, 1), 24)])
def test_slopes_are_weights_and_imported(tmp_path: Path, cli: Command, slopes: tuple[int, ...], params: int) -> None:
    sizes = {(6,): (6,), (1,): (6,), (6, 1): (6, 5), (4, 6): (3, 4, 6), (6, 4, 1): (6, 4, 5)}[slopes]
    node = pb.node("PRelu", ("x", "p"), ("y",))
    assert counts(built(tmp_path, node, weight("p", *slopes), entering("x", 1, *sizes), leaving("y"))) == (params, 0)
    assert cli("import", str(tmp_path / "model.onnx"), "--check").exit_code == 0


def test_constants_that_are_joined_again_and_again_take_no_time(tmp_path: Path) -> None:
    """Sums and joins of a constant with itself: 2^48 ways lead back to it, which are walked once each."""
    nodes = [pb.node("Add", (f"a{k}", f"a{k}"), (f"a{k + 1}",)) for k in range(48)]
    nodes += [pb.node("Concat", (f"b{k}", f"b{k}"), (f"b{k + 1}",), integer("axis", 0)) for k in range(48)]
    nodes.append(pb.node("GRU", ("x", "w", "r", "", "", "a48"), ("h",)))
    nodes += [pb.node("ReduceSum", ("b48",), ("s",), integer("keepdims", 0)), pb.node("Add", ("h", "s"), ("y",))]
    weights = (weight("w", 1, 6, 3), weight("r", 1, 6, 2), filled("a0", (1, 1, 2), 0, 0), weight("b0", 5000))
    graph = built(tmp_path, *nodes, *weights, entering("x", 5, 1, 3), leaving("y"))
    assert counts(graph) == (18 + 12 + 2 + 5000, 5 * 6 * (3 + 2))
