"""The layers that all modules are made of: convolutions with norm and activation, and what joins them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from typing import Any, TypeAlias

from convcalc.arith import Number, free_names, is_plain
from convcalc.errors import Source, SpecError
from convcalc.importers.builder import ModelBuilder
from convcalc.shapes import Shape
from convcalc.spec.document.value_nodes import StructuralError

Kernel: TypeAlias = "int | tuple[int, ...]"

SILU = {"type": "silu"}
RELU = {"type": "relu"}
SIGMOID = {"type": "sigmoid"}
_COPIED = re.compile(r"\bone2one_cv\d")
"""In the path of a branch that is a copy of another one."""
MAX_LAYERS = 30_000
"""Ten times as many as any known network has."""


class YoloNet(ModelBuilder):
    """Builds modules as layers whose paths are the names of the package's modules: ``model.4.m.0.cv1.conv``."""

    def __init__(self, source: Source, activation: Mapping[str, Any], *, is_v5: bool = False) -> None:
        super().__init__(source)
        self.activation = activation
        """Arguments of the activation that a convolution has unless its row says otherwise."""
        self.is_v5 = is_v5
        """Whether modules are those of YOLOv5's own repository, whose heads have anchors."""
        self.depthwise_head = False
        """Whether class branches of heads are depthwise, as of files with modules that came after YOLOv9."""
        self.reg_max = 16
        """Bins of the distribution of an edge of a box."""
        self.prefixes: tuple[str, ...] = ("",)
        """Of the sets of branches of a head: two in models that need no search for duplicates."""
        self.module = ""
        """The name of the module that is added now."""
        self.classes: Number = 1
        """How many classes there are."""
        self.words = self.text = -1
        """The text of classes as it came, and as it is now."""
        self._layers = 0

    def add(self, node: str, kind: str, *inputs: int, **arguments: Any) -> int:
        self._layers += 1
        if self._layers > MAX_LAYERS:
            raise SpecError("CC503", f"more than {MAX_LAYERS} layers", self.place)
        return super().add(node, kind, *inputs, **arguments)

    def channels(self, x: int) -> Number:
        return self.shape(x)[0]

    def plain_channels(self, x: int) -> int:
        """Return channels that others are computed from."""
        return self.plain(self.channels(x), "the channels of what it reads")

    def plain(self, value: Any, what: str) -> int:
        """Return an integer that is no symbol and no array.

        Raises:
            StructuralError: CC411, where it is one.
        """
        if is_plain(value):
            return value  # type: ignore[no-any-return]
        names = free_names(value)
        text = f"{self.module}: {what} must be a plain value, and depends on {', '.join(names)}"
        raise StructuralError("CC411", text, self.place, names=names)

    def require(self, holds: bool, text: str) -> None:
        """Demand what a module demands of its sizes.

        Raises:
            SpecError: CC768, at the row.
        """
        if not holds:
            raise SpecError("CC768", f"{self.module}: {text}", self.place)

    def require_groups(self, g: int, channels: int) -> None:
        """Demand groups that divide the channels, also of a module that has them for modules like it alone."""
        self.require(g > 0 and channels % g == 0, f"{g} groups do not divide {channels} channels")

    def act(self, at: str, x: int, activation: Mapping[str, Any] | None = None) -> int:
        """The activation of the model, or another one; a learned one is the same in all branches but copied ones."""
        chosen = self.activation if activation is None else activation
        copied = _COPIED.search(at)
        tied = ("activation", copied and copied[0]) if chosen["type"] == "prelu" else None
        return self.add(at, "act", x, weights=tied, **chosen)

    def conv2d(
        self, at: str, x: int, out: Number, k: Kernel = 1, s: Kernel = 1, *, p: Any = None, g: int = 1, d: int = 1,
        bias: bool = True,
    ) -> int:  # fmt: skip
        """A convolution, padded by half of its dilated kernel unless ``p`` says otherwise."""
        padding = half(k, d) if p is None else p
        channels = self.channels(x)
        arguments = {"kernel": k, "stride": s, "padding": padding, "dilation": d, "bias": bias}
        if g > 1 and g == channels and out % g == 0:
            return self.add(at, "dwconv", x, multiplier=out // g if out != g else None, **arguments)
        return self.add(at, "conv", x, out=out, groups=g, **arguments)

    def conv(
        self, at: str, x: int, out: Number, k: Kernel = 1, s: Kernel = 1, *, p: Any = None, g: int = 1, d: int = 1,
        act: bool | Mapping[str, Any] = True,
    ) -> int:  # fmt: skip
        """A convolution without bias, batch norm, and the activation unless ``act`` is false or another one."""
        return self._norm_act(at, self.conv2d(f"{at}.conv", x, out, k, s, p=p, g=g, d=d, bias=False), act)

    def _norm_act(self, at: str, x: int, act: bool | Mapping[str, Any]) -> int:
        x = self.add(f"{at}.bn", "norm", x, type="batch")
        return x if act is False else self.act(f"{at}.act", x, None if act is True else act)

    def depthwise(self, at: str, x: int, k: int, s: int = 1, act: bool | Mapping[str, Any] = True) -> int:
        """A convolution of each channel alone, with norm and activation."""
        y = self.add(f"{at}.conv", "dwconv", x, kernel=k, stride=s, padding=half(k), bias=False)
        return self._norm_act(at, y, act)

    def dwconv(
        self, at: str, x: int, out: int, k: Kernel = 1, s: Kernel = 1, d: int = 1, act: bool | Mapping[str, Any] = True
    ) -> int:
        """A convolution with as many groups as divide the channels on both sides."""
        return self.conv(at, x, out, k, s, g=gcd(self.plain_channels(x), out), d=d, act=act)

    def concat(self, at: str, *inputs: int, axis: int = 0) -> int:
        return self.add(f"{at}.concat", "concat", *inputs, axis=axis) if len(inputs) > 1 else inputs[0]

    def residual(self, at: str, x: int, y: int, joins: bool = True) -> int:
        """The sum of input and output of a block, where it has a shortcut and their channels are equal."""
        return self.add(f"{at}.add", "add", x, y) if joins and self.channels(x) == self.channels(y) else y

    def halves(self, at: str, x: int) -> tuple[int, int]:
        """Both halves of the channels."""
        first, second = (self.add(f"{at}.split", "split", x, into=2, part=part) for part in (0, 1))
        return first, second

    def split(self, at: str, x: int, sizes: Sequence[Number], axis: int = 0) -> list[int]:
        """Parts of an axis."""
        parts = range(len(sizes))
        return [self.add(f"{at}.split", "split", x, sizes=tuple(sizes), part=part, axis=axis) for part in parts]

    def tokens(self, at: str, x: int) -> int:
        """[C, H, W] → [H·W, C]."""
        flat = self.add(f"{at}.flatten", "flatten", x, start=1)
        return self.add(f"{at}.permute", "permute", flat, axes=(1, 0))

    def image(self, at: str, x: int, like: Shape) -> int:
        """[H·W, C] → [C, H, W], with the spatial axes of a shape."""
        turned = self.add(f"{at}.permute", "permute", x, axes=(1, 0))
        return self.add(f"{at}.reshape", "reshape", turned, shape=(self.shape(turned)[0], *like.spatial))

    def unused(self, at: str, x: int, params: Number) -> None:
        """Weights that nothing reads when the model predicts: of branches for training."""
        if not is_plain(params) or params:
            self.add(at, "custom", x, out=(1,), params=params)


def half(kernel: Kernel, dilation: int = 1) -> Kernel:
    """Return the padding that keeps the size at stride 1, for odd kernels."""
    if isinstance(kernel, int):
        return (dilation * (kernel - 1) + 1) // 2
    return tuple((dilation * (size - 1) + 1) // 2 for size in kernel)


def conv_params(channels_in: Number, channels_out: Number, kernel: int = 1, *, norm: bool = True) -> Number:
    """Return the weights of a convolution, with those of its norm or its bias."""
    return channels_in * channels_out * kernel * kernel + channels_out * (2 if norm else 1)


def scaled(size: int, factor: float) -> int:
    """Return a width as double precision gives it, which is how the modules round."""
    return int(size * factor)


def numbered(at: str, count: int) -> Iterable[str]:
    """Return the paths of the modules in a list."""
    return (f"{at}.{index}" for index in range(count))
