"""An officer's desk: vehicles are found over all manufacturers, each search is told of, and what was asked is kept."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from databases import EITHER
from objects import OWN
from portal import Portal
from world import BEICHEN, EMIRATES, KAZAKHSTAN, TIANSHAN, sample

from signer.errors import StorageUnavailable

if TYPE_CHECKING:
    from portal import Visitor
    from world import World

    from signer.services.sealing import Issued

HERE = "/portal/office"
pytestmark = EITHER


@pytest.fixture
def portal(world: World) -> Portal:
    world.appoint("officer", "guan.sample", "hai.sample")
    return Portal.of(world)


@pytest.fixture
def guan(portal: Portal) -> Visitor:
    return portal.visitor("guan.sample")


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue(sample(KAZAKHSTAN))


def vins(name: str) -> list[str]:
    return [str(vehicle["vin"]) for vehicle in sample(name)["vehicles"]]


def told(world: World, event: str) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT actor, subject, detail, manufacturer_id FROM audit WHERE event = '{event}'")


@pytest.mark.parametrize("typed", ["{}", " {} ", "last"])
def test_a_vehicle_is_found_by_its_whole_vin_or_its_last_eight_and_the_audit_says_who_looked(
    guan: Visitor, world: World, issued: Issued, typed: str
) -> None:
    vin = vins(KAZAKHSTAN)[0]
    sought = vin[-8:] if typed == "last" else vin
    page = guan.post(f"{HERE}/vehicles", {"vin": typed.format(sought) if "{" in typed else sought, "reference": "案 7"})
    assert (page.status_code, f"{HERE}/records/{issued.number}" in page.text) == (200, True)
    assert told(world, "vehicle.sought") == [("guan.sample", sought, '{"reference": "案 7"}', None)]
    history = guan.get(f"{HERE}/history").text
    assert all(word in history for word in (sought, "案 7", "1 found"))


def test_vehicles_of_all_manufacturers_are_found(guan: Visitor, world: World) -> None:
    world.issue(sample(EMIRATES), by=BEICHEN)
    assert BEICHEN in guan.post(f"{HERE}/vehicles", {"vin": vins(EMIRATES)[0]}).text


def test_what_was_never_issued_is_found_and_shown_nowhere(
    guan: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_data: bytes) -> bytes:
        raise StorageUnavailable("full")

    monkeypatch.setattr(world.services.issuing._sealing._blobs, "put", full)
    with pytest.raises(StorageUnavailable):
        world.issue(sample(KAZAKHSTAN))
    ((number,),) = world.rows("SELECT number FROM confirmations")
    page = guan.post(f"{HERE}/vehicles", {"vin": vins(KAZAKHSTAN)[0]}).text
    assert ("No issued confirmation names this vehicle" in page, number in page) == (True, False)
    for path in (f"{HERE}/records/{number}", f"{HERE}/records/{number}/file"):
        assert guan.get(path).status_code == 404


@pytest.mark.parametrize("typed", ["", "ABC", "1234567", "123456789", "%%%%%%%%", "'; DROP --", "车" * 8, "\x00" * 17])
def test_what_is_no_vin_is_named_and_nobody_looked_for_it(guan: Visitor, world: World, typed: str) -> None:
    page = guan.post(f"{HERE}/vehicles", {"vin": typed})
    assert (page.status_code, 'id="vin-wrong"' in page.text) == (422, True)
    assert told(world, "vehicle.sought") == []


def test_a_full_record_shows_what_was_sealed_and_its_file_and_the_audit_says_who_looked(
    guan: Visitor, world: World, issued: Issued
) -> None:
    page = guan.get(f"{HERE}/records/{issued.number}")
    for vin in vins(KAZAKHSTAN):
        assert all(part in page.text for part in (vin[:3], vin[3:9], vin[9:]))
    assert guan.get(f"{HERE}/records/{issued.number}/file").data == issued.pdf
    numbers = [row[:2] for event in ("record.seen", "record.taken") for row in told(world, event)]
    assert numbers == [("guan.sample", str(issued.number))] * 2
    for number in ("K7Q2M-9XH4T-3PAA", "nonsense", "x" * 300):
        assert guan.get(f"{HERE}/records/{number}").status_code in (404, 422)


def test_the_manufacturer_is_not_told_who_looked_at_its_record(portal: Portal, guan: Visitor, issued: Issued) -> None:
    guan.get(f"{HERE}/records/{issued.number}")
    assert "guan.sample" not in portal.visitor("chen.sample").get(f"/portal/{OWN}/confirmations/{issued.number}").text


def covered(number: str, *, vin: str = "") -> dict[str, str]:
    asked = [vin or vins(KAZAKHSTAN)[0], *vins(KAZAKHSTAN)[1:]]
    return {"box": "\n".join((number, *asked)), "destination": "KZ", "exporter": TIANSHAN, "reference": "案 9"}


def test_a_check_from_inside_answers_as_from_outside_and_is_kept_with_a_genuine_receipt(
    portal: Portal, guan: Visitor, world: World, issued: Issued
) -> None:
    page = guan.post(f"{HERE}/check", covered(str(issued.number)))
    outside = portal.app.test_client().post("/verify", data=covered(str(issued.number)))
    for answer in (page, outside):
        assert (answer.status_code, "Covered" in answer.text or "COVERED" in answer.text) == (200, True)
    ((ref, answered, kept),) = world.rows("SELECT ref, answer, receipt FROM checks")
    assert answered == "COVERED"
    got = guan.get(f"{HERE}/history/{ref}/receipt")
    assert (got.data.decode(), got.mimetype) == (kept, "application/jwt")
    assert world.services.receipts.examine(got.data).state == "genuine"
    assert "案 9" in guan.get(f"{HERE}/history/{ref}").text


def test_a_file_and_a_licence_are_checked_from_inside(guan: Visitor, world: World, issued: Issued) -> None:
    upload = {"files": (io.BytesIO(issued.pdf), "确认书.pdf")}
    page = guan.post(f"{HERE}/check", upload, content_type="multipart/form-data")
    assert (page.status_code, str(issued.number) in page.text) == (200, True)
    upload = {**covered(str(issued.number)), "files": (io.BytesIO(issued.pdf), "确认书.pdf")}
    assert guan.post(f"{HERE}/check", upload, content_type="multipart/form-data").status_code == 200
    kept = world.rows("SELECT kind, subject, answer FROM checks ORDER BY id")
    assert [row[0] for row in kept] == ["file", "licence"]
    assert (kept[0][1], kept[1][2]) == ("确认书.pdf", f"{len(vins(KAZAKHSTAN))} / {len(vins(KAZAKHSTAN))}")


def test_what_is_wrong_is_named_inside_too_and_not_kept(guan: Visitor, world: World) -> None:
    for data in ({"box": ""}, {"box": "K7Q2M-9XH4T-3PAX"}, {"box": "x", "reference": "y" * 121}):
        assert guan.post(f"{HERE}/check", data).status_code == 422
    assert world.rows("SELECT * FROM checks") == []


def test_a_check_is_its_askers_alone(portal: Portal, guan: Visitor, world: World, issued: Issued) -> None:
    guan.post(f"{HERE}/check", covered(str(issued.number)))
    ((ref,),) = world.rows("SELECT ref FROM checks")
    hai = portal.visitor("hai.sample")
    for path in (f"{HERE}/history/{ref}", f"{HERE}/history/{ref}/receipt"):
        assert (guan.get(path).status_code, hai.get(path).status_code) == (200, 404)
    assert ref not in hai.get(f"{HERE}/history").text


def test_each_is_led_to_the_first_room_of_the_office_and_no_maker_has_one(portal: Portal, guan: Visitor) -> None:
    assert guan.get("/portal").location == HERE
    assert guan.get(HERE).location == f"{HERE}/check"
    portal.world.appoint("auditor", "du.sample")
    assert portal.visitor("du.sample").get(HERE).location == f"{HERE}/makers"
    assert portal.visitor("chen.sample").get(HERE).location == "/portal"


def test_a_manufacturers_own_auditor_is_not_the_deployments(portal: Portal) -> None:
    portal.world.give("auditor", "shen.sample")
    shen = portal.visitor("shen.sample")
    for path in ("audit", "audit/export", "makers", "jobs", "settings", "seals", "trust-list", "vehicles", "check"):
        assert shen.get(f"{HERE}/{path}").status_code == 403, path
