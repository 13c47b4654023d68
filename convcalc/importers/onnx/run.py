"""Walking through an ONNX graph: what is constant is computed, everything else becomes layers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convcalc.arith import Number, prod
from convcalc.errors import SpecError, quoted
from convcalc.graph.graph import topological_order
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.onnx import control
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.folding.fold import fold
from convcalc.importers.onnx.model import OnnxFile, OnnxGraph, OnnxNode
from convcalc.importers.onnx.nodes import tables
from convcalc.importers.onnx.paths import layer_paths, module_classes
from convcalc.importers.onnx.values import REARRANGING, OpenShape, Scope, Sizes, Value, body, constant, rearranged, same
from convcalc.shapes import Shape

STEPS_PER_NODE = 16
"""Operations that are run at most, for each of the file: bodies of loops and functions are run many times."""
MIN_STEPS = 20_000
DOMAINS = ("", "ai.onnx")
_TURN = re.compile(r"_\d+(?=\.|$)|(?<=\.round)\d+")
"""What tells the calls of one module apart in a path."""


class GraphWalk:
    """The state of one walk: the graph that is built, and a second one for what only constants go through."""

    def __init__(self, structure: OnnxFile, builder: ModelBuilder, sizes: Mapping[str, Any]) -> None:
        self.structure = structure
        self.layers = self.builder = builder
        self.shadow = ModelBuilder(builder.source)
        self.sizes = sizes
        self.functions = {(each.domain, each.name): each for each in structure.functions}
        self.fused: dict[int, int] = {}
        """Nodes that an earlier layer stands for, and which of their inputs has its output."""
        self.used: dict[int, Number] = {}
        """Elements of the constants of the file that layers have."""
        self.statistics = {
            name for node in structure.graph.nodes if node.op == "BatchNormalization" for name in node.inputs[3:5]
        }
        """Names of running means and variances: buffers, also where exporters write one constant for equal ones."""
        self.written: dict[tuple[int, Sizes], tuple[Value, Any, OnnxNode]] = {}
        """Constants by the nodes that they are written in, which are held, so that no other has the identity of one."""
        self.merged: dict[tuple[int, str], Number] = {}
        """Elements of biases and scales, of each the key and the further modules that read it."""
        self._first_reader: dict[int, str] = {}
        written = len(structure.graph.nodes) + sum(len(function.nodes) for function in structure.functions)
        self.steps = max(MIN_STEPS, STEPS_PER_NODE * written)
        self._materialised: list[Value] = []
        self._differs = False

    # --- graphs -------------------------------------------------------------------------------------------------------

    def run_graph(self, graph: OnnxGraph, scope: Scope) -> None:
        """Run all nodes of a graph, whose inputs are in the scope."""
        for tensor in graph.constants:
            if tensor.name in scope.values and scope.values[tensor.name] is not None and scope.parent is not None:
                raise self.damaged(f"two values have the name {quoted(tensor.name)}")
            scope.values[tensor.name] = constant(tensor)
        scope.stated = self._stated(graph)
        self.run_nodes(graph.nodes, [value.name for value in graph.outputs], scope)

    def run_nodes(self, nodes: Sequence[OnnxNode], outputs: Iterable[str], scope: Scope) -> None:
        """Run the nodes of a graph or a function in an order in which every one reads what is known."""
        scope.readers = _readers(nodes, outputs)
        for module, class_name in module_classes(nodes).items():
            if module:
                self.builder.scope(f"{scope.path}.{module}" if scope.path else module, class_name)
        for place, path in self._ordered(nodes, scope):
            self.step(nodes[place], path, scope)

    def _ordered(self, nodes: Sequence[OnnxNode], scope: Scope) -> Iterable[tuple[int, str]]:
        writers: dict[str, int] = {}
        for place, node in enumerate(nodes):
            for name in filter(None, node.outputs):
                if name in writers or scope.values.get(name) is not None:
                    raise self.damaged(f"two values have the name {quoted(name)}", node.name)
                writers[name] = place
        order: Sequence[int] = range(len(nodes))
        read = [reads(node) for node in nodes]
        if any(writers.get(name, -1) >= place for place, names in enumerate(read) for name in names):
            try:
                order = topological_order([[writers[name] for name in names if name in writers] for names in read])
            except ValueError:
                raise self.damaged("its operations form a cycle") from None
        return zip(order, layer_paths([nodes[place] for place in order], scope.path), strict=True)

    def step(self, node: OnnxNode, path: str, scope: Scope) -> None:
        """Run one node."""
        self.steps -= 1
        if self.steps < 0:
            raise SpecError("CC761", "its loops and functions run too many operations", self.builder.span(node.name))
        if not any(node.outputs):
            raise self.damaged(f"{quoted(node.op)} has no output", node.name)
        inputs = [scope.find(name) if name else None for name in node.inputs]
        for name, value in zip(node.inputs, inputs, strict=True):
            if name and value is None:
                raise self.damaged(f"it reads {quoted(name)}, which nothing writes", node.name or node.op)
        results = self.perform(NodeCall(self, node, inputs, scope, path))
        for name, value in zip(node.outputs, results, strict=False):
            if name:
                scope.values[name] = value or Value(name, None)

    def _stated(self, graph: OnnxGraph) -> dict[str, Sizes]:
        stated: dict[str, Any] = {}
        for value in (*graph.values, *graph.outputs):
            sizes = [self.sizes.get(size, size) if isinstance(size, str) else size for size in value.shape or (None,)]
            if value.shape is not None and not any(size is None or isinstance(size, str) for size in sizes):
                stated[value.name] = tuple(sizes)
        return stated

    # --- one node -----------------------------------------------------------------------------------------------------

    def perform(self, call: NodeCall, *, folds: bool = True) -> list[Value | None]:
        """Return the outputs of a node: constants, or values with layers."""
        try:
            return self._perform(call, folds)
        except OpenShape:
            return call.leave_open()
        except SpecError as error:
            error.span = error.span or self.builder.span(call.name)
            raise
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration) as error:
            text = f"the operation {quoted(call.op)} does not fit its inputs or attributes ({type(error).__name__})"
            raise self.damaged(text, call.name) from error

    def _perform(self, call: NodeCall, folds: bool) -> list[Value | None]:
        if (place := self.fused.pop(id(call.node), None)) is not None:  # the next call of a function decides anew
            return [call.x[place]]
        if (function := self.functions.get((call.node.domain, call.node.op))) is not None:
            return control.inline(call, function)
        if call.node.domain in DOMAINS and call.op in control.OPERATIONS:
            return control.OPERATIONS[call.op](call)
        call = tables.rewritten(call)
        handler = tables.handler(call)
        if handler is None:
            return call.leave_opaque()
        is_constant = all(value is None or value.is_constant for value in call.x)
        is_written = any(call.x) or call.op == "Constant"
        if is_constant and is_written and folds and (results := fold(call)) is not None:
            return results
        is_learned = any(value is not None and value.is_learned for value in call.x)
        if is_constant and any(call.x) and (not is_learned or (folds and call.op in REARRANGING)):
            return self._perform_in_shadow(call, handler, is_learned=is_learned)
        handler(call)
        return call.outputs

    def _perform_in_shadow(self, call: NodeCall, handler: Any, *, is_learned: bool) -> list[Value | None]:
        """Run a node of constants for their shapes: none is a parameter, or they become layers where one is read."""
        outer, self.builder = self.builder, self.shadow
        try:
            handler(call)
        except SpecError:  # such as empty tensors, which no layer has
            raise OpenShape from None
        finally:
            self.builder = outer
        for place, value in enumerate(call.outputs):
            if value is not None:
                value.shadow, value.handle, value.is_constant = value.handle, None, True
                if is_learned:
                    value.is_learned, value.recipe = True, (call.node, call.x, place)
        return call.outputs

    def handle(self, value: Value) -> int:
        """Return the layer of a value; a constant becomes one where something reads it as a tensor."""
        if self.builder is self.shadow:
            if value.shadow is None:
                value.shadow = self.shadow.input(value.name, body(value.shape))
            return value.shadow
        if value.handle is None:
            self._materialised.append(value)
            value.handle = self._materialise(value)
        return value.handle

    def _materialise(self, value: Value) -> int:
        if value.recipe is not None:
            node, inputs, place = value.recipe
            scope = Scope(self.structure.opsets, path="")
            made = self.perform(NodeCall(self, node, inputs, scope, node.name or node.op), folds=False)[place]
            if made is not None and made is not value:
                return self.handle(made)
        shape = body(value.shape)
        handle = self.builder.add(
            value.name, "param", self.anchor(), shape=tuple(shape), learned=None if value.is_learned else False
        )
        self.hold(handle, {"weight": (value, shape)} if value.is_learned else {})
        return handle

    def anchor(self) -> int:
        """Return a layer for what has no input: the first of all."""
        return 0 if self.builder.last >= 0 else self.builder.input("constants", (1,))

    def hold(
        self, handle: int, weights: Mapping[str, tuple[Value | None, Shape]], statistics: Sequence[Value] = ()
    ) -> None:
        """Let a layer have constants of the file as weights, and as buffers those that are not learned."""
        learned: dict[str, tuple[int, Shape]] = {}
        kept: dict[str, tuple[int, Shape]] = {}
        bits: dict[int, int] = {}
        for name, (value, shape) in weights.items():
            if value is None or not value.is_constant:
                continue
            if value.recipe is not None:
                parts = rearranged(value)
                if not parts:
                    self.handle(value)
                for part in parts:
                    bits[part.key] = part.bits
                    learned[f"{name}.{part.name}"] = (part.key, Shape(part.shape))
                    self.used[part.key] = prod(part.shape)
            elif value.key:
                self._note_reader(value, shape, self.builder.path_of(handle))
                bits[value.key] = value.bits
                is_kept = value.name in self.statistics
                (kept if is_kept else learned)[name] = (value.key, shape)
                self.used[value.key] = 0 if is_kept else shape.elements
            for extra in value.quantisation:
                bits[extra.key] = extra.bits
                kept[f"{name}.{extra.name}"] = (extra.key, Shape(extra.shape))
        for value in statistics:
            if value.key:
                kept[value.name] = (value.key, Shape(value.shape))
        kept = {name: pair for name, pair in kept.items() if pair[0]}
        self.builder.hold(handle, learned, kept, {key: width for key, width in bits.items() if key and width < 32})

    def _note_reader(self, value: Value, shape: Shape, path: str) -> None:
        """Note that a layer has equal numbers, or numbers that are not in the file, as a bias or a scale."""
        module = _TURN.sub("", path)
        may_be_merged = shape.rank == 1 and len(set(value.elements or ())) <= 1
        if may_be_merged and self._first_reader.setdefault(value.key, module) != module:
            self.merged[value.key, module] = shape.elements

    def rollback(self, mark: tuple[Any, ...]) -> None:
        """Forget the layers since a mark."""
        self.layers.rollback(mark)
        for value in self._materialised:
            if value.handle is not None and value.handle >= mark[0]:
                value.handle = None

    def check_stated(self, call: NodeCall, value: Value) -> None:
        """Warn, for the first, of a shape that the file states otherwise."""
        stated = call.scope.stated.get(value.name)
        if stated is None or self._differs or value.sizes is None or same(stated, value.sizes):
            return
        if all(type(size) is int for size in (*stated, *value.sizes)):
            self._differs = True
            text = f"the file states the shape {Shape(stated)} of {quoted(value.name)}, which has {Shape(value.sizes)}"
            self.layers.warnings.append(SpecError("CC814", text, self.layers.span(call.name)))

    def damaged(self, text: str, node: str = "") -> SpecError:
        """Return the error for a graph that cannot be."""
        return SpecError("CC760", f"is no valid ONNX graph: {text}", self.layers.span(node))


def reads(node: OnnxNode) -> list[str]:
    """Return the names that a node reads, those in its graphs among them."""
    names = [name for name in node.inputs if name]
    for graph in (value for value in node.attributes.values() if isinstance(value, OnnxGraph)):
        own = {value.name for value in graph.inputs} | {tensor.name for tensor in graph.constants}
        own |= {name for inner in graph.nodes for name in inner.outputs}
        names += [name for inner in graph.nodes for name in reads(inner) if name not in own]
        names += [value.name for value in graph.outputs if value.name not in own]
    return names


def _readers(nodes: Sequence[OnnxNode], outputs: Iterable[str]) -> dict[str, list[OnnxNode | None]]:
    found: dict[str, list[OnnxNode | None]] = {}
    for node in nodes:
        direct = [name for name in node.inputs if name]
        for name in direct:
            found.setdefault(name, []).append(node)
        for name in reads(node)[len(direct) :]:
            found.setdefault(name, []).append(None)
    for name in outputs:
        found.setdefault(name, []).append(None)
    return found
