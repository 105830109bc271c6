"""What follows a seal: exactly one grammar, made here and read here, and what it proves as authorities come and go."""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader

from signer.domain.evidence import SealFacts, State
from signer.domain.trust import SealState
from signer.errors import CopyRefused, TimestampUnavailable
from signer.seal import archive, dss, existence, pdf, sign, syntax, tail
from signer.seal.inquiry import Prefetched
from signer.seal.revocation import Evidence
from signer.seal.syntax import Name, Reference, SyntaxRefused
from signer.seal.timestamp import Timestamper
from signer.seal.validate import validate
from tests.pki import AT, World, with_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.seal.certificates import Certificate
    from signer.seal.sign import Sealed

DAY = timedelta(days=1)
YEAR = timedelta(days=365)


def gather(world: World, trust: TrustList, at: Any, *others: World) -> Callable[[Certificate | None], Evidence]:
    """Evidence about the seal and every timestamping authority that any of these worlds has."""
    responders = tuple(one.responder(at) for one in (world, *others))
    kept = Prefetched(responders, trust=trust, clock=lambda: at)
    seal = trust.by_digest(world.maker("hengyuan").certificate.digest)

    def evidence(witness: Certificate | None) -> Evidence:
        listed = trust.by_digest(witness.digest) if witness else None
        return kept.evidence(*(entry for entry in (seal, listed) if entry is not None))

    return evidence


def extended(world: World, file: bytes, sealed: Sealed, at: Any, **how: Any) -> archive.Extended:
    told = {"timestamper": world.timestamper(at), "evidence": gather(world, world.trust, at), **how}
    return archive.extend(file, sealed_length=sealed.sealed_length, at=at, **told)


def answer(facts: SealFacts, which: str) -> tuple[State, str | None]:
    (found,) = (finding for finding in facts.findings if finding.id == which)
    return found.state, found.sub_indication


def failed(facts: SealFacts) -> set[str]:
    return {finding.id for finding in facts.findings if finding.state is State.FAILED}


@pytest.fixture(scope="module")
def copy(world: World, sealed: Sealed) -> bytes:
    """An archive copy, made a day after the seal."""
    return extended(world, sealed.pdf, sealed, AT + DAY).pdf


def test_an_archive_copy_is_the_sealed_file_and_one_revision(world: World, sealed: Sealed, copy: bytes) -> None:
    facts = validate(copy, world.trust, AT + 2 * DAY)
    assert copy.startswith(sealed.pdf)
    assert {finding.state for finding in facts.findings} == {State.PASSED}
    assert (facts.level, facts.indication, facts.sealed_length) == ("B-LTA", "TOTAL-PASSED", len(sealed.pdf))
    assert [one.at for one in facts.archived] == [AT + DAY]
    assert facts.timestamp is not None
    assert (facts.timestamp.at, facts.timestamp.through) == (AT, None)


def test_it_holds_answers_from_after_the_seal_and_says_nothing_twice(world: World, sealed: Sealed, copy: bytes) -> None:
    again = extended(world, copy, sealed, AT + 2 * DAY)
    assert again.revisions == 2
    reader = PdfFileReader(io.BytesIO(again.pdf), strict=True)
    held = dss.read(reader)
    assert held is not None
    assert len(held.ocsps) == len(set(held.ocsps)) == 9
    assert len(held.certificates) == len(set(held.certificates))
    assert archive.held(again.pdf, sealed_length=sealed.sealed_length) == held
    assert validate(again.pdf, world.trust, AT + 3 * DAY).level == "B-LTA"


def test_other_readers_take_it(world: World, copy: bytes, tmp_path: Path) -> None:
    path = tmp_path / "copy.pdf"
    path.write_bytes(copy)
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert (checked.returncode, "WARNING" in checked.stdout + checked.stderr) == (0, False), checked.stdout
    told = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in told
    assert told.rindex("Total document signed") > told.index("Archive-1")
    assert copy.count(b"%%EOF\n") == copy.count(b"%%EOF") == 3
    embedded = PdfFileReader(io.BytesIO(copy), strict=True).embedded_timestamp_signatures
    assert [one.field_name for one in embedded] == ["Archive-1"]


