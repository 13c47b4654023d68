"""``each: k, of: E``: against every expert written out, token by token, and against transformers and PyTorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import convcalc
from convcalc.designs.claims import check_claims
from convcalc.designs.sources import open_spec
from convcalc.errors import SpecErrors
from convcalc.report.report import Report
from tests.conftest import ROOT, Command

MIXTRAL, DEEPSEEK = (ROOT / "tests" / "spec" / f"{name}.yaml" for name in ("mixtral", "deepseek"))


def report_of(text: str, *, batch: int = 1, **values: object) -> Report:
    return convcalc.load(text=text, set=values).report(batch=batch)


def paths(report: Report) -> dict[str, int]:
    """Params of the rows that have any."""
    return {row.path: row.values["params"] for row in report.rows if row.values["params"]}


# --- models -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [MIXTRAL, DEEPSEEK], ids=lambda file: file.stem)
def test_models_hold_what_transformers_builds(file: Path) -> None:
    """Their claims are of modules on the meta device, less E − k of the E parts of every stacked matrix of experts."""
    spec = open_spec(str(file))
    judged, errors = check_claims(spec, spec.document.claims)
    assert not errors
    assert len(judged) >= 5
    assert [one.agrees for one in judged] == [True] * len(judged)


@pytest.mark.parametrize(
    ("file", "sizes", "params", "macs"),
    [
        (MIXTRAL, {"vocab": 50, "dim": 16, "depth": 2, "heads": 4, "kv": 2, "mlp": 24, "experts": 6}, 17_232, 77_760),
        (
            DEEPSEEK,
            {"vocab": 50, "dim": 16, "depth": 3, "heads": 2, "rank": 10, "rope": 4, "nope": 8, "vdim": 6}
            | {"mlp": 40, "emlp": 12, "experts": 8, "topk": 3},
            18_678,
            130_560,
        ),
    ],
)
def test_small_ones_multiply_what_pytorch_counts(file: Path, sizes: Mapping[str, Any], params: int, macs: int) -> None:
    """Transformers' modules with these sizes run on 10 random tokens, each expert on its tokens, in FlopCounterMode."""
    totals = convcalc.load(file, set={"n": 10, **sizes}).report().totals
    assert (totals["params"], totals["macs"]) == (params, macs)


# --- every expert written out -----------------------------------------------------------------------------------------

LAYER = """
input: [{rows}, {width}]
vars: {{k: {running}, e: {experts}}}
layers:
  - add: [{{each: k, of: e, name: expert, seq: [linear: {inner}, norm: layer, linear: {{out: {width}, bias: false}}]}}]
"""
SIZES = [(5, 4, 3, 2, 8, 1), (1, 4, 3, 2, 8, 1), (3, 2, 5, 4, 5, 2), (2, 3, 4, 1, 6, 3), (4, 6, 2, 3, 3, 1)]


@pytest.mark.parametrize(("rows", "width", "inner", "running", "experts", "batch"), SIZES)
def test_weights_of_all_and_work_of_some(
    rows: int, width: int, inner: int, running: int, experts: int, batch: int
) -> None:
    """Every weight has a name; tokens take the experts in turn, so that they reach as many as they can."""
    multiplying = {("first", row, column) for row, column in product(range(width), range(inner))}
    multiplying |= {("last", row, column) for row, column in product(range(inner), range(width))}
    others = {(name, 0, column) for name, column in product(("bias", "scale", "shift"), range(inner))}
    held = {(expert, weight) for expert, weight in product(range(experts), multiplying | others)}
    kept = {(expert, weight) for expert, weight in held if expert < running}
    read, made = set(), 0
    for token, choice in product(range(batch * rows), range(running)):
        reached = {each for each in held if each[0] == (token * running + choice) % experts}
        read |= reached
        made += len([weight for _, weight in reached if weight in multiplying])
    report = report_of(LAYER.format(**locals()), batch=batch)
    totals = report.totals
    assert totals["params"] == len(held) == sum(row.values["params"] for row in report.rows)
    assert totals["active_params"] == len(kept)
    assert totals["macs"] == made
    assert totals["weight_bytes"] == 4 * len(held)
    outputs = {name: totals[name] for name in ("output_elements", "activations", "peak_activation_bytes", "depth")}
    alone = report_of(LAYER.format(**locals()), batch=batch, e=running).totals
    assert {name: alone[name] for name in outputs} == outputs
    assert totals["traffic_bytes"] - alone["traffic_bytes"] == 4 * (len(read) - len(kept))
    assert totals["training_bytes"] - alone["training_bytes"] == 16 * (len(held) - len(kept))


