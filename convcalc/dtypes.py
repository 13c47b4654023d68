"""Number formats: bits of a number, bytes of a tensor, and the formats of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from convcalc.arith import Number, ceildiv
from convcalc.errors import SpecError, did_you_mean, quoted

BIT_WIDTHS = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "fp8": 8,
    "int64": 64,
    "int32": 32,
    "int16": 16,
    "int8": 8,
    "int4": 4,
}
"""Bits of one number in each format that ``--dtype`` takes."""

TRAIN = "train"
RECIPES = ("adam", "mixed", "mixed32", "sgd")
"""Recipes of training, which stand among the formats of ``--dtype`` as ``train=mixed``; the first is the usual one."""


def training_recipe(dtype: str) -> str:
    """Return the recipe of training that is among the formats of ``--dtype``, the last of several.

    >>> training_recipe("bfloat16, train=mixed"), training_recipe("float16, train.**=int8")
    ('mixed', 'adam')
    """
    named = (part.partition("=") for part in reversed(dtype.split(",")))
    return next((word.strip() for key, _, word in named if _is_recipe(key, word)), RECIPES[0])


def _is_recipe(key: str, word: str) -> bool:
    return key.strip() == TRAIN and word.strip() in RECIPES


def bytes_of(elements: Number, dtype: str, stored: int = 64) -> Number:
    """Return the bytes that ``elements`` numbers take: ⌈bits·elements / 8⌉ (int4 packs two in a byte).

    Numbers that are ``stored`` in fewer bits than those of the format keep theirs.
    """
    bits = min(BIT_WIDTHS[dtype], stored)
    return bits // 8 * elements if bits % 8 == 0 else ceildiv(bits * elements, 8)


def at_least_32_bits(dtype: str) -> str:
    """Return the format of a number that is never kept in less than 32 bits."""
    return dtype if BIT_WIDTHS[dtype] > 32 else "float32"


@lru_cache(maxsize=64)
def parse_dtype(dtype: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Parse ``--dtype``: the format of most layers, and the exceptions (glob over paths, format) in order.

    The recipe of training that may be among them is `training_recipe`'s.

    Examples:
        >>> parse_dtype("float16, stage1.**=int8")
        ('float16', (('stage1.**', 'int8'),))

    Raises:
        SpecError: CC704, for an unknown format and an invalid glob.
    """
    usual, exceptions = "float32", []
    for part in dtype.split(","):
        glob, equals, name = map(str.strip, part.rpartition("="))
        if _is_recipe(glob, name):
            continue
        if name not in BIT_WIDTHS or (equals and not glob):
            text = f"no number format {quoted(name or part.strip())}{did_you_mean(name, BIT_WIDTHS)}"
            raise SpecError("CC704", text, hint=f"known: {', '.join(BIT_WIDTHS)}; for some layers: 'stage1.**=int8'")
        if not equals:
            usual = name
            continue
        from convcalc.paths import syntax_error  # only exceptions need it

        if wrong := syntax_error(glob, "."):
            raise SpecError("CC704", f"the glob {quoted(glob)} {wrong}", hint="such as 'stage1.**=int8'")
        exceptions.append((glob, name))
    return usual, tuple(exceptions)


def dtype_lookup(dtype: str) -> Callable[[str], str]:
    """Return a function from a path to its format: that of the last matching glob, else the usual one."""
    if dtype in BIT_WIDTHS:
        return lambda _: dtype
    from convcalc.paths import matches  # only exceptions need it

    usual, exceptions = parse_dtype(dtype)
    latest = exceptions[::-1]
    return lambda path: next((name for glob, name in latest if matches(glob, path, ".")), usual)


def unmatched_globs(dtype: str, paths: Iterable[str]) -> list[str]:
    """Return the globs among the exceptions that no path matches."""
    if dtype in BIT_WIDTHS:
        return []
    from convcalc.paths import matches

    known = list(paths)
    return [glob for glob, _ in parse_dtype(dtype)[1] if not any(matches(glob, path, ".") for path in known)]
