"""Modules as text: a call that prints itself and builds what it prints, and modules that torch has no class for.

``random_layers.py`` and ``random_tools.py`` write what they measure with these, so that a reader can run a row:
``from torch import nn; from pieces import *``, then the text of the row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Call:
    """``name(*args, **options)``: a class of torch.nn, or one of this file."""

    name: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        options = [f"{name}={value!r}" for name, value in self.options.items()]
        return f"{self.name}({', '.join([*map(repr, self.args), *options])})"

    __repr__ = __str__

    def build(self) -> nn.Module:
        """Build the module, and those that it holds."""
        kind = getattr(nn, self.name[3:]) if self.name.startswith("nn.") else globals()[self.name]
        return kind(*(arg.build() if isinstance(arg, Call) else arg for arg in self.args), **self.options)


def call(name: str, *args: Any, **options: Any) -> Call:
    """A call, as it would be written."""
    return Call(name, args, options)


# --- joins ------------------------------------------------------------------------------------------------------------


class From(nn.Module):
    """Another input of the network, as a branch of a join."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Join(nn.Module):
    """Branches that read the first input, or are another, and meet."""

    def __init__(self, *branches: nn.Module, **options: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.options = options

    def forward(self, *inputs: Tensor) -> Tensor:
        given = [inputs[branch.number] if isinstance(branch, From) else branch(inputs[0]) for branch in self.branches]
        return self.joined(given)

    def joined(self, given: list[Tensor]) -> Tensor:
        """Make one tensor of the branches'."""
        raise NotImplementedError


class Add(Join):
    def joined(self, given: list[Tensor]) -> Tensor:
        return sum(given[1:], given[0])


class Mul(Join):
    def joined(self, given: list[Tensor]) -> Tensor:
        whole = given[0]
        for other in given[1:]:
            whole = whole * other
        return whole


class Concat(Join):
    """Along an axis, counted without the batch."""

    def joined(self, given: list[Tensor]) -> Tensor:
        return torch.cat(given, dim=self.options["axis"] + 1)


class MatMul(Join):
    def joined(self, given: list[Tensor]) -> Tensor:
        return given[0] @ given[1]


# --- rearranging: axes are counted without the batch ------------------------------------------------------------------


class Permute(nn.Module):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, *(axis + 1 for axis in self.axes))


class Reshape(nn.Module):
    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


class Slice(nn.Module):
    """``x[start:stop:step]`` of one axis."""

    def __init__(self, axis: int, start: int | None, stop: int | None, step: int | None) -> None:
        super().__init__()
        self.axis, self.taken = axis, slice(start, stop, step)

    def forward(self, x: Tensor) -> Tensor:
        return x[(slice(None),) * (self.axis + 1) + (self.taken,)]


# --- layers -----------------------------------------------------------------------------------------------------------


class Output(nn.Module):
    """The first of what a module gives: a recurrent layer's steps without its state."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)[0]


class Attend(nn.Module):
    """nn.MultiheadAttention with its weights; keys and values are the second input, if any, or values the third."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor, memory: Tensor | None = None, values: Tensor | None = None) -> Tensor:
        read = x if memory is None else memory
        return self.module(x, read, read if values is None else values)[0]


class GroupedAttention(nn.Module):
    """Attention of several query heads for each head of keys and values; leading axes are windows.

    With ``kv_features`` keys and values are the second input, which has so many. ``bias`` may be one flag for each of
    q, k, v and o, ``qk_norm`` a norm of each head of the queries and keys, or of all of them together.
    """

    def __init__(
        self, features: int, *, heads: int, kv_heads: int, head_dim: int, dim: int, bias: bool | tuple[bool, ...],
        kv_features: int = 0, value_dim: int = 0, qk_norm: str = "none",
    ) -> None:  # fmt: skip
        super().__init__()
        self.heads, self.kv_heads, self.value_dim = heads, kv_heads, value_dim or head_dim
        self.head_dim, read = head_dim, kv_features or features
        biases = bias if isinstance(bias, tuple) else (bias,) * 4
        self.q = nn.Linear(features, heads * head_dim, bias=biases[0])
        self.k = nn.Linear(read, kv_heads * head_dim, bias=biases[1])
        self.v = nn.Linear(read, kv_heads * self.value_dim, bias=biases[2])
        self.o = nn.Linear(heads * self.value_dim, dim, bias=biases[3])
        type_, _, self.across = qk_norm.partition("_across_")
        norm = {"none": nn.Identity, "layer": nn.LayerNorm, "rms": nn.RMSNorm}[type_]
        self.q_norm = norm(heads * head_dim if self.across else head_dim)
        self.k_norm = norm(kv_heads * head_dim if self.across else head_dim)

    def split(self, x: Tensor, heads: int, norm: nn.Module | None = None) -> Tensor:
        """[…, tokens, heads·d] → […, all heads, tokens, d]."""
        x = norm(x) if norm is not None and self.across else x
        x = x.unflatten(-1, (heads, -1)).transpose(-3, -2)
        x = norm(x) if norm is not None and not self.across else x
        return x.repeat_interleave(self.heads // heads, dim=-3)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        read = x if memory is None else memory
        queries = self.split(self.q(x), self.heads, self.q_norm)
        keys = self.split(self.k(read), self.kv_heads, self.k_norm)
        values = self.split(self.v(read), self.kv_heads)
        scores = torch.softmax(queries @ keys.transpose(-2, -1) / sqrt(self.head_dim), dim=-1)
        return self.o((scores @ values).transpose(-3, -2).flatten(-2))


class Scale(nn.Module):
    """One learned factor for each place of an axis, which is counted without the batch."""

    def __init__(self, size: int, trailing: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size, *[1] * trailing))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class Learned(nn.Module):
    """A learned tensor; what enters only tells the batch."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight.expand(len(x), *self.weight.shape)
