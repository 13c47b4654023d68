"""Recurrent layers: their cells, what they return, both directions, and convolutional ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.arith import Number, prod
from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output, channels_first, natural, tensors_in
from convcalc.importers.keras.settings import LayerSettings, bad
from convcalc.ops.make import make
from convcalc.shapes import Shape

KINDS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
STATES = {"lstm": 2, "gru": 1, "rnn": 1}
MERGES = {"sum": ("add", None), "mul": ("mul", None), "ave": ("elementwise", "mean")}


def recurrent(call: LayerCall) -> Output:
    """A layer with a cell of its own, or ``RNN`` with one cell or a stack of them."""
    x, states = _entering(call)
    cells = _cells(call.raw)
    found: list[LayerTensor] = []
    for number, cell in enumerate(cells):
        name = "" if len(cells) == 1 else f"cell{number + 1}"
        x = _run_cell(call, x, cell, name, states)
        found += [x] * STATES[_kind(cell)]
        states = []
    return _returned(call, x, found)


def _entering(call: LayerCall) -> tuple[LayerTensor, list[LayerTensor]]:
    """Return the sequence, and the first states, which may follow it in a list."""
    first = call.args[0] if call.args else call.argument(0, "sequences")
    sequence, *states = list(tensors_in([first])) or [call.tensor]
    states += tensors_in([call.argument(1, "initial_state")])
    return call.natural(sequence), states


def _cells(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the layers whose settings are those of cells, in order."""
    if _has_cell(raw):
        return [raw]
    cell = LayerSettings(raw.get("config")).get("cell")
    stack = cell if isinstance(cell, list) else [cell]
    cells: list[Mapping[str, Any]] = []
    for each in stack:
        if isinstance(each, Mapping) and each.get("class_name") == "StackedRNNCells":
            cells += [one for one in LayerSettings(each.get("config")).entries("cells") if isinstance(one, Mapping)]
        elif isinstance(each, Mapping):
            cells.append(each)
    for each in cells:
        if str(each.get("class_name")).removesuffix("Cell") not in KINDS:
            raise SpecError("CC761", f"a cell of the class {each.get('class_name')} is not read")
    if not cells:
        raise bad("the cell is missing")
    return cells


def _has_cell(raw: Mapping[str, Any]) -> bool:
    """Whether a layer has a cell of its own."""
    return str(raw.get("class_name")) in KINDS


def _kind(cell: Mapping[str, Any]) -> str:
    return KINDS[str(cell.get("class_name")).removesuffix("Cell")]


def _arguments(cell: Mapping[str, Any]) -> dict[str, Any]:
    config, kind = LayerSettings(cell.get("config")), _kind(cell)
    if config.flag("time_major", False):
        raise SpecError("CC761", "time_major is not read")
    single = kind != "gru" or not config.flag("reset_after", True)
    return {"hidden": config.positive("units"), "bias": config.flag("use_bias", True), "single_bias": single}


def _run_cell(
    call: LayerCall, x: LayerTensor, cell: Mapping[str, Any], name: str, states: Sequence[LayerTensor] = ()
) -> LayerTensor:
    """Add a cell that runs over the steps; of several sequences side by side as often as there are."""
    kind, arguments = _kind(cell), _arguments(cell)
    if len(x.order) == 2:
        return call.add(kind, x, *_first(call, states, kind), name=name, **arguments)
    op, shape = make(kind, **arguments), call.shape(x)
    if len(shape) < 3:
        raise SpecError("CC401", f"{kind} needs [steps, features], but its input is {Shape(shape)}")
    inner = Shape(shape[-2:])
    runs = prod(shape[:-2])
    params = sum(weight.elements for weight in op.weights(inner).values())
    macs = runs * sum(product.multiplies for product in op.products(inner))
    out = (*shape[:-2], *op.output(inner))
    return call.add("custom", x, name=name, out=out, params=params, macs=macs, order=natural(len(out)))


def _returned(call: LayerCall, x: LayerTensor, states: Sequence[LayerTensor]) -> Output:
    """Return all steps or the last one, and the states, which are those of the last step."""
    output = x if call.config.flag("return_sequences", False) else _last(call, x, "last")
    if not call.config.flag("return_state", False):
        return output
    known: dict[LayerTensor, LayerTensor] = {x: output} if output is not x else {}
    for state in states:
        if state not in known:
            known[state] = _last(call, state, "state")
    return [output, *(known[state] for state in states)]


def _last(call: LayerCall, x: LayerTensor, name: str) -> LayerTensor:
    *led, _, size = call.shape(x)
    x = call.add("slice", x, name=name, start=-1, axis=len(led))
    return call.reshaped(x, (*led, size), "reshape")


