"""``batch``: a row a design in every format, broken ones among them; and how a run ends that is cut off."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import jsonschema
import pytest
from pyarrow import parquet

from convcalc import schemas
from convcalc.metrics.registry import report_metrics
from convcalc.render import STREAMS
from tests.cli.conftest import SPECS, Shell, files
from tests.conftest import HANG, LEAKS, ROOT, Command

GOOD = ("pair.yaml", "tiny.yaml", "warns.yaml")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def many(folder: Path, number: int, text: str = "input: [3, 8, 8]\nlayers: [conv: [{n}, 3]]\n") -> None:
    (folder / "many").mkdir()
    for n in range(1, number + 1):
        (folder / "many" / f"{n:04}.yaml").write_text(text.format(n=n))


# --- rows -------------------------------------------------------------------------------------------------------------


def test_a_row_is_what_a_report_says(cli: Command, folder: Path) -> None:
    """Every shipped design, every metric, in csv and in json."""
    keys = [measure.key for measure in report_metrics()]
    names = ["zoo:*", str(ROOT / "specs" / "tutorials"), "tiny.yaml@wide", "tiny.yaml#stage1", "pair.yaml"]
    options = ["--columns", ",".join(keys), "--batch", "2", "--dtype", "int8"]
    rows = table(cli("batch", *names, *options, "-f", "csv").stdout)
    designs = json.loads(cli("batch", *names, *options, "--json").stdout)["designs"]
    assert len(rows) == len(designs) > 60
    for row, design in zip(rows, designs, strict=True):
        report = json.loads(cli("report", row["design"], "--batch", "2", "--dtype", "int8", "--json").stdout)
        totals = {key: report["totals"][key] for key in keys}
        assert {key: int(row[key]) for key in keys} == totals
        assert {key: design[key] for key in keys} == totals
        assert (row["design"], row["name"]) == (design["design"], design["name"]) == (report["design"], report["name"])
        inputs = list(report["inputs"].values())
        assert design["input"] == (inputs[0] if len(inputs) == 1 else report["inputs"])
        assert row["input"].split() == ["x".join(map(str, axes)) for axes in inputs] or len(inputs) > 1
        assert (row["error"], design["error"]) == ("", None)


def test_several_inputs(cli: Command, folder: Path) -> None:
    (folder / "two.yaml").write_text(
        "inputs: {left: [3, 8, 8], right: [4]}\noutputs: [l]\n"
        "layers: [{relu: , from: left, name: l}, {linear: 2, from: right}]\n"
    )
    document = json.loads(cli("batch", "two.yaml", "--json").stdout)
    assert document["designs"][0]["input"] == {"left": [3, 8, 8], "right": [4]}
    jsonschema.validate(document, json.loads(schemas.schema("batch")))
    assert table(cli("batch", "two.yaml", "-f", "csv").stdout)[0]["input"] == "left=3x8x8 right=4"
    assert "left 3×8×8, right 4" in cli("batch", "two.yaml").stdout


def test_all_variants(cli: Command, folder: Path) -> None:
    rows = table(cli("batch", "tiny.yaml", "pair.yaml", "--variants", "all", "-f", "csv").stdout)
    assert [row["design"] for row in rows] == ["tiny.yaml", "tiny.yaml@wide", "pair.yaml"]
    assert rows[1]["params"] == str(json.loads(cli("report", "tiny.yaml@wide", "--json").stdout)["totals"]["params"])


def test_set_applies_to_all(cli: Command, folder: Path) -> None:
    (row,) = table(cli("batch", "tiny.yaml", "--set", "width=8", "-f", "csv").stdout)
    (wide,) = table(cli("batch", "tiny.yaml@wide", "-f", "csv").stdout)
    assert row["params"] == wide["params"]


def test_a_file_of_blocks_has_no_row_unless_it_is_named(cli: Command, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "blocks.yaml").write_text("blocks: {Twice: [relu, relu]}\n")
    (folder / "sub" / "tiny.yaml").write_text(SPECS["tiny.yaml"])
    result = cli("batch", "sub", "-f", "csv")
    assert (result.exit_code, len(table(result.stdout))) == (0, 1)
    named = cli("batch", "sub/blocks.yaml", "-f", "csv")
    assert named.exit_code == 2
    assert "CC121" in table(named.stdout)[0]["error"]


# --- what is broken ---------------------------------------------------------------------------------------------------


def test_a_broken_spec_is_a_row(cli: Command, folder: Path) -> None:
    result = cli("batch", ".", "nowhere.yaml", "tiny.yaml@slim", "-f", "csv")
    assert result.exit_code == 2
    rows = {row["design"]: row for row in table(result.stdout)}
    assert set(rows) == {"./broken.yaml", *(f"./{name}" for name in GOOD), "nowhere.yaml", "tiny.yaml@slim"}
    assert rows["./broken.yaml"]["error"] == (
        "./broken.yaml:3:31: error CC203: conv has no attribute 'dilaton'; did you mean 'dilation'?"
    )
    assert (rows["./broken.yaml"]["params"], rows["./broken.yaml"]["input"]) == ("", "")
    assert rows["nowhere.yaml"]["error"] == "nowhere.yaml: error CC001: no such file"
    assert rows["tiny.yaml@slim"]["error"].startswith("tiny.yaml: error CC701: no variant 'slim'")
    assert "    - conv: {out: 4, kernel: 3, dilaton: 2}\n" in result.stderr
    assert result.stderr.endswith("3 of 6 designs are invalid\n")


def test_json_lists_every_error(cli: Command, folder: Path) -> None:
    (folder / "twice.yaml").write_text("input: [3, 8, 8]\nlayers: [cnov: 3, relv]\n")
    result = cli("batch", "twice.yaml", "tiny.yaml", "nowhere.yaml", "--json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(schemas.schema("batch")))
    assert result.exit_code == 2
    assert [(error["design"], error["code"]) for error in document["errors"]] == [
        ("twice.yaml", "CC204"), ("twice.yaml", "CC204"), ("nowhere.yaml", "CC001"),
    ]  # fmt: skip
    assert document["errors"][1]["source"] == {"file": "twice.yaml", "line": 2, "column": 19}
    fine = json.loads(cli("batch", "tiny.yaml", "--json").stdout)
    assert (fine["errors"], fine["batch"], fine["dtype"]) == ([], 1, "float32")


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ((), 1), (("--variants", "all"), 4), (("--variants", "all", "--sort", "params"), 4),
        (("--variants", "all", "--dtype", "int8", "--dtype", "float32"), 4), (("--variants", "all", "--top", "1"), 4),
        (("--variants", "all", "--pareto", "params,macs"), 4), (("--variants", "all", "--where", "params > 0"), 4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [("bad.yaml", "bad.yaml", "tiny.yaml"), ("bad.yaml", "tiny.yaml", "bad.yaml")])
def test_an_error_at_one_place_is_printed_once(
    cli: Command, folder: Path, options: tuple[str, ...], rows: int, order: tuple[str, ...]
) -> None:
    """The kernel, which is too large in every variant, each time by another number: 9, 10, 11 and 12."""
    (folder / "bad.yaml").write_text(
        "input: [3, 8, 8]\nvars: {k: 9}\nvariants: {a: {k: 10}, b: {k: 11}, c: {k: 12}}\nlayers: [conv: [8, k]]\n"
    )
    result = cli("batch", *order, *options, "-f", "csv")
    assert result.exit_code == 2
    assert result.stderr.count("error CC403") == 1
    assert result.stderr.startswith("bad.yaml:4:10: error CC403: the kernel reaches over 9 ")
    assert f"{2 * rows} of " in result.stderr.splitlines()[-1]


def test_two_errors_at_one_place_are_both_printed(cli: Command, folder: Path) -> None:
    (folder / "two.yaml").write_text("input: [3, 8, 8]\nlayers: [cnov: 3, relv]\n")
    (folder / "missing.yaml").write_text("layers: [relu]\n")
    errors = json.loads(cli("batch", "two.yaml", "missing.yaml", "--json").stdout)["errors"]
    assert cli("batch", "two.yaml", "missing.yaml", "-f", "csv").stderr.count("error CC") == len(errors) == 3


@pytest.mark.parametrize(
    ("options", "is_silent"),
    [("--json", True), ("-f json=a.json -f csv", False), ("-o a.json", False), ("-f csv", False), ("-f jsonl", False)],
)
def test_errors_that_standard_output_has_are_not_repeated(
    cli: Command, folder: Path, options: str, is_silent: bool
) -> None:
    result = cli("batch", "broken.yaml", *options.split())
    assert result.exit_code == 2
    assert ("error CC203" not in result.stderr) is is_silent
    assert "CC203" in result.stdout + result.stderr


def test_errors_are_said_up_to_a_number(cli: Command, folder: Path) -> None:
    many(folder, 30, "input: [3, 8, 8]\nlayers: [relv{n}x]\n")
    stderr = cli("batch", "many", "-f", "csv").stderr
    assert stderr.count("error CC") == 20
    assert stderr.endswith("and 10 more\n30 of 30 designs are invalid\n")


@pytest.mark.parametrize("pattern", ["*.toml", "nowhere/**", "zoo:zz*"])
def test_a_glob_that_matches_nothing(cli: Command, folder: Path, pattern: str) -> None:
    result = cli("batch", "tiny.yaml", pattern, "-f", "csv=out.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"nothing matches '{pattern}'" in result.stderr
    assert files(folder) == set()


# --- lists on standard input ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "tiny.yaml\n\nzoo:lenet\r\na b.yaml"),
        (["-0"], "tiny.yaml\0zoo:lenet\0a b.yaml\0"),
        (["--null"], "tiny.yaml\0zoo:lenet\0a b.yaml"),
    ],
)
def test_a_list_of_designs(cli: Command, folder: Path, options: list[str], text: str) -> None:
    (folder / "a b.yaml").write_text(SPECS["pair.yaml"])
    result = cli("batch", *options, "warns.yaml", "-", "-f", "csv", input=text)
    assert result.exit_code == 0
    assert [row["design"] for row in table(result.stdout)] == ["warns.yaml", "tiny.yaml", "zoo:lenet", "a b.yaml"]


def test_a_name_in_a_list_is_no_glob(cli: Command, folder: Path) -> None:
    (folder / "[1].yaml").write_text(SPECS["pair.yaml"])
    assert cli("batch", "-", "-f", "csv", input="[1].yaml\n").exit_code == 0
    assert "CC001" in table(cli("batch", "-", "-f", "csv", input="*.yaml\n").stdout)[0]["error"]


@pytest.mark.parametrize("text", ["", "\n\n", "-\n", "x" * 200_000])
def test_a_list_that_is_none(cli: Command, folder: Path, text: str) -> None:
    result = cli("batch", "-", "-f", "csv", input=text)
    assert result.exit_code == 2
    assert "standard input" in result.stderr


def test_standard_input_is_read_once(cli: Command, folder: Path) -> None:
    assert cli("batch", "-", "-", input="tiny.yaml\n").exit_code == 2


def test_rows_come_while_the_list_is_open(folder: Path) -> None:
    """Nobody has to close the list to see the first row."""
    with _started("batch - -f csv", folder, HANG, stdin=subprocess.PIPE) as (process, _):
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"tiny.yaml\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"design,")
        assert process.stdout.readline().startswith(b"tiny.yaml,")
        process.stdin.close()
        assert process.wait(HANG) == 0


# --- formats ----------------------------------------------------------------------------------------------------------


def test_the_formats_agree(cli: Command, folder: Path) -> None:
    cli("batch", ".", "zoo:lenet", "-f", "csv=a.csv", "-f", "jsonl=a.jsonl", "-f", "json=a.json", "-f", "parquet=a.pq")
    documents = json.loads((folder / "a.json").read_text())["designs"]
    assert [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()] == documents
    held: list[dict[str, Any]] = parquet.read_table(folder / "a.pq").to_pylist()
    flat = [{**row, "input": row["input"] and "x".join(map(str, row["input"]))} for row in documents]
    assert held == flat
    assert table((folder / "a.csv").read_text()) == [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in flat
    ]


@pytest.mark.parametrize("name", list(STREAMS))
def test_every_format_to_a_file_and_to_standard_output(cli: Command, folder: Path, name: str) -> None:
    cli("batch", ".", "-f", f"{name}=out")
    written = (folder / "out").read_bytes()
    assert written
    if name != "parquet":
        assert cli("batch", ".", "-f", name).stdout == written.decode()
        assert files(folder) == {"out"}


def test_parquet_through_a_pipe(shell: Shell, folder: Path) -> None:
    assert shell("convcalc batch tiny.yaml -f parquet > a.parquet").exit_code == 0
    assert (folder / "a.parquet").read_bytes()[-4:] == b"PAR1"


def test_without_pyarrow(run: Command, folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['pyarrow'] = None\n")
    result = run("batch", "tiny.yaml", "-o", "out.parquet", env={"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "CC707" in result.stderr
    assert "convcalc[parquet]" in result.stderr
    assert not (folder / "out.parquet").exists()


def test_parquet_has_an_end(cli: Command, folder: Path) -> None:
    (folder / "huge.yaml").write_text("input: [999999999999, 999999999999]\nlayers: [conv: [999999999999, 1]]\n")
    result = cli("batch", "huge.yaml", "-o", "out.parquet")
    assert result.exit_code == 2
    assert "CC708" in result.stderr
    assert not (folder / "out.parquet").exists()
    assert table(cli("batch", "huge.yaml", "-f", "csv").stdout)[0]["macs"] == str(999999999999**3)


def test_text_has_a_column_for_errors_where_there_is_one(cli: Command, folder: Path) -> None:
    assert "Error" not in cli("batch", "tiny.yaml").stdout
    assert "Error" in cli("batch", "tiny.yaml", "broken.yaml").stdout
    assert "Error" in cli("batch", "tiny.yaml", "broken.yaml", "-f", "markdown").stdout


# --- sorted, and the front --------------------------------------------------------------------------------------------


def test_sort_and_pareto(cli: Command, folder: Path) -> None:
    rows = table(cli("batch", "zoo:*", "-f", "csv").stdout)
    by_macs = sorted(rows, key=lambda row: -int(row["macs"]))
    assert table(cli("batch", "zoo:*", "--sort", "macs", "-f", "csv").stdout) == by_macs
    points = [(int(row["params"]), int(row["macs"])) for row in rows]
    kept = [
        row
        for row, (params, macs) in zip(rows, points, strict=True)
        if not any(p <= params and m <= macs and (p, m) != (params, macs) for p, m in points)
    ]
    assert 1 < len(kept) < len(rows)
    assert table(cli("batch", "zoo:*", "--pareto", "params,macs", "-f", "csv").stdout) == kept
    sorted_front = table(cli("batch", "zoo:*", "--pareto", "params,macs", "--sort", "macs", "-f", "csv").stdout)
    assert sorted_front == [row for row in by_macs if row in kept]


def test_what_is_sorted_by_is_shown(cli: Command, folder: Path) -> None:
    (row,) = table(cli("batch", "tiny.yaml", "--sort", "depth", "--pareto", "buffers,params", "-f", "csv").stdout)
    assert list(row) == ["design", "name", "input", "params", "macs", "buffers", "depth", "error"]


def test_columns_replace_the_usual_ones_or_add_to_them(cli: Command, folder: Path) -> None:
    def heading(*arguments: str) -> list[str]:
        return cli("batch", "tiny.yaml", *arguments).stdout.splitlines()[0].split()

    assert heading("--columns", "depth") == ["Design", "Name", "Input", "Depth"]
    assert heading("--columns", "+depth") == ["Design", "Name", "Input", "Params", "Multiplies", "Depth"]
    assert heading("--columns", "macs,params", "--sort", "depth")[3:] == ["Multiplies", "Params", "Depth"]
    (row,) = table(cli("batch", "tiny.yaml", "--columns", "depth", "-f", "csv").stdout)
    assert list(row) == ["design", "name", "input", "params", "macs", "depth", "error"]  # programs rely on the two
    document = json.loads(cli("batch", "tiny.yaml", "--columns", "depth", "--json").stdout)
    jsonschema.validate(document, json.loads(schemas.schema("batch")))


def test_every_order_and_the_first_of_it(cli: Command, folder: Path) -> None:
    rows = table(cli("batch", "zoo:*", "-f", "csv").stdout)
    rising = sorted(rows, key=lambda row: int(row["macs"]))
    falling = sorted(rows, key=lambda row: -int(row["macs"]))
    for order, expected in (("macs", falling), ("-macs", falling), ("macs:desc", falling), ("macs:asc", rising)):
        assert table(cli("batch", "zoo:*", "--sort", order, "-f", "csv", "--top", "7").stdout) == expected[:7], order
    largest = sorted(rows, key=lambda row: -int(row["params"]))
    assert table(cli("batch", "zoo:*", "--top", "2", "-f", "csv").stdout) == largest[:2]
    assert table(cli("batch", "zoo:*", "--top", "999", "-f", "csv").stdout) == largest


def test_a_front_where_more_of_something_is_better(cli: Command, folder: Path) -> None:
    rows = table(cli("batch", "zoo:*", "--columns", "+depth", "-f", "csv").stdout)
    points = [(int(row["params"]), -int(row["depth"])) for row in rows]
    kept = [
        row["design"]
        for row, (params, depth) in zip(rows, points, strict=True)
        if not any(p <= params and d <= depth and (p, d) != (params, depth) for p, d in points)
    ]
    assert 1 < len(kept) < len(rows)
    front = table(cli("batch", "zoo:*", "--pareto", "params,-depth", "-f", "csv").stdout)
    assert [row["design"] for row in front] == kept


def test_where(cli: Command, folder: Path) -> None:
    rows = table(cli("batch", "zoo:*", "--columns", "+weight_bytes", "-f", "csv").stdout)
    fine = [row["design"] for row in rows if int(row["params"]) <= 5_000_000 and int(row["weight_bytes"]) > 8 * 2**20]
    assert 0 < len(fine) < len(rows)
    result = cli("batch", "zoo:*", "--where", "params <= 5M and weight_bytes > 8MiB", "-f", "csv")
    kept = table(result.stdout)
    assert [row["design"] for row in kept] == fine
    assert "weight_bytes" not in kept[0]
    broken = cli("batch", "tiny.yaml", "broken.yaml", "--where", "params < 0", "-f", "csv")
    assert ([row["design"] for row in table(broken.stdout)], broken.exit_code) == (["broken.yaml"], 2)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("parms < 1", "the condition reads 'parms', which is not a metric of whole designs; did you mean 'params'?"),
        ("batch == 1", "the condition reads 'batch', which is not a metric of whole designs"),  # a word elsewhere
        ("params <", "CC715"),
        ("params", "a condition is true or false"),
        ("params / (macs - macs) > 1", "CC715"),
        ("params < 5MB", "params does not take a byte suffix"),
    ],
)
def test_a_condition_that_is_none(cli: Command, folder: Path, where: str, said: str) -> None:
    result = cli("batch", "tiny.yaml", "--where", where)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_several_number_formats_are_a_row_each(cli: Command, folder: Path) -> None:
    options = ("--columns", "+weight_bytes", "--variants", "all")
    result = cli("batch", "tiny.yaml", "broken.yaml", *options, "--dtype", "float16", "--dtype", "int8",
                 "--dtype", "stem=float32", "-f", "csv")  # fmt: skip
    rows = table(result.stdout)
    assert [(row["design"], row["dtype"]) for row in rows] == [
        ("tiny.yaml", "float16, stem=float32"), ("tiny.yaml", "int8, stem=float32"),
        ("tiny.yaml@wide", "float16, stem=float32"), ("tiny.yaml@wide", "int8, stem=float32"), ("broken.yaml", ""),
    ]  # fmt: skip
    stem, others = 4 * 3 * 9 + 4, int(rows[0]["params"]) - 4 * 3 * 9 - 4
    assert [int(row["weight_bytes"]) for row in rows[:2]] == [4 * stem + 2 * others, 4 * stem + others]
    assert "\n2 rows\n" in cli("batch", "tiny.yaml", "--dtype", "int8", "--dtype", "float16").stdout
    lone = table(cli("batch", "tiny.yaml", *options, "--dtype", "int8", "-f", "csv").stdout)
    assert "dtype" not in lone[0]
    document = json.loads(cli("batch", "tiny.yaml", "--dtype", "int8", "--dtype", "float16", "--json").stdout)
    jsonschema.validate(document, json.loads(schemas.schema("batch")))
    assert [row["dtype"] for row in document["designs"]] == ["int8", "float16"]
    assert document["dtype"] == "int8; float16"


def test_variants_that_are_named(cli: Command, folder: Path) -> None:
    (folder / "also.yaml").write_text(
        "input: [3, 8, 8]\nvars: {n: 1}\nvariants: {wide: {n: 2}}\nlayers: [conv: [n, 3]]\n"
    )
    result = cli("batch", "tiny.yaml", "also.yaml", "tiny.yaml@wide", "--variants", "wide", "-f", "csv")
    assert [(row["design"], row["error"]) for row in table(result.stdout)] == [
        ("tiny.yaml@wide", ""), ("also.yaml@wide", ""), ("tiny.yaml@wide", ""),
    ]  # fmt: skip
    assert "no variant 'wid'; did you mean 'wide'?" in cli("batch", "tiny.yaml", "--variants", "wid").stderr
    for command in (("batch", "tiny.yaml"), ("sweep", "tiny.yaml", "width=1"), ("compare", "tiny.yaml")):
        both = cli(*command, "--variants", "all", "--variant", "wide")
        assert (both.exit_code, both.stdout) == (2, "")
        assert "--variant and --variants: give one of them" in both.stderr


def test_what_the_environment_says(cli: Command, folder: Path) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / "shared.yaml").write_text("blocks: {Twice: [relu, relu]}\n")
    (folder / "uses.yaml").write_text("import: {s: shared.yaml}\ninput: [3, 8, 8]\nlayers: [s.Twice]\n")
    assert cli("report", "uses.yaml").exit_code == 2
    assert cli("report", "uses.yaml", env={"CONVCALC_LIB": os.pathsep.join(("sub", "lib"))}).exit_code == 2  # no sub
    (folder / "sub").mkdir(exist_ok=True)
    for command in ("report", "validate", "batch"):
        found = cli(command, "uses.yaml", env={"CONVCALC_LIB": os.pathsep.join(("sub", "lib"))})
        assert found.exit_code == 0, found.stderr
    assert cli("report", "uses.yaml", "--lib", "sub", env={"CONVCALC_LIB": "lib"}).exit_code == 2  # the option wins
    assert "'none' is not a positive integer" in cli("batch", "tiny.yaml", env={"CONVCALC_JOBS": "none"}).stderr
    assert cli("batch", "tiny.yaml", "--jobs", "1", env={"CONVCALC_JOBS": "none"}).exit_code == 0


def test_what_is_wrong_is_told_once(cli: Command, folder: Path) -> None:
    (folder / "same.yaml").write_text("input: [3, 8, 8]\nvariants: {a: {}, b: {}}\nlayers: [conv: [4, 30]]\n")
    result = cli("batch", "same.yaml", "broken.yaml", "./same.yaml", "same.yaml", "--variants", "all")
    assert result.stderr.count("error CC203") == 1
    assert result.stderr.count("same.yaml:3:10: error CC403") == 2  # by either of its names
    assert result.stderr.endswith("10 of 10 designs are invalid\n")
    assert result.stdout.count("CC403: the kernel reaches") == 9  # every row says why
    assert "3:10" not in result.stdout


@pytest.mark.parametrize("option", ["--sort", "--pareto", "--columns"])
def test_an_unknown_metric(cli: Command, folder: Path, option: str) -> None:
    result = cli("batch", "tiny.yaml", option, "parms")
    assert result.exit_code == 2
    assert "did you mean 'params'" in result.stderr


# --- runs that are cut off --------------------------------------------------------------------------------------------


PATIENT = """\
import signal, sys
from convcalc.batch import run
from convcalc.cli import main
from convcalc.cli.output import progress

