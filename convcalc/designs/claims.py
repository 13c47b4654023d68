"""Comparison of claims with the counts of the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from convcalc.designs.sources import Network, Spec
from convcalc.errors import SpecError, SpecErrors
from convcalc.findings import ClaimResult, Finding, Value
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.registry import core_metrics
from convcalc.number_format import format_count_or_shape
from convcalc.spec.document.claims import COUNTS, Claim, Quantity

BIAS = "bias"
DISAGREES = "CC604"
AGREES_UNEXPECTEDLY = "CC605"


def check_claims(spec: Spec, claims: Iterable[Claim]) -> tuple[list[ClaimResult], list[SpecError]]:
    """Judge claims of a spec; every variant that they name is expanded once.

    Returns:
        What was judged, and why the rest could not be.
    """
    networks: dict[str | None, Network] = {}
    judged: list[ClaimResult] = []
    errors: list[SpecError] = []
    for claim in claims:
        try:
            variant = claim.texts.get("variant")
            if variant not in networks:
                networks[variant] = spec.network(variant)
            judged += _check_claim(claim, networks[variant])
        except SpecErrors as found:
            errors += found.errors
    return judged, errors


def _check_claim(claim: Claim, network: Network) -> Iterator[ClaimResult]:
    part = claim.texts.get("at")
    try:
        graph = network.graph if part is None else network.graph.part(part)
    except SpecError as error:
        error.span = claim.spans["at"]
        raise SpecErrors([error]) from None
    variant = claim.texts.get("variant")
    name = network.design.text + (f"#{part}" if part is not None else "")
    for metric, value, printed, agrees, ratio in (*_compare_counts(claim, graph), *_compare_shape(claim, graph)):
        yield ClaimResult(
            id=":".join(word for word in ("claim", variant, part, metric) if word),
            design=name,
            metric=metric,
            value=value,
            printed=printed,
            agrees=agrees,
            expected_to_disagree=claim.is_expected_to_disagree,
            ratio=ratio,
            source=claim.texts["source"],
            quote=claim.texts.get("quote", ""),
            reason=claim.texts.get("reason", ""),
            span=claim.spans[metric],
        )


_Comparison = tuple[str, Value, str, bool, Fraction | None]


def _compare_counts(claim: Claim, graph: Graph) -> Iterator[_Comparison]:
    """Compare the numbers that the program counts too; the others are only kept."""
    for metric in COUNTS:
        if metric in claim.numbers:
            printed = claim.numbers[metric]
            value = total_without(graph, metric, claim.excluding)
            ratio = Fraction(value) / printed.value if printed.value else None
            yield metric, value, printed.text, matches_rounding(value, printed), ratio


def _compare_shape(claim: Claim, graph: Graph) -> Iterator[_Comparison]:
    """Compare the shape of the output, which is the last one where there are several."""
    if claim.out is not None:
        value = tuple(graph.nodes[list(graph.outputs.values())[-1]].shape)
        yield "out", value, "×".join(map(str, claim.out)), value == claim.out, None


def matches_rounding(value: int, printed: Quantity) -> bool:
    """Whether a count rounds or truncates to the printed digits.

    Both rules are needed: He et al. print 3.8·10⁹ for 3.858·10⁹, Sandler et al. 3.4M for 3.47 M.
    With q the printed number and u what one step of its last digit is worth: \\|v − q\\| ≤ u/2, or q ≤ v < q + u.
    """
    return abs(value - printed.value) <= printed.unit / 2 or printed.value <= value < printed.value + printed.unit


def total_without(graph: Graph, metric: str, excluding: Iterable[str] = ()) -> int:
    """Return the total of a metric, without the layers of the excluded kinds; ``bias`` excludes additive weights.

    The shift of a norm is the norm's: ``norm`` excludes it, ``bias`` does not.
    """
    measure = core_metrics()[metric]
    values, whole = measure.values(graph)
    if not excluding or not measure.additive:
        return int(whole)
    kept = [(node, value) for node, value in zip(graph.layers, values, strict=True) if _kind(node) not in excluding]
    biases = sum(map(_bias_elements, (node for node, _ in kept))) if metric == "params" and BIAS in excluding else 0
    return sum(int(value) for _, value in kept) - biases


def _kind(node: Node) -> str:
    assert node.op is not None
    return node.op.kind


def _bias_elements(node: Node) -> int:
    """Return the elements of what a layer adds to its sums; shared weights are their owner's."""
    if node.owner != node.index or _kind(node) == "norm":
        return 0
    weights: Mapping[str, object] = node.facts.weights
    return sum(int(node.facts.weights[name].elements) for name in weights if BIAS in name)


def finding(judgement: ClaimResult) -> Finding:
    """Return the finding for a claim whose outcome differs from its `expect`."""
    value, design = format_count_or_shape(judgement.value), judgement.design
    if judgement.expected_to_disagree:
        text = f"{judgement.metric} of {design} is {value}, which agrees with {judgement.printed}, though it is not to"
        return _finding(judgement, AGREES_UNEXPECTEDLY, text, "leave out `expect: disagrees` and its reason")
    ratio = f" ({float(judgement.ratio):.4g} of it)" if judgement.ratio is not None else ""
    text = f"{judgement.metric} of {design} is {value}, not {judgement.printed}{ratio}"
    quote = f": {judgement.quote}" if judgement.quote else ""
    return _finding(judgement, DISAGREES, text, f"the source is {judgement.source}{quote}")


def _finding(judgement: ClaimResult, code: str, text: str, hint: str) -> Finding:
    return Finding(judgement.id, code, "error", judgement.design, judgement.metric, text, judgement.span, hint)
