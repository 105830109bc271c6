"""Fetch the status lists of issuers whose bundles are kept: from where their trust lists say, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain import json_text, status_list
from signer.errors import InvalidInput, SignerError, TooLarge
from signer.outbound import NotReached
from signer.seal import status_list as signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.json_text import Json
    from signer.outbound import Client
    from signer.seal.status_list import Believed
    from signer.services.shelf import Shelf

MOST_LISTS: Final = 1000
_MOST_INDEX: Final = 300_000


class FetchFailed(NotReached):
    """A service answered, but not with what it has to publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of one list: it was kept, or why it was not."""

    uri: str
    kept: Believed | None = None
    refused: str = ""


class Fetching:
    """Ask each issuer once for each of its lists."""

    def __init__(self, *, shelf: Shelf, client: Client) -> None:
        self._shelf = shelf
        self._client = client

    def status_lists(self, tell: Callable[[Fetched], None]) -> int:
        """
        Keep every list that is newer than what is kept, and return how many that were not to be had.

        Whatever an issuer names beside its own lists is not asked for. Raises InvalidInput where nothing is kept.
        """
        addresses = [issuer.trust.base_url for issuer in self._shelf.issuers()]
        if not addresses:
            raise InvalidInput("bundle", "no offline bundle is here that says whose lists count: import one")
        missed = 0
        for base_url in addresses:
            if base_url is None:
                continue
            for found in self._of(base_url):
                missed += found.kept is None
                tell(found)
        return missed

    def _of(self, base_url: str) -> list[Fetched]:
        try:
            uris = self._named(base_url)
        except (SignerError, NotReached) as error:
            return [Fetched(uri=base_url + status_list.PATH.rstrip("/"), refused=str(error))]
        return [self._one(uri) for uri in uris]

    def _one(self, uri: str) -> Fetched:
        try:
            token = self._get(uri, accept=signed.MIME, most=signed.MOST_BYTES)
            found = self._shelf.take_status_list(token)
        except (SignerError, NotReached) as error:
            return Fetched(uri=uri, refused=str(error))
        if found.list.uri != uri:
            return Fetched(uri=uri, refused=f"what lies there is {found.list.uri}")
        return Fetched(uri=uri, kept=found)

    def _named(self, base_url: str) -> tuple[str, ...]:
        """Return where an issuer's lists lie, by its own index."""
        index = self._get(base_url + status_list.PATH.rstrip("/"), accept="application/json", most=_MOST_INDEX)
        try:
            said: Json = json_text.load(index, most_bytes=_MOST_INDEX)
        except (InvalidInput, TooLarge) as error:
            raise FetchFailed(f"the index of status lists is not JSON of ours: {error}") from error
        named = said.get("status_lists") if isinstance(said, dict) else None
        if not isinstance(named, list) or len(named) > MOST_LISTS:
            raise FetchFailed(f"the index of status lists names no list of at most {MOST_LISTS} addresses")
        return tuple(uri for uri in named if isinstance(uri, str) and _is_of(uri, base_url))

    def _get(self, uri: str, *, accept: str, most: int) -> bytes:
        answer = self._client.get(uri, accept=accept, most=most)
        if answer.status != 200:
            raise FetchFailed(f"{uri}: answered {answer.status}")
        return answer.body


def _is_of(uri: str, base_url: str) -> bool:
    try:
        status_list.number_of(uri, base_url)
    except InvalidInput:
        return False
    return True
