"""What the child process tells of a model: its parameters, inputs and operations, as values that JSON can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from convcalc.records import NamedTuple, dataclass, field

Shape = tuple[int, ...]
"""Of a tensor of PyTorch, the batch axis included."""


class TensorReference(NamedTuple):
    """A tensor that an operation reads: what a parameter, an input or a node is called, and which of its outputs."""

    name: str
    output: int = 0


@dataclass(frozen=True, slots=True)
class TorchParam:
    """A parameter, or a tensor that is not learned. Names of one tensor have the same ``key``."""

    name: str
    key: str
    shape: Shape
    learned: bool


@dataclass(frozen=True, slots=True)
class TracedNode:
    """One operation of a traced model."""

    name: str
    op: str
    """Its ATen name without the overload and the ``_`` of work in place: ``conv2d``; that of another library has its
    namespace: ``torchvision.nms``."""
    arguments: Mapping[str, Any]
    """By the names of its schema; tensors are references."""
    outputs: tuple[Shape | None, ...]
    """The shapes of its outputs; none of what is no tensor."""
    path: str = ""
    """The module that it runs in."""
    leaf: bool = False
    """Whether this module has no children, so that the operation is the module."""
    in_place: bool = False
    """Whether it changes the first tensor that it reads."""
    bodies: tuple[Body, ...] = ()
    """The branches of which one is run."""

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    @property
    def shape(self) -> Shape:
        """The shape of its first output."""
        return self.outputs[0] or ()

    def each_output(self, value: Callable[[int, Shape], Any]) -> Any:
        """Return the value of the only output, or the list of those of all, each from its place and its shape."""
        made = [None if shape is None else value(place, shape) for place, shape in enumerate(self.outputs)]
        return made if len(made) > 1 else made[0] if made else None

    @property
    def label(self) -> str:
        """What errors call it: its module, and in one of several operations its own name."""
        return self.path if self.leaf and self.path else f"{self.path}.{self.op}".lstrip(".")

    @property
    def references(self) -> Iterable[TensorReference]:
        """All tensors that it reads, also in its bodies."""
        yield from references_in(self.arguments.values())
        for body in self.bodies:
            for node in body.nodes:
                yield from node.references
            yield from references_in(body.results)


class Body(NamedTuple):
    """Operations inside one."""

    nodes: tuple[TracedNode, ...]
    results: tuple[Any, ...]
    """References to what they give."""


@dataclass(slots=True)
class Recording:
    """A traced model."""

    name: str = ""
    notes: list[str] = field(default_factory=list)
    parameters: list[TorchParam] = field(default_factory=list)
    inputs: dict[str, Shape] = field(default_factory=dict)
    nodes: list[TracedNode] = field(default_factory=list)
    outputs: list[TensorReference] = field(default_factory=list)
    scopes: dict[str, str] = field(default_factory=dict)
    """The class of every module, by its path."""

    def add(self, line: Mapping[str, Any]) -> None:
        """Add one line of the child process."""
        match line["is"]:
            case "model":
                self.name = str(line["name"])
            case "scope":
                self.scopes[str(line["path"])] = str(line["class"])
            case "note":
                self.notes.append(str(line["text"]))
            case "parameter":
                key, learned = str(line["key"]), bool(line["learned"])
                self.parameters.append(TorchParam(str(line["name"]), key, _shape(line["shape"]), learned))
            case "input":
                self.inputs[str(line["name"])] = _shape(line["shape"])
            case "node":
                self.nodes.append(_node(line))
            case "output":
                self.outputs.append(decoded(line["tensor"]))


def _node(line: Mapping[str, Any]) -> TracedNode:
    shapes = tuple(None if shape is None else _shape(shape) for shape in line["outputs"])
    arguments = {name: decoded(value) for name, value in line["arguments"].items()}
    path, leaf, op = str(line.get("path", "")), bool(line.get("leaf")), str(line["op"])
    in_place = op.endswith("_") and not op.endswith("__")
    op = op.removesuffix("_") if in_place else op
    bodies = tuple(
        Body(tuple(map(_node, body["lines"])), tuple(map(decoded, body["results"]))) for body in line.get("bodies", ())
    )
    return TracedNode(str(line["name"]), op, arguments, shapes, path, leaf, in_place, bodies)


def _shape(sizes: Sequence[Any]) -> Shape:
    return tuple(int(size) for size in sizes)


def decoded(value: Any) -> Any:
    """Return an argument with references in place of ``{"tensor": …}``."""
    if isinstance(value, dict):
        return TensorReference(str(value["tensor"]), int(value.get("output", 0)))
    return [decoded(each) for each in value] if isinstance(value, list) else value


def references_in(values: Iterable[Any]) -> Iterable[TensorReference]:
    """Give the references among values and in their lists."""
    for value in values:
        if isinstance(value, TensorReference):
            yield value
        elif isinstance(value, list):
            yield from references_in(value)
