"""Status links as the register keeps them: to which confirmation, by whom, how often opened; nothing that opens one."""

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
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_links, _heads = tables.share_tables.status_links, tables.confirmations


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLink:
    """One status link of a confirmation; `ref` alone opens nothing."""

    ref: str
    number: Number
    manufacturer_id: int
    label: str
    made_by: str
    made_at: datetime
    revoked_at: datetime | None
    uses: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A status link that is made."""

    ref: str
    label: str
    by: str
    at: datetime


def add(tx: Connection, wanted: Wanted, *, number: Number, exporter: str, scope: Scope) -> None:
    """Add a link to a confirmation of this exporter's. NotFound for a number that is not."""
    mine = scope.only(select(_heads.c.id, _heads.c.manufacturer_id), _heads)
    row = tx.execute(mine.where(_heads.c.number == number, _heads.c.exporter_uscc == exporter)).first()
    if row is None:
        raise unknown(number)
    owned = {"manufacturer_id": row.manufacturer_id, "confirmation_id": row.id, "exporter_uscc": exporter}
    told = {"ref": wanted.ref, "label": wanted.label, "made_by": wanted.by, "made_at": wanted.at}
    tx.execute(insert(_links).values(uses=0, **owned, **told))


def of_number(tx: Connection, number: Number, *, scope: Scope) -> tuple[StatusLink, ...]:
    """Return all links to a confirmation, the newest first."""
    rows = tx.execute(scope.only(_all(), _links).where(_heads.c.number == number).order_by(_links.c.id.desc()))
    names = StatusLink.__dataclass_fields__
    return tuple(
        StatusLink(number=Number(row["number"]), **{name: row[name] for name in names if name != "number"})
        for row in rows.mappings()
    )


def count_open(tx: Connection, number: Number, *, scope: Scope) -> int:
    """Return how many links to a confirmation are not revoked."""
    mine = select(func.count()).select_from(_links.join(_heads, _heads.c.id == _links.c.confirmation_id))
    still = _heads.c.number == number, _links.c.revoked_at.is_(None)
    return int(tx.execute(scope.only(mine, _links).where(*still)).scalar_one())


def note_use(tx: Connection, ref: str, *, scope: Scope, at: datetime) -> bool:
    """Count one use of a link; False if it was revoked meanwhile."""
    mine = scope.only(update(_links), _links).where(_links.c.ref == ref, _links.c.revoked_at.is_(None))
    return bool(tx.execute(mine.values(uses=_links.c.uses + 1, used_at=at)).rowcount)


def revoke(tx: Connection, number: Number, ref: str, *, by: str, scope: Scope, at: datetime) -> int:
    """Let a link tell nothing any more; return whose it is. NotFound if this number has none such that is open."""
    found = [one for one in of_number(tx, number, scope=scope) if one.ref == ref and one.revoked_at is None]
    mine = scope.only(update(_links), _links).where(_links.c.ref == ref, _links.c.revoked_at.is_(None))
    if not found or not tx.execute(mine.values(revoked_by=by, revoked_at=at)).rowcount:
        raise NotFound("no such link, or one that is revoked already")
    return found[0].manufacturer_id


def revoke_of(tx: Connection, person: str, *, exporter: str, by: str, at: datetime) -> int:
    """Let no link tell anything any more that a person made for an exporter, of whatever maker; return how many."""
    mine = update(_links).where(
        _links.c.made_by == person, _links.c.exporter_uscc == exporter, _links.c.revoked_at.is_(None)
    )
    return tx.execute(mine.values(revoked_by=by, revoked_at=at)).rowcount


def _all() -> Select[Any]:
    return select(_links, _heads.c.number).join(_heads, _heads.c.id == _links.c.confirmation_id)
