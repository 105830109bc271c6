"""Requests by API: an exporter's wish goes to each manufacturer once, is read by both sides, answered, and followed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import exporting
import pytest
from world import BEICHEN, EMIRATES, HAIYI, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, fresh

from signer.domain.machines import Right
from signer.web.machines import request_examples

if TYPE_CHECKING:
    from machine import Machine, Machines
    from werkzeug.test import TestResponse
    from world import World

ZHANG, LI = "zhang.sample", "li.sample"
_FIELDS = ("vin", "brand", "model", "registered_on", "certificate_manufacturer", "certificate_no")


@pytest.fixture
def exporter(machines: Machines) -> Machine:
    exporting.accept(machines.world, TIANSHAN, YUNZHOU, BEICHEN, person=ZHANG)
    return machines.of_exporter(ZHANG, TIANSHAN)


@pytest.fixture
def other(machines: Machines) -> Machine:
    exporting.let_in(machines.world, LI, HAIYI)
    return machines.of_exporter(LI, HAIYI)


def entry(*plain: Any, **more: Any) -> dict[str, Any]:
    rows = [row for one in plain for row in one["vehicles"]]
    vehicles = [{name: row[name] for name in _FIELDS if name in row} for row in rows]
    return {"destination": {"country": "KZ"}, "vehicles": vehicles, **more}


def sent(exporter: Machine, turn: int = 1, **more: Any) -> str:
    answer = exporter.post("/requests", entry(fresh(KAZAKHSTAN, turn), **more))
    assert answer.status_code == 201, answer.text
    return str(answer.json["items"][0]["ref"])


def kind(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]


def matched(machine: Machine, ref: str) -> dict[str, str]:
    return {"If-Match": machine.get(f"/requests/{ref}").headers["ETag"]}


def issued(erp: Machine, oa: Machine, draft: str) -> str:
    """The manufacturer's promise is added to a draft, and it is sent, approved and sealed; return the number."""
    read = erp.get(f"/drafts/{draft}")
    body = {**read.json["draft"], "commitment": fresh(KAZAKHSTAN, 1)["commitment"]}
    kept = erp.ask("PUT", f"/drafts/{draft}", json={"draft": body}, headers={"If-Match": read.headers["ETag"]})
    waiting = erp.post(f"/drafts/{draft}/approvals", headers={"If-Match": kept.headers["ETag"]})
    assert waiting.status_code == 201, waiting.text
    told = {"decision": "approve", "terms_digest": waiting.json["terms_digest"], "external_ref": "OA-17"}
    return str(oa.post(f"/approvals/{waiting.json['ref']}/decisions", told).json["number"])


def test_a_wish_for_two_manufacturers_is_one_batch_of_two_requests(
    exporter: Machine, erp: Machine, machines: Machines
) -> None:
    told = entry(fresh(KAZAKHSTAN, 1), fresh(EMIRATES, 1), message="早日答复", contract="A-17")
    answer = exporter.post("/requests", told)
    assert (answer.status_code, len(answer.json["items"])) == (201, 2)
    assert [row["counterpart"] for row in answer.json["items"]] == [YUNZHOU, BEICHEN]
    place = answer.headers["Location"].removeprefix("/api/v1")
    assert [row["ref"] for row in exporter.get(place).json["items"]] == [
        row["ref"] for row in reversed(answer.json["items"])
    ]
    beichen = machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    for maker, row in ((erp, answer.json["items"][0]), (beichen, answer.json["items"][1])):
        assert [one["ref"] for one in maker.get("/requests").json["items"]] == [row["ref"]]
        read = maker.get(f"/requests/{row['ref']}").json
        assert (read["words"][0]["text"], read["contract"], read["acceptance"]) == ("早日答复", "A-17", "accepted")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_ten_at_once_with_one_key_are_one_batch(exporter: Machine, world: World) -> None:
    told = entry(fresh(KAZAKHSTAN, 1), fresh(EMIRATES, 1))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: exporter.post("/requests", told, key="k1"), range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json["batch"] for answer in answers if answer.status_code == 201}) == 1
    assert world.rows("SELECT count(*), count(DISTINCT batch) FROM requests") == [(2, 1)]


