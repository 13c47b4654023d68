"""Tokens → compiled parts: a Pratt parser for the grammar of expressions.

Every operator has a level; an operand reaches as far as operators bind tighter than the one it is read for::

    expr := or [if or else expr] ; or := and {or and} ; and := not {and not} ; not := [not] cmp
    cmp := sum {(== != < <= > >=) sum} ; sum := term {(+ -) term} ; term := unary {(* / // %) unary}
    unary := [-] power ; power := atom [** unary]
    atom := INT | DECIMAL | true | false | NAME | NAME(expr, …) | atom[expr] | atom(expr) | [expr, …] | (expr)
"""

from __future__ import annotations

from collections.abc import Container

from convcalc.spec.expressions import closures, messages
from convcalc.spec.expressions.closures import Compiled, Name
from convcalc.spec.expressions.errors import E_SYNTAX, ExpressionError, TextRange, locate_errors
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.lexer import BRACKETS, END, NAME, NUMBER, Token, tokenize
from convcalc.spec.expressions.operators import (
    BINARY,
    COMPARISONS,
    INFIX_PRECEDENCE,
    OPERATORS,
    PREFIX_PRECEDENCE,
    Precedence,
    logical_not,
    negate,
)
from convcalc.spec.expressions.values import Keyword, parse_number

BOOLEANS = {"true": True, "false": False}


