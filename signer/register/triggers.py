"""
What the database itself refuses: changed content, a line leaving a final state, a rewritten history.

Every migration drops and re-creates all of them (SQLite loses a table's triggers when Alembic copies it). They are
said once, as guards, and written for SQLite and for PostgreSQL.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from signer.domain.batch import FOLLOWS
from signer.domain.confirmation import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

_LOG = ("log_leaves", "log_tiles", "log_checkpoints")
_APPEND_ONLY = ("audit", "seal_uses", "approvals", "files", "idempotency", "blobs", *_LOG)
_KEPT = ("confirmations", "lines")
_COPIES = "official_copies"
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
_LINE_FIXED = ("vin", "position", "confirmation_id")
_OFFERED = ("confirmation_id", "file_digest", "kind", "size", "offered_by", "offered_at")
_COMPARED = ("compared_by", "compared_at")
_SENT = (
    "ref",
    "draft_id",
    "manufacturer_id",
    "version",
    "terms",
    "terms_digest",
    "needed_by",
    "prepared_by",
    "sent_by",
    "sent_at",
)
_ASKED = ("ref", "manufacturer_id", "number", "kind", "vins", "reason", "file_digest", "asked_by", "asked_at")
_PROPOSED = (
    "ref",
    "manufacturer_id",
    "former_name",
    "legal_name",
    "legal_name_en",
    "from_on",
    "announcement",
    "reason",
    "evidence_ref",
    "asked_by",
    "asked_at",
)
_HANDED_IN = ("ref", "manufacturer_id", "file_name", "file_digest", "size", "prepared_by", "created_at")
_DECIDED = ("items", "vehicles", "root", "sent_by", "sent_at", "decided_by", "decided_at", "factor", "external_ref")
_ITEM = ("batch_id", "place", "manufacturer_id", "lane", "source", "vins", "vehicles", "body", "terms_digest")
_ONBOARDED = ("ref", "uscc", "record", "admin_name", "admin_login", "language", "asked_by", "asked_at")
_WISHED = ("body", "wanted", "needed_by", "vehicles")
_ASKER = (
    "ref",
    "batch",
    "manufacturer_id",
    "exporter_uscc",
    "supersedes",
    "asked_by",
    "asked_at",
)
_SHARED = (
    "ref",
    "manufacturer_id",
    "confirmation_id",
    "exporter_uscc",
    "secret_digest",
    "label",
    "made_by",
    "made_at",
    "ends_at",
)
_STATUS = ("ref", "manufacturer_id", "confirmation_id", "exporter_uscc", "label", "made_by", "made_at")
_TOKEN = (
    "ref",
    "token_digest",
    "label",
    "kind",
    "manufacturer_id",
    "exporter_uscc",
    "person_id",
    "rights",
    "made_at",
    "ends_at",
)
_RETRACTED = ("retracted_by", "retracted_second", "retracted_at")


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that a table refuses: on which verb, when (SQL over OLD and NEW; empty: always), with which words."""

    table: str
    what: str
    verb: str
    message: str
    condition: str = ""

    @property
    def name(self) -> str:
        """The trigger's name."""
        return f"tr_{self.table}_{self.what}"


def guards() -> tuple[Guard, ...]:
    """Return every guard; those of changed standings follow the domain's own table."""
    found = []
    for table in _APPEND_ONLY:
        found += [
            Guard(table, "no_update", "UPDATE", f"{table} is append-only"),
            Guard(table, "no_delete", "DELETE", f"{table} is append-only"),
        ]
    found += [Guard(table, "no_delete", "DELETE", f"{table} are never deleted") for table in _KEPT]
    found.append(
        Guard("confirmations", "content", "UPDATE", "a confirmation's content never changes", _changed(_FIXED))
    )
    found.append(Guard("lines", "content", "UPDATE", "a line never changes its vehicle", _changed(_LINE_FIXED)))
    found += [
        Guard(table, "standing", "UPDATE", "this change of standing is not allowed", _forbidden()) for table in _KEPT
    ]
    found.append(Guard("confirmations", "approval", "INSERT", "the approval is for other terms", _other_terms()))
    return (
        *found,
        *_of_official_copies(),
        *_of_seals(),
        *_of_approval(),
        *_of_batches(),
        *_of_requests(),
        *_of_shares(),
        *_of_tokens(),
        *_of_the_queue(),
    )


