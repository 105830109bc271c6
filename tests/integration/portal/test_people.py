"""Who may do what: invitations are good once for one person, and nobody makes or resets an approver alone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import exporting
import pytest
from databases import EITHER
from portal import PASSWORD, Portal
from world import BEICHEN, PEOPLE, TIANSHAN, YUNZHOU, World, as_bytes, sample

from signer.services.invitations import GOOD_FOR

if TYPE_CHECKING:
    import pyotp
    from portal import Visitor

pytestmark = EITHER
USCC = {maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in sample("register")["manufacturers"]}
HOME, OTHER = f"/portal/{USCC[YUNZHOU]}/people", f"/portal/{USCC[BEICHEN]}/people"
CHEN, LIN = PEOPLE[YUNZHOU]
HE, SUN = PEOPLE[BEICHEN]
NEW = {"name": "王新", "login": "wang@example.com", "roles": ["preparer"]}


@pytest.fixture
def portal(world: World) -> Portal:
    world.give("admin", "adm.sample")
    return Portal.of(world)


@pytest.fixture
def admin(portal: Portal) -> Visitor:
    return portal.visitor("adm.sample")


def invite(admin: Visitor, **changed: object) -> str:
    """Invite somebody; return the link's address."""
    answer = admin.post(f"{HOME}/invite", {**NEW, **changed})
    assert answer.status_code == 200, answer.text
    return re.findall(r"http://127\.0\.0\.1:8000(/invitations/[0-9a-f]{64})", answer.text)[0]


def accept(visitor: Visitor, link: str, **changed: str) -> int:
    return visitor.post(link, {"name": "王新", "password": "four words of wang", **changed}).status_code


def roles(portal: Portal, person: str, maker: str = YUNZHOU) -> set[str]:
    query = (
        "SELECT m.role FROM memberships m JOIN manufacturers f ON f.id = m.manufacturer_id "
        f"WHERE m.person_id LIKE '{person}%' AND f.uscc = '{USCC[maker]}'"
    )
    return {row[0] for row in portal.world.rows(query)}


def request_of(portal: Portal) -> str:
    ((number,),) = portal.world.rows("SELECT id FROM role_requests WHERE decided_at IS NULL")
    return str(number)


def decide(portal: Portal, visitor: Visitor, app: pyotp.TOTP, decision: str = "grant", *, home: str = HOME) -> int:
    told = {"request": request_of(portal), "decision": decision, "factor_code": app.at(portal.world.at)}
    return visitor.post(f"{home}/decide", told).status_code


def mails(portal: Portal) -> list[tuple[str, str, str]]:
    return portal.world.rows("SELECT recipient, kind, body FROM mails ORDER BY id")  # type: ignore[return-value]


def test_who_is_invited_chooses_a_password_and_then_a_second_factor(portal: Portal, admin: Visitor) -> None:
    link = invite(admin)
    wang = portal.visitor()
    page = wang.get(link).text
    assert YUNZHOU in page
    answer = wang.post(link, {"name": " 王  新 ", "password": "four words of wang"})
    assert answer.status_code == 303
    assert wang.get("/portal").location == "/account/enrol"
    assert roles(portal, "wang-") == {"preparer"}
    assert portal.world.rows("SELECT name FROM people WHERE id LIKE 'wang-%'") == [("王 新",)]
    assert portal.world.rows("SELECT language FROM accounts WHERE login = 'wang@example.com'") == [("en",)]
    login = {"login": "wang@example.com", "password": "four words of wang"}
    assert portal.visitor().post("/sign-in", login).status_code == 303


def test_the_link_is_mailed_and_kept_only_as_a_digest(portal: Portal, admin: Visitor) -> None:
    link = invite(admin)
    ((recipient, body),) = portal.world.rows("SELECT recipient, body FROM mails")
    assert recipient == "wang@example.com"
    assert link in body
    assert link.rpartition("/")[2] not in str(portal.world.rows("SELECT * FROM invitations"))
    assert link not in admin.get(HOME).text, "shown once"


