"""The node tests of the ``onnx`` package in the spec language: how ``onnx_nodes.json`` was made.

To be run where onnx 1.23.2 is installed; the tests need it not::

    python tests/reference/onnx_nodes.py -o tests/reference/onnx_nodes.json

The package comes with a model for every node test, and with the arrays that go in and come out. A row has the test's
name, the shapes that enter, the node in the language (``onnx_words.py``, after the operators' reference and
specs/README.md), the shapes of the arrays that come out, and how many numbers its weights hold. Batches are left out
where the language has none. Tests that the language cannot say are listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import onnx
from onnx.backend.test.case.node import collect_testcases
from onnx_words import NO_WORD, WORDS, Node, Said, UnsaidError

EXPANDED = "a function written out in many nodes, which is another test as one node"
COLUMNS = ["test", "input", "spec", "out", "params"]


def said(case: Any) -> Said:
    """The row of a test, or the reason why there is none."""
    nodes = case.model.graph.node
    if case.name.endswith("_expanded") or len(nodes) != 1 or "expanded" in case.name:
        raise UnsaidError(EXPANDED)
    if nodes[0].op_type not in WORDS:
        raise UnsaidError(NO_WORD)
    if not case.data_sets:
        raise UnsaidError("without arrays")
    entering, leaving = case.data_sets[0]
    return WORDS[nodes[0].op_type](Node.of(nodes[0], entering, leaving))


def listed(reason: str, cases: list[Any]) -> Any:
    """The tests' names; where an operator has no word at all, how many tests each has."""
    if reason == EXPANDED:
        return len(cases)
    if reason != NO_WORD:
        return sorted(case.name for case in cases)
    return dict(sorted(Counter(case.model.graph.node[0].op_type for case in cases).items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows, unsaid = [], defaultdict[str, list[Any]](list)
    cases = collect_testcases(None)
    for case in cases:
        try:
            row = said(case)
            rows.append([case.name, row.inputs, row.spec, row.outputs, row.params])
        except UnsaidError as reason:
            unsaid[str(reason)].append(case)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in sorted(rows, key=lambda row: row[0]))
    reasons = ",\n".join(
        f"{json.dumps(reason)}: {json.dumps(listed(reason, unsaid[reason]))}" for reason in sorted(unsaid)
    )
    head = {"source": f"onnx {onnx.__version__}", "tests": len(cases), "columns": COLUMNS}
    text = f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n],\n"unsaid": {{\n{reasons}\n}}}}\n'
    given.output.write_text(text, "utf-8")
    sys.stdout.write(f"{len(rows)} of {len(cases)} tests are said\n")


if __name__ == "__main__":
    main()
