"""
The acceptance rules 1 to 5, 7 and 8, sentence by sentence, where no other test holds them already.

Which test holds which sentence: docs/reference/acceptance-rules.md, at its end. Rules 6 and 9 are decided elsewhere:
tests/unit/verification/test_rules_six_and_nine.py. One sealed file serves all.
"""

from __future__ import annotations

import inspect
import io
import os
import socket
import warnings
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from asn1crypto import algos
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from signer import sandbox
from signer.domain.evidence import Form, SealFacts, State
from signer.seal import algorithms, chain, cms, der, examination, pdf, place, precheck, reading, revocation, sign, tail
from signer.seal.fast import judge as fast_judge
from signer.seal.revocation import AnswerRefused
from signer.seal.validate import validate
from tests import chains
from tests.pki import AT, World, blank_pdf
from tests.unit.seal.test_revocation import _answer, _delegate, _der, link
from tests.values import COUNTER_SIGNATURE, SIGNING_TIME, Value, attribute, in_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.seal.sign import Sealed

LATER = AT + timedelta(hours=1)


def judged(world: World, data: bytes) -> SealFacts:
    return validate(data, world.trust, LATER)


def failed(facts: SealFacts) -> dict[str, str]:
    """The failed checks: id -> what is said."""
    return {found.id: found.detail for found in facts.findings if found.state is State.FAILED}


# Rule 1: before any parser


@pytest.mark.parametrize("end", [b"%%EOF", b"%%EOF\n", b"%%EOF\r\n", b"%%EOF\r"])
def test_one_end_of_line_at_most_may_follow_the_end(end: bytes) -> None:
    assert precheck.has_clean_end(b"%PDF-1.7\n" + end)


@pytest.mark.parametrize("end", [b"%%EOF\n\n", b"%%EOF ", b"%%EOF\n\r", b"%%EOF\x00", b"%%EOFx", b"%EOF\n", b""])
def test_a_file_that_ends_otherwise_is_not_whole(end: bytes) -> None:
    assert not precheck.has_clean_end(b"%PDF-1.7\n" + end)


def test_bytes_after_the_end_are_told_by_the_check_of_the_form(world: World, sealed: Sealed) -> None:
    assert "file-form" in failed(judged(world, sealed.pdf + b" "))


CAPS: dict[str, tuple[bytes, bytes, str]] = {
    # cap -> bytes at the cap, bytes just above it, what is said
    "startxref": (b"startxref\n0\n" * 16, b"startxref\n0\n" * 17, "more than 16 revisions"),
    "/Size": (b"/Size 100000", b"/Size 100001", "more than 100000 objects"),
    "/Size, far": (b"/Size\n\t 100000", b"/Size\n\t 100001", "more than 100000 objects"),
    "digits": (b" " + b"7" * 64 + b" ", b" " + b"7" * 65 + b" ", "a number of more than 64 digits"),
    "/Contents": (
        b"/Contents <" + b"0" * 2 * 65_536 + b">",
        b"/Contents <" + b"0" * (2 * 65_536 + 1) + b">",
        "a signature of more than 65536 bytes",
    ),
}


@pytest.mark.parametrize("cap", CAPS)
def test_a_cap_is_exact_and_asked_before_any_parser(world: World, cap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, above, says = CAPS[cap]
    whole = (b"%PDF-1.7\n", b"\n%%EOF\n")
    assert precheck.refusal(inside.join(whole)) is None
    refused = precheck.refusal(above.join(whole))
    assert refused is not None
    assert (refused.reason, refused.is_final, refused.detail) == ("MALFORMED", False, says)
    monkeypatch.setattr(pdf, "open_strictly", lambda _: pytest.fail("a parser was asked"))
    assert judged(world, above.join(whole)).form is Form.UNREADABLE
    assert "file-form" in failed(judged(world, b"/T (Seal) ".join((whole[0], above + whole[1]))))


def test_a_file_of_20_000_000_bytes_is_read_and_one_byte_more_is_not() -> None:
    whole = b"%PDF-1.7\n".ljust(20_000_000)
    assert precheck.refusal(whole) is None
    refused = precheck.refusal(whole + b" ")
    assert refused is not None
    assert (refused.reason, refused.is_final) == ("TOO_LARGE", True)


@pytest.mark.parametrize("written", [b"/Encrypt 3 0 R ", b"/Encrypt<<>> ", b"/#45ncrypt 3 0 R "])
def test_encryption_has_its_own_refusal_however_it_is_spelt(world: World, written: bytes) -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(blank_pdf())) as plain:
        plain.save(locked, encryption=pikepdf.Encryption(owner="a", user="", R=6))
    facts = judged(world, locked.getvalue().replace(b"/Encrypt ", written.replace(b"3 0 R ", b""), 1))
    assert (facts.form, facts.reason) == (Form.UNREADABLE, "ENCRYPTED")


