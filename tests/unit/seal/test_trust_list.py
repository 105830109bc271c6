"""The trust list is believed only as its pinned root signed it, and never an older one."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.domain.confirmation import SealClass
from signer.domain.trust import Purpose
from signer.errors import InvalidInput, KeyUnavailable, Misconfigured, SignerError, TrustListStale
from signer.seal import certificates, trust
from signer.seal.trust import Seen
from tests.pki import AT, World, entry_of, trust_list_of, with_entry

if TYPE_CHECKING:
    from signer.domain.trust import TrustList


@pytest.fixture(scope="module")
def root(world: World) -> ec.EllipticCurvePrivateKey:
    return trust.load_signing_key(world.made.list_key_file.read_bytes(), password=world.made.password)


@pytest.fixture(scope="module")
def signed(world: World, root: ec.EllipticCurvePrivateKey) -> bytes:
    return trust.sign(world.trust, key=root)


def encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def jws(header: object, payload: object, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Sign anything as if it were a list."""
    head = header if isinstance(header, bytes) else rfc8785.dumps(header)  # type: ignore[arg-type]
    body = payload if isinstance(payload, bytes) else rfc8785.dumps(payload)  # type: ignore[arg-type]
    whole = encode(head) + b"." + encode(body)
    r, s = decode_dss_signature(key.sign(whole, ec.ECDSA(hashes.SHA256())))
    return whole + b"." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_a_signed_list_comes_back_as_it_was(world: World, signed: bytes) -> None:
    assert trust.load(signed, root=world.list_root, at=AT) == world.trust
    assert trust.load(signed + b"\n", root=world.list_root, at=AT) == world.trust


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_refused(world: World, signed: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(signed) - 1))
    altered = bytearray(signed)
    altered[place] ^= data.draw(st.integers(1, 255))
    if bytes(altered).strip() != signed:
        with pytest.raises(SignerError):
            trust.load(bytes(altered), root=world.list_root, at=AT)


def _payload(world: World) -> dict[str, object]:
    return world.trust.model_dump(mode="json", exclude_none=True)


