"""Sheets that were handed in, as the register keeps them: the file for a while, what it says, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, insert, select, update

from signer.errors import Conflict, NotFound
from signer.register import audit, tables
from signer.register.desk_tables import drafts, imports

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection, RowMapping

    from signer.register.scope import Scope

Kind = Literal["vehicles", "production", "outlets"]
State = Literal["read", "running", "done", "failed", "dropped"]
PAGE = 25
_OURS = imports.c.kind.in_(("vehicles", "production"))
"""Outlets are compared with the register before they change it: their imports have pages of their own."""
_LIVE_DRAFTS = ("open", "waiting", "sealing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One import of a list: `rows` of data it has, `good` ones, `done` ones; `by_name` handed it in."""

    id: int
    ref: str
    manufacturer_id: int
    kind: Kind
    file_name: str
    file_digest: bytes
    state: State
    rows: int
    good: int
    done: int
    created_by: str
    by_name: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """An import with what it says and what is wrong with it (JSON), and its file, None once that is deleted."""

    head: Head
    plan: str
    report: str
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A sheet that is handed in."""

    ref: str
    kind: Kind
    file_name: str
    file_digest: bytes
    data: bytes
    rows: int
    good: int
    plan: str
    report: str


def add(tx: Connection, new: New, *, by: str, scope: Scope, at: datetime) -> None:
    """Add an import that was read and not run."""
    told = {name: getattr(new, name) for name in new.__dataclass_fields__}
    told |= {"manufacturer_id": scope.owner, "state": "read", "done": 0, "created_by": by}
    tx.execute(insert(imports).values(**told, created_at=at, changed_at=at))
    _note(tx, "import.read", new.ref, by=by, scope=scope, at=at, kind=new.kind, digest=new.file_digest.hex()[:16])


def get(tx: Connection, ref: str, *, scope: Scope) -> Handed:
    """Return an import of vehicles or a production list. NotFound."""
    wanted = select(imports, tables.people.c.name.label("by_name")).join(
        tables.people, tables.people.c.id == imports.c.created_by
    )
    row = tx.execute(scope.only(wanted, imports).where(imports.c.ref == ref, _OURS)).mappings().first()
    if row is None:
        raise NotFound(f"no import {ref!r}")
    return Handed(head=_head(row), plan=row["plan"], report=row["report"], data=row["data"])


def same(tx: Connection, kind: Kind, file_digest: bytes, *, scope: Scope) -> str | None:
    """Return the reference of the last import of the same file that was not dropped, or None."""
    wanted = scope.only(select(imports.c.ref), imports).where(
        imports.c.kind == kind, imports.c.file_digest == file_digest, imports.c.state != "dropped"
    )
    return tx.execute(wanted.order_by(imports.c.id.desc()).limit(1)).scalar()


def count(tx: Connection, state: State, *, since: datetime, scope: Scope) -> int:
    """Return how many imports of a manufacturer, of whatever kind, stand so and were handed in since then."""
    stands = (imports.c.state == state, imports.c.created_at >= since)
    wanted = scope.only(select(func.count()).select_from(imports), imports).where(*stands)
    return int(tx.execute(wanted).scalar_one())


def page(tx: Connection, *, scope: Scope, number: int = 1) -> tuple[Head, ...]:
    """Return one page of a manufacturer's imports, the last first, and the first of the next page if any."""
    own = [imports.c[name] for name in Head.__dataclass_fields__ if name in imports.c]
    wanted = select(*own, tables.people.c.name.label("by_name")).join(
        tables.people, tables.people.c.id == imports.c.created_by
    )
    shown = scope.only(wanted, imports).where(imports.c.state != "dropped", _OURS).order_by(imports.c.id.desc())
    return tuple(_head(row) for row in tx.execute(shown.limit(PAGE + 1).offset((number - 1) * PAGE)).mappings())


