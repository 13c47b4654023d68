"""Products of two tensors: matrix products, einsum, attention."""

from __future__ import annotations

from math import prod
from typing import Any

from convcalc.importers.torch.aten.layers import linear_layer
from convcalc.importers.torch.aten.rules import aligned, along, computed, multiplied, rule_for, slot, unbatched
from convcalc.importers.torch.lowering import Lowering
from convcalc.importers.torch.recording import Shape, TracedNode
from convcalc.importers.torch.values import Constant, Tensor, Value, Weight, without

OPERANDS = {
    "addmm": ("self", "mat1", "mat2"), "baddbmm": ("self", "batch1", "batch2"), "addmv": ("self", "mat", "vec"),
    "matmul": ("", "self", "other"), "mm": ("", "self", "mat2"),
    "bmm": ("", "self", "mat2"), "mv": ("", "self", "vec"), "dot": ("", "self", "tensor"),
    "vdot": ("", "self", "other"), "linalg_matmul": ("", "self", "other"),
}  # fmt: skip


@rule_for(*OPERANDS, weighted=True)
def matmul(g: Lowering, node: TracedNode) -> Any:
    first, one, other = OPERANDS[node.op]
    added, left, right = g.value(node[first]), g.operand(node, one), g.operand(node, other)
    if _is_of_spectral_norm(g, node, left, right):
        return computed(g, node)
    if slot(right) and len(right.shape) == 2 and isinstance(right, Weight) and not isinstance(left, Weight):
        turned = Weight(right.shape[::-1], right.sources, right.whole, right.selected)
        return linear_layer(g, node, left, turned, added)
    return along(g, node, product(g, node, left, right, node.shape), added)


def _is_of_spectral_norm(g: Lowering, node: TracedNode, left: Value, right: Value) -> bool:
    """Whether it is of u · W v, with a parameter W and buffers u and v: a norm of W, which does not count."""
    if node.op in ("dot", "vdot"):
        made = g.maker(node["tensor"] or node["other"])
        return isinstance(left, Constant) and isinstance(right, Weight) and made is not None and made.op == "mv"
    users = {user.op for user in g.users.get(node.name, ())}
    are_kinds = isinstance(left, Weight) and isinstance(right, Constant) and len(right.shape) == 1
    return are_kinds and bool(users) and users <= {"dot", "vdot"}


def product(g: Lowering, node: TracedNode, left: Value, right: Value, shape: Shape) -> Tensor:
    """Add a matrix product of two tensors, as ``torch.matmul`` reads their axes: a vector is a row, or a column."""
    one, other = left.shape, right.shape
    whole = list(shape)
    if len(other) == 1:
        other = (*other, 1)
        whole.append(1)
    if len(one) == 1:
        one = (1, *one)
        whole.insert(len(whole) - 1, 1)
    pair: list[Value] = [
        value if isinstance(value, Tensor) and value.shape == sizes else Tensor(sizes, g.laid_out(node, value, sizes))
        for value, sizes in ((left, one), (right, other))
    ]
    if isinstance(right, Tensor) and right.batch is not None and right.batch >= len(right.shape) - 2:
        g.mixing[node.label] = None
    handles, batch = aligned(g, node, pair, tuple(whole), reserved=2)
    made = g.given(node, g.add(node, "matmul", *handles), tuple(whole), batch)
    if tuple(whole) == shape:
        return made
    return g.given(node, made.handle, shape, made.batch if made.batch == 0 and len(shape) > 1 else None)


@rule_for("einsum", weighted=True)
def einsum(g: Lowering, node: TracedNode) -> Value:
    values = [value for value in map(g.value, node["tensors"]) if value is not None]
    shape, equation = node.shape, str(node["equation"]).replace(" ", "")
    inputs, arrow, output = equation.partition("->")
    terms = inputs.split(",")
    if not arrow:
        once = sorted({each for each in inputs if each.isalpha() and inputs.count(each) == 1})
        output = ("..." if "..." in inputs else "") + "".join(once)
    letter = "" if "." in equation else _batch_letter(terms, values, output)
    batch = output.index(letter) if letter else None
    sizes: dict[str, int] = {}
    for term, value in zip(terms, values, strict=True):
        for each, size in zip(term, value.shape, strict=False):
            sizes[each] = max(size, sizes.get(each, 1))
    # PyTorch multiplies element by element, where all that is summed has a single element
    left_out = {each for each, size in sizes.items() if size == 1 and each not in output and "." not in equation}
    summed = {*sizes} - {*output} - left_out
    left_out |= {*letter}
    handles = []
    for term, value in zip(terms, values, strict=True):
        kept = value.shape
        if left_out:  # then no term has an ellipsis
            kept = tuple(size for each, size in zip(term, kept, strict=True) if each not in left_out)
        handles.append(g.laid_out(node, value, kept))
    terms = ["".join(each for each in term if each not in left_out) for term in terms]
    without_batch = output.replace(letter, "") if letter else output
    if not without_batch or not all(terms):
        macs = prod(sizes.values()) if len(values) > 1 and summed else 0
        return multiplied(g, node, unbatched(g, node, values[0]), shape, macs)
    handle = g.add(node, "einsum", *handles, equation=f"{','.join(terms)}->{without_batch}")
    return g.given(node, handle, shape, batch)


def _batch_letter(terms: list[str], values: list[Value], output: str) -> str:
    """Return the letter of the batch axis, if it is one of the output that is the batch wherever it is."""
    found = {
        term[value.batch]
        for term, value in zip(terms, values, strict=True)
        if isinstance(value, Tensor) and value.batch is not None and value.batch < len(term)
    }
    for letter in found:
        ones = all(
            value.shape[term.index(letter)] == 1 for term, value in zip(terms, values, strict=True) if letter in term
        )
        if ones and letter in output and all(term.count(letter) < 2 for term in terms):
            return letter
    return ""


SDPA = (
    "flex_attention",
    "scaled_dot_product_attention", "_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable", "_scaled_dot_product_attention_math",
)  # fmt: skip


@rule_for(*SDPA, weighted=True)
def sdpa(g: Lowering, node: TracedNode) -> Any:
    values: list[Value] = [g.operand(node, name) for name in ("query", "key", "value")]
    mask, shape = g.value(node["attn_mask"]) or g.value(node["attn_bias"]), node.shape
    rank = max(len(value.shape) for value in values)
    batch = next((value.batch for value in values if isinstance(value, Tensor) and len(value.shape) == rank), None)
    if batch is not None and (batch >= rank - 2 or any(value.shape[batch - rank] != 1 for value in values)):
        batch = None
    handles = [
        g.laid_out(node, value, without((1,) * (rank - len(value.shape)) + value.shape, batch)) for value in values
    ]
    if mask is not None and not isinstance(mask, Constant):
        own = (1,) * (rank - len(mask.shape)) + mask.shape
        handles.append(g.laid_out(node, mask, without(own, batch if batch is not None and own[batch] == 1 else None)))
    made = g.given(node, g.add(node, "sdpa", *handles, mask="causal" if node["is_causal"] else "none"), shape, batch)
    return made if len(node.outputs) == 1 else [made, *[None] * (len(node.outputs) - 1)]


@rule_for("_grouped_mm", weighted=True)
def grouped(g: Lowering, node: TracedNode) -> Value:
    value, other = g.operand(node, "self"), g.operand(node, "mat2")
    if isinstance(other, Weight):
        g.handle(node, other)
    return multiplied(g, node, unbatched(g, node, value), node.shape, prod(value.shape) * other.shape[-1])
