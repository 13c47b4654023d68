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


def trace_module(module: Any, inputs: Mapping[str, str]) -> Graph:
    """Trace a ``torch.nn.Module`` in evaluation; its weights, device and modes stay as they are.

    Raises:
        TypeError: for anything else.
        SpecError: CC762 for inputs that are missing, CC773 where it cannot be traced.
    """
    name, torch = type(module).__name__, sys.modules.get("torch")  # it is loaded where there is a module of it
    if torch is None or not isinstance(module, torch.nn.Module):
        raise TypeError(f"load() takes the name of a design or a torch.nn.Module, not {name}")
    from convcalc.importers.torch.trace import traced

    recording, modes = Recording(name), {each: each.training for each in module.modules()}
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
