# ruff: noqa: E741, N806, PERF401, RET504, RUF059 - models are written as people write them
"""Modules that are written in odd ways: functional, tied, shared, in place, with control flow on shapes, and more.

Those that nothing else counts have their multiplies by arithmetic; ``traced_models.py`` measures the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torchvision
from functorch.experimental import control_flow
from torch import nn
from torch._higher_order_ops import scan, while_loop
from torch.nn import functional as F  # noqa: N812
from torch.nn.attention.flex_attention import flex_attention
from torch.utils.checkpoint import checkpoint


class Case(NamedTuple):
    """A module, the shape of its input without the batch or a callable for its inputs, and its multiplies, if known."""

    build: Callable[[], nn.Module]
    shape: list[int] | None
    given: Callable[[], Any] | None
    macs: int | None
    dtype: str


MODULES: dict[str, Case] = {}


def module(shape: Any = None, given: Any = None, macs: int | None = None, dtype: str = "") -> Any:
    """Enter a module into the table."""

    def entered(build: Any) -> Any:
        MODULES[build.__name__] = Case(build, shape, given, macs, dtype)
        return build

    return entered


@module([3, 32, 32])
class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(8, 3, 3, 3))
        self.b = nn.Parameter(torch.zeros(8))
        self.l = nn.Parameter(torch.zeros(10, 8))

    def forward(self, x):
        return F.linear(F.adaptive_avg_pool2d(F.relu(F.conv2d(x, self.w, self.b, 2, 1)), 1).flatten(1), self.l)


@module([16], dtype="int64")
class TiedLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(100, 32)
        self.p = nn.Parameter(torch.zeros(1, 64, 32))
        self.l = nn.Linear(32, 100, bias=False)
        self.l.weight = self.e.weight
        self.t = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)

    def forward(self, x):
        return self.l(self.t(self.e(x) + self.p[:, : x.shape[1]]))


@module([16], dtype="int64")
class TiedBias(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(100, 32)
        self.l = nn.Linear(32, 100)
        self.l.weight = self.e.weight

    def forward(self, x):
        return self.l(self.e(x))


@module([16], dtype="int64")
class PosEmb(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(100, 32)
        self.p = nn.Embedding(64, 32)
        self.l = nn.Linear(32, 10)

    def forward(self, x):
        return self.l(self.e(x) + self.p(torch.arange(x.shape[1], device=x.device)))


@module([3, 16, 16])
class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 3, 3, padding=1)
        self.n = nn.BatchNorm2d(3)

    def forward(self, x):
        for _ in range(3):
            x = F.relu(self.n(self.c(x)))
        return x


@module([3, 16, 16])
class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3, padding=1)
        self.d = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        y = self.c(x)
        y.add_(1).mul_(2).relu_()
        y[:, :4] = self.d(y)[:, :4]
        y[:, 0] = 0
        return self.d(y)


@module([12, 16])
class Einsum(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(4, 16, 8))
        self.o = nn.Parameter(torch.zeros(4, 8, 16))

    def forward(self, x):
        q = torch.einsum("bnd,hde->bhne", x, self.w)
        a = torch.einsum("bhne,bhme->bhnm", q, q).softmax(-1)
        return torch.einsum("bhnm,bhme,hed->bnd", a, q, self.o)


@module([3, 16, 16])
class Unfold(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(27, 8)

    def forward(self, x):
        u = F.unfold(x, 3, padding=1, stride=2)
        y = self.l(u.transpose(1, 2)).transpose(1, 2)
        return F.fold(y, (8, 8), 1)


@module([20, 8], macs=20 * 4 * 12 * (8 + 12) + 20 * 2 * 3 * 6 * (12 + 6))
class Rnns(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.LSTM(8, 12, batch_first=True)
        self.b = nn.GRU(12, 6, bidirectional=True, batch_first=True)

    def forward(self, x):
        y, (h, c) = self.a(x)
        z, h2 = self.b(y)
        return z[:, -1] + 0 * h2.reshape(1, -1) + h.sum()


@module([20, 8], macs=20 * (4 * 12 * (8 + 5) + 5 * 12) + 20 * (4 * 12 * (5 + 5) + 5 * 12))
class LstmProj(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.LSTM(8, 12, 2, proj_size=5, batch_first=True, bias=False)

    def forward(self, x):
        return self.a(x)[1][0]


@module([5, 8])
class MoE(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Linear(8, 4)
        self.e = nn.ModuleList(nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)) for _ in range(4))

    def forward(self, x):
        w = self.g(x).softmax(-1)
        top = w.topk(2, -1)[0]
        out = torch.zeros_like(x)
        for i, e in enumerate(self.e):
            out = out + e(x) * w[..., i : i + 1]
        return out * top.sum(-1, keepdim=True)


@module([3, 17, 17])
class DynShape(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3, 2)

    def forward(self, x):
        b, c, h, w = x.shape
        if h % 2:
            x = F.pad(x, (0, 1, 0, 1))
        while x.shape[-1] > 4:
            x = self.c(x) if x.shape[1] == 3 else F.avg_pool2d(x, 2)
        return x


@module([3, 16, 16])
class WeightNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3))
        self.d = nn.utils.weight_norm(nn.Conv2d(8, 8, 1))
        self.e = nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 8, 1))

    def forward(self, x):
        return self.e(self.d(self.c(x)))


@module([3, 16, 16])
class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)
        self.u = nn.Linear(5, 7)
        self.p = nn.Parameter(torch.zeros(3))
        self.a = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        y = self.c(x)
        if self.training:
            return y, self.a(y)
        return y


@module(given=lambda: (torch.zeros(1, 10, 16), torch.zeros(1, 7, 16)))
class CrossMHA(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = nn.MultiheadAttention(16, 4, batch_first=True)
        self.k = nn.MultiheadAttention(16, 4, kdim=16, vdim=16, add_bias_kv=True, batch_first=True)

    def forward(self, q, k):
        return self.m(q, k, k)[0] + self.k(q, k, k, need_weights=False)[0]


@module(given=lambda: (torch.zeros(10, 1, 16), torch.zeros(7, 1, 16)))
class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Transformer(16, 4, 2, 2, 32)

    def forward(self, a, b):
        return self.t(a, b)


@module([3, 16, 16])
class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Upsample(scale_factor=2),
            nn.GroupNorm(2, 8),
            nn.ConvTranspose2d(8, 4, 2, 2),
            nn.AdaptiveAvgPool2d(3),
        )
        self.l = nn.Linear(4 * 9 * 2, 5)

    def forward(self, x):
        y = torch.cat([x, x.flip(-1)], 0)
        f = self.c(y)
        a, b = f.chunk(2, 0)
        return self.l(torch.cat([a, b], 1).flatten(1))


@module([3, 8, 16, 16], macs=8 * 8 * 8 * 8 * 27 + 8 * 3 * 6 * (8 + 6))
class VideoFrames(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.g = nn.GRU(8, 6, batch_first=True)

    def forward(self, x):
        b, c, t, h, w = x.shape
        y = self.c(x.permute(0, 2, 1, 3, 4).reshape(b * t, c, h, w)).mean((2, 3))
        return self.g(y.view(b, t, -1))[0]


@module([7, 8])
class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.LSTMCell(8, 6)
        self.g = nn.GRUCell(6, 5)
        self.r = nn.RNNCell(5, 4)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], 6)
        g = x.new_zeros(x.shape[0], 5)
        r = x.new_zeros(x.shape[0], 4)
        for t in range(x.shape[1]):
            h, c = self.a(x[:, t], (h, c))
            g = self.g(h, g)
            r = self.r(g, r)
        return r, c


@module([16, 8])
class RmsOut(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(8))
        self.l = nn.Linear(8, 8)
        self.r = nn.RMSNorm(8)

    def forward(self, x):
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.w
        return self.r(self.l(y))


@module([16, 32])
class Rope(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(32, 32)
        self.k = nn.Linear(32, 16)
        self.v = nn.Linear(32, 16)
        self.o = nn.Linear(32, 32)
        self.register_buffer("inv", 1.0 / (10000 ** (torch.arange(0, 8, 2).float() / 8)))

    def rot(self, x):
        a, b = x.chunk(2, -1)
        return torch.cat([-b, a], -1)

    def forward(self, x):
        B, N, _ = x.shape
        q = self.q(x).view(B, N, 4, 8).transpose(1, 2)
        k = self.k(x).view(B, N, 2, 8).transpose(1, 2)
        v = self.v(x).view(B, N, 2, 8).transpose(1, 2)
        f = torch.outer(torch.arange(N, device=x.device).float(), self.inv)
        f = torch.cat([f, f], -1)
        q = q * f.cos() + self.rot(q) * f.sin()
        k = k * f.cos() + self.rot(k) * f.sin()
        k = k.repeat_interleave(2, 1)
        v = v.repeat_interleave(2, 1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(y.transpose(1, 2).reshape(B, N, -1))


@module([16, 32])
class Gqa(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(32, 32)
        self.kv = nn.Linear(32, 32)

    def forward(self, x):
        B, N, _ = x.shape
        q = self.q(x).view(B, N, 4, 8).transpose(1, 2)
        k, v = self.kv(x).view(B, N, 2, 2, 8).permute(2, 0, 3, 1, 4)
        return F.scaled_dot_product_attention(q, k, v, enable_gqa=True)


@module([3, 16, 16], macs=256 * 18 * 27 + 256 * 8 * 27)
class Deform(nn.Module):
    def __init__(self):
        super().__init__()
        self.o = nn.Conv2d(3, 18, 3, padding=1)
        self.d = torchvision.ops.DeformConv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.d(x, self.o(x))


@module([8, 16, 16])
class Stn(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(8, 6)

    def forward(self, x):
        t = self.l(x.mean((2, 3))).view(-1, 2, 3)
        return F.grid_sample(x, F.affine_grid(t, x.shape, align_corners=False), align_corners=False)


@module([3, 16, 16])
class DynConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(4, 8 * 3 * 9))
        self.r = nn.Linear(3, 4)

    def forward(self, x):
        w = (self.r(x.mean((2, 3))).softmax(-1) @ self.w).view(8, 3, 3, 3)
        return F.conv2d(x, w, padding=1)


@module([3, 16, 16])
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)
        self.register_buffer("k", torch.ones(8, 1, 3, 3))

    def forward(self, x):
        return F.conv2d(F.pad(self.c(x), (1, 1, 1, 1), mode="reflect"), self.k, stride=2, groups=8)


@module([3, 16, 16])
class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3)
        self.b = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        with torch.no_grad():
            y = self.a(x)
        with torch.autocast("cpu", enabled=False):
            z = self.b(y)
        return z


@module([3, 16, 16])
class Checkpoint(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3)
        self.b = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        return checkpoint(self.b, self.a(x), use_reentrant=False)


@module([10, 8])
class Conv1dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv1d(10, 16, 3, padding="same", dilation=2)
        self.t = nn.ConvTranspose1d(16, 4, 4, 2, 1, output_padding=1, groups=2)
        self.p = nn.PReLU(4)
        self.n = nn.InstanceNorm1d(4, affine=True)

    def forward(self, x):
        return F.glu(self.n(self.p(self.t(self.c(x)))), 1)


@module([4, 6, 8, 8])
class Conv3dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv3d(4, 8, (1, 3, 3), padding=(0, 1, 1))
        self.b = nn.BatchNorm3d(8)
        self.t = nn.ConvTranspose3d(8, 2, 2, 2)

    def forward(self, x):
        return self.t(F.avg_pool3d(self.b(self.c(x)), 2))


@module([4, 8, 8])
class Unbatched(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(4, 8, 3)
        self.l = nn.Linear(8, 3)

    def forward(self, x):
        return self.l(self.c(x.squeeze(0)).mean((1, 2)))


@module([4, 8, 8])
class ListOut(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.ModuleList(nn.Conv2d(4, k, 1) for k in (2, 3))

    def forward(self, x):
        return {"a": [c(x) for c in self.c], "b": (x.amax(1), x.argmax(1))}


class Obj:
    def __init__(self, x):
        self.x = x


@module([4, 8, 8])
class CustomOut(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(4, 8, 1)
        self.b = nn.BatchNorm2d(8)
        self.l = nn.Linear(8, 3)
        self.n = nn.LayerNorm(3)

    def forward(self, x):
        return Obj(self.n(self.l(F.relu_(self.b(self.c(x))).mean((2, 3)))))


@module([4, 8, 8])
class AttrWrite(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(4, 8, 1)
        self.a = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        self.cache = self.c(x)
        y = self.cache.flatten(2).transpose(1, 2)
        return Obj(self.a(y, y, y)[0])


@module([3, 16, 16])
class DepthToSpace(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 12, 3, padding=1)
        self.d = nn.Conv2d(12, 4, 1)

    def forward(self, x):
        y = F.pixel_shuffle(self.c(x), 2)
        return self.d(F.pixel_unshuffle(y, 2))


@module([64, 8])
class WindowConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv1d(8, 8, 3, padding=1, groups=8)
        self.l = nn.Linear(8, 8)
        self.n = nn.BatchNorm1d(8)

    def forward(self, x):
        B, N, C = x.shape
        w = x.view(B, 4, 16, C).flatten(0, 1)
        y = self.n(self.c(w.transpose(1, 2))).transpose(1, 2)
        a = self.l(y) @ y.transpose(1, 2)
        return (a @ y).view(B, N, C)


@module([3, 16, 16])
class StackBranches(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.ModuleList(nn.Conv2d(3, 4, k, padding=k // 2) for k in (1, 3, 5))
        self.l = nn.Linear(4, 3)

    def forward(self, x):
        y = torch.stack([c(x) for c in self.c], 1)
        a = self.l(y.sum(1).mean((-1, -2))).softmax(-1)
        return (y * a[:, :, None, None, None]).sum(1)


@module([3, 16, 16])
class GatedBuffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 1)
        self.g = nn.Parameter(torch.ones(1))
        self.h = nn.Parameter(torch.ones(8, 1, 1))
        self.k = nn.Parameter(torch.ones(1, 8, 16, 16))
        self.register_buffer("m", torch.ones(16, 16))

    def forward(self, x):
        y = self.c(x) * self.g * self.h + self.k
        return torch.where(self.m > 0, y, -y).masked_fill(self.m == 0, float("-inf"))


@module([8, 16])
class ComplexFft(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(9, 16, 2))
        self.l = nn.Linear(16, 16)

    def forward(self, x):
        return self.l(torch.fft.irfft(torch.fft.rfft(x, dim=1) * torch.view_as_complex(self.w)[:5], n=8, dim=1))


@module([10, 8], macs=10 * 4 * (8 * 8 + 8))
class Bilinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Bilinear(8, 8, 4)
        self.e = nn.EmbeddingBag(30, 8)

    def forward(self, x):
        return self.b(x, x)


@module([10], dtype="int64")
class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.EmbeddingBag(30, 8)
        self.l = nn.Linear(8, 2)

    def forward(self, x):
        return self.l(self.e(x))


@module([16, 8])
class LowRank(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(8, 8)
        self.a = nn.Parameter(torch.zeros(8, 2))
        self.b = nn.Parameter(torch.zeros(2, 8))

    def forward(self, x):
        return F.linear(x, self.l.weight + self.a @ self.b, self.l.bias)


@module([16, 8])
class LowRankX(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(8, 8)
        self.a = nn.Parameter(torch.zeros(8, 2))
        self.b = nn.Parameter(torch.zeros(2, 8))
        self.e = nn.Parameter(torch.zeros(3, 8, 5))

    def forward(self, x):
        y = self.l(x) + (x @ self.a) @ self.b
        return torch.bmm(y.expand(3, -1, -1), self.e)


@module([16, 8])
class SharedNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.LayerNorm(8)
        self.b = nn.LayerNorm(8)
        self.b.weight = self.a.weight
        self.l = nn.Linear(8, 8)
        self.k = nn.Linear(8, 8)
        self.k.bias = self.l.bias

    def forward(self, x):
        return self.k(self.l(self.b(self.a(x))))


@module([3, 16, 16])
class TiedConvLinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 3, 1, bias=False)

    def forward(self, x):
        y = self.c(x)
        return F.linear(y.mean((2, 3)), self.c.weight[:, :, 0, 0]) + F.conv_transpose2d(x, self.c.weight).mean((2, 3))


@module([3, 20, 20])
class Crops(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)
        self.l = nn.Linear(8, 2)

    def forward(self, x):
        outs = []
        for i in range(2):
            for j in range(2):
                outs.append(self.c(x[:, :, i * 8 : i * 8 + 10, j * 8 : j * 8 + 10]).amax((2, 3)))
        return self.l(torch.stack(outs).mean(0))


@module([3, 8, 8])
class Batchy(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(3 * 64, 16)

    def forward(self, x):
        f = self.l(x.flatten(1))
        return f @ f.t()


@module([6, 8])
class Gathers(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(8, 8)
        self.t = nn.Parameter(torch.zeros(5, 8))

    def forward(self, x):
        y = self.l(x)
        i = y.argsort(1)
        z = torch.gather(y, 1, i)
        k = y.argmax(-1)
        w = self.t[k.clamp(0, 4)]
        o = F.one_hot(k, 8).to(x.dtype) @ self.l.weight
        return torch.cat([z, w, o], -1).cumsum(1).roll(1, 1).scatter(1, i[:, :, :1], 0.0)


@module([6, 8])
class Ctrl(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.ModuleDict({"a": nn.Linear(8, 8), "b": nn.Linear(8, 4)})
        self.s = nn.Sequential()

    def forward(self, x, mask=None, flag=True):
        y = self.s(x)
        if mask is None:
            mask = torch.ones(x.shape[:-1], device=x.device, dtype=torch.bool)
        for n, l in self.l.items():
            if n == "a" and flag:
                y = l(y) * mask.unsqueeze(-1)
        return y


@module(given=lambda: ((torch.zeros(1, 6, 8),), {"mask": torch.zeros(1, 6)}))
class CtrlMask(Ctrl):
    pass


@module([3, 64, 64])
class SmallUnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d = nn.ModuleList([nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)])
        self.u = nn.ConvTranspose2d(16, 8, 2, 2)
        self.o = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        skips = []
        for d in self.d:
            x = F.silu(d(x))
            skips.append(x)
            x = F.max_pool2d(x, 2)
        y = F.interpolate(x, scale_factor=2, mode="bilinear")
        y = self.u(y)
        return self.o(torch.cat([y, skips[0]], 1))


@module([32, 32], macs=32 * 50 * 32 + 32 * 32 * (32 + 2))  # cdist of many rows is a product, with a norm on both sides
class GumbelVq(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Embedding(50, 32)

    def forward(self, x):
        d = x.pow(2).sum(-1, keepdim=True) - 2 * x @ self.c.weight.t() + self.c.weight.pow(2).sum(-1)
        return self.c(d.argmin(-1)), torch.cdist(x, x).mean()


@module([4, 8, 8])
class TrainBN(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(4, 8, 1)
        self.b = nn.BatchNorm2d(8, track_running_stats=False)
        self.n = nn.LocalResponseNorm(3)
        self.d = nn.Dropout(0.1)

    def forward(self, x):
        return self.d(self.n(self.b(self.c(x))))


@module([6, 8], macs=2 * 6 * 8 * 8)
class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8, bias=False)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda y: self.a(self.c(y)), self.b, (x,)) + 1


@module([6, 8], macs=6 * 8 * 8)
class Rounds(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 8)

    def forward(self, x):
        first = torch.tensor(0)
        return while_loop(lambda step, _: step < 3, lambda step, y: (step + 1, self.a(y)), (first, x))[1]


@module([6, 8], macs=6 * (8 * 8 + 8 * 3) + 6 * 8 * 4)
class Loops(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 8), nn.Linear(8, 3), nn.Linear(8, 4)

    def forward(self, x):
        steps = scan(lambda state, y: (self.a(state) + y, self.b(state)), torch.zeros(1, 8), x.transpose(0, 1).clone())
        return steps[1], control_flow.map(self.c, x[0])


@module([6, 8])
class Mapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(5, 4, 8))

    def forward(self, x):
        return torch.vmap(lambda weight: F.linear(x, weight))(self.w)


@module([8], macs=12 * 8 + 12 * 8 + 12 + 8 * 8)
class WeightProducts(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.v, self.u = (nn.Parameter(torch.ones(*shape)) for shape in ((12, 8), (8,), (12,)))
        self.k = nn.Parameter(torch.ones(2, 2))
        self.p = nn.Parameter(torch.ones(3))
        self.register_buffer("e", torch.ones(4, 4))

    def forward(self, x):
        product = torch.addmv(self.u, self.a, self.v) + torch.mv(self.a, self.v)
        return x @ torch.kron(self.k, self.e), product, torch.dot(product, self.u), self.p


@module([8, 6, 6])
class Spectral(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 4, 3))
        self.b = nn.utils.spectral_norm(nn.Linear(4, 2))

    def forward(self, x):
        return self.b(self.a(x).mean((2, 3)))


@module([6, 8], macs=2 * (8 * 4 * 3 + 6 * 8 * 3) + 2 * 6 * 8 * 6 + 2 * 6**3)
class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.v, self.w = nn.Parameter(torch.zeros(8, 4)), nn.Parameter(torch.zeros(4, 3))

    def forward(self, x):
        square = torch.addbmm(torch.zeros(6, 6), x, x.mT)
        chains = torch.chain_matmul(x[0], self.v, self.w), torch.linalg.multi_dot([x[0], self.v @ self.w])
        more = torch.linalg.matrix_power(square, 4) + x @ x.mT, F.huber_loss(x, x)
        return (
            chains,
            more,
            torch.cdist(x, x, p=1),
            torch.linalg.vecdot(x, x),
            torch.addr(square, x[0, :, 0], x[0, :, 1]),
        )


@module(given=lambda: (torch.zeros(1, 6, 16), torch.zeros(1, 9, 16)))
class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.cross = nn.MultiheadAttention(16, 4, batch_first=True)
        self.experts, self.bias = nn.Parameter(torch.zeros(3, 8, 16)), nn.Parameter(torch.zeros(24))
        self.whole, self.over = nn.Parameter(torch.zeros(2, 4, 8)), nn.Parameter(torch.zeros(12, 8))
        self.register_buffer("table", torch.zeros(5, 8))

    def forward(self, x, y):
        x = self.cross(x, y, y)[0]
        biases = self.bias.chunk(3)
        x = F.linear(x, self.experts[0], biases[0]) + F.linear(x, self.experts[-2], biases[1]) * biases[2]
        x = x + F.linear(x[..., :1] * self.experts[2, :, 0], self.experts[2, :, :8])
        one, other = F.linear(x, self.whole[0]), self.whole.flatten(0, 1)
        return one @ F.linear(self.table, other[:4]).T, F.linear(x, self.over[:8]), F.linear(x, self.over[4:])


@module([6, 8], macs=8 * 3 * 8 * (8 + 8) + 3 * (4 * 8 * 8 * 8 + 2 * 8 * 8 * 8) + 2 * 2 * 8 * 8 * 16)
class MadeInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.g, self.a = nn.GRU(8, 8, batch_first=True), nn.MultiheadAttention(8, 2, batch_first=True)
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
        self.held = [torch.ones(8)]

    def forward(self, x):
        x = self.g(torch.cat([x, torch.zeros(1, 2, 8)], 1), torch.zeros(1, 1, 8))[0] + self.held[0]
        mask = nn.Transformer.generate_square_subsequent_mask(8)
        with torch.autocast(x.device.type, dtype=torch.bfloat16):
            x = self.a(x, x, x, attn_mask=mask)[0]
        return self.t(x, mask=mask)


@module(given=lambda: (torch.zeros(1, 4, 6, 8), torch.zeros(1, 2, 6, 8)), macs=2 * 4 * 6 * 6 * 8)
class Flex(nn.Module):
    def forward(self, q, k):
        return flex_attention(q, k, k, score_mod=lambda score, *place: score + (place[2] - place[3]), enable_gqa=True)


@module([6, 16])
class ComplexConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv1d(6, 4, 3, dtype=torch.complex64)

    def forward(self, x):
        return self.c(x + 0j).abs()


@module([6, 8])
class TwiceShared(nn.Sequential):
    def __init__(self):
        first = nn.Linear(8, 8)
        super().__init__(first, nn.ReLU(), first, nn.Linear(8, 8))
        self[3].weight = first.weight


# --- networks of custom.json ------------------------------------------------------------------------------------------


def lenet5() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def dcgan_discriminator() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for width in (64, 128, 256):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, 4, bias=False), nn.Sigmoid())


def espcn_x4() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 64, 5, padding=2), nn.Tanh(), nn.Conv2d(64, 32, 3, padding=1), nn.Tanh(),
        nn.Conv2d(32, 16, 3, padding=1), nn.PixelShuffle(4), nn.Sigmoid(),
    )  # fmt: skip


class SharedHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.downs = nn.ModuleList(nn.Conv2d(32, 32, 3, 2, 1) for _ in range(2))
        self.head = nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 36, 3, padding=1))

    def forward(self, x):
        levels = [self.stem(x)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        return [self.head(level) for level in levels]


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [64, 128, 256, 512, 1024]
        self.down = nn.ModuleList(_pair(before, width) for before, width in zip([1, *widths], widths, strict=False))
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(nn.ConvTranspose2d(width, width // 2, 2, 2) for width in widths[:0:-1])
        self.merge = nn.ModuleList(_pair(width, width // 2) for width in widths[:0:-1])
        self.head = nn.Conv2d(64, 2, 1)

    def forward(self, x):
        skips = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else self.pool(x))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            x = up(x)
            edge = (skip.shape[-1] - x.shape[-1]) // 2
            x = merge(torch.cat([F.pad(skip, [-edge] * 4), x], 1))
        return self.head(x)


def _pair(before: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())


class UNet3d(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv3d(1, 8, 3, padding=1)
        self.b = nn.Conv3d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose3d(16, 8, 2, 2)
        self.c = nn.Conv3d(16, 3, 1)

    def forward(self, x):
        a = self.a(x)
        return self.c(torch.cat([a, self.up(self.b(F.max_pool3d(a, 2)))], 1))


CUSTOM = {
    "lenet5": lenet5, "unet_original": UNet, "dcgan_discriminator": dcgan_discriminator, "espcn_x4": espcn_x4,
    "SharedHead": SharedHead, "unet3d_small": UNet3d,
}  # fmt: skip
