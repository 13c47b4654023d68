"""The net that holds the zoo: a wrong number anywhere in a spec is caught by its claims or by its references."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from convcalc.designs.claims import check_claims
from convcalc.designs.sources import SpecFile
from convcalc.designs.zoo import ZooDesign
from convcalc.errors import Source, SpecErrors
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.load import parse_spec
from convcalc.spec.yaml.nodes import ListNode, MapNode, ScalarNode, YamlNode, parse_yaml
from tests.zoo.layerwise import SPECS, assert_equals_module, models

ZOO = sorted((SPECS / "zoo").glob("*.yaml"))
WIDTHS = {"vars", "variants", "blocks", "layers"}
PROSE = {"name", "note", "from", "when", "dropout", "softmax", "norm", "maxpool", "avgpool"}
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
NARROWEST = 8
"""What is smaller may be a kernel, a stride or a count; tests elsewhere change these."""
STEP = 8
"""What channel counts are rounded to in families that have a width: a smaller change may be no change."""


def opened(path: Path, text: str) -> SpecFile:
    source, files = Source(str(path), text), DocumentLoader()
    return SpecFile(str(path), parse_spec(source, files), files, {})


def numbers(text: str, sections: set[str], least: int) -> Iterator[tuple[int, int]]:
    """Where whole numbers stand in these sections of a spec."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    root = parse_yaml(Source("spec", text))
    assert isinstance(root, MapNode)
    for key, node in root.pairs:
        for scalar in scalars(node) if key.text in sections else ():
            at = starts[scalar.span.line - 1] + scalar.span.column - 1
            for match in NUMBER.finditer(scalar.text) if scalar.is_plain and not scalar.is_quoted else ():
                if int(match[0]) >= least:
                    yield at + match.start(), at + match.end()


def scalars(node: YamlNode) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from scalars(item)
    else:
        for key, value in node.pairs:
            if key.text not in PROSE:
                yield from scalars(value)


def changed(text: str, place: tuple[int, int], by: int) -> str:
    start, end = place
    return f"{text[:start]}{int(text[start:end]) + by}{text[end:]}"


def layers(path: Path, text: str) -> object:
    """What every design of a spec counts, or that there is none."""
    try:
        spec = opened(path, text)
        reports = [spec.expand(variant).report() for variant in spec.variants]
        return [(row.path, row.op, row.output_shape, row.values) for report in reports for row in report.rows]
    except SpecErrors:
        return None


def caught(path: Path, text: str) -> bool:
    """Whether the claims or the references of a spec see that something is wrong with it."""
    try:
        spec = opened(path, text)
        judgements, errors = check_claims(spec, spec.document.claims)
        if errors or not all(judgement.as_expected for judgement in judgements):
            return True
        for variant in spec.variants:
            for module in models().keys() & set(ZooDesign(spec, variant).modules):  # of others only totals are known
                assert_equals_module(spec.expand(variant).report(), module)
    except (SpecErrors, AssertionError):
        return True
    return False


@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
def test_a_wrong_width_is_caught(path: Path) -> None:
    """One width of every spec, another in every spec: eight channels more."""
    text = path.read_text("utf-8")
    assert not caught(path, text)
    places = list(numbers(text, WIDTHS, NARROWEST))
    random.Random(path.stem).shuffle(places)
    right = layers(path, text)
    wrong = next(
        (mutant for place in places if layers(path, mutant := changed(text, place, STEP)) != right), None
    )  # fmt: skip
    assert wrong is None or caught(path, wrong)
    assert wrong is not None or not places


@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
def test_a_wrong_claim_is_caught(path: Path) -> None:
    """Two more in the last digit: what rounds up may be one more, and agree."""
    text = path.read_text("utf-8")
    exact = [
        match.span(1)
        for match in re.finditer(r"(?:params|macs|depth): (\d+)(?=[,}])", text)
        if "expect:" not in text[text.rfind("\n", 0, match.start()) : text.find("\n", match.end())]
    ]
    assert exact
    place = random.Random(path.stem).choice(exact)
    assert caught(path, changed(text, place, 2))
