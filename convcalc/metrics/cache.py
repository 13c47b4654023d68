"""What a model that writes token by token keeps between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.dtypes import bytes_of, cache_lookup, differs_by_layer
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.metric import Metric


def cache_bytes(graph: Graph, batch: int, dtype: str) -> Sequence[Number]:
    """What is kept of all tokens up to now for those to come: outputs of cache, and keys and values of attention.

    An attention that is causal or has ``past`` keeps h_kv·(d + d_v) numbers for each token, or for the last w.

    Not:
        Room for tokens to come, or what is lost where it is given out in blocks; weights, or activations of one run.

    Called:
        KV cache in vLLM and transformers.
    """
    form = cache_lookup(dtype)

    def of_one(node: Node) -> Number:
        return bytes_of(node.op.cached(*node.input_shapes) * batch, form(node.path)) if node.op else 0

    return graph.of_layers(of_one, by_path=differs_by_layer(dtype))


METRICS = (
    Metric(
        "cache_bytes", "Cache bytes", "bytes",
        "keys, values and whatever else is kept of tokens for those to come", 105, per_batch=cache_bytes,
    ),
)  # fmt: skip
