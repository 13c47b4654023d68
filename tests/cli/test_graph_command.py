"""``convcalc graph``: what is drawn, in which format, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from math import ceil, sqrt
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.designs.names import zoo_paths
from convcalc.render import GRAPHS, Surface
from convcalc.render.pictures.graph.drawing import ROOM
from convcalc.render.pictures.graph.graph import AUTO, MOST, GraphDiagram, View, graph
from convcalc.render.pictures.graph.nesting import HEAD
from convcalc.render.pictures.modules import module_tree
from convcalc.render.pictures.svg import NAMESPACE, SIZE, SMALL, text_width
from convcalc.schemas import schema
from tests.conftest import Command
from tests.pictures.trees import HOSTILE, report_of

SPEC = """\
input: [3, 8, 8]
blocks:
  Residual:
    - add: [identity, [{name: begin, conv: [4, 1]}, conv: {out: 4, kernel: 3, padding: half}]]
layers:
  - {name: stem, conv: [4, 1]}
  - {Residual: , repeat: 3, name: block}
  - {name: head, seq: [conv: [5, 1], relu, conv: [6, 1]]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def graph_of(text: str, **view: Any) -> GraphDiagram:
    report = report_of(text)
    return graph(module_tree(report), report, View(**view))


def zoo_graph(name: str, **view: Any) -> GraphDiagram:
    report = convcalc.load(f"zoo:{name}").report()
    return graph(module_tree(report), report, View(**view))


def chain(count: int) -> str:
    """A chain of layers that are all different."""
    layers = "\n".join(f"  - {{name: l{place}, conv: [{1 + place % 7}, 1]}}" for place in range(count))
    return f"input: [3, 2, 2]\nlayers:\n{layers}\n"


def picture(svg: str) -> Element:
    return fromstring(svg)  # noqa: S314 - our own text


# --- text -------------------------------------------------------------------------------------------------------------


def test_text_is_a_line_a_box_with_what_it_reads_unless_that_is_the_box_above(cli: Command) -> None:
    result = cli("graph", "net.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [re.sub(" +", " ", line) for line in result.stdout.splitlines()]
    # 3 blocks of 16 · 64 + 144 · 64 multiplies, and 12 · 64 before them and 20 · 64 + 30 · 64 behind
    assert lines[3:] == [
        "input input 3×8×8",
        "stem conv 1×1 4×8×8",
        "block ×3 30.7k multiplies, 89%",
        " begin conv 1×1 4×8×8",
        " conv2 conv 3×3 4×8×8",
        " add1 add 4×8×8 ← stem, conv2",
        "head 3.2k multiplies, 9%",
        " conv1 conv 1×1 5×8×8",
        " act1 relu 5×8×8",
        " conv2 conv 1×1 6×8×8",
    ]


def test_folds_and_globs_say_what_is_open(cli: Command) -> None:
    assert "begin" not in cli("graph", "net.yaml", "--depth", "1").stdout
    assert "begin" not in cli("graph", "net.yaml", "--close", "block*").stdout
    opened = cli("graph", "net.yaml", "--depth", "1", "--open", "block1").stdout
    assert "begin" in opened
    assert "act1" not in opened
    shown = cli("graph", "net.yaml", "--repeats", "show").stdout
    assert [name for name in ("block1", "block2", "block3", " ×3") if name in shown] == ["block1", "block2", "block3"]


# --- formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("file", "begins"), [
    ("a.svg", "<svg "), ("a.mmd", "flowchart TD\n"), ("a.dot", "digraph "), ("a.gv", "digraph "),
    ("a.txt", "net.yaml\n"), ("a.json", '{"schema_version": 1'),
])  # fmt: skip
def test_a_file_gets_the_format_of_its_ending(cli: Command, folder: Path, file: str, begins: str) -> None:
    assert cli("graph", "net.yaml", "-o", file).exit_code == 0
    text = (folder / file).read_text(encoding="utf-8")
    assert text.startswith(begins)


def test_png(cli: Command, folder: Path) -> None:
    pytest.importorskip("resvg_py")
    assert cli("graph", "net.yaml", "-o", "a.png").exit_code == 0
    width = float(picture(cli("graph", "net.yaml", "-f", "svg").stdout).get("width", ""))
    assert int.from_bytes((folder / "a.png").read_bytes()[16:20]) == 2 * width


