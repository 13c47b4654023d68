"""``python -m tests.fuzz``: a fuzzing campaign, for minutes or hours; any input can be repeated by its number.

Each worker is a process with a bound on its memory. An input that breaks something is made smaller and written into a
folder; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.campaign import Failure, Target, fault_of, made, name_of
from tests.fuzz.folder import remove
from tests.fuzz.worker import TARGETS, work

KINDS = 20
"""Failures of one kind that are kept."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a campaign, or repeat one input.

    Returns:
        0 where everything held, else 1.
    """
    given = _options().parse_args(argv)
    chosen = [TARGETS[name] for name in (given.only or TARGETS)]
    if given.replay:
        return _replay(given.seed, *given.replay.split(":"))
    return _campaign(chosen, given)


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--minutes", type=float, default=1.0, metavar="M", help="how long (default: 1)")
    options.add_argument("--count", type=int, metavar="N", help="so many inputs, in place of --minutes")
    options.add_argument("--seed", type=int, default=0, metavar="S", help="where inputs come from (default: 0)")
    options.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    options.add_argument("--only", action="append", choices=TARGETS, help="a target alone; repeatable")
    options.add_argument(
        "--replay", metavar="TARGET:NUMBER", help="make one input of the seed again, show and judge it"
    )
    options.add_argument("-o", type=Path, default=Path("fuzz-failures"), metavar="FOLDER", help="for what fails")
    return options


def _replay(seed: int, name: str, number: str) -> int:
    target = TARGETS[name]
    data = made(target, seed, int(number))
    print(data.decode("utf-8", "backslashreplace"))
    fault = fault_of(target, data)
    remove()
    print(fault[1] if fault else "nothing is wrong with it")
    return 1 if fault else 0


# --- all of them ------------------------------------------------------------------------------------------------------


def _campaign(chosen: Sequence[Target], given: argparse.Namespace) -> int:
    context = multiprocessing.get_context("spawn")
    names, start = [target.name for target in chosen], time.monotonic()
    workers: dict[Connection, tuple[Any, Any]] = {}
    for worker in range(given.jobs):
        ours, theirs = context.Pipe(duplex=False)
        current = context.Array("q", 2)
        process = context.Process(target=work, args=(names, given, worker, current, theirs))
        process.start()
        theirs.close()
        workers[ours] = process, current
    tally = Tally(given, start)
    while workers:
        for pipe in wait([*workers]):
            assert isinstance(pipe, Connection)
            try:
                told = pipe.recv()
            except EOFError:
                process, current = workers[pipe]
                process.join()
                name, number = names[current[0]], current[1]
                told = Failure(name, number, b"", "death", f"the worker died with {process.exitcode}\n")
                tally.take(told)
                told = None
            if told is None:
                workers.pop(pipe)[0].join()
            else:
                tally.take(told)
    return tally.end()


class Tally:
    """What was tried and what failed."""

    def __init__(self, given: argparse.Namespace, start: float) -> None:
        self.given, self.start, self.said = given, start, start
        self.counted: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    def take(self, told: Failure | Counter[str]) -> None:
        """Note what a worker tells, keep a failure, and say now and then how far it is."""
        if isinstance(told, Failure):
            self._keep(told)
        else:
            self.counted += told
        if time.monotonic() - self.said > 30:
            self.said = time.monotonic()
            print(self._line(), flush=True)

    def _line(self) -> str:
        seconds, total = time.monotonic() - self.start, self.counted.total()
        by_target = ", ".join(f"{count:,} {name}" for name, count in self.counted.items())
        rate = f"{total / max(seconds, 1):,.0f} a second"
        return f"{seconds:,.0f} s: {total:,} inputs ({by_target}), {rate}, {self.kinds.total()} failures"

    def _keep(self, failure: Failure) -> None:
        self.kinds[failure.kind] += 1
        if self.kinds[failure.kind] > KINDS:
            return
        folder: Path = self.given.o
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name_of(failure)).write_bytes(failure.data)
        again = f"python -m tests.fuzz --seed {self.given.seed} --replay {failure.target}:{failure.number}"
        (folder / f"{name_of(failure)}.txt").write_text(f"{failure.kind}\n{again}\n\n{failure.shown}", "utf-8")
        print(f"FAILED {failure.target}:{failure.number} {failure.kind}", flush=True)

    def end(self) -> int:
        """Say how it went."""
        print(f"seed {self.given.seed}, {self.given.jobs} processes, {self._line()}")
        for kind, count in self.kinds.most_common():
            print(f"  {count} × {kind}")
        if self.kinds:
            print(f"inputs that failed are in {self.given.o}")
        return 1 if self.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
