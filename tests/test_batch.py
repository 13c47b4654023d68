"""Many designs: which are named, that each is counted as a report counts it, and what survives a process's death."""

from __future__ import annotations

import fnmatch
import os
import random
import signal
import tempfile
from collections.abc import Callable
from multiprocessing import Pipe, active_children
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.batch import run as running
from convcalc.batch import worker_pool as workers
from convcalc.batch.count import BatchRow, CountRequest, CountTask, count
from convcalc.batch.run import count_all
from convcalc.batch.selection import pareto_front, sort_rows
from convcalc.batch.skeletons import Skeletons
from convcalc.designs.names import parse_design
from convcalc.designs.patterns import designs_named
from convcalc.designs.sources import CountOptions
from convcalc.errors import Source, Span, SpecError, SpecErrors, Undecided, format_error
from tests.conftest import ROOT
from tests.work import limited_work

ASKED = CountRequest(("params", "macs"))
SPEC = "input: [3, 8, 8]\nlayers: [conv: [{out}, 3]]\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def specs(folder: Path, number: int) -> list[CountTask]:
    """So many distinct files, and the jobs for them."""
    for place in range(number):
        write(folder / f"{place:04}.yaml", SPEC.format(out=place + 1))
    return [CountTask(parse_design(f"{place:04}.yaml")) for place in range(number)]


def params(out: int) -> int:
    """The weights of the one convolution: 3·3·3 for each kernel, and its bias."""
    return 28 * out


def rows(wanted: list[CountTask], processes: int, asked: CountRequest = ASKED) -> list[dict[str, object]]:
    return [row.facts(asked.metrics) for done in count_all(wanted, asked, processes) for row in done.rows]


# --- errors travel ----------------------------------------------------------------------------------------------------

SPAN = Span(Source("a.yaml", "input: 1\nlayers: []\n"), 2, 1, 6)


def sent(value: Any) -> Any:
    """What arrives of a value at the other end of a pipe."""
    here, there = Pipe()
    here.send(value)
    return there.recv()


def test_an_error_is_whole_after_a_journey() -> None:
    error = SpecError(
        "CC203", "no such thing", SPAN, hint="another", notes=((SPAN, "here"),), call_stack=(("stage", SPAN),)
    )
    error.hint = "changed later"
    arrived = sent(error)
    assert type(arrived) is SpecError
    assert format_error(arrived) == format_error(error)
    assert "changed later" in format_error(arrived)
    assert (arrived.notes, arrived.call_stack, arrived.span) == (error.notes, error.call_stack, error.span)


def test_many_errors_too() -> None:
    errors = SpecErrors([SpecError("CC203", "one", SPAN), SpecError("CC204", "other", SPAN._replace(line=1))])
    arrived = sent(errors)
    assert [error.code for error in arrived.errors] == ["CC204", "CC203"]
    assert str(arrived) == str(errors)


def test_an_undecided_value_too() -> None:
    arrived = sent(Undecided("a count", ["n"]))
    assert (arrived.requirement, arrived.names, str(arrived)) == ("a count", ("n",), str(Undecided("a count", ["n"])))


# --- what is named ----------------------------------------------------------------------------------------------------

TREE = (
    "a.yaml", "b.yml", "notes.md", ".hidden.yaml", "convcalc-budget.yaml", "sub/a.yaml", "sub/deep/x1.yaml",
    "sub/deep/x2.yaml", "sub-/a.yaml", ".git/c.yaml", "sub.yaml", "x[1].yaml", "sub/.off/d.yaml",
)  # fmt: skip


@pytest.fixture
def tree(here: Path) -> Path:
    for name in TREE:
        write(here / name, "")
    return here


def found(pattern: str) -> list[str]:
    return [job.design.text for job in designs_named(pattern)]


def visible(path: str) -> bool:
    parts = path.split("/")
    return not any(part.startswith(".") for part in parts) and path.endswith((".yaml", ".yml")) and "budget" not in path


