"""Bounds by hand, the shipped devices against what their makers state, and files that describe others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import convcalc
from convcalc.devices.roofline import device_names, read_device

NET = "input: [3, 8, 8]\nlayers: [{conv: {out: 4, kernel: 3, bias: false}, name: c}, {relu: , name: r}]"
BOARD = """\
name: Board
source: https://example.org/board
bandwidth: 2.5G
operations: {float32: 1T, int8: 4T}
"""
STATED = {
    "a100-sxm-80gb": (
        2039,
        {"float64": 19.5, "float32": 19.5, "bfloat16": 312, "float16": 312, "int8": 624, "int4": 1248},
    ),
    "h100-sxm": (3350, {"float64": 67, "float32": 67, "bfloat16": 989.5, "float16": 989.5, "fp8": 1979, "int8": 1979}),
    "rtx-4090": (
        1008,
        {"float32": 82.6, "bfloat16": 165.2, "float16": 330.3, "fp8": 660.6, "int8": 660.6, "int4": 1321.2},
    ),
    "v100-sxm2": (900, {"float64": 7.8, "float32": 15.7, "float16": 125}),
}
"""GB and dense T operations a second, copied from NVIDIA's datasheets and whitepapers, which the files name."""


@pytest.fixture
def board(tmp_path: Path) -> str:
    path = tmp_path / "board.yaml"
    path.write_text(BOARD, "utf-8")
    return str(path)


@pytest.mark.parametrize("name", STATED)
def test_shipped_devices_have_what_their_makers_state(name: str) -> None:
    found, (gigabytes, tera) = read_device(name), STATED[name]
    assert found.bandwidth == gigabytes * 10**9
    assert dict(found.operations) == {form: Fraction(str(rate)) * 10**12 for form, rate in tera.items()}
    assert found.source.startswith("https://")


def test_all_shipped_devices_can_be_read_and_name_their_source() -> None:
    assert set(STATED) <= set(device_names())
    assert all(read_device(name).source.startswith("https://") for name in device_names())


def test_bounds_by_hand(board: str) -> None:
    """The convolution: 2·4·27·36 operations at 1 per ps, (192 + 108 + 144) numbers of 4 bytes at 2.5 per ns."""
    network = convcalc.load(text=NET)
    report = network.report(device=board)
    first, second = report.rows
    assert 2 * 4 * 27 * 36 / 1000 < 4 * 444 / 2.5
    assert (first.values["least_time"], first.values["bound"]) == (Fraction(4 * 444) / Fraction(5, 2), "memory")
    assert (second.values["least_time"], second.values["bound"]) == (Fraction(4 * 288) / Fraction(5, 2), "memory")
    assert report.totals["least_time"] == Fraction(4 * (444 + 288)) / Fraction(5, 2)


def test_a_layer_that_computes_longer_than_it_reads(tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text(BOARD.replace("float32: 1T", "float32: 1G"), "utf-8")
    network = convcalc.load(text=NET)
    report = network.report(batch=3, device=str(tmp_path / "slow.yaml"))
    assert (report.rows[0].values["least_time"], report.rows[0].values["bound"]) == (3 * 2 * 4 * 27 * 36, "compute")


def test_formats_of_single_layers_have_their_own_rates(board: str) -> None:
    """In int8 the convolution reads 192 numbers of 4 bytes from the input, 108 weights and 144 outputs of one."""
    network = convcalc.load(text=NET)
    report = network.report(dtype="float32, c=int8", device=board)
    assert report.rows[0].values["traffic_bytes"] == 4 * 192 + 108 + 144
    assert report.rows[1].values["traffic_bytes"] == 144 + 4 * 144
    assert report.rows[0].values["least_time"] == Fraction(4 * 192 + 108 + 144) / Fraction(5, 2)


def test_a_rate_that_is_not_stated(board: str) -> None:
    network = convcalc.load(text=NET)
    with pytest.raises(convcalc.SpecErrors, match=r"CC733.*Board states no operations in a second for float16"):
        network.report(dtype="float16", device=board)


@pytest.mark.parametrize(
    ("was", "now", "place", "text"),
    [
        ("2.5G", "fast", "3:12", "bandwidth is a positive quantity a second"),
        ("2.5G", "0", "3:12", "bandwidth is a positive quantity a second"),
        ("1T", "-1T", "4:23", "the rate of float32 is a positive quantity a second"),
        ("int8:", "int9:", "4:27", "no number format 'int9'; did you mean 'int8'?"),
        ("name:", "nam:", "1:1", "unknown key 'nam'; did you mean 'name'?"),
        ("source: https://example.org/board\n", "", "1:1", "a device has a source"),
        ("{float32: 1T, int8: 4T}", "[1T]", "4:13", "operations gives operations in a second by number format"),
        ("}\n", "}\nnote: {int9: Slow.}\n", "5:8", "no number format 'int9'; did you mean 'int8'?"),
        ("}\n", "}\nnote: {int8: [Slow]}\n", "5:14", "the note on int8 is a text"),
        (BOARD, "- 1\n", "1:1", "a device is a mapping"),
        (BOARD, "", "1:1", "a device is a mapping"),
    ],
)
def test_malformed_files(tmp_path: Path, was: str, now: str, place: str, text: str) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(BOARD.replace(was, now), "utf-8")
    with pytest.raises(convcalc.SpecErrors) as caught:
        read_device(str(path))
    assert f"board.yaml:{place}: error CC732: {text}" in str(caught.value)


def test_wrong_names() -> None:
    with pytest.raises(convcalc.SpecErrors, match=r"CC731: no device 'a100-sxm-80g'; did you mean 'a100-sxm-80gb'\?"):
        read_device("a100-sxm-80g")
    with pytest.raises(convcalc.SpecErrors, match="CC001"):
        read_device("missing/board.yaml")


@pytest.mark.parametrize("form", ["text", "markdown", "html", "latex"])
def test_every_format_for_people_says_that_it_is_a_bound(form: str) -> None:
    from convcalc.render import FORMATS, Surface, TableOptions

    network = convcalc.load("zoo:lenet")
    report = network.report(device="v100-sxm2")
    text = FORMATS[form].report(report, TableOptions(columns=("least_time", "bound")), Surface())
    assert "not measurements" in text
    assert "Time bound (ns)" in text
