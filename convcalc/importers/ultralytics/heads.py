"""Heads: boxes, classes, masks, keypoints, angles, labels of images or of pixels; see ``blocks`` for arguments."""

from __future__ import annotations

from convcalc.arith import Number, at_least, at_most, floordiv, prod
from convcalc.importers.ultralytics.network import SIGMOID, YoloNet, conv_params
from convcalc.importers.ultralytics.stages import proto

Maps = list[int]


def branch(net: YoloNet, at: str, x: int, width: Number, out: Number) -> int:
    """Two 3×3 convolutions and a 1×1 one."""
    return net.conv2d(f"{at}.2", net.conv(f"{at}.1", net.conv(f"{at}.0", x, width, 3), width, 3), out)


def class_branch(net: YoloNet, at: str, x: int, width: Number, out: Number) -> int:
    """The branch of classes, in newer models of depthwise and 1×1 convolutions."""
    if not net.depthwise_head:
        return branch(net, at, x, width, out)
    for part in (f"{at}.0", f"{at}.1"):
        x = net.conv(f"{part}.1", net.depthwise(f"{part}.0", x, 3), width)
    return net.conv2d(f"{at}.2", x, out)


def rows(net: YoloNet, at: str, maps: Maps) -> int:
    """Flatten the places of all maps, and join them: → [C, places]."""
    return net.concat(at, *(net.add(f"{at}.flatten", "flatten", x, start=1) for x in maps), axis=1)


def detect(net: YoloNet, at: str, maps: Maps, nc: Number) -> int:
    return detected(net, at, maps, nc)


def detected(net: YoloNet, at: str, maps: Maps, nc: Number, *more: int) -> int:
    """Return boxes and classes of every map; ``more`` are the rows of what a kind of head adds.

    Models without a search for duplicates have two sets of branches, and run both.
    """
    box, out, width = edge_width(net, maps), 4 * net.reg_max, class_width(net, maps, nc)
    edges = classes = -1
    for prefix in net.prefixes:
        boxes = [branch(net, f"{at}.{prefix}cv2.{i}", x, box, out) for i, x in enumerate(maps)]
        scores = [class_branch(net, f"{at}.{prefix}cv3.{i}", x, width, nc) for i, x in enumerate(maps)]
        edges, classes = rows(net, f"{at}.{prefix}boxes", boxes), rows(net, f"{at}.{prefix}scores", scores)
    return decoded(net, at, edges, classes, *more)


def edge_width(net: YoloNet, maps: Maps) -> Number:
    """The channels of branches of boxes."""
    return quarter(net, maps, max(16, 4 * net.reg_max))


def class_width(net: YoloNet, maps: Maps, nc: Number) -> Number:
    """The channels of branches of classes."""
    return at_least(net.channels(maps[0]), at_most(nc, 100))


def decoded(net: YoloNet, at: str, edges: int, classes: int, *more: int) -> int:
    """Join the edges of boxes, once they are distances, with classes and more: → [C, places]."""
    if net.reg_max > 1:
        edges = distances(net, f"{at}.dfl", edges, net.reg_max)
    return net.concat(at, edges, net.act(f"{at}.sigmoid", classes, SIGMOID), *more)


def distances(net: YoloNet, at: str, x: int, bins: int) -> int:
    """The mean of the distribution of each edge of a box: a convolution of fixed weights over its bins."""
    places = net.shape(x)[1]
    x = net.add(f"{at}.reshape", "reshape", x, shape=(4, bins, places))
    x = net.add(f"{at}.softmax", "softmax", net.add(f"{at}.permute", "permute", x, axes=(1, 0, 2)), axis=0)
    return net.add(f"{at}.reshape", "reshape", net.conv2d(f"{at}.conv", x, 1, bias=False), shape=(4, places))


def further_rows(net: YoloNet, at: str, maps: Maps, out: Number, name: str = "cv4") -> int:
    """The rows of a further branch of every map, in the first set of branches and in the other one."""
    found, width = -1, quarter(net, maps, out)
    for prefix in net.prefixes:
        path = f"{at}.{prefix}{name}"
        found = rows(net, path, [branch(net, f"{path}.{i}", x, width, out) for i, x in enumerate(maps)])
    return found


def quarter(net: YoloNet, maps: Maps, least: Number) -> Number:
    return at_least(floordiv(net.channels(maps[0]), 4), least)


def v10_detect(net: YoloNet, at: str, maps: Maps, nc: Number) -> int:
    net.depthwise_head, net.reg_max, net.prefixes = True, 16, ("", "one2one_")
    return detect(net, at, maps, nc)


def segment(net: YoloNet, at: str, maps: Maps, nc: Number, nm: int = 32, npr: int = 256) -> tuple[int, ...]:
    masks = further_rows(net, at, maps, nm)
    return detected(net, at, maps, nc, masks), prototypes(net, f"{at}.proto", maps, nc, npr, nm)


def prototypes(net: YoloNet, path: str, maps: Maps, nc: Number, npr: int, nm: int) -> int:
    """Prototypes of masks; those of YOLO26 are made of all maps, and a branch for training labels pixels."""
    x = first = maps[0]
    if not net.module.endswith("26"):
        return proto(net, path, first, npr, nm)
    for i, other in enumerate(maps[1:]):
        y = net.conv(f"{path}.feat_refine.{i}", other, net.channels(first))
        y = net.add(f"{path}.resize", "upsample", y, size=net.shape(first).spatial, mode="nearest")
        x = net.add(f"{path}.add", "add", x, y)
    training = conv_params(net.channels(first), npr, 3) + conv_params(npr, npr, 3) + conv_params(npr, nc, norm=False)
    net.unused(f"{path}.semseg", first, training)
    return proto(net, path, net.conv(f"{path}.feat_fuse", x, npr, 3), npr, nm)


