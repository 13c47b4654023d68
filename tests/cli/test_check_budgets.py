"""``check`` with budgets: options, exit codes, and what is shown. Numbers: ``tests/budget/test_rules.py``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from convcalc import schemas
from tests.budget.repositories import created
from tests.budget.test_rules import NET
from tests.conftest import Command

BUDGET = "convcalc-budget.yaml"
BASELINE = {
    "schema_version": 1, "convention": "convcalc/1", "batch": 1, "dtype": "float32",
    "designs": {
        "models/a.yaml": {
            "totals": {"params": 180, "macs": 10496, "depth": 4},
            "layers": {
                "stem": {"params": 112, "macs": 6912}, "stage1.conv": {"params": 20, "macs": 1024},
                "stage2.conv": {"params": 20, "macs": 1024}, "head": {"params": 26, "macs": 1536},
                "tail": {"params": 2},
            },
        }
    },
    "accepted": [],
}  # fmt: skip


@pytest.fixture
def project(folder: Path) -> Path:
    """The current folder as a repository with two networks of 182 params."""
    (folder / ".git").mkdir()
    (folder / "models").mkdir()
    for name in "ab":
        (folder / "models" / f"{name}.yaml").write_text(NET, encoding="utf-8")
    return folder


def budget(project: Path, *budgets: str, more: str = "") -> None:
    entries = "".join(f"  - {{{entry}}}\n" for entry in budgets)
    (project / BUDGET).write_text(f"version: 1\n{more}budgets:\n{entries}", encoding="utf-8")


def grown(project: Path) -> None:
    budget(
        project, 'id: grow, designs: "models/*.yaml", growth: {params: +1%}',
        more="baseline: {file: convcalc-baseline.json}\n",
    )  # fmt: skip
    (project / "convcalc-baseline.json").write_text(json.dumps(BASELINE), encoding="utf-8")


def document(text: str) -> Any:
    found = json.loads(text)
    jsonschema.validate(found, json.loads(schemas.schema("check")))
    return found


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_all_is_well(cli: Command, project: Path) -> None:
    budget(project, 'id: edge, designs: "models/*.yaml", max: {params: 200, macs: 10.496k}, min: {depth: 4}')
    result = cli("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [re.sub("([ ─])+", r"\1", line) for line in result.stdout.splitlines()] == [
        "Budget Limit Value Used Design", "─",
        "edge params <= 200 182 91 % █████████▏ models/a.yaml (and 1 more)",
        "edge macs <= 10,496 10,496 100 % ██████████ models/a.yaml (and 1 more)",
        "edge depth >= 4 4 100 % ██████████ models/a.yaml (and 1 more)",
        "", "2 specs, 6 limits: 6 met",
    ]  # fmt: skip


def test_a_broken_limit_shows_layer_and_rule(cli: Command, project: Path) -> None:
    budget(project, 'id: edge, designs: "models/a.yaml", max: {params: 150}')
    result = cli("check")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:8] == [
        "models/a.yaml:3:6: error CC611: params of models/a.yaml: 182, above the limit of 150 by 21.33 %",
        "      - {conv: {out: 4, kernel: 3, padding: 1, bias: true}, name: stem}",
        "         ^^^^",
        "  heaviest: stem 112, head 30, stage1.conv 20",
        "  convcalc-budget.yaml:3:56: the limit",
        '      - {id: edge, designs: "models/a.yaml", max: {params: 150}}',
        f"{' ' * (4 + 55)}^^^",
        "  id: edge",
    ]
    assert re.search(r"^edge +params <= +150 +182  121\.3 %  violated .* models/a\.yaml$", result.stdout, re.MULTILINE)
    assert result.stdout.endswith("\n1 spec, 1 limit: 1 violated\n")


def test_growth_shows_what_changed(cli: Command, project: Path) -> None:
    grown(project)
    result = cli("check")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "models/a.yaml:7:6: error CC614: params of models/a.yaml grew 1.11 % (180 → 182); limit +1 % = 181"
    )
    assert "  grew most: head 30 (grew from 26)" in lines
    start = lines.index("Changes since convcalc-baseline.json:")
    assert lines[start + 1 :] == [
        "  models/a.yaml", "    params 180 → 182 (+2, 1.11 %)", "      grew head +4", "      removed tail -2", "",
        "note: models/b.yaml is new to the baseline: rules of growth skip it", "2 specs, 1 limit: 1 violated",
    ]  # fmt: skip


def test_concise_is_a_line_a_finding(cli: Command, project: Path) -> None:
    budget(
        project, 'id: edge, designs: "models/*.yaml", max: {params: 181}', 'id: none, designs: "x/*", max: {params: 1}',
        more="waivers: [{budget: edge, design: models/b.yaml, until: 2999-01-01, reason: slow}]\n",
    )  # fmt: skip
    result = cli("check", "-f", "concise")
    sentence = "params of models/{}.yaml: 182, above the limit of 181 by 0.55 %"
    layers = "heaviest: stem 112, head 30, stage1.conv 20"
    assert result.stdout.splitlines() == [
        f"models/a.yaml:3:6: error CC611 [edge] {sentence.format('a')}; {layers}",
        f"{BUDGET}:5:25: error CC616 [none] the budget none matches no design: 'x/*'",
        f"models/b.yaml:3:6: waived CC611 [edge] {sentence.format('b')}; {layers}",
    ]


def test_json_is_what_its_schema_says(cli: Command, project: Path) -> None:
    grown(project)
    with (project / BUDGET).open("a", encoding="utf-8") as file:
        file.write('  - {id: stem, designs: "models/a.yaml", layers: {name: stem}, max: {"params%": 60%}}\n')
    found = document(cli("check", "--json").stdout)
    growth, share = found["findings"]
    assert (growth["value"], growth["limit"], growth["excess"], growth["rule"]["line"]) == (182, 181, 1, 4)
    assert growth["heaviest"] == [{"path": "head", "value": 30, "change": "grew", "before": 26}]
    assert (share["value"]["numerator"], share["value"]["denominator"]) == (8, 13)  # 112 of 182
    assert [(one["id"], one["rule"], one["holds"]) for one in found["standings"]] == [
        ("grow", "growth", False), ("stem", "max", False),
    ]  # fmt: skip
    assert [(one["design"], one["is_new"], one["totals"]["params"]) for one in found["outcomes"]] == [
        ("models/a.yaml", False, 182), ("models/b.yaml", True, 182),
    ]  # fmt: skip
    assert found["baseline"] == "convcalc-baseline.json"
    assert len(found["notes"]) == 1


# --- which budgets ----------------------------------------------------------------------------------------------------


def test_the_file_above_is_found_and_places_are_relative(
    cli: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget(project, 'id: edge, designs: "models/*.yaml", max: {params: 181}')
    monkeypatch.chdir(project / "models")
    assert [line.split(" ")[0] for line in cli("check", "-f", "concise").stdout.splitlines()] == [
        "a.yaml:3:6:", "b.yaml:3:6:"
    ]  # fmt: skip
    assert len(cli("check", "b.yaml", "-f", "concise").stdout.splitlines()) == 1
    assert len(cli("check", ".", "-f", "concise").stdout.splitlines()) == 2


def test_another_file(cli: Command, project: Path) -> None:
    budget(project, 'id: edge, designs: "models/*.yaml", max: {params: 181}')
    (project / BUDGET).rename(project / "strict.yaml")
    assert cli("check", "--budget", "strict.yaml").exit_code == 1
    result = cli("check", "--budget", "none.yaml", "models/a.yaml", "--json")
    assert (result.exit_code, [error["code"] for error in document(result.stdout)["errors"]]) == (2, ["CC001"])


@pytest.mark.parametrize(
    ("options", "code", "findings"),
    [
        (["--max", "params=182"], 0, []),
        (["--max", "params=181"], 1, ["max"]),
        (["--max", "params=0.1k", "--max", "macs=1", "--min", "depth=5"], 1, ["max", "max", "min"]),
        (["--max", "params=0.1k,macs=1", "--min", "depth=5"], 1, ["max", "max", "min"]),
        (["--min", "depth=4"], 0, []),
    ],
)
def test_limits_on_the_command_line(
    cli: Command, project: Path, options: list[str], code: int, findings: list[str]
) -> None:
    result = cli("check", "models/a.yaml", *options, "--json")
    found = document(result.stdout)
    assert (result.exit_code, result.stderr, [one["id"] for one in found["findings"]]) == (code, "", findings)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--max params=1M", "need a PATH"),
        ("models/a.yaml --max params", "'params' is not metric=limit: write params=5M"),
        ("models/a.yaml --max macs:2G", "'macs:2G' is not metric=limit: write macs=2G"),
        ("models/a.yaml --max macs<=2G", "'macs<=2G' is not metric=limit: write macs=2G"),
        ("models/a.yaml --max 2G", "'2G' is not metric=limit: write params=2G"),
        ("models/a.yaml --min params%", "'params%' is not metric=limit: write params%=40%"),
        ("models/a.yaml --max params=1k --max params=2k", "params is limited twice, to 1k and to 2k"),
        ("models/a.yaml --min params%=1%,params%=1%", "params% is limited twice"),
        ("models/a.yaml --max params=1k --min params=2k", "min params 2k is above max params 1k: no value is within"),
        ("models/a.yaml --min params=2k --max params=1k", "min params 2k is above max params 1k: no value is within"),
        ("models/a.yaml --profile fvcore --max macs=1k,flops=2k", "limit one of them"),
        ("models/a.yaml --dtype int8", "--dtype without --max or --min: add a limit, such as --max weight_bytes=5M;"),
        ("models/a.yaml --batch 2 --dtype int8", "--batch and --dtype without --max or --min"),
        ("models/a.yaml --device v100-sxm2", "such as --max least_time=5ms; a budget of a file sets its own device"),
        ("models/a.yaml --max parms=1", "no metric 'parms'; did you mean 'params'?"),
        ("models/a.yaml --max params=1k,", "'' is not metric=limit"),
        ("models/a.yaml --max params=many", "'many' is not a quantity of params"),
        ("models/a.yaml --min params/=1", "needs a reference design"),
        ("models/a.yaml --fail-on erorr", "did you mean 'error'?"),
        ("models/a.yaml --baseline git:", "names no revision"),
    ],
)
def test_wrong_use(cli: Command, project: Path, line: str, said: str) -> None:
    result = cli("check", *line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_coverage(cli: Command, project: Path) -> None:
    budget(project, 'id: edge, designs: "models/a.yaml", max: {params: 182}')
    assert cli("check", "models").exit_code == 0
    result = cli("check", "models", "--require-coverage", "-f", "concise")
    assert (result.exit_code, result.stdout) == (
        1, "models/b.yaml:1:1: error CC619 [coverage] no budget covers models/b.yaml\n"
    )  # fmt: skip


def test_a_value_below_its_limit_names_no_heaviest_layers(cli: Command, project: Path) -> None:
    result = cli("check", "models/a.yaml", "--min", "params=183", "--max", "macs=1", "--json")
    found = document(result.stdout)["findings"]
    assert {one["code"]: bool(one["heaviest"]) for one in found} == {"CC611": True, "CC612": False}
    assert cli("check", "models/a.yaml", "--min", "params=182", "--max", "params=182").exit_code == 0


def test_a_budget_called_max_has_a_row_of_its_own(cli: Command, project: Path) -> None:
    budget(project, 'id: max, designs: "models/*.yaml", max: {params: 200}')
    rows = re.findall(r"^max +params +<= +(\d+) ", cli("check", "models", "--max", "params=300").stdout, re.MULTILINE)
    assert sorted(rows) == ["200", "300"]


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "options", "code"),
    [
        ("error", [], 1), ("warning", [], 0), ("note", [], 0),
        ("warning", ["--fail-on", "warning"], 1), ("note", ["--fail-on", "warning"], 0),
        ("note", ["--fail-on", "note"], 1), ("error", ["--fail-on", "note"], 1), ("error", ["--exit-zero"], 0),
    ],
)  # fmt: skip
def test_from_which_severity_it_fails(
    cli: Command, project: Path, severity: str, options: list[str], code: int
) -> None:
    budget(project, f'id: edge, designs: "models/*.yaml", max: {{params: 1}}, severity: {severity}')
    assert cli("check", *options).exit_code == code


def test_waived_findings_never_fail(cli: Command, project: Path) -> None:
    budget(
        project, 'id: edge, designs: "models/*.yaml", max: {params: 1}',
        more='waivers: [{budget: edge, design: "models/*.yaml", until: 2999-01-01, reason: slow}]\n',
    )  # fmt: skip
    assert cli("check", "--fail-on", "note").exit_code == 0


@pytest.mark.parametrize(
    ("entry", "more", "code"),
    [
        ('id: x, designs: "gone/*.yaml", max: {params: 1M}', "", "CC616"),
        ('id: x, designs: ["models/*.yaml", "gone/*.yaml"], max: {params: 1M}', "", "CC616"),
        ('id: x, designs: "models/*.yaml", layers: {name: gone}, max: {params: 1M}', "", "CC616"),
        ('id: x, designs: "models/*.yaml", max: {params: 181}',
         "waivers: [{budget: x, design: models/a.yaml, until: 2020-01-01, reason: y}]\n", "CC617"),
    ],
)  # fmt: skip
def test_a_rule_without_effect_is_a_finding(cli: Command, project: Path, entry: str, more: str, code: str) -> None:
    budget(project, entry, more=more)
    result = cli("check", "-f", "concise")
    assert (result.exit_code, code in result.stdout) == (1, True)


def test_what_cannot_be_judged_beats_what_is_broken(cli: Command, project: Path) -> None:
    budget(project, 'id: edge, designs: "models/*.yaml", max: {params: 1}')
    (project / "models" / "c.yaml").write_text("input: [3, 8, 8]\n", encoding="utf-8")
    (project / "models" / "d.yaml").write_text("input: [3, 8, 8]\nlayers: [conf: 3]\n", encoding="utf-8")
    result = cli("check", "--exit-zero", "--json")
    found = document(result.stdout)
    assert (result.exit_code, len(found["findings"]), [one["code"] for one in found["errors"]]) == (2, 2, ["CC204"])


def test_a_malformed_budget_file_keeps_no_claim_from_being_judged(cli: Command, project: Path) -> None:
    (project / BUDGET).write_text("version: 2\nbudgets: []\n", encoding="utf-8")
    with (project / "models" / "a.yaml").open("a", encoding="utf-8") as file:
        file.write("claims: [{params: 7, source: x}]\n")
    result = cli("check", "models", "--json")
    found = document(result.stdout)
    assert (result.exit_code, result.stderr) == (2, "")
    assert {one["code"] for one in found["errors"]} == {"CC631"}
    assert [one["code"] for one in found["findings"]] == ["CC604"]
    result = cli("check", "--json")
    assert (result.exit_code, document(result.stdout)["files"]) == (2, 0)


def test_a_missing_baseline_says_how_to_mend_it(cli: Command, project: Path) -> None:
    grown(project)
    (project / "convcalc-baseline.json").unlink()
    result = cli("check")
    assert result.exit_code == 2
    assert "CC641" in result.stdout
    assert "hint: convcalc baseline write" in result.stdout
    (project / "old.json").write_text(json.dumps(BASELINE), encoding="utf-8")
    assert cli("check", "--baseline", "old.json").exit_code == 1
    assert cli("check", "--baseline", "git:-x").exit_code == 2


def test_a_bug_is_no_finding(cli: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convcalc.budget.check import limits as rules

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rules, "_check_limit", broken)
    budget(project, 'id: edge, designs: "models/*.yaml", max: {params: 1}')
    assert cli("check", "--exit-zero").exit_code == 3


def test_hostile_text_stays_text(cli: Command, project: Path) -> None:
    name = "models/a[red]\u202e.yaml"
    (project / name).write_text(NET, encoding="utf-8")
    budget(project, 'id: "[bold]x", designs: "models/a?red?*.yaml", max: {params: 1}, severity: note')
    for format_ in ("text", "concise"):
        text = cli("check", "-f", format_, "--color", "always").stdout
        assert "[bold]x" in text
        assert "a[red]\\u202e.yaml" in text
        assert "\u202e" not in text


def test_the_branch_to_be_merged_into(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 1×1 convolution of 3 channels: 4 outputs have 16 params, 8 have 32, 9 have 36."""
    monkeypatch.chdir(tmp_path)
    repository = created(tmp_path)
    net = "input: [3, 4, 4]\nlayers: [conv: [{}, 1]]\n"
    budget = "version: 1\nbaseline: {git: merge-base}\nbudgets: [{id: a, designs: net.yaml, growth: {params: +20%}}]\n"
    repository.commit({"net.yaml": net.format(4), BUDGET: budget})
    repository.git("branch", "old")
    repository.commit({"net.yaml": net.format(8)})
    repository.git("branch", "new")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"net.yaml": net.format(9)})
    assert cli("check", "--base", "new").exit_code == 0
    grown = cli("check", "--base", "old", "--json")
    assert (grown.exit_code, [one["code"] for one in document(grown.stdout)["findings"]]) == (1, ["CC614"])
    for option, value, hint in (
        ("--base", "nowhere", "`git fetch --all --tags`"), ("--baseline", "git:nowhere", "`git fetch --all --tags`"),
        ("--baseline", "nowhere.json", "`convcalc baseline write` writes the file that the budget file names"),
    ):  # fmt: skip
        nowhere = cli("check", option, value)
        assert (nowhere.exit_code, nowhere.stdout.startswith(f"{option}:1:1: error CC64")) == (2, True)
        assert f"\n    {value}\n    {'^' * len(value)}\n  hint: {hint}" in nowhere.stdout
    assert cli("diff", "--base", "nowhere").stderr.startswith("--base:1:1: error CC642: git knows no revision")
    for more in (("--baseline", "git:HEAD~1"), ("--baseline", "some.json")):
        refused = cli("check", "--base", "new", *more)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "add --baseline git:merge-base" in refused.stderr


@pytest.mark.parametrize("command", ["check", "validate"])
def test_a_glob(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/one.yaml", "a/b/two.yaml", "a/b/.hid.yaml", "a/b/two.txt", "three.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("input: [3, 4, 4]\nlayers: [conv: [4, 1]]\n")
    for glob, count in (("a/**/*.yaml", 2), ("a/*.yaml", 1), ("*.yaml", 1), ("**/t*.yaml", 2)):
        found = json.loads(cli(command, glob, "--json").stdout)
        assert (found["files"] if command == "check" else len(found["specs"])) == count, glob
    assert cli(command, "zoo:le*", "--json").exit_code == 0
    nothing = cli(command, "b/*.yaml")
    assert (nothing.exit_code, nothing.stdout) == (2, "")
    assert "CC705: nothing matches 'b/*.yaml'" in nothing.stderr
