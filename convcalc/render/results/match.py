"""Where two designs differ, as people read it: the totals, then the first differences, each with its cause."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from convcalc.designs.names import ZOO
from convcalc.errors import Span
from convcalc.graph.graph import Node
from convcalc.match.comparison import whole_scopes
from convcalc.match.differences import ADDED, CHANGED, MISSING, REORDERED, Difference
from convcalc.match.layers import Layer
from convcalc.match.match import Match
from convcalc.number_format import count_of, format_exact
from convcalc.render.report.facts import location_facts
from convcalc.render.tables.blocks import Block, Paragraph, Table, TableColumn
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.surface import Surface

SHOWN = 10
"""Differences in text; JSON has all."""
FEW = 4
"""Places that are listed one by one."""
UNUSUAL_BEYOND_1 = ("stride", "dilation", "groups")
"""Settings that are shown where they are not 1."""


def match_blocks(found: Match, surface: Surface) -> Iterator[Block]:
    """The designs with their layers, the totals, and the first differences."""
    one, two = found.first, found.second
    yield surface.line(f"{one.design}  {two.design}", "title")
    yield surface.line(_counts(found))
    params, multiplies = _against(one.params, two.params), _against(one.multiplies, two.multiplies)
    yield surface.line(f"params {params}    multiplies {multiplies}", "total")
    for difference in found.differences[:SHOWN]:
        yield Paragraph()
        yield from _difference(difference, found, surface)
    for text in _remarks(found):
        yield from (Paragraph(), surface.line(text, "dim"))


def _remarks(found: Match) -> Iterator[str]:
    alone = [each for each in found.differences if each.kind in (MISSING, ADDED)]
    has_norms = any({layer.kind for layer in (*each.first, *each.second)} == {"norm"} for each in alone)
    if has_norms and any(each.names == ("bias",) for each in found.differences):  # one side has norms, the other biases
        yield "Batch norms may be folded into the layers before them: --ignore norm compares both sides so."
    if found.masks_unknown:
        yield f"Masks of attention are not compared: {found.masks_unknown} has no causal one, or has it as a tensor."
    if len(found.differences) > SHOWN:
        yield f"{count_of(len(found.differences) - SHOWN, 'more difference')}: -f json lists all."


def sentence_of(difference: Difference, found: Match) -> list[str]:
    """Return a difference in words, such as for an annotation: one sentence, then what belongs to it."""
    if difference.kind != CHANGED:
        return [_in_words(difference, found), *_consequences(difference)]
    layers = (difference.first[0], difference.second[0])
    one, two = difference.reads or [describe(layer, difference.names) for layer in layers]
    paths = ", ".join(
        f"{layer.path} in {side.design}" for layer, side in zip(layers, (found.first, found.second), strict=True)
    )
    more = list(_more(difference))[bool(difference.reads) :]
    return [f"{', '.join(difference.names)}: {one} ≠ {two} ({paths})", *more, *_consequences(difference)]


def place_of(difference: Difference) -> Span | None:
    """Return the place of a difference in a spec: in the first that has lines."""
    layers = (*difference.first[:1], *([difference.behind] if difference.behind else ()), *difference.second[:1])
    nodes = [layer.nodes[-1] for layer in layers]
    causes = [node for side in difference.nodes for node in side]
    nodes = [*causes[:1], *nodes] if difference.reads else [*nodes, *causes]
    spans = [node.source for node in nodes if node.source is not None]
    return next((span for span in spans if span.line), spans[0] if spans else None)


def _counts(found: Match) -> str:
    """``54 layers against 54: 49 equal, 1 differs, 4 differ in size alone``."""
    changed = sum(len(each.first) for each in found.differences if each.kind == CHANGED)
    alone = found.in_size_alone
    parts = [f"{found.equal:,} equal"]
    parts += [f"{changed:,} {_verb(changed)}"] if changed else []
    parts += [f"{alone:,} {_verb(alone)} in size alone"] if alone else []
    for kind, side in ((MISSING, found.first), (ADDED, found.second)):
        number = sum(len(each.first or each.second) for each in found.differences if each.kind == kind)
        parts += [f"{number:,} only in {side.design}"] if number else []
    reordered = sum(len(each.first) for each in found.differences if each.kind == REORDERED)
    parts += [f"{reordered:,} in another order"] if reordered else []
    return f"{count_of(found.first.layers, 'layer')} against {found.second.layers:,}: {', '.join(parts)}"


def _verb(number: int) -> str:
    return "differs" if number == 1 else "differ"


def _against(one: int, two: int) -> str:
    return f"{format_exact(one)} {'=' if one == two else '≠'} {format_exact(two)}"


def _difference(difference: Difference, found: Match, surface: Surface) -> Iterator[Block]:
    """The layers of both sides, one above the other, or a sentence; then what follows from it."""
    if difference.kind == CHANGED:
        yield _pair(difference, (found.first.design, found.second.design), surface.glyphs)
        yield from (surface.line(f"    {line}", indent=4) for line in _more(difference))
    else:
        yield surface.line(f"  {_in_words(difference, found)}", "group", indent=4)
    yield from (surface.line(f"    {line}", indent=4) for line in _consequences(difference))


def _pair(difference: Difference, designs: Sequence[str], glyphs: Characters) -> Table:
    layers = (difference.first[0], difference.second[0])
    columns = [
        TableColumn("", [glyphs.text(layer.path) for layer in layers], style="group"),
        TableColumn("", [glyphs.text(place) for place in map(_place, layers, designs)], style="dim"),
        TableColumn("", [glyphs.text(describe(layer, difference.names)) for layer in layers], gap=3),
        TableColumn("", [f"{format_exact(layer.params)} params" if layer.params else "" for layer in layers], gap=3),
        TableColumn("", ["", glyphs.text(f"← {', '.join(difference.names)}")], style="warning", gap=3),
    ]
    return Table([column for column in columns if any(column.texts)], indent=2)


def _place(layer: Layer, design: str) -> str:
    """``(models/net.yaml:24:15)``; of a bundled spec without the folder, which nobody named."""
    source = layer.nodes[-1].source
    if source is None or not source.line:
        return ""
    shown = str(source)
    return f"({os.path.basename(shown) if design.startswith(ZOO) else shown})"


def _more(difference: Difference) -> Iterator[str]:
    """The other places of a difference, and a layer that is not compared and is the cause."""
    rest = _paths(difference.first[1:])
    if difference.reads:
        yield " ≠ ".join(difference.reads)
    if rest:
        yield f"and {len(rest):,} more alike: {_listed(rest)}"
    if any(difference.nodes) and not difference.reads:
        yield f"because of {' ≠ '.join(_sizes(nodes) for nodes in difference.nodes)}"


def _consequences(difference: Difference) -> Iterator[str]:
    number = difference.consequences
    if number:
        yield f"{count_of(number, 'layer')} behind it {_verb(number)} in size alone, because of it"


def _in_words(difference: Difference, found: Match) -> str:
    sides = (found.first.design, found.second.design)
    match difference.kind:
        case "missing" | "added":
            return _alone(difference, found)
        case "order":
            number = count_of(len(difference.first), "layer")
            one, two = _listed(_paths(difference.first)), _listed(_paths(difference.second))
            return f"{number} in another order: {one} ≠ {two}"
        case "tie":
            shared, other = sides if difference.names == ("first",) else sides[::-1]
            layers = difference.first if difference.names == ("first",) else difference.second
            return f"in {shared} {_listed(_paths(layers))} share their weights, in {other} not"
        case "name":
            pairs = [f"{one.path} ≠ {two.path}" for one, two in zip(difference.first, difference.second, strict=True)]
            more = ", …" * (len(pairs) > FEW)
            return f"{count_of(len(pairs), 'layer')} of another name: {', '.join(pairs[:FEW])}{more}"
    return f"the {difference.kind} differs: {' ≠ '.join(difference.reads or map(_sizes, difference.nodes))}"


def _paths(layers: Sequence[Layer]) -> list[str]:
    return [layer.path for layer in layers]


def _sizes(nodes: Sequence[Node]) -> str:
    return ", ".join(f"{node.path} {'×'.join(map(str, node.shape))}" for node in nodes) or "none"


def _alone(difference: Difference, found: Match) -> str:
    """``17 blocks that zoo:resnet50 does not have: stage3.block7 … stage3.block23 (153 layers, 18,992,128 params)``."""
    number, layers = (0, difference.first) if difference.kind == MISSING else (1, difference.second)
    names = whole_scopes(layers, found.sides[number])
    other = (found.second, found.first)[number].design
    noun = "layer" if {layer.path for layer in layers}.issuperset(names) else "block"
    params = sum(layer.params for layer in layers)
    facts = [describe(layers[0], ())] if len(layers) == 1 else []
    facts += [f"{len(layers):,} layers"] if len(layers) > len(names) else []
    facts += [f"{format_exact(params)} params"] if params else []
    more = f" ({', '.join(facts)})" if facts else ""
    return f"{count_of(len(names), noun)} that {other} does not have: {_listed(names)}{more}"


def _listed(names: Sequence[str]) -> str:
    """Return all of a few names, of many the first and the last."""
    return ", ".join(names) if len(names) <= FEW else f"{names[0]} … {names[-1]}"


# --- layers -----------------------------------------------------------------------------------------------------------


def describe(layer: Layer, named: Sequence[str]) -> str:
    """Return kind and settings of a layer: those that are unusual, and those that are named.

    ``conv 3×3, 128 → 128, stride 2``.
    """
    settings, node = layer.settings, layer.nodes[-1]
    kind = settings["type"] if isinstance(settings.get("type"), str) else ""
    parts = [" ".join(filter(None, [layer.kind, kind, _axes(settings.get("kernel", ()))]))]
    if layer.in_channels is not None:
        parts.append(f"{layer.in_channels} → {settings['out']}")
    elif layer.output is not None and not settings and node.op and node.op.has_output:
        parts[0] += f" {'×'.join(map(str, node.shape))}"
    for name, value in settings.items():
        each_axis = value if isinstance(value, tuple) else (value,)
        is_unusual = name in UNUSUAL_BEYOND_1 and any(each not in (None, 1) for each in each_axis)
        if name not in ("type", "kernel", "out") and (name in named or is_unusual):
            parts.append(_setting(name, value, layer))
    if "input" in named:
        parts.append(f"on {'×'.join(map(str, layer.nodes[0].input_shapes[0]))}")
    return ", ".join(parts)


def _axes(value: Any) -> str:
    """``3×3``; of padding ``1×1``, with both sides where they differ ``0+1``."""
    sides = ("+".join(map(str, dict.fromkeys(each))) if isinstance(each, tuple) else str(each) for each in value)
    return "×".join(sides)


def _setting(name: str, value: Any, layer: Layer) -> str:
    if name == "groups" and name in layer.relative:
        return "depthwise"
    if isinstance(value, bool) or value is None:
        return name if value else f"no {name}"
    if isinstance(value, tuple):
        texts = _axes(value).split("×")
        return f"{name} {texts[0] if len(set(texts)) == 1 else '×'.join(texts)}"
    return f"{value} heads" if name == "heads" else f"{name} {value}"


# --- for programs -----------------------------------------------------------------------------------------------------


def match_facts(found: Match) -> dict[str, object]:
    """Return a match as what JSON has words for."""
    return {
        "equal": found.is_equal,
        "designs": [
            {"design": side.design, "layers": side.layers, "params": side.params, "macs": side.multiplies}
            for side in (found.first, found.second)
        ],
        "equal_layers": found.equal,
        "layers_in_size_alone": found.in_size_alone,
        "masks_compared": not found.masks_unknown,
        "differences": (_facts(each, found) for each in found.differences),
    }


def _facts(difference: Difference, found: Match) -> dict[str, object]:
    return {
        "kind": difference.kind,
        "text": sentence_of(difference, found)[0],
        "names": difference.names,
        "reads": difference.reads,
        "first": [_layer_facts(layer) for layer in difference.first],
        "second": [_layer_facts(layer) for layer in difference.second],
        "causes": [[{"path": node.path, "shape": node.shape} for node in nodes] for nodes in difference.nodes],
        "consequences": difference.consequences,
        "source": location_facts(place_of(difference)),
    }


def _layer_facts(layer: Layer) -> dict[str, object]:
    return {
        "path": layer.path,
        "kind": layer.kind,
        "settings": dict(layer.settings),
        "params": layer.params,
        "macs": layer.multiplies,
        "output_shape": layer.nodes[-1].shape,
        "source": location_facts(layer.nodes[-1].source),
    }
