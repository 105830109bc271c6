"""Two hundred clients that send and take slowly: whoever comes after them is answered all the same."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import batched
import pytest
import world as worlds
from machine import Machines
from served import answers, serving, until

from signer.web.pouring import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 200
_HOST = b"Host: localhost\r\n"
SLOW = {
    "silent": b"",
    "half a line": b"GET /healthz HT",
    "half a head": b"GET /healthz HTTP/1.1\r\n" + _HOST,
    "blank lines": b"\r\n\r\n\r\n",
    "a body of JSON": b"POST /api/v1/lookups HTTP/1.1\r\n"
    + _HOST
    + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
    "a file": b"POST /api/v1/verify HTTP/1.1\r\n"
    + _HOST
    + b"Content-Type: application/pdf\r\nContent-Length: 5000000\r\n\r\n%PDF-1.7",
    "a form in parts": b"POST /verify HTTP/1.1\r\n"
    + _HOST
    + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n--b\r\n",
    "a file that is too large": b"POST /api/v1/verify HTTP/1.1\r\n"
    + _HOST
    + b"Content-Type: application/pdf\r\nContent-Length: 30000000\r\n\r\n%PDF-1.7",
    "chunks without an end": b"POST /api/v1/verify HTTP/1.1\r\n"
    + _HOST
    + b"Content-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%PDF-\r\n",
}


FEW = ("silent", "half a head", "a body of JSON", "a file")
"""Tried each time; the others are variants of them, tried in soak."""


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.World]:
    made = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("slow") / "data"))
    yield made
    made.services.database.close()


@pytest.fixture(scope="module")
def port(world: worlds.World) -> Iterator[int]:
    with serving(world, "--no-worker") as (_, found):  # what batches are read and sealed, a test does itself
        assert until(lambda: answers(found))
        yield found


def connect(port: int, stack: ExitStack, sent: bytes) -> socket.socket:
    made = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
    made.sendall(sent)
    return made


def read(link: socket.socket, count: int) -> bool:
    """Read on until so many answers have come."""
    seen = b""
    while seen.count(b'"ok"') < count and (more := link.recv(4000)):
        seen += more
    return seen.count(b'"ok"') == count


def ask(port: int, path: str, *, timeout: float = 5) -> int:
    """Ask over a connection of its own; the status."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return int(link.recv(200).split()[1])


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=() if kind in FEW else pytest.mark.soak) for kind in SLOW])
def test_while_two_hundred_are_slow_others_are_answered(port: int, kind: str) -> None:
    with ExitStack() as stack:
        held = [connect(port, stack, SLOW[kind]) for _ in range(MANY)]
        begun = time.monotonic()
        assert ask(port, "/healthz") == 200
        sys.stdout.write(f"{kind}: health after {1000 * (time.monotonic() - begun):.0f} ms\n")
        assert ask(port, "/verify", timeout=60) == 200
        assert len(held) == MANY


def test_a_head_that_does_not_come_to_an_end_is_cut(port: int) -> None:
    with ExitStack() as stack:
        link = connect(port, stack, SLOW["half a head"])
        with suppress(ConnectionResetError):  # cut with what it had sent still unread
            assert link.recv(100) == b""
        long = connect(port, stack, b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 70_000)
        assert long.recv(200).startswith(b"HTTP/1.1 431 ")


def test_a_head_that_comes_in_pieces_is_answered_once_it_is_whole(port: int) -> None:
    with ExitStack() as stack:
        link = connect(port, stack, b"")
        for piece in (b"GET /healthz HT", b"TP/1.1\r\nHo", b"st: localhost\r\n\r", b"\n"):
            link.sendall(piece)
            time.sleep(0.05)
        assert read(link, 1)
        for piece in (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",) * 3:  # the same connection goes on
            link.sendall(piece)
            assert read(link, 1)
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)  # two at once
        assert read(link, 2)


def test_a_zip_of_a_batch_comes_in_parts_and_every_reader_takes_it(
    world: worlds.World, port: int, tmp_path: Path
) -> None:
    ref = batched.approved(world, batched.drafts(3))
    with suppress(EOFError):
        world.services.batch_running.run(ref, batched.stopping(2))
    erp = Machines.of(world).of_maker(batched.CHEN, worlds.YUNZHOU)
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked.request("GET", f"/api/v1/batches/{ref}/archive.zip", headers={"Authorization": f"Bearer {erp.secret}"})
    answer = asked.getresponse()
    assert (answer.status, answer.getheader("Transfer-Encoding"), answer.getheader("Content-Length")) == (
        200,
        "chunked",
        None,
    )
    head = answer.read(50)
    assert head.startswith(b"PK\3\4")
    assert b".pdf" in head
    path = tmp_path / "batch.zip"
    path.write_bytes(head + answer.read())
    asked.close()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [name.rpartition(".")[2] for name in archive.namelist()] == ["pdf", "pdf", "csv", "json"]
    programs = [("unzip", "-tqq"), ("bsdtar", "-tf"), ("7z", "t", "-bd"), ("7zz", "t", "-bd")]
    for program in (one for one in programs if shutil.which(one[0])):
        subprocess.run([*program, str(path)], check=True, capture_output=True)


def test_who_leaves_in_the_middle_of_a_zip_keeps_no_turn(world: worlds.World, port: int) -> None:
    ref = batched.approved(world, batched.drafts(1, start=50))
    erp = Machines.of(world).of_maker(batched.CHEN, worlds.YUNZHOU)
    asked = f"GET /api/v1/batches/{ref}/archive.zip HTTP/1.1\r\nAuthorization: Bearer {erp.secret}\r\n".encode()
    for _ in range(AT_ONCE + 4):
        with ExitStack() as stack:
            assert connect(port, stack, asked + _HOST + b"\r\n").recv(12) == b"HTTP/1.1 200"
