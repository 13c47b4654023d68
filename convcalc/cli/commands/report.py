"""``convcalc report``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcalc.cli.group import DESIGNS, Command, Settings
from convcalc.cli.options.designs import (
    DesignType,
    Reading,
    device_option,
    profile_option,
    profiled,
    reading_options,
    warn,
)
from convcalc.cli.output.targets import Target, output_options, write
from convcalc.cli.types import ParamType, Positive, Word, beginning
from convcalc.metrics.registry import DETAILS, LAZY, WITHOUT_GATES, measures
from convcalc.render import FORMATS
from convcalc.report.fold import DEFAULT_COLUMNS, GROUPINGS, TEXT_KEYS, View

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from convcalc.designs.sources import Network
    from convcalc.report.report import Report

METRICS = tuple(measure.key for measure in measures() if measure.additive)
"""The metrics that are sums over layers."""
WHOLE = tuple(measure.key for measure in measures() if not measure.additive and measure.key not in DETAILS)
COLUMNS = (*METRICS, *DETAILS, "least_time", "bound")
BOUNDED = ("macs", "traffic_bytes", "least_time", "bound")
"""The columns of a report for a device, and the two that it adds."""


FIELDS = LAZY["receptive_field"]
GATES = ("with-gates", WITHOUT_GATES)


class _Key(Word):
    """One of some words, or the key of a profile."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            from convcalc.profiles import profile_keys  # only what is unknown needs them

            if value in profile_keys():
                return value
        return super().convert(value, param, ctx)


class Metrics(ParamType[tuple[str, ...]]):
    """Keys of metrics with commas between: all columns of a report, or the words that are given."""

    name = "keys"

    def __init__(self, known: Word | None = None) -> None:
        self.known = known or _Key(COLUMNS)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        keys = [key.strip() for key in value.split(",")]
        for key in keys:
            if key in WHOLE:
                self.fail(f"{key} is no sum over layers: it stands with the totals, not in a column", param, ctx)
        return tuple(self.known.convert(key, param, ctx) for key in keys)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, _ = incomplete.rpartition(",")
        return beginning(incomplete, [f"{before}{comma}{metric}" for metric in self.known.choices])


def _bounded(report: Report, network: Network, name: str) -> Report:
    from convcalc.devices.roofline import bounded, device  # a plain report does without

    return bounded(report, network.graph, device(name))


@click.command("report", cls=Command, epilog=DESIGNS, short_help="The layers of a design and what they cost.")
@click.argument("design", type=DesignType())
@click.option("--depth", type=Positive(), metavar="N", help="Fold layers to the first N segments of their path.")
@click.option(
    "--by",
    type=Word(GROUPINGS),
    default="layer",
    show_default=True,
    metavar="GROUP",
    help="One row per layer, op or block.",
)
@click.option("--sort", type=_Key((*COLUMNS[:-1], *TEXT_KEYS)), metavar="KEY",
              help="A metric (largest first), path or op.")  # fmt: skip
@click.option("--top", type=Positive(), metavar="N", help="Only the N largest rows, and one that sums the others.")
@click.option("--columns", type=Metrics(), metavar="KEY,…", help=f"Metrics to show: {', '.join(COLUMNS)}.")
@click.option("--receptive-field", "fields", type=Word(GATES), metavar="WAY",
              help="Receptive fields with-gates (as by default) or without-gates: without the branches of a mul that "
              "are one cell behind a global pool (squeeze-and-excitation).")  # fmt: skip
@device_option("Add the least time on a device, such as v100-sxm2.")
@profile_option
@reading_options
@output_options(FORMATS)
@click.pass_obj
def command(
    settings: Settings, design: str, reading: Reading, targets: list[Target], depth: int | None, by: str,
    sort: str | None, top: int | None, columns: tuple[str, ...] | None, device: str | None,
    fields: str | None, profile: str | None,
) -> None:  # fmt: skip
    """Count the layers of DESIGN: parameters, multiplies, activations, depth.

    \b
    Examples:
      convcalc report model.yaml
      convcalc report zoo:resnet50@101 --depth 1
      convcalc report model.yaml --set width=0.5 --sort params --top 10
      convcalc report model.yaml -f text -f json=report.json
      convcalc report zoo:vgg --columns receptive_field,effective_stride
      convcalc report zoo:vgg --dtype float16 --device a100-sxm-80gb
    """
    (network,) = reading.networks([design])
    asked = {*(columns or ()), sort or ""}
    fielded = FIELDS[:1] if fields and asked.isdisjoint(FIELDS) else ()
    if device is None and not asked.isdisjoint(BOUNDED[2:]):
        raise click.UsageError("least_time and bound are those of a device: add --device NAME")
    tools = asked - {"", profile, *COLUMNS, *TEXT_KEYS}
    if tools:
        raise click.UsageError(f"{tools.pop()} is another tool's count: add --profile NAME")
    programs = ["peak"] if any(target.format == "json" for target in targets) else []
    details = [key for key in (*DETAILS, WITHOUT_GATES) if key in {*asked, *fielded, fields}]
    report = reading.report(network, programs + details)
    if device is not None:
        report = _bounded(report, network, device)
    usual = [*(METRICS if settings.verbose else BOUNDED[:2]), *BOUNDED[2:]] if device else METRICS
    shown = columns or (tuple(usual) if device or settings.verbose else None)
    if fielded:
        shown = (*(shown or DEFAULT_COLUMNS), *fielded)
    if profile is not None:
        report = profiled(report, network, profile)
        shown = (*(shown or DEFAULT_COLUMNS), *({profile} - set(shown or ())))
    view = View(depth, by, sort, top, shown)
    write(settings, targets, lambda format_, surface: FORMATS[format_].report(report, view, surface))
    warn(settings, report.warnings)