signal.signal(signal.SIGINT, getattr(signal, sys.argv.pop(1)))
run.START_WORKERS_AFTER = progress.SHOW_AFTER_SECONDS = float(sys.argv.pop(1))
sys.exit(main(sys.argv[1:]))
"""
"""convcalc, with what becomes of Ctrl-C (jobs in the background are begun so that they ignore it), and the seconds of
work before other processes and a progress bar come."""

SMALL_PIPE = 4096
"""Bytes that wait to be read before the writer waits: no run of thousands of rows is over while nobody reads."""


@contextmanager
def _started(
    line: str, folder: Path, patience: float = -1.0, interrupt: str = "default_int_handler", **streams: Any
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A run, and a pipe that ends when every process of it has ended; none is left behind."""
    environment = {name: value for name, value in os.environ.items() if name not in LEAKS}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}  # what a signal cuts short is written on
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", PATIENT, interrupt, str(patience), *shlex.split(line)],
        cwd=folder,
        env=environment,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        start_new_session=True,
        pass_fds=[theirs],
        pipesize=SMALL_PIPE,
    )
    os.close(theirs)
    with process, os.fdopen(ours, "rb") as witness:
        try:
            yield process, witness
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _gone(witness: IO[bytes]) -> bool:
    """Whether all of a run end by themselves."""
    return bool(select.select([witness], [], [], HANG)[0]) and witness.read() == b""


