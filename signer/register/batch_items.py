"""
The items of batches: put when their file was read, taken up for a while, and ended once.

What is said of an item is said in the transaction that makes it so: its number in the one that records the
confirmation. All questions of a running batch are answered by an index, whatever its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, LargeBinary, and_, bindparam, delete, func, insert, or_, select, update

from signer.domain.batch import BatchState, Failure, ItemState
from signer.errors import Conflict, NotFound
from signer.register.batch_tables import batch_items, batches
from signer.register.columns import At
from signer.register.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, RowMapping

    from signer.register.scope import Scope

LEASE: Final = timedelta(minutes=2)
"""Who took an item up and was not heard of for so long has died with it; if not, its key doubles nothing."""
MOST_ERROR = 1200
_OPEN = (
    BatchState.READING,
    BatchState.READY,
    BatchState.WAITING,
    BatchState.RUNNING,
    BatchState.PAUSED,
    BatchState.HALTED,
)


class BatchStopped(Conflict):
    """A batch does not run any more, or never with this item: nothing of it is reserved."""

    code = "batch-stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """
    One confirmation to be, as the file says it: `body` is `signer.draft/1` (JSON), `vins` stand as in its terms.

    `place` counts from 1 in the file's order, `lane` sorts the order of sealing (at most 80 characters), `source`
    tells the rows.
    """

    place: int
    lane: str
    source: str
    vins: tuple[str, ...]
    body: str
    terms_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An item that somebody took up: `tries` counts how often, `turn` its numbers that were given up."""

    place: int
    body: str
    terms_digest: bytes
    turn: int
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item as people see it."""

    place: int
    source: str
    vins: tuple[str, ...]
    terms_digest: bytes
    state: ItemState
    number: str | None
    error: Failure | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which item of which batch (by id), under which approved root, with which terms: what transaction 1 holds."""

    batch_id: int
    place: int
    root: bytes
    terms_digest: bytes


_items = batch_items
_HOLD = Ready(
    select(_items.c.place)
    .join(batches, batches.c.id == _items.c.batch_id)
    .where(
        _items.c.batch_id == bindparam("batch"),
        _items.c.place == bindparam("place"),
        _items.c.terms_digest == bindparam("terms", type_=LargeBinary),
        _items.c.state == ItemState.WAITING.value,
        batches.c.state == BatchState.RUNNING.value,
        batches.c.root == bindparam("root", type_=LargeBinary),
        batches.c.decided_by.is_not(None),
        batches.c.manufacturer_id == bindparam("owner", type_=Integer),
    )
)
_RECORD = Ready(
    update(_items)
    .where(
        _items.c.batch_id == bindparam("batch"),
        _items.c.place == bindparam("of"),
        or_(_items.c.state == ItemState.WAITING.value, _items.c.state == ItemState.CANCELLED.value),
        _items.c.manufacturer_id == bindparam("owner", type_=Integer),
    )
    .values(
        state=ItemState.DONE.value,
        number=bindparam("given"),
        ended_at=bindparam("at", type_=At),
        lease_until=None,
        error=None,
    )
    .returning(_items.c.place)
)
_COUNT = Ready(
    update(batches)
    .where(batches.c.id == bindparam("batch"))
    .values(done=batches.c.done + 1, halts=0, changed_at=bindparam("at", type_=At))
)


def put(tx: Connection, batch_id: int, items: Sequence[NewItem], *, scope: Scope) -> None:
    """Add items while their file is read."""
    fixed = {"batch_id": batch_id, "manufacturer_id": scope.owner, "state": ItemState.WAITING, "turn": 0, "tries": 0}
    rows = [
        {
            **fixed,
            "place": one.place,
            "lane": one.lane,
            "source": one.source[:200],
            "vins": " ".join(one.vins),
            "vehicles": len(one.vins),
            "body": one.body,
            "terms_digest": one.terms_digest,
        }
        for one in items
    ]
    if rows:
        tx.execute(insert(_items), rows)


def clear(tx: Connection, batch_id: int, *, scope: Scope) -> int:
    """Take away the items of a file that is read anew, or is faulty; return how many."""
    return tx.execute(scope.only(delete(_items), _items).where(_items.c.batch_id == batch_id)).rowcount


