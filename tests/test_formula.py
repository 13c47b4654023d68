"""Formulas: equal to the count in integers wherever they say that they hold, and nowhere else is a network."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.arith import record_constraints
from convcalc.arith.symbols import FloorDiv, simplify_extremes, symbol
from convcalc.designs.sources import CountOptions, open_spec
from convcalc.errors import SpecErrors
from convcalc.formula import simplify as forms_module
from convcalc.formula.closed_form import Formula, MismatchError, count, derive, require_equal
from convcalc.formula.expr import Expr, IntegerLiteral, Ratio, SymbolRef
from convcalc.formula.polynomial import expand, factor_common
from convcalc.formula.printers import LATEX, PYTHON, TEXT
from convcalc.formula.simplify import Simplifier
from convcalc.formula.symbolic_design import FormulaRequest, SymbolicDesign
from convcalc.render import FORMULAS, Surface
from tests.conftest import ROOT, Command

TUTORIALS = ROOT / "specs" / "tutorials"
Functions = Mapping[str, Callable[..., Any]]


class Case(NamedTuple):
    """A design, what is left open in it, and how an integer is put there by other means than those of a formula."""

    design: str
    symbols: str
    settings: Mapping[str, str] = {}
    input: str = ""
    """The input with ``{h}`` for symbols: it replaces the spec's own line."""

    def formula(self) -> Formula:
        return derive(
            self.file, FormulaRequest(tuple(filter(None, self.symbols.split(","))), CountOptions(self.settings))
        )

    @property
    def file(self) -> str:
        return self.design if self.design.startswith("zoo:") else str(TUTORIALS / self.design)

    def counted(self, values: Mapping[str, int]) -> convcalc.Report:
        """What the program counts in a spec in which these numbers are written."""
        path, _, part = self.file.partition("#")
        path = str(ROOT / "specs" / "zoo" / f"{path[4:]}.yaml") if path.startswith("zoo:") else path
        text = Path(path).read_text(encoding="utf-8")
        if self.input:
            text, times = re.subn(r"^input: .*$", f"input: {self.input.format(**values)}", text, flags=re.MULTILINE)
            assert times == 1
        variables = open_spec(path).document.vars
        given = {name: value for name, value in values.items() if name in variables}
        set_ = {name: eval(text, {}, dict(values)) for name, text in self.settings.items()}  # noqa: S307 - our own
        network = convcalc.load(text=text, name=path, set={**given, **set_})
        return (convcalc.from_graph(network.graph.subgraph(part)) if part else network).report()


