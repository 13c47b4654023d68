"""The JSON Schema of specs, generated from the ops: what an editor completes, explains and underlines.

All kinds stand in *one* ``properties``, so that completion lists them all. That an item has exactly one of them is left
to the program, as is everything that only values can tell; what the program accepts is never underlined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from convcalc.ops.arguments import EXPRESSION, JsonSchema
from convcalc.ops.docs import read_docs
from convcalc.ops.op import Op, arguments_of, may_lack_branches
from convcalc.ops.registry import activation_names, find_op, load_all
from convcalc.ops.source_form import SOURCE_FORMS
from convcalc.spec.document.arguments import FUSED, NAMES, VIA_KEY, choices
from convcalc.spec.document.blocks import BLOCK_KEYS
from convcalc.spec.document.claims import COUNTS, DISAGREES, FORM, STORED
from convcalc.spec.document.claims import KEYS as CLAIM
from convcalc.spec.document.document_reader import AXES, TOP_LEVEL_KEYS
from convcalc.spec.document.modifiers import MODIFIERS

DRAFT = "http://json-schema.org/draft-07/schema#"

_LETTER, _CAPITAL, _WORD = (rf"[{ascii_}\u0080-\uffff]" for ascii_ in ("a-z", "A-Z", r"\w"))
NAME = rf"^{_WORD}({_WORD}|-)*$"
VARIANT = rf"^{_WORD}({_WORD}|[.-])*$"
VARIABLE = rf"^(?!\d){_WORD}+$"
ALIAS = rf"^{_LETTER}{_WORD}*$"
BLOCK_NAME = rf"^{_CAPITAL}{_WORD}*$"
CALL = rf"^({_LETTER}{_WORD}*\.)?{_CAPITAL}{_WORD}*$"
PRINTED = f"^{FORM}$"

ANYTHING: JsonSchema = {}
TEXT_SCHEMA: JsonSchema = {"type": ["string", "number", "boolean"]}
CONDITION: JsonSchema = {"type": ["boolean", "string"]}
NOTHING: JsonSchema = {"type": "null"}

Ops = Mapping[str, type[Op]]


def spec_schema() -> JsonSchema:
    """Return the schema, draft-07, of a spec file."""
    ops = load_all()
    return {
        "$schema": DRAFT,
        "title": "convcalc spec",
        "description": "A neural network, as convcalc counts it.",
        **closed_object(_sections(ops), TOP_LEVEL_KEYS),
        "definitions": {
            "value": _any(TEXT_SCHEMA, {"type": "array", "items": ref("value")}),
            "printed": {"type": ["number", "string"], "pattern": PRINTED},
            "shape": _shape(),
            "items": {"type": "array", "items": ref("item")},
            "item": _item(ops),
            **{kind: _any(*_forms(op)) for kind, op in ops.items()},
            **{_by_name(kind): closed_object(_named(op)) for kind, op in ops.items()},
        },
    }


# --- the file ---------------------------------------------------------------------------------------------------------


def _sections(ops: Ops) -> dict[str, JsonSchema]:
    """Return what each top-level key holds."""
    expressions = _entries(VARIABLE, ref("value"))
    blocks = _entries(BLOCK_NAME, _any(ref("items"), _block()))
    defaults = closed_object({kind: closed_object({**_named(op), VIA_KEY: _via()}) for kind, op in ops.items()})
    return {
        "convcalc": described("Version of the language; the first line of the file.", {"enum": [1, "1"]}),
        "name": described("What the network is called; may hold {expression}.", TEXT_SCHEMA),
        "note": described("A remark for people.", TEXT_SCHEMA),
        "import": described("Other specs, whose blocks are called alias.Name.", _entries(ALIAS, {"type": "string"})),
        "input": described("Shape of the input without batch, channels first: [c, h, w].", ref("shape")),
        "inputs": described("Several inputs: the first feeds the first item, the others are reached by `from`.",
                        _entries(NAME, ref("shape"))),
        "vars": described("Variables; later ones may use earlier ones, and --set overrides them.", expressions),
        "variants": described("Named sets of variables in place of the file's: FILE@name.",
                              _entries(VARIANT, expressions)),
        "defaults": described("Attributes of all layers of a kind that are written in this file.", defaults),
        "blocks": described("Items under a name that begins with a capital, to be called with parameters.", blocks),
        "layers": described("The items, in order; the output of the last is the network's.", ref("items")),
        "outputs": described("Paths of the outputs, in order; the last item always is one.", one_or_more(TEXT_SCHEMA)),
        "claims": described("Published numbers, to be compared with what is counted.",
                        {"type": "array", "items": _claim(ops)}),
    }  # fmt: skip


def _shape() -> JsonSchema:
    return _any(ref("value"), closed_object(dict.fromkeys(AXES, ref("value")), required=["c"]))


def _block() -> JsonSchema:
    params = _entries(VARIABLE, _any(ref("value"), NOTHING))
    parts = {
        "params": described("Parameters and their defaults, in order; one without a default must be given.", params),
        "inputs": described("Names of inputs beside the first, given by `from: [., path]`.", one_or_more(TEXT_SCHEMA)),
        "layers": described("The items of the block.", ref("items")),
        "note": described("A remark for people.", TEXT_SCHEMA),
    }
    return closed_object(parts, BLOCK_KEYS, required=["layers"])


def _claim(ops: Ops) -> JsonSchema:
    parts = {
        **{key: described(f"{key} as printed: 25.6M, 159Ki.", ref("printed")) for key in COUNTS},
        **{key: described(f"{key} accuracy as printed; kept, not compared.", ref("printed")) for key in STORED},
        "out": described("Shape of the output, without batch.", one_or_more(EXPRESSION)),
        "source": described("Where the number is printed.", TEXT_SCHEMA),
        "quote": described("The words of the source.", TEXT_SCHEMA),
        "url": described("Where to find the source.", TEXT_SCHEMA),
        "note": described("A remark for people.", TEXT_SCHEMA),
        "at": described("Path of the part that is meant; else the whole network.", TEXT_SCHEMA),
        "variant": described("The variant that is meant; else none.", TEXT_SCHEMA),
        "expect": described(
            "That the arithmetic gives another number than the source, and must.", {"enum": [DISAGREES]}
        ),
        "reason": described("Why the source's number is loose.", TEXT_SCHEMA),
        "excluding": described(
            "What the source leaves out: bias, kinds of layers, paths of layers, which may be globs.",
            one_or_more(_any({"enum": ["bias", *ops]}, {"type": "string"})),
        ),
    }
    return closed_object(parts, CLAIM, required=["source"])


# --- items ------------------------------------------------------------------------------------------------------------


def _item(ops: Ops) -> JsonSchema:
    """Return an item: a bare word, a list, or a mapping of a kind or a block with modifiers."""
    words = sorted(activation_names())
    kinds = {kind: described(read_docs(op).summary, ref(kind)) for kind, op in ops.items()}
    kinds["seq"] = described("Items run in order: a list that takes modifiers.", ref("items"))
    patterns = {
        f"^({'|'.join(words)})$": described(read_docs(ops["act"]).summary, NOTHING),
        CALL: described("A block: its parameters as one value, in order, or by name.", ANYTHING),
    }
    bare = [*words, *(kind for kind, op in ops.items() if not _is_join(op))]
    mapping = {**closed_object(_modifiers() | kinds), "patternProperties": patterns, "minProperties": 1}
    return _any({"enum": bare}, {"type": "string", "pattern": CALL}, ref("items"), mapping)


def _modifiers() -> dict[str, JsonSchema]:
    turns = _any(EXPRESSION, _entries(VARIABLE, ref("value")))
    meant = {
        "name": described("Name of the item, a segment of its path; may hold {expression}.", TEXT_SCHEMA),
        "from": described("Path of the layer to read in place of the previous one; `input`, or `.` for the current "
                          "value.", one_or_more(TEXT_SCHEMA)),
        "when": described("Where this is false, the item is deleted.", CONDITION),
        "else": described("The item in its place where `when` is false.", ref("item")),
        "repeat": described("The item n times in series: a count, or {variable: list}; it sees i, first and last.",
                            turns),
        "each": described("n parallel branches, only in the list of a join: a count, or {variable: list}.", turns),
        "of": described("How many branches there are, of which `each` are run; those that are not are a row `idle`.",
                        EXPRESSION),
        "tie": described("true: all turns of the repeat share the weights of the first; or the path of another layer.",
                     _any({"const": True}, {"type": "string"})),
        "via": _via(),
        "checkpoint": described("Where true, training keeps nothing inside, and runs the item again.", CONDITION),
        "note": described("A remark for people.", TEXT_SCHEMA),
    }  # fmt: skip
    return {key: meant[key] for key in MODIFIERS}


def _via() -> JsonSchema:
    """Return how the model's source writes a layer: a word, or an expression over the words."""
    text = "How the model's source writes the layer, which decides what other tools see of it."
    return described(text, _any({"enum": list(SOURCE_FORMS)}, {"type": "string"}))


