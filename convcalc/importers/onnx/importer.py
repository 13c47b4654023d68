"""ONNX models as graphs of layers: sizes that a file leaves open are variables, the batch is 1 by default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from convcalc.arith import Number
from convcalc.errors import Source, SpecError, quoted
from convcalc.graph.graph import Graph
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.model import Model, Size, unknown_sizes
from convcalc.importers.onnx import model as file
from convcalc.importers.onnx.model import read_onnx
from convcalc.importers.onnx.run import GraphWalk, reads
from convcalc.importers.onnx.values import FLOATS, Scope, Sizes, Value, body, constant
from convcalc.records import dataclass, field
from convcalc.shapes import Shape

SUM_OR_PRODUCT = re.compile(r"[\w\s+*/()-]*\w\s*[+*/-][\w\s+*/()-]*")
NAMES_OF_EXPORTERS = ("main_graph", "main", "torch_jit", "torch-jit-export", "graph")
"""Names of graphs that say nothing of the model."""

MAX_NAMES = 4
NEWEST_OPSET = 28
"""The newest version of ONNX's own operators that has been looked at: that of ONNX 1.23."""


@dataclass(frozen=True, eq=False)
class OnnxModel(Model):
    """A file that has been read."""

    structure: file.OnnxFile = field(kw_only=True)
    names: Mapping[str, str] = field(kw_only=True)
    """The variables of free dimensions, by the names that these have in the file."""

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        run, scope = self.walk(variables, inputs)
        return run.layers.graph(self._outputs(run, scope), name=self.name)

    def walk(
        self, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> tuple[GraphWalk, Scope]:
        """Make all layers, and return with them the tensors of the graph by their names."""
        structure, builder = self.structure, ModelBuilder(self.source)
        entering, sizes = _entering(structure), self._sizes(variables, inputs)
        named = {
            name: size
            for value in entering
            for name, size in zip(value.shape or (), sizes[value.name], strict=False)
            if isinstance(name, str)
        }
        run, scope = GraphWalk(structure, builder, named), Scope(structure.opsets)
        for value in entering:
            handle = builder.input(value.name, body(sizes[value.name]))
            scope.values[value.name] = Value(value.name, sizes[value.name], value.data_type, handle=handle)
        try:
            run.run_graph(structure.graph, scope)
        except RecursionError:
            raise run.damaged("its operations are nested too deep") from None
        _keep_unused(run, structure.graph)
        _warn_of_merged(run)
        _warn_of_places(self, structure.graph, builder)
        if (version := structure.opsets.get("", structure.opsets.get("ai.onnx", 0))) > NEWEST_OPSET:
            text = f"its operators are of version {version}; those of versions up to {NEWEST_OPSET} are known"
            builder.warnings.append(SpecError("CC814", text, self.span()))
        return run, scope

    def _sizes(self, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]) -> Mapping[str, Sizes]:
        missing: list[str] = []
        known = {name: variables[word] for name, word in self.names.items() if word in variables}
        sizes = {
            value.name: _input_sizes(value, known, inputs.get(value.name), missing)
            for value in _entering(self.structure)
        }
        if missing:
            raise unknown_sizes(self, tuple(dict.fromkeys(missing)), _hint(self, known))
        return sizes

    def _outputs(self, run: GraphWalk, scope: Scope) -> Mapping[str, int]:
        """Return the layers of outputs; those that are constants or open are none."""
        handles = {}
        for name in dict.fromkeys(output.name for output in self.structure.graph.outputs):
            value = scope.find(name)
            if value is None:
                raise run.damaged(f"nothing writes its output {quoted(name)}")
            if value.sizes is not None and (value.is_learned or not value.is_constant):
                handles[name] = run.handle(value)
        if not handles and run.layers.last < 0:
            raise SpecError("CC761", "it computes constants alone, and has no layer", self.span())
        return handles or {"output": run.layers.last}


def _entering(structure: file.OnnxFile) -> list[file.ValueType]:
    """Return the inputs; old files list constants among them."""
    constants = {tensor.name for tensor in structure.graph.constants}
    return [value for value in structure.graph.inputs if value.name not in constants]


def _input_sizes(
    value: file.ValueType, known: Mapping[str, Number], given: tuple[Number, ...] | None, missing: list[str]
) -> Sizes:
    """Return the sizes of an input; those that nobody knows are added to ``missing``."""
    if given is not None:
        return _given_sizes(value, known, given)
    if value.shape is None:
        missing.append(f"the shape of {value.name}")
        return ()
    sizes: list[Number] = []
    for axis, size in enumerate(value.shape):
        found = _known_size(size, known)
        if found is None and axis:
            missing.append(f"{size} of {value.name}" if size else f"axis {axis} of {value.name}")
        sizes.append(1 if found is None else found)
    return tuple(sizes)


def _known_size(size: Size, known: Mapping[str, Number]) -> Number | None:
    """Return a size that the file states or a user gave; old exporters write 0 for one that is free."""
    if isinstance(size, str):
        return known[size] if size in known else evaluated(size, known)
    return size or None


