"""The service's own keys: made, listed and opened, each for one purpose, and every fault named."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import enrolling
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pki import entry_of
from world import ROOT, World

from signer.domain.trust import SERVICES, Purpose, SealState
from signer.errors import InvalidInput, KeyUnavailable, Misconfigured
from signer.seal import jws, service_key
from signer.services.trust import make_test_pki

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.trust import TrustEntry
    from signer.seal.certificates import Certificate

TYP = "signer-test+jwt"
DESCRIPTION = (ROOT / "keys.example" / "pki.yaml").read_bytes()


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to a key."""
    return "sqlite"


def trusted(world: World, purpose: Purpose, token: bytes) -> bool:
    """Tell whether somebody who has the trust list believes a token."""
    read = jws.parse(token, typ=TYP, field="token", most_bytes=10_000)
    entry = service_key.entry_of(world.services.trust.current(world.at), purpose, read.kid)
    return entry is not None and read.is_by(service_key.public_key(entry))


def test_each_purpose_has_a_key_of_its_own(world: World) -> None:
    keys = {purpose: world.services.service_keys.open(purpose) for purpose in SERVICES}
    assert len({key.kid for key in keys.values()}) == len(SERVICES)
    for purpose, key in keys.items():
        assert trusted(world, purpose, key.sign(b"{}", typ=TYP))
        assert not any(trusted(world, other, key.sign(b"{}", typ=TYP)) for other in SERVICES - {purpose})
        secret = world.settings.keys / world.services.service_keys.name(purpose)
        assert b"ENCRYPTED PRIVATE KEY" in secret.read_bytes()
        assert secret.stat().st_mode & 0o077 == 0
    token = keys[Purpose.BUNDLE].sign_detached(b"lines", typ=TYP)
    read = jws.parse_detached(token, b"lines", typ=TYP, field="token")
    assert read.is_by(service_key.public_key(keys[Purpose.BUNDLE].entry))


def test_a_deployment_from_before_gets_them_and_keeps_its_entries(world: World) -> None:
    older = world.services.trust.current(world.at)
    world.publish(lambda entry: None if entry.purpose in SERVICES else entry, forget=True)
    for path in world.settings.keys.glob("[rbs]*.pem"):
        if path.name.startswith(("receipt", "bundle", "status")):
            path.unlink()
    world.rewire()
    before = world.services.trust.current(world.at)
    with pytest.raises(KeyUnavailable, match=r"no receipt key is there \(receipt.key.toml, receipt.pem, receipt.p12\)"):
        world.services.service_keys.open(Purpose.RECEIPT)
    make_test_pki(world.settings, DESCRIPTION, at=world.at)
    after = world.services.trust.current(world.at)
    assert (before.sequence + 1, before.entries) == (after.sequence, after.entries[: len(before.entries)])
    assert {entry.purpose for entry in after.entries[len(before.entries) :]} == SERVICES
    assert not {entry.certificate_digest for entry in older.of(Purpose.RECEIPT)} & {
        entry.certificate_digest for entry in after.of(Purpose.RECEIPT)
    }
    make_test_pki(world.settings, DESCRIPTION, at=world.at)
    assert world.services.trust.current(world.at) == after
    assert world.services.service_keys.open(Purpose.RECEIPT).entry in after.entries


def _state(state: SealState) -> Callable[[World], None]:
    def changed(entry: TrustEntry) -> TrustEntry:
        return entry.model_copy(update={"state": state}) if entry.purpose is Purpose.RECEIPT else entry

    return lambda world: world.publish(changed)


def _unlisted(world: World) -> None:
    world.publish(lambda entry: None if entry.purpose is Purpose.RECEIPT else entry, forget=True)


def _bundles_in_its_place(world: World) -> None:
    shutil.copy(world.settings.keys / "bundle.pem", world.settings.keys / "receipt.pem")


def _a_seal_in_its_place(world: World) -> None:
    shutil.copy(world.settings.keys / "seals" / "yunzhou.pem", world.settings.keys / "receipt.pem")


