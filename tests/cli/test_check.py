"""``check``: every claim is judged, what does not hold is a finding, what cannot be judged an error."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convcalc import schemas
from tests.conftest import Command
from tests.test_claims import LOOSE, NET

NOTE = "note: no convcalc-budget.yaml here or in a parent folder: only claims are checked\n"


def written(folder: Path, *claims: str) -> None:
    (folder / "net.yaml").write_text(NET + "".join(f"  - {claim}\n" for claim in claims), encoding="utf-8")


def test_a_claim_that_holds(cli: Command, folder: Path) -> None:
    written(folder, "{params: 150, source: x}")
    result = cli("check", "net.yaml")
    assert (result.exit_code, result.stdout) == (0, "1 spec, 1 claimed number: 1 matches\n")


def test_a_claim_that_does_not(cli: Command, folder: Path) -> None:
    written(folder, "{params: 151, source: Table 1, quote: 151 weights}", "{params: 150, source: x}")
    result = cli("check", "net.yaml")
    assert (result.exit_code, result.stderr) == (1, NOTE)
    assert result.stdout.splitlines() == [
        "net.yaml:8:14: error CC604: params of net.yaml is 150, not 151 (0.9934 of it)",
        "      - {params: 151, source: Table 1, quote: 151 weights}",
        "                 ^^^",
        "  hint: the source is Table 1: 151 weights",
        "  id: claim:params",
        "1 spec, 2 claimed numbers: 1 matches, 1 does not hold",
    ]


def test_a_loose_claim_is_shown_with_its_reason(cli: Command, folder: Path) -> None:
    written(folder, f"{{params: 142, {LOOSE}}}")
    result = cli("check", "net.yaml")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Rounded or outdated in their sources:",
        "  net.yaml  params  150  142  × 1.056  x: counts no norm",
        "1 spec, 1 claimed number: 0 match, 1 known to disagree",
    ]


def test_a_loose_claim_that_agrees(cli: Command, folder: Path) -> None:
    written(folder, f"{{params: 150, {LOOSE}}}")
    result = cli("check", "net.yaml", "-f", "concise")
    assert result.exit_code == 1
    assert result.stdout == (
        "net.yaml:8:14: error CC605 [claim:params] "
        "params of net.yaml is 150, which agrees with 150, though it is not to\n"
    )


def test_concise_says_nothing_when_all_is_well(cli: Command, folder: Path) -> None:
    written(folder, "{params: 150, source: x}")
    result = cli("check", "net.yaml", "-f", "concise")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", NOTE)
    assert cli("check", "net.yaml", "-f", "concise", "-q").stderr == ""


def test_verbose_lists_what_agrees(cli: Command, folder: Path) -> None:
    written(folder, '{params: 150, source: Table 1, quote: "150"}')
    result = cli("check", "net.yaml", "-v")
    assert result.stdout.splitlines()[:2] == ["Matching claims:", "  net.yaml  params  150  150    Table 1: 150"]


def test_a_design_is_judged_by_its_own_claims(cli: Command, folder: Path) -> None:
    written(
        folder, "{params: 1, source: x}", "{variant: wide, params: 2, source: x}",
        "{variant: wide, at: stem.norm, params: 3, source: x}", "{variant: wide, at: head, params: 4, source: x}",
    )  # fmt: skip
    for design, found in {"net.yaml": "1234", "net.yaml@wide": "234", "net.yaml@wide#stem": "3"}.items():
        lines = cli("check", design, "-f", "concise").stdout.splitlines()
        assert sorted(line.partition("not ")[2][0] for line in lines) == list(found)


def test_an_unknown_path_cannot_be_judged(cli: Command, folder: Path) -> None:
    written(folder, "{at: stemm, params: 1, source: x}", "{params: 1, source: x}")
    result = cli("check", "net.yaml", "-f", "concise")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[0].startswith("net.yaml:8:10: error CC211 no layer has the path 'stemm'; did you")
    assert "CC604" in result.stdout


def test_a_broken_spec_beats_a_claim_that_does_not_hold(cli: Command, folder: Path) -> None:
    written(folder, "{params: 1, source: x}")
    result = cli("check", "net.yaml", "broken.yaml", "nowhere.yaml", "-f", "concise")
    assert result.exit_code == 2
    codes = [line.split()[2] for line in result.stdout.splitlines()]
    assert sorted(codes) == ["CC001", "CC203", "CC604"]


@pytest.mark.parametrize("claims", [[], ["{params: 1, source: x}", f"{{macs: 2, out: [1], {LOOSE}}}"]])
def test_json_is_what_its_schema_says(cli: Command, folder: Path, claims: list[str]) -> None:
    if claims:
        written(folder, *claims)
    result = cli("check", "net.yaml" if claims else "tiny.yaml", "nowhere.yaml", "--json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(schemas.schema("check")))
    assert [one["agrees"] for one in document["claims"]] == ([False] * 3 if claims else [])
    assert [one["code"] for one in document["errors"]] == ["CC001"]


def test_nothing_to_check_is_a_mistake(cli: Command, folder: Path) -> None:
    result = cli("check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no convcalc-budget.yaml here or in a parent folder; name the designs to check" in result.stderr


def test_a_folder(cli: Command, folder: Path) -> None:
    for name in ("broken.yaml", "warns.yaml"):
        (folder / name).unlink()
    written(folder, "{params: 150, source: x}")
    result = cli("check", ".")
    assert result.stdout.endswith("3 specs, 1 claimed number: 1 matches\n")
    assert result.exit_code == 0


def test_a_library_of_blocks_has_nothing_to_judge(cli: Command, folder: Path) -> None:
    (folder / "library.yaml").write_text("blocks: {A: [relu]}\n", encoding="utf-8")
    result = cli("check", "library.yaml")
    assert (result.exit_code, result.stdout) == (0, "1 spec, no claims\n")
