"""A request is changed while it waits for an answer, from the version that was read; what it was is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import exporting
import pytest
from world import EMIRATES, HAIYI, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, fresh, sample

from signer.domain.parties import Uscc
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, TooManyRequests
from signer.services.request_changing import MOST_A_DAY, history
from signer.services.requesting import Asker

if TYPE_CHECKING:
    from signer.domain.requesting import Wish

MINE = Uscc(sample("register")["manufacturers"][0]["record"]["uscc"])
EXPORTER, OTHER = Uscc(TIANSHAN), Uscc(HAIYI)
CHEN = PEOPLE[YUNZHOU][0]
ZHANG = Asker(exporter=EXPORTER, person="zhang.sample")

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def made(world: World) -> World:
    exporting.accept(world, EXPORTER, YUNZHOU, person=ZHANG.person)
    return world


def asked(world: World, **more: str) -> str:
    return exporting.send(world, EXPORTER, ZHANG.person, fresh(KAZAKHSTAN, 1), **more)[0]


def wish(world: World, ref: str) -> Wish:
    return world.services.request_changing.begin(EXPORTER, ref).wish


def different(found: Wish) -> Wish:
    """The first vehicle left out, the second one typed anew, one added, another country, another word on outlets."""
    more = exporting.wish(fresh(KAZAKHSTAN, 2)).vehicles[:1]
    second = found.vehicles[1].model_copy(update={"model": "YZS6480T9"})
    return replace(found, country="AE", wanted="Dubai", vehicles=(second, found.vehicles[2], *more))


def test_what_changed_is_told_to_the_maker_and_what_it_was_is_kept(made: World) -> None:
    made.change(
        "INSERT INTO accounts (person_id, login, language, state, created_at) VALUES "
        f"('{CHEN}', '{CHEN}@example.com', 'en', 'active', '2026-11-22T00:00:00.000000Z')"
    )
    ref = asked(made)
    before = wish(made, ref)
    assert made.services.request_changing.change(ref, different(before), ZHANG, version=1)
    theirs = made.services.request_inbox.find(MINE, ref)
    assert (theirs.request.version, theirs.request.vehicles, theirs.request.draft.destination.country) == (2, 3, "AE")
    (told,) = history(theirs.request, theirs.former)
    gone, kept, _ = (vehicle.vin for vehicle in before.vehicles)
    new = theirs.request.draft.vehicles[2].vin
    assert [(one.kind, one.vin, one.field, one.after) for one in told.changes] == [
        ("added", new, "", ""),
        ("removed", gone, "", ""),
        ("retyped", kept, "model", "YZS6480T9"),
        ("text", "", "country", "AE"),
        ("text", "", "wanted", "Dubai"),
    ]
    assert theirs.former[0].wish.body.vehicles == before.vehicles
    assert [kind for (kind,) in made.rows("SELECT kind FROM mails ORDER BY id")] == ["request-asked", "request-changed"]
    with pytest.raises(Exception, match="never changes"):
        made.change("UPDATE request_versions SET wanted = 'x'")
    with pytest.raises(Exception, match="never deleted"):
        made.change("DELETE FROM request_versions")


def test_a_draft_is_made_of_the_changed_request(made: World) -> None:
    ref = asked(made)
    made.services.request_changing.change(ref, different(wish(made, ref)), ZHANG, version=1)
    draft = made.services.request_inbox.draft(MINE, ref, by=CHEN, version=2)
    body = made.services.drafting.find(MINE, draft).body
    assert (body.destination.country, [row.model for row in body.vehicles][:1]) == ("AE", ["YZS6480T9"])


def test_nobody_answers_what_was_changed_since_it_was_read(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    made.services.request_changing.change(ref, different(wish(made, ref)), ZHANG, version=1)
    with pytest.raises(Conflict):
        inbox.draft(MINE, ref, by=CHEN, version=1)
    with pytest.raises(Conflict):
        inbox.refuse(MINE, ref, "not-ours", "", by=CHEN, version=1)
    inbox.refuse(MINE, ref, "not-ours", "", by=CHEN, version=2)


def test_of_two_who_change_the_same_version_the_second_changes_nothing(made: World) -> None:
    ref = asked(made)
    first, second = wish(made, ref), replace(wish(made, ref), wanted="Almaty")
    made.services.request_changing.change(ref, different(first), ZHANG, version=1)
    with pytest.raises(Conflict):
        made.services.request_changing.change(ref, second, ZHANG, version=1)
    assert made.services.requesting.find(EXPORTER, ref).request.wanted == "Dubai"


@pytest.mark.parametrize("end", ["drafted", "refused", "withdrawn"])
def test_what_is_answered_is_changed_no_more_whoever_tries(made: World, end: str) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    found = wish(made, ref)
    if end == "drafted":
        inbox.draft(MINE, ref, by=CHEN)
    elif end == "refused":
        inbox.refuse(MINE, ref, "not-ours", "", by=CHEN)
    else:
        made.services.requesting.withdraw(ref, ZHANG)
    with pytest.raises(Conflict):
        made.services.request_changing.change(ref, different(found), ZHANG, version=1)
    with pytest.raises(Exception, match="never changes once"):
        made.change("UPDATE requests SET body = '{}'")


def test_a_request_whose_draft_was_discarded_is_changed_and_waits_again(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    draft = inbox.draft(MINE, ref, by=CHEN)
    made.services.drafting.move(MINE, draft, "discarded", by=CHEN, among=frozenset({"open"}))
    assert made.services.request_changing.change(ref, different(wish(made, ref)), ZHANG, version=1)
    again = inbox.draft(MINE, ref, by=CHEN, version=2)
    assert made.services.drafting.find(MINE, again).body.destination.country == "AE"


def test_a_change_is_judged_as_a_request_is_and_stays_with_its_maker(made: World) -> None:
    ref, changing = asked(made), made.services.request_changing
    found, theirs = wish(made, ref), exporting.wish(fresh(EMIRATES, 1)).vehicles
    for wrong, place, rule in (
        (replace(found, vehicles=()), "paste", "vehicles.none"),
        (replace(found, country="CN"), "country", "country.domestic"),
        (replace(found, vehicles=(*found.vehicles, *theirs)), "certificate_manufacturer-4", "maker.other"),
    ):
        assert (place, rule) in changing.faults(EXPORTER, ref, wrong)
        with pytest.raises(InvalidInput, match=rule):
            changing.change(ref, wrong, ZHANG, version=1)
    assert made.services.requesting.find(EXPORTER, ref).former == ()


def test_what_says_the_same_is_no_change_and_writes_to_nobody(made: World) -> None:
    ref = asked(made, last_day="2026-12-24")
    mails = made.rows("SELECT count(*) FROM mails")
    assert wish(made, ref).last_day == "2026-12-24"
    assert not made.services.request_changing.change(ref, wish(made, ref), ZHANG, version=1)
    assert made.rows("SELECT count(*) FROM mails") == mails
    assert made.services.requesting.find(EXPORTER, ref).request.version == 1


def test_a_last_day_that_was_counted_is_counted_anew_with_the_vehicles(made: World) -> None:
    ref = asked(made)
    found = wish(made, ref)
    assert found.last_day == ""
    early = found.vehicles[0].model_copy(update={"registered_on": "2026-06-01"})
    made.services.request_changing.change(ref, replace(found, vehicles=(early, *found.vehicles[1:])), ZHANG, version=1)
    assert made.services.requesting.find(EXPORTER, ref).request.needed_by.isoformat() == "2026-11-28"


def test_another_exporters_request_is_not_changed(made: World) -> None:
    ref = asked(made)
    found = wish(made, ref)
    exporting.let_in(made, "li.sample", OTHER)
    with pytest.raises(NotFound):
        made.services.request_changing.change(ref, found, Asker(exporter=OTHER, person="li.sample"), version=1)
    with pytest.raises(NotPermitted):
        made.services.request_changing.change(ref, found, Asker(exporter=EXPORTER, person="li.sample"), version=1)


def test_a_request_is_changed_only_so_often_in_a_day(made: World) -> None:
    ref = asked(made)
    for turn in range(MOST_A_DAY):
        made.services.request_changing.change(ref, replace(wish(made, ref), wanted=f"{turn}"), ZHANG, version=turn + 1)
    with pytest.raises(TooManyRequests):
        made.services.request_changing.change(ref, replace(wish(made, ref), wanted="x"), ZHANG, version=MOST_A_DAY + 1)


def test_words_that_come_with_a_change_count_as_others_do(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.services.requesting.MOST_WORDS_A_DAY", 1)
    ref, changing = asked(made), made.services.request_changing
    changing.change(ref, replace(wish(made, ref), message="one"), ZHANG, version=1)
    for found in (wish(made, ref), different(wish(made, ref))):
        with pytest.raises(TooManyRequests):
            changing.change(ref, replace(found, message="two"), ZHANG, version=1)
    assert made.services.requesting.find(EXPORTER, ref).request.version == 1
    assert [one.text for one in made.services.requesting.find(EXPORTER, ref).said] == ["one"]
