"""Receptive fields without gates are those of the same network without its gates."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.metrics._without_gates import without_gates
from convcalc.metrics.receptive_field import trace_receptive_fields
from convcalc.metrics.registry import DETAIL_KEYS, WITHOUT_GATES
from convcalc.report.report import Report
from tests.conftest import ROOT, Command
from tests.metrics.test_receptive_field import cells_of, odd_windows, outermost, windows

KEYS = ("receptive_field", "effective_stride", "offset")
GATES = (
    "[avgpool: global, {conv: [1, 1], act: sigmoid}]",
    "[maxpool: global, flatten, linear: 1, sigmoid, reshape: [1, 1]]",
    "[{conv: [2, 1]}, {avgpool: {out: 1}}, {conv: [1, 1]}]",
    "[{avgpool: global}, {mul: [identity, [avgpool: global, sigmoid]]}]",
    "[{reduce: {type: mean, axis: 1, keepdims: true}}, {conv: [1, 1], act: sigmoid}]",
    "[{reduce: [mean, -1]}, linear: 1, sigmoid, reshape: [1, 1]]",
)
"""What sees all of the map, one cell of one channel."""


def report(text: str, *more: str) -> Report:
    return convcalc.load(text=text).report(detailed=(*DETAIL_KEYS, *more))


@given(st.lists(st.one_of(windows(), odd_windows()), min_size=1, max_size=4), st.sampled_from(GATES), st.booleans())
@settings(max_examples=80, deadline=None)
def test_every_cell_of_random_gated_networks(layers: Sequence[str], gate: str, first: bool) -> None:
    """Every map is gated; what its cells see is what those of the network without gates answer to when it runs."""
    branches = f"[identity, {gate}]" if first else f"[{gate}, identity]"
    plain = "".join(f"  - {{{layer}, name: n{place}}}\n" for place, layer in enumerate(layers))
    gated = "".join(f"{line}\n  - {{mul: {branches}, name: g{n}}}\n" for n, line in enumerate(plain.splitlines()))
    head = "input: [1, 41]\nlayers:\n"
    try:
        network, gates = convcalc.load(text=head + plain), convcalc.load(text=head + gated)
    except convcalc.SpecErrors:
        return
    cut = without_gates(gates.graph)
    places = dict(zip((node.path for node in cut.nodes), trace_receptive_fields(cut)[0], strict=True))
    products = [node for node in cut.layers if re.fullmatch(r"g\d+", node.path)]
    assert [len(node.inputs) for node in products] == [1] * len(layers)
    for where, axis, cell, row in cells_of(network):
        assert places[where] == (axis,)
        if axis.low[0] + cell * axis.step >= 0 and axis.high[0] + cell * axis.step < 41:
            assert [axis.low[0] + cell * axis.step, axis.high[0] + cell * axis.step] == outermost(row)


def squeezed(name: str) -> tuple[str, str]:
    """A shipped spec, and the same with nothing in the place of its squeeze-and-excitation."""
    text = (ROOT / "specs" / "zoo" / f"{name}.yaml").read_text("utf-8").partition("\nclaims:")[0]
    bare = re.sub(r"( +)- mul:\n +- identity\n +- - avgpool: global\n( +)  - .*\n\2  - .*\n", r"\1- identity\n", text)
    return text, bare


@pytest.mark.parametrize("variant", [None, "b3"])
def test_efficientnet_without_its_gates(variant: str | None) -> None:
    text, bare = squeezed("efficientnet")
    assert "mul" not in bare
    networks = [convcalc.load(text=each, variant=variant) for each in (text, bare)]
    gated, plain = networks[0].report(detailed=(*KEYS, WITHOUT_GATES)), networks[1].report(detailed=KEYS)
    found = {row.path: row.values for row in gated.rows}
    compared = plain.rows
    assert len(compared) > 100
    for row in compared:
        assert {key: found[row.path][key] for key in KEYS} == {key: row.values[key] for key in KEYS}, row.path
    assert "whole" in networks[0].report(detailed=KEYS).rows[20].values["receptive_field"]
    assert gated.gated == tuple(row.path for row in gated.rows if row.op == "mul")


KEPT = {
    "a map of one channel": "mul: [identity, [conv: {out: 1, kernel: 3, padding: 1}, sigmoid]]",
    "a table": "mul: [identity, {param: [4, 1, 1]}]",
    "a window that is not a global pool": "mul: [identity, [avgpool: 8]]",
    "a pool brought back to the size": "mul: [identity, [avgpool: global, upsample: 8]]",
    "a sum": "add: [identity, [avgpool: global]]",
    "a mixture": "mul: [identity, [add: [{avgpool: 8}, {avgpool: global}]]]",
}


@pytest.mark.parametrize("what", KEPT)
def test_what_is_no_gate_is_kept(what: str) -> None:
    text = f"input: [4, 8, 8]\nlayers:\n  - {KEPT[what]}\n"
    one, other = report(text), report(text, WITHOUT_GATES)
    assert [row.values for row in one.rows] == [row.values for row in other.rows]
    assert (one.gated, other.gated) == (None, ())


@pytest.mark.parametrize("other", ["conv: [4, 1]", "param: [4, 1, 1]"])
def test_a_product_of_pools_has_no_gate(other: str) -> None:
    text = f"input: [4, 8, 8]\nlayers: [avgpool: global, mul: [identity, [{other}]]]"
    assert report(text, WITHOUT_GATES).gated == ()


def test_only_the_product_lets_go_of_its_gate() -> None:
    gate = "[avgpool: global, {conv: [4, 1], name: last}]"
    text = f"input: [4, 8, 8]\nlayers: [mul: [identity, {gate}], {{conv: [4, 3], name: behind}}]"
    fields = {row.path: row.values["receptive_field"] for row in report(text, WITHOUT_GATES).rows}
    assert fields["last"] == ("whole", "whole")
    assert fields["behind"] == (3, 3)


def test_other_details_are_those_of_the_network() -> None:
    text = squeezed("efficientnet")[0]
    one, other = report(text), report(text, WITHOUT_GATES)
    for key in ("peak_activation_bytes", "arithmetic_intensity"):
        assert [row.values[key] for row in one.rows] == [row.values[key] for row in other.rows]
    assert one.totals == other.totals


# --- the option -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "latex"])
def test_it_is_said_in_every_format(cli: Command, format_: str) -> None:
    line = ("report", "zoo:efficientnet", "--depth", "1", "-f", format_, "--columns", "receptive_field")
    said = {way: " ".join(cli(*line, "--receptive-field", way).stdout.split()) for way in ("with-gates", WITHOUT_GATES)}
    assert "without gates" in said[WITHOUT_GATES]
    assert "16 mul" in said[WITHOUT_GATES]
    assert said["with-gates"] == " ".join(cli(*line).stdout.split())


def test_it_is_said_in_data(cli: Command, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [4, 8, 8]\nlayers: [{mul: [identity, [avgpool: global]], name: m}, conv: [4, 3]]")
    found = json.loads(cli("report", str(spec), "--json", "--receptive-field", WITHOUT_GATES).stdout)
    assert found["without_gates"] == ["m"]
    assert found["layers"][-1]["receptive_field"] == [3, 3]
    assert "without_gates" not in json.loads(cli("report", str(spec), "--json").stdout)
    columns = cli("report", str(spec), "-f", "csv", "--receptive-field", WITHOUT_GATES).stdout.splitlines()[0]
    assert "receptive_field_without_gates" in columns.split(",")


def test_it_adds_the_column(cli: Command) -> None:
    text = cli("report", "zoo:lenet", "--receptive-field", "with-gates", "--width", "140").stdout
    assert "Receptive field" in text
    assert "Multiplies" in text
    wrong = cli("report", "zoo:lenet", "--receptive-field", "without")
    assert (wrong.exit_code, "without-gates" in wrong.stderr) == (2, True)
