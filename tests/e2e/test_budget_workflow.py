"""A team with budgets, from the first run to a ratchet: real repositories, real branches, real clones."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.repository import Repository
from tests.runner import Runner

NET = """\
input: [3, 32, 32]
vars: {width: 16}
layers:
  - {conv: [width, 3], name: stem}
  - {conv: [16, 1], name: mix}
  - [avgpool: global, flatten, {linear: 10, name: head}]
"""
"""With a stem of w kernels: 3·3·3·w + w in the stem, 16·w + 16 behind it, 170 in the head; 890 params for 16."""
WIDER = NET.replace("width: 16", "width: 17")
"""476 + 288 + 170 = 934 params: 44 more, 4.94 %."""
WIDEST = NET.replace("width: 16", "width: 18")
"""504 + 304 + 170 = 978 params."""
NARROWER = NET.replace("width: 16", "width: 12")
"""336 + 208 + 170 = 714 params."""
BROKEN = NET.replace("{conv: [16, 1]", "{cnov: [16, 1]")

GROWTH = """\
version: 1
baseline: {%s}
budgets:
  - id: no-surprise-growth
    designs: ["models/**/*.yaml"]
    growth: {params: "+%s"}
"""
SINCE_MAIN = GROWTH % ("git: merge-base", "1%")
SINCE_FILE = GROWTH % ("file: convcalc-baseline.json", "1%")
RATCHET = """\
version: 1
baseline: {file: convcalc-baseline.json}
budgets:
  - id: only-smaller
    designs: ["models/**/*.yaml"]
    ratchet: {metrics: [params]}