TUTORIAL_CASES = [
    Case("asymmetric.yaml", "h,w", input="[c, {h}, {w}]"),
    Case("depthwise.yaml", "c,out,size"),
    Case("googlenet_3a.yaml#reduced", "c1,c3,c5,r3,r5,projection"),
    Case("googlenet_3a.yaml#naive", "h,w,cin", input="[{cin}, {h}, {w}]"),
    Case("googlenet_3a.yaml", "c1,c3"),
    Case("multichannel.yaml", "h,w,cin,kernels", input="[{cin}, {h}, {w}]"),
    Case("nin_module.yaml", "h,w,c", input="[{c}, {h}, {w}]"),
    Case("one_by_one.yaml", "n"),
    Case("one_by_one_neurons.yaml", "features", input="[{features}]"),
    Case("one_by_one_size.yaml", "size,n"),
    Case("reduction_5x5.yaml#reduced", "height,width,deep,kernels,reduce"),
    Case("reduction_5x5.yaml", "h,w,c", input="{{h: {h}, w: {w}, c: {c}}}"),
    Case("resnet_bottleneck.yaml#bottleneck", "h,w,c,middle"),
    Case("resnet_bottleneck.yaml", "h,w", {"c": "4*m"}),
    Case("small_kernels.yaml", "h,w,c", input="[{c}, {h}, {w}]"),
    Case("weight_sharing.yaml", "h,w,c,kernels", input="[{c}, {h}, {w}]"),
]
ZOO_CASES = [
    Case("zoo:alexnet", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:convnext", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:densenet", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:googlenet", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:inception_v3", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:lenet", "h,w", input="[1, {h}, {w}]"),
    Case("zoo:mobilenet_v2", "size"),
    Case("zoo:mobilenet_v2", "alpha"),
    Case("zoo:mobilenet_v2", "", {"size": "32*k"}),
    Case("zoo:nin", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:resnet18", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:resnet50", "h,w,cin", input="[{cin}, {h}, {w}]"),
    Case("zoo:squeezenet", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:unet", "size"),
    Case("zoo:vgg", "h,w", input="[3, {h}, {w}]"),
    Case("zoo:vit", "image"),
    Case("zoo:vit", "image,dim,classes"),
    Case("zoo:vit", "patch,dim", {"image": "n*patch"}),
]


def of_case(case: Case) -> str:
    return f"{case.design}-{case.symbols}-{','.join(case.settings.values())}"


def module(formula: Formula) -> Functions:
    """The functions of the Python that a formula is written as."""
    found: dict[str, Any] = {}
    exec(FORMULAS["python"].formula(formula, Surface()), found)  # noqa: S102 - our own
    return found


def holds(formula: Formula, values: Mapping[str, int]) -> bool:
    return all(assumption.holds(values) for assumption in formula.assumptions)


def points(formula: Formula, count: int) -> list[dict[str, int]]:
    """Values that the assumptions allow, other than those of the check: multiples and neighbours of the spec's own."""
    ranges = [_near(use.value or 3, place) for place, use in enumerate(formula.symbols)]
    names = [use.name for use in formula.symbols]
    rows = (
        dict(zip(names, row, strict=True)) for row in zip(*(itertools.cycle(each) for each in ranges), strict=False)
    )
    allowed = (values for values in itertools.islice(rows, 2000) if holds(formula, values))
    return list(itertools.islice(allowed, count))


def _near(own: int, place: int) -> list[int]:
    return [*[own, 2 * own, own + 12, own + 1, 3 * own, own + 24, own + 7][place % 3 :], own + 36 + place]


def agree(formula: Formula, case: Case, values: Mapping[str, int]) -> None:
    """The Python, called, gives layer by layer and in total what is counted in integers."""
    functions, report = module(formula), case.counted(values)
    assert functions["params"](**values) == report.totals["params"]
    assert functions["macs"](**values) == report.totals["macs"]
    counted = {row.path: {"params": row.values["params"], "macs": row.values["macs"]} for row in report.rows}
    assert functions["layers"](**values) == counted


# --- equal to integers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*TUTORIAL_CASES, *ZOO_CASES], ids=of_case)
def test_formulas_are_counts(case: Case) -> None:
    formula = case.formula()
    assert formula.checked_at
    tried = points(formula, 3)
    assert tried
    for values in tried:
        agree(formula, case, values)


@given(st.data())
@settings(max_examples=15)
@pytest.mark.parametrize("case", TUTORIAL_CASES, ids=of_case)
def test_formulas_are_counts_at_any_size(case: Case, data: st.DataObject) -> None:
    formula = kept(case)
    values = {use.name: data.draw(st.integers(1, 300), use.name) for use in formula.symbols}
    if holds(formula, values):
        agree(formula, case, values)


_kept: dict[str, Formula] = {}


def kept(case: Case) -> Formula:
    return _kept.setdefault(of_case(case), case.formula())


@pytest.mark.parametrize(
    ("case", "largest"),
    [
        (Case("zoo:lenet", "h,w", input="[1, {h}, {w}]"), 34),
        (Case("zoo:unet", "size"), 230),
        (Case("zoo:vit", "image"), 70),
        (Case("zoo:vit", "dim"), 40),
        (Case("zoo:alexnet", "h,w", input="[3, {h}, {w}]"), 66),
    ],
    ids=str,
)
def test_the_assumptions_are_all_and_only_what_makes_a_network(case: Case, largest: int) -> None:
    formula = case.formula()
    names = [use.name for use in formula.symbols]
    outcomes = set()
    for size in range(1, largest):
        values = dict.fromkeys(names, size)
        try:
            report = case.counted(values)
        except SpecErrors:
            assert not holds(formula, values), values
            outcomes.add(False)
            continue
        outcomes.add(True)
        assert holds(formula, values), values
        assert formula.totals["macs"].value(values) == report.totals["macs"]
    assert outcomes == {True, False}


def test_every_metric_and_batch_and_format() -> None:
    metrics = ("params", "buffers", "weight_bytes", "macs", "flops", "activations", "output_elements")
    formula = derive("zoo:mobilenet_v2", FormulaRequest(("size",), CountOptions(batch=3, dtypes=("int4",)), metrics))
    assert tuple(formula.totals) == metrics
    for size in (32, 33, 64, 191, 224):
        report = convcalc.load("zoo:mobilenet_v2", set={"size": size}).report(batch=3, dtype="int4")
        values = {"size": size}
        for key, tree in formula.totals.items():
            assert tree.value(values) == report.totals[key], key
            for line, row in zip(formula.rows, report.rows, strict=True):
                assert line.values[key].value(values) == row.values[key], (key, row.path)


def test_folded_layers_are_sums() -> None:
    formula = derive("zoo:resnet50", FormulaRequest(("h", "w"), depth=1))
    report = convcalc.load("zoo:resnet50").report()
    for line in formula.rows:
        below = [row for row in report.rows if row.path == line.path or row.path.startswith(f"{line.path}.")]
        assert line.layer_count == len(below)
        assert line.values["macs"].value({"h": 224, "w": 224}) == sum(row.values["macs"] for row in below)


# --- as the tutorials write them --------------------------------------------------------------------------------------


def total(design: str, symbols: str, metric: str = "macs", **settings: str) -> str:
    file = design if design.startswith("zoo:") else str(TUTORIALS / design)
    request = FormulaRequest(tuple(filter(None, symbols.split(","))), CountOptions(settings))
    return TEXT.write(derive(file, request).totals[metric])


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (
            ("googlenet_3a.yaml#reduced", "h,w,cin,c1,c3,c5,r3,r5,projection"),
            "h·w·(cin·(c1 + r3 + r5 + projection) + 9·c3·r3 + 25·c5·r5)",
        ),
        (("googlenet_3a.yaml#naive", "cin,c1,c3,c5", "params"), "cin·(c1 + 9·c3 + 25·c5)"),
        (("reduction_5x5.yaml#direct", "h,w,cin,kernels"), "25·h·w·cin·kernels"),
        (("reduction_5x5.yaml#reduced", "h,w,cin,kernels,reduce"), "h·w·reduce·(cin + 25·kernels)"),
        (("resnet_bottleneck.yaml#bottleneck", "h,w,c,middle"), "h·w·middle·(2·c + 9·middle)"),
        (("resnet_bottleneck.yaml#single", "h,w"), "589,824·h·w"),
    ],
    ids=str,
)
def test_the_tutorials_formulas(found: tuple[str, ...], written: str) -> None:
    assert total(*found) == written


