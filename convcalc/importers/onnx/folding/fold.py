"""What a node of constants gives: a constant again, if its elements are few; else it becomes layers."""

from __future__ import annotations

from convcalc.arith import is_plain
from convcalc.importers.onnx.call import Call, count
from convcalc.importers.onnx.folding.arithmetic import ARITHMETIC, result_type
from convcalc.importers.onnx.folding.arrangement import ARRANGEMENT, same_elements
from convcalc.importers.onnx.folding.arrays import Array
from convcalc.importers.onnx.model import MAX_ELEMENTS, Tensor
from convcalc.importers.onnx.sizes import ARRANGED
from convcalc.importers.onnx.values import FLOAT, FLOATS, INT64, Sizes, Value, constant

FOLDS = {**ARITHMETIC, **ARRANGEMENT}
PLAIN: dict[str, tuple[int | None, int | None]] = {
    "Slice": (1, None), "Gather": (1, None), "Split": (1, None), "Tile": (1, None), "Range": (None, None),
    "ScatterND": (1, 2), "Transpose": (1, None), "Unsqueeze": (1, None), "Squeeze": (1, None),
}  # fmt: skip
"""Inputs from one place up to another that say which elements are taken: they cannot be symbols."""


def fold(call: Call) -> list[Value | None] | None:
    """Return the outputs of a node all of whose inputs are constants; ``None`` if its elements cannot be computed."""
    if call.op in ("Constant", "ConstantOfShape"):
        return [_constant(call)] if call.op == "Constant" else _filled(call)
    arranged = ARRANGED.get(call.op)
    if arranged is None and call.op not in FOLDS:
        return None
    result = _computed(call)
    if arranged is not None and call.x and call.x[0] is not None and (call.x[0].key or result is not None):
        return [_arranged(call, result[0] if result else None, arranged(call))]
    if result is None:
        return None
    is_learned = any(value is not None and value.is_learned for value in call.x)
    return [
        Value(
            name, array.sizes, result_type(call), tuple(array.elements), is_constant=True, is_learned=is_learned,
            recipe=(call.node, call.x, place) if is_learned else None,
        )
        for place, (name, array) in enumerate(zip(call.node.outputs, result, strict=False))
    ]  # fmt: skip


def _arranged(call: Call, array: Array | None, sizes: Sizes) -> Value:
    x = call.require(0)
    learned = x.is_learned or call.op == "DequantizeLinear"
    scales = tuple(value for value in call.x[1:3] if value is not None) if call.op.endswith("zeLinear") else ()
    return Value(
        call.node.outputs[0], sizes, result_type(call), tuple(array.elements) if array else None, x.key, x.handle if
        call.op in ("Identity", "Cast") else None, is_constant=True, is_learned=learned and bool(sizes), recipe=None if
        x.key or not learned else (call.node, call.x, 0), quantisation=x.quantisation or scales,
        bits=x.bits,
    )  # fmt: skip


def _computed(call: Call) -> list[Array] | None:
    """Return what a node gives, where its inputs are known and few enough."""
    arrays: list[Array | None] = []
    for value in call.x:
        if value is None:
            arrays.append(None)
            continue
        if value.elements is None or not all(type(size) is int for size in value.shape):
            return None
        arrays.append(Array(value.elements, value.shape))
    plain = arrays[slice(*PLAIN[call.op])] if call.op in PLAIN else []
    if any(not is_plain(element) for array in plain if array is not None for element in array.elements):
        return None
    try:
        result = (FOLDS.get(call.op) or same_elements)(call, *arrays)
    except (ArithmeticError, ValueError):  # such as the logarithm of 0, which is no size
        if call.op in ARITHMETIC:
            return None
        raise
    return [result] if isinstance(result, Array) else result


# --- constants that are written ---------------------------------------------------------------------------------------


def _constant(call: Call) -> Value:
    name, attributes = call.node.outputs[0], call.node.attributes
    tensor = attributes.get("value") or attributes.get("sparse_value")
    if isinstance(tensor, Tensor):
        return constant(tensor, name)
    key, value = next(iter(attributes.items()))
    data_type = FLOAT if "float" in key else INT64 if "int" in key else 8
    elements = value if isinstance(value, tuple) else (value,)
    made = Tensor(name, data_type, (len(elements),) if isinstance(value, tuple) else (), elements, "")
    return call.run.written.setdefault(id(call.node), (constant(made, name), made))[0]


def _filled(call: Call) -> list[Value | None] | None:
    """ConstantOfShape; of a shape that the file states it is a constant of the file, as in models without weights."""
    shape, value = call.require(0), call.attribute("value")
    if shape.elements is None:
        return None
    sizes = tuple(shape.elements)
    data_type = value.data_type if value is not None else FLOAT
    element = value.elements[0] if value is not None and value.elements else 0.0
    is_plain_shape = all(type(size) is int for size in sizes)
    if any(is_plain(size) and size < 0 for size in sizes):
        raise ValueError(sizes)
    few = is_plain_shape and count(sizes) <= MAX_ELEMENTS
    elements = (element,) * count(sizes) if few else None
    key = id(call.node) if shape.key and is_plain_shape else 0
    return [
        Value(
            call.node.outputs[0], sizes, data_type, elements, key, is_constant=True,
            is_learned=bool(key) and bool(sizes) and data_type in FLOATS,
        )
    ]  # fmt: skip