def _of_the_queue() -> tuple[Guard, ...]:
    """What waits for the log stays what it is, until it is in the log."""
    unlogged = (
        "NOT EXISTS (SELECT 1 FROM log_leaves l WHERE l.confirmation_id = OLD.confirmation_id"
        " AND l.type = OLD.type AND l.digest = OLD.digest)"
    )
    return (
        Guard("log_queue", "no_update", "UPDATE", "what waits for the log never changes"),
        Guard("log_queue", "logged", "DELETE", "what is not in the log yet goes on waiting for it", unlogged),
    )


def _of_requests() -> tuple[Guard, ...]:
    """
    What was said of a request stays, and so does what was asked for once it is answered; each former version is kept.

    What was refused or taken back is not opened again.
    """
    answered = f"OLD.state <> 'asked' AND ({_changed(_WISHED)})"
    over = "OLD.state IN ('refused', 'withdrawn') AND NEW.state <> OLD.state"
    return (
        Guard("requests", "no_delete", "DELETE", "requests are never deleted"),
        Guard("requests", "content", "UPDATE", "who asked whom never changes", _changed(_ASKER)),
        Guard("requests", "answered", "UPDATE", "what was asked for never changes once it is answered", answered),
        Guard("requests", "over", "UPDATE", "this request was refused or taken back", over),
        Guard("request_words", "no_delete", "DELETE", "what was said is never deleted"),
        Guard("request_words", "no_update", "UPDATE", "what was said never changes"),
        Guard("request_versions", "no_delete", "DELETE", "what was asked for before is never deleted"),
        Guard("request_versions", "no_update", "UPDATE", "what was asked for before never changes"),
    )


def _of_shares() -> tuple[Guard, ...]:
    """A link stays whose and until when it was, and one that was revoked never opens anything again."""
    back = "OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at"
    return (
        Guard("shares", "no_delete", "DELETE", "share links are never deleted"),
        Guard("shares", "content", "UPDATE", "a share link never changes", _changed(_SHARED)),
        Guard("shares", "once", "UPDATE", "a share link that was revoked stays so", back),
        Guard("status_links", "no_delete", "DELETE", "status links are never deleted"),
        Guard("status_links", "content", "UPDATE", "a status link never changes", _changed(_STATUS)),
        Guard("status_links", "once", "UPDATE", "a status link that was revoked stays so", back),
    )


def _of_tokens() -> tuple[Guard, ...]:
    """A token stays whose it was and what it may do, revoked it stays so; what was done under a key is kept."""
    back = "OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at"
    other = "NEW.payload_digest IS DISTINCT FROM OLD.payload_digest OR OLD.status IS NOT NULL"
    return (
        Guard("tokens", "no_delete", "DELETE", "tokens are never deleted"),
        Guard("tokens", "content", "UPDATE", "a token never changes", _changed(_TOKEN)),
        Guard("tokens", "once", "UPDATE", "a token that was revoked stays so", back),
        Guard("renewals", "no_delete", "DELETE", "renewals are never deleted"),
        Guard("renewals", "content", "UPDATE", "a renewal never changes"),
        Guard("deeds", "made", "DELETE", "what was made under a key is kept", "OLD.made IS NOT NULL"),
        Guard("deeds", "once", "UPDATE", "what was answered under a key is answered once", other),
    )


