"""What keeps seals alive: archive copies and until when they hold, and what was said of revocation after a seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select

from signer.domain.number import Number
from signer.register import tables
from signer.register.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_files, _heads, _answers = tables.files, tables.confirmations, tables.revocation_answers
_SPOKEN = Ready(select(_answers).where(_answers.c.certificate_digest == bindparam("digest")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A confirmation whose newest file must be made to last: S, by whom, since when it is proven, and that file."""

    number: Number
    confirmation_id: int
    seal_digest: str
    file_digest: bytes
    sealed_digest: bytes
    sealed_length: int
    is_archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An archive copy: its newest timestamp, and until when that counts if nothing else happens to it."""

    file_digest: bytes
    size: int
    level: str
    timestamp_at: datetime
    holds_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """The newest answer about a certificate: good as of `this_update`, unless `revoked_at` says from when on not."""

    certificate_digest: str
    kind: Literal["ocsp", "crl"]
    data: bytes
    this_update: datetime
    revoked_at: datetime | None


def due(tx: Connection, *, scope: Scope, made_before: datetime, holds_before: datetime, limit: int) -> tuple[Due, ...]:
    """Return what has no archive copy although it was recorded long enough ago, or one that ends soon; oldest first."""
    newest = (
        select(func.max(_files.c.id))
        .where(_files.c.kind.in_(("sealed", "archive")))
        .group_by(_files.c.confirmation_id)
        .scalar_subquery()
    )
    is_bare = and_(_files.c.kind == "sealed", _heads.c.recorded_at <= made_before)
    is_ending = and_(_files.c.kind == "archive", _files.c.holds_until <= holds_before)
    wanted = (
        select(_files, _heads.c.number, _heads.c.seal_digest)
        .join(_heads, _heads.c.id == _files.c.confirmation_id)
        .where(_files.c.id.in_(newest), or_(is_bare, is_ending))
        .order_by(_files.c.id)
        .limit(limit)
    )
    rows = tx.execute(scope.only(wanted, _heads))
    return tuple(
        Due(
            number=Number(row.number),
            confirmation_id=row.confirmation_id,
            seal_digest=row.seal_digest,
            file_digest=bytes(row.file_digest),
            sealed_digest=bytes(row.sealed_digest),
            sealed_length=row.sealed_length,
            is_archived=row.kind == "archive",
        )
        for row in rows
    )


def record(tx: Connection, one: Due, copy: Copy, *, at: datetime) -> None:
    """File an archive copy beside the sealed file, of the same S."""
    values = {name: getattr(copy, name) for name in copy.__dataclass_fields__}
    of_seal = {"sealed_digest": one.sealed_digest, "sealed_length": one.sealed_length}
    made = {"confirmation_id": one.confirmation_id, "kind": "archive", "made_at": at}
    tx.execute(insert(_files).values(**values, **of_seal, **made))


def archive_copy(tx: Connection, number: Number, *, scope: Scope) -> bytes | None:
    """Return the digest of a confirmation's newest archive copy, or None."""
    wanted = select(_files.c.file_digest).join(_heads, _heads.c.id == _files.c.confirmation_id)
    mine = wanted.where(_heads.c.number == number, _files.c.kind == "archive")
    found = tx.execute(scope.only(mine, _heads).order_by(_files.c.id.desc()).limit(1)).scalar()
    return None if found is None else bytes(found)


def level(tx: Connection, number: Number, *, kind: Literal["sealed", "archive"], scope: Scope) -> str | None:
    """Return the level of a confirmation's newest file of a kind, or None."""
    wanted = select(_files.c.level).join(_heads, _heads.c.id == _files.c.confirmation_id)
    mine = wanted.where(_heads.c.number == number, _files.c.kind == kind)
    found = tx.execute(scope.only(mine, _heads).order_by(_files.c.id.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def last_sealed(tx: Connection, *, scope: Scope) -> dict[str, datetime]:
    """Return when each seal was last proven to have sealed: by its timestamp, else by our record."""
    proven_at = func.coalesce(_files.c.timestamp_at, _heads.c.recorded_at)
    wanted = (
        select(_heads.c.seal_digest, func.max(proven_at))
        .join(_files, and_(_files.c.confirmation_id == _heads.c.id, _files.c.kind == "sealed"))
        .group_by(_heads.c.seal_digest)
    )
    return {digest: at for digest, at in tx.execute(scope.only(wanted, _heads)) if at is not None}


def sealed_since(tx: Connection, seal_digest: str, at: datetime, *, scope: Scope) -> tuple[tuple[Number, int], ...]:
    """Return what a seal sealed at an instant or later, each with its manufacturer's id."""
    proven_at = func.coalesce(_files.c.timestamp_at, _heads.c.recorded_at)
    wanted = (
        select(_heads.c.number, _heads.c.manufacturer_id)
        .join(_files, and_(_files.c.confirmation_id == _heads.c.id, _files.c.kind == "sealed"))
        .where(_heads.c.seal_digest == seal_digest, proven_at >= at)
    )
    return tuple(
        (Number(row.number), row.manufacturer_id)
        for row in tx.execute(scope.only(wanted, _heads).order_by(_heads.c.id))
    )


def keep_answer(tx: Connection, spoken: Spoken, *, at: datetime) -> None:
    """Keep the newest answer about a certificate, in place of the one before."""
    tx.execute(delete(_answers).where(_answers.c.certificate_digest == spoken.certificate_digest))
    values = {name: getattr(spoken, name) for name in spoken.__dataclass_fields__}
    tx.execute(insert(_answers).values(asked_at=at, **values))


def answers(tx: Connection, certificate_digests: Iterable[str]) -> tuple[Spoken, ...]:
    """Return the newest answers about certificates, of those that have any."""
    rows = [row for digest in dict.fromkeys(certificate_digests) for row in _SPOKEN.rows(tx, {"digest": digest})]
    return tuple(
        Spoken(
            certificate_digest=row.certificate_digest,
            kind=row.kind,
            data=bytes(row.data),
            this_update=row.this_update,
            revoked_at=row.revoked_at,
        )
        for row in rows
    )


def counts(tx: Connection, *, at: datetime) -> tuple[int, int, datetime | None]:
    """Return how many confirmations have an archive copy, how many of these have lapsed, and when the next one does."""
    newest = select(func.max(_files.c.id)).where(_files.c.kind == "archive").group_by(_files.c.confirmation_id)
    rows = tx.execute(select(_files.c.holds_until).where(_files.c.id.in_(newest.scalar_subquery()))).scalars().all()
    ends = [end for end in rows if end is not None]
    return len(ends), sum(end <= at for end in ends), min((end for end in ends if end > at), default=None)


def revoked(tx: Connection) -> tuple[tuple[str, datetime], ...]:
    """Return the certificates whose authority said that they are revoked, and from when on."""
    wanted = select(_answers.c.certificate_digest, _answers.c.revoked_at).where(_answers.c.revoked_at.is_not(None))
    return tuple((row.certificate_digest, row.revoked_at) for row in tx.execute(wanted))
