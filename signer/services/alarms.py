"""
The forgery alarm: answers that show a manufacturer's number or seal where it should not be, counted for it.

An answer is given first. What it shows is put into a bounded queue in memory, and a thread of its own writes it down:
a register that is slow or gone holds no answer up, and changes none. Kept are a number, a code and a count per day: no
file, no VIN, nothing of who asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from signer.domain.parties import Role
from signer.domain.verdict import Code
from signer.errors import InvalidInput, NotFound, NotPermitted, SignerError
from signer.register import audit, parties, suspicions
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.domain.verdict import Verdict
    from signer.register.database import Database, Transaction
    from signer.register.suspicions import Suspicion
    from signer.services.mailing import Mailing

log = structlog.get_logger()

SUSPICIOUS = frozenset(
    {
        Code.UNSEALED,
        Code.ALTERED,
        Code.CODE_INVALID,
        Code.UNKNOWN_SEAL,
        Code.SEAL_REVOKED,
        Code.NOT_REGISTERED,
        Code.NOT_ISSUED,
        Code.WITHDRAWN,
        Code.NOT_COVERED,
    }
)
"""The answers that count; NOT_ON_RECORD does only from `MANY_WRONG_TAILS` a day on."""
LOG_FAULTS = frozenset({"LOG_ISSUED_ABSENT", "LOG_DIFFERS", "LOG_PROOF_WRONG"})
"""Why an answer that is INDETERMINATE counts all the same: the log contradicts a good file, or is silent about it."""
MANY_WRONG_TAILS = 5
EVERY = timedelta(minutes=1)
"""At most one write for each number and code in so long; what comes meanwhile is counted with the next."""
MOST_WAITING, MOST_KEYS = 1000, 5000
KEEPERS = frozenset({Role.APPROVER, Role.ADMIN})
_ANYBODY = Scope.everything("whoever verified it, its manufacturer is told")


class Watch(Protocol):
    """Hears of every answer to the public."""

    def heed(self, verdict: Verdict) -> None:
        """Hear a verdict; returns at once, and never raises."""

    def missed(self, numbers: tuple[Number, ...]) -> None:
        """Hear that a look-up of numbers found nothing; the same whether they exist or not."""


class NoWatch:
    """Hears nothing: a verifier without a register."""

    def heed(self, verdict: Verdict) -> None:
        """Do nothing."""

    def missed(self, numbers: tuple[Number, ...]) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What an answer showed: a number, its code, and the USCC of whose seal it was, where that was proven."""

    number: Number | None
    code: Code
    sealer: str | None = None


