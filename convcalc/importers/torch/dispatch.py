"""In the child process: the operations that a module dispatches when it runs without values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from convcalc.importers.torch.export import (
    is_tensor,
    leaves_of,
    op_and_arguments,
    parameter_lines,
    plain,
    plain_result,
    shapes,
)


def dispatched(model: Any, positional: Sequence[Any], named: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Run a module on tensors without values, and return the lines of what it did; ``names`` are those of inputs."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils import _pytree as trees
    from torch.utils._python_dispatch import TorchDispatchMode

    mode, recorder = FakeTensorMode(allow_non_fake_inputs=True), Recorder(model)

    class Mode(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            recorder.note(func, args, kwargs or {}, trees.tree_leaves(result))
            return result

    def fake(value: Any) -> Any:
        return mode.from_tensor(value, static_shapes=True) if isinstance(value, torch.Tensor) else value

    tensors = {id(each): each for each in (*model.parameters(), *model.buffers())}
    stand_ins = {key: fake(each.detach()) for key, each in tensors.items()}
    kept = (model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False))
    state = {name: stand_ins[id(each)] for every in kept for name, each in every}
    for name, each in reversed(state.items()):
        recorder.name(each, name)
    positional, named = trees.tree_map(fake, (tuple(positional), dict(named)))
    entering = [each for each in trees.tree_leaves((positional, named)) if isinstance(each, torch.Tensor)]
    for name, each in zip(names, entering, strict=False):
        recorder.name(each, f"input:{name}")
        recorder.lines.append({"is": "input", "name": name, "shape": [*each.shape]})
    try:
        with mode, Mode():
            result = torch.func.functional_call(model, state, positional, named)
    finally:
        recorder.close()
    outputs = (recorder.values.get(id(each)) for each in trees.tree_leaves(plain_result(result)))
    return [*parameter_lines(model), *recorder.lines, *({"is": "output", "tensor": each} for each in outputs if each)]


class Recorder:
    """Writes a line for each operation. Tensors are known by their identity, so all of them are kept."""

    def __init__(self, model: Any) -> None:
        self.lines: list[dict[str, Any]] = []
        self.values: dict[int, dict[str, Any]] = {}
        self._kept: list[Any] = []
        self._path: list[str] = []
        self._leaves = leaves_of(model)
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

    def name(self, tensor: Any, name: str, output: int = 0) -> None:
        """Let a tensor be known under a name."""
        self._kept.append(tensor)
        self.values[id(tensor)] = {"tensor": name, "output": output} if output else {"tensor": name}

    def note(self, func: Any, args: Any, kwargs: Any, outputs: Sequence[Any]) -> None:
        """Write the line of an operation that gives a tensor."""
        made = shapes(list(outputs))
        if not any(shape is not None for shape in made):
            return
        op, arguments = op_and_arguments(func, args, kwargs)
        encoded = {key: self.encoded(value) for key, value in arguments.items() if value is not None}
        path, name = self._path[-1] if self._path else "", f"{op}:{len(self.lines)}"
        self.lines.append({"is": "node", "name": name, "op": op, "arguments": encoded, "outputs": made, "path": path,
                           "leaf": path in self._leaves})  # fmt: skip
        for place, each in enumerate(outputs):
            if made[place] is not None:
                self.name(each, name, place)

    def encoded(self, value: Any) -> Any:
        """Return an argument for JSON; a tensor that no operation made is a constant."""
        if isinstance(value, list | tuple):
            return [self.encoded(each) for each in value]
        if not is_tensor(value):
            return plain(value)
        if id(value) not in self.values:
            name = f"constant:{len(self._kept)}"
            self.name(value, name)
            self.lines.append({"is": "parameter", "name": name, "key": name, "shape": [*value.shape],
                               "learned": False})  # fmt: skip
        return self.values[id(value)]
