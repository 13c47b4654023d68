"""``via``: where it may stand, what it reaches, and that it changes no count."""

from __future__ import annotations

import pytest

import convcalc
from convcalc.designs.sources import open_source
from convcalc.errors import Source, SpecErrors
from convcalc.ops.source_form import SOURCE_FORMS
from convcalc.report.measurements import Measurements
from tests.conftest import ROOT


def forms(layers: str, rest: str = "") -> dict[str, str]:
    """Path → ``via`` of every layer that says one."""
    text = f"convcalc: 1\ninput: [8, 16, 16]\n{rest}layers:\n  - {layers}\n"
    return {
        node.path: node.source_form for node in open_source(Source("spec.yaml", text)).graph.layers if node.source_form
    }


def fault(layers: str, rest: str = "") -> tuple[str, str, int]:
    with pytest.raises(SpecErrors) as caught:
        forms(layers, rest)
    (error,) = caught.value.errors
    assert error.span is not None
    return error.code, error.text, error.span.line


@pytest.mark.parametrize("word", SOURCE_FORMS)
def test_every_word_reaches_its_layer(word: str) -> None:
    assert forms(f"{{relu: , via: {word}}}") == {"act1": word}


def test_it_stands_at_joins_and_at_layers_that_are_repeated() -> None:
    assert forms("{add: [identity, relu], via: function}") == {"add1": "function"}
    assert forms("{relu: , via: method, repeat: 2}") == {"act1_1": "method", "act1_2": "method"}


def test_defaults_hold_for_layers_of_the_kind_and_for_fused_ones() -> None:
    defaults = "defaults: {norm: {via: subclass}, act: {via: function}, conv: {norm: batch}}\n"
    layers = "[conv: {out: 8, kernel: 1, act: relu}, norm: batch, gelu, {relu: , via: module}, conv: [8, 1]]"
    assert forms(layers, defaults) == {
        "conv1.norm": "subclass",
        "conv1.act": "function",
        "norm1": "subclass",
        "act1": "function",
        "act2": "module",
        "conv2.norm": "subclass",
    }


def test_a_fused_part_has_its_own() -> None:
    layers = "{conv: {out: 8, kernel: 1, norm: {type: batch, via: subclass}, act: relu}, via: string}"
    assert forms(layers) == {"conv1": "string", "conv1.norm": "subclass"}
    defaults = "defaults: {conv: {norm: {type: batch, via: subclass}}}\n"
    assert forms("conv: [8, 1]", defaults) == {"conv1.norm": "subclass"}


def test_it_may_be_an_expression_and_words_may_name_variables() -> None:
    layers = "{relu: , via: function if fused else subclass}"
    assert forms(layers, "vars: {fused: true}\n") == {"act1": "function"}
    assert forms(layers, "vars: {fused: false}\n") == {"act1": "subclass"}
    block = "blocks:\n  B: {params: {own}, layers: [{relu: , via: subclass if own else module}]}\n"
    assert forms("[B: true, B: false]", block) == {"b1.act1": "subclass", "b2.act1": "module"}


def test_what_is_wrong_is_said_where_it_stands() -> None:
    assert fault("{relu: , via: functoin}") == (
        "CC410", f"via is {', '.join(SOURCE_FORMS)}, not 'functoin'; did you mean 'function'?", 4,
    )  # fmt: skip
    assert fault("{relu: , via: }")[0] == "CC114"
    assert fault("{relu: , via: [function]}")[0] == "CC117"
    assert fault("{relu: , via: 1 + 1}")[0] == "CC410"
    assert fault("{relu: , via: function if wide else module}")[0] == "CC201"
    assert fault("{seq: [relu], via: function}")[0] == "CC119"
    assert fault("relu", "defaults: {act: {via: fun}}\n")[0] == "CC410"


def test_it_changes_no_count_but_the_memory_of_attention() -> None:
    """Beside a log-sum a query and head, one kernel keeps what is kept of attention by hand but softmax and scaled q.

    ViT-B/16 has 12 attentions of 12 heads on 197 tokens of 768 features.
    """
    for design, kept in (("zoo:googlenet", 0), ("zoo:vit", 12 * (12 * 197 * 197 + 197 * 768 - 12 * 197))):
        graph = convcalc.load(design).graph
        before = Measurements(design, graph, Source(design)).totals()
        for node in graph.nodes:
            node.source_form = ""
        after = Measurements(design, graph, Source(design)).totals()
        assert after == {**before, "training_bytes": before["training_bytes"] + 4 * kept}


def test_the_reference_of_the_language_lists_the_words() -> None:
    text = (ROOT / "specs" / "README.md").read_text("utf-8").replace("`", "")
    assert [word for word, meaning in SOURCE_FORMS.items() if f"| {word} | {meaning} |" not in text] == []