def _of_approval() -> tuple[Guard, ...]:
    """What was shown to an approver stays what it was, and what was decided is not decided again."""
    steps = (
        "(OLD.state = 'waiting' AND NEW.state IN ('approved', 'returned', 'voided'))"
        " OR (OLD.state = 'approved' AND NEW.state IN ('issued', 'voided', 'waiting'))"
    )
    return (
        Guard("submissions", "no_delete", "DELETE", "submissions are never deleted"),
        Guard("submissions", "content", "UPDATE", "a submission's terms never change", _changed(_SENT)),
        Guard(
            "submissions",
            "state",
            "UPDATE",
            "this change of a submission is not allowed",
            f"OLD.state <> NEW.state AND NOT ({steps})",
        ),
        Guard("second_words", "no_delete", "DELETE", "what was asked is never deleted"),
        Guard("second_words", "content", "UPDATE", "what was asked never changes", _changed(_ASKED)),
        Guard("second_words", "once", "UPDATE", "this was decided already", "OLD.decided_at IS NOT NULL"),
        Guard("renamings", "no_delete", "DELETE", "what was proposed is never deleted"),
        Guard("renamings", "content", "UPDATE", "what was proposed never changes", _changed(_PROPOSED)),
        Guard("renamings", "once", "UPDATE", "this was decided already", "OLD.decided_at IS NOT NULL"),
        Guard("onboardings", "no_delete", "DELETE", "what was proposed is never deleted"),
        Guard("onboardings", "content", "UPDATE", "what was proposed never changes", _changed(_ONBOARDED)),
        Guard("onboardings", "once", "UPDATE", "this was decided already", "OLD.decided_at IS NOT NULL"),
    )


def _of_batches() -> tuple[Guard, ...]:
    """
    What one word was given on stays what it was, item by item.

    Items go only while their file is read, and one that is added later is not under the root. One that ended stays so,
    but what was being sealed when its batch was cancelled may still be done.
    """
    states = " OR ".join(
        f"(OLD.state = '{before.value}' AND NEW.state = '{after.value}')"
        for before, afters in FOLLOWS.items()
        for after in sorted(afters)
    )
    items = "(OLD.state = 'waiting') OR (OLD.state = 'cancelled' AND NEW.state = 'done')"
    may_go = "SELECT 1 FROM batches b WHERE b.id = OLD.batch_id AND b.state IN ('reading', 'faulty')"
    return (
        Guard("batches", "no_delete", "DELETE", "batches are never deleted"),
        Guard("batches", "content", "UPDATE", "what was handed in never changes", _changed(_HANDED_IN)),
        Guard(
            "batches",
            "decided",
            "UPDATE",
            "what was approved never changes",
            f"OLD.decided_at IS NOT NULL AND ({_changed(_DECIDED)})",
        ),
        Guard(
            "batches",
            "root",
            "UPDATE",
            "a batch's root never changes",
            f"OLD.root IS NOT NULL AND ({_changed(('root', 'items', 'vehicles'))})",
        ),
        Guard(
            "batches",
            "state",
            "UPDATE",
            "this change of a batch is not allowed",
            f"OLD.state <> NEW.state AND NOT ({states})",
        ),
        Guard("batch_items", "content", "UPDATE", "an item never changes", _changed(_ITEM)),
        Guard(
            "batch_items",
            "state",
            "UPDATE",
            "this change of an item is not allowed",
            f"OLD.state <> NEW.state AND NOT ({items})",
        ),
        Guard("batch_items", "removed", "DELETE", "items are never deleted", f"NOT EXISTS ({may_go})"),
    )


def _of_seals() -> tuple[Guard, ...]:
    """A seal that a document names is needed to verify it, and what was retired for good seals nothing any more."""
    named = (
        "EXISTS (SELECT 1 FROM confirmations c WHERE c.seal_digest = OLD.certificate_digest)"
        " OR EXISTS (SELECT 1 FROM seal_uses u WHERE u.seal_digest = OLD.certificate_digest)"
    )
    back = (
        "(OLD.state = 'verify-only' AND NEW.state NOT IN ('verify-only', 'revoked'))"
        " OR (OLD.state = 'revoked' AND NEW.state <> 'revoked')"
    )
    return (
        Guard("seals", "named", "DELETE", "a document names this seal: make it verify-only instead", named),
        Guard("seals", "state", "UPDATE", "a seal that was retired or revoked never seals again", back),
    )


def _of_official_copies() -> tuple[Guard, ...]:
    """What is filed stays what it was; each of the two words about it is said once, and nothing follows the last."""
    once = (
        f"(OLD.compared_at IS NOT NULL AND ({_changed(_COMPARED)}))"
        f" OR (OLD.retracted_at IS NOT NULL AND ({_changed(_COMPARED + _RETRACTED)}))"
    )
    ours = "EXISTS (SELECT 1 FROM files f WHERE f.file_digest = NEW.file_digest)"
    unissued = "EXISTS (SELECT 1 FROM confirmations c WHERE c.id = NEW.confirmation_id AND c.recorded_at IS NULL)"
    return (
        Guard(_COPIES, "no_delete", "DELETE", "official copies are never deleted"),
        Guard(_COPIES, "content", "UPDATE", "an official copy never changes", _changed(_OFFERED)),
        Guard(_COPIES, "once", "UPDATE", "an official copy is compared once and retracted once", once),
        Guard(_COPIES, "ours", "INSERT", "a sealed file of ours is no official copy", ours),
        Guard(_COPIES, "issued", "INSERT", "only what was issued has official copies", unissued),
    )


