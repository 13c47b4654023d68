"""Files of models that are not read: pickles, which run code when they are loaded, and formats of other frameworks.

None of them is opened; what has another name is known by its first bytes.
"""

from __future__ import annotations

import os
import re

from convcalc.errors import Source, Span, SpecError
from convcalc.importers.model import Importer, Model

SAVED_MODEL = "saved_model.pb"
EXPORT = "export the model to ONNX, or count its code: convcalc report torch:MODULE:CALLABLE --input 3,224,224"
PICKLE = "may be a pickle, which can run code when it is loaded", EXPORT
HDF5 = "is HDF5", "keras.saving.load_model('{0}').save('model.keras') in Python, and convcalc report model.keras"
CONVERT = "python -m tf2onnx.convert --{} {{0}} --output model.onnx"
REASONS = {
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".pt2"), PICKLE),
    **dict.fromkeys((".h5", ".hdf5"), HDF5),
    ".safetensors": (
        "has weights alone, without layers",
        "report the folder of its config.json, which is then compared with it: convcalc report hf:FOLDER; or " + EXPORT,
    ),
    ".gguf": (
        "is GGUF, weights without layers",
        "give the config.json of the model that it was converted from: convcalc report hf:config.json",
    ),
    ".tflite": ("is a TensorFlow Lite model", CONVERT.format("tflite")),
    ".pb": ("is a graph of TensorFlow", CONVERT.format("graphdef") + " --inputs … --outputs …"),
    ".mlmodel": ("is a Core ML model", "export to ONNX the model that it was made from"),
    SAVED_MODEL: ("is a SavedModel of TensorFlow", CONVERT.format("saved-model")),
}
"""By the ending of a file what it is, and what to do instead; of several endings the last one counts."""
_HEAD_SIZE = 256
_READ = {".keras": "a model of Keras", ".onnx": "an ONNX model", ".cfg": "a Darknet file"}
_HEADS = {
    rb"PK\x03\x04.{26}(?:metadata|config)\.json": ".keras",
    rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a\x42]": ".onnx",
    rb"\s*\[(?:net|network)\]": ".cfg",
    rb"\x80[\x02-\x05]": ".pkl",
    rb"PK\x03\x04.{26}[^/]+/data\.pkl": ".pt",
    rb"\x89HDF": ".h5",
    rb".{4}TFL3": ".tflite",
    rb"GGUF": ".gguf",
    rb'.{6}\0\0\{"': ".safetensors",
}
"""The beginning of files → the ending that their names should have."""


def other_format(file: str) -> SpecError | None:
    """Return the error for a file that is of another format than its name says, if its beginning tells which."""
    try:
        with open(file, "rb") as stream:
            head = stream.read(_HEAD_SIZE)
    except (OSError, ValueError):
        return None
    ending = next((ending for start, ending in _HEADS.items() if re.match(start, head, re.DOTALL)), "")
    if not ending or file.lower().endswith(ending):
        return None
    what, instead = REASONS.get(ending) or (f"is {_READ[ending]}", f"its name must end in {ending}")
    return SpecError("CC761", f"not read: it {what}", Span(Source(file)), hint=instead.format(file))


def is_saved_model(path: str) -> bool:
    """Whether a path is that of a folder with a SavedModel."""
    return os.path.isdir(path) and os.path.isfile(os.path.join(path, SAVED_MODEL))


def read(source: Source, data: bytes | None) -> Model:  # noqa: ARG001 - as other importers
    """Refuse the file.

    Raises:
        SpecError: CC761, always.
    """
    folder = source.name if is_saved_model(source.name) else os.path.dirname(source.name) or "."
    name = os.path.join(folder, SAVED_MODEL) if folder == source.name else source.name
    ending = [each for each in REASONS if name.lower().endswith(each)][-1]
    what, instead = REASONS[ending]
    shown = folder if ending == SAVED_MODEL else name
    raise SpecError("CC761", f"not read: it {what}", Span(source), hint=instead.format(shown))


IMPORTER = Importer("refused", read, suffixes=tuple(REASONS), owns=is_saved_model)
