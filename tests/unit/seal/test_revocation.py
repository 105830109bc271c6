"""What says that a certificate is revoked is believed; what says that it is not, only under its issuer's key."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext

from signer.domain.evidence import Form, SealFacts, State
from signer.domain.trust import Purpose
from signer.errors import InvalidInput, KeyUnavailable, Misconfigured, RevocationUnavailable, TimestampUnavailable
from signer.seal import certificates, consistency, dss, forms, inquiry, responder, revocation, sign
from signer.seal.certificates import Certificate
from signer.seal.inquiry import HttpCrl, HttpOcsp, Prefetched
from signer.seal.responder import TestResponder
from signer.seal.revocation import AnswerRefused, Evidence, Link, links_of
from signer.seal.validate import validate
from tests.pki import AT, World, entry_of
from tests.unit.seal.test_timestamp import served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.evidence import SealFinding
    from signer.seal.sign import Sealed

LATER = AT + timedelta(hours=1)
BEFORE = AT - timedelta(minutes=30)


def finding(facts: SealFacts, which: str) -> SealFinding:
    return next(found for found in facts.findings if found.id == which)


def link(world: World, maker: str = "hengyuan") -> Link:
    entry = world.trust.by_digest(world.maker(maker).certificate.digest)
    assert entry is not None
    return links_of(entry, world.trust)[0]


def sealed_with(world: World, page: bytes, evidence: Callable[..., Evidence], **how: Any) -> SealFacts:
    """Seal with whatever evidence, as a careless or hostile sealer would, and judge."""
    how = {"key": world.keys["hengyuan"], "timestamper": world.timestamper(), **how}
    made = sign.seal(page, at=AT, evidence=evidence, **how)
    return validate(made.pdf, world.trust, LATER)


def test_every_link_but_the_anchors_has_an_answer_in_the_sealed_revision(world: World, sealed: Sealed) -> None:
    reader = PdfFileReader(io.BytesIO(sealed.pdf))
    held = dss.read(reader)
    assert held is not None
    assert sealed.level == "B-LT"
    assert (len(held.ocsps), len(held.crls)) == (3, 0)
    assert "/VRI" not in reader.root["/DSS"]
    assert reader.xrefs.total_revisions == 2
    assert finding(validate(sealed.pdf, world.trust, LATER), "revocation").detail == "as of 2026-11-25T03:00:00Z"


def test_long_after_the_answers_ended_they_still_prove_the_moment_of_the_timestamp(
    world: World, sealed: Sealed
) -> None:
    facts = validate(sealed.pdf, world.trust, AT + timedelta(days=400))
    assert (facts.level, finding(facts, "revocation").state) == ("B-LT", State.PASSED)


@pytest.mark.parametrize(
    ("revoked", "indication", "sub_indication"),
    [
        ({"hengyuan": BEFORE}, "TOTAL-FAILED", "REVOKED"),
        # the authority of the timestamp falls with it
        ({"issuing": BEFORE}, "INDETERMINATE", "REVOKED_CA_NO_POE"),
    ],
)
def test_a_file_whose_own_data_say_revoked_fails(
    world: World, page: bytes, revoked: dict[str, datetime], indication: str, sub_indication: str
) -> None:
    facts = sealed_with(world, page, world.forged_evidence(**revoked))
    found = finding(facts, "revocation")
    assert (found.state, found.sub_indication) == (State.FAILED, sub_indication)
    assert facts.level == "B-T"
    assert (facts.indication, facts.sub_indication) == (indication, sub_indication)


def test_a_revocation_inside_what_was_sealed_is_older_than_the_seal_even_without_a_timestamp(
    world: World, page: bytes
) -> None:
    facts = sealed_with(world, page, world.forged_evidence(hengyuan=BEFORE), timestamper=None)
    assert finding(facts, "revocation").sub_indication == "REVOKED"
    assert (facts.indication, facts.sub_indication) == ("TOTAL-FAILED", "REVOKED")
    facts = sealed_with(world, page, world.forged_evidence(issuing=BEFORE), timestamper=None)
    assert finding(facts, "revocation").sub_indication == "REVOKED_CA_NO_POE"
    assert facts.indication == "INDETERMINATE"


def test_the_timestamp_of_a_revoked_authority_proves_nothing(world: World, page: bytes) -> None:
    facts = sealed_with(world, page, world.forged_evidence(tsa=BEFORE))
    assert (finding(facts, "timestamp").sub_indication, facts.timestamp) == ("REVOKED", None)
    assert (finding(facts, "timestamp").state, facts.level) == (State.UNDETERMINED, "B-T")


def test_pyhanko_with_the_same_data_says_the_same(world: World, page: bytes) -> None:
    """Trap: classic validation that ignores the DSS calls the revoked seal valid; with it, it does not."""
    root, issuing = (asn1_x509.Certificate.load(one.der) for one in (world.made.root, world.made.issuing))
    answers = {}
    for name, revoked in (("good", {}), ("revoked", {"hengyuan": BEFORE})):
        evidence = world.forged_evidence(**revoked)
        made = sign.seal(page, key=world.keys["hengyuan"], timestamper=world.timestamper(), at=AT, evidence=evidence)
        for uses_dss in (True, False):
            reader = PdfFileReader(io.BytesIO(made.pdf))
            settings = {"trust_roots": [root], "other_certs": [issuing], "moment": AT, "allow_fetching": False}
            context = (
                DocumentSecurityStore.read_dss(reader).as_validation_context({**settings, "revocation_mode": "require"})
                if uses_dss
                else ValidationContext(**settings)
            )
            status = validate_pdf_signature(reader.embedded_signatures[0], context)
            answers[name, uses_dss] = status.bottom_line
            assert status.coverage.name == "ENTIRE_FILE"
    assert answers == {("good", True): True, ("good", False): True, ("revoked", True): False, ("revoked", False): True}


def _stale(world: World) -> Any:
    return world.forged_evidence(at=AT - timedelta(days=3))


def _incomplete(world: World) -> Any:
    gather = world.evidence()
    return lambda witness: replace(gather(witness), ocsps=gather(witness).ocsps[:2])


def _of_another_authority(world: World) -> Any:
    return lambda witness: Evidence()


@pytest.mark.parametrize("gather", [_stale, _incomplete, _of_another_authority])
def test_evidence_that_does_not_prove_enough_leaves_the_question_open(
    world: World, page: bytes, gather: Callable[[World], Any]
) -> None:
    facts = sealed_with(world, page, gather(world))
    assert (finding(facts, "revocation").state, facts.level) == (State.UNDETERMINED, "B-T")
    assert facts.sub_indication == "TRY_LATER"


def test_a_strangers_answers_prove_nothing(world: World, stranger: World, page: bytes) -> None:
    foreign = stranger.forged_evidence()(stranger.made.tsa)
    facts = sealed_with(world, page, lambda _: Evidence((), foreign.ocsps))
    assert finding(facts, "revocation").state is State.UNDETERMINED
    assert finding(facts, "revocation-form").state is State.PASSED


def test_a_strangers_certificate_in_the_dss_is_an_alteration(world: World, stranger: World, page: bytes) -> None:
    mine = world.evidence()
    evidence = lambda witness: replace(mine(witness), certificates=(stranger.made.root.der,))  # noqa: E731
    facts = sealed_with(world, page, evidence)
    assert finding(facts, "embedded-certificates").state is State.FAILED


def _dss_page(page: bytes, change: Callable[[generic.DictionaryObject, IncrementalPdfFileWriter], None]) -> bytes:
    """Return a page that brings a DSS of its own into the revision before the seal."""
    writer = IncrementalPdfFileWriter(io.BytesIO(page))
    dss.write(writer, Evidence(ocsps=(b"\x30\x00",)))
    change(writer.root["/DSS"], writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _put(name: str, make: Callable[[IncrementalPdfFileWriter], generic.PdfObject]) -> Any:
    return lambda store, writer: store.__setitem__(generic.pdf_name(name), make(writer))


FILTERED = generic.StreamObject({generic.pdf_name("/Filter"): generic.pdf_name("/FlateDecode")}, encoded_data=b"x")
FORMS = {
    "a VRI": _put("/VRI", lambda _: generic.DictionaryObject()),
    "an unknown entry": _put("/Extra", lambda _: generic.NumberObject(1)),
    "an array that is none": _put("/OCSPs", lambda _: generic.NumberObject(1)),
    "an empty array": _put("/CRLs", lambda _: generic.ArrayObject()),
    "something that is no stream": _put("/CRLs", lambda _: generic.ArrayObject([generic.NumberObject(1)])),
    "a filtered stream": _put("/CRLs", lambda writer: generic.ArrayObject([writer.add_object(FILTERED)])),
    "a stream of 257 kB": _put(
        "/CRLs",
        lambda writer: generic.ArrayObject([writer.add_object(generic.StreamObject(stream_data=bytes(257_000)))]),
    ),
    "a hundred streams": _put(
        "/CRLs",
        lambda writer: generic.ArrayObject([writer.add_object(generic.StreamObject(stream_data=b"x"))] * 100),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_dss_of_another_form_is_an_alteration(world: World, page: bytes, name: str) -> None:
    made = sign.seal(_dss_page(page, FORMS[name]), key=world.keys["hengyuan"], timestamper=None, at=AT)
    facts = validate(made.pdf, world.trust, LATER)
    assert facts.form is Form.SEALED
    assert finding(facts, "revocation-form").state is State.FAILED


# What one answer must be


def refused(data: bytes, which: Link, says: str, *, kind: Any = "ocsp") -> None:
    with pytest.raises(AnswerRefused, match=says):
        revocation.read(data, which, kind=kind)


def test_an_answer_says_until_when(world: World) -> None:
    answer = revocation.read(world.responder().ask(link(world)), link(world), kind="ocsp")
    assert (answer.this_update, answer.next_update) == (AT, AT + timedelta(days=1))
    assert answer.revoked_at is None
    assert [revocation.is_current(answer, at) for at in (AT, AT - timedelta(hours=1), AT + timedelta(days=2))] == [
        True,
        False,
        False,
    ]
    ended = revocation.read(world.responder(hengyuan=BEFORE).ask(link(world)), link(world), kind="ocsp")
    assert ended.revoked_at == BEFORE


def test_no_changed_byte_changes_what_an_answer_says(world: World) -> None:
    which = link(world)
    data = world.responder().ask(which)
    honest = revocation.read(data, which, kind="ocsp")
    for place in range(len(data)):
        altered = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
        try:
            found = revocation.read(altered, which, kind="ocsp")
        except AnswerRefused:
            continue
        assert replace(found, data=data) == honest, f"byte {place}"


def test_an_answer_about_another_certificate_or_by_another_issuer_is_none(world: World, stranger: World) -> None:
    refused(world.responder().ask(link(world, "xinghe")), link(world), "about another certificate")
    refused(stranger.responder().ask(link(stranger)), link(world), "about another certificate")
    forged = TestResponder(stranger.authority_keys, revocations=dict, clock=lambda: AT, is_test_mode=True)
    mine = Link(certificate=link(world).certificate, issuer=stranger.made.issuing)
    refused(forged.ask(mine), link(world), "about another certificate")


def test_errors_nonsense_and_too_much_are_no_answers(world: World) -> None:
    sorry = asn1_ocsp.OCSPResponse({"response_status": "try_later"}).dump()
    refused(sorry, link(world), "TRY_LATER")
    for nonsense in (b"", b"\x30\x00", b"%PDF-1.7", world.responder().ask(link(world)) + b"\0"):
        refused(nonsense, link(world), "cannot be read")
        refused(nonsense, link(world), "cannot be read", kind="crl")
    refused(bytes(300_000), link(world), "at most")


def _delegate(world: World, *, is_for_ocsp: bool = True, has_nocheck: bool = True, by: Any = None) -> tuple[Any, Any]:
    """Return key and certificate of a responder that the issuing authority (or `by`) certified."""
    issuer_key, key = by or world.authority_keys[1], ec.generate_private_key(ec.SECP256R1())
    usage = x509.OID_OCSP_SIGNING if is_for_ocsp else x509.ExtendedKeyUsageOID.CODE_SIGNING
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "TEST responder")]))
        .issuer_name(issuer_key.certificate.parsed.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=30))
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier(certificates.TEST_POLICY_OID), None)]
            ),
            critical=False,
        )
    )
    if has_nocheck:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return key, builder.sign(issuer_key._key, hashes.SHA256())


def _answer(
    which: Link, key: Any, certificate: Any, *, digest: Any = None, status: Any = None, encoding: Any = None
) -> bytes:
    return (
        ocsp.OCSPResponseBuilder()
        .add_response(
            which.certificate.parsed,
            which.issuer.parsed,
            digest or hashes.SHA1(),
            status or ocsp.OCSPCertStatus.GOOD,
            AT,
            None,
            None,
            None,
        )
        .responder_id(encoding or ocsp.OCSPResponderEncoding.HASH, certificate)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def _der(certificate: Any) -> Certificate:
    return Certificate(certificate.public_bytes(serialization.Encoding.DER))


def test_a_responder_speaks_only_if_listed_and_certified_by_the_issuer_for_it(world: World, stranger: World) -> None:
    plain = link(world)
    key, certificate = _delegate(world)
    answer = _answer(plain, key, certificate)
    refused(answer, plain, "by nobody who may answer")
    listed = replace(plain, responders=(_der(certificate),))
    found = revocation.read(answer, listed, kind="ocsp")
    assert found.next_update == AT + timedelta(hours=1)
    for changes, says in (
        ({"is_for_ocsp": False}, "not OCSPSigning"),
        ({"has_nocheck": False}, "nocheck"),
        ({"by": stranger.authority_keys[1]}, "not certified by the issuer"),
    ):
        key, certificate = _delegate(world, **changes)
        refused(_answer(plain, key, certificate), replace(plain, responders=(_der(certificate),)), says)


def test_a_responder_that_does_not_know_says_nothing(world: World) -> None:
    issuer = world.authority_keys[1]
    unknown = _answer(link(world), issuer._key, issuer.certificate.parsed, status=ocsp.OCSPCertStatus.UNKNOWN)
    refused(unknown, link(world), "does not know")


def test_the_trust_list_names_responders(world: World, stranger: World) -> None:
    _, certificate = _delegate(world)
    chain = (world.made.issuing.digest,)
    entry = entry_of(Purpose.OCSP, _der(certificate), "TEST responder", chain=chain)
    listed = world.trust.model_copy(update={"entries": (*world.trust.entries, entry)})
    consistency.refuse_inconsistent(listed, roots=frozenset())
    seal = listed.by_digest(world.maker("hengyuan").certificate.digest)
    assert seal is not None
    below, above = links_of(seal, listed)
    assert (below.responders, above.responders) == ((_der(certificate),), ())
    for wrong in (entry.model_copy(update={"chain": ()}), entry_of(Purpose.OCSP, world.made.tsa, "x", chain=chain)):
        broken = listed.model_copy(update={"entries": (*world.trust.entries[:2], wrong)})
        with pytest.raises(InvalidInput, match=r"may not answer|needs the authority"):
            consistency.refuse_inconsistent(broken, roots=frozenset())


def test_over_the_years_an_issuer_has_many_responders_of_one_name(world: World) -> None:
    made = [_delegate(world) for _ in range(4)]
    known = replace(link(world), responders=tuple(_der(certificate) for _, certificate in made))
    for key, certificate in made:
        named = _answer(known, key, certificate, encoding=ocsp.OCSPResponderEncoding.NAME)
        assert revocation.read(named, known, kind="ocsp").revoked_at is None
    key, certificate = _delegate(world)
    refused(_answer(known, key, certificate), known, "nobody who may answer")
    refused(_answer(known, key, certificate, encoding=ocsp.OCSPResponderEncoding.NAME), known, "does not verify")


def _crl(world: World, *, revoked: bool = False, by: Any = None, is_partial: bool = False) -> bytes:
    key = by or world.authority_keys[1]
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(key.certificate.parsed.subject)
        .last_update(AT)
        .next_update(AT + timedelta(days=7))
    )
    if revoked:
        serial = world.maker("hengyuan").certificate.parsed.serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(BEFORE).build()
        builder = builder.add_revoked_certificate(entry)
    if is_partial:
        point = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
        builder = builder.add_extension(point, critical=True)
    made: bytes = builder.sign(key._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return made


def test_a_whole_crl_of_the_issuer_is_an_answer(world: World, stranger: World) -> None:
    which = link(world)
    assert revocation.read(_crl(world), which, kind="crl").revoked_at is None
    assert revocation.read(_crl(world, revoked=True), which, kind="crl").revoked_at == BEFORE
    refused(_crl(world, by=stranger.authority_keys[1]), which, "signature", kind="crl")
    refused(_crl(world, by=world.authority_keys[0]), which, "not the whole list", kind="crl")
    refused(_crl(world, is_partial=True), which, "not the whole list", kind="crl")


def test_a_crl_in_the_file_counts(world: World, page: bytes) -> None:
    def gather(witness: Certificate | None) -> Evidence:
        ocsps = world.forged_evidence()(witness).ocsps
        return Evidence((), ocsps[1:2], (_crl(world),))

    facts = sealed_with(world, page, gather)
    assert (facts.level, finding(facts, "revocation").state) == ("B-LT", State.PASSED)
    facts = sealed_with(world, page, lambda witness: replace(gather(witness), crls=(_crl(world, revoked=True),)))
    assert finding(facts, "revocation").state is State.FAILED


# Asking


class Counting:
    def __init__(self, honest: TestResponder) -> None:
        self.name, self.kind, self.honest, self.asked = "counting", "ocsp", honest, 0

    def ask(self, which: Link) -> bytes:
        self.asked += 1
        return self.honest.ask(which)


def test_answers_are_kept_for_an_hour_and_not_longer(world: World) -> None:
    now = [AT]
    source = Counting(TestResponder(world.authority_keys, revocations=dict, clock=lambda: now[0], is_test_mode=True))
    kept = Prefetched((source,), trust=world.trust, clock=lambda: now[0])  # type: ignore[arg-type]
    entries = world.entries("hengyuan", world.made.tsa)
    first = kept.evidence(*entries)
    assert (source.asked, len(first.ocsps)) == (3, 3)
    now[0] = AT + timedelta(minutes=59)
    assert kept.evidence(*entries) == first
    assert kept.evidence(entries[0]) != first
    now[0] = AT + timedelta(minutes=60)
    assert kept.evidence(*entries) != first
    assert source.asked == 6
    now[0] = AT
    kept.evidence(*entries)
    assert source.asked == 9


def test_a_revoked_seal_and_a_revoked_authority_are_told_apart(world: World) -> None:
    entries = world.entries("hengyuan", world.made.tsa)
    for revoked, error in (
        ({"hengyuan": BEFORE}, KeyUnavailable),
        ({"issuing": BEFORE}, KeyUnavailable),
        ({"tsa": BEFORE}, TimestampUnavailable),
    ):
        kept = Prefetched((world.responder(**revoked),), trust=world.trust, clock=lambda: AT)
        with pytest.raises(error, match="was revoked at 2026-11-25T02:30:00Z"):
            kept.evidence(*entries)


def test_a_responder_that_is_silent_or_lies_is_named(world: World, stranger: World) -> None:
    entries = world.entries("hengyuan", None)
    silent = Prefetched((), trust=world.trust, clock=lambda: AT)
    lying = Prefetched((stranger.responder(),), trust=world.trust, clock=lambda: AT)
    late = Prefetched((world.responder(AT - timedelta(days=2)),), trust=world.trust, clock=lambda: AT)
    for kept, says in ((silent, "nobody can be asked"), (lying, "does not speak for"), (late, "out of date")):
        with pytest.raises(RevocationUnavailable, match=says):
            kept.evidence(*entries)


def _addressed(world: World, url: str) -> Link:
    """Return a link whose certificate names an OCSP responder and a CRL."""
    issuer, key = world.authority_keys[1], ec.generate_private_key(ec.SECP256R1())
    address = x509.UniformResourceIdentifier(url)
    access = x509.AccessDescription(x509.AuthorityInformationAccessOID.OCSP, address)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "TEST addressed")]))
        .issuer_name(issuer.certificate.parsed.subject)
        .public_key(key.public_key())
        .serial_number(99)
        .not_valid_before(AT)
        .not_valid_after(AT + timedelta(days=30))
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        .add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([address], None, None, None)]), critical=False
        )
        .sign(issuer._key, hashes.SHA256())
    )
    return Link(certificate=_der(certificate), issuer=issuer.certificate)


def test_a_responder_over_http_is_asked_only_where_the_list_names_its_host(world: World) -> None:
    seen = []

    def reply(asked: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append(ocsp.load_der_ocsp_request(asked).serial_number)
        answer = world.responder().ask(_addressed(world, "http://x/"))
        return 200, {"Content-Type": "application/ocsp-response", "Connection": "close"}, answer

    with served(reply) as url:
        which, host = _addressed(world, url), url.split("/")[2]
        assert revocation.read(HttpOcsp((host,)).ask(which), which, kind="ocsp").revoked_at is None
        for hosts in ((), ("127.0.0.1",), (f"{host}.example.org",)):
            with pytest.raises(RevocationUnavailable, match="no address whose host"):
                HttpOcsp(hosts).ask(which)
            with pytest.raises(RevocationUnavailable, match="no address whose host"):
                HttpCrl(hosts).ask(which)
    assert seen == [99]


@pytest.mark.parametrize(
    ("status", "kind", "body", "says"),
    [
        (302, "application/ocsp-response", b"", "answered 302"),
        (200, "text/html", b"<html>", "text/html"),
        (200, "application/ocsp-response", bytes(300_000), "more than 256000 bytes"),
    ],
)
def test_a_wrong_http_answer_is_none(world: World, status: int, kind: str, body: bytes, says: str) -> None:
    headers = {"Content-Type": kind, "Connection": "close", "Location": "http://127.0.0.1:9/"}
    with served(lambda _: (status, headers, body)) as url, pytest.raises(RevocationUnavailable, match=says):
        HttpOcsp((url.split("/")[2],)).ask(_addressed(world, url))


def test_addresses_of_other_kinds_are_not_asked(world: World) -> None:
    for url in ("file:///etc/passwd", "ldap://127.0.0.1/", "http://user@127.0.0.1/"):
        with pytest.raises(RevocationUnavailable, match="no address"):
            HttpOcsp(("127.0.0.1", "")).ask(_addressed(world, url))
    assert inquiry._ocsp_addresses(link(world).certificate) == (forms.RESPONDER_URL,)
    assert inquiry._crl_addresses(link(world).certificate) == ()


def test_the_test_responder_refuses_to_be_real_and_reads_its_register(world: World, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="test mode only"):
        TestResponder(world.authority_keys, revocations=dict, clock=lambda: AT, is_test_mode=False)
    assert responder.revoked(tmp_path) == {}
    responder.revoke(tmp_path, "ab" * 32, at=AT)
    responder.revoke(tmp_path, "cd" * 32, at=LATER)
    assert responder.revoked(tmp_path) == {"ab" * 32: AT, "cd" * 32: LATER}
    (tmp_path / "revoked").write_text("nonsense\n")
    with pytest.raises(Misconfigured, match="not `digest instant`"):
        responder.revoked(tmp_path)


def test_sealing_begins_again_with_the_evidence_of_whoever_answers(world: World, page: bytes) -> None:
    asked: list[Certificate | None] = []
    gather, honest = world.evidence(), world.timestamper()

    def watched(witness: Certificate | None) -> Evidence:
        asked.append(witness)
        return gather(None if witness == world.made.issuing else witness)

    first = honest._authorities[0]
    before = honest.stamp(b"before", intended_at=AT)
    honest._answered[first.name] = replace(before, certificate=world.made.issuing)
    made = sign.seal(page, key=world.keys["hengyuan"], timestamper=honest, at=AT, evidence=watched)
    assert asked == [world.made.issuing, world.made.tsa]
    assert validate(made.pdf, world.trust, LATER).level == made.level == "B-LT"
