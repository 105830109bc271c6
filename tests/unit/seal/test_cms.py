"""No byte of a seal's value can change unseen: each is signed, compared, or has one place in the form."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain.evidence import Form, State
from signer.seal import algorithms, certificates, cms, der, sign
from signer.seal.timestamp import Timestamper
from signer.seal.validate import validate
from tests.pki import AT, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.domain.evidence import SealFacts
    from signer.seal.sign import Sealed

LATER = AT + timedelta(hours=1)


@pytest.fixture(scope="module")
def plain(world: World, page: bytes) -> Sealed:
    return sign.seal(page, key=world.keys["hengyuan"], timestamper=None, at=AT)


def gap(pdf: bytes) -> tuple[int, int]:
    start = pdf.index(b"/Contents <") + 11
    return start, pdf.index(b">", start)


def value(pdf: bytes) -> bytes:
    start, end = gap(pdf)
    return der.read(bytes.fromhex(pdf[start:end].decode())).whole


def with_value(pdf: bytes, whole: bytes) -> bytes:
    start, end = gap(pdf)
    return pdf[:start] + whole.hex().upper().encode().ljust(end - start, b"0") + pdf[end:]


def judged(world: World, pdf: bytes) -> SealFacts:
    return validate(pdf, world.trust, LATER)


def is_good(facts: SealFacts) -> bool:
    answers = {f.state for f in facts.findings if f.id not in ("timestamp", "revocation")}
    return facts.form is Form.SEALED and answers == {State.PASSED}


def _places(world: World, whole: bytes) -> Iterator[int]:
    """Every byte outside the certificates, and every 40th inside them."""
    inside: set[int] = set()
    for one in (world.maker("hengyuan").certificate, world.made.issuing, world.made.tsa):
        start = whole.find(one.der)
        while start >= 0:
            inside.update(range(start, start + len(one.der)))
            start = whole.find(one.der, start + 1)
    return (place for place in range(len(whole)) if place not in inside or place % 40 == 0)


PARTS = [0, *(pytest.param(part, marks=pytest.mark.soak) for part in (1, 2, 3))]
"""Every fourth byte in every run, the rest in soak: a byte takes 20 ms."""


@pytest.mark.parametrize("part", PARTS)
def test_no_byte_of_a_plain_seal_can_change(world: World, plain: Sealed, part: int) -> None:
    whole = value(plain.pdf)
    for place in tuple(_places(world, whole))[part::4]:
        altered = bytearray(whole)
        altered[place] ^= 1 << place % 8
        assert not is_good(judged(world, with_value(plain.pdf, bytes(altered)))), place


@pytest.mark.parametrize("part", PARTS)
def test_no_byte_of_a_timestamp_on_a_seal_can_change(world: World, sealed: Sealed, plain: Sealed, part: int) -> None:
    whole = value(sealed.pdf)
    for place in tuple(_places(world, whole))[part::4]:
        if place < len(value(plain.pdf)) - 20:
            continue
        altered = bytearray(whole)
        altered[place] ^= 1 << place % 8
        assert not is_good(judged(world, with_value(sealed.pdf, bytes(altered)))), place


def _with_unsigned(whole: bytes, kind: bytes) -> bytes:
    """Add an unsigned attribute to a plain seal."""
    added = der.encode(der.CONTEXT_1, cms._attribute(kind, der.encode(der.OCTET_STRING, b"x")))
    return _rebuilt(
        whole, lambda infos: der.encode(der.SET, der.encode(der.SEQUENCE, der.read(infos.body).body, added))
    )


def _two_signers(whole: bytes) -> bytes:
    return _rebuilt(whole, lambda infos: der.encode(der.SET, infos.body * 2))


def _rebuilt(whole: bytes, change: Callable[[der.Node], bytes]) -> bytes:
    kind, explicit = der.children(der.only(whole, der.SEQUENCE).body)
    *parts, infos = der.children(der.only(explicit.body, der.SEQUENCE).body)
    body = der.encode(der.SEQUENCE, *(part.whole for part in parts), change(infos))
    return der.encode(der.SEQUENCE, kind.whole, der.encode(der.CONTEXT_0, body))


def test_the_form_allows_nothing_beside(world: World, plain: Sealed) -> None:
    whole = value(plain.pdf)
    counter = _with_unsigned(whole, cms._oid("1.2.840.113549.1.9.6"))
    kind, explicit = der.children(der.only(whole, der.SEQUENCE).body)
    long_length = b"\x30\x84" + len(der.only(whole, der.SEQUENCE).body).to_bytes(4, "big") + kind.whole + explicit.whole
    with pytest.raises(cms.CmsRefused, match="SignerInfo"):
        cms.read(_two_signers(whole), content_type=cms.DATA)
    for wrong in (counter, long_length, whole + b"\x30\x00"):
        facts = judged(world, with_value(plain.pdf, wrong))
        assert "cms-form" in {f.id for f in facts.findings if f.state is State.FAILED}
    assert is_good(judged(world, with_value(plain.pdf, _rebuilt(whole, lambda infos: infos.whole))))


def test_certificates_out_of_order_are_seen(world: World, plain: Sealed) -> None:
    whole = value(plain.pdf)
    first, second = sorted((world.maker("hengyuan").certificate.der, world.made.issuing.der))
    assert first + second in whole
    facts = judged(world, with_value(plain.pdf, whole.replace(first + second, second + first)))
    assert "cms-form" in {f.id for f in facts.findings if f.state is State.FAILED}


def test_a_seal_stamped_after_its_certificate_ended_fails(world: World, page: bytes) -> None:
    late = AT + timedelta(days=3)
    stamper = Timestamper((world.authority(late),), trust=world.trust, clock=lambda: late)
    made = sign.seal(page, key=world.keys["short"], timestamper=stamper, at=AT)
    facts = validate(made.pdf, world.trust, late)
    assert {f.id for f in facts.findings if f.state is State.FAILED} == {"chain"}


@given(tag=st.sampled_from([0x02, 0x04, 0x30, 0xA0]), body=st.binary(max_size=300))
def test_what_is_encoded_reads_back(tag: int, body: bytes) -> None:
    whole = der.encode(tag, body)
    assert der.only(whole, tag) == der.Node(tag, body, whole)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01x",
        b"\x30\x82\x00\x81" + bytes(0x81),
        b"\x30\x85\x00\x00\x00\x00\x01x",
        b"\x30\x02x",
        b"\x1f\x81\x00",
        b"\x30\x01xy",
    ],
)
def test_only_minimal_der_is_read(wrong: bytes) -> None:
    with pytest.raises(der.NotDer):
        der.only(wrong, der.SEQUENCE)


def test_weak_algorithms_do_not_count(world: World) -> None:
    own = world.maker("hengyuan").certificate.parsed
    good = {"digest": algorithms.SHA256, "signature": algorithms.ECDSA_SHA256, "certificate": own}
    assert not algorithms.fault(**good)  # type: ignore[arg-type]
    sha1 = bytes.fromhex("300906052b0e03021a0500")
    for changes, says in (
        ({"digest": sha1}, "digest algorithm"),
        ({"signature": algorithms.RSA_SHA256}, "not that of the certificate's key"),
        ({"signature": sha1}, "signature algorithm"),
        ({"digest": next(d for d, name in algorithms.DIGESTS.items() if name == "sha512")}, "another digest"),
    ):
        assert says in algorithms.fault(**{**good, **changes})  # type: ignore[arg-type]


def test_pss_is_known_by_its_exact_parameters() -> None:
    kinds = [kind for kind, name in algorithms.SIGNATURES.values() if name == "sha256"]
    assert sorted(kinds) == ["ecdsa", "rsa", "rsa"]
    assert len(algorithms.SIGNATURES) == 10
    assert certificates.TEST_POLICY_OID.startswith("2.25.")
