"""What we seal, we validate; what anyone changes, we see."""

from __future__ import annotations

import base64
import io
import subprocess
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer.domain.evidence import Form, Part, SealFacts, State
from signer.domain.trust import Purpose, SealState
from signer.errors import InvalidInput, KeyUnavailable
from signer.seal import keys, precheck, sign
from signer.seal.findings import QUESTIONS, Id
from signer.seal.validate import validate
from tests.pki import AT, CONTENT, World, blank_pdf, trust_list_of, with_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.seal.sign import Sealed

LATER = AT + timedelta(hours=1)


def states(facts: SealFacts) -> dict[str, State]:
    return {finding.id: finding.state for finding in facts.findings}


def failed(facts: SealFacts) -> set[str]:
    return {finding.id for finding in facts.findings if finding.state is State.FAILED}


def is_good(facts: SealFacts) -> bool:
    """What no altered file may ever be: sealed, every answer yes but those of the timestamp and of revocation."""
    answers = {finding.state for finding in facts.findings if finding.id not in ("timestamp", "revocation")}
    return facts.form is Form.SEALED and answers == {State.PASSED}


def test_what_we_seal_passes_every_question(world: World, sealed: Sealed) -> None:
    facts = validate(sealed.pdf, world.trust, LATER)
    assert set(states(facts).values()) == {State.PASSED}
    assert [finding.id for finding in facts.findings] == [one.value for one in Id]
    assert (facts.form, facts.level, facts.indication, facts.sub_indication) == (
        Form.SEALED,
        "B-LT",
        "TOTAL-PASSED",
        None,
    )
    assert facts.sealed_length == sealed.sealed_length == len(sealed.pdf)
    assert facts.certificate_digest == sealed.certificate_digest == world.maker("hengyuan").certificate.digest
    assert facts.test_policy
    assert facts.claimed_at == AT
    assert facts.timestamp is not None
    assert facts.timestamp.at == AT
    assert facts.content is not None
    assert base64.b64decode(facts.content) == CONTENT


@pytest.mark.parametrize("maker", ["hengyuan", "xinghe", "rsa"])
def test_every_kind_of_key_and_name_seals(world: World, page: bytes, maker: str) -> None:
    made = sign.seal(page, key=world.keys[maker], timestamper=None, at=AT)
    facts = validate(made.pdf, world.trust, LATER)
    assert made.level == "B-B"
    assert is_good(facts)
    assert states(facts)["timestamp"] is State.UNDETERMINED
    assert (facts.level, facts.timestamp) == ("B-B", None)
    assert (facts.indication, facts.sub_indication) == ("INDETERMINATE", "TRY_LATER")


def test_other_readers_agree(sealed: Sealed, tmp_path: pytest.TempPathFactory) -> None:
    path = tmp_path / "sealed.pdf"  # type: ignore[operator]
    path.write_bytes(sealed.pdf)
    try:
        checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
        told = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("qpdf or pdfsig is not installed")
    assert checked.returncode == 0, checked.stdout
    assert "Signature is Valid" in told.stdout
    assert "Total document signed" in told.stdout


def test_the_seal_has_no_picture_no_reason_and_allows_no_changes(sealed: Sealed) -> None:
    embedded = PdfFileReader(io.BytesIO(sealed.pdf)).embedded_signatures[0]
    signature = {str(key) for key in embedded.sig_object}
    assert signature == {"/Type", "/Filter", "/SubFilter", "/Contents", "/ByteRange", "/M", "/Reference"}
    assert embedded.docmdp_level is fields.MDPPerm.NO_CHANGES
    assert "/AP" not in embedded.sig_field


def test_room_for_the_seal_is_tight_and_tighter_when_the_authority_is_known(world: World, page: bytes) -> None:
    timestamper, spare = world.timestamper(), []
    for _ in range(2):
        made = sign.seal(page, key=world.keys["hengyuan"], timestamper=timestamper, at=AT)
        contents = PdfFileReader(io.BytesIO(made.pdf)).embedded_signatures[0].pkcs7_content
        spare.append(len(contents) - len(contents.rstrip(b"\0")))
    assert spare[0] < 1500
    assert spare[1] < 150


