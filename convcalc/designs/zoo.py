"""The bundled networks, a line a design: what each counts and what it is measured against."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache

from convcalc.designs.names import ZOO, zoo_paths
from convcalc.designs.sources import Network, SpecFile, open_spec
from convcalc.records import NamedTuple
from convcalc.report.row_list import Listing, RowField
from convcalc.spec.document.claims import Claim

MODULE = re.compile(r"[a-z]+/[\w@.-]+")
"""The source of a claim that names a framework's module: ``torchvision/resnet50``. The design then equals it."""
FRAMEWORKS = ("torchvision/", "timm/")
"""The libraries whose modules others build too; the rest were written for the measurement, or are little known."""

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/(?!.*\.(?:ya?ml|json)$)[A-Za-z0-9][\w.-]*")
MAX_SIMILAR = 3
"""Designs that a hint names."""

FIELDS = (
    RowField("design", "Design"),
    RowField("name", "Name", drop_priority=4),
    RowField("input", "Input", drop_priority=2),
    RowField("params", "Params", number=True),
    RowField("macs", "Multiplies", number=True),
    RowField("equals", "Equals", drop_priority=1),
    RowField("reference", "Reference", shown_to_people=False),
    RowField("source", "Source", drop_priority=3),
)


class ZooDesign(NamedTuple):
    """A design that comes with the program, not yet counted."""

    spec: SpecFile
    variant: str | None

    @property
    def design(self) -> str:
        return self.spec.design(self.variant).text

    @property
    def claims(self) -> list[Claim]:
        """What sources say of it; a variant that overrides nothing is the file's own design."""
        variants = self.spec.document.variants
        same = {None, *(name for name, overrides in variants.items() if not overrides)}
        meant = same if self.variant in same else {self.variant}
        return [claim for claim in self.spec.document.claims if claim.texts.get("variant") in meant]

    @property
    def modules(self) -> list[str]:
        """The frameworks' modules that it equals, layer by layer."""
        return [source for claim in self.claims if MODULE.fullmatch(source := claim.texts["source"])]

    @property
    def source(self) -> str:
        """Where it was published: the first source in its file that is not a module."""
        sources = (claim.texts["source"] for claim in (*self.claims, *self.spec.document.claims))
        return next((source for source in sources if not MODULE.fullmatch(source)), "")

    @property
    def search_text(self) -> str:
        """Its name, modules and source."""
        return _squeezed(" ".join([self.design, *self.modules, self.source]))

    def expand(self) -> Network:
        """Expand it."""
        return self.spec.expand(self.variant)


def search_zoo(words: Sequence[str] = ()) -> Iterator[ZooDesign]:
    """Give the bundled designs whose name, module or source has every word; case, hyphens and underscores are alike."""
    for name in zoo_paths():
        spec = open_spec(f"{ZOO}{name}")
        for variant in spec.variants:
            one = ZooDesign(spec, variant)
            if all(_squeezed(word) in one.search_text for word in words):
                yield one


def _squeezed(text: str) -> str:
    """``MobileNet-V2`` and ``mobilenet_v2`` are one name."""
    return re.sub(r"[-_]", "", text.lower())


@cache
def _search_texts() -> dict[str, str]:
    """Return the text of every bundled design by its name, read once: a batch may miss thousands of files."""
    return {one.design: one.search_text for one in search_zoo()}


def similar_designs(file: str) -> str:
    """Return a hint with what the name of a missing file or of a folder may mean, if it may mean a design."""
    if os.path.isfile(os.path.join(file, "config.json")):
        return f"did you mean hf:{file}?"
    if HUB_NAME.fullmatch(file) and not os.path.isdir(os.path.dirname(file)):
        return "a model of the Hugging Face Hub is read from its config.json: download that, and give hf:config.json"
    word = file.removeprefix(ZOO).removesuffix(".yaml")
    if word in zoo_paths():
        return f"did you mean {ZOO}{word}?"
    if not re.fullmatch(r"[\w.-]{3,40}", word):
        return ""
    word = _squeezed(word)
    names = [name for name, text in _search_texts().items() if word in text]
    names.sort(key=lambda name: not _squeezed(name).startswith(f"{ZOO}{word}"))
    more = ", …" if len(names) > MAX_SIMILAR else ""
    return f"in the zoo: {', '.join(names[:MAX_SIMILAR])}{more}" if names else ""


def row(one: ZooDesign) -> dict[str, object]:
    """Count a design and return its line, with the keys of ``FIELDS``."""
    report = one.expand().report()
    modules = one.modules
    return {
        "design": one.design,
        "name": report.name,
        "input": next(iter(report.inputs.values()), None),
        "params": report.totals["params"],
        "macs": report.totals["macs"],
        "equals": modules[0] if modules else None,
        "reference": next((module for module in modules if module.startswith(FRAMEWORKS)), None),
        "source": one.source or None,
    }


def listing(rows: Sequence[dict[str, object]] = ()) -> Listing:
    """Return the list of what has been counted, or one to be filled."""
    return Listing("design", FIELDS, rows)
