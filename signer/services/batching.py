"""
Batches: hand a file in, have it read, send it, approve it once, and say pause, go on or cancel while it is sealed.

Sealing itself is done by `batch_running`. The word binds every item by the root over their terms digests.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from signer.domain.batch import BatchReport, BatchState, refuse_grouping
from signer.domain.parties import Role
from signer.errors import Conflict, NotPermitted, TooLarge
from signer.register import batch_items, batches, drafts, jobs, parties
from signer.register.scope import Scope
from signer.services import queues
from signer.services.approving import StaleTerms
from signer.services.batch_reading import Source
from signer.sheets.reading import MOST_LONG_BYTES
from signer.transparency.merkle import root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from signer.domain.batch import Failure, Progress
    from signer.domain.confirmation import DraftCommitment
    from signer.domain.parties import Uscc
    from signer.register.batch_items import Item, NewItem
    from signer.register.batches import Head
    from signer.register.database import Database, Transaction
    from signer.register.drafts import Also
    from signer.register.parties import Tenant
    from signer.services.batch_reading import BatchReading
    from signer.services.importing import Asked
    from signer.services.mailing import Mailing
    from signer.services.room import Room

MOST_BYTES: Final = MOST_LONG_BYTES
"""Bytes of a file that is handed in."""
FILE_KEPT: Final = timedelta(days=30)
_JOBS: Final = Scope.everything("a job reads the batch that it was added for")
_MAINTENANCE: Final = Scope.everything("files that were handed in are kept for a while only")
_STEER: Final = frozenset({Role.PREPARER, Role.APPROVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """
    An approver's word on a whole batch: the root that was shown (hex), and which second factor was shown.

    `factor` is `token` for a word that came by a machine, with its reference elsewhere.
    """

    ref: str
    maker: Uscc
    by: str
    root: str
    factor: str
    external_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A batch as a page shows it; `names` are its people's by id, `file_until` when its file is forgotten."""

    head: Head
    report: BatchReport
    names: Mapping[str, str]
    file_until: datetime

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self.head.progress

    @property
    def halted(self) -> Failure | None:
        """Why it stands still, if it does."""
        return self.head.halted if self.head.state in (BatchState.HALTED, BatchState.PAUSED) else None

    @property
    def may_send(self) -> bool:
        """Tell whether it can be sent for approval."""
        return self.head.state is BatchState.READY

    @property
    def may_decide(self) -> bool:
        """Tell whether it waits for an approver's word."""
        return self.head.state is BatchState.WAITING

    @property
    def may_pause(self) -> bool:
        """Tell whether it can be paused."""
        return self.head.state in (BatchState.RUNNING, BatchState.HALTED)

    @property
    def may_go_on(self) -> bool:
        """Tell whether it can be let run again."""
        return self.head.state in (BatchState.PAUSED, BatchState.HALTED)

    @property
    def may_cancel(self) -> bool:
        """Tell whether it can be cancelled."""
        return not self.head.state.is_over


