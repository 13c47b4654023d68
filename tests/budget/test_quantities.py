"""Quantities: exact, with the suffixes of SI and IEC, and nothing that only looks like one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.quantities import (
    decimal_to_percentage,
    has_byte_suffix,
    intended_quantity,
    parse_percentage,
    parse_positive_integer,
    parse_quantity,
    parse_ratio,
)


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
        ("1P", 10**15),
        ("2Pi", 2_251_799_813_685_248),
        ("1e6", 1_000_000),
        ("1E15", 10**15),
        ("2.5e+3", 2_500),
        ("5e-1M", 500_000),
        ("1e3KiB", 1_024_000),
        ("1e99", 10**99),
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
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "M", "B", "iB", "1.", ".5", "+1", "-1", "1e", "e6", "1e6.5", "1e100", "1e+",
        "1_000", "1,000", "1 M", "1M ", " 1", "1m",
        "1ki", "1mi", "1KI", "1E", "1Ei", "1MM", "1MBB", "1bit", "0x10", "1.2.3", "inf", "nan", "true", "٣",
        "１", "1\n",
        "1%", "1" * 31, "1." + "0" * 31,
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert parse_quantity(text) is None


def test_bytes_are_told() -> None:
    assert [has_byte_suffix(text) for text in ("5MB", "5MiB", "5B", "5M", "5Mi", "5")] == [True] * 3 + [False] * 3


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
    assert parse_percentage(text) == share


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.45", Fraction(9, 20)),
        ("4.5e-1", Fraction(9, 20)),
        ("45%", Fraction(9, 20)),
        ("2", 2),
        ("0", 0),
        ("1M", None),
        ("-1", None),
        ("", None),
    ],
)
def test_ratios(text: str, value: int | Fraction | None) -> None:
    assert parse_ratio(text) == value


@pytest.mark.parametrize(
    ("text", "number"),
    [("32", 32), ("1k", 1000), ("1e3", 1000), ("2.5k", 2500), ("1Ki", 1024), ("007", 7),
     *((text, None) for text in ("0", "0.5", "1.5", "2kB", "-1", "1_000", "1e-1", ""))],
)  # fmt: skip
def test_positive_integers(text: str, number: int | None) -> None:
    assert parse_positive_integer(text) == number


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2 MiB", "2MiB"), ("2 mib", "2MiB"), ("2MIB", "2MiB"), ("5m", "5M"), ("5 M", "5M"), ("1.5gib", "1.5GiB"),
        ("5gb", "5GB"), ("5KIB", "5KiB"), ("25,557,032", "25557032"), ("25_000", "25000"), ("1e9b", "1e9B"),
        ("five", ""), ("5Q", ""), ("2.5.3", ""), ("25,55", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_is_meant_is_a_quantity(text: str, written: str) -> None:
    assert intended_quantity(text) == written
    assert not written or parse_quantity(written) is not None


DIGITS = st.text("0123456789", min_size=1, max_size=12)


@given(DIGITS, DIGITS)
def test_every_decimal_is_exact(whole: str, decimals: str) -> None:
    text = f"{whole}.{decimals}"
    exact = Fraction(Decimal(text))
    assert parse_quantity(text) == parse_ratio(text) == exact
    assert parse_quantity(f"{text}Gi") == exact * 1024**3
    assert parse_percentage(f"{text}%") == exact / 100


@given(DIGITS, st.none() | DIGITS)
def test_the_percentage_that_was_meant_is_the_same_ratio(whole: str, decimals: str | None) -> None:
    text = whole if decimals is None else f"{whole}.{decimals}"
    assert parse_percentage(decimal_to_percentage(text)) == parse_ratio(text)
    for exponent in range(-9, 9):
        assert (
            parse_percentage(decimal_to_percentage(f"{text}e{exponent}"))
            == Fraction(Decimal(text)) * Fraction(10) ** exponent
        )
