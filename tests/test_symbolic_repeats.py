"""Numbers of repeats as symbols: every formula is what the program counts in integers, at many random values."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

import pytest

import convcalc
from convcalc.arith import record_constraints
from convcalc.arith.symbols import symbol
from convcalc.designs.sources import CountOptions
from convcalc.errors import SpecErrors
from convcalc.formula.closed_form import Formula, derive
from convcalc.formula.printers import TEXT
from convcalc.formula.symbolic_design import FormulaRequest
from convcalc.metrics.registry import core_metrics
from tests.conftest import Command

METRICS = (
    "params", "buffers", "macs", "activations", "output_elements", "weight_bytes", "training_bytes", "traffic_bytes",
)  # fmt: skip

TOP = """\
input: [9, w]
vars: {w: 12, n: 4, m: 3, k: 2}
"""


class Case(NamedTuple):
    """Layers of a spec, the symbols among n, m, k and w, and what has to be assumed of them."""

    layers: str
    symbols: str = "n,w"
    assumed: str = ""
    blocks: str = ""

    @property
    def text(self) -> str:
        return f"{TOP}{self.blocks}layers: {self.layers}\n"


BLOCK = "blocks: {Block: [add: [identity, [norm: layer, linear: {out: 4*w, act: gelu}, linear: w]]]}\n"
CASES = {
    "a block": Case("[{Block: , repeat: n, name: h}, linear: 5]", blocks=BLOCK),
    "a layer": Case("[{linear: {out: w, act: relu}, repeat: n}]"),
    "the first turn is wider": Case("[linear: 7, {linear: w, repeat: n}]"),
    "an expression": Case("[{linear: w, repeat: n + 1}, {linear: w, repeat: 2*n}]"),
    "more turns than one": Case("[{linear: w, repeat: n - 2}]", assumed="n ≥ 3"),
    "repeats in repeats": Case("[{repeat: n, seq: [linear: w, {linear: w, repeat: m, name: x}]}]", "n,m,w"),
    "a number inside": Case("[{repeat: n, seq: [{linear: w, repeat: 3}]}]"),
    "first": Case("[{repeat: n, seq: [linear: w, {linear: w, when: first}, {relu: , when: not first}]}]"),
    "last": Case("[{repeat: n, seq: [linear: w, {linear: w, when: not last}]}]", assumed="n ≥ 2"),
    "both": Case("[{repeat: n, seq: [{linear: w, when: first or last, else: {norm: layer}}]}]", assumed="n ≥ 2"),
    "before a number": Case("[{repeat: n, seq: [{linear: w, when: i < 3, else: {norm: layer}}]}]", assumed="n ≥ 3"),
    "before one": Case("[{repeat: n, seq: [{linear: w, when: i < 1, else: {norm: layer}}]}]"),
    "before a symbol": Case("[{repeat: n, seq: [{linear: w, when: i < k, else: {norm: layer}}]}]", "n,k,w", "n ≥ k"),
    "from a symbol on": Case("[{repeat: n, seq: [{linear: w, when: i >= k + 1}]}]", "n,k,w", "n ≥ k + 1"),
    "between": Case("[{repeat: n, seq: [{linear: w, when: 1 < i < 4}]}]", "n,w", "n ≥ 4"),
    "one turn": Case("[{repeat: n, seq: [{linear: w, when: i == 2}, linear: w]}]", "n,w", "n ≥ 3"),
    "all turns but one": Case("[{repeat: n, seq: [{linear: w, when: i != 1}, linear: w]}]", "n,w", "n ≥ 2"),
    "the last but one": Case("[{repeat: n, seq: [{linear: w, when: i == n - 2}, linear: w]}]", "n,w", "n ≥ 3"),
    "counted from the end": Case("[{repeat: n, seq: [{linear: w, when: n - i <= 2}, linear: w]}]", "n,w", "n ≥ 3"),
    "twice": Case("[{repeat: n, seq: [{linear: w, when: 2*i < 5}, linear: w]}]", "n,w", "n ≥ 3"),
    "a choice": Case("[{repeat: n, seq: [linear: {out: 8 if i < 2 else 5}, linear: w]}]", "n,w", "n ≥ 2"),
    "shared weights": Case("[{repeat: n, seq: [{linear: w, tie: true}, linear: w]}]"),
    "weights shared from the second turn on": Case(
        "[{repeat: n, seq: [{linear: w, tie: true, when: i > 0}, linear: w]}]", "n,w", "n ≥ 2"
    ),
    "shared weights inside": Case("[{repeat: n, seq: [{linear: w, repeat: m, tie: true}]}]", "n,m,w"),
    "weights of another layer": Case("[{linear: w, name: a}, {repeat: n, seq: [{linear: w, tie: a}]}]"),
    "what all read": Case("[{linear: w, name: a}, {repeat: n, seq: [add: [identity, {from: a}], linear: w]}]"),
    "a branch": Case("[add: [identity, [{repeat: n, seq: [linear: w]}]]]"),
    "a batch norm": Case("[reshape: [9, w, 1], {conv: {out: 9, kernel: 1, norm: batch}, repeat: n}]"),
    "a recurrent layer": Case("[{gru: w, repeat: n}]"),
    "checkpoints": Case("[{seq: [softmax, linear: w], repeat: n, checkpoint: true}]"),
    "turns in a checkpoint": Case("[{seq: [softmax, {linear: w, repeat: n}], checkpoint: true}]"),
}  # fmt: skip


def formula(case: Case, folder: Path, metrics: tuple[str, ...] = METRICS, depth: int | None = None) -> Formula:
    path = folder / "net.yaml"
    path.write_text(case.text)
    return derive(str(path), FormulaRequest(tuple(case.symbols.split(",")), metrics=metrics, depth=depth))


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_formula_is_the_count_in_integers(case: Case, tmp_path: Path) -> None:
    found = formula(case, tmp_path)
    said = "; ".join(map(TEXT.assumption, found.assumptions))
    assert said == case.assumed
    dice, compared = random.Random(case.text), 0
    for _ in range(60):
        values = {name: dice.randint(1, 9) for name in case.symbols.split(",")}
        if not all(assumption.holds(values) for assumption in found.assumptions):
            continue
        compared += 1
        report = convcalc.load(text=case.text, set=values).report()
        assert {key: tree.value(values) for key, tree in found.totals.items()} == {
            key: report.totals[key] for key in METRICS
        }, values
        weighed = dict.fromkeys(METRICS, 0)
        for row in found.rows:
            for key in METRICS:
                weighed[key] += row.times.value(values) * row.values[key].value(values)
        assert weighed == {key: tree.value(values) for key, tree in found.totals.items()}
        assert sum(row.times.value(values) * row.layer_count for row in found.rows) == len(report.rows)
    assert compared > 5


def test_folding_keeps_the_totals(tmp_path: Path) -> None:
    case = CASES["repeats in repeats"]
    flat, folded = formula(case, tmp_path), formula(case, tmp_path, depth=1)
    assert folded.totals == flat.totals
    for values in ({"n": 1, "m": 1, "w": 3}, {"n": 4, "m": 7, "w": 2}):
        for key in METRICS:
            rows = [row.times.value(values) * row.values[key].value(values) for row in folded.rows]
            assert sum(rows) == folded.totals[key].value(values)


GPT = """\
input: n
vars: {n: 64, vocab: 100, dim: 24, depth: 3, heads: 4}
blocks:
  Block:
    - add: [identity, [norm: layer, attention: heads]]
    - add: [identity, [norm: layer, linear: {out: 4*dim, act: gelu}, linear: dim]]
