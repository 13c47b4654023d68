"""The roofline: the least time that a device needs for every layer, and whether arithmetic or memory sets it.

A device is a YAML file: its name, the page that its maker states the numbers on, the most operations in a second by
number format, and the bytes that its memory moves in a second. Those in the folder ``devices`` go by their names; any
other by its path.

    least time = max(FLOPs / operations in a second, traffic bytes / bandwidth)

Source: Williams, Waterman and Patterson 2009, Roofline: an insightful visual performance model. It is a bound for
layers that run one after another with no cache between them, worked out from datasheets, and never a measurement.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import lcm
from typing import Any

from convcalc.arith import Number, at_least, ceildiv, is_plain, total
from convcalc.dtypes import BIT_WIDTHS, dtype_lookup, parse_dtype
from convcalc.errors import Source, Span, SpecError, SpecErrors, did_you_mean, quoted
from convcalc.graph.graph import Graph
from convcalc.metrics.counts import flops
from convcalc.metrics.memory import traffic_bytes
from convcalc.metrics.metric import Metric
from convcalc.quantities import has_byte_suffix, intended_quantity, parse_quantity
from convcalc.records import NamedTuple
from convcalc.spec.yaml.nodes import MapNode as Pairs
from convcalc.spec.yaml.nodes import ScalarNode, YamlNode, parse_yaml
from convcalc.spec.yaml.text import read_text

FOLDER = os.path.dirname(__file__)
SUFFIX = ".yaml"
BANDWIDTH = "bandwidth"
REQUIRED = ("name", "source", "bandwidth", "operations")
KEYS = (*REQUIRED, "note")
NANOSECONDS = 10**9
LEAST_TIME_METRIC = Metric(
    "least_time", "Time bound (ns)", "ns", "lower bound by the device's datasheet; no measurement", 150
)
"""It and :data:`LIMITED_BY_METRIC` have values once they are those of a device: :func:`device_metrics`."""
LIMITED_BY_METRIC = Metric("bound", "Bound", "", "what sets the least time: compute or memory", per_layer=True)


class Device(NamedTuple):
    """A machine as its maker states it: the most operations in a second by number format, and bytes in a second."""

    key: str
    """What ``--device`` called it."""
    name: str
    source: str
    operations: Mapping[str, Fraction]
    bandwidth: Fraction
    notes: Mapping[str, str] = {}
    """The assumptions behind its numbers, by number format; ``""`` for all."""

    def notes_on(self, dtype: str) -> list[str]:
        """Return what is noted on the number formats of ``--dtype``: ``float16: On the tensor cores.``"""
        used = dict.fromkeys(("", *parse_dtype(dtype).computed_in))
        return [f"{name}: {self.notes[name]}" if name else self.notes[name] for name in used if name in self.notes]


def device_names() -> tuple[str, ...]:
    """Return the names of the devices that come with the program."""
    return tuple(sorted(name.removesuffix(SUFFIX) for name in os.listdir(FOLDER) if name.endswith(SUFFIX)))


def read_device(name: str) -> Device:
    """Read a device by its name, or by the path of its file.

    Raises:
        SpecErrors: CC731 no such device, CC732 what is wrong with its file, or why that cannot be read.
    """
    return parse_device(name, device_source(name))


def device_source(name: str) -> Source:
    """Return the text of a device's file; see :func:`read_device`."""
    path = name
    if name in device_names():
        path = os.path.realpath(os.path.join(FOLDER, f"{name}{SUFFIX}"))  # bundled files may be links into a store
    elif os.sep not in name and not name.endswith((SUFFIX, ".yml")) and not os.path.exists(name):
        hint = f"known: {', '.join(device_names())}; or the path of a file"
        text = f"no device {quoted(name)}{did_you_mean(name, device_names())}"
        raise SpecErrors([SpecError("CC731", text, Span(Source(name)), hint=hint)])
    try:
        return read_text(path)
    except SpecError as error:
        raise SpecErrors([error]) from None


def parse_device(name: str, source: Source) -> Device:
    """Return the device of a text; see :func:`read_device`."""
    try:
        root = parse_yaml(source)
    except SpecError as error:
        raise SpecErrors([error]) from None
    if not isinstance(root, Pairs):
        place = root.span if root else Span(source, 1, 1)
        raise _malformed([("a device is a mapping with name, source, bandwidth and operations", place)])
    found = {key.text: value for key, value in root.pairs}
    faults = [(f"unknown key {quoted(key.text)}{did_you_mean(key.text, KEYS)}", key.span)
              for key, _ in root.pairs if key.text not in KEYS]  # fmt: skip
    faults += [(f"a device has a {key}", root.span) for key in REQUIRED if key not in found]
    texts = {key: _text(key, found[key], faults) for key in ("name", "source") if key in found}
    notes = dict(_notes(found["note"], faults)) if "note" in found else {}
    bandwidth = _rate(found[BANDWIDTH], BANDWIDTH, faults) if BANDWIDTH in found else None
    operations = dict(_operations(found["operations"], faults)) if "operations" in found else {}
    if faults or bandwidth is None:
        raise _malformed(faults)
    return Device(name, texts["name"], texts["source"], operations, bandwidth, notes)


def _malformed(faults: list[tuple[str, Span]]) -> SpecErrors:
    hint = "as in `convcalc explain CC732`"
    return SpecErrors([SpecError("CC732", text, span, hint=hint) for text, span in faults])


