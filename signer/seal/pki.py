"""
A whole TEST PKI from one description: authorities, a timestamping authority, the trust list's root, one seal a maker.

Nothing that it makes has any effect outside a test: every certificate says TEST in its subject and carries the TEST
policy. It never overwrites: what is there is kept, so that it may be run at every start.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import ValidationError

from signer.domain.trust import Purpose
from signer.domain.values import BEIJING
from signer.errors import InvalidInput, Misconfigured
from signer.seal import certificates, log_key
from signer.seal.certificates import TEST_POLICY_OID, Certificate
from signer.seal.forms import PrivateKey, Subject, name_of, new_key, pem_of, pkcs12_of, responder, usage, write_new
from signer.seal.pki_description import AuthorityDescription, Description

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.domain.parties import Uscc
    from signer.seal.pki_description import MakerDescription

Extensions: TypeAlias = tuple[tuple[x509.ExtensionType, bool], ...]
PASSWORD_FILE = "password"  # noqa: S105 - a file's name
LIST_KEY_FILE = "trust-root.key.pem"
LIST_PUBLIC_FILE = "trust-root.pub.pem"
TSA_FILE = "tsa.p12"
SERVICE_FILES = {Purpose.RECEIPT: "receipt.pem", Purpose.BUNDLE: "bundle.pem", Purpose.STATUS: "status.pem"}
PAPER_FOLDER = "paper"
AUTHORITY_FILES = ("root-ca.pem", "issuing-ca.pem")
_MOST_DESCRIPTION_BYTES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """One manufacturer's seal in a PKI: where its key is, its certificate, and that of its key for paper."""

    id: str
    legal_name: str
    uscc: Uscc
    profile: Literal["organization", "chinese"]
    key_file: Path
    certificate: Certificate
    paper: Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Pki:
    """A PKI on disk. Keys are opened with `password`; `makers` stand in the order of the description."""

    folder: Path
    organization: str
    password: bytes
    root: Certificate
    issuing: Certificate
    tsa: Certificate
    receipt: Certificate
    bundle: Certificate
    status: Certificate
    log: Certificate
    makers: tuple[Maker, ...]

    def __repr__(self) -> str:
        return f"Pki({self.folder})"

    @property
    def tsa_key_file(self) -> Path:
        """The key of the TEST timestamping authority."""
        return self.folder / TSA_FILE

    @property
    def authority_key_files(self) -> tuple[Path, ...]:
        """The keys of the authorities, root first: in a TEST PKI they answer for revocation themselves."""
        return tuple(self.folder / name for name in AUTHORITY_FILES)

    @property
    def list_key_file(self) -> Path:
        """The private root key of the trust list."""
        return self.folder / LIST_KEY_FILE

    @property
    def list_public_file(self) -> Path:
        """The public root key of the trust list, which verifiers pin."""
        return self.folder / LIST_PUBLIC_FILE


