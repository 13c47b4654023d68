"""Hugging Face: the ``config.json`` of a model of the transformers library. No code runs, and no weights are read."""

from __future__ import annotations

import re

from convcalc.errors import Source
from convcalc.importers.model import Importer, Model

PREFIX = "hf:"
_KEY = re.compile(
    r'"(?:model_type|_class_name|weight_map|transformers_version|peft_type|added_tokens(?:_decoder)?|'
    r'(?:tokenizer|processor|image_processor|feature_extractor)_(?:class|type)|(?:bos|eos|unk|cls|sep)_token)"\s*:'
)
"""A key of a configuration, or of a file that lies beside one."""
_LAYERS = re.compile(r'"(?:layers|blocks)"\s*:\s*[\[{]')


def recognizes(text: str) -> bool:
    """Whether a text is a JSON object with a key of a configuration, and no spec that has a variable of that name."""
    is_object = text.lstrip("\ufeff \t\r\n").startswith("{")
    return is_object and _KEY.search(text) is not None and _LAYERS.search(text) is None


def read(source: Source, data: bytes | None) -> Model:
    """Read a configuration; see :func:`convcalc.importers.hf.model.read_model`."""
    from convcalc.importers.hf.model import read_model  # only these files need it

    return read_model(source, data)


IMPORTER = Importer("Hugging Face", read, prefix=PREFIX, recognizes=recognizes)