def test_sealing_twice_differs_in_the_value_only_and_leaves_the_metadata(world: World, page: bytes) -> None:
    held, timestamper = world.evidence()(world.made.tsa), world.timestamper()
    timestamper.stamp(b"known from now on", intended_at=AT)
    first, second = (
        sign.seal(page, key=world.keys["hengyuan"], timestamper=timestamper, at=AT, evidence=lambda _: held).pdf
        for _ in range(2)
    )
    start, end = (first.index(b"/Contents <"), first.index(b">", first.index(b"/Contents <")))
    assert first != second
    assert (first[:start], first[end:]) == (second[:start], second[end:])
    before, after = PdfFileReader(io.BytesIO(page)), PdfFileReader(io.BytesIO(first))
    assert ("/Metadata" in after.root, "/Info" in after.trailer) == (
        "/Metadata" in before.root,
        "/Info" in before.trailer,
    )
    assert after.document_id[0] == before.document_id[0]
    assert after.document_id[1] not in (before.document_id[1], b"")


def test_threads_do_not_disturb_one_another(world: World, page: bytes) -> None:
    made: list[bytes] = []

    def work() -> None:
        stamper = world.timestamper()
        made.extend(sign.seal(page, key=world.keys["hengyuan"], timestamper=stamper, at=AT).pdf for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 30
    assert all(is_good(validate(pdf, world.trust, LATER)) for pdf in made)


def _refuse(page: bytes, world: World, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        sign.seal(page, key=world.keys["hengyuan"], timestamper=None, at=AT)


def test_only_an_empty_field_of_our_name_is_sealed(world: World, sealed: Sealed) -> None:
    _refuse(blank_pdf(field=None), world, "cannot be sealed")
    _refuse(blank_pdf(field="Other"), world, "cannot be sealed")
    _refuse(sealed.pdf, world, "cannot be sealed")
    _refuse(b"%PDF-1.7 nonsense", world, "cannot be sealed")


def test_an_expired_certificate_does_not_seal(world: World, page: bytes) -> None:
    with pytest.raises(KeyUnavailable, match="expired"):
        sign.seal(page, key=world.keys["short"], timestamper=None, at=AT + timedelta(days=3))


def _regions(pdf: bytes) -> dict[str, tuple[int, int]]:
    gap = pdf.index(b"/Contents <") + 11
    end = pdf.index(b">", gap)
    used = len(pdf[gap:end].rstrip(b"0"))
    numbers = pdf.index(b"/ByteRange")
    return {
        "header": (0, 16),
        "body": (16, pdf.index(b"startxref") - 40),
        "first cross-reference": (pdf.index(b"startxref") - 40, pdf.index(b"startxref") + 30),
        "byte range": (numbers, numbers + 40),
        "value": (gap, gap + used),
        "value's brackets": (gap - 2, gap + 1),
        "padding": (gap + used, end + 1),
        "after the value": (end, len(pdf) - 60),
        "trailer": (len(pdf) - 60, len(pdf)),
    }


@pytest.mark.parametrize(
    "region",
    [
        "header",
        "body",
        "first cross-reference",
        "byte range",
        "value",
        "value's brackets",
        "padding",
        "after the value",
        "trailer",
    ],
)
def test_a_changed_byte_never_passes(world: World, sealed: Sealed, region: str) -> None:
    start, end = _regions(sealed.pdf)[region]
    count = 8
    for step in range(count):
        place = start + (end - start - 1) * step // (count - 1)
        for change in (1, 0x20):
            altered = bytearray(sealed.pdf)
            altered[place] ^= change
            facts = validate(bytes(altered), world.trust, LATER)
            assert not is_good(facts), f"byte {place} of {region}"
            assert facts.form in (Form.SEALED, Form.UNREADABLE)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_changed_inserted_or_removed_bytes_never_pass(world: World, sealed: Sealed, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(sealed.pdf) - 1))
    kept = data.draw(st.integers(0, 3))
    put = data.draw(st.binary(max_size=4))
    altered = sealed.pdf[:place] + put + sealed.pdf[place + kept :]
    if altered != sealed.pdf:
        assert not is_good(validate(altered, world.trust, LATER))


def _lower_hex(pdf: bytes) -> bytes:
    start = pdf.index(b"/Contents <") + 11
    end = pdf.index(b">", start)
    return pdf[:start] + pdf[start:end].lower() + pdf[end:]


def _padding(pdf: bytes) -> bytes:
    end = pdf.index(b">", pdf.index(b"/Contents <"))
    return pdf[: end - 1] + b"1" + pdf[end:]


ALTERATIONS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a byte appended": (lambda pdf: pdf + b"\n", "revisions"),
    "a comment appended": (lambda pdf: pdf + b"%hidden\n%%EOF\n", "revisions"),
    "hexadecimal in lower case": (_lower_hex, "byte-range"),
    "padding changed": (_padding, "cms-form"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_changes_that_raw_pyhanko_lets_pass_are_alterations(world: World, sealed: Sealed, name: str) -> None:
    change, which = ALTERATIONS[name]
    facts = validate(change(sealed.pdf), world.trust, LATER)
    assert facts.form is Form.SEALED
    assert failed(facts) & {which, "file-form"}
    assert all(finding.part is Part.INTEGRITY for finding in facts.findings if finding.state is State.FAILED)


def _update(pdf: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root["/Lang"] = writer.root.raw_get("/Type")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_an_incremental_update_is_an_alteration(world: World, sealed: Sealed) -> None:
    facts = validate(_update(sealed.pdf), world.trust, LATER)
    assert "revisions" in failed(facts)
    assert facts.reason is None
    assert facts.sealed_length == sealed.sealed_length


def test_a_second_signature_is_named(world: World, sealed: Sealed) -> None:
    maker = world.maker("xinghe")
    signer = signers.SimpleSigner.load(
        str(maker.key_file), str(maker.key_file.with_suffix(".crt.pem")), key_passphrase=world.made.password
    )
    assert signer is not None
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed.pdf))
    fields.append_signature_field(writer, fields.SigFieldSpec("Second"))
    middle = io.BytesIO()
    writer.write(middle)
    second = signers.PdfSigner(signers.PdfSignatureMetadata(field_name="Second"), signer)
    second._enforce_certification_constraints = lambda reader: None
    out = second.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(middle.getvalue())), existing_fields_only=True)
    facts = validate(out.getvalue(), world.trust, LATER)
    assert "revisions" in failed(facts)
    assert facts.reason == "ADDED_SIGNATURE"


