"""The Python interface: its results are those of the command line, and its errors are values."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest

import convcalc
from convcalc import Design, GraphBuilder, SpecErrors, ops
from convcalc.render import FORMATS
from tests.conftest import ROOT, Command

SPEC = "vars: {width: 8, act: relu, alpha: 1}\ninput: [3, 9, 9]\nlayers: [conv: [4*width, 3], act: act]\n"


@pytest.fixture
def graph() -> Design:
    b = GraphBuilder()
    b.add("fc", ops.make("linear", out=10), b.input("x", [64]))
    return convcalc.from_graph(b.graph(), name="mine")


def test_the_names_of_the_package() -> None:
    assert set(convcalc.__all__) <= set(dir(convcalc))
    assert all(getattr(convcalc, name) is not None for name in convcalc.__all__)
    assert convcalc.Network is Design
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        convcalc.lod  # noqa: B018


def test_an_import_loads_nothing_heavy() -> None:
    code = "import convcalc, sys; dir(convcalc); convcalc.load('zoo:lenet').report(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "sympy", "pandas", "polars", "pyarrow", "click", "rich"}
    assert not loaded & {"convcalc.sweep", "convcalc.formula", "convcalc.budget.check.checker", "convcalc.render"}


# --- reports ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["text", "json", "csv", "markdown", "latex", "html", "svg"])
def test_a_report_is_that_of_the_command_line(cli: Command, tmp_path: Path, format_: Any) -> None:
    path = tmp_path / "report"
    assert cli("report", "zoo:vgg@19", "--depth", "1", "--batch", "2", "-f", f"{format_}={path}").exit_code == 0
    detailed = ["peak"] if format_ == "json" else []
    report = convcalc.load("zoo:vgg@19").report(batch=2, detailed=detailed)
    assert report.to(format_, depth=1) == path.read_bytes().decode()
    assert report.totals == convcalc.load("zoo:vgg", variant="19").report(batch=2, detailed=detailed).totals


def test_all_formats_of_reports_are_typed() -> None:
    from typing import get_args

    from convcalc.report.report import Format

    assert set(get_args(Format)) == set(FORMATS)


def test_views_of_a_report(cli: Command) -> None:
    shown = cli("report", "zoo:vgg", "--by", "op", "--columns", "params,traffic_bytes", "-f", "csv").stdout
    report = convcalc.load("zoo:vgg").report()
    assert report.to("csv", by="op", columns=["params", "traffic_bytes"]).split() == shown.split()
    assert report.to("csv", by="op", columns="params, traffic_bytes").split() == shown.split()


def test_details_and_devices(cli: Command) -> None:
    options = "--columns", "receptive_field,least_time", "--device", "v100-sxm2", "--dtype", "float16", "-f", "csv"
    shown = cli("report", "zoo:vgg", *options).stdout
    report = convcalc.load("zoo:vgg").report(detailed=["receptive_field"], device="v100-sxm2", dtype="float16")
    assert report.to("csv", columns=["receptive_field", "least_time"]).split() == shown.split()


def test_how_a_report_shows_itself() -> None:
    report = convcalc.load("zoo:resnet50").report()
    assert repr(report) == "<Report of zoo:resnet50: 175 layers, 25,557,032 params, 4,089,184,256 macs>"
    assert str(report) == report.to("text").rstrip("\n")
    assert report._repr_html_() == report.to("html")
    assert report.to_dict() == json.loads(report.to("json"))


# --- the others -------------------------------------------------------------------------------------------------------


def test_libraries(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text("blocks: {Stem: [conv: [8, 3]]}\n")
    text = "import: {lib: lib.yaml}\ninput: [3, 8, 8]\nlayers: [lib.Stem]\n"
    for libraries in ([tmp_path], tmp_path, str(tmp_path)):
        design = convcalc.load(text=text, libraries=libraries)
        assert design.report().totals["params"] == 8 * 28
    with pytest.raises(SpecErrors, match="CC209"):
        convcalc.load(text=text)


def test_a_comparison_is_that_of_the_command_line(cli: Command) -> None:
    shown = json.loads(cli("compare", "zoo:resnet50", "zoo:resnet50@101", "zoo:vgg", "--batch", "2", "--json").stdout)
    first = convcalc.load("zoo:resnet50")
    for found in (
        convcalc.compare("zoo:resnet50", "zoo:resnet50@101", "zoo:vgg", batch=2),
        first.compare(convcalc.load("zoo:resnet50@101"), "zoo:vgg", batch=2),
    ):
        assert found.to_dict() == shown
        assert repr(found) == "<Comparison of resnet50, resnet50@101, vgg>"


def test_one_design_is_compared_output_by_output(cli: Command) -> None:
    design = ROOT / "specs" / "tutorials" / "googlenet_3a.yaml"
    assert convcalc.compare(design).to("text") == cli("compare", str(design)).stdout
    with pytest.raises(ValueError, match="two designs or more, not 1"):
        convcalc.compare("zoo:lenet")


def test_an_output_stays_the_same_network_in_a_sweep_and_a_formula() -> None:
    text = "input: [3, 8, 8]\nvars: {deep: false, c: 4}\noutputs: [left, right]\nlayers:\n"
    text += "- {conv: [4, 3], name: trunk, when: deep}\n- {conv: [c, 1], name: left}\n"
    text += "- {conv: [c, 1], name: right, from: input, when: not deep, else: {conv: [c, 1], from: trunk}}\n"
    left, right = convcalc.load(text=text).outputs()
    assert [design.name for design in (left, right)] == ["<text>#left", "<text>#right"]
    assert [design.report().totals["params"] for design in (left, right)] == [16, 16]
    assert left.sweep(deep=[False, True])["params"].tolist() == [4 * 3 + 4, (4 * 3 * 9 + 4) + 4 * 4 + 4]
    assert left.formula(set={"deep": True}, symbols="c").totals["params"].value({"c": 1}) == (4 * 3 * 9 + 4) + 4 + 1
    assert [design.name for design in left.outputs()] == ["<text>#left"]


def test_each_design_of_a_ratio_has_its_own_variant() -> None:
    text = (
        "vars: {c: 4, k: 1}\nvariants: {V: {k: 3}}\ninput: [8, 9, 9]\nlayers: [conv: {out: c, kernel: k, bias: false}]"
    )
    plain, three = convcalc.load(text=text), convcalc.load(text=text, variant="V")
    ratios = three.formula(symbols="c", over=plain).ratios
    assert ratios is not None
    assert ratios["params"] is not None
    assert (ratios["params"].numerator.value({}), ratios["params"].denominator.value({})) == (9, 1)


def test_two_variants_of_one_design() -> None:
    with pytest.raises(SpecErrors, match=r"CC710: 'zoo:vgg@16' names the variant '16'"):
        convcalc.load("zoo:vgg@16", variant="19")


def test_variables() -> None:
    assert convcalc.load(text=SPEC, set={"width": "2*8"}).variables == {"width": 16, "act": "relu", "alpha": 1}


def test_a_sweep_is_that_of_the_command_line(cli: Command) -> None:
    axes = "zoo:mobilenet_v2", "alpha=0.5,0.75,1", "size=96..224:64", "--where", "params > 2M", "--set", "classes=10"
    points = json.loads(cli("sweep", *axes, "--metrics", "macs,params,depth", "-f", "json").stdout)["points"]
    design = convcalc.load("zoo:mobilenet_v2", set={"classes": 10})
    keys = ["macs", "params", "depth"]
    choices: list[tuple[Any, Any]] = [([0.5, 0.75, 1], range(96, 225, 64)), ("0.5,0.75,1", numpy.array([96, 160, 224]))]
    for alpha, size in choices:
        table = design.sweep(alpha=alpha, size=size, where="params > 2M", metrics=keys)
        assert list(table.keys()) == list(table) == ["alpha", "size", *keys]
        assert len(table) == len(points) > 0
        for name in table:
            assert table[name].tolist() == [point[name] for point in points]


def test_axes_of_words_lists_and_variants() -> None:
    table = convcalc.load(text=SPEC).sweep(act=["relu", "prelu"], width=[2, 3])
    assert table["act"].tolist() == ["relu", "relu", "prelu", "prelu"]
    assert table["params"].tolist() == [8 * 28, 12 * 28, 8 * 29, 12 * 29]
    table = convcalc.load("zoo:resnet18").sweep(depths=[[1, 1, 1, 1], (2, 2, 2, 2)], classes=[1000])
    assert table["params"].tolist()[1] == 11689512
    table = convcalc.load("zoo:resnet50").sweep(variant="101", classes=[1000])
    assert (table["variant"].tolist(), table["params"].tolist()) == (["101"], [44549160])


def test_a_sweep_has_formats_batches_and_the_times_of_a_device() -> None:
    """Of every point what its own report says, times in whole nanoseconds, rounded up."""
    design = convcalc.load("zoo:resnet18")
    keys = ("weight_bytes", "traffic_bytes", "least_time")
    table = design.sweep(
        classes=[10, 20], batch=[1, 64], dtype="float16", device="h100-sxm", metrics=keys, where="least_time > 0"
    )
    assert len(table) == 4
    for place, (classes, batch) in enumerate(zip(table["classes"].tolist(), table["batch"].tolist(), strict=True)):
        point = convcalc.load("zoo:resnet18", set={"classes": classes})
        totals = point.report(batch=batch, dtype="float16", device="h100-sxm").totals
        assert [table[key][place] for key in keys] == [math.ceil(totals[key]) for key in keys]
    for metrics, where in (("least_time", None), ("params", "least_time > 0")):
        with pytest.raises(
            SpecErrors, match=r"CC731: least_time is that of a device\n +hint: such as device='h100-sxm'"
        ):
            design.sweep(classes=[10], metrics=metrics, where=where)
    with pytest.raises(ValueError, match="no number format 'fp7'"):
        design.sweep(classes=[10], dtype="fp7")


def test_what_was_set_is_open_again() -> None:
    design = convcalc.load("zoo:resnet18", set={"classes": 10})
    assert design.sweep(classes=[1000])["params"].tolist() == [11689512]
    assert design.formula(symbols="classes").totals["params"].value({"classes": 1000}) == 11689512


def test_invalid_points_are_counted_by_reason() -> None:
    table = convcalc.load(text="vars: {k: 3}\ninput: [3, 5, 5]\nlayers: [conv: [4, k]]\n").sweep(k=range(4, 9))
    assert table["k"].tolist() == [4, 5]
    assert sum(table.dropped.values()) == 3
    assert "3 invalid" in repr(table)


def test_totals_beyond_64_bits_are_exact() -> None:
    table = convcalc.load(text="vars: {c: 3}\ninput: [c]\nlayers: [linear: c]\n").sweep(c=[10**12, 3])
    assert table["params"].tolist() == [10**24 + 10**12, 12]


def test_several_processes_give_the_same() -> None:
    design = convcalc.load(text=SPEC)
    one, two = design.sweep(width=range(1, 9)), design.sweep(width=range(1, 9), jobs=2)
    assert one["params"].tolist() == two["params"].tolist() == [4 * width * 28 for width in range(1, 9)]


def test_a_sweep_and_a_formula_need_no_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    design = convcalc.load(path)
    path.unlink()
    assert design.sweep(width=[1])["params"].tolist() == [112]
    assert design.formula(symbols=["width"]).totals["params"].value({"width": 5}) == 560
    assert design.report().totals["params"] == 4 * 8 * 28, "a formula changes nothing"
    assert design.sweep(width=[1])["params"].tolist() == [112]


def test_a_formula_is_that_of_the_command_line(cli: Command) -> None:
    options = "--set", "alpha=0.5", "--set", "size=32*k", "--depth", "1"
    found = convcalc.load("zoo:mobilenet_v2", set={"alpha": 0.5}).formula(set={"size": "32*k"}, depth=1)
    assert found.to("text") == cli("formula", "zoo:mobilenet_v2", *options).stdout
    assert repr(found) == "<Formula of zoo:mobilenet_v2 in k>"
    assert f"Multiplies = {found.totals['macs']}\n" in found.to("text")


def test_a_formula_over_another() -> None:
    design = convcalc.load(text="vars: {c: 4}\ninput: [8, 9, 9]\nlayers: [conv: {out: c, kernel: 3, bias: false}]")
    other = convcalc.load(text="vars: {c: 4}\ninput: [8, 9, 9]\nlayers: [conv: {out: c, kernel: 1, bias: false}]")
    ratios = design.formula(symbols="c", over=other).ratios
    assert ratios is not None
    assert ratios["params"] is not None
    assert (ratios["params"].numerator.value({}), ratios["params"].denominator.value({})) == (9, 1)


# --- check ------------------------------------------------------------------------------------------------------------

BUDGET = "version: 1\nbudgets: [{id: small, designs: '*.yaml', max: {params: 100}}]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(SPEC)
    Path("convcalc-budget.yaml").write_text(BUDGET)
    return tmp_path


def test_a_check_is_that_of_the_command_line(cli: Command, folder: Path) -> None:
    result = cli("check", "model.yaml", "--json")
    for paths in ("model.yaml", ["model.yaml"], Path("model.yaml"), None, [folder.name and "."]):
        found = convcalc.check(paths)
        assert (bool(found), result.exit_code) == (False, 1)
        assert [finding.code for finding in found.findings] == ["CC611"]
        if paths != ["."]:
            assert found.to_dict() == json.loads(result.stdout)


def test_a_check_that_passes(folder: Path) -> None:
    Path("other.yaml").write_text(BUDGET.replace("100", "1000"))
    found = convcalc.check("model.yaml", budget="other.yaml")
    assert found
    assert [(limit.metric, limit.value, limit.limit) for limit in found.limits] == [("params", 4 * 8 * 28, 1000)]
    assert repr(found) == "<CheckReport passed: 0 findings, 0 errors>"


def test_what_cannot_be_judged_passes_not(folder: Path) -> None:
    Path("model.yaml").write_text("input: [3]\nlayers: [rellu]\n")
    found = convcalc.check("model.yaml")
    assert not found
    assert [error.code for error in found.errors] == ["CC204"]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda d: d.sweep(), "CC713"),
        (lambda d: d.sweep(widht=[1]), "CC712"),
        (lambda d: d.sweep(width=[]), "CC713"),
        (lambda d: d.sweep(width=range(0)), "CC713"),
        (lambda d: d.sweep(width=3), "CC711"),
        (lambda d: d.sweep(width=[object()]), "CC711"),
        (lambda d: d.sweep(width=[1], where="parms < 3"), "CC715"),
        (lambda d: d.formula(), "CC721"),
        (lambda d: d.formula(symbols="witdh"), "CC721"),
        (lambda d: d.report(device="v101"), "CC731"),
        (lambda d: d.compare("nowhere.yaml"), "CC001"),
        (lambda _: convcalc.load(text=SPEC, set={"widht": 1}), "CC702"),
        (lambda _: convcalc.check([]), "CC705"),
        (lambda _: convcalc.check("zoo:lenet", baseline="git:"), "CC641"),
        (lambda _: convcalc.check("zoo:lenet", budget="nowhere.yaml"), "CC001"),
    ],
)
def test_errors_have_codes(call: Callable[[Design], object], code: str) -> None:
    design = convcalc.load(text=SPEC)
    with pytest.raises(SpecErrors) as caught:
        call(design)
    assert [error.code for error in caught.value.errors] == [code]


def test_a_graph_in_memory_has_no_variables(graph: Design) -> None:
    assert graph.variables is None
    for call in (lambda: graph.sweep(width=[1]), lambda: graph.formula(symbols="c")):
        with pytest.raises(SpecErrors, match=r"CC751: a \w+ needs variables, and mine is a graph in memory"):
            call()
    arrays = convcalc.load(text=SPEC, set={"width": numpy.array([1, 2])})
    with pytest.raises(SpecErrors, match="CC751: a sweep needs plain values, and 'width' is set to an array"):
        arrays.sweep(alpha=[1])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda r: r.to("jsn"), "unknown format 'jsn'; did you mean 'json'?"),
        (lambda r: r.to("csv", columns="parms"), "unknown column 'parms'; did you mean 'params'?"),
        (lambda r: r.to("csv", by="layers"), "unknown grouping 'layers'; did you mean 'layer'?"),
        (lambda r: r.to("csv", depth=0), "depth is a positive integer, not 0"),
        (lambda r: r.to_dataframe("dask"), "pandas or polars, not of 'dask'"),
    ],
)
def test_words_that_a_report_does_not_know(graph: Design, call: Callable[[Any], object], text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("?", r"\?")):
        call(graph.report())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch": 0}, "batch is a positive integer, not 0"),
        ({"batch": True}, "batch is a positive integer, not True"),
        ({"detailed": "peek"}, "unknown detail 'peek'; did you mean 'peak'?"),
    ],
)
def test_options_that_a_report_does_not_take(graph: Design, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("?", r"\?")):
        graph.report(**options)


def test_metrics_that_there_are_not(graph: Design) -> None:
    design = convcalc.load(text=SPEC)
    with pytest.raises(ValueError, match="unknown metric 'parms'; did you mean 'params'"):
        design.sweep(width=[1], metrics="parms")
    with pytest.raises(ValueError, match="unknown metric 'depth'"):
        design.formula(symbols="width", metrics=["depth"])


@pytest.mark.parametrize("given", ["3,9,9", {"image": "3, 9, 9"}])
def test_another_input(given: str | dict[str, str]) -> None:
    text = "inputs: {image: [3, 8, 8]}\nlayers: [conv: [4, 3]]"
    report = convcalc.load(text=text, input=given).report()
    assert report.totals["macs"] == 7 * 7 * 3 * 3 * 3 * 4
    assert report.given == ("image",)


LOAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "an input": ({"input": {"x": "3,9,9"}}, "input:1:1: error CC709: no input 'x'", "inputs: input"),
    "a shape": ({"input": " "}, "input:1:1: error CC709: ' ' is not a shape", "channels first: input='3,224,224'"),
    "a value": ({"set": {"width": "8 +"}}, "set:1:9: error CC301: a value is missing", ""),
    "a variable": ({"set": {"widht": 8}}, "set:1:1: error CC702: no variable 'widht'", "variables: width"),
    "an import": ({"text": f"import: {{x: y.yaml}}\n{SPEC}"}, "cannot import 'y.yaml'", "a library with libraries="),
    "a variant": ({"text": None, "design": "zoo:vgg@16", "variant": "19"}, "and variant='19'", "variant= or @16"),
}
CALL: dict[str, tuple[Callable[[Design], object], str, str]] = {
    "a metric": (lambda d: d.sweep(width=[1], where="parms"), "where:1:1: error CC715: the condition reads", "params"),
    "a number": (lambda d: d.sweep(width=[1], where="params"), "where:1:1: error CC715: a condition is true", "<= 5e6"),
    "a symbol": (lambda d: d.formula(symbols="k"), "symbols:1:1: error CC721: no variable", "set={'width': '2*k'}"),
    "a word": (lambda d: d.formula(set={"width": "widthh"}), "set:1:1: error CC721: no variable", "symbols='widthh'"),
    "a term": (lambda d: d.formula(set={"width": "2*"}, symbols="c"), "set:1:8: error CC301: a value is missing", ""),
}


@pytest.mark.parametrize(("call", "first", "hint"), [
    *((lambda _, given=given: convcalc.load(**{"text": SPEC, **given}), *rest) for given, *rest in LOAD.values()),
    *CALL.values(),
], ids=[*LOAD, *CALL])  # fmt: skip
def test_errors_of_arguments_name_them(call: Callable[[Design], object], first: str, hint: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        call(convcalc.load(text=SPEC))
    (error,) = caught.value.errors
    assert (first in str(error), hint in error.hint) == (True, True), str(caught.value)
    assert "--" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["int9", "float16, conv*=int9", 8, None])
def test_a_number_format_that_there_is_not_is_as_a_batch_that_is_none(dtype: Any) -> None:
    design = convcalc.load(text=SPEC)
    for call in (design.report, partial(design.compare, "zoo:lenet"), partial(design.formula, symbols="c")):
        with pytest.raises(ValueError, match="dtype: no number format '"):
            call(dtype=dtype)
        with pytest.raises(ValueError, match="batch is a positive integer, not 0"):
            call(batch=0)


def test_each_design_of_a_ratio_has_its_own_settings() -> None:
    text = "vars: {c: 4, k: 1}\ninput: [8, 9, 9]\nlayers: [conv: {out: c, kernel: k, bias: false}]"
    one, three, five = (convcalc.load(text=text, set={"k": k} if k > 1 else None) for k in (1, 3, 5))
    for design, over, expected in (
        (three, one, Fraction(9)),
        (one, three, Fraction(1, 9)),
        (five, three, Fraction(25, 9)),
    ):
        ratios = design.formula(symbols="c", over=over).ratios
        assert ratios is not None
        assert ratios["params"] is not None
        assert Fraction(ratios["params"].numerator.value({}), ratios["params"].denominator.value({})) == expected
