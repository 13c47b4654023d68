"""Norms, what they learn and what they keep."""

from __future__ import annotations

from convcalc.arith import Number, prod
from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output
from convcalc.importers.keras.kinds.layers import wrapped
from convcalc.importers.keras.settings import bad


def batch_norm(call: LayerCall) -> Output:
    config, x = call.config, call.tensor
    places = call.axes(x, config.get("axis", -1))
    if len(places) != 1:
        raise bad("a batch norm has one axis")
    if config.flag("renorm", False):
        state(call, x, 3 * call.net.builder.shape(x.handle)[places[0]])
    scale, bias = config.flag("scale", True), config.flag("center", True)
    return call.add("norm", x, type="batch", channel_axis=places[0], scale=scale, bias=bias)


def layer_norm(call: LayerCall) -> Output:
    config, x = call.config, call.tensor
    rms = config.flag("rms_scaling", False)
    axis = call.axes(x, config.get("axis", -1))
    scale, bias = config.flag("scale", True) or rms, config.flag("center", True) and not rms
    return call.add("norm", x, type="rms" if rms else "layer", axis=axis, scale=scale, bias=bias)


def rms_norm(call: LayerCall) -> Output:
    return call.add("norm", call.tensor, type="rms", axis=call.axes(call.tensor, call.config.get("axis", -1)))


def group_norm(call: LayerCall) -> Output:
    config, x = call.config, call.tensor
    axis = call.axis(x, config.get("axis", -1))
    groups: Number = config.number("groups", 32)
    groups = call.net.builder.shape(x.handle)[axis] if groups == -1 else groups
    scale, bias = config.flag("scale", True), config.flag("center", True)
    return call.add("norm", x, type="group", groups=groups, channel_axis=axis, scale=scale, bias=bias)


def unit_norm(call: LayerCall) -> Output:
    """Division by the length, which is an rms norm but for a constant factor."""
    axis = call.axes(call.tensor, call.config.get("axis", -1))
    return call.add("norm", call.tensor, type="rms", axis=axis, affine=False)


def normalization(call: LayerCall) -> Output:
    """Known or learned mean and variance of every cell of some axes, and how many samples were seen."""
    config, x = call.config, call.tensor
    axis = config.get("axis", -1)
    axes = () if axis is None else call.axes(x, axis)
    if config.get("mean") is None:
        sizes = call.net.builder.shape(x.handle)
        state(call, x, 2 * prod([sizes[each] for each in axes]) + 1)
    return call.add("elementwise", x, type="sub")


def state(call: LayerCall, x: LayerTensor, elements: Number) -> None:
    """Add what a layer keeps besides its weights and does not learn."""
    call.add("custom", x, name="state", out=(1,), buffers=elements)


def spectral_norm(call: LayerCall) -> Output:
    """The layer that it wraps, and a vector as long as the last axis of its kernel."""
    inner = call.inner(wrapped(call))
    name, x = inner.class_name, call.tensor
    if name.startswith("Conv") and name.endswith("Transpose"):
        state(call, x, call.net.builder.shape(inner.spatial(x).handle)[0])
    elif key := {"Dense": "units", "Embedding": "output_dim"}.get(name, "filters" if name[:-2] == "Conv" else ""):
        state(call, x, inner.config.positive(key))
    else:
        raise SpecError("CC761", f"spectral normalization of {name} is not read")
    return call.run(inner)
