"""A maker's own systems keep webhooks by API; secrets are told once, and nobody else's are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import BEICHEN, KAZAKHSTAN, YUNZHOU, sample

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World

ENTRY = {"url": "https://hooks.maker.example/in", "label": "ERP", "events": ["approval.requested", "issued"]}


@pytest.fixture
def admin(machines: Machines) -> Machine:
    machines.world.give("admin", "admin.sample")
    return machines.of_maker("admin.sample", YUNZHOU)


def made(admin: Machine, **more: Any) -> dict[str, Any]:
    answer = admin.post("/webhooks", {**ENTRY, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_secret_is_told_once_and_each_rotation_has_its_own(admin: Machine, world: World) -> None:
    first, again = (admin.post("/webhooks", ENTRY, key="k1") for _ in range(2))
    ref, secret = first.json["ref"], first.json["secret"]
    assert secret.startswith("whsec_")
    assert (again.json["ref"], again.json["secret"]) == (ref, None)
    other, same = (admin.post(f"/webhooks/{ref}/secrets", {"at_once": True}, key="k2") for _ in range(2))
    assert other.json["secret"] not in (None, secret)
    assert same.json["secret"] is None
    assert secret not in admin.get(f"/webhooks/{ref}").text + admin.get("/webhooks").text
    assert secret not in str(world.rows("SELECT * FROM deeds")) + str(world.rows("SELECT * FROM audit"))


def test_what_happens_is_on_its_way_to_whom_asked_for_it(admin: Machine, erp: Machine) -> None:
    ref, deaf = made(admin)["ref"], made(admin, events=["withdrawn"])["ref"]
    draft = erp.post("/drafts", {"draft": sample(KAZAKHSTAN)}).json["ref"]
    erp.post(f"/drafts/{draft}/approvals", headers={"If-Match": '"1-open"'})
    (sent,) = admin.get(f"/webhooks/{ref}/deliveries").json["items"]
    assert (sent["type"], sent["state"], sent["message"][:4]) == ("approval.requested", "waiting", "evt_")
    assert admin.get(f"/webhooks/{deaf}/deliveries").json["items"] == []


def test_a_ping_with_one_key_is_one_delivery_and_can_be_replayed_only_where_it_is(admin: Machine) -> None:
    ref, other = made(admin)["ref"], made(admin)["ref"]
    sent = {admin.post(f"/webhooks/{ref}/pings", key="k1").json["id"] for _ in range(3)}
    assert len(sent) == 1
    elsewhere = admin.post(f"/webhooks/{other}/deliveries/{sent.pop()}/replays")
    assert elsewhere.status_code == 404
    assert admin.post(f"/webhooks/{ref}/deliveries/x/replays").status_code == 404


def test_a_change_needs_the_version_that_was_read_and_pausing_is_one(admin: Machine) -> None:
    ref = made(admin, state="paused")["ref"]
    read = admin.get(f"/webhooks/{ref}")
    assert read.json["state"] == "paused"
    assert admin.ask("PUT", f"/webhooks/{ref}", json=ENTRY).status_code == 428
    now = admin.ask("PUT", f"/webhooks/{ref}", json=ENTRY, headers={"If-Match": read.headers["ETag"]})
    assert (now.status_code, now.json["state"]) == (200, "active")
    assert admin.ask("DELETE", f"/webhooks/{ref}", headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert admin.ask("DELETE", f"/webhooks/{ref}", headers={"If-Match": now.headers["ETag"]}).status_code == 204
    assert admin.get(f"/webhooks/{ref}").status_code == 404


@pytest.mark.parametrize("url", ["http://hooks.maker.example/", "https://127.0.0.1/", "https://[::1]/", "file:///etc"])
def test_an_address_that_is_not_public_https_is_refused_at_its_field(admin: Machine, url: str) -> None:
    answer = admin.post("/webhooks", {**ENTRY, "url": url})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/url")


def test_another_manufacturers_webhooks_are_not_there(machines: Machines, admin: Machine) -> None:
    ref = made(admin)["ref"]
    world = machines.world
    world.give("admin", "other.sample")
    columns = "person_id, manufacturer_id, role, granted_at"
    world.change("DELETE FROM memberships WHERE person_id = 'other.sample'")
    world.change(
        f"INSERT INTO memberships ({columns}) SELECT 'other.sample', manufacturer_id, 'admin', granted_at "
        "FROM memberships WHERE person_id = 'he.sample'"
    )
    other = machines.of_maker("other.sample", BEICHEN)
    assert other.get("/webhooks").json["items"] == []
    for asked in (
        other.get(f"/webhooks/{ref}"),
        other.ask("PUT", f"/webhooks/{ref}", json=ENTRY, headers={"If-Match": "*"}),
        other.ask("DELETE", f"/webhooks/{ref}", headers={"If-Match": "*"}),
        other.post(f"/webhooks/{ref}/secrets", {}),
        other.post(f"/webhooks/{ref}/pings"),
        other.get(f"/webhooks/{ref}/deliveries"),
        other.post(f"/webhooks/{ref}/deliveries/1/replays"),
    ):
        assert (asked.status_code, asked.json["type"].rsplit("/", 1)[1]) == (404, "not-found")
