"""Claims: the rule of agreement, and what of a network is counted for them."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convcalc.designs.claims import check_claims, matches_rounding
from convcalc.designs.sources import open_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors
from convcalc.findings import ClaimResult
from convcalc.spec.document.claims import FORM, parse_quantity
from convcalc.spec.yaml.nodes import ScalarNode

NET = """\
input: [3, 8, 8]
vars: {c: 4}
variants: {wide: {c: 8}}
layers:
  - {conv: {out: c, kernel: 3, padding: 1, norm: batch, bias: true}, name: stem}   # 3*c*9 + c, norm 2*c; 64*27*c
  - {conv: [6, 1], name: head}                                                     # 6*c + 6; 64*6*c
claims:
"""


def printed(text: str) -> Any:
    return parse_quantity(ScalarNode(text, Span(Source("claim"), 1, 1, len(text))))


def judged(folder: Path, *claims: str) -> list[ClaimResult]:
    file = folder / "net.yaml"
    file.write_text(NET + "".join(f"  - {claim}\n" for claim in claims), encoding="utf-8")
    spec = open_spec(str(file))
    found, errors = check_claims(spec, spec.document.claims)
    assert not errors
    return found


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3_857_973_248, "3.8G"),  # He et al. 2016: truncated
        (3_857_973_248, "3.9G"),  # rounded
        (163_328, "159Ki"),  # Szegedy et al. 2015: in steps of 1024, truncated
        (3_470_760, "3.4M"),  # Sandler et al. 2018: truncated
        (86_567_656, "86M"),  # Dosovitskiy et al. 2021: truncated
        (86_567_656, "87M"),
        (138_357_544, "138M"),
        (25_557_032, "25557032"),
        (25_557_032, "25.557032M"),
        (0, "0"),
        (1_500, "1K"),
        (1_500, "2K"),
        (2_048, "2Ki"),
    ],
)
def test_agree(value: int, text: str) -> None:
    assert matches_rounding(value, printed(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3_857_973_248, "3.7G"),
        (3_857_973_248, "3.86M"),
        (3_857_973_248, "4.0G"),
        (163_328, "159K"),
        (3_504_872, "3.4M"),
        (25_557_032, "25557031"),
        (25_557_032, "25557033"),
        (1_499, "2K"),
        (2_000, "1K"),
        (994, "1.00K"),
    ],
)
def test_disagree(value: int, text: str) -> None:
    assert not matches_rounding(value, printed(text))


@given(st.integers(0, 10**15), st.integers(0, 6), st.sampled_from(["", "K", "M", "G"]))
@example(1_005, 2, "K")
@example(2_500, 0, "K")
def test_agrees_with_decimal_arithmetic(value: int, digits: int, suffix: str) -> None:
    """The decimal module rounds and truncates; every other printed number disagrees."""
    unit = Decimal(10) ** -digits
    scaled = Decimal(value) / {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}[suffix]
    right = {scaled.quantize(unit, rounding) for rounding in (ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_DOWN)}
    for shown in {*right, scaled.quantize(unit, ROUND_CEILING), *(each + unit for each in right)}:
        assert matches_rounding(value, printed(f"{shown:f}{suffix}")) is (shown in right)


# --- what is counted --------------------------------------------------------------------------------------------------


def test_every_metric_of_the_whole_and_of_parts(tmp_path: Path) -> None:
    stem, norm, head = 3 * 4 * 9 + 4, 2 * 4, 4 * 6 + 6
    found = judged(
        tmp_path,
        f"{{params: {stem + norm + head}, macs: {64 * (27 * 4 + 4 * 6)}, flops: {128 * (27 * 4 + 4 * 6)}, source: x}}",
        f"{{activations: {64 * (4 + 6)}, depth: 2, out: [6, 8, 8], source: x}}",
        f"{{at: stem, params: {stem + norm}, out: [4, 8, 8], source: x}}",
        f"{{at: head, macs: {64 * 24}, depth: 1, source: x}}",
        f"{{variant: wide, params: {3 * 8 * 9 + 8 + 16 + 8 * 6 + 6}, source: x}}",
        "{variant: wide, at: stem.norm, params: 16, source: x}",
    )
    assert [(one.metric, one.agrees) for one in found] == [
        ("params", True), ("macs", True), ("flops", True), ("activations", True), ("depth", True), ("out", True),
        ("params", True), ("out", True), ("macs", True), ("depth", True), ("params", True), ("params", True),
    ]  # fmt: skip
    assert [one.id for one in found][-2:] == ["claim:wide:params", "claim:wide:stem.norm:params"]
    assert [one.design.rpartition("/")[2] for one in found][-3:] == [
        "net.yaml#head", "net.yaml@wide", "net.yaml@wide#stem.norm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("excluding", "params"),
    [("[norm]", 112 + 30), ("[bias]", 108 + 8 + 24), ("[norm, bias]", 108 + 24), ("bias", 140), ("[conv]", 8)],
)
def test_what_a_source_leaves_out(tmp_path: Path, excluding: str, params: int) -> None:
    (found,) = judged(tmp_path, f"{{params: {params}, excluding: {excluding}, source: x}}")
    assert found.agrees
    assert found.value == params


def test_excluded_layers_do_not_multiply_either(tmp_path: Path) -> None:
    assert all(one.agrees for one in judged(tmp_path, "{macs: 0, depth: 2, excluding: [conv], source: x}"))


def test_accuracies_are_kept_and_not_judged(tmp_path: Path) -> None:
    assert judged(tmp_path, "{top1: 76.13, top5: 92.862, source: x}") == []


def test_the_ratio_is_exact(tmp_path: Path) -> None:
    first, second = judged(tmp_path, "{params: 300, source: x}", "{params: 0, source: x}")
    assert (first.ratio, second.ratio) == (Fraction(150, 300), None)


# --- claims that are known to be loose --------------------------------------------------------------------------------

LOOSE = "expect: disagrees, reason: counts no norm, source: x"


def test_a_loose_claim_must_disagree(tmp_path: Path) -> None:
    loose, agreeing = judged(tmp_path, f"{{params: 142, {LOOSE}}}", f"{{params: 150, {LOOSE}}}")
    assert (loose.agrees, loose.as_expected) == (False, True)
    assert (agreeing.agrees, agreeing.as_expected) == (True, False)


@pytest.mark.parametrize(
    ("claim", "code", "said"),
    [
        ("{params: 1, expect: agrees, reason: x, source: x}", "CC602", "expect takes disagrees, not 'agrees'"),
        ("{params: 1, expect: disagrees, source: x}", "CC603", "also needs reason"),
        ("{params: 1, reason: x, source: x}", "CC603", "also needs expect: disagrees"),
        ("{top1: 1, expect: disagrees, reason: x, source: x}", "CC603", "what is to disagree?"),
        ("{params: 1, variant: narrow, source: x}", "CC602", "no variant 'narrow'"),
    ],
)
def test_malformed(tmp_path: Path, claim: str, code: str, said: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        judged(tmp_path, claim)
    assert [error.code for error in caught.value.errors] == [code]
    assert said in str(caught.value)


def test_printed_numbers_are_those_of_their_form() -> None:
    def is_read(text: str) -> bool:
        try:
            parse_quantity(ScalarNode(text, Span(Source("a.yaml"))))
        except SpecError:
            return False
        return True

    texts = ["".join(letters) for size in range(1, 5) for letters in product("09.,kMBe-²", repeat=size)]
    assert [text for text in texts if is_read(text) is not bool(re.fullmatch(FORM, text))] == []
