"""Reports made by hand: the arithmetic of known networks, without the program that is to work it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convcalc.errors import Source, Span
from convcalc.metrics.metric import Metric
from convcalc.report.report import LayerRow, Report

COLUMNS = (
    Metric("params", "Params", "scalars", "learnable weights and biases"),
    Metric("buffers", "Buffers", "scalars", "state that is kept but not learned"),
    Metric("macs", "Multiplies", "multiplications", "multiply-accumulates of layers that multiply"),
    Metric("flops", "FLOPs", "operations", "2 x multiplies"),
    Metric("activations", "Activations", "elements", "outputs of the layers that multiply"),
    Metric("output_elements", "Output elements", "elements", "outputs of all layers"),
    Metric("depth", "Depth", "layers", "weighted layers on the longest path", total_of=max),
    Metric("nonlinearities", "Nonlinearities", "layers", "activations on the longest path", total_of=max),
    Metric("weight_bytes", "Weight bytes", "bytes", "params and buffers at the width of the dtype", total_of=max),
)
PER_LAYER = ("params", "buffers", "macs", "flops", "activations", "output_elements")
Shape = tuple[int, ...]


class Builder:
    """Adds layers one after another, each reading the one before."""

    def __init__(self, shape: Shape, file: str = "spec.yaml") -> None:
        self.input = self.shape = shape
        self.rows: list[LayerRow] = []
        self.source = Source(file)
        self.depth = self.acts = 0

    def conv(
        self, path: str, out: int, kernel: int, stride: int = 1, *, bias: bool = False, fused: bool = False
    ) -> None:
        """Half padding: the output is the input's size divided by the stride."""
        channels, *spatial = self.shape
        places = [(size + stride - 1) // stride for size in spatial]
        weights = out * channels * kernel * kernel
        macs = weights * places[0] * places[1]
        text = f"{kernel}×{kernel}, {channels} → {out}" + (f", stride {stride}" if stride > 1 else "")
        attributes = {"kernel_size": (kernel, kernel), "stride": (stride, stride), "groups": 1, "bias": bias}
        self.depth += 1
        self.add(
            path, "conv", text, (out, *places), {"params": weights + bias * out, "macs": macs}, attributes=attributes
        )
        if fused:
            self.add(f"{path}.norm", "norm", f"batch, {out}", self.shape, {"params": 2 * out, "buffers": 2 * out})
            self.act(f"{path}.act")

    def act(self, path: str) -> None:
        self.acts += 1
        self.add(path, "act", "relu", self.shape, {})

    def pool(self, path: str, kernel: int, stride: int) -> None:
        places = tuple((size + stride - 1) // stride for size in self.shape[1:])
        self.add(path, "maxpool", f"{kernel}×{kernel}, stride {stride}", (self.shape[0], *places), {})

    def linear(self, path: str, out: int) -> None:
        size = self.shape[-1]
        self.depth += 1
        self.add(path, "linear", f"{size} → {out}", (out,), {"params": size * out + out, "macs": size * out})

    def add(
        self,
        path: str,
        op: str,
        summary: str,
        shape: Shape,
        values: Mapping[str, int],
        *,
        attributes: Any = None,
        tied_to: str | None = None,
    ) -> None:
        elements = 1
        for axis in shape:
            elements *= axis
        macs = values.get("macs", 0)
        full = {"flops": 2 * macs, "activations": elements if macs else 0, "output_elements": elements}
        full = {key: values.get(key, full.get(key, 0)) for key in PER_LAYER}
        before = self.rows[-1].path if self.rows else "input"
        span = Span(self.source, len(self.rows) + 3, 5, 4)
        self.rows.append(
            LayerRow(path, op, summary, (before,), (self.shape,), shape, attributes or {}, full, tied_to, span)
        )
        self.shape = shape

    def report(self, design: str, name: str = "", depth: int | None = None, acts: int | None = None) -> Report:
        depth = self.depth if depth is None else depth
        acts = self.acts if acts is None else acts
        return made(design, name or design, self.input, self.rows, {"depth": depth, "nonlinearities": acts})


def made(design: str, name: str, shape: Shape, rows: Sequence[LayerRow], others: Mapping[str, int]) -> Report:
    sums = {key: sum(row.values.get(key, 0) for row in rows) for key in PER_LAYER}
    totals = {**sums, **others, "weight_bytes": 4 * (sums["params"] + sums["buffers"])}
    last = rows[-1] if rows else None
    outputs = {last.path: last.output_shape} if last else {}
    return Report(design, name, 1, "float32", {"input": shape}, outputs, COLUMNS, totals, rows)


def naive() -> Report:
    """GoogLeNet 3a without reductions."""
    build = Builder((192, 28, 28), "specs/googlenet_3a.yaml")
    for name, out, kernel in (("1x1", 64, 1), ("3x3", 128, 3), ("5x5", 32, 5)):
        build.shape = build.input
        build.conv(f"naive.{name}", out, kernel)
    build.shape = build.input
    build.pool("naive.pool", 3, 1)
    build.add("naive.concat1", "concat", "4 branches", (416, 28, 28), {})
    return build.report("specs/googlenet_3a.yaml#naive", "GoogLeNet 3a", 1, 0)


def reduced() -> Report:
    """GoogLeNet 3a with reductions of 96, 16 and a pool projection of 32."""
    build = Builder((192, 28, 28), "specs/googlenet_3a.yaml")
    build.conv("reduced.1x1", 64, 1)
    for name, middle, out, kernel in (("3x3", 96, 128, 3), ("5x5", 16, 32, 5)):
        build.shape = build.input
        build.conv(f"reduced.{name}.reduce", middle, 1)
        build.conv(f"reduced.{name}.conv", out, kernel)
    build.shape = build.input
    build.pool("reduced.pool.maxpool1", 3, 1)
    build.conv("reduced.pool.conv1", 32, 1)
    build.add("reduced.concat1", "concat", "4 branches", (256, 28, 28), {})
    return build.report("specs/googlenet_3a.yaml#reduced", "GoogLeNet 3a", 2, 0)


def resnet(blocks: Sequence[int] = (3, 4, 6, 3), design: str = "specs/zoo/resnet50.yaml") -> Report:
    """ResNet-50: 175 rows with every fused norm, activation and addition."""
    build = Builder((3, 224, 224), "specs/zoo/resnet50.yaml")
    build.conv("conv1", 64, 7, 2, fused=True)
    build.pool("maxpool1", 3, 2)
    for stage, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), 1):
        for block in range(1, count + 1):
            stride = 2 if block == 1 and stage > 1 else 1
            _bottleneck(build, f"stage{stage}.block{block}", width, stride, first=block == 1)
    build.add("avgpool1", "avgpool", "global", (2048, 1, 1), {})
    build.add("flatten1", "flatten", "", (2048,), {})
    build.linear("linear1", 1000)
    count = 3 * sum(blocks) + 2
    return build.report(design, f"ResNet-{count}", count, count - 1)


