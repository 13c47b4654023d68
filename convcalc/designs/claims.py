"""Comparison of claims with the counts of the program."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache

from convcalc.designs.names import ZOO, is_spec_name, zoo_paths
from convcalc.designs.sources import Network, SpecFile, open_spec
from convcalc.errors import SpecError, SpecErrors, did_you_mean, quoted
from convcalc.findings import ClaimResult, CountOrShape, Finding
from convcalc.graph.graph import Graph, Node
from convcalc.metrics.registry import core_metrics
from convcalc.number_format import format_count_or_shape
from convcalc.ops.registry import kinds
from convcalc.paths import matches
from convcalc.spec.document.claims import COUNTS, Claim, Quantity

BIAS = "bias"
PARAMS, ACTIVE_PARAMS = "params", "active_params"
DISAGREES = "CC604"
AGREES_UNEXPECTEDLY = "CC605"


def check_claims(spec: SpecFile, claims: Iterable[Claim]) -> tuple[list[ClaimResult], list[SpecError]]:
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
                networks[variant] = spec.expand(variant)
            judged += _check_claim(claim, networks[variant], spec)
        except SpecErrors as found:
            errors += found.errors
    return judged, errors


def _check_claim(claim: Claim, network: Network, spec: SpecFile) -> Iterator[ClaimResult]:
    part, variant = claim.texts.get("at"), claim.texts.get("variant")
    try:
        graph = network.graph if part is None else network.graph.subgraph(part)
    except SpecError as error:
        error.span = claim.spans["at"]
        if original := _find_original(spec, claim, claim.spans):
            error.hint = "; ".join(filter(None, (error.hint, f"the claim describes {original}: remove or change it")))
        raise SpecErrors([error]) from None
    name = network.design.text + (f"#{part}" if part is not None else "")
    for metric, value, printed, agrees, ratio in _compare(claim, graph):
        result = ClaimResult(
            id=":".join(word for word in ("claim", variant, part, metric) if word),
            design=name,
            metric=metric,
            value=value,
            published=printed,
            agrees=agrees,
            expected_to_disagree=claim.is_expected_to_disagree,
            ratio=ratio,
            source=claim.texts["source"],
            quote=claim.texts.get("quote", ""),
            reason=claim.texts.get("reason", ""),
            span=claim.spans[metric],
        )
        yield result if result.as_expected else result._replace(original=_find_original(spec, claim, [metric]))


_Comparison = tuple[str, CountOrShape, str, bool, Fraction | None]


def _compare(claim: Claim, graph: Graph) -> Iterator[_Comparison]:
    """Compare the numbers that the program counts too, the others being only kept; and the shape of the last output."""
    for metric in COUNTS:
        if metric in claim.numbers:
            printed = claim.numbers[metric]
            value = _total_without(graph, metric, claim)
            ratio = Fraction(value) / printed.value if printed.value else None
            yield metric, value, printed.text, matches_rounding(value, printed), ratio
    if claim.out is not None:
        shape = tuple(graph.nodes[list(graph.outputs.values())[-1]].shape)
        yield "out", shape, "×".join(map(str, claim.out)), shape == claim.out, None


def matches_rounding(value: int, printed: Quantity) -> bool:
    """Whether a count rounds or truncates to the printed digits.

    Both rules are needed: He et al. print 3.8·10⁹ for 3.858·10⁹, Sandler et al. 3.4M for 3.47 M.
    With q the printed number and u what one step of its last digit is worth: \\|v − q\\| ≤ u/2, or q ≤ v < q + u.
    """
    return abs(value - printed.value) <= printed.unit / 2 or printed.value <= value < printed.value + printed.unit


def _total_without(graph: Graph, metric: str, claim: Claim) -> int:
    """Return the total of a metric, without the layers that are excluded; ``bias`` excludes additive weights.

    The shift of a norm is the norm's: ``norm`` excludes it, ``bias`` does not.
    """
    measure = core_metrics()[metric]
    values, whole = measure.values(graph)
    if not claim.excluding or not measure.is_additive:
        return int(whole)
    left_out = _excluded(graph, claim)
    kept = [(node, value) for node, value in zip(graph.layers, values, strict=True) if node.path not in left_out]
    biases = 0
    if metric in (PARAMS, ACTIVE_PARAMS) and BIAS in claim.excluding:
        biases = sum(_bias_elements(node, metric) for node, _ in kept)
    return sum(int(value) for _, value in kept) - biases


def _excluded(graph: Graph, claim: Claim) -> set[str]:
    """Return the paths of the layers of kinds, or at and below the paths, that a claim excludes.

    Raises:
        SpecErrors: CC602 for what is no kind and no path of a layer.
    """
    found: set[str] = set()
    paths = graph.all_paths()
    for text in claim.excluding:
        if text == BIAS or text in kinds():
            found.update(node.path for node in graph.layers if node.op and node.op.kind == text)
            continue
        named = {path for path in paths if matches(text, path, ".")}
        if not named:
            guess = did_you_mean(text, (BIAS, *kinds(), *paths))
            wrong = f"excluding takes bias, kinds and paths of layers, and {quoted(text)} is none of them{guess}"
            raise SpecErrors([SpecError("CC602", wrong, claim.spans[text])])
        found.update(node.path for node in graph.layers if not named.isdisjoint(_with_scopes(node.path)))
    return found


def _with_scopes(path: str) -> list[str]:
    """Return a path and those of the scopes around it."""
    segments = path.split(".")
    return [".".join(segments[:end]) for end in range(1, len(segments) + 1)]


def _bias_elements(node: Node, metric: str) -> int:
    """Return the elements of what a layer adds to its sums; shared weights are their owner's."""
    assert node.op is not None
    if node.weight_owner != node.index or node.op.kind == "norm":
        return 0
    biases = sum(int(shape.elements) for name, shape in node.facts.weights.items() if BIAS in name)
    if metric == ACTIVE_PARAMS and biases:  # experts are alike: as many parts of their biases are idle as of the rest
        idle, params = int(node.op.idle_params(*node.input_shapes)), int(node.facts.params)
        return biases - biases * idle // params
    return biases


