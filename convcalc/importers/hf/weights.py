"""How many weights a model has by the headers of its ``safetensors``: names and shapes; no tensor is read.

A file begins with the length of its header, 8 bytes, little-endian, and the header, a JSON object: name →
``{"dtype": …, "shape": […], "data_offsets": […]}``. An index names the files that a model is cut into.
Source: huggingface/safetensors, README, Format.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from math import prod
from typing import Any

from convcalc.errors import quoted
from convcalc.importers.hf.config import CONFIG
from convcalc.records import NamedTuple
from convcalc.spec.yaml.text import require_inside_repository

FILE = "model.safetensors"
INDEX = "model.safetensors.index.json"
MAX_HEADER_SIZE = 32 * 2**20
MAX_FILES = 10_000
_LENGTH = 8
_NOT_LEARNED = re.compile(
    r".*(?:inv_freq|position_ids|masked_bias|(?:attn|attention)\.bias|_float_tensor|num_batches_tracked)"
)
"""Tables that older versions of transformers stored beside the weights: masks, angles, numbers of positions."""


class Stored(NamedTuple):
    """Weights that lie beside a configuration."""

    file: str
    size: int
    """Their elements, if they could be read."""
    wrong: str = ""
    """Why they could not."""


def stored_beside(config: str) -> Stored | None:
    """Return the weights in the folder of a configuration of the usual name, if there are some."""
    folder, name = os.path.split(config)
    if name != CONFIG:
        return None
    for file in (INDEX, FILE):
        path = os.path.join(folder, file)
        if os.path.isfile(path):
            try:
                return Stored(file, sum(_elements(each) for each in _files(path)))
            except RecursionError:
                return Stored(file, 0, "it is nested too deeply")
            except (OSError, ValueError) as error:
                return Stored(file, 0, str(error))
    return None


def _files(path: str) -> list[str]:
    """Return the files of an index, which lie beside it; or the one file itself."""
    if not path.endswith(INDEX):
        return [path]
    require_inside_repository(path)
    with open(path, "rb") as file:
        index = _object(file.read(MAX_HEADER_SIZE + 1))
    names = index.get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ValueError("it has no weight_map of names")
    files = sorted(set(names.values()))
    if any(os.path.basename(name) != name or not name.endswith(".safetensors") for name in files):
        raise ValueError("it names files elsewhere")
    if len(files) > MAX_FILES:
        raise ValueError(f"it names more than {MAX_FILES:,} files")
    return [os.path.join(os.path.dirname(path), name) for name in files]


def _elements(path: str) -> int:
    """Return the elements of the weights of a file."""
    require_inside_repository(path)
    if not os.path.isfile(path):
        raise ValueError(f"there is no file {quoted(os.path.basename(path))}")
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        if length > MAX_HEADER_SIZE:
            raise ValueError(f"{os.path.basename(path)} has a header of more than {MAX_HEADER_SIZE:,} bytes")
        header = file.read(length)
    if len(header) < length:
        raise ValueError(f"{os.path.basename(path)} is truncated")
    return sum(prod(shape) for name, shape in _shapes(_object(header)) if not _is_table(name, shape))


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_HEADER_SIZE:
        raise ValueError(f"it has more than {MAX_HEADER_SIZE:,} bytes")
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _shapes(header: dict[str, Any]) -> Iterator[tuple[str, list[int]]]:
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        if not isinstance(shape, list) or not all(type(size) is int and 0 <= size < 2**63 for size in shape):
            raise ValueError(f"{quoted(name)} has no shape")
        yield name, shape


def _is_table(name: str, shape: list[int]) -> bool:
    """Whether a tensor is no weight; a bias of attention has one axis, a mask more."""
    return _NOT_LEARNED.fullmatch(name) is not None and not (name.endswith(".bias") and len(shape) == 1)
