"""Layers that multiply matrices: linear layers, products of activations, equations and recurrent layers."""

from __future__ import annotations

from convcalc.arith import Number, equal, floordiv, prod, require
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.nodes.written_out import behind, fuse, read_beside
from convcalc.importers.onnx.values import (
    MADE_OR_FOLDED,
    Sizes,
    Value,
    broadcast,
    has_batch,
    is_one,
    padded,
    without_fill,
)
from convcalc.shapes import Shape


def matmul(call: NodeCall) -> None:
    """MatMul: a linear layer where the second operand is a matrix of the file, else a product of two tensors."""
    multiply(call, call.require(0), call.require(1), call.input(2) if call.op == "MatMulWithBias" else None)


def multiply(call: NodeCall, left: Value, right: Value, bias: Value | None = None) -> None:
    """Multiply two tensors, and add a bias."""
    left = without_fill(left)
    if right.is_constant and right.key and len(right.shape) == 2:
        linear(call, left, right, right.shape, bias or _bias_behind(call, right.shape[1]))
        return
    a = left.shape if len(left.shape) > 1 else (1, *left.shape)
    b = right.shape if len(right.shape) > 1 else (*right.shape, 1)
    leading = broadcast(a[:-2] or (1,), b[:-2] or (1,))
    rank, inner = max(len(a), len(b)), (a[-1], b[-2])
    require(equal(*inner), "CC405", "the inner axes of {} and {} differ", Shape(left.shape), Shape(right.shape))
    cut = rank > 2 and is_one(leading[0])
    handles = [call.view(call.handle(value), padded(sizes, rank)[cut:]) for value, sizes in ((left, a), (right, b))]
    handle = call.add("matmul", *handles)
    sizes = (*(leading if rank > 2 else ()), a[-2], b[-1])
    if len(right.shape) == 1:
        sizes = sizes[:-1]
    if len(left.shape) == 1:
        sizes = (*sizes[:-2], sizes[-1]) if len(right.shape) > 1 else sizes[:-1]
    call.put(0, handle, sizes)
    if bias is not None:
        add_to_output(call, bias)


def linear(call: NodeCall, x: Value, matrix: Value, sizes: Sizes, bias: Value | None) -> None:
    """Add a linear layer of a matrix [in, out], whose bias has one number for each output."""
    inner, out = sizes
    fits, text = equal(x.shape[-1], inner), "the features of {} meet a matrix of {}"
    require(fits, "CC405", text, Shape(x.shape), Shape(sizes))
    handle = call.handle(x)
    is_bias = bias is not None and bias.is_constant and bool(bias.key) and equal(prod(bias.shape), out) is True
    held = {"weight": (matrix, Shape((out, inner)))}
    if is_bias and bias is not None:
        held["bias"] = (bias, Shape((out,)))
    axis = -1 if call.shape(handle).rank > 2 else None
    handle = call.add("linear", handle, out=out, bias=is_bias, axis=axis, weights=held)
    call.put(0, handle, (*x.shape[:-1], out))
    if bias is not None and not is_bias:
        add_to_output(call, bias)


def _bias_behind(call: NodeCall, out: Number) -> Value | None:
    """Return the constant that only an Add behind the product adds to it: the bias of one layer."""
    chain = behind(call, "Add") if call.op == "MatMul" and call.opset >= 7 else ()
    for other in read_beside(chain):
        value = call.scope.find(other)
        if value is not None and value.key and value.is_constant and len(value.shape) == 1:
            return value if equal(value.shape[0], out) is True and fuse(call, chain) else None
    return None


def add_to_output(call: NodeCall, value: Value) -> None:
    """Add a tensor to the first output."""
    sizes = broadcast(call.result.shape, value.shape)
    is_nothing = value.is_constant and not value.is_learned and not value.key  # and so no branch
    branches = [call.result] if is_nothing else [call.result, value]
    handles = [call.aligned(each, len(sizes), cut=has_batch(sizes)) for each in branches]
    call.put(0, call.beside("add", *handles), sizes)


def gemm(call: NodeCall) -> None:
    """Gemm: A·B + C, each of the first two transposed by a flag; the factors alpha and beta are not counted."""
    a, b, c = call.require(0), call.require(1), call.input(2)
    if call.attribute("transA", 0):
        a = transposed(call, a)
    if b.is_constant and b.key:
        sizes = b.shape[::-1] if call.attribute("transB", 0) else b.shape
        linear(call, without_fill(a), b, sizes, c)
        return
    if call.attribute("transB", 0):
        b = transposed(call, b)
    multiply(call, a, b, c)


def transposed(call: NodeCall, value: Value) -> Value:
    """Return a value with its last two axes in the other order."""
    *leading, rows, columns = value.shape
    sizes, rank = (*leading, columns, rows), len(value.shape)
    if is_one(rows) or is_one(columns):
        return call.viewed(value, sizes)
    axes = (*range(rank - 2), rank - 1, rank - 2)
    return call.viewed(value, sizes, call.beside("permute", call.whole(value), axes=axes))


