"""Which bundled designs are what their frameworks' modules are: ``matched_models.json``, by ``convcalc match``.

To be run where torch 2.14.1, torchvision 0.29.1 and timm 1.0.31 are installed; the tests need none of them::

    PYTHONPATH=. python tests/reference/matched_models.py write
    PYTHONPATH=. python tests/reference/matched_models.py check

Every design is matched that has a claim with the source ``torchvision/NAME`` or ``timm/NAME``: each layer, norms and
activations, parameters, ties and what reads what. In the table is for each what differs, or nothing.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from traced_models import lines_of, network

import convcalc
from convcalc.errors import Source
from convcalc.importers.torch.parent import graph_of
from convcalc.importers.torch.recording import Recording
from convcalc.match.match import match
from tests.zoo.layerwise import cited_modules

TABLE = Path(__file__).with_name("matched_models.json")


def differences(design: str, module: str) -> list[str]:
    """Return what differs, in short."""
    ours = convcalc.load(design).graph
    (shape,) = (list(node.shape) for node in ours.inputs)
    recording = Recording()
    for line in lines_of(network(*module.split(":"))[0], shape, None, "")[1]:
        recording.add(line)
    found = match((design, module), (ours, graph_of(recording, Source(module))[0])).differences
    return sorted({f"{each.kind}: {', '.join(each.names)}" for each in found})


def table() -> dict[str, dict[str, list[str]]]:
    """Return for every design its modules and what differs."""
    return {
        design: {module: differences(design, module) for module in sorted(modules)}
        for design, modules in sorted(cited_modules(("torchvision", "timm")).items())
    }


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    if sys.argv[1] == "write":
        TABLE.write_text(json.dumps(table(), indent=1) + "\n", encoding="utf-8")
    elif table() != json.loads(TABLE.read_text(encoding="utf-8")):
        sys.exit("the table says something else")
