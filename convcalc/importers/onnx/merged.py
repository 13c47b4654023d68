"""Constants that an exporter stored once for several layers, because their initial values are equal."""

from __future__ import annotations

import re

from convcalc.arith import Number
from convcalc.errors import SpecError
from convcalc.importers.builder import ModelBuilder
from convcalc.importers.onnx.values import Value
from convcalc.shapes import Shape

_TURN = re.compile(r"_\d+(?=\.|$)|(?<=\.round)\d+")
"""What tells the calls of one module apart in a path."""


class Merged:
    """Biases and scales, by the layers that read them: equal numbers, or numbers that are not in the file."""

    def __init__(self) -> None:
        self._first: dict[int, str] = {}
        self._further: dict[tuple[int, str], Number] = {}

    def read(self, value: Value, shape: Shape, path: str) -> None:
        """Note that a layer has a constant as a weight."""
        if shape.rank != 1 or (value.elements and len(set(value.elements)) > 1):
            return
        module = _TURN.sub("", path)
        if self._first.setdefault(value.key, module) != module:
            self._further[value.key, module] = shape.elements

    def warn(self, builder: ModelBuilder) -> None:
        """Add a warning, where layers share constants."""
        if self._further:
            keys = {key for key, _ in self._further}
            more = sum(self._further.values())
            text = (
                f"{len(keys):,} biases or scales are read by several layers: exporters store equal values once; "
                f"params count each once, and may be {more:,} more in the code"
            )
            builder.warnings.append(SpecError("CC816", text, builder.span(""), hint="export the model after training"))
