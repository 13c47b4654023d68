"""``convcalc guide``: the guides that ship with the program, as they are in a pipe, formatted on a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convcalc.guide import guides
from tests.conftest import ROOT, Command

NAMES = [
    "ci", "contributing", "formulas", "importing", "language-models", "metrics", "pictures", "profiles", "python",
    "sweeps", "zoo", "language",
]  # fmt: skip
ESCAPES = re.compile(r"\x1b\[[\d;]*m")


def test_without_a_name_all_are_listed_with_their_titles(cli: Command) -> None:
    result = cli("guide")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == NAMES
    assert "language         The spec language" in result.stdout.splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_gets_the_file(cli: Command, name: str) -> None:
    file = ROOT / "specs" / "README.md" if name == "language" else ROOT / "convcalc" / "guide" / f"{name}.md"
    result = cli("guide", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_gets_it_formatted(cli: Command, name: str) -> None:
    """Headings, tables and code without their marks, with every word that was there, in the width that is there."""
    result = cli("guide", name, "--color", "always", "--width", "80")
    lines = [ESCAPES.sub("", line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert result.stdout.count("\x1b[") > 10
    assert max(map(len, lines)) <= 80
    assert not any(line.lstrip().startswith(("```", "## ", "| ---")) for line in lines)
    title = cli("guide", name).stdout.splitlines()[0].removeprefix("# ")
    assert any(title in line for line in lines[:3])  # releases of rich before 14 frame it


def test_in_a_pipe_it_stays_markdown(cli: Command) -> None:
    assert cli("guide", "zoo").stdout.startswith("# The zoo")


def test_a_terminal_without_colour_shows_no_markup(cli: Command) -> None:
    """The tables that commands print keep their rows: a longer one is cut, and the last line says so."""
    shown = cli("guide", "zoo", "--width", "60").stdout
    assert not re.search(r"^#|^```|\x1b", shown, re.MULTILINE)
    assert "Not shown in 60 columns: ends of rows of tables" in shown
    assert "…" in shown
    assert "Not shown" not in cli("guide", "zoo", "--width", "200").stdout


@pytest.mark.parametrize(("name", "near"), [("sweep", "'sweeps'"), ("langauge", "'language'"), ("CI", "'ci'")])
def test_a_wrong_name_is_answered_with_the_nearest(cli: Command, name: str, near: str) -> None:
    result = cli("guide", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"did you mean {near}?" in result.stderr
    assert all(known in result.stderr for known in NAMES)


def test_two_names_are_one_too_many(cli: Command) -> None:
    assert cli("guide", "ci", "zoo").exit_code == 2


def test_the_language_is_the_one_beside_the_modules_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "README.md").write_text("# Installed\n")
    monkeypatch.setattr(guides, "_PACKAGE", str(tmp_path))
    assert guides.guide("language") == "# Installed\n"
