"""Keys of services: real confirmations sealed over HTTP by the CSC API and by a cloud's class, and their faults."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import enrolling
import pytest
import remote
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from world import EMIRATES, World, sample

from signer.domain.verdict import Code
from signer.errors import KeyUnavailable, Misconfigured, SignerError
from signer.seal import algorithms
from signer.seal.stores import outside
from signer.seal.stores.opening import Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.seal.keys import SealKey

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "keep-a-key-in-a-cloud.md"
KEYS = {
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "rsa2048": rsa.generate_private_key(65537, 2048),
}
OFFERED = {"p256": "1.2.840.10045.4.3.2", "p384": "1.2.840.10045.4.3.3", "rsa2048": "1.2.840.113549.1.1.1"}


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to a service."""
    return "sqlite"


@pytest.fixture
def service(world: World) -> Iterator[remote.Service]:
    """A CSC service with a credential on P-256, described among the keys."""
    made = service_of(world, "p256")
    with remote.serving(made):
        describe(world, made)
        yield made


def service_of(world: World, kind: str, **certified: Any) -> remote.Service:
    issuer = enrolling.Issuer(world.folder / "keys")
    own = issuer.certify(KEYS[kind].public_key(), at=world.at, **certified)
    return remote.Service(KEYS[kind], (own, issuer.certificate), (OFFERED[kind],))


def describe(world: World, service: remote.Service, **changes: object) -> str:
    folder = world.folder / "keys"
    (folder / "remote.secret").write_text(remote.SECRET)
    (folder / "remote.pin").write_text(remote.PIN)
    fields: dict[str, object] = {
        "store": "csc",
        "url": service.url,
        "token_url": f"{service.url}/oauth2/token",
        "credential": remote.CREDENTIAL,
        "client_id": remote.CLIENT,
        "secret_file": "remote.secret",
        "pin_file": "remote.pin",
        "timeout_s": 5,
    } | changes
    return enrolling.describe(world, "remote", **{name: value for name, value in fields.items() if value != ""})


def opened(world: World) -> SealKey:
    secret = (world.folder / "keys" / "password").read_bytes().strip()
    stores = Stores(world.folder / "keys", memory=world.folder / "pins", password=lambda: secret)
    return stores.open("remote.key.toml", at=world.at)


def fits(key: SealKey) -> bool:
    return outside.fits(key.sign_raw(b"x"), b"x", certificate=key.certificate, scheme=key.capabilities.scheme)


@pytest.mark.parametrize("kind", KEYS)
def test_a_confirmation_sealed_by_a_service_is_valid(world: World, kind: str) -> None:
    service = service_of(world, kind)
    with remote.serving(service):
        enrolling.enrol(world, service.certificates[0], describe(world, service))
        pdf = world.issue(sample(EMIRATES), by=enrolling.MAKER).pdf
    assert world.verify(pdf).code is Code.VALID
    assert service.certificates[0].der.hex().upper().encode() in pdf
    calls = [path.rsplit("/", 1)[1] for path in service.asked]
    assert calls == ["token", "info", "authorize", "signHash"]


def test_the_first_version_of_the_api_and_pss_are_spoken_too(world: World) -> None:
    service = service_of(world, "rsa2048")
    service.api = "v1"
    with remote.serving(service):
        describe(world, service, api="v1", scheme="rsa-pss")
        service.algorithms = (remote.PSS,)
        key = opened(world)
        assert fits(key)
    assert key.capabilities.scheme == algorithms.RSA_PSS
    assert (key.capabilities.store, key.capabilities.batch_size) == ("csc", 5)


def test_a_service_without_a_pin_is_asked_without(world: World, service: remote.Service) -> None:
    service.asks_pin = False
    describe(world, service, pin_file="")
    assert fits(opened(world))


def test_an_access_token_that_is_taken_no_longer_is_asked_for_anew(world: World, service: remote.Service) -> None:
    key = opened(world)
    service.revoke_tokens()
    assert fits(key)
    assert service.asked.count("/oauth2/token") == 2


