"""A deployment that lives for decades: its authorities, timestamping authorities and responders come, answer and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from pki import entry_of

from signer.domain.trust import Purpose
from signer.errors import RevocationUnavailable
from signer.register.blobs import open_blobs
from signer.seal import authority, certificates, keys, pki
from signer.seal.certificates import Certificate
from signer.services.upgrade import RENEW_AHEAD, Upgrading
from signer.services.witnesses import Witnesses

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import world as worlds

    from signer.domain.trust import TrustEntry
    from signer.seal.revocation import Link

YEAR = timedelta(days=365)
TSA_YEARS, CA_YEARS, RESPONDER_YEARS = 3, 6, 2
"""Every so many years a key is replaced; its certificate lasts one or two years longer."""
DESCRIPTION = """
schema: signer.pki/1
organization: TEST authority no. {number}
root: {{common_name: TEST Root CA {number}, days: {root}}}
issuing: {{common_name: TEST Issuing CA {number}, days: {issuing}}}
tsa: {{common_name: TEST TSA {number}, days: {tsa}}}
makers:
  - {{id: nobody, legal_name: 无名示例汽车有限公司, uscc: 91990000MA000AAA1N}}
"""


@dataclass
class Responder:
    """An OCSP responder that an authority certified: a key of its own, for a few years."""

    issuer: Certificate
    key: Any
    certificate: x509.Certificate

    @property
    def listed(self) -> Certificate:
        return Certificate(self.certificate.public_bytes(serialization.Encoding.DER))

    def answer(self, link: Link, at: datetime, revoked_at: datetime | None) -> bytes:
        is_revoked = revoked_at is not None and revoked_at <= at
        status = ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD
        told = (at, at + timedelta(days=1), revoked_at if is_revoked else None, None)
        builder = ocsp.OCSPResponseBuilder().add_response(
            link.certificate.parsed, link.issuer.parsed, hashes.SHA256(), status, *told
        )
        signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate).sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)


def certified(folder: Path, name: str, *, at: datetime) -> Responder:
    """Have one of a PKI's authorities certify a new responder."""
    data, secret = (folder / name).read_bytes(), (folder / pki.PASSWORD_FILE).read_bytes().strip()
    issuer_key: Any = serialization.load_pem_private_key(data, secret)
    issuer = x509.load_pem_x509_certificate(data)
    key = ec.generate_private_key(ec.SECP256R1())
    policy = x509.PolicyInformation(x509.ObjectIdentifier(certificates.TEST_POLICY_OID), None)
    common_name = x509.NameAttribute(x509.NameOID.COMMON_NAME, f"TEST responder {at:%Y-%m-%d}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([common_name]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + (RESPONDER_YEARS + 1) * YEAR)
        .add_extension(x509.ExtendedKeyUsage([x509.OID_OCSP_SIGNING]), critical=False)
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return Responder(Certificate(issuer.public_bytes(serialization.Encoding.DER)), key, certificate)


@dataclass
class Generation:
    """One PKI of its time: two authorities, a timestamping authority, and the responders of the moment."""

    folder: Path
    tsa_key: keys.FileKey | None
    begun_at: datetime
    responders: list[Responder] = field(default_factory=list)


class Outside(Witnesses):
    """The witnesses of the day: the newest timestamping authority, and whoever still answers for its authority."""

    decades: Decades

    def _authorities(self) -> tuple[Any, ...]:
        key = self.decades.stamping
        return (authority.TestAuthority(key, clock=lambda: self.decades.world.at, is_test_mode=True),)

    def _sources(self, _trust: object) -> tuple[Any, ...]:
        return (self.decades,)

    def forget(self) -> None:
        """Open everything anew: the keys were replaced."""
        self._opened = ()
        self._stampers = None
        self._prefetched = None


@dataclass
class Decades:
    """The whole: a world, and the generations of keys that have been; asked like a responder."""

    world: worlds.World
    folder: Path
    generations: list[Generation] = field(default_factory=list)
    revoked: dict[str, Any] = field(default_factory=dict)
    name: str = "the responders of the day"
    kind: Any = "ocsp"

    def __post_init__(self) -> None:
        own = self.world.settings.keys
        self.generations.append(Generation(own, None, self.world.at))
        self.witnesses = Outside(self.world.settings, trust=self.world.services.trust, clock=lambda: self.world.at)
        self.witnesses.decades = self
        self.begin_generation()
        self.begin_responders()

    @property
    def stamping(self) -> keys.FileKey:
        found = self.generations[-1].tsa_key
        assert found is not None
        return found

    def begin_generation(self) -> None:
        """Replace the timestamping authority's key; every few years the authorities above it too."""
        number, at = len(self.generations), self.world.at
        folder = self.folder / f"generation-{number}"
        days = {"root": (CA_YEARS + 9) * 365, "issuing": (CA_YEARS + 4) * 365, "tsa": (TSA_YEARS + 1) * 365}
        before = self.generations[-1]
        if before.tsa_key is not None and at - before.begun_at < (CA_YEARS - 1) * YEAR and number % 2 == 0:
            folder.mkdir(parents=True)
            for name in (*pki.AUTHORITY_FILES, pki.PASSWORD_FILE):
                (folder / name).write_bytes((before.folder / name).read_bytes())
                (folder / name).chmod(0o600)
        made = pki.make_pki(folder, pki.read_description(DESCRIPTION.format(number=number, **days).encode()), at=at)
        key = keys.load(made.tsa_key_file, password=made.password, at=at, usage_fault=certificates.tsa_usage_fault)
        self.generations.append(Generation(folder, key, at))
        chain = (made.issuing.digest, made.root.digest)
        self.publish(
            entry_of(Purpose.CA, made.root, made.organization),
            entry_of(Purpose.CA, made.issuing, made.organization, chain=chain[1:]),
            entry_of(Purpose.TSA, made.tsa, made.organization, chain=chain),
        )

    def begin_responders(self) -> None:
        """Replace the responders' keys of every authority that still lives."""
        listed = []
        served: set[bytes] = set()
        for generation in reversed(self.generations):
            data = (generation.folder / "issuing-ca.pem").read_bytes()
            issuing = x509.load_pem_x509_certificate(data)
            fingerprint = issuing.fingerprint(hashes.SHA256())
            if issuing.not_valid_after_utc <= self.world.at or fingerprint in served:
                continue
            served.add(fingerprint)
            generation.responders = [
                certified(generation.folder, name, at=self.world.at) for name in pki.AUTHORITY_FILES
            ]
            for responder in generation.responders:
                chain = (responder.issuer.digest,)
                listed.append(entry_of(Purpose.OCSP, responder.listed, "TEST responder", chain=chain))
        self.publish(*listed)

    def publish(self, *entries: TrustEntry) -> None:
        """Put the list of the day in place, with what is new on it."""
        older = self.world.services.trust.current(self.world.at).entries
        known = {entry.certificate_digest for entry in older}
        self.world.publish(entries=(*older, *(one for one in entries if one.certificate_digest not in known)))
        self.witnesses.forget()

    def ask(self, link: Link) -> bytes:
        """Answer by the newest responder of a certificate's own authority, if that one still lives."""
        at = self.world.at.replace(microsecond=0)
        for generation in reversed(self.generations):
            for responder in generation.responders:
                lives = responder.listed.not_after > at and responder.issuer.not_after > at
                if responder.issuer.digest == link.issuer.digest and lives:
                    return responder.answer(link, at, self.revoked.get(link.certificate.digest))
        raise RevocationUnavailable(f"nobody speaks for {link.issuer.subject} any more")

    @property
    def upgrading(self) -> Upgrading:
        services, settings = self.world.services, self.world.settings
        blobs = open_blobs(settings.blob_url, database=services.database, folder=settings.data_dir / "blobs")
        return Upgrading(
            database=services.database,
            blobs=blobs,
            trust=services.trust,
            witnesses=self.witnesses,
            verifying=services.verifying,
            clock=lambda: self.world.at,
        )

    def live(self, years: int, *, renews: bool = True) -> Any:
        """Let the years pass, in quarters, replacing keys and renewing copies; yield the number of each year."""
        begun = self.world.at
        for quarter in range(1, 4 * years + 1):
            self.world.at = begun + quarter * YEAR / 4
            if quarter % (4 * TSA_YEARS) == 0:
                self.begin_generation()
            if quarter % (4 * RESPONDER_YEARS) == 0:
                self.begin_responders()
            self.publish()
            if renews:
                upgraded = self.upgrading.upgrade()
                assert not upgraded.faults, upgraded.faults
            if quarter % 4 == 0:
                yield quarter // 4


def begin(world: worlds.World, folder: Path) -> Decades:
    """Begin with one sealed confirmation's service, its first archive copy due after a day."""
    assert RENEW_AHEAD > YEAR / 4, "a quarter is too long a step"
    return Decades(world, folder)
