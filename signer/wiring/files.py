"""What is made of files that people hand in: imports, and batches with who reads, steers and seals them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.services.batch_reading import BatchReading
from signer.services.batch_running import BatchRunning
from signer.services.batching import Batching
from signer.services.importing import Importing
from signer.services.work import OfFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database
    from signer.services.engines import Chance, Page, SealBox
    from signer.services.issue import Issuing
    from signer.services.mailing import Mailing
    from signer.services.maintain import Maintaining
    from signer.services.room import Room


def wire(
    *,
    database: Database,
    engines: tuple[Page, SealBox],
    issuing: Issuing,
    maintaining: Maintaining,
    mailing: Mailing,
    room: Room,
    clock: Callable[[], datetime],
    chance: Chance,
) -> OfFiles:
    """Put together what files become."""
    page, seals = engines
    reading = BatchReading(database=database, page=page, seals=seals)
    return OfFiles(
        importing=Importing(database=database, page=page, seals=seals, room=room, clock=clock, chance=chance),
        batching=Batching(
            database=database, reading=reading, mailing=mailing, room=room, clock=clock, bits=chance.bits
        ),
        running=BatchRunning(
            database=database,
            issuing=issuing,
            maintaining=maintaining,
            is_draining=room.is_draining,
            clock=clock,
        ),
    )
