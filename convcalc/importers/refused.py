"""Files of models that are not read: pickles, which run code when they are loaded, and formats of other frameworks.

None of them is opened.
"""

from __future__ import annotations

import os

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
    ".safetensors": ("has weights alone, without layers", EXPORT),
    ".tflite": ("is a TensorFlow Lite model", CONVERT.format("tflite")),
    ".pb": ("is a graph of TensorFlow", CONVERT.format("graphdef") + " --inputs … --outputs …"),
    ".mlmodel": ("is a Core ML model", "export to ONNX the model that it was made from"),
    SAVED_MODEL: ("is a SavedModel of TensorFlow", CONVERT.format("saved-model")),
}
"""By the ending of a file what it is, and what to do instead; of several endings the last one counts."""


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
