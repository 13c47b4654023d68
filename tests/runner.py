"""A runner of GitHub Actions, as far as a composite action of bash steps needs one, written from its documentation.

Steps with ``uses`` are noted and passed over. Of expressions it knows dotted names, and ``==`` and ``!=`` with a text.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.conftest import HANG, ROOT

ACTION: dict[str, Any] = yaml.BaseLoader((ROOT / "action.yml").read_text("utf-8")).get_single_data()
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
CONDITION = re.compile(r"([\w.-]+) *(==|!=) *'([^']*)'")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


class Run(NamedTuple):
    """What became of the action."""

    exit_code: int
    """Of the step that failed, or 0."""
    outputs: dict[str, str]
    log: str
    summary: str

    @property
    def commands(self) -> list[tuple[str, str, str]]:
        """The workflow commands that the runner obeys: name, properties, text."""
        return list(obeyed(self.log))


def obeyed(log: str) -> Iterator[tuple[str, str, str]]:
    """``::name props::text`` behind blanks, and the old ``##[name props]text`` anywhere, but for what is stopped."""
    token = None
    for line in log.splitlines():
        if token is not None:
            token = None if line.strip() == f"::{token}::" else token
            continue
        found = re.match(r"\s*::([\w-]+)(?: (.*?))?::(.*)", line) or re.search(r"##\[([\w-]+)(?: (.*?))?\](.*)", line)
        if found and found[1] == "stop-commands":
            token = found[3]
        elif found:
            yield found[1], found[2] or "", found[3]


@dataclass
class Runner:
    """Runs the action in a workspace, with its files beside it."""

    workspace: Path
    temp: Path
    github: dict[str, Any] = field(default_factory=dict)
    """The context ``github``: token, event."""
    environment: dict[str, str] = field(default_factory=dict)
    installed: bool = False
    """Whether to take the program of this checkout for the installed one, which saves seconds."""

    def __call__(self, **inputs: str) -> Run:
        given = {name: value.get("default", "") for name, value in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        context: dict[str, Any] = {"github": self.github, "steps": {}}
        context["inputs"] = {name: filled(value, context) for name, value in given.items()}
        self.temp.mkdir(exist_ok=True)
        summary = self.temp / "summary.md"
        summary.write_text("", encoding="utf-8")
        log, code = "", 0
        for step in STEPS:
            if code or "run" not in step or not holds(step.get("if"), context):
                continue
            process, outputs = self._step(step, context, summary)
            log, code = log + process.stdout.decode(), process.returncode
            context["steps"][step.get("id")] = {"outputs": outputs}
        results = {name: filled(output["value"], context) for name, output in ACTION["outputs"].items()}
        return Run(code, results, log, summary.read_text("utf-8"))

    def _step(
        self, step: Mapping[str, Any], context: dict[str, Any], summary: Path
    ) -> tuple[subprocess.CompletedProcess[bytes], dict[str, str]]:
        script, output = self.temp / "script.sh", self.temp / "output.txt"
        text = self._installation() if self.installed and step.get("id") == "install" else step["run"]
        script.write_text(text, encoding="utf-8")
        output.write_text("", encoding="utf-8")
        named = {name: filled(value, context) for name, value in step.get("env", {}).items()}
        process = subprocess.run(
            [*SHELL, str(script)],
            cwd=self.workspace,
            env={**self._variables(), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), **named},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=HANG,
            check=False,
        )
        lines = output.read_text("utf-8").splitlines()
        return process, dict(line.split("=", 1) for line in lines)

    def _variables(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if name in {"PATH", "HOME"} or name.startswith("PIP_")
        }
        return {
            **kept,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": "http://127.0.0.1:9",
            "GITHUB_GRAPHQL_URL": "http://127.0.0.1:9/graphql",
            "GITHUB_JOB": "budgets",
            "GITHUB_REPOSITORY": "team/models",
            "GITHUB_WORKFLOW": "Models",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            **self.environment,
        }

    def _installation(self) -> str:
        """Lay out what the step that installs leaves behind, with this checkout; no script imports from its folder."""
        shutil.rmtree(self.temp / "convcalc", ignore_errors=True)
        programs = self.temp / "convcalc" / "bin"
        programs.mkdir(parents=True)
        for name, call in {"python": "", "convcalc": " -P -m convcalc"}.items():
            text = f'#!/bin/sh\nPYTHONPATH={ROOT}${{PYTHONPATH:+:$PYTHONPATH}} exec {sys.executable}{call} "$@"\n'
            (programs / name).write_text(text, encoding="utf-8")
            (programs / name).chmod(0o755)
        return f'printf "folder={programs.parent}\\nbin={programs}\\n" >> "$GITHUB_OUTPUT"\n'


def filled(text: str, context: Mapping[str, Any]) -> str:
    """The text with the values of its expressions; what is not there is empty."""
    return EXPRESSION.sub(lambda found: looked_up(found[1], context), text)


def looked_up(name: str, context: Any) -> str:
    for part in name.split("."):
        context = context.get(part, "") if isinstance(context, Mapping) else ""
    return str(context)


def holds(condition: str | None, context: Mapping[str, Any]) -> bool:
    if condition is None:
        return True
    found = CONDITION.fullmatch(condition)
    assert found, condition
    return (looked_up(found[1], context) == found[3]) is (found[2] == "==")
