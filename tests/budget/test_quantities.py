"""Quantities: exact, with the suffixes of SI and IEC, and nothing that only looks like one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.budget.quantities import as_percent, is_of_bytes, percent, quantity, ratio


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("007", 7),
        ("1", 1),
        ("25", 25),
        ("5.5M", 5_500_000),
        ("600M", 600_000_000),
        ("1k", 1_000),
        ("1K", 1_000),
        ("2.5G", 2_500_000_000),
        ("3T", 3_000_000_000_000),
        ("1Ki", 1_024),
        ("1Mi", 1_048_576),
        ("1Gi", 1_073_741_824),
        ("1Ti", 1_099_511_627_776),
        ("22MiB", 23_068_672),
        ("5MB", 5_000_000),
        ("5kB", 5_000),
        ("12B", 12),
        ("0.5KiB", 512),
        ("0.1", Fraction(1, 10)),
        ("0.3Ki", Fraction(1536, 5)),
        ("9007199254740993", 9007199254740993),
        ("0.1234567890123456789012345678T", Fraction(1234567890123456789012345678, 10**16)),
    ],
)
def test_worth(text: str, value: int | Fraction) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "M", "B", "iB", "1.", ".5", "+1", "-1", "1e6", "1E6", "1_000", "1,000", "1 M", "1M ", " 1", "1m",
        "1ki", "1mi", "1KI", "1P", "1MM", "1MBB", "1bit", "0x10", "1.2.3", "inf", "nan", "true", "٣", "１", "1\n",
        "1%", "1" * 31, "1." + "0" * 31,
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert quantity(text) is None


def test_bytes_are_told() -> None:
    assert [is_of_bytes(text) for text in ("5MB", "5MiB", "5B", "5M", "5Mi", "5")] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("40%", Fraction(2, 5)),
        ("0%", 0),
        ("100%", 1),
        ("0.01%", Fraction(1, 10_000)),
        ("33.3%", Fraction(333, 1000)),
        ("250%", Fraction(5, 2)),
        ("40", None),
        ("0.4", None),
        ("%", None),
        ("40%%", None),
        ("40 %", None),
        ("-40%", None),
        ("+40%", None),
        ("4M%", None),
        ("4e1%", None),
    ],
)
def test_percentages_carry_their_sign(text: str, share: int | Fraction | None) -> None:
    assert percent(text) == share


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.45", Fraction(9, 20)), ("45%", Fraction(9, 20)), ("2", 2), ("0", 0), ("1M", None), ("-1", None), ("", None)],
)
def test_ratios(text: str, value: int | Fraction | None) -> None:
    assert ratio(text) == value


DIGITS = st.text("0123456789", min_size=1, max_size=12)


@given(DIGITS, DIGITS)
def test_every_decimal_is_exact(whole: str, decimals: str) -> None:
    text = f"{whole}.{decimals}"
    exact = Fraction(Decimal(text))
    assert quantity(text) == ratio(text) == exact
    assert quantity(f"{text}Gi") == exact * 1024**3
    assert percent(f"{text}%") == exact / 100


@given(DIGITS, st.none() | DIGITS)
def test_the_percentage_that_was_meant_is_the_same_ratio(whole: str, decimals: str | None) -> None:
    text = whole if decimals is None else f"{whole}.{decimals}"
    assert percent(as_percent(text)) == ratio(text)
