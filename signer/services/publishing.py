"""The trust list's way: drafted here, signed offline by the root, checked and put in place here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from signer.domain import succession
from signer.domain.parties import Role
from signer.errors import NotFound, NotPermitted
from signer.register import audit, parties, seals
from signer.seal import drafting
from signer.seal import trust as signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList
    from signer.register.database import Database, Transaction
    from signer.services.trust import TrustSource
    from signer.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A list, signed or not, and what it changes in the one before it, a line each."""

    trust: TrustList
    data: bytes
    changes: tuple[str, ...]


class Publishing:
    """Draft, check and publish trust lists. The root's key is never here."""

    def __init__(
        self, *, settings: Settings, database: Database, trust: TrustSource, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._database = database
        self._trust = trust
        self._clock = clock

    def draft(self, changes: bytes, folder: Path) -> Step:
        """Return the next list, unsigned; the files that the changes name lie in `folder`. InvalidInput, NotFound."""
        at = self._clock()
        present, digest = self._trust.present(at)
        made = drafting.draft(
            drafting.read_changes(changes),
            present=present,
            present_digest=digest,
            folder=folder,
            test=self._settings.mode == "test",
            at=at,
        )
        if made.next_root is not None and made.next_root == self._trust.memory().root.text:
            made = made.model_copy(update={"next_root": None})
        return Step(trust=made, data=signed.encode(made), changes=tuple(succession.differences(present, made)))

    def check(self, data: bytes) -> Step:
        """Return a signed list that may be published. InvalidInput or TrustListStale say exactly why one may not."""
        at = self._clock()
        present, _ = self._trust.present(at)
        trust = self._trust.candidate(data, at)
        return Step(trust=trust, data=data, changes=tuple(succession.differences(present, trust)))

    def publish(self, data: bytes, *, by: str, second: str | None) -> Step:
        """
        Put a signed list in place, whole or not at all, and note who did.

        An operator publishes; where a new seal is pinned or OFFICIAL, outside TEST, a second operator has seen the
        evidence too. NotPermitted, besides what `check` raises.
        """
        step, at = self.check(data), self._clock()
        present, _ = self._trust.present(at)
        known = {entry.certificate_digest for entry in present.entries} if present else set()
        new = tuple(entry for entry in step.trust.entries if entry.certificate_digest not in known)
        digest = signed.digest(data)
        with self._database.write() as tx:
            self._refuse_alone(tx, new, by=by, second=second)
            scope = {"actor": by, "at": at, "second": second or ""}
            subject = f"trust-list {step.trust.sequence}"
            audit.note(tx, "trust-list.published", subject=subject, manufacturer_id=None, digest=digest, **scope)  # type: ignore[arg-type]
            for entry in new:
                _note_entry(tx, entry, by=by, second=second or "", at=at)
            self._trust.put(data, at)
        log.info("trust-list.published", sequence=step.trust.sequence, digest=digest[:16], entries=len(new))
        return step

    def _refuse_alone(self, tx: Transaction, new: tuple[TrustEntry, ...], *, by: str, second: str | None) -> None:
        if self._settings.mode == "production":
            refuse_no_operator(tx, by)
        else:
            parties.person_of(tx, by)
        if any(entry.needs_two_operators for entry in new):
            refuse_one_operator(tx, by=by, second=second)

    def present(self) -> TrustList:
        """Return the list in use. NotFound if there is none yet."""
        present, _ = self._trust.present(self._clock())
        if present is None:
            raise NotFound(f"there is no trust list at {self._settings.trust_list_path}")
        return present

    def days_left(self) -> int:
        """Return for how many whole days the list in use lasts, negative when it is over."""
        return (self.present().expires - self._clock()).days

    def history(self) -> tuple[tuple[TrustList, str], ...]:
        """Return the list in use and those kept before it, the newest first, each with its digest; the chain holds."""
        return self._trust.history(self._clock())

    def changes(self) -> tuple[str, ...]:
        """Return what the list in use changed in the one before it, a line each; none where that one is not kept."""
        kept = self.history()
        return tuple(succession.differences(kept[1][0], kept[0][0])) if len(kept) > 1 else ()


def refuse_no_operator(tx: Transaction, person: str) -> None:
    """Refuse a person who operates nothing. NotFound, NotPermitted."""
    parties.person_of(tx, person)
    if not seals.is_operator(tx, person):
        raise NotPermitted(f"{person} is not {Role.OPERATOR}")


def refuse_one_operator(tx: Transaction, *, by: str, second: str | None) -> None:
    """Refuse unless two operators, two people, stand behind it (B7, B8)."""
    if second is None or second == by:
        raise NotPermitted("a pinned or OFFICIAL seal needs the word of two operators on its evidence: name a second")
    for person in (by, second):
        refuse_no_operator(tx, person)


def _note_entry(tx: Transaction, entry: TrustEntry, *, by: str, second: str, at: datetime) -> None:
    audit.note(
        tx,
        "trust-list.entry",
        actor=by,
        subject=entry.certificate_digest[:16],
        at=at,
        manufacturer_id=_maker_of(tx, entry),
        second=second,
        purpose=entry.purpose,
        seal_class=entry.seal_class or "",
        naming_profile=entry.naming_profile or "",
        evidence="; ".join(filter(None, (entry.naming_evidence, entry.class_evidence)))[:600],
    )


def _maker_of(tx: Transaction, entry: TrustEntry) -> int | None:
    if entry.uscc is None:
        return None
    try:
        return parties.tenant(tx, entry.uscc).id
    except NotFound:
        return None


def sign_offline(draft: bytes, *, key: bytes, password: bytes, previous: bytes | None = None) -> Step:
    """
    Sign a draft with the root's key: no register, no network, no settings.

    With the list before it at hand, signed, what the draft changes is told, and refused if it may not be. Raises
    InvalidInput, KeyUnavailable, Misconfigured.
    """
    trust, older = signed.decode(draft), None
    if previous is not None:
        older = signed.payload_of(previous)
        succession.refuse_successor(older, trust, older_digest=signed.digest(previous))
    data = signed.sign(trust, key=signed.load_signing_key(key, password=password))
    return Step(trust=trust, data=data, changes=tuple(succession.differences(older, trust)))