def bidirectional(call: LayerCall) -> Output:
    """A layer in both directions: one op where both are alike and lie side by side, else two layers."""
    config = call.config
    forward = _layer(config.get("layer"), "layer")
    backward = _layer(config.get("backward_layer") or forward, "backward_layer")
    merge = config.get("merge_mode", "concat")
    settings = LayerSettings(forward.get("config"))
    if merge == "concat" and len(call.tensor.order) == 2 and not settings.flag("return_state", False):
        own = [(_kind(each), _arguments(each)) if _has_cell(each) else None for each in (forward, backward)]
        if own[0] is not None and own[0] == own[1]:
            kind, arguments = own[0]
            x, states = _entering(call)
            joined = call.add(kind, x, *_first(call, states, kind), **arguments, bidirectional=True)
            return joined if settings.flag("return_sequences", False) else _last(call, joined, "last")
    sequence, *states = call.tensors + list(tensors_in([call.argument(1, "initial_state")]))
    half = len(states) // 2
    parts = [
        _directed(call, sequence, forward, "forward", states[:half]),
        _directed(call, sequence, backward, "backward", states[half:]),
    ]
    outputs, rest = [part[0] for part in parts], [state for part in parts for state in part[1:]]
    merged = outputs if merge is None else [_merged(call, outputs, str(merge))]
    return [*merged, *rest] if rest or merge is None else merged[0]


def _first(call: LayerCall, states: Sequence[LayerTensor], kind: str) -> list[LayerTensor]:
    """Return the first states of a cell, those of another rank left out."""
    return [call.natural(state) for state in states if len(state.order) == 1][: STATES[kind]]


def _directed(
    call: LayerCall, x: LayerTensor, raw: Mapping[str, Any], name: str, states: Sequence[LayerTensor]
) -> list[LayerTensor]:
    kwargs = {"initial_state": list(states)} if states else {}
    output = call.run(call.inner(raw, name, args=[x], kwargs=kwargs, copy=name))
    return output if isinstance(output, list) else [output]


def _merged(call: LayerCall, outputs: list[LayerTensor], merge: str) -> LayerTensor:
    if merge == "concat":
        return call.add("concat", *outputs, name="merge", axis=outputs[0].order[-1])
    if merge not in MERGES:
        raise bad(f"merge_mode is not known: {merge!r}")
    kind, function = MERGES[merge]
    return call.add(kind, *outputs, name="merge", type=function)


def _layer(value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise bad(f"{key} is missing")
    return value


def convolutional(call: LayerCall) -> Output:
    """``ConvLSTM``: four convolutions of what enters, and four of the state, which keep its size, at every step.

    params = 4·F·(K·C + K·F) + 4·F; multiplies = steps·4·F·Po·K·(C + F).
    """
    config = call.config
    axes = int(call.class_name[-2])
    x, first = call.tensor, config.get("data_format") == "channels_first"
    if len(x.order) - call.lead != axes + 2:
        raise SpecError("CC401", f"{call.class_name} needs {axes + 2} axes without the batch")
    x = call.reordered(x, channels_first(len(x.order), call.lead + 1 if first else -1))
    filters, kernel = config.positive("filters"), config.sizes("kernel_size", axes)
    led, ones = call.lead + 1, (1,) * (call.lead + 1)
    stride, dilation = config.sizes("strides", axes, (1,) * axes), config.sizes("dilation_rate", axes, (1,) * axes)
    window = {"kernel": (*ones, *kernel), "stride": (*ones, *stride), "dilation": (*ones, *dilation)}
    arguments = {"out": 4 * filters, "padding": config.text("padding", "valid").lower()}
    op = make("conv", axes=axes + led, bias=config.flag("use_bias", True), **window, **arguments)
    shape = call.net.builder.shape(x.handle)
    weights = sum(weight.elements for weight in op.weights(shape).values())
    inside: Shape = op.output(shape)
    out = (filters, *inside.spatial)
    macs: Number = op.products(shape)[0].multiplies + prod(out) * prod(kernel) * 4 * filters
    params = weights + 4 * filters * filters * prod(kernel)
    x = call.add("custom", x, out=out, params=params, macs=macs)
    if config.flag("return_sequences", False) and not config.flag("return_state", False):
        return x
    last = call.add("slice", x, name="last", start=-1, axis=led)
    sizes = (*out[:led], *out[led + 1 :])
    order = channels_first(len(sizes), call.lead if first else -1)
    last = call.add("reshape", last, name="reshape", shape=sizes, order=order)
    output = x if config.flag("return_sequences", False) else last
    return [output, last, last] if config.flag("return_state", False) else output
