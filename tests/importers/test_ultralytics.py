"""Model files of Ultralytics: counts against the package's, and what is wrong with a file, at its line."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

from convcalc.designs.sources import Network, open_source
from convcalc.errors import Source, SpecErrors
from tests.conftest import ROOT, Command
from tests.importers.model_files import DESIGNS, FILES, SIZE

MEASURED: dict[str, Any] = json.loads((ROOT / "tests/reference/model_files.json").read_text())["designs"]
TIED = "query_pos_head"
"""Called once for each layer of a decoder: every call is a row, the weights are those of the first."""


def read(text: str, name: str = "model.yaml", size: int = SIZE, **options: Any) -> Network:
    return open_source(Source(name, text), inputs={"": f"3,{size},{size}"}, **options)


def totals(network: Network) -> tuple[int, int]:
    found = network.report().totals
    return found["params"], found["macs"]


@pytest.mark.parametrize("design", DESIGNS)
def test_counts_are_those_of_the_package(design: str) -> None:
    name, _, scale = design.partition("@")
    network, measured = read(FILES[name], variant=scale or None), MEASURED[design]
    assert totals(network) == (measured["params"], measured["macs"])
    rows = {
        node.path: [sum(weight.elements for weight in node.facts.weights.values()), node.facts.multiplies]
        for node in network.graph.nodes
    }
    apart = {path: row for path, row in measured["layers"].items() if TIED not in path}
    assert {path: rows.get(path) for path in apart} == apart
    tied = [row[1] for path, row in rows.items() if TIED in path]
    assert sum(tied) == sum(row[1] for path, row in measured["layers"].items() if TIED in path)


def test_gates_of_channels_and_of_positions() -> None:
    """A 1×1 convolution of the means with its bias; a convolution of two maps without one (arXiv:1807.06521)."""
    rows = ("[-1, 1, Conv, [16, 3]]", "[-1, 1, CBAM, [16, 7]]", "[-1, 1, ChannelAttention, [16]]")
    plain, gated = (read(backbone(*rows[:count], *last), size=8) for count, last in ((1, ()), (3, (SPATIAL,))))
    params, macs = (after - before for after, before in zip(totals(gated), totals(plain), strict=True))
    assert params == 2 * (16 * 16 + 16) + 2 * 7 * 7 + 2 * 3 * 3
    assert macs == 2 * 16 * 16 + (2 * 7 * 7 + 2 * 3 * 3) * 8 * 8


SPATIAL = "[-1, 1, SpatialAttention, [3]]"


def test_a_module_that_is_known_by_its_name_alone_is_opaque() -> None:
    network = read(backbone("[-1, 1, Conv, [16, 3]]", "[-1, 1, RepConv, [16, 16]]", "[-1, 1, Conv, [32, 3]]"), size=8)
    (unknown,) = network.graph.uncounted
    assert (unknown.path, unknown.op and unknown.op.kind, tuple(unknown.shape)) == ("model.1", "opaque", (16, 8, 8))
    assert {"params", "macs"} <= network.report().lower_bounds
    assert ["RepConv" in str(warning) for warning in network.graph.warnings] == [True]


def backbone(*rows: str, head: str = "", settings: str = "nc: 3") -> str:
    lines = [f"  - {row}" for row in rows]
    return "\n".join([settings, "backbone:", *lines, f"head: [{head}]", ""])


def test_the_scale_is_that_of_the_variant_of_the_name_or_the_first() -> None:
    text = backbone("[-1, 1, Conv, [64, 1]]", settings="scales: {n: [1, 0.25, 99], x: [1, 2.0, 48]}")
    weights = {"n": 3 * 16 + 2 * 16, "x": 3 * 96 + 2 * 96}
    assert totals(read(text))[0] == weights["n"]
    assert totals(read(text, variant="x"))[0] == weights["x"]
    assert totals(read(text, name="my-yolo11x-seg.yaml"))[0] == weights["x"]
    assert totals(read(text, name="my-yolo11x-seg.yaml", variant="n"))[0] == weights["n"]


def test_widths_are_multiples_of_8_and_repeats_at_least_one() -> None:
    """64·0.4 = 25.6 is 32; 3·0.5 = 1.5 rounds to the even 2, 5·0.5 = 2.5 to 2 as well, 2·0.2 to one."""

    def convolutions(n: int, depth: float) -> int:
        text = backbone(f"[-1, {n}, Conv, [64, 1]]", settings=f"ch: 32\nwidth_multiple: 0.4\ndepth_multiple: {depth}")
        return sum(
            node.op is not None and node.op.kind == "conv" for node in open_source(Source("m.yaml", text)).graph.nodes
        )

    assert [convolutions(*case) for case in ((1, 0.5), (3, 0.5), (5, 0.5), (2, 0.2), (1, 9.0))] == [1, 2, 2, 1, 1]


def test_classes_are_a_variable(cli: Command, tmp_path: Any) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(backbone("[-1, 1, Conv, [16, 3, 2]]", head="[-1, 1, Classify, [nc]]"))
    first = 3 * 9 * 16 + 2 * 16 + 16 * 1280 + 2 * 1280
    for classes, option in ((3, ()), (20, ("--set", "nc=20"))):
        result = cli("report", str(file), *option, "-f", "json")
        assert json.loads(result.stdout)["totals"]["params"] == first + 1281 * classes
    formula = cli("formula", str(file), "--symbols", "nc")
    assert f"Params     = 1,281·nc + {first:,}" in formula.stdout
    file.write_text(backbone("[-1, 1, Conv, [nc, 3, 2]]"))
    assert "CC411" in cli("formula", str(file), "--symbols", "nc").stderr


V5 = """
nc: 4
anchors: [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119]]
backbone:
  [[-1, 1, Conv, [16, 3, 2]],
   [-1, 1, Bottleneck, [16]]]
