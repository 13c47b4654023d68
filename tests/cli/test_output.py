"""Where results go: formats, files that are written whole or not at all, colour and width."""

from __future__ import annotations

import errno
import json
import os
import shlex
import stat
import tempfile
from pathlib import Path

import pytest

from convcalc.cli.group import GeneralOptions
from convcalc.cli.output import targets as _output
from convcalc.render import FORMATS
from tests.cli.conftest import files
from tests.conftest import Command

ESCAPE = "\x1b["


def written(path: Path) -> str:
    """The text of a file, line ends as they are."""
    return path.read_bytes().decode()


def test_text_is_the_default(cli: Command, folder: Path) -> None:
    assert cli("report", "tiny.yaml").stdout == cli("report", "tiny.yaml", "-f", "text").stdout


@pytest.mark.parametrize("command", ["report tiny.yaml", "compare pair.yaml"])
@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format(cli: Command, folder: Path, command: str, name: str) -> None:
    result = cli(*command.split(), "-f", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("\n")
    cli(*command.split(), "-f", f"{name}=out")
    assert written(folder / "out") == result.stdout


def test_json_is_short_for_a_format(cli: Command, folder: Path) -> None:
    text = cli("report", "tiny.yaml", "-f", "json").stdout
    assert json.loads(text)["totals"]["params"] == 202
    for options in (["--json"], ["-f", "json=-"], ["-f", "json", "-o", "-"], ["--json", "-f", "json"]):
        assert cli("report", "tiny.yaml", *options).stdout == text


def test_one_run_feeds_several_places(cli: Command, folder: Path) -> None:
    result = cli("report", "tiny.yaml", "-f", "json=a.json", "-f", "text", "-f", "csv=b")
    assert result.stdout == cli("report", "tiny.yaml").stdout
    assert written(folder / "a.json") == cli("report", "tiny.yaml", "--json").stdout
    assert written(folder / "b") == cli("report", "tiny.yaml", "-f", "csv").stdout
    assert files(folder) == {"a.json", "b"}


def test_two_formats_on_standard_output_follow_each_other(cli: Command, folder: Path) -> None:
    csv, text = (cli("report", "tiny.yaml", "-f", name).stdout for name in ("csv", "text"))
    assert cli("report", "tiny.yaml", "-f", "csv", "-f", "text").stdout == csv + text


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        *((ending, name) for ending, name in _output.EXTENSIONS.items() if name in FORMATS),
        *[("", "text"), (".log", "text"), (".JSON", "json")],
    ],
)
def test_the_ending_tells_the_format(cli: Command, folder: Path, ending: str, name: str) -> None:
    result = cli("report", "tiny.yaml", "-o", f"out{ending}")
    assert (result.exit_code, result.stdout) == (0, "")
    assert written(folder / f"out{ending}") == cli("report", "tiny.yaml", "-f", name).stdout


def test_a_format_that_is_named_goes_before_the_ending(cli: Command, folder: Path) -> None:
    cli("report", "tiny.yaml", "-f", "csv", "-o", "out.json")
    assert written(folder / "out.json") == cli("report", "tiny.yaml", "-f", "csv").stdout


def test_o_takes_the_format_that_has_no_file_yet(cli: Command, folder: Path) -> None:
    result = cli("report", "tiny.yaml", "-f", "json=a.json", "-f", "csv", "-o", "b.csv")
    assert (result.exit_code, result.stdout, files(folder)) == (0, "", {"a.json", "b.csv"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-f json -f csv -o x", "-o names one file"),
        ("-f json=a -o x", "-o names one file"),
        ("-f json=a -f csv=a", "two formats are to be written to 'a'"),
        ("-f json=a -f csv -o a", "two formats are to be written to 'a'"),
        ("-f json=", "'json=' has no path after the ="),
        ("-o=", "the path is empty"),
    ],
)
def test_targets_that_contradict_each_other(cli: Command, folder: Path, options: str, said: str) -> None:
    arguments = ["-o", ""] if options == "-o=" else options.split()
    result = cli("report", "tiny.yaml", *arguments)
    assert (result.exit_code, result.stdout, files(folder)) == (2, "", set())
    assert said in result.stderr