"""


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    """A repository with one network on its main branch."""
    team = Repository(tmp_path / "team").begin()
    team.write("models/net.yaml", NET)
    return team


def committed(team: Repository, budget: str, branch: str = "wider", network: str = WIDER) -> None:
    """Commit the budget to main, and a network to a branch."""
    team.write("convcalc-budget.yaml", budget)
    team.commit("budgets")
    team.git("switch", "-q", "-c", branch)
    team.write("models/net.yaml", network)
    if network != NET:
        team.commit(branch)


# --- growth since the branch left main --------------------------------------------------------------------------------


def test_growth_in_a_branch_names_the_layer(team: Repository) -> None:
    committed(team, SINCE_MAIN)
    result = team.convcalc("check")
    assert (result.exit_code, result.stderr) == (1, "")
    for said in (
        "CC614",
        "no-surprise-growth",
        "models/net.yaml",
        "934",
        "890",
        "stem",
        "grew",
        "convcalc-budget.yaml:6",
    ):
        assert said in result.stdout
    (finding,) = json.loads(team.convcalc("check", "--json").stdout)["findings"]
    assert (finding["value"], [layer["path"] for layer in finding["heaviest"]]) == (934, ["stem", "mix"])
    team.git("switch", "-q", "main")
    assert team.convcalc("check").exit_code == 0


@pytest.mark.parametrize(("allowed", "code"), [("44", 0), ("43", 1), ("4.9%", 1), ("5%", 0), ("1% or +44", 0)])
def test_the_allowance_is_inclusive_and_exact(team: Repository, allowed: str, code: int) -> None:
    committed(team, GROWTH % ("git: merge-base", allowed))
    assert team.convcalc("check").exit_code == code


def test_what_main_did_meanwhile_does_not_count(team: Repository) -> None:
    committed(team, SINCE_MAIN, "other", NET)
    team.git("switch", "-q", "main")
    team.write("models/net.yaml", WIDEST)
    team.commit("main has grown")
    assert team.convcalc("check").exit_code == 1, "on main itself it is the last commit that is judged"
    team.git("switch", "-q", "other")
    assert team.convcalc("check").exit_code == 0


def test_a_network_that_is_not_committed_yet_counts(team: Repository) -> None:
    team.write("convcalc-budget.yaml", SINCE_MAIN)
    team.commit("budgets")
    team.write("models/net.yaml", WIDER)
    assert team.convcalc("check").exit_code == 1


def test_a_new_network_passes_and_is_mentioned(team: Repository) -> None:
    committed(team, SINCE_MAIN, "new", NET + "# a remark\n")
    team.write("models/new.yaml", WIDEST)
    result = team.convcalc("check")
    assert result.exit_code == 0
    assert "models/new.yaml" in result.stdout
    assert "new" in result.stdout.replace("new.yaml", "")


def test_growth_that_is_accepted_is_green_and_no_further(team: Repository) -> None:
    committed(team, SINCE_MAIN)
    accepted = team.convcalc("baseline", "accept", "no-surprise-growth", "--reason", "a wider stem")
    assert accepted.exit_code == 0, accepted
    result = team.convcalc("check")
    assert result.exit_code == 0, result
    kept = json.loads((team.folder / "convcalc-baseline.json").read_text("utf-8"))["accepted"]
    assert [(entry["metric"], entry["value"], entry["reason"]) for entry in kept] == [("params", 934, "a wider stem")]
    team.write("models/net.yaml", WIDEST)
    assert team.convcalc("check").exit_code == 1, "what was accepted is a value, not the rule"


# --- a baseline in a file ---------------------------------------------------------------------------------------------


def hinted(text: str) -> list[str]:
    """The command that a hint names."""
    (line,) = re.findall(r"hint: (?:.*?`)?(convcalc [^`\n]*)", text)
    return shlex.split(line)[1:]


def test_the_first_run_says_what_to_do(team: Repository) -> None:
    team.write("convcalc-budget.yaml", SINCE_FILE)
    result = team.convcalc("check")
    assert result.exit_code == 2
    assert "convcalc-budget.yaml:2:" in result.stdout
    assert "CC641" in result.stdout
    assert hinted(result.stdout) == ["baseline", "write"]
    assert not (team.folder / "convcalc-baseline.json").exists(), "check never writes"
    assert team.convcalc(*hinted(result.stdout)).exit_code == 0
    assert team.convcalc("check").exit_code == 0
    team.write("models/net.yaml", WIDER)
    assert team.convcalc("check").exit_code == 1


def test_a_budget_without_growth_needs_no_baseline(team: Repository) -> None:
    limits = SINCE_FILE.replace('growth: {params: "+1%"}', "max: {params: 890}")
    team.write("convcalc-budget.yaml", limits)
    assert team.convcalc("check").exit_code == 0


def test_a_ratchet_that_a_robot_tightens(team: Repository) -> None:
    team.write("convcalc-budget.yaml", RATCHET)
    assert team.convcalc("baseline", "write").exit_code == 0
    committed(team, RATCHET, "narrower", NARROWER)
    assert team.convcalc("check").exit_code == 0
    team.git("switch", "-q", "main")
    team.git("merge", "-q", "narrower")
    assert team.convcalc("baseline", "tighten").exit_code == 0
    assert team.git("status", "--porcelain") == " M convcalc-baseline.json\n"
    team.commit("tightened")
    assert team.convcalc("baseline", "tighten").exit_code == 0
    assert team.git("status", "--porcelain") == "", "a second time there is nothing to commit"
    team.write("models/net.yaml", NET)
    result = team.convcalc("check")
    assert result.exit_code == 1
    for said in ("CC615", "only-smaller", "890", "714", "stem"):
        assert said in result.stdout
    assert team.convcalc("baseline", "tighten").exit_code == 0
    assert team.git("status", "--porcelain") == " M models/net.yaml\n", "it never loosens"


# --- clones -----------------------------------------------------------------------------------------------------------


def cloned(team: Repository, tmp_path: Path, *options: str) -> Repository:
    """Clone the repository, whose own branch is ``main``, as a server's is."""
    team.git("switch", "-q", "main")
    clone = Repository(tmp_path / "clone")
    team.git("clone", "-q", *options, team.folder.as_uri(), clone.folder)
    return clone


