"""What a buyer may ask at /car, in which cases everything looks alike, and who decides that it may be asked."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from objects import OWN
from portal import Portal

from signer.domain.outlet_choice import OutletFacts
from signer.domain.places import Place
from signer.register import buyers, outlets, parties
from signer.services.lookups import MOST_PER_NUMBER
from signer.services.withdraw import Withdrawal
from signer.web import languages

if TYPE_CHECKING:
    from werkzeug.test import TestResponse
    from world import World

VIN = "L0YSA3B29T0000101"


class Street:
    """A house that issued for three cars, and a buyer before it."""

    def __init__(self, world: World, *, is_open: bool = True) -> None:
        world.give("admin", "gao.sample")
        self.world = world
        self.portal = Portal.of(world)
        plain = worlds.sample(worlds.KAZAKHSTAN)
        self.day = date.fromisoformat(plain["vehicles"][0]["registered_on"])
        self.issued = world.issue(plain)
        confirmation = world.verify(self.issued.pdf).confirmation
        assert confirmation is not None
        self.terms = confirmation.terms
        if is_open:
            world.services.facts.answer_buyers(OWN, by="gao.sample", is_wanted=True)

    def ask(self, vin: str = VIN, day: str = "", *, lang: str = "en", **more: Any) -> TestResponse:
        data = {"vin": vin, "registered_on": day or self.day.isoformat(), "lang": lang}
        return self.portal.app.test_client().post("/car", data=data, **more)

    def close(self, outlet: str) -> None:
        with self.world.services.database.write() as tx:
            scope = parties.tenant(tx, OWN).scope
            facts = OutletFacts(closed_on=self.world.at.date())
            outlets.save_facts(tx, outlet, facts, scope=scope, at=self.world.at)


@pytest.fixture
def street(world: World) -> Street:
    return Street(world)


def bare(page: str) -> str:
    """Return a page without what differs by what was typed, and by the request."""
    page = re.sub(r'nonce="[^"]+"|[0-9a-f]{16}', "", page)
    return re.sub(r'<code class="vin".*?</code>|value="[^"]*"', "", page)


def test_a_buyer_learns_country_outlets_map_and_promise_but_neither_exporter_nor_number(street: Street) -> None:
    page = street.ask().text
    terms = street.terms
    assert "<title>Covered" in page
    assert "Kazakhstan" in page
    assert terms.outlets[0].address in page
    assert "https://www.openstreetmap.org/" in page
    assert 'rel="noopener noreferrer"' in page
    assert terms.commitment.text_en[:40] in page
    for secret in (street.issued.number, terms.exporter.uscc, terms.exporter.legal_name):
        assert secret not in page
    assert not [vehicle.vin for vehicle in terms.vehicles[1:] if vehicle.vin in page]


def test_an_outlet_is_linked_by_its_coordinates_once_they_are_known(street: Street) -> None:
    outlet = street.terms.outlets[0].id
    with street.world.services.database.write() as tx:
        scope = parties.tenant(tx, OWN).scope
        outlets.save_facts(tx, outlet, OutletFacts(place=Place(43.25, 76.95)), scope=scope, at=street.world.at)
    page = street.ask().text
    assert "https://www.openstreetmap.org/?mlat=43.25&amp;mlon=76.95#map=16/43.25/76.95" in page
    assert 'href="geo:43.25,76.95"' in page


def test_a_closed_outlet_is_not_named_and_none_left_says_whom_to_ask(street: Street) -> None:
    named = street.terms.outlets
    street.close(named[0].id)
    assert named[0].address not in street.ask().text
    for outlet in named[1:]:
        street.close(outlet.id)
    assert "None of the outlets named is open today" in street.ask().text


def test_everything_that_is_not_known_looks_alike(street: Street) -> None:
    unknown = street.ask("L0YSA3B20T0000199")
    assert unknown.status_code == 200
    assert "<title>Not known here" in unknown.text
    other_day = street.ask(day=(street.day + timedelta(days=1)).isoformat())
    street.world.services.facts.answer_buyers(OWN, by="gao.sample", is_wanted=False)
    closed = street.ask()
    street.world.services.facts.answer_buyers(OWN, by="gao.sample", is_wanted=True)
    by, second = worlds.PEOPLE[worlds.YUNZHOU]
    maker = worlds.YUNZHOU
    street.world.services.ending.suspend(street.issued.number, manufacturer=maker, by=by)
    suspended = street.ask()
    withdrawal = Withdrawal(number=street.issued.number, manufacturer=maker, by=by, second=second, reason="fraud")
    street.world.services.ending.withdraw(withdrawal)
    withdrawn = street.ask()
    for alike in (other_day, closed, suspended, withdrawn):
        assert (alike.status_code, bare(alike.text)) == (200, bare(unknown.text))


def test_what_is_not_known_costs_the_same_reading_whatever_the_reason(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[int] = []
    real = buyers.content.parse
    monkeypatch.setattr(buyers.content, "parse", lambda data: parsed.append(len(data)) or real(data))
    for vin, day in (("L0YSA3B20T0000199", ""), (VIN, "2020-01-01")):
        street.ask(vin, day)
    street.world.services.facts.answer_buyers(OWN, by="gao.sample", is_wanted=False)
    street.ask()
    assert len(parsed) == 3
    assert len(set(parsed)) == 1


def test_a_manufacturer_answers_nobody_until_it_wants_to(world: World) -> None:
    street = Street(world, is_open=False)
    assert "Not known here" in street.ask().text
    page = street.portal.visitor("gao.sample").get(f"/portal/{OWN}/facts?lang=en").text
    assert "Such questions are not answered." in page


def test_an_administrator_opens_and_closes_it_and_the_audit_says_who(world: World) -> None:
    street = Street(world, is_open=False)
    gao, chen = street.portal.visitor("gao.sample"), street.portal.visitor(worlds.PEOPLE[worlds.YUNZHOU][0])
    address = f"/portal/{OWN}/facts/buyers"
    assert chen.post(address, {"buyers": "yes"}).status_code == 403
    assert gao.post(address, {"buyers": "yes"}).location.endswith("facts.buyers-yes")
    assert gao.post(address, {"buyers": "yes"}).status_code == 303
    assert "Covered" in street.ask().text
    assert gao.post(address, {"buyers": "no"}).location.endswith("facts.buyers-no")
    assert "Not known here" in street.ask().text
    told = street.world.rows("SELECT event, actor FROM audit WHERE event LIKE 'buyers.%' ORDER BY id")
    assert told == [("buyers.answered", "gao.sample"), ("buyers.refused", "gao.sample")]


def test_guessing_days_ends_after_ten_and_the_right_answer_is_not_told_any_more(street: Street) -> None:
    for turn in range(MOST_PER_NUMBER):
        assert street.ask(day=(street.day - timedelta(days=turn + 1)).isoformat()).status_code == 200
    refused = street.ask(lang="ru")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "86400")
    assert "Слишком много неверных запросов из вашей сети" in refused.text
    assert (f'value="{VIN}"' in refused.text, "Казахстан" in refused.text) == (True, False)
    kept = str(street.world.rows("SELECT number FROM lookup_failures"))
    assert VIN not in kept


@pytest.mark.parametrize("language", languages.TONGUES)
def test_what_is_typed_wrong_is_named_beside_its_field(street: Street, language: languages.Tongue) -> None:
    answer = street.ask("L0YSA3B29T000010", "31.02.2026", lang=language)
    assert answer.status_code == 422
    assert 'id="vin-wrong"' in answer.text
    assert 'id="registered_on-wrong"' in answer.text
    assert 'value="L0YSA3B29T000010"' in answer.text
    assert f'<html lang="{languages.TAGS[language]}" dir="{"rtl" if language == "ar" else "ltr"}">' in answer.text


def test_a_russian_keyboard_and_a_russian_date_are_understood(street: Street) -> None:
    typed = VIN.replace("A", "А").replace("B", "В").replace("T", "Т").lower()
    answer = street.ask(typed, f"{street.day:%d.%m.%Y}", lang="ru")
    assert "Обслуживание подтверждено" in answer.text
    assert "Казахстан" in answer.text


@pytest.mark.parametrize("typed", ["", "L0YSA3B29T000010I"])
def test_no_vin_and_one_with_an_i_are_refused_before_anything_is_asked(street: Street, typed: str) -> None:
    assert street.ask(typed).status_code == 422
    assert street.world.rows("SELECT count(*) FROM lookup_failures") == [(0,)]