def test_json_is_what_its_schema_says_and_sums_to_the_totals(cli: Command) -> None:
    for line in (["net.yaml"], ["zoo:googlenet", "--direction", "right"], ["zoo:lstm_classifier", "--by", "none"],
                 ["zoo:lenet", "--by", "traffic_bytes"]):  # fmt: skip
        found = json.loads(cli("graph", *line, "--json").stdout)
        jsonschema.Draft7Validator(json.loads(schema("graph"))).validate(found)
        report = json.loads(cli("report", line[0], "--json").stdout)
        boxes = [node for node in found["nodes"] if node["kind"] == "box"]
        frames = {node["id"]: node["times"] for node in found["nodes"] if node["kind"] == "frame"}
        for key in ("params", "macs", "traffic_bytes"):
            # what is in a frame is that of one of its modules
            assert sum(node[key] * frames.get(node["parent"], 1) for node in boxes) == report["totals"][key]
        assert all(node["x"] + node["width"] <= found["width"] for node in found["nodes"])


# --- mermaid and dot --------------------------------------------------------------------------------------------------

LABEL = r'"(?:[^"#<>&`\\\n]|#\d+;)*"'
MERMAID = re.compile(
    rf" *(?:n\d+\[{LABEL}\]|n\d+\(\[{LABEL}\]\)|subgraph f\d+\[{LABEL}\]|end|n\d+ --> n\d+"
    r"|classDef [mpa][0-6] fill:#[0-9a-f]{6},color:#[0-9a-f]{6},stroke:#[0-9a-f]{6}"
    r"|class n\d+(?:,n\d+)* [mpa][0-6])"
)
STRING = r'"(?:[^"\\\n]|\\\\|\\"|\\n)*"'
ATTRIBUTES = rf"\[(?:\w+=(?:\w+|[\d.]+|{STRING})(?:, (?=\w))?)*\]"
DOT = re.compile(
    rf" *(?:(?:graph|node|edge) {ATTRIBUTES};(?: node {ATTRIBUTES};)?|n\d+ {ATTRIBUTES};|n\d+ -> n\d+;"
    rf"|subgraph cluster_\d+ \{{|label={STRING}; labeljust=l;|\}})"
)


def edges_of(text: str, arrow: str) -> list[tuple[str, str]]:
    return re.findall(rf"^ *(n\d+) {arrow} (n\d+);?$", text, re.MULTILINE)


@pytest.mark.parametrize("name", zoo_paths())
def test_mermaid_and_dot_have_the_same_edges_in_a_strict_grammar(name: str) -> None:
    found = zoo_graph(name)
    mermaid, dot = (str(GRAPHS[format_].graph(found, Surface())) for format_ in ("mermaid", "dot"))
    first, *lines = mermaid.splitlines()
    assert first == "flowchart TD"
    assert [line for line in lines if not MERMAID.fullmatch(line)] == []
    assert sum(line.lstrip().startswith("subgraph") for line in lines) == sum(line.strip() == "end" for line in lines)
    first, *lines = dot.splitlines()
    assert re.fullmatch(rf"digraph {STRING} {{", first)
    assert [line for line in lines if not DOT.fullmatch(line)] == []
    assert dot.count("{\n") == sum(line.strip() == "}" for line in lines)
    assert len(edges_of(mermaid, "-->")) == len(edges_of(dot, "->")) == len(found.edges)


@given(st.text(max_size=30))
def test_any_name_is_text(name: str) -> None:
    found = graph_of("input: [3, 8, 8]\nlayers: [{name: a, seq: [{conv: [4, 3]}, relu]}, {name: b, conv: [5, 1]}]")
    for module in found.root.walk():
        if module.path:
            module.name, module.path = name, f"{name}.{module.order}"
    mermaid = str(GRAPHS["mermaid"].graph(found, Surface()))
    assert all(MERMAID.fullmatch(line) for line in mermaid.split("\n")[1:-1])
    dot = str(GRAPHS["dot"].graph(found, Surface()))
    assert all(DOT.fullmatch(line) for line in dot.split("\n")[1:-1])
    picture(found.picture.to_svg())


def test_hostile_names_stay_texts() -> None:
    found = graph_of(SPEC)
    for module in found.root.walk():
        module.name = HOSTILE
    tags = {each.tag.removeprefix(f"{{{NAMESPACE}}}") for each in picture(found.picture.to_svg()).iter()}
    assert tags == {"svg", "style", "rect", "g", "title", "path", "text"}
    for format_ in ("mermaid", "dot", "text", "json"):
        assert "\n<script" not in str(GRAPHS[format_].graph(found, Surface()))
    assert "<" not in str(GRAPHS["mermaid"].graph(found, Surface()))