def test_a_shallow_clone_says_what_to_fetch(team: Repository, tmp_path: Path) -> None:
    committed(team, SINCE_MAIN)
    clone = cloned(team, tmp_path, "--depth", "1", "--branch", "wider")
    result = clone.convcalc("check")
    assert result.exit_code == 2
    assert "CC643" in result.stdout
    assert "fetch-depth: 0" in result.stdout
    clone.git("fetch", "-q", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*")
    assert clone.convcalc("check").exit_code == 1


def test_without_git_a_baseline_in_a_file_is_enough(team: Repository, tmp_path: Path) -> None:
    for name, text in {"convcalc-budget.yaml": SINCE_FILE, "models/net.yaml": NET}.items():
        Repository(tmp_path / "plain").write(name, text)
    plain = Repository(tmp_path / "plain", {"PATH": ""})
    assert plain.convcalc("baseline", "write").exit_code == 0
    assert plain.convcalc("check").exit_code == 0


def test_git_that_is_needed_and_not_there(team: Repository) -> None:
    team.write("convcalc-budget.yaml", SINCE_MAIN)
    result = Repository(team.folder, {"PATH": ""}).convcalc("check")
    assert result.exit_code == 2
    assert "CC644" in result.stdout


# --- a pull request from a fork, on a runner --------------------------------------------------------------------------


@pytest.mark.parametrize(("network", "code"), [(WIDER, 1), (NARROWER, 0)], ids=["grown", "shrunk"])
def test_a_pull_request_from_a_fork(team: Repository, tmp_path: Path, network: str, code: int) -> None:
    """What actions/checkout leaves: the commit that merges the two, detached, with the branches of origin."""
    committed(team, SINCE_MAIN, "change", network)
    clone = cloned(team, tmp_path, "--branch", "main")
    clone.git("checkout", "-q", "--detach", "origin/main")
    clone.git("merge", "-q", "--no-ff", "-m", "merge", "origin/change")
    clone.git("branch", "-q", "-D", "main")
    runner = Runner(clone.folder, tmp_path / "temp", installed=True, environment={"GITHUB_BASE_REF": "main"})
    runner.github = {"token": "", "event": {"pull_request": {"number": 7}}}
    run = runner(comment="true")
    assert (run.exit_code, run.outputs["exit-code"]) == (code, str(code)), run.log
    (notice,) = [text for name, _, text in run.commands if name == "notice" and "comment" in text]
    assert "there is no token" in notice
    errors = [(where, text) for name, where, text in run.commands if name == "error"]
    assert len(errors) == code
    for where, text in errors:
        assert "file=models/net.yaml" in where
        assert "stem" in text
    assert "models/net.yaml" in run.summary
    assert ("+44 (+4.94 %)" if code else "-176 (-19.78 %)") in run.summary


def test_a_runner_with_a_shallow_checkout_could_not_judge(team: Repository, tmp_path: Path) -> None:
    committed(team, SINCE_MAIN)
    clone = cloned(team, tmp_path, "--depth", "1", "--branch", "wider")
    run = Runner(clone.folder, tmp_path / "temp", installed=True, environment={"GITHUB_BASE_REF": "main"})()
    assert (run.exit_code, run.outputs["exit-code"]) == (2, "2"), run.log
    assert "fetch-depth: 0" in run.log
    assert "fetch-depth" in run.summary


# --- exit codes -------------------------------------------------------------------------------------------------------


def test_a_broken_spec_beside_a_broken_budget(team: Repository) -> None:
    """2 beats 1, and everything is reported: the budget that is broken by one network, the network that is broken."""
    committed(team, SINCE_MAIN)
    team.write("models/other.yaml", BROKEN)
    result = team.convcalc("check")
    assert result.exit_code == 2
    assert "CC614" in result.stdout
    assert "934" in result.stdout
    assert re.search(r"models/other\.yaml:5:\d+: error CC2\d\d", result.stdout)


def test_a_malformed_budget_file_cannot_judge(team: Repository) -> None:
    team.write("convcalc-budget.yaml", SINCE_MAIN.replace('"+1%"', "0.01"))
    result = team.convcalc("check")
    assert result.exit_code == 2
    assert "convcalc-budget.yaml:6:" in result.stdout + result.stderr
    assert "1%" in result.stdout + result.stderr, "a bare fraction is answered with how to write it"


def test_a_bug_is_neither_a_finding_nor_a_mistake(team: Repository, tmp_path: Path) -> None:
    committed(team, SINCE_MAIN)
    Repository(tmp_path / "bug").write(
        "sitecustomize.py", "from convcalc.ops import find\n\nfind('conv').weights = lambda *_: 1 // 0\n"
    )
    result = Repository(team.folder, {"PYTHONPATH": str(tmp_path / "bug")}).convcalc("check")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Traceback" not in result.stderr
    assert "ZeroDivisionError" in result.stderr
