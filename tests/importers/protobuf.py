"""A writer of protobuf's wire format, as small as its encoding guide, to make files that no exporter would."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as 64 bits."""
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        byte, value = value & 127, value >> 7
        out.append(byte | (128 if value else 0))
        if not value:
            return bytes(out)


def tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def integer(number: int, value: int) -> bytes:
    return tag(number, 0) + varint(value)


def data(number: int, value: bytes | str) -> bytes:
    """A text, a message or packed numbers."""
    value = value.encode() if isinstance(value, str) else value
    return tag(number, 2) + varint(len(value)) + value


def packed(number: int, *values: int) -> bytes:
    return data(number, b"".join(map(varint, values)))


def single(number: int, value: float) -> bytes:
    return tag(number, 5) + struct.pack("<f", value)


# --- messages of onnx.proto -------------------------------------------------------------------------------------------


def node(op: str, inputs: tuple[str, ...], outputs: tuple[str, ...], *attributes: bytes, name: str = "") -> bytes:
    texts = [*(data(1, text) for text in inputs), *(data(2, text) for text in outputs), data(4, op), data(3, name)]
    return data(1, b"".join([*texts, *(data(5, attribute) for attribute in attributes)]))


def tensor(name: str, sizes: tuple[int, ...], data_type: int, *fields: bytes) -> bytes:
    return b"".join([packed(1, *sizes), integer(2, data_type), data(8, name), *fields])


def value(name: str, data_type: int, *sizes: int | str) -> bytes:
    dims = b"".join(data(1, integer(1, size) if isinstance(size, int) else data(2, size)) for size in sizes)
    return data(1, name) + data(2, data(1, integer(1, data_type) + data(2, dims)))


def model(*graph_fields: bytes, opset: int = 20) -> bytes:
    return integer(1, 10) + data(8, data(1, "") + integer(2, opset)) + data(7, b"".join(graph_fields))