def test_every_wrong_field_is_named_at_once_by_its_pointer_in_the_askers_language(
    exporter: Machine, world: World
) -> None:
    told = entry(fresh(KAZAKHSTAN, 1), application_planned_on="soon", wanted="x" * 500)
    told["vehicles"][1]["vin"], told["vehicles"][2]["registered_on"], told["destination"] = "X", "", {"country": "CN"}
    answers = [exporter.post("/requests", told, headers={"Accept-Language": one}) for one in ("en", "zh")]
    assert [kind(answer) for answer in answers] == [(422, "invalid-input")] * 2
    pointers = {error["pointer"]: error["code"] for error in answers[0].json["errors"]}
    assert pointers == {
        "/destination/country": "country.domestic",
        "/application_planned_on": "day.wrong",
        "/wanted": "text.long",
        "/vehicles/1/vin": "vin.length",
        "/vehicles/2/registered_on": "registered.unknown",
    }
    assert answers[0].json["errors"] != answers[1].json["errors"]
    assert world.rows("SELECT count(*) FROM requests") == [(0,)]


def test_outlets_are_the_manufacturers_word(exporter: Machine) -> None:
    told = entry(fresh(KAZAKHSTAN, 1))
    told["vehicles"][0]["outlets"] = ["KZ-ALA-01"]
    answer = exporter.post("/requests", told)
    assert (kind(answer), answer.json["errors"][0]["pointer"]) == ((422, "invalid-input"), "/vehicles/0/outlets")


def test_each_vehicle_says_until_when_it_needs_a_confirmation(exporter: Machine) -> None:
    told = entry(fresh(KAZAKHSTAN, 1))
    days = ("2026-05-30", "2026-11-01", "2026-05-01")
    for vehicle, day in zip(told["vehicles"], days, strict=True):
        vehicle["registered_on"] = day
    ref = exporter.post("/requests", told).json["items"][0]["ref"]
    found = exporter.get(f"/requests/{ref}").json["vehicles"]
    assert [(one["advice"], one["needed_through"], one["free_from"]) for one in found] == [
        ("wait", "2026-11-26", "2026-11-27"),
        ("needed", "2027-04-30", "2027-05-01"),
        ("free", "2026-10-28", "2026-10-29"),
    ]


def test_from_a_wish_to_a_number_by_three_peoples_tokens(exporter: Machine, erp: Machine, oa: Machine) -> None:
    ref = sent(exporter)
    promised = erp.post(f"/requests/{ref}/promises", {"promised_on": "2026-12-01"})
    assert (promised.status_code, promised.json["promised_on"]) == (201, "2026-12-01")
    asked = erp.post(f"/requests/{ref}/words", {"text": "合格证编号请再核对。"})
    assert asked.headers["Location"] == f"/api/v1/requests/{ref}"
    exporter.post(f"/requests/{ref}/words", {"text": "已核对。"})
    read = exporter.get(f"/requests/{ref}").json
    assert [one["side"] for one in read["words"]] == ["maker", "exporter"]
    made = erp.post(f"/requests/{ref}/drafts", headers=matched(erp, ref))
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1/drafts/{made.json['ref']}")
    assert erp.get(f"/requests/{ref}").json["draft"] == made.json["ref"]
    follows = exporter.get(f"/requests/{ref}").json
    assert (follows["state"], follows["draft"]) == ("drafted", None)
    number = issued(erp, oa, made.json["ref"])
    assert exporter.get("/requests?state=issued").json["items"][0]["ref"] == ref
    assert exporter.get("/requests?state=drafted").json["items"] == []
    shown = exporter.get(f"/requests/{ref}").json
    assert (shown["state"], shown["outcome"], shown["number"]) == ("issued", "issued", number)
    assert {one["standing"] for one in shown["vehicles"]} == {"issued"}
    _goes_elsewhere(exporter, erp, number, [one["vin"] for one in shown["vehicles"]][:2])


