"""Pipes and devices where git, or the program itself, looks for files: all are refused, and nothing waits for them.

Each is first shown to be live: git, called as people call it, waits for it until it is stopped.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.budget.repositories import Sandbox, created, net, plain_environment
from tests.conftest import Command
from tests.git.test_hostile import BUDGET

Setter = Callable[[Sandbox], Path]
"""Puts a pipe somewhere, and returns its path."""
PIPES: dict[str, tuple[Setter, tuple[str, ...]]] = {}
NAMED = ("diff", "HEAD~1")


def pipe(*live: str) -> Callable[[Setter], Setter]:
    """Note a setter, and the command with which git opens its pipe."""

    def noted(setter: Setter) -> Setter:
        PIPES[setter.__name__] = setter, live
        return setter

    return noted


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """With two commits, a file that was renamed and one that is new."""
    sandbox = created(tmp_path / "repo")
    sandbox.commit({"convcalc-budget.yaml": BUDGET, "models/old.yaml": net(4), "models/a.yaml": net(5)})
    sandbox.commit({"models/a.yaml": net(6)})
    (sandbox.folder / "models/old.yaml").unlink()
    sandbox.write("models/renamed.yaml", net(4) + "  - relu\n")
    monkeypatch.chdir(sandbox.folder)
    return sandbox


@pipe("config", "--list")
def included(sandbox: Sandbox) -> Path:
    sandbox.git("config", "include.path", "../pipe")
    return made(sandbox.folder / "pipe")


@pipe("config", "--list")
def included_under_a_condition(sandbox: Sandbox) -> Path:
    sandbox.git("config", "includeIf.gitdir:/.path", "../pipe")
    return made(sandbox.folder / "pipe")


@pipe("config", "--list")
def included_by_what_is_included(sandbox: Sandbox) -> Path:
    sandbox.git("config", "include.path", "../one.config")
    sandbox.write("one.config", "[Include] path = folder/pipe\n")
    return made(sandbox.folder / "folder/pipe")


@pipe("check-ignore", "--no-index", "x")
def rules_of_the_user(sandbox: Sandbox) -> Path:
    sandbox.git("config", "core.excludesFile", "pipe")
    return made(sandbox.folder / "pipe")


@pipe("check-ignore", "--no-index", "x")
def rules_of_the_tree(sandbox: Sandbox) -> Path:
    return made(sandbox.folder / ".gitignore")


@pipe("check-ignore", "--no-index", "models/x")
def rules_of_a_folder(sandbox: Sandbox) -> Path:
    return made(sandbox.folder / "models/.gitignore")


@pipe("rev-parse", "--verify", "HEAD")
def branch(sandbox: Sandbox) -> Path:
    return made(sandbox.folder / ".git/refs/heads/main")


@pipe("rev-parse", "--verify", "x/y")
def branch_elsewhere(sandbox: Sandbox) -> Path:
    return made(sandbox.folder / ".git/x/y")


@pipe("cat-file", "-p", "HEAD")
def object_(sandbox: Sandbox) -> Path:
    name = sandbox.git("rev-parse", "HEAD")
    return made(sandbox.folder / ".git/objects" / name[:2] / name[2:])


@pipe("cat-file", "-p", "HEAD")
def index_of_a_pack(sandbox: Sandbox) -> Path:
    sandbox.git("repack", "-adq")
    (index,) = (sandbox.folder / ".git/objects/pack").glob("*.idx")
    return made(index)


@pipe("cat-file", "-p", "HEAD")
def index_of_all_packs(sandbox: Sandbox) -> Path:
    sandbox.git("repack", "-adq")
    return made(sandbox.folder / ".git/objects/pack/multi-pack-index")


@pipe("rev-parse", "--verify", "HEAD")
def branch_behind_a_link(sandbox: Sandbox) -> Path:
    path = made(sandbox.folder / "pipe")
    (sandbox.folder / ".git/refs/heads/main").unlink()
    (sandbox.folder / ".git/refs/heads/main").symlink_to(path)
    return path


def opens(sandbox: Sandbox, path: Path, live: tuple[str, ...]) -> bool:
    """Whether git opens a pipe: whoever wants to write waits for a reader, and a git that never reads ends."""
    process = subprocess.Popen(
        ["git", *live],
        cwd=sandbox.folder,
        env=plain_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None:
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:  # nobody reads it yet
                continue
            return True
        return False
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", PIPES)
def test_git_does_not_wait(run: Command, sandbox: Sandbox, name: str) -> None:
    setter, live = PIPES[name]
    path = setter(sandbox)
    assert opens(sandbox, path, live), "git does not open the pipe: this test would prove nothing"
    result = run(*NAMED)
    assert (result.exit_code, "CC644" in result.stderr) == (2, True), result
    assert "is neither a file nor a folder" in result.stderr or "is not a configuration" in result.stderr


def test_links_to_folders_elsewhere(cli: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """Nobody has looked through those; hooks, of which git reads nothing here, may lie where they want."""
    (tmp_path / "elsewhere").mkdir()
    hooks = sandbox.folder / ".git/hooks"
    hooks.rename(tmp_path / "hooks")
    hooks.symlink_to(tmp_path / "hooks")
    assert cli(*NAMED).exit_code == 0
    (sandbox.folder / ".git/refs/heads/x").symlink_to(tmp_path / "elsewhere")
    result = cli(*NAMED)
    assert (result.exit_code, "a part of the repository lies elsewhere" in result.stderr) == (2, True)


def test_what_people_include_is_no_fault(cli: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """A file elsewhere, one that is not there, and the null device."""
    (tmp_path / "mine.config").write_text("[user]\n\tname = n\n", encoding="utf-8")
    for path in (tmp_path / "mine.config", tmp_path / "none.config", os.devnull):
        sandbox.git("config", "--add", "include.path", str(path))
    sandbox.git("config", "core.excludesFile", os.devnull)
    assert cli(*NAMED).exit_code == 0


def test_configurations_that_take_for_ever(cli: Command, sandbox: Sandbox) -> None:
    """Nine levels of ten includes are 10⁹ files to read."""
    for level in range(9):
        sandbox.write(f".git/level{level}", f"[include]\n\tpath = level{level + 1}\n" * 10)
    sandbox.write(".git/level9", "[a]\n\tb = c\n")
    sandbox.git("config", "--file", ".git/config", "include.path", "level0")
    result = cli(*NAMED)
    assert (result.exit_code, "the configuration includes more than 100 files" in result.stderr) == (2, True)


def test_a_configuration_without_end(cli: Command, sandbox: Sandbox) -> None:
    with (sandbox.folder / ".git/config").open("a", encoding="utf-8") as file:
        file.write("[a]\n" * (1 << 20))
    result = cli(*NAMED)
    assert (result.exit_code, "is larger than the limit of 4194304 bytes" in result.stderr) == (2, True)


# --- what we read ourselves -------------------------------------------------------------------------------------------

LIMIT = "version: 1\nbudgets:\n  - {id: b, designs: [models/a.yaml], %s}\n"
READ = {
    "spec": ("models/x.yaml", {}, ("check", "models"), "models/x.yaml: error CC002"),
    "spec of a diff": ("models/x.yaml", {}, ("diff", "HEAD~1", "models/x.yaml"), "models/x.yaml: error CC001"),
    "spec of a batch": ("models/x.yaml", {}, ("batch", "models"), "is a pipe or a device"),
    "spec to validate": ("models/x.yaml", {}, ("validate", "models"), "models/x.yaml: error CC002"),
    "import": ("models/l", {"models/x.yaml": "import: {l: l}\nlayers: [l.a]\n"}, ("report", "models/x.yaml"), "CC209"),
    "device": (
        "d.yaml",
        {"convcalc-budget.yaml": LIMIT % "device: d.yaml, max: {least_time: 5}"},
        ("check",),
        "d.yaml: error CC002",
    ),
    "baseline": (
        "b.json",
        {"convcalc-budget.yaml": LIMIT % "growth: {params: +5%}" + "baseline: {file: b.json}\n"},
        ("check",),
        "b.json: error CC646",
    ),
    "accepted": ("convcalc-baseline.json", {}, ("check",), "convcalc-baseline.json: error CC646"),
}


@pytest.mark.parametrize("name", READ)
def test_we_do_not_wait(run: Command, sandbox: Sandbox, name: str) -> None:
    """A pipe that nobody writes to: whoever opens it to read stands still."""
    file, files, command, said = READ[name]
    for path, text in files.items():
        sandbox.write(path, text)
    made(sandbox.folder / file)
    result = run(*command)
    assert result.exit_code == (2 if said else 0), result
    assert said in result.stderr + result.stdout


@pytest.mark.parametrize("name", READ)
def test_nothing_outside_is_shown(cli: Command, sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    """A link to what lies elsewhere, whose lines errors would quote."""
    file, files, command, _ = READ[name]
    for path, text in files.items():
        sandbox.write(path, text)
    (tmp_path / "outside").write_text("layers: [[SECRET\nSECRET: : SECRET\n", encoding="utf-8")
    (sandbox.folder / file).symlink_to(tmp_path / "outside")
    result = cli(*command)
    assert result.exit_code == 2, result
    assert "SECRET" not in result.stdout + result.stderr
    (sandbox.folder / file).unlink()
    (sandbox.folder / file).write_text((tmp_path / "outside").read_text("utf-8"), encoding="utf-8")
    shown = cli(*command)
    assert "SECRET" in shown.stdout + shown.stderr, "its own files are not quoted: this test would prove nothing"


def test_a_budget_file_elsewhere(cli: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("SECRET: : SECRET\n", encoding="utf-8")
    budget = sandbox.folder / "convcalc-budget.yaml"
    budget.unlink()
    budget.symlink_to(tmp_path / "outside")
    result = cli("check")
    assert (result.exit_code, "SECRET" in result.stderr + result.stdout) == (2, False)
    assert "CC001: leads out of its repository" in result.stdout
    shown = cli("check", "--budget", tmp_path / "outside")
    assert "SECRET" in shown.stdout + shown.stderr, "named by a person, it is read wherever it lies"


def test_links_inside_are_followed(cli: Command, sandbox: Sandbox) -> None:
    (sandbox.folder / "models/x.yaml").symlink_to("a.yaml")
    assert cli("report", "models/x.yaml").exit_code == 0


def test_pipes_outside_are_read(run: Command, tmp_path: Path) -> None:
    """As shells make them: ``convcalc report <(generate)``."""
    reader, writer = os.pipe()
    os.write(writer, net(4).encode())
    os.close(writer)
    try:
        assert run("report", f"/proc/{os.getpid()}/fd/{reader}").exit_code == 0
    finally:
        os.close(reader)
