"""Networks of Darknet: published counts, sizes by trying every place, and what is wrong with a file, at its line."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from convcalc.designs.sources import Network, open_source
from convcalc.errors import Source, SpecErrors
from tests.conftest import Command


def read(text: str, **options: Any) -> Network:
    return open_source(Source("net.cfg", text), **options)


def totals(network: Network) -> tuple[int, int]:
    found = network.report().totals
    return found["params"], found["macs"]


# --- published networks, written again --------------------------------------------------------------------------------


def net(size: int) -> str:
    return f"[net]\nbatch=64\nsubdivisions=8\nwidth={size}\nheight={size}\nchannels=3\nlearning_rate=0.001\n"


def conv(filters: int, size: int, stride: int = 1, activation: str = "leaky", norm: int = 1) -> str:
    return (
        f"\n[convolutional]\nbatch_normalize={norm}\nfilters={filters}\nsize={size}\nstride={stride}\npad=1\n"
        f"activation={activation}\n"
    )


def linear(filters: int) -> str:
    return f"\n[convolutional]\nfilters={filters}\nsize=1\nstride=1\npad=1\nactivation=linear\n"


def pool(size: int = 2, stride: int = 2) -> str:
    return f"\n[maxpool]\nsize={size}\nstride={stride}\n"


def route(*layers: int) -> str:
    return f"\n[route]\nlayers={','.join(map(str, layers))}\n"


SHORTCUT = "\n[shortcut]\nfrom=-3\nactivation=linear\n"
CLASSIFIER = linear(1000) + "\n[avgpool]\n\n[softmax]\ngroups=1\n"
UPSAMPLE = "\n[upsample]\nstride=2\n"


def darknet53() -> Iterable[str]:
    yield conv(32, 3)
    for channels, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        yield conv(channels, 3, 2)
        for _ in range(blocks):
            yield conv(channels // 2, 1) + conv(channels, 3) + SHORTCUT


def yolo(mask: str) -> str:
    return f"\n[yolo]\nmask = {mask}\nanchors = 10,13,  16,30,  33,23\nclasses=80\nnum=9\n"


def yolov3(size: int) -> str:
    head = [net(size), *darknet53()]
    for channels, back, mask in ((512, 0, "6,7,8"), (256, 61, "3,4,5"), (128, 36, "0,1,2")):
        if back:
            head.append(route(-4) + conv(channels, 1) + UPSAMPLE + route(-1, back))
        head += [conv(channels, 1) + conv(2 * channels, 3)] * 3
        head.append(linear(255) + yolo(mask))
    return "".join(head)


def tiny_yolov3() -> str:
    body = "".join(conv(channels, 3) + pool() for channels in (16, 32, 64, 128, 256))
    body += conv(512, 3) + pool(2, 1) + conv(1024, 3) + conv(256, 1) + conv(512, 3) + linear(255) + yolo("3,4,5")
    body += route(-4) + conv(128, 1) + UPSAMPLE + route(-1, 8) + conv(256, 3) + linear(255) + yolo("0,1,2")
    return net(416) + body


def darknet19_stages() -> str:
    body = conv(32, 3) + pool() + conv(64, 3)
    for channels, more in ((128, 1), (256, 1), (512, 2), (1024, 2)):
        body += pool() + conv(channels, 3) + (conv(channels // 2, 1) + conv(channels, 3)) * more
    return body


def yolov2(size: int) -> str:
    head = conv(1024, 3) * 2 + route(-9) + conv(64, 1) + "\n[reorg]\nstride=2\n" + route(-1, -4) + conv(1024, 3)
    return net(size) + darknet19_stages() + head + linear(425) + "\n[region]\nclasses=80\ncoords=4\nnum=5\n"


def resnet(blocks: tuple[int, ...]) -> str:
    """Of two 3×3 convolutions a block: shortcuts cut and sample what they add."""
    body = conv(64, 7, 2) + pool()
    for stage, count in enumerate(blocks):
        for block in range(count):
            channels = 64 * 2**stage
            body += conv(channels, 3, 2 if stage and not block else 1) + conv(channels, 3, 1, "linear")
            body += "\n[shortcut]\nactivation=leaky\nfrom=-3\n"
    return net(256) + body + "\n[avgpool]\n" + linear(1000) + "\n[softmax]\ngroups=1\n"


def vgg16() -> str:
    crop = "\n[crop]\ncrop_height=224\ncrop_width=224\nflip=1\n"
    body = "".join(conv(c, 3, 1, "relu", 0) * n + pool() for c, n in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)))
    full = "".join(f"\n[connected]\noutput={n}\nactivation=relu\n\n[dropout]\nprobability=.5\n" for n in (4096, 4096))
    return net(256) + crop + body + full + "\n[connected]\noutput=1000\nactivation=linear\n\n[softmax]\n\n[cost]\n"


PUBLISHED = {
    "YOLOv3 at 416": (yolov3(416), 61_949_149, 65.86),
    "YOLOv3 at 608": (yolov3(608), 61_949_149, 140.69),
    "tiny YOLOv3": (tiny_yolov3(), 8_852_366, 5.56),
    "YOLOv2 at 608": (yolov2(608), None, 62.94),
    "Darknet53": (net(256) + "".join(darknet53()) + "\n[avgpool]\n" + linear(1000), None, 18.57),
    "Darknet19": (net(256) + darknet19_stages() + CLASSIFIER, None, 7.29),
    "ResNet-18": (resnet((2, 2, 2, 2)), None, 4.69),
    "ResNet-34": (resnet((3, 4, 6, 3)), None, 9.52),
    "VGG-16": (vgg16(), 138_357_544, 30.94),
}
"""Parameters, and the billions of operations that Darknet's page has of each."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    text, params, operations = PUBLISHED[name]
    counted, macs = totals(read(text))
    assert params in (None, counted)
    assert abs(2 * macs / 10**9 - operations) < 0.01


