"""The sections of a Darknet file and their options, with their places.

As Darknet reads them: blanks mean nothing, ``#`` and ``;`` begin comments, and of an option that is written twice the
first counts. Here such an option is an error where it is read.
"""

from __future__ import annotations

import re

from convcalc.errors import Source, Span, SpecError, quoted
from convcalc.records import NamedTuple, dataclass, field

MAX_SECTIONS = 10_000
MAX_NUMBER = 10**9
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")


class Option(NamedTuple):
    """The value of an option, and where it is."""

    text: str
    span: Span
    is_repeated: bool = False


@dataclass(eq=False)
class Section:
    """A section: a layer, or the settings of the network."""

    name: str
    span: Span
    options: dict[str, Option] = field(default_factory=dict)

    def text(self, key: str, default: str = "") -> str:
        """Return the value of an option.

        Raises:
            SpecError: CC768, where it is written twice with different values.
        """
        found = self.options.get(key)
        if found is None:
            return default
        if found.is_repeated:
            raise invalid(f"{quoted(key)} is written twice in [{self.name}], with different values", found.span)
        return found.text

    def integer(self, key: str, default: int, least: int = 1) -> int:
        """Return an option that is one integer, at least ``least``.

        Raises:
            SpecError: CC768, where it is something else.
        """
        (number,) = self.integers(key, (default,), least, several=False)
        return number

    def integers(
        self, key: str, default: tuple[int, ...], least: int = -MAX_NUMBER, *, several: bool = True
    ) -> tuple[int, ...]:
        """Return an option that is a list of integers with commas between them."""
        text = self.text(key)
        if not text:
            return default
        words = [word.strip() for word in text.rstrip(", ").split(",")] if several else [text]
        numbers = tuple(int(word) for word in words if _INTEGER.fullmatch(word))
        if len(numbers) != len(words) or not all(least <= number <= MAX_NUMBER for number in numbers):
            form = "a list of integers" if several else f"an integer from {least} to {MAX_NUMBER:,}"
            raise invalid(f"{quoted(key)} must be {form}, not {quoted(text)}", self.options[key].span)
        return numbers

    def flag(self, key: str) -> bool:
        """Whether an option is 1 and not 0, as it is by default."""
        return self.integer(key, 0, 0) != 0

    def refuse(self, *keys: str) -> None:
        """Refuse options that change what a layer computes in a way that is not read.

        Raises:
            SpecError: CC761, for the first that is not 0.
        """
        for key in keys:
            if self.text(key, "0") not in ("0", ""):
                raise SpecError("CC761", f"{quoted(key)} of [{self.name}] is not read", self.options[key].span)


def invalid(text: str, span: Span, hint: str = "") -> SpecError:
    """Return the error for an entry that is not of the format."""
    return SpecError("CC768", text, span, hint=hint)


def not_darknet(span: Span) -> SpecError:
    """Return the error for a file of another format."""
    return SpecError("CC760", "is no Darknet file: its first section must be [net]", span)


def read_sections(source: Source) -> list[Section]:
    """Read all sections, that of the network first.

    Raises:
        SpecError: CC760 for what is no Darknet file, CC768 for a line that is neither a section nor an option, CC503
            for too many sections.
    """
    sections: list[Section] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", source.text), 1):
        text = re.split("[#;]", line, maxsplit=1)[0].strip()
        if not text:
            continue
        span = Span(source, number, line.index(text[0]) + 1, len(text))
        key, equals, value = (each.strip() for each in text.partition("="))
        if text[0] == "[" and text[-1] == "]":
            sections.append(Section(text[1:-1].strip(), span))
        elif not sections:
            raise not_darknet(span)
        elif key and equals:
            _add(sections[-1], key, Option(value, span))
        else:
            raise invalid("a line is a [section], or an option: key=value", span)
    if not sections or sections[0].name not in ("net", "network"):
        raise not_darknet(sections[0].span if sections else Span(source))
    if len(sections) > MAX_SECTIONS:
        raise SpecError("CC503", f"more than {MAX_SECTIONS} layers", sections[MAX_SECTIONS].span)
    return sections


def _add(section: Section, key: str, option: Option) -> None:
    first = section.options.setdefault(key, option)
    if first.text != option.text:
        section.options[key] = option._replace(is_repeated=True)
