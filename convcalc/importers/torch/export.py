"""In the child process: a program of ``torch.export`` as lines of a recording."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from convcalc.importers.torch import aten
from convcalc.importers.torch.failure import Failure

WRAPPERS = ("wrap", "tag_activation_checkpoint", "invoke_subgraph", "strict_mode", "hints_wrapper")
"""Higher-order operations whose body runs once."""
CALL_NUMBER = re.compile(r"@\d+")


def state_of(model: Any) -> dict[str, tuple[Any, bool]]:
    """Return parameters and buffers by all their names, and whether they are learned."""
    learned = {name: (each, True) for name, each in model.named_parameters(remove_duplicate=False)}
    return learned | {name: (each, False) for name, each in model.named_buffers(remove_duplicate=False)}


def parameter_lines(model: Any) -> Iterator[dict[str, Any]]:
    """Give a line for every name of a parameter or a buffer; those of one tensor have the same key."""
    keys: dict[int, str] = {}
    for name, (tensor, is_learned) in state_of(model).items():
        key = keys.setdefault(id(tensor), name)
        yield {"is": "parameter", "name": name, "key": key, "shape": [*tensor.shape], "learned": is_learned}


def plain_result(result: Any) -> Any:
    """Return a result as it is, or where it holds objects of other classes, the tensors in it and in them as a list."""
    from torch.utils import _pytree as trees

    leaves = trees.tree_leaves(result)
    objects = [each for each in leaves if hasattr(each, "__dict__") and not is_tensor(each)]
    if not objects:
        return result
    inside = trees.tree_leaves([vars(each) for each in objects])
    return [each for each in (*leaves, *inside) if is_tensor(each)]


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor, a fake one too."""
    return hasattr(value, "untyped_storage")


def leaves_of(model: Any) -> set[str]:
    """Return the names of modules without children."""
    return {name for name, module in model.named_modules() if not any(True for _ in module.children())}


