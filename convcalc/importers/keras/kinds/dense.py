"""Products with a learned matrix, or of two tensors: dense layers of any axes, embeddings, dot products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.arith import prod
from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output, natural
from convcalc.importers.keras.kinds.activations import activated
from convcalc.importers.keras.kinds.layers import elementwise_inputs
from convcalc.importers.keras.settings import bad, integer


def dense(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    bias = call.config.flag("use_bias", True)
    return activated(call, call.add("linear", x, out=call.config.positive("units"), bias=bias, axis=-1))


def embedding(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    rank = len(x.order)
    config = call.config
    x = call.add("embedding", x, vocab=config.positive("input_dim"), dim=config.positive("output_dim"))
    shape = call.net.builder.shape(x.handle)
    if rank < len(shape) - 1:  # one token has no axis of its own
        return call.reshaped(LayerTensor(x.handle, natural(len(shape))), shape[-1:], "reshape")
    return x._replace(order=natural(rank + 1))


def reversible_embedding(call: LayerCall) -> Output:
    """A table, and the linear layer of its transpose; or of another one, unless they are tied."""
    config = call.config
    if not call.argument(1, "reverse", False):
        return embedding(call)
    x = call.natural(call.tensor)
    tied = config.flag("tie_weights", True)
    return call.add("linear", x, name="" if tied else "reverse", out=config.positive("input_dim"), bias=False, axis=-1)


def scale(call: LayerCall) -> Output:
    """A learned factor for each channel."""
    return call.add("scale", call.tensor, axis=call.axis(call.tensor, -1))


def dot(call: LayerCall) -> Output:
    """Products summed over one axis of each, for every pair of the other cells."""
    if len(call.tensors) != 2:
        raise bad("two tensors enter a dot product")
    left, right = map(call.natural, call.tensors)
    axes = call.config.get("axes")
    first, second = axes if isinstance(axes, list) and len(axes) == 2 else (axes, axes)
    places = [call.place(first, len(left.order)), call.place(second, len(right.order))]
    if len(left.order) == len(right.order) == 1:
        row = call.reshaped(left, (1, *call.shape(left)), "row")
        column = call.reshaped(right, (*call.shape(right), 1), "column")
        return call.reshaped(call.add("matmul", row, column), (1,), "reshape")
    letters = iter("abcdefghijklmnopqrstuvwxy")
    terms = [[next(letters) for _ in each.order] for each in (left, right)]
    for term, place in zip(terms, places, strict=True):
        term[place] = "z"
    rest = [letter for term in terms for letter in term if letter != "z"]
    equation = f"{''.join(terms[0])},{''.join(terms[1])}->{''.join(rest)}"
    return call.add("einsum", left, right, equation=equation, order=natural(len(rest)))


def einsum_dense(call: LayerCall) -> Output:
    """A product with a kernel whose shape the equation says; ``...`` stands for the axes in front."""
    x, config = call.natural(call.tensor), call.config
    entering, kernel, leaving = _terms(config.text("equation"), len(x.order) - call.lead)
    sizes = dict(zip(entering, call.shape(x)[call.lead :], strict=True))
    given = config.get("output_shape")
    entries = [given] if isinstance(given, int) else config.entries("output_shape")
    shape: list[Any] = [None if size is None else integer("output_shape", size) for size in entries]
    if "..." in config.text("equation"):
        shape = [None] * (len(leaving) - len(shape)) + shape
    if len(shape) != len(leaving):
        raise bad(f"output_shape has {len(shape)} sizes for {len(leaving)} letters behind the batch")
    for letter, size in zip(leaving, shape, strict=True):
        sizes.setdefault(letter, size)
    missing = [letter for letter in kernel if sizes.get(letter) is None]
    if missing:
        raise bad(f"the size of {missing[0]} in the equation is not known")
    inner = entering[len(entering) - len(set(entering) & set(kernel)) :]
    new = [each for each in leaving if each in kernel]
    if kernel == inner + new and leaving == entering[: len(entering) - len(inner)] + new and inner and new:
        return activated(call, _as_linear(call, x, len(inner), [sizes[each] for each in new], new))
    kernel_shape = tuple(sizes[each] for each in kernel)
    weights = call.add("param", x, name="kernel", shape=kernel_shape, order=natural(len(kernel)))
    lead = "ABCDEFGH"[: call.lead]
    spelled = ["".join(term) for term in (entering, kernel, leaving)]
    order = natural(call.lead + len(leaving) or 1)
    x = call.add("einsum", x, weights, equation=f"{lead}{spelled[0]},{spelled[1]}->{lead}{spelled[2]}", order=order)
    return activated(call, _biased(call, x, leaving, sizes))


def _as_linear(call: LayerCall, x: LayerTensor, inner: int, shape: list[int], letters: list[str]) -> LayerTensor:
    """Return the product of the last axes with a matrix, whose columns are several axes of the output."""
    biased = call.config.text("bias_axes")
    whole = sorted(biased) == sorted(letters)
    if inner > 1:
        x = call.add("flatten", x, name="flatten", start=-inner, order=natural(len(x.order) - inner + 1))
    x = call.add("linear", x, out=prod(shape), bias=whole, axis=-1)
    rows = call.shape(x)[:-1]
    x = call.reshaped(x, (*rows, *shape), "reshape") if len(shape) > 1 else x
    return x if whole else _biased(call, x, letters, dict(zip(letters, shape, strict=True)))


def _biased(call: LayerCall, x: LayerTensor, leaving: Sequence[str], sizes: dict[str, Any]) -> LayerTensor:
    letters = call.config.text("bias_axes")
    if not letters:
        return x
    if any(letter not in leaving for letter in letters):
        raise bad(f"bias_axes {letters!r} are not letters of the output")
    first = min(leaving.index(letter) for letter in letters)
    shape = tuple(sizes[letter] if letter in letters else 1 for letter in leaving[first:])
    bias = call.add("param", x, name="bias", shape=shape, order=natural(len(shape)))
    return call.add("add", *elementwise_inputs(call, [x, bias]), name="add")


def _terms(equation: str, rank: int) -> tuple[list[str], list[str], list[str]]:
    """Return the letters of input, kernel and output, without the batch."""
    left, arrow, leaving = equation.replace(" ", "").partition("->")
    entering, comma, kernel = left.partition(",")
    spare = iter("QRSTUVWXYZ"[: max(0, rank + 1 - len(entering.replace("...", "")))])
    if "..." in entering:
        dots = "".join(spare)
        entering, leaving = entering.replace("...", dots), leaving.replace("...", dots)
    words = (entering, kernel, leaving)
    if not (arrow and comma) or not all(word.isalpha() for word in words) or len(entering) != rank + 1:
        raise bad(f"the equation {equation!r} is not that of an input of {rank} axes and a kernel")
    if entering[0] != leaving[0] or entering[0] in kernel:
        raise SpecError("CC761", "an equation that works across the batch is not counted")
    return list(entering[1:]), list(kernel), list(leaving[1:])
