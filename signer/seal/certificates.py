"""X.509 certificates as this room handles them: their bytes, what these say, and the faults for a use."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from signer.errors import InvalidInput
from signer.seal import algorithms
from signer.seal.der import CONTEXT_0, SEQUENCE, Node, children, only

if TYPE_CHECKING:
    from datetime import datetime

TEST_POLICY_OID = "2.25.147690550250683744860723843729440217956"
"""The certificate policy that every certificate of a TEST PKI carries, and no other. Source: ITU-T X.667 (UUID arc)."""
MOST_BYTES = 12_000
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
_UNREADABLE = (
    ValueError,
    IndexError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate: `der` is all of its bytes, and two certificates are one if these are equal."""

    der: bytes

    @cached_property
    def parsed(self) -> x509.Certificate:
        """The certificate as cryptography reads it (it is lazy: an extension may still refuse to be read)."""
        return x509.load_der_x509_certificate(self.der)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex: what the trust list and a confirmation's terms name."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def _fields(self) -> tuple[Node, ...]:
        whole = only(self.der, SEQUENCE)
        fields = children(children(whole.body)[0].body)
        return fields[1:] if fields[0].tag == CONTEXT_0 else fields

    @cached_property
    def serial(self) -> bytes:
        """The serial number's INTEGER, in DER."""
        return self._fields[0].whole

    @cached_property
    def issuer(self) -> bytes:
        """The issuer's Name, in DER."""
        return self._fields[2].whole

    @cached_property
    def name(self) -> bytes:
        """The subject's Name, in DER."""
        return self._fields[4].whole

    @cached_property
    def key_bits(self) -> bytes:
        """The subject's public key alone, without algorithm and unused bits: what key identifiers are hashes of."""
        return children(self._fields[5].body)[1].body[1:]

    @property
    def is_self_issued(self) -> bool:
        """Tell whether issuer and subject are one name, byte for byte."""
        return self._fields[2].whole == self._fields[4].whole

    @cached_property
    def subject(self) -> str:
        """The subject as one printable line of at most 300 characters, hostile characters replaced."""
        name = asn1_x509.Name.load(self._fields[4].whole).human_friendly
        return printable(name, most=300)

    @property
    def issuer_name(self) -> str:
        """The issuer as one printable line, as `subject` is."""
        return printable(asn1_x509.Name.load(self._fields[2].whole).human_friendly, most=300)

    def subject_values(self, kind: x509.ObjectIdentifier) -> tuple[str, ...]:
        """Return every value of one kind in the subject, of any length: real names exceed X.520's 64 octets."""
        name = asn1_x509.Name.load(self._fields[4].whole).chosen
        pairs = [pair for relative in name for pair in relative]
        return tuple(str(pair["value"].native) for pair in pairs if pair["type"].dotted == kind.dotted_string)

    @property
    def key_info(self) -> bytes:
        """The subject's public key with its algorithm: SubjectPublicKeyInfo in DER."""
        return self._fields[5].whole

    @cached_property
    def key_digest(self) -> str:
        """SHA-256 of the subject's public key info, in hex."""
        return hashlib.sha256(self.key_info).hexdigest()

    @cached_property
    def not_before(self) -> datetime:
        """The first instant of validity."""
        return self.parsed.not_valid_before_utc

    @cached_property
    def not_after(self) -> datetime:
        """The last instant of validity."""
        return self.parsed.not_valid_after_utc

    @cached_property
    def is_test(self) -> bool:
        """Tell whether the certificate carries the TEST policy; one that cannot be read does not."""
        try:
            policies = _extension(self.parsed, x509.CertificatePolicies) or ()
        except ValueError:
            return False
        return any(policy.policy_identifier.dotted_string == TEST_POLICY_OID for policy in policies)

    @property
    def is_ca(self) -> bool:
        """Tell whether basic constraints make it an authority."""
        constraints = _extension(self.parsed, x509.BasicConstraints)
        return constraints is not None and constraints.ca


@lru_cache(maxsize=256)
def known(der: bytes) -> Certificate:
    """Return a certificate of the trust list; what was read of it once is kept, for its bytes cannot change."""
    return Certificate(der)


def load(data: bytes) -> Certificate:
    """Read one DER certificate. Raises InvalidInput."""
    if len(data) > MOST_BYTES:
        raise InvalidInput("certificate", f"{len(data)} bytes; at most {MOST_BYTES} are read")
    certificate = Certificate(data)
    try:
        certificate.parsed.extensions  # noqa: B018 - parsed now, so that it cannot fail later
        certificate.parsed.public_key()
        _ = certificate.serial, certificate.issuer, certificate.key_digest, certificate.subject
    except _UNREADABLE as error:
        raise InvalidInput("certificate", f"not a DER certificate: {printable(str(error), most=120)}") from error
    return certificate


def printable(text: str, *, most: int) -> str:
    """Return one line without control, format or private characters, cut to `most` characters."""
    if text.isascii() and text.isprintable():
        return text[:most]
    safe = "".join(
        char if unicodedata.category(char)[0] not in "CZ" or char == " " else "\ufffd" for char in text[: most * 2]
    )
    return safe[:most]


