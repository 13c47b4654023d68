"""Number formats: bits of a number, bytes of a tensor, and the formats of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from convcalc.arith import Number, ceildiv
from convcalc.errors import SpecError, did_you_mean, quoted

BITS = {
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


def bytes_of(elements: Number, dtype: str) -> Number:
    """Return the bytes that ``elements`` numbers take: ⌈bits·elements / 8⌉ (int4 packs two in a byte)."""
    bits = BITS[dtype]
    return bits // 8 * elements if bits >= 8 else ceildiv(bits * elements, 8)


@lru_cache(maxsize=64)
def formats(dtype: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Parse ``--dtype``: the format of most layers, and the exceptions (glob over paths, format) in order.

    Examples:
        >>> formats("float16, stage1.**=int8")
        ('float16', (('stage1.**', 'int8'),))

    Raises:
        SpecError: CC704, for an unknown format and an invalid glob.
    """
    usual, exceptions = "float32", []
    for part in dtype.split(","):
        glob, equals, name = map(str.strip, part.rpartition("="))
        if name not in BITS or (equals and not glob):
            text = f"no number format {quoted(name or part.strip())}{did_you_mean(name, BITS)}"
            raise SpecError("CC704", text, hint=f"known: {', '.join(BITS)}; for some layers: 'stage1.**=int8'")
        if not equals:
            usual = name
            continue
        from convcalc.globs import fault  # only exceptions need it

        if wrong := fault(glob, "."):
            raise SpecError("CC704", f"the glob {quoted(glob)} {wrong}", hint="such as 'stage1.**=int8'")
        exceptions.append((glob, name))
    return usual, tuple(exceptions)


def format_of(dtype: str) -> Callable[[str], str]:
    """Return a function from a path to its format: that of the last matching glob, else the usual one."""
    if dtype in BITS:
        return lambda _: dtype
    from convcalc.globs import matches  # only exceptions need it

    usual, exceptions = formats(dtype)
    latest = exceptions[::-1]
    return lambda path: next((name for glob, name in latest if matches(glob, path, ".")), usual)


def unmatched(dtype: str, paths: Iterable[str]) -> list[str]:
    """Return the globs among the exceptions that no path matches."""
    if dtype in BITS:
        return []
    from convcalc.globs import matches

    known = list(paths)
    return [glob for glob, _ in formats(dtype)[1] if not any(matches(glob, path, ".") for path in known)]
