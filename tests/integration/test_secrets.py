"""Secrets come in by many doors and leave by none: not in logs, not on error pages, not in lists of processes."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import structlog
import world as worlds
from apps import create_app

from signer import logs
from signer.cli import cli
from signer.domain.evidence import Form
from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

CANARY = "kanarienvogel"
PEM = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIG{CANARY}\n-----END ENCRYPTED PRIVATE KEY-----\n"
SECRETS = {
    "token": f"sgnr_live_{CANARY}{'0' * 36}",
    "password": f"{CANARY} correct horse",
    "private key": PEM,
    "passkey": json.dumps({"id": CANARY, "response": {"signature": CANARY, "clientDataJSON": CANARY}}),
    "webhook secret": f"whsec_{CANARY}AAAA",
    "session": f"{CANARY}.session.cookie",
}


_LANGUAGES = re.compile(r"<a [^>]*hreflang=[^>]*>")
"""Links to the same address in another language repeat what is in the asker's own address bar, for the asker alone."""


@pytest.fixture
def database() -> str:
    """What is logged does not depend on it."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def knock(client: Any, secret: str) -> Iterator[TestResponse]:
    """Bring a secret by every door that the web has, rightly or by mistake."""
    plain = secret.replace("\n", "").replace(" ", "")
    headers = {"Authorization": f"Bearer {plain}", "Cookie": f"signer={plain}; signer.pass={plain}", "Referer": plain}
    for path in ("/verify", "/api/v1/verify", "/sign-in", "/portal", "/api/v1/tokens", "/healthz", "/metrics"):
        yield client.get(path, headers=headers, query_string={"token": secret, "next": secret})
    yield client.get(f"/{plain[:60]}/nowhere", headers=headers)
    yield client.get(f"/share/{plain[:60]}", headers=headers)
    form = {"login": "chen.sample", "password": secret, "code": secret, "passkey": secret, "csrf_token": secret}
    for path in ("/sign-in", "/sign-in/passkey", "/sign-in/code", "/account/password", "/api/v1/verify"):
        yield client.post(path, data=form, headers=headers)
    yield client.post("/api/v1/lookups", json={"number": secret, "vin_tail": secret, secret: secret}, headers=headers)
    yield client.post("/api/v1/tokens", data=secret.encode(), content_type="application/json", headers=headers)
    upload = {"file": (io.BytesIO(secret.encode()), f"{plain[:40]}.pdf")}
    yield client.post("/api/v1/verify", data=upload, content_type="multipart/form-data", headers=headers)


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_that_comes_by_any_door_is_logged_or_shown(
    world: worlds.World, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    app = create_app(world.services, clock=lambda: world.at)
    logs.configure("debug")
    answers = list(knock(app.test_client(), SECRETS[kind]))
    written = capsys.readouterr()
    assert {answer.status_code // 100 for answer in answers} >= {2, 4}
    assert "request.answered" in written.err
    assert CANARY not in written.err + written.out
    faulty = [answer for answer in answers if answer.status_code >= 400]
    shown = [answer.request.path[:20] for answer in faulty if CANARY in _LANGUAGES.sub("", answer.text)]
    assert shown == []


def test_an_unforeseen_error_that_names_a_secret_is_logged_without_it(
    world: worlds.World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(" ".join(SECRETS[kind] for kind in ("token", "private key", "webhook secret")))

    monkeypatch.setattr(type(world.services.verifying), "file", fail)
    app = create_app(world.services, clock=lambda: world.at)
    logs.configure("debug")
    upload = {"file": (io.BytesIO(b"%PDF"), "a.pdf")}
    answer = app.test_client().post("/api/v1/verify", data=upload, content_type="multipart/form-data")
    assert (answer.status_code, CANARY in answer.text) == (500, False)
    assert CANARY not in capsys.readouterr().err


def test_a_job_that_fails_names_no_secret_and_its_lines_have_its_id(
    world: worlds.World, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_doing: object) -> str:
        raise RuntimeError(f"{PEM} postgresql://signer:{CANARY}@db/x whsec_{CANARY}")

    world.services.working._doing = {**world.services.working._doing, "settle": fail}
    logs.configure("info")
    world.services.working.run_due()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert CANARY not in json.dumps(lines)
    (failed,) = (line for line in lines if line["event"] == "job.failed")
    assert failed["job"] == failed["id"]


def test_a_password_that_opens_nothing_is_not_named(world: worlds.World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.settings.keys / "password").write_text(CANARY)
    (world.folder / "smtp").write_text(CANARY)
    world.overrides |= {
        "SIGNER_SMTP_URL": "smtp://signer@127.0.0.1:9",
        "SIGNER_SMTP_PASSWORD_FILE": str(world.folder / "smtp"),
    }
    world.rewire()
    logs.configure("debug")
    with pytest.raises(SignerError) as refused:
        world.issue(worlds.sample(worlds.KAZAKHSTAN))
    told = [symptom.detail for symptom in world.services.doctor.examine()]
    assert any("password" in detail for detail in told)
    assert CANARY not in " ".join((*told, str(refused.value), capsys.readouterr().err, repr(world.settings)))


def descendants() -> Iterator[int]:
    """Return every process that this one started, and those that these did. Source: proc_pid_stat(5)."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    waiting = [os.getpid()]
    while waiting:
        found = [child for child, parent in parents.items() if parent in waiting]
        yield from found
        waiting = found


def read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return b""


def test_no_process_of_ours_names_a_secret(world: worlds.World) -> None:
    """Neither in its command nor in its environment: a child that judges a hostile file has none at all."""
    judged = world.services.trust.judge(b"%PDF-1.7\n", world.services.trust.current(world.at), world.at)
    assert judged.form is Form.UNREADABLE
    password = (world.settings.keys / "password").read_bytes().strip()
    told = [read(f"/proc/{child}/{what}") for child in descendants() for what in ("cmdline", "environ")]
    assert any(told)
    assert [line for line in told if password in line or b"SIGNER_" in line] == []


def commands(command: click.Command, name: str = "signer") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from commands(inner, f"{name} {word}")


def test_no_command_takes_a_secret_as_an_argument() -> None:
    secret = ("password", "pin", "secret", "token", "passphrase")
    found = [
        f"{name} {option.opts[0]}"
        for name, command in commands(cli)
        for option in command.params
        if isinstance(option, click.Option)
        and not option.is_flag
        and any(word in option.opts[0].lstrip("-").split("-") for word in secret)
        and not isinstance(option.type, click.Path)
    ]
    assert found == []
