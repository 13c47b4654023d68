"""What is loaded: nothing of importers for a spec, nothing heavy for a model, and no element of its weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.importers import protobuf as pb
from tests.importers.test_onnx import FLOAT, entering, leaving


def loaded(design: Path) -> set[str]:
    code = (
        "from convcalc.cli import main; import sys;"
        f"main(['report', {str(design)!r}]); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return set(done.stderr.decode().split())


def test_a_spec_loads_no_importer() -> None:
    modules = loaded(ROOT / "specs" / "zoo" / "alexnet.yaml")
    assert "convcalc.report.report" in modules
    assert not [name for name in modules if name.startswith("convcalc.importers")]


def test_a_model_loads_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(pb.model(pb.node("Relu", ("x",), ("y",)), entering("x", 1, 4), leaving("y")))
    modules = loaded(path)
    assert "convcalc.importers.onnx.run" in modules
    assert not modules & {"numpy", "onnx", "sympy", "torch"}


def test_finding_importers_loads_none_of_their_work() -> None:
    text = "import sys; from convcalc.importers.registry import importers; importers(); print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.startswith("convcalc.importers.onnx.")]


@pytest.mark.skipif(sys.platform != "linux", reason="files need not be sparse elsewhere")
def test_weights_of_two_gigabytes_are_counted_without_being_read(tmp_path: Path) -> None:
    rows, columns = 475_000, 1_000
    size = 4 * rows * columns
    tensor = pb.packed(1, rows, columns) + pb.integer(2, FLOAT) + pb.data(8, "w") + pb.tag(9, 2) + pb.varint(size)
    others = pb.node("MatMul", ("x", "w"), ("y",)) + entering("x", 1, rows) + leaving("y")
    head = others + pb.tag(5, 2) + pb.varint(len(tensor) + size) + tensor
    path = tmp_path / "large.onnx"
    opset = pb.data(8, pb.data(1, "") + pb.integer(2, 20))
    path.write_bytes(opset + pb.tag(7, 2) + pb.varint(len(head) + size) + head)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    program = (
        "import resource, sys; from convcalc.designs.sources import open_design;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; design = open_design(sys.argv[1]);"
        "print(sum(node.facts.params for node in design.graph.layers),"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    params, memory = map(int, done.stdout.split())
    assert params == rows * columns
    assert memory < 60_000  # KiB
