"""The trust list is drafted here, signed elsewhere, and put in place only if it follows upon the one in use."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from world import AT, KAZAKHSTAN, YUNZHOU, World, fresh

from signer.domain.trust import Purpose, TrustList
from signer.domain.verdict import Code
from signer.errors import (
    InvalidInput,
    KeyUnavailable,
    Misconfigured,
    NotFound,
    NotPermitted,
    SignerError,
    TrustListStale,
)
from signer.seal import pki, trust
from signer.services.publishing import refuse_no_operator, sign_offline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Key = ec.EllipticCurvePrivateKey
USCC = "91440000MA0YX01AAY"
PASSWORD = b"correct horse"


@pytest.fixture
def database() -> str:
    """What is asked here does not depend on the database; the audit rows are seen once on SQLite."""
    return "sqlite"


def root_key(world: World) -> tuple[bytes, bytes]:
    """Return the TEST root's key file and its password."""
    folder = world.settings.keys
    return (folder / pki.LIST_KEY_FILE).read_bytes(), (folder / pki.PASSWORD_FILE).read_bytes().strip()


def drafted(world: World, folder: Path, **changes: Any) -> bytes:
    changes = {"schema": "signer.trust-changes/1", **changes}
    return world.services.publishing.draft(json.dumps(changes, ensure_ascii=False).encode(), folder).data


def signed(world: World, draft: bytes) -> bytes:
    key, password = root_key(world)
    return sign_offline(draft, key=key, password=password).data


def resigned(world: World, draft: bytes, **changes: object) -> bytes:
    """Sign what `draft` would never write."""
    key, password = root_key(world)
    changed = trust.decode(draft).model_copy(update=changes)
    return trust.sign(changed, key=trust.load_signing_key(key, password=password))


def seal_of(world: World) -> str:
    return next(
        entry.certificate_digest
        for entry in world.services.trust.current(world.at).of(Purpose.PDF_SEAL)
        if entry.legal_name == YUNZHOU
    )


