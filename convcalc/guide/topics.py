"""The words that ``explain`` has pages of, by group; the pages of a word; suggestions for unknown words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from typing import TypeAlias

from convcalc import profiles
from convcalc.designs.sources import open_source
from convcalc.devices import roofline
from convcalc.devices.roofline import device_names, read_device
from convcalc.errors import Source, quoted
from convcalc.guide.pages import error_codes, error_page, hanging_table, kind_page, kind_words, page, wrap_paragraphs
from convcalc.metrics.metric import Metric
from convcalc.metrics.registry import lazy_metrics, report_metrics
from convcalc.number_format import format_exact, format_short, format_significant
from convcalc.ops.docs import parse_docstring, single_backticks
from convcalc.spec.document import foreign_names as foreign

Page: TypeAlias = Callable[[int], str]
"""A width → text."""


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Return the words by group, as they are listed."""
    return {
        "Layer types and activations": kind_words(),
        "Metrics": tuple(_metrics()),
        "Profiles of tools": profiles.profile_keys(),
        "Devices": device_names(),
        "Other terms": tuple(dict.fromkeys(entry.name for entry in foreign.names().pages.values())),
        "Errors and warnings": error_codes(),
    }


def words() -> tuple[str, ...]:
    """Return the words of all groups."""
    return tuple(chain(*groups().values()))


def word_list(width: int) -> str:
    """Return what there are pages of, by group."""
    text = """\
`convcalc explain WORD` has a page of each of these words. Names of layers in frameworks are known too: batchnorm, fc, \
PixelShuffle. `convcalc explain DESIGN [PATH]` shows where the numbers of a design come from."""
    sections = {group: wrap_paragraphs(", ".join(names), width - 2) for group, names in groups().items()}
    return page("Words", text, sections, width)


def suggest_word(word: str) -> str:
    """Return what the writer of a word without a page may have meant, to be put behind a sentence; or nothing."""
    names = foreign.names()
    meant = foreign.suggest(word, (*words(), *names.said, *names.pages, *names.metrics))[0]
    longer = [each for each in words() if each.lower().startswith(word.lower())]
    return meant or (f"; did you mean {quoted(longer[0])}?" if longer and word else "")


def find_pages(word: str) -> list[Page]:
    """Return the pages of a word; it may be a kind and something else. Capitals do not matter."""
    own: dict[str, Callable[[str, int], str]] = {
        **dict.fromkeys(error_codes(), error_page),
        **dict.fromkeys(kind_words(), kind_page),
    }
    tables = (own, dict.fromkeys(_metrics(), _metric_page), dict.fromkeys(profiles.profile_keys(), _profile_page),
              dict.fromkeys(device_names(), _device_page))  # fmt: skip
    spelt = dict.fromkeys((word, word.lower(), word.upper()))
    found = [partial(table[one], one) for table in tables for one in spelt if one in table]
    return [*found, *_foreign_pages(word)]


def _foreign_pages(word: str) -> Iterator[Page]:
    """Give the pages of a word of frameworks and papers."""
    names, plain = foreign.names(), foreign.plain(word)
    for name in dict.fromkeys((plain, re.sub(r"[123]d$", "", plain))):
        if entry := names.pages.get(name):
            yield partial(_example_page, entry)
        elif said := names.said.get(name):
            yield partial(_foreign_word_page, word, said)
        if (key := names.metrics.get(name)) and name != key:
            yield partial(_metric_page, key, called=word)


# --- pages ------------------------------------------------------------------------------------------------------------


@cache
def _metrics() -> dict[str, tuple[Metric, object]]:
    """Return all metrics by their keys, each with the function whose docstring has the rest."""
    found = {
        one.key: (one, one.per_sample or one.per_batch or one.values_and_total)
        for one in (*report_metrics(), *lazy_metrics())
    }
    return {**found, roofline.LEAST_TIME_METRIC.key: (roofline.LEAST_TIME_METRIC, roofline.layer_time_bounds)}


