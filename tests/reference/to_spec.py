"""Calls of torch's constructors in the words of the spec language: the other half of every row of the tables.

Written after specs/README.md; nothing is counted here. A translation may need the shape that enters: its rank, or an
axis that an adaptive pool leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pieces import Call

Shape = list[int]
OTHER, THIRD = "y", "z"
"""Names of the second input and of the third."""


def yaml(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(yaml, value))}]"
    return str(value)


def item(kind: str, via: str = "", **arguments: Any) -> str:
    """``{kind: {…}}``, or the kind alone."""
    said = ", ".join(f"{name}: {yaml(value)}" for name, value in arguments.items() if value is not None)
    written = f"{kind}: {{{said}}}" if said else kind
    return f"{{{written if said else kind + ': '}, via: {via}}}" if via else f"{{{written}}}" if said else kind


def spec(module: Call, entering: Shape) -> str:
    """The item that says what the call builds."""
    name = bare(module)
    return WORDS[name](module, entering) if name in WORDS else ACTIVATIONS[name]


def bare(module: Call) -> str:
    """The class without its package and its number of axes."""
    name = module.name.removeprefix("nn.")
    return name[:-2] if name[-2:] in ("1d", "2d", "3d") else name


def named(module: Call, *names: str) -> dict[str, Any]:
    """The options of a call by their names in the language, which are torch's."""
    return {name: module.options[name] for name in names if name in module.options}


# --- windows ----------------------------------------------------------------------------------------------------------


