"""The sections of a Darknet file, with the places of their options, and what all layers share.

As Darknet reads them: blanks mean nothing, ``#`` and ``;`` begin comments, and of an option that is written twice the
first counts. Here such an option is an error where it is read.
"""

from __future__ import annotations

import re
from typing import Any

from convcalc.errors import Source, Span, SpecError, did_you_mean, quoted
from convcalc.importers.builder import ModelBuilder
from convcalc.records import NamedTuple, dataclass, field
from convcalc.shapes import Shape

MAX_SECTIONS = 10_000
MAX_NUMBER = 10**9
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
ACTIVATIONS = {
    "logistic": "sigmoid", "relu": "relu", "relu6": "relu6", "elu": "elu", "selu": "selu", "gelu": "gelu",
    "tanh": "tanh", "leaky": "leaky_relu", "relie": "leaky_relu", "hardtan": "hardtanh", "swish": "silu",
    "mish": "mish", "linear": "",
}  # fmt: skip
"""Of Darknet → of here; the others of Darknet are in no known network."""


class Option(NamedTuple):
    """The value of an option, and where it is."""

    text: str
    span: Span
    is_repeated: bool = False


@dataclass(eq=False)
class Section:
    """A section: a layer, or the settings of the network."""

    name: str
    span: Span
    options: dict[str, Option] = field(default_factory=dict)

    def text(self, key: str, default: str = "") -> str:
        """Return the value of an option.

        Raises:
            SpecError: CC768, where it is written twice with different values.
        """
        found = self.options.get(key)
        if found is None:
            return default
        if found.is_repeated:
            raise invalid(f"{quoted(key)} is written twice in [{self.name}], with different values", found.span)
        return found.text

    def integer(self, key: str, default: int, least: int = 1) -> int:
        """Return an option that is one integer, at least ``least``.

        Raises:
            SpecError: CC768, where it is something else.
        """
        (number,) = self.integers(key, (default,), least, several=False)
        return number

    def integers(
        self, key: str, default: tuple[int, ...], least: int = -MAX_NUMBER, *, several: bool = True
    ) -> tuple[int, ...]:
        """Return an option that is a list of integers with commas between them."""
        text = self.text(key)
        if not text:
            return default
        words = [word.strip() for word in text.rstrip(", ").split(",")] if several else [text]
        numbers = tuple(int(word) for word in words if _INTEGER.fullmatch(word))
        if len(numbers) != len(words) or not all(least <= number <= MAX_NUMBER for number in numbers):
            form = "a list of integers" if several else f"an integer from {least} to {MAX_NUMBER:,}"
            raise invalid(f"{quoted(key)} must be {form}, not {quoted(text)}", self.options[key].span)
        return numbers

    def flag(self, key: str) -> bool:
        """Whether an option is 1 and not 0, as it is by default."""
        return self.integer(key, 0, 0) != 0

    def padding(self, size: int) -> int:
        """Return the padding on each side: so much, or half a window of this size."""
        return size // 2 if self.flag("pad") else self.integer("padding", 0, 0)

    def strides(self) -> tuple[int, int]:
        """Return the strides of both axes, which may be written apart."""
        both = self.integer("stride", 1)
        return self.integer("stride_y", both), self.integer("stride_x", both)

    def refuse(self, *keys: str) -> None:
        """Refuse options that change what a layer computes in a way that is not read.

        Raises:
            SpecError: CC761, for the first that is not 0.
        """
        for key in keys:
            if self.text(key, "0") not in ("0", ""):
                raise SpecError("CC761", f"{quoted(key)} of [{self.name}] is not read", self.options[key].span)


def invalid(text: str, span: Span, hint: str = "") -> SpecError:
    """Return the error for an entry that is not of the format."""
    return SpecError("CC768", text, span, hint=hint)


def not_darknet(span: Span) -> SpecError:
    """Return the error for a file of another format."""
    return SpecError("CC760", "is no Darknet file: its first section must be [net]", span)


def read_sections(source: Source) -> list[Section]:
    """Read all sections, that of the network first.

    Raises:
        SpecError: CC760 for what is no Darknet file, CC768 for a line that is neither a section nor an option, CC503
            for too many sections.
    """
    sections: list[Section] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", source.text), 1):
        text = re.split("[#;]", line, maxsplit=1)[0].strip()
        if not text:
            continue
        span = Span(source, number, line.index(text[0]) + 1, len(text))
        key, equals, value = (each.strip() for each in text.partition("="))
        if text[0] == "[" and text[-1] == "]":
            sections.append(Section(text[1:-1].strip(), span))
        elif not sections:
            raise not_darknet(span)
        elif key and equals:
            first = sections[-1].options.setdefault(key, Option(value, span))
            if first.text != value:
                sections[-1].options[key] = Option(value, span, is_repeated=True)
        else:
            raise invalid("a line is a [section], or an option: key=value", span)
    if not sections or sections[0].name not in ("net", "network"):
        raise not_darknet(sections[0].span if sections else Span(source))
    if len(sections) > MAX_SECTIONS:
        raise SpecError("CC503", f"more than {MAX_SECTIONS} layers", sections[MAX_SECTIONS].span)
    return sections


class DarknetNetwork(ModelBuilder):
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
        has_norm = section.flag("batch_normalize")
        x = self.layer(name, "linear", x, out=out, bias=not has_norm)
        return self.layer(f"{name}.bn", "norm", x, type="batch") if has_norm else x

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
