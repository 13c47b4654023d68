"""Growth where there is no branch of one's own: the commit before is held against, and what there is not is said."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from convcalc.git.ci import commit_before_push
from convcalc.git.commit_tree import CommitTree
from convcalc.git.repository import Repository
from convcalc.git.worktree_files import Renames
from tests.budget.repositories import Sandbox, created, net, params
from tests.conftest import Command, Result
from tests.work import limited_work

BUDGET = """\
version: 1
baseline: {git: %s}
budgets:
  - {id: growth, designs: ["*.yaml"], growth: {params: +1%%}}
"""


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A repository with one commit, in the current folder: 122 params."""
    made = created(tmp_path / "repo")
    made.commit({"a.yaml": net(4), "convcalc-budget.yaml": BUDGET % "merge-base"})
    monkeypatch.chdir(made.folder)
    return made


def judged(cli: Command, *arguments: str) -> tuple[int, str, int | None]:
    """The exit code, what was compared with, and how many params there were."""
    result = cli("check", *arguments, "-f", "json")
    document = json.loads(result.stdout)
    (outcome,) = document["outcomes"]
    return result.exit_code, document["baseline"], (outcome["past"] or {}).get("params")


def said(result: Result) -> str:
    return result.stdout + result.stderr


def test_growth_committed_to_main_is_judged_against_the_commit_before(cli: Command, sandbox: Sandbox) -> None:
    first = sandbox.git("rev-parse", "HEAD")[:7]
    second = sandbox.commit({"a.yaml": net(8)})[:7]
    assert judged(cli) == (1, f"{first} (the commit before HEAD)", params(4))
    sandbox.commit({"notes.txt": "x"})
    assert judged(cli) == (0, f"{second} (the commit before HEAD)", params(8))


def test_of_a_merge_it_is_what_was_merged_into(cli: Command, sandbox: Sandbox) -> None:
    sandbox.git("checkout", "-q", "-b", "topic")
    sandbox.commit({"a.yaml": net(8)})
    sandbox.git("checkout", "-q", "main")
    main = sandbox.commit({"notes.txt": "x"})[:7]
    sandbox.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    assert judged(cli) == (1, f"{main} (first parent of HEAD)", params(4))


def test_what_is_not_committed_is_judged_against_head(cli: Command, sandbox: Sandbox) -> None:
    """Before a commit, the last one's growth is somebody else's: it has been judged."""
    head = sandbox.commit({"a.yaml": net(8)})[:7]
    sandbox.write("a.yaml", net(9))
    assert judged(cli) == (1, f"{head} (merge-base with main)", params(8))
    sandbox.git("checkout", "-q", "-b", "topic")
    assert judged(cli)[1:] == (f"{head} (merge-base with main)", params(8))


@pytest.mark.parametrize("change", ["line ends", "another file", "a new file", "the budget file"])
def test_what_is_no_change_of_a_spec(cli: Command, sandbox: Sandbox, change: str) -> None:
    sandbox.commit({"compose.yaml": "services: {}\n"})
    (sandbox.folder / "compose.yaml").unlink()
    sandbox.commit({"a.yaml": net(8), "other.yaml": "services: {}\n", "convcalc-budget.yaml": BUDGET % "merge-base"})
    text = {
        "line ends": ("a.yaml", net(8).replace("\n", "\r\n")),
        "another file": ("other.yaml", "services: {a: 1}\n"),
        "a new file": ("notes.txt", "layers: []\n"),
        "the budget file": ("convcalc-budget.yaml", "# x\n" + BUDGET % "merge-base"),
    }[change]
    (sandbox.folder / text[0]).write_bytes(text[1].encode())
    result = cli("check", "a.yaml")
    assert result.exit_code == 1, result
    assert "(the commit before HEAD)" in result.stdout


