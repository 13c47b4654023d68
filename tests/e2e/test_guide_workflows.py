"""The workflows that the guide to CI shows: each is taken from there and run, on what its service checks out."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e.test_budget_workflow import NARROWER, NET, RATCHET, SINCE_MAIN, WIDER
from tests.repository import Repository
from tests.runner import ACTION, Runner
from tests.test_readme import CI, blocks

TEXTS = [block.text for block in blocks(CI.read_text("utf-8")) if block.language == "yaml"]


def shown(beginning: str) -> list[Any]:
    """What the guide's YAML blocks that begin so hold."""
    return [yaml.BaseLoader(text).get_single_data() for text in TEXTS if text.startswith(beginning)]


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    """A repository with a network, and with a program ``convcalc`` and a pip that has nothing to do."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, line in {
        "convcalc": f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m convcalc "$@"',
        "pip": f'echo "$@" >> "{tmp_path}/pip.txt"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    team = Repository(tmp_path / "team", {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}).begin()
    team.write("models/net.yaml", NET)
    return team


def test_github(team: Repository, tmp_path: Path) -> None:
    (workflow,) = shown("# file: .github/workflows/models.yml\n")
    *_, last = workflow["jobs"]["budgets"]["steps"]
    assert last["uses"] == "OWNER/convcalc@main"
    assert set(last["with"]) <= set(ACTION["inputs"])
    assert workflow["permissions"]["pull-requests"] == "write", "the comment needs it"
    assert set(workflow["on"]) == {"pull_request", "push"}
    team.write("convcalc-budget.yaml", SINCE_MAIN)
    team.commit("budgets")
    run = Runner(team.folder, tmp_path / "temp", installed=True)(**last["with"])
    assert run.exit_code == 0, run.log


def test_gitlab(team: Repository, tmp_path: Path) -> None:
    """GitLab fetches the commit of the pipeline alone, whatever the depth: not the branch that is to be merged into."""
    (pipeline,) = shown("# file: .gitlab-ci.yml\n")
    (job,) = pipeline.values()
    team.write("convcalc-budget.yaml", SINCE_MAIN)
    team.commit("budgets")
    team.git("switch", "-q", "-c", "wider")
    team.write("models/net.yaml", WIDER)
    team.commit("wider")
    variables = {"CI_DEFAULT_BRANCH": "main", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", **job["variables"]}
    clone = Repository(tmp_path / "clone", {**team.environment, **variables}).begin()
    clone.git("remote", "add", "origin", team.folder.as_uri())
    clone.git("fetch", "-q", "origin", "+refs/heads/wider:refs/pipelines/1")
    clone.git("checkout", "-q", "--detach", "refs/pipelines/1")
    result = clone.run("bash", "-eo", "pipefail", "-c", "\n".join(job["script"]))
    assert result.exit_code == 1, result
    assert (tmp_path / "pip.txt").read_text(
        "utf-8"
    ) == "install convcalc @ git+https://github.com/OWNER/convcalc@main\n"
    reports = job["artifacts"]["reports"]
    (finding,) = json.loads((clone.folder / reports["codequality"]).read_text("utf-8"))
    assert finding["location"]["path"] == "models/net.yaml"
    assert "CC614" in (clone.folder / reports["junit"]).read_text("utf-8")
    assert job["artifacts"]["when"] == "always", "or a red job would show nothing"


def test_the_robot_that_tightens(team: Repository, tmp_path: Path) -> None:
    (workflow,) = shown("# file: .github/workflows/ratchet.yml\n")
    assert workflow["permissions"] == {"contents": "write"}
    scripts = [step["run"] for step in workflow["jobs"]["tighten"]["steps"] if "run" in step]
    team.write("models/other.yaml", NET)
    team.write("convcalc-budget.yaml", RATCHET)
    assert team.convcalc("baseline", "write").exit_code == 0
    team.commit("budgets")
    team.write("models/net.yaml", NARROWER)
    team.write("models/other.yaml", WIDER)
    team.commit("one narrower, one wider")
    server = Repository(tmp_path / "server.git")
    team.git("clone", "-q", "--bare", team.folder, server.folder)
    for turn in ("first", "second"):  # the second has nothing to do
        robot = Repository(tmp_path / turn, team.environment)
        team.git("clone", "-q", "--depth", "1", server.folder.as_uri(), robot.folder)
        for script in scripts:
            result = robot.run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
            assert result.exit_code == 0, result
        assert server.git("rev-list", "--count", "main") == "3\n"
    kept = json.loads(server.git("show", "main:convcalc-baseline.json"))
    totals = {name: design["totals"]["params"] for name, design in kept["designs"].items()}
    assert totals == {"models/net.yaml": 714, "models/other.yaml": 890}, "nothing is raised"


def test_waivers(team: Repository) -> None:
    """The guide's waiver, under the guide's first budgets, for its network of 20,106 params."""
    limits, *_ = [text for text in TEXTS if text.startswith("# file: convcalc-budget.yaml\n")]
    (waivers,) = [text for text in TEXTS if text.startswith("waivers:\n")]
    (network,) = [text for text in TEXTS if text.startswith("# file: models/small.yaml\n")]
    team.write("models/small.yaml", network)
    team.write("convcalc-budget.yaml", limits.replace("25k", "20k"))
    assert team.convcalc("check", "models/small.yaml").exit_code == 1
    team.write("convcalc-budget.yaml", limits.replace("25k", "20k") + waivers)
    result = team.convcalc("check", "models/small.yaml", "-f", "concise")
    assert result.exit_code == 0, result
    team.write("convcalc-budget.yaml", limits.replace("25k", "20k") + re.sub("until: 2027", "until: 2020", waivers))
    expired = team.convcalc("check", "models/small.yaml", "-f", "concise")
    assert expired.exit_code == 1
    assert "CC617" in expired.stdout