def _text(key: str, node: YamlNode, faults: list[tuple[str, Span]]) -> str:
    if isinstance(node, ScalarNode) and not node.is_empty and node.text.strip():
        return node.text
    faults.append((f"{key} is a text", node.span))
    return ""


def _notes(node: YamlNode, faults: list[tuple[str, Span]]) -> Iterator[tuple[str, str]]:
    """Give the notes by number format; a text is for all."""
    if not isinstance(node, Pairs):
        yield "", _text("note", node, faults)
        return
    for key, value in node.pairs:
        if key.text in BIT_WIDTHS:
            yield key.text, _text(f"the note on {key.text}", value, faults)
        else:
            faults.append(_unknown_format(key))


def _unknown_format(key: ScalarNode) -> tuple[str, Span]:
    return f"no number format {quoted(key.text)}{did_you_mean(key.text, BIT_WIDTHS)}", key.span


def _rate(node: YamlNode, what: str, faults: list[tuple[str, Span]]) -> Fraction | None:
    """Read a quantity, of bytes where that is the bandwidth; nothing and a fault where it is none, or not positive."""
    text = node.text.strip() if isinstance(node, ScalarNode) else ""
    rate = None if has_byte_suffix(text) and what != BANDWIDTH else parse_quantity(text)
    if not rate:
        near = intended_quantity(text.removesuffix("/s"))
        hint = f"; did you mean {quoted(near)}?" if near and near != text else ""
        faults.append((f"{what} is a positive quantity a second, such as 19.5T{hint}", node.span))
        return None
    return rate


def _operations(node: YamlNode, faults: list[tuple[str, Span]]) -> Iterator[tuple[str, Fraction]]:
    if not isinstance(node, Pairs) or not node.pairs:
        faults.append(("operations gives operations in a second by number format: {float32: 19.5T}", node.span))
        return
    for key, value in node.pairs:
        if key.text not in BIT_WIDTHS:
            faults.append(_unknown_format(key))
        elif (rate := _rate(value, f"the rate of {key.text}", faults)) is not None:
            yield key.text, rate


# --- bounds -----------------------------------------------------------------------------------------------------------


def device_metrics(machine: Device) -> tuple[Metric, Metric]:
    """Return the metrics of a device: the least time of every layer in nanoseconds, and what sets it.

    The layers run one after another, so that their least times add up to that of the design.
    """
    return LEAST_TIME_METRIC._replace(per_batch=partial(layer_time_bounds, machine)), LIMITED_BY_METRIC._replace(
        values_and_total=partial(_bounds, machine)
    )


def layer_time_bounds(machine: Device, graph: Graph, batch: int, dtype: str) -> Sequence[Any]:
    """Least time = max(FLOPs / operations in a second, traffic bytes / bandwidth) of every layer, in nanoseconds.

    The larger of both is the bound: compute or memory.

    Not:
        A measurement, or a forecast: no layer is faster on that device, and most are slower.

    Called:
        the roofline; latency where people measure it.

    Raises:
        SpecErrors: CC733, where the device states no rate for the number format of a layer that multiplies.
    """
    return [max(pair) for pair in _times(machine, graph, batch, dtype)]


def whole_nanoseconds(machine: Device) -> Metric:
    """Return the least time as a metric of whole nanoseconds, rounded up: of any kind of number."""
    return LEAST_TIME_METRIC._replace(values_and_total=partial(_whole_nanoseconds, machine))


def _whole_nanoseconds(machine: Device, graph: Graph, batch: Number, dtype: str) -> tuple[Sequence[Number], Number]:
    """⌈Σ max(operations · ns an operation, bytes · ns a byte)⌉, over a common denominator."""
    form, counted = dtype_lookup(dtype), flops(graph)
    a_byte = NANOSECONDS / machine.bandwidth
    costs = [
        NANOSECONDS / _ops_rate(machine, form(node.path)) if not is_plain(operations) or operations else Fraction(0)
        for node, operations in zip(graph.layers, counted, strict=True)
    ]
    shared = lcm(a_byte.denominator, *(cost.denominator for cost in costs))
    layers = zip(costs, counted, traffic_bytes(graph, batch, dtype), strict=True)
    times = [
        at_least(batch * operations * int(cost * shared), size * int(a_byte * shared))
        for cost, operations, size in layers
    ]
    return [], ceildiv(total(times), shared)


def _bounds(machine: Device, graph: Graph, batch: int, dtype: str) -> tuple[Sequence[str], None]:
    needed = _times(machine, graph, batch, dtype)
    return ["compute" if compute >= memory else "memory" for compute, memory in needed], None


def _times(machine: Device, graph: Graph, batch: int, dtype: str) -> Iterator[tuple[Fraction, Fraction]]:
    """Give the nanoseconds that every layer needs to compute, and to move its bytes."""
    form = dtype_lookup(dtype)
    for node, operations, size in zip(graph.layers, flops(graph), traffic_bytes(graph, batch, dtype), strict=True):
        compute = Fraction(batch * operations) / _ops_rate(machine, form(node.path)) if operations else Fraction(0)
        yield NANOSECONDS * compute, NANOSECONDS * Fraction(size) / machine.bandwidth


def _ops_rate(machine: Device, name: str) -> Fraction:
    if name not in machine.operations:
        hint = f"it does for {', '.join(machine.operations)}: choose one of them as the number format"
        text = f"{machine.name} states no operations in a second for {name}"
        raise SpecErrors([SpecError("CC733", text, Span(Source(machine.key)), hint=hint)])
    return machine.operations[name]
