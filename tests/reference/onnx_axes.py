"""Nodes of ONNX that work element by element, reduce, repeat, select and cut, in the words of the spec language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx_node import NAMES, Node, Said, Shape, UnsaidError, branch, shape_of, whole
from to_spec import item

# --- element by element -----------------------------------------------------------------------------------------------


def function(word: str) -> Callable[[Node], Said]:
    """A function of some tensors; a number among them is a constant, and missing axes are put before others."""

    def written(node: Node) -> Said:
        shapes = [shape_of(array) for array in node.inputs if array is not None and array.shape != ()]
        rank = max(map(len, shapes), default=0)
        branches = [branch(place, [*[1] * (rank - len(shape)), *shape], shape) for place, shape in enumerate(shapes)]
        spec = item("elementwise", type=word, branches=branches if branches != ["identity"] else None)
        return Said(shapes or [node.shape()], spec, [shape_of(node.outputs[0])])

    return written


def along_axis(word: str) -> Callable[[Node], Said]:
    return lambda node: whole(node, item("elementwise", type=word, axis=(node.numbers(1) or [0])[0]))


# --- reductions -------------------------------------------------------------------------------------------------------


def reduced(word: str) -> Callable[[Node], Said]:
    def written(node: Node) -> Said:
        axes = node.get("axes") if "axes" in node.attributes else node.numbers(1)
        if not axes and node.get("noop_with_empty_axes", 0):
            raise UnsaidError("a reduction over no axis")
        return whole(node, item("reduce", type=word, axis=axes or None, keepdims=bool(node.get("keepdims", 1))))

    return written


def indexed(word: str) -> Callable[[Node], Said]:
    return lambda node: whole(
        node, item("reduce", type=word, axis=node.get("axis", 0), keepdims=bool(node.get("keepdims", 1)))
    )


# --- axes -------------------------------------------------------------------------------------------------------------


def expand(node: Node) -> Said:
    """Both broadcast: an axis of 1 in the wanted shape leaves the input's."""
    shape, wanted = node.shape(), node.numbers(1) or []
    rank = max(len(shape), len(wanted))
    sides = [[*[1] * (rank - len(side)), *side] for side in (shape, wanted)]
    return whole(node, item("broadcast", shape=[max(pair) for pair in zip(*sides, strict=True)]))


def tile(node: Node) -> Said:
    return whole(node, item("broadcast", times=node.numbers(1)))


def gather(node: Node) -> Said:
    return whole(node, item("gather", axis=node.get("axis", 0), indices=NAMES[1]), 0, 1)


def gather_nd(node: Node) -> Said:
    """The last axis of the indices is a place on so many axes."""
    indices, first = node.shape(1), node.get("batch_dims", 0)
    if not indices[first:-1]:
        raise UnsaidError("a tensor without axes")
    return whole(node, item("gather", axis=list(range(first, first + indices[-1])), size=indices[first:-1]))


def split(node: Node) -> Said:
    shape = node.shape()
    axis = node.get("axis", 0)
    sizes = node.numbers(1) or even(shape[axis], node.get("num_outputs", len(node.outputs)))
    if 0 in sizes:
        raise UnsaidError("an axis of nothing")
    how: dict[str, Any] = (
        {"names": [f"part{number}" for number in range(len(sizes))]} if len(sizes) > 1 else {"part": 0}
    )
    how |= {"sizes": sizes} if len(set(sizes)) > 1 or len(sizes) == 1 else {}
    return Said([shape], item("split", axis=axis, **how), [shape_of(output) for output in node.outputs])


def even(size: int, parts: int) -> Shape:
    step = -(-size // parts)
    return [min(step, size - step * number) for number in range(parts)]


def pad(node: Node) -> Said:
    shape = node.shape()
    amounts, axes = node.numbers(1) or [], node.numbers(3) or list(range(len(shape)))
    pairs = [[amounts[place], amounts[place + len(axes)]] for place in range(len(axes))]
    return whole(node, item("pad", padding=pairs, axis=axes))


def center_crop_pad(node: Node) -> Said:
    shape, aims = node.shape(), node.numbers(1) or []
    axes = list(node.get("axes", range(len(shape))))
    more = [aim - shape[axis] for axis, aim in zip(axes, aims, strict=True)]
    pairs = [[each // 2, each - each // 2] if each >= 0 else [-(-each // 2), each + -each // 2] for each in more]
    return whole(node, item("pad", padding=pairs, axis=axes))


FUNCTIONS = {
    "Acos": "acos", "Acosh": "acosh", "And": "logical_and", "Asin": "asin", "Asinh": "asinh", "Atan": "atan",
    "Atanh": "atanh", "BitShift": "bitwise_shift", "BitwiseAnd": "bitwise_and", "BitwiseNot": "bitwise_not",
    "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor", "Cos": "cos", "Cosh": "cosh", "Div": "div", "Equal": "eq",
    "Erf": "erf", "Exp": "exp", "Greater": "gt", "GreaterOrEqual": "ge", "IsInf": "isinf", "IsNaN": "isnan",
    "Less": "lt", "LessOrEqual": "le", "Log": "log", "Mean": "mean", "Mod": "mod", "Neg": "neg", "Not": "logical_not",
    "Or": "logical_or", "Pow": "pow", "Reciprocal": "reciprocal", "Sign": "sign", "Sin": "sin", "Sinh": "sinh",
    "Sub": "sub", "Tan": "tan", "Where": "where", "Xor": "logical_xor", "Abs": "abs", "Ceil": "ceil", "Floor": "floor",
    "Max": "max", "Min": "min", "Round": "round", "Sqrt": "sqrt",
}  # fmt: skip
REDUCTIONS = {
    "ReduceL1": "l1", "ReduceL2": "l2", "ReduceLogSum": "log_sum", "ReduceLogSumExp": "log_sum_exp",
    "ReduceMean": "mean", "ReduceProd": "prod", "ReduceSumSquare": "sum_square", "ReduceMax": "max",
    "ReduceMin": "min", "ReduceSum": "sum",
}  # fmt: skip
WORDS: dict[str, Callable[[Node], Said]] = {
    **{name: function(word) for name, word in FUNCTIONS.items()},
    **{name: reduced(word) for name, word in REDUCTIONS.items()},
    "ArgMax": indexed("argmax"), "ArgMin": indexed("argmin"), "CumSum": along_axis("cumsum"),
    "CumProd": along_axis("cumprod"), "Expand": expand, "Tile": tile, "Gather": gather, "GatherND": gather_nd,
    "Split": split, "Pad": pad, "CenterCropPad": center_crop_pad,
}  # fmt: skip
