"""What the transparency log is put together from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.register.heads import Heads
from signer.services.backfilling import Backfilling
from signer.services.log_examining import LogExamining
from signer.services.log_keys import LogKeys
from signer.services.logbook import LogBook
from signer.services.resuming import Resuming
from signer.services.sequencing import Sequencing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.log_leaf import LogProof
    from signer.register.database import Database
    from signer.services.engines import Chance
    from signer.services.trust import TrustSource
    from signer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The use cases of the log."""

    sequencing: Sequencing
    logbook: LogBook
    resuming: Resuming
    backfilling: Backfilling
    examining: LogExamining
    are_listed: Callable[[LogProof], bool]


def wire(
    settings: Settings, *, database: Database, trust: TrustSource, clock: Callable[[], datetime], chance: Chance
) -> Log:
    """Put the log together."""
    keys = LogKeys(settings, trust=trust, clock=clock)
    heads = Heads(settings.data_dir, further=settings.log_head)
    sequencing = Sequencing(database=database, keys=keys, heads=heads, clock=clock, bits=chance.bits)
    return Log(
        sequencing=sequencing,
        logbook=LogBook(database=database, sequencing=sequencing, heads=heads),
        resuming=Resuming(database=database, keys=keys, heads=heads, sequencing=sequencing, clock=clock),
        backfilling=Backfilling(database=database, sequencing=sequencing, clock=clock),
        are_listed=keys.are_listed,
        examining=LogExamining(settings, database=database, keys=keys, heads=heads, sequencing=sequencing, clock=clock),
    )