def _two(world: World) -> None:
    shutil.copy(world.settings.keys / "receipt.pem", world.settings.keys / "receipt.p12")


def _wrong_password(world: World) -> None:
    (world.settings.keys / "password").write_text("wrong")


FAULTS: dict[str, tuple[Callable[[World], None], str]] = {
    "retired": (_state(SealState.VERIFY_ONLY), "it is verify-only"),
    "not on the list": (_unlisted, "does not name"),
    "the bundle's key": (_bundles_in_its_place, "gives it the purpose bundle"),
    "a seal's key": (_a_seal_in_its_place, "gives it the purpose pdf-seal"),
    "two keys": (_two, "keep one"),
    "a wrong password": (_wrong_password, "password"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_named_when_opened_by_the_doctor_and_by_the_check(world: World, name: str) -> None:
    change, says = FAULTS[name]
    change(world)
    world.rewire()
    with pytest.raises((KeyUnavailable, Misconfigured), match=says):
        world.services.service_keys.open(Purpose.RECEIPT)
    (told,) = (
        symptom
        for symptom in world.services.doctor.examine()
        if symptom.part == "service-keys" and "receipt" in symptom.detail and symptom.health != "ok"
    )
    assert told.health == "error"
    assert says in told.detail
    (checked,) = world.services.key_checks.check("receipt")
    assert not checked.is_fit
    assert any(says in found.detail for found in checked.found)


def test_a_missing_key_is_a_warning_and_says_what_the_deployment_goes_without(world: World) -> None:
    (world.settings.keys / "receipt.pem").unlink()
    warnings = [symptom for symptom in world.services.doctor.examine() if symptom.part == "service-keys"]
    assert [(one.health, "verdicts go out without a receipt" in one.detail) for one in warnings] == [
        ("ok", False),
        ("warning", True),
        ("ok", False),
    ]
    (checked,) = world.services.key_checks.check("receipt")
    assert checked.is_fit


def test_keys_that_fit_are_told_with_their_entry(world: World) -> None:
    own = [one for one in world.services.key_checks.check() if not one.is_seal and not one.uscc]
    assert [one.key_ref for one in own] == [f"{purpose}.pem" for purpose in sorted(SERVICES)]
    receipt = next(one for one in own if one.key_ref == "receipt.pem")
    assert [found.part for found in receipt.found] == ["store", "usage", "validity", "listed", "trial"]
    assert {found.health for found in receipt.found} == {"ok"}
    assert world.services.key_checks.check(receipt.certificate_digest[:8]) == (receipt,)


def _certified(world: World, *, curve: ec.EllipticCurve, usage: str) -> Certificate:
    public = ec.generate_private_key(curve).public_key()
    return enrolling.Issuer(world.settings.keys).certify(public, at=world.at, usage=usage)


@pytest.mark.parametrize("purpose", sorted(SERVICES))
def test_no_list_gives_a_purpose_of_the_service_to_a_key_that_is_not_for_it(world: World, purpose: Purpose) -> None:
    older = world.services.trust.current(world.at)
    for curve, usage, says in (
        (ec.SECP384R1(), "digital_signature", "not on P-256"),
        (ec.SECP256R1(), "content_commitment", "does not allow digitalSignature"),
    ):
        entry = entry_of(purpose, _certified(world, curve=curve, usage=usage), "TEST")
        with pytest.raises(InvalidInput, match=f"may not sign for the service: .*{says}"):
            world.publish(entries=(*older.entries, entry))
    authority = next(entry for entry in older.of(Purpose.CA))
    for wrong, says in (
        (authority.model_copy(update={"purpose": purpose, "chain": ()}), "an authority's"),
        (older.of(Purpose.TSA)[0].model_copy(update={"purpose": purpose}), "for timestamps"),
    ):
        others = tuple(entry for entry in older.entries if entry.certificate_digest != wrong.certificate_digest)
        with pytest.raises(InvalidInput, match=says):
            world.publish(entries=(*others, wrong))
