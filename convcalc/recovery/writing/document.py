"""The text of a spec, in which a width that recurs is a variable: that of a transformer's tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from types import MappingProxyType
from typing import Any

from convcalc.errors import Source, SpecErrors
from convcalc.graph.graph import Graph, Node
from convcalc.recovery.items import ENTRY, ExpressionText, SpecItem, Value, every
from convcalc.recovery.structure.blocks import RecoveredBlock
from convcalc.recovery.structure.columns import name_columns
from convcalc.recovery.writing.names import name_items, name_targets
from convcalc.recovery.writing.text import BlockParameters, entries, fields
from convcalc.recovery.writing.yaml_items import ItemWriter
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.load import expand, parse_spec

NAMES = ("dim", "width", "features", "channels")
WIDTHS = ("out", "shape", "dim")
"""Arguments that hold widths."""
LEAST_WIDTH, LEAST_TIMES = 16, 3
MULTIPLES = (1, 2, 3, 4)
"""How many times the width a linear layer may be wide, as those of a transformer are."""
OTHER = (2, 3)
"""Times the value of a variable that it must be possible to set."""
UNNAMED = ("input", "x")
"""What a lone input is called that nobody named: it is written `input`, and so is a layer outside of a part."""


def named_width(items: Sequence[SpecItem], taken: Collection[str]) -> dict[str, int]:
    """Write the name of the width that recurs most in place of it and of its multiples.

    Args:
        items: of the file and all of its blocks.
        taken: names of parameters and columns.

    Returns:
        The variable with its value, or nothing where no width recurs.
    """
    kinds: dict[int, list[str]] = {}
    for item, value in _widths(items):
        for factor in MULTIPLES if item.kind == "linear" else (1,):
            if value % factor == 0:
                kinds.setdefault(value // factor, []).append(item.kind)
    written = {value for _, value in _widths(items)}
    found = [
        value
        for value, each in kinds.items()
        if value >= LEAST_WIDTH
        and len(each) >= LEAST_TIMES
        and len({*each}) > 1
        and "linear" in each
        and value in written
    ]
    name = next((each for each in NAMES if each not in taken), None)
    if not found or name is None:
        return {}
    width = max(found, key=lambda value: (len(kinds[value]), value))
    for item in every(items):
        for key in item.args.keys() & WIDTHS:
            item.args[key] = _written(item.args[key], width, name)
    return {name: width}


def can_be_set(text: str, variables: Mapping[str, int]) -> bool:
    """Whether a spec has a network for other values of its variables: sizes may be equal by chance."""
    files = DocumentLoader()
    document = parse_spec(Source("recovered.yaml", text), files)
    try:
        for factor in OTHER:
            expand(document, files, overrides={name: factor * value for name, value in variables.items()})
    except SpecErrors:
        return False
    return True


def _widths(items: Iterable[SpecItem]) -> Iterator[tuple[SpecItem, int]]:
    for item in every(items):
        for key in item.args.keys() & WIDTHS:
            value = item.args[key]
            for each in value if type(value) is tuple else (value,):
                if type(each) is int:
                    yield item, each


def _written(value: Value, width: int, name: str) -> Value:
    if type(value) is tuple:
        return tuple(_written(each, width, name) for each in value)
    for factor in MULTIPLES:
        if type(value) is int and value == factor * width:
            return ExpressionText(name if factor == 1 else f"{factor}*{name}")
    return value


def document(
    graph: Graph,
    items: list[SpecItem],
    blocks: Mapping[str, RecoveredBlock] = MappingProxyType({}),
    *,
    is_flat: bool = False,
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
    both = [*items, *(item for block in blocks.values() for item in block.items)]

    def text(variables: Mapping[str, int]) -> str:
        writer = ItemWriter(both, blocks)
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
    columns = {name for item in every(both) for name in item.columns}
    taken = columns.union(*(block.signature for block in blocks.values()))
    variables = {} if is_flat else named_width(both, taken)
    return named if variables and can_be_set(named := text(variables), variables) else plain


def _block(block: RecoveredBlock, writer: ItemWriter) -> Any:
    layers = writer.series(block.items)
    return {"params": BlockParameters(block.signature), "layers": layers} if block.signature else layers


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


def _input_names(graph: Graph) -> dict[int, str]:
    """Return a name for each input; `input` is always the first."""
    names: dict[int, str] = {}
    for node in graph.inputs:
        base = node.path.replace(".", "_")
        taken = {*names.values(), "input"} if len(graph.inputs) > 1 else ()
        names[node.index] = next(name for name in chain([base], (f"{base}_{n}" for n in count(2))) if name not in taken)
    return names


def _targets(items: Sequence[SpecItem]) -> Iterable[int]:
    """Return the nodes that are read by their names."""
    for item in every(items):
        yield from (index for index in (item.source, item.tie, *item.references.values()) if index is not None)


def write_modifiers(items: Sequence[SpecItem], paths: Mapping[int, str]) -> None:
    """Write names and paths into the items."""
    for item in every(items):
        if item.name:
            item.modifiers = {"name": item.name, **item.modifiers}
        if item.source is not None:
            item.modifiers["from"] = paths[item.source]
        if item.tie is not None:
            item.modifiers["tie"] = paths[item.tie]
        if item.references:
            item.modifiers["references"] = {key: paths[index] for key, index in item.references.items()}
