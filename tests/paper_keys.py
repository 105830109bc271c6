"""Keys for codes on paper, made for a test and put on its trust list; and codes signed by them, good and forged."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signer.domain import paper_code
from signer.domain.trust import Purpose, TrustEntry
from signer.paper import cose
from signer.register import lookup, status_lists
from signer.register.scope import Scope
from signer.seal.certificates import TEST_POLICY_OID, Certificate

if TYPE_CHECKING:
    from datetime import datetime

    from world import World

    from signer.domain.number import Number
    from signer.domain.paper_code import PaperClaims

BASE = "https://confirm.example.org"
_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Key:
    """A key with its certificate."""

    private: ec.EllipticCurvePrivateKey
    certificate: Certificate

    def sign(self, claims: PaperClaims, *, base_url: str = BASE) -> str:
        """Return the address of a signed code."""
        kid = cose.kid_of(self.certificate.key_info)
        digits = cose.encode(claims, kid=kid, sign_raw=lambda data: self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return paper_code.link(base_url, digits)

    def entry(self, *, uscc: str, name: str, **more: Any) -> TrustEntry:
        """Return what a trust list says of the key."""
        return TrustEntry(
            purpose=Purpose.PAPER,
            uscc=uscc,  # type: ignore[arg-type]
            legal_name=name,
            certificate=base64.b64encode(self.certificate.der).decode(),
            certificate_digest=self.certificate.digest,
            from_at=self.certificate.not_before,
            until_at=self.certificate.not_after,
            **more,
        )


def make(at: datetime, *, is_test: bool = True) -> Key:
    """Make a key whose certificate holds for a year around an instant."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST codes on paper")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at.replace(microsecond=0) - timedelta(days=180))
        .not_valid_after(at.replace(microsecond=0) + timedelta(days=180))
        .add_extension(_USAGE, critical=True)
    )
    if is_test:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(TEST_POLICY_OID), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
    made = builder.sign(private, hashes.SHA256())
    return Key(private, Certificate(made.public_bytes(Encoding.DER)))


def enrol(world: World, key: Key, uscc: str, **more: Any) -> None:
    """Put a key on the world's trust list, for the manufacturer whose seal is there."""
    seal = next(one for one in world.services.trust.current(world.at).of(Purpose.PDF_SEAL) if one.uscc == uscc)
    entries = world.services.trust.current(world.at).entries
    world.publish(entries=(*entries, key.entry(uscc=uscc, name=seal.legal_name, **more)))


def claims_of(world: World, number: Number) -> tuple[PaperClaims, ...]:
    """Return what the codes of a confirmation on record say."""
    with world.services.database.read() as tx:
        record = lookup.by_number(tx, number, scope=Scope.everything("a test"), at=world.at)
        place = status_lists.place(tx, number)
    assert record is not None
    assert record.confirmation is not None
    return paper_code.of(record.confirmation, content_digest=bytes.fromhex(record.content_digest), status=place)
