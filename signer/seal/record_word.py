"""The register's word on one record, signed and believed: by the key that signs its offline bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signer.domain import record_word
from signer.domain.trust import Purpose
from signer.errors import InvalidInput
from signer.seal import jws, service_key

if TYPE_CHECKING:
    from signer.domain.record_word import RecordWord
    from signer.domain.trust import TrustList
    from signer.seal.service_key import ServiceKey

TYPE: Final = "signer-record+jwt"
MOST_BYTES: Final = 1_000 + record_word.MOST_BYTES * 4 // 3
_FIELD: Final = "record"


def sign(word: RecordWord, key: ServiceKey) -> bytes:
    """Return the token of a record's word. Raises KeyUnavailable, KeyElsewhere."""
    return key.sign(record_word.encode(word), typ=TYPE)


def believe(token: bytes, trust: TrustList) -> RecordWord:
    """Verify a token by a trust list that is not older than its own, and return what it says. Raises InvalidInput."""
    read = jws.parse(token, typ=TYPE, field=_FIELD, most_bytes=MOST_BYTES)
    entry = service_key.entry_of(trust, Purpose.BUNDLE, read.kid)
    if entry is None:
        raise InvalidInput(_FIELD, f"the trust list names no key {read.kid} for what a register says")
    if not read.is_by(service_key.public_key(entry)):
        raise InvalidInput(_FIELD, "the signature is not by the key that it names")
    word = record_word.decode(read.payload)
    if fault := service_key.past_fault(entry, word.as_of):
        raise InvalidInput(_FIELD, f"the key that signed it {fault}")
    if (word.origin, word.test) != (trust.origin, trust.test) or word.trust_list > trust.sequence:
        raise InvalidInput(_FIELD, "it speaks of another trust list, or of a later one than is here")
    return word
