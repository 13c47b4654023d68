"""One grammar of quantities: what a text is worth does not depend on where it is written."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import click  # noqa: TID251 - types of options raise its errors
import pytest

from convcalc.budget.file.rules import read_limit
from convcalc.cli.options.limits import LimitListType
from convcalc.cli.types import PositiveInt
from convcalc.devices.roofline import read_device
from convcalc.errors import Source, Span, SpecError, SpecErrors
from convcalc.spec.document.claims import parse_quantity as printed
from convcalc.spec.yaml.nodes import ScalarNode
from convcalc.sweep.axes import read_axis
from convcalc.sweep.where import parse_condition
from tests.conftest import Command

SPEC = "input: [3, 8, 8]\nvars: {w: 8}\nlayers: [conv: [w, 3], flatten, linear: 10]\n"


def scalar(text: str) -> ScalarNode:
    return ScalarNode(text, Span(Source("test", text), 1, 1, max(1, len(text))))


def of_device(text: str) -> Fraction:
    path = Path("board.yaml")
    path.write_text(f"{{name: Board, source: page, bandwidth: '{text}', operations: {{float32: 1T}}}}")
    return read_device(str(path)).bandwidth


def of_condition(text: str) -> Fraction:
    """The one number that is equal to it."""
    number = parse_condition(f"weight_bytes - {text}", {"weight_bytes"}).evaluate({"weight_bytes": 0})
    return -Fraction(number)


DOORS: dict[str, Callable[[str], Fraction]] = {
    "budget": lambda text: read_limit(scalar("weight_bytes"), scalar(text)).value,
    "solve --max": lambda text: (
        LimitListType("--max", ["weight_bytes"], plain=True).convert(f"weight_bytes={text}", None, None)[0].value
    ),
    "--where": of_condition,
    "axis": lambda text: Fraction(read_axis(f"w={text}").value(0)),
    "end of an axis": lambda text: Fraction(read_axis(f"w={text}..{text}").value(0)),
    "device": of_device,
}
WORTH = [
    ("2MiB", 2 * 2**20), ("5M", 5 * 10**6), ("1.5GiB", 3 * 2**29), ("1e9", 10**9), ("600M", 6 * 10**8), ("1E3", 1000),
    ("2.5e+6", 2_500_000), ("0.5e-1", Fraction(1, 20)), ("1k", 1000), ("1K", 1000), ("3T", 3 * 10**12), ("1P", 10**15),
    ("4Ki", 4096), ("1Ti", 2**40), ("1Pi", 2**50), ("64KiB", 65536), ("12B", 12), ("5MB", 5 * 10**6), ("1e3k", 10**6),
    ("007", 7), ("0.1", Fraction(1, 10)),
]  # fmt: skip
NONE = [
    ("2 MiB", "2MiB"), ("2mib", "2MiB"), ("2MIB", "2MiB"), ("5m", "5M"), ("1g", "1G"), ("5 M", "5M"), ("1KIB", "1KiB"),
    ("5Q", ""), ("5MM", ""), ("1.2.3", ""), ("1e", ""), ("5MBB", ""), ("5Mi B", ""),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("text", "value"), WORTH)
def test_worth_the_same_everywhere(door: str, text: str, value: int | Fraction) -> None:
    assert DOORS[door](text) == value


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("text", "written"), NONE)
def test_refused_everywhere_with_how_it_is_written(door: str, text: str, written: str) -> None:
    with pytest.raises((SpecError, SpecErrors, click.BadParameter)) as caught:
        DOORS[door](text)
    error = caught.value
    said = f"{error} {getattr(error, 'hint', '')}"
    if isinstance(error, SpecErrors):
        said = " ".join(f"{each} {each.hint}" for each in error.errors)
    assert written in said


@pytest.mark.parametrize(
    ("text", "value", "step"),
    [
        ("25.6M", 25_600_000, 100_000), ("3.8e9", 38 * 10**8, 10**8), ("1.5B", 15 * 10**8, 10**8),
        ("2Mi", 2**21, 2**20), ("138", 138, 1), ("5e-1M", 500_000, 100_000), ("1.25P", 125 * 10**13, 10**13),
    ],
)  # fmt: skip
def test_printed_numbers_have_a_last_digit(text: str, value: int, step: int) -> None:
    found = printed(scalar(text))
    assert (found.value, found.unit) == (value, step)


@pytest.mark.parametrize(("text", "number"), [("1k", 1000), ("1e3", 1000), (" 32 ", 32), ("2.5k", 2500)])
def test_numbers_of_samples(text: str, number: int) -> None:
    assert PositiveInt().convert(text, None, None) == number


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "1_000", "1,000", "2kB", "２", "", "1e100"])
def test_what_is_no_number_of_samples(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a positive integer"):
        PositiveInt().convert(text, None, None)


def test_bytes_are_compared_with_bytes_alone(cli: Command) -> None:
    Path("m.yaml").write_text(SPEC)
    fits = cli("sweep", "m.yaml", "w=8", "--where", "weight_bytes <= 1GB and params <= 1G", "-f", "csv")
    assert (fits.exit_code, len(fits.stdout.splitlines())) == (0, 2)
    wrong = cli("sweep", "m.yaml", "w=8", "--where", "weight_bytes <= 1GB and params <= 1GB")
    assert wrong.exit_code == 2
    assert "--where:1:35: error CC715: params does not take a byte suffix: '1GB'" in wrong.stderr
    assert "without the B: 1G" in wrong.stderr


def test_expressions_of_a_spec_have_no_suffixes(cli: Command) -> None:
    """There letters are variables: ``2k`` would be 2000 for one reader and 2·k for another."""
    Path("m.yaml").write_text(SPEC)
    for text, plain in [("2k", "2e3, or 2*k"), ("2MiB", "2*1048576, or 2*Mi"), ("1.5M", "1.5e6, or 1.5*M")]:
        refused = cli("report", "m.yaml", "--set", f"w={text}")
        assert refused.exit_code == 2
        assert f"hint: write {plain} for a product" in refused.stderr
