"""
The fast path: exactly our own shape of file, read and judged byte by byte, without pyHanko's reader.

It answers for a file as our sealer writes it (a rendered revision, the seal's, and archive revisions that are byte for
byte what `archive` would write), of which nothing failed; the facts are those that `validate` finds. At any surprise
whatsoever it says "not mine", and the full path answers: it can only ever be quicker, never more lenient.
Source: docs/adr/0053-a-fast-path-for-our-own-files.md; docs/reference/acceptance-rules.md, rules 1 to 9.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from signer.domain.evidence import State
from signer.seal import (
    algorithms,
    archive,
    attachments,
    certificates,
    cms,
    der,
    dss,
    examination,
    place,
    precheck,
    tail,
    token,
)
from signer.seal.fast import value
from signer.seal.fast.document import Document, NotMine, demand, dictionary, listed, number, reference, string
from signer.seal.findings import Findings, Id
from signer.seal.kept import kept
from signer.seal.revocation import MOST_BYTES, Evidence
from signer.seal.sign import FIELD
from signer.seal.syntax import Name, Reference, Value
from signer.seal.witness import Witness, listed_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from signer.domain.trust import TrustList
    from signer.seal.certificates import Certificate

_FORM: Final = {"Fields", "SigFlags"}
_FIELD: Final = {"Type", "Subtype", "FT", "T", "F", "Rect", "P", "V"}
_FIELD_MORE: Final = {"TU", "StructParent"}
_VALUE: Final = re.compile(
    rb"([0-9]{1,6}) 0 obj\n<<\n"
    rb"/Contents <([0-9A-F]++)>\n"
    rb"/ByteRange \[0 ([0-9]{1,8}) ([0-9]{1,8}) ([0-9]{1,8})\] *\n"
    rb"/Type /Sig\n/Filter /Adobe\.PPKLite\n/SubFilter /ETSI\.CAdES\.detached\n"
    rb"/M \(D\\072([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z\)\n"
    rb"/Reference \[ <<\n/Type /SigRef\n/TransformMethod /DocMDP\n"
    rb"/TransformParams <<\n/Type /TransformParams\n/V /1\.2\n/P 1\n>>\n>> \]\n>>\nendobj\n"
)
"""The seal's dictionary, as the sealer writes it: all over S, certified to allow no changes."""
_TOKEN_TIME: Final = re.compile(rb"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z")
_TST_INFO: Final = tuple((2, 6, 0x30, 2, 0x18, 0x30, *nonce) for nonce in ((), (2,)))
_EMBEDDED: Final = {"Type", "Subtype", "Params", "Length", "Filter"}
_FILES: Final = {attachments.CONTENT: "Data", attachments.PROOF: "Supplement"}
_MOST: Final = {attachments.CONTENT: attachments.MOST_BYTES, attachments.PROOF: attachments.MOST_PROOF_BYTES}
_FLATE: Final = Name("FlateDecode")
_MOST_DEPTH: Final = 8
_SIGNED: Final = frozenset({cms.CONTENT_TYPE, cms.MESSAGE_DIGEST, cms.SIGNING_CERTIFICATE_V2})
_PASSED: Final = (
    Id.FILE_FORM,
    Id.REVISIONS,
    Id.SEAL_FORM,
    Id.BYTE_RANGE,
    Id.CMS_FORM,
    Id.ALGORITHMS,
    Id.DIGEST,
    Id.SIGNATURE,
    Id.ATTACHMENTS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the fast path found of a file of its own: nothing failed. The files are those attached."""

    result: examination.Result
    claimed_at: datetime
    content: bytes
    proof: bytes | None


def examine(file: bytes, trust: TrustList, at: datetime) -> Found:
    """
    Examine the seal of a file of our own shape at an instant. Raises NotMine, whatever it is that is not so.

    Of the file nothing is refused before any parser (`precheck.refusal`); who calls has asked.
    """
    try:
        return _examine(file, trust, at)
    except NotMine:
        raise
    except Exception as error:  # whatever surprises: the full path answers, and knows what to call it
        raise NotMine(type(error).__name__) from error


def _examine(file: bytes, trust: TrustList, at: datetime) -> Found:
    document = Document(file)
    seal = _seal(document)
    content, proof = _attached(document)
    held = _held(document)
    revisions = _revisions(document, seal)
    findings = Findings()
    for which in _PASSED:
        findings.passed(which)
    findings.passed(Id.REVOCATION_FORM, "none is attached" if held is None else "")
    signed, signer = _value(document, seal, trust)
    layers = (held or Evidence(), *(revision.evidence for revision in revisions))
    weighed = Witness(trust, at, findings, layers, check=_token).weigh(signed, signer, revisions, file)
    found = findings.all()
    is_sound = weighed.entry is not None and not any(one.state is State.FAILED for one in found)
    demand(is_sound, "something failed, or the signer is not listed")
    result = examination.Result(
        findings=found,
        sealed_length=seal.where.sealed_length,
        signer=signer,
        entry=weighed.entry,
        level=weighed.level,
        timestamp=weighed.stamps.seal,
        archived=weighed.stamps.archived,
        chain=weighed.chain,
    )
    return Found(result=result, claimed_at=seal.claimed_at, content=content, proof=proof)


@dataclass(frozen=True, slots=True)
class _Seal:
    """The one seal: the time that it claims, where its value stands, and the value with what fills its place."""

    claimed_at: datetime
    where: place.Range
    inside: bytes


def _seal(document: Document) -> _Seal:
    """Return the one field's value, certified to allow no changes, over all of S. Source: rule 5."""
    form = dictionary(document.catalogue["AcroForm"])
    (only,) = listed(form["Fields"])
    field = document.dictionary(only)
    demand(set(form) == _FORM and _FIELD <= set(field) <= _FIELD | _FIELD_MORE, "the form's entries differ")
    demand(tail.WIDGET.items() <= field.items(), "no signature field")
    demand(field["T"] == FIELD.encode(), "the field has another name")
    named = reference(field["V"])
    demand(document.catalogue.get("Perms") == {"DocMDP": named}, "it is not certified as ours are")
    at, most = document.place(named)
    found = _VALUE.match(document.sealed, at, most)
    if found is None or int(found[1]) != named.number:
        raise NotMine("no seal as ours are written")
    where = place.Range(found.start(2) - 1, found.end(2) + 1, len(document.sealed))
    numbers = where.gap_start, where.gap_end, where.sealed_length - where.gap_end
    demand(tuple(map(int, found.group(3, 4, 5))) == numbers, "it does not cover all of S but its value")
    demand(found.end(2) - found.start(2) <= 2 * precheck.MOST_CONTENTS_BYTES, "its value is too long")
    return _Seal(_instant(found.groups()[5:]), where, bytes.fromhex(found[2].decode()))


def _instant(written: tuple[bytes, ...]) -> datetime:
    year, month, day, hour, minute, second = map(int, written)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _attached(document: Document) -> tuple[bytes, bytes | None]:
    """Return content and log proof: each attached once, under its name, as what it is. Source: rule 8."""
    names = dictionary(document.catalogue["Names"])
    tree = names["EmbeddedFiles"]
    leaf = document.dictionary(tree) if isinstance(tree, Reference) else dictionary(tree)
    demand(set(leaf) == {"Names"}, "the attachments' tree has branches")
    pairs = listed(leaf["Names"])
    labels = [string(label).decode("ascii") for label in pairs[::2]]
    demand(labels in ([attachments.CONTENT], [attachments.CONTENT, attachments.PROOF]), "other attachments")
    files = list(map(reference, pairs[1::2]))
    associated = list(map(reference, listed(document.catalogue["AF"])))
    demand(len(files) == len(labels) == len(set(files)), "an attachment stands twice")
    demand(sorted(associated) == sorted(files), "the associated files are others")
    found = {label: _file(document, label, file) for label, file in zip(labels, files, strict=True)}
    return found[attachments.CONTENT], found.get(attachments.PROOF)


def _file(document: Document, label: str, named: Reference) -> bytes:
    specification = document.dictionary(named)
    embedded = dictionary(specification["EF"])
    said = specification["F"], specification["UF"], specification["AFRelationship"]
    demand(said == (label.encode(), label.encode(), Name(_FILES[label])), "another file inside")
    demand(set(embedded) == {"F", "UF"} and embedded["F"] == embedded["UF"], "two files inside")
    about, encoded = document.stream(embedded["F"])
    demand(set(about) <= _EMBEDDED and about.get("Filter", _FLATE) == _FLATE, "another filter")
    most, data = _MOST[label], encoded
    if "Filter" in about:
        reader = zlib.decompressobj()
        data = reader.decompress(encoded, most + 1)
        demand(reader.eof and not reader.unused_data, "an attachment is not whole")
    demand(len(data) <= most, "an attachment is too long")
    return data


def _held(document: Document) -> Evidence | None:
    """Return the evidence inside S, each in a plain stream of its own."""
    if "DSS" not in document.catalogue:
        return None
    store = document.dictionary(document.catalogue["DSS"])
    demand(store["Type"] == Name("DSS"), "the DSS is of another type")
    demand(set(store) <= {"Type", *tail.STORE}, "the DSS holds something else")
    carried, ocsps, crls = (_streams(document, store, name) for name in tail.STORE)
    return Evidence(carried, ocsps, crls)


def _streams(document: Document, store: Mapping[str, Value], name: str) -> tuple[bytes, ...]:
    if name not in store:
        return ()
    named = listed(store[name])
    demand(1 <= len(named) <= dss.MOST_STREAMS, "the DSS holds too many streams")
    found = tuple(document.stream(one) for one in named)
    is_plain = all(set(about) == {"Length"} and len(data) <= MOST_BYTES for about, data in found)
    demand(is_plain, "the DSS holds something other than plain streams")
    return tuple(data for _, data in found)


def _revisions(document: Document, seal: _Seal) -> tuple[tail.Revision, ...]:
    """
    Return what follows S: revisions that are byte for byte those that `archive` would write.

    Only where the full path does not compare them by pyHanko: that reads all of S, and finds faults there that nobody
    else looks for.
    """
    file, at = document.file, seal.where.sealed_length
    found: list[tail.Revision] = []
    if at == len(file):
        return ()
    demand(number(document.trailer["Size"]) > place.MOST_OBJECTS_COMPARED, "pyHanko compares the revisions")
    state = _state(document)
    while at < len(file):
        demand(len(found) < tail.MOST_REVISIONS, "too many revisions")
        before = state
        state, revision = tail.follow(file, at, before)
        demand(archive.is_own(file, at, before, revision, number=len(found) + 1), "a revision is not as we write it")
        found.append(revision)
        at = revision.end
    return tuple(found)


def _state(document: Document) -> tail.State:
    """Return what S says that a revision may change."""
    catalogue, trailer = document.catalogue, document.trailer
    pages = list(_pages(document, reference(catalogue["Pages"]), _MOST_DEPTH))
    count = document.dictionary(catalogue["Pages"])["Count"]
    demand(count == len(pages) == len({one for one, _ in pages}) <= tail.MOST_PAGES, "another number of pages")
    return tail.State(
        root=document.root,
        trailer={key: trailer[key] for key in ("ID", "Info") if key in trailer},
        catalogue=catalogue,
        pages=dict(pages),
        store=document.dictionary(catalogue["DSS"]) if "DSS" in catalogue else {},
        names=frozenset({FIELD.lower().encode()}),
        size=number(trailer["Size"]),
        table_at=document.table_at,
    )


def _pages(document: Document, node: Reference, depth: int) -> Iterable[tuple[int, Mapping[str, Value]]]:
    found = document.dictionary(node)
    if found.get("Type") == Name("Page"):
        yield node.number, found
        return
    demand(depth > 0 and found.get("Type") == Name("Pages"), "no tree of pages")
    for kid in listed(found["Kids"]):
        yield from _pages(document, reference(kid), depth - 1)


def _value(document: Document, seal: _Seal, trust: TrustList) -> tuple[cms.SignedData, Certificate]:
    """Return the seal's value and its listed signer, whose signature over all of S is good. Source: RFC 5652, 5.4."""
    whole = der.read(seal.inside).whole
    demand(not seal.inside[len(whole) :].strip(b"\0"), "something other than zeros follows the value")
    found = value.read(whole, content_type=cms.DATA)
    inside = found.signed.certificates
    demand(all(one in listed_in(trust) for one in inside), "a certificate inside is not listed")
    (signer,) = (one for one in map(certificates.known, inside) if found.signed.is_signed_by(one))
    demand(_is_seal(found.form, signer), "the value is not as ours is")
    data, where = memoryview(document.sealed), seal.where
    covered = hashlib.new(algorithms.DIGESTS[found.signed.digest_algorithm], data[: where.gap_start])
    covered.update(data[where.gap_end :])
    demand(_is_signed(found, signer, covered.digest()), "the signature does not verify")
    return found.signed, signer


def _token(data: bytes, *, imprint_of: bytes, authorities: Iterable[Certificate]) -> token.Token:
    """Check a token as `token.check` does. Raises NotMine, whatever is wrong."""
    found = value.read(data, content_type=cms.TST_INFO)
    signer = next((one for one in authorities if found.signed.is_signed_by(one)), None)
    if signer is None or not _is_token(found.form, signer):
        raise NotMine("the token is by another authority, or not as ours are")
    content = found.signed.content or b""
    digest = hashlib.new(algorithms.DIGESTS[found.signed.digest_algorithm], content).digest()
    demand(_is_signed(found, signer, digest), "the token's signature does not verify")
    info = _info(content)
    imprint = hashlib.new(algorithms.DIGESTS[info.imprint_algorithm], imprint_of).digest()
    demand(info.imprint == imprint, "the token is over other bytes")
    return token.Token(at=info.at, accuracy_s=0, nonce=None, certificate=signer, embedded=found.signed.certificates)


@kept
def _is_seal(form: value.Form, signer: Certificate) -> bool:
    """Tell whether all seals of a form are as ours are, under a signer's certificate that counts."""
    return _is_named(form, signer) and examination.cms_fault(form.example, signer)[1] == ""


@kept
def _is_token(form: value.Form, signer: Certificate) -> bool:
    """Tell whether all tokens of a form are as those that we know, under an authority's certificate that counts."""
    is_plain = not form.example.unsigned and certificates.tsa_usage_fault(signer) == ""
    return is_plain and _is_named(form, signer) and cms.names_certificate(form.example, signer)


def _is_named(form: value.Form, signer: Certificate) -> bool:
    """Tell whether there are three signed attributes as we write them, by algorithms that count."""
    like = form.example
    said = like.signed[cms.CONTENT_TYPE], like.signed[cms.SIGNING_CERTIFICATE_V2]
    fault = algorithms.fault(
        digest=like.digest_algorithm, signature=like.signature_algorithm, certificate=signer.parsed
    )
    is_so = said == (like.content_type, cms.signing_certificate(signer)) and set(like.signed) == _SIGNED
    return is_so and fault == ""


def _is_signed(found: value.Value, signer: Certificate, digest: bytes) -> bool:
    """Tell whether a value's signer signed this digest. Source: RFC 5652, 5.4."""
    return found.digest == digest and algorithms.verifies(
        found.signed.signature,
        found.form.attributes(digest),
        certificate=signer.parsed,
        identifier=found.signed.signature_algorithm,
        digest=algorithms.DIGESTS[found.signed.digest_algorithm],
    )


def _info(content: bytes) -> token.Info:
    """Read a TSTInfo as the authorities that we know write it: in whole seconds, no more than a nonce behind."""
    fields = der.children(der.only(content, der.SEQUENCE).body)
    tags = tuple(field.tag for field in fields)
    demand(tags in _TST_INFO and fields[0].whole == der.integer(1), "a token of another form")
    algorithm, imprint = der.children(fields[2].body)
    (accuracy,) = der.children(fields[5].body)
    time = _TOKEN_TIME.fullmatch(fields[4].body)
    if time is None or (algorithm.tag, imprint.tag, accuracy.tag) != (der.SEQUENCE, der.OCTET_STRING, der.INTEGER):
        raise NotMine("a token of another form")
    return token.Info(
        at=_instant(time.groups()),
        accuracy_s=0,
        nonce=None,
        imprint=imprint.body,
        imprint_algorithm=algorithm.whole,
    )
