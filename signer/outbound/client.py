"""
One exchange with one address: looked up once, connected to where that led, no redirects, no proxies, no compression.

The standard library's `http.client` speaks HTTP here, over a line that ends at the deadline, however slowly bytes
trickle. Source: docs/adr/0040-one-way-out.md.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from signer.outbound.addresses import NotReached
from signer.outbound.line import Deadline, Internet, Line, Network, addresses_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.outbound.addresses import Reach, Target

TOTAL_S: Final = 10.0
MOST_BYTES: Final = 1_000_000
_MOST_HEAD: Final = 100_000
_MOST_KEPT: Final = 4
_CHUNK: Final = 65_536
_AGENT: Final = "signer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the status (a redirect is one like any other), the media type without parameters, the body."""

    status: int
    kind: str
    body: bytes


class Client:
    """
    Asks, within a reach.

    Whom an operator named is asked over connections that are kept, one for each thread and origin; whom a tenant named
    is looked up and judged anew each time. `tls` is whom we believe (the system's authorities), `network` the world
    outside.
    """

    def __init__(
        self,
        reach: Reach,
        *,
        total_s: float = TOTAL_S,
        network: Network | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._reach = reach
        self._total_s = total_s
        self._network: Network = network or Internet()
        self._tls = tls
        self._local = threading.local()

    def get(
        self, url: str, *, accept: str = "*/*", headers: Mapping[str, str] | None = None, most: int = MOST_BYTES
    ) -> Answer:
        """Return the answer to a GET. NotReached, AddressRefused."""
        return self._ask("GET", url, None, {"Accept": accept, **(headers or {})}, most)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], most: int = MOST_BYTES) -> Answer:
        """Return the answer to a POST. NotReached, AddressRefused."""
        return self._ask("POST", url, body, headers, most)

    def _ask(
        self, method: Literal["GET", "POST"], url: str, body: bytes | None, headers: Mapping[str, str], most: int
    ) -> Answer:
        target = self._reach.admit(url)
        deadline = Deadline(self._total_s)
        try:
            line = self._line(target, deadline)
            try:
                line.begin(deadline, most=most * 2 + _MOST_HEAD)
                answer, is_kept = _exchange(line, target, method, body, headers, most)
            except BaseException:
                line.close()
                raise
        except TimeoutError as error:
            raise NotReached(f"no answer within {self._total_s:g} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotReached(_words(error)) from error
        self._keep(target, line, is_kept=is_kept)
        return answer

    def _line(self, target: Target, deadline: Deadline) -> Line:
        kept = self._kept.pop(target.origin, None)
        if kept is not None:
            if kept.is_quiet():
                return kept
            kept.close()
        addresses = addresses_of(target, self._network, deadline)
        self._reach.refuse(target, addresses)
        return Line.open(target, addresses, network=self._network, deadline=deadline, tls=self._context())

    def _keep(self, target: Target, line: Line, *, is_kept: bool) -> None:
        if not (is_kept and self._reach.is_anywhere):
            line.close()
            return
        self._kept[target.origin] = line
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)[1].close()

    @property
    def _kept(self) -> OrderedDict[tuple[str, str, int], Line]:
        """The connections that a thread keeps."""
        found: OrderedDict[tuple[str, str, int], Line] | None = getattr(self._local, "kept", None)
        if found is None:
            found = self._local.kept = OrderedDict()
        return found

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class _Connection(http.client.HTTPConnection):
    """HTTP over a line that is there already; it opens none itself."""

    auto_open = 0

    def __init__(self, line: Line, target: Target) -> None:
        super().__init__(target.host, target.port)
        self.sock = line

    def close(self) -> None:
        """Leave the line, from which the answer's body is yet to be read, to whoever opened it."""
        self.sock = None
        super().close()


def _exchange(
    line: Line, target: Target, method: str, body: bytes | None, headers: Mapping[str, str], most: int
) -> tuple[Answer, bool]:
    """Send a request and read its answer; tell whether the line may serve another."""
    own = {"Host": target.place, "User-Agent": _AGENT, "Accept-Encoding": "identity"}
    if target.authorization:
        own["Authorization"] = target.authorization
    connection = _Connection(line, target)
    connection.request(method, target.path, body=body, headers={**own, **headers})
    with connection.getresponse() as response:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise NotReached("the answer is compressed, which was not asked for")
        found = _body(response, most)
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        return Answer(status=response.status, kind=kind, body=found), not response.will_close


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    found = bytearray()
    while chunk := response.read(_CHUNK):
        found += chunk
        if len(found) > most:
            raise NotReached(f"the answer has more than {most} bytes")
    if response.length:
        raise NotReached("the answer breaks off")
    return bytes(found)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not believed: {error.verify_message}"
    return f"{type(error).__name__}: {str(error)[:100]}" if str(error) else type(error).__name__
