"""The trust list in use, and, in TEST mode only, a whole TEST PKI with its first list."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain import succession
from signer.domain.confirmation import SealClass
from signer.domain.trust import MOST_DAYS, Purpose, TrustEntry, TrustList
from signer.domain.values import format_instant
from signer.errors import InvalidInput, Misconfigured
from signer.register.blobs import write_whole
from signer.seal import pki, reading, roots
from signer.seal import trust as signed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.domain.evidence import SealFacts
    from signer.seal.certificates import Certificate
    from signer.settings import Settings

_SEEN = "trust-list.seen"

_PATIENT: Final = replace(reading.LIMITS, wall_s=20.0)


class TrustSource:
    """
    Hold the trust list of a deployment: read again when its file changes, never an older one than was seen.

    What was seen is in the data folder: `trust-list.seen`, and every list as `trust-list.<sequence>.jws`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.trust_list_path
        self._kept: tuple[tuple[int, int], TrustList] | None = None

    def current(self, at: datetime) -> TrustList:
        """Return the list in use, expired or not. Raises Misconfigured, InvalidInput, TrustListStale."""
        path = self._path
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            if self._kept is None or self._kept[0] != version:
                self._kept = (version, self._load(path.read_bytes(), at))
        except OSError as error:
            raise Misconfigured(f"the trust list {path} cannot be read: {error.strerror}") from error
        return self._kept[1]

    def _load(self, data: bytes, at: datetime) -> TrustList:
        before = self.memory()
        trust, memory = self._believed(data, before, at)
        older = None if before.seen is None or before.seen.sequence == trust.sequence else self._older(before.seen)
        if older is not None and before.seen is not None:
            succession.refuse_weaker(older, trust)
            if trust.sequence == older.sequence + 1:
                succession.refuse_gap(older, trust, older_digest=before.seen.digest)
        self._remember(memory, before, data)
        return trust

    def _believed(self, data: bytes, memory: roots.Memory, at: datetime) -> tuple[TrustList, roots.Memory]:
        trust, newer = roots.believe(data, memory, at=at)
        if trust.test is not (self._settings.mode == "test"):
            kind = "a TEST trust list" if trust.test else "a trust list that is not for TEST"
            raise Misconfigured(f"{kind} does not serve a deployment in {self._settings.mode} mode")
        return trust, newer

    def memory(self) -> roots.Memory:
        """Return what was seen of the lists, under the root that is pinned now."""
        try:
            pinned = signed.read_root(self._settings.trust_root_path.read_bytes())
        except OSError as error:
            words = f"the pinned root {self._settings.trust_root_path} cannot be read: {error.strerror}"
            raise Misconfigured(words) from error
        path = self._settings.data_dir / _SEEN
        if not path.exists():
            return roots.Memory(root=pinned)
        return roots.pinned(roots.parse(path.read_bytes(), root=pinned), pinned)

    def _remember(self, memory: roots.Memory, before: roots.Memory, data: bytes) -> None:
        if memory == before or memory.seen is None:
            return
        self._settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._path_of(memory.seen.sequence), data)
        write_whole(self._settings.data_dir / _SEEN, roots.dump(memory))

    def _path_of(self, sequence: int) -> Path:
        return self._settings.data_dir / f"trust-list.{sequence}.jws"

    def _older(self, seen: signed.Seen) -> TrustList | None:
        """Return a list that was believed before, if it was kept (lists of before this was done were not)."""
        path = self._path_of(seen.sequence)
        if not path.exists():
            return None
        data = path.read_bytes()
        if signed.digest(data) != seen.digest:
            raise Misconfigured(f"{path} is not the list {seen.sequence} that was seen")
        return signed.payload_of(data)

    def present(self, at: datetime) -> tuple[TrustList | None, str | None]:
        """Return the list in use with its digest; None for a deployment that has none yet."""
        path = self._settings.trust_list_path
        if not path.exists():
            return None, None
        return self.current(at), signed.digest(path.read_bytes())

    def published(self) -> bytes:
        """Return the list in use as it was published: a compact JWS, without blanks at its ends."""
        return self._settings.trust_list_path.read_bytes().strip()

    def candidate(self, data: bytes, at: datetime) -> TrustList:
        """Return a list that may take the place of the one in use. Raises what says exactly why it may not."""
        present, digest = self.present(at)
        trust, _ = self._believed(data, self.memory(), at)
        if trust.is_expired(at):
            raise InvalidInput("/expires", f"was {format_instant(trust.expires)}: it is over")
        succession.refuse_successor(present, trust, older_digest=digest)
        return trust

    def put(self, data: bytes, at: datetime) -> TrustList:
        """Put a list in the place of the one in use, whole or not at all."""
        self.candidate(data, at)
        self._settings.trust_list_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._settings.trust_list_path, data)
        return self.current(at)

    def history(self, at: datetime) -> tuple[tuple[TrustList, str], ...]:
        """
        Follow `previous_digest` from the list in use through those that were kept: each with its digest, newest first.

        Raises Misconfigured where the chain breaks; it may end before the first list, where nothing was kept.
        """
        trust, digest = self.present(at)
        found: list[tuple[TrustList, str]] = []
        while trust is not None and digest is not None:
            found.append((trust, digest))
            digest = trust.previous_digest
            older = self._older(signed.Seen(trust.sequence - 1, digest)) if digest else None
            if older is not None:
                succession.refuse_weaker(older, trust)
            trust = older
        return tuple(found)

    def judge(self, data: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
        """Find the facts of a file's seal, in a child process: one of its own, unless the file is one on record."""
        return reading.facts_of(data, trust, at=at, is_known=is_known)

    def judge_patiently(self, data: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
        """As `judge`, for files of our own, for whose verdict nobody waits: a busy machine refuses none."""
        return reading.facts_of(data, trust, at=at, is_known=is_known, limits=_PATIENT)

    def judge_wholly(self, data: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
        """As `judge_patiently`, by the full path alone: what the fast one says is compared with it."""
        return reading.facts_of(data, trust, at=at, is_known=is_known, is_whole=True, limits=_PATIENT)


def make_test_pki(settings: Settings, description: bytes, *, at: datetime) -> dict[str, str]:
    """
    Make a TEST PKI in the folder of keys, and a trust list that names it; keep what is there.

    Returns the key file (relative to that folder) of each seal by its certificate's digest. Misconfigured
    outside TEST mode.
    """
    if settings.mode != "test":
        raise Misconfigured("a TEST PKI is made in test mode only")
    made = pki.make_pki(settings.keys, pki.read_description(description), at=at)
    _publish(settings.trust_list_path, made, base_url=settings.base_url.rstrip("/"), at=at)
    return {maker.certificate.digest: maker.key_file.relative_to(settings.keys).as_posix() for maker in made.makers}


def _publish(path: Path, made: pki.Pki, *, base_url: str, at: datetime) -> None:
    entries = _entries(made)
    sequence, previous = 1, None
    if path.exists():
        data = path.read_bytes()
        older = signed.load(data, root=signed.read_root(made.list_public_file.read_bytes()), at=at)
        entries = _kept(older.entries, entries)
        if (older.entries, older.base_url) == (entries, base_url) and at < older.issued + timedelta(days=1):
            return
        sequence, previous = older.sequence + 1, signed.digest(data)
    issued = at.replace(microsecond=0)
    trust = TrustList(
        origin="TEST trust list of this deployment",
        sequence=sequence,
        previous_digest=previous,
        issued=issued,
        expires=issued + timedelta(days=MOST_DAYS),
        test=True,
        base_url=base_url,
        entries=entries,
    )
    key = signed.load_signing_key(made.list_key_file.read_bytes(), password=made.password)
    write_whole(path, signed.sign(trust, key=key))


def _kept(older: tuple[TrustEntry, ...], newer: tuple[TrustEntry, ...]) -> tuple[TrustEntry, ...]:
    """Keep every entry of the older list as it stands, its state above all, and add what is new."""
    known = {entry.certificate_digest for entry in older}
    return (*older, *(entry for entry in newer if entry.certificate_digest not in known))


def _entries(made: pki.Pki) -> tuple[TrustEntry, ...]:
    upward = (made.issuing, made.root)
    chain = tuple(authority.digest for authority in upward)
    found = [_entry(Purpose.CA, authority, "TEST authority") for authority in upward]
    found.append(_entry(Purpose.TSA, made.tsa, "TEST timestamping authority", chain=chain))
    found.append(_entry(Purpose.RECEIPT, made.receipt, "TEST receipts of this deployment", chain=chain))
    found.append(_entry(Purpose.BUNDLE, made.bundle, "TEST offline bundles of this deployment", chain=chain))
    found.append(_entry(Purpose.STATUS, made.status, "TEST status lists of this deployment", chain=chain))
    found.append(_entry(Purpose.LOG, made.log, "TEST transparency log of this deployment", chain=chain))
    for maker in made.makers:
        plain = _entry(Purpose.PDF_SEAL, maker.certificate, maker.legal_name, chain=chain)
        seal = {"uscc": maker.uscc, "naming_profile": maker.profile, "seal_class": SealClass.TEST}
        found.append(plain.model_copy(update=seal))
        paper = _entry(Purpose.PAPER, maker.paper, maker.legal_name, chain=chain)
        found.append(paper.model_copy(update={"uscc": maker.uscc}))
    return tuple(found)


def _entry(purpose: Purpose, certificate: Certificate, name: str, *, chain: tuple[str, ...] = ()) -> TrustEntry:
    return TrustEntry(
        purpose=purpose,
        legal_name=name,
        certificate=base64.b64encode(certificate.der).decode("ascii"),
        certificate_digest=certificate.digest,
        chain=chain,
        from_at=certificate.not_before,
        until_at=certificate.not_after,
    )
