"""Confirmations, their lines and claims: the two transactions of issuing, and what may end them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, insert, select, update

from signer.domain import content as encoding
from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.errors import Conflict, NotFound
from signer.register import audit, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from signer.domain.confirmation import Confirmation
    from signer.register.audit import SealUse

STATUS_LIST_SIZE = 131_072
_STATUS_DRAWS = 24
IN_FORCE, ENDED, NOT_NOW, REPLACED = range(4)
"""The two bits of the status list (docs/reference/formats.md, planned)."""


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

    manufacturer_id: int
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


def claims_of(tx: Connection, vins: Iterable[str], *, manufacturer_id: int) -> dict[str, Number]:
    """Return the numbers under which VINs are in force for one manufacturer."""
    claims, heads = tables.vin_claims, tables.confirmations
    wanted = (
        select(claims.c.vin, heads.c.number)
        .join(heads, heads.c.id == claims.c.confirmation_id)
        .where(claims.c.manufacturer_id == manufacturer_id, claims.c.slot == "live", claims.c.vin.in_(tuple(vins)))
    )
    return {row.vin: Number(row.number) for row in tx.execute(wanted)}


def keyed(tx: Connection, key: Key, *, manufacturer_id: int) -> Number | None:
    """Return the number that a key stands for; Conflict if it came with another payload."""
    table, heads = tables.idempotency, tables.confirmations
    wanted = (
        select(table.c.payload_digest, heads.c.number)
        .join(heads, heads.c.id == table.c.confirmation_id)
        .where(table.c.manufacturer_id == manufacturer_id, table.c.operation == key.operation, table.c.key == key.key)
    )
    row = tx.execute(wanted).first()
    if row is None:
        return None
    if row.payload_digest != key.payload_digest:
        raise Conflict("this idempotency key was used with another payload")
    return Number(row.number)


def reserve(tx: Connection, made: Reservation, *, at: datetime, randbelow: Callable[[int], int]) -> int:
    """
    Write transaction 1: number, content, approval, pending lines, claims in slot `next`, status index, intent leaf.

    Returns the confirmation's id. Conflict if a VIN is being sealed elsewhere, or is in force under a
    number that these terms do not supersede.
    """
    terms = made.confirmation.terms
    _refuse_live(tx, made)
    approval_id = _insert(tx, tables.approvals, manufacturer_id=made.manufacturer_id, **_fields(made.approval))
    confirmation_id = _insert(
        tx,
        tables.confirmations,
        number=made.confirmation.number,
        manufacturer_id=made.manufacturer_id,
        exporter_uscc=terms.exporter.uscc,
        approval_id=approval_id,
        content=made.encoded,
        content_digest=encoding.content_digest(made.encoded),
        terms_digest=bytes.fromhex(made.confirmation.terms_digest),
        renderer_digest=made.renderer_digest,
        seal_digest=terms.seal.certificate_digest,
        supersedes=terms.supersedes,
        standing=Standing.PENDING,
        reserved_at=at,
    )
    _claim(tx, made, confirmation_id)
    _take_status_index(tx, confirmation_id, randbelow)
    audit.queue_leaf(tx, "intent", confirmation_id=confirmation_id, digest=encoding.content_digest(made.encoded), at=at)
    if made.key is not None:
        scope = {"manufacturer_id": made.manufacturer_id, "confirmation_id": confirmation_id, "created_at": at}
        tx.execute(insert(tables.idempotency).values(**scope, **_fields(made.key)))
    return confirmation_id


def _fields(record: Approval | Key) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _insert(tx: Connection, table: Table, **values: object) -> int:
    return int(tx.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def _refuse_live(tx: Connection, made: Reservation) -> None:
    terms = made.confirmation.terms
    live = claims_of(tx, terms.vins, manufacturer_id=made.manufacturer_id)
    for vin, number in live.items():
        if number != terms.supersedes:
            raise Conflict(f"VIN {vin} is in force under {number}; to replace it, say so: supersedes {number}")
    if terms.supersedes is not None and not live:
        raise Conflict(f"{terms.supersedes} has none of these vehicles in force; there is nothing to supersede")


def _claim(tx: Connection, made: Reservation, confirmation_id: int) -> None:
    vins = made.confirmation.terms.vins
    claims = tables.vin_claims
    taken = select(claims.c.vin).where(
        claims.c.manufacturer_id == made.manufacturer_id, claims.c.slot == "next", claims.c.vin.in_(vins)
    )
    if vin := tx.execute(taken).scalar():
        raise Conflict(f"VIN {vin} is being sealed right now under another number; wait until that ends")
    tx.execute(
        insert(tables.lines),
        [
            {"confirmation_id": confirmation_id, "position": place, "vin": str(vin), "standing": Standing.PENDING}
            for place, vin in enumerate(vins, start=1)
        ],
    )
    scope = {"manufacturer_id": made.manufacturer_id, "slot": "next", "confirmation_id": confirmation_id}
    tx.execute(insert(claims), [{**scope, "vin": str(vin)} for vin in vins])


def _take_status_index(tx: Connection, confirmation_id: int, randbelow: Callable[[int], int]) -> None:
    """
    Take a random free index of the newest status list, or of a new one when all that were drawn are taken.

    Twenty-four draws all fail once in 12 at nine tenths full, and never in practice below half: so a list is
    left when it is about that full, without its entries ever being counted.
    """
    table = tables.status_entries
    newest = int(tx.execute(select(func.coalesce(func.max(table.c.list), 1))).scalar_one())
    drawn = [randbelow(STATUS_LIST_SIZE) for _ in range(_STATUS_DRAWS)]
    wanted = select(table.c.index).where(table.c.list == newest, table.c.index.in_(drawn))
    taken = set(tx.execute(wanted).scalars())
    free = [index for index in drawn if index not in taken]
    number, index = (newest, free[0]) if free else (newest + 1, drawn[0])
    values = {"list": number, "index": index, "confirmation_id": confirmation_id, "status": NOT_NOW}
    tx.execute(insert(table).values(**values))


def record(tx: Connection, number: Number, file: SealedFile, use: SealUse, *, at: datetime) -> None:
    """
    Write transaction 2: files, seal register, next -> live, predecessor's lines ended, pending -> issued.

    Conflict if the record is no longer pending (it was abandoned meanwhile).
    """
    heads = tables.confirmations
    head = tx.execute(select(heads).where(heads.c.number == number)).first()
    if head is None or head.standing != Standing.PENDING:
        raise Conflict(f"{number} is not pending any more")
    tx.execute(
        insert(tables.files).values(
            confirmation_id=head.id,
            kind="sealed",
            made_at=at,
            **{name: getattr(file, name) for name in file.__dataclass_fields__},
        )
    )
    audit.note_seal_use(tx, use, manufacturer_id=head.manufacturer_id)
    vins = tuple(tx.execute(select(tables.lines.c.vin).where(tables.lines.c.confirmation_id == head.id)).scalars())
    _end_predecessor(tx, manufacturer_id=head.manufacturer_id, vins=vins, successor=number, at=at)
    mine = tables.vin_claims.c.confirmation_id == head.id
    tx.execute(update(tables.vin_claims).where(mine, tables.vin_claims.c.slot == "next").values(slot="live"))
    tx.execute(update(heads).where(heads.c.id == head.id).values(standing=Standing.ISSUED, recorded_at=at))
    tx.execute(update(tables.lines).where(tables.lines.c.confirmation_id == head.id).values(standing=Standing.ISSUED))
    set_status(tx, head.id, IN_FORCE)
    audit.queue_leaf(tx, "issued", confirmation_id=head.id, digest=file.sealed_digest, at=at)
    audit.queue_notice(tx, "confirmation.issued", manufacturer_id=head.manufacturer_id, number=number, at=at)
    audit.note(
        tx, "confirmation.issued", actor=use.approver_id, subject=number, at=at, manufacturer_id=head.manufacturer_id
    )


def set_status(tx: Connection, confirmation_id: int, status: int) -> None:
    """Set a confirmation's two bits of the status list."""
    table = tables.status_entries
    tx.execute(update(table).where(table.c.confirmation_id == confirmation_id).values(status=status))


