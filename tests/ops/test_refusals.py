"""What does not fit is refused, with a code and the numbers that clash."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.errors import SpecErrors

REFUSED = [
    # rank
    ("conv: [8, 3]", "[12]", "CC401", "conv needs [channels, spatial …], but its input is [12]"),
    ("dwconv: 3", "[12]", "CC401", "dwconv needs [channels, spatial …]"),
    ("deconv: [8, 3]", "[12]", "CC401", "deconv needs [channels, spatial …]"),
    ("maxpool: 2", "[12]", "CC401", "maxpool needs [channels, spatial …]"),
    ("pad: 1", "[12]", "CC401", "pad needs [channels, spatial …]"),
    ("upsample: 2", "[12]", "CC401", "upsample needs [channels, spatial …]"),
    ("attention: 2", "[12]", "CC401", "attention needs [tokens, features]"),
    ("lstm: 4", "[3, 8, 8]", "CC401", "lstm needs [steps, features]"),
    ("linear: 4", "[3, 8, 8]", "CC401", "add `flatten`, or `axis: -1`"),
    ("norm: layer", "[3, 8, 8]", "CC401", "write the axis it normalises over"),
    ("fold: {out: [4, 4], kernel: 2}", "[8, 3, 3]", "CC401", "fold needs [channels·kernel, columns], but its input is"),
    ("sdpa: [identity, identity, identity]", "[8]", "CC401", "needs [… heads, tokens, features] three times"),
    ('einsum: {equation: "ij->", branches: [identity]}', "[3, 8]", "CC401", "'ij->' leaves no axis"),
    ('einsum: {equation: "ijk->i", branches: [identity]}', "[3, 8]", "CC401", "'ijk' does not fit the 2 axes of"),
    ('einsum: {equation: "...ijk->i", branches: [identity]}', "[3, 8]", "CC401", "'...ijk' does not fit the 2 axes"),
    # axes
    ("linear: {out: 4, axis: 0}", "[3, 8, 8]", "CC402", "axis = 0 of [3, 8, 8] is another"),
    ("norm: {type: layer, axis: 3}", "[3, 8, 8]", "CC402", "axis 3 is not an axis of [3, 8, 8], which has 3"),
    ("norm: {type: layer, axis: [1, -2]}", "[3, 8, 8]", "CC402", "name one of [3, 8, 8] twice"),
    ("flatten: {start: 2, end: 1}", "[3, 8, 8]", "CC402", "start = 2 lies behind end = 1"),
    ("flatten: {start: -4}", "[3, 8, 8]", "CC402", "start -4 is not an axis"),
    ("permute: [0, 2]", "[3, 8, 8]", "CC402", "does not name each of the 3 axes"),
    ("permute: [0, 1, -2]", "[3, 8, 8]", "CC402", "does not name each of the 3 axes"),
    ("softmax: 1", "[8]", "CC402", "axis 1 is not an axis"),
    ("scale: {axis: 2}", "[3, 8]", "CC402", "axis 2 is not an axis"),
    ("slice: {axis: 2, stop: 1}", "[3, 8]", "CC402", "axis 2 is not an axis"),
    ("split: {into: 2, part: 0, axis: 2}", "[4, 8]", "CC402", "axis 2 is not an axis of [4, 8]"),
    ("split: {into: 2, part: 2}", "[4, 8]", "CC402", "there is no part 2 of 2"),
    ("split: {sizes: [1, 3], part: -3}", "[4, 8]", "CC402", "there is no part -3 of 2"),
    ("reduce: [mean, [1, -1]]", "[4, 8]", "CC402", "reduce: the axes [1, -1] name one of [4, 8] twice"),
    ("reduce: [mean, -3]", "[4, 8]", "CC402", "axis -3 is not an axis"),
    ("reduce: [argmax, [0, 1]]", "[4, 8, 8]", "CC402", "argmax works on one axis or on all, not on 2 of [4, 8, 8]"),
    ("gather: {size: 2, axis: [0, 0]}", "[4, 8]", "CC402", "name one of [4, 8] twice"),
    ("roll: {shift: 1, axis: 2}", "[4, 8]", "CC402", "axis 2 is not an axis"),
    ("pad: {padding: 1, axis: -3}", "[4, 8]", "CC402", "axis -3 is not an axis"),
    ("elementwise: {type: cumsum, axis: 2}", "[4, 8]", "CC402", "axis 2 is not an axis"),
    # windows
    ("conv: [8, 5]", "[3, 4, 8]", "CC403", "the kernel reaches over 5 but the padded input has only 4"),
    ("conv: {out: 8, kernel: 3, dilation: 4, padding: 1}", "[3, 6, 9]", "CC403", "reaches over 9 but"),
    ("maxpool: {kernel: 3, stride: 2}", "[3, 2, 2]", "CC403", "over 3 but the padded input has only 2"),
    ("maxpool: {kernel: 3, stride: 2, ceil_mode: true}", "[3, 1, 1]", "CC403", "over 3 but"),
    ("maxpool: {kernel: 3, padding: 3}", "[3, 8, 8]", "CC403", "padding = 3 must be less than"),
    ("avgpool: {kernel: 3, padding: [[0, 3], [0, 0]]}", "[3, 8, 8]", "CC403", "padding = 3 must be less than"),
    ("maxpool: {kernel: 3, padding: 5, dilation: 2}", "[3, 12, 12]", "CC403", "padding = 5 must be less than"),
    ("deconv: {out: 8, kernel: 1, padding: 1}", "[3, 2, 2]", "CC403", "the padding leaves an output of size 0"),
    ("deconv: {out: 8, kernel: 3, output_padding: 2}", "[3, 2, 2]", "CC403", "below the stride 1 or the dilation 1"),
    ("pad: -4", "[3, 8, 8]", "CC403", "pad leaves an axis of size 0"),
    ("pad: {padding: [[-4, 5]], axis: 0}", "[3, 8, 8]", "CC403", "pad crops 4 cells of an axis of 3"),
    ("pad: {padding: [1, 1], axis: 0}", "[3, 8, 8]", "CC410", "padding has 2 entries, but axis names 1"),
    ("pad: [1, 1, 1]", "[3, 8, 8]", "CC410", "padding has 3 entries, but the input has 2 spatial"),
    ("roll: {shift: [1, 2, 3], axis: [0, 1]}", "[4, 8]", "CC410", "roll: 3 shifts for 2 axes"),
    ("reduce: relu", "[4, 8]", "CC410", "type must be one of mean, sum, prod,"),
    ("upsample: 1/9", "[3, 8, 8]", "CC403", "upsample leaves an axis of size 0"),
    ("slice: {start: 5, stop: -3}", "[8]", "CC406", "start 5 is not before stop 5 on an axis of 8"),
    ("unfold: {kernel: 3, dilation: 4}", "[3, 8, 8]", "CC403", "reaches over 9 but the padded input has only 8"),
    # division
    ("pixel_shuffle: 2", "[6, 8, 8]", "CC404", "the 4 places of a factor of 2 do not divide the 6 channels"),
    ("pixel_unshuffle: 3", "[3, 9, 8]", "CC404", "a factor of 3 does not divide an axis of 8"),
    ("fold: {out: [4, 4], kernel: 2}", "[6, 9]", "CC404", "cells of the kernel do not divide the 6 rows"),
    ("sdpa: [identity, {slice: {stop: 3}}, identity]", "[8, 5, 6]", "CC404", "heads of keys [3, 5, 6] do not divide"),
    # what is given beside
    ("fold: {out: [4, 4], kernel: 2}", "[8, 8]", "CC405", "9 places on [4, 4], but the input [8, 8] has 8"),
    ("fold: {out: [4, 4], kernel: [2, 2, 2]}", "[8, 9]", "CC410", "has 3 entries, but there are 2 spatial axes"),
    ("sdpa: [identity, identity, identity, {param: [3, 5]}]", "[8, 5, 6]", "CC405", "mask [3, 5] does not broadcast"),
    ("sdpa: [identity, identity, {slice: {axis: 1, stop: 2}}]", "[8, 5, 6]", "CC405", "the tokens of keys [8, 5, 6]"),
    ("sdpa: [identity, identity]", "[8, 5, 6]", "CC415", "sdpa needs 3 to 4 branches, not 2"),
    ("experts: [2, 3]", "[5, 6]", "CC410", "top = 3 is more than the 2 experts"),
    ("experts: {count: 2, gated: true}", "[5, 6]", "CC408", "gated needs width"),
    ('einsum: {equation: "ij,jk->ik", branches: [identity]}', "[3, 8]", "CC415", "is for 2 branches, not 1"),
    ('einsum: {equation: "ij,jk", branches: [identity, identity]}', "[3, 8]", "CC405", "of j differ in 'ij,jk': 8"),
    ('einsum: {equation: "ii->i", branches: [identity]}', "[3, 8]", "CC405", "the axes of i in 'ii->i' differ: [3, 8]"),
    ('einsum: {equation: "ij->ii", branches: [identity]}', "[3, 8]", "CC410", "has i twice in the output: 'ij->ii'"),
    ('einsum: {equation: "ij->ik", branches: [identity]}', "[3, 8]", "CC410", "has k in the output alone"),
    ('einsum: {equation: "ij->...i", branches: [identity]}', "[3, 8]", "CC410", "has ... in the output alone"),
    ('einsum: {equation: "i1->i", branches: [identity]}', "[3, 8]", "CC410", "such as ij,jk->ik, not 'i1'"),
    ('einsum: {equation: "ij->i->j", branches: [identity]}', "[3, 8]", "CC410", "not 'i->j'"),
    ('einsum: {equation: "", branches: [identity]}', "[3, 8]", "CC401", "the term '' does not fit the 2 axes"),
    ("einsum: {equation: [ij], branches: [identity]}", "[3, 8]", "CC117", "takes a single value"),
    ("conv: {out: 8, kernel: 1, groups: 2}", "[3, 8, 8]", "CC404", "groups = 2 does not divide the 3 input channels"),
    ("conv: {out: 8, kernel: 1, groups: 3}", "[3, 8, 8]", "CC404", "groups = 3 does not divide the 8 output"),
    ("deconv: {out: 8, kernel: 1, groups: 3}", "[3, 8, 8]", "CC404", "groups = 3 does not divide the 8 output"),
    ("norm: {type: group, groups: 2, channel_axis: 1}", "[4, 9, 8]", "CC404", "does not divide the 9 channels"),
    ("norm: {type: batch, channel_axis: 3}", "[3, 8, 8]", "CC402", "axis 3 is not an axis of [3, 8, 8]"),
    ("norm: {type: layer, channel_axis: 0}", "[8]", "CC203", "layer norm does not use 'channel_axis'"),
    ("norm: {type: layer, track_running_stats: true}", "[8]", "CC203", "layer norm does not use 'track_running_stats'"),
    ("norm: {type: lrn, bias: false}", "[3, 8, 8]", "CC203", "lrn norm does not use 'bias'"),
    ("gru: {hidden: 8, proj_size: 4}", "[3, 8]", "CC203", "gru has no attribute 'proj_size'"),
    ("norm: {type: group, groups: 2}", "[3, 8, 8]", "CC404", "groups = 2 does not divide the 3 channels"),
    ("shuffle: 2", "[3, 8, 8]", "CC404", "groups = 2 does not divide the 3 channels"),
    ("split: {into: 2, part: 0}", "[3, 8]", "CC404", "split: 2 equal parts of an axis of 3 are not whole"),
    ("split: {sizes: [2, 2], part: 0}", "[3, 8]", "CC405", "split: the sizes [2, 2] are not 3 together"),
    ("split: {into: 3, sizes: [1, 2], part: 0}", "[3, 8]", "CC405", "split: 2 sizes for 3 parts"),
    ("broadcast: [3, 4, 8]", "[3, 8]", "CC405", "broadcast: [3, 8] does not stretch to [3, 4, 8]"),
    ("broadcast: 8", "[3, 8]", "CC405", "broadcast: [3, 8] does not stretch to [8]"),
    ("attention: 5", "[3, 8]", "CC404", "heads = 5 does not divide the width 8"),
    ("attention: {heads: 2, kdim: 6}", "[3, 8]", "CC405", "kdim = 6, but k is projected from [3, 8]"),
    ("attention: {heads: 2, vdim: 6}", "[3, 8]", "CC405", "vdim = 6, but v is projected from [3, 8]"),
    ("attention: {heads: 2, values: input}", "[3, 8]", "CC202", "attention: 'values' needs 'kv' too"),
    ("attention: {heads: 2, bias: [true, false]}", "[3, 8]", "CC410", "bias = [true, false] has 2 entries, not 4"),
    ("attention: {heads: 2, bias: [true, 1, true, true]}", "[3, 8]", "CC410", "bias must be true or false, not 1"),
    ("attention: {heads: 2, bias: [q, x]}", "[3, 8]", "CC201", "unknown variable 'x'"),
    ("attention: {heads: 2, bias: [q, true]}", "[3, 8]", "CC410", "has 2 entries, not 4, and names no parts once each"),
    ("attention: {heads: 2, bias: [q, q]}", "[3, 8]", "CC410", "and names no parts once each: q, k, v, o"),
    ("attention: {heads: 2, bias: []}", "[3, 8]", "CC410", "bias = [] has 0 entries, not 4"),
    ("attention: {heads: 2, bias: causal}", "[3, 8]", "CC410", "must be true or false, not the word 'causal'"),
    ("attention: {heads: 2, window: 3}", "[3, 8]", "CC408", "attention: a window of 3 keys needs mask: causal"),
    ("attention: {heads: 2, window: 3, mask: none, past: 4}", "[3, 8]", "CC408", "a window of 3 keys needs"),
    ("attention: {heads: 2, window: 0, mask: causal}", "[3, 8]", "CC410", "window = 0 must be positive"),
    ("attention: {heads: 2, past: -1}", "[3, 8]", "CC410", "past = -1 must be at least 0"),
    ("attention: {heads: 2, mask: lower}", "[3, 8]", "CC201", "unknown variable 'lower'"),
    ("attention: {heads: 2, mask: local}", "[3, 8]", "CC408", "attention: mask: local needs a window, and no past"),
    ("attention: {heads: 2, mask: local, window: 2, past: 0}", "[3, 8]", "CC408", "needs a window, and no past"),
    ("attention: {heads: 2, cache: write}", "[3, 8]", "CC408", "`write` needs kv, `read` needs past, and neither has"),
    ("attention: {heads: 2, cache: read}", "[3, 8]", "CC408", "`read` needs past"),
    ("attention: {heads: 2, cache: read, past: 0}", "[3, 8]", "CC408", "`read` needs past"),
    ("attention: {heads: 2, cache: read, past: 4, kv: input}", "[3, 8]", "CC408", "`read` needs past"),
    ("attention: {heads: 2, cache: read, past: 4, mask: causal}", "[3, 8]", "CC408", "neither has a mask"),
    ("sdpa: {mask: local, branches: [identity, identity, identity]}", "[3, 8]", "CC408", "sdpa: mask: local needs a"),
    ("sdpa: {window: 3, branches: [identity, identity, identity]}", "[3, 8]", "CC408", "sdpa: a window of 3 keys"),
    ("cache: -1", "[3, 8]", "CC410", "past = -1 must be at least 0"),
    ("cache", "[3, 8]", "CC202", "cache needs 'past'"),
    ("attention: {heads: 4, kv_heads: 3}", "[3, 8]", "CC404", "kv_heads = 3 does not divide the 4 heads"),
    ("reshape: [5, -1]", "[3, 8]", "CC405", "the 24 elements of [3, 8] are not a multiple of 5"),
    ("reshape: [5, 5]", "[3, 8]", "CC405", "[3, 8] has 24 elements, [5, 5] has 25"),
    # what is missing
    ("maxpool: {stride: 2}", "[3, 8, 8]", "CC408", "maxpool needs a kernel or out (adaptive), and not both"),
    ("avgpool: {kernel: 2, out: 2}", "[3, 8, 8]", "CC408", "and not both"),
    ("norm: group", "[3, 8, 8]", "CC408", "group norm needs its number of groups"),
    ("upsample", "[3, 8, 8]", "CC408", "exactly one of scale, size and like"),
    ("broadcast", "[3, 8]", "CC408", "broadcast needs exactly one of shape, times and like"),
    ("broadcast: {shape: [3, 8], times: 2}", "[3, 8]", "CC408", "exactly one of shape, times and like"),
    ("gather: {axis: 1}", "[3, 8]", "CC408", "gather needs a size or indices, and not both"),
    ("split: {part: 0}", "[3, 8]", "CC408", "split needs into, the number of its parts, or their sizes"),
    ("elementwise: cumprod", "[3, 8]", "CC408", "cumprod needs its axis: {type: cumprod, axis: 0}"),
    ("elementwise: {type: exp, axis: 0}", "[3, 8]", "CC203", "exp elementwise does not use 'axis'"),
    ("elementwise: {type: exp, branches: [identity, relu]}", "[3, 8]", "CC415", "reads at most 1, not 2 branches"),
    ("upsample: {scale: 2, size: 16}", "[3, 8, 8]", "CC408", "exactly one of scale, size and like"),
]  # fmt: skip

JOINS = [
    ("add", "[3, 8, 8]", "[3, 8]", "shapes differ: [3, 8, 8] vs [3, 8]"),
    ("add", "[3, 8, 8]", "[3, 8, 4]", "shapes differ: [3, 8, 8] vs [3, 8, 4]"),
    ("mul", "[3, 8, 8]", "[2, 1, 1]", "shapes differ: [3, 8, 8] vs [2, 1, 1]"),
    ("concat", "[3, 8, 8]", "[3, 8]", "shapes differ in rank: [3, 8, 8] vs [3, 8]"),
    ("concat", "[3, 8, 8]", "[5, 8, 7]", "shapes differ beside axis 0: [3, 8, 8] vs [5, 8, 7]"),
    ("matmul", "[3, 8]", "[7, 3]", "inner axes of [3, 8] and [7, 3] differ: 8 vs 7"),
    ("matmul", "[2, 3, 8]", "[4, 8, 3]", "shapes differ: [2, 3, 8] vs [4, 8, 3]"),
    ("matmul", "[2, 3, 8]", "[8, 3]", "shapes differ: [2, 3, 8] vs [8, 3]"),
]


def refusal(text: str) -> tuple[str, str]:
    """The code and the sentence of the only error."""
    with pytest.raises(SpecErrors) as raised:
        convcalc.load(text=text)
    (error,) = raised.value.errors
    return error.code, error.text


@pytest.mark.parametrize(("layer", "entering", "code", "said"), REFUSED)
def test_a_layer_that_does_not_fit_is_refused(layer: str, entering: str, code: str, said: str) -> None:
    found, text = refusal(f"input: {entering}\nlayers:\n  - {layer}\n")
    assert found == code
    assert said in text


@pytest.mark.parametrize(("join", "left", "right", "said"), JOINS)
def test_branches_that_do_not_meet_are_refused(join: str, left: str, right: str, said: str) -> None:
    found, text = refusal(f"inputs: {{x: {left}, y: {right}}}\nlayers:\n  - {join}: [{{from: x}}, {{from: y}}]\n")
    assert found == "CC405"
    assert said in text


@pytest.mark.parametrize(
    ("layer", "left", "right", "said"),
    [
        ("attention: {heads: 2, kv: y}", "[5, 8]", "[2, 5, 8]", "the windows of [5, 8] and of its kv [2, 5, 8] differ"),
        ("attention: {heads: 2, kv: y}", "[3, 5, 8]", "[2, 5, 8]", "the windows of [3, 5, 8] and of its kv"),
        ("attention: {heads: 2, kv: y, mask: causal}", "[5, 8]", "[6, 8]", "the same tokens, but there are 5 and 6"),
        ("attention: {heads: 2, kv: y, past: 0}", "[5, 8]", "[6, 8]", "the same tokens, but there are 5 and 6"),
        ("attention: {heads: 2, kv: y, mask: local, window: 2}", "[5, 8]", "[6, 8]", "tokens, but there are 5 and 6"),
        ("sdpa: {mask: local, window: 2, branches: [identity, {from: y}, {from: y}]}", "[5, 8]", "[6, 8]", "5 and 6"),
        ("attention: {heads: 2, kv: ., values: y}", "[5, 8]", "[6, 8]", "keys [5, 8] and of its values [6, 8] differ"),
        ("attention: {heads: 2, kv: ., values: y}", "[5, 8]", "[2, 5, 8]", "of its values [2, 5, 8] differ"),
        ("upsample: {like: y}", "[5, 8, 8]", "[5, 8]", "differ in rank"),
        ("experts: {count: 2, router: y}", "[5, 8]", "[5, 3]", "gives [5, 3], which are not the scores of 2 experts"),
    ],
)
def test_a_reference_that_does_not_fit_is_refused(layer: str, left: str, right: str, said: str) -> None:
    found, text = refusal(f"inputs: {{x: {left}, y: {right}}}\nlayers:\n  - {layer}\n")
    assert found == "CC405"
    assert said in text


def test_a_matrix_product_needs_matrices() -> None:
    found, text = refusal("inputs: {x: [8], y: [8, 3]}\nlayers:\n  - matmul: [{from: x}, {from: y}]\n")
    assert (found, text) == ("CC401", "matmul needs [… n, k] and [… k, m], but has [8] and [8, 3]")