def convolution(module: Call, entering: Shape, **more: Any) -> str:
    channels, out, kernel = module.args
    said = named(module, "stride", "padding", "dilation", "bias") | more
    if "padding" in said and said["padding"] == half(kernel, said.get("dilation", 1), len(entering) - 1):
        said["padding"] = "half"
    groups = module.options.get("groups", 1)
    via = "string" if isinstance(module.options.get("padding"), str) else ""
    if groups == channels > 1 and channels % 2 == 0 and out % channels == 0:
        return item("dwconv", via, kernel=kernel, multiplier=out // channels, **said)
    return item("conv", via, out=out, kernel=kernel, groups=groups if groups > 1 else None, **said)


def half(kernel: Any, dilation: Any, axes: int) -> Any:
    """The padding that keeps the size of kernels of odd extent, as a tuple; None for others."""
    sides = zip(each(kernel, axes), each(dilation, axes), strict=True)
    reaches = [d * (k - 1) for k, d in sides]
    return None if any(reach % 2 for reach in reaches) else tuple(reach // 2 for reach in reaches)


def each(sizes: Any, axes: int) -> tuple[int, ...]:
    return sizes if isinstance(sizes, tuple) else (sizes,) * axes


def transposed(module: Call, entering: Shape, **more: Any) -> str:
    _, out, kernel = module.args
    said = named(module, "stride", "padding", "output_padding", "groups", "bias", "dilation") | more
    return item("deconv", out=out, kernel=kernel, **said)


def max_pool(module: Call, entering: Shape) -> str:
    return item("maxpool", kernel=module.args[0], **named(module, "stride", "padding", "dilation", "ceil_mode"))


def avg_pool(module: Call, entering: Shape) -> str:
    said = named(module, "stride", "padding", "ceil_mode", "count_include_pad")
    return item("avgpool", kernel=module.args[0], **said)


def adaptive(kind: str) -> Callable[[Call, Shape], str]:
    def pool(module: Call, entering: Shape) -> str:
        (out,) = module.args
        if out == 1:
            return f"{{{kind}: global}}"
        sizes = out if isinstance(out, int) else [n if o is None else o for n, o in zip(entering[1:], out, strict=True)]
        return item(kind, out=sizes)

    return pool


def upsample(module: Call, entering: Shape) -> str:
    said = named(module, "size", "mode")
    return item("upsample", scale=module.options.get("scale_factor"), **said)


# --- norms ------------------------------------------------------------------------------------------------------------


def norm(type_: str, option: str = "affine") -> Callable[[Call, Shape], str]:
    def written(module: Call, entering: Shape) -> str:
        return item("norm", type=type_, affine=module.options.get(option), **named(module, "track_running_stats"))

    return written


def over_axes(type_: str) -> Callable[[Call, Shape], str]:
    def written(module: Call, entering: Shape) -> str:
        axes = [axis - len(module.args[0]) for axis in range(len(module.args[0]))]
        axis = None if len(entering) < 3 and axes == [-1] else axes[0] if len(axes) == 1 else axes
        said = named(module, "bias")
        return item("norm", type=type_, axis=axis, affine=module.options.get("elementwise_affine"), **said)

    return written


def group_norm(module: Call, entering: Shape) -> str:
    return item("norm", type="group", groups=module.args[0], affine=module.options.get("affine"))


def local_response(module: Call, entering: Shape) -> str:
    return "{norm: lrn}"


def prelu(module: Call, entering: Shape) -> str:
    return "{act: {type: prelu, slopes: 1}}" if module.args[0] == 1 else "prelu"


# --- features ---------------------------------------------------------------------------------------------------------


def linear(module: Call, entering: Shape, **more: Any) -> str:
    axis = -1 if len(entering) >= 3 else None
    return item("linear", out=module.args[1], axis=axis, **(named(module, "bias") | more))


def recurrent(module: Call, entering: Shape) -> str:
    (cell,) = module.args
    said = named(cell, "bidirectional", "bias", "proj_size")
    return item(cell.name[3:].lower(), hidden=cell.args[1], layers=cell.options.get("num_layers"), **said)


def attend(module: Call, entering: Shape) -> str:
    (cell,) = module.args
    kv = OTHER if "kdim" in cell.options else None
    values = THIRD if cell.options.get("vdim") != cell.options.get("kdim") else None
    said = named(cell, "bias", "add_bias_kv", "add_zero_attn")
    return item("attention", "module", heads=cell.args[1], kv=kv, values=values, **said)


def grouped_attention(module: Call, entering: Shape) -> str:
    kv = OTHER if "kv_features" in module.options else None
    said = named(module, "heads", "kv_heads", "head_dim", "value_dim", "dim", "bias", "qk_norm")
    return item("attention", "operator", **said, kv=kv)


def embedding(module: Call, entering: Shape) -> str:
    return item("embedding", vocab=module.args[0], dim=module.args[1])


def scale(module: Call, entering: Shape) -> str:
    size, trailing = module.args
    if size == 1:
        return "{scale: scalar}"
    return item("scale", axis=0 if trailing else -1)


# --- axes -------------------------------------------------------------------------------------------------------------


def flatten(module: Call, entering: Shape) -> str:
    start, end = module.args
    return item("flatten", start=start - 1 if start > 0 else start, end=end - 1 if end > 0 else end)


def slice_(module: Call, entering: Shape) -> str:
    axis, start, stop, step = module.args
    return item("slice", axis=axis, start=start, stop=stop, step=step)


def pad(module: Call, entering: Shape) -> str:
    """Torch's padding begins with the last axis, the language's with the first."""
    sizes = module.args[0]
    return f"{{pad: {sizes if isinstance(sizes, int) else yaml(pairs(sizes))}}}"


def pairs(sizes: tuple[int, ...]) -> list[list[int]]:
    return [list(sizes[place : place + 2]) for place in range(0, len(sizes), 2)][::-1]


def pixel_shuffle(module: Call, entering: Shape) -> str:
    _, height, width = entering
    (r,) = module.args
    steps = [[-1, r, r, height, width], [0, 3, 1, 4, 2], [-1, height * r, width * r]]
    return f"[reshape: {yaml(steps[0])}, permute: {yaml(steps[1])}, reshape: {yaml(steps[2])}]"


def pixel_unshuffle(module: Call, entering: Shape) -> str:
    channels, height, width = entering
    (r,) = module.args
    steps = [[channels, -1, r, width // r, r], [0, 2, 4, 1, 3], [channels * r * r, height // r, width // r]]
    return f"[reshape: {yaml(steps[0])}, permute: {yaml(steps[1])}, reshape: {yaml(steps[2])}]"


# --- networks ---------------------------------------------------------------------------------------------------------


def leaving(module: Call, entering: Shape) -> Shape:
    """The shape behind a module that the second input does not reach."""
    import torch

    with torch.no_grad():
        words = "Embedding" in module.name
        given = torch.zeros([1, *entering], dtype=torch.int64 if words else torch.float32)
        return list(module.build().eval()(given).shape[1:])


def sequential(module: Call, entering: Shape) -> str:
    """Items in order; of a chain of even length, norms and activations are fused to the layer before them."""
    parts, items = list(module.args), list[str]()
    if len(parts) == 2 and parts[0].name.startswith("nn.ZeroPad") and parts[1].name.startswith("nn.Conv"):
        return convolution(parts[1], entering, padding=pairs(parts[0].args[0]))
    fusing = len(parts) % 2 == 0
    while parts:
        part = parts.pop(0)
        fused = [parts.pop(0) for _ in range(fusable(part, parts))] if fusing else []
        items.append(FUSING[bare(part)](part, entering, **said_of(part, fused)) if fused else spec(part, entering))
        for done in (part, *fused) if parts else ():
            entering = leaving(done, entering)
    return f"[{', '.join(items)}]"


def fusable(part: Call, behind: list[Call]) -> int:
    """How many of the parts behind a layer are its norm and its activation."""
    if bare(part) not in FUSING:
        return 0
    names = [bare(other) for other in behind[:2]]
    norm_first = names[:1] == ["BatchNorm"]
    return norm_first + (names[norm_first : norm_first + 1] != [] and names[norm_first] in ACTIVATIONS)


def said_of(part: Call, fused: list[Call]) -> dict[str, Any]:
    """A fused norm switches the bias off, which torch never does by itself."""
    norms = [other for other in fused if bare(other) == "BatchNorm"]
    acts = [ACTIVATIONS[bare(other)] for other in fused if other not in norms]
    said: dict[str, Any] = {"norm": "batch", "bias": part.options.get("bias", True)} if norms else {}
    return said | ({"act": acts[0]} if acts else {})


def join(kind: str) -> Callable[[Call, Shape], str]:
    def written(module: Call, entering: Shape) -> str:
        branches = f"[{', '.join(spec(branch, entering) for branch in module.args)}]"
        axis = module.options.get("axis", 0)
        return f"{{{kind}: {{axis: {axis}, branches: {branches}}}}}" if axis else f"{{{kind}: {branches}}}"

    return written


WORDS: dict[str, Callable[[Call, Shape], str]] = {
    "Conv": convolution,
    "ConvTranspose": transposed,
    "MaxPool": max_pool,
    "AvgPool": avg_pool,
    "AdaptiveMaxPool": adaptive("maxpool"),
    "AdaptiveAvgPool": adaptive("avgpool"),
    "Upsample": upsample,
    "BatchNorm": norm("batch"),
    "InstanceNorm": norm("instance"),
    "LayerNorm": over_axes("layer"),
    "RMSNorm": over_axes("rms"),
    "GroupNorm": group_norm,
    "LocalResponseNorm": local_response,
    "PReLU": prelu,
    "Linear": linear,
    "Output": recurrent,
    "Attend": attend,
    "GroupedAttention": grouped_attention,
    "Embedding": embedding,
    "Scale": scale,
    "Learned": lambda module, _entering: f"{{param: {yaml(module.args)}}}",
    "Dropout": lambda module, _entering: f"{{dropout: {module.args[0]}}}",
    "Softmax": lambda module, _entering: f"{{softmax: {module.args[0] - 1 if module.args[0] > 0 else module.args[0]}}}",
    "ChannelShuffle": lambda module, _entering: f"{{shuffle: {module.args[0]}}}",
    "PixelShuffle": pixel_shuffle,
    "PixelUnshuffle": pixel_unshuffle,
    "Flatten": flatten,
    "Permute": lambda module, _entering: f"{{permute: {yaml(module.args)}}}",
    "Reshape": lambda module, _entering: f"{{reshape: {yaml(module.args)}}}",
    "Slice": slice_,
    "ZeroPad": pad,
    "ConstantPad": pad,
    "Identity": lambda _module, _entering: "identity",
    "From": lambda _module, _entering: f"{{from: {OTHER}}}",
    "Sequential": sequential,
    "Add": join("add"),
    "Mul": join("mul"),
    "Concat": join("concat"),
    "MatMul": join("matmul"),
}
FUSING: dict[str, Callable[..., str]] = {"Conv": convolution, "ConvTranspose": transposed, "Linear": linear}
"""Layers that may hold their norm and their activation."""
ACTIVATIONS = {
    "ReLU": "relu", "ReLU6": "relu6", "LeakyReLU": "leaky_relu", "RReLU": "rrelu", "ELU": "elu", "SELU": "selu",
    "CELU": "celu", "GELU": "gelu", "SiLU": "silu", "Mish": "mish", "Sigmoid": "sigmoid", "LogSigmoid": "logsigmoid",
    "Tanh": "tanh", "Tanhshrink": "tanhshrink", "Hardswish": "hardswish", "Hardsigmoid": "hardsigmoid",
    "Hardtanh": "hardtanh", "Hardshrink": "hardshrink", "Softshrink": "softshrink", "Softplus": "softplus",
    "Softsign": "softsign",
}  # fmt: skip
