"""Confirmations, their lines and claims: the two transactions of issuing, and what may end them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import Integer, and_, bindparam, delete, func, insert, literal_column, select, update

from signer.domain import content as encoding
from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.domain.status_list import Status
from signer.errors import Conflict, NotFound, SelfCheckFailed
from signer.register import audit, log, status_lists, tables
from signer.register.database import together
from signer.register.ready import Ready
from signer.register.scope import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.domain.confirmation import Confirmation
    from signer.domain.vehicle import Vin
    from signer.register.audit import SealUse
    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Two people's word on exactly these terms (SHA-256 of their encoding)."""

    terms_digest: bytes
    preparer_id: str
    approver_id: str
    approved_at: datetime
    external_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An idempotency key, scoped to a manufacturer and an operation, and the SHA-256 of what came with it."""

    operation: str
    key: str
    payload_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What transaction 1 writes."""

    approval: Approval
    confirmation: Confirmation
    encoded: bytes
    renderer_digest: bytes
    key: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A reserved number whose sealing has not been recorded, and what it takes to go on."""

    number: Number
    manufacturer_id: int
    encoded: bytes
    renderer_digest: bytes
    seal_digest: str
    preparer_id: str
    approver_id: str
    reserved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A file as `files` keeps it; S is the sealed prefix of `sealed_length` bytes."""

    file_digest: bytes
    sealed_digest: bytes
    sealed_length: int
    size: int
    level: str
    timestamp_at: datetime | None


_claims, _heads, _lines = tables.vin_claims, tables.confirmations, tables.lines
_APPROVE = Ready(insert(tables.approvals).inline())
_newest_approval = select(func.max(tables.approvals.c.id)).where(tables.approvals.c.terms_digest == bindparam("terms"))
_RESERVE = Ready(insert(_heads).values(approval_id=_newest_approval.scalar_subquery()).returning(_heads.c.id))
_LIST = Ready(insert(_lines).inline())
_CLAIM = Ready(
    insert(_claims).from_select(
        ["manufacturer_id", "vin", "slot", "confirmation_id"],
        select(
            bindparam("manufacturer", type_=Integer), _lines.c.vin, literal_column("'next'"), _lines.c.confirmation_id
        ).where(_lines.c.confirmation_id == bindparam("of")),
    )
)
_KEY = Ready(insert(tables.idempotency).inline())
_KEYED = Ready(
    select(tables.idempotency.c.payload_digest, _heads.c.number)
    .join(_heads, _heads.c.id == tables.idempotency.c.confirmation_id)
    .where(
        tables.idempotency.c.manufacturer_id == bindparam("maker"),
        tables.idempotency.c.operation == bindparam("operation"),
        tables.idempotency.c.key == bindparam("key"),
    )
)
_PENDING = Ready(
    select(_heads.c.id, _heads.c.manufacturer_id, _heads.c.standing, _claims.c.confirmation_id.label("older"))
    .join(_lines, _lines.c.confirmation_id == _heads.c.id)
    .outerjoin(
        _claims,
        and_(
            _claims.c.vin == _lines.c.vin,
            _claims.c.manufacturer_id == _heads.c.manufacturer_id,
            _claims.c.slot == "live",
        ),
    )
    .where(_heads.c.number == bindparam("number"))
    .distinct()
)
_FILE = Ready(insert(tables.files).inline())
_its_vins = select(_lines.c.vin).where(_lines.c.confirmation_id == bindparam("of")).scalar_subquery()
_next_of = and_(
    _claims.c.vin.in_(_its_vins),
    _claims.c.manufacturer_id == bindparam("manufacturer"),
    _claims.c.slot == "next",
    _claims.c.confirmation_id == bindparam("of"),
)
_TO_LIVE = Ready(update(_claims).where(_next_of).values(slot="live"))
_GIVE_BACK = Ready(delete(_claims).where(_next_of))
_ISSUE = Ready(
    update(_heads).where(_heads.c.id == bindparam("of")).values(standing=Standing.ISSUED, recorded_at=bindparam("at"))
)
_ISSUE_LINES = Ready(update(_lines).where(_lines.c.confirmation_id == bindparam("of")).values(standing=Standing.ISSUED))


