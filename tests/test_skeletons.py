"""Specs that differ in numbers alone: counted from a skeleton they have the rows that they have when they are read."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from convcalc.batch.count import BatchRow, CountRequest, CountTask, count
from convcalc.batch.skeletons import Skeletons
from convcalc.designs.names import DesignName
from convcalc.errors import Source
from convcalc.metrics.registry import report_metrics
from tests.conftest import ROOT

EVERYTHING = CountRequest(tuple(measure.key for measure in report_metrics()), variants=())
ZOO = sorted((ROOT / "specs" / "zoo").glob("*.yaml"))


def task(text: str, name: str = "design.yaml") -> CountTask:
    return CountTask(DesignName(name, name), data=text.encode())


def rows(texts: list[str], request: CountRequest = EVERYTHING) -> list[list[BatchRow]]:
    """The rows of texts one after the other, each of which equals that of the text alone."""
    skeletons = Skeletons()
    made = []
    for place, text in enumerate(texts):
        one = task(text, f"design{place}.yaml")
        made.append(count(one, request, skeletons))
        assert made[-1] == count(one, request)
    return made


def changed(text: str, chances: random.Random, share: float) -> str:
    """The text with some of its digits replaced, here and there by what is no longer valid."""

    def other(match: re.Match[str]) -> str:
        number = int(match[0])
        drawn = chances.choice((number, number + 1, 2 * number, 3 * number + 1, 8, 0, 10**17))
        return str(drawn) if chances.random() < share else match[0]

    return re.sub("[0-9]+", other, text)


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_designs_of_the_zoo_with_other_numbers(path: Path) -> None:
    chances, text = random.Random(path.stem), path.read_text(encoding="utf-8")
    rows([text, text, *(changed(text, chances, share) for share in (0.02, 0.02, 0.1, 0.5))])


SPEC = """\
# made by search 17
convcalc: 1
name: net-{number}
note: the 3rd of 12
input: [3, 8, 8]
vars: {{width: {width}, half: 0.5}}
layers:
  - conv: [width*half, {kernel}]  # as in 1409.1556
    name: conv1
  - {{linear: {{out: {classes}, axis: -1}}}}
"""


def filled(texts: list[str]) -> int:
    """How many of texts are taken from a skeleton."""
    skeletons, found = Skeletons(), 0
    for text in texts:
        found += skeletons.fill(Source("design.yaml", text), "design.yaml") is not None
        count(task(text), EVERYTHING, skeletons)
    return found


def test_the_third_of_a_kind_is_not_read() -> None:
    texts = [SPEC.format(number=place, width=2 * place + 2, kernel=3, classes=10 + place) for place in range(6)]
    assert filled(texts) == 4
    made = rows(texts)
    assert [row.name for (row,) in made] == [f"net-{place}" for place in range(6)]
    # 3·3·3 weights of a kernel and its bias; the linear layer reads the last axis, which has 8 − 3 + 1 numbers
    channels = [place + 1 for place in range(6)]
    expected = [28 * out + (6 + 1) * (10 + place) for place, out in enumerate(channels)]
    assert [row.totals[0] for (row,) in made] == expected


@pytest.mark.parametrize(
    ("old", "new", "is_filled"),
    [
        ("search 17", "search 400", True),
        ("1409.1556", "1.2", True),
        ("half: 0.5", "half: 0.25", True),
        ("half: 0.5", "half: 1e0", False),  # other letters
        ("3rd of 12", "4th of 12", False),
        ("3rd of 12", "3rd of 13", False),
        ("name: conv1", "name: conv2", False),
        ("convcalc: 1", "convcalc: 2", False),
        ("[3, 8, 8]", "[3, 8, 1000000000000000000000]", False),  # too large a number
        ("[3, 8, 8]", "[3, 8, 0]", True),  # which is an error, with its place
    ],
)
def test_what_may_differ(old: str, new: str, is_filled: bool) -> None:
    text = SPEC.format(number=1, width=4, kernel=3, classes=10)
    other = text.replace(old, new)
    assert other != text
    assert filled([text, text, other]) == is_filled
    rows([text, text, other, text, other])


@pytest.mark.parametrize(
    "layers",
    [
        '- conv: ["4", 3]\n  - {conv: {out: "2*2 + 3", kernel: 1}}',
        "- split: {names: [0, 1, 2], axis: 0}",
        "- {conv: [4, 3], name: c1}\n  - {conv: [4, 3], from: c1, repeat: 2, name: b}",
        "- {conv: [4, 3], name: 'c{2}'}",
        "- {seq: [{conv: [4, 3]}], repeat: {w: [1, 2]}, name: 'r{w*3}'}",
        "- {conv: [4 if cin > 2 else 8, 3, 1, same]}",
        "- {conv: [4, 3], when: 3 > 2}",
        "- {add: [{conv: [4, 1]}, {conv: [4, 1]}], repeat: 1000}",
        "- {conv: [4, 1], repeat: 90000}",
    ],
)
def test_digits_anywhere(layers: str) -> None:
    text = f"input: [4, 8, 8]\nlayers:\n  {layers}\n"
    chances = random.Random(layers)
    rows([text, text, *(changed(text, chances, 0.4) for _ in range(12))])
