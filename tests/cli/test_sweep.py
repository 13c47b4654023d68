"""``sweep``: the same points from every engine, in every format, and from a run that was killed and gone on with."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from distributed import Client
from pyarrow import parquet

import convcalc
from convcalc.metrics.registry import report_metrics
from convcalc.schemas import schema
from convcalc.sweep import executors
from convcalc.sweep.axes import read_axis
from convcalc.sweep.block_task import BlockTask, run_block
from convcalc.sweep.checkpoint import Checkpoint, Progress, SavedProgress
from convcalc.sweep.grid import Block
from convcalc.sweep.job import make_job
from convcalc.sweep.selection import Selection
from tests.conftest import HANG, ROOT, Command

RESNET50 = str(ROOT / "tests" / "sweep" / "resnet50.yaml")
SMALL = ("sweep", RESNET50, "width=8,16", "size=32..64:32", "classes=1..3")
LARGE = ("sweep", RESNET50, "width=8..256:8", "size=32..224:2", "classes=1..200")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "CONVCALC_JOBS": "1"}


def process(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "convcalc", *arguments]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def truth() -> list[dict[str, int]]:
    rows = []
    for width in (8, 16):
        for size in (32, 64):
            for classes in (1, 2, 3):
                point = {"width": width, "size": size, "classes": classes}
                totals = convcalc.load(RESNET50, set=point).report().totals
                rows.append(point | {"params": totals["params"], "macs": totals["macs"]})
    return rows


def test_formats_hold_the_same_points(cli: Command) -> None:
    true = truth()
    assert json.loads(cli(*SMALL, "--json").stdout)["points"] == true
    assert [json.loads(line) for line in cli(*SMALL, "-f", "jsonl").stdout.splitlines()] == true
    rows = csv.DictReader(io.StringIO(cli(*SMALL, "-f", "csv").stdout))
    assert [{key: int(value) for key, value in row.items()} for row in rows] == true
    table = cli(*SMALL, "-f", "markdown").stdout.splitlines()[2:]
    assert [[int(cell.replace(",", "")) for cell in line.strip("| ").split(" | ")] for line in table] == [
        list(row.values()) for row in true
    ]
    assert f"{true[-1]['macs']:,}" in cli(*SMALL).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        SMALL,
        (*SMALL, "--where", "params < 0"),
        (*SMALL, "--keep", "pareto:params,-macs"),
        ("sweep", "zoo:mobilenet_v2", "alpha=0.35,1/3,1", "--variants", "all", "--metrics", "macs"),
        ("sweep", "words.yaml", "act=relu,silu", "sides=[1, 2],[3, 9]", "bias=true,false"),
    ],
)
def test_json_is_as_its_schema_says(cli: Command, folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "words.yaml").write_text(
        "input: [3, 8, 8]\nvars: {act: relu, sides: [1, 1], bias: true}\n"
        "layers: [conv: {out: 4, kernel: sides, act: act, bias: bias}]\n"
    )
    document = json.loads(cli(*arguments, "--json").stdout)
    assert [
        error.message for error in jsonschema.Draft7Validator(json.loads(schema("sweep"))).iter_errors(document)
    ] == []
    assert document["counts"]["kept"] == len(document["points"])
    assert ("words.yaml" in arguments) == bool(document["dropped"])


def test_parquet(cli: Command, folder: Path) -> None:
    assert cli(*SMALL, "-o", "points.parquet").exit_code == 0
    assert parquet.read_table("points.parquet").to_pylist() == truth()


def test_reductions(cli: Command) -> None:
    true = truth()
    top = json.loads(cli(*SMALL, "--keep", "top:3:-macs", "--json").stdout)["points"]
    assert top == sorted(true, key=lambda row: -row["macs"])[:3]
    front = json.loads(cli(*SMALL, "--keep", "pareto:params,-macs", "--json").stdout)["points"]
    assert all(
        any(other["params"] <= row["params"] and other["macs"] >= row["macs"] for other in front) for row in true
    )
    assert "└" in cli(*SMALL, "--keep", "pareto:params,-macs").stdout


def test_the_order_of_points_and_the_former_names_of_its_options(cli: Command) -> None:
    def points(*arguments: str) -> list[dict[str, int]]:
        found: list[dict[str, int]] = json.loads(cli(*SMALL, *arguments, "--json").stdout)["points"]
        return found

    true = truth()
    rising, falling = (sorted(true, key=lambda row: sign * row["macs"]) for sign in (1, -1))
    for order, expected in (("macs", falling), ("-macs", falling), ("macs:asc", rising)):
        assert points("--sort", order) == expected
        assert points("--sort", order, "--top", "3") == expected[:3]
    assert points("--top", "3") == sorted(true, key=lambda row: -row["params"])[:3]
    assert points("--keep", "top:3:macs") == rising[:3]
    front = points("--keep", "pareto:params,-macs")
    assert points("--pareto", "params,-macs") == front
    ordered = sorted(front, key=lambda row: -row["macs"])
    assert points("--pareto", "params,-macs", "--sort", "macs") == ordered
    assert points("--pareto", "params,-macs", "--sort", "macs", "--top", "2") == ordered[:2]
    assert points("--columns", "+flops", "--top", "1")[0].keys() == {*true[0], "flops"}
    assert points("--metrics", "flops") == points("--columns", "flops")


@pytest.mark.parametrize("options", [(), ("--top", "7"), ("--jobs", "2")])
@pytest.mark.parametrize(
    ("written", "values"),
    [("1..9", range(1, 10)), ("9..1:-2", range(9, 0, -2)), ("7,1..3,5,2", [7, 1, 2, 3, 5, 2]), ("1/3,3,2.5", [None])],
)
def test_points_in_the_order_of_an_axis(
    cli: Command, folder: Path, written: str, values: Sequence[int | None], options: tuple[str, ...]
) -> None:
    (folder / "net.yaml").write_text(
        "input: [3, 8, 8]\nvars: {numbers: 1, n: 2}\nlayers: [conv: [ceil(numbers), 1], conv: [n, 1]]\n"
    )
    line = "sweep", "net.yaml", f"numbers={written}", "n=1..2"
    each = [dict(row) for row in json.loads(cli(*line, "--json").stdout)["points"]]
    assert values == [None] or [row["numbers"] for row in each] == [value for value in values for _ in "12"]
    for order, sign in (("numbers", -1), ("-numbers", -1), ("numbers:asc", 1)):
        expected = sorted(each, key=lambda row: sign * Fraction(row["numbers"]))
        found = json.loads(cli(*line, "--sort", order, "--json", *options).stdout)["points"]
        assert found == expected[: int(options[1]) if "--top" in options else None]


def test_words_are_in_the_order_in_which_they_are_listed(cli: Command) -> None:
    line = "sweep", "--sort", "variant:asc", "zoo:vgg", "classes=1,2", "--variants", "19,11,16"
    assert [row["variant"] for row in json.loads(cli(*line, "--json").stdout)["points"]] == [
        "19", "19", "11", "11", "16", "16",
    ]  # fmt: skip
    refused = cli(*line, "--pareto", "variant,params")
    assert refused.exit_code == 2
    assert "--pareto compares numbers, and the values of 'variant' are none" in refused.stderr


def test_an_axis_in_a_pareto_front(cli: Command, folder: Path) -> None:
    (folder / "net.yaml").write_text("input: [3, 8, 8]\nvars: {k: 1, n: 1}\nlayers: [conv: [n, k]]\n")
    line = "sweep", "net.yaml", "k=1..3", "n=1..3"
    points = json.loads(cli(*line, "--json").stdout)["points"]
    front = json.loads(cli(*line, "--pareto", "-k,params", "--json").stdout)["points"]
    assert front == [point for point in reversed(points) if point["n"] == 1]
    assert cli(*line, "--pareto", "-k,params").stdout.split()[:4] == ["k", "n", "Params", "Multiplies"]


def test_notes_keep_points_in_the_order_of_an_axis(folder: Path) -> None:
    (folder / "net.yaml").write_text("input: [numbers]\nvars: {numbers: 1}\nlayers: [linear: 1]\n")
    task = BlockTask(
        make_job("net.yaml", [read_axis("numbers=2..10")]), Selection("top", ("-numbers",), 3, "", ("numbers",))
    )
    points = run_block(task, Block(((0, 9),), (9,))).points
    checkpoint = Checkpoint("points.csv", {})
    checkpoint.save(SavedProgress({}, Progress(points=points)))
    known = checkpoint.load()
    assert known
    assert known.state.points
    assert [column.tolist() for column in (known.state.points.numbers, *known.state.points.metrics.values())] == [
        [8, 7, 6], [11, 10, 9], [10, 9, 8], [8, 7, 6],
    ]  # fmt: skip


def test_points_that_are_no_network_are_counted_and_explained(cli: Command, folder: Path) -> None:
    (folder / "net.yaml").write_text("input: [3, n, n]\nvars: {n: 8, k: 3}\nlayers: [conv: [4, k]]\n")
    result = cli("sweep", "net.yaml", "n=1..4", "k=1..4", "--json")
    document = json.loads(result.stdout)
    assert document["counts"] == {"points": 16, "networks": 10, "kept": 10}
    (reason,) = document["dropped"]
    assert (reason["code"], reason["points"], reason["first"]) == ("CC403", 6, {"n": 1, "k": 2})
    assert "6 of 16 combinations are invalid" in result.stderr
    assert cli("sweep", "net.yaml", "n=1", "k=2").exit_code == 2


def test_reasons_are_told_apart_by_code_and_sentence(cli: Command, folder: Path) -> None:
    (folder / "net.yaml").write_text(
        "input: [c, n]\nvars: {n: 8, k: 3, c: 4, g: 1, turns: 1}\n"
        "layers:\n  - {conv: {out: 12, kernel: k, groups: g}, repeat: turns}\n"
        "  - {deconv: {out: 6, kernel: 1, padding: 1}}\n"
    )
    axes = ("n=1..7", "k=1..4", "c=2..6", "g=1..6", "turns=1,2")
    document = json.loads(cli("sweep", "net.yaml", *axes, "--json").stdout)
    true: dict[str, int] = {}
    for n, k, c, g, turns in itertools.product(range(1, 8), range(1, 5), range(2, 7), range(1, 7), (1, 2)):
        try:
            convcalc.load("net.yaml", set={"n": n, "k": k, "c": c, "g": g, "turns": turns}).report()
        except convcalc.SpecErrors as errors:
            sentence = re.sub(r"-?[0-9]+", "…", errors.errors[0].text)
            true[sentence] = true.get(sentence, 0) + 1
    assert {each["sentence"]: each["points"] for each in document["dropped"]} == true
    assert len({each["code"] for each in document["dropped"]}) < len(true)
    for each in document["dropped"]:
        with pytest.raises(convcalc.SpecErrors) as caught:
            convcalc.load("net.yaml", set=each["first"]).report()
        assert str(caught.value.errors[0]) in each["text"]


# --- packages that are not there --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "arguments", "code", "hint"),
    [
        ("numpy", SMALL, "CC719", "pip install 'convcalc[sweep]'"),
        ("numpy", ("solve", RESNET50, "--for", "width=8..16", "--max", "params=1M"), "CC719", "convcalc[sweep]"),
        ("pyarrow", (*SMALL, "-o", "points.parquet"), "CC707", "pip install 'convcalc[parquet]'"),
        ("distributed", (*SMALL, "--dask", "local"), "CC719", "pip install 'convcalc[cluster]'"),
    ],
)
def test_missing_packages(tmp_path: Path, package: str, arguments: tuple[str, ...], code: str, hint: str) -> None:
    program = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {package!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from convcalc.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert code in done.stderr.decode()
    assert hint in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["widht=1"], "did you mean 'width'?"),
        (["width=1..0"], "CC713"),
        (["width=1", "width=2"], "CC714"),
        ([], "CC713"),
        (["width=8", "--where", "parms < 1"], "did you mean 'params'?"),
        (["width=8", "--where", "batch == 1"], "the condition reads 'batch', which is neither an axis nor a metric"),
        (["width=8", "--where", "2 * MiB"], "hint: a suffix must follow its number directly: write 2MiB"),
        (["width=8", "--where", "params < 1.5 * M"], "hint: a suffix must follow its number directly: write 1.5M"),
        (["width=8", "--where", "KiB < params"], "hint: a suffix must follow its number directly: write 1KiB"),
        (["widht"], "'widht' has no values; did you mean 'width'?"),
        (["width=1.."], "hint: write width=32,64,128 or width=128..320:32 or "),
        (["width=8", "--where", "params <"], "CC715"),
        (["width=8", "--where", "params"], "CC715"),
        (["width=8", "--keep", "best"], "not one of all"),
        (["width=8", "--keep", "top:5:mcs"], "did you mean 'macs'?"),
        (["width=8", "--keep", "top:5:macs", "--top", "3"], "former name"),
        (["width=8", "--sort", "-macs:asc"], "combines a minus"),
        (["width=8", "--sort", "classes"], "'classes' is not one of width, params, "),
        (["width=8", "--sort", "widht"], "did you mean 'width'?"),
        (["width=8", "--pareto", "macs,-widht"], "did you mean 'width'?"),
        (["width=8", "--columns", "macs,width"], "'width' is an axis, and every row has all axes"),
        (["--sort", "variant", "width=8"], "'variant' is not one of width, "),
        (["width=8", "--sort", "macs:up"], "not one of macs, macs:asc and macs:desc"),
        (["classes=1..2000000", "--sort", "macs"], "add --top N"),
        (["width=8", "--resume"], "-o PATH"),
        (["width=8", "--jobs", "2", "--dask", "local"], "give one of them"),
        (["width=8", "--variants", "nonesuch"], "CC701"),
    ],
)
def test_mistakes(cli: Command, arguments: list[str], said: str) -> None:
    result = cli("sweep", RESNET50, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_where_with_a_word_that_no_axis_has_names_those_of_the_axes(cli: Command, tmp_path: Path) -> None:
    spec = tmp_path / "acts.yaml"
    spec.write_text("input: [3, 8, 8]\nvars: {kind: relu}\nlayers: [conv: {out: 4, kernel: 3, act: kind}]\n")
    result = cli("sweep", str(spec), "kind=relu,gelu", "--where", "kind == silu")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "hint: kind is one of relu, gelu; it may read kind, params, " in result.stderr
    assert "one of relu" not in cli("sweep", str(spec), "kind=relu,gelu", "--where", "parms > 3").stderr


# --- engines ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one process writes."""
    path = tmp_path_factory.mktemp("whole") / "points.csv"
    running = process(*LARGE, "-o", str(path))
    assert running.communicate()[1] == b""
    return path.read_bytes()


