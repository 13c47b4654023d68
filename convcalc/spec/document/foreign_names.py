"""Names of operations in frameworks and papers that are no kinds of layers here, and how the same is said."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convcalc.errors import nearest, quoted

NEAR = 0.75
"""How alike a word must be to a kind to be taken for it misspelt."""
_MOVED = "it only moves elements: write {} on [c, h, w]"
_COSTED = "say what it costs yourself: write custom: {out: […], params: …, macs: …}"
_LIKE = {
    "conv": "convolution conv1d conv2d conv3d groupconv groupedconv dilatedconv atrousconv pointwiseconv",
    "deconv": "convtranspose transposedconv transposeconv convtransposed deconvolution upconv",
    "dwconv": "depthwise depthwiseconv dwconvolution depthwiseconvolution",
    "dwconv, and behind it conv: [out, 1]": "separableconv sepconv separable depthwiseseparable dsconv",
    "linear": "dense fc fullyconnected gemm affine innerproduct",
    "norm: batch": "batchnorm bn batchnormalization syncbatchnorm",
    "norm: layer": "layernorm ln layernormalization",
    "norm: group": "groupnorm gn groupnormalization",
    "norm: instance": "instancenorm instancenormalization",
    "norm: rms": "rmsnorm",
    "norm: lrn": "localresponsenorm localresponsenormalization",
    "maxpool": "maxpooling maxpool1d pooling pool",
    "avgpool": "averagepool averagepooling avgpooling meanpool",
    "avgpool: global": "gap globalavgpool globalaveragepool globalaveragepooling globalpool adaptiveavgpool",
    "maxpool: global": "gmp globalmaxpool globalmaxpooling adaptivemaxpool",
    "attention": "multiheadattention mha selfattention multiheadselfattention scaleddotproductattention sdpa",
    "upsample": "upsampling interpolate resize unpool upscale",
    "concat": "concatenate cat stack merge",
    "add": "sum residual skip shortcut eltwise elementwise addition plus",
    "mul": "multiply product times",
    "reshape": "view squeeze unsqueeze unflatten rearrange",
    "permute": "transpose swapaxes movedim",
    "slice": "split chunk narrow crop select gather",
    "shuffle": "channelshuffle",
    "pad": "zeropad reflectionpad replicationpad constantpad padding",
    "dropout": "droppath stochasticdepth spatialdropout alphadropout",
    "embedding": "lookup embed",
    "matmul": "bmm mm batchmatmul",
    "seq": "sequential series",
    "act": "activation nonlinearity",
    _MOVED.format("reshape: [cin//4, 2*shape(1), 2*shape(2)]"): "pixelshuffle depthtospace subpixel",
    _MOVED.format("reshape: [4*cin, shape(1)//2, shape(2)//2]"): "pixelunshuffle spacetodepth focus",
    "say it with permute, reshape and matmul": "einsum tensordot",
    f"as a step of a convolution it is part of conv; else {_COSTED}": "unfold im2col fold col2im",
    _COSTED: "gridsample roialign roipool deformconv deformableconv fft ssm mamba capsule lambda module",
}
"""What is said here → words for it, without signs, and without 1d, 2d, 3d behind them."""
_SAID = {word: said for said, words in _LIKE.items() for word in words.split()}


def guess(word: str, known: Iterable[str]) -> tuple[str, str]:
    """Return for a word that is no kind what its writer may have meant, to be put behind a sentence; and a hint.

    A word of the field is never taken for a kind that is merely spelt like it: pixel shuffle is no shuffle of channels.
    """
    said = _SAID.get(plain := re.sub(r"[^a-z0-9]", "", word.lower())) or _SAID.get(re.sub(r"[123]d$", "", plain))
    if said is None:
        near = nearest(word, known, NEAR)
        return (f"; did you mean {quoted(near)}?" if near else ""), ""
    is_kind = re.fullmatch(r"\w+(: \w+)?", said)
    return (f"; did you mean {quoted(said)}?", "") if is_kind else ("", said)
