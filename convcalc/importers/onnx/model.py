"""The structure of an ONNX file: graphs, nodes and constants, without the elements of large ones.

Elements are read of small constants alone, by which models write shapes. Tensors in other files are never opened.

Source: onnx.proto of ONNX 1.23.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping
from math import prod
from typing import Any, TypeAlias

from convcalc.errors import Source, Span, SpecError
from convcalc.importers.onnx.wire import (
    BYTES,
    VARINT,
    Damaged,
    Field,
    FieldValue,
    Table,
    beginning,
    floats,
    integer,
    integers,
    many,
    message,
    number,
    place,
    read_message,
    text,
)
from convcalc.records import NamedTuple

MAX_NODES = 1_000_000
MAX_RANK = 64
MAX_ELEMENTS = 4096
"""Elements of a constant that are read: shapes, axes and sizes are never longer."""

Scalar: TypeAlias = int | float


class StoredTensor(NamedTuple):
    """A constant: its type and sizes, and its elements in row-major order where they are few."""

    name: str
    data_type: int
    sizes: tuple[int, ...]
    elements: tuple[Scalar, ...] | None
    location: str
    """The file that holds the elements, where it is another one."""


class ValueType(NamedTuple):
    """The type of a tensor: a size is an integer, a name or unknown, and so may the whole shape be."""

    name: str
    data_type: int
    shape: tuple[int | str | None, ...] | None


class OnnxNode(NamedTuple):
    """An operation. An attribute is a number, a text, a tuple of them, a tensor, a graph or a function's parameter."""

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    metadata: Mapping[str, str]


class AttributeParameter(NamedTuple):
    """An attribute that has the value of one of the caller's."""

    name: str


class OnnxGraph(NamedTuple):
    """Operations in order, the constants that they read, what enters and leaves, and types of the values between."""

    name: str
    nodes: tuple[OnnxNode, ...]
    constants: tuple[StoredTensor, ...]
    inputs: tuple[ValueType, ...]
    outputs: tuple[ValueType, ...]
    values: tuple[ValueType, ...]


class ModelFunction(NamedTuple):
    """An operation that the file defines by others; ``defaults`` are attributes that a caller may leave out."""

    name: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[OnnxNode, ...]
    defaults: Mapping[str, Any]
    opsets: Mapping[str, int]


class OnnxFile(NamedTuple):
    """A whole file; ``opsets`` are the versions of operators by their domains, ``""`` for ONNX's own."""

    producer: str
    graph: OnnxGraph
    opsets: Mapping[str, int]
    functions: tuple[ModelFunction, ...]


