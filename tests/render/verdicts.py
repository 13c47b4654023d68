"""Verdicts made by hand: nothing to say, all is well, every kind of finding, errors, hostile texts, thousands."""

from __future__ import annotations

from fractions import Fraction

from convcalc.errors import Source, Span, SpecError
from convcalc.findings import CheckResult, ClaimResult, DesignResult, Finding, LayerMetricChange, LimitResult

SPEC = Source("models/edge.yaml", "name: Edge\ninput: [3, 224, 224]\nlayers:\n  - {conv: [64, 3], name: stem}\n")
BUDGET = Source("convcalc-budget.yaml", "version: 1\nbudgets:\n  - id: edge-total\n    max: {params: 5.5M}\n")
AT = Span(SPEC, 4, 5, 30)
RULE = Span(BUDGET, 4, 19, 4)

EVIL = (
    "a|b`c`<script>alert(1)</script>**x** [y](http://evil.example) @everyone #1 \x1b[31m\u202e{0} %0A::error::x,\r\n]]>"
)
"""Markup of every format, calls, links, placeholders, escapes, line ends and a workflow command."""
EVIL_FILE = "dir/" + EVIL.replace("/", "-")

BROKEN = Finding(
    id="edge-total",
    code="CC611",
    severity="error",
    design="models/edge.yaml",
    metric="params",
    text="params of models/edge.yaml: 5,612,345, above the limit of 5.5M (5,500,000) by 2.04 %",
    span=AT,
    value=5_612_345,
    limit=5_500_000,
    heaviest=(
        LayerMetricChange("head.fc", "params", "grew", 1_769_472, 2_359_296),
        LayerMetricChange("stem", "params", after=1_728),
        LayerMetricChange("old", "params", "removed", 9, 0),
    ),
    rule=RULE,
)
SHARE = Finding(
    "no-fat-layer", "CC611", "warning", "models/edge.yaml@wide", "params%", "head.fc has 41 % of params, above 40 %",
    AT, "split it", "head.fc", Fraction(41, 100), Fraction(2, 5), (), RULE,
)  # fmt: skip
LOOSE = Finding("edge-macs", "CC620", "note", "models/edge.yaml", "macs", "50 % of the limit is used", AT, rule=RULE)
WAIVED = Finding(
    "big", "CC614", "waived", "models/big.yaml", "params", "params of models/big.yaml grew from 100 to 150",
    Span(Source("models/big.yaml"), 2, 1, 1), "tracked in ARCH-12", "", 150, 101, (), RULE,
)  # fmt: skip
UNMATCHED = Finding(
    "ghost", "CC616", "error", "", "", "the budget matches no design", None, rule=Span(BUDGET, 3, 9, 10)
)
PLACELESS = Finding("max", "CC611", "error", "-", "params", "params of -: 2, above the limit of 1 by 100 %", None)
CLAIM = Finding(
    "claim:wide:params", "CC604", "error", "models/edge.yaml@wide", "params", "is 9, not 8", Span(SPEC, 5, 3)
)

UNREADABLE = SpecError("CC001", "no such file", Span(Source("models/nowhere.yaml")), hint="did you mean 'here.yaml'?")
MISPLACED = SpecError("CC203", "no argument 'dilaton' of conv", Span(SPEC, 3, 7, 7))
HOMELESS = SpecError("CC702", "the git program is missing")

