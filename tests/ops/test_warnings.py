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


@pytest.mark.parametrize(
    ("layer", "entering", "refuses"),
    [
        ("maxpool: {kernel: 3, padding: 2, dilation: 2}", "[12, 12]", True),
        ("maxpool: {kernel: 3, padding: 1, dilation: 2}", "[12, 12]", False),
        ("maxpool: {kernel: 3, padding: 2}", "[2, 9, 9]", True),
        ("avgpool: {kernel: 3, padding: 2}", "[2, 9, 9]", True),
        ("avgpool: {kernel: 3, padding: 2}", "[2, 9]", True),
        ("avgpool: {kernel: 4, padding: 2}", "[2, 9, 9]", False),
        ("avgpool: {kernel: 4, padding: 3}", "[2, 9, 9, 9]", True),
        ("maxpool: {kernel: [4, 3], stride: 1, padding: [2, 2], dilation: [1, 2]}", "[2, 9, 9]", True),
        ("maxpool: {kernel: [4, 3], stride: 1, padding: [2, 1], dilation: [1, 2]}", "[2, 9, 9]", False),
        ("maxpool: {kernel: 4, padding: 3, dilation: 2}", "[2, 7, 8, 6]", True),
        ("avgpool: {kernel: 3, padding: 1, ceil_mode: true}", "[6, 10, 2, 11]", True),
        ("avgpool: {kernel: 3, padding: 1}", "[6, 10, 2, 11]", True),
        ("avgpool: {kernel: 3, padding: 1, ceil_mode: true}", "[6, 10, 3, 11]", False),
        ("avgpool: {kernel: 3, padding: 1, ceil_mode: true}", "[6, 2, 11]", False),
        ("maxpool: {kernel: 3, padding: 1, ceil_mode: true}", "[6, 10, 2, 11]", False),
        ("{conv: {out: 4, kernel: 3, stride: 2, padding: same}, via: string}", "[4, 9, 9]", True),
        ("{dwconv: {kernel: 3, stride: [1, 2], padding: same}, via: string}", "[4, 9, 9]", True),
        ("{conv: {out: 4, kernel: 3, stride: 2, padding: valid}, via: string}", "[4, 9, 9]", False),
        ("{conv: {out: 4, kernel: 3, padding: same}, via: string}", "[4, 9, 9]", False),
        ("conv: {out: 4, kernel: 3, stride: 2, padding: same}", "[4, 9, 9]", False),
        ("upsample: {scale: 2, mode: linear}", "[4, 9, 9]", True),
        ("upsample: {scale: 2, mode: bilinear}", "[4, 9]", True),
        ("upsample: {scale: 2, mode: bicubic}", "[4, 9, 9, 9]", True),
        ("upsample: {scale: 2, mode: trilinear}", "[4, 9, 9, 9]", False),
        ("upsample: {scale: 2, mode: area}", "[4, 9, 9, 9]", False),
        ("norm: lrn", "[4]", True),
        ("norm: lrn", "[4, 9]", False),
        ("norm: instance", "[4, 1, 1]", True),
        ("norm: instance", "[4, 1, 2]", False),
        ("norm: {type: instance, track_running_stats: true}", "[4, 1, 1]", False),
        ("avgpool: {kernel: 3, dilation: 2}", "[2, 9, 9]", True),
        ("avgpool: {kernel: 3, dilation: [1, 1]}", "[2, 9, 9]", False),
        ("lstm: {hidden: 4, proj_size: 4}", "[5, 3]", True),
        ("lstm: {hidden: 4, proj_size: 3}", "[5, 3]", False),
    ],
)
def test_what_torch_refuses_and_onnx_has_is_counted_with_a_warning(layer: str, entering: str, refuses: bool) -> None:
    """Every line was tried on torch 2.14.1: it raises where this says so."""
    report = convcalc.load(text=f"input: {entering}\nlayers:\n  - {layer}\n").report()
    assert any("CC806: PyTorch does not build this layer" in warning for warning in report.warnings) == refuses


def test_a_refusal_of_a_later_turn_is_seen_and_said_once() -> None:
    text = "input: [2, 9, 9, 9]\nlayers: [{avgpool: {kernel: 3, stride: 2, padding: 1}, repeat: 4}]\n"
    warnings = convcalc.load(text=text).report().warnings
    assert len([warning for warning in warnings if "CC806" in warning]) == 1