@lru_cache(maxsize=64)
def _claims_of(count: int) -> Ready:
    """Return the question for the claims on so many VINs."""
    return Ready(
        select(_claims.c.vin, _claims.c.slot, _heads.c.number)
        .join(_heads, _heads.c.id == _claims.c.confirmation_id)
        .where(
            _claims.c.manufacturer_id == bindparam("manufacturer"),
            _claims.c.vin.in_([bindparam(f"vin_{place}") for place in range(count)]),
        )
    )


def claims_of(tx: Connection, vins: Iterable[str], *, scope: Scope) -> dict[str, Number]:
    """Return the numbers under which VINs are in force for one manufacturer."""
    return _claimed(tx, vins, scope=scope)["live"]


def _claimed(tx: Connection, vins: Iterable[str], *, scope: Scope) -> dict[str, dict[str, Number]]:
    """Return the numbers that hold VINs, by slot and VIN."""
    asked = {f"vin_{place}": vin for place, vin in enumerate(vins)}
    found: dict[str, dict[str, Number]] = {"live": {}, "next": {}}
    if not asked:
        return found
    for vin, slot, number in _claims_of(len(asked)).execute(tx, {"manufacturer": scope.owner, **asked}).fetchall():
        found[slot][vin] = Number(number)
    return found


def keyed(tx: Connection, key: Key, *, scope: Scope) -> Number | None:
    """Return the number that a key stands for; Conflict if it came with another payload."""
    row = _KEYED.first(tx, {"maker": scope.owner, "operation": key.operation, "key": key.key})
    if row is None:
        return None
    if row.payload_digest != key.payload_digest:
        raise Conflict("this idempotency key was used with another payload")
    return Number(row.number)


def reserve(tx: Connection, made: Reservation, *, scope: Scope, at: datetime, randbelow: Callable[[int], int]) -> int:
    """
    Write transaction 1: number, content, approval, pending lines, claims in slot `next`, status index, intent leaf.

    Returns the confirmation's id. Conflict if a VIN is being sealed elsewhere, or is in force under a
    number that these terms do not supersede.
    """
    terms = made.confirmation.terms
    _refuse_claimed(tx, made, scope)
    content_digest = encoding.content_digest(made.encoded)
    terms_digest = bytes.fromhex(made.confirmation.terms_digest)
    head = {
        "number": made.confirmation.number,
        "manufacturer_id": scope.owner,
        "exporter_uscc": terms.exporter.uscc,
        "terms": made.approval.terms_digest,
        "content": made.encoded,
        "content_digest": content_digest,
        "terms_digest": terms_digest,
        "renderer_digest": made.renderer_digest,
        "seal_digest": terms.seal.certificate_digest,
        "supersedes": terms.supersedes,
        "standing": Standing.PENDING,
        "reserved_at": at,
    }
    with together(tx):
        _APPROVE.execute(tx, {"manufacturer_id": scope.owner, **_fields(made.approval)})
        (confirmation_id,) = _RESERVE.execute(tx, head).fetchone() or (0,)
        _claim(tx, terms.vins, confirmation_id, manufacturer_id=scope.owner)
        log.queue(tx, "intent", confirmation_id=confirmation_id, digest=content_digest, at=at)
        if made.key is not None:
            owned = {"manufacturer_id": scope.owner, "confirmation_id": confirmation_id, "created_at": at}
            _KEY.execute(tx, {**owned, **_fields(made.key)})
        status_lists.take(tx, confirmation_id, randbelow)
    return int(confirmation_id)


def _claim(tx: Connection, vins: tuple[Vin, ...], confirmation_id: int, *, manufacturer_id: int) -> None:
    line = {"confirmation_id": confirmation_id, "standing": Standing.PENDING}
    _LIST.execute_many(tx, [{**line, "position": place, "vin": vin} for place, vin in enumerate(vins, start=1)])
    _CLAIM.execute(tx, {"manufacturer": manufacturer_id, "of": confirmation_id})


