"""A manufacturer's own list of what it built: it marks the lines of drafts, and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.vehicle import vin_fault
from signer.register import parties, production

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from signer.domain.parties import Uscc
    from signer.register.database import Database
    from signer.register.production import Built


class Listing:
    """Keeps production lists; each call names its manufacturer."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def page(self, maker: Uscc, *, search: str = "", number: int = 1) -> tuple[int, tuple[Built, ...]]:
        """Return how many vehicles are on the list, and one page of them with the first of the next page if any."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return production.count(tx, scope=scope), production.page(tx, scope=scope, search=search, number=number)

    def put(self, maker: Uscc, built: Iterable[Built], *, by: str) -> tuple[int, int]:
        """Add vehicles, or change those on the list already; return how many of each."""
        with self._database.write() as tx:
            return production.put(tx, built, by=by, scope=parties.tenant(tx, maker).scope, at=self._clock())

    def remove(self, maker: Uscc, vins: Iterable[str], *, by: str) -> int:
        """Take vehicles off the list; what is no VIN is on none. Return how many."""
        known = [vin for vin in vins if not vin_fault(vin)]
        with self._database.write() as tx:
            return production.remove(tx, known, by=by, scope=parties.tenant(tx, maker).scope, at=self._clock())