def _members(session: int) -> list[str]:
    """The processes of a session that are there and no zombies."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, check=False)
    return [line for line in listed.stdout.decode().splitlines() if line.split()[1][0] != "Z"]


SLOW = "input: [{n}, 64, 64]\nlayers:\n  - {{conv: [{n}, 1], repeat: 300}}\n"


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@pytest.mark.parametrize("whom", ["group", "parent"])
@pytest.mark.parametrize("rows_before", [1, 90])
def test_ctrl_c_leaves_whole_rows(folder: Path, format_: str, whom: str, rows_before: int) -> None:
    many(folder, 2000, SLOW)
    with _started(f"batch many --jobs 2 -f {format_} -f csv=out.csv", folder) as (process, witness):
        assert process.stdout
        head = b"".join(process.stdout.readline() for _ in range(rows_before + 1))
        (os.killpg if whom == "group" else os.kill)(process.pid, signal.SIGINT)
        assert process.stderr
        rest, stderr = process.stdout.read(), process.stderr.read()
        assert process.wait(HANG) == 130
        assert _gone(witness)
    text = (head + rest).decode()
    assert stderr.decode().strip() == "interrupted"
    assert text.endswith("\n")
    rows = [json.loads(line) for line in text.splitlines()] if format_ == "jsonl" else table(text)
    assert rows_before <= len(rows) < 2000
    for place, row in enumerate(rows, 1):
        assert (row["design"], int(row["params"])) == (f"many/{place:04}.yaml", 300 * (place * place + place))
    assert files(folder) == {"many", *(f"many/{n:04}.yaml" for n in range(1, 2001))}


def test_an_ignored_ctrl_c_is_ignored_while_rows_are_written(folder: Path) -> None:
    """Most of the time goes into waiting for a reader: the pipe is small."""
    many(folder, 300)
    with _started("batch many --jobs 1 -f jsonl", folder, interrupt="SIG_IGN") as (process, _):
        assert process.stdout
        for row in range(300):
            assert json.loads(process.stdout.readline())["design"] == f"many/{row + 1:04}.yaml"
            if row < 50:
                process.send_signal(signal.SIGINT)
        assert process.wait(HANG) == 0


def test_a_killed_parent_leaves_no_processes(folder: Path) -> None:
    """Three workers are begun before the first row comes, and wait for more while nobody reads the rows."""
    many(folder, 2000, SLOW)
    with _started("batch many --jobs 3 -f csv", folder) as (process, witness):
        assert process.stdout
        for _ in range(100):
            process.stdout.readline()
        assert len(_members(process.pid)) == 4
        process.kill()
        assert _gone(witness)


def test_a_reader_that_goes_away(shell: Shell, folder: Path) -> None:
    many(folder, 1000, SLOW)
    result = shell("convcalc batch many --jobs 2 -f csv 2> err | head -3; echo ${PIPESTATUS[0]}")
    assert result.stdout.splitlines()[-1] == "0"
    assert len(result.stdout.splitlines()) == 4
    assert (folder / "err").read_text() == ""


def test_a_disk_that_is_full(shell: Shell, folder: Path) -> None:
    for line in ("convcalc batch . -f csv > /dev/full", "convcalc batch . -f csv -o /dev/full"):
        result = shell(line)
        assert result.exit_code == 2
        assert "cannot" in result.stderr


def test_progress_on_a_terminal(folder: Path) -> None:
    many(folder, 1200)
    outer, inner = pty.openpty()
    with _started("batch many --jobs 2 -f csv", folder, stderr=inner, stdout=subprocess.DEVNULL) as (process, _):
        os.close(inner)
        shown = b""
        while True:
            try:
                data = os.read(outer, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        assert process.wait() == 0
    os.close(outer)
    text = shown.decode()
    assert "Counting" in text
    assert "/1200" in text
    assert "/s" in text


def test_few_designs_start_no_process(folder: Path) -> None:
    call = f"from convcalc.batch import run; run.START_WORKERS_AFTER = {HANG}; from convcalc.cli import main; "
    call += "main(['batch', 'tiny.yaml', '-f', 'csv'])"
    process = subprocess.run(
        [sys.executable, "-c", f"{call}; import sys; print(*sys.modules, file=sys.stderr)"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    loaded = set(process.stderr.decode().split())
    assert "convcalc.batch.run" in loaded
    assert not {"multiprocessing", "pyarrow", "numpy", "sympy", "rich", "tempfile"} & loaded