def _fields(record: Approval | Key | SealedFile) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _refuse_claimed(tx: Connection, made: Reservation, scope: Scope) -> None:
    """Refuse what is in force under a number that these terms do not supersede, or is being sealed under another."""
    terms = made.confirmation.terms
    claimed = _claimed(tx, terms.vins, scope=scope)
    for vin, number in claimed["live"].items():
        if number != terms.supersedes:
            raise Conflict(f"VIN {vin} is in force under {number}; to replace it, say so: supersedes {number}")
    if terms.supersedes is not None and not claimed["live"]:
        raise Conflict(f"{terms.supersedes} has none of these vehicles in force; there is nothing to supersede")
    for vin in claimed["next"]:
        raise Conflict(f"VIN {vin} is being sealed right now under another number; wait until that ends")


def record(tx: Connection, number: Number, file: SealedFile, use: SealUse, *, scope: Scope, at: datetime) -> None:
    """
    Write transaction 2: files, seal register, next -> live, predecessor's lines ended, pending -> issued.

    Conflict if the record is no longer pending (it was abandoned meanwhile).
    """
    found = _PENDING.execute(tx, {"number": number}).fetchall()
    if not found or not scope.admits(found[0][1]):
        raise unknown(number)
    mine, manufacturer_id, standing, _ = found[0]
    if standing != Standing.PENDING:
        raise Conflict(f"{number} is not pending any more")
    if older := [row[3] for row in found if row[3] is not None]:
        _end_predecessors(tx, older, mine, manufacturer_id=manufacturer_id, successor=number, at=at)
    with together(tx):
        _FILE.execute(tx, {"confirmation_id": mine, "kind": "sealed", "made_at": at, **_fields(file)})
        audit.note_seal_use(tx, use, manufacturer_id=manufacturer_id)
        _TO_LIVE.execute(tx, {"of": mine, "manufacturer": manufacturer_id})
        _ISSUE.execute(tx, {"of": mine, "at": at})
        _ISSUE_LINES.execute(tx, {"of": mine})
        status_lists.put(tx, mine, Status.IN_FORCE)
        log.queue(tx, "issued", confirmation_id=mine, digest=file.sealed_digest, at=at)
        audit.queue_notice(tx, "confirmation.issued", manufacturer_id=manufacturer_id, number=number, at=at)
        audit.note(
            tx,
            "confirmation.issued",
            actor=use.approver_id,
            subject=number,
            at=at,
            manufacturer_id=manufacturer_id,
        )


def _end_predecessors(
    tx: Connection, older: list[int], newer: int, *, manufacturer_id: int, successor: Number, at: datetime
) -> None:
    claims, heads, lines = tables.vin_claims, tables.confirmations, tables.lines
    vins = tuple(tx.execute(select(lines.c.vin).where(lines.c.confirmation_id == newer)).scalars())
    live = and_(claims.c.manufacturer_id == manufacturer_id, claims.c.slot == "live", claims.c.vin.in_(vins))
    tx.execute(delete(claims).where(live))
    for confirmation_id in older:
        mine = and_(lines.c.confirmation_id == confirmation_id, lines.c.vin.in_(vins))
        ended = {"standing": Standing.SUPERSEDED, "ended_at": at, "successor": successor}
        tx.execute(update(lines).where(mine).values(**ended))
        close_if_ended(tx, confirmation_id, at=at)
        status_lists.settle(tx, confirmation_id)
        row = tx.execute(select(heads).where(heads.c.id == confirmation_id)).one()
        log.queue_end(tx, "supersede", confirmation_id=confirmation_id, at=at)
        audit.queue_notice(tx, "confirmation.superseded", manufacturer_id=manufacturer_id, number=row.number, at=at)
        audit.note(
            tx,
            "confirmation.superseded",
            actor="signer",
            subject=row.number,
            at=at,
            manufacturer_id=manufacturer_id,
            successor=successor,
        )


