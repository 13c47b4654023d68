"""One budget on one design: limits and growth, against numbers that were worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.budget.baseline.file import DesignCounts
from convcalc.budget.check.file_verdict import Verdict
from convcalc.budget.check.finding_text import BudgetOnDesign, format_value
from convcalc.budget.check.limits import evaluate
from convcalc.budget.file.types import Budget, GrowthLimit, LayerFilter, Limit, LimitedMetric, Pattern
from convcalc.budget.select.match_designs import PartFinder
from convcalc.designs.sources import open_source
from convcalc.errors import Source, Span
from convcalc.report.measurements import Measurements

NET = """\
input: [3, 8, 8]
layers:
  - {conv: {out: 4, kernel: 3, padding: 1, bias: true}, name: stem}
  - repeat: 2
    name: stage
    seq: [{conv: {out: 4, kernel: 1, bias: true}, name: conv}, relu]
  - {conv: {out: 6, kernel: 1, bias: true}, name: head}
"""
# params: stem 3·4·9 + 4 = 112, each stage 4·4 + 4 = 20, head 4·6 + 6 = 30; together 182
# macs: 64 positions · (108 + 16 + 16 + 24) = 10,496
RULE = Span(Source("convcalc-budget.yaml", "rule\n"), 1, 1, 4)


def measured(text: str = NET, name: str = "net.yaml") -> Measurements:
    source = Source(name, text)
    return Measurements(name, open_source(source).graph, source)


def metric(text: str) -> LimitedMetric:
    return LimitedMetric(text[:-1], text[-1]) if text[-1] in "%/" else LimitedMetric(text, "")


def limit(name: str, value: int | str, text: str = "") -> Limit:
    return Limit(metric(name), Fraction(value), text or str(value), RULE)


def layers(*names: str, op: tuple[str, ...] = ()) -> LayerFilter:
    globs = [Pattern(name.removeprefix("!"), RULE, name.startswith("!")) for name in names]
    return LayerFilter(tuple(globs), op, RULE)


def budget(**rules: Any) -> Budget:
    return Budget("edge", RULE, (), **rules)


def judged(
    against: Measurements | None = None, past: DesignCounts | None = None, accepted: Any = None, **rules: Any
) -> Verdict:
    return evaluate(BudgetOnDesign(budget(**rules), measured(), PartFinder(), against, past, accepted or {}))


def texts(found: Verdict) -> list[str]:
    return [finding.text for finding in found.findings]


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "value", "code"),
    [
        ("max", 182, ""), ("max", 181, "CC611"), ("max", "363/2", "CC611"), ("max", "365/2", ""),
        ("min", 182, ""), ("min", 183, "CC612"), ("min", "365/2", "CC612"),
        ("equals", 182, ""), ("equals", 181, "CC613"), ("equals", 183, "CC613"),
    ],
)  # fmt: skip
def test_a_limit_is_inclusive_and_exact(rule: str, value: int | str, code: str) -> None:
    rules: Any = {rule: (limit("params", value),)}
    found = judged(**rules)
    assert [finding.code for finding in found.findings] == [code] * bool(code)
    (standing,) = found.limits
    assert (standing.rule, standing.value, standing.limit, standing.holds) == (rule, 182, Fraction(value), not code)
    assert standing.used == 182 / Fraction(value)


def test_a_finding_says_all_there_is() -> None:
    found = judged(max=(limit("params", 150, "0.15k"),))
    (finding,) = found.findings
    assert finding.text == "params of net.yaml: 182, above the limit of 0.15k (150) by 21.33 %"
    assert (finding.value, finding.limit, finding.excess) == (182, 150, 32)
    assert [(layer.path, layer.after) for layer in finding.heaviest] == [
        ("stem", 112), ("head", 30), ("stage1.conv", 20),
    ]  # fmt: skip
    assert str(finding.span) == "net.yaml:3:6"
    assert (finding.id, finding.severity, finding.design, finding.rule) == ("edge", "error", "net.yaml", RULE)


def test_no_limit_at_all_has_no_share() -> None:
    found = judged(max=(limit("params", 0),))
    assert texts(found) == ["params of net.yaml: 182, above the limit of 0 by 182"]
    assert found.limits[0].used is None


def test_what_is_no_sum() -> None:
    found = judged(max=(limit("depth", 3),))
    assert texts(found) == ["depth of net.yaml: 4, above the limit of 3 by 33.33 %"]
    assert (found.findings[0].heaviest, str(found.findings[0].span)) == ((), "net.yaml:7:6")


# --- layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "total"),
    [
        (layers("stage*.**"), 40), (layers("stem", "head"), 142), (layers("**", "!stage*.**"), 142),
        (layers("!stem"), 70), (layers(op=("conv",)), 182), (layers("stage1.*", op=("conv",)), 20),
        (layers("*"), 142), (layers(op=("act",)), 0),
    ],
)  # fmt: skip
def test_the_sum_of_chosen_layers(chosen: LayerFilter, total: int) -> None:
    (standing,) = judged(layers=chosen, max=(limit("params", 1000),)).limits
    assert standing.value == total


def test_layers_that_are_not_there_have_no_limit() -> None:
    assert judged(layers=layers("stage*"), max=(limit("params", 0),)) == Verdict()


def test_each_layer() -> None:
    found = judged(layers=layers("**"), per="layer", max=(limit("params", 29),))
    assert texts(found) == [
        "params of stem in net.yaml: 112, above the limit of 29 by 286.21 %",
        "params of head in net.yaml: 30, above the limit of 29 by 3.45 %",
    ]
    assert [str(finding.span) for finding in found.findings] == ["net.yaml:3:6", "net.yaml:7:6"]
    assert [(standing.path, standing.holds) for standing in found.limits] == [("stem", False), ("head", False)]


def test_the_tightest_layer_stands_for_those_that_keep_their_limit() -> None:
    (standing,) = judged(per="layer", max=(limit("params", 112),)).limits
    assert (standing.path, standing.value, standing.holds, standing.used) == ("stem", 112, True, 1)
    (standing,) = judged(layers=layers(op=("conv",)), per="layer", min=(limit("params", 20),)).limits
    assert (standing.path, standing.value) == ("stage1.conv", 20)


def test_each_group_with_all_below_it() -> None:
    found = judged(layers=layers("stage*"), per="group", max=(limit("params", 19), limit("nonlinearities", 0)))
    assert [(one.path, one.metric, one.value) for one in found.limits] == [
        ("stage1", "params", 20), ("stage2", "params", 20),
        ("stage1", "nonlinearities", 1), ("stage2", "nonlinearities", 1),
    ]  # fmt: skip
    assert found.findings[0].heaviest[0].path == "stage1.conv"


def test_weights_that_a_group_shares_with_another_count_in_both() -> None:
    """As a design of its own (FILE#two) it needs them: 4·4 weights. In the sum of all layers they count once."""
    net = measured("input: [4, 8, 8]\nlayers:\n" + "".join(
        f"  - {{name: {name}, seq: [{{conv: {{out: 4, kernel: 1, bias: false}}, name: conv{tie}}}]}}\n"
        for name, tie in (("one", ""), ("two", ", tie: one.conv"))
    ))  # fmt: skip
    case = BudgetOnDesign(budget(layers=layers("*"), per="group", min=(limit("params", 17),)), net, PartFinder())
    assert [(standing.path, standing.value) for standing in evaluate(case).limits] == [("one", 16), ("two", 16)]
    assert net.total("params") == 16


# --- shares and ratios ------------------------------------------------------------------------------------------------


def test_a_share_of_the_total() -> None:
    found = judged(layers=layers("**"), per="layer", max=(limit("params%", "3/5", "60%"),))
    assert texts(found) == [
        ("the share of params of stem in net.yaml: 61.54 % (112 of 182), above the limit of 60% by 1.54 points")
    ]
    assert (found.findings[0].value, found.findings[0].limit) == (Fraction(112, 182), Fraction(3, 5))
    assert not judged(layers=layers("stem"), max=(limit("params%", "112/182", "x"),)).findings


def test_a_ratio_to_another_design() -> None:
    other = measured(NET.replace("out: 6", "out: 2"), "other.yaml")  # 4·2 + 2 = 10 in the head: 162 together
    found = judged(other, max=(limit("params/", "1.1", "1.1"),))
    assert texts(found) == [
        "the ratio of params of net.yaml to other.yaml: 1.12 (182 to 162), above the limit of 1.1 by 2.13 %"
    ]
    found = judged(other, layers=layers("head"), per="layer", max=(limit("params/", 3), limit("params/", 2)))
    assert [(one.value, one.holds) for one in found.limits] == [(3, True), (3, False)]


def test_a_ratio_to_nothing_cannot_be_judged() -> None:
    found = judged(measured("input: [3, 8, 8]\nlayers: [relu]\n", "none.yaml"), max=(limit("params/", 1),))
    assert [(error.code, error.span) for error in found.errors] == [("CC621", RULE)]
    assert not found.findings


def test_values_that_would_read_alike_do_not() -> None:
    """Noughts at the end make no difference: 40.010 % reads like 40.01 %."""
    value, bound = Fraction(4001, 10_000), Fraction(4001, 10_000) - Fraction(1, 10**9)
    assert format_value(metric("params%"), value, bound) == "40.01 %"
    assert format_value(metric("params%"), bound, value) == "40.0099999 %"
    assert format_value(metric("params/"), Fraction(1, 2) + Fraction(1, 10**6), Fraction(1, 2)) == "0.500001"


@given(st.fractions(0, 2), st.fractions(0, 2))
def test_unlike_numbers_never_read_alike(one: Fraction, other: Fraction) -> None:
    for form in ("params%", "params/"):
        if one != other:
            texts = format_value(metric(form), one, other), format_value(metric(form), other, one)
            assert len({("<" in text, Fraction(text.removesuffix(" %").replace("<", ""))) for text in texts}) == 2


# --- growth -----------------------------------------------------------------------------------------------------------


def past(**params: int) -> DesignCounts:
    """A baseline of these params, a layer each; ``_`` stands for a point."""
    found = {path.replace("_", "."): {"params": value} for path, value in params.items()}
    return DesignCounts({"params": sum(params.values()), "depth": 3}, found)


def grows(share: str | None = None, amount: int | None = None, key: str = "params") -> tuple[GrowthLimit, ...]:
    zero = Fraction(0)
    return (GrowthLimit("growth", metric(key), Fraction(share or 0), Fraction(amount or 0), zero, "the rule", RULE),)


WAS = past(stem=112, stage1_conv=20, stage2_conv=20, head=28)  # 180 in all: it grew by 2, which is 1/90


@pytest.mark.parametrize(
    ("share", "amount", "most"),
    [
        ("1/90", None, 182), ("1/91", None, 181), (None, 2, 182), (None, 1, 181), ("1/1000", 2, 182),
        ("1/90", 1, 182), ("0", None, 180), ("1/100", 1, 181),
    ],
)  # fmt: skip
def test_the_larger_allowance_counts_inclusive(share: str | None, amount: int | None, most: int) -> None:
    found = judged(past=WAS, growth=grows(share, amount))
    assert [(one.rule, one.value, one.limit, one.holds) for one in found.limits] == [("growth", 182, most, most == 182)]
    assert [finding.code for finding in found.findings] == ["CC614"] * (most < 182)


def test_a_finding_names_what_grew() -> None:
    (finding,) = judged(past=past(stage1_conv=20, stage2_conv=12, head=29), growth=grows("0")).findings
    assert finding.text == "params of net.yaml grew 198.36 % (61 → 182); limit the rule = 61"
    assert [(layer.path, layer.after, layer.change, layer.before) for layer in finding.heaviest] == [
        ("stem", 112, "new", None), ("stage2.conv", 20, "grew", 12), ("head", 30, "grew", 29),
    ]  # fmt: skip
    assert str(finding.span) == "net.yaml:3:6"
    assert "convcalc baseline accept edge" in finding.hint


def test_without_a_baseline_nothing_grew() -> None:
    assert judged(growth=grows("0")) == Verdict()


def test_what_shrank_has_not_grown() -> None:
    assert not judged(past=past(stem=1000), growth=grows("0")).findings


def test_growth_of_each_layer_by_path() -> None:
    found = judged(past=past(stem=111, head=30), growth=grows("0"), per="layer")
    assert [(one.path, one.holds) for one in found.limits] == [("stem", False)]  # the stages are new: not judged
    found = judged(past=past(stage1_conv=19, stage1_gone=5), growth=grows("0"), per="group", layers=layers("stage*"))
    assert [(one.path, one.value, one.limit) for one in found.limits] == [("stage1", 20, 24)]


def test_growth_of_chosen_layers_is_against_what_the_globs_name_there() -> None:
    found = judged(past=past(stage1_conv=10, stage3_conv=29, stem=500), growth=grows("0"), layers=layers("stage*.**"))
    assert [(one.value, one.limit) for one in found.limits] == [(40, 39)]
    found = judged(
        past=past(stage1_conv=10, stage3_conv=29), growth=grows("0"), layers=layers("stage*.**", op=("conv",))
    )
    assert [(one.value, one.limit) for one in found.limits] == [(40, 10)]


def test_growth_of_what_is_no_sum() -> None:
    (finding,) = judged(past=WAS, growth=grows("0", key="depth")).findings
    assert (finding.value, finding.limit, finding.heaviest) == (4, 3, ())


@pytest.mark.parametrize(
    ("headroom", "floor", "most"), [("0", 0, 180), ("1/90", 0, 182), ("0", 182, 182), ("0", 181, 181), ("2", 5, 540)]
)
def test_a_ratchet(headroom: str, floor: int, most: int) -> None:
    rule = GrowthLimit("ratchet", metric("params"), Fraction(headroom), Fraction(0), Fraction(floor), "x", RULE)
    found = judged(past=WAS, growth=(rule,))
    assert [(one.rule, one.limit) for one in found.limits] == [("ratchet", most)]
    assert [finding.code for finding in found.findings] == ["CC615"] * (most < 182)


def test_an_accepted_value_raises_growth_and_nothing_else() -> None:
    rules: Any = {"growth": grows("0"), "max": (limit("params", 181),)}
    found = judged(past=WAS, accepted={"params": 182}, **rules)
    assert [finding.code for finding in found.findings] == ["CC611"]
    found = judged(past=WAS, accepted={"params": 181, "macs": 999}, **rules)
    assert [finding.code for finding in found.findings] == ["CC611", "CC614"]
    assert "limit accepted = 181" in found.findings[1].text
    assert not judged(past=WAS, accepted={"params": 5}, growth=grows("1/90")).findings


@given(st.integers(0, 10**12), st.fractions(0, 2), st.integers(0, 10**6), st.integers(0, 10**13))
def test_the_limit_of_growth_is_exact(before: int, share: Fraction, amount: int, value: int) -> None:
    allowance = GrowthLimit("growth", metric("params"), share, Fraction(amount), Fraction(0), "", RULE)
    exactly = max(before * (1 + share), Fraction(before + amount))
    assert (value <= allowance.limit(before)) is (value <= exactly)
