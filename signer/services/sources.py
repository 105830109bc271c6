"""Where a verdict's facts about records come from: a register that is asked now, or what it said in a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from signer.domain.evidence import RegisterFacts
from signer.domain.trust import SealState
from signer.register import lookup, official, restores, seals, upgrades
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import ContentFacts, FileFacts, RecordFacts, TrustFacts
    from signer.domain.number import Number
    from signer.domain.trust import TrustList
    from signer.register.database import Database

_ANYBODY = Scope.everything("anybody may verify any file")
_WORSE = (SealState.SUSPENDED, SealState.VERIFY_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledCopy:
    """An official copy and its record; `seal_digest` says whose it is, where the record's content is not known."""

    at: datetime
    record: RecordFacts
    seal_digest: str | None = None


class Source(Protocol):
    """What knows a trust list, and what a register says beside it."""

    def trust(self) -> TrustList:
        """Return the trust list to judge by."""

    def later(self, facts: TrustFacts, at: datetime) -> TrustFacts:
        """
        Add to the trust list's entry what is known better.

        That is the register's own word where it is worse, a seal held or retired now, and what the authorities said of
        the chain after the seal.
        """

    def register(
        self, number: Number | None, file: FileFacts, content: ContentFacts, *, made_at: datetime | None, at: datetime
    ) -> RegisterFacts:
        """Return what the register says of a file that names a number and was made, it says or proves, at `made_at`."""

    def holds(self, file_digest: str) -> bool:
        """Tell whether the file of this SHA-256 (hex) is on record as one that its issuer made: sealed, or archived."""

    def copy(self, file_digest: str, at: datetime) -> FiledCopy | None:
        """Return the official copy whose whole file has this SHA-256 (hex), or None."""


class RegisterSource:
    """The register itself, and the trust list in use."""

    def __init__(self, *, database: Database, trust: Callable[[], TrustList]) -> None:
        self._database = database
        self._trust = trust

    def trust(self) -> TrustList:
        """Return the list in use."""
        return self._trust()

    def later(self, facts: TrustFacts, at: datetime) -> TrustFacts:
        """Ask the register for its own word on the seal, and for the answers that it keeps."""
        entry = facts.entry
        if entry is None:
            return facts
        with self._database.read() as tx:
            said = upgrades.answers(tx, (entry.certificate_digest, *entry.chain))
            found = seals.standing_of(tx, entry.certificate_digest, at=at)
        told = {
            "revocation_as_of": min((one.this_update for one in said), default=None),
            "revoked_at": min((one.revoked_at for one in said if one.revoked_at is not None), default=None),
        }
        if found is not None and found[0] in _WORSE and entry.state is SealState.ACTIVE:
            entry = entry.model_copy(update={"state": found[0], "state_since": found[1]})
        return facts.model_copy(update={"entry": entry, **told})

    def register(
        self, number: Number | None, file: FileFacts, content: ContentFacts, *, made_at: datetime | None, at: datetime
    ) -> RegisterFacts:
        """Ask the register for the record of the number, and for the number of S."""
        with self._database.read() as tx:
            sealed = bytes.fromhex(file.sealed_digest) if file.sealed_digest else None
            gaps = restores.gaps(tx)
            record = lookup.by_number(tx, number, scope=_ANYBODY, at=at, known=content) if number else None
            return RegisterFacts(
                source="register",
                as_of=at,
                is_complete=made_at is None or not any(gap.may_hold(made_at) for gap in gaps),
                record=record.over(gaps) if record else None,
                number_of_digest=lookup.number_of_sealed(tx, sealed, scope=_ANYBODY) if sealed else None,
            )

    def holds(self, file_digest: str) -> bool:
        """Ask the register whether it filed this file."""
        with self._database.read() as tx:
            return lookup.is_ours(tx, bytes.fromhex(file_digest), scope=_ANYBODY)

    def copy(self, file_digest: str, at: datetime) -> FiledCopy | None:
        """Ask the register which copy that is."""
        with self._database.read() as tx:
            filed = official.filed(tx, bytes.fromhex(file_digest))
            record = lookup.by_number(tx, filed.number, scope=_ANYBODY, at=at) if filed else None
            if filed is None or record is None:
                return None
            return FiledCopy(at=filed.at, record=record.over(restores.gaps(tx)))
