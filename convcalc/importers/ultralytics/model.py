"""A model file as a graph: its rows in order, scaled, repeated and joined."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any

from convcalc.arith import Number
from convcalc.errors import Source, SpecError, quoted
from convcalc.graph.graph import Graph
from convcalc.importers.model import Model, unknown_sizes
from convcalc.importers.ultralytics import plain
from convcalc.importers.ultralytics.document import ModelFile, ModuleArgument, Row, invalid, read_file
from convcalc.importers.ultralytics.modules import ModuleRule, bind, find_module
from convcalc.importers.ultralytics.network import SILU, YoloNet, numbered
from convcalc.records import dataclass
from convcalc.spec.limits import REPEAT
from convcalc.spec.yaml.text import decode

IMAGE = 640
"""Height and width of the input, where ``--input`` gives no other: those that the package counts FLOPs at."""
NEWER = ("C3k2", "A2C2f", "C2fCIB")
"""Modules whose models have depthwise branches of classes."""
MASKED = ("Segment", "Segment26", "YOLOESegment", "YOLOESegment26")
"""Modules whose third argument is a width."""
_SCALE_IN_NAME = re.compile(r"yolo(?:e-)?v?\d+([nslmx])")


class Factors(tuple[float, float, float]):
    """Factors of repeats and of widths, and the largest width before it is scaled."""

    __slots__ = ()

    def width(self, channels: int) -> int:
        """Scale a width and round it up to a multiple of 8."""
        _, width, largest = self
        return math.ceil(min(channels, largest) * width / 8) * 8

    def heads(self, count: int) -> int:
        """Scale heads of attention to text, of which one is for 64 channels at most."""
        _, width, largest = self
        most = count if math.isinf(largest) else min(count, int(largest) // 64)
        return int(max(most * width, 1)) if count > 1 else count

    def repeats(self, count: int) -> int:
        """Scale repeats, of which at least one is left."""
        return max(round(count * self[0]), 1) if count > 1 else count


@dataclass(frozen=True, eq=False)
class UltralyticsModel(Model):
    """A model file; its scales are variants, its number of classes is the variable ``nc``."""

    file: ModelFile | None = None

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        assert self.file is not None
        scale = variant or _named_scale(self.source.name, self.variants)
        own = (self.file.channels, IMAGE, IMAGE)
        return _Reader(self, self.file, scale, variables).graph(inputs.get("input") or own)


def read_model(source: Source, data: bytes | None) -> Model:
    """Read a model file.

    Raises:
        SpecError: CC768, for what is not of the format.
        SpecErrors: for what is not YAML.
    """
    file = read_file(decode(data or b"", source.name))
    nc = file.size("nc", 0) if file.setting("nc") is not None else None
    scales = _scales(file)
    name = os.path.splitext(os.path.basename(source.name))[0]
    note = f"without @ its scale is {_named_scale(source.name, tuple(scales))}" if scales else ""
    return UltralyticsModel(
        file.source, {"input": (file.channels, IMAGE, IMAGE)}, name, note, tuple(scales), {"nc": nc}, file=file
    )


def _scales(file: ModelFile) -> dict[str, Factors]:
    """Return the factors of each scale by its name, in the order of the file."""
    scales: dict[str, Factors] = {}
    found = file.settings.get("scales")
    if found is None or found.value is None:
        return scales
    if not isinstance(found.value, dict) or not found.value:
        raise invalid("scales must be a mapping: {n: [0.33, 0.25, 1024]}", found.span)
    for name, given in found.value.items():
        values = given.value
        if type(values) is not tuple or len(values) != 3 or any(type(each) not in (int, float) for each in values):
            raise invalid(f"the scale {quoted(name)} must be [depth, width, max_channels]", given.span)
        if min(values) <= 0:
            raise invalid(f"the factors of the scale {quoted(name)} must be positive", given.span)
        scales[name] = Factors(values)
    return scales


def _named_scale(file: str, scales: tuple[str, ...]) -> str:
    """Return the scale that the name of a file has, as in ``yolo11s.yaml``, or the first one."""
    found = _SCALE_IN_NAME.search(os.path.basename(file))
    named = found[1] if found else ""
    return named if named in scales or not scales else scales[0]


class _Reader:
    """Adds the rows of a model to a network."""

    def __init__(self, model: UltralyticsModel, file: ModelFile, scale: str, variables: Mapping[str, Number]) -> None:
        self.model, self.file, self.scale = model, file, scale
        settings = {key: file.setting(key) for key in ("anchors", "kpt_shape", "reg_max")}
        self.words: dict[str, Any] = {"nc": variables.get("nc"), **settings}
        scales = _scales(file)
        self.factors = scales.get(scale) or Factors(
            (file.number("depth_multiple", 1.0), file.number("width_multiple", 1.0), math.inf)
        )
        is_v5 = file.setting("anchors") is not None
        self.net = YoloNet(model.source, self._activation(), is_v5=is_v5)
        self.net.depthwise_head = any(row.module in NEWER for row in file.rows)
        self.net.reg_max = file.size("reg_max", 16)
        if file.setting("end2end", False) is True:
            self.net.prefixes = ("", "one2one_")
        self.net.classes = variables.get("nc", 1)
        self.outputs: list[int | tuple[int, ...]] = []

    def _activation(self) -> Mapping[str, Any]:
        text = self.file.setting("activation")
        found = SILU if text is None else plain.activation(str(text))
        if found is None:
            hint = f"such as nn.LeakyReLU(0.1); known ones: {', '.join(plain.ACTIVATIONS)}"
            place = self.file.settings["activation"].span
            raise SpecError("CC761", f"the activation {quoted(str(text))} is not read", place, hint=hint)
        return found

    def graph(self, shape: tuple[Number, ...]) -> Graph:
        if len(shape) != 3:
            text = f"the input must be [channels, height, width], not {list(shape)}"
            raise SpecError("CC401", text, self.model.span(), hint="such as --input 3,640,640")
        image = self.net.input("input", shape)
        for index, row in enumerate(self.file.rows):
            self.net.place, self.net.module = row.span, row.module
            self.outputs.append(self._row(index, row, image))
        last = self.outputs[-1]
        handles = (last,) if isinstance(last, int) else last
        outputs = {f"output{number or ''}": handle for number, handle in enumerate(handles)}
        return self.net.graph(outputs, name=self.model.name)

    def _row(self, index: int, row: Row, image: int) -> int | tuple[int, ...]:
        module = find_module(row, is_v5=self.net.is_v5)
        arguments = [ModuleArgument(self._resolved(each), each.span) for each in row.arguments]
        repeats = self.factors.repeats(row.repeats)
        if repeats > REPEAT:
            raise SpecError("CC502", f"a repeat of {repeats} exceeds the limit of {REPEAT}", row.span)
        self._scale(module, row, arguments)
        if module.takes_repeats >= 0:
            if len(arguments) < module.takes_repeats:
                raise invalid(f"{row.module} needs {module.takes_repeats} arguments", row.span)
            arguments.insert(module.takes_repeats, ModuleArgument(repeats, row.span))
            repeats = 1
        self._extend(row, arguments)
        x = self._read(index, row, module, image)
        given, at = bind(module, row, arguments), f"model.{index}"
        if repeats == 1:
            self.net.scope(at, row.module.removeprefix("nn."))
            return module.build(self.net, at, x, *given)  # type: ignore[no-any-return]
        if module.reads_many:
            raise invalid(f"{row.module} cannot be repeated", row.span)
        return self._repeated(at, row, module, x, given, repeats)

    def _repeated(self, at: str, row: Row, module: ModuleRule, x: Any, given: list[Any], repeats: int) -> int:
        """Add a module several times, each made for the same channels."""
        channels = self.net.channels(x)
        for path in numbered(at, repeats):
            if module.is_scaled and self.net.channels(x) is not channels and self.net.channels(x) != channels:
                text = f"{row.module} is repeated for {channels} channels, but {self.net.channels(x)} leave it"
                raise invalid(text, row.span)
            self.net.scope(path, row.module.removeprefix("nn."))
            x = module.build(self.net, path, x, *given)
            if not isinstance(x, int):
                raise invalid(f"{row.module} cannot be repeated", row.span)
        return x  # type: ignore[no-any-return]

    def _resolved(self, argument: ModuleArgument) -> Any:
        """Return the value of an argument: that of a setting, where it is the word for one."""
        value = argument.value
        if not isinstance(value, str) or value not in self.words:
            return value
        if self.words[value] is None:
            if value == "nc":
                raise unknown_sizes(self.model, ("nc",), "write --set nc=80, or nc: 80 into the file")
            raise invalid(f"the file has no {quoted(value)}", argument.span)
        return self.words[value]

    def _scale(self, module: ModuleRule, row: Row, arguments: list[ModuleArgument]) -> None:
        """Scale the widths among the arguments."""
        places = (0,) if module.is_scaled else (2,) if row.module in MASKED else ()
        if self.net.is_v5 and row.module == "Segment":
            places = (3,)
        for place in places:
            if place >= len(arguments) or self._predicts(arguments[place]):
                continue
            value = self.net.plain(arguments[place].value, "the width")
            if type(value) is int:
                arguments[place] = arguments[place]._replace(value=self.factors.width(value))

    def _predicts(self, width: ModuleArgument) -> bool:
        """Whether a width of YOLOv5 is that of predictions, which is never scaled."""
        anchors, classes = self.words["anchors"], self.words["nc"]
        first = anchors[0] if isinstance(anchors, tuple) and anchors else None
        if not isinstance(first, tuple) or type(classes) is not int:
            return False
        return bool(width.value == len(first) // 2 * (classes + 5))

    def _extend(self, row: Row, arguments: list[ModuleArgument]) -> None:
        """Add the arguments that a scale gives to some modules."""
        if row.module == "C3k2" and self.scale in ("m", "l", "x"):
            arguments[2:3] = [ModuleArgument(True, row.span)]
        if row.module == "C2fAttn" and len(arguments) > 3 and type(arguments[3].value) is int:
            arguments[3] = arguments[3]._replace(value=self.factors.heads(arguments[3].value))
        if row.module == "A2C2f" and self.scale in ("l", "x"):
            arguments += [ModuleArgument(True, row.span), ModuleArgument(1.2, row.span)]

    def _read(self, index: int, row: Row, module: ModuleRule, image: int) -> Any:
        """Return what a row reads: one tensor, or the list of them."""
        numbers = (row.sources,) if isinstance(row.sources, int) else row.sources
        if isinstance(row.sources, int) == module.reads_many:
            form = "a list of rows" if module.reads_many else "one row, not a list"
            raise invalid(f"{row.module} reads {form}", row.sources_span)
        found: list[int | tuple[int, ...]] = []
        for number in numbers:
            place = number if number >= 0 else index + number
            if index == 0 and number == -1:
                found.append(image)
            elif 0 <= place < index:
                found.append(self.outputs[place])
            else:
                raise invalid(f"row {index} cannot read row {number}", row.sources_span, "rows are counted from 0")
        if row.module == "CBFuse" and isinstance(found[-1], int):
            return [each if isinstance(each, tuple) else (each,) for each in found]
        if any(isinstance(each, tuple) for each in found):
            raise invalid(f"{row.module} cannot read a row with several outputs", row.sources_span)
        return found if module.reads_many else found[0]
