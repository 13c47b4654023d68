"""torch.utils.flop_counter: where no operator hides its work (the meta device, the math backend), and on a CPU."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.profiles import LayerSizes, Profile, Term

OPERATORS = ("sdpa", "einsum")
"""Functions that end in operators with a rule: in one, or in matrix products two at a time."""


def terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate, but for an attention's fast path, which has no rule."""
    if layer.kind == "attention" and layer.via == "fast_path":
        yield "missed layers", -layer.macs
    else:
        yield "additions", layer.macs


def cpu_terms(layer: LayerSizes) -> Iterator[Term]:
    """2 for each multiply–accumulate; fused attention and the one kernel of an LSTM without projection are missed."""
    missed = layer.macs if layer.kind == "lstm" and not layer.is_projected else layer.fused_macs
    yield "missed layers", -missed
    yield "additions", layer.macs - missed


TORCH = Profile(
    "torch", "torch.utils.flop_counter 2.14", "FLOPs",
    "two for each multiply–accumulate of convolutions, linear layers and matrix products, without bias; nothing else",
    "pytorch/pytorch: torch/utils/flop_counter.py", 20, terms, more_kinds=OPERATORS,
)  # fmt: skip
ON_CPU = Profile(
    "torch_cpu", "torch.utils.flop_counter 2.14", "FLOPs",
    "as torch; on a CPU it misses scaled_dot_product_attention and LSTMs, which are one operator there",
    "pytorch/pytorch: torch/utils/flop_counter.py, issue 195460", 21, cpu_terms,
    more_kinds=OPERATORS,
)  # fmt: skip