# --- sizes and weights, layer by layer --------------------------------------------------------------------------------


def places(length: int, size: int, stride: int, before: int, after: int) -> int:
    """How many places a window has, by trying them."""
    return len(range(-before, length + after - size + 1, stride))


def only(section: str, *, channels: int = 6, height: int = 11, width: int = 13, first: str = "") -> Network:
    return read(f"[net]\nchannels={channels}\nheight={height}\nwidth={width}\n{first}{section}")


@pytest.mark.parametrize("seed", range(20))
def test_convolutions_and_pools_of_all_sizes(seed: int) -> None:
    draw = random.Random(seed)
    size, stride, groups = draw.choice((1, 2, 3, 5)), draw.choice((1, 2, 3)), draw.choice((1, 2, 3, 6))
    pad, padding, norm = draw.choice((0, 1)), draw.choice((0, 1)), draw.choice((0, 1))
    filters = groups * draw.choice((1, 4))
    network = only(
        f"[convolutional]\nfilters={filters}\nsize={size}\nstride={stride}\ngroups={groups}\npad={pad}\n"
        f"padding={padding}\nbatch_normalize={norm}\nactivation=mish\n"
    )
    around = size // 2 if pad else padding
    high, wide = (places(length, size, stride, around, around) for length in (11, 13))
    weights = filters * 6 // groups * size * size
    assert totals(network) == (weights + filters * (2 if norm else 1), weights * high * wide)
    assert network.graph.nodes[-1].shape == (filters, high, wide)

    total = draw.choice((None, 0, size - 1))
    pooled = only(f"[maxpool]\nsize={size}\nstride={stride}\n" + ("" if total is None else f"padding={total}\n"))
    both = size - 1 if total is None else total
    assert pooled.graph.nodes[-1].shape == (
        6,
        *(places(n, size, stride, both // 2, both - both // 2) for n in (11, 13)),
    )


SHAPES = {
    "[reorg]\nstride=2": (24, 5, 6),
    "[reorg]\nstride=1\nreverse=1": (6, 10, 12),
    "[reorg3d]\nstride=2": (24, 5, 6),
    "[upsample]": (6, 20, 24),
    "[upsample]\nstride=-2": (6, 5, 6),
    "[crop]\ncrop_height=7\ncrop_width=4": (6, 7, 4),
    "[avgpool]": (6, 1, 1),
    "[local_avgpool]\nsize=3\nstride=3\npadding=0": (6, 3, 4),
    "[dropout]\nprobability=.5": (6, 10, 12),
    "[route]\nlayers=-1\ngroups=3\ngroup_id=2": (2, 10, 12),
    "[route]\nlayers=-1, 0": (12, 10, 12),
    "[shortcut]\nfrom=-1\nactivation=linear": (6, 10, 12),
    "[sam]\nfrom=-1": (6, 10, 12),
    "[softmax]": (6, 10, 12),
    "[yolo]\nclasses=1\nnum=1": (6, 10, 12),
    "[Gaussian_yolo]\nclasses=9\nmask=0": None,
    "[convolutional]\nsize=3\npad=1\ndilation=4\nfilters=5": (5, 10, 12),
    "[deconvolutional]\nsize=4\nstride=3\nfilters=5": (5, 9 * 3 + 4, 11 * 3 + 4),
}


@pytest.mark.parametrize("section", SHAPES)
def test_shapes(section: str) -> None:
    first, wanted = "[activation]\nactivation=leaky\n", SHAPES[section]
    if wanted is None:
        with pytest.raises(SpecErrors, match="needs 1·18 = 18 channels, but 6 enter"):
            only(section, first=first, height=10, width=12)
    else:
        assert only(section, first=first, height=10, width=12).graph.nodes[-1].shape == wanted


def gates(count: int, inputs: int, out: int) -> int:
    return count * (inputs * out + out + out * out + out)


WEIGHTS = {
    "[connected]\noutput=7": (24 * 7 + 7, 24 * 7),
    "[connected]\noutput=7\nbatch_normalize=1": (24 * 7 + 2 * 7, 24 * 7),
    "[local]\nfilters=3\nsize=2\nstride=1": (3 * 1 * 2 * 6 * 4 + 3 * 1 * 2, 3 * 1 * 2 * 6 * 4),
    "[rnn]\noutput=5\nhidden=4": (24 * 4 + 4 + 4 * 4 + 4 + 4 * 5 + 5, 24 * 4 + 4 * 4 + 4 * 5),
    "[gru]\noutput=5": (gates(3, 24, 5), 3 * (24 * 5 + 5 * 5)),
    "[lstm]\noutput=5": (gates(4, 24, 5), 4 * (24 * 5 + 5 * 5)),
    "[crnn]\nhidden=4\noutput=3\npad=1": (
        9 * (6 * 4 + 4 * 4 + 4 * 3) + 11,
        4 * 9 * (6 * 4 + 4 * 4 + 4 * 3) + 2 * 9 * 0,
    ),
    "[batchnorm]": (12, 0),
    "[activation]\n\n[shortcut]\nfrom=-1\nweights_type=per_channel": (2 * 6, 0),
    "[activation]\n\n[shortcut]\nfrom=-1\nweights_type=per_feature": (2, 0),
}


@pytest.mark.parametrize("section", WEIGHTS)
def test_weights_of_other_layers(section: str) -> None:
    """On an image of 6×2×2, or 6×2×3 of a local layer: 24 inputs."""
    network = only(section, height=2, width=3 if "local" in section else 2)
    assert totals(network) == WEIGHTS[section]
    is_recurrent = any(kind in section for kind in ("rnn", "gru", "lstm"))
    assert network.report().note == ("recurrent layers are counted for one step" if is_recurrent else "")


def test_shared_weights_are_counted_once() -> None:
    text = "[net]\nchannels=4\nheight=6\nwidth=6\n" + conv(4, 3) + conv(4, 3) + "share_index=0\n"
    assert totals(read(text)) == (4 * 4 * 9 + 8, 2 * 4 * 4 * 9 * 36)


def test_blanks_and_comments_mean_nothing() -> None:
    text = "# a comment\n; another\n\n[ net ]\r\n width = 8 # pixels\nheight=8;x\nchannels=3\n\n[ maxpool ]\nsize = 2\n"
    assert read(text + "stride=2").graph.nodes[-1].shape == (3, 4, 4)


# --- mistakes ---------------------------------------------------------------------------------------------------------

NET = "[net]\nchannels=3\nheight=8\nwidth=8\n"
MISTAKES = {
    "no net": ("[maxpool]\nsize=2\n", 1, "CC760", "its first section must be [net]"),
    "no section": ("width=8\n", 1, "CC760", "its first section must be [net]"),
    "empty": ("", 0, "CC760", "its first section must be [net]"),
    "no layers": (NET, 1, "CC768", "the network has no layers"),
    "no option": (NET + "[maxpool]\nsize 2\n", 6, "CC768", "an option: key=value"),
    "number": (NET + "[maxpool]\nsize=big\n", 6, "CC768", "'size' must be an integer from 1"),
    "zero": (NET + "[convolutional]\nfilters=0\n", 6, "CC768", "'filters' must be an integer from 1"),
    "twice": (NET + "[maxpool]\nsize=2\nsize=3\n", 7, "CC768", "'size' is written twice in [maxpool]"),
    "layer": (NET + "[convolution]\nfilters=2\n", 5, "CC761", "did you mean 'convolutional'?"),
    "option": (NET + "[maxpool]\nmaxpool_depth=1\n", 6, "CC761", "'maxpool_depth' of [maxpool] is not read"),
    "activation": (NET + "[convolutional]\nactivation=leeky\n", 6, "CC761", "did you mean 'leaky'?"),
    "later": (NET + "[route]\nlayers=0\n", 6, "CC768", "layer 0 cannot read layer 0"),
    "no route": (NET + "[route]\n", 5, "CC768", "[route] needs 'layers'"),
    "boxes": (NET + linear(254) + yolo("0,1,2"), 13, "CC405", "needs 3·85 = 255 channels, but 254 enter"),
    "sizes": (NET + conv(8, 3, 2) + conv(8, 3, 2) + route(0, 1), 22, "CC405", "shapes differ"),
    "groups": (NET + "[convolutional]\ngroups=2\nfilters=4\n", 5, "CC404", "groups"),
    "no size": ("[net]\nchannels=3\n[maxpool]\n", 0, "CC762", "sizes are not known"),
    "flat": ("[net]\ninputs=9\n[avgpool]\n", 3, "CC401", "[avgpool] needs [channels, height, width]"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_shown_at_their_lines(case: str, cli: Command, tmp_path: Any) -> None:
    text, line, code, said = MISTAKES[case]
    file = tmp_path / "net.cfg"
    file.write_text(text)
    result = cli("report", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    place = f"{file}:{line}:" if line else f"{file}: "
    assert result.stderr.startswith(place)
    assert f"error {code}" in result.stderr
    assert said in result.stderr


def test_a_damaged_file_is_read_or_refused(cli: Command, tmp_path: Any) -> None:
    draw, text = random.Random(5), tiny_yolov3()
    words = ["-1", "0", "99", "=", "[", "]", "[route]\n", "layers=", "size=0", "\n", "#", "x", ",", "9" * 30]
    outcomes = []
    for number in range(150):
        damaged = text
        for _ in range(draw.choice((1, 1, 2, 4))):
            at = draw.randrange(len(damaged))
            damaged = damaged[:at] + draw.choice(words) + damaged[at + draw.randrange(4) :]
        file = tmp_path / f"{number}.cfg"
        file.write_text(damaged)
        result = cli("report", str(file), "-f", "json")
        outcomes.append((result.exit_code, bool(result.stdout)))
    assert {(0, True), (2, False)} == set(outcomes)


def test_commands_take_a_network(cli: Command, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.cfg").write_text(tiny_yolov3())
    report = cli("report", "tiny.cfg", "--input", "3,320,320", "--depth", "1")
    assert "3×320×320" in report.stdout
    assert "0_convolutional  3 layers" in report.stdout
    shown = cli("explain", "tiny.cfg", "2_convolutional.conv")
    assert "defined at tiny.cfg:21:1\n" in shown.stdout
    assert cli("check", "tiny.cfg", "--max", "params=8852366").exit_code == 0
    assert cli("report", "-", input=tiny_yolov3()).exit_code == 0


def test_a_shortcut_pads_channels_where_sizes_are_symbols(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "net.cfg").write_text(net(32) + conv(8, 3) + conv(12, 3) + "\n[shortcut]\nfrom=-2\n", "utf-8")
    result = cli("formula", tmp_path / "net.cfg", "--symbols", "h")
    assert f"{32 * 9 * (3 * 8 + 8 * 12):,}·h" in result.stdout, result