SPECS = [path for path in TREE if visible(path)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.yaml", [path for path in SPECS if path.endswith(".yaml")]),
        ("**", SPECS),
        ("*", SPECS),  # a folder that matches stands for what is below it
        ("*.yaml", [path for path in SPECS if fnmatch.fnmatch(path, "*.yaml") and "/" not in path]),
        ("sub/*", ["sub/a.yaml", "sub/deep/x1.yaml", "sub/deep/x2.yaml"]),
        ("sub/*.yaml", ["sub/a.yaml"]),
        ("**/x?.yaml", ["sub/deep/x1.yaml", "sub/deep/x2.yaml"]),
        ("**/x[2-9].yaml", ["sub/deep/x2.yaml"]),
        ("**/x[!2-9].yaml", ["sub/deep/x1.yaml"]),
        ("**/deep/**/*.yaml", ["sub/deep/x1.yaml", "sub/deep/x2.yaml"]),
        ("s*/a.yaml", ["sub/a.yaml", "sub-/a.yaml"]),
        (".*.yaml", [".hidden.yaml"]),
        ("sub/.*/*.yaml", ["sub/.off/d.yaml"]),
        ("x[1].yaml", ["x[1].yaml"]),  # there is a file of this name
        ("*.yaml@wide", [f"{path}@wide" for path in SPECS if "/" not in path and path.endswith(".yaml")]),
        ("sub", ["sub/a.yaml", "sub/deep/x1.yaml", "sub/deep/x2.yaml"]),
    ],
)
def test_globs_and_folders(tree: Path, pattern: str, expected: list[str]) -> None:
    assert found(pattern) == sorted(expected)
    absolute = f"{tree}/{pattern}"
    assert found(absolute) == sorted(f"{tree}/{path}" for path in expected)


@pytest.mark.parametrize("pattern", ["*.toml", "nowhere/*.yaml", "zoo:zz*", ".git/deep/**", "[z-a].yaml"])
def test_a_glob_that_matches_nothing(tree: Path, pattern: str) -> None:
    with pytest.raises(SpecError, match=r"CC705: (nothing matches|the glob) '.*'"):
        designs_named(pattern)


def test_shipped_specs_have_globs() -> None:
    names = sorted(path.stem for path in (ROOT / "specs" / "zoo").glob("mobile*.yaml"))
    assert found("zoo:mobile*") == [f"zoo:{name}" for name in names]


