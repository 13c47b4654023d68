"""Number formats: bits of a number, bytes of a tensor, and the formats of layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from convcalc.arith import Number, ceildiv
from convcalc.errors import SpecError, did_you_mean, quoted
from convcalc.records import NamedTuple

BIT_WIDTHS = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "fp8": 8,
    "int64": 64,
    "int32": 32,
    "int16": 16,
    "int8": 8,
    "int4": 4,
}
"""Bits of one number in each format that ``--dtype`` takes."""
USUAL = "float32"
WEIGHTS, CACHE = "weights", "cache"
"""What a format may be of, apart from all else: ``weights=int4g128``. No layer is named by these words."""
FORMAT_WORDS = frozenset((f"{WEIGHTS}=", f"{CACHE}="))
WORDS_MEANT = {"weight": WEIGHTS, "w": WEIGHTS, "kv": CACHE, "kv_cache": CACHE, "kvcache": CACHE}
"""What other tools call them."""


class Blocks(NamedTuple):
    """A format of rows of a matrix in blocks, of which the last of a row may be shorter, but not in GGUF."""

    length: int
    """Numbers of a row that share a scale."""
    bits: int
    """Bits of a block, beside ``each`` bits of every number."""
    each: int = 0


GGUF_BLOCKS = {"q4_0": Blocks(32, 18 * 8), "q8_0": Blocks(32, 34 * 8), "q4_k": Blocks(256, 144 * 8)}
"""Blocks of GGUF, whose bytes hold the scales too (ggml, ``block_q4_0``, ``block_q8_0`` and ``block_q4_K``)."""
GROUPED_INTEGERS = re.compile(r"int([1-8])g([1-9]\d{0,8})")
SCALE_BITS = 16
SHORT_NAME = re.compile(r"^(b?)fp?(?=\d)")
"""How people write float16 and bfloat16: fp16, bf16."""


@lru_cache(maxsize=64)
def blocks_of(name: str) -> Blocks | None:
    """Return the blocks of a format that has them: ``q4_k``, or ``intBgG``, groups of G integers of B bits.

    A group of integers has a scale of 16 bits and a zero of B bits. A row of n has ⌈n/G⌉ groups, as in AutoGPTQ; AWQ
    takes only rows that G divides.

    >>> blocks_of("int4g128")
    Blocks(length=128, bits=20, each=4)
    """
    if name in GGUF_BLOCKS or not (found := GROUPED_INTEGERS.fullmatch(name)):
        return GGUF_BLOCKS.get(name)
    bits, group = map(int, found.groups())
    return Blocks(group, SCALE_BITS + bits, bits)


TRAIN = "train"
RECIPES = ("adam", "mixed", "mixed32", "sgd")
"""Recipes of training, which stand among the formats of ``--dtype`` as ``train=mixed``; the first is the usual one."""


def training_recipe(dtype: str) -> str:
    """Return the recipe of training that is among the formats of ``--dtype``.

    >>> training_recipe("bfloat16, train=mixed"), training_recipe("float16, train.**=int8")
    ('mixed', 'adam')
    """
    return next(iter(recipes_in(dtype)), RECIPES[0])


def recipes_in(dtype: str) -> list[str]:
    """Return the recipes of training that are among the formats of ``--dtype``: none or one, if it is valid."""
    named = (part.partition("=") for part in dtype.split(","))
    return [word.strip() for key, _, word in named if _is_recipe(key, word)]


def _is_recipe(key: str, word: str) -> bool:
    return key.strip() == TRAIN and word.strip() in RECIPES


def bytes_of(elements: Number, dtype: str, stored: int = 64) -> Number:
    """Return the bytes that ``elements`` numbers take: ⌈bits·elements / 8⌉ (int4 packs two in a byte).

    In a format in blocks they are one row. Numbers that are ``stored`` in fewer bits than those of the format keep
    theirs.
    """
    if dtype not in BIT_WIDTHS:
        return ceildiv(row_bits(elements, dtype), 8)
    bits = min(BIT_WIDTHS[dtype], stored)
    return bits // 8 * elements if bits % 8 == 0 else ceildiv(bits * elements, 8)


def row_bits(length: Number, dtype: str) -> Number:
    """Return the bits of ``length`` numbers in a row, in a format that may be in blocks.

    ⌈length/G⌉·bits of a block + length·bits of a number; a row of GGUF is filled up to whole blocks.

    >>> row_bits(200, "int4g128"), row_bits(200, "q8_0"), row_bits(200, "int8")
    (840, 1904, 1600)
    """
    blocks = blocks_of(dtype)
    if blocks is None:
        return BIT_WIDTHS[dtype] * length
    return blocks.bits * ceildiv(length, blocks.length) + blocks.each * length


class NumberFormats(NamedTuple):
    """What ``--dtype`` says: the format of most layers, those of weights and of caches, and exceptions in order."""

    usual: str = USUAL
    weights: str = ""
    cache: str = ""
    exceptions: tuple[tuple[str, str], ...] = ()
    """Globs over paths, each with its format."""

    def of(self, path: str) -> Iterator[str]:
        """Give the formats of a layer by globs, the last one first."""
        from convcalc.paths import matches  # only exceptions need it

        return (name for glob, name in reversed(self.exceptions) if matches(glob, path, "."))

    @property
    def computed_in(self) -> Iterator[str]:
        """The formats that layers compute in; from blocks a matrix is unpacked."""
        return filter(BIT_WIDTHS.get, (self.usual, *(name for _, name in self.exceptions)))


class WeightFormat(NamedTuple):
    """The formats of the weights of one layer."""

    plain: str
    """That of what is no matrix: norms, biases, buffers."""
    matrices: str
    """That of the matrices that multiply."""
    tables: str
    """That of embeddings and of heads of the same shape: in blocks only where a glob names the layer."""


def at_least_32_bits(dtype: str) -> str:
    """Return the format of a number that is never kept in less than 32 bits."""
    return dtype if BIT_WIDTHS[dtype] > 32 else "float32"


@lru_cache(maxsize=64)
def parse_dtype(dtype: str) -> NumberFormats:
    """Parse ``--dtype``: formats with commas between them, each of all layers, or of what stands before its ``=``.

    The recipe of training that may be among them is `training_recipe`'s.

    Examples:
        >>> parse_dtype("float16, stage1.**=int8").exceptions
        (('stage1.**', 'int8'),)
        >>> parse_dtype("weights=int4g128,cache=fp8,bfloat16")
        NumberFormats(usual='bfloat16', weights='int4g128', cache='fp8', exceptions=())

    Raises:
        SpecError: CC704, for an unknown format, two of the same, one in blocks of all layers, and an invalid glob.
    """
    usual, of, exceptions = "", dict.fromkeys((WEIGHTS, CACHE, TRAIN), ""), []
    for part in dtype.split(","):
        what, equals, name = map(str.strip, part.rpartition("="))
        is_recipe = _is_recipe(what, name)
        if not is_recipe:
            _require_format(name, what if equals else None)
        if is_recipe or what in (WEIGHTS, CACHE):
            if of[what] not in ("", name):
                text = f"{what}={of[what]} and {what}={name} exclude each other"
                raise SpecError("CC704", text, hint="give one of them")
            of[what] = name
        elif equals:
            _require_glob(what)
            exceptions.append((what, name))
        elif blocks_of(name):
            text = f"{name} is a format of weights, and not of what layers put out"
            raise SpecError("CC704", text, hint=f"'weights={name},bfloat16'")
        elif usual not in ("", name):
            raise SpecError("CC704", f"{usual} and {name} are both for all layers", hint=f"'weights={name},{usual}'")
        else:
            usual = name
    return NumberFormats(usual or USUAL, of[WEIGHTS], of[CACHE], tuple(exceptions))


def _require_format(name: str, of: str | None) -> None:
    """Demand that a format is one, and that what is before its ``=``, if there is one, is something."""
    if of != "" and (name in BIT_WIDTHS or blocks_of(name)):
        return
    known = (*BIT_WIDTHS, *GGUF_BLOCKS)
    hint = f"known: {', '.join(known)}, int4g128 for groups of 128; for some layers: 'stage1.**=int8'"
    if of == TRAIN or name in RECIPES:
        hint = f"recipes of training are {', '.join(f'{TRAIN}={each}' for each in RECIPES)}; {hint}"
    whole = name if of and name else f"{of or ''}={name}" if of is not None else name
    meant = SHORT_NAME.sub(r"\1float", name.lower())
    near = f"; did you mean {quoted(meant)}?" if meant in known else did_you_mean(name, known)
    raise SpecError("CC704", f"no number format {quoted(whole)}{'' if of == '' else near}", hint=hint)


def _require_glob(glob: str) -> None:
    from convcalc.paths import syntax_error  # only exceptions need it

    if wrong := syntax_error(glob, "."):
        raise SpecError("CC704", f"the glob {quoted(glob)} {wrong}", hint="such as 'stage1.**=int8'")


def dtype_lookup(dtype: str) -> Callable[[str], str]:
    """Return a function from a path to the format of a layer's output: that of the last matching glob, else the usual.

    Formats in blocks are of weights alone and passed over.
    """
    if dtype in BIT_WIDTHS:
        return lambda _: dtype
    formats = parse_dtype(dtype)
    if not formats.exceptions:
        return lambda _: formats.usual
    return lambda path: next(filter(BIT_WIDTHS.get, formats.of(path)), formats.usual)


def weight_lookup(dtype: str) -> Callable[[str], WeightFormat]:
    """Return a function from a path to the formats of weights: by the last matching glob, ``weights=``, the usual."""
    formats = parse_dtype(dtype)
    others = (*filter(None, [formats.weights]), formats.usual)

    def formats_of(path: str) -> WeightFormat:
        named = tuple(formats.of(path)) if formats.exceptions else ()
        plain = next(filter(BIT_WIDTHS.get, (*named, *others)))
        return WeightFormat(plain, (*named, *others)[0], named[0] if named else plain)

    if formats.exceptions:
        return formats_of
    of_all = formats_of("")
    return lambda _: of_all


def cache_lookup(dtype: str) -> Callable[[str], str]:
    """Return a function from a path to the format of a layer's cache: ``cache=``, else that of its output."""
    cache = parse_dtype(dtype).cache
    return (lambda _: cache) if cache else dtype_lookup(dtype)


def differs_by_layer(dtype: str) -> bool:
    """Return whether layers that are equal may have different formats: by their paths, or as the last that multiply."""
    formats = parse_dtype(dtype)
    return bool(formats.exceptions or formats.weights or formats.usual not in BIT_WIDTHS)


def unmatched_globs(dtype: str, paths: Iterable[str]) -> list[str]:
    """Return the globs among the exceptions that no path matches."""
    exceptions = parse_dtype(dtype).exceptions
    if not exceptions:
        return []
    from convcalc.paths import matches

    known = list(paths)
    return [glob for glob, _ in exceptions if not any(matches(glob, path, ".") for path in known)]
