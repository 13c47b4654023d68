"""Items as the nested lists and mappings of a spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convcalc.ops.make import get
from convcalc.ops.op import Op, arguments_of
from convcalc.ops.registry import activation_names
from convcalc.recovery.items import WITH_HALF_PADDING, ExpressionText, SpecItem, every
from convcalc.recovery.structure.blocks import RecoveredBlock
from convcalc.recovery.structure.parameters import LOCAL
from convcalc.recovery.structure.unify import LISTS, is_call

Defaults = dict[str, dict[str, Any]]
PARTS = ("norm", "act")
MODIFIERS = ("name", "from", "when", "tie", "via")
"""The order in which they are written."""
LEAST_ITEMS = 3
"""Items of a kind for which a default is worth its line."""


class ItemWriter:
    """Writes items; arguments that the file's defaults give are left out."""

    def __init__(self, items: Iterable[SpecItem], blocks: Mapping[str, RecoveredBlock]) -> None:
        self._blocks = blocks
        self.defaults = _defaults([item for item in every(items) if item.kind not in LISTS and not is_call(item)])

    def series(self, items: Sequence[SpecItem]) -> list[Any]:
        """Return a list of items; one that is there where the one before it is not is its ``else``."""
        written: list[Any] = []
        for before, item in zip((None, *items), items, strict=False):
            made = self.item(item)
            if before is not None and _is_else(before, item) and "else" not in written[-1]:
                rest = {key: value for key, value in made.items() if key != "when"}
                written[-1]["else"] = next(iter(rest)) if [*rest.values()] == [None] else rest
            else:
                written.append(made)
        return written

    def item(self, item: SpecItem) -> Any:
        """Return one item: a word, or a mapping."""
        modifiers = dict(item.modifiers)
        ordered = {key: modifiers[key] for key in MODIFIERS if key in modifiers}
        if item.kind == "from":
            return ordered or "identity"
        if item.kind == "repeat":
            count = {"repeat": {key: list(values) for key, values in item.columns.items()} or item.args["n"]}
            return self._turns(count, (item.branches or [[]])[0], ordered)
        if item.kind == "each":
            return self._each(item, ordered)
        if item.kind == "seq":
            return {"seq": self.series((item.branches or [[]])[0]), **modifiers}
        if is_call(item):
            return _with(item.kind, self._call(item), modifiers)
        usual = self.defaults.get(item.kind, {}).get("via", get(item.kind).source_form)
        via = item.args.get("via", get(item.kind).source_form)
        if via != usual:
            modifiers["via"] = via
        given = _given(item)
        if item.kind == "act" and set(given) == {"type"}:
            return (
                _with(given["type"], None, modifiers)
                if given["type"] in activation_names()
                else {"act": given["type"], **modifiers}
            )
        return _with(item.kind, self._body(item, given), modifiers)

    def _turns(self, count: Mapping[str, Any], body: Sequence[SpecItem], modifiers: Mapping[str, Any]) -> Any:
        """Return a repeat: beside its only item, or over a list."""
        if len(body) > 1 or body[0].kind == "repeat" or body[0].modifiers:
            return {**count, **modifiers, "seq": self.series(body)}
        one = self.item(body[0])
        one = one if isinstance(one, dict) else {one: None}
        return {**one, **count, **modifiers} if "repeat" in count else {**count, **modifiers, **one}

    def _each(self, item: SpecItem, modifiers: Mapping[str, Any]) -> Any:
        """Return experts; those that are not alike are items of which each branch has one."""
        count = {key: item.args[key] for key in ("each", "of")}
        branches = item.branches or []
        if len(branches) == 1:
            return self._turns(count, branches[0], modifiers)
        turns = [{"seq": self.series(branch), "when": f"i == {turn}"} for turn, branch in enumerate(branches)]
        return {**count, **modifiers, "seq": turns}

    def _call(self, item: SpecItem) -> Any:
        """Return the arguments of a call, in their order; the last ones are left out where they are the defaults."""
        block = self._blocks[item.kind]
        values = [(item.args[name], default) for name, default in block.signature.items() if name in item.args]
        while values and values[-1][1] is not None and repr(values[-1][0]) == repr(values[-1][1]):
            values.pop()
        listed = [value for value, _ in values]
        return None if not listed else listed[0] if len(listed) == 1 and not isinstance(listed[0], tuple) else listed

    def _body(self, item: SpecItem, given: dict[str, Any]) -> Any:
        op = get(item.kind)
        args = self._without_defaults(op, given)
        if item.branches is None:
            return _arguments(op, args)
        branches = [self._branch(branch) for branch in item.branches]
        return {**args, "branches": branches} if args else branches

    def _branch(self, branch: Sequence[SpecItem]) -> Any:
        written = self.series(branch)
        if not written:
            return "identity"
        may_vanish = "when" in branch[0].modifiers and branch[0].kind not in ("from", "each")
        is_one = len(written) == 1 and (not may_vanish or "else" in written[0])
        return written[0] if is_one else written

    def _without_defaults(self, op: type[Op], given: Mapping[str, Any]) -> dict[str, Any]:
        defaults = {**self.defaults.get(op.defaults_from, {}), **self.defaults.get(op.kind, {})}
        unused = op.unused_arguments({**defaults, **given})
        args = {}
        for key, value in given.items():
            usual = defaults.get(key, _unwritten(op, key, given))
            if type(value) is not type(usual) or value != usual:
                args[key] = value
        for key in defaults.keys() - given.keys() - unused - {"via"}:
            if key in PARTS and op.accepts_norm_act:
                args |= {} if defaults[key] == "none" else {key: "none"}
            elif key in arguments_of(op) and not (key == "bias" and given.get("norm", "none") != "none"):
                args[key] = arguments_of(op)[key].default
        if given.get("norm", "none") != "none" and "bias" not in given and defaults.get("bias") is True:
            args["bias"] = False
        return args


