"""Kills of runs that write: at every step of the writing, and in the middle of it, a run ends in old or new, whole.

``python -m tests.kills --count 200 --seed 1`` kills so many runs and fails if any left anything but the old file or the
new one, or if the run after it failed or left anything beside them. How fast the machine is plays no part: a run ends
at its n-th call that touches files (before or after it, by SIGKILL), or with the n-th byte that a file of it may have
(by SIGXFSZ, which the kernel sends in the middle of a write).
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CALLS = (
    "chmod", "chown", "close", "fdopen", "flush", "fsync", "getxattr", "lockf", "open", "read", "replace", "seek",
    "setxattr", "stat", "truncate", "unlink", "write",
)  # fmt: skip
"""Built-in functions and methods that touch files. Each is two moments: before it and after it."""

PROGRAM = f"""
import os, signal, sys
moment, counted, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
calls, passed = {set(CALLS)!r}, 0

def seen(frame, event, called):
    global passed
    if event in ("c_call", "c_return") and called.__name__ in calls:
        passed += 1
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)

def begun(event, facts):
    if event == "open" and isinstance(facts[0], str) and os.path.abspath(facts[0]).startswith(folder):
        if facts[2] & (os.O_WRONLY | os.O_RDWR) and sys.getprofile() is None:
            sys.setprofile(seen)

sys.addaudithook(begun)
from convcalc.cli import main
from convcalc.cli.output import resumable_file
resumable_file.BETWEEN_SAVES = 0  # a note after every block, however fast the machine is
code = main(sys.argv[4:])
sys.setprofile(None)
if counted:
    open(counted, "w").write(str(passed))
os._exit(code)
"""
"""Runs convcalc, and counts moments from the first file on that is opened for writing in a folder."""

SPEC = """\
name: Killed
input: [3, size, size]
vars: {size: 32, width: 8, depth: 2}
variants: {s: {width: 4}, m: {width: 16}, l: {width: 32}}
layers:
  - repeat: depth
    name: stage
    seq: [conv: {out: width, kernel: 3, act: relu}]
  - [avgpool: global, flatten, linear: 10]
"""
BUDGET = """\
version: 1
baseline: {file: out/baseline.json}
budgets:
  - id: grows
    designs: [net.yaml@s, net.yaml@m, net.yaml@l]
    growth: {params: +1%}
