"""Expressions: what they mean, what is refused and where, and that all kinds of number agree."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from convcalc.arith.symbols import symbol
from convcalc.errors import Undecided
from convcalc.spec.expressions.errors import ExpressionError
from convcalc.spec.expressions.expression import parse
from convcalc.spec.expressions.functions import FUNCTIONS
from convcalc.spec.expressions.messages import reserved_reason
from convcalc.spec.expressions.values import Keyword
from convcalc.spec.expressions.vocabulary import KEYWORDS
from tests.work import limited_work

SCOPE: Mapping[str, Any] = {
    "c": 3,
    "width": 64,
    "alpha": Fraction(3, 4),
    "mobile": True,
    "act": Keyword("silu"),
    "dims": (4, 5, 6),
    "tables": ((1, 2), (3, 4)),
    "größe": 7,
}


def evaluate(text: str, **scope: Any) -> Any:
    scope = scope or dict(SCOPE)
    return parse(text, scope).evaluate(scope)


def error_of(text: str, **scope: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, **scope)
    return caught.value


# --- meaning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("010", 10),
        (" \t64\n", 64),
        ("1e9", 1000000000),
        ("1.5e6", 1500000),
        ("1E-3", Fraction(1, 1000)),
        ("2e+2", 200),
        ("1.50", Fraction(3, 2)),
        ("0.33*3", Fraction(99, 100)),
        ("64/2", 32),
        ("64/3", Fraction(64, 3)),
        ("0.5 + 0.5", 1),
        ("-2**2", -4),
        ("(-2)**2", 4),
        ("2**-1", Fraction(1, 2)),
        ("2**3**2", 512),
        ("2**-1**2", Fraction(1, 2)),
        ("0**0", 1),
        ("4*-2", -8),
        ("4 - -2", 6),
        ("10 - 4 - 3", 3),
        ("2 + 3*4", 14),
        ("100//7//2", 7),
        ("100/10/5", 2),
        ("-7//2", -4),
        ("7//-2", -4),
        ("-7 % 3", 2),
        ("7 % -3", -2),
        ("7/2 // 1", 3),
        ("5/2 % 1", Fraction(1, 2)),
        ("c*width", 192),
        ("width*alpha", 48),
        ("größe", 7),
        ("gro\u0308ße", 7),  # not composed, as some editors write it
    ],
)
def test_arithmetic_is_exact(text: str, value: object) -> None:
    result = evaluate(text)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("not mobile", False),
        ("1 < 2 < 3", True),
        ("1 < 3 > 2", True),
        ("3 > 2 > 2", False),
        ("1 == 1 == 1", True),
        ("not 1 == 2", True),
        ("1 < 2 and 2 < 1 or true", True),
        ("true or false and false", True),
        ("not true or true", True),
        ("c != 3 or width == 64", True),
        ("false and nowhere", False),
        ("true or 1//0 > 1", True),
        ("3 < 2 < 1//0", False),
        ("true == true", True),
        ("1 == true", False),
        ("0 != false", True),
        ("relu == 1", False),
        ("relu == relu", True),
        ("act == silu", True),
        ("act != silu", False),
        ("1/2 == 0.5", True),
        ("[1, 2] == [1, 2]", True),
        ("[1, 2] == [1]", False),
        ("[1] == [true]", False),
        ("[[1], relu] == [[1], relu]", True),
        ("[1] == 1", False),
        ("tables != tables", False),
    ],
)
def test_truth(text: str, value: bool) -> None:
    assert evaluate(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("relu6 if mobile else relu", "relu6"),
        ("1 if false else 2 if false else 3", 3),
        ("1 if not mobile else 1//0 if false else 4", 4),
        ("1 + 1 if mobile else 5", 2),
        ("[1, relu, [true]]", (1, "relu", (True,))),
        ("[]", ()),
        ("dims(0)", 4),
        ("dims[2]", 6),
        ("dims(-1)", 6),
        ("dims(c - 2)", 5),
        ("tables(1)[0]", 3),
        ("[7, 8][1]", 8),
        ("-dims(0)**2", -16),
        ("global", "global"),
    ],
)
def test_choices_and_lists(text: str, value: object) -> None:
    assert evaluate(text) == value


def test_a_symbol_is_a_word_with_a_type_of_its_own() -> None:
    assert type(evaluate("relu")) is Keyword
    assert evaluate("relu") == "relu"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ceil(7/2)", 4),
        ("ceil(-7/2)", -3),
        ("floor(-7/2)", -4),
        ("floor(3)", 3),
        ("round(5/2)", 2),
        ("round(7/2)", 4),
        ("round(-5/2)", -2),
        ("round(2.51)", 3),
        ("int(7/2)", 3),
        ("int(-7/2)", -3),
        ("abs(-3/2)", Fraction(3, 2)),
        ("min(3, 1/2, 2)", Fraction(1, 2)),
        ("max([3, 5, 4])", 5),
        ("max([1])", 1),
        ("sum([1, 2, 3])", 6),
        ("sum(1/2, 1/2)", 1),
        ("sum([])", 0),
        ("len(dims)", 3),
        ("range(3)", (0, 1, 2)),
        ("range(1, 3)", (1, 2)),
        ("range(5, 0, -2)", (5, 3, 1)),
        ("range(2, 2)", ()),
        ("sqrt(16)", 4),
        ("sqrt(9/4)", Fraction(3, 2)),
        ("sqrt(0)", 0),
        ("log2(1024)", 10),
        ("log2(1/8)", -3),
        ("make_divisible(32*0.75)", 24),
        ("make_divisible(33)", 32),  # 32 is above 0.9·33 = 29.7
        ("make_divisible(10)", 16),  # 8 is below 9
        ("make_divisible(80/9)", 8),  # 8 is 0.9·80/9, not below it
        ("make_divisible(4)", 8),
        ("make_divisible(3, 8, 0)", 8),  # 0 is below 2.7
        ("make_divisible(3, 4, 16)", 16),
        ("make_divisible(20, 16)", 32),  # 16 is below 18
        ("make_divisible(1280*1.4)", 1792),
        ("round_up(33)", 40),
        ("round_up(64*0.25)", 16),
        ("round_up(5/2, 2)", 4),
        ("round_up(-9, 4)", -8),
    ],
)
def test_functions(text: str, value: object) -> None:
    assert evaluate(text) == value


def test_an_irrational_result_has_thirty_decimals() -> None:
    # √2 = 1.414213562373095048801688724209 698…; √10 = 3.162277660168379331998893544432 718…
    # log₂ 3 = 1.584962500721156181453738943947 816…
    assert evaluate("sqrt(2)") == Fraction("1.414213562373095048801688724210")
    assert evaluate("sqrt(10)") == Fraction("3.162277660168379331998893544433")
    assert evaluate("log2(3)") == Fraction("1.584962500721156181453738943948")


def test_arithmetic_with_rounded_numbers_is_rounded_and_only_their_size_is_limited() -> None:
    assert evaluate("round(sqrt(2)*10**17)") == 141421356237309505
    assert evaluate("sqrt(2)/3") == Fraction("0.471404520791031682933896241403")
    assert evaluate("sqrt(2) - sqrt(2)") == 0
    assert evaluate("sqrt(2)*10**17*2 + 1 > 0") is True
    assert error_of("sqrt(2)*10**18").code == "CC304"


def test_names_are_the_variables_with_their_places() -> None:
    expression = parse("max(dims(j - 1), relu) if first else j + gro\u0308ße")
    names = (("dims", 4, 8), ("j", 9, 10), ("first", 26, 31), ("j", 37, 38), ("größe", 41, 47))
    assert expression.names == names
    assert parse("4*8 if true else relu").names == ()


def test_the_limits_are_inclusive() -> None:
    assert evaluate("10**18") == -evaluate("-10**18") == 10**18
    assert evaluate("1/10**18") == evaluate("1e-18") == Fraction(1, 10**18)
    assert evaluate("0e64") == 0
    assert evaluate("1**64") == 1
    assert evaluate("(" * 64 + "7" + ")" * 64) == 7
    assert len(evaluate("range(10000)")) == 10000
    assert evaluate("1" + " " * 499) == 1


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        # what is blamed stands between « and »
        ("«»", "CC301", "an expression is missing"),
        ("«  »", "CC301", "an expression is missing"),
        ("3 «4»", "CC301", "an operator is missing before '4'"),
        ("c «width»", "CC301", "an operator is missing before 'width'"),
        ("c «not» width", "CC301", "an operator is missing before 'not'"),
        ("width«,»", "CC301", "an expression is one value, and ',' begins another"),
        ("(1«,» 2)", "CC301", "an expression is one value"),
        ("3 «+»", "CC301", "a value is missing after '+'"),
        ("c «and»", "CC301", "a value is missing after 'and'"),
        ("«*»w", "CC301", "a value is missing before '*'"),
        ("3 + «*» 4", "CC301", "two operators in a row: '+' and '*'"),
        ("1 <«>» 2", "CC301", "two operators in a row: '<' and '>'"),
        ("-«-»2", "CC301", "two operators in a row: '-' and '-'"),
        ("2**-«-»2", "CC301", "two operators in a row: '-' and '-'"),
        ("not «not» true", "CC301", "two operators in a row: 'not' and 'not'"),
        ("1 == «not» true", "CC301", "two operators in a row: '==' and 'not'"),
        ("«+»5", "CC301", "a value has no sign '+'"),
        ("(«)»", "CC301", "a value is missing before ')'"),
        ("[1,«,»2]", "CC301", "a value is missing before ','"),
        ("[1,«]»", "CC301", "a value is missing before ']'"),
        ("dims(«)»", "CC301", "a value is missing before ')'"),
        ("1 «if» c", "CC301", "'if' without 'else'"),
        ("(1 «if» c)", "CC301", "'if' without 'else'"),
        ("1 if true «3» else 4", "CC301", "an operator is missing before '3'"),
        ("1 «else» 2", "CC301", "'else' without 'if'"),
        ("«if» c", "CC301", "a value is missing before 'if'"),
        ("«make_divisible(width»", "CC302", "unbalanced parenthesis in 'make_divisible(width': inside { } or [ ]"),
        ("«dims[0»", "CC302", "unbalanced bracket in 'dims[0': '[' is never closed"),
        ("8«)»", "CC302", "unbalanced parenthesis in '8)': ')' closes nothing"),
        ("1«]» + 2", "CC302", "unbalanced bracket in '1] + 2': ']' closes nothing"),
        ("(1«]»", "CC302", "']' cannot close '('"),
        ("c «=» 3", "CC303", "unknown character '='"),
        ("c «&»& c", "CC303", "unknown character '&'"),
        ("c «|» c", "CC303", "unknown character '|'"),
        ("«~»", "CC303", "unknown character '~'"),
        ("«'»relu'", "CC303", "unknown character '''"),
        ("1«:»30", "CC303", "unknown character ':'"),
        ("c«×»2", "CC303", "unknown character '×' (U+00D7)"),
        ("c«²»", "CC303", "unknown character '²' (U+00B2)"),
        ("3«\u00a0»", "CC303", "(U+00A0)"),
        ("3«\x07»", "CC303", "unknown character '\\x07'"),
        ("«\ud800»", "CC303", "unknown character '\\ud800'"),
        ("«0x10»", "CC303", "'0x10' is not a number: only decimal digits are read"),
        ("«1_000»", "CC303", "'1_000' is not a number: digits are not grouped"),
        ("2 * «5.»", "CC303", "'5.' is not a number: a decimal has a digit on both sides"),
        ("«.5»", "CC303", "'.5' is not a number: a decimal has a digit on both sides"),
        ("«.inf»", "CC303", "'.inf' is not a number: expressions are finite"),
        ("«1e»", "CC303", "its exponent has no digits"),
        ("«1.2.3»", "CC303", "'1.2.3' is not a number"),
        ("«3c» + 1", "CC303", "'3c' is not a number: no letter may follow its digits"),
        ("«stage1.conv2» + 1", "CC303", "'stage1.conv2' has a dot"),
        ("«é\u0316»", "CC303", "is not a name"),
        ("«" + "1" * 501 + "»", "CC304", "the expression has 501 characters; the limit is 500"),
        ("(" * 64 + "«(»1" + ")" * 65, "CC304", "nested deeper than 64"),
        ("2 * «1e65»", "CC304", "the exponent of '1e65' is beyond 64"),
        ("«1e-99999999999999999999»", "CC304", "is beyond 64"),
        ("«1e19»", "CC304", "'1e19' is beyond the limit of expressions: 10^18"),
        ("«1e-19»", "CC304", "10^18, or 18 decimals"),
        ("10**18 «+» 1", "CC304", "the result is beyond 10^18"),
        ("1/10**18 «/» 2", "CC304", "numerator or denominator of the result is beyond 10^18"),
        ("9«**»64", "CC304", "the result is beyond 10^18"),
        ("9**64«**»64", "CC304", "the result is beyond 10^18"),
        ("2**«2**7»", "CC304", "the exponent 128 is beyond 64"),
        ("1 + «range(10001)»", "CC304", "longer than 10000 elements"),
        ("«range(10**18)»", "CC304", "longer than 10000 elements"),
        ("«widht»*2", "CC305", "unknown name 'widht'; did you mean 'width'?"),
        ("1 + «reelu»", "CC305", "unknown name 'reelu'; did you mean 'relu'?"),
        ("«True»", "CC305", "unknown name 'True'; did you mean 'true'?"),
        ("not «FALSE»", "CC305", "unknown name 'FALSE'; did you mean 'false'?"),
        ("«yes»", "CC305", "unknown name 'yes'; did you mean 'true'?"),
        ("«true» + 1", "CC306", "'+' needs numbers, not the boolean true"),
        ("1 - «relu»", "CC306", "'-' needs numbers, not the word 'relu'"),
        ("-«[1]»", "CC306", "'-' needs numbers, not a list of 1"),
        ("1 < «same»", "CC306", "'<' needs numbers, not the word 'same'"),
        ("«true» >= 1", "CC306", "'>=' needs numbers, not the boolean true"),
        ("true and «1»", "CC306", "'and' needs booleans, not the number 1"),
        ("«dims» or true", "CC306", "'or' needs booleans, not a list of 3"),
        ("not «0»", "CC306", "'not' needs booleans, not the number 0"),
        ("1 if «c» else 2", "CC306", "'if' needs booleans, not the number 3"),
        ("2**«(1/2)»", "CC306", "an exponent must be an integer, not 1/2"),
        ("1«/»0", "CC307", "division by zero"),
        ("c «//» (c - 3)", "CC307", "division by zero"),
        ("1/2 «%» 0", "CC307", "division by zero"),
        ("0«**»-1", "CC307", "division by zero"),
        ("«ceil» + 1", "CC308", "'ceil' is a function: write ceil(x)"),
        ("«ceil()»", "CC308", "ceil(x) takes 1 argument, not 0"),
        ("1 + «round(5, 2)»", "CC308", "round(x) takes 1 argument, not 2"),
        ("«make_divisible(1, 2, 3, 4)»", "CC308", "make_divisible(x, d=8, min=d) takes 1 to 3 arguments, not 4"),
        ("«min()»", "CC308", "min(x, y, …) takes at least 1 argument, not 0"),
        ("make_divisible(c, «0»)", "CC308", "make_divisible(x, d=8, min=d) needs an integer > 0, not the number 0"),
        ("round_up(c, «1/2»)", "CC308", "round_up(x, m=8) needs an integer > 0, not the number 1/2"),
        ("floor(«true»)", "CC308", "floor(x) needs a number, not the boolean true"),
        ("len(«3»)", "CC308", "len(list) needs a list, not the number 3"),
        ("sqrt(«-1»)", "CC308", "sqrt(x) needs a number >= 0, not the number -1"),
        ("log2(«0»)", "CC308", "log2(x) needs a number > 0, not the number 0"),
        ("min(«[]»)", "CC308", "min(x, y, …) of an empty list has no value"),
        ("max(«3»)", "CC308", "max(x, y, …) needs a list or more arguments than the number 3"),
        ("sum(1, «relu»)", "CC308", "sum(x, y, …) needs numbers, not the word 'relu'"),
        ("range(«1.5»)", "CC308", "needs an integer, not the number 3/2"),
        ("range(1, 2, «0»)", "CC308", "must not be 0"),
        ("«make_divisble»(c, 8)", "CC308", "'make_divisble' is not a function; did you mean 'make_divisible'?"),
        ("«dims»(1, 2)", "CC308", "'dims' is not a function, and a list takes one index"),
        ("dims(«3»)", "CC309", "index 3 is outside a list of 3: 0 to 2, or -3 to -1"),
        ("dims[«-4»]", "CC309", "index -4 is outside a list of 3"),
        ("[](«0»)", "CC309", "index 0 is outside a list of 0"),
        ("dims(«1/2»)", "CC309", "an index must be an integer, not the number 1/2"),
        ("dims(«true»)", "CC309", "an index must be an integer, not the boolean true"),
        ("«c»(1)", "CC309", "only a list has elements, not the number 3"),
        ("«relu»[0]", "CC309", "only a list has elements, not the word 'relu'"),
    ],
)
def test_what_is_refused_and_where(text: str, code: str, says: str) -> None:
    before, _, rest = text.partition("«")
    blamed, _, after = rest.partition("»")
    error = error_of(before + blamed + after)
    assert (error.code, error.start, error.end) == (code, len(before), len(before) + len(blamed))
    assert says in error.text
    assert str(error) == error.text


def test_a_comma_that_cut_an_expression_is_explained() -> None:
    trap = "inside { } or [ ] a comma ends a value; quote the expression"
    error = error_of("make_divisible(width")
    assert (error.text, error.start, error.end) == (f"unbalanced parenthesis in 'make_divisible(width': {trap}", 0, 20)
    assert error_of(" 8)").hint == trap


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("c = 3", "write == to compare"),
        ("c²", "write **2"),
        ("3c", "write 3*c"),
        (".5", "write 0.5"),
        ("5.", "write 5.0"),
        ("'relu'", "words stand without quotes"),
        ("1 if c", "write a if condition else b"),
        ("not c", "a comparison such as x != 0 is a boolean"),
        ("c(2)", "to multiply, write *"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    assert error_of(text).hint == hint


def test_an_unknown_name_is_only_an_error_where_it_is_read() -> None:
    assert parse("wdth if false else 1").evaluate({}) == 1
    error = error_of("2*wdth", width=3)
    assert (error.code, error.text) == ("CC305", "unknown name 'wdth'; did you mean 'width'?")


def test_lists_that_share_parts_do_not_take_for_ever() -> None:
    one: tuple[Any, ...] = (1, Keyword("relu"))
    other: tuple[Any, ...] = (1, Keyword("relu"))
    for _ in range(64):
        one, other = (one, one), (other, other)
    assert error_of("a == b", a=one, b=other).code == "CC304"


def test_nothing_takes_long() -> None:
    texts = [
        "9**64**64**64",
        "sum(range(10000))+" * 27 + "1",
        "range(10000) == range(10000) and " * 15 + "true",
        "log2(3)*" * 60 + "1",
        "1+" * 249 + "1",
        "1**" * 166 + "1",
        "1+1*-1**(" * 45 + "1" + ")" * 45,
        "(" * 500,
        "-" * 500,
        "x" * 500,
    ]
    for text in texts:
        with limited_work(1_000_000), suppress(ExpressionError):
            parse(text).evaluate({})


# --- words ------------------------------------------------------------------------------------------------------------


def test_reserved_words_give_their_reason_and_a_better_name() -> None:
    assert reserved_reason("range") == "'range' is a function; call it span"
    assert reserved_reason("if") == "'if' is a keyword; call it condition"
    assert reserved_reason("cin") == "'cin' always describes the tensor entering the item; call it in_channels"
    assert reserved_reason("True") == "'True' is a misspelt boolean; call it enabled"


@pytest.mark.parametrize("word", sorted({*FUNCTIONS, *KEYWORDS, "cin", "din", "shape", "True", "FALSE"}))
def test_the_better_name_is_free(word: str) -> None:
    better = reserved_reason(word).rpartition(" ")[2]
    assert better.isidentifier()
    assert reserved_reason(better) == ""
    assert parse(better).names == ((better, 0, len(better)),)


@pytest.mark.parametrize("name", ["i", "first", "last", "width", "act", "n", "w", "größe", "dims"])
def test_other_names_are_free(name: str) -> None:
    assert reserved_reason(name) == ""


def test_every_function_says_what_it_does() -> None:
    for name, function in FUNCTIONS.items():
        assert function.signature.startswith(f"{name}(")
        assert function.summary


# --- numbers that are not yet numbers ---------------------------------------------------------------------------------

UNKNOWN = [
    "3*n + m - 1",
    "n*alpha*4",
    "n/4*8",
    "n // 3",
    "(n*alpha) // 5",
    "n % 7",
    "(n/2) % 1 * 2",
    "n**3 + n**0",
    "floor((n/2)**2)",
    "ceil(n**-1)",
    "ceil(10*m**-2)",
    "floor(n/m + 1/2)",
    "n // n + round(n)",
    "100 // n",
    "ceil(n/2)",
    "ceil(n/m)",
    "ceil(n/2 + 1/3)",
    "floor(n*alpha)",
    "int(n*0.33)",
    "round(n/2)",
    "round(n/6)",
    "round(n*alpha)",
    "round(n/m)",
    "ceil(10/(n/m))",
    "round_up(n*0.25)",
    "round_up(7, n)",
    "make_divisible(n)",
    "make_divisible(n*alpha)",
    "make_divisible(n*1.4, 8, 16)",
    "make_divisible(make_divisible(n)/4)",
    "make_divisible(100, n)",
    "max(n, m, 8)",
    "min([n, 8])",
    "abs(n - 20)",
    "sum([n, m, 1])",
    "-n + 2",
]


@pytest.mark.parametrize("text", UNKNOWN)
@given(rows=st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 200)), min_size=1, max_size=8))
def test_arrays_give_what_their_elements_give(text: str, rows: list[tuple[int, int]]) -> None:
    n, m = np.array(rows, dtype=np.int64).T
    wanted = [evaluate(text, n=one, m=other, alpha=Fraction(3, 4)) for one, other in rows]
    assert evaluate(text, n=n, m=m, alpha=Fraction(3, 4)).tolist() == wanted


@pytest.mark.parametrize("text", UNKNOWN)
def test_symbolic_expressions_give_what_numbers_give(text: str) -> None:
    n, m = symbol("n"), symbol("m")
    formula = evaluate(text, n=n, m=m, alpha=Fraction(3, 4))
    for one, other in [(1, 1), (4, 3), (10, 4), (15, 2), (33, 7), (1280, 96)]:
        wanted = evaluate(text, n=one, m=other, alpha=Fraction(3, 4))
        assert sympy.sympify(formula).subs({n: one, m: other}) == wanted


@pytest.mark.parametrize("text", ["n == 8", "n != 8", "n < 8", "n <= 8", "8 > n", "n/2 >= 4", "n < m", "7/n < 1/2"])
def test_relations_of_arrays_are_arrays(text: str) -> None:
    values = [1, 7, 8, 9, 33]
    wanted = [evaluate(text, n=value, m=9) for value in values]
    assert evaluate(text, n=np.array(values), m=9).tolist() == wanted


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("1 if n > 2 else 3", "a condition"),
        ("n > 2 and true", "a condition"),
        ("not n > 2", "a condition"),
        ("1 < n < 9", "a condition"),
        ("(n > 2) == true", "a condition"),
        ("[n] == [8]", "a condition"),
        ("n/2", "a division"),
        ("n + 1/2", "a division"),
        ("[n/2]", "a division"),
        ("max(n/2, 1)", "a division"),
        ("2**n", "an exponent"),
        ("dims(n)", "an index"),
        ("range(n)", "a range"),
        ("sqrt(n)", "a square root"),
        ("log2(n)", "a logarithm"),
        ("ceil(n*sqrt(2))", "what an irrational number is multiplied with"),
    ],
)
@pytest.mark.parametrize("n", [np.array([7, 8]), symbol("n")], ids=["array", "symbolic"])
def test_what_needs_a_plain_value_names_the_variable(text: str, needed: str, n: object) -> None:
    with pytest.raises(Undecided) as caught:
        evaluate(text, n=n, dims=(1, 2))
    assert (caught.value.requirement, caught.value.names) == (needed, ("n",))


@pytest.mark.parametrize(
    "text", ["n*10**18", "n + 10**18", "n**20", "5 // (n - 7)", "5 // (7 - n)", "int(-n/2)", "int(-7/n)"]
)
def test_arrays_that_might_overflow_or_break_a_rule_are_left_to_plain_numbers(text: str) -> None:
    with pytest.raises(Undecided):
        evaluate(text, n=np.array([7, 8]))


@pytest.mark.parametrize("n", [np.array([7, 8]), symbol("n")], ids=["array", "symbolic"])
def test_unknown_numbers_are_numbers(n: object) -> None:
    assert evaluate("n == relu", n=n) is False
    assert evaluate("n != relu", n=n) is True
    assert error_of("(n > 2) + 1", n=n).code == "CC306"
    assert error_of("n and true", n=n).code == "CC306"
    assert error_of("n // 0", n=n).code == "CC307"
    assert error_of("n(0)", n=n).code == "CC309"


def test_a_negative_symbolic_expression_has_no_integer_part_yet() -> None:
    with pytest.raises(Undecided):
        evaluate("int(-n/2)", n=symbol("n"))


def test_a_scope_holds_nothing_but_values() -> None:
    with pytest.raises(TypeError, match="no values of type float"):
        evaluate("n + 1", n=1.5)


def test_symbols_that_cancel_leave_a_number() -> None:
    n = symbol("n")
    assert [evaluate(text, n=n) for text in ("n - n + 2", "n // n", "n**0", "range(n // n)")] == [2, 1, 1, (0,)]
    assert evaluate("n/2 - n/2 + 1/3", n=n) == Fraction(1, 3)
    assert error_of("1 // (n - n)", n=n).code == "CC307"


# --- properties -------------------------------------------------------------------------------------------------------

WORDS = sorted({*FUNCTIONS, *KEYWORDS, "relu", "c", "dims", "array", "letter", "nowhere"})
SIGNS = [*"+-*/%<>()[],.=!", "**", "//", "==", "!=", "<=", ">=", "0", "1", "64", "0.5", "1e9", "10**18", " "]
SCRAMBLED = st.lists(st.sampled_from([*WORDS, *SIGNS]), max_size=25).map(" ".join)


def outcome(text: str, scope: Mapping[str, Any]) -> Any:
    """The value of an expression, or what it raised."""
    try:
        return parse(text, scope).evaluate(scope)
    except (ExpressionError, Undecided) as error:
        return error


@given(st.one_of(st.text(max_size=60), st.text("()[]1+-*/.,e ", max_size=80), SCRAMBLED))
def test_no_text_does_more_than_give_a_value_or_a_placed_error(text: str) -> None:
    result = outcome(text, {**SCOPE, "array": np.array([1, 2, 9]), "letter": symbol("n")})
    if isinstance(result, ExpressionError):
        assert 0 <= result.start <= result.end <= len(text)
        assert result.text
        assert result.code in {f"CC30{digit}" for digit in range(1, 10)}
    if isinstance(result, Undecided):
        assert result.names


class Refused(Exception):
    """Python's grammar and Fraction gave nothing that an expression may be."""


OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def by_python(node: ast.expr, text: str) -> Fraction:
    """Evaluate arithmetic with Python's own grammar, in Fractions, within the limits of expressions."""
    if isinstance(node, ast.Constant):
        return limited(Fraction(ast.get_source_segment(text, node) or ""))
    if isinstance(node, ast.UnaryOp):
        return -by_python(node.operand, text)
    assert isinstance(node, ast.BinOp)
    left, right = by_python(node.left, text), by_python(node.right, text)
    if isinstance(node.op, ast.Pow) and (right.denominator != 1 or abs(right) > 64):
        raise Refused
    if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and right == 0:
        raise Refused
    if isinstance(node.op, ast.Pow) and left == 0 and right < 0:
        raise Refused
    return limited(Fraction(OPERATIONS[type(node.op)](left, right)))


def limited(number: Fraction) -> Fraction:
    if max(abs(number.numerator), number.denominator) > 10**18:
        raise Refused
    return number


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    minus = parts.map(lambda part: f"-({part})" if part.startswith("-") else f"-{part}")
    return st.one_of(
        st.builds("{} {} {}".format, parts, signs, parts), st.builds("({} {} {})".format, parts, signs, parts), minus
    )


NUMBERS = st.one_of(st.integers(0, 12), st.integers(0, 10**9), st.decimals("0", "99", places=2)).map(str)