def _stock(page: bytes, world: World, **changes: object) -> bytes:
    """Seal as stock pyHanko would, with some setting of its own."""
    maker = world.maker("hengyuan")
    key = keys.load(maker.key_file, password=world.made.password, at=AT)
    stock = signers.SimpleSigner.load_pkcs12(str(maker.key_file), passphrase=world.made.password)
    assert stock is not None
    assert key.certificate.digest == maker.certificate.digest
    stock._cert_registry = SimpleCertificateStore()
    wanted = {
        "field_name": "Seal",
        "certify": True,
        "docmdp_permissions": fields.MDPPerm.NO_CHANGES,
        "subfilter": fields.SigSeedSubFilter.PADES,
        "md_algorithm": "sha256",
        **changes,
    }
    metadata = signers.PdfSignatureMetadata(**wanted)  # type: ignore[arg-type]
    out = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(page)), metadata, stock, existing_fields_only=True)
    return bytes(out.getvalue())


STOCK: dict[str, tuple[dict[str, object], str]] = {
    "with a reason": ({"reason": "I approve"}, "seal-form"),
    "not certified": ({"certify": False}, "seal-form"),
    "form filling allowed": ({"docmdp_permissions": fields.MDPPerm.FILL_FORMS}, "seal-form"),
    "PKCS #7 instead of CAdES": ({"subfilter": fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED}, "seal-form"),
    "SHA-512 instead of SHA-256": ({"md_algorithm": "sha512"}, ""),
}


@pytest.mark.parametrize("name", STOCK)
def test_the_listed_key_used_in_another_form_is_not_our_seal(world: World, page: bytes, name: str) -> None:
    changes, which = STOCK[name]
    facts = validate(_stock(page, world, **changes), world.trust, LATER)
    assert facts.certificate_digest == world.maker("hengyuan").certificate.digest
    assert (which in failed(facts)) if which else is_good(facts)


def test_a_stranger_with_the_same_names_is_not_listed(world: World, stranger: World, page: bytes) -> None:
    made = sign.seal(page, key=stranger.keys["hengyuan"], timestamper=None, at=AT)
    facts = validate(made.pdf, world.trust, LATER)
    assert failed(facts) == {"signer-listed"}
    assert states(facts)["chain"] is State.UNDETERMINED
    assert states(facts)["signature"] is State.PASSED


def test_a_strangers_authority_cannot_travel_in_the_seal(world: World, stranger: World, page: bytes) -> None:
    key = keys.FileKey(world.keys["hengyuan"]._key, world.maker("hengyuan").certificate, (stranger.made.issuing,))
    made = sign.seal(page, key=key, timestamper=None, at=AT)
    assert "embedded-certificates" in failed(validate(made.pdf, world.trust, LATER))


