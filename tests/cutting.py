"""A line between a service and PostgreSQL, cut in the middle of a COMMIT: before it is heard, or before its answer."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    import postgres
    from world import World

_SOCKET = ".s.PGSQL.5432"
_CHUNK = 1 << 16


@contextmanager
def between(world: World, server: postgres.Server) -> Iterator[Line]:
    """Put a line between a deployment and its server meanwhile."""
    if server.folder is None:
        pytest.skip("a named server is reached without a line of ours")
    line, direct = Line(server.folder), world.database_url
    world.database_url = make_url(direct).set(query={"host": str(line.folder)}).render_as_string(hide_password=False)
    world.rewire()
    try:
        yield line
    finally:
        world.database_url = direct
        world.rewire()
        line.close()


class Line:
    """Passes bytes between clients and a server's socket; `cut` makes the next COMMIT the last word of its client."""

    def __init__(self, server: Path) -> None:
        self._server = str(server / _SOCKET)
        self.folder = Path(tempfile.mkdtemp(prefix="line-"))
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / _SOCKET))
        self._listening.listen(64)
        self._is_heard: bool | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *, is_heard: bool) -> None:
        """Cut the line at the next COMMIT; if it is heard, the server does it, and its answer is lost."""
        self._is_heard = is_heard

    def cut_by_chance(self, chance: random.Random) -> None:
        self.cut(is_heard=chance.random() < 0.5)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            cut = threading.Event()
            for source, target, is_client in ((client, server, True), (server, client, False)):
                given = (source, target, cut, is_client)
                threading.Thread(target=self._pass, args=given, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, cut: threading.Event, is_client: bool) -> None:
        with suppress(OSError):
            while (data := source.recv(_CHUNK)) and self._may_pass(data, cut, is_client=is_client):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    def _may_pass(self, data: bytes, cut: threading.Event, *, is_client: bool) -> bool:
        if not is_client:
            return not cut.is_set()
        if self._is_heard is None or b"COMMIT" not in data:
            return True
        is_heard, self._is_heard = self._is_heard, None
        cut.set()
        return is_heard