def test_an_ending_whose_format_the_command_does_not_have(cli: Command, folder: Path) -> None:
    result = cli("validate", "tiny.yaml", "-o", "out.csv")
    assert (result.exit_code, files(folder)) == (2, set())
    assert "no format for files with the extension .csv; name one with -f: text, concise, json" in result.stderr


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["report broken.yaml", "compare tiny.yaml broken.yaml", "compare tiny.yaml"])
def test_a_run_that_fails_touches_nothing(cli: Command, folder: Path, command: str) -> None:
    (folder / "old.json").write_text("old")
    result = cli(*command.split(), "-f", "json=old.json", "-f", "csv=new.csv", "-f", "text")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (written(folder / "old.json"), files(folder)) == ("old", {"old.json"})


def test_a_format_that_fails_touches_nothing(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> str:
        raise ZeroDivisionError

    (folder / "old.json").write_text("old")
    monkeypatch.setattr(FORMATS["csv"], "report", fail)
    result = cli("report", "tiny.yaml", "-f", "json=old.json", "-f", "text", "-f", "csv=new.csv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert (written(folder / "old.json"), files(folder)) == ("old", {"old.json"})


def test_when_one_file_cannot_be_written_none_is(cli: Command, folder: Path) -> None:
    (folder / "old.json").write_text("old")
    result = cli("report", "tiny.yaml", "-f", "json=old.json", "-f", "csv=nowhere/new.csv", "-f", "text")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: cannot write 'nowhere/new.csv': No such file or directory\n"
    assert (written(folder / "old.json"), files(folder)) == ("old", {"old.json"})


def test_a_folder_is_no_file(cli: Command, folder: Path) -> None:
    result = cli("report", "tiny.yaml", "-o", ".")
    assert (result.exit_code, result.stderr) == (2, "Error: cannot write '.': Is a directory\n")


@pytest.mark.parametrize(
    "line",
    [
        "report spec.txt -o spec.txt", "compare tiny.yaml spec.txt -f markdown=./spec.txt",
        "batch spec.txt -f csv=link.csv", "sweep spec.txt a=1..2 -f csv -o spec.txt",
        "check tiny.yaml --budget spec.txt -f json=spec.txt",
    ],
)  # fmt: skip
def test_no_output_replaces_what_the_line_names(cli: Command, folder: Path, line: str) -> None:
    """Specs and budgets may have any name."""
    (folder / "spec.txt").write_text("input: [3, 8, 8]\nlayers: [conv: [4, 3]]\n")
    (folder / "link.csv").symlink_to("spec.txt")
    result = cli(*shlex.split(line))
    assert result.exit_code == 2
    assert "it is read, and would be lost; give another name" in result.stderr
    assert (folder / "spec.txt").read_text().startswith("input")


def test_a_full_disk(cli: Command, folder: Path) -> None:
    result = cli("report", "tiny.yaml", "-o", "/dev/full")
    assert (result.exit_code, result.stderr) == (2, "Error: cannot write '/dev/full': No space left on device\n")


def test_a_folder_that_may_not_be_written(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, dir: str, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), f"{dir}/.new.json.abc")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)  # the superuser, as whom tests may run, can write anywhere
    result = cli("report", "tiny.yaml", "-o", "new.json", "-f", "json")
    assert (result.exit_code, result.stdout, files(folder)) == (2, "", set())
    assert result.stderr == "Error: cannot write 'new.json': Permission denied\n"