def test_a_convolution_is_k_k_cin_cout_and_a_bias(tmp_path: Path) -> None:
    spec = tmp_path / "one.yaml"
    spec.write_text(
        "input: [8, 30, 30]\nvars: {k: 5, cout: 16}\nlayers: [conv: {out: cout, kernel: k, padding: same}]\n"
    )
    found = derive(str(spec), FormulaRequest(("h", "w", "k", "cin", "cout")))
    assert TEXT.write(found.totals["params"]) == "k²·cin·cout + cout"
    assert TEXT.write(found.totals["macs"]) == "h·w·k²·cin·cout"


def test_a_picture_that_32_divides_leaves_no_floor() -> None:
    assert total("zoo:mobilenet_v2", "", size="32*k") == "6,112,128·k² + 1,280,000"
    assert total("zoo:resnet50", "", h="32*n", w="32*n") == "83,410,944·n² + 2,048,000"
    assert "(size + 31)//32" in total("zoo:mobilenet_v2", "size")


BOTTLENECK = str(TUTORIALS / "resnet_bottleneck.yaml")


def test_the_bottleneck_is_17_parts_of_144() -> None:
    request = FormulaRequest(("h", "w"), CountOptions({"c": "4*m"}))
    found = derive(f"{BOTTLENECK}#bottleneck", request, over=f"{BOTTLENECK}#single")
    assert found.ratios == dict.fromkeys(("params", "macs"), Ratio(IntegerLiteral(17), IntegerLiteral(144)))
    found = derive(f"{BOTTLENECK}#bottleneck", request, over=f"{BOTTLENECK}#plain")
    assert found.ratios == dict.fromkeys(("params", "macs"), Ratio(IntegerLiteral(17), IntegerLiteral(288)))


