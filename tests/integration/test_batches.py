"""One word on many items: each is sealed once, exactly as it was approved, or not at all."""

from __future__ import annotations

import sqlite3
from typing import Any

import killing
import psycopg
import pytest
from batched import CHEN, LIN, THEIRS, accounts, approved, drafts, head, items, ready, state, word
from handing_in import OWN
from world import World, as_bytes

from signer.domain.batch import BatchState
from signer.domain.verdict import Code
from signer.errors import Conflict, NotFound, NotPermitted
from signer.services.approving import StaleTerms
from signer.services.importing import Asked
from signer.transparency.merkle import root_of

HE = THEIRS.person


@pytest.fixture
def database() -> str:
    """SQLite, but for what depends on the database: that says BOTH."""
    return "sqlite"


BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@BOTH
def test_a_batch_that_one_word_approved_is_sealed_item_by_item(world: World) -> None:
    ref = approved(world, drafts(3))
    told: list[str] = []
    assert world.services.batch_running.run(ref, told.append) == 3
    assert (state(world, ref), told) == ((BatchState.DONE, 3, 0), ["1 items", "2 items", "3 items"])
    assert killing.accounts(world) == {"issued": 3}
    accounts(world)
    for item in world.services.batching.items(OWN.maker, ref):
        pdf = world.services.issuing.fetch(item.number)  # type: ignore[arg-type]
        verdict = world.verify(pdf)
        assert (verdict.code, tuple(verdict.confirmation.terms.vins)) == (Code.VALID, item.vins)  # type: ignore[union-attr]
    people = world.rows("SELECT DISTINCT preparer_id, approver_id, origin FROM seal_uses")
    assert people == [(CHEN, LIN, "batch")]


def test_the_root_is_that_of_the_items_terms_in_the_files_order(world: World) -> None:
    ref = ready(world, drafts(5))
    leaves = [bytes(row[0]) for row in world.rows("SELECT terms_digest FROM batch_items ORDER BY place")]
    assert head(world, ref).root == root_of(leaves)
    assert root_of(reversed(leaves)) != root_of(leaves)


def test_who_prepared_or_sent_a_batch_does_not_approve_it(world: World) -> None:
    world.give("approver", CHEN)
    world.give("preparer", LIN)
    both = [{"person": one, "manufacturer": OWN.maker, "roles": ["preparer", "approver"]} for one in (CHEN, LIN)]
    world.services.people.load(as_bytes({"memberships": both}), actor="test")
    ref = ready(world, drafts(1), asked=Asked(person=LIN, maker=OWN.maker))
    world.services.batching.send(ref, maker=OWN.maker, by=CHEN)
    for person in (CHEN, LIN):
        with pytest.raises(NotPermitted, match="second person"):
            world.services.batching.approve(word(world, ref, by=person))
        with pytest.raises(NotPermitted, match="second person"):
            world.services.batching.send_back(ref, maker=OWN.maker, by=person, reason="no")
    assert state(world, ref) == (BatchState.WAITING, 0, 0)


@BOTH
def test_the_database_refuses_one_person_in_both_places_and_keeps_what_was_approved(world: World) -> None:
    ref = approved(world, drafts(2))
    digest = "'\\x00'" if world.database_url else "zeroblob(32)"
    for change in (
        f"UPDATE batches SET decided_by = '{CHEN}'",
        f"UPDATE batches SET root = {digest}",
        "UPDATE batches SET state = 'ready'",
        "UPDATE batches SET items = 1",
        "DELETE FROM batches",
        "UPDATE batch_items SET body = '{}'",
        f"UPDATE batch_items SET terms_digest = {digest}",
        "DELETE FROM batch_items",
    ):
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError)):
            world.change(change)
    assert state(world, ref) == (BatchState.RUNNING, 0, 0)


def test_another_root_than_the_one_that_was_shown_is_refused(world: World) -> None:
    ref = ready(world, drafts(1))
    world.services.batching.send(ref, maker=OWN.maker, by=CHEN)
    with pytest.raises(StaleTerms):
        world.services.batching.approve(word(world, ref, root="00" * 32))
    assert state(world, ref) == (BatchState.WAITING, 0, 0)


def test_nothing_is_sealed_of_a_batch_that_nobody_approved(world: World) -> None:
    ref = ready(world, drafts(1))
    assert world.services.batch_running.run(ref) == 0
    world.services.batching.send(ref, maker=OWN.maker, by=CHEN)
    assert world.services.batch_running.run(ref) == 0
    assert world.rows("SELECT count(*) FROM confirmations") == [(0,)]


COLUMNS = (
    "manufacturer_id, lane, source, vins, vehicles, body, terms_digest, state, turn, tries, lease_until, number, error,"
    " ended_at"
)