def einsum(call: NodeCall) -> None:
    """Einsum. A letter that all operands begin with is the batch, and left out."""
    equation = str(call.attribute("equation")).replace(" ", "")
    terms, arrow, output = equation.partition("->")
    operands = terms.split(",")
    values = [call.require(place) for place in range(len(operands))]
    letter = operands[0][:1]
    if letter.isalpha() and arrow and _is_batch(letter, operands, output, values):
        operands = [term[term.startswith(letter) :] for term in operands]
        handle = call.add("einsum", *map(call.handle, values), equation=f"{','.join(operands)}->{output[1:]}")
        call.put(0, handle, (1, *call.shape(handle)))
        return
    handles = list(map(call.whole, values))
    spare = next(each for each in LETTERS if each not in equation)
    if _is_scalar(operands, arrow, output):  # an axis of size 1 in place of none
        ones = (call.view(each, (1, *value.shape)) for each, value in zip(handles, values, strict=True))
        equation = ",".join(spare + term for term in operands)
        call.put(0, call.add("einsum", *ones, equation=f"{equation}->{spare}"), ())
        return
    handle = call.add("einsum", *handles, equation=equation)
    call.put(0, handle, tuple(call.shape(handle)))


LETTERS = "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba"


def _is_scalar(operands: list[str], arrow: str, output: str) -> bool:
    letters = "".join(operands)
    return not output and (bool(arrow) or all(letters.count(letter) > 1 for letter in letters))


def _is_batch(letter: str, operands: list[str], output: str, values: list[Value]) -> bool:
    if not output.startswith(letter) or len(output) < 2 or letter in output[1:]:
        return False
    for term, value in zip(operands, values, strict=True):
        if letter in term[1:] or len(term) < 2 or has_batch(value.shape) != term.startswith(letter):
            return False
    return True


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def recurrent(call: NodeCall) -> None:
    """LSTM, GRU and RNN: X [steps, batch, in], W, R, B, lengths, states and, of an LSTM, P."""
    x, entering, hidden = call.require(0), call.require(1), call.require(2)
    directions, size = hidden.shape[0], hidden.shape[2]
    by_batch = call.attribute("layout", 0)
    batch, steps = (x.shape[0], x.shape[1]) if by_batch else (x.shape[1], x.shape[0])
    features = x.shape[2]
    for size_of, wanted in zip(entering.shape[1:], (GATES[call.op] * size, features), strict=True):
        require(equal(size_of, wanted), "CC405", "its matrix {} does not fit {}", Shape(entering.shape), Shape(x.shape))
    bias, peepholes = call.input(3), call.input(7)
    rows = call.view(call.handle(x), (batch * steps, features))  # sequences of a batch behind each other
    states = _states(call)
    held = {"input": entering, "hidden": hidden, "bias": bias, "peephole": peepholes}
    handle = call.add(
        call.op.lower(), rows, *(call.view(each, (size,)) for each in states if is_one(batch) and is_one(directions)),
        hidden=size, bidirectional=equal(directions, 2) is True, bias=bias is not None,
        peepholes=peepholes is not None or None,
        weights={name: (value, Shape(value.shape)) for name, value in held.items() if value is not None},
    )  # fmt: skip
    axes = (batch, steps, directions, size) if by_batch else (steps, directions, batch, size)
    state = (batch, directions, size) if by_batch else (directions, batch, size)
    last = handle
    if any(call.node.outputs[1:]):
        last = call.beside("slice", handle, stop=batch)  # as large as the last states
    for place in range(1, min(3, len(call.outputs))):
        if call.node.outputs[place]:
            call.put(place, last, state)
    call.put(0, handle, axes)


def _states(call: NodeCall) -> list[int]:
    """Return the layers of the first states, where these are no zeros; parameters among them are rows of their own."""
    given = [call.input(place) for place in (5, 6)[: 2 if call.op == "LSTM" else 1]]
    values = [without_fill(value) for value in given if value is not None and value.sizes is not None]
    handles = [call.handle(value) for value in values if not value.is_constant or _is_state(value)]
    return handles if len(handles) == len(given) else []


def _is_state(value: Value) -> bool:
    """Whether a constant is a learned first state: none that an exporter wrote in numbers that are not read."""
    return value.is_learned and (bool(value.elements) or not MADE_OR_FOLDED.fullmatch(value.name))


def scores(call: NodeCall) -> None:
    """LinearRegressor and LinearClassifier of ``ai.onnx.ml``: a linear layer whose weights are attributes."""
    x, has_labels = call.require(0), call.op == "LinearClassifier"
    weights = len(call.integers("coefficients"))
    out, has_bias = floordiv(weights, x.shape[-1]), bool(call.integers("intercepts"))
    rows = call.add("linear", call.handle(x), out=out, bias=has_bias)
    classes = len(call.attribute("classlabels_ints") or call.attribute("classlabels_strings") or ())
    sizes = (*x.shape[:-1], call.shape(rows)[-1])
    if has_labels and equal(sizes[-1], classes) is not True:  # the scores of two classes from one row
        rows, sizes = call.beside("broadcast", rows, shape=(*call.shape(rows)[:-1], classes)), (*sizes[:-1], classes)
    call.put(int(has_labels), rows, sizes)
    if has_labels:
        call.put(0, call.beside("reduce", rows, type="argmax", axis=-1), x.shape[:-1])
