"""Attention and other operations that are several layers: of ONNX itself and of ``com.microsoft``."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import Number, equal, floordiv
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.nodes.elementwise import ACTIVATIONS, act, joined, normalized, over_axes
from convcalc.importers.onnx.nodes.products import add_to_output, gemm, linear, multiply, recurrent, transposed
from convcalc.importers.onnx.nodes.windows import conv
from convcalc.importers.onnx.values import Sizes, Value, has_batch, is_one
from convcalc.records import replace
from convcalc.shapes import Shape


def _swapped(call: NodeCall, handle: int) -> int:
    """Return a layer whose second and third axes from behind have changed places: heads and tokens."""
    rank = call.shape(handle).rank
    return call.beside("permute", handle, axes=(*range(rank - 3), rank - 2, rank - 3, rank - 1))


def _heads(call: NodeCall, handle: int, heads: Number) -> int:
    """Return [batch …, heads, tokens, width] of a layer [batch …, tokens, heads·width]."""
    *leading, width = call.shape(handle)
    return _swapped(call, call.view(handle, (*leading, heads, floordiv(width, heads))))


def _over(call: NodeCall, handle: int, other: int) -> int:
    """Return a layer of one axis as the last axis of another layer."""
    rank = call.shape(other).rank
    return call.view(handle, (*(1,) * (rank - 1), *call.shape(handle)))


def _attend(call: NodeCall, handles: Sequence[int], query: Sizes, *, merges: bool) -> None:
    """Give the first output attention of [batch …, heads, tokens, width], as it is or with the heads side by side."""
    flags = [call.attribute(name, 0) for name in ("is_causal", "unidirectional")]
    square = equal(call.shape(handles[0])[-2], call.shape(handles[1])[-2]) is True
    handle = call.add("sdpa", *handles, mask="causal" if any(flags) and square else "none")
    *batch, heads, tokens, width = call.shape(handle)
    if not merges:
        call.put(0, handle, (query[0], heads, tokens, width))
        return
    handle = _swapped(call, handle)
    call.put(0, call.view(handle, (*batch, tokens, heads * width)), (query[0], tokens, heads * width))


def _with_past(call: NodeCall, handle: int, past: Value | None, place: int) -> int:
    """Return keys or values behind those of earlier steps, which are also an output."""
    if past is not None and past.shape[-2] != 0:
        earlier = call.view(call.handle(past), past.shape[len(past.shape) - call.shape(handle).rank :])
        handle = call.beside("concat", earlier, handle, axis=-2)
    if place < len(call.outputs) and call.node.outputs[place]:
        sizes = tuple(call.shape(handle))
        call.put(place, handle, sizes if len(sizes) == 4 else (1, *sizes))
    return handle


def attention(call: NodeCall) -> None:
    """Attention of ONNX: Q, K, V with heads as an axis or side by side, and those of earlier steps."""
    q, k, v = (call.require(place) for place in range(3))
    lead, merges = int(is_one(q.shape[0])), len(q.shape) == 3
    handles = []
    for value, name in ((q, "q_num_heads"), (k, "kv_num_heads"), (v, "kv_num_heads")):
        handle = call.view(call.handle(value), value.shape[lead:])
        handles.append(_heads(call, handle, call.size(name)) if merges else handle)
    for place in (1, 2):
        handles[place] = _with_past(call, handles[place], call.input(3 + place), place)
    _attend(call, handles, q.shape, merges=merges)
    if len(call.outputs) > 3 and call.node.outputs[3]:  # the scores, which are counted with the attention
        sizes = (*call.shape(handles[0])[:-1], call.shape(handles[1])[-2])
        call.put(3, call.beside("gather", handles[0], axis=-1, size=sizes[-1:]), (*q.shape[:lead], *sizes))


def fused_attention(call: NodeCall) -> None:
    """Attention of com.microsoft: input, one matrix for queries, keys and values, and its bias."""
    x, matrix, bias = call.require(0), call.require(1), call.input(2)
    if len(x.shape) < 2:
        raise IndexError(x.shape)
    heads = call.size("num_heads")
    linear(call, x, matrix, matrix.shape, bias)
    widths = call.integers("qkv_hidden_sizes") or (floordiv(matrix.shape[1], 3),) * 3
    merged = call.handle(call.result)
    handles = []
    for place in range(len(widths)):
        part = call.beside("split", merged, part=place, sizes=tuple(widths), axis=-1)
        handles.append(_heads(call, part, heads))
    if call.input(4) is not None or any(call.node.outputs[1:2]):
        raise call.refused("attention with the keys of earlier steps in one tensor is not read")
    _attend(call, handles, x.shape, merges=True)


def multi_head_attention(call: NodeCall) -> None:
    """MultiHeadAttention and GroupQueryAttention: query, key, value, each of its own or all in the first."""
    grouped = call.op == "GroupQueryAttention"
    q, k, v = call.require(0), call.input(1), call.input(2)
    heads = call.size("num_heads")
    fewer = call.attribute("kv_num_heads", heads)
    _, _, *rest = q.shape
    bias = None if grouped else call.input(3)
    handles = []
    if k is None and len(rest) == 1:
        width = floordiv(rest[0], heads + 2 * fewer)
        parts = (heads * width, fewer * width, fewer * width)
        merged = call.handle(q)
        if bias is not None:
            merged = call.beside("add", merged, _over(call, call.handle(bias), merged))
        cut = [call.beside("split", merged, part=place, sizes=parts, axis=-1) for place in range(3)]
        handles = [_heads(call, part, each) for part, each in zip(cut, (heads, fewer, fewer), strict=True)]
    elif k is None or v is None:
        raise call.refused("packed keys and values are not read")
    else:
        widths = tuple(value.shape[-1] for value in (q, k, v))
        for place, (value, each) in enumerate(((q, heads), (k, fewer), (v, fewer))):
            handle = call.handle(value)
            if len(value.shape) == 3:
                if bias is not None:
                    part = call.beside("split", call.handle(bias), part=place, sizes=widths, axis=-1)
                    handle = call.beside("add", handle, _over(call, part, handle))
                handle = _heads(call, handle, each)
            handles.append(handle)
    earlier = (3, 4) if grouped else (6, 7)
    for place in (1, 2):
        handles[place] = _with_past(call, handles[place], call.input(earlier[place - 1]), place)
    _attend(call, handles, q.shape, merges=True)


def fused_conv(call: NodeCall) -> None:
    """FusedConv: a convolution, a tensor that is added, and an activation."""
    added = call.input(3)
    call.x = call.x[:3]
    conv(call)
    if added is not None:
        add_to_output(call, added)
    _activate(call)


def _activate(call: NodeCall) -> None:
    if name := call.attribute("activation"):
        made = call.beside("act", call.handle(call.result), type=ACTIVATIONS.get(name, "hardtanh"))
        call.put(0, made, call.result.shape)


def fused_gemm(call: NodeCall) -> None:
    gemm(call)
    _activate(call)


def fused_matmul(call: NodeCall) -> None:
    """FusedMatMul and TransposeMatMul: operands transposed by flags, also with rows before the axes of a batch."""
    values = [call.require(0), call.require(1)]
    for place, name in enumerate(("A", "B")):
        if call.attribute(f"transBatch{name}", 0):
            values[place] = _rows_behind(call, values[place])
        if call.attribute(f"trans{name}", 0):
            value = values[place]
            if place and value.is_constant and value.key and len(value.shape) == 2:
                linear(call, values[0], value, value.shape[::-1], None)
                return
            values[place] = transposed(call, value)
    multiply(call, *values)


def _rows_behind(call: NodeCall, value: Value) -> Value:
    """Return [batch …, rows, columns] of a tensor [rows, batch …, columns]."""
    rank = len(value.shape)
    axes = (*range(1, rank - 1), 0, rank - 1)
    handle = call.beside("permute", call.whole(value), axes=axes)
    return call.viewed(value, tuple(value.shape[axis] for axis in axes), handle)


def matmul_bits(call: NodeCall) -> None:
    """MatMulNBits: a matrix [K, N] in a few bits, whose scales and zero points are buffers."""
    x, packed = call.require(0), call.require(1)
    sizes = (call.size("K"), call.size("N"))
    scales = tuple(value for value in call.x[2:4] if value is not None)
    packed = replace(packed, quantisation=scales, bits=call.attribute("bits", 4))
    linear(call, x, packed, sizes, call.input(5))


def quantised_lstm(call: NodeCall) -> None:
    """DynamicQuantizeLSTM: an LSTM whose matrices are [directions, in, 4·hidden], with their scales and zero points."""
    for place, first in ((1, 8), (2, 10)):
        value = call.require(place)
        directions, rows, columns = value.shape
        scales = tuple(scale for scale in call.x[first : first + 2] if scale is not None)
        call.x[place] = replace(value, sizes=(directions, columns, rows), quantisation=scales)
    call.op = "LSTM"
    recurrent(call)


def embed_norm(call: NodeCall) -> None:
    """EmbedLayerNormalization: the sum of rows of tables for words, places and perhaps segments, and a norm of it."""
    words = call.require(0)
    tokens, width = words.shape[1], call.require(2).shape[1]
    branches = []
    for table, indices in ((call.require(2), words), (call.input(4), call.input(1))):
        if table is not None and indices is not None:
            vocab, dim = table.shape
            handle = call.beside("embedding", call.handle(indices), vocab=vocab, dim=dim)
            call.run.hold(handle, {"weight": (table, Shape(table.shape))})
            branches.append(handle)
    branches.append(call.beside("slice", call.handle(call.require(3)), axis=0, stop=tokens))
    sizes = (*words.shape, width)
    summed = Value("", sizes, handle=call.beside("add", *branches))
    over_axes(call, summed, "layer", call.require(5), call.require(6))
    call.outputs[1:] = [None, summed][: len(call.outputs) - 1]


def biased(call: NodeCall) -> None:
    """BiasGelu, FastGelu with a bias and BiasSoftmax: a sum, and a function of it."""
    values = [value for value in call.x[:2] if value is not None]
    if len(values) == 2:
        joined(call, "add", values)
    else:
        call.outputs[0] = values[0]
    handle = call.handle(call.result)
    made = call.beside("softmax", handle) if call.op == "BiasSoftmax" else call.beside("act", handle, type="gelu")
    call.put(0, made, call.result.shape)


def skip_norm(call: NodeCall) -> None:
    """SkipLayerNormalization and its like: a sum of two tensors and perhaps a bias, and a norm of it."""
    simple = call.op == "SkipSimplifiedLayerNormalization"
    scale, shift = call.require(2), None if simple else call.input(3)
    bias = call.input(3 if simple else 4)
    values = [call.require(0), call.require(1), *([bias] if bias is not None else [])]
    path, call.path = call.path, f"{call.path}_add"
    joined(call, "add", values)
    call.path = path
    total = call.result
    over_axes(call, total, "rms" if simple else "layer", scale, shift)
    for place in range(1, len(call.outputs)):
        call.outputs[place] = total if place == 3 else None


def swiglu(call: NodeCall) -> None:
    """SwiGLU: one tensor, gated by silu of the other."""
    act(call, "silu")
    handle = call.beside("mul", call.handle(call.result), call.handle(call.require(1)))
    call.put(0, handle, call.result.shape)


def group_norm(call: NodeCall) -> None:
    """GroupNorm: X with channels last by default, scale, shift; and silu behind it by a flag."""
    x, last = call.require(0), call.attribute("channels_last", 1)
    lead = int(has_batch(x.shape))
    handle = normalized(
        call, call.handle(x), "group", call.input(1), call.input(2),
        groups=call.size("groups"), channel_axis=(len(x.shape) - 1 if last else 1) - lead,
    )  # fmt: skip
    call.put(0, call.beside("act", handle, type="silu") if call.attribute("activation", 0) else handle, x.shape)
