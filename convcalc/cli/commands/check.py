"""``convcalc check``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import click

from convcalc.budget.baseline.file import DEFAULT_NAME
from convcalc.budget.check.check_report import GIT, origin_of
from convcalc.budget.check.checker import Options, check
from convcalc.budget.file.reader import find_budget_file, read_budget_file
from convcalc.budget.file.types import (
    DEFAULT_CONDITIONS,
    LEAST_TIME,
    SEVERITIES,
    BaselineLocation,
    Budget,
    BudgetFile,
    Conditions,
    Limit,
)
from convcalc.cli import FINDING, FINE, UNUSABLE, say
from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import (
    DesignType,
    ProfileType,
    batch_option,
    device_option,
    dtype_option,
    lib_option,
    only_format,
)
from convcalc.cli.options.limits import limit_options
from convcalc.cli.output.atomic_files import is_device
from convcalc.cli.output.progress import progress
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.cli.types import Word
from convcalc.designs.names import BUDGET
from convcalc.designs.patterns import spec_files
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.findings import Verdict
from convcalc.git.repository import MERGE_BASE
from convcalc.metrics.registry import measures
from convcalc.render import VERDICTS
from convcalc.render.check.page import verdict_text
from convcalc.repository_paths import is_inside, repository_root

COUNTED = ("macs", "flops")
"""What tools count, each in its own way."""
NO_BUDGET = f"no {BUDGET} here or above: only claims are checked"


def _origin(context: click.Context, parameter: click.Parameter, value: str | None) -> BaselineLocation | None:
    try:
        return origin_of(value)
    except SpecError as error:
        raise click.BadParameter(error.text) from None


@click.command("check", cls=Command, epilog=DESIGNS, short_help="Judge specs by their budgets and their claims.")
@click.argument("designs", nargs=-1, type=DesignType(), metavar="[PATH…]")
@click.option("--budget", metavar="PATH", help=f"The budget file; {BUDGET} here or above by default.")
@limit_options([measure.key for measure in measures()], " for the given designs")
@click.option(
    "--profile",
    type=ProfileType(),
    metavar="NAME",
    help="Whose count macs and flops are in --max and --min, such as fvcore.",
)
@device_option("The device of a least_time among --max and --min.")
@dtype_option("Number format for --max and --min, such as int8.")
@batch_option("Samples at once, for --max and --min.")
@click.option(
    "--baseline",
    metavar="WHERE",
    callback=_origin,
    help="git:REV, git:merge-base or a file, in place of the budget file's.",
)
@click.option("--base", metavar="REV", help="The branch to be merged into, for git:merge-base; see diff.")
@click.option("--require-baseline", is_flag=True, help="Fail with 2 where there is nothing to compare with.")
@click.option("--require-coverage", is_flag=True, help="A design under no budget is a finding.")
@click.option(
    "--fail-on",
    type=Word(SEVERITIES),
    default=SEVERITIES[0],
    show_default=True,
    metavar="SEVERITY",
    help="From which severity on a finding fails: error, warning or note.",
)
@click.option("--exit-zero", is_flag=True, help="Findings do not fail; what cannot be judged does.")
@lib_option
@output_options(VERDICTS)
@click.pass_obj
def command(
    settings: Settings,
    designs: tuple[str, ...],
    budget: str | None,
    max_: tuple[Limit, ...],
    min_: tuple[Limit, ...],
    profile: str | None,
    device: str | None,
    dtype: tuple[str, ...],
    batch: int,
    baseline: BaselineLocation | None,
    base: str | None,
    require_baseline: bool,
    require_coverage: bool,
    fail_on: str,
    exit_zero: bool,
    lib: tuple[str, ...],
    targets: list[Target],
) -> int:
    """Judge specs by the limits of a budget file, and by the claims that they make of themselves.

    Without PATH: all designs of all budgets. With files, folders, globs or designs: those alone, by the budgets that
    they are under. A printed number of a claim agrees when the exact value rounds or truncates to its digits; -v lists
    them. The exit code is 1 when a limit or a claim does not hold, 2 when something could not be judged.

    \b
    Examples:
      convcalc check specs
      convcalc check zoo:resnet50@101 -v
      convcalc check model.yaml --max params=25M,macs=4.2G
      convcalc check model.yaml --profile fvcore --max macs=4.2G
      convcalc check model.yaml --dtype int8 --max peak_activation_bytes=512KiB
      convcalc check model.yaml -f concise
    """
    if (max_ or min_) and not designs:
        raise click.UsageError("--max and --min need a PATH: they are limits of the designs that are given")
    max_, min_ = _counted_by(profile, max_, min_)
    wanted = _conditions(batch, only_format(dtype), device, (*max_, *min_))
    given = spec_files(designs) if designs else None
    file, errors = _budget_file(budget)
    if file is None and not errors and given is None:
        raise click.UsageError(f"no {BUDGET} here or above; name the designs to check, or a budget file with --budget")
    _require_outputs(targets, file, baseline)
    origin = baseline or (file.baseline if file else None)
    if base is not None and not errors and (origin is None or origin[:2] != ("git", MERGE_BASE)):
        raise click.UsageError(f"--base is for a baseline at the merge base: add --baseline {GIT}{MERGE_BASE}")
    always = _ad_hoc(max_, min_, wanted)
    options = Options(baseline, always, require_coverage, lib, require_baseline=require_baseline, base=base)
    verdict = _verdict(settings, file, given, options, errors)
    if file is None and not errors and not always:
        verdict = verdict._replace(notes=[NO_BUDGET, *verdict.notes])
        if not settings.quiet:
            say(f"note: {NO_BUDGET}")
    verdict = verdict._replace(failing_severities=SEVERITIES[: SEVERITIES.index(fail_on) + 1])
    write(settings, targets, lambda format_, surface: (
        verdict_text(verdict, surface, every=True) if format_ == "text" and settings.verbose
        else VERDICTS[format_].verdict(verdict, surface)
    ))  # fmt: skip
    if verdict.errors:
        return UNUSABLE
    fails = any(finding.severity in verdict.failing_severities for finding in verdict.findings)
    return FINDING if fails and not exit_zero else FINE


def _require_outputs(targets: Sequence[Target], file: BudgetFile | None, baseline: BaselineLocation | None) -> None:
    """Demand that outputs lead to no place that a stranger's link may choose, and not onto what is judged by.

    Raises:
        UsageError: for a link out of the repository, or the budget file or its baseline.
    """
    read = {os.path.realpath(path) for path in _read_by(file, baseline)}
    for path in filter(None, (target.path for target in targets)):
        real, top = os.path.realpath(path), repository_root(os.path.dirname(path) or ".")
        if real in read:
            raise click.UsageError(f"{quoted(path)} is what is judged by, and would be lost; give another name")
        if top and not is_device(path) and not is_inside(real, os.path.realpath(top)):
            raise click.UsageError(f"{quoted(path)} leads out of its repository, to {quoted(real)}")


def _read_by(file: BudgetFile | None, baseline: BaselineLocation | None) -> Iterator[str]:
    """Give the paths of the budget file and of its baselines."""
    folder = file.folder if file else os.getcwd()
    if file:
        yield from (file.source.name, os.path.join(folder, DEFAULT_NAME))
    for origin in (baseline, file.baseline if file else None):
        if origin is not None and origin.kind != GIT[:-1]:
            yield os.path.join(folder, origin.value)


def _budget_file(path: str | None) -> tuple[BudgetFile | None, list[SpecError]]:
    """Read the budget file that is named or found; what is wrong with it keeps nothing else from being judged."""
    path = find_budget_file(".") if path is None else path
    if path is None:
        return None, []
    try:
        return read_budget_file(path), []
    except SpecErrors as faults:
        return None, faults.errors


def _counted_by(profile: str | None, *limits: tuple[Limit, ...]) -> Iterator[tuple[Limit, ...]]:
    """Give limits in which multiplies and operations are those that a tool counts, if one is named."""
    if profile and not any(limit.metric.key in COUNTED for held in limits for limit in held):
        raise click.UsageError(f"--profile is whose count {' and '.join(COUNTED)} are: limit one with --max or --min")
    for held in limits:
        yield tuple(
            limit._replace(metric=limit.metric._replace(key=profile))
            if profile and limit.metric.key in COUNTED
            else limit
            for limit in held
        )


def _conditions(batch: int, dtype: str, name: str | None, limits: Sequence[Limit]) -> Conditions:
    """Return what ``--max`` and ``--min`` are for.

    Raises:
        click.UsageError: where a condition has no limit, or a limit lacks one.
    """
    machine = None
    if name is not None:
        from convcalc.devices.roofline import device

        machine = device(name)
    wanted = Conditions(batch, dtype, machine)
    if wanted != DEFAULT_CONDITIONS and not limits:
        raise click.UsageError("--batch, --dtype and --device are those of --max and --min; a budget file has its own")
    if machine is None and any(limit.metric.key == LEAST_TIME for limit in limits):
        raise click.UsageError(f"{LEAST_TIME} is that of a device: add --device NAME")
    return wanted


def _ad_hoc(most: tuple[Limit, ...], least: tuple[Limit, ...], wanted: Conditions) -> tuple[Budget, ...]:
    """Return ``--max`` and ``--min`` as a budget each."""
    made = [Budget("max", most[0].span, (), max=most, conditions=wanted)] if most else []
    made += [Budget("min", least[0].span, (), min=least, conditions=wanted)] if least else []
    return tuple(made)


def _verdict(
    settings: Settings,
    file: BudgetFile | None,
    given: Sequence[str] | None,
    options: Options,
    errors: Sequence[SpecError],
) -> Verdict:
    if file is None and given is None:
        return Verdict(0, errors=errors)
    advance: Any = partial(progress, settings, title="Checking")
    verdict = check(file, given, options, advance)
    return verdict._replace(errors=[*errors, *verdict.errors])
