"""Modules that change sizes, pool, or come from other backbones; see ``blocks`` for what they take."""

from __future__ import annotations

from convcalc.importers.ultralytics.network import RELU, YoloNet, numbered


def focus(
    net: YoloNet, at: str, x: int, c2: int, k: int = 1, s: int = 1, p: int | None = None, g: int = 1, act: bool = True
) -> int:
    """Every second pixel of both axes as channels, in another order than those of a pixel unshuffle."""
    x = net.add(f"{at}.unshuffle", "pixel_unshuffle", x, factor=2)
    return net.conv(f"{at}.conv", x, c2, k, s, p=p, g=g, act=act)


def pools(net: YoloNet, at: str, x: int, k: int) -> int:
    return net.add(at, "maxpool", x, kernel=k, stride=1, padding=k // 2)


def spp(net: YoloNet, at: str, x: int, c2: int, k: tuple[int, ...] = (5, 9, 13)) -> int:
    y = net.conv(f"{at}.cv1", x, net.plain_channels(x) // 2)
    parts = [pools(net, path, y, size) for path, size in zip(numbered(f"{at}.m", len(k)), k, strict=True)]
    return net.conv(f"{at}.cv2", net.concat(at, y, *parts), c2)


def sppf(net: YoloNet, at: str, x: int, c2: int, k: int = 5, n: int | None = None, shortcut: bool = False) -> int:
    """Pools one behind the other; rows with their number are of YOLO26, whose first convolution has no activation."""
    parts = [net.conv(f"{at}.cv1", x, net.plain_channels(x) // 2, act=n is None)]
    for _ in range(3 if n is None else n):
        parts.append(pools(net, f"{at}.m", parts[-1], k))
    return net.residual(at, x, net.conv(f"{at}.cv2", net.concat(at, *parts), c2), shortcut)


def spp_elan(net: YoloNet, at: str, x: int, c2: int, c3: int, k: int = 5) -> int:
    parts = [net.conv(f"{at}.cv1", x, c3)]
    for name in ("cv2", "cv3", "cv4"):
        parts.append(pools(net, f"{at}.{name}", parts[-1], k))
    return net.conv(f"{at}.cv5", net.concat(at, *parts), c2)


def adown(net: YoloNet, at: str, x: int, c2: int) -> int:
    a, b = net.halves(at, net.add(f"{at}.pool", "avgpool", x, kernel=2, stride=1))
    a = net.conv(f"{at}.cv1", a, c2 // 2, 3, 2)
    b = net.add(f"{at}.maxpool", "maxpool", b, kernel=3, stride=2, padding=1)
    return net.concat(at, a, net.conv(f"{at}.cv2", b, c2 // 2))


def aconv(net: YoloNet, at: str, x: int, c2: int) -> int:
    return net.conv(f"{at}.cv1", net.add(f"{at}.pool", "avgpool", x, kernel=2, stride=1), c2, 3, 2)


def scdown(net: YoloNet, at: str, x: int, c2: int, k: int, s: int) -> int:
    return net.depthwise(f"{at}.cv2", net.conv(f"{at}.cv1", x, c2), k, s, act=False)


def cb_linear(
    net: YoloNet, at: str, x: int, c2s: tuple[int, ...], k: int = 1, s: int = 1, p: int | None = None, g: int = 1
) -> tuple[int, ...]:
    """A convolution whose output is cut into one map for each later reader."""
    y = net.conv2d(f"{at}.conv", x, sum(c2s), k, s, p=p, g=g)
    return tuple(net.split(at, y, c2s)) if len(c2s) > 1 else (y,)


def cb_fuse(net: YoloNet, at: str, maps: list[tuple[int, ...]], idx: tuple[int, ...]) -> int:
    """The sum of the last map and one of each other reader, resized to the last."""
    *others, (last,) = maps
    net.require(len(idx) == len(others), f"{len(idx)} indices for {len(others)} rows")
    parts = []
    for index, outputs in zip(idx, others, strict=True):
        net.require(0 <= index < len(outputs), f"there is no output {index} of {len(outputs)}")
        parts.append(net.add(f"{at}.resize", "upsample", outputs[index], size=net.shape(last).spatial))
    return net.add(f"{at}.add", "add", *parts, last) if parts else last


def concat(net: YoloNet, at: str, maps: list[int], dimension: int = 1) -> int:
    """Concatenation along an axis that is counted with the batch."""
    net.require(dimension != 0, "axis 0 is the batch, which has one sample here")
    return net.concat(at, *maps, axis=dimension - 1 if dimension > 0 else dimension)


def hg_stem(net: YoloNet, at: str, x: int, cm: int, c2: int) -> int:
    x = net.conv(f"{at}.stem1", x, cm, 3, 2, act=RELU)
    x = net.add(f"{at}.pad", "pad", x, padding=((0, 1), (0, 1)))
    y = net.conv(f"{at}.stem2a", x, cm // 2, 2, 1, p=0, act=RELU)
    y = net.add(f"{at}.pad", "pad", y, padding=((0, 1), (0, 1)))
    y = net.conv(f"{at}.stem2b", y, cm, 2, 1, p=0, act=RELU)
    pooled = net.add(f"{at}.pool", "maxpool", x, kernel=2, stride=1, ceil_mode=True)
    y = net.conv(f"{at}.stem3", net.concat(at, pooled, y), cm, 3, 2, act=RELU)
    return net.conv(f"{at}.stem4", y, c2, act=RELU)


def hg_block(
    net: YoloNet, at: str, x: int, cm: int, c2: int, k: int, n: int, lightconv: bool = False, shortcut: bool = False
) -> int:
    """Convolutions in a row, all joined and squeezed; light ones are 1×1 and depthwise."""
    parts = [x]
    for inner in numbered(f"{at}.m", n):
        if lightconv:
            y = net.conv(f"{inner}.conv1", parts[-1], cm, act=False)
            parts.append(net.dwconv(f"{inner}.conv2", y, cm, k, act=RELU))
        else:
            parts.append(net.conv(inner, parts[-1], cm, k, act=RELU))
    y = net.conv(f"{at}.sc", net.concat(at, *parts), c2 // 2, act=RELU)
    return net.residual(at, x, net.conv(f"{at}.ec", y, c2, act=RELU), shortcut)


def resnet_layer(
    net: YoloNet, at: str, x: int, c1: int, c2: int, s: int = 1, is_first: bool = False, n: int = 1, e: int = 4
) -> int:
    """A stage of a ResNet, or its stem."""
    net.require(net.channels(x) == c1, f"it is for {c1} channels, but {net.channels(x)} enter")
    at = f"{at}.layer"
    if is_first:
        return net.add(f"{at}.1", "maxpool", net.conv(f"{at}.0", x, c2, 7, 2, p=3), kernel=3, stride=2, padding=1)
    for index, inner in enumerate(numbered(at, n)):
        stride = s if index == 0 else 1
        y = net.conv(f"{inner}.cv2", net.conv(f"{inner}.cv1", x, c2), c2, 3, stride, p=1)
        y = net.conv(f"{inner}.cv3", y, e * c2, act=False)
        if stride != 1 or net.channels(x) != e * c2:
            x = net.conv(f"{inner}.shortcut.0", x, e * c2, 1, stride, act=False)
        x = net.act(f"{inner}.relu", net.add(f"{inner}.add", "add", y, x), RELU)
    return x


def proto(net: YoloNet, at: str, x: int, width: int, masks: int) -> int:
    """Prototypes of masks, at twice the size."""
    x = net.conv(f"{at}.cv1", x, width, 3)
    if net.is_v5:
        x = net.add(f"{at}.upsample", "upsample", x, scale=2)
    else:
        x = net.add(f"{at}.upsample", "deconv", x, out=width, kernel=2, stride=2)
    return net.conv(f"{at}.cv3", net.conv(f"{at}.cv2", x, width, 3), masks)
