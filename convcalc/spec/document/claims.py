"""Claims: published numbers in a spec, read and validated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import lru_cache

from convcalc.errors import Span, SpecError, did_you_mean, quoted
from convcalc.quantities import MAX_DIGITS, SUFFIXES, intended_quantity
from convcalc.records import NamedTuple
from convcalc.spec.document.names import no_variant
from convcalc.spec.document.value_nodes import collect_errors
from convcalc.spec.limits import ENTRIES
from convcalc.spec.yaml.fields import is_empty, items_or_self
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode

COUNTS = ("params", "active_params", "macs", "flops", "activations", "depth")
STORED = ("top1", "top5")
NUMBERS = (*COUNTS, *STORED)
TEXTS = ("source", "quote", "url", "note", "at", "variant", "expect", "reason")
DISAGREES = "disagrees"
KEYS = (*COUNTS, "out", *STORED, *TEXTS, "excluding")
_PARTS = {**dict.fromkeys(KEYS), **dict.fromkeys(NUMBERS, NUMBERS), **dict.fromkeys(TEXTS, TEXTS)}
"""Key → what it is one of."""
PRINTED = {**SUFFIXES, "B": 10**9}
"""Suffixes of printed numbers: papers write billions with a B, where quantities count bytes."""
_LETTERS = "".join(PRINTED)
CACHE_SIZE = 64
"""Printed numbers whose values are kept: a comparison asks for each several times."""
FORM = rf"([0-9]{{1,30}})(?:\.([0-9]{{1,30}}))?(?:[eE]([-+]?[0-9]{{1,2}}))?({'|'.join(filter(None, PRINTED))})?"


class Quantity(NamedTuple):
    """A number as it is printed: ``25.6M`` is 25.6·10⁶ to one digit behind the point."""

    text: str
    span: Span

    @property
    def value(self) -> Fraction:
        """The printed number with its suffix worked out."""
        return _value_and_unit(self.text)[0]

    @property
    def unit(self) -> Fraction:
        """One unit of the last printed digit: 0.1·10⁶ for ``25.6M``."""
        return _value_and_unit(self.text)[1]


class Claim(NamedTuple):
    """A published number of a design or of a part of it."""

    span: Span
    numbers: Mapping[str, Quantity]
    """Printed numbers by metric, those that are only stored among them."""
    out: tuple[int, ...] | None
    texts: Mapping[str, str]
    """source (always there), quote, url, note, at (a path), variant, expect, reason."""
    excluding: tuple[str, ...] = ()
    """``bias``, kinds of layers, and globs of paths."""
    spans: Mapping[str, Span] = {}
    """The span of each number, text, and thing that is left out."""

    @property
    def is_expected_to_disagree(self) -> bool:
        """Whether the source's numbers are known not to agree."""
        return self.texts.get("expect") == DISAGREES


def parse_quantity(node: ScalarNode) -> Quantity:
    """Read a printed number; CC601, where it is none."""
    text = node.text.strip()
    if not _is_plain_number(text) and not re.fullmatch(FORM, text):
        near = intended_quantity(text)
        listed = f"digits, a point, an exponent, and a suffix: {', '.join(filter(None, PRINTED))}"
        hint = f"write {near}" if near and re.fullmatch(FORM, near) else listed
        raise SpecError("CC601", f"{quoted(node.text)} is not a printed number", node.span, hint=hint)
    return Quantity(text, node.span)


def _is_plain_number(text: str) -> bool:
    """Whether a text is a printed number without an exponent; to compile FORM takes longer than to read all claims."""
    number = text.rstrip(_LETTERS)
    whole, point, decimals = number.partition(".")
    digits = whole + (decimals or point)
    return (
        text.isascii() and digits.isdecimal() and whole != "" and text[len(number) :] in PRINTED
        and len(whole) <= MAX_DIGITS and len(decimals) <= MAX_DIGITS
    )  # fmt: skip


