"""
Keep seals alive: ask again about revocation after a seal, make archive copies (B-LTA), renew them before they lapse.

The sealed file that exporters have is never touched: a copy is the same S, with revisions behind it.
Source: docs/adr/0018-archive-levels.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from signer.domain.evidence import Asked, State
from signer.domain.trust import Purpose
from signer.domain.verdict import Code
from signer.errors import NotFound, RevocationUnavailable, SelfCheckFailed, SignerError
from signer.register import audit, endings, jobs, parties, upgrades
from signer.register.scope import Scope
from signer.seal import archive, existence, revocation
from signer.seal.certificates import Certificate
from signer.seal.revocation import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import Facts
    from signer.domain.number import Number
    from signer.domain.trust import TrustEntry, TrustList
    from signer.domain.verdict import Verdict
    from signer.register.blobs import Blobs
    from signer.register.database import Database
    from signer.register.upgrades import Copy, Due
    from signer.seal.revocation import Answer
    from signer.services.trust import TrustSource
    from signer.services.verify import Verifying
    from signer.services.witnesses import Witnesses

log = structlog.get_logger()

WAIT: Final = timedelta(hours=24)
"""How long after a seal its archive copy is made: what is said of revocation by then speaks of a time after it."""
RENEW_AHEAD: Final = timedelta(days=120)
"""How long before an archive copy lapses it is renewed."""
MOST_AT_ONCE: Final = 500
_ACTOR: Final = "signer"
_EVERY: Final = Scope.everything("a job keeps every seal alive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What came of one look: how many copies were made, and what failed, by number."""

    made: int
    faults: tuple[str, ...] = ()


