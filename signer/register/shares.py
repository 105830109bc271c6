"""Share links as the register keeps them: by the SHA-256 of their secret, so that a copy of the database opens none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from signer.domain.number import Number
from signer.errors import NotFound
from signer.register import tables
from signer.register.scope import unknown

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection, RowMapping

    from signer.register.scope import Scope

_shares, _heads = tables.share_tables.shares, tables.confirmations


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One share link of a confirmation."""

    ref: str
    number: Number
    manufacturer_id: int
    exporter_uscc: str
    label: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    uses: int
    used_at: datetime | None

    def is_open(self, at: datetime) -> bool:
        """Tell whether it is neither revoked nor over; how its confirmation stands is another question."""
        return self.revoked_at is None and at < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A share link that is made."""

    ref: str
    secret_digest: bytes
    label: str
    by: str
    at: datetime
    ends_at: datetime


def add(tx: Connection, wanted: Wanted, *, number: Number, exporter: str, scope: Scope) -> None:
    """Add a link to a confirmation of this exporter's. NotFound for a number that is not."""
    mine = scope.only(select(_heads.c.id, _heads.c.manufacturer_id), _heads)
    row = tx.execute(mine.where(_heads.c.number == number, _heads.c.exporter_uscc == exporter)).first()
    if row is None:
        raise unknown(number)
    values = {
        "ref": wanted.ref,
        "secret_digest": wanted.secret_digest,
        "label": wanted.label,
        "made_by": wanted.by,
        "made_at": wanted.at,
        "ends_at": wanted.ends_at,
    }
    owned = {"manufacturer_id": row.manufacturer_id, "confirmation_id": row.id, "exporter_uscc": exporter}
    tx.execute(insert(_shares).values(uses=0, **owned, **values))


def of_secret(tx: Connection, secret_digest: bytes, *, scope: Scope) -> Share | None:
    """Return the link of a secret, open or not; None if there never was one."""
    return _one(tx, scope.only(_all(), _shares).where(_shares.c.secret_digest == secret_digest))


def of_ref(tx: Connection, ref: str, *, scope: Scope) -> Share | None:
    """Return the link of a ref, open or not; None if there never was one."""
    return _one(tx, scope.only(_all(), _shares).where(_shares.c.ref == ref))


def of_number(tx: Connection, number: Number, *, scope: Scope) -> tuple[Share, ...]:
    """Return all links to a confirmation, the newest first."""
    wanted = scope.only(_all(), _shares).where(_heads.c.number == number).order_by(_shares.c.id.desc())
    return tuple(map(_share, tx.execute(wanted).mappings()))


def count_open(tx: Connection, number: Number, *, scope: Scope, at: datetime) -> int:
    """Return how many links to a confirmation are neither revoked nor over."""
    mine = select(func.count()).select_from(_shares.join(_heads, _heads.c.id == _shares.c.confirmation_id))
    still = (_heads.c.number == number, _shares.c.revoked_at.is_(None), _shares.c.ends_at > at)
    return int(tx.execute(scope.only(mine, _shares).where(*still)).scalar_one())


def note_use(tx: Connection, ref: str, *, scope: Scope, at: datetime) -> bool:
    """Count one use of a link; False if it was revoked, or came to its end, meanwhile."""
    mine = scope.only(update(_shares), _shares).where(
        _shares.c.ref == ref, _shares.c.revoked_at.is_(None), _shares.c.ends_at > at
    )
    return bool(tx.execute(mine.values(uses=_shares.c.uses + 1, used_at=at)).rowcount)


def revoke(tx: Connection, ref: str, *, by: str, scope: Scope, at: datetime) -> None:
    """Let a link open nothing any more. NotFound if there is none, or it is revoked already."""
    mine = scope.only(update(_shares), _shares).where(_shares.c.ref == ref, _shares.c.revoked_at.is_(None))
    if not tx.execute(mine.values(revoked_by=by, revoked_at=at)).rowcount:
        raise NotFound("no such link, or one that is revoked already")


def revoke_of(tx: Connection, person: str, *, exporter: str, by: str, at: datetime) -> int:
    """Let no link open anything any more that a person made for an exporter, of whatever maker; return how many."""
    mine = update(_shares).where(
        _shares.c.made_by == person, _shares.c.exporter_uscc == exporter, _shares.c.revoked_at.is_(None)
    )
    return tx.execute(mine.values(revoked_by=by, revoked_at=at)).rowcount


def _all() -> Select[Any]:
    return select(_shares, _heads.c.number).join(_heads, _heads.c.id == _shares.c.confirmation_id)


def _one(tx: Connection, wanted: Select[Any]) -> Share | None:
    row = tx.execute(wanted).mappings().first()
    return None if row is None else _share(row)


def _share(row: RowMapping) -> Share:
    values = {name: row[name] for name in Share.__dataclass_fields__ if name != "number"}
    return Share(number=Number(row["number"]), **values)
