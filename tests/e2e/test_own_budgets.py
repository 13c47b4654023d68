"""``specs/convcalc-budget.yaml``: the founding ratios hold, and each of its limits would be missed."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from tests.conftest import ROOT, Command

BUDGETS = ROOT / "specs" / "convcalc-budget.yaml"
RATIOS = {
    ("tutorials/googlenet_3a.yaml#reduced", "params/"): Fraction(163_328, 387_072),
    ("tutorials/googlenet_3a.yaml@unprojected#reduced", "params/"): Fraction(157_184, 387_072),
    ("tutorials/resnet_bottleneck.yaml#bottleneck", "params/"): Fraction(69_632, 1_179_648),
    ("tutorials/reduction_5x5.yaml#reduced", "macs/"): Fraction(37_800_000, 330_000_000),
    ("tutorials/reduction_5x5.yaml#reduced", "nonlinearities/"): Fraction(2, 1),
    ("tutorials/small_kernels.yaml#two_3x3", "params/"): Fraction(2 * 9, 25),
    ("tutorials/small_kernels.yaml#three_3x3", "params/"): Fraction(3 * 9, 49),
    ("tutorials/asymmetric.yaml#split", "params/"): Fraction(6, 9),
    ("tutorials/depthwise.yaml#separable", "macs/"): Fraction(1, 128) + Fraction(1, 9),
    ("zoo/googlenet.yaml@paper", "params/"): Fraction(6_998_552, 60_965_224),
}
"""By hand, from the arithmetic of the sources."""


def exact(number: Any) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(number["numerator"], number["denominator"])


@pytest.fixture
def standings(cli: Command) -> list[dict[str, Any]]:
    result = cli("check", "--budget", BUDGETS, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(result.stdout)["standings"]
    return found


def test_the_founding_ratios(standings: list[dict[str, Any]]) -> None:
    values = {(one["design"], one["metric"]): exact(one["value"]) for one in standings}
    assert {key: values[key] for key in RATIOS} == RATIOS


def test_every_limit_is_close(standings: list[dict[str, Any]]) -> None:
    """A limit that nothing comes near guards nothing: of each budget and metric, some design uses nine tenths."""
    used: dict[tuple[str, str, str], Fraction] = {}
    for one in standings:
        key = one["id"], one["metric"], one["rule"]
        used[key] = max(used.get(key, Fraction(0)), exact(one["used"]))
    assert {key for key, share in used.items() if share < Fraction(9, 10)} == {
        ("no-layer-holds-half", "params%", "max")
    }
