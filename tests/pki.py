"""One PKI for all tests: seals of both naming profiles, a short-lived one, an RSA one; pages to seal."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, AttachedFileSpec, Dictionary, Name, String

from signer.domain.confirmation import SealClass
from signer.domain.trust import MOST_DAYS, Purpose, TrustEntry, TrustList
from signer.seal import certificates, keys, pki, trust
from signer.seal.authority import TestAuthority
from signer.seal.inquiry import Prefetched
from signer.seal.responder import TestResponder
from signer.seal.revocation import Evidence, links_of
from signer.seal.timestamp import Timestamper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.seal.certificates import Certificate

AT = datetime(2026, 11, 25, 3, 0, 0, tzinfo=UTC)
DESCRIPTION = """
schema: signer.pki/1
organization: TEST authority of the tests
root: {common_name: TEST Root CA, days: 7300}
issuing: {common_name: TEST Seal Issuing CA, days: 3650}
tsa: {common_name: TEST Timestamping Authority, days: 3650}
makers:
  - {id: hengyuan, legal_name: 恒远示例汽车制造有限公司, uscc: 91990000MA000AAA1N}
  - {id: xinghe, legal_name: 星河示例汽车股份有限公司, uscc: 91990000MA000BBB2P, profile: chinese, container: pem}
  - {id: short, legal_name: 短命示例汽车有限公司, uscc: 91990000MA000CCC3Q, days: 2}
  - {id: rsa, legal_name: 双石示例汽车有限公司, uscc: 91990000MA000DDD4R, key: rsa3072, container: pem}
  - {id: p384, legal_name: 三八四示例汽车有限公司, uscc: 91990000MA000EEE5T, key: p384}
"""
CONTENT = b'{"number":"00000-00000-0000","schema":"signer.test/1"}'


@dataclass(frozen=True)
class World:
    """A PKI on disk, opened: keys by maker, the TEST authority, the trust list."""

    made: pki.Pki

    @cached_property
    def trust(self) -> TrustList:
        return trust_list_of(self.made)

    @cached_property
    def list_root(self) -> trust.RootKey:
        return trust.read_root(self.made.list_public_file.read_bytes())

    @cached_property
    def keys(self) -> dict[str, keys.FileKey]:
        return {m.id: keys.load(m.key_file, password=self.made.password, at=AT) for m in self.made.makers}

    @cached_property
    def tsa_key(self) -> keys.FileKey:
        path, usage = self.made.tsa_key_file, certificates.tsa_usage_fault
        return keys.load(path, password=self.made.password, at=AT, usage_fault=usage)

    def authority(self, at: datetime = AT) -> TestAuthority:
        return TestAuthority(self.tsa_key, clock=lambda: at, is_test_mode=True)

    def timestamper(self, at: datetime = AT) -> Timestamper:
        return Timestamper((self.authority(at),), trust=self.trust, clock=lambda: at)

    @cached_property
    def authority_keys(self) -> tuple[keys.FileKey, ...]:
        """The keys of root and issuing authority."""
        usage = certificates.authority_usage_fault
        return tuple(
            keys.load(path, password=self.made.password, at=AT, usage_fault=usage)
            for path in self.made.authority_key_files
        )

    def responder(self, at: datetime = AT, **revoked: datetime) -> TestResponder:
        """A responder to whom the seals (by maker), `tsa` or `issuing` are revoked from an instant on."""
        others = {"tsa": self.made.tsa, "issuing": self.made.issuing}
        known = {(others.get(name) or self.maker(name).certificate).digest: ended for name, ended in revoked.items()}
        return TestResponder(self.authority_keys, revocations=lambda: known, clock=lambda: at, is_test_mode=True)

    def evidence(self, maker: str = "hengyuan", at: datetime = AT) -> Callable[[Certificate | None], Evidence]:
        """What `sign.seal` asks for: evidence about a maker's seal and the authority of its timestamp."""
        kept = Prefetched((self.responder(at),), trust=self.trust, clock=lambda: at)
        return lambda witness: kept.evidence(*self.entries(maker, witness))

    def entries(self, maker: str, witness: Certificate | None) -> list[TrustEntry]:
        digests = [self.maker(maker).certificate.digest, *([witness.digest] if witness else [])]
        return [entry for digest in digests if (entry := self.trust.by_digest(digest)) is not None]

    def forged_evidence(self, maker: str = "hengyuan", at: datetime = AT, **revoked: datetime) -> Any:
        """The same, but of what a careless sealer would embed: whatever the responder says, revoked or not."""

        def gather(witness: Certificate | None) -> Evidence:
            links = [link for entry in self.entries(maker, witness) for link in links_of(entry, self.trust)]
            responder = self.responder(at, **revoked)
            return Evidence((self.made.root.der,), tuple(responder.ask(link) for link in dict.fromkeys(links)))

        return gather

    def maker(self, name: str) -> pki.Maker:
        return next(maker for maker in self.made.makers if maker.id == name)


