"""Numbers as they are printed: exact where they stand for counts, never misleading where they are rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.number_format import (
    format_exact,
    format_multiple,
    format_share,
    format_short,
    format_signed,
    format_significant,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (101, "101"), (25_557_032, "25,557,032"), (10**30, "1" + ",000" * 10), (Fraction(10, 3), "3.333")],
)
def test_exact(value: int, text: str) -> None:
    assert format_exact(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "", "0"),
        (101, "", "101"),  # never 0.101 k
        (999, "", "999"),
        (1000, "", "1 k"),
        (25_557_032, "", "25.56 M"),
        (999_949, "", "999.9 k"),
        (999_999, "", "1.000 M"),
        (4_089_184_256, "", "4.089 G"),
        (10**33, "", "1,000 Q"),
        (1023, "bytes", "1,023 B"),
        (1024, "bytes", "1 KiB"),
        (102_228_128, "bytes", "97.49 MiB"),
        (31_309, "ns", "31.31 µs"),
        (2_500_000, "ns", "2.5 ms"),
        (5 * 10**12, "ns", "5,000 s"),
        (999, "ns", "999"),
    ],
)
def test_short(value: int, unit: str, text: str) -> None:
    assert format_short(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(157184, 387072), "0.406"),
        (Fraction(387072, 157184), "2.46"),
        (Fraction(163328, 387072), "0.422"),
        (Fraction(1179648, 69632), "16.9"),
        (Fraction(17, 144), "0.118"),
        (Fraction(37_800_000, 330_000_000), "0.115"),
        (Fraction(2), "2"),
        (Fraction(1, 2), "0.5"),
        (Fraction(19999, 10000), "2.00"),
        (Fraction(1), "1"),
        (Fraction(10001, 10000), "1.0001"),
        (Fraction(9999, 10000), "0.9999"),
        (Fraction(10**9 + 1, 10**9), "1.000000001"),
        (Fraction(100), "100"),
        (Fraction(999_999, 1000), "1,000"),
        (Fraction(275_000), "275,000"),
        (Fraction(1, 275_000), "0.00000364"),
        (Fraction(1, 10**9), "<0.000001"),
    ],
)
def test_ratio(value: Fraction, text: str) -> None:
    assert format_multiple(value) == text


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_ratio_of_different_numbers_never_reads_one(value: int, first: int) -> None:
    text = format_multiple(Fraction(value, first)).lstrip("<").replace(",", "")
    assert (Decimal(text) == 1) == (value == first)


@given(st.integers(1, 10**20), st.integers(1, 10**20), st.integers(2, 8))
def test_significant_rounds_half_up(numerator: int, denominator: int, digits: int) -> None:
    value = Fraction(numerator, denominator)
    shown = Decimal(format_significant(value, digits).replace(",", ""))
    exponent = Decimal(numerator).ln() / Decimal(10).ln() - Decimal(denominator).ln() / Decimal(10).ln()
    places = max(0, digits - 1 - int(exponent.to_integral_value(rounding="ROUND_FLOOR")))
    scaled = value * 10**places
    half_up = Decimal(int(scaled + Fraction(1, 2))).scaleb(-places)
    assert abs(shown - half_up) <= Decimal(10) ** -places
    assert abs(Fraction(shown) - value) <= Fraction(1, 2 * 10 ** max(0, places - 1))


def test_percent() -> None:
    assert [format_share(0, 0), format_share(0, 7), format_share(1, 7), format_share(92, 7), format_share(1000, 7)] == [
        "",
        "<0.1",
        "0.1",
        "9.2",
        "100",
    ]


def test_signs_are_those_of_a_pipe() -> None:
    assert [format_signed(1024), format_signed(-223_744), format_signed(0)] == ["+1,024", "-223,744", "0"]


def test_rounding_is_decimal() -> None:
    assert format_significant(Fraction(12345, 10000), 4) == str(
        Decimal("1.2345").quantize(Decimal("0.001"), ROUND_HALF_UP)
    )
