"""Formats of weights in blocks: blocks filled number by number, sizes of GGUF's structs, and an 8B model's bytes."""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.designs.sources import CountOptions
from convcalc.dtypes import bytes_of, cache_lookup, dtype_lookup, parse_dtype, row_bits
from convcalc.errors import SpecError
from convcalc.formula.closed_form import derive
from convcalc.formula.symbolic_design import FormulaRequest
from tests.conftest import Command

WEIGHTS = "weight_bytes"


class Q4Zero(ctypes.Structure):
    """A scale and 32 numbers of 4 bits."""

    _fields_ = (("d", ctypes.c_uint16), ("qs", ctypes.c_uint8 * 16))


class Q8Zero(ctypes.Structure):
    """A scale and 32 numbers of 8 bits."""

    _fields_ = (("d", ctypes.c_uint16), ("qs", ctypes.c_int8 * 32))


class Q4K(ctypes.Structure):
    """Two scales of the scales, 8 scales and minima of 6 bits, and 256 numbers of 4 bits."""

    _fields_ = (
        ("d", ctypes.c_uint16), ("dmin", ctypes.c_uint16),
        ("scales", ctypes.c_uint8 * 12), ("qs", ctypes.c_uint8 * 128),
    )  # fmt: skip


STRUCTS: dict[str, tuple[int, Any]] = {"q4_0": (32, Q4Zero), "q8_0": (32, Q8Zero), "q4_k": (256, Q4K)}


def row(length: int, name: str) -> int:
    """The bits of a row: its numbers are put into blocks one after another."""
    if name in STRUCTS:
        size, struct = STRUCTS[name]
        return 8 * ctypes.sizeof(struct) * len(range(0, length, size))
    bits, group = map(int, name.removeprefix("int").split("g"))
    filled = 0
    for place in range(length):
        filled += bits + (16 + bits if place % group == 0 else 0)
    return filled


@given(st.integers(1, 700), st.sampled_from([*STRUCTS, "int4g128", "int3g64", "int8g7", "int1g1"]))
def test_the_bits_of_a_row(length: int, name: str) -> None:
    assert row_bits(length, name) == row(length, name)


class Case(NamedTuple):
    """A layer on an input, its matrices as rows and row length, and how many numbers are in none."""

    input: str
    layer: str
    matrices: Sequence[tuple[int, int]]
    others: int


CASES = [
    Case("[7, 200]", "linear: 30", [(30, 200)], 30),
    Case("[12, 9, 9]", "conv: {out: 8, kernel: 3, groups: 4}", [(8, 3 * 9)], 8),
    Case("[12, 9, 9]", "dwconv: {kernel: 3, bias: false}", [(12, 9)], 0),
    Case("[12, 9, 9]", "deconv: {out: 8, kernel: 2, groups: 4, stride: 2}", [(8, 3 * 4)], 8),
    Case("[12, 9, 9]", "conv: {out: 8, kernel: 3, weight_sharing: channels, norm: batch}", [(8, 9)], 4 * 8),
    Case(
        "[7, 48]", "attention: {heads: 4, head_dim: 10, kv_heads: 2, bias: [true, false, true, false], qk_norm: rms}",
        [(40, 48), (20, 48), (20, 48), (48, 40)], 40 + 20 + 2 * 10,
    ),
    Case("[7, 48]", "attention: {heads: 4, position_bias: 13, bias: false}", 4 * [(48, 48)], 13 * 4),
    Case(
        "[7, 48]", "experts: {count: 3, top: 2, width: 50, gated: true, bias: true}",
        3 * [(50, 48), (50, 48), (48, 50)], 3 * (50 + 50 + 48),
    ),
    Case(
        "[7, 48]", "lstm: {hidden: 10, proj_size: 6, bidirectional: true, peepholes: true}",
        2 * [(40, 48), (40, 6), (6, 10)], 2 * (2 * 40 + 3 * 10),
    ),
    Case("[7, 48]", "gru: {hidden: 10, layers: 2}", [(30, 48), (30, 10), (30, 10), (30, 10)], 4 * 30),
    Case("[7, 48]", "norm: layer", [], 2 * 48),
    Case("[7]", "embedding: [90, 48]", [], 90 * 48),
    Case("[7, 48]", "scale", [], 7),
    Case("[7, 48]", "param: [7, 48]", [], 7 * 48),
    Case("[7, 48]", "custom: {params: 100, macs: 20}", [], 100),
]  # fmt: skip


