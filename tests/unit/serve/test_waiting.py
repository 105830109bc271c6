"""A thread is a connection's for a while, and not for as long as its client pleases."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from functools import partial
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


def test_who_ends_in_the_middle_of_a_head_is_let_go_at_once() -> None:
    """The poller is woken for such a one again and again, and has nothing to wait for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    closed: list[bool] = []
    conn = SimpleNamespace(sock=ours, seen=0, close=lambda: closed.append(True))
    worker = object.__new__(PatientWorker)
    worker.poller, worker.pending_conns, worker.nr_conns = selectors.DefaultSelector(), deque([conn]), 1
    worker.poller.register(ours, selectors.EVENT_READ, partial(worker.on_pending_socket_readable, conn))
    with ours, client, worker.poller:
        client.sendall(b"GET / HT")
        assert worker.poller.select(20)
        worker.on_pending_socket_readable(conn, ours)
        assert (worker.poller.select(0), worker.nr_conns) == ([], 1)  # there may be more to come
        client.shutdown(socket.SHUT_WR)
        assert worker.poller.select(20)
        worker.on_pending_socket_readable(conn, ours)
        assert (closed, worker.nr_conns, len(worker.pending_conns)) == ([True], 0, 0)
