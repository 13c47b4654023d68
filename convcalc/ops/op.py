"""The base class of ops: a frozen dataclass of arguments, with methods for output, weights, products and windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field
from typing import Any, ClassVar, Self

from convcalc.arith import Number, prod
from convcalc.ops.arguments import Argument
from convcalc.records import NamedTuple
from convcalc.shapes import Shape


class MatrixProduct(NamedTuple):
    """One matrix product inside a layer.

    Most layers are one product; attention is six, a recurrent layer one per direction and stacked layer, or two with a
    projection of its state.
    """

    multiplies: Number
    """Multiplications of one sample."""
    outputs: Number
    """Elements that the product computes, of one sample."""
    sequence_step: int = 1
    """A product of a later stage needs the outputs of an earlier one; products of one stage are independent."""
    has_weights: bool = True
    """Whether one factor is a learnable weight."""
    name: str = ""
    """Which product of the layer it is, where there are several."""
    masked: Number = 0
    """Those of its multiplications of which a mask leaves nothing: of pairs of a query and a key that it cannot see."""


class Matrix(NamedTuple):
    """A learnable matrix: each of its rows gives one output, out of ``length`` inputs."""

    rows: Number
    length: Number


class Window(NamedTuple):
    """The window that a layer slides over each spatial axis, as tuples with one entry an axis."""

    kernel_size: tuple[Number, ...]
    stride: tuple[Number, ...]
    padding: tuple[tuple[Number, Number], ...]
    dilation: tuple[Number, ...]


class Held(NamedTuple):
    """Tensors inside a layer that are in memory at once, in elements of one sample."""

    elements: Number
    log_sums: Number = 0
    """Logarithms of the sums of a softmax, which kernels keep in its place, in 32 bits at least."""
    with_inputs: bool = False
    """Whether the inputs of the layer are still needed beside them."""


class Op:
    """Base of all ops. A subclass is a frozen dataclass whose fields are made by ``argument``.

    Methods take the shapes of the inputs, without batch axis, and compute with ``Number``: the same code runs on ints,
    arrays and symbols. ``output`` raises ``SpecError`` (through ``require``) where the layer does not fit.
    """

    __slots__ = ()

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    kind: ClassVar[str]
    """The word that names the layer in a spec; the file is named after it."""
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Least and most inputs; ``None`` for no limit. With more than one, they are the branches of a join."""
    part_arguments: ClassVar[tuple[str, ...]] = ()
    """Arguments that say which of several outputs the layer is, and of how many; a spec may have names in their place.
    """
    layer_arguments: ClassVar[tuple[str, ...]] = ()
    """Arguments that name another layer, whose output is a further input."""
    accepts_norm_act: ClassVar[bool] = False
    """Whether a spec may write ``norm`` and ``act`` on the layer, as layers that follow it."""
    defaults_from: ClassVar[str] = ""
    """The kind whose ``defaults`` the layer also takes."""
    matrix_names: ClassVar[tuple[str, ...]] = ("weight",)
    """How the names of weights end that are matrices; others are added, or multiplied element by element."""
    is_table: ClassVar[bool] = False
    """Whether rows of its matrix are looked up, and nothing is multiplied by it."""
    nonlinear: ClassVar[bool] = False
    """Whether the layer is an activation."""
    depends_on_values: ClassVar[bool] = True
    """Whether the output depends on the values of the inputs, and not on their shapes alone."""
    rearranges: ClassVar[bool] = False
    """Whether cells of all axes are moved, so that no receptive field is followed through the layer."""
    has_output: ClassVar[bool] = True
    """Whether a tensor leaves the layer; otherwise its output has one axis, of size 0."""
    is_identity: ClassVar[bool] = False
    """The op returns its input unchanged and gets no row in reports."""
    is_counted: ClassVar[bool] = True
    """Whether its multiplies are known; otherwise they are in no total, which is a lower bound."""
    source_form: ClassVar[str] = "module"
    """How a model's source writes the layer where the spec has no ``via``: a word of ``SOURCE_FORMS``."""
    is_resized: ClassVar[bool] = False
    """Whether cell i of m comes from cell ⌊i·n/m⌋ of n on each spatial axis."""

    @classmethod
    def make(cls, *, axes: Any = None, **arguments: Any) -> Self:
        """Build an op of this class from the arguments of a spec; see :func:`convcalc.ops.make`."""
        from convcalc.ops.make import build

        return build(cls, arguments, axes)

    @classmethod
    def unused_arguments(cls, given: Mapping[str, Any]) -> frozenset[str]:
        """Return arguments without effect given the others: dropped if from ``defaults``, an error if explicit."""
        return frozenset()

    @classmethod
    def spatial_axes(cls, given: Mapping[str, Any], axes: int) -> int:
        """Return how many spatial axes the given arguments are for; ``axes`` are those of the input."""
        return axes

    def output(self, *inputs: Shape) -> Shape:
        """Return the shape that leaves the layer."""
        raise NotImplementedError(type(self).__name__)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        """Return the learnable weights: name → shape."""
        return {}

    def buffers(self, *inputs: Shape) -> dict[str, Shape]:
        """Return state that is not learned: name → shape."""
        return {}

    def matrices(self, *inputs: Shape) -> list[Matrix]:
        """Return the weights that are matrices, which formats in blocks are for: those that multiply, and tables."""
        multiplies = any(product.has_weights for product in self.products(*inputs))
        shapes = [shape for name, shape in self.weights(*inputs).items() if name.endswith(self.matrix_names)]
        return [Matrix(shape[0], prod(shape[1:])) for shape in shapes if multiplies and shape.rank > 1]

    def cached(self, *inputs: Shape) -> Number:
        """Return the elements of one sample that it keeps for the tokens that come after, those of before included."""
        return 0

    def moved(self, *inputs: Shape) -> tuple[Number, Number] | None:
        """Return the elements of one sample that it writes, and those of its cache that it writes and reads.

        ``None`` is the output alone, of a layer without a cache.
        """
        return None

    def steps(self, via: str, *inputs: Shape) -> tuple[Held, ...]:
        """Return what the layer holds at each of its steps, the output included; none for the output alone.

        ``via`` is how the model's source writes the layer.
        """
        return ()

    def kept(self, via: str, *inputs: Shape) -> Held | None:
        """Return what is kept inside for the backward pass, beside the output; ``None`` for nothing."""
        return None

    def weights_read(self, batch: Number, *inputs: Shape) -> Number | None:
        """Return how many elements of the weights a batch reads; ``None`` for all of them."""
        return None

    def idle_params(self, *inputs: Shape) -> Number:
        """Return how many elements of the weights are of experts that a token does not run through."""
        return 0

    def products(self, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        """Return the multiplies of one sample, product by product; none for a layer that is not counted."""
        return ()

    def products_for(self, output: Shape, *inputs: Shape) -> tuple[MatrixProduct, ...]:
        """Return the products where the shape that leaves the layer is known already."""
        return self.products(*inputs)

    @property
    def has_unknown_weights(self) -> bool:
        """Whether ``weights`` are only a part; where they are all, ``is_counted`` alone says what is known."""
        return False

    def window(self, *inputs: Shape) -> Window | None:
        """Return the window over the spatial axes; ``None`` for a layer without one."""
        return None

    def mixed_axes(self, *inputs: Shape) -> frozenset[int]:
        """Return the axes of the first input along which every output cell depends on all cells, beside a window."""
        return frozenset()

    def rearranged_axes(self, *inputs: Shape) -> frozenset[int]:
        """Return the axes of the first input whose cells lie elsewhere in the output, for an op that moves some."""
        return frozenset()

    def warning(self, *inputs: Shape) -> str:
        """Return a warning about a probable mistake, or an empty text."""
        return ""

    def pytorch_refusal(self, via: str, *inputs: Shape) -> str:
        """Return why PyTorch does not run the layer, though others such as ONNX do; an empty text where it does.

        ``via`` is how the model's source writes the layer. Arrays and symbols among the sizes give no warning.
        """
        return ""

    def attributes(self, *inputs: Shape) -> dict[str, Any]:
        """Return the arguments of the layer, resolved for these inputs, as reports show them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def arguments_of(op: type[Op]) -> dict[str, Argument]:
    """Return the arguments of an op by the word that a spec uses, in the order of the fields."""
    known = _ARGUMENTS.get(op)
    if known is None:
        declared = (field.metadata["argument"] for field in op.__dataclass_fields__.values())
        known = _ARGUMENTS[op] = {argument.key: argument for argument in declared}
    return known


def may_lack_branches(op: type[Op]) -> bool:
    """Whether a join, written without branches, reads what enters it: one that takes an argument by position."""
    return op.arity[1] is None and any(argument.positional for argument in arguments_of(op).values())


_ARGUMENTS: dict[type[Op], dict[str, Argument]] = {}
