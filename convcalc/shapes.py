"""Shapes without the batch axis: channels first, then any number of spatial axes; and the widths of number formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from convcalc.arith import Number, ceildiv, prod
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


class Shape(tuple[Number, ...]):
    """The axes of one tensor, without batch: ``(channels, *spatial)`` of images, ``(tokens, features)`` of text."""

    __slots__ = ()

    @property
    def rank(self) -> int:
        return len(self)

    @property
    def channels(self) -> Number:
        """Axis 0."""
        return self[0]

    @property
    def features(self) -> Number:
        """The last axis."""
        return self[-1]

    @property
    def spatial(self) -> tuple[Number, ...]:
        """All axes but the first."""
        return self[1:]

    @property
    def elements(self) -> Number:
        """Product of all axes."""
        return prod(self)

    def axis(self, axis: int, name: str = "axis") -> int:
        """Return an axis counted from 0, given one that may count from the end.

        Raises:
            SpecError: CC402, where the shape has no such axis.
        """
        if not -len(self) <= axis < len(self):
            raise SpecError("CC402", f"{name} {axis} is not an axis of {self}, which has {len(self)}")
        return axis % len(self)

    def replaced(self, axis: int, size: Number) -> Shape:
        """Return this shape with another size on one axis."""
        axis = self.axis(axis)
        return Shape((*self[:axis], size, *self[axis + 1 :]))

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self))}]"


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
