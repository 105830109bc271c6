"""Outlets by spreadsheet: a template, the present list, and a list handed in, whose changes are shown first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signer.domain.outlet_changes import Changes, TypedRow, changes_of, closed_entry
from signer.domain.outlet_entry import ENTRY_FIELDS, typed_of
from signer.domain.outlet_sheet import COLUMNS, columns_of, refused, title, word
from signer.domain.table import CellKind, letters
from signer.domain.values import beijing_day
from signer.errors import Conflict
from signer.register import imports, outlet_lists, parties
from signer.register.drafts import nothing
from signer.services import queues
from signer.services.outlets import entries_of, note, save
from signer.sheets import reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.outlet_entry import Entry
    from signer.domain.table import Table
    from signer.register.database import Database
    from signer.register.drafts import Also
    from signer.register.outlet_lists import OutletList
    from signer.services.room import Room

_MOST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A list with what it would change now; `columns` gives the letter of each field's column."""

    ref: str
    file_name: str
    state: str
    is_whole: bool
    columns: dict[str, str]
    changes: Changes


class OutletLists:
    """Lists of outlets in and out."""

    def __init__(
        self,
        *,
        database: Database,
        room: Room,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
        uncovered: Callable[[str], str],
    ) -> None:
        self._database = database
        self._room = room
        self._clock = clock
        self._bits = bits
        self._uncovered = uncovered

    def sheet(self, maker: str, language: str, *, form: str, is_empty: bool = False) -> bytes:
        """Return the open outlets as a sheet (`xlsx` or `csv`) in the layout that is read; without rows, a template."""
        with self._database.read() as tx:
            entries = () if is_empty else tuple(entries_of(tx, parties.tenant(tx, maker)).values())
        rows = tuple(_row(entry, language) for entry in entries if entry.facts.closed_on is None)
        made = writing.Sheet(
            name="网点清单" if language == "zh" else "Outlets",
            headings=tuple(writing.Heading(title=title(one.field, language), width=one.width) for one in COLUMNS),
            rows=rows,
        )
        return writing.to_csv(made) if form == "csv" else writing.to_xlsx(made)

    def hand_in(self, maker: str, name: str, data: bytes, *, is_whole: bool, by: str, also: Also = nothing) -> str:
        """
        Read a list and keep what it says; return its ref. Nothing is changed yet; `also` goes with it.

        Raises RuleViolation if it is none, StorageLow, QueueFull.
        """
        self._room.refuse_low()
        table = reading.read(data)
        columns, rows = _typed(table)
        at, ref = self._clock(), f"{self._bits(64):016x}"
        plan = {"is_whole": is_whole, "columns": columns, "rows": [[row.number, dict(row.typed)] for row in rows]}
        made = outlet_lists.OutletList(
            ref=ref,
            file_name=name[:_MOST_NAME],
            file_digest=hashlib.sha256(data).digest(),
            state="read",
            rows=len(rows),
            plan=json.dumps(plan, ensure_ascii=False),
            created_at=at,
        )
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            queues.refuse_full("sheets", imports.count(tx, "read", since=at - queues.KEPT, scope=tenant.scope))
            outlet_lists.add(tx, made, scope=tenant.scope, by=by)
            note(tx, tenant, "outlet-list.read", by=by, subject=ref, at=at, rows=str(len(rows)))
            also(tx, ref)
        return ref

    def show(self, maker: str, ref: str) -> Shown:
        """Return what a list would change as things are now. NotFound."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            found = outlet_lists.get(tx, ref, scope=tenant.scope)
            return self._shown(found, entries_of(tx, tenant))

    def apply(self, maker: str, ref: str, *, digest: str, by: str, also: Also = nothing) -> Changes:
        """
        Make the changes that were shown, all in one transaction, and return them; applied again, it changes nothing.

        `digest` is that of the changes as shown; `also` goes with them. Raises NotFound; Conflict if they are others by
        now, or a row is wrong.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            found = outlet_lists.get(tx, ref, scope=tenant.scope)
            if found.state != "read":
                return Changes()
            changes = self._shown(found, entries_of(tx, tenant)).changes
            if changes.wrong or changes.digest != digest:
                raise Conflict("what this list would change is not what was shown")
            today = beijing_day(at)
            for change in (*changes.added, *changes.changed):
                save(tx, tenant, change.entry, at=at)
            for entry in changes.closed:
                save(tx, tenant, closed_entry(entry, max(today, entry.outlet.authorised_from)), at=at)
                note(tx, tenant, "outlet.closed", by=by, subject=entry.outlet.id, at=at, reason=f"list {ref}")
            outlet_lists.end(tx, ref, "done", scope=tenant.scope, at=at)
            counts = {
                "added": str(len(changes.added)),
                "changed": str(len(changes.changed)),
                "closed": str(len(changes.closed)),
            }
            note(tx, tenant, "outlet-list.applied", by=by, subject=ref, at=at, **counts)
            also(tx, ref)
        return changes

    def drop(self, maker: str, ref: str, *, by: str) -> None:
        """Drop a list that is not wanted. NotFound."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            if outlet_lists.get(tx, ref, scope=tenant.scope).state == "read":
                outlet_lists.end(tx, ref, "dropped", scope=tenant.scope, at=at)
                note(tx, tenant, "outlet-list.dropped", by=by, subject=ref, at=at)

    def _shown(self, found: OutletList, present: dict[str, Entry]) -> Shown:
        plan = json.loads(found.plan)
        rows = tuple(TypedRow(number, typed) for number, typed in plan["rows"])
        today: date = beijing_day(self._clock())
        is_whole = plan["is_whole"]
        changes = changes_of(rows, present, is_whole=is_whole, today=today, uncovered=self._uncovered)
        return Shown(
            ref=found.ref,
            file_name=found.file_name,
            state=found.state,
            is_whole=is_whole,
            columns=plan["columns"],
            changes=changes if found.state == "read" else replace(changes, wrong=()),
        )


def _row(entry: Entry, language: str) -> tuple[str, ...]:
    typed = typed_of(entry.outlet, entry.facts, words=lambda code: word(code, language))
    return tuple(typed[name] for name in ENTRY_FIELDS)


def _typed(table: Table) -> tuple[dict[str, str], tuple[TypedRow, ...]]:
    """Return the letter of each field's column, and the rows below the headers. RuleViolation."""
    head, *below = table.rows
    places = columns_of([cell.text for cell in head.cells])
    rows = []
    for row in below:
        cells = {name: row.cell(place) for name, place in places.items()}
        bad = next((name for name, cell in cells.items() if cell.kind is CellKind.ERROR), None)
        if bad is not None:
            raise refused("outlet-list.error", cell=f"{letters(places[bad])}{row.number}")
        rows.append(TypedRow(row.number, {name: cell.text for name, cell in cells.items()}))
    if not rows:
        raise refused("outlet-list.empty")
    return {name: letters(place) for name, place in places.items()}, tuple(rows)
