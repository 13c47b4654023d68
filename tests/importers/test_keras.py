"""Models of Keras against what Keras and torch count of them: networks, random layers, and files of real models.

``tests/reference/keras_models.py`` says how the truth was made; neither Keras nor torch is needed here.
"""

from __future__ import annotations

import json
import lzma
from math import prod
from pathlib import Path
from typing import Any

import pytest

from convcalc.designs.imported import ImportedFile, open_model
from convcalc.designs.sources import open_spec
from convcalc.graph.graph import Graph
from convcalc.importers.keras import IMPORTER
from convcalc.metrics.counts import buffers, macs, params
from convcalc.spec import limits
from tests.conftest import ROOT, Command

REFERENCE = ROOT / "tests" / "reference"
FILES: dict[str, dict[str, int]] = json.loads((REFERENCE / "keras" / "truth.json").read_text("utf-8"))
MODELS: list[dict[str, Any]] = json.loads(lzma.decompress((REFERENCE / "keras_models.json.xz").read_bytes()))["models"]


def read(model: Any, **inputs: str) -> ImportedFile:
    given = {"": inputs.pop("input")} if "input" in inputs else inputs
    return open_model("model.json", IMPORTER, given, json.dumps(model).encode())


def graph(model: Any, **inputs: str) -> Graph:
    return read(model, **inputs).expand().graph


def counts(graph: Graph) -> dict[str, int]:
    """Parameters that are trained, all of them with the state, multiplies."""
    learned = sum(params(graph))
    return {"trainable": learned, "params": learned + sum(buffers(graph)), "multiplies": sum(macs(graph))}


def own_weights(graph: Graph, name: str) -> list[int]:
    """What the layers count that a layer of Keras became: learned, and with the state."""
    second = f"{name}_2.reverse"  # an embedding that is run backwards with a table of its own
    own = [node for node in graph.layers if name in node.path.split(".") or node.path == second]
    own = [node for node in own if node.weight_owner == node.index]
    learned = sum(node.facts.params for node in own)
    return [learned, learned + sum(node.facts.buffer_elements for node in own)]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_keras(name: str) -> None:
    counted = counts(open_spec(str(REFERENCE / "keras" / f"{name}.keras")).expand().graph)
    assert {key: counted[key] for key in FILES[name]} == FILES[name]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_a_model_counts_what_keras_counts(model: dict[str, Any]) -> None:
    text = json.dumps(model["model"])
    given = {"input": "3,224,224"} if "null, null, null" in text else {}
    found = graph(model["model"], **given)
    assert counts(found) == {key: model[key] for key in ("trainable", "params", "multiplies")}
    assert {prod(found.nodes[handle].facts.output) for handle in found.outputs.values()} == set(model["outputs"])
    assert found.warnings == []
    assert found.uncounted == []
    assert {name: own_weights(found, name) for name in model["layers"]} == model["layers"]


def test_every_class_that_is_read_is_among_the_models() -> None:
    from convcalc.importers.keras.kinds.table import LAYERS

    text = json.dumps(MODELS)
    seen = {name for name in LAYERS if f'"class_name": "{name}"' in text}
    assert {"LSTM", "Conv3DTranspose", "EinsumDense", "AdditiveAttention", "ConvLSTM2D", "Dot", "PReLU"} <= seen
    assert len(seen) > 80


# --- layouts and sizes ------------------------------------------------------------------------------------------------


def layer(name: str, kind: str, reads: str = "", **config: Any) -> dict[str, Any]:
    """A layer of a functional model of Keras 2, whose calls are short."""
    nodes = [[[reads, 0, 0, {}]]] if reads else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def model(*layers: dict[str, Any], inputs: tuple[str, ...] = ("x",), outputs: tuple[str, ...] = ()) -> dict[str, Any]:
    ends = outputs or (layers[-1]["name"],)
    config: dict[str, Any] = {"name": "net", "layers": list(layers)}
    config |= {"input_layers": [[name, 0, 0] for name in inputs], "output_layers": [[name, 0, 0] for name in ends]}
    return {"class_name": "Functional", "config": config}


def entering(*shape: int | None, name: str = "x") -> dict[str, Any]:
    return layer(name, "InputLayer", batch_input_shape=[None, *shape])


def test_images_have_their_channels_first_and_sequences_stay() -> None:
    images = graph(model(entering(8, 9, 3), layer("conv", "Conv2D", "x", filters=4, kernel_size=[3, 3])))
    assert [tuple(node.facts.output) for node in images.nodes] == [(3, 8, 9), (4, 6, 7)]
    words = graph(model(entering(8, 9), layer("dense", "Dense", "x", units=4)))
    assert [tuple(node.facts.output) for node in words.nodes] == [(8, 9), (8, 4)]


