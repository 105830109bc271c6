"""
The key by which the log signs its checkpoints (Ed25519), and the secret by which its leaves are tagged.

The key is held in memory: it is the only one that signs inside a transaction. No store but a file keeps it, because
what signs tree heads every few seconds cannot ask a token each time (docs/adr/0050).
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.domain.trust import Purpose, SealState
from signer.errors import KeyElsewhere, KeyUnavailable, Misconfigured
from signer.seal import certificates, keys
from signer.seal.certificates import Certificate
from signer.transparency.notes import NoteKey, sign_note

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList

FILE: Final = "log.pem"
SECRET_FILE: Final = "log.secret"  # noqa: S105 - a file's name
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class LogKey:
    """A checkpoint key that one process opened, and its certificate."""

    certificate: Certificate
    _key: Ed25519PrivateKey
    _pid: int = field(default_factory=os.getpid)

    def __repr__(self) -> str:
        return f"LogKey({self.certificate.digest[:16]})"

    def named(self, origin: str) -> NoteKey:
        """Return its public half under the name of a log."""
        return NoteKey(origin, self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, text: str, *, origin: str) -> str:
        """Return the signed note of a checkpoint's text. Raises KeyElsewhere."""
        if os.getpid() != self._pid:
            raise KeyElsewhere(f"{self!r} was opened by process {self._pid}; open it anew after the fork")
        return sign_note(text, name=origin, key_id=self.named(origin).id, sign_raw=self._key.sign)


def load(path: Path, *, password: bytes) -> LogKey:
    """Open the key of a file: PEM, encrypted, its certificate beside it. Raises KeyUnavailable, Misconfigured."""
    key, members = keys.open_file(path, password)
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path}: the log's key is not on Ed25519")
    if not members:
        raise Misconfigured(f"{path}: no certificate is beside the key")
    own = keys.certificate_of(members[0], name=str(path))
    if public_key(own) != key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw):
        raise Misconfigured(f"{path}: the certificate is not that of the key: put the right one beside it")
    return LogKey(own, key)


def admit(key: LogKey, trust: TrustList, *, at: datetime) -> LogKey:
    """Return a key that may sign checkpoints now: the trust list says so. Raises Misconfigured, KeyUnavailable."""
    if fault := certificates.log_usage_fault(key.certificate) or list_fault(key, trust, at=at):
        raise Misconfigured(f"the log's key: {fault}")
    keys.refuse_outside_validity(key.certificate, at, name=FILE)
    return key


def list_fault(key: LogKey, trust: TrustList, *, at: datetime) -> str:
    """Return why the trust list does not let a key sign checkpoints now, or ''."""
    entry = trust.by_digest(key.certificate.digest)
    if entry is None:
        return f"the trust list does not name {key.certificate.digest[:16]}: publish one that does"
    if entry.purpose is not Purpose.LOG:
        return f"the trust list gives it the purpose {entry.purpose}: put the right key in its place"
    if entry.state is not SealState.ACTIVE:
        return f"the trust list says that it is {entry.state}: put the next key in its place"
    return "" if entry.is_entitled(at) else "the trust list does not entitle it now"


def public_key(certificate: Certificate) -> bytes:
    """Return the 32 bytes of a certificate's Ed25519 key. Raises Misconfigured for another."""
    key = certificate.parsed.public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"the key of {certificate.digest[:16]} is not on Ed25519")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def note_key(entry: TrustEntry, *, origin: str) -> NoteKey:
    """Return the key of an entry for the log, whatever its state, under the name of a log. Raises Misconfigured."""
    return NoteKey(origin, public_key(Certificate(entry.der)))


def read_secret(path: Path) -> bytes:
    """Return the secret (32 bytes) by which leaves are tagged. Raises KeyUnavailable, Misconfigured."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise KeyUnavailable(f"{path}: {error.strerror or 'unreadable'}") from error
    except ValueError as error:
        raise Misconfigured(f"{path}: the log's secret is not in hexadecimal digits") from error
    if len(secret) != SECRET_BYTES:
        raise Misconfigured(f"{path}: the log's secret has not {SECRET_BYTES} bytes")
    return secret


def make_secret(path: Path) -> None:
    """Draw the secret, whole or not at all (mode 0600), unless there is one. Raises KeyUnavailable."""
    if path.exists():
        return
    whole = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(whole, path)  # never over one that another process made meanwhile
    except FileExistsError:
        pass
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be written: {error.strerror}") from error
    finally:
        whole.unlink(missing_ok=True)
