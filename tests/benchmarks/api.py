"""The API under load from another process, beside a bare Flask handler of the same server that gives the same bytes."""

from __future__ import annotations

import base64
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import world as worlds
from cases import Case
from machine import Machine, Machines
from served import answers, serving, until

from signer.domain.parties import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS, TURNS = 4, 5
HERE = Path(__file__).parent
PDF, JSON = "application/pdf", "application/json"


@dataclass(frozen=True)
class Load:
    """What was measured: questions a second, and milliseconds."""

    rate: float
    p50: float
    p99: float


def all_cases() -> Iterator[Case]:
    made = Api()
    for name, target in (("lookup", 0.25), ("verify", None), ("bundle304", None), ("issue", None)):
        yield Case(
            name=f"api.{name}",
            ours=lambda name=name: made.both(name)[0].p50,
            peer=lambda name=name: made.both(name)[1].p50,
            peer_name="p50 of a bare Flask handler that gives the same bytes, same server, 4 clients",
            target=target,
            unit="ms p50",
        )


class Api:
    """A served deployment, and the questions that it is asked."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._stack = ExitStack()
        self._measured: dict[str, tuple[Load, Load]] = {}

    @cached_property
    def world(self) -> worlds.World:
        now = datetime.now(UTC)
        (self._folder / "data").mkdir()
        return worlds.World(worlds.build(self._folder / "data", at=now), at=now)

    @cached_property
    def port(self) -> int:
        found: int = self._stack.enter_context(serving(self.world))[1]
        assert until(lambda: answers(found))
        return found

    @cached_property
    def machines(self) -> Machines:
        return Machines.of(self.world)

    def both(self, name: str) -> tuple[Load, Load]:
        """Measure ours and the bare handler with the answer that ours gave, in turns; print the medians of both."""
        if name not in self._measured:
            asked = getattr(self, f"_{name}")()
            status, kind, data = self._one(asked.pop())
            with self._bare(data, kind, status) as port:
                turns = [(self._load(self.port, some), self._load(port, some)) for some in _parted(asked)]
            ours, bare = map(_middle, zip(*turns, strict=True))
            for who, load in (("ours", ours), ("bare", bare)):
                told = f"{load.rate:7.0f}/s  p50 {load.p50:7.2f} ms  p99 {load.p99:7.2f} ms"
                sys.stdout.write(f"  api.{name:10} {who}  {told}\n")
            self._measured[name] = ours, bare
        return self._measured[name]

    def _lookup(self) -> list[dict[str, Any]]:
        number = self.world.issue(worlds.fresh(worlds.KAZAKHSTAN, 1)).number
        tail = worlds.fresh(worlds.KAZAKHSTAN, 1)["vehicles"][0]["vin"][-6:]
        body = json.dumps({"numbers": [number], "tail": tail}).encode()
        return [question("POST", "/api/v1/lookups", body, JSON)] * 2001

    def _verify(self) -> list[dict[str, Any]]:
        pdf = self.world.issue(worlds.fresh(worlds.KAZAKHSTAN, 2)).pdf
        return [question("POST", "/api/v1/verify", pdf, PDF)] * 201

    def _bundle304(self) -> list[dict[str, Any]]:
        officers = [self.machines.of_house(f"officer{turn}.sample", Role.OFFICER) for turn in range(5)]
        etag = officers[0].get("/bundles/offline").headers["ETag"]
        asked = [
            question("GET", "/api/v1/bundles/offline", b"", "", one.secret, **{"If-None-Match": etag})
            for one in officers
        ]
        return asked * 400 + asked[:1]

    def _issue(self) -> list[dict[str, Any]]:
        erp, oa = (self.machines.of_maker(person, worlds.YUNZHOU) for person in worlds.PEOPLE[worlds.YUNZHOU])
        return [self._decision(erp, oa, turn) for turn in range(10, 51)]

    def _decision(self, erp: Machine, oa: Machine, turn: int) -> dict[str, Any]:
        draft = erp.post("/drafts", {"draft": worlds.fresh(worlds.KAZAKHSTAN, turn)}).json["ref"]
        sent = erp.post(f"/drafts/{draft}/approvals", headers={"If-Match": '"1-open"'}).json
        word = {"decision": "approve", "terms_digest": sent["terms_digest"], "external_ref": f"OA-{turn}"}
        path, body = f"/api/v1/approvals/{sent['ref']}/decisions", json.dumps(word).encode()
        return question("POST", path, body, JSON, oa.secret, **{"Idempotency-Key": f"bench-{turn}"})

    def _one(self, asked: dict[str, Any]) -> tuple[int, str, bytes]:
        body = base64.b64decode(asked["body"]) if asked["body"] else None
        address = f"http://127.0.0.1:{self.port}{asked['path']}"
        wanted = urllib.request.Request(address, body, asked["headers"], method=asked["method"])
        try:
            with urllib.request.urlopen(wanted, timeout=60) as answer:
                return answer.status, answer.headers.get("Content-Type", PDF), answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 304:
                raise
            return 304, JSON, b""

    def _load(self, port: int, asked: list[dict[str, Any]]) -> Load:
        file = self._folder / "asked.json"
        file.write_text(json.dumps({"clients": CLIENTS, "requests": asked}))
        command = [sys.executable, str(HERE / "load.py"), str(port), str(file)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        assert set(told["statuses"]) <= {200, 304}, told["statuses"]
        return Load(told["rate"], told["p50"], told["p99"])

    @contextmanager
    def _bare(self, data: bytes, kind: str, status: int) -> Iterator[int]:
        file = self._folder / "answer"
        file.write_bytes(data)
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        command = [sys.executable, str(HERE / "bare.py"), str(port), str(file), kind, str(status)]
        with subprocess.Popen(command) as server:
            try:
                assert until(lambda: answers_at_all(port))
                yield port
            finally:
                server.terminate()
                server.wait(60)


def answers_at_all(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _parted(asked: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    size = -(-len(asked) // TURNS)
    for start in range(0, len(asked), size):
        yield asked[start : start + size]


def _middle(turns: tuple[Load, ...]) -> Load:
    return Load(*(statistics.median(getattr(turn, name) for turn in turns) for name in ("rate", "p50", "p99")))


def question(method: str, path: str, body: bytes, kind: str, token: str = "", **headers: str) -> dict[str, Any]:
    told = {**({"Content-Type": kind} if kind else {}), **headers}
    told |= {"Authorization": f"Bearer {token}"} if token else {}
    return {"method": method, "path": path, "headers": told, "body": base64.b64encode(body).decode()}
