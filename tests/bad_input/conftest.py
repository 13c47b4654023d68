"""Both parsers of YAML: libyaml's, where PyYAML was built with it, and the one in Python."""

from __future__ import annotations

import pytest
import yaml

from convcalc.spec.yaml import nodes

LOADERS = {"libyaml": getattr(yaml, "CLoader", None), "python": yaml.Loader}


@pytest.fixture(params=[name for name, loader in LOADERS.items() if loader])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Reads specs with one of the parsers, each in turn."""
    monkeypatch.setattr(nodes, "LOADER", LOADERS[request.param])
    return str(request.param)