def test_openssl_verifies_the_archive_timestamp(world: World, sealed: Sealed, copy: bytes, tmp_path: Path) -> None:
    _, (revision,) = tail.read(copy, sealed.sealed_length, tail.state_of(pdf.open_strictly(sealed.pdf)))
    pem = serialization.Encoding.PEM
    for name, data in (
        ("token", revision.token),
        ("data", revision.covered(copy)),
        ("root", world.made.root.parsed.public_bytes(pem)),
        ("issuing", world.made.issuing.parsed.public_bytes(pem)),
    ):
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "ts", "-verify", "-in", "token", "-token_in", "-data", "data"]
    command += ["-CAfile", "root", "-untrusted", "issuing"]
    told = subprocess.run(
        [*command, "-attime", str(int((AT + DAY).timestamp()))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in told.stdout, told.stderr


def test_a_foreign_authority_harms_nothing_and_proves_nothing(world: World, stranger: World, sealed: Sealed) -> None:
    theirs = Timestamper((stranger.authority(AT + DAY),), trust=stranger.trust, clock=lambda: AT + DAY)
    made = extended(world, sealed.pdf, sealed, AT + DAY, timestamper=theirs, evidence=lambda _: Evidence())
    facts = validate(made.pdf, world.trust, AT + 2 * DAY)
    assert answer(facts, "archive") == (State.UNDETERMINED, "NO_CERTIFICATE_CHAIN_FOUND")
    assert failed(facts) == set()
    assert (facts.level, facts.archived, facts.indication) == ("B-LT", (), "TOTAL-PASSED")
    broken = made.pdf.rindex(b"/Contents <") + 2000
    digit = b"0" if made.pdf[broken : broken + 1] != b"0" else b"1"
    flipped = made.pdf[:broken] + digit + made.pdf[broken + 1 :]
    assert "revisions" in failed(validate(flipped, world.trust, AT + 2 * DAY))


def test_nothing_follows_the_twelfth(world: World, sealed: Sealed) -> None:
    file, at = sealed.pdf, AT
    for _ in range(tail.MOST_REVISIONS):
        at += timedelta(minutes=1)
        file = extended(world, file, sealed, at, evidence=lambda _: Evidence()).pdf
    assert len(validate(file, world.trust, at + DAY).archived) == tail.MOST_REVISIONS
    with pytest.raises(CopyRefused, match="12 revisions"):
        extended(world, file, sealed, at + DAY)


@pytest.mark.parametrize("change", [b"\n", b"% a remark\n", b"%%EOF\n", b"1 0 obj\n<< >>\nendobj\n"])
def test_what_is_not_of_the_grammar_is_not_archived(world: World, sealed: Sealed, change: bytes) -> None:
    with pytest.raises(CopyRefused):
        extended(world, sealed.pdf + change, sealed, AT + DAY)
    with pytest.raises(CopyRefused):
        extended(world, b"%PDF-1.7\n" + change, sealed, AT + DAY)


# The authorities come and go


@pytest.fixture(scope="module")
def both(world: World, stranger: World) -> TrustList:
    """A list that knows both authorities: the one that was there at the seal, and the one that came later."""
    known = {entry.certificate_digest for entry in world.trust.entries}
    newer = tuple(entry for entry in stranger.trust.entries if entry.certificate_digest not in known)
    return world.trust.model_copy(update={"entries": (*world.trust.entries, *newer)})


def renewed(world: World, stranger: World, both: TrustList, sealed: Sealed, at: Any) -> bytes:
    """An archive copy by the other authority, with the proof about the first."""
    stamper = Timestamper((stranger.authority(at),), trust=both, clock=lambda: at)
    about = gather(world, both, at, stranger)

    def evidence(witness: Certificate | None) -> Evidence:
        mine = about(world.made.tsa)
        theirs = about(witness)
        return Evidence(
            tuple(dict.fromkeys((*mine.certificates, *theirs.certificates))),
            tuple(dict.fromkeys((*mine.ocsps, *theirs.ocsps))),
        )

    return extended(world, sealed.pdf, sealed, at, timestamper=stamper, evidence=evidence).pdf


def ended(trust: TrustList, certificate: Certificate, **changes: object) -> TrustList:
    return with_entry(trust, certificate.digest, **changes)


def test_a_later_timestamp_vouches_for_an_authority_that_was_compromised_since(
    world: World, stranger: World, both: TrustList, sealed: Sealed
) -> None:
    file = renewed(world, stranger, both, sealed, AT + YEAR)
    cut = {"state": SealState.REVOKED, "revoked_at": AT + 2 * YEAR}
    facts = validate(file, ended(both, world.made.tsa, **cut), AT + 3 * YEAR)
    assert facts.timestamp is not None
    assert (facts.timestamp.at, facts.timestamp.through, facts.level) == (AT, "archive", "B-LTA")
    alone = validate(sealed.pdf, ended(both, world.made.tsa, **cut), AT + 3 * YEAR)
    assert (alone.timestamp, answer(alone, "timestamp")[0]) == (None, State.UNDETERMINED)


def test_it_does_not_if_the_compromise_came_first(
    world: World, stranger: World, both: TrustList, sealed: Sealed
) -> None:
    file = renewed(world, stranger, both, sealed, AT + YEAR)
    for since in ({"revoked_at": AT + YEAR / 2}, {"compromised_from": AT + YEAR / 2, "revoked_at": AT + 2 * YEAR}, {}):
        cut = {"state": SealState.REVOKED, **since}
        facts = validate(file, ended(both, world.made.tsa, **cut), AT + 3 * YEAR)
        assert facts.timestamp is not None
        assert (facts.timestamp.at, facts.timestamp.through) == (AT + YEAR, "archive"), since


def test_without_the_proof_about_the_older_authority_nothing_is_vouched_for(
    world: World, stranger: World, both: TrustList, sealed: Sealed
) -> None:
    at = AT + YEAR
    stamper = Timestamper((stranger.authority(at),), trust=both, clock=lambda: at)
    file = extended(world, sealed.pdf, sealed, at, timestamper=stamper, evidence=lambda _: Evidence()).pdf
    cut = {"state": SealState.REVOKED, "revoked_at": AT + 2 * YEAR}
    facts = validate(file, ended(both, world.made.tsa, **cut), AT + 3 * YEAR)
    assert facts.timestamp is not None
    assert facts.timestamp.at == at
    assert facts.level == "B-T"  # what is known of revocation ended long before


def test_the_timestamp_on_the_seal_does_not_count_if_a_later_one_is_older(
    world: World, stranger: World, both: TrustList, sealed: Sealed
) -> None:
    at = AT - timedelta(minutes=30)
    stamper = Timestamper((stranger.authority(at),), trust=both, clock=lambda: at)
    file = extended(world, sealed.pdf, sealed, at, timestamper=stamper, evidence=lambda _: Evidence()).pdf
    facts = validate(file, both, AT + DAY)
    assert facts.timestamp is not None
    assert (facts.timestamp.at, facts.timestamp.through) == (at, "archive")


def test_until_when_a_timestamp_counts(world: World) -> None:
    entry = world.trust.by_digest(world.made.tsa.digest)
    assert entry is not None
    assert existence.counts_until(entry, world.trust) == world.made.tsa.not_after
    sooner = entry.model_copy(update={"until_at": AT + YEAR})
    assert existence.counts_until(sooner, world.trust) == AT + YEAR
    assert existence.strong_until(world.made.tsa) is None
    assert existence.strong_until(world.maker("rsa").certificate) is None


# Faults while a copy is made


class Silent:
    name = "silent"

    def answer(self, _query: bytes) -> bytes:
        raise TimestampUnavailable("silent: no answer")


def test_another_authority_answers_and_its_own_proof_is_in_the_file(
    world: World, stranger: World, both: TrustList, sealed: Sealed
) -> None:
    at, asked = AT + DAY, []
    about = gather(world, both, at, stranger)

    def evidence(witness: Certificate | None) -> Evidence:
        asked.append(witness)
        return about(witness)

    stamper = Timestamper((Silent(), stranger.authority(at)), trust=both, clock=lambda: at)
    made = extended(world, sealed.pdf, sealed, at, timestamper=stamper, evidence=evidence)
    assert asked == [world.made.tsa, stranger.made.tsa]
    facts = validate(made.pdf, both, at + DAY)
    assert facts.level == "B-LTA"
    assert facts.archived[0].certificate_digest == stranger.made.tsa.digest
    assert stranger.made.issuing.der in archive.held(made.pdf, sealed_length=sealed.sealed_length).certificates


class Lying:
    """An authority that answers what it answered before: the wrong nonce, the wrong digest."""

    name = "lying"

    def __init__(self, honest: Any) -> None:
        self._honest = honest
        self._first: bytes | None = None

    def answer(self, query: bytes) -> bytes:
        self._first = self._first or self._honest.answer(query)
        return self._first


@pytest.mark.parametrize("off", [timedelta(0), DAY, -DAY])
def test_an_authority_that_lies_or_whose_clock_is_off_makes_no_copy(
    world: World, sealed: Sealed, off: timedelta
) -> None:
    at = AT + 10 * DAY
    authority = Lying(world.authority(at)) if not off else world.authority(at + off)
    stamper = Timestamper((authority,), trust=world.trust, clock=lambda: at)
    if not off:
        stamper.stamp(b"before", intended_at=at)
    with pytest.raises(TimestampUnavailable):
        extended(world, sealed.pdf, sealed, at, timestamper=stamper)


# The syntax

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.decimals(-1000, 1000, places=3),
    st.binary(max_size=40),
    st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=12).map(Name),
    st.builds(Reference, st.integers(0, 99999), st.integers(0, 9)),
)
values: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ-.", min_size=1), inner, max_size=4),
)


