"""Recovery codes: for the day on which every other factor is lost. Long enough that a plain digest gives none away."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COUNT", "digest", "draw", "is_code"]

COUNT = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CODE = re.compile(rf"[{_ALPHABET}]{{16}}")
_MISREAD = str.maketrans("oil", "011")


def draw(bits: Callable[[int], int]) -> tuple[str, ...]:
    """Return ten codes of 80 random bits each, as `xxxx-xxxx-xxxx-xxxx`."""
    return tuple(_written(bits(80)) for _ in range(COUNT))


def is_code(typed: str) -> bool:
    """Tell whether something typed has the form of a recovery code."""
    return _CODE.fullmatch(_folded(typed)) is not None


def digest(typed: str, *, person: str) -> bytes:
    """Return the SHA-256 by which the register knows a person's code, however it was typed."""
    return hashlib.sha256(f"{person}\n{_folded(typed)}".encode()).digest()


def _folded(typed: str) -> str:
    return "".join(typed[:64].split()).replace("-", "").lower().translate(_MISREAD)


def _written(number: int) -> str:
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(16))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))