@given(st.recursive(NUMBERS, joined, max_leaves=12))
def test_arithmetic_agrees_with_pythons_grammar_and_fractions(text: str) -> None:
    assume(len(text) <= 500)
    try:
        wanted = by_python(ast.parse(text, mode="eval").body, text)
    except Refused:
        error_of(text)
    else:
        value = evaluate(text)
        assert value == wanted
        assert type(value) is (int if wanted.denominator == 1 else Fraction)


def reference_make_divisible(value: float, divisor: int, least: int | None = None) -> int:
    """torchvision.models._utils._make_divisible, in floats as it stands there."""
    least = divisor if least is None else least
    divisible = max(least, int(value + divisor / 2) // divisor * divisor)
    return divisible + divisor if divisible < 0.9 * value else divisible


@given(st.integers(1, 2**20), st.integers(0, 6), st.integers(1, 64), st.integers(0, 64))
def test_make_divisible_agrees_with_torchvision(numerator: int, places: int, divisor: int, least: int) -> None:
    x, value = Fraction(numerator, 2**places), numerator / 2**places  # exact in floats too
    assert evaluate("make_divisible(x, d)", x=x, d=divisor) == reference_make_divisible(value, divisor)
    bounded = evaluate("make_divisible(x, d, m)", x=x, d=divisor, m=least)
    assert bounded == reference_make_divisible(value, divisor, least)
