"""Which repositories are taken: those in one place, linked work trees and submodules. All others say why not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from convcalc.budget.baseline.sources import open_baseline
from convcalc.errors import SpecError, SpecErrors
from convcalc.git import process
from convcalc.git.repository import Repository
from tests.budget.repositories import Sandbox, at, created, net, params
from tests.conftest import Command


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    made = created(tmp_path / "repo")
    made.commit({"a.yaml": net(4)})
    return made


def total(folder: Path, revision: str = "HEAD") -> int:
    past = open_baseline(at(revision), str(folder)).counts("a.yaml")
    assert past is not None
    return past.totals["params"]


def refusal(folder: Path) -> SpecError:
    with pytest.raises(SpecErrors) as raised:
        Repository(str(folder))
    (error,) = raised.value.errors
    return error


# --- what is refused --------------------------------------------------------------------------------------------------


def elsewhere(sandbox: Sandbox, name: str) -> Path:
    """Move a part of the repository out of it, and leave a link."""
    inside, outside = sandbox.folder / name, sandbox.folder.parent / "moved"
    inside.rename(outside)
    inside.symlink_to(outside)
    return outside


def link(sandbox: Sandbox) -> None:
    elsewhere(sandbox, ".git")


def pointer(sandbox: Sandbox) -> None:
    (sandbox.folder / ".git").rename(sandbox.folder.parent / "moved")
    sandbox.write(".git", "gitdir: ../moved\n")


def pointer_to_nothing(sandbox: Sandbox) -> None:
    pointer(sandbox)
    sandbox.write(".git", "gitdir: ../nowhere\n")


def pointer_to_another_work_tree(sandbox: Sandbox) -> None:
    """A folder of a linked work tree, but of one that is not this."""
    linked = sandbox.folder.parent / "linked"
    sandbox.git("worktree", "add", "-q", "-b", "topic", linked)
    (sandbox.folder / ".git").rename(sandbox.folder.parent / "moved")
    sandbox.write(".git", "gitdir: ../moved/worktrees/linked\n")


def no_pointer(sandbox: Sandbox) -> None:
    shutil.rmtree(sandbox.folder / ".git")
    sandbox.write(".git", "hello\n")


def binary_pointer(sandbox: Sandbox) -> None:
    shutil.rmtree(sandbox.folder / ".git")
    (sandbox.folder / ".git").write_bytes(b"gitdir: a\0b\n")


def nothing_in_it(sandbox: Sandbox) -> None:
    """The repository around it is not asked in its place."""
    sandbox.git("init", "-q", sandbox.folder.parent)
    shutil.rmtree(sandbox.folder / ".git")
    (sandbox.folder / ".git").mkdir()


def shared_folder(sandbox: Sandbox) -> None:
    other = created(sandbox.folder.parent / "other")
    sandbox.write(".git/commondir", f"{other.folder}/.git\n")


def objects(sandbox: Sandbox) -> None:
    elsewhere(sandbox, ".git/objects")


def packs(sandbox: Sandbox) -> None:
    elsewhere(sandbox, ".git/objects/pack")


def references(sandbox: Sandbox) -> None:
    elsewhere(sandbox, ".git/refs")


def settings(sandbox: Sandbox) -> None:
    elsewhere(sandbox, ".git/config")


def pipe(sandbox: Sandbox) -> None:
    """Git would read it for ever."""
    (sandbox.folder / ".git/config").unlink()
    os.mkfifo(sandbox.folder / ".git/config")


def pipe_of_alternates(sandbox: Sandbox) -> None:
    os.mkfifo(sandbox.folder / ".git/objects/info/alternates")


def alternates(sandbox: Sandbox) -> None:
    (sandbox.folder / ".git").rename(sandbox.folder.parent / "lender")
    sandbox.git("clone", "-q", "--shared", "../lender", "../borrowing")
    (sandbox.folder.parent / "borrowing/.git").rename(sandbox.folder / ".git")


def other_work_tree(sandbox: Sandbox) -> None:
    (sandbox.folder.parent / "other").mkdir()
    sandbox.git("config", "core.worktree", sandbox.folder.parent / "other")


def bare(sandbox: Sandbox) -> None:
    sandbox.git("config", "core.bare", "true")


def newer_format(sandbox: Sandbox) -> None:
    sandbox.git("config", "core.repositoryFormatVersion", "99")


def broken_settings(sandbox: Sandbox) -> None:
    sandbox.write(".git/config", "[core\n")


def bare_around(sandbox: Sandbox) -> None:
    """A bare repository that lies there as plain files is none, with or without a name in its settings."""
    for path in (sandbox.folder / ".git").iterdir():
        path.rename(sandbox.folder / path.name)
    (sandbox.folder / ".git").rmdir()


REFUSED: list[tuple[Callable[[Sandbox], None], str]] = [
    (link, "is a link to"),
    (pointer, "which is not a work tree or submodule of it"),
    (pointer_to_nothing, "which is not there"),
    (pointer_to_another_work_tree, "which is not a work tree or submodule of it"),
    (no_pointer, "is neither a repository nor does it say where one is"),
    (binary_pointer, "is not text"),
    (nothing_in_it, "is not a repository: it has no HEAD"),
    (shared_folder, "which has no such work tree"),
    (objects, "a part of the repository lies elsewhere"),
    (packs, "a part of the repository lies elsewhere"),
    (references, "a part of the repository lies elsewhere"),
    (settings, "a part of the repository lies elsewhere"),
    (pipe, "is neither a file nor a folder"),
    (pipe_of_alternates, "is neither a file nor a folder"),
    (alternates, "borrows objects from elsewhere"),
    (other_work_tree, "says that its work tree is elsewhere"),
    (bare, "git cannot open the repository"),
    (newer_format, "git cannot open the repository"),
    (broken_settings, "is not a configuration: git says"),
    (bare_around, "is not in a git repository"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_repository_that_is_refused(
    cli: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, change: Callable[[Sandbox], None], said: str
) -> None:
    change(sandbox)
    error = refusal(sandbox.folder)
    assert (error.code, said in error.text, bool(error.hint)) == ("CC644", True, True), error.text
    monkeypatch.chdir(sandbox.folder)
    result = cli("diff", "HEAD")
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_the_hint_about_alternates_says_mends_it(sandbox: Sandbox) -> None:
    alternates(sandbox)
    assert "git repack -a -d" in refusal(sandbox.folder).hint
    sandbox.git("repack", "-q", "-a", "-d")
    (sandbox.folder / ".git/objects/info/alternates").unlink()
    assert total(sandbox.folder) == params(4)


def test_a_repository_of_another_user(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container; what its hint says, written where CI writes it, mends it."""
    name = "GIT_TEST_ASSUME_DIFFERENT_OWNER"
    monkeypatch.setattr(process, "KEPT_VARIABLES", (*process.KEPT_VARIABLES, name))
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "user.config"))
    error = refusal(sandbox.folder)
    assert (error.code, error.text) == ("CC644", "git does not trust the repository: another user owns it")
    assert error.hint == f"git config --global --add safe.directory {sandbox.folder}"
    monkeypatch.delenv(name)
    sandbox.git("config", "--file", tmp_path / "user.config", "--add", "safe.directory", sandbox.folder)
    monkeypatch.setenv(name, "1")
    assert total(sandbox.folder) == params(4)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    (tmp_path / "home").mkdir()
    shutil.copy(tmp_path / "user.config", tmp_path / "home" / ".gitconfig")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert total(sandbox.folder) == params(4)


