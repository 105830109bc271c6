"""
Judge the file of a batch: read as a whole before anything is approved, by the rules of issuing and nothing else.

What every confirmation of the file is judged against is gathered once, what the register knows of vehicles in pieces.
The file's rows pass by: what stays are the items that it amounts to, or what is wrong with it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from signer.domain import content as encoding
from signer.domain import rules
from signer.domain.batch_findings import Telling, placed_in_file
from signer.domain.batch_grouping import grouped
from signer.domain.batch_lane import lane_key
from signer.domain.columns import LOOKED_AT, find_header, read_rows
from signer.domain.confirmation import Draft, DraftCommitment
from signer.domain.importing import Report, draft_of, said_of, sheet_row
from signer.domain.sheet_rules import finding, refused
from signer.domain.table import address
from signer.domain.vehicle import vin_fault
from signer.domain.vehicle_columns import VEHICLE_COLUMNS
from signer.errors import RuleViolation
from signer.register import confirmations, imports, jobs, parties, production
from signer.services.gathering import Asking, Gathering, exporter_of, usable_seal
from signer.services.importing import promised
from signer.sheets import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from signer.domain.batch_grouping import Group
    from signer.domain.circumstances import Circumstances
    from signer.domain.columns import Header
    from signer.domain.confirmation import Terms
    from signer.domain.importing import SheetRow
    from signer.domain.number import Number
    from signer.domain.parties import Exporter, Uscc
    from signer.domain.table import Row, Table
    from signer.register.database import Database
    from signer.services.engines import Page, SealBox

__all__ = ["BatchJudging", "Judged", "Outcome", "Wanted"]

_AT_ONCE: Final = 500
"""Rows of which the register is asked in one question."""
_TOLD_EVERY: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What a file is to become: whose confirmations, prepared by whom, of at most how many vehicles each.

    Without a commitment it is that of the manufacturer's last draft, as for drafts of a sheet.
    """

    maker: Uscc
    preparer: str
    size: int
    commitment: DraftCommitment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """
    One confirmation to be: its place in the file (from 1), and the lane of its page (at most 80 characters).

    `rows` are the file's, `draft` is what issuing will be asked for, `terms` and `terms_digest` (32 bytes) are what
    that amounts to now.
    """

    place: int
    lane: str
    rows: tuple[int, ...]
    draft: Draft
    terms: Terms
    terms_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is told of a file, how many vehicles it has, and whether anything in it forbids to go on."""

    report: Report
    vehicles: int
    is_faulty: bool


class BatchJudging:
    """Judges files of batches against the register as it is; writes nothing."""

    def __init__(self, *, database: Database, page: Page, seals: SealBox) -> None:
        self._database = database
        self._gathering = Gathering(page=page, seals=seals)

    def judge(
        self,
        data: bytes,
        wanted: Wanted,
        put: Callable[[Judged], None],
        *,
        at: datetime,
        elsewhere: Mapping[str, str],
        tell: Callable[[str], None] = jobs.unheard,
    ) -> Outcome:
        """
        Put each confirmation that a file amounts to, and return what is told of the file; one that is none is faulty.

        They come as they are full, not in the order of their places. If the file is faulty, what was put counts for
        nothing. `elsewhere` are vehicles of other batches that are not over, with what these are called. NotFound.
        """
        try:
            table, rows = reading.stream(data)
            first = tuple(islice(rows, LOOKED_AT + 1))
            if not first:
                raise refused("sheet.empty")
            header = find_header(table.model_copy(update={"rows": first}), VEHICLE_COLUMNS)
            file = _File(table, header, self._given(wanted, at), put)
            for group in grouped(self._rows(file, chain(first, rows), elsewhere, tell), wanted.size):
                file.judge(group)
        except RuleViolation as error:
            said = said_of(error.violations, (), {})
            return Outcome(report=Report(said=said, count=len(said)), vehicles=0, is_faulty=True)
        self._note_drafted(file)
        return Outcome(report=file.telling.report(), vehicles=file.vehicles, is_faulty=file.telling.is_faulty)

    def _given(self, wanted: Wanted, at: datetime) -> _Given:
        with self._database.read() as tx:
            tenant = parties.tenant(tx, wanted.maker)
            asking = Asking(tenant=tenant, preparer=wanted.preparer)
            seal = usable_seal(tx, tenant, at=at)
            given = self._gathering.circumstances(tx, Draft(), asking, seal=seal, at=at)
            last = promised(tx, {wanted.maker}).get(wanted.maker)
        commitment = wanted.commitment or last or DraftCommitment()
        remembering = lru_cache(maxsize=_AT_ONCE)(given.uncovered)
        return _Given(tenant=tenant, commitment=commitment, whole=replace(given, uncovered=remembering))

    def _rows(
        self,
        file: _File,
        rows: Iterator[Row],
        elsewhere: Mapping[str, str],
        tell: Callable[[str], None],
    ) -> Iterator[SheetRow]:
        """Yield the vehicles of a file, once everything is known of them that the rules ask for."""
        while piece := tuple(islice(rows, _AT_ONCE)):
            found = file.take(piece)
            vins = {row.vin for row in found if not vin_fault(row.vin)}
            usccs = {row.exporter for row in found} - file.given.exporters.keys()
            scope = file.given.tenant.scope
            with self._database.read() as tx:
                file.given.live.update(confirmations.claims_of(tx, vins, scope=scope))
                file.given.built.update(production.known(tx, vins, scope=scope) or ())
                file.given.exporters.update((typed, exporter_of(tx, typed)) for typed in usccs)
            file.note_elsewhere(elsewhere, found)
            if file.vehicles // _TOLD_EVERY != (file.vehicles - len(found)) // _TOLD_EVERY:
                tell(f"{file.vehicles} vehicles")
            yield from found

    def _note_drafted(self, file: _File) -> None:
        with self._database.read() as tx:
            file.note_drafted(imports.drafted(tx, file.first_rows, scope=file.given.tenant.scope))


@dataclass(slots=True, kw_only=True)
class _Given:
    """What the vehicles of one file are judged against; what is known of each of them is added as the file goes by."""

    tenant: parties.Tenant
    commitment: DraftCommitment
    whole: Circumstances
    exporters: dict[str, Exporter | None] = field(default_factory=dict)
    live: dict[str, Number] = field(default_factory=dict)
    built: set[str] = field(default_factory=set)

    def of(self, group: Group) -> Circumstances:
        """Return the circumstances of one confirmation: exactly those that issuing would gather."""
        vins = [row.vin for row in group.rows]
        is_kept = self.whole.production is not None
        return replace(
            self.whole,
            exporter=self.exporters[group.rows[0].exporter],
            live={vin: self.live[vin] for vin in vins if vin in self.live},
            production=frozenset(vin for vin in vins if vin in self.built) if is_kept else None,
        )


class _File:
    """One file on its way: its rows pass, and what it amounts to is put; what is told of it stays."""

    def __init__(self, table: Table, header: Header, given: _Given, put: Callable[[Judged], None]) -> None:
        self.header = header
        self.given = given
        self.telling = Telling(header.titles, header.places)
        self.telling.note_cells(header.findings, {})
        self.first_rows: dict[str, int] = {}
        self.vehicles = 0
        self._table = table
        self._put = put

    def take(self, piece: tuple[Row, ...]) -> list[SheetRow]:
        """Return the vehicles of some rows, and note what is wrong with their cells, and which VIN stands twice."""
        rows = read_rows(self._table.model_copy(update={"rows": piece}), self.header, VEHICLE_COLUMNS)
        maker = {"maker": str(self.given.tenant.manufacturer.uscc)}
        found = [sheet_row(row).model_copy(update=maker) for row in rows]
        noted = [each for row in rows for each in row.findings]
        for row in found:
            first = self.first_rows.setdefault(row.vin, row.row)
            if row.vin and first != row.row:
                noted.append(finding("vin.twice", self._vin_of(row.row), row=f"{first}"))
        if noted:
            self.telling.note_cells(noted, {row.number: [cell.text for cell in row.cells] for row in piece})
        self.vehicles += len(found)
        return found

    def note_elsewhere(self, batches: Mapping[str, str], rows: Iterable[SheetRow]) -> None:
        """Note which vehicles stand in another batch."""
        known = [row for row in rows if row.vin in batches]
        found = [finding("vin.batched", self._vin_of(row.row), batch=batches[row.vin]) for row in known]
        self.telling.note_rules(found, known)

    def note_drafted(self, drafts: Mapping[str, str]) -> None:
        """Note which vehicles stand in a draft."""
        for vin, draft in drafts.items():
            self.telling.note_cells([finding("vin.drafted", self._vin_of(self.first_rows[vin]), draft=draft)], {})

    def judge(self, group: Group) -> None:
        """Judge one confirmation as issuing will, and put it unless something is wrong with the file."""
        draft = draft_of(group.rows, self.given.tenant.manufacturer.legal_name, self.given.commitment)
        terms, found = rules.judge(draft, self.given.of(group))
        self.telling.note_rules(placed_in_file(found, group.rows, self.header.places), group.rows)
        if terms is None or self.telling.is_faulty:
            return
        rows = tuple(row.row for row in group.rows)
        digest = encoding.terms_digest(terms)
        lane = _lane(terms)
        self._put(Judged(place=group.place, lane=lane, rows=rows, draft=draft, terms=terms, terms_digest=digest))

    def _vin_of(self, row: int) -> str:
        return address(row, self.header.places["vin"])


def _lane(terms: Terms) -> str:
    """Return a text for the page's lane, in which those of one language lie side by side."""
    digest = hashlib.sha256("\0".join(lane_key(terms)).encode()).hexdigest()[:16]
    return f"{terms.template.version} {' '.join(terms.template.languages)} {digest}"
