"""Names of layers, blocks and variables, and references to layers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

from convcalc.arith import free_names, is_plain
from convcalc.errors import Span, SpecError, Undecided, closest_match, quoted
from convcalc.records import NamedTuple
from convcalc.spec.document.value_nodes import NameScope, StructuralError, ValueNode, parse_expression, structural_error
from convcalc.spec.expressions.messages import reserved_reason
from convcalc.spec.limits import NAME
from convcalc.spec.yaml.nodes import ScalarNode

_NAME = re.compile(r"\w[\w-]*")
_BLOCK = re.compile(r"[^\W\d_]\w*")


def no_variant(code: str, name: str, variants: Collection[str], span: Span) -> SpecError:
    """Return the error about an unknown variant, with the closest one, or one that the name ends in (``vgg16``: 16)."""
    within = max((known for known in variants if name.endswith(known)), key=len, default="")
    near = closest_match(name, variants) or within
    meant = f"; did you mean {quoted(near)}?" if near else ""
    hint = f"variants of this file: {', '.join(variants) or 'none'}"
    return SpecError(code, f"no variant {quoted(name)}{meant}", span, hint=hint)


def numbered_name(base: str, number: int) -> str:
    """Return the default name of an item, or of one iteration: ``_`` is between where the base ends in a digit."""
    return f"{base}{'_' if base[-1:].isdigit() else ''}{number}"


def validate_name(text: str, span: Span, more: str = "") -> str:
    """Return a name in its normal form (NFC); ``more`` are further characters that it may hold, but not begin with.

    Raises:
        SpecError: CC110, where it is not a name: letters, digits, ``_`` and ``-``, and no ``-`` at its beginning.
    """
    name = unicodedata.normalize("NFC", text)
    if not name:
        raise SpecError("CC110", "a name must not be empty", span)
    if name == "input":
        raise SpecError("CC110", "'input' is the input of every block and file; choose another name", span)
    if len(name) > NAME:
        raise SpecError("CC110", f"the name {quoted(name)} is longer than the limit of {NAME} characters", span)
    letters = name.replace("-", "").replace("_", "").replace(more, "")
    is_plain = name.isascii() and letters.isalnum() and name[0] not in f"-{more}"
    if not is_plain and not re.fullmatch(rf"\w[\w{more}-]*", name):  # it takes longer to compile than a spec to read
        bad = re.sub(rf"[\w{more}-]", "", name)[:1]
        allowed = f"letters, digits, {''.join(f'{each}, ' for each in more)}_ and -"
        rule = f"may hold only {allowed}, not {quoted(bad)}" if bad else "must begin with a letter, a digit or _"
        raise SpecError("CC110", f"the name {quoted(name)} {rule}", span)
    return name


def validate_variable(node: ScalarNode, what: str = "variable") -> str:
    """Return the name of a variable or parameter; CC110, where it is none, CC111, where it is reserved."""
    name = unicodedata.normalize("NFC", node.text)
    if len(name) > NAME:
        raise SpecError("CC110", f"the name {quoted(name)} is longer than the limit of {NAME} characters", node.span)
    if not (name.isidentifier() if name.isascii() else _is_of_letters(name)):
        rule = "use letters, digits and _, beginning with a letter or _"
        raise SpecError("CC110", f"{quoted(name)} cannot name a {what}: {rule}", node.span)
    reason = reserved_reason(name)
    if reason:
        raise SpecError("CC111", f"{quoted(name)} cannot name a {what}: {reason}", node.span)
    return name


def _is_of_letters(name: str) -> bool:
    """Whether a name holds letters, digits and ``_`` of any script, and begins with no digit."""
    return all(each.isalpha() or each.isdecimal() or each == "_" for each in name) and not name[0].isdecimal()


def validate_block(node: ScalarNode) -> str:
    """Return the name of a block: it begins with a capital, which no built-in kind does."""
    name = unicodedata.normalize("NFC", node.text)
    if not _BLOCK.fullmatch(name) or not name[0].isupper():
        rule = "it begins with a capital and holds letters, digits and _"
        raise SpecError("CC110", f"{quoted(name)} cannot name a block: {rule}", node.span)
    return validate_name(name, node.span)


class Template(NamedTuple):
    """Text that may hold ``{expression}``: a name, or a reference: ``name(.name)*``, ``input`` or ``.``."""

    parts: tuple[str | ValueNode, ...]
    span: Span

    @property
    def is_constant(self) -> bool:
        """Whether it holds no expression."""
        return len(self.parts) == 1

    def render(self, env: Mapping[str, Any], *, decimals: bool = False) -> str:
        """Return the text; ``decimals`` lets an expression be a decimal such as 0.75, which no path may hold."""
        return "".join(part if isinstance(part, str) else self._text(part, env, decimals) for part in self.parts)

    def segments(self, env: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of a reference."""
        text = unicodedata.normalize("NFC", self.render(env))
        return (".",) if text == "." else tuple(text.split("."))

    def _text(self, part: ValueNode, env: Mapping[str, Any], decimals: bool) -> str:
        try:
            value = part.evaluate(env)
            if not is_plain(value):
                raise structural_error(Undecided("a name", free_names(value)), part)
        except StructuralError:
            if decimals and part.expression:  # the network's own name, one for all points of a sweep
                return f"{{{part.expression.text}}}"
            raise
        if type(value) is int or isinstance(value, str):
            return str(value)
        if decimals and isinstance(value, Fraction) and Fraction(str(float(value))) == value:
            return str(float(value))
        from convcalc.ops.value_text import format_value

        raise SpecError(
            "CC412", f"a name needs an integer or a word between {{ and }}, not {format_value(value)}", self.span
        )


def parse_template(node: ScalarNode, known: NameScope) -> Template:
    """Read text that may hold ``{expression}``; CC112, where the braces do not pair."""
    text, parts, at = node.text, list[str | ValueNode](), 0
    while (start := text.find("{", at)) >= 0:
        end = text.find("}", start)
        if end < 0:
            raise SpecError("CC112", f"{quoted(text)}: '{{' without '}}'", node.span)
        inside = text[start + 1 : end]
        scalar = ScalarNode(inside, node.span_of(start + 1, end), node.is_plain)
        parts += text[at:start], parse_expression(inside, scalar, known.without_input())
        at = end + 1
    if "}" in text[at:]:
        raise SpecError("CC112", f"{quoted(text)}: '}}' without '{{'", node.span)
    return Template((*parts, text[at:]), node.span)


def parse_reference(node: ScalarNode, known: NameScope) -> Template:
    """Read a reference, to be looked up when the layers exist; CC113, where it is none."""
    path = parse_template(node, known)
    outline = unicodedata.normalize("NFC", "".join(part if isinstance(part, str) else "0" for part in path.parts))
    if outline != "." and not all(_NAME.fullmatch(segment) for segment in outline.split(".")):
        text = f"{quoted(node.text)} is not a reference: write the path of a layer, `input` or `.`"
        raise SpecError("CC113", text, node.span)
    return path