# --- what is taken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relative", [False, True])
def test_a_linked_work_tree(sandbox: Sandbox, tmp_path: Path, relative: bool) -> None:
    linked = tmp_path / "linked"
    sandbox.git("worktree", "add", "-q", "-b", "topic", linked)
    if relative:
        Sandbox(linked).write(".git", "gitdir: ../repo/.git/worktrees/linked\n")
        sandbox.write(".git/worktrees/linked/gitdir", "../../../../linked/.git\n")
    Sandbox(linked).write("a.yaml", net(9))
    assert total(linked) == params(4)
    linked.rename(tmp_path / "moved")
    if not relative:
        assert "git worktree repair" in refusal(tmp_path / "moved").hint
        sandbox.git("worktree", "repair", tmp_path / "moved")
        assert total(tmp_path / "moved") == params(4)


def test_submodules_in_submodules_and_in_linked_work_trees(sandbox: Sandbox, tmp_path: Path) -> None:
    middle, outer = created(tmp_path / "middle"), created(tmp_path / "outer")
    middle.git("submodule", "--quiet", "add", sandbox.folder, "inner")
    middle.commit({"a.yaml": net(5)})
    outer.git("submodule", "--quiet", "add", middle.folder, "parts/middle")
    outer.git("submodule", "--quiet", "update", "--init", "--recursive")
    outer.commit({"a.yaml": net(6)})
    outer.git("worktree", "add", "-q", "-b", "topic", tmp_path / "linked")
    Sandbox(tmp_path / "linked").git("submodule", "--quiet", "update", "--init", "--recursive")
    for top in (outer.folder, tmp_path / "linked"):
        assert total(top / "parts/middle/inner") == params(4)
        assert total(top / "parts/middle") == params(5)
        assert total(top) == params(6)


