"""Sign the status lists anew each hour, and hand out the newest of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain import status_list
from signer.domain.trust import Purpose
from signer.errors import KeyUnavailable, Misconfigured, NotFound
from signer.register import jobs, restores, status_lists
from signer.seal import status_list as signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database
    from signer.register.status_lists import Kept
    from signer.seal.service_key import ServiceKey
    from signer.services.service_keys import ServiceKeys
    from signer.services.trust import TrustSource


class StatusLists:
    """The lists of a deployment. `base_url` is where it answers; the trust list must say the same."""

    def __init__(
        self,
        *,
        database: Database,
        trust: TrustSource,
        keys: ServiceKeys,
        base_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._trust = trust
        self._keys = keys
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def sign(self, tell: Callable[[str], None] = jobs.unheard) -> str:
        """
        Sign every list as it stands now, and say what came of it; without a key nothing is signed.

        Raises KeyUnavailable for a key that is there and does not open, Misconfigured.
        """
        try:
            self._keys.name(Purpose.STATUS)
        except KeyUnavailable:
            return "no status key is here: nothing is published"
        at = self._clock().replace(microsecond=0)
        self._refuse_elsewhere(at)
        key = self._keys.open(Purpose.STATUS)
        with self._database.read() as tx:
            numbers = status_lists.numbers(tx)
        made = 0
        for number in numbers:
            tell(f"list {number}")
            made += self._sign(number, key, at=at)
        return f"{made} of {len(numbers)} lists signed"

    def _sign(self, number: int, key: ServiceKey, *, at: datetime) -> bool:
        """Sign one list: read at `at` or later, so that what was so before is surely in it."""
        with self._database.read() as tx:
            places = status_lists.places(tx, number, gaps=restores.gaps(tx), at=at)
        token = signed.sign(status_list.uri_of(self._base_url, number), places, key, at=at)
        with self._database.write() as tx:
            return status_lists.keep(tx, number, token, at=at)

    def _refuse_elsewhere(self, at: datetime) -> None:
        told = self._trust.current(at).base_url
        if told != self._base_url:
            named = "names no base_url" if told is None else f"says {told}"
            raise Misconfigured(
                f"status lists would not be believed: SIGNER_BASE_URL is {self._base_url}, the trust list {named}"
            )

    def newest(self, number: int) -> Kept:
        """Return the newest token of a list. Raises NotFound if there is none."""
        with self._database.read() as tx:
            kept = status_lists.newest(tx, number)
        if kept is None:
            raise NotFound(f"there is no status list {number}")
        return kept

    def all(self) -> tuple[tuple[int, Kept], ...]:
        """Return every list that was signed, with its newest token."""
        with self._database.read() as tx:
            return status_lists.signed(tx)

    def uris(self) -> tuple[str, ...]:
        """Return where the lists lie."""
        return tuple(status_list.uri_of(self._base_url, number) for number, _ in self.all())
