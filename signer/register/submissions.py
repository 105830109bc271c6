"""What was sent for approval: canonical terms and their digest, who prepared and sent them, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, insert, select, update

from signer.domain.webhook import EventType
from signer.errors import Conflict, NotFound
from signer.register import audit, events
from signer.register.desk_tables import drafts, submissions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

State = Literal["waiting", "approved", "returned", "voided", "issued"]
Why = Literal["edited", "taken-back", "changed-since"]
"""Why a submission counts no longer, though nobody sent it back."""
OPEN: tuple[State, ...] = ("waiting", "approved")
MOST_REASON = 400
_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """
    One submission: `terms` is the canonical text, `draft_ref`, `title` and `number` are the draft's.

    `reason` is a person's when it was returned, a `Why` when it was voided; `error` tells what failed, or changed.
    `external_ref` is the approver's own reference elsewhere (a ticket of an office system), if one was given.
    """

    id: int
    ref: str
    draft_id: int
    draft_ref: str
    title: str
    number: str | None
    manufacturer_id: int
    version: int
    terms: str
    terms_digest: bytes
    needed_by: date
    prepared_by: str
    sent_by: str
    sent_at: datetime
    state: State
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    factor: str | None
    external_ref: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is sent: which version of which draft (by id), its terms, and by whom; `prepared_by` saved it last."""

    ref: str
    draft_id: int
    version: int
    terms: str
    terms_digest: bytes
    needed_by: date
    prepared_by: str
    sent_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Whose word it is, by which factor it was given (`token`: by a machine), and its reference elsewhere."""

    by: str
    factor: str
    external_ref: str = ""


def add(tx: Connection, sent: Sent, *, scope: Scope, at: datetime) -> None:
    """Add a submission that waits. Conflict if one of the same draft waits already."""
    told = {name: getattr(sent, name) for name in Sent.__dataclass_fields__}
    tx.execute(insert(submissions).values(manufacturer_id=scope.owner, sent_at=at, state="waiting", **told))
    events.tell(tx, EventType.APPROVAL_REQUESTED, manufacturer_id=scope.owner, at=at, ref=sent.ref)
    _note(tx, "submission.sent", sent.ref, by=sent.sent_by, at=at, scope=scope, terms=sent.terms_digest.hex())


def get(tx: Connection, ref: str, *, scope: Scope) -> Submission:
    """Return a submission. NotFound, also for another manufacturer's."""
    row = tx.execute(scope.only(_all(), submissions).where(submissions.c.ref == ref)).mappings().first()
    if row is None:
        raise NotFound(f"nothing was sent under {ref!r}")
    return Submission(**row)


def waiting(tx: Connection, *, scope: Scope) -> tuple[Submission, ...]:
    """Return what waits or is being sealed, the most urgent first: by its last useful day, then as sent."""
    mine = scope.only(_all(), submissions).where(submissions.c.state.in_(OPEN))
    rows = tx.execute(mine.order_by(submissions.c.needed_by, submissions.c.id).limit(500)).mappings()
    return tuple(Submission(**row) for row in rows)


def waiting_count(tx: Connection, *, scope: Scope) -> int:
    """Return how many wait or are being sealed, without reading what they say."""
    counted = scope.only(select(func.count()).select_from(submissions), submissions)
    return int(tx.execute(counted.where(submissions.c.state.in_(OPEN))).scalar_one())


def decided(tx: Connection, *, scope: Scope) -> tuple[Submission, ...]:
    """Return what was decided last, the newest first: one page."""
    mine = scope.only(_all(), submissions).where(submissions.c.state.not_in(OPEN))
    rows = tx.execute(mine.order_by(submissions.c.id.desc()).limit(_PAGE)).mappings()
    return tuple(Submission(**row) for row in rows)


def part(tx: Connection, *, scope: Scope, states: tuple[State, ...], before: int, limit: int) -> tuple[Submission, ...]:
    """Return submissions in some states, the newest first, those with an id below `before` (0: all), and one more."""
    mine = scope.only(_all(), submissions).where(submissions.c.state.in_(states))
    mine = mine.where(submissions.c.id < before) if before else mine
    rows = tx.execute(mine.order_by(submissions.c.id.desc()).limit(limit + 1)).mappings()
    return tuple(Submission(**row) for row in rows)


