"""JSON held against the schema that the program prints for it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from convcalc import schemas
from tests.fuzz.campaign import require


@cache
def validator(name: str) -> Any:
    """Return what validates by one of ``convcalc schema``'s schemas, made once."""
    return jsonschema.Draft7Validator(json.loads(schemas.schema(name)))


def require_json(name: str, text: str) -> Any:
    """Demand a document of a schema, in which no number is one that JSON has no word for."""
    document = json.loads(text, parse_constant=_refused)
    for error in validator(name).iter_errors(document):
        require(False, f"JSON keeps its schema: {name} {list(error.absolute_path)} {error.message[:300]}")
    return document


def _refused(word: str) -> None:
    require(False, f"JSON has no such number: {word}")
