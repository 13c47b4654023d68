"""Where two designs differ, as people read it: the totals, then the first differences, each with its cause."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from convcalc.designs.names import ZOO
from convcalc.errors import Span
from convcalc.graph.graph import Node
from convcalc.match.comparison import whole_scopes
from convcalc.match.differences import ADDED, CHANGED, MISSING, REORDERED, Difference
from convcalc.match.layers import Layer
from convcalc.match.match import Match, Totals
from convcalc.number_format import count_of, format_exact
from convcalc.render.tables.characters import Characters
from convcalc.render.tables.paragraph import Block, Paragraph
from convcalc.render.tables.surface import Surface
from convcalc.render.tables.table import Table, TableColumn

SHOWN = 10
"""Differences in text; JSON has all."""
FEW = 4
"""Places that are listed one by one."""
_PLAIN: Mapping[str, object] = {"stride": 1, "dilation": 1, "groups": 1}
"""Settings that are shown where they are others."""


def match_blocks(found: Match, surface: Surface) -> Iterator[Block]:
    """The designs with their layers, the totals, and the first differences."""
    glyphs, width = Characters(surface.ascii_only), surface.width
    yield Paragraph([(glyphs.text(f"{found.first.design}  {found.second.design}"), "title")], width)
    yield Paragraph([(glyphs.text(f"{_counts(found)}"), "")], width)
    yield Paragraph([(glyphs.text(_totals(found)), "total")], width)
    for difference in found.differences[:SHOWN]:
        yield Paragraph()
        yield from _difference(difference, found, glyphs, width)
    for text in _remarks(found):
        yield from (Paragraph(), Paragraph([(glyphs.text(text), "dim")], width))


def _remarks(found: Match) -> Iterator[str]:
    if _may_be_folded(found):
        yield "Batch norms may be folded into the layers before them: --ignore norm compares both sides so."
    if found.masks_unknown:
        yield f"Masks of attention are not compared: {found.masks_unknown} has no causal one, or has it as a tensor."
    if len(found.differences) > SHOWN:
        yield f"{count_of(len(found.differences) - SHOWN, 'more difference')}: -f json lists all."


def _may_be_folded(found: Match) -> bool:
    """Whether one side has norms that the other has not, which has biases instead."""
    alone = [each for each in found.differences if each.kind in (MISSING, ADDED)]
    has_norms = any({layer.kind for layer in (*each.first, *each.second)} == {"norm"} for each in alone)
    return has_norms and any(each.names == ("bias",) for each in found.differences)


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


def _totals(found: Match) -> str:
    one, two = found.first, found.second
    return f"params {_against(one.params, two.params)}    multiplies {_against(one.multiplies, two.multiplies)}"


def _against(one: int, two: int) -> str:
    return f"{format_exact(one)} {'=' if one == two else '≠'} {format_exact(two)}"


def _difference(difference: Difference, found: Match, glyphs: Characters, width: int | None) -> Iterator[Block]:
    """The layers of both sides, one above the other, or a sentence; then what follows from it."""
    if difference.kind == CHANGED:
        yield _pair(difference, (found.first.design, found.second.design), glyphs)
        lines = list(_more(difference))
    else:
        yield Paragraph([(glyphs.text(f"  {_in_words(difference, found)}"), "group")], width, 4)
        lines = []
    lines += list(_consequences(difference))
    yield from (Paragraph([(glyphs.text(f"    {line}"), "")], width, 4) for line in lines)


def _pair(difference: Difference, designs: Sequence[str], glyphs: Characters) -> Table:
    layers = (difference.first[0], difference.second[0])
    columns = [
        TableColumn("", [glyphs.text(layer.path) for layer in layers], style="group"),
        TableColumn("", [glyphs.text(place) for place in map(_place, layers, designs)], style="dim"),
        TableColumn("", [glyphs.text(describe(layer, difference.names)) for layer in layers], gap=3),
        TableColumn("", [f"{format_exact(layer.params)} params" if layer.params else "" for layer in layers], gap=3),
        TableColumn("", ["", glyphs.text(f"← {', '.join(difference.names)}")], style="warning", gap=3),
    ]
    return Table([column for column in columns if any(column.texts)], ["", ""], glyphs.rule, indent=2)


def _place(layer: Layer, design: str) -> str:
    """``(models/net.yaml:24:15)``; of a bundled spec without the folder, which nobody named."""
    source = layer.nodes[-1].source
    if source is None or not source.line:
        return ""
    shown = str(source)
    return f"({os.path.basename(shown) if design.startswith(ZOO) else shown})"


def _more(difference: Difference) -> Iterator[str]:
    """The other places of a difference, and a layer that is not compared and is the cause."""
    rest = [layer.path for layer in difference.first[1:]]
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
            return (
                f"{number} in another order: {_listed(_paths(difference.first))} ≠ {_listed(_paths(difference.second))}"
            )
        case "tie":
            shared, other = sides if difference.names == ("first",) else sides[::-1]
            layers = difference.first if difference.names == ("first",) else difference.second
            return f"in {shared} {_listed(_paths(layers))} share their weights, in {other} not"
        case "name":
            pairs = [f"{one.path} ≠ {two.path}" for one, two in zip(difference.first, difference.second, strict=True)]
            return (
                f"{count_of(len(pairs), 'layer')} of another name: {', '.join(pairs[:FEW])}{', …' * (len(pairs) > FEW)}"
            )
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
    text = (
        describe(layers[0], ()) if len(layers) == 1 else f"{len(layers):,} layers" if len(layers) > len(names) else ""
    )
    facts = ", ".join(filter(None, [text, f"{format_exact(params)} params" if params else ""]))
    return f"{count_of(len(names), noun)} that {other} does not have: {_listed(names)}{f' ({facts})' if facts else ''}"


def _listed(names: Sequence[str]) -> str:
    """Return all of a few names, of many the first and the last."""
    return ", ".join(names) if len(names) <= FEW else f"{names[0]} … {names[-1]}"


# --- layers -----------------------------------------------------------------------------------------------------------


def describe(layer: Layer, named: Sequence[str]) -> str:
    """Return kind and settings of a layer: those that are unusual, and those that are named.

    ``conv 3×3, 128 → 128, stride 2``.
    """
    settings, node = layer.settings, layer.nodes[-1]
    head = " ".join(filter(None, [layer.kind, _type(settings), _axes(settings.get("kernel", ()))]))
    parts = [head]
    if layer.in_channels is not None:
        parts.append(f"{layer.in_channels} → {settings['out']}")
    elif layer.output is not None and not settings and node.op and node.op.has_output:
        parts[0] += f" {'×'.join(map(str, node.shape))}"
    for name, value in settings.items():
        is_unusual = name in _PLAIN and any(each not in (None, 1) for each in _each(value))
        if name not in ("type", "kernel", "out") and (name in named or is_unusual):
            parts.append(_setting(name, value, layer))
    if "input" in named:
        parts.append(f"on {'×'.join(map(str, layer.nodes[0].input_shapes[0]))}")
    return ", ".join(parts)


def _type(settings: Mapping[str, Any]) -> str:
    return settings["type"] if isinstance(settings.get("type"), str) else ""


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


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


def match_facts(found: Match, place: Callable[[Span | None], object]) -> dict[str, object]:
    """Return a match as what JSON has words for; ``place`` gives that of a span."""
    return {
        "equal": found.is_equal,
        "designs": [_totals_facts(side) for side in (found.first, found.second)],
        "equal_layers": found.equal,
        "layers_in_size_alone": found.in_size_alone,
        "masks_compared": not found.masks_unknown,
        "differences": (_facts(each, found, place) for each in found.differences),
    }


def _totals_facts(side: Totals) -> dict[str, object]:
    return {"design": side.design, "layers": side.layers, "params": side.params, "macs": side.multiplies}


def _facts(difference: Difference, found: Match, place: Callable[[Span | None], object]) -> dict[str, object]:
    return {
        "kind": difference.kind,
        "text": sentence_of(difference, found)[0],
        "names": difference.names,
        "reads": difference.reads,
        "first": [_layer_facts(layer, place) for layer in difference.first],
        "second": [_layer_facts(layer, place) for layer in difference.second],
        "causes": [[{"path": node.path, "shape": node.shape} for node in nodes] for nodes in difference.nodes],
        "consequences": difference.consequences,
        "source": place(place_of(difference)),
    }


def _layer_facts(layer: Layer, place: Callable[[Span | None], object]) -> dict[str, object]:
    return {
        "path": layer.path,
        "kind": layer.kind,
        "settings": dict(layer.settings),
        "params": layer.params,
        "macs": layer.multiplies,
        "output_shape": layer.nodes[-1].shape,
        "source": place(layer.nodes[-1].source),
    }