def test_processes_write_the_same_bytes(
    whole: bytes, tmp_path: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started at once, however short the sweep is: none of its blocks is evaluated here."""
    monkeypatch.setattr(executors, "START_WORKERS_AFTER", 0)
    monkeypatch.setattr(executors, "run_block", None)
    path = tmp_path / "points.csv"
    result = cli(*LARGE, "--jobs", "2", "-o", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert path.read_bytes() == whole


def test_a_short_sweep_starts_no_processes(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "START_WORKERS_AFTER", HANG)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", None)
    assert cli(*SMALL, "--jobs", "2", "-f", "csv").stdout == cli(*SMALL, "--jobs", "1", "-f", "csv").stdout


HELD = """\
import itertools, os, sys, types
import convcalc.cli.commands.sweep

hurried = types.SimpleNamespace(monotonic=itertools.count().__next__)
for name, module in sys.modules.items():
    if name.startswith("convcalc.") and hasattr(module, "time"):
        module.time = hurried

put, note = os.replace, itertools.count(1)

def putting(source, target):
    put(source, target)
    if os.fspath(target).endswith(".progress") and next(note) == int(sys.argv[1]):
        print("held", flush=True)
        sys.stdin.read()

os.replace = putting
sys.exit(convcalc.cli.main(sys.argv[2:]))
"""
"""A sweep that notes what is done after every block, and stands still after so many notes until its input ends."""


def held(notes: int, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a sweep, and return it where it stands still."""
    command = [sys.executable, "-c", HELD, str(notes), *arguments]
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    running = subprocess.Popen(command, env=ENVIRONMENT, **pipes)
    assert running.stdout
    assert running.stdout.readline() == b"held\n", running.communicate()
    return running


def kill(running: subprocess.Popen[bytes]) -> None:
    running.kill()
    running.communicate()


@pytest.mark.parametrize("notes", [(1, 1, 1), (3, 2)])
def test_a_killed_sweep_goes_on(whole: bytes, tmp_path: Path, notes: tuple[int, ...]) -> None:
    path = tmp_path / "points.csv"
    for number in notes:
        kill(held(number, *LARGE, "--resume", "-o", str(path)))
        assert not path.exists()
    last = process(*LARGE, "--resume", "-o", str(path))
    last.communicate()
    assert last.returncode == 0
    assert path.read_bytes() == whole
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_killed_sweep_to_parquet_goes_on(tmp_path: Path) -> None:
    path, straight = tmp_path / "points.parquet", tmp_path / "straight.parquet"
    kill(held(2, *LARGE, "--resume", "-o", str(path)))
    assert not path.exists()
    for arguments in (["--resume", "-o", str(path)], ["-o", str(straight)]):
        last = process(*LARGE, *arguments)
        assert last.communicate()[1] == b""
        assert last.returncode == 0
    assert path.read_bytes() == straight.read_bytes()
    assert sorted(tmp_path.iterdir()) == [path, straight]


def test_processes_end_with_a_sweep_that_is_killed(tmp_path: Path) -> None:
    """They have the same standard error, which is closed when all have ended. After the last block they are idle."""
    running = held(6, *LARGE, "--jobs", "2", "-o", str(tmp_path / "points.csv"))
    running.kill()
    running.communicate(timeout=HANG)


def test_another_sweep_does_not_go_on(cli: Command, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    (tmp_path / "points.csv.progress").write_text('{"sweep": "other"}')
    result = cli(*SMALL, "--resume", "-o", str(path))
    assert result.exit_code == 2
    assert "CC717" in result.stderr
    assert not path.exists()


def test_a_cluster_on_this_machine_writes_the_same_points(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    running = process(*SMALL, "--dask", "local", "-o", str(path))
    running.communicate(timeout=HANG)
    assert running.returncode == 0
    assert [json.loads(line) for line in path.read_text().splitlines()] == truth()


SCHEDULER = """\
import asyncio
from distributed import Scheduler

async def run():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(run())
"""


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A real scheduler and two real workers that it knows of."""
    common: dict[str, Any] = {"env": ENVIRONMENT, "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE, **common)]
    assert running[0].stdout
    address = running[0].stdout.readline().decode().strip()
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
    worker = [sys.executable, "-m", "dask", "worker", address, *options]
    running += [subprocess.Popen(worker, stdout=subprocess.DEVNULL, **common) for _ in range(2)]
    try:
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=HANG)
        yield address, running[1:]
    finally:
        for each in running:
            each.kill()
            each.communicate()


def test_a_cluster_that_loses_a_worker_writes_the_same_bytes(
    whole: bytes, tmp_path: Path, scheduler: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = scheduler
    path = tmp_path / "points.csv"
    running = held(1, *LARGE, "--dask", address, "--resume", "-o", str(path))
    kill(workers[0])
    running.communicate(timeout=HANG)
    assert running.returncode == 0
    assert path.read_bytes() == whole


def test_verbose_shows_every_metric(cli: Command, folder: Path) -> None:
    """In the commands that show two by default; what ``--columns`` names alone stays alone."""
    keys = [measure.key for measure in report_metrics()]
    assert cli("sweep", "tiny.yaml", "width=4", "-f", "csv", "-v").stdout.splitlines()[0] == ",".join(["width", *keys])
    assert cli("sweep", "tiny.yaml", "width=4", "-f", "csv", "-v", "--columns", "macs").stdout == (
        cli("sweep", "tiny.yaml", "width=4", "-f", "csv", "--columns", "macs").stdout
    )
    solved = json.loads(cli("solve", "tiny.yaml", "--for", "width=1..9", "--max", "params=1k", "-v", "--json").stdout)
    assert set(keys) <= set(solved["solution"]["metrics"])
    formula = json.loads(cli("formula", "tiny.yaml", "--symbols", "width", "-v", "--json").stdout)
    assert set(formula["totals"]) == {measure.key for measure in report_metrics() if measure.is_additive}
