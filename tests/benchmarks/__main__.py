"""``python -m tests.benchmarks``: what the program costs on this machine, beside what else one might use, as a table.

Nothing here judges a time. Times are of the processor unless the unit is a rate; of start-up and spaces, those of whole
processes. Peers are measured where they are installed: ``pip install torch torchvision torchinfo ptflops fvcore``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks import files, networks, spaces, start_up
from tests.benchmarks.measure import Row

GROUPS: dict[str, Callable[[int], Iterator[Row]]] = {
    "start-up": start_up.rows,
    "files": files.rows,
    "spaces": spaces.rows,
    "networks": networks.rows,
}
"""The last one loads PyTorch, whose memory a process that it starts would seem to have had."""
HEADINGS = ("Work", "convcalc", "Peer", "Its cost", "Ratio")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the groups that are named, all by default, and print a table in Markdown."""
    options = _options()
    given = options.parse_args(argv)
    if unknown := [name for name in given.groups if name not in GROUPS]:
        options.error(f"no group {unknown[0]!r}; there are {', '.join(GROUPS)}")
    found: list[Row] = []
    for name in given.groups or GROUPS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found += GROUPS[name](given.pairs)
    print(table(found))
    cores = os.cpu_count()
    print(f"\n{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}")
    return 0


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    cells = [HEADINGS, *((*row[:4], "" if row.ratio is None else f"{row.ratio:.2f}") for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [f"| {' | '.join(map(str.ljust, line, widths))} |" for line in cells]
    return "\n".join([lines[0], f"| {' | '.join('-' * width for width in widths)} |", *lines[1:]])


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--pairs", type=int, default=15, help="pairs that a ratio is the median of")
    return parser


if __name__ == "__main__":
    sys.exit(main())
