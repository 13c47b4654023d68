"""What continuous integration says of a run: the branch that a pull request is for, and where a push began."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

CI_TARGET_VARIABLES = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
"""The branch that a pull request is for; empty or absent in other runs."""
_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""The commit that the run is of."""
_EVENT = "GITHUB_EVENT_PATH"
"""The file that tells all of a run; of a push, what its branch was ``before``."""
_BEFORE = "CI_COMMIT_BEFORE_SHA"
VARIABLES = (*CI_TARGET_VARIABLES, *_COMMITS, _EVENT, _BEFORE)


def target_branches(environ: Mapping[str, str]) -> Iterator[str]:
    """Give the branch that the present one is to be merged into, if anything says so."""
    return (branch for name in CI_TARGET_VARIABLES if (branch := environ.get(name)))


def commit_before_push(environ: Mapping[str, str], head: str) -> str:
    """Return the commit that the branch was at before a push that ended in HEAD; nothing where that is not known."""
    if head not in map(environ.get, _COMMITS):
        return ""
    name = environ.get(_BEFORE) or _read_event(environ.get(_EVENT, ""))
    return name if name.strip("0") else ""


def _read_event(path: str) -> str:
    if not os.path.isfile(path):  # a pipe would be waited for
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            event = json.load(file)
    except (OSError, ValueError, RecursionError):
        return ""
    name = event.get("before") if isinstance(event, dict) else None
    return name if isinstance(name, str) else ""