@settings(max_examples=60)
@given(values)
def test_what_is_written_is_read(value: Any) -> None:
    found, end = syntax.read(syntax.write(value))
    assert end == len(syntax.write(value))
    assert syntax.is_same(found, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb"(a\(b\)\\ \101\r\n(c))", b"a(b)\\ A\r\n(c)"),
        (
            rb"(a\
b)",
            b"ab",
        ),
        (b"<4 1 4>", b"A@"),
        (b"/A#20B", "A B"),
        (b"[ 1 0 R 2 ]", [Reference(1, 0), 2]),
        (b"-.5", Decimal("-0.5")),
    ],
)
def test_every_way_to_write_a_value_is_read(text: bytes, value: Any) -> None:
    assert syntax.read(text)[0] == value


@pytest.mark.parametrize(
    "text",
    [b"", b"%", b"(a", b"<<", b"<< /A 1 /A 2 >>", b"[", b"<4G>", b"nul", b"1x", b"/A" * 0 + b"<< 1 2 >>", b"[" * 99],
)
def test_what_is_no_value_is_refused(text: bytes) -> None:
    with pytest.raises(SyntaxRefused):
        syntax.read(text)


@pytest.mark.parametrize(
    "text", [b"1 1 obj null endobj", b"1 0 obj null", b"1 0 obj << /Length 9 >>\nstream\nshort\nendstream\nendobj"]
)
def test_an_object_that_does_not_end_is_refused(text: bytes) -> None:
    with pytest.raises(SyntaxRefused):
        syntax.read_object(text, 0)
    assert syntax.read_object(b"xref", 0) is None
    assert syntax.read_object(b"01 0 obj null endobj", 0) is not None


