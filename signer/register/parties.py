"""Manufacturers, exporters, people, outlets and seals, as the register keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import bindparam, delete, insert, select, update

from signer.domain.confirmation import SealClass
from signer.domain.parties import Exporter, Manufacturer, Membership, Outlet, Person, Role, Uscc, is_same_name
from signer.domain.trust import SealState
from signer.domain.values import Frozen
from signer.errors import ManufacturerSuspended, NotFound
from signer.register import tables
from signer.register.ready import Ready
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

TsaPolicy = Literal["require", "best-effort"]
Record = TypeVar("Record", bound=Frozen)
_makers, _people, _memberships = tables.manufacturers, tables.people, tables.memberships
_MAKER = Ready(select(_makers).where(_makers.c.uscc == bindparam("uscc")))
_MAKER_BY_ID = Ready(select(_makers).where(_makers.c.id == bindparam("id")))
_MAKERS = Ready(select(_makers).order_by(_makers.c.id))
_PERSON = Ready(select(_people.c.id, _people.c.name).where(_people.c.id == bindparam("id")))
_EXPORTER = Ready(select(tables.exporters.c.record).where(tables.exporters.c.uscc == bindparam("uscc")))
_ROLES = Ready(
    select(_memberships.c.role).where(
        _memberships.c.manufacturer_id == bindparam("maker"), _memberships.c.person_id == bindparam("person")
    )
)
_OUTLETS = Ready(
    select(tables.outlets.c.record)
    .where(tables.outlets.c.manufacturer_id == bindparam("maker"))
    .order_by(tables.outlets.c.id)
)
_SEALS = Ready(
    select(tables.seals)
    .where(tables.seals.c.manufacturer_id == bindparam("maker"))
    .order_by(tables.seals.c.created_at.desc(), tables.seals.c.certificate_digest)
)
"""What every issue asks (docs/adr/0015, 0054)."""


@lru_cache(maxsize=8192)
def _read(kind: type[Record], record: str) -> Record:
    """Parse a record, byte for byte, only once: what is parsed is frozen, and the same text is read at each issue."""
    return kind.model_validate_json(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """Since when the operators let a manufacturer issue nothing, which of them, and why."""

    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A manufacturer in the register: `id` scopes every other query, `tsa_policy` is None for the deployment's."""

    id: int
    manufacturer: Manufacturer
    tsa_policy: TsaPolicy | None
    suspension: Suspension | None = None

    @property
    def scope(self) -> Scope:
        """Its own records."""
        return Scope.of(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A manufacturer's seal: the certificate's digest, its class and state, and where its key is (a file's name)."""

    certificate_digest: str
    seal_class: SealClass
    state: SealState
    state_since: datetime
    key_ref: str
    suspended_until: datetime | None = None


def dump(record: Frozen) -> str:
    """Return a record as it is stored: JSON without absent fields."""
    return record.model_dump_json(exclude_none=True)


def tenant(tx: Connection, name: str) -> Tenant:
    """Return the manufacturer of a USCC or a legal name (brackets of any width); NotFound if there is none."""
    if (row := _MAKER.first(tx, {"uscc": name})) is not None:
        return _tenant(row)
    for found in tenants(tx):
        if is_same_name(found.manufacturer.legal_name, name):
            return found
    raise NotFound(f"no manufacturer {name!r} in the register")


def tenant_of(tx: Connection, manufacturer_id: int) -> Tenant:
    """Return the manufacturer of an id; NotFound if there is none."""
    if (row := _MAKER_BY_ID.first(tx, {"id": manufacturer_id})) is not None:
        return _tenant(row)
    raise NotFound(f"no manufacturer {manufacturer_id} in the register")


def tenants(tx: Connection) -> tuple[Tenant, ...]:
    """Return every manufacturer, for operators only."""
    return tuple(map(_tenant, _MAKERS.rows(tx)))


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(
        id=row.id,
        manufacturer=_read(Manufacturer, row.record),
        tsa_policy=row.tsa_policy,
        suspension=_suspension(row),
    )


def _suspension(row: Row[Any]) -> Suspension | None:
    if row.suspended_at is None:
        return None
    return Suspension(since=row.suspended_at, by=row.suspended_by, reason=row.suspended_for)


def refuse_suspended(tx: Connection, manufacturer_id: int) -> None:
    """Refuse to go on for a manufacturer that the operators suspended. ManufacturerSuspended."""
    row = _MAKER_BY_ID.first(tx, {"id": manufacturer_id})
    if row is not None and row.suspended_at is not None:
        raise ManufacturerSuspended("the operators of this service suspended the manufacturer: nothing is issued")


def suspended(tx: Connection) -> frozenset[Uscc]:
    """Return the USCCs of the manufacturers that are suspended."""
    table = tables.manufacturers
    found = tx.execute(select(table.c.uscc).where(table.c.suspended_at.is_not(None))).scalars()
    return frozenset(Uscc(uscc) for uscc in found)


def save_manufacturer(tx: Connection, maker: Manufacturer, *, tsa_policy: TsaPolicy | None, at: datetime) -> int:
    """Insert or update a manufacturer by its USCC; return its id."""
    table = tables.manufacturers
    found = tx.execute(select(table.c.id).where(table.c.uscc == maker.uscc)).scalar()
    values = {"record": dump(maker), "tsa_policy": tsa_policy}
    if found is not None:
        tx.execute(update(table).where(table.c.id == found).values(**values))
        return int(found)
    made = insert(table).values(uscc=maker.uscc, created_at=at, **values).returning(table.c.id)
    return int(tx.execute(made).scalar_one())


def save_exporter(tx: Connection, exporter: Exporter, *, at: datetime) -> None:
    """Insert or update an exporter by its USCC."""
    table = tables.exporters
    changed = tx.execute(update(table).where(table.c.uscc == exporter.uscc).values(record=dump(exporter)))
    if not changed.rowcount:
        tx.execute(insert(table).values(uscc=exporter.uscc, record=dump(exporter), created_at=at))


def exporter_of(tx: Connection, uscc: str) -> Exporter | None:
    """Return the exporter of a USCC, or None."""
    row = _EXPORTER.first(tx, {"uscc": uscc})
    return None if row is None else _read(Exporter, row.record)


def exporters_of(tx: Connection, usccs: Sequence[str]) -> tuple[Exporter, ...]:
    """Return the exporters of some USCCs, in their order; who is not on record is left out."""
    table = tables.exporters
    rows = tx.execute(select(table.c.uscc, table.c.record).where(table.c.uscc.in_(usccs)))
    found = {row.uscc: Exporter.model_validate_json(row.record) for row in rows}
    return tuple(found[uscc] for uscc in usccs if uscc in found)


def save_person(tx: Connection, person: Person, *, at: datetime) -> None:
    """Insert or rename a person."""
    table = tables.people
    changed = tx.execute(update(table).where(table.c.id == person.id).values(name=person.name))
    if not changed.rowcount:
        tx.execute(insert(table).values(id=person.id, name=person.name, created_at=at))


def person_of(tx: Connection, person_id: str) -> Person:
    """Return the person of an id; NotFound if there is none."""
    row = _PERSON.first(tx, {"id": person_id})
    if row is None:
        raise NotFound(f"no person {person_id!r} in the register")
    return Person(id=row.id, name=row.name)


def names_of(tx: Connection, people: Iterable[str]) -> dict[str, str]:
    """Return the names of people by their ids; who is none of them (the service itself) is left out."""
    table = tables.people
    rows = tx.execute(select(table.c.id, table.c.name).where(table.c.id.in_(tuple(people))))
    return {row.id: row.name for row in rows}


def save_membership(tx: Connection, membership: Membership, *, scope: Scope, at: datetime) -> None:
    """Make a person's roles for one manufacturer exactly these."""
    table = tables.memberships
    tx.execute(scope.only(delete(table), table).where(table.c.person_id == membership.person))
    for role in sorted(membership.roles):
        values = {"person_id": membership.person, "manufacturer_id": scope.owner, "role": role, "granted_at": at}
        tx.execute(insert(table).values(**values))


def end_memberships(tx: Connection, person_id: str, *, scope: Scope) -> None:
    """Take every role from a person."""
    table = tables.memberships
    tx.execute(scope.only(delete(table), table).where(table.c.person_id == person_id))


def roles_of(tx: Connection, person_id: str, *, scope: Scope) -> frozenset[Role]:
    """Return what a person may do for one manufacturer."""
    return frozenset(Role(row.role) for row in _ROLES.rows(tx, {"maker": scope.owner, "person": person_id}))


def save_outlet(tx: Connection, outlet: Outlet, *, scope: Scope, at: datetime) -> None:
    """Insert or change an outlet of one manufacturer."""
    table = tables.outlets
    values = {
        "country": outlet.country,
        "record": dump(outlet),
        "authorised_from": outlet.authorised_from,
        "authorised_until": outlet.authorised_until,
        "changed_at": at,
    }
    mine = scope.only(update(table), table).where(table.c.id == outlet.id)
    if not tx.execute(mine.values(**values)).rowcount:
        tx.execute(insert(table).values(manufacturer_id=scope.owner, id=outlet.id, **values))


def outlets_of(tx: Connection, *, scope: Scope) -> tuple[Outlet, ...]:
    """Return all outlets of one manufacturer, by id."""
    return tuple(_read(Outlet, row.record) for row in _OUTLETS.rows(tx, {"maker": scope.owner}))


def enrol_seal(tx: Connection, seal: Seal, *, scope: Scope, at: datetime) -> bool:
    """Insert a seal, and tell whether it was new; of a known one only the place of its key changes, never its state."""
    table = tables.seals
    mine = scope.only(update(table), table).where(table.c.certificate_digest == seal.certificate_digest)
    if tx.execute(mine.values(key_ref=seal.key_ref)).rowcount:
        return False
    values = {
        "certificate_digest": seal.certificate_digest,
        "manufacturer_id": scope.owner,
        "seal_class": seal.seal_class,
        "state": seal.state,
        "state_since": seal.state_since,
        "suspended_until": seal.suspended_until,
        "key_ref": seal.key_ref,
        "created_at": at,
    }
    tx.execute(insert(table).values(**values))
    return True


def seals_of(tx: Connection, *, scope: Scope, at: datetime) -> tuple[Seal, ...]:
    """Return the seals of one manufacturer as they stand at an instant, the newest first."""
    return tuple(
        Seal(
            certificate_digest=row.certificate_digest,
            seal_class=SealClass(row.seal_class),
            state=_state(row.state, row.suspended_until, at),
            state_since=row.state_since,
            key_ref=row.key_ref,
            suspended_until=row.suspended_until,
        )
        for row in _SEALS.rows(tx, {"maker": scope.owner})
    )


def _state(stored: str, suspended_until: datetime | None, at: datetime) -> SealState:
    is_over = suspended_until is not None and suspended_until <= at
    return SealState.ACTIVE if is_over and stored == SealState.SUSPENDED else SealState(stored)
