"""The signed code on paper: what is written is read again, and no other spelling of it, nor anything altered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from signer.domain import cbor, paper_code
from signer.domain.number import Number
from signer.domain.paper_code import PaperClaims, PaperCodeRefused
from signer.domain.parties import USCC_ALPHABET, Uscc, uscc_check_character
from signer.domain.vehicle import VIN_ALPHABET, Vin, vin_check_character
from signer.paper import cose

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = ec.derive_private_key(20_261_130, ec.SECP256R1())
OTHER = ec.derive_private_key(20_261_131, ec.SECP256R1())


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form)


KID = cose.kid_of(spki(KEY))


def sign_raw(data: bytes) -> bytes:
    return KEY.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def signed(claims: PaperClaims) -> str:
    return "#" + cose.encode(claims, kid=KID, sign_raw=sign_raw)


def _vin(chars: str) -> Vin:
    return Vin(chars[:8] + vin_check_character(chars) + chars[9:])


VINS = st.text(VIN_ALPHABET, min_size=17, max_size=17).map(_vin)
USCCS = st.text(USCC_ALPHABET, min_size=17, max_size=17).map(lambda first: Uscc(first + uscc_check_character(first)))
PAGES = st.integers(2, 10).flatmap(lambda pages: st.tuples(st.integers(1, pages), st.just(pages)))
CLAIMS = st.builds(
    PaperClaims,
    issuer=USCCS,
    number=st.integers(0, 2**65 - 1).map(lambda value: Number.draw(lambda _: value)),
    issued_at=st.integers(0, 32_000_000_000).map(lambda second: datetime.fromtimestamp(second, tz=UTC)),
    vins=st.lists(VINS, min_size=1, max_size=20, unique=True).map(tuple),
    destination=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2),
    content_digest=st.binary(min_size=32, max_size=32),
    exporter=USCCS,
    status=st.none() | st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 131_071)),
    page=st.none() | PAGES,
    until=st.none() | st.dates(date(1970, 1, 1), date(2999, 12, 31)),
)
SAMPLE = PaperClaims(
    issuer=Uscc("91000000MA0TE0001" + uscc_check_character("91000000MA0TE0001")),
    number=Number.draw(lambda _: 2**64 + 17),
    issued_at=datetime(2026, 11, 30, 8, 0, tzinfo=UTC),
    vins=(_vin("0TEA1B2C0TD000001"),),
    destination="KZ",
    content_digest=bytes(range(32)),
    exporter=Uscc("91000000MA0TE0002" + uscc_check_character("91000000MA0TE0002")),
    status=(1, 77_777),
    until=date(2027, 3, 1),
)


@cache
def sample() -> str:
    return signed(SAMPLE)


@given(CLAIMS)
def test_what_is_signed_is_read_again_and_verifies(claims: PaperClaims) -> None:
    code = cose.decode(signed(claims))
    assert code.claims == claims
    assert code.kid == KID
    assert cose.verify(code, spki(KEY))


@given(CLAIMS)
def test_the_same_claims_give_the_same_digits(claims: PaperClaims) -> None:
    assert signed(claims) == signed(claims)


def holds(text: str) -> bool:
    """Does a text count as a code of ours by the right key?"""
    try:
        code = cose.decode(text)
    except PaperCodeRefused:
        return False
    return cose.verify(code, spki(KEY))


@given(st.integers(0, len(sample()) - 2), st.integers(1, 9))
def test_no_digit_can_be_altered(place: int, by: int) -> None:
    text = sample()
    digit = (int(text[1 + place]) + by) % 10
    assert not holds(f"{text[: 1 + place]}{digit}{text[2 + place :]}")


@given(st.integers(0, len(sample()) - 2))
def test_no_digit_can_be_left_out(place: int) -> None:
    text = sample()
    assert not holds(text[: 1 + place] + text[2 + place :])


@given(st.text(max_size=20).filter(lambda more: not more[:1].isdigit()))
def test_what_a_messenger_appends_is_not_read(more: str) -> None:
    assert cose.decode(sample() + more) == cose.decode(sample())


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda text: text.replace("#", "#0"), "form"),
        (lambda text: text.replace("#", "# "), "form"),
        (lambda text: text.replace("#", "#+"), "form"),
        (lambda text: text.replace("#", "#" + chr(0xFF10 + int(text[1])), 1), "form"),
        (lambda text: text.translate({ord(digit): 0xFEE0 + ord(digit) for digit in "0123456789"}), "form"),
        (lambda text: text.replace("#", ""), "form"),
        (lambda text: text[:100], "form"),
        (lambda _: "", "form"),
        (lambda text: text + "0" * 4000, "form"),
        (lambda text: text + "7", "version"),
        (lambda text: text[:-1], "version"),
    ],
)
def test_digits_have_one_form(alter: Callable[[str], str], reason: str) -> None:
    assert reason_of(alter(sample())) == reason


def reason_of(text: str) -> str:
    with pytest.raises(PaperCodeRefused) as refused:
        cose.decode(text)
    return refused.value.reason


def test_what_is_printed_before_the_fragment_says_nothing() -> None:
    elsewhere = paper_code.link("https://elsewhere.example/x/", sample()[1:])
    assert elsewhere.startswith("https://elsewhere.example/x/v#")
    assert cose.decode(elsewhere) == cose.decode(sample())


def test_another_key_did_not_sign_it() -> None:
    assert not cose.verify(cose.decode(sample()), spki(OTHER))
    for other in (ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256K1())):
        assert not cose.verify(cose.decode(sample()), spki(other))


def test_of_two_spellings_of_a_signature_the_lower_is_written_and_the_higher_refused() -> None:
    def higher(data: bytes) -> bytes:
        r, s = decode_dss_signature(sign_raw(data))
        return encode_dss_signature(r, max(s, cose._ORDER - s))

    assert cose.encode(SAMPLE, kid=KID, sign_raw=higher) == sample()[1:]
    code = cose.decode(sample())
    s = cose._ORDER - int.from_bytes(code.signature[32:], "big")
    assert reason_of(remade(signature=code.signature[:32] + s.to_bytes(32, "big"))) == "high-s"


def parts() -> tuple[bytes, bytes, bytes]:
    protected, _, payload, signature = cbor.decode(paper_code.from_digits(sample()[1:])[1:])  # type: ignore[misc]
    return protected, payload, signature  # type: ignore[return-value]


def remade(
    *,
    protected: bytes | None = None,
    payload: bytes | None = None,
    signature: bytes | None = None,
    unprotected: Any = None,
    head: bytes = b"\xd2",
) -> str:
    """The sample with parts exchanged; what is not given stays as it is."""
    was = parts()
    whole = (protected or was[0], unprotected or {}, payload or was[1], signature or was[2])
    return "#" + paper_code.to_digits(head + cbor.encode(whole))


def test_only_our_own_form_of_a_signed_message_is_read() -> None:
    assert remade() == sample()
    assert reason_of(remade(head=b"")) == "cose"
    assert reason_of(remade(head=b"\xd8\x3d\xd2")) == "cose"
    assert reason_of(remade(unprotected={4: KID})) == "cose"
    assert reason_of(remade(signature=bytes(63))) == "cose"
    assert reason_of(remade(protected=cbor.encode({1: -7}))) == "cose"
    assert reason_of(remade(protected=cbor.encode({1: -7, 4: KID[:7]}))) == "cose"
    assert reason_of(remade(protected=cbor.encode({1: -7, 3: 0, 4: KID}))) == "cose"
    assert reason_of(remade(protected=cbor.encode({1: -35, 4: KID}))) == "algorithm"
    assert reason_of(remade(protected=cbor.encode({1: -65535, 4: KID}))) == "algorithm"
    assert reason_of(remade(protected=b"\xa2\x01\x26\x01\x26")) == "duplicate-key"


def with_claims(**changed: Any) -> str:
    """The sample's payload with claims exchanged (c1 an outer one, i1 one of ours), dropped where they are None."""
    outer = paper_code.to_claims(SAMPLE)
    inner: dict[int, Any] = dict(outer[-65537])  # type: ignore[arg-type]
    for name, value in changed.items():
        where = inner if name.startswith("i") else outer
        where[int(name[1:])] = value
    outer[-65537] = {key: value for key, value in inner.items() if value is not None}
    return remade(payload=cbor.encode({key: value for key, value in outer.items() if value is not None}))


