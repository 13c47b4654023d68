"""Memory use and memory traffic, in bytes of a number format.

The format may differ from layer to layer (``float16, stage1.**=int8``). A layer's weights and its output have the
format of the layer, and consumers read the output in that format. Weights may have a format apart from it
(``weights=int4g128,bfloat16``). Shared weights have the format of their owner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from convcalc.arith import Number, at_least, largest, total
from convcalc.dtypes import (
    at_least_32_bits,
    bytes_of,
    cache_lookup,
    differs_by_layer,
    dtype_lookup,
    training_recipe,
    weight_lookup,
)
from convcalc.graph.graph import Graph, Node
from convcalc.graph.stored_weights import StoredWeights
from convcalc.metrics.metric import Metric
from convcalc.metrics.training import outside_checkpoints, state_bytes
from convcalc.ops.op import Held
from convcalc.records import NamedTuple


def weight_bytes(graph: Graph, _batch: int, dtype: str) -> Sequence[Number]:
    """Params + buffers of every layer: what is kept of it between two runs.

    Those that a model's file stores in fewer bits than the number format has, such as quantized weights, keep theirs.
    A format in blocks is for matrices that multiply; embeddings, a head of the same shape, norms, biases and buffers
    keep the plain one.

    Not:
        Gradients and the numbers of an optimizer (training_bytes); a file, which may be compressed.

    Called:
        model size; params size in torchinfo, without the buffers.
    """
    return graph.of_layers(StoredWeights(graph, dtype).kept, by_path=differs_by_layer(dtype))


def live_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """Bytes of the tensors alive while each layer runs, in the order of the graph.

    Alive are the layer's inputs and its output, and every tensor that a later layer or the result still needs. Nothing
    is done in place, and no tensor is a view of another. The output of a layer that reads nothing (a learned table) is
    a weight and no activation. An attention counts as its projections, products and softmax one after another; in one
    kernel (``via: fused``) it has no scores.

    Not:
        Weights; a measurement: what a framework's allocator and its kernels need beside the tensors is not in it.

    Called:
        peak memory of inference, or working memory.
    """
    sizes = _tensor_bytes(graph, batch, dtype)
    freed: list[Number] = [0] * len(graph.nodes)
    ends = last_uses(graph)
    for size, end in zip(sizes, ends, strict=True):
        freed[end] = freed[end] + size
    alive: Number = total([sizes[node.index] for node in graph.inputs if ends[node.index] != node.index])
    steps = []
    form, layers = dtype_lookup(dtype), graph.layers
    every = graph.of_layers(lambda node: _held(node, batch, form), by_path=differs_by_layer(dtype))
    for node, held in zip(layers, every, strict=True):
        place = node.index
        own = inside = sizes[place]
        if held:
            ending = total([sizes[index] for index in set(node.inputs) if ends[index] == place])
            inside = reduce(at_least, [size - (0 if with_inputs else ending) for size, with_inputs in held])
        steps.append(alive + inside)
        alive = alive + own - freed[place]
    return steps


def _held(node: Node, batch: int, form: Callable[[str], str]) -> list[tuple[Number, bool]]:
    """Bytes of what a layer of several steps makes, at each, and whether its inputs are needed beside."""
    assert node.op is not None
    steps = node.op.steps(node.source_form or node.op.source_form, *node.input_shapes)
    return [(_held_bytes(held, batch, form(node.path)), held.with_inputs) for held in steps] if steps else []


def _held_bytes(held: Held, batch: int, dtype: str) -> Number:
    return bytes_of(held.elements * batch, dtype) + bytes_of(held.log_sums * batch, at_least_32_bits(dtype))


def last_uses(graph: Graph) -> list[int]:
    """Return, for every node, the last layer that reads it: for outputs the last of all, without a reader the node."""
    ends = [node.index for node in graph.nodes]
    for node in graph.nodes:
        for index in node.inputs:
            ends[index] = node.index
    for index in graph.outputs.values():
        ends[index] = len(graph.nodes) - 1
    return ends


class LiveTensor(NamedTuple):
    """A tensor in memory: the layer or the input that it is the output of, and its bytes.

    What a layer of several steps holds while it runs is one with its name and ``(inside)``.
    """

    name: str
    bytes: int


class Peak(NamedTuple):
    """The step at which most is in memory: the (first) layer, how many bytes, and the tensors that add up to them."""

    layer: str
    bytes: int
    alive: tuple[LiveTensor, ...]


def peak(graph: Graph, batch: int = 1, dtype: str = "float32") -> Peak | None:
    """Return the peak of the activations and the tensors alive there, the largest first; ``None`` without layers."""
    steps = live_bytes(graph, batch, dtype)
    if not steps:
        return None
    most, layer = max(zip(steps, graph.layers, strict=True), key=lambda step: step[0])
    sizes, ends, step = _tensor_bytes(graph, batch, dtype), last_uses(graph), layer.index
    inputs = {index for index in layer.inputs if ends[index] == step}
    ending = sum(sizes[index] for index in inputs)
    held = _held(layer, batch, dtype_lookup(dtype)) or [(sizes[step], True)]
    inside, with_inputs = max(held, key=lambda one: one[0] - (0 if one[1] else ending))
    gone = {step} if with_inputs else {step, *inputs}
    begun = (node for node in graph.nodes if sizes[node.index] and (node.op is None or node.index < step))
    alive = [
        LiveTensor(node.path, sizes[node.index])
        for node in begun
        if ends[node.index] >= step and node.index not in gone
    ]
    name = layer.path if inside == sizes[step] else f"{layer.path} (inside)"
    alive += [LiveTensor(name, inside)] if inside else []
    return Peak(layer.path, most, tuple(sorted(alive, key=lambda tensor: -tensor.bytes)))


def training_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """Weights, their gradients, what the optimizer keeps of each, and every output, kept for the backward pass.

    The recipe of training says how many bytes a weight needs; the usual one is Adam, with two numbers a weight.

    Of an attention also queries, keys, values and context, and the softmax of its scores; in one kernel
    (``via: fused``) a number a query and head in its place. Inside checkpoints nothing is kept: beside what enters
    and leaves them, there is the largest of them, which runs again.

    Nothing is trained in blocks: all of them are in a plain format.

    Not:
        A measurement, or a peak: gradients of activations and what kernels need beside the tensors are not in it.

    Called:
        model states and activations in the paper of ZeRO.
    """
    sizes, form = _tensor_bytes(graph, batch, dtype), dtype_lookup(dtype)
    trained, by_path = weight_lookup(dtype), differs_by_layer(dtype)
    recipe, layers = training_recipe(dtype), graph.layers
    inside = graph.of_layers(lambda node: _kept_bytes(node, batch, form), by_path=by_path)
    kept = outside_checkpoints(graph, [sizes[node.index] for node in layers], inside)

    def of_weights(node: Node) -> Number:
        own = node.facts.params if node.weight_owner == node.index else 0
        return state_bytes(own, trained(node.path).plain, recipe)

    return [state + size for state, size in zip(graph.of_layers(of_weights, by_path=by_path), kept, strict=True)]


def _kept_bytes(node: Node, batch: int, form: Callable[[str], str]) -> Number:
    """Bytes of what is kept inside a layer for the backward pass."""
    assert node.op is not None
    kept = node.op.kept(node.source_form or node.op.source_form, *node.input_shapes)
    return 0 if kept is None else _held_bytes(kept, batch, form(node.path))


def traffic_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """Inputs read + weights read + outputs written, layer by layer, with no cache between them.

    Shared weights are read at every call. A look-up reads its rows, each once, and not the rest of its table. Of a
    cache all tokens that are seen are read, and the new ones are written.

    Not:
        Bytes that a device really moves: caches and fused kernels save some of them.

    Called:
        memory access cost (MAC, in elements) in the paper of ShuffleNet V2, bytes accessed in XLA.
    """
    sizes, stored = _tensor_bytes(graph, batch, dtype, tables=True), StoredWeights(graph, dtype)
    form, cached = dtype_lookup(dtype), cache_lookup(dtype)

    def of_one(node: Node) -> Number:
        moved = _moved_bytes(node, batch, (form(node.path), cached(node.path)), sizes[node.index])
        return moved + stored.read(node, batch)

    layers = graph.layers
    return [
        own + (total([sizes[index] for index in node.inputs]) if _is_activation(node) else 0)
        for node, own in zip(layers, graph.of_layers(of_one, by_path=differs_by_layer(dtype)), strict=True)
    ]


def _moved_bytes(node: Node, batch: int, formats: tuple[str, str], output: Number) -> Number:
    """Bytes that a layer writes, and those of its cache that it reads, each in a format of its own."""
    assert node.op is not None
    moved = node.op.moved(*node.input_shapes)
    if moved is None:
        return output
    return total([bytes_of(elements * batch, form) for elements, form in zip(moved, formats, strict=True)])


def _tensor_bytes(graph: Graph, batch: int, dtype: str, *, tables: bool = False) -> list[Number]:
    """Bytes of the output of every node; a learned table is a weight and counts only with ``tables``."""
    form = dtype_lookup(dtype)

    def of_one(node: Node) -> Number:
        return bytes_of(node.facts.output_elements * batch, form(node.path)) if tables or _is_activation(node) else 0

    return graph.of_nodes(of_one, by_path=differs_by_layer(dtype))


def _is_activation(node: Node) -> bool:
    return node.op is None or node.op.depends_on_values


PEAK = Metric(
    "peak_activation_bytes", "Peak activation bytes", "bytes",
    "most that is alive at once while the layers run in order, nothing in place",
    90, total_of=largest, per_batch=live_bytes,
)  # fmt: skip
DETAILS = (
    PEAK._replace(
        meaning="activations in memory while the layer runs, nothing in place; the design has the largest",
        per_layer=True, by_max=True,
    ),
)  # fmt: skip
METRICS = (
    Metric(
        "weight_bytes", "Weight bytes", "bytes", "params and buffers in the number format", 25, per_batch=weight_bytes
    ),
    PEAK,
    Metric(
        "training_bytes", "Training bytes", "bytes",
        "weights, gradients, what the optimizer keeps of each, and every output", 100, per_batch=training_bytes,
    ),
    Metric(
        "traffic_bytes", "Traffic bytes", "bytes",
        "inputs and weights read and outputs written by every layer, without a cache", 110, per_batch=traffic_bytes,
    ),
)  # fmt: skip
