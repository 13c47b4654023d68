"""The entries of a budget file, read: budgets and waivers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from convcalc.budget.file.conditions import CONDITIONS, conditions
from convcalc.budget.file.consistency import _senseless
from convcalc.budget.file.fields import FORM, Fields, choice, fields, word
from convcalc.budget.file.rules import RULES, growth, limits, ratchet, share
from convcalc.budget.file.selectors import GLOB, design, designs, layers, one_design
from convcalc.budget.file.types import OFF, PER, SEVERITIES, Against, Budget, Pattern, Waiver
from convcalc.errors import Span, SpecError, did_you_mean, escape, quoted
from convcalc.spec.document.value_nodes import gathering
from convcalc.spec.yaml.nodes import Node, Scalar

QUANTITY, WAIVER, ID = "CC633", "CC635", "CC636"

SETTINGS = ("severity", "unmatched", "loose_below")

KEYS = ("id", "note", "designs", "layers", "per", *RULES, "against", *CONDITIONS, *SETTINGS)

WAIVED = ("budget", "design", "until", "reason")

LONGEST_ID = 200
"""Characters."""

SHOWN_IDS = 10

CLAIM = "claim:"
"""Ids of claims begin so."""

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class Settings(NamedTuple):
    """What ``defaults`` may say for all budgets, and each budget for itself."""

    severity: str = "error"
    unmatched: str = "error"
    loose_below: Fraction | None = None


def settings(given: Fields, inherited: Settings, errors: list[SpecError]) -> Settings:
    """Read what is said; the rest is inherited."""
    with gathering(errors):
        if "severity" in given:
            inherited = inherited._replace(severity=choice(given["severity"][1], "severity", SEVERITIES))
    with gathering(errors):
        if "unmatched" in given:
            inherited = inherited._replace(unmatched=choice(given["unmatched"][1], "unmatched", (*SEVERITIES, OFF)))
    with gathering(errors):
        if "loose_below" in given:
            inherited = inherited._replace(loose_below=_loose(word(given["loose_below"][1], "loose_below")))
    return inherited


def _loose(given: Scalar) -> Fraction | None:
    if given.text == OFF:
        return None
    value = share(given, "loose_below")
    if value > 1:
        text = f"{quoted(given.text)} of a limit would be loose always"
        raise SpecError(QUANTITY, text, given.span, hint=f"at most 100%, or {OFF}")
    return value


@dataclass(slots=True)
class Entries:
    """Reads budgets and waivers; what is wrong is gathered, and what can be read of the rest is read."""

    folder: str
    errors: list[SpecError]
    ids: dict[str, Scalar] = field(default_factory=dict)
    """Where each id first stands."""

    # --- budgets ------------------------------------------------------------------------------------------------------

    def budget(self, node: Node, inherited: Settings) -> Budget | None:
        """Read one budget."""
        with gathering(self.errors):
            given = fields(node, "a budget", KEYS, self.errors)
            before = len(self.errors)
            id_, span = self._id(given, node)
            self._note(given)
            found = Budget(id_, span, self._designs(given), **settings(given, inherited, self.errors)._asdict())
            found = self._ruled(found, given)
            if "layers" in given:
                found = found._replace(layers=layers(*given["layers"], self.errors))
            with gathering(self.errors):
                if "per" in given:
                    found = found._replace(per=choice(given["per"][1], "per", PER))
            with gathering(self.errors):
                if "against" in given:
                    other = word(given["against"][1], "against")
                    found = found._replace(against=Against(one_design(other, self.folder), other.span))
            found = found._replace(conditions=conditions(given, self.folder, self.errors))
            if len(self.errors) == before:
                self._require_whole(found)
                self.errors += _senseless(found, given)
            return found
        return None

    def _ruled(self, budget: Budget, given: Fields) -> Budget:
        errors = self.errors
        return budget._replace(
            max=limits(given["max"][1], "max", errors) if "max" in given else (),
            min=limits(given["min"][1], "min", errors) if "min" in given else (),
            equals=limits(given["equals"][1], "equals", errors) if "equals" in given else (),
            growth=growth(given["growth"][1], errors) if "growth" in given else (),
            ratchet=ratchet(*given["ratchet"], errors) if "ratchet" in given else None,
        )

    def _designs(self, given: Fields) -> tuple[Pattern, ...]:
        return designs(given["designs"][1], self.folder, self.errors) if "designs" in given else ()

    def _note(self, given: Fields) -> None:
        with gathering(self.errors):
            if "note" in given:
                word(given["note"][1], "note")

    def _require_whole(self, budget: Budget) -> None:
        """Say what a budget lacks."""
        name = quoted(budget.id)
        lacks = [] if budget.designs else ["`designs`"]
        if not (budget.max or budget.min or budget.equals or budget.growth or budget.ratchet):
            lacks.append(f"a rule: one of {', '.join(RULES)}")
        if lacks:
            hint = "such as designs: [models/**/*.yaml] and max: {params: 5M}"
            self.errors.append(SpecError(FORM, f"the budget {name} needs {' and '.join(lacks)}", budget.span, hint))

    def _id(self, given: Fields, node: Node) -> tuple[str, Span]:
        """Return an id in its normal form (NFC) and its place; the budget's place where there is none."""
        with gathering(self.errors):
            if "id" not in given:
                raise SpecError(
                    FORM, "a budget needs `id`, by which outputs name it", node.span, hint="such as id: edge"
                )
            written = word(given["id"][1], "id")
            id_ = unicodedata.normalize("NFC", written.text)
            first = self.ids.setdefault(id_, written)
            self._require_id(id_, written)
            if first is not written:
                text = f"the id {quoted(id_)} is taken, first on line {first.span.line}"
                raise SpecError(ID, text, written.span, notes=((first.span, "first here"),))
            return id_, written.span
        return "", node.span

    def _require_id(self, id_: str, written: Scalar) -> None:
        if len(id_) > LONGEST_ID:
            raise SpecError(ID, f"the id {quoted(id_)} is longer than {LONGEST_ID} characters", written.span)
        if escape(id_) != id_ or id_ != id_.strip():
            rule = "is one line of printable text without blanks at its ends"
            raise SpecError(ID, f"an id {rule}, and {quoted(id_)} is not", written.span)
        if id_.startswith(CLAIM):
            raise SpecError(ID, f"ids that begin with {CLAIM} are those of claims: {quoted(id_)}", written.span)

    # --- waivers ------------------------------------------------------------------------------------------------------

    def waiver(self, node: Node) -> Waiver | None:
        """Read one waiver, when all budgets have been read."""
        with gathering(self.errors):
            given = fields(node, "a waiver", WAIVED, self.errors)
            lacks = [key for key in WAIVED if key not in given or _is_blank(given[key][1])]
            if lacks:
                text = f"a waiver needs {' and '.join(f'`{key}`' for key in lacks)}"
                raise SpecError(WAIVER, text, node.span, hint="who waives says why, and until which day: YYYY-MM-DD")
            budget, until = self._waived(word(given["budget"][1], "budget")), self._day(given["until"][1])
            reason = word(given["reason"][1], "reason").text.strip()
            pattern = design(word(given["design"][1], "design"), self.folder)
            if pattern.excludes:
                raise SpecError(GLOB, "a waiver says which design it covers, not which it does not", pattern.span)
            return Waiver(budget, pattern, until, reason, node.span) if until else None
        return None

    def _waived(self, given: Scalar) -> str:
        id_ = unicodedata.normalize("NFC", given.text)
        if id_ not in self.ids:
            text = f"no budget has the id {quoted(id_)}{did_you_mean(id_, self.ids)}"
            known = ", ".join(map(quoted, list(self.ids)[:SHOWN_IDS]))
            self.errors.append(SpecError(WAIVER, text, given.span, hint=f"budgets of this file: {known}"))
        return id_

    def _day(self, node: Node) -> date | None:
        with gathering(self.errors):
            given = word(node, "until")
            found = _DAY.fullmatch(given.text)
            hint = "year, month, day: 2030-12-31"
            if not found:
                raise SpecError(WAIVER, f"{quoted(given.text)} is not a day as YYYY-MM-DD", given.span, hint=hint)
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                text = f"there is no day {quoted(given.text)}"
                raise SpecError(WAIVER, text, given.span, hint=hint) from None
        return None


def _is_blank(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.text.strip()