def test_a_strangers_timestamp_is_an_alteration(world: World, stranger: World, page: bytes) -> None:
    made = sign.seal(page, key=world.keys["hengyuan"], timestamper=stranger.timestamper(), at=AT)
    facts = validate(made.pdf, world.trust, LATER)
    assert "timestamp-token" in failed(facts)
    assert facts.timestamp is None


def test_a_key_listed_for_something_else_makes_no_seal(world: World, sealed: Sealed) -> None:
    digest = sealed.certificate_digest
    facts = validate(sealed.pdf, with_entry(world.trust, digest, purpose=Purpose.PAPER), LATER)
    assert "signer-listed" in failed(facts)


def test_a_certificate_that_names_another_maker_is_told(world: World, sealed: Sealed) -> None:
    other = world.maker("xinghe")
    for changes in ({"uscc": other.uscc}, {"legal_name": other.legal_name}, {"naming_profile": "chinese"}):
        facts = validate(sealed.pdf, with_entry(world.trust, sealed.certificate_digest, **changes), LATER)
        assert failed(facts) == {"naming"}


def test_an_expired_certificate_counts_with_a_timestamp_only(world: World, page: bytes) -> None:
    key, late = world.keys["short"], AT + timedelta(days=10)
    stamped = sign.seal(page, key=key, timestamper=world.timestamper(), at=AT)
    plain = sign.seal(page, key=key, timestamper=None, at=AT)
    assert is_good(validate(stamped.pdf, world.trust, late))
    facts = validate(plain.pdf, world.trust, late)
    assert states(facts)["chain"] is State.UNDETERMINED
    assert not failed(facts)
    assert facts.sub_indication == "OUT_OF_BOUNDS_NO_POE"
    assert facts.chain_not_after == world.maker("short").certificate.not_after
    early = validate(plain.pdf, world.trust, AT - timedelta(days=1))
    assert "chain" in failed(early)


def test_a_timestamp_by_an_authority_that_ended_proves_nothing(world: World, sealed: Sealed) -> None:
    digest = world.made.tsa.digest
    for changes in ({"state": SealState.REVOKED}, {"until_at": AT - timedelta(days=1)}):
        facts = validate(sealed.pdf, with_entry(world.trust, digest, **changes), LATER)
        assert facts.timestamp is None
        assert states(facts)["timestamp"] is State.UNDETERMINED
    assert validate(sealed.pdf, world.trust, AT + timedelta(days=4000)).timestamp is None


def test_a_chain_that_the_list_does_not_hold_fails(world: World, stranger: World, sealed: Sealed) -> None:
    foreign = trust_list_of(stranger.made)
    entries = tuple(entry for entry in foreign.entries if entry.purpose is Purpose.CA)
    mixed = world.trust.model_copy(update={"entries": (*world.trust.entries, *entries)})
    chain = (stranger.made.issuing.digest, stranger.made.root.digest)
    facts = validate(sealed.pdf, with_entry(mixed, sealed.certificate_digest, chain=chain), LATER)
    assert "chain" in failed(facts)
    assert "chain" in failed(validate(sealed.pdf, with_entry(world.trust, sealed.certificate_digest, chain=()), LATER))


ATTACHMENTS = {
    "none": {"content": None},
    "another relationship": {"relationship": "Source"},
    "a file too many": {"extra": "notes.txt"},
}


@pytest.mark.parametrize("name", ATTACHMENTS)
def test_attachments_are_exactly_ours(world: World, name: str) -> None:
    page = blank_pdf(**ATTACHMENTS[name])  # type: ignore[arg-type]
    made = sign.seal(page, key=world.keys["hengyuan"], timestamper=None, at=AT)
    assert failed(validate(made.pdf, world.trust, LATER)) == {"attachments"}


def test_a_log_proof_may_be_attached(world: World) -> None:
    page = blank_pdf(extra="log-proof.json")
    made = sign.seal(page, key=world.keys["hengyuan"], timestamper=None, at=AT)
    assert is_good(validate(made.pdf, world.trust, LATER))


