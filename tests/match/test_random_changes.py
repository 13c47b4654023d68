"""A random network with one random change: that change is the one difference, and all else follows from it."""

from __future__ import annotations

from random import Random

import pytest

import convcalc
from convcalc.graph.graph import Graph
from convcalc.match.match import Match, match
from tests.fuzz.networks import Builder
from tests.match.changes import Change, flattened, random_change, shuffled
from tests.zoo.layerwise import SPECS

NETWORKS = 120
ZOO = sorted(path.stem for path in (SPECS / "zoo").glob("*.yaml"))


def drawn(seed: int) -> Graph:
    return convcalc.load(text=Builder(Random(seed)).network().with_values({})).graph


def in_the_zoo(name: str) -> Graph:
    return convcalc.load(f"zoo:{name}").graph


def matched(one: Graph, two: Graph) -> Match:
    return match(("one", "two"), (one, two))


def assert_only(found: Match, change: Change) -> None:
    """One difference, which is the change; layers that are not equal follow from it."""
    (difference,) = found.differences
    if change.what == "removed":
        assert (difference.kind, len(difference.first), difference.second) == ("missing", 1, ())
    else:
        assert (difference.kind, [layer.path for layer in difference.first]) == ("changed", [change.path])
        assert change.what in difference.names
        assert set(difference.names) <= {change.what, "padding"}  # half of a larger kernel
    assert found.equal + difference.consequences + 1 == found.first.layers


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_one_change_of_a_drawn_network_is_the_one_difference(seed: int) -> None:
    graph = drawn(seed)
    assert matched(graph, flattened(graph)).is_equal
    if changed := random_change(graph, Random(seed)):
        assert_only(matched(graph, changed[0]), changed[1])


@pytest.mark.parametrize("name", ZOO)
def test_one_change_of_a_known_network_is_the_one_difference(name: str) -> None:
    graph = in_the_zoo(name)
    for seed in range(3):
        changed = random_change(graph, Random(f"{name}{seed}"))
        assert changed is not None
        assert_only(matched(graph, changed[0]), changed[1])


@pytest.mark.parametrize("name", ZOO)
def test_names_structure_and_the_order_of_branches_make_no_difference(name: str) -> None:
    graph = in_the_zoo(name)
    found = matched(graph, flattened(shuffled(graph, Random(name))))
    assert found.is_equal
    assert found.equal == found.first.layers == found.second.layers > 0


@pytest.mark.parametrize("name", ZOO)
def test_one_change_behind_other_names_and_another_order_is_the_one_difference(name: str) -> None:
    """But for kernels, by which branches are told apart: one as its neighbour was may be either."""
    graph = in_the_zoo(name)
    changed = random_change(graph, Random(name), but="kernel")
    assert changed is not None
    assert_only(matched(graph, flattened(shuffled(changed[0], Random(name)))), changed[1])
