"""Sweeps and solve over batch sizes and with a device: every point is what a report of it says."""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

import convcalc
from convcalc import schemas
from tests.conftest import Command

MODEL = """\
input: [n, dim]
vars: {n: 4, dim: 64, depth: 2}
layers:
  - repeat: depth
    name: layer
    seq: [add: [identity, [norm: rms, attention: 4]], linear: {out: 4*dim, act: gelu}, linear: dim]
  - {linear: {out: 500, bias: false}, name: head}
"""
BOARD = """\
name: A board
source: https://example.org/board
bandwidth: 17.3G
operations: {float32: 1.7T, float16: 3.1T}
"""
DTYPE = "weights=int4g16,float16"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.yaml").write_text(MODEL)
    (tmp_path / "board.yaml").write_text(BOARD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def time_by_hand(network: convcalc.Network, batch: int, dtype: str) -> int:
    """⌈Σ max(operations / 3.1T or 1.7T, bytes / 17.3G)⌉ nanoseconds, layer by layer."""
    rate = Fraction("3.1") if dtype != "float32" else Fraction("1.7")
    whole = Fraction(0)
    for row in network.report(batch=batch, dtype=dtype).rows:
        operations, moved = row.values["flops"], row.values["traffic_bytes"]
        whole += max(operations / (1000 * rate), moved / Fraction("17.3"))
    return math.ceil(whole)


@pytest.mark.parametrize("dtype", ["float32", DTYPE])
def test_every_point_is_its_report(cli: Command, folder: Path, dtype: str) -> None:
    keys = ("params", "macs", "peak_activation_bytes", "traffic_bytes", "least_time")
    words = ("n=1,7,300", "batch=1,3,50", "depth=1,2", "--device", "board.yaml", "--dtype", dtype)
    result = cli("sweep", "model.yaml", *words, "--columns", ",".join(keys), "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 18
    bounds = set()
    for row in rows:
        network = convcalc.load("model.yaml", set={"n": int(row["n"]), "depth": int(row["depth"])})
        batch = int(row["batch"])
        report = network.report(batch=batch, dtype=dtype, device="board.yaml")
        totals = {key: report.totals[key] for key in keys[:-1]}
        assert {key: int(row[key]) for key in totals} == totals
        assert int(row["least_time"]) == time_by_hand(network, batch, dtype) == math.ceil(report.totals["least_time"])
        bounds |= {each.values["bound"] for each in report.rows}
    assert bounds == {"compute", "memory"}


def test_times_are_sorted_and_compared(cli: Command, folder: Path) -> None:
    words = ("model.yaml", "n=1..40", "batch=1..9", "--device", "board.yaml", "--columns", "least_time", "-f", "csv")
    every = [tuple(map(int, line.split(","))) for line in cli("sweep", *words).stdout.splitlines()[1:]]
    limit = sorted(time for _, _, time in every)[100]
    kept = cli("sweep", *words, "--where", f"least_time <= {limit}").stdout.splitlines()[1:]
    assert [tuple(map(int, line.split(","))) for line in kept] == [point for point in every if point[2] <= limit]
    best = cli("sweep", *words, "--sort", "least_time", "--top", "1").stdout.splitlines()[1]
    assert int(best.split(",")[2]) == max(time for _, _, time in every)
    whole = json.loads(cli("sweep", *words[:-1], "json").stdout)
    assert (whole["batch"], whole["device"]) == (None, "board.yaml")
    jsonschema.validate(whole, json.loads(schemas.schema("sweep")))
    plain = cli("sweep", "model.yaml", "n=1..3", "--device", "board.yaml").stdout
    assert "Time bound (ns)" in plain


@pytest.mark.parametrize("metric", ["least_time", "traffic_bytes", "peak_activation_bytes"])
def test_the_largest_batch_within_a_limit(cli: Command, folder: Path, metric: str) -> None:
    network = convcalc.load("model.yaml")

    def counted(batch: int) -> int:
        return math.ceil(network.report(batch=batch, dtype=DTYPE, device="board.yaml").totals[metric])

    limit = counted(37) + 1
    words = ("--device", "board.yaml", "--dtype", DTYPE, "--max", f"{metric}={limit}", "--json")
    found = json.loads(cli("solve", "model.yaml", "--for", "batch=1..10k", *words).stdout)
    best = max(batch for batch in range(1, 60) if counted(batch) <= limit)
    assert found["solution"]["values"] == {"batch": best}
    assert found["solution"]["metrics"][metric] == counted(best)
    assert (found["fitting"], found["batch"], found["device"]) == (best, None, "board.yaml")
    jsonschema.validate(found, json.loads(schemas.schema("solve")))


def test_suffixes_of_a_range_and_of_a_limit(cli: Command, folder: Path) -> None:
    words = ("--for", "n=1..1M", "--max", "peak_activation_bytes=24MiB", "--dtype", "float16", "--json")
    found = json.loads(cli("solve", "model.yaml", *words).stdout)
    best = found["solution"]["values"]["n"]
    peaks = [
        convcalc.load("model.yaml", set={"n": n}).report(dtype="float16").totals["peak_activation_bytes"]
        for n in (best, best + 1)
    ]
    assert peaks[0] <= 24 * 2**20 < peaks[1]
    assert found["points"] == 10**6


def test_a_variable_called_batch_goes_first(cli: Command, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("input: [3, 4]\nvars: {batch: 5}\nlayers: [linear: batch]\n")
    rows = cli("sweep", str(path), "batch=1,2", "--columns", "params", "-f", "csv").stdout.splitlines()[1:]
    assert rows == ["1,5", "2,10"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sweep model.yaml batch=0,1", "integers of at least 1"),
        ("sweep model.yaml batch=1,2 --batch 4", "'batch' is an axis and set by --batch"),
        ("sweep model.yaml batch=0.5,1", "integers of at least 1"),
        ("sweep model.yaml n=1 --columns least_time", "least_time is that of a device"),
        ("sweep model.yaml n=1 --where least_time<5", "least_time is that of a device"),
        ("sweep model.yaml n=1 --device nowhere", "no device 'nowhere'"),
        ("sweep model.yaml n=1,2 --device board.yaml --dtype int8", "states no operations in a second for int8"),
        ("solve model.yaml --for n=1..9 --max least_time=1ms --device board.yaml --dtype int8", "states no operations"),
        ("solve model.yaml --for n=1..9 --max least_time=1ms", "least_time is that of a device"),
        ("solve model.yaml --for n=1..9 --minimize least_time", "least_time is that of a device"),
    ],
)
def test_mistakes(cli: Command, folder: Path, words: str, said: str) -> None:
    result = cli(*words.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