@pytest.mark.parametrize("fate", ["used", "revoked", "over", "forged"])
def test_a_link_is_good_once_in_its_time(portal: Portal, admin: Visitor, fate: str) -> None:
    link = invite(admin)
    if fate == "used":
        assert accept(portal.visitor(), link) == 303
    elif fate == "revoked":
        ((number,),) = portal.world.rows("SELECT id FROM invitations")
        assert admin.post(f"{HOME}/revoke", {"invitation": str(number)}).status_code == 303
        assert admin.post(f"{HOME}/revoke", {"invitation": str(number)}).status_code == 404
    elif fate == "over":
        portal.world.at += GOOD_FOR
    else:
        link = link[:-4] + "0000"
    before = portal.world.rows("SELECT count(*) FROM people")
    assert portal.visitor().get(link).status_code == 404
    assert accept(portal.visitor(), link) == 404
    assert portal.world.rows("SELECT count(*) FROM people") == before


def test_an_invitation_is_no_other_persons(portal: Portal, admin: Visitor) -> None:
    link = invite(admin)
    he = portal.visitor(HE)
    assert accept(he, link) == 422
    assert roles(portal, HE) == set()
    assert accept(portal.visitor(), link) == 303, "and it is still good for whom it is for"


def test_one_person_works_for_several_manufacturers(portal: Portal, admin: Visitor) -> None:
    he = portal.visitor(HE)
    link = invite(admin, login=f"{HE}@example.com", roles=["preparer", "auditor"])
    assert accept(portal.visitor(), link) == 422, "there is an account: nobody makes a second one with its address"
    assert accept(he, link) == 303
    assert roles(portal, HE) == {"preparer", "auditor"}
    assert roles(portal, HE, BEICHEN) == {"preparer"}
    assert he.get("/portal").status_code == 200, "chooses between two"


def test_what_is_wrong_is_said_beside_its_field(portal: Portal, admin: Visitor) -> None:
    for changed, place in (
        ({"login": "no address"}, "login"),
        ({"login": "x" * 5000 + "@example.com"}, "login"),
        ({"name": ""}, "name"),
        ({"name": "\u202eevil"}, "name"),
        ({"name": "王" * 5000}, "name"),
        ({"roles": []}, "roles"),
        ({"roles": ["operator"]}, "roles"),
    ):
        answer = admin.post(f"{HOME}/invite", {**NEW, **changed})
        assert (answer.status_code, f'id="{place}-wrong"' in answer.text) == (422, True), changed
    link = invite(admin)
    assert admin.post(f"{HOME}/invite", NEW).status_code == 422, "invited already"
    for weak in ("short", "wwwwwwwwwwwwwww"):
        assert accept(portal.visitor(), link, password=weak) == 422
    assert accept(portal.visitor(), link, name="\0") == 422


def test_another_manufacturers_administrator_finds_nothing(portal: Portal, admin: Visitor) -> None:
    portal.world.change("INSERT INTO memberships SELECT 'he.sample', id, 'admin', created_at FROM manufacturers "
                        f"WHERE uscc = '{USCC[BEICHEN]}'")  # fmt: skip
    he = portal.visitor(HE)
    invite(admin)
    ((number,),) = portal.world.rows("SELECT id FROM invitations")
    admin.post(f"{HOME}/roles", {"person": CHEN, "roles": ["preparer", "approver"]})
    assert he.post(f"{OTHER}/revoke", {"invitation": str(number)}).status_code == 404
    for path in ("roles", "reset", "ask"):
        assert he.post(f"{OTHER}/{path}", {"person": CHEN, "roles": ["admin"]}).status_code == 404, path
    assert he.post(f"{OTHER}/drop", {"request": request_of(portal)}).status_code == 404
    portal.world.change("UPDATE memberships SET role = 'approver' WHERE person_id = 'he.sample' AND role = 'preparer'")
    app = portal.give_factor(HE)
    assert decide(portal, he, app, home=OTHER) == 404
    assert roles(portal, CHEN) == {"preparer"}


def test_a_preparer_makes_nobody_anything(portal: Portal) -> None:
    chen = portal.visitor(CHEN)
    for path in ("invite", "roles", "ask", "reset", "revoke", "drop", "decide"):
        told = {**NEW, "person": CHEN, "roles": ["approver"], "request": "1", "invitation": "1"}
        assert chen.post(f"{HOME}/{path}", told).status_code == 403, path
    assert chen.get(HOME).status_code == 200


