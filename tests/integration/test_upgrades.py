"""
Registers of earlier versions, brought up to this one: everything reads, and what was issued keeps its verdict.

Each is made by the migrations up to where the work on an issue ended (by the history of `register/migrations`), and
filled by plain INSERTs with what a version of that time had: the tables and columns that its schema knows.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from sqlalchemy import MetaData, create_engine, insert, make_url, select, text
from world import EMIRATES, KAZAKHSTAN, RUSSIA, World, sample

from signer.domain.number import Number
from signer.domain.verdict import Code
from signer.register import endings
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

ENDS = {
    "0001": "a first seal",
    "0003": "kept files, jobs",
    "0007": "keys elsewhere, official copies, archive levels",
    "0008": "judging",
    "0009": "speed",
    "0013": "the portal",
    "0019": "exporters, officers, buyers",
    "0024": "machines",
    "0026": "the log, codes on paper",
    "0027": "batches",
}
"""The last migration of the work on each issue, and what it was about."""
LOG = "0025"
"""The migration that begins the log; what remembers its head is there from then on."""
IN_ORDINARY_RUNS = {("sqlite", "0001"), ("sqlite", "0009"), ("postgresql", "0024")}
CASES = [
    pytest.param(database, end, marks=[] if (database, end) in IN_ORDINARY_RUNS else pytest.mark.soak)
    for database in ("sqlite", "postgresql")
    for end in ENDS
]


@pytest.fixture(scope="module")
def today(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[str, bytes]]]:
    """A deployment in which three were issued and one of them withdrawn; and their files by number."""
    world = World(worlds.copy(template_folder, tmp_path_factory.mktemp("today") / "data"))
    issued = [world.issue(sample(name)) for name in (KAZAKHSTAN, EMIRATES, RUSSIA)]
    with world.services.database.write() as tx:
        everything = Scope.everything("a test")
        endings.withdraw(tx, issued[1].number, scope=everything, vins=(), reason="error", at=world.at)
    yield world, {str(one.number): one.pdf for one in issued}
    world.services.database.close()


def engine(url: str) -> Engine:
    parsed = make_url(url)
    return create_engine(parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed)


def fill(new: str, old: str) -> dict[str, int]:
    """Insert what one register has into an older schema, as far as that knows its tables and columns."""
    source, target = engine(old), engine(new)
    theirs, ours = MetaData(), MetaData()
    theirs.reflect(source)
    ours.reflect(target)
    counts: dict[str, int] = {}
    with source.connect() as read, target.begin() as write:
        for table in ours.sorted_tables:
            if table.name not in theirs.tables or table.name == "alembic_version":
                continue
            known = theirs.tables[table.name]
            names = [column.name for column in table.columns if column.name in known.columns]
            rows = [dict(row) for row in read.execute(select(*(known.c[name] for name in names))).mappings()]
            if rows:
                write.execute(insert(table), rows)
            counts[table.name] = len(rows)
            if rows and target.dialect.name == "postgresql" and isinstance(rows[0].get("id"), int):
                # where ids are counted, the next one follows those that were given by hand
                counter = f"pg_get_serial_sequence('{table.name}', 'id')"
                write.execute(text(f"SELECT setval({counter}, max(id)) FROM {table.name} HAVING {counter} IS NOT NULL"))
    source.dispose()
    target.dispose()
    return counts


def verdicts(world: World, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what is said of each file: its code, its reason, how its lines stand."""
    found = {number: world.verify(pdf) for number, pdf in files.items()}
    return {number: (one.code, one.reason, one.notices) for number, one in found.items()}


@pytest.mark.parametrize(("database", "end"), CASES)
def test_a_register_of_an_earlier_version_is_brought_up_and_says_of_each_file_what_it_said(
    database: str, end: str, today: tuple[World, dict[str, bytes]], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    before, files = today
    unknown = ("register.sqlite3*",) if end >= LOG else ("register.sqlite3*", "log-head")
    shutil.copytree(before.folder, tmp_path / "old", ignore=shutil.ignore_patterns(*unknown))
    server = request.getfixturevalue("server") if database == "postgresql" else None
    url = server.create() if server else ""
    old = World(tmp_path / "old", at=before.at, database_url=url, overrides={"SIGNER_BLOB_URL": "disk:"})
    old.services.database.upgrade(end)
    counts = fill(old.settings.database, before.settings.database)
    assert counts["confirmations"] == len(files)
    old.services.database.upgrade()
    old.services.database.refuse_other_version()
    try:
        assert verdicts(old, files) == verdicts(before, files)
        assert [old.services.issuing.fetch(Number.parse(number)) for number in files] == list(files.values())
        scrubbed = old.services.keeping.scrub()
        assert (scrubbed.sound, scrubbed.damaged, scrubbed.missing) == (len(files), (), ())
        old.services.working.run_due()
        failed = {job.kind for job in old.services.working.all() if job.error}
        assert failed <= {"look-again"}  # which asks others about seals, and not twice within their answer's second
        assert verdicts(old, files) == verdicts(before, files)
        assert old.verify(old.issue(worlds.fresh(KAZAKHSTAN, 7)).pdf).code is Code.VALID
    finally:
        old.services.database.close()
        if server:
            server.drop(url)
