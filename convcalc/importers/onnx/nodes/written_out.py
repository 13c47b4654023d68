"""Layers that exporters write out in several operations: gelu, silu, and the norm by the root of the mean square."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.arith import equal
from convcalc.importers.onnx.call import NodeCall
from convcalc.importers.onnx.model import OnnxNode
from convcalc.importers.onnx.values import Value

Chain = Sequence[tuple[OnnxNode, int]]
"""Operations of which each alone reads what the one before it gives, with the place where it does."""


def is_gelu(call: NodeCall) -> bool:
    """Whether a quotient begins x·(1 + erf(x/√2))/2, as exporters write it before version 20; one layer stands for it.

    Each of the five operations has no other reader than the next, and only constants beside x.
    """
    chain = behind(call, "Erf", "Add", "Mul", "Mul")
    others = read_beside(chain[1:])
    if len(others) != 3 or others[1] != call.node.inputs[0]:
        return False
    return _are_constants(call, others[0], others[2], call.node.inputs[1]) and fuse(call, chain)


def is_silu(call: NodeCall) -> bool:
    """Whether a sigmoid is that of x · sigmoid(x), as exporters write silu before version 24."""
    chain = behind(call, "Mul")
    return read_beside(chain) == [call.node.inputs[0]] and fuse(call, chain)


def scale_of_rms(call: NodeCall) -> Value | None:
    """Return w, where a square begins x · w / √(mean(x²) + ε), as exporters write it before version 23."""
    x, name = call.require(0), call.node.inputs[0]
    is_square = call.node.inputs[1] == name if call.op == "Mul" else call.require(1).elements == (2,)
    if not is_square or x.is_constant:
        return None
    start = behind(call, "ReduceMean", "Add", "Sqrt")
    if not start or not _are_constants(call, *read_beside(start[1:2])):
        return None
    mean, root = start[0][0], start[-1][0].outputs[0]
    axes = mean.attributes.get("axes")
    if len(mean.inputs) > 1:
        found = call.scope.find(mean.inputs[1])
        axes = found.elements if found is not None else None
    if list(axes or ()) not in ([-1], [len(x.shape) - 1]) or not mean.attributes.get("keepdims", 1):
        return None
    for ops in ("Reciprocal Mul Mul", "Div Mul Mul", "Div Mul"):
        chain = behind(call, *ops.split(), name=root)
        *factors, scale = read_beside(chain) or [""]
        weight = call.scope.find(scale)
        if ops == "Div Mul Mul" and (len(factors) < 2 or not _are_constants(call, factors.pop(0))):
            continue
        if factors != [name] or (ops != "Reciprocal Mul Mul" and chain[0][1] != 1):
            continue
        if weight is not None and weight.is_constant and weight.is_learned and len(weight.shape) == 1:
            is_whole = equal(weight.shape[0], x.shape[-1]) is True
            return weight if is_whole and fuse(call, [*start, *chain]) else None
    return None


def behind(call: NodeCall, *ops: str, name: str = "") -> Chain:
    """Return the operations of these types that follow an output, by default that of the call; nothing for others."""
    chain: list[tuple[OnnxNode, int]] = []
    name = name or call.node.outputs[0]
    for op in ops:
        node, *others = call.scope.readers.get(name, [None])
        if others or node is None or node.op != op or node.domain or not node.outputs:
            return ()
        chain.append((node, list(node.inputs).index(name)))
        name = node.outputs[0]
    return chain


def read_beside(chain: Chain) -> list[str]:
    """Return what the operations with two inputs read beside what the one before them gives."""
    return [node.inputs[1 - place] for node, place in chain if len(node.inputs) == 2]


def _are_constants(call: NodeCall, *names: str) -> bool:
    """Whether values are constants, those that have not been computed among them."""
    found = [call.scope.find(name) for name in names]
    return all(value is None or (value.is_constant and not value.shape) for value in found)


def fuse(call: NodeCall, chain: Chain) -> bool:
    """Let operations give what they read, since the layer of the call stands for them."""
    call.run.fused.update({id(node): place for node, place in chain})
    return True
