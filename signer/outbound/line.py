"""A connection that ends at a fixed instant: names are looked up, and bytes sent and read, within what is left."""

from __future__ import annotations

import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from signer.outbound.addresses import NotReached

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from signer.outbound.addresses import Target

CONNECT_S: Final = 3.0
_MOST_ADDRESSES: Final = 8


class Network(Protocol):
    """The world outside: what a test may put another in place of."""

    def resolve(self, host: str, port: int, *, within_s: float) -> tuple[str, ...]:
        """Return the IP addresses of a name. OSError; TimeoutError."""

    def connect(self, address: str, port: int, *, within_s: float) -> socket.socket:
        """Connect to an IP address. OSError; TimeoutError."""


class Internet:
    """The network as it is."""

    def resolve(self, host: str, port: int, *, within_s: float) -> tuple[str, ...]:
        """Ask the system's resolver, which knows no deadline: whoever waits goes on without it."""
        found: queue.SimpleQueue[tuple[str, ...] | OSError] = queue.SimpleQueue()

        def look() -> None:
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            except (OSError, UnicodeError) as error:
                found.put(error if isinstance(error, OSError) else OSError("no name"))
            else:
                found.put(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))

        threading.Thread(target=look, name="resolve", daemon=True).start()
        try:
            answer = found.get(timeout=within_s)
        except queue.Empty:
            raise TimeoutError("no name server answers") from None
        if isinstance(answer, OSError):
            raise answer
        return answer

    def connect(self, address: str, port: int, *, within_s: float) -> socket.socket:
        """Connect to an IP address; nothing is looked up."""
        return socket.create_connection((address, port), timeout=within_s)


class Deadline:
    """An instant after which nothing is waited for."""

    def __init__(self, total_s: float) -> None:
        self._until = time.monotonic() + total_s

    def left_s(self) -> float:
        """Return how long may still be waited. TimeoutError once that is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("out of time")
        return left


def addresses_of(target: Target, network: Network, deadline: Deadline) -> tuple[str, ...]:
    """Return where a target's name leads; an IP address leads to itself. OSError."""
    try:
        return (str(ipaddress.ip_address(target.host)),)
    except ValueError:
        return network.resolve(target.host, target.port, within_s=deadline.left_s())[:_MOST_ADDRESSES]


class Line:
    """A connection to a target, as `http.client` uses one: every wait ends with the deadline of the exchange."""

    def __init__(self, connected: socket.socket, *, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline
        self._most = 0

    @classmethod
    def open(
        cls, target: Target, addresses: tuple[str, ...], *, network: Network, deadline: Deadline, tls: ssl.SSLContext
    ) -> Line:
        """Connect to the first of these addresses that answers; over https it proves to be the host of that name."""
        connected = _connected(target, addresses, network, deadline)
        try:
            if target.is_tls:
                connected.settimeout(deadline.left_s())
                connected = tls.wrap_socket(connected, server_hostname=target.host)
        except BaseException:
            connected.close()
            raise
        return cls(connected, deadline=deadline)

    def begin(self, deadline: Deadline, *, most: int) -> None:
        """Begin an exchange of at most so many bytes read."""
        self._deadline, self._most = deadline, most

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(self._deadline.left_s())
        self._socket.sendall(data)

    def receive_into(self, buffer: WriteableBuffer) -> int:
        """Read what has come. NotReached beyond the measure."""
        if self._most <= 0:
            raise NotReached("the answer is too long")
        self._socket.settimeout(self._deadline.left_s())
        count = self._socket.recv_into(buffer)
        self._most -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a reader of one answer, whose end does not end the connection."""
        return io.BufferedReader(_Reading(self))

    def is_quiet(self) -> bool:
        """Tell whether nothing came since the last answer, not even the end."""
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Let go."""
        self._socket.close()


class _Reading(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._line.receive_into(buffer)


def _connected(target: Target, addresses: tuple[str, ...], network: Network, deadline: Deadline) -> socket.socket:
    fault: OSError = OSError("the name has no address")
    for address in addresses:
        try:
            return network.connect(address, target.port, within_s=min(CONNECT_S, deadline.left_s()))
        except OSError as error:
            fault = error
    raise fault
