"""The Python interface: ``convcalc.load("spec.yaml").report()``."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from convcalc.designs.sources import Network as _Network
from convcalc.designs.sources import open_design, open_source
from convcalc.errors import Source
from convcalc.report import report as reports


@dataclass(frozen=True, slots=True)
class Report(reports.Report):
    """A report that shows itself: as a table when printed, as HTML in a notebook.

    ``totals`` maps metrics to exact integers, ``rows`` holds one ``Row`` per layer.
    """

    def __str__(self) -> str:
        return self.to("text").rstrip("\n")

    def _repr_html_(self) -> str:
        return self.to("html")

    def to(self, format: str) -> str:  # noqa: A002 - the word that the command line uses
        """Return the report as ``text``, ``json``, ``csv``, ``markdown``, ``latex`` or ``html``."""
        from convcalc.render import FORMATS, Surface, View

        return FORMATS[format].report(self, View(), Surface())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``convcalc report --json`` writes it."""
        import json

        return json.loads(self.to("json"))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Network(_Network):
    """A design that has been read and shape-checked."""

    def report(self, *, batch: int = 1, dtype: str = "float32", detailed: Collection[str] = ()) -> Report:
        """Count everything.

        Args:
            batch: samples at once.
            dtype: number format for metrics in bytes; ``float16, stage1.**=int8`` for others in some layers.
            detailed: what to work out beside the counts, of ``receptive_field``, ``effective_stride``, ``offset``,
                ``arithmetic_intensity`` and ``peak``.

        Returns:
            Exact integers per layer and in total.
        """
        plain = _Network.report(self, batch=batch, dtype=dtype, detailed=detailed)
        return Report(**{field.name: getattr(plain, field.name) for field in fields(reports.Report)})


def load(
    design: str | os.PathLike[str] | None = None,
    *,
    text: str | None = None,
    name: str = "<text>",
    variant: str | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the word that the command line uses
) -> Network:
    """Read a design and check its shapes.

    Args:
        design: ``FILE``, ``FILE@variant``, ``FILE#path``, ``zoo:NAME``.
        text: the text of a spec, in place of a design.
        name: what to call a text in errors.
        variant: a named set of overrides in the spec.
        set: variables to override: numbers, or expressions as text.

    Raises:
        SpecErrors: everything that is wrong, with places; ``str()`` of it is what the command line prints.
    """
    if (design is None) == (text is None):
        raise TypeError("load() takes a design or text=, and not both")
    if text is not None:
        read = open_source(Source(name, text), variant=variant, overrides=set)
    else:
        read = open_design(os.fspath(design or ""), overrides=set, variant=variant)
    return Network(read.design, read.graph, read.document)
