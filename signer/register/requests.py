"""Exporters' requests: each for one manufacturer, with what both sides said of it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import case, delete, func, insert, or_, select, update

from signer.domain.confirmation import Draft
from signer.domain.request_changes import Version
from signer.domain.webhook import EventType
from signer.errors import Conflict, NotFound
from signer.register import audit, events, tables
from signer.register.desk_tables import drafts
from signer.register.exporter_tables import answer_templates, request_versions, request_words, requests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, ScalarSelect, Select
    from sqlalchemy.engine import Connection

    from signer.domain.requesting import Refusal
    from signer.register.scope import Scope

Kept = Literal["asked", "drafted", "refused", "withdrawn"]
State = Literal["asked", "drafted", "approving", "issued", "refused", "withdrawn"]
Side = Literal["maker", "exporter"]
OPEN: tuple[Kept, ...] = ("asked", "drafted")
STATES: tuple[State, ...] = ("asked", "drafted", "approving", "issued", "refused", "withdrawn")
_OF_DRAFT: Mapping[str, State] = {"open": "drafted", "waiting": "approving", "sealing": "approving", "issued": "issued"}
_MOST = 500
_NUMBER = case((tables.confirmations.c.exporter_uscc == requests.c.exporter_uscc, drafts.c.number))
"""The number of the confirmation that answers a request: a preparer may have named another exporter in its draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One request. `vehicles` counts its vehicles, `wanted` are the places where outlets are wanted, as typed.

    `draft_ref`, `draft_state` and `number` are those of the draft that was made from it; `changes` counts how often its
    exporter changed it.
    """

    id: int
    ref: str
    batch: str
    manufacturer_id: int
    exporter_uscc: str
    body: str
    wanted: str
    needed_by: date
    vehicles: int
    supersedes: str | None
    kept: Kept
    promised_on: date | None
    refusal: Refusal | None
    reason: str | None
    asked_by: str
    asked_at: datetime
    changed_at: datetime
    maker: str
    draft_ref: str | None
    draft_state: str | None
    number: str | None
    changes: int

    @property
    def version(self) -> int:
        """Which version of it this is, from 1 on."""
        return self.changes + 1

    @property
    def wish(self) -> Version:
        """What is asked for in this version."""
        return Version(body=self.draft, wanted=self.wanted, needed_by=self.needed_by)

    @property
    def state(self) -> State:
        """
        How it stands: it follows its draft.

        One whose draft was discarded, or was issued to another exporter, is asked again.
        """
        if self.kept != "drafted":
            return self.kept
        if self.draft_state == "issued" and self.number is None:
            return "asked"
        return _OF_DRAFT.get(self.draft_state or "", "asked")

    @property
    def draft(self) -> Draft:
        """What was asked for, as a draft."""
        return Draft.model_validate_json(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A request to be added; `body` says vehicles and destination."""

    ref: str
    batch: str
    exporter_uscc: str
    body: Draft
    wanted: str
    needed_by: date
    supersedes: str | None
    asked_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    Which part of a list of requests: in which states, of which batch ('': of any), and at most how many.

    They come the newest first, those with an id below `before` (0: all); or, if `soonest`, by their last useful day,
    those `after` a day and an id (None: all).
    """

    states: tuple[State, ...] = STATES
    batch: str = ""
    limit: int = _MOST
    before: int = 0
    soonest: bool = False
    after: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that one side said."""

    side: Side
    name: str
    said_at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What was asked for before the exporter changed it; who changed it, and when."""

    version: int
    wish: Version
    name: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An answer that a manufacturer gives often."""

    id: int
    title: str
    text: str


def add(tx: Connection, new: New, *, scope: Scope, at: datetime) -> None:
    """Add a request to one manufacturer."""
    told = {name: getattr(new, name) for name in New.__dataclass_fields__ if name != "body"}
    body = new.body.model_dump_json(by_alias=True, exclude_none=True)
    values = {"body": body, "vehicles": len(new.body.vehicles), "state": "asked", "asked_at": at, "changed_at": at}
    tx.execute(insert(requests).values(manufacturer_id=scope.owner, **told, **values))
    events.tell(tx, EventType.REQUEST_CREATED, manufacturer_id=scope.owner, at=at, ref=new.ref)
    _note(tx, "request.asked", new.ref, by=new.asked_by, at=at, scope=scope, exporter=new.exporter_uscc)


def get(tx: Connection, ref: str, *, scope: Scope, exporter: str | None = None) -> Request:
    """Return a request in a scope, and (if one is named) of one exporter. NotFound."""
    wanted = scope.only(_all(), requests).where(requests.c.ref == ref)
    row = tx.execute(_of(wanted, exporter)).mappings().first()
    if row is None:
        raise NotFound(f"no request {ref!r}")
    return Request(**dict(row))


