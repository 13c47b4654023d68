"""``baseline``: the only writers of a baseline, and what they leave as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from convcalc.git.ci import VARIABLES
from tests.budget.repositories import created, net, params
from tests.conftest import Command

FILE = "convcalc-baseline.json"
BUDGET = """\
version: 1
baseline: {file: convcalc-baseline.json}
budgets:
  - {id: grow, designs: ["models/*.yaml"], growth: {params: +1%}}
  - {id: hold, designs: ["models/a.yaml"], ratchet: {metrics: [params], headroom: 0%, floor: 0}}
  - {id: most, designs: ["models/*.yaml"], max: {params: 1k}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "convcalc-budget.yaml").write_text(BUDGET)
    for name, width in {"a": 8, "b": 9}.items():
        (tmp_path / "models" / f"{name}.yaml").write_text(net(width))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resize(name: str, width: int) -> None:
    (Path("models") / f"{name}.yaml").write_text(net(width))


def held() -> Any:
    return json.loads(Path(FILE).read_text())


def totals() -> dict[str, int]:
    return {name: design["totals"]["params"] for name, design in held()["designs"].items()}


def done(cli: Command, *arguments: str) -> str:
    result = cli("baseline", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refused(cli: Command, *arguments: str) -> str:
    before = Path(FILE).read_bytes() if Path(FILE).exists() else None
    result = cli("baseline", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert (Path(FILE).read_bytes() if Path(FILE).exists() else None) == before
    return result.stderr


# --- write ------------------------------------------------------------------------------------------------------------


def test_the_first_run_says_the_command_that_mends_it(cli: Command, folder: Path) -> None:
    result = cli("check")
    assert result.exit_code == 2
    assert "CC641" in result.stdout
    assert "hint: convcalc baseline write" in result.stdout
    done(cli, "write")
    assert cli("check").exit_code == 0


def test_write_counts_all_designs(cli: Command, folder: Path) -> None:
    assert done(cli, "write") == f"{FILE} written\n  2 designs\n"
    assert totals() == {"models/a.yaml": params(8), "models/b.yaml": params(9)}
    assert held()["designs"]["models/a.yaml"]["layers"]["stem"]["params"] == 28 * 8


def test_write_says_what_changed_and_drops_what_was_accepted(cli: Command, folder: Path) -> None:
    done(cli, "write")
    resize("a", 9)
    done(cli, "accept", "hold", "--reason", "needed")
    resize("b", 10)
    (folder / "models" / "c.yaml").write_text(net(3))
    assert done(cli, "write") == (
        f"{FILE} written\n  3 designs\n  new: models/c.yaml\n  changed: models/a.yaml, models/b.yaml\n"
        "  no longer needed: 1 accepted\n"
    )
    assert held()["accepted"] == []
    (folder / "models" / "c.yaml").unlink()
    assert "  removed: models/c.yaml\n" in done(cli, "write")


def test_the_same_numbers_give_the_same_bytes(cli: Command, folder: Path) -> None:
    done(cli, "write")
    before = Path(FILE).read_bytes()
    done(cli, "write")
    assert Path(FILE).read_bytes() == before
    assert [path.name for path in folder.glob(".*")] == []


def test_write_replaces_a_file_that_is_broken(cli: Command, folder: Path) -> None:
    Path(FILE).write_text("{")
    done(cli, "write")
    assert len(totals()) == 2


def test_write_from_elsewhere(cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "models")
    assert done(cli, "write").startswith(f"{folder / FILE} written")
    monkeypatch.chdir(folder.parent)
    budget = str(folder / "convcalc-budget.yaml")
    done(cli, "write", "--budget", budget)
    monkeypatch.chdir(folder)
    assert totals() == {"models/a.yaml": params(8), "models/b.yaml": params(9)}


@pytest.mark.parametrize("action", [["write"], ["tighten"], ["accept", "grow", "--reason", "x"]])
def test_nothing_is_written_when_a_spec_is_broken(cli: Command, folder: Path, action: list[str]) -> None:
    done(cli, "write")
    resize("b", 20)
    (folder / "models" / "a.yaml").write_text(net(8).replace("[8,", "[0,"))
    assert "models/a.yaml:3:" in refused(cli, *action)


def test_no_budget_file(cli: Command, folder: Path) -> None:
    (folder / "convcalc-budget.yaml").unlink()
    assert "--budget" in refused(cli, "write")


def test_a_baseline_from_git_has_no_file_to_write(cli: Command, folder: Path) -> None:
    text = BUDGET.replace("{file: convcalc-baseline.json}", "{git: merge-base}")
    (folder / "convcalc-budget.yaml").write_text(text)
    for action in ("write", "tighten"):
        assert "convcalc-budget.yaml:2:" in (said := refused(cli, action))
        assert "error CC641" in said


# --- tighten ----------------------------------------------------------------------------------------------------------


def test_tighten_lowers_what_ratchets_hold(cli: Command, folder: Path) -> None:
    done(cli, "write")
    resize("a", 6)
    resize("b", 5)
    before = held()
    assert done(cli, "tighten") == (f"{FILE} written\n  models/a.yaml: params shrank from {params(8)} to {params(6)}\n")
    assert totals() == {"models/a.yaml": params(6), "models/b.yaml": params(9)}
    after = held()
    assert after["designs"]["models/a.yaml"]["layers"]["stem"]["params"] == 28 * 6
    for document in (before, after):  # nothing but params of a ratchet's design has changed
        document["designs"]["models/a.yaml"]["totals"].pop("params")
        for values in document["designs"]["models/a.yaml"]["layers"].values():
            values.pop("params")
    assert after == before
    assert cli("check").exit_code == 0


def test_tighten_raises_and_adds_nothing(cli: Command, folder: Path) -> None:
    done(cli, "write")
    before = Path(FILE).read_bytes()
    text = BUDGET.replace('"models/a.yaml"', '"models/*.yaml"')
    (folder / "convcalc-budget.yaml").write_text(text)
    resize("a", 9)
    (folder / "models" / "c.yaml").write_text(net(3))
    assert done(cli, "tighten") == f"{FILE} is up to date\n"
    assert Path(FILE).read_bytes() == before


def test_tighten_leaves_layers_of_a_design_in_which_one_grew(cli: Command, folder: Path) -> None:
    """Otherwise the layers would add up to less than the design has, and a limit on their sum would break at once."""
    done(cli, "write")
    (folder / "models" / "a.yaml").write_text(net(5).replace("{conv: [2, 1]", "{conv: [4, 1]"))
    done(cli, "tighten")
    design = held()["designs"]["models/a.yaml"]
    assert design["totals"]["params"] == 28 * 5 + 4 * 5 + 4
    assert {path: values["params"] for path, values in design["layers"].items()} == {"stem": 28 * 8, "head": 18}


def test_tighten_holds_layers_that_a_ratchet_names(cli: Command, folder: Path) -> None:
    text = BUDGET.replace("ratchet:", "layers: {name: stem}, per: layer, ratchet:")
    (folder / "convcalc-budget.yaml").write_text(text)
    done(cli, "write")
    resize("a", 6)
    assert done(cli, "tighten") == f"{FILE} written\n  models/a.yaml: layers shrank\n"
    design = held()["designs"]["models/a.yaml"]
    assert {path: values["params"] for path, values in design["layers"].items()} == {"stem": 28 * 6, "head": 18}
    assert design["totals"]["params"] == params(8)


def test_tighten_takes_back_what_was_accepted_and_is_not_used(cli: Command, folder: Path) -> None:
    done(cli, "write")
    resize("a", 12)
    done(cli, "accept", "hold", "grow", "--reason", "needed")
    resize("a", 10)
    assert done(cli, "tighten") == f"{FILE} written\n  hold: params of models/a.yaml may be {params(10)}\n"
    assert {one["budget"]: one["value"] for one in held()["accepted"]} == {"grow": params(12), "hold": params(10)}
    resize("a", 8)
    assert "no longer needed: 1 accepted" in done(cli, "tighten")
    resize("a", 10)
    assert "CC615" in cli("check").stdout


def test_tighten_needs_a_baseline(cli: Command, folder: Path) -> None:
    said = refused(cli, "tighten")
    assert "error CC641" in said
    assert "hint: convcalc baseline write" in said


# --- accept -----------------------------------------------------------------------------------------------------------


def test_accepted_growth_passes_and_more_does_not(cli: Command, folder: Path) -> None:
    done(cli, "write")
    designs = held()["designs"]
    resize("a", 9)
    assert cli("check").exit_code == 1
    said = done(cli, "accept", "grow", "hold", "--reason", "a wider stem")
    value = params(9)
    assert said == (
        f"{FILE} written\n  grow: params of models/a.yaml may be {value}\n"
        f"  hold: params of models/a.yaml may be {value}\n"
    )
    assert held()["designs"] == designs
    assert held()["accepted"][1] == {
        "budget": "hold", "design": "models/a.yaml", "metric": "params", "value": value, "reason": "a wider stem",
    }  # fmt: skip
    assert cli("check").exit_code == 0
    resize("a", 10)
    assert cli("check").exit_code == 1
    done(cli, "accept", "grow", "hold", "--reason", "wider still")
    assert [one["value"] for one in held()["accepted"]] == [params(10)] * 2


def test_accept_for_some_designs(cli: Command, folder: Path) -> None:
    done(cli, "write")
    resize("a", 9)
    resize("b", 12)
    done(cli, "accept", "grow", "--reason", "x", "--design", "models/[b-z]*.yaml")
    assert [one["design"] for one in held()["accepted"]] == ["models/b.yaml"]


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["grwo"], "no budget 'grwo'; did you mean 'grow'?"),
        (["hold"], "nothing grew past the baseline under the budget 'hold'"),
        (["grow", "hold"], "nothing grew past the baseline under the budget 'hold'"),
        (["most"], "the budget 'most' has an exceeded fixed limit, which no baseline can raise"),
    ],
)
def test_there_is_nothing_to_accept(cli: Command, folder: Path, ids: list[str], said: str) -> None:
    done(cli, "write")
    resize("b", 40)
    told = refused(cli, "accept", *ids, "--reason", "x")
    assert "error CC647" in told
    assert said in told


