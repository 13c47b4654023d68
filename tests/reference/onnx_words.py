"""Nodes of ONNX in the words of the spec language, operator by operator."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from onnx_axes import WORDS as AXES
from onnx_node import Node, Said, Shape, UnsaidError, branch, count, sample, shape_of, whole
from onnx_sequences import attention, recurrent
from onnx_windows import (
    conv,
    conv_integer,
    conv_transpose,
    global_pool,
    norm,
    over_axes,
    pool,
    quantized_conv,
    resize,
    upsample,
)  # fmt: skip
from to_spec import item, yaml

NO_WORD = "no word for the operation"

# --- element by element -----------------------------------------------------------------------------------------------


def element(word: str) -> Callable[[Node], Said]:
    return lambda node: whole(node, word)


def prelu(node: Node) -> Said:
    x, slope = node.shape(), node.shape(1)
    if slope != [x[0], *[1] * (len(x) - 1)]:
        raise UnsaidError("slopes that are not one for each channel")
    row = whole(node, "prelu")
    row.params = count(node.inputs[1])
    return row


def shrink(node: Node) -> Said:
    return whole(node, "softshrink" if node.get("bias", 0.0) else "hardshrink")


def softmax(node: Node) -> Said:
    return whole(node, item("softmax", axis=node.get("axis", -1)))


def joined(kind: str) -> Callable[[Node], Said]:
    """A sum or a product; missing axes are put before those that there are."""

    def written(node: Node) -> Said:
        shapes = [node.shape(place) for place in range(len(node.inputs))]
        rank = max(map(len, shapes))
        branches = [branch(place, [*[1] * (rank - len(shape)), *shape], shape) for place, shape in enumerate(shapes)]
        return Said(shapes, f"{{{kind}: {yaml(branches)}}}", [shape_of(node.outputs[0])])

    return written


def concat(node: Node) -> Said:
    places = range(len(node.inputs))
    branches = [branch(place, node.shape(place), node.shape(place)) for place in places]
    return whole(node, item("concat", axis=node.get("axis"), branches=branches), *places)


# --- products ---------------------------------------------------------------------------------------------------------


def product(first: int = 0, second: int = 1) -> Callable[[Node], Said]:
    def written(node: Node) -> Said:
        left, right = node.shape(first), node.shape(second)
        rank = max(len(left), len(right), 2)
        lefts = [1, *left] if len(left) == 1 else left
        rights = [*right, 1] if len(right) == 1 else right
        aims = [[*[1] * (rank - len(shape)), *shape] for shape in (lefts, rights)]
        spec = f"{{matmul: {yaml([branch(0, aims[0], left), branch(1, aims[1], right)])}}}"
        out = shape_of(node.outputs[0])
        if len(left) == 1 or len(right) == 1:
            spec = yaml([spec, item("reshape", shape=out)])
        return Said([left, right], spec, [out])

    return written


def gemm(node: Node) -> Said:
    turned = [node.get("transA", 0), node.get("transB", 0)]
    reads = ["identity", "{from: y}"]
    sides = [yaml([read, "{permute: [1, 0]}"]) if turn else read for read, turn in zip(reads, turned, strict=True)]
    shapes, items = [node.shape(), node.shape(1)], [f"{{matmul: {yaml(sides)}}}"]
    if (added := node.input(2)) is not None and added.size:
        shape = list(added.shape) or [1]
        aim = [*[1] * (2 - len(shape)), *shape]
        shapes.append(shape)
        items.append(f"{{add: {yaml(['identity', branch(2, aim, shape)])}}}")
    return Said(shapes, yaml(items), [shape_of(node.outputs[0])])


def einsum(node: Node) -> Said:
    places = range(len(node.inputs))
    shapes = [node.shape(place) for place in places]
    branches = [branch(place, shape, shape) for place, shape in enumerate(shapes)]
    equation = node.get("equation").replace(" ", "")
    return whole(node, item("einsum", equation=f"'{equation}'", branches=branches), *places)


# --- axes -------------------------------------------------------------------------------------------------------------


def to_shape(work: Callable[[Node, Shape], Shape]) -> Callable[[Node], Said]:
    """A reshape to what an operator's attributes make of the axes."""

    def written(node: Node) -> Said:
        aim = work(node, node.shape())
        if not aim:
            raise UnsaidError("a tensor without axes")
        return whole(node, item("reshape", shape=aim))

    return written


