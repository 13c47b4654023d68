"""In the child process: the operations that a module dispatches when it runs without values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cache, partial
from string import ascii_letters
from typing import Any

from convcalc.importers.torch import aten, control, export
from convcalc.importers.torch.build import without_values
from convcalc.importers.torch.export import is_tensor, op_and_arguments, shapes


def dispatched(model: Any, positional: Sequence[Any], named: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Run a module on tensors without values, and return the lines of what it did; ``names`` are those of inputs."""
    import torch
    from torch.utils import _pytree as trees

    recorder, compiles = Recorder(), torch.compile
    with without_values(model, (positional, named), every=True) as (mode, (args, kwargs)):
        lines = [*export.parameter_lines(model)]
        for name, (each, _) in reversed(export.state_of(model).items()):
            recorder.name(each, name)
        entering = [each for each in trees.tree_leaves((args, kwargs)) if is_tensor(each)]
        for name, each in zip(names, entering, strict=False):
            recorder.name(each, f"input:{name}")
            lines.append({"is": "input", "name": name, "shape": [*each.shape]})
        torch.compile = lambda code=None, **_: (lambda each: each) if code is None else code
        try:
            with mode, recorder.modules_of(model), recorder.mode():
                result = model(*args, **kwargs)
        finally:
            torch.compile = compiles
    outputs = (recorder.values.get(id(each)) for each in trees.tree_leaves(export.plain_result(result)))
    lines += [*recorder.constants, *recorder.lines]
    return [*lines, *({"is": "output", "tensor": each} for each in outputs if each)]


class Recorder:
    """Writes a line for each operation. Tensors are known by their identity, so all of them are kept."""

    def __init__(self, path: str = "", leaves: Set[str] = frozenset(), prefix: str = "") -> None:
        """``path`` is the module that runs, ``leaves`` those without children, ``prefix`` what names begin with."""
        self.lines: list[dict[str, Any]] = []
        self.values: dict[int, dict[str, Any]] = {}
        self.is_known = True
        """Whether all operations have a rule."""
        self.count = 0
        self.constants: list[dict[str, Any]] = []
        self._kept: list[Any] = []
        self._path = [path]
        self._leaves = leaves
        self._prefix = prefix

    @contextmanager
    def modules_of(self, model: Any) -> Iterator[None]:
        """Note which module operations run in."""
        import torch

        self._leaves = export.leaves_of(model)
        hooks = [
            hook
            for name, module in model.named_modules()
            if not isinstance(module, torch.jit.ScriptModule)
            for hook in (
                module.register_forward_pre_hook(partial(self._entered, name)),
                module.register_forward_hook(self._left, always_call=True),
            )
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def mode(self) -> Any:
        """Return the context in which operations are written down."""
        return _mode_class()(self)

    def _entered(self, name: str, *_: Any) -> None:
        self._path.append(name)

    def _left(self, *_: Any) -> None:
        self._path.pop()

    def name(self, tensor: Any, name: str, output: int = 0) -> None:
        """Let a tensor be known under a name."""
        self._kept.append(tensor)
        self.values[id(tensor)] = {"tensor": name, "output": output} if output else {"tensor": name}

    def note(self, func: Any, args: Any, kwargs: Any, outputs: Sequence[Any]) -> None:
        """Write the line of an operation that gives a tensor."""
        if any(shape is not None for shape in shapes(list(outputs))):
            op, arguments = op_and_arguments(func, args, kwargs)
            self.is_known = self.is_known and aten.is_known(op)
            self.write(op, arguments, outputs)

    def write(self, op: str, arguments: Mapping[str, Any], outputs: Sequence[Any], **more: Any) -> None:
        """Write a line, and know what the operation gives."""
        encoded = {key: self.encoded(value) for key, value in arguments.items() if value is not None}
        self.count += 1
        made, path, name = shapes(list(outputs)), self._path[-1], f"{self._prefix}{op}:{self.count}"
        self.lines.append({"is": "node", "name": name, "op": op, "arguments": encoded, "outputs": made, "path": path,
                           "leaf": path in self._leaves, **more})  # fmt: skip
        for place, each in enumerate(outputs):
            if made[place] is not None:
                self.name(each, name, place)

    def encoded(self, value: Any) -> Any:
        """Return an argument for JSON; a tensor that no operation made is a constant."""
        if isinstance(value, list | tuple):
            return [self.encoded(each) for each in value]
        if not is_tensor(value):
            return export.plain(value)
        if id(value) not in self.values:
            name = f"{self._prefix}constant:{len(self._kept)}"
            self.name(value, name)
            self.constants.append({"is": "parameter", "name": name, "key": name, "shape": [*value.shape],
                                   "learned": False})  # fmt: skip
        return self.values[id(value)]


@cache
def _mode_class() -> Any:
    import torch
    from torch._decomp import decomposition_table
    from torch.utils import _pytree as trees
    from torch.utils._python_dispatch import TorchDispatchMode

    class Mode(TorchDispatchMode):  # type: ignore[misc]
        supports_higher_order_operators = True

        def __init__(self, recorder: Recorder) -> None:
            super().__init__()
            self.recorder = recorder

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if isinstance(func, torch._ops.HigherOrderOperator):  # noqa: SLF001 - there is no public name
                if (known := control.FUNCTIONS.get(func.name())) is not None:
                    with self:
                        return tuple(known(self.recorder, *args))
            elif not aten.is_known(name := op_and_arguments(func, (), {})[0]):
                parts = PARTS.get(name) or decomposition_table.get(func)
                if parts is not None:
                    with self:
                        return parts(*args, **(kwargs or {}))
            result = func(*args, **(kwargs or {}))
            self.recorder.note(func, args, kwargs or {}, trees.tree_leaves(result))
            return result

    return Mode


# --- operations that PyTorch does not decompose -----------------------------------------------------------------------


def _trilinear(one: Any, two: Any, three: Any, *axes: Any, **_: Any) -> Any:
    """The product of three tensors, each without some axes of the whole, summed along others."""
    import torch

    letters = ascii_letters[: one.dim() + len(axes[0])]
    terms = ["".join(each for place, each in enumerate(letters) if place not in left_out) for left_out in axes[:4]]
    return torch.einsum(f"{','.join(terms[:3])}->{terms[3]}", one, two, three)


PARTS: dict[str, Callable[..., Any]] = {
    "_cdist_forward": lambda one, other, p, *_: (one.unsqueeze(-2) - other.unsqueeze(-3)).norm(p, -1),
    "addbmm": lambda added, one, other, **_: added + (one @ other).sum(0),
    "_trilinear": _trilinear,
}
"""What PyTorch does not decompose."""
