"""Files of Keras that are damaged or hostile: one entry is read, within limits, and nothing of it is run."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from convcalc.designs.imported import open_model
from convcalc.errors import SpecErrors
from convcalc.importers.keras import IMPORTER
from convcalc.importers.keras.archive import MAX_CONFIG_SIZE
from tests.conftest import ROOT, Command
from tests.importers.test_keras import FILES, REFERENCE, custom, entering, layer, model, reading

CANARY = "raise SystemExit('the module of a layer was imported')\n"


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def config(**more: Any) -> bytes:
    return json.dumps(model(entering(3), layer("dense", "Dense", "x", units=2)) | more).encode()


def failure(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(SpecErrors) as caught:
        open_model(str(path), IMPORTER).expand()
    return str(caught.value)


def encrypted(data: bytes) -> bytes:
    """The flag of encryption, in the entry and in the directory."""
    changed = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.index(mark) + place] |= 1
    return bytes(changed)


def test_the_entry_is_found_among_others(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    path.write_bytes(packed({"model.weights.h5": os.urandom(1000), "config.json": config(), "assets/x": b"y"}))
    assert open_model(str(path), IMPORTER).expand().graph.nodes[-1].facts.params == 8


DAMAGED = {
    "nothing": (b"", "the zip is damaged"),
    "no zip": (b"\x80\x04pickle", "the zip is damaged"),
    "no config": (packed({"metadata.json": b"{}"}), "no entries config.json"),
    "config elsewhere": (packed({"../config.json": config(), "a/config.json": config()}), "no entries config.json"),
    "encrypted": (encrypted(packed({"config.json": config()})), "encrypted"),
    "packed by LZMA": (packed({"config.json": config()}, zipfile.ZIP_LZMA), "a method that Keras does not use"),
    "packed by bzip2": (packed({"config.json": config()}, zipfile.ZIP_BZIP2), "a method that Keras does not use"),
    "cut": (packed({"config.json": config()})[:-30], "the zip is damaged"),
    "no JSON": (packed({"config.json": b"{"}), "not JSON"),
    "no text": (packed({"config.json": b"\xff\xfe\xfd"}), "not JSON"),
    "a list": (packed({"config.json": b"[]"}), "not an object"),
    "nested": (packed({"config.json": b"[" * 200_000}, zipfile.ZIP_STORED), "nested too deeply"),
    "a number without end": (packed({"config.json": b"9" * 100_000}, zipfile.ZIP_STORED), "not JSON"),
    "a bomb": (packed({"config.json": b" " * 10_000_000}), "more than 200 times its packed size"),
    "many": (packed({f"{n}": b"" for n in range(10_001)} | {"config.json": config()}), "entries"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_damaged_is_refused(case: str, tmp_path: Path) -> None:
    data, text = DAMAGED[case]
    shown = failure(tmp_path / "a.keras", data)
    assert "CC760" in shown
    assert text in shown


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", config())
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("config.json", config())
    assert "has 2 entries" in failure(tmp_path / "a.keras", file.getvalue())


def test_what_unpacks_to_too_much_is_left_alone(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(1 << 20).hex().encode()  # hex digits halve
    count = MAX_CONFIG_SIZE // len(noise) + 1
    shown = failure(tmp_path / "a.keras", packed({"config.json": noise * count}, zipfile.ZIP_STORED))
    assert f"more than {MAX_CONFIG_SIZE:,} bytes" in shown


def test_hdf5_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    shown = failure(tmp_path / "a.keras", b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert "CC761" in shown
    assert "save('model.keras')" in shown


def test_a_text_that_is_too_large_has_another_way(tmp_path: Path, cli: Command) -> None:
    (tmp_path / "a.json").write_bytes(config(note=" " * (1 << 20)))
    result = cli("report", tmp_path / "a.json")
    assert (result.exit_code, "CC003" in result.stderr, "model.save('model.keras')" in result.stderr) == (2, True, True)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    for name, code in (("pipe.keras", "CC002"), ("nothing.keras", "CC001"), ("", "CC002")):
        with pytest.raises(SpecErrors, match=code):
            open_model(str(tmp_path / name), IMPORTER)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_refused_or_read(name: str, tmp_path: Path) -> None:
    whole, rng, path = (REFERENCE / "keras" / f"{name}.keras").read_bytes(), random.Random(name), tmp_path / "a.keras"
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 10)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
        try:
            open_model(str(path), IMPORTER).expand()
        except SpecErrors:
            continue


VALUES: tuple[Any, ...] = (
    None,
    0,
    -1,
    1,
    3,
    10**18,
    10**30,
    1.5,
    float("nan"),
    True,
    "",
    "x",
    [],
    {},
    [1],
    [2, 2],
    [None],
    [[1, 2]],
    "...",
)


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in items for found in ((*before, key), *places(each, (*before, key)))]


@pytest.mark.parametrize("name", [name for name in FILES if name != "MobileNetV2"])
def test_settings_may_be_anything(name: str) -> None:
    text = zipfile.ZipFile(REFERENCE / "keras" / f"{name}.keras").read("config.json")
    rng, everywhere = random.Random(name), places(json.loads(text))
    for _ in range(400):
        changed = json.loads(text)
        *path, last = rng.choice(everywhere)
        inside = changed
        for key in path:
            inside = inside[key]
        inside[last] = rng.choice(VALUES)
        try:
            open_model("model.json", IMPORTER, {}, json.dumps(changed).encode()).expand()
        except SpecErrors:
            continue


def test_modules_of_layers_are_never_imported(tmp_path: Path, run: Command) -> None:
    package = tmp_path / "fancy_package"
    package.mkdir()
    for name in ("__init__.py", "layers.py"):
        (package / name).write_text(CANARY, "utf-8")
    (tmp_path / "keras.py").write_text(CANARY, "utf-8")
    dense = reading(layer("dense", "Dense", units=2), "fancy", [None, 3])
    code = {"class_name": "__lambda__", "config": {"code": "AAAA"}}
    function = {**layer("run", "Lambda", "x", function=code), "build_config": {"input_shape": [None, 3]}}
    fancy = custom("fancy", "run", [None, 3])
    again = reading(fancy, "run", [None, 3]) | {"module": "fancy_package.layers"}
    whole = model(entering(3), function, again, dense)
    (tmp_path / "a.keras").write_bytes(packed({"config.json": json.dumps(whole).encode()}))
    result = run("report", tmp_path / "a.keras", env={"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])})
    assert result.exit_code == 0, result
    assert "Incomplete" in result.stdout
    assert {"fancy_package", "keras", "tensorflow"}.isdisjoint(sys.modules)


def test_names_of_layers_cannot_deceive(tmp_path: Path, cli: Command) -> None:
    odd = "relu\x1b[2J\n../../etc"
    path = tmp_path / "a.keras"
    path.write_bytes(packed({"config.json": json.dumps(model(entering(3), layer(odd, "ReLU", "x"))).encode()}))
    result = cli("report", path)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout + result.stderr


def test_a_spec_is_read_without_any_of_this(run: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("input: 3\nlayers: [linear: 2]\n", "utf-8")
    script = "import sys; from convcalc.cli import main; main(['report', 'a.yaml']); print([*sys.modules])"
    import subprocess

    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    output = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, check=True)
    assert b"convcalc.importers" not in output.stdout