EDGE, WIDE = "models/edge.yaml", "models/edge.yaml@wide"
STANDINGS = (
    LimitResult("edge-total", EDGE, "", "params", "max", 5_612_345, 5_500_000, False, Fraction(5_612_345, 5_500_000)),
    LimitResult("edge-total", EDGE, "", "macs", "max", 300_000_000, 600_000_000, True, Fraction(1, 2)),
    LimitResult(
        "no-fat-layer", WIDE, "head.fc", "params%", "max", Fraction(41, 100), Fraction(2, 5), False, Fraction(41, 40)
    ),
    LimitResult("big", "models/big.yaml", "", "params", "growth", 150, 101, False, Fraction(150, 101)),
    LimitResult("pays", EDGE, "", "params/", "max", Fraction(319, 756), Fraction(9, 20), True, Fraction(6380, 6804)),
)
JUDGEMENTS = (
    ClaimResult("claim:params", EDGE, "params", 5_612_345, "5.6M", True, False, None, "Table 1", "5.6M", "", AT),
    ClaimResult("claim:wide:params", WIDE, "params", 9, "8", False, False, None, "x", "", "", Span(SPEC, 5, 3)),
    ClaimResult("claim:out", EDGE, "out", (1000,), "1000", True, False, None, "x", "", "", Span(SPEC, 6, 3)),
)
OUTCOMES = (
    DesignResult("models/edge.yaml@wide", {"params": 9, "macs": 10}, is_new=True),
    DesignResult("models/same.yaml", {"params": 7, "macs": 8}, {"params": 7, "macs": 8}),
    DesignResult(
        "models/edge.yaml", {"params": 5_612_345, "macs": 300_000_000}, {"params": 5_000_000, "macs": 300_000_001}
    ),
)


def nothing() -> CheckResult:
    return CheckResult(0)


def fine() -> CheckResult:
    """All is well, without a baseline."""
    return CheckResult(1, JUDGEMENTS[:1], limits=STANDINGS[1:2], designs=[OUTCOMES[1]._replace(past=None)])


def every() -> CheckResult:
    """Every severity, a claim, a broken budget, errors, a baseline and notes."""
    findings = [LOOSE, WAIVED, SHARE, UNMATCHED, CLAIM, BROKEN]
    notes = ["models/edge.yaml@wide is new to the baseline: growth is not judged"]
    baseline = "1a2b3c4 (merge-base with origin/main)"
    return CheckResult(3, JUDGEMENTS, findings, [MISPLACED, UNREADABLE], STANDINGS, OUTCOMES, baseline, notes)


def unjudged() -> CheckResult:
    """Errors alone, one of them without a place."""
    return CheckResult(2, errors=[MISPLACED, HOMELESS])


def placeless() -> CheckResult:
    return CheckResult(
        1, findings=[PLACELESS], limits=[LimitResult("max", "-", "", "params", "max", 2, 1, False, Fraction(2))]
    )


def hostile() -> CheckResult:
    """Every text that a person or a file can bring in tries to be something else."""
    span = Span(Source(EVIL_FILE, EVIL), 1, 3, 5)
    heavy = (LayerMetricChange(EVIL, "params", "grew", 4, 5),)
    finding = Finding(EVIL, "CC611", "error", EVIL, "params", EVIL, span, EVIL, EVIL, 5, 4, heavy, span)
    waived = finding._replace(severity="waived", span=Span(Source("\udcff\ud800.yaml"), 1, 1))
    standing = LimitResult(EVIL, EVIL, EVIL, "params", "max", 5, 4, False, Fraction(5, 4))
    judgement = ClaimResult(EVIL, EVIL, "params", 5, EVIL, True, False, None, EVIL, EVIL, EVIL, span)
    outcome = DesignResult(EVIL, {"params": 5, "macs": 1}, {"params": 4, "macs": 0})
    error = SpecError("CC201", EVIL, Span(Source(EVIL), 1, 1), EVIL)
    return CheckResult(1, [judgement], [finding, waived], [error], [standing], [outcome], EVIL, [EVIL])


def many(number: int = 10_000) -> CheckResult:
    """More findings than any service shows; the last is the worst."""
    findings, standings, outcomes = [], [], []
    for n in range(1, number + 1):
        design, text = f"models/net{n}.yaml", f"params of models/net{n}.yaml: {1000 + n:,}, above the limit of 1k"
        place = Span(Source(design), 7, 3, 4)
        findings.append(Finding("all", "CC611", "error", design, "params", text, place, value=1000 + n, limit=1000))
        standings.append(
            LimitResult("all", design, "", "params", "max", 1000 + n, 1000, False, Fraction(1000 + n, 1000))
        )
        outcomes.append(DesignResult(design, {"params": 1000 + n, "macs": n}))
    return CheckResult(number, findings=findings, limits=standings, designs=outcomes)


VERDICTS = {
    "nothing": nothing, "fine": fine, "every": every, "unjudged": unjudged, "placeless": placeless,
    "hostile": hostile, "many": many,
}  # fmt: skip
