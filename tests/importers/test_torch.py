"""PyTorch models: recordings of small ones become the layers that PyTorch counts; their code runs only where allowed.

PyTorch is not needed: what its exporter gave is in ``torch_recordings.json``, with the parameters of each module and
the multiplies of ``torch.utils.flop_counter``, both measured by ``tests/reference/traced_models.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.errors import Source, SpecError
from convcalc.graph.graph import Graph
from convcalc.importers.model import CodeOptions
from convcalc.importers.torch import parent
from convcalc.importers.torch.recording import Recording
from tests.conftest import ROOT, Command

HERE = Path(__file__).parent
RECORDINGS: dict[str, Any] = json.loads((HERE / "torch_recordings.json").read_text(encoding="utf-8"))
TABLE: dict[str, Any] = json.loads((ROOT / "tests/reference/traced_models.json").read_text(encoding="utf-8"))
UNKNOWN = {"ComplexFft": ["fft_rfft", "fft_irfft"], "Branch": ["other_branch"], "Rounds": ["while_loop"]}
MODEL = "torch:models:Net"


def read(name: str) -> Recording:
    recording = Recording()
    for line in RECORDINGS[name]["lines"]:
        recording.add(line)
    return recording


def graph(name: str) -> Graph:
    return parent.graph_of(read(name), Source(f"torch:odd:{name}"))[0]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_has_the_counts_of_its_module(name: str) -> None:
    totals = convcalc.from_graph(graph(name)).report().totals
    known = RECORDINGS[name]
    assert {key: totals[key] for key in ("params", "macs")} == {key: known[key] for key in ("params", "macs")}


@pytest.mark.parametrize("name", RECORDINGS)
def test_an_operation_is_never_a_silent_zero(name: str) -> None:
    made = graph(name)
    assert [node.path for node in made.uncounted] == UNKNOWN.get(name, [])
    assert bool(made.warnings) == (name in UNKNOWN)


def test_a_module_that_runs_twice_is_tied() -> None:
    convolutions = [node for node in graph("Shared").layers if node.op is not None and node.op.kind == "conv"]
    assert [node.path for node in convolutions] == ["c", "c_2", "c_3"]
    assert {node.weight_owner for node in convolutions} == {convolutions[0].index}


def test_of_two_branches_the_larger_is_counted_and_the_other_has_its_parameters() -> None:
    layers = {node.path: node for node in graph("Branch").layers}
    assert [layers[path].facts.multiplies for path in ("linear", "linear_2")] == [6 * 8 * 8] * 2
    assert sum(shape.elements for shape in layers["other_branch_2"].facts.weights.values()) == 8 * 8 + 8
    assert parent.built(read("Branch"), Source("x")).note == ""


def test_what_weights_alone_give_is_an_output() -> None:
    made = graph("WeightProducts")
    assert len(made.outputs) == 4
    assert [node.facts.multiplies for node in made.layers if node.facts.multiplies] == [12 * 8, 12 * 8, 8 * 8, 12]


def test_a_parameter_read_in_parts_that_make_it_up_is_the_weight_of_each_layer() -> None:
    made = graph("Packed")
    kinds = {node.op.kind for node in made.layers if node.path.startswith("cross") and node.op is not None}
    assert "linear" in kinds
    assert not kinds & {"param", "custom"}
    linear = [node.facts.params for node in made.layers if node.op is not None and node.op.kind == "linear"]
    assert sorted(linear) == sorted([17 * 16, 17 * 32, 17 * 16, 17 * 8, 17 * 8])
    kept = {node.path: node.facts.params for node in made.layers if node.op is not None and node.op.kind == "param"}
    assert kept.pop("constant") == 0  # a table that is no parameter
    assert sorted(kept.values()) == sorted([8 * 16, 2 * 4 * 8, 12 * 8])


def test_paths_are_those_of_modules() -> None:
    weighted = [node for node in graph("Siamese").layers if any(each.elements for each in node.facts.weights.values())]
    assert [node.path for node in weighted] == ["c.0", "c.1", "c.5", "c.6", "l"]


def test_parameters_that_nothing_reads_are_a_row_and_a_note() -> None:
    model = parent.built(read("Unused"), Source("torch:odd:Unused"))
    row = next(node for node in model.graph(None, {}, {}).layers if node.path == "unused")
    assert sum(shape.elements for shape in row.facts.weights.values()) == 3 + (5 * 7 + 7) + (8 * 2 + 2)
    assert model.note == "no operation reads the parameters of the row unused: p, u, a"


@pytest.mark.parametrize(("is_per_sample", "noted"), [(False, True), (True, False)])
def test_work_across_the_batch_is_noted_if_two_samples_take_more_than_twice(is_per_sample: bool, noted: bool) -> None:
    model = parent.built(read("Batchy"), Source("torch:odd:Batchy"), lambda: is_per_sample)
    assert ("work across the batch: matmul" in model.note) is noted
    assert parent.graph_of(read("Shared"), Source("x"))[2] == []


# --- networks of other people -----------------------------------------------------------------------------------------


def references() -> dict[str, Any]:
    found = {}
    for source in ("torchvision", "timm", "custom"):
        text = (ROOT / f"tests/reference/{source}.json").read_text(encoding="utf-8")
        found.update({f"{source}:{name}": facts for name, facts in json.loads(text)["models"].items()})
    return found


REFERENCES = {name: facts for name, facts in references().items() if name in TABLE}


def test_the_table_has_the_networks_of_the_references_and_many_more() -> None:
    assert len(REFERENCES) >= 70
    assert len([name for name in TABLE if name not in REFERENCES and not name.startswith("odd:")]) >= 60
    assert len([name for name in TABLE if name.startswith("odd:")]) >= 30


@pytest.mark.parametrize("name", TABLE)
def test_a_traced_network_has_the_counts_of_its_framework(name: str) -> None:
    row = TABLE[name]
    assert (row["params"], row["macs"]) == (row["truth"]["params"], row["truth"]["macs"])
    assert (row["unknown"] == []) is (name.removeprefix("odd:") not in UNKNOWN)
    if name in REFERENCES:
        assert (row["params"], row["macs"]) == (REFERENCES[name]["params"], REFERENCES[name]["macs"])


@pytest.mark.parametrize("name", REFERENCES)
def test_it_is_equal_layer_by_layer(name: str) -> None:
    own, layers = TABLE[name]["products"], [each for each in REFERENCES[name]["rows"] if each[-1]]
    assert [macs for _, macs in own] == [each[-1] for each in layers]
    for (params, _), each in zip(own, layers, strict=True):
        assert params == each[-2] or each[-2] == 0


# --- code is run only where that is allowed ---------------------------------------------------------------------------


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the current folder that leaves a file when it is imported."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.py").write_text("open('imported', 'w').close()\nNet = None\n", encoding="utf-8")
    (tmp_path / "net.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8")
    budget = f"version: 1\nbudgets:\n  - {{id: all, designs: ['{MODEL}'], max: {{params: 1}}}}\n"
    (tmp_path / "convcalc-budget.yaml").write_text(budget, encoding="utf-8")
    (tmp_path / "imports.yaml").write_text(
        f"import: {{m: '{MODEL}'}}\ninput: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8"
    )
    return tmp_path / "imported"


@pytest.mark.parametrize(
    "arguments",
    [
        f"batch {MODEL} --input 3,8,8",
        f"check {MODEL} --input 3,8,8 --max params=1",
        "check",
        f"validate {MODEL}",
        "baseline update",
        "report imports.yaml",
        f"schema {MODEL}",
    ],
)
def test_nothing_imports_a_model_that_was_not_asked_to(cli: Command, canary: Path, arguments: str) -> None:
    result = cli(*arguments.split())
    assert result.exit_code != 0
    assert "internal error" not in result.stderr
    assert not canary.exists()


def test_a_budget_cannot_allow_it(cli: Command, canary: Path) -> None:
    result = cli("check")
    assert result.exit_code == 2
    assert "CC770" in result.stdout
    assert not canary.exists()


def test_the_error_says_how_to_allow_it(cli: Command, canary: Path) -> None:
    result = cli("batch", MODEL)
    assert result.exit_code == 2
    assert f"{MODEL}: error CC770: '{MODEL}' is code of a model, and is not run here" in result.stderr
    assert "--allow-code" in result.stderr


@pytest.fixture
def traced(canary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that was traced before, in place of the one that would run."""
    monkeypatch.setattr(parent, "recorded", lambda *_: read("Shared"))
    return canary.parent