def flattened(node: Node, shape: Shape) -> Shape:
    axis = node.get("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return [prod(shape[:axis]), prod(shape[axis:])]


def reshaped(node: Node, shape: Shape) -> Shape:
    wanted = node.numbers(1) or []
    if 0 in wanted and node.get("allowzero", 0):
        raise UnsaidError("an axis of nothing")
    return [shape[place] if size == 0 else size for place, size in enumerate(wanted)]


def squeezed(node: Node, shape: Shape) -> Shape:
    axes = node.numbers(1)
    axes = [axis % len(shape) for axis in axes] if axes else [place for place, size in enumerate(shape) if size == 1]
    return [size for place, size in enumerate(shape) if place not in axes]


def unsqueezed(node: Node, shape: Shape) -> Shape:
    axes = node.numbers(1) or []
    rank = len(shape) + len(axes)
    sizes = iter(shape)
    added = {axis % rank for axis in axes}
    return [1 if place in added else next(sizes) for place in range(rank)]


def transpose(node: Node) -> Said:
    return whole(node, item("permute", axes=node.get("perm", list(range(len(node.shape())))[::-1])))


def sliced(node: Node) -> Said:
    starts, stops = node.numbers(1) or [], node.numbers(2) or []
    axes = node.numbers(3) or list(range(len(starts)))
    steps = node.numbers(4) or [1] * len(starts)
    if any(step < 0 for step in steps):
        raise UnsaidError("a slice that runs backwards")
    parts = zip(axes, starts, stops, steps, strict=True)
    return whole(node, yaml([item("slice", axis=a, start=b, stop=min(c, 10**9), step=d) for a, b, c, d in parts]))


def depth_to_space(node: Node) -> Said:
    return sample(node, item("pixel_shuffle", factor=node.get("blocksize")))


def space_to_depth(node: Node) -> Said:
    return sample(node, item("pixel_unshuffle", factor=node.get("blocksize")))


def col2im(node: Node) -> Said:
    image, block = node.numbers(1) or [], node.numbers(2) or []
    axes = len(image)
    pads = node.get("pads", [0] * 2 * axes)
    pairs = [list(pair) for pair in zip(pads[:axes], pads[axes:], strict=True)]
    steps = {name: node.get(f"{name}s", [1] * axes) for name in ("stride", "dilation")}
    return sample(node, item("fold", out=image, kernel=block, padding=pairs, **steps))


WORDS: dict[str, Callable[[Node], Said]] = {
    **AXES,
    "Conv": conv, "ConvInteger": conv_integer, "QLinearConv": quantized_conv, "ConvTranspose": conv_transpose,
    "MaxPool": pool("maxpool"), "AveragePool": pool("avgpool"), "GlobalMaxPool": global_pool("maxpool"),
    "GlobalAveragePool": global_pool("avgpool"),
    "BatchNormalization": norm("batch"), "InstanceNormalization": norm("instance", affine=True),
    "GroupNormalization": norm("group"), "LRN": norm("lrn"), "LayerNormalization": over_axes("layer"),
    "RMSNormalization": over_axes("rms"), "PRelu": prelu, "Shrink": shrink, "Softmax": softmax,
    "Relu": element("relu"), "LeakyRelu": element("leaky_relu"), "Elu": element("elu"), "Selu": element("selu"),
    "Celu": element("celu"), "Gelu": element("gelu"), "Mish": element("mish"), "Swish": element("swish"),
    "Sigmoid": element("sigmoid"), "Tanh": element("tanh"), "HardSigmoid": element("hardsigmoid"),
    "HardSwish": element("hardswish"), "Softplus": element("softplus"), "Softsign": element("softsign"),
    "ThresholdedRelu": element("threshold"), "Clip": element("hardtanh"), "Dropout": element("dropout"),
    "Identity": element("identity"), "Add": joined("add"), "Sum": joined("add"), "Mul": joined("mul"),
    "Concat": concat, "MatMul": product(), "MatMulInteger": product(), "QLinearMatMul": product(0, 3), "Gemm": gemm,
    "Einsum": einsum, "Attention": attention, "LSTM": recurrent("lstm"), "GRU": recurrent("gru"),
    "RNN": recurrent("rnn"), "Flatten": to_shape(flattened), "Reshape": to_shape(reshaped),
    "Squeeze": to_shape(squeezed), "Unsqueeze": to_shape(unsqueezed), "Transpose": transpose, "Slice": sliced,
    "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth, "Col2Im": col2im, "Resize": resize,
    "Upsample": upsample,
}  # fmt: skip
