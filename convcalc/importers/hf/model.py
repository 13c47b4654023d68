"""A configuration as a graph: its template, expanded for the variables that the configuration gives."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from convcalc.arith import Number
from convcalc.errors import Source, SpecError, SpecErrors, quoted
from convcalc.graph.graph import Graph
from convcalc.importers.hf import PREFIX
from convcalc.importers.hf.config import Config, read_config
from convcalc.importers.hf.families import FOLDER, expression, library_version, template_names
from convcalc.importers.hf.settings import DECODER, POSITIONS, ConfigSettings, read_settings
from convcalc.importers.hf.weights import Stored, stored_beside
from convcalc.importers.model import Model
from convcalc.metrics.counts import params
from convcalc.records import cached_property, dataclass, field
from convcalc.spec.document.loader import DocumentLoader
from convcalc.spec.load import expand, parse_spec
from convcalc.spec.yaml.text import read_text

TOKENS = {"seq": 1024, "past": 0, "target": 1024, "samples": 16000, "pixels": 224}
"""Variables that no configuration has: tokens, those before, those of a decoder, samples of sound, pixels on a side."""
SIZES_OF_IMAGES = "num_channels", "image_size"


@dataclass(frozen=True, eq=False)
class HuggingFaceModel(Model):
    """A network of transformers, by its configuration alone."""

    config: Config = field(kw_only=True)
    settings: ConfigSettings = field(kw_only=True)
    tokens: Mapping[str, int] = field(kw_only=True)
    """How many tokens are counted where nothing says it."""
    stored: Stored | None = None
    """The weights that lie beside the configuration."""

    def graph(
        self, variant: str | None, variables: Mapping[str, Number], inputs: Mapping[str, tuple[Number, ...]]
    ) -> Graph:
        given = {**self._tokens(variant), **variables, **self._sizes(inputs, variables)}
        values = self.settings.variables(given)
        values |= {name: value for name, value in given.items() if name in TOKENS}
        self._require_positions(given)
        loader = DocumentLoader(_as_block)
        document = parse_spec(self._template, loader)
        if self.settings.text:
            text = _text_variables(values, self.settings.text.variables({}), given["seq"])
            document.imports["language"].vars |= text
        try:
            graph, _ = expand(document, loader, overrides=values)
        except SpecErrors as found:
            raise self._failed(found) from None
        graph.name, graph.warnings = self.name, []  # those of the template are not the user's
        if self.stored and all(self.variables.get(name) in (None, value) for name, value in variables.items()):
            graph.warnings += self._compared(graph, self.stored)
        return graph

    def _compared(self, graph: Graph, stored: Stored) -> list[SpecError]:
        """Return a warning where the weights that lie beside the configuration are not as many as its parameters."""
        count = sum(params(graph))
        if stored.wrong:
            text = f"{stored.file} beside the configuration is not read: {stored.wrong}"
        elif stored.size == count:
            return []
        else:
            text = f"{stored.file} beside the configuration has {stored.size:,} weights, and not {count:,}"
        hint = "it may be of another class, quantised, or hold shared weights twice"
        return [SpecError("CC814", text, self.span(), "" if stored.wrong else hint)]

    def _tokens(self, variant: str | None) -> dict[str, Number]:
        """Return how many tokens a variant counts: `decode` one behind all that `prefill` counts."""
        if variant != "decode":
            return dict(self.tokens)
        return {**self.tokens, self._written: 1, "past": self.tokens[self._written] - 1}

    @property
    def _written(self) -> str:
        """The tokens that are written one behind another: those of the decoder."""
        return "target" if "target" in self.tokens else "seq"

    def _require_positions(self, given: Mapping[str, Number]) -> None:
        """Demand a learned position for every token."""
        for name in POSITIONS:
            count, most = given.get(name), self.settings.most_tokens(name)
            past = given.get("past", 0) if name == self._written else 0
            if isinstance(count, int) and isinstance(past, int) and count + past > most:
                text = f"{name} is {count + past:,}, and the model has positions for {most:,} tokens"
                raise SpecError("CC401", text, self.span())

    def _sizes(self, inputs: Mapping[str, tuple[Number, ...]], variables: Mapping[str, Number]) -> dict[str, Number]:
        """Return the variables that shapes of inputs give: numbers of tokens. Other sizes are the configuration's."""
        found: dict[str, Number] = {}
        known = self.settings.complete(variables)
        for name, shape in inputs.items():
            sizes = self.inputs[name]
            if len(shape) != len(sizes):
                text = f"the input {quoted(name)} must be [{', '.join(map(str, sizes))}]"
                raise SpecError("CC401", text, self.span())
            for key, size in zip(map(str, sizes), shape, strict=True):
                if key in TOKENS:
                    found[key] = size
                elif size != (own := expression(key).evaluate(known)):
                    text = f"the size of the input is {key}, {own}, and tables of positions have it"
                    hint = f"for another network write --set {key}={size}" if key.isidentifier() else ""
                    raise SpecError("CC401", text, self.span(), hint)
        return found

    @cached_property
    def _template(self) -> Source:
        return read_text(os.path.join(FOLDER, "templates", f"{self.settings.family.template}.yaml"))

    def _failed(self, found: SpecErrors) -> SpecError:
        """Return the error for values that make no network, at the one key that has a value of the message."""
        first = found.errors[0]
        span, values = self.span(), self.config.values
        for number in re.findall(r"\d+", first.text):
            keys = [key for key in values if key in self.settings.family.keys and str(values[key]) == number]
            if len(keys) == 1:
                span = self.config.span(keys[0])
                break
        return SpecError(first.code, f"these values make no network: {first.text}", span)


