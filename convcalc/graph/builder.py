"""Building a graph: every layer's shape rule is applied as it is added, and what its op states is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from convcalc.arith import equal, less_equal, require
from convcalc.errors import Span, SpecError, quoted
from convcalc.graph.graph import Graph, LayerFacts, Node
from convcalc.ops.arguments import InvalidArgument, SizeType
from convcalc.ops.op import Op
from convcalc.shapes import MAX_AXES, MAX_AXIS_SIZE, Shape

PATH = re.compile(r"\w[\w-]*(?:\.\w[\w-]*)*")


class GraphBuilder:
    """Builds the layers of a graph in order. Time and memory are linear in the layers.

    What ``input`` and ``add`` return is a *handle*: it stands for the tensor that leaves the layer.

    >>> from convcalc import ops
    >>> b = GraphBuilder()
    >>> x = b.input("image", (3, 224, 224))
    >>> y = b.add("conv1", ops.make("conv", out=64, kernel=7, stride=2, padding=3), x)
    >>> z = b.add("relu1", ops.make("relu"), y)
    >>> print(b.shape(z), list(b.graph().outputs))
    [64, 112, 112] ['relu1']
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.scopes: dict[str, str] = {}
        self._facts: dict[tuple[int, tuple[Shape, ...]], tuple[Op, LayerFacts]] = {}
        self._paths: set[str] = set()

    def input(self, name: str, shape: Iterable[Any], *, source: Span | None = None) -> int:
        """Add an input of the graph and return its handle.

        Args:
            name: what errors and reports call it.
            shape: sizes without the batch: channels first, then spatial axes, or tokens and features.
            source: where it is written.

        Raises:
            SpecError: CC410 for what is not a size, CC508 for too many or too large axes, CC110 and CC212 for the name.

        >>> GraphBuilder().input("image", (3, 0, 224))
        Traceback (most recent call last):
        convcalc.errors.SpecError: error CC410: an axis of the input = 0 must be positive
        """
        if not isinstance(shape, Iterable) or not (sizes := Shape(map(input_size, shape))):
            raise SpecError("CC410", "an input shape needs at least one axis")
        if len(sizes) > MAX_AXES:
            raise SpecError("CC508", f"the input has {len(sizes)} axes; the limit is {MAX_AXES}")
        _require_room(sizes)
        path = self._new_path(name)
        self._paths.add(path)
        index = len(self.nodes)
        self.nodes.append(Node(index, path, None, (), (), LayerFacts(sizes, {}, {}, ()), source, index))
        return index

    def add(self, path: str, op: Op, *inputs: int, source_form: str = "", source: Span | None = None) -> int:
        """Add a layer and return its handle; an op that passes its input on adds none and gives back the input's.

        Args:
            path: names with dots between them, by which reports fold layers: ``stage1.block2.conv``.
            op: made by ``ops.make``.
            inputs: handles of what enters: the branches of a join, or the input and what an op names besides.
            source_form: how the model's source writes the layer, where that is not the usual way.
            source: where it is written.

        Raises:
            SpecError: where the layer does not fit its inputs; CC210 for a handle, CC110 and CC212 for the path.

        >>> from convcalc import ops
        >>> b = GraphBuilder()
        >>> b.add("fc", ops.make("linear", out=10), 7)
        Traceback (most recent call last):
        convcalc.errors.SpecError: error CC210: no layer has the handle 7
        """
        if not isinstance(op, Op):
            text = f"the layer {quoted(str(path))} is not an op but {quoted(str(op))}"
            raise SpecError("CC204", text, hint="ops.make('conv', out=64, kernel=3) makes one")
        shapes = tuple(map(self.shape, inputs))
        _require_inputs(op, shapes)
        _require_axes(op, shapes[0])
        new = self._new_path(path)
        if op.is_identity:
            return inputs[0]
        handle = self.append(new, op, inputs, source, source_form)
        self._paths.add(new)
        return handle

    def append(self, path: str, op: Op, inputs: Sequence[int], source: Span | None = None, via: str = "") -> int:
        """Add a layer whose path and inputs are known to be right, as a spec does after checks of its own.

        Raises:
            SpecError: where the layer does not fit its inputs.
        """
        nodes = self.nodes
        shapes = tuple([nodes[index].facts.output for index in inputs])
        key = id(op), shapes
        try:
            known = self._facts.get(key)
        except TypeError:  # arrays cannot be looked up
            facts = self._work_out(op, shapes, inputs)
        else:
            if known is None:  # the same op on the same shapes is asked once
                known = self._facts[key] = op, self._work_out(op, shapes, inputs)
            facts = known[1]
        index = len(nodes)
        read = tuple(inputs) if op.depends_on_values else ()
        nodes.append(Node(index, path, op, read, shapes, facts, source, index, via))
        return index

    def _work_out(self, op: Op, shapes: tuple[Shape, ...], inputs: Sequence[int]) -> LayerFacts:
        """Work out the facts of a layer."""
        try:
            return _facts(op, shapes)
        except SpecError as error:
            if error.code == "CC401" and "needs [" in error.text:
                self._blame_input(error, inputs)
            raise

    def _blame_input(self, error: SpecError, inputs: Sequence[int]) -> None:
        """Name the input of the graph that a layer's shape of too few axes comes from, through layers that keep it."""
        for index in inputs:
            node, shape = self.nodes[index], self.nodes[index].facts.output
            while node.op is not None and len(node.inputs) == 1 and node.input_shapes[0] is shape:
                node = self.nodes[node.inputs[0]]
            if node.op is None and node.source is not None:
                error.notes = (*error.notes, (node.source, f"the input has the shape {shape}"))
                if shape.rank == 1:
                    axes = f"{shape[0]}, H, W" if "[channels" in error.text else f"N, {shape[0]}"
                    error.hint = f"an input with all axes, such as {node.path}: [{axes}]"

    def shape(self, handle: int) -> Shape:
        """Return the shape that leaves an input or a layer.

        Raises:
            SpecError: CC210, for what is not a handle.
        """
        if type(handle) is not int or not 0 <= handle < len(self.nodes):
            hint = "a handle is what input() and add() return"
            raise SpecError("CC210", f"no layer has the handle {handle!r}", hint=hint)
        return self.nodes[handle].facts.output

    def checkpoint(self, start: int) -> None:
        """Let the layers from one on run again in the backward pass, for which the outputs inside are not kept.

        Raises:
            SpecError: CC119, where some of them do already.
        """
        for node in self.nodes[start:]:
            if node.checkpoint >= 0:
                raise SpecError(
                    "CC119", f"{quoted(node.path)} is in a checkpoint already: one holds all that is inside"
                )
            node.checkpoint = start

    def tie(self, layer: int, owner: int) -> None:
        """Let a layer use the weights of another, which are then counted once.

        Raises:
            SpecError: CC407, where their weights differ in shape; CC210 for what is not a handle.
        """
        for handle in (layer, owner):
            self.shape(handle)
        tied, kept = self.nodes[layer], self.nodes[owner]
        own, other = tuple(tied.facts.weights.values()), tuple(kept.facts.weights.values())
        shown = " and ".join(" ".join(map(str, shapes)) or "none" for shapes in (own, other))
        said = "CC407", "tie: the weights of {} and {} differ in shape: {}", tied.path, kept.path, shown
        require([shape.rank for shape in own] == [shape.rank for shape in other], *said)
        for size, against in zip(chain(*own), chain(*other), strict=True):
            require(equal(size, against), *said)
        tied.weight_owner = kept.weight_owner

    def graph(self, outputs: int | Sequence[int] | Mapping[str, int] | None = None, *, name: str = "") -> Graph:
        """Return what has been built.

        Args:
            outputs: one handle or several, by labels if it is a mapping; by default the layers that no other reads.
            name: of the network.

        Raises:
            SpecError: CC121 where there is no layer or no output; CC210 for what is not a handle.
        """
        read = set(chain.from_iterable([node.inputs for node in self.nodes]))
        ends = [node.index for node in self.nodes if node.index not in read and node.op and node.op.has_output]
        given = ends if outputs is None else [outputs] if isinstance(outputs, int) else outputs
        for handle in given.values() if isinstance(given, Mapping) else given:
            self.shape(handle)
        labels = given if isinstance(given, Mapping) else {self.nodes[handle].path: handle for handle in given}
        if not labels:
            raise SpecError("CC121", f"the graph has no {'output' if ends else 'layer'}")
        unread = list(self._unread(set(ends) - set(labels.values())))
        return Graph([*self.nodes], dict(labels), name, unread, self.scopes)

    def _unread(self, ends: set[int]) -> Iterable[SpecError]:
        """Warn of layers whose output nothing reads, once for every place in a spec."""
        places: dict[object, Node] = {}
        for index in sorted(ends):
            node = self.nodes[index]
            places.setdefault(node.source or index, node)
        for node in places.values():
            yield SpecError("CC804", f"the output of {quoted(node.path)} is never used", node.source)

    def _new_path(self, text: str) -> str:
        """Return a path in its normal form (NFC), which no other input or layer has."""
        path = unicodedata.normalize("NFC", text) if isinstance(text, str) else ""
        if not PATH.fullmatch(path):
            hint = "letters, digits, _ and -, with dots between names: stage1.block2.conv"
            raise SpecError("CC110", f"{quoted(str(text))} is not a path of a layer", hint=hint)
        if path in self._paths:
            raise SpecError("CC212", f"the path {quoted(path)} is taken")
        return path


