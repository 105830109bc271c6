"""A maker's ERP asks for a confirmation in one step, or begins what takes over another one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from world import BEICHEN, KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.domain.machines import Right
from signer.errors import Conflict

if TYPE_CHECKING:
    import pytest
    from machine import Machine, Machines
    from world import World


def entry(**more: object) -> dict[str, object]:
    return {"title": "batch 17", "draft": {**sample(KAZAKHSTAN), **more}}


def made(world: World) -> tuple[int, int]:
    drafts, sent = (world.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("drafts", "submissions"))
    return drafts, sent


def test_one_question_keeps_sends_and_leads_to_a_number(erp: Machine, oa: Machine, world: World) -> None:
    sent = erp.post("/confirmations", entry())
    assert (sent.status_code, sent.json["state"], sent.json["title"]) == (201, "waiting", "batch 17")
    assert sent.headers["Location"] == f"/api/v1/approvals/{sent.json['ref']}"
    assert erp.get(f"/drafts/{sent.json['draft']}").json["state"] == "waiting"
    told = {"decision": "approve", "terms_digest": sent.json["terms_digest"], "external_ref": "OA-1"}
    done = oa.post(f"/approvals/{sent.json['ref']}/decisions", told)
    read = oa.get(done.headers["Location"].removeprefix("/api/v1"))
    assert (read.json["number"], read.json["standing"]) == (done.json["number"], "issued")
    assert made(world) == (1, 1)


def test_the_approvers_are_written_to_as_from_the_portal(erp: Machine, oa: Machine, world: World) -> None:
    erp.post("/confirmations", entry())
    assert world.rows("SELECT event FROM audit WHERE event LIKE 'submission.%'") == [("submission.sent",)]
    assert world.rows("SELECT count(*) FROM mails") == [(1,)]


def test_where_a_rule_is_broken_everything_is_named_and_nothing_is_kept(erp: Machine, world: World) -> None:
    draft = sample(KAZAKHSTAN)
    draft["vehicles"][0]["vin"], draft["vehicles"][1]["registered_on"], draft["exporter"] = "X", "soon", "1"
    answer = erp.post("/confirmations", {"draft": draft}, key="k1")
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (422, "rule-violation")
    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert {"/vehicles/0/vin", "/vehicles/1/registered_on", "/exporter"} <= pointers
    assert made(world) == (0, 0)
    assert erp.post("/confirmations", entry(), key="k1").status_code == 201


def test_what_cannot_be_sent_is_not_kept_either(erp: Machine, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_args: object, **_more: object) -> None:
        raise Conflict("somebody was faster")

    with monkeypatch.context() as patch:
        patch.setattr("signer.register.submissions.add", failing)
        assert erp.post("/confirmations", entry(), key="k1").status_code == 409
    assert made(world) == (0, 0)
    assert erp.post("/confirmations", entry(), key="k1").status_code == 201


def test_one_key_ten_times_at_once_is_one_draft_and_one_approval(erp: Machine, world: World) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: erp.post("/confirmations", entry(), key="k1"), range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json["ref"] for answer in answers if answer.status_code == 201}) == 1
    assert made(world) == (1, 1)


def test_a_successor_begins_with_what_is_in_force_or_the_named_part_of_it(erp: Machine, world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    vins = [vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"]]
    whole = erp.post(f"/confirmations/{number}/successors", {})
    assert (whole.status_code, whole.json["draft"]["supersedes"]) == (201, number)
    assert whole.headers["Location"] == f"/api/v1/drafts/{whole.json['ref']}"
    assert [vehicle["vin"] for vehicle in whole.json["draft"]["vehicles"]] == vins
    part = erp.post(f"/confirmations/{number}/successors", {"vins": [vins[1].lower()]})
    assert [vehicle["vin"] for vehicle in part.json["draft"]["vehicles"]] == vins[1:2]
    assert erp.get(f"/confirmations/{number}").json["standing"] == "issued"


def test_a_successor_takes_over_only_what_is_in_force(erp: Machine, world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    vins = [vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"]]
    wrong = erp.post(f"/confirmations/{number}/successors", {"vins": [vins[0], "LX", vins[1], "LY"]})
    assert (wrong.status_code, [error["pointer"] for error in wrong.json["errors"]]) == (422, ["/vins/1", "/vins/3"])
    world.issue({**sample(KAZAKHSTAN), "supersedes": number})
    ended = erp.post(f"/confirmations/{number}/successors", {})
    assert (ended.status_code, ended.json["type"].rsplit("/", 1)[1]) == (409, "conflict")
    assert erp.get(f"/confirmations/{number}").json["standing"] == "superseded"


def test_another_makers_confirmation_is_taken_over_by_nobody_else(
    machines: Machines, oa: Machine, world: World
) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    other = machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    answer = other.post(f"/confirmations/{number}/successors", {})
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (404, "not-found")
    reader = machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU, Right.DRAFTS_READ, Right.CONFIRMATIONS_READ)
    for machine in (oa, reader):
        assert machine.post(f"/confirmations/{number}/successors", {}).status_code == 403
        assert machine.post("/confirmations", entry()).status_code == 403
