"""
What the signed code on paper says, and how bytes become the digits that are printed. The bytes are frozen.

`paper.cose` signs and reads it; the form, field by field: docs/reference/paper-code.md.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import Field, ValidationError, model_validator

from signer.domain.number import Number
from signer.domain.parties import Uscc
from signer.domain.values import Day, Frozen, Instant
from signer.domain.vehicle import VIN_ALPHABET, Vin
from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.domain.cbor import Cbor
    from signer.domain.confirmation import Confirmation

FRAGMENT: Final = re.compile(r"#([1-9][0-9]{99,3999})(?![0-9])", re.ASCII)
"""What stands after the path of a code's address; what a messenger appends to it is not read."""
VERSION: Final = 1
"""The first byte: which form the rest has. It also keeps a leading zero from ever being the first digit."""
PATH: Final = "/v"
VINS_A_PAGE: Final = 20
MOST_PAGES: Final = 10
LIST_LENGTH: Final = 131_072
"""How many places a status list has."""
VIN_BYTES: Final = 11
VIN_LENGTH: Final = 17
_ISSUER, _NUMBER, _ISSUED_AT, _CONFIRMATION = 1, 2, 6, -65537
"""Claims of a CWT: iss, sub, iat, and one of ours. Source: RFC 8392, 3.1 and 9.1 (private use below -65536)."""
_VINS, _DESTINATION, _DIGEST, _STATUS, _PAGE, _EXPORTER, _UNTIL = range(1, 8)
_OUTER: Final = frozenset({_ISSUER, _NUMBER, _ISSUED_AT, _CONFIRMATION})
_INNER: Final = frozenset({_VINS, _DESTINATION, _DIGEST, _EXPORTER})
_OPTIONAL: Final = frozenset({_STATUS, _PAGE, _UNTIL})
_EPOCH: Final = date(1970, 1, 1)


class PaperCodeRefused(SignerError):
    """
    A text is no code of ours, or not the one way to write it; `reason` never changes its meaning.

    The reasons stand in docs/reference/paper-code.md.
    """

    code = "paper-code-refused"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class PaperClaims(Frozen):
    """
    What one code says: `vins` those of its page in typed order, `page` which of how many if it is not the only one.

    `content_digest` is SHA-256 of the content (32 bytes), `status` the list and the index in it, `until` the last day
    of licence applications. The maker's name is not in it: that is for the trust list to say.
    """

    issuer: Uscc
    number: Number
    issued_at: Instant
    vins: Annotated[tuple[Vin, ...], Field(min_length=1, max_length=VINS_A_PAGE)]
    destination: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    content_digest: Annotated[bytes, Field(min_length=32, max_length=32)]
    exporter: Uscc
    status: tuple[Annotated[int, Field(ge=1, lt=1 << 32)], Annotated[int, Field(ge=0, lt=LIST_LENGTH)]] | None = None
    page: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2, le=MOST_PAGES)]] | None = None
    until: Day | None = None

    @model_validator(mode="after")
    def _is_one_page(self) -> Self:
        if self.page is not None and self.page[0] > self.page[1]:
            raise ValueError("a page is one of its pages")
        if len(set(self.vins)) != len(self.vins):
            raise ValueError("a VIN stands twice")
        if self.issued_at.timestamp() < 0 or (self.until is not None and self.until < _EPOCH):
            raise ValueError("no time before 1970 has a place in a code")
        return self


def of(
    confirmation: Confirmation, *, content_digest: bytes, status: tuple[int, int] | None = None
) -> tuple[PaperClaims, ...]:
    """Return what the codes of a confirmation say, a code for each twenty vehicles."""
    terms = confirmation.terms
    parts = [terms.vins[start : start + VINS_A_PAGE] for start in range(0, len(terms.vins), VINS_A_PAGE)]
    return tuple(
        PaperClaims(
            issuer=terms.manufacturer.uscc,
            number=confirmation.number,
            issued_at=confirmation.issued_at,
            vins=part,
            destination=terms.destination.country.alpha2,
            content_digest=content_digest,
            exporter=terms.exporter.uscc,
            status=status,
            page=None if len(parts) == 1 else (place, len(parts)),
            until=confirmation.until,
        )
        for place, part in enumerate(parts, start=1)
    )


def to_claims(claims: PaperClaims) -> dict[int, Cbor]:
    """Return the claims of a CWT by their numbers; what is absent has no number in it."""
    inner: dict[int, Cbor] = {
        _VINS: b"".join(map(pack_vin, claims.vins)),
        _DESTINATION: claims.destination,
        _DIGEST: claims.content_digest,
        _EXPORTER: str(claims.exporter),
    }
    if claims.status is not None:
        inner[_STATUS] = claims.status
    if claims.page is not None:
        inner[_PAGE] = claims.page
    if claims.until is not None:
        inner[_UNTIL] = (claims.until - _EPOCH).days
    return {
        _ISSUER: str(claims.issuer),
        _NUMBER: str(claims.number),
        _ISSUED_AT: int(claims.issued_at.timestamp()),
        _CONFIRMATION: inner,
    }


