"""How the source code of a model writes a layer: the words of ``via`` in a spec.

Other tools count some of these forms and miss others. Our own counts do not depend on them, but memory of attention
does: in one kernel it has no scores.
"""

from __future__ import annotations

SOURCE_FORMS = {
    "module": "a class of the framework: nn.ReLU, nn.Linear; of attention, nn.MultiheadAttention with its weights",
    "subclass": "a class of the model's own, made from the framework's: timm's BatchNormAct2d and Attention",
    "function": "a function: F.relu, torch.matmul; of attention, F.linear, q.matmul(k) and F.softmax",
    "method": "a method of a tensor: x.mean((2, 3)), x.softmax(-1)",
    "operator": "an operator of Python: a + b, a * b, a @ b; of attention, nn.Linear around a @ b and x.softmax(-1)",
    "string": "a convolution whose padding is given as a word, padding='same'",
    "transposed": "nn.Linear on a transposed tensor: a matrix product and, apart from it, an addition of the bias",
    "unpadded": "an average pool that leaves padding out, count_include_pad=False",
    "fused": "inside scaled_dot_product_attention: a product; of attention, nn.MultiheadAttention without its weights",
    "fast_path": "nn.MultiheadAttention in evaluation without gradients: one kernel that holds everything",
}
"""Word → what it means."""
FUSED_FORMS = ("fused", "fast_path")
"""Attention in one kernel, which keeps no scores."""
SCALED_FORMS = ("module", "subclass")
"""Attention that scales its queries, and not its scores, in front of the product."""