# Rule 2: what may follow S


def test_s_ends_where_the_byte_range_ends_and_what_follows_is_read_apart(world: World, sealed: Sealed) -> None:
    facts = judged(world, sealed.pdf + b"5 0 obj\n<< >>\nendobj\n")
    assert facts.sealed_length == len(sealed.pdf)
    assert facts.content is not None
    assert set(failed(facts)) == {"revisions", "file-form"}


def test_the_thirteenth_revision_is_refused_unread(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tail.state_of(PdfFileReader(io.BytesIO(sealed.pdf)))
    read: list[int] = []

    def one(file: bytes, at: int, state: tail.State) -> tuple[tail.State, tail.Revision]:
        read.append(at)
        where = place.Range(at, at + 1, at + 1)
        return state, tail.Revision(end=at + 1, where=where, token=b"", evidence=revocation.Evidence())

    monkeypatch.setattr(tail, "follow", one)
    length = len(sealed.pdf)
    assert len(tail.read(sealed.pdf + bytes(12), length, state)[1]) == 12
    with pytest.raises(tail.TailRefused, match="more than 12 revisions"):
        tail.read(sealed.pdf + bytes(13), length, state)
    assert len(read) == 24


# Rule 3: the signer is pinned first


def test_no_chain_is_judged_before_the_signer_is_found_on_the_list(
    world: World, stranger: World, page: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign.seal(page, key=stranger.keys["hengyuan"], timestamper=None, at=AT)
    monkeypatch.setattr(chain, "judge", lambda *_, **__: pytest.fail("a chain was judged"))
    assert set(failed(judged(world, made.pdf))) == {"signer-listed"}


def test_of_a_seal_that_is_not_listed_nothing_is_asked_but_when_it_existed(
    world: World, stranger: World, page: bytes
) -> None:
    """So that a list which is older than the file does not call its seal unknown."""
    stamped = sign.seal(page, key=stranger.keys["hengyuan"], timestamper=world.timestamper(), at=AT)
    facts = judged(world, stamped.pdf)
    assert set(failed(facts)) == {"signer-listed"}
    assert facts.timestamp is not None
    assert facts.timestamp.at == AT
    theirs = sign.seal(page, key=stranger.keys["hengyuan"], timestamper=stranger.timestamper(), at=AT)
    assert judged(world, theirs.pdf).timestamp is None


def test_certificates_of_the_file_never_reach_the_validator(
    world: World, stranger: World, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A same-named authority travels inside; the path is validated without it."""
    key = world.keys["hengyuan"]
    inside = (key.certificate.der, stranger.made.issuing.der, stranger.made.root.der)
    asked: list[bytes] = []
    path_fault = chain._path_fault

    def watched(members: tuple[Any, ...], *, at: Any) -> Any:
        asked.extend(member.der for member in members)
        return path_fault(members, at=at)

    monkeypatch.setattr(chain, "_path_fault", watched)
    monkeypatch.setattr(chain, "_lasting", inspect.unwrap(chain._lasting))
    chain._path_faults.cache_clear()
    facts = judged(world, Value(sealed.pdf, key, certificates=inside).file())
    assert set(failed(facts)) == {"embedded-certificates"}
    assert asked
    assert set(asked) <= {key.certificate.der, world.made.issuing.der, world.made.root.der, world.made.tsa.der}


def test_nothing_is_fetched_because_a_file_asks(world: World, sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    access = world.maker("hengyuan").certificate.parsed.extensions.get_extension_for_class(
        x509.AuthorityInformationAccess
    )
    assert access.value
    for owner, name in ((socket.socket, "connect"), (socket, "create_connection"), (socket, "getaddrinfo")):
        monkeypatch.setattr(owner, name, lambda *_, **__: pytest.fail("the network was asked"))
    monkeypatch.setattr(chain, "_lasting", inspect.unwrap(chain._lasting))
    chain._path_faults.cache_clear()
    facts = judged(world, sealed.pdf)
    assert {found.state for found in facts.findings} == {State.PASSED}


def test_of_an_issuers_responders_at_most_four_are_tried(world: World) -> None:
    made = [_delegate(world) for _ in range(5)]
    known = replace(link(world), responders=tuple(_der(certificate) for _, certificate in made))
    answers = [_answer(known, key, certificate, encoding=ocsp.OCSPResponderEncoding.NAME) for key, certificate in made]
    assert all(revocation.read(answer, known, kind="ocsp").revoked_at is None for answer in answers[:4])
    with pytest.raises(AnswerRefused, match="does not verify"):
        revocation.read(answers[4], known, kind="ocsp")


# Rule 4: a child without belongings


class Unheard(Exception):
    pass


ERRORS = (Unheard("x"), RecursionError(), MemoryError(), KeyError("/V"), TypeError(), AssertionError(), IndexError())


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_any_exception_becomes_altered_or_unreadable(
    world: World, sealed: Sealed, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(fast_judge, "_examine", broken)
    assert failed(judged(world, sealed.pdf)) == {}
    monkeypatch.setattr(examination, "examine", broken)
    facts = judged(world, sealed.pdf)
    assert (facts.form, facts.reason, set(failed(facts))) == (Form.SEALED, "MALFORMED", {"file-form"})
    assert (facts.indication, facts.sub_indication) == ("TOTAL-FAILED", "FORMAT_FAILURE")
    monkeypatch.setattr(pdf, "open_strictly", broken)
    assert judged(world, blank_pdf(field=None, content=None)).form is Form.UNREADABLE


def test_nothing_is_pickled_between_parent_and_child() -> None:
    ours = Path(sandbox.__file__).parent
    sources = [*ours.glob("*.py"), Path(reading.__file__), Path(examination.__file__).parent / "validate.py"]
    assert len(sources) > 3
    assert not [one.name for one in sources if b"pickle" in one.read_bytes() or b"marshal" in one.read_bytes()]


def test_our_memory_stays_flat_over_many_files(world: World, sealed: Sealed) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    broken = (sealed.pdf, sealed.pdf[:-200], sealed.pdf + b"x", blank_pdf(), b"%PDF-1.7\nnonsense\n%%EOF\n")
    for data in broken:
        reading.facts_of(data, world.trust, LATER)
    before = resident()
    for turn in range(30):
        facts = reading.facts_of(broken[turn % len(broken)], world.trust, LATER)
        assert facts.reason not in ("CHILD_DIED", "TOO_SLOW")
    assert resident() - before < 8_000_000


# Rule 5: one seal in one form


def test_a_value_that_is_built_by_hand_as_it_should_be_passes(world: World, sealed: Sealed) -> None:
    assert not failed(judged(world, Value(sealed.pdf, world.keys["hengyuan"]).file()))


VALUES: dict[str, tuple[Callable[[Value], Any], str]] = {
    "the content inside": (lambda v: {"content": der.encode(der.OCTET_STRING, b"x")}, "the content is inside"),
    "an empty content inside": (lambda v: {"content": der.encode(der.OCTET_STRING)}, "the content is inside"),
    "two signers": (lambda v: {"infos": 2}, "not exactly one SignerInfo"),
    "no signer": (lambda v: {"infos": 0}, "not exactly one SignerInfo"),
    "another version": (lambda v: {"version": 3}, "the version of SignedData"),
    "another digest algorithm named": (lambda v: {"digests": algorithms.SHA384}, "not the signer's one"),
    "two digest algorithms": (lambda v: {"digests": algorithms.SHA256 + algorithms.SHA384}, "not the signer's one"),
    "CRLs beside the certificates": (lambda v: {"revocation": der.encode(der.CONTEXT_1, b"\x30\x00")}, "fields"),
    "no certificate": (lambda v: {"certificates": ()}, "0 certificates"),
    "nine certificates": (
        lambda v: {"certificates": tuple(b"\x30\x01" + bytes((n,)) for n in range(9))},
        "9 certificates",
    ),
    "a certificate twice": (lambda v: {"certificates": (v.key.certificate.der,) * 2}, "stands twice"),
    "without its own certificate": (
        lambda v: {"certificates": tuple(one.der for one in v.key.chain)},
        "0 certificates inside are the signer's",
    ),
    "without signing-certificate-v2": (
        lambda v: {"signed": {k: x for k, x in v.honest.items() if k != cms.SIGNING_CERTIFICATE_V2}},
        "the signed attributes are not",
    ),
    "signing-certificate-v2 of another": (
        lambda v: {"signed": {**v.honest, cms.SIGNING_CERTIFICATE_V2: (cms.signing_certificate(v.key.chain[0]),)}},
        "does not name the signer",
    ),
    "a signing time": (
        lambda v: {"signed": {**v.honest, SIGNING_TIME: (b"\x17\x0d261125030000Z",)}},
        "the signed attributes are not",
    ),
    "a signed attribute of two values": (
        lambda v: {"signed": {**v.honest, cms.CONTENT_TYPE: (cms.DATA, cms.DATA)}},
        "without exactly one value",
    ),
    "signed attributes out of order": (
        lambda v: {"signed": dict(sorted(v.honest.items(), reverse=True)), "sort": False},
        "not in DER order",
    ),
    "a counter signature": (
        lambda v: {"unsigned": (attribute(COUNTER_SIGNATURE, b"\x30\x00"),)},
        "an unsigned attribute other than one signature timestamp",
    ),
    "two timestamps": (
        lambda v: {"unsigned": (attribute(cms.SIGNATURE_TIMESTAMP, b"\x30\x00"),) * 2},
        "an attribute stands twice",
    ),
    "a timestamp of two tokens": (
        lambda v: {"unsigned": (attribute(cms.SIGNATURE_TIMESTAMP, b"\x30\x00", b"\x30\x00"),)},
        "without exactly one value",
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_another_form_is_an_alteration_though_its_signature_is_right(
    world: World, sealed: Sealed, name: str
) -> None:
    changes, says = VALUES[name]
    honest = Value(sealed.pdf, world.keys["hengyuan"])
    facts = judged(world, replace(honest, **changes(honest)).file())
    assert says in failed(facts).get("cms-form", "")
    assert facts.indication != "TOTAL-PASSED"


def test_what_follows_the_value_is_zeros(world: World, sealed: Sealed) -> None:
    whole = Value(sealed.pdf, world.keys["hengyuan"]).whole()
    assert "cms-form" in failed(judged(world, in_place(sealed.pdf, whole, padding=b"1")))


def test_der_that_does_not_encode_to_itself_again_is_no_value(world: World, sealed: Sealed) -> None:
    whole = Value(sealed.pdf, world.keys["hengyuan"]).whole()
    body = der.only(whole, der.SEQUENCE).body
    for longer in (b"\x30\x83" + len(body).to_bytes(3, "big") + body, b"\x30\x80" + body + b"\0\0"):
        assert "cms-form" in failed(judged(world, in_place(sealed.pdf, longer)))


DICTIONARY: dict[str, tuple[bytes, bytes, str]] = {
    "P = 2": (b"/P 1", b"/P 2", "not certified to allow no changes"),
    "P = 3": (b"/P 1", b"/P 3", "not certified to allow no changes"),
    "another field": (b"(Seal)", b"(Sale)", "the field is called 'Sale'"),
    "not CAdES": (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached", "/SubFilter is '/adbe.pkcs7.detached'"),
}


@pytest.mark.parametrize("name", DICTIONARY)
def test_the_seals_dictionary_has_one_form(world: World, sealed: Sealed, name: str) -> None:
    old, new, says = DICTIONARY[name]
    assert old in sealed.pdf
    changed = sealed.pdf.replace(old, new)
    assert says in failed(judged(world, Value(changed, world.keys["hengyuan"]).file()))["seal-form"]


def _pss(digest: str, mgf: str, salt: int, **more: Any) -> bytes:
    parameters = {
        "hash_algorithm": {"algorithm": digest},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mgf}},
        "salt_length": salt,
        **more,
    }
    dumped: bytes = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters}).dump()
    return dumped


def test_pss_counts_with_one_hash_throughout_and_in_no_other_way(world: World) -> None:
    own = world.maker("rsa").certificate.parsed
    good = {"digest": algorithms.SHA256, "certificate": own}
    assert not algorithms.fault(signature=_pss("sha256", "sha256", 32), **good)  # type: ignore[arg-type]
    for wrong in (
        _pss("sha256", "sha1", 32),
        _pss("sha256", "sha384", 32),
        _pss("sha256", "sha256", 20),
        _pss("sha1", "sha1", 20),
    ):
        assert "signature algorithm" in algorithms.fault(signature=wrong, **good)  # type: ignore[arg-type]
    assert "another digest" in algorithms.fault(signature=_pss("sha384", "sha384", 48), **good)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "the curve secp224r1 is not P-256"),
        (lambda: ec.generate_private_key(ec.SECP256R1()), ""),
    ],
)
def test_a_key_below_2048_bits_or_p_256_does_not_count(
    key: Callable[[], Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = key()
    monkeypatch.setattr(chains, "key", lambda _name: made)
    own = chains.Draft(chains.SEAL, chains.ISSUING, ca=False).made()
    assert algorithms.key_fault(own.parsed).startswith(says)
    assert bool(algorithms.key_fault(own.parsed)) is bool(says)


# Rule 7: strict reading only


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/SigFlags 0", b"/Fields [ ]"),
        (b"endobj", b"      "),
        (b"endobj", b"endobk"),
    ],
    ids=["a key twice", "an object without end", "a misspelt end"],
)
def test_what_a_lenient_reader_lets_pass_is_not_read(world: World, old: bytes, new: bytes) -> None:
    broken = blank_pdf().replace(old, new, 1)
    lenient = PdfFileReader(io.BytesIO(broken), strict=False)
    with warnings.catch_warnings(action="ignore"):
        assert len(lenient.root["/Pages"]["/Kids"]) == 1
    facts = judged(world, broken)
    assert (facts.reason, set(failed(facts))) == ("MALFORMED", {"file-form"})


@pytest.mark.parametrize("what", ["a wrong startxref", "no table", "nothing but objects"])
def test_what_a_lenient_reader_repairs_is_not_read(what: str) -> None:
    page = blank_pdf()
    start = page.rindex(b"startxref")
    broken = {
        "a wrong startxref": page[:start] + b"startxref\n9999999\n%%EOF\n",
        "no table": page.replace(b"xref\n0 ", b"x   \n0 ", 1),
        "nothing but objects": page[: page.rindex(b"xref", 0, start)] + b"%%EOF\n",
    }[what]
    with pikepdf.open(io.BytesIO(broken)) as repaired:
        assert len(repaired.pages) == 1
    with pytest.raises((PdfError, ValueError, KeyError, IndexError)):
        pdf.open_strictly(broken).root["/Pages"]["/Kids"][0].get_object()


# Rule 8: the attachments


def _attached(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(blank_pdf())) as opened:
        change(opened)
        opened.save(out, deterministic_id=True)
    return out.getvalue()


def _second(opened: pikepdf.Pdf) -> None:
    names = opened.Root.Names.EmbeddedFiles.Names
    names.append(names[0])
    names.append(names[1])


def _renamed(opened: pikepdf.Pdf) -> None:
    opened.Root.Names.EmbeddedFiles.Names[1].UF = pikepdf.String("other.json")


def _two_streams(opened: pikepdf.Pdf) -> None:
    opened.Root.Names.EmbeddedFiles.Names[1].EF.UF = opened.make_stream(b"{}")


def _unassociated(opened: pikepdf.Pdf) -> None:
    del opened.Root.AF


ATTACHED = {
    "attached twice": _second,
    "two names": _renamed,
    "two streams": _two_streams,
    "not associated": _unassociated,
}


@pytest.mark.parametrize("name", ATTACHED)
def test_an_attachment_stands_once_under_one_name_with_one_stream(world: World, name: str) -> None:
    made = sign.seal(_attached(ATTACHED[name]), key=world.keys["hengyuan"], timestamper=None, at=AT)
    assert set(failed(judged(world, made.pdf))) == {"attachments"}
