"""Errors that people cause: codes, texts, places in source texts, and their format. Nothing is printed here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from convcalc.records import NamedTuple, dataclass, field

MAX_SHOWN_ERRORS = 20
TOKENS = ("seq", "n", "tokens", "seq_len", "seqlen", "sequence_length", "context")
"""What designs and their users call the number of tokens."""
MAX_LINE_WIDTH = 120
MAX_WORD_LENGTH = 60
MAX_TEXT_LENGTH = 1000
MAX_GUESSED_WORD = 100
MAX_SUGGESTIONS = 100
MAX_CANDIDATES = 1000


class Source(NamedTuple):
    """A text that errors point into: a spec file, standard input, a ``--set`` option."""

    name: str
    text: str = ""

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1) without its ending, or nothing past the end."""
        lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""


class Span(NamedTuple):
    """A place in a source: line and column from 1, extent in characters on that line.

    ``line`` 0 means the source as a whole (a missing file, a folder), or a node of a model: nothing can be quoted.
    """

    source: Source
    line: int = 0
    column: int = 0
    extent: int = 1
    node: str = ""
    """The name of a node of an imported model."""

    @property
    def file(self) -> str:
        return self.source.name

    def subspan(self, start: int, end: int) -> Span:
        """Return the part of this span from character ``start`` to ``end``, counted from its beginning."""
        return self._replace(column=self.column + start, extent=max(1, end - start))

    def __str__(self) -> str:
        name = escape(self.file)
        if self.node:
            return f"{name}: {escape(self.node)}"
        return f"{name}:{self.line}:{self.column}" if self.line else name


@dataclass(slots=True, eq=False)
class SpecError(Exception):
    """An error that a person caused and can fix.

    ``code`` is stable and documented by ``convcalc explain CODE``; ``text`` is one sentence; ``span`` is the place to
    fix; ``notes`` are further places, each with a text; ``call_stack`` has the block calls that led there (layer path,
    place of the call), innermost first.
    """

    code: str
    text: str
    span: Span | None = None
    hint: str = ""
    notes: tuple[tuple[Span, str], ...] = ()
    call_stack: tuple[tuple[str, Span], ...] = field(default=())

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        return f"{place}{self.severity} {self.code}: {_cut(escape(self.text), MAX_TEXT_LENGTH)}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields: by default an exception keeps only the arguments of its constructor."""
        return type(self), (self.code, self.text, self.span, self.hint, self.notes, self.call_stack)

    @property
    def severity(self) -> str:
        """CC8nn are warnings: the spec is valid, but something in it is probably a mistake."""
        return "warning" if self.code.startswith("CC8") else "error"

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        return (self.span.file, *self.span[1:3], self.span.node) if self.span else ("", 0, 0, "")


class SpecErrors(Exception):
    """All errors of one stage, sorted by place, each place and code once."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        first: dict[tuple[object, ...], SpecError] = {}
        for error in errors:
            error.__traceback__ = error.__context__ = None  # these keep all local variables alive
            first.setdefault((*error.sort_key, error.code), error)
        self.errors: list[SpecError] = sorted(first.values(), key=lambda error: error.sort_key)
        super().__init__(format_errors(self.errors))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.errors,)


class Undecided(Exception):
    """A plain value is needed and a symbol or an array was given: a count of repeats, a condition, a rank."""

    def __init__(self, needed: str, names: Sequence[str] = ()) -> None:
        self.requirement = needed
        self.names = tuple(names)
        self.argument = ""  # of the op that needed it
        super().__init__(f"{needed} must be a plain value" + (f"; it depends on {', '.join(names)}" if names else ""))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.requirement, self.names)


def escape(text: str) -> str:
    """Escape control, bidirectional and surrogate characters, line ends and unusual spaces: none can deceive."""
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if not character.isprintable():  # of the categories C and Z, but for the blank
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def quoted(text: str) -> str:
    """Quote a word or an expression for a message, cut at 60 characters."""
    return f"'{_cut(escape(text), MAX_WORD_LENGTH)}'"


def _cut(text: str, length: int) -> str:
    return f"{text[: length - 1]}…" if len(text) > length else text


_suggestions_left: ContextVar[int] = ContextVar("guesses left", default=-1)
"""How many more mistakes get suggestions; negative for all of them."""


@contextmanager
def limit_suggestions() -> Iterator[None]:
    """Search suggestions for the first hundred mistakes alone: each search takes time, and 20 errors are shown."""
    token = _suggestions_left.set(MAX_SUGGESTIONS)
    try:
        yield
    finally:
        _suggestions_left.reset(token)


def closest_match(word: str, known: Iterable[str], alike: float = 0.65) -> str:
    """Return the known word most like ``word``, or an empty text; of very many, one with the same first letter."""
    left = _suggestions_left.get()
    if not word or len(word) > MAX_GUESSED_WORD or left == 0:
        return ""
    from difflib import get_close_matches  # costs start-up time, and only mistakes need it

    _suggestions_left.set(left - 1 if left > 0 else left)
    folded = {name.lower(): name for name in sorted(known) if name != word}
    lowered = list(folded)
    if len(lowered) > MAX_CANDIDATES:
        lowered = [name for name in lowered if name[:1] == word[0].lower()][:MAX_CANDIDATES]
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=alike)
    return folded[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` or an empty text, to be appended to a sentence."""
    guess = closest_match(word, known)
    return f"; did you mean {quoted(guess)}?" if guess else ""


