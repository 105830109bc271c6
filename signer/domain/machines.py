"""Machines at the door: what a token is, what it may do, and for whom it speaks."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from signer.domain.parties import Role, Uscc
from signer.errors import RightMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signer.domain.parties import Person

Kind = Literal["maker", "exporter", "house"]
KINDS: tuple[Kind, ...] = ("maker", "exporter", "house")
LONGEST, USUAL = timedelta(days=400), timedelta(days=90)
"""How long a token may last at most, and lasts unless said otherwise."""
MOST_TOKENS = 50
"""How many tokens in use one person may have."""


class Right(StrEnum):
    """What a token may do: a scope in OAuth's words (RFC 6749, section 3.3)."""

    OUTLETS_READ = "outlets:read"
    OUTLETS_WRITE = "outlets:write"
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    DRAFTS_READ = "drafts:read"
    DRAFTS_WRITE = "drafts:write"
    APPROVALS_READ = "approvals:read"
    APPROVALS_DECIDE = "approvals:decide"
    CONFIRMATIONS_READ = "confirmations:read"
    CONFIRMATIONS_END = "confirmations:end"
    WEBHOOKS = "webhooks"
    VERIFY = "verify"
    BUNDLES_READ = "bundles:read"
    TOKENS = "tokens"


_MAKERS: Final = frozenset({Role.PREPARER, Role.APPROVER, Role.ADMIN, Role.AUDITOR})
_DESK: Final = frozenset({Role.PREPARER, Role.APPROVER})
_EXPORTER: Final = frozenset({Role.EXPORTER})
_HOUSE: Final = frozenset({Role.OFFICER, Role.OPERATOR, Role.AUDITOR})
HELD: Final[Mapping[Kind, Mapping[Right, frozenset[Role]]]] = {
    "maker": {
        Right.OUTLETS_READ: _MAKERS,
        Right.OUTLETS_WRITE: frozenset({Role.PREPARER}),
        Right.REQUESTS_READ: _MAKERS,
        Right.REQUESTS_WRITE: frozenset({Role.PREPARER, Role.ADMIN}),
        Right.DRAFTS_READ: _MAKERS,
        Right.DRAFTS_WRITE: frozenset({Role.PREPARER}),
        Right.APPROVALS_READ: _MAKERS,
        Right.APPROVALS_DECIDE: frozenset({Role.APPROVER}),
        Right.CONFIRMATIONS_READ: _MAKERS,
        Right.CONFIRMATIONS_END: _DESK,
        Right.WEBHOOKS: frozenset({Role.ADMIN}),
        Right.VERIFY: _MAKERS,
        Right.TOKENS: _MAKERS,
    },
    "exporter": {
        Right.REQUESTS_READ: _EXPORTER,
        Right.REQUESTS_WRITE: _EXPORTER,
        Right.CONFIRMATIONS_READ: _EXPORTER,
        Right.VERIFY: _EXPORTER,
        Right.TOKENS: _EXPORTER,
    },
    "house": {
        Right.VERIFY: _HOUSE,
        Right.BUNDLES_READ: frozenset({Role.OFFICER, Role.OPERATOR}),
        Right.TOKENS: _HOUSE,
    },
}
"""By whom a token speaks for: its rights, and the roles of which its person must have one for each to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Whoever a token speaks for: one natural person, at one manufacturer, for one exporter, or for the house.

    `rights` are those that count now: the token's own, as far as the person's roles carry them at this moment.
    `token` is its public reference; `line` the token that the person made, of which this one came by renewals;
    `language` the person's own.
    """

    token: str
    token_id: int
    line: int
    kind: Kind
    person: Person
    language: str
    rights: frozenset[Right]
    maker: Uscc | None = None
    exporter: Uscc | None = None

    @property
    def by(self) -> str:
        """The person's id: whose word it is."""
        return self.person.id

    @property
    def owner(self) -> str:
        """Whose keys of idempotency these are: the manufacturer's, the exporter's, or the person's."""
        return f"{self.kind} {self.maker or self.exporter or self.person.id}"

    @property
    def uscc(self) -> Uscc:
        """The manufacturer whom the token speaks for. RightMissing for any other token."""
        if self.maker is None:
            raise RightMissing("this token speaks for no manufacturer")
        return self.maker

    @property
    def company(self) -> Uscc:
        """The exporter whom the token speaks for. RightMissing for any other token."""
        if self.exporter is None:
            raise RightMissing("this token speaks for no exporter")
        return self.exporter

    @property
    def of_house(self) -> str:
        """The person who asks for the house. RightMissing for a token that speaks for a company."""
        if self.kind != "house":
            raise RightMissing("this token does not speak for the house")
        return self.person.id

    def refuse_without(self, *rights: Right) -> None:
        """Raise RightMissing unless one of these rights counts now."""
        if not self.rights & set(rights):
            raise RightMissing(" or ".join(rights))


def rights_of(kind: Kind, roles: frozenset[Role]) -> frozenset[Right]:
    """Return what a token of a kind may be given by somebody with these roles there."""
    return frozenset(right for right, needed in HELD[kind].items() if needed & roles)


_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET, _CHECK = 43, 6
_FORM: Final = re.compile(r"sgnr_(test|live)_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")


def draw(*, is_test: bool, bits: Callable[[int], int]) -> str:
    """
    Draw a token: `sgnr_test_` or `sgnr_live_`, 256 random bits in base 62, and six characters of their CRC-32.

    The beginning and the check let a secret scanner know one wherever it lies, without asking anybody.
    """
    secret = _base62(bits(256), _SECRET)
    return f"sgnr_{'test' if is_test else 'live'}_{secret}{_check(secret)}"


def is_token(typed: str, *, is_test: bool) -> bool:
    """Tell whether a text has the form of a token of this mode; what has not is asked of no register."""
    found = _FORM.fullmatch(typed)
    return found is not None and found[1] == ("test" if is_test else "live") and _check(found[2]) == found[3]


def _check(secret: str) -> str:
    return _base62(zlib.crc32(secret.encode("ascii")), _CHECK)


def _base62(number: int, length: int) -> str:
    found = ""
    while len(found) < length:
        number, digit = divmod(number, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found
