"""In the child process: the operations that a module dispatches when it runs without values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch  # noqa: TID253 - this module is loaded where PyTorch is
from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: TID253
from torch.utils import _pytree as trees  # noqa: TID253
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: TID253

from convcalc.importers.torch.export import op_and_arguments, parameter_lines, plain, shapes


def dispatched(model: torch.nn.Module, positional: Sequence[Any], named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run a module on tensors without values, and return the lines of what it did."""
    from convcalc.importers.torch.trace import names_of_inputs

    names = names_of_inputs(model, positional, named)
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    recorder = Recorder(model)

    def fake(value: Any) -> Any:
        return mode.from_tensor(value, static_shapes=True) if isinstance(value, torch.Tensor) else value

    tensors = {id(each): each for each in (*model.parameters(), *model.buffers())}
    stand_ins = {key: fake(each.detach()) for key, each in tensors.items()}
    state = {
        name: stand_ins[id(each)]
        for name, each in (
            *model.named_parameters(remove_duplicate=False),
            *model.named_buffers(remove_duplicate=False),
        )
    }
    keys: dict[int, str] = {}
    for name, each in state.items():
        recorder.name(each, keys.setdefault(id(each), name))
    positional, named = trees.tree_map(fake, (tuple(positional), dict(named)))
    entering = [each for each in trees.tree_leaves((positional, named)) if isinstance(each, torch.Tensor)]
    for name, each in zip(names, entering, strict=False):
        recorder.name(each, f"input:{name}")
        recorder.lines.append({"is": "input", "name": name, "shape": [*each.shape]})
    with mode, recorder:
        result = torch.func.functional_call(model, state, positional, named)
    recorder.close()
    for each in _tensors_of(result):
        if found := recorder.values.get(id(each)):
            recorder.lines.append({"is": "output", "tensor": found})
    return [*parameter_lines(model), *recorder.lines]


def _tensors_of(value: Any) -> list[torch.Tensor]:
    """Return the tensors of a result, also of an object that only holds some."""
    leaves = [each for each in trees.tree_leaves(value) if isinstance(each, torch.Tensor)]
    if leaves or not hasattr(value, "__dict__"):
        return leaves
    return [each for each in trees.tree_leaves([*vars(value).values()]) if isinstance(each, torch.Tensor)]


class Recorder(TorchDispatchMode):
    """Writes a line for each operation. Tensors are known by their identity, so all of them are kept."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []
        self.values: dict[int, dict[str, Any]] = {}
        self._kept: list[Any] = []
        self._path: list[str] = []
        self._leaves = {name for name, module in model.named_modules() if not any(True for _ in module.children())}
        self._hooks = [
            hook
            for name, module in model.named_modules()
            for hook in (
                module.register_forward_pre_hook(partial(self._entered, name)),
                module.register_forward_hook(self._left, always_call=True),
            )
        ]

    def _entered(self, name: str, *_: Any) -> None:
        self._path.append(name)

    def _left(self, *_: Any) -> None:
        self._path.pop()

    def close(self) -> None:
        """Take the hooks off the module."""
        for hook in self._hooks:
            hook.remove()

    def name(self, tensor: torch.Tensor, name: str, output: int = 0) -> None:
        """Let a tensor be known under a name."""
        self._kept.append(tensor)
        self.values[id(tensor)] = {"tensor": name, "output": output} if output else {"tensor": name}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        op, arguments = op_and_arguments(func, args, kwargs or {})
        encoded = {key: self.encoded(value) for key, value in arguments.items() if value is not None}
        path = self._path[-1] if self._path else ""
        name = f"{op}:{len(self.lines)}"
        outputs = trees.tree_leaves(result)
        if not any(isinstance(each, torch.Tensor) for each in outputs):  # such as the device of one
            return result
        self.lines.append({"is": "node", "name": name, "op": op, "arguments": encoded, "outputs": shapes(outputs),
                           "path": path, "leaf": path in self._leaves})  # fmt: skip
        for place, each in enumerate(outputs):
            if isinstance(each, torch.Tensor):
                self.name(each, name, place)
        return result

    def encoded(self, value: Any) -> Any:
        """Return an argument for JSON; a tensor that no operation made is a constant."""
        if isinstance(value, torch.Tensor):
            if id(value) not in self.values:
                name = f"constant:{len(self._kept)}"
                self.name(value, name)
                self.lines.append({"is": "parameter", "name": name, "key": name, "shape": [*value.shape],
                                   "learned": False})  # fmt: skip
            return self.values[id(value)]
        if isinstance(value, list | tuple):
            return [self.encoded(each) for each in value]
        return plain(value)
