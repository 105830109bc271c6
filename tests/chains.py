"""Chains of three certificates with any one thing wrong: a seal's or a timestamping authority's, its issuer, a root."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

from signer.domain.confirmation import SealClass
from signer.domain.trust import MOST_DAYS, Purpose, TrustEntry, TrustList
from signer.seal.certificates import TEST_POLICY_OID, Certificate
from tests.pki import entry_of

AT = datetime(2026, 11, 25, 3, 0, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
SEAL, TSA, ISSUING, ROOT = "TEST seal", "TEST clock", "TEST issuing", "TEST root"
MAKER, USCC = "恒远示例汽车制造有限公司", "91990000MA000AAA1N"


@cache
def key(name: str) -> Any:
    """Return the private key of a name; `weak` is RSA of 1024 bits."""
    return rsa.generate_private_key(65537, 1024) if name == "weak" else ec.generate_private_key(ec.SECP256R1())


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Draft:
    """One certificate as it should be; a fault is `replace`d in. `signed_by`: whose key signs, if not the issuer's."""

    subject: str
    issuer: str
    ca: bool
    begins: datetime = AT - YEAR
    ends: datetime = AT + YEAR
    path_length: int | None = None
    may_certify: bool = True
    signed_by: str | None = None
    key: str | None = None
    is_by_sha1: bool = False
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()

    def made(self) -> Certificate:
        own = key(self.key or self.subject)
        others = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
        policy = x509.PolicyInformation(x509.ObjectIdentifier(TEST_POLICY_OID), None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(self.subject))
            .issuer_name(name(self.issuer))
            .public_key(own.public_key())
            .serial_number(1 + len(self.subject))
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
            .add_extension(x509.BasicConstraints(ca=self.ca, path_length=self.path_length), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not self.ca,
                    content_commitment=not self.ca,
                    key_cert_sign=self.ca and self.may_certify,
                    crl_sign=self.ca,
                    **dict.fromkeys(others, False),
                ),
                critical=True,
            )
            .add_extension(x509.CertificatePolicies([policy]), critical=False)
        )
        for extension, critical in self.more:
            builder = builder.add_extension(extension, critical=critical)
        signer = key(self.signed_by or self.issuer)
        made = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        return Certificate(_by_sha1(made, signer) if self.is_by_sha1 else made)


def _by_sha1(certificate: bytes, signer: Any) -> bytes:
    """Sign a certificate anew as nobody should any more, and as no library does any more."""
    plain = asn1_x509.Certificate.load(certificate)
    kind = {"algorithm": "sha1_ecdsa"}
    body = plain["tbs_certificate"]
    body["signature"] = kind
    signature = signer.sign(body.dump(force=True), ec.ECDSA(hashes.SHA1()))
    made = {"tbs_certificate": body, "signature_algorithm": kind, "signature_value": signature}
    dumped: bytes = asn1_x509.Certificate(made).dump()
    return dumped


@dataclass(frozen=True)
class Chain:
    """Three certificates and the list on which they stand."""

    own: Certificate
    issuing: Certificate
    root: Certificate
    entry: TrustEntry
    trust: TrustList

    def called(self, which: str) -> Certificate:
        return {"own": self.own, "issuing": self.issuing, "root": self.root}[which]


def made(purpose: Purpose = Purpose.PDF_SEAL, **faults: dict[str, Any]) -> Chain:
    """Make a chain in which `own`, `issuing` and `root` are as they should be but for what is said of them."""
    is_seal = purpose is Purpose.PDF_SEAL
    stamps = (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]), True)
    drafts = {
        "own": Draft(SEAL if is_seal else TSA, ISSUING, ca=False, more=() if is_seal else (stamps,)),
        "issuing": Draft(ISSUING, ROOT, ca=True, path_length=0),
        "root": Draft(ROOT, ROOT, ca=True),
    }
    ready = {which: replace(draft, **faults.get(which, {})).made() for which, draft in drafts.items()}
    own, issuing, root = (ready[which] for which in ("own", "issuing", "root"))
    named = {"uscc": USCC, "naming_profile": "eu", "seal_class": SealClass.TEST} if is_seal else {}
    chain = (issuing.digest, root.digest)
    entry = entry_of(purpose, own, MAKER, chain=chain).model_copy(update=named)
    entries = (entry_of(Purpose.CA, root, MAKER), entry_of(Purpose.CA, issuing, MAKER, chain=chain[1:]), entry)
    trust = TrustList(
        origin="tests", sequence=1, issued=AT, expires=AT + timedelta(days=MOST_DAYS), test=True, entries=entries
    )
    return Chain(own, issuing, root, entry, trust)


def answer(of: Certificate, by: Certificate, signer: str, **said: Any) -> bytes:
    """Return an OCSP answer by an issuer's key; it may say `status`, `this`, `until`, `revoked_at` and `reason`."""
    status = said.get("status", ocsp.OCSPCertStatus.REVOKED if "revoked_at" in said else ocsp.OCSPCertStatus.GOOD)
    this = said.get("this", AT)
    return (
        ocsp.OCSPResponseBuilder()
        .add_response(
            of.parsed,
            by.parsed,
            hashes.SHA256(),
            status,
            this,
            said.get("until", this + timedelta(days=1)),
            said.get("revoked_at"),
            said.get("reason"),
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, by.parsed)
        .sign(key(signer), hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