@pytest.mark.parametrize("options", ["", "--allow-code"])
def test_ratios_may_be_to_a_model_that_is_allowed_to_run(cli: Command, traced: Path, options: str) -> None:
    budget = f"version: 1\nbudgets: [{{id: a, designs: [net.yaml], against: '{MODEL}', max: {{params/: 0.5}}}}]\n"
    (traced / "convcalc-budget.yaml").write_text(budget, encoding="utf-8")
    result = cli("check", "net.yaml", "--input", "3,16,16", *options.split())
    assert (result.exit_code, "CC770" in result.stdout) == ((0, False) if options else (2, True))
    assert ("1 limit: 1 met" in result.stdout) == bool(options)


def test_ratios_are_to_a_design_of_the_same_sizes(cli: Command, tmp_path: Path) -> None:
    spec = "input: [3, 8, 8]\nlayers: [conv: {out: 4, kernel: 1}]\n"
    (tmp_path / "one.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "two.yaml").write_text(spec, encoding="utf-8")
    budget = "version: 1\nbudgets: [{id: a, designs: [one.yaml], against: two.yaml, max: {macs/: 1}}]\n"
    path = tmp_path / "convcalc-budget.yaml"
    path.write_text(budget, encoding="utf-8")
    assert cli("check", str(tmp_path / "one.yaml"), "--budget", str(path), "--input", "3,16,16").exit_code == 0


@pytest.mark.parametrize(
    ("inputs", "given", "exit_code"),
    [
        ("input: [3, 16, 16]", "x=3,16,16", 1),  # by place
        ("input: [3, 16, 16]", "x:float32=3,16,16", 1),
        ("inputs: {x: [3, 8, 8]}", "x:float32=3,16,16", 1),  # by name
        ("inputs: {image: [3, 8, 8], y: [3]}", "x:float32=3,16,16", 1),
        ("inputs: {image: [3, 8, 8], x: [3]}", "x:float32=3,16,16", 2),  # relu of 3 is no image
    ],
)
def test_a_spec_has_the_inputs_of_the_model_beside_it(
    cli: Command, traced: Path, inputs: str, given: str, exit_code: int
) -> None:
    layer = "{linear: 3, from: x}" if exit_code == 2 else "conv: {out: 3, kernel: 1}"
    (traced / "net.yaml").write_text(f"{inputs}\nlayers: [{layer}]\n", encoding="utf-8")
    for order in (["net.yaml", MODEL], [MODEL, "net.yaml"]):
        result = cli("match", *order, "--input", given)
        assert result.exit_code == exit_code
    if exit_code == 1:
        found = json.loads(cli("match", "net.yaml", MODEL, "--input", given, "-f", "json").stdout)
        assert found["designs"][0]["macs"] == 3 * 3 * 16 * 16


def test_a_data_type_is_no_part_of_the_name_of_an_input(cli: Command, traced: Path) -> None:
    (traced / "net.yaml").write_text("inputs: {ids: [8]}\nlayers: [embedding: [10, 4]]\n", encoding="utf-8")
    assert "16×4" in cli("report", "net.yaml", "--input", "ids:int64=16").stdout
    result = cli("report", "net.yaml", "--input", "tokens:int64=16")
    assert (result.exit_code, "no input 'tokens'" in result.stderr) == (2, True)


def test_a_number_in_code_is_one_cell_of_the_spec_beside_it(cli: Command, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("inputs: {x: [3, 8, 8], t: [2]}\nlayers: [{linear: 4, from: t}]\n", encoding="utf-8")
    result = cli("report", str(spec), "--input", "t:int64=", "-f", "json")
    assert json.loads(result.stdout)["totals"]["macs"] == 4
    assert "CC709" in cli("report", str(spec), "--input", "t=").stderr


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("torch:models", "CC771"),
        ("torch:", "CC771"),
        ("torch:models:Net()", "CC771"),
        ("torch:models:__import__('os')", "CC771"),
        ("torch:../models:Net", "CC771"),
        ("torch:a b:c", "CC771"),
        ("torch:models:Net --input", "CC771"),
    ],
)
def test_names_are_checked_before_anything_runs(cli: Command, canary: Path, name: str, code: str) -> None:
    result = cli("report", name, "--input", "3,8,8")
    assert (result.exit_code, result.stdout) == (2, "")
    assert code in result.stderr
    assert not canary.exists()


