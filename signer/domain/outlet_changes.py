"""What a list of outlets would change: added, changed field by field, closed; judged before anything is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signer.domain import outlet_choice
from signer.domain.outlet_entry import ENTRY_FIELDS, Entry, read_entry, typed_of
from signer.domain.outlet_entry_texts import RULES
from signer.domain.values import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from signer.errors import Finding

__all__ = ["Change", "Changes", "TypedRow", "WrongCell", "changes_of"]


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row of a sheet: its number as on the screen, and what stands in the columns that the sheet has."""

    number: int
    typed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WrongCell:
    """One thing that is wrong with a row; `field` is the column's name."""

    row: int
    field: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Change:
    """An outlet as it will be, and each field that differs: name, before, after. A new one has no `before`."""

    entry: Entry
    fields: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that a list would do; `closed` are the outlets that it no longer names, as they are now."""

    added: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    closed: tuple[Entry, ...] = ()
    same: int = 0
    wrong: tuple[WrongCell, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would change."""
        return not (self.added or self.changed or self.closed)

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of what would change: what was shown is what is applied, or nothing is."""
        told = {
            "added": [_plain(change.entry) for change in self.added],
            "changed": [[change.entry.outlet.id, change.fields] for change in self.changed],
            "closed": [entry.outlet.id for entry in self.closed],
        }
        return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def changes_of(
    rows: Sequence[TypedRow],
    present: Mapping[str, Entry],
    *,
    is_whole: bool,
    today: date,
    uncovered: Callable[[str], str],
) -> Changes:
    """
    Compare a list with the outlets of a manufacturer; columns that the list lacks stay as they are.

    `is_whole`: the list names every outlet of each country in it, so that an open one which is missing is closed.
    Nothing is told to be closed while a row is wrong: it may be the one that is missing.
    """
    wrong: list[WrongCell] = []
    entries: dict[str, Entry] = {}
    first: dict[str, int] = {}
    for row in rows:
        known = present.get(tidy(row.typed.get("id", "")).lower())
        entry, findings = _read(row, known, today, uncovered)
        wrong += [WrongCell(row.number, _field(one), one) for one in findings if one.severity == "violation"]
        if entry is None:
            continue
        outlet_id = entry.outlet.id
        if outlet_id in first:
            twice = RULES["outlet-entry.twice"].at("/id", id=outlet_id, row=str(first[outlet_id]))
            wrong.append(WrongCell(row.number, "id", twice))
        else:
            first[outlet_id], entries[outlet_id] = row.number, entry
    closed = _missing(entries, present) if is_whole and not wrong else ()
    told = [(entry, differences(present[key], entry) if key in present else None) for key, entry in entries.items()]
    return Changes(
        added=tuple(Change(entry) for entry, fields in told if fields is None),
        changed=tuple(Change(entry, fields) for entry, fields in told if fields),
        closed=closed,
        same=sum(fields == () for _, fields in told),
        wrong=tuple(wrong),
    )


def differences(before: Entry, after: Entry) -> tuple[tuple[str, str, str], ...]:
    """Return each field that differs, as one would type it: name, before, after; being open again is one too."""
    old, new = _plain(before), _plain(after)
    closed = (str(before.facts.closed_on or ""), str(after.facts.closed_on or ""))
    found = [(name, old[name], new[name]) for name in ENTRY_FIELDS if old[name] != new[name]]
    return (*found, *((("closed_on", *closed),) if closed[0] != closed[1] else ()))


def closed_entry(entry: Entry, on: date) -> Entry:
    """Return an outlet that is closed from a day on."""
    return Entry(outlet_choice.closed(entry.outlet, on), replace(entry.facts, closed_on=on))


def _read(
    row: TypedRow, known: Entry | None, today: date, uncovered: Callable[[str], str]
) -> tuple[Entry | None, tuple[Finding, ...]]:
    typed = {**(_plain(known) if known else {}), **row.typed}
    return read_entry(typed, today=today, uncovered=uncovered)


def _field(finding: Finding) -> str:
    return finding.pointer.removeprefix("/")


def _missing(entries: Mapping[str, Entry], present: Mapping[str, Entry]) -> tuple[Entry, ...]:
    countries = {entry.outlet.country for entry in entries.values()}
    return tuple(
        entry
        for key, entry in sorted(present.items())
        if key not in entries and entry.outlet.country in countries and entry.facts.closed_on is None
    )


def _plain(entry: Entry) -> dict[str, str]:
    return typed_of(entry.outlet, entry.facts, words=str)
