"""Layers without windows: dense layers, norms, shapes, joins, preprocessing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.arith import Number, prod
from convcalc.errors import SpecError
from convcalc.importers.keras.activations import activated
from convcalc.importers.keras.call import Call, Output, Tensor, channels_first, natural
from convcalc.importers.keras.settings import bad, numbers


def identity(call: Call) -> Output:
    """What changes nothing in inference: noise, masks, random changes of images."""
    return call.tensor


def dense(call: Call) -> Output:
    x = call.natural(call.tensor)
    bias = call.config.flag("use_bias", True)
    return activated(call, call.add("linear", x, out=call.config.positive("units"), bias=bias, axis=-1))


def embedding(call: Call) -> Output:
    x = call.natural(call.tensor)
    rank = len(x.order)
    config = call.config
    x = call.add("embedding", x, vocab=config.positive("input_dim"), dim=config.positive("output_dim"))
    shape = call.net.builder.shape(x.handle)
    if rank < len(shape) - 1:  # one token has no axis of its own
        return call.reshaped(Tensor(x.handle, natural(len(shape))), shape[-1:], "reshape")
    return x._replace(order=natural(rank + 1))


def reversible_embedding(call: Call) -> Output:
    """A table, and the linear layer of its transpose; or of another one, unless they are tied."""
    config = call.config
    if not call.argument(1, "reverse", False):
        return embedding(call)
    x = call.natural(call.tensor)
    tied = config.flag("tie_weights", True)
    path = call.path if tied else f"{call.path}/reverse"
    key = (call.key, "" if tied else "reverse")
    arguments = {"out": config.positive("input_dim"), "bias": False, "axis": -1}
    return x._replace(handle=call.net.builder.add(path, "linear", x.handle, weights=key, **arguments))


def dropout(call: Call) -> Output:
    rate = call.config.get("rate", 0.5)
    if not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise bad("rate is not a number from 0 to 1")
    return call.add("dropout", call.tensor, p=rate)


# --- norms ------------------------------------------------------------------------------------------------------------


def batch_norm(call: Call) -> Output:
    config, x = call.config, call.tensor
    axis = config.get("axis", -1)
    places = call.axes(x, axis)
    if len(places) != 1:
        raise bad("a batch norm has one axis")
    if config.flag("renorm", False):
        state(call, x, 3 * call.net.builder.shape(x.handle)[places[0]])
    learned = {"scale": config.flag("scale", True), "bias": config.flag("center", True)}
    return call.add("norm", x, type="batch", channel_axis=places[0], **learned)


def layer_norm(call: Call) -> Output:
    config, x = call.config, call.tensor
    rms = config.flag("rms_scaling", False)
    axis = call.axes(x, config.get("axis", -1))
    scale, bias = config.flag("scale", True) or rms, config.flag("center", True) and not rms
    return call.add("norm", x, type="rms" if rms else "layer", axis=axis, scale=scale, bias=bias)


def rms_norm(call: Call) -> Output:
    return call.add("norm", call.tensor, type="rms", axis=call.axes(call.tensor, call.config.get("axis", -1)))


def group_norm(call: Call) -> Output:
    config, x = call.config, call.tensor
    axis = call.axis(x, config.get("axis", -1))
    groups: Number = config.number("groups", 32)
    groups = call.net.builder.shape(x.handle)[axis] if groups == -1 else groups
    learned = {"scale": config.flag("scale", True), "bias": config.flag("center", True)}
    return call.add("norm", x, type="group", groups=groups, channel_axis=axis, **learned)


def unit_norm(call: Call) -> Output:
    """Division by the length, which is an rms norm but for a constant factor."""
    axis = call.axes(call.tensor, call.config.get("axis", -1))
    return call.add("norm", call.tensor, type="rms", axis=axis, affine=False)


def normalization(call: Call) -> Output:
    """Known or learned mean and variance of every cell of some axes, and how many samples were seen."""
    config, x = call.config, call.tensor
    axis = config.get("axis", -1)
    axes = () if axis is None else call.axes(x, axis)
    if config.get("mean") is None:
        sizes = call.net.builder.shape(x.handle)
        state(call, x, 2 * prod([sizes[each] for each in axes]) + 1)
    return call.add("elementwise", x, type="sub")


def state(call: Call, x: Tensor, elements: Number) -> None:
    """Add what a layer keeps besides its weights and does not learn."""
    call.add("custom", x, name="state", out=(1,), buffers=elements)


def spectral_norm(call: Call) -> Output:
    """The layer that it wraps, and a vector as long as the last axis of its kernel."""
    inner = call.inner(wrapped(call))
    name, x = str(inner.raw.get("class_name")), call.tensor
    if name.startswith("Conv") and name.endswith("Transpose"):
        state(call, x, call.net.builder.shape(inner.spatial(x).handle)[0])
    elif key := {"Dense": "units", "Embedding": "output_dim"}.get(name, "filters" if name[:-2] == "Conv" else ""):
        state(call, x, inner.config.positive(key))
    else:
        raise SpecError("CC761", f"spectral normalization of {name} is not read")
    return call.run(inner)


def scale(call: Call) -> Output:
    """A learned factor for each channel."""
    return call.add("scale", call.tensor, axis=call.axis(call.tensor, -1))


# --- shapes -----------------------------------------------------------------------------------------------------------


def flatten(call: Call) -> Output:
    x = call.tensor if not call.lead else call.natural(call.tensor)
    rank = len(x.order)
    if rank == call.lead:
        return call.reshaped(x, (*call.shape(x), 1))
    if rank == call.lead + 1:
        return x
    return call.add("flatten", x, start=call.lead, order=natural(call.lead + 1))


def reshape(call: Call) -> Output:
    return to_shape(call, call.tensor, numbers("target_shape", call.config.get("target_shape")))


def to_shape(call: Call, x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a tensor of another shape; a vector as one cell of an image has its channels first at once."""
    led = call.shape(x)[: call.lead]
    if len(x.order) == 1 and len(shape) > 2 and all(size == 1 for size in shape[:-1]):
        order = channels_first(len(shape))
        ours = [1] * len(shape)
        ours[0] = shape[-1]
        return call.add("reshape", x, shape=tuple(ours), order=order)
    return call.reshaped(x, (*led, *shape))


