"""What a query sees of the keys before it: masks of attention."""

from __future__ import annotations

from convcalc.arith import Number, at_least, at_most, floordiv, require

MASKS = ("none", "causal", "local")


def require_mask(kind: str, mask: str, window: Number | None, past: Number | None) -> None:
    """Demand a window of a local mask, and a mask of a window, for models differ in what one without is."""
    if mask == "local":
        text = f"{kind}: mask: local needs a window, and no past"
        require(window is not None and past is None, "CC408", text)
    text = f"{kind}: a window of {{}} keys needs mask: causal, or local for one on both sides"
    require(window is None or mask != "none", "CC408", text, window)


def hidden_products(
    mask: str, queries: Number, keys: Number, past: Number, window: Number | None, cost: Number
) -> Number:
    """Return the multiplies of the pairs of a query and a key that a mask hides, at a cost a pair.

    Of N tokens a local mask hides what is w and more before a query, as a causal one with that window does, and as much
    behind: the causal one hides all N·(N − 1)/2 pairs there.
    """
    if mask == "none":
        return 0
    found = masked_products(queries, keys, past, window, cost)
    return found if mask == "causal" else 2 * found - queries * (queries - 1) * cost


def masked_products(queries: Number, keys: Number, past: Number, window: Number | None, cost: Number) -> Number:
    """Return the multiplies of the pairs of a query and a key that a causal mask hides, at a cost a pair.

    Query i of N sees the min(p + i + 1, w) last of the first p + i + 1 keys, p of them past, but none beyond the last
    of L keys. With t = p + i + 1 and (x)⁺ = max(x, 0) these are t⁺ − (t − L)⁺ − (t − w)⁺ + (t − w − L)⁺, and
    Σ (t − a)⁺ over all queries is the difference of two triangular numbers.
    """
    seen = _twice_sum(queries, past, 0) - _twice_sum(queries, past, keys)
    if window is not None:
        seen = seen - _twice_sum(queries, past, window) + _twice_sum(queries, past, window + keys)
    return floordiv((2 * queries * keys - seen) * cost, 2)


def _twice_sum(queries: Number, past: Number, below: Number) -> Number:
    """2·Σ max(t − a, 0) for t from p + 1 to p + N."""
    last, before = at_least(past + queries - below, 0), at_least(past - below, 0)
    return last * (last + 1) - before * (before + 1)


def held_keys(keys: Number, window: Number | None) -> Number:
    """Return how many of all keys later queries may see."""
    return keys if window is None else at_most(keys, window)
