"""Verdicts that are kept: a check is the same with them, and judges what has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc.budget.baseline import sources
from convcalc.budget.check.checker import check
from convcalc.budget.check.file_judge import FileJudge, Options
from convcalc.budget.check.file_verdict import Verdict
from convcalc.budget.file.reader import read_budget_file
from convcalc.budget.select.plan import FileToCheck
from convcalc.findings import CheckResult
from convcalc.render import VERDICTS
from convcalc.render.tables.surface import Surface
from convcalc.result_cache import FOLDER, open_cache
from tests.budget.repositories import Sandbox, at, created, net, params
from tests.conftest import Command, Env

BUDGETS = """\
version: 1
budgets:
  - {id: total, designs: ["models/*.yaml@*", "models/*.yaml"], max: {params: 200}}
  - {id: each, designs: ["models/*.yaml"], layers: {name: "*", op: conv}, per: layer, max: {params%: 99%}}
  - {id: none, designs: ["models/*.yaml"], layers: {name: [stem, "zz*"]}, per: group, max: {macs: 1M}}
  - {id: ratio, designs: [models/a.yaml], against: other/big.yaml, max: {params/: 0.9}}
  - {id: format, designs: ["models/*.yaml"], dtype: "int8,nowhere=int4", max: {weight_bytes: 1KiB}}
  - {id: grown, designs: ["models/*.yaml"], growth: {params: +1%}}
waivers:
  - {budget: total, design: models/b.yaml, until: 2999-01-01, reason: known}
baseline: {git: HEAD}
"""
CLAIMED = net(4) + "claims: [{params: 122, source: s}, {params: 99, source: s}]\n"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    made = created(tmp_path / "tree")
    monkeypatch.chdir(made.folder)
    made.commit({
        "convcalc-budget.yaml": BUDGETS,
        "models/a.yaml": net(3),
        "models/b.yaml": net(9) + "vars: {w: 1}\nvariants: {wide: {w: 2}}\n",
        "models/c.yaml": CLAIMED,
        "models/d.yaml": "import: {b: parts/block.yaml}\n" + "input: [3, 8, 8]\nlayers: [b.Body]\n",
        "models/parts/block.yaml": "blocks: {Body: [{conv: [4, 3], name: stem}]}\n",
        "other/big.yaml": net(4),
    })  # fmt: skip
    made.write("models/a.yaml", net(4))
    return made


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that have been judged."""
    names: list[str] = []
    judge = FileJudge.judge

    def noting(self: FileJudge, wanted: FileToCheck) -> object:
        names.append(wanted.name)
        return judge(self, wanted)

    monkeypatch.setattr(FileJudge, "judge", noting)
    return names


def plain(verdict: CheckResult) -> list[object]:
    """Everything that a check found, and what formats make of it."""
    pages = [form.verdict(verdict, Surface()) for form in VERDICTS.values()]
    return [
        verdict._replace(open_report=None, errors=[], notes=list(verdict.notes)),
        list(map(str, verdict.errors)),
        pages,
    ]


def checked(judged: list[str], *given: str, **more: object) -> tuple[CheckResult, list[str]]:
    """The result with what was kept, which is that without, and the files that were judged for it."""
    results = []
    for cache in (open_cache(), None):
        judged.clear()
        file = read_budget_file("convcalc-budget.yaml")
        options = Options(**{**more, "cache": cache})  # type: ignore[arg-type]
        results.append((check(file, list(given) or None, options), sorted(judged)))
        if cache:
            cache.write()
    (kept, names), (anew, every) = results
    assert plain(kept) == plain(anew)
    assert set(names) <= set(every)
    return kept, names


ALL = [f"models/{name}.yaml" for name in "abcd"]


def test_only_what_has_changed_is_judged(sandbox: Sandbox, judged: list[str]) -> None:
    verdict, names = checked(judged)
    assert names == ALL
    assert {finding.id for finding in verdict.findings} >= {"total", "none", "ratio", "grown", "claim:params"}
    assert checked(judged)[1] == []
    sandbox.write("models/c.yaml", net(5))
    assert checked(judged)[1] == ["models/c.yaml"]
    sandbox.write("models/parts/block.yaml", "blocks: {Body: [{conv: [5, 3], name: stem}]}\n")
    assert checked(judged)[1] == ["models/d.yaml"]
    sandbox.write("other/big.yaml", net(400))
    verdict, names = checked(judged)
    assert names == ["models/a.yaml"]
    assert "ratio" not in {finding.id for finding in verdict.findings}
    sandbox.write("models/parts/block.yaml", "blocks: {Body: [{conv: [4, 3], name: stem}]}\n")
    assert checked(judged)[1] == ["models/d.yaml"]  # one verdict is kept for each text of a file