def behind_the_guards(world: World, change: str) -> None:
    """Change what the database itself would refuse to change, as who owns it can."""
    for (name,) in world.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'batch%'"):
        world.change(f"DROP TRIGGER {name}")
    world.change(change)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE batch_items SET terms_digest = zeroblob(32) WHERE place = 2",
        "UPDATE batch_items SET place = 0 WHERE place = 2",
        "DELETE FROM batch_items WHERE place = 2",
        f"INSERT INTO batch_items SELECT batch_id, 9, {COLUMNS} FROM batch_items WHERE place = 1",
    ],
)
def test_a_batch_whose_items_are_not_those_that_were_approved_seals_nothing(world: World, change: str) -> None:
    ref = approved(world, drafts(2))
    behind_the_guards(world, change)
    assert world.services.batch_running.run(ref) == 0
    assert (head(world, ref).halted.code, set(items(world, ref))) == ("root", {"waiting"})  # type: ignore[union-attr]
    assert head(world, ref).next_at is None
    assert world.rows("SELECT count(*) FROM confirmations") == [(0,)]


def test_an_item_that_is_exchanged_while_the_batch_runs_is_not_sealed(world: World) -> None:
    """The digest that counts is the one that was proven to lie under the approved root."""
    ref = approved(world, drafts(2))

    def exchange(*_: object) -> None:
        behind_the_guards(world, "UPDATE batch_items SET terms_digest = zeroblob(32) WHERE place = 2")

    with killing.at_step(world, "recorded", exchange):
        assert world.services.batch_running.run(ref) == 1
    assert world.services.batch_running.run(ref) == 0
    assert (state(world, ref), head(world, ref).halted.code) == ((BatchState.HALTED, 1, 0), "root")  # type: ignore[union-attr]
    assert len(world.rows("SELECT id FROM confirmations")) == 1


def test_a_body_that_is_exchanged_is_not_what_was_approved(world: World) -> None:
    ref = approved(world, drafts(2))
    ((body,),) = world.rows("SELECT body FROM batch_items WHERE place = 2")
    behind_the_guards(world, f"UPDATE batch_items SET body = '{body.replace('L0Y', 'L0X')}' WHERE place = 2")
    world.services.batch_running.run(ref)
    assert (state(world, ref), items(world, ref)) == ((BatchState.DONE, 1, 1), {"done": 1, "failed": 1})


def test_the_same_file_in_the_same_groups_is_the_same_batch_until_it_is_dead(world: World) -> None:
    data = b"a"
    batching = world.services.batching
    first, is_new = batching.hand_in(OWN, file_name="a.csv", data=data)
    assert is_new
    assert batching.hand_in(OWN, file_name="b.csv", data=data) == (first, False)
    assert batching.hand_in(OWN, file_name="a.csv", data=data, size=2)[1]
    assert batching.hand_in(THEIRS, file_name="a.csv", data=data)[1]
    assert batching.read(first) == "faulty"
    second, is_new = batching.hand_in(OWN, file_name="a.csv", data=data)
    assert is_new
    batching.cancel(second, maker=OWN.maker, by=CHEN)
    assert batching.hand_in(OWN, file_name="a.csv", data=data)[1]


def test_another_makers_batch_is_not_there(world: World) -> None:
    ref, batching = ready(world, drafts(1)), world.services.batching
    acts: list[Any] = [
        lambda: batching.find(THEIRS.maker, ref),
        lambda: batching.items(THEIRS.maker, ref),
        lambda: batching.send(ref, maker=THEIRS.maker, by=HE),
        lambda: batching.cancel(ref, maker=THEIRS.maker, by=HE),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert batching.listed(THEIRS.maker) == ()


def test_what_was_sent_back_or_taken_back_can_be_sent_again(world: World) -> None:
    ref, batching = ready(world, drafts(1)), world.services.batching
    batching.send(ref, maker=OWN.maker, by=CHEN)
    batching.send_back(ref, maker=OWN.maker, by=LIN, reason="合同号有误")
    assert (head(world, ref).state, head(world, ref).reason) == (BatchState.READY, "合同号有误")
    seen = batching.send(ref, maker=OWN.maker, by=CHEN).version
    batching.take_back(ref, maker=OWN.maker, by=CHEN)
    with pytest.raises(Conflict):
        batching.send(ref, maker=OWN.maker, by=CHEN, version=seen)
    assert batching.send(ref, maker=OWN.maker, by=CHEN).state is BatchState.WAITING


def test_a_paused_batch_reserves_nothing_until_somebody_lets_it_go_on(world: World) -> None:
    ref, batching = approved(world, drafts(3)), world.services.batching
    with killing.at_step(world, "recorded", lambda *_: batching.pause(ref, maker=OWN.maker, by=CHEN)):
        assert world.services.batch_running.run(ref) == 1
    assert (state(world, ref), items(world, ref)) == ((BatchState.PAUSED, 1, 0), {"done": 1, "waiting": 2})
    batching.go_on(ref, maker=OWN.maker, by=LIN)
    assert world.services.batch_running.run(ref) == 2
    assert state(world, ref) == (BatchState.DONE, 3, 0)
    accounts(world)
