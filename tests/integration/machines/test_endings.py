"""Machines end confirmations as the portal does: withdrawals on two people's word, suspensions at once on one's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import exporting
import pytest
from world import BEICHEN, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, sample

from signer.domain.machines import Right
from signer.domain.verdict import Code
from signer.register.endings import REASONS
from signer.services.confirming import Confirming
from signer.web.machines.confirmation_shapes import Why

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World

CHEN, LIN = PEOPLE[YUNZHOU]
VINS = [vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"]]
AGREE, DROP = ({"decision": word, "external_ref": "OA-17"} for word in ("agree", "drop"))
both = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def kind(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]  # type: ignore[attr-defined]


def asked(machine: Machine, number: str, vins: list[str] = VINS, **more: str) -> str:
    answer = machine.post(f"/confirmations/{number}/withdrawals", {"vins": vins, "reason": "error", **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/withdrawals/{answer.json['ref']}"
    return str(answer.json["ref"])


def test_a_withdrawal_is_asked_by_one_and_done_by_another_and_told_at_once(
    erp: Machine, oa: Machine, world: World
) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    ref = asked(erp, issued.number, VINS[:1])
    assert oa.get(f"/withdrawals/{ref}").json["state"] == "waiting"
    assert world.verify(issued.pdf).code is Code.VALID
    done = oa.post(f"/withdrawals/{ref}/decisions", AGREE)
    assert (done.status_code, done.json["state"], done.json["external_ref"]) == (200, "done", "OA-17")
    read = oa.get(done.headers["Location"].removeprefix("/api/v1")).json
    assert [line["standing"] for line in read["lines"]] == ["withdrawn", "issued", "issued"]
    assert (read["lines"][0]["reason"], world.verify(issued.pdf, vins=(VINS[0],)).code) == ("error", Code.WITHDRAWN)
    detail = world.rows("SELECT detail FROM audit WHERE event = 'withdraw.done'")[0][0]
    assert ("OA-17" in detail, '"factor": "token"' in detail) == (True, True)


def test_whoever_asked_is_not_the_second_person_by_whichever_token(machines: Machines, world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    one, other = (machines.of_maker(LIN, YUNZHOU) for _ in range(2))
    ref = asked(one, number)
    assert kind(other.post(f"/withdrawals/{ref}/decisions", AGREE)) == (403, "not-permitted")
    assert other.get(f"/confirmations/{number}").json["standing"] == "issued"


def test_agreeing_takes_the_right_to_decide_and_dropping_does_not(
    machines: Machines, erp: Machine, oa: Machine, world: World
) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    ref = asked(oa, number)
    assert kind(erp.post(f"/withdrawals/{ref}/decisions", AGREE)) == (403, "right-missing")
    assert erp.post(f"/withdrawals/{ref}/decisions", DROP).json["state"] == "dropped"
    assert kind(oa.post(f"/withdrawals/{ref}/decisions", DROP)) == (409, "conflict")
    reader = machines.of_maker(CHEN, YUNZHOU, Right.CONFIRMATIONS_READ)
    assert kind(reader.post(f"/confirmations/{number}/withdrawals", {"vins": VINS, "reason": "error"}))[0] == 403


def test_a_decision_names_its_reference_elsewhere(erp: Machine, oa: Machine, world: World) -> None:
    ref = asked(erp, world.issue(sample(KAZAKHSTAN)).number)
    answer = oa.post(f"/withdrawals/{ref}/decisions", {"decision": "agree"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/external_ref")


def test_every_vehicle_that_is_not_in_force_is_named_and_so_is_a_reason_that_is_none(
    erp: Machine, world: World
) -> None:
    path = f"/confirmations/{world.issue(sample(KAZAKHSTAN)).number}/withdrawals"
    wrong = erp.post(path, {"vins": [VINS[0], "LX", "LY"], "reason": "error"})
    assert [error["pointer"] for error in wrong.json["errors"]] == ["/vins/1", "/vins/2"]
    none = erp.post(path, {"vins": [], "reason": "bored"})
    assert {error["pointer"] for error in none.json["errors"]} == {"/vins", "/reason"}
    assert erp.get("/withdrawals").json["items"] == []


def test_one_waits_for_each_confirmation_and_the_same_key_asks_once(erp: Machine, world: World) -> None:
    path = f"/confirmations/{world.issue(sample(KAZAKHSTAN)).number}/withdrawals"
    told = {"vins": VINS[:1], "reason": "error"}
    first, again = (erp.post(path, told, key="k1") for _ in range(2))
    assert (first.data == again.data, first.status_code) == (True, 201)
    assert kind(erp.post(path, told, key="k2")) == (409, "conflict")
    assert [item["ref"] for item in erp.get("/withdrawals?state=waiting").json["items"]] == [first.json["ref"]]
    assert erp.get("/withdrawals?state=done").json["items"] == []


@both
def test_a_withdrawal_that_is_decided_many_times_at_once_is_decided_once(
    erp: Machine, oa: Machine, world: World
) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    ref = asked(erp, number)

    def decide(turn: int) -> int:
        told = (AGREE, DROP)[turn % 2]
        return oa.post(f"/withdrawals/{ref}/decisions", told, key=f"k{turn}").status_code

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(decide, range(6)))
    assert codes == [200] + [409] * 5
    state, standing = (
        oa.get(f"/withdrawals/{ref}").json["state"],
        oa.get(f"/confirmations/{number}").json["standing"],
    )
    assert (state, standing) in (("done", "withdrawn"), ("dropped", "issued"))
    assert len(world.rows("SELECT id FROM audit WHERE event IN ('withdraw.done', 'withdraw.dropped')")) == 1


def test_the_list_goes_on_in_parts_and_has_no_retraction_of_a_copy(erp: Machine, oa: Machine, world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    refs = []
    for vin in VINS:
        refs.append(asked(erp, number, [vin]))
        oa.post(f"/withdrawals/{refs[-1]}/decisions", DROP)
    columns = "manufacturer_id, number, asked_by, asked_at"
    told = f"'0123456789abcdef', 'retract', '[]', {columns}"
    world.change(
        f"INSERT INTO second_words (ref, kind, vins, {columns}) SELECT {told} FROM second_words WHERE ref = '{refs[0]}'"
    )
    first = erp.get("/withdrawals?limit=2").json
    second = erp.get(f"/withdrawals?limit=2&cursor={first['next']}").json
    assert [item["ref"] for item in (*first["items"], *second["items"])] == refs[::-1]
    for asking in (erp.get("/withdrawals/0123456789abcdef"), oa.post("/withdrawals/0123456789abcdef/decisions", DROP)):
        assert kind(asking) == (404, "not-found")


def test_one_person_holds_for_72_hours_a_second_makes_it_last_and_an_approver_lifts(
    erp: Machine, oa: Machine, world: World
) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    path = f"/confirmations/{issued.number}/suspensions"
    first, again = (erp.post(path, key="k1") for _ in range(2))
    until = (world.at + timedelta(hours=72)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (first.status_code, first.json["standing"], first.json["until"]) == (201, "suspended", until)
    assert again.data == first.data
    assert kind(erp.post(path, key="k2")) == (409, "conflict")
    assert world.verify(issued.pdf).code is not Code.VALID
    assert oa.post(path).json["until"] is None
    assert kind(erp.ask("DELETE", path)) == (403, "not-permitted")
    assert oa.ask("DELETE", path).status_code == 204
    assert (world.verify(issued.pdf).code, kind(oa.ask("DELETE", path))) == (Code.VALID, (409, "conflict"))


def test_what_one_person_held_is_in_force_again_by_itself(erp: Machine, world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    erp.post(f"/confirmations/{number}/suspensions")
    world.at += timedelta(hours=73)
    read = erp.get(f"/confirmations/{number}").json
    assert (read["standing"], read["suspended_until"]) == ("issued", None)


def test_an_exporter_reads_at_once_that_its_paper_was_withdrawn(
    machines: Machines, erp: Machine, oa: Machine, world: World
) -> None:
    number = world.issue({**sample(KAZAKHSTAN), "exporter": TIANSHAN}).number
    exporting.accept(world, TIANSHAN, YUNZHOU, person="zhao.sample")
    zhao = machines.of_exporter("zhao.sample", TIANSHAN)
    etag = zhao.get(f"/confirmations/{number}").headers["ETag"]
    oa.post(f"/withdrawals/{asked(erp, number)}/decisions", AGREE)
    read = zhao.get(f"/confirmations/{number}", headers={"If-None-Match": etag})
    assert (read.status_code, read.json["standing"]) == (200, "withdrawn")
    assert zhao.get("/confirmations?standing=withdrawn").json["items"][0]["number"] == number
    assert zhao.get("/withdrawals").status_code == 403
    assert zhao.post(f"/confirmations/{number}/suspensions").status_code == 403


def test_another_makers_confirmations_and_withdrawals_are_ended_by_nobody_else(
    machines: Machines, erp: Machine, world: World
) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    ref = asked(erp, number, VINS[:1])
    he, sun = (machines.of_maker(person, BEICHEN) for person in PEOPLE[BEICHEN])
    for asking in (
        he.post(f"/confirmations/{number}/withdrawals", {"vins": VINS, "reason": "error"}),
        he.get(f"/withdrawals/{ref}"),
        sun.post(f"/withdrawals/{ref}/decisions", AGREE),
        he.post(f"/withdrawals/{ref}/decisions", DROP),
        he.post(f"/confirmations/{number}/suspensions"),
        sun.ask("DELETE", f"/confirmations/{number}/suspensions"),
    ):
        assert kind(asking) == (404, "not-found")
    assert he.get("/withdrawals").json["items"] == []
    assert erp.get(f"/withdrawals/{ref}").json["state"] == "waiting"


def test_the_reasons_of_the_api_are_the_registers() -> None:
    assert get_args(Why) == REASONS


class _Died(BaseException):
    """The process was killed here."""


def test_who_died_between_withdrawing_and_answering_withdrew_once_and_is_told_so(
    erp: Machine, oa: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    path, real = f"/withdrawals/{asked(erp, number)}/decisions", Confirming.agree

    def dying(self: Confirming, *args: object, **more: object) -> None:
        real(self, *args, **more)  # type: ignore[arg-type]
        raise _Died

    with monkeypatch.context() as patch:
        patch.setattr(Confirming, "agree", dying)
        with pytest.raises(_Died):
            oa.post(path, AGREE, key="k1")
    answer = oa.post(path, AGREE, key="k1")
    assert (answer.status_code, answer.json["state"]) == (200, "done")
    assert len(world.rows("SELECT id FROM audit WHERE event = 'confirmation.withdrawn'")) == 1


def test_a_second_persons_suspension_under_the_same_key_is_a_word_of_its_own(
    erp: Machine, oa: Machine, world: World
) -> None:
    """Keys made of a number are alike: the second answer must not be the first one's, for it makes it last."""
    path = f"/confirmations/{world.issue(sample(KAZAKHSTAN)).number}/suspensions"
    first, second = erp.post(path, key="hold-7"), oa.post(path, key="hold-7")
    assert (first.status_code, second.status_code, second.headers.get("Idempotency-Replayed")) == (201, 201, None)
    assert (first.json["until"] is None, second.json["until"]) == (False, None)
    assert erp.post(path, key="hold-7").data == first.data
