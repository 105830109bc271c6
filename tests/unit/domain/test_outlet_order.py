"""The nearest outlet is printed first; the content lists them by id as ever, and old content reads as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from signer.domain import comparing, content, rules
from signer.domain.outlet_choice import Choosing, OutletFacts, OutletRule
from signer.domain.places import Place
from tests.unit.domain.sample import AT, GIVEN, LIVE_NUMBER, draft, outlet

ALMATY, ASTANA, AKTAU = Place(43.24, 76.89), Place(51.17, 71.45), Place(43.65, 51.16)
OUTLETS = (outlet("kz-1"), outlet("kz-2"), outlet("kz-3"), outlet("kz-4"))
FACTS = {"kz-1": OutletFacts(place=AKTAU), "kz-2": OutletFacts(place=ASTANA), "kz-3": OutletFacts(place=ALMATY)}
NEAR_ALMATY = OutletRule(id=1, centre=ALMATY, most=4)
NEAREST = ("kz-3", "kz-2", "kz-1", "kz-4")


def terms(*, choosing: Choosing, **changes: Any) -> rules.Terms:
    return rules.to_terms(draft(**changes), replace(GIVEN, outlets=OUTLETS, choosing=choosing))


def printed(given: rules.Terms) -> list[str]:
    return [each.id for each in given.printed_outlets]


def test_the_nearest_to_the_rules_centre_is_printed_first_and_the_content_lists_by_id() -> None:
    made = terms(choosing=Choosing(rules=(NEAR_ALMATY,), facts=FACTS))
    assert printed(made) == list(NEAREST)
    plain = json.loads(content.encode_terms(made))
    assert [each["id"] for each in plain["outlets"]] == ["kz-1", "kz-2", "kz-3", "kz-4"]
    assert plain["outlet_order"] == list(NEAREST)


def test_outlets_that_a_draft_names_are_printed_nearest_to_its_port() -> None:
    named = {"outlets": ["kz-1", "kz-2", "kz-3"], "destination__port": "Khorgos"}
    assert printed(terms(choosing=Choosing(facts=FACTS), **named)) == ["kz-3", "kz-2", "kz-1"]


@pytest.mark.parametrize(
    "choosing",
    [
        Choosing(),
        Choosing(facts=FACTS),
        Choosing(rules=(NEAR_ALMATY,)),
        Choosing(rules=(replace(NEAR_ALMATY, centre=AKTAU),), facts={"kz-1": FACTS["kz-1"]}),
    ],
    ids=["nothing known", "no centre", "no places", "by id anyway"],
)
def test_where_nearness_says_nothing_else_the_terms_are_what_they_always_were(choosing: Choosing) -> None:
    made = terms(choosing=choosing)
    assert content.encode_terms(made) == content.encode_terms(terms(choosing=Choosing()))
    assert b"outlet_order" not in content.encode_terms(made)
    assert made.printed_outlets == made.outlets


def encoded(**changes: Any) -> bytes:
    made = terms(choosing=Choosing(rules=(NEAR_ALMATY,), facts=FACTS)).model_copy(update=changes)
    digest = content.terms_digest(made)
    return content.encode(content.build(terms=made, approved_digest=digest, number=LIVE_NUMBER, issued_at=AT))


def test_another_order_reads_back_byte_for_byte() -> None:
    whole = content.parse(encoded())
    assert printed(whole.terms) == list(NEAREST)
    assert content.encode(whole) == encoded()


@pytest.mark.parametrize(
    "order",
    [
        ("kz-1", "kz-2", "kz-3", "kz-4"),
        ("kz-3", "kz-2", "kz-1"),
        ("kz-3", "kz-2", "kz-1", "kz-1"),
        ("kz-3", "kz-2", "kz-1", "kz-9"),
    ],
    ids=["by id", "one left out", "one twice", "a stranger"],
)
def test_an_order_that_is_none_of_these_outlets_or_says_nothing_is_refused(order: tuple[str, ...]) -> None:
    with pytest.raises(content.ContentRefused, match="outlet_order"):
        content.parse(encoded(outlet_order=order))


def test_an_approver_is_told_that_outlets_are_printed_in_another_order_now() -> None:
    before, after = terms(choosing=Choosing()), terms(choosing=Choosing(rules=(NEAR_ALMATY,), facts=FACTS))
    (change,) = comparing.compare(before, after)
    assert change.path == ("outlets", comparing.ORDER)
    assert change.after == ", ".join(NEAREST)
