"""In the child process: the operations of a module, by ``torch.export``, or where that fails by the dispatcher."""

from __future__ import annotations

import inspect
import io
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import is_dataclass
from functools import wraps
from typing import Any

from convcalc.importers.torch import export
from convcalc.importers.torch.build import without_values
from convcalc.importers.torch.dispatch import dispatched
from convcalc.importers.torch.failure import Failure, reason, run

HOW = "--input NAME=3,224,224 without the batch axis, NAME:int64=128 for indices, or --inputs MODULE:FUNCTION"

PARTS = "what depends on values cannot be traced: give a part of the model without it, torch:MODULE:CALLABLE.PART"
OF_VALUES = ("DataDependent", "DynamicOutputShape", "depends on values", "Cannot copy out of meta", "item() cannot")


def traced(model: Any, shapes: Sequence[Mapping[str, Any]], given: Any = None, batch: int = 1) -> list[dict[str, Any]]:
    """Return the lines of a recording.

    Args:
        model: a module.
        shapes: of inputs, without the batch axis, each with a name and the name of its data type, which may be empty.
        given: a callable that returns the arguments of ``forward``, in place of shapes.
        batch: the batch size.

    Raises:
        Failure: CC762 for inputs that are missing, CC772 where the model fails, CC773 where it cannot be traced.
    """
    import torch

    device = next((tensor.device for tensor in (*model.parameters(), *model.buffers())), torch.device("meta"))
    arguments = _made(model, shapes, batch, device) if given is None else _given(given, device)
    positional, named = arguments
    with torch.no_grad():
        if any(map(torch.nn.parameter.is_lazy, model.parameters())):  # whose shapes a first run finds
            run(lambda: model(*positional, **named), "the first run of lazy modules")
    names = names_of_inputs(model, positional, named)
    with torch.no_grad(), _plainly(), without_values(model, arguments) as (_, (positional, named)):
        return [*_scopes(model), *_lines(model, positional, named, names)]


@contextmanager
def _plainly() -> Iterator[None]:
    """Let PyTorch choose no way by values or for speed, and let the exporter not log what it raises."""
    import torch
    from torch.nn.modules import transformer

    fast, level = torch.backends.mha.get_fastpath_enabled(), logging.root.manager.disable
    detects = transformer._detect_is_causal_mask  # noqa: SLF001 - it compares values
    torch.backends.mha.set_fastpath_enabled(False)
    logging.disable(logging.CRITICAL)
    transformer._detect_is_causal_mask = lambda _, is_causal=None, size=None: bool(is_causal)  # noqa: SLF001, ARG005
    try:
        with torch.backends.mkldnn.flags(enabled=False):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        logging.disable(level)
        transformer._detect_is_causal_mask = detects  # noqa: SLF001


def _scopes(model: Any) -> Iterator[dict[str, Any]]:
    """Give the class of every module."""
    for path, module in model.named_modules():
        if path:
            yield {"is": "scope", "path": path, "class": type(module).__name__}


