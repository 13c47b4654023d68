"""What is counted, but is probably not meant."""

from __future__ import annotations

import pytest

import convcalc


def warned(layer: str) -> tuple[bool, tuple[int, ...]]:
    """Whether there is a warning, and the output of a layer on [4, 9, 9]."""
    report = convcalc.load(text=f"input: [4, 9, 9]\nlayers: [{layer}]\n").report()
    (shape,) = report.outputs.values()
    return any("does not keep the size" in warning for warning in report.warnings), shape


@pytest.mark.parametrize(
    ("kernel", "dilation", "keeps"), [(3, 1, True), (3, 2, True), (2, 1, False), (4, 3, False), (2, 2, True)]
)
def test_half_of_an_even_kernel_does_not_keep_the_size(kernel: int, dilation: int, keeps: bool) -> None:
    sliding = f"kernel: {kernel}, stride: 1, dilation: {dilation}, padding: half"
    for layer in (f"conv: {{out: 4, {sliding}}}", f"dwconv: {{{sliding}}}", f"deconv: {{out: 4, {sliding}}}"):
        is_warned, shape = warned(layer)
        assert (is_warned, shape == (4, 9, 9)) == (not keeps, keeps)
    assert warned(f"maxpool: {{{sliding}}}")[0] != keeps


@pytest.mark.parametrize(
    ("size", "scale", "torch"),
    [
        (45, "1.4", 62),
        (90, "0.7", 62),
        (100, "0.29", 28),
        (20, "1.15", 23),
        (10, "1.1", 11),
        (7, "1/3", 2),
        (3, "1/3", 1),
    ],
)
def test_a_size_that_torch_rounds_otherwise(size: int, scale: str, torch: int) -> None:
    """nn.Upsample multiplies in floating point: its sizes were measured."""
    report = convcalc.load(text=f"input: [2, {size}]\nlayers: [upsample: {scale}]\n").report()
    ((_, exact),) = report.outputs.values()
    assert exact == torch or any(
        f"is {exact}, but" in line and f"makes it {torch}\n" in line for line in report.warnings
    )
    assert bool(report.warnings) == (exact != torch)


def test_other_paddings_are_meant() -> None:
    for padding in ("same", "valid", "0", "[[0, 1], [0, 1]]"):
        assert not warned(f"conv: {{out: 4, kernel: 2, padding: {padding}}}")[0]