# --- limits -----------------------------------------------------------------------------------------------------------


def test_many_boxes_are_folded_and_the_output_says_so() -> None:
    found = graph_of(chain(MOST + 1))
    assert len(found.top.boxes()) <= AUTO
    assert sum(box.layers for box in found.top.boxes()) == MOST + 1
    assert found.note == f"More than {MOST} boxes: neighbours are drawn together."
    for format_ in ("text", "svg", "mermaid", "dot", "json"):
        assert found.note in str(GRAPHS[format_].graph(found, Surface()))
    assert graph_of(chain(MOST)).note == ""


def test_a_chain_of_thousands_of_layers_is_drawn() -> None:
    found = graph_of(chain(5000), depth="all", repeats="show")
    assert sum(box.layers for box in found.top.boxes()) == 5000
    assert len(found.edges) == len(found.top.boxes())


def test_mermaid_stays_below_its_limits() -> None:
    """40 layers that each read all before them: 780 edges and more."""
    reads = [
        ", ".join(f"{{from: {name}}}" for name in ["input", *(f"l{back}" for back in range(place))])
        for place in range(40)
    ]
    layers = "\n".join(f"  - {{name: l{place}, concat: [{read}, identity]}}" for place, read in enumerate(reads))
    found = graph_of(f"input: [3, 2, 2]\nlayers:\n{layers}\n", repeats="show")
    assert len(found.edges) > 500
    text = str(GRAPHS["mermaid"].graph(found, Surface()))
    assert len(edges_of(text, "-->")) < 500
    assert len(text) < 50_000
    assert "%% More than Mermaid draws: neighbours are drawn together." in text


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "vit", "yolov8", "unet", "densenet", "inception_v4"])
def test_auto_opens_the_deepest_level_with_few_boxes(name: str) -> None:
    found = zoo_graph(name)
    assert len(found.top.boxes()) <= AUTO
    deeper = zoo_graph(name, depth=found.depth + 1)
    assert deeper.depth == found.depth or len(deeper.top.boxes()) > AUTO


# --- what reads what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["googlenet", "unet", "vit", "yolov3", "shufflenet_v2", "lstm_classifier", "repvgg"])
def test_all_open_the_edges_are_the_inputs_of_the_report(name: str) -> None:
    found = zoo_graph(name, depth="all", repeats="show")
    paths = {box.path for box in found.top.boxes()}

    def box_of(path: str) -> str:
        """A norm or an activation is part of the layer that it follows."""
        while path not in paths and path not in found.report.inputs:
            path = path.rpartition(".")[0]
        return path

    wanted = {(box_of(source), box_of(row.path)) for row in found.report.rows for source in row.inputs}
    drawn = {(source.path, reader.path) for source, reader in found.edges}
    assert drawn == {(source, reader) for source, reader in wanted if source != reader}


# --- looks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "unet", "vit", "yolov8", "ghostnet", "wavenet"])
@pytest.mark.parametrize("direction", ["down", "right"])
def test_labels_fit_their_boxes_and_no_line_goes_through_a_heading(name: str, direction: Any) -> None:
    found = zoo_graph(name, direction=direction)
    drawn, places = found.picture, found.places
    for group in drawn.root.iter("g"):
        frame = "module" in group.get("class", "").split()
        room = float(group.findall("rect")[-1].get("width", ""))
        for text in group.findall("text"):
            words = text.get("class") or ""
            width = text_width(text.text or "", SMALL if "small" in words else SIZE, bold="strong" in words)
            assert width <= room - (0 if frame else ROOM - 1)
    for group in drawn.root.iter("g"):
        if "module" not in group.get("class", "").split() or direction == "right":
            continue
        edge = float(group.findall("rect")[0].get("y", ""))
        passing = [across for _, _, parts in places.lines for part in parts
                   for across, begin, end in zip(part.across, part.along[::2], part.along[1::2], strict=True)
                   if begin < edge + HEAD and end > edge]  # fmt: skip
        for text in group.findall("text"):
            words = text.get("class") or ""
            x = float(text.get("x", ""))
            width = text_width(text.text or "", SMALL if "small" in words else SIZE, bold="strong" in words)
            span = (x - width, x) if "end" in words else (x, x + width)
            assert not [line for line in passing if span[0] < line < span[1]]


def test_bytes_do_not_depend_on_hashes() -> None:
    code = "import convcalc; print(convcalc.load('zoo:yolov8').report().graph().to_svg())"
    one, other = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    )
    assert one.stdout == other.stdout != b""


