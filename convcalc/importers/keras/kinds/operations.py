"""Functions of ``keras.ops`` called on the tensors of a model: each is a layer of its own class in the file.

Their axes count the batch, which stays where it is: what moves it or merges it with others is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.importers.keras.call import Call, Constant, Output, Tensor, natural, tensors_in
from convcalc.importers.keras.kinds.layers import elementwise_inputs
from convcalc.importers.keras.kinds.old_functions import ARGUMENTS
from convcalc.importers.keras.settings import bad, integer, numbers


def setting(call: Call, name: str, place: int = -1, default: Any = None) -> Any:
    """Return an argument of a function: of the call, or of the layer."""
    found = call.argument(place, name) if place >= 0 else call.kwargs.get(name)
    found = call.kwargs.get(ARGUMENTS.get(name, name)) if found is None else found
    return call.config.get(name, default) if found is None else found


def batch_error(call: Call) -> SpecError:
    return SpecError("CC761", f"{call.class_name} works across the batch, which is not counted")


def elementwise(kind: str, **arguments: Any) -> Callable[[Call], Output]:
    """Return the handler of a function of tensors and constants, element by element, which broadcast as in NumPy."""

    def handle(call: Call) -> Output:
        given = [each for each in [*call.args, *call.kwargs.values()] if isinstance(each, Tensor | Constant)]
        tensors = [each for each in given if isinstance(each, Tensor)]
        if not tensors:
            raise bad("no tensor enters the layer")
        inputs = _numpy_aligned(call, tensors)
        shape = [*map(call.shape, inputs)]
        arrays = [(1, *each.shape)[-max(len(shape[0]), 1) - 1 :] for each in given if isinstance(each, Constant)]
        out = _broadcast([*shape, *(array[1:] if len(array) > len(shape[0]) else array for array in arrays)])
        result = call.add(kind, *inputs, **arguments)
        if out is None or len(out) != len(shape[0]) or out == call.shape(result):
            return result
        ours = [out[result.order.index(axis)] for axis in range(len(out))]
        return call.add("broadcast", result, name="broadcast", shape=tuple(ours))

    return handle


def _numpy_aligned(call: Call, tensors: Sequence[Tensor]) -> list[Tensor]:
    """As of NumPy, axes line up with the last ones; the batch then only meets the batch of tensors of equal rank."""
    if len({len(each.order) for each in tensors}) > 1:
        raise SpecError("CC761", "tensors of different ranks: the batch of one meets another axis")
    return elementwise_inputs(call, tensors)


def _broadcast(shapes: Sequence[Sequence[Number]]) -> tuple[Number, ...] | None:
    """Return the shape that shapes of plain numbers broadcast to; ``None`` for others, which the layers check."""
    rank = max(map(len, shapes))
    columns = zip(*((1,) * (rank - len(shape)) + tuple(shape) for shape in shapes), strict=True)
    out: list[Number] = []
    for column in columns:
        wide = [size for size in column if not (isinstance(size, int) and size == 1)]
        if not all(isinstance(size, int) and size == wide[0] for size in wide):
            return None
        out.append(wide[0] if wide else 1)
    return tuple(out)


def reduction(type_: str) -> Callable[[Call], Output]:
    """Return the handler of a reduction over some axes, without the batch."""

    def handle(call: Call) -> Output:
        x = call.tensor
        axes, keeps = setting(call, "axis", 1), bool(setting(call, "keepdims", 2, False))
        if axes is None:
            raise batch_error(call)
        gone = sorted({call.place(axis, len(x.order)) for axis in numbers("axis", axes)})
        left = [axis for place, axis in enumerate(x.order) if place not in gone]
        order = x.order if keeps else tuple(sorted(left).index(axis) for axis in left)
        axis = [x.order[place] for place in gone]
        return call.add("reduce", x, type=type_, axis=axis, keepdims=keeps, order=order)

    return handle


def matmul(call: Call) -> Output:
    given = [each for each in [*call.args, *call.kwargs.values()] if isinstance(each, Tensor | Constant)]
    if len(given) != 2 or not all(isinstance(each, Tensor) for each in given):
        raise SpecError("CC761", "a product with a constant is not counted")
    left, right = (call.natural(each) for each in tensors_in(given))
    if len(left.order) != len(right.order) or len(left.order) < 2:
        raise batch_error(call)
    left, right = (
        _transposed(call, each) if call.kwargs.get(name) else each
        for name, each in (("transpose_a", left), ("transpose_b", right))
    )
    return call.add("matmul", left, right)


def _transposed(call: Call, x: Tensor) -> Tensor:
    *places, row, column = range(len(x.order))
    return call.add("permute", x, name="transpose", axes=[*places, column, row])


def einsum(call: Call) -> Output:
    """The equation without the letter of the batch, which the output and all tensors begin with."""
    equation = setting(call, "subscripts") or next((each for each in call.args if isinstance(each, str)), "")
    tensors = [call.natural(each) for each in tensors_in(call.args)]
    left, arrow, right = str(equation).replace(" ", "").partition("->")
    terms = left.split(",")
    if any(isinstance(each, Constant) for each in call.args) or len(terms) != len(tensors):
        raise SpecError("CC761", "a product with a constant is not counted")
    if not arrow or not right or right.startswith(".") or any(term[:1] != right[0] for term in terms):
        raise batch_error(call)
    order = natural(len(right) - 1)
    equation = f"{','.join(term[1:] for term in terms)}->{right[1:]}"
    if "..." in equation:
        raise SpecError("CC761", "an equation with dots is not read")
    return call.add("einsum", *tensors, equation=equation, order=order)


def one_hot(call: Call) -> Output:
    x = call.natural(call.tensor)
    count = integer("num_classes", setting(call, "num_classes", 1))
    out = (*call.shape(x), count)
    if setting(call, "axis", 2, -1) not in (-1, len(out)):
        raise SpecError("CC761", "one_hot along another axis than the last is not read")
    return call.add("custom", x, out=out, order=natural(len(out)))


def dot_product_attention(call: Call) -> Output:
    """Keras has [tokens, heads, features]: the heads come first here."""
    given = [
        call.natural(each) for each in (call.argument(n, name) for n, name in enumerate(("query", "key", "value")))
    ]
    if any(len(each.order) != 3 for each in given):
        raise batch_error(call)
    q, k, v = (call.add("permute", each, name="heads", axes=[1, 0, 2]) for each in given)
    return call.add("permute", call.add("sdpa", q, k, v), name="tokens", axes=[1, 0, 2])


def normalize(type_: str) -> Callable[[Call], Output]:
    """Return the handler of a norm without weights."""

    def handle(call: Call) -> Output:
        axis = call.axes(call.tensor, setting(call, "axis", default=-1))
        return call.add("norm", call.tensor, type=type_, axis=axis, affine=False)

    return handle


def grayscale(call: Call) -> Output:
    x = call.spatial(call.tensor)
    return call.add("reduce", x, type="mean", axis=[0], keepdims=True)
