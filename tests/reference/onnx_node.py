"""A node of ONNX with its arrays, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from onnx.helper import get_attribute_value
from to_spec import item, yaml

NAMES = "xyzuvw"
Shape = list[int]


class UnsaidError(Exception):
    """Why the language cannot say a node."""


@dataclass
class Said:
    """A row: shapes in, the items, shapes out, numbers among the weights."""

    inputs: list[Shape]
    spec: str
    outputs: list[Shape]
    params: int = 0


@dataclass
class Node:
    """A node with its arrays; an input that is left out is None."""

    attributes: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]
    names: list[str]

    @classmethod
    def of(cls, node: Any, entering: Sequence[Any], leaving: Sequence[Any]) -> Node:
        arrays = iter(entering)
        inputs = [next(arrays) if name else None for name in node.input]
        attributes = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
        return cls(attributes, inputs, list(leaving), [name for name in node.output if name])

    def get(self, name: str, default: Any = None) -> Any:
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def input(self, place: int) -> Any:
        return self.inputs[place] if place < len(self.inputs) else None

    def shape(self, place: int = 0) -> Shape:
        return shape_of(self.inputs[place])

    def numbers(self, place: int) -> list[int] | None:
        given = self.input(place)
        return None if given is None else [int(number) for number in numpy.ravel(given)]


def shape_of(array: Any) -> Shape:
    if not hasattr(array, "shape"):
        raise UnsaidError("a sequence or an optional value is not a tensor")
    if not array.shape:
        raise UnsaidError("a tensor without axes")
    if 0 in array.shape:
        raise UnsaidError("an axis of nothing")
    return list(array.shape)


def count(*arrays: Any) -> int:
    return sum(array.size for array in arrays if array is not None)


def whole(node: Node, spec: str, *places: int) -> Said:
    """A node that has no batch: shapes as they are."""
    return Said([node.shape(place) for place in places or (0,)], spec, [shape_of(node.outputs[0])])


def sample(node: Node, spec: str, params: int = 0) -> Said:
    """A node with a batch, of which the language sees one sample."""
    entering, leaving = node.shape(), shape_of(node.outputs[0])
    if len(entering) < 2:
        raise UnsaidError("nothing but a batch")
    assert entering[0] == leaving[0]
    return Said([entering[1:]], spec, [leaving[1:]], params)


def branch(place: int, aim: Shape, shape: Shape) -> str:
    read = f"{{from: {NAMES[place]}}}" if place else "identity"
    return read if aim == shape else yaml([read, item("reshape", shape=aim)])
