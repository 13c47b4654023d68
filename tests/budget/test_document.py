"""Budget files read: what they say, and what is said about files that are wrong, each at its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from convcalc.budget.file.reader import find_budget_file, read_budget_file
from convcalc.budget.file.types import BaselineLocation, Budget, BudgetFile, LimitedMetric
from convcalc.errors import Source, SpecError, SpecErrors, format_error
from convcalc.guide.pages import CODES
from convcalc.spec.yaml.nodes import parse_yaml
from tests.bad_input.cases import blamed, plain
from tests.bad_input.conftest import LOADERS
from tests.work import limited_work

HERE = Path(__file__).resolve().parent
NORMATIVE = """\
# yaml-language-server: $schema=./convcalc-budget.schema.json
version: 1
baseline: {git: merge-base}                    # or {file: convcalc-baseline.json}
defaults: {severity: error, unmatched: error, loose_below: 80%}
budgets:
  - id: edge-total                             # stable id, in every output
    designs: ["models/edge/**/*.yaml", "!models/edge/draft/**"]
    max: {params: 5.5M, macs: 600M, weight_bytes: 22MiB}
  - id: no-fat-layer
    designs: ["models/**/*.yaml"]
    layers: {name: "stage*.**", op: [conv, linear]}
    per: layer                                 # total (default) | layer | group
    max: {params: 3M, "params%": 40%}          # share of the design's total
  - id: no-surprise-growth
    designs: ["models/**/*.yaml"]
    growth: {params: +1%, macs: "+2% or +5M"}  # against the baseline
  - id: ratchet
    designs: ["models/core/*.yaml"]
    ratchet: {metrics: [params], headroom: 2%, floor: 4M}
  - id: reduction-pays
    designs: ["specs/googlenet_3a.yaml#reduced"]
    against: "specs/googlenet_3a.yaml#naive"
    max: {"params/": 0.45}                     # ratio to the other design
waivers: [{budget: edge-total, design: models/edge/big.yaml, until: 2027-03-01, reason: "tracked in ARCH-12"}]
"""


@pytest.fixture(params=[name for name, loader in LOADERS.items() if loader])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads with each of the two parsers of YAML."""
    monkeypatch.setattr("convcalc.spec.yaml.nodes.LOADER", LOADERS[request.param])


def put(folder: Path, text: str) -> str:
    path = folder / "convcalc-budget.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def errors_of(folder: Path, text: str) -> list[SpecError]:
    with pytest.raises(SpecErrors) as raised:
        read_budget_file(put(folder, text))
    return raised.value.errors


def entry(rest: str) -> str:
    return f"version: 1\nbudgets:\n  - id: edge\n    designs: m.yaml\n    {rest}\n"


def only(folder: Path, rest: str) -> Budget:
    (budget,) = read_budget_file(put(folder, entry(rest))).budgets
    return budget


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.fixture
def normative(tmp_path: Path) -> BudgetFile:
    return read_budget_file(put(tmp_path, NORMATIVE))


def test_the_file_of_the_reference(normative: BudgetFile, tmp_path: Path) -> None:
    assert normative.folder == str(tmp_path)
    assert normative.source.text == NORMATIVE
    assert normative.baseline is not None
    assert normative.baseline[:2] == ("git", "merge-base")
    assert [budget.id for budget in normative.budgets] == [
        "edge-total", "no-fat-layer", "no-surprise-growth", "ratchet", "reduction-pays",
    ]  # fmt: skip
    assert {(each.severity, each.unmatched, each.loose_below) for each in normative.budgets} == {
        ("error", "error", Fraction(4, 5))
    }


