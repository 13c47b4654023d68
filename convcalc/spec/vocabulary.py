"""The words that mean themselves: the closed vocabularies that arguments choose from.

They are *symbols* in expressions (``relu6 if mobile else relu``), so no variable may bear their names. The long lists
are those of the ops that understand them.
"""

from __future__ import annotations

from convcalc.ops import act, norm, upsample

VOCABULARIES: dict[str, frozenset[str]] = {
    "activation": frozenset(act.TYPES),
    "norm type": frozenset(norm.TYPES),
    "padding": frozenset({"valid", "half", "same"}),
    "pooling kernel": frozenset({"global"}),
    "weight sharing": frozenset({"channels"}),
    "scale": frozenset({"channel", "scalar"}),
    "upsampling mode": frozenset(upsample.MODES),
    "word for nothing": frozenset({"none"}),
}
"""What the words are → the words. No word is two things."""

SYMBOLS: dict[str, str] = {word: group for group, words in VOCABULARIES.items() for word in sorted(words)}
"""Word → what it is."""

KEYWORDS: frozenset[str] = frozenset({"true", "false", "and", "or", "not", "if", "else"})
