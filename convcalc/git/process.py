"""The one door to git. Nothing that a repository holds, its own configuration among it, makes git run a command.

Git reads programs to run out of a repository's configuration: for the index (fsmonitor), hooks, contents (filters, diff
drivers), transports, pagers, signatures. Only plumbing that needs none of them is called (``rev-parse``, ``cat-file``,
``ls-tree``, ``merge-base``, ``check-ignore --no-index``), and what could still reach one is switched off here.
"""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TypeAlias

Done: TypeAlias = subprocess.CompletedProcess[bytes]
Running: TypeAlias = subprocess.Popen[bytes]

PROGRAM = "git.exe" if os.name == "nt" else "git"
SETTINGS = (
    "safe.bareRepository=explicit",  # a bare repository that lies in a work tree as plain files is none
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.sshCommand=false",
    "core.gitProxy=none",
    "credential.helper=",
    "protocol.allow=never",
)
"""They go before every file of configuration, the user's too: its relative paths lead into the work tree."""
KEPT_VARIABLES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM")
"""The variables of git that stay. They say where the user's own configuration is, and with it ``safe.directory``. All
others lead git elsewhere (hooks set them), name programs, or write files."""
SET_VARIABLES = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "",  # older versions fetch what a partial clone lacks: none may be spoken
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def run(top: str, *arguments: str) -> Done:
    """Run git at the top of a work tree.

    Raises:
        OSError: git is not there.
    """
    return subprocess.run(
        _command(top, arguments), env=_environment(top), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )


def start(top: str, *arguments: str) -> Running:
    """Start git at the top of a work tree, to be asked and to answer.

    Raises:
        OSError: git is not there.
    """
    return subprocess.Popen(
        _command(top, arguments),
        env=_environment(top),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def first_line(said: bytes) -> str:
    """Return the first line of what git says of a fault."""
    return next(iter(said.decode("utf-8", "replace").splitlines()), "").removeprefix("fatal: ")


def _command(top: str, arguments: tuple[str, ...]) -> list[str]:
    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    return [_program(), "--no-pager", *settings, "-C", top, *arguments]


def _program() -> str:
    for folder in _folders():
        path = os.path.join(folder, PROGRAM)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), PROGRAM)


def _folders() -> list[str]:
    """Return the folders of ``PATH`` but for relative ones: those lead into whatever tree is looked at."""
    folders = (folder.strip('"') for folder in os.environ.get("PATH", os.defpath).split(os.pathsep))
    return [folder for folder in folders if os.path.isabs(folder)]


def _environment(top: str) -> dict[str, str]:
    """Return what git runs with: English, asking nobody, and about the folder that it is called for alone."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper() in KEPT_VARIABLES
    }
    ceiling = {"GIT_CEILING_DIRECTORIES": os.path.dirname(top), "PATH": os.pathsep.join(_folders())}
    return {**kept, **SET_VARIABLES, **ceiling}
