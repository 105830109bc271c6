"""
A status list, signed and believed: its own key, and where it lies, stand on the trust list that a pinned root signed.

Source: docs/reference/status-list.md; IETF, Token Status List (draft-ietf-oauth-status-list-19), sections 5.1 and 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain import status_list
from signer.domain.trust import Purpose
from signer.errors import InvalidInput
from signer.seal import jws, service_key

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.status_list import StatusList
    from signer.domain.trust import TrustList
    from signer.seal.service_key import ServiceKey

TYPE: Final = "statuslist+jwt"
MIME: Final = "application/statuslist+jwt"
MOST_BYTES: Final = 1_000 + status_list.MOST_BYTES * 4 // 3
_FIELD: Final = "status-list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A list whose signature is good, its number, and the token as it came."""

    number: int
    list: StatusList
    token: bytes


def sign(uri: str, places: bytes | bytearray, key: ServiceKey, *, at: datetime) -> bytes:
    """Return the token of a list, as of an instant. Raises KeyUnavailable, KeyElsewhere."""
    return key.sign(status_list.encode(uri, places, at=at), typ=TYPE)


def believe(token: bytes, trust: TrustList) -> Believed:
    """
    Verify a token by a trust list: who signed it, and that it is a list of that very service.

    Where it was found says nothing: only the trust list says where a service's lists lie. Raises InvalidInput.
    """
    read = jws.parse(token, typ=TYPE, field=_FIELD, most_bytes=MOST_BYTES)
    entry = service_key.entry_of(trust, Purpose.STATUS, read.kid)
    if entry is None:
        raise InvalidInput(_FIELD, f"the trust list names no key {read.kid} for status lists")
    if not read.is_by(service_key.public_key(entry)):
        raise InvalidInput(_FIELD, "the signature is not by the key that it names")
    if trust.base_url is None:
        raise InvalidInput(_FIELD, "the trust list does not say where this service's status lists lie")
    found = status_list.decode(read.payload)
    if fault := service_key.past_fault(entry, found.at):
        raise InvalidInput(_FIELD, f"the key that signed it {fault}")
    return Believed(number=status_list.number_of(found.uri, trust.base_url), list=found, token=token.strip())


def recall(token: bytes) -> StatusList:
    """Return what a token says without asking who signed it: for what was believed before. Raises InvalidInput."""
    return status_list.decode(jws.unverified_payload(token, field=_FIELD))