def input_size(size: Any) -> Any:
    """Return a size of an input: an integer of at least 1, or an array or a symbol.

    Raises:
        SpecError: CC410, for anything else.
    """
    try:
        return SizeType().bind(size, 0)
    except InvalidArgument as error:
        raise SpecError("CC410", f"an axis of the input {error}") from None


def _facts(op: Op, shapes: tuple[Shape, ...]) -> LayerFacts:
    output = op.output(*shapes)
    is_usual = _is_usual(output)
    for size in output if op.has_output and not is_usual else ():
        require(less_equal(1, size), "CC403", "{} leaves an axis of size {}: {}", op.kind, size, output)
    facts = LayerFacts(output, op.weights(*shapes), op.buffers(*shapes), op.products_for(output, *shapes))
    if not is_usual:
        _require_room(output)
    return facts


def _is_usual(shape: Shape) -> bool:
    """Whether all sizes are integers within the limits, so that there is nothing to find for the checks one by one."""
    for size in shape:
        if type(size) is not int or not 1 <= size <= MAX_AXIS_SIZE:
            return False
    return len(shape) <= MAX_AXES


def _require_room(shape: Shape) -> None:
    """Demand a shape within the limits: what is computed from it stays a number that can be printed."""
    if shape.rank > MAX_AXES:
        raise SpecError("CC508", f"the shape has {shape.rank} axes; the limit is {MAX_AXES}")
    for size in shape:
        if type(size) is int or hasattr(size, "dtype"):  # a symbol has no size yet
            require(
                less_equal(size, MAX_AXIS_SIZE), "CC508", f"an axis of {{}} exceeds the limit of {MAX_AXIS_SIZE}", size
            )


def _require_inputs(op: Op, shapes: Sequence[Shape]) -> None:
    """Demand as many inputs as the op reads, those of its references included."""
    fewest, most = op.arity
    most = None if most is None else most + len(op.layer_arguments)
    if len(shapes) < fewest or (most is not None and len(shapes) > most):
        wanted = f"{fewest} or more" if most is None else f"{fewest} to {most}" if most > fewest else str(fewest)
        text = f"{op.kind} reads {wanted} input{'s' if wanted != '1' else ''}, not {len(shapes)}"
        raise SpecError("CC415", text)


def _require_axes(op: Op, entering: Shape) -> None:
    """Demand that the op was made for as many spatial axes as its input has."""
    fields = op.__dataclass_fields__.items()
    given = [(field.metadata["argument"], getattr(op, name)) for name, field in fields if field.metadata]
    axes = op.spatial_axes({argument.key: value for argument, value in given}, entering.rank - 1)
    for argument, value in given:
        if argument.type.per_axis and isinstance(value, tuple) and len(value) != axes:
            text = f"{op.kind}: {argument.key} is for {len(value)} spatial axes, and the input {entering} has {axes}"
            raise SpecError("CC401", text, hint=f"ops.make({op.kind!r}, axes={axes}, …)")