def _forms(op: type[Op]) -> list[JsonSchema]:
    """Return the ways to write the arguments of a kind: nothing, one alone, a list in order, or by name."""
    places = [argument for argument in arguments_of(op).values() if argument.positional]
    alone = [ref(f"{_by_name(op.kind)}/properties/{argument.key}") for argument in places]
    if _is_join(op):
        branches = described("Items that all read the input of the join.", _any(ref("items"), ref("item")))
        required = [] if may_lack_branches(op) else ["branches"]
        return [*alone, ref("items"), closed_object({"branches": branches, **_named(op)}, required=required)]
    in_order: JsonSchema = {"type": "array", "items": alone, "maxItems": len(alone)}
    listed = [in_order] if places and not places[0].type.takes_list else []
    names = described("A name for each part, which is a layer of its own.", array_of(TEXT_SCHEMA, 1))
    others = {key: schema for key, schema in _named(op).items() if key not in op.part_arguments}
    of_parts = [closed_object({NAMES: names, **others}, required=[NAMES])] if op.part_arguments else []
    return [NOTHING, *alone[:1], *listed, ref(_by_name(op.kind)), *of_parts]


def _named(op: type[Op]) -> dict[str, JsonSchema]:
    """Return the arguments of an op by their words."""
    own = {key: {**_slot(op, key), **_default(argument.default)} for key, argument in arguments_of(op).items()}
    named = {
        **own,
        **dict.fromkeys(op.layer_arguments, TEXT_SCHEMA),
        **{key: _fused(key) for key in FUSED if op.accepts_norm_act},
    }
    return {key: described(text, named[key]) for key, text in read_docs(op).arguments.items()}