def listed(
    tx: Connection, *, scope: Scope, exporter: str | None = None, open_only: bool = False
) -> tuple[Request, ...]:
    """
    Return requests in a scope and of an exporter.

    The open ones come by their last useful day, all of them the newest first; an issued one is open no more.
    """
    wanted = _of(scope.only(_all(), requests), exporter)
    if open_only:
        is_open = requests.c.state.in_(OPEN) & _NUMBER.is_(None)
        wanted = wanted.where(is_open).order_by(requests.c.needed_by, requests.c.id)
    else:
        wanted = wanted.order_by(requests.c.id.desc())
    return tuple(Request(**dict(row)) for row in tx.execute(wanted.limit(_MOST)).mappings())


def part(tx: Connection, wanted: Part, *, scope: Scope, exporter: str | None = None) -> tuple[Request, ...]:
    """Return a part of the requests in a scope and of an exporter, and one more than asked for."""
    mine = _of(scope.only(_all(), requests), exporter).where(or_(*map(_is, wanted.states)))
    if wanted.batch:
        mine = mine.where(requests.c.batch == wanted.batch)
    own = requests.c
    if wanted.soonest:
        mine = mine.order_by(own.needed_by, own.id)
        if wanted.after is not None:
            day, last = wanted.after
            mine = mine.where((own.needed_by > day) | ((own.needed_by == day) & (own.id > last)))
    else:
        mine = mine.order_by(own.id.desc())
        mine = mine.where(own.id < wanted.before) if wanted.before else mine
    return tuple(Request(**dict(row)) for row in tx.execute(mine.limit(wanted.limit + 1)).mappings())


def _is(state: State) -> ColumnElement[bool]:
    """Tell whether a request stands so, as `Request.state` does."""
    kept, ways = requests.c.state, [one for one, of in _OF_DRAFT.items() if of == state]
    is_followed = (kept == "drafted") & drafts.c.state.in_(ways)
    if state == "asked":
        return (kept == "asked") | ((kept == "drafted") & drafts.c.state.not_in(list(_OF_DRAFT)))
    return is_followed if ways else kept == state


def of_draft(tx: Connection, draft_ref: str, *, scope: Scope) -> Request | None:
    """Return the request from which a draft was made, None for other drafts."""
    row = tx.execute(scope.only(_all(), requests).where(drafts.c.ref == draft_ref)).mappings().first()
    return None if row is None else Request(**dict(row))


def of_number(tx: Connection, number: str, *, scope: Scope) -> Request | None:
    """Return the request that a confirmation answers, None for others, and for one that names another exporter."""
    mine = drafts.c.number == number, _NUMBER.is_not(None)
    row = tx.execute(scope.only(_all(), requests).where(*mine)).mappings().first()
    return None if row is None else Request(**dict(row))


def asked_since(tx: Connection, exporter: str, since: datetime, *, scope: Scope) -> int:
    """Return how many requests an exporter has sent since an instant."""
    wanted = scope.only(select(func.count()).select_from(requests), requests)
    wanted = wanted.where(requests.c.exporter_uscc == exporter, requests.c.asked_at > since)
    return int(tx.execute(wanted).scalar_one())


def change(
    tx: Connection, found: Request, event: str, told: Mapping[str, Any], *, by: str, scope: Scope, at: datetime
) -> None:
    """Move a request on, from the state in which it was read. Conflict if it is not so any more."""
    mine = update(requests).where(
        requests.c.id == found.id, requests.c.state == found.kept, requests.c.changed_at == found.changed_at
    )
    if not tx.execute(scope.only(mine, requests).values(changed_at=at, **told)).rowcount:
        raise Conflict("this request was changed meanwhile")
    _note(tx, f"request.{event}", found.ref, by=by, at=at, scope=scope)


def rewrite(tx: Connection, found: Request, wish: Version, *, by: str, scope: Scope, at: datetime) -> None:
    """
    Change what is asked for, and keep what was; the request waits for an answer again if its draft was discarded.

    Conflict if it is answered, or changed meanwhile.
    """
    if found.state != "asked":
        raise Conflict(f"this request is {found.state}")
    former = {"body": found.body, "wanted": found.wanted, "needed_by": found.needed_by, "version": found.version}
    owned = {"request_id": found.id, "manufacturer_id": found.manufacturer_id}
    tx.execute(insert(request_versions).values(changed_by=by, changed_at=at, **owned, **former))
    if found.kept != "asked":
        mine = scope.only(update(requests), requests).where(requests.c.id == found.id, requests.c.state == found.kept)
        tx.execute(mine.values(state="asked", draft_id=None))
    body = wish.body.model_dump_json(by_alias=True, exclude_none=True)
    told = {"body": body, "vehicles": len(wish.body.vehicles), "wanted": wish.wanted, "needed_by": wish.needed_by}
    mine = scope.only(update(requests), requests).where(requests.c.id == found.id, requests.c.state == "asked")
    if not tx.execute(mine.values(changed_at=at, **told)).rowcount:
        raise Conflict("this request was changed meanwhile")
    _note(tx, "request.changed", found.ref, by=by, at=at, scope=scope, version=str(found.version + 1))


