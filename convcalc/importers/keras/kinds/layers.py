"""Layers without weights: shapes, joins, preprocessing, wrappers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output, channels_first, natural
from convcalc.importers.keras.settings import bad, numbers


def identity(call: LayerCall) -> Output:
    """What changes nothing in inference: noise, masks, random changes of images."""
    return call.tensor


def dropout(call: LayerCall) -> Output:
    rate = call.config.get("rate", 0.5)
    if not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise bad("rate is not a number from 0 to 1")
    return call.add("dropout", call.tensor, p=rate)


def flatten(call: LayerCall) -> Output:
    x = call.tensor if not call.lead else call.natural(call.tensor)
    rank = len(x.order)
    if rank == call.lead:
        return call.reshaped(x, (*call.shape(x), 1))
    if rank == call.lead + 1:
        return x
    return call.add("flatten", x, start=call.lead, order=natural(call.lead + 1))


def reshape(call: LayerCall) -> Output:
    return to_shape(call, call.tensor, numbers("target_shape", call.config.get("target_shape")))


def to_shape(call: LayerCall, x: LayerTensor, shape: Sequence[int]) -> LayerTensor:
    """Return a tensor of another shape; a vector as one cell of an image has its channels first at once."""
    led = call.shape(x)[: call.lead]
    if len(x.order) == 1 and len(shape) > 2 and all(size == 1 for size in shape[:-1]):
        return call.add("reshape", x, shape=(shape[-1], *shape[:-1]), order=channels_first(len(shape)))
    return call.reshaped(x, (*led, *shape))


def permute(call: LayerCall) -> Output:
    x = call.tensor
    dims = numbers("dims", call.config.get("dims"))
    if sorted(dims) != list(range(1, len(x.order) - call.lead + 1)):
        raise bad(f"dims are not the axes 1 to {len(x.order) - call.lead}")
    return permuted(call, x, [*range(call.lead), *(axis - 1 + call.lead for axis in dims)])


def permuted(call: LayerCall, x: LayerTensor, places: Sequence[int]) -> LayerTensor:
    """Return a tensor whose axes stand in another order, which is then that of Keras."""
    return call.add("permute", x, axes=[x.order[place] for place in places], order=natural(len(places)))


def repeat_vector(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    count = call.config.positive("n")
    if len(x.order) != call.lead + 1:
        raise SpecError("CC401", f"RepeatVector needs a vector, and {len(x.order)} axes enter")
    *led, size = call.shape(x)
    if led:
        x = call.reshaped(x, (*led, 1, size), "reshape")
    return call.add("broadcast", x, shape=(*led, count, size), order=natural(len(led) + 2))


def join(kind: str, **arguments: Any) -> Callable[[LayerCall], Output]:
    """Return the handler of a join, element by element."""

    def handle(call: LayerCall) -> Output:
        return call.add(kind, *elementwise_inputs(call, call.tensors), **arguments)

    return handle


def elementwise_inputs(call: LayerCall, tensors: Sequence[LayerTensor]) -> list[LayerTensor]:
    """Return tensors in one order; those of fewer axes get axes of one cell behind the batch."""
    rank = max(len(each.order) for each in tensors)
    return call.aligned(
        call.reshaped(each, (1,) * (rank - len(each.order)) + call.shape(each), "reshape")
        if 0 < len(each.order) < rank
        else each
        for each in tensors
    )


def reduced(call: LayerCall, x: LayerTensor, type_: str, places: Sequence[int], keeps: bool) -> LayerTensor:
    """Return a reduction over some places of the axes of Keras, which are then gone unless it ``keeps`` them."""
    left = [axis for place, axis in enumerate(x.order) if place not in places]
    order = x.order if keeps else tuple(sorted(left).index(axis) for axis in left)
    axes = [x.order[place] for place in places]
    return call.add("reduce", x, type=type_, axis=axes, keepdims=keeps, order=order)


def concatenate(call: LayerCall) -> Output:
    inputs = call.aligned(call.tensors)
    return call.add("concat", *inputs, axis=call.axis(inputs[0], call.config.get("axis", -1)))


def rescaling(call: LayerCall) -> Output:
    return call.add("mul", call.tensor)


def encoding(call: LayerCall) -> Output:
    """How often each of some categories occurs among the last axis, or which it is."""
    x, config = call.natural(call.tensor), call.config
    size = config.positive("num_tokens")
    shape = call.shape(x)
    kept = shape if config.text("output_mode", "multi_hot") == "one_hot" and shape[-1:] != (1,) else shape[:-1]
    out = *kept, size
    return call.add("custom", x, out=out, order=natural(len(out)))


def looked_up(call: LayerCall) -> Output:
    """A number for each element: the place in a list, a hash, or a bin."""
    if call.config.text("output_mode", "int") != "int":
        raise SpecError("CC761", f"{call.class_name}: only the output mode int is read")
    return call.add("custom", call.tensor)


def pipeline(call: LayerCall) -> Output:
    x: Any = call.tensor
    for place, raw in enumerate(call.config.entries("layers")):
        x = call.run(call.inner(raw, f"layer{place + 1}", args=[x], kwargs={}))
    return x  # type: ignore[no-any-return]


def wrapped(call: LayerCall) -> Any:
    raw = call.config.get("layer")
    if not isinstance(raw, dict):
        raise bad("the layer that it wraps is missing")
    return raw


def wrapper(call: LayerCall) -> Output:
    return call.run(call.inner(wrapped(call)))


def time_distributed(call: LayerCall) -> Output:
    """The layer at every step of the first axis: all its axes lie one further."""
    return call.run(call.inner(wrapped(call), lead=call.lead + 1))
