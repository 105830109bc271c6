"""Status lists: which place of which list a confirmation has, what its two bits say, and the tokens of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, and_, bindparam, exists, func, insert, literal_column, or_, select, text, update

from signer.domain import status_list
from signer.domain.confirmation import Standing
from signer.domain.status_list import Status
from signer.register import tables
from signer.register.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.domain.evidence import Gap
    from signer.domain.number import Number

DRAWS: Final = 70
"""So many places are tried; all of them are taken when a list is about nine tenths full (86 to 92 %: ADR 0049)."""
LEAP: Final = 1000
"""How many lists a restored register skips at least: those that it gave places of, and forgot."""
_MINUTE_S: Final = 60
_heads, _lines, _entries, _lists = tables.confirmations, tables.lines, tables.status_entries, tables.status_lists

_newest = select(func.coalesce(func.max(_lists.c.list), 1)).scalar_subquery()
_TAKE = Ready(
    insert(_entries)
    .from_select(
        ["list", "index", "confirmation_id", "status"],
        select(
            _newest,
            bindparam("index", type_=Integer),
            bindparam("of", type_=Integer),
            literal_column(str(int(Status.NOT_NOW))),
        ).where(~exists().where(_entries.c.list == _newest, _entries.c.index == bindparam("index"))),
    )
    .returning(_entries.c.index)
)
_BEGIN = text(
    "INSERT INTO status_lists (list) SELECT COALESCE(MAX(list), 1) + :further FROM status_lists WHERE true "
    "ON CONFLICT DO NOTHING"
)
_SET = Ready(update(_entries).where(_entries.c.confirmation_id == bindparam("of")).values(status=bindparam("to")))


@dataclass(frozen=True, slots=True)
class Kept:
    """A token that was signed, and as of when."""

    token: bytes
    at: datetime


def take(tx: Connection, confirmation_id: int, randbelow: Callable[[int], int]) -> None:
    """
    Take a random free place of the newest list, or of a new one when all that were drawn are taken.

    Entries are never counted for it: that would cost every issue a query.
    """
    for _ in range(DRAWS):
        drawn = {"of": confirmation_id, "index": randbelow(status_list.SIZE)}
        if _TAKE.execute(tx, drawn).fetchone() is not None:
            return
    tx.execute(_BEGIN, {"further": 1})
    _TAKE.execute(tx, {"of": confirmation_id, "index": randbelow(status_list.SIZE)})


def begin_anew(tx: Connection, *, at: datetime) -> None:
    """
    Give no place any more of a list that may have been used, by a register of which this one is an older state.

    The new list has the number of the minute, so that two restores of one backup do not go on with the same.
    """
    found = tx.execute(select(func.coalesce(func.max(_entries.c.list), 1))).scalar_one()
    newest = max(int(found), int(tx.execute(select(_newest)).scalar_one()))
    tx.execute(insert(_lists).values(list=max(newest + LEAP, int(at.timestamp()) // _MINUTE_S)))


def move(tx: Connection, confirmation_id: int, place: tuple[int, int]) -> None:
    """Give a confirmation the list and the index that its paper names: this register gave them once, and forgot."""
    mine = update(_entries).where(_entries.c.confirmation_id == confirmation_id)
    tx.execute(mine.values({"list": place[0], "index": place[1]}))


def put(tx: Connection, confirmation_id: int, status: Status) -> None:
    """Set a confirmation's two bits."""
    _SET.execute(tx, {"of": confirmation_id, "to": int(status)})


def settle(tx: Connection, confirmation_id: int) -> None:
    """Set a confirmation's two bits to what its lines say by now."""
    put(tx, confirmation_id, status_list.of_standings(_standings(tx, confirmation_id)))


def _standings(tx: Connection, confirmation_id: int) -> list[Standing]:
    found = tx.execute(select(_lines.c.standing).where(_lines.c.confirmation_id == confirmation_id)).scalars()
    return [Standing(standing) for standing in found]


