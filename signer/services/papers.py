"""
An exporter's papers: the confirmations issued to its USCC, each with all that it holds.

Anybody can sign up for a USCC, so only the manufacturers that accepted the exporter by its licence show it theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from signer.domain.confirmation import Standing
from signer.register import audit, exporters, overview, parties
from signer.register.overview import Sought
from signer.register.scope import Scope, unknown
from signer.services import records
from signer.services.records import Held, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.domain.parties import Uscc
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.services.records import Listed

THEIRS: Final = Scope.everything("an exporter's papers are of any manufacturer: its USCC in each narrows them")
UNSPOKEN: Final = (Standing.PENDING, Standing.ABANDONED)
"""What is not issued yet, or never was, is nobody's paper."""


class Papers:
    """Find an exporter's papers; what was issued to somebody else is as if it were not there."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def listed(self, exporter: Uscc, *, after: Number | None = None) -> Listed:
        """Return one page of papers, the newest first; `after` is the last one's number. NotFound."""
        return self.part(exporter, Wanted(sought=Sought(), after=after))

    def part(self, exporter: Uscc, wanted: Wanted) -> Listed:
        """Return a part of the papers, the newest first. NotFound for a number to follow upon that is none of them."""
        asked = wanted.sought.exporters
        mine = (exporter,) if asked is None or exporter in asked else ()
        with self._database.read() as tx:
            if wanted.after is not None:
                self._theirs(tx, exporter, wanted.after)
            accepted = exporters.makers_that_accepted(tx, exporter, scope=THEIRS)
            sought = replace(wanted.sought, exporters=mine, makers=accepted, without=UNSPOKEN)
            return records.part(tx, replace(wanted, sought=sought), scope=THEIRS, at=self._clock())

    def one(self, exporter: Uscc, number: Number) -> RecordFacts:
        """Return the record of a paper. NotFound."""
        with self._database.read() as tx:
            return self._theirs(tx, exporter, number)

    def held(self, exporter: Uscc, number: Number) -> Held:
        """Return the record of a paper, and its sealed files. NotFound."""
        with self._database.read() as tx:
            record = self._theirs(tx, exporter, number)
            files = overview.files(tx, number, scope=THEIRS)
        return Held(record=record, files=tuple(file for file in files if file.kind == "sealed"))

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

    def note_taken(self, exporter: Uscc, number: Number, kind: str, *, by: str, token: str = "") -> None:
        """Tell the audit that somebody of an exporter took a file of a paper, or a machine by a token. NotFound."""
        self.one(exporter, number)
        with self._database.write() as tx:
            told = {"kind": kind, "exporter": exporter} | ({"token": token} if token else {})
            audit.note(tx, "paper.taken", actor=by, subject=number, at=self._clock(), manufacturer_id=None, **told)

    def spoken(self, number: Number) -> RecordFacts:
        """Return the record of a number that is or was issued, to whoever may know of it. NotFound."""
        with self._database.read() as tx:
            record = self._record(tx, number)
        if record is None or record.standing in UNSPOKEN:
            raise unknown(number)
        return record

    def _record(self, tx: Transaction, number: Number) -> RecordFacts | None:
        return records.record(tx, number, scope=THEIRS, at=self._clock())

    def _theirs(self, tx: Transaction, exporter: Uscc, number: Number) -> RecordFacts:
        record = self._record(tx, number)
        if record is None or record.standing in UNSPOKEN or record.whole.terms.exporter.uscc != exporter:
            raise unknown(number)
        maker = parties.tenant(tx, record.whole.terms.manufacturer.uscc)
        if maker.id not in exporters.makers_that_accepted(tx, exporter, scope=maker.scope):
            raise unknown(number)
        return record
