"""``convcalc check``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from convcalc.budget.baseline.file import DEFAULT_NAME
from convcalc.budget.check.check_report import GIT, parse_baseline_location
from convcalc.budget.check.checker import check
from convcalc.budget.check.file_judge import Options
from convcalc.budget.file.reader import find_budget_file, read_budget_file
from convcalc.budget.file.types import SEVERITIES, BaselineLocation, Budget, BudgetFile, Limit
from convcalc.cli import ERROR, FINDINGS, SUCCESS, print_error
from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import PROFILE, DesignType, device_option, no_cache_option, opened_cache
from convcalc.cli.options.limits import budget_option, limit_options
from convcalc.cli.options.reading import (
    allow_code_option,
    batch_option,
    code_options,
    dtype_option,
    input_option,
    lib_option,
    only_format,
)
from convcalc.cli.output.atomic_files import is_device
from convcalc.cli.output.progress import progress
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import WordType
from convcalc.designs.names import BUDGET_FILE
from convcalc.designs.patterns import spec_files
from convcalc.errors import SpecError, SpecErrors, quoted
from convcalc.findings import CheckResult
from convcalc.git.repository import MERGE_BASE
from convcalc.metrics.registry import report_metrics
from convcalc.paths import is_inside, repository_root
from convcalc.render import VERDICTS
from convcalc.render.check.page import verdict_text
from convcalc.report.measurements import DEFAULT_CONDITIONS, Conditions
from convcalc.report.metrics import LEAST_TIME

PROFILE_METRICS = ("macs", "flops")
"""What tools count, each in its own way."""
NO_BUDGET = f"no {BUDGET_FILE} here or in a parent folder: only claims are checked"


def _origin(context: click.Context, parameter: click.Parameter, value: str | None) -> BaselineLocation | None:
    try:
        return parse_baseline_location(value)
    except SpecError as error:
        raise click.BadParameter(error.text) from None


@click.command(
    "check", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Check designs against budgets and published numbers."
)
@click.argument("designs", nargs=-1, type=DesignType(), metavar="[PATH…]")
@budget_option
@limit_options([measure.key for measure in report_metrics()], " for the given designs")
@click.option(
    "--profile",
    type=PROFILE,
    metavar="NAME",
    help="Count macs and flops in --max/--min as this tool does, e.g. fvcore.",
)
@device_option("Device for least_time limits.")
@dtype_option("Data type for --max and --min, e.g. int8.")
@batch_option("Batch size for --max and --min.")
@click.option(
    "--baseline",
    metavar="WHERE",
    callback=_origin,
    help="git:REV, git:merge-base or a file; overrides the budget file.",
)
@click.option("--base", metavar="REV", help="Target branch of the merge, for git:merge-base; default as in diff.")
@click.option("--require-baseline", is_flag=True, help="Exit 2 if there is no baseline to compare with.")
@click.option("--require-coverage", is_flag=True, help="Report designs that no budget covers.")
@click.option(
    "--fail-on",
    type=WordType(SEVERITIES),
    default=SEVERITIES[0],
    show_default=True,
    metavar="SEVERITY",
    help="Lowest severity that gives exit code 1: error, warning or note.",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 despite findings; errors still exit 2.")
@no_cache_option
@input_option
@allow_code_option
@code_options
@lib_option
@output_options(VERDICTS)
@click.pass_obj
def command(
    settings: GeneralOptions,
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
    no_cache: bool,
    input_: dict[str, str],
    allow_code: bool,
    code: dict[str, Any],
    lib: tuple[str, ...],
    targets: list[OutputTarget],
) -> int:
    """Check designs against the limits of a budget file and against the published numbers (claims) that specs cite.

    Without PATH: all designs of all budgets. With files, folders, globs, designs or - for standard input: only
    those, under the budgets that cover them. A published number matches if the exact value rounds or truncates to
    its digits; -v lists all. The exit code is 1 if a limit or a claim does not hold or a budget matches nothing, 2 if
    something could not be checked.

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
        raise click.UsageError("--max and --min need a PATH: they limit the designs that are given")
    conditions = _conditions(batch, only_format(dtype), device, (*max_, *min_))
    given = spec_files(designs) if designs else None
    file, errors = _budget_file(budget)
    if file is None and not errors and given is None:
        raise click.UsageError(
            f"no {BUDGET_FILE} here or in a parent folder; name the designs to check, or a budget file with --budget"
        )
    _require_outputs(targets, file, baseline)
    origin = baseline or (file.baseline if file else None)
    if base is not None and not errors and (origin is None or origin[:2] != ("git", MERGE_BASE)):
        raise click.UsageError(f"--base is for a baseline at the merge base: add --baseline {GIT}{MERGE_BASE}")
    always = _command_line_budgets(profile, max_, min_, conditions)
    options = Options(baseline, always, require_coverage, lib, require_baseline=require_baseline, base=base,
                      inputs=input_, code=code if allow_code else None)  # fmt: skip
    verdict = CheckResult(0)
    if file is not None or given is not None:
        advance: Any = partial(progress, settings, title="Checking")
        with opened_cache(without=no_cache) as cache:
            verdict = check(file, given, options._replace(cache=cache), advance)
    verdict = verdict._replace(errors=[*errors, *verdict.errors])
    if file is None and not errors and not always:
        verdict = verdict._replace(notes=[NO_BUDGET, *verdict.notes])
        if not settings.quiet:
            print_error(f"note: {NO_BUDGET}")
    verdict = verdict._replace(failing_severities=SEVERITIES[: SEVERITIES.index(fail_on) + 1])
    write(settings, targets, lambda format_, surface: (
        verdict_text(verdict, surface, every=True) if format_ == "text" and settings.verbose
        else VERDICTS[format_].verdict(verdict, surface)
    ))  # fmt: skip
    if verdict.errors:
        return ERROR
    fails = any(finding.severity in verdict.failing_severities for finding in verdict.findings)
    return FINDINGS if fails and not exit_zero else SUCCESS


