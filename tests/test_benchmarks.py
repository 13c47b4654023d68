"""The benchmarks run, and what they compare with counts the same."""

from __future__ import annotations

import random

import pytest

import convcalc
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import spaces


def test_multiplies_by_hand_are_those_of_the_program() -> None:
    dice = random.Random(8)
    for _ in range(20):
        point = {"width": dice.randint(1, 512), "size": dice.randint(32, 700), "classes": dice.randint(1, 2000)}
        counted = convcalc.load(str(spaces.RESNET50), set=point).report().totals["macs"]
        assert counted == spaces.macs(**point)


def test_a_group_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmarks.main(["start-up", "--pairs", "1"]) == 0
    heading, rule, *rows, _, machine = capsys.readouterr().out.splitlines()
    assert heading.split() == ["|", "Work", "|", "convcalc", "|", "Peer", "|", "Its", "cost", "|", "Ratio", "|"]
    assert set(rule) == {"|", "-", " "}
    assert [row.split("|")[1].strip() for row in rows] == [
        "`report zoo:resnet50`, piped", "`report zoo:resnet50` on a terminal", "`--help`",
    ]  # fmt: skip
    assert "cores" in machine


def test_an_unknown_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmarks.main(["memory"])
    assert "no group 'memory'; there are start-up, files, spaces, networks" in capsys.readouterr().err