def place(tx: Connection, number: Number) -> tuple[int, int] | None:
    """Return the list and the index that a confirmation's number has; None for one that has none."""
    wanted = (
        select(_entries.c.list, _entries.c.index)
        .join(_heads, _heads.c.id == _entries.c.confirmation_id)
        .where(_heads.c.number == number)
    )
    row = tx.execute(wanted).one_or_none()
    return (int(row[0]), int(row[1])) if row is not None else None


def numbers(tx: Connection) -> tuple[int, ...]:
    """Return the lists that there are: the first one always is."""
    begun = tx.execute(select(_lists.c.list)).scalars()
    used = tx.execute(select(_entries.c.list).distinct()).scalars()
    return tuple(sorted({1, *begun, *used}))


def places(tx: Connection, number: int, *, gaps: tuple[Gap, ...], at: datetime) -> bytearray:
    """
    Return a list's places, a byte each, as they stand at an instant.

    A suspension whose time is over is over. In an open gap of a restored register, what was issued before its end may
    have been ended without this register knowing.
    """
    found = status_list.blank()
    of_list = select(_entries.c.index, _entries.c.status).where(_entries.c.list == number)
    for index, status in tx.execute(of_list):
        found[index] = status
    for index, status in _over(tx, number, at=at):
        found[index] = status
    for index in _doubted(tx, number, gaps):
        found[index] = Status.NOT_NOW
    return found


def _over(tx: Connection, number: int, *, at: datetime) -> Iterator[tuple[int, Status]]:
    """Find the places whose suspension has run out, and what they say without it."""
    wanted = (
        select(_entries.c.index, _heads.c.id)
        .join(_heads, _heads.c.id == _entries.c.confirmation_id)
        .where(
            _entries.c.list == number,
            _entries.c.status == int(Status.NOT_NOW),
            _heads.c.standing == Standing.SUSPENDED,
            _heads.c.suspended_until <= at,
        )
    )
    for row in tx.execute(wanted).all():
        lifted = (Standing.ISSUED if one is Standing.SUSPENDED else one for one in _standings(tx, row.id))
        yield int(row[0]), status_list.of_standings(lifted)


def _doubted(tx: Connection, number: int, gaps: tuple[Gap, ...]) -> Iterator[int]:
    """Find the places of what a gap may have ended: whatever still has a vehicle in force."""
    if not gaps:
        return
    until = max(gap.reaches for gap in gaps)
    held = or_(_heads.c.standing == Standing.ISSUED, _heads.c.standing == Standing.SUSPENDED)
    wanted = (
        select(_entries.c.index)
        .join(_heads, _heads.c.id == _entries.c.confirmation_id)
        .where(and_(_entries.c.list == number, held, _heads.c.reserved_at <= until))
    )
    yield from tx.execute(wanted).scalars().all()


def keep(tx: Connection, number: int, token: bytes, *, at: datetime) -> bool:
    """Keep a token as the newest of its list; tell whether it is one: a clock may have been put back."""
    kept = newest(tx, number)
    if kept is not None and kept.at >= at:
        return False
    if kept is None and tx.execute(select(_lists.c.list).where(_lists.c.list == number)).first() is None:
        tx.execute(insert(_lists).values(list=number))
    tx.execute(update(_lists).where(_lists.c.list == number).values(token=token, signed_at=at))
    return True


def newest(tx: Connection, number: int) -> Kept | None:
    """Return the newest token of a list, or None."""
    row = tx.execute(select(_lists.c.token, _lists.c.signed_at).where(_lists.c.list == number)).first()
    return None if row is None or row.token is None else Kept(bytes(row.token), row.signed_at)


def signed(tx: Connection) -> tuple[tuple[int, Kept], ...]:
    """Return the newest token of every list that has one."""
    rows = tx.execute(select(_lists).where(_lists.c.token.is_not(None)).order_by(_lists.c.list))
    return tuple((row.list, Kept(bytes(row.token), row.signed_at)) for row in rows)