def test_an_interrupted_write_leaves_the_old_file(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise KeyboardInterrupt

    (folder / "old.json").write_text("old")
    monkeypatch.setattr(os, "replace", fail)
    assert cli("report", "tiny.yaml", "-o", "old.json").exit_code == 130
    assert (written(folder / "old.json"), files(folder)) == ("old", {"old.json"})


def test_a_file_keeps_its_permissions_and_its_links(cli: Command, folder: Path) -> None:
    kept, link = folder / "kept.json", folder / "link.json"
    kept.write_text("old")
    kept.chmod(0o640)
    link.symlink_to(kept)
    assert cli("report", "tiny.yaml", "-o", "link.json").exit_code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert json.loads(written(kept))["name"] == "Tiny"


def test_a_new_file_has_the_usual_permissions(cli: Command, folder: Path) -> None:
    (folder / "usual").touch()
    cli("report", "tiny.yaml", "-o", "new.json")
    assert (folder / "new.json").stat().st_mode == (folder / "usual").stat().st_mode


def test_a_name_is_shown_as_it_is(cli: Command, folder: Path) -> None:
    assert cli("report", "tiny.yaml", "-o", "\x1b[1m/a").stderr.startswith(r"Error: cannot write '\x1b[1m/a'")


def test_text_that_no_file_can_hold_is_escaped(cli: Command, folder: Path) -> None:
    assert cli("report", "tiny.yaml", "-o", "out.txt").exit_code == 0
    _output.write(GeneralOptions(), [_output.OutputTarget("text", "odd")], lambda *_: "\udc80")
    assert (folder / "odd").read_bytes() == b"\\udc80\n"


# --- colour and width -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "environment", "coloured"),
    [
        ("", {}, False),
        ("", {"FORCE_COLOR": "1"}, True),
        ("", {"FORCE_COLOR": "0"}, False),
        ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("", {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ("--color=auto", {"FORCE_COLOR": "1"}, True),
        ("--color=never", {"FORCE_COLOR": "1"}, False),
        ("--color=always", {}, True),
        ("--color=always", {"NO_COLOR": "1"}, True),
        ("--color=always", {"TERM": "dumb"}, True),
    ],
)
def test_colour(cli: Command, folder: Path, option: str, environment: dict[str, str], coloured: bool) -> None:
    for line in ("report tiny.yaml", "compare pair.yaml"):
        plain = cli(*line.split()).stdout
        result = cli(*option.split(), *line.split(), env=environment)
        assert (ESCAPE in result.stdout) is coloured
        assert coloured or result.stdout == plain


def test_a_file_is_coloured_only_when_asked(cli: Command, folder: Path) -> None:
    cli("report", "tiny.yaml", "-o", "plain.txt", env={"FORCE_COLOR": "1"})
    cli("report", "tiny.yaml", "-o", "asked.txt", "--color=always")
    assert [ESCAPE in written(folder / name) for name in ("plain.txt", "asked.txt")] == [False, True]


def test_only_text_is_coloured(cli: Command, folder: Path) -> None:
    for name in FORMATS:
        if name != "text":
            assert ESCAPE not in cli("report", "tiny.yaml", "-f", name, "--color=always").stdout


@pytest.mark.parametrize("width", [1, 40, 72])
def test_width(cli: Command, folder: Path, width: int) -> None:
    for line in ("report zoo:resnet50", "compare zoo:resnet50 zoo:vgg", "explain conv"):
        result = cli("--width", str(width), *line.split())
        assert result.exit_code == 0
        assert result.stdout
    assert max(map(len, cli("report", "zoo:resnet50", "--width", "40").stdout.splitlines())) <= 40


def test_what_is_piped_is_never_cut(cli: Command, folder: Path) -> None:
    deep = "long_name_" * 8
    text = f"input: [3, 8, 8]\nlayers: [{{seq: [{{conv: [4, 3], name: {deep}}}], name: {deep}}}]\n"
    for environment in ({}, {"COLUMNS": "40"}, {"TERM": "dumb"}):
        assert f"{deep}.{deep}" in cli("report", "-", "-f", "csv", input=text, env=environment).stdout
        assert deep in cli("report", "-", input=text, env=environment).stdout
