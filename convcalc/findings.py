"""What a check finds: the verdict between what judges designs and what shows it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from convcalc.errors import Span, SpecError

Value = int | tuple[int, ...]
"""A count, or a shape."""


class Judgement(NamedTuple):
    """One number of one claim beside what the arithmetic gives."""

    id: str
    """``claim:VARIANT:PATH:METRIC``; what a claim does not name is left out."""
    design: str
    metric: str
    value: Value
    printed: str
    """As the source prints it."""
    agrees: bool
    """Whether the value rounds or truncates to the printed digits; a shape is the same or not."""
    loose: bool
    """Whether the claim says of itself that it disagrees."""
    ratio: Fraction | None
    """The value as a share of the printed number, where that is not zero."""
    source: str
    quote: str
    reason: str
    span: Span

    @property
    def holds(self) -> bool:
        """Whether the claim is what it says of itself: it agrees, or is known not to."""
        return self.agrees is not self.loose


class Finding(NamedTuple):
    """Something that a check does not let pass, with the place to look at."""

    id: str
    code: str
    severity: str
    design: str
    metric: str
    text: str
    """One sentence with both numbers."""
    span: Span | None
    hint: str = ""

    @property
    def error(self) -> SpecError:
        """The finding in the form in which every mistake is shown."""
        return SpecError(self.code, self.text, self.span, self.hint)


class Verdict(NamedTuple):
    """What a check says of all that it was given."""

    files: int
    judgements: Sequence[Judgement] = ()
    findings: Sequence[Finding] = ()
    errors: Sequence[SpecError] = ()
    """Why something could not be judged."""
