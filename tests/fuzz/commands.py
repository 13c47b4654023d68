"""Command lines drawn from what the commands declare, on a folder of specs, with mistakes: each ends in 0, 1 or 2."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from random import Random

import click

from convcalc import schemas
from convcalc.cli import main
from convcalc.cli.group import commands, convcalc
from convcalc.errors import SpecError
from convcalc.sweep.axes import read_axis
from tests.fuzz.campaign import Broken, Target, require
from tests.fuzz.folder import SMALL, folder
from tests.fuzz.mutations import EXTREME
from tests.fuzz.schemas import require_json

DESIGNS = [
    "small.yaml", "small.yaml@wide", "small.yaml#stage1", "small.yaml@wide#stem", "parts.yaml", "parts.yaml#left",
    "parts.yaml#right", "sub/sequence.yaml", "zoo:lenet", "-",
]  # fmt: skip
ODD_DESIGNS = [
    "broken.yaml", "missing.yaml", "small.yaml@none", "small.yaml#nope", "sub", "zoo:nope", "*.yaml", "**/*.yaml", ".",
    "CC404", "conv", "relu", "",
]  # fmt: skip
AXES = [
    "width=2..9", "width=4,8", "deep=1..3", "act=relu,gelu", "width=3,4..9:2", "deep=2", "width=1..40", "n=4..12:2",
    "groups=1,2,3", "tokens=1..4", "heads=1,2", "width=8..2:-1", "width=1/2", "width=0.5..3:0.25", "width", "nope=1",
    "width=1..", "act=[1,2]",
]  # fmt: skip
LIMITS = [
    "params=5k", "macs=1M", "params=2k,macs=100k", "params=800", "macs=90k", "depth=3", "weight_bytes=4KiB", "params=0",
    "peak_activation_bytes=4KiB", "macs=+1%", "nope=1",
]  # fmt: skip
VALUES = {
    "set_": ["width=4", "width=3*deep", "width=5", "width=2*k", "act=gelu", "deep=0", "n=9", "groups=3", "heads=4",
             "nope=1", "width=", "=3", "n=n"],
    "variant": ["wide", "wide", "deeper", "nope"],
    "variants": ["all", "wide", "wide,deeper", "nope"],
    "where": ["params <= 2k", "macs > params", "width == 8 and macs < 1M", "params <=", "nope", "1", "macs <= 2MiB"],
    "symbols": ["width", "n,groups", "h,w", "cin", "tokens", "deep", "act", "nope", "w,w", ","],
    "axes": AXES,
    "for_": AXES,
    "max_": LIMITS,
    "min_": LIMITS,
    "path": ["stem", "stage1", "nope", ""],
    "lib": ["sub", "."],
    "output": ["o.csv", "o.json", "o.txt", "o.docx", "sub", "sub/o.md", "-", "small.yaml"],
    "device": ["a100-sxm-80gb", "nope", "small.yaml"],
    "profile": ["fvcore", "thop", "torchinfo", "calflops", "nope"],
    "budget": ["budgets.conf", "budgets.conf", "budgets.conf", "small.yaml", "missing.yaml", "-"],
    "baseline": ["git:HEAD", "git:merge-base", "small.yaml", "git:"],
    "rev": ["HEAD", "main", "^HEAD", "--", "nope"],
    "words": ["lenet", "alexnet nope", "resnet99"],
    "reason": ["why", "why not", ""],
    "input_": ["3,9,9", "3,16,16", "4,5", "n,8,8", "input=3,9,9", "left=3,9,9", "nope=3", "3,,3", "[3,9,9]", "=3"],
    "sort": ["macs:asc", "-params", "-macs:asc", "macs:up", "path", "nope"],
    "columns": ["+depth", "+flops,fvcore", "macs", "+", "nope"],
    "ignore": ["norm", "act", "norm,act", "conv", ""],
    "pareto": ["params,-macs", "-params", "+macs", ""],
    "keep": ["all", "pareto:params,macs", "top:2:macs", "top:1:-params", "top:0:macs", "pareto:", "top:x"],
}  # fmt: skip
"""What options and arguments are given whose values are free, by their names."""
DESIGN_LIKE = ("design", "designs", "first", "second", "paths", "topic", "over")
LEFT_OUT = {"dask", "jobs", "resume", "help", "debug", "version"}
"""Options that start other processes, and those that only show a page."""
OFTEN = {
    "axes": 0.97, "max_": 0.7, "min_": 0.1, "budget": 0.7, "reason": 0.7, "symbols": 0.7, "columns": 0.2,
    "keep": 0.2, "sort": 0.2, "top": 0.2, "pareto": 0.1, "where": 0.1, "format_": 0.2,
}  # fmt: skip
"""How often options are given without which a command does little."""
RARE = {"formula": 1, "diff": 1, "baseline": 2, "zoo": 1, "completion": 2, "schema": 2}
BOUNDED = {"batch": ["--jobs=1"], "plot": ["--jobs=1"], "zoo": ["lenet"]}
"""What keeps a command from taking all processors, or from counting two hundred networks."""
POINTS = 2000
NEVER = re.compile(r"\.\.[/\\]|^\.\.$|^[/~]|=[/~]|zoo:\*")
"""What would leave the folder, or count the whole zoo."""


@cache
def known() -> list[tuple[list[str], click.Command]]:
    """Return every command, those of groups too, with its words."""
    context = click.Context(convcalc)
    found = []
    for name in commands():
        command = convcalc.get_command(context, name)
        assert command is not None
        inner = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        found += [([name, *filter(None, [word])], held) for word, held in inner]
    return found


@cache
def values_of(parameter: click.Parameter) -> tuple[str, ...]:
    """Return values that a parameter may be given: those that a shell completes, and those that are known here."""
    name = parameter.name or ""
    if name in DESIGN_LIKE:
        return (*DESIGNS * 8, *DESIGNS[:2] * 24, *ODD_DESIGNS)
    with folder():
        context = click.Context(click.Command("fuzz"))
        completed = [item.value for item in parameter.type.shell_complete(context, parameter, "")]
    return (*VALUES.get(name, []) * 5, *completed) or (*("1", "2", "3", "7") * 5, "0", "-1", "x", "1.5", "")


def make(dice: Random) -> bytes:
    """Draw a command line, and now and then change a value or a word of it."""
    weights = [RARE.get(words[0], 12) for words, _ in known()]
    words, command = dice.choices(known(), weights)[0]
    argv = [*words]
    for parameter in command.params:
        argv += _given(parameter, dice)
    argv += BOUNDED.get(words[0], [])
    if dice.random() < 0.05:
        argv.insert(dice.randint(0, len(argv)), dice.choice(EXTREME))
    if dice.random() < 0.02:
        dice.shuffle(argv)
    text = SMALL if dice.random() < 0.5 else "small.yaml\nparts.yaml\nnope.yaml\n"
    return json.dumps({"argv": [safe(word) for word in argv], "stdin": text}).encode()


def _given(parameter: click.Parameter, dice: Random) -> list[str]:
    """Return a parameter as it stands on the line: often left out, sometimes repeated."""
    if parameter.name in LEFT_OUT:
        return []
    argument = isinstance(parameter, click.Argument)
    times = dice.choice((1, 1, 2, 3)) if parameter.nargs == -1 or parameter.multiple else 1
    if not parameter.required and dice.random() > OFTEN.get(parameter.name or "", 0.8 if argument else 0.06):
        return []
    option = dice.choice([*parameter.opts, *parameter.secondary_opts])
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return [option]
    chosen = [_value(parameter, dice) for _ in range(times)]
    return chosen if argument else [word for value in chosen for word in (option, value)]


def _value(parameter: click.Parameter, dice: Random) -> str:
    value = dice.choice(values_of(parameter))
    if parameter.name == "output" or dice.random() > 0.05:
        return value
    place = dice.randint(0, len(value))
    other = dice.choice((*EXTREME, *values_of(parameter)))
    return dice.choice((other, value[:place], value[:place] + other + value[place:], value + "," + other))


def safe(word: str) -> str:
    """Return a word that can do no harm and asks for no great work, or a harmless one in its place."""
    word = word.replace("\0", "0").encode("utf-8", "replace").decode()
    if NEVER.search(word):
        return "small.yaml"
    try:
        return word if ".." not in word or len(read_axis(word).values) <= POINTS else "width=1..9"
    except SpecError:
        return word


def judge(data: bytes) -> None:
    """Run a command line."""
    given = json.loads(data)
    argv = given["argv"]
    with folder(), streams(given["stdin"]) as (stdout, stderr):
        code = main(argv)
    shown, said = (stream.getvalue().decode("utf-8", "replace") for stream in (stdout, stderr))
    require(code in {0, 1, 2}, f"a command ends in 0, 1 or 2: {code} {said[-2000:]}")
    require("Traceback" not in shown + said, f"nobody sees a traceback: {said[-2000:]}")
    require(code != 2 or (shown + said).strip() or _to_files(argv), "what fails says why: nothing is said")
    if code == 0 and argv[0] in schemas.NAMES and "json" in _printed(argv):
        require_json(argv[0], shown)


def _printed(argv: list[str]) -> list[str]:
    """Return the format that alone goes to standard output, where that is clear."""
    chosen = [word for option, word in pairwise(argv) if option in ("-f", "--format")]
    chosen += ["json"] * ("--json" in argv)
    clear = len(chosen) == 1 and not {"-o", "--output", "-h", "--help"} & {*argv}
    return chosen if clear else []


def _to_files(argv: list[str]) -> bool:
    return any(word.startswith(("-o", "--o", "-f", "--f")) for word in argv)


@contextmanager
def streams(text: str) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """Stand in for the three streams of a process."""
    before = sys.stdin, sys.stdout, sys.stderr
    read, shown, said = io.BytesIO(text.encode()), io.BytesIO(), io.BytesIO()
    held = [io.TextIOWrapper(each, encoding="utf-8", newline="", write_through=True) for each in (read, shown, said)]
    sys.stdin, sys.stdout, sys.stderr = held
    try:
        yield shown, said
    except SystemExit as ended:
        raise Broken(f"main returns a code: it ended itself with {ended.code}") from None
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for each in held:
            each.detach()


def smaller(data: bytes) -> Iterator[bytes]:
    """Give a command line without one of its words, and with shorter ones."""
    given = json.loads(data)
    argv = given["argv"]
    for place, word in enumerate(argv):
        for other in ([], [safe(word[: len(word) // 2])]):
            rest = [*argv[:place], *other, *argv[place + 1 :]]
            if rest and other != [word]:
                yield json.dumps({**given, "argv": rest}).encode()


TARGET = Target("commands", 6, make, judge, smaller)
