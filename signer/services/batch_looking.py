"""Look into a batch: one item in full as it would be sealed, and all sealed files as one ZIP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import content as encoding
from signer.domain import rules
from signer.domain.batch import BatchState
from signer.domain.confirmation import Draft
from signer.domain.number import Number
from signer.register import audit, batch_items, batches, overview, parties
from signer.services.approving import StaleTerms
from signer.services.batch_archive import About, Entry, written
from signer.services.gathering import Asking, usable_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime

    from signer.domain.confirmation import Terms
    from signer.domain.parties import Uscc
    from signer.register.batch_items import Item
    from signer.register.batches import Head
    from signer.register.blobs import Blobs
    from signer.register.database import Database
    from signer.register.scope import Scope
    from signer.services.gathering import Gathering

_AT_WORK = (BatchState.RUNNING, BatchState.PAUSED, BatchState.HALTED)
_PAGE = 200
"""Items that are asked for at once while a ZIP is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """How many batches are being sealed or stand still half sealed, and how many wait for an approver."""

    at_work: int
    waiting: int


class BatchLooking:
    """Looks into batches of every manufacturer; each call names one by its USCC, and other makers' are not there."""

    def __init__(
        self, *, database: Database, gathering: Gathering, blobs: Blobs, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._gathering = gathering
        self._blobs = blobs
        self._clock = clock

    def glance(self, maker: Uscc) -> Glance:
        """Return how many batches are at work, and how many wait for an approver."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return Glance(
                at_work=sum(batches.counted(tx, scope=scope, state=state) for state in _AT_WORK),
                waiting=batches.counted(tx, scope=scope, state=BatchState.WAITING),
            )

    def item(self, maker: Uscc, ref: str, place: int) -> Item:
        """Return one item. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return batch_items.one(tx, batches.get(tx, ref, scope=scope).id, place, scope=scope)[0]

    def terms(self, maker: Uscc, ref: str, place: int) -> Terms:
        """
        Return the terms of an item, worked out anew: exactly those that the batch root binds.

        Raises StaleTerms or RuleViolation if what they rest on changed since; then nothing of it would be sealed.
        """
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            head = batches.get(tx, ref, scope=tenant.scope)
            item, body = batch_items.one(tx, head.id, place, scope=tenant.scope)
            draft = Draft.model_validate_json(body)
            at, asking = self._clock(), Asking(tenant=tenant, preparer=head.prepared_by)
            seal = usable_seal(tx, tenant, at=at)
            given = self._gathering.circumstances(tx, draft, asking, seal=seal, at=at)
        found = rules.to_terms(draft, given)
        if encoding.terms_digest(found) != item.terms_digest:
            raise StaleTerms(f"item {place} of batch {ref} would be another one by now")
        return found

    def archive(self, maker: Uscc, ref: str, *, by: str, token: str = "") -> Generator[bytes]:
        """
        Return every sealed file of a batch as one ZIP, which is written while it is read. NotFound at once.

        The audit knows who took it, a person or a machine by a token.
        """
        with self._database.write() as tx:
            scope = parties.tenant(tx, maker).scope
            head = batches.get(tx, ref, scope=scope)
            told = {"token": token} if token else {}
            audit.note(tx, "batch.taken", actor=by, subject=ref, at=self._clock(), manufacturer_id=scope.owner, **told)
        return written(self._entries(head, scope), reads=self._blobs.get, about=lambda: self._about(ref, scope))

    def _entries(self, head: Head, scope: Scope) -> Iterator[Entry]:
        """Return the items in the file's order, with their sealed files as they are when it comes to them."""
        after, is_more = 0, True
        while is_more:
            with self._database.read() as tx:
                found = batch_items.listed(tx, head.id, scope=scope, after=after, limit=_PAGE)
                numbers = [Number(item.number) for item in found if item.number]
                sealed = overview.sealed(tx, numbers, scope=scope)
            is_more = len(found) > _PAGE
            for item in found[:_PAGE]:
                after = item.place
                yield _entry(item, sealed)

    def _about(self, ref: str, scope: Scope) -> About:
        with self._database.read() as tx:
            head = batches.get(tx, ref, scope=scope)
        return About(
            ref=ref,
            title=head.title,
            state=head.state.value,
            is_finished=head.state.is_over,
            root=head.root.hex() if head.root else "",
            made_at=self._clock(),
        )


def _entry(item: Item, sealed: dict[str, bytes]) -> Entry:
    return Entry(
        place=item.place,
        rows=item.source,
        vins=item.vins,
        state=item.state.value,
        number=item.number or "",
        file_digest=sealed.get(item.number or "", b""),
        error="" if item.error is None else f"{item.error.code}: {item.error.en}",
    )
