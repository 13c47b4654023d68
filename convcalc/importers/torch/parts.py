"""Parameters that are one tensor of which a model reads parts: the packed projections of an attention, experts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from convcalc.importers.torch.aten.rules import axis_of
from convcalc.importers.torch.aten.views import SPLITS, part_of
from convcalc.importers.torch.recording import Body, Recording, Shape, TensorReference, TorchParam, TracedNode
from convcalc.records import NamedTuple, replace


class ParameterPart(NamedTuple):
    """Cells along an axis of a parameter, and the shape in which they are read."""

    axis: int
    start: int
    stop: int
    shape: Shape


def with_parts(recording: Recording) -> Recording:
    """Return a recording that has a parameter for each part, where a parameter is read in parts that make up all of it.

    So each part can be the weight of a layer, such as that of the queries in an attention over another sequence.
    """
    known = {each.name: each for each in recording.parameters if each.learned}
    readers: dict[str, list[TracedNode]] = {}
    for node in recording.nodes:
        for key in {known[reference.name].key for reference in node.references if reference.name in known}:
            readers.setdefault(key, []).append(node)
    for reference in recording.outputs:
        if reference.name in known:
            readers.pop(known[reference.name].key, None)
    made: dict[str, list[TorchParam]] = {}
    renamed: dict[TensorReference, TensorReference] = {}
    for parameter in {each.key: each for each in known.values() if each.key in readers}.values():
        found = _parts(parameter, readers[parameter.key])
        places = {part: f"{parameter.key}.{place}" for place, part in enumerate(sorted({*found.values()}))}
        if _make_up(places, parameter.shape):
            made[parameter.key] = [TorchParam(name, name, part.shape, True) for part, name in places.items()]
            renamed |= {reference: TensorReference(places[part]) for reference, part in found.items()}
    if not made:
        return recording
    dropped = {reference.name for reference in renamed}
    return replace(
        recording,
        parameters=[*_replaced(recording.parameters, made)],
        nodes=[_renamed(node, renamed) for node in recording.nodes if node.name not in dropped],
        outputs=[renamed.get(each, each) for each in recording.outputs],
    )


def _parts(parameter: TorchParam, readers: Sequence[TracedNode]) -> dict[TensorReference, ParameterPart]:
    """Return what each output of its readers is; nothing where one of them reads more than a part."""
    found: dict[TensorReference, ParameterPart] = {}
    for node in readers:
        axis, stop = axis_of(node["dim"] or 0, len(parameter.shape)), 0
        for place, shape in enumerate(node.outputs):
            if shape is None or not shape or node.in_place:
                return {}
            if node.op in SPLITS:
                start, stop = stop, stop + (1 if node.op.startswith("unbind") else shape[axis])
                step = 1
            elif node.op in ("select", "slice", "narrow"):
                start, stop, step = part_of(node, parameter.shape[axis])
            else:
                return {}
            if step != 1:
                return {}
            found[TensorReference(node.name, place)] = ParameterPart(axis, start, stop, shape)
    return found


def _make_up(parts: Iterable[ParameterPart], shape: Shape) -> bool:
    """Whether sorted parts follow each other along one axis, from its begin to its end, and are several."""
    found = [*parts]
    if len(found) < 2 or len({part.axis for part in found}) > 1:
        return False
    return [*(part.start for part in found), shape[found[0].axis]] == [0, *(part.stop for part in found)]


def _replaced(parameters: Iterable[TorchParam], made: Mapping[str, Sequence[TorchParam]]) -> Iterator[TorchParam]:
    for parameter in parameters:
        if parameter.key not in made:
            yield parameter
        elif parameter.name == parameter.key:
            yield from made[parameter.key]


def _renamed(node: TracedNode, names: Mapping[TensorReference, TensorReference]) -> TracedNode:
    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(each) for each in value]
        return names.get(value, value) if isinstance(value, TensorReference) else value

    arguments = {name: renamed(value) for name, value in node.arguments.items()}
    bodies = tuple(
        Body(tuple(_renamed(each, names) for each in body.nodes), tuple(map(renamed, body.results)))
        for body in node.bodies
    )
    return replace(node, arguments=arguments, bodies=bodies)
