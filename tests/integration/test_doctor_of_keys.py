"""What is wrong with the file of a seal's key is named by the doctor, with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import enrolling
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World


def _password(world: World) -> bytes:
    return (world.settings.keys / "password").read_bytes().strip()


def _legacy(world: World) -> None:
    """Encrypt the seal's key as old programs do."""
    (path,) = (world.settings.keys / "seals").glob("*.p12")
    key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), _password(world))
    cipher = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2000)
    cipher = cipher.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())
    whole = pkcs12.serialize_key_and_certificates(b"x", key, certificate, chain, cipher.build(_password(world)))  # type: ignore[arg-type]
    path.write_bytes(whole)


def _wrong_usage(world: World) -> None:
    """Have the authority certify the same key for something else than sealing, and put that in its place."""
    path = world.settings.keys / "seals" / "yunzhou.pem"
    key = load_pem_private_key(path.read_bytes(), _password(world))
    own = enrolling.Issuer(world.settings.keys).certify(key.public_key(), at=world.at, usage="key_encipherment")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(_password(world)))
    path.write_bytes(pem + enrolling.pem(own))


def _no_chain(world: World) -> None:
    """Leave the authority's certificate out."""
    path = world.settings.keys / "seals" / "yunzhou.pem"
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----\n"
    key, *certificates = path.read_bytes().split(begin)
    assert len(certificates) > 1
    path.write_bytes(key + begin + certificates[0].partition(end)[0] + end)


def _pem_unencrypted(world: World) -> None:
    path = world.settings.keys / "seals" / "yunzhou.pem"
    key = load_pem_private_key(path.read_bytes(), _password(world))
    certificates = path.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")[2]
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(plain + b"-----BEGIN CERTIFICATE-----" + certificates)


@pytest.fixture
def database() -> str:
    """No key is in the register."""
    return "sqlite"


FAULTS: dict[str, tuple[Callable[[World], None], str, str]] = {
    "legacy cipher": (_legacy, "error", "encrypted by 3DES, which protects no key any more; make a PEM file"),
    "key usage": (_wrong_usage, "error", "its key usage allows neither"),
    "no chain": (_no_chain, "error", "the chain is incomplete: put the certificate of"),
    "not encrypted": (_pem_unencrypted, "error", "is not encrypted"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_keys_file_is_named(world: World, name: str) -> None:
    cause, health, says = FAULTS[name]
    cause(world)
    world.rewire()
    told = [(one.health, one.detail) for one in world.services.doctor._all_seals()]
    assert [detail for found, detail in told if found == health and says in detail], told