def test_channels_that_keras_has_first_stay_there() -> None:
    conv = layer("conv", "Conv2D", "x", filters=4, kernel_size=3, data_format="channels_first")
    assert [tuple(node.facts.output) for node in graph(model(entering(3, 8, 9), conv)).nodes] == [(3, 8, 9), (4, 6, 7)]


def test_a_dense_layer_on_an_image_acts_on_the_channels() -> None:
    layers = [layer("conv", "Conv2D", "x", filters=4, kernel_size=1), layer("dense", "Dense", "conv", units=5)]
    found = graph(model(entering(8, 9, 3), *layers, layer("pool", "MaxPooling2D", "dense", pool_size=2)))
    assert [node.path for node in found.layers] == ["conv", "dense.permute", "dense", "pool.permute", "pool"]
    assert tuple(found.nodes[-1].facts.output) == (5, 4, 4)
    assert sum(macs(found)) == 72 * 3 * 4 + 72 * 4 * 5


def test_free_sizes_are_asked_for_with_the_channels_first() -> None:
    free = model(entering(None, None, 3), layer("conv", "Conv2D", "x", filters=4, kernel_size=3))
    with pytest.raises(Exception, match="CC762") as caught:
        graph(free)
    assert "x: [3, ?, ?]" in str(caught.value)
    assert "--input 3,224,224, or --set height=224 --set width=224" in str(caught.value)
    assert sum(macs(graph(free, input="3,10,12"))) == 8 * 10 * 4 * 27
    counted = read(free).expand(overrides={"height": 10, "width": 12}).graph
    assert sum(macs(counted)) == 8 * 10 * 4 * 27


@pytest.mark.parametrize(("shape", "text"), [("10,12,3", "channels first"), ("3,10", "3 axes without the batch")])
def test_sizes_that_do_not_fit(shape: str, text: str) -> None:
    free = model(entering(None, None, 3), layer("conv", "Conv2D", "x", filters=4, kernel_size=3))
    with pytest.raises(Exception, match=text):
        graph(free, input=shape)


@pytest.mark.parametrize(
    ("layers", "entered", "given"),
    [
        ([("Dense", {"units": 4})], (9, 5), "9,6"),
        ([("LSTM", {"units": 4})], (9, 5), "9,6"),
        ([("Flatten", {}), ("Dense", {"units": 4})], (8, 8, 3), "3,9,9"),
        ([("GlobalAveragePooling2D", {}), ("Dense", {"units": 4})], (None, None, 3), "4,9,9"),
        ([("LayerNormalization", {})], (None, 5), "9,6"),
    ],
)
def test_an_input_of_which_the_weights_would_be_others_is_an_error(
    layers: list[tuple[str, dict[str, Any]]], entered: tuple[int | None, ...], given: str
) -> None:
    last, made = "x", []
    for kind, settings in layers:
        made.append(layer(kind.lower(), kind, last, **settings))
        last = kind.lower()
    with pytest.raises(Exception, match="CC762"):
        graph(model(entering(*entered), *made), input=given)


def test_an_input_of_another_length_keeps_the_weights() -> None:
    dense = model(entering(9, 5), layer("dense", "Dense", "x", units=4))
    assert sum(macs(graph(dense, input="12,5"))) == 12 * 5 * 4
    assert not graph(model(entering(5), layer("act", "ReLU", "x")), input="6").warnings


def test_a_model_without_any_shape_takes_that_of_the_option() -> None:
    unbuilt = {"class_name": "Sequential", "config": {"name": "s", "layers": [layer("dense", "Dense", units=4)]}}
    with pytest.raises(Exception, match="CC762"):
        graph(unbuilt)
    assert sum(params(graph(unbuilt, input="7"))) == 7 * 4 + 4


def test_sizes_that_are_symbols_give_formulas(cli: Command, tmp_path: Path) -> None:
    free = model(entering(None, 5), layer("dense", "Dense", "x", units=4))
    (tmp_path / "net.json").write_text(json.dumps(free), "utf-8")
    result = cli("formula", tmp_path / "net.json", "--symbols", "length")
    assert "20·length" in result.stdout.replace("*", "·"), result
    convolution = layer("c", "Conv2D", "x", filters=4, kernel_size=[3, 3], padding="same")
    (tmp_path / "net.json").write_text(json.dumps(model(entering(None, None, 3), convolution)), "utf-8")
    result = cli("formula", tmp_path / "net.json", "--symbols", "h,w,c")
    assert "36·h·w·c" in result.stdout, result
    assert "Assumed: c = 3." in result.stdout
    unknown = cli("formula", tmp_path / "net.json", "--symbols", "h")
    assert (unknown.exit_code, "CC762" in unknown.stderr) == (2, True)