def permute(call: Call) -> Output:
    x = call.tensor
    dims = numbers("dims", call.config.get("dims"))
    if sorted(dims) != list(range(1, len(x.order) - call.lead + 1)):
        raise bad(f"dims are not the axes 1 to {len(x.order) - call.lead}")
    return permuted(call, x, [*range(call.lead), *(axis - 1 + call.lead for axis in dims)])


def permuted(call: Call, x: Tensor, places: Sequence[int]) -> Tensor:
    """Return a tensor whose axes stand in another order, which is then that of Keras."""
    return call.add("permute", x, axes=[x.order[place] for place in places], order=natural(len(places)))


def repeat_vector(call: Call) -> Output:
    x = call.natural(call.tensor)
    count = call.config.positive("n")
    *led, size = call.shape(x)
    if led:
        x = call.reshaped(x, (*led, 1, size), "reshape")
    return call.add("broadcast", x, shape=(*led, count, size), order=natural(len(led) + 2))


# --- joins ------------------------------------------------------------------------------------------------------------


def join(kind: str, **arguments: Any) -> Callable[[Call], Output]:
    """Return the handler of a join, element by element."""

    def handle(call: Call) -> Output:
        return call.add(kind, *elementwise_inputs(call, call.tensors), **arguments)

    return handle


