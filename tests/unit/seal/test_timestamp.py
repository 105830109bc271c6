"""An authority that lies, errs or is silent gives no timestamp; the next one is asked."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from asn1crypto import tsp

from signer.errors import Misconfigured, TimestampUnavailable
from signer.seal import cms, der, token
from signer.seal.authority import TestAuthority
from signer.seal.timestamp import HttpAuthority, Timestamper, query
from tests.pki import AT, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MESSAGE = b"the value of a signature"


@dataclass
class Liar:
    """An authority whose honest answer, or the query before it, is changed on the way."""

    honest: TestAuthority
    answer_change: Callable[[bytes], bytes] = lambda answer: answer
    query_change: Callable[[bytes], bytes] = lambda asked: asked
    name: str = "liar"
    asked: int = 0

    def answer(self, query: bytes) -> bytes:
        self.asked += 1
        return self.answer_change(self.honest.answer(self.query_change(query)))


def stamper(world: World, *authorities: object, now: datetime = AT) -> Timestamper:
    return Timestamper(authorities, trust=world.trust, clock=lambda: now)  # type: ignore[arg-type]


def refused(world: World, authority: object, says: str, *, now: datetime = AT, intended_at: datetime = AT) -> None:
    with pytest.raises(TimestampUnavailable, match=says):
        stamper(world, authority, now=now).stamp(MESSAGE, intended_at=intended_at)


def test_a_true_answer_is_a_timestamp(world: World) -> None:
    stamp = stamper(world, world.authority()).stamp(MESSAGE, intended_at=AT)
    data = stamp.token
    assert (stamp.at, stamp.certificate) == (AT, world.made.tsa)
    found = token.check(data, imprint_of=MESSAGE, authorities=[world.made.tsa])
    assert found.certificate == world.made.tsa
    assert len(data) <= stamper(world).most_bytes


def _other_message(asked: bytes) -> bytes:
    request = tsp.TimeStampReq.load(asked)
    return query(b"something else", nonce=request["nonce"].native)


def _other_nonce(asked: bytes) -> bytes:
    request = tsp.TimeStampReq.load(asked)
    request["nonce"] = request["nonce"].native ^ 1
    return bytes(request.dump(force=True))


def _no_nonce(asked: bytes) -> bytes:
    request = tsp.TimeStampReq.load(asked)
    fields = {name: request[name] for name in ("version", "message_imprint", "cert_req")}
    return bytes(tsp.TimeStampReq(fields).dump())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_other_message, "over other bytes"),
        (_other_nonce, "nonce"),
        (_no_nonce, "nonce"),
        (lambda _: b"", "refused, rejection"),
    ],
)
def test_an_answer_to_another_question_is_refused(world: World, change: Callable[[bytes], bytes], says: str) -> None:
    refused(world, Liar(world.authority(), query_change=change), says)


def test_a_changed_answer_is_refused(world: World) -> None:
    length = len(world.authority().answer(query(MESSAGE, nonce=1 << 62)))
    for place in range(0, length, 23):

        def flip(answer: bytes, place: int = place) -> bytes:
            at = min(place, len(answer) - 1)
            return answer[:at] + bytes((answer[at] ^ 1,)) + answer[at + 1 :]

        with pytest.raises(TimestampUnavailable):
            stamper(world, Liar(world.authority(), answer_change=flip)).stamp(MESSAGE, intended_at=AT)


def test_a_time_that_cannot_be_is_refused(world: World) -> None:
    minutes = timedelta(minutes=6)
    refused(world, world.authority(AT + minutes), "five minutes from our clock")
    refused(world, world.authority(AT - minutes), "five minutes from our clock")
    late = AT + timedelta(minutes=4)
    refused(world, world.authority(AT), "before the seal was intended", now=late, intended_at=late)
    stamp = stamper(world, world.authority(AT), now=AT).stamp(MESSAGE, intended_at=AT + timedelta(milliseconds=900))
    assert stamp.at == AT


def test_an_authority_that_is_not_listed_is_refused(world: World, stranger: World) -> None:
    refused(world, stranger.authority(), "no listed authority")


def test_the_next_authority_is_asked(world: World, stranger: World) -> None:
    liar, silent = Liar(stranger.authority(), name="first"), HttpAuthority("http://127.0.0.1:9/")
    honest = world.authority()
    assert stamper(world, liar, silent, honest).stamp(MESSAGE, intended_at=AT).authority is honest
    assert liar.asked == 1
    with pytest.raises(TimestampUnavailable, match=r"first: .*; http://127.0.0.1:9/: ConnectionRefusedError"):
        stamper(world, liar, silent).stamp(MESSAGE, intended_at=AT)
    with pytest.raises(TimestampUnavailable, match="no timestamping authority is configured"):
        stamper(world).stamp(MESSAGE, intended_at=AT)


def test_the_test_authority_refuses_to_be_real(world: World) -> None:
    with pytest.raises(Misconfigured, match="test mode only"):
        TestAuthority(world.tsa_key, clock=lambda: AT, is_test_mode=False)
    with pytest.raises(Misconfigured, match="may not make timestamps"):
        TestAuthority(world.keys["hengyuan"], clock=lambda: AT, is_test_mode=True)


def test_an_unknown_token_form_is_refused(world: World) -> None:
    content = b"not a TSTInfo"
    attributes, signature = cms.sign(world.tsa_key, content_type=cms.TST_INFO, digest=hashlib.sha256(content).digest())
    data = cms.assemble(world.tsa_key, attributes=attributes, signature=signature, content=content)
    for wrong in (data, b"", b"\x30\x00", data + b"\0", der.encode(der.SEQUENCE, data)):
        with pytest.raises(token.TokenRefused):
            token.check(wrong, imprint_of=MESSAGE, authorities=[world.made.tsa])


@contextmanager
def served(reply: Callable[[bytes], tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """Serve HTTP on the loopback, in a thread."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, headers, body = reply(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


REPLY = {"Content-Type": "application/timestamp-reply", "Connection": "close"}


def test_an_authority_over_http_gives_timestamps(world: World) -> None:
    honest = world.authority()
    with served(lambda asked: (200, REPLY, honest.answer(asked))) as url:
        stamp = stamper(world, HttpAuthority(url)).stamp(MESSAGE, intended_at=AT)
    assert stamp.at == AT


@pytest.mark.parametrize(
    ("status", "headers", "body", "says"),
    [
        (500, REPLY, b"", "answered 500"),
        (302, {**REPLY, "Location": "http://127.0.0.1:9/"}, b"", "answered 302"),
        (200, {"Content-Type": "text/html", "Connection": "close"}, b"<html>", "text/html"),
        (200, REPLY, b"", "not a timestamp response"),
        (200, REPLY, bytes(70_000), "more than 60000 bytes"),
    ],
)
def test_a_wrong_http_answer_is_refused(
    world: World, status: int, headers: dict[str, str], body: bytes, says: str
) -> None:
    with served(lambda _: (status, headers, body)) as url:
        refused(world, HttpAuthority(url), says)


def test_a_silent_authority_is_given_up(world: World) -> None:
    gate = threading.Event()

    def wait(_: bytes) -> tuple[int, dict[str, str], bytes]:
        gate.wait(5)
        return 200, REPLY, b""

    with served(wait) as url:
        refused(world, HttpAuthority(url, total_s=0.2), "no answer within 0.2 s")
        gate.set()
