"""Which commit is meant: revisions, merge bases and parents of a repository that was looked over first."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from convcalc.errors import Source, Span, SpecError, SpecErrors, escape, quoted
from convcalc.git import ci, process
from convcalc.git.process import ObjectReader
from convcalc.git.worktree import USE_FILE_HINT, RepositoryRefused, require_sound
from convcalc.paths import repository_root
from convcalc.records import NamedTuple, cached_property

NO_REPOSITORY = "CC644"
UNKNOWN = "CC642"
SHALLOW = "CC643"
MERGE_BASE = "merge-base"
DEFAULT_BRANCHES = (
    ("refs/remotes/origin/HEAD", "origin/HEAD"),
    ("refs/remotes/origin/main", "origin/main"),
    ("refs/remotes/origin/master", "origin/master"),
    ("refs/heads/main", "main"),
    ("refs/heads/master", "master"),
)
"""Branches that others are usually merged into, by their full and by their short names."""
UNSHALLOW_HINT = (
    "fetch the whole history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` in GitLab CI, "
    "`git fetch --unshallow` elsewhere"
)
NAME_REVISION_HINT = "name a revision: `convcalc check --baseline git:REV`, `convcalc diff --base REV`"
FULL_CLONE_HINT = (
    "this partial clone lacks it, and nothing is fetched here: `git fetch --refetch --no-filter` makes it whole"
)
_PARENT = re.compile(rb"^parent ([0-9a-f]+)$", re.MULTILINE)


class Commit(NamedTuple):
    """One commit: its whole name, and what it is in words."""

    hash: str
    label: str
    """``1a2b3c4 (merge-base with origin/main)``."""

    @property
    def short(self) -> str:
        return self.hash[:7]


class Repository:
    """A repository with a work tree, which may be a linked one or a submodule."""

    def __init__(self, folder: str, place: Span | None = None) -> None:
        """Find the repository that a folder is in.

        Args:
            folder: may lie deep in the work tree.
            place: what asked for git, for the errors.

        Raises:
            SpecErrors: CC644, no git, no repository, or one that is not trusted.
        """
        self.place = place
        self.top = os.path.realpath(folder)
        self.top = self._top()
        try:
            require_sound(self.top)
        except RepositoryRefused as refused:
            raise self.error(NO_REPOSITORY, refused.text, refused.hint) from None
        except OSError as error:
            raise self._git_missing(error) from None
        self.is_shallow = self._open()
        """Whether the history was cut when the repository was fetched."""
        self.objects = ObjectReader(self.top)

    def _top(self) -> str:
        if not os.path.isdir(self.top):
            raise self.error(NO_REPOSITORY, f"there is no folder {quoted(self.top)}", "")
        top = repository_root(self.top)
        if top is None:
            text = f"{quoted(self.top)} is not in a git repository"
            raise self.error(NO_REPOSITORY, text, f"run it in a checkout, or {USE_FILE_HINT}")
        return top

    def _open(self) -> bool:
        """Have git open the repository: it must be that of this work tree. Return whether it is shallow."""
        done = self.run("rev-parse", "--is-shallow-repository", "--show-toplevel")
        if done.returncode:
            raise self._open_error(process.first_line(done.stderr))
        shallow, _, top = done.stdout.partition(b"\n")
        if os.path.realpath(os.fsdecode(top.removesuffix(b"\n"))) != self.top:
            text = f"the repository in {quoted(self.top)} says that its work tree is elsewhere"
            raise self.error(NO_REPOSITORY, text, f"`git config --unset core.worktree` fixes it; or {USE_FILE_HINT}")
        return shallow == b"true"

    def _open_error(self, said: str) -> SpecErrors:
        if "dubious ownership" in said:
            hint = f"git config --global --add safe.directory {escape(self.top)}"
            return self.error(NO_REPOSITORY, "git does not trust the repository: another user owns it", hint)
        text = f"git cannot open the repository in {quoted(self.top)}" + (f": it says {quoted(said)}" if said else "")
        return self.error(NO_REPOSITORY, text, USE_FILE_HINT)

    def run(self, *arguments: str) -> process.Done:
        """Run git at the top of the work tree.

        Raises:
            SpecErrors: CC644, no git.
        """
        try:
            return process.run(self.top, *arguments)
        except OSError as error:
            raise self._git_missing(error) from None

    def _git_missing(self, error: OSError) -> SpecErrors:
        return self.error(NO_REPOSITORY, f"cannot run git: {error.strerror}", f"install git, or {USE_FILE_HINT}")

    def error(self, code: str, text: str, hint: str) -> SpecErrors:
        """Return an error at what asked for git, or at the repository."""
        return SpecErrors([SpecError(code, text, self.place or Span(Source(self.top)), hint)])

    @cached_property
    def is_partial(self) -> bool:
        """Whether contents were left out when the repository was cloned, to be fetched when they are needed."""
        keys = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
        return self.run("config", "--name-only", "--get-regexp", keys).returncode == 0

    # --- commits ------------------------------------------------------------------------------------------------------

    def commit(self, revision: str) -> Commit:
        """Return the commit that a revision names.

        Raises:
            SpecErrors: CC642 unknown, CC643 the history is cut.
        """
        if revision.startswith("-"):
            text = f"{quoted(revision)} is not a revision: it begins with `-`"
            raise self.error(UNKNOWN, text, "name a branch, a tag or a commit")
        name = self._hash_of(revision)
        if name:
            known = name.startswith(revision) and len(revision) >= 7
            return Commit(name, name[:7] if known else f"{name[:7]} ({revision})")
        if not revision.strip() or ".." in revision:
            raise self.error(UNKNOWN, *_no_commit(revision))
        if self.is_shallow:
            raise self.error(SHALLOW, f"the revision {quoted(revision)} is not in this shallow clone", UNSHALLOW_HINT)
        if revision == "HEAD":
            raise self.error(UNKNOWN, "the repository has no commit yet", "commit the specs first")
        raise self.error(UNKNOWN, f"git knows no revision {quoted(revision)}", self._fetch_hint(revision))

    @property
    def head(self) -> str:
        """The whole name of the commit that is checked out; nothing before the first."""
        return self._hash_of("HEAD")

    def _hash_of(self, revision: str) -> str:
        """Return the whole name of the commit, or nothing."""
        return self.objects.hash_of(f"{revision}^{{commit}}", "commit") if revision else ""

    def _fetch_hint(self, revision: str) -> str:
        """Return the command that brings a revision here, as far as its name tells."""
        remote, slash, branch = revision.removeprefix("refs/remotes/").partition("/")
        if slash and self.run("config", "--get-all", f"remote.{remote}.url").returncode == 0:
            return f"git fetch {remote} {branch}"
        return "`git fetch --all --tags` brings what others have pushed; `git branch -a` lists what is here"

    def commit_before_head(self, environ: Mapping[str, str] = os.environ) -> Commit | None:
        """Return the commit before HEAD, of a merge the one that was merged into; nothing before the first.

        Where continuous integration says at which earlier commit the push began that ended in HEAD, it is that one.

        Raises:
            SpecErrors: CC643, the history is cut there.
        """
        head = self.head
        pushed = self._hash_of(ci.commit_before_push(environ, head))
        if pushed and self.run("merge-base", "--is-ancestor", pushed, head).returncode == 0:
            return Commit(pushed, f"{pushed[:7]} (before the push)")
        parents = _PARENT.findall((self.objects.content(head) or b"").partition(b"\n\n")[0])
        if not parents:
            return None
        name = parents[0].decode("ascii")
        if not self._hash_of(name):
            text = f"this shallow clone ends at HEAD, {head[:7]}: the commit before it is not there"
            raise self.error(SHALLOW, text, UNSHALLOW_HINT)
        return Commit(name, f"{name[:7]} ({'first parent of' if len(parents) > 1 else 'the commit before'} HEAD)")

    def merge_base(self, base: str | None = None, environ: Mapping[str, str] = os.environ) -> Commit:
        """Return the commit at which the present branch left the one that it is to be merged into.

        That is ``base``, or what continuous integration says, or the first of the usual branches that is there.

        Raises:
            SpecErrors: CC642 no such branch, or none in common; CC643 the history is cut.
        """
        name, label = self._target(base, environ)
        head = self.commit("HEAD").hash
        done = self.run("merge-base", head, name)
        found = done.stdout.decode("ascii").strip()
        if found:
            return Commit(found, f"{found[:7]} (merge-base with {label})")
        if self.is_shallow:
            raise self.error(SHALLOW, f"this shallow clone ends before HEAD and {label} meet", UNSHALLOW_HINT)
        raise self.error(UNKNOWN, f"HEAD and {label} have no commit in common", NAME_REVISION_HINT)

    def has_no_target_branch(self, environ: Mapping[str, str] = os.environ) -> bool:
        """Whether nothing says which branch the present one could be merged into."""
        return (
            not any(ci.target_branches(environ))
            and not self.is_shallow
            and not any(self._hash_of(full) for full, _ in DEFAULT_BRANCHES)
        )

    def _target(self, base: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
        if base is not None:
            self.place = Span(Source("--base", base), 1, 1, max(1, len(base)))
            return self.commit(base).hash, base
        for branch in ci.target_branches(environ):
            return self.commit(f"refs/remotes/origin/{branch}").hash, f"origin/{branch}"
        for full, short in DEFAULT_BRANCHES:
            if name := self._hash_of(full):
                return name, short
        tried = ", ".join(short for _, short in DEFAULT_BRANCHES)
        if self.is_shallow:
            raise self.error(SHALLOW, f"this shallow clone has none of the branches {tried}", UNSHALLOW_HINT)
        raise self.error(UNKNOWN, f"no branch to compare with: there is no {tried}", NAME_REVISION_HINT)


def _no_commit(revision: str) -> tuple[str, str]:
    """Return what is wrong with a revision that is empty or a range, and what helps."""
    if not revision.strip():
        return f"{quoted(revision)} names no revision", "name a branch, a tag or a commit, or leave it out"
    first, _, rest = revision.partition("..")
    first, last = first.strip() or "HEAD", rest.strip(". ") or "HEAD"
    one = f"what `git merge-base {first} {last}` prints" if rest.startswith(".") else first
    text = f"{quoted(revision)} is a range; the work tree is compared with one commit"
    return text, f"write {one}, with {last} checked out"
