"""Drafts as the register keeps them: every version that was saved, so that what two people wrote can be merged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import delete, func, insert, or_, select, update

from signer.domain.confirmation import Draft
from signer.domain.values import tidy, unprintable
from signer.domain.vehicle import normalise_vin
from signer.errors import Conflict, NotFound
from signer.register import audit, submissions, tables
from signer.register.desk_tables import draft_versions, drafts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection, RowMapping

    from signer.domain.number import Number
    from signer.register.scope import Scope

Also: TypeAlias = "Callable[[Connection, str], None]"
"""What else is done in the transaction that makes something, with its reference."""
State = Literal["open", "waiting", "sealing", "issued", "discarded"]
STATES: tuple[State, ...] = ("open", "waiting", "sealing", "issued", "discarded")
EDITABLE: frozenset[State] = frozenset({"open", "waiting"})
MOST_TITLE = 120
KEPT_VERSIONS = 100
"""How many versions of a draft are kept: a page opened before the oldest of them is merged with less to go by."""
PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One draft of a list: `by` and `at` tell who changed it last, and when; `by_name` is that person's name."""

    id: int
    ref: str
    title: str
    version: int
    state: State
    import_id: int | None
    created_by: str
    created_at: datetime
    by: str
    by_name: str
    at: datetime
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A draft: its head and what it says now."""

    head: Head
    body: Draft


def nothing(_tx: Connection, _ref: str) -> None:
    """Do nothing more in the transaction that makes something."""


def draw_ref(bits: Callable[[int], int]) -> str:
    """Draw a reference for addresses, 16 characters of 64 random bits."""
    return f"{bits(64):016x}"


def create(
    tx: Connection,
    body: Draft,
    *,
    ref: str,
    title: str,
    by: str,
    scope: Scope,
    at: datetime,
    import_id: int | None = None,
) -> None:
    """Add an open draft of one manufacturer, its first version with it."""
    values: dict[str, object] = {
        "ref": ref,
        "manufacturer_id": scope.owner,
        "title": plain(title),
        "import_id": import_id,
    }
    told = {"body": dump(body), "version": 1, "changed_by": by, "changed_at": at}
    values |= {"state": "open", "words": _words(body), "created_by": by, "created_at": at}
    made = insert(drafts).values(**values, **told).returning(drafts.c.id)
    draft_id = int(tx.execute(made).scalar_one())
    tx.execute(insert(draft_versions).values(draft_id=draft_id, **told))
    _note(tx, "draft.created", ref, by=by, scope=scope, at=at)


def get(tx: Connection, ref: str, *, scope: Scope) -> Kept:
    """Return a draft. NotFound."""
    row = tx.execute(scope.only(_heads(drafts.c.body), drafts).where(drafts.c.ref == ref)).mappings().first()
    if row is None:
        raise NotFound(f"no draft {ref!r}")
    return _kept(row)


def _kept(row: RowMapping) -> Kept:
    told = {name: row[name] for name in Head.__dataclass_fields__}
    return Kept(head=Head(**told), body=Draft.model_validate_json(row["body"]))


def version_of(tx: Connection, ref: str, version: int, *, scope: Scope) -> Draft | None:
    """Return what a draft said in one of its versions, None if that is not kept any more. NotFound."""
    kept = get(tx, ref, scope=scope)
    wanted = select(draft_versions.c.body).where(
        draft_versions.c.draft_id == kept.head.id, draft_versions.c.version == version
    )
    found = tx.execute(wanted).scalar()
    return None if found is None else Draft.model_validate_json(found)


def save(
    tx: Connection, kept: Kept, body: Draft, *, title: str, by: str, scope: Scope, at: datetime, is_noted: bool = True
) -> Kept:
    """
    Put a next version in the place of one that was read, and return it.

    If it waited it is open again, and what was sent for approval counts no longer.

    `is_noted`: the audit is told as well; the versions tell of every one. Raises Conflict if the draft is not as it was
    read, or can be changed no more.
    """
    head = kept.head
    refuse_fixed(head)
    told = {"body": dump(body), "version": head.version + 1, "changed_by": by, "changed_at": at}
    change = scope.only(update(drafts), drafts).where(drafts.c.id == head.id, drafts.c.version == head.version)
    if not tx.execute(change.values(state="open", title=plain(title), words=_words(body), **told)).rowcount:
        raise Conflict(f"draft {head.ref} was changed meanwhile")
    tx.execute(insert(draft_versions).values(draft_id=head.id, **told))
    submissions.void_of(tx, head.id, by=by, scope=scope, at=at)
    old = draft_versions.c.version <= head.version + 1 - KEPT_VERSIONS
    tx.execute(delete(draft_versions).where(draft_versions.c.draft_id == head.id, old))
    if is_noted:
        _note(tx, "draft.changed", head.ref, by=by, scope=scope, at=at)
    after = replace(head, title=plain(title), version=head.version + 1, state="open", by=by, at=at)
    return Kept(head=after, body=body)


def set_state(
    tx: Connection, kept: Kept, state: State, *, by: str, scope: Scope, at: datetime, number: Number | None = None
) -> None:
    """
    Move a draft from the state and version in which it was read to another state; `number` for an issued one.

    Raises Conflict if it is not as it was read.
    """
    head = kept.head
    change = scope.only(update(drafts), drafts).where(
        drafts.c.id == head.id, drafts.c.version == head.version, drafts.c.state == head.state
    )
    told: dict[str, str] = {"state": state} | ({} if number is None else {"number": number})
    if not tx.execute(change.values(**told)).rowcount:
        raise Conflict(f"draft {head.ref} was changed meanwhile")
    _note(tx, f"draft.{state}", head.ref, by=by, scope=scope, at=at)


def refuse_fixed(head: Head) -> None:
    """Refuse to change a draft that is being sealed, issued or discarded. Raises Conflict."""
    if head.state not in EDITABLE:
        raise Conflict(f"draft {head.ref} is {head.state}")


def page(
    tx: Connection, *, scope: Scope, states: tuple[State, ...] = STATES, search: str = "", number: int = 1
) -> tuple[Head, ...]:
    """Return one page of a manufacturer's drafts, the last changed first, and the first of the next page if any."""
    rows = tx.execute(_paged(_filtered(_heads(), scope, states, search), number)).mappings()
    return tuple(Head(**{name: row[name] for name in Head.__dataclass_fields__}) for row in rows)


