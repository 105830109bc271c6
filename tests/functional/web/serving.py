"""The real server in a process of its own: over a register, or over bundles with the network cut."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import world as worlds
from tabs import PATIENCE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVE = """
import os, sys
from signer import serve, settings
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
if sys.argv[2] == "register":
    serve.run(settings.load(), workers=1, with_jobs=False)
else:
    def cut(event, args):
        if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
            os.write(2, f"{event} {args[1:]}: nothing may be asked of anybody".encode())
            os._exit(99)
    sys.addaudithook(cut)
    serve.run_verify_only(settings.load(), workers=1)
"""
"""The server, given its listening socket as systemd gives it."""
_PATIENCE_S = PATIENCE_MS / 1000


def _may_unshare() -> bool:
    """Tell whether this machine lets us run a process without any network."""
    return shutil.which("unshare") is not None and not subprocess.run(["unshare", "-n", "true"], check=False).returncode


@contextmanager
def served(given: dict[str, str], *, by: str = "register", host: str = "") -> Iterator[str]:
    """
    Serve a folder on a socket that listens already: no port can be lost, and whoever asks early only waits.

    `host`: reach it by this name of the machine, and let it know; browsers make no passkey for a bare number.
    """
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    environment = {**clean, "SIGNER_MODE": "test", "SIGNER_LOG_LEVEL": "warning", **given}
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://{host or '127.0.0.1'}:{door.getsockname()[1]}"
        if host:
            environment["SIGNER_BASE_URL"] = url
        command = [sys.executable, "-c", _SERVE, str(door.fileno()), by]
        command = ["unshare", "-n", *command] if by == "bundles" and _may_unshare() else command
        server = subprocess.Popen(command, env=environment, cwd=worlds.ROOT, pass_fds=[door.fileno()])
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=_PATIENCE_S):
            yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody waits for an answer any more
        try:
            server.wait(timeout=_PATIENCE_S)
        finally:
            server.kill()