def read_description(data: bytes) -> Description:
    """Parse pki.yaml (plain YAML, no tags). Raises InvalidInput, naming the place."""
    if len(data) > _MOST_DESCRIPTION_BYTES:
        raise InvalidInput("pki.yaml", f"{len(data)} bytes; at most {_MOST_DESCRIPTION_BYTES} are read")
    try:
        value = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput("pki.yaml", f"not YAML: {certificates.printable(str(error), most=200)}") from error
    try:
        return Description.model_validate(value, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput("pki.yaml", f"/{'/'.join(map(str, first['loc']))}: {first['msg']}"[:300]) from error


def make_pki(folder: Path, description: Description, *, at: datetime) -> Pki:
    """
    Make what is missing of a PKI in a folder, and return the whole.

    Every key is encrypted under the password in `password`, which is drawn (256 bits) if there is none; files
    of keys have mode 0600. A certificate begins an hour before `at` and lasts as described.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = _password(folder / PASSWORD_FILE)
    press = _Press(folder, description, password, at - timedelta(hours=1))
    root = press.authority("root-ca", description.root, issuer=None)
    issuing = press.authority("issuing-ca", description.issuing, issuer="root-ca")
    tsa = press.tsa()
    receipt = press.service(Purpose.RECEIPT, description.receipt)
    bundle = press.service(Purpose.BUNDLE, description.bundle)
    status = press.service(Purpose.STATUS, description.status)
    log = press.log(description.log)
    makers = tuple(press.seal(maker) for maker in description.makers)
    press.list_root()
    return Pki(
        folder=folder,
        organization=description.organization,
        password=password,
        root=root,
        issuing=issuing,
        tsa=tsa,
        receipt=receipt,
        bundle=bundle,
        status=status,
        log=log,
        makers=makers,
    )


def _password(path: Path) -> bytes:
    if not path.exists():
        write_new(path, secrets.token_urlsafe(32).encode() + b"\n", is_secret=True)
    return path.read_bytes().strip()


class _Press:
    """Makes the parts of one PKI in its folder, each only if it is missing; a key's file holds its certificates too."""

    def __init__(self, folder: Path, description: Description, password: bytes, begins_at: datetime) -> None:
        self._folder = folder
        self._description = description
        self._password = password
        self._begins_at = begins_at
        self._issuers: dict[str, tuple[PrivateKey, x509.Certificate]] = {}

    def authority(self, name: str, described: AuthorityDescription, *, issuer: str | None) -> Certificate:
        """Make a root (without issuer) or an issuing authority."""
        path = self._folder / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=1 if issuer is None else 0)
        extensions = ((constraints, True), (usage("key_cert_sign", "crl_sign", "digital_signature"), True))
        subject = ((NameOID.ORGANIZATION_NAME, self._description.organization),)
        if not path.exists():
            self._make(path, described, key=new_key(), subject=subject, extensions=extensions, issuer=issuer)
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, self._password)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Misconfigured(f"{path}: an authority's key must be ECDSA")
        self._issuers[name] = (key, x509.load_pem_x509_certificate(data))
        return self._export(path, self._issuers[name][1])

    def tsa(self) -> Certificate:
        """Make the timestamping authority. Source: RFC 3161, 2.3."""
        path = self._folder / TSA_FILE
        subject = ((NameOID.ORGANIZATION_NAME, self._description.organization),)
        extensions = (
            (usage("digital_signature", "content_commitment"), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
        )
        if not path.exists():
            self._make(path, self._description.tsa, key=new_key(), subject=subject, extensions=extensions)
        return self._leaf(path)

    def service(self, purpose: Purpose, described: AuthorityDescription) -> Certificate:
        """Make the key by which the service signs for one purpose."""
        path = self._folder / SERVICE_FILES[purpose]
        subject = ((NameOID.ORGANIZATION_NAME, self._description.organization),)
        if not path.exists():
            extensions = ((usage("digital_signature"), True),)
            self._make(path, described, key=new_key(), subject=subject, extensions=extensions)
        return self._leaf(path)

    def log(self, described: AuthorityDescription) -> Certificate:
        """Make the key that signs checkpoints of the log, and the secret by which its leaves are tagged."""
        path = self._folder / log_key.FILE
        subject = ((NameOID.ORGANIZATION_NAME, self._description.organization),)
        if not path.exists():
            extensions = ((usage("digital_signature"), True),)
            key = ed25519.Ed25519PrivateKey.generate()
            self._make(path, described, key=key, subject=subject, extensions=extensions)
        log_key.make_secret(self._folder / log_key.SECRET_FILE)
        return self._leaf(path)

    def seal(self, maker: MakerDescription) -> Maker:
        """Make one manufacturer's seal. Source: docs/explanation/seals.md; ETSI EN 319 412-1, 5.1.4."""
        path = self._folder / "seals" / f"{maker.id}.{maker.container}"
        subject: Subject
        if maker.profile == "organization":
            code = (NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{maker.uscc}")
            name, subject = f"TEST SEAL {maker.id}", ((NameOID.ORGANIZATION_NAME, maker.legal_name), code)
        else:
            name = f"TEST@{maker.legal_name}@N{maker.uscc}@1"
            subject = ((NameOID.ORGANIZATION_NAME, self._description.organization),)
        extensions = ((usage("digital_signature", "content_commitment"), True),)
        if not path.exists():
            described = AuthorityDescription(common_name=name, days=maker.days)
            self._make(path, described, key=new_key(maker.key), subject=subject, extensions=extensions)
        return Maker(
            id=maker.id,
            legal_name=maker.legal_name,
            uscc=maker.uscc,
            profile=maker.profile,
            key_file=path,
            certificate=self._leaf(path),
            paper=self._paper(maker),
        )

    def _paper(self, maker: MakerDescription) -> Certificate:
        """Make the manufacturer's key of this year for codes on paper."""
        year = (self._begins_at + timedelta(hours=1)).astimezone(BEIJING).year
        path = self._folder / PAPER_FOLDER / f"{maker.uscc}-{year:04d}.pem"
        code = (NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{maker.uscc}")
        if not path.exists():
            described = AuthorityDescription(common_name=f"TEST codes on paper {year}", days=maker.paper_days)
            extensions = ((usage("digital_signature"), True),)
            subject = ((NameOID.ORGANIZATION_NAME, maker.legal_name), code)
            self._make(path, described, key=new_key(), subject=subject, extensions=extensions)
        return self._leaf(path)

    def list_root(self) -> None:
        """Make the root key of the trust list, and its public half."""
        private, public = self._folder / LIST_KEY_FILE, self._folder / LIST_PUBLIC_FILE
        if not private.exists():
            write_new(
                private, pem_of(ec.generate_private_key(ec.SECP256R1()), (), password=self._password), is_secret=True
            )
        if not public.exists():
            key = serialization.load_pem_private_key(private.read_bytes(), self._password)
            spki = serialization.PublicFormat.SubjectPublicKeyInfo
            write_new(public, key.public_key().public_bytes(serialization.Encoding.PEM, spki), is_secret=False)

    def _leaf(self, path: Path) -> Certificate:
        exported = _export_path(path)
        if exported.exists():
            return _read(exported)
        data = path.read_bytes()
        if path.suffix == ".p12":
            _, own, _ = pkcs12.load_key_and_certificates(data, self._password)
            if own is None:
                raise Misconfigured(f"{path}: no certificate is beside the key")
            return self._export(path, own)
        return self._export(path, x509.load_pem_x509_certificate(data))

    def _export(self, path: Path, certificate: x509.Certificate) -> Certificate:
        exported = _export_path(path)
        if not exported.exists():
            write_new(exported, certificate.public_bytes(serialization.Encoding.PEM), is_secret=False)
        return _read(exported)

    def _make(
        self,
        path: Path,
        described: AuthorityDescription,
        *,
        key: PrivateKey,
        subject: Subject,
        extensions: Extensions,
        issuer: str | None = "issuing-ca",
    ) -> None:
        issuer_key, issuer_certificate = self._issuers[issuer] if issuer else (key, None)
        certificate = self._issue(
            described, key, issuer_key, issuer_certificate, subject=subject, extensions=extensions
        )
        is_leaf = issuer == "issuing-ca"
        chain = (certificate, issuer_certificate) if is_leaf and issuer_certificate else (certificate,)
        form = pkcs12_of if path.suffix == ".p12" else pem_of
        write_new(path, form(key, chain, password=self._password), is_secret=True)

    def _issue(
        self,
        described: AuthorityDescription,
        key: PrivateKey,
        issuer_key: PrivateKey,
        issuer: x509.Certificate | None,
        *,
        subject: Subject,
        extensions: Extensions,
    ) -> x509.Certificate:
        pairs = (
            (NameOID.COUNTRY_NAME, self._description.country),
            *subject,
            (NameOID.COMMON_NAME, described.common_name),
        )
        name = name_of(pairs)
        policy = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(TEST_POLICY_OID), None)])
        identifiers = (
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer.subject if issuer else name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._begins_at)
            .not_valid_after(self._begins_at + timedelta(days=described.days))
        )
        answered = ((responder(), False),) if issuer else ()
        for extension, is_critical in (*extensions, (policy, False), *identifiers, *answered):
            builder = builder.add_extension(extension, critical=is_critical)
        return builder.sign(issuer_key, hashes.SHA256())


def _export_path(path: Path) -> Path:
    return path.with_suffix(".crt.pem")


def _read(path: Path) -> Certificate:
    parsed = x509.load_pem_x509_certificate(path.read_bytes())
    return certificates.load(parsed.public_bytes(serialization.Encoding.DER))
