"""An exporter's papers: the confirmations issued to its USCC by any manufacturer, each with all that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signer.domain.confirmation import Standing
from signer.register import lookup, overview
from signer.register.scope import Scope, unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.domain.parties import Uscc
    from signer.register.blobs import Blobs
    from signer.register.database import Database
    from signer.register.overview import Row

THEIRS: Final = Scope.everything("an exporter's papers are of any manufacturer: its USCC in each narrows them")
UNSPOKEN: Final = (Standing.PENDING, Standing.ABANDONED)
"""What is not issued yet, or never was, is nobody's paper."""


class Papers:
    """Find an exporter's papers; what was issued to somebody else is as if it were not there."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def listed(self, exporter: Uscc, *, after: Number | None = None) -> tuple[tuple[Row, ...], bool]:
        """Return one page of papers, the newest first, and whether more follow; `after` is the last one's number."""
        sought = overview.Sought(exporters=(exporter,), without=UNSPOKEN)
        with self._database.read() as tx:
            if after is not None:
                self._refuse_others(lookup.by_number(tx, after, scope=THEIRS, at=self._clock()), exporter, after)
            return overview.page(tx, sought, scope=THEIRS, after=after, at=self._clock())

    def one(self, exporter: Uscc, number: Number) -> RecordFacts:
        """Return the record of a paper. NotFound."""
        with self._database.read() as tx:
            record = lookup.by_number(tx, number, scope=THEIRS, at=self._clock())
        return self._refuse_others(record, exporter, number)

    def file(self, exporter: Uscc, number: Number) -> bytes:
        """Return the sealed PDF of a paper, its digest checked. NotFound."""
        self.one(exporter, number)
        return self.sealed(number)

    def sealed(self, number: Number) -> bytes:
        """Return the sealed PDF of a number, to whoever has shown elsewhere that it may have it. NotFound."""
        with self._database.read() as tx:
            found = [file for file in overview.files(tx, number, scope=THEIRS) if file.kind == "sealed"]
        if not found:
            raise unknown(number)
        return self._blobs.get(found[-1].file_digest)

    def spoken(self, number: Number) -> RecordFacts:
        """Return the record of a number that is or was issued, to whoever may know of it. NotFound."""
        with self._database.read() as tx:
            record = lookup.by_number(tx, number, scope=THEIRS, at=self._clock())
        if record is None or record.standing in UNSPOKEN:
            raise unknown(number)
        return record

    @staticmethod
    def _refuse_others(record: RecordFacts | None, exporter: Uscc, number: Number) -> RecordFacts:
        is_theirs = (
            record is not None
            and record.standing not in UNSPOKEN
            and record.confirmation is not None
            and record.confirmation.terms.exporter.uscc == exporter
        )
        if record is None or not is_theirs:
            raise unknown(number)
        return record