class Parser:
    """Reads one expression; ``names`` fills with its names as they are met. Those that begin at ``words`` are words."""

    def __init__(self, text: str, words: Container[int] = (), *, suffixed: bool = False) -> None:
        self.text = text
        self.words = words
        self.tokens = tokenize(text, suffixed=suffixed)
        self.position = 0
        self.names: list[Name] = []

    def parse(self) -> Compiled:
        """Read the whole text as one expression."""
        part = self.parse_expression()
        if self.token.kind != END:
            raise messages.unexpected_token(self.token, self.text)
        return part

    def parse_expression(self, level: int = Precedence.LOWEST) -> Compiled:
        """Read an operand and all operators behind it that bind tighter than ``level``."""
        part = self.parse_prefix(level)
        while (tightness := INFIX_PRECEDENCE.get(self.token.text, Precedence.LOWEST)) > level:
            part = self.parse_infix(part, tightness)
        return part

    def parse_prefix(self, level: int) -> Compiled:
        """Read an operand with the sign or the ``not`` before it, which must bind tighter than what stands before."""
        sign = self.token
        tightness = PREFIX_PRECEDENCE.get(sign.text)
        if tightness is None:
            return self.parse_postfix()
        if tightness <= level:
            raise messages.missing_value(self.previous, self.token)
        self.take()
        operand = self.parse_expression(tightness)
        operation = negate if sign.text == "-" else logical_not
        return closures.compile_call(operation, sign.place, [operand], spanning(sign.place, operand.place))

    def parse_infix(self, left: Compiled, level: int) -> Compiled:
        """Read an operator and what stands behind it."""
        if level == Precedence.IF:
            return self.parse_conditional(left)
        if level == Precedence.COMPARISON:
            return self.parse_comparison(left)
        sign = self.take()
        exponent_level = Precedence.PRODUCT  # it may have a sign
        right = self.parse_expression(exponent_level if level == Precedence.POWER else level)
        place = spanning(left.place, right.place)
        if level in (Precedence.AND, Precedence.OR):
            return closures.compile_logical(sign.text, sign.place, left, right, place)
        return closures.compile_call(BINARY[sign.text], sign.place, [left, right], place)

    def parse_comparison(self, left: Compiled) -> Compiled:
        """Read ``{(== != < <= > >=) sum}``, a chain."""
        operands, comparisons, signs = [left], [], []
        while self.token.text in COMPARISONS:
            sign = self.take()
            comparisons.append(COMPARISONS[sign.text])
            signs.append(sign.place)
            operands.append(self.parse_expression(Precedence.COMPARISON))
        return closures.compile_comparison(comparisons, signs, operands, spanning(left.place, operands[-1].place))

    def parse_conditional(self, then: Compiled) -> Compiled:
        """Read ``if or else expr``."""
        start = self.take()
        condition = self.parse_expression(Precedence.IF)
        if self.token.text in ("if", ",", ")", "]", ""):
            raise ExpressionError(E_SYNTAX, "'if' without 'else'", *start.place, messages.CONDITIONAL)
        if self.token.text != "else":
            raise messages.unexpected_token(self.token, self.text)
        self.take()
        otherwise = self.parse_expression()
        return closures.compile_conditional(then, condition, otherwise, spanning(then.place, otherwise.place))

    def parse_postfix(self) -> Compiled:
        """Read an atom and the indices behind it."""
        part = self.parse_atom()
        while self.token.text in BRACKETS:
            opening = self.take()
            index = self.parse_expression()
            if self.token.text == ",":
                raise messages.not_a_function(self.text[slice(*part.place)], part.place)
            place = (part.place[0], self.parse_closing(opening).end)
            part = closures.compile_index(part, index, place)
        return part

    def parse_atom(self) -> Compiled:
        """Read a number, a word, a list, or an expression in parentheses."""
        token = self.token
        if token.kind == NAME and token.text not in OPERATORS:
            return self.parse_word()
        if token.kind == NUMBER:
            self.take()
            return closures.compile_constant(locate_errors(lambda: parse_number(token.text), token.place), token.place)
        if token.text == "[":
            elements, place = self.parse_elements(self.take())
            return closures.compile_list(elements, place)
        if token.text == "(":
            self.take()
            inner = self.parse_expression()
            return Compiled(inner.run, (token.start, self.parse_closing(token).end), inner.values)
        raise messages.missing_value(self.previous, self.token)

    def parse_word(self) -> Compiled:
        """Read a word: a boolean, a function that is called, else a name."""
        token = self.take()
        name = Name(token.text, *token.place)
        if name.text in BOOLEANS:
            return closures.compile_constant(BOOLEANS[name.text], token.place)
        if name.text in FUNCTIONS and self.token.text == "(":
            return self.parse_call(token)
        if name.text in FUNCTIONS and self.token.kind in (NAME, NUMBER) and self.token.text not in OPERATORS:
            raise messages.uncalled(*name)
        if messages.is_misspelt_boolean(name.text):
            raise messages.unknown_name(name.text, token.place)
        self.names.append(name)
        if name.start in self.words:
            return closures.compile_constant(Keyword(name.text), token.place)
        return closures.compile_variable(name)

    def parse_call(self, name: Token) -> Compiled:
        """Read the arguments of a function."""
        function = FUNCTIONS[name.text]
        arguments, (_, end) = self.parse_elements(self.take())
        place = (name.start, end)
        locate_errors(lambda: function.require_count(len(arguments)), place)
        return closures.compile_call(function, place, arguments, place)

    def parse_elements(self, opening: Token) -> tuple[list[Compiled], TextRange]:
        """Read expressions between commas up to the closing bracket; return them and the place of the whole."""
        elements = []
        if self.token.text != BRACKETS[opening.text]:
            elements.append(self.parse_expression())
            while self.token.text == ",":
                self.take()
                elements.append(self.parse_expression())
        return elements, (opening.start, self.parse_closing(opening).end)

    def parse_closing(self, opening: Token) -> Token:
        """Read the bracket that closes another."""
        if self.token.text != BRACKETS[opening.text]:
            raise messages.unexpected_token(self.token, self.text)
        return self.take()

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.position]

    @property
    def previous(self) -> Token | None:
        """The token that was read last."""
        return self.tokens[self.position - 1] if self.position else None

    def take(self) -> Token:
        """Read a token."""
        self.position += 1
        return self.tokens[self.position - 1]


def spanning(first: TextRange, last: TextRange) -> TextRange:
    return first[0], last[1]
