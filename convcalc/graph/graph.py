"""The layer graph: nodes in an order in which every layer stands behind what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from convcalc.arith import Number, total
from convcalc.errors import Span, SpecError, did_you_mean
from convcalc.ops.op import MatrixProduct, Op
from convcalc.records import NamedTuple, cached_property, dataclass, field, replace
from convcalc.shapes import Shape

LEADING_TO = ".."
"""Before a path: the layers at and below it with all that lead there, such as those of one output."""


@dataclass(eq=False)
class LayerFacts:
    """Shapes and products of one layer, for its input shapes, and their sums.

    Layers of one op and the same shapes share it, and so each sum is computed once.
    """

    output: Shape
    weights: Mapping[str, Shape]
    buffers: Mapping[str, Shape]
    products: tuple[MatrixProduct, ...]
    stored: tuple[tuple[int, Number, Number], ...] = ()
    """Bits of a number, and how many numbers of the weights and of the buffers a model's file stores in so many; those
    of 32 bits and more are left out."""

    @cached_property
    def output_elements(self) -> Number:
        """Elements of the output."""
        return self.output.elements

    @cached_property
    def params(self) -> Number:
        """Elements of the learnable weights."""
        return total(shape.elements for shape in self.weights.values())

    @cached_property
    def buffer_elements(self) -> Number:
        """Elements of the buffers, which are kept but not learned."""
        return total(shape.elements for shape in self.buffers.values())

    @cached_property
    def multiplies(self) -> Number:
        """Multiplies of all products."""
        return total(product.multiplies for product in self.products)

    @cached_property
    def seen(self) -> Number:
        """Multiplies of all products, without those of pairs that a mask hides."""
        return self.multiplies - total(product.masked for product in self.products)

    @cached_property
    def product_outputs(self) -> Number:
        """Outputs of all products."""
        return total(product.outputs for product in self.products)


@dataclass(slots=True, eq=False)
class Node:
    """A layer, or an input of the graph (then ``op`` is ``None``).

    ``inputs`` are indices of nodes before it; ``weight_owner`` is the node whose weights it uses, usually itself;
    ``source_form`` is how the model's source writes it, where that is not the usual way. Layers with the same
    ``checkpoint``, from 0 on, run again together in the backward pass.
    """

    index: int
    path: str
    op: Op | None
    inputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]
    facts: LayerFacts
    source: Span | None = None
    weight_owner: int = -1
    source_form: str = ""
    times: Number = 1
    """How many layers of equal cost it stands for: more than one where the count of a repeat is a symbol."""
    checkpoint: int = -1
    beside: int = -1
    """The node that a layer without inputs and output belongs to: the last of the experts that run."""

    @property
    def shape(self) -> Shape:
        return self.facts.output


T = TypeVar("T")


class Alike(NamedTuple):
    """Nodes of which many are alike: the first of each kind, and for every node the place of its kind among them."""

    firsts: list[Node]
    kinds: list[int]

    def of_each(self, value: Callable[[Node], T]) -> list[T]:
        """Return a value of every node, worked out once for those that are alike."""
        found = [value(node) for node in self.firsts]
        return [found[kind] for kind in self.kinds]

    def layers(self) -> Alike:
        """Return the same without the inputs of the graph."""
        places = [place for place, node in enumerate(self.firsts) if node.op is not None]
        renumbered = {place: number for number, place in enumerate(places)}
        return Alike(
            [self.firsts[place] for place in places], [renumbered[kind] for kind in self.kinds if kind in renumbered]
        )


def _alike(nodes: Iterable[Node]) -> Alike:
    """Group nodes that share op, facts and form; one that shares its weights with another is like none."""
    firsts: list[Node] = []
    kinds: list[int] = []
    places: dict[object, int] = {}
    for node in nodes:
        index = node.index  # an input of a part has facts of the layer that it was: the op tells them apart
        key = (id(node.op), id(node.facts), node.source_form) if node.weight_owner == index else index
        place = places.get(key)
        if place is None:
            place = places[key] = len(firsts)
            firsts.append(node)
        kinds.append(place)
    return Alike(firsts, kinds)


@dataclass(eq=False)
class Graph:
    """Layers with their shapes, and which of them are the outputs. Its lists stay as they are."""

    nodes: list[Node]
    outputs: dict[str, int]
    name: str = ""
    warnings: list[SpecError] = field(default_factory=list)
    scopes: Mapping[str, str] = field(default_factory=dict)
    """What the model's source calls the class, or the block, that a scope is made by: path → name; where known."""

    @property
    def inputs(self) -> list[Node]:
        return [node for node in self.nodes if node.op is None]

    @cached_property
    def layers(self) -> list[Node]:
        return [node for node in self.nodes if node.op is not None]

    @cached_property
    def _alike_nodes(self) -> Alike:
        return _alike(self.nodes)

    @cached_property
    def _alike_layers(self) -> Alike:
        return self._alike_nodes.layers()

    def of_nodes(self, value: Callable[[Node], T], *, by_path: bool = False) -> list[T]:
        """Return a value of every node, worked out once for those that share their facts: the turns of a repeat do.

        It may follow from the op, the shapes and ``source_form``, from whether weights are shared, and, ``by_path``,
        from anything.
        """
        return [value(node) for node in self.nodes] if by_path else self._alike_nodes.of_each(value)

    def of_layers(self, value: Callable[[Node], T], *, by_path: bool = False) -> list[T]:
        """Return a value of every layer, as ``of_nodes`` does."""
        return [value(node) for node in self.layers] if by_path else self._alike_layers.of_each(value)

    @cached_property
    def stands_for_itself(self) -> bool:
        """Whether each layer is one layer, and none as many as a symbol says."""
        return {*map(type, [node.times for node in self.nodes])} <= {int}

    @property
    def uncounted(self) -> list[Node]:
        """The layers whose multiplies are unknown, so that totals are lower bounds."""
        return [node for node in self.nodes if node.op is not None and not node.op.is_counted]

    def subgraph(self, path: str) -> Graph:
        """Return the layers at and below a path as a graph of its own, whose inputs are the outside layers they read.

        With ``..`` before the path it is the last of these layers, or the output of that name, and all that it needs.

        Raises:
            SpecError: CC211, where no layer has the path.
        """
        end = path.removeprefix(LEADING_TO)
        if end != path and end in self.outputs:
            return self._upstream_of(self.outputs[end], end)
        below = end + "."
        inside = [node for node in self.layers if node.path == end or node.path.startswith(below)]
        if not inside:
            raise SpecError("CC211", f"no layer has the path '{end}'{did_you_mean(end, self.all_paths())}")
        read = {index for node in inside for index in node.inputs}
        last = [node.index for node in inside if node.index not in read][-1]
        return self._subgraph(inside, {path: last}) if end == path else self._upstream_of(last, end)

    def without_unread(self) -> Graph:
        """Return the graph without layers that no output depends on and that have neither weights nor multiplies."""
        needed = set(self.outputs.values())
        for node in reversed(self.nodes):
            facts, op = node.facts, node.op
            if op is None or facts.weights or facts.buffers or facts.products or not op.is_counted:
                needed.add(node.index)
            if node.index in needed:
                needed.update(node.inputs)
        if len(needed) == len(self.nodes):
            return self
        return self._subgraph([node for node in self.nodes if node.index in needed], self.outputs)

    def _upstream_of(self, index: int, label: str) -> Graph:
        needed = {index}
        for node in reversed(self.nodes[: index + 1]):
            if node.beside in needed:
                needed.add(node.index)
            if node.index in needed:
                needed.update(node.inputs)
        return self._subgraph([node for node in self.nodes if node.index in needed], {label: index})

    def all_paths(self) -> set[str]:
        """Return the paths of all layers and of all scopes around them."""
        found: set[str] = set()
        for node in self.layers:
            path = node.path
            while path and path not in found:
                found.add(path)
                path = path.rpartition(".")[0]
        return found

    def _subgraph(self, inside: Sequence[Node], outputs: Mapping[str, int]) -> Graph:
        chosen = {node.index for node in inside}
        outside = dict.fromkeys(index for node in inside for index in node.inputs if index not in chosen)
        kept = [replace(self.nodes[index], op=None, inputs=(), input_shapes=()) for index in outside]
        kept += [replace(node) for node in inside]
        places = {node.index: place for place, node in enumerate(kept)}
        owners: dict[int, int] = {}
        for place, node in enumerate(kept):
            node.weight_owner = owners.setdefault(node.weight_owner, place) if node.op else place
            node.inputs = tuple(places[index] for index in node.inputs)
            node.beside = places.get(node.beside, -1)
            node.index = place
        return Graph(
            kept, {label: places[index] for label, index in outputs.items()}, self.name, self.warnings, self.scopes
        )


def topological_order(inputs: Sequence[Iterable[int]]) -> list[int]:
    """Return the nodes so that each stands behind its inputs, otherwise in the order given (Kahn 1962, smallest first).

    Raises:
        ValueError: where the nodes form a cycle.
    """
    import heapq  # a spec is written in order: only importers come here

    waiting = [len(set(sources)) for sources in inputs]
    readers: list[list[int]] = [[] for _ in inputs]
    for node, sources in enumerate(inputs):
        for source in set(sources):
            readers[source].append(node)
    ready = [node for node, count in enumerate(waiting) if count == 0]
    order: list[int] = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for reader in readers[node]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if len(order) != len(waiting):
        raise ValueError("the layers form a cycle")
    return order


def enclosing(path: str) -> list[str]:
    """Return the scopes around a path, the outermost first, and the path itself.

    >>> enclosing("stage1.block2.conv")
    ['stage1', 'stage1.block2', 'stage1.block2.conv']
    """
    names = path.split(".")
    return [".".join(names[: end + 1]) for end in range(len(names))]