# --- what is shared ---------------------------------------------------------------------------------------------------


def test_an_object_that_stands_twice_in_a_file_is_one_layer() -> None:
    twice = [
        {**layer(name, "TimeDistributed", reads), "config": {"name": name, "layer": {**inner, "shared_object_id": 7}}}
        for name, reads in (("a", "x"), ("b", "a"))
        for inner in [layer("dense", "Dense", units=5)]
    ]
    found = graph(model(entering(3, 5), *twice))
    assert (sum(params(found)), sum(macs(found))) == (5 * 5 + 5, 2 * 3 * 25)


def test_shared_statistics_are_kept_once() -> None:
    norm = layer("norm", "BatchNormalization", "x")
    norm["inbound_nodes"] += [[["norm", 0, 0, {}]]]
    found = graph(model(entering(6), norm))
    assert (sum(params(found)), sum(buffers(found)), len(list(found.layers))) == (12, 12, 2)


def test_a_model_that_is_called_twice_is_two_scopes() -> None:
    inner = {
        "class_name": "Sequential",
        "config": {"name": "inner", "layers": [entering(6), layer("d", "Dense", units=6)]},
    }
    calls = {**inner, "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]], [["inner", 1, 0, {}]]]}
    last = {**layer("last", "ReLU"), "inbound_nodes": [[["inner", 2, 0, {}]]]}  # its own inputs are call 0
    found = graph(model(entering(6), calls, last))
    assert [node.path for node in found.layers][:2] == ["inner.d", "inner_2.d"]
    assert sum(params(found)) == 42


@pytest.mark.parametrize("merge", ["concat", "sum", None])
def test_both_directions_have_weights_of_their_own(merge: str | None) -> None:
    forward = layer(
        "forward", "SimpleRNN", units=4, use_bias=False
    )  # Keras 2 writes the other one only where it differs
    both = layer("both", "Bidirectional", "x", layer=forward, merge_mode=merge)
    twice = {**both, "inbound_nodes": both["inbound_nodes"] * 2}
    assert sum(params(graph(model(entering(6, 3), twice)))) == 2 * (3 * 4 + 4 * 4)


# --- what is not read -------------------------------------------------------------------------------------------------


def custom(name: str, reads: str, shape: list[int | None], **more: Any) -> dict[str, Any]:
    given = layer(name, "Fancy", reads) | {"module": "fancy_package.layers", "registered_name": "fancy>Fancy"}
    return {**given, "build_config": {"input_shape": shape}, **more}


def tensor(name: str, shape: list[int | None]) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"shape": shape, "keras_history": [name, 0, 0]}}


def reading(one: dict[str, Any], name: str, shape: list[int | None]) -> dict[str, Any]:
    return {**one, "module": "keras.layers", "inbound_nodes": [{"args": [tensor(name, shape)], "kwargs": {}}]}


def test_a_layer_of_another_package_has_the_shape_that_its_reader_states() -> None:
    dense = reading(layer("dense", "Dense", units=2), "fancy", [None, 7, 5])
    found = graph(model(entering(9, 3), custom("fancy", "x", [None, 9, 3]), dense))
    assert [tuple(node.facts.output) for node in found.layers] == [(7, 5), (7, 2)]
    assert [str(warning).partition(": ")[2][:60] for warning in found.warnings] == [
        "fancy: warning CC808: the cost and the weights of the operat"
    ]
    assert [node.path for node in found.uncounted] == ["fancy"]


def test_a_shape_that_only_code_could_tell_is_an_error() -> None:
    with pytest.raises(Exception, match="CC767"):
        graph(model(entering(9, 3), custom("fancy", "x", [None, 9, 3])))
    dense = reading(layer("dense", "Dense", units=2), "fancy", [None, 7, 5])
    with pytest.raises(Exception, match="CC767"):  # it was seven for nine, and now eight enter
        graph(model(entering(9, 3), custom("fancy", "x", [None, 9, 3]), dense), input="8,3")


