"""Repositories that want git to run a command: none runs, whichever of our commands looks at them.

Every trap is first shown to be live: git itself, called as people call it, walks into it and leaves a file behind.
"""

from __future__ import annotations

import ast
import os
import pty
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from convcalc.git import process
from convcalc.git.ci import VARIABLES
from tests.budget.repositories import created, net, plain_environment
from tests.conftest import ROOT, Command

BUDGET = """\
version: 1
baseline: {git: merge-base}
budgets:
  - {id: growth, designs: ["models/*.yaml"], growth: {params: +500%}}
"""
COMMANDS = (
    ("check", "--budget", "models/convcalc-budget.yaml"),
    ("check", "--budget", "convcalc-budget.yaml"),
    ("check", "--baseline", "git:HEAD~1"),
    ("check", "models/renamed.yaml", "--baseline", "git:HEAD~1"),
    ("diff",),
    ("diff", "HEAD~1"),
    ("diff", "HEAD~1", "models"),
)


NOBODY = {
    name: value
    for who in ("AUTHOR", "COMMITTER")
    for name, value in {f"GIT_{who}_NAME": "n", f"GIT_{who}_EMAIL": "n@example.org"}.items()
}


class Trap:
    """A repository with two commits, a renamed file and new ones, and a program that leaves a mark when it runs."""

    def __init__(self, folder: Path) -> None:
        self.mark = folder / "RAN"
        self.program = folder / "program"
        self.program.write_text(f'#!/bin/sh\ntouch "{self.mark}"\nexit 1\n')
        self.program.chmod(0o755)
        self.sandbox = created(folder / "repo")
        self.folder = self.sandbox.folder
        budgets = {"convcalc-budget.yaml": BUDGET, "models/convcalc-budget.yaml": BUDGET.replace("models/", "")}
        self.sandbox.commit({**budgets, "models/old.yaml": net(4), "models/a.yaml": net(5), ".gitignore": "build/\n"})
        self.sandbox.commit({"models/a.yaml": net(6), "models/b.yaml": net(7)})
        (self.folder / "models/old.yaml").unlink()
        self.sandbox.write("models/renamed.yaml", net(4) + "  - relu\n")
        self.sandbox.write("models/a.yaml", net(8))
        self.sandbox.write("build/x.yaml", net(9))
        self.environment: dict[str, str] = {}
        self.live: tuple[str, ...] = ("status",)
        """What people call, with which git walks into the trap."""

    def config(self, *settings: str, file: str = ".git/config") -> None:
        for setting in settings:
            name, _, value = setting.partition("=")
            self.sandbox.git("config", "--file", file, "--add", name, value.replace("PROGRAM", str(self.program)))

    def attributes(self, line: str) -> None:
        self.sandbox.write(".git/info/attributes", line + "\n")

    def lose_a_blob(self) -> None:
        """Make a partial clone of it: what is missing would be fetched."""
        name = self.sandbox.git("rev-parse", "HEAD~1:models/a.yaml")
        (self.folder / ".git/objects" / name[:2] / name[2:]).unlink()
        self.config("extensions.partialClone=origin", "remote.origin.promisor=true", "core.repositoryFormatVersion=1")
        self.live = ("cat-file", "-p", name)

    def springs(self) -> bool:
        """Whether git, called as people call it on a terminal, runs the program."""
        outer, inner = pty.openpty()
        subprocess.run(
            ["git", "-c", "protocol.file.allow=always", "-c", "safe.bareRepository=all", *self.live],
            cwd=self.folder,
            env={**plain_environment(), **NOBODY, **self.environment, "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=inner,
            stderr=inner,
            check=False,
        )
        os.close(inner)
        os.close(outer)
        sprung = self.mark.exists()
        self.mark.unlink(missing_ok=True)
        return sprung


Setter = Callable[[Trap], None]
TRAPS: dict[str, Setter] = {}


def trap(setter: Setter) -> Setter:
    TRAPS[setter.__name__] = setter
    return setter


# --- what a .git/config may name --------------------------------------------------------------------------------------


@trap
def fsmonitor(trap: Trap) -> None:
    trap.config("core.fsmonitor=PROGRAM")


@trap
def hooks_of_the_repository(trap: Trap) -> None:
    for name in ("post-index-change", "reference-transaction", "pre-auto-gc", "post-checkout"):
        shutil.copy(trap.program, trap.folder / ".git/hooks" / name)
    trap.live = ("add", "-A")


@trap
def hooks_path(trap: Trap) -> None:
    shutil.copy(trap.program, trap.sandbox.write("tools/post-index-change", ""))
    trap.config("core.hooksPath=tools")
    trap.live = ("add", "-A")


@trap
def clean_filter(trap: Trap) -> None:
    trap.attributes("*.yaml filter=f")
    trap.config("filter.f.clean=PROGRAM", "filter.f.smudge=PROGRAM", "filter.f.required=true")
    trap.live = ("diff",)


@trap
def filter_process(trap: Trap) -> None:
    trap.sandbox.write(".gitattributes", "*.yaml filter=f\n")
    trap.config("filter.f.process=PROGRAM")
    trap.live = ("diff",)


@trap
def external_diff(trap: Trap) -> None:
    trap.config("diff.external=PROGRAM")
    trap.live = ("diff",)


@trap
def diff_driver(trap: Trap) -> None:
    trap.attributes("*.yaml diff=d")
    trap.config("diff.d.command=PROGRAM")
    trap.live = ("diff", "HEAD~1")


@trap
def textconv(trap: Trap) -> None:
    trap.attributes("*.yaml diff=d")
    trap.config("diff.d.textconv=PROGRAM")
    trap.live = ("diff", "HEAD~1")


@trap
def pager(trap: Trap) -> None:
    names = ("rev-parse", "cat-file", "ls-tree", "merge-base", "check-ignore", "config", "log")
    trap.config("core.pager=PROGRAM", *(f"pager.{name}=PROGRAM" for name in names))
    trap.live = ("log",)


@trap
def editor(trap: Trap) -> None:
    trap.config("core.editor=PROGRAM")
    trap.environment = {"GIT_EDITOR": str(trap.program)}
    trap.live = ("commit", "--amend")


@trap
def signatures(trap: Trap) -> None:
    commit = trap.sandbox.git("cat-file", "-p", "HEAD")
    signed = commit.replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n", 1
    )
    path = trap.sandbox.write(".git/signed", signed + "\n")
    trap.sandbox.git("update-ref", "HEAD", trap.sandbox.git("hash-object", "-t", "commit", "-w", path))
    trap.config("log.showSignature=true", "gpg.program=PROGRAM", "gpg.openpgp.program=PROGRAM")
    trap.live = ("log", "-1")


