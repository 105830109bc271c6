"""What an attacker starts from: a freshly sealed file, keys of all kinds, and the tools that everybody has."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import pikepdf
import world as worlds
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from signer.domain.trust import Purpose
from signer.seal import authority, certificates, keys, pki, responder, revocation, sign, timestamp
from signer.seal.revocation import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.seal.certificates import Certificate
    from signer.services.issue import Issued

VINS = tuple(vehicle["vin"] for vehicle in worlds.sample(worlds.KAZAKHSTAN)["vehicles"])


@dataclass(frozen=True)
class Keys:
    """The keys of one PKI of the samples' description: ours, or a stranger's with the very same names."""

    folder: Path
    world: worlds.World

    @cached_property
    def password(self) -> bytes:
        return (self.folder / pki.PASSWORD_FILE).read_bytes().strip()

    def seal(self, name: str) -> keys.FileKey:
        (path,) = (path for path in (self.folder / "seals").glob(f"{name}.*") if ".crt" not in path.name)
        return keys.load(path, password=self.password, at=self.world.at)

    @property
    def issuing(self) -> keys.FileKey:
        return self._open("issuing-ca.pem", certificates.authority_usage_fault)

    @property
    def root(self) -> keys.FileKey:
        return self._open("root-ca.pem", certificates.authority_usage_fault)

    def _open(self, name: str, usage: Callable[[Certificate], str]) -> keys.FileKey:
        return keys.load(self.folder / name, password=self.password, at=self.world.at, usage_fault=usage)

    def timestamper(self, trust: TrustList) -> timestamp.Timestamper:
        key = self._open(pki.TSA_FILE, certificates.tsa_usage_fault)
        stamper = authority.TestAuthority(key, clock=lambda: self.world.at, is_test_mode=True)
        return timestamp.Timestamper((stamper,), trust=trust, clock=lambda: self.world.at)


@dataclass(frozen=True)
class Genuine:
    """A sealed confirmation of three cars for Kazakhstan, and the world in which it counts."""

    world: worlds.World
    issued: Issued
    elsewhere: Path

    @property
    def pdf(self) -> bytes:
        return self.issued.pdf

    @property
    def number(self) -> str:
        return str(self.issued.number)

    @property
    def trust(self) -> TrustList:
        return self.world.services.trust.current(self.world.at)

    @property
    def page(self) -> bytes:
        """The page as it was before it was sealed, its field empty: anyone can cut it out of the file."""
        return self.pdf[: self.pdf.index(b"%%EOF") + 6]

    @property
    def ours(self) -> Keys:
        return Keys(self.world.folder / "keys", self.world)

    @cached_property
    def strangers(self) -> Keys:
        """Keys of a PKI made from the same description by somebody else."""
        description = pki.read_description((worlds.ROOT / "keys.example" / "pki.yaml").read_bytes())
        pki.make_pki(self.elsewhere, description, at=self.world.at - timedelta(days=1))
        return Keys(self.elsewhere, self.world)

    @property
    def gap(self) -> tuple[int, int]:
        """Where the hexadecimal digits of the seal's value begin and end."""
        start = self.pdf.index(b"/Contents <") + len(b"/Contents <")
        return start, self.pdf.index(b">", start)

    def flipped(self, place: int, *, bit: int = 1) -> bytes:
        return self.pdf[:place] + bytes((self.pdf[place] ^ bit,)) + self.pdf[place + 1 :]

    @cached_property
    def other(self) -> Issued:
        """Another genuine confirmation, of the other manufacturer."""
        return self.world.issue(worlds.sample(worlds.EMIRATES))

    def resealed(self, key: keys.FileKey, page: bytes | None = None, *, evidence: Evidence | None = None) -> bytes:
        """Seal outside the service, with a timestamp of the listed authority."""
        gather = None if evidence is None else (lambda _: evidence)
        made = sign.seal(
            page or self.page,
            key=key,
            timestamper=self.ours.timestamper(self.trust),
            at=self.world.at,
            evidence=gather,
        )
        return made.pdf

    def evidence(self, **changes: object) -> Evidence:
        """What a careless sealer would embed; `revoked` names what the authorities say is revoked."""
        digests: dict[str, object] = changes
        speaking = responder.TestResponder(
            (self.ours.root, self.ours.issuing),
            revocations=lambda: digests,  # type: ignore[arg-type,return-value]
            clock=lambda: self.world.at,
            is_test_mode=True,
        )
        key = self.ours.seal("yunzhou")
        entries = self.trust.of(Purpose.TSA)
        seal = self.trust.by_digest(key.certificate.digest)
        assert seal is not None
        links = dict.fromkeys(link for entry in (seal, *entries) for link in revocation.links_of(entry, self.trust))
        return Evidence((), tuple(speaking.ask(link) for link in links))

    def updated(self, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
        """Append a revision, as any PDF editor does."""
        writer = IncrementalPdfFileWriter(io.BytesIO(self.pdf))
        change(writer)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    def saved(self, change: Callable[[pikepdf.Pdf], None] | None = None, **how: object) -> bytes:
        """Save anew with pikepdf (qpdf), changed or not."""
        return saved(self.pdf, change, **how)


def saved(pdf: bytes, change: Callable[[pikepdf.Pdf], None] | None = None, **how: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        if change is not None:
            change(opened)
        opened.save(out, **how)  # type: ignore[arg-type]
    return out.getvalue()