@pytest.mark.parametrize(
    ("inside", "is_refused"),
    [
        (b" " + b"1" * 65 + b" ", True),
        (b" " + b"1" * 64 + b" ", False),
        (b"<" + b"1" * 200 + b">", False),
        (b"<AB" + b"0" * 200 + b">", False),
        (b"<AB" + b"0" * 200 + b"> " + b"7" * 65, True),
    ],
)
def test_only_numbers_outside_of_hexadecimal_are_too_long(inside: bytes, *, is_refused: bool) -> None:
    refused = precheck.refusal(b"%PDF-1.7\n" + inside + b"\n%%EOF\n")
    assert (refused is not None and "digits" in refused.detail) is is_refused


FORMS: dict[str, tuple[bytes, Form, str | None]] = {
    "empty": (b"", Form.UNREADABLE, "EMPTY"),
    "a Word file": (b"PK\x03\x04" + bytes(200), Form.UNREADABLE, "NOT_PDF"),
    "something before the header": (b"\n" + blank_pdf(), Form.UNREADABLE, "NOT_PDF"),
    "encrypted": (blank_pdf().replace(b"/Root", b"/Encrypt 3 0 R /Root"), Form.UNREADABLE, "ENCRYPTED"),
    "nonsense": (b"%PDF-1.7\nnonsense\n%%EOF\n", Form.UNREADABLE, "MALFORMED"),
    "a page of somebody's": (blank_pdf(field=None, content=None), Form.STRANGER, None),
    "a page with our attachment": (blank_pdf(field=None), Form.UNSEALED, None),
    "a page with our empty field": (blank_pdf(content=None), Form.UNSEALED, None),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_not_sealed_is_told_apart(world: World, name: str) -> None:
    pdf, form, reason = FORMS[name]
    facts = validate(pdf, world.trust, LATER)
    assert (facts.form, facts.reason) == (form, reason)
    assert not facts.findings


def test_too_large_is_told_before_any_parser(world: World) -> None:
    facts = validate(b"%PDF-1.7" + bytes(20_000_001), world.trust, LATER)
    assert (facts.form, facts.reason) == (Form.UNREADABLE, "TOO_LARGE")


def test_a_strangers_signed_contract_is_not_ours(world: World, stranger: World) -> None:
    out = io.BytesIO()
    maker = stranger.maker("hengyuan")
    signer = signers.SimpleSigner.load_pkcs12(str(maker.key_file), passphrase=stranger.made.password)
    assert signer is not None
    writer = IncrementalPdfFileWriter(io.BytesIO(blank_pdf(field=None, content=None)))
    signers.sign_pdf(writer, signers.PdfSignatureMetadata(field_name="Contract"), signer, output=out)
    assert validate(out.getvalue(), world.trust, LATER).form is Form.STRANGER
    assert validate(out.getvalue(), stranger.trust, LATER).form is Form.SEALED


def test_every_question_is_put_in_two_languages() -> None:
    assert set(QUESTIONS) == set(Id)
    assert all(question.zh and question.en.endswith("?") for question in QUESTIONS.values())


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda pdf: pdf[:-200],
    "too many revisions": lambda pdf: pdf + b"\nstartxref\n0\n%%EOF" * 20,
    "a number of 100 digits": lambda pdf: pdf.replace(b"/SigFlags 3", b"/SigFlags " + b"3" * 100),
    "a value of a megabyte": lambda pdf: pdf.replace(b"/Contents <", b"/Contents <" + b"0" * 1_000_000),
    "a cross-reference that points at itself": lambda pdf: pdf.replace(b"/Prev ", b"/Prev 9"),
    "nested without end": lambda pdf: pdf.replace(b"/Kids [", b"/Kids " + b"[" * 5000),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_of_ours_is_altered_and_a_strangers_unreadable(world: World, sealed: Sealed, name: str) -> None:
    damaged = DAMAGES[name](sealed.pdf)
    assert damaged != sealed.pdf
    facts = validate(damaged, world.trust, LATER)
    assert facts.form is Form.SEALED
    assert not is_good(facts)
    anonymous = damaged.replace(b"(Seal)", b"(Leas)").replace(b"(confirmation.json)", b"(c)")
    assert validate(anonymous, trust_list_of(world.made).model_copy(update={"entries": ()}), LATER).form in (
        Form.UNREADABLE,
        Form.STRANGER,
    )


def test_a_damaged_file_is_ours_by_the_certificate_inside(world: World, sealed: Sealed) -> None:
    nameless = sealed.pdf.replace(b"(Seal)", b"(Leas)").replace(b"(confirmation.json)", b"(c)")[:-200]
    assert validate(nameless, world.trust, LATER).form is Form.SEALED