def test_a_wrong_pin_is_sent_once(world: World, service: remote.Service) -> None:
    key = opened(world)
    (world.folder / "keys" / "remote.pin").write_text("0000")
    with pytest.raises(KeyUnavailable, match=r"the PIN is wrong \(HTTP 400 invalid_pin.*put the right one into remote"):
        key.sign_raw(b"x")
    for again in (key, opened(world)):
        with pytest.raises(KeyUnavailable, match="tried once and is wrong"):
            again.sign_raw(b"x")
    assert service.wrong_pins == 1
    (world.folder / "keys" / "remote.pin").write_text(remote.PIN)
    assert fits(key)
    assert {path.name for path in (world.folder / "pins").iterdir()} == {"lock", "salt"}


def test_a_pin_that_the_service_changed_is_sent_once_by_all_who_had_proven_it(
    world: World, service: remote.Service
) -> None:
    workers = [opened(world), opened(world)]
    assert all(fits(key) for key in workers)
    service.pin = "another"
    told = []
    for key in (*workers, *workers):
        with pytest.raises(KeyUnavailable) as caught:
            key.sign_raw(b"x")
        told.append("tried once and is wrong" in str(caught.value))
    assert told == [False, True, True, True]
    assert service.wrong_pins == 1
    (world.folder / "keys" / "remote.pin").write_text("another")
    assert all(fits(key) for key in workers)


def _set(**changes: Any) -> Callable[[World, remote.Service], None]:
    def change(_: World, service: remote.Service) -> None:
        for name, value in changes.items():
            setattr(service, name, value)

    return change


def _described(**changes: object) -> Callable[[World, remote.Service], None]:
    return lambda world, service: (describe(world, service, **changes), None)[1]


def _written(name: str, text: str) -> Callable[[World, remote.Service], None]:
    return lambda world, _: ((world.folder / "keys" / name).write_text(text), None)[1]


