"""References to layers: ``from``, ``tie`` and the arguments that name a layer."""

from __future__ import annotations

from convcalc.errors import SpecError, quoted
from convcalc.spec.document.names import Template
from convcalc.spec.expansion.frames import Frame
from convcalc.spec.expansion.scopes import Binding, require_one


class References:
    """Looks references up. The names in one without expressions are always the same."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, ...]] = {}

    def look_up(self, reference: Template, tensor: int, frame: Frame) -> int:
        """Return the tensor that is meant; ``.`` is the current one."""
        segments = self._segments(reference, frame)
        if segments == (".",):
            return require_one(tensor, reference.span)
        if segments == ("input",):
            return frame.block_input
        return require_one(self.entry(reference, frame).output or 0, reference.span)

    def entry(self, reference: Template, frame: Frame) -> Binding:
        """Return what has the name; CC210, where nothing has, or had and was deleted."""
        segments = self._segments(reference, frame)
        entry = frame.scope.find(segments, reference.span)
        if entry is None:
            name = quoted(".".join(segments))
            raise SpecError("CC210", f"{name} was deleted by its `when` or `repeat`", reference.span)
        return entry

    def _segments(self, reference: Template, frame: Frame) -> tuple[str, ...]:
        if not reference.is_constant:
            return reference.segments(frame.env)
        known = self._known.get(id(reference))
        if known is None:
            known = self._known[id(reference)] = reference.segments(frame.env)
        return known
