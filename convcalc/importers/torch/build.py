"""In the child process: the module that a callable makes, on the meta device, where weights take no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from convcalc.importers.torch.failure import Failure, run

ON_THE_CPU = "built on the CPU, since its constructor needs values"
LITTLE_STATE = 2**30
"""Bytes of parameters and buffers for which a model is built a second time."""


def has_little_state(model: Any) -> bool:
    """Whether a model may be built with its values, because it could not be traced without them."""
    state = (*model.parameters(), *model.buffers())
    total: int = sum(each.numel() * each.element_size() for each in state)
    return total <= LITTLE_STATE


def built(
    target: Any, arguments: Mapping[str, Any], name: str, *, training: bool, values: bool = False
) -> tuple[Any, list[dict[str, Any]]]:
    """Return a module, in evaluation unless ``training``, and notes. If it can be, it is made without ``values``.

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
            with torch.device("cpu" if values else "meta"):
                model = target(**arguments)
        except Failure:
            raise
        except Exception as error:  # noqa: BLE001 - code of other people, which may fail on this device alone
            shown = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
            model = run(lambda: target(**arguments), f"{name}({shown})")
            first = next(iter(str(error).strip().splitlines()), "")
            notes.append({"is": "note", "text": f"{ON_THE_CPU}: {first}"})
        if values:
            notes.append({"is": "note", "text": ON_THE_CPU})
    elif arguments:
        raise Failure("CC771", f"{name} is a module already, and takes no arguments", "leave out --arg")
    if not isinstance(model, torch.nn.Module):
        raise Failure("CC771", f"{name} gives a {type(model).__name__}, not a torch.nn.Module")
    return on_one_device(model).train(training), notes


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


@contextmanager
def without_values(model: Any, arguments: Any, *, every: bool = False) -> Iterator[tuple[Any, Any]]:
    """Let the tensors of a model on the meta device be ones of the CPU that have no values; give a mode and arguments.

    What its code makes without a device is on the CPU too, and code that asks for a device finds one that computes.
    ``every`` parameter, buffer and argument of another device has no values either.
    """
    import torch
    from torch.utils import _pytree as trees

    stand_ins = _StandIns((*model.parameters(), *model.buffers(), *trees.tree_leaves(arguments)))
    places = [
        (held, dict(held), every and held is not vars(module))
        for module in model.modules()
        for held in (module._parameters, module._buffers, vars(module))  # noqa: SLF001 - they may be no attributes
    ]
    try:
        for held, values, of_all in places:
            for name, value in values.items():
                if not isinstance(value, torch.Tensor | list | tuple | dict) or name in ("_parameters", "_buffers"):
                    continue
                found = trees.tree_map(partial(stand_ins.of, every=of_all), value)
                if any(new is not old for new, old in zip(*map(trees.tree_leaves, (found, value)), strict=True)):
                    held[name] = found  # others may hold what has no such tensor, too
        yield stand_ins.mode, trees.tree_map(partial(stand_ins.of, every=every), arguments)
    finally:
        for held, values, _ in places:
            for name, value in values.items():
                held[name] = value


class _StandIns:
    """Tensors without values, one for each tensor."""

    def __init__(self, tensors: Iterable[Any]) -> None:
        """``tensors`` may be without values already, in a mode."""
        from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
        from torch.fx.experimental.symbolic_shapes import ShapeEnv

        known = next((each.fake_mode for each in tensors if isinstance(each, FakeTensor)), None)
        self.mode = known or FakeTensorMode(shape_env=ShapeEnv(tracked_fakes=[]), allow_non_fake_inputs=True)
        self.made: dict[int, Any] = {}

    def of(self, value: Any, *, every: bool) -> Any:
        """Return the one of a tensor on the meta device, or of ``every`` tensor; other values as they are."""
        import torch
        from torch._subclasses.fake_tensor import FakeTensor

        if not isinstance(value, torch.Tensor) or isinstance(value, FakeTensor) or not (every or value.is_meta):
            return value
        if id(value) not in self.made:
            if value.is_meta:
                found = FakeTensor(self.mode, value.detach(), torch.device("cpu"))
            else:
                found = self.mode.from_tensor(value.detach(), static_shapes=True)
            is_learned = isinstance(value, torch.nn.Parameter)
            self.made[id(value)] = torch.nn.Parameter(found, value.requires_grad) if is_learned else found
        return self.made[id(value)]
