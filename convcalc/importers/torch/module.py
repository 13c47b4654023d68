"""A module of PyTorch in this process, which is traced as it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from convcalc.errors import Source
from convcalc.graph.graph import Graph
from convcalc.importers.torch.failure import Failure
from convcalc.importers.torch.parent import built, error_of, shape_of
from convcalc.importers.torch.recording import Recording


def is_module(value: Any) -> bool:
    """Whether a value is a ``torch.nn.Module``, without loading PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def graph_of(module: Any, inputs: Mapping[str, str]) -> Graph:
    """Trace a module in evaluation; its weights, device and modes stay as they are.

    Raises:
        TypeError: for what is not a module.
        SpecError: CC762 for inputs that are missing, CC773 where it cannot be traced.
    """
    if not is_module(module):
        raise TypeError(f"load() takes the name of a design or a torch.nn.Module, not {type(module).__name__}")
    from convcalc.importers.torch.trace import traced

    name, modes = type(module).__name__, {each: each.training for each in module.modules()}
    recording = Recording(name)
    try:
        module.eval()
        for line in traced(module, [shape_of(key, text) for key, text in inputs.items()]):
            recording.add(line)
    except Failure as failure:
        raise error_of(failure.facts) from None
    finally:
        for each, training in modes.items():
            each.training = training
    return built(recording, Source(name)).graph(None, {}, {})