def before(tx: Connection, found: Submission, *, scope: Scope) -> Submission | None:
    """Return what was sent of the same draft before a submission, None if that was the first."""
    mine = scope.only(_all(), submissions).where(submissions.c.draft_id == found.draft_id, submissions.c.id < found.id)
    row = tx.execute(mine.order_by(submissions.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else Submission(**row)


def of_draft(tx: Connection, draft_ref: str, *, scope: Scope) -> tuple[Submission, ...]:
    """Return what was sent of a draft, the newest first."""
    mine = scope.only(_all(), submissions).where(drafts.c.ref == draft_ref)
    rows = tx.execute(mine.order_by(submissions.c.id.desc()).limit(_PAGE)).mappings()
    return tuple(Submission(**row) for row in rows)


def sealing(tx: Connection, *, scope: Scope, before: datetime) -> tuple[Submission, ...]:
    """Return what was approved at an instant or before and is still not sealed, the oldest first."""
    mine = scope.only(_all(), submissions).where(submissions.c.state == "approved", submissions.c.decided_at <= before)
    return tuple(Submission(**row) for row in tx.execute(mine.order_by(submissions.c.id)).mappings())


def approve(tx: Connection, found: Submission, given: Given, *, scope: Scope, at: datetime) -> None:
    """Let a waiting submission be sealed on a person's word. Conflict if it waits no more, or by whom it was sent."""
    told = {"state": "approved", "decided_by": given.by, "decided_at": at, "factor": given.factor, "error": None}
    elsewhere = given.external_ref or None
    _move(tx, found, "waiting", told | {"external_ref": elsewhere}, scope=scope)
    fields = {"terms": found.terms_digest.hex(), "factor": given.factor}
    fields |= {"external_ref": elsewhere} if elsewhere else {}
    _note(tx, "submission.approved", found.ref, by=given.by, at=at, scope=scope, **fields)


def send_back(tx: Connection, found: Submission, *, by: str, reason: str, scope: Scope, at: datetime) -> None:
    """Return a waiting submission to its preparer. Conflict if it waits no more, or by whom it was sent."""
    told = {"state": "returned", "decided_by": by, "decided_at": at, "reason": reason[:MOST_REASON]}
    _move(tx, found, "waiting", told, scope=scope)
    _tell_voided(tx, found, "returned", at=at)
    _note(tx, "submission.returned", found.ref, by=by, at=at, scope=scope, reason=reason[:MOST_REASON])


def void(tx: Connection, found: Submission, *, by: str, why: Why, scope: Scope, at: datetime, words: str = "") -> None:
    """Let a submission count no longer. Conflict if it is not as it was read."""
    told: dict[str, object] = {"state": "voided", "reason": why, "error": words[:MOST_REASON] or None}
    if found.state == "waiting":
        told |= {"decided_by": by, "decided_at": at}
    _move(tx, found, found.state, told, scope=scope)
    _tell_voided(tx, found, why, at=at)
    _note(tx, "submission.voided", found.ref, by=by, at=at, scope=scope, reason=why)


def void_of(tx: Connection, draft_id: int, *, by: str, scope: Scope, at: datetime) -> None:
    """Let what waits of a draft (by id) count no longer, because the draft was edited."""
    mine = scope.only(_all(), submissions).where(submissions.c.draft_id == draft_id, submissions.c.state == "waiting")
    for row in tx.execute(mine).mappings().all():
        void(tx, Submission(**row), by=by, why="edited", scope=scope, at=at)


def wait_again(tx: Connection, found: Submission, *, error: str, scope: Scope, at: datetime) -> None:
    """Let an approved submission wait again, because its sealing failed and left nothing."""
    told = {"state": "waiting", "decided_by": None, "decided_at": None, "factor": None, "error": error[:MOST_REASON]}
    _move(tx, found, "approved", told, scope=scope)
    _note(tx, "submission.failed", found.ref, by="signer", at=at, scope=scope, error=error[:MOST_REASON])


def finish(tx: Connection, found: Submission, *, number: str, scope: Scope, at: datetime) -> None:
    """Record that an approved submission was issued."""
    _move(tx, found, "approved", {"state": "issued", "error": None}, scope=scope)
    by = found.decided_by or ""
    _note(tx, "submission.issued", found.ref, by=by, at=at, scope=scope, number=number)


def refuse_unapproved(tx: Connection, ref: str, terms_digest: bytes, *, scope: Scope) -> None:
    """Refuse to reserve a number unless exactly these terms are approved, and hold them so. Conflict."""
    mine = update(submissions).where(
        submissions.c.ref == ref,
        submissions.c.state == "approved",
        submissions.c.terms_digest == terms_digest,
    )
    if not tx.execute(scope.only(mine, submissions).values(state="approved")).rowcount:
        raise Conflict("these terms are not approved, or not any more")


def _move(tx: Connection, found: Submission, state: State, told: Mapping[str, object], *, scope: Scope) -> None:
    decided_at = submissions.c.decided_at
    is_same = decided_at.is_(None) if found.decided_at is None else decided_at == found.decided_at
    mine = update(submissions).where(submissions.c.id == found.id, submissions.c.state == state, is_same)
    if not tx.execute(scope.only(mine, submissions).values(**told)).rowcount:
        raise Conflict("somebody has decided this meanwhile")


def _tell_voided(tx: Connection, found: Submission, why: str, *, at: datetime) -> None:
    events.tell(tx, EventType.APPROVAL_VOIDED, manufacturer_id=found.manufacturer_id, at=at, ref=found.ref, reason=why)


def _all() -> Select[tuple[object, ...]]:
    own = [submissions.c[name] for name in Submission.__dataclass_fields__ if name in submissions.c]
    told = (drafts.c.ref.label("draft_ref"), drafts.c.title, drafts.c.number)
    return select(*own, *told).join(drafts, drafts.c.id == submissions.c.draft_id)


def _note(tx: Connection, event: str, ref: str, *, by: str, at: datetime, scope: Scope, **fields: str) -> None:
    audit.note(tx, event, actor=by, subject=ref, at=at, manufacturer_id=scope.owner, **fields)