@trap
def aliases(trap: Trap) -> None:
    names = ("rev-parse", "cat-file", "ls-tree", "merge-base", "check-ignore", "config", "mine")
    trap.config(*(f"alias.{name}=!PROGRAM" for name in names))
    trap.live = ("mine",)


@trap
def included(trap: Trap) -> None:
    trap.config("core.fsmonitor=PROGRAM", file="tools.config")
    trap.config("include.path=../tools.config")


@trap
def included_if(trap: Trap) -> None:
    trap.config("core.fsmonitor=PROGRAM", file="tools.config")
    trap.config(f"includeIf.gitdir:{trap.folder}/.path=../tools.config")


@trap
def work_tree_config(trap: Trap) -> None:
    trap.config("core.repositoryFormatVersion=1", "extensions.worktreeConfig=true")
    trap.config("core.fsmonitor=PROGRAM", file=".git/config.worktree")


# --- what is fetched when a partial clone lacks something -------------------------------------------------------------


@trap
def ssh_command(trap: Trap) -> None:
    trap.config("remote.origin.url=ssh://host.invalid/x", "core.sshCommand=PROGRAM")
    trap.lose_a_blob()


@trap
def remote_program(trap: Trap) -> None:
    trap.config("remote.origin.url=ext::PROGRAM", "protocol.ext.allow=always", "protocol.allow=always")
    trap.lose_a_blob()


