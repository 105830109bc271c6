"""How much of each kind may wait for one manufacturer: a queue without an end takes everybody's disk and time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain.batch import BatchState
from signer.errors import QueueFull

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final[Mapping[str, int]] = {
    "batches": 10,
    "imports": 20,
    "sheets": 200,
    "deliveries": 100_000,
}
"""
What is open of one manufacturer at most.

Batches that are not done, cancelled or faulty; imports that run; sheets that were handed in within
`KEPT`, and neither run nor dropped. What waits for one webhook has happened already: it is not refused, but the oldest
is given up.
"""
CLOSED: Final = (BatchState.FAULTY, BatchState.DONE, BatchState.CANCELLED)
"""How a batch stands that waits for nothing."""
KEPT: Final = timedelta(days=30)
"""For so long a file is kept that was handed in; what is older waits for nothing any more."""
_AGAIN_S: Final = 300


def refuse_full(kind: str, waiting: int) -> None:
    """Refuse one more of a kind where so many are open already, in the transaction that would add it. QueueFull."""
    if waiting >= MOST[kind]:
        raise QueueFull(f"{waiting} {kind} of this manufacturer are open already", retry_after_s=_AGAIN_S)
