"""The text of a spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from types import MappingProxyType
from typing import Any

from convcalc.graph.graph import Graph, Node
from convcalc.recovery.items import ENTRY, Item
from convcalc.recovery.structure.blocks import Block
from convcalc.recovery.structure.columns import name_columns
from convcalc.recovery.writing.names import name_items, name_targets
from convcalc.recovery.writing.text import Parameters, entries, fields
from convcalc.recovery.writing.variables import can_be_set, named_width
from convcalc.recovery.writing.yaml_items import ItemWriter

UNNAMED = ("input", "x")
"""What a lone input is called that nobody named: it is written `input`, and so is a layer outside of a part."""


def document(
    graph: Graph, items: list[Item], blocks: Mapping[str, Block] = MappingProxyType({}), *, is_flat: bool = False
) -> str:
    """Return the text of a spec with these items, which have been connected."""
    modules = graph.scopes if any(node.path in graph.scopes for node in graph.layers) else ()
    for block in blocks.values():
        name_items(block.items, blocks, modules)
        name_columns(block.items, {*block.signature})
        write_modifiers(block.items, name_targets(block.items, _targets(block.items), {ENTRY: "input"}))
    name_columns(items, set())
    if not is_flat:
        name_items(items, blocks, modules)
    names = _input_names(graph)
    inputs = names | {graph.inputs[0].index: "input"}
    outputs = list(graph.outputs.values())
    last = items[-1].output if items else graph.inputs[0].index
    several = outputs if len(outputs) > 1 or outputs[-1] != last else []
    paths = name_targets(items, [*_targets(items), *several], inputs)
    write_modifiers(items, paths)
    every = [*items, *(item for block in blocks.values() for item in block.items)]

    def text(variables: Mapping[str, int]) -> str:
        writer = ItemWriter(every, blocks)
        top = _head(graph, names, {value: name for name, value in variables.items()})
        top |= {key: value for key, value in (("vars", variables), ("defaults", writer.defaults)) if value}
        lines = [*fields(top, 0), ""]
        if blocks:
            lines += ["blocks:", *fields({name: _block(block, writer) for name, block in blocks.items()}, 2), ""]
        lines += ["layers:", *entries(writer.series(items), 2)] if items else ["layers: []"]
        if several:
            lines += fields({"outputs": [paths[index] for index in several]}, 0)
        return "\n".join(lines) + "\n"

    plain = text({})
    variables = {} if is_flat else named_width(every, _variables(every, blocks))
    return named if variables and can_be_set(named := text(variables), variables) else plain


def _block(block: Block, writer: ItemWriter) -> Any:
    layers = writer.series(block.items)
    return {"params": Parameters(block.signature), "layers": layers} if block.signature else layers


def _head(graph: Graph, names: Mapping[int, str], widths: Mapping[Any, str]) -> dict[str, Any]:
    """Return the version, the name of the network, and its inputs, with the names of widths for features of tokens."""

    def sizes(node: Node) -> list[Any]:
        *axes, last = node.shape
        return [*axes, widths.get(last, last) if len(axes) == 1 else last]

    top: dict[str, Any] = {"convcalc": 1}
    if graph.name:
        top["name"] = graph.name.replace("{", "(").replace("}", ")")
    if len(graph.inputs) == 1 and (graph.inputs[0].path in UNNAMED or "." in graph.inputs[0].path):
        return top | {"input": sizes(graph.inputs[0])}
    return top | {"inputs": {names[node.index]: sizes(node) for node in graph.inputs}}


def _variables(items: Sequence[Item], blocks: Mapping[str, Block]) -> set[str]:
    """Return the names of all parameters and columns."""
    columns = {name for outer in items for item in outer.below() for name in item.columns}
    return columns.union(*(block.signature for block in blocks.values()))


def _input_names(graph: Graph) -> dict[int, str]:
    """Return a name for each input; `input` is always the first."""
    names: dict[int, str] = {}
    for node in graph.inputs:
        base = node.path.replace(".", "_")
        taken = {*names.values(), "input"} if len(graph.inputs) > 1 else ()
        names[node.index] = next(name for name in chain([base], (f"{base}_{n}" for n in count(2))) if name not in taken)
    return names


def _targets(items: Sequence[Item]) -> Iterable[int]:
    """Return the nodes that are read by their names."""
    for item in (each for outer in items for each in outer.below()):
        yield from (index for index in (item.source, item.tie, *item.references.values()) if index is not None)


def write_modifiers(items: Sequence[Item], paths: Mapping[int, str]) -> None:
    """Write names and paths into the items."""
    for item in (each for outer in items for each in outer.below()):
        if item.name:
            item.modifiers = {"name": item.name, **item.modifiers}
        if item.source is not None:
            item.modifiers["from"] = paths[item.source]
        if item.tie is not None:
            item.modifiers["tie"] = paths[item.tie]
        if item.references:
            item.modifiers["references"] = {key: paths[index] for key, index in item.references.items()}
