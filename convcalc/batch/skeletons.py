"""Specs of one skeleton, of which the first two are read, and the others have only their numbers put in place."""

from __future__ import annotations

from collections import OrderedDict

from convcalc.designs.sources import SpecFile
from convcalc.errors import Source
from convcalc.spec.document.skeleton import Skeleton, cut
from convcalc.spec.expansion.repeated_blocks import Expansions
from convcalc.spec.expressions.errors import ExpressionError

MAX_CHARACTERS = 1 << 16
"""Of a text whose skeleton is kept."""
MAX_SKELETONS = 64
MAX_ALIKE = 4
"""Skeletons of one text without digits, which differ in digits that have to be the same."""


class Skeletons:
    """The skeletons that were met last. An error in what they make is looked up in the file as it is."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, list[tuple[Skeleton, SpecFile]]] = OrderedDict()

    def fill(self, source: Source, file: str) -> SpecFile | None:
        """Return the spec of a text whose skeleton is known. It is valid until the next one is asked for.

        The places in it are those of another file.
        """
        text, digits = cut(source.text)
        alike = self._known.get(text, ())
        for each in alike:
            skeleton, spec = each
            try:
                if skeleton.put(digits):
                    self._known.move_to_end(text)
                    spec.document.expansions.numbers = skeleton.numbers_in_blocks
                    return SpecFile(file, spec.document, spec.files, spec.inputs)
            except ExpressionError:
                self._known[text].remove(each)
                break
        return None

    def keep(self, spec: SpecFile) -> None:
        """Keep the skeleton of a spec that nothing else uses any more, if it is the second that has it."""
        source = spec.document.source
        plain = type(spec) is SpecFile and not source.text.lstrip().startswith("{")  # which may be a model
        if not plain or spec.document.imports or len(source.text) > MAX_CHARACTERS:
            return
        text, _ = cut(source.text)
        alike = self._known.get(text)
        if alike is None:
            self._known[text] = []
            if len(self._known) > MAX_SKELETONS:
                self._known.popitem(last=False)
        elif len(alike) < MAX_ALIKE:
            spec.document.expansions = Expansions()
            alike.append((Skeleton(spec.document), spec))