def test_a_true_is_no_one() -> None:
    assert not syntax.is_same(True, 1)
    assert syntax.is_same({"B": 1, "A": [Decimal("1.0")]}, {"A": [1], "B": 1})


def test_a_sealed_file_by_another_writer_is_not_archived(world: World, sealed: Sealed) -> None:
    state = tail.state_of(pdf.open_strictly(sealed.pdf))
    assert re.fullmatch(rb"[0-9]+", str(state.table_at).encode())
    with pytest.raises(tail.TailRefused, match="redefines"):
        tail.read(sealed.pdf + _empty(replace(state, size=state.size), sealed.pdf), sealed.sealed_length, state)


def _empty(state: tail.State, file: bytes) -> bytes:
    identifier = syntax.write(state.trailer["ID"])
    info = b"/Info %b" % syntax.write(state.trailer["Info"]) if "Info" in state.trailer else b""
    told = (state.size, syntax.write(state.root), state.table_at, identifier, info, len(file))
    return b"xref\n0 0\ntrailer\n<< /Size %d /Root %b /Prev %d /ID %b %b >>\nstartxref\n%d\n%%%%EOF\n" % told


def test_sealing_uses_nothing_of_this(world: World, page: bytes) -> None:
    made = sign.seal(page, key=world.keys["hengyuan"], timestamper=None, at=AT)
    assert validate(made.pdf, world.trust, AT + DAY).archived == ()
