"""Printers of closed forms: text, ASCII, Python, LaTeX."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from convcalc.formula.expr import (
    Assumption,
    BoolCombination,
    Expr,
    FloorDivision,
    IntegerLiteral,
    MinMax,
    Power,
    Product,
    Ratio,
    Sum,
    SymbolRef,
    is_negated,
    negate,
)

SUM, QUOTIENT, PRODUCT, POWER, ATOM = range(5)
"""How tightly an expression holds together; what holds less tightly than its place asks for gets parentheses."""
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
RESERVED = frozenset({"Fraction", "ValueError", "layers", "max", "min", "require"})
"""Names that the generated Python module uses itself; arguments avoid them."""
GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "pi"}
    | {"rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"}
)


class TextPrinter:
    """For people: ``3,200·((n + 1)//2)² + 9·h·w``."""

    times = "·"
    exact_division = "/"
    signs: Mapping[str, str] = MappingProxyType({"=": "=", "≠": "≠", "<": "<", "≤": "≤", ">": ">", "≥": "≥"})
    words: Mapping[str, str] = MappingProxyType({"and": " and ", "or": " or "})

    def write(self, tree: Expr) -> str:
        """Write an expression."""
        return self._write(tree)[0]

    def assumption(self, assumption: Assumption) -> str:
        """Write what a formula rests on."""
        if isinstance(assumption, BoolCombination):
            parts = (self.assumption(part) for part in assumption.parts)
            return self.words[assumption.word].join(
                f"({text})" if isinstance(part, BoolCombination) else text
                for part, text in zip(assumption.parts, parts, strict=True)
            )
        left, right, sign = assumption.left, assumption.right, assumption.sign
        if sign == "divides":
            return self.divides(left, right)
        return f"{self.write(left)} {self.signs[sign]} {self.write(right)}"

    def ratio(self, ratio: Ratio) -> str:
        """Write a fraction."""
        if ratio.denominator == IntegerLiteral(1):
            return self.write(ratio.numerator)
        return self.fraction(ratio.numerator, ratio.denominator)

    def fraction(self, numerator: Expr, denominator: Expr) -> str:
        return f"{self._parenthesized(numerator, PRODUCT)}/{self._parenthesized(denominator, POWER)}"

    def name(self, name: str) -> str:
        return name

    def number(self, number: int) -> str:
        return f"{number:,}"

    def power(self, base: str, exponent: int) -> str:
        return base + str(exponent).translate(SUPERSCRIPTS)

    def floor(self, floor: FloorDivision) -> tuple[str, int]:
        sign = self.exact_division if floor.is_exact else "//"
        dividend, divisor = (self._parenthesized(part, POWER) for part in (floor.dividend, floor.divisor))
        return f"{dividend}{sign}{divisor}", QUOTIENT

    def extreme(self, extreme: MinMax) -> str:
        return f"{extreme.word}({', '.join(map(self.write, extreme.items))})"

    def brackets(self, text: str) -> str:
        return f"({text})"

    def divides(self, left: Expr, right: Expr) -> str:
        return f"{self._parenthesized(left, POWER)} divides {self._parenthesized(right, POWER)}"

    def _parenthesized(self, tree: Expr, least: int) -> str:
        text, binding = self._write(tree)
        return text if binding >= least else self.brackets(text)

    def _write(self, tree: Expr) -> tuple[str, int]:
        writers: dict[type[Expr], Callable[..., tuple[str, int]]] = {
            IntegerLiteral: lambda tree: (self.number(tree.number), ATOM if tree.number >= 0 else QUOTIENT),
            SymbolRef: lambda tree: (self.name(tree.name), ATOM),
            Sum: lambda tree: (self._sum(tree), SUM),
            Product: lambda tree: (self._product(tree), PRODUCT),
            Power: lambda tree: (self.power(self._parenthesized(tree.base, ATOM), tree.exponent), POWER),
            FloorDivision: self.floor,
            MinMax: lambda tree: (self.extreme(tree), ATOM),
        }
        return writers[type(tree)](tree)

    def _sum(self, tree: Sum) -> str:
        first, *others = tree.terms
        return self._write_signed(first) + "".join(
            f" - {self._parenthesized(negate(term), QUOTIENT)}"
            if is_negated(term)
            else f" + {self._parenthesized(term, QUOTIENT)}"
            for term in others
        )

    def _write_signed(self, term: Expr) -> str:
        return (
            f"-{self._parenthesized(negate(term), PRODUCT)}"
            if is_negated(term)
            else self._parenthesized(term, QUOTIENT)
        )

    def _product(self, tree: Product) -> str:
        if is_negated(tree):
            return self._write_signed(tree)
        return self.times.join(self._parenthesized(factor, POWER) for factor in tree.factors)


class AsciiPrinter(TextPrinter):
    """For people whose terminal has no more than ASCII: ``3,200*((n + 1)//2)^2``."""

    times = "*"
    signs: Mapping[str, str] = MappingProxyType({"=": "=", "≠": "!=", "<": "<", "≤": "<=", ">": ">", "≥": ">="})

    def name(self, name: str) -> str:
        return name.encode("ascii", "backslashreplace").decode()

    def power(self, base: str, exponent: int) -> str:
        return f"{base}^{exponent}"


class PythonPrinter(TextPrinter):
    """An expression of Python on integers: ``3200*((n + 1)//2)**2``."""

    times = "*"
    exact_division = "//"
    signs: Mapping[str, str] = MappingProxyType({"=": "==", "≠": "!=", "<": "<", "≤": "<=", ">": ">", "≥": ">="})

    def name(self, name: str) -> str:
        return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name

    def number(self, number: int) -> str:
        return str(number)

    def power(self, base: str, exponent: int) -> str:
        return f"{base}**{exponent}"

    def ratio(self, ratio: Ratio) -> str:
        """Write a fraction, as the exact ``Fraction`` of the standard library."""
        return f"Fraction({self.write(ratio.numerator)}, {self.write(ratio.denominator)})"

    def divides(self, left: Expr, right: Expr) -> str:
        return f"{self._parenthesized(right, POWER)} % {self._parenthesized(left, POWER)} == 0"


class LatexPrinter(TextPrinter):
    r"""For papers: ``3\,200 \cdot \left\lfloor\frac{n + 1}{2}\right\rfloor^{2}``, for math mode."""

    times = r" \cdot "
    signs: Mapping[str, str] = MappingProxyType(
        {"=": "=", "≠": r"\neq", "<": "<", "≤": r"\leq", ">": ">", "≥": r"\geq"}
    )
    words: Mapping[str, str] = MappingProxyType({"and": r" \land ", "or": r" \lor "})

    def name(self, name: str) -> str:
        """One letter as it is, ``c1`` with an index, a Greek letter by its command, a word in italics of a piece."""
        if name in GREEK:
            return rf"\{name}"
        if re.fullmatch(r"[A-Za-z]", name):
            return name
        indexed = re.fullmatch(r"([A-Za-z])_?(\d+)", name)
        if indexed:
            return f"{indexed[1]}_{{{indexed[2]}}}"
        escaped = name.replace("_", r"\_")
        return rf"\mathit{{{escaped}}}" if name.isascii() else rf"\textit{{{escaped}}}"

    def number(self, number: int) -> str:
        return f"{number:,}".replace(",", r"\,")

    def power(self, base: str, exponent: int) -> str:
        return f"{base}^{{{exponent}}}"

    def floor(self, floor: FloorDivision) -> tuple[str, int]:
        fraction = self.fraction(floor.dividend, floor.divisor)
        return (fraction, PRODUCT) if floor.is_exact else (rf"\left\lfloor{fraction}\right\rfloor", ATOM)

    def extreme(self, extreme: MinMax) -> str:
        return rf"\{extreme.word}{self.brackets(', '.join(map(self.write, extreme.items)))}"

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def fraction(self, numerator: Expr, denominator: Expr) -> str:
        return rf"\frac{{{self.write(numerator)}}}{{{self.write(denominator)}}}"

    def divides(self, left: Expr, right: Expr) -> str:
        return rf"{self.write(left)} \mid {self.write(right)}"


TEXT, ASCII, PYTHON, LATEX = TextPrinter(), AsciiPrinter(), PythonPrinter(), LatexPrinter()
