"""Explanation of a layer, or of a group of layers: plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.errors import Span
from convcalc.metrics.memory import Peak
from convcalc.metrics.metric import Metric
from convcalc.records import NamedTuple


class DerivationStep(NamedTuple):
    """One line of a derivation: ``weight``, ``64·3·7·7``, 9408."""

    name: str
    factors: str
    value: int


class ExplainedMetric(NamedTuple):
    """A number and how it comes about."""

    column: Metric
    value: Any
    """An integer; if it is not additive also a ratio, or a tuple with a number, a word or nothing per input axis."""
    steps: tuple[DerivationStep, ...] = ()
    """They add up to the value; of a value per axis each gives that of an axis, or one that of all."""


class InputTensor(NamedTuple):
    """A tensor that the layer reads."""

    path: str
    shape: tuple[int, ...]
    source: Span | None
    """The place of the layer that made it."""


class Explanation(NamedTuple):
    """Everything about one layer, or about a group of them."""

    design: str
    path: str
    """Nothing for the whole design."""
    summary: str
    inputs: tuple[InputTensor, ...]
    output: tuple[int, ...]
    metrics: tuple[ExplainedMetric, ...]
    layers: int = 1
    kind: str = ""
    """The op's word; nothing for a group."""
    description: str = ""
    """What the op does, in a sentence."""
    formula: str = ""
    """How it counts, with symbols."""
    sizes: tuple[DerivationStep, ...] = ()
    """How each spatial size of the output comes about."""
    heaviest: tuple[tuple[str, int, int], ...] = ()
    """Of a group: path, params and multiplies of its heaviest layers."""
    counted: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()
    source: Span | None = None
    tied_to: str = ""
    fused: tuple[str, ...] = ()
    """Paths of the norm and the activation that the same line of the spec adds."""
    warnings: tuple[str, ...] = ()
    given_inputs: Mapping[str, tuple[int, ...] | None] = {}
    """The shapes that ``--input`` gave."""
    unknown: Mapping[str, frozenset[str]] = {}
    """The layers that could not be counted, each with the keys of the metrics in which it is not known."""
    peak: Peak | None = None
    """Of a group: the step at which most is in memory, and what."""