def _changed(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


def _forbidden() -> str:
    allowed = " OR ".join(
        f"(OLD.standing = '{before.value}' AND NEW.standing = '{after.value}')"
        for before, afters in ALLOWED.items()
        for after in sorted(afters)
    )
    return f"OLD.standing <> NEW.standing AND NOT ({allowed})"


def _other_terms() -> str:
    return (
        "NOT EXISTS (SELECT 1 FROM approvals a WHERE a.id = NEW.approval_id"
        " AND a.terms_digest = NEW.terms_digest AND a.manufacturer_id = NEW.manufacturer_id)"
    )


_DUE = "signer_triggers_due"
"""In a connection's own notes, while it moves the schema: whether triggers are to be there at the end."""


@contextmanager
def once(connection: Connection) -> Iterator[None]:
    """Create what the migrations of a block create at its end, once: they are one transaction, and nobody looks in."""
    connection.info[_DUE] = False
    try:
        yield
        if connection.info.pop(_DUE):
            create(connection)
    finally:
        connection.info.pop(_DUE, None)


def create(connection: Connection) -> None:
    """Drop and create every trigger anew, on the tables that there are; called at the end of each migration."""
    drop(connection)
    if _DUE in connection.info:
        connection.info[_DUE] = True
        return
    present = set(inspect(connection).get_table_names())
    for guard in guards():
        if guard.table in present:
            for statement in _CREATE[connection.dialect.name](guard):
                connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        for table in sorted(present & {*_APPEND_ONLY, *_KEPT, _COPIES}):
            for statement in _no_truncate(table):
                connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Drop every trigger; called at the beginning of each migration that changes a table."""
    if _DUE in connection.info:
        connection.info[_DUE] = False
    names = {guard.name for guard in guards()}
    if connection.dialect.name == "sqlite":
        query, statement = "SELECT name FROM sqlite_master WHERE type = 'trigger'", "DROP TRIGGER {name}"
    else:
        names |= {f"tr_{table}_no_truncate" for table in (*_APPEND_ONLY, *_KEPT, _COPIES)}
        query = "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        statement = "DROP FUNCTION {name}() CASCADE"
    for name in sorted(names.intersection(connection.exec_driver_sql(query).scalars())):
        connection.exec_driver_sql(statement.format(name=name))


def _on_sqlite(guard: Guard) -> tuple[str, ...]:
    when = f"WHEN {guard.condition.replace('IS DISTINCT FROM', 'IS NOT')} " if guard.condition else ""
    event = f"BEFORE {guard.verb} ON {guard.table} {when}"
    return (f"CREATE TRIGGER {guard.name} {event}BEGIN SELECT RAISE(ABORT, {_quoted(guard.message)}); END",)


def _on_postgresql(guard: Guard) -> tuple[str, ...]:
    row = "OLD" if guard.verb == "DELETE" else "NEW"
    refusal = f"RAISE EXCEPTION {_quoted(guard.message)} USING ERRCODE = 'integrity_constraint_violation';"
    body = f"IF {guard.condition} THEN {refusal} END IF; RETURN {row};" if guard.condition else refusal
    event = f"BEFORE {guard.verb} ON {guard.table} FOR EACH ROW"
    return (
        f"CREATE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
        f"CREATE TRIGGER {guard.name} {event} EXECUTE FUNCTION {guard.name}()",
    )


def _no_truncate(table: str) -> tuple[str, ...]:
    name = f"tr_{table}_no_truncate"
    refusal = f"RAISE EXCEPTION '{table} is never emptied' USING ERRCODE = 'integrity_constraint_violation';"
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal} END $$",
        f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {name}()",
    )


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


_CREATE = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}
