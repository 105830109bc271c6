"""
What an OCSP answer or a CRL says of one certificate, believed only under its issuer's key.

Nothing is fetched here: `inquiry` asks before a seal is made, `dss` carries the answers in the file, and the judge
reads them again. Source: docs/adr/0013-revocation.md; RFC 6960; RFC 5280, 5 and 6.3; rule 3.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp

from signer.domain.evidence import State
from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.seal import algorithms, certificates, chain
from signer.seal.certificates import Certificate, known, named, printable
from signer.seal.kept import kept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signer.domain.evidence import SubIndication
    from signer.domain.trust import TrustEntry, TrustList

Kind = Literal["ocsp", "crl"]
MOST_BYTES: Final = 256_000
MOST_RESPONDERS: Final = 4
_MOST_KEPT: Final = 4_000
CLOCK_SKEW: Final = timedelta(minutes=5)
_WITHOUT_NEXT: Final = timedelta(hours=1)
"""How long an answer counts that does not say until when: its maker always has a newer one (RFC 6960, 4.2.2.1)."""
_CERTIFICATE_ID_DIGESTS: Final = ("sha1", "sha256", "sha384", "sha512")
_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class AnswerRefused(ValueError):
    """An answer says nothing credible about this certificate."""


class AboutAnother(AnswerRefused):
    """An answer is about another certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One certificate that somebody can revoke: its issuer, and whom the issuer lets answer for it."""

    certificate: Certificate
    issuer: Certificate
    responders: tuple[Certificate, ...] = ()

    def __hash__(self) -> int:
        """Two links of one hash are compared as a whole."""
        return hash(self.certificate.der)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What was said of one certificate, and when: true from `this_update` to `next_update`, both included.

    `reason` is why it was revoked, in the authority's word (`keyCompromise`), if it says so.
    """

    kind: Kind
    data: bytes
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None = None
    reason: str = ""

    def covers(self, at: datetime) -> bool:
        """Tell whether it was current at an instant, or is younger: good later was good before."""
        return at <= self.next_update


@dataclass(frozen=True, slots=True)
class Evidence:
    """What travels in a file (DSS), each in DER: certificates, OCSP answers, CRLs."""

    certificates: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What evidence says of a chain. `as_of` is the oldest answer's time, if every link has one that counts."""

    state: State
    sub_indication: SubIndication | None = None
    detail: str = ""
    as_of: datetime | None = None


@kept
def links_of(entry: TrustEntry, trust: TrustList) -> tuple[Link, ...]:
    """Return the links of a listed certificate's chain but its anchor; none if it is itself pinned."""
    members = (known(entry.der), *chain.resolve(entry, trust))
    return tuple(
        Link(certificate=own, issuer=issuer, responders=_responders(issuer, trust)) for own, issuer in pairwise(members)
    )


def _responders(issuer: Certificate, trust: TrustList) -> tuple[Certificate, ...]:
    listed = (entry for entry in trust.of(Purpose.OCSP) if entry.chain[:1] == (issuer.digest,))
    return tuple(known(entry.der) for entry in listed)


def judge(
    links: Iterable[Link], evidence: Evidence, *, at: datetime, inside: Evidence, later: Evidence | None = None
) -> Said:
    """
    Say whether no link was revoked at an instant.

    One word of revocation in `evidence` is enough, whenever it was spoken. If it lies `inside` what is judged, that
    was made after the word, and so after the revocation: REVOKED (EN 319 102-1, 5.5.4). `later` was added
    afterwards: a revocation in it counts only from its own time on.
    """
    oldest, missing = None, ""
    for link in links:
        found, refused = _answers(link, evidence)
        since, _ = _answers(link, later) if later else ((), "")
        ended = [answer for answer in found if answer.revoked_at is not None]
        ended += [answer for answer in since if _reaches(answer, at)]
        if ended:
            return _revoked(link, ended[0], inside=inside)
        current = [answer.this_update for answer in (*found, *since) if answer.covers(at)]
        if current:
            oldest = min(oldest or current[0], *current)
        elif not missing:
            missing = _unknown(link, [*found, *since], refused, at=at)
    if missing:
        return Said(state=State.UNDETERMINED, sub_indication="TRY_LATER", detail=missing)
    told = f"as of {format_instant(oldest)}" if oldest else "pinned: nobody but the trust list revokes it"
    return Said(state=State.PASSED, detail=told, as_of=oldest)


def _reaches(answer: Answer, at: datetime) -> bool:
    return answer.revoked_at is not None and answer.revoked_at <= at


def union(pieces: Iterable[Evidence]) -> Evidence:
    """Return several pieces of evidence as one, nothing in it twice."""
    every = tuple(pieces)
    return Evidence(
        certificates=tuple(dict.fromkeys(one for piece in every for one in piece.certificates)),
        ocsps=tuple(dict.fromkeys(one for piece in every for one in piece.ocsps)),
        crls=tuple(dict.fromkeys(one for piece in every for one in piece.crls)),
    )