@pytest.mark.parametrize("name", ["Transpose", "Dense", "Conv2D", "Add"])
def test_names_of_other_modules_mean_nothing(name: str) -> None:
    odd = {**custom("odd", "x", [None, 9, 3]), "class_name": name, "registered_name": name}
    dense = reading(layer("dense", "Dense", units=2), "odd", [None, 9, 3])
    assert [node.path for node in graph(model(entering(9, 3), odd, dense)).uncounted] == ["odd"]


def test_a_shape_that_keras_wrote_down_and_that_differs_is_a_warning() -> None:
    dense = {**layer("dense", "Dense", "x", units=2), "build_config": {"input_shape": [None, 4]}}
    (warning,) = graph(model(entering(5), dense)).warnings
    assert "CC805: Keras built the layer for [4], and here [5] enters" in str(warning)


REFUSED = {
    "LoRA": (layer("d", "Dense", "x", units=2, lora_rank=4), "CC761"),
    "no units": (layer("d", "Dense", "x"), "CC766"),
    "units in words": (layer("d", "Dense", "x", units="many"), "CC766"),
    "the batch": (layer("d", "BatchNormalization", "x", axis=0), "CC761"),
    "no such axis": (layer("d", "BatchNormalization", "x", axis=7), "CC766"),
    "too few axes": (layer("d", "Conv2D", "x", filters=2, kernel_size=1), "CC401"),
    "a ring": (layer("d", "ReLU", "d"), "CC760"),
    "nothing there": (layer("d", "ReLU", "nobody"), "CC760"),
    "an unknown cell": (layer("d", "RNN", "x", cell={"class_name": "MyCell", "config": {}}), "CC761"),
    "a scalar product": (layer("d", "Dot", "x", axes=1), "CC766"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_layer(case: str) -> None:
    refused, code = REFUSED[case]
    with pytest.raises(Exception, match=code) as caught:
        graph(model(entering(9, 3), refused))
    assert code == "CC760" or "model.json: d: error" in str(caught.value)


def test_an_attention_of_one_tensor_is_refused() -> None:
    given = {"class_name": "__keras_tensor__", "config": {"shape": [None, 9, 3], "keras_history": ["x", 0, 0]}}
    call = {"args": [given], "kwargs": {}}
    function = {**layer("d", "DotProductAttention"), "module": "keras.src.ops.nn", "inbound_nodes": [call]}
    with pytest.raises(Exception, match="CC766: an attention reads a query, a key and a value"):
        graph(model(entering(9, 3), function))


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(Exception, match="CC761: the file has no layers"):
        read({"class_name": "MyModel", "module": "mine", "config": {"units": 3}})


def test_models_that_call_models_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LAYERS", 1000)
    inner = layer("relu", "ReLU")
    for depth in range(4):
        calls = [[["x", 0, 0, {}]] for _ in range(12)]
        name = f"m{depth}"
        body = model(entering(4), {**inner, "inbound_nodes": calls}, outputs=(inner["name"],))
        inner = {**body, "name": name, "config": {**body["config"], "name": name}}
    with pytest.raises(Exception, match="CC503"):
        graph(model(entering(4), {**inner, "inbound_nodes": [[["x", 0, 0, {}]]]}, outputs=(inner["name"],)))


# --- the command line -------------------------------------------------------------------------------------------------


def test_commands_take_files_of_keras(cli: Command) -> None:
    nested, mobile = (str(REFERENCE / "keras" / f"{name}.keras") for name in ("shared_nested", "MobileNetV2"))
    report = cli("report", nested, "--depth", "1")
    assert (report.exit_code, report.stderr) == (0, "")
    assert "inner" in report.stdout
    assert "dense_2" in report.stdout
    assert json.loads(cli("report", mobile, "-f", "json").stdout)["totals"]["params"] == 3504872
    assert cli("compare", nested, mobile).exit_code == 0
    assert cli("batch", nested, mobile).exit_code == 0
    assert "300,774,272" in cli("report", mobile, "--input", "3,224,224").stdout


def test_a_model_and_a_spec_of_json_are_told_apart(cli: Command, tmp_path: Path) -> None:
    for name, indent in (("compact", None), ("wide", 4)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(MODELS[0]["model"], indent=indent), "utf-8")
        assert "ConvNeXt" in json.dumps(MODELS[0]["name"])
        assert cli("report", path, "--depth", "1").exit_code == 0
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"input": [3, 8, 8], "layers": [{"conv": [4, 3]}]}, indent=2), "utf-8")
    assert "3,888" in cli("report", spec).stdout