def elementwise_inputs(call: Call, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors in one order; those of fewer axes get axes of one cell behind the batch."""
    rank = max(len(each.order) for each in tensors)
    given = []
    for each in tensors:
        if 0 < len(each.order) < rank:
            shape = (*(1,) * (rank - len(each.order)), *call.shape(each))
            each = call.reshaped(each, shape, "reshape")
        given.append(each)
    return call.aligned(given)


def concatenate(call: Call) -> Output:
    inputs = call.aligned(call.tensors)
    return call.add("concat", *inputs, axis=call.axis(inputs[0], call.config.get("axis", -1)))


def dot(call: Call) -> Output:
    """Products summed over one axis of each, for every pair of the other cells."""
    left, right = (call.natural(each) for each in call.tensors[:2])
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


# --- preprocessing ----------------------------------------------------------------------------------------------------


def rescaling(call: Call) -> Output:
    return call.add("mul", call.tensor)


def encoding(call: Call) -> Output:
    """How often each of some categories occurs among the last axis, or which it is."""
    x, config = call.natural(call.tensor), call.config
    size = config.positive("num_tokens")
    shape = call.shape(x)
    kept = shape if config.text("output_mode", "multi_hot") == "one_hot" and shape[-1:] != (1,) else shape[:-1]
    out = (*kept, size)
    return call.add("custom", x, out=out, order=natural(len(out)))


def looked_up(call: Call) -> Output:
    """A number for each element: the place in a list, a hash, or a bin."""
    if call.config.text("output_mode", "int") != "int":
        raise SpecError("CC761", f"{call.raw.get('class_name')}: only the output mode int is read")
    return call.add("custom", call.tensor)


def pipeline(call: Call) -> Output:
    x: Any = call.tensor
    for raw in call.config.get("layers") or ():
        x = call.run(call.inner(raw, str(raw.get("config", {}).get("name", "layer")), args=[x], kwargs={}))
    return x  # type: ignore[no-any-return]


def wrapped(call: Call) -> Any:
    raw = call.config.get("layer")
    if not isinstance(raw, dict):
        raise bad("the layer that it wraps is missing")
    return raw


def wrapper(call: Call) -> Output:
    return call.run(call.inner(wrapped(call)))


def time_distributed(call: Call) -> Output:
    """The layer at every step of the first axis: all its axes lie one further."""
    return call.run(call.inner(wrapped(call), lead=call.lead + 1))


# --- dense layers of any axes -----------------------------------------------------------------------------------------


def einsum_dense(call: Call) -> Output:
    """A product with a kernel whose shape the equation says; ``...`` stands for the axes in front."""
    x, config = call.natural(call.tensor), call.config
    entering, kernel, leaving = _terms(config.text("equation"), len(x.order) - call.lead)
    sizes = dict(zip(entering, call.shape(x)[call.lead :], strict=True))
    given = config.get("output_shape")
    shape = [given] if isinstance(given, int) else list(given or ())
    shape = [None] * (len(leaving) - len(shape)) + shape if "..." in config.text("equation") else shape
    if len(shape) != len(leaving):
        raise bad(f"output_shape has {len(shape)} sizes for {len(leaving)} letters behind the batch")
    for letter, size in zip(leaving, shape, strict=True):
        sizes.setdefault(letter, size)
    missing = [letter for letter in kernel if sizes.get(letter) is None]
    if missing:
        raise bad(f"the size of {missing[0]} in the equation is not known")
    inner, new = entering[len(entering) - len(set(entering) & set(kernel)) :], [each for each in leaving if each in kernel]
    if kernel == inner + new and leaving == entering[: len(entering) - len(inner)] + new and inner and new:
        return activated(call, _as_linear(call, x, len(inner), [sizes[each] for each in new], new))
    weights = call.add("param", x, name="kernel", shape=tuple(sizes[each] for each in kernel), order=natural(len(kernel)))
    lead = "ABCDEFGH"[: call.lead]
    spelled = ["".join(term) for term in (entering, kernel, leaving)]
    order = natural(call.lead + len(leaving) or 1)
    x = call.add("einsum", x, weights, equation=f"{lead}{spelled[0]},{spelled[1]}->{lead}{spelled[2]}", order=order)
    return activated(call, _biased(call, x, leaving, sizes))


def _as_linear(call: Call, x: Tensor, inner: int, shape: list[int], letters: list[str]) -> Tensor:
    """Return the product of the last axes with a matrix, whose columns are several axes of the output."""
    biased = call.config.text("bias_axes")
    whole = sorted(biased) == sorted(letters)
    x = call.add("flatten", x, name="flatten", start=-inner, order=natural(len(x.order) - inner + 1)) if inner > 1 else x
    x = call.add("linear", x, out=prod(shape), bias=whole, axis=-1)
    rows = call.shape(x)[:-1]
    x = call.reshaped(x, (*rows, *shape), "reshape") if len(shape) > 1 else x
    return x if whole else _biased(call, x, letters, dict(zip(letters, shape, strict=True)))


def _biased(call: Call, x: Tensor, leaving: Sequence[str], sizes: dict[str, Any]) -> Tensor:
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


