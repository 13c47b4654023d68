"""Names of free dimensions: variables, or expressions of these, such as ``past_length + length``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from convcalc.arith import Number

SUM_OR_PRODUCT = re.compile(r"[\w\s+*/()-]*\w\s*[+*/-][\w\s+*/()-]*")


def variable_names(names: Iterable[str]) -> dict[str, str]:
    """Return the variables of dimensions by their names; what is no name is made one: ``seq len`` is ``seq_len``.

    Expressions of other dimensions have none.
    """
    all_names = dict.fromkeys(names)
    found = {name: name for name in all_names if name.isidentifier()}
    sizes = dict.fromkeys(found, 16)
    for name in all_names:
        if name not in sizes and evaluated(name, sizes) is None:
            base = re.sub(r"\W+", "_", name).strip("_")
            base = base if base.isidentifier() else f"n_{base}".rstrip("_")
            variable, number = base, 1
            while variable in found.values():
                number += 1
                variable = f"{base}_{number}"
            found[name] = variable
    return found


def evaluated(text: str, variables: Mapping[str, Number]) -> Number | None:
    """Return the value of an expression of variables; none if it is no such expression, or a variable is not known."""
    if not SUM_OR_PRODUCT.fullmatch(text):
        return None
    from convcalc.spec.expressions.errors import ExpressionError
    from convcalc.spec.expressions.expression import parse

    try:
        expression = parse(text, variables)
        if not expression.names or any(name.text not in variables for name in expression.names):
            return None
        value: Number = expression.evaluate(variables)
    except ExpressionError:
        return None
    return value
