"""The base of reports, comparisons, checks and formulas: they show themselves in a format, printed, in a notebook."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from convcalc.errors import did_you_mean, quoted

if TYPE_CHECKING:
    from convcalc.render import Picture as Picture  # noqa: PLC0414 - for reports and comparisons


class UnknownNameError(ValueError):
    """A column, sort key, grouping, detail or format that there is not."""


def unknown(what: str, word: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error of a word that is none of those known."""
    names = list(known)
    return UnknownNameError(f"unknown {what} {quoted(word)}{did_you_mean(word, names)} (known: {', '.join(names)})")


def words(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return names that are given one by one, or as a text with commas between."""
    return tuple(name.strip() for name in (names.split(",") if isinstance(names, str) else names))


def chosen(what: str, names: str | Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Return names that are given, each once.

    Raises:
        UnknownNameError: for one that is none of those known.
    """
    keys = tuple(dict.fromkeys(words(names)))
    for key in keys:
        if key not in known:
            raise unknown(what, key, known)
    return keys


def require_positive(what: str, value: object) -> None:
    """Demand a positive integer.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what} is a positive integer, not {value!r}")


def listed(value: Any) -> Any:
    """Return a value with tuples for lists, which can be hashed."""
    return tuple(map(listed, value)) if isinstance(value, list | tuple) else value


class Drawn:
    """A result that a format of ``convcalc.render`` shows: as text where it is printed, as HTML in a notebook."""

    __slots__ = ()

    formats: ClassVar[str] = "FORMATS"
    """The name of the formats in ``convcalc.render``."""
    method: ClassVar[str]
    """The function of a format that shows it."""

    def to(self, format: str) -> str:  # noqa: A002 - the word that the command line uses
        """Return it in a format, as the command line writes it into a file.

        Raises:
            UnknownNameError: where there is no such format.
        """
        return self._draw(format)

    def _draw(self, name: str, *more: object, of: object = None) -> str:
        from convcalc import render  # the room above: what is drawn is asked for, never loaded with the numbers

        formats = getattr(render, self.formats)
        if name not in formats:
            raise unknown("format", str(name), formats)
        return str(getattr(formats[name], self.method)(self if of is None else of, *more, render.Surface()))

    def _picture(self, kind: str, **options: Any) -> Picture:
        from convcalc import render

        picture: Picture = getattr(render, f"{self.method}_picture")(self, kind, **options)
        return picture

    def _graph(self, **options: Any) -> Picture:
        from convcalc import render

        picture: Picture = render.graph_picture(self, **options)  # type: ignore[arg-type] # a report
        return picture

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``--json`` writes it."""
        import json

        return json.loads(self.to("json"))  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return self.to("text").rstrip("\n")
