"""
Wait for slow clients without a thread: a request is handed to one once its head has arrived as a whole.

Gunicorn's own threads wait for a client's first bytes, and then for each line of its head. Here the poller does: it
looks at what has arrived without taking it (MSG_PEEK), and is woken when there is more (SO_RCVLOWAT, tcp(7)).
"""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped] # it has no types

from signer.web import deadlines

HEAD_S: Final = 10.0
"""Within this time a head arrives as a whole, or its connection is closed."""
MOST_HEAD: Final = 65_536
SILENCE_S: Final = 30
"""How long a thread waits for the next bytes of a body, or for a client to take some of the answer."""
MOST_S: Final = 300.0
"""
How long a thread is a connection's at most, until its request is answered: a client may also take slowly.

What is written while it is taken gives it as long again for each part that was (`web.pouring`).
"""
_COURTESY_S: Final = 0.001
"""All processes are woken for each connection, and the first one there takes it: the busy one comes a little later."""
_END: Final = b"\r\n\r\n"
_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n"
    b"Cache-Control: no-store\r\n\r\n"
)


class PatientWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn's threads, to which the poller hands whole heads only."""

    most_s = MOST_S

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and let the poller wait for its head; who is busy lets another process take it first."""
        if self.nr_conns > len(self.keepalived_conns):
            time.sleep(_COURTESY_S)
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            client.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE_S, 0))
        self._await_head(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:  # noqa: ANN401 -- gunicorn has no types
        """Wait for the next head on a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_head(conn)

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:  # noqa: ANN401 -- gunicorn has no types
        """
        Hand a request to a thread if its head is whole; else wait for more of it.

        Who wakes us without more has ended its side: there is nothing to wait for, and we would be woken for ever.
        """
        try:
            seen = client.recv(MOST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            seen = b""
        if seen and _END not in seen.lstrip(b"\r\n"):
            if len(seen) == conn.seen:
                self._drop(conn, client)
                return
            if len(seen) < MOST_HEAD:
                conn.seen = len(seen)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(seen) + 1)
                return
            with suppress(OSError):
                client.send(_TOO_LONG)
            seen = b""
        if seen:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            super().on_pending_socket_readable(conn, client)
        else:
            self._drop(conn, client)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 -- gunicorn has no types
        """Answer a request; one whose client neither sends nor takes in time is cut."""
        with deadlines.of_connection(self.most_s, partial(conn.sock.shutdown, socket.SHUT_RDWR)):
            return super().handle(conn)

    def _await_head(self, conn: Any) -> None:  # noqa: ANN401 -- gunicorn has no types
        conn.timeout, conn.seen = time.monotonic() + HEAD_S, 0
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _drop(self, conn: Any, client: socket.socket) -> None:  # noqa: ANN401 -- gunicorn has no types
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self.nr_conns -= 1
        conn.close()
