"""The layers of Darknet, each by its section: sizes and weights as Darknet computes them.

Source: the files of Redmon's Darknet and of Bochkovskiy's, and what both print of each layer.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convcalc.arith import floordiv, is_plain, prod
from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.importers.darknet.network import DarknetNetwork, Section, invalid
from convcalc.shapes import Shape

Layer = Callable[[DarknetNetwork, Section, int], int]
"""From a section and what enters to what leaves."""


def convolutional(net: DarknetNetwork, section: Section, x: int) -> int:
    section.refuse("antialiasing", "deform")
    size, groups = section.integer("size", 1), section.integer("groups", 1)
    stride = section.strides()
    dilation = section.integer("dilation", 1) if size > 1 else 1
    padding = section.padding(size)
    if dilation > 1 and 2 * padding != size - 1:
        place = section.options["dilation"].span
        raise SpecError("CC761", "a dilated convolution is read with pad=1 and an odd size alone", place)
    filters, normalized = section.integer("filters", 1), section.flag("batch_normalize")
    arguments = {
        "kernel": size, "stride": stride, "padding": padding * dilation, "dilation": dilation, "bias": not normalized,
    }  # fmt: skip
    owner = net.owner(section)
    if 1 < groups == net.shape(x)[0] and filters % groups == 0:
        multiplier = filters // groups if filters != groups else None
        x = net.layer("conv", "dwconv", x, multiplier=multiplier, weights=owner, **arguments)
    else:
        x = net.layer("conv", "conv", x, out=filters, groups=groups, weights=owner, **arguments)
    return net.activated(section, net.normalized(section, x, owner), "logistic")


def deconvolutional(net: DarknetNetwork, section: Section, x: int) -> int:
    size = section.integer("size", 1)
    padding = section.padding(size)
    filters, bias = section.integer("filters", 1), not section.flag("batch_normalize")
    stride = section.integer("stride", 1)
    x = net.layer("deconv", "deconv", x, out=filters, kernel=size, stride=stride, padding=padding, bias=bias)
    return net.activated(section, net.normalized(section, x), "logistic")


def local(net: DarknetNetwork, section: Section, x: int) -> int:
    """A convolution with weights of its own for each place."""
    channels, *image = net.image(section, x)
    filters, size = section.integer("filters", 1), section.integer("size", 1)
    stride = section.integer("stride", 1)
    cut = 1 if section.flag("pad") else size
    places = [floordiv(length - cut, stride) + 1 for length in image]
    weights = prod((filters, *places, channels, size, size))
    out = (filters, *places)
    params = weights + prod(out)
    x = net.layer("local", "custom", x, out=out, params=params, macs=weights, reads=params)
    return net.activated(section, x, "logistic")


def connected(net: DarknetNetwork, section: Section, x: int) -> int:
    x = net.dense(section, "linear", net.flat(x), section.integer("output", 1))
    return net.activated(section, x, "logistic")


def pool(net: DarknetNetwork, section: Section, x: int) -> int:
    """A pool whose padding is of both sides together, one cell less than its window by default."""
    kind, *refused = ("maxpool", "maxpool_depth") if section.name.startswith("max") else ("avgpool",)
    section.refuse(*refused, "antialiasing")
    stride = section.strides()
    size = section.integer("size", stride[0])
    padding = section.integer("padding", size - 1, 0)
    sides = (padding // 2, padding - padding // 2)
    return net.layer("", kind, x, kernel=size, stride=stride, padding=(sides, sides))


def avgpool(net: DarknetNetwork, section: Section, x: int) -> int:
    net.image(section, x)
    return net.layer("", "avgpool", x, kernel="global")


def route(net: DarknetNetwork, section: Section, x: int) -> int:
    """Earlier layers, or one group of their channels each, joined."""
    groups, group = section.integer("groups", 1), section.integer("group_id", 0, 0)
    parts = net.earlier(section, "layers")
    if groups > 1:
        parts = [net.layer("split", "split", part, into=groups, part=group) for part in parts]
    return net.layer("", "concat", *parts) if len(parts) > 1 else parts[0]


def shortcut(net: DarknetNetwork, section: Section, x: int) -> int:
    """The sum with earlier layers: of larger ones every n-th cell, and no more channels than there are."""
    parts = [x, *(_fitted(net, part, net.shape(x)) for part in net.earlier(section, "from"))]
    kind = section.text("weights_type", "none")
    if kind not in ("none", "per_feature", "per_layer", "per_channel"):
        raise invalid(
            f"weights_type must be per_feature or per_channel, not {quoted(kind)}", net.value(section, "weights_type")
        )
    if kind != "none":
        per = "channel" if kind == "per_channel" else "scalar"
        parts = [net.layer("weight", "scale", part, per=per) for part in parts]
    return net.activated(section, net.layer("", "add", *parts), "linear")


def _fitted(net: DarknetNetwork, x: int, like: Shape) -> int:
    """Return an earlier layer in the size of a shape, where Darknet adds it so."""
    shape = net.shape(x)
    if shape.rank != like.rank:
        return x
    plain = [axis for axis in range(shape.rank) if is_plain(shape[axis]) and is_plain(like[axis])]
    for axis in plain:
        if axis and shape[axis] > like[axis]:
            x = net.layer("sample", "slice", x, axis=axis, step=shape[axis] // like[axis])
    more = like[0] - shape[0] if 0 in plain else 0
    return net.layer("channels", "pad", x, padding=((0, more),), axis=(0,)) if more else x


def product(net: DarknetNetwork, section: Section, x: int) -> int:
    """The product of an earlier layer with one of its shape, or with a factor for each of its channels or places."""
    first, *others = net.earlier(section, "from")
    if others:
        raise invalid("'from' must be one layer", net.value(section, "from"))
    factors = (x, first) if section.name == "sam" else (first, x)
    return net.activated(section, net.layer("", "mul", *factors), "linear")


def upsample(net: DarknetNetwork, section: Section, x: int) -> int:
    stride = section.integer("stride", 2, -1_000_000)
    if stride == 0:
        raise invalid("'stride' must not be 0", net.value(section, "stride"))
    return net.layer("", "upsample", x, scale=stride if stride > 0 else Fraction(1, -stride))


def reorg(net: DarknetNetwork, section: Section, x: int) -> int:
    """Cells of a block to channels, or back; Darknet orders them in a way of its own, which changes no size."""
    section.refuse("flatten", "extra")
    stride = section.integer("stride", 1)
    return net.layer("", "pixel_shuffle" if section.flag("reverse") else "pixel_unshuffle", x, factor=stride)


def crop(net: DarknetNetwork, section: Section, x: int) -> int:
    _, *image = net.image(section, x)
    sizes = [section.integer(f"crop_{name}", 1) for name in ("height", "width")]
    cut = [length - size for length, size in zip(image, sizes, strict=True)]
    sides = tuple((-floordiv(each, 2), floordiv(each, 2) - each) for each in cut)
    return net.layer("", "pad", x, padding=sides)


def activation(net: DarknetNetwork, section: Section, x: int) -> int:
    return net.activated(section, x, "linear")


SIMPLE: dict[str, tuple[str, dict[str, str | int]]] = {
    "batchnorm": ("norm", {"type": "batch"}), "normalization": ("norm", {"type": "lrn"}),
    "lrn": ("norm", {"type": "lrn"}), "softmax": ("softmax", {"axis": 0}), "soft": ("softmax", {"axis": 0}),
    "dropout": ("dropout", {}), "logistic": ("act", {"type": "sigmoid"}),
}  # fmt: skip
"""Layers without options that are read → the layer and its arguments."""


def simple(net: DarknetNetwork, section: Section, x: int) -> int:
    kind, arguments = SIMPLE[section.name]
    return net.layer("", kind, x, **arguments)


def unchanged(net: DarknetNetwork, section: Section, x: int) -> int:
    """What is for training, or only reads."""
    return x


# --- boxes ------------------------------------------------------------------------------------------------------------


def yolo(net: DarknetNetwork, section: Section, x: int) -> int:
    anchors = len(section.integers("mask", ())) or section.integer("num", 1)
    coordinates = 8 if section.name == "Gaussian_yolo" else 4
    return _boxes(net, section, x, anchors, coordinates + 1 + section.integer("classes", 20))


def region(net: DarknetNetwork, section: Section, x: int) -> int:
    each = section.integer("coords", 4) + 1 + section.integer("classes", 20)
    return _boxes(net, section, x, section.integer("num", 1), each)


def _boxes(net: DarknetNetwork, section: Section, x: int, anchors: int, each: int) -> int:
    """Boxes as they are: what the layer in front has must be one for each anchor."""
    channels = net.image(section, x)[0]
    if is_plain(channels) and channels != anchors * each:
        text = f"[{section.name}] needs {anchors}·{each} = {anchors * each} channels, but {channels} enter"
        raise SpecError("CC405", text, section.span, hint=f"filters={anchors * each} in the convolution before it")
    return net.sink(net.layer("", "act", x, type="sigmoid"))


def detection(net: DarknetNetwork, section: Section, x: int) -> int:
    return net.sink(x)


# --- recurrent layers, one step ---------------------------------------------------------------------------------------


def rnn(net: DarknetNetwork, section: Section, x: int) -> int:
    """Three layers: of the input, of the state, and of the new state."""
    out = section.integer("output", 1)
    hidden = section.integer("hidden", out)
    state = net.dense(section, "input", net.flat(x), hidden)
    state = net.activated(section, net.dense(section, "self", state, hidden), "logistic")
    return net.activated(section, net.dense(section, "output", state, out), "logistic")


def crnn(net: DarknetNetwork, section: Section, x: int) -> int:
    """As of an RNN, with convolutions."""
    out, size = section.integer("output", 1), section.integer("size", 3)
    hidden, stride = section.integer("hidden", 1), section.integer("stride", 1)
    padding, bias = section.padding(size), not section.flag("batch_normalize")
    for name, filters, step in (("input", hidden, stride), ("self", hidden, 1), ("output", out, 1)):
        arguments = {"kernel": size, "stride": step, "padding": padding, "bias": bias}
        x = net.layer(name, "conv", x, out=filters, groups=section.integer("groups", 1), **arguments)
        x = net.activated(section, net.normalized(section, x), "logistic")
    return x


def gated(net: DarknetNetwork, section: Section, x: int) -> int:
    """A dense layer of the input and one of the state for each gate; the state has the size of the output."""
    out, x = section.integer("output", 1), net.flat(x)
    parts = []
    for gate in {"gru": "urh", "lstm": "figo"}[section.name]:
        y = net.dense(section, f"u{gate}", x, out)
        parts.append(net.layer(f"{gate}.add", "add", y, net.dense(section, f"w{gate}", y, out)))
    return net.layer("state", "add", *parts)


LAYERS: dict[str, Layer] = {
    "convolutional": convolutional, "conv": convolutional, "deconvolutional": deconvolutional,
    "deconv": deconvolutional, "local": local, "connected": connected, "conn": connected, "crnn": crnn, "rnn": rnn,
    "gru": gated, "lstm": gated, "maxpool": pool, "max": pool, "local_avgpool": pool, "local_avg": pool,
    "avgpool": avgpool, "avg": avgpool, "route": route, "shortcut": shortcut, "sam": product,
    "scale_channels": product, "upsample": upsample, "reorg": reorg, "reorg3d": reorg, "reorg_old": reorg,
    "crop": crop, "batchnorm": simple, "normalization": simple, "lrn": simple, "activation": activation,
    "softmax": simple, "soft": simple, "dropout": simple, "logistic": simple, "l2norm": unchanged, "cost": unchanged,
    "empty": unchanged, "silence": unchanged, "yolo": yolo, "Gaussian_yolo": yolo, "region": region,
    "detection": detection, "iseg": detection, "contrastive": detection,
}  # fmt: skip


def build(net: DarknetNetwork, section: Section, x: int) -> int:
    """Add the layer of a section.

    Raises:
        SpecError: CC761 for a layer that is not known; what its options or its input have wrong.
    """
    layer = LAYERS.get(section.name)
    if layer is None:
        text = f"the layer [{section.name}] is not read{did_you_mean(section.name, LAYERS)}"
        raise SpecError("CC761", text, section.span, hint=f"known layers: {', '.join(LAYERS)}")
    return layer(net, section, x)
