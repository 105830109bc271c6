"""Keys open only with their password, and only what is fit to seal; certificates name whom they name."""

from __future__ import annotations

import pickle
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from signer.errors import InvalidInput, KeyUnavailable, Misconfigured
from signer.seal import certificates, keys, naming, pki
from tests.pki import AT, DESCRIPTION, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = b"only for this test"
USCC = "91990000MA000AAA1N"
NAME = "恒远示例汽车（集团）有限公司"


def certificate(
    *names: tuple[x509.ObjectIdentifier, str],
    key: pki.PrivateKey | None = None,
    usage: tuple[str, ...] = ("digital_signature",),
) -> x509.Certificate:
    """Return a self-signed certificate."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = pki.name_of(names or ((NameOID.COMMON_NAME, "TEST"),))
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, AT, AT + timedelta(days=30))
    return builder.add_extension(pki.usage(*usage), critical=True).sign(key, hashes.SHA256())


def refused(path: Path, error: type[Exception], says: str, password: bytes = PASSWORD) -> None:
    with pytest.raises(error, match=says) as caught:
        keys.load(path, password=password, at=AT)
    assert path.name in str(caught.value)
    assert password.decode() not in str(caught.value) or not password


def test_the_password_opens_the_key_and_nothing_else_does(world: World) -> None:
    for maker in world.made.makers:
        refused(maker.key_file, KeyUnavailable, "the password does not open the key", b"wrong")
        refused(maker.key_file, KeyUnavailable, "no password is given", b"")
        key = keys.load(maker.key_file, password=world.made.password, at=AT)
        assert key.certificate == maker.certificate
        assert [link.digest for link in key.chain] == [world.made.issuing.digest]


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "lost.p12", KeyUnavailable, "No such file")
    (tmp_path / "empty.p12").touch()
    refused(tmp_path / "empty.p12", Misconfigured, "not a key file")
    (tmp_path / "text.pem").write_text("-----BEGIN CERTIFICATE-----")
    refused(tmp_path / "text.pem", Misconfigured, "no private key")
    (tmp_path / "noise.p12").write_bytes(b"noise")
    refused(tmp_path / "noise.p12", KeyUnavailable, "no PKCS #12 file")


def test_an_unencrypted_key_is_always_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = certificate(key=key)
    plain = {
        "pkcs8.pem": key.private_bytes(serialization.Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "sec1.pem": key.private_bytes(serialization.Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "open.p12": pkcs12.serialize_key_and_certificates(None, key, own, None, NoEncryption()),
        "two.pem": pki.pem_of(key, (own,), password=PASSWORD)
        + key.private_bytes(serialization.Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, data in plain.items():
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, Misconfigured, "not encrypted")


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "mixed.pem").write_bytes(pki.pem_of(key, (certificate(),), password=PASSWORD))
    refused(tmp_path / "mixed.pem", Misconfigured, "not that of the key")
    (tmp_path / "alone.pem").write_bytes(pki.pem_of(key, (), password=PASSWORD))
    refused(tmp_path / "alone.pem", Misconfigured, "no certificate")


def test_a_certificate_for_another_use_is_refused(tmp_path: Path, world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for usage, says in (
        (("key_encipherment",), "neither"),
        (("digital_signature", "crl_sign"), "signing certificates"),
    ):
        (tmp_path / "use.pem").write_bytes(pki.pem_of(key, (certificate(key=key, usage=usage),), password=PASSWORD))
        refused(tmp_path / "use.pem", Misconfigured, says)
    refused(world.made.tsa_key_file, Misconfigured, "its key is for timestamps", world.made.password)
    refused(world.made.folder / "issuing-ca.pem", Misconfigured, "authority's certificate", world.made.password)
    weak = ec.generate_private_key(ec.SECP224R1())
    (tmp_path / "weak.p12").write_bytes(pki.pkcs12_of(weak, (certificate(key=weak),), password=PASSWORD))
    refused(tmp_path / "weak.p12", Misconfigured, "secp224r1")
    edwards = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "ed.pem").write_bytes(pki.pem_of(edwards, (), password=PASSWORD))  # type: ignore[arg-type]
    refused(tmp_path / "ed.pem", Misconfigured, "neither ECDSA nor RSA")


def test_a_certificate_out_of_its_time_is_refused(world: World) -> None:
    path = world.maker("short").key_file
    for at, says in (
        (AT + timedelta(days=3), "expired at 2026-11-27T02:00:00Z"),
        (AT - timedelta(days=3), "not valid before"),
    ):
        with pytest.raises(KeyUnavailable, match=says):
            keys.load(path, password=world.made.password, at=at)


def test_a_key_is_never_shown_nor_copied(world: World) -> None:
    key = world.keys["hengyuan"]
    assert repr(key) == f"FileKey({key.certificate.digest[:16]})"
    assert world.made.password.decode() not in repr(world.made)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_pki_is_kept_and_its_keys_are_private(tmp_path: Path) -> None:
    first = make_world(tmp_path / "keys").made
    content = {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()}
    (first.folder / "seals" / "hengyuan.crt.pem").unlink()
    again = make_world(tmp_path / "keys", at=AT + timedelta(days=1)).made
    assert again == first
    assert content == {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()}
    for path in content:
        is_public = path.name.endswith((".crt.pem", ".pub.pem"))
        assert stat.S_IMODE(path.stat().st_mode) == (0o644 if is_public else 0o600), path
        assert b"BEGIN PRIVATE KEY" not in path.read_bytes()


def test_every_certificate_of_a_test_pki_says_so(world: World) -> None:
    made = world.made
    for one in (made.root, made.issuing, made.tsa, *(maker.certificate for maker in made.makers)):
        assert one.is_test
        assert "TEST" in one.subject
    assert not certificates.load(certificate().public_bytes(serialization.Encoding.DER)).is_test


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("signer.pki/1", "/schema"),
        ("TEST Root CA", "root/common_name"),
        ("91990000MA000AAA1N", "/makers/0/uscc"),
        ("{common_name", "not YAML"),
        ("organization:", "/organization"),
    ],
)
def test_a_wrong_description_is_refused_by_place(change: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        pki.read_description(
            DESCRIPTION.replace(
                change, "[" if "YAML" in says else "wrong:" if change.endswith(":") else "wrong", 1
            ).encode()
        )


def named(*names: tuple[x509.ObjectIdentifier, str]) -> certificates.Certificate:
    return certificates.load(certificate(*names).public_bytes(serialization.Encoding.DER))


O, OI, CN = NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATION_IDENTIFIER, NameOID.COMMON_NAME  # noqa: E741


@pytest.mark.parametrize(
    ("profile", "names", "says"),
    [
        ("organization", ((O, NAME), (OI, f"NTRCN-{USCC}")), ""),
        ("organization", ((O, NAME.replace("（", "(").replace("）", ")")), (OI, f"VATCN-{USCC}")), ""),
        ("organization", ((O, NAME), (OI, USCC)), ""),
        ("organization", ((O, NAME), (OI, "NTRCN-91990000MA000BBB2P")), "names the USCC"),
        ("organization", ((O, NAME.replace("有限", "股份有限")), (OI, USCC)), "not '恒远"),
        ("organization", ((O, NAME),), "0 organisation identifiers"),
        ("organization", ((O, NAME), (O, "another"), (OI, USCC)), "2 organisation names"),
        ("organization", ((CN, f"1@{NAME}@N{USCC}@1"),), "0 organisation names"),
        ("chinese", ((O, "某某认证机构"), (CN, f"041@{NAME}@N{USCC}@12")), ""),
        ("chinese", ((CN, f"041@{NAME}@N91990000MA000BBB2P@12"),), "names the USCC"),
        ("chinese", ((CN, f"041@别的公司@N{USCC}@12"),), "names '别的公司'"),
        ("chinese", ((CN, f"{NAME}@N{USCC}@12"),), "has not the form"),
        ("chinese", ((CN, f"041@{NAME}@N{USCC}@12"), (CN, "two")), "has not the form"),
        ("chinese", ((CN, f"041@x@{NAME}@N{USCC}@12"),), "has not the form"),
        ("pinned", ((CN, "anything"),), ""),
    ],
)
def test_a_certificate_names_its_maker_by_its_profile(
    profile: str, names: tuple[tuple[x509.ObjectIdentifier, str], ...], says: str
) -> None:
    fault = naming.fault(named(*names), profile=profile, legal_name=NAME, uscc=USCC)  # type: ignore[arg-type]
    assert says in fault
    assert bool(says) == bool(fault)


def test_hostile_names_are_made_printable() -> None:
    one = named((CN, "\u202eEVIL\x1b[31m\nTEST" + "x" * 40))
    assert one.subject.isprintable()
    assert "\u202e" not in one.subject
