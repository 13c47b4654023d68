"""Models of Keras, run layer by layer: functional ones as graphs of calls, sequential ones in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc.errors import quoted
from convcalc.importers.keras.call import Call, Output, Tensor
from convcalc.importers.keras.network import Network, Node, Raw, Reference, damaged, layers_of, name_of
from convcalc.records import replace


def run_functional(call: Call, network: Network, given: Sequence[Tensor]) -> dict[str, Tensor]:
    """Run a functional model on its inputs and return its outputs by name."""
    if len(given) != len(network.inputs):
        raise damaged(f"{len(given)} tensors enter a model of {len(network.inputs)} inputs")
    known: dict[tuple[str, int], list[Tensor]] = {
        (each.layer, each.node): [tensor] for each, tensor in zip(network.inputs, given, strict=True)
    }
    turns: dict[str, int] = {}
    for node in network.nodes:
        if (node.name, node.number) in known:
            continue
        place = f"{call.path}/{node.name}" if call.path else node.name
        args, kwargs = (_filled(each, known) for each in (node.args, node.kwargs))
        turn = turns[node.name] = turns.get(node.name, 0) + 1
        if turn > 1:
            place = f"{place}_{turn}"
        output = call.run(
            replace(call, raw=node.raw, path=place, args=args, kwargs=kwargs, recorded=_recorder(network, node))
        )
        known[node.name, node.number] = output if isinstance(output, list) else [output]
    return {
        f"{name}:{place}": _filled(each, known)
        for place, (name, each) in enumerate(zip(network.output_names, network.outputs, strict=True))
    }


def _recorder(network: Network, node: Node) -> Callable[[int], Any]:
    return lambda index: network.shapes.get((node.name, node.number, index))


def _filled(value: Any, known: Mapping[tuple[str, int], Sequence[Tensor]]) -> Any:
    """Return arguments with the tensors in place of the outputs that they name."""
    if isinstance(value, Reference):
        outputs = known.get((value.layer, value.node), ())
        if not 0 <= value.output < len(outputs):
            text = f"output {value.output} of {quoted(value.layer)} is read, which has {len(outputs)}"
            raise damaged(text)
        return outputs[value.output]
    if isinstance(value, Mapping):
        return {key: _filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    return value


def run_sequential(call: Call, raw: Raw, x: Output) -> Output:
    """Run the layers of a sequential model one behind the other."""
    layers = [each for each in layers_of(raw) if each.get("class_name") != "InputLayer"]
    for place, each in enumerate(layers):
        name = name_of(each)
        following = layers[place + 1] if place + 1 < len(layers) else {}
        path = f"{call.path}/{name}" if call.path else name
        args = [x if isinstance(x, Tensor) or len(x) > 1 else x[0]]
        recorded = _built_for(following)
        x = call.run(replace(call, raw=each, path=path, args=args, kwargs={}, recorded=recorded))
    return x


def _built_for(raw: Raw) -> Callable[[int], Any]:
    """Return what gives the shape of what entered a layer when Keras built it."""
    built = raw.get("build_config")
    shape = built.get("input_shape") if isinstance(built, Mapping) else None
    return lambda index: shape if index == 0 else None
