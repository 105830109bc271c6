"""`doctor` names each fault, and one broken part hides no other."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from world import KAZAKHSTAN, YUNZHOU, World, sample

from signer import resources
from signer.errors import RegisterUnavailable
from signer.register import restores

if TYPE_CHECKING:
    from collections.abc import Callable


def found(world: World) -> dict[str, tuple[str, str]]:
    """Return the worst symptom of each part, by its name's first word."""
    order = ["ok", "warning", "error"]
    worst: dict[str, tuple[str, str]] = {}
    for symptom in world.services.doctor.examine():
        part = symptom.part.split(" ")[0]
        if part not in worst or order.index(symptom.health) > order.index(worst[part][0]):
            worst[part] = (symptom.health, symptom.detail)
    return worst


def test_a_sound_deployment_has_no_error_and_no_warning(world: World) -> None:
    world.folder.chmod(0o700)
    world.services.working.run_due()
    assert {part: health for part, (health, _) in found(world).items()} == {
        "base-url": "ok",
        "data-folder": "ok",
        "modes": "ok",
        "disk": "ok",
        "register": "ok",
        "trust-list": "ok",
        "seal": "ok",
        "paper-keys": "ok",
        "service-keys": "ok",
        "log": "ok",
        "status-lists": "ok",
        "timestamps": "ok",
        "template": "ok",
        "pending": "ok",
        "self-check": "ok",
        "restore": "ok",
        "archive-copies": "ok",
        "sandbox": "ok",
        "jobs": "ok",
        "mail": "ok",
        "webhooks": "ok",
    }


@pytest.mark.parametrize(
    ("after", "health", "says"),
    [
        (timedelta(hours=3), "ok", "1 signed, as of "),
        (timedelta(hours=3, minutes=1), "warning", "1 signed, as of "),
        (timedelta(hours=24, minutes=1), "error", "in doubt offline"),
    ],
)
def test_status_lists_that_grow_old_are_told(world: World, after: timedelta, health: str, says: str) -> None:
    assert found(world)["status-lists"] == ("warning", "0 of 1 signed: no worker has come to it")
    world.services.status_lists.sign()
    world.at += after
    told = found(world)["status-lists"]
    assert (told[0], says in told[1]) == (health, True)
    (world.settings.keys / "status.pem").unlink()
    assert "status-lists" not in found(world)


def _unencrypted(world: World) -> None:
    (path,) = (world.folder / "keys" / "seals").glob("*.p12")
    password = (world.folder / "keys" / "password").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), password)
    plain = serialization.NoEncryption()
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, certificate, chain, plain))  # type: ignore[arg-type]


def _other_key(world: World) -> None:
    (path,) = (world.folder / "keys" / "seals").glob("*.p12")
    password = (world.folder / "keys" / "password").read_bytes().strip()
    _, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), password)
    assert certificate is not None
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    path.write_bytes(pem + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (certificate, *chain)))


