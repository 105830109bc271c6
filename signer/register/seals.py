"""The seals as their keepers see them: state, uses against the monthly limit, rotation, and who may keep them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, update

from signer.domain.confirmation import SealClass
from signer.domain.parties import Role
from signer.domain.rule_catalogue import finding
from signer.domain.trust import SealState
from signer.domain.values import BEIJING
from signer.errors import Conflict, NotFound, RuleViolation
from signer.register import account_tables, tables
from signer.register.ready import Ready

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

    from signer.register.scope import Scope

ALARM_SHARE = 0.8
"""The share of a monthly limit from which on keepers are warned."""
_seals, _uses, _heads = tables.seals, tables.seal_uses, tables.confirmations
_SEAL = Ready(select(_seals).where(_seals.c.certificate_digest == bindparam("digest")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A seal as it stands: `used` are its uses in this calendar month in Beijing, reserved ones among them."""

    certificate_digest: str
    manufacturer_id: int
    seal_class: SealClass
    state: SealState
    state_since: datetime
    suspended_until: datetime | None
    key_ref: str
    monthly_limit: int | None
    used: int

    @property
    def is_near_limit(self) -> bool:
        """Tell whether the alarm's share of the limit is reached."""
        return self.monthly_limit is not None and self.used >= ALARM_SHARE * self.monthly_limit

    @property
    def is_used_up(self) -> bool:
        """Tell whether nothing more may be sealed this month."""
        return self.monthly_limit is not None and self.used >= self.monthly_limit


def month_of(at: datetime) -> datetime:
    """Return the first instant of the calendar month in Beijing."""
    return at.astimezone(BEIJING).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def used(tx: Connection, certificate_digest: str, *, at: datetime) -> int:
    """
    Return how often a seal was used this month, with the numbers that are reserved for it and not sealed yet.

    Inside a writing transaction nobody else can reserve, so a limit that is compared with this cannot be overrun.
    """
    whose = select(_seals.c.manufacturer_id).where(_seals.c.certificate_digest == certificate_digest)
    done = select(func.count()).where(
        _uses.c.manufacturer_id == whose.scalar_subquery(),
        _uses.c.seal_digest == certificate_digest,
        _uses.c.used_at >= month_of(at),
    )
    reserved = select(func.count()).where(tables.IS_PENDING, _heads.c.seal_digest == certificate_digest)
    return int(tx.execute(done).scalar_one()) + int(tx.execute(reserved).scalar_one())


def refuse_unusable(tx: Connection, certificate_digest: str, *, at: datetime) -> Kept:
    """
    Refuse to reserve a number for a seal that is not active now, or whose monthly limit is reached; return it.

    Conflict, or RuleViolation (`seal.monthly-limit`).
    """
    row = _SEAL.first(tx, {"digest": certificate_digest})
    if row is None:
        raise NotFound("the seal is not in the register any more")
    if (state := _state(row, at)) is not SealState.ACTIVE:
        raise Conflict(f"the seal became {state} meanwhile; nothing was reserved")
    kept = _kept(tx, row, at, count=row.monthly_limit is not None)
    if kept.is_used_up:
        said = {"limit": str(kept.monthly_limit), "month": f"{month_of(at):%Y-%m}"}
        raise RuleViolation((finding("seal.monthly-limit", "", **said),))
    return kept


def reached_limit(tx: Connection, certificate_digest: str, *, at: datetime) -> int | None:
    """Return a seal's monthly limit if it is used up, for people to be told beforehand; None otherwise."""
    row = _SEAL.first(tx, {"digest": certificate_digest})
    limit: int | None = None if row is None else row.monthly_limit
    return limit if limit is not None and used(tx, certificate_digest, at=at) >= limit else None


def all_of(tx: Connection, *, scope: Scope, at: datetime) -> tuple[Kept, ...]:
    """Return seals by manufacturer, the newest first."""
    wanted = select(_seals).order_by(_seals.c.manufacturer_id, _seals.c.created_at.desc(), _seals.c.certificate_digest)
    return tuple(_kept(tx, row, at) for row in tx.execute(scope.only(wanted, _seals)).all())


def named(tx: Connection, beginning: str, *, scope: Scope, at: datetime) -> Kept:
    """Return the one seal whose certificate's SHA-256 begins so; NotFound unless exactly one does."""
    mine = all_of(tx, scope=scope, at=at)
    found = [seal for seal in mine if seal.certificate_digest.startswith(beginning.lower())]
    if len(found) != 1 or len(beginning) < 8:
        raise NotFound(
            f"no seal {beginning!r}: give the certificate's SHA-256, at least its first 8 hexadecimal digits"
        )
    return found[0]


def standing_of(tx: Connection, certificate_digest: str, *, at: datetime) -> tuple[SealState, datetime] | None:
    """Return a seal's state at an instant and since when, None for one that is not in the register."""
    row = _SEAL.first(tx, {"digest": certificate_digest})
    return None if row is None else (_state(row, at), row.state_since)


def set_limit(tx: Connection, certificate_digest: str, *, scope: Scope, limit: int | None) -> None:
    """Set how often a month a seal may be used; None: as often as is wanted."""
    mine = scope.only(update(_seals), _seals).where(_seals.c.certificate_digest == certificate_digest)
    if not tx.execute(mine.values(monthly_limit=limit)).rowcount:
        raise NotFound("no such seal")


def retire(tx: Connection, certificate_digest: str, *, scope: Scope, at: datetime) -> None:
    """Make a seal verify-only for ever; Conflict if it was already, or is revoked."""
    mine = scope.only(update(_seals), _seals).where(_seals.c.certificate_digest == certificate_digest)
    usable = _seals.c.state.in_((SealState.ACTIVE, SealState.SUSPENDED))
    values = {"state": SealState.VERIFY_ONLY, "state_since": at, "suspended_until": None}
    if not tx.execute(mine.where(usable).values(**values)).rowcount:
        raise Conflict("the seal is verify-only or revoked already")


def is_operator(tx: Connection, person_id: str) -> bool:
    """Tell whether a person operates this deployment: appointed, or entered as one for whichever manufacturer."""
    for table in (account_tables.appointments, tables.memberships):
        mine = select(table.c.role).where(table.c.person_id == person_id, table.c.role == Role.OPERATOR)
        if tx.execute(mine).first() is not None:
            return True
    return False


def _kept(tx: Connection, row: Row[tuple[object, ...]], at: datetime, *, count: bool = True) -> Kept:
    return Kept(
        certificate_digest=row.certificate_digest,
        manufacturer_id=row.manufacturer_id,
        seal_class=SealClass(row.seal_class),
        state=_state(row, at),
        state_since=row.state_since,
        suspended_until=row.suspended_until,
        key_ref=row.key_ref,
        monthly_limit=row.monthly_limit,
        used=used(tx, row.certificate_digest, at=at) if count else 0,
    )


def _state(row: Row[tuple[object, ...]], at: datetime) -> SealState:
    is_over = row.suspended_until is not None and row.suspended_until <= at
    return SealState.ACTIVE if is_over and row.state == SealState.SUSPENDED else SealState(row.state)
