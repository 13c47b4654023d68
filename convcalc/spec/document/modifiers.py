"""Keys of an item beside its layer, such as ``when`` and ``repeat``: which may stand together."""

from __future__ import annotations

from convcalc.errors import SpecError
from convcalc.spec.yaml.nodes import ScalarNode, YamlNode

Modifiers = dict[str, tuple[ScalarNode, YamlNode]]


def require_valid_modifiers(modifiers: Modifiers, *, in_join: bool) -> None:
    """Demand that modifiers stand where they mean something."""
    if "each" in modifiers and not in_join:
        text = "`each` stands only directly in the list of a join; for a series write `repeat`"
        raise SpecError("CC119", text, modifiers["each"][0].span)
    if "each" in modifiers and "repeat" in modifiers:
        second = max((modifiers["each"][0], modifiers["repeat"][0]), key=lambda key: key.span[1:])
        raise SpecError("CC119", "an item has `each` or `repeat`, not both", second.span)
    if "else" in modifiers and "when" not in modifiers:
        raise SpecError("CC119", "`else` needs a `when`", modifiers["else"][0].span)