def _command_line_budgets(
    profile: str | None, most: tuple[Limit, ...], least: tuple[Limit, ...], conditions: Conditions
) -> tuple[Budget, ...]:
    """Return ``--max`` and ``--min`` as a budget each; with a profile, multiplies and operations are its counts."""
    if profile:
        forms = [[one.metric.suffix for one in limits if one.metric.key in PROFILE_METRICS] for limits in (most, least)]
        if not any(forms) or any(len(set(each)) < len(each) for each in forms):
            raise click.UsageError(
                f"--profile counts {' and '.join(PROFILE_METRICS)} of --max and --min: limit one of them"
            )
        most, least = (
            tuple(
                limit._replace(metric=limit.metric._replace(key=profile))
                if limit.metric.key in PROFILE_METRICS
                else limit
                for limit in limits
            )
            for limits in (most, least)
        )
    made = [Budget("max", most[0].span, (), max=most, conditions=conditions)] if most else []
    made += [Budget("min", least[0].span, (), min=least, conditions=conditions)] if least else []
    return tuple(made)


def _conditions(batch: int, dtype: str, name: str | None, limits: Sequence[Limit]) -> Conditions:
    """Return the conditions of ``--max`` and ``--min``.

    Raises:
        click.UsageError: where a condition has no limit, or a limit lacks one.
    """
    machine = None
    if name is not None:
        from convcalc.devices.roofline import read_device

        machine = read_device(name)
    conditions = Conditions(batch, dtype, machine)
    if conditions != DEFAULT_CONDITIONS and not limits:
        given = [key for key, usual in DEFAULT_CONDITIONS._asdict().items() if getattr(conditions, key) != usual]
        raise click.UsageError(
            f"{' and '.join(f'--{key}' for key in given)} without --max or --min: add a limit, such as "
            f"--max {'least_time=5ms' if machine else 'weight_bytes=5M'}; a budget of a file sets its own "
            f"{' and '.join(given)}"
        )
    if machine is None and any(limit.metric.key == LEAST_TIME for limit in limits):
        raise click.UsageError(f"{LEAST_TIME} needs a device: add --device NAME")
    return conditions


def _budget_file(path: str | None) -> tuple[BudgetFile | None, list[SpecError]]:
    """Read the budget file that is named or found; its errors do not keep claims from being checked."""
    path = find_budget_file(".") if path is None else path
    try:
        return (None if path is None else read_budget_file(path)), []
    except SpecErrors as failed:
        return None, failed.errors


def _require_outputs(
    targets: Sequence[OutputTarget], file: BudgetFile | None, baseline: BaselineLocation | None
) -> None:
    """Demand that outputs do not follow links out of the repository, nor replace the budget file or its baseline.

    Raises:
        UsageError: if one does.
    """
    folder = file.folder if file else os.getcwd()
    read = [file.source.name, os.path.join(folder, DEFAULT_NAME)] if file else []
    read += [
        os.path.join(folder, origin.value)
        for origin in (baseline, file.baseline if file else None)
        if origin is not None and origin.kind != GIT[:-1]
    ]
    for path in filter(None, (target.path for target in targets)):
        real, top = os.path.realpath(path), repository_root(os.path.dirname(path) or ".")
        if real in map(os.path.realpath, read):
            raise click.UsageError(f"{quoted(path)} is the budget file or its baseline; give another name")
        if top and not is_device(path) and not is_inside(real, os.path.realpath(top)):
            raise click.UsageError(f"{quoted(path)} leads out of its repository, to {quoted(real)}")
