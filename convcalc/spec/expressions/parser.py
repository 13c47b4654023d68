"""Tokens → compiled parts: a Pratt parser for the grammar of expressions.

Every operator has a level; an operand reaches as far as operators bind tighter than the one it is read for::

    expr := or [if or else expr] ; or := and {or and} ; and := not {and not} ; not := [not] cmp
    cmp := sum {(== != < <= > >=) sum} ; sum := term {(+ -) term} ; term := unary {(* / // %) unary}
    unary := [-] power ; power := atom [** unary]
    atom := INT | DECIMAL | true | false | NAME | NAME(expr, …) | atom[expr] | atom(expr) | [expr, …] | (expr)
"""

from __future__ import annotations

from convcalc.spec.expressions.closures import Part, applied, chosen, compared, constant, listed, logical, variable
from convcalc.spec.expressions.errors import CALL, ExpressionError, Place, placed
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.lexer import END, NAME, NUMBER, Token, tokens
from convcalc.spec.expressions.messages import (
    is_misspelt_boolean,
    missing_value,
    no_else,
    no_function,
    unexpected,
    unknown_name,
)
from convcalc.spec.expressions.operators import (
    BINARY,
    BRACKETS,
    COMPARISONS,
    LEVELS,
    OPERATORS,
    PREFIXES,
    Level,
    element,
    inverse,
    negate,
)
from convcalc.spec.expressions.values import Symbol, literal
from convcalc.spec.expressions.vocabulary import SYMBOLS

BOOLEANS = {"true": True, "false": False}


class Parser:
    """Reads one expression; ``names`` fills with its variables as they are met."""

    def __init__(self, text: str, *, suffixed: bool = False) -> None:
        self.text = text
        self.tokens = tokens(text, suffixed=suffixed)
        self.at = 0
        self.names: list[tuple[str, int, int]] = []

    def whole(self) -> Part:
        """Read the whole text as one expression."""
        part = self.expression()
        if self.token.kind != END:
            raise unexpected(self.token, self.text)
        return part

    def expression(self, level: int = Level.LOWEST) -> Part:
        """Read an operand and all operators behind it that bind tighter than ``level``."""
        part = self.prefixed(level)
        while (tightness := LEVELS.get(self.token.text, Level.LOWEST)) > level:
            part = self.infix(part, tightness)
        return part

    def prefixed(self, level: int) -> Part:
        """Read an operand with the sign or the ``not`` before it, which must bind tighter than what stands before."""
        sign = self.token
        tightness = PREFIXES.get(sign.text)
        if tightness is None:
            return self.postfixed()
        if tightness <= level:
            raise missing_value(self.before, self.token)
        self.take()
        operand = self.expression(tightness)
        operation = negate if sign.text == "-" else inverse
        return applied(operation, sign.place, [operand], spanning(sign.place, operand.place))

    def infix(self, left: Part, level: int) -> Part:
        """Read an operator and what stands behind it."""
        if level == Level.IF:
            return self.conditional(left)
        if level == Level.COMPARISON:
            return self.comparison(left)
        sign = self.take()
        right = self.expression(Level.PRODUCT if level == Level.POWER else level)  # a power's exponent may have a sign
        place = spanning(left.place, right.place)
        if level in (Level.AND, Level.OR):
            return logical(sign.text, sign.place, left, right, place)
        return applied(BINARY[sign.text], sign.place, [left, right], place)

    def comparison(self, left: Part) -> Part:
        """Read ``{(== != < <= > >=) sum}``, a chain."""
        operands, comparisons, signs = [left], [], []
        while self.token.text in COMPARISONS:
            sign = self.take()
            comparisons.append(COMPARISONS[sign.text])
            signs.append(sign.place)
            operands.append(self.expression(Level.COMPARISON))
        return compared(comparisons, signs, operands, spanning(left.place, operands[-1].place))

    def conditional(self, then: Part) -> Part:
        """Read ``if or else expr``."""
        start = self.take()
        condition = self.expression(Level.IF)
        if self.token.text in ("if", ",", ")", "]", ""):
            raise no_else(start)
        if self.token.text != "else":
            raise unexpected(self.token, self.text)
        self.take()
        otherwise = self.expression()
        return chosen(then, condition, otherwise, spanning(then.place, otherwise.place))

    def postfixed(self) -> Part:
        """Read an atom and the indices behind it."""
        part = self.atom()
        while self.token.text in BRACKETS:
            opening = self.take()
            index = self.expression()
            if self.token.text == ",":
                raise no_function(self.text[slice(*part.place)], part.place)
            place = (part.place[0], self.closing(opening).end)
            part = applied(element, place, [part, index], place)
        return part

    def atom(self) -> Part:
        """Read a number, a word, a list, or an expression in parentheses."""
        token = self.token
        if token.kind == NAME and token.text not in OPERATORS:
            return self.word()
        if token.kind == NUMBER:
            self.take()
            return constant(placed(lambda: literal(token.text), token.place), token.place)
        if token.text == "[":
            elements, place = self.elements(self.take())
            return listed(elements, place)
        if token.text == "(":
            self.take()
            inner = self.expression()
            return Part(inner.run, (token.start, self.closing(token).end))
        raise missing_value(self.before, self.token)

    def word(self) -> Part:
        """Read a word: a boolean, a function, a symbol, else a variable."""
        token = self.take()
        name = token.text
        if name in BOOLEANS:
            return constant(BOOLEANS[name], token.place)
        if name in FUNCTIONS:
            return self.call(token)
        if name in SYMBOLS:
            return constant(Symbol(name), token.place)
        if is_misspelt_boolean(name):
            raise unknown_name(name, token.place)
        self.names.append((name, token.start, token.end))
        return variable(name, token.place)

    def call(self, name: Token) -> Part:
        """Read the arguments of a function."""
        function = FUNCTIONS[name.text]
        if self.token.text != "(":
            raise ExpressionError(CALL, f"'{name.text}' is a function: write {function.signature}", *name.place)
        arguments, (_, end) = self.elements(self.take())
        place = (name.start, end)
        placed(lambda: function.require_count(len(arguments)), place)
        return applied(function, place, arguments, place)

    def elements(self, opening: Token) -> tuple[list[Part], Place]:
        """Read expressions between commas up to the closing bracket; return them and the place of the whole."""
        elements = []
        if self.token.text != BRACKETS[opening.text]:
            elements.append(self.expression())
            while self.token.text == ",":
                self.take()
                elements.append(self.expression())
        return elements, (opening.start, self.closing(opening).end)

    def closing(self, opening: Token) -> Token:
        """Read the bracket that closes another."""
        if self.token.text != BRACKETS[opening.text]:
            raise unexpected(self.token, self.text)
        return self.take()

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.at]

    @property
    def before(self) -> Token | None:
        """The token that was read last."""
        return self.tokens[self.at - 1] if self.at else None

    def take(self) -> Token:
        """Read a token."""
        self.at += 1
        return self.tokens[self.at - 1]


def spanning(first: Place, last: Place) -> Place:
    return first[0], last[1]
