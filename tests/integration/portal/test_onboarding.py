"""A manufacturer is let in by two operators; suspended it issues nothing, and what it issued stays what it is."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import approvals
import pytest
from objects import OWN, typed_proposal
from portal import Portal
from world import KAZAKHSTAN, YUNZHOU, fresh, sample

from signer.domain.parties import Uscc
from signer.domain.verdict import Code
from signer.errors import ManufacturerSuspended, NotPermitted
from signer.services.approving import Word

if TYPE_CHECKING:
    from portal import Visitor
    from world import World

HERE = "/portal/office/makers"
GOOD = {name: getattr(typed_proposal(), name) for name in typed_proposal().__dataclass_fields__}


@pytest.fixture
def portal(world: World) -> Portal:
    world.appoint("operator", "wu.sample", "zheng.sample")
    return Portal.of(world)


@pytest.fixture
def wu(portal: Portal) -> Visitor:
    return portal.visitor("wu.sample")


@pytest.fixture
def zheng(portal: Portal) -> Visitor:
    return portal.visitor("zheng.sample")


def propose(visitor: Visitor, **changes: str) -> Any:
    return visitor.post(f"{HERE}/new", {**GOOD, **changes})


def with_factor(portal: Portal, person: str, path: str) -> Any:
    """Send a form with the code of a new authenticator app."""
    portal.world.change(f"DELETE FROM factors WHERE person_id = '{person}'")
    code = portal.give_factor(person).at(portal.world.at)
    return portal.visitor(person).post(path, {"factor_code": code})


def path_of(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.location).partition("?")[0]


def makers(world: World) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT uscc FROM manufacturers WHERE uscc = '{GOOD['uscc']}'")


def test_a_manufacturer_is_there_once_a_second_operator_confirmed_it_and_its_administrator_is_invited(
    portal: Portal, wu: Visitor
) -> None:
    path = path_of(propose(wu))
    assert (makers(portal.world), portal.world.rows("SELECT kind FROM mails")) == ([], [])
    assert GOOD["legal_name"] in portal.visitor("zheng.sample").get(HERE).text
    assert with_factor(portal, "zheng.sample", path).location == f"{HERE}/of/{GOOD['uscc']}?done=maker.onboarded"
    assert makers(portal.world) == [(GOOD["uscc"],)]
    ((kind, recipient),) = portal.world.rows("SELECT kind, recipient FROM mails")
    assert (kind, recipient) == ("invitation", "xie@example.com")
    assert portal.world.rows("SELECT login, roles, invited_by FROM invitations") == [
        ("xie@example.com", "admin", "zheng.sample")
    ]
    told = portal.world.rows("SELECT event, actor FROM audit WHERE event LIKE 'manufacturer.%' ORDER BY id")
    assert told == [("manufacturer.proposed", "wu.sample"), ("manufacturer.onboarded", "zheng.sample")]


def test_the_other_operators_are_written_to_when_something_waits_for_one_of_them(portal: Portal, wu: Visitor) -> None:
    portal.world.appoint("operator", "gone.sample")
    portal.world.appoint("auditor", "du.sample")
    for person in ("zheng.sample", "gone.sample", "du.sample"):
        portal.give_account(person, language="zh")
    portal.world.change("UPDATE accounts SET state = 'suspended' WHERE person_id = 'gone.sample'")
    path = path_of(propose(wu))
    wu.post(f"{HERE}/of/{OWN}/suspend", {"reason": "公告已撤销"})
    (proposed, suspended) = portal.world.rows("SELECT recipient, kind, subject, body FROM mails ORDER BY id")
    assert proposed[:3] == ("zheng.sample@example.com", "maker-proposed", f"新企业待确认：{GOOD['legal_name']}")
    assert (f"{path}\n" in proposed[3], GOOD["admin_login"] in proposed[3]) == (True, False)
    assert suspended[:3] == ("zheng.sample@example.com", "maker-suspended", f"企业已暂停：{YUNZHOU}")
    assert (f"{HERE}/of/{OWN}\n" in suspended[3], "公告已撤销" in suspended[3]) == (True, True)


def test_a_proposal_that_is_refused_is_written_to_nobody(portal: Portal, wu: Visitor) -> None:
    portal.give_account("zheng.sample")
    assert (propose(wu, uscc="x").status_code, propose(wu, uscc=OWN).status_code) == (422, 409)
    assert portal.world.rows("SELECT kind FROM mails") == []


def test_who_proposed_it_cannot_confirm_it_nor_can_one_without_a_second_factor_nor_an_auditor(
    portal: Portal, wu: Visitor, zheng: Visitor
) -> None:
    path = path_of(propose(wu))
    portal.world.appoint("auditor", "du.sample")
    assert with_factor(portal, "wu.sample", path).status_code == 422
    assert zheng.post(path, {"factor_code": "000000"}).status_code == 422
    assert portal.visitor("du.sample").post(path).status_code == 403
    assert portal.visitor("du.sample").get(path).status_code == 200
    assert makers(portal.world) == []
    with pytest.raises(sqlite3.IntegrityError, match="four_eyes"):
        portal.world.change(
            "UPDATE onboardings SET outcome = 'done', decided_by = asked_by, decided_at = 'x', factor = 'y'"
        )


def test_what_was_decided_is_not_decided_again_and_nothing_is_proposed_twice(
    portal: Portal, wu: Visitor, zheng: Visitor
) -> None:
    path = path_of(propose(wu))
    assert propose(zheng).status_code == 409
    assert zheng.post(f"{path}/drop").location.endswith("done=maker.dropped")
    assert with_factor(portal, "zheng.sample", path).status_code == 409
    assert wu.post(f"{path}/drop").status_code == 409
    again = path_of(propose(wu))
    assert with_factor(portal, "zheng.sample", again).status_code == 303
    assert propose(wu).status_code == 409, "it is in the register"
    assert propose(wu, uscc=OWN).status_code == 409
    for change in ("UPDATE onboardings SET outcome = NULL", "UPDATE onboardings SET admin_login = 'evil@example.com'"):
        with pytest.raises(sqlite3.IntegrityError):
            portal.world.change(change)
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        portal.world.change("DELETE FROM onboardings")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("legal_name", ""),
        ("legal_name", "a\u202eb"),
        ("legal_name_en", "x" * 900),
        ("uscc", "913100001234567890"),
        ("uscc", ""),
        ("role", "bank"),
        ("announcement", ""),
        ("checked_on", "soon"),
        ("checked_on", "2026-11-24"),
        ("address", ""),
        ("contact", ""),
        ("wmis", "OIQ"),
        ("admin_name", ""),
        ("admin_login", "nobody"),
    ],
)
def test_a_wrong_field_of_a_proposal_is_named_and_nothing_typed_is_lost(
    portal: Portal, wu: Visitor, field: str, typed: str
) -> None:
    page = propose(wu, **{field: typed})
    assert (page.status_code, f'id="{field}-wrong"' in page.text) == (422, True)
    kept = [value for name, value in GOOD.items() if name not in (field, "role", "language")]
    assert not [value for value in kept if value not in page.text]
    assert portal.world.rows("SELECT * FROM onboardings") == []


def test_a_suspended_manufacturer_issues_nothing_and_what_it_issued_verifies_as_before(
    portal: Portal, wu: Visitor
) -> None:
    world = portal.world
    sealed, waiting = world.issue(sample(KAZAKHSTAN)), approvals.sent(world, fresh(KAZAKHSTAN, 2))
    before = world.verify(sealed.pdf)
    assert wu.post(f"{HERE}/of/{OWN}/suspend", {"reason": "x"}).status_code == 422
    assert wu.post(f"{HERE}/of/{OWN}/suspend", {"reason": "公告已撤销"}).location.endswith("done=maker.suspended")
    with pytest.raises(ManufacturerSuspended):
        world.issue(fresh(KAZAKHSTAN, 3))
    word = Word(ref=waiting.ref, maker=OWN, by="lin.sample", terms_digest=waiting.terms_digest.hex(), factor="totp")
    assert world.services.approving.approve(word).outcome == "failed"
    assert world.rows("SELECT count(*) FROM confirmations") == [(1,)]
    after = world.verify(sealed.pdf)
    assert (after.code, after.outcome) == (before.code, before.outcome)
    assert after.code is Code.VALID
    assert wu.post(f"{HERE}/of/{OWN}/suspend", {"reason": "公告已撤销"}).status_code == 409


def test_a_suspension_between_the_preparing_and_the_number_stops_it_too(portal: Portal) -> None:
    world, issuing = portal.world, portal.world.services.issuing
    ready = issuing._prepare(world.order(sample(KAZAKHSTAN)))
    world.services.onboarding.suspend(Uscc(OWN), reason="公告已撤销", by="wu.sample")
    with pytest.raises(ManufacturerSuspended):
        issuing._reserve(ready)
    assert world.rows("SELECT count(*) FROM confirmations") == [(0,)]


def test_only_operators_of_the_whole_deployment_let_anybody_in_or_hold_anybody(portal: Portal) -> None:
    onboarding = portal.world.services.onboarding
    ref = onboarding.propose(typed_proposal(), by="wu.sample").ref
    portal.world.give("operator", "their.own")
    for person in ("wu.sample", "their.own", "chen.sample", "nobody"):
        with pytest.raises(NotPermitted):
            onboarding.confirm(ref, by=person, factor="totp")
    for person in ("their.own", "chen.sample"):
        with pytest.raises(NotPermitted):
            onboarding.suspend(Uscc(OWN), reason="公告已撤销", by=person)
        with pytest.raises(NotPermitted):
            onboarding.propose(typed_proposal(1), by=person)
    onboarding.suspend(Uscc(OWN), reason="公告已撤销", by="wu.sample")
    for person in ("wu.sample", "their.own", "chen.sample"):
        with pytest.raises(NotPermitted):
            onboarding.resume(Uscc(OWN), by=person, factor="totp")
    assert makers(portal.world) == []


def test_the_people_of_a_suspended_manufacturer_are_told_so_and_let_in_nowhere_in_it(
    portal: Portal, wu: Visitor
) -> None:
    chen = portal.visitor("chen.sample")
    assert chen.get(f"/portal/{OWN}").status_code == 200
    wu.post(f"{HERE}/of/{OWN}/suspend", {"reason": "公告已撤销"})
    for path in ("", "/drafts", "/seals", "/people"):
        page = chen.get(f"/portal/{OWN}{path}")
        assert (page.status_code, "suspended the manufacturer" in page.text) == (403, True), path
    assert "系统运营方已暂停该生产企业" in chen.get(f"/portal/{OWN}?lang=zh").text
    assert chen.get("/account").status_code == 200
    assert wu.get(f"/portal/{OWN}/people").status_code == 200, "operators still see to its people"


def test_another_operator_than_the_one_who_suspended_it_lets_it_go_on(portal: Portal, wu: Visitor) -> None:
    at = f"{HERE}/of/{OWN}"
    assert with_factor(portal, "zheng.sample", f"{at}/resume").status_code == 409, "it is not suspended"
    wu.post(f"{at}/suspend", {"reason": "公告已撤销"})
    assert with_factor(portal, "wu.sample", f"{at}/resume").status_code == 422
    assert portal.visitor("zheng.sample").post(f"{at}/resume", {"factor_code": "0"}).status_code == 422
    assert with_factor(portal, "zheng.sample", f"{at}/resume").location.endswith("done=maker.resumed")
    assert portal.world.issue(sample(KAZAKHSTAN), by=YUNZHOU).number
    assert portal.visitor("chen.sample").get(f"/portal/{OWN}").status_code == 200
