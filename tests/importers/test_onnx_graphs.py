"""Exported networks, layer by layer where there is a truth for it, and the node tests of the onnx package."""

from __future__ import annotations

import contextlib
import json
import random
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from convcalc.importers.onnx.importer import read_model

HERE = Path(__file__).parent
TRUTH: Mapping[str, Any] = json.loads((HERE / "onnx_graphs.json").read_text("utf-8"))


@cache
def files(archive: str) -> Mapping[str, bytes]:
    found = {}
    with tarfile.open(HERE / archive) as content:
        for member in content:
            data = content.extractfile(member)
            assert data is not None
            found[member.name] = data.read()
    return found


NO_INPUTS: Mapping[str, tuple[int, ...]] = {}


def graph_of(data: bytes, folder: Path, inputs: Mapping[str, tuple[int, ...]] = NO_INPUTS) -> Graph:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return read_model(Source(str(path))).graph(None, {}, inputs)


def test_every_graph_has_a_truth() -> None:
    assert {name.removesuffix(".onnx") for name in files("onnx_graphs.tar.xz")} == {*TRUTH}


@pytest.mark.parametrize("name", TRUTH)
def test_params_and_multiplies_of_a_network(name: str, tmp_path: Path) -> None:
    truth = TRUTH[name]
    inputs = {"x": tuple(truth["input"])} if "input" in truth else {}
    graph = graph_of(files("onnx_graphs.tar.xz")[f"{name}.onnx"], tmp_path, inputs)
    own = [node for node in graph.layers if node.weight_owner == node.index]
    assert sum(node.facts.params for node in own) == truth["params"]
    multiplies = [node.facts.multiplies for node in graph.layers if node.facts.multiplies]
    if isinstance(truth["multiplies"], list):
        assert multiplies == truth["multiplies"]
        assert sum(node.facts.buffer_elements for node in own) == truth["buffers"]
    else:
        assert sum(multiplies) == truth["multiplies"]
    assert not graph.uncounted
    assert {warning.code for warning in graph.warnings} <= {"CC816"}


NO_SHAPE = {
    "AffineGrid", "ArrayFeatureExtractor", "Binarizer", "BlackmanWindow", "CausalConvWithState", "Compress", "DFT",
    "Det", "FlexAttention", "HammingWindow", "HannWindow", "ImageDecoder", "LinearAttention", "MelWeightMatrix",
    "NonMaxSuppression", "NonZero", "OptionalGetElement", "OptionalHasElement", "STFT", "TfIdfVectorizer",
    "TreeEnsemble", "Unique", "Adagrad", "Adam", "Momentum", "LabelEncoder",
}  # fmt: skip
"""Operations that are named as not counted, with the shapes that a file states."""
NO_LAYER = ("CC121", "CC761", "CC762", "CC401", "CC403", "CC406", "CC410")
"""Networks of constants alone have no layer, nor have tensors without elements."""


def test_node_tests_have_the_shapes_of_the_arrays_that_come_out(tmp_path: Path) -> None:
    content = files("onnx_node_cases.tar.xz")
    shapes = json.loads(content["shapes.json"])
    compared, refused, unknown, wrong = 0, [], [], []
    for name, outputs in shapes.items():
        path = tmp_path / "model.onnx"
        path.write_bytes(content[f"{name}.onnx"])
        model = read_model(Source(str(path)))
        assert model.structure is not None
        has_no_elements = any(0 in (value.shape or ()) for value in model.structure.graph.inputs)
        if has_no_elements or any(node.op in NO_SHAPE for node in model.structure.graph.nodes):
            continue
        try:
            _, scope = model.walk({}, {})
        except SpecError as error:
            refused.append(error.code)
            continue
        for output, sizes in outputs.items():
            value = scope.find(output)
            if value is not None and value.sizes is not None:
                compared += 1
                if list(value.sizes) != sizes:
                    wrong.append((name, output, value.sizes, sizes))
            elif 0 not in sizes:
                unknown.append(name)
    assert not wrong
    assert unknown == ["test_range_bfloat16_type_positive_delta"]  # whose elements are not read
    assert compared > 1100
    assert len(refused) < 40
    assert {*refused} <= {*NO_LAYER}


SMALL = ("quantised_qdq", "unet_ts17", "squeezenet1_1_ts17", "tied_d18", "reference_alexnet")


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_are_refused_or_read(seed: int, tmp_path: Path) -> None:
    """A few bytes changed, some of them doubled or left out."""
    chance, path = random.Random(seed), tmp_path / "model.onnx"
    graphs, nodes = files("onnx_graphs.tar.xz"), files("onnx_node_cases.tar.xz")
    known = [graphs[f"{name}.onnx"] for name in SMALL]
    known += [nodes[name] for name in chance.sample(sorted(nodes), 40) if name.endswith(".onnx")]
    for _ in range(150):
        data = bytearray(chance.choice(known))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data))
            data[place] = chance.choice((0, 1, 127, 128, 255, data[place] ^ 1, chance.randrange(256)))
        if chance.random() < 0.2:
            start = chance.randrange(len(data))
            data[start:start] = data[start : start + chance.randint(1, 40)]
        path.write_bytes(data)
        with contextlib.suppress(SpecError):
            read_model(Source(str(path))).graph(None, {}, {})
