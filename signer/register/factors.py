"""Second factors as the register keeps them: TOTP secrets (encrypted), passkeys (public), recovery codes (hashed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, insert, select, update

from signer.errors import NotFound
from signer.register.account_tables import factors, recovery_codes

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

Kind = Literal["totp", "passkey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """
    What a person shows besides a password. `secret` is a TOTP secret under the vault's key, or a COSE public key.

    `counter` is the last time step, or the passkey's own count; one without `confirmed_at` counts for nothing yet.
    """

    id: int
    person_id: str
    kind: Kind
    label: str
    secret: bytes
    credential: bytes | None
    counter: int
    created_at: datetime
    confirmed_at: datetime | None
    used_at: datetime | None


def add(tx: Connection, factor: Factor) -> int:
    """Add a factor, whatever id it says, and return its own. Conflict if the passkey is known already."""
    values = {name: getattr(factor, name) for name in Factor.__dataclass_fields__ if name != "id"}
    return int(tx.execute(insert(factors).values(**values).returning(factors.c.id)).scalar_one())


def of_person(tx: Connection, person_id: str) -> tuple[Factor, ...]:
    """Return a person's confirmed factors, the oldest first."""
    wanted = select(factors).where(factors.c.person_id == person_id, factors.c.confirmed_at.is_not(None))
    rows = tx.execute(wanted.order_by(factors.c.id)).mappings()
    return tuple(Factor(**{name: row[name] for name in Factor.__dataclass_fields__}) for row in rows)


def begun(tx: Connection, person_id: str) -> Factor | None:
    """Return the TOTP factor that a person began to set up last and has not confirmed, or None."""
    wanted = select(factors).where(factors.c.person_id == person_id, factors.c.confirmed_at.is_(None))
    row = tx.execute(wanted.order_by(factors.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else Factor(**{name: row[name] for name in Factor.__dataclass_fields__})


def of_credential(tx: Connection, credential: bytes) -> Factor | None:
    """Return the passkey of a credential id, or None."""
    wanted = select(factors).where(factors.c.credential == credential, factors.c.confirmed_at.is_not(None))
    row = tx.execute(wanted).mappings().first()
    return None if row is None else Factor(**{name: row[name] for name in Factor.__dataclass_fields__})


def advance(tx: Connection, factor_id: int, *, counter: int, at: datetime) -> bool:
    """Move a TOTP factor to a later time step; False if that step or a later one was used before."""
    moved = update(factors).where(factors.c.id == factor_id, factors.c.counter < counter)
    return bool(tx.execute(moved.values(counter=counter, used_at=at)).rowcount)


def note_use(tx: Connection, factor_id: int, *, counter: int, at: datetime) -> None:
    """Note that a passkey was used, and its own count, which may stay at 0 for ever."""
    tx.execute(update(factors).where(factors.c.id == factor_id).values(counter=counter, used_at=at))


def confirm(tx: Connection, factor_id: int, *, at: datetime, label: str) -> None:
    """Let a factor count from now on, under a label."""
    tx.execute(update(factors).where(factors.c.id == factor_id).values(confirmed_at=at, label=label))


def drop_begun(tx: Connection, person_id: str) -> None:
    """Forget the factors that a person began to set up and did not confirm."""
    tx.execute(delete(factors).where(factors.c.person_id == person_id, factors.c.confirmed_at.is_(None)))


def remove(tx: Connection, factor_id: int, *, person_id: str) -> None:
    """Take one factor from the person whose it is. NotFound."""
    mine = delete(factors).where(factors.c.id == factor_id, factors.c.person_id == person_id)
    if not tx.execute(mine).rowcount:
        raise NotFound("no such factor")


def remove_all(tx: Connection, person_id: str) -> None:
    """Take every factor and recovery code from a person."""
    tx.execute(delete(factors).where(factors.c.person_id == person_id))
    tx.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))


def replace_codes(tx: Connection, person_id: str, digests: tuple[bytes, ...], *, at: datetime) -> None:
    """Put new recovery codes in place of all those before."""
    tx.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    tx.execute(insert(recovery_codes), [{"person_id": person_id, "digest": one, "made_at": at} for one in digests])


def use_code(tx: Connection, person_id: str, digest: bytes, *, at: datetime) -> bool:
    """Use a recovery code; False if it is none of the person's, or was used before."""
    mine = update(recovery_codes).where(recovery_codes.c.person_id == person_id, recovery_codes.c.digest == digest)
    return bool(tx.execute(mine.where(recovery_codes.c.used_at.is_(None)).values(used_at=at)).rowcount)


def codes_left(tx: Connection, person_id: str) -> int:
    """Return how many recovery codes a person has not used."""
    wanted = select(func.count()).select_from(recovery_codes)
    unused = (recovery_codes.c.person_id == person_id, recovery_codes.c.used_at.is_(None))
    return int(tx.execute(wanted.where(*unused)).scalar_one())
