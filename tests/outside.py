"""
The world outside, on this computer: names that lead where a test says, and real servers behind public addresses.

Only the wires are false: what is looked up, connected to, encrypted and believed is done for real.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PUBLIC = "93.184.216.34"
ERP = "erp.example.com"


@dataclass
class Wires:
    """A network: `names` answer what stands next in their list (the last for ever), `machines` are ports here."""

    names: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    machines: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int, *, within_s: float) -> tuple[str, ...]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return tuple(str(row[4][0]) for row in rows)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, *, within_s: float) -> socket.socket:
        self.connected.append(address)
        if address in self.machines:
            return socket.create_connection(("127.0.0.1", self.machines[address]), timeout=within_s)
        return socket.create_connection((address, port), timeout=within_s)


@dataclass
class Canary:
    """Something on the loopback that nobody may come to; `hits` counts who did."""

    port: int
    hits: int = 0


@contextmanager
def canary() -> Iterator[Canary]:
    """Listen on both loopbacks, as far as this computer has them."""
    with socket.create_server(("127.0.0.1", 0)) as four:
        listening = [four]
        found = Canary(four.getsockname()[1])
        with suppress(OSError):
            listening.append(socket.create_server(("::1", found.port), family=socket.AF_INET6))
        threads = [threading.Thread(target=_count, args=(one, found), daemon=True) for one in listening]
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            for one in listening:
                one.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for one in listening:
                one.close()


def _count(listening: socket.socket, canary: Canary) -> None:
    while True:
        try:
            connected, _ = listening.accept()
        except OSError:
            return
        canary.hits += 1
        connected.close()


@dataclass(frozen=True)
class Asked:
    """One request that came to a server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def serving(reply: Callable[[Asked], Reply], *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve HTTP on the loopback, over TLS if that is given, and tell on which port; a thread for each connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = {name.lower(): value for name, value in self.headers.items()}
            status, headers, answer = reply(Asked(self.command, self.path, told, body))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Authority:
    """An authority of a test, and what it says of one host: `believing` for clients, `proving` for the host."""

    believing: ssl.SSLContext
    proving: ssl.SSLContext
    seen: list[str]


@cache
def authority(folder: Path, host: str = ERP) -> Authority:
    """Certify a host; `seen` collects the names that clients ask the host for (SNI)."""
    root_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST authority of hosts")])
    root = _certificate(root_name, root_name, root_key, root_key, x509.BasicConstraints(ca=True, path_length=0))
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    own = _certificate(x509.Name([]), root_name, own_key, root_key, names)
    path = folder / "host.pem"
    secret = own_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + own.public_bytes(serialization.Encoding.PEM))
    proving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proving.load_cert_chain(path)
    seen: list[str] = []
    proving.sni_callback = lambda _socket, name, _context: seen.append(name)
    pem = root.public_bytes(serialization.Encoding.PEM).decode()
    return Authority(ssl.create_default_context(cadata=pem), proving, seen)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    says: x509.ExtensionType,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).add_extension(says, critical=True)
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    return made.sign(by, hashes.SHA256())
