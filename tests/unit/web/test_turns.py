"""Work is done in turns: no network holds them all, bodies are held within bounds, and who is refused is told when."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from apps import create_app
from flask import Flask
from served import until
from werkzeug.test import Client, create_environ, run_wsgi_app

from signer import wiring
from signer.seal import validate
from signer.web import turns as turning
from signer.web.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import House
    from werkzeug.test import TestResponse

MOST = 300_000
HOSTILE, OFFICE = "192.0.2.7", "198.51.100.7"
BOMB = b"%PDF-1.7 a bomb"


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


def send(client: Client, body: bytes, *, by: str = "127.0.0.1", lang: str = "en") -> TestResponse:
    return client.post(
        f"/api/v1/verify?lang={lang}", data=body, content_type="application/pdf", environ_overrides={"REMOTE_ADDR": by}
    )


def page(client: Client, *, by: str, lang: str = "en") -> TestResponse:
    return client.get(f"/verify?lang={lang}", environ_overrides={"REMOTE_ADDR": by})


def kind(response: TestResponse) -> str:
    assert int(response.headers["Retry-After"]) >= 1
    return str(response.json["type"]).rsplit("/", 1)[1]


def test_a_body_beyond_the_room_that_is_left_is_refused_and_one_within_it_is_not(house: House) -> None:
    client = Client(Turns(house.app.wsgi_app, most=2, judged=2, held=2 * MOST))
    refused = send(client, house.kz.ljust(MOST + 1))
    assert (refused.status_code, kind(refused)) == (429, "busy")
    assert [send(client, house.kz).status_code for _ in range(4)] == [200] * 4  # what was held is given back


def test_what_one_network_holds_counts_for_it_while_it_holds_it_and_leaves_the_others_half(house: House) -> None:
    assert MOST / 2 < len(house.kz) < MOST
    turns, slow = Turns(house.app.wsgi_app, most=2, judged=2, held=2 * MOST), Slow(house.kz.ljust(MOST))
    told = {"CONTENT_TYPE": "application/pdf", "CONTENT_LENGTH": str(MOST), "wsgi.input": slow, "REMOTE_ADDR": HOSTILE}
    environ = {**create_environ("/api/v1/verify", method="POST"), **told}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run_wsgi_app, turns, environ)
        assert slow.half.wait(20)
        assert send(Client(turns), house.kz, by=HOSTILE).status_code == 429
        assert send(Client(turns), house.kz, by=OFFICE).status_code == 200
        slow.go.set()
        assert first.result()[1] == "200 OK"
    assert send(Client(turns), house.kz, by=HOSTILE).status_code == 200


class Bombs:
    """A judge that is held up by a bomb for as long as it is told, and judges everything else."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self._lock = threading.Lock()
        self.held = self.most = 0

    def __call__(self, data: bytes, trust: Any, at: Any, /, *, is_known: bool = False) -> Any:
        if data == BOMB:
            with self._counted():
                assert self.go.wait(30)
        return validate.validate(data, trust, at, is_known=is_known)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.held += 1
            self.most = max(self.most, self.held)
        yield
        with self._lock:
            self.held -= 1


@pytest.fixture
def bombs() -> Bombs:
    return Bombs()


@pytest.fixture
def bounded(house: House, bombs: Bombs) -> Iterator[Turns]:
    """The same house behind turns, whose judge is held up by bombs."""
    world = house.world
    services = wiring.wire(world.settings, clock=lambda: world.at, judge=bombs, judging=turning.judging)
    app = create_app(services, clock=lambda: world.at)
    yield Turns(app.wsgi_app, most=4, judged=3, held=400 * MOST)
    services.database.close()


def test_hostile_files_of_one_network_hold_neither_the_turns_nor_all_places_where_files_are_judged(
    house: House, bounded: Turns, bombs: Bombs
) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(send, Client(bounded), BOMB, by=HOSTILE) for _ in range(8)]
        assert until(lambda: bombs.held == 2)
        assert until(lambda: bounded.figures.waiting == 6)
        assert send(Client(bounded), house.kz, by=OFFICE).json["code"] == "VALID"
        assert page(Client(bounded), by=HOSTILE).status_code == 200  # somebody else of that network
        assert page(Client(bounded), by=OFFICE).status_code == 200
        bombs.go.set()
        assert {one.result(30).status_code for one in sent} == {200}
    assert (bombs.most, bounded.figures.waiting) == (2, 0)


def test_a_network_whose_files_wait_already_is_told_when_to_come_back_and_another_is_not(
    house: House, bounded: Turns, bombs: Bombs
) -> None:
    with ThreadPoolExecutor(20) as pool:
        sent = [pool.submit(send, Client(bounded), BOMB, by=HOSTILE) for _ in range(2 + turning.UNJUDGED_CROWD)]
        assert until(lambda: bombs.held == 2)
        assert until(lambda: bounded.figures.waiting == turning.UNJUDGED_CROWD)
        refused = send(Client(bounded), BOMB, by=HOSTILE)
        assert (refused.status_code, kind(refused)) == (429, "busy")
        assert send(Client(bounded), house.kz, by=OFFICE).json["code"] == "VALID"
        bombs.go.set()
        assert {one.result(30).status_code for one in sent} == {200}


@pytest.mark.parametrize(("lang", "words"), [("en", "Too much is asked at this moment"), ("zh", "当前请求过多")])
def test_without_a_turn_people_and_machines_are_told_so_in_their_language(house: House, lang: str, words: str) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> Any:
        if environ.get("REMOTE_ADDR") == HOSTILE:
            begun.set()
            assert go.wait(30)
        return house.app.wsgi_app(environ, start_response)

    client = Client(Turns(slow, most=1, judged=1, held=2 * MOST, patience_s=0.01))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(page, client, by=HOSTILE)
        assert begun.wait(20)
        refused, told = page(client, by=OFFICE, lang=lang), send(client, house.kz, by=OFFICE, lang=lang)
        alive = client.get("/healthz")
        go.set()
        assert first.result(30).status_code == 200
    assert (refused.status_code, words in refused.text, int(refused.headers["Retry-After"]) >= 1) == (429, True, True)
    assert (told.status_code, told.json["title"], kind(told)) == (429, words, "busy")
    assert alive.status_code == 200
    assert page(client, by=OFFICE).status_code == 200


def test_files_of_one_request_that_are_judged_at_once_hold_one_turn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.web.lines._BACK_S", 1.0)
    app = Flask("licence")

    @app.get("/")
    def check() -> str:
        together = threading.Barrier(3)

        def judge() -> None:
            with turning.judging():
                together.wait(20)

        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(copy_context().run, judge) for _ in range(3)]:
                done.result()
        return "done"

    client = Client(Turns(app.wsgi_app, most=4, judged=4, held=1_000))
    assert [client.get("/").status_code for _ in range(6)] == [200] * 6