def test_a_submodule_that_leads_to_another(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is in the folder of another submodule says so itself."""
    outer = created(tmp_path / "outer")
    for name in ("one", "two"):
        outer.git("submodule", "--quiet", "add", sandbox.folder, name)
    outer.write("one/.git", "gitdir: ../.git/modules/two\n")
    assert "says that its work tree is elsewhere" in refusal(outer.folder / "one").text
    outer.write("one/.git", f"gitdir: {sandbox.folder}/.git\n")
    assert "which is not a work tree or submodule of it" in refusal(outer.folder / "one").text


def test_settings_beside_the_repositorys_own(sandbox: Sandbox) -> None:
    """A sparse checkout keeps its settings apart, and checkouts in CI include a file with credentials."""
    sandbox.write("../more.config", "[core]\n\tabbrev = 12\n")
    sandbox.git("config", "include.path", "../../more.config")
    sandbox.git("config", f"includeIf.gitdir:{sandbox.folder}/.git.path", "../../more.config")
    sandbox.git("config", "extensions.worktreeConfig", "true")
    assert total(sandbox.folder) == params(4)


def test_names_by_another_hash(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "repo")
    sandbox.git("init", "-q", "-b", "main", "--object-format=sha256")
    name = sandbox.commit({"a.yaml": net(4), "old.yaml": net(6)})
    (sandbox.folder / "old.yaml").rename(sandbox.folder / "new.yaml")
    baseline = open_baseline(at("HEAD"), str(sandbox.folder))
    assert (len(name), total(sandbox.folder, name)) == (64, params(4))
    past = baseline.counts("new.yaml")
    assert past is not None
    assert past.old_name == "old.yaml"


@pytest.mark.parametrize("filter_", ["blob:none", "tree:0"])
def test_a_partial_clone(sandbox: Sandbox, tmp_path: Path, filter_: str) -> None:
    """What is there is read; what is not is named, with what brings it, and nothing is fetched."""
    sandbox.commit({"a.yaml": net(5)})
    sandbox.git("config", "uploadpack.allowFilter", "true")
    sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = Sandbox(tmp_path / "clone")
    sandbox.git("clone", "-q", f"--filter={filter_}", f"file://{sandbox.folder}", clone.folder)
    before = {path: path.stat().st_mtime_ns for path in clone.folder.rglob("*")}
    assert total(clone.folder) == params(5)
    with pytest.raises(SpecErrors) as raised:
        total(clone.folder, "HEAD~1")
    (error,) = raised.value.errors
    assert (error.code, "this partial clone lacks it" in error.hint) in {("CC001", True), ("CC644", True)}
    assert {path: path.stat().st_mtime_ns for path in clone.folder.rglob("*")} == before
    clone.git("fetch", "-q", "--refetch", "--no-filter")
    assert total(clone.folder, "HEAD~1") == params(4)
