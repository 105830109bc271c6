"""The register: what two transactions cost beside bare INSERTs, and look-ups among a million beside ten thousand.

`BENCH_ROWS` says how many confirmations the large register has (1000000 for the full measure). Query plans go to
build/plans.txt.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import postgres
import world as worlds
from cases import Case
from sqlalchemy import event, text

from signer.domain.number import Number
from signer.register import confirmations, lookup, triggers
from signer.register.ready import Ready
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ANYBODY = Scope.everything("anybody may ask")

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
FEW = 10_000
PLANS = Path(__file__).resolve().parent.parent.parent / "build" / "plans.txt"


@dataclass
class Filled:
    """A register with one real confirmation among so many; made when first asked. `is_numbered`: SQLite only."""

    kind: str
    rows: int
    is_numbered: bool = False

    @cached_property
    def world(self) -> worlds.World:
        folder = Path(tempfile.mkdtemp(prefix="bench-")) / "data"
        folder.mkdir()
        url = _server().create() if self.kind == "postgresql" else ""
        worlds.build(folder, database_url=url)
        return worlds.World(folder, database_url=url)

    @cached_property
    def issued(self) -> Any:
        made = self.world.issue(worlds.sample(worlds.KAZAKHSTAN))
        with self.world.services.database.write() as tx:
            triggers.drop(tx)
            if self.kind == "sqlite":
                tx.exec_driver_sql("PRAGMA cache_size = -600000")  # for the filling; each connection has its own
            number = None
            if self.is_numbered:
                drawn = tx.connection.driver_connection.create_function  # type: ignore[union-attr]
                drawn("drawn", 0, lambda: str(Number.draw(secrets.randbits)))
                number = "drawn()"
            for statement in _fill(self.kind, self.rows, number):
                tx.execute(text(statement))
            tx.exec_driver_sql("ANALYZE")  # as autovacuum does in time; else plans are made for an empty table
            _number_the_newest(tx)
            triggers.create(tx)
        return made

    def look_up(self, question: str) -> object:
        number, vin = self.issued.number, "L0YSA3B29T0000101"
        with self.world.services.database.read() as tx:
            answers: dict[str, Callable[[], object]] = {
                "number": lambda: lookup.by_number(tx, number, scope=_ANYBODY, at=self.world.at),
                "vin": lambda: confirmations.claims_of(tx, (vin,), scope=Scope.of(1)),
                "digest": lambda: lookup.number_of_file(tx, _digest(self.issued.pdf), scope=_ANYBODY),
                "first-page": lambda: lookup.newest(tx, scope=Scope.of(1), before=self.world.at + timedelta(days=1)),
            }
            found = answers[question]()
        assert found
        return found

    def plans(self, question: str) -> str:
        """Return the plans of the statements that a question asks."""
        asked: list[tuple[str, Any]] = []
        engine = self.world.services.database._engine

        def heard(_c: Any, _u: Any, statement: str, parameters: Any, _x: Any, _m: Any) -> None:
            asked.append((statement, parameters))

        execute = Ready.execute

        def heard_ready(ready: Ready, tx: Any, values: Any) -> Any:
            form = ready._form(tx.dialect, values)
            asked.append((form.text, form.parameters(values)))
            return execute(ready, tx, values)

        event.listen(engine, "before_cursor_execute", heard)
        with mock.patch.object(Ready, "execute", heard_ready):
            self.look_up(question)
        event.remove(engine, "before_cursor_execute", heard)
        explain = "EXPLAIN " if self.kind == "postgresql" else "EXPLAIN QUERY PLAN "
        lines = []
        with self.world.services.database.read() as tx:
            for statement, parameters in asked:
                if statement.startswith("SELECT") and "pg_" not in statement:
                    rows = tx.exec_driver_sql(explain + statement, parameters).all()
                    lines += [f"  {row[-1]}" for row in rows] + ["  --"]
        return "\n".join(lines)


def _server() -> postgres.Server:
    if not _SERVERS:
        _SERVERS.append(postgres.start(is_durable=True))
        atexit.register(postgres.stop, _SERVERS[0])
    return _SERVERS[0]


_SERVERS: list[postgres.Server] = []


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _number_the_newest(tx: Any) -> None:
    """Give those that a first page shows numbers that are ones; the others need none."""
    newest = "SELECT id FROM confirmations WHERE id >= 100 ORDER BY reserved_at DESC LIMIT 400"
    for (row,) in tx.execute(text(newest)).all():
        number = {"number": Number.draw(secrets.randbits), "row": row}
        tx.execute(text("UPDATE confirmations SET number = :number WHERE id = :row"), number)


def _fill(kind: str, rows: int, drawn: str | None = None) -> Iterator[str]:
    """
    Give the statements that copy the one confirmation so often, with numbers, VINs and digests of their own.

    `drawn` is an expression for numbers that are ones; to change them later takes minutes.
    """
    if kind == "postgresql":
        source, blob = f"generate_series(100, {99 + rows}) AS s(i)", "decode(md5('{0}'||i)||md5('x{0}'||i), 'hex')"
        number, at = "lpad(i::text, 16, '0')", "'2026-11-21T00:00:00.' || lpad((i % 1000000)::text, 6, '0') || 'Z'"
    else:
        source = (
            f"(WITH RECURSIVE s(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM s WHERE i < {99 + rows}) SELECT i FROM s)"
        )
        blob = "CAST(printf('{0}%031d', i) AS BLOB)"
        number, at = "printf('%016d', i)", "printf('2026-11-21T00:00:00.%06dZ', i % 1000000)"
    one = {each: blob.format(each) for each in "abcd"}
    yield (
        "INSERT INTO approvals (id, manufacturer_id, terms_digest, preparer_id, approver_id, approved_at)"
        f" SELECT i, 1, {one['a']}, 'chen.sample', 'lin.sample', {at} FROM {source}"
    )
    yield (
        "INSERT INTO confirmations (id, number, manufacturer_id, exporter_uscc, approval_id, content, content_digest,"
        " terms_digest, renderer_digest, seal_digest, standing, reserved_at, recorded_at)"
        f" SELECT i, {drawn or number}, 1 + i % 2, 'x' || i % 500, i, {one['b']}, {one['b']}, {one['a']}, {one['c']},"
        f" (SELECT min(certificate_digest) FROM seals), 'issued', {at}, {at} FROM {source}"
    )
    vin = number.replace("16", "17")
    yield (f"INSERT INTO lines (confirmation_id, position, vin, standing) SELECT i, 1, {vin}, 'issued' FROM {source}")
    yield (
        "INSERT INTO vin_claims (manufacturer_id, vin, slot, confirmation_id)"
        f" SELECT 1 + i % 2, {vin}, 'live', i FROM {source}"
    )
    yield (
        "INSERT INTO files (id, confirmation_id, kind, file_digest, sealed_digest, sealed_length, size, level, made_at)"
        f" SELECT i, i, 'sealed', {one['c']}, {one['d']}, 1, 1, 'B-LT', {at} FROM {source}"
    )


def all_cases() -> Iterator[Case]:
    PLANS.parent.mkdir(exist_ok=True)
    PLANS.write_text("", encoding="utf-8")
    for kind in ("sqlite", "postgresql"):
        few, many = Filled(kind, FEW), Filled(kind, ROWS)
        for question in ("number", "vin", "digest", "first-page"):
            yield Case(
                name=f"register.lookup.1m.{question}.{kind}",
                ours=partial(many.look_up, question),
                peer=partial(few.look_up, question),
                peer_name=f"the same among {FEW:,} (ours: {ROWS:,})",
                target=0.67,
            )
            if "issued" in many.__dict__:
                with PLANS.open("a", encoding="utf-8") as out:
                    out.write(f"{kind} {question} ({ROWS:,})\n{many.plans(question)}\n")