@lru_cache(CACHE_SIZE)
def _value_and_unit(text: str) -> tuple[Fraction, Fraction]:
    """Return a printed number, and one unit of its last digit."""
    match = re.fullmatch(FORM, text)
    assert match
    whole, decimals, exponent, suffix = match[1], match[2] or "", match[3] or "0", match[4] or ""
    shift = int(exponent) - len(decimals)
    unit = Fraction(PRINTED[suffix] * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    return Fraction(int(whole + decimals) * unit.numerator, unit.denominator), unit


def read_claims(node: YamlNode, variants: Collection[str], errors: list[SpecError]) -> list[Claim]:
    """Read the list of claims; errors are gathered."""
    if not isinstance(node, ListNode):
        raise SpecError("CC117", "claims is a list of mappings", node.span)
    if len(node.items) > ENTRIES:
        raise SpecError("CC507", f"{len(node.items)} claims exceed the limit of {ENTRIES}", node.span)
    read: list[Claim] = []
    for item in node.items:
        with collect_errors(errors):
            read.append(_read_claim(item, variants))
    return read


def _read_claim(node: YamlNode, variants: Collection[str]) -> Claim:
    if not isinstance(node, MapNode):
        raise SpecError("CC117", "a claim is a mapping such as {params: 25.6M, source: …}", node.span)
    for key, _ in node.pairs:
        if key.text not in _PARTS:
            raise SpecError("CC602", f"a claim has no key {quoted(key.text)}{did_you_mean(key.text, KEYS)}", key.span)
    given = {key.text: value for key, value in node.pairs if not is_empty(value)}
    numbers = {key: parse_quantity(_require_scalar(key, given[key])) for key in given if _PARTS[key] is NUMBERS}
    texts = {key: _require_scalar(key, given[key]).text for key in given if _PARTS[key] is TEXTS}
    if variant := texts.get("variant", ""):
        texts["variant"] = variant = unicodedata.normalize("NFC", variant)
        if variant not in variants:
            raise no_variant("CC602", variant, variants, given["variant"].span)
    if not texts.get("source"):
        raise SpecError("CC603", "a claim needs its source", node.span)
    if not numbers and "out" not in given:
        raise SpecError("CC603", f"a claim needs a number: one of {', '.join((*COUNTS, 'out', *STORED))}", node.span)
    if "expect" in texts or "reason" in texts:
        _require_reason(node, given, texts)
    out = _read_shape(given["out"]) if "out" in given else None
    excluded = _read_excluding(given.get("excluding"))
    places = {key: value.span for key, value in given.items()}
    return Claim(node.span, numbers, out, texts, tuple(excluded), {**excluded, **places})


def _require_reason(node: YamlNode, given: Mapping[str, YamlNode], texts: Mapping[str, str]) -> None:
    if texts.get("expect", DISAGREES) != DISAGREES:
        raise SpecError("CC602", f"expect takes {DISAGREES}, not {quoted(texts['expect'])}", given["expect"].span)
    if not (texts.get("expect") and texts.get("reason")):
        missing = "reason" if texts.get("expect") else f"expect: {DISAGREES}"
        raise SpecError("CC603", f"a claim that is expected to disagree also needs {missing}", node.span)
    if not given.keys() & {*COUNTS, "out"}:
        raise SpecError("CC603", f"what is to disagree? One of {', '.join((*COUNTS, 'out'))}", node.span)


def _require_scalar(key: str, node: YamlNode) -> ScalarNode:
    if not isinstance(node, ScalarNode):
        raise SpecError("CC601", f"{key} takes one value", node.span)
    return node


def _read_shape(node: YamlNode) -> tuple[int, ...]:
    for item in items_or_self(node) or [node]:
        if not isinstance(item, ScalarNode) or not re.fullmatch(r"[0-9]{1,18}", item.text) or int(item.text) < 1:
            raise SpecError("CC601", "out is a shape: a list of positive integers", item.span)
    return tuple(int(item.text) for item in items_or_self(node) if isinstance(item, ScalarNode))


def _read_excluding(node: YamlNode | None) -> dict[str, Span]:
    """Read what a claim leaves out, each with its place: ``bias``, kinds of layers, and globs of paths."""
    if node is None:
        return {}
    from convcalc.paths import syntax_error  # costs start-up time

    found = {}
    for item in items_or_self(node):
        text = item.text if isinstance(item, ScalarNode) else ""
        if wrong := syntax_error(text, "."):
            what = f"the glob {quoted(text)} {wrong}" if text else "excluding takes bias, kinds of layers and paths"
            raise SpecError("CC602", what, item.span)
        found[text] = item.span
    return found
