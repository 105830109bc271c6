"""Read a batch's file: rows in, items out, each judged by the rules of issuing as the confirmation that it would be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import content as encoding
from signer.domain.batch import BatchReport, Sample, Summary
from signer.register import batch_items
from signer.register.batch_items import NewItem
from signer.services.batch_judging import BatchJudging, Judged, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from signer.domain.confirmation import Draft, DraftCommitment, Terms
    from signer.register.database import Database
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
    commitment: DraftCommitment | None = None


class BatchReading:
    """Reads the files of batches; what they come to is put as it is found."""

    def __init__(self, *, database: Database, page: Page, seals: SealBox) -> None:
        self._database = database
        self._judging = BatchJudging(database=database, page=page, seals=seals)

    def read(
        self, source: Source, put: Callable[[Sequence[NewItem]], None], tell: Callable[[str], None]
    ) -> BatchReport:
        """
        Put every item that a file comes to, as it is full, and return what is told of the file.

        If anything forbids to go on, the report says so, and what was put counts for nothing. `put` opens a transaction
        of its own; none is open when it is called.
        """
        with self._database.read() as tx:
            elsewhere = dict(batch_items.open_vins(tx, but=source.batch_id, scope=source.tenant.scope))
        wanted = Wanted(
            maker=source.tenant.manufacturer.uscc,
            preparer=source.person,
            size=source.size,
            commitment=source.commitment,
        )
        counting, made = Counting(), list[NewItem]()

        def take(one: Judged) -> None:
            counting.add(one.terms, one.place)
            made.append(item_of(one.draft, one.terms, place=one.place, rows=one.rows, lane=one.lane))
            if len(made) >= CHUNK:
                put(made)
                made.clear()

        outcome = self._judging.judge(source.data, wanted, take, at=source.at, elsewhere=elsewhere, tell=tell)
        put(made)
        report = outcome.report
        told = BatchReport(said=report.said, count=report.count, rows=outcome.vehicles, commitment=source.commitment)
        return told if outcome.is_faulty else told.model_copy(update={"summary": counting.summary})


def item_of(draft: Draft, terms: Terms, *, place: int, rows: Sequence[int], lane: str = "") -> NewItem:
    """Return the item of a draft that the rules allow, and its terms; `lane` is that of its page."""
    return NewItem(
        place=place,
        lane=lane,
        source=" ".join(map(str, rows)),
        vins=tuple(map(str, terms.vins)),
        body=draft.model_dump_json(by_alias=True, exclude_defaults=True),
        terms_digest=encoding.terms_digest(terms),
    )


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
