"""Designs as they are named on the command line, and the options that say how they are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import SPECS
from tests.conftest import ROOT, Command


def params(cli: Command, *arguments: str, input: str | None = None) -> int:
    result = cli("report", "--json", *arguments, input=input)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)["totals"]["params"]
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("tiny.yaml", 202),
        ("tiny.yaml@wide", 458),
        ("tiny.yaml#stem", 112),
        ("tiny.yaml#stage1", 20),
        ("tiny.yaml@wide#stage1", 72),
        ("pair.yaml#reduced", 170),
        ("zoo:resnet50", 25_557_032),
        ("zoo:resnet50@101", 44_549_160),
        ("zoo:resnet50@101#conv1", 9_408 + 128),
    ],
)
def test_designs(cli: Command, folder: Path, design: str, expected: int) -> None:
    assert params(cli, design) == expected


HEADS = """\
input: [3, 8, 8]
vars: {deep: true, c: 4}
layers:
  - {conv: [c, 3], name: trunk, when: deep}    # 3·c·9 + c
  - {conv: [2, 1], name: left}                 # 2·c + 2
  - {conv: [5, 1], name: right, from: trunk}   # 5·c + 5
outputs: [left, right]
"""


def test_the_name_of_an_output_means_one_network(cli: Command, folder: Path) -> None:
    (folder / "heads.yaml").write_text(HEADS)
    for design, expected in (("#right", 25), ("#..right", 112 + 25), ("#..left", 112 + 10), ("#..trunk", 112)):
        assert params(cli, f"heads.yaml{design}") == expected
    compared = json.loads(cli("compare", "heads.yaml", "--json").stdout)["designs"]
    assert [(one["design"], one["totals"]["params"]) for one in compared] == [
        ("heads.yaml#..left", 122), ("heads.yaml#..right", 137),
    ]  # fmt: skip
    again = json.loads(cli("compare", *(one["design"] for one in compared), "--json").stdout)["designs"]
    assert again == compared
    sweep = json.loads(cli("sweep", "heads.yaml#..right", "c=1,2", "--json").stdout)
    assert [point["params"] for point in sweep["points"]] == [28 + 10, 56 + 15]
    (row,) = json.loads(cli("batch", "heads.yaml#..right", "--json").stdout)["designs"]
    assert (row["params"], row["name"]) == (137, "heads.yaml#..right")
    checked = cli("check", "heads.yaml#..right", "--max", "params=136")
    assert (checked.exit_code, "heads.yaml#..right: 137" in checked.stdout) == (1, True)


def test_the_end_of_a_name_is_a_path(cli: Command, folder: Path) -> None:
    result = cli("report", "pair.yaml#..direkt")
    assert (result.exit_code, result.stderr) == (
        2, "pair.yaml: error CC211: no layer has the path 'direkt'; did you mean 'direct'?\n",
    )  # fmt: skip


NAMES = [
    "report tiny.yaml", "report tiny.yaml@wide#stage1", "report tiny.yaml -f markdown", "report tiny.yaml -f html",
    "report tiny.yaml -f latex", "compare tiny.yaml pair.yaml#direct", "compare tiny.yaml pair.yaml#direct --width 20",
    "compare tiny.yaml pair.yaml#direct -f markdown", "compare tiny.yaml pair.yaml#direct -f html",
    "explain tiny.yaml", "reconcile tiny.yaml", "reconcile tiny.yaml -f markdown", "batch tiny.yaml",
    "batch tiny.yaml -f markdown", "formula tiny.yaml --symbols width", "formula tiny.yaml --symbols width -f latex",
    "formula tiny.yaml --symbols width -f python",
]  # fmt: skip


@pytest.mark.parametrize("line", NAMES)
def test_a_name_is_said_once(cli: Command, folder: Path, line: str) -> None:
    def shown() -> str:
        return cli(*line.split()).stdout.partition("convcalc explain tiny.yaml")[0]

    named = shown()
    assert named.count("tiny.yaml") == 1
    only_labels = line == "explain tiny.yaml" or ("-f" in line and line.startswith("compare"))
    assert ("Tiny" in named) is not only_labels
    (folder / "tiny.yaml").write_text(SPECS["tiny.yaml"].removeprefix("name: Tiny\n"))
    assert shown().count("tiny.yaml") == 1


def test_standard_input(cli: Command, folder: Path) -> None:
    assert params(cli, "-", input=SPECS["tiny.yaml"]) == 202
    assert params(cli, "--variant", "wide", "-", input=SPECS["tiny.yaml"]) == 458
    assert params(cli, "--", "-@wide#stage1", input=SPECS["tiny.yaml"]) == 72


def test_a_file_may_have_the_marks_in_its_name(cli: Command, folder: Path) -> None:
    for name in ("a@wide", "a#stem", "zoo:resnet50"):
        (folder / name).write_text(SPECS["tiny.yaml"], encoding="utf-8")
    assert [params(cli, name) for name in ("a@wide", "a@wide@wide", "a#stem", "a#stem#stem")] == [202, 458, 202, 112]


def test_a_report_says_what_was_asked_for(cli: Command, folder: Path) -> None:
    for design in ("tiny.yaml@wide#stage1", "zoo:lenet"):
        assert json.loads(cli("report", design, "--json").stdout)["design"] == design


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--variant wide", 458),
        ("--set width=8", 458),
        ("--set width=2*4", 458),
        ("--set width=16 --set width=8", 458),
        ("--variant wide --set width=4", 202),
    ],
)
def test_variables(cli: Command, folder: Path, options: str, expected: int) -> None:
    assert params(cli, "tiny.yaml", *options.split()) == expected
    assert params(cli, *options.split(), "tiny.yaml") == expected


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("report zoo:resnet50@101 --variant 152", "--variant '152'"),
        ("compare zoo:resnet50 zoo:resnet50@101 --variant 152", "--variant '152'"),
        ("explain zoo:resnet50@101 --variant 152", "--variant '152'"),
        ("explain zoo:resnet50@101 stage1 --variant nonesuch", "--variant 'nonesuch'"),
        ("reconcile zoo:resnet50@101 --variant 152", "--variant '152'"),
        ("formula zoo:resnet50@101 --variant 152 --symbols classes", "--variant '152'"),
        ("formula zoo:vgg --symbols classes --over zoo:resnet50@101 --variant 16", "--variant '16'"),
        ("sweep zoo:resnet50@101 --variant 152 classes=1,2", "--variant '152'"),
        ("sweep zoo:resnet50@101 --variants all classes=1,2", "--variants 'all'"),
        ("sweep zoo:resnet50@101 --variants 101,152 classes=1,2", "--variants '101,152'"),
        ("solve zoo:resnet50@101 --variant 152 --for classes=1..9 --max params=1G", "--variant '152'"),
        ("batch zoo:resnet50@101 --variant 152", "--variant '152'"),
    ],
)
def test_two_variants_of_one_design_are_an_error(cli: Command, line: str, option: str) -> None:
    result = cli(*line.split())
    assert result.exit_code == 2
    name = option.partition(" ")[0]
    assert result.stderr.startswith(
        f"zoo:resnet50@101: error CC710: 'zoo:resnet50@101' names the variant '101', and {option}\n"
        f"  hint: leave out {name} or @101\n"
    )
    assert "44,549,160" not in result.stdout


def test_a_variant_that_is_named_twice(cli: Command) -> None:
    assert params(cli, "zoo:resnet50@101", "--variant", "101") == 44_549_160


@pytest.mark.parametrize("line", ["compare zoo:vgg@16 zoo:vgg@19", "batch zoo:vgg@16"])
def test_variants_of_no_design_are_an_error(cli: Command, line: str) -> None:
    result = cli(*line.split(), "--variants", "nonesuch")
    assert result.exit_code == 2
    assert "--variants is for designs that name none: leave it out, or @VARIANT" in result.stderr


@pytest.mark.parametrize("design", ["tiny.yaml", "tiny.yaml@wide"])
def test_batch_and_number_format(cli: Command, folder: Path, design: str) -> None:
    one = json.loads(cli("report", design, "--json").stdout)
    four = json.loads(cli("report", design, "--json", "--batch", "4", "--dtype", "int8").stdout)
    assert (four["batch"], four["dtype"]) == (4, "int8")
    assert four["totals"]["params"] == one["totals"]["params"]
    assert four["totals"]["macs"] == 4 * one["totals"]["macs"]


def test_libraries(cli: Command, folder: Path) -> None:
    (folder / "library").mkdir()
    (folder / "library" / "blocks.yaml").write_text("blocks: {Twice: [relu, relu]}\n")
    (folder / "nets").mkdir()
    (folder / "nets" / "net.yaml").write_text("import: {b: blocks.yaml}\ninput: [3, 4]\nlayers: [b.Twice]\n")
    assert cli("report", "nets/net.yaml").exit_code == 2
    for command in ("report", "validate"):
        assert cli(command, "nets/net.yaml", "--lib", "library").exit_code == 0


def test_options_hold_for_every_design_of_a_comparison(cli: Command, folder: Path) -> None:
    result = cli("compare", "tiny.yaml", "tiny.yaml@wide", "--set", "width=8", "--batch", "2", "--json")
    compared = json.loads(result.stdout)
    assert [design["totals"]["params"] for design in compared["designs"]] == [458, 458]
    assert [design["batch"] for design in compared["designs"]] == [2, 2]


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("design", "code", "said"),
    [
        ("tiny.yml", "CC001", "did you mean tiny.yaml?"),
        (".", "CC002", "is a folder"),
        ("tiny.yaml@wild", "CC701", "did you mean 'wide'?"),
        ("tiny.yaml#steem", "CC211", "did you mean 'stem'?"),
        ("zoo:resnet5", "CC703", "did you mean 'resnet50'?"),
        ("broken.yaml", "CC203", "did you mean 'dilation'?"),
        ("tiny.yaml@", "CC701", ""),
        ("", "CC001", ""),
    ],
)
def test_errors(cli: Command, folder: Path, design: str, code: str, said: str) -> None:
    result = cli("report", design)
    assert (result.exit_code, result.stdout) == (2, "")
    assert code in result.stderr
    assert said in result.stderr


def test_an_error_shows_its_place(cli: Command, folder: Path) -> None:
    result = cli("report", "broken.yaml")
    first, line, carets, *_ = result.stderr.splitlines()
    assert first == "broken.yaml:3:31: error CC203: conv has no attribute 'dilaton'; did you mean 'dilation'?"
    assert (line, carets) == ("      - conv: {out: 4, kernel: 3, dilaton: 2}", f"{'^^^^^^^':>41}")


def test_a_variable_that_is_not_there(cli: Command, folder: Path) -> None:
    result = cli("report", "tiny.yaml", "--set", "widht=8")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no variable 'widht' to set; did you mean 'width'?" in result.stderr


def test_an_override_that_is_no_expression(cli: Command, folder: Path) -> None:
    result = cli("report", "tiny.yaml", "--set", "width=(1")
    assert result.exit_code == 2
    assert result.stderr.startswith("--set:1:")


# --- warnings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["report warns.yaml", "compare warns.yaml tiny.yaml", "validate warns.yaml"])
def test_warnings_go_to_standard_error_once(cli: Command, folder: Path, command: str) -> None:
    result = cli(*command.split())
    assert result.exit_code == 0
    assert result.stderr.count("warning CC801: the variable 'unused' is never used") == 1
    assert "CC801" not in result.stdout
    for line in (f"-q {command}", f"{command} --quiet"):
        quiet = cli(*line.split())
        assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, result.stdout, "")


def test_the_shipped_specs_are_those_of_the_repository(cli: Command) -> None:
    for path in sorted((ROOT / "specs" / "zoo").glob("*.yaml")):
        assert params(cli, f"zoo:{path.stem}", "-q") == params(cli, str(path), "-q")
