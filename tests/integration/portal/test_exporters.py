"""An exporter comes in by itself: nobody learns who is known already, and no link opens without the password."""

from __future__ import annotations

import base64
import re
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import exporting
import pytest
import python_calamine
from objects import OWN
from world import HAIYI, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, fresh, sample

from signer.domain.parties import Uscc
from signer.errors import NotPermitted
from signer.services import exporters
from signer.services.exporters import GOOD_FOR, PER_PAGE
from signer.services.facts import Handed
from signer.services.limits import wider

if TYPE_CHECKING:
    from portal import Portal, Visitor
    from werkzeug.test import TestResponse

PASSWORD = "four quiet words together"
NEW = "91350100M000100Y43"
PDF = b"%PDF-1.7 licence"


def typed(**changed: Any) -> dict[str, Any]:
    told = {
        "uscc": NEW,
        "legal_name": "新样例贸易有限公司",
        "name": "王样例",
        "login": "wang@example.com",
        "password": PASSWORD,
        "file": (BytesIO(PDF), "licence.pdf"),
    }
    return told | changed


def signed_up(guest: Visitor, **changed: Any) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', guest.get("/sign-up?lang=en").text)
    assert found
    return guest.client.post(
        "/sign-up", data=typed(**changed) | {"csrf_token": found[1], "lang": "en"}, content_type="multipart/form-data"
    )


def link(world: World) -> str:
    (body,) = world.rows("SELECT body FROM mails WHERE kind = 'sign-up' ORDER BY id DESC LIMIT 1")[0]
    found = re.search(r"(/sign-up/[0-9a-f]{64})", body)
    assert found
    return found[1]


def come_in(portal: Portal, **changed: Any) -> TestResponse:
    guest = portal.visitor()
    assert signed_up(guest, **changed).location.startswith("/sign-up/sent")
    return opened(guest, link(portal.world))


def opened(guest: Visitor, path: str, password: str = PASSWORD) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', guest.get(path).text)
    assert found
    return guest.client.post(path, data={"csrf_token": found[1], "password": password})


def test_the_first_person_of_a_company_is_in_and_led_to_a_second_factor(portal: Portal) -> None:
    answer = come_in(portal)
    assert answer.status_code == 303
    assert portal.world.rows("SELECT state, exporter_uscc, password FROM sign_ups") == [("member", NEW, None)]


def test_the_second_person_waits_until_the_first_one_says_yes(portal: Portal) -> None:
    come_in(portal)
    come_in(portal, login="zhao@example.com", name="赵样例")
    (first, second) = portal.world.rows("SELECT person_id, ref FROM sign_ups ORDER BY id")
    waits = portal.visitor(second[0])
    assert waits.get(f"/exporter/{NEW}/requests").status_code == 404
    assert "say yes" in waits.get("/portal").text
    member = portal.visitor(first[0])
    assert "赵样例" in member.get(f"/exporter/{NEW}/people").text
    member.post(f"/exporter/{NEW}/people/{second[1]}", {"do": "let-in"})
    assert waits.get(f"/exporter/{NEW}/requests").status_code == 200


def test_a_sign_up_that_did_not_come_back_is_forgotten_although_nobody_else_signs_up(portal: Portal) -> None:
    signed_up(portal.visitor())
    portal.world.at += GOOD_FOR + timedelta(minutes=1)
    portal.world.services.maintaining.prune()
    assert portal.world.rows("SELECT login FROM sign_ups") == []


def test_who_was_put_out_gets_no_more_mail_about_what_was_asked(portal: Portal) -> None:
    world = portal.world
    exporting.let_in(world, "a.sample", TIANSHAN)
    portal.give_account("a.sample")
    (ref,) = exporting.send(world, TIANSHAN, "a.sample", fresh(KAZAKHSTAN, 1))

    def answer() -> None:
        world.services.request_inbox.say(Uscc(OWN), ref, "Which port?", by=PEOPLE[YUNZHOU][0])

    answer()
    told = world.rows("SELECT count(*) FROM mails WHERE recipient = 'a.sample@example.com'")
    put_out(portal, "a.sample")
    answer()
    assert told == world.rows("SELECT count(*) FROM mails WHERE recipient = 'a.sample@example.com'") != [(0,)]


