"""The rows of a report: the values of a layer, and the layer in words, ``conv 3×3, 64 → 128, /2``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from convcalc.graph.graph import Graph, Node
from convcalc.report.report import LayerRow


def layer_rows(graph: Graph, columns: Mapping[str, Sequence[Any]]) -> list[LayerRow]:
    """Return the row of every layer; layers that share their facts are described once."""
    layers, paths = graph.layers, [node.path for node in graph.nodes]
    inputs = [
        (paths[node.inputs[0]],) if len(node.inputs) == 1 else tuple([paths[index] for index in node.inputs])
        for node in layers
    ]
    owners = [paths[node.weight_owner] if node.weight_owner != node.index else None for node in layers]
    fields = [
        (node.path, kind, words, read, entering, leaving, attributes, values, owner, node.source)
        for node, (kind, words, entering, leaving, attributes), read, values, owner in zip(
            layers, graph.of_layers(_described), inputs, _values(columns, len(layers)), owners, strict=True
        )
    ]
    return list(map(LayerRow._make, fields))


def _values(columns: Mapping[str, Sequence[Any]], layers: int) -> list[Mapping[str, Any]]:
    """Return the values of every layer by their keys; layers of equal values share them."""
    rows, keys = list(zip(*columns.values(), strict=True)) or [()] * layers, tuple(columns)
    try:
        known = {row: dict(zip(keys, row, strict=True)) for row in set(rows)}
    except TypeError:  # arrays cannot be looked up
        return [dict(zip(keys, row, strict=True)) for row in rows]
    return [known[row] for row in rows]


def _described(node: Node) -> tuple[str, str, tuple[tuple[int, ...], ...], tuple[int, ...], Mapping[str, Any]]:
    """Return what a row says of a layer's op: its kind, its words, the shapes that enter and leave, its attributes."""
    op = node.op
    assert op is not None
    attributes = op.attributes(*node.input_shapes)
    entering = tuple([tuple(shape) for shape in node.input_shapes]) if op.depends_on_values else ()
    return op.kind, layer_summary(attributes, node), entering, tuple(node.shape), attributes


def layer_summary(attributes: Mapping[str, Any], node: Node) -> str:
    """Return what tells a layer from others of its kind, in the field's shorthand: ``3×3, 64 → 128, /2``."""
    parts = []
    for key, phrase in _worded(tuple(attributes)):
        if (value := attributes[key]) is not None and (words := phrase(value)):
            parts.append(words)
    if "out_channels" in attributes or "out_features" in attributes:
        axis = 0 if "out_channels" in attributes else -1
        parts.insert("kernel_size" in attributes, f"{node.input_shapes[0][axis]} → {node.shape[axis]}")
    return ", ".join(parts)


@cache
def _worded(attributes: tuple[str, ...]) -> list[tuple[str, Callable[[Any], str]]]:
    """Return the attributes that are put in words, and how, in the order of the words."""
    return [(key, phrase) for key, phrase in _PHRASES.items() if key in attributes]


def _window(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))


def _steps(sizes: Sequence[int]) -> str:
    if (different := {*sizes}) == {1}:
        return ""
    return f"/{sizes[0]}" if len(different) == 1 else f"/{_window(sizes)}"


def _dilation(sizes: Sequence[int]) -> str:
    return "" if {*sizes} == {1} else f"dilation {_window(dict.fromkeys(sizes))}"  # type: ignore[arg-type]


_PHRASES: Mapping[str, Callable[[Any], str]] = {
    "type": str,
    "equation": str,
    "count": lambda count: f"{count} experts",
    "top": lambda top: f"top {top}",
    "factor": lambda factor: f"by {factor}",
    "causal": lambda causal: "causal" if causal else "",
    "mask": str,
    "window": lambda window: f"window {window}",
    "past": lambda past: f"past {past}" if past else "",
    "adaptive": lambda adaptive: "adaptive" if adaptive else "",
    "out_size": lambda sizes: f"→ {_window(sizes)}",
    "kernel_size": _window,
    "stride": _steps,
    "dilation": _dilation,
    "slopes": lambda sizes: "1 slope" if all(size == 1 for size in sizes) else f"{_window(sizes)} slopes",
    "groups": lambda groups: "" if groups == 1 else f"groups {groups}",
    "weight_sharing": lambda sharing: "" if sharing == "none" else "one kernel for all channels",
    "heads": lambda heads: f"{heads} heads",
    "vocab": lambda vocab: f"{vocab} rows",
    "hidden_size": lambda hidden: f"hidden {hidden}",
    "proj_size": lambda size: f"projected to {size}",
    "num_layers": lambda layers: "" if layers == 1 else f"{layers} layers",
    "bidirectional": lambda both: "bidirectional" if both else "",
    "global": lambda whole: "global" if whole else "",
}
"""How attributes are put in words; what is usual is left out."""
