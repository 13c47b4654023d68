"""Which bundled designs are what their modules are. ``check`` is run by this file's name alone, where PyTorch is."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reference.test_traced_models import check_where_torch_is
from tests.zoo.layerwise import cited_modules

HERE = Path(__file__).parent


def test_the_modules_match_as_the_table_says() -> None:
    check_where_torch_is("matched_models.py")


def test_the_table_has_every_design_that_cites_a_module() -> None:
    table = json.loads((HERE / "matched_models.json").read_text(encoding="utf-8"))
    assert {design: set(modules) for design, modules in table.items()} == cited_modules(("torchvision", "timm"))
    equal = [design for design, modules in table.items() if not any(modules.values())]
    assert len({design.partition("@")[0] for design in equal}) >= 40
