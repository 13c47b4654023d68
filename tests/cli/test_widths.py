"""Whatever a command shows people fits the terminal, from 30 to 200 columns, on both streams."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from convcalc.cli.group import commands
from convcalc.git.ci import VARIABLES
from convcalc.guide.guides import guides
from convcalc.render.tables.characters import cells
from tests.budget.repositories import Sandbox, created
from tests.conftest import Command

WIDTHS = (30, 37, 52, 80, 200)
LONG = "models/a_folder_with_a_long_name/模型网络.yaml"
NET = """\
name: A network whose name is longer than the narrowest terminal is wide
input: [3, 64, 64]
vars: {width: 4, an_input_variable_with_a_long_name: 4}
variants: {wide: {width: %d}, another_variant_with_a_long_name: {width: 9, an_input_variable_with_a_long_name: 5}}
layers:
  - {conv: {out: 4*width, kernel: 3, norm: batch, act: relu}, name: the_stem_of_the_network_that_reads_the_image}
  - repeat: 5
    name: stage
    seq: [conv: {out: 4*an_input_variable_with_a_long_name, kernel: 1, act: relu}, attention: {heads: 2}]
  - [avgpool: global, flatten, linear: 10]
"""
PAIR = """\
input: [8, 16, 16]
layers:
  - {conv: [8, 3], name: direct}
  - {seq: [conv: [2, 1], conv: [8, 3]], name: reduced_by_a_convolution_before, from: input}
outputs: [direct, reduced_by_a_convolution_before]
claims: [{params: 9k, source: "A paper with a very long title, https://example.org/%s"}]
""" % ("x" * 90)
BROKEN = """\
input: [3, 8, 8]
layers:
  - conv: {out: 4, kernel: 3, groups: 1, bias: false, dilaton: 2, norm: batch, act: relu}
"""
BUDGET = """\
version: 1
baseline: {git: merge-base}
budgets:
  - id: a-budget-with-a-name-of-many-words
    designs: ["models/**/*.yaml@*"]
    growth: {params: 1%}
    max: {params: 1k, macs: 9G}