def test_a_budget_that_changes_is_judged_for_its_designs(sandbox: Sandbox, judged: list[str]) -> None:
    checked(judged)
    sandbox.write("convcalc-budget.yaml", BUDGETS.replace("{params/: 0.9}", "{params/: 1.1}"))
    assert checked(judged)[1] == ["models/a.yaml"]
    sandbox.write("convcalc-budget.yaml", "# moved\n" + BUDGETS)
    assert checked(judged)[1] == ALL
    sandbox.write("convcalc-budget.yaml", BUDGETS.replace("until: 2999", "until: 2001"))
    verdict, names = checked(judged)
    assert names == []  # waivers are looked at in the end
    assert any(finding.severity == "error" and finding.design == "models/b.yaml" for finding in verdict.findings)


def test_a_baseline_that_changes(sandbox: Sandbox, judged: list[str]) -> None:
    verdict, _ = checked(judged)
    assert [one.past and one.past["params"] for one in verdict.designs if one.design == "models/a.yaml"] == [params(3)]
    sandbox.commit()
    verdict, names = checked(judged)
    assert names == ["models/a.yaml"]
    assert "grown" not in {finding.id for finding in verdict.findings}


def test_designs_of_a_commit_are_counted_once(
    sandbox: Sandbox, judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(judged)
    counted: list[str] = []
    count = sources._count_design
    monkeypatch.setattr(sources, "_count_design", lambda spec, name: counted.append(name.text) or count(spec, name))  # type: ignore[func-returns-value]
    file = read_budget_file("convcalc-budget.yaml")
    check(file, None, Options(cache=open_cache()))
    assert counted == []
    check(file, None, Options())
    assert counted


def test_a_baseline_file(sandbox: Sandbox, judged: list[str], cli: Command) -> None:
    sandbox.write("convcalc-budget.yaml", BUDGETS.replace("{git: HEAD}", "{file: convcalc-baseline.json}"))
    assert cli("baseline", "write").exit_code == 0
    first, _ = checked(judged)
    assert checked(judged)[1] == []
    path = sandbox.folder / "convcalc-baseline.json"
    text = path.read_text(encoding="utf-8")
    assert f'"params": {params(9)}' in text
    path.write_text(text.replace(f'"params": {params(9)}', f'"params": {params(8)}'), encoding="utf-8")
    again, names = checked(judged)
    assert names == ["models/b.yaml"]
    assert [one.id for one in again.findings if one not in first.findings] == ["grown"]


def test_other_options_are_other_verdicts(sandbox: Sandbox, judged: list[str]) -> None:
    checked(judged)
    _, names = checked(judged, inputs={"": "3,16,16"})
    assert names == ALL
    _, names = checked(judged, baseline=at("HEAD"))
    assert names == ALL
    assert checked(judged, baseline=at("HEAD"))[1] == []
    assert checked(judged, "models/a.yaml")[1] == ["models/a.yaml"]  # asked for by itself
    assert checked(judged)[1] == []


def test_errors_are_found_anew(sandbox: Sandbox, judged: list[str]) -> None:
    sandbox.write("models/b.yaml", net(0))
    for _ in range(2):
        verdict, names = checked(judged)
        assert verdict.errors
        assert "models/b.yaml" in names


def test_a_layer_that_only_one_file_has(sandbox: Sandbox, judged: list[str]) -> None:
    """Files with equal layers are searched once for globs, and yet each of them has what it matches."""
    sandbox.write("models/c.yaml", net(4))
    sandbox.write("convcalc-budget.yaml", BUDGETS.replace('"zz*"', "head"))
    assert "none" not in {finding.id for finding in checked(judged)[0].findings}
    sandbox.write("models/a.yaml", "input: [3, 8, 8]\nlayers: [relu]\n")
    assert "none" not in {finding.id for finding in checked(judged)[0].findings}


def test_what_is_in_the_tree_is_not_believed(
    sandbox: Sandbox, judged: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The verdicts of somebody else, on the same files, with all findings left out."""
    with monkeypatch.context() as other:
        other.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
        other.setattr("convcalc.budget.check.file_judge.evaluate", lambda _: Verdict())
        cache = open_cache()
        file = read_budget_file("convcalc-budget.yaml")
        check(file, None, Options(cache=cache))
        assert cache
        cache.write()
    sandbox.git("add", "-f", FOLDER)
    sandbox.git("commit", "-q", "-m", "forged")
    _, names = checked(judged)
    assert names == ALL


def test_the_command(sandbox: Sandbox, cli: Command) -> None:
    used: Env = {"CONVCALC_NO_CACHE": None}
    first = cli("check", "--no-cache", env=used)
    assert not (sandbox.folder / FOLDER).exists()
    assert first.exit_code == 1
    assert cli("check", env=used) == first
    assert (sandbox.folder / FOLDER).is_dir()
    assert cli("check", env=used) == first
    assert sandbox.git("status", "--porcelain", FOLDER) == ""
