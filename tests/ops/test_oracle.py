"""Convolution, transposed convolution and pooling against the oracle that really multiplies, on random cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.errors import SpecErrors
from tests.ops import oracle
from tests.ops.oracle import Case, Counted

LONGEST = {1: 12, 2: 8, 3: 6}
WIDEST = {1: 5, 2: 4, 3: 3}


@st.composite
def cases(draw: st.DrawFn, *, words: tuple[str, ...] = ("valid", "half", "same")) -> Case:
    """A case in 1-D, 2-D or 3-D whose channels split into its groups."""
    axes = draw(st.integers(1, 3))

    def sizes(least: int, most: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(least, most)] * axes))

    groups = draw(st.integers(1, 3))
    pads = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * axes)
    return Case(
        shape=(groups * draw(st.integers(1, 2)), *sizes(1, LONGEST[axes])),
        kernel=sizes(1, WIDEST[axes]),
        stride=sizes(1, 3),
        dilation=sizes(1, 2),
        padding=draw(st.one_of(pads, st.sampled_from(words))),
        out=groups * draw(st.integers(1, 2)),
        groups=groups,
        bias=draw(st.booleans()),
    )


def sliding(case: Case) -> dict[str, Any]:
    """The arguments that convolutions and pools have in common, as a spec writes them."""
    padding = case.padding if isinstance(case.padding, str) else [list(pair) for pair in case.padding]
    return {"kernel": list(case.kernel), "stride": list(case.stride), "padding": padding}


def convolving(case: Case) -> dict[str, Any]:
    own = {"dilation": list(case.dilation), "out": case.out, "groups": case.groups, "bias": str(case.bias).lower()}
    return sliding(case) | own


def counted(kind: str, case: Case, arguments: dict[str, Any]) -> Counted | None:
    """What convcalc counts for a layer; nothing where it refuses the shapes."""
    written = ", ".join(f"{name}: {value}" for name, value in arguments.items())
    text = f"input: {list(case.shape)}\nlayers:\n  - {kind}: {{{written}}}\n"
    try:
        report = convcalc.load(text=text.replace("'", "")).report()
    except SpecErrors as errors:
        if {error.code for error in errors.errors} <= {"CC403", "CC404"}:
            return None
        raise
    (shape,) = report.outputs.values()
    return Counted(shape, report.totals["params"], report.totals["macs"])


@settings(max_examples=250)
@given(cases(), st.booleans())
def test_convolution(case: Case, shared: bool) -> None:
    case = replace(case, shared=shared)
    arguments = convolving(case) | {"weight_sharing": "channels" if shared else "none"}
    assert counted("conv", case, arguments) == oracle.convolved(case)


@settings(max_examples=80)
@given(cases(), st.integers(1, 2))
def test_depthwise_convolution(case: Case, multiplier: int) -> None:
    channels = case.shape[0]
    case = replace(case, groups=channels, out=multiplier * channels)
    arguments = convolving(case) | {"multiplier": multiplier}
    del arguments["out"], arguments["groups"]
    assert counted("dwconv", case, arguments) == oracle.convolved(case)


@settings(max_examples=250)
@given(cases(), st.tuples(*[st.integers(0, 1)] * 3))
def test_transposed_convolution(case: Case, output_padding: tuple[int, ...]) -> None:
    case = replace(case, output_padding=output_padding[: len(case.kernel)])
    arguments = convolving(case) | {"output_padding": list(case.output_padding)}
    assert counted("deconv", case, arguments) == oracle.transposed(case)


@settings(max_examples=400)
@given(cases(), st.booleans(), st.sampled_from(("maxpool", "avgpool")))
def test_pooling(case: Case, ceil_mode: bool, kind: str) -> None:
    case = replace(case, ceil_mode=ceil_mode)
    arguments = sliding(case) | {"dilation": list(case.dilation), "ceil_mode": str(ceil_mode).lower()}
    assert counted(kind, case, arguments) == oracle.pooled(case)


@settings(max_examples=60)
@given(cases(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_channels_that_do_not_split_are_refused(case: Case, channels: int, out: int, groups: int) -> None:
    case = replace(case, shape=(channels, *case.shape[1:]), out=out, groups=groups)
    case = replace(case, output_padding=(0,) * len(case.kernel))
    assert counted("conv", case, convolving(case)) == oracle.convolved(case)
    assert counted("deconv", case, convolving(case)) == oracle.transposed(case)


@settings(max_examples=100)
@given(cases(), st.sampled_from(("valid", "half", "same")))
def test_words_of_padding(case: Case, word: str) -> None:
    """The report says which cells a word adds, or a transposed convolution cuts."""
    case = replace(case, padding=word, output_padding=(0,) * len(case.kernel))
    canvas = [(n - 1) * s + oracle.reach(k, d) for n, k, s, d in axes_of(case)]
    for kind, pads in (("conv", oracle.pads_of(case)), ("deconv", oracle.transposed_pads(case, canvas))):
        if (oracle.convolved if kind == "conv" else oracle.transposed)(case) is not None:
            written = ", ".join(f"{name}: {value}" for name, value in convolving(case).items())
            (row,) = convcalc.load(text=f"input: {list(case.shape)}\nlayers: [{kind}: {{{written}}}]\n").report().rows
            assert row.attributes["padding"] == pads


def axes_of(case: Case) -> zip[tuple[int, int, int, int]]:
    return zip(case.shape[1:], case.kernel, case.stride, case.dilation, strict=True)


# --- the oracle itself ------------------------------------------------------------------------------------------------


def test_the_oracle_agrees_with_counting_on_paper() -> None:
    """A 3×3 kernel over 2 of 4 channels, on 5×5 cells with one row of padding at the top: 6−3+1 by 5−3+1 places."""
    case = Case((4, 5, 5), (3, 3), (1, 1), (1, 1), ((1, 0), (0, 0)), out=6, groups=2)
    assert oracle.convolved(case) == Counted((6, 4, 3), 6 * 2 * 9 + 6, 6 * 2 * 9 * 12)


def test_the_oracle_spreads_every_input_cell() -> None:
    """2×2 kernels at stride 2 on 3×3 cells do not overlap: 6×6 cells, each made once for each input channel."""
    case = Case((4, 3, 3), (2, 2), (2, 2), (1, 1), "valid", out=5, bias=False, output_padding=(0, 0))
    assert oracle.transposed(case) == Counted((5, 6, 6), 4 * 5 * 4, 4 * 5 * 6 * 6)


@pytest.mark.parametrize(
    ("size", "pads", "kernel", "stride", "places"),
    [
        (6, (0, 0), 3, 2, 3),  # at 0, 2 and, half outside, 4
        (5, (0, 0), 3, 2, 2),  # they end together with the input
        (2, (0, 0), 3, 2, 1),  # the only window reaches over the end
        (4, (1, 1), 2, 3, 2),  # at 0 and 3; one more step and it would start behind the end
        (3, (1, 1), 2, 4, 1),  # a second window would start in the padding at the end
    ],
)
def test_the_oracle_rounds_pools_up(size: int, pads: tuple[int, int], kernel: int, stride: int, places: int) -> None:
    assert oracle.rounded_up(size, *pads, kernel, stride, 1) == places