def from_claims(value: Cbor) -> PaperClaims:
    """Return what a CWT of ours says. Raises PaperCodeRefused `claims` (one missing or unknown), `claim` (a value)."""
    outer = _known(value, needed=_OUTER)
    inner = _known(outer[_CONFIRMATION], needed=_INNER, may=_OPTIONAL)
    try:
        return PaperClaims.model_validate(
            {
                "issuer": outer[_ISSUER],
                "number": outer[_NUMBER],
                "issued_at": _instant(outer[_ISSUED_AT]),
                "vins": _vins(inner[_VINS]),
                "destination": inner[_DESTINATION],
                "content_digest": inner[_DIGEST],
                "exporter": inner[_EXPORTER],
                "status": _present(inner, _STATUS),
                "page": _present(inner, _PAGE),
                "until": _day(inner[_UNTIL]) if _UNTIL in inner else None,
            }
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise PaperCodeRefused("claim", f"{'.'.join(map(str, first['loc']))} {first['msg']}"[:200].strip()) from error


def _known(value: Cbor, *, needed: frozenset[int], may: frozenset[int] = frozenset()) -> Mapping[int, Cbor]:
    if not isinstance(value, dict):
        raise PaperCodeRefused("claims", "no map of claims")
    if missing := sorted(needed - value.keys()):
        raise PaperCodeRefused("claims", f"{missing[0]} is missing")
    if unknown := sorted(value.keys() - needed - may):
        raise PaperCodeRefused("claims", f"{unknown[0]} is not known")
    return value


def _present(inner: Mapping[int, Cbor], key: int) -> Cbor | None:
    if key in inner and not isinstance(inner[key], tuple):
        raise PaperCodeRefused("claim", f"{key} is no pair")
    return inner.get(key)


def _instant(value: Cbor) -> datetime:
    if not isinstance(value, int) or not 0 <= value < 1 << 35:
        raise PaperCodeRefused("claim", "iat is no time")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)


def _day(value: Cbor) -> date:
    if not isinstance(value, int) or not 0 <= value < 1 << 19:
        raise PaperCodeRefused("claim", "until is no day")
    return _EPOCH + timedelta(days=value)


def _vins(value: Cbor) -> tuple[str, ...]:
    if not isinstance(value, bytes) or len(value) % VIN_BYTES:
        raise PaperCodeRefused("claim", f"vins are not {VIN_BYTES} bytes each")
    return tuple(unpack_vin(value[start : start + VIN_BYTES]) for start in range(0, len(value), VIN_BYTES))


def pack_vin(vin: Vin) -> bytes:
    """Return a VIN as a number to the base 33, its first character the highest (11 bytes, big-endian)."""
    number = 0
    for char in vin:
        number = number * len(VIN_ALPHABET) + VIN_ALPHABET.index(char)
    return number.to_bytes(VIN_BYTES, "big")


def unpack_vin(packed: bytes) -> str:
    """Return the 17 characters of eleven bytes; whether they are a VIN is not asked. Raises PaperCodeRefused."""
    number, chars = int.from_bytes(packed, "big"), ""
    for _ in range(VIN_LENGTH):
        number, value = divmod(number, len(VIN_ALPHABET))
        chars = VIN_ALPHABET[value] + chars
    if number:
        raise PaperCodeRefused("claim", "a VIN is out of range")
    return chars


def to_digits(signed: bytes) -> str:
    """Return the digits of a signed code: the decimal number of the version's byte and the code's."""
    return str(int.from_bytes(bytes([VERSION]) + signed, "big"))


def find(text: str) -> str:
    """
    Return the digits in the text of a code: an address with its fragment, or the fragment alone, from its `#`.

    What stands before the `#` says nothing, because who prints it may print any. Raises PaperCodeRefused `form`.
    """
    found = FRAGMENT.match(text, max(text.find("#"), 0))
    if found is None:
        raise PaperCodeRefused("form", "no # and 100 to 4000 digits of which the first is no zero")
    return found[1]


def from_digits(digits: str) -> bytes:
    """Return the signed code of digits that `find` found. Raises PaperCodeRefused `version`."""
    number = int(digits)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if data[0] != VERSION:
        raise PaperCodeRefused("version", f"the first byte is {data[0]}, not {VERSION}")
    return data[1:]


def link(base_url: str, digits: str) -> str:
    """Return the address in the code; the fragment never reaches a server's log."""
    return f"{base_url.rstrip('/')}{PATH}#{digits}"