def _end_predecessor(
    tx: Connection, *, manufacturer_id: int, vins: tuple[str, ...], successor: Number, at: datetime
) -> None:
    claims, heads, lines = tables.vin_claims, tables.confirmations, tables.lines
    live = and_(claims.c.manufacturer_id == manufacturer_id, claims.c.slot == "live", claims.c.vin.in_(vins))
    older = tuple(tx.execute(select(claims.c.confirmation_id).where(live).distinct()).scalars())
    if not older:
        return
    tx.execute(delete(claims).where(live))
    for confirmation_id in older:
        mine = and_(lines.c.confirmation_id == confirmation_id, lines.c.vin.in_(vins))
        ended = {"standing": Standing.SUPERSEDED, "ended_at": at, "successor": successor}
        tx.execute(update(lines).where(mine).values(**ended))
        close_if_ended(tx, confirmation_id, at=at)
        set_status(tx, confirmation_id, REPLACED)
        row = tx.execute(select(heads).where(heads.c.id == confirmation_id)).one()
        audit.queue_leaf(tx, "supersede", confirmation_id=confirmation_id, digest=row.content_digest, at=at)
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


def abandon(tx: Connection, number: Number, *, reason: str, at: datetime) -> bool:
    """End a pending record for ever: its sealing did not complete. Tell whether it was pending."""
    heads, lines, claims = tables.confirmations, tables.lines, tables.vin_claims
    head = tx.execute(select(heads).where(heads.c.number == number)).first()
    if head is None:
        raise NotFound(f"no confirmation {number} in the register")
    if head.standing != Standing.PENDING:
        return False
    ended = {"standing": Standing.ABANDONED, "ended_at": at}
    tx.execute(update(heads).where(heads.c.id == head.id).values(end_reason=reason[:200], **ended))
    tx.execute(update(lines).where(lines.c.confirmation_id == head.id).values(**ended))
    tx.execute(delete(claims).where(claims.c.confirmation_id == head.id, claims.c.slot == "next"))
    set_status(tx, head.id, ENDED)
    audit.queue_leaf(tx, "abandon", confirmation_id=head.id, digest=head.content_digest, at=at)
    scope = {"actor": "signer", "subject": number, "at": at, "manufacturer_id": head.manufacturer_id}
    audit.note(tx, "confirmation.abandoned", reason=reason[:200], **scope)
    return True


def pending(tx: Connection, *, before: datetime, after: datetime | None = None) -> tuple[Number, ...]:
    """Return the numbers that are still pending since an instant or before (and after another), the oldest first."""
    heads = tables.confirmations
    wanted = select(heads.c.number).where(heads.c.standing == Standing.PENDING, heads.c.reserved_at <= before)
    if after is not None:
        wanted = wanted.where(heads.c.reserved_at > after)
    return tuple(Number(number) for number in tx.execute(wanted.order_by(heads.c.reserved_at)).scalars())


def pending_record(tx: Connection, number: Number) -> Pending:
    """Return what was reserved under a number. NotFound if it is not pending any more."""
    heads, approvals = tables.confirmations, tables.approvals
    both = select(heads, approvals.c.preparer_id, approvals.c.approver_id).join(
        approvals, approvals.c.id == heads.c.approval_id
    )
    row = tx.execute(both.where(heads.c.number == number, heads.c.standing == Standing.PENDING)).first()
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