class Upgrading:
    """Make what was sealed outlive the keys that sealed it."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        trust: TrustSource,
        witnesses: Witnesses,
        verifying: Verifying,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._trust = trust
        self._witnesses = witnesses
        self._verifying = verifying
        self._clock = clock

    def look_again(self, tell: Callable[[str], None] = jobs.unheard) -> int:
        """
        Ask about every seal that has sealed since it was last asked about, and keep the answers; return how many.

        A seal that was revoked before something that it sealed is suspended until somebody lifts it, and an alarm is
        given. Raises RevocationUnavailable, naming the seals about which nobody answered.
        """
        trust, asked, faults = self._trust.current(self._clock()), 0, []
        with self._database.read() as tx:
            sealed = upgrades.last_sealed(tx, scope=_EVERY)
            known = {one.certificate_digest: one for one in upgrades.answers(tx, sealed)}
        for digest, last in sealed.items():
            entry, spoken = trust.by_digest(digest), known.get(digest)
            is_over = entry is None or Certificate(entry.der).not_after <= self._clock()
            if entry is None or is_over or (spoken is not None and spoken.this_update > last):
                continue
            try:
                self._hear(entry, self._witnesses.spoken(entry, since=last))
            except RevocationUnavailable as error:
                faults.append(str(error))
                continue
            asked += 1
            tell(f"{asked} seals asked about")
        if faults:
            raise RevocationUnavailable("; ".join(faults))
        return asked

    def _hear(self, entry: TrustEntry, answers: dict[str, Answer]) -> None:
        at, digest = self._clock(), entry.certificate_digest
        ended = min((answer.revoked_at for answer in answers.values() if answer.revoked_at is not None), default=None)
        with self._database.write() as tx:
            for certificate, answer in answers.items():
                upgrades.keep_answer(tx, _spoken(certificate, answer), at=at)
            late = upgrades.sealed_since(tx, digest, ended, scope=_EVERY) if ended is not None else ()
            for manufacturer_id in {owner for _, owner in late}:
                mine = tuple(number for number, owner in late if owner == manufacturer_id)
                try:
                    endings.suspend_seal(tx, digest, scope=Scope.of(manufacturer_id), until=None, at=at)
                except NotFound:
                    log.warning("seal.not-suspended", seal=digest[:16], reason="it is not in use any more")
                told = {"revoked_at": f"{ended:%Y-%m-%dT%H:%M:%SZ}", "sealed_since": str(len(mine)), "first": mine[0]}
                scope = {"actor": _ACTOR, "subject": digest[:16], "at": at, "manufacturer_id": manufacturer_id}
                audit.note(tx, "seal.suspended", **scope, **told)  # type: ignore[arg-type]
        if late:
            log.error("seal.revoked-before-use", seal=digest[:16], revoked_at=str(ended), sealed_since=len(late))

    def upgrade(self, tell: Callable[[str], None] = jobs.unheard) -> Upgraded:
        """
        Make an archive copy of what has none, and renew those that lapse soon; one failure hinders no other.

        Raises SelfCheckFailed if a copy that was made does not verify: that is our defect, and it was not kept.
        """
        at = self._clock()
        with self._database.read() as tx:
            wanted = upgrades.due(
                tx, scope=_EVERY, made_before=at - WAIT, holds_before=at + RENEW_AHEAD, limit=MOST_AT_ONCE
            )
        made, faults, defects = 0, [], []
        for one in wanted:
            try:
                self._extend(one)
            except SelfCheckFailed as error:
                defects.append(str(error))
            except SignerError as error:
                faults.append(f"{one.number}: {error}")
                log.warning("archive.failed", number=one.number, code=error.code, reason=str(error)[:200])
            else:
                made += 1
                tell(f"{made} of {len(wanted)}")
        if defects:
            raise SelfCheckFailed("; ".join(defects))
        return Upgraded(made=made, faults=tuple(faults))

    def fetch(self, number: Number, *, manufacturer: str | None = None) -> bytes:
        """
        Return the newest archive copy of a confirmation. NotFound if none was made yet.

        For a manufacturer (USCC or legal name) another's is not there; None is for operators only.
        """
        with self._database.read() as tx:
            operators = Scope.everything("an operator fetches")
            scope = operators if manufacturer is None else parties.tenant(tx, manufacturer).scope
            digest = upgrades.archive_copy(tx, number, scope=scope)
        if digest is None:
            raise NotFound(f"{number} has no archive copy: one is made a day after the seal, by `signer work`")
        return self._blobs.get(digest)

    def level(self, number: Number, *, archived: bool) -> str:
        """Return the level that a confirmation's sealed file has, or its newest archive copy. For operators."""
        with self._database.read() as tx:
            found = upgrades.level(tx, number, kind="archive" if archived else "sealed", scope=_EVERY)
        if found is None:
            raise NotFound(f"{number} has no such file")
        return found

    def _extend(self, one: Due) -> None:
        """Add one revision to the newest file of a confirmation, verify the whole, and file it."""
        at, trust = self._clock(), self._trust.current(self._clock())
        file = self._blobs.get(one.file_digest)
        facts = self._verifying.gather(file)
        before = self._verifying.decide(facts, Asked())
        if before.parts.integrity is not State.PASSED:
            raise SelfCheckFailed(f"{one.number}: the stored file does not verify: {before.code}")
        needed = self._needed(one, facts, trust)
        made = archive.extend(
            file,
            sealed_length=one.sealed_length,
            timestamper=self._witnesses.timestamper(),
            evidence=lambda witness: self._evidence(needed, witness, trust),
            at=at,
        )
        after = self._verifying.decide(self._verifying.gather(made.pdf), Asked())
        if fault := _fault(before, after, is_renewal=one.is_archived):
            raise SelfCheckFailed(f"the archive copy of {one.number} does not verify: {fault}")
        stamp = trust.by_digest(made.stamp.certificate.digest)
        if stamp is None or after.seal_report is None or after.seal_report.level is None:
            raise SelfCheckFailed(f"the archive copy of {one.number} is by nobody who is listed")
        self._blobs.put(made.pdf)
        copy = upgrades.Copy(
            file_digest=hashlib.sha256(made.pdf).digest(),
            size=len(made.pdf),
            level=after.seal_report.level,
            timestamp_at=made.stamp.at,
            holds_until=existence.counts_until(stamp, trust),
        )
        self._record(one, copy, at)

    def _record(self, one: Due, copy: Copy, at: datetime) -> None:
        with self._database.write() as tx:
            upgrades.record(tx, one, copy, at=at)
        log.info("archive.made", number=one.number, level=copy.level, holds_until=str(copy.holds_until))

    def _needed(self, one: Due, facts: Facts, trust: TrustList) -> tuple[tuple[TrustEntry, datetime], ...]:
        """
        Return about whom the revision must say something, and after which time.

        At first that is the seal and the authority of its timestamp, later the authority of the newest archive
        timestamp: what is older, its revision has settled. Of a certificate that has ended nobody says anything.
        """
        stamps = facts.seal.archived[-1:] if one.is_archived else (facts.seal.timestamp,)
        asked = [(stamp.certificate_digest, stamp.at) for stamp in stamps if stamp is not None]
        if not one.is_archived and facts.proven_at is not None:
            asked.append((one.seal_digest, facts.proven_at))
        listed = ((trust.by_digest(digest), since) for digest, since in asked)
        now = self._clock()
        return tuple(
            (entry, since) for entry, since in listed if entry is not None and Certificate(entry.der).not_after > now
        )

    def _evidence(
        self, needed: tuple[tuple[TrustEntry, datetime], ...], witness: Certificate | None, trust: TrustList
    ) -> Evidence:
        """Return what is said of all that are needed, as of after their own use, and of the new authority."""
        answers: dict[str, Answer] = {}
        for entry, since in needed:
            answers |= self._witnesses.spoken(entry, since=since)
        entries = [entry for entry, _ in needed]
        listed = trust.by_digest(witness.digest) if witness is not None else None
        if listed is not None and listed.purpose is Purpose.TSA:
            entries.append(listed)
        certificates = {
            link.issuer.digest: link.issuer.der for entry in entries for link in revocation.links_of(entry, trust)
        }
        said = Evidence(
            certificates=tuple(certificates.values()),
            ocsps=tuple(dict.fromkeys(answer.data for answer in answers.values() if answer.kind == "ocsp")),
            crls=tuple(dict.fromkeys(answer.data for answer in answers.values() if answer.kind == "crl")),
        )
        return said if listed is None else revocation.union((said, self._witnesses.evidence(listed, None)))


def _spoken(certificate_digest: str, answer: Answer) -> upgrades.Spoken:
    return upgrades.Spoken(
        certificate_digest=certificate_digest,
        kind=answer.kind,
        data=answer.data,
        this_update=answer.this_update,
        revoked_at=answer.revoked_at,
    )


def _fault(before: Verdict, after: Verdict, *, is_renewal: bool) -> str:
    """Return what is wrong with a copy: it must verify at least as well as what it was made of, and last."""
    report = after.seal_report
    if after.code is not before.code and after.code is not Code.VALID:
        open_ = "; ".join(f"{check.id}: {check.reason} {check.detail}" for check in after.checks if check.argues_for)
        return f"{after.code} ({open_})"[:300]
    if after.parts.integrity is not State.PASSED:
        return f"integrity is {after.parts.integrity}"
    is_lasting = report is not None and report.level == "B-LTA"
    was_lasting = before.seal_report is not None and before.seal_report.level in ("B-LT", "B-LTA")
    return "" if is_lasting or not (is_renewal or was_lasting) else "its level is not B-LTA"