def reread(tx: Connection, head: Head, new: New, *, scope: Scope, at: datetime) -> None:
    """Put what a sheet says now in the place of what it said; Conflict once it runs."""
    told = {"rows": new.rows, "good": new.good, "plan": new.plan, "report": new.report, "data": new.data}
    _change(tx, head, from_state="read", scope=scope, **told, changed_at=at)


def begin(tx: Connection, head: Head, *, rows: int, by: str, scope: Scope, at: datetime) -> None:
    """Start an import as its plan says; `rows` are those that it will take. Conflict unless it waits."""
    _change(tx, head, from_state="read", scope=scope, state="running", good=rows, changed_at=at)
    _note(tx, "import.begun", head.ref, by=by, scope=scope, at=at, rows=f"{rows}")


def advance(tx: Connection, head: Head, *, done: int, report: str, scope: Scope, at: datetime) -> None:
    """Say how many rows are done, in the transaction that does them. Conflict if another has done them meanwhile."""
    told = {"done": done, "report": report, "changed_at": at}
    change = scope.only(update(imports), imports).where(
        imports.c.id == head.id, imports.c.done == head.done, imports.c.state == "running"
    )
    if not tx.execute(change.values(**told)).rowcount:
        raise Conflict(f"import {head.ref} went on elsewhere")


def finish(tx: Connection, head: Head, *, state: State, by: str, scope: Scope, at: datetime) -> None:
    """End an import that is done, or drop one that waits."""
    _change(tx, head, from_state="read" if state == "dropped" else "running", scope=scope, state=state, changed_at=at)
    _note(tx, f"import.{state}", head.ref, by=by, scope=scope, at=at)


def fail(tx: Connection, head: Head, *, report: str, by: str, scope: Scope, at: datetime) -> None:
    """End an import that cannot go on, or could not begin, with a report that says why."""
    before: State = "read" if head.state == "read" else "running"
    _change(tx, head, from_state=before, scope=scope, state="failed", report=report, changed_at=at)
    _note(tx, "import.failed", head.ref, by=by, scope=scope, at=at)


def revive(tx: Connection, head: Head, *, report: str, by: str, scope: Scope, at: datetime) -> None:
    """Let an import that failed go on where it stopped. Conflict unless it failed."""
    _change(tx, head, from_state="failed", scope=scope, state="running", report=report, changed_at=at)
    _note(tx, "import.resumed", head.ref, by=by, scope=scope, at=at)


def forget_files(tx: Connection, *, before: datetime, scope: Scope) -> int:
    """Delete the files that were handed in before an instant, and return how many; what they said stays."""
    old = scope.only(update(imports), imports).where(imports.c.created_at < before, imports.c.data.is_not(None))
    return tx.execute(old.where(imports.c.state != "running").values(data=None)).rowcount


def drafted(tx: Connection, vins: Collection[str], *, scope: Scope) -> dict[str, str]:
    """Return which of some VINs stand in drafts that are not issued yet, each with the draft's title or reference."""
    wanted = scope.only(select(drafts.c.ref, drafts.c.title, drafts.c.words), drafts).where(
        drafts.c.state.in_(_LIVE_DRAFTS)
    )
    asked, found = frozenset(vins), dict[str, str]()
    for row in tx.execute(wanted.order_by(drafts.c.id)):
        found.update(dict.fromkeys(asked.intersection(row.words.split()), row.title or row.ref))
    return found


def _change(tx: Connection, head: Head, *, from_state: State, scope: Scope, **told: object) -> None:
    change = scope.only(update(imports), imports).where(imports.c.id == head.id, imports.c.state == from_state)
    if not tx.execute(change.values(**told)).rowcount:
        raise Conflict(f"import {head.ref} is not {from_state} any more")


def _head(row: RowMapping) -> Head:
    return Head(**{name: row[name] for name in Head.__dataclass_fields__})


def _note(tx: Connection, event: str, ref: str, *, by: str, scope: Scope, at: datetime, **told: str) -> None:
    audit.note(tx, event, actor=by, subject=ref, at=at, manufacturer_id=scope.owner, **told)