"""
REPORT = (
    "",
    "--by op",
    "--by block",
    "--top 2",
    "-v",
    "--device v100-sxm2 --dtype float16",
    "--columns +receptive_field,fvcore",
)
LINES = {
    "baseline": ["baseline write", "baseline accept none"],
    "batch": [
        "batch .", "batch . --variants all --dtype float32 --dtype int8 -v", "batch models --sort params",
        "batch none",
    ],
    "check": ["check", "check -v", f"check {LONG} --max params=1k", "check pair.yaml", "check broken.yaml"],
    "compare": [
        f"compare {LONG} {LONG}@wide", f"compare {LONG} --variants all --columns +fvcore", "compare pair.yaml -v",
        f"compare pair.yaml#direct {LONG} --top 1", f"compare {LONG}", "compare broken.yaml pair.yaml",
    ],
    "completion": [],
    "diff": ["diff", "diff HEAD~1", "diff nowhere"],
    "explain": [
        "explain", "explain conv", "explain macs", "explain fvcore", "explain h100-sxm", "explain bottleneck",
        "explain CC203",
        f"explain {LONG}", f"explain {LONG} stage3.conv1", "explain pair.yaml nothing",
        "explain zoo:resnet50 stage1.block1.conv2",
        "explain nothing_of_the_kind_that_has_a_page",
    ],
    "formula": [
        f"formula {LONG} --symbols width", "formula pair.yaml#direct --symbols height", "formula pair.yaml --symbols x",
    ],
    "graph": [
        f"graph {LONG}", f"graph {LONG} --depth all --repeats show --by none", "graph pair.yaml#direct",
        "graph broken.yaml", "graph pair.yaml --open nothing_of_the_kind", "graph pair.yaml --close a..b",
    ],
    "guide": ["guide", *(f"guide {name}" for name in guides())],
    "html": ["html broken.yaml", "html nothing.csv", f"html {LONG} --variants all", "html --nothing"],
    "import": ["import broken.yaml", "import nothing.onnx"],  # a spec is not wrapped
    "match": [
        f"match {LONG} {LONG}@wide", f"match {LONG} {LONG}", f"match {LONG} pair.yaml",
        "match pair.yaml#direct broken.yaml",
        f"match {LONG} {LONG}@another_variant_with_a_long_name --names", f"match pair.yaml {LONG} --ignore act",
    ],
    "plot": ["plot broken.yaml", "plot nothing.csv", "plot pair.yaml --x params"],  # a picture has lines of its own
    "reconcile": [f"reconcile {LONG}", "reconcile pair.yaml#direct"],
    "report": [
        *(f"report {LONG} {options}" for options in REPORT), "report broken.yaml", "report nothing.yaml",
        "report --nothing",
    ],
    "schema": [],
    "solve": [
        f"solve {LONG} --for width=1..50 --max params=80k,macs=10G", f"solve {LONG} --for width=1..5 --min params=10G",
        f"solve {LONG} --for width=1..9 --for an_input_variable_with_a_long_name=1..9 --maximize params --max macs=99M",
    ],
    "sweep": [
        f"sweep {LONG} width=1..4", f"sweep {LONG} width=1..4 an_input_variable_with_a_long_name=2,4 -v",
        f"sweep {LONG} width=1..9 --pareto -params,macs", f"sweep {LONG} width=0..2", f"sweep {LONG} height=1..4",
    ],
    "validate": ["validate .", "validate broken.yaml"],
    "zoo": ["zoo", "zoo resnet", "zoo nothing_of_the_kind"],
}  # fmt: skip
"""Command → lines whose output is text for people; `completion` and `schema` print files for programs."""
HELP = ["--help", *(f"{name} --help" for name in commands())]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A repository with long names, in which a spec has changed."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    made = created(tmp_path / "repo")
    made.commit({LONG: NET % 6, "pair.yaml": PAIR, "broken.yaml": BROKEN, "convcalc-budget.yaml": BUDGET})
    made.commit({LONG: NET % 8, "models/new.yaml": PAIR})
    made.write(LONG, NET % 7)
    monkeypatch.chdir(made.folder)
    return made


def test_every_command_is_measured() -> None:
    assert set(LINES) == set(commands())


@pytest.mark.parametrize("line", [*(line for lines in LINES.values() for line in lines), *HELP])
def test_no_line_is_wider_than_the_terminal(cli: Command, sandbox: Sandbox, line: str) -> None:
    for width in WIDTHS:
        result = cli("--width", str(width), *shlex.split(line))
        assert result.exit_code in (0, 1, 2)
        assert result.stdout or result.stderr
        for shown in (*result.stdout.splitlines(), *result.stderr.splitlines()):
            assert cells(shown) <= width, (width, shown)


@pytest.mark.parametrize(
    "before", ["", "name: a_layer_of_a_name_that_is_long_enough, ", "name: 模型网络模型网络模型网络模型, "]
)
@pytest.mark.parametrize(
    "behind", ["", ", kernel: 3, groups: 1, bias: false, act: relu # 模型网络模型网络模型网络模型网络"]
)
def test_a_quoted_line_is_cut_around_what_is_marked(cli: Command, sandbox: Sandbox, before: str, behind: str) -> None:
    spec = f"input: [3, 8, 8]\nlayers:\n  - {{{before}conv: {{dilaton: 2, out: 4{behind}\n    }}}}\n"
    sandbox.write("wrong.yaml", spec)
    for width in range(30, 131):
        lines = cli("--width", str(width), "validate", "wrong.yaml").stdout.splitlines()
        ((above, carets),) = [pair for pair in pairwise(lines) if pair[1].strip() == "^" * len("dilaton")]
        assert cells(above[: above.index("dilaton")]) == carets.index("^")


def test_a_row_that_failed_says_why_at_any_width(cli: Command, sandbox: Sandbox) -> None:
    for width in range(30, 201, 5):
        text = " ".join(cli("--width", str(width), "batch", "broken.yaml", "pair.yaml").stdout.split())
        assert "broken.yaml" in text
        assert "CC203: conv has no" in text


def test_a_table_that_does_not_fit_is_told_row_by_row(cli: Command, sandbox: Sandbox) -> None:
    """Nothing of it is cut: the numbers are those of the table in a pipe."""
    line = ["solve", LONG, "--for", "width=1..50", "--max", "params=80k,macs=10G"]
    numbers = re.findall(r"[\d,.]*\d", cli(*line).stdout)
    assert re.findall(r"[\d,.]*\d", cli("--width", "30", *line).stdout) == numbers