def test_shapes_are_checked_before_anything_runs(cli: Command, canary: Path) -> None:
    result = cli("report", MODEL, "--input", "3,x")
    assert result.exit_code == 2
    assert "CC762" in result.stderr
    assert not canary.exists()


# --- the child process ------------------------------------------------------------------------------------------------

REQUEST = {"module": "m", "attribute": "a"}
SPEAKS = "import json, os, sys, time\npipe = os.fdopen(os.dup(1), 'w')\nos.dup2(2, 1)\n"
KILLED = "print('\\n'.join('abcdefgh'), flush=True); os.kill(os.getpid(), 9)"
MISSPELT = """
pipe.write(json.dumps({"is": "error", "code": "CC771", "text": "t", "word": "heat", "known": ["head"]}) + "\\n")
"""
END = "pipe.write(json.dumps({'is': 'end'}) + '\\n')\npipe.flush()\n"


def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, timeout: float = 60) -> Recording:
    (tmp_path / "a_child.py").write_text(SPEAKS + code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(parent, "MODULE", "a_child")
    return parent.recorded(REQUEST, timeout)


def test_a_child_ends_with_the_program(tmp_path: Path) -> None:
    """However the program ends, the system closes the pipe of the request."""
    (tmp_path / "torch.py").write_text("import time\nprint('runs', flush=True)\ntime.sleep(600)\n", "utf-8")
    child = subprocess.Popen(
        [sys.executable, "-m", parent.MODULE], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(parent.__file__).parents[3]}"},
        start_new_session=True,
    )  # fmt: skip
    assert child.stdin
    assert child.stderr
    with child.stdin, child.stderr:
        child.stdin.write(json.dumps(REQUEST).encode() + b"\n")
        child.stdin.flush()
        assert child.stderr.readline() == b"runs\n"
        child.stdin.close()
        assert child.wait(60)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('one'); sys.exit(3)", "the process of the model ended with exit code 3; its last lines: one"),
        ("os._exit(0)", "ended with exit code 0"),
        (KILLED, "signal 9, perhaps for want of memory; its last lines: d | e | f | g | h"),
        ("raise ValueError('no')", "its last lines: "),
        ("print(300 * 'y', flush=True); os._exit(74)", f"closed the pipe of its results; its last lines: {200 * 'y'}"),
        ("pipe.write('{\\n')\n" + END, "ended with exit code 0"),
        ("pipe.write('[]\\n')\n" + END, "ended with exit code 0"),
        ("pipe.write('{\"is\": \"node\"}\\n')\n" + END, "ended with exit code 0"),
        (MISSPELT + END, "t; did you mean 'head'?"),
    ],
)  # fmt: skip
def test_a_child_that_fails_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], code: str, said: str
) -> None:
    with pytest.raises(SpecError) as raised:
        answer(tmp_path, monkeypatch, code)
    assert raised.value.code in ("CC772", "CC771")
    assert said in raised.value.text
    assert capfd.readouterr().out == ""