def test_a_reason_is_needed(cli: Command, folder: Path) -> None:
    assert "--reason" in refused(cli, "accept", "grow")
    assert "--reason is empty" in refused(cli, "accept", "grow", "--reason", " ")


def test_growth_since_a_revision_is_accepted_in_a_file(cli: Command, folder: Path) -> None:
    text = BUDGET.replace("{file: convcalc-baseline.json}", "{git: HEAD}")
    sandbox = created(folder)
    sandbox.commit({"convcalc-budget.yaml": text})
    assert cli("check").exit_code == 0
    resize("b", 12)
    assert cli("check").exit_code == 1
    done(cli, "accept", "grow", "--reason", "x")
    assert (held()["designs"], len(held()["accepted"])) == ({}, 1)
    assert cli("check").exit_code == 0


# --- usage ------------------------------------------------------------------------------------------------------------


def test_without_an_action_the_help_is_shown(cli: Command) -> None:
    result = cli("baseline")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "tighten" in result.stderr
    assert cli("baseline", "--help").exit_code == 0


def test_a_wrong_action(cli: Command) -> None:
    result = cli("baseline", "tigten")
    assert result.exit_code == 2
    assert "no command 'tigten'; did you mean 'tighten'?" in result.stderr


# --- what is in its place ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["models/a.yaml", "convcalc-budget.yaml", "notes.md", "package.json", "pipe"])
def test_no_other_file_is_replaced(cli: Command, folder: Path, name: str) -> None:
    Path("notes.md").write_text("remember\n")
    Path("package.json").write_text('{"name": "mine"}\n')
    os.mkfifo("pipe")
    Path("convcalc-budget.yaml").write_text(BUDGET.replace("convcalc-baseline.json", name))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = cli("baseline", "write")
    assert result.exit_code == 2
    assert "CC646" in result.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("baseline", ["baseline: {file: convcalc-baseline.json}\n", ""])
