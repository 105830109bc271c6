"""Tokens as the register keeps them: by their SHA-256, so that a copy of the database speaks for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from signer.domain.machines import KINDS, Right
from signer.domain.parties import Uscc
from signer.errors import NotFound
from signer.register import tables
from signer.register.account_tables import accounts
from signer.register.machine_tables import rations, renewals, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection, RowMapping

    from signer.domain.machines import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """
    One token as it may be shown: everything but itself. `maker` and `exporter` are whom it speaks for.

    `first_id` and `begun_at` are of the token that its person made, of which this one came by renewals: its own, if by
    none.
    """

    id: int
    ref: str
    label: str
    kind: Kind
    maker: Uscc | None
    exporter: Uscc | None
    person_id: str
    rights: frozenset[Right]
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    first_id: int
    begun_at: datetime

    def is_live(self, at: datetime) -> bool:
        """Tell whether it opens anything now."""
        return self.revoked_at is None and at < self.ends_at

    def is_of(self, kind: Kind, of: Uscc | None) -> bool:
        """Tell whether it speaks for exactly this manufacturer or exporter, or for the house."""
        return (self.kind, self.maker or self.exporter) == (kind, of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    A token that is made; `manufacturer_id` and `exporter` say for whom it speaks, neither: for the house.

    `first_id` is the token of which it comes by renewal, None for one that its person makes.
    """

    ref: str
    token_digest: bytes
    label: str
    kind: Kind
    person: str
    rights: frozenset[Right]
    at: datetime
    ends_at: datetime
    manufacturer_id: int | None = None
    exporter: Uscc | None = None
    first_id: int | None = None


def add(tx: Connection, wanted: Wanted) -> None:
    """Add a token."""
    values = {
        "ref": wanted.ref,
        "token_digest": wanted.token_digest,
        "label": wanted.label,
        "kind": wanted.kind,
        "manufacturer_id": wanted.manufacturer_id,
        "exporter_uscc": wanted.exporter,
        "person_id": wanted.person,
        "rights": " ".join(sorted(wanted.rights)),
        "made_at": wanted.at,
        "ends_at": wanted.ends_at,
    }
    made = tx.execute(insert(tokens).values(**values).returning(tokens.c.id)).scalar_one()
    if wanted.first_id is not None:
        tx.execute(insert(renewals).values(token_id=made, first_id=wanted.first_id))


def find(tx: Connection, token_digest: bytes, *, at: datetime) -> Token | None:
    """Return the token with this digest if it is live and its person's account is not suspended, else None."""
    suspended = select(accounts.c.person_id).where(accounts.c.state != "active")
    wanted = _all().where(tokens.c.token_digest == token_digest, tokens.c.person_id.not_in(suspended))
    row = tx.execute(wanted).mappings().first()
    found = None if row is None else _token(row)
    return found if found is not None and found.is_live(at) else None


def get(tx: Connection, ref: str) -> Token:
    """Return a token by its public reference. NotFound."""
    row = tx.execute(_all().where(tokens.c.ref == ref)).mappings().first()
    if row is None:
        raise NotFound(f"no token {ref!r}")
    return _token(row)


def of_person(tx: Connection, person: str) -> tuple[Token, ...]:
    """Return a person's tokens, the newest first."""
    rows = tx.execute(_all().where(tokens.c.person_id == person).order_by(tokens.c.id.desc())).mappings()
    return tuple(map(_token, rows))


def of_maker(tx: Connection, manufacturer_id: int) -> tuple[Token, ...]:
    """Return the tokens that speak for a manufacturer, the newest first."""
    mine = _all().where(tokens.c.manufacturer_id == manufacturer_id)
    return tuple(map(_token, tx.execute(mine.order_by(tokens.c.id.desc())).mappings()))


def touch(tx: Connection, token_id: int, *, at: datetime) -> None:
    """Note that a token was used."""
    tx.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=at))


def revoke(tx: Connection, ref: str, *, by: str, at: datetime) -> bool:
    """Let a token open nothing from now on; tell whether it did before."""
    open_ = update(tokens).where(tokens.c.ref == ref, tokens.c.revoked_at.is_(None))
    return bool(tx.execute(open_.values(revoked_by=by, revoked_at=at)).rowcount)


def renewed_of(tx: Connection, token: Token) -> tuple[Token, ...]:
    """Return the tokens that came of one by renewals after it, the newest first."""
    later = select(renewals.c.token_id).where(renewals.c.first_id == token.first_id, renewals.c.token_id > token.id)
    rows = tx.execute(_all().where(tokens.c.id.in_(later)).order_by(tokens.c.id.desc())).mappings()
    return tuple(map(_token, rows))


def book(tx: Connection, token_id: int, *, window: int, wanted: int, most: int) -> tuple[int, int]:
    """Give out up to so many questions of a minute; return how many, and how many of the minute are left after it."""
    row = tx.execute(select(rations).where(rations.c.token_id == token_id)).first()
    booked = row.booked if row is not None and row.window == window else 0
    given = min(wanted, most - booked)
    values = {"window": window, "booked": booked + given}
    if row is None:
        tx.execute(insert(rations).values(token_id=token_id, **values))
    else:
        tx.execute(update(rations).where(rations.c.token_id == token_id).values(**values))
    return given, most - booked - given


def count_live(tx: Connection, person: str, *, at: datetime) -> int:
    """Return how many tokens of a person are in use."""
    return len(live_of(tx, person, at=at))


def live_of(
    tx: Connection, person: str, *, at: datetime, maker: Uscc | None = None, exporter: Uscc | None = None
) -> tuple[Token, ...]:
    """Return a person's tokens in use: those that speak for a manufacturer or an exporter, with neither: all."""
    found = [token for token in of_person(tx, person) if token.is_live(at)]
    if maker is None and exporter is None:
        return tuple(found)
    return tuple(token for token in found if (token.maker, token.exporter) == (maker, exporter))


def _all() -> Select[tuple[object, ...]]:
    makers, first = tables.manufacturers, tokens.alias("first")
    whence = func.coalesce(renewals.c.first_id, tokens.c.id)
    wanted = select(tokens, makers.c.uscc.label("maker"), first.c.id.label("first_id"), first.c.made_at.label("begun"))
    return (
        wanted.join(makers, makers.c.id == tokens.c.manufacturer_id, isouter=True)
        .join(renewals, renewals.c.token_id == tokens.c.id, isouter=True)
        .join(first, first.c.id == whence)
    )


def _token(row: RowMapping) -> Token:
    kind = next(kind for kind in KINDS if kind == row["kind"])
    return Token(
        id=row["id"],
        ref=row["ref"],
        label=row["label"],
        kind=kind,
        maker=None if row["maker"] is None else Uscc(row["maker"]),
        exporter=None if row["exporter_uscc"] is None else Uscc(row["exporter_uscc"]),
        person_id=row["person_id"],
        rights=frozenset(right for right in Right if right in row["rights"].split()),
        made_at=row["made_at"],
        ends_at=row["ends_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
        first_id=row["first_id"],
        begun_at=row["begun"],
    )
