"""What was approved is sealed, exactly that and exactly once; whatever else happens, nothing is."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import approvals
import killing
import mishaps
import psycopg
import pytest
from approvals import CHEN, LIN, approve, sent, state
from world import BEICHEN, KAZAKHSTAN, World, sample

from signer.domain.verdict import Code
from signer.errors import Conflict, KeyUnavailable, NotFound, NotPermitted, RuleViolation
from signer.services.approving import StaleTerms

if TYPE_CHECKING:
    from signer.register.submissions import Submission

ADMIN = "admin.sample"
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def database() -> str:
    """SQLite, but for what depends on the database: that says BOTH."""
    return "sqlite"


def documents(world: World) -> int:
    return len(world.rows("SELECT id FROM confirmations WHERE standing = 'issued'"))


def close_an_outlet(world: World) -> str:
    """End the authorisation of an outlet in Kazakhstan yesterday, behind everybody's back."""
    named = world.rows("SELECT o.id, o.record FROM outlets o, submissions s WHERE o.manufacturer_id = 1 ORDER BY o.id")
    ((terms,),) = world.rows("SELECT terms FROM submissions")
    outlet, record = next((each, told) for each, told in named if f'"id":"{each}"' in terms)
    gone = json.dumps(json.loads(record) | {"authorised_until": "2026-11-01"}, ensure_ascii=False)
    world.change(f"UPDATE outlets SET record = '{gone}' WHERE manufacturer_id = 1 AND id = '{outlet}'")
    return str(outlet)


def test_what_is_approved_is_sealed_and_says_what_was_shown(world: World) -> None:
    found = sent(world)
    shown = world.services.approving.show(approvals.maker(world), found.ref)
    assert (shown.now, shown.since, state(world, found)) == ((), (), ("waiting", "waiting"))
    answer = approve(world, found)
    assert (answer.outcome, state(world, found)) == ("issued", ("issued", "issued"))
    assert answer.number is not None
    verdict = world.verify(world.services.issuing.fetch(answer.number))
    assert verdict.code is Code.VALID
    assert verdict.confirmation is not None
    assert verdict.confirmation.terms_digest == found.terms_digest.hex()
    assert verdict.confirmation.terms == shown.terms
    people = world.rows("SELECT preparer_id, approver_id, origin FROM seal_uses")
    assert people == [(CHEN, LIN, "portal")]


def test_whoever_sent_or_prepared_it_does_not_approve_it(world: World) -> None:
    world.give("approver", CHEN)
    world.give("preparer", LIN)
    world.services.people.load(_both_roles(), actor="test")
    prepared = approvals.draft(world, sample(KAZAKHSTAN), by=LIN)
    found = world.services.approving.send(prepared, maker=approvals.maker(world), by=CHEN)
    for person in (CHEN, LIN):
        with pytest.raises(NotPermitted, match="second person"):
            approve(world, found, by=person)
        with pytest.raises(NotPermitted, match="second person"):
            world.services.approving.send_back(found.ref, maker=approvals.maker(world), by=person, reason="no")
    assert (documents(world), state(world, found)) == (0, ("waiting", "waiting"))


def _both_roles() -> bytes:
    from world import as_bytes  # noqa: PLC0415

    uscc = sample("register")["manufacturers"][0]["record"]["uscc"]
    roles = ["preparer", "approver"]
    people = [{"person": one, "manufacturer": uscc, "roles": roles} for one in (CHEN, LIN)]
    return as_bytes({"memberships": people})


@BOTH
@pytest.mark.parametrize("state_", ["approved", "issued", "returned"])
def test_the_database_refuses_one_person_in_both_places(world: World, state_: str) -> None:
    found = sent(world)
    told = f"state = '{state_}', decided_by = '{CHEN}', factor = 'totp', decided_at = sent_at"
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError)):
        world.change(f"UPDATE submissions SET {told} WHERE ref = '{found.ref}'")


