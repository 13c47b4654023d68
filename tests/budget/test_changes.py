"""Layers matched between two versions of a design: what grew, shrank, is new, is gone or moved; and folded rows."""

from __future__ import annotations

import pytest

from convcalc.budget.baseline.file import DesignCounts
from convcalc.budget.diff.layers import group_changes, match_layers, metric_changes
from tests.work import limited_work


def layers(**values: int) -> dict[str, dict[str, int]]:
    """``stage1__conv=4`` is a layer ``stage1.conv`` of four params."""
    return {path.replace("__", "."): {"params": value} for path, value in values.items()}


def told(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> list[tuple[str, ...]]:
    found = metric_changes(DesignCounts({}, before), DesignCounts({}, after), ["params"])
    return [(one.change, one.path, one.old_path) if one.old_path else (one.change, one.path) for one in found]


def rows(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> list[tuple[object, ...]]:
    found = group_changes(match_layers(before, after), ["params", "macs"])
    return [(row.change, row.old_path, row.path, row.layers, row.difference("params")) for row in found]


def test_nothing_changed() -> None:
    assert told(layers(a=1, b=2), layers(a=1, b=2)) == []
    assert told({}, {}) == rows({}, {}) == []


def test_the_largest_change_first() -> None:
    before = layers(a=10, b=10, c=10, d=5)
    after = layers(a=11, b=4, c=10, e=7)
    assert told(before, after) == [("new", "e"), ("shrank", "b"), ("removed", "d"), ("grew", "a")]


def test_values_of_a_change() -> None:
    (change,) = metric_changes(DesignCounts({}, layers(a=10)), DesignCounts({}, layers(a=12)), ["params"])
    assert (change.metric, change.before, change.after) == ("params", 10, 12)
    (change,) = metric_changes(DesignCounts({}, {}), DesignCounts({}, layers(a=12)), ["params"])
    assert (change.before, change.after) == (None, 12)


def test_each_metric_by_itself() -> None:
    before = {"a": {"params": 1, "macs": 5}, "b": {"macs": 1}}
    after = {"a": {"params": 2, "macs": 4}, "b": {"macs": 9}}
    found = metric_changes(DesignCounts({}, before), DesignCounts({}, after), ["macs", "params"])
    assert [(one.metric, one.change, one.path) for one in found] == [
        ("macs", "grew", "b"), ("macs", "shrank", "a"), ("params", "grew", "a"),
    ]  # fmt: skip


def test_a_swap_shows_though_the_sum_is_the_same() -> None:
    assert sorted(told(layers(a=10, b=20), layers(a=20, b=10))) == [("grew", "a"), ("shrank", "b")]


def test_a_renamed_scope_is_moved_and_not_new() -> None:
    before = layers(stem=1, stage1__conv1=4, stage1__conv2=5, head=9)
    after = layers(stem=1, body1__conv1=4, body1__conv2=5, head=9)
    expected = [("moved", "body1.conv1", "stage1.conv1"), ("moved", "body1.conv2", "stage1.conv2")]
    assert sorted(told(before, after)) == expected
    assert rows(before, after) == [("moved", "stage1", "body1", 2, 0)]


def test_a_scope_around_scopes_is_matched_whole() -> None:
    before = layers(net__s1__a=1, net__s1__b=2, net__s2__a=1, net__s2__b=2)
    after = layers(body__s1__a=1, body__s1__b=2, body__s2__a=1, body__s2__b=2)
    assert [one[1:] for one in sorted(told(before, after))] == [
        (f"body.{path}", f"net.{path}") for path in ("s1.a", "s1.b", "s2.a", "s2.b")
    ]
    assert rows(before, after) == [("moved", "net", "body", 4, 0)]


def test_scopes_of_the_same_names_are_told_apart_by_their_values() -> None:
    before = layers(s1__a=1, s1__b=2, s2__a=3, s2__b=4)
    after = layers(t1__a=3, t1__b=4, t2__a=1, t2__b=2)
    assert rows(before, after) == [("moved", "s2", "t1", 2, 0), ("moved", "s1", "t2", 2, 0)]


def test_a_renamed_scope_in_which_something_grew() -> None:
    before = layers(stage1__conv1=4, stage1__conv2=5, stage1__conv3=6)
    after = layers(body__conv1=4, body__conv2=50, body__conv3=6)
    assert told(before, after)[0] == ("grew", "body.conv2", "stage1.conv2")
    assert {one[0] for one in told(before, after)[1:]} == {"moved"}


def test_a_renamed_layer_is_matched_where_it_is_the_only_one() -> None:
    assert told(layers(conv1=7, x=1), layers(stem=7, x=1)) == [("moved", "stem", "conv1")]
    twins = told(layers(a=7, b=7), layers(c=7))
    assert sorted(twins) == [("new", "c"), ("removed", "a"), ("removed", "b")]


def test_every_layer_is_told_of_once() -> None:
    before = layers(a__x=1, a__y=2, b__x=1, b__y=3, c=4)
    after = layers(d__x=1, d__y=2, e__x=1, e__y=9, f=4)
    found = match_layers(before, after)
    assert sorted(pair.old_path for pair in found if pair.before is not None) == sorted(before)
    assert sorted(pair.path for pair in found if pair.after is not None) == sorted(after)


def test_whole_blocks_are_one_row() -> None:
    before = layers(stem=1, old__a=3, old__b=4)
    after = layers(stem=2, s__new__x__conv=30, s__new__y=40, s__kept=1)
    assert rows(before, after) == [
        ("new", "", "s", 3, 71), ("removed", "", "old", 2, -7), ("grew", "", "stem", 1, 1),
    ]  # fmt: skip
    before["s.kept"] = {"params": 1}
    assert rows(before, after)[0] == ("new", "", "s.new", 2, 70)


def test_a_scope_that_was_there_before_is_not_new() -> None:
    before, after = layers(s__a=1), layers(s__a=1, s__b=20, s__c=30)
    assert [row[2] for row in rows(before, after)] == ["s.c", "s.b"]


@pytest.mark.parametrize(("depth", "count"), [(1, 5000), (30, 1000)])
def test_many_layers_take_no_time(depth: int, count: int) -> None:
    scope = ".".join("s" * depth)
    before = {f"{scope}{number}.conv": {"params": number} for number in range(count)}
    after = {f"t{scope}{number}.conv": {"params": number + 1} for number in range(count)}
    with limited_work():
        found = match_layers(before, after)
        group_changes(found, ["params"])
    assert len(found) >= count
