"""What a colleague did meanwhile is said on the draft's own page, and nothing that was typed is lost over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import approvals
import pytest
from test_drafts import CHEN, HOME, MAKER, Page, drafting, kazakhstan, ref, zhou

if TYPE_CHECKING:
    from portal import Visitor
    from werkzeug.test import TestResponse
    from world import World

    from signer.services.drafting import Drafting

__all__ = ["drafting", "ref", "zhou"]
STATES = ("sealing", "issued", "discarded")


def fix(world: World, ref: str, state: str) -> None:
    """Let a draft be in a state in which it can be changed no more."""
    world.change(f"UPDATE drafts SET state = '{state}' WHERE ref = '{ref}'")


def landed(visitor: Visitor, answer: TestResponse) -> tuple[str, str]:
    """Return the page that an answer leads to, and its address without the query."""
    assert answer.status_code == 303, answer.text
    return visitor.get(answer.location, lang="en").text, answer.location.partition("?")[0]


def test_a_draft_that_breaks_a_rule_is_not_sent_and_its_page_says_so(chen: Visitor, drafting: Drafting) -> None:
    ref = drafting.begin(MAKER, by=CHEN)
    page, place = landed(chen, chen.post(f"{HOME}/{ref}/send", {"version": "1"}))
    assert place == f"{HOME}/{ref}"
    assert 'role="alert"' in page
    assert "was not sent" in page
    assert drafting.find(MAKER, ref).head.state == "open"


def test_a_draft_that_a_colleague_sent_or_changed_is_not_sent_again_and_its_page_says_which(
    world: World, chen: Visitor, zhou: Visitor, ref: str
) -> None:
    Page.open(zhou, ref).save(contract="TS-1")
    page, place = landed(chen, chen.post(f"{HOME}/{ref}/send", {"version": "1"}))
    assert (place, "was not sent: somebody changed it" in page) == (f"{HOME}/{ref}", True)
    assert zhou.post(f"{HOME}/{ref}/send", {"version": "2"}).status_code == 303
    page, _ = landed(chen, chen.post(f"{HOME}/{ref}/send", {"version": "2"}))
    assert "waits for approval already" in page
    assert len(world.services.approving.inbox(MAKER)) == 1


@pytest.mark.parametrize("state", STATES)
def test_what_was_typed_into_a_draft_that_is_fixed_by_now_is_kept_as_a_draft_of_its_own(
    world: World, chen: Visitor, ref: str, drafting: Drafting, state: str
) -> None:
    open_page = Page.open(chen, ref)
    fix(world, ref, state)
    page, place = landed(chen, open_page.save(contract="typed meanwhile", title="春季批次"))
    assert place != f"{HOME}/{ref}"
    assert f'href="{HOME}/{ref}"' in page
    assert 'role="alert"' in page
    assert "typed meanwhile" in page
    made = drafting.find(MAKER, place.rpartition("/")[2])
    assert (made.body.contract, made.head.title, made.head.state) == ("typed meanwhile", "春季批次", "open")
    assert made.body.vehicles == kazakhstan().vehicles
    assert drafting.find(MAKER, ref).body == kazakhstan()


@pytest.mark.parametrize("state", STATES)
def test_a_save_without_a_change_leads_back_to_the_fixed_draft_and_begins_none(
    world: World, chen: Visitor, ref: str, state: str
) -> None:
    open_page = Page.open(chen, ref)
    fix(world, ref, state)
    page, place = landed(chen, open_page.save())
    assert (place, 'role="alert"' in page) == (f"{HOME}/{ref}", True)
    assert world.rows("SELECT count(*) FROM drafts") == [(1,)]


def test_what_no_draft_can_hold_is_shown_again_too(world: World, chen: Visitor, ref: str, drafting: Drafting) -> None:
    open_page = Page.open(chen, ref)
    fix(world, ref, "issued")
    answer = open_page.save(contract="x" * 1500, destination__port="Khorgos")
    assert answer.status_code == 409
    assert "x" * 1500 in answer.text
    made = answer.text.partition(f'action="{HOME}/')[2][:16]
    assert drafting.find(MAKER, made).body.destination.port == "Khorgos"


def test_a_save_that_takes_a_colleagues_sending_back_says_so(world: World, chen: Visitor, zhou: Visitor) -> None:
    found = approvals.sent(world, by="zhou")
    world.change(f"UPDATE drafts SET state = 'open' WHERE ref = '{found.draft_ref}'")
    open_page = Page.open(chen, found.draft_ref)
    world.change(f"UPDATE drafts SET state = 'waiting' WHERE ref = '{found.draft_ref}'")
    page, _ = landed(chen, open_page.save(contract="TS-2"))
    assert "took it back" in page
    assert approvals.state(world, found) == ("voided", "open")


def test_what_cannot_be_put_away_any_more_leads_back_to_the_draft_with_a_sentence(
    world: World, chen: Visitor, ref: str
) -> None:
    fix(world, ref, "issued")
    for act in ("discard", "restore"):
        page, place = landed(chen, chen.post(f"{HOME}/{ref}/{act}"))
        assert (place, 'role="alert"' in page) == (f"{HOME}/{ref}", True)


def test_every_word_of_the_address_is_one_of_ours(chen: Visitor, ref: str) -> None:
    page = chen.get(f"{HOME}/{ref}?told=<b>evil&of=%2F%2Fevil.example").text
    assert "evil" not in page.replace("told=%3Cb%3Eevil", "").replace("of=%2F%2Fevil.example", "").replace("//evil", "")
