"""What was restored from a backup: the span of which nothing is known, and whether issuing waits for an operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from signer.domain.evidence import Gap
from signer.errors import RegisterUnavailable
from signer.register import tables
from signer.register.ready import Ready

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection


_restores = tables.restores
_HELD = Ready(select(_restores.c.backup_at).where(_restores.c.released_at.is_(None)))
_GAPS = Ready(
    select(_restores.c.backup_at, _restores.c.restored_at)
    .where(_restores.c.closed_at.is_(None))
    .order_by(_restores.c.backup_at, _restores.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One restore: what was issued or ended from `backup_at` to `restored_at` is unknown to the register."""

    backup_at: datetime
    restored_at: datetime
    archive_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Two people's word that everything of a gap is back: issued, withdrawn and superseded."""

    by: str
    second: str
    reason: str


def note(tx: Connection, made: Restore) -> None:
    """Record a restore; from now on nothing is issued until it is released."""
    tx.execute(insert(tables.restores).values(**{name: getattr(made, name) for name in made.__dataclass_fields__}))


def gaps(tx: Connection) -> tuple[Gap, ...]:
    """Return the gaps that nobody has closed, the oldest first."""
    return tuple(Gap(since=row.backup_at, until=row.restored_at) for row in _GAPS.rows(tx))


def newest(tx: Connection) -> datetime | None:
    """Return when the register was last restored: what has been pending since before may have been issued."""
    open_ = select(func.max(tables.restores.c.restored_at)).where(tables.restores.c.closed_at.is_(None))
    found: datetime | None = tx.execute(open_).scalar()
    return found


def refuse_held(tx: Connection) -> None:
    """Refuse to issue over a restored register that no operator has released. Raises RegisterUnavailable."""
    row = _HELD.first(tx)
    if row is not None:
        raise RegisterUnavailable(
            f"the register was restored from a backup of {row.backup_at:%Y-%m-%dT%H:%M:%SZ}: import what was issued"
            " since (`signer db reimport`), then `signer db release`"
        )


def is_held(tx: Connection) -> bool:
    """Tell whether a restored register waits to be released."""
    table = tables.restores
    return tx.execute(select(table.c.id).where(table.c.released_at.is_(None)).limit(1)).first() is not None


def release(tx: Connection, *, by: str, at: datetime) -> int:
    """Let issuing go on; return how many restores were waiting for that."""
    table = tables.restores
    return tx.execute(
        update(table).where(table.c.released_at.is_(None)).values(released_at=at, released_by=by[:64])
    ).rowcount


def close(tx: Connection, closing: Closing, *, at: datetime) -> int:
    """Count every gap as filled; return how many there were."""
    table = tables.restores
    closed = {"closed_by": closing.by, "closed_second": closing.second, "close_reason": closing.reason}
    return tx.execute(update(table).where(table.c.closed_at.is_(None)).values(closed_at=at, **closed)).rowcount
