"""Every code of an error has a page, and what the page shows as wrong and right is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convcalc.budget.file.reader import read_budget_file
from convcalc.designs.claims import check_claims, claim_finding
from convcalc.designs.sources import open_spec
from convcalc.errors import Source, SpecErrors
from convcalc.guide.pages import error_codes, error_page
from convcalc.spec.yaml.nodes import parse_yaml
from tests.bad_input.cases import errors_of, plain
from tests.conftest import ROOT

PACKAGE = ROOT / "convcalc"
PAGES: dict[str, dict[str, str]] = plain(
    parse_yaml(Source("error_codes.yaml", (PACKAGE / "error_codes.yaml").read_text(encoding="utf-8")))
)
SHOWN = [code for code, page in PAGES.items() if "wrong" in page]


def codes_in_sources() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return {code for text in texts for code in re.findall(r"""["'](CC\d{3})["']""", text)}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert set(PAGES) == codes_in_sources() == set(error_codes())
    assert list(PAGES) == sorted(PAGES)


@pytest.mark.parametrize("code", PAGES)
def test_form_of_a_page(code: str) -> None:
    page = PAGES[code]
    assert list(page) in (["title", "text"], ["title", "text", "wrong", "right"])
    assert page["title"]
    assert page["title"][-1] not in ".!:"
    assert page["text"].endswith(".")
    assert [line for line in error_page(code).splitlines() if len(line) > 80] == []


def test_all_are_shown_but_those_that_no_short_spec_gives() -> None:
    files = {"CC001", "CC002", "CC003", "CC004", "CC005"}
    limits = {"CC501", "CC505", "CC506", "CC507", "CC509", "CC510"}
    judged = {f"CC{number}" for number in range(611, 624)}  # no form is wrong, but the numbers of a design
    baselines = {f"CC64{number}" for number in range(1, 8)}
    sweeps = {f"CC71{number}" for number in range(1, 10)}
    models = {code for code in PAGES if "CC760" <= code <= "CC779"} | {"CC808", "CC814", "CC815", "CC816", "CC817"}
    assert set(PAGES) - set(SHOWN) == {
        *files,
        *limits,
        *judged,
        *baselines,
        *sweeps,
        *models,
        "CC211",
        "CC411",
        "CC701",
        "CC702",
        "CC703",
        "CC704",
        "CC705",
        "CC706",
        "CC707",
        "CC708",
        "CC709",
        "CC710",
        "CC721",
        "CC731",
        "CC732",
        "CC733",
        "CC741",
        "CC742",
        "CC751",
        "CC775",
        "CC781",
        "CC782",
        "CC783",
        "CC901",
    }


@pytest.mark.parametrize("code", SHOWN)
def test_wrong_gives_the_code(parser: str, code: str, tmp_path: Path) -> None:
    assert codes_of(PAGES[code]["wrong"], tmp_path) == [code]


@pytest.mark.parametrize("code", SHOWN)
def test_right_gives_nothing(parser: str, code: str, tmp_path: Path) -> None:
    assert codes_of(PAGES[code]["right"], tmp_path) == []


def codes_of(text: str, folder: Path) -> list[str]:
    """What is wrong with a spec; with one that stands, what its claims say of it."""
    if text.startswith("version:"):
        return budget_codes_of(text, folder)
    found = [error.code for error in errors_of(text)]
    if found or "claims:" not in text:
        return found
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    spec = open_spec(str(folder / "spec.yaml"))
    judgements, errors = check_claims(spec, spec.document.claims)
    assert errors == []
    return [claim_finding(judgement).code for judgement in judgements if not judgement.as_expected]


def budget_codes_of(text: str, folder: Path) -> list[str]:
    """What is wrong with a budget file."""
    (folder / "convcalc-budget.yaml").write_text(text, encoding="utf-8")
    try:
        read_budget_file(str(folder / "convcalc-budget.yaml"))
    except SpecErrors as errors:
        return [error.code for error in errors.errors]
    return []
