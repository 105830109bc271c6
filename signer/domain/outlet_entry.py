"""One outlet as typed, on a page or in a row of a sheet: what it amounts to, or everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from signer.domain.field_names import FIELDS
from signer.domain.ledger import Ledger
from signer.domain.outlet_choice import OutletFacts
from signer.domain.outlet_entry_texts import ENERGY_NAMES, RULES, SCOPE_NAMES
from signer.domain.parties import Outlet, country_code
from signer.domain.parties import Scope as Service
from signer.domain.places import Place, degrees
from signer.domain.reader import Reader
from signer.domain.values import MOST_LONG_TEXT, MOST_TEXT, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from signer.domain.rule_text import Words
    from signer.domain.vehicle import Energy
    from signer.errors import Finding

Code = TypeVar("Code")

__all__ = ["ENTRY_FIELDS", "MOST_LIST", "Entry", "read_entry", "typed_of"]

ENTRY_FIELDS: Final = (
    "id",
    "country",
    "name",
    "name_local",
    "provider",
    "address",
    "address_local",
    "phone",
    "email",
    "hours",
    "scope",
    "languages",
    "authorised_from",
    "authorised_until",
    "verified_on",
    "latitude",
    "longitude",
    "brands",
    "energies",
)
"""The fields of an outlet in the order of a sheet's columns."""
MOST_LIST = 20
_LONG = ("address", "address_local")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_SEPARATORS = re.compile(r"[;；,，、|\n]+")
_SERVICES: dict[str, Service] = {name: code for code, names in SCOPE_NAMES.items() for name in names}
_ENERGIES: dict[str, Energy] = {name: code for code, names in ENERGY_NAMES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Entry:
    """An outlet, and what is known of it besides."""

    outlet: Outlet
    facts: OutletFacts


def read_entry(
    typed: Mapping[str, str], *, today: date, uncovered: Callable[[str], str]
) -> tuple[Entry | None, tuple[Finding, ...]]:
    """
    Return what was typed as an outlet, or None, and every finding; a pointer is `/` and the field's name.

    `uncovered` returns the first character of a text that no font covers, or ''. There is an outlet exactly if no
    finding is a violation.
    """
    entry = _Entering(typed, today, uncovered)
    outlet = entry.outlet()
    return outlet, entry.findings()


class _Entering:
    """The reading of one entry."""

    def __init__(self, typed: Mapping[str, str], today: date, uncovered: Callable[[str], str]) -> None:
        self._typed = {name: typed.get(name, "")[:2000] for name in ENTRY_FIELDS}
        self._today = today
        self._ledger = Ledger()
        self._reader = Reader(self._ledger, uncovered)
        self._own: list[Finding] = []

    def findings(self) -> tuple[Finding, ...]:
        """Return everything that was noted, each once."""
        return tuple(dict.fromkeys((*self._ledger.in_order(), *self._own)))

    def outlet(self) -> Entry | None:
        """Read every field, and put them together if none is wrong."""
        text = {name: self._text(name) for name in ("name_local", "provider", "address_local", "phone", "hours")}
        name, address = self._text("name", required=True), self._text("address", required=True)
        outlet_id, country, email = self._id(), self._country(), self._email()
        services, languages = self._listed("scope", _SERVICES), self._languages()
        begun, ended, verified = self._days()
        facts = OutletFacts(
            place=self._place(),
            brands=tuple(self._list("brands")),
            energies=tuple(self._listed("energies", _ENERGIES)),
        )
        if begun is None or any(found.severity == "violation" for found in self.findings()):
            return None
        every: tuple[Service, ...] = get_args(Service)
        outlet = Outlet(
            id=outlet_id,
            name=name,
            name_local=text["name_local"] or None,
            provider=text["provider"] or None,
            address=address,
            address_local=text["address_local"] or None,
            phone=text["phone"] or None,
            hours=text["hours"] or None,
            email=email or None,
            country=country,
            scope=tuple(one for one in every if one in services),
            languages=tuple(languages),
            authorised_from=begun,
            authorised_until=ended,
            verified_on=verified,
        )
        return Entry(outlet, facts)

    def _note(self, rule: str, name: str, **said: Words) -> None:
        self._own.append(RULES[rule].at(f"/{name}", **said))

    def _text(self, name: str, *, required: bool = False) -> str:
        most = MOST_LONG_TEXT if name in _LONG else MOST_TEXT
        return self._reader.text(f"/{name}", self._typed[name], most=most, required=required)

    def _id(self) -> str:
        stored = tidy(self._typed["id"]).lower()
        if not _ID.fullmatch(stored):
            self._note("outlet-entry.id", "id")
        return stored

    def _country(self) -> str:
        code = country_code(self._typed["country"][:100])
        if not code or code == "CN":
            self._note("outlet-entry.country", "country", typed=tidy(self._typed["country"]) or "-")
        return code

    def _email(self) -> str:
        stored = self._text("email")
        if stored and not _EMAIL.fullmatch(stored):
            self._note("outlet-entry.email", "email")
        return stored

    def _list(self, name: str) -> list[str]:
        """Return the parts of a list, each once; a text as long as any may be one."""
        parts = dict.fromkeys(filter(None, (tidy(part) for part in _SEPARATORS.split(self._typed[name]))))
        if len(parts) > MOST_LIST:
            self._note("outlet-entry.list", name, field=FIELDS[name], most=str(MOST_LIST))
        found = [self._reader.text(f"/{name}", part) for part in list(parts)[:MOST_LIST]]
        return [part for part in found if part]

    def _listed(self, name: str, known: Mapping[str, Code]) -> list[Code]:
        found: list[Code] = []
        for part in self._list(name):
            if part.casefold() in known:
                found.append(known[part.casefold()])
            else:
                self._note("outlet-entry.word", name, field=FIELDS[name], typed=part)
        return list(dict.fromkeys(found))

    def _languages(self) -> list[str]:
        found = [part.lower() for part in self._list("languages")]
        for part in found:
            if not re.fullmatch(r"[a-z]{2,3}", part):
                self._note("outlet-entry.language", "languages", typed=part)
        return found

    def _day(self, name: str, *, required: bool = False) -> date | None:
        found = _DAY.fullmatch(tidy(self._typed[name]))
        written = f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else self._typed[name]
        return self._reader.day(f"/{name}", written, required=required)

    def _days(self) -> tuple[date | None, date | None, date | None]:
        begun = self._day("authorised_from", required=True)
        ended, verified = self._day("authorised_until"), self._day("verified_on")
        if begun and ended and ended < begun:
            self._note("outlet-entry.until", "authorised_until")
        if verified and verified > self._today:
            self._note("outlet-entry.verified", "verified_on")
        return begun, ended, verified

    def _place(self) -> Place | None:
        try:
            return Place.of(self._typed["latitude"], self._typed["longitude"])
        except ValueError:
            self._note("outlet-entry.place", "latitude")
            return None


def typed_of(outlet: Outlet, facts: OutletFacts, *, words: Callable[[str], str]) -> dict[str, str]:
    """Return an outlet as one would type it; `words` gives what a service or an energy is called."""
    plain = outlet.model_dump(mode="json")
    place = facts.place
    return {
        **{name: str(plain[name]) if plain.get(name) is not None else "" for name in ENTRY_FIELDS},
        "scope": _joined(words(one) for one in outlet.scope),
        "languages": _joined(outlet.languages),
        "latitude": degrees(place.latitude) if place else "",
        "longitude": degrees(place.longitude) if place else "",
        "brands": _joined(facts.brands),
        "energies": _joined(words(one) for one in facts.energies),
    }


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)
