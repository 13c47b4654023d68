"""One call of a layer: what enters, in which order its axes are, and what is added for it to the graph.

Keras has the channels last, the graph has them first. A tensor remembers which of its axes is which, so that it is
permuted only where a layer needs the other order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.keras.settings import LayerSettings, bad, integer
from convcalc.records import NamedTuple, dataclass, field, replace
from convcalc.spec import limits

Order: TypeAlias = tuple[int, ...]
Found = TypeVar("Found")


class LayerTensor(NamedTuple):
    """A tensor of the graph. ``order[i]`` is its axis that Keras has at place ``i``, without the batch."""

    handle: int
    order: Order

    def __str__(self) -> str:
        """What an error calls it that finds it in the place of a number."""
        return "a tensor"


class ModelConstant(NamedTuple):
    """A number, or an array of numbers, that is part of the model."""

    shape: tuple[int, ...]
    value: Any = None

    def __str__(self) -> str:
        return "an array" if self.shape else str(self.value)


Output: TypeAlias = LayerTensor | list[LayerTensor]


def natural(rank: int) -> Order:
    """The order of Keras."""
    return tuple(range(rank))


def channels_first(rank: int, channel: int = -1) -> Order:
    """The order of the graph, given where Keras has the channels: the others keep their places."""
    place = channel % rank
    return tuple(0 if axis == place else axis + (axis < place) for axis in range(rank))


def _nothing(_: Any) -> Any:
    return None


@dataclass(slots=True)
class Net:
    """The graph that is being built, and what holds for all layers of it."""

    builder: ModelBuilder
    as_saved: bool
    """Whether the sizes are those that the model was saved with."""
    moved: dict[tuple[int, Order, Order], LayerTensor] = field(default_factory=dict)
    scopes: dict[str, int] = field(default_factory=dict)
    checked: set[Hashable] = field(default_factory=set)
    """Layers that have run: Keras writes down what entered at the first call."""
    calls: int = 0

    def count_call(self) -> None:
        """Bound how much a small file can ask for: models that call models multiply."""
        self.calls += 1
        if self.calls > limits.LAYERS:
            raise SpecError("CC503", f"the model calls more than {limits.LAYERS:,} layers")

    def scope(self, name: str) -> str:
        """Return the path of a call of a model, which no other has."""
        count = self.scopes[name] = self.scopes.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A layer with what enters it. Handlers of layers take one and return what leaves it."""

    net: Net
    raw: Mapping[str, Any]
    """The layer as the file has it."""
    path: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    lead: int = 0
    """How many leading axes the layer is repeated over, as TimeDistributed says: it does not know of them."""
    copy: str = ""
    """Which of several layers with the same settings it is."""
    recorded: Callable[[int], Any] = _nothing
    """The shape that Keras has written down for an output."""
    run: Callable[[LayerCall], Output] = _nothing
    """Runs the call of another layer, of one that this wraps."""

    @property
    def config(self) -> LayerSettings:
        return LayerSettings(self.raw.get("config"))

    @property
    def class_name(self) -> str:
        return str(self.raw.get("class_name"))

    @property
    def key(self) -> Hashable:
        """What identifies the layer's weights: the same object may stand in a file twice."""
        shared = self.raw.get("shared_object_id")
        return ("shared", shared, self.copy) if isinstance(shared, int | str) else (id(self.raw), self.copy)

    def at(self, name: str) -> str:
        """Return the path of a part of the layer."""
        return f"{self.path}/{name}" if self.path and name else self.path or name

    # --- what enters --------------------------------------------------------------------------------------------------

    @property
    def tensors(self) -> list[LayerTensor]:
        """All tensors of the first argument, or of all where it has none.

        Raises:
            SpecError: CC766, where no tensor enters.
        """
        found = list(tensors_in(self.args[:1])) or list(tensors_in([*self.args, *self.kwargs.values()]))
        if not found:
            raise bad("no tensor enters the layer")
        return found

    @property
    def tensor(self) -> LayerTensor:
        return self.tensors[0]

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument of the call, by its place or by its name."""
        if place < len(self.args):
            return self.args[place]
        return self.kwargs.get(name, default)

    def shape(self, tensor: LayerTensor) -> tuple[Number, ...]:
        """Return the sizes in the order of Keras, without the batch."""
        shape = self.net.builder.shape(tensor.handle)
        return tuple(shape[axis] for axis in tensor.order)

    def place(self, axis: object, rank: int, *, name: str = "axis") -> int:
        """Return the place of an axis among those of Keras without the batch, given one with it."""
        number = integer(name, axis)
        place = number + rank if number < 0 else number - 1 + self.lead
        if number in (0, -rank - 1) and not self.lead:
            raise SpecError("CC761", f"{name} = {number} is the batch: what works across it is not counted")
        if number == 0 or not 0 <= place < rank:
            raise bad(f"{name} = {number} is no axis of a tensor of {rank} axes without the batch")
        return place

    def axis(self, tensor: LayerTensor, axis: object) -> int:
        """Return the axis of the graph that an axis of Keras is, the batch counted."""
        return tensor.order[self.place(axis, len(tensor.order))]

    def axes(self, tensor: LayerTensor, axes: object) -> tuple[int, ...]:
        return tuple(self.axis(tensor, axis) for axis in (axes if isinstance(axes, list | tuple) else [axes]))

    # --- what is added ------------------------------------------------------------------------------------------------

    def add(
        self, kind: str, *inputs: LayerTensor, name: str = "", order: Order | None = None, **arguments: Any
    ) -> LayerTensor:
        """Add a layer to the graph; ``name`` is its own within the layer of Keras. What leaves has ``order``."""
        handles = [tensor.handle for tensor in inputs]
        handle = self.net.builder.add(self.at(name), kind, *handles, weights=(self.key, name), **arguments)
        return LayerTensor(handle, inputs[0].order if order is None else order)

    def reordered(self, tensor: LayerTensor, order: Order) -> LayerTensor:
        """Return a tensor in another order: permuted, or reshaped where only axes of one cell move."""
        if tensor.order == order:
            return tensor
        known = self.net.moved.get((*tensor, order))
        if known is not None:
            return known
        axes = [tensor.order[order.index(place)] for place in range(len(order))]
        sizes = self.net.builder.shape(tensor.handle)
        kept = [axis for axis in axes if not is_one(sizes[axis])]
        if kept == sorted(kept):
            shape = tuple(sizes[axis] for axis in axes)
            moved = tensor if shape == sizes else self.add("reshape", tensor, name="reshape", shape=shape)
        else:
            moved = self.add("permute", tensor, name="permute", axes=axes)
        self.net.moved[(*tensor, order)] = result = LayerTensor(moved.handle, order)
        return result

    def natural(self, tensor: LayerTensor) -> LayerTensor:
        """Return a tensor with its axes as Keras has them."""
        return self.reordered(tensor, natural(len(tensor.order)))

    def spatial(self, tensor: LayerTensor) -> LayerTensor:
        """Return a tensor with the channels first, as the layer's ``data_format`` says where Keras has them."""
        return self.reordered(tensor, self.spatial_order(len(tensor.order)))

    def spatial_order(self, rank: int) -> Order:
        first = self.config.get("data_format") == "channels_first"
        return channels_first(rank, self.lead if first else -1) if rank else ()

    def aligned(self, tensors: Iterable[LayerTensor]) -> list[LayerTensor]:
        """Return tensors of one rank in one order, that of channels first if any of them has it."""
        given = list(tensors)
        order = next((each.order for each in given if each.order != natural(len(each.order))), given[0].order)
        return [self.reordered(each, order) if len(each.order) == len(order) else each for each in given]

    def reshaped(self, tensor: LayerTensor, shape: Sequence[Number], name: str = "") -> LayerTensor:
        """Return a tensor with other axes, in the order of Keras."""
        flat = self.natural(tensor)
        return self.add("reshape", flat, name=name, shape=tuple(shape) or (1,), order=natural(len(shape)))

    def inner(self, raw: Mapping[str, Any], name: str = "", **changes: Any) -> LayerCall:
        """Return the call of a layer that this one wraps, on the same tensors."""
        return replace(self, raw=raw, path=self.at(name), **changes)


def tensors_in(values: Iterable[Any]) -> Iterator[LayerTensor]:
    """Give the tensors in nested arguments, in order."""
    return found_in(values, LayerTensor)


def found_in(values: Iterable[Any], kind: type[Found]) -> Iterator[Found]:
    """Give what is of a kind in nested arguments, in order."""
    for value in values:
        if isinstance(value, kind):
            yield value
        elif isinstance(value, Mapping):
            yield from found_in(value.values(), kind)
        elif isinstance(value, list | tuple) and not isinstance(value, ModelConstant):
            yield from found_in(value, kind)


def array_shape(value: Any) -> tuple[int, ...]:
    """Return the shape of nested lists."""
    shape = []
    while isinstance(value, list) and value:
        shape.append(len(value))
        value = value[0]
    return tuple(shape)


def is_one(size: Number) -> bool:
    """Whether an axis has one cell, whatever is put in for symbols."""
    return isinstance(size, int) and size == 1
