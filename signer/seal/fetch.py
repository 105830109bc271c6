"""Bytes of one media type from one address: what timestamping authorities and certificate authorities give."""

from __future__ import annotations

from signer.outbound import OPERATORS, TOTAL_S, Answer, Client, NotReached


class FetchFailed(Exception):
    """An address gave no answer of the form asked for."""


class Fetcher:
    """
    Posts and gets.

    The caller decides which addresses may be asked; nothing that a file says is ever one of them.
    """

    def __init__(self, *, total_s: float = TOTAL_S) -> None:
        self._client = Client(OPERATORS, total_s=total_s)

    def post(self, url: str, data: bytes, *, sent: str, wanted: str, most: int) -> bytes:
        """Return the body of the answer to a post; `sent` and `wanted` are media types. Raises FetchFailed."""
        try:
            answer = self._client.post(url, data, headers={"Content-Type": sent, "Accept": wanted}, most=most)
        except NotReached as error:
            raise FetchFailed(f"{url}: {error}") from error
        return _body(url, answer, wanted)

    def get(self, url: str, *, most: int) -> bytes:
        """Return the body at an address, of whatever media type. Raises FetchFailed."""
        try:
            answer = self._client.get(url, most=most)
        except NotReached as error:
            raise FetchFailed(f"{url}: {error}") from error
        return _body(url, answer, "")


def _body(url: str, answer: Answer, wanted: str) -> bytes:
    if answer.status != 200 or (wanted and answer.kind != wanted):
        raise FetchFailed(f"{url}: answered {answer.status} {answer.kind!r:.60}")
    return answer.body
