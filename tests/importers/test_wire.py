"""The wire format: the encoding guide's own examples, every truncation, every kind of damage, and files of any size."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from convcalc.errors import SpecError
from convcalc.importers.onnx.model import MAX_ELEMENTS, AttributeParameter, StoredTensor, ValueType, read_onnx
from convcalc.importers.onnx.wire import (
    MAX_NESTING,
    Damaged,
    Field,
    floats,
    integer,
    integers,
    many,
    read_message,
    text,
)
from tests.importers import protobuf as pb

FLOAT, INT32, INT64, BFLOAT16 = 1, 6, 7, 16


def read(data: bytes, **kinds: Field) -> dict[str, object]:
    return read_message(data, 0, len(data), {int(key[1:]): field for key, field in kinds.items()})


# --- the guide's examples, in its own bytes ---------------------------------------------------------------------------


def test_a_varint_of_the_guide() -> None:
    assert read(bytes.fromhex("089601"), f1=Field("a", integer)) == {"a": 150}


def test_a_string_of_the_guide() -> None:
    assert read(bytes.fromhex("120774657374696e67"), f2=Field("b", text)) == {"b": "testing"}


def test_packed_integers_of_the_guide() -> None:
    assert read(bytes.fromhex("3206038e029ea705"), f6=many("e", integers)) == {"e": [3, 270, 86942]}


def test_a_negative_number_has_ten_bytes() -> None:
    assert read(bytes.fromhex("08feffffffffffffffff01"), f1=Field("a", integer)) == {"a": -2}


def test_repeated_fields_are_gathered_and_others_replaced() -> None:
    data = pb.integer(1, 1) + pb.integer(2, 7) + pb.packed(1, 2, 3) + pb.integer(2, 8)
    assert read(data, f1=many("list", integers), f2=Field("last", integer)) == {"list": [1, 2, 3], "last": 8}


def test_floats_one_by_one_and_packed() -> None:
    data = pb.single(7, 0.5) + pb.data(7, struct.pack("<2f", 1.5, -2.0))
    assert read(data, f7=many("numbers", floats)) == {"numbers": [0.5, 1.5, -2.0]}


def test_what_no_table_names_is_passed_over() -> None:
    data = pb.data(9, b"\xff" * 1000) + pb.single(10, 1.0) + pb.tag(11, 1) + b"\0" * 8 + pb.integer(1, 5)
    assert read(data, f1=Field("a", integer)) == {"a": 5}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pb.tag(1, 3) + pb.tag(1, 4), "wire type 3"),
        (pb.tag(1, 6), "wire type 6"),
        (b"\x08" + b"\xff" * 11, "more than 10 bytes"),
        (b"\x08\x96", "truncated"),
        (pb.tag(2, 2) + pb.varint(1 << 62), "truncated"),
        (pb.tag(3, 5) + b"\0\0", "truncated"),
        (pb.data(1, b"abc"), "no integer"),
        (pb.integer(2, 3), "no text"),
        (pb.data(2, b"a" * 70_000), "a name of 70,000 bytes"),
        (pb.data(7, b"abc"), "no numbers"),
    ],
)
def test_damage_is_named_with_its_byte(data: bytes, words: str) -> None:
    with pytest.raises(Damaged, match=words):
        read(data, f1=Field("a", integer), f2=Field("b", text), f7=many("c", floats))


# --- ONNX models ------------------------------------------------------------------------------------------------------


def write(folder: Path, data: bytes) -> str:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return str(path)


SMALL = pb.model(
    pb.data(2, "g"),
    pb.data(11, pb.value("x", FLOAT, "N", 3, 8, 8)),
    pb.data(12, pb.value("y", FLOAT)),
    pb.data(5, pb.tensor("w", (4, 3, 3, 3), FLOAT, pb.data(9, b"\0" * 432))),
    pb.data(5, pb.tensor("shape", (2,), INT64, pb.packed(7, -1, 4))),
    pb.data(5, pb.tensor("axes", (2,), INT32, pb.integer(5, 2), pb.integer(5, 3))),
    pb.node("Conv", ("x", "w"), ("y",), pb.data(1, "strides") + pb.packed(8, 2, 2) + pb.integer(20, 7), name="c"),
)


def test_the_parts_of_a_model(tmp_path: Path) -> None:
    model = read_onnx(write(tmp_path, SMALL))
    assert (model.opsets, model.graph.name) == ({"": 20}, "g")
    assert model.graph.inputs == (ValueType("x", FLOAT, ("N", 3, 8, 8)),)
    weight, shape, axes = model.graph.constants
    assert (weight.sizes, len(weight.elements or ())) == ((4, 3, 3, 3), 108)
    assert shape == StoredTensor("shape", INT64, (2,), (-1, 4), "")
    assert axes.elements == (2, 3)
    (node,) = model.graph.nodes
    assert (node.op, node.inputs, node.outputs, node.attributes) == ("Conv", ("x", "w"), ("y",), {"strides": (2, 2)})


@pytest.mark.parametrize("cut", range(len(SMALL)))
def test_every_prefix_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(SpecError, match="CC760"):
        read_onnx(write(tmp_path, SMALL[:cut]))


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    drawn = random.Random(7)
    refused = 0
    for _ in range(3000):
        data = bytearray(SMALL)
        for _ in range(drawn.randint(1, 10)):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        try:
            read_onnx(write(tmp_path, bytes(data)))
        except SpecError:
            refused += 1
    assert 0 < refused < 3000


def test_an_attribute_without_a_type_is_of_the_field_that_is_set(tmp_path: Path) -> None:
    attributes = [
        pb.data(1, "i") + pb.integer(3, 0),
        pb.data(1, "f") + pb.single(2, 0.25),
        pb.data(1, "s") + pb.data(4, "SAME_UPPER"),
        pb.data(1, "ints") + pb.packed(8, 1, 2),
        pb.data(1, "none") + pb.integer(20, 7),
        pb.data(1, "p") + pb.data(21, "alpha") + pb.integer(20, 1),
    ]
    (node,) = read_onnx(write(tmp_path, pb.model(pb.node("Op", (), ("y",), *attributes)))).graph.nodes
    assert node.attributes == {
        "i": 0, "f": 0.25, "s": "SAME_UPPER", "ints": (1, 2), "none": (), "p": AttributeParameter("alpha")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "elements"),
    [
        ((pb.data(9, struct.pack("<3f", 1, 2, 3)),), (1.0, 2.0, 3.0)),
        ((pb.data(4, struct.pack("<3f", 1, 2, 3)),), (1.0, 2.0, 3.0)),
        ((pb.single(4, 1), pb.single(4, 2), pb.single(4, 3)), (1.0, 2.0, 3.0)),
        ((pb.data(9, b"\0" * 5),), None),
        ((), None),
        ((pb.data(4, struct.pack("<4f", 1, 2, 3, 4)),), None),
    ],
)
def test_elements_of_a_small_constant(
    tmp_path: Path, fields: tuple[bytes, ...], elements: tuple[float, ...] | None
) -> None:
    data = pb.model(pb.data(5, pb.tensor("t", (3,), FLOAT, *fields)))
    assert read_onnx(write(tmp_path, data)).graph.constants[0].elements == elements


def test_types_without_shapes_are_not_read(tmp_path: Path) -> None:
    data = pb.model(pb.data(5, pb.tensor("t", (2,), BFLOAT16, pb.data(9, b"\0" * 4))))
    assert read_onnx(write(tmp_path, data)).graph.constants[0].elements is None


def test_other_files_are_named_and_never_opened(tmp_path: Path) -> None:
    place = pb.data(13, pb.data(1, "location") + pb.data(2, "../../../etc/passwd"))
    data = pb.model(pb.data(5, pb.tensor("t", (2,), INT64, place, pb.integer(14, 1))))
    assert read_onnx(write(tmp_path, data)).graph.constants[0] == StoredTensor(
        "t", INT64, (2,), None, "../../../etc/passwd"
    )


@pytest.mark.parametrize("sizes", [(-1, 2), (1 << 32, 1 << 32), (1,) * 65])
def test_impossible_sizes(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match="CC760"):
        read_onnx(write(tmp_path, pb.model(pb.data(5, pb.tensor("t", sizes, INT64)))))


def test_graphs_nested_without_end(tmp_path: Path) -> None:
    graph = b""
    for _ in range(MAX_NESTING):
        graph = pb.node("If", (), ("y",), pb.data(1, "then_branch") + pb.data(6, graph) + pb.integer(20, 5))
    with pytest.raises(SpecError, match="nested"):
        read_onnx(write(tmp_path, pb.model(graph)))


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"not a model at all", b"PK\x03\x04" + b"\0" * 40, b"\x80\x04\x95" + b"\0" * 40]
)
def test_other_kinds_of_files(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SpecError, match="is no ONNX model"):
        read_onnx(write(tmp_path, data))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="CC001"):
        read_onnx(str(tmp_path / "nothing.onnx"))


MEMORY = """
import resource, sys
from convcalc.importers.onnx.model import read_onnx
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert read_onnx(sys.argv[1]).graph.constants[0].sizes == (500_000_000,)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="ru_maxrss is in other units elsewhere, and files need not be sparse"
)
def test_two_gigabytes_of_weights_are_not_touched(tmp_path: Path) -> None:
    size = 500_000_000
    assert size > MAX_ELEMENTS
    head = pb.packed(1, size) + pb.integer(2, FLOAT) + pb.data(8, "w") + pb.tag(9, 2) + pb.varint(4 * size)
    graph = pb.tag(5, 2) + pb.varint(len(head) + 4 * size) + head
    path = tmp_path / "large.onnx"
    opset = pb.data(8, pb.data(1, "") + pb.integer(2, 20))
    path.write_bytes(opset + pb.tag(7, 2) + pb.varint(len(graph) + 4 * size) + graph)
    os.truncate(path, path.stat().st_size + 4 * size)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000  # KiB
