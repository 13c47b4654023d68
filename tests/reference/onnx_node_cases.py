"""The node tests of the ``onnx`` package as models of one node: how ``onnx_node_cases.tar.xz`` was made.

To be run where onnx 1.23.2 is installed; the tests need it not::

    python tests/reference/onnx_node_cases.py -o tests/importers/onnx_node_cases.tar.xz

Every test of tensors is there, but for functions written out in many nodes. What says shapes, axes and
sizes becomes constants, as exporters write it; shapes of outputs are left out. ``shapes.json`` has the shapes of the
arrays that come out, by test and output.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

SCALES_AND_BOUNDS = {"Resize": 1, "Upsample": 1, "Range": 0, "Clip": 1, "OneHot": 1}
"""Operations whose inputs from a place on are numbers, and not tensors of the network."""
NUMBERS_ALONE = ("ConstantOfShape", "If", "Loop")


def is_constant(node: Any, name: str, array: Any) -> bool:
    """Whether an input of a test is a constant: a list of integers, or one of scales and bounds."""
    place = list(node.input).index(name) if name in node.input else 1
    if node.op_type in SCALES_AND_BOUNDS:
        return place >= SCALES_AND_BOUNDS[node.op_type]
    return array.dtype.kind in "iub" and array.ndim <= 1 and (place > 0 or node.op_type in NUMBERS_ALONE)


def model_of(case: Any, arrays: list[Any]) -> Any:
    """The model of a test, with its constants, and without shapes of what comes out."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph, node = model.graph, case.model.graph.node[0]
    del graph.input[:]
    for entering, array in zip(case.model.graph.input, arrays, strict=True):
        if is_constant(node, entering.name, array):
            graph.initializer.append(numpy_helper.from_array(array, entering.name))
        else:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            graph.input.append(helper.make_tensor_value_info(entering.name, kind, list(array.shape)))
    del graph.value_info[:]
    for leaving in graph.output:
        leaving.type.tensor_type.ClearField("shape")
    return model


def cases() -> Iterator[tuple[str, Any, dict[str, list[int]]]]:
    for case in collect_testcases(None):
        entering, leaving = case.data_sets[0] if case.data_sets else ((), ())
        if (
            "expanded" in case.name
            or not case.model.graph.node
            or not all(isinstance(each, np.ndarray | np.generic) for each in leaving)
        ):
            continue
        if not all(isinstance(each, np.ndarray | np.generic) and each.dtype != object for each in entering):
            continue
        outputs = [value.name for value in case.model.graph.output]
        shapes = {name: list(array.shape) for name, array in zip(outputs, leaving, strict=True)}
        yield case.name, model_of(case, list(map(np.asarray, entering))), shapes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    warnings.simplefilter("ignore")
    found = list(cases())
    files = {f"{name}.onnx": model.SerializeToString() for name, model, _ in found}
    files["shapes.json"] = json.dumps({name: shapes for name, _, shapes in found}).encode()
    with tarfile.open(parser.parse_args().output, "w:xz", preset=9) as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            archive.addfile(info, io.BytesIO(files[name]))
    sys.stdout.write(f"{len(found)} tests\n")


if __name__ == "__main__":
    main()
