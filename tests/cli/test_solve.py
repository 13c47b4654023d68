"""``solve`` at the command line: what it says, in which formats, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import convcalc
from convcalc.schemas import schema
from tests.cli.test_completion import words
from tests.conftest import Command

NET = "input: [3, n, n]\nvars: {n: 8, k: 3, a: 1}\nlayers: [conv: {out: ceil(4*a), kernel: k}]\n"
VALIDATOR = jsonschema.Draft7Validator(json.loads(schema("solve")))


@pytest.fixture
def net(folder: Path) -> str:
    (folder / "net.yaml").write_text(NET)
    return "net.yaml"


def answer(cli: Command, *arguments: str, code: int = 0) -> dict[str, Any]:
    result = cli("solve", *arguments, "--json")
    assert (result.exit_code, result.stderr) == (code, "")
    document = json.loads(result.stdout)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert isinstance(document, dict)
    return document


def macs(**values: Any) -> int:
    return convcalc.load("net.yaml", set=values).report().totals["macs"]


def test_the_binding_limit_is_named(cli: Command, net: str) -> None:
    found = answer(cli, net, "--for", "n=3..40", "--max", "macs=10k,params=1M")
    largest = max(n for n in range(3, 41) if macs(n=n) <= 10_000)
    assert found["solution"]["values"] == {"n": largest}
    assert found["solution"]["metrics"]["macs"] == macs(n=largest)
    assert [margin["margin"] for margin in found["solution"]["margins"]] == [10_000 - macs(n=largest), 10**6 - 112]
    (following,) = found["next"]
    excess = macs(n=largest + 1) - 10_000
    assert following["values"] == {"n": largest + 1}
    assert [(limit["metric"], limit["excess"]) for limit in following["breaks"]] == [("macs", excess)]
    assert (found["fitting"], found["points"]) == (largest - 2, 38)
    text = cli("solve", net, "--for", "n=3..40", "--max", "macs=10k", "--max", "params=1M").stdout
    assert f"n = {largest}\n" in text
    assert f"The next value, n = {largest + 1}, exceeds macs ≤ 10,000 by {excess:,} (" in text


def test_minima_ask_for_the_smallest(cli: Command, net: str) -> None:
    least = min(n for n in range(3, 41) if macs(n=n) >= 10_000)
    assert answer(cli, net, "--for", "n=3..40", "--min", "macs=10k")["solution"]["values"] == {"n": least}
    assert answer(cli, net, "--for", "n=3..40", "--min", "macs=10k", "--largest")["solution"]["values"] == {"n": 40}
    both = answer(cli, net, "--for", "n=3..40", "--min", "macs=10k", "--max", "macs=1M", "--smallest")
    assert (both["prefer"], both["solution"]["values"]) == ("smallest", {"n": least})


def test_the_first_variable_goes_before_the_second_and_the_objective_before_both(cli: Command, net: str) -> None:
    axes = ("--for", "a=0.25..2:0.25", "--for", "n=3..20", "--max", "macs=9k")
    choices = [(a / 4, n) for a in range(1, 9) for n in range(3, 21) if macs(a=a / 4, n=n) <= 9_000]
    assert tuple(answer(cli, net, *axes)["solution"]["values"].values()) == max(choices)
    most = max(choices, key=lambda choice: (macs(a=choice[0], n=choice[1]), choice))
    assert tuple(answer(cli, net, *axes, "--maximize", "macs")["solution"]["values"].values()) == most != max(choices)
    least = answer(cli, net, *axes, "--minimize", "macs")
    assert least["solution"]["metrics"]["macs"] == min(macs(a=a, n=n) for a, n in choices)
    assert least["objective"] == {"metric": "macs", "goal": "minimize"}


def test_no_value_fits(cli: Command, net: str) -> None:
    found = answer(cli, net, "--for", "n=3..40", "--max", "params=10", code=1)
    assert (found["solution"], found["fitting"], found["next"]) == (None, 0, [])
    assert found["last"]["breaks"] == [{"metric": "params", "kind": "max", "limit": 10, "value": 112, "excess": 102}]
    result = cli("solve", net, "--for", "n=3..40", "--max", "params=10")
    assert result.exit_code == 1
    assert "No value fits: none of 38 values is within the limits.\n" in result.stdout
    assert "The smallest of all, n = 3, exceeds params ≤ 10 by 102 (1,020 %).\n" in result.stdout


def test_every_value_fits(cli: Command, net: str) -> None:
    text = cli("solve", net, "--for", "n=3..40", "--max", "params=1M").stdout
    assert "No limit is active for n: it is at the largest value of its range.\n" in text
    assert "Every value fits: all of 38 values.\n" in text


@pytest.mark.parametrize(
    ("values", "said"),
    [("5,7", "5 or 7"), ("7,5,9,5", "5, 7 or 9"), ("5", "5"), ("5..5", "5"), ("3..9", "3..9"), ("9..3:-1", "3..9"),
     ("3..9:2", "3..9:2 (4 values)"), ("4..8:1/2", "4..8:0.5 (9 values)"), ("3..9,20", "3..20 (8 values)")],
)  # fmt: skip
def test_the_question_says_the_values(cli: Command, net: str, values: str, said: str) -> None:
    text = cli("solve", net, "--for", f"n={values}", "--max", "params=1M").stdout
    assert text.splitlines()[1] == f"the largest n of {said}, within params ≤ 1,000,000"


def test_the_next_value_may_be_no_network(cli: Command, net: str) -> None:
    found = answer(cli, net, "--for", "k=1..40", "--max", "params=1M")
    assert found["solution"]["values"] == {"k": 8}
    assert found["next"][0]["error"]["code"] == "CC403"
    assert "k = 9, is invalid: the kernel" in cli("solve", net, "--for", "k=1..40", "--max", "params=1M").stdout


def test_markdown_for_a_pull_request(cli: Command, net: str) -> None:
    text = cli("solve", net, "--for", "n=3..40", "--max", "macs=10k", "-f", "markdown").stdout
    assert text.startswith("### n = 11\n")
    assert re.search(r"^\| Multiplies \| +8,748 \| ≤ 10,000 \|", text, re.MULTILINE)


def test_bytes_and_circumstances(cli: Command, net: str) -> None:
    given = ("--batch", "2", "--dtype", "int8", "--set", "a=2")
    found = answer(cli, net, "--for", "k=1..8", "--max", "weight_bytes=1KiB", *given)
    totals = [convcalc.load(net, set={"k": k, "a": 2}).report(batch=2, dtype="int8").totals for k in range(1, 9)]
    assert found["solution"]["values"]["k"] == max(k for k in range(1, 9) if totals[k - 1]["weight_bytes"] <= 1024)
    assert (found["batch"], found["dtype"]) == (2, "int8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max", "params=1M"], "--for"),
        (["--for", "n=3..9"], "add --max or --min"),
        (["--for", "n=3..9", "--max", "parms=1M"], "did you mean 'params'?"),
        (["--for", "n=3..9", "--max", "params"], "is not metric=limit"),
        (["--for", "n=3..9", "--max", "params=1M,"], "is not metric=limit"),
        (["--for", "n=3..9", "--max", "params=1e"], "is not a quantity of params"),
        (["--for", "n=3..9", "--max", "params=22MiB"], "params does not take a byte suffix"),
        (["--for", "n=3..9", "--max", "params%=3%"], "limit the metric itself: params"),
        (["--for", "m=3..9", "--max", "params=1M"], "--for:1:1: error CC712: no variable 'm' to solve for"),
        (["--for", "n=9..3", "--max", "params=1M"], "CC713"),
        (["--for", "n=3..9", "--max", "params=1M", "--max", "params=2M"], "params is limited twice, to 1M and to 2M"),
        (["--for", "n=3..9", "--min", "params=2M", "--max", "params=1M"], "min params 2M is above max params 1M"),
        (["--for", "n=1..2..3", "--max", "params=1M"], "error CC711: '1..2..3' is no"),
        (["--for", "n=1...3", "--max", "params=1M"], "hint: write --for n=1..512 or"),
        (["--for", "n=1..9:1:2", "--max", "params=1M"], "hint: write --for n=1..512 or"),
        (["--for", "n=1:9", "--max", "params=1M"], "hint: write --for n=1..512 or"),
        (["--for", "n=5x", "--max", "params=1M"], "error CC711: '5x' is no"),
        (["--for", "n", "--max", "params=1M"], "--for:1:1: error CC711: --for takes a variable and its values"),
        (["--for", "n", "--max", "params=1M"], "hint: write --for n=1..512"),
        (["--for", "=3", "--max", "params=1M"], "'=3' names no variable"),
        (["--for", "a=0.1..1", "--max", "params=1M"], "hint: say the step: 0.1..1:0.1"),
        (["--for", "n=1..", "--max", "params=1M"], "hint: write --for n=1..512 or --for n=0.25..2:0.05"),
        (["--for", "n=3,relu", "--max", "params=1M"], "--for:1:1: error CC716"),
        (["--for", "k=9..12", "--max", "params=1M"], "CC403"),
        (["--for", "n=3..9", "--maximize", "macs", "--minimize", "params"], "give one of them"),
    ],
)
def test_mistakes(cli: Command, net: str, arguments: list[str], said: str) -> None:
    result = cli("solve", net, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("option", "said", "hint"),
    [
        (
            "alhpa",
            "'alhpa' has no values; did you mean 'alpha'?",
            "write --for alpha=1..512 or --for alpha=0.25..2:0.05",
        ),
        ("alhpa 1..3", "did you mean 'alpha'?", "write --for alpha=1..512 or --for alpha=0.25..2:0.05"),
        ("alhpa=1..", "is not a range; did you mean 'alpha'?", "write --for alpha=1..512 or --for alpha=0.25..2:0.05"),
        ("alpha 1..3", "'alpha 1..3' has no values", "write --for alpha=1..512 or --for alpha=0.25..2:0.05"),
        ("alpha=", "has an empty value", "write --for alpha=1..512 or --for alpha=0.25..2:0.05"),
        ("zzz", "'zzz' has no values", "variables: alpha, size, classes, head"),
        (
            "alhpa=1..3",
            "no variable 'alhpa' to solve for; did you mean 'alpha'?",
            "variables: alpha, size, classes, head",
        ),
    ],
)
def test_what_is_solved_for_is_told_by_the_variables_of_the_design(
    cli: Command, option: str, said: str, hint: str
) -> None:
    error = cli("solve", "zoo:mobilenet_v2", "--for", option, "--max", "params=5M").stderr
    assert said in error
    assert f"hint: {hint}\n" in error


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("solve tiny.yaml --for w", ["width="]),
        ("solve tiny.yaml --max pa", ["params="]),
        ("solve tiny.yaml --max params=5M,ma", ["params=5M,macs="]),
        ("check tiny.yaml --min params=5M,de", ["params=5M,depth="]),
        ("solve tiny.yaml --maximize ma", ["macs"]),
        ("sweep tiny.yaml w", ["width="]),
        ("sweep tiny.yaml width=1 --columns params,ma", ["params,macs"]),
        ("sweep tiny.yaml --columns +ma", ["+macs"]),
        ("sweep tiny.yaml --pareto params,-ma", ["params,-macs"]),
        ("sweep tiny.yaml --sort macs:", ["macs:asc", "macs:desc"]),
        ("sweep broken.yaml w", []),
    ],
)
def test_completion(cli: Command, folder: Path, line: str, offered: list[str]) -> None:
    assert words(cli, *line.split(" ")) == offered
