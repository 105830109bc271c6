"""Bring a file that its holder kept back into a register that lost it: issued in a gap, and sealed well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import content as encoding
from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked
from signer.domain.paper_code import PaperCodeRefused
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotPermitted
from signer.paper import cose, printed
from signer.register import audit, confirmations, endings, journal, lookup, parties, status_lists
from signer.services.sealing import journal_superseded, prospective

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.confirmation import Confirmation
    from signer.domain.evidence import Facts
    from signer.domain.number import Number
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.register.journal import Journal
    from signer.register.scope import Scope
    from signer.services.engines import Chance
    from signer.services.verify import Verifying

_RENDERER_UNKNOWN = bytes(32)


@dataclass(frozen=True, slots=True)
class _Found:
    """A holder's file that is what we would have issued."""

    data: bytes
    facts: Facts
    confirmation: Confirmation
    encoded: bytes


class Reimporting:
    """Close the holes that a restore left."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        verifying: Verifying,
        journal: Journal,
        clock: Callable[[], datetime],
        chance: Chance,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._verifying = verifying
        self._journal = journal
        self._clock = clock
        self._chance = chance

    def file(self, data: bytes, *, by: str, second: str) -> Number:
        """
        Record one file as issued, on the word of two people, and return its number; held, if the journal ended it.

        It must verify in everything but the register, of which it must fall into a gap. Raises InvalidInput with the
        reason, Conflict if a vehicle is in force under another number by now, or if the predecessor is still unknown.
        """
        if by == second:
            raise NotPermitted("a file is brought back by two people")
        found = self._examine(data)
        self._blobs.put(data)
        at, number = self._clock(), found.confirmation.number
        with self._database.write() as tx:
            tenant = parties.tenant(tx, found.confirmation.terms.manufacturer.uscc)
            self._reserve(tx, found, tenant.scope, people=(by, second), at=at)
            use = audit.SealUse(
                seal_digest=found.confirmation.terms.seal.certificate_digest,
                number=number,
                sealed_digest=bytes.fromhex(found.facts.file.sealed_digest or ""),
                preparer_id=by,
                approver_id=second,
                origin="reimport",
                used_at=found.confirmation.issued_at,
            )
            confirmations.record(tx, number, _stored(found), use, scope=tenant.scope, at=at)
            journal_superseded(self._journal, found.confirmation, at=at)
            if number in journal.ended(self._journal.read().entries, at=at):
                endings.suspend(tx, number, scope=tenant.scope, by="journal", until=None, at=at)
            scope = {"actor": by, "subject": number, "second": second}
            audit.note(tx, "confirmation.reimported", at=at, manufacturer_id=tenant.id, **scope)
        return number

    def _examine(self, data: bytes) -> _Found:
        facts = self._verifying.gather(data)
        confirmation, file = facts.content.confirmation, facts.file
        if confirmation is None or file.sealed_digest is None:
            raise InvalidInput("FILE", "is no sealed confirmation")
        record = facts.register_.record
        if facts.register_.is_complete:
            raise InvalidInput("FILE", "was not issued in a gap of this register: absence is no loss")
        if record is not None and record.standing is not Standing.PENDING:
            raise Conflict(f"{confirmation.number} is in the register: {record.standing}")
        encoded = encoding.encode(confirmation)
        whole = prospective(confirmation, encoded, file, self._clock())
        verdict = self._verifying.decide(facts.model_copy(update={"register_": whole}), Asked())
        if verdict.code not in (Code.VALID, Code.VALID_WITH_NOTICE):
            raise InvalidInput("FILE", f"does not verify: {verdict.code} ({verdict.reason})")
        return _Found(data, facts, confirmation, encoded)

    def _reserve(self, tx: Transaction, found: _Found, scope: Scope, *, people: tuple[str, str], at: datetime) -> None:
        """Take the number, the vehicles and the status index, unless the backup held them as pending already."""
        if (kept := lookup.by_number(tx, found.confirmation.number, scope=scope, at=at)) is not None:
            if kept.content_digest != encoding.content_digest(found.encoded).hex():
                raise Conflict(f"{found.confirmation.number} is pending with other content")
            return
        approval = confirmations.Approval(
            terms_digest=bytes.fromhex(found.confirmation.terms_digest),
            preparer_id=parties.person_of(tx, people[0]).id,
            approver_id=parties.person_of(tx, people[1]).id,
            approved_at=at,
            external_ref="reimported",
        )
        made = confirmations.Reservation(
            approval=approval,
            confirmation=found.confirmation,
            encoded=found.encoded,
            renderer_digest=_RENDERER_UNKNOWN,
        )
        reserved = confirmations.reserve(
            tx, made, scope=scope, at=found.confirmation.issued_at, randbelow=self._chance.below
        )
        if (place := _printed_place(found)) is not None:
            status_lists.move(tx, reserved, place)


def _printed_place(found: _Found) -> tuple[int, int] | None:
    """Return the place in a status list that the codes on the pages name: under the seal, so that they are ours."""
    digest = encoding.content_digest(found.encoded)
    for text in printed.codes(found.data):
        try:
            claims = cose.decode(text).claims
        except PaperCodeRefused:
            continue
        if (claims.number, claims.content_digest) == (found.confirmation.number, digest) and claims.status is not None:
            return claims.status
    return None


def _stored(found: _Found) -> confirmations.SealedFile:
    seal, file = found.facts.seal, found.facts.file
    return confirmations.SealedFile(
        file_digest=bytes.fromhex(file.file_digest),
        sealed_digest=bytes.fromhex(file.sealed_digest or ""),
        sealed_length=seal.sealed_length or file.size,
        size=file.size,
        level=seal.level or "B-B",
        timestamp_at=seal.timestamp.at if seal.timestamp else None,
    )
