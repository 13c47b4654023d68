"""Attention and recurrent nodes of ONNX in the words of the spec language."""

from __future__ import annotations

from collections.abc import Callable

from onnx_node import NAMES, Node, Said, Shape, branch, count, shape_of
from to_spec import item, yaml


def attention(node: Node) -> Said:
    """Which scores are masked, and how they are scaled, changes no shape. The batch is an axis of windows."""
    shapes = [node.shape(place) for place in range(3)]
    heads, groups = node.get("q_num_heads", shapes[0][1]), node.get("kv_num_heads", shapes[1][1])
    inputs, sides = list(shapes), []
    for place, of in enumerate((heads, groups, groups)):
        read = "identity" if not place else f"{{from: {NAMES[place]}}}"
        sides.append([read, *split_heads(shapes[place], of)])
    for place, side in ((4, 1), (5, 2)):  # what is kept of earlier keys and values stands before the new ones
        if node.input(place) is not None:
            inputs.append(node.shape(place))
            branches = [f"{{from: {NAMES[len(inputs) - 1]}}}", yaml(sides[side])]
            sides[side] = [item("concat", axis=2, branches=branches)]
    if (mask := node.input(3)) is not None:
        inputs.append(shape_of(mask))
        aim = [*[1] * (4 - mask.ndim), *mask.shape]
        masks = [branch(len(inputs) - 1, aim, list(mask.shape))]
        keys = shapes[1][-2] + (node.shape(4)[-2] if node.input(4) is not None else 0)
        if 1 < aim[-1] < keys:  # no query sees the keys behind the mask
            masks.append(item("pad", padding=[[0, 0], [0, 0], [0, keys - aim[-1]]]))
        sides.append(masks)
    items = [f"{{sdpa: {yaml([yaml(side) for side in sides])}}}"]
    out = shape_of(node.outputs[0])
    if len(out) == 3:
        items += ["{permute: [0, 2, 1, 3]}", item("flatten", start=2)]
    return Said(inputs, yaml(items), [out])


def split_heads(shape: Shape, heads: int) -> list[str]:
    """[batch, tokens, heads·d] to [batch, heads, tokens, d]; four axes are that already."""
    if len(shape) == 4:
        return []
    return [item("reshape", shape=[*shape[:2], heads, -1]), "{permute: [0, 2, 1, 3]}"]


def recurrent(kind: str) -> Callable[[Node], Said]:
    """Y, or the state of the last step, Y_h; the language joins the directions and has no batch."""

    def written(node: Node) -> Said:
        x, hidden = node.shape(), node.get("hidden_size")
        if node.get("layout", 0):
            x = [x[1], x[0], x[2]]
        steps, _, features = x
        both = node.get("direction", "forward") == "bidirectional"
        peepholes = node.input(7) is not None or None
        layer = item(kind, hidden=hidden, bidirectional=both, bias=node.input(3) is not None, peepholes=peepholes)
        first = shape_of(node.outputs[0])
        params = count(*node.inputs[1:4], *node.inputs[7:])
        if "Y" in node.names or node.names[0] in ("Y", "output"):
            width = first[-1] * (2 if both else 1)
            length = first[1] if node.get("layout", 0) else first[0]
            return Said([[steps, features]], layer, [[length, width]], params)
        if both:  # one direction ends at the last step, the other at the first
            ends = [[f"stop: {hidden}", "start: -1"], [f"start: {hidden}", "stop: 1"]]
            parts = [yaml([f"{{slice: {{axis: 1, {half}}}}}", f"{{slice: {{{step}}}}}"]) for half, step in ends]
            return Said([[steps, features]], yaml([layer, f"{{concat: {yaml(parts)}}}"]), [[2, hidden]], params)
        return Said([[steps, features]], yaml([layer, "{slice: {start: -1}}"]), [[1, first[-1]]], params)

    return written
