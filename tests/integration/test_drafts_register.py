"""Drafts in the register: every save a version, none over another's, nothing of another manufacturer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world import HAIYI, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, as_bytes, fresh, sample

from signer.domain.drafting import parse_draft
from signer.domain.vehicle import Vin
from signer.errors import Conflict, NotFound
from signer.register import drafts, parties, production
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.register.database import Transaction

MINE, THEIRS = Scope.of(1), Scope.of(2)
CHEN = PEOPLE[YUNZHOU][0]
DRAFT = parse_draft(as_bytes(sample(KAZAKHSTAN)))
REF = "00112233445566aa"

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def made(world: World) -> World:
    with world.services.database.write() as tx:
        drafts.create(tx, DRAFT, ref=REF, title="Line\x00 50 % \\", by=CHEN, scope=MINE, at=world.at)
    return world


def test_what_is_kept_is_what_was_saved_and_every_version_of_it(made: World) -> None:
    second = DRAFT.model_copy(update={"contract": "NUL \x00 and \u202e"})
    with made.services.database.write() as tx:
        first = drafts.get(tx, REF, scope=MINE)
        after = drafts.save(tx, first, second, title="b", by=CHEN, scope=MINE, at=made.at)
        assert (after.head.version, drafts.get(tx, REF, scope=MINE).body) == (2, second)
        assert drafts.version_of(tx, REF, 1, scope=MINE) == DRAFT
        with pytest.raises(Conflict):
            drafts.save(tx, first, DRAFT, title="late", by=CHEN, scope=MINE, at=made.at)


def test_only_the_newest_versions_are_kept(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "KEPT_VERSIONS", 3)
    with made.services.database.write() as tx:
        kept = drafts.get(tx, REF, scope=MINE)
        for turn in range(4):
            kept = drafts.save(tx, kept, DRAFT, title=str(turn), by=CHEN, scope=MINE, at=made.at)
        found = [drafts.version_of(tx, REF, version, scope=MINE) is not None for version in range(1, 6)]
    assert found == [False, False, True, True, True]


CALLS: dict[str, Callable[[Transaction, World], object]] = {
    "get": lambda tx, _: drafts.get(tx, REF, scope=THEIRS),
    "version_of": lambda tx, _: drafts.version_of(tx, REF, 1, scope=THEIRS),
}


@pytest.mark.parametrize("name", CALLS)
def test_anothers_draft_is_not_there(made: World, name: str) -> None:
    with made.services.database.write() as tx, pytest.raises(NotFound):
        CALLS[name](tx, made)


def test_anothers_draft_is_neither_saved_nor_moved_nor_listed(made: World) -> None:
    with made.services.database.write() as tx:
        kept = drafts.get(tx, REF, scope=MINE)
        with pytest.raises(Conflict):
            drafts.save(tx, kept, DRAFT, title="x", by=CHEN, scope=THEIRS, at=made.at)
        with pytest.raises(Conflict):
            drafts.set_state(tx, kept, "discarded", by=CHEN, scope=THEIRS, at=made.at)
        assert drafts.page(tx, scope=THEIRS) == ()
        assert drafts.counts(tx, scope=THEIRS)["open"] == 0
        assert drafts.counts(tx, scope=MINE)["open"] == 1


@pytest.mark.parametrize(
    ("search", "hits"),
    [("", 1), ("50 %", 1), ("LINE", 1), ("%", 1), ("_", 0), (DRAFT.vehicles[0].vin.lower(), 1), ("霍尔果斯", 0)],
)
def test_a_search_is_text_and_no_pattern(made: World, search: str, hits: int) -> None:
    with made.services.database.read() as tx:
        assert len(drafts.page(tx, scope=MINE, search=search)) == hits


def test_a_fixed_draft_is_not_changed(made: World) -> None:
    with made.services.database.write() as tx:
        drafts.set_state(tx, drafts.get(tx, REF, scope=MINE), "discarded", by=CHEN, scope=MINE, at=made.at)
        with pytest.raises(Conflict):
            drafts.save(tx, drafts.get(tx, REF, scope=MINE), DRAFT, title="x", by=CHEN, scope=MINE, at=made.at)


def test_a_production_list_tells_known_from_unknown_and_nothing_where_there_is_none(made: World) -> None:
    vins = [Vin(vehicle.vin) for vehicle in DRAFT.vehicles]
    built = [production.Built(vin=vin, model="YZS6480T1", built_on=None) for vin in vins[:2]]
    with made.services.database.write() as tx:
        assert production.known(tx, vins, scope=MINE) is None
        assert production.put(tx, built, by=CHEN, scope=MINE, at=made.at) == (2, 0)
        assert production.put(tx, built[:1], by=CHEN, scope=MINE, at=made.at) == (0, 1)
        assert production.known(tx, vins, scope=MINE) == frozenset(vins[:2])
        assert production.known(tx, vins, scope=THEIRS) is None
        assert production.page(tx, scope=THEIRS) == ()
        assert production.remove(tx, vins, by=CHEN, scope=THEIRS, at=made.at) == 0
        assert production.remove(tx, vins, by=CHEN, scope=MINE, at=made.at) == 2
        assert production.count(tx, scope=MINE) == 0


def test_the_exporters_that_were_issued_for_are_told_once_each_the_last_one_first(world: World) -> None:
    """By the index's own leaps: an exporter with many confirmations costs no more than one with one."""
    world.issue(fresh(KAZAKHSTAN, 1))
    world.at += timedelta(minutes=1)
    world.issue({**fresh(KAZAKHSTAN, 3), "exporter": HAIYI})
    with world.services.database.read() as tx:
        assert drafts.exporters_used(tx, scope=MINE) == (HAIYI, TIANSHAN)
        assert drafts.exporters_used(tx, scope=THEIRS) == ()
        known = parties.exporters_of(tx, (HAIYI, "nobody", TIANSHAN))
    assert [one.uscc for one in known] == [HAIYI, TIANSHAN]
    world.at += timedelta(minutes=1)
    world.issue(fresh(KAZAKHSTAN, 2))
    with world.services.database.read() as tx:
        assert drafts.exporters_used(tx, scope=MINE) == (TIANSHAN, HAIYI)