def test_nothing_outside_is_written(cli: Command, folder: Path, tmp_path_factory: Any, baseline: str) -> None:
    """A repository comes with a link of the baseline's name."""
    outside = tmp_path_factory.mktemp("outside") / "precious"
    outside.write_text("")
    (folder / ".git").mkdir()
    Path("convcalc-budget.yaml").write_text(
        f"version: 1\n{baseline}budgets: [{{id: a, designs: 'models/*.yaml', max: {{params: 1k}}}}]\n"
    )
    Path(FILE).symlink_to(outside)
    result = cli("baseline", "write")
    assert (result.exit_code, outside.read_text()) == (2, "")
    assert "CC641" in result.stderr
    Path(FILE).unlink()
    assert cli("baseline", "write").exit_code == 0


def test_what_is_accepted_survives_a_rename(cli: Command, folder: Path) -> None:
    (folder / "convcalc-budget.yaml").write_text(BUDGET.replace("{file: convcalc-baseline.json}", "{git: HEAD}"))
    sandbox = created(folder)
    sandbox.commit()
    resize("a", 12)
    done(cli, "accept", "grow", "--reason", "a wider stem")
    (folder / "models" / "a.yaml").rename(folder / "models" / "c.yaml")
    result = cli("check", "models", "--json")
    renamed = [one for one in json.loads(result.stdout)["findings"] if one["id"] == "grow"]
    assert renamed == []
    resize("c", 13)
    (finding,) = [one for one in json.loads(cli("check", "models", "--json").stdout)["findings"] if one["id"] == "grow"]
    assert "limit accepted" in finding["text"]


def test_metrics_that_an_earlier_version_did_not_count_have_not_grown(cli: Command, folder: Path) -> None:
    budget = (
        "version: 1\nbaseline: {file: convcalc-baseline.json}\nbudgets:\n  - id: g\n    designs: ['models/*.yaml']\n"
    )
    for scope in ("", "    per: layer\n"):
        Path("convcalc-budget.yaml").write_text(f"{budget}{scope}    growth: {{params: +1%, seen_macs: +0%}}\n")
        assert cli("baseline", "write").exit_code == 0
        earlier = held()
        for design in earlier["designs"].values():
            for counts in (design["totals"], *design["layers"].values()):
                counts.pop("seen_macs", None)
        Path(FILE).write_text(json.dumps(earlier))
        result = cli("check")
        assert (result.exit_code, result.stderr) == (0, "")
        assert f"Changes since {FILE}: none" in result.stdout
        assert "the baseline is older than seen_macs: rules of growth skip these" in " ".join(result.stdout.split())
        assert cli("baseline", "write").exit_code == 0
        assert "older than" not in cli("check").stdout
        Path(FILE).unlink()
