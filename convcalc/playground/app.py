"""The part of the playground that is Python: it runs under Pyodide, in a worker of the browser.

The page calls :func:`answer` alone. Arguments and answers are JSON, so that no object lives in two languages.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from convcalc.designs.names import zoo_paths
from convcalc.designs.sources import Network, SpecFile, read_spec
from convcalc.dtypes import BIT_WIDTHS
from convcalc.errors import Source, SpecError, SpecErrors, escape
from convcalc.playground.completion import complete
from convcalc.records import replace
from convcalc.render.pictures.bridge import bridge
from convcalc.render.pictures.graph.graph import graph
from convcalc.render.pictures.modules import Module, module_tree
from convcalc.render.pictures.skyline import skyline
from convcalc.render.pictures.svg import Picture
from convcalc.render.pictures.treemap import treemap
from convcalc.render.web_page.comparison import comparison_page
from convcalc.render.web_page.design import design_page
from convcalc.render.web_page.parts import report_tiles
from convcalc.report.compare import Comparison, compare
from convcalc.report.drawn import require_positive
from convcalc.report.report import Report
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.yaml.text import read_text

NAME = "spec.yaml"
"""What the text in the editor is called in errors and reports."""
LABELS = ("at load", "now")
MOST_LAYERS = 20_000
"""The command line takes five times as many; here they would take a browser's memory and a minute."""
PICTURES: Mapping[str, Callable[[Module, Report], Picture]] = {
    "bridge": lambda root, _: bridge(root),
    "graph": lambda root, report: graph(root, report).picture,
    "skyline": skyline,
    "treemap": lambda root, _: treemap(root),
}
"""Those that can be saved as files of their own."""

Answer = dict[str, Any]


class Session:
    """What the page shows now: the report of the last valid text, and that of the text it is compared with."""

    def __init__(self) -> None:
        self._reports: list[Report] = []

    def report(
        self, text: str, *, variant: str = "", batch: int = 1, dtype: str = "float32", before: str | None = None
    ) -> Answer:
        """Count a text.

        Args:
            text: a spec, or a model of Ultralytics or Darknet.
            variant: one of its variants; one that it does not have counts as none.
            batch: the batch size.
            dtype: number format, as of ``--dtype``.
            before: a text to compare it with.

        Returns:
            ``name``, ``variants``, the ``variant`` that is counted, and ``tiles``: the main totals.

        Raises:
            SpecErrors: everything that is wrong with a text.
            ValueError: for a batch that is not a positive integer.
        """
        require_positive("the batch", batch)

        def counted(text: str) -> tuple[SpecFile, Network, Report]:
            """Read a text as if it were beside the shipped networks, which it may import."""
            spec = read_spec(Source(NAME, text), NAME, os.path.join(_bundled("zoo"), NAME), DocumentLoader())
            network = spec.expand(variant if variant in spec.variants else None)
            layers = len(network.graph.layers)
            if layers > MOST_LAYERS:
                text = f"{layers:,} layers, and the playground counts at most {MOST_LAYERS:,}"
                raise SpecError("CC503", text, hint="convcalc report on the command line counts up to 100,000")
            return spec, network, network.report(batch=batch, dtype=dtype, extra=["peak"])

        spec, network, report = counted(text)
        reports = [report]
        if before is not None:
            try:
                reports = [counted(before)[2], report]
            except (SpecError, SpecErrors) as error:
                raise ValueError(f"the version at load cannot be compared: {_problems(error)[0]['text']}") from None
        self._reports = reports
        tiles = [tile._asdict() for tile in report_tiles(report)]
        variants = [name for name in spec.variants if name]
        counted_as = network.design.variant or ""
        return {"name": escape(report.name), "variant": counted_as, "variants": variants, "tiles": tiles}

    @property
    def _shown(self) -> Report | Comparison:
        return self._reports[0] if len(self._reports) == 1 else replace(compare(self._reports), labels=LABELS)

    def page(self) -> Answer:
        """Return the page of what was counted last: that of ``convcalc html``."""
        shown = self._shown
        return {"html": comparison_page(shown) if isinstance(shown, Comparison) else design_page(shown)}

    def file(self, kind: str) -> Answer:
        """Return a file to save: its name, media type and text."""
        if kind == "html":
            return {"name": "convcalc.html", "type": "text/html", "text": self.page()["html"]}
        if kind == "json":
            return {"name": "convcalc.json", "type": "application/json", "text": self._shown.to("json")}
        report = self._reports[-1]
        drawn = PICTURES[kind](module_tree(report), report)
        return {"name": f"{kind}.svg", "type": "image/svg+xml", "text": drawn.to_svg()}


# --- bundled designs --------------------------------------------------------------------------------------------------


def _bundled(folder: str) -> str:
    """Return a folder of the bundled specs: ``zoo`` or ``tutorials``."""
    zoo = os.path.dirname(next(iter(zoo_paths().values())))
    return os.path.join(os.path.dirname(zoo), folder)


def designs() -> Answer:
    """Return the names of the bundled designs by their folders, and the number formats."""
    names = {
        folder: sorted(name[:-5] for name in os.listdir(_bundled(folder)) if name.endswith(".yaml"))
        for folder in ("tutorials", "zoo")
    }
    return {"designs": names, "dtypes": list(BIT_WIDTHS)}


def design(folder: str, name: str) -> Answer:
    """Return the text of a bundled design.

    Raises:
        ValueError: for one that there is not.
    """
    if name not in designs()["designs"].get(folder, ()):
        raise ValueError(f"no bundled design {folder}/{name}")
    return {"text": read_text(os.path.join(_bundled(folder), f"{name}.yaml")).text}


# --- answers ----------------------------------------------------------------------------------------------------------

SESSION = Session()
CALLS: Mapping[str, Any] = {
    "report": SESSION.report, "page": SESSION.page, "file": SESSION.file,
    "designs": designs, "design": design, "complete": complete,
}  # fmt: skip


def answer(call: str, given: str) -> str:
    """Carry out a call of the page.

    Args:
        call: one of ``CALLS``.
        given: its arguments by their names, as JSON.

    Returns:
        Its answer as JSON; ``errors``, in the order of their places, where it has none.
    """
    try:
        found: Answer = CALLS[call](**json.loads(given))
    except (SpecError, SpecErrors) as error:
        found = {"errors": _problems(error)}
    except ValueError as error:
        found = {"errors": [_problem(SpecError("", str(error)))]}
    return json.dumps(found)


def _problems(raised: SpecError | SpecErrors) -> list[Answer]:
    return [_problem(error) for error in (raised.errors if isinstance(raised, SpecErrors) else [raised])]


def _problem(error: SpecError) -> Answer:
    """Return an error with its place in the editor's text: ``line`` 0 where it has none.

    ``from`` and ``to`` are counted as JavaScript counts: in units of UTF-16, from the beginning of the line.
    """
    spans = [error.span, *(span for span, _ in error.notes), *(span for _, span in error.call_stack)]
    span = next((span for span in spans if span is not None and span.file == NAME and span.line), None)
    elsewhere = f"{error.span}: " if error.span and error.span.line and error.span.file != NAME else ""
    place = {"line": 0, "from": 0, "to": 0}
    if span is not None:
        line, start = span.source.line(span.line), max(0, span.column - 1)
        place = {"line": span.line, "from": _units(line[:start]), "to": _units(line[: start + span.extent])}
    return {
        "code": error.code, "severity": error.severity, "text": elsewhere + escape(error.text),
        "hint": escape(error.hint), **place,
    }  # fmt: skip


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
