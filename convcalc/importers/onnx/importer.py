"""ONNX models as graphs of layers: sizes that a file leaves open are variables, the batch is 1 by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from convcalc.arith import Number
from convcalc.errors import Source, SpecError, quoted
from convcalc.graph.graph import Graph
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.model import Model, Size, unknown_sizes
from convcalc.importers.onnx import model as file
from convcalc.importers.onnx.model import read_onnx
from convcalc.importers.onnx.run import Run
from convcalc.importers.onnx.values import Scope, Sizes, Value, body, constant
from convcalc.shapes import Shape


@dataclass(frozen=True, eq=False)
class OnnxModel(Model):
    """A file that has been read."""

    structure: file.Model | None = None

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        assert self.structure is not None
        structure, builder = self.structure, ModelBuilder(self.source)
        run = Run(structure, builder, variables)
        scope = Scope(structure.opsets)
        constants = {tensor.name for tensor in structure.graph.constants}
        missing: list[str] = []
        for value in structure.graph.inputs:
            if value.name not in constants:
                sizes = _input_sizes(value, variables, inputs.get(value.name), missing)
                if not missing:
                    scope.values[value.name] = _input(builder, value, sizes)
        if missing:
            raise unknown_sizes(self, tuple(dict.fromkeys(missing)), _hint(self))
        try:
            run.run_graph(structure.graph, scope)
        except RecursionError:
            raise SpecError("CC760", "is no valid ONNX graph: its operations are nested too deep", self.span()) from None
        _keep_unused(run, structure.graph)
        _warn_of_places(self, structure.graph, builder)
        outputs = [(value.name, scope.find(value.name)) for value in structure.graph.outputs]
        for name, found in outputs:
            if found is None:
                raise run.damaged(f"nothing writes its output {quoted(name)}")
        handles = {name: run.handle(found) for name, found in outputs if found is not None and found.sizes is not None}
        if not handles:
            handles = {"output": builder.last}
        return builder.graph(handles, name=self.name)


def _input_sizes(
    value: file.Value, variables: Mapping[str, Number], given: tuple[Number, ...] | None, missing: list[str]
) -> Sizes:
    """Return the sizes of an input; those that nobody knows are added to ``missing``."""
    if given is not None:
        return _given_sizes(value, given)
    if value.shape is None:
        missing.append(f"the shape of {value.name}")
        return ()
    sizes: list[Number] = []
    for axis, size in enumerate(value.shape):
        found = variables.get(size) if isinstance(size, str) else size
        if not isinstance(size, str) and not size:
            found = None
        if found is None and axis == 0:
            found = 1
        if found is None:
            missing.append(f"{size} of {value.name}" if size else f"axis {axis} of {value.name}")
        sizes.append(1 if found is None else found)
    return tuple(sizes)


def _given_sizes(value: file.Value, given: tuple[Number, ...]) -> Sizes:
    """Return sizes that a user gave, with or without the batch."""
    rank = len(given) + 1 if value.shape is None else len(value.shape)
    if len(given) == rank - 1:
        return (1, *given)
    if len(given) == rank:
        return given
    text = f"{quoted(value.name)} has {rank} axes, {rank - 1} without the batch, not {len(given)}"
    raise SpecError("CC762", text)


def _input(builder: ModelBuilder, value: file.Value, sizes: Sizes) -> Value:
    handle = builder.input(value.name, body(sizes))
    return Value(value.name, sizes, value.data_type, handle=handle)


def _keep_unused(run: Run, graph: file.Graph) -> None:
    """Add a row for the parameters that no operation reads."""
    read = {name for node in graph.nodes for name in _all_reads(node)} | {value.name for value in graph.outputs}
    for tensor in graph.constants:
        value = constant(tensor)
        if tensor.name not in read and value.is_learned and tensor.data_type in file_floats():
            shape = Shape(tensor.sizes)
            if any(size == 0 for size in shape):
                continue
            handle = run.layers.add(tensor.name, "param", run.anchor(), path=f"unused.{tensor.name}", shape=tensor.sizes)
            run.hold(handle, {"weight": (value, shape)})
            text = f"no operation reads the parameter {quoted(tensor.name)}; it is counted as unused"
            run.layers.warnings.append(SpecError("CC815", text, run.layers.span(tensor.name)))


def file_floats() -> frozenset[int]:
    from convcalc.importers.onnx.values import FLOATS

    return FLOATS


def _all_reads(node: file.Node) -> Iterator[str]:
    from convcalc.importers.onnx.run import reads

    yield from reads(node)


def _warn_of_places(model: OnnxModel, graph: file.Graph, builder: ModelBuilder) -> None:
    """Warn of external data outside the folder of the file; it is never opened."""
    for tensor in graph.constants:
        parts = tensor.location.replace("\\", "/").split("/")
        if tensor.location and (".." in parts or parts[0] == "" or parts[0].endswith(":")):
            text = f"the data of {quoted(tensor.name)} are said to be in {quoted(tensor.location)}; no such file is opened"
            builder.warnings.append(SpecError("CC814", text, model.span(tensor.name)))
            return


def _hint(model: OnnxModel) -> str:
    names = [name for name, default in model.variables.items() if default is None]
    given = f"--set {names[0]}=N" if names else ""
    first = next(iter(model.inputs), "NAME")
    return " or ".join(filter(None, (given, f"--input {first}=SIZES, without the batch axis")))


def read_model(source: Source) -> OnnxModel:
    """Read an ONNX file.

    Raises:
        SpecError: CC001, CC760.
    """
    structure = read_onnx(source.name)
    constants = {tensor.name for tensor in structure.graph.constants}
    entering = [value for value in structure.graph.inputs if value.name not in constants]
    variables: dict[str, int | None] = {}
    for value in entering:
        for axis, size in enumerate(value.shape or ()):
            if isinstance(size, str) and size.isidentifier() and (axis == 0 or size not in variables):
                variables[size] = 1 if axis == 0 else None
    return OnnxModel(
        source, {value.name: _without_batch(value) for value in entering}, structure.graph.name, variables=variables,
        structure=structure,
    )  # fmt: skip


def _without_batch(value: file.Value) -> tuple[Size, ...]:
    sizes = tuple(size or None for size in value.shape or ())
    return sizes[1:] if len(sizes) > 1 and (not isinstance(sizes[0], int) or sizes[0] == 1) else sizes