def _metric_page(key: str, width: int, called: str = "") -> str:
    measure, function = _metrics()[key]
    formula, sections = parse_docstring(function)
    facts = {"Unit": measure.unit, "Formula": formula, **{key: sections.get(key, "") for key in ("Not", "Called")}}
    written = {heading: wrap_paragraphs(text, width - 2) for heading, text in facts.items() if text}
    tools = [(one.key, one.unit, one.counts) for one in profiles.profiles() if _counts(one, key)]
    if tools:
        written["Tools and what they count"] = "\n".join(hanging_table(tools, width - 2))
    device = " --device NAME" if key == roofline.LEAST_TIME_METRIC.key else ""
    written["Examples"] = f"convcalc report DESIGN --columns {key}{device}\nconvcalc explain DESIGN [PATH]"
    title = f"{called} ({key})" if called else key
    return page(f"{title}: {measure.title}", measure.meaning, written, width)


def _counts(profile: profiles.Profile, key: str) -> bool:
    """Whether a tool's count is to be compared with a metric: two for each multiply–accumulate are FLOPs."""
    return profile.base == key if profile.base != "macs" else key == ("flops" if profile.unit == "FLOPs" else "macs")


def _profile_page(key: str, width: int) -> str:
    profile = profiles.find_profile(key)
    rules = single_backticks(parse_docstring(profile.terms)[0])
    batch = "one sample, whatever the batch" if profile.is_per_sample else "the batch"
    facts = {
        "Unit": f"{profile.unit} of {batch}",
        "Rules": f"What it counts otherwise than {profile.base} does here. {rules}",
        "Source": profile.source,
        "Examples": f"convcalc report DESIGN --profile {key}\n\nconvcalc reconcile DESIGN",
    }
    texts = {heading: wrap_paragraphs(text, width - 2) for heading, text in facts.items()}
    return page(f"{key}: {profile.tool}", profile.counts, texts, width)


def _device_page(key: str, width: int) -> str:
    machine = read_device(key)
    rates = [(name, f"{format_short(rate)} a second", f"{format_significant(rate / machine.bandwidth, 3)} FLOPs a byte")
             for name, rate in machine.operations.items()]  # fmt: skip
    text = "A layer with fewer FLOPs per byte moved than listed for its data type is bound by memory."
    facts = {
        "Memory": f"{format_short(machine.bandwidth)}B a second",
        "Operations": "\n".join(hanging_table(rates, width - 2)),
        "Notes": "\n".join(hanging_table([*machine.notes.items()], width - 2)) if machine.notes else "",
        "Source": machine.source,
        "Examples": f"convcalc report DESIGN --device {key}",
    }
    return page(f"{key}: {machine.name}", text, {head: fact for head, fact in facts.items() if fact}, width)


def _example_page(entry: foreign.Written, width: int) -> str:
    network = open_source(Source(f"{entry.name}.yaml", entry.spec))
    totals, graph = network.report().totals, network.graph
    ends = (
        [node.shape for node in nodes] for nodes in (graph.inputs, map(graph.nodes.__getitem__, graph.outputs.values()))
    )
    shapes = " → ".join(" and ".join(str(list(shape)) for shape in end) for end in ends)
    kinds = dict.fromkeys(layer.op.kind for layer in graph.layers if layer.op)
    return page(entry.name, single_backticks(entry.text), {
        "Written": entry.spec.rstrip(),
        "Counts": f"{shapes}; {format_exact(totals['params'])} params, {format_exact(totals['macs'])} multiplies",
        "Kinds": ", ".join(kinds),
    }, width)  # fmt: skip


def _foreign_word_page(word: str, said: str, width: int) -> str:
    if not foreign.is_kind(said):
        return page(word, f"Not a layer type: {said}.", {}, width)
    return f"{word} is written {quoted(said)} here.\n\n{kind_page(said.partition(':')[0], width)}"
