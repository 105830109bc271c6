"""A small mail server on this machine: it keeps what it is given, and refuses or breaks off as a test tells it."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from email.message import EmailMessage


@dataclass
class Letterbox:
    """What came in (`mails`: recipient and bytes), every command, and what is answered to RCPT and after DATA."""

    port: int = 0
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    to_recipient: str = "250 ok"
    to_data: str = "250 ok"
    offers_tls: bool = False
    tls: ssl.SSLContext | None = None
    breaks_off: bool = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def read(self) -> list[EmailMessage]:
        policy = email.policy.default
        return [email.message_from_bytes(data, policy=policy) for _, data in self.mails]  # type: ignore[misc]


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box: Letterbox = self.server.box  # type: ignore[attr-defined]
        self._say("220 letterbox")
        recipient = ""
        while line := self.rfile.readline():
            said = line.decode().strip()
            box.heard.append(said)
            verb = said[:4].upper()
            if verb == "EHLO":
                self._say("250-letterbox")
                self._say("250-STARTTLS" if box.offers_tls else "250-8BITMIME")
                self._say("250 AUTH PLAIN LOGIN")
            elif verb == "STAR" and box.tls is not None:
                self._say("220 go on")
                self.connection = box.tls.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
            elif verb == "RCPT":
                recipient = said.partition("<")[2].rstrip(">")
                self._say(box.to_recipient)
            elif verb == "DATA":
                self._data(box, recipient)
                if box.breaks_off:
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("235 ok" if verb == "AUTH" else "250 ok")

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _data(self, box: Letterbox, recipient: str) -> None:
        self._say("354 go on")
        data = bytearray()
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            data += line[1:] if line.startswith(b"..") else line
        if box.to_data.startswith("250"):
            box.mails.append((recipient, bytes(data)))
        if not box.breaks_off:
            self._say(box.to_data)

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")
        self.wfile.flush()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away."""


@contextmanager
def letterbox() -> Iterator[Letterbox]:
    box = Letterbox()
    with _Server(("127.0.0.1", 0), _Talk) as server:
        box.port = server.server_address[1]
        server.box = box  # type: ignore[attr-defined]
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join()