def similar_variable(name: str, known: Iterable[str]) -> str:
    """Return ``did_you_mean`` for a variable; the number of tokens is `n` in some designs, and `seq` in others."""
    names = list(known)
    other = next((each for each in names if each in TOKENS), "") if name in TOKENS else ""
    return f"; did you mean {quoted(other)}?" if other else did_you_mean(name, names)


def excerpt(span: Span) -> list[str]:
    """Return the source line and the carets under the span, cut to 120 characters around it."""
    raw = span.source.line(span.line)
    start = max(0, min(span.column - 1, len(raw)))
    left = max(0, min(start - MAX_LINE_WIDTH // 3, len(raw) - MAX_LINE_WIDTH))
    shown = raw[left : left + MAX_LINE_WIDTH]
    head, body = escape(shown[: start - left]), shown[start - left :]
    extent = _cells(escape(body[: span.extent])) or 1
    lead, tail = ("…" if left else ""), ("…" if left + MAX_LINE_WIDTH < len(raw) else "")
    pad = " " * (len(lead) + _cells(head))
    return [f"    {lead}{head}{escape(body)}{tail}", f"    {pad}{'^' * extent}"]


def _cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
        if unicodedata.category(each) not in {"Mn", "Me"}
    )


def format_error(error: SpecError) -> str:
    """Return an error with its source line, carets, further places, block calls and hint."""
    lines = [str(error)]
    if error.span and error.span.line:
        lines += excerpt(error.span)
    for span, text in error.notes:
        lines.append(f"  {span}: {escape(text)}")
        lines += excerpt(span) if span.line else []
    lines += [f"  in {escape(path)} called from {span}" for path, span in error.call_stack]
    if error.hint:
        lines.append(f"  hint: {_cut(escape(error.hint), MAX_TEXT_LENGTH)}")
    return "\n".join(lines)


def format_errors(errors: Sequence[SpecError]) -> str:
    """Return the first 20 errors in full, and the number of the others."""
    lines = [format_error(error) for error in errors[:MAX_SHOWN_ERRORS]]
    if len(errors) > MAX_SHOWN_ERRORS:
        lines.append(f"and {len(errors) - MAX_SHOWN_ERRORS} more")
    return "\n".join(lines)


# --- in Python --------------------------------------------------------------------------------------------------------

_OPTION = re.compile(r"--(lib or CONVCALC_LIB|set|input|variant|symbols|columns|device)\b(?: (\S+=[^\s;]+|\S+$))?")
_ARGUMENTS = {"lib or CONVCALC_LIB": "libraries", "columns": "metrics"}
"""Options whose arguments in Python have other names."""


@contextmanager
def python_errors() -> Iterator[None]:
    """Raise every error as ``SpecErrors``, which name the arguments of functions in place of options."""
    try:
        yield
    except (SpecError, SpecErrors) as raised:
        errors = raised.errors if isinstance(raised, SpecErrors) else [raised]
        for error in errors:
            if error.span and error.span.file.startswith("--"):
                error.span = error.span._replace(source=Source(error.span.file[2:], error.span.source.text))
            error.text, error.hint = _OPTION.sub(_argument, error.text), _OPTION.sub(_argument, error.hint)
        raise SpecErrors(errors) from None


def _argument(option: re.Match[str]) -> str:
    """``--set size=2*k`` → ``set={'size': '2*k'}``, ``--symbols k`` → ``symbols='k'``, ``--set`` → ``set=``."""
    name, example = _ARGUMENTS.get(option[1], option[1]), option[2] or ""
    key, equals, value = example.partition("=")
    return f"{name}={{{key!r}: {value!r}}}" if equals else f"{name}={example and repr(example.strip(chr(39)))}"