def test_a_ratio_is_cancelled_and_may_keep_symbols() -> None:
    file = str(TUTORIALS / "reduction_5x5.yaml")
    request = FormulaRequest(("h", "w", "deep", "kernels", "reduce"))
    found = derive(f"{file}#reduced", request, over=f"{file}#direct")
    assert found.ratios is not None
    ratio = found.ratios["macs"]
    assert ratio is not None
    assert TEXT.ratio(ratio) == "reduce·(deep + 25·kernels)/(25·deep·kernels)"
    assert PYTHON.ratio(ratio) == "Fraction(reduce*(deep + 25*kernels), 25*deep*kernels)"


def test_a_ratio_to_a_constant_is_one_fraction(tmp_path: Path) -> None:
    """Over 43,856 multiplies, 32·t·(t + 42) is 2·t·(t + 42)/2,741: no coefficient is left with a divisor of its own."""
    spec = tmp_path / "two.yaml"
    spec.write_text(
        "inputs: {a: [t, 16], b: [1, 43856]}\nvars: {t: 5}\nlayers:\n"
        "  - {seq: [attention: 2, lstm: 4], name: sequence, from: a}\n"
        "  - {linear: {out: 1, bias: false}, name: constant, from: b}\noutputs: [sequence, constant]\n"
    )
    found = derive(f"{spec}#sequence", FormulaRequest(("t",)), over=f"{spec}#constant")
    assert found.ratios is not None
    assert found.ratios["macs"] is not None
    assert TEXT.ratio(found.ratios["macs"]) == "2·t·(t + 42)/2,741"


def test_a_ratio_to_nothing_is_none(tmp_path: Path) -> None:
    spec = tmp_path / "two.yaml"
    spec.write_text("input: [8, 9, 9]\nlayers:\n  - {conv: [8, 3], name: a}\n  - {relu: , from: input, name: b}\n")
    found = derive(f"{spec}#a", FormulaRequest(("h",)), over=f"{spec}#b")
    assert found.ratios == {"params": None, "macs": None}


# --- the forms --------------------------------------------------------------------------------------------------------

ATOMS: tuple[Expr, ...] = (SymbolRef("a"), SymbolRef("b"), SymbolRef("c"))
terms = st.dictionaries(
    st.tuples(*[st.integers(0, 3)] * 3), st.integers(-50, 50).filter(bool), min_size=1, max_size=7
)  # fmt: skip
sizes = st.fixed_dictionaries({name: st.integers(1, 40) for name in "abc"})


@given(terms, sizes)
def test_every_form_has_the_value_of_the_polynomial(
    polynomial: dict[tuple[int, ...], int], values: dict[str, int]
) -> None:
    true = sum(
        coefficient * values["a"] ** i * values["b"] ** j * values["c"] ** k
        for (i, j, k), coefficient in polynomial.items()
    )
    made = [expand(polynomial, ATOMS), forms_module._factor(polynomial, ATOMS)]
    made += [factor_common(polynomial, ATOMS, integers=integers) for integers in (False, True)]
    for tree in made:
        assert tree.value(values) == true
        assert eval(PYTHON.write(tree), {}, dict(values)) == true  # noqa: S307 - our own
        assert from_text(TEXT.write(tree), values) == true
        assert from_latex(LATEX.write(tree), values) == true


@given(terms)
def test_the_form_with_the_fewest_operations_is_written(polynomial: dict[tuple[int, ...], int]) -> None:
    a, b, c = map(symbol, "abc")
    expression = sum(value * a**i * b**j * c**k for (i, j, k), value in polynomial.items())
    written = Simplifier("abc", ()).simplify(expression)
    made = [expand(polynomial, ATOMS), forms_module._factor(polynomial, ATOMS)]
    made += [factor_common(polynomial, ATOMS, integers=integers) for integers in (False, True)]
    fewest = min(form.operations for form in made)
    assert written.operations <= fewest
    text = re.sub(r"(^|\()-", r"\1", PYTHON.write(written).replace("**", "^"))
    assert written.operations == len(re.findall(r"[-+*/^]", text))


DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def from_text(text: str, values: Mapping[str, int]) -> int:
    """What a text for people means."""
    text = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**{found[0].translate(DIGITS)}", text.replace(",", "").replace("·", "*")
    )
    return int(eval(text, {}, dict(values)))  # noqa: S307 - our own


