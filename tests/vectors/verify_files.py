"""What is handed in: base files that were sealed in one way or another, and what becomes of them by edits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import verify_bench as benches
from verify_bench import AT, DAY, GENUINE, HOUR, Case, flipped, page

from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.seal import cms
from signer.seal.revocation import Evidence
from tests.values import COUNTER_SIGNATURE, Value, attribute, gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verify_bench import Bench

    from signer.domain.trust import TrustEntry


def files(bench: Bench) -> dict[str, bytes]:
    """Make the base files: the genuine one, and small ones that were sealed otherwise."""
    own, strangers = bench.content, bench.genuine.strangers
    # a key whose chain differs: no authority of it travels inside
    return {
        GENUINE: bench.pdf,
        "no-timestamp.pdf": bench.small(stamped=False),
        "no-revocation-data.pdf": bench.small(),
        "revoked-by-its-own-data.pdf": bench.small(evidence=_revoked(bench)),
        "strangers-seal.pdf": bench.small(strangers.seal("yunzhou"), stamped=False),
        "other-manufacturers-seal.pdf": bench.small(bench.seal("beichen"), evidence=bench.evidence()),
        "strangers-timestamp.pdf": bench.small(stamped=False, stamper=strangers.timestamper(bench._strangers)),
        "other-spelling.pdf": bench.small(page=page(own.replace(b'{"', b'{ "', 1)), evidence=bench.evidence()),
        "unknown-schema.pdf": bench.small(page=page(bench.content_to_come), evidence=bench.evidence()),
        "attachment-too-many.pdf": bench.small(page=page(own, extra="notes.txt"), evidence=bench.evidence()),
        "not-ours.pdf": page(None, field=None),
        "unsealed.pdf": page(own),
    }


def _revoked(bench: Bench) -> Callable[[Any], Evidence]:
    """What a careless sealer would embed: the answer that the seal was revoked before."""
    digest = bench.seal().certificate.digest

    def gather(witness: Any) -> Evidence:
        good = bench.evidence()(witness)
        (first, *_) = bench.genuine.evidence(**{digest: AT - HOUR}).ocsps
        return Evidence(good.certificates, (first, *good.ocsps[1:]))

    return gather


def lists(bench: Bench) -> None:
    """Sign the trust lists: one as it should be, and others in which one thing differs."""
    seal = bench.seal().certificate.digest

    def own(**changes: object) -> Callable[[TrustEntry], TrustEntry]:
        return lambda entry: entry.model_copy(update=changes if entry.certificate_digest == seal else {})

    def clock(entry: TrustEntry) -> TrustEntry:
        held = {"state": SealState.SUSPENDED, "state_since": AT + HOUR / 2}
        return entry.model_copy(update=held if entry.purpose is Purpose.TSA else {})

    def without_seal(entry: TrustEntry) -> TrustEntry | None:
        return None if entry.certificate_digest == seal else entry

    revoked = {"state": SealState.REVOKED, "reason": "key compromise", "state_since": AT + HOUR / 2}
    bench.publish("current")
    bench.publish("expired", issued=AT - 30 * DAY)
    bench.publish("years-later", issued=AT + 1490 * DAY)
    bench.publish("without-the-seal", without_seal, issued=AT)
    bench.publish("older-without-the-seal", without_seal, issued=AT - 2 * DAY)
    bench.publish("revoked-before", own(**revoked, revoked_at=AT - HOUR))
    bench.publish("revoked-after", own(**revoked, revoked_at=AT + HOUR / 4))
    bench.publish("compromised-before", own(**revoked, revoked_at=AT + HOUR / 4, compromised_from=AT - HOUR))
    bench.publish("seal-suspended", own(state=SealState.SUSPENDED, state_since=AT + HOUR / 4))
    bench.publish("verify-only-after", own(state=SealState.VERIFY_ONLY, state_since=AT + HOUR / 4))
    bench.publish("verify-only-before", own(state=SealState.VERIFY_ONLY, state_since=AT - HOUR))
    bench.publish("entitled-from-later", own(from_at=AT + HOUR / 4))
    bench.publish("entitled-until-then", own(until_at=AT + HOUR / 4))
    bench.publish("clock-suspended", clock)
    bench.publish("clock-suspended-and-over", lambda entry: own(until_at=AT + HOUR / 4)(clock(entry)))


def read(bench: Bench, made: dict[str, bytes]) -> Iterator[Case]:
    pdf = bench.pdf
    yield Case("genuine", "The file as it was issued.", Code.VALID)
    yield Case("empty", "A file without bytes.", Code.UNREADABLE, "EMPTY", made=b"")
    yield Case("a-zip-file", "An archive, not a PDF.", Code.UNREADABLE, "NOT_PDF", made=b"PK\x03\x04" + pdf)
    yield Case("too-large", "More than 20,000,000 bytes.", Code.UNREADABLE, "TOO_LARGE", appended=20_000_001)
    encrypted = pdf.replace(b"/Root ", b"/Encrypt 9 0 R /Root ", 1)
    yield Case("encrypted", "It says that it is encrypted.", Code.UNREADABLE, "ENCRYPTED", made=encrypted)
    yield Case(
        "broken", "Nonsense behind a PDF's first line.", Code.UNREADABLE, "MALFORMED", made=b"%PDF-1.7\nno\n%%EOF\n"
    )
    yield Case("not-ours", "A page of somebody else.", Code.NOT_A_CONFIRMATION, file="not-ours.pdf")
    yield Case("unsealed", "The content is attached; no seal.", Code.UNSEALED, file="unsealed.pdf")
    yield Case("seal-cut-off", "The file as it was before it was sealed.", Code.UNSEALED, made=bench.genuine.page)
    copy = bench.filed(
        copies=[bench.copy_of(made["not-ours.pdf"]).model_dump(mode="json")], seal_digest=bench.seal_digest
    )
    yield Case(
        "official-copy",
        "A file without a seal of ours, filed as the manufacturer's officially sealed copy.",
        Code.OFFICIAL_COPY,
        file="not-ours.pdf",
        records=(copy,),
    )
    yield Case(
        "official-copy-for-a-vehicle",
        "The same; a vehicle is asked for, and a bundle holds no vehicle.",
        Code.INDETERMINATE,
        "CONTENT_NOT_KNOWN",
        file="not-ours.pdf",
        records=(copy,),
        vins=bench.vins[:1],
    )


def altered(bench: Bench, made: dict[str, bytes]) -> Iterator[Case]:
    pdf = bench.pdf
    start, end = gap(pdf)
    signature = cms_of(pdf).index(cms.read(cms_of(pdf), content_type=cms.DATA).signature) + 40
    own = Value(pdf, bench.seal())
    numbers = re.search(rb"/ByteRange ?\[ ?0 (\d+) (\d+) (\d+)", pdf)
    assert numbers is not None
    other = attribute(COUNTER_SIGNATURE, b"\x30\x00")
    foreign = bench.genuine.strangers.issuing.certificate.der
    changes: dict[str, tuple[str, bytes, str]] = {
        "bit-in-a-stream": ("One bit of a page's stream.", flipped(pdf, len(pdf) // 3), "DIGEST"),
        "bit-in-the-id": (
            "One digit of the file's identifier.",
            _digit(pdf, pdf.index(b"<", pdf.rindex(b"/ID")) + 3),
            "DIGEST",
        ),
        "bit-in-the-signature": ("One bit of the signature's value.", _digit(pdf, start + 2 * signature), "SIGNATURE"),
        "byte-appended": ("One blank after the end.", pdf + b" ", "FILE_FORM"),
        "line-appended": ("One more end of line.", pdf + b"\n", "FILE_FORM"),
        "comment-appended": ("A comment and another end.", pdf + b"% see\n%%EOF\n", "MALFORMED"),
        "last-byte-gone": ("Without its last byte.", pdf[:-1], "BYTE_RANGE"),
        "half-gone": ("The first half of the file.", pdf[: len(pdf) // 2], "MALFORMED"),
        "hex-in-lower-case": (
            "The value's digits in lower case: the same value.",
            pdf[:start] + pdf[start:end].lower() + pdf[end:],
            "BYTE_RANGE",
        ),
        "padding": ("A one among the zeros after the value.", pdf[: end - 1] + b"1" + pdf[end:], "CMS_FORM"),
        "byte-range-shorter": (
            "The byte range leaves out the last byte.",
            pdf[: numbers.start(3)] + b"%d" % (int(numbers[3]) - 1) + pdf[numbers.end(3) :],
            "REVISIONS",
        ),
        "certified-for-forms": (
            "P = 2 instead of 1.",
            _once(pdf, b"/P 1", b"/P 2", behind=b"/TransformParams"),
            "SEAL_FORM",
        ),
        "many-startxref": ("Seventeen revisions.", pdf + b"startxref\n0\n%%EOF\n" * 16, "MALFORMED"),
        "long-number": ("A number of 65 digits.", pdf + b" " + b"7" * 65 + b"\n%%EOF\n", "MALFORMED"),
        "counter-signature": (
            "An unsigned attribute beside the timestamp's place; the signature is right.",
            Value(pdf, own.key, unsigned=(other,)).file(),
            "CMS_FORM",
        ),
        "foreign-certificate-inside": (
            "A stranger's authority travels in the seal; the signature is right.",
            Value(pdf, own.key, certificates=(own.key.certificate.der, foreign)).file(),
            "EMBEDDED_CERTIFICATES",
        ),
        "no-signing-certificate": (
            "Without signing-certificate-v2; the signature is right.",
            Value(pdf, own.key, signed={k: v for k, v in own.honest.items() if k != cms.SIGNING_CERTIFICATE_V2}).file(),
            "CMS_FORM",
        ),
        "saved-again": ("Opened and saved by another program.", benches.resaved(made["no-timestamp.pdf"]), "*"),
        "second-signature": ("Signed a second time, by another manufacturer.", bench.signed_again(), "ADDED_SIGNATURE"),
    }
    for name, (says, data, reason) in changes.items():
        file = "no-timestamp.pdf" if name == "saved-again" else GENUINE
        yield Case(name, says, Code.ALTERED, reason, made=data, file=file)
    for name, says, reason in (
        ("strangers-timestamp", "Its timestamp is by an authority that nobody lists.", "TIMESTAMP_TOKEN"),
        ("other-spelling", "Its content is not in canonical form; the seal is right.", "NOT_CANONICAL"),
        ("attachment-too-many", "A second file is attached; the seal is right.", "ATTACHMENTS"),
    ):
        file = f"{name}.pdf"
        yield Case(name, says, Code.ALTERED, reason, file=file, records=(bench.filed(made[file]),))
    yield Case(
        "timestamp-taken-out",
        "The timestamp was cut out of the seal's value: the seal verifies, the bytes are not those on record.",
        Code.NOT_REGISTERED,
        "BYTES_DIFFER",
        made=own.file(),
    )


def _once(data: bytes, old: bytes, new: bytes, *, behind: bytes) -> bytes:
    place = data.index(old, data.index(behind))
    return data[:place] + new + data[place + len(old) :]


def _digit(data: bytes, place: int) -> bytes:
    """Change one hexadecimal digit."""
    return data[:place] + (b"1" if data[place : place + 1] == b"0" else b"0") + data[place + 1 :]


def cms_of(pdf: bytes) -> bytes:
    """Return the seal's value without its padding."""
    start, end = gap(pdf)
    whole = bytes.fromhex(pdf[start:end].decode())
    return whole[: 4 + int.from_bytes(whole[2:4], "big")]