def pose(net: YoloNet, at: str, maps: Maps, nc: Number, kpt_shape: tuple[int, ...] = (17, 3)) -> int:
    points = prod(kpt_shape)
    return detected(net, at, maps, nc, further_rows(net, at, maps, points))


def pose26(net: YoloNet, at: str, maps: Maps, nc: Number, kpt_shape: tuple[int, ...] = (17, 3)) -> int:
    """Keypoints; how sure they are, and the flow that tells it, is for training."""
    points, sigma = prod(kpt_shape), 2 * kpt_shape[0]
    width = quarter(net, maps, points + sigma)
    found = -1
    for prefix in net.prefixes:
        parts = []
        for i, x in enumerate(maps):
            y = net.conv(f"{at}.{prefix}cv4.{i}.1", net.conv(f"{at}.{prefix}cv4.{i}.0", x, width, 3), width, 3)
            parts.append(net.conv2d(f"{at}.{prefix}cv4_kpts.{i}", y, points))
            net.unused(f"{at}.{prefix}cv4_sigma.{i}", y, conv_params(width, sigma, norm=False))
        found = rows(net, f"{at}.{prefix}cv4_kpts", parts)
    net.unused(f"{at}.flow_model", maps[0], 12 * (2 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2))
    return detected(net, at, maps, nc, found)


def obb(net: YoloNet, at: str, maps: Maps, nc: Number, ne: int = 1) -> int:
    return detected(net, at, maps, nc, further_rows(net, at, maps, ne))


def classify(
    net: YoloNet, at: str, x: int, c2: Number, k: int = 1, s: int = 1, p: int | None = None, g: int = 1
) -> int:
    y = net.add(f"{at}.pool", "avgpool", net.conv(f"{at}.conv", x, 1280, k, s, p=p, g=g), kernel="global")
    y = net.add(f"{at}.linear", "linear", net.add(f"{at}.flatten", "flatten", y), out=c2)
    return net.add(f"{at}.softmax", "softmax", y)


def semantic(net: YoloNet, at: str, maps: Maps, nc: Number = 19) -> int:
    """Classes of pixels; a second branch, of the second map, is for training."""
    first = net.channels(maps[0])
    y = net.conv2d(f"{at}.classifier.1", net.conv(f"{at}.classifier.0", maps[0], first, 3), nc)
    if len(maps) > 1:
        second = net.channels(maps[1])
        net.unused(f"{at}.aux_head", maps[1], conv_params(second, first, 3) + conv_params(first, nc, norm=False))
    return y


def depth(net: YoloNet, at: str, maps: Maps, c_mid: int = 256) -> int:
    """Depth of pixels: maps are projected, and refined from the coarsest on."""
    *others, x = [net.conv(f"{at}.proj.{i}", x, c_mid) for i, x in enumerate(maps)]
    for i in reversed(range(len(others))):
        x = net.add(f"{at}.resize", "upsample", x, size=net.shape(others[i]).spatial, mode="bilinear")
        x = net.add(f"{at}.add", "add", others[i], x)
        for part in (0, 1):
            x = net.conv(f"{at}.refine.{i}.{part}", x, c_mid, 3)
    x = net.conv(f"{at}.head.0", x, c_mid // 2, 3)
    x = net.add(f"{at}.head.1", "deconv", x, out=c_mid // 2, kernel=2, stride=2)
    return net.conv2d(f"{at}.head.3", net.conv(f"{at}.head.2", x, c_mid // 4, 3), 1)


# --- YOLOv5's repository ----------------------------------------------------------------------------------------------


def detect_v5(net: YoloNet, at: str, maps: Maps, nc: Number, anchors: tuple[tuple[int, ...], ...] | int) -> int:
    return _anchor_boxes(net, at, maps, anchors, nc + 5)


def segment_v5(
    net: YoloNet, at: str, maps: Maps, nc: Number, anchors: tuple[tuple[int, ...], ...] | int, nm: int = 32,
    npr: int = 256,
) -> tuple[int, ...]:  # fmt: skip
    return _anchor_boxes(net, at, maps, anchors, nc + 5 + nm), proto(net, f"{at}.proto", maps[0], npr, nm)


def _anchor_boxes(net: YoloNet, at: str, maps: Maps, anchors: tuple[tuple[int, ...], ...] | int, each: Number) -> int:
    if not isinstance(anchors, int):
        net.require(len(anchors) == len(maps), f"there are anchors for {len(anchors)} maps, and {len(maps)} maps")
    count = anchors if isinstance(anchors, int) else len(anchors[0]) // 2
    parts = []
    for i, x in enumerate(maps):
        y = net.conv2d(f"{at}.m.{i}", x, count * each)
        places = net.shape(y)[1] * net.shape(y)[2]
        y = net.add(f"{at}.reshape", "reshape", y, shape=(count, each, places))
        y = net.add(f"{at}.permute", "permute", y, axes=(0, 2, 1))
        parts.append(net.add(f"{at}.reshape", "reshape", y, shape=(count * places, each)))
    return net.act(f"{at}.sigmoid", net.concat(at, *parts), SIGMOID)
