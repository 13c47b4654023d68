"""``.pre-commit-hooks.yaml``: pre-commit itself installs the hooks and runs them before commits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from convcalc.designs.names import BUDGET_FILE
from tests.conftest import ROOT
from tests.repository import Repository
from tests.test_action import BUDGET as LIMITS
from tests.test_action import GROWN, NET
from tests.test_project import kept_files
from tests.test_readme import CI, blocks

IMPORTING = CI.with_name("importing.md")
HOOKS: list[dict[str, Any]] = yaml.BaseLoader((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")).get_single_data()


# --- what the guide tells people to write -----------------------------------------------------------------------------


def configuration(guide: Path = CI) -> str:
    """A guide's .pre-commit-config.yaml."""
    (text,) = (
        block.text
        for block in blocks(guide.read_text("utf-8"))
        if block.text.startswith("# file: .pre-commit-config.yaml\n")
    )
    return text


def test_the_guides_name_all_hooks() -> None:
    repositories = [yaml.BaseLoader(configuration(guide)).get_single_data()["repos"] for guide in (CI, IMPORTING)]
    named = [hook["id"] for (repository,) in repositories for hook in repository["hooks"]]
    assert named == [hook["id"] for hook in HOOKS]


def test_hooks_are_described() -> None:
    assert all(hook["name"] and hook["description"] and hook["language"] == "python" for hook in HOOKS)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("models/net.yaml", True),
        ("edge/specs/small/net.yml", True),
        ("models/convcalc-budget.yaml", False),
        ("compose.yaml", False),
        ("supermodels/net.yaml", False),
    ],
)
def test_which_files_are_specs_unless_somebody_says(file: str, expected: bool) -> None:
    """As pre-commit chooses: both are searched for, anywhere in the path."""
    hook = HOOKS[0]
    assert (bool(re.search(hook["files"], file)) and not re.search(hook["exclude"], file)) is expected


# --- a repository that uses them --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """This checkout, as it would be with the next commit, as a repository of its own."""
    repository = Repository(tmp_path_factory.mktemp("hooks") / "convcalc").begin()
    for path in kept_files():
        if path.parts[0] != "tests":
            (repository.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, repository.folder / path)
    repository.commit("everything")
    return repository


@pytest.fixture
def team(hooks: Repository, tmp_path: Path) -> Repository:
    """With the guide's configuration, and the hooks of this checkout installed."""
    team = Repository(tmp_path / "team", {"PRE_COMMIT_HOME": str(hooks.folder.parent / "installed")}).begin()
    configure(team, hooks, configuration())
    team.write(BUDGET_FILE, LIMITS.replace("*.yaml", "models/**/*.yaml"))
    team.write("models/net.yaml", NET)
    team.write("data.yaml", "no: spec\n")
    assert team.run("pre-commit", "install").exit_code == 0
    return team


def configure(team: Repository, hooks: Repository, text: str) -> None:
    """Write a configuration of pre-commit that uses the hooks of this checkout."""
    wanted = text.replace("https://github.com/OWNER/convcalc", hooks.folder.as_uri())
    team.write(".pre-commit-config.yaml", wanted.replace("rev: main", f"rev: {hooks.git('rev-parse', 'HEAD').strip()}"))


def committed(team: Repository) -> tuple[int, str]:
    """Try to commit everything; the exit code of git, and what it shows."""
    team.git("add", "-A")
    result = team.run("git", "commit", "-m", "everything")
    return result.exit_code, result.stdout + result.stderr


def test_good_networks_are_committed(team: Repository) -> None:
    code, shown = committed(team)
    assert code == 0, shown
    assert shown.count("Passed") == 2


def test_a_network_beyond_its_budget_is_not(team: Repository) -> None:
    team.write("models/net.yaml", GROWN)
    code, shown = committed(team)
    assert code == 1
    assert [line.split(": ")[1] for line in shown.splitlines() if line.startswith("- hook id: ")] == ["convcalc-check"]
    assert "- exit code: 1" in shown
    assert "CC611" in shown
    assert "stem" in shown


def test_a_broken_spec_fails_both(team: Repository) -> None:
    team.write("models/net.yaml", "input: [3, 8, 8]\nlayers: [cnov: 3]\n")
    code, shown = committed(team)
    assert code == 1
    assert shown.count("- exit code: 2") == 2
    assert shown.count("models/net.yaml:2:10: error CC20") == 2


def test_a_change_of_the_budget_alone_is_checked(team: Repository) -> None:
    code, shown = committed(team)
    assert code == 0, shown
    team.write(BUDGET_FILE, LIMITS.replace("*.yaml", "models/**/*.yaml").replace("200", "150"))
    code, shown = committed(team)
    assert code == 1
    assert "CC611" in shown


def test_other_files_run_nothing(team: Repository) -> None:
    assert committed(team)[0] == 0
    team.write("notes.txt", "x\n")
    code, shown = committed(team)
    assert code == 0
    assert shown.count("Skipped") == 2


def test_a_spec_that_is_not_the_model_is_not_committed(team: Repository, hooks: Repository) -> None:
    """As the guide to importing has it, with a second spec in place of the model."""
    configure(team, hooks, configuration(IMPORTING).replace("net.onnx", "other.yaml"))
    team.write("models/other.yaml", NET)
    assert committed(team)[0] == 0
    team.write("models/net.yaml", GROWN)
    code, shown = committed(team)
    assert code == 1
    assert "- hook id: convcalc-match" in shown
    assert "models/net.yaml  models/other.yaml" in shown