@lru_cache(maxsize=64)
def named(certificate: Certificate) -> str:
    """Return how a check's text calls a certificate: its subject's common name, and the head of its SHA-256."""
    names = certificate.subject_values(x509.NameOID.COMMON_NAME)
    name = printable(names[0], most=60) if names else printable(certificate.subject, most=60)
    return f"'{name}' (sha256 {certificate.digest[:16]})"


def signs_certificates(certificate: Certificate) -> str:
    """Return why a certificate may not stand above another in a chain, or ''. Source: RFC 5280, 6.1.4 (k) and (n)."""
    usage = _extension(certificate.parsed, x509.KeyUsage)
    if not certificate.is_ca:
        return "it is not an authority's certificate (basic constraints)"
    return "it may not sign certificates (key usage)" if usage is not None and not usage.key_cert_sign else ""


def path_room(certificate: Certificate) -> int | None:
    """Return how many authorities an authority allows below itself, or None if it does not say."""
    constraints = _extension(certificate.parsed, x509.BasicConstraints)
    return constraints.path_length if constraints is not None else None


@lru_cache(maxsize=64)
def seal_usage_fault(certificate: Certificate) -> str:
    """Return why a certificate may not make a seal, or ''. Source: ETSI EN 319 412-2, 4.3.2; EN 319 412-3."""
    usage = _extension(certificate.parsed, x509.KeyUsage)
    if certificate.is_ca:
        return "it is an authority's certificate"
    if usage is None or not (usage.digital_signature or usage.content_commitment):
        return "its key usage allows neither digitalSignature nor nonRepudiation"
    if usage.key_cert_sign or usage.crl_sign:
        return "its key usage allows signing certificates or CRLs"
    extended = _extension(certificate.parsed, x509.ExtendedKeyUsage)
    if extended is not None and ExtendedKeyUsageOID.TIME_STAMPING in extended:
        return "its key is for timestamps"
    return algorithms.key_fault(certificate.parsed)


@lru_cache(maxsize=64)
def tsa_usage_fault(certificate: Certificate) -> str:
    """Return why a certificate may not make timestamps, or ''. Source: RFC 3161, 2.3."""
    try:
        extended = certificate.parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return "it has no extended key usage"
    if not extended.critical or list(extended.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        return "its extended key usage is not timeStamping alone, critical"
    usage = _extension(certificate.parsed, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return "its key usage allows neither digitalSignature nor nonRepudiation"
    return "it is an authority's certificate" if certificate.is_ca else algorithms.key_fault(certificate.parsed)


@lru_cache(maxsize=64)
def service_usage_fault(certificate: Certificate) -> str:
    """
    Return why a certificate may not sign what a service says, its receipts and offline bundles, or ''.

    They are signed by ES256, so that any language verifies them: the key is on P-256, and no other.
    """
    key = certificate.parsed.public_key()
    is_fit = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    return _saying_fault(certificate) or ("" if is_fit else "its key is not on P-256")


def log_usage_fault(certificate: Certificate) -> str:
    """Return why a certificate may not sign checkpoints of the log, or ''. Source: C2SP signed-note: Ed25519."""
    is_fit = isinstance(certificate.parsed.public_key(), ed25519.Ed25519PublicKey)
    return _saying_fault(certificate) or ("" if is_fit else "its key is not on Ed25519")


def _saying_fault(certificate: Certificate) -> str:
    """Return why a certificate may not sign what a service says, whatever its key, or ''."""
    usage = _extension(certificate.parsed, x509.KeyUsage)
    if certificate.is_ca:
        return "it is an authority's certificate"
    if usage is None or not usage.digital_signature:
        return "its key usage does not allow digitalSignature"
    if usage.key_cert_sign or usage.crl_sign:
        return "its key usage allows signing certificates or CRLs"
    extended = _extension(certificate.parsed, x509.ExtendedKeyUsage)
    is_witness = extended is not None and ExtendedKeyUsageOID.TIME_STAMPING in extended
    return "its key is for timestamps" if is_witness else ""


def authority_usage_fault(certificate: Certificate) -> str:
    """Return why a certificate may not sign certificates and what is said of them, or ''. Source: RFC 5280, 4.2.1.3."""
    usage = _extension(certificate.parsed, x509.KeyUsage)
    if not certificate.is_ca or usage is None or not usage.key_cert_sign:
        return "it is not an authority's certificate"
    return algorithms.key_fault(certificate.parsed)


def responder_usage_fault(certificate: Certificate) -> str:
    """
    Return why a certificate may not speak of revocation for its issuer, or ''.

    It must carry `id-pkix-ocsp-nocheck`: nobody is asked about the one who answers. Source: RFC 6960, 4.2.2.2.
    """
    extended = _extension(certificate.parsed, x509.ExtendedKeyUsage)
    if extended is None or ExtendedKeyUsageOID.OCSP_SIGNING not in extended:
        return "its extended key usage is not OCSPSigning"
    if _extension(certificate.parsed, x509.OCSPNoCheck) is None:
        return "it does not carry id-pkix-ocsp-nocheck"
    return "it is an authority's certificate" if certificate.is_ca else algorithms.key_fault(certificate.parsed)


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
