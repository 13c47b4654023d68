"""Whole processes, against the imports that every report needs and somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.measure import Row, convcalc, paired, python, run

IMPORTS = "import click, rich.console, rich.table, yaml"
TABLE = f"""{IMPORTS}
table = rich.table.Table('Layer', 'Params', 'Multiplies')
for number in range(20):
    table.add_row(f'conv{{number}}', '1,728', '86,704,128')
rich.console.Console().print(table)"""


def rows(pairs: int) -> Iterator[Row]:
    """``report`` of ResNet-50 and ``--help``."""
    report = convcalc("report", "zoo:resnet50")
    for work, ours, peer, theirs, terminal in (
        ("`report zoo:resnet50`, piped", report, "`import click, rich, yaml`", python(IMPORTS), False),
        ("`report zoo:resnet50` on a terminal", report, "the imports and a rich table", python(TABLE), True),
        ("`--help`", convcalc("--help"), "`import click, rich, yaml`", python(IMPORTS), False),
    ):
        mine, other, ratio = paired(run(ours, terminal=terminal), run(theirs, terminal=terminal), pairs)
        yield Row(work, f"{mine * 1e3:.0f} ms", peer, f"{other * 1e3:.0f} ms", ratio)
