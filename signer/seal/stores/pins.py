"""
A wrong PIN is tried once by one process, and never again by any: tokens lock themselves after a few.

What failed is remembered in a file for each token, as a slow salted hash (scrypt), never the PIN. A PIN that failed is
not tried again until the file that holds it says another.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import KeyUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SALT, _SALT_BYTES = "salt", 32
_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


@dataclass(frozen=True, slots=True)
class Trial:
    """One try of a PIN. `has_failures`: others were tried here in vain since one worked."""

    _path: Path
    _hash: str
    has_failures: bool

    def fail(self) -> None:
        """Remember that the PIN is wrong."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self._hash + "\n")
            file.flush()
            os.fsync(descriptor)

    def work(self) -> None:
        """Forget what failed before: the PIN is right."""
        self._path.unlink(missing_ok=True)


class Pins:
    """What is remembered of PINs, in a folder of the deployment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def trying(self, place: str, pin: bytes) -> Iterator[Trial]:
        """
        Hold everyone else off while a PIN is tried; `place` is the token's serial number, or the service's address.

        Raises KeyUnavailable if this very PIN failed there before.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            salt = self._salt()
            path = self._path(place, salt)
            failed = path.read_text(encoding="ascii").split() if path.exists() else []
            own = hashlib.scrypt(pin, salt=salt + place.encode(), **_COST).hex()
            if own in failed:
                raise KeyUnavailable(
                    f"{place}: this PIN was tried once and is wrong; it is not tried again until its file says another"
                )
            yield Trial(path, own, bool(failed))

    def has_failures(self, place: str) -> bool:
        """Tell whether a PIN failed at a place since one worked: quickly, and without holding anybody off."""
        path = self._folder / _SALT
        return path.exists() and self._path(place, path.read_bytes()).exists()

    def _path(self, place: str, salt: bytes) -> Path:
        return self._folder / hashlib.sha256(salt + place.encode()).hexdigest()[:32]

    def _salt(self) -> bytes:
        path = self._folder / _SALT
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SALT_BYTES))
        return path.read_bytes()
