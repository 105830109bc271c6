"""Answers that are written while they are taken: few at once, ended with their client, given time while it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from signer.errors import Unavailable
from signer.web import deadlines, pouring

if TYPE_CHECKING:
    from collections.abc import Generator


def parts(seen: list[str], *, count: int = 3) -> Generator[bytes]:
    try:
        for turn in range(count):
            seen.append(f"{turn}")
            yield b"x"
        seen.append("whole")
    finally:
        seen.append("end")


def test_who_goes_away_ends_the_writing() -> None:
    seen: list[str] = []
    response = pouring.poured(parts(seen), "b.zip", "application/zip")
    taken = response.iter_encoded()
    assert next(iter(taken)) == b"x"
    response.close()
    assert seen == ["0", "end"]


def test_who_asks_for_the_head_alone_has_nothing_written() -> None:
    app, seen = Flask(__name__), list[str]()
    app.get("/")(lambda: pouring.poured(parts(seen), "b.zip", "application/zip"))
    answer = app.test_client().head("/")
    assert (answer.status_code, answer.headers["Content-Disposition"]) == (200, 'attachment; filename="b.zip"')
    assert "0" not in seen
    assert app.test_client().get("/").data == b"xxx"


def test_so_many_at_once_and_one_more_once_one_has_ended() -> None:
    held = [pouring.poured(parts([]), "b.zip", "application/zip") for _ in range(pouring.AT_ONCE)]
    with pytest.raises(Unavailable):
        pouring.poured(parts([]), "b.zip", "application/zip")
    held[0].close()
    held[0].close()
    again = pouring.poured(parts([]), "b.zip", "application/zip")
    with pytest.raises(Unavailable):
        pouring.poured(parts([]), "b.zip", "application/zip")
    for response in (*held, again):
        response.close()


def test_each_large_part_that_was_taken_gives_the_connection_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(deadlines, "renew", lambda: given.append("more"))
    half = bytes(pouring.PART // 2)
    response = pouring.poured((half for _ in range(5)), "b.zip", "application/zip")
    assert sum(map(len, response.iter_encoded())) == 5 * len(half)
    assert given == ["more", "more"]
    response.close()
