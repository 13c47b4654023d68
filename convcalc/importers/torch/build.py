"""In the child process: the module that a callable makes, on the meta device, where weights take no memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.importers.torch.failure import Failure, run


def built(target: Any, arguments: Mapping[str, Any], name: str, *, training: bool) -> tuple[Any, list[dict[str, Any]]]:
    """Return a module, in evaluation unless ``training``, and notes. If it can be, it is made without weights.

    Raises:
        Failure: CC771 for what is no module, CC772 where its constructor fails.
    """
    import torch

    notes: list[dict[str, Any]] = []
    model = target
    if not isinstance(target, torch.nn.Module):
        if not callable(target):
            raise Failure("CC771", f"{name} is a {type(target).__name__}, not a torch.nn.Module nor a callable of one")
        try:
            with torch.device("meta"):
                model = target(**arguments)
        except Failure:
            raise
        except Exception as error:  # noqa: BLE001 - code of other people, which may fail on this device alone
            model = run(lambda: target(**arguments), f"{name}({_shown(arguments)})")
            first = next(iter(str(error).strip().splitlines()), "")
            notes.append({"is": "note", "text": f"built on the CPU, since its constructor needs values: {first}"})
    elif arguments:
        raise Failure("CC771", f"{name} is a module already, and takes no arguments", "leave out --arg")
    if not isinstance(model, torch.nn.Module):
        raise Failure("CC771", f"{name} gives a {type(model).__name__}, not a torch.nn.Module")
    return on_one_device(model).train(training), notes


def _shown(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def on_one_device(model: Any) -> Any:
    """Move a module of several devices to the meta device; parameters that are one tensor stay one."""
    if len({tensor.device.type for tensor in (*model.parameters(), *model.buffers())}) < 2:
        return model
    shared: dict[int, list[tuple[Any, str]]] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():  # noqa: SLF001 - there is no other way to tie them again
            if parameter is not None:
                shared.setdefault(id(parameter), []).append((module, name))
    model = model.to("meta")
    for (first, kept), *others in shared.values():
        for module, name in others:
            module._parameters[name] = first._parameters[kept]  # noqa: SLF001
    return model
