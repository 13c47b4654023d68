"""What is compared: the layers of a graph, alike whichever source they were read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from convcalc.arith import Number
from convcalc.graph.attention import ATTENTION, PRODUCTS, REARRANGING, AttentionLayers, joined
from convcalc.graph.graph import Graph, Node
from convcalc.ops.kinds._window import resolve_padding
from convcalc.ops.kinds.pad import Pad
from convcalc.ops.op import arguments_of
from convcalc.records import dataclass, field, replace

RECURRENT = ("lstm", "gru", "rnn")
CONVOLUTIONS = ("conv", "dwconv", "deconv")
IGNORABLE = ("norm", "act")
WINDOW = ("kernel", "stride", "padding", "dilation")
_FROM_INPUT = "from the input"


@dataclass(slots=True, eq=False)
class Layer:
    """A layer, or the layers that make up one attention, as both sides are compared."""

    nodes: tuple[Node, ...]
    """Its nodes in the graph; it takes the place of the last."""
    kind: str
    """A depthwise convolution is a ``conv``, every product of two activations a ``matmul``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the layer chooses itself, by the words of the language."""
    output: Hashable = None
    """Its output, as far as sources agree on its axes."""
    relative: Mapping[str, Hashable] = field(default_factory=dict)
    """Settings that follow from the input, such as the groups of a depthwise convolution, in a form without it."""
    in_channels: Number | None = None
    folded: Number = 0
    """Parameters of the bias that it has with the batch norm behind it folded into it."""
    key: Hashable = None
    """Equal for equal layers."""

    def __post_init__(self) -> None:
        self.key = (self.kind, *self.settings.items(), self.params + self.folded, self.multiplies, self.output)

    @property
    def path(self) -> str:
        """The path of its node, or of the scope that several are in."""
        if len(self.nodes) == 1:
            return self.nodes[0].path
        segments = zip(*(node.path.split(".") for node in self.nodes), strict=False)
        shared = takewhile(lambda names: len(set(names)) == 1, segments)
        return ".".join(names[0] for names in shared) or self.nodes[-1].path

    @property
    def index(self) -> int:
        """The place of its last node in the graph."""
        return self.nodes[-1].index

    @property
    def params(self) -> Number:
        """Parameters, those that it shares with other layers included."""
        return sum(node.facts.params for node in self.nodes)

    @property
    def multiplies(self) -> Number:
        return sum(node.facts.multiplies for node in self.nodes)

    @property
    def own(self) -> Hashable:
        """Equal for layers that may differ because of their inputs alone."""
        return self.kind, *{**self.settings, **self.relative}.items()

    @property
    def form(self) -> Hashable:
        """Kind, kernel and stride, by which layers are aligned."""
        return self.kind, self.settings.get("kernel"), self.settings.get("stride"), self.settings.get("type")

    def differing(self, other: Layer) -> tuple[str, ...]:
        """Return the settings that differ, but for those that differ because the inputs do."""
        names = [name for name in self.settings if self.settings[name] != other.settings.get(name)]
        return tuple(
            name for name in names if name not in self.relative or self.relative[name] != other.relative.get(name)
        )


def layers_of(
    graph: Graph, ignored: Collection[str] = (), masked: bool = False, folded: bool = False, stacked: bool = False
) -> list[Layer]:
    """Return the layers that multiply, the norms and the activations, in the order of the graph.

    Args:
        graph: whose layers are all counted.
        ignored: ``norm`` and ``act``, where these are not compared.
        masked: whether masks of attention are compared.
        folded: whether a layer with a batch norm behind it is compared as exporters fold them: with a bias.
        stacked: whether recurrent layers on each other are compared as one of several layers.
    """
    normed = _followed_by_batch_norm(graph) if folded else ()
    joint = [*(_attention(found, masked) for found in joined(graph)), *(_stacks(graph) if stacked else ())]
    several = {node.index: layer for layer in joint for node in layer.nodes}
    layers = []
    for node in graph.layers:
        layer = several.get(node.index)
        if layer is not None:
            layers += [layer] if node is layer.nodes[-1] else []
        elif node.facts.multiplies or (node.op is not None and node.op.kind in IGNORABLE):
            layer = _layer(node, graph)
            if node.index in normed and layer.settings.get("bias") is False:
                layer = replace(layer, settings={**layer.settings, "bias": True}, folded=layer.settings["out"])
            layers.append(layer)
    return [layer for layer in layers if layer.kind not in ignored]


def _followed_by_batch_norm(graph: Graph) -> set[int]:
    """Return the nodes that a batch norm alone reads."""
    readers = Counter(index for node in graph.nodes for index in set(node.inputs))
    norms = [node for node in graph.layers if getattr(node.op, "type", "") == "batch"]
    return {node.inputs[0] for node in norms if readers[node.inputs[0]] == 1}


def tables_of(graph: Graph, layers: Sequence[Layer], ignored: Collection[str] = ()) -> list[Layer]:
    """Return what has parameters beside the layers: embeddings, positions, scales."""
    taken = {node.index for layer in layers for node in layer.nodes}
    nodes = [node for node in graph.layers if node.facts.params and node.index not in taken]
    ops = [(node, node.op) for node in nodes if node.op is not None and node.op.kind not in ignored]
    return [
        Layer((node,), op.kind, {} if op.has_output else op.attributes(*node.input_shapes), node.shape.elements)
        for node, op in ops
    ]


def _layer(node: Node, graph: Graph) -> Layer:
    assert node.op is not None
    kind, features = node.op.kind, node.shape[-1]
    if kind in CONVOLUTIONS:
        return _convolution(node, graph.nodes[node.inputs[0]])
    if kind == "linear":  # windows may be rows
        settings: dict[str, Any] = {"out": features, "bias": "bias" in node.facts.weights}
        return Layer((node,), kind, settings, node.shape.elements, {}, node.input_shapes[0][-1])
    if kind in PRODUCTS and not node.facts.params:
        return Layer((node,), PRODUCTS[0], {}, node.shape.elements)
    if kind in IGNORABLE:
        settings = {"type": getattr(node.op, "type", None)}
        if kind == "norm":
            settings |= {"groups": getattr(node.op, "groups", None)}
            settings |= {"scale": "weight" in node.facts.weights, "bias": "bias" in node.facts.weights}
        return Layer((node,), kind, settings, node.shape.elements)
    fields = zip(arguments_of(type(node.op)), node.op.__dataclass_fields__, strict=True)
    return Layer((node,), kind, {word: getattr(node.op, name) for word, name in fields}, node.shape.elements)


def _convolution(node: Node, before: Node) -> Layer:
    """Return a convolution; cells that a layer ``before`` it adds around its input are padding of its own."""
    op, x, out = node.op, node.input_shapes[0], node.shape.channels
    window = op.window(*node.input_shapes) if op is not None else None
    assert op is not None
    assert window is not None
    if isinstance(before.op, Pad) and op.kind != "deconv":
        unpadded = before.input_shapes[0]
        channels, *pads = before.op.pads(unpadded)
        if channels == (0, 0) and all(side >= 0 for pair in pads for side in pair):
            x = unpadded
            sides = [tuple(map(sum, zip(*pairs, strict=True))) for pairs in zip(window.padding, pads, strict=True)]
            window = window._replace(padding=tuple((first, last) for first, last in sides))
    groups = x.channels if op.kind == "dwconv" else getattr(op, "groups", 1)
    settings = {**dict(zip(WINDOW, window, strict=True)), "groups": groups, "out": out}
    settings["bias"] = "bias" in node.facts.weights
    relative: dict[str, Hashable] = {}
    if op.kind == "deconv":
        settings["output_padding"] = getattr(op, "output_padding", None)
    elif window.padding == resolve_padding("same", x.spatial, window.kernel_size, window.stride, window.dilation):
        relative["padding"] = _FROM_INPUT
    if groups == x.channels and groups > 1:
        relative |= {"groups": _FROM_INPUT, "out": (_FROM_INPUT, out // groups)}
    kind = "deconv" if op.kind == "deconv" else "conv"
    return Layer((node,), kind, settings, tuple(node.shape), relative, x.channels)


def _attention(found: AttentionLayers, masked: bool) -> Layer:
    """Return q, k, v, scores, context and the projection as one layer; windows may be rows."""
    shape = found.nodes[-1].shape
    settings: dict[str, Any] = {"heads": found.heads, "out": shape[-1], "bias": found.has_bias}
    is_bare = found.in_features is None and found.heads is None  # without projections
    relative: dict[str, Hashable] = {"out": _FROM_INPUT} if is_bare or found.in_features == shape[-1] else {}
    if masked:
        settings |= {"mask": "none", "past": 0, "window": None}
    for node in filter(_is_causal, found.nodes if masked else ()):
        op: Any = node.op
        past = op.past or 0
        mask = {"mask": "causal", "past": past, "window": op.key_window}
        relative |= mask
        if any(product.masked for product in node.facts.products):  # of one query it hides nothing
            is_narrow = op.key_window is not None and op.key_window < past + node.input_shapes[0][-2]
            settings |= mask if is_narrow else {**mask, "window": None}
    return Layer(found.nodes, ATTENTION, settings, (shape.elements, found.scores), relative, found.in_features)


MOST_WITHOUT_MASK = 3
"""Tensors that an attention reads: queries, keys and values; a fourth is a mask."""


def _is_causal(node: Node) -> bool:
    return bool(getattr(node.op, "is_causal", False))


def has_masks(graph: Graph) -> bool:
    """Whether an attention of a graph has a causal mask."""
    return any(map(_is_causal, graph.layers))


def states_masks(graph: Graph, is_spec: bool) -> bool:
    """Whether masks of a graph are known: it has causal ones, or is that of a spec whose attentions could have them."""
    return has_masks(graph) or (is_spec and all(any(map(_may_be_causal, each.nodes)) for each in joined(graph)))


def _may_be_causal(node: Node) -> bool:
    """Whether a layer has the argument ``mask``, and reads no other mask."""
    return hasattr(node.op, "is_causal") and len(node.inputs) <= MOST_WITHOUT_MASK


def has_stacks(graphs: Iterable[Graph]) -> bool:
    """Whether a recurrent layer of graphs has several layers, which another source may write one by one."""
    return any(getattr(node.op, "num_layers", 1) != 1 for graph in graphs for node in graph.layers)


def _stacks(graph: Graph) -> Iterator[Layer]:
    """Yield recurrent layers that are alike and read each other alone, as one of several layers."""
    readers = Counter((*graph.outputs.values(), *(index for node in graph.nodes for index in set(node.inputs))))
    stacks: dict[int, Layer] = {}
    for node in graph.layers:
        if node.op is None or node.op.kind not in RECURRENT:
            continue
        layer, before, views = _layer(node, graph), graph.nodes[node.inputs[0]], [node]
        while before.op is not None and before.op.kind in REARRANGING and readers[before.index] == 1:
            views = [before, *views]
            before = graph.nodes[before.inputs[0]]
        below = stacks.get(before.index)
        count = {"layers": layer.settings["layers"] + (below.settings["layers"] if below is not None else 0)}
        is_next = below is not None and readers[before.index] == 1 and below.kind == layer.kind
        if below is not None and is_next and {**below.settings, **count} == {**layer.settings, **count}:
            del stacks[before.index]
            layer = replace(layer, nodes=(*below.nodes, *views), settings={**layer.settings, **count})
        stacks[node.index] = layer
    yield from (layer for layer in stacks.values() if len(layer.nodes) > 1)