layers:
  - {embedding: [vocab, dim], name: wte}
  - {Block: , repeat: depth, name: h}
  - norm: layer
  - {linear: {out: vocab, bias: false}, tie: wte, name: head}
"""


def test_twelve_layers_dim_squared(cli: Command, tmp_path: Path) -> None:
    """12·L·d² weights of the matrices of L blocks, 13·L·d of their biases and norms; as many multiplies a token."""
    (tmp_path / "gpt.yaml").write_text(GPT)
    asked = (str(tmp_path / "gpt.yaml"), "--symbols", "depth,dim,vocab,n", "--depth", "1")
    text = cli("formula", *asked).stdout
    assert "12·depth·dim² + 13·depth·dim + dim·vocab + 2·dim" in text
    assert "12·depth·dim²·n + 2·depth·dim·n² + dim·vocab·n" in text
    assert "\nh1 × depth  8 layers   dim·(12·dim + 13)" in text


def test_other_formats_have_the_number_of_turns(cli: Command, tmp_path: Path) -> None:
    path = tmp_path / "gpt.yaml"
    path.write_text(GPT)
    document = json.loads(cli("formula", str(path), "--symbols", "depth", "--json").stdout)
    times = {layer["name"]: layer.get("times") for layer in document["layers"]}
    assert (times["h1.linear1"], times["h2.linear1"]) == (None, "depth - 1")
    found: dict[str, object] = {}
    exec(cli("formula", str(path), "--symbols", "depth", "-f", "python").stdout, found)  # noqa: S102 - our own
    layers = found["layers"](5)  # type: ignore[operator]
    total = sum(layer["params"] * layer.get("times", 1) for layer in layers.values())
    assert total == found["params"](5) == convcalc.load(text=GPT, set={"depth": 5}).report().totals["params"]  # type: ignore[operator]
    assert (
        r"\text{h1.attention1 $\times$ depth} &="
        in cli("formula", str(path), "--symbols", "depth", "-f", "latex").stdout
    )


def test_from_python() -> None:
    network = convcalc.load(text=GPT, set={"depth": symbol("L"), "dim": 4 * symbol("d")})

    with record_constraints() as ledger:
        values = {
            key: core_metrics()[key].values(network.graph)[1] for key in ("params", "macs", "peak_activation_bytes")
        }
    assert [str(each) for each in ledger.assumptions] == ["L >= 2"]
    for layers, width in ((2, 1), (5, 3), (9, 8)):
        true = convcalc.load(text=GPT, set={"depth": layers, "dim": 4 * width}).report().totals
        names = {"L": layers, "d": width}
        for key, value in values.items():
            assert int(value.subs({each: names[each.name] for each in value.free_symbols})) == true[key]


@pytest.mark.parametrize(
    ("layers", "symbols", "said"),
    [
        ("[{repeat: n, seq: [linear: 2*din]}]", "n", "differ, and their count is a symbol: [9, 24] enters"),
        ("[{repeat: n, seq: [linear: 8*(i+1), linear: w]}]", "n", "the size of 'seq1_2.linear1' depends on `i`"),
        ("[{repeat: n, seq: [{linear: w, when: i % 2 == 0}]}]", "n", "symbolic 'i'"),
        ("[{repeat: n, seq: [{linear: w, when: i*i < 20}]}]", "n", "symbolic 'i'"),
        ("[{repeat: n, name: 'x{i}', linear: w}]", "n", "a name"),
        ("[add: [{each: n, linear: w}]]", "n", "a number of branches shapes the graph"),
        ("[{repeat: {c: range(n)}, linear: w}]", "n", "a range shapes the graph"),
        ("[{repeat: n, linear: w, name: x}, {relu: , from: x2}]", "n", "no layer 'x2' precedes this"),
        ("[{repeat: n, linear: w, name: x}, {relu: , from: x3}]", "n", "no layer 'x3' precedes this"),
    ],
)  # fmt: skip
def test_turns_that_differ_are_an_error_that_says_so(layers: str, symbols: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SpecErrors) as raised:
        formula(Case(layers, symbols), tmp_path, ("params",))
    assert said in str(raised.value)
    assert raised.value.errors[0].code in {"CC411", "CC210", "CC308"}


@pytest.mark.parametrize(
    "layers",
    [
        "[{seq: [softmax, {norm: rms, repeat: n}], repeat: 2, checkpoint: true}]",
        "[{seq: [softmax, {seq: [softmax, softmax], when: i >= 3}, {norm: rms}], repeat: n, checkpoint: true}]",
        "[{seq: [{seq: [softmax, {norm: rms}], when: i > 0, checkpoint: true}], repeat: n}]",
    ],
    ids=["turns in checkpoints", "later checkpoints are larger", "none in the first turn"],
)  # fmt: skip
def test_bytes_of_checkpoints_that_turns_tell_apart_are_refused(layers: str, tmp_path: Path) -> None:
    """Only what the largest of the checkpoints needs is there, so that its turns add what those of others do not."""
    with pytest.raises(
        SpecErrors, match="training_bytes is not counted where checkpoints differ by a number of repeats"
    ):
        formula(Case(layers, "n"), tmp_path, ("training_bytes",))


def test_metrics_that_are_no_sums_are_refused_by_name() -> None:
    with pytest.raises(SpecErrors, match="depth is no sum: it is not counted where the number of repeats is a symbol"):
        convcalc.load(text=GPT, set={"depth": symbol("L")}).report()


def test_a_ratio_of_depths(tmp_path: Path) -> None:
    """Twice as many blocks: twice their weights."""
    path = tmp_path / "net.yaml"
    path.write_text(f"{TOP}layers: [{{linear: w, repeat: n}}]\n")
    one = FormulaRequest(("w",), CountOptions({"n": "2*t"}))
    found = derive(str(path), one, over=str(path), over_options=CountOptions({"n": "t"}))
    assert found.ratios is not None
    assert str(found.ratios["params"].numerator.value({})) == "2"  # type: ignore[union-attr]
