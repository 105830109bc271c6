"""Bodies are held in memory, and only so many bytes of them at once, whoever sends them."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from werkzeug.test import Client, create_environ, run_wsgi_app

from signer.web.turns import Turns

if TYPE_CHECKING:
    from conftest import House
    from werkzeug.test import TestResponse

MOST = 300_000


class Slow:
    """A body whose second half waits for a word."""

    def __init__(self, data: bytes) -> None:
        self.data, self.middle = io.BytesIO(data), len(data) // 2
        self.half, self.go = threading.Event(), threading.Event()

    def read(self, size: int = -1) -> bytes:
        if self.data.tell() >= self.middle:
            self.half.set()
            assert self.go.wait(20)
        return self.data.read(size)


def send(client: Client, body: bytes) -> TestResponse:
    return client.post("/api/v1/verify", data=body, content_type="application/pdf")


def test_a_body_beyond_the_room_that_is_left_is_refused_and_one_within_it_is_not(house: House) -> None:
    client = Client(Turns(house.app.wsgi_app, most=2, held=MOST))
    refused = send(client, house.kz.ljust(MOST + 1))
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (503, "unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert [send(client, house.kz).status_code for _ in range(4)] == [200] * 4  # what was held is given back


def test_what_others_hold_counts_while_they_hold_it(house: House) -> None:
    assert MOST / 2 < len(house.kz) < MOST
    turns, slow = Turns(house.app.wsgi_app, most=2, held=MOST), Slow(house.kz.ljust(MOST))
    told = {"CONTENT_TYPE": "application/pdf", "CONTENT_LENGTH": str(MOST), "wsgi.input": slow}
    environ = {**create_environ("/api/v1/verify", method="POST"), **told}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run_wsgi_app, turns, environ)
        assert slow.half.wait(20)
        assert send(Client(turns), house.kz).status_code == 503
        slow.go.set()
        assert first.result()[1] == "200 OK"
    assert send(Client(turns), house.kz).status_code == 200