def test_a_child_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "left"
    code = f"""
import subprocess
subprocess.Popen([sys.executable, '-c', "import time; time.sleep(4); open({str(left)!r}, 'w')"])
time.sleep(1000)
"""
    with pytest.raises(SpecError, match="took longer than 2 seconds"):
        answer(tmp_path, monkeypatch, code, 2)
    assert not left.exists()


def test_what_a_model_prints_goes_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    recording = answer(tmp_path, monkeypatch, "print('hello', flush=True)\nos.write(1, b'there\\n')\n" + END)
    assert recording.nodes == []
    assert capfd.readouterr() == ("", "hello\nthere\n")


def test_of_what_is_printed_without_end_the_last_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answer(tmp_path, monkeypatch, "for _ in range(300): print('x' * 9_999)\nprint('last')\n" + END)
    printed = capfd.readouterr().err
    assert printed.startswith(f"… {300 * 10_000 + 5 - parent.MAX_OUTPUT:,} bytes before are left out\n")
    assert len(printed) < parent.MAX_OUTPUT + 100
    assert printed.endswith("x\nlast\n")


def test_neither_variants_nor_variables_but_arguments(monkeypatch: pytest.MonkeyPatch, cli: Command) -> None:
    monkeypatch.setattr(parent, "recorded", lambda *_: read("Shared"))
    for arguments in (f"{MODEL}@big", f"{MODEL} --set width=3"):
        result = cli("report", *arguments.split())
        assert (result.exit_code, result.stdout) == (2, "")
        assert "hint: a callable has neither variants nor variables: give its arguments with --arg" in result.stderr


