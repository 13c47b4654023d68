"""``validate``: all files are checked, and a broken one is a line in the document and an exit code of 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcalc.designs.names import BUDGET_FILE
from tests.cli.conftest import SPECS
from tests.conftest import ROOT, Command


def test_fine_specs(cli: Command, folder: Path) -> None:
    result = cli("validate", "tiny.yaml", "pair.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "tiny.yaml: valid (wide)\npair.yaml: valid\n2 specs, 0 invalid\n"


def test_the_specs_of_the_repository(cli: Command) -> None:
    result = cli("validate", ROOT / "specs", "--json", "-q")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["errors"] == []
    assert len(document["specs"]) == len(
        [path for path in (ROOT / "specs").rglob("*.yaml") if path.name != BUDGET_FILE]
    )


def test_a_folder_is_walked_in_order(cli: Command, folder: Path) -> None:
    for name in ("z.yaml", "a.yml", "sub/m.yaml", ".hidden/x.yaml", ".x.yaml", "notes.txt"):
        (folder / "specs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "specs" / name).write_text(SPECS["tiny.yaml"], encoding="utf-8")
    document = json.loads(cli("validate", "specs", "specs/z.yaml", "--json").stdout)
    assert [spec["file"] for spec in document["specs"]] == ["specs/a.yml", "specs/sub/m.yaml", "specs/z.yaml"]


def test_an_empty_folder(cli: Command, folder: Path) -> None:
    (folder / "empty").mkdir()
    result = cli("validate", "empty")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error CC705: no spec in the folder 'empty'\n")


def test_a_broken_spec_does_not_hide_the_others(cli: Command, folder: Path) -> None:
    result = cli("validate", "broken.yaml", "nowhere.yaml", "tiny.yaml")
    assert (result.exit_code, result.stderr) == (2, "")
    assert result.stdout.startswith("broken.yaml:3:31: error CC203: conv has no attribute 'dilaton'")
    assert result.stdout.endswith("tiny.yaml: valid (wide)\n3 specs, 2 invalid\n")


@pytest.mark.parametrize("design", ["tiny.yaml@wide", "tiny.yaml@nonesuch", "tiny.yaml#stem", "zoo:vgg@16", "-@wide"])
def test_a_variant_or_a_part_is_no_file(cli: Command, folder: Path, design: str) -> None:
    result = cli("validate", "pair.yaml", "--", design, input=SPECS["tiny.yaml"])
    file = design.partition("@")[0].partition("#")[0]
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "pair.yaml: valid",
        f"{design}: error CC001: no such file: validate takes files, and checks every variant and layer of each",
        f"  hint: did you mean {file}?",
        "2 specs, 1 invalid",
    ]


def test_the_file_of_a_variant_is_missing_too(cli: Command, folder: Path) -> None:
    assert "tinny.yaml@wide: error CC001: no such file\n" in cli("validate", "tinny.yaml@wide").stdout


def test_json_lists_the_errors(cli: Command, folder: Path) -> None:
    result = cli("validate", ".", "nowhere.yaml", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["schema_version"]) == (2, 1)
    assert {spec["file"]: spec["valid"] for spec in document["specs"]} == {
        "./broken.yaml": False,
        "./pair.yaml": True,
        "./tiny.yaml": True,
        "./warns.yaml": True,
        "nowhere.yaml": False,
    }
    broken, missing = document["errors"]
    assert (broken["code"], broken["file"], broken["line"], broken["column"]) == ("CC203", "./broken.yaml", 3, 31)
    assert (missing["code"], missing["file"], missing["text"]) == ("CC001", "nowhere.yaml", "no such file")


def test_a_line_for_each_error(cli: Command, folder: Path) -> None:
    result = cli("validate", ".", "-f", "concise")
    assert result.exit_code == 2
    assert result.stdout == (
        "./broken.yaml:3:31: error CC203: conv has no attribute 'dilaton'; did you mean 'dilation'?\n"
    )
    assert cli("validate", "tiny.yaml", "-f", "concise").stdout == ""


def test_every_variant_is_checked(cli: Command, folder: Path) -> None:
    text = "input: [4, 8]\nvars: {k: 3}\nvariants: {big: {k: 9}}\nlayers: [conv: [4, k]]\n"
    (folder / "variant.yaml").write_text(text)
    assert cli("report", "variant.yaml").exit_code == 0
    result = cli("validate", "variant.yaml")
    assert result.exit_code == 2
    assert "CC403" in result.stdout


def test_a_file_of_blocks_is_fine(cli: Command, folder: Path) -> None:
    (folder / "blocks.yaml").write_text("blocks: {Twice: [relu, relu]}\n")
    assert cli("validate", "blocks.yaml").exit_code == 0


def test_standard_input(cli: Command) -> None:
    assert cli("validate", "-", input=SPECS["tiny.yaml"]).exit_code == 0
    assert cli("validate", "-", input=SPECS["broken.yaml"]).exit_code == 2


@pytest.mark.parametrize("name", ["text", "concise", "json"])
def test_the_document_is_written_when_something_is_broken_too(cli: Command, folder: Path, name: str) -> None:
    printed = cli("validate", ".", "-f", name).stdout
    result = cli("validate", ".", "-f", f"{name}=out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (folder / "out").read_text(encoding="utf-8") == printed


def test_hostile_names_are_escaped(cli: Command, folder: Path) -> None:
    (folder / "\x1b[1m.yaml").write_text(SPECS["tiny.yaml"], encoding="utf-8")
    assert "./\\x1b[1m.yaml: valid" in cli("validate", ".").stdout
