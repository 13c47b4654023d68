"""In the child process: operations that run graphs or functions: branches, loops, attention with functions of scores.

Loops are unrolled. A branch has the lines of both its bodies: which one is counted is known when they are layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcalc.importers.torch.dispatch import Recorder


def _result(body: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
    from torch.utils import _pytree as trees

    return list(trees.tree_leaves(body(*values)))


def _branch(recorder: Recorder, _: Any, *bodies: Any) -> list[Any]:
    *branches, values = bodies
    written, results = [], []
    for body in branches:
        lines, recorder.lines = recorder.lines, []
        results = _result(body, values)
        written.append({"lines": recorder.lines, "results": recorder.encoded(results)})
        recorder.lines = lines
    recorder.write("cond", {}, results, bodies=written)
    return results


def _while(recorder: Recorder, _: Any, body: Any, carried: Sequence[Any], more: Sequence[Any] = ()) -> list[Any]:
    """A round of which as many follow as values say: their cost is not known."""
    results = _result(body, (*carried, *more))
    recorder.write("while_loop", {"carried": results}, results)
    return results


def _scan(_: Recorder, body: Any, carry: Sequence[Any], sequences: Any, more: Sequence[Any] = ()) -> list[Any]:
    """As many rounds as the first axis is long; each gives what the next one gets, and elements of the outputs."""
    import torch

    rounds: list[list[Any]] = []
    carry = list(carry)
    for place in range(sequences[0].shape[0]):
        found = _result(body, (*carry, *(each[place] for each in sequences), *more))
        rounds.append(found[len(carry) :])
        carry = found[: len(carry)]
    return [*carry, *(torch.stack(each) for each in zip(*rounds, strict=True))]


def _attention(recorder: Recorder, query: Any, key: Any, value: Any, *_: Any) -> tuple[Any, ...]:
    """Attention with a function of the scores, which multiplies nothing else."""
    made = query.new_empty((*query.shape[:-1], value.shape[-1]))
    most = [query.new_empty(query.shape[:-1]) for _ in range(2)]
    recorder.write("flex_attention", {"query": query, "key": key, "value": value}, [made, *most])
    return (made, *most)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cond": _branch, "while_loop": _while, "scan": _scan, "flex_attention": _attention,
    "map_impl": lambda recorder, body, *given: _scan(recorder, body, (), *given),
}  # fmt: skip
"""Runs a higher-order operation, and writes its parts down."""
