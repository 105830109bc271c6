"""Seals whose keys are elsewhere: a certificate by the TEST authority for any public key, listed and enrolled."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from pki import entry_of
from world import BEICHEN

from signer.domain.confirmation import SealClass
from signer.domain.trust import Purpose, SealState
from signer.seal import certificates, pki

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

    from signer.seal.certificates import Certificate

USCC = "91110000MA0BC02BBK"
MAKER = BEICHEN


@dataclass(frozen=True)
class Issuer:
    """The TEST authority of a deployment."""

    folder: Path

    @property
    def _opened(self) -> tuple[Any, x509.Certificate]:
        data = (self.folder / "issuing-ca.pem").read_bytes()
        secret = (self.folder / "password").read_bytes().strip()
        return serialization.load_pem_private_key(data, secret), x509.load_pem_x509_certificate(data)

    @property
    def certificate(self) -> Certificate:
        return certificates.load(self._opened[1].public_bytes(serialization.Encoding.DER))

    def certify(
        self, public: Any, *, at: Any, days: int = 1000, begins_in: int = 0, usage: str = "content_commitment"
    ) -> Certificate:
        """Certify a public key as a seal of the samples' second maker."""
        key, own = self._opened
        begins = at - timedelta(hours=1) + timedelta(days=begins_in)
        names = (
            (NameOID.COUNTRY_NAME, "CN"),
            (NameOID.ORGANIZATION_NAME, MAKER),
            (NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{USCC}"),
            (NameOID.COMMON_NAME, "TEST SEAL elsewhere"),
        )
        policy = x509.PolicyInformation(x509.ObjectIdentifier(pki.TEST_POLICY_OID), None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(pki.name_of(names))
            .issuer_name(own.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
            .add_extension(pki.usage(usage), critical=True)
            .add_extension(x509.CertificatePolicies([policy]), critical=False)
            .add_extension(pki.responder(), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        )
        return certificates.load(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def pem(*members: Certificate) -> bytes:
    return b"".join(member.parsed.public_bytes(serialization.Encoding.PEM) for member in members)


def describe(world: World, name: str, **fields: object) -> str:
    """Write a descriptor among the keys, and return its name."""
    lines = [f"{key} = {_toml(value)}" for key, value in fields.items() if not isinstance(value, dict)]
    for key, value in fields.items():
        if isinstance(value, dict):
            lines += [f"[{key}]", *(f"{inner} = {_toml(one)}" for inner, one in value.items())]
    path = world.folder / "keys" / f"{name}.key.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.name


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def enrol(world: World, own: Certificate, key_ref: str) -> None:
    """Put a seal on the trust list and into the register, as the newest of its maker."""
    older = world.services.trust.current(world.at)
    chain = next(entry.chain for entry in older.entries if entry.purpose is Purpose.PDF_SEAL)
    entry = entry_of(Purpose.PDF_SEAL, own, MAKER, chain=chain).model_copy(
        update={
            "uscc": USCC,
            "naming_profile": "organization",
            "seal_class": SealClass.TEST,
            "state": SealState.ACTIVE,
            "certificate": base64.b64encode(own.der).decode(),
        }
    )
    world.publish(entries=(*older.entries, entry))
    world.at += timedelta(minutes=1)
    world.services.people.enrol_seals(world.services.trust.current(world.at), {own.digest: key_ref}, actor="test")