def close_if_ended(tx: Connection, confirmation_id: int, *, at: datetime) -> None:
    """End a confirmation whose last line has ended: superseded if any line was, else withdrawn."""
    lines, heads = tables.lines, tables.confirmations
    found = set(tx.execute(select(lines.c.standing).where(lines.c.confirmation_id == confirmation_id)).scalars())
    if found <= {Standing.SUPERSEDED, Standing.WITHDRAWN}:
        standing = Standing.SUPERSEDED if Standing.SUPERSEDED in found else Standing.WITHDRAWN
        tx.execute(update(heads).where(heads.c.id == confirmation_id).values(standing=standing, ended_at=at))


def abandon(
    tx: Connection, number: Number, *, scope: Scope, reason: str, at: datetime, actor: str = "signer", second: str = ""
) -> bool:
    """End a pending record for ever: its sealing did not complete. Tell whether it was pending."""
    heads, lines = tables.confirmations, tables.lines
    head = tx.execute(scope.only(select(heads).where(heads.c.number == number), heads)).first()
    if head is None:
        raise unknown(number)
    if head.standing != Standing.PENDING:
        return False
    ended = {"standing": Standing.ABANDONED, "ended_at": at}
    tx.execute(update(heads).where(heads.c.id == head.id).values(end_reason=reason[:200], **ended))
    tx.execute(update(lines).where(lines.c.confirmation_id == head.id).values(**ended))
    _GIVE_BACK.execute(tx, {"of": head.id, "manufacturer": head.manufacturer_id})
    status_lists.put(tx, head.id, Status.ENDED)
    log.queue(tx, "abandon", confirmation_id=head.id, digest=head.content_digest, at=at)
    told = {"actor": actor, "subject": number, "at": at, "manufacturer_id": head.manufacturer_id}
    audit.note(tx, "confirmation.abandoned", reason=reason[:200], second=second, **told)
    return True


def pending(tx: Connection, *, scope: Scope, before: datetime, after: datetime | None = None) -> tuple[Number, ...]:
    """Return the numbers that are still pending since an instant or before (and after another), the oldest first."""
    heads = tables.confirmations
    wanted = select(heads.c.number).where(tables.IS_PENDING, heads.c.reserved_at <= before)
    if after is not None:
        wanted = wanted.where(heads.c.reserved_at > after)
    wanted = scope.only(wanted, heads).order_by(heads.c.reserved_at)
    return tuple(Number(number) for number in tx.execute(wanted).scalars())


def failed_checks(tx: Connection, *, scope: Scope, since: datetime) -> tuple[tuple[Number, str], ...]:
    """Return the numbers that were abandoned since because their sealed file did not pass, and why, newest first."""
    heads = tables.confirmations
    is_failed = heads.c.end_reason.like(f"{SelfCheckFailed.code}:%")
    wanted = select(heads.c.number, heads.c.end_reason).where(
        heads.c.standing == Standing.ABANDONED, heads.c.ended_at >= since, is_failed
    )
    rows = tx.execute(scope.only(wanted, heads).order_by(heads.c.ended_at.desc()).limit(20))
    return tuple((Number(number), reason) for number, reason in rows)


def pending_record(tx: Connection, number: Number, *, scope: Scope) -> Pending:
    """Return what was reserved under a number. NotFound if it is not pending any more."""
    heads, approvals = tables.confirmations, tables.approvals
    both = select(heads, approvals.c.preparer_id, approvals.c.approver_id).join(
        approvals, approvals.c.id == heads.c.approval_id
    )
    both = scope.only(both, heads).where(heads.c.number == number, heads.c.standing == Standing.PENDING)
    row = tx.execute(both).first()
    if row is None:
        raise NotFound(f"{number} is not pending")
    return Pending(
        number=number,
        manufacturer_id=row.manufacturer_id,
        encoded=bytes(row.content),
        renderer_digest=bytes(row.renderer_digest),
        seal_digest=row.seal_digest,
        preparer_id=row.preparer_id,
        approver_id=row.approver_id,
        reserved_at=row.reserved_at,
    )
