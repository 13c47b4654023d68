"""Whatever is read, it is a network or it is refused: nothing else happens, and it takes no more than so much work.

``CONVCALC_FUZZ=20`` tries twenty times as many texts.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.errors import SpecError, SpecErrors
from convcalc.spec.yaml.text import decode
from tests.bad_input.places import require_place, require_places
from tests.bad_input.strategies import CORPUS, SPECS, jumbles, mistakes, specs
from tests.conftest import Command
from tests.work import limited_work

EFFORT = int(os.environ.get("CONVCALC_FUZZ", "1"))


def effort(examples: int) -> settings:
    unbothered = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    fixtures = [HealthCheck.function_scoped_fixture, HealthCheck.large_base_example]
    return settings(max_examples=examples * EFFORT, deadline=None, suppress_health_check=[*unbothered, *fixtures])


def read(text: str) -> None:
    """Read a spec and report on it; what is wrong with it must point into it."""
    with limited_work():
        try:
            network = convcalc.load(text=text, name="fuzzed.yaml")
            totals = network.report().totals
        except SpecErrors as raised:
            require_places(raised, text)
            return
    for warning in network.graph.warnings:
        require_place(warning, text)
        assert warning.severity == "warning"
    assert all(type(total) is int and total >= 0 for total in totals.values())


@effort(300)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    read(text)


@effort(200)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-16")))
def test_any_bytes(data: bytes) -> None:
    code = ""
    try:
        source = decode(data, "fuzzed.yaml")
    except SpecError as error:
        code = error.code
    else:
        read(source.text)
    assert code in {"", "CC003", "CC004", "CC005"}


@effort(300)
@given(jumbles)
def test_any_words_of_the_language(text: str) -> None:
    read(text)


@effort(400)
@given(specs())
def test_any_structure_of_the_language(text: str) -> None:
    read(text)


@effort(600)
@given(mistakes(st.sampled_from(CORPUS)))
def test_specs_with_mistakes(text: str) -> None:
    read(text)


@effort(200)
@given(mistakes(specs()))
def test_structures_with_mistakes(text: str) -> None:
    read(text)


@effort(100)
@given(st.one_of(st.text(max_size=100), jumbles, mistakes(st.sampled_from(CORPUS))))
def test_both_parsers(parser: str, text: str) -> None:
    read(text)


@effort(40)
@given(st.one_of(specs(), jumbles, mistakes(st.sampled_from(SPECS))))
def test_the_command_line(cli: Command, text: str) -> None:
    result = cli("report", "-", "-f", "json", input=text.encode("utf-8", "surrogatepass"))
    assert result.exit_code in {0, 2}
    assert "Traceback" not in result.stderr
    assert (result.stdout == "") is (result.exit_code == 2)
    if result.exit_code == 2:
        assert result.stderr.startswith("<stdin>")


@effort(20)
@given(mistakes(st.sampled_from(SPECS)))
@pytest.mark.parametrize("format_", ["text", "markdown", "csv", "html"])
def test_every_format(cli: Command, format_: str, text: str) -> None:
    result = cli("report", "-", "-f", format_, input=text.encode("utf-8", "surrogatepass"))
    assert result.exit_code in {0, 2}
    assert (result.stdout == "") is (result.exit_code == 2)


def test_the_corpus_is_read() -> None:
    for text in CORPUS:
        read(text)
