"""
What the vectors of verification are made with: a TEST service, its keys, and everything around one sealed file.

The keys live in a temporary folder and are gone when the maker ends. Nothing here knows what a verdict should be.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "attacks")]

import pikepdf  # noqa: E402 - found through the folders above
import world as worlds  # noqa: E402
from genuine import Genuine  # noqa: E402
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: E402
from pyhanko.sign import fields, signers  # noqa: E402

from signer.domain import bundle  # noqa: E402
from signer.domain import content as contents  # noqa: E402
from signer.domain.bundle import Copy, Counts, Header, Record, Revocation, SealWord  # noqa: E402
from signer.domain.confirmation import Standing  # noqa: E402
from signer.domain.trust import MOST_DAYS, Purpose, TrustList  # noqa: E402
from signer.domain.verdict import Code  # noqa: E402, TC001
from signer.seal import archive, attachments, keys, pdf, pki, responder, revocation, sign, trust  # noqa: E402
from signer.seal import bundle as signed  # noqa: E402
from signer.seal.inquiry import Prefetched  # noqa: E402
from signer.seal.revocation import Evidence  # noqa: E402
from tests.pki import blank_pdf, entry_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.trust import TrustEntry
    from signer.domain.values import Frozen
    from signer.seal.certificates import Certificate

AT = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NOW = AT + HOUR
GENUINE = "three-cars.pdf"


@dataclass
class Case:
    """One case. `code` and `reason` are written by hand; the maker demands that our verifier gives exactly them."""

    name: str
    says: str
    code: Code
    reason: str | None = None
    file: str = GENUINE
    made: bytes | None = None
    appended: int = 0
    records: tuple[Record, ...] | None = None
    list: str = "current"
    at: datetime = NOW
    told: datetime | None = None
    mode: str = "test"
    vins: tuple[str, ...] = ()
    question: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Bench:
    """One service with one issued file; `lists` are the trust lists that were signed so far, by name."""

    folder: Path
    lists: dict[str, str] = field(default_factory=dict)

    @cached_property
    def world(self) -> worlds.World:
        (self.folder / "service").mkdir()
        worlds.build(self.folder / "service", at=AT)
        return worlds.World(self.folder / "service", at=AT)

    @cached_property
    def genuine(self) -> Genuine:
        issued = self.world.issue(worlds.sample(worlds.KAZAKHSTAN))
        return Genuine(world=self.world, issued=issued, elsewhere=self.folder / "strangers")

    @property
    def pdf(self) -> bytes:
        return self.genuine.pdf

    @cached_property
    def content(self) -> bytes:
        found = attachments.read(pdf.open_strictly(self.pdf)).content
        assert found is not None
        return found

    @cached_property
    def record(self) -> Record:
        """What the register has of the genuine file."""
        confirmation = contents.parse(self.content)
        return Record(
            number=confirmation.number,
            content_digest=contents.content_digest(self.content).hex(),
            issued_at=confirmation.issued_at,
            recorded_at=AT,
            until=confirmation.until,
            standing=Standing.ISSUED,
            sealed_digests=(hashlib.sha256(self.pdf).hexdigest(),),
            file_digests=(hashlib.sha256(self.pdf).hexdigest(),),
        )

    def filed(self, *files: bytes, **changes: Any) -> Record:
        """The record as if these files were its own too, and with whatever else differs."""
        digests = sorted({*self.record.sealed_digests, *(hashlib.sha256(one).hexdigest() for one in files)})
        plain = self.record.model_dump(mode="json", exclude_none=True)
        return Record.model_validate_json(json.dumps({**plain, "sealed_digests": digests, **changes}))

    @property
    def seal_digest(self) -> str:
        return self.seal().certificate.digest

    @property
    def content_to_come(self) -> bytes:
        """The content as if it were of a schema that nobody knows yet."""
        return self.content.replace(b"signer.confirmation/1", b"signer.confirmation/9")

    @property
    def vins(self) -> tuple[str, ...]:
        return tuple(contents.parse(self.content).terms.vins)

    # Trust lists

    @cached_property
    def _list_key(self) -> Any:
        keep = self.world.settings.keys
        secret = (keep / pki.PASSWORD_FILE).read_bytes().strip()
        return trust.load_signing_key((keep / pki.LIST_KEY_FILE).read_bytes(), password=secret)

    @cached_property
    def root(self) -> str:
        """The pinned root: SubjectPublicKeyInfo in base64."""
        return base64.b64encode(trust.read_root(self.world.settings.trust_root_path.read_bytes()).spki).decode()

    @cached_property
    def listed(self) -> TrustList:
        return self.world.services.trust.current(AT)

    def seal(self, maker: str = "yunzhou") -> keys.FileKey:
        return self.genuine.ours.seal(maker)

    def publish(self, name: str, change: Callable[[TrustEntry], TrustEntry | None] = lambda e: e, **more: Any) -> str:
        """Sign a list in which entries are changed, or left out, and return its name."""
        if name not in self.lists:
            entries = tuple(entry for entry in map(change, self.listed.entries) if entry is not None)
            issued = more.pop("issued", AT - DAY)
            told = {"issued": issued, "expires": issued + timedelta(days=MOST_DAYS), "entries": entries, **more}
            self.lists[name] = trust.sign(self.listed.model_copy(update=told), key=self._list_key).decode().strip()
        return name

    # Bundles

    def bundle(self, name: str, *records: Record, at: datetime, **more: Any) -> list[Any]:
        """Sign a bundle under a list; return its lines, the list's by its name."""
        jws = self.lists[name].encode()
        listed = trust.payload_of(jws)
        answers: tuple[Revocation, ...] = more.pop("answers", ())
        seals: tuple[SealWord, ...] = more.pop("seals", ())
        entries: tuple[Frozen, ...] = (*answers, *seals, *records)
        lines = [bundle.encode(entry) for entry in entries]
        body = b"".join(line + b"\n" for line in (jws, *lines))
        header = Header.model_validate(
            {
                "origin": listed.origin,
                "test": listed.test,
                "trust_list": listed.sequence,
                "complete_until": at,
                "expires": at + 7 * DAY,
                "counts": Counts(revocations=len(answers), seals=len(seals), records=len(records)),
                "size": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                **more,
            }
        )
        head = signed.sign(header, self.world.services.service_keys.open(Purpose.BUNDLE)).decode()
        return [*head.splitlines(), {"list": name}, *(line.decode() for line in lines)]

    def answer(self, *, revoked_at: datetime, at: datetime) -> Revocation:
        """What the seal's authority said later."""
        certificate = self.seal().certificate
        entry = self.listed.by_digest(certificate.digest)
        assert entry is not None
        data = self._responder(at, {certificate.digest: revoked_at}).ask(revocation.links_of(entry, self.listed)[0])
        return Revocation(
            certificate_digest=certificate.digest,
            kind="ocsp",
            data=base64.b64encode(data).decode(),
            this_update=at,
            revoked_at=revoked_at,
        )

    # Other sealed files: a page without words, and the same content

    def small(self, key: keys.FileKey | None = None, **how: Any) -> bytes:
        """Seal a page of some kilobytes, as a careless or hostile sealer may."""
        page = how.pop("page", None) or blank_pdf(content=self.content)
        ours, given = self.genuine.ours.timestamper(self.listed), how.pop("stamper", None)
        stamper = ours if how.pop("stamped", True) else given
        return sign.seal(page, key=key or self.seal(), timestamper=stamper, at=how.pop("at", AT), **how).pdf

    def _responder(self, at: datetime, revoked: dict[str, datetime]) -> responder.TestResponder:
        authorities = (self.genuine.ours.root, self.genuine.ours.issuing)
        return responder.TestResponder(authorities, revocations=lambda: revoked, clock=lambda: at, is_test_mode=True)

    def evidence(self, at: datetime = AT) -> Callable[[Certificate | None], Evidence]:
        kept = Prefetched((self._responder(at, {}),), trust=self.listed, clock=lambda: at)

        def gather(witness: Certificate | None) -> Evidence:
            digests = (self.seal().certificate.digest, *((witness.digest,) if witness else ()))
            return kept.evidence(*(entry for one in digests if (entry := self.listed.by_digest(one)) is not None))

        return gather

    def archived(self, file: bytes, *, at: datetime = AT, stranger: bool = False) -> bytes:
        """Append an archive revision of the grammar, by our authority or by one that is not listed."""
        whose = self.genuine.strangers if stranger else self.genuine.ours
        known = self._strangers if stranger else self.listed
        made = archive.extend(
            file,
            sealed_length=len(self.pdf),
            timestamper=whose.timestamper(known),
            evidence=(lambda _: Evidence()) if stranger else self.evidence(at),
            at=at,
        )
        return made.pdf

    @property
    def _strangers(self) -> TrustList:
        """A list on which somebody else's clock stands."""
        whose = self.genuine.strangers
        clock = whose._open(pki.TSA_FILE, lambda _: "").certificate
        root, issuing = whose.root.certificate, whose.issuing.certificate
        entries = (
            entry_of(Purpose.CA, root, "x"),
            entry_of(Purpose.CA, issuing, "x", chain=(root.digest,)),
            entry_of(Purpose.TSA, clock, "x", chain=(issuing.digest, root.digest)),
        )
        return self.listed.model_copy(update={"entries": entries})

    def signed_again(self) -> bytes:
        """The genuine file with a second signature, by another manufacturer."""
        writer = IncrementalPdfFileWriter(io.BytesIO(self.pdf))
        fields.append_signature_field(writer, fields.SigFieldSpec("Second"))
        middle = io.BytesIO()
        writer.write(middle)
        path = str(self.genuine.ours.folder / "seals" / "beichen.p12")
        signer = signers.SimpleSigner.load_pkcs12(path, passphrase=self.genuine.ours.password)
        assert signer is not None
        second = signers.PdfSigner(signers.PdfSignatureMetadata(field_name="Second"), signer)
        second._enforce_certification_constraints = lambda reader: None
        given = IncrementalPdfFileWriter(io.BytesIO(middle.getvalue()))
        return bytes(second.sign_pdf(given, existing_fields_only=True).getvalue())

    def copy_of(self, file: bytes) -> Copy:
        return Copy(file_digest=hashlib.sha256(file).hexdigest(), filed_at=AT)


def page(data: bytes | None, **how: Any) -> bytes:
    return blank_pdf(content=data, **how)


def resaved(data: bytes) -> bytes:
    """Save a file anew, as any program does."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as opened:
        opened.save(out, deterministic_id=True)
    return out.getvalue()


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


def edits(base: bytes, wanted: bytes) -> list[dict[str, Any]]:
    """Return the one edit that makes one file of another: at an offset so many bytes go, and others come."""
    if base == wanted:
        return []
    start = 0
    least = min(len(base), len(wanted))
    while start < least and base[start] == wanted[start]:
        start += 1
    behind = 0
    while behind < least - start and base[-1 - behind] == wanted[-1 - behind]:
        behind += 1
    inside = wanted[start : len(wanted) - behind]
    edit: dict[str, Any] = {"at": start}
    if removed := len(base) - behind - start:
        edit["remove"] = removed
    if inside:
        edit["insert"] = base64.b64encode(inside).decode()
    return [edit]
