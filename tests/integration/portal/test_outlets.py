"""Outlets at the portal: a maker sees what each destination has, changes and closes its own, and ends nothing by it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from objects import OTHER, OWN
from portal import Portal
from world import KAZAKHSTAN, World, fresh, sample

from signer.domain.outlet_entry import ENTRY_FIELDS, typed_of
from signer.errors import RuleViolation
from signer.register import audit
from signer.register.scope import Scope

if TYPE_CHECKING:
    from portal import Visitor
    from werkzeug.test import TestResponse

BASE = f"/portal/{OWN}/outlets"
ALMATY = f"{BASE}/id/kz-almaty"


def typed(**changes: Any) -> dict[str, Any]:
    """What a form sends of a new outlet."""
    plain = {
        "id": "om-muscat",
        "country": "OM",
        "name": "Muscat Sample Workshop",
        "name_local": "ورشة العينة في مسقط",
        "provider": "Sample Gulf LLC",
        "address": "1 Sample Street, Muscat",
        "address_local": "شارع العينة 1، مسقط، سلطنة عُمان",
        "authorised_from": "2026-01-01",
        "scope": ["mechanical", "high-voltage-battery"],
    }
    return plain | changes


def events(world: World) -> list[str]:
    with world.services.database.read() as tx:
        return [entry.event for entry in audit.entries(tx, scope=Scope.of(1))]


def hand_in(visitor: Visitor, text: str | bytes, *, kind: str = "changes", name: str = "list.csv") -> TestResponse:
    data = text.encode() if isinstance(text, str) else text
    form = {"file": (BytesIO(data), name), "kind": kind}
    return visitor.post(f"{BASE}/import", form, content_type="multipart/form-data")


def apply(visitor: Visitor, address: str, **form: str) -> TestResponse:
    shown = visitor.get(address).text
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', shown)
    return visitor.post(address, {"do": "apply", "digest": found[1] if found else "", **form})


# --- what there is


def test_each_destination_tells_how_many_are_live_and_what_they_can_do(chen: Visitor, world: World) -> None:
    world.services.outlets.change(OWN, "kz-astana", keep(world, "kz-astana", scope="mechanical"), by="test")
    found = {one.country: one for one in world.services.outlets.coverage(OWN)}
    assert (found["KZ"].live, found["KZ"].battery, found["KZ"].software) == (2, 1, 1)
    text = chen.get(BASE, lang="en").text
    assert "Kazakhstan" in text
    assert "In order" in text


def test_after_ninety_days_an_outlet_is_overdue_until_it_is_marked_verified(chen: Visitor, world: World) -> None:
    verified = world.services.outlets.one(OWN, "kz-almaty").outlet.verified_on
    assert verified is not None
    world.at += timedelta(days=90 - (world.at.date() - verified).days)
    assert not world.services.outlets.one(OWN, "kz-almaty").is_overdue
    world.at += timedelta(days=1)
    chen = Portal.of(world).visitor(chen.person)
    assert "Not verified for 90 days" in chen.get(ALMATY).text
    assert chen.post(f"{ALMATY}/verified").status_code == 303
    assert world.services.outlets.one(OWN, "kz-almaty").outlet.verified_on == world.at.date()
    assert "Not verified for 90 days" not in chen.get(ALMATY).text


def test_a_draft_that_goes_where_no_outlet_is_shows_as_a_gap(chen: Visitor, world: World) -> None:
    body, at = '{"schema": "signer.draft/1", "destination": {"country": "墨西哥"}}', "2026-11-22T00:00:00.000000Z"
    world.change(
        "INSERT INTO drafts (ref, manufacturer_id, title, words, body, version, state, created_by, created_at, "
        f"changed_by, changed_at) VALUES ('r', 1, 't', '', '{body}', 1, 'open', '{chen.person}', '{at}', "
        f"'{chen.person}', '{at}')"
    )
    first = world.services.outlets.coverage(OWN)[0]
    assert (first.country, first.drafts, first.is_gap) == ("MX", 1, True)
    text = chen.get(BASE).text
    assert "Drafts, but no outlet" in text
    assert f"{BASE}/add?country=MX" in text


# --- entering


def test_an_outlet_is_added_with_its_arabic_address_and_shown_as_typed(chen: Visitor, world: World) -> None:
    assert chen.post(f"{BASE}/add", typed()).location == f"{BASE}/id/om-muscat?done=outlets.added"
    made = world.services.outlets.one(OWN, "om-muscat").outlet
    assert (made.country, made.scope) == ("OM", ("mechanical", "high-voltage-battery"))
    assert made.address_local == "شارع العينة 1، مسقط، سلطنة عمان"  # vowel marks are dropped, as in any sealed text
    assert "outlet.added" in events(world)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("id", "Big One", "small letters"),
        ("id", "kz-almaty", "is an outlet with the id"),
        ("country", "CN", "no country abroad"),
        ("name", "", "name"),
        ("name", "n" * 5000, "120"),
        ("name", "a\x00b", "U+0000"),
        ("name", "a\u202eb", "U+202E"),
        ("email", "nobody", "no e-mail"),
        ("authorised_from", "soon", "is not a date"),
        ("authorised_until", "2025-12-31", "before it begins"),
        ("verified_on", "2027-01-01", "day to come"),
        ("latitude", "43.2", "decimal degrees"),
        ("languages", "russian", "language code"),
        ("scope", "magic", "not known"),
    ],
)
def test_a_wrong_field_is_told_beside_it_and_what_was_typed_stays(
    chen: Visitor, world: World, field: str, value: str, said: str
) -> None:
    answer = chen.post(f"{BASE}/add", typed(**{field: value}))
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    assert "Sample Gulf LLC" in answer.text
    assert "om-muscat" not in {one.outlet.id for one in world.services.outlets.every(OWN)}


def test_what_looks_like_a_page_is_text_on_every_page(chen: Visitor, world: World) -> None:
    name = "<script>alert(1)</script>"
    chen.post(f"{BASE}/add", typed(name=name))
    token = world.services.outlet_links.make(OWN, "om-muscat", by="test")
    pages = (f"{BASE}/list", f"{BASE}/id/om-muscat", f"{BASE}/id/om-muscat/close", f"/outlet-link/{token}")
    for page in pages:
        text = chen.get(page).text
        assert name not in text
        assert "&lt;script&gt;" in text


def test_a_change_is_noted_field_by_field_and_nothing_changed_is_nothing(chen: Visitor, world: World) -> None:
    before = len(events(world))
    form = keep(world, "kz-almaty")
    chen.post(ALMATY, split(form))
    assert len(events(world)) == before
    chen.post(ALMATY, split(form | {"phone": "+7 700 000 0099"}))
    assert world.services.outlets.one(OWN, "kz-almaty").outlet.phone == "+7 700 000 0099"
    assert world.rows("SELECT detail FROM audit WHERE event = 'outlet.changed'") == [('{"fields": "phone"}',)]


def test_another_makers_outlet_is_not_there(chen: Visitor, world: World) -> None:
    theirs = world.services.outlets.every(OTHER)[0].outlet.id
    before = world.rows("SELECT * FROM outlets ORDER BY manufacturer_id, id")
    for path in ("", "/close"):
        assert chen.get(f"{BASE}/id/{theirs}{path}").status_code == 404
    for path in ("", "/close", "/verified", "/reopened", "/link"):
        assert chen.post(f"{BASE}/id/{theirs}{path}", typed()).status_code == 404
    assert world.rows("SELECT * FROM outlets ORDER BY manufacturer_id, id") == before


# --- closing


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_closing_shows_exactly_the_confirmations_in_force_that_name_it_and_ends_none(
    chen: Visitor, world: World
) -> None:
    named = world.issue(sample(KAZAKHSTAN))
    other = world.issue({**fresh(KAZAKHSTAN, 1), "outlets": ["kz-astana"]}).number
    assert [one.number for one in world.services.outlets.touched(OWN, "kz-almaty")] == [named.number]
    text = chen.get(f"{ALMATY}/close").text
    assert f"/portal/{OWN}/confirmations/{named.number}" in text
    assert other not in text
    assert "ends no confirmation" in text
    answer = chen.post(f"{ALMATY}/close", {"closed_on": "2026-11-20", "reason": "The lease ended"})
    assert answer.location == f"{ALMATY}?done=outlets.closed"
    assert world.rows("SELECT DISTINCT standing FROM confirmations") == [("issued",)]
    verdict = world.verify(named.pdf)
    assert (verdict.code.value, verdict.notices) == ("VALID_WITH_NOTICE", ("OUTLET_CLOSED",))
    tail = sample(KAZAKHSTAN)["vehicles"][0]["vin"][-6:]
    public = chen.client.post("/verify", data={"box": f"{named.number}\n{tail}", "lang": "en"}).text
    assert "Closed since" in public
    assert "The lease ended" not in public
    kept = world.services.outlets.one(OWN, "kz-almaty")
    assert (kept.state, kept.outlet.authorised_until) == ("closed", date(2026, 11, 19))


def test_a_closed_outlet_is_chosen_for_nothing_and_can_be_opened_again(chen: Visitor, world: World) -> None:
    chen.post(f"{ALMATY}/close", {"closed_on": "2026-11-22", "reason": "r"})
    assert chen.post(ALMATY, split(keep(world, "kz-almaty"))).status_code == 409
    issued = world.services.issuing.fetch(world.issue(sample(KAZAKHSTAN)).number)
    facts = world.services.verifying.gather(issued)
    assert facts.content.confirmation is not None
    assert [one.id for one in facts.content.confirmation.terms.outlets] == ["kz-astana"]
    chen.post(f"{ALMATY}/reopened")
    assert world.services.outlets.one(OWN, "kz-almaty").state == "live"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"closed_on": "2026-11-22", "reason": " "}, "Say why"),
        ({"closed_on": "2026-11-22", "reason": "r" * 201}, "200"),
        ({"closed_on": "", "reason": "r"}, "Give the day"),
        ({"closed_on": "2028-11-22", "reason": "r"}, "a year ahead"),
        ({"closed_on": "2020-01-01", "reason": "r"}, "before its authorisation"),
    ],
)
def test_a_closing_without_day_or_reason_is_none(chen: Visitor, world: World, form: dict[str, str], said: str) -> None:
    answer = chen.post(f"{ALMATY}/close", form)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert world.services.outlets.one(OWN, "kz-almaty").state == "live"


def test_an_outlet_in_oman_serves_no_car_for_the_emirates(chen: Visitor, world: World) -> None:
    chen.post(f"{BASE}/add", typed())
    with pytest.raises(RuleViolation) as caught:
        world.issue({**sample(KAZAKHSTAN), "destination": {"country": "AE"}, "outlets": ["om-muscat"]})
    assert "outlet.country" in {one.rule for one in caught.value.violations}


# --- rules


def test_the_first_rule_that_fits_decides_what_is_issued_and_what_the_try_out_shows(
    chen: Visitor, world: World
) -> None:
    place = {"latitude": "51.17", "longitude": "71.45"}
    world.services.outlets.change(OWN, "kz-astana", keep(world, "kz-astana", **place), by="test")
    for form in ({"country": "Kazakhstan", "most": "1", **place}, {"most": "9"}):
        assert chen.post(f"{BASE}/rules", form).status_code == 303
    assert "By rule 1" in chen.get(f"{BASE}/rules?try_country=KZ").text
    draft = world.services.drafting.begin(OWN, by=str(chen.person))
    chen.post(f"/portal/{OWN}/drafts/{draft}", {"destination-country": "KZ", "do": "save"})
    assert "this confirmation gets" in chen.get(f"/portal/{OWN}/drafts/{draft}").text
    suggested = world.services.outlets.suggest(world.order(sample(KAZAKHSTAN)).draft, OWN)
    assert [one.id for one in suggested.outlets] == ["kz-astana"]
    facts = world.services.verifying.gather(world.issue(sample(KAZAKHSTAN)).pdf)
    assert facts.content.confirmation is not None
    assert [one.id for one in facts.content.confirmation.terms.outlets] == ["kz-astana"]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_rules_move_change_and_go_and_keep_their_order(chen: Visitor, world: World) -> None:
    rules = world.services.outlet_rules
    for most in "123":
        chen.post(f"{BASE}/rules", {"most": most})
    last = rules.all(OWN)[-1].id
    chen.post(f"{BASE}/rules/{last}", {"do": "up"})
    assert [one.most for one in rules.all(OWN)] == [1, 3, 2]
    chen.post(f"{BASE}/rules/{last}", {"most": "7", "brand": "云舟"})
    assert [(one.most, one.brand) for one in rules.all(OWN)] == [(1, None), (7, "云舟"), (2, None)]
    chen.post(f"{BASE}/rules/{last}", {"do": "remove"})
    assert [one.most for one in rules.all(OWN)] == [1, 2]
    assert chen.post(f"{BASE}/rules/{last}", {"do": "up"}).status_code == 404
    wrong = chen.post(f"{BASE}/rules", {"most": "99", "country": "Nowhere", "energy": "steam", "latitude": "1"})
    assert wrong.status_code == 422
    for field in ("most", "country", "energy", "latitude"):
        assert f'href="#{field}"' in wrong.text


# --- lists


def test_a_list_shows_what_it_would_change_and_changes_it_once(chen: Visitor, world: World) -> None:
    text = (
        "网点编号;国家;名称;地址;授权起始日;电话\n"
        "kz-almaty;KZ;Almaty Sample Service Centre;12 Sample Street, Almaty 050000;2025-07-01;+7 700 000 0077\n"
        "kz-shymkent;哈萨克斯坦;Shymkent Sample;улица Образцовая, 1;2026/1/5;\n"
    )
    address = hand_in(chen, text, kind="whole").location
    before = world.rows("SELECT * FROM outlets ORDER BY id")
    shown = chen.get(address).text
    for words in ("Added: 1", "Changed: 1", "Closed: 1", "+7 700 000 0001", "+7 700 000 0077", "kz-astana"):
        assert words in shown
    assert world.rows("SELECT * FROM outlets ORDER BY id") == before
    assert apply(chen, address).location == f"{BASE}?done=outlet-lists.applied"
    found = {one.outlet.id: one for one in world.services.outlets.every(OWN)}
    assert (found["kz-astana"].state, found["ae-dubai"].state) == ("closed", "live")
    assert found["kz-shymkent"].outlet.authorised_from == date(2026, 1, 5)
    assert found["kz-almaty"].outlet.email == "kz-almaty@service.example"  # a column that is not there stays
    after = world.rows("SELECT * FROM outlets ORDER BY id")
    apply(chen, address)
    assert "Nothing changes" in chen.get(hand_in(chen, text, kind="whole").location).text
    assert world.rows("SELECT * FROM outlets ORDER BY id") == after


def test_a_list_of_changes_closes_nothing(chen: Visitor) -> None:
    text = "Outlet id,Phone\nkz-almaty,+7 700 000 0055\n"
    shown = chen.get(hand_in(chen, text).location).text
    assert "Changed: 1" in shown
    assert "Closed: 1" not in shown


def test_wrong_cells_are_named_by_column_and_row_and_nothing_can_be_applied(chen: Visitor, world: World) -> None:
    text = "Country,Outlet id,Name,Address,Authorised from,E-mail\nXX,k 1,,A,soon,no\nKZ,kz-1,N,A,2026-01-01,\n"
    address = hand_in(chen, text, kind="whole").location
    shown = chen.get(address).text
    for cell in ("A2", "B2", "C2", "E2", "F2"):
        assert f"<code>{cell}</code>" in shown
    assert apply(chen, address).status_code == 409
    assert "kz-1" not in {one.outlet.id for one in world.services.outlets.every(OWN)}


def test_what_changed_meanwhile_is_shown_again_before_it_is_applied(chen: Visitor, world: World) -> None:
    address = hand_in(chen, "Outlet id,Phone\nkz-almaty,+7 1\n").location
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', chen.get(address).text)
    assert digest
    world.services.outlets.change(OWN, "kz-almaty", keep(world, "kz-almaty", phone="+7 2"), by="test")
    answer = chen.post(address, {"do": "apply", "digest": digest[1]})
    assert (answer.status_code, "changed meanwhile" in answer.text) == (409, True)
    assert world.services.outlets.one(OWN, "kz-almaty").outlet.phone == "+7 2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("Name,Phone\na,b\n", "Outlet id"),
        ("Outlet id,Colour\na,b\n", "Colour"),
        ("Outlet id,id\na,b\n", "twice"),
        ("Outlet id\n", "no outlet below"),
    ],
)
def test_what_is_no_list_is_told_beside_the_file(chen: Visitor, text: str, said: str) -> None:
    answer = hand_in(chen, text)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert 'href="#file"' in answer.text


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_present_list_comes_back_as_it_went_and_no_cell_is_a_formula(
    chen: Visitor, world: World, kind: str, language: str
) -> None:
    facts = {"brands": "云舟; Other", "energies": "battery-electric", "latitude": "23.58", "longitude": "-58.4"}
    evil = '=HYPERLINK("http://evil.example")'
    chen.post(f"{BASE}/add", typed(name=evil, hours="@SUM(1)", phone="+968 1", **facts))
    data = chen.get(f"{BASE}/file?name=outlets.{kind}&lang={language}").data
    if kind == "csv":
        assert b"'=HYPERLINK" in data
        assert b"'@SUM" in data
    shown = chen.get(hand_in(chen, data, kind="whole", name=f"l.{kind}").location).text
    assert "Nothing changes: 4 outlets" in shown
    assert world.services.outlets.one(OWN, "om-muscat").outlet.name == evil


def test_a_template_has_every_column_and_no_outlet(chen: Visitor) -> None:
    text = chen.get(f"{BASE}/file?name=template.csv&lang=zh").data.decode("utf-8-sig")
    assert len(text.strip().split(",")) == len(ENTRY_FIELDS)
    assert chen.get(f"{BASE}/file?name=../../x").status_code == 404


# --- an outlet's own link


def link(chen: Visitor) -> str:
    found = re.search(r"/outlet-link/[0-9a-f]{64}", chen.post(f"{ALMATY}/link").text)
    assert found
    return found[0]


def test_looking_at_a_link_changes_nothing_and_confirming_it_verifies_the_outlet(
    portal: Portal, chen: Visitor, world: World
) -> None:
    address, guest = link(chen), portal.visitor()
    before = world.rows("SELECT * FROM outlets") + world.rows("SELECT * FROM outlet_facts")
    for _ in range(3):
        shown = guest.get(address, lang="en")
        assert (shown.status_code, "г. Алматы" in shown.text) == (200, True)
        guest.client.head(address)
    assert world.rows("SELECT * FROM outlets") + world.rows("SELECT * FROM outlet_facts") == before
    token = re.search(r'name="csrf_token" value="([^"]+)"', guest.get(address).text)
    assert token
    answer = guest.post(address, {"do": "right", "csrf_token": token[1]})
    assert answer.location == f"{address}/thanks"
    assert world.services.outlets.one(OWN, "kz-almaty").outlet.verified_on == world.at.date()
    assert "Outlet confirmed" in chen.get(ALMATY).text
    assert "outlet.confirmed" in events(world)


def test_what_an_outlet_says_is_wrong_reaches_its_maker_as_text(portal: Portal, chen: Visitor) -> None:
    address, guest = link(chen), portal.visitor()
    token = re.search(r'name="csrf_token" value="([^"]+)"', guest.get(address).text)
    assert token
    for remark in ("", "x" * 601, "a\x00b"):
        answer = guest.post(address, {"do": "wrong", "remark": remark, "csrf_token": token[1]})
        assert (answer.status_code, 'href="#remark"' in answer.text) == (422, True)
    guest.post(address, {"do": "wrong", "remark": "<b>Другой</b> телефон\r\nс мая", "csrf_token": token[1]})
    text = chen.get(ALMATY).text
    assert "&lt;b&gt;Другой&lt;/b&gt; телефон\nс мая" in text
    chen.post(f"{ALMATY}/verified")
    assert "Другой" not in chen.get(ALMATY).text


def test_a_link_ends_after_thirty_days_by_a_new_one_and_by_closing(portal: Portal, chen: Visitor, world: World) -> None:
    guest = portal.visitor()
    old = link(chen)
    assert old in str(world.rows("SELECT body FROM mails WHERE kind = 'outlet-link'"))
    assert old.rpartition("/")[2] not in str(world.rows("SELECT * FROM outlet_facts"))
    new = link(chen)
    assert (guest.get(old).status_code, guest.get(new).status_code) == (404, 200)
    world.at += timedelta(days=30)
    assert guest.get(new).status_code == 200
    world.at += timedelta(seconds=1)
    assert guest.get(new).status_code == 404
    world.at -= timedelta(days=20)
    world.services.outlets.close(OWN, "kz-almaty", on="2026-12-02", reason="r", by="test")
    assert guest.get(new).status_code == 404
    for other in ("0" * 64, "x", "é" * 64):
        assert guest.get(f"/outlet-link/{other}").status_code == 404


def keep(world: World, outlet_id: str, **changes: str) -> dict[str, str]:
    """What an outlet's form holds, with changes."""
    entry = world.services.outlets.one(OWN, outlet_id).entry
    return typed_of(entry.outlet, entry.facts, words=str) | changes


def split(form: dict[str, str]) -> dict[str, Any]:
    """What a browser sends: ticked boxes one by one."""
    return {
        name: [part for part in value.split("; ") if part] if name in ("scope", "energies") else value
        for name, value in form.items()
    }
