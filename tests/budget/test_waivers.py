"""Waivers: what they cover, until when, and what is said of those that are spent."""

from __future__ import annotations

from datetime import date

import pytest

from convcalc.budget.check.whole_check import apply_waivers
from convcalc.budget.file.types import Pattern, Waiver
from convcalc.errors import Source, Span
from convcalc.findings import Finding

SPAN = Span(Source("convcalc-budget.yaml", "waivers: []\n"), 1, 1, 7)
TODAY = date(2027, 3, 1)


def waiver(design: str = "models/a.yaml", until: date = TODAY, budget: str = "edge", reason: str = "ARCH-12") -> Waiver:
    return Waiver(budget, Pattern(design, SPAN), until, reason, SPAN)


def finding(design: str = "models/a.yaml", code: str = "CC611", budget: str = "edge") -> Finding:
    return Finding(budget, code, "error", design, "params", "too much", None)


def told(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in found]


@pytest.mark.parametrize("code", ["CC611", "CC612", "CC613", "CC614", "CC615"])
def test_the_last_day_is_included(code: str) -> None:
    (found,) = apply_waivers([waiver()], [finding(code=code)], TODAY)
    assert (found.severity, found.code, found.text) == ("waived", code, "too much")
    assert found.hint == "waived until 2027-03-01: ARCH-12"


def test_the_day_after_it_is_an_error_beside_the_finding() -> None:
    found = apply_waivers([waiver()], [finding()], date(2027, 3, 2))
    assert told(found) == [("CC611", "error"), ("CC617", "error")]
    assert found[1].text == "the waiver of edge for models/a.yaml expired on 2027-03-01, 1 day ago"
    assert (found[1].span, found[1].rule) == (SPAN, SPAN)


def test_an_expired_waiver_is_an_error_even_where_all_is_well() -> None:
    assert told(apply_waivers([waiver()], [], date(2028, 3, 1))) == [("CC617", "error")]


def test_an_unused_one_is_a_warning() -> None:
    found = apply_waivers([waiver()], [finding("models/b.yaml"), finding(budget="other")], TODAY)
    assert told(found) == [("CC611", "error"), ("CC611", "error"), ("CC618", "warning")]


@pytest.mark.parametrize("code", ["CC604", "CC616", "CC619", "CC620"])
def test_what_no_waiver_covers(code: str) -> None:
    assert told(apply_waivers([waiver()], [finding(code=code)], TODAY)) == [(code, "error"), ("CC618", "warning")]


@pytest.mark.parametrize(
    ("pattern", "design", "covered"),
    [
        ("models/*.yaml", "models/a.yaml", True),
        ("models/*.yaml", "models/a.yaml@wide", False),
        ("models/*.yaml@*", "models/a.yaml@wide", True),
        ("models/*.yaml", "models/deep/a.yaml", False),
        ("models/**/*.yaml", "models/deep/a.yaml", True),
        ("models/a.yaml#stage1", "models/a.yaml", False),
    ],
)
def test_designs_by_glob(pattern: str, design: str, covered: bool) -> None:
    found = apply_waivers([waiver(pattern)], [finding(design)], TODAY)
    assert found[0].severity == ("waived" if covered else "error")


def test_the_longest_of_two_is_told_and_both_are_used() -> None:
    (found,) = apply_waivers([waiver(), waiver("models/*.yaml", date(2027, 5, 1), reason="later")], [finding()], TODAY)
    assert found.hint == "waived until 2027-05-01: later"


def test_an_expired_one_beside_one_that_covers() -> None:
    found = apply_waivers([waiver(until=date(2026, 1, 1)), waiver()], [finding()], TODAY)
    assert told(found) == [("CC611", "waived"), ("CC617", "error")]


def test_of_designs_that_were_not_looked_at_nothing_is_said() -> None:
    both = [
        waiver("models/a.yaml", date(2026, 1, 1)),
        waiver("models/b.yaml", date(2026, 1, 1)),
        waiver("models/a.yaml"),
    ]
    found = apply_waivers(both, [], TODAY, among=["models/a.yaml"])
    assert [(one.code, one.design) for one in found] == [("CC617", "models/a.yaml")]