def test_without_pytorch_the_error_says_how_to_install_it(cli: Command, canary: Path) -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        result = cli("report", MODEL, "--input", "3,8,8")
        assert result.exit_code == 2
        assert "CC719" in result.stderr
        assert "convcalc[torch]" in result.stderr
        assert not canary.exists()


def test_the_program_itself_loads_no_pytorch_and_a_spec_no_importer() -> None:
    code = (
        "import sys; from convcalc.cli import main\n"
        "try: main(['report', 'zoo:lenet', '-q'])\n"
        "except SystemExit: pass\n"
        "assert not [name for name in sys.modules if name.startswith(('torch', 'convcalc.importers'))]\n"
        "import convcalc.importers.torch.parent\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_options_of_the_callable() -> None:
    assert [parent._argument(text) for text in ("3", "0.5", "true", "True", "None", "[1, 2]", "resnet", '"3"')] == [
        3, 0.5, True, True, None, [1, 2], "resnet", "3",
    ]  # fmt: skip
    assert parent.shape_of("ids:int64", "128") == {"name": "ids", "dtype": "int64", "axes": [128]}
    assert parent.shape_of("", "[3, 8,8]")["axes"] == [3, 8, 8]
    assert parent.shape_of("time", "")["axes"] == []
    with pytest.raises(SpecError, match="MODULE:FUNCTION"):
        parent.read(Source("torch:a:b"), {}, CodeOptions(inputs="a"))


def test_sizes_are_fixed() -> None:
    model = parent.built(read("Shared"), Source("torch:odd:Shared"))
    assert model.inputs == {"x": (3, 16, 16)}
    assert model.graph(None, {}, {"x": (3, 16, 16)}) is model.graph(None, {}, {})
    with pytest.raises(SpecError, match="fixed sizes"):
        model.graph(None, {}, {"x": (3, 32, 32)})


def test_load_takes_names_and_modules_alone() -> None:
    with pytest.raises(TypeError, match=r"torch\.nn\.Module, not int"):
        convcalc.load(5)


# --- files that are not read ------------------------------------------------------------------------------------------


REFUSED = (
    "a.pt", "a.pth", "a.bin", "a.ckpt", "a.pkl", "a.joblib", "a.pt2", "A.PT", "a.h5", "a.hdf5", "a.tflite",
    "a.mlmodel", "a.pb", "a.safetensors", "saved/saved_model.pb",
)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "name"),
    [*((command, name) for command in ("report", "batch", "check") for name in REFUSED), ("report", "saved")],
)
def test_files_of_other_formats_are_refused_unread(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    """None of them is there but the folder: one that is opened would be missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").write_bytes(b"")
    result = cli(command, name)
    assert result.exit_code == 2
    assert "CC761" in result.stdout + result.stderr
    assert "hint: " in result.stdout + result.stderr
