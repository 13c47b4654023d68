"""``match``: totals and differences in every format, exit codes, and what a person gets wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from convcalc.schemas import schema
from tests.conftest import Command

NET = """\
input: [3, 32, 32]
layers:
  - {conv: {out: 8, kernel: 3, stride: %d, norm: batch, act: relu}, name: stem}
  - {conv: [16, 3], name: body}
  - [avgpool: global, flatten, linear: 10]
"""


@pytest.fixture
def pair(folder: Path) -> Path:
    (folder / "one.yaml").write_text(NET % 2)
    (folder / "two.yaml").write_text(NET % 1)
    return folder


def document(cli: Command, *line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli("match", *line, "-f", "json").stdout)
    jsonschema.Draft7Validator(json.loads(schema("match"))).validate(found)
    return found


def test_equal_designs(cli: Command, pair: Path) -> None:
    result = cli("match", "one.yaml", "one.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "5 layers against 5: 5 equal\n" in result.stdout
    assert document(cli, "one.yaml", "one.yaml")["equal"] is True
    assert cli("match", "one.yaml", "one.yaml", "-f", "github").stdout == ""


def test_the_text(cli: Command, pair: Path) -> None:
    result = cli("match", "one.yaml", "two.yaml")
    assert (result.exit_code, result.stderr) == (1, "")
    params = 8 * 27 + 16 + 16 * 72 + 16 + 170
    one, two = (cells * 8 * 27 + (side - 2) ** 2 * 16 * 72 + 160 for cells, side in ((15 * 15, 15), (30 * 30, 30)))
    assert (
        result.stdout
        == f"""\
one.yaml  two.yaml
5 layers against 5: 1 equal, 1 differs, 3 differ in size alone
params {params:,} = {params:,}    multiplies {one:,} ≠ {two:,}

  stem  (one.yaml:3:6)   conv 3×3, 3 → 8, stride 2   216 params
  stem  (two.yaml:3:6)   conv 3×3, 3 → 8, stride 1   216 params   ← stride
    3 layers behind it differ in size alone, because of it
"""
    )


def test_the_json(cli: Command, pair: Path) -> None:
    found = document(cli, "one.yaml", "two.yaml")
    (difference,) = found["differences"]
    assert (found["equal"], found["equal_layers"], found["layers_in_size_alone"]) == (False, 1, 3)
    assert (difference["kind"], difference["names"], difference["consequences"]) == ("changed", ["stride"], 3)
    assert [difference[side][0]["settings"]["stride"] for side in ("first", "second")] == [[2, 2], [1, 1]]
    assert difference["source"] == {"file": "one.yaml", "line": 3, "column": 6}


def test_an_annotation_is_at_the_line_of_the_spec(cli: Command, pair: Path) -> None:
    result = cli("match", "one.yaml", "two.yaml", "-f", "github")
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("::error file=one.yaml,line=3,col=6,endColumn=9,title=convcalc match::stride: conv 3×3")


def test_github_shows_ten_of_a_kind(cli: Command, folder: Path) -> None:
    for name, kernel in (("one", 1), ("two", 3)):
        layers = "\n".join(f"  - conv: {{out: {8 + number}, kernel: {kernel}, padding: half}}" for number in range(20))
        (folder / f"{name}.yaml").write_text(f"input: [3, 8, 8]\nlayers:\n{layers}\n")
    lines = cli("match", "one.yaml", "two.yaml", "-f", "github").stdout.splitlines()
    assert len(lines) == 10
    assert "11 more errors" in lines[-1]
    shown = cli("match", "one.yaml", "two.yaml").stdout
    assert shown.count("← kernel") == 10
    assert "10 more differences: -f json lists all." in shown
    assert len(document(cli, "one.yaml", "two.yaml")["differences"]) == 20


def test_what_the_second_has_more_is_at_the_line_before(cli: Command, folder: Path) -> None:
    (folder / "one.yaml").write_text("input: [3, 8, 8]\nlayers:\n  - conv: [8, 3]\n  - conv: [4, 3]\n")
    (folder / "two.yaml").write_text(
        "input: [3, 8, 8]\nlayers:\n  - conv: [8, 3]\n  - conv: [8, 1]\n  - conv: [4, 3]\n"
    )
    (line,) = cli("match", "one.yaml", "two.yaml", "-f", "github").stdout.splitlines()
    assert line.startswith("::error file=one.yaml,line=3,")
    assert "1 layer that one.yaml does not have: conv2 (conv 1×1, 8 → 8, 72 params)" in line


def test_options(cli: Command, pair: Path) -> None:
    assert cli("match", "one.yaml", "one.yaml", "--input", "3,40,40").exit_code == 0
    assert cli("match", "one.yaml", "two.yaml", "--ignore", "norm,act").exit_code == 1
    (pair / "two.yaml").write_text((NET % 2).replace("stem", "first"))
    assert cli("match", "one.yaml", "two.yaml").exit_code == 0
    result = cli("match", "one.yaml", "two.yaml", "--names")
    assert (result.exit_code, "stem ≠ first" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("one.yaml", "Missing argument 'SOURCE'"),
        ("one.yaml none.yaml", "none.yaml: error CC001"),
        ("one.yaml two.yaml --ignore conv", "'conv' is not norm or act"),
        ("one.yaml two.yaml --set width=2", "CC"),
        ("one.yaml@wide two.yaml", "CC701"),
        ("one.yaml opaque.yaml", "CC623"),
        ("opaque.yaml opaque.yaml", "CC623"),
        ("one.yaml broken.yaml", "broken.yaml:2:10: error CC20"),
    ],
)
def test_what_cannot_be_compared(cli: Command, pair: Path, line: str, said: str) -> None:
    (pair / "opaque.yaml").write_text("input: [3, 8, 8]\nlayers:\n  - opaque: {out: [4, 4, 4]}\n")
    (pair / "broken.yaml").write_text("input: [3, 8, 8]\nlayers: [cnov: 3]\n")
    result = cli("match", *line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_hostile_names_are_escaped(cli: Command, folder: Path) -> None:
    (folder / "a\x1b[31m.yaml").write_text(NET % 2)
    for format_ in ("text", "github", "json"):
        result = cli("match", "a\x1b[31m.yaml", "a\x1b[31m.yaml", "--input", "3,9,9", "-f", format_)
        assert (result.exit_code, "\x1b" in result.stdout) == (0, False)


@pytest.mark.parametrize(
    ("other", "code", "compared"),
    [
        ("attention: {heads: 1, bias: false, mask: causal, window: 6}", 0, True),
        ("attention: {heads: 1, bias: false}", 1, True),
        ("sdpa: {branches: [linear: 8, linear: 8, linear: 8, {param: [6, 6]}]}, linear: 8", 0, False),
    ],
)
def test_masks_that_are_not_known_are_named(cli: Command, folder: Path, other: str, code: int, compared: bool) -> None:
    """A spec without a mask has none, but for one that it reads as a tensor."""
    head = "defaults: {linear: {bias: false}}\ninput: [6, 8]\nlayers: [%s]\n"
    (folder / "causal.yaml").write_text(head % "attention: {heads: 1, bias: false, mask: causal}")
    (folder / "other.yaml").write_text(head % other)
    result = cli("match", "causal.yaml", "other.yaml", "--ignore", "norm")
    found = document(cli, "causal.yaml", "other.yaml")
    assert found["masks_compared"] is compared
    assert ("Masks of attention are not compared: other.yaml" in " ".join(result.stdout.split())) is not compared
    if compared:
        assert result.exit_code == code
        assert [each["names"] for each in found["differences"]] == [["mask"]] * code
