"""``sweep --resume``: goes on with the same sweep alone, however it was begun; of any other it says what differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from convcalc.sweep import executors
from convcalc.sweep.block_task import run_block
from tests.cli.conftest import files
from tests.conftest import ROOT, Command
from tests.kills import Runs

AXES = ("sweep", "net.yaml", "width=1..128", "size=32..287", "depth=1..16", "--where", "size % 64 == 0")
BLOCKS = 4
"""Of 2¹⁷ points each, that these axes have: 128 · 256 · 16 = 4 · 2¹⁷."""
SMALL = ("sweep", "tiny.yaml", "width=4..6")


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """A sweep without --resume that was killed when some of its blocks were noted, over an old file."""
    runs = Runs(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVCALC_JOBS", "1")
    for moment in range(40, 400, 8):
        runs.fresh_named("points.csv")
        runs.run(*AXES, "-o", "out/points.csv", moment=moment)
        held = runs.held()
        notes = held.get("points.csv.progress", b"\n{}").partition(b"\n")[2]
        if 0 < json.loads(notes).get("done", 0) < BLOCKS:
            return runs
    raise AssertionError("no moment lies between two blocks")


def test_a_sweep_begun_without_it_goes_on(killed: Runs, cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is not done is worked out, and the file is that of a sweep that was never killed."""
    done = json.loads(killed.held()["points.csv.progress"].partition(b"\n")[2])["done"]
    worked = []

    def counted(*args: Any) -> Any:
        worked.append(args)
        return run_block(*args)

    monkeypatch.setattr(executors, "run_block", counted)
    assert cli(*AXES, "-o", "out/points.csv", "--resume").exit_code == 0
    assert len(worked) == BLOCKS - done < BLOCKS
    resumed = killed.held()
    assert cli(*AXES, "-o", "out/straight.csv").exit_code == 0
    assert resumed == {"points.csv": killed.held()["straight.csv"]}


OTHERS = [
    (("sweep", "net.yaml", "width=1..127", "size=32..287", "depth=1..16", *AXES[5:]), "axis width was 1, 2, …, 128"),
    (
        ("sweep", "net.yaml", "width=1..128", "depth=1..16", "size=32..287", *AXES[5:]),
        "axes was width, size, depth and",
    ),
    ((*AXES[:4], *AXES[5:]), "axis depth was 1, 2, …, 16 (16 values) and is none"),
    (("sweep", "net.yaml@s", *AXES[2:]), "design was net.yaml and is net.yaml@s"),
    ((*AXES, "--columns", "macs"), "--columns was params,macs and is macs"),
    ((*AXES[:5], "--where", "size % 32 == 0"), "--where was size % 64 == 0 and is size % 32 == 0"),
    (AXES[:5], "--where was size % 64 == 0 and is none"),
    ((*AXES, "--sort", "macs:asc", "--top", "3"), "--sort was none and is macs"),
    ((*AXES, "--pareto", "params,-macs"), "--pareto was none and is params,-macs"),
    ((*AXES, "-f", "jsonl"), "format was csv and is jsonl"),
    ((*AXES, "--batch", "2"), "--batch was 1 and is 2"),
    ((*AXES, "--input", "3,size,16"), "--input was none and is 3,size,16"),
    ((*AXES, "--dtype", "int8"), "--dtype was float32 and is int8"),
]


@pytest.mark.parametrize(("arguments", "said"), OTHERS)
def test_another_sweep_is_refused_and_told_what_differs(
    killed: Runs, cli: Command, arguments: tuple[str, ...], said: str
) -> None:
    """A killed one and a finished one alike; nothing of them is touched."""
    held = killed.held()
    result = cli(*arguments, "-o", "out/points.csv", "--resume")
    assert (result.exit_code, result.stdout, killed.held()) == (2, "", held)
    assert "CC717" in result.stderr
    assert said in result.stderr
    assert cli(*AXES, "-o", "out/points.csv", "--resume").exit_code == 0
    held = killed.held()
    result = cli(*arguments, "-o", "out/points.csv", "--resume")
    assert (result.exit_code, result.stdout, killed.held()) == (2, "", held)
    assert said in result.stderr


def test_another_spec_and_another_set_are_other_sweeps(cli: Command, folder: Path) -> None:
    assert cli(*SMALL, "-o", "o.csv").exit_code == 0
    held = (folder / "o.csv").read_bytes()
    text = (folder / "tiny.yaml").read_text()
    (folder / "tiny.yaml").write_text(text.replace("linear: 10", "linear: 11"))
    result = cli(*SMALL, "-o", "o.csv", "--resume")
    assert (result.exit_code, (folder / "o.csv").read_bytes()) == (2, held)
    assert "the text of tiny.yaml has changed" in result.stderr
    (folder / "tiny.yaml").write_text(text.replace("width: 4}", "width: 4, other: 1}"))
    assert cli(*SMALL, "-o", "o.csv").exit_code == 0
    result = cli(*SMALL, "--set", "other=2", "-o", "o.csv", "--resume")
    assert (result.exit_code, (folder / "o.csv").read_bytes()) == (2, held)
    assert "--set was none and is other=2" in result.stderr


def test_a_whole_output_is_left_as_it_is(cli: Command, folder: Path) -> None:
    assert cli(*SMALL, "-o", "o.csv").exit_code == 0
    made = (folder / "o.csv").stat()
    for same in (SMALL, ("sweep", "tiny.yaml", "width=4,5,6")):
        result = cli(*same, "-o", "o.csv", "--resume")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == "o.csv is complete: nothing to do\n"
        assert (folder / "o.csv").stat() == made
    assert files(folder) == {"o.csv"}


