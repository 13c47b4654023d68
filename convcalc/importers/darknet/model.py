"""A Darknet file as a graph: each section reads the one before it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from convcalc.arith import Number
from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from convcalc.importers.darknet.layers import build
from convcalc.importers.darknet.network import DarknetNetwork, Section, invalid, read_sections
from convcalc.importers.model import Model, unknown_sizes
from convcalc.records import dataclass
from convcalc.spec.yaml.text import decode, read_text

SIZES = ("channels", "height", "width")
RECURRENT = ("rnn", "crnn", "gru", "lstm")


@dataclass(frozen=True, eq=False)
class DarknetModel(Model):
    """A network; recurrent layers are counted for one step."""

    sections: tuple[Section, ...] = ()

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        shape = inputs.get("input") or self._own_input()
        if len(shape) not in (1, len(SIZES)):
            text = f"the input must be [{', '.join(SIZES)}], not [{', '.join(map(str, shape))}]"
            raise SpecError("CC401", text, self.span(), hint="such as --input 3,416,416")
        net = DarknetNetwork(self.source)
        x = net.input("input", shape)
        for index, section in enumerate(self.sections[1:]):
            net.place, net.section = section.span, f"{index}_{section.name}"
            x = build(net, section, x)
            net.outputs.append(x)
        return net.graph({**net.sinks, "output": x}, name=self.name)

    def _own_input(self) -> tuple[int, ...]:
        """Return the shape that [net] gives: of an image, or so many inputs."""
        shape = self.inputs["input"]
        known = tuple(size for size in shape if isinstance(size, int))
        if len(known) < len(shape):
            raise unknown_sizes(self, SIZES, "write --input 3,416,416, or all three into [net]")
        return known


def read_model(source: Source, data: bytes | None) -> Model:
    """Read a network.

    Raises:
        SpecError: CC760, CC768 or CC503 for what is not of the format; CC001 to CC005 for what is no text.
    """
    text = read_text(source.name) if data is None else decode(data, source.name)
    net, *layers = read_sections(text)
    if not layers:
        raise invalid("the network has no layers", net.span)
    sizes = tuple(net.integer(key, 0, 0) or None for key in SIZES)
    count = net.integer("inputs", 0, 0)
    shape = (count,) if count and not any(sizes) else sizes
    name = os.path.splitext(os.path.basename(source.name))[0]
    note = "recurrent layers are counted for one step" if any(each.name in RECURRENT for each in layers) else ""
    return DarknetModel(text, {"input": shape}, name, note, sections=(net, *layers))