def claim_finding(judgement: ClaimResult) -> Finding:
    """Return the finding for a claim whose outcome differs from its `expect`."""
    text = f"{judgement.metric} of {judgement.design} is {format_count_or_shape(judgement.value)}, "
    source = judgement.source + (f": {judgement.quote}" if judgement.quote else "")
    if judgement.expected_to_disagree:
        code, hint = AGREES_UNEXPECTEDLY, "leave out `expect: disagrees` and its reason"
        text += f"which agrees with {judgement.published}, though it is not to"
    else:
        code, hint = DISAGREES, f"the source is {source}"
        ratio = f" ({float(judgement.ratio):.4g} of it)" if judgement.ratio is not None else ""
        text += f"not {judgement.published}{ratio}"
    if judgement.original:
        text += f"; the claim describes the original network, {judgement.original}"
        hint = f"this spec differs from {judgement.original}, and the claim is about the network of {source}; "
        hint += "remove `claims`, or change them"
    elif os.path.realpath(judgement.span.file) in _bundled_paths().values():
        hint += "; if this bundled spec was edited, its claims still describe the original: remove or change them"
    return Finding(judgement.id, code, "error", judgement.design, judgement.metric, text, judgement.span, hint)


# --- copies of bundled specs ------------------------------------------------------------------------------------------


def _find_original(spec: SpecFile, claim: Claim, metrics: Iterable[str]) -> str:
    """Return the bundled spec that claims one of the same numbers where this spec, or what it imports, is another.

    Bundled specs keep what they claim, so that a number which does not hold here is one of the network there.
    """
    file, numbers = os.path.basename(spec.path), _claimed_numbers(claim, metrics)
    for name, path in sorted(_bundled_paths().items(), key=lambda item: os.path.basename(item[1]) != file):
        if claim.texts["source"] in _bundled_text(path):
            texts, claimed = _bundled_claims(path)
            if texts != _texts(spec) and not claimed.isdisjoint(numbers):
                return name
    return ""


@cache
def _bundled_paths() -> dict[str, str]:
    """Return the real path of every bundled spec by the name by which people know it."""
    paths = {f"{ZOO}{name}": path for name, path in zoo_paths().items()}
    for path in list(paths.values())[:1]:
        folder = os.path.join(os.path.dirname(os.path.dirname(path)), "tutorials")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        paths |= {f"specs/tutorials/{name}": os.path.join(folder, name) for name in names if is_spec_name(name)}
    return {name: os.path.realpath(path) for name, path in paths.items()}


@cache
def _bundled_text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


@cache
def _bundled_claims(path: str) -> tuple[list[str], frozenset[object]]:
    """Return the texts of a bundled spec and its imports, and all numbers that it claims."""
    try:
        spec = open_spec(path)
    except SpecErrors:  # edited where it lies
        return [], frozenset()
    numbers = (_claimed_numbers(claim, claim.spans) for claim in spec.document.claims)
    return _texts(spec), frozenset().union(*numbers)


def _texts(spec: SpecFile) -> list[str]:
    return [text for _, _, text in spec.texts]


def _claimed_numbers(claim: Claim, metrics: Iterable[str]) -> set[object]:
    """Return some numbers of a claim, each with all that says what it is of."""
    meaning = *map(claim.texts.get, ("source", "variant", "at", "expect")), claim.excluding
    printed = {key: number.text for key, number in claim.numbers.items()} | {"out": str(claim.out)}
    return {(metric, printed[metric], meaning) for metric in metrics if metric in printed}
