"""Number formats: bits of a number, bytes of a tensor, and which layer has which format."""

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


# --- number formats ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def formats(dtype: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the usual format of ``--dtype`` and its exceptions: glob over paths → format, in the order written.

    Examples:
        >>> formats("float16, stage1.**=int8")
        ('float16', (('stage1.**', 'int8'),))

    Raises:
        SpecError: CC704, for a word that is no format and a glob without its text.
    """
    usual, exceptions = "float32", []
    for part in dtype.split(","):
        glob, equals, name = map(str.strip, part.rpartition("="))
        if name not in BITS or (equals and not glob):
            text = f"no number format {quoted(name or part.strip())}{did_you_mean(name, BITS)}"
            raise SpecError("CC704", text, hint=f"known: {', '.join(BITS)}; for some layers: 'stage1.**=int8'")
        if equals:
            _require_glob(glob)
            exceptions.append((glob, name))
        else:
            usual = name
    return usual, tuple(exceptions)


def _require_glob(glob: str) -> None:
    from convcalc.globs import fault

    if wrong := fault(glob, "."):
        raise SpecError("CC704", f"the glob {quoted(glob)} {wrong}", hint="such as 'stage1.**=int8'")


def format_of(dtype: str) -> Callable[[str], str]:
    """Return what gives the format of a path: that of the last glob that it matches, else the usual one.

    Globs are those of budgets, over paths: see :mod:`convcalc.globs`.
    """
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
