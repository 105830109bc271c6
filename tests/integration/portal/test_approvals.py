"""The approver's pages: exactly what will be sealed, a factor for exactly that, and consequences before an ending."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import approvals
import pytest
from world import BEICHEN, KAZAKHSTAN, World, sample

if TYPE_CHECKING:
    from portal import Portal, Visitor

    from signer.register.submissions import Submission


def home(world: World) -> str:
    return f"/portal/{approvals.maker(world)}"


def code(portal: Portal, person: str = approvals.LIN) -> str:
    """A second factor of a person, as it reads just now."""
    return portal.give_factor(person).at(portal.world.at)


def word(found: Submission, shown: str, *, digest: str = "") -> dict[str, str]:
    return {"digest": digest or found.terms_digest.hex(), "factor_code": shown}


def test_the_page_says_everything_that_will_be_sealed_and_a_factor_seals_it(portal: Portal, lin: Visitor) -> None:
    world = portal.world
    found = approvals.sent(world)
    here = f"{home(world)}/approvals/{found.ref}"
    text = lin.get(here).text
    terms = world.services.approving.terms(approvals.maker(world), found.ref)
    for said in (found.terms_digest.hex(), terms.exporter.legal_name, terms.outlets[0].name, terms.commitment.text_en):
        assert said in text
    for vehicle in terms.vehicles:
        assert all(part in text for part in (vehicle.vin[:3], vehicle.vin[9:], vehicle.window.through.isoformat()))
    shown = code(portal)
    first, second = lin.post(f"{here}/approve", word(found, shown)), lin.post(f"{here}/approve", word(found, shown))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location.endswith("?done=approvals.issued")
    assert [row[0] for row in world.rows("SELECT standing FROM confirmations")] == ["issued"]


@pytest.mark.parametrize("shown", ["", "000000", "abc"])
def test_without_a_right_factor_nothing_is_approved(portal: Portal, lin: Visitor, shown: str) -> None:
    found = approvals.sent(portal.world)
    code(portal)
    answer = lin.post(f"{home(portal.world)}/approvals/{found.ref}/approve", word(found, shown))
    assert (answer.status_code, "factor_code-wrong" in answer.text) == (422, True)
    assert approvals.state(portal.world, found) == ("waiting", "waiting")


def test_a_page_of_other_terms_approves_nothing(portal: Portal, lin: Visitor) -> None:
    found = approvals.sent(portal.world)
    answer = lin.post(
        f"{home(portal.world)}/approvals/{found.ref}/approve", word(found, code(portal), digest="00" * 32)
    )
    assert (answer.status_code, approvals.state(portal.world, found)) == (409, ("waiting", "waiting"))


def test_who_sent_it_is_told_that_another_person_decides(portal: Portal) -> None:
    found = approvals.sent(portal.world)
    portal.world.give("approver", approvals.CHEN)
    chen = portal.visitor(approvals.CHEN)
    answer = chen.post(f"{home(portal.world)}/approvals/{found.ref}/approve", word(found, code(portal, approvals.CHEN)))
    assert (answer.status_code, approvals.state(portal.world, found)) == (403, ("waiting", "waiting"))


def test_a_reason_is_shown_as_it_was_typed_and_never_as_html(portal: Portal, lin: Visitor) -> None:
    found = approvals.sent(portal.world)
    here = f"{home(portal.world)}/approvals/{found.ref}"
    for refused in ("", "x" * 401, "a\x00b c", "turned \u202e round"):
        assert lin.post(f"{here}/return", {"reason": refused}).status_code == 422
    assert lin.post(f"{here}/return", {"reason": "<script>alert(1)</script>"}).status_code == 303
    text = lin.get(here).text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


def test_the_preview_is_a_pdf_and_the_other_makers_is_not_there(portal: Portal, lin: Visitor) -> None:
    found = approvals.sent(portal.world)
    answer = lin.get(f"{home(portal.world)}/approvals/{found.ref}/preview.pdf")
    assert answer.data.startswith(b"%PDF-")
    theirs = f"/portal/{approvals.maker(portal.world, BEICHEN)}"
    sun = portal.visitor("sun.sample")
    for path in ("", "/preview.pdf"):
        assert sun.get(f"{theirs}/approvals/{found.ref}{path}").status_code == 404


def test_consequences_name_exactly_the_touched_vins_before_anything_is_asked(portal: Portal, lin: Visitor) -> None:
    world = portal.world
    number = world.issue(sample(KAZAKHSTAN)).number
    vins = [each["vin"] for each in sample(KAZAKHSTAN)["vehicles"]]
    here = f"{home(world)}/confirmations/{number}"
    text = lin.get(f"{here}/withdraw?vin={vins[1]}").text
    assert re.findall(r'type="hidden" name="vin" value="([^"]+)"', text) == [vins[1]]
    chen = portal.visitor(approvals.CHEN)
    asked = chen.post(f"{here}/withdraw", {"vin": [vins[1]], "reason": "error"})
    assert asked.status_code == 303
    second = asked.location.partition("?")[0]
    assert world.rows("SELECT count(*) FROM lines WHERE standing = 'withdrawn'") == [(0,)]
    assert chen.post(second, {"factor_code": "1"}).status_code == 403
    assert lin.post(second, {"factor_code": "000000"}).status_code == 422
    assert lin.post(second, {"factor_code": code(portal)}).status_code == 303
    assert world.rows("SELECT vin FROM lines WHERE standing = 'withdrawn'") == [(vins[1],)]


def test_a_suspension_holds_at_once_and_is_lifted(portal: Portal, lin: Visitor) -> None:
    world = portal.world
    number = world.issue(sample(KAZAKHSTAN)).number
    here = f"{home(world)}/confirmations/{number}"
    assert lin.post(f"{here}/suspend").status_code == 303
    assert world.rows("SELECT standing FROM confirmations") == [("suspended",)]
    assert lin.post(f"{here}/suspend").status_code == 409
    assert lin.post(f"{here}/lift").status_code == 303
    assert world.rows("SELECT standing FROM confirmations") == [("issued",)]


def test_chosen_lines_go_into_a_successor(portal: Portal) -> None:
    world = portal.world
    number = world.issue(sample(KAZAKHSTAN)).number
    vins = [each["vin"] for each in sample(KAZAKHSTAN)["vehicles"]]
    chen = portal.visitor(approvals.CHEN)
    here = f"{home(world)}/confirmations/{number}"
    assert chen.post(f"{here}/supersede").status_code == 422
    assert chen.post(f"{here}/supersede", {"vin": vins[:2]}).status_code == 303
    ((body,),) = world.rows("SELECT body FROM drafts")
    assert [vin in body for vin in vins] == [True, True, False]
    assert number in body
