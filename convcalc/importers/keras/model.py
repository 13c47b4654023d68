"""A model of Keras with its inputs, and the graph that is built of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from convcalc.arith import Number, equal, require
from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.graph.graph import Graph
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.keras.call import LayerCall, LayerTensor, Net, Output
from convcalc.importers.keras.kinds.table import handler_of, is_model
from convcalc.importers.keras.layouts import Layout, inputs_of, layout_of
from convcalc.importers.keras.network import (
    FunctionalModel,
    OutputReference,
    Raw,
    damaged,
    is_sequential,
    layers_of,
    name_of,
    read_network,
    shape_when_built,
)
from convcalc.importers.keras.opaque import check_built, opaque, require_plain
from convcalc.importers.keras.settings import LayerSettings, bad
from convcalc.importers.model import Model, Size, unknown_sizes
from convcalc.records import dataclass, field, replace

SPATIAL_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
EXAMPLES = {"length": 128, "height": 224, "width": 224, "depth": 16}


@dataclass(frozen=True, eq=False)
class KerasModel(Model):
    """A model whose configuration has been read."""

    raw: Raw = field(default_factory=dict)
    networks: dict[int, FunctionalModel] = field(default_factory=dict)
    layouts: Mapping[str, Layout] = field(default_factory=dict)

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        graph = self._graph(variables, inputs)
        saved = {name: self._as_saved(name, shape) for name, shape in inputs.items()}
        if saved != dict(inputs):
            self._require_same_weights(graph, self._graph(variables, saved))
        return graph

    def _graph(self, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]) -> Graph:
        builder = ModelBuilder(self.source)
        net = Net(builder, as_saved=not inputs and not variables)
        root = LayerCall(net, self.raw, "", [], run=_runner(net, self.networks))
        try:
            given = [self._input(builder, name, variables, inputs.get(name)) for name in self.inputs]
            outputs = _run_model(root, self.networks, given)
        except RecursionError:
            raise damaged("models are nested too deeply") from None
        if not outputs:
            raise damaged("the model has no outputs")
        return builder.graph({str(place): each.handle for place, each in enumerate(outputs)}, name=self.name)

    def _input(
        self, builder: ModelBuilder, name: str, variables: Mapping[str, Number], shape: tuple[Number, ...] | None
    ) -> LayerTensor:
        if shape is None:
            shape = self._sizes(name, variables)
        elif known := self.inputs[name]:
            self._require_like(name, known, shape)
        return LayerTensor(builder.input(name, shape), self.layouts[name].order(len(shape)))

    def _sizes(self, name: str, variables: Mapping[str, Number]) -> tuple[Number, ...]:
        sizes = self.inputs[name]
        missing = [size for size in sizes if isinstance(size, str) and size not in variables]
        if missing or not sizes or None in sizes:
            what = f"{name}: {self._shown(sizes)}" if sizes else f"{name} has no shape"
            raise unknown_sizes(self, (what,), self._hint(name, missing))
        return tuple(variables[size] if isinstance(size, str) else size for size in sizes)  # type: ignore[misc]

    def _hint(self, name: str, missing: Sequence[str]) -> str:
        example = [
            size if isinstance(size, int) else EXAMPLES.get(str(size).rpartition("_")[2], 8)
            for size in self.inputs[name]
        ]
        shape = ",".join(map(str, example)) or "3,224,224"
        which = "" if len(self.inputs) == 1 else f"{name}="
        first = "channels first and " if self.layouts[name].is_spatial or not example else ""
        also = "".join(f" --set {size}={EXAMPLES.get(size.rpartition('_')[2], 8)}" for size in missing)
        return f"{first}without the batch: --input {which}{shape}" + (f", or{also}" if also else "")

    def _require_like(self, name: str, known: Sequence[Size], shape: Sequence[Number]) -> None:
        """Demand as many axes as the model's input has, and the channels of an image."""
        if len(shape) != len(known):
            text = f"the input {quoted(name)} is {self._shown(known)} and has {len(known)} axes without the batch"
            raise SpecError("CC762", f"{text}, not {len(shape)}", hint=self._hint(name, ()))
        if self.layouts[name].is_spatial:
            saved = self._as_saved(name, shape)[0]
            text = "the input {} is {} and has the channels first: its layers are for {}, not {}"
            with self._hinted(name):
                require(equal(saved, shape[0]), "CC762", text, quoted(name), self._shown(known), saved, shape[0])

    @contextmanager
    def _hinted(self, name: str, place: Span | None = None) -> Iterator[None]:
        """Give errors about an input the hint that shows how it is given, and a place."""
        try:
            yield
        except SpecError as error:
            error.hint, error.span = self._hint(name, ()), place or error.span
            raise

    def _shown(self, sizes: Sequence[Size]) -> str:
        return f"[{', '.join(str(size) if isinstance(size, int) else '?' for size in sizes)}]"

    def _as_saved(self, name: str, shape: Sequence[Number]) -> tuple[Number, ...]:
        """Return the shape of an input with the sizes that the model was saved with, where it has some."""
        known = self.inputs[name] or (None,) * len(shape)
        return tuple(old if isinstance(old, int) else new for old, new in zip(known, shape, strict=True))

    def _require_same_weights(self, graph: Graph, saved: Graph) -> None:
        """Demand that every layer has the weights that were saved, whatever enters the model."""
        built = {node.path: node.facts for node in saved.layers}
        shown = ", ".join(f"{name} {self._shown(sizes)}" for name, sizes in self.inputs.items())
        text = "the weights of the layer are for inputs of {}: of the given ones it would have others"
        for node in graph.layers:
            old, now = built[node.path].weights if node.path in built else {}, node.facts.weights
            with self._hinted(next(iter(self.inputs)), node.source):
                for name in old:
                    for one, two in zip(old[name], now[name], strict=True):
                        require(equal(one, two), "CC762", text, shown)