def whole_page(
    tx: Connection, *, scope: Scope, states: tuple[State, ...], search: str = "", number: int = 1
) -> tuple[Kept, ...]:
    """Return one page as `page` does, with what the drafts say, in one question."""
    rows = tx.execute(_paged(_filtered(_heads(drafts.c.body), scope, states, search), number)).mappings()
    return tuple(map(_kept, rows))


def part(
    tx: Connection, *, scope: Scope, states: tuple[State, ...], search: str, before: int, limit: int
) -> tuple[Head, ...]:
    """Return drafts, the newest first, those with an id below `before` (0: all), and one more than asked for."""
    mine = _filtered(_heads(), scope, states, search)
    mine = mine.where(drafts.c.id < before) if before else mine
    rows = tx.execute(mine.order_by(drafts.c.id.desc()).limit(limit + 1)).mappings()
    return tuple(Head(**{name: row[name] for name in Head.__dataclass_fields__}) for row in rows)


def _paged(wanted: Select[tuple[object, ...]], number: int) -> Select[tuple[object, ...]]:
    newest = wanted.order_by(drafts.c.changed_at.desc(), drafts.c.id.desc())
    return newest.limit(PAGE + 1).offset((number - 1) * PAGE)


def counts(tx: Connection, *, scope: Scope) -> dict[State, int]:
    """Return how many drafts a manufacturer has in each state."""
    wanted = scope.only(select(drafts.c.state, func.count()), drafts).group_by(drafts.c.state)
    found = {row[0]: int(row[1]) for row in tx.execute(wanted)}
    return {state: found.get(state, 0) for state in STATES}


def exporters_used(tx: Connection, *, scope: Scope) -> tuple[str, ...]:
    """
    Return the USCCs of the exporters for whom a manufacturer has issued, the last one first.

    It leaps through the index from one exporter to the next: how much was issued for each does not matter.
    """
    heads = tables.confirmations
    first = scope.only(select(func.min(heads.c.exporter_uscc).label("uscc")), heads).cte("leap", recursive=True)
    following = scope.only(select(func.min(heads.c.exporter_uscc)), heads).where(heads.c.exporter_uscc > first.c.uscc)
    leap = first.union_all(select(following.scalar_subquery()).where(first.c.uscc.is_not(None)))
    last = scope.only(select(func.max(heads.c.reserved_at)), heads).where(heads.c.exporter_uscc == leap.c.uscc)
    used = select(leap.c.uscc, last.scalar_subquery().label("last_at")).where(leap.c.uscc.is_not(None)).subquery()
    return tuple(tx.execute(select(used.c.uscc).order_by(used.c.last_at.desc()).limit(500)).scalars())


def dump(body: Draft) -> str:
    """Return a draft as it is stored: JSON under the names of `signer.draft/1`, without absent fields."""
    return body.model_dump_json(by_alias=True, exclude_none=True)


def plain(title: str) -> str:
    """Return a title as it may be shown and kept: without what no text may hold, on one line, bounded."""
    return tidy("".join(" " if unprintable(char) else char for char in title))[:MOST_TITLE]


def _words(body: Draft) -> str:
    """Return what of a draft is searched: contract, exporter, country, buyer, and the VINs."""
    typed = (body.contract, body.exporter, body.destination.country, body.destination.port, body.destination.buyer)
    vins = (normalise_vin(vehicle.vin)[:17] for vehicle in body.vehicles)
    return " ".join(part for part in map(plain, (*typed, *vins)) if part)


def _heads(*more: object) -> Select[tuple[object, ...]]:
    people = tables.people
    told = (drafts.c.changed_by.label("by"), drafts.c.changed_at.label("at"), people.c.name.label("by_name"))
    own = [drafts.c[name] for name in Head.__dataclass_fields__ if name in drafts.c]
    return select(*own, *told, *more).join(people, people.c.id == drafts.c.changed_by)  # type: ignore[call-overload,no-any-return]


def _filtered(
    wanted: Select[tuple[object, ...]], scope: Scope, states: tuple[State, ...], search: str
) -> Select[tuple[object, ...]]:
    wanted = scope.only(wanted, drafts).where(drafts.c.state.in_(states))
    search = plain(search)
    if not search:
        return wanted
    places = (drafts.c.title, drafts.c.words, drafts.c.number)
    return wanted.where(or_(*(func.lower(place).contains(search.lower(), autoescape=True) for place in places)))


def _note(tx: Connection, event: str, ref: str, *, by: str, scope: Scope, at: datetime) -> None:
    audit.note(tx, event, actor=by, subject=ref, at=at, manufacturer_id=scope.owner)