def _unwritten(op: type[Op], key: str, given: Mapping[str, Any]) -> Any:
    """Return the value of an argument that nothing gives."""
    if key in PARTS and op.accepts_norm_act:
        return "none"
    if key == "bias" and op.accepts_norm_act:
        norm = given.get("norm", "none")
        return None if isinstance(norm, ExpressionText) else norm == "none"  # with a norm in some calls it is written
    if key == "padding" and op.kind in WITH_HALF_PADDING and given.get("kernel") == 1:
        return "half"  # no padding is half of what such a kernel reaches
    argument = arguments_of(op).get(key)
    return None if argument is None or argument.required else argument.default


def _given(item: SpecItem) -> dict[str, Any]:
    """Return the arguments of an item, those of fused parts as one value each."""
    given: dict[str, Any] = {}
    for key, value in {**item.args, **item.modifiers.get("references", {})}.items():
        part, dot, inner = key.partition(".")
        if dot:
            given.setdefault(part, {})[inner] = value
        elif key != "via" and key not in LOCAL:
            given[key] = value
    for part in PARTS:
        if isinstance(given.get(part), dict) and set(given[part]) == {"type"}:
            given[part] = given[part]["type"]
    return given


def _is_else(one: SpecItem, other: SpecItem) -> bool:
    """Whether one of two items is there where the other is not, and they have nothing else beside their kind."""
    if one.modifiers.keys() != {"when"} or other.modifiers.keys() != {"when"}:
        return False
    first, second = str(one.modifiers["when"]), str(other.modifiers["when"])
    return second in (f"not {first}", first.removeprefix("not ")) and first != second


def _with(word: str, value: Any, modifiers: Mapping[str, Any]) -> Any:
    """Return an item of a kind; a bare word where nothing else is written."""
    written = {key: modifiers[key] for key in MODIFIERS if key in modifiers}
    return {word: value, **written} if written or value is not None else word


def _arguments(op: type[Op], args: Mapping[str, Any]) -> Any:
    """Return arguments by position where they can be, else by name."""
    places = [argument for argument in arguments_of(op).values() if argument.positional]
    if not args:
        return None
    if set(args) == {place.key for place in places[: len(args)]}:
        values = [args[place.key] for place in places[: len(args)]]
        is_listed = isinstance(values[0], tuple | list)
        if len(values) == 1 and is_listed == places[0].type.takes_list:
            return values[0]
        if len(values) == 1 and not is_listed:
            return values[0]
        if len(values) > 1 and not places[0].type.takes_list:
            return values
    ordered = [key for key in (*arguments_of(op), *op.layer_arguments, *PARTS) if key in args]
    return {key: args[key] for key in ordered}


def _defaults(items: Sequence[SpecItem]) -> Defaults:
    """Return what most layers of a kind have."""
    found: Defaults = {}
    for kind in sorted({item.kind for item in items}, key=lambda kind: (get(kind).defaults_from != "", kind)):
        op, alike = get(kind), [item for item in items if item.kind == kind]
        given = [_given(item) | {key: item.args[key] for key in item.args.keys() & {"via"}} for item in alike]
        inherited = found.get(op.defaults_from, {})
        own = {}
        for key in dict.fromkeys(key for each in given for key in each):
            value = _usual(op, key, given)
            if value is not None and inherited.get(key) != value:
                own[key] = value
        if "act" in inherited and 2 * sum("act" not in each for each in given) > len(given):
            own["act"] = "none"
        if own:
            found[kind] = own
    return found


def _usual(op: type[Op], key: str, given: Sequence[Mapping[str, Any]]) -> Any:
    """Return the value of an argument that more than half of the layers of a kind have, if it can be a default."""
    relevant = [each for each in given if key not in op.unused_arguments({**each, key: None})]
    can_be = {*PARTS, "bias", "axis", "via", *(("padding",) if op.kind in WITH_HALF_PADDING else ())}
    if key not in can_be or len(relevant) < LEAST_ITEMS:
        return None
    shown = Counter(repr(each.get(key)) for each in relevant)
    most, count = shown.most_common(1)[0]
    value = next(each.get(key) for each in relevant if repr(each.get(key)) == most)
    inner = [*value.values()] if isinstance(value, dict) else [value]
    if any(isinstance(each, ExpressionText) for each in inner):
        return None
    may_be_left_out = key in {*PARTS, "via"} or arguments_of(op)[key].default is not None
    return value if 2 * count > len(relevant) and (may_be_left_out or count == len(relevant)) else None
