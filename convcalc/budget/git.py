"""Git, asked by lists of arguments and never through a shell: where a repository is, and which commit is meant."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from convcalc.errors import Source, Span, SpecError, SpecErrors, escape, quoted

NO_REPOSITORY = "CC644"
UNKNOWN = "CC642"
SHALLOW = "CC643"
MERGE_BASE = "merge-base"
ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
"""Set by git for its hooks: they would lead every call to the repository of the hook."""
TARGETS = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
"""Where continuous integration says which branch a pull request is for."""
USUAL = (
    ("refs/remotes/origin/HEAD", "origin/HEAD"),
    ("refs/remotes/origin/main", "origin/main"),
    ("refs/remotes/origin/master", "origin/master"),
    ("refs/heads/main", "main"),
    ("refs/heads/master", "master"),
)
"""Branches that others are usually merged into, by their full and by their short names."""
DEEPEN = (
    "fetch the whole history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` in GitLab CI, "
    "`git fetch --unshallow` elsewhere"
)
NAME_ONE = "name a revision: `convcalc check --baseline git:REV`, `convcalc diff --base REV`"


class Commit(NamedTuple):
    """One commit: its whole name, and what it is in words."""

    name: str
    label: str
    """``1a2b3c4 (merge-base with origin/main)``."""

    @property
    def short(self) -> str:
        return self.name[:7]


class Repository:
    """A repository with a work tree, which may be a linked one or a submodule."""

    def __init__(self, folder: str, place: Span | None = None) -> None:
        """Find the repository that a folder is in.

        Args:
            folder: may lie deep in the work tree.
            place: what asked for git, for the errors.

        Raises:
            SpecErrors: CC644, no git or no repository.
        """
        self.place = place
        self.top = os.path.realpath(folder)
        self.top = os.path.realpath(os.fsdecode(self._top()))

    def _top(self) -> bytes:
        if not os.path.isdir(self.top):
            raise self.error(NO_REPOSITORY, f"there is no folder {quoted(self.top)}", "")
        done = self.run("rev-parse", "--show-toplevel")
        if done.returncode == 0:
            return done.stdout.removesuffix(b"\n")
        said = _first(done.stderr)
        if "dubious ownership" in said:
            hint = f"git config --global --add safe.directory {escape(self.top)}"
            raise self.error(NO_REPOSITORY, "git does not trust the repository: another user owns it", hint)
        text = f"{quoted(self.top)} is not in a git repository" + (f": git says {quoted(said)}" if said else "")
        raise self.error(NO_REPOSITORY, text, "run it in a checkout, or keep the baseline in a file")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run git at the top of the work tree.

        Raises:
            SpecErrors: CC644, no git.
        """
        try:
            return subprocess.run(
                self.line(arguments), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError as error:
            raise self.without_git(error) from None

    def line(self, arguments: Sequence[str]) -> list[str]:
        """Return the arguments of a process that runs git here."""
        return ["git", "--no-pager", "-C", self.top, *arguments]

    def without_git(self, error: OSError) -> SpecErrors:
        """Return the error of a machine on which git does not start."""
        text = f"cannot run git: {error.strerror}"
        return self.error(NO_REPOSITORY, text, "install git, or keep the baseline in a file")

    def error(self, code: str, text: str, hint: str) -> SpecErrors:
        """Return an error at what asked for git, or at the repository."""
        return SpecErrors([SpecError(code, text, self.place or Span(Source(self.top)), hint)])

    @property
    def is_shallow(self) -> bool:
        """Whether the history was cut when the repository was fetched."""
        return self.run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    # --- commits ------------------------------------------------------------------------------------------------------

    def commit(self, revision: str) -> Commit:
        """Return the commit that a revision names.

        Raises:
            SpecErrors: CC642 unknown, CC643 the history is cut.
        """
        if revision.startswith("-"):
            text = f"{quoted(revision)} is no revision: it begins with `-`"
            raise self.error(UNKNOWN, text, "name a branch, a tag or a commit")
        name = self._name(revision)
        if name:
            known = name.startswith(revision) and len(revision) >= 7
            return Commit(name, name[:7] if known else f"{name[:7]} ({revision})")
        if self.is_shallow:
            raise self.error(SHALLOW, f"the revision {quoted(revision)} is not in this shallow clone", DEEPEN)
        if revision == "HEAD":
            raise self.error(UNKNOWN, "the repository has no commit yet", "commit the specs first")
        raise self.error(UNKNOWN, f"git knows no revision {quoted(revision)}", self._fetched(revision))

    def _name(self, revision: str) -> str:
        """Return the whole name of the commit, or nothing."""
        if not revision or "\0" in revision:
            return ""
        done = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return done.stdout.decode("ascii").strip() if done.returncode == 0 else ""

    def _fetched(self, revision: str) -> str:
        """Return the command that brings a revision here, as far as its name tells."""
        remote, slash, branch = revision.removeprefix("refs/remotes/").partition("/")
        if slash and remote in self.run("remote").stdout.decode("utf-8", "replace").split():
            return f"git fetch {remote} {branch}"
        return "`git fetch --all --tags` brings what others have pushed; `git branch -a` lists what is here"

    def merge_base(self, base: str | None = None, environ: Mapping[str, str] = os.environ) -> Commit:
        """Return the commit at which the present branch left the one that it is to be merged into.

        That is ``base``, or what continuous integration says, or the first of the usual branches that is there.

        Raises:
            SpecErrors: CC642 no such branch, or none in common; CC643 the history is cut.
        """
        name, label = self._target(base, environ)
        head = self.commit("HEAD").name
        done = self.run("merge-base", head, name)
        found = done.stdout.decode("ascii").strip()
        if found:
            return Commit(found, f"{found[:7]} (merge-base with {label})")
        if self.is_shallow:
            raise self.error(SHALLOW, f"this shallow clone ends before HEAD and {label} meet", DEEPEN)
        raise self.error(UNKNOWN, f"HEAD and {label} have no commit in common", NAME_ONE)

    def lacks_target(self, environ: Mapping[str, str] = os.environ) -> bool:
        """Whether nothing says which branch the present one could be merged into."""
        named = any(map(environ.get, TARGETS))
        return not named and not self.is_shallow and not any(self._name(full) for full, _ in USUAL)

    def _target(self, base: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
        if base is not None:
            return self.commit(base).name, base
        for variable in TARGETS:
            if branch := environ.get(variable):
                return self.commit(f"refs/remotes/origin/{branch}").name, f"origin/{branch}"
        for full, short in USUAL:
            if name := self._name(full):
                return name, short
        tried = ", ".join(short for _, short in USUAL)
        if self.is_shallow:
            raise self.error(SHALLOW, f"this shallow clone has none of the branches {tried}", DEEPEN)
        raise self.error(UNKNOWN, f"no branch to compare with: there is no {tried}", NAME_ONE)

    # --- files --------------------------------------------------------------------------------------------------------

    def files(self) -> list[str]:
        """Return the files of the work tree that git tracks, or would if it was told, from its top."""
        done = self.run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return list(dict.fromkeys(map(os.fsdecode, done.stdout.split(b"\0")[:-1])))

    def renamed(self, commit: Commit) -> dict[str, str]:
        """Return the files that were renamed since a commit, new path → old path, from the top of the work tree."""
        options = ("-M", "-l0", "--name-status", "-z", "--diff-filter=R", "--no-ext-diff", "--ignore-submodules=all")
        done = self.run("-c", "diff.relative=false", "diff", *options, commit.name, "--")
        return dict(_pairs(done.stdout.split(b"\0")))


def _pairs(fields: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Read ``R100``, old, new, and so on."""
    words = iter(fields)
    for status in words:
        if status.startswith(b"R"):
            old, new = next(words), next(words)
            yield os.fsdecode(new), os.fsdecode(old)


def _first(said: bytes) -> str:
    return next(iter(said.decode("utf-8", "replace").splitlines()), "").removeprefix("fatal: ")


def environment() -> dict[str, str]:
    """Return what git runs with: English, asking nobody, and about the folder that it is called for."""
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