def test_a_state_is_drafted_signed_offline_published_and_in_force_at_once(world: World, tmp_path: Path) -> None:
    issued, seal = world.issue(fresh(KAZAKHSTAN, 1)), seal_of(world)
    world.at += timedelta(hours=1)
    draft = drafted(world, tmp_path, change=[{"certificate": seal[:12], "state": "verify-only"}])
    previous = world.settings.trust_list_path.read_bytes()
    key, password = root_key(world)
    step = sign_offline(draft, key=key, password=password, previous=previous)
    assert step.changes == (f"{YUNZHOU} ({seal[:16]}): state verify-only, state_since 2026-11-22T04:00:00Z",)
    assert world.services.publishing.check(step.data).trust.sequence == 2
    assert world.verify(issued.pdf).code is Code.VALID
    world.services.publishing.publish(step.data, by="chen.sample", second=None)
    told = world.verify(issued.pdf)
    assert (told.code, told.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_VERIFY_ONLY",))
    with pytest.raises(SignerError, match=r"seal\.state"):
        world.issue(fresh(KAZAKHSTAN, 2))
    assert world.rows("SELECT actor, subject FROM audit WHERE event = 'trust-list.published'") == [
        ("chen.sample", "trust-list 2")
    ]


def test_a_revocation_names_its_instants_and_its_reason(world: World, tmp_path: Path) -> None:
    issued, seal = world.issue(fresh(KAZAKHSTAN, 1)), seal_of(world)
    world.at += timedelta(hours=1)
    revoked = {"certificate": seal, "state": "revoked", "compromised_from": "2026-11-22T01:00:00Z"}
    with pytest.raises(InvalidInput, match="reason"):
        drafted(world, tmp_path, change=[revoked])
    draft = drafted(world, tmp_path, change=[{**revoked, "reason": "key-misuse"}])
    world.services.publishing.publish(signed(world, draft), by="chen.sample", second=None)
    assert world.verify(issued.pdf).code is Code.SEAL_REVOKED


def _forged(world: World, draft: bytes) -> bytes:
    del world
    other = ec.generate_private_key(ec.SECP256R1())
    return trust.sign(trust.decode(draft), key=other)


def _without_last(world: World, draft: bytes) -> bytes:
    return resigned(world, draft, entries=trust.decode(draft).entries[:-1])


def _of_another_maker(world: World, draft: bytes) -> bytes:
    found = trust.decode(draft)
    last = found.entries[-1]
    return resigned(world, draft, entries=(*found.entries[:-1], last.model_copy(update={"from_at": AT})))


FAULTS: dict[str, tuple[Callable[[World, bytes], bytes], type[SignerError], str]] = {
    "another root": (_forged, TrustListStale, "not by the pinned root"),
    "a draft": (lambda _, draft: draft, InvalidInput, "three parts|base64url"),
    "a lower sequence": (lambda w, d: resigned(w, d, sequence=1, previous_digest=None), TrustListStale, "was seen"),
    "a gap": (lambda w, d: resigned(w, d, sequence=3), InvalidInput, "/sequence: is 3"),
    "another predecessor": (lambda w, d: resigned(w, d, previous_digest="0" * 64), InvalidInput, "/previous_digest"),
    "a removed entry": (_without_last, InvalidInput, "was removed"),
    "a changed entry": (_of_another_maker, InvalidInput, "/from_at"),
    "another origin": (lambda w, d: resigned(w, d, origin="another"), InvalidInput, "/origin"),
    "an address as a host": (
        lambda w, d: resigned(w, d, revocation_hosts=("http://ocsp.example/",)),
        InvalidInput,
        "/revocation_hosts/0",
    ),
    "too long a life": (
        lambda w, d: resigned(w, d, expires=w.at + timedelta(days=31)),
        InvalidInput,
        "within 30 days",
    ),
    "its time is over": (
        lambda w, d: resigned(w, d, issued=w.at - timedelta(hours=1), expires=w.at),
        InvalidInput,
        "/expires: was",
    ),
    "from the future": (
        lambda w, d: resigned(w, d, issued=w.at + timedelta(hours=1)),
        TrustListStale,
        "in the future",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_may_not_be_published_is_named_and_nothing_changes(world: World, tmp_path: Path, name: str) -> None:
    make, error, says = FAULTS[name]
    world.at += timedelta(hours=2)
    draft, before = drafted(world, tmp_path), world.settings.trust_list_path.read_bytes()
    with pytest.raises(error, match=says):
        world.services.publishing.publish(make(world, draft), by="chen.sample", second=None)
    assert world.settings.trust_list_path.read_bytes() == before
    assert world.rows("SELECT count(*) FROM audit WHERE event LIKE 'trust-list%'") == [(0,)]


def test_a_list_that_was_put_in_place_by_hand_is_refused_for_the_same_faults(world: World, tmp_path: Path) -> None:
    world.at += timedelta(hours=2)
    draft = drafted(world, tmp_path)
    for name in ("another root", "a lower sequence", "another predecessor", "a removed entry", "a changed entry"):
        make, error, says = FAULTS[name]
        data = world.settings.trust_list_path.read_bytes()
        world.settings.trust_list_path.write_bytes(make(world, draft))
        with pytest.raises(error, match=says):
            world.another().services.trust.current(world.at)
        world.settings.trust_list_path.write_bytes(data)
    assert world.another().services.trust.current(world.at).sequence == 1


def test_the_history_is_kept_and_followed_and_a_changed_list_in_it_is_named(world: World, tmp_path: Path) -> None:
    for _ in range(3):
        world.at += timedelta(hours=1)
        world.services.publishing.publish(signed(world, drafted(world, tmp_path)), by="chen.sample", second=None)
    assert [found.sequence for found, _ in world.services.publishing.history()] == [4, 3, 2, 1]
    kept = world.settings.data_dir / "trust-list.3.jws"
    kept.write_bytes((world.settings.data_dir / "trust-list.2.jws").read_bytes())
    with pytest.raises(Misconfigured, match=r"trust-list\.3\.jws"):
        world.services.publishing.history()
    kept.unlink()
    assert [found.sequence for found, _ in world.services.publishing.history()] == [4]


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def certificate_of(
    name: str, key: Key, issuer: tuple[x509.Certificate, Key] | None = None, **more: Any
) -> x509.Certificate:
    """Make a certificate without the TEST policy."""
    pairs = [(NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, name), *more.get("subject", ())]
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])
    is_ca = issuer is None
    names = ("key_cert_sign", "crl_sign") if is_ca else ("digital_signature", "content_commitment")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=700))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(pki.usage(*names), critical=True)
    )
    if more.get("is_tsa"):
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


