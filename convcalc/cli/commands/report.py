"""``convcalc report``."""

from __future__ import annotations

import click

from convcalc.cli.group import DESIGN_NAMES_HELP, Command, GeneralOptions
from convcalc.cli.options.designs import DesignType, device_option, print_warnings, profile_option
from convcalc.cli.options.metrics import (
    ColumnChoice,
    MetricKeyType,
    SortKey,
    columns_option,
    order_options,
    split_columns,
)
from convcalc.cli.options.reading import DesignOptions, design_options
from convcalc.cli.output.targets import OutputTarget, output_options, write
from convcalc.cli.types import PositiveInt, WordType
from convcalc.memory import paused
from convcalc.metrics.registry import DETAIL_KEYS, FIELD_KEYS, WITHOUT_GATES, report_metrics
from convcalc.render import FORMATS
from convcalc.report.fold import DEFAULT_COLUMNS, GROUPINGS, TEXT_SORT_KEYS, TableOptions

METRICS = tuple(measure.key for measure in report_metrics() if measure.is_additive)
"""The metrics that are sums over layers."""
TOTAL_ONLY = tuple(
    measure.key for measure in report_metrics() if not measure.is_additive and measure.key not in DETAIL_KEYS
)
COLUMNS = (*METRICS, *DETAIL_KEYS, "least_time", "bound")
ROOFLINE_COLUMNS = ("macs", "traffic_bytes", "least_time", "bound")
"""The columns of a report for a device, and the two that it adds."""


GATES = ("with-gates", WITHOUT_GATES)

depth_option = click.option(
    "--depth", type=PositiveInt(), metavar="N", help="Group layers by the first N segments of their paths."
)
by_option = click.option("--by", type=WordType(GROUPINGS), default="layer", show_default=True, metavar="GROUP",
                         help="One row per layer, op or block.")  # fmt: skip


@click.command(
    "report", cls=Command, epilog=DESIGN_NAMES_HELP, short_help="Report every layer of a design and the totals."
)
@click.argument("design", type=DesignType())
@depth_option
@by_option
@order_options(
    MetricKeyType((*COLUMNS[:-1], *TEXT_SORT_KEYS), profiles=True),
    "rows",
    order="A metric (largest first unless :asc), path or op.",
    words=", and the sum of the rest",
)
@columns_option(
    MetricKeyType((*COLUMNS, *TOTAL_ONLY), profiles=True),
    f"Metrics to show; +KEY adds: {', '.join(COLUMNS)}; any profile, e.g. fvcore; "
    f"in the totals: {', '.join(TOTAL_ONLY)}.",
)
@click.option("--receptive-field", "fields", type=WordType(GATES), metavar="WAY",
              help="Receptive fields with-gates (default) or without-gates: ignore branches of a mul that are one cell "
              "after a global pool (squeeze-and-excitation).")  # fmt: skip
@click.option("--show-repeats", "repeats", is_flag=True,
              help="Show every layer, where a terminal shows equal ones once: block1 … block3 × 3.")  # fmt: skip
@device_option("Add a roofline time bound for a device, e.g. v100-sxm2.")
@profile_option
@design_options
@output_options(FORMATS)
@click.pass_obj
@paused()
def command(
    settings: GeneralOptions, design: str, reading: DesignOptions, targets: list[OutputTarget], depth: int | None,
    by: str, sort: SortKey | None, top: int | None, columns: ColumnChoice, device: str | None, fields: str | None,
    profile: str | None, repeats: bool,
) -> None:  # fmt: skip
    """Count the layers of DESIGN: parameters, multiplies, activations, depth.

    \b
    Examples:
      convcalc report model.yaml
      convcalc report zoo:resnet50@101 --depth 1
      convcalc report model.yaml --set width=0.5 --sort params --top 10
      convcalc report model.yaml -f text -f json=report.json
      convcalc report model.onnx --set batch=8
      convcalc report torch:torchvision.models:resnet18 --input 3,224,224
      convcalc report zoo:vgg --columns receptive_field,effective_stride
      convcalc report zoo:vgg --dtype float16 --device a100-sxm-80gb
    """
    (network,) = reading.networks([design])
    columns, whole = split_columns(columns, TOTAL_ONLY, profile)
    asked = {*columns.keys, *([sort.key] if sort else [])}
    if sort and sort.key not in TEXT_SORT_KEYS and (not columns.adds or sort.key not in DEFAULT_COLUMNS):
        columns = columns._replace(keys=tuple(dict.fromkeys((*columns.keys, sort.key))))
    if fields and asked.isdisjoint(FIELD_KEYS):
        columns = columns._replace(keys=(*columns.keys, FIELD_KEYS[0]))
        asked.add(FIELD_KEYS[0])
    if device is None and not asked.isdisjoint(ROOFLINE_COLUMNS[2:]):
        raise click.UsageError("least_time and bound are those of a device: add --device NAME")
    programs = ["peak"] if any(target.format == "json" for target in targets) else []
    details = [key for key in (*DETAIL_KEYS, WITHOUT_GATES) if key in {*asked, fields}]
    tools = asked.difference(COLUMNS, TEXT_SORT_KEYS)
    usual = [*(METRICS if settings.verbose else ROOFLINE_COLUMNS[:2]), *ROOFLINE_COLUMNS[2:]] if device else METRICS
    replaced = None if columns.adds and not device and not settings.verbose else columns.over(usual)
    more = columns.keys if columns.adds else ()
    view = TableOptions(
        depth, by, sort.key if sort else None, top, replaced, more, totals=whole, every=settings.verbose,
        falling=sort.descending if sort else None, repeats=repeats,
    )  # fmt: skip
    is_text = all(target.format == "text" for target in targets)
    report = reading.report(network, {*programs, *details, *tools}, device, view if is_text else None)
    write(settings, targets, lambda format_, surface: FORMATS[format_].report(report, view, surface))
    print_warnings(settings, report.warnings)