def _sql(statement: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.change(statement)

    return change


def _set(name: str, value: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.overrides = {**world.overrides, name: value}

    return change


def _later(days: int) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.at += timedelta(days=days)

    return change


def _file(path: str, data: bytes | None) -> Callable[[World], None]:
    def change(world: World) -> None:
        target = world.folder / path
        target.unlink()
        if data is not None:
            target.write_bytes(data)

    return change


def _worked_once(world: World) -> None:
    world.services.working.run_due()
    world.at += timedelta(minutes=12)


def _fails(world: World) -> None:
    def fail(_doing: object) -> str:
        raise RegisterUnavailable("gone")

    world.services.working._doing = {**world.services.working._doing, "settle": fail}
    for _ in range(3):
        world.services.working.run_due()
        world.at += timedelta(minutes=2)


def _restored(world: World) -> None:
    with world.services.database.write() as tx:
        restores.note(tx, restores.Restore(backup_at=world.at, restored_at=world.at, archive_digest=bytes(32)))


FAULTS: list[tuple[str, Callable[[World], None], str, str, str]] = [
    ("wrong password", _file("keys/password", b"wrong"), "seal", "error", "password"),
    ("no password", _file("keys/password", None), "seal", "error", "No such file"),
    ("key file gone", lambda w: shutil.rmtree(w.folder / "keys" / "seals"), "seal", "error", "No such file"),
    ("key not encrypted", _unencrypted, "seal", "error", "not encrypted"),
    ("key unlike certificate", _other_key, "seal", "error", "not that of the key"),
    ("seal suspended", _sql("UPDATE seals SET state = 'suspended'"), "seal", "warning", "suspended"),
    (
        "seal of another manufacturer",
        _sql("UPDATE seals SET manufacturer_id = 3 - manufacturer_id"),
        "seal",
        "error",
        "not bound",
    ),
    (
        "seal not on the trust list",
        _sql("UPDATE seals SET certificate_digest = 'ab' WHERE manufacturer_id = 1"),
        "seal",
        "error",
        "trust list",
    ),
    ("no seal at all", _sql("DELETE FROM seals"), "seals", "warning", "no manufacturer has a seal"),
    ("certificate ends soon", _later(1095 - 20), "seal", "warning", "days left"),
    ("certificate expired", _later(1096), "seal", "error", "expired"),
    ("trust list ends soon", _later(25), "trust-list", "warning", "days left"),
    ("trust list expired", _later(31), "trust-list", "error", "expired"),
    ("trust list gone", _file("keys/trust-list.jws", None), "trust-list", "error", "cannot be read"),
    ("trust list garbled", _file("keys/trust-list.jws", b"a.b.c"), "trust-list", "error", "trust-list"),
    ("clock off", _later(-2), "trust-list", "error", "future"),
    ("register behind", _sql("DELETE FROM alembic_version"), "register", "error", "signer db upgrade"),
    ("register ahead", _sql("UPDATE alembic_version SET version_num = '9'"), "register", "error", "9"),
    (
        "register gone",
        _set("SIGNER_DATABASE_URL", "sqlite:////nowhere/x.sqlite3"),
        "register",
        "error",
        "unable to open",
    ),
    ("no authority answers", _set("SIGNER_TSA_URLS", "http://127.0.0.1:9"), "timestamps", "error", "127.0.0.1:9"),
    ("base URL local in production", _set("SIGNER_MODE", "production"), "base-url", "error", "https"),
    ("TEST list in production", _set("SIGNER_MODE", "production"), "trust-list", "error", "TEST"),
    ("no authority in production", _set("SIGNER_MODE", "production"), "timestamps", "error", "SIGNER_TSA_URLS"),
    ("data folder gone", _set("SIGNER_DATA_DIR", "/nowhere"), "data-folder", "error", "No such file"),
    ("no worker ever", lambda _: None, "jobs", "warning", "start `signer worker`"),
    ("no worker any more", _worked_once, "jobs", "warning", "no worker has looked since 2026-11-22T03:01:00Z"),
    ("a job fails and fails", _fails, "jobs", "warning", "settle failed 3 times: register-unavailable"),
    ("restored, not released", _restored, "restore", "warning", "signer db close-gap"),
    ("little room", _set("SIGNER_DISK_WARN_MB", "999999999"), "disk", "warning", "nothing new is begun"),
    ("data folder open", lambda w: w.folder.chmod(0o755), "modes", "warning", "chmod 700"),
]


@pytest.mark.parametrize(
    ("cause", "part", "health", "words"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_each_fault_is_named(world: World, cause: Callable[[World], None], part: str, health: str, words: str) -> None:
    world.services.database.close()
    cause(world)
    world.rewire()
    symptoms = found(world)
    assert symptoms[part][0] == health
    assert words in symptoms[part][1]
    assert len(symptoms) >= 8


def test_a_changed_template_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = world.folder / "templates"
    shutil.copytree(resources.templates_dir(), copied)
    style = copied / "document" / "confirmation" / "1" / "style.typ"
    style.write_bytes(style.read_bytes() + b"\n")
    monkeypatch.setattr(resources, "templates_dir", lambda: copied)
    health, detail = found(world)["template"]
    assert (health, "style.typ" in detail) == ("error", True)


def test_records_left_pending_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.services.issuing._seals, "seal", die)
    with pytest.raises(KeyboardInterrupt):
        world.issue(sample(KAZAKHSTAN), by=YUNZHOU)
    assert found(world)["pending"][0] == "ok"
    world.at += timedelta(minutes=11)
    assert found(world)["pending"] == ("warning", found(world)["pending"][1])