def digests(tx: Connection, batch_id: int, *, scope: Scope) -> Iterator[bytes]:
    """Yield the terms digests of a batch in the order of their places: the leaves of its root."""
    wanted = scope.only(select(_items.c.terms_digest), _items).where(_items.c.batch_id == batch_id)
    for digest in tx.execute(wanted.order_by(_items.c.place)).scalars():
        yield bytes(digest)


def open_vins(tx: Connection, *, but: int, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield each VIN that waits in another open batch of a manufacturer, with that batch's title."""
    wanted = scope.only(select(_items.c.vins, batches.c.title), _items).join(batches, batches.c.id == _items.c.batch_id)
    wanted = wanted.where(
        batches.c.state.in_(_OPEN), batches.c.id != but, _items.c.state == ItemState.WAITING
    ).execution_options(yield_per=500)
    for row in tx.execute(wanted):
        for vin in row.vins.split():
            yield vin, row.title


def claim(tx: Connection, batch_id: int, *, most: int, scope: Scope, at: datetime) -> tuple[Taken, ...]:
    """Take up the next items in the order of sealing, for a while; whoever dies with them loses them then."""
    wanted = (
        select(_items.c.place, _items.c.body, _items.c.terms_digest, _items.c.turn, _items.c.tries)
        .where(_items.c.batch_id == batch_id, _items.c.state == ItemState.WAITING, _is_free(at))
        .order_by(_items.c.lane, _items.c.place)
        .limit(most)
    )
    rows = tx.execute(scope.only(wanted, _items)).all()
    if rows:
        mine = scope.only(update(_items), _items).where(
            _items.c.batch_id == batch_id, _items.c.place.in_([row.place for row in rows])
        )
        tx.execute(mine.values(lease_until=at + LEASE, tries=_items.c.tries + 1))
    return tuple(
        Taken(
            place=row.place,
            body=row.body,
            terms_digest=bytes(row.terms_digest),
            turn=row.turn,
            tries=row.tries + 1,
        )
        for row in rows
    )


def _is_free(at: datetime) -> ColumnElement[bool]:
    """Tell which items nobody has taken up, or somebody who died; what was taken in what is now the future as well."""
    leased = _items.c.lease_until
    return or_(leased.is_(None), leased <= at, leased > at + 2 * LEASE)


def release(tx: Connection, batch_id: int, places: Sequence[int], *, scope: Scope, untouched: bool = False) -> None:
    """Give back items that were taken up; `untouched`: nothing was tried with them."""
    mine = scope.only(update(_items), _items).where(
        _items.c.batch_id == batch_id, _items.c.place.in_(places), _items.c.state == ItemState.WAITING
    )
    less = {"tries": _items.c.tries - 1} if untouched else {}
    tx.execute(mine.values(lease_until=None, **less))


def hold(tx: Connection, binding: Binding, *, scope: Scope) -> None:
    """Refuse to reserve a number unless the batch runs on the approved root, and the item waits with these terms."""
    asked = {
        "batch": binding.batch_id,
        "place": binding.place,
        "terms": binding.terms_digest,
        "root": binding.root,
        "owner": scope.owner,
    }
    if _HOLD.first(tx, asked) is None:
        raise BatchStopped("the batch does not run, or these terms are not what was approved in it")


def record(tx: Connection, batch_id: int, place: int, number: str, *, scope: Scope, at: datetime) -> bool:
    """Note the number of an item, once; tell whether it was noted just now."""
    told = {"batch": batch_id, "of": place, "owner": scope.owner, "given": str(number), "at": at}
    if not _RECORD.execute(tx, told).fetchall():
        return False
    _COUNT.execute(tx, {"batch": batch_id, "at": at})
    return True


def fail(tx: Connection, batch_id: int, place: int, failure: Failure, *, scope: Scope, at: datetime) -> bool:
    """End an item that cannot be sealed, with why; tell whether it waited."""
    mine = scope.only(update(_items), _items).where(
        _items.c.batch_id == batch_id, _items.c.place == place, _items.c.state == ItemState.WAITING
    )
    told = {"state": ItemState.FAILED, "error": failure.model_dump_json(), "ended_at": at, "lease_until": None}
    if not tx.execute(mine.values(**told)).rowcount:
        return False
    whole = scope.only(update(batches), batches).where(batches.c.id == batch_id)
    tx.execute(whole.values(failed=batches.c.failed + 1, halts=0, changed_at=at))
    return True


def again(tx: Connection, batch_id: int, taken: Taken, *, scope: Scope) -> None:
    """Let an item whose number was given up wait for another one, under a key of its own."""
    mine = scope.only(update(_items), _items).where(
        _items.c.batch_id == batch_id,
        _items.c.place == taken.place,
        _items.c.state == ItemState.WAITING,
        _items.c.turn == taken.turn,
    )
    tx.execute(mine.values(turn=taken.turn + 1, lease_until=None))


def cancel(tx: Connection, batch_id: int, *, scope: Scope, at: datetime) -> int:
    """End what waits in a batch that was cancelled; what is being sealed may still be done. Return how many."""
    mine = scope.only(update(_items), _items).where(_items.c.batch_id == batch_id, _items.c.state == ItemState.WAITING)
    return tx.execute(mine.values(state=ItemState.CANCELLED, ended_at=at)).rowcount


def is_any_left(tx: Connection, batch_id: int, *, scope: Scope) -> bool:
    """Tell whether something waits in a batch."""
    wanted = scope.only(select(_items.c.place), _items).where(
        _items.c.batch_id == batch_id, _items.c.state == ItemState.WAITING
    )
    return tx.execute(wanted.limit(1)).first() is not None


def leftovers(tx: Connection, *, scope: Scope, at: datetime, most: int = 100) -> tuple[tuple[str, Taken], ...]:
    """Return items that whoever took them up left, in batches that were cancelled, each with its batch's reference."""
    wanted = (
        select(batches.c.ref, _items.c.place, _items.c.body, _items.c.terms_digest, _items.c.turn, _items.c.tries)
        .join(batches, batches.c.id == _items.c.batch_id)
        .where(
            and_(_items.c.lease_until.is_not(None), _items.c.lease_until <= at),
            _items.c.state == ItemState.CANCELLED,
        )
    )
    rows = tx.execute(scope.only(wanted, _items).limit(most)).all()
    return tuple(
        (
            row.ref,
            Taken(place=row.place, body=row.body, terms_digest=bytes(row.terms_digest), turn=row.turn, tries=row.tries),
        )
        for row in rows
    )


def let_go(tx: Connection, batch_id: int, place: int, *, scope: Scope) -> None:
    """Forget who had taken up an item that was cancelled: nothing came of it."""
    mine = scope.only(update(_items), _items).where(_items.c.batch_id == batch_id, _items.c.place == place)
    tx.execute(mine.values(lease_until=None))


def listed(
    tx: Connection, batch_id: int, *, scope: Scope, states: tuple[str, ...] = (), after: int = 0, limit: int = 50
) -> tuple[Item, ...]:
    """Return items in the file's order, those behind a place, in some states or in any, and one more than asked for."""
    wanted = scope.only(select(_items), _items).where(_items.c.batch_id == batch_id, _items.c.place > after)
    wanted = wanted.where(_items.c.state.in_(states)) if states else wanted
    rows = tx.execute(wanted.order_by(_items.c.place).limit(limit + 1)).mappings()
    return tuple(map(_item, rows))


def one(tx: Connection, batch_id: int, place: int, *, scope: Scope) -> tuple[Item, str]:
    """Return one item, and its draft (JSON). NotFound."""
    wanted = scope.only(select(_items), _items).where(_items.c.batch_id == batch_id, _items.c.place == place)
    row = tx.execute(wanted).mappings().first()
    if row is None:
        raise NotFound(f"no item {place} of this batch")
    return _item(row), row["body"]


def _item(row: RowMapping) -> Item:
    return Item(
        place=row["place"],
        source=row["source"],
        vins=tuple(row["vins"].split()),
        terms_digest=bytes(row["terms_digest"]),
        state=ItemState(row["state"]),
        number=row["number"],
        error=None if row["error"] is None else Failure.model_validate_json(row["error"]),
        ended_at=row["ended_at"],
    )


def counts(tx: Connection, batch_id: int, *, scope: Scope) -> dict[str, int]:
    """Return how many items stand how: for tests and the doctor, because it reads the index of them all."""
    wanted = scope.only(select(_items.c.state, func.count()), _items).where(_items.c.batch_id == batch_id)
    return {row[0]: int(row[1]) for row in tx.execute(wanted.group_by(_items.c.state))}
