"""The inputs of a model, and where they have their channels: the first layer that has spatial axes says it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.errors import quoted
from convcalc.importers.keras.call import Order, channels_first, natural
from convcalc.importers.keras.kinds import layers, norms, recurrent, windows
from convcalc.importers.keras.kinds.table import NEUTRAL, handler_of, is_model
from convcalc.importers.keras.network import (
    FunctionalModel,
    Raw,
    damaged,
    is_sequential,
    layers_of,
    name_of,
    read_network,
)
from convcalc.records import NamedTuple
from convcalc.shapes import MAX_AXIS_SIZE

WRAPPERS = (layers.time_distributed, layers.wrapper, norms.spectral_norm)


class Layout(NamedTuple):
    """The order of an input's axes."""

    is_spatial: bool = False
    channel: int = -1
    """Where Keras has the channels of a spatial tensor, without the batch."""
    is_scalar: bool = False

    def order(self, rank: int) -> Order:
        if self.is_scalar:
            return ()
        fits = self.is_spatial and self.channel < rank and rank > 1
        return channels_first(rank, self.channel) if fits else natural(rank)


NATURAL = Layout()


def layout_of(raw: Raw, place: int, sizes: Sequence[int | None] | None, known: dict[int, FunctionalModel]) -> Layout:
    """Return the layout of an input of a model, given its place among them."""
    if sizes == []:
        return Layout(is_scalar=True)
    if sizes is not None and len(sizes) < 2:
        return NATURAL
    return _first_layout(raw, place, known) or NATURAL


def _first_layout(raw: Raw, place: int, known: dict[int, FunctionalModel]) -> Layout | None:
    """Return what the first layer behind an input says that is not neutral, nearest ones first."""
    if is_sequential(raw):
        each = (_layout(layer, 0, known) for layer in layers_of(raw) if layer.get("class_name") != "InputLayer")
        return next((layout for layout in each if layout is not None), None)
    network = read_network(raw, known)
    readers: dict[tuple[str, int], list[tuple[Any, int]]] = {}
    for node in network.nodes:
        for position, reference in enumerate(node.references):
            readers.setdefault((reference.layer, reference.node), []).append((node, position))
    if place >= len(network.inputs):
        return None
    start = network.inputs[place]
    queue, seen = deque([(start.layer, start.node)]), {(start.layer, start.node)}
    while queue:
        for node, position in readers.get(queue.popleft(), ()):
            layout = _layout(node.raw, position, known)
            if layout is not None:
                return layout
            if (node.name, node.number) not in seen:
                seen.add((node.name, node.number))
                queue.append((node.name, node.number))
    return None


def _layout(raw: Raw, position: int, known: dict[int, FunctionalModel], lead: int = 0) -> Layout | None:
    """Return what a layer says of its input; nothing, if it is neutral."""
    if is_model(raw):
        return _first_layout(raw, position, known)
    handler = handler_of(raw)
    config = raw.get("config")
    if handler in WRAPPERS and isinstance(config, Mapping) and isinstance(config.get("layer"), Mapping):
        return _layout(config["layer"], position, known, lead + (handler is layers.time_distributed))
    if handler in NEUTRAL:
        return None
    first = isinstance(config, Mapping) and config.get("data_format") == "channels_first"
    if handler is recurrent.convolutional:
        return Layout(is_spatial=True, channel=lead + 1 if first else -1)
    of_windows = handler is not None and handler.__module__ == windows.__name__
    if not of_windows or (str(raw.get("class_name")).startswith("Global") and "1D" in str(raw.get("class_name"))):
        return NATURAL
    return Layout(is_spatial=True, channel=lead if first else -1)


def inputs_of(raw: Raw, networks: dict[int, FunctionalModel]) -> list[tuple[str, Sequence[int | None] | None]]:
    """Return the names of the inputs and their sizes in the order of Keras, without the batch."""
    if is_sequential(raw):
        layers, built = layers_of(raw), [raw.get("build_config"), raw.get("config")]
        if layers and is_model(layers[0]):
            return inputs_of(layers[0], networks)
        first = [layers[0].get("config")] if layers else []
        name = name_of(layers[0]) if layers and layers[0].get("class_name") == "InputLayer" else "input"
        shapes = [shape for each in (*first, *built) if (shape := _given_shape(each)) is not None]
        return [(name, shapes[0] if shapes else None)]
    by_name = {name_of(each): each for each in layers_of(raw)}
    found: list[tuple[str, Sequence[int | None] | None]] = []
    for reference in read_network(raw, networks).inputs:
        layer = by_name.get(reference.layer)
        if layer is None or any(reference.layer == name for name, _ in found):
            raise damaged(f"the input {quoted(reference.layer)} is no layer, or is one twice")
        found.append((reference.layer, _given_shape(layer.get("config"))))
    if not found:
        raise damaged("the model has no inputs")
    return found


def _given_shape(config: Any) -> Sequence[int | None] | None:
    """Return the sizes of an input from the settings of a layer, without the batch."""
    for key in ("batch_shape", "batch_input_shape", "build_input_shape", "input_shape"):
        shape = config.get(key) if isinstance(config, Mapping) else None
        if isinstance(shape, list) and shape:
            if not all(size is None or (type(size) is int and 0 < size <= MAX_AXIS_SIZE) for size in shape[1:]):
                raise damaged(f"{key} is not a shape")
            return shape[1:]
    return None