@pytest.mark.parametrize(("rows", "width", "inner", "running", "experts", "batch"), SIZES)
def test_the_kind_experts_agrees(rows: int, width: int, inner: int, running: int, experts: int, batch: int) -> None:
    each = "add: [{each: k, of: e, name: x, seq: [mul: [linear: W, linear: W], linear: OUT]}]"
    kind = "experts: {count: e, top: k, width: W, gated: true}"
    totals = []
    for layer in (each, kind):
        text = f"input: [{rows}, {width}]\nvars: {{k: {running}, e: {experts}}}\n"
        text += f"defaults: {{linear: {{bias: false}}}}\nlayers:\n  - {layer}\n"
        text = text.replace("W", str(inner)).replace("OUT", str(width))
        every, alone = report_of(text, batch=batch).totals, report_of(text, batch=batch, e=running).totals
        counted = [every[key] for key in ("params", "active_params", "macs", "flops", "activations", "weight_bytes")]
        totals.append([*counted, every["traffic_bytes"] - alone["traffic_bytes"]])  # what the others are read
    assert totals[0] == totals[1]


def test_ints_arrays_and_symbols_agree() -> None:
    design = convcalc.load(text=LAYER.format(rows=5, width=4, inner=3, running=2, experts=8))
    metrics = ("params", "active_params", "weight_bytes", "traffic_bytes", "training_bytes")
    values = (2, 3, 7, 8, 16, 1000)
    formula = design.formula(symbols="e", metrics=metrics)
    table = design.sweep(metrics=metrics, e=values)
    for place, value in enumerate(values):
        totals = report_of(LAYER.format(rows=5, width=4, inner=3, running=2, experts=value)).totals
        for key in metrics:
            assert totals[key] == table[key][place] == formula.totals[key].value({"e": value})


def test_how_many_run_may_be_swept() -> None:
    design = convcalc.load(text=LAYER.format(rows=5, width=4, inner=3, running=2, experts=8))
    table = design.sweep(metrics=("params", "active_params"), k=(0, 1, 4, 8, 9))
    one = 4 * 3 + 3 + 6 + 3 * 4
    assert table["k"].tolist() == [1, 4, 8]
    assert table["params"].tolist() == [8 * one] * 3
    assert table["active_params"].tolist() == [one, 4 * one, 8 * one]


# --- what an expert may be --------------------------------------------------------------------------------------------