def op_and_arguments(target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of an operation, and its arguments by the names of its schema, defaults included."""
    schema = getattr(target, "_schema", None)
    if schema is None:
        named = {str(place): each for place, each in enumerate(args)} | dict(kwargs)
        return f"python.{getattr(target, '__name__', target)}", named
    space, _, op = schema.name.partition("::")
    values = dict(zip((each.name for each in schema.arguments), args, strict=False)) | dict(kwargs)
    defaults = {
        each.name: each.default_value
        for each in schema.arguments
        if each.name not in values and each.has_default_value()
    }
    return op if space == "aten" else f"{space}.{op}", {**defaults, **values}


def plain(value: Any) -> Any:
    """Return an argument that JSON can hold; what is no number, text or list is its text."""
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return str(value)


def shapes(value: Any) -> list[list[int] | None]:
    """Return the shapes of what an operation gives.

    Raises:
        Failure: CC773, where a size depends on values.
    """
    if is_tensor(value):
        sizes = list(value.shape)
        if not all(isinstance(size, int) for size in sizes):
            raise Failure("CC773", f"a size depends on values: [{', '.join(map(str, sizes))}]")
        return [sizes]
    return [shape for each in value for shape in shapes(each)] if isinstance(value, list | tuple) else [None]


def _is_node(value: Any) -> bool:
    return hasattr(value, "all_input_nodes")


class Writer:
    """Gives the lines of one program, the graphs inside it included."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.values: dict[Any, Any] = {}
        self.leaves = leaves_of(model)
        self.count = 0

    def written(self, program: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Give the lines of parameters, inputs, operations and outputs; ``names`` are those of its inputs."""
        yield from parameter_lines(self.model)
        known, waiting = state_of(self.model), iter(names)
        specs = {spec.arg.name: spec for spec in program.graph_signature.input_specs if hasattr(spec.arg, "name")}
        for node in program.graph.nodes:
            if node.op != "placeholder":
                continue
            spec, value = specs.get(node.name), node.meta.get("val")
            target = spec.target if spec is not None else None
            if not is_tensor(value):
                self.values[node] = None
                continue
            if target:
                self.values[node] = {"tensor": target}
                if target not in known:
                    yield {"is": "parameter", "name": target, "key": target, "shape": [*value.shape], "learned": False}
                continue
            name = next(waiting, node.name)
            self.values[node] = {"tensor": f"input:{name}"}
            yield {"is": "input", "name": name, "shape": shapes(value)[0]}
        yield from self.of_graph(program.graph_module, "")
        results = next(node for node in program.graph.nodes if node.op == "output").args[0]
        kept = [spec.kind.name == "USER_OUTPUT" for spec in program.graph_signature.output_specs]
        for result, is_output in zip(results, kept, strict=False):
            if is_output and _is_node(result) and isinstance(self.values.get(result), dict):
                yield {"is": "output", "tensor": self.values[result]}

    def of_graph(self, graph: Any, path: str) -> Iterator[dict[str, Any]]:
        """Give the lines of the operations of a graph, whose placeholders are known."""
        for node in graph.graph.nodes:
            if node.op == "get_attr":
                self.values[node] = operator.attrgetter(node.target)(graph)
            if node.op == "call_function":
                yield from self.of_node(graph, node, path)

    def of_node(self, graph: Any, node: Any, path: str) -> Iterator[dict[str, Any]]:
        """Give the line of an operation, or those of the graph that it runs."""
        if node.target is operator.getitem:
            source, place = node.args
            value = self.values.get(source)
            if isinstance(value, dict):
                self.values[node] = {**value, "output": place}
            elif isinstance(value, list | tuple):
                self.values[node] = value[place]
            return
        stack = node.meta.get("nn_module_stack") or {}
        innermost = next(reversed(list(stack.values())), (path, None))
        path = CALL_NUMBER.sub("", innermost[0]) or path
        bodies = [each for each in node.args if hasattr(self.values.get(each), "graph")]
        if len(bodies) == 1 and str(node.target).startswith(WRAPPERS):
            yield from self.of_body(node, bodies[0], path)
            return
        if (bodies or self.is_in_parts(node)) and (parts := self.parts(node, path)) is not None:
            yield from parts
            return
        op, arguments = op_and_arguments(node.target, node.args, node.kwargs)
        self.count += 1
        name = f"{node.name}:{self.count}"
        outputs = shapes(node.meta.get("val"))
        self.values[node] = {"tensor": name}
        encoded = {key: self.encoded(value) for key, value in arguments.items() if value is not None}
        yield {"is": "node", "name": name, "op": op, "arguments": encoded, "outputs": outputs, "path": path,
               "leaf": path in self.leaves}  # fmt: skip

    def of_body(self, node: Any, body: Any, path: str) -> Iterator[dict[str, Any]]:
        """Give the lines of a graph that is run once, such as one without gradients."""
        inner = self.values[body]
        given = [each for each in node.args[node.args.index(body) + 1 :] if not isinstance(each, str)]
        if len(given) == 1 and isinstance(given[0], list | tuple):
            given = list(given[0])
        places = [each for each in inner.graph.nodes if each.op == "placeholder"]
        for place, value in zip(places, given, strict=False):
            self.values[place] = self.values.get(value) if _is_node(value) else value
        yield from self.of_graph(inner, path)
        result = next(each for each in inner.graph.nodes if each.op == "output").args[0]
        several = isinstance(result, list | tuple)
        self.values[node] = [self.values.get(each) for each in result] if several else self.values.get(result)

    def is_in_parts(self, node: Any) -> bool:
        """Whether an operation has no rule, or is a convolution of complex numbers, which is several of real ones."""
        name, value = op_and_arguments(node.target, (), {})[0], node.meta.get("val")
        is_complex = "conv" in name and is_tensor(value) and value.is_complex()
        return not name.startswith("python.") and (is_complex or not aten.is_known(name))

    def parts(self, node: Any, path: str) -> list[dict[str, Any]] | None:
        """Return the lines of the operations that one is made of, as the dispatcher finds them, if all are known."""
        import torch
        from torch._guards import detect_fake_mode
        from torch.utils import _pytree as trees

        from convcalc.importers.torch.dispatch import Recorder

        self.count += 1
        recorder = Recorder(path, leaves=self.leaves, prefix=f"{node.name}:{self.count}.")

        def fake(value: Any) -> Any:
            if not _is_node(value):
                return value
            known, own = value.meta.get("val"), self.values.get(value)
            if hasattr(own, "graph"):
                return own
            for each, reference in zip(known, own, strict=False) if isinstance(own, list) else ((known, own),):
                if is_tensor(each) and isinstance(reference, dict):
                    recorder.name(each, reference["tensor"], reference.get("output", 0))
            return known

        args, kwargs = torch.fx.node.map_aggregate((node.args, node.kwargs), fake)
        mode = detect_fake_mode([each for each in trees.tree_leaves((args, kwargs)) if is_tensor(each)])
        try:
            with mode or nullcontext(), recorder.mode():
                result = node.target(*args, **kwargs)
        except Exception:  # noqa: BLE001 - what only runs inside of something else
            return None
        if not recorder.is_known:
            return None
        several = isinstance(result, list | tuple)
        found = [recorder.values.get(id(each)) for each in (result if several else [result])]
        self.values[node] = found if several else found[0]
        return [*recorder.constants, *recorder.lines]

    def encoded(self, value: Any) -> Any:
        """Return an argument for JSON, with references to tensors."""
        if _is_node(value):
            found = self.values.get(value)
            return found if isinstance(found, dict | list) else plain(found)
        if isinstance(value, list | tuple):
            return [self.encoded(each) for each in value]
        return plain(value)