head:
  [[-1, 1, Conv, [32, 3, 2]],
   [[1, 2], 1, {head}]]
"""


def test_heads_with_anchors_are_those_of_yolov5() -> None:
    body = 3 * 9 * 16 + 32 + 16 * 8 + 16 + 8 * 9 * 16 + 32 + 16 * 9 * 32 + 64  # a bottleneck is 1×1 and 3×3
    network = read(V5.format(head="Detect, [nc, anchors]"), size=64)
    assert totals(network)[0] == body + 3 * (4 + 5) * (16 + 1) + 3 * (4 + 5) * (32 + 1)
    assert network.graph.nodes[-1].shape == (3 * (32 * 32 + 16 * 16), 9)
    masks = read(V5.format(head="Segment, [nc, anchors, 8, 24]"), size=64)
    proto = 16 * 9 * 24 + 48 + 24 * 9 * 24 + 48 + 24 * 8 + 16
    assert totals(masks)[0] == body + 3 * (4 + 5 + 8) * (17 + 33) + proto


CONV = "[-1, 1, Conv, [16, 3]]"
MISTAKES = {
    "row": (backbone("[-1, 1, Conv]"), 3, "CC768", "a row must have 4 entries"),
    "repeats": (backbone("[-1, 0, Conv, [16]]"), 3, "CC768", "must be a positive integer"),
    "from": (backbone("[x, 1, Conv, [16]]"), 3, "CC768", "must be an integer, or a list of them"),
    "later": (backbone(CONV, "[1, 1, Conv, [16]]"), 4, "CC768", "row 1 cannot read row 1"),
    "list": (backbone(CONV, "[[-1, 0], 1, Conv, [16]]"), 4, "CC768", "Conv reads one row, not a list"),
    "no list": (backbone(CONV, "[-1, 1, Concat, [1]]"), 4, "CC768", "Concat reads a list of rows"),
    "channels": (backbone(CONV, "[-1, 1, CBAM, [32]]"), 4, "CC768", "it is made for 32 channels and reads 16"),
    "window": (backbone(CONV, "[-1, 1, SpatialAttention, [5]]"), 4, "CC768", "the kernel is 3 or 7"),
    "module": (backbone("[-1, 1, Covn, [16]]"), 3, "CC761", "did you mean 'Conv'?"),
    "plain": (backbone("[-1, 1, nn.LSTM, [16]]"), 3, "CC761", "the module 'nn.LSTM' is not read"),
    "type": (backbone("[-1, 1, Conv, [16, true]]"), 3, "CC768", "Conv: k must be an integer or a list of two"),
    "many": (backbone("[-1, 1, ADown, [16, 3, 2]]"), 3, "CC768", "ADown has 3 arguments, of at most 1"),
    "few": (backbone("[-1, 1, SCDown, [16]]"), 3, "CC768", "SCDown needs 'k'"),
    "number": (backbone("[-1, 1, Conv, [99999999999]]"), 3, "CC768", "out of range"),
    "twice": (backbone("[-1, 2, Conv, [16]]"), 3, "CC768", "Conv is repeated for 3 channels, but 16 leave it"),
    "shape": (backbone(CONV, "[-1, 1, C2PSA, [32]]"), 4, "CC768", "C2PSA: it keeps its channels"),
    "sizes": (backbone(CONV, "[-1, 1, Conv, [16, 3, 2]]", "[[0, 1], 1, Concat, [1]]"), 5, "CC405", "shapes differ"),
    "anchors": (backbone(CONV, head="[[0], 1, Detect, [nc, anchors]]"), 4, "CC768", "the file has no 'anchors'"),
    "unknown classes": (backbone(CONV, head="[0, 1, Classify, [nc]]", settings="ch: 3"), 0, "CC762", "nc"),
    "scales": (backbone(CONV, settings="scales: [1, 2]"), 1, "CC768", "scales must be a mapping"),
    "scale": (backbone(CONV, settings="scales: {n: [1, 0]}"), 1, "CC768", "must be [depth, width, max_channels]"),
    "activation": (backbone(CONV, settings="activation: nn.Foo()"), 1, "CC761", "activation 'nn.Foo()' is not read"),
    "no head": (f"backbone: [{CONV}]\nheads: []\nnc: 3\n", 1, "CC768", "there is no 'head'; did you mean 'heads'?"),
    "repeated parts": (backbone(CONV, "[-1, 3, CBLinear, [[8, 8]]]"), 4, "CC768", "CBLinear cannot be repeated"),
    "endless": (backbone("[-1, 10001, nn.Identity, []]"), 3, "CC502", "a repeat of 10001 exceeds the limit of 10000"),
    "many layers": (backbone("[-1, 9999, C3, [8]]"), 3, "CC503", "more than 30000 layers"),
    "several": (backbone(CONV, "[-1, 1, CBLinear, [[8, 8]]]", CONV), 5, "CC768", "with several outputs"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_shown_at_their_lines(case: str) -> None:
    text, line, code, said = MISTAKES[case]
    with pytest.raises(SpecErrors) as caught:
        read(text)
    (error,) = caught.value.errors
    assert (error.code, error.span and error.span.line) == (code, line), error
    assert said in error.text


def test_a_damaged_file_is_read_or_refused() -> None:
    random_ = random.Random(4)
    words = ["-1", "0", "99", "3.5", "None", "nc", "[", "]", "Conv", "1e9", "{}", "~", "[1, 2]", "\n", "#", ":", "- "]
    outcomes = []
    for _ in range(150):
        text = random_.choice(list(FILES.values()))
        for _ in range(random_.choice((1, 1, 2, 4))):
            at = random_.randrange(len(text))
            text = text[:at] + random_.choice(words) + text[at + random_.randrange(4) :]
        outcomes.append(outcome(text))
    assert "read" in outcomes
    assert outcomes.count("refused") > 50
    assert "nowhere" not in outcomes


def outcome(text: str) -> str:
    """Whether a file is read or refused, and whether every error has a place."""
    try:
        read(text, size=64)
    except SpecErrors as errors:
        return "refused" if all(error.span for error in errors.errors) else "nowhere"
    return "read"


def test_a_spec_loads_no_importers() -> None:
    program = "from convcalc.cli import main; import sys; main(['report', 'specs/zoo/resnet50.yaml'])"
    process = subprocess.run(
        [sys.executable, "-c", f"{program}; print(*sys.modules, file=sys.stderr)"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    loaded = process.stderr.decode().split()
    assert "convcalc.spec.load" in loaded
    assert not [name for name in loaded if name.startswith(("convcalc.importers", "convcalc.designs.imported"))]


def test_commands_take_a_model_file(cli: Command, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(FILES["attention"])
    batch = cli("batch", "net.yaml", "--variants", "all", "--input", f"3,{SIZE},{SIZE}", "-f", "csv")
    header, *rows = (line.split(",") for line in batch.stdout.splitlines())
    params = {row[0]: int(row[header.index("params")]) for row in rows}
    expected = {f"net.yaml@{scale}": MEASURED[f"attention@{scale}"]["params"] for scale in "nmx"}
    assert params == {"net.yaml": expected["net.yaml@n"], **expected}
    check = cli("check", "net.yaml@n", "--max", "params=1")
    assert check.exit_code == 1
    shown = cli("explain", "net.yaml@n", "model.2.m.0.cv1.conv")
    assert "defined at net.yaml:8:13\n" in shown.stdout
    compared = cli("compare", "net.yaml@n", "net.yaml@m")
    assert compared.exit_code == 0


def test_recovered_blocks_have_the_names_of_modules(cli: Command, tmp_path: Any) -> None:
    rows = "".join(f"  - [-1, 2, C3k2, [{width}, False]]\n" for width in (32, 64))
    (tmp_path / "net.yaml").write_text(f"nc: 3\nbackbone:\n{rows}head:\n  - [-1, 1, Classify, [nc]]\n")
    text = cli("import", str(tmp_path / "net.yaml"), "--input", f"3,{SIZE},{SIZE}").stdout
    assert "  C3k2:\n" in text
    assert text.count("C3k2: ") == 2
