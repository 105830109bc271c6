"""Passwords: kept as Argon2id strings, compared with the same work whether there is an account or not."""

from __future__ import annotations

import unicodedata
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from signer.errors import InvalidInput

__all__ = ["LEAST", "MOST", "Passwords", "refuse_weak"]

LEAST, MOST = 12, 200
"""How many characters a password has. Source: NIST SP 800-63B-4, 3.1.1 (no rule on kinds of characters)."""
_LEAST_DIFFERENT = 5


class Passwords:
    """Hashes and compares. Source: RFC 9106 (Argon2id, the library's second recommended parameters)."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()

    @cached_property
    def _nobodys(self) -> str:
        """What an unknown login's password is compared with."""
        return self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """Return the Argon2id string of a password."""
        return self._hasher.hash(_plain(password))

    def is_right(self, typed: str, stored: str | None) -> bool:
        """Tell whether a password fits; without a stored one the same work is done, and the answer is no."""
        instead = self._nobodys  # made at the first comparison of a process, whosever it is
        try:
            self._hasher.verify(stored or instead, _plain(typed))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def is_stale(self, stored: str) -> bool:
        """Tell whether a string was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def refuse_weak(password: str, *, login: str) -> None:
    """Refuse a password that is too short, too long, made of a few characters, or holds the login. InvalidInput."""
    plain = unicodedata.normalize("NFKC", password)
    if not LEAST <= len(plain) <= MOST:
        raise InvalidInput("password", "length")
    name = login.partition("@")[0]
    if len(set(plain)) < _LEAST_DIFFERENT or (len(name) > 5 and name in plain.casefold()):
        raise InvalidInput("password", "simple")


def _plain(password: str) -> bytes:
    """Return the bytes that are hashed: one form for what looks alike, cut where no password is so long."""
    return unicodedata.normalize("NFKC", password[: MOST * 2]).encode("utf-8", "surrogatepass")
