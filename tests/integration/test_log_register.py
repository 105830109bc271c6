"""What the register holds of the transparency log by itself, whatever code talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import KAZAKHSTAN, sample

from signer.errors import Conflict

if TYPE_CHECKING:
    from world import World


def test_each_transaction_of_issuing_queues_its_leaf(world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    ((content, sealed),) = world.rows(
        "SELECT content_digest, sealed_digest FROM confirmations JOIN files ON files.confirmation_id = confirmations.id"
        f" WHERE number = '{number}'"
    )
    queued = "SELECT type, digest FROM log_queue UNION ALL SELECT type, digest FROM log_leaves"
    assert {(kind, bytes(digest)) for kind, digest in world.rows(queued)} == {
        ("intent", bytes(content)),
        ("issued", bytes(sealed)),
    }


@pytest.mark.parametrize("statement", ["DELETE FROM log_queue", "UPDATE log_queue SET digest = digest"])
def test_what_waits_for_the_log_can_neither_be_taken_away_nor_changed(world: World, statement: str) -> None:
    world.issue(sample(KAZAKHSTAN))
    with world.services.database.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO log_queue (confirmation_id, type, digest, queued_at) "
            "SELECT id, 'withdraw', content_digest, reserved_at FROM confirmations"
        )
    with pytest.raises(Conflict, match="the log"), world.services.database.write() as tx:
        tx.exec_driver_sql(statement)
