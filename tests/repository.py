"""A git repository in a temporary folder, and the programs that people run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import HANG, LEAKS, ROOT, Result

HIDDEN = ("CI_", "GITHUB_", "GIT_", "PRE_COMMIT")
"""How variables begin that would tell git, or a program that asks where it runs, about the run of the tests."""
PLAIN = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_NAME": "Somebody" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "somebody@example.org" for who in ("AUTHOR", "COMMITTER")},
}


@dataclass
class Repository:
    """Its work tree, and what is in the environment beside the usual."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str | Path) -> Result:
        """Run a program in the work tree, without the settings of whoever runs the tests."""
        hidden = (name for name in os.environ if name.startswith(HIDDEN) or name in LEAKS)
        inherited = {name: os.environ[name] for name in set(os.environ) - set(hidden)}
        process = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env={**inherited, **PLAIN, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=HANG,
            check=False,
        )
        return Result(process.returncode, process.stdout.decode(), process.stderr.decode())

    def convcalc(self, *words: str) -> Result:
        """Run this checkout's program."""
        path = os.pathsep.join([str(ROOT), *self.environment.get("PYTHONPATH", "").split(os.pathsep)])
        return Repository(self.folder, {**self.environment, "PYTHONPATH": path}).run(
            sys.executable, "-m", "convcalc", *words
        )

    def git(self, *words: str | Path) -> str:
        """Run git, which has to succeed."""
        result = self.run("git", *words)
        assert result.exit_code == 0, result
        return result.stdout

    def begin(self) -> Repository:
        """Make it a repository with a branch ``main``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        return self

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
