"""Specs made wrong: each is a network whose numbers are sound, or is refused with errors that point into it."""

from __future__ import annotations

import re
from random import Random
from zlib import crc32

import convcalc
from convcalc.errors import SpecError, SpecErrors
from convcalc.render import FORMATS, Surface
from convcalc.report.fold import TableOptions
from convcalc.report.report import Report
from convcalc.spec.yaml.text import decode
from tests.bad_input.places import require_place, require_places
from tests.bad_input.strategies import CORPUS, VOCABULARY
from tests.conftest import ROOT
from tests.fuzz.campaign import Target, require
from tests.fuzz.mutations import Corpus, in_bytes, word
from tests.fuzz.schemas import require_json
from tests.ops.examples import EXAMPLES

BLOCKS = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTS = [ROOT / "README.md", ROOT / "specs" / "README.md", *sorted((ROOT / "convcalc" / "guide").glob("*.md"))]
PAGES = [text for document in DOCUMENTS for text in BLOCKS.findall(document.read_text("utf-8"))]
LAYERS = [example.text for example in EXAMPLES]
"""A network of one layer for every example of an op."""
SPECS = Corpus([*CORPUS, *(text for text in PAGES if "layers:" in text), *LAYERS * 20], VOCABULARY)
FORMS = ("text", "csv", "markdown", "html", "latex", "json")


def make(dice: Random) -> bytes:
    """Draw a spec with mistakes; once in twenty a jumble of words, once in a hundred bytes."""
    kind = dice.random()
    if kind < 0.01:
        return in_bytes(dice.randbytes(dice.randint(0, 60)), dice)
    if kind < 0.06:
        return "".join(word(SPECS, dice) for _ in range(dice.randint(1, 20))).encode("utf-8", "surrogatepass")
    return SPECS.mutated(dice)


def judge(data: bytes) -> None:
    """Read a spec from its bytes and count it."""
    try:
        source = decode(data, "fuzzed.yaml")
    except SpecError as error:
        require(error.code in {"CC003", "CC004", "CC005"}, f"a file that cannot be read has its code: {error.code}")
        return
    try:
        network = convcalc.load(text=source.text, name=source.name)
    except SpecErrors as errors:
        require_places(errors, source.text)
        return
    for warning in network.graph.warnings:
        require_place(warning, source.text)
    report = network.report()
    require_sums(report)
    write(report, crc32(data))


def require_sums(report: Report) -> None:
    """Demand counts that are integers from 0, and columns that add up to their totals."""
    for column in report.columns:
        total = report.totals[column.key]
        require(type(total) is int and total >= 0, f"a total is a whole number: {column.key} {total}")
        if column.is_additive:
            layers = sum(row.values[column.key] for row in report.rows)
            require(layers == total, f"layers sum to totals: {column.key} {layers} {total}")


def write(report: Report, dice: int) -> None:
    """Write one of sixteen reports in one of the formats."""
    if dice % 16 == 0 and len(report.rows) <= 1000:
        form = FORMS[dice // 16 % len(FORMS)]
        text = FORMATS[form].report(report, TableOptions(), Surface())
        require("\x1b" not in text, "no text steers a terminal: an escape in a report")
        if form == "json":
            require_json("report", text)


TARGET = Target("specs", 160, make, judge)
