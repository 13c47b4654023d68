"""Functions of ``keras.ops`` that move, cut and repeat the elements of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from convcalc.arith import Number, prod
from convcalc.errors import SpecError
from convcalc.importers.keras.call import LayerCall, LayerTensor, ModelConstant, Output, array_shape, is_one, natural
from convcalc.importers.keras.kinds.layers import permuted
from convcalc.importers.keras.kinds.operations import batch_error, setting
from convcalc.importers.keras.settings import bad, integer, numbers
from convcalc.shapes import Shape


def reshape(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    shape = numbers("newshape", setting(call, "newshape", 1) or setting(call, "shape"))
    if not shape or shape[0] not in (-1, 1):
        raise batch_error(call)
    sizes: list[Number] = list(shape[1:])
    whole = prod(call.shape(x))
    if shape[0] == -1 and -1 not in sizes:
        rest = prod(sizes)
        if all(isinstance(size, int) for size in (whole, rest)) and whole != rest:
            raise batch_error(call)
    return call.reshaped(x, sizes)


def transpose(call: LayerCall) -> Output:
    x = call.tensor
    axes = setting(call, "axes", 1)
    rank = len(x.order)
    given = numbers("axes", axes) if axes is not None else tuple(reversed(range(rank + 1)))
    given = tuple(axis % (rank + 1) for axis in given)
    if sorted(given) != list(range(rank + 1)):
        raise bad("axes are not a permutation")
    if given[0] != 0:
        raise batch_error(call)
    return permuted(call, x, [axis - 1 for axis in given[1:]])


def swapaxes(call: LayerCall) -> Output:
    x = call.tensor
    first, second = (call.place(setting(call, f"axis{n}", n), len(x.order)) for n in (1, 2))
    places = list(range(len(x.order)))
    places[first], places[second] = second, first
    return permuted(call, x, places)


def moveaxis(call: LayerCall) -> Output:
    x = call.tensor
    rank = len(x.order)
    given = (setting(call, name, n) for n, name in ((1, "source"), (2, "destination")))
    source, target = ([call.place(axis, rank) for axis in numbers("source", each)] for each in given)
    if len(source) != len(target) or len({*source}) != len(source) or len({*target}) != len(target):
        raise bad("source and destination do not fit")
    rest = iter([place for place in range(rank) if place not in source])
    to = dict(zip(target, source, strict=True))
    return permuted(call, x, [to[place] if place in to else next(rest) for place in range(rank)])


def expand_dims(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    shape = list(call.shape(x))
    for axis in sorted(call.place(axis, len(shape) + 1) for axis in numbers("axis", setting(call, "axis", 1))):
        shape.insert(axis, 1)
    return call.reshaped(x, shape)


def squeeze(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    shape, axis = call.shape(x), setting(call, "axis", 1)
    gone = {call.place(each, len(shape)) for each in numbers("axis", axis)} if axis is not None else None
    left = [size for place, size in enumerate(shape) if not (is_one(size) if gone is None else place in gone)]
    if gone is not None and any(isinstance(shape[place], int) and shape[place] != 1 for place in gone):
        raise bad(f"an axis that is squeezed has more than one cell: {Shape(shape)}")
    return call.reshaped(x, left)


def ravel(call: LayerCall) -> Output:
    raise batch_error(call)


def concatenate(call: LayerCall) -> Output:
    inputs = call.aligned(call.tensors)
    return call.add("concat", *inputs, axis=call.axis(inputs[0], setting(call, "axis", 1, 0)))


def stack(call: LayerCall) -> Output:
    given = [call.natural(each) for each in call.tensors]
    place = call.place(setting(call, "axis", 1, 0), len(given[0].order) + 1)
    shapes = (call.shape(each) for each in given)
    wide = ((*shape[:place], 1, *shape[place:]) for shape in shapes)
    parts = [call.reshaped(each, shape, "reshape") for each, shape in zip(given, wide, strict=True)]
    return call.add("concat", *parts, axis=place)


def split(call: LayerCall) -> Output:
    x = call.tensor
    axis = call.axis(x, setting(call, "axis", 2, 0))
    given = setting(call, "indices_or_sections", 1)
    size = call.net.builder.shape(x.handle)[axis]
    words: dict[str, Any] = {"into": given}
    if isinstance(given, list | tuple):
        if "num_or_size_splits" in call.kwargs:
            raise SpecError("CC761", "a split of TensorFlow into given sizes is not read")
        if not isinstance(size, int):
            raise bad("places to split an axis at, whose size is not a number")
        places = [0, *(place + size if place < 0 else place for place in numbers("indices", given)), size]
        words = {"sizes": [stop - start for start, stop in pairwise(places)]}
    count = integer("sections", given) if "into" in words else len(words["sizes"])
    if not 0 < count <= 10_000:
        raise bad(f"{count} parts are too many or too few")
    return [call.add("split", x, name=f"part{n + 1}", part=n, axis=axis, **words) for n in range(count)]


def unstack(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    place = call.place(setting(call, "axis", 2, 0), len(x.order))
    size = call.shape(x)[place]
    if not isinstance(size, int) or size > 10_000:
        raise bad(f"an axis of {size} cells cannot be unstacked")
    return [_taken(call, x, place, n) for n in range(size)]


def _taken(call: LayerCall, x: LayerTensor, place: int, index: int) -> LayerTensor:
    """Return one element of an axis, which is then gone."""
    part = _element(call, x, place, index)
    shape = call.shape(part)
    return call.reshaped(part, (*shape[:place], *shape[place + 1 :]), "reshape")


def _element(call: LayerCall, x: LayerTensor, place: int, index: int) -> LayerTensor:
    """Return one element of an axis, which then has one cell."""
    return call.add("slice", x, name=f"slice{place}", axis=place, start=index, stop=index + 1 if index != -1 else None)


def get_item(call: LayerCall) -> Output:
    """``x[:, 0, 1:5, None]``: slices, places, new axes and dots."""
    old = call.kwargs.get("slice_spec")
    key = call.argument(1, "key")
    if isinstance(old, list):  # Keras 2 has objects for slices
        key = [slice(*map(item.get, ("start", "stop", "step"))) if isinstance(item, dict) else item for item in old]
    items = list(key) if isinstance(key, list | tuple) and not isinstance(key, ModelConstant) else [key]
    x = call.natural(call.tensor)
    if any(isinstance(item, LayerTensor | list) for item in items):
        raise SpecError("CC761", "an index that is a tensor is not read")
    dots = [place for place, item in enumerate(items) if item == "..."]
    if dots:
        named = sum(item is not None and item != "..." for item in items)
        items[dots[0] : dots[0] + 1] = [slice(None)] * (len(x.order) + 1 - named)
    if items and items[0] != slice(None):
        raise batch_error(call)
    return _sliced(call, x, items[1:])


def _sliced(call: LayerCall, x: LayerTensor, items: Sequence[Any]) -> LayerTensor:
    place, shape = 0, list[Number]()
    for item in items:
        if item is None:
            shape.append(1)
            continue
        if place >= len(x.order):
            raise bad("the index has more entries than there are axes")
        if isinstance(item, slice):
            if item != slice(None):
                x = _cut(call, x, place, item)
            shape.append(call.shape(x)[place])
        else:
            x = _element(call, x, place, integer("the index", item))
        place += 1
    shape += call.shape(x)[place:]
    return x if tuple(shape) == call.shape(x) else call.reshaped(x, shape, "reshape")


def _cut(call: LayerCall, x: LayerTensor, place: int, part: slice) -> LayerTensor:
    given = (part.start, part.stop, part.step)
    start, stop, step = (None if each is None else integer("a slice", each) for each in given)
    if step is not None and step < 0:  # as many cells from behind
        size = call.shape(x)[place]
        if not isinstance(size, int):
            raise bad("a slice from behind of an axis whose size is not a number")
        places = range(size)[start:stop:step]
        if not places:
            raise bad("the slice takes nothing")
        start, stop, step = places[-1], places[0] + 1, -step
    return call.add("slice", x, name=f"slice{place}", axis=place, start=start or 0, stop=stop, step=step or 1)


def cut_out(call: LayerCall) -> Output:
    """``Slice``: as many cells of each axis as ``shape`` says."""
    shape = numbers("shape", setting(call, "shape", 2))
    x = call.natural(call.tensor)
    for place, size in enumerate(shape[1:]):
        if place < len(x.order) and size not in (-1, call.shape(x)[place]):
            x = call.add("slice", x, name=f"slice{place}", axis=place, stop=size)
    return x


def repeat(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    place = call.place(setting(call, "axis", 2), len(x.order))
    return _times(call, x, {place: integer("repeats", setting(call, "repeats", 1))})


def tile(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    times = numbers("repeats", setting(call, "repeats", 1))
    rank = len(x.order)
    if len(times) > rank and (len(times) > rank + 1 or times[0] != 1):
        raise batch_error(call)
    return _times(call, x, dict(zip(range(rank - 1, -1, -1), reversed(times), strict=False)))


def _times(call: LayerCall, x: LayerTensor, times: dict[int, int]) -> LayerTensor:
    if any(count < 1 for count in times.values()):
        raise bad("nothing is left of an axis that is repeated less than once")
    return call.add("broadcast", x, times=[times.get(place, 1) for place in range(len(x.order))])


def broadcast_to(call: LayerCall) -> Output:
    x = call.natural(call.tensor)
    shape = numbers("shape", setting(call, "shape", 1))
    if len(shape) != len(x.order) + 1:
        raise batch_error(call)
    sizes = [call.shape(x)[place] if size == -1 else size for place, size in enumerate(shape[1:])]
    return call.add("broadcast", x, shape=sizes)


def pad(call: LayerCall) -> Output:
    x = call.tensor
    width = setting(call, "pad_width", 1)
    pairs = width if isinstance(width, list) and width and isinstance(width[0], list) else [width] * (len(x.order) + 1)
    cells = [numbers("pad_width", pair) * (2 if len(numbers("pad_width", pair)) == 1 else 1) for pair in pairs]
    if len(cells) != len(x.order) + 1 or any(len(pair) != 2 for pair in cells):
        raise bad("pad_width does not fit the axes")
    if cells[0] != (0, 0):
        raise batch_error(call)
    padded = [cells[1 + x.order.index(axis)] for axis in range(len(x.order))]
    return call.add("pad", x, padding=padded, axis=list(range(len(padded))))


def roll(call: LayerCall) -> Output:
    x = call.tensor
    axes = setting(call, "axis", 2)
    if axes is None:
        raise batch_error(call)
    return call.add("roll", x, shift=setting(call, "shift", 1), axis=call.axes(x, axes))


def take(call: LayerCall) -> Output:
    """Elements of an axis at constant places."""
    x = call.natural(call.tensor)
    indices = call.argument(1, "indices")
    place = call.place(setting(call, "axis", 2), len(x.order))
    if isinstance(indices, LayerTensor):
        raise SpecError("CC761", "an index that is a tensor is not read")
    shape = indices.shape if isinstance(indices, ModelConstant) else array_shape(indices)
    if shape == ():
        return _taken(call, x, place, integer("indices", getattr(indices, "value", indices)))
    order = natural(len(x.order) - 1 + len(shape))
    return call.add("gather", x, axis=place, size=shape, order=order)