def test_limits_are_exact(normative: BudgetFile) -> None:
    total, layer, _, _, ratio = normative.budgets
    assert [(limit.metric.label, limit.value, limit.text) for limit in total.max] == [
        ("params", 5_500_000, "5.5M"),
        ("macs", 600_000_000, "600M"),
        ("weight_bytes", 23_068_672, "22MiB"),
    ]
    assert [(limit.metric, limit.value) for limit in layer.max] == [
        (LimitedMetric("params", ""), 3_000_000),
        (LimitedMetric("params", "%"), Fraction(2, 5)),
    ]
    assert [(limit.metric, limit.value) for limit in ratio.max] == [(LimitedMetric("params", "/"), Fraction(9, 20))]
    assert ratio.against is not None
    assert ratio.against.design == "specs/googlenet_3a.yaml#naive"


def test_what_budgets_are_about(normative: BudgetFile) -> None:
    total, layer, *_ = normative.budgets
    assert [(each.text, each.is_exclusion) for each in total.designs] == [
        ("models/edge/**/*.yaml", False),
        ("models/edge/draft/**", True),
    ]
    assert (total.layers, total.per) == (None, "total")
    assert layer.per == "layer"
    assert layer.layers is not None
    assert ([each.text for each in layer.layers.path_globs], layer.layers.kinds) == (["stage*.**"], ("conv", "linear"))


def test_growth_and_ratchet(normative: BudgetFile) -> None:
    _, _, growth, ratchet, _ = normative.budgets
    assert [(each.metric.label, each.share, each.amount, each.text) for each in growth.growth] == [
        ("params", Fraction(1, 100), 0, "+1%"),
        ("macs", Fraction(1, 50), 5_000_000, "+2% or +5M"),
    ]
    (limit,) = ratchet.ratchets
    assert limit[:5] == ("ratchet", LimitedMetric("params", ""), Fraction(1, 50), 0, 4_000_000)


def test_waivers(normative: BudgetFile) -> None:
    (waiver,) = normative.waivers
    assert (waiver.budget, waiver.design.text) == ("edge-total", "models/edge/big.yaml")
    assert (waiver.until, waiver.reason) == (date(2027, 3, 1), "tracked in ARCH-12")


def test_places(normative: BudgetFile) -> None:
    total, layer, growth, _, _ = normative.budgets

    def shown(span: Any) -> tuple[int, str]:
        line = NORMATIVE.splitlines()[span.line - 1]
        return span.line, line[span.column - 1 : span.column - 1 + span.extent]

    assert shown(total.span) == (6, "edge-total")
    assert shown(total.designs[1].span) == (7, '"!models/edge/draft/**"')
    assert shown(total.max[2].span) == (8, "22MiB")
    assert shown(layer.max[1].span) == (13, "40%")
    assert shown(growth.growth[1].span) == (16, '"+2% or +5M"')


@pytest.mark.parametrize(
    ("text", "share", "amount"),
    [
        ("1%", Fraction(1, 100), 0),
        ("+0.5%", Fraction(1, 200), 0),
        ("0", 0, 0),
        ("100", 0, 100),
        ("+1.5Ki", 0, 1536),
        ("+5M or +2%", Fraction(1, 50), 5_000_000),
        ("+0% or 0", 0, 0),
    ],
)
def test_allowances(tmp_path: Path, text: str, share: Fraction, amount: int) -> None:
    (growth,) = only(tmp_path, f"growth: {{params: {text}}}").growth
    assert (growth.share, growth.amount, growth.text) == (share, amount, text)


def test_what_may_be_left_out_or_stand_alone(tmp_path: Path) -> None:
    budget = only(tmp_path, "layers: {op: conv}\n    note: why\n    ratchet: {metrics: params}\n    max:")
    assert budget.layers is not None
    assert (budget.layers.path_globs, budget.layers.kinds) == ((), ("conv",))
    (limit,) = budget.ratchets
    assert limit[:5] == ("ratchet", LimitedMetric("params", ""), 0, 0, 0)
    assert (budget.severity, budget.unmatched, budget.loose_below, budget.max) == ("error", "error", None, ())


