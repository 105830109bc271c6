"""A maker's systems issue: a draft is kept, judged, sent, decided on by another person, and sealed."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from world import BEICHEN, KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.domain.machines import Right

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World


def kept(erp: Machine, draft: object = None) -> str:
    answer = erp.post("/drafts", {"title": "t", "draft": sample(KAZAKHSTAN) if draft is None else draft})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/drafts/{answer.json['ref']}"
    return str(answer.json["ref"])


def sent(erp: Machine, ref: str) -> dict[str, str]:
    answer = erp.post(f"/drafts/{ref}/approvals", headers={"If-Match": erp.get(f"/drafts/{ref}").headers["ETag"]})
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json
    return found


def decided(terms_digest: str, decision: str = "approve", **more: str) -> dict[str, str]:
    return {"decision": decision, "terms_digest": terms_digest, "external_ref": "OA-2026-17", **more}


def test_from_a_draft_to_a_number_by_two_peoples_tokens(erp: Machine, oa: Machine, world: World) -> None:
    ref = kept(erp)
    assert [
        found for found in erp.get(f"/drafts/{ref}/findings").json["findings"] if found["severity"] == "violation"
    ] == []
    waiting = sent(erp, ref)
    assert (waiting["state"], waiting["draft"]) == ("waiting", ref)
    read = oa.get(f"/approvals/{waiting['ref']}").json
    assert read["terms"]["vehicles"][0]["vin"] == sample(KAZAKHSTAN)["vehicles"][0]["vin"]
    answer = oa.post(f"/approvals/{waiting['ref']}/decisions", decided(read["terms_digest"]))
    assert (answer.status_code, answer.json["state"], answer.json["external_ref"]) == (200, "issued", "OA-2026-17")
    assert answer.headers["Location"] == f"/api/v1/confirmations/{answer.json['number']}"
    assert erp.get(f"/drafts/{ref}").json["number"] == answer.json["number"]
    event, fields = world.rows("SELECT event, detail FROM audit WHERE event = 'submission.approved'")[0]
    assert ("OA-2026-17" in fields, '"factor": "token"' in fields) == (True, True), event


def test_who_prepared_does_not_approve_by_whichever_token(machines: Machines, world: World) -> None:
    columns = "person_id, manufacturer_id, role, granted_at"
    mine = f"FROM memberships WHERE person_id = '{PEOPLE[YUNZHOU][0]}'"
    approver = columns.replace("role", "'approver'")
    world.change(f"INSERT INTO memberships ({columns}) SELECT {approver} {mine}")
    one, other = (machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU) for _ in range(2))
    waiting = sent(one, kept(one))
    answer = other.post(f"/approvals/{waiting['ref']}/decisions", decided(waiting["terms_digest"]))
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (403, "not-permitted")


def test_an_approval_names_the_terms_that_were_read(erp: Machine, oa: Machine) -> None:
    waiting = sent(erp, kept(erp))
    path = f"/approvals/{waiting['ref']}/decisions"
    other = oa.post(path, decided("0" * 64))
    assert (other.status_code, other.json["type"].rsplit("/", 1)[1]) == (409, "terms-changed")
    for left_out in ("terms_digest", "external_ref"):
        told = decided(waiting["terms_digest"])
        del told[left_out]
        answer = oa.post(path, told)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, f"/{left_out}")
    assert oa.get(f"/approvals/{waiting['ref']}").json["state"] == "waiting"


def test_what_is_returned_says_why_and_its_draft_is_open_again(erp: Machine, oa: Machine) -> None:
    ref = kept(erp)
    waiting = sent(erp, ref)
    path, told = f"/approvals/{waiting['ref']}/decisions", decided(waiting["terms_digest"], "return")
    assert oa.post(path, told).json["errors"][0]["pointer"] == "/reason"
    answer = oa.post(path, {**told, "reason": "the port is missing"})
    assert (answer.json["state"], answer.json["reason"]) == ("returned", "the port is missing")
    assert erp.get(f"/drafts/{ref}").json["state"] == "open"


def test_every_violation_is_named_at_once_by_its_pointer(erp: Machine) -> None:
    draft = sample(KAZAKHSTAN)
    draft["vehicles"][0]["vin"], draft["vehicles"][1]["registered_on"], draft["exporter"] = "X", "soon", "1"
    ref = kept(erp, draft)
    answer = erp.post(f"/drafts/{ref}/approvals", headers={"If-Match": '"1-open"'})
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (422, "rule-violation")
    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert {"/vehicles/0/vin", "/vehicles/1/registered_on", "/exporter"} <= pointers
    zh = erp.post(f"/drafts/{ref}/approvals", headers={"If-Match": '"1-open"', "Accept-Language": "zh"})
    assert zh.json["errors"] != answer.json["errors"]


def test_a_change_needs_the_version_that_was_read(erp: Machine) -> None:
    ref = kept(erp)
    entry = {"title": "second", "draft": {}}
    missing = erp.ask("PUT", f"/drafts/{ref}", json=entry)
    assert (missing.status_code, missing.json["type"].rsplit("/", 1)[1]) == (428, "precondition-required")
    done = erp.ask("PUT", f"/drafts/{ref}", json=entry, headers={"If-Match": erp.get(f"/drafts/{ref}").headers["ETag"]})
    assert (done.status_code, done.json["version"]) == (200, 2)
    stale = erp.ask("PUT", f"/drafts/{ref}", json=entry, headers={"If-Match": '"1-open"'})
    assert (stale.status_code, stale.json["type"].rsplit("/", 1)[1]) == (412, "precondition-failed")
    weak = erp.ask("PUT", f"/drafts/{ref}", json=entry, headers={"If-Match": 'W/"2-open"'})
    assert weak.status_code == 412


def test_of_many_that_change_one_version_at_once_one_wins(erp: Machine) -> None:
    ref = kept(erp)

    def change(turn: int) -> int:
        entry = {"title": str(turn), "draft": {}}
        return erp.ask("PUT", f"/drafts/{ref}", json=entry, headers={"If-Match": '"1-open"'}).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(change, range(8)))
    assert codes == [200] + [412] * 7
    assert erp.get(f"/drafts/{ref}").json["version"] == 2


def test_what_is_known_already_is_not_sent_again(erp: Machine) -> None:
    ref = kept(erp)
    for path in (f"/drafts/{ref}", "/drafts", f"/drafts/{ref}/findings"):
        etag = erp.get(path).headers["ETag"]
        again = erp.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")
    erp.ask("PUT", f"/drafts/{ref}", json={"draft": {}}, headers={"If-Match": '"1-open"'})
    assert erp.get("/drafts", headers={"If-None-Match": etag}).status_code == 200


def test_another_manufacturers_drafts_and_approvals_are_not_there(machines: Machines, erp: Machine) -> None:
    ref = kept(erp)
    waiting = sent(erp, ref)
    he, sun = (machines.of_maker(person, BEICHEN) for person in PEOPLE[BEICHEN])
    for asked in (
        he.get(f"/drafts/{ref}"),
        he.ask("PUT", f"/drafts/{ref}", json={"draft": {}}, headers={"If-Match": "*"}),
        he.ask("DELETE", f"/drafts/{ref}", headers={"If-Match": "*"}),
        he.get(f"/drafts/{ref}/findings"),
        he.post(f"/drafts/{ref}/approvals", headers={"If-Match": "*"}),
        he.get(f"/approvals/{waiting['ref']}"),
        he.ask("DELETE", f"/approvals/{waiting['ref']}"),
        sun.post(f"/approvals/{waiting['ref']}/decisions", decided(waiting["terms_digest"])),
    ):
        assert (asked.status_code, asked.json["type"].rsplit("/", 1)[1]) == (404, "not-found")
    assert he.get("/drafts").json["items"] == he.get("/approvals").json["items"] == []


@settings(max_examples=8)
@given(st.lists(st.integers(0, 2), max_size=6), st.integers(1, 4))
def test_a_list_read_in_parts_misses_nothing_and_doubles_nothing_whatever_is_added(
    worlds_erp: Machine, added: list[int], limit: int
) -> None:
    erp = worlds_erp
    for _ in range(5):
        kept(erp, {})
    before = {item["ref"] for item in erp.get("/drafts?limit=100").json["items"]}
    seen: list[str] = []
    path, turns = f"/drafts?limit={limit}", iter(added)
    while path:
        answer = erp.get(path)
        seen += [item["ref"] for item in answer.json["items"]]
        for _ in range(next(turns, 0)):
            kept(erp, {})
        cursor = answer.json["next"]
        path = f"/drafts?limit={limit}&cursor={cursor}" if cursor else ""
        assert (f"cursor={cursor}" in answer.headers.get("Link", "")) == bool(cursor)
    assert len(seen) == len(set(seen))
    assert set(seen) == before


def test_a_cursor_that_was_not_given_is_refused(erp: Machine) -> None:
    for text in ("1:x", "2:5", "1:-1", "1:5' OR 1=1", "1:99999999999999999999"):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        answer = erp.get(f"/drafts?cursor={cursor}")
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/cursor"), text


def test_a_draft_with_every_vehicle_it_may_have_fits_and_a_longer_body_does_not(erp: Machine) -> None:
    row = {"vin": "X" * 17, "model": "M" * 900}
    assert erp.post("/drafts", {"draft": {"vehicles": [row] * 200}}).status_code == 201
    assert erp.post("/drafts", {"draft": {"vehicles": [row] * 1000}, "title": "x" * 200_000}).status_code == 413


def test_reading_alone_opens_nothing_that_changes(machines: Machines, erp: Machine) -> None:
    ref = kept(erp)
    reader = machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU, Right.DRAFTS_READ)
    assert reader.get(f"/drafts/{ref}").status_code == 200
    assert reader.ask("DELETE", f"/drafts/{ref}", headers={"If-Match": "*"}).status_code == 403