def read_onnx(path: str) -> OnnxFile:
    """Read the structure of an ONNX file.

    Raises:
        SpecError: CC001 unreadable, CC760 damaged, truncated, beyond a limit, or no ONNX file.
    """
    whole = Span(Source(path))
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise Damaged("it is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read_model(data, size)
    except Damaged as error:
        raise SpecError("CC760", f"is no ONNX model: {error}", whole) from None
    except OSError as error:
        raise SpecError("CC001", f"cannot be read: {error.strerror}", whole) from None


def _read_model(data: mmap.mmap | bytes, size: int) -> OnnxFile:
    fields = read_message(data, 0, size, _MODEL)
    if fields["graph"] is None or not fields["opsets"]:
        raise Damaged("it has no graph, or names no version of its operators; it is truncated, or another kind of file")
    return OnnxFile(fields["producer"], fields["graph"], dict(fields["opsets"]), tuple(fields["functions"]))


# --- tensors ----------------------------------------------------------------------------------------------------------

_CODES = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e", 11: "d", 12: "I", 13: "Q"}
"""How ``struct`` calls the types whose elements are read; the others hold no shapes."""
_EXTERNAL = 1
_ELEMENTS = ("floats", "integers", "longs", "doubles", "unsigned")


def _make_tensor(fields: dict[str, Any]) -> StoredTensor:
    sizes, count = tuple(fields["sizes"]), prod(fields["sizes"])
    if len(sizes) > MAX_RANK or any(size < 0 for size in sizes) or count >= 1 << 63:
        raise Damaged(f"a tensor of {len(sizes)} axes and {count:,} elements")
    if fields["location"] == _EXTERNAL:
        return StoredTensor(
            fields["name"], fields["data_type"], sizes, None, dict(fields["external"]).get("location", "?")
        )
    elements = _read_elements(fields, count) if count <= MAX_ELEMENTS else None
    return StoredTensor(fields["name"], fields["data_type"], sizes, elements, "")


def _read_elements(fields: dict[str, Any], count: int) -> tuple[Scalar, ...] | None:
    """Return the elements of a small tensor; nothing where they are left out, or of a type that holds no shapes."""
    code, raw = _CODES.get(fields["data_type"]), fields["raw"]
    if code is None:
        return None
    if raw is not None:
        return _unpack(raw, code, count)
    found: list[Scalar] = []
    for item in (item for key in _ELEMENTS for item in fields[key]):
        if item.end - item.start > 10 * count and item.wire == BYTES:
            return None
        if item.wire == VARINT or code not in "fd":  # one by one
            found += integers(item)
        else:
            found += _unpack(item, code, (item.end - item.start) // struct.calcsize(code)) or ()
    return tuple(found) if len(found) == count and code != "e" else None


def _unpack(item: FieldValue, code: str, count: int) -> tuple[Scalar, ...] | None:
    fits = item.end - item.start == count * struct.calcsize(code)
    return struct.unpack(f"<{count}{code}", item.data[item.start : item.end]) if fits else None


def _make_sparse(fields: dict[str, Any]) -> StoredTensor:
    values = fields["values"] or StoredTensor("", 0, (), None, "")
    elsewhere = {"location": _EXTERNAL, "external": [("location", "")]}
    return _make_tensor({"name": values.name, "data_type": values.data_type, "sizes": fields["sizes"], **elsewhere})


# --- values, nodes and graphs -----------------------------------------------------------------------------------------


def _make_size(fields: dict[str, Any]) -> int | str | None:
    size: int | None = fields["size"]
    return fields["name"] or (None if size is None or size < 0 else size)


def _make_value(fields: dict[str, Any]) -> ValueType:
    data_type, shape = fields["type"] or (0, None)
    if shape is not None and len(shape) > MAX_RANK:
        raise Damaged(f"a tensor of {len(shape)} axes")
    return ValueType(fields["name"], data_type, shape)


def _make_attribute(fields: dict[str, Any]) -> tuple[str, Any]:
    """Return the name of an attribute and its value: of the type that it states or, in old files, what is set."""
    if fields["parameter"]:
        return fields["name"], AttributeParameter(fields["parameter"])
    key = _ATTRIBUTE_TYPES.get(fields["type"])
    if fields["type"] == 0:
        key = next((key for key in _ATTRIBUTE_TYPES.values() if fields[key] not in (None, [])), "integers")
    value = fields[key] if key else None
    if value is None:
        value = {"number": 0.0, "integer": 0, "text": ""}.get(key or "")
    return fields["name"], tuple(value) if isinstance(value, list) else value


def _make_node(fields: dict[str, Any]) -> OnnxNode:
    return OnnxNode(
        _overloaded(fields, "op"), fields["domain"], fields["name"], tuple(fields["inputs"]), tuple(fields["outputs"]),
        dict(fields["attributes"]), dict(fields["metadata"]),
    )  # fmt: skip


def _overloaded(fields: dict[str, Any], key: str) -> str:
    return f"{fields[key]}:{fields['overload']}" if fields["overload"] else str(fields[key])


def _make_graph(fields: dict[str, Any]) -> OnnxGraph:
    if len(fields["nodes"]) > MAX_NODES:
        raise Damaged(f"more than {MAX_NODES:,} operations")
    constants = (*fields["constants"], *fields["sparse"])
    values = map(tuple, (fields["inputs"], fields["outputs"], fields["values"]))
    return OnnxGraph(fields["name"], tuple(fields["nodes"]), constants, *values)


def _make_function(fields: dict[str, Any]) -> ModelFunction:
    return ModelFunction(
        _overloaded(fields, "name"), fields["domain"], tuple(fields["inputs"]), tuple(fields["outputs"]),
        tuple(fields["nodes"]), dict(fields["defaults"]), dict(fields["opsets"]),
    )  # fmt: skip


def _as_tuple(fields: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(fields.values())


_PAIR = message({1: Field("key", text, ""), 2: Field("value", beginning, "")}, _as_tuple)
_OPSET = message({1: Field("domain", text, ""), 2: Field("version", integer, 0)}, _as_tuple)
_SIZE = message({1: Field("size", integer), 2: Field("name", text, "")}, _make_size)
_SHAPE = message({1: many("sizes", _SIZE)}, lambda fields: tuple(fields["sizes"]))
_TENSOR_TYPE = message({1: Field("data_type", integer, 0), 2: Field("shape", _SHAPE)}, _as_tuple)
_TYPE = message({1: Field("tensor", _TENSOR_TYPE)}, lambda fields: fields["tensor"])
_VALUE = message({1: Field("name", text, ""), 2: Field("type", _TYPE)}, _make_value)
_TENSOR = message({
    1: many("sizes", integers), 2: Field("data_type", integer, 0), 4: many("floats", place), 5: many("integers", place),
    7: many("longs", place), 8: Field("name", text, ""), 9: Field("raw", place), 10: many("doubles", place),
    11: many("unsigned", place), 13: many("external", _PAIR), 14: Field("location", integer, 0),
}, _make_tensor)  # fmt: skip
_SPARSE = message({1: Field("values", _TENSOR), 3: many("sizes", integers)}, _make_sparse)
_ATTRIBUTE_TYPES = {
    1: "number", 2: "integer", 3: "text", 4: "tensor", 5: "graph", 6: "numbers", 7: "integers", 8: "texts", 11: "sparse"
}  # fmt: skip
_ATTRIBUTE_FIELDS: Table = {
    1: Field("name", text, ""), 2: Field("number", number), 3: Field("integer", integer), 4: Field("text", beginning),
    5: Field("tensor", _TENSOR), 7: many("numbers", floats), 8: many("integers", integers), 9: many("texts", beginning),
    20: Field("type", integer, 0), 21: Field("parameter", text, ""), 22: Field("sparse", _SPARSE),
}  # fmt: skip
_ATTRIBUTE = message(_ATTRIBUTE_FIELDS, _make_attribute)
_NODE = message({
    1: many("inputs", text), 2: many("outputs", text), 3: Field("name", text, ""), 4: Field("op", text, ""),
    5: many("attributes", _ATTRIBUTE), 7: Field("domain", text, ""),
    8: Field("overload", text, ""), 9: many("metadata", _PAIR),
}, _make_node)  # fmt: skip
_GRAPH_FIELDS: Table = {
    1: many("nodes", _NODE), 2: Field("name", text, ""), 5: many("constants", _TENSOR), 11: many("inputs", _VALUE),
    12: many("outputs", _VALUE), 13: many("values", _VALUE), 15: many("sparse", _SPARSE),
}  # fmt: skip
_GRAPH = message(_GRAPH_FIELDS, _make_graph)
_ATTRIBUTE_FIELDS[6] = Field("graph", _GRAPH)
_FUNCTION = message({
    1: Field("name", text, ""), 4: many("inputs", text), 5: many("outputs", text), 7: many("nodes", _NODE),
    9: many("opsets", _OPSET), 10: Field("domain", text, ""), 13: Field("overload", text, ""),
    11: many("defaults", _ATTRIBUTE),
}, _make_function)  # fmt: skip
_MODEL: Table = {
    2: Field("producer", beginning, ""), 7: Field("graph", _GRAPH), 8: many("opsets", _OPSET),
    25: many("functions", _FUNCTION),
}  # fmt: skip
