"""From a recording to the layers of a graph: what each operation reads is found, and its rule applied."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from math import prod
from typing import Any

from convcalc.errors import Source, SpecError
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.torch.names import PASSED_ON
from convcalc.importers.torch.patterns import with_norms
from convcalc.importers.torch.recording import Recording, Shape, TensorReference, TorchParam, TracedNode
from convcalc.importers.torch.values import Constant, Tensor, Value, Weight, first_batch, without

Rule = Callable[["Lowering", TracedNode], Any]
"""Adds the layers of an operation and returns its value, or the list of its values."""
TRIED = ("owners", "read", "mixing", "values", "_rows", "_new_groups", "_forms")
"""What layers are known by."""


class Lowering:
    """Builds the graph of one recording."""

    first = 0
    """The first input of the graph."""

    def __init__(self, recording: Recording, source: Source, shared: frozenset[str] = frozenset()) -> None:
        """``shared`` are parameters that several kinds of layers read: each is then the only weight of its layers."""
        self.recording = recording
        self.nodes = with_norms(recording)
        self.builder = ModelBuilder(source)
        self.shared = shared
        self.parameters = {each.name: each for each in recording.parameters}
        self.owners: dict[str, set[Hashable]] = {}
        """By a parameter the groups of weights that it is in."""
        self.read: set[str] = set()
        self.other_branches: set[str] = set()
        """Parameters that a branch reads which may not be the one that is counted."""
        self.mixing: dict[str, None] = {}
        """Operations that work across the batch."""
        self.values: dict[str, Any] = {}
        self.users: dict[str, list[TracedNode]] = {}
        self.used = {*recording.outputs}
        self._rows: dict[str, int] = {}
        self._new_groups: list[tuple[str, ...]] = []
        self._forms: dict[Hashable, Hashable] = {}
        self._nodes: dict[str, TracedNode] = {}
        self._rules: Callable[[TracedNode], Rule | None] = lambda _: None
        self._of_module: dict[str, set[str]] = {}
        for node in self.nodes:
            for reference in node.references:
                self.users.setdefault(reference.name, []).append(node)
                self.used.add(reference)

    # --- what an operation reads --------------------------------------------------------------------------------------

    def value(self, reference: Any) -> Value | None:
        """Return the value of an argument; nothing for what is no tensor."""
        if not isinstance(reference, TensorReference):
            return None
        if (parameter := self.parameters.get(reference.name)) is not None and reference.name not in self.values:
            if not parameter.learned:
                return Constant(parameter.shape)
            self.read.add(parameter.key)
            return Weight(parameter.shape, (parameter.key,))
        found = self.values.get(reference.name)
        if isinstance(found, list):
            return found[reference.output] if reference.output < len(found) else None
        return found

    def operand(self, node: TracedNode, *names: str) -> Value:
        """Return the value of an argument that an operation has, under one of some names."""
        for name in names:
            if (found := self.value(node[name])) is not None:
                return found
        raise SpecError("CC773", f"{node.op} reads no {' or '.join(names)}")

    def tensor(self, node: TracedNode, *names: str) -> Tensor:
        """Return the value of an argument as an activation."""
        found = self.operand(node, *(names or ("self", "input")))
        return found if isinstance(found, Tensor) else Tensor(found.shape, self.whole(node, found))

    def maker(self, reference: TensorReference) -> TracedNode | None:
        """Return the operation that makes a tensor."""
        return self._nodes.get(reference.name)

    def is_used(self, node: TracedNode, output: int) -> bool:
        """Whether anything reads an output."""
        return TensorReference(node.name, output) in self.used

    def tensors(self, node: TracedNode) -> list[Value]:
        """Return all values that an operation reads."""
        found = (self.value(reference) for reference in node.references)
        return [value for value in found if value is not None]

    def handle(self, node: TracedNode, value: Value) -> int:
        """Return a handle with all axes of a value but its batch; weights and constants become layers."""
        if isinstance(value, Tensor):
            return value.handle
        if isinstance(value, Weight):
            return self._weight_layer(node, value)
        return self.constant(node, value.shape)

    def laid_out(self, node: TracedNode, value: Value, shape: Sequence[int]) -> int:
        """Return a handle of the same elements in another shape."""
        return self.reshaped(node, self.handle(node, value), shape)

    def whole(self, node: TracedNode, value: Value) -> int:
        """Return a handle with all axes, the batch among them."""
        return self.laid_out(node, value, value.shape or (1,))

    def reshaped(self, node: TracedNode, handle: int, shape: Sequence[int]) -> int:
        """Add a reshape, where the shape is another."""
        wanted = tuple(shape) or (1,)
        if tuple(self.builder.shape(handle)) == wanted:
            return handle
        return self.add(node, "reshape", handle, op="reshape", shape=wanted)

    def permuted(self, node: TracedNode, handle: int, axes: Sequence[int]) -> int:
        """Add a permutation, where it moves an axis."""
        if list(axes) == sorted(axes):
            return handle
        return self.add(node, "permute", handle, op="permute", axes=list(axes))

    def constant(self, node: TracedNode, shape: Sequence[int]) -> int:
        """Add a layer for a constant that is multiplied or looked up."""
        handle = self.add(node, "param", self.first, op="constant", shape=tuple(shape) or (1,), learned=False)
        self.builder.hold(handle, {}, {})  # it is no buffer
        return handle

    def _weight_layer(self, node: TracedNode, weight: Weight) -> int:
        rows = [self.parameter_row(node, key) for key in weight.sources]
        shape = weight.shape or (1,)
        if prod(shape) == self.builder.shape(rows[0]).elements and len(rows) == 1:
            return self.reshaped(node, rows[0], shape)
        width = prod(self.builder.shape(rows[0])[1:])
        if weight.selected and len(rows) == 1 and prod(shape) % width == 0:
            looked_up = self.add(node, "gather", rows[0], op="table", size=prod(shape) // width, axis=0)
            return self.reshaped(node, looked_up, shape)
        return self.add(node, "custom", rows[0], op="table", out=shape)

    def parameter_row(self, node: TracedNode, key: str) -> int:
        """Return a handle of a parameter on its own, which is one layer however often it is read."""
        if key not in self._rows:
            shape = self.parameters[key].shape or (1,)
            self._rows[key] = self.builder.add(node.label, "param", self.first, path=key, shape=shape, weights=(key,))
            self.own((key,), shape)
        return self._rows[key]

    # --- what it gives ------------------------------------------------------------------------------------------------

    def path(self, node: TracedNode, op: str = "") -> str:
        """Return the path of a layer: that of the module, where it is the module's only one, and the operation."""
        if node.leaf and len(self._of_module.get(node.path, ())) == 1 and not op:
            return node.path
        own = op or node.op.strip("_")
        return f"{node.path}.{own}" if node.path else own

    def add(self, node: TracedNode, kind: str, *inputs: int, op: str = "", **arguments: Any) -> int:
        """Add a layer under the path of an operation."""
        return self.builder.add(node.label, kind, *inputs, path=self.path(node, op), **arguments)

    def custom(self, node: TracedNode, handle: int, shape: Shape, batch: int | None = None, **arguments: Any) -> Tensor:
        """Return a tensor that a layer of no other kind makes."""
        return Tensor(shape, self.add(node, "custom", handle, out=without(shape, batch), **arguments), batch)

    def own(self, keys: Sequence[str], form: Hashable) -> bool:
        """Let a layer have parameters. False where other layers have them in another form, and it cannot."""
        group = tuple(keys)
        if group not in self._forms:
            self._new_groups.append(group)
        for key in group:
            self.owners.setdefault(key, set()).add(group)
        return self._forms.setdefault(group, form) == form

    def given(self, node: TracedNode, handle: int, shape: Shape, batch: int | None = None) -> Tensor:
        """Return a layer's output as a value; a layer of other axes is reshaped."""
        if batch is not None and (batch >= len(shape) or shape[batch] != 1 or len(shape) < 2):
            batch = None
        return Tensor(shape, self.reshaped(node, handle, without(shape, batch)), batch)

    def unknown(self, node: TracedNode) -> Any:
        """Return the values of an operation whose cost is not known."""
        inputs = [self.handle(node, value) for value in self.tensors(node) if not isinstance(value, Constant)]
        used = [place for place, _ in enumerate(node.outputs) if self.is_used(node, place)] or [0]

        def made(place: int, shape: Shape) -> Tensor | None:
            if place not in used:
                return None
            batch, read = first_batch(shape), inputs or [self.first]
            out, path = without(shape, batch), self.path(node)
            return Tensor(shape, self.builder.opaque(node.label, node.op, read, out, path=path), batch)

        return node.each_output(made)

    # --- all of it ----------------------------------------------------------------------------------------------------

    def run(self, rules: Callable[[TracedNode], Rule | None]) -> None:
        """Add all layers."""
        for node in self.nodes:
            if node.leaf and node.op not in PASSED_ON:
                self._of_module.setdefault(node.path, set()).add(node.op)
        for name, shape in self.recording.inputs.items():
            batch = first_batch(shape)
            handle = self.builder.input(name, without(shape, batch))
            self.values[f"input:{name}"] = Tensor(shape, handle, batch)
        if not self.recording.inputs:
            raise SpecError("CC773", "the model reads no tensor", hint="give one with --input NAME=3,224,224")
        self._rules = rules
        self.run_nodes(self.nodes)

    def run_nodes(self, nodes: Iterable[TracedNode]) -> None:
        """Add the layers of operations."""
        from convcalc.importers.torch.aten.views import write_through

        for node in nodes:
            self._nodes[node.name] = node
            made = self._lowered(node, self._rules(node))
            self.values[node.name] = made
            if node.in_place:
                write_through(self, node, made)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Add layers that are forgotten afterwards."""
        mark, kept = self.builder.mark(), {name: copy(getattr(self, name)) for name in TRIED}
        kept["owners"] = {key: set(groups) for key, groups in self.owners.items()}
        yield
        self.builder.rollback(mark)
        vars(self).update(kept)

    def _lowered(self, node: TracedNode, rule: Rule | None) -> Any:
        """Return what an operation gives; where our layers do not fit it, its shapes are kept and its cost is open."""
        if node.outputs and all(shape is not None and 0 in shape for shape in node.outputs):
            empty = [Constant(shape) for shape in node.outputs if shape is not None]
            return empty if len(empty) > 1 else empty[0]
        if rule is None:
            return self.unknown(node)
        self._new_groups.clear()
        try:
            made = rule(self, node)
            for value, shape in zip(made if isinstance(made, list) else [made], node.outputs, strict=False):
                if isinstance(value, Tensor) and value.shape != shape:
                    return self.unknown(node)
        except (SpecError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            self._give_back()
            return self.unknown(node)
        return made

    def _give_back(self) -> None:
        """Let parameters be free again that a rule took for a layer which could not be added."""
        for group in self._new_groups:
            if not self.builder.has_weights(group):
                del self._forms[group]
                for key in group:
                    self.owners[key].discard(group)
                    if not self.owners[key]:
                        del self.owners[key]

    def finish(self) -> list[str]:
        """Add rows for parameters that no layer has; return the names of those that nothing reads."""
        left: dict[str, list[TorchParam]] = {"unused": [], "other_branch": []}
        for parameter in self.recording.parameters:
            if not parameter.learned or parameter.name != parameter.key or parameter.key in self.owners:
                continue
            if parameter.key in self.read:
                self.parameter_row(TracedNode(parameter.name, parameter.name, {}, ()), parameter.key)
            else:
                left["other_branch" if parameter.key in self.other_branches else "unused"].append(parameter)
        for path, parameters in left.items():
            if parameters:
                total = sum(prod(parameter.shape) for parameter in parameters)
                names = dict.fromkeys(each.name.rpartition(".")[0] or each.name for each in parameters)
                self.builder.add(", ".join(names), "custom", self.first, path=path, params=total)
        return [parameter.name for parameter in left["unused"]]

    @property
    def split_parameters(self) -> frozenset[str]:
        """Parameters that are in several groups of weights, so that layers with one group could not share them."""
        return frozenset(key for key, groups in self.owners.items() if len(groups) > 1)

    def outputs(self) -> dict[str, int]:
        """Return the handles of the outputs."""
        found: dict[str, int] = {}
        for reference in self.recording.outputs:
            value = self.value(reference)
            if isinstance(value, Tensor | Weight):
                handle = self.handle(TracedNode(reference.name, "output", {}, (value.shape,)), value)
                found.setdefault(str(handle), handle)
        return found