def test_a_budget_goes_before_the_defaults(tmp_path: Path) -> None:
    text = entry("severity: note\n    unmatched: off\n    loose_below: off\n    max: {depth: 0}")
    text = text.replace("budgets:", "defaults: {severity: warning, loose_below: 50.5%}\nbudgets:")
    text += "  - {id: other, designs: n.yaml, min: {depth: 2}}\n"
    first, second = read_budget_file(put(tmp_path, text)).budgets
    assert (first.severity, first.unmatched, first.loose_below) == ("note", "off", None)
    assert (second.severity, second.unmatched, second.loose_below) == ("warning", "error", Fraction(101, 200))


@pytest.mark.parametrize("rest", ["per: group\n    max: {depth: 4}", "growth: {depth: 1}", "ratchet: {metrics: depth}"])
def test_what_is_no_sum_may_be_limited_for_designs_and_groups(tmp_path: Path, rest: str) -> None:
    assert only(tmp_path, rest)


def test_a_budget_file_that_is_not_called_so_and_one_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "limits.yaml").write_text(NORMATIVE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = read_budget_file("limits.yaml")
    assert (found.source.name, found.folder) == ("limits.yaml", str(tmp_path))


def test_a_baseline_in_a_file_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ci").mkdir()
    text = entry("max: {params: 1}").replace("budgets:", "baseline: {file: ../base.json}\nbudgets:")
    origin = read_budget_file(put(tmp_path / "ci", text)).baseline
    assert isinstance(origin, BaselineLocation)
    assert origin[:2] == ("file", "../base.json")


# --- where it is found ------------------------------------------------------------------------------------------------


def test_found_upward_as_far_as_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "repository" / "models" / "edge"
    inner.mkdir(parents=True)
    outside = put(tmp_path, NORMATIVE)
    assert find_budget_file(str(inner)) == outside
    (tmp_path / "repository" / ".git").write_text("gitdir: elsewhere\n")  # a worktree has a file there
    assert find_budget_file(str(inner)) is None
    here = put(tmp_path / "repository", NORMATIVE)
    assert find_budget_file(str(inner)) == here
    monkeypatch.chdir(inner)
    assert find_budget_file(".") == str(Path("..", "..", "convcalc-budget.yaml"))
    nearest = put(inner, NORMATIVE)
    assert find_budget_file(str(inner)) == nearest
    assert find_budget_file(".") == "convcalc-budget.yaml"
    assert find_budget_file(str(tmp_path / "repository")) == here


def test_a_folder_of_that_name_is_no_budget_file(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "convcalc-budget.yaml").mkdir()
    assert find_budget_file(str(tmp_path)) is None
    with pytest.raises(SpecErrors) as raised:
        read_budget_file(str(tmp_path / "convcalc-budget.yaml"))
    assert [error.code for error in raised.value.errors] == ["CC002"]


def test_a_missing_file_is_said_with_its_name(tmp_path: Path) -> None:
    put(tmp_path, NORMATIVE)
    with pytest.raises(SpecErrors) as raised:
        read_budget_file(str(tmp_path / "convcalc-buget.yaml"))
    (error,) = raised.value.errors
    assert (error.code, str(error.span)) == ("CC001", str(tmp_path / "convcalc-buget.yaml"))
    assert "convcalc-budget.yaml" in error.hint


# --- what is wrong ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A budget file with one thing wrong."""

    id: str
    code: str
    says: str
    text: str
    line: int
    column: int
    extent: int
    any_place: bool


def cases() -> list[Case]:
    text = (HERE / "bad_budgets.yaml").read_text(encoding="utf-8")
    return [_case(each) for each in plain(parse_yaml(Source("bad_budgets.yaml", text)))]


SOUND = "version: 1\nbudgets: [{id: edge, designs: m.yaml, max: {params: 1}}]\n"
PUT = {
    "file": "{}",
    "top": SOUND + "{}\n",
    "entry": "version: 1\nbudgets:\n  - {}\n",
    "rule": "version: 1\nbudgets:\n  - id: a\n    designs: m.yaml\n    {}\n",
    "waiver": SOUND + "waivers:\n  - {}\n",
}


def _case(given: dict[str, str]) -> Case:
    ((place, part),) = [(key, given[key]) for key in PUT if key in given]
    head, tail = PUT[place].split("{}") if place == "file" else PUT[place].rsplit("{}", 1)
    return Case(given["id"], given["code"], given["says"], *blamed(head + part + tail), any_place="any_place" in given)


CASES = cases()


def test_the_cases_are_many_and_differ() -> None:
    assert len(CASES) >= 140
    assert len({case.id for case in CASES}) == len({case.text for case in CASES}) == len(CASES)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_one_error_at_the_place_that_is_to_blame(case: Case, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ci").mkdir()
    errors = errors_of(tmp_path / "ci", case.text)
    assert [error.code for error in errors] == [case.code], errors
    (error,) = errors
    assert case.says in error.text
    assert error.span
    if not case.any_place:
        assert error.span[1:4] == (case.line, case.column, case.extent)


@pytest.mark.parametrize("case", [case for case in CASES if case.code > "CC6"], ids=lambda case: case.id)
def test_every_mistake_has_a_hint(case: Case, tmp_path: Path) -> None:
    assert all(error.hint for error in errors_of(tmp_path, case.text))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("per: layer\n    max: {params%: 0.4}", "write 40%"),
        ("per: layer\n    max: {params%: 5}", "write 500%, or 5%"),
        ("growth: {params: 0.02}", "write +2%"),
        ("growth: {params: 0.0255}", "write +2.55%"),
        ("ratchet: {metrics: params, headroom: 0.1}", "write 10%"),
        ("max: {params: 7B}", "without the B: 7; for 10⁹ write G"),
        ("max: {params: 40%}", "for a share of the design's total write 'params%': 40%"),
        ("layers: {op: relu}\n    max: {params: 1}", "a layer relu is of the kind act"),
    ],
)
def test_hints_say_what_was_probably_meant(tmp_path: Path, text: str, hint: str) -> None:
    (error,) = errors_of(tmp_path, entry(text))
    assert error.hint == hint


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
version: 2
defaults: {severity: bad}
budgets:
  - {id: a, designs: [/m.yaml, "n[.yaml"], max: {parms: 1, macs: -1}, per: all}
  - {id: a, designs: m.yaml, growth: {params: 0.5}, layers: {op: cnv, name: a..b}}
  - edge