def test_a_pattern_of_many_stars_takes_no_more_than_so_much_work(here: Path) -> None:
    write(here / "/".join("a" * 12) / "a.yaml", "")
    with limited_work(), pytest.raises(SpecError):
        designs_named("/".join(["**"] * 6) + "/b.yaml")


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2])
def test_every_design_in_its_place(here: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    wanted = specs(here, 150)
    random.Random(5).shuffle(wanted)
    got = rows(wanted, processes)
    assert [row["design"] for row in got] == [job.design.text for job in wanted]
    assert [row["params"] for row in got] == [params(int(str(row["design"])[:4]) + 1) for row in got]
    assert active_children() == []


def test_totals_are_those_of_the_report() -> None:
    keys = tuple(convcalc.load("zoo:lenet").report(detailed=()).totals)
    asked = CountRequest(keys, CountOptions(batch=3, dtypes=("float16",)), variants=())
    for name in ("resnet50", "mobilenet_v2", "vit"):
        for one in count(CountTask(parse_design(f"zoo:{name}")), asked):
            report = convcalc.load(one.design.text).report(batch=3, dtype="float16", detailed=())
            assert dict(zip(keys, one.totals, strict=True)) == report.totals
            assert (one.name, one.input) == (report.name, next(iter(report.inputs.values())))


def test_a_part_and_overrides(here: Path) -> None:
    write(here / "a.yaml", "input: [3, 8, 8]\nvars: {n: 2}\nlayers: [{conv: [n, 3], name: stem}, conv: [5, 1]]\n")
    (row,) = rows([CountTask(parse_design("a.yaml#stem"))], 1, ASKED._replace(options=CountOptions({"n": "7"})))
    assert (row["name"], row["params"]) == ("a.yaml#stem", params(7))


# --- identical files --------------------------------------------------------------------------------------------------


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that have been counted in this process."""
    called: list[str] = []

    def noting(job: CountTask, asked: CountRequest, skeletons: Skeletons) -> list[BatchRow]:
        called.append(job.design.text)
        return count(job, asked, skeletons)

    monkeypatch.setattr(running, "count", noting)
    return called


def test_identical_files_are_counted_once(here: Path, counts: list[str]) -> None:
    wanted = []
    for name in ("a.yaml", "b.yaml", "sub/c.yaml"):
        write(here / name, SPEC.format(out=4) + "name: N\n")
        wanted.append(CountTask(parse_design(name)))
    write(here / "d.yaml", SPEC.format(out=5))
    got = rows([*wanted, CountTask(parse_design("d.yaml"))], 1)
    assert counts == ["a.yaml", "d.yaml"]
    assert [(row["design"], row["name"], row["params"]) for row in got] == [
        ("a.yaml", "N", params(4)), ("b.yaml", "N", params(4)), ("sub/c.yaml", "N", params(4)),
        ("d.yaml", "d.yaml", params(5)),
    ]  # fmt: skip


def test_more_identical_files_than_are_begun_at_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of nothing but repeated files are done at once, as many as may be begun, and are not the end."""
    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    monkeypatch.setattr(running, "MAX_REPEATS_PER_CHUNK", 2)
    monkeypatch.setattr(workers, "MAX_CHUNKS_AHEAD", 1)
    [one, other] = specs(here, 2)
    wanted = [one, *[one] * 50, other, *[one, other] * 25]
    assert [row["design"] for row in rows(wanted, 2)] == [job.design.text for job in wanted]


def test_identical_files_without_a_name_keep_their_own(here: Path, counts: list[str]) -> None:
    for name in ("a.yaml", "b.yaml"):
        write(here / name, SPEC.format(out=4) + "variants: {w: {}}\n")
    got = rows([CountTask(parse_design(name)) for name in ("a.yaml", "b.yaml")], 1, ASKED._replace(variants=()))
    assert counts == ["a.yaml"]
    assert [row["name"] for row in got] == ["a.yaml", "a.yaml@w", "b.yaml", "b.yaml@w"]


def test_what_a_file_imports_is_a_part_of_it(here: Path, counts: list[str]) -> None:
    """One text in four folders: what it imports is the same in three of them, through another import."""
    for folder, out in (("p", 4), ("q", 9), ("r", 4), ("s", 4)):
        write(here / folder / "m.yaml", "import: {b: b.yaml}\ninput: [3, 8, 8]\nlayers: [b.Body]\n")
        write(here / folder / "b.yaml", "import: {c: c.yaml}\nblocks: {Body: [c.Core]}\n")
        write(here / folder / "c.yaml", f"blocks: {{Core: [conv: [{out}, 3]]}}\n")
    got = rows([CountTask(parse_design(f"{folder}/m.yaml")) for folder in "pqrs"], 1)
    assert [row["params"] for row in got] == [params(out) for out in (4, 9, 4, 4)]
    assert counts == ["p/m.yaml", "q/m.yaml"]


def test_broken_files_name_themselves(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.yaml", "b.yaml"):
        write(here / name, "layers: [relu]\n")
    got = rows([CountTask(parse_design(name)) for name in ("a.yaml", "b.yaml")], 1)
    assert [str(row["error"]).split(":")[0] for row in got] == ["a.yaml", "b.yaml"]


@pytest.mark.parametrize("processes", [1, 2])
def test_memory_of_files_is_bounded(here: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    """Forgotten files are counted again; the rows stay the same."""
    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    monkeypatch.setattr(running, "MAX_CACHED_FILES", 3)
    wanted = specs(here, 40)
    mixed = [random.Random(7).choice(wanted) for _ in range(200)] + wanted
    assert [row["design"] for row in rows(mixed, processes)] == [job.design.text for job in mixed]
    assert all(row["params"] == params(int(str(row["design"])[:4]) + 1) for row in rows(mixed, processes))


# --- processes that die -----------------------------------------------------------------------------------------------


def dying(flag: Path, times: int) -> Callable[[CountTask, CountRequest, Skeletons], list[BatchRow]]:
    """Counting that kills its process at the file 0077, so many times."""

    def counting(job: CountTask, asked: CountRequest, skeletons: Skeletons) -> list[BatchRow]:
        if job.design.file == "0077.yaml" and os.getpid() != parent and len(list(flag.iterdir())) < times:
            (flag / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return count(job, asked, skeletons)

    parent = os.getpid()
    return counting


@pytest.mark.parametrize("times", [1, 2])
def test_a_killed_process_costs_one_design_at_most(
    here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, times: int
) -> None:
    flag = tmp_path_factory.mktemp("flag")
    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    monkeypatch.setattr(workers, "count", dying(flag, times))
    wanted = specs(here, 150)
    got = rows(wanted, 2)
    assert len(list(flag.iterdir())) == times
    assert [row["design"] for row in got] == [job.design.text for job in wanted]
    lost = [row["design"] for row in got if row["error"]]
    assert lost == (["0077.yaml"] if times == 2 else [])
    assert all(row["params"] == params(place + 1) for place, row in enumerate(got) if not row["error"])


def test_processes_that_anybody_kills(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row comes, or is said to be lost, while one process is killed whenever some rows are done."""
    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    wanted = specs(here, 300)
    got, killed = [], 0
    for done in count_all(wanted, ASKED, 2):
        got += [row.facts(ASKED.metrics) for row in done.rows]
        for process in active_children()[:1]:
            process.kill()
            killed += 1
    assert killed > 5
    assert [row["design"] for row in got] == [job.design.text for job in wanted]
    assert all(row["error"] or row["params"] == params(place + 1) for place, row in enumerate(got))


def test_without_processes_all_is_counted_here(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    monkeypatch.setattr(workers, "_Worker", none)
    assert [row["params"] for row in rows(specs(here, 80), 2)] == [params(place + 1) for place in range(80)]


def test_a_bug_in_a_process_is_a_bug(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(job: CountTask, asked: CountRequest, skeletons: Skeletons) -> list[BatchRow]:
        raise ZeroDivisionError("of a test")

    monkeypatch.setattr(running, "START_WORKERS_AFTER", 0.0)
    monkeypatch.setattr(workers, "count", faulty)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: of a test"):
        rows(specs(here, 80), 2)
    assert active_children() == []


# --- choosing ---------------------------------------------------------------------------------------------------------


def row_of(place: int, *values: int) -> BatchRow:
    return BatchRow(parse_design(str(place)), input=(1, 2), totals=values)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("metrics", [["a"], ["a", "b"], ["a", "b", "c"], ["-a", "b"], ["-a", "c", "-b"]])
def test_the_front_is_what_nothing_dominates(seed: int, metrics: list[str]) -> None:
    chance = random.Random(seed)
    points = [[chance.randrange(9) for _ in range(3)] for _ in range(60)]
    got = pareto_front([[row_of(n, *point)] for n, point in enumerate(points)], metrics, "abc")
    expected = []
    sides = [("abc".index(metric[-1]), -1 if metric[0] == "-" else 1) for metric in metrics]
    for n, point in enumerate(points):
        mine = [sign * point[place] for place, sign in sides]
        rivals = [[sign * other[place] for place, sign in sides] for other in points]
        beaten = any(all(map(int.__le__, rival, mine)) and any(map(int.__lt__, rival, mine)) for rival in rivals)
        if not beaten:
            expected.append(str(n))
    assert [one.design.text for one in got] == expected


@pytest.mark.parametrize(("metric", "sign"), [("-a", -1), ("a", 1)])
def test_sorting_keeps_the_order_of_equals_and_puts_the_broken_last(metric: str, sign: int) -> None:
    chance = random.Random(3)
    values = [chance.choice([1, 5, 10**30]) for _ in range(1300)]
    some = [row_of(n, value) for n, value in enumerate(values)]
    error = count(CountTask(parse_design("nowhere.yaml")), ASKED)[0].errors
    some[4] = some[4]._replace(totals=(), errors=error)
    with tempfile.TemporaryFile() as file:
        got = [row for part in sort_rows([some[:700], some[700:]], metric, "a", None, file) for row in part]
    expected = sorted((n for n in range(1300) if n != 4), key=lambda n: sign * values[n])
    assert [row["design"] for row in got] == [*map(str, expected), "4"]
    assert got[0] == some[expected[0]].facts("a")
