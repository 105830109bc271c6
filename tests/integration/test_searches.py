"""A maker's searches, on SQLite: a planner that weighs costs, as PostgreSQL's, reads an empty table whole."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from world import TIANSHAN, World

from signer.register import overview
from signer.register.scope import Scope

MINE = Scope.of(1)
ASKED = {
    "vin": (overview.Sought(vin="L0YSA3B29T0000101"), "ix_lines_vin"),
    "exporter": (overview.Sought(exporters=(TIANSHAN,)), "ix_confirmations_manufacturer_id_exporter"),
}


@pytest.mark.parametrize("asked", sorted(ASKED))
@pytest.mark.parametrize("database", ["sqlite"])
def test_a_search_goes_by_its_own_index_and_walks_no_makers_time(world: World, database: str, asked: str) -> None:
    del database
    sought, index = ASKED[asked]
    heard: list[tuple[str, Any]] = []

    def hear(_c: Any, _u: Any, statement: str, parameters: Any, _x: Any, _m: Any) -> None:
        heard.append((statement, parameters))

    event.listen(world.services.database._engine, "before_cursor_execute", hear)
    with world.services.database.read() as tx:
        overview.page(tx, sought, scope=MINE, after=None, at=world.at)
        ((statement, parameters),) = [one for one in heard if one[0].startswith("SELECT")]
        plan = " ".join(str(row[-1]) for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
    event.remove(world.services.database._engine, "before_cursor_execute", hear)
    assert index in plan
    assert "SCAN" not in plan
