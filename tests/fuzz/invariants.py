"""Random right networks: one truth by every way to it, and what the definitions say of batches, folds and sums."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any
from zlib import crc32

import convcalc
from convcalc.batch.count import CountRequest, CountTask, count
from convcalc.cli import main
from convcalc.designs.names import parse_design
from convcalc.errors import SpecErrors
from convcalc.explain import explain
from convcalc.formula.closed_form import derive
from convcalc.formula.symbolic_design import FormulaRequest
from convcalc.metrics.registry import DETAIL_KEYS, report_metrics
from convcalc.render import EXPLANATIONS, FORMATS, Surface
from convcalc.report.compare import compare
from convcalc.report.fold import GROUPINGS, TableOptions, fold_report
from convcalc.report.path_tree import build_path_tree
from convcalc.report.report import Report
from convcalc.sweep.axes import Axis
from convcalc.sweep.evaluator import evaluate
from convcalc.sweep.grid import blocks
from convcalc.sweep.job import make_job
from tests.fuzz.campaign import Target, require
from tests.fuzz.commands import streams
from tests.fuzz.folder import folder
from tests.fuzz.networks import Builder, Network, written
from tests.fuzz.schemas import require_json
from tests.fuzz.specs import require_sums

FILE = "network.yaml"
METRICS = tuple(measure.key for measure in report_metrics())
SUMS = tuple(measure.key for measure in report_metrics() if measure.is_additive)
SAME = ("params", "buffers", "weight_bytes", "depth", "nonlinearities")
"""Metrics of the weights and of the graph: no batch changes them."""
GROWING = ("macs", "flops", "activations", "output_elements", "peak_activation_bytes")
"""Metrics of what is computed: N samples take N times as much."""
AFFINE = ("training_bytes", "traffic_bytes")
"""Weights once, and tensors for every sample."""
BYTES = ("weight_bytes", "peak_activation_bytes", *AFFINE)
"""Metrics of the number format: half as much in half as many bits."""
PLACED = ("macs", "flops", "activations", "output_elements")
"""Metrics of a layer alone, whoever owns its weights."""
Totals = Mapping[str, Any]


def make(dice: Random) -> bytes:
    """Draw a network, other values for its variables, and numbers for what is asked of it."""
    network = Builder(dice).network()
    other = {name: max(1, value + dice.randint(-2, 3)) for name, value in network.variables.items()}
    drawn = {
        "shape": network.shape, "variables": network.variables, "layers": network.text, "other": other,
        "batch": dice.choice((2, 3, 7, 64)), "depth": dice.randint(1, 3), "top": dice.randint(1, 4),
        "by": dice.choice(GROUPINGS), "sort": dice.choice((*SUMS, "path", "op")), "formula": dice.random() < 0.02,
    }  # fmt: skip
    return json.dumps(drawn).encode()


def judge(data: bytes) -> None:
    """Count a network by every way."""
    given = json.loads(data)
    network = Network(given["layers"], given["variables"], tuple(given["shape"]))
    text = written(network.shape, network.variables, network.text)
    loaded = convcalc.load(text=text, name=FILE)
    report = loaded.report(detailed=[*DETAIL_KEYS, "peak"])
    require_sums(loaded.report())
    _folds(report, given)
    _batches(loaded, loaded.report().totals, given["batch"])
    _parts(loaded, report)
    _wrapped(network, report.totals)
    _texts(loaded, report)
    if crc32(data) % 8 == 0:  # dear
        _schemas(loaded, report)
    changed = _set(network, text, given["other"])
    with folder({FILE: text.encode()}):
        _batched(text, report.totals)
        _swept(network, given["other"], report.totals, changed)
        if crc32(data) % 4 == 0:
            _commanded(given["other"], changed)
        if given["formula"]:
            _formula(network, given["other"], changed)


def _same(what: str, found: Totals, expected: Totals, keys: tuple[str, ...] = METRICS) -> None:
    for key in keys:
        require(found[key] == expected[key], f"{what}: {key} {found[key]} and not {expected[key]}")


def _folds(report: Report, given: Mapping[str, Any]) -> None:
    """However rows are folded, sorted and cut, they sum to the totals."""
    for view in (TableOptions(given["depth"]), TableOptions(given["depth"], given["by"], given["sort"], given["top"])):
        folded = fold_report(report, view, SUMS)
        lines = [*folded.lines, *([folded.remainder] if folded.remainder else [])]
        sums = {key: sum(line.values.get(key, 0) for line in lines) for key in SUMS}
        _same("folded rows sum to totals", sums, report.totals, SUMS)
        require(sum(line.layers for line in lines) == len(report.rows), "folded rows hold every layer: once")
    if report.rows:
        _same(
            "a tree sums to totals",
            build_path_tree(fold_report(report, TableOptions()).lines, SUMS).values,
            report.totals,
            SUMS,
        )


def _batches(network: convcalc.Network, one: Totals, batch: int) -> None:
    """Counts of N samples are what the definitions say of those of one."""
    many, two = (network.report(batch=number).totals for number in (batch, 2))
    _same("a batch has the same weights", many, one, SAME)
    _same("a batch costs so many times one sample", many, {key: batch * one[key] for key in GROWING}, GROWING)
    # look-ups read more rows of a table, and rows reach more experts, at most all of them
    some = any(node.op is not None and node.op.kind in ("embedding", "experts") for node in network.graph.layers)
    keys = AFFINE[:1] if some else AFFINE
    affine = {key: one[key] + (batch - 1) * (two[key] - one[key]) for key in keys}
    _same("weights once and tensors for every sample", many, affine, keys)
    half = network.report(dtype="float16").totals
    # what one kernel keeps of each query has at least 32 bits
    attends = any(node.op is not None and node.op.kind in ("attention", "sdpa") for node in network.graph.layers)
    halved = tuple(key for key in BYTES if not attends or key not in ("training_bytes", "peak_activation_bytes"))
    _same("half the bits are half the bytes", {key: 2 * half[key] for key in halved}, one, halved)


def _parts(network: convcalc.Network, report: Report) -> None:
    """A part counts what its layers do."""
    for path in {row.path.partition(".")[0] for row in report.rows}:
        rows = [row for row in report.rows if f"{row.path}.".startswith(f"{path}.")]
        part = network.network.measurements().part(path).totals()
        _same("a part is its layers", part, {key: sum(row.values[key] for row in rows) for key in PLACED}, PLACED)


def _wrapped(network: Network, expected: Totals) -> None:
    """Items count the same in a list, in a block and in a turn of a repeat."""
    items = network.text.removeprefix("layers: ").strip()
    for text in (
        f"layers: [{items}]\n",
        f"blocks: {{Whole: {items}}}\nlayers: [Whole]\n",
        f"layers: [{{repeat: 1, seq: {items}}}]\n",
    ):
        found = convcalc.load(text=written(network.shape, network.variables, text), name=FILE).report().totals
        _same("a list, a block and a repeat count what is in them", found, expected)


def _texts(network: convcalc.Network, report: Report) -> None:
    """What is written for machines is what was counted, and so is what is compared."""
    document = json.loads(FORMATS["json"].report(report, TableOptions(), Surface()))
    _same("JSON has the totals", document["totals"], report.totals)
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].report(report, TableOptions(), Surface()))))
    for key in SUMS:
        layers = sum(layer[key] for layer in document["layers"])
        require(layers == report.totals[key], f"layers of JSON sum to totals: {key}")
        require(
            not report.is_complete or sum(int(row[key] or 0) for row in rows) == report.totals[key],
            f"rows of CSV sum to totals: {key}",
        )
    same = compare([report, replace(report, design="other")])
    _same("compare is the report", {each.column.key: each.values[1] for each in same.metrics}, report.totals)


def _schemas(network: convcalc.Network, report: Report) -> None:
    """JSON keeps the schemas that the program prints."""
    require_json("report", FORMATS["json"].report(report, TableOptions(), Surface()))
    same = compare([report, replace(report, design="other")])
    require_json("compare", FORMATS["json"].comparison(same, Surface()))
    explanation = explain(network.network, report.rows[-1].path if report.rows else "")
    require_json("explain", EXPLANATIONS["json"].explanation(explanation, Surface()))


def _set(network: Network, text: str, other: dict[str, int]) -> Totals | None:
    """``--set`` counts what the edited file counts; both refuse the same. Nothing for what is not a network."""
    edited = _totals(network.with_values(other))
    chosen = {"--set is the edited file": _totals(text, set=other)}
    if other:
        named = f"{text}variants: {{other: {{{', '.join(f'{name}: {value}' for name, value in other.items())}}}}}\n"
        chosen["a variant is the edited file"] = _totals(named, variant="other")
    for what, totals in chosen.items():
        require((edited is None) == (totals is None), f"{what}: one of them is refused")
        if edited is not None and totals is not None:
            _same(what, totals, edited)
    return edited


def _totals(text: str, **options: Any) -> Totals | None:
    try:
        return convcalc.load(text=text, name=FILE, **options).report().totals
    except SpecErrors:
        return None


def _batched(text: str, expected: Totals) -> None:
    """``batch`` counts as a report does."""
    for job in (CountTask(parse_design(FILE)), CountTask(parse_design(FILE), data=text.encode())):
        (counted,) = count(job, CountRequest(METRICS))
        require(not counted.errors, f"batch reads what report reads: {counted.errors}")
        _same("batch is the report", dict(zip(METRICS, counted.totals, strict=True)), expected)


def _commanded(other: dict[str, int], expected: Totals | None) -> None:
    """The commands print what is counted, and refuse what is not a network."""
    chosen = [word for name, value in other.items() for word in ("--set", f"{name}={value}")]
    columns = ",".join(METRICS)
    for argv, place in (
        (["report", FILE, "--json", *chosen], ("totals",)),
        (["batch", FILE, "--json", "--jobs=1", "--columns", columns, *chosen], ("designs", 0)),
        (["compare", FILE, FILE, "--json", *chosen], ("designs", 1, "totals")),
    ):
        with streams("") as (stdout, _):
            code = main(argv)
        require(code == (2 if expected is None else 0), f"a command counts what is a network: {argv} {code}")
        if expected is not None:
            document = require_json(argv[0], stdout.getvalue().decode())
            for key in place:
                document = document[key]
            _same(f"{argv[0]} prints what is counted", document, expected)


def _swept(network: Network, other: dict[str, int], own: Totals, changed: Totals | None) -> None:
    """At either end of a sweep over all variables stands what a report counts there."""
    if not network.variables:
        return
    axes = [Axis(name, (value, other[name])) for name, value in network.variables.items()]
    job = make_job(FILE, axes, metrics=METRICS)
    (piece,) = blocks(job.axes)
    columns = evaluate(job, piece)
    for place, expected in ((0, own), (-1, changed)):
        valid = bool(columns.valid.ravel()[place])
        require(valid == (expected is not None), "a sweep leaves out what is not a network: and nothing else")
        if expected is not None:
            found = {key: int(columns.metrics[key].ravel()[place]) for key in METRICS}
            _same("a sweep is the report at its point", found, expected)


def _formula(network: Network, other: dict[str, int], changed: Totals | None) -> None:
    """The closed forms, with numbers put in, give what is counted where their assumptions hold."""
    try:
        found = derive(FILE, FormulaRequest(tuple(network.variables)))
    except SpecErrors:
        return  # what shapes the graph has no closed form
    if all(assumption.holds(other) for assumption in found.assumptions):
        require(changed is not None, "a formula rests on its assumptions: they hold and it is not a network")
        values = {key: each.value(other) for key, each in found.totals.items()}
        _same("a formula gives the count", values, changed or {}, ("params", "macs"))


TARGET = Target("invariants", 2, make, judge)