def _revoked(link: Link, answer: Answer, *, inside: Evidence) -> Said:
    """Say that a link was revoked, when and why. Of authorities the standard knows no order in time."""
    ended = answer.revoked_at or answer.this_update
    is_before = answer.data in (*inside.ocsps, *inside.crls) and ended <= answer.this_update
    word: SubIndication = "REVOKED" if is_before else "REVOKED_NO_POE"
    because = f" ({answer.reason})" if answer.reason else ""
    told = f"{named(link.certificate)} was revoked at {format_instant(ended)}{because}"
    return Said(state=State.FAILED, sub_indication="REVOKED_CA_NO_POE" if link.certificate.is_ca else word, detail=told)


def _unknown(link: Link, found: list[Answer], refused: str, *, at: datetime) -> str:
    """Say why nothing current is known of a link: the newest answer ended, or does not count, or is not there."""
    if found:
        newest = max(found, key=lambda answer: answer.next_update)
        until = f"the newest is of {format_instant(newest.this_update)}, until {format_instant(newest.next_update)}"
        return f"no current answer about {named(link.certificate)} at {format_instant(at)}: {until}"
    return f"no answer about {named(link.certificate)}{' counts: ' if refused else ''}{refused}"


def _answers(link: Link, evidence: Evidence) -> tuple[tuple[Answer, ...], str]:
    """Return what evidence says of a link, and why the first answer about it that does not count does not."""
    is_small = sum(map(len, evidence.ocsps)) + sum(map(len, evidence.crls)) <= _MOST_KEPT
    return (_told if is_small else _tell)(link, evidence.ocsps, evidence.crls)


def _tell(link: Link, ocsps: tuple[bytes, ...], crls: tuple[bytes, ...]) -> tuple[tuple[Answer, ...], str]:
    kinds: tuple[tuple[Kind, tuple[bytes, ...]], ...] = (("ocsp", ocsps), ("crl", crls))
    found, refused = [], ""
    for kind, data in ((kind, data) for kind, blobs in kinds for data in blobs):
        said = _said(data, link, kind) if len(data) <= _MOST_KEPT else _read_once(data, link, kind)
        if isinstance(said, Answer):
            found.append(said)
        else:
            refused = refused or said
    return tuple(found), refused


_told = lru_cache(maxsize=256)(_tell)
"""What a few small answers say together of a link, kept for the same reason as what each says."""


def _read_once(data: bytes, link: Link, kind: Kind) -> Answer | str:
    """Return what an answer says of a link, or why it does not count; '' if it is about another certificate."""
    try:
        return read(data, link, kind=kind)
    except AboutAnother:
        return ""
    except AnswerRefused as error:
        return str(error)


_said = lru_cache(maxsize=256)(_read_once)
"""Of small answers what was read once is kept: it depends on these bytes and on nothing else."""


def read(data: bytes, link: Link, *, kind: Kind) -> Answer:
    """Read what an OCSP response or a CRL (DER) says of a link's certificate. Raises AnswerRefused."""
    if len(data) > MOST_BYTES:
        raise AnswerRefused(f"{len(data)} bytes; at most {MOST_BYTES} are read")
    try:
        return _read_ocsp(data, link) if kind == "ocsp" else _read_crl(data, link)
    except AnswerRefused:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise AnswerRefused(printable(f"cannot be read: {error}", most=200)) from error


def _read_ocsp(data: bytes, link: Link) -> Answer:
    answer = ocsp.load_der_ocsp_response(data)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise AnswerRefused(f"the responder answered {answer.response_status.name}")
    _refuse_other_certificate(answer, link)
    if any(extension.critical for extension in (*answer.extensions, *answer.single_extensions)):
        raise AnswerRefused("a critical extension is not known here")
    _check_ocsp_signature(answer, link)
    if answer.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise AnswerRefused("the responder does not know this certificate")
    return Answer(
        kind="ocsp",
        data=data,
        this_update=answer.this_update_utc,
        next_update=answer.next_update_utc or answer.this_update_utc + _WITHOUT_NEXT,
        revoked_at=answer.revocation_time_utc,
        reason=answer.revocation_reason.value if answer.revocation_reason is not None else "",
    )


def _refuse_other_certificate(answer: ocsp.OCSPResponse, link: Link) -> None:
    """Compare the CertID: the serial number, and hashes of the issuer's name and key. Source: RFC 6960, 4.1.1."""
    name = answer.hash_algorithm.name
    if name not in _CERTIFICATE_ID_DIGESTS:
        raise AnswerRefused(f"the certificate is named by {name}")
    of_name, of_key = (
        hashlib.new(name, part, usedforsecurity=False).digest() for part in (link.issuer.name, link.issuer.key_bits)
    )
    is_same = (
        answer.serial_number == link.certificate.parsed.serial_number
        and answer.issuer_name_hash == of_name
        and answer.issuer_key_hash == of_key
    )
    if not is_same:
        raise AboutAnother("it is about another certificate")