def test_nobody_becomes_an_approver_by_one_persons_word(portal: Portal, admin: Visitor) -> None:
    lin, app = portal.visitor(LIN), portal.give_factor(LIN)
    assert admin.post(f"{HOME}/roles", {"person": CHEN, "roles": ["preparer", "approver"]}).status_code == 303
    assert roles(portal, CHEN) == {"preparer"}
    assert decide(portal, admin, portal.give_factor("adm.sample")) == 403
    wrong = {"request": request_of(portal), "decision": "grant", "factor_code": "000000"}
    assert lin.post(f"{HOME}/decide", wrong).status_code == 422
    assert roles(portal, CHEN) == {"preparer"}
    number = request_of(portal)
    assert "factor_code" in lin.get(f"{HOME}/requests?request={number}").text
    assert decide(portal, lin, app) == 303
    assert roles(portal, CHEN) == {"preparer", "approver"}
    portal.world.at += timedelta(minutes=1)
    again = {"request": number, "decision": "grant", "factor_code": app.at(portal.world.at)}
    assert lin.post(f"{HOME}/decide", again).status_code == 404


def test_an_approver_who_is_administrator_does_not_decide_what_they_asked(portal: Portal) -> None:
    portal.world.change("INSERT INTO memberships SELECT 'lin.sample', id, 'admin', created_at FROM manufacturers "
                        f"WHERE uscc = '{USCC[YUNZHOU]}'")  # fmt: skip
    lin, app = portal.visitor(LIN), portal.give_factor(LIN)
    lin.post(f"{HOME}/roles", {"person": CHEN, "roles": ["approver"]})
    decide(portal, lin, app)
    assert "approver" not in roles(portal, CHEN)
    assert lin.post(f"{HOME}/drop", {"request": request_of(portal)}).status_code == 303
    assert not portal.world.rows("SELECT 1 FROM role_requests")


def test_an_invited_approver_waits_for_an_approver(portal: Portal, admin: Visitor) -> None:
    lin, app = portal.visitor(LIN), portal.give_factor(LIN)
    assert accept(portal.visitor(), invite(admin, roles=["preparer", "approver"])) == 303
    assert roles(portal, "wang-") == {"preparer"}
    assert decide(portal, lin, app, "refuse") == 303
    assert roles(portal, "wang-") == {"preparer"}


def test_who_is_to_become_approver_does_not_decide_it(portal: Portal, admin: Visitor) -> None:
    lin, app = portal.visitor(LIN), portal.give_factor(LIN)
    admin.post(f"{HOME}/ask", {"person": LIN})
    decide(portal, lin, app)
    assert portal.world.rows("SELECT count(*) FROM factors") == [(1,)], "nobody lets their own factors be reset"


def test_an_administrator_resets_an_approvers_factors_only_with_another_approver(
    portal: Portal, admin: Visitor
) -> None:
    portal.world.give("approver", "zhao.sample")
    zhao, app = portal.visitor("zhao.sample"), portal.give_factor("zhao.sample")
    lin = portal.visitor(LIN, language="zh")
    portal.give_factor(LIN)
    assert admin.post(f"{HOME}/reset", {"person": LIN}).status_code == 422
    assert mails(portal) == []
    assert lin.get("/account").status_code == 200
    assert admin.post(f"{HOME}/ask", {"person": LIN}).status_code == 303
    assert admin.post(f"{HOME}/ask", {"person": LIN}).status_code == 422, "asked already"
    assert decide(portal, zhao, app) == 303
    assert lin.get("/account").status_code == 303, "signed out"
    (asked, (recipient, kind, body)) = mails(portal)
    assert asked[:2] == ("zhao.sample@example.com", "reset-asked"), "whoever may decide is told, and nobody else"
    assert (recipient, kind) == (f"{LIN}@example.com", "factor-reset")
    assert "经 zhao.sample 决定" in body, "in the reader's language, naming who agreed"
    assert portal.world.rows("SELECT person_id FROM factors") == [("zhao.sample",)]


def test_an_administrator_resets_a_preparers_factors(portal: Portal, admin: Visitor) -> None:
    chen = portal.visitor(CHEN)
    portal.give_factor(CHEN)
    login = portal.give_password(CHEN)
    assert admin.post(f"{HOME}/reset", {"person": CHEN}).status_code == 303
    assert chen.get("/account").status_code == 303
    chen.client.delete_cookie("signer")
    chen.post("/sign-in", {"login": login, "password": PASSWORD})
    assert chen.get("/portal").location == "/account/enrol"
    ((recipient, kind, body),) = mails(portal)
    assert (recipient, kind) == (login, "factor-reset")
    assert "; adm.sample decided so" in body
    assert "http://127.0.0.1:8000/sign-in\n" in body


