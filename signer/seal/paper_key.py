"""
The keys that sign the codes on paper: one for each manufacturer and year, which they are, and who vouches.

Each is on P-256, has its own entry on the trust list, and lies in `paper` in the folder of keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from signer.domain.parties import is_same_name
from signer.domain.trust import Purpose
from signer.domain.values import BEIJING
from signer.errors import Misconfigured
from signer.seal import forms, pki, service_key
from signer.seal.certificates import TEST_POLICY_OID

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.parties import Manufacturer
    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.keys import SealKey

_NAME: Final = re.compile(r"(?P<uscc>[0-9A-Z]{18})-(?P<year>[0-9]{4})(?P<suffix>\.[a-z0-9.]+)")
_OVERLAP: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class PaperKey:
    """A key that may sign a manufacturer's codes now: the trust list says so in `entry`."""

    key: SealKey
    entry: TrustEntry

    @property
    def kid(self) -> bytes:
        """The key's name in a code (8 bytes)."""
        return bytes.fromhex(self.key.certificate.key_digest)[:8]


@dataclass(frozen=True, slots=True)
class Made:
    """A new key: its encrypted file with the certificate, and the certificate alone, both PEM."""

    name: str
    secret: bytes
    certificate: bytes


def stem(uscc: str, year: int) -> str:
    """Return the name of a year's key in the folder of keys, without what says which store it is in."""
    return f"{pki.PAPER_FOLDER}/{uscc}-{year:04d}"


def names(folder: Path, uscc: str) -> tuple[str, ...]:
    """Return the names of a manufacturer's keys in the folder of keys, the newest year first."""
    found = []
    for path in (folder / pki.PAPER_FOLDER).glob(f"{uscc}-*"):
        match = _NAME.fullmatch(path.name)
        if match and match["uscc"] == uscc and match["suffix"] in service_key.SUFFIXES:
            found.append((match["year"], f"{pki.PAPER_FOLDER}/{path.name}"))
    return tuple(name for _, name in sorted(found, reverse=True))


def fault(key: SealKey, trust: TrustList, maker: Manufacturer, *, at: datetime) -> str:
    """Return why a key may not sign a manufacturer's codes now, or ''."""
    if found := service_key.usage_fault(key) or service_key.list_fault(key, trust, Purpose.PAPER, at=at):
        return found
    entry = trust.by_digest(key.certificate.digest)
    if entry is None or (entry.uscc == maker.uscc and is_same_name(entry.legal_name, maker.legal_name)):
        return ""
    return f"the trust list gives it to {entry.legal_name!r} ({entry.uscc})"


def admit(key: SealKey, trust: TrustList, maker: Manufacturer, *, at: datetime, issued_at: datetime) -> PaperKey:
    """
    Return a key as one that may sign the codes of what a manufacturer issued at an instant, now.

    Raises Misconfigured, naming what is wrong.
    """
    found, entry = fault(key, trust, maker, at=at), trust.by_digest(key.certificate.digest)
    if found or entry is None:
        raise Misconfigured(f"the key for codes on paper: {found}")
    if not entry.is_entitled(issued_at):
        raise Misconfigured("the key for codes on paper: the trust list does not entitle it at the time of issue")
    return PaperKey(key, entry)


def make(maker: Manufacturer, year: int, *, password: bytes, at: datetime, is_test: bool) -> Made:
    """
    Draw a year's key, with a certificate by itself: what makes it count is the trust list, not who certified it.

    It begins now, or a fortnight before the year, and ends a fortnight after the year, so that the next one can be
    put in place in peace.
    """
    key = forms.new_key()
    first, last = (datetime(each, 1, 1, tzinfo=BEIJING).astimezone(UTC) for each in (year, year + 1))
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{maker.uscc}"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{'TEST ' if is_test else ''}codes on paper {year:04d}"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(at, first - _OVERLAP).replace(microsecond=0))
        .not_valid_after(last + _OVERLAP)
        .add_extension(forms.usage("digital_signature"), critical=True)
    )
    if is_test:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(TEST_POLICY_OID), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return Made(
        name=f"{stem(maker.uscc, year)}.pem",
        secret=forms.pem_of(key, (certificate,), password=password),
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
    )
