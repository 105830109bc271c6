"""A thread is a connection's for a while, and not for as long as its client pleases."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from gunicorn.workers.gthread import ThreadWorker

from signer.serve.waiting import PatientWorker

if TYPE_CHECKING:
    from typing import Any


def test_who_takes_an_answer_too_slowly_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client takes a little again and again, so that no single wait of the thread is long."""
    ours, client = socket.socketpair()

    def answer(_self: ThreadWorker, conn: Any) -> bool:
        for _ in range(2000):
            conn.sock.sendall(b"x" * 10_000)
            client.recv(100)
        return True

    worker = object.__new__(PatientWorker)
    monkeypatch.setattr(ThreadWorker, "handle", answer)
    monkeypatch.setattr(PatientWorker, "most_s", 0.3)
    ours.settimeout(20)
    with ours, client, pytest.raises(BrokenPipeError):
        worker.handle(SimpleNamespace(sock=ours))