def _fused(kind: str) -> JsonSchema:
    """Return what a fused norm or activation takes: what the kind does, and how it is written."""
    op = find_op(kind)
    assert op is not None
    return _any(ref(kind), closed_object({**_named(op), VIA_KEY: _via()}))


def _slot(op: type[Op], key: str) -> JsonSchema:
    """Return what an argument takes; the words of a closed list stand first, so that editors offer them."""
    slot, words = arguments_of(op)[key].type, list(choices(op, key))
    return _any({"enum": words}, *slot.schema.get("anyOf", [slot.schema])) if words else slot.schema


def _default(value: Any) -> JsonSchema:
    if value is None:
        return {}
    return {"default": float(value) if isinstance(value, Fraction) else value}


def _is_join(op: type[Op]) -> bool:
    return op.arity != (1, 1)


def _by_name(kind: str) -> str:
    return f"{kind}.arguments"


# --- JSON Schema ------------------------------------------------------------------------------------------------------


def described(text: str, schema: JsonSchema) -> JsonSchema:
    """Put a sentence on a schema; draft-07 ignores what stands beside ``$ref``, so that goes one level down."""
    return {"description": text, **(_any(schema) if "$ref" in schema else schema)}


def ref(name: str) -> JsonSchema:
    """A definition by its name."""
    return {"$ref": f"#/definitions/{name}"}


def _any(*schemas: JsonSchema) -> JsonSchema:
    return {"anyOf": list(schemas)}


def one_or_more(schema: JsonSchema, least: int = 0) -> JsonSchema:
    """What stands alone, or a list of it."""
    return _any(schema, array_of(schema, least))


def array_of(schema: JsonSchema, least: int = 0) -> JsonSchema:
    """A list of at least so many."""
    return {"type": "array", "items": schema, **({"minItems": least} if least else {})}


def closed_object(
    properties: Mapping[str, JsonSchema], order: Iterable[str] | None = None, required: list[str] | None = None
) -> JsonSchema:
    """A mapping with these keys and no others; ``order`` lists them all as the reader knows them."""
    listed = {key: properties[key] for key in order or properties}
    demanded = {"required": required} if required else {}
    return {"type": "object", "properties": listed, "additionalProperties": False, **demanded}


def _entries(pattern: str, value: JsonSchema) -> JsonSchema:
    """A mapping whose keys are names of one's own."""
    return {"type": "object", "patternProperties": {pattern: value}, "additionalProperties": False}
