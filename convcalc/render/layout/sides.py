"""What the cells of a comparison say: numbers, differences, ratios, and words where a number would mislead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from convcalc.compare import Value, difference, ratio
from convcalc.render.layout.glyphs import Glyphs
from convcalc.render.layout.numbers import exact, short, signed
from convcalc.render.layout.numbers import ratio as ratio_text


class Side(NamedTuple):
    """The values of one design in one metric, row by row, beside those of the first."""

    values: Sequence[Value | None]
    first: Sequence[Value | None]
    units: Sequence[str]
    comparable: Sequence[bool]
    """Whether a row has something to be compared with: details of a group that is a single layer elsewhere have not."""
    known: Sequence[bool]
    """Whether the values are complete."""
    certain: Sequence[bool]
    """Whether those of the first design are complete too."""

    def numbers(self, glyphs: Glyphs) -> list[str]:
        """The values, exact."""
        return [
            _value(value and exact(value), glyphs, known=known)
            for value, known in zip(self.values, self.known, strict=True)
        ]

    def rounded(self, glyphs: Glyphs) -> list[str]:
        """The values, short, in their units."""
        return [
            _value(value and short(value, unit), glyphs, known=known)
            for value, unit, known in zip(self.values, self.units, self.known, strict=True)
        ]

    def differences(self, glyphs: Glyphs) -> list[str]:
        """The differences from the first design, signed."""
        return [self._difference(row, glyphs) for row in range(len(self.values))]

    def ratios(self) -> list[str]:
        """The ratios to the first design, and words where a ratio says nothing."""
        return [self._ratio(row) for row in range(len(self.values))]

    def styles(self) -> list[str]:
        """Colours for what the signs say too: fewer or more."""
        return [self._style(row) for row in range(len(self.values))]

    def _style(self, row: int) -> str:
        more = difference(self.values[row] or 0, self.first[row] or 0)
        return "" if not more or not self.comparable[row] else "more" if more > 0 else "fewer"

    def _difference(self, row: int, glyphs: Glyphs) -> str:
        value, first = self.values[row], self.first[row]
        if not self.comparable[row] or (value is None and first is None):
            return ""
        if not self.certain[row]:
            return "?"
        more = (value or 0) - (first or 0)
        return signed(more) if more else glyphs.nothing

    def _ratio(self, row: int) -> str:
        value, first = self.values[row], self.first[row]
        if not self.comparable[row] or (value is None and first is None):
            return ""
        if not self.certain[row]:
            return "?"
        if value is None or first is None:
            return "removed" if value is None else "new"
        if value == first:
            return "equal" if value else ""
        found = ratio(value, first)
        return "" if found is None else ratio_text(found)


def _value(text: str | Value | None, glyphs: Glyphs, *, known: bool) -> str:
    """Return a number, a dash for zero, or blank where there is nothing."""
    if text is None:
        return ""
    if not known:
        return f"{glyphs.at_least} {text}"
    return str(text) if text else glyphs.nothing