def _goes_elsewhere(exporter: Machine, erp: Machine, number: str, vins: list[str]) -> None:
    """Some of its vehicles go to another country: a request that names what it supersedes."""
    told = {"destination": {"country": "AE"}, "vins": vins}
    moved = exporter.post(f"/confirmations/{number}/requests", told)
    assert (moved.status_code, moved.json["supersedes"], moved.json["vehicle_count"]) == (201, number, 2)
    assert erp.get(f"/requests/{moved.json['ref']}").json["destination"]["country"] == "AE"
    assert kind(exporter.post(f"/confirmations/{number}/requests", told)) == (409, "conflict")
    same = exporter.post(f"/confirmations/{number}/requests", {**told, "destination": {"country": "KZ"}})
    assert same.json["errors"][0]["pointer"] == "/destination/country"
    none = exporter.post(f"/confirmations/{number}/requests", {**told, "vins": []})
    assert none.json["errors"][0]["pointer"] == "/vins"


def test_a_refusal_is_of_the_version_that_was_read_and_says_why(exporter: Machine, erp: Machine) -> None:
    ref = sent(exporter)
    told = {"refusal": "no-outlet", "reason": "暂无网点"}
    assert kind(erp.post(f"/requests/{ref}/refusals", told)) == (428, "precondition-required")
    read = matched(erp, ref)
    vehicles = entry(fresh(KAZAKHSTAN, 1))["vehicles"][:2]
    change = {"destination": {"country": "KZ"}, "vehicles": vehicles}
    changed = exporter.ask("PUT", f"/requests/{ref}", json=change, headers=matched(exporter, ref))
    assert (changed.status_code, changed.json["version"], changed.json["vehicle_count"]) == (200, 2, 2)
    assert changed.json["changes"][0]["differences"][0]["kind"] == "removed"
    for path in ("refusals", "drafts"):
        body = told if path == "refusals" else None
        assert kind(erp.post(f"/requests/{ref}/{path}", body, headers=read)) == (412, "precondition-failed")
    wordless = erp.post(f"/requests/{ref}/refusals", {"refusal": "other"}, headers=matched(erp, ref))
    assert wordless.json["errors"][0]["pointer"] == "/reason"
    refused = erp.post(f"/requests/{ref}/refusals", told, headers=matched(erp, ref))
    assert (refused.status_code, refused.json["state"]) == (201, "refused")
    shown = exporter.get(f"/requests/{ref}").json
    assert (shown["refusal"], shown["reason"]) == ("no-outlet", "暂无网点")
    assert kind(exporter.ask("DELETE", f"/requests/{ref}")) == (409, "conflict")


def test_what_is_taken_back_is_answered_no_more(exporter: Machine, erp: Machine) -> None:
    ref = sent(exporter)
    gone = exporter.ask("DELETE", f"/requests/{ref}")
    assert (gone.status_code, gone.json["state"]) == (200, "withdrawn")
    assert kind(erp.post(f"/requests/{ref}/drafts", headers=matched(erp, ref))) == (409, "conflict")
    assert [one["ref"] for one in erp.get("/requests?state=withdrawn").json["items"]] == [ref]
    assert erp.get("/requests?state=asked").json["items"] == []


def test_the_inbox_by_last_useful_day_in_parts(exporter: Machine, erp: Machine) -> None:
    days = ("2027-01-31", "2026-12-01", "2026-12-24", "2026-12-01")
    refs = [sent(exporter, turn, last_useful_on=day) for turn, day in enumerate(days)]
    seen, path = [], "/requests?sort=last-useful-day&limit=1"
    while path:
        answer = erp.get(path)
        seen += [(one["needed_by"], one["ref"]) for one in answer.json["items"]]
        cursor = answer.json["next"]
        path = f"/requests?sort=last-useful-day&limit=1&cursor={cursor}" if cursor else ""
    assert [day for day, _ in seen] == sorted(days)
    assert {ref for _, ref in seen} == set(refs)
    newest = [one["ref"] for one in erp.get("/requests").json["items"]]
    assert newest == refs[::-1]
    wrong = erp.get(f"/requests?sort=last-useful-day&cursor={erp.get('/requests?limit=1').json['next']}")
    assert (kind(wrong), wrong.json["errors"][0]["pointer"]) == ((422, "invalid-input"), "/cursor")


