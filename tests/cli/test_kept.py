"""Nothing lost: kills, full disks, two runs at once, files in odd places; each ends in old or new, whole."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from convcalc.cli.output import file_locks as _locks
from convcalc.cli.output import resumable_file as _resumed
from tests.cli.conftest import Shell, files
from tests.conftest import ROOT, Command
from tests.kills import OLD, SCENARIOS, Runs, Scenario

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
EPOCH, FAR = (0, 0), (2**32, 2**32)
"""Times of files for a clock that went back, or will."""


def begun(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A run that waits for its standard input."""
    command = [sys.executable, "-m", "convcalc", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe)


def beside(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f".{name}.*"))


def limited(folder: Path, size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run whose files may have so many bytes: Python ignores the signal, and the write fails as on a full disk."""
    return subprocess.run(
        [sys.executable, "-m", "convcalc", *arguments],
        cwd=folder,
        env={**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"},  # it would keep the half of a compiled file that fits
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )


# --- kills ------------------------------------------------------------------------------------------------------------


def test_kills_leave_old_or_new(tmp_path: Path) -> None:
    """Two kills of each command; ``python -m tests.kills`` has as many as are wanted."""
    runs = Runs(tmp_path)
    kills = list(runs.kills(2 * len(SCENARIOS), seed=7))
    assert {f"{kill}": found for kill in kills if (found := runs.faults(kill))} == {}


def test_the_leftover_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    """Whatever its time says; and what other names have left stays for them."""
    runs = Runs(tmp_path)
    scenario = next(each for each in SCENARIOS if each.name == "batch csv")
    runs.measure(scenario)
    for time in (EPOCH, FAR):
        runs.fresh(scenario, has_old=True)
        runs.run(*scenario.arguments, moment=runs.moments[scenario.name] // 2)
        (left,) = beside(runs.out, "b.csv")
        os.utime(left, time)
        for name in (".b.csv.original", ".b.csv.abcdefgh.convcalc.bak", ".a.csv.abcdefgh.convcalc", "b.csv.partial"):
            (runs.out / name).write_text("kept")
        assert runs.run(*scenario.arguments)[0] == 0
        assert {name for name, data in runs.held().items() if data != b"kept"} == {"b.csv"}
        assert len(runs.held()) == 5


# --- two runs ---------------------------------------------------------------------------------------------------------


def test_two_runs_that_write_one_file(cli: Command, folder: Path) -> None:
    """Each puts its own whole file there; neither takes what the other still writes for a leftover."""
    other = begun(folder, "batch", "-", "-o", "o.csv")
    assert other.stdin
    other.stdin.write(b"tiny.yaml\n")  # a list that goes on
    other.stdin.flush()
    while not beside(folder, "o.csv"):
        assert other.poll() is None, other.communicate()
    (staged,) = beside(folder, "o.csv")
    os.utime(staged, EPOCH)
    mine, theirs = (cli("batch", name, "-f", "csv").stdout for name in ("pair.yaml", "tiny.yaml"))
    assert cli("batch", "pair.yaml", "-o", "o.csv").exit_code == 0
    assert ((folder / "o.csv").read_bytes().decode(), beside(folder, "o.csv")) == (mine, [staged])
    assert other.communicate() == (b"", b"")
    assert other.returncode == 0
    assert ((folder / "o.csv").read_bytes().decode(), files(folder)) == (theirs, {"o.csv"})


def test_a_sweep_that_another_one_is_writing(run: Command, folder: Path) -> None:
    (folder / "o.csv").write_text(OLD)
    with (folder / "o.csv.partial").open("wb") as file:
        assert _locks.try_lock(file.fileno())
        result = run("sweep", str(folder / "tiny.yaml"), "width=1..3", "-o", str(folder / "o.csv"))
    assert result.exit_code == 2
    assert "o.csv': another sweep is writing it" in result.stderr
    assert ((folder / "o.csv").read_text(), files(folder)) == (OLD, {"o.csv", "o.csv.partial"})


def test_one_file_by_two_names(cli: Command, folder: Path) -> None:
    (folder / "link.json").symlink_to("real.csv")
    for other in ("./real.csv", "link.json", str(folder / "real.csv")):
        result = cli("report", "tiny.yaml", "-f", "csv=real.csv", "-f", f"json={other}")
        assert (result.exit_code, files(folder)) == (2, {"link.json"})
        assert "two formats are to be written to" in result.stderr


# --- full disks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, scenario: Scenario) -> None:
    runs = Runs(tmp_path)
    runs.fresh(scenario, has_old=True)
    result = limited(tmp_path, 100, *scenario.arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert scenario.outputs[0] in result.stderr or "cannot sort in the folder " in result.stderr
    assert ": File too large" in result.stderr
    assert runs.held() == {name: OLD.encode() for name in scenario.outputs}


def test_a_sweep_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    """What was done before the disk was full is kept, and the run says where."""
    runs = Runs(tmp_path)
    scenario = next(each for each in SCENARIOS if each.name == "sweep points.csv")
    runs.measure(scenario)
    whole = runs.made[scenario.name]["points.csv"]
    runs.fresh(scenario, has_old=True)
    result = limited(tmp_path, len(whole) - 1, *scenario.arguments)
    assert result.returncode == 2
    assert "File too large" in result.stderr
    assert "points.csv.partial has the finished part: resume with the same command and --resume" in result.stderr
    assert runs.held()["points.csv"] == OLD.encode()
    assert runs.run(*scenario.arguments, "--resume")[0] == 0
    assert runs.held() == {"points.csv": whole}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("arguments", ["report tiny.yaml", "batch tiny.yaml", "sweep tiny.yaml width=1..3"])
def test_what_only_the_disk_knows(
    cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, number: int
) -> None:
    """A quota over a network is told when the file is to be on its disk; by then nothing may be in its place."""

    def full(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    (folder / "o.csv").write_text(OLD)
    monkeypatch.setattr(os, "fsync", full)
    result = cli(*arguments.split(), "-f", "csv", "-o", "o.csv")
    assert result.exit_code == 2
    assert f"cannot write 'o.csv': {os.strerror(number)}" in result.stderr
    assert (folder / "o.csv").read_text() == OLD
    assert files(folder) - {"o.csv.partial", "o.csv.progress"} == {"o.csv"}


def test_sorting_with_no_room_for_it(folder: Path) -> None:
    result = limited(folder, 10, "batch", "tiny.yaml", "--sort", "params", "-f", "csv")
    assert result.returncode == 2
    assert "cannot sort in the folder " in result.stderr
    assert "File too large" in result.stderr


# --- odd places -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize(
    "command", ["report tiny.yaml -f csv", "batch tiny.yaml -f csv", "sweep tiny.yaml width=4 -f csv"]
)
def test_a_name_of_standard_output(shell: Shell, folder: Path, command: str, name: str) -> None:
    """What is in its file stays there: a descriptor is written to where it stands."""
    (folder / "link").symlink_to("/dev/stdout")
    usual = shell(f"convcalc {command}").stdout
    assert shell(f"(echo before; convcalc {command} -o {name}; echo behind) > log").exit_code == 0
    assert (folder / "log").read_bytes().decode() == f"before\n{usual}behind\n"
    assert shell(f"convcalc {command} -o {name} >> log").exit_code == 0
    assert (folder / "log").read_bytes().decode() == f"before\n{usual}behind\n{usual}"


def test_pipes_are_written_to(shell: Shell, folder: Path) -> None:
    usual = shell("convcalc batch tiny.yaml -f csv").stdout
    assert shell("mkfifo p; convcalc batch tiny.yaml -f csv -o p & cat p; wait; rm p").stdout == usual
    assert shell("convcalc batch tiny.yaml -f csv=>(cat > got); wait; sync; cat got").exit_code == 0
    assert shell("convcalc batch tiny.yaml -o /dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_a_pipe_that_nobody_reads_any_more(shell: Shell, folder: Path) -> None:
    result = shell("mkfifo p; (exec 3<p; exec 3<&-) & convcalc batch 'zoo:*' -f csv -o p; code=$?; wait; exit $code")
    assert result.exit_code == 2
    assert "cannot write 'p': Broken pipe" in result.stderr


def test_a_file_that_is_protected(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder would let it be replaced; the superuser, as whom tests may run, may write to every file."""
    (folder / "o.csv").write_text(OLD)
    monkeypatch.setattr(os, "access", lambda _, mode: mode == os.R_OK)
    for command in ("report tiny.yaml", "batch tiny.yaml", "sweep tiny.yaml width=1..3"):
        result = cli(*command.split(), "-f", "csv", "-o", "o.csv")
        assert result.exit_code == 2
        assert "cannot write 'o.csv': Permission denied" in result.stderr
        assert ((folder / "o.csv").read_text(), files(folder)) == (OLD, {"o.csv"})


@pytest.mark.parametrize("command", ["report tiny.yaml", "batch tiny.yaml", "sweep tiny.yaml width=1..3"])
def test_a_link_stays_and_its_file_keeps_its_permissions(cli: Command, folder: Path, command: str) -> None:
    (folder / "there").mkdir()
    kept, link = folder / "there" / "kept.csv", folder / "o.csv"
    kept.write_text(OLD)
    kept.chmod(0o640)
    link.symlink_to("there/kept.csv")
    assert cli(*command.split(), "-o", "o.csv").exit_code == 0
    assert (link.is_symlink(), stat.S_IMODE(kept.stat().st_mode)) == (True, 0o640)
    assert kept.read_text() != OLD
    assert files(folder) == {"o.csv", "there", "there/kept.csv"}


def test_a_very_long_name(cli: Command, folder: Path) -> None:
    for name in ("ü" * 120 + ".csv", "x" * 251 + ".csv"):
        assert cli("batch", "tiny.yaml", "-o", name).exit_code == 0
        assert files(folder) == {name}
        (folder / name).unlink()


@pytest.mark.parametrize("command", ["report tiny.yaml", "batch tiny.yaml", "sweep tiny.yaml width=1..3"])
def test_where_no_file_can_be_locked(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    def refuse(handle: int) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(_locks, "try_lock", refuse)
    monkeypatch.setattr(_resumed, "try_lock", refuse)
    result = cli(*command.split(), "-f", "csv", "-o", "o.csv")
    if command.startswith("sweep"):
        assert (result.exit_code, files(folder)) == (2, set())
        assert "files cannot be locked there (No locks available)" in result.stderr
    else:
        assert (result.exit_code, files(folder)) == (0, {"o.csv"})


# --- names and formats ------------------------------------------------------------------------------------------------

COMMANDS = {
    "report": "tiny.yaml", "compare": "pair.yaml", "batch": "tiny.yaml", "sweep": "tiny.yaml width=1..3",
    "solve": "tiny.yaml --for width=1..9 --max params=1k", "formula": "tiny.yaml --symbols width",
    "explain": "tiny.yaml", "reconcile": "tiny.yaml", "check": "tiny.yaml", "validate": "tiny.yaml",
    "zoo": "vgg", "schema": "spec", "diff": "HEAD HEAD", "match": "tiny.yaml tiny.yaml", "plot": "tiny.yaml",
    "graph": "tiny.yaml", "html": "tiny.yaml",
}  # fmt: skip


@pytest.fixture(scope="session")
def outputs_taken() -> set[str]:
    """The commands that take -o, as their helps say, but for import, which writes specs alone."""
    from convcalc.cli.group import commands, convcalc

    found = {name: convcalc.get_command(convcalc.make_context("", ["-q", "zoo"]), name) for name in commands()}
    takes = {name for name, each in found.items() if each and any("-o" in param.opts for param in each.params)}
    return takes - {"import"}


def test_the_commands_below_are_all(outputs_taken: set[str]) -> None:
    assert outputs_taken == set(COMMANDS)


@pytest.mark.parametrize("name", ["x.docx", "x.csv.gz", "x.", ".bashrc", "x.YAML"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_ending_that_tells_no_format(cli: Command, folder: Path, command: str, name: str) -> None:
    (folder / name).write_text(OLD)
    result = cli(command, *COMMANDS[command].split(), "-o", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no format for files with the extension {name[name.rindex('.') :].lower()}; " in result.stderr
    assert ((folder / name).read_text(), files(folder)) == (OLD, {name})


@pytest.mark.parametrize("options", ["-f csv -o x.docx", "-f csv=x.docx", "-o x.CSV", "-o .csv"])
def test_a_format_that_is_said_or_told(cli: Command, folder: Path, options: str) -> None:
    usual = cli("batch", "tiny.yaml", "-f", "csv").stdout
    assert cli("batch", "tiny.yaml", *options.split()).exit_code == 0
    (name,) = files(folder)
    assert (folder / name).read_bytes().decode() == usual


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "report tiny.yaml -f csv=tiny.yaml", "batch tiny.yaml -f csv -o tiny.yaml", "zoo vgg -f csv -o tiny.yaml",
        "sweep tiny.yaml width=1..3 -f csv -o tiny.yaml", "check tiny.yaml -f json=tiny.yaml",
        "report tiny.yaml -f csv -o link.csv",
    ],
)  # fmt: skip
def test_no_spec_is_replaced(cli: Command, folder: Path, command: str) -> None:
    (folder / "link.csv").symlink_to("tiny.yaml")
    before = (folder / "tiny.yaml").read_bytes()
    result = cli(*command.split())
    assert (result.exit_code, (folder / "tiny.yaml").read_bytes()) == (2, before)
    assert "would be lost" in result.stderr
    assert files(folder) == {"link.csv"}


def test_a_check_keeps_what_it_judges_by(cli: Command, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    budget = "version: 1\nbaseline: {file: base.json}\nbudgets: [{id: a, designs: tiny.yaml, max: {params: 1M}}]\n"
    (folder / "budgets.conf").write_text(budget)
    (folder / "base.json").write_text("{}")
    outside = tmp_path_factory.mktemp("outside") / "precious"
    outside.write_text(OLD)
    (folder / ".git").mkdir()
    (folder / "out.sarif").symlink_to(outside)
    for format_, path in (("json", "base.json"), ("json", "budgets.conf"), ("sarif", "out.sarif")):
        result = cli("check", "--budget", "budgets.conf", "-f", f"{format_}={path}")
        assert (result.exit_code, result.stdout) == (2, "")
    assert (folder / "budgets.conf").read_text() == budget
    assert (folder / "base.json").read_text() == "{}"
    assert outside.read_text() == OLD
    assert cli("check", "--budget", "budgets.conf", "-f", f"json={outside}").exit_code == 0, "a person's own path"
