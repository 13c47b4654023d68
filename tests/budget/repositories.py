"""Real git repositories in temporary folders."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from convcalc.budget.file.types import BaselineLocation

NET = "input: [3, 8, 8]\nlayers:\n  - {conv: [%d, 3], name: stem}\n  - {conv: [2, 1], name: head}\n"
"""Parameters of stem and head: 27·n + n and 2·n + 2."""


def net(width: int) -> str:
    return NET % width


def params(width: int) -> int:
    return 28 * width + 2 * width + 2


class Sandbox:
    """A folder under git, whose commits are made by nobody in particular."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def git(self, *arguments: str | os.PathLike[str]) -> str:
        settings = ("user.name=n", "user.email=n@example.org", "commit.gpgsign=false", "protocol.file.allow=always")
        options = [word for setting in settings for word in ("-c", setting)]
        done = subprocess.run(
            ["git", *options, *arguments], cwd=self.folder, capture_output=True, check=False, env=plain_environment()
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "replace").strip()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self, files: dict[str, str] | None = None) -> str:
        """Write files, commit everything and return the commit's name."""
        for name, text in (files or {}).items():
            self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change", "--allow-empty")
        return self.git("rev-parse", "HEAD")


def created(folder: Path) -> Sandbox:
    made = Sandbox(folder)
    made.git("init", "-q", "-b", "main")
    return made


def plain_environment() -> dict[str, str]:
    """No settings of the machine that runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def at(revision: str) -> BaselineLocation:
    return BaselineLocation("git", revision, None)