def test_what_is_not_ones_own_is_not_there_whatever_is_asked(
    exporter: Machine, other: Machine, erp: Machine, oa: Machine, machines: Machines
) -> None:
    ref, beichen = sent(exporter), machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    anything, word = {"If-Match": "*"}, {"text": "?"}
    wish = entry(fresh(KAZAKHSTAN, 1))
    asked = [
        ask
        for stranger in (other, beichen)
        for ask in (stranger.get(f"/requests/{ref}"), stranger.post(f"/requests/{ref}/words", word))
    ]
    asked += [
        other.ask("DELETE", f"/requests/{ref}"),
        other.ask("PUT", f"/requests/{ref}", json=wish, headers=anything),
        beichen.post(f"/requests/{ref}/promises", {"promised_on": "2026-12-01"}),
        beichen.post(f"/requests/{ref}/refusals", {"refusal": "not-ours"}, headers=anything),
        beichen.post(f"/requests/{ref}/drafts", headers=anything),
    ]
    made = erp.post(f"/requests/{ref}/drafts", headers=matched(erp, ref)).json["ref"]
    number = issued(erp, oa, made)
    elsewhere = {"destination": {"country": "AE"}, "vins": [wish["vehicles"][0]["vin"]]}
    asked += [other.post(f"/confirmations/{number}/requests", elsewhere)]
    assert [kind(answer) for answer in asked] == [(404, "not-found")] * len(asked)
    assert other.get("/requests").json["items"] == beichen.get("/requests").json["items"] == []
    batch = exporter.get(f"/requests/{ref}").json["batch"]
    assert other.get(f"/requests?batch={batch}").json["items"] == []


def test_a_side_does_not_do_what_the_other_ones_is(exporter: Machine, erp: Machine) -> None:
    ref = sent(exporter)
    for answer in (
        erp.post("/requests", entry(fresh(KAZAKHSTAN, 2))),
        erp.ask("DELETE", f"/requests/{ref}"),
        erp.ask("PUT", f"/requests/{ref}", json=entry(fresh(KAZAKHSTAN, 1)), headers=matched(erp, ref)),
        exporter.post(f"/requests/{ref}/promises", {"promised_on": "2026-12-01"}),
        exporter.post(f"/requests/{ref}/refusals", {"refusal": "not-ours"}, headers=matched(exporter, ref)),
        exporter.post(f"/requests/{ref}/drafts", headers=matched(exporter, ref)),
    ):
        assert kind(answer) == (403, "right-missing")


def test_whoever_reads_alone_says_nothing(exporter: Machine, machines: Machines) -> None:
    ref = sent(exporter)
    for reader in (
        machines.of_exporter(ZHANG, TIANSHAN, Right.REQUESTS_READ),
        machines.of_maker(PEOPLE[YUNZHOU][1], YUNZHOU, Right.REQUESTS_READ),
    ):
        assert reader.get(f"/requests/{ref}").status_code == 200
        assert kind(reader.post(f"/requests/{ref}/words", {"text": "?"})) == (403, "right-missing")


def test_a_manufacturer_that_refused_the_exporter_is_named_and_nothing_is_sent(
    exporter: Machine, machines: Machines
) -> None:
    inbox = machines.world.services.request_inbox
    inbox.refuse_exporter(machines.maker(BEICHEN), TIANSHAN, "not known to us", by=PEOPLE[BEICHEN][0])
    answer = exporter.post("/requests", entry(fresh(KAZAKHSTAN, 1), fresh(EMIRATES, 1)))
    assert kind(answer) == (403, "not-permitted")
    assert BEICHEN in answer.json["errors"][0]["message"]
    assert machines.world.rows("SELECT count(*) FROM requests") == [(0,)]


def test_a_request_that_is_known_already_is_not_sent_again_until_something_is_said(
    exporter: Machine, erp: Machine
) -> None:
    ref = sent(exporter)
    etag = exporter.get(f"/requests/{ref}").headers["ETag"]
    assert exporter.get(f"/requests/{ref}", headers={"If-None-Match": etag}).status_code == 304
    erp.post(f"/requests/{ref}/words", {"text": "?"})
    assert exporter.get(f"/requests/{ref}", headers={"If-None-Match": etag}).status_code == 200


def test_every_example_of_requests_is_of_its_shape() -> None:
    for shape, example in request_examples.ALL.items():
        shape.model_validate_json(exporting.worlds.as_bytes(example))
