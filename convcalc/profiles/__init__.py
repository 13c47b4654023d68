"""Profiles: other tools' counts of the same graph, and the named terms by which each differs from ours.

A tool is a file in this folder that defines a ``Profile`` for each number that the tool prints. The folder is walked,
so a new file needs no line anywhere else. A profile gives for one layer the named terms by which the tool's count
differs from the ``base`` (the layer's multiplies, as ``report`` counts them): base and terms add up, exactly, to what
the tool prints. The rules follow the sources of the tools, in the versions that the profiles name, in evaluation mode.
Where a count depends on how a model's source is written (a module, a function, an operator), ``via`` decides.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain

from convcalc.arith import Number, require
from convcalc.arith import total as summed
from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph
from convcalc.metrics.metric import Metric
from convcalc.ops.kinds.attention import ACROSS_HEADS
from convcalc.ops.make import make
from convcalc.profiles._language_model import LanguageModel as LanguageModel
from convcalc.profiles._layer_sizes import LayerSizes as LayerSizes
from convcalc.profiles._layer_sizes import Term as Term
from convcalc.records import NamedTuple

TERMS = {
    "macs": "multiplies, as report counts them",
    "activations": "outputs of the layers that multiply",
    "additions": "the addition of each multiply–accumulate",
    "backward pass": "gradients of inputs and of weights: twice the forward pass",
    "bias": "adding the biases",
    "batch norm": "elements that are normalized",
    "layer norm": "elements that are normalized",
    "group norm": "elements that are normalized",
    "instance norm": "elements that are normalized",
    "rms norm": "elements that are normalized",
    "lrn norm": "elements that are normalized",
    "activation functions": "elements of activations",
    "pooling": "what pools read or give",
    "softmax": "exponentials, sums and quotients",
    "elementwise": "sums and products of whole tensors",
    "reductions": "elements that sums, means and maximums over axes read",
    "upsampling": "elements that are interpolated",
    "recurrent gates": "gates and states of recurrent layers",
    "embedding": "tables that are looked up",
    "doubled modules": "modules that count once more as the functions they call",
    "output positions": "transposed convolutions, counted at output positions",
    "repeated groups": "transposed convolutions, divided by their groups twice",
    "halved padding": "positions lost because a padding word is halved",
    "padding arithmetic": "sizes that the tool adds to the count",
    "missed layers": "multiplies that the tool does not see",
    "router": "the scores by which experts are chosen",
    "attention products": "the two products of attention",
    "causal half": "half of attention's two products",
    "masked pairs": "attention's products of queries with keys that a causal mask hides",
    "window": "pairs that a window hides, and that the tool counts",
    "diagonal": "half a pair for each token: N²/2 pairs, not N·(N + 1)/2",
    "output layer": "the head, for more or fewer tokens, or passes, than it runs",
    "block norms": "two norms a block",
    "norms": "weights of norms, as if they multiplied every token",
    "biases": "biases, as if they multiplied every token",
    "tables": "tables of tokens and positions, as if they multiplied every token",
    "idle experts": "weights of experts that do not run, as if they multiplied every token",
    "other weights": "weights that multiply nothing, as if they multiplied every token",
    "shared weights": "multiplies by weights that are counted elsewhere",
    "reused weights": "weights that multiply more often, or more rarely, than once a token",
}
"""What the terms are, in the order in which they are shown; a profile may have others, which come behind."""


KNOWN_PRODUCTS = ("conv", "dwconv", "deconv", "linear", "matmul", "attention", "lstm", "gru", "rnn", "custom")
"""Kinds with multiplies for which every profile has a rule; of others a profile has none unless it names them."""

OTHER_TOOLS = "`convcalc reconcile` shows what the other tools print"


class Profile(NamedTuple):
    """One tool's way of counting."""

    key: str
    tool: str
    """The tool and the version whose source was read."""
    unit: str
    counts: str
    """What it counts, in a sentence."""
    source: str
    order: int
    terms: Callable[[LayerSizes], Iterable[Term]]
    """The terms by which the count of one layer differs from the base; a name may come several times."""
    base: str = "macs"
    is_per_sample: bool = False
    """Whether the tool divides by the batch."""
    demands: Callable[[LanguageModel], None] | None = None
    """What the tool's formula needs of a whole network: it raises CC742 where there is no number."""
    of_tokens: bool = False
    """Whether it is for networks that look tokens up: a reconciliation of others leaves it out."""
    more_kinds: tuple[str, ...] = ()
    """Kinds with multiplies, beyond those that every profile knows, for which it has a rule."""


class ProfileResult(NamedTuple):
    """A tool's count of a graph: the terms add up to the total. Terms that are 0 are left out.

    Where the tool has no number, ``total`` is ``None`` and ``error`` has the layer and the reason.
    """

    profile: Profile
    total: Number | None
    terms: Mapping[str, Number]
    error: str = ""


class Reconciliation(NamedTuple):
    """The counts of all tools for one design."""

    design: str
    name: str
    batch: int
    macs: Number
    results: tuple[ProfileResult, ...]
    elements: Mapping[str, Number]
    """Term → input elements of its layers, which the term is a multiple of."""
    given_inputs: Mapping[str, tuple[int, ...] | None] = {}
    """The shapes that ``--input`` gave."""


@cache
def profile_keys() -> tuple[str, ...]:
    """Return the keys of all profiles, in the order in which they are shown."""
    return tuple(profile.key for profile in profiles())