def from_latex(text: str, values: Mapping[str, int]) -> int:
    """What LaTeX means; anything that is not known is an error."""
    text = text.replace(r"\,", "").replace(r" \cdot ", "*").replace(r"\left(", "(").replace(r"\right)", ")")
    text = re.sub(r"\\mathit\{(\w+)\}", r"\1", text)
    while True:
        floors = re.sub(r"\\left\\lfloor\\frac\{([^{}\\]*)\}\{([^{}\\]*)\}\\right\\rfloor", r"((\1)//(\2))", text)
        shorter = re.sub(
            r"\^\{(\d+)\}", r"**\1", re.sub(r"\\frac\{([^{}\\]*)\}\{([^{}\\]*)\}", r"((\1)//(\2))", floors)
        )
        if shorter == text:
            break
        text = shorter
    assert not set(text) & set("\\{}^"), text
    return int(eval(text, {}, dict(values)))  # noqa: S307 - our own


@pytest.mark.parametrize(
    "case", [Case("zoo:mobilenet_v2", "size"), Case("zoo:vit", "image,dim"), ZOO_CASES[4]], ids=of_case
)
def test_all_notations_say_the_same(case: Case) -> None:
    formula = case.formula()
    for values in points(formula, 2):
        for tree in [*formula.totals.values(), *(tree for line in formula.rows for tree in line.values.values())]:
            assert from_text(TEXT.write(tree), values) == tree.value(values)
            assert from_latex(LATEX.write(tree), values) == tree.value(values)


def test_a_division_that_is_granted_is_exact() -> None:
    n = symbol("n")
    with record_constraints() as ledger:
        from convcalc.arith import divides, require

        require(divides(4, n), "CC404", "")
    forms = Simplifier(["n"], ledger.assumptions)
    (assumption,) = forms.assumptions()
    assert TEXT.assumption(assumption) == "4 divides n"
    assert PYTHON.assumption(assumption) == "n % 4 == 0"
    assert TEXT.write(forms.simplify(8 * FloorDiv(n, 4) * n)) == "2·n²"
    half = forms.simplify(FloorDiv(n, 4) * n)
    assert (TEXT.write(half), PYTHON.write(half), LATEX.write(half)) == ("n²/4", "n**2//4", r"\frac{n^{2}}{4}")
    assert [half.value({"n": n}) for n in (4, 8)] == [4, 16]
    with pytest.raises(ArithmeticError):
        half.value({"n": 5})


def test_bounds_decide_what_is_larger() -> None:
    import sympy

    n, m = symbol("n"), symbol("m")
    largest, smallest = sympy.Max(n, 7), sympy.Min(n + m, 7)
    assert simplify_extremes(largest, []) == largest
    assert simplify_extremes(largest, [n >= 6]) == largest
    assert simplify_extremes(largest, [n >= 7]) == n
    assert simplify_extremes(smallest + largest, [n >= 7]) == 7 + n
    assert simplify_extremes(sympy.Eq(sympy.Min(1, FloorDiv(n, 4)), 1), [n >= 4]) == sympy.true


# --- the check --------------------------------------------------------------------------------------------------------


def test_a_wrong_formula_is_never_given(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Simplifier.simplify

    def wrong(self: Simplifier, expression: Any) -> Expr:
        return right(self, expression + 1) if expression == 31030658 else right(self, expression)

    monkeypatch.setattr(Simplifier, "simplify", wrong)
    with pytest.raises(MismatchError, match="params of the total is 31030658"):
        derive("zoo:unet", FormulaRequest(("size",)))


def test_an_assumption_that_is_missing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Simplifier, "assumptions", lambda _: ())
    with pytest.raises(MismatchError, match="the assumptions hold at"):
        derive("zoo:unet", FormulaRequest(("size",)))


def test_a_wrong_ratio_is_noticed() -> None:
    request = FormulaRequest(("h", "w"), CountOptions({"c": "4*m"}))
    found = derive(f"{BOTTLENECK}#bottleneck", request, over=f"{BOTTLENECK}#single")
    assert found.ratios is not None
    bound = [SymbolicDesign(f"{BOTTLENECK}#{part}", request) for part in ("bottleneck", "single")]
    values = {"h": 3, "w": 5, "m": 2}
    counted = [count(part.network(values), request) for part in bound]
    require_equal(found, counted, values)
    found.ratios["macs"] = Ratio(IntegerLiteral(17), IntegerLiteral(143))  # type: ignore[index]
    with pytest.raises(MismatchError, match="ratio of macs"):
        require_equal(found, counted, values)


