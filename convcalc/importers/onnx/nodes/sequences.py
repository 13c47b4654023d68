"""Sequences of tensors: lists that a graph makes and takes apart again, and that no layer has."""

from __future__ import annotations

from convcalc.importers.onnx.call import Call
from convcalc.importers.onnx.nodes.select import concat, split
from convcalc.importers.onnx.sizes import split_sizes
from convcalc.importers.onnx.values import OpenShape, Value, has_batch


def _members(call: Call) -> tuple[Value, ...]:
    members = call.require(0).members
    if members is None:
        raise OpenShape(call.op)
    return members


def _place(call: Call, place: int, default: int) -> int:
    given = call.numbers(place)
    return int(given[0]) if given else default


def _put(call: Call, members: tuple[Value, ...]) -> None:
    call.outputs[0] = Value(call.node.outputs[0], None, members=members)


def construct(call: Call) -> None:
    """SequenceConstruct and SequenceEmpty."""
    _put(call, tuple(value for value in call.x if value is not None))


def insert(call: Call) -> None:
    """SequenceInsert, at the end by default."""
    members = list(_members(call))
    members.insert(_place(call, 2, len(members)), call.require(1))
    _put(call, tuple(members))


def erase(call: Call) -> None:
    """SequenceErase, of the last by default."""
    members = list(_members(call))
    del members[_place(call, 1, -1)]
    _put(call, tuple(members))


def at(call: Call) -> None:
    """SequenceAt."""
    call.outputs[0] = _members(call)[_place(call, 1, -1)]


def length(call: Call) -> None:
    """SequenceLength."""
    call.put_known(0, (len(_members(call)),), ())


def split_to(call: Call) -> None:
    """SplitToSequence: parts of one size, of given sizes, or of size 1, whose axis is then left out by a flag."""
    x, given = call.require(0), call.numbers(1)
    axis = call.axis(call.attribute("axis", 0), len(x.shape))
    size = x.shape[axis]
    sizes = split_sizes(call, size) if given is not None and len(call.require(1).shape) else None
    if sizes is None:
        if type(size) is not int:
            raise OpenShape(x.name)
        each = int(given[0]) if given else 1
        sizes = [min(each, size - start) for start in range(0, size, each)]
    names = tuple(f"{call.node.outputs[0]}_{place}" for place in range(len(sizes)))
    node = call.node._replace(
        op="Split", outputs=names, attributes={"axis": axis, "split": tuple(sizes)}, inputs=call.node.inputs[:1]
    )
    inner = Call(call.run, node, [x], call.scope, call.path)
    split(inner)
    members = tuple(value for value in inner.outputs if value is not None)
    if given is None and not call.attribute("keepdims", 1):
        members = tuple(_without_axis(call, value, axis) for value in members)
    _put(call, members)


def _without_axis(call: Call, value: Value, axis: int) -> Value:
    sizes = (*value.shape[:axis], *value.shape[axis + 1 :])
    return Value(value.name, sizes, handle=call.view(call.handle(value), sizes[has_batch(sizes) :]))


def concat_from(call: Call) -> None:
    """ConcatFromSequence, along an axis of the tensors or a new one."""
    members = _members(call)
    if call.attribute("new_axis", 0):
        axis = call.axis(call.attribute("axis"), len(members[0].shape) + 1)
        wide = []
        for value in members:
            sizes = (*value.shape[:axis], 1, *value.shape[axis:])
            wide.append(Value(value.name, sizes, handle=call.view(call.handle(value), sizes[has_batch(sizes) :])))
        members = tuple(wide)
    call.x = list(members)
    concat(call)


SEQUENCES = {
    "SequenceConstruct": construct, "SequenceEmpty": construct, "SequenceInsert": insert, "SequenceErase": erase,
    "SequenceAt": at, "SequenceLength": length, "SplitToSequence": split_to, "ConcatFromSequence": concat_from,
}  # fmt: skip
