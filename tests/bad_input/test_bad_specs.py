"""What is said about each of the specs in ``bad_specs.yaml``, and where it points."""

from __future__ import annotations

import pytest

from convcalc.errors import format_error
from tests.bad_input.cases import Case, cases, errors_of, message

CASES = cases()
EXAMPLES = {
    "a": ["a.yaml:3:32: error CC203: conv has no attribute 'dilaton'; did you mean 'dilation'?"],
    "b": [
        (
            "b.yaml:4:12: error CC302: unbalanced parenthesis in 'make_divisible(width': "
            "inside { } or [ ] a comma ends a value; quote the expression"
        )
    ],
    "c": ["c.yaml:4:12: error CC410: out = 3.33333 is not an integer; use //, round() or ceil()"],
    "e": [
        "e.yaml:6:9: error CC405: add: shapes differ: [3, 8, 8] vs [64, 6, 6]",
        "  in r called from e.yaml:8:6",
    ],
    "f": [
        (
            "f.yaml:4:12: error CC102: YAML alias '*w' not allowed "
            "(an expression cannot begin with '*': write 4*w; to reuse layers write a block)"
        )
    ],
}
"""The examples of the language's section on errors, with their codes."""


def test_the_cases_are_many_and_differ() -> None:
    assert len(CASES) >= 250
    assert len({case.id for case in CASES}) == len({case.text for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_language(parser: str, name: str) -> None:
    (case,) = [case for case in CASES if case.id == name]
    lines = message(case.text, f"{name}.yaml")
    assert [line for line in lines if not line.startswith("    ") and "hint:" not in line] == EXAMPLES[name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_one_error_at_the_place_that_is_to_blame(parser: str, case: Case) -> None:
    errors = errors_of(case.text)
    assert [error.code for error in errors] == [case.code]
    (error,) = errors
    assert case.says in error.text
    assert error.severity == ("warning" if case.code.startswith("CC8") else "error")
    assert error.span
    assert error.span.line == case.line
    if not case.any_column:
        assert (error.span.column, error.span.extent) == (case.column, case.extent)
    assert tuple(f"{path} called from {span.line}:{span.column}" for path, span in error.call_stack) == case.trail


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_is_shown_with_its_line_and_carets(case: Case) -> None:
    (error,) = errors_of(case.text)
    first, *lines = format_error(error).split("\n")
    assert first == f"spec.yaml:{case.line}:{error.span.column}: {error.severity} {case.code}: {error.text}"  # type: ignore[union-attr]
    line = case.text.split("\n")[case.line - 1]
    if line.isascii() and "\t" not in line and not case.any_column:
        assert lines[0] == "    " + line
        assert lines[1] == " " * (case.column + 3) + "^" * case.extent
    assert [f"  in {path} called from spec.yaml:{place}" for path, _, place in calls(case)] == [
        line for line in lines if line.startswith("  in ")
    ]


def calls(case: Case) -> list[tuple[str, str, str]]:
    return [line.partition(" called from ") for line in case.trail]
