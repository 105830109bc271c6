"""What no trust list may say, whoever signed it: it contradicts itself, or a certificate, or the rules of seals."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain.confirmation import SealClass
from signer.domain.trust import MOST_DAYS, SERVICES, Purpose
from signer.errors import InvalidInput
from signer.seal import certificates, naming
from signer.seal.jws import KID_DIGITS

if TYPE_CHECKING:
    from signer.domain.trust import TrustEntry, TrustList

_HOST: Final = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")


def refuse_inconsistent(trust: TrustList, *, roots: frozenset[str]) -> None:
    """Refuse a list that contradicts itself, or gives one of the `roots` (digests of key infos) another purpose."""
    if not trust.issued < trust.expires <= trust.issued + timedelta(days=MOST_DAYS):
        raise InvalidInput("trust-list", f"it must expire after it is issued, and within {MOST_DAYS} days")
    for place, host in enumerate(trust.revocation_hosts):
        if not _HOST.fullmatch(host):
            raise InvalidInput(f"/revocation_hosts/{place}", "is a host or host:port, in small letters, nothing else")
    _refuse_twice(trust, roots)
    authorities = {entry.certificate_digest for entry in trust.of(Purpose.CA)}
    for place, entry in enumerate(trust.entries):
        if not authorities.issuperset(entry.chain):
            raise InvalidInput(f"/entries/{place}/chain", "names an authority that is not on the list")


def _refuse_twice(trust: TrustList, roots: frozenset[str]) -> None:
    """Refuse a certificate that stands twice, a key with two purposes, and two keys that a `kid` cannot tell apart."""
    purposes: dict[str, Purpose] = {}
    seen: set[str] = set()
    kids = {root[:KID_DIGITS]: root for root in roots}
    for place, entry in enumerate(trust.entries):
        field = f"/entries/{place}"
        certificate = _entry_certificate(entry, field, is_test_list=trust.test)
        if certificate.digest in seen:
            raise InvalidInput(field, "the certificate stands twice")
        seen.add(certificate.digest)
        if certificate.key_digest in roots:
            raise InvalidInput(field, "the key has two purposes: it is a root of trust lists")
        if purposes.setdefault(certificate.key_digest, entry.purpose) is not entry.purpose:
            raise InvalidInput(field, "the key has two purposes")
        if kids.setdefault(certificate.key_digest[:KID_DIGITS], certificate.key_digest) != certificate.key_digest:
            raise InvalidInput(field, "another key has the same kid: draw a new key")


def _entry_certificate(entry: TrustEntry, field: str, *, is_test_list: bool) -> certificates.Certificate:
    certificate = certificates.load(_certificate_bytes(entry, field))
    if certificate.digest != entry.certificate_digest:
        raise InvalidInput(f"{field}/certificate_digest", "is not the digest of the certificate")
    if certificate.is_test is not is_test_list:
        words = (
            "a TEST list holds TEST certificates only" if is_test_list else "a TEST certificate on a list that is none"
        )
        raise InvalidInput(f"{field}/certificate", words)
    if entry.purpose is Purpose.PDF_SEAL:
        _refuse_seal(entry, certificate, field, is_test_list=is_test_list)
    _refuse_service(entry, certificate, field)
    if entry.purpose is Purpose.CA and not certificate.is_ca:
        raise InvalidInput(f"{field}/certificate", "is not an authority's")
    if entry.purpose is Purpose.OCSP:
        _refuse_responder(entry, certificate, field)
    return certificate


def _refuse_service(entry: TrustEntry, certificate: certificates.Certificate, field: str) -> None:
    if entry.purpose is Purpose.TSA and (fault := certificates.tsa_usage_fault(certificate)):
        raise InvalidInput(f"{field}/certificate", f"may not make timestamps: {fault}")
    if entry.purpose in SERVICES and (fault := certificates.service_usage_fault(certificate)):
        raise InvalidInput(f"{field}/certificate", f"may not sign for the service: {fault}")
    if entry.purpose is Purpose.LOG and (fault := certificates.log_usage_fault(certificate)):
        raise InvalidInput(f"{field}/certificate", f"may not sign checkpoints of the log: {fault}")
    if entry.purpose is Purpose.PAPER:
        _refuse_paper(entry, certificate, field)


def _refuse_responder(entry: TrustEntry, certificate: certificates.Certificate, field: str) -> None:
    if not entry.chain:
        raise InvalidInput(f"{field}/chain", "a responder needs the authority for which it answers")
    if fault := certificates.responder_usage_fault(certificate):
        raise InvalidInput(f"{field}/certificate", f"may not answer for revocation: {fault}")


def _refuse_paper(entry: TrustEntry, certificate: certificates.Certificate, field: str) -> None:
    """A code on paper names its manufacturer by the key alone: the entry must say whose it is."""
    if entry.uscc is None:
        raise InvalidInput(f"{field}/uscc", "a key for codes on paper needs the manufacturer's uscc")
    if fault := certificates.service_usage_fault(certificate):
        raise InvalidInput(f"{field}/certificate", f"may not sign codes on paper: {fault}")


def _refuse_seal(entry: TrustEntry, certificate: certificates.Certificate, field: str, *, is_test_list: bool) -> None:
    if entry.uscc is None or entry.naming_profile is None or entry.seal_class is None:
        raise InvalidInput(field, "a seal needs uscc, naming_profile and seal_class")
    if (entry.seal_class is SealClass.TEST) is not is_test_list:
        raise InvalidInput(f"{field}/seal_class", "TEST seals, and no others, stand on a TEST list")
    if entry.naming_profile == "pinned" and not entry.naming_evidence:
        raise InvalidInput(f"{field}/naming_evidence", "a pinned certificate needs evidence")
    if entry.seal_class is SealClass.OFFICIAL and not entry.class_evidence:
        words = "OFFICIAL needs evidence of a licensed authority and of filing"
        raise InvalidInput(f"{field}/class_evidence", words)
    if entry.naming_profile != "pinned" and not entry.chain:
        raise InvalidInput(f"{field}/chain", "a seal that is not pinned needs the chain of its authorities")
    if fault := certificates.seal_usage_fault(certificate):
        raise InvalidInput(f"{field}/certificate", f"may not make a seal: {fault}")
    if fault := naming.fault(certificate, profile=entry.naming_profile, legal_name=entry.legal_name, uscc=entry.uscc):
        raise InvalidInput(f"{field}/certificate", f"does not name the manufacturer: {fault}")


def _certificate_bytes(entry: TrustEntry, field: str) -> bytes:
    try:
        data = base64.b64decode(entry.certificate, validate=True)
    except binascii.Error as error:
        raise InvalidInput(f"{field}/certificate", "is not base64") from error
    if base64.b64encode(data).decode() != entry.certificate:
        raise InvalidInput(f"{field}/certificate", "is not canonical base64")
    return data
