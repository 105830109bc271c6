"""
What the database itself refuses: changed content, a line leaving a final state, a rewritten history.

Every migration drops and re-creates all of them (SQLite loses a table's triggers when Alembic copies it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from signer.domain.confirmation import ALLOWED

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_APPEND_ONLY = ("audit", "seal_uses", "approvals", "files", "idempotency")
_FIXED = (
    "number",
    "manufacturer_id",
    "exporter_uscc",
    "approval_id",
    "content",
    "content_digest",
    "terms_digest",
    "renderer_digest",
    "seal_digest",
    "supersedes",
    "reserved_at",
)


def statements() -> tuple[tuple[str, str], ...]:
    """Return (name, CREATE TRIGGER statement) of every trigger, for SQLite."""
    found = []
    for table in _APPEND_ONLY:
        found += [
            _refuse(table, "UPDATE", f"{table} is append-only"),
            _refuse(table, "DELETE", f"{table} is append-only"),
        ]
    found += [_refuse(table, "DELETE", f"{table} are never deleted") for table in ("confirmations", "lines")]
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _FIXED)
    found.append(_when("confirmations", "content", changed, "a confirmation's content never changes"))
    fixed = (
        "NEW.vin IS NOT OLD.vin OR NEW.position IS NOT OLD.position OR NEW.confirmation_id IS NOT OLD.confirmation_id"
    )
    found.append(_when("lines", "content", fixed, "a line never changes its vehicle"))
    found += [
        _when(table, "standing", _forbidden(), "this change of standing is not allowed")
        for table in ("confirmations", "lines")
    ]
    return tuple(found)


def _refuse(table: str, verb: str, message: str) -> tuple[str, str]:
    name = f"tr_{table}_no_{verb.lower()}"
    return name, f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _when(table: str, what: str, condition: str, message: str) -> tuple[str, str]:
    name = f"tr_{table}_{what}"
    body = message.replace("'", "''")
    return name, (
        f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{body}'); END"
    )


def _forbidden() -> str:
    allowed = " OR ".join(
        f"(OLD.standing = '{before.value}' AND NEW.standing = '{after.value}')"
        for before, afters in ALLOWED.items()
        for after in sorted(afters)
    )
    return f"OLD.standing <> NEW.standing AND NOT ({allowed})"


def create(connection: Connection) -> None:
    """Drop and create every trigger anew; called at the end of each migration."""
    for name, statement in statements():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        connection.execute(text(statement))


def drop(connection: Connection) -> None:
    """Drop every trigger; called at the beginning of each migration that changes a table."""
    for name, _ in statements():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
