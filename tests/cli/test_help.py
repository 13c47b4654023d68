"""What people read first: help texts, which fit a terminal of 80 columns and are kept whole."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from convcalc.cli.group import commands, convcalc
from tests.budget.repositories import created
from tests.conftest import Command

TEXTS = ["", *commands()]


def help_of(cli: Command, command: str) -> str:
    return cli(*command.split(), "--help", env={"COLUMNS": "80"}).stdout


@pytest.mark.parametrize("command", TEXTS)
def test_help(cli: Command, golden: Callable[[str, str], None], command: str) -> None:
    golden(f"help{'-' * bool(command)}{command}.txt", help_of(cli, command))


@pytest.mark.parametrize("command", TEXTS)
def test_help_fits_and_is_plain(cli: Command, command: str) -> None:
    text = help_of(cli, command)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert re.findall(r"``|:\w+:`|\\b|  $", text) == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("command", commands())
def test_every_option_says_what_it_does(command: str) -> None:
    context = convcalc.make_context("convcalc", [command], resilient_parsing=True)
    found = convcalc.get_command(context, command)
    assert found is not None
    records = [parameter.get_help_record(context) for parameter in found.params
               if "--" in str(parameter.opts) and not getattr(parameter, "hidden", False)]  # fmt: skip
    assert [record for record in records if not (record and re.search(r"[.\]]$", record[1]))] == []


@pytest.mark.parametrize("command", commands())
def test_no_two_parameters_have_one_name(command: str) -> None:
    context = convcalc.make_context("convcalc", [command], resilient_parsing=True)
    found = convcalc.get_command(context, command)
    assert found is not None
    options = [name for parameter in found.get_params(context) for name in parameter.opts]
    names = [parameter.name for parameter in found.get_params(context)]
    assert len(set(options)) == len(options)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_list_with_a_sentence(cli: Command, command: str) -> None:
    (line,) = re.findall(rf"^  {command} +(.*)", help_of(cli, ""), re.MULTILINE)
    assert re.fullmatch(r"[A-Z].*\.", line)


def test_the_examples_run(cli: Command, folder: Path) -> None:
    """Every line of a help text that begins with ``convcalc`` is a command that works."""
    (folder / "model.yaml").write_text(
        "input: [3, 8, 8]\nvars: {width: 1}\nvariants: {small: {width: 1}, large: {width: 2}}\n"
        "layers: [conv: [ceil(4*width), 3]]\n"
    )
    (folder / "specs").mkdir()
    (folder / "specs" / "model.yaml").write_bytes((folder / "model.yaml").read_bytes())
    (folder / "results.csv").write_text("design,macs,top1\na,5,70.5\nb,6,71\n")
    repository = created(folder)  # what changed since a revision needs revisions
    repository.commit()
    repository.commit()
    lines = [line for command in TEXTS for line in re.findall(r"^ +convcalc (.*)", help_of(cli, command), re.MULTILINE)]
    assert len(lines) >= 12
    for line in lines:
        if not re.search(r"[<>]|COMMAND|tutorials|onnx|keras|torch:", line):
            assert cli(*shlex.split(line)).exit_code == (1 if line.startswith("match") else 0), line