def make_world(folder: Path, *, at: datetime = AT) -> World:
    """Make the PKI in a folder."""
    described = pki.read_description(DESCRIPTION.encode())
    return World(pki.make_pki(folder, described, at=at))


def entry_of(purpose: Purpose, certificate: Certificate, name: str, *, chain: tuple[str, ...] = ()) -> TrustEntry:
    """Return a plain entry for a certificate."""
    return TrustEntry(
        purpose=purpose,
        legal_name=name,
        certificate=base64.b64encode(certificate.der).decode(),
        certificate_digest=certificate.digest,
        chain=chain,
        from_at=certificate.not_before,
    )


def trust_list_of(made: pki.Pki, *, at: datetime = AT, sequence: int = 1) -> TrustList:
    """Return an unsigned TEST list of everything in a PKI."""
    chain = (made.issuing.digest, made.root.digest)
    seals = (
        entry_of(Purpose.PDF_SEAL, maker.certificate, maker.legal_name, chain=chain).model_copy(
            update={"uscc": maker.uscc, "naming_profile": maker.profile, "seal_class": SealClass.TEST}
        )
        for maker in made.makers
    )
    entries = (
        entry_of(Purpose.CA, made.root, made.organization),
        entry_of(Purpose.CA, made.issuing, made.organization, chain=chain[1:]),
        entry_of(Purpose.TSA, made.tsa, made.organization, chain=chain),
        *seals,
    )
    return TrustList(
        origin="tests", sequence=sequence, issued=at, expires=at + timedelta(days=MOST_DAYS), test=True, entries=entries
    )


def with_entry(trust_list: TrustList, which: str, /, **changes: object) -> TrustList:
    """Return a list with one entry changed."""
    entries = tuple(
        entry.model_copy(update=changes) if entry.certificate_digest == which else entry for entry in trust_list.entries
    )
    return trust_list.model_copy(update={"entries": entries})


def blank_pdf(
    *, field: str | None = "Seal", content: bytes | None = CONTENT, relationship: str = "Data", extra: str | None = None
) -> bytes:
    """Return a one-page PDF with an empty signature field and an attached content."""
    made = pikepdf.new()
    made.add_blank_page(page_size=(595, 842))
    page = made.pages[0].obj
    if field is not None:
        widget = made.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Sig,
                T=String(field),
                F=132,
                Rect=Array([50, 50, 150, 90]),
                P=page,
            )
        )
        page.Annots = Array([widget])
        made.Root.AcroForm = Dictionary(Fields=Array([widget]), SigFlags=0)
    files = {}
    if content is not None:
        files["confirmation.json"] = (content, relationship)
    if extra is not None:
        files[extra] = (b"{}", "Supplement")
    for name, (data, relation) in files.items():
        spec = AttachedFileSpec(made, data, filename=name, mime_type="application/json")
        spec.relationship = Name("/" + relation)
        made.attachments[name] = spec
    out = io.BytesIO()
    made.save(out, deterministic_id=True)
    return out.getvalue()