def put_out(portal: Portal, person: str) -> None:
    (ref,) = portal.world.rows(f"SELECT ref FROM sign_ups WHERE person_id = '{person}' AND state = 'member'")[0]
    portal.world.services.exporters.decide(ref, exporter=None, grant=False, by="lin.sample")


def test_who_was_put_out_does_not_come_back_as_the_first_of_the_company(portal: Portal) -> None:
    come_in(portal)
    ((person,),) = portal.world.rows("SELECT person_id FROM sign_ups")
    put_out(portal, person)
    guest = portal.visitor(person)
    signed_up(portal.visitor())
    assert guest.post(link(portal.world)).status_code == 303
    portal.world.appoint("operator", "wu.sample")
    portal.give_account("wu.sample", language="zh")
    come_in(portal, login="stranger@example.com")
    told = portal.world.rows("SELECT recipient, body FROM mails WHERE kind = 'exporter-waits'")
    assert [recipient for recipient, _ in told] == ["wu.sample@example.com"]
    assert f"/portal/office/exporters?uscc={NEW}\n" in told[0][1]
    assert portal.world.rows("SELECT state FROM sign_ups ORDER BY id") == [("refused",), ("waiting",), ("waiting",)]


def test_everybody_who_waits_is_on_some_page_of_the_operators_once(portal: Portal) -> None:
    portal.world.appoint("operator", "wu.sample")
    refs = [
        exporting.let_in(portal.world, f"w{turn:02d}.sample", HAIYI, state="waiting") for turn in range(PER_PAGE + 2)
    ]
    wu, path, shown, pages = portal.visitor("wu.sample"), "/portal/office/exporters", list[str](), 0
    while path:
        page = wu.get(path).text
        shown += re.findall(r'action="/portal/office/exporters/(\w+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path, pages = (following[1] if following else ""), pages + 1
    assert (shown, pages) == (refs, 2)


def test_links_of_who_is_put_out_open_nothing_any_more(portal: Portal) -> None:
    world = portal.world
    issued = world.issue(sample(KAZAKHSTAN))
    exporting.let_in(world, "a.sample", TIANSHAN)
    exporting.let_in(world, "b.sample", TIANSHAN)
    world.change(
        "INSERT INTO shares (ref, manufacturer_id, confirmation_id, exporter_uscc, secret_digest, label, made_by,"
        f" made_at, ends_at, uses) SELECT '{1:016x}', manufacturer_id, id, '{TIANSHAN}', x'{'00' * 32}', 'a',"
        f" 'a.sample', reserved_at, '2027-01-01 00:00:00.000000', 0 FROM confirmations WHERE number = '{issued.number}'"
    )
    exporting.accept(world, TIANSHAN, YUNZHOU, person="b.sample")
    for person in ("a.sample", "b.sample"):
        world.services.status_links.make(Uscc(TIANSHAN), issued.number, label="", by=person)
    put_out(portal, "a.sample")
    assert world.rows("SELECT revoked_by FROM shares") == [("lin.sample",)]
    assert world.rows("SELECT revoked_by FROM status_links ORDER BY id") == [("lin.sample",), (None,)]


def test_two_members_who_put_each_other_out_leave_one(portal: Portal) -> None:
    world = portal.world
    first, second = (exporting.let_in(world, person, TIANSHAN) for person in ("a.sample", "b.sample"))
    world.services.exporters.decide(second, exporter=TIANSHAN, grant=False, by="a.sample")
    with pytest.raises(NotPermitted):
        world.services.exporters.decide(first, exporter=TIANSHAN, grant=False, by="b.sample")


def test_nobody_lets_himself_in_or_somebody_of_another_company(portal: Portal) -> None:
    world = portal.world
    exporting.let_in(world, "a.sample", TIANSHAN)
    foreign = exporting.let_in(world, "b.sample", HAIYI, state="waiting")
    own = world.rows("SELECT ref FROM sign_ups WHERE person_id = 'a.sample'")[0][0]
    visitor = portal.visitor("a.sample")
    assert visitor.post(f"/exporter/{TIANSHAN}/people/{foreign}", {"do": "let-in"}).status_code == 404
    assert visitor.post(f"/exporter/{TIANSHAN}/people/{own}", {"do": "put-out"}).status_code == 422


def test_the_answer_is_the_same_whoever_is_known(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    portal.give_account("a.sample")
    answers = [
        signed_up(portal.visitor(), uscc=uscc, login=login)
        for uscc, login in ((NEW, "new@example.com"), (TIANSHAN, "x@example.com"), (NEW, "a.sample@example.com"))
    ]
    assert len({(one.status_code, one.location, one.text) for one in answers}) == 1


def test_a_link_opens_with_the_password_of_the_sign_up_alone_and_once(portal: Portal) -> None:
    guest = portal.visitor()
    signed_up(guest)
    path = link(portal.world)
    assert opened(guest, path, "another password here").status_code == 422
    assert portal.world.rows("SELECT count(*) FROM accounts WHERE login = 'wang@example.com'") == [(0,)]
    assert opened(guest, path).status_code == 303
    assert portal.visitor().get(path).status_code == 404


def test_a_link_is_over_after_a_day_and_the_licence_goes_with_it(portal: Portal) -> None:
    signed_up(portal.visitor())
    path = link(portal.world)
    portal.world.at += GOOD_FOR + timedelta(minutes=1)
    assert portal.visitor().get(path).status_code == 404
    signed_up(portal.visitor(), login="later@example.com")
    assert portal.world.rows("SELECT login FROM sign_ups") == [("later@example.com",)]


def test_who_has_an_account_signs_in_to_go_on(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    visitor = portal.visitor("a.sample")
    signed_up(portal.visitor(), login="a.sample@example.com")
    assert portal.visitor("chen.sample").post(link(portal.world)).status_code == 422
    assert visitor.post(link(portal.world)).status_code == 303
    assert visitor.get(f"/exporter/{NEW}/requests").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uscc", "91350100M000100Y44"),
        ("uscc", ""),
        ("legal_name", "x"),
        ("name", ""),
        ("login", "nobody"),
        ("password", "short"),
        ("file", (BytesIO(b"MZ"), "licence.pdf")),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_stays(portal: Portal, field: str, value: Any) -> None:
    answer = signed_up(portal.visitor(), **{field: value})
    assert (answer.status_code, f'href="#{field}"' in answer.text) == (422, True)
    assert portal.world.rows("SELECT * FROM sign_ups") == []
    assert field == "name" or "王样例" in answer.text


def test_one_network_signs_up_slowly(portal: Portal) -> None:
    statuses = [signed_up(portal.visitor(), login=f"n{turn}@example.com").status_code for turn in range(7)]
    assert statuses == [303] * 5 + [429] * 2


def test_nobodys_mailbox_is_filled_and_the_answer_does_not_tell(portal: Portal) -> None:
    answers = {signed_up(portal.visitor()).location for _ in range(5)}
    assert len(answers) == 1
    assert portal.world.rows("SELECT count(*) FROM mails WHERE kind = 'sign-up'") == [(3,)]


def sign_up(portal: Portal, login: str, network: str) -> None:
    """Sign somebody up from a network, behind the page's back."""
    told = exporters.Typed(
        uscc=NEW, legal_name="新样例贸易有限公司", name="王样例", login=login, password=PASSWORD, language="zh"
    )
    licence = Handed(subject="other", title="", file_name="x.pdf", data=PDF)
    portal.world.services.exporters.sign_up(told, licence, network=network)
    portal.world.at += timedelta(minutes=16)  # whoever signs up slowly enough is never told to wait


def waiting(portal: Portal) -> list[str]:
    return [str(login) for (login,) in portal.world.rows("SELECT login FROM sign_ups WHERE state = 'sent' ORDER BY id")]


def test_strangers_who_sign_up_for_an_address_keep_its_owner_out_nowhere_else(portal: Portal) -> None:
    for _ in range(4):
        sign_up(portal, "wang@example.com", "203.0.113.0/24")
    assert portal.world.rows("SELECT count(*) FROM mails WHERE kind = 'sign-up'") == [(3,)]
    assert signed_up(portal.visitor()).status_code == 303
    assert portal.world.rows("SELECT count(*) FROM mails WHERE kind = 'sign-up'") == [(4,)]
    assert opened(portal.visitor(), link(portal.world)).status_code == 303
    portal.world.at += exporters.TO_ONE
    sign_up(portal, "wang@example.com", "203.0.113.0/24")
    assert portal.world.rows("SELECT count(*) FROM mails WHERE kind = 'sign-up'") == [(5,)]


def test_who_signs_up_for_many_pushes_out_its_own_and_nobody_elses(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exporters.MOST_OF_NETWORK < exporters.MOST_SENT < 1000
    monkeypatch.setattr("signer.services.exporters.MOST_OF_NETWORK", 3)
    monkeypatch.setattr("signer.services.exporters.MOST_SENT", 5)
    sign_up(portal, "honest@example.com", "192.0.2.0/24")
    for turn in range(4):
        sign_up(portal, f"a{turn}@example.com", "203.0.113.0/24")
    assert waiting(portal) == ["honest@example.com", *(f"a{turn}@example.com" for turn in (1, 2, 3))]
    for turn in range(3):
        sign_up(portal, f"b{turn}@example.com", f"198.51.{turn}.0/24")
    kept = ["a3@example.com", *(f"b{turn}@example.com" for turn in range(3))]
    assert waiting(portal) == ["honest@example.com", *kept]
    sign_up(portal, "later@example.com", "100.64.0.0/24")
    assert waiting(portal) == [*kept, "later@example.com"], "where each network has one, the oldest goes"


def test_networks_of_one_customer_of_ipv6_count_as_one(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.services.exporters.MOST_OF_NETWORK", 2)
    for turn in range(3):
        sign_up(portal, f"n{turn}@example.com", f"2001:db8:7:{turn:x}00::/56")
    sign_up(portal, "other@example.com", "2001:db8:8::/56")
    assert waiting(portal) == ["n1@example.com", "n2@example.com", "other@example.com"]
    assert portal.world.rows("SELECT DISTINCT network FROM sign_ups ORDER BY network") == [
        ("2001:db8:7::/48",),
        ("2001:db8:8::/48",),
    ]


def test_whence_a_sign_up_came_is_forgotten_once_its_link_comes_back(portal: Portal) -> None:
    signed_up(portal.visitor())
    assert portal.world.rows("SELECT network FROM sign_ups") == [("127.0.0.0/24",)]
    opened(portal.visitor(), link(portal.world))
    assert portal.world.rows("SELECT network FROM sign_ups") == [("",)]


@pytest.mark.parametrize(
    ("network", "around"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:db8:7:100::/56", "2001:db8:7::/48"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("unknown", "unknown"),
    ],
)
def test_what_one_customer_may_have_is_a_48_of_ipv6_and_a_24_of_ipv4(network: str, around: str) -> None:
    assert wider(network) == around


def test_a_maker_sees_the_licence_of_who_asks_it_and_the_browser_runs_nothing_of_it(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    exporting.send(portal.world, TIANSHAN, "a.sample", fresh(KAZAKHSTAN, 1))
    chen = portal.visitor(PEOPLE[YUNZHOU][0])
    assert exporting.NAMES[TIANSHAN] in chen.get(f"/portal/{OWN}/requests").text
    answer = chen.get(f"/portal/{OWN}/requests/exporters/{TIANSHAN}/licence")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert chen.get(f"/portal/{OWN}/requests/exporters/{HAIYI}").status_code == 404


def test_what_is_said_too_often_and_a_suspended_maker_are_told_in_words_that_help(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = portal.world
    monkeypatch.setattr("signer.services.requesting.MOST_WORDS_A_DAY", 1)
    exporting.accept(world, TIANSHAN, YUNZHOU, person="a.sample")
    (ref,) = exporting.send(world, TIANSHAN, "a.sample", fresh(KAZAKHSTAN, 1))
    number, vin = world.issue(sample(KAZAKHSTAN)).number, sample(KAZAKHSTAN)["vehicles"][0]["vin"]
    visitor, here = portal.visitor("a.sample"), f"/exporter/{TIANSHAN}"
    assert visitor.post(f"{here}/requests/{ref}/say", {"text": "one"}).status_code == 303
    refused = visitor.post(f"{here}/requests/{ref}/say", {"text": "two more words"})
    assert (refused.status_code, 'href="#text"' in refused.text) == (422, True)
    assert "messages to one request within 24 hours" in refused.text
    assert "two more words" in refused.text, "what was typed stays"
    world.change(
        "UPDATE manufacturers SET suspended_at = '2026-11-22T00:00:00.000000Z', suspended_by = 'op', "
        f"suspended_for = 'test' WHERE uscc = '{OWN}'"
    )
    page = visitor.get(f"{here}/redirect/{number}")
    assert (page.status_code, "it issues nothing at present" in page.text) == (200, True)
    assert 'name="country"' not in page.text
    refused = visitor.post(f"{here}/redirect/{number}", {"vin": vin, "country": "AE"})
    assert (refused.status_code, "it issues nothing at present" in refused.text) == (422, True)


def test_an_administrator_without_a_preparers_role_makes_no_draft_of_a_request(portal: Portal) -> None:
    world = portal.world
    exporting.accept(world, TIANSHAN, YUNZHOU, person="a.sample")
    (ref,) = exporting.send(world, TIANSHAN, "a.sample", fresh(KAZAKHSTAN, 1))
    world.give("admin", "adm.sample")
    admin, chen, here = (
        portal.visitor("adm.sample"),
        portal.visitor(PEOPLE[YUNZHOU][0]),
        f"/portal/{OWN}/requests/{ref}",
    )
    assert f"{here}/draft" not in admin.get(here).text
    assert f"{here}/draft" in chen.get(here).text
    assert admin.post(f"{here}/draft").status_code == 403


def test_rows_are_pasted_parted_corrected_and_sent(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    visitor, here = portal.visitor("a.sample"), f"/exporter/{TIANSHAN}/requests"
    one, two = sample(KAZAKHSTAN)["vehicles"][0]["vin"], "L0BEV7C41TB200042"
    read = visitor.post(f"{here}/new", {"paste": f"{one},2026-09-01\n{two}", "country": "KZ", "do": "send"})
    assert (read.status_code, "This becomes 2 requests" in read.text) == (200, True)
    rows = {"vin-1": one, "registered_on-1": "2026-09-01", "vin-2": two, "country": "KZ", "do": "send"}
    wrong = visitor.post(f"{here}/new", rows)
    assert (wrong.status_code, 'href="#registered_on-2"' in wrong.text) == (422, True)
    sent = visitor.post(f"{here}/new", rows | {"registered_on-2": "2026/8/1", "wanted": "Almaty"})
    assert sent.location == f"{here}?done=requests.sent"
    page = visitor.get(here).text
    assert page.count(f'href="{here}/') == 1 + 2


def test_a_sheet_is_read_into_rows_and_what_is_wrong_with_it_is_told(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    visitor, here = portal.visitor("a.sample"), f"/exporter/{TIANSHAN}/requests"
    vin = sample(KAZAKHSTAN)["vehicles"][0]["vin"]
    rows = f"VIN,品牌,型号,首次登记日期,制造厂名称,目的国\n{vin},云舟,YZS6480T1,2026-09-01,{YUNZHOU},哈萨克斯坦\n"
    sheet = (BytesIO(rows.encode()), "cars.csv")
    answer = visitor.post(f"{here}/new", {"sheet": sheet, "do": "check"}, content_type="multipart/form-data")
    assert answer.status_code == 200
    assert f'value="{vin}"' in answer.text
    wrong = (BytesIO(b"\x00\x01"), "cars.xlsx")
    answer = visitor.post(f"{here}/new", {"sheet": wrong, "do": "check"}, content_type="multipart/form-data")
    assert (answer.status_code, 'href="#sheet"' in answer.text) == (422, True)


def handed_in(visitor: Visitor, rows: list[list[str]], **more: Any) -> TestResponse:
    head = ["VIN", "品牌", "型号", "首次登记日期", "制造厂名称", "目的国"]
    text = "\n".join(",".join(row) for row in (head, *rows))
    told = {"sheet": (BytesIO(text.encode()), "cars.csv"), "do": "check", **more}
    return visitor.post(f"/exporter/{TIANSHAN}/requests/new?lang=en", told, content_type="multipart/form-data")


def marked(page: str) -> dict[str, list[Any]]:
    """Return the rows of the sheet that a page gives back, by VIN; what is marked in them is in their last cell."""
    link = re.search(r'href="data:[^;]+;base64,([^"]+)" download="cars-marked.xlsx"', page)
    assert link
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(base64.b64decode(link[1])))
    return {str(row[0]): row for row in book.get_sheet_by_index(0).to_python()}


def test_every_wrong_cell_of_a_sheet_is_marked_in_the_file_that_the_page_gives_back(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    visitor = portal.visitor("a.sample")
    cars = [row["vin"] for turn in range(1, 6) for row in fresh(KAZAKHSTAN, turn)["vehicles"]]
    rows = [[vin, "云舟", "YZS6480T1", "2026/2/30", YUNZHOU, "哈萨克斯坦"] for vin in cars]
    rows[1][3], rows[2][4] = "2026-09-01", "别家汽车"
    rows.append(["L0YSA3B29T0000109", "=cmd|' /C calc'!A0", "YZS6480T1", "2026-09-01", YUNZHOU, "哈萨克斯坦"])
    answer = handed_in(visitor, rows)
    assert (answer.status_code, answer.text.count('href="#sheet"')) == (422, 10)
    found = marked(answer.text)
    assert [bool(found[vin][-1]) for vin in cars] == [place != 1 for place in range(15)]
    assert "The manufacturer is not clear" in found[cars[2]][-1]
    assert "does not add up" in found["L0YSA3B29T0000109"][-1]
    assert "16 cells of the sheet" in answer.text
    link = re.search(r'base64,([^"]+)"', answer.text)
    assert link
    with zipfile.ZipFile(BytesIO(base64.b64decode(link[1]))) as archive:
        comments = archive.read("xl/comments1.xml").decode()
        assert comments.count("<comment ") == 16
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_sheet_without_faults_is_not_given_back(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    vin = sample(KAZAKHSTAN)["vehicles"][0]["vin"]
    answer = handed_in(portal.visitor("a.sample"), [[vin, "云舟", "YZS6480T1", "2026-09-01", YUNZHOU, "哈萨克斯坦"]])
    assert (answer.status_code, "base64," in answer.text) == (200, False)


def test_a_sheet_handed_in_again_corrects_its_rows_and_leaves_what_was_pasted(portal: Portal) -> None:
    exporting.let_in(portal.world, "a.sample", TIANSHAN)
    visitor = portal.visitor("a.sample")
    one, two, typed = (row["vin"] for row in fresh(KAZAKHSTAN, 1)["vehicles"])
    first = handed_in(
        visitor, [[one, "云舟", "旧型号", "2026-09-01", YUNZHOU, ""], ["L0YSA3B2", "", "", "2026-09-01", YUNZHOU, ""]]
    )
    kept = dict(re.findall(r'name="((?!drop)[a-z_]+-[0-9]+)"[^>]* value="([^"]*)"', first.text))
    assert [kept["vin-1"], kept["vin-2"], kept["odd-2"]] == [one, "L0YSA3B2", "yes"]
    kept |= {"vin-3": "L0YTYPED", "vin-4": typed}
    again = handed_in(
        visitor, [[one, "云舟", "新型号", "2026-09-01", YUNZHOU, ""], [two, "", "", "2026-09-01", YUNZHOU, ""]], **kept
    )
    found = re.findall(r'name="vin-[0-9]+"[^>]* value="([^"]*)"', again.text)
    assert found == [one, "L0YTYPED", typed, two]
    assert ("新型号" in again.text, "旧型号" in again.text) == (True, False)


def test_a_request_is_answered_promised_refused_and_each_page_speaks_both_languages(portal: Portal) -> None:
    world = portal.world
    exporting.let_in(world, "a.sample", TIANSHAN)
    ref, other = (exporting.send(world, TIANSHAN, "a.sample", fresh(KAZAKHSTAN, turn))[0] for turn in (1, 2))
    chen, visitor = portal.visitor(PEOPLE[YUNZHOU][0]), portal.visitor("a.sample")
    here = f"/portal/{OWN}/requests"
    assert chen.post(f"{here}/answers", {"title": "发动机号", "answer": "请补充发动机号。"}).status_code == 303
    assert "请补充发动机号。" in chen.get(f"{here}/{ref}?answer=1").text
    assert chen.post(f"{here}/{ref}/say", {"text": "请补充发动机号。"}).status_code == 303
    assert chen.post(f"{here}/{ref}/promise", {"promised_on": "2026-11-30"}).status_code == 303
    assert chen.post(f"{here}/{other}/refuse", {"refusal": "other"}).status_code == 422
    assert chen.post(f"{here}/{other}/refuse", {"refusal": "no-outlet"}).status_code == 303
    assert chen.post(f"{here}/{ref}/draft").status_code == 422
    assert chen.post(f"{here}/exporters/{TIANSHAN}", {"do": "accept"}).status_code == 303
    assert "/drafts/" in chen.post(f"{here}/{ref}/draft").location
    page = visitor.get(f"/exporter/{TIANSHAN}/requests/{ref}").text
    assert "请补充发动机号。" in page
    assert "2026-11-30" in page
    for lang in ("zh", "en"):
        for who, path in (
            (chen, here),
            (chen, f"{here}/{ref}"),
            (chen, f"{here}/exporters/{TIANSHAN}"),
            (visitor, f"/exporter/{TIANSHAN}/requests"),
            (visitor, f"/exporter/{TIANSHAN}/requests/new"),
            (visitor, f"/exporter/{TIANSHAN}/requests/{ref}"),
            (visitor, f"/exporter/{TIANSHAN}/requests/{other}"),
            (visitor, f"/exporter/{TIANSHAN}/people"),
        ):
            assert who.get(f"{path}?lang={lang}").status_code == 200, path


def test_a_request_is_changed_in_its_form_and_both_sides_read_what_changed(portal: Portal) -> None:
    world = portal.world
    exporting.accept(world, TIANSHAN, YUNZHOU, person="a.sample")
    (ref,) = exporting.send(world, TIANSHAN, "a.sample", fresh(KAZAKHSTAN, 1))
    visitor, chen = portal.visitor("a.sample"), portal.visitor(PEOPLE[YUNZHOU][0])
    here, theirs = f"/exporter/{TIANSHAN}/requests/{ref}", f"/portal/{OWN}/requests/{ref}"
    page = visitor.get(f"{here}/change", lang="en").text
    typed = dict(re.findall(r'name="((?!drop)[a-z_]+-[0-9]+)"[^>]* value="([^"]*)"', page)) | {
        "version": "1",
        "do": "send",
    }
    typed |= {f"certificate_manufacturer-{row}": YUNZHOU for row in (1, 2, 3)}
    wrong = visitor.post(f"{here}/change?lang=en", typed | {"country": "KZ", "vin-1": "L0YSA3B29T0000109"})
    assert (wrong.status_code, 'href="#vin-1"' in wrong.text) == (422, True)
    told = typed | {"country": "United Arab Emirates", "drop-3": "yes", "model-2": "<b>T9", "message": "请见谅"}
    checked = visitor.post(f"{here}/change?lang=en", told | {"do": "check"})
    assert (checked.status_code, checked.text.count('name="vin-')) == (200, 2)
    assert visitor.post(f"{here}/change?lang=en", told).location == f"{here}?done=requests.changed"
    for who, path in ((visitor, here), (chen, theirs)):
        for lang, words in (("en", "changed the request"), ("zh", "修改了申请")):
            shown = who.get(f"{path}?lang={lang}").text
            assert (words in shown, "&lt;b&gt;T9" in shown, "请见谅" in shown) == (True, True, True), path
            assert shown.index(words) < shown.index("请见谅")
    assert ">changed: 1<" in chen.get(f"/portal/{OWN}/requests", lang="en").text
    stale = visitor.post(f"{here}/change?lang=en", told | {"country": "KZ"})
    assert (stale.status_code, "A colleague changed this request" in stale.text) == (422, True)
    assert chen.post(f"{theirs}/draft", {"version": "1"}).status_code == 422
    assert "/drafts/" in chen.post(f"{theirs}/draft", {"version": "2"}).location
    late = visitor.post(f"{here}/change", told)
    assert late.location == f"{here}?done=requests.answered-meanwhile"
    assert f"{here}/change" not in visitor.get(here).text
