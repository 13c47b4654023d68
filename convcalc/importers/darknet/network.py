"""What all layers of Darknet share: paths, norms, activations, earlier layers."""

from __future__ import annotations

from typing import Any

from convcalc.errors import Source, Span, SpecError, did_you_mean, quoted
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.darknet.sections import Section, invalid
from convcalc.shapes import Shape

ACTIVATIONS = {
    "logistic": "sigmoid", "relu": "relu", "relu6": "relu6", "elu": "elu", "selu": "selu", "gelu": "gelu",
    "tanh": "tanh", "leaky": "leaky_relu", "relie": "leaky_relu", "hardtan": "hardtanh", "swish": "silu",
    "mish": "mish", "linear": "",
}  # fmt: skip
"""Of Darknet → of here; the others of Darknet are in no known network."""


class Network(ModelBuilder):
    """Builds the layers of a file: ``5_convolutional.conv`` is of the sixth section behind [net]."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.section = ""
        """The path of the section that is read now."""
        self.outputs: list[int] = []
        """What leaves each section so far."""
        self.sinks: dict[str, int] = {}
        """What leaves the network before its end."""

    def layer(self, name: str, kind: str, *inputs: int, **arguments: Any) -> int:
        """Add a layer of the section, named within it where there are several."""
        return self.add(f"{self.section}.{name}" if name else self.section, kind, *inputs, **arguments)

    def sink(self, x: int) -> int:
        """Let what leaves a section leave the network."""
        self.sinks[self.section] = x
        return x

    def value(self, section: Section, key: str) -> Span:
        """Return where an option is written, or its section."""
        return section.options[key].span if key in section.options else section.span

    def activated(self, section: Section, x: int, default: str) -> int:
        """Add the activation of a section.

        Raises:
            SpecError: CC761, for one that is not known.
        """
        name = section.text("activation", default)
        if name not in ACTIVATIONS:
            text = f"the activation {quoted(name)} is not read{did_you_mean(name, ACTIVATIONS)}"
            hint = f"known ones: {', '.join(ACTIVATIONS)}"
            raise SpecError("CC761", text, self.value(section, "activation"), hint)
        return self.layer("act", "act", x, type=ACTIVATIONS[name]) if ACTIVATIONS[name] else x

    def normalized(self, section: Section, x: int, owner: int | None = None) -> int:
        """Add the batch norm of a section that asks for one."""
        if not section.flag("batch_normalize"):
            return x
        return self.layer("bn", "norm", x, type="batch", weights=None if owner is None else (owner, "bn"))

    def owner(self, section: Section) -> int:
        """Return the number of the layer that has the weights of this one: another one with ``share_index``."""
        here = len(self.outputs)
        number = section.integer("share_index", here, -here)
        if not -here <= number <= here:
            raise invalid(f"layer {here} cannot share with layer {number}", self.value(section, "share_index"))
        return number % here if number < 0 else number

    def dense(self, section: Section, name: str, x: int, out: int) -> int:
        """Add a linear layer with the norm of the section."""
        x = self.layer(name, "linear", x, out=out, bias=not section.flag("batch_normalize"))
        return self.layer(f"{name}.bn", "norm", x, type="batch") if section.flag("batch_normalize") else x

    def flat(self, x: int) -> int:
        """All elements in one axis."""
        return self.layer("flatten", "flatten", x) if self.shape(x).rank > 1 else x

    def image(self, section: Section, x: int) -> Shape:
        """Return the shape of an image, which a section needs.

        Raises:
            SpecError: CC401, where something else enters.
        """
        shape = self.shape(x)
        if shape.rank != 3:
            raise SpecError("CC401", f"[{section.name}] needs [channels, height, width], not {shape}", section.span)
        return shape

    def strides(self, section: Section, default: int) -> tuple[int, int]:
        """Return the strides of both axes, which may be written apart."""
        both = section.integer("stride", default)
        return section.integer("stride_y", both), section.integer("stride_x", both)

    def earlier(self, section: Section, key: str) -> list[int]:
        """Return the layers that an option names, from 0 or counted back from this one.

        Raises:
            SpecError: CC768, where there are none, or not yet.
        """
        here = len(self.outputs)
        numbers = section.integers(key, ())
        if not numbers:
            raise invalid(f"[{section.name}] needs {quoted(key)}", section.span, f"such as {key}=-1")
        for number in numbers:
            if not -here <= number < here:
                raise invalid(f"layer {here} cannot read layer {number}", self.value(section, key), "they count from 0")
        return [self.outputs[number] for number in numbers]

    def one_earlier(self, section: Section) -> list[int]:
        """Return the one layer that ``from`` names."""
        found = self.earlier(section, "from")
        if len(found) > 1:
            raise invalid("'from' must be one layer", self.value(section, "from"))
        return found