def test_a_clone_that_is_behind(
    cli: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run of an older commit of main, when a newer one has been pushed."""
    first = sandbox.git("rev-parse", "HEAD")[:7]
    second = sandbox.commit({"a.yaml": net(8)})
    sandbox.commit({"a.yaml": net(9)})
    sandbox.git("clone", "-q", sandbox.folder, tmp_path / "clone")
    Sandbox(tmp_path / "clone").git("checkout", "-q", second)
    monkeypatch.chdir(tmp_path / "clone")
    assert judged(cli) == (1, f"{first} (the commit before HEAD)", params(4))


def test_the_first_commit(cli: Command, sandbox: Sandbox) -> None:
    head = sandbox.git("rev-parse", "HEAD")[:7]
    text = f"{head} is the first commit: there is no earlier one to compare with"
    result = cli("check")
    assert (result.exit_code, f"note: {text}; growth is not judged" in said(result)) == (0, True), result
    assert not re.search("(?i)changes|baseline", said(result))
    required = cli("check", "--require-baseline")
    assert required.exit_code == 2
    assert f"convcalc-budget.yaml:2:17: error CC642: {text}" in said(required)


def test_head_held_against_itself(cli: Command, sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(8), "convcalc-budget.yaml": BUDGET % "main"})
    result = cli("check")
    assert result.exit_code == 0
    assert "note: the baseline is HEAD, and no spec differs from it; growth is not judged" in said(result)
    assert cli("check", "--require-baseline").exit_code == 2
    sandbox.write("a.yaml", net(9))
    assert judged(cli, "--require-baseline") == (1, f"{sandbox.git('rev-parse', 'HEAD')[:7]} (main)", params(8))


def test_a_baseline_that_is_there_is_all_that_is_required(cli: Command, sandbox: Sandbox) -> None:
    sandbox.commit({"a.yaml": net(8)})
    assert cli("check", "--require-baseline").exit_code == 1
    sandbox.git("checkout", "-q", "-b", "topic")
    sandbox.commit({"a.yaml": net(8) + "  - relu\n", "b.yaml": net(9)})
    assert cli("check", "--require-baseline").exit_code == 0


@pytest.mark.parametrize("depth", [1, 2])
def test_a_shallow_clone(
    cli: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    """As ``actions/checkout`` makes it on main, where nothing else is said."""
    before = sandbox.commit({"a.yaml": net(8)})[:7]
    head = sandbox.commit({"a.yaml": net(9)})[:7]
    sandbox.git("clone", "-q", f"--depth={depth}", f"file://{sandbox.folder}", tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    if depth == 2:
        assert judged(cli) == (1, f"{before} (the commit before HEAD)", params(8))
        return
    result = cli("check")
    assert result.exit_code == 2
    assert f"error CC643: this shallow clone ends at HEAD, {head}: the commit before it is not there" in said(result)
    assert "fetch-depth: 0" in said(result)


# --- what continuous integration says of a push -----------------------------------------------------------------------


def pushed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, where: str, before: str, head: str) -> None:
    if where == "gitlab":
        monkeypatch.setenv("CI_COMMIT_SHA", head)
        monkeypatch.setenv("CI_COMMIT_BEFORE_SHA", before)
        return
    event = sandbox.folder.parent / "event.json"
    event.write_text(json.dumps({"before": before, "after": head, "ref": "refs/heads/main"}), encoding="utf-8")
    monkeypatch.setenv("GITHUB_SHA", head)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))


@pytest.mark.parametrize("where", ["gitlab", "github"])
def test_all_commits_of_a_push_are_judged(
    cli: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    first = sandbox.git("rev-parse", "HEAD")
    sandbox.commit({"a.yaml": net(8)})
    head = sandbox.commit({"notes.txt": "x"})
    assert judged(cli)[0] == 0
    pushed(sandbox, monkeypatch, where, first, head)
    assert judged(cli) == (1, f"{first[:7]} (before the push)", params(4))


@pytest.mark.parametrize("where", ["gitlab", "github"])
@pytest.mark.parametrize("before", ["new branch", "unknown", "forced", "of another commit", "--all", "no text"])
def test_a_push_that_tells_nothing(
    cli: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, where: str, before: str
) -> None:
    first = sandbox.git("rev-parse", "HEAD")
    sandbox.git("checkout", "-q", "--orphan", "other")
    other = sandbox.commit({"a.yaml": net(9)})
    sandbox.git("checkout", "-q", "main")
    middle = sandbox.commit({"notes.txt": "x"})
    head = sandbox.commit({"a.yaml": net(8)})
    names = {"new branch": "0" * 40, "unknown": "1" * 40, "forced": other, "of another commit": first}
    of = middle if before == "of another commit" else head
    pushed(sandbox, monkeypatch, where, names.get(before, before), of)
    if before == "no text" and where == "github":
        (sandbox.folder.parent / "event.json").write_text("[1")
    assert judged(cli) == (1, f"{middle[:7]} (the commit before HEAD)", params(4))


@pytest.mark.parametrize("content", ["pipe", "[" * 100_000, "\0", "[1, 2]"])
def test_an_event_file_that_is_none(tmp_path: Path, content: str) -> None:
    event = tmp_path / "event.json"
    if content == "pipe":
        os.mkfifo(event)
    else:
        event.write_text(content)
    assert commit_before_push({"GITHUB_SHA": "a" * 40, "GITHUB_EVENT_PATH": str(event)}, "a" * 40) == ""


def test_renames_cost_what_so_many_pairs_cost(sandbox: Sandbox) -> None:
    """A thousand files that are alike, all renamed and edited: a million pairs; those of one name are still matched."""
    old = {f"old/{number}.yaml": net(4) + f"# {number}\n" for number in range(1000)}
    sandbox.commit(old)
    for path in old:
        (sandbox.folder / path).unlink()
    for number in range(1000):
        sandbox.write(f"new/{number}.yaml", net(5) + f"# {number}\n")
    repository = Repository(str(sandbox.folder))
    tree = CommitTree(repository, repository.commit("HEAD"))
    with limited_work():
        found = Renames(tree, (".yaml",)).old_paths
    assert found == {f"new/{number}.yaml": f"old/{number}.yaml" for number in range(1000)}