def test_layers_that_are_not_counted_are_marked() -> None:
    report = report_of(SPEC)
    unknown = report.rows[-1]._replace(
        path="mystery", op="custom", summary="", values={}, inputs=(report.rows[-1].path,)
    )
    partial = replace(report, rows=(*report.rows, unknown), unknown={"mystery": frozenset(("macs", "flops"))})
    found = graph(module_tree(partial), partial)
    svg = found.picture.to_svg()
    assert "custom ≥" in svg
    assert "0 parameters (0%)\n≥ 0 multiplies" in svg
    for format_ in ("text", "mermaid", "dot"):
        assert "custom ≥" in str(GRAPHS[format_].graph(found, Surface()))
    nodes = json.loads(str(GRAPHS["json"].graph(found, Surface())))["nodes"]
    assert [node["path"] for node in nodes if node["kind"] != "input" and not node["known"]] == ["mystery"]


def test_a_scope_of_one_layer_is_drawn_as_the_layer() -> None:
    found = graph_of("input: [3, 8, 8]\nlayers:\n"
                     "  - {name: down, seq: [conv: {out: 4, kernel: 3, stride: 2, norm: batch}]}\n"
                     "  - {name: end, seq: [{name: inner, seq: [relu]}]}\n", depth="all")  # fmt: skip
    assert [str(node.name) for node in found.top.walk() if node.is_frame] == [""]
    svg = found.picture.to_svg()
    assert ">conv 3×3 /2<" in svg
    assert ">down · 4×3×3<" in svg
    assert ">relu<" in svg


@pytest.mark.parametrize("format_", ["svg", "mermaid", "dot", "json", "text"])
def test_a_design_without_layers_has_a_graph_that_says_so(format_: str) -> None:
    found = graph_of("input: [3, 8, 8]\nlayers: []")
    assert "The design has no layers." in str(GRAPHS[format_].graph(found, Surface()))


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "said"), [
    (["--open", "blok1"], "no layer or module has the path 'blok1'; did you mean 'block1'?"),
    (["--close", "x.*"], "no layer or module has the path 'x.*'"),
    (["--open", "a..b"], "the glob 'a..b' has an empty part"), (["--depth", "0"], "'0' is not a positive integer"),
    (["--depth", "deep"], "'deep' is not a positive integer, auto or all"), (["--by", "mac"], "did you mean 'macs'?"),
    (["--direction", "up"], "'up' is not one of down, right"), (["-o", "a.pdf"], "for PDF print the SVG"),
    (["-o", "a.csv"], "no format for files with the extension .csv"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_an_error(cli: Command, line: list[str], said: str) -> None:
    result = cli("graph", "net.yaml", *line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())


def test_tints_are_those_of_traffic_where_it_is_asked_for(cli: Command) -> None:
    """The class of a box is the least integer that is not below 6·√(its traffic / the largest)."""
    layers = json.loads(cli("report", "zoo:lenet", "--json").stdout)["layers"]
    traffic: dict[str, int] = {}
    for layer in layers:
        name = layer["name"].partition(".")[0]  # each of LeNet's modules is a layer and its activation
        traffic[name] = traffic.get(name, 0) + layer["traffic_bytes"]
    drawn = picture(cli("graph", "zoo:lenet", "--by", "traffic_bytes", "-f", "svg").stdout)
    assert drawn.get("class", "").split() == ["picture", "graph", "by-a"]
    boxes = {box.get("data-at"): box for box in drawn.iter(f"{{{NAMESPACE}}}g") if box.get("data-a")}
    assert set(boxes) == set(traffic)
    for path, value in traffic.items():
        assert boxes[path].get("data-a") == str(ceil(6 * sqrt(value / max(traffic.values()))))
        assert f"{value:,} bytes of traffic" in "".join(boxes[path].itertext())


# --- in Python --------------------------------------------------------------------------------------------------------


def test_a_report_draws_its_graph() -> None:
    report = convcalc.load("net.yaml").report()
    assert report.graph()._repr_svg_().startswith("<svg")
    assert report.graph(depth=1, opened="block1.*,head", by="none").label == "Graph of 7 boxes, top to bottom."
    for options, said in (({"depth": 0}, "depth is a positive integer"), ({"by": "mac"}, "did you mean 'macs'"),
                          ({"opened": "x"}, "no layer or module has the path 'x'"),
                          ({"direction": "up"}, "unknown direction 'up'")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            report.graph(**options)
