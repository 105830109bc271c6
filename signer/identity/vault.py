"""
The one secret of the web pages: made once, kept in a file, from which every other is derived.

From it come the key under which TOTP secrets are kept, the key that signs forms and the key that signs links. Who
loses it loses the TOTP factors and running sessions, and nothing that was sealed.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signer.errors import KeyUnavailable, Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Vault", "open_vault"]

BYTES = 32
_NONCE = 12


@dataclass(frozen=True, slots=True, repr=False)
class Vault:
    """A secret of 32 bytes, and what is derived from it, each for one purpose."""

    secret: bytes

    def key(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose. Source: RFC 5869."""
        return HKDF(algorithm=SHA256(), length=BYTES, salt=None, info=f"signer/{purpose}/1".encode()).derive(
            self.secret
        )

    def lock(self, plain: bytes, *, about: str) -> bytes:
        """Encrypt a small secret (AES-256-GCM, a nonce before it), bound to what it is about."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.key("vault")).encrypt(nonce, plain, about.encode())

    def unlock(self, locked: bytes, *, about: str) -> bytes:
        """Decrypt it. Raises KeyUnavailable if it was locked by another secret, or about something else."""
        try:
            return AESGCM(self.key("vault")).decrypt(locked[:_NONCE], locked[_NONCE:], about.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyUnavailable("what is kept was encrypted under another secret of the web pages") from error


def _about(purpose: str) -> bytes:
    return f"signer/{purpose}/1".encode()


def open_vault(path: Path) -> Vault:
    """Read the secret, and make it where there is none yet (mode 0600). Misconfigured names what is wrong with it."""
    try:
        _make(path)
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the web pages' secret {path.name} cannot be used: {error}") from error
    if len(secret) != BYTES:
        raise Misconfigured(f"the web pages' secret {path.name} is not {BYTES} bytes in hexadecimal digits")
    return Vault(secret)


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all, unless there is one."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(whole, path)  # never over one that another process made meanwhile
    except FileExistsError:
        pass
    finally:
        whole.unlink()