class Alarming:
    """Count what answers show, tell the manufacturer, and let its people settle it."""

    def __init__(self, *, database: Database, mailing: Mailing, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._mailing = mailing
        self._clock = clock
        self._waiting: deque[Sign] = deque(maxlen=MOST_WAITING)
        self._written: OrderedDict[Sign, datetime] = OrderedDict()
        self._counts: dict[Sign, int] = {}
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        database.at_close(self.is_written)

    def heed(self, verdict: Verdict) -> None:
        """Put what a verdict shows into the queue, if it shows anything."""
        is_contradicted = verdict.code is Code.INDETERMINATE and verdict.reason in LOG_FAULTS
        if (verdict.code in SUSPICIOUS or is_contradicted) and (verdict.number or verdict.issuer):
            sealer = verdict.issuer.uscc if verdict.issuer and verdict.code is Code.NOT_REGISTERED else None
            self._put(Sign(verdict.number, verdict.code, sealer))

    def missed(self, numbers: tuple[Number, ...]) -> None:
        """Put a look-up that found nothing into the queue."""
        for number in numbers:
            self._put(Sign(number, Code.NOT_ON_RECORD))

    def is_written(self) -> bool:
        """Wait until what was put into the queue is written down; tell whether it is."""
        with self._lock:
            writer = self._writer
        if writer is not None:
            writer.join(timeout=10)
        return not self._waiting

    def page(self, manufacturer: str, *, most: int, skip: int = 0) -> tuple[Suspicion, ...]:
        """Return a manufacturer's alarms, the latest first. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, manufacturer).scope
            return suspicions.page(tx, scope=scope, most=most, skip=skip)

    def settle(self, alarm: int, *, manufacturer: str, by: str, reason: str) -> None:
        """Say what an alarm was: an approver or administrator, with a reason, for the audit. NotFound, Conflict."""
        said = reason.strip()
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            if not parties.roles_of(tx, by, scope=tenant.scope) & KEEPERS:
                raise NotPermitted(f"{by} is not {' or '.join(sorted(KEEPERS))} of this manufacturer")
            found = suspicions.get(tx, alarm, scope=tenant.scope)
            if not 5 <= len(said) <= 200:
                raise InvalidInput("reason", "say what it was in 5 to 200 characters")
            suspicions.settle(tx, alarm, scope=tenant.scope, by=by, at=at)
            told = {"reason": said, "code": found.code, "day": found.day.isoformat(), "count": str(found.count)}
            subject = found.number or "no-number"
            audit.note(tx, "alarm.settled", actor=by, subject=subject, at=at, manufacturer_id=tenant.id, **told)

    def _put(self, sign: Sign) -> None:
        """Keep a sign; the oldest is dropped when there are too many. One thread at a time writes."""
        with self._lock:
            self._waiting.append(sign)
            if self._writer is None:
                writer = threading.Thread(target=self._write_all, name="alarms", daemon=True)
                with suppress(RuntimeError):  # no thread to be had now: the next sign asks again
                    writer.start()
                    self._writer = writer

    def _write_all(self) -> None:
        """Write down what waits, then end; whoever puts something in afterwards starts the next."""
        while (sign := self._next()) is not None:
            try:
                self._count(sign)
            except SignerError as error:
                log.warning("alarm.not-written", code=sign.code, number=sign.number, error=str(error)[:200])
            except Exception:
                log.exception("alarm.crashed", code=sign.code)

    def _next(self) -> Sign | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._writer = None
            return None

    def _count(self, sign: Sign) -> None:
        at = self._clock()
        self._counts[sign] = count = self._counts.get(sign, 0) + 1
        last = self._written.get(sign)
        if last is not None and timedelta() <= at - last < EVERY:
            return
        self._remember(sign, at)
        with self._database.read() as tx:
            whose = self._whose(tx, sign, at)
        if whose is not None:
            self._write(sign, whose, count, at)

    def _remember(self, sign: Sign, at: datetime) -> None:
        """Note when a key was written last, for so many keys: who floods us with others makes us forget, not grow."""
        self._counts.pop(sign, None)
        self._written[sign] = at
        self._written.move_to_end(sign)
        while len(self._written) > MOST_KEYS:
            forgotten, _ = self._written.popitem(last=False)
            self._counts.pop(forgotten, None)

    def _whose(self, tx: Transaction, sign: Sign, at: datetime) -> parties.Tenant | None:
        """Return whose number or seal it is; None for nobody's here, and for a few mistyped tails."""
        if sign.sealer is not None:
            try:
                return parties.tenant(tx, sign.sealer)
            except NotFound:
                return None
        owner = suspicions.owner(tx, sign.number, scope=_ANYBODY) if sign.number else None
        if owner is None or sign.number is None:
            return None
        is_guess = sign.code is Code.NOT_ON_RECORD
        if is_guess and suspicions.wrong_tails(tx, sign.number, at=at) < MANY_WRONG_TAILS:
            return None
        return parties.tenant_of(tx, owner)

    def _write(self, sign: Sign, whose: parties.Tenant, count: int, at: datetime) -> None:
        with self._database.write() as tx:
            is_first = suspicions.add(tx, sign.number, sign.code, scope=whose.scope, count=count, at=at)
            if is_first:
                words = {"maker": whose.manufacturer.legal_name, "number": sign.number or "—", "what": sign.code.value}
                path = f"/portal/{whose.manufacturer.uscc}/alarms"
                self._mailing.queue_for(tx, KEEPERS, "alarm", scope=whose.scope, path=path, **words)
        log.warning("alarm", code=sign.code, number=sign.number, manufacturer=whose.id, count=count)