@cache
def profiles() -> tuple[Profile, ...]:
    """Return all profiles, in the order in which they are shown."""
    files = sorted(name[:-3] for name in os.listdir(__path__[0]) if name.endswith(".py") and not name.startswith("_"))
    defined = (value for name in files for value in vars(importlib.import_module(f"{__name__}.{name}")).values())
    return tuple(sorted((one for one in defined if isinstance(one, Profile)), key=lambda profile: profile.order))


def find_profile(name: str) -> Profile:
    """Return a profile by its key.

    Raises:
        SpecError: CC741, for an unknown name.
    """
    for profile in profiles():
        if profile.key == name:
            return profile
    text = f"no profile {quoted(name)}{did_you_mean(name, profile_keys())}"
    raise SpecError("CC741", text, hint=f"profiles are {', '.join(profile_keys())}")


def profile_metric(profile: Profile) -> Metric:
    """Return a tool's count as a metric, which budgets can limit: ``max: {fvcore: 4.2G}``."""
    return Metric(
        profile.key, profile.tool, profile.unit, profile.counts, profile.order,
        per_batch=lambda graph, batch, _: layer_counts(graph, profile, batch=batch),
    )  # fmt: skip


def total(graph: Graph, name: str, *, batch: int = 1) -> Number:
    """Return a tool's count of a graph, in the tool's unit.

    Raises:
        SpecError: CC741, for an unknown name; CC742, where the tool has no number for a layer.
    """
    return summed(layer_counts(graph, find_profile(name), batch=batch))


def layer_counts(graph: Graph, profile: Profile, *, batch: int = 1) -> list[Number]:
    """Return the tool's count of every layer of ``graph.layers``.

    Raises:
        SpecError: CC742, where the tool has no number for one of them.
    """
    return [summed(amount for _, amount in terms) for terms in _graph_terms(LanguageModel(graph), profile, batch)]


def profile_result(
    graph: Graph, profile: Profile, *, batch: int = 1, model: LanguageModel | None = None
) -> ProfileResult:
    """Return a tool's total and its terms, or the reason why there are none."""
    terms = dict[str, Number]()
    try:
        for name, amount in chain.from_iterable(_graph_terms(model or LanguageModel(graph), profile, batch)):
            terms[name] = terms.get(name, 0) + amount
    except SpecError as error:
        return ProfileResult(profile, None, {}, error.text)
    order = [*(name for name in TERMS if name in terms), *(name for name in terms if name not in TERMS)]
    # arrays and symbols are not compared with 0
    kept = {name: terms[name] for name in order if not isinstance(terms[name], int) or terms[name] != 0}
    return ProfileResult(profile, summed(terms.values()), kept)


def reconcile(graph: Graph, design: str, name: str, *, batch: int = 1) -> Reconciliation:
    """Return the counts of all tools for a design, whose own name may be another than the user's.

    Tools for language models are left out where no tokens are looked up.
    """
    model = LanguageModel(graph)
    shown = [profile for profile in profiles() if model.tables or not profile.of_tokens]
    results = tuple(profile_result(graph, profile, batch=batch, model=model) for profile in shown)
    sizes = [LayerSizes(node, batch) for node in graph.layers]
    elements: dict[str, Number] = {}
    for part in chain.from_iterable(map(_with_inner_norms, sizes)):
        if term := part.term:
            elements[term] = elements.get(term, 0) + part.input_elements
    macs = summed(layer.macs for layer in sizes)
    return Reconciliation(design, name, batch, macs, results, elements)


def _graph_terms(model: LanguageModel, profile: Profile, batch: int) -> Iterator[list[Term]]:
    """Give the terms of every layer, or raise an error where the tool has none, for a layer or for the network."""
    if profile.demands is not None:
        try:
            profile.demands(model)
        except SpecError as error:
            raise SpecError("CC742", f"{profile.key}: no number: {error.text}", hint=OTHER_TOOLS) from error
    for node in model.graph.layers:
        yield _layer_terms(LayerSizes(node, 1 if profile.is_per_sample else batch, model), profile)


def _layer_terms(layer: LayerSizes, profile: Profile) -> list[Term]:
    """Return the terms of one layer, or raise an error at the layer's place where the tool has none."""
    base = profile.base, layer.macs if profile.base == "macs" else layer.outputs
    known = layer.kind in KNOWN_PRODUCTS or layer.kind in profile.more_kinds or not layer.node.facts.products
    try:
        require(known, "CC742", "no rule for {} is known", layer.kind)
        return [base, *(term for part in _with_inner_norms(layer) for term in profile.terms(part))]
    except SpecError as error:
        text = f"{profile.key}: no number for {quoted(layer.node.path)}: {error.text}"
        raise SpecError("CC742", text, layer.node.source, error.hint or OTHER_TOOLS) from error


def _with_inner_norms(layer: LayerSizes) -> Iterator[LayerSizes]:
    """Give a layer, and of an attention the norms of its projected queries and keys as layers of their own.

    A profile counts these by its rules for norms.
    """
    yield layer
    type_, across, _ = str(layer.argument("qk_norm") or "none").partition(ACROSS_HEADS)
    if type_ == "none":
        return
    sources, via = (layer.node.input_shapes * 2)[:2], layer.via if layer.via in ("function", "subclass") else "module"
    sizes = layer.op.attributes(*layer.node.input_shapes)
    for source, heads in zip(sources, (sizes["heads"], sizes["kv_heads"]), strict=True):
        builder, width = GraphBuilder(), sizes["head_dim"]
        projected = builder.input("x", (*source[:-1], *((heads * width,) if across else (heads, width))))
        norm = builder.append("norm", make("norm", type=type_, axis=-1), (projected,), via=via)
        yield LayerSizes(builder.nodes[norm], layer.batch)
