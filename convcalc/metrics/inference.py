"""What a model needs in memory to run: whether it fits a device, and with how large a batch or context."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number, largest, total
from convcalc.graph.graph import Graph
from convcalc.metrics.cache import cache_bytes
from convcalc.metrics.memory import live_bytes, weight_bytes
from convcalc.metrics.metric import Metric


def inference_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """weight_bytes + cache_bytes, both of all layers, + the activations that are alive while a layer runs.

    The total is that of the layer at the peak: weight_bytes + cache_bytes + peak_activation_bytes. The keys and values
    that an attention multiplies are beside those of its cache, of which they are a copy.

    Not:
        A measurement: kernels, fragments and the allocator of a framework need more, and one cache without copies less.

    Called:
        inference memory, or serving memory: weights, KV cache and activations in vLLM's profile and in LLM-Viewer.
    """
    kept = zip(graph.layers, weight_bytes(graph, batch, dtype), cache_bytes(graph, batch, dtype), strict=True)
    both = total([(weights + cache) * node.times for node, weights, cache in kept])
    return [both + alive for alive in live_bytes(graph, batch, dtype)]


METRICS = (
    Metric(
        "inference_bytes", "Inference bytes", "bytes",
        "weights, caches, and the largest memory of activations", 107,
        per_batch=inference_bytes, total_of=largest, by_max=True,
    ),
)  # fmt: skip
