"""Which sizes of a spec become symbols: variables and axes of the input, by their names or by expressions.

``--symbols h,width`` makes a symbol of an axis and of a variable; ``--set size=32*k`` puts an expression in the place
of one, and every name in it that is not a variable is a symbol too. Names of variables go before names of axes. An axis
symbol replaces only the input size; variables computed from it keep their value.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from convcalc.designs.names import chosen_variant, parse_design
from convcalc.designs.sources import DEFAULT_COUNT_OPTIONS, CountOptions, Network, SpecFile, open_spec
from convcalc.errors import Source, Span, SpecError, SpecErrors, closest_match, quoted, similar_variable
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import report_metrics
from convcalc.records import NamedTuple, dataclass
from convcalc.spec.document.names import validate_variable
from convcalc.spec.document.syntax_tree import Document
from convcalc.spec.document.value_nodes import LOOP_VARIABLES, NameScope, ValueNode, parse_expression
from convcalc.spec.expansion.symbolic_turns import ONE_COUNT
from convcalc.spec.expressions.errors import ExpressionError
from convcalc.spec.expressions.expression import parse
from convcalc.spec.yaml.nodes import ScalarNode

AXIS_NAMES: Mapping[int, tuple[tuple[str, ...], ...]] = {
    1: (("c", "cin", "features", "tokens"),),
    2: (("c", "cin", "tokens"), ("l", "features")),
    3: (("c", "cin"), ("h",), ("w",)),
    4: (("c", "cin"), ("d",), ("h",), ("w",)),
}
"""What the axes of an input are called, by its rank."""


@dataclass(frozen=True, slots=True)
class FormulaRequest:
    """What is asked of a design: symbols by name, metrics by key, and how it is read and counted.

    What ``options`` override may hold symbols too; ``depth`` folds layers to so many segments of a path.
    """

    symbols: tuple[str, ...] = ()
    options: CountOptions = DEFAULT_COUNT_OPTIONS
    metrics: tuple[str, ...] = ("params", "macs")
    depth: int | None = None

    @property
    def measures(self) -> tuple[Metric, ...]:
        """The metrics in the order of their columns."""
        return tuple(measure for measure in report_metrics() if measure.key in self.metrics)


class SymbolUse(NamedTuple):
    """One symbol: what it stands for (``variable``, ``axis``, ``free``), and its value in the spec, if it has one."""

    name: str
    role: str
    value: int | None = None


class SymbolicDesign:
    """A design in which sizes are symbols. It is expanded for symbols, or for numbers in their places."""

    def __init__(self, design: str | Network, request: FormulaRequest) -> None:
        options = request.options
        if isinstance(design, Network):
            self.design, self.variant, known = design.design, design.design.variant, design.spec
            assert known is not None, "a graph in memory has no variables"
            self.spec: SpecFile = known
        else:
            self.design = parse_design(design)
            self.variant = chosen_variant(self.design, options.variant)
            self.spec = open_spec(
                self.design.file, libraries=options.libraries, inputs=options.inputs, code=options.code
            )
        self._document: Document = self.spec.document
        self._variables = tuple(self._document.vars)
        self._shapes = {**self._document.inputs, **self.spec.shapes}
        self.axes = input_axes(self._shapes)
        self._settings = {name: text for name, text in options.overrides.items() if self.has_name(name)}
        self._plain = self._plain_values()
        self.symbols = self._find_symbols(request)
        self._inputs = dict(self._symbolic_inputs())

    def has_name(self, name: str) -> bool:
        """Whether a name is that of a variable or of an axis."""
        return name in self._variables or name in self.axes

    @property
    def names_hint(self) -> str:
        """The names of all variables and axes, for a hint."""
        variables, axes = ", ".join(self._variables) or "none", ", ".join(self.axes) or "none"
        return f"variables: {variables}; axes of the input: {axes}"

    def network(self, values: Mapping[str, Any]) -> Network:
        """Expand the design with a value for every symbol.

        Raises:
            SpecErrors: what is wrong with it; a symbol that shapes the graph is named.
        """
        given = {name: text for name, text in self._settings.items() if name in self._variables}
        symbols = {use.name: values[use.name] for use in self.symbols}
        try:
            return self.spec.expand(
                self.variant, self.design.part, overrides=given, symbols=symbols, inputs=self._inputs
            )
        except SpecErrors as errors:
            for error in errors.errors:
                error.hint = error.hint or _structural_hint(error)
            raise SpecErrors(errors.errors) from None

    def _plain_values(self) -> Mapping[str, int]:
        """Work out what variables and axes are without any symbol; some may be unknown."""
        env: dict[str, Any] = {}
        variables = {**self._document.vars, **self._document.variants.get(self.variant or "", {})}
        axes = [(name, size) for name, sizes in self.axes.items() if name not in variables for size in sizes]
        for name, value in (*variables.items(), *axes):
            with suppress(SpecError, KeyError):
                env.setdefault(name, value.evaluate(env))
        return env

    def _find_symbols(self, request: FormulaRequest) -> tuple[SymbolUse, ...]:
        found: dict[str, SymbolUse] = {}
        known = {*self._variables, *self.axes, *request.symbols}
        names = [name for text in self._settings.values() for name in _names_in(text, known)]
        for name in (*request.symbols, *names):
            if name in found or (name not in request.symbols and name in self._variables):
                continue
            if name in self._settings:
                text = f"{quoted(name)} is both a symbol and set to {quoted(self._settings[name])}"
                raise SpecErrors([SpecError("CC721", text, _place("--symbols", name))])
            if self.has_name(name):
                role = "variable" if name in self._variables else "axis"
                found[name] = SymbolUse(name, role, self._require_size(name))
            elif name in names:
                self._require_new(name, request)
                found[name] = SymbolUse(name, "free")
        return tuple(found.values())

    def _require_size(self, name: str) -> int | None:
        if name not in self._plain and name not in self._variables:  # a size that a model leaves open
            return None
        value = self._plain.get(name)
        if type(value) is int and value >= 0:
            return value
        text = f"{quoted(name)} is {_describe(value)} in the spec, but a symbol must be a positive integer"
        raise SpecErrors([SpecError("CC721", text, _place("--symbols", name), hint=self.names_hint)])

    def _require_new(self, name: str, request: FormulaRequest) -> None:
        """Demand that a name that is neither variable nor axis is meant: declared, or like no other."""
        span = _place("--set", name)
        try:
            validate_variable(ScalarNode(name, span), "symbol")
        except SpecError as error:
            raise SpecErrors([error]) from None
        guess = closest_match(name, self._variables) if len(name) > 2 and name not in request.symbols else ""
        if guess:
            text = f"no variable {quoted(name)}; did you mean {quoted(guess)}?"
            raise SpecErrors([SpecError("CC721", text, span, hint=f"for a new symbol say --symbols {name}")])

    def _symbolic_inputs(self) -> Iterator[tuple[str, ValueNode]]:
        """Yield the shapes of the inputs, with symbols and what is set in the places of their axes."""
        names = frozenset(self._variables).union(use.name for use in self.symbols)
        symbols = {use.name for use in self.symbols if use.role == "axis"}
        texts = {name: name for name in symbols} | {
            name: text for name, text in self._settings.items() if name not in self._variables
        }
        for label, value in self._shapes.items():
            items = list(value.items)
            for name, text in texts.items():
                for place, aliases in enumerate(AXIS_NAMES.get(len(items), ())):
                    if name in aliases:
                        items[place] = _parse_setting(name, text, names)
            yield label, value._replace(items=tuple(items))


def input_axes(shapes: Mapping[str, ValueNode]) -> dict[str, list[ValueNode]]:
    """Return every name of an axis of an input, with the sizes that it names."""
    found: dict[str, list[ValueNode]] = {}
    for value in shapes.values():
        for item, aliases in zip(value.items, AXIS_NAMES.get(len(value.items), ()), strict=False):
            for name in aliases:
                found.setdefault(name, []).append(item)
    return found


def require_known(names: Iterable[str], designs: Sequence[SymbolicDesign], option: str) -> None:
    """Demand that every name means something in at least one design.

    Raises:
        SpecErrors: CC721, with the nearest name.
    """
    used = {use.name for design in designs for use in design.symbols}
    errors = []
    for name in names:
        if name in used or any(design.has_name(name) for design in designs):
            continue
        known = [each for design in designs for each in (*design._variables, *design.axes)]  # noqa: SLF001
        text = f"no variable or axis {quoted(name)}{similar_variable(name, known)}"
        hint = f"{designs[0].names_hint}; or use it in a value: --set {(known or ['size'])[0]}=2*{name}"
        errors.append(SpecError("CC721", text, _place(option, name), hint=hint))
    if errors:
        raise SpecErrors(errors)


def _names_in(text: str, known: Container[str]) -> list[str]:
    """Return the variables in an expression; one that is broken is refused later, in its place."""
    try:
        return list(dict.fromkeys(name for name, _, _ in parse(text, known).names))
    except ExpressionError:
        return []


def _parse_setting(name: str, text: str, names: frozenset[str]) -> ValueNode:
    """Read what is set for an axis."""
    span = Span(Source("--set", f"{name}={text}"), 1, len(name) + 2, len(text))
    try:
        return parse_expression(text, ScalarNode(text, span), NameScope(names, has_input=False))
    except SpecError as error:
        raise SpecErrors([error]) from None


def _place(option: str, text: str) -> Span:
    return Span(Source(option, text), 1, 1, max(1, len(text)))


def _describe(value: object) -> str:
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    return "not known" if value is None else str(value)


def _structural_hint(error: SpecError) -> str:
    """Say what to do about a symbol that reached a place where none can be."""
    if error.code != "CC411":
        return ""
    name = next(iter(getattr(error, "names", ())), "name")
    if name in LOOP_VARIABLES:
        return ONE_COUNT
    if error.text.startswith("a division"):
        return f"a multiple makes the division come out whole, for example --set {name}=4*k"
    hint = f"{quoted(name)} is structural here: leave it out of --symbols, or give it a number with --set"
    of_experts = "; of experts use `experts: {count: E, top: k}`, where both may be symbols"
    return hint + of_experts * error.text.startswith("a number of branches")
