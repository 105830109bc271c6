"""The clients to copy from, run as their readers run them against a deployment that is really served."""

from __future__ import annotations

import runpy
import secrets
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from machine import Machines
from served import answers, serving, until
from world import BEICHEN, KAZAKHSTAN, PEOPLE, RUSSIA, TIANSHAN, sample

from signer.domain.parties import Role
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENTS = worlds.ROOT / "docs" / "samples" / "clients"
VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
OFFLINE = ("python", "java")
_SOAK = pytest.mark.soak
"""Python's own arithmetic takes a second for each signature: one message each time, others in soak."""


@dataclass(frozen=True)
class Place:
    """A deployment that is served, files to ask it about, and the clients' commands."""

    url: str
    folder: Path
    number: str
    clients: dict[str, list[str]]

    def ask(self, client: str, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [*self.clients[client], *words], cwd=self.folder, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.strip() or done.stderr


@pytest.fixture(scope="module")
def place(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two confirmations, one of them withdrawn; one altered by a letter, and a stranger's PDF; Java compiled once."""
    folder: Path = tmp_path_factory.mktemp("clients")
    world = worlds.World(worlds.copy(live_template_folder, folder / "data"), at=datetime.now(UTC))
    kz, ru = (world.issue(sample(name, today=world.at.date())) for name in (KAZAKHSTAN, RUSSIA))
    middle = len(kz.pdf) // 2
    altered = kz.pdf[:middle] + bytes([kz.pdf[middle] ^ 1]) + kz.pdf[middle + 1 :]
    stranger = b"%PDF-1.7\nnot ours\n%%EOF\n"
    for name, data in (("genuine", kz.pdf), ("altered", altered), ("stranger", stranger), ("withdrawn", ru.pdf)):
        (folder / f"{name}.pdf").write_bytes(data)
    he, sun = PEOPLE[BEICHEN]
    order = Withdrawal(number=ru.number, manufacturer=BEICHEN, by=he, second=sun, reason="error")
    world.services.ending.withdraw(order)
    officer = Machines.of(world).of_house("officer.sample", Role.OFFICER)
    (folder / "token").write_text(f"{officer.secret}\n", encoding="ascii")
    (folder / "root.pem").write_bytes((world.settings.keys / "trust-root.pub.pem").read_bytes())
    subprocess.run(["javac", "-d", str(folder), str(CLIENTS / "Verify.java")], check=True)
    clients = {
        "curl": ["sh", str(CLIENTS / "verify.sh")],
        "python": [sys.executable, str(CLIENTS / "verify.py")],
        "java": ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(folder), "Verify"],
    }
    with serving(world) as (_, port):
        assert until(lambda: answers(port))
        made = Place(f"http://127.0.0.1:{port}", folder, str(kz.number), clients)
        assert made.ask("curl", "bundle", made.url, "token", "whole.bundle") == (0, "200")
        yield made
    world.services.database.close()


@pytest.mark.parametrize("client", ["curl", "python", "java"])
def test_online_a_genuine_file_passes_and_an_altered_or_a_strangers_does_not(place: Place, client: str) -> None:
    assert place.ask(client, "online", place.url, "genuine.pdf") == (0, "pass VALID TEST")
    assert place.ask(client, "online", place.url, "altered.pdf") == (1, "fail ALTERED TEST")
    exit_, told = place.ask(client, "online", place.url, "stranger.pdf")
    assert (exit_, told.split()[0]) == (3, "none")


@pytest.mark.parametrize(("client", "told"), [("curl", "{number}"), ("python", "3 of 3"), ("java", "3 of 3")])
def test_a_licence_passes_with_its_vehicles_and_not_with_another(place: Place, client: str, told: str) -> None:
    words = ("licence", place.url, place.number, TIANSHAN, "KZ")
    assert place.ask(client, *words, *VINS) == (0, f"pass {told.format(number=place.number)} TEST")
    exit_, other = place.ask(client, *words, VINS[0], "L0YSA3B24T0000104")
    assert (exit_, other.split()[0]) == (1, "fail")


@pytest.mark.parametrize("client", OFFLINE)
def test_offline_a_recorded_file_stands_as_the_register_says_and_any_other_is_none(place: Place, client: str) -> None:
    ask = ("offline", "whole.bundle", "root.pem")
    assert place.ask(client, *ask, "genuine.pdf") == (0, f"pass issued {place.number} TEST")
    exit_, told = place.ask(client, *ask, "withdrawn.pdf")
    assert (exit_, told.split()[:2]) == (1, ["fail", "withdrawn"])
    for name in ("altered.pdf", "stranger.pdf"):
        assert place.ask(client, *ask, name) == (3, "none no such file is on record TEST")


def forged(bundle: bytes, way: str) -> bytes:
    """A bundle with one thing changed."""
    first, jws, rest = bundle.split(b"\n", 2)
    head, _, signature = jws.split(b".")
    turned = signature[:-4] + (b"AAAA" if signature[-4:] != b"AAAA" else b"BBBB")
    lines = {
        "a record": (first, jws, rest.replace(b'"standing":"issued"', b'"standing":"isSued"', 1)),
        "the header": (first.replace(b'"test":true', b'"test":tru3', 1), jws, rest),
        "the signature": (first, b"..".join((head, turned)), rest),
        "the end": (first, jws, rest[:-20]),
    }[way]
    return b"\n".join(lines)


@pytest.mark.parametrize("client", OFFLINE)
def test_offline_a_bundle_that_was_changed_or_is_under_another_root_gives_no_answer(place: Place, client: str) -> None:
    bundle = (place.folder / "whole.bundle").read_bytes()
    for way in ("a record", "the header", "the signature", "the end"):
        (place.folder / "forged.bundle").write_bytes(forged(bundle, way))
        exit_, told = place.ask(client, "offline", "forged.bundle", "root.pem", "genuine.pdf")
        assert exit_ == 1, way
        assert "pass" not in told, way
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    (place.folder / "other.pem").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    exit_, told = place.ask(client, "offline", "whole.bundle", "other.pem", "genuine.pdf")
    assert (exit_, "pass" in told) == (1, False)


def test_a_bundle_that_is_the_present_one_is_not_fetched_again(place: Place) -> None:
    before = (place.folder / "whole.bundle").read_bytes()
    assert place.ask("curl", "bundle", place.url, "token", "whole.bundle") == (0, "304")
    assert (place.folder / "whole.bundle").read_bytes() == before


def test_java_runs_as_one_file_of_at_most_120_lines(place: Place) -> None:
    text = (CLIENTS / "Verify.java").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert max(map(len, text.splitlines())) <= 120
    words = ["java", str(CLIENTS / "Verify.java"), "offline", "whole.bundle", "root.pem", "genuine.pdf"]
    done = subprocess.run(words, cwd=place.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"pass issued {place.number} TEST\n")


@pytest.mark.parametrize("size", [1, pytest.param(0, marks=_SOAK), pytest.param(1000, marks=_SOAK)])
def test_pythons_own_arithmetic_judges_signatures_as_a_library_does(size: int) -> None:
    client: Any = runpy.run_path(str(CLIENTS / "verify.py"))
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    strange = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    order = client["N"]
    message = secrets.token_bytes(size)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    right = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert client["signed"](spki, message, right)
    assert client["signed"](spki, message, right[:32] + (order - s).to_bytes(32, "big"))  # as every judge takes it
    assert not client["signed"](spki, message + b".", right)
    assert not client["signed"](strange, message, right)
    assert not client["signed"](spki, message, right[32:] + right[:32])
    for bad in (
        bytes(64),
        right[:32] + bytes(32),
        bytes(32) + right[32:],
        order.to_bytes(32, "big") * 2,
        right[:63],
    ):
        assert not client["signed"](spki, message, bad)
    off_curve = spki[:-1] + bytes([spki[-1] ^ 1])
    assert not client["signed"](off_curve, message, right)
    assert client["kid"](spki) == sha256(spki).hexdigest()[:16]
