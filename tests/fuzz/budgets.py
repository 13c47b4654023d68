"""Budget files made wrong: each is read and judged, or refused with errors that point into it."""

from __future__ import annotations

from datetime import date
from random import Random
from zlib import crc32

from convcalc.budget.check.checker import check
from convcalc.budget.check.file_judge import Options
from convcalc.budget.file.reader import read_budget_file
from convcalc.designs.names import BUDGET_FILE
from convcalc.errors import SpecError, SpecErrors
from convcalc.findings import CheckResult
from convcalc.guide.pages import error_codes
from convcalc.render import VERDICTS, Surface
from convcalc.spec.yaml.text import decode
from tests.bad_input.places import require_place
from tests.budget.test_document import NORMATIVE, cases
from tests.conftest import ROOT
from tests.fuzz.campaign import Target, require
from tests.fuzz.folder import folder
from tests.fuzz.mutations import Corpus
from tests.fuzz.schemas import require_json
from tests.fuzz.specs import PAGES

SOUND = """\
version: 1
budgets:
  - {id: a, designs: small.yaml, max: {params: 5M, macs: 2M}}
  - {id: b, designs: ["*.yaml"], per: layer, max: {params: 40, "params%": 40%}, severity: warning}
  - {id: c, designs: "small.yaml@wide", layers: {op: conv, name: "*"}, per: group, min: {flops: 1k}}
  - {id: d, designs: parts.yaml#left, against: parts.yaml#right, max: {"macs/": 0.5}, batch: 4, dtype: int8}
  - {id: e, designs: "**/*.yaml", device: a100-sxm-80gb, max: {least_time: 1ms, receptive_field: 7, fvcore: 3k}}
  - {id: f, designs: small.yaml, growth: {params: +1%, macs: "+2% or +5k"}, loose_below: 80%}
waivers: [{budget: a, design: small.yaml, until: 2027-03-01, reason: because}]
"""
"""Budgets of the designs that lie in the folder."""
LINES = [line.strip().removeprefix("- ") for line in SOUND.splitlines() if line.startswith("  - ")]
FRAME = "version: 1\nbudgets: [{}]\n"
WORDS = [
    "version", "budgets", "designs", "max", "min", "equals", "growth", "ratchet", "per", "layer", "group", "layers",
    "op", "name", "against", "severity", "warning", "note", "waivers", "until", "reason", "baseline", "git", "file",
    "loose_below", "unmatched", "dtype", "int8", "batch", "device", "least_time", "params%", "macs/", "5MiB", "+1%",
    "small.yaml", "parts.yaml#left", "small.yaml@wide", "!small.yaml", "**/*.yaml", "../up.yaml", "/etc/passwd",
    "headroom", "floor", "metrics", "2027-13-01", "1e400", "5%", "0.5%", "-3", "1/3", "thop", "receptive_field",
]  # fmt: skip
DAY = date(2027, 2, 1)
"""The day that waivers are judged on, so that an input is judged alike tomorrow."""
FILE = (ROOT / "specs" / BUDGET_FILE).read_text("utf-8")
BUDGETS = Corpus(
    [*(case.text for case in cases()), SOUND, NORMATIVE, FILE, *(text for text in PAGES if "budgets:" in text)],
    WORDS,
)
BUDGETS.sizes[0] += [SOUND, *(FRAME.format(line) for line in LINES)] * 15


def make(dice: Random) -> bytes:
    """Draw a budget file with mistakes."""
    return BUDGETS.mutated(dice)


def judge(data: bytes) -> None:
    """Read a budget file beside some specs, and judge them by it."""
    with folder({BUDGET_FILE: data}):
        text = _text(data)
        try:
            file = read_budget_file(BUDGET_FILE)
        except SpecErrors as errors:
            for error in errors.errors:
                other = error.span is not None and not error.span.file.endswith(BUDGET_FILE)  # a device's file
                require_place(error, error.span.source.text if error.span and other else text)
            return
        if file.baseline is not None and file.baseline.kind == "git" and crc32(data) % 8:
            return  # every one of these starts git
        require_verdict(check(file, None, Options(today=DAY)), data)


def _text(data: bytes) -> str:
    """Return what is read; where that ends with an error of the file, it is for that the text as far as it."""
    try:
        return decode(data, BUDGET_FILE).text
    except SpecError as error:
        return error.span.source.text if error.span else ""


def require_verdict(verdict: CheckResult, data: bytes) -> None:
    """Demand errors and findings with codes that have a page, in each format one of sixteen times."""
    for error in verdict.errors:
        require(error.code in error_codes(), f"every error has a page: {error.code}")
        require(error.text and str(error).isprintable(), f"every error says something: {error.code}")
    for finding in verdict.findings:
        require(finding.code in error_codes(), f"every finding has a page: {finding.code}")
    dice = crc32(data)
    if dice % 4 == 0:
        form = sorted(VERDICTS)[dice // 4 % len(list(VERDICTS))]
        text = VERDICTS[form].verdict(verdict, Surface())
        if form == "json":
            require_json("check", text)


TARGET = Target("budgets", 32, make, judge)
