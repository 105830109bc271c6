"""Where a verdict's facts about records come from: a register that is asked now, or what it said in a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from signer.domain.evidence import RegisterFacts
from signer.domain.trust import SealState
from signer.register import logged, lookup, official, restores, seals, status_lists, upgrades
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import ContentFacts, FileFacts, Gap, RecordFacts, TrustFacts
    from signer.domain.log_facts import LogFacts
    from signer.domain.number import Number
    from signer.domain.paper_code import PaperClaims
    from signer.domain.paper_evidence import StatusFacts
    from signer.domain.trust import TrustEntry, TrustList
    from signer.register.database import Database

    _Word = tuple[tuple[upgrades.Spoken, ...], tuple[SealState, datetime] | None]

_ANYBODY = Scope.everything("anybody may verify any file")
_WORSE = (SealState.SUSPENDED, SealState.VERIFY_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledCopy:
    """An official copy and its record; `seal_digest` says whose it is, where the record's content is not known."""

    at: datetime
    record: RecordFacts
    seal_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPaper:
    """What a register says of a number on paper, its place in a status list, and what such a list says."""

    register: RegisterFacts
    place: tuple[int, int] | None = None
    status: StatusFacts | None = None


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

    def log(self, number: Number | None, file: FileFacts) -> LogFacts:
        """Return what its transparency log says of a file that names a number; nothing if it has none at hand."""

    def code(self, claims: PaperClaims | None, at: datetime) -> OnPaper:
        """Return what the register, or a status list, says of the number that a code names."""

    def holds(self, file_digest: str) -> bool:
        """Tell whether the file of this SHA-256 (hex) is on record as one that its issuer made: sealed, or archived."""

    def copy(self, file_digest: str, at: datetime) -> FiledCopy | None:
        """Return the official copy whose whole file has this SHA-256 (hex), or None."""

    def sitting(self, file_digests: tuple[str, ...]) -> Source:
        """Return a source for one request about these files: what is the same for all of them is asked once."""


class RegisterSource:
    """The register itself, and the trust list in use."""

    def __init__(self, *, database: Database, trust: Callable[[], TrustList]) -> None:
        self._database = database
        self._trust = trust
        self._gaps: tuple[Gap, ...] | None = None

    def trust(self) -> TrustList:
        """Return the list in use."""
        return self._trust()

    def later(self, facts: TrustFacts, at: datetime) -> TrustFacts:
        """Ask the register for its own word on the seal, and for the answers that it keeps."""
        entry = facts.entry
        if entry is None:
            return facts
        said, found = self._word(entry, at)
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
            gaps = restores.gaps(tx) if self._gaps is None else self._gaps
            record = lookup.by_number(tx, number, scope=_ANYBODY, at=at, known=content) if number else None
            return RegisterFacts(
                source="register",
                as_of=at,
                is_complete=made_at is None or not any(gap.may_hold(made_at) for gap in gaps),
                record=record.over(gaps) if record else None,
                number_of_digest=lookup.number_of_sealed(tx, sealed, scope=_ANYBODY) if sealed else None,
            )

    def log(self, number: Number | None, file: FileFacts) -> LogFacts:
        """Ask the register's own log."""
        with self._database.read() as tx:
            return logged.of(tx, number, bytes.fromhex(file.sealed_digest) if file.sealed_digest else None)

    def code(self, claims: PaperClaims | None, at: datetime) -> OnPaper:
        """Ask the register for the record of the number, and where its standing is told."""
        number = claims.number if claims else None
        with self._database.read() as tx:
            gaps = restores.gaps(tx) if self._gaps is None else self._gaps
            record = lookup.by_number(tx, number, scope=_ANYBODY, at=at) if number else None
            facts = RegisterFacts(
                source="register", as_of=at, is_complete=not gaps, record=record.over(gaps) if record else None
            )
            return OnPaper(register=facts, place=status_lists.place(tx, number) if number and record else None)

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

    def sitting(self, file_digests: tuple[str, ...]) -> Source:
        """Ask now what is the same for all files of a request, and which of them are known."""
        return _Sitting(self._database, self._trust(), frozenset(map(bytes.fromhex, file_digests)))

    def _word(self, entry: TrustEntry, at: datetime) -> _Word:
        """Ask what was answered about a seal's chain, and how the register itself has the seal."""
        with self._database.read() as tx:
            said = upgrades.answers(tx, (entry.certificate_digest, *entry.chain))
            return said, seals.standing_of(tx, entry.certificate_digest, at=at)


class _Sitting(RegisterSource):
    """
    The register during one request about several files, of one trust list.

    Kept for the request: which files are known, the gaps, the word on each seal. A record and its standing never are.
    """

    def __init__(self, database: Database, trust: TrustList, digests: frozenset[bytes]) -> None:
        super().__init__(database=database, trust=lambda: trust)
        with database.read() as tx:
            self._ours = lookup.ours_of(tx, digests, scope=_ANYBODY)
            self._copies = official.filed_of(tx, digests)
            self._gaps = restores.gaps(tx)
        self._words: dict[str, _Word] = {}

    def holds(self, file_digest: str) -> bool:
        """Tell what was asked at the beginning."""
        return bytes.fromhex(file_digest) in self._ours

    def copy(self, file_digest: str, at: datetime) -> FiledCopy | None:
        """Ask the register if the file was a copy at the beginning."""
        return super().copy(file_digest, at) if bytes.fromhex(file_digest) in self._copies else None

    def _word(self, entry: TrustEntry, at: datetime) -> _Word:
        """Ask once for each seal; two threads may both ask, and are told the same."""
        found = self._words.get(entry.certificate_digest)
        if found is None:
            found = self._words[entry.certificate_digest] = super()._word(entry, at)
        return found