def read_model(source: Source, data: bytes | None) -> Model:
    """Read a configuration.

    Raises:
        SpecError: CC760, CC761 and CC768 for what is not a configuration, not read, or wrong.
    """
    config = read_config(source.name.removeprefix(PREFIX), data)
    settings = read_settings(config)
    family = settings.family
    numbers = {key: value for key, value in settings.numbers.items() if type(value) is int}
    if settings.vision:
        sizes = settings.variables({})
        numbers |= {key: sizes[key] for key in SIZES_OF_IMAGES if key in sizes}
    names = set().union(*family.inputs.values()) | set(template_names(family.template))
    if "encoder_only" in family.classes[settings.architecture]:
        names -= {"past"}
    tokens = {name: min(most, settings.most_tokens(name)) for name, most in TOKENS.items() if name in names}
    fixed = {key: value for key, value in settings.complete({}).items() if key not in numbers}
    inputs = {
        name: tuple(
            expression(size).evaluate(fixed) if expression(size).names <= fixed.keys() else size for size in sizes
        )
        for name, sizes in family.inputs.items()
    }
    stored = stored_beside(config.source.name)
    note = f"{settings.architecture}, as transformers {library_version()} builds it"
    if assumed := sorted(settings.assumed):
        note += f", with its defaults for keys that are not in the file: {', '.join(assumed)}"
    if stored and not stored.wrong:
        note += f"; {stored.file} beside the configuration has {stored.size:,} weights"
    variants = ("prefill", "decode") if "past" in names else ()
    variables = {**dict.fromkeys(tokens), **numbers}  # those that a variant may change are known where they are given
    return HuggingFaceModel(
        config.source, inputs, settings.architecture, note, variants, variables,
        config=config, settings=settings, tokens=tokens, stored=stored,
    )  # fmt: skip


# --- a decoder of language behind an encoder of images ----------------------------------------------------------------


def _text_variables(values: Mapping[str, Any], text: Mapping[str, Any], seq: Number) -> dict[str, Any]:
    """Return the variables of the decoder of a text that has an image before it: so many tokens more."""
    side = values["image_size"] // values["patch_size"] // values.get("merge", 1) // values.get("pool", 1)
    first = values.get("class_token", False)
    seq = side**2 + first - values.get("drop_first", first) + seq
    heads = {name: values.get(name, False) for name in ("tied", "lm_head")}
    return {**text, **heads, "images": True, "seq": seq}


def _as_block(path: str) -> Any:
    """Read a template; one that has an ``input`` becomes the block `Network`, which also reads tokens of images."""
    source = read_text(path)
    head, found, layers = source.text.partition("\nlayers:\n")
    if not found or not source.text.startswith(f"# A {DECODER}"):
        return source
    block = "\n  Network:\n    inputs: [images]\n    layers:\n"
    return source._replace(text=head + block + "".join(f"    {line}\n" for line in layers.splitlines()))
