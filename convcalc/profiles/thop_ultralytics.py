"""ultralytics-thop: thop mended by Ultralytics, with subclasses, attention and functional matrix products."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.arith import Number, at_least, at_most, ceildiv, floordiv, prod, require_plain, total
from convcalc.profiles import LayerSizes, Profile, Term
from convcalc.profiles.thop import common_terms

UPSAMPLED = {"linear": 5, "bilinear": 11, "bicubic": 259, "trilinear": 31}


def terms(layer: LayerSizes) -> Iterator[Term]:
    """Norms 4 an element, rms and group norm too; pools by their exact windows; nn.MultiheadAttention with softmax.

    Functional matrix products and F.linear count (from 2.2 on); a convolution called as a function does not.
    """
    if layer.kind == "attention":
        if layer.via in ("module", "fused", "fast_path"):
            yield "softmax", layer.softmax_of_scores
    elif layer.kind in ("linear", "matmul"):
        return
    elif not layer.is_module:
        yield "missed layers", -layer.macs
    else:
        yield from _module(layer)


def _module(layer: LayerSizes) -> Iterator[Term]:
    match layer.kind:
        case "norm" if layer.type != "lrn":
            yield layer.norm(4, 2)
        case "avgpool":
            yield "pooling", layer.output_elements + _windows(layer)
        case "upsample":
            yield layer.upsampling(UPSAMPLED)
        case _:
            yield from common_terms(layer)


def _windows(layer: LayerSizes) -> Number:
    """Cells in all windows of an average pool together, those of the padding too."""
    if layer.argument("kernel_size") == "global":
        return layer.input_elements
    if layer.is_adaptive:
        cells = [_adaptive_cells(n, require_plain(o, "the size of an adaptive pool")) for n, o in layer.spatial_sizes]
    else:
        unpadded = layer.via == "unpadded" or layer.argument("count_include_pad") is False
        count = _input_cells if unpadded else _window_cells
        cells = [
            count(n, o, kernel, stride, pads)
            for (n, o), kernel, stride, pads, _ in zip(layer.spatial_sizes, *layer.window, strict=True)
        ]
    return layer.batch * layer.input.channels * prod(cells)


def _adaptive_cells(size: Number, places: Number) -> Number:
    """Σ ⌈(j + 1)·n/o⌉ − ⌊j·n/o⌋ over the output positions: windows may overlap by a cell."""
    return total(ceildiv((j + 1) * size, places) - floordiv(j * size, places) for j in range(places))


def _window_cells(size: Number, places: Number, kernel: Number, stride: Number, pads: tuple[Number, Number]) -> Number:
    """Σ cells of the windows on one axis: all are whole but those that reach over the padding at the end."""
    last = (places - 1) * stride - pads[0] + kernel
    over = at_least(last - (size + pads[1]), 0)
    return places * kernel - at_most(over, kernel)


def _input_cells(size: Number, places: Number, kernel: Number, stride: Number, pads: tuple[Number, Number]) -> Number:
    """Σ cells of the windows on one axis that are the input's own."""
    starts = (
        place * stride - pads[0] for place in range(require_plain(places, "the size of a pool without its padding"))
    )
    return total(at_most(start + kernel, size) - at_least(start, 0) for start in starts)


PROFILE = Profile(
    "thop_ultralytics", "ultralytics-thop 2.2", "MACs",
    "as thop, with subclasses of the framework's modules, nn.MultiheadAttention with its softmax, functional matrix "
    "products, and average pools by their windows; Ultralytics prints GFLOPs as twice this",
    "ultralytics/thop: thop/vision/basic_hooks.py, profile.py", 41, terms,
)  # fmt: skip
