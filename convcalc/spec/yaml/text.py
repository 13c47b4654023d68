"""Reading the text of a spec: bounded, UTF-8, without characters that lie."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.spec.limits import FILE_BYTES

_BAD = r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Control and surrogate characters, line ends that only YAML 1.1 knows, and byte order marks inside the text."""

FIRST_BYTES = 1 << 16
"""Nearly every spec has fewer."""


def read_text(path: str) -> Source:
    """Read a spec from a file, or from standard input for ``-``.

    Raises:
        SpecError: CC001 missing, unreadable or led out of its repository, CC002 a folder, pipe or device, CC003 too
            large, CC004 not UTF-8, CC005 control characters.
    """
    name = "<stdin>" if path == "-" else path
    require_inside_repository(path)
    try:
        with _standard_input() if path == "-" else open(path, "rb") as file:
            data = _read_limited(file)
    except IsADirectoryError:
        raise SpecError("CC002", "is a folder, not a spec", Span(Source(name))) from None
    except FileNotFoundError:
        raise SpecError("CC001", "no such file", Span(Source(name)), hint=similar_file(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError("CC001", f"cannot be read: {reason}", Span(Source(name))) from None
    return decode(data, name)


def _read_limited(file: BinaryIO) -> bytes:
    """Return what a file holds, up to one byte more than it may: to make room for all of that takes long."""
    data = file.read(FIRST_BYTES)
    return data if len(data) < FIRST_BYTES else data + file.read(FILE_BYTES + 1 - FIRST_BYTES)


def require_inside_repository(path: str) -> None:
    """Of what lies in a repository, let only its own plain files be read: errors show lines, and a pipe never ends.

    A repository may come from a stranger. What lies in none is read whatever it is, such as ``/dev/stdin``.

    Raises:
        SpecError: CC001 a link out of the repository, CC002 a pipe or a device.
    """
    try:
        there, real = os.path.abspath(path), os.path.realpath(path)
        is_plain = stat.S_ISREG(os.stat(real).st_mode) or os.path.isdir(real)
    except (OSError, ValueError):  # reading it says what is wrong
        return
    if there == real and is_plain:
        return
    from convcalc.paths import is_inside, repository_root  # costs start-up time

    top = repository_root(os.path.dirname(there))
    if top is None:
        return
    if not is_inside(real, os.path.realpath(top)):
        text = f"leads out of its repository, to {quoted(real)}"
        raise SpecError("CC001", text, Span(Source(path)), "name the file that it leads to, or copy it")
    if not is_plain:
        raise SpecError("CC002", "is a pipe or a device, not a file", Span(Source(path)))


def _standard_input() -> AbstractContextManager[BinaryIO]:
    """Return standard input, to be left open."""
    if sys.stdin is None:
        raise OSError("it is closed")
    if hasattr(sys.stdin, "buffer"):
        return nullcontext(sys.stdin.buffer)
    return nullcontext(io.BytesIO(sys.stdin.read(FILE_BYTES + 1).encode("utf-8", "surrogatepass")))


def decode(data: bytes, name: str) -> Source:
    """Turn the bytes of a spec into text, with or without one byte order mark."""
    whole = Span(Source(name))
    _require_small(len(data), whole)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SpecError("CC004", "is UTF-16, not UTF-8; save it as UTF-8", whole)
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = Source(name, data[: error.start].decode("utf-8", "replace"))
        line, column = _line_and_column(before.text, len(before.text))
        raise SpecError("CC004", f"is not UTF-8: byte 0x{data[error.start]:02x}", Span(before, line, column)) from None
    return reject_control_characters(Source(name, text))


def validate_text(source: Source) -> Source:
    """Take a text that was not read from a file by the same rules: limited, perhaps with a byte order mark."""
    source = reject_control_characters(source._replace(text=source.text.removeprefix("\ufeff")))
    _require_small(len(source.text) if source.text.isascii() else len(source.text.encode()), Span(Source(source.name)))
    return source


def _require_small(size: int, whole: Span) -> None:
    if size > FILE_BYTES:
        raise SpecError("CC003", f"is larger than the limit of {FILE_BYTES} bytes (1 MiB)", whole)


def reject_control_characters(source: Source) -> Source:
    """Refuse a text with characters that a reader would not see as they are."""
    if source.text.replace("\n", "").isprintable():
        return source
    unusual = {character for character in set(source.text) if not character.isprintable()} - {"\t", "\n", "\r"}
    bad = re.search(_BAD, source.text) if unusual else None  # it takes longer to compile than a spec to read
    if bad:
        line, column = _line_and_column(source.text, bad.start())
        raise SpecError("CC005", f"control character U+{ord(bad[0]):04X} is not allowed", Span(source, line, column))
    return source


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of an offset; lines end with LF, CRLF or CR."""
    lines = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def similar_file(path: str) -> str:
    """Return a hint with the file that the name of a missing one may mean: a spec, or one with its ending."""
    from convcalc.errors import closest_match

    folder, name = os.path.split(path)
    try:
        endings = (".yaml", ".yml", os.path.splitext(name)[1] or ".yaml")
        names = [entry for entry in os.listdir(folder or ".") if entry.endswith(endings) and entry != name]
    except OSError:
        return ""
    stems = {os.path.splitext(entry)[0]: entry for entry in names[:1000]}  # equal endings make no name alike
    stem = os.path.splitext(name)[0]
    guess = stem if stem in stems else closest_match(stem, stems)
    return f"did you mean {os.path.join(folder, stems[guess])}?" if guess else ""
