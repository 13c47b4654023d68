"""A whole check: which designs are under which budgets, what the baseline is asked, what is told at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from convcalc.budget.baseline import session as history
from convcalc.budget.baseline.file import AcceptedValue, DesignCounts
from convcalc.budget.check.checker import check
from convcalc.budget.check.file_judge import Options
from convcalc.budget.file.reader import read_budget_file
from convcalc.budget.file.types import BaselineLocation
from convcalc.designs.sources import Network, SpecFile
from convcalc.errors import SpecError, SpecErrors
from convcalc.findings import CheckResult, Finding
from tests.budget.test_rules import NET

VARIED = NET.replace("layers:\n", "vars: {c: 6}\nvariants: {wide: {c: 8}}\nlayers:\n").replace("out: 6", "out: c")
# wide: 4·8 + 8 = 40 in the head and 192 together

HEAD = "version: 1\nbudgets:\n"


class WrittenBaseline:
    """A baseline that is made up, and remembers what it was asked."""

    label = "last week"
    no_growth_reason = ""

    def __init__(self, designs: Mapping[str, DesignCounts], accepted: Iterable[AcceptedValue] = ()) -> None:
        self.designs = designs
        self.accepted = accepted
        self.asked: list[str] = []

    def counts(self, design: str) -> DesignCounts | None:
        self.asked.append(design)
        return self.designs.get(design)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "models" / "deep").mkdir(parents=True)
    for name in ("models/a.yaml", "models/b.yaml", "models/deep/c.yaml"):
        (tmp_path / name).write_text(VARIED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(text: str, *given: str, **options: object) -> CheckResult:
    Path("convcalc-budget.yaml").write_text(text if "version" in text else HEAD + text, encoding="utf-8")
    file = read_budget_file("convcalc-budget.yaml")
    return check(file, list(given) or None, Options(**options))  # type: ignore[arg-type]


def judged(verdict: CheckResult) -> list[tuple[str, str]]:
    return [(standing.id, standing.design) for standing in verdict.limits]


def found(verdict: CheckResult) -> list[tuple[str, str, str]]:
    return [(one.code, one.id, one.design) for one in verdict.findings]


def pointed(finding: Finding) -> str:
    """The text under the carets, on the line of the budget that is meant."""
    span = finding.span
    assert span
    line = span.source.line(span.line)
    assert f"id: {finding.id}," in line
    return line[span.column - 1 : span.column - 1 + span.extent]


# --- designs ----------------------------------------------------------------------------------------------------------


def test_all_designs_of_all_budgets(folder: Path) -> None:
    verdict = checked(
        '  - {id: all, designs: ["models/**/*.yaml", "!models/b.yaml"], max: {params: 182}}\n'
        '  - {id: wide, designs: "models/a.yaml@w*", max: {params: 191}}\n'
        '  - {id: part, designs: "models/a.yaml#stage1", max: {params: 20}}\n'
    )
    assert sorted(judged(verdict)) == [
        ("all", "models/a.yaml"), ("all", "models/deep/c.yaml"), ("part", "models/a.yaml#stage1"),
        ("wide", "models/a.yaml@wide"),
    ]  # fmt: skip
    assert found(verdict) == [("CC611", "wide", "models/a.yaml@wide")]
    assert (verdict.files, verdict.errors, verdict.baseline) == (2, [], "")
    assert {one.design: one.totals["params"] for one in verdict.designs} == {
        "models/a.yaml": 182, "models/a.yaml@wide": 192, "models/a.yaml#stage1": 20, "models/deep/c.yaml": 182,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "designs"),
    [
        (["models/a.yaml"], ["models/a.yaml", "models/a.yaml@wide", "models/a.yaml@wide#stage1"]),
        (["models/a.yaml@wide"], ["models/a.yaml@wide", "models/a.yaml@wide#stage1"]),
        (["models/a.yaml@wide#stage1"], ["models/a.yaml@wide#stage1"]),
        (["models/a.yaml@wide#stage1.conv"], []),
        (["models/a.yaml#stage1"], []),
        (["./models/deep/../b.yaml", "zoo:lenet"], [f"models/b.yaml{end}" for end in ("", "@wide", "@wide#stage1")]),
    ],
)
def test_budgets_are_applied_to_the_given_designs_only(folder: Path, given: list[str], designs: list[str]) -> None:
    verdict = checked(
        '  - {id: all, designs: "models/*.yaml", max: {params: 1M}}\n'
        '  - {id: wide, designs: "models/*.yaml@wide", max: {params: 1M}}\n'
        '  - {id: part, designs: "models/*.yaml@wide#stage1", max: {params: 1M}}\n'
        '  - {id: nothing, designs: "nowhere/*.yaml", max: {params: 1M}}\n',
        *given,
    )
    assert sorted(design for _, design in judged(verdict)) == sorted(designs)
    assert (verdict.findings, verdict.errors) == ([], [])


def test_from_a_subfolder_names_stay_and_places_are_seen_from_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked('  - {id: all, designs: "models/*.yaml", max: {params: 181}}\n')
    monkeypatch.chdir(folder / "models" / "deep")
    verdict = check(read_budget_file("../../convcalc-budget.yaml"))
    assert [(one.design, str(one.span)) for one in verdict.findings] == [
        ("models/a.yaml", "../a.yaml:5:6"), ("models/b.yaml", "../b.yaml:5:6"),
    ]  # fmt: skip


def test_a_shipped_spec(folder: Path) -> None:
    verdict = checked('  - {id: zoo, designs: "zoo:resnet50@101", equals: {params: 44549160}}\n')
    assert (judged(verdict), verdict.findings) == ([("zoo", "zoo:resnet50@101")], [])


def test_each_design_is_expanded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expanded: list[object] = []
    original = SpecFile.expand

    def network(self: SpecFile, *args: Any, **kwargs: Any) -> Network:
        expanded.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(SpecFile, "expand", network)
    (folder / "models" / "a.yaml").write_text(VARIED + "claims: [{params: 182, source: x}]\n", encoding="utf-8")
    budgets = "".join(f'  - {{id: b{n}, designs: "models/a.yaml", max: {{params: 182}}}}\n' for n in range(50))
    verdict = checked(
        budgets + '  - {id: r, designs: "models/a.yaml#stage1", against: models/a.yaml, max: {params/: 1}}'
    )
    assert (len(verdict.limits), len(verdict.claims), len(expanded)) == (51, 1, 1)


def test_a_library_of_blocks_is_under_no_budget(folder: Path) -> None:
    (folder / "models" / "blocks.yaml").write_text("blocks: {A: [relu]}\n", encoding="utf-8")
    verdict = checked('  - {id: all, designs: "models/*.yaml", max: {params: 182}}\n')
    assert (len(verdict.limits), verdict.errors) == (2, [])


def test_what_is_broken_is_an_error_and_all_else_is_judged(folder: Path) -> None:
    (folder / "models" / "a.yaml").write_text("input: [3, 8, 8]\nlayers: [conf: 3]\n", encoding="utf-8")
    verdict = checked(
        '  - {id: all, designs: ["models/*.yaml", "models/*.yaml@gone"], max: {params: 181}}\n'
        '  - {id: part, designs: "models/b.yaml#nowhere", max: {params: 181}}\n'
        '  - {id: ratio, designs: "models/b.yaml", against: models/none.yaml, max: {params/: 1}}\n'
    )
    assert found(verdict) == [("CC611", "all", "models/b.yaml")]
    assert sorted(error.code for error in verdict.errors) == ["CC001", "CC204", "CC211", "CC701"]


# --- what guards nothing ----------------------------------------------------------------------------------------------


def test_budgets_globs_and_layers_that_match_nothing(folder: Path) -> None:
    verdict = checked(
        '  - {id: none, designs: "nowhere/*.yaml", max: {params: 1M}}\n'
        '  - {id: some, designs: ["models/*.yaml", "gone/*.yaml"], max: {params: 1M}}\n'
        '  - {id: off, designs: "nowhere/*.yaml", unmatched: off, max: {params: 1M}}\n'
        '  - {id: mild, designs: "nowhere/*.yaml", unmatched: note, max: {params: 1M}}\n'
        '  - {id: gone, designs: "models/a.yaml", layers: {name: stem, op: linear}, max: {params: 1M}}\n'
        '  - {id: half, designs: "models/a.yaml", layers: {name: [stem, "tail*", "!x"]}, max: {params: 1M}}\n'
    )
    assert [(one.code, one.id, one.severity, pointed(one)) for one in verdict.findings] == [
        ("CC616", "none", "error", '"nowhere/*.yaml"'),
        ("CC616", "some", "error", '"gone/*.yaml"'),
        ("CC616", "mild", "note", '"nowhere/*.yaml"'),
        ("CC616", "gone", "error", "layers"),
        ("CC616", "half", "error", '"tail*"'),
    ]


def test_a_limit_is_loose_by_what_uses_most_of_it(folder: Path) -> None:
    rule = '  - {{id: all, designs: ["models/*.yaml", "models/a.yaml@wide"], loose_below: 80%, max: {{params: {}}}}}\n'
    assert not checked(rule.format(240)).findings  # 192 of 240 is 80 %
    (note,) = checked(rule.format(241)).findings
    assert (note.code, note.severity, note.design, pointed(note)) == ("CC620", "note", "models/a.yaml@wide", "241")
    assert note.text == (
        "the params limit of 241 is loose: at most 79.67 % is used (models/a.yaml@wide), less than 80 %"
    )
    assert not checked(rule.format(241), "models/b.yaml").findings  # others may use more of it


def test_designs_under_no_budget(folder: Path) -> None:
    (folder / "models" / "blocks.yaml").write_text("blocks: {A: [relu]}\n", encoding="utf-8")
    (folder / "ci.yaml").write_text("jobs: {layers: [a, b]}\n", encoding="utf-8")
    (folder / "odd.yaml").write_text("layers: [\n", encoding="utf-8")
    rule = '  - {id: all, designs: "models/*.yaml", max: {params: 182}}\n'
    assert found(checked(rule)) == []
    assert found(checked(rule, require_coverage=True)) == [("CC619", "coverage", "models/deep/c.yaml")]
    assert found(checked(rule, "models/a.yaml", "models/blocks.yaml", require_coverage=True)) == []
    assert found(checked(rule, "models/a.yaml@wide", require_coverage=True)) == [
        ("CC619", "coverage", "models/a.yaml@wide")
    ]


def test_waivers_are_judged_by_the_day(folder: Path) -> None:
    text = HEAD + (
        '  - {id: all, designs: "models/*.yaml", max: {params: 181}}\n'
        "waivers: [{budget: all, design: models/a.yaml, until: 2027-03-01, reason: because}]\n"
    )
    severities = {
        day: [(one.code, one.severity) for one in checked(text, today=date(2027, 3, day)).findings] for day in (1, 2)
    }
    assert severities == {
        1: [("CC611", "waived"), ("CC611", "error")],
        2: [("CC611", "error"), ("CC611", "error"), ("CC617", "error")],
    }


# --- the baseline -----------------------------------------------------------------------------------------------------

GROWTH = '  - {id: grow, designs: "models/*.yaml", growth: {params: +0}, ratchet: {metrics: [macs]}}\n'
PINNED = '  - {id: pin, designs: "models/deep/*.yaml", max: {params: 182}}\n'
LAYERS = {
    "stem": {"params": 112, "macs": 6912}, "stage1.conv": {"params": 20, "macs": 1024},
    "stage2.conv": {"params": 20, "macs": 1024}, "head": {"params": 20, "macs": 1024},
}  # fmt: skip
WAS = DesignCounts({"params": 172, "macs": 9984, "depth": 4}, LAYERS)


def against(monkeypatch: pytest.MonkeyPatch, baseline: WrittenBaseline) -> WrittenBaseline:
    monkeypatch.setattr(history, "open_baseline", lambda *_, **__: baseline)
    return baseline


def test_growth_is_judged_and_changes_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = against(monkeypatch, WrittenBaseline({"models/a.yaml": WAS}))
    verdict = checked("version: 1\nbaseline: {file: x.json}\nbudgets:\n" + GROWTH + PINNED)
    assert found(verdict) == [("CC614", "grow", "models/a.yaml"), ("CC615", "grow", "models/a.yaml")]
    assert baseline.asked == ["models/a.yaml", "models/b.yaml"]  # nobody needs to know of the third
    assert verdict.baseline == "last week"
    assert verdict.notes == ["models/b.yaml is new to the baseline: rules of growth skip it"]
    outcomes = {one.design: one for one in verdict.designs}
    assert [change[:5] for change in outcomes["models/a.yaml"].changes] == [
        ("head", "params", "grew", 20, 30), ("head", "macs", "grew", 1024, 1536),
    ]  # fmt: skip
    assert (outcomes["models/a.yaml"].past, outcomes["models/b.yaml"].past) == (WAS.totals, None)
    assert [outcomes[name].is_new for name in sorted(outcomes)] == [False, True, False]


def test_accepted_values_are_those_of_budget_design_and_metric(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        AcceptedValue("grow", "models/a.yaml", "params", 182, "x"),
        AcceptedValue("other", "models/a.yaml", "macs", 10**9, "x"),
        AcceptedValue("grow", "models/b.yaml", "macs", 10**9, "x"),
    ]  # fmt: skip
    against(monkeypatch, WrittenBaseline({"models/a.yaml": WAS, "models/b.yaml": WAS}, entries))
    verdict = checked("version: 1\nbaseline: {file: x.json}\nbudgets:\n" + GROWTH)
    assert found(verdict) == [("CC615", "grow", "models/a.yaml"), ("CC614", "grow", "models/b.yaml")]


def test_where_none_is_needed_none_is_looked_for(folder: Path) -> None:
    verdict = checked("version: 1\nbaseline: {file: x.json}\nbudgets:\n" + PINNED)
    assert (verdict.errors, verdict.baseline) == ([], "")


def test_asked_for_it_is_looked_at_for_every_design(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = against(monkeypatch, WrittenBaseline({}))
    checked(PINNED, baseline=BaselineLocation("file", "y.json", None))
    assert baseline.asked == ["models/deep/c.yaml"]


def test_where_it_is_needed_and_not_there_the_rest_is_judged(folder: Path) -> None:
    rules = GROWTH.replace("growth", "max: {params: 181}, growth")
    verdict = checked("version: 1\nbaseline: {file: x.json}\nbudgets:\n" + rules)
    assert [(error.code, error.hint) for error in verdict.errors] == [("CC641", "convcalc baseline write")]
    assert found(verdict) == [("CC611", "grow", "models/a.yaml"), ("CC611", "grow", "models/b.yaml")]
    (error,) = checked(rules).errors
    assert error.code == "CC641"
    assert error.span
    assert error.span.source.line(error.span.line)[error.span.column - 1 :].startswith("+0}")
    assert "convcalc baseline write" in error.hint


def test_a_broken_past_is_said_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(WrittenBaseline):
        def counts(self, design: str) -> DesignCounts | None:
            raise SpecErrors([SpecError("CC645", "another convention")])

    against(monkeypatch, Broken({}))
    verdict = checked("version: 1\nbaseline: {file: x.json}\nbudgets:\n" + GROWTH)
    assert [error.code for error in verdict.errors] == ["CC645"]


def test_a_renamed_design_and_many_new_ones_are_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (folder / "models" / f"n{number}.yaml").write_text(NET, encoding="utf-8")
    against(monkeypatch, WrittenBaseline({"models/a.yaml": WAS._replace(old_name="old/a.yaml")}))
    verdict = checked("version: 1\nbaseline: {file: x.json}\nbudgets:\n" + GROWTH)
    assert verdict.notes == [
        (
            "6 designs are new to the baseline, and rules of growth skip them: models/b.yaml, models/n0.yaml, "
            "models/n1.yaml and 3 more"
        ),
        "models/a.yaml was old/a.yaml in the baseline",
    ]
