"""Models of Keras as they are written down: which layers there are, and what each call of one reads."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convcalc.errors import SpecError, quoted
from convcalc.importers.keras.call import ModelConstant, array_shape, found_in
from convcalc.importers.keras.settings import LayerSettings
from convcalc.records import NamedTuple, dataclass, field

Raw = Mapping[str, Any]


class OutputReference(NamedTuple):
    """An output of a call of a layer, with the shape that Keras has written down."""

    layer: str
    node: int
    output: int
    shape: Any = None


@dataclass(slots=True)
class LayerNode:
    """One call of a layer in a functional model."""

    raw: Raw
    name: str
    number: int
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> Iterator[OutputReference]:
        return found_in([*self.args, *self.kwargs.values()], OutputReference)


@dataclass(slots=True)
class FunctionalModel:
    """A functional model: its calls in an order in which each reads only what comes before it."""

    nodes: list[LayerNode]
    inputs: list[OutputReference]
    outputs: list[OutputReference]
    shapes: dict[tuple[str, int, int], Any]

    def shape_of(self, node: LayerNode, output: int) -> Any:
        """Return the shape that Keras has written down for an output of a call."""
        return self.shapes.get((node.name, node.number, output))


def damaged(text: str) -> SpecError:
    return SpecError("CC760", text)


def name_of(raw: Raw) -> str:
    config = raw.get("config")
    name = raw.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    return name if isinstance(name, str) else str(raw.get("class_name", "layer")).lower()


def layers_of(raw: Raw) -> list[Raw]:
    """Return the layers of a model."""
    config = raw.get("config")
    found = config if isinstance(config, list) else LayerSettings(config).get("layers")
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise damaged(f"the layers of {quoted(name_of(raw))} are not a list of objects")
    return found


def shape_when_built(raw: Raw) -> Any:
    """Return the shape of what entered a layer when Keras built it."""
    built = raw.get("build_config")
    return built.get("input_shape") if isinstance(built, Mapping) else None


def is_sequential(raw: Raw) -> bool:
    config = raw.get("config")
    return (
        isinstance(config, list)
        or raw.get("class_name") == "Sequential"
        or "input_layers" not in LayerSettings(config).values
    )


# --- functional models ------------------------------------------------------------------------------------------------


def read_network(raw: Raw, known: dict[int, FunctionalModel]) -> FunctionalModel:
    """Return the calls of a functional model; ``known`` has those of models that have been read.

    Raises:
        SpecError: CC760, where a call reads what does not exist, or itself.
    """
    if id(raw) not in known:
        known[id(raw)] = _read_network(raw)
    return known[id(raw)]


def _read_network(raw: Raw) -> FunctionalModel:
    layers, config = layers_of(raw), LayerSettings(raw.get("config"))
    names = {name_of(each) for each in layers}
    if len(names) != len(layers):
        raise damaged(f"two layers of {quoted(name_of(raw))} have the same name")
    nodes = [node for each in layers for node in _nodes(each, names)]
    inputs, outputs = (list(_ends(config.get(key))) for key in ("input_layers", "output_layers"))
    _count_from_one(nodes, layers, outputs)
    shapes = {each[:3]: each.shape for node in nodes for each in node.references if each.shape is not None}
    return FunctionalModel(_sorted(nodes), inputs, outputs, shapes)


def _nodes(raw: Raw, names: set[str]) -> Iterator[LayerNode]:
    given = raw.get("inbound_nodes")
    name = name_of(raw)
    if not isinstance(given, list):
        raise damaged(f"the calls of {quoted(name)} are not a list")
    if not given:
        yield LayerNode(raw, name, 0)
    for number, each in enumerate(given):
        if isinstance(each, Mapping):
            args, kwargs = (_value(each.get(key)) for key in ("args", "kwargs"))
            node = LayerNode(raw, name, number, args if isinstance(args, list) else [args], kwargs or {})
        else:
            node = _old_node(raw, name, number, each, names)
        if not isinstance(node.kwargs, dict):
            raise damaged(f"a call of {quoted(name)} is not an object of args and kwargs")
        yield node


def _old_node(raw: Raw, name: str, number: int, given: Any, names: set[str]) -> LayerNode:
    """Read a call of Keras 2: ``[[layer, node, output, kwargs], …]``, or one of these alone."""
    single = isinstance(given, list) and given[:1] and isinstance(given[0], str)
    entries = [given] if single else given
    if not isinstance(entries, list) or not all(isinstance(each, list) and len(each) >= 3 for each in entries):
        raise damaged(f"a call of {quoted(name)} is not a list of what it reads")
    values = [_old_value(each, names | {str(each[0])}) for each in entries]
    kwargs: dict[str, Any] = {}
    for each in entries:
        if len(each) > 3 and isinstance(each[3], Mapping):
            kwargs |= {key: _old_value(value, names) for key, value in each[3].items()}
    return LayerNode(raw, name, number, values if len(values) == 1 else [values], kwargs)


def _count_from_one(nodes: Sequence[LayerNode], layers: Sequence[Raw], outputs: list[OutputReference]) -> None:
    """Give calls of models the numbers by which they are read.

    The first call of a functional model is that of its own inputs, so that Keras counts the others from one: Keras 2
    wherever they are read, Keras 3 where they are outputs of the model around them.
    """
    models = {name_of(raw) for raw in layers if isinstance(raw.get("config"), Mapping) and "layers" in raw["config"]}
    if any(isinstance(call, Mapping) for each in layers for call in each.get("inbound_nodes") or ()):
        functional = {name_of(each) for each in layers if name_of(each) in models and not is_sequential(each)}
        for place, end in enumerate(outputs):
            if end.layer in functional:
                outputs[place] = end._replace(node=end.node - 1)
        return
    counts = Counter(node.name for node in nodes)
    read = [*(each for node in nodes for each in node.references), *outputs]
    shifted = {each.layer for each in read if each.layer in models and each.node == counts[each.layer]}
    for node in nodes:
        node.number += node.name in shifted


def _old_value(value: Any, names: set[str]) -> Any:
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
        if value[0] == "_CONSTANT_VALUE":
            return value[2]
        if value[0] in names and all(type(each) is int for each in value[1:3]):
            return OutputReference(value[0], value[1], value[2])
    return [_old_value(each, names) for each in value] if isinstance(value, list) else value


def _value(value: Any) -> Any:
    """Return an argument of a call of Keras 3: outputs of layers, constants, slices."""
    if isinstance(value, list):
        return [_value(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if not isinstance(config, Mapping) or not isinstance(kind, str):
        return {key: _value(each) for key, each in value.items()} if kind is None else value.get("config")
    if kind == "__keras_tensor__":
        history = config.get("keras_history")
        if not isinstance(history, list) or [type(each) for each in history] != [str, int, int]:
            raise damaged("a tensor has no keras_history of layer, call and output")
        return OutputReference(history[0], history[1], history[2], config.get("shape"))
    if kind in ("__tensor__", "__numpy__"):
        return ModelConstant(array_shape(config.get("value")), config.get("value"))
    if kind == "__slice__":
        return slice(*(config.get(key) for key in ("start", "stop", "step")))
    return "..." if kind == "__ellipsis__" else value


def _ends(given: Any) -> Iterator[OutputReference]:
    """Give inputs or outputs of a model: one, a list, or an object of them."""
    if isinstance(given, list) and [type(each) for each in given[:3]] == [str, int, int]:
        yield OutputReference(*given[:3])
    elif isinstance(given, list | Mapping):
        for each in given if isinstance(given, list) else given.values():
            yield from _ends(each)
    else:
        raise damaged("input_layers or output_layers are not lists of layer, call and output")


def _sorted(nodes: Sequence[LayerNode]) -> list[LayerNode]:
    """Return calls so that each comes behind those it reads, else in the order of the file."""
    places = {(node.name, node.number): place for place, node in enumerate(nodes)}
    readers: dict[int, list[int]] = {}
    waiting = []
    for place, node in enumerate(nodes):
        read = {(each.layer, each.node) for each in node.references}
        for one in sorted(one for one in read if one not in places):
            raise damaged(f"{quoted(node.name)} reads call {one[1]} of {quoted(one[0])}, which does not exist")
        for one in read:
            readers.setdefault(places[one], []).append(place)
        waiting.append(len(read))
    ready = [place for place, count in enumerate(waiting) if not count]
    order = []
    while ready:
        place = heapq.heappop(ready)
        order.append(nodes[place])
        for reader in readers.get(place, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    if len(order) != len(nodes):
        raise damaged("layers read each other in a ring")
    return order