HEADERS: dict[str, tuple[dict[str, object], str]] = {
    "no algorithm": ({"alg": "none"}, "alg is 'none'"),
    "a secret instead of a key": ({"alg": "HS256"}, "alg is 'HS256'"),
    "another type": ({"typ": "JWT"}, "typ is 'JWT'"),
    "its own key": ({"jwk": {}}, "jwk is refused"),
    "a key's address": ({"jku": "https://example.org"}, "jku is refused"),
    "a certificate's address": ({"x5u": "https://example.org"}, "x5u is refused"),
    "a certificate": ({"x5c": []}, "x5c is refused"),
    "critical parameters": ({"crit": ["b64"]}, "crit is refused"),
    "an unknown parameter": ({"zip": "DEF"}, "not canonical"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_are_not_ours_are_refused(world: World, root: ec.EllipticCurvePrivateKey, name: str) -> None:
    changes, says = HEADERS[name]
    header = {"alg": "ES256", "kid": world.list_root.kid, "typ": "signer-trust+jwt", **changes}
    with pytest.raises(InvalidInput, match=says):
        trust.load(jws(header, _payload(world), root), root=world.list_root, at=AT)


def test_a_list_by_another_root_is_refused(world: World, stranger: World, signed: bytes) -> None:
    with pytest.raises(TrustListStale, match="pinned root"):
        trust.load(signed, root=stranger.list_root, at=AT)
    key = trust.load_signing_key(stranger.made.list_key_file.read_bytes(), password=stranger.made.password)
    header = {"alg": "ES256", "kid": world.list_root.kid, "typ": "signer-trust+jwt"}
    with pytest.raises(TrustListStale, match="signature"):
        trust.load(jws(header, _payload(world), key), root=world.list_root, at=AT)


def test_only_one_spelling_is_a_list(world: World, signed: bytes, root: ec.EllipticCurvePrivateKey) -> None:
    header = {"alg": "ES256", "kid": world.list_root.kid, "typ": "signer-trust+jwt"}
    spaced = rfc8785.dumps(_payload(world)).replace(b",", b", ", 1)  # type: ignore[arg-type]
    doubled = rfc8785.dumps(_payload(world)).replace(b'{"', b'{"test":true,"', 1)  # type: ignore[arg-type]
    wrong: list[tuple[bytes, str]] = [
        (signed + b"=", "base64url"),
        (signed.replace(b".", b"..", 1), "three parts"),
        (b"", "three parts"),
        (jws(header, spaced, root), "canonical JSON"),
        (jws(header, doubled, root), "twice"),
        (jws(header, {**_payload(world), "extra": 1}, root), "/extra"),
        (jws(rfc8785.dumps(header) + b" ", _payload(world), root), "not canonical"),
    ]
    for data, says in wrong:
        with pytest.raises(InvalidInput, match=says):
            trust.load(data, root=world.list_root, at=AT)


def test_an_older_or_another_list_is_refused(world: World, signed: bytes) -> None:
    digest = trust.digest(signed)
    for seen in (None, Seen(1, digest)):
        assert trust.load(signed, root=world.list_root, at=AT, highest_seen=seen).sequence == 1
    with pytest.raises(TrustListStale, match="sequence 1 is older than 2"):
        trust.load(signed, root=world.list_root, at=AT, highest_seen=Seen(2, digest))
    with pytest.raises(TrustListStale, match="another list with sequence 1"):
        trust.load(signed, root=world.list_root, at=AT, highest_seen=Seen(1, "0" * 64))


def test_an_expired_list_is_returned_and_one_from_the_future_is_not(world: World, signed: bytes) -> None:
    late = AT + timedelta(days=30)
    assert trust.load(signed, root=world.list_root, at=late).is_expired(late)
    assert not trust.load(signed, root=world.list_root, at=late).is_expired(late - timedelta(seconds=1))
    with pytest.raises(TrustListStale, match="in the future"):
        trust.load(signed, root=world.list_root, at=AT - timedelta(hours=1))


def _inconsistent(world: World, stranger: World) -> dict[str, tuple[TrustList, str]]:
    made, known = world.made, world.trust
    seal = made.makers[0].certificate.digest
    foreign = entry_of(Purpose.CA, stranger.made.root, "TEST")
    return {
        "lives too long": (known.model_copy(update={"expires": AT + timedelta(days=31)}), "within 30 days"),
        "ends before it begins": (known.model_copy(update={"expires": AT}), "expire after"),
        "one certificate twice": (known.model_copy(update={"entries": (*known.entries, known.entries[0])}), "twice"),
        "TEST certificates on another list": (known.model_copy(update={"test": False}), "TEST certificate"),
        "a digest of something else": (with_entry(known, seal, certificate_digest="0" * 64), "not the digest"),
        "a chain that is not on the list": (with_entry(known, seal, chain=("0" * 64,)), "not on the list"),
        "a seal without a chain": (with_entry(known, seal, chain=()), "needs the chain"),
        "a seal without a maker": (with_entry(known, seal, uscc=None), "needs uscc"),
        "a seal of another maker": (with_entry(known, seal, legal_name="别的公司"), "does not name"),
        "a pinned seal without evidence": (with_entry(known, seal, naming_profile="pinned"), "evidence"),
        "an official seal on a TEST list": (with_entry(known, seal, seal_class=SealClass.OFFICIAL), "TEST seals"),
        "an authority as a seal": (with_entry(known, made.root.digest, purpose=Purpose.TSA), "timestamps"),
        "a seal as an authority": (with_entry(known, seal, purpose=Purpose.CA), "authority's"),
        "no certificate at all": (with_entry(known, seal, certificate="AAAA"), "not a DER certificate"),
        "an unused foreign authority is fine": (known.model_copy(update={"entries": (*known.entries, foreign)}), ""),
    }


def test_a_list_that_contradicts_itself_is_not_signed(
    world: World, stranger: World, root: ec.EllipticCurvePrivateKey
) -> None:
    for wrong, says in _inconsistent(world, stranger).values():
        if not says:
            trust.sign(wrong, key=root)
            continue
        with pytest.raises(InvalidInput, match=says):
            trust.sign(wrong, key=root)


def test_no_key_has_two_purposes(
    world: World, root: ec.EllipticCurvePrivateKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wrong = with_entry(world.trust, world.made.makers[0].certificate.digest, purpose=Purpose.PAPER)
    trust.sign(wrong, key=root)
    again = trust_list_of(world.made)
    double = entry_of(Purpose.RECEIPT, world.made.makers[0].certificate, "twice")
    with pytest.raises(InvalidInput, match="twice"):
        trust.sign(again.model_copy(update={"entries": (*again.entries, double)}), key=root)


def test_two_keys_that_a_kid_cannot_tell_apart_do_not_stand_on_one_list(
    world: World, root: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = certificates.Certificate.key_digest.func
    shortened = property(lambda own: "0" * 16 + real(own)[16:])
    monkeypatch.setattr(certificates.Certificate, "key_digest", shortened)
    with pytest.raises(InvalidInput, match="the same kid"):
        trust.sign(world.trust, key=root)


def test_the_roots_key_is_kept_encrypted(world: World) -> None:
    data = world.made.list_key_file.read_bytes()
    with pytest.raises(KeyUnavailable):
        trust.load_signing_key(data, password=b"wrong")
    with pytest.raises(Misconfigured, match="not encrypted"):
        trust.load_signing_key(data.replace(b"ENCRYPTED ", b""), password=world.made.password)
    with pytest.raises(Misconfigured):
        trust.read_root(b"no key")
