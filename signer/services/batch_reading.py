"""Read a batch's file: rows in, items out, each judged by the rules of issuing as the confirmation that it would be."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import content as encoding
from signer.domain import rules
from signer.domain.batch import BatchReport, Sample, Summary, failure, failure_of
from signer.domain.confirmation import DraftCommitment
from signer.domain.importing import draft_of, read_plan
from signer.domain.values import tidy
from signer.domain.vehicle_columns import VEHICLE_COLUMNS
from signer.errors import RuleViolation
from signer.register import batch_items
from signer.register.batch_items import NewItem
from signer.services.gathering import Asking, Gathering, usable_seal
from signer.services.importing import promised
from signer.services.sheet_judging import SheetJudging
from signer.sheets import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from signer.domain.confirmation import Draft, Terms
    from signer.domain.importing import SheetRow
    from signer.register.database import Database, Transaction
    from signer.register.parties import Tenant
    from signer.services.engines import Page, SealBox

CHUNK = 200
"""Items that are put into the register in one transaction."""
_SAMPLES = 5
_MOST_COUNTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is to be read: a file of a manufacturer's, handed in by a person, in groups of at most `size` vehicles."""

    batch_id: int
    data: bytes
    file_name: str
    size: int
    tenant: Tenant
    person: str
    at: datetime


class BatchReading:
    """Reads the files of batches; what they come to is put as it is found."""

    def __init__(self, *, database: Database, page: Page, seals: SealBox) -> None:
        self._database = database
        self._gathering = Gathering(page=page, seals=seals)
        self._judging = SheetJudging(page=page, seals=seals)

    def read(
        self, source: Source, put: Callable[[Sequence[NewItem]], None], tell: Callable[[str], None]
    ) -> BatchReport:
        """
        Put every item that a file comes to, in its order, and return what is told of it.

        If anything forbids to go on, the report says so, and what was put counts for nothing. `put` opens a transaction
        of its own; none is open when it is called.
        """
        try:
            return self._read(source, put, tell)
        except RuleViolation as error:
            return BatchReport(failure=failure_of(error))

    def _read(
        self, source: Source, put: Callable[[Sequence[NewItem]], None], tell: Callable[[str], None]
    ) -> BatchReport:
        table, own = reading.read(source.data), source.tenant
        read = read_plan(table, VEHICLE_COLUMNS)
        with self._database.read() as tx:
            plan, report = self._judging.judge(tx, "vehicles", read, table, person=source.person, own=own, at=source.at)
            known = promised(tx, {own.manufacturer.uscc}).get(own.manufacturer.uscc, DraftCommitment())
            elsewhere = dict(batch_items.open_vins(tx, but=source.batch_id, scope=own.scope))
        told = BatchReport(said=report.said, count=report.count, rows=len(plan.rows))
        if twice := next((row.vin for row in plan.rows if row.vin in elsewhere), ""):
            words = {
                "zh": f"车架号 {twice} 已在批次「{elsewhere[twice]}」中",
                "en": f"{twice} is in batch {elsewhere[twice]}",
            }
            return told.model_copy(update={"failure": failure("vin.batched", **words)})
        if not told.is_good:
            return told
        groups, counting = grouped(plan.rows, source.size), Counting()
        for start in range(0, len(groups), CHUNK):
            with self._database.read() as tx:
                made = [
                    self._item(tx, group, known, source, start + turn, counting)
                    for turn, group in enumerate(groups[start : start + CHUNK], start=1)
                ]
            put(made)
            tell(f"{start + len(made)} of {len(groups)} items")
        return told.model_copy(update={"summary": counting.summary})

    def _item(
        self,
        tx: Transaction,
        group: Sequence[SheetRow],
        known: DraftCommitment,
        source: Source,
        place: int,
        counting: Counting,
    ) -> NewItem:
        """Return one item. Raises RuleViolation with everything that is wrong with it."""
        tenant = source.tenant
        draft = draft_of(group, tenant.manufacturer.legal_name, known)
        seal = usable_seal(tx, tenant, at=source.at)
        asking = Asking(tenant=tenant, preparer=source.person)
        terms = rules.to_terms(draft, self._gathering.circumstances(tx, draft, asking, seal=seal, at=source.at))
        counting.add(terms, place)
        return item_of(draft, terms, place=place, rows=[row.row for row in group])


def grouped(rows: Iterable[SheetRow], size: int) -> tuple[tuple[SheetRow, ...], ...]:
    """Return rows as items: of one draft's key and one model, at most so many, in the file's order."""
    open_: dict[tuple[str, ...], list[SheetRow]] = {}
    found: list[list[SheetRow]] = []
    for row in rows:
        key = (*row.key, tidy(row.vehicle.model))
        group = open_.get(key)
        if group is None or len(group) >= size:
            group = open_[key] = []
            found.append(group)
        group.append(row)
    return tuple(map(tuple, found))


def item_of(draft: Draft, terms: Terms, *, place: int, rows: Sequence[int]) -> NewItem:
    """Return the item of a draft that the rules allow, and its terms."""
    return NewItem(
        place=place,
        lane=lane_of(terms),
        source=" ".join(map(str, rows)),
        vins=tuple(map(str, terms.vins)),
        body=draft.model_dump_json(by_alias=True),
        terms_digest=encoding.terms_digest(terms),
    )


def lane_of(terms: Terms) -> str:
    """Return what sorts items so that like follows like: template, languages, outlets."""
    outlets = hashlib.sha256(" ".join(str(outlet.id) for outlet in terms.outlets).encode()).hexdigest()[:16]
    return f"{terms.template.version} {'-'.join(terms.template.languages)} {outlets}"


class Counting:
    """Counts what a batch amounts to, item by item."""

    def __init__(self) -> None:
        self._countries: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._exporters: Counter[str] = Counter()
        self._samples: list[Sample] = []

    def add(self, terms: Terms, place: int) -> None:
        """Count the vehicles of one item."""
        self._countries[terms.destination.country.alpha2] += len(terms.vehicles)
        self._models.update(vehicle.model for vehicle in terms.vehicles)
        self._exporters[terms.exporter.legal_name] += len(terms.vehicles)
        if len(self._samples) < _SAMPLES:
            first = terms.vehicles[0]
            self._samples.append(
                Sample(
                    place=place,
                    vin=str(first.vin),
                    model=first.model,
                    country=terms.destination.country.alpha2,
                    exporter=terms.exporter.legal_name,
                    vehicles=len(terms.vehicles),
                )
            )

    @property
    def summary(self) -> Summary:
        """What was counted, the most frequent first."""
        return Summary(
            countries=tuple(self._countries.most_common(_MOST_COUNTED)),
            models=tuple(self._models.most_common(_MOST_COUNTED)),
            exporters=tuple(self._exporters.most_common(_MOST_COUNTED)),
            samples=tuple(self._samples),
        )