waivers:
  - {budget: b, design: ../../x.yaml, until: soon, reason: x}
"""
    errors = errors_of(tmp_path, text)
    assert [(error.code, error.span.line) for error in errors if error.span] == [
        ("CC631", 1), ("CC632", 2),
        ("CC634", 4), ("CC634", 4), ("CC632", 4), ("CC633", 4), ("CC632", 4),
        ("CC636", 5), ("CC633", 5), ("CC632", 5), ("CC634", 5),
        ("CC631", 6),
        ("CC635", 8), ("CC634", 8), ("CC635", 8),
    ]  # fmt: skip


def test_the_second_of_two_ids_points_to_the_first(tmp_path: Path) -> None:
    text = SOUND.replace("]\n", ", {id: edge, designs: n.yaml, max: {params: 1}}]\n")
    (error,) = errors_of(tmp_path, text)
    ((span, words),) = error.notes
    assert (span.line, span.column, words) == (2, 16, "first here")


def test_ids_are_compared_in_their_normal_form(tmp_path: Path) -> None:
    text = "version: 1\nbudgets:\n" + "".join(
        f"  - {{id: {id_}, designs: m.yaml, max: {{params: 1}}}}\n" for id_ in ("gr\u00f6sse", "gro\u0308sse")
    )
    assert [error.code for error in errors_of(tmp_path, text)] == ["CC636"]


def test_an_id_may_have_two_hundred_characters(tmp_path: Path) -> None:
    assert read_budget_file(put(tmp_path, SOUND.replace("edge", "e" * 200))).budgets[0].id == "e" * 200
    (error,) = errors_of(tmp_path, SOUND.replace("edge", "e" * 201))
    assert (error.code, error.text.endswith("longer than 200 characters")) == ("CC636", True)


def test_text_of_strangers_is_shown_escaped(tmp_path: Path) -> None:
    (error,) = errors_of(tmp_path, SOUND.replace("edge", r'"\x1b[31m\u202e"'))
    shown = format_error(error)
    assert "\x1b" not in shown
    assert "\u202e" not in shown


# --- limits -----------------------------------------------------------------------------------------------------------


def test_yaml_limits_are_those_of_specs(tmp_path: Path) -> None:
    assert [error.code for error in errors_of(tmp_path, "a: " + "[" * 100)] == ["CC108"]
    assert [error.code for error in errors_of(tmp_path, "# " + "x" * (1 << 20))] == ["CC003"]
    assert [error.code for error in errors_of(tmp_path, "a: \x00")] == ["CC005"]
    (tmp_path / "convcalc-budget.yaml").write_bytes(b"note: \xff")
    with pytest.raises(SpecErrors) as raised:
        read_budget_file(str(tmp_path / "convcalc-budget.yaml"))
    assert [error.code for error in raised.value.errors] == ["CC004"]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends(tmp_path: Path, end: str) -> None:
    assert len(read_budget_file(put(tmp_path, NORMATIVE.replace("\n", end))).budgets) == 5


def test_lists_have_at_most_ten_thousand_entries(tmp_path: Path) -> None:
    many = ", ".join(["m.yaml"] * 10_000)
    assert len(read_budget_file(put(tmp_path, SOUND.replace("m.yaml", f"[{many}]"))).budgets[0].designs) == 10_000
    assert [error.code for error in errors_of(tmp_path, SOUND.replace("m.yaml", f"[{many}, m.yaml]"))] == ["CC507"]
    assert [error.code for error in errors_of(tmp_path, f"{SOUND}waivers: [{'a,' * 10_001}]\n")] == ["CC507"]


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nbudgets:\n" + "- {id: a, desings: m.yaml, max: {parms: 1e3}}\n" * 10_000,
        SOUND.replace("m.yaml", '"' + "*a" * 499 + '"') + "waivers: [" + "{budget: egde}," * 10_000 + "]\n",
        "version: 1\nbudgets: [{id: a, designs: [" + '"[[[[", ' * 10_000 + "], max: {params: 1}}]\n",
        SOUND.replace("1}", "1" * 1_000_000 + "}"),
        "version: 1\nbudgets: [{id: a, designs: m.yaml, growth: {params: +1" + " or +1" * 100_000 + "}}]\n",
    ],
    ids=["mistakes", "waivers", "brackets", "digits", "ors"],
)
def test_hostile_files_take_no_more_than_so_much_work(tmp_path: Path, text: str) -> None:
    with limited_work(), pytest.raises(SpecErrors):
        read_budget_file(put(tmp_path, text))


# --- the pages of the codes -------------------------------------------------------------------------------------------

PAGES = {
    code: page
    for code, page in plain(parse_yaml(Source(CODES, Path(CODES).read_text(encoding="utf-8")))).items()
    if "CC631" <= code <= "CC636"
}


def test_every_code_of_a_budget_file_has_a_page_and_a_case() -> None:
    assert list(PAGES) == ["CC631", "CC632", "CC633", "CC634", "CC635", "CC636"]
    assert set(PAGES) <= {case.code for case in CASES}


@pytest.mark.parametrize("code", PAGES)
def test_what_a_page_shows_is_so(code: str, tmp_path: Path) -> None:
    assert [error.code for error in errors_of(tmp_path, PAGES[code]["wrong"])] == [code]
    assert read_budget_file(put(tmp_path, PAGES[code]["right"])).budgets