def former(tx: Connection, found: Request, *, scope: Scope) -> tuple[Former, ...]:
    """Return what was asked for before, the oldest first."""
    people, own = tables.people, request_versions
    names = select(own.c.version, own.c.body, own.c.wanted, own.c.needed_by, own.c.changed_at, people.c.name)
    wanted = names.join(people, people.c.id == own.c.changed_by).where(own.c.request_id == found.id)
    return tuple(
        Former(
            version=row.version,
            wish=Version(body=Draft.model_validate_json(row.body), wanted=row.wanted, needed_by=row.needed_by),
            name=row.name,
            changed_at=row.changed_at,
        )
        for row in tx.execute(scope.only(wanted, own).order_by(own.c.version))
    )


def link(tx: Connection, found: Request, draft_ref: str, *, by: str, scope: Scope, at: datetime) -> None:
    """Let a request follow a draft that was made from it. Conflict."""
    draft_id = tx.execute(scope.only(select(drafts.c.id), drafts).where(drafts.c.ref == draft_ref)).scalar_one()
    told = {"state": "drafted", "draft_id": draft_id, "decided_by": by}
    change(tx, found, "drafted", told, by=by, scope=scope, at=at)


def say(tx: Connection, found: Request, side: Side, text: str, *, by: str, scope: Scope, at: datetime) -> None:
    """Add what one side says."""
    told = {"request_id": found.id, "manufacturer_id": found.manufacturer_id, "side": side, "said_by": by}
    tx.execute(insert(request_words).values(said_at=at, text=text, **told))
    _note(tx, "request.said", found.ref, by=by, at=at, scope=scope, side=side)


def thread(tx: Connection, found: Request, *, scope: Scope) -> tuple[Said, ...]:
    """Return what both sides said, the oldest first."""
    people = tables.people
    names = select(request_words.c.side, people.c.name, request_words.c.said_at, request_words.c.text)
    wanted = names.join(people, people.c.id == request_words.c.said_by).where(request_words.c.request_id == found.id)
    rows = tx.execute(scope.only(wanted, request_words).order_by(request_words.c.id)).mappings()
    return tuple(Said(**dict(row)) for row in rows)


def said_count(tx: Connection, found: Request, *, scope: Scope, side: Side, since: datetime | None = None) -> int:
    """Return how many words one side said, in all or since an instant."""
    wanted = scope.only(select(func.count()).select_from(request_words), request_words)
    wanted = wanted.where(request_words.c.request_id == found.id, request_words.c.side == side)
    wanted = wanted if since is None else wanted.where(request_words.c.said_at > since)
    return int(tx.execute(wanted).scalar_one())


def templates(tx: Connection, *, scope: Scope) -> tuple[Template, ...]:
    """Return a manufacturer's usual answers, by title."""
    wanted = select(answer_templates.c.id, answer_templates.c.title, answer_templates.c.text)
    rows = tx.execute(scope.only(wanted, answer_templates).order_by(answer_templates.c.title, answer_templates.c.id))
    return tuple(Template(**dict(row)) for row in rows.mappings())


def keep_template(tx: Connection, title: str, text: str, *, by: str, scope: Scope, at: datetime) -> None:
    """Add a usual answer."""
    told = {"manufacturer_id": scope.owner, "title": title, "text": text, "changed_at": at}
    tx.execute(insert(answer_templates).values(**told))
    _note(tx, "answer.kept", title, by=by, at=at, scope=scope)


def drop_template(tx: Connection, template_id: int, *, by: str, scope: Scope, at: datetime) -> None:
    """Remove a usual answer. NotFound."""
    mine = scope.only(delete(answer_templates), answer_templates).where(answer_templates.c.id == template_id)
    if not tx.execute(mine).rowcount:
        raise NotFound("no such answer")
    _note(tx, "answer.dropped", str(template_id), by=by, at=at, scope=scope)


def _changes() -> ScalarSelect[int]:
    counted = select(func.count()).select_from(request_versions)
    return counted.where(request_versions.c.request_id == requests.c.id).scalar_subquery()


def _of(wanted: Select[Any], exporter: str | None) -> Select[Any]:
    return wanted if exporter is None else wanted.where(requests.c.exporter_uscc == exporter)


def _all() -> Select[Any]:
    own = [requests.c[name] for name in Request.__dataclass_fields__ if name in requests.c]
    told = (
        requests.c.state.label("kept"),
        tables.manufacturers.c.uscc.label("maker"),
        drafts.c.ref.label("draft_ref"),
        drafts.c.state.label("draft_state"),
        _NUMBER.label("number"),
        _changes().label("changes"),
    )
    made = select(*own, *told).join(tables.manufacturers, tables.manufacturers.c.id == requests.c.manufacturer_id)
    made = made.outerjoin(drafts, drafts.c.id == requests.c.draft_id)
    return made.outerjoin(tables.confirmations, tables.confirmations.c.number == drafts.c.number)


def _note(tx: Connection, event: str, ref: str, *, by: str, at: datetime, scope: Scope, **fields: str) -> None:
    whose = scope.manufacturer_id
    audit.note(tx, event, actor=by, subject=ref, at=at, manufacturer_id=whose, **fields)
