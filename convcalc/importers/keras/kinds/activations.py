"""Activation functions: layers, names in ``activation=``, and operations."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.importers.keras.call import LayerCall, LayerTensor, Output
from convcalc.importers.keras.settings import bad

ACTS = {
    "relu": "relu", "relu6": "relu6", "leaky_relu": "leaky_relu", "elu": "elu", "selu": "selu", "celu": "celu",
    "gelu": "gelu", "silu": "silu", "swish": "silu", "mish": "mish", "sigmoid": "sigmoid", "tanh": "tanh",
    "softplus": "softplus", "softsign": "softsign", "hard_sigmoid": "hardsigmoid", "hard_silu": "hardswish",
    "hard_swish": "hardswish", "hard_tanh": "hardtanh", "hard_shrink": "hardshrink", "soft_shrink": "softshrink",
    "tanh_shrink": "tanhshrink", "threshold": "threshold", "log_sigmoid": "logsigmoid", "squareplus": "softplus",
    "sparse_plus": "softplus", "sparse_sigmoid": "hardsigmoid",
}  # fmt: skip
"""Functions of Keras; those that are only like one of ours in shape and cost have its name."""
SOFTMAX = ("softmax", "log_softmax", "sparsemax")
NONE = (None, "linear")


def activated(call: LayerCall, x: LayerTensor, key: str = "activation") -> LayerTensor:
    """Return what the activation of a layer gives, which is a layer of its own."""
    given = call.config.get(key)
    return x if given in NONE else apply(call, x, given, "act")


def apply(call: LayerCall, x: LayerTensor, given: object, part: str = "") -> LayerTensor:
    """Return what an activation gives: its name, a function, or a layer as Keras writes them."""
    if isinstance(given, Mapping):
        if given.get("class_name") == "function" or isinstance(given.get("config"), str):
            given = given.get("config")
        elif isinstance(given.get("config"), Mapping):
            output = call.run(call.inner(given, part, args=[x], kwargs={}))
            return output[0] if isinstance(output, list) else output
    if not isinstance(given, str):
        raise bad("the activation is neither a name nor a layer")
    name = given.rpartition(">")[2] if given.startswith(("keras", "Keras")) else given
    return named(call, x, name.rpartition(".")[2], part)


def named(call: LayerCall, x: LayerTensor, name: str, part: str = "", axis: object = -1) -> LayerTensor:
    """Return what the activation of a name gives; of an unknown function the cost is not known."""
    if name in NONE:
        return x
    if name in SOFTMAX:
        axes = axis if isinstance(axis, list | tuple) else [axis]
        return call.add("softmax", x, name=part, axis=call.axis(x, axes[-1] if axes else -1))
    if name == "exponential":
        return call.add("elementwise", x, name=part, type="exp")
    if name == "glu":
        return _glu(call, x, axis)
    if name not in ACTS:
        builder = call.net.builder
        shape = builder.shape(x.handle)
        return LayerTensor(builder.opaque(call.at(part), f"activation {name}", [x.handle], shape), x.order)
    return call.add("act", x, name=part, type=ACTS[name])


def _glu(call: LayerCall, x: LayerTensor, axis: object) -> LayerTensor:
    """The first half of an axis times the sigmoid of the other."""
    place = call.axis(x, axis)
    value, gate = (call.add("split", x, name=f"part{part}", into=2, part=part, axis=place) for part in (0, 1))
    return call.add("mul", value, call.add("act", gate, name="act", type="sigmoid"), name="mul")


def activation(call: LayerCall) -> Output:
    return apply(call, call.tensor, call.config.get("activation"))


def relu(call: LayerCall) -> Output:
    config = call.config
    most = config.get("max_value")
    name = "relu" if most is None else "relu6" if most == 6 else "hardtanh"
    sloped = config.get("negative_slope") or config.get("threshold")
    return call.add("act", call.tensor, type="leaky_relu" if sloped else name)


def of_class(call: LayerCall) -> Output:
    """An activation that is a layer, such as ``ELU``."""
    return call.add("act", call.tensor, type=CLASSES[call.class_name])


CLASSES = {"ELU": "elu", "LeakyReLU": "leaky_relu", "ThresholdedReLU": "threshold"}


def softmax(call: LayerCall) -> Output:
    return named(call, call.tensor, "softmax", axis=call.config.get("axis", -1))


def prelu(call: LayerCall) -> Output:
    """One slope for each element, or for each group that shares some axes."""
    x = call.tensor
    shape = list(call.net.builder.shape(x.handle))
    for place in range(call.lead):
        shape[x.order[place]] = 1
    shared = call.config.get("shared_axes")
    for axis in call.axes(x, shared) if shared else ():
        shape[axis] = 1
    return call.add("act", x, type="prelu", slopes=tuple(shape))


def by_name(call: LayerCall) -> Output:
    """An operation that is an activation: ``HardSilu`` is ``hard_silu``."""
    name = "".join(f"_{c.lower()}" if c.isupper() and place else c.lower() for place, c in enumerate(call.class_name))
    axis = call.kwargs.get("axis", call.config.get("axis", -1))
    return named(call, call.tensor, name, axis=axis)