def _check_ocsp_signature(answer: ocsp.OCSPResponse, link: Link) -> None:
    """
    Demand the signature of the issuer, or of a listed responder whom the issuer certified for this.

    Over the years an issuer has many responders, perhaps of one name: at most four that lived at the time are asked.
    """
    at = answer.this_update_utc
    named = [one for one in link.responders if _is_by(answer, one)]
    alive = [one for one in named if one.not_before <= at <= one.not_after]
    able = [link.issuer] if _is_by(answer, link.issuer) else (alive or named)[:MOST_RESPONDERS]
    refused: AnswerRefused | None = None
    for signer in able:
        try:
            if signer != link.issuer:
                _refuse_responder(signer, link.issuer, at=at)
            _check_signature(signer, answer.signature, answer.tbs_response_bytes, answer.signature_hash_algorithm)
        except AnswerRefused as error:
            refused = error
        else:
            return
    raise refused or AnswerRefused("it is by nobody who may answer for the issuer")


def _is_by(answer: ocsp.OCSPResponse, signer: Certificate) -> bool:
    if answer.responder_name is not None:
        return answer.responder_name == signer.parsed.subject
    return answer.responder_key_hash == hashlib.sha1(signer.key_bits, usedforsecurity=False).digest()


def _refuse_responder(signer: Certificate, issuer: Certificate, *, at: datetime) -> None:
    if fault := certificates.responder_usage_fault(signer):
        raise AnswerRefused(f"the responder's certificate: {fault}")
    try:
        signer.parsed.verify_directly_issued_by(issuer.parsed)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise AnswerRefused("the responder was not certified by the issuer for whom it speaks") from error
    if not signer.not_before <= at <= signer.not_after:
        raise AnswerRefused("the responder's certificate was not valid when it answered")


def _check_signature(signer: Certificate, signature: bytes, tbs: bytes, digest: hashes.HashAlgorithm | None) -> None:
    """Check a signature by ECDSA, or RSA PKCS #1 v1.5, with SHA-256 or better."""
    key = algorithms.key_of(signer.parsed)
    if not isinstance(digest, _STRONG) or algorithms.key_fault(signer.parsed):
        raise AnswerRefused("the algorithms of its signature are too weak, or not known here")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, tbs, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, tbs, padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise AnswerRefused("its signature does not verify") from error


def _read_crl(data: bytes, link: Link) -> Answer:
    """Read a whole CRL of the issuer's own; partial, indirect and delta CRLs say so by critical extensions."""
    listed = x509.load_der_x509_crl(data)
    if listed.issuer != link.issuer.parsed.subject:
        raise AboutAnother("it is not the whole list of this issuer, but another's")
    if any(extension.critical for extension in listed.extensions):
        raise AnswerRefused("it is not the whole list of this issuer")
    _check_signature(link.issuer, listed.signature, listed.tbs_certlist_bytes, listed.signature_hash_algorithm)
    entry = listed.get_revoked_certificate_by_serial_number(link.certificate.parsed.serial_number)
    return Answer(
        kind="crl",
        data=data,
        this_update=listed.last_update_utc,
        next_update=listed.next_update_utc or listed.last_update_utc + _WITHOUT_NEXT,
        revoked_at=entry.revocation_date_utc if entry is not None else None,
        reason=_reason(entry),
    )


def _reason(entry: x509.RevokedCertificate | None) -> str:
    """Return the reason that an entry of a CRL gives, or ''. Source: RFC 5280, 5.3.1."""
    if entry is None:
        return ""
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return ""


def request(link: Link) -> bytes:
    """Return an OCSPRequest (DER) for a link: SHA-1 in the CertID, which every responder knows (RFC 5019, 2.1.1)."""
    dumped: bytes = asn1_ocsp.OCSPRequest(
        {"tbs_request": {"request_list": [{"req_cert": certificate_id(link, digest="sha1")}]}}
    ).dump()
    return dumped


def certificate_id(link: Link, *, digest: Literal["sha1", "sha256"]) -> asn1_ocsp.CertId:
    """Return the CertID of a link's certificate. Source: RFC 6960, 4.1.1."""
    of_name, of_key = (
        hashlib.new(digest, part, usedforsecurity=False).digest() for part in (link.issuer.name, link.issuer.key_bits)
    )
    return asn1_ocsp.CertId(
        {
            "hash_algorithm": {"algorithm": digest},
            "issuer_name_hash": of_name,
            "issuer_key_hash": of_key,
            "serial_number": link.certificate.parsed.serial_number,
        }
    )


def is_current(answer: Answer, at: datetime) -> bool:
    """Tell whether an answer may be used at an instant: not from the future, and not out of date."""
    return answer.this_update <= at.astimezone(UTC) + CLOCK_SKEW and at <= answer.next_update