@BOTH
@pytest.mark.parametrize("change", ["terms = 'x'", "terms_digest = zeroblob(32)", f"sent_by = '{LIN}'", "state = 'x'"])
def test_the_database_keeps_what_was_shown(world: World, change: str) -> None:
    found = sent(world)
    if world.database_url:
        change = change.replace("zeroblob(32)", "'\\x00'")
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError)):
        world.change(f"UPDATE submissions SET {change} WHERE ref = '{found.ref}'")
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError)):
        world.change(f"DELETE FROM submissions WHERE ref = '{found.ref}'")


def test_who_has_not_the_role_neither_sends_nor_approves(world: World) -> None:
    found = sent(world)
    world.give("admin", ADMIN)
    with pytest.raises(NotPermitted):
        approve(world, found, by=ADMIN)
    ref = approvals.draft(world, sample(KAZAKHSTAN))
    with pytest.raises(NotPermitted):
        world.services.approving.send(ref, maker=approvals.maker(world), by=LIN)


@BOTH
def test_an_edit_voids_what_was_sent(world: World) -> None:
    found = sent(world)
    edited = sample(KAZAKHSTAN)
    edited["vehicles"].pop()
    approvals.edit(world, found.draft_ref, edited)
    assert state(world, found) == ("voided", "open")
    with pytest.raises(Conflict):
        approve(world, found)
    again = world.services.approving.send(found.draft_ref, maker=approvals.maker(world), by=CHEN)
    shown = world.services.approving.show(approvals.maker(world), again.ref)
    assert [change.path[0] for change in shown.since] == ["vehicles"]
    assert documents(world) == 0


def test_another_digest_than_the_one_that_was_shown_is_refused(world: World) -> None:
    found = sent(world)
    with pytest.raises(StaleTerms):
        approve(world, found, digest="00" * 32)
    assert (documents(world), state(world, found)) == (0, ("waiting", "waiting"))


def test_an_outlet_closed_in_between_voids_it_and_the_approver_sees_which(world: World) -> None:
    found = sent(world)
    outlet = close_an_outlet(world)
    answer = approve(world, found)
    assert (answer.outcome, documents(world), state(world, found)) == ("changed", 0, ("voided", "open"))
    assert world.rows("SELECT count(*) FROM confirmations") == [(0,)]
    shown = world.services.approving.show(approvals.maker(world), found.ref)
    assert shown.submission.reason == "changed-since"
    said = " ".join(" ".join(change.path) for change in shown.now) + (shown.submission.error or "")
    assert outlet in said or any("outlet" in finding.rule for finding in shown.findings)


