"""Items of a spec that is to be written: layers with the arguments that they were given, joins, lists and calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import Any, TypeAlias

from convcalc.graph.graph import Node
from convcalc.ops.kinds._window import effective_kernel_size
from convcalc.ops.op import Op, arguments_of
from convcalc.records import dataclass, field
from convcalc.shapes import Shape

Value: TypeAlias = Any
"""An int, a fraction, a boolean, a word or an expression, or a tuple of them."""
WITH_HALF_PADDING = ("conv", "dwconv")
COMMUTATIVE = ("add", "mul")
"""Joins whose branches may have another order."""
ENTRY = -1
"""In a block, the node that enters it."""


class ExpressionText(str):
    """A text that depends on variables."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class SpecItem:
    """A layer with what is fused to it, a join, or a list.

    ``nodes`` are the layers of the graph that the item itself is: a layer, its norm, its activation. The arguments of
    the last two are among ``args`` as ``norm.type``, ``act.slopes`` and so on.
    """

    kind: str
    args: dict[str, Value] = field(default_factory=dict)
    nodes: tuple[int, ...] = ()
    branches: list[list[SpecItem]] | None = None
    path: str = ""
    reads: int | None = None
    """The node that it reads."""
    ends: tuple[int, ...] = ()
    """The nodes that the branches of a join give."""
    source: int | None = None
    """The node that `from` names, where the item reads another than the one before it."""
    references: dict[str, int] = field(default_factory=dict)
    """The nodes that arguments name."""
    tie: int | None = None
    """The node whose weights it uses."""
    name: str = ""
    modifiers: dict[str, Value] = field(default_factory=dict)
    """``when``, ``repeat`` and the like."""
    span: tuple[int, int] = (0, 0)
    """Its layers, and those below it, in the order of the spec: a half-open range."""
    places: list[str] = field(default_factory=list)
    """Of a repeat, the path of each turn's first layer."""
    owner: int = 0
    """Of a repeat, what identifies its columns among the values of its items."""
    columns: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    """Of a repeat, the values of its variables."""
    present: tuple[bool, ...] | None = None
    """Of an item of several members that are one, which of them have it; none where all do."""

    @property
    def output(self) -> int | None:
        """The node that it gives."""
        return self.nodes[-1] if self.nodes else self.source

    def copy(self) -> SpecItem:
        """Return the item for changes of its own arguments and modifiers."""
        made = copy(self)
        made.args, made.modifiers = dict(self.args), dict(self.modifiers)
        return made


def every(items: Iterable[SpecItem]) -> Iterator[SpecItem]:
    """Yield items and all below them, in the order in which a spec makes their layers."""
    for item in items:
        for branch in item.branches or ():
            yield from every(branch)
        yield item


def copied(items: Sequence[SpecItem]) -> list[SpecItem]:
    """Return copies of items, and of all below them."""
    made = [item.copy() for item in items]
    for item in made:
        if item.branches is not None:
            item.branches = [copied(branch) for branch in item.branches]
    return made


def arguments(node: Node) -> dict[str, Value]:
    """Return the arguments of a layer that differ from their defaults, in one form whoever made it."""
    op = node.op
    assert op is not None
    found: dict[str, Value] = {}
    for name, declared in op.__dataclass_fields__.items():
        argument = declared.metadata["argument"]
        value = getattr(op, name)
        if value is None:
            continue
        default = argument.default
        if default is not None:
            default = argument.type.bind(default, len(value) if isinstance(value, tuple) else 0)
        if argument.required or value != default or argument.key == "padding":
            found[argument.key] = _plain(op, argument.key, value, node.input_shapes)
    if op.kind in {"param", "reshape"}:
        found["shape"] = tuple(node.shape)
    if op.kind != "pad" and found.get("padding") == 0:
        del found["padding"]
    _drop_usual(node, found)
    if node.source_form not in {"", op.source_form}:
        found["via"] = node.source_form
    return found


def _drop_usual(node: Node, args: dict[str, Value]) -> None:
    """Leave out what an argument would be without a value."""
    kind = args.get("type")
    shape: Sequence[Value] = node.input_shapes[0] if node.input_shapes else ()
    usual: dict[str, Value] = {}
    op = node.op.kind if node.op else ""
    if op == "norm":
        usual = {
            "affine": kind != "instance",
            "scale": True,
            "bias": kind != "rms",
            "track_running_stats": kind == "batch",
        }
        usual["channel_axis"] = 0
        if args.get("axis") in {len(shape) - 1, (len(shape) - 1,)}:
            args["axis"] = -1
    elif op in {"maxpool", "avgpool"}:
        usual = {"stride": args.get("kernel")}
    elif op == "slice":
        usual = {"stop": shape[args.get("axis", 0)]}
    elif op == "softmax":
        usual = {"axis": len(shape) - 1}
    elif op == "linear" and len(shape) < 3:
        usual = {"axis": args.get("axis")}
    elif op == "attention":
        each, rest = divmod(args.get("dim", shape[-1]), args["heads"])
        usual = {"value_dim": args.get("head_dim", each)} | ({} if rest else {"head_dim": each})
    for key, value in usual.items():
        if key in args and type(args[key]) is type(value) and args[key] == value:
            del args[key]


def _plain(op: Op, key: str, value: Value, shapes: tuple[Shape, ...]) -> Value:
    """Return a value as a spec has it: one number where all axes have the same."""
    argument = arguments_of(type(op))[key]
    if key == "padding":
        return _padding(op, value, shapes)
    if argument.type.per_axis and isinstance(value, tuple) and len(set(value)) == 1:
        return value[0]
    return value


def _padding(op: Op, value: Value, shapes: tuple[Shape, ...]) -> Value:
    """Return a padding as ``half`` where it is that of an odd kernel, else as one number, one or two for each axis."""
    if op.kind == "pad":
        return value[0][0] if type(value) is not tuple and value[0][0] == value[0][1] else value
    pairs = op.attributes(*shapes).get("padding", value) if value != "same" else value
    window = op.window(*shapes) if op.kind in WITH_HALF_PADDING else None
    if window is not None and isinstance(pairs, tuple):
        reaches = [effective_kernel_size(k, d) for k, d in zip(window.kernel_size, window.dilation, strict=True)]
        if all(reach % 2 and pair == (reach // 2,) * 2 for reach, pair in zip(reaches, pairs, strict=True)):
            return "half"
    if not isinstance(pairs, tuple):
        return pairs
    sides = tuple(before if before == after else (before, after) for before, after in pairs)
    if any(isinstance(side, tuple) for side in sides):
        return tuple(side if isinstance(side, tuple) else (side, side) for side in sides)
    return sides[0] if len(set(sides)) == 1 else sides
