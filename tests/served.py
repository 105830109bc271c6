"""`signer serve` as an operator runs it, for tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from world import World


def until(claim: Callable[[], bool], *, within_s: float = 60) -> bool:
    """Wait for something to become true."""
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def serving(world: World, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Serve a deployment on a free port of this computer, until the block ends."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGNER_")}
    command = [sys.executable, "-m", "signer", "serve", "--port", str(port), *options]
    server = subprocess.Popen(command, env={**clean, **world.environment})
    try:
        yield server, port
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait(90)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as found:
            return bool(found.status == 200)
    except (urllib.error.URLError, OSError):
        return False