def _lines(model: Any, positional: Any, named: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    import torch

    said, found = io.StringIO(), None
    try:
        with redirect_stdout(said), redirect_stderr(said), _plain_outputs(model):
            program = torch.export.export(model, positional, named, strict=False)
        found = [*export.Writer(model).written(program, names)]
        failed: Exception | None = None
    except Exception as error:  # noqa: BLE001 - whatever the exporter or the model raises
        failed = error  # of which the exporter may print pages; what the model printed, it will again
    if found is not None:
        os.write(2, said.getvalue().encode("utf-8", "replace"))
        if not any(map(_is_of_functions, found)):
            return found
    try:
        lines = dispatched(model, positional, named, names)
    except Exception as error:  # noqa: BLE001
        if found is not None:
            return found
        raise _untraceable(model, failed, error) from None
    if failed is None:
        return lines
    note = f"traced by its operations alone, since torch.export failed: {reason(failed)}"
    return [{"is": "note", "text": note}, *lines]


def _is_of_functions(line: Mapping[str, Any]) -> bool:
    """Whether a line is of a function of PyTorch that is no operation, such as one of ``vmap``.

    What runs between two of them has shapes without the axis that is mapped over; the dispatcher finds those with it.
    """
    return (
        line["is"] == "node" and line["op"].startswith("python.") and any(each is not None for each in line["outputs"])
    )


@contextmanager
def _plain_outputs(model: Any) -> Iterator[None]:
    """Let ``forward`` return the tensors alone of a result that holds other objects, which cannot be exported."""
    own, forward = model.__dict__.get("forward"), model.forward

    @wraps(forward)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return export.plain_result(forward(*args, **kwargs))

    model.forward = plain
    try:
        yield
    finally:
        del model.forward
        if own is not None:
            model.forward = own


def _made(model: Any, shapes: Sequence[Mapping[str, Any]], batch: int, device: Any) -> tuple[Any, Any]:
    """Return tensors for ``forward``, by position as far as they follow each other."""
    signature = inspect.signature(model.forward).parameters.values()
    names = [each.name for each in signature if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    open_ended = [each.name for each in signature if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    needed = [each.name for each in signature if each.default is each.empty and each.name not in open_ended]
    known = [*names, *([] if names else open_ended[:1])]
    tensors: dict[str, Any] = {}
    for shape in shapes:
        name = shape["name"] or next(iter(known), "")
        if name not in known:
            has = f", only {', '.join(known)}" if known else ""
            raise Failure("CC762", f"forward has no input '{name}'{has}", HOW, word=name, known=known)
        tensors[name] = _zeros(model, shape, batch, device)
    if missing := [name for name in needed or known[:1] if name not in tensors]:
        raise Failure("CC762", f"sizes are not known: {', '.join(missing)}", HOW)
    if not names:
        return tuple(tensors.values()), {}
    leading = next((step for step, name in enumerate(names) if name not in tensors), len(names))
    only_named = {each.name for each in signature if each.kind is each.KEYWORD_ONLY}
    leading = next((step for step, name in enumerate(names[:leading]) if name in only_named), leading)
    first = names[:leading]
    return tuple(tensors[name] for name in first), {name: each for name, each in tensors.items() if name not in first}


def _zeros(model: Any, shape: Mapping[str, Any], batch: int, device: Any) -> Any:
    import torch

    dtype = next((each.dtype for each in model.parameters() if each.is_floating_point()), torch.float32)
    if shape["dtype"]:
        dtype = getattr(torch, shape["dtype"], None)
        if not isinstance(dtype, torch.dtype):
            raise Failure("CC762", f"'{shape['dtype']}' is not a data type of PyTorch", "int64, float32, bool …")
    return torch.zeros((batch, *shape["axes"]), dtype=dtype, device=device)


def _given(function: Callable[[], Any], device: Any) -> tuple[Any, Any]:
    """Return the arguments that a function of the user gives: a tensor, a tuple, a dict, or a tuple and a dict."""
    import torch
    from torch.utils import _pytree as trees

    found = run(function, "the function of --inputs")
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], tuple) and isinstance(found[1], dict):
        positional, named = found
    else:
        named = found if isinstance(found, dict) else {}
        positional = () if named else tuple(found) if isinstance(found, tuple | list) else (found,)
    for leaf in _objects((positional, named)):
        torch.export.register_dataclass(type(leaf))
    given: tuple[Any, Any] = positional, named
    return trees.tree_map(lambda each: each.to(device) if isinstance(each, torch.Tensor) else each, given)  # type: ignore[no-any-return]


def _objects(given: Any) -> Iterator[Any]:
    """Give the objects of data classes among arguments, those inside others too."""
    from torch.utils import _pytree as trees

    for leaf in trees.tree_leaves(given):
        if is_dataclass(leaf):
            yield leaf
            yield from _objects(list(vars(leaf).values()))


def names_of_inputs(model: Any, positional: Sequence[Any], named: Mapping[str, Any]) -> list[str]:
    """Return names of the tensors that enter, in their order: arguments, numbered where one holds several."""
    import torch
    from torch.utils import _pytree as trees

    try:
        bound = inspect.signature(model.forward).bind(*positional, **named).arguments
    except TypeError:
        bound = {f"input{place}": each for place, each in enumerate((*positional, *named.values()))}
    names: list[str] = []
    for name, value in bound.items():
        tensors = [each for each in trees.tree_leaves(value) if isinstance(each, torch.Tensor)]
        names += [name] if len(tensors) == 1 else [f"{name}_{place}" for place in range(len(tensors))]
    return names


def _untraceable(model: Any, exported: Exception | None, ran: Exception) -> Failure:
    """Return the error of a model that neither way could trace, with the innermost module that was running."""
    where = ""
    trace, names = ran.__traceback__, {id(module): name for name, module in model.named_modules()}
    while trace is not None:
        where = names.get(id(trace.tb_frame.f_locals.get("self")), where)
        trace = trace.tb_next
    place = f" in {where}" if where else ""
    text = re.sub(r"\s+", " ", reason(ran))
    also = "" if exported is None or reason(exported) == reason(ran) else f" (torch.export: {reason(exported)})"
    hint = PARTS if any(kind in text for kind in OF_VALUES) else f"inputs are given by {HOW}"
    return Failure("CC773", f"forward failed{place}: {text}{also}", hint)