def open_config(source: Source, raw: Raw) -> KerasModel:
    """Return a model from its configuration.

    Raises:
        SpecError: CC760 for what is damaged, CC761 for a model whose layers the file does not have.
    """
    if not is_model(raw):
        name = quoted(str(raw.get("class_name")))
        hint = "export it to ONNX: model.export('model.onnx', format='onnx')"
        text = f"the file has no layers of the model {name}, which its own code makes"
        raise SpecError("CC761", text, hint=hint)
    networks: dict[int, FunctionalModel] = {}
    try:
        found = inputs_of(raw, networks)
        layouts = {name: layout_of(raw, place, sizes, networks) for place, (name, sizes) in enumerate(found)}
    except RecursionError:
        raise damaged("models are nested too deeply") from None
    shapes = {name: _named(name, sizes, layouts[name], len(found) == 1) for name, sizes in found}
    variables = {size: None for shape in shapes.values() for size in shape if isinstance(size, str)}
    name = LayerSettings(raw["config"]).text("name") if isinstance(raw["config"], dict) else ""
    return KerasModel(source, shapes, name=name, variables=variables, raw=raw, networks=networks, layouts=layouts)


def _named(name: str, sizes: Sequence[int | None] | None, layout: Layout, alone: bool) -> tuple[Size, ...]:
    """Return the sizes of an input in the order of the graph, names for those that are open."""
    if sizes is None:
        return ()
    if not sizes:
        return (1,)
    rank = len(sizes)
    order = layout.order(rank)
    ours = [sizes[order.index(axis)] for axis in range(rank)]
    spatial = SPATIAL_NAMES.get(rank - 1, tuple(f"axis{axis}" for axis in range(1, rank)))
    words = ["channels", *spatial] if layout.is_spatial else [*spatial, "features"] if rank > 1 else ["features"]
    prefix = "" if alone else "".join(c if c.isalnum() and c.isascii() else "_" for c in name) + "_"
    prefix = f"x{prefix}" if prefix[:1].isdigit() else prefix
    return tuple(f"{prefix}{word}" if size is None else size for size, word in zip(ours, words, strict=True))


