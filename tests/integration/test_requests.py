"""An exporter's request goes to each manufacturer apart, follows the draft that is made of it, and is nobody else's."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import approvals
import exporting
import killing
import pytest
from world import BEICHEN, EMIRATES, HAIYI, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, as_bytes, fresh, sample

from signer.domain.drafting import parse_draft
from signer.domain.number import Number
from signer.domain.parties import Uscc
from signer.errors import Conflict, InvalidInput, ManufacturerSuspended, NotFound, NotPermitted, TooManyRequests
from signer.register import restores
from signer.services.exporters import Typed
from signer.services.facts import Handed
from signer.services.requesting import MOST_WORDS, MOST_WORDS_A_DAY, Asker
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from signer.services.requesting import Requesting

MINE, THEIRS = (Uscc(maker["record"]["uscc"]) for maker in sample("register")["manufacturers"][:2])
EXPORTER, OTHER = Uscc(TIANSHAN), Uscc(HAIYI)
CHEN, HE = PEOPLE[YUNZHOU][0], PEOPLE[BEICHEN][0]
ZHANG = Asker(exporter=EXPORTER, person="zhang.sample")
PASSWORD = "four quiet words together"
LI = Asker(exporter=OTHER, person="li.sample")

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def made(world: World) -> World:
    exporting.let_in(world, ZHANG.person, EXPORTER)
    exporting.let_in(world, LI.person, OTHER)
    return world


def asked(world: World, turn: int = 1, **more: str) -> str:
    return exporting.send(world, EXPORTER, ZHANG.person, fresh(KAZAKHSTAN, turn), **more)[0]


def state(world: World, ref: str) -> str:
    return world.services.requesting.find(EXPORTER, ref).request.state


def mails(world: World) -> list[tuple[str, str]]:
    return world.rows("SELECT recipient, kind FROM mails ORDER BY id")


def test_one_wish_for_cars_of_two_makers_is_a_request_to_each(made: World) -> None:
    refs = exporting.send(made, EXPORTER, ZHANG.person, fresh(KAZAKHSTAN, 1), fresh(EMIRATES, 1), message="早日答复")
    found = [made.services.requesting.find(EXPORTER, ref) for ref in refs]
    assert [(one.maker, one.request.vehicles, one.said[0].text) for one in found] == [
        (YUNZHOU, 3, "早日答复"),
        (BEICHEN, 1, "早日答复"),
    ]
    assert len({one.request.batch for one in found}) == 1
    assert [one.ref for one in made.services.request_inbox.inbox(MINE).waiting] == [refs[0]]
    assert [one.ref for one in made.services.request_inbox.inbox(THEIRS).waiting] == [refs[1]]


def test_the_inbox_begins_with_what_is_of_use_for_the_shortest_time(made: World) -> None:
    late, soon = asked(made, 1, last_day="2027-01-31"), asked(made, 2, last_day="2026-12-01")
    assert [one.ref for one in made.services.request_inbox.inbox(MINE).waiting] == [soon, late]


def test_another_exporters_request_is_not_there(made: World) -> None:
    ref, requesting = asked(made), made.services.requesting
    for ask in (
        lambda: requesting.find(OTHER, ref),
        lambda: requesting.say(ref, "?", LI),
        lambda: requesting.withdraw(ref, LI),
    ):
        with pytest.raises(NotFound):
            ask()
    assert requesting.listed(OTHER) == ()


def test_another_makers_request_is_not_there(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    for ask in (
        lambda: inbox.find(THEIRS, ref),
        lambda: inbox.say(THEIRS, ref, "?", by=HE),
        lambda: inbox.refuse(THEIRS, ref, "not-ours", "", by=HE),
        lambda: inbox.draft(THEIRS, ref, by=HE),
        lambda: inbox.licence(THEIRS, EXPORTER),
        lambda: inbox.accept(THEIRS, EXPORTER, by=HE),
    ):
        with pytest.raises(NotFound):
            ask()


def test_who_does_not_act_for_the_exporter_asks_for_nothing(made: World) -> None:
    exporting.let_in(made, "waits.sample", EXPORTER, state="waiting")
    for person in ("li.sample", "waits.sample", CHEN):
        with pytest.raises(NotPermitted):
            exporting.send(made, EXPORTER, person, fresh(KAZAKHSTAN, 1))


def test_a_draft_is_made_once_the_exporter_is_accepted_and_the_request_follows_it(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    with pytest.raises(Conflict):
        inbox.draft(MINE, ref, by=CHEN)
    inbox.accept(MINE, EXPORTER, by=CHEN)
    draft = inbox.draft(MINE, ref, by=CHEN)
    kept = made.services.drafting.find(MINE, draft)
    assert (kept.body.exporter, kept.body.destination.country, len(kept.body.vehicles)) == (EXPORTER, "KZ", 3)
    assert state(made, ref) == "drafted"
    with pytest.raises(Conflict):
        inbox.draft(MINE, ref, by=CHEN)
    made.services.drafting.move(MINE, draft, "waiting", by=CHEN, among=frozenset({"open"}))
    assert state(made, ref) == "approving"
    with pytest.raises(Conflict):
        made.services.requesting.withdraw(ref, ZHANG)


def test_a_discarded_draft_leaves_the_request_asked_and_another_one_can_be_made(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    inbox.accept(MINE, EXPORTER, by=CHEN)
    first = inbox.draft(MINE, ref, by=CHEN)
    made.services.drafting.move(MINE, first, "discarded", by=CHEN, among=frozenset({"open"}))
    assert state(made, ref) == "asked"
    assert inbox.draft(MINE, ref, by=CHEN) != first
    assert state(made, ref) == "drafted"


def test_what_was_refused_says_why_and_stays_so(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    with pytest.raises(InvalidInput):
        inbox.refuse(MINE, ref, "other", "", by=CHEN)
    inbox.refuse(MINE, ref, "not-localised", "", by=CHEN)
    found = made.services.requesting.find(EXPORTER, ref).request
    assert (found.state, found.refusal, found.reason) == ("refused", "not-localised", None)
    with pytest.raises(Conflict):
        inbox.refuse(MINE, ref, "no-outlet", "", by=CHEN)
    with pytest.raises(Exception, match="refused or taken back"):
        made.change("UPDATE requests SET state = 'asked', refusal = NULL")
    with pytest.raises(Exception, match="never changes"):
        made.change("UPDATE requests SET needed_by = '2030-01-01'")


def test_an_exporter_that_is_refused_is_told_and_asks_this_maker_no_more_until_it_is_accepted(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    inbox.refuse_exporter(MINE, EXPORTER, "执照无法核实", by=CHEN)
    assert made.services.requesting.find(EXPORTER, ref).request.refusal == "exporter-unknown"
    with pytest.raises(NotPermitted):
        asked(made, 2)
    assert len(exporting.send(made, EXPORTER, ZHANG.person, fresh(EMIRATES, 2))) == 1
    inbox.accept(MINE, EXPORTER, by=CHEN)
    assert asked(made, 3)


def test_a_wish_is_sent_to_all_its_makers_or_to_none(made: World) -> None:
    asked(made)
    made.services.request_inbox.refuse_exporter(MINE, EXPORTER, "执照无法核实", by=CHEN)
    with pytest.raises(NotPermitted):
        exporting.send(made, EXPORTER, ZHANG.person, fresh(EMIRATES, 2), fresh(KAZAKHSTAN, 2))
    assert made.services.request_inbox.inbox(THEIRS).waiting == ()


def test_both_sides_talk_and_each_is_written_to(made: World) -> None:
    requesting: Requesting = made.services.requesting
    for person in (CHEN, ZHANG.person):
        made.change(
            "INSERT INTO accounts (person_id, login, language, state, created_at) VALUES "
            f"('{person}', '{person}@example.com', 'en', 'active', '2026-11-22T00:00:00.000000Z')"
        )
    ref, inbox = asked(made), made.services.request_inbox
    inbox.say(MINE, ref, "发动机号？\r\n请补充", by=CHEN)
    requesting.say(ref, "YS20T00101", ZHANG)
    inbox.promise(MINE, ref, "2026-11-30", by=CHEN)
    assert [(one.side, one.text) for one in requesting.find(EXPORTER, ref).said] == [
        ("maker", "发动机号？\n请补充"),
        ("exporter", "YS20T00101"),
    ]
    assert mails(made) == [
        (f"{CHEN}@example.com", "request-asked"),
        (f"{ZHANG.person}@example.com", "request-said"),
        (f"{CHEN}@example.com", "request-said"),
        (f"{ZHANG.person}@example.com", "request-promised"),
    ]
    with pytest.raises(InvalidInput):
        inbox.promise(MINE, ref, "2026-11-21", by=CHEN)
    with pytest.raises(InvalidInput):
        requesting.say(ref, " \u202e ", ZHANG)


def test_chosen_cars_get_a_confirmation_for_another_country_and_the_others_keep_theirs(made: World) -> None:
    made.change(
        "INSERT INTO accounts (person_id, login, language, state, created_at) VALUES "
        f"('{ZHANG.person}', '{ZHANG.person}@example.com', 'en', 'active', '2026-11-22T00:00:00.000000Z')"
    )
    issued = made.issue(sample(KAZAKHSTAN))
    number, vins = str(issued.number), [row["vin"] for row in sample(KAZAKHSTAN)["vehicles"]]
    with pytest.raises(NotFound):  # whose maker has not accepted this exporter: a number alone shows nothing
        made.services.requesting.going(EXPORTER, number)
    exporting.accept(made, EXPORTER, YUNZHOU, person=ZHANG.person)
    wish = replace(exporting.wish(sample(KAZAKHSTAN)), country="AE", planned_on="2026-11-25")
    ref = made.services.requesting.redirect(number, vins[:1], wish, ZHANG)
    inbox = made.services.request_inbox
    draft = inbox.draft(MINE, ref, by=CHEN)
    body = made.services.drafting.find(MINE, draft).body
    assert (body.supersedes, body.destination.country, [row.vin for row in body.vehicles]) == (number, "AE", vins[:1])
    assert body.outlets == ()
    answer = approvals.approve(made, made.services.approving.send(draft, maker=MINE, by=CHEN))
    found = made.services.requesting.find(EXPORTER, ref).request
    assert (found.state, found.number) == ("issued", answer.number)
    assert mails(made)[-1] == (f"{ZHANG.person}@example.com", "request-issued")
    assert made.services.requesting.going(EXPORTER, number).live == tuple(vins[1:])
    with pytest.raises(NotFound):
        made.services.requesting.going(OTHER, number)


def answered(world: World, turn: int = 1) -> tuple[str, str, list[str]]:
    """Send a request and issue what was asked for; return its reference, the number and its VINs."""
    plain, inbox = fresh(KAZAKHSTAN, turn), world.services.request_inbox
    ref = exporting.send(world, EXPORTER, ZHANG.person, plain)[0]
    exporting.accept(world, EXPORTER, YUNZHOU, person=ZHANG.person)
    draft = inbox.draft(MINE, ref, by=CHEN)
    approvals.edit(world, draft, plain | {"exporter": EXPORTER})
    answer = approvals.approve(world, world.services.approving.send(draft, maker=MINE, by=CHEN))
    return ref, str(answer.number), [row["vin"] for row in plain["vehicles"]]


def test_a_request_says_how_its_confirmation_stands_long_after_it_was_issued(made: World) -> None:
    ref, typed, vins = answered(made)
    number, ending, inbox = Number.parse(typed), made.services.ending, made.services.request_inbox

    def outcome() -> str:
        shown, listed = made.services.requesting.find(EXPORTER, ref).after, made.services.requesting.listed(EXPORTER)
        (row,) = [one.after for one in listed if one.request.ref == ref]
        theirs = inbox.find(MINE, ref).after
        assert shown is not None
        assert row is not None
        assert theirs is not None
        assert shown.outcome == row.outcome == theirs.outcome == inbox.inbox(MINE).after[ref].outcome
        return shown.outcome

    def withdraw(*ended: str) -> None:
        people = {"by": CHEN, "second": PEOPLE[YUNZHOU][1]}
        ending.withdraw(Withdrawal(number=number, manufacturer=MINE, reason="error", vins=ended, **people))

    assert outcome() == "issued"
    ending.suspend(number, manufacturer=MINE, by=CHEN)
    assert outcome() == "suspended"
    made.at += timedelta(hours=73)  # a hold ends by itself, without any job
    assert outcome() == "issued"
    wish = replace(exporting.wish(sample(KAZAKHSTAN)), country="AE", planned_on="2026-11-27")
    other = made.services.requesting.redirect(typed, vins[:1], wish, ZHANG)
    draft = inbox.draft(MINE, other, by=CHEN)
    successor = approvals.approve(made, made.services.approving.send(draft, maker=MINE, by=CHEN)).number
    assert outcome() == "partly-superseded"
    withdraw(vins[1])
    assert outcome() == "partly-withdrawn"
    withdraw(vins[2])
    assert outcome() == "ended"
    shown = made.services.requesting.find(EXPORTER, ref).after
    assert shown is not None
    lines = [shown.lines[vin] for vin in vins]
    assert [line.standing for line in lines] == ["superseded", "withdrawn", "withdrawn"]
    assert (lines[0].successor, shown.own) == (successor, {successor})


def test_an_issued_request_tells_nothing_more_once_the_maker_turned_the_exporter_away(made: World) -> None:
    ref, _, _ = answered(made)
    made.services.request_inbox.refuse_exporter(MINE, EXPORTER, "执照无法核实", by=CHEN)
    shown = made.services.requesting.find(EXPORTER, ref).after
    assert shown is not None
    assert (shown.outcome, shown.lines) == ("unclear", {})
    theirs = made.services.request_inbox.find(MINE, ref).after
    assert theirs is not None
    assert theirs.outcome == "issued"


def test_an_issued_request_calls_nothing_in_force_that_may_have_ended_in_a_gap(made: World) -> None:
    ref, _, _ = answered(made)
    with made.services.database.write() as tx:
        at = made.at + timedelta(hours=1)
        restores.note(tx, restores.Restore(backup_at=made.at, restored_at=at, archive_digest=bytes(32)))
    shown = made.services.requesting.find(EXPORTER, ref).after
    assert shown is not None
    assert (shown.outcome, len(shown.doubted)) == ("unclear", 3)


@pytest.mark.parametrize(("country", "count"), [("KZ", 1), ("CN", 1), ("?", 1), ("AE", 0)])
def test_another_destination_is_another_country_for_at_least_one_car(made: World, country: str, count: int) -> None:
    exporting.accept(made, EXPORTER, YUNZHOU, person=ZHANG.person)
    number, vins = str(made.issue(sample(KAZAKHSTAN)).number), [sample(KAZAKHSTAN)["vehicles"][0]["vin"]]
    wish = replace(exporting.wish(sample(KAZAKHSTAN)), country=country)
    with pytest.raises(InvalidInput):
        made.services.requesting.redirect(number, vins[:count], wish, ZHANG)


ODD = ("wei\x00rd", "turned \u202e round", "be\x07ll")


@pytest.mark.parametrize("field", ["wanted", "port", "buyer", "contract", "message"])
def test_no_text_of_a_wish_holds_what_cannot_be_printed(made: World, field: str) -> None:
    exporting.accept(made, EXPORTER, YUNZHOU, person=ZHANG.person)
    number, vins = str(made.issue(sample(KAZAKHSTAN)).number), [sample(KAZAKHSTAN)["vehicles"][0]["vin"]]
    plain = replace(exporting.wish(sample(KAZAKHSTAN)), country="AE")
    for text in ODD:
        for ask in (
            lambda text=text: asked(made, 1, **{field: text}),
            lambda text=text: made.services.requesting.redirect(number, vins, replace(plain, **{field: text}), ZHANG),
        ):
            with pytest.raises(InvalidInput) as refused:
                ask()
            assert (refused.value.field, refused.value.reason) == (field, "text.odd")
    assert made.rows("SELECT id FROM requests") == []


def test_no_vehicle_of_a_wish_holds_what_cannot_be_printed(made: World) -> None:
    plain = fresh(KAZAKHSTAN, 1)
    for text in ODD:
        plain["vehicles"][1]["colour"] = text
        with pytest.raises(InvalidInput) as refused:
            exporting.send(made, EXPORTER, ZHANG.person, plain)
        assert (refused.value.field, refused.value.reason) == ("vin-2", "text.odd")


def test_a_first_message_may_have_lines(made: World) -> None:
    ref = asked(made, 1, message=" 您好 \r\n请早日答复 ")
    assert made.services.requesting.find(EXPORTER, ref).said[0].text == "您好\n请早日答复"


@pytest.mark.parametrize("end", ["refused", "withdrawn", "exporter", "drafted"])
def test_nothing_more_is_said_once_nobody_listens(made: World, end: str) -> None:
    ref, inbox, requesting = asked(made), made.services.request_inbox, made.services.requesting
    requesting.say(ref, "?", ZHANG)
    if end == "refused":
        inbox.refuse(MINE, ref, "not-ours", "", by=CHEN)
    elif end == "withdrawn":
        requesting.withdraw(ref, ZHANG)
    else:
        if end == "drafted":  # it stays so: what the maker does with its draft is its own business
            inbox.accept(MINE, EXPORTER, by=CHEN)
            inbox.draft(MINE, ref, by=CHEN)
        inbox.refuse_exporter(MINE, EXPORTER, "执照无法核实", by=CHEN)
        assert state(made, ref) == ("drafted" if end == "drafted" else "refused")
    with pytest.raises(Conflict):
        requesting.say(ref, "?", ZHANG)
    assert len(requesting.find(EXPORTER, ref).said) == 1


def test_what_is_not_issued_yet_goes_nowhere_else(made: World) -> None:
    with killing.at_step(made, "reserved", _end), pytest.raises(_Ended):
        made.issue(sample(KAZAKHSTAN))
    ((number, standing),) = made.rows("SELECT number, standing FROM confirmations")
    assert standing == "pending"
    with pytest.raises(NotFound):
        made.services.requesting.going(EXPORTER, number)


class _Ended(BaseException):
    """What stands for the end of a process: nothing catches it."""


def _end(*_given: object) -> None:
    raise _Ended


def test_a_suspended_maker_is_asked_for_nothing_while_it_is_suspended(made: World) -> None:
    made.change(
        "UPDATE manufacturers SET suspended_at = '2026-11-22T00:00:00.000000Z', suspended_by = 'op', "
        f"suspended_for = 'test' WHERE uscc = '{MINE}'"
    )
    assert MINE not in {maker.uscc for maker in made.services.requesting.makers()}
    with pytest.raises(InvalidInput, match=r"maker\.unknown"):
        asked(made)
    made.change("UPDATE manufacturers SET suspended_at = NULL, suspended_by = NULL, suspended_for = NULL")
    assert asked(made)


def test_no_cars_go_elsewhere_while_their_maker_is_suspended(made: World) -> None:
    exporting.accept(made, EXPORTER, YUNZHOU, person=ZHANG.person)
    number, vins = str(made.issue(sample(KAZAKHSTAN)).number), [sample(KAZAKHSTAN)["vehicles"][0]["vin"]]
    made.change(
        "UPDATE manufacturers SET suspended_at = '2026-11-22T00:00:00.000000Z', suspended_by = 'op', "
        f"suspended_for = 'test' WHERE uscc = '{MINE}'"
    )
    wish = replace(exporting.wish(sample(KAZAKHSTAN)), country="AE")
    assert made.services.requesting.going(EXPORTER, number).is_suspended
    with pytest.raises(ManufacturerSuspended):
        made.services.requesting.redirect(number, vins, wish, ZHANG)
    assert made.rows("SELECT id FROM requests") == []
    made.change("UPDATE manufacturers SET suspended_at = NULL, suspended_by = NULL, suspended_for = NULL")
    assert made.services.requesting.redirect(number, vins, wish, ZHANG)


def test_what_was_issued_to_another_exporter_answers_nobody_elses_request(made: World) -> None:
    made.change(
        "INSERT INTO accounts (person_id, login, language, state, created_at) VALUES "
        f"('{ZHANG.person}', '{ZHANG.person}@example.com', 'en', 'active', '2026-11-22T00:00:00.000000Z')"
    )
    exporting.accept(made, EXPORTER, YUNZHOU, person=ZHANG.person)
    (ref,) = exporting.send(made, EXPORTER, ZHANG.person, sample(KAZAKHSTAN))
    inbox, drafting = made.services.request_inbox, made.services.drafting
    draft = inbox.draft(MINE, ref, by=CHEN)
    whole = parse_draft(as_bytes({**sample(KAZAKHSTAN), "exporter": OTHER}))
    drafting.replace(MINE, draft, whole, title="t", version=drafting.find(MINE, draft).head.version, by=CHEN)
    answer = approvals.approve(made, made.services.approving.send(draft, maker=MINE, by=CHEN))
    assert made.services.papers.spoken(Number.parse(answer.number)).whole.terms.exporter.uscc == OTHER
    mine = made.services.requesting.find(EXPORTER, ref)
    assert (mine.request.state, mine.request.number, mine.after) == ("asked", None, None)
    assert [one.request.number for one in made.services.requesting.listed(EXPORTER)] == [None]
    assert [one.ref for one in inbox.inbox(MINE).waiting] == [ref]
    assert [kind for to, kind in mails(made) if to.startswith(ZHANG.person)] == []
    assert inbox.draft(MINE, ref, by=CHEN) != draft


def test_an_administrator_alone_answers_requests_and_makes_no_draft(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    made.give("admin", "adm.sample")
    inbox.accept(MINE, EXPORTER, by="adm.sample")
    inbox.say(MINE, ref, "?", by="adm.sample")
    with pytest.raises(NotPermitted):
        inbox.draft(MINE, ref, by="adm.sample")
    assert made.rows("SELECT id FROM drafts") == []
    assert state(made, ref) == "asked"


def test_an_exporter_says_so_much_to_a_request_in_a_day_and_the_maker_answers_all_the_same(made: World) -> None:
    ref, other = asked(made), asked(made, 2)
    requesting, inbox = made.services.requesting, made.services.request_inbox
    for _ in range(MOST_WORDS_A_DAY):
        requesting.say(ref, "?", ZHANG)
    with pytest.raises(TooManyRequests):
        requesting.say(ref, "?", ZHANG)
    requesting.say(other, "?", ZHANG)
    inbox.say(MINE, ref, "!", by=CHEN)
    made.at += timedelta(days=1, minutes=1)
    requesting.say(ref, "?", ZHANG)


def test_one_side_that_said_all_it_may_does_not_silence_the_other(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_WORDS >= MOST_WORDS_A_DAY
    monkeypatch.setattr("signer.services.requesting.MOST_WORDS", 2)
    ref, requesting = asked(made), made.services.requesting
    for _ in range(2):
        requesting.say(ref, "?", ZHANG)
    with pytest.raises(Conflict):
        requesting.say(ref, "?", ZHANG)
    made.services.request_inbox.say(MINE, ref, "!", by=CHEN)


def test_two_who_make_a_draft_of_one_request_at_once_make_one(made: World) -> None:
    ref, inbox = asked(made), made.services.request_inbox
    inbox.accept(MINE, EXPORTER, by=CHEN)

    def make() -> str:
        try:
            return inbox.draft(MINE, ref, by=CHEN)
        except Conflict:
            return ""

    with ThreadPoolExecutor(2) as both:
        found = [one.result() for one in [both.submit(make) for _ in range(2)]]
    assert sum(bool(one) for one in found) == 1
    assert len(made.rows("SELECT id FROM drafts")) == 1


def test_two_of_a_company_who_come_in_at_once_are_one_member_and_one_who_waits(made: World) -> None:
    signing, uscc = made.services.exporters, "91350100M000100Y43"
    for turn in range(2):
        typed = Typed(
            uscc=uscc, legal_name="新样例", name="王", login=f"w{turn}@example.com", password=PASSWORD, language="zh"
        )
        signing.sign_up(typed, Handed(subject="other", title="", file_name="x.pdf", data=b"%PDF-"), network=f"n{turn}")
    links = [re.search(r"/sign-up/([0-9a-f]{64})", body) for (body,) in made.rows("SELECT body FROM mails")]
    with ThreadPoolExecutor(2) as both:
        for one in [both.submit(signing.confirm_new, link[1], PASSWORD, network="n") for link in links if link]:
            one.result()
    assert sorted(one.state for one in signing.people(uscc)) == ["member", "waiting"]
