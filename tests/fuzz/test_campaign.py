"""A bounded campaign with a seed of its own, about a minute of one processor; longer ones: ``python -m tests.fuzz``."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from tests.conftest import HANG
from tests.fuzz import campaign, folder
from tests.fuzz.__main__ import main
from tests.fuzz.campaign import Broken, Target, fault_of, made, schedule, tried
from tests.fuzz.commands import safe, smaller
from tests.fuzz.worker import TARGETS

SEED = 10
INPUTS = {"specs": 40_000, "budgets": 14_000, "commands": 2_500, "invariants": 1_200}


@pytest.fixture(autouse=True)
def any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guard against hangs alone: how long an input takes is for a campaign, on a machine of a known speed."""
    monkeypatch.setattr(campaign, "SECONDS", HANG)


@pytest.fixture(autouse=True)
def folder_removed() -> Iterator[None]:
    yield
    folder.remove()


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks(name: str) -> None:
    failures = filter(None, (tried(TARGETS[name], SEED, number) for number in range(INPUTS[name])))
    for failure in islice(failures, 1):
        pytest.fail(f"--seed {SEED} --replay {name}:{failure.number}\n{failure.data!r}\n{failure.shown}", pytrace=False)


# --- the campaign itself ----------------------------------------------------------------------------------------------


def even(data: bytes) -> None:
    if b"x" in data:
        raise Broken("no x: here it is")


def drawn(dice: Random) -> bytes:
    return bytes(dice.choices(b"abcx", k=12))


TOY = Target("toy", 3, drawn, even)


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_follows_from_seed_target_and_number_alone(name: str) -> None:
    target = TARGETS[name]
    one = [made(target, 1, number) for number in range(20)]
    assert [made(target, 1, number) for number in reversed(range(20))] == one[::-1]
    assert [made(target, 2, number) for number in range(20)] != one


def test_a_failure_is_found_and_made_small() -> None:
    found = [failure for failure in (tried(TOY, 0, number) for number in range(50)) if failure]
    assert len(found) == sum(b"x" in made(TOY, 0, number) for number in range(50)) > 0
    assert {failure.data for failure in found} == {b"x"}
    assert {failure.kind for failure in found} == {"Broken: no x"}


def test_a_command_line_is_made_smaller_word_by_word() -> None:
    data = json.dumps({"argv": ["report", "x"], "stdin": ""}).encode()
    assert [json.loads(each)["argv"] for each in smaller(data)] == [["x"], ["rep", "x"], ["report"], ["report", ""]]


def test_what_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(data: bytes) -> None:
        while True:
            with contextlib.suppress(Exception):  # which must not take it for an error of its own
                sum(range(1000))

    monkeypatch.setattr(campaign, "SECONDS", 0.05)
    fault = fault_of(Target("toy", 1, drawn, endless), b"")
    assert fault is not None
    assert fault[0].startswith("Hang")
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_share_the_inputs(workers: int) -> None:
    other = Target("other", 1, drawn, even)
    tries = [
        (target.name, number)
        for worker in range(workers)
        for target, number in islice(schedule([TOY, other], worker, workers), 40)
    ]
    assert len(tries) == len(set(tries)) == 40 * workers
    assert {("toy", number) for number in range(20)} <= set(tries)


@pytest.mark.parametrize("word", ["..", "../x", "json=/etc/x", "/etc/x", "~/x", "-o=/x", "a/../../x", "zoo:*"])
def test_no_command_line_leaves_the_folder(word: str) -> None:
    assert safe(word) == "small.yaml"


def test_a_campaign_says_how_it_went(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    assert main(["--count", "150", "--seed", "3", "--jobs", "2", "-o", str(tmp_path / "failed")]) == 0
    assert "150 inputs" in capsys.readouterr().out
    assert not (tmp_path / "failed").exists()
    assert main(["--seed", "3", "--replay", "specs:4"]) == 0
