"""What training adds to a run: its operations, and the bytes of gradients and of the optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from convcalc.arith import Number, at_least, free_names, total
from convcalc.dtypes import bytes_of
from convcalc.errors import SpecError, SpecErrors
from convcalc.graph.graph import Graph
from convcalc.metrics.counts import flops
from convcalc.metrics.metric import Metric

NUMBERS = {"adam": 4, "sgd": 2}
"""Numbers a weight in the number format: itself, its gradient, and the two running means of Adam."""
BYTES = {"mixed": 2 + 2 + 12, "mixed32": 2 + 4 + 12}
"""Bytes a weight, whatever the number format: 16 bits, a gradient of 16 or 32, and in 32 a copy and Adam's two."""


def state_bytes(weights: Number, dtype: str, recipe: str) -> Number:
    """Return the bytes of weights, of their gradients, and of what the optimizer keeps.

    Source: Rajbhandari et al. 2020, ZeRO, section 3.1 (mixed); EleutherAI cookbook, calc_transformer_mem.py (mixed32).
    """
    return BYTES[recipe] * weights if recipe in BYTES else bytes_of(NUMBERS[recipe] * weights, dtype)


def train_flops(graph: Graph) -> Sequence[Number]:
    """3 × flops: forward, the gradient of the inputs, and the gradient of the weights; 4 × inside a checkpoint.

    Source: Chowdhery et al. 2022, PaLM, appendix B; Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost.

    Not:
        The step of the optimizer; elementwise work. Gradients that nothing needs, such as that of the network's input,
        count as others.

    Called:
        model FLOPs in PaLM, of which the utilization of a device (MFU) is.
    """
    return [(3 + (node.checkpoint >= 0)) * value for node, value in zip(graph.layers, flops(graph), strict=True)]


def outside_checkpoints(graph: Graph, outputs: Sequence[Number], inside: Sequence[Number]) -> list[Number]:
    """Return what is kept for the backward pass of the output of every layer, and of what is inside it.

    Layers in a checkpoint run again, and what they make is there only then: but for outputs that are read outside, all
    of them together need no more than the largest checkpoint. Each has beside its outputs what it needs more than all
    before it, the first layer by layer, others in their last layer.
    """
    layers = graph.layers
    if {node.checkpoint for node in layers} <= {-1}:
        return [own + more for own, more in zip(outputs, inside, strict=True)]
    shared = _read_outside(graph)
    kept = [
        own + (more if node.checkpoint < 0 else 0) if node.index in shared else 0
        for node, own, more in zip(layers, outputs, inside, strict=True)
    ]
    blocks: dict[int, list[int]] = {}
    for place, node in enumerate(layers):
        if node.checkpoint >= 0:
            blocks.setdefault(node.checkpoint, []).append(place)
    largest: Number = 0
    for turn, places in enumerate(blocks.values()):
        needed = [inside[place] + (0 if layers[place].index in shared else outputs[place]) for place in places]
        larger = at_least(total(needed), largest) if turn else total(needed)
        if not graph.stands_for_itself:
            times = {layers[place].times for place in places}
            inside_turns, own_turns = len(times) > 1, 1 not in times  # a first turn stands for itself
            if (inside_turns and len(blocks) > 1) or (own_turns and larger != largest):
                raise _not_counted(times)
        added = [*([0] * (len(places) - 1)), larger - largest] if turn else needed
        for place, size in zip(places, added, strict=True):
            kept[place] = kept[place] + size
        largest = larger
    return kept


def _not_counted(times: Iterable[Any]) -> SpecErrors:
    """Of turns that one layer stands for, what the last of them adds is no value of each."""
    names = ", ".join(free_names(total(times)))
    text = f"training_bytes is not counted where checkpoints differ by a number of repeats that is a symbol ({names})"
    return SpecErrors([SpecError("CC411", text)])


def _read_outside(graph: Graph) -> set[int]:
    """Return the nodes in no checkpoint, those that are read outside theirs, and the outputs."""
    shared = {node.index for node in graph.nodes if node.checkpoint < 0} | {*graph.outputs.values()}
    for node in graph.nodes:
        shared.update(index for index in node.inputs if graph.nodes[index].checkpoint != node.checkpoint)
    return shared


METRICS = (
    Metric(
        "train_flops", "Training FLOPs", "operations",
        "3 × FLOPs: forward, and the gradients of inputs and of weights; 4 × inside a checkpoint",
        45, train_flops, times_batch=True,
    ),
)  # fmt: skip