@pytest.mark.parametrize(
    "changed",
    [{"c7": b"x"}, {"c3": "aud"}, {"c1": None}, {"c6": None}, {"i1": None}, {"i3": None}, {"i6": None}, {"i8": 1}],
)
def test_a_claim_too_many_or_too_few_is_refused(changed: dict[str, Any]) -> None:
    assert reason_of(with_claims(**changed)) == "claims"


@pytest.mark.parametrize(
    "changed",
    [
        {"c1": "91000000MA0TE00010"},
        {"c1": b"91000000MA0TE0001"},
        {"c2": "7K3QF-9ZC2M-8RX7"},
        {"c6": -1},
        {"c6": "2026-11-30"},
        {"c6": 2**40},
        {"i1": b""},
        {"i1": bytes(12)},
        {"i1": bytes(11) * 2},
        {"i1": b"\xff" * 11},
        {"i1": b"".join(paper_code.pack_vin(_vin(f"0TEA1B2C0TD{serial:06d}")) for serial in range(21))},
        {"i2": "KAZ"},
        {"i2": "kz"},
        {"i3": bytes(31)},
        {"i3": "0" * 32},
        {"i4": (0, 1)},
        {"i4": (1, 131_072)},
        {"i4": (1,)},
        {"i4": (1, -1)},
        {"i4": 1},
        {"i5": (0, 2)},
        {"i5": (1, 1)},
        {"i5": (3, 2)},
        {"i5": (1, 11)},
        {"i6": "91000000MA0TE0002"},
        {"i7": -1},
        {"i7": 2**20},
        {"i7": "2027-03-01"},
    ],
)
def test_a_claim_is_what_it_must_be(changed: dict[str, Any]) -> None:
    assert reason_of(with_claims(**changed)) == "claim"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xa2\x01\x61a\x01\x61b", "duplicate-key"),
        (b"\xa1\x18\x01\x61a", "not-minimal"),
        (b"\xbf\x01\x61a\xff", "indefinite"),
        (b"\xa1\x01\x61aa", "trailing"),
        (b"\xa1\x01\xf6", "type"),
        (b"\xa1\x01", "truncated"),
        (b"\x01", "claims"),
    ],
)
def test_a_payload_has_one_encoding(payload: bytes, reason: str) -> None:
    assert reason_of(remade(payload=payload)) == reason


def test_a_kid_has_eight_bytes() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        cose.encode(SAMPLE, kid=KID[:7], sign_raw=sign_raw)


@given(VINS)
def test_a_vin_takes_eleven_bytes_and_comes_out_again(vin: Vin) -> None:
    assert len(paper_code.pack_vin(vin)) == 11
    assert paper_code.unpack_vin(paper_code.pack_vin(vin)) == vin
