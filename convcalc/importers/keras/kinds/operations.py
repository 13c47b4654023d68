"""Functions of ``keras.ops`` called on the tensors of a model: each is a layer of its own class in the file.

Their axes count the batch, which stays where it is: what moves it or merges it with others is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, ModelConstant, Output, is_one, natural, tensors_in
from convcalc.importers.keras.kinds.layers import elementwise_inputs, reduced
from convcalc.importers.keras.settings import bad, integer, numbers


def setting(call: LayerCall, name: str, place: int = -1, default: Any = None) -> Any:
    """Return an argument of a function: of the call, or of the layer."""
    found = call.argument(place, name) if place >= 0 else call.kwargs.get(name)
    found = call.kwargs.get(OLD_ARGUMENTS.get(name, name)) if found is None else found
    return call.config.get(name, default) if found is None else found


def batch_error(call: LayerCall) -> SpecError:
    return SpecError("CC761", f"{call.class_name} works across the batch, which is not counted")


def elementwise(kind: str, **arguments: Any) -> Callable[[LayerCall], Output]:
    """Return the handler of a function of tensors and constants, element by element, which broadcast as in NumPy."""

    def handle(call: LayerCall) -> Output:
        given = [each for each in [*call.args, *call.kwargs.values()] if isinstance(each, LayerTensor | ModelConstant)]
        tensors = [each for each in given if isinstance(each, LayerTensor)]
        if not tensors:
            raise bad("no tensor enters the layer")
        if len({len(each.order) for each in tensors}) > 1:  # as of NumPy, axes line up with the last ones
            raise SpecError("CC761", "tensors of different ranks: the batch of one meets another axis")
        inputs = elementwise_inputs(call, tensors)
        shape = [*map(call.shape, inputs)]
        arrays = [(1, *each.shape)[-max(len(shape[0]), 1) - 1 :] for each in given if isinstance(each, ModelConstant)]
        out = _broadcast([*shape, *(array[1:] if len(array) > len(shape[0]) else array for array in arrays)])
        result = call.add(kind, *inputs, **arguments)
        if out is None or len(out) != len(shape[0]) or out == call.shape(result):
            return result
        ours = [out[result.order.index(axis)] for axis in range(len(out))]
        return call.add("broadcast", result, name="broadcast", shape=tuple(ours))

    return handle


def _broadcast(shapes: Sequence[Sequence[Number]]) -> tuple[Number, ...] | None:
    """Return the shape that shapes of plain numbers broadcast to; ``None`` for others, which the layers check."""
    rank = max(map(len, shapes))
    columns = zip(*((1,) * (rank - len(shape)) + tuple(shape) for shape in shapes), strict=True)
    out: list[Number] = []
    for column in columns:
        wide = [size for size in column if not is_one(size)]
        if not all(isinstance(size, int) and size == wide[0] for size in wide):
            return None
        out.append(wide[0] if wide else 1)
    return tuple(out)


def reduction(type_: str) -> Callable[[LayerCall], Output]:
    """Return the handler of a reduction over some axes, without the batch."""

    def handle(call: LayerCall) -> Output:
        x = call.tensor
        axes, keeps = setting(call, "axis", 1), bool(setting(call, "keepdims", 2, False))
        if axes is None:
            raise batch_error(call)
        gone = sorted({call.place(axis, len(x.order)) for axis in numbers("axis", axes)})
        return reduced(call, x, type_, gone, keeps)

    return handle


def matmul(call: LayerCall) -> Output:
    given = [each for each in [*call.args, *call.kwargs.values()] if isinstance(each, LayerTensor | ModelConstant)]
    if len(given) != 2 or not all(isinstance(each, LayerTensor) for each in given):
        raise SpecError("CC761", "a product with a constant is not counted")
    left, right = (call.natural(each) for each in tensors_in(given))
    if len(left.order) != len(right.order) or len(left.order) < 2:
        raise batch_error(call)
    *places, row, column = range(len(left.order))
    left, right = (
        call.add("permute", each, name="transpose", axes=[*places, column, row]) if call.kwargs.get(name) else each
        for name, each in (("transpose_a", left), ("transpose_b", right))
    )
    return call.add("matmul", left, right)


def einsum(call: LayerCall) -> Output:
    """The equation without the letter of the batch, which the output and all tensors begin with."""
    equation = setting(call, "subscripts") or next((each for each in call.args if isinstance(each, str)), "")
    tensors = [call.natural(each) for each in tensors_in(call.args)]
    left, arrow, right = str(equation).replace(" ", "").partition("->")
    terms = left.split(",")
    if any(isinstance(each, ModelConstant) for each in call.args) or len(terms) != len(tensors):
        raise SpecError("CC761", "a product with a constant is not counted")
    if not arrow or not right or right.startswith(".") or any(term[:1] != right[0] for term in terms):
        raise batch_error(call)
    order = natural(len(right) - 1)
    equation = f"{','.join(term[1:] for term in terms)}->{right[1:]}"
    if "..." in equation:
        raise SpecError("CC761", "an equation with dots is not read")
    return call.add("einsum", *tensors, equation=equation, order=order)


def one_hot(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    count = integer("num_classes", setting(call, "num_classes", 1))
    out = (*call.shape(x), count)
    if setting(call, "axis", 2, -1) not in (-1, len(out)):
        raise SpecError("CC761", "one_hot along another axis than the last is not read")
    return call.add("custom", x, out=out, order=natural(len(out)))


def dot_product_attention(call: LayerCall) -> Output:
    """Keras has [tokens, heads, features]: the heads come first here."""
    entering = [call.argument(place, name) for place, name in enumerate(("query", "key", "value"))]
    given = [call.natural(each) for each in entering if isinstance(each, LayerTensor)]
    if len(given) < len(entering):
        raise bad("an attention reads a query, a key and a value")
    if any(len(each.order) != 3 for each in given):
        raise batch_error(call)
    q, k, v = (call.add("permute", each, name="heads", axes=[1, 0, 2]) for each in given)
    return call.add("permute", call.add("sdpa", q, k, v), name="tokens", axes=[1, 0, 2])


def normalize(type_: str) -> Callable[[LayerCall], Output]:
    """Return the handler of a norm without weights."""

    def handle(call: LayerCall) -> Output:
        axis = call.axes(call.tensor, setting(call, "axis", default=-1))
        return call.add("norm", call.tensor, type=type_, axis=axis, affine=False)

    return handle


def grayscale(call: LayerCall) -> Output:
    x = call.spatial(call.tensor)
    return call.add("reduce", x, type="mean", axis=[0], keepdims=True)


# --- functions of Keras 2 ---------------------------------------------------------------------------------------------

OLD_FUNCTIONS = {
    "__operators__.add": "numpy.Add", "math.add": "numpy.Add", "add": "numpy.Add",
    "math.multiply": "numpy.Multiply", "multiply": "numpy.Multiply", "math.subtract": "numpy.Subtract",
    "subtract": "numpy.Subtract", "math.truediv": "numpy.Divide", "math.divide": "numpy.Divide",
    "math.divide_no_nan": "numpy.Divide", "math.floordiv": "numpy.FloorDivide", "math.pow": "numpy.Power",
    "math.maximum": "numpy.Maximum", "math.minimum": "numpy.Minimum", "math.abs": "numpy.Abs",
    "math.negative": "numpy.Negative", "math.sqrt": "numpy.Sqrt", "math.rsqrt": "math.Rsqrt",
    "math.square": "numpy.Square", "math.exp": "numpy.Exp", "math.log": "numpy.Log", "math.sign": "numpy.Sign",
    "math.sin": "numpy.Sin", "math.cos": "numpy.Cos", "math.greater": "numpy.Greater", "math.less": "numpy.Less",
    "math.equal": "numpy.Equal", "math.not_equal": "numpy.NotEqual", "clip_by_value": "numpy.Clip",
    "where": "numpy.Where", "math.tanh": "numpy.Tanh", "nn.tanh": "numpy.Tanh", "nn.relu": "nn.Relu",
    "nn.relu6": "nn.Relu6", "nn.leaky_relu": "nn.LeakyRelu", "nn.elu": "nn.Elu", "nn.selu": "nn.Selu",
    "nn.gelu": "nn.Gelu", "nn.silu": "nn.Silu", "nn.swish": "nn.Silu", "math.sigmoid": "nn.Sigmoid",
    "nn.sigmoid": "nn.Sigmoid", "math.softplus": "nn.Softplus", "nn.softmax": "nn.Softmax",
    "nn.log_softmax": "nn.LogSoftmax", "math.reduce_mean": "numpy.Mean", "math.reduce_sum": "numpy.Sum",
    "math.reduce_max": "numpy.Max", "math.reduce_min": "numpy.Min", "math.reduce_prod": "numpy.Prod",
    "math.reduce_std": "numpy.Std", "math.reduce_variance": "numpy.Var", "math.argmax": "numpy.Argmax",
    "concat": "numpy.Concatenate", "stack": "numpy.Stack", "reshape": "numpy.Reshape", "squeeze": "numpy.Squeeze",
    "transpose": "numpy.Transpose", "expand_dims": "numpy.ExpandDims", "tile": "numpy.Tile", "pad": "numpy.Pad",
    "split": "numpy.Split", "unstack": "core.Unstack", "linalg.matmul": "numpy.Matmul", "einsum": "numpy.Einsum",
    "cast": "core.Cast", "identity": "core.Cast", "stop_gradient": "core.StopGradient", "one_hot": "nn.OneHot",
    "image.resize": "image.Resize", "nn.depth_to_space": "nn.DepthToSpace", "nn.space_to_depth": "nn.SpaceToDepth",
    "linalg.l2_normalize": "nn.Normalize", "math.l2_normalize": "nn.Normalize",
    "__operators__.getitem": "numpy.GetItem",
}  # fmt: skip
"""Functions of TensorFlow on the tensors of a Keras 2 model, and the module and class that is read in place."""
OLD_ARGUMENTS = {
    "axes": "perm", "pad_width": "paddings", "repeats": "multiples", "indices_or_sections": "num_or_size_splits",
    "num_classes": "depth", "key": "slice_spec", "subscripts": "equation", "newshape": "shape",
}  # fmt: skip
"""What TensorFlow calls arguments of ``keras.ops``."""
OLD_CLASSES = ("TFOpLambda", "SlicingOpLambda")
