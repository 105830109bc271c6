"""Status links: how one number stands, for a chat; each is made by an exporter, counted, and revoked by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signer.errors import Conflict, NotFound
from signer.register import audit, lookup, parties, status_links
from signer.register.drafts import draw_ref
from signer.register.scope import Scope, unknown
from signer.register.status_links import Wanted
from signer.services.sharing import label_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.register.status_links import StatusLink
    from signer.services.papers import Papers

MOST_OPEN: Final = 40
"""How many status links of one paper may be open at once."""
_ANYBODY: Final = Scope.everything("a status link is its own proof: it names one number")


class StatusLinks:
    """Make, open, list and revoke status links; what stands in their addresses and proves them is the pages' to say."""

    def __init__(
        self, *, database: Database, papers: Papers, clock: Callable[[], datetime], bits: Callable[[int], int]
    ) -> None:
        self._database = database
        self._papers = papers
        self._clock = clock
        self._bits = bits

    def make(self, exporter: Uscc, number: Number, *, label: str, by: str) -> str:
        """
        Make a link to one of an exporter's papers, however it stands; return its reference.

        NotFound; InvalidInput for a label that cannot be; Conflict if the paper has too many links already.
        """
        stored, at = label_of(label), self._clock()
        record = self._papers.one(exporter, number)
        wanted = Wanted(ref=draw_ref(self._bits), label=stored, by=by, at=at)
        with self._database.write() as tx:
            tenant = parties.tenant(tx, record.whole.terms.manufacturer.uscc)
            if status_links.count_open(tx, number, scope=tenant.scope) >= MOST_OPEN:
                raise Conflict(f"{number} has {MOST_OPEN} status links: revoke one first")
            status_links.add(tx, wanted, number=number, exporter=exporter, scope=tenant.scope)
            self._note(tx, "status.made", number, wanted.ref, by=by, owner=tenant.id)
        return wanted.ref

    def opened(self, number: Number, is_right: Callable[[str], bool]) -> RecordFacts:
        """
        Return how a number stands, and count the use; `is_right` tells of which reference the address holds the proof.

        NotFound, in one form, for an address that proves none, and for a link that was revoked.
        """
        record, at = self._papers.spoken(number), self._clock()
        with self._database.read() as tx:
            links = status_links.of_number(tx, number, scope=_ANYBODY)
        found = [one for one in links if is_right(one.ref) and one.revoked_at is None]
        if not found:
            raise NotFound("no such status link")
        with self._database.write() as tx:
            if not status_links.note_use(tx, found[0].ref, scope=Scope.of(found[0].manufacturer_id), at=at):
                raise NotFound("no such status link")
        return record

    def of_exporter(self, exporter: Uscc, number: Number) -> tuple[StatusLink, ...]:
        """Return the links to one of an exporter's papers, the newest first. NotFound."""
        self._papers.one(exporter, number)
        with self._database.read() as tx:
            return status_links.of_number(tx, number, scope=_ANYBODY)

    def of_maker(self, maker: str, number: Number) -> tuple[StatusLink, ...]:
        """Return the links to one of a manufacturer's confirmations, the newest first. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            if lookup.by_number(tx, number, scope=scope, at=self._clock()) is None:
                raise unknown(number)
            return status_links.of_number(tx, number, scope=scope)

    def revoke_by_exporter(self, exporter: Uscc, number: Number, ref: str, *, by: str) -> None:
        """Revoke a link to one of an exporter's papers, at once. NotFound."""
        self._papers.one(exporter, number)
        with self._database.write() as tx:
            self._revoke(tx, number, ref, by=by, scope=_ANYBODY)

    def revoke_by_maker(self, maker: str, number: Number, ref: str, *, by: str) -> None:
        """Revoke a link to one of a manufacturer's confirmations, at once. NotFound."""
        with self._database.write() as tx:
            self._revoke(tx, number, ref, by=by, scope=parties.tenant(tx, maker).scope)

    def _revoke(self, tx: Transaction, number: Number, ref: str, *, by: str, scope: Scope) -> None:
        owner = status_links.revoke(tx, number, ref, by=by, scope=scope, at=self._clock())
        self._note(tx, "status.revoked", number, ref, by=by, owner=owner)

    def _note(self, tx: Transaction, event: str, number: Number, ref: str, *, by: str, owner: int) -> None:
        audit.note(tx, event, actor=by, subject=number, at=self._clock(), manufacturer_id=owner, link=ref)
