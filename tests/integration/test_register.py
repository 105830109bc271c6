"""What the database itself refuses, whoever asks."""

from __future__ import annotations

import itertools
import secrets
import sqlite3
import threading
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select
from world import EMIRATES, KAZAKHSTAN, World, sample

from signer.domain.verdict import Code
from signer.errors import Conflict, Misconfigured, SignerError
from signer.register import audit, migrations, tables
from signer.register.database import Database, together
from signer.register.ready import Ready
from signer.services.engines import Chance

OTHER_TERMS = """
INSERT INTO confirmations SELECT 99, '00000-00000-0000', manufacturer_id, exporter_uscc, approval_id, content,
content_digest, renderer_digest, renderer_digest, seal_digest, supersedes, 'pending', reserved_at, NULL, NULL, NULL,
NULL, NULL FROM confirmations"""
REFUSED = (sqlite3.Error, psycopg.Error)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE confirmations SET content = '00'", "never changes"),
        ("UPDATE confirmations SET number = '00000-00000-0000'", "never changes"),
        ("DELETE FROM confirmations", "never deleted"),
        ("DELETE FROM lines", "never deleted"),
        ("UPDATE lines SET vin = 'X'", "never changes"),
        ("UPDATE lines SET standing = 'pending'", "not allowed"),
        ("UPDATE confirmations SET standing = 'abandoned'", "not allowed"),
        ("UPDATE audit SET event = 'x'", "append-only"),
        ("DELETE FROM audit", "append-only"),
        ("DELETE FROM seal_uses", "append-only"),
        ("UPDATE approvals SET approver_id = 'chen.sample'", "append-only"),
        ("DELETE FROM files", "append-only"),
        ("INSERT INTO vin_claims SELECT * FROM vin_claims", "(?i)unique"),
        (OTHER_TERMS, "other terms"),
    ],
)
def test_the_database_holds_what_the_house_promises(world: World, statement: str, message: str) -> None:
    world.issue(sample(KAZAKHSTAN))
    with pytest.raises(REFUSED, match=message):
        world.change(statement)


def test_a_final_standing_is_never_left(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    world.change("UPDATE lines SET standing = 'withdrawn'")
    for other in ("issued", "suspended", "superseded", "pending"):
        with pytest.raises(REFUSED, match="not allowed"):
            world.change(f"UPDATE lines SET standing = '{other}'")
    assert issued.number


def test_one_vin_sealed_by_eight_at_once_has_one_winner(world: World) -> None:
    outcomes: list[str] = []

    def issue() -> None:
        mine = world.another()
        try:
            outcomes.append(mine.issue(sample(KAZAKHSTAN)).number)
        except Conflict:
            outcomes.append("conflict")
        except SignerError as error:
            outcomes.append(repr(error))
        finally:
            mine.services.database.close()

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if outcome != "conflict"]
    assert len(outcomes) == 8
    assert [(winner,) for winner in winners] == world.rows("SELECT number FROM confirmations WHERE standing = 'issued'")
    assert world.rows("SELECT count(*) FROM vin_claims") == [(3,)]


def test_a_kept_connection_that_died_meanwhile_is_exchanged(world: World) -> None:
    world.issue(sample(KAZAKHSTAN))
    if world.database_url:
        dead = world.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert dead
    assert world.issue(sample(EMIRATES)).number


def test_what_is_refused_among_statements_sent_together_undoes_all_of_them(world: World) -> None:
    kept = world.issue(sample(KAZAKHSTAN))
    ((file_digest,),) = world.rows("SELECT file_digest FROM files")
    before = world.rows("SELECT count(*) FROM seal_uses")
    with pytest.raises(Conflict, match=r"(?i)unique"):
        _use_and_file(world, kept.number, bytes(file_digest))
    assert world.rows("SELECT count(*) FROM seal_uses") == before


def _use_and_file(world: World, number: str, file_digest: bytes) -> None:
    filed = {"confirmation_id": 1, "kind": "sealed", "file_digest": file_digest, "size": 1, "made_at": world.at}
    with world.services.database.write() as tx, together(tx):
        audit.note_seal_use(tx, _use(number, world), manufacturer_id=1)
        tx.execute(insert(tables.files).inline(), filed)


