"""Layers that are not read, and what is checked of those that are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.arith import Number
from convcalc.errors import SpecError, quoted
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output, natural
from convcalc.importers.keras.kinds.table import OPERATIONS
from convcalc.importers.keras.network import shape_when_built
from convcalc.shapes import Shape

NO_WEIGHTS = ("Lambda",)
"""Classes that run code of the user, but have no weights."""


def opaque(call: LayerCall) -> Output:
    """Add a layer of unknown cost, with the shapes that Keras has written down for what leaves it."""
    inputs = call.tensors
    outputs: list[LayerTensor] = []
    while len(outputs) <= 64 and (recorded := call.recorded(len(outputs))) is not None:
        outputs.append(_opaque(call, inputs, recorded, len(outputs)))
    if not outputs:
        shape = call.config.get("output_shape")  # that a Lambda states
        if not isinstance(shape, list) or not all(size is None or isinstance(size, int) for size in shape):
            raise _unknown(call)
        outputs = [_opaque(call, inputs, [None, *shape], 0)]
    return outputs if len(outputs) > 1 else outputs[0]


def _opaque(call: LayerCall, inputs: Sequence[LayerTensor], recorded: Any, index: int) -> LayerTensor:
    path = call.at(f"output{index}" if index else "")
    operation = str(call.raw.get("registered_name") or call.class_name)
    handles = [each.handle for each in inputs]
    sizes, order = _resolved(call, inputs[0], recorded)
    weightless = operation in NO_WEIGHTS or str(call.raw.get("module")).startswith(OPERATIONS)
    params = 0 if weightless or index else None
    return LayerTensor(call.net.builder.opaque(call.path, operation, handles, sizes, path=path, params=params), order)


def _resolved(call: LayerCall, x: LayerTensor, recorded: Any) -> tuple[tuple[Number, ...], tuple[int, ...]]:
    """Return the shape that Keras has written down, where what enters is what entered then."""
    built = _built_shape(call)
    known = isinstance(recorded, list) and all(type(size) is int and size > 0 for size in recorded[1:])
    if not known or (tuple(built[1:]) != call.shape(x) if built else not call.net.as_saved):
        raise _unknown(call)
    out = tuple(recorded[1:])
    if out == call.shape(x):
        return tuple(call.net.builder.shape(x.handle)), x.order
    return out or (1,), natural(len(out))


def _unknown(call: LayerCall) -> SpecError:
    name = quoted(str(call.raw.get("registered_name") or call.class_name))
    text = f"the shape that leaves a layer of the class {name} is not known: its code is not run"
    hint = "save the model without that layer, or with fixed sizes (Input(shape=(224, 224, 3))); or export it to ONNX"
    return SpecError("CC767", text, hint=hint)


def _built_shape(call: LayerCall) -> list[Any] | None:
    shape = shape_when_built(call.raw)
    is_shape = isinstance(shape, list) and shape and all(size is None or type(size) is int for size in shape)
    return shape if is_shape else None


def require_plain(call: LayerCall) -> None:
    """Refuse weights that are not those of the layer itself."""
    config = call.raw.get("config")
    if not isinstance(config, Mapping):
        return
    if config.get("lora_rank") is not None:
        raise SpecError("CC761", "the layer has LoRA weights, which are not counted; merge them before saving")
    policy = config.get("dtype")
    if config.get("quantization_config") is not None or (
        isinstance(policy, Mapping) and str(policy.get("class_name")).startswith("Quantized")
    ):
        raise SpecError("CC761", "the layer is quantized, which is not read; give the model from before")


def check_built(call: LayerCall) -> None:
    """Warn where what enters is not what entered when Keras built the layer."""
    built, net = _built_shape(call), call.net
    if built is None or call.lead or not net.as_saved or call.key in net.checked or len(call.tensors) != 1:
        return
    net.checked.add(call.key)
    actual = call.shape(call.tensor)
    known = [pair for pair in zip(built[1:], actual, strict=False) if all(type(size) is int for size in pair)]
    if len(built) - 1 != len(actual) or any(old != new for old, new in known):
        shown = ", ".join("?" if size is None else str(size) for size in built[1:])
        text = f"Keras built the layer for [{shown}], and here {Shape(actual)} enters"
        net.builder.warnings.append(SpecError("CC805", text, net.builder.span(call.path)))
