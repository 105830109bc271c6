"""A timestamp token, judged: its form, its imprint, and its listed authority's signature. Source: RFC 3161."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import tsp

from signer.errors import InvalidInput
from signer.seal import algorithms, certificates, cms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signer.domain.evidence import SubIndication
    from signer.seal.certificates import Certificate

_MOST_ACCURACY_S = 60


class TokenRefused(ValueError):
    """A token does not count; `sub_indication` is EN 319 102-1's word for it."""

    def __init__(self, sub_indication: SubIndication, detail: str) -> None:
        super().__init__(detail)
        self.sub_indication = sub_indication


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token whose form, imprint and signature are good. `accuracy_s` is what it grants itself, at most 60."""

    at: datetime
    accuracy_s: int
    nonce: int | None
    certificate: Certificate
    embedded: tuple[bytes, ...]


def is_by_another(data: bytes, *, authorities: Iterable[Certificate]) -> bool:
    """Tell whether a token names a signer that is none of the authorities. Raises TokenRefused."""
    signed = _read(data)
    return not any(signed.is_signed_by(listed) for listed in authorities)


def check_foreign(data: bytes, *, imprint_of: bytes) -> None:
    """Check a token by an authority that nobody lists, under the certificate inside: it harms nobody, no more."""
    try:
        inside = [certificates.load(member) for member in _read(data).certificates]
    except InvalidInput as error:
        raise TokenRefused("FORMAT_FAILURE", str(error)) from error
    check(data, imprint_of=imprint_of, authorities=inside)


def _read(data: bytes) -> cms.SignedData:
    try:
        return cms.read(data, content_type=cms.TST_INFO)
    except (ValueError, IndexError) as error:
        raise TokenRefused("FORMAT_FAILURE", certificates.printable(f"the token's form: {error}", most=200)) from error


def check(data: bytes, *, imprint_of: bytes, authorities: Iterable[Certificate], is_fresh: bool = False) -> Token:
    """
    Check a token over `imprint_of` (the signature's value) against the certificates of listed authorities.

    `is_fresh`: it has just been asked for, and the seal that it goes into is verified afterwards (`cms.check_own`).

    Whether the authority's own certificate is valid, and entitled, is `chain`'s and the caller's question.
    Raises TokenRefused.
    """
    try:
        signed = cms.read(data, content_type=cms.TST_INFO)
        info = _read_info(tsp.TSTInfo.load(signed.content or b"", strict=True))
        return judge(signed, info, imprint_of=imprint_of, authorities=authorities, is_fresh=is_fresh)
    except TokenRefused:
        raise
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise TokenRefused("FORMAT_FAILURE", certificates.printable(f"the token's form: {error}", most=200)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a token says (TSTInfo): its time, its imprint and the imprint's AlgorithmIdentifier (DER)."""

    at: datetime
    accuracy_s: int
    nonce: int | None
    imprint: bytes
    imprint_algorithm: bytes


def _read_info(info: tsp.TSTInfo) -> Info:
    imprint = info["message_imprint"]
    return Info(
        at=info["gen_time"].native,
        accuracy_s=_accuracy(info),
        nonce=info["nonce"].native,
        imprint=imprint["hashed_message"].native,
        imprint_algorithm=imprint["hash_algorithm"].dump(),
    )


def judge(
    signed: cms.SignedData,
    info: Info,
    *,
    imprint_of: bytes,
    authorities: Iterable[Certificate],
    is_fresh: bool,
) -> Token:
    """Judge a token that was read, as `check` does. Raises TokenRefused."""
    signer = next((listed for listed in authorities if signed.is_signed_by(listed)), None)
    if signer is None or not _names(signed, signer):
        raise TokenRefused("NO_SIGNING_CERTIFICATE_FOUND", "the token is by no listed authority")
    if weakness := algorithms.fault(
        digest=signed.digest_algorithm, signature=signed.signature_algorithm, certificate=signer.parsed
    ):
        raise TokenRefused("CRYPTO_CONSTRAINTS_FAILURE", weakness)
    if usage := certificates.tsa_usage_fault(signer):
        raise TokenRefused("CHAIN_CONSTRAINTS_FAILURE", usage)
    if signed.unsigned:
        raise TokenRefused("FORMAT_FAILURE", "the token has unsigned attributes")
    digest = hashlib.new(algorithms.DIGESTS[signed.digest_algorithm], signed.content or b"").digest()
    checked = cms.check_own if is_fresh else cms.check_signature
    is_intact, is_valid = checked(signed, signer, digest=digest)
    if not (is_intact and is_valid):
        raise TokenRefused("SIG_CRYPTO_FAILURE", "the token's signature does not verify")
    _check_imprint(info, imprint_of)
    return Token(
        at=info.at,
        accuracy_s=info.accuracy_s,
        nonce=info.nonce,
        certificate=signer,
        embedded=signed.certificates,
    )


def _names(signed: cms.SignedData, signer: Certificate) -> bool:
    """Tell whether ESS names the signer; the older attribute (SHA-1) is accepted beside the list's SHA-256 pin."""
    if cms.SIGNING_CERTIFICATE_V2 in signed.signed:
        return cms.names_certificate(signed, signer)
    if cms.SIGNING_CERTIFICATE not in signed.signed:
        return False
    named = tsp.SigningCertificate.load(signed.signed[cms.SIGNING_CERTIFICATE], strict=True)["certs"][0][
        "cert_hash"
    ].native
    is_same: bool = named == hashlib.sha1(signer.der, usedforsecurity=False).digest()
    return is_same


def _check_imprint(info: Info, imprint_of: bytes) -> None:
    name = algorithms.DIGESTS.get(info.imprint_algorithm)
    if name is None:
        raise TokenRefused("CRYPTO_CONSTRAINTS_FAILURE", "the imprint is not by SHA-256 or better")
    if info.imprint != hashlib.new(name, imprint_of).digest():
        raise TokenRefused("HASH_FAILURE", "the token is over other bytes")


def _accuracy(info: tsp.TSTInfo) -> int:
    stated = info["accuracy"].native
    seconds = (stated or {}).get("seconds") or 0
    return min(int(seconds), _MOST_ACCURACY_S)
