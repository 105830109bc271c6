"""What needs doing without anybody asking: finish or abandon what a crash left pending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from signer.domain import content as encoding
from signer.domain.trust import SealState
from signer.domain.verdict import Code
from signer.errors import Conflict, NotFound, SelfCheckFailed, SignerError, Unavailable
from signer.register import (
    accounts,
    audit,
    confirmations,
    deliveries,
    endings,
    exporters,
    jobs,
    lookup,
    parties,
    restores,
    sessions,
    webhooks,
)
from signer.register.scope import Scope
from signer.services.exporters import GOOD_FOR
from signer.services.limits import SPAN
from signer.services.lookups import NUMBER_SPAN
from signer.services.sealing import Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.register.blobs import Blobs
    from signer.register.confirmations import Pending
    from signer.register.database import Database
    from signer.services.engines import Page, SealBox
    from signer.services.sealing import Sealing
    from signer.services.verify import Verifying

log = structlog.get_logger()

_ALL = Scope.everything("maintenance is for everybody's records")

PENDING_AGE = timedelta(minutes=10)
"""A record that is pending for longer has lost the process that was sealing it."""
DELIVERIES_KEPT = timedelta(days=30)
FINISH_WITHIN = timedelta(hours=24)
"""What two people approved is still what they want for so long; after that it is abandoned."""

SAMPLE = 20
_NEVER_OURS = frozenset(
    {
        Code.UNREADABLE,
        Code.NOT_A_CONFIRMATION,
        Code.UNSEALED,
        Code.ALTERED,
        Code.UNKNOWN_SEAL,
        Code.NOT_REGISTERED,
        Code.NOT_ISSUED,
    }
)
"""What no file that we issued may ever answer; a revoked seal or a withdrawal is no fault of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a pending record; `waiting` will be tried again. `code` is that of the error, if it was one."""

    number: Number
    outcome: Literal["finished", "abandoned", "waiting"]
    reason: str = ""
    code: str = ""


class Maintaining:
    """Put in order what was left."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        sealing: Sealing,
        verifying: Verifying,
        page: Page,
        seals: SealBox,
        clock: Callable[[], datetime],
        below: Callable[[int], int],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._verifying = verifying
        self._below = below
        self._sealing = sealing
        self._page = page
        self._seals = seals
        self._clock = clock

    def settle(self, age: timedelta = PENDING_AGE, tell: Callable[[str], None] = jobs.unheard) -> tuple[Settled, ...]:
        """
        Finish the records that have been pending for longer than an age, or abandon them; the oldest first.

        What a restored backup held as pending may have been issued since: it is left alone, for `abandon` or a
        holder's file. `tell` hears how far it is.
        """
        with self._database.read() as tx:
            stale = confirmations.pending(tx, scope=_ALL, before=self._clock() - age, after=restores.newest(tx))
        found: list[Settled] = []
        for number in stale:
            tell(f"{len(found)} of {len(stale)} settled; at {number}")
            found.append(self._settle(number))
        return tuple(found)

    def settle_one(self, number: Number) -> Settled:
        """Finish or abandon one pending record, whatever its age. NotFound, or Conflict for one a restore left."""
        with self._database.read() as tx:
            pending, restored_at = confirmations.pending_record(tx, number, scope=_ALL), restores.newest(tx)
        if restored_at is not None and pending.reserved_at <= restored_at:
            raise Conflict(f"{number} was pending in the backup, perhaps issued since: reimport or abandon it")
        return self._settle(number)

    def pending_since_before_a_restore(self) -> tuple[Number, ...]:
        """Return the numbers that a restored backup held as pending, and that nobody has brought back."""
        with self._database.read() as tx:
            restored_at = restores.newest(tx)
            return confirmations.pending(tx, scope=_ALL, before=restored_at) if restored_at else ()

    def end_suspensions(self) -> tuple[Number, ...]:
        """End in the tables what time has ended already: suspensions of confirmations and of seals."""
        at = self._clock()
        with self._database.write() as tx:
            ended = endings.overdue(tx, scope=_ALL, at=at)
            for number, manufacturer_id in ended:
                endings.lift(tx, number, scope=Scope.of(manufacturer_id), at=at)
                scope = {"actor": "signer", "subject": number, "reason": "its time was over"}
                audit.note(tx, "confirmation.resumed", at=at, manufacturer_id=manufacturer_id, **scope)
            for digest, manufacturer_id in endings.overdue_seals(tx, scope=_ALL, at=at):
                endings.lift_seal(tx, digest, scope=Scope.of(manufacturer_id), at=at)
                scope = {"actor": "signer", "subject": digest[:16], "reason": "its time was over"}
                audit.note(tx, "seal.resumed", at=at, manufacturer_id=manufacturer_id, **scope)
        return tuple(number for number, _ in ended)

    def prune(self) -> int:
        """
        Forget what counts no longer; return how many.

        That is: failed look-ups and sign-ins, sessions that are over, sign-ups whose link did not come back,
        what webhooks were sent.
        """
        at = self._clock()
        with self._database.write() as tx:
            over = sessions.prune(tx, at=at) + accounts.prune(tx, at=at, failed_before=at - SPAN)
            over += exporters.forget_sent(tx, before=at - GOOD_FOR)
            over += webhooks.prune_secrets(tx, scope=_ALL, at=at)
            over += deliveries.prune(tx, scope=_ALL, before=at - DELIVERIES_KEPT)
            return over + lookup.prune_failures(tx, before=at - NUMBER_SPAN)

    def reverify(self, count: int = SAMPLE, tell: Callable[[str], None] = jobs.unheard) -> int:
        """
        Verify a sample of what was issued as anybody would, from the store; return how many files are sound.

        Raises SelfCheckFailed, naming those that are not: we have lost or damaged something.
        """
        with self._database.read() as tx:
            recorded = lookup.file_digests(tx, scope=_ALL)
        drawn = {self._below(len(recorded)) for _ in range(count)} if recorded else set()
        faulty = []
        for done, place in enumerate(sorted(drawn)):
            tell(f"{done} of {len(drawn)} files verified")
            if fault := self._fault(*recorded[place]):
                faulty.append(fault)
        if faulty:
            raise SelfCheckFailed("; ".join(faulty))
        return len(drawn)

    def reverify_one(self, number: Number) -> Code:
        """Verify the sealed file of one number from the store; SelfCheckFailed if it is not what we issued."""
        with self._database.read() as tx:
            digest = lookup.summary(tx, number, scope=_ALL).file_digest
        if digest is None:
            raise NotFound(f"{number} has no sealed file")
        verdict = self._verifying.file(self._blobs.get(digest))
        if verdict.code in _NEVER_OURS:
            raise SelfCheckFailed(f"{number}: {verdict.code} ({verdict.reason})")
        return verdict.code

    def _fault(self, digest: bytes, number: Number) -> str:
        try:
            verdict = self._verifying.file(self._blobs.get(digest))
        except SignerError as error:
            return f"{number}: {error}"
        return f"{number}: {verdict.code} ({verdict.reason})" if verdict.code in _NEVER_OURS else ""

    def _settle(self, number: Number) -> Settled:
        try:
            with self._database.read() as tx:
                pending = confirmations.pending_record(tx, number, scope=_ALL)
                tenant = parties.tenant_of(tx, pending.manufacturer_id)
                seals = parties.seals_of(tx, scope=tenant.scope, at=self._clock())
        except NotFound as error:
            return Settled(
                number=number, outcome="waiting", reason=f"{error}: another process was quicker", code=error.code
            )
        seal = next((seal for seal in seals if seal.certificate_digest == pending.seal_digest), None)
        if seal is None or (reason := self._unfit(pending, seal)):
            return self._abandon(number, reason if seal else "its seal is gone")
        return self._finish(_work(pending, tenant, seal, self._clock()))

    def _unfit(self, pending: Pending, seal: parties.Seal) -> str:
        """Tell why a record cannot be finished any more, or ''."""
        if self._clock() - pending.reserved_at > FINISH_WITHIN:
            return f"pending for more than {FINISH_WITHIN.total_seconds() / 3600:.0f} h"
        if pending.renderer_digest != self._page.digest:
            return "the page is made otherwise by now"
        return "" if seal.state is SealState.ACTIVE else f"its seal is {seal.state}"

    def _finish(self, work: Work) -> Settled:
        try:
            self._seals.refuse_unusable(work.seal, at=work.at, tsa_policy=work.tenant.tsa_policy)
        except SignerError as error:
            return Settled(number=work.number, outcome="waiting", reason=str(error), code=error.code)
        try:
            self._sealing.complete(work)
        except (Conflict, Unavailable) as error:  # a Conflict: another process was quicker
            return Settled(number=work.number, outcome="waiting", reason=str(error), code=error.code)
        except SignerError as error:
            return Settled(number=work.number, outcome="abandoned", reason=str(error), code=error.code)
        return Settled(number=work.number, outcome="finished")

    def _abandon(self, number: Number, reason: str) -> Settled:
        with self._database.write() as tx:
            confirmations.abandon(tx, number, scope=_ALL, reason=f"stale: {reason}", at=self._clock())
        log.warning("confirmation.abandoned", number=number, reason=reason)
        return Settled(number=number, outcome="abandoned", reason=reason)


def _work(pending: Pending, tenant: parties.Tenant, seal: parties.Seal, at: datetime) -> Work:
    return Work(
        tenant=tenant,
        seal=seal,
        confirmation=encoding.parse(pending.encoded),
        encoded=pending.encoded,
        preparer=pending.preparer_id,
        approver=pending.approver_id,
        origin="maintenance",
        at=at,
        keeping=(Conflict, Unavailable),
    )
