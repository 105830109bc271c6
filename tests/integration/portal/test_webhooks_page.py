"""The page of webhooks: an administrator sets one up, sees its secret once and what came of each message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import receiving
from objects import OTHER, OWN, Case, a_delivery, make
from portal import Portal
from receiving import deliver

from signer.domain.parties import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal import Visitor
    from world import World

HERE, OFFICE = f"/portal/{OWN}/webhooks", "/portal/office/webhooks"
TYPED = {"url": "https://erp.example.com/events", "label": "ERP", "events": ["issued", "withdrawn"]}


@pytest.fixture
def receiver(world: World) -> Iterator[receiving.Receiver]:
    with receiving.receiving(world) as made:
        yield made


@pytest.fixture
def case(receiver: receiving.Receiver, world: World) -> Case:
    return make(Portal.of(world))


@pytest.fixture
def admin(case: Case) -> Visitor:
    return case.visitor(Role.ADMIN)


def only(case: Case) -> str:
    (shown,) = case.portal.world.services.webhooks.all(OWN)
    return shown.webhook.ref


def test_a_webhook_is_set_up_tried_paused_and_deleted(case: Case, admin: Visitor, receiver: receiving.Receiver) -> None:
    made = admin.post(HERE, {**TYPED, "url": receiver.url})
    secrets = re.findall(r"whsec_[A-Za-z0-9+/]{43}=", made.text)
    assert (made.status_code, len(secrets)) == (200, 1)
    page = f"{HERE}/{only(case)}"
    assert "whsec_" not in admin.get(page).text + admin.get(HERE).text
    assert admin.post(f"{page}/do", {"do": "ping"}).location.endswith("done=webhook.pinged")
    deliver(case.portal.world)
    assert receiver.kinds == ["ping"]
    assert "evt_" in admin.get(page).text
    second = admin.post(f"{page}/do", {"do": "rotate"})
    assert re.findall(r"whsec_[A-Za-z0-9+/]{43}=", second.text) not in ([], secrets)
    assert admin.post(f"{page}/do", {"do": "pause"}).location.endswith("done=webhook.paused")
    assert admin.post(f"{page}/do", {"do": "ping"}).status_code == 409
    assert admin.post(f"{page}/do", {"do": "resume"}).location.endswith("done=webhook.resumed")
    assert admin.post(f"{page}/do", {"do": "nothing known"}).status_code == 303
    assert admin.post(f"{page}/do", {"do": "delete"}).location == f"{HERE}?done=webhook.deleted"
    assert admin.get(page).status_code == 404
    audit = admin.get(f"/portal/{OWN}/audit").text
    assert "webhook." not in re.sub(r"<details.*?</details>", "", audit, flags=re.DOTALL), "told in sentences"


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(case: Case, admin: Visitor) -> None:
    for typed, field in (
        ({**TYPED, "url": "http://10.0.0.5/"}, "url"),
        ({**TYPED, "url": "https://a.example/" + "x" * 600}, "url"),
        ({**TYPED, "events": []}, "events"),
        ({**TYPED, "label": "<b>" + "x" * 90}, "label"),
    ):
        answer = admin.post(HERE, typed)
        assert (answer.status_code, f'id="{field}-wrong"' in answer.text) == (422, True), field
        assert "<b>" not in answer.text
    case.portal.world.services.webhooks.all(OWN)
    assert case.portal.world.rows("SELECT 1 FROM webhooks") == []


def test_a_change_that_somebody_else_overtook_is_not_made(case: Case, admin: Visitor) -> None:
    admin.post(HERE, TYPED)
    page = f"{HERE}/{only(case)}"
    assert admin.post(page, {**TYPED, "label": "OA", "version": "1"}).location == f"{page}?done=webhook.changed"
    assert admin.post(page, {**TYPED, "label": "other", "version": "1"}).status_code == 409
    assert admin.post(page, {**TYPED, "url": "nonsense", "version": "2"}).status_code == 422
    assert "OA" in admin.get(HERE).text


def test_what_was_given_up_is_sent_again_by_the_maker_or_an_operator(
    case: Case, admin: Visitor, receiver: receiving.Receiver
) -> None:
    operator, auditor = case.visitor(Role.OPERATOR), case.visitor(Role.AUDITOR)
    admin.post(HERE, {**TYPED, "url": receiver.url})
    case.made["webhooks", "ref", OWN] = ref = only(case)
    first, second, foreign = a_delivery(case, OWN), a_delivery(case, OWN), a_delivery(case, OTHER)
    page = operator.get(OFFICE).text
    assert [f"/webhooks/{one}/replay" in page for one in (first, second, foreign)] == [True] * 3
    assert "/replay" not in auditor.get(OFFICE).text
    assert "HTTP 503" in page
    assert admin.post(f"{HERE}/{ref}/deliveries/{first}/replay").status_code == 303
    assert admin.post(f"{HERE}/{ref}/deliveries/{first}/replay").status_code == 409
    assert admin.post(f"{HERE}/{ref}/deliveries/{foreign}/replay").status_code == 404
    assert operator.post(f"{OFFICE}/{second}/replay").location == f"{OFFICE}?done=webhook.replayed"
    assert operator.post(f"{OFFICE}/{second}/replay").status_code == 409
    deliver(case.portal.world)
    assert receiver.kinds == ["ping", "ping"]


def test_a_long_history_goes_on_by_cursor(case: Case, admin: Visitor) -> None:
    admin.post(HERE, TYPED)
    case.made["webhooks", "ref", OWN] = ref = only(case)
    for _ in range(25):
        a_delivery(case, OWN)
    first = admin.get(f"{HERE}/{ref}").text
    (cursor,) = re.findall(r"\?before=(\d+)", first)
    second = admin.get(f"{HERE}/{ref}?before={cursor}").text
    found = [set(re.findall(r"deliveries/(\d+)/replay", page)) for page in (first, second)]
    assert ([len(one) for one in found], found[0] & found[1]) == ([20, 5], set())
    assert admin.get(f"{HERE}/{ref}?before=²").status_code == 200
