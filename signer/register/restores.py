"""What was restored from a backup: the span of which nothing is known, and whether issuing waits for an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from signer.errors import RegisterUnavailable
from signer.register import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

_SLACK = timedelta(minutes=15)
"""Between the time that a file names and its commit; the clocks of timestamping authorities differ a little too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One restore: what was issued from `backup_at` to `restored_at` is unknown to the register."""

    backup_at: datetime
    restored_at: datetime
    archive_digest: bytes


def note(tx: Connection, made: Restore) -> None:
    """Record a restore; from now on nothing is issued until it is released."""
    tx.execute(insert(tables.restores).values(**{name: getattr(made, name) for name in made.__dataclass_fields__}))


def is_gap(tx: Connection, at: datetime) -> bool:
    """Tell whether a file of that time may have been issued and then lost with the register."""
    table = tables.restores
    around = select(table.c.id).where(table.c.backup_at <= at + _SLACK, table.c.restored_at >= at - _SLACK)
    return tx.execute(around.limit(1)).first() is not None


def newest(tx: Connection) -> datetime | None:
    """Return when the register was last restored: what has been pending since before may have been issued."""
    found: datetime | None = tx.execute(select(func.max(tables.restores.c.restored_at))).scalar()
    return found


def refuse_held(tx: Connection) -> None:
    """Refuse to issue over a restored register that no operator has released. Raises RegisterUnavailable."""
    table = tables.restores
    held = tx.execute(select(table.c.backup_at).where(table.c.released_at.is_(None))).scalar()
    if held is not None:
        raise RegisterUnavailable(
            f"the register was restored from a backup of {held:%Y-%m-%dT%H:%M:%SZ}: import what was issued since"
            " (`signer db reimport`), then `signer db release`"
        )


def release(tx: Connection, *, by: str, at: datetime) -> int:
    """Let issuing go on; return how many restores were waiting for that."""
    table = tables.restores
    return tx.execute(
        update(table).where(table.c.released_at.is_(None)).values(released_at=at, released_by=by[:64])
    ).rowcount