def archived(bench: Bench) -> Iterator[Case]:
    once = bench.archived(bench.pdf)
    yield Case("archived", "With one archive revision by the listed authority.", Code.VALID, made=once)
    twice = bench.archived(once)
    yield Case("archived-twice", "With two archive revisions.", Code.VALID, made=twice)
    stranger = bench.archived(bench.pdf, stranger=True)
    yield Case(
        "archived-by-others",
        "With one of the same grammar, by an authority that nobody lists.",
        Code.VALID_WITH_NOTICE,
        "ARCHIVED_BY_OTHERS",
        made=stranger,
    )
    broken = _digit(once, once.rindex(b"/Contents <") + 600)
    yield Case(
        "archive-token-changed",
        "One digit of a certificate inside the archive timestamp.",
        Code.ALTERED,
        "EMBEDDED_CERTIFICATES",
        made=broken,
    )
    object_ = b"9999 0 obj\n<< >>\nendobj\n"
    yield Case("object-after-the-archive", "An object behind it.", Code.ALTERED, "FILE_FORM", made=once + object_)
    redefined = once.replace(b"/Rect [ -9999 -9999 -9999 -9999 ]", b"/Rect [ 0000 0000 9999 9999 ]    ")
    yield Case("archive-can-be-seen", "The archive's field has a size.", Code.ALTERED, "REVISIONS", made=redefined)
    yield Case(
        "clock-suspended",
        "The authority of its timestamp is suspended: the register proves its time.",
        Code.VALID_WITH_NOTICE,
        "NO_TIMESTAMP",
        list="clock-suspended",
    )
