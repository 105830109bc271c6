"""Bring into the log what was issued before there was one, or was brought back into the register behind its back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.log_leaf import LeafType
from signer.register import jobs, log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database
    from signer.services.sequencing import Sequencing

_AT_ONCE = 200


class Backfilling:
    """Queue `backfill` leaves, so few at a time that what is issued meanwhile hardly waits, and have them appended."""

    def __init__(self, *, database: Database, sequencing: Sequencing, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._sequencing = sequencing
        self._clock = clock

    def run(self, tell: Callable[[str], None] = jobs.unheard) -> int:
        """
        Bring in everything that the log does not know as issued, and return how many confirmations that were.

        It may be cut off at any point, and goes on where it was. Raises what `Sequencing.run` raises.
        """
        done, after = 0, 0
        while found := self._queue(after):
            done, after = done + len(found), found[-1]
            self._sequencing.drain()
            tell(f"{done} confirmations brought in")
        return done

    def _queue(self, after: int) -> tuple[int, ...]:
        """Queue the next few, each with what ended it, in one transaction; return their ids."""
        at = self._clock()
        with self._database.write() as tx:
            found = log.unlogged(tx, after=after, most=_AT_ONCE)
            for confirmation_id, digest, ends in found:
                for kind in (LeafType.BACKFILL, *ends):
                    log.queue(tx, kind, confirmation_id=confirmation_id, digest=digest, at=at)
        return tuple(confirmation_id for confirmation_id, _, _ in found)