def _given_sizes(value: file.ValueType, known: Mapping[str, Number], given: tuple[Number, ...]) -> Sizes:
    """Return sizes that a user gave, with or without the batch."""
    rank = len(given) + 1 if value.shape is None else len(value.shape)
    if len(given) == rank - 1:
        batch = _known_size(value.shape[0], known) if value.shape else None
        return (1 if batch is None else batch, *given)
    if len(given) == rank:
        return given
    text = f"{quoted(value.name)} has {rank} axes, {rank - 1} without the batch, not {len(given)}"
    raise SpecError("CC762", text)


def _keep_unused(run: GraphWalk, graph: file.OnnxGraph) -> None:
    """Add a row for the parameters that no operation reads."""
    read = {name for node in graph.nodes for name in reads(node)} | {value.name for value in graph.outputs}
    for tensor in graph.constants:
        value = constant(tensor)
        if tensor.name not in read and value.is_learned and tensor.data_type in FLOATS:
            if 0 in tensor.sizes:
                continue
            path = f"unused.{tensor.name}"
            handle = run.layers.add(tensor.name, "param", run.anchor(), path=path, shape=tensor.sizes)
            run.hold(handle, {"weight": (value, Shape(tensor.sizes))})
            text = f"no operation reads the parameter {quoted(tensor.name)}; it is counted as unused"
            run.layers.warnings.append(SpecError("CC815", text, run.layers.span(tensor.name)))


def _warn_of_merged(run: GraphWalk) -> None:
    """Warn of biases and scales that an exporter stored once for several layers, as their initial values are equal."""
    if run.merged:
        keys, more = {key for key, _ in run.merged}, sum(run.merged.values())
        text = (
            f"{len(keys):,} biases or scales are read by several layers: exporters store equal values once; "
            f"params count each once, and may be {more:,} more in the code"
        )
        hint = "export the model after training"
        run.layers.warnings.append(SpecError("CC816", text, run.layers.span(""), hint))


def _warn_of_places(model: OnnxModel, graph: file.OnnxGraph, builder: ModelBuilder) -> None:
    """Warn of external data outside the folder of the file; it is never opened."""
    for tensor in graph.constants:
        parts = tensor.location.replace("\\", "/").split("/")
        if tensor.location and (".." in parts or parts[0] == "" or parts[0].endswith(":")):
            where = quoted(tensor.location)
            text = f"the data of {quoted(tensor.name)} are said to be in {where}; no such file is opened"
            builder.warnings.append(SpecError("CC814", text, model.span(tensor.name)))
            return


def _hint(model: OnnxModel, known: Mapping[str, Number]) -> str:
    words = [word for name, word in model.names.items() if name not in known and model.variables[word] is None]
    given = " ".join(f"--set {word}=N" for word in words[:MAX_NAMES])
    first = next(iter(model.inputs), "NAME")
    return " or ".join(filter(None, (given, f"--input {first}=SIZES, without the batch axis")))


def read_model(source: Source) -> OnnxModel:
    """Read an ONNX file.

    Raises:
        SpecError: CC001, CC760.
    """
    structure = read_onnx(source.name)
    name = "" if structure.graph.name in NAMES_OF_EXPORTERS else structure.graph.name
    entering = _entering(structure)
    free = [(axis, size) for value in entering for axis, size in enumerate(value.shape or ()) if isinstance(size, str)]
    names = variable_names(size for _, size in free)
    leading = {size for axis, size in free if axis == 0}
    variables = {word: 1 if size in leading else None for size, word in names.items()}
    inputs = {value.name: _without_batch(value, names) for value in entering}
    return OnnxModel(source, inputs, name, variables=variables, structure=structure, names=names)


def _without_batch(value: file.ValueType, names: Mapping[str, str]) -> tuple[Size, ...]:
    sizes = tuple(names.get(size, size) if isinstance(size, str) else size or None for size in value.shape or ())
    return sizes[1:] if len(sizes) > 1 and (not isinstance(sizes[0], int) or sizes[0] == 1) else sizes


# --- names of free dimensions: variables, or expressions of these, such as `past_length + length` ---------------------


def variable_names(names: Iterable[str]) -> dict[str, str]:
    """Return the variables of dimensions by their names; what is no name is made one: ``seq len`` is ``seq_len``.

    Expressions of other dimensions have none.
    """
    all_names = dict.fromkeys(names)
    found = {name: name for name in all_names if name.isidentifier()}
    sizes = dict.fromkeys(found, 16)
    for name in all_names:
        if name not in sizes and evaluated(name, sizes) is None:
            base = re.sub(r"\W+", "_", name).strip("_")
            base = base if base.isidentifier() else f"n_{base}".rstrip("_")
            variable, number = base, 1
            while variable in found.values():
                number += 1
                variable = f"{base}_{number}"
            found[name] = variable
    return found


def evaluated(text: str, variables: Mapping[str, Number]) -> Number | None:
    """Return the value of an expression of variables; none if it is no such expression, or a variable is not known."""
    if not SUM_OR_PRODUCT.fullmatch(text):
        return None
    from convcalc.spec.expressions.errors import ExpressionError
    from convcalc.spec.expressions.expression import parse

    try:
        expression = parse(text, variables)
        if not expression.names or any(name.text not in variables for name in expression.names):
            return None
        value: Number = expression.evaluate(variables)
    except ExpressionError:
        return None
    return value
