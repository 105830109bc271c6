"""Lists of outlets that were handed in: what each says, until it is applied or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from signer.errors import NotFound
from signer.register.desk_tables import imports

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_KIND = "outlets"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletList:
    """A list's row: `ref` stands in addresses, `plan` is what its rows say (JSON), `state` is read, done or dropped."""

    ref: str
    file_name: str
    file_digest: bytes
    state: str
    rows: int
    plan: str
    created_at: datetime


def add(tx: Connection, made: OutletList, *, scope: Scope, by: str) -> None:
    """Insert a list."""
    values = {name: getattr(made, name) for name in OutletList.__dataclass_fields__}
    empty = {"good": made.rows, "done": 0, "report": "[]", "data": None}
    told = {"kind": _KIND, "manufacturer_id": scope.owner, "created_by": by, "changed_at": made.created_at}
    tx.execute(insert(imports).values(**values, **empty, **told))


def get(tx: Connection, ref: str, *, scope: Scope) -> OutletList:
    """Return a list. NotFound, also for another manufacturer's."""
    row = tx.execute(scope.only(select(imports), imports).where(imports.c.ref == ref, imports.c.kind == _KIND)).first()
    if row is None:
        raise NotFound("no such list of outlets")
    return OutletList(**{name: getattr(row, name) for name in OutletList.__dataclass_fields__})


def end(tx: Connection, ref: str, state: str, *, scope: Scope, at: datetime) -> None:
    """Record that a list was applied (`done`) or dropped."""
    mine = scope.only(update(imports), imports).where(imports.c.ref == ref, imports.c.kind == _KIND)
    tx.execute(mine.values(state=state, changed_at=at, done=imports.c.rows if state == "done" else 0))