"""


@dataclass(frozen=True)
class Scenario:
    """A command, and the files in ``out`` that it writes."""

    name: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    resumable: bool = False


def _sweep(name: str, *arguments: str) -> Scenario:
    axes = ("sweep", "net.yaml", "width=1..128", "size=32..287", "depth=1..16")
    return Scenario(f"sweep {name}", (*axes, *arguments, "-o", f"out/{name}"), (name,), resumable=True)


FEW = ("--where", "size % 64 == 0 and width % 16 == 0")
SCENARIOS = (
    Scenario("report", ("report", "net.yaml", "-o", "out/report.txt"), ("report.txt",)),
    Scenario("html", ("report", "zoo:resnet50", "-f", "html=out/report.html"), ("report.html",)),
    Scenario("two", ("report", "net.yaml", "-f", "json=out/a.json", "-f", "html=out/b.html"), ("a.json", "b.html")),
    Scenario("batch csv", ("batch", "zoo:r*", "--variants", "all", "--jobs", "1", "-o", "out/b.csv"), ("b.csv",)),
    Scenario("batch sorted", ("batch", "zoo:v*", "--sort", "params", "--jobs", "1", "-o", "out/b.jsonl"), ("b.jsonl",)),
    Scenario("batch parquet", ("batch", "zoo:v*", "--jobs", "1", "-o", "out/b.parquet"), ("b.parquet",)),
    Scenario("baseline", ("baseline", "write"), ("baseline.json",)),
    _sweep("points.csv", *FEW),
    _sweep("points.json", *FEW),
    _sweep("points.parquet", *FEW),
    _sweep("top.csv", "--keep", "top:50:-macs"),
)


@dataclass(frozen=True)
class Kill:
    """Where a run is killed: at a moment, or with a byte; and whether there was an output, and the next run resumes."""

    scenario: Scenario
    moment: int = 0
    byte: int = 0
    has_old: bool = False
    resumes: bool = False

    def __str__(self) -> str:
        where = f"moment {self.moment}" if self.moment else f"byte {self.byte}"
        more = f"{', over an old file' if self.has_old else ''}{', then --resume' if self.resumes else ''}"
        return f"{self.scenario.name}: {where}{more}"


OLD = '{"convention": "convcalc/0", old, and longer than nothing\n'
"""For a baseline one that is broken: no other file is replaced by one."""


class Runs:
    """A folder in which runs of scenarios are begun anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        (folder / "net.yaml").write_text(SPEC)
        (folder / "convcalc-budget.yaml").write_text(BUDGET)
        self.moments: dict[str, int] = {}
        self.made: dict[str, dict[str, bytes]] = {}

    def fresh(self, scenario: Scenario, *, has_old: bool) -> None:
        """Empty the folder of outputs."""
        self.fresh_named(*(scenario.outputs if has_old else ()))

    def fresh_named(self, *names: str) -> None:
        """Empty the folder of outputs, but for old files with these names; results of other runs are forgotten."""
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.rmtree(self.folder / ".convcalc_cache", ignore_errors=True)  # a run that knows them has fewer moments
        self.out.mkdir()
        for name in names:
            (self.out / name).write_text(OLD)

    def run(self, *arguments: str, moment: int = 0, byte: int = 0, counted: str = "") -> tuple[int, str]:
        """Run a command, to be killed there; return its exit code and what it said."""

        def limit() -> None:
            if byte:
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_FSIZE, (byte, byte))

        command = [sys.executable, "-c", PROGRAM, str(moment), counted, str(self.out), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        environment["CONVCALC_JOBS"] = "1"  # a run ends in the same place however many cores there are
        done = subprocess.run(
            command, cwd=self.folder, env=environment, preexec_fn=limit, capture_output=True, check=False
        )  # fmt: skip
        return done.returncode, done.stderr.decode()

    def held(self) -> dict[str, bytes]:
        """Everything in the folder of outputs."""
        return {path.name: path.read_bytes() for path in sorted(self.out.iterdir())}

    def measure(self, scenario: Scenario) -> None:
        """Find out how many moments a scenario has, and what it writes."""
        counted = self.folder / "moments"
        self.fresh(scenario, has_old=False)
        code, said = self.run(*scenario.arguments, counted=str(counted))
        assert code == 0, said
        self.moments[scenario.name] = int(counted.read_text())
        self.made[scenario.name] = self.held()
        assert set(self.made[scenario.name]) == set(scenario.outputs)

    def kills(self, count: int, seed: int) -> Iterator[Kill]:
        """Give kills spread evenly over all that is written of all scenarios: three of four at moments."""
        dice = random.Random(seed)
        for number in range(count):
            scenario = SCENARIOS[number % len(SCENARIOS)]
            if scenario.name not in self.moments:
                self.measure(scenario)
            turn, turns = number // len(SCENARIOS), -(-count // len(SCENARIOS))
            part = (turn + dice.random()) / turns
            facts = {"has_old": dice.random() < 0.5, "resumes": scenario.resumable and dice.random() < 0.5}
            if dice.random() < 0.25:
                size = max(map(len, self.made[scenario.name].values()))
                yield Kill(scenario, byte=1 + int(part * (size - 1)), **facts)
            else:
                yield Kill(scenario, moment=1 + int(part * self.moments[scenario.name]), **facts)

    def faults(self, kill: Kill) -> list[str]:
        """Kill a run, let the next one write the same, and return what is not as it must be."""
        scenario, made = kill.scenario, self.made[kill.scenario.name]
        self.fresh(scenario, has_old=kill.has_old)
        code, said = self.run(*scenario.arguments, moment=kill.moment, byte=kill.byte)
        found = [] if code < 0 else [f"the run was not killed: {code} {said}"]
        old = {OLD.encode()} if kill.has_old else {None}
        held = self.held()
        found += [f"{name} is neither old nor new" for name in made if held.get(name) not in old | {made[name]}]
        found += self._next(kill, held)
        held = self.held()
        found += [f"{name} is not new after the next run" for name in made if held.get(name) != made[name]]
        return found + [f"{name} is left over" for name in held if name not in made]

    def _next(self, kill: Kill, held: dict[str, bytes]) -> Iterator[str]:
        code, said = 2, ""
        if kill.resumes:
            code, said = self.run(*kill.scenario.arguments, "--resume")
            if code == 2 and kill.has_old and not any(name.endswith(".progress") for name in held):
                # killed before its first note: whether the old file is that of this very sweep, nobody knows
                old = [self.held().get(name) == held[name] for name in kill.scenario.outputs]
                if not all(old) or "CC717" not in said:
                    yield f"a refusal that is none: {said}"
            elif code != 0:
                yield f"--resume ended with {code}: {said}"
        if code != 0:
            code, said = self.run(*kill.scenario.arguments)
            if code != 0:
                yield f"the next run ended with {code}: {said}"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        for kill in runs.kills(given.count, given.seed):
            found = runs.faults(kill)
            failed += bool(found)
            for text in found:
                say(f"{kill}: {text}")
    moments = sum(runs.moments.values())
    say(f"{given.count - failed} of {given.count} kills left old or new, whole, and nothing after the next run")
    say(f"seed {given.seed}; {len(SCENARIOS)} commands with {moments:,} moments in all")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
