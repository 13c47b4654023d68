"""The parts of a verdict as JSON has them: plain mappings, with the keys of ``schemas/check.schema.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.errors import SpecError
from convcalc.render.report.facts import location_facts, ratio_facts

if TYPE_CHECKING:
    from convcalc.findings import CheckResult, ClaimResult, DesignResult, Finding


def verdict_facts(verdict: CheckResult) -> dict[str, object]:
    """Return findings, errors, every claim with its judgement, every limit with its use, and what designs were."""
    return {
        "files": verdict.files,
        "findings": map(finding_facts, verdict.findings),
        "errors": map(error_facts, verdict.errors),
        "claims": map(claim_facts, verdict.claims),
        "standings": (standing._asdict() for standing in verdict.limits),
        "outcomes": map(design_facts, verdict.designs),
        "baseline": verdict.baseline,
        "notes": iter(verdict.notes),
    }


def design_facts(met: DesignResult) -> dict[str, object]:
    """Return what a design counts, what it did, and which layers changed."""
    changes = [
        {"path": one.path, "change": one.change, "metric": one.metric, "before": one.before, "after": one.after,
         "was": one.old_path}
        for one in met.changes
    ]  # fmt: skip
    return {**met._asdict(), "changes": changes}


def finding_facts(found: Finding) -> dict[str, object]:
    """Return a finding with its places and the layers that weigh most."""
    facts = found._asdict()
    places = {"source": location_facts(facts.pop("span")), "rule": location_facts(facts.pop("rule"))}
    heaviest = [
        {"path": one.path, "value": one.after, "change": one.change, "before": one.before}
        for one in facts.pop("heaviest")
    ]
    return {**facts, "excess": found.excess, "heaviest": heaviest, **places}


def error_facts(fault: SpecError) -> dict[str, object]:
    """Return why something could not be judged."""
    return {"code": fault.code, "text": fault.text, "hint": fault.hint, "source": location_facts(fault.span)}


def claim_facts(judged: ClaimResult) -> dict[str, object]:
    """Return one number of one claim."""
    return {
        "id": judged.id,
        "design": judged.design,
        "metric": judged.metric,
        "value": judged.value,
        "printed": judged.published,
        "agrees": judged.agrees,
        "expected": not judged.expected_to_disagree,
        "holds": judged.as_expected,
        "ratio": None if judged.ratio is None else ratio_facts(judged.ratio),
        "printed_in": judged.source,
        "quote": judged.quote,
        "reason": judged.reason,
        "source": location_facts(judged.span),
    }
