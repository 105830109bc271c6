"""Status lists are fetched from where the trust list says; whoever answers there is not believed for that."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import world as worlds

from signer.domain import status_list as plain
from signer.domain.trust import Purpose
from signer.errors import InvalidInput
from signer.outbound import OPERATORS, Client
from signer.seal import status_list, trust, validate
from signer.services.fetching import Fetched, Fetching
from signer.wiring import wire_offline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.wiring import Offline


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to who cannot ask it."""
    return "sqlite"


@dataclass
class Host:
    """What lies at a service's address, by path; each path that was asked for."""

    port: int = 0
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def list_there(self, *uris: str) -> None:
        self.answers["/.well-known/status"] = 200, json.dumps({"status_lists": uris}).encode()


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            status, body = found.answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    found.port = server.server_port
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    running.start()
    yield found
    server.shutdown()
    server.server_close()
    running.join()


@dataclass
class Far:
    """A verifier that keeps the bundle of a service, and fetches from it."""

    world: worlds.World
    node: Offline
    host: Host

    def token(self, number: int = 1, *, after: timedelta = timedelta(hours=1)) -> bytes:
        key = self.world.services.service_keys.open(Purpose.STATUS)
        uri = plain.uri_of(self.host.base_url, number)
        return status_list.sign(uri, plain.blank(64), key, at=self.world.at + after)

    def fetch(self) -> tuple[int, list[Fetched]]:
        told: list[Fetched] = []
        fetching = Fetching(shelf=self.node.shelf, client=Client(OPERATORS, total_s=2.0))
        return fetching.status_lists(told.append), told


@pytest.fixture
def far(template_folder: Path, tmp_path: Path, host: Host) -> Far:
    world = worlds.World(worlds.copy(template_folder, tmp_path / "data"))
    world.publish(base_url=host.base_url)
    world.services.bundling.make(tmp_path / "whole.bundle")
    node = wire_offline(world.settings, folder=tmp_path / "far", clock=lambda: world.at, judge=validate.validate)
    root = trust.read_root(world.settings.trust_root_path.read_bytes())
    node.shelf.take(io.BytesIO((tmp_path / "whole.bundle").read_bytes()), pinned=(root,))
    return Far(world, node, host)


def kept(far: Far, number: int = 1) -> plain.StatusList | None:
    (issuer,) = far.node.shelf.issuers()
    return issuer.status_list(number)


def test_every_list_that_the_index_names_is_kept(far: Far, host: Host) -> None:
    uris = [plain.uri_of(host.base_url, number) for number in (1, 2)]
    host.list_there(*uris)
    host.answers |= {f"/.well-known/status/{number}": (200, far.token(number)) for number in (1, 2)}
    missed, told = far.fetch()
    assert (missed, [one.uri for one in told if one.kept]) == (0, uris)
    assert [found.uri for number in (1, 2) if (found := kept(far, number))] == uris


def test_nothing_is_asked_for_that_lies_elsewhere(far: Far, host: Host) -> None:
    host.list_there(
        "https://evil.example/.well-known/status/1",
        f"{host.base_url}/other/1",
        f"{host.base_url}/.well-known/status/../../admin",
        f"{host.base_url}@evil.example/.well-known/status/1",
    )
    assert far.fetch() == (0, [])
    assert host.asked == ["/.well-known/status"]


def test_an_older_list_a_forged_one_and_one_in_anothers_place_are_told_and_not_kept(far: Far, host: Host) -> None:
    host.list_there(plain.uri_of(host.base_url, 1))
    late = far.token()
    host.answers["/.well-known/status/1"] = 200, late
    assert far.fetch()[0] == 0
    for other, says in (
        (far.token(after=timedelta()), "a later one is kept"),
        (late[:-4] + b"AAAA", "signature"),
        (far.token(2), "what lies there is"),
        (b"<html>", "not a compact JWS"),
    ):
        host.answers["/.well-known/status/1"] = 200, other
        missed, (told,) = far.fetch()
        assert (missed, says in told.refused) == (1, True), told
    found = kept(far)
    assert found is not None
    assert found.at == far.world.at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "index"),
    [
        (200, b"not JSON"),
        (200, b"[]"),
        (200, b'{"status_lists": 7}'),
        (200, b'{"status_lists": [' + b",".join([b'"x"'] * 1001) + b"]}"),
        (200, b"x" * 400_000),
        (404, b""),
        (302, b'{"status_lists": []}'),
        (500, b""),
    ],
)
def test_an_index_that_is_none_is_told(far: Far, host: Host, status: int, index: bytes) -> None:
    host.answers["/.well-known/status"] = status, index
    missed, (told,) = far.fetch()
    assert (missed, told.kept, told.uri) == (1, None, f"{host.base_url}/.well-known/status")
    assert host.asked == ["/.well-known/status"]


def test_nobody_is_asked_where_no_bundle_is_kept(world: worlds.World, tmp_path: Path) -> None:
    node = wire_offline(world.settings, folder=tmp_path / "empty", judge=validate.validate)
    with pytest.raises(InvalidInput, match="no offline bundle is here"):
        Fetching(shelf=node.shelf, client=Client(OPERATORS)).status_lists(print)