@pytest.mark.parametrize("name", [*STRUCTS, "int4g128", "int3g16"])
@pytest.mark.parametrize("case", CASES, ids=[case.layer for case in CASES])
def test_matrices_that_multiply_are_in_blocks_and_nothing_else_is(case: Case, name: str) -> None:
    layer = f"{{{case.layer}}}" if ":" in case.layer else case.layer
    network = convcalc.load(text=f"input: {case.input}\nlayers: [{layer}]")
    report = network.report(dtype=f"weights={name},float16")
    bits = sum(rows * row(length, name) for rows, length in case.matrices) + 16 * case.others
    assert report.totals[WEIGHTS] == -(-bits // 8)
    plain = network.report(dtype="float16").totals
    assert plain[WEIGHTS] == 2 * (sum(rows * length for rows, length in case.matrices) + case.others)
    same = ("params", "macs", "peak_activation_bytes", "training_bytes")
    assert [report.totals[key] for key in same] == [plain[key] for key in same]
    if "embedding" not in case.layer and "experts" not in case.layer and "custom" not in case.layer:
        weights, buffers = plain[WEIGHTS], 2 * plain["buffers"]
        moved = plain["traffic_bytes"] - (weights - buffers)
        assert report.totals["traffic_bytes"] == moved + report.totals[WEIGHTS] - buffers


# --- language models --------------------------------------------------------------------------------------------------

MODEL = """\
input: n
vars: {n: 2048, vocab: 128256, dim: 4096, depth: 32, heads: 32, kv: 8, mlp: 14336}
defaults: {linear: {bias: false}, attention: {bias: false}}
blocks:
  Block:
    - add: [identity, [norm: rms, attention: {heads: heads, kv_heads: kv}]]
    - add: [identity, [norm: rms, mul: [linear: {out: mlp, act: silu}, linear: mlp], linear: dim]]
layers:
  - {embedding: [vocab, dim], name: table}
  - {Block: , repeat: depth, name: layer}
  - norm: rms
  - {linear: vocab, name: head}
"""
SMALL = {"n": 9, "vocab": 300, "dim": 72, "depth": 2, "heads": 6, "kv": 2, "mlp": 100}


def weight_bytes(dtype: str, **sizes: int) -> int:
    return int(convcalc.load(text=MODEL, set=sizes).report(dtype=dtype).totals[WEIGHTS])


def test_llama_3_8b() -> None:
    """4.15625 bits a weight of the blocks' matrices; tables, of which the head is one, and norms in bfloat16."""
    assert weight_bytes("weights=int4g128,cache=fp8,bfloat16") == 5_727_854_592
    assert weight_bytes("bfloat16") == 2 * 8_030_261_248
    assert weight_bytes("layer*.**=int4,bfloat16") == 5_591_146_496


def by_hand(name: str, sizes: dict[str, int], *, head: str = "", table: str = "") -> int:
    """Bytes of the small model: rows in blocks, tables and norms of 2 bytes a number."""
    dim, mlp, vocab, kv = (sizes[key] for key in ("dim", "mlp", "vocab", "kv"))
    keys = kv * (dim // sizes["heads"])
    attention = [(dim, dim), (keys, dim), (keys, dim), (dim, dim)]
    layers = [attention, [(mlp, dim)], [(mlp, dim)], [(dim, mlp)]]
    block = sum(-(-sum(rows * row(length, name) for rows, length in layer) // 8) for layer in layers) + 2 * 2 * dim
    ends = [-(-vocab * row(dim, each) // 8) if each else 2 * vocab * dim for each in (table, head)]
    return sizes["depth"] * block + 2 * dim + sum(ends)


def test_tables_are_in_blocks_where_a_glob_names_them() -> None:
    for name in STRUCTS:
        assert weight_bytes(f"weights={name},bfloat16", **SMALL) == by_hand(name, SMALL)
        assert weight_bytes(f"weights={name},head={name},bfloat16", **SMALL) == by_hand(name, SMALL, head=name)
    mixed = weight_bytes("weights=q4_0,bfloat16,table=q8_0,head=q8_0", **SMALL)
    assert mixed == by_hand("q4_0", SMALL, head="q8_0", table="q8_0")


def test_a_tied_head_is_its_table() -> None:
    tied = MODEL.replace("name: head}", "name: head, tie: table}")
    network = convcalc.load(text=tied, set=SMALL)
    once = 2 * SMALL["vocab"] * SMALL["dim"]
    assert network.report(dtype="weights=q4_0,bfloat16").totals[WEIGHTS] == by_hand("q4_0", SMALL) - once
    rows = {row.path: row.values["traffic_bytes"] for row in network.report(dtype="weights=q4_0,bfloat16").rows}
    assert rows["head"] == once + 2 * SMALL["n"] * (SMALL["dim"] + SMALL["vocab"])


def test_a_matrix_of_the_shape_of_a_table_is_one_only_at_the_end() -> None:
    text = "input: 5\nlayers: [embedding: [96, 64], linear: {out: 96, bias: false}, linear: {out: 64, bias: false}]"
    found = convcalc.load(text=text).report(dtype="weights=q4_0,float16").rows
    assert [each.values[WEIGHTS] for each in found] == [2 * 96 * 64, 96 * 2 * 18, 64 * 3 * 18]
    head = convcalc.load(text=text.replace(", linear: {out: 64, bias: false}", ", softmax"))
    assert head.report(dtype="weights=q4_0,float16").rows[1].values[WEIGHTS] == 2 * 96 * 64


def test_look_ups_and_experts_read_their_rows() -> None:
    """5 rows of a table of 64 numbers in blocks, and 2 of 3 experts for one row."""
    text = "input: 5\nlayers: [{embedding: [90, 64], name: e}]"
    report = convcalc.load(text=text).report(dtype="e=q8_0,float16")
    assert report.totals["traffic_bytes"] == 2 * 5 + 5 * 2 * 34 + 2 * 5 * 64
    text = "input: [1, 32]\nlayers: [{experts: {count: 3, top: 2, out: 10, bias: true}, name: x}]"
    report = convcalc.load(text=text).report(dtype="weights=q4_0,float16")
    assert report.totals["traffic_bytes"] == 2 * 32 + 2 * (10 * 18 + 2 * 10) + 2 * 10


def test_weights_without_numbers_are_no_bytes() -> None:
    network = convcalc.load(text="input: [4]\nlayers: [custom: {out: [10], params: 0, macs: 40}]")
    totals = network.report(dtype="weights=q4_k,float16").totals
    assert (totals[WEIGHTS], totals["traffic_bytes"]) == (0, 2 * (4 + 10))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_arrays_and_symbols_are_ints(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["q4_0", "q4_k", "int4g128", "int3g10"]))
    dtype = f"weights={name},float16"
    heads = SMALL["heads"]
    widths = [heads * data.draw(st.integers(1, 90)) for _ in range(3)]
    vocabs = data.draw(st.lists(st.integers(2, 999), min_size=3, max_size=3))
    columns = {"dim": np.array(widths), "vocab": np.array(vocabs)}
    points = convcalc.load(text=MODEL, set={**SMALL, **columns}).report(dtype=dtype).totals
    for place, (dim, vocab) in enumerate(zip(widths, vocabs, strict=True)):
        sizes = {**SMALL, "dim": dim, "vocab": vocab}
        true = convcalc.load(text=MODEL, set=sizes).report(dtype=dtype).totals
        assert true[WEIGHTS] == by_hand(name, sizes)
        assert {key: points[key][place] for key in (WEIGHTS, "traffic_bytes")} == {
            key: true[key] for key in (WEIGHTS, "traffic_bytes")
        }


def test_a_formula_of_weights_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(MODEL)
    given = {key: str(value) for key, value in SMALL.items() if key not in ("dim", "vocab")}
    options = CountOptions({**given, "dim": "6*d"}, dtypes=("weights=int4g128,bfloat16",))
    formula = derive(str(path), FormulaRequest(("vocab",), options, (WEIGHTS,)))
    for d, vocab in ((1, 5), (21, 300), (22, 77), (64, 2)):
        assert formula.totals[WEIGHTS].value({"d": d, "vocab": vocab}) == by_hand(
            "int4g128", {**SMALL, "dim": 6 * d, "vocab": vocab}
        )


# --- what is written --------------------------------------------------------------------------------------------------


def test_formats_of_weights_outputs_and_caches() -> None:
    dtype = "weights=int4g128,cache=fp8,bfloat16, layer1.**=float16, layer1.b=q8_0"
    assert [dtype_lookup(dtype)(path) for path in ("head", "layer1.a", "layer1.b")] == ["bfloat16"] + 2 * ["float16"]
    assert cache_lookup(dtype)("layer1.a") == "fp8"
    assert cache_lookup("float16, a=int8")("a") == "int8"
    assert [bytes_of(elements, "q8_0") for elements in (32, 320, 33)] == [34, 340, 68]
    assert parse_dtype(dtype).weights == "int4g128"
    assert parse_dtype("cache=q8_0").usual == "float32"


@pytest.mark.parametrize("glob", ["head=float16", "*d=float16"])
def test_a_plain_glob_goes_before_the_format_of_weights(glob: str) -> None:
    plain = by_hand("q4_0", SMALL)
    assert weight_bytes(f"weights=q4_0, {glob}, bfloat16", **SMALL) == plain
    assert weight_bytes(f"weights=int8, {glob}, float32", **SMALL) == weight_bytes("int8", **SMALL) + 300 * 72


@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        ("int4g128", "int4g128 is a format of weights, and not of what layers put out"),
        ("q4_k", "q4_k is a format of weights"),
        ("int8,float16", "int8 and float16 are both for all layers"),
        ("weights=int4g0,float16", "no number format 'int4g0'"),
        ("weights=int9g128", "no number format 'int9g128'"),
        ("weights=q4_1", "no number format 'q4_1'; did you mean 'q4_"),
        ("weights=", "no number format 'weights='"),
        ("float32,=int8", "no number format '=int8'"),
        ("float32,", "no number format ''"),
        ("weights=int4g128,weights=int8", "weights=int4g128 and weights=int8 exclude each other"),
        ("cache=fp8,float16,cache=int8", "cache=fp8 and cache=int8 exclude each other"),
        ("train=mixed,train=sgd", "train=mixed and train=sgd exclude each other"),
        ("fp16", "no number format 'fp16'; did you mean 'float16'?"),
        ("cache=bf16", "no number format 'bf16'; did you mean 'bfloat16'?"),
        ("weights=Q8_0", "no number format 'Q8_0'; did you mean 'q8_0'?"),
    ],
)
def test_what_is_no_format(dtype: str, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_dtype(dtype)
    assert said in raised.value.text


def test_a_format_may_be_given_twice_if_it_is_the_same() -> None:
    assert parse_dtype("cache=fp8,cache=fp8,float16,float16") == parse_dtype("cache=fp8,float16")


@pytest.mark.parametrize("recipe", ["train=mixd", "mixed"])
def test_recipes_are_named(recipe: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_dtype(recipe)
    assert "train=adam, train=mixed, train=mixed32, train=sgd" in raised.value.hint


def test_rows_that_gguf_does_not_hold_are_warned_of() -> None:
    network = convcalc.load(text=MODEL, set=SMALL)
    (warning,) = network.report(dtype="weights=q4_0,bfloat16").warnings
    assert "rows of layer1.attention1 and 7 more layers are no whole blocks of 32: q4_0" in warning
    assert network.report(dtype="weights=int4g128,bfloat16").warnings == ()
    fitting = convcalc.load(text=MODEL, set={**SMALL, "dim": 96, "mlp": 64})
    assert fitting.report(dtype="weights=q4_0,bfloat16").warnings == ()


# --- commands ---------------------------------------------------------------------------------------------------------

DTYPE = "weights=int4g128,cache=fp8,bfloat16"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    sizes = ", ".join(f"{name}: {value}" for name, value in SMALL.items())
    (tmp_path / "model.yaml").write_text(re.sub("vars: .*", f"vars: {{{sizes}}}", MODEL))
    monkeypatch.chdir(tmp_path)
    return "model.yaml"


def test_every_command_takes_them(cli: Command, model: str) -> None:
    size = by_hand("int4g128", SMALL)
    asked = [model, "--dtype", DTYPE]
    document = json.loads(cli("report", *asked, "--json").stdout)
    assert (document["totals"][WEIGHTS], document["dtype"]) == (size, DTYPE)
    compared = json.loads(cli("compare", model, *asked, "--json").stdout)
    assert [each["totals"][WEIGHTS] for each in compared["designs"]] == [size, size]
    rows = cli("batch", *asked, "--dtype", "float16", "--columns", WEIGHTS, "-f", "csv").stdout.splitlines()
    assert [line.split(",")[-2] for line in rows[1:]] == [str(size), str(weight_bytes("float16", **SMALL))]
    swept = cli("sweep", model, "dim=72,144", "--dtype", DTYPE, "--columns", WEIGHTS, "-f", "csv").stdout.splitlines()
    assert swept[1:] == [f"72,{size}", f"144,{by_hand('int4g128', {**SMALL, 'dim': 144})}"]
    assert cli("check", *asked, "--max", f"{WEIGHTS}={size}").exit_code == 0
    assert cli("check", *asked, "--max", f"{WEIGHTS}={size - 1}").exit_code == 1
    solved = cli("solve", model, "--for", "depth=1..9", "--dtype", DTYPE, "--max", f"{WEIGHTS}={size}", "--json")
    assert json.loads(solved.stdout)["solution"]["values"] == {"depth": 2}


def test_exceptions_apart_hold_for_every_format(cli: Command, model: str) -> None:
    formats = ("--dtype", "weights=q4_0", "--dtype", "float16", "--dtype", "bfloat16,head=q4_0")
    rows = cli("batch", model, *formats, "--columns", WEIGHTS, "--json").stdout
    found = {row["dtype"]: row[WEIGHTS] for row in json.loads(rows)["designs"]}
    assert found == {
        "float16, weights=q4_0": by_hand("q4_0", SMALL),
        "bfloat16,head=q4_0, weights=q4_0": by_hand("q4_0", SMALL, head="q4_0"),
    }


def test_a_budget_takes_them(cli: Command, model: str) -> None:
    size = by_hand("int4g128", SMALL)
    for limit, code in ((size, 0), (size - 1, 1)):
        budget = f"version: 1\nbudgets: [{{id: a, designs: {model}, dtype: '{DTYPE}', max: {{{WEIGHTS}: {limit}}}}}]"
        Path("convcalc-budget.yaml").write_text(budget)
        assert cli("check").exit_code == code


def test_a_device_computes_in_the_format_of_outputs(cli: Command, model: str) -> None:
    asked = ("--device", "a100-sxm-80gb", "--columns", "least_time,traffic_bytes", "--json")
    found = json.loads(cli("report", model, "--dtype", DTYPE, *asked).stdout)["totals"]
    time = found["least_time"]
    assert Fraction(time["numerator"], time["denominator"]) == Fraction(found["traffic_bytes"], 2039)  # GB in a second