def _use(number: str, world: World) -> audit.SealUse:
    ((seal_digest,),) = world.rows("SELECT min(certificate_digest) FROM seals")
    people = {"preparer_id": "chen.sample", "approver_id": "lin.sample"}
    return audit.SealUse(
        seal_digest=seal_digest, number=number, sealed_digest=bytes(32), origin="test", used_at=world.at, **people
    )


def test_what_is_ready_reads_rows_as_sqlalchemy_does(world: World) -> None:
    world.issue(sample(KAZAKHSTAN))
    wanted = [select(table) for table in (tables.confirmations, tables.lines, tables.files, tables.outlets)]
    with world.services.database.read() as tx:
        for statement in wanted:
            plain = [row._asdict() for row in tx.execute(statement)]
            assert [row._asdict() for row in Ready(statement).rows(tx)] == plain
            assert plain
            assert Ready(statement).first(tx)._asdict() == plain[0]
        assert Ready(select(tables.restores)).first(tx) is None


def test_a_database_behind_the_code_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(Misconfigured, match="signer db upgrade"):
        database.refuse_other_version()
    database.upgrade()
    database.refuse_other_version()
    database.close()


def test_a_database_ahead_of_the_code_is_refused(world: World) -> None:
    world.change("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="9999"):
        world.services.database.refuse_other_version()


def left_of_the_schema(world: World) -> set[str]:
    if world.database_url:
        found = world.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " UNION SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public'"
        )
    else:
        found = world.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")
    return {name for (name,) in found}


def test_the_schema_goes_down_and_up_again(world: World) -> None:
    world.issue(sample(KAZAKHSTAN))
    head = world.services.database.version()
    world.services.database.downgrade("base")
    assert left_of_the_schema(world) <= {"alembic_version", "sqlite_sequence"}
    world.services.database.upgrade()
    assert world.services.database.version() == head


def rows_of(world: World, table: str) -> list[tuple[object, ...]]:
    columns = ", ".join(f'"{column.name}"' for column in tables.metadata.tables[table].columns)
    return sorted(world.rows(f"SELECT {columns} FROM {table}"), key=repr)


def test_a_step_down_and_up_keeps_every_row(world: World) -> None:
    issued = [world.issue(sample(name)) for name in (KAZAKHSTAN, EMIRATES)]
    names = ("lines", "vin_claims", "status_entries", "notices", "seal_uses")
    before = {name: rows_of(world, name) for name in names}
    assert all(before.values())
    world.services.database.downgrade("0008")
    world.services.database.upgrade()
    assert {name: rows_of(world, name) for name in names} == before
    assert {world.verify(each.pdf).code for each in issued} == {Code.VALID}


def test_the_code_knows_its_newest_migration_without_alembic(world: World) -> None:
    with world.services.database.read() as tx:
        assert MigrationContext.configure(tx).get_current_revision() == world.services.database.version()
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_current_head() == world.services.database.version()


def test_the_migrations_make_the_tables_of_the_code(world: World) -> None:
    with world.services.database.write() as tx:
        context = MigrationContext.configure(tx, opts={"target_metadata": tables.metadata})
        assert compare_metadata(context, tables.metadata) == []


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite+unknown:///x"])
def test_an_address_of_no_database_of_ours_is_named(url: str) -> None:
    with pytest.raises(Misconfigured, match="SIGNER_DATABASE_URL"):
        Database(url)


@pytest.mark.parametrize(("taken", "expected"), [(range(70), (2, 0)), (range(69), (1, 69))])
def test_a_full_status_list_is_followed_by_a_new_one(
    world: World, monkeypatch: pytest.MonkeyPatch, taken: range, expected: tuple[int, int]
) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    rows = ", ".join(f"(1, {index}, {-1 - index}, 0)" for index in taken)
    world.change("DELETE FROM status_entries")
    if world.database_url:
        world.change("ALTER TABLE status_entries DROP CONSTRAINT fk_status_entries_confirmation_id_confirmations")
    world.change(f'INSERT INTO status_entries (list, "index", confirmation_id, status) VALUES {rows}')
    draws = itertools.cycle(range(70))
    monkeypatch.setattr(world.services.issuing, "_chance", Chance(bits=secrets.randbits, below=lambda _: next(draws)))
    second = world.issue(sample(EMIRATES))
    query = 'SELECT e.list, e."index" FROM status_entries e JOIN confirmations c ON c.id = e.confirmation_id'
    assert world.rows(f"{query} WHERE c.number = '{second.number}'") == [expected]
    assert first.number != second.number