@pytest.fixture
def production(world: World, tmp_path: Path) -> World:
    """A production deployment without a trust list, and a folder with certificates that are not TEST."""
    world.give("operator", "op.one", "op.two")
    keys = tmp_path / "production-keys"
    keys.mkdir()
    root = ec.generate_private_key(ec.SECP256R1())
    (keys / "root.key.pem").write_bytes(pki.pem_of(root, (), password=PASSWORD))
    (keys / "trust-root.pub.pem").write_bytes(
        root.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    above = ec.generate_private_key(ec.SECP256R1())
    ca = certificate_of("An Authority", above)
    own = [(NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{USCC}")]
    drawn = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    made = {
        "ca.pem": ca,
        "seal.pem": certificate_of(YUNZHOU, drawn[0], (ca, above), subject=own),
        "other.pem": certificate_of("Somebody else", drawn[1], (ca, above)),
        "tsa.pem": certificate_of("An Authority", drawn[2], (ca, above), is_tsa=True),
        "same-key.pem": certificate_of("An Authority", drawn[0], (ca, above), is_tsa=True),
    }
    for name, certificate in made.items():
        (tmp_path / name).write_bytes(pem(certificate))
    (world.folder / "trust-list.seen").unlink()
    world.overrides = {
        "SIGNER_MODE": "production",
        "SIGNER_BASE_URL": "https://confirm.example.org",
        "SIGNER_KEYS_DIR": str(keys),
    }
    world.rewire()
    return world


CA = {"purpose": "ca", "certificate": "ca.pem", "legal_name": "An Authority"}
SEAL = {
    "purpose": "pdf-seal",
    "certificate": "seal.pem",
    "legal_name": YUNZHOU,
    "uscc": USCC,
    "naming_profile": "organization",
    "seal_class": "MAKER",
}
PINNED = {**SEAL, "certificate": "other.pem", "naming_profile": "pinned", "naming_evidence": "two saw the contract"}
OFFICIAL = {**SEAL, "seal_class": "OFFICIAL", "class_evidence": "filing 样例 1, seen on 2026-11-20"}


def first_list(production: World, folder: Path, *entries: dict[str, str]) -> bytes:
    draft = drafted(production, folder, origin="operators of the sample", add=[CA, *entries])
    key = (production.settings.keys / "root.key.pem").read_bytes()
    return sign_offline(draft, key=key, password=PASSWORD).data


def test_a_first_production_list_is_published_by_an_operator(production: World, tmp_path: Path) -> None:
    data = first_list(production, tmp_path, SEAL, {**CA, "purpose": "tsa", "certificate": "tsa.pem"})
    with pytest.raises(NotPermitted, match="operator"):
        production.services.publishing.publish(data, by="chen.sample", second=None)
    with pytest.raises(NotFound):
        production.services.publishing.publish(data, by="nobody", second=None)
    assert not production.settings.trust_list_path.exists()
    production.services.publishing.publish(data, by="op.one", second=None)
    found = production.services.trust.current(production.at)
    assert [(entry.purpose, len(entry.chain)) for entry in found.entries] == [
        (Purpose.CA, 0),
        (Purpose.PDF_SEAL, 1),
        (Purpose.TSA, 1),
    ]


def test_who_was_appointed_as_operator_publishes_as_one_whom_a_manufacturers_file_named(world: World) -> None:
    world.appoint("operator", "op.three")
    with world.services.database.read() as tx:
        refuse_no_operator(tx, "op.three")
        with pytest.raises(NotPermitted):
            refuse_no_operator(tx, "chen.sample")


@pytest.mark.parametrize("entry", [PINNED, OFFICIAL], ids=["pinned", "official"])
def test_a_pinned_or_official_seal_needs_the_word_of_two_operators(
    production: World, tmp_path: Path, entry: dict[str, str]
) -> None:
    data, publish = first_list(production, tmp_path, entry), production.services.publishing.publish
    for second in (None, "op.one", "chen.sample", "nobody"):
        with pytest.raises((NotPermitted, NotFound)):
            publish(data, by="op.one", second=second)
    publish(data, by="op.one", second="op.two")
    rows = production.rows("SELECT actor, manufacturer_id, detail FROM audit WHERE event = 'trust-list.entry'")
    ((actor, maker, detail),) = [row for row in rows if row[1] is not None]
    evidence = entry.get("class_evidence") or entry["naming_evidence"]
    assert (actor, maker, json.loads(detail)["second"], json.loads(detail)["evidence"]) == (
        "op.one",
        1,
        "op.two",
        evidence,
    )


def _entry(changes: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in {**SEAL, **changes}.items() if value is not None}


WRONG: dict[str, tuple[tuple[dict[str, str], ...], str]] = {
    "a certificate that names somebody else": ((_entry({"certificate": "other.pem"}),), "does not name the manufact"),
    "another code": ((_entry({"uscc": "91110000MA0BC02BBK"}),), "it names the USCC '91440000MA0YX01AAY'"),
    "pinned without evidence": ((_entry({"naming_profile": "pinned"}),), "naming_evidence"),
    "official without evidence": ((_entry({"seal_class": "OFFICIAL"}),), "class_evidence"),
    "a TEST class": ((_entry({"seal_class": "TEST"}),), "seal_class"),
    "one key for seal and timestamps": (
        (SEAL, {**CA, "purpose": "tsa", "certificate": "same-key.pem"}),
        "the key has two purposes",
    ),
    "one certificate twice": ((SEAL, SEAL), "stands twice"),
    "an authority as a seal": ((_entry({"certificate": "ca.pem"}),), "needs the chain"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_list_may_say_is_not_signed(production: World, tmp_path: Path, name: str) -> None:
    entries, says = WRONG[name]
    with pytest.raises(InvalidInput, match=says):
        first_list(production, tmp_path, *entries)


def test_test_certificates_and_production_lists_do_not_mix(
    production: World, tmp_path: Path, template_folder: Path
) -> None:
    test = next((template_folder / "keys" / "seals").glob("*.crt.pem"))
    (tmp_path / "test.pem").write_bytes(test.read_bytes())
    with pytest.raises(InvalidInput, match="a TEST certificate on a list that is none"):
        first_list(production, tmp_path, _entry({"certificate": "test.pem"}))
    data = first_list(production, tmp_path, SEAL)
    key = trust.load_signing_key((production.settings.keys / "root.key.pem").read_bytes(), password=PASSWORD)
    with pytest.raises(InvalidInput, match="a TEST list holds TEST certificates only"):
        trust.sign(trust.payload_of(data).model_copy(update={"test": True}), key=key)
    empty = TrustList(origin="o", sequence=1, issued=AT, expires=AT + timedelta(days=1), test=True, entries=())
    with pytest.raises(Misconfigured, match="a TEST trust list does not serve"):
        production.services.publishing.publish(trust.sign(empty, key=key), by="op.one", second=None)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"add": [{**CA, "certificate": "none.pem"}], "origin": "o"}, NotFound, "none.pem cannot be read"),
        ({"add": [CA]}, InvalidInput, "/origin"),
        ({"origin": "o", "change": [{"certificate": "abcdefab"}]}, InvalidInput, "/change/0/certificate: 0 entries"),
        ({"origin": "o", "extra": 1}, InvalidInput, "/extra"),
        ({"origin": "o", "days": 31}, InvalidInput, "/days"),
        ({"origin": "o", "add": [{**CA, "certificate": "root.key.pem"}]}, SignerError, "root.key.pem"),
    ],
)
def test_changes_that_cannot_be_drafted_are_named(
    production: World, tmp_path: Path, changes: dict[str, Any], error: type[SignerError], says: str
) -> None:
    with pytest.raises(error, match=says):
        drafted(production, tmp_path, **changes)


def test_the_root_s_key_and_the_draft_are_all_that_signing_needs_and_a_wrong_one_is_named(
    world: World, tmp_path: Path
) -> None:
    draft = drafted(world, tmp_path)
    key, password = root_key(world)
    with pytest.raises(KeyUnavailable, match="password"):
        sign_offline(draft, key=key, password=b"wrong")
    with pytest.raises(Misconfigured, match="not encrypted"):
        sign_offline(draft, key=draft, password=password)
    with pytest.raises(InvalidInput, match="canonical"):
        sign_offline(draft.replace(b":", b": ", 1), key=key, password=password)
    stale = signed(world, draft)
    with pytest.raises(InvalidInput, match="/sequence"):
        sign_offline(draft, key=key, password=password, previous=stale)


def test_a_root_is_replaced_by_the_one_that_it_announced_and_never_comes_back(world: World, tmp_path: Path) -> None:
    following = ec.generate_private_key(ec.SECP256R1())
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "next.pub.pem").write_bytes(following.public_key().public_bytes(serialization.Encoding.PEM, spki))
    key = pki.pem_of(following, (), password=PASSWORD)
    publish = world.services.publishing.publish
    issued = world.issue(fresh(KAZAKHSTAN, 1))
    world.at += timedelta(hours=1)
    with pytest.raises(TrustListStale, match="pinned root"):
        publish(sign_offline(drafted(world, tmp_path), key=key, password=PASSWORD).data, by="chen.sample", second=None)
    publish(signed(world, drafted(world, tmp_path, next_root="next.pub.pem")), by="chen.sample", second=None)
    world.at += timedelta(hours=1)
    data = sign_offline(drafted(world, tmp_path), key=key, password=PASSWORD).data
    publish(data, by="chen.sample", second=None)
    again = world.another()
    assert again.services.trust.current(world.at).sequence == 3
    assert again.verify(issued.pdf).code is Code.VALID
    world.at += timedelta(hours=1)
    draft = drafted(world, tmp_path)
    assert b"next_root" not in draft
    with pytest.raises(TrustListStale, match="has replaced"):
        publish(signed(world, draft), by="chen.sample", second=None)
    world.settings.trust_list_path.write_bytes(signed(world, draft))
    with pytest.raises(TrustListStale, match="has replaced"):
        world.another().services.trust.current(world.at)
