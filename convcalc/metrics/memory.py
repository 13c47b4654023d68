"""Memory use and memory traffic, in bytes of a number format.

The format may differ from layer to layer (``float16, stage1.**=int8``). A layer's weights and its output have the
format of the layer, and consumers read the output in that format. Weights may have a format apart from it
(``weights=int4g128,bfloat16``). Shared weights have the format of their owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from convcalc.arith import Number, largest, total
from convcalc.dtypes import bytes_of, dtype_lookup, weight_lookup
from convcalc.graph.graph import Graph, Node
from convcalc.graph.stored_weights import StoredWeights
from convcalc.metrics.counts import params
from convcalc.metrics.metric import Metric

ADAM_STATES = 2
"""Numbers that the Adam optimizer keeps for every weight: the running means of its gradient and of its square."""


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
    stored = StoredWeights(graph, dtype)
    return [stored.kept(node) for node in graph.layers]


def live_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """Bytes of the tensors alive while each layer runs, in the order of the graph.

    Alive are the layer's inputs and its output, and every tensor that a later layer or the result still needs. Nothing
    is done in place, and no tensor is a view of another. The output of a layer that reads nothing (a learned table) is
    a weight and no activation.

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
    for node in graph.layers:
        alive = alive + sizes[node.index]
        steps.append(alive)
        alive = alive - freed[node.index]
    return steps


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
    """A tensor in memory: the layer or the input that it is the output of, and its bytes."""

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
    begun = (node for node in graph.nodes if sizes[node.index] and (node.op is None or node.index <= step))
    alive = [LiveTensor(node.path, sizes[node.index]) for node in begun if ends[node.index] >= step or node is layer]
    return Peak(layer.path, most, tuple(sorted(alive, key=lambda tensor: -tensor.bytes)))


def training_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """Weights, their gradients and Adam's two numbers for each, and every output, kept for the backward pass.

    Nothing is trained in blocks: all of them are in a plain format.

    Not:
        A measurement, or a peak: gradients of activations and what kernels need beside the tensors are not in it.

    Called:
        model states and activations in the paper of ZeRO.
    """
    sizes, form = _tensor_bytes(graph, batch, dtype), weight_lookup(dtype)
    kept = zip(graph.layers, params(graph), strict=True)
    return [bytes_of((2 + ADAM_STATES) * weights, form(node.path).plain) + sizes[node.index] for node, weights in kept]


def traffic_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """Inputs read + weights read + outputs written, layer by layer, with no cache between them.

    Shared weights are read at every call. A look-up reads its rows, each once, and not the rest of its table.

    Not:
        Bytes that a device really moves: caches and fused kernels save some of them.

    Called:
        memory access cost (MAC, in elements) in the paper of ShuffleNet V2, bytes accessed in XLA.
    """
    sizes, stored = _tensor_bytes(graph, batch, dtype, tables=True), StoredWeights(graph, dtype)
    return [
        sizes[node.index]
        + total([sizes[index] for index in node.inputs if _is_activation(node)])
        + stored.read(node, batch)
        for node in graph.layers
    ]


def _tensor_bytes(graph: Graph, batch: int, dtype: str, *, tables: bool = False) -> list[Number]:
    """Bytes of the output of every node; a learned table is a weight and counts only with ``tables``."""
    form = dtype_lookup(dtype)
    return [
        bytes_of(node.facts.output_elements * batch, form(node.path)) if tables or _is_activation(node) else 0
        for node in graph.nodes
    ]


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
        "weights, gradients, Adam's two numbers a weight, and every output", 100, per_batch=training_bytes,
    ),
    Metric(
        "traffic_bytes", "Traffic bytes", "bytes",
        "inputs and weights read and outputs written by every layer, without a cache", 110, per_batch=traffic_bytes,
    ),
)  # fmt: skip
