"""
Seal approved batches: item by item, in slices, by as many workers as there are, and in turns among manufacturers.

Each item is one order under a key of its own, and what is said of it is said in the transactions of that order: whoever
dies at whatever moment leaves an item that waits, or a number that is finished under the same key. The root is computed
anew from the items before this process seals the first of them, and after each resume; transaction 1 then holds that
the batch runs on just that root.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import structlog

from signer import metrics
from signer.domain.batch import BatchState, failure, failure_of, is_of_every_item
from signer.domain.confirmation import Draft, Standing
from signer.errors import Conflict, NotFound, RuleViolation, SelfCheckFailed, SignerError, Unavailable
from signer.metrics.catalogue import BATCH_HALTS, BATCH_ITEMS
from signer.register import batch_items, batches, jobs, parties, restores
from signer.register.batch_items import BatchStopped, Binding, Taken
from signer.register.scope import Scope
from signer.services.issue import Order
from signer.transparency.merkle import DIGEST_BYTES, root_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.batch import Failure
    from signer.domain.number import Number
    from signer.register.batches import Head
    from signer.register.database import Database, Transaction
    from signer.register.parties import Tenant
    from signer.services.issue import Issuing
    from signer.services.maintain import Maintaining

log = structlog.get_logger()
SLICE: Final = timedelta(seconds=2)
"""So long a worker seals for one batch; then others have their turn."""
CHUNK: Final = 8
"""Items that are taken up at once."""
MOST_TURNS: Final = 3
"""Numbers that one item may use up before it counts as failed."""
_IDLE: Final = timedelta(seconds=1)
_GIVE_WAY_S, _GIVEN_WAYS = 0.02, 10
_MOST_PROVEN = 8
_ALL: Final = Scope.everything("batches of all manufacturers have their turn")
Outcome = Literal["ended", "left", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InBatch:
    """The word on one item of an approved batch."""

    binding: Binding

    @property
    def terms_digest(self) -> bytes:
        """The digest of the item's terms: a leaf under the approved root."""
        return self.binding.terms_digest

    def refuse_unapproved(self, tx: Transaction, *, scope: Scope) -> None:
        """Refuse unless the batch runs on the approved root, and the item waits in it with these terms."""
        batch_items.hold(tx, self.binding, scope=scope)

    def recorded(self, tx: Transaction, number: Number, *, scope: Scope, at: datetime) -> None:
        """Note the item's number."""
        batch_items.record(tx, self.binding.batch_id, self.binding.place, number, scope=scope, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """A batch that is being sealed: whose it is, and the items' digests that make its root, one after the other."""

    head: Head
    tenant: Tenant
    digests: bytes

    @property
    def scope(self) -> Scope:
        return self.tenant.scope

    def digest(self, place: int) -> bytes:
        return self.digests[(place - 1) * DIGEST_BYTES : place * DIGEST_BYTES]

    def order(self, taken: Taken) -> Order:
        """Return the one order of an item: its key is the batch, the place, and the numbers that were given up."""
        head = self.head
        turn = f" {taken.turn}" if taken.turn else ""
        binding = Binding(
            batch_id=head.id, place=taken.place, root=head.root or b"", terms_digest=self.digest(taken.place)
        )
        return Order(
            draft=Draft.model_validate_json(taken.body),
            manufacturer=self.tenant.manufacturer.uscc,
            preparer=head.sent_by or "",
            approver=head.decided_by or "",
            origin="batch",
            key=f"{batches.KEY}{head.ref} {taken.place}{turn}",
            approved=InBatch(binding=binding),
            keeps=True,
        )


class _Halted(Exception):
    """What every item of a batch needs is not there; `tries_again`: time may mend it."""

    def __init__(self, failure: Failure, *, tries_again: bool) -> None:
        super().__init__(failure.en)
        self.failure = failure
        self.tries_again = tries_again


class BatchRunning:
    """Seals batches. One at a time in a process; any number of processes may do so over one register."""

    def __init__(
        self,
        *,
        database: Database,
        issuing: Issuing,
        maintaining: Maintaining,
        is_draining: Callable[[], bool],
        clock: Callable[[], datetime],
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._is_draining = is_draining
        self._issuing = issuing
        self._maintaining = maintaining
        self._clock = clock
        self._rest = rest
        self._proven: dict[int, tuple[int, bytes]] = {}

    def work(self, tell: Callable[[str], None] = jobs.unheard) -> str | jobs.Again:
        """Seal for about a slice of the batch that has its turn; return how far it is, and when to go on if at all."""
        del tell  # a slice is short, and its end tells how far it is
        with self._database.write() as tx:
            batches.wake(tx, scope=_ALL, at=self._clock())
            head = batches.take_turn(tx, scope=_ALL, at=self._clock())
        ended = 0 if head is None else self.run(head.ref, span=SLICE)
        with self._database.read() as tx:
            at = self._clock()
            next_at = batches.next_turn(tx, scope=_ALL, at=at)
            now = None if head is None else batches.get(tx, head.ref, scope=_ALL)
        told = "nothing to seal" if now is None else f"{now.ref}: {now.done + now.failed} of {now.items}, {now.state}"
        if next_at is None:
            return told
        return jobs.Again(told, max(next_at, at if ended else at + _IDLE))

    def run(self, ref: str, tell: Callable[[str], None] = jobs.unheard, *, span: timedelta | None = None) -> int:
        """
        Seal items of a batch that runs, for about so long or until nothing can be taken up; return how many ended.

        `tell` hears how far it is after each. What stands in the way of every item halts the batch.
        """
        begun, ended = self._clock(), 0
        with self._database.read() as tx:
            head = batches.get(tx, ref, scope=_ALL)
            tenant = parties.tenant_of(tx, head.manufacturer_id)
        if head.state is not BatchState.RUNNING:
            return 0
        try:
            batch = self._opened(head, tenant)
            while span is None or self._clock() - begun < span:
                taken = self._claim(batch)
                if not taken:
                    break
                until = self._clock() + batch_items.LEASE / 2
                until = until if span is None else min(until, begun + span)
                count, is_stopped = self._seal_all(batch, taken, tell, ended, until)
                ended += count
                if is_stopped:
                    break
        except _Halted as halted:
            self._halt(head, halted)
            return ended
        self._end_if_over(ref, tenant.scope)
        return ended

    def tend(self, tell: Callable[[str], None] = jobs.unheard) -> str:
        """
        See to it that what runs has hands, and that what a cancelled batch left behind is known.

        Jobs are in no backup, and a worker may die with one: this brings them back.
        """
        with self._database.write() as tx:
            at = self._clock()
            if (next_at := batches.next_turn(tx, scope=_ALL, at=at)) is not None:
                batches.have_hands(tx, at=max(next_at, at))
            left = batch_items.leftovers(tx, scope=_ALL, at=at)
        for ref, taken in left:
            tell(f"{len(left)} left behind; at {ref} {taken.place}")
            self._reconcile(ref, taken)
        return f"{len(left)} left behind"

    def _opened(self, head: Head, tenant: Tenant) -> _Batch:
        """Return a batch with digests that make its approved root; from memory if nothing happened to it meanwhile."""
        with self._database.read() as tx:
            restored_at = restores.newest(tx)
            if restored_at is not None and (head.started_at is None or head.started_at <= restored_at):
                told = "the register was restored from a backup: what was sealed since is not known here"
                raise _Halted(failure("restored", en=told), tries_again=False)
            kept = self._proven.get(head.id)
            if kept is not None and kept[0] == head.version:
                return _Batch(head=head, tenant=tenant, digests=kept[1])
            digests = b"".join(batch_items.digests(tx, head.id, scope=tenant.scope))
        leaves = (digests[start : start + DIGEST_BYTES] for start in range(0, len(digests), DIGEST_BYTES))
        if root_of(leaves) != head.root:
            log.error("batch.other-root", ref=head.ref)
            raise _Halted(failure("root", en="the items are not those that were approved"), tries_again=False)
        while len(self._proven) >= _MOST_PROVEN:
            self._proven.pop(next(iter(self._proven)))
        self._proven[head.id] = (head.version, digests)
        return _Batch(head=head, tenant=tenant, digests=digests)

    def _claim(self, batch: _Batch) -> tuple[Taken, ...]:
        with self._database.write() as tx:
            at = self._clock()
            batches.mark(tx, batch.head, scope=batch.scope, at=at)
            return batch_items.claim(tx, batch.head.id, most=CHUNK, scope=batch.scope, at=at)

    def _seal_all(
        self, batch: _Batch, taken: tuple[Taken, ...], tell: Callable[[str], None], before: int, until: datetime
    ) -> tuple[int, bool]:
        """Seal what was taken up, until an instant; return how many ended, and whether others must have a turn."""
        ended, touched = 0, 0
        try:
            for one in taken:
                if self._clock() >= until:
                    return ended, False
                if self._is_draining() or self._somebody_waits():
                    return ended, True
                touched += 1
                outcome = self._seal(batch, one)
                if outcome == "stopped":
                    return ended, True
                ended += outcome == "ended"
                tell(f"{before + ended} items")
            return ended, False
        finally:
            self._release(batch, [one.place for one in taken[touched:]], untouched=True)

    def _somebody_waits(self) -> bool:
        """Give way to an order that is being sealed for a person; tell whether a job waits that is done once."""
        for _ in range(_GIVEN_WAYS):
            with self._database.read() as tx:
                waits = batches.who_waits(tx, at=self._clock())
            if waits != "order":
                return waits == "job"
            self._rest(_GIVE_WAY_S)
        return False

    def _seal(self, batch: _Batch, taken: Taken) -> Outcome:
        """Seal one item, or find out what became of it before."""
        order = batch.order(taken)
        if order.approved is None or order.approved.terms_digest != taken.terms_digest:
            raise _Halted(failure("root", en=f"item {taken.place} is not what was approved"), tries_again=False)
        try:
            if taken.tries > 1 and (known := self._earlier(batch, taken, order)) is not None:
                return known
            self._issuing.issue(order)
            metrics.count(BATCH_ITEMS, "sealed")
        except BatchStopped:
            self._release(batch, [taken.place])
            return "stopped"
        except (Conflict, RuleViolation) as error:
            if is_of_every_item(error):
                self._release(batch, [taken.place])
                raise _Halted(failure_of(error), tries_again=True) from error
            return self._refused(batch, taken, order, error)
        except SelfCheckFailed as error:
            return self._unsound(batch, taken, order, error)
        except SignerError as error:
            self._release(batch, [taken.place])
            raise _Halted(failure_of(error), tries_again=isinstance(error, Unavailable)) from error
        return "ended"

    def _unsound(self, batch: _Batch, taken: Taken, order: Order, error: SelfCheckFailed) -> Outcome:
        """End an item whose file does not verify, and halt; unless another process was quicker: its file counts."""
        record = self._issuing.outcome(order)
        if record is not None and record.standing is not Standing.ABANDONED:
            return "left"
        self._fail(batch, taken, failure_of(error))
        raise _Halted(failure_of(error), tries_again=False) from error

    def _earlier(self, batch: _Batch, taken: Taken, order: Order) -> Outcome | None:
        """Return what became of an item that somebody took up before; None if nothing was reserved for it."""
        record = self._issuing.outcome(order)
        if record is None:
            return None
        if record.standing is Standing.PENDING:
            self._finish(batch, taken, record.number)
            record = self._issuing.outcome(order)
        if record is None or record.standing is Standing.PENDING:
            return "left"
        return self._known(batch, taken, record.number, record.standing, record.end_reason or "")

    def _finish(self, batch: _Batch, taken: Taken, number: Number) -> None:
        """Finish a number that whoever took the item up left pending, unless another process is quicker."""
        try:
            settled = self._maintaining.settle_one(number)
        except NotFound:
            return
        if settled.outcome == "waiting" and settled.code not in (Conflict.code, NotFound.code):
            self._release(batch, [taken.place])
            raise _Halted(failure(settled.code, en=settled.reason), tries_again=True)

    def _known(self, batch: _Batch, taken: Taken, number: Number, standing: Standing, why: str) -> Outcome:
        """Note what a key stands for: a number that was issued, or one that was given up."""
        at, scope = self._clock(), batch.scope
        with self._database.write() as tx:
            if standing is not Standing.ABANDONED:
                batch_items.record(tx, batch.head.id, taken.place, number, scope=scope, at=at)
                return "ended"
            if taken.turn + 1 < MOST_TURNS:
                batch_items.again(tx, batch.head.id, taken, scope=scope)
                return "left"
        self._fail(batch, taken, failure("abandoned", en=f"{number} was abandoned: {why}", zh=f"编号 {number} 已放弃"))
        return "ended"

    def _refused(self, batch: _Batch, taken: Taken, order: Order, error: SignerError) -> Outcome:
        """End an item that the rules or the register refuse, unless its key tells otherwise."""
        record = self._issuing.outcome(order)
        if record is None:
            self._fail(batch, taken, failure_of(error))
            return "ended"
        if record.standing is Standing.PENDING:
            return "left"
        return self._known(batch, taken, record.number, record.standing, record.end_reason or "")

    def _fail(self, batch: _Batch, taken: Taken, why: Failure) -> None:
        metrics.count(BATCH_ITEMS, "failed")
        log.warning("batch.item-failed", ref=batch.head.ref, place=taken.place, code=why.code)
        with self._database.write() as tx:
            batch_items.fail(tx, batch.head.id, taken.place, why, scope=batch.scope, at=self._clock())

    def _release(self, batch: _Batch, places: list[int], *, untouched: bool = False) -> None:
        if places:
            with self._database.write() as tx:
                batch_items.release(tx, batch.head.id, places, scope=batch.scope, untouched=untouched)

    def _halt(self, head: Head, halted: _Halted) -> None:
        metrics.count(BATCH_HALTS, halted.failure.code)
        log.warning("batch.halted", ref=head.ref, code=halted.failure.code, tries_again=halted.tries_again)
        with self._database.write() as tx:
            batches.halt(
                tx,
                head,
                halted.failure,
                tries_again=halted.tries_again,
                scope=Scope.of(head.manufacturer_id),
                at=self._clock(),
            )

    def _end_if_over(self, ref: str, scope: Scope) -> None:
        with self._database.write() as tx:
            head = batches.get(tx, ref, scope=scope)
            if head.state is BatchState.RUNNING and not batch_items.is_any_left(tx, head.id, scope=scope):
                at, told = self._clock(), {"done": str(head.done), "failed": str(head.failed)}
                batches.move(tx, head, BatchState.DONE, {}, scope=scope, at=at)
                batches.note(tx, "batch.done", ref, by="signer", scope=scope, at=at, **told)

    def _reconcile(self, ref: str, taken: Taken) -> None:
        """Find out what became of an item that was being sealed when its batch was cancelled and its worker died."""
        with self._database.read() as tx:
            head = batches.get(tx, ref, scope=_ALL)
            tenant = parties.tenant_of(tx, head.manufacturer_id)
        batch = _Batch(head=head, tenant=tenant, digests=b"")
        record = self._issuing.outcome(batch.order(taken))
        if record is not None and record.standing is Standing.PENDING:
            return
        at = self._clock()
        with self._database.write() as tx:
            if record is not None and record.standing is not Standing.ABANDONED:
                batch_items.record(tx, head.id, taken.place, record.number, scope=tenant.scope, at=at)
            else:
                batch_items.let_go(tx, head.id, taken.place, scope=tenant.scope)