def test_factors_of_who_works_elsewhere_too_are_not_one_administrators(portal: Portal, admin: Visitor) -> None:
    portal.visitor(HE)
    portal.give_factor(HE)
    portal.world.change("INSERT INTO memberships SELECT 'he.sample', id, 'preparer', created_at FROM manufacturers "
                        f"WHERE uscc = '{USCC[YUNZHOU]}'")  # fmt: skip
    assert admin.post(f"{HOME}/reset", {"person": HE}).status_code == 422
    assert portal.world.rows("SELECT count(*) FROM factors") == [(1,)]


def test_factors_of_who_acts_for_an_exporter_too_are_not_an_administrators(portal: Portal, admin: Visitor) -> None:
    portal.visitor(CHEN)
    portal.give_factor(CHEN)
    exporting.let_in(portal.world, CHEN, TIANSHAN)
    assert admin.post(f"{HOME}/reset", {"person": CHEN}).status_code == 422
    assert portal.world.rows("SELECT count(*) FROM factors") == [(1,)]


@pytest.mark.parametrize("elsewhere", ["exporter", "waiting", "maker"])
def test_another_approvers_word_resets_no_factors_that_open_something_elsewhere(
    portal: Portal, admin: Visitor, elsewhere: str
) -> None:
    world = portal.world
    world.give("approver", "zhao.sample")
    zhao, app = portal.visitor("zhao.sample"), portal.give_factor("zhao.sample")
    lin = portal.visitor(LIN)
    portal.give_factor(LIN)
    assert admin.post(f"{HOME}/ask", {"person": LIN}).status_code == 303
    if elsewhere == "maker":
        world.change(
            f"INSERT INTO memberships SELECT '{LIN}', id, 'preparer', created_at FROM manufacturers "
            f"WHERE uscc = '{USCC[BEICHEN]}'"
        )
    else:
        exporting.let_in(world, LIN, TIANSHAN, state="waiting" if elsewhere == "waiting" else "member")
    told = {"request": request_of(portal), "decision": "grant", "factor_code": app.at(world.at)}
    refused = zhao.post(f"{HOME}/decide?lang=en", told)
    assert (refused.status_code, "roles elsewhere, the operators" in refused.text) == (422, True)
    assert lin.get("/account").status_code == 200
    assert world.rows("SELECT count(*) FROM factors") == [(2,)]
    world.at += timedelta(minutes=2)
    assert decide(portal, zhao, app, "refuse") == 303
    asked_again = admin.post(f"{HOME}/ask?lang=en", {"person": LIN})
    assert (asked_again.status_code, "roles elsewhere, the operators" in asked_again.text) == (422, True)


def test_where_there_is_no_approver_two_operators_make_the_first(portal: Portal, admin: Visitor) -> None:
    world = portal.world
    world.services.people.load(
        as_bytes({"people": [{"id": one, "name": one} for one in ("op.one", "op.two")]}), actor="test"
    )
    for one in ("op.one", "op.two"):
        world.change(f"INSERT INTO appointments VALUES ('{one}', 'operator', 'test', '2026-11-22T00:00:00.000000Z')")
    first, second, app = portal.visitor("op.one"), portal.visitor("op.two"), portal.give_factor("op.two")
    told = {"person": CHEN, "roles": ["preparer", "approver"]}
    assert first.post(f"{HOME}/roles", told).status_code == 303
    decide(portal, second, app)
    assert "approver" not in roles(portal, CHEN), "there is an approver: operators do not go past"
    world.change("DELETE FROM memberships WHERE role = 'approver'")
    assert first.post(f"{HOME}/roles", {"person": "adm.sample", "roles": ["admin", "approver"]}).status_code == 303
    assert [mail[:2] for mail in mails(portal)] == [("op.two@example.com", "approver-asked")]
    world.change("DELETE FROM role_requests WHERE person_id = 'adm.sample'")
    world.at += timedelta(minutes=2)
    assert decide(portal, second, app) == 303
    assert roles(portal, CHEN) == {"preparer", "approver"}


def test_the_last_administrator_stays(portal: Portal, admin: Visitor) -> None:
    assert admin.post(f"{HOME}/roles", {"person": "adm.sample", "roles": ["preparer"]}).status_code == 422
    assert roles(portal, "adm.sample") == {"admin"}
    assert admin.post(f"{HOME}/roles", {"person": CHEN, "roles": []}).status_code == 303
    assert roles(portal, CHEN) == set()