@trap
def upload_pack(trap: Trap) -> None:
    trap.config(f"remote.origin.url=file://{trap.folder}", "remote.origin.uploadpack=PROGRAM")
    trap.config("protocol.file.allow=always")
    trap.lose_a_blob()


@trap
def proxy_of_git(trap: Trap) -> None:
    trap.config("remote.origin.url=git://host.invalid/x", "core.gitProxy=PROGRAM", "protocol.git.allow=always")
    trap.lose_a_blob()


@trap
def credentials(trap: Trap) -> None:
    trap.config("credential.helper=PROGRAM", "core.askPass=PROGRAM", "protocol.http.allow=always")
    trap.config(f"remote.origin.url=http://127.0.0.1:{Refusing.port}/x", "http.proxy=")
    trap.lose_a_blob()


class Refusing(BaseHTTPRequestHandler):
    """A server that asks everybody who they are."""

    port = 0

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error clean."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Refusing.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


# --- repositories inside ----------------------------------------------------------------------------------------------


@trap
def bare_repository_as_files(trap: Trap) -> None:
    """What a pull request can bring: no ``.git`` is needed where HEAD, objects and refs lie about."""
    for name in ("HEAD", "objects", "refs"):
        source = trap.folder / ".git" / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, trap.folder / "models" / name)
    trap.sandbox.write("models/config", "[core]\n\trepositoryFormatVersion = 0\n\tbare = false\n\tworktree = .\n")
    trap.config("core.fsmonitor=PROGRAM", file="models/config")
    trap.live = ("-C", "models", "status")


@trap
def submodule(trap: Trap) -> None:
    other = created(trap.folder.parent / "other")
    other.commit({"c.yaml": net(3)})
    trap.sandbox.git("submodule", "--quiet", "add", other.folder, "models/sub")
    trap.config("core.fsmonitor=PROGRAM", file=".git/modules/models/sub/config")
    trap.config("submodule.models/sub.update=!PROGRAM")
    trap.live = ("-C", "models/sub", "status")


# --- what the environment and the user's own configuration name -------------------------------------------------------


@trap
def configuration_in_the_environment(trap: Trap) -> None:
    trap.environment = {
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": str(trap.program)
    }  # fmt: skip


@trap
def parameters_in_the_environment(trap: Trap) -> None:
    trap.environment = {"GIT_CONFIG_PARAMETERS": f"'diff.external'='{trap.program}'"}
    trap.live = ("-c", "a.b=c", "diff")


@trap
def external_diff_in_the_environment(trap: Trap) -> None:
    trap.environment = {"GIT_EXTERNAL_DIFF": str(trap.program)}
    trap.live = ("diff",)


@trap
def ssh_in_the_environment(trap: Trap) -> None:
    trap.config("remote.origin.url=ssh://host.invalid/x")
    trap.environment = {"GIT_SSH_COMMAND": str(trap.program), "GIT_SSH": str(trap.program)}
    trap.lose_a_blob()


@trap
def another_repository_in_the_environment(trap: Trap) -> None:
    other = created(trap.folder.parent / "other")
    other.git("config", "core.fsmonitor", trap.program)
    trap.environment = {"GIT_DIR": f"{other.folder}/.git", "GIT_INDEX_FILE": f"{other.folder}/.git/index"}


@trap
def programs_of_git(trap: Trap) -> None:
    for name in ("git-remote-https", "git-remote-ext", "git-mine", "git-cat-file"):
        shutil.copy(trap.program, trap.sandbox.write(f"tools/{name}", ""))
    trap.environment = {"GIT_EXEC_PATH": str(trap.folder / "tools")}
    trap.live = ("mine",)


@trap
def a_trace(trap: Trap) -> None:
    trap.environment = {"GIT_TRACE": str(trap.mark), "GIT_TRACE2_EVENT": str(trap.mark)}


