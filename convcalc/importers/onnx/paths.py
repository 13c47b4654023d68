"""Paths of layers, from the names that exporters write: modules of PyTorch, or the nodes' own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from convcalc.importers.onnx.model import OnnxNode

SCOPES = "pkg.torch.onnx.name_scopes"
"""Metadata of PyTorch's exporter: a list of module paths, each within the one before, and the name of the operation."""
CLASSES = "pkg.torch.onnx.class_hierarchy"
"""The classes of the same, with their packages."""
QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


def layer_paths(nodes: Sequence[OnnxNode], prefix: str = "") -> list[str]:
    """Return a path for every node: that of its module, if it is the only one in there, or of the module and its name.

    >>> conv = OnnxNode("Conv", "", "/layer1/layer1.0/conv1/Conv", (), (), {}, {})
    >>> layer_paths([conv, conv._replace(op="Add", name="/layer1/layer1.0/Add")])
    ['layer1.0.conv1', 'layer1.0.Add']
    """
    found = [_module_and_name(node, place) for place, node in enumerate(nodes)]
    own = Counter(module for module, _ in found)
    around = {scope for module in own for scope in _scopes(module)}
    paths = (
        module if module and own[module] == 1 and module not in around else f"{module}.{name}" if module else name
        for module, name in found
    )
    return [f"{prefix}.{path}" if prefix else path for path in paths]


def module_classes(nodes: Sequence[OnnxNode]) -> dict[str, str]:
    """Return the class of every module that the exporter names, without its package."""
    found: dict[str, str] = {}
    for node in nodes:
        modules, classes = (_quoted(node.metadata.get(key, ""))[:-1] for key in (SCOPES, CLASSES))
        for module, class_name in zip(modules, classes, strict=False):
            found[module] = class_name.rpartition(".")[2]
    return found


def _quoted(text: str) -> list[str]:
    return [first or second for first, second in QUOTED.findall(text)]


def _scopes(module: str) -> Iterator[str]:
    while module := module.rpartition(".")[0]:
        yield module


def _module_and_name(node: OnnxNode, place: int) -> tuple[str, str]:
    if scopes := node.metadata.get(SCOPES):
        *modules, name = _quoted(scopes) or [""]
        return modules[-1] if modules else "", name or node.op
    if node.name.startswith("/"):
        *parts, name = node.name[1:].split("/")
        return ".".join(_shortened(parts)), name or node.op
    return "", node.name or f"{node.op}_{place}"


def _shortened(parts: Sequence[str]) -> list[str]:
    """Leave out a module whose path the next one repeats: ``layer1/layer1.0`` is ``layer1.0``."""
    kept: list[str] = []
    for part in parts:
        if kept and part.startswith(f"{kept[-1]}."):
            kept.pop()
        kept.append(part)
    return kept
