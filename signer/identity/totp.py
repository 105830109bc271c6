"""One-time codes by time: six digits, a step of 30 seconds, one step early or late, each step once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp

from signer.errors import NotPermitted

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["is_code", "new_secret", "step_of", "uri"]

STEP_S = 30
_CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """Return a new secret: 160 random bits in base32. Source: RFC 4226, 4 (R6)."""
    return pyotp.random_base32(32)


def uri(secret: str, *, login: str, issuer: str) -> str:
    """Return what a code on the screen says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def is_code(typed: str) -> bool:
    """Tell whether something typed has the form of a code."""
    return _CODE.fullmatch(typed) is not None


def step_of(secret: str, code: str, *, at: datetime, after: int) -> int:
    """
    Return the time step whose code this is: the present one, the one before or the one behind, later than `after`.

    NotPermitted for a wrong code, and for one of a step that was used (RFC 6238, 5.2).
    """
    totp = pyotp.TOTP(secret)
    found = None
    for turn in (-1, 0, 1):  # all three are compared, whichever fits
        then = at + timedelta(seconds=turn * STEP_S)
        if totp.verify(code, for_time=then, valid_window=0):
            found = totp.timecode(then)
    if found is None or found <= after:
        raise NotPermitted("the code is not right, or was used before")
    return found