@trap
def paths_of_the_user_that_lead_into_the_tree(trap: Trap) -> None:
    shutil.copy(trap.program, trap.sandbox.write("tools/monitor", ""))
    trap.config("core.fsmonitor=tools/monitor", file="../user.config")
    trap.environment = {"GIT_CONFIG_GLOBAL": str(trap.folder.parent / "user.config")}


# --- the proof --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRAPS)
def test_no_command_runs(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    trap = Trap(tmp_path)
    TRAPS[name](trap)
    assert trap.springs(), "the trap does not work: this test would prove nothing"
    trap.mark.unlink(missing_ok=True)
    for folder in (trap.folder, trap.folder / "models"):
        monkeypatch.chdir(folder)
        for command in COMMANDS:
            result = cli(*command, env=trap.environment)
            assert result.exit_code in (0, 1, 2), result
            assert not trap.mark.exists(), command


FETCHING = ("ssh_command", "remote_program", "upload_pack", "proxy_of_git", "credentials", "ssh_in_the_environment")


@pytest.mark.parametrize("name", FETCHING)
def test_nothing_is_fetched_by_older_versions(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Those that do not know ``GIT_NO_LAZY_FETCH``: they fetch, and may speak no protocol. What is missing is named."""
    trap = Trap(tmp_path)
    TRAPS[name](trap)
    monkeypatch.setattr(process, "SET_VARIABLES", {**process.SET_VARIABLES, "GIT_NO_LAZY_FETCH": "0"})
    monkeypatch.chdir(trap.folder)
    result = cli("diff", "HEAD~1", env=trap.environment)
    assert (result.exit_code, trap.mark.exists()) == (2, False)
    assert ":models/a.yaml: error CC001: cannot be read: git does not have its content" in result.stderr
    assert "this partial clone lacks it" in result.stderr


def test_ours_look_at_it(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That nothing runs is not because nothing is done: renames, ignored files and old contents are all looked up."""
    trap = Trap(tmp_path)
    monkeypatch.chdir(trap.folder)
    assert [cli(*command).exit_code for command in (COMMANDS[0], *COMMANDS[2:])] == [0] * 6
    shown = cli("diff", "HEAD~1").stdout
    assert "models/renamed.yaml" in shown
    assert "models/old.yaml" in shown
    assert "build/x.yaml" not in shown


@pytest.mark.parametrize("folder", ["", ".", "tools", "./tools"])
def test_no_git_of_the_tree_is_run(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Not even where ``PATH`` has the current folder in it, by name or by an empty entry."""
    trap = Trap(tmp_path)
    for name in ("git", "tools/git"):
        shutil.copy(trap.program, trap.sandbox.write(name, ""))
    monkeypatch.chdir(trap.folder)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["/bin/sh", "-c", "git status"], env={**plain_environment(), "PATH": path}, check=False)
    assert trap.mark.exists()
    trap.mark.unlink()
    result = run("diff", "HEAD~1", env={"PATH": path, **dict.fromkeys(VARIABLES)})
    assert (result.exit_code, trap.mark.exists()) == (0, False), result


def test_git_that_is_only_in_the_tree_is_none(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = Trap(tmp_path)
    shutil.copy(trap.program, trap.sandbox.write("git", ""))
    monkeypatch.chdir(trap.folder)
    result = cli("diff", env={"PATH": f".{os.pathsep}"})
    assert (result.exit_code, trap.mark.exists()) == (2, False)
    assert "cannot run git: No such file or directory" in result.stderr


def test_three_files_start_programs() -> None:
    """Git, models in code, the build of the playground; workers and forks of this process are no programs."""
    found = set()
    for path in sorted((ROOT / "convcalc").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            names += [f"os.{node.attr}"] if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os" else []
            starts = ("subprocess", "pty", "os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn")
            if any(name.startswith(starts) for name in names):
                found.add(str(path.relative_to(ROOT)))
    assert found == {
        "convcalc/git/process.py", "convcalc/importers/torch/parent.py", "convcalc/playground/build.py",
    }  # fmt: skip