def test_an_output_that_was_changed_since(cli: Command, folder: Path) -> None:
    assert cli(*SMALL, "-o", "o.csv").exit_code == 0
    with (folder / "o.csv").open("a") as file:
        file.write("by hand\n")
    os.utime(folder / "o.csv", (0, 0))
    held = (folder / "o.csv").read_bytes()
    result = cli(*SMALL, "-o", "o.csv", "--resume")
    assert (result.exit_code, (folder / "o.csv").read_bytes()) == (2, held)
    assert "'o.csv' has been changed since its sweep had ended" in result.stderr


def test_a_file_that_no_notes_speak_of(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program's, or one of a file system without attributes: it may be whole or not, nobody knows."""

    def refuse(*args: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "setxattr", refuse)
    assert cli(*SMALL, "-o", "whole.csv").exit_code == 0
    (folder / "other.csv").write_text("other\n")
    for name in ("whole.csv", "other.csv"):
        held = (folder / name).read_bytes()
        result = cli(*SMALL, "-o", name, "--resume")
        assert (result.exit_code, (folder / name).read_bytes()) == (2, held)
        assert f"'{name}' is complete, or no sweep that can be gone on with has made it" in result.stderr
    assert files(folder) == {"whole.csv", "other.csv"}


def test_nothing_is_there_yet(cli: Command, folder: Path) -> None:
    assert cli(*SMALL, "-o", "o.csv", "--resume").exit_code == 0
    assert (folder / "o.csv").read_bytes().decode() == cli(*SMALL, "-f", "csv").stdout


def test_what_is_dropped_is_told(killed: Runs, cli: Command) -> None:
    result = cli(*AXES, "--metrics", "macs", "--batch", "2", "-o", "out/points.csv")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: out/points.csv: the partial output of an interrupted sweep")
    assert "is discarded; it is of another sweep" in result.stderr
    assert set(killed.held()) == {"points.csv"}


def test_lines_that_are_not_as_they_were(killed: Runs, cli: Command) -> None:
    partial = killed.out / "points.csv.partial"
    for changed in (b"9" + partial.read_bytes()[1:], b""):
        partial.write_bytes(changed)
        held = killed.held()
        result = cli(*AXES, "-o", "out/points.csv", "--resume")
        assert result.exit_code == 2
        assert "points.csv.partial' is not as the sweep that was killed had left it" in result.stderr
        assert {**killed.held(), partial.name: changed} == held


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_files_of_these_names_that_no_sweep_wrote(cli: Command, folder: Path, resume: tuple[str, ...]) -> None:
    for name, said in (("o.csv.partial", "is in the way"), ("o.csv.progress", "does not hold the notes")):
        for text in ("kept\n", '{"sweep": "other"}'):
            (folder / name).write_text(text)
            result = cli(*SMALL, "-o", "o.csv", *resume)
            assert (result.exit_code, (folder / name).read_text(), files(folder)) == (2, text, {name})
            assert said in result.stderr
        (folder / name).unlink()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-f csv=a.csv -f json=b.json", "--resume needs one file: -o PATH"),
        ("-o a.txt", "--resume supports csv, jsonl, json, markdown, parquet, not text"),
    ],
)
def test_a_sweep_that_cannot_be_gone_on_with_says_so_before(
    cli: Command, folder: Path, options: str, said: str
) -> None:
    """Where there is more than one block: of one, nothing is done before all is."""
    assert cli(*SMALL, *options.split()).stderr == ""
    long = ("sweep", "tiny.yaml", "width=1..140000", "--where", "width == 7")
    assert cli(*long, *options.split()).stderr == f"note: if this sweep is interrupted it cannot be resumed: {said}\n"
    assert cli("-q", *long, *options.split()).stderr == ""
    assert cli(*SMALL, *options.split(), "--resume").exit_code == 2


def test_an_interrupted_sweep_says_how_to_go_on(killed: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second block is never worked out: Ctrl-C."""
    program = (
        "import sys, convcalc.sweep.executors as engine\n"
        "usual, calls = engine.run_block, []\n"
        "def work(*args):\n"
        "    calls.append(args)\n"
        "    if len(calls) > 1:\n"
        "        raise KeyboardInterrupt\n"
        "    return usual(*args)\n"
        "engine.run_block = work\n"
        "from convcalc.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    killed.fresh_named("points.csv")
    command = [sys.executable, "-c", program, *AXES, "-o", "out/points.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "points.csv.partial has the finished part: resume with the same command and --resume" in done.stderr
    assert killed.run(*AXES, "-o", "out/points.csv", "--resume")[0] == 0
    assert set(killed.held()) == {"points.csv"}


@pytest.mark.parametrize("name", ["o.csv.progress.new", "o.csv.progress", "o.csv.partial"])
@pytest.mark.parametrize("kind", ["link", "pipe", "file"])
def test_nothing_else_is_read_or_replaced(cli: Command, folder: Path, name: str, kind: str) -> None:
    (folder / "precious").write_text("precious\n")
    if kind == "link":
        (folder / name).symlink_to("precious")
    elif kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).write_text("precious\n")
    result = cli(*SMALL, "-o", "o.csv")
    assert result.exit_code == 2
    assert "o.csv" in result.stderr
    assert (folder / "precious").read_text() == "precious\n"
    assert os.path.lexists(folder / name)
    assert kind != "file" or (folder / name).read_text() == "precious\n"


def test_notes_that_were_only_begun_are_left_by_a_kill(cli: Command, folder: Path) -> None:
    (folder / "o.csv.progress.new").write_text("convcalc swe")
    assert cli(*SMALL, "-o", "o.csv").exit_code == 0
    assert files(folder) == {"o.csv"}