def test_another_makers_submission_is_not_there(world: World) -> None:
    found, theirs = sent(world), approvals.maker(world, BEICHEN)
    for act in (
        lambda: world.services.approving.show(theirs, found.ref),
        lambda: world.services.approving.take_back(found.ref, maker=theirs, by="he.sample"),
        lambda: world.services.approving.send(found.draft_ref, maker=theirs, by="he.sample"),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_draft_that_breaks_a_rule_is_not_sent(world: World) -> None:
    plain = sample(KAZAKHSTAN)
    plain["vehicles"][0]["vin"] = "L"
    with pytest.raises(RuleViolation):
        sent(world, plain)
    assert world.rows("SELECT state FROM drafts") == [("open",)]


def test_a_click_twice_is_one_document(world: World) -> None:
    found = sent(world)
    first, second = approve(world, found), approve(world, found)
    assert (first.number, first.outcome, documents(world)) == (second.number, second.outcome, 1)


@BOTH
def test_two_approvers_and_four_clicks_at_once_are_one_document(world: World) -> None:
    found = sent(world)
    people = (LIN, mishaps.second_approver(world))

    def click(mine: World, place: int) -> str:
        answer = approve(mine, found, by=people[place % 2])
        return str(answer.number or answer.outcome)

    with mishaps.crew(world, 4) as workers:
        answers = mishaps.at_once(workers, click)
    numbers = {one for one in answers if one not in ("sealing", "conflict")}
    assert (len(numbers), documents(world), state(world, found)) == (1, 1, ("issued", "issued"))
    assert killing.accounts(world) == {"issued": 1}


def killed_at() -> list[Any]:
    """Each step on each database; the ordinary run has a few, for each takes a process of its own and a settling."""
    ordinary = {
        "sqlite": ("in the word's transaction", "the word is kept", "sealed", "in the last transaction"),
        "postgresql": ("the word is kept", "in transaction 2"),
    }
    return [
        pytest.param(database, step, marks=() if step in some else pytest.mark.soak)
        for database, some in ordinary.items()
        for step in killing.APPROVING
    ]


@pytest.mark.parametrize(("database", "step"), killed_at())
def test_killed_at_any_step_an_approval_ends_in_the_one_document(world: World, step: str) -> None:
    found = sent(world)
    world.services.database.close()
    death = killing.approve_and_die(world, step, approvals.word(world, found))
    assert (death.code, death.step) == (-9, step)
    is_said = step not in ("before the word", "in the word's transaction")
    assert state(world, found) == (("approved", "sealing") if is_said else ("waiting", "waiting"))
    if is_said:
        with pytest.raises(Conflict):
            approvals.edit(world, found.draft_ref, sample(KAZAKHSTAN))
    world.at += timedelta(minutes=11)
    other = world.another()
    other.services.maintaining.settle()
    settled = other.services.approving.settle()
    other.services.database.close()
    assert [one.outcome for one in settled] == ["issued"] * is_said
    first, second = approve(world, found), approve(world, found)
    assert {one.number for one in (first, second, *settled)} == {first.number}
    assert (state(world, found), killing.accounts(world)) == (("issued", "issued"), {"issued": 1})


def test_what_fails_for_now_waits_again_and_can_be_approved_again(world: World) -> None:
    found = sent(world)

    def fail(*_: object) -> None:
        raise KeyUnavailable("the token is not plugged in")

    with killing.at_step(world, "rendered", fail):
        answer = approve(world, found)
    assert (answer.outcome, state(world, found)) == ("failed", ("waiting", "waiting"))
    assert "key-unavailable" in answer.words
    world.at += timedelta(seconds=1)
    assert approve(world, found).outcome == "issued"
    assert documents(world) == 1


@BOTH
def test_a_late_sealer_seals_nothing_that_was_voided_meanwhile(world: World) -> None:
    found = sent(world)

    def lose(*_: object) -> None:
        void = f"UPDATE submissions SET state = 'voided', reason = 'changed-since' WHERE ref = '{found.ref}'"
        world.change(void)

    issuing = world.services.issuing
    prepared = issuing._prepare

    def and_then(order: object) -> object:
        ready = prepared(order)  # type: ignore[arg-type]
        lose()
        return ready

    issuing._prepare = and_then  # type: ignore[method-assign,assignment]
    assert approve(world, found).outcome == "changed"
    assert world.rows("SELECT count(*) FROM confirmations") == [(0,)]


def test_the_inbox_begins_with_what_is_needed_first(world: World) -> None:
    first = sent(world)
    plain = sample(approvals.EMIRATES)
    plain.pop("manufacturer", None)
    urgent = sample(KAZAKHSTAN)
    for place, vehicle in enumerate(urgent["vehicles"]):
        vehicle["registered_on"] = "2026-06-20"
        vehicle["vin"] = _other_vin(vehicle["vin"], place)
    second = sent(world, urgent)
    assert second.needed_by < first.needed_by
    assert [one.ref for one in world.services.approving.inbox(approvals.maker(world))] == [second.ref, first.ref]


def _other_vin(vin: str, place: int) -> str:
    from signer.domain.vehicle import vin_check_character  # noqa: PLC0415

    bare = f"{vin[:11]}{700_000 + place:06d}"
    return bare[:8] + vin_check_character(bare) + bare[9:]


def waiting(world: World) -> list[Submission]:
    return list(world.services.approving.inbox(approvals.maker(world)))


def test_returned_work_is_open_again_with_its_reason(world: World) -> None:
    found = sent(world)
    reason = "<b>第 2 辆的发动机号有误</b>"
    world.services.approving.send_back(found.ref, maker=approvals.maker(world), by=LIN, reason=reason)
    assert (state(world, found), waiting(world)) == (("returned", "open"), [])
    shown = world.services.approving.show(approvals.maker(world), found.ref)
    assert shown.submission.reason == reason