class Batching:
    """Batches of every manufacturer; each call names one by its USCC, and other makers' are not there."""

    def __init__(
        self,
        *,
        database: Database,
        reading: BatchReading,
        mailing: Mailing,
        room: Room,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._reading = reading
        self._mailing = mailing
        self._room = room
        self._clock = clock
        self._bits = bits

    def hand_in(
        self,
        asked: Asked,
        *,
        file_name: str,
        data: bytes,
        size: int = 1,
        commitment: DraftCommitment | None = None,
        also: Also = drafts.nothing,
    ) -> tuple[str, bool]:
        """
        Keep a file to be read as a batch of at most `size` vehicles an item; return its reference, and if it is new.

        The same bytes in the same groups are the earlier batch again, unless that was faulty or never approved and
        cancelled. `commitment` is what all of it promises, None for that of the manufacturer's last draft. `also` is
        done in the same transaction, for a new one. Raises InvalidInput, TooLarge, NotFound, NotPermitted, Conflict;
        StorageLow, QueueFull where as many stand open as may.
        """
        refuse_grouping(size)
        self._room.refuse_low()
        if len(data) > MOST_BYTES:
            raise TooLarge(f"a batch's file has at most {MOST_BYTES} bytes")
        at, digest = self._clock(), hashlib.sha256(data).digest()
        with self._database.write() as tx:
            tenant = _tenant(tx, asked.maker, asked.person, frozenset({Role.PREPARER}))
            known = batches.same(tx, digest, size, scope=tenant.scope)
            if known is not None:
                _refuse_other_promise(tx, known, commitment, tenant)
                return known, False
            queues.refuse_full("batches", batches.count(tx, but=queues.CLOSED, scope=tenant.scope))
            ref = drafts.draw_ref(self._bits)
            new = batches.New(
                ref=ref,
                title=PurePath(file_name).stem or file_name,
                file_name=file_name,
                file_digest=digest,
                data=data,
                size=size,
                report=BatchReport(commitment=commitment).model_dump_json(),
            )
            batches.add(tx, new, by=asked.person, scope=tenant.scope, at=at)
            also(tx, ref)
        return ref, True

    def read(self, ref: str, tell: Callable[[str], None] = jobs.unheard) -> str:
        """Read a batch's file, whoever had begun before, and have it ready or faulty; return which."""
        with self._database.read() as tx:
            head = batches.get(tx, ref, scope=_JOBS)
            tenant = parties.tenant_of(tx, head.manufacturer_id)
            data, told = batches.file(tx, head, scope=tenant.scope)
        if head.state is not BatchState.READING:
            return f"{head.state}"
        with self._database.write() as tx:
            batch_items.clear(tx, head.id, scope=tenant.scope)
        source = Source(
            batch_id=head.id,
            data=data or b"",
            file_name=head.file_name,
            size=head.size,
            tenant=tenant,
            person=head.prepared_by,
            at=self._clock(),
            commitment=BatchReport.model_validate_json(told).commitment,
        )
        vehicles = [0, 0]

        def put(items: Sequence[NewItem]) -> None:
            with self._database.write() as tx:
                batch_items.put(tx, head.id, items, scope=tenant.scope)
            vehicles[0] += len(items)
            vehicles[1] += sum(len(item.vins) for item in items)

        report = self._reading.read(source, put, tell)
        return self._end_reading(head, report, (vehicles[0], vehicles[1]), tenant)

    def _end_reading(self, head: Head, report: BatchReport, counts: tuple[int, int], tenant: Tenant) -> str:
        at, scope = self._clock(), tenant.scope
        is_good = report.is_good and counts[0] > 0
        with self._database.write() as tx:
            root = root_of(batch_items.digests(tx, head.id, scope=scope)) if is_good else None
            if root is None:
                batch_items.clear(tx, head.id, scope=scope)
            told = report.model_dump_json()
            batches.settle_reading(tx, head, told=told, counts=counts, root=root, scope=scope, at=at)
        return "faulty" if root is None else f"{counts[0]} items"

    def give_up(self, tx: Transaction, ref: str, failure: Failure) -> None:
        """End a batch that could not be read as often as it was tried."""
        head = batches.get(tx, ref, scope=_JOBS)
        if head.state is BatchState.READING:
            scope, told = Scope.of(head.manufacturer_id), BatchReport(failure=failure).model_dump_json()
            batch_items.clear(tx, head.id, scope=scope)
            batches.settle_reading(tx, head, told=told, counts=(0, 0), root=None, scope=scope, at=self._clock())

    def listed(self, maker: Uscc, *, number: int = 1) -> tuple[Head, ...]:
        """Return one page of batches, the last first, and the first of the next page if any."""
        with self._database.read() as tx:
            return batches.page(tx, scope=parties.tenant(tx, maker).scope, number=number)

    def part(self, maker: Uscc, states: tuple[BatchState, ...] = (), *, before: int, limit: int) -> tuple[Head, ...]:
        """Return a part of the batches, the newest first, and one more than asked for if there is more."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return batches.part(tx, scope=scope, states=states, before=before, limit=limit)

    def find(self, maker: Uscc, ref: str) -> Shown:
        """Return a batch as it stands. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            head = batches.get(tx, ref, scope=scope)
            people = {head.prepared_by, *filter(None, (head.sent_by, head.decided_by))}
            return Shown(
                head=head,
                report=BatchReport.model_validate_json(batches.report(tx, head, scope=scope)),
                names=parties.names_of(tx, people),
                file_until=head.created_at + FILE_KEPT,
            )

    def items(
        self, maker: Uscc, ref: str, *, states: tuple[str, ...] = (), after: int = 0, limit: int = 50
    ) -> tuple[Item, ...]:
        """Return items in the file's order, and one more than asked for if there is more. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            head = batches.get(tx, ref, scope=scope)
            return batch_items.listed(tx, head.id, scope=scope, states=states, after=after, limit=limit)

    def send(self, ref: str, *, maker: Uscc, by: str, version: int | None = None, also: Also = drafts.nothing) -> Head:
        """Send a batch that is ready for approval, in the version that was seen. NotFound, NotPermitted, Conflict."""
        with self._steering(ref, maker, by, frozenset({Role.PREPARER}), also) as (tx, head, tenant, at):
            _refuse_unless(head, BatchState.READY, version=version)
            sent = {"sent_by": by, "sent_at": at, "reason": None}
            batches.move(tx, head, BatchState.WAITING, sent, scope=tenant.scope, at=at)
            root = "" if head.root is None else head.root.hex()
            batches.note(tx, "batch.sent", ref, by=by, scope=tenant.scope, at=at, root=root)
            self._ask(tx, head, by, tenant)
        return self._now(ref)

    def _ask(self, tx: Transaction, head: Head, by: str, tenant: Tenant) -> None:
        maker = tenant.manufacturer
        self._mailing.queue_for(
            tx,
            frozenset({Role.APPROVER}),
            "approval-asked",
            scope=tenant.scope,
            path=f"/portal/{maker.uscc}/batches/{head.ref}",
            but=by,
            by=parties.person_of(tx, by).name,
            maker=maker.legal_name,
            title=head.title,
        )

    def take_back(self, ref: str, *, maker: Uscc, by: str, also: Also = drafts.nothing) -> Head:
        """Let a batch wait for approval no longer; it is ready again. NotFound, NotPermitted, Conflict."""
        with self._steering(ref, maker, by, frozenset({Role.PREPARER}), also) as (tx, head, tenant, at):
            _refuse_unless(head, BatchState.WAITING)
            batches.move(tx, head, BatchState.READY, {"sent_by": None, "sent_at": None}, scope=tenant.scope, at=at)
            batches.note(tx, "batch.taken-back", ref, by=by, scope=tenant.scope, at=at)
        return self._now(ref)

    def send_back(self, ref: str, *, maker: Uscc, by: str, reason: str, also: Also = drafts.nothing) -> Head:
        """Return a batch to its preparer with a reason. NotFound, NotPermitted, Conflict."""
        with self._steering(ref, maker, by, frozenset({Role.APPROVER}), also) as (tx, head, tenant, at):
            _refuse_own(head, by)
            _refuse_unless(head, BatchState.WAITING)
            back = {"sent_by": None, "sent_at": None, "reason": reason[: batches.MOST_REASON]}
            batches.move(tx, head, BatchState.READY, back, scope=tenant.scope, at=at)
            batches.note(tx, "batch.returned", ref, by=by, scope=tenant.scope, at=at)
            words = {"maker": tenant.manufacturer.legal_name, "title": head.title}
            path = f"/portal/{tenant.manufacturer.uscc}/batches/{ref}"
            roles = frozenset({Role.PREPARER})
            self._mailing.queue_for(tx, roles, "returned", scope=tenant.scope, path=path, **words)
        return self._now(ref)

    def approve(self, word: Word, *, also: Also = drafts.nothing) -> Head:
        """
        Take an approver's word on every item, and let the batch run; asked twice by the same person, it is one word.

        Raises StaleTerms if the root is another than was shown, NotFound, NotPermitted, Conflict; StorageLow.
        """
        self._room.refuse_low()
        with self._steering(word.ref, word.maker, word.by, frozenset({Role.APPROVER}), also) as (tx, head, tenant, at):
            _refuse_own(head, word.by)
            if head.root is None or head.root.hex() != word.root:
                raise StaleTerms("the root that was shown is not that of what would be sealed")
            if head.decided_by != word.by:
                _refuse_unless(head, BatchState.WAITING)
                said = {"decided_by": word.by, "decided_at": at, "factor": word.factor}
                said["external_ref"] = word.external_ref or None
                batches.start(tx, head, said, scope=tenant.scope, at=at)
                told = {"root": word.root, "factor": word.factor, "items": str(head.items)}
                batches.note(tx, "batch.approved", word.ref, by=word.by, scope=tenant.scope, at=at, **told)
        return self._now(word.ref)

    def pause(self, ref: str, *, maker: Uscc, by: str, also: Also = drafts.nothing) -> Head:
        """Let nothing more of a batch be reserved until somebody says so; what is being sealed is finished."""
        with self._steering(ref, maker, by, _STEER, also) as (tx, head, tenant, at):
            _refuse_unless(head, BatchState.RUNNING, BatchState.HALTED)
            batches.move(tx, head, BatchState.PAUSED, {"next_at": None}, scope=tenant.scope, at=at)
            batches.note(tx, "batch.paused", ref, by=by, scope=tenant.scope, at=at)
        return self._now(ref)

    def go_on(self, ref: str, *, maker: Uscc, by: str, also: Also = drafts.nothing) -> Head:
        """Let a batch that was paused or halted run again, where it stopped."""
        with self._steering(ref, maker, by, _STEER, also) as (tx, head, tenant, at):
            _refuse_unless(head, BatchState.PAUSED, BatchState.HALTED)
            batches.start(tx, head, {}, scope=tenant.scope, at=at)
            batches.note(tx, "batch.resumed", ref, by=by, scope=tenant.scope, at=at)
        return self._now(ref)

    def cancel(self, ref: str, *, maker: Uscc, by: str, also: Also = drafts.nothing) -> Head:
        """End a batch: what is sealed stays sealed, what is being sealed is finished, nothing more is begun."""
        with self._steering(ref, maker, by, _STEER, also) as (tx, head, tenant, at):
            if head.state.is_over:
                raise Conflict(f"batch {ref} is {head.state}")
            batches.move(tx, head, BatchState.CANCELLED, {"next_at": None}, scope=tenant.scope, at=at)
            ended = batch_items.cancel(tx, head.id, scope=tenant.scope, at=at)
            batches.note(tx, "batch.cancelled", ref, by=by, scope=tenant.scope, at=at, items=str(ended))
        return self._now(ref)

    def prune(self) -> int:
        """Forget files that were handed in long ago; return how many."""
        with self._database.write() as tx:
            return batches.forget_files(tx, before=self._clock() - FILE_KEPT, scope=_MAINTENANCE)

    def _now(self, ref: str) -> Head:
        with self._database.read() as tx:
            return batches.get(tx, ref, scope=_JOBS)

    @contextmanager
    def _steering(
        self, ref: str, maker: Uscc, by: str, roles: frozenset[Role], also: Also
    ) -> Iterator[tuple[Transaction, Head, Tenant, datetime]]:
        """Open the transaction of one person's word on a batch; `also` is done at its end."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            head = batches.get(tx, ref, scope=tenant.scope)
            _refuse_without(tx, by, roles, tenant)
            yield tx, head, tenant, at
            also(tx, ref)


def _refuse_other_promise(tx: Transaction, ref: str, commitment: DraftCommitment | None, tenant: Tenant) -> None:
    """Refuse the file of an earlier batch that comes with other words than it came with. Conflict."""
    head = batches.get(tx, ref, scope=tenant.scope)
    before = BatchReport.model_validate_json(batches.report(tx, head, scope=tenant.scope)).commitment
    if commitment is not None and commitment != before:
        raise Conflict(f"this file was handed in with another commitment, as batch {ref}: cancel that one first")


def _tenant(tx: Transaction, maker: Uscc, person: str, roles: frozenset[Role]) -> Tenant:
    tenant = parties.tenant(tx, maker)
    _refuse_without(tx, person, roles, tenant)
    return tenant


def _refuse_unless(head: Head, *states: BatchState, version: int | None = None) -> None:
    if head.state not in states or version not in (None, head.version):
        raise Conflict(f"batch {head.ref} is {head.state}, or was changed meanwhile")


def _refuse_own(head: Head, by: str) -> None:
    if by in (head.sent_by, head.prepared_by):
        raise NotPermitted("who prepared or sent this does not decide on it: that takes a second person")


def _refuse_without(tx: Transaction, person: str, roles: frozenset[Role], tenant: Tenant) -> None:
    parties.person_of(tx, person)
    if not roles & parties.roles_of(tx, person, scope=tenant.scope):
        wanted = " or ".join(sorted(roles))
        raise NotPermitted(f"{person} is not {wanted} of this manufacturer")