TOP = "input: [5, 4]\nvars: {on: true}\nlayers:\n"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [  # a linear layer 4 → 4 has 20 params
        ("add: [{each: 2, of: 8, linear: 4}]", {"linear1_1": 20, "linear1_2": 20, "linear1.idle": 120}),
        ('add: [{each: 2, of: 8, name: "x{i}y", linear: 4}]', {"x0y": 20, "x1y": 20, "x.idle": 120}),
        ("add: [{each: 2, of: 2, name: x, linear: 4}]", {"x1": 20, "x2": 20}),
        ("add: [{each: 2, of: 8, name: x, relu: }]", {}),
        ("add: [{each: 2, of: din, name: x, linear: 4}]", {"x1": 20, "x2": 20, "x.idle": 40}),
        # deleted, and another in its place
        ("add: [identity, {each: 2, of: 8, name: x, when: not on, linear: 4}]", {}),
        ("add: [identity, {each: 2, of: 0, name: x, when: not on, linear: 4}]", {}),
        (
            "add: [{each: 2, of: 5, name: x, when: not on, linear: 4, else: {norm: layer}}]",
            {"x1": 8, "x2": 8, "x.idle": 24},
        ),
        # shared beside, and inside
        (
            "add: [{linear: 4, name: shared}, {each: 1, of: 4, name: x, linear: 4}]",
            {"shared": 20, "x1": 20, "x.idle": 60},
        ),
        ("add: [{each: 2, of: 5, name: x, tie: true, linear: 4}]", {"x1": 20}),
        ("add: [{each: 1, of: 5, name: x, tie: true, linear: 4}]", {"x1": 20}),
        (
            "add: [{each: 1, of: 5, name: x, seq: [{linear: 4, name: own}, {seq: [{linear: 4, tie: own}]}]}]",
            {"x1.own": 20, "x.idle": 80},
        ),
        (
            "seq: [{linear: 4, name: w}, add: [{each: 2, of: 5, name: x, seq: [{linear: 4, tie: w}, linear: 4]}]]",
            {"w": 20, "x1.linear2": 20, "x2.linear2": 20, "x.idle": 60},
        ),
        # in one another: the three that are idle are whole, with the seven inside
        (
            "add: [{each: 1, of: 4, name: x, add: [{each: 2, of: 7, name: y, linear: 4}]}]",
            {"x1.y1": 20, "x1.y2": 20, "x1.y.idle": 100, "x.idle": 420},
        ),
        # all turns of a repeat share the experts of the first
        (
            "{repeat: 3, name: t, tie: true, seq: [add: [{each: 1, of: 4, name: x, linear: 4}]]}",
            {"t1.x1": 20, "t1.x.idle": 60},
        ),
    ],
)
def test_where_the_weights_are(layers: str, expected: dict[str, int]) -> None:
    layers = layers if layers.startswith("{") else f"{{{layers}}}"
    report = report_of(f"{TOP}  - {layers}\n")
    assert paths(report) == expected
    idle = sum(params for path, params in expected.items() if path.endswith(".idle"))
    assert report.totals["active_params"] == report.totals["params"] - idle


def test_buffers_of_idle_experts_are_kept() -> None:
    text = "input: [3, 8, 8]\nlayers: [add: [{each: 2, of: 5, name: x, conv: {out: 3, kernel: 1, norm: batch}}]]\n"
    report = report_of(text)
    assert report.totals["buffers"] == 5 * 2 * 3
    assert report.totals["weight_bytes"] == 4 * 5 * (9 + 6 + 6)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "code", "place", "text"),
    [
        ("add: [{each: 9, of: 8, name: x, linear: 4}]", "CC410", "8", "9 experts cannot run of 8"),
        ("add: [{each: 0, of: 8, name: x, linear: 4}]", "CC410", "0", "none of 8 experts runs"),
        ("add: [{each: 2, of: 7/2, name: x, linear: 4}]", "CC410", "7/2", "3.5 is not an integer"),
        ("add: [{each: 2, of: -3, name: x, linear: 4}]", "CC410", "-3", "must be at least 0"),
        ("add: [{each: 2, of: 8, name: x, linear: 4*(i + 1)}]", "CC407", "8", "20 and 40 params"),
        ("add: [{each: 2, of: 8, name: x, when: i < 1, linear: 4}]", "CC407", "8", "20 and 0 params"),
        ("add: [{each: {c: [4, 4]}, of: 8, linear: c}]", "CC119", "of", "`of` needs an `each` that is a count"),
        ("add: [{of: 8, linear: 4}]", "CC119", "of", "`of` needs an `each`"),
        ("{linear: 4, repeat: 2, of: 8}", "CC119", "of", "`of` needs an `each`"),
        ("add: [{each: 2, of: , linear: 4}]", "CC114", "of", "`of` is missing"),
        ("add: [{each: 2, of: i, linear: 4}]", "CC201", "i,", "unknown variable 'i'"),
        ("add: [{each: 2, of: 8, name: x, linear: 4}, {linear: 4, name: x}]", "CC212", "x}", "the name 'x' is taken"),
        ("add: [{each: 2, of: 8, name: x, linear: 4}, {from: x}]", "CC213", "x}", "experts that do not run"),
    ],
)
def test_what_is_wrong_has_its_place(layers: str, code: str, place: str, text: str) -> None:
    line = f"  - {layers if layers.startswith('{') else f'{{{layers}}}'}"
    with pytest.raises(SpecErrors) as raised:
        report_of(f"{TOP}{line}\n")
    (error,) = raised.value.errors
    assert (error.code, text in error.text) == (code, True), error.text
    assert error.span
    assert error.span.line == 4
    assert line[error.span.column - 1 :].startswith(place)


