"""Weights, multiplications and outputs of layers: sums over a network of what each layer has by itself."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.metric import Metric


def params(graph: Graph) -> Sequence[Number]:
    """Σ elements of the learnable weights; weights shared by several layers count at their owner alone.

    Not:
        Buffers, which are kept and not learned. Whether a weight is frozen does not matter.

    Called:
        parameters in PyTorch, timm and torchinfo; trainable params in Keras, whose total has the buffers in it.
    """
    return [node.facts.params if node.weight_owner == node.index else 0 for node in graph.layers]


def active_params(graph: Graph) -> Sequence[Number]:
    """params − those of experts that a token does not run through: (E − k)·params of an expert.

    Not:
        The weights that a batch reads, which may be of all experts (traffic_bytes). Tables are in it: some model cards
        leave the table of the input out.

    Called:
        active, or activated, parameters in the papers of Mixtral and DeepSeek-V2.
    """

    def of_one(node: Node) -> Number:
        if node.op is None or node.weight_owner != node.index:
            return 0
        return node.facts.params - node.op.idle_params(*node.input_shapes)

    return graph.of_layers(of_one)


def buffers(graph: Graph) -> Sequence[Number]:
    """Σ elements of the state that is kept but not learned (running mean and variance: 2C), at its owner alone.

    Not:
        What training learns; a count of the batches seen.

    Called:
        buffers in PyTorch, non-trainable params in Keras.
    """
    return [node.facts.buffer_elements if node.weight_owner == node.index else 0 for node in graph.layers]


def macs(graph: Graph) -> Sequence[Number]:
    """Σ multiplies of the products of a layer: input with weight, or two activations, of which a mask hides none.

    Not:
        FLOPs, of which each is two; adding biases, norms, activation functions, pools and other elementwise work, whose
        elements some tools count.

    Called:
        FLOPs in the papers of ResNet and EfficientNet, in fvcore and in torchvision's tables (GFLOPS); mult-adds in
        those of MobileNet and in torchinfo; MACs elsewhere.
    """
    return [node.facts.multiplies for node in graph.layers]


def seen_macs(graph: Graph) -> Sequence[Number]:
    """macs − (d + d_v)·h·(N·L − pairs): without what a causal mask hides, where the pairs are Σ min(p + i + 1, w).

    Source: Dao, FlashAttention-2, section 3.1 (blocks that are masked are skipped).

    Not:
        What kernels without blocks compute, which multiply all and mask afterwards; half of N², which leaves out half
        of the diagonal.

    Called:
        causal FLOPs in Megatron-LM and MaxText, with N²/2 pairs.
    """
    return [node.facts.seen for node in graph.layers]


def flops(graph: Graph) -> Sequence[Number]:
    """2 × macs: one multiply and one add each.

    Not:
        FLOPS, operations in a second, which a device has; what fvcore and many papers call FLOPs, which are macs;
        elementwise work.

    Called:
        FLOPs in PyTorch's flop counter, DeepSpeed, calflops and TensorFlow's profiler, some of which count elementwise
        work too.
    """
    return [2 * value for value in macs(graph)]


def activations(graph: Graph) -> Sequence[Number]:
    """Σ outputs of the products of a layer: what the layers with multiplies put out (attention: its six products).

    Not:
        Outputs of norms, activation functions and pools, which output_elements has too; memory, for they are not alive
        at once.

    Called:
        activations in fvcore and in the paper of RegNet, macts in timm.
    """
    return [node.facts.product_outputs for node in graph.layers]


def output_elements(graph: Graph) -> Sequence[Number]:
    """Elements of the output of every layer.

    Not:
        What is in memory at once (peak_activation_bytes); what training keeps in a framework that works in place.

    Called:
        the sizes of feature maps; no tool of the profiles has a name for them.
    """
    return [node.facts.output_elements for node in graph.layers]


METRICS = (
    Metric("params", "Params", "scalars", "learnable weights and biases", 10, params),
    Metric(
        "active_params", "Active params", "scalars", "learnable weights without those of experts that do not run",
        15, active_params,
    ),
    Metric(
        "buffers", "Buffers", "scalars", "state that is kept but not learned: running means and variances", 20, buffers
    ),
    Metric(
        "macs", "Multiplies", "multiplications",
        "multiply–accumulates of conv, linear, matmul, attention and recurrent layers; "
        "no bias, norm, activation, pooling or elementwise work",
        30, macs, times_batch=True,
    ),
    Metric(
        "seen_macs", "Seen multiplies", "multiplications",
        "multiplies without those of queries with keys that a causal mask hides",
        35, seen_macs, times_batch=True,
    ),
    Metric(
        "flops", "FLOPs", "operations", "2 × multiplies: one multiply and one add each",
        40, flops, times_batch=True,
    ),
    Metric(
        "activations", "Activations", "elements", "outputs of the layers that multiply",
        50, activations, times_batch=True,
    ),
    Metric(
        "output_elements", "Output elements", "elements", "outputs of all layers",
        60, output_elements, times_batch=True,
    ),
)  # fmt: skip
