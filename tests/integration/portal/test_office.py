"""An officer's desk: vehicles are found over all manufacturers, each search is told of, and what was asked is kept."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from databases import EITHER
from objects import OWN
from portal import Portal
from world import BEICHEN, EMIRATES, KAZAKHSTAN, TIANSHAN, sample

from signer.errors import StorageUnavailable
from signer.services.inspecting import PER_PAGE, Asked

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


@pytest.fixture
def receipts(guan: Visitor, world: World, issued: Issued) -> list[str]:
    """Ask what is covered, another day about another car, and search, which has no receipt; return references."""
    guan.post(f"{HERE}/check", covered(str(issued.number)))
    world.change("UPDATE checks SET asked_at = '2026-11-20T15:30:00.000000Z'")  # 23:30 in Beijing
    guan.post(f"{HERE}/check", {**covered(str(issued.number), vin="L0YSA3B20T0000199"), "reference": "案 10"})
    guan.post(f"{HERE}/vehicles", {"vin": vins(KAZAKHSTAN)[0]})
    return [ref for (ref,) in world.rows("SELECT ref FROM checks WHERE receipt IS NOT NULL ORDER BY id")]


def packed(answer: Any) -> dict[str, bytes]:
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as found:
        return {name: found.read(name) for name in found.namelist()}


def test_receipts_are_found_by_day_outcome_and_case_and_a_search_has_none(guan: Visitor, receipts: list[str]) -> None:
    first, second = receipts
    for query, shown in {
        "": [second, first],
        "reference=案 9": [first],
        "reference=案": [second, first],
        "reference=%25": [],
        "outcome=pass": [first],
        "outcome=fail": [second],
        "outcome=nonsense": [second, first],
        "to=2026-11-20": [first],
        "from=2026-11-21": [second],
        "from=2026-11-20&to=2026-11-20&outcome=fail": [],
        "from=tomorrow": [second, first],
    }.items():
        page = guan.get(f"{HERE}/receipts?{query}").text
        assert re.findall(r'name="ref" value="(\w+)"', page) == shown, query
    assert 'id="from-wrong"' in guan.get(f"{HERE}/receipts?from=tomorrow").text


def test_all_that_fit_or_those_that_are_ticked_come_as_one_zip_with_a_list_and_each_is_genuine(
    guan: Visitor, world: World, receipts: list[str]
) -> None:
    both = packed(guan.get(f"{HERE}/receipts/zip"))
    listed = list(csv.DictReader(io.StringIO(both.pop("list.csv").decode("utf-8-sig"))))
    assert [(row["file"], row["reference"], row["outcome"]) for row in listed] == [
        (name, reference, outcome)
        for name, reference, outcome in zip(both, ("案 10", "案 9"), ("fail", "pass"), strict=True)
    ]
    assert {world.services.receipts.examine(data).state for data in both.values()} == {"genuine"}
    kept = dict(world.rows("SELECT ref, jti FROM checks"))
    for query, refs in {"outcome=pass": receipts[:1], f"ref={receipts[1]}": receipts[1:]}.items():
        found = packed(guan.get(f"{HERE}/receipts/zip?{query}"))
        assert list(found) == ["list.csv", *(f"receipt-{kept[ref]}.jwt" for ref in refs)]
    assert guan.get(f"{HERE}/receipts/zip?reference=none").status_code == 404


def test_nobody_packs_anothers_receipts(portal: Portal, receipts: list[str]) -> None:
    hai = portal.visitor("hai.sample")
    assert receipts[0] not in hai.get(f"{HERE}/receipts").text
    for query in ("", f"?ref={receipts[0]}"):
        assert hai.get(f"{HERE}/receipts/zip{query}").status_code == 404


def test_a_zip_that_would_hold_more_says_so_on_the_last_line_of_its_list(world: World, receipts: list[str]) -> None:
    with zipfile.ZipFile(io.BytesIO(world.services.inspecting.packed("guan.sample", most=1))) as found:
        lines = found.read("list.csv").decode("utf-8-sig").splitlines()
        assert (len(found.namelist()), len(lines), lines[-1].startswith("export.cut-off,")) == (2, 3, True)


def test_the_history_goes_on_to_its_end_and_shows_each_check_once_whatever_comes_in_meanwhile(
    guan: Visitor, world: World
) -> None:
    def ask() -> str:
        asked = Asked(kind="vehicle", subject="L0YSA3B29T0000101", answer="1", outcome="pass")
        return world.services.inspecting.keep(asked, by="guan.sample")

    refs = [ask() for _ in range(2 * PER_PAGE + 1)][::-1]
    world.services.inspecting.keep(Asked(kind="file", subject="x", answer="VALID", outcome="pass"), by="hai.sample")
    shown, path, pages = list[str](), f"{HERE}/history", 0
    while path:
        page = guan.get(path).text
        shown += re.findall(rf'href="{HERE}/history/(\w+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path, pages = (older[1] if older else ""), pages + 1
        ask()
    assert (shown, pages) == (refs, 3)
    assert 'rel="next"' not in guan.get(f"{HERE}/history?before={refs[-1]}").text


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