# --- what is shown ----------------------------------------------------------------------------------------------------

SHOWN = """
input: [5, 4]
vars: {experts: 8}
layers:
  - {linear: 4, name: stem}
  - {name: moe, add: [{each: 2, of: experts, name: expert, linear: 4}]}
  - {linear: 4, name: head}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "moe.yaml"
    path.write_text(SHOWN, encoding="utf-8")
    return path


def test_a_part_has_the_experts_that_belong_to_it(file: Path) -> None:
    parts = {part: paths(convcalc.load(f"{file}#{part}").report()) for part in PARTS}
    assert parts == PARTS


EXPERTS = {"moe.expert1": 20, "moe.expert2": 20, "moe.expert.idle": 120}
PARTS = {
    "moe": EXPERTS,
    "..moe": {"stem": 20, **EXPERTS},
    "..moe.expert1": {"stem": 20, "moe.expert1": 20},
    "moe.expert": {"moe.expert.idle": 120},
}


def test_nothing_warns_of_experts_that_nobody_reads() -> None:
    assert report_of(SHOWN).warnings == ()


def test_a_report_shows_them_and_the_active_params(file: Path, cli: Command) -> None:
    text = cli("report", file).stdout
    assert [line.split() for line in text.splitlines() if line.startswith("moe.expert.idle")] == [
        ["moe.expert.idle", "idle", "6", "experts", "–", "120", "60.0", "██████████", "–"]
    ]
    assert [line.split()[2] for line in text.splitlines() if line.startswith("Active params")] == ["80"]
    assert "Active params" not in cli("report", file, "--set", "experts=2").stdout
    folded = cli("--width", "100", "report", file).stdout
    assert "expert1, expert2 × 2" in folded
    assert "  expert.idle" in folded


@pytest.mark.parametrize("command", ["report", "graph", "compare"])
def test_json_is_what_its_schema_says(file: Path, cli: Command, command: str) -> None:
    written = json.loads(cli(command, file, *([MIXTRAL] if command == "compare" else []), "--json").stdout)
    schema = resources.files("convcalc") / "schemas" / f"{command}.schema.json"
    jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(written)


def test_pictures_have_a_box_that_nothing_enters(file: Path, cli: Command) -> None:
    lines = [line.split() for line in cli("graph", file).stdout.splitlines()]
    assert ["expert", "idle", "6", "experts", "–", "←", "nothing"] in lines
    assert "idle 6 experts" in cli("graph", file, "-f", "mermaid").stdout
    assert "of which 80 active" in cli("html", file, "-o", "-").stdout


def test_formulas_and_derivations_have_them(file: Path, cli: Command) -> None:
    rows = [line.split() for line in cli("formula", file, "--symbols", "experts").stdout.splitlines()]
    assert ["moe.expert.idle", "idle", "20·experts", "-", "40", "–"] in rows
    assert "6·4·4" in cli("explain", file, "moe.expert.idle").stdout


def test_match_names_what_differs(file: Path, cli: Command) -> None:
    other = file.with_name("other.yaml")
    other.write_text(SHOWN.replace("experts: 8", "experts: 9"), encoding="utf-8")
    assert cli("match", file, file).exit_code == 0
    found = cli("match", file, other)
    assert found.exit_code == 1
    assert "idle, count 6, of 8   120 params" in found.stdout
    assert "idle, count 7, of 9   140 params   ← count, of" in found.stdout


def test_other_tools_see_nothing_of_them(file: Path, cli: Command) -> None:
    """Modules that do not run have no hooks that run, and no kernels; 6·N·D takes all weights that there are."""
    tools = [json.loads(cli("reconcile", file, "--json", *more).stdout) for more in ((), ("--set", "experts=2"))]
    by_weights = [found["profiles"].pop("6nd")["total"] for found in tools]
    assert tools[0] == tools[1]
    assert by_weights[0] > by_weights[1]


# --- claims -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "value", "excluding"),
    [
        ("active_params", 80, "[]"),
        ("active_params", 60, "[stem]"),
        ("active_params", 40, "[moe]"),
        ("active_params", 80, "[moe.*.idle]"),
        ("params", 80, "[moe.*.idle]"),
        ("params", 40, '["moe.expert[12]", "*.*.idle"]'),
        ("params", 20, '[stem, "moe.**"]'),
        ("params", 0, "[linear, moe.expert]"),
        ("params", 160, "[bias]"),
        ("active_params", 64, "[bias]"),
        ("active_params", 48, "[bias, stem]"),
        ("macs", 160, "[moe]"),
    ],
)
def test_claims_exclude_paths(tmp_path: Path, metric: str, value: int, excluding: str) -> None:
    assert claimed(tmp_path, SHOWN, f"{{{metric}: {value}, excluding: {excluding}, source: x}}") == [value]


def test_idle_biases_of_a_kind_are_none_that_are_active(tmp_path: Path) -> None:
    text = "input: [5, 4]\nlayers: [experts: {count: 8, top: 2, width: 3, bias: true}]\n"
    active = 2 * (4 * 3 + 3 * 4)
    assert claimed(tmp_path, text, f"{{active_params: {active}, excluding: bias, source: x}}") == [active]
    assert claimed(tmp_path, text, f"{{params: {4 * active}, excluding: bias, source: x}}") == [4 * active]


def test_what_is_excluded_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SpecErrors) as raised:
        claimed(tmp_path, SHOWN, "{params: 0, excluding: [linear, steam], source: x}")
    (error,) = raised.value.errors
    assert error.code == "CC602"
    assert "'steam' is none of them; did you mean 'stem'?" in error.text
    assert error.span
    assert error.span.extent == len("steam")


def claimed(folder: Path, text: str, claim: str) -> list[object]:
    """The numbers of a claim, all of which agree."""
    path = folder / "claimed.yaml"
    path.write_text(f"{text}claims: [{claim}]\n", encoding="utf-8")
    spec = open_spec(str(path))
    judged, errors = check_claims(spec, spec.document.claims)
    if errors:
        raise SpecErrors(errors)
    assert all(one.agrees for one in judged)
    return [one.value for one in judged]


# --- deep models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("file", "lines"), [(MIXTRAL, 45), (DEEPSEEK, 125)], ids=["mixtral", "deepseek"])
def test_a_report_of_many_layers_has_the_rows_of_few(cli: Command, file: Path, lines: int) -> None:
    """80 layers of a model with one kind of layer fit a screen; DeepSeek has two kinds, each with its own attention."""
    short, long = (cli("--width", "120", "report", file, "--set", f"depth={depth}").stdout for depth in (4, 80))
    assert len(long.splitlines()) == len(short.splitlines()) <= lines
    assert "layer80 × 79" in long or "layer80 × 80" in long