# --- what is refused --------------------------------------------------------------------------------------------------


def refusal(design: str, symbols: str = "", **settings: str) -> str:
    with pytest.raises(SpecErrors) as caught:
        derive(design, FormulaRequest(tuple(filter(None, symbols.split(","))), CountOptions(settings)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("zoo:vit", "imag"), {}, "CC721: no variable or axis 'imag'; did you mean 'image'?"),
        (("zoo:vit", "imag"), {}, "variables: image, patch, dim, depth, heads, mlp, classes; axes of the input: c, "),
        (("zoo:alexnet", "halves"), {}, "a condition shapes the graph and must be a plain value, but depends"),
        (("zoo:alexnet", "halves"), {}, "'halves' is structural here"),
        (("zoo:mobilenet_v2", "k"), {}, "or use it in a value: --set alpha=2*k"),
        (("zoo:resnet50", "depths"), {}, "'depths' is a list of 4 in the spec"),
        (("zoo:resnet50", "v1"), {}, "'v1' is false in the spec"),
        (("zoo:mobilenet_v2@0.75", "alpha"), {}, "'alpha' is 3/4 in the spec"),
        (("zoo:vit",), {}, "a formula needs a symbol at least"),
        (("zoo:mamba", "c"), {}, "error CC510: a size of 'c' has more than 24 max and min, the limit"),
        (("zoo:vit", "image"), {"image": "32*k"}, "'image' is both a symbol and set to '32*k'"),
        (("zoo:vit", "image"), {"dims": "3"}, "no variable or axis 'dims'; did you mean 'dim'?"),
        (("zoo:vit",), {"mlp": "4*dimm"}, "no variable 'dimm'; did you mean 'dim'?"),
        (("zoo:vit", "dim"), {"image": "16*"}, "CC301"),
        (("zoo:resnet50", "h"), {"w": "32*"}, "CC301"),
        ((BOTTLENECK, "c"), {}, "for example --set c=4*k"),
    ],
    ids=str,
)  # fmt: skip
def test_errors_name_what_is_wrong(arguments: tuple[str, ...], settings: Mapping[str, str], said: str) -> None:
    assert said in refusal(*arguments, **settings)


def test_a_new_name_may_be_like_another_where_it_is_declared() -> None:
    found = total("zoo:vit", "", "params", dim="12*x", mlp="4")
    assert total("zoo:vit", "dimm", "params", dim="12*dimm", mlp="4") == found.replace("x", "dimm")


def test_a_condition_on_a_symbol_is_named(tmp_path: Path) -> None:
    spec = tmp_path / "if.yaml"
    spec.write_text("input: [8, 9, 9]\nvars: {wide: 4}\nlayers:\n  - {conv: [8, 3], when: wide > 3}\n  - relu\n")
    said = refusal(str(spec), "wide")
    assert "a condition shapes the graph" in said
    assert "'wide' is structural here" in said


QUOTIENTS = """
input: [1023, 95, 95]
vars: {g: 1, c: 3069}
layers: [conv: {out: c, kernel: 3, groups: g}, conv: {out: 93 * 11 // 33, kernel: 1}]
"""


@pytest.mark.parametrize("batch", [1, 10**12 + 39])
def test_divisions_by_symbols_are_exact(tmp_path: Path, cli: Command, batch: int) -> None:
    path = tmp_path / "quotients.yaml"
    path.write_text(QUOTIENTS)
    result = cli("formula", path, "--symbols", "g", "--batch", str(batch), "-f", "python", "--metrics", "params,macs")
    assert result.exit_code == 0, result.stderr
    module: dict[str, Any] = {}
    exec(result.stdout, module)  # noqa: S102 - the program that was printed
    for g in (1, 3, 11, 31, 33, 93, 341, 1023):
        report = convcalc.load(path, set={"g": g}).report(batch=batch)
        for metric in ("params", "macs"):
            value = module[metric](g)
            assert type(value) is int
            assert value == report.totals[metric]
