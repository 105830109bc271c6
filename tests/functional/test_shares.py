"""Hostile files from one network, at a served deployment: an office beside it gets its pages and its verdicts."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import world as worlds
from served import answers, serving, until

from signer.web.turns import UNJUDGED_CROWD

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[1] / "attacks"))

from spliced import body, places, updated

HOSTILE, OFFICE = "192.0.2.7", "198.51.100.7"
MANY = 2 + UNJUDGED_CROWD + 2
"""More than are judged at once and wait for it, of one network."""


@dataclass(frozen=True)
class Case:
    """A server, where it is asked, and a genuine file."""

    server: subprocess.Popen[bytes]
    port: int
    genuine: bytes


@pytest.fixture
def case(live_template_folder: Path, tmp_path: Path) -> Iterator[Case]:
    """A served deployment behind a proxy of its own, and a genuine file."""
    folder = worlds.copy(live_template_folder, tmp_path / "data")
    world = worlds.World(folder, at=worlds.datetime.now(worlds.UTC))
    issued = world.issue(worlds.sample(worlds.KAZAKHSTAN, today=world.at.date()))
    world.overrides = {"SIGNER_TRUSTED_PROXIES": "127.0.0.1/32"}
    with serving(world, "--workers", "1", "--no-worker") as (server, port):
        assert until(lambda: answers(port))
        yield Case(server, port, issued.pdf)
    world.services.database.close()


def ask(port: int, by: str, body: bytes | None = None, path: str = "/verify") -> tuple[int, str, str]:
    """Return status, body and `Retry-After` of an answer to somebody whom the proxy names."""
    headers = {"X-Forwarded-For": by, "Accept-Language": "en"}
    headers |= {} if body is None else {"Content-Type": "application/pdf"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    try:
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return answer.status, answer.read().decode(), ""
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(), refused.headers["Retry-After"]
    except OSError:  # the server was ended meanwhile
        return 0, "", ""


def bomb(genuine: bytes) -> bytes:
    """Return a file that keeps a child busy until it is ended: an array of millions, read one by one."""
    at = places(genuine)
    return updated(genuine, {at.root: body(genuine, at.root)[:-2] + b"/X [" + b"0 " * 3_000_000 + b"] >>"})


def test_an_office_is_answered_while_another_network_sends_more_bombs_than_are_judged(case: Case) -> None:
    port, sending = case.port, bomb(case.genuine)
    with ThreadPoolExecutor(MANY) as pool:
        sent = [pool.submit(ask, port, HOSTILE, sending, "/api/v1/verify") for _ in range(MANY)]
        assert until(lambda: any(one.done() and one.result()[0] == 429 for one in sent))
        assert ask(port, HOSTILE)[0] == 200  # a page, for somebody else of that network
        assert ask(port, OFFICE)[0] == 200
        status, told, _ = ask(port, OFFICE, case.genuine, "/api/v1/verify")
        assert (status, json.loads(told)["code"]) == (200, "VALID")
        case.server.kill()  # nobody waits for what the others would be told
        found = [one.result() for one in sent]
    refused = [
        (json.loads(told)["type"].rsplit("/", 1)[1], int(again) >= 1) for status, told, again in found if status == 429
    ]
    assert set(refused) == {("busy", True)}
    assert not [told for status, told, _ in found if status == 200 and json.loads(told)["outcome"] == "pass"]
