"""The trust list in use, and, in TEST mode only, a whole TEST PKI with its first list."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.confirmation import SealClass
from signer.domain.trust import MOST_DAYS, Purpose, TrustEntry, TrustList
from signer.errors import Misconfigured
from signer.register.blobs import write_whole
from signer.seal import pki, reading
from signer.seal import trust as signed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.domain.evidence import SealFacts
    from signer.seal.certificates import Certificate
    from signer.settings import Settings

_SEEN = "trust-list.seen"


class TrustSource:
    """Hold the trust list of a deployment: read again when its file changes, never an older one than was seen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: tuple[tuple[int, int], TrustList] | None = None

    def current(self, at: datetime) -> TrustList:
        """Return the list in use, expired or not. Raises Misconfigured, InvalidInput, TrustListStale."""
        path = self._settings.trust_list_path
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            if self._kept is None or self._kept[0] != version:
                self._kept = (version, self._load(path.read_bytes(), at))
        except OSError as error:
            raise Misconfigured(f"the trust list {path} cannot be read: {error.strerror}") from error
        return self._kept[1]

    def _load(self, data: bytes, at: datetime) -> TrustList:
        root = signed.read_root(self._settings.trust_root_path.read_bytes())
        trust = signed.load(data, root=root, at=at, highest_seen=self._seen())
        if trust.test is not (self._settings.mode == "test"):
            kind = "a TEST trust list" if trust.test else "a trust list that is not for TEST"
            raise Misconfigured(f"{kind} does not serve a deployment in {self._settings.mode} mode")
        self._remember(signed.Seen(sequence=trust.sequence, digest=signed.digest(data)))
        return trust

    def _seen(self) -> signed.Seen | None:
        path = self._settings.data_dir / _SEEN
        if not path.exists():
            return None
        sequence, digest = path.read_text(encoding="ascii").split()
        return signed.Seen(sequence=int(sequence), digest=digest)

    def _remember(self, seen: signed.Seen) -> None:
        if self._seen() != seen:
            self._settings.data_dir.mkdir(parents=True, exist_ok=True)
            write_whole(self._settings.data_dir / _SEEN, f"{seen.sequence} {seen.digest}\n".encode("ascii"))

    def judge(self, data: bytes, trust: TrustList, at: datetime) -> SealFacts:
        """Find the facts of a file's seal, in a child process of its own."""
        return reading.facts_of(data, trust, at=at)


def make_test_pki(settings: Settings, description: bytes, *, at: datetime) -> dict[str, str]:
    """
    Make a TEST PKI in the folder of keys, and a trust list that names it; keep what is there.

    Returns the key file (relative to that folder) of each seal by its certificate's digest. Misconfigured
    outside TEST mode.
    """
    if settings.mode != "test":
        raise Misconfigured("a TEST PKI is made in test mode only")
    made = pki.make_pki(settings.keys, pki.read_description(description), at=at)
    _publish(settings.trust_list_path, made, at=at)
    return {maker.certificate.digest: maker.key_file.relative_to(settings.keys).as_posix() for maker in made.makers}


def _publish(path: Path, made: pki.Pki, *, at: datetime) -> None:
    entries = _entries(made)
    sequence, previous = 1, None
    if path.exists():
        data = path.read_bytes()
        older = signed.load(data, root=signed.read_root(made.list_public_file.read_bytes()), at=at)
        entries = _kept(older.entries, entries)
        if older.entries == entries and at < older.issued + timedelta(days=1):
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
    for maker in made.makers:
        plain = _entry(Purpose.PDF_SEAL, maker.certificate, maker.legal_name, chain=chain)
        seal = {"uscc": maker.uscc, "naming_profile": maker.profile, "seal_class": SealClass.TEST}
        found.append(plain.model_copy(update=seal))
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
