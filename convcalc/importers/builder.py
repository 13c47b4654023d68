"""From the nodes of another format to layers: paths made valid and unique, ops shared, errors at the node."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from convcalc.arith import Number, equal, total
from convcalc.errors import Source, Span, SpecError
from convcalc.graph.builder import GraphBuilder
from convcalc.graph.graph import Graph, LayerFacts
from convcalc.ops.make import get, make
from convcalc.ops.op import Op, arguments_of
from convcalc.shapes import Shape
from convcalc.spec import limits

_NOT_IN_NAMES = re.compile(r"[^\w-]+")
MAX_NAME_LENGTH = 200


class ModelBuilder:
    """Builds the graph of an imported model. Handles are those of :class:`convcalc.graph.builder.GraphBuilder`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.warnings: list[SpecError] = []
        self.place: Span | None = None
        """Where the layers that are added now are written, in a model that is a text."""
        self._builder = GraphBuilder()
        self._taken: dict[str, int] = {}
        self._ops: dict[Hashable, Op] = {}
        self._owners: dict[Hashable, int] = {}
        self._held: dict[int, tuple[Hashable, ...]] = {}
        self._unknown: set[str] = set()

    def span(self, node: str) -> Span:
        """Return the place of a node of the model."""
        return self.place or Span(self.source, node=node)

    def shape(self, handle: int) -> Shape:
        """Return the shape of a tensor."""
        return self._builder.nodes[handle].facts.output

    def path_of(self, handle: int) -> str:
        """Return the path of a layer."""
        return self._builder.nodes[handle].path

    @property
    def last(self) -> int:
        """The handle of the last layer, or -1."""
        return len(self._builder.nodes) - 1

    def input(self, name: str, shape: Sequence[Number]) -> int:
        """Add an input of the model, without its batch axis."""
        with self.errors_at(name):
            return self._builder.input(self.path(name), shape, source=self.span(name))

    def add(
        self,
        node: str,
        kind: str,
        *inputs: int,
        path: str = "",
        weights: Hashable = None,
        axes: Any = None,
        **arguments: Any,
    ) -> int:
        """Add a layer and return its handle.

        Args:
            node: its name in the model, which errors show.
            kind: of the op, see :func:`convcalc.ops.make`; arguments that are ``None`` are left out.
            inputs: handles of what enters.
            path: of the layer; by default it is made of ``node``.
            weights: what identifies its weights in the model: layers with the same ones share them.
            axes: how many spatial axes the op is for, by default those of the first input; of an op that has an
                argument of this name, such as ``permute``, it is that argument.

        Raises:
            SpecError: where the layer does not fit its inputs, at the node; CC503 for too many layers.
        """
        with self.errors_at(node):
            given = {key: value for key, value in arguments.items() if value is not None}
            if axes is None and "axes" not in arguments_of(get(kind)):
                axes = self.shape(inputs[0]).rank - 1
            op = self._op(kind, axes, given)
            if op.is_identity:
                return inputs[0]
            if len(self._builder.nodes) > limits.LAYERS:
                raise SpecError("CC503", f"the model has more than {limits.LAYERS:,} layers")
            handle = self._builder.append(self.path(path or node), op, inputs, self.span(node))
            facts = self._builder.nodes[handle].facts
            if weights is not None and (facts.weights or facts.buffers):
                owner = self._owners.setdefault(weights, handle)
                if owner != handle:
                    self._builder.tie(handle, owner)
            return handle

    def scope(self, name: str, class_name: str) -> None:
        """Note the class that makes the layers below a path: recovered specs call a block after it.

        Args:
            name: of the module in the model, as in the paths of its layers.
            class_name: without its package, such as ``Bottleneck``.
        """
        self._builder.scopes[_valid_path(name)] = class_name

    def has_weights(self, weights: Hashable) -> bool:
        """Whether a layer has these weights."""
        return weights in self._owners

    def opaque(
        self,
        node: str,
        operation: str,
        inputs: Sequence[int],
        out: Sequence[Number],
        *,
        path: str = "",
        params: Number | None = 0,
    ) -> int:
        """Add a layer whose cost is not known, with a warning for the first of each operation.

        ``params`` is ``None`` where its weights are not known either.
        """
        if operation not in self._unknown:
            self._unknown.add(operation)
            text = f"the cost of the operation {operation} is not known: totals of multiplies are lower bounds"
            if params is None:
                text = f"the cost and the weights of the operation {operation} are not known: totals are lower bounds"
            self.warnings.append(SpecError("CC808", text, self.span(node)))
        return self.add(
            node, "opaque", *inputs, path=path, out=tuple(out), params=params or 0, more_params=params is None or None
        )

    def hold(
        self,
        handle: int,
        weights: Mapping[str, tuple[Hashable, Shape]],
        buffers: Mapping[str, tuple[Hashable, Shape]],
        bits: Mapping[Hashable, int] = MappingProxyType({}),
    ) -> None:
        """Let a layer have the weights and buffers of the model: by their names, what identifies each, and its shape.

        ``bits`` are those of a number that the model stores in fewer than 32.

        What an earlier layer has is counted there, also where it is only one of several: a bias beside a shared matrix.
        A model may pack the same elements otherwise, such as both directions of a recurrent layer in one matrix.
        """
        node, keys = self._builder.nodes[handle], tuple(key for key, _ in weights.values())
        own = self._own(handle, weights)
        owner = self._owners[keys[0]] if keys else handle
        shapes = {name: shape for name, (_, shape) in weights.items()}
        if equal(total(shape.elements for shape in shapes.values()), node.facts.params) is True:
            shapes = dict(node.facts.weights)
        if keys and not own and self._held.get(owner) == keys:
            stored = self._builder.nodes[owner].facts.stored
            node.facts = LayerFacts(node.facts.output, shapes, {}, node.facts.products, stored)
            if list(shapes.values()) == list(self._builder.nodes[owner].facts.weights.values()):
                self._builder.tie(handle, owner)
                return
        self._held[handle] = keys
        kept = self._own(handle, buffers)

        def elements(named: Mapping[str, tuple[Hashable, Shape]], its_own: Mapping[str, Shape], width: int) -> Number:
            return total(named[name][1].elements for name in its_own if bits.get(named[name][0]) == width)

        stored = tuple(
            (width, elements(weights, own, width), elements(buffers, kept, width))
            for width in sorted(set(bits.values()))
        )
        own = shapes if len(own) == len(weights) else own
        if own != dict(node.facts.weights) or kept != dict(node.facts.buffers) or stored:
            node.facts = LayerFacts(node.facts.output, own, kept, node.facts.products, stored)

    def _own(self, handle: int, named: Mapping[str, tuple[Hashable, Shape]]) -> dict[str, Shape]:
        """Return those that no earlier layer has, each once."""
        new = {key: name for name, (key, _) in reversed(list(named.items())) if key not in self._owners}
        self._owners.update(dict.fromkeys(new, handle))
        return {name: shape for name, (key, shape) in named.items() if new.get(key) == name}

    def mark(self) -> tuple[Any, ...]:
        """Return what has been built so far, for :meth:`rollback`."""
        known = dict(self._taken), dict(self._owners), dict(self._held), set(self._unknown)
        return len(self._builder.nodes), len(self.warnings), *known

    def rollback(self, mark: tuple[Any, ...]) -> None:
        """Forget all layers since a mark."""
        layers, warnings, self._taken, self._owners, self._held, self._unknown = mark
        del self._builder.nodes[layers:], self.warnings[warnings:]

    def multiplies(self, start: int = 0) -> Number:
        """Return the multiplies of the layers from a handle on."""
        return total(node.facts.multiplies for node in self._builder.nodes[start:])

    def graph(self, outputs: Mapping[str, int], *, name: str = "") -> Graph:
        """Return what has been built, without views that nothing reads; outputs are handles by their names."""
        labels = {self._builder.nodes[handle].path: handle for handle in outputs.values()}
        graph = self._builder.graph(labels, name=name)
        graph.warnings[:] = self.warnings
        return graph.without_unread()

    def path(self, name: str) -> str:
        """Return a path of a layer that no other has, made of a name in the model.

        Slashes and dots separate names of scopes; what a path cannot hold becomes ``_``.
        """
        path = _valid_path(name) or "layer"
        while path in self._taken:
            self._taken[path] += 1
            path = f"{path}_{self._taken[path]}"
        self._taken[path] = 1
        return path

    @contextmanager
    def errors_at(self, node: str) -> Iterator[None]:
        """Give an error without a place that of a node."""
        try:
            yield
        except SpecError as error:
            error.span = error.span or self.span(node)
            raise

    def _op(self, kind: str, axes: Any, arguments: Mapping[str, Any]) -> Op:
        """Return an op, the same one for the same arguments, so that layers share what it computes."""
        try:
            key: Hashable = (kind, axes, tuple(sorted(arguments.items())))
            known = self._ops.get(key)
        except TypeError:  # arrays and symbols
            return make(kind, axes=axes, **arguments)
        if known is None:
            known = self._ops[key] = make(kind, axes=axes, **arguments)
        return known


def _valid_path(name: str) -> str:
    text = unicodedata.normalize("NFC", name[:MAX_NAME_LENGTH])
    parts = [_NOT_IN_NAMES.sub("_", part).lstrip("-") for part in re.split(r"[./]+|::", text)]
    return ".".join(part for part in parts if part)