FAULTS: dict[str, tuple[Callable[[World, remote.Service], None], str]] = {
    "nobody answers": (_described(url="http://127.0.0.1:9", token_url="http://127.0.0.1:9"), "is the service up"),
    "a wrong secret": (_written("remote.secret", "another"), "invalid_client.*are `client_id` and remote.secret right"),
    "no secret": (_described(secret_file="gone"), "gone: No such file"),
    "no such credential": (_described(credential="another"), "400.*is the service up, and are we let in"),
    "not in the clear": (_described(url="http://csc.example.com"), "must be a plain https address"),
    "a redirect": (_set(behaviour="redirects"), "redirects, which is not followed"),
    "an endless answer": (_set(behaviour="says too much"), "more than 200000 bytes"),
    "a packed answer": (_set(behaviour="packs"), "no JSON"),
    "a failure": (_set(behaviour="fails"), "500"),
    "a wrong signature": (_set(behaviour="lies"), "signature is not by the key of the certificate"),
    "another algorithm": (_set(algorithms=("1.2.840.113549.1.1.13",)), "sha256_ecdsa is needed: change `scheme`"),
    "a disabled key": (_set(status="disabled"), "the credential is disabled: ask the service why"),
    "no authorities to trust": (_described(ca_file="gone.pem"), "no certificates to trust"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_a_service_is_named(world: World, service: remote.Service, name: str) -> None:
    cause, says = FAULTS[name]
    cause(world, service)
    with pytest.raises(SignerError, match=says) as caught:
        opened(world).sign_raw(b"x")
    told = f"{caught.value} {caught.value.__cause__}"
    assert remote.SECRET not in told
    assert remote.PIN not in told


def test_a_service_that_fails_in_the_middle_seals_nothing_by_half(world: World, service: remote.Service) -> None:
    enrolling.enrol(world, service.certificates[0], "remote.key.toml")
    service.behaviour = "fails"
    with pytest.raises(KeyUnavailable, match="is the service up") as caught:
        world.issue(sample(EMIRATES), by=enrolling.MAKER)
    assert "abandoned" in "".join(caught.value.__notes__)
    assert world.rows("SELECT standing FROM confirmations") == [("abandoned",)]
    assert world.rows("SELECT number FROM seal_uses") == []


# A cloud's class, as the how-to has it


@pytest.fixture
def cloud(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[remote.Cloud]:
    """The made-up cloud of the how-to, whose class is run as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    module = types.ModuleType("my_cloud")
    exec(compile(code, str(HOW_TO), "exec"), module.__dict__)
    module.__dict__["NotAKey"] = dict
    monkeypatch.setitem(sys.modules, "my_cloud", module)
    made = remote.Cloud(dict(KEYS), token="a token of the tests")
    with remote.serving(made):
        yield made


def in_cloud(world: World, cloud: remote.Cloud, kind: str, **changes: Any) -> Any:
    """Describe a key of the cloud, and return its certificate."""
    folder, issuer = world.folder / "keys", enrolling.Issuer(world.folder / "keys")
    own = issuer.certify(KEYS[kind].public_key(), at=world.at)
    (folder / "cloud.pem").write_bytes(enrolling.pem(own, issuer.certificate))
    (folder / "cloud.token").write_text(cloud.token + "\n")
    fields: dict[str, Any] = {
        "store": "kms",
        "driver": "my_cloud:MyCloudKey",
        "certificate": "cloud.pem",
        "secret_file": "cloud.token",
        "options": {"url": cloud.url, "key": kind},
    } | changes
    enrolling.describe(world, "remote", **fields)
    return own


@pytest.mark.parametrize(("kind", "scheme"), [("p256", ""), ("p384", ""), ("rsa2048", ""), ("rsa2048", "rsa-pss")])
def test_the_class_of_the_how_to_signs(world: World, cloud: remote.Cloud, kind: str, scheme: str) -> None:
    in_cloud(world, cloud, kind, **({"scheme": scheme} if scheme else {}))
    key = opened(world)
    assert fits(key)
    assert key.capabilities.scheme.name == (scheme or {"rsa2048": "rsa"}.get(kind, f"ecdsa-{kind}"))


def test_a_confirmation_sealed_by_a_cloud_is_valid(world: World, cloud: remote.Cloud) -> None:
    enrolling.enrol(world, in_cloud(world, cloud, "p256"), "remote.key.toml")
    assert world.verify(world.issue(sample(EMIRATES), by=enrolling.MAKER).pdf).code is Code.VALID


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"driver": "nowhere:Key"}, "cannot be imported: is its package installed here?"),
        ({"driver": "my_cloud:Gone"}, "cannot be imported"),
        ({"driver": "my_cloud:NotAKey"}, "no subclass of"),
        ({"driver": "my_cloud"}, "driver: String should match"),
        ({"store": "vault"}, "does not match any of the expected tags"),
        ({"certificate": "gone.pem"}, "gone.pem: No such file"),
        ({"certificate": "cloud.token"}, "no PEM certificates"),
    ],
)
def test_each_fault_of_a_clouds_descriptor_is_named(
    world: World, cloud: remote.Cloud, changes: dict[str, Any], says: str
) -> None:
    in_cloud(world, cloud, "p256", **changes)
    with pytest.raises(SignerError, match=says):
        opened(world)


def test_a_cloud_that_uses_another_key_or_lets_nobody_in_is_named(world: World, cloud: remote.Cloud) -> None:
    own = in_cloud(world, cloud, "p256")
    cloud.keys["p256"] = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(Misconfigured, match="is not by the key of the certificate: do descriptor, key and"):
        opened(world)
    (world.folder / "keys" / "cloud.token").write_text("another")
    with pytest.raises(KeyUnavailable, match=r"403.*is it up, and are we let in"):
        opened(world)
    assert own.der


def test_a_certificate_on_ed25519_is_refused_with_the_reason(world: World, cloud: remote.Cloud) -> None:
    issuer = enrolling.Issuer(world.folder / "keys")
    own = issuer.certify(ed25519.Ed25519PrivateKey.generate().public_key(), at=world.at)
    in_cloud(world, cloud, "p256")
    (world.folder / "keys" / "cloud.pem").write_bytes(enrolling.pem(own))
    with pytest.raises(Misconfigured, match="Ed25519 and Ed448 fail in poppler, mutool, iText 5 and OpenSSL"):
        opened(world)
    assert cloud.asked == []
