"""Values in a spec: an expression with its place, or a list of values; their names checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any

from convcalc.errors import Span, SpecError, Undecided, did_you_mean, quoted
from convcalc.records import NamedTuple, dataclass, field
from convcalc.spec.expressions.errors import ExpressionError
from convcalc.spec.expressions.expression import Expression, parse
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.vocabulary import FOREIGN_SPELLINGS, INPUT_VARIABLES, choices
from convcalc.spec.limits import LIST, YAML_DEPTH, TooLargeError, count_elements
from convcalc.spec.yaml.nodes import MapNode, ScalarNode, YamlNode

LOOP_VARIABLES = ("i", "first", "last")
"""Variables of a `repeat` beside its columns."""

MAX_SHOWN_NAMES = 12
HIDDEN_VARIABLE = "CC807"


@dataclass(slots=True, eq=False)
class NameScope:
    """The variables in scope at a place; those used and the warnings so far in the file."""

    names: AbstractSet[str]
    used: set[str] = field(default_factory=set)
    has_input: bool = True
    """Whether a tensor enters at the place, so that ``cin``, ``din`` and ``shape`` have a meaning."""
    warnings: list[SpecError] = field(default_factory=list)

    def with_names(self, names: Iterable[str]) -> NameScope:
        return NameScope(self.names | set(names), self.used, self.has_input, self.warnings)

    def without_input(self) -> NameScope:
        """Return the same variables for a place that no tensor enters: a name, a reference, the input shape."""
        return NameScope(self.names, self.used, has_input=False, warnings=self.warnings)


@dataclass(slots=True, eq=False)
class StructuralError(SpecError):
    """A plain value is needed where a variable holds an array or a symbol; ``names``: the variables it depends on."""

    names: tuple[str, ...] = ()
    is_condition: bool = False
    """Whether a boolean is needed, which many values may share."""


class ValueNode(NamedTuple):
    """An expression, or a list of values, that is worked out against an environment of variables."""

    span: Span
    expression: Expression | None
    items: tuple[ValueNode, ...] = ()
    is_plain_scalar: bool = True
    names: frozenset[str] = frozenset()
    """Every variable in it."""
    uses_input: bool = False
    """Whether it depends on the tensor that enters: ``cin``, ``din``, ``shape``."""

    def evaluate(self, env: Mapping[str, Any]) -> Any:
        """Return the value; an error is at the token, or at the whole scalar if it is quoted or on several lines."""
        try:
            if self.expression:
                value = self.expression.evaluate(env)
            else:
                count_elements(len(self.items))
                value = tuple([item.evaluate(env) for item in self.items])
        except ExpressionError as error:
            raise _locate(error, self.span, self.is_plain_scalar) from None
        except Undecided as undecided:
            raise structural_error(undecided, self) from None
        except TooLargeError as error:
            error.span = self.span
            raise
        if type(value) is tuple:
            _require_small(value, self.span)
        return value


def _require_small(value: tuple[Any, ...], span: Span) -> None:
    """Refuse lists of lists that are too large as a whole: they may share parts, so no length of one bounds them."""
    held, inner, depth = len(value), [each for each in value if type(each) is tuple], 1
    while inner:
        held, depth = held + sum(map(len, inner)) - len(inner), depth + 1
        if held > LIST or depth > YAML_DEPTH:
            limit = f"{LIST} elements in all, {YAML_DEPTH} lists in one another"
            raise SpecError("CC501", f"a list of lists exceeds the limit of {limit}", span)
        inner = [each for one in inner for each in one if type(each) is tuple]


def _locate(error: ExpressionError, span: Span, plain: bool) -> SpecError:
    return SpecError(error.code, error.text, span.subspan(error.start, error.end) if plain else span, hint=error.hint)


def structural_error(undecided: Undecided, value: ValueNode) -> StructuralError:
    """Say that a swept variable or a symbol reached a place that shapes the graph, and name it."""
    found = undecided.names or tuple(sorted(value.names))
    names = ", ".join(map(quoted, found))
    text = f"{undecided.requirement} shapes the graph and must be a plain value, but depends on the swept or symbolic"
    is_condition = undecided.requirement == "a condition"
    return StructuralError("CC411", f"{text} {names}", value.span, names=found, is_condition=is_condition)


def parse_expression(text: str, scalar: ScalarNode, known: NameScope, words: Collection[str] = ()) -> ValueNode:
    """Parse an expression and check its names; ``words`` are the choices of the argument that it is written for.

    A choice that hides a variable gives the warning CC807.

    Raises:
        SpecError: CC201 for an unknown variable, or a syntax error of the expression.
    """
    try:
        expression = parse(text, known.names, words)
    except ExpressionError as error:
        raise _locate(error, scalar.span, scalar.is_plain) from None
    for name, start, end in expression.words:
        if name in known.names:
            warning = f"{quoted(name)} is a choice of this argument, and not the variable of that name"
            hint = "to use the variable, give it another name"
            known.warnings.append(SpecError(HIDDEN_VARIABLE, warning, scalar.span_of(start, end), hint=hint))
    names = expression.variables
    if not names:
        return ValueNode(scalar.span, expression, (), scalar.is_plain)
    if names <= known.names:
        known.used.update(names)
    else:
        for name, start, end in expression.names:
            if name in known.names:
                known.used.add(name)
            elif name not in INPUT_VARIABLES or not known.has_input:
                raise _unknown_variable(name, scalar.span_of(start, end), known, words)
    return ValueNode(scalar.span, expression, (), scalar.is_plain, names, not names.isdisjoint(INPUT_VARIABLES))


def _unknown_variable(name: str, span: Span, known: NameScope, words: Collection[str]) -> SpecError:
    if name in INPUT_VARIABLES:
        return SpecError("CC201", f"'{name}' describes the tensor that enters an item, and none enters here", span)
    if name in FOREIGN_SPELLINGS:
        return SpecError("CC201", f"unknown variable {quoted(name)}; did you mean '{FOREIGN_SPELLINGS[name]}'?", span)
    if name in LOOP_VARIABLES:
        hint = f"{', '.join(LOOP_VARIABLES)} exist inside a `repeat`"
        return SpecError("CC201", f"unknown variable {quoted(name)}", span, hint=hint)
    guess = did_you_mean(name, chain(known.names, INPUT_VARIABLES if known.has_input else (), choices(), FUNCTIONS))
    few = known.names and not guess and len(known.names) <= MAX_SHOWN_NAMES
    hint = f"known here: {', '.join(sorted(known.names))}" if few else ""
    if 0 < len(words) <= MAX_SHOWN_NAMES:
        guess, hint = did_you_mean(name, (*words, *known.names)), f"words of this argument: {', '.join(words)}"
    return SpecError("CC201", f"unknown variable {quoted(name)}{guess}", span, hint=hint)


def parse_value(
    node: YamlNode,
    known: NameScope,
    what: str = "a value",
    key: Span | None = None,
    words: Collection[str] = (),
    parts: Collection[str] = (),
) -> ValueNode:
    """Read a scalar as an expression, or a list of them, nested as it is. ``key`` is blamed where nothing stands.

    ``words`` are the choices of the argument that it is written for, and ``parts`` those of an element of a list.

    Raises:
        SpecError: CC114 for nothing, CC117 for a mapping, CC501 for a list that is too long.
    """
    if isinstance(node, ScalarNode):
        if node.is_empty:
            raise SpecError("CC114", f"{what} is missing", key or node.span)
        return parse_expression(node.text, node, known, words)
    if isinstance(node, MapNode):
        raise SpecError("CC117", f"{what} must be an expression or a list, not a mapping", node.span)
    if len(node.items) > LIST:
        raise SpecError("CC501", f"a list of {len(node.items)} exceeds the limit of {LIST}", node.span)
    return list_node(node.span, [_parse_element(item, known, what, parts) for item in node.items])


def _parse_element(node: YamlNode, known: NameScope, what: str, parts: Collection[str]) -> ValueNode:
    if type(node) is ScalarNode and not node.is_empty:
        return parse_expression(node.text, node, known, parts)
    return parse_value(node, known, f"an element of {what}", None, parts)


def list_node(span: Span, items: Iterable[ValueNode]) -> ValueNode:
    """Return a list of values as one value."""
    values = tuple(items)
    names = frozenset[str]().union(*[item.names for item in values])
    return ValueNode(span, None, values, True, names, not names.isdisjoint(INPUT_VARIABLES))


def text_value(scalar: ScalarNode) -> ValueNode:
    """Return a text as a value that is the text itself."""
    return ValueNode(scalar.span, Expression(scalar.text, (), (), (), lambda _: scalar.text))


class _Collector:
    """What ``collect_errors`` enters: a generator would take three times as long, and every item has one."""

    __slots__ = ("errors",)

    def __init__(self, errors: list[SpecError]) -> None:
        self.errors = errors

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, SpecError):
            return False
        self.errors.append(error)
        return True


def collect_errors(errors: list[SpecError]) -> _Collector:
    """Collect an error and continue after the block."""
    return _Collector(errors)


MAX_COPIED_VARIABLES = 50

Variables = Mapping[str, Any]


class ChainedVariables(dict[str, Any]):
    """A dict that falls back to another mapping for missing names."""

    __slots__ = ("parent",)

    def __init__(self, over: Variables, under: Variables) -> None:
        super().__init__(over)
        self.parent = under

    def __missing__(self, name: str) -> Any:
        return self.parent[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else self.parent.get(name, default)


def with_variables(variables: Variables, more: Variables) -> dict[str, Any]:
    """Return variables with more of them. Many are not copied again and again, but looked through."""
    if type(variables) is dict and len(variables) <= MAX_COPIED_VARIABLES:
        return {**variables, **more}
    return ChainedVariables(more, variables)