# --- running ----------------------------------------------------------------------------------------------------------


def _runner(net: Net, networks: dict[int, FunctionalModel]) -> Callable[[LayerCall], Output]:
    """Return what runs the call of any layer."""

    def run(call: LayerCall) -> Output:
        net.count_call()
        if not isinstance(call.raw, Mapping):
            raise bad("a layer is not an object")
        if is_model(call.raw):
            given = call.tensors
            scoped = LayerCall(net, call.raw, net.scope(call.path), [], lead=call.lead, run=run)
            outputs = _run_model(scoped, networks, given)
            return outputs if len(outputs) > 1 else outputs[0]
        with net.builder.errors_at(call.path):
            handler = handler_of(call.raw)
            if handler is None:
                return opaque(call)
            require_plain(call)
            check_built(call)
            return handler(call)

    return run


def _run_model(
    call: LayerCall, networks: dict[int, FunctionalModel], given: Sequence[LayerTensor]
) -> list[LayerTensor]:
    if is_sequential(call.raw):
        if len(given) != 1:
            raise damaged(f"{len(given)} tensors enter the sequential model {quoted(name_of(call.raw))}")
        return _run_sequential(call, given[0])
    return _run_functional(call, read_network(call.raw, networks), given)


def _listed(output: Output) -> list[LayerTensor]:
    return output if isinstance(output, list) else [output]


def _run_functional(call: LayerCall, network: FunctionalModel, given: Sequence[LayerTensor]) -> list[LayerTensor]:
    """Run a functional model on its inputs and return its outputs."""
    if len(given) != len(network.inputs):
        raise damaged(f"{len(given)} tensors enter a model of {len(network.inputs)} inputs")
    known: dict[tuple[str, int], list[LayerTensor]] = {
        (each.layer, each.node): [tensor] for each, tensor in zip(network.inputs, given, strict=True)
    }
    turns: dict[str, int] = {}
    for node in network.nodes:
        if (node.name, node.number) in known:
            continue
        args, kwargs = (_filled(each, known) for each in (node.args, node.kwargs))
        turn = turns[node.name] = turns.get(node.name, 0) + 1
        path = call.at(node.name if turn == 1 else f"{node.name}_{turn}")
        recorded = partial(network.shape_of, node)
        output = call.run(replace(call, raw=node.raw, path=path, args=args, kwargs=kwargs, recorded=recorded))
        known[node.name, node.number] = _listed(output)
    return [_filled(each, known) for each in network.outputs]


def _filled(value: Any, known: Mapping[tuple[str, int], Sequence[LayerTensor]]) -> Any:
    """Return arguments with the tensors in place of the outputs that they name."""
    if isinstance(value, OutputReference):
        outputs = known.get((value.layer, value.node), ())
        if not 0 <= value.output < len(outputs):
            raise damaged(f"output {value.output} of {quoted(value.layer)} is read, which has {len(outputs)}")
        return outputs[value.output]
    if isinstance(value, Mapping):
        return {key: _filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    return value


def _run_sequential(call: LayerCall, x: Output) -> list[LayerTensor]:
    """Run the layers of a sequential model one behind the other: what enters one has left the one before."""
    layers = [each for each in layers_of(call.raw) if each.get("class_name") != "InputLayer"]
    for each, following in zip(layers, [*layers[1:], {}], strict=False):
        args = [x if isinstance(x, LayerTensor) or len(x) > 1 else x[0]]
        recorded = {0: shape_when_built(following)}.get
        x = call.run(replace(call, raw=each, path=call.at(name_of(each)), args=args, kwargs={}, recorded=recorded))
    return _listed(x)
