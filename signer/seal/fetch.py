"""One exchange with one address: capped, timed, no redirects, no proxies of the environment."""

from __future__ import annotations

import threading
from typing import Final

import requests

CONNECT_S: Final = 3.0
READ_S: Final = 7.0


class FetchFailed(Exception):
    """An address gave no answer of the form asked for."""


class Fetcher:
    """
    Posts and gets, keeping one connection a thread.

    The caller decides which addresses may be asked; nothing that a file says is ever one of them.
    """

    def __init__(self, *, connect_s: float = CONNECT_S, read_s: float = READ_S) -> None:
        self._timeout = (connect_s, read_s)
        self._local = threading.local()

    def post(self, url: str, data: bytes, *, sent: str, wanted: str, most: int) -> bytes:
        """Return the body of the answer to a post; `sent` and `wanted` are media types. Raises FetchFailed."""
        return self._exchange("POST", url, data, {"Content-Type": sent, "Accept": wanted}, wanted=wanted, most=most)

    def get(self, url: str, *, most: int) -> bytes:
        """Return the body at an address, of whatever media type. Raises FetchFailed."""
        return self._exchange("GET", url, None, {}, wanted="", most=most)

    def _exchange(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str], *, wanted: str, most: int
    ) -> bytes:
        try:
            with self._session().request(
                method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                kind = response.headers.get("Content-Type", "").split(";")[0].strip()
                if response.status_code != requests.codes.ok or (wanted and kind != wanted):
                    raise FetchFailed(f"{url}: answered {response.status_code} {kind!r:.60}")
                return _body(response, url, most)
        except requests.RequestException as error:
            raise FetchFailed(f"{url}: {type(error).__name__}") from error

    def _session(self) -> requests.Session:
        """Return this thread's session: one connection kept open, never shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            self._local.session = session
        return session


def _body(response: requests.Response, url: str, most: int) -> bytes:
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > most:
            raise FetchFailed(f"{url}: answered more than {most} bytes")
    return body
