"""Attention: multi-head with its projections, and the layers that score given queries, keys and values."""

from __future__ import annotations

from typing import Any

from convcalc.arith import prod
from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, Output, natural, tensors_in
from convcalc.importers.keras.settings import bad, numbers


def multi_head(call: LayerCall) -> Output:
    config = call.config
    words: dict[str, Any] = {"heads": config.positive("num_heads"), "head_dim": config.positive("key_dim")}
    words |= {"value_dim": config.positive("value_dim", None), "bias": config.flag("use_bias", True)}
    shape = config.get("output_shape")
    sizes = numbers("output_shape", shape) if shape is not None else ()
    return _attention(call, words, sizes)


def grouped(call: LayerCall) -> Output:
    config = call.config
    words: dict[str, Any] = {"heads": config.positive("num_query_heads"), "head_dim": config.positive("head_dim")}
    words |= {"kv_heads": config.positive("num_key_value_heads"), "bias": config.flag("use_bias", True)}
    return _attention(call, words, ())


def _attention(call: LayerCall, words: dict[str, Any], sizes: tuple[int, ...]) -> Output:
    """Add an attention over some axes, which become the tokens; all others are windows."""
    query, value = (call.argument(place, name) for place, name in enumerate(("query", "value")))
    if not isinstance(query, LayerTensor) or not isinstance(value, LayerTensor):
        raise bad("an attention reads a query and a value")
    key = call.argument(2, "key")
    x, values = call.natural(query), call.natural(value)
    keys = call.natural(key) if isinstance(key, LayerTensor) else values
    words["dim"] = prod(sizes) if sizes else None
    axes = _attention_axes(call, x)
    tokens = [_tokens(call, each, axes) for each in (x, keys, values)]
    others = [] if values is x and keys is x else [tokens[1], tokens[2]] if keys is not values else [tokens[1]]
    if call.config.flag("use_gate", False):  # beside the attention: it multiplies what the heads give
        out = words["heads"] * (words.get("value_dim") or words["head_dim"])
        gate = call.add("linear", tokens[0], name="gate", out=out, bias=words["bias"], axis=-1)
        call.add("act", gate, name="gate/act", type="sigmoid")
    output = call.add("attention", tokens[0], *others, **words)
    kept = [call.shape(x)[place] for place in range(len(x.order) - 1)]
    result = _from_tokens(call, output, x, axes, kept)
    if len(sizes) > 1:
        result = call.reshaped(result, (*kept, *sizes), "reshape_out")
    if not call.argument(7, "return_attention_scores", False):
        return result
    windows = len(tokens[0].order) - 2
    led, rows, columns = call.shape(tokens[0])[:windows], call.shape(tokens[0])[-2], call.shape(tokens[1])[-2]
    scores = (*led, words["heads"], rows, columns)
    return [result, call.add("custom", output, name="scores", out=scores, order=natural(len(scores)))]


def _attention_axes(call: LayerCall, x: LayerTensor) -> list[int]:
    """Return the places of the axes that are attended: all between batch and features, or those that are given."""
    rank = len(x.order)
    given = call.config.get("attention_axes")
    if given is None:
        return list(range(call.lead, rank - 1))
    places = sorted({call.place(axis, rank, name="attention_axes") for axis in numbers("attention_axes", given)})
    if rank - 1 in places:
        raise bad("attention_axes hold the axis of the features")
    return places


def _tokens(call: LayerCall, x: LayerTensor, axes: list[int]) -> LayerTensor:
    """Return windows …, tokens, features."""
    windows = [place for place in range(len(x.order) - 1) if place not in axes]
    if not axes or len(x.order) <= max(axes) + 1:
        raise SpecError("CC401", "attention needs [tokens, features] of queries, keys and values")
    places = [*windows, *axes, len(x.order) - 1]
    x = call.add("permute", x, name="windows", axes=places) if places != sorted(places) else x
    if len(axes) == 1:
        return x
    shape, count = call.shape(x), len(windows)
    return call.reshaped(x, (*shape[:count], prod(shape[count:-1]), shape[-1]), "tokens")


def _from_tokens(call: LayerCall, x: LayerTensor, query: LayerTensor, axes: list[int], kept: list[Any]) -> LayerTensor:
    """Return a tensor with its axes where the query has them."""
    places = [*(place for place in range(len(query.order) - 1) if place not in axes), *axes]
    if len(axes) > 1:
        x = call.reshaped(x, (*(kept[place] for place in places), call.shape(x)[-1]), "cells")
    if places == sorted(places):
        return x
    back = [*(places.index(place) for place in range(len(places))), len(places)]
    return call.add("permute", x, name="back", axes=back)


# --- attention without projections ------------------------------------------------------------------------------------


def dot_product(call: LayerCall) -> Output:
    """``Attention``: scores are products, or sums of tanh; one learned scale, and one for the sum."""
    query, key, value = _three(call)
    config = call.config
    if config.flag("use_scale", False):
        query = call.add("scale", query, name="scale", per="scalar")
    if config.text("score_mode", "dot") == "concat":
        return _summed(call, query, key, value, weighted=True)
    output = call.add("sdpa", query, key, value)
    if not call.argument(3, "return_attention_scores", False):
        return output
    scores = (*call.shape(query)[:-1], call.shape(key)[-2])
    return [output, call.add("custom", output, name="scores", out=scores)]


def additive(call: LayerCall) -> Output:
    """``AdditiveAttention``: scores are sums of tanh(q + k), with a learned factor for each feature."""
    query, key, value = _three(call)
    return _summed(call, query, key, value, scaled=call.config.flag("use_scale", True))


def _three(call: LayerCall) -> tuple[LayerTensor, LayerTensor, LayerTensor]:
    given = [call.natural(each) for each in tensors_in(call.args[:1])]
    if len(given) not in (2, 3):
        raise bad("an attention reads a list of query, value and perhaps key")
    query, value, key = given if len(given) == 3 else (*given, given[1])
    return query, key, value


def _summed(
    call: LayerCall,
    query: LayerTensor,
    key: LayerTensor,
    value: LayerTensor,
    *,
    scaled: bool = False,
    weighted: bool = False,
) -> Output:
    rank = len(query.order)
    rows, columns = call.shape(query), call.shape(key)
    wide = natural(rank + 1)
    left = call.add("reshape", query, name="queries", shape=(*rows[:-1], 1, rows[-1]), order=wide)
    right = call.add("reshape", key, name="keys", shape=(*columns[:-2], 1, *columns[-2:]), order=wide)
    x = call.add("act", call.add("add", left, right, name="sum"), name="tanh", type="tanh")
    if scaled:
        x = call.add("scale", x, name="scale", axis=-1)
    x = call.add("reduce", x, name="scores", type="sum", axis=-1, order=natural(rank))
    if weighted:
        x = call.add("scale", x, name="weight", per="scalar")
    weights = call.add("softmax", x, name="softmax")
    output = call.add("matmul", weights, value)
    return [output, weights] if call.argument(3, "return_attention_scores", False) else output