def resnet101() -> Report:
    """ResNet-101."""
    return resnet((3, 4, 23, 3), "specs/zoo/resnet50.yaml@101")


def resnet152() -> Report:
    """ResNet-152."""
    return resnet((3, 8, 36, 3), "specs/zoo/resnet50.yaml@152")


def _bottleneck(build: Builder, path: str, width: int, stride: int, *, first: bool) -> None:
    before = build.shape
    build.conv(f"{path}.conv1", width, 1, fused=True)
    build.conv(f"{path}.conv2", width, 3, stride, fused=True)
    build.conv(f"{path}.conv3", 4 * width, 1)
    norm = {"params": 8 * width, "buffers": 8 * width}
    build.add(f"{path}.conv3.norm", "norm", f"batch, {4 * width}", build.shape, norm)
    after, build.shape = build.shape, before
    if first:
        build.conv(f"{path}.shortcut", 4 * width, 1, stride)
        build.add(f"{path}.shortcut.norm", "norm", f"batch, {4 * width}", build.shape, norm)
    build.shape = after
    build.add(f"{path}.add1", "add", "2 branches", after, {})
    build.act(f"{path}.act1")


def chain(length: int) -> Report:
    """A chain of one-by-ones in groups of ten."""
    build = Builder((64, 8, 8), "chain.yaml")
    for number in range(length):
        build.conv(f"part{number // 1000}.block{number // 10}.conv{number}", 64, 1, bias=True)
    return build.report("chain.yaml")


def tied() -> Report:
    """A language model whose last layer shares the weights of its first."""
    build = Builder((128,), "lm.yaml")
    build.add("embed", "embedding", "30522 × 768", (128, 768), {"params": 30522 * 768})
    build.add("head", "linear", "768 → 30522", (128, 30522), {"macs": 128 * 768 * 30522}, tied_to="embed")
    return build.report("lm.yaml", depth=1, acts=0)


def incomplete() -> Report:
    """A design with a layer that nobody knows how to count."""
    build = Builder((3, 32, 32), "odd.onnx")
    build.conv("body.conv1", 16, 3)
    build.add("body.warp1", "warp", "", (16, 32, 32), {})
    build.conv("body.conv2", 32, 3)
    not_known = frozenset({"macs", "flops", "activations", "depth", "nonlinearities"})
    return replace(build.report("odd.onnx"), unknown={"body.warp1": not_known})


def hostile() -> Report:
    """Names that try to be something else: markup, escapes, formulas, right-to-left text, wide characters."""
    build = Builder((3, 8, 8), "=cmd|'/c calc'!A1.yaml")
    names = ("=1+1", "[red]bold[/red]", "a|b`c`<script>", "esc\x1b[31m", "\u202etxt", "宽字符", "@x", "x_1$%&#{}~^\\")
    for name in names:
        build.conv(name, 4, 1)
    return build.report("=cmd|'/c calc'!A1.yaml", "<b>\x1b]0;title\x07</b>")


def joined() -> Report:
    """Two branches under a named join, whose own layer stands at the path of its branches' scope."""
    build = Builder((8, 6, 6), "join.yaml")
    build.conv("stem", 4, 1)
    build.conv("join.left", 4, 1, bias=True)
    build.conv("join.right", 4, 3, fused=True)
    build.add("join", "concat", "", (8, 6, 6), {})
    return build.report("join.yaml")


def empty() -> Report:
    """A design without layers."""
    return made("empty.yaml", "empty.yaml", (3, 8, 8), (), {"depth": 0, "nonlinearities": 0})
