"""A key counts once: however often it is sent, by however many, whatever dies in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world import BEICHEN, KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.errors import KeyRunning
from signer.services.drafting import Drafting

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World

ENTRY = {"title": "once", "draft": {"contract": "A-1"}}
both = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def count(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM drafts")[0][0])


def test_a_key_is_needed_for_whatever_is_made(erp: Machine, world: World) -> None:
    for key in ("", " ", "a b", "ä", "x" * 201):
        answer = erp.ask("POST", "/drafts", json=ENTRY, headers={"Idempotency-Key": key.encode().decode("latin-1")})
        assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (400, "idempotency-key-missing"), key
    assert count(world) == 0


def test_asked_again_it_is_the_same_answer_and_nothing_new(erp: Machine, world: World) -> None:
    first, again = (erp.post("/drafts", ENTRY, key="k1") for _ in range(2))
    assert (first.status_code, again.status_code, count(world)) == (201, 201, 1)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)


def test_the_same_key_with_another_payload_is_refused(erp: Machine, world: World) -> None:
    erp.post("/drafts", ENTRY, key="k1")
    answer = erp.post("/drafts", {**ENTRY, "title": "other"}, key="k1")
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (422, "idempotency-key-reused")
    assert count(world) == 1


def test_a_key_is_its_manufacturers_alone_whoever_asks_there(machines: Machines, erp: Machine, world: World) -> None:
    colleague = machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU)
    assert erp.post("/drafts", ENTRY, key="k1").data == colleague.post("/drafts", ENTRY, key="k1").data
    other = machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    assert other.post("/drafts", ENTRY, key="k1").status_code == 201
    assert count(world) == 2


def test_what_was_refused_leaves_its_key_free(erp: Machine, world: World) -> None:
    assert erp.post("/drafts", {"draft": {"contract": 7}}, key="k1").status_code == 422
    assert erp.post("/drafts", ENTRY, key="k1").status_code == 201
    assert count(world) == 1


@both
def test_ten_at_once_with_one_key_make_one(erp: Machine, world: World) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: erp.post("/drafts", ENTRY, key="k1"), range(10)))
    codes = {answer.status_code for answer in answers}
    assert codes <= {201, 409}
    assert len({answer.json["ref"] for answer in answers if answer.status_code == 201}) == 1
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 409)
    assert count(world) == 1
    assert erp.post("/drafts", ENTRY, key="k1").json["ref"] == world.rows("SELECT ref FROM drafts")[0][0]


class _Died(BaseException):
    """The process was killed here: nothing that it would still have done is done."""


@both
def test_who_died_between_making_and_answering_left_one(
    erp: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Drafting.begin

    def dying(self: Drafting, *args: object, **more: object) -> str:
        real(self, *args, **more)  # type: ignore[arg-type]
        raise _Died

    with monkeypatch.context() as patch:
        patch.setattr(Drafting, "begin", dying)
        patch.setattr("signer.register.deeds.release", lambda *_: None)
        with pytest.raises(_Died):
            erp.post("/drafts", ENTRY, key="k1")
    assert count(world) == 1
    assert erp.post("/drafts", ENTRY, key="k1").status_code == 409
    world.at += timedelta(minutes=3)
    answer = erp.post("/drafts", ENTRY, key="k1")
    assert (answer.status_code, answer.json["ref"]) == (201, world.rows("SELECT ref FROM drafts")[0][0])
    assert count(world) == 1


def test_who_died_before_making_left_nothing_and_the_next_one_makes_it(
    erp: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_args: object, **_more: object) -> str:
        raise _Died

    with monkeypatch.context() as patch:
        patch.setattr(Drafting, "begin", dying)
        patch.setattr("signer.register.deeds.release", lambda *_: None)
        with pytest.raises(_Died):
            erp.post("/drafts", ENTRY, key="k1")
    assert (count(world), erp.post("/drafts", ENTRY, key="k1").status_code) == (0, 409)
    world.at += timedelta(minutes=3)
    assert (erp.post("/drafts", ENTRY, key="k1").status_code, count(world)) == (201, 1)


@both
def test_who_was_slower_than_the_lease_makes_no_second(
    erp: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first was not dead: it goes on after another one took its key over and was done."""
    real, second = Drafting.begin, []

    def slow(self: Drafting, *args: object, **more: object) -> str:
        monkeypatch.setattr(Drafting, "begin", real)
        world.at += timedelta(minutes=3)
        second.append(erp.post("/drafts", ENTRY, key="k1"))
        return real(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Drafting, "begin", slow)
    first = erp.post("/drafts", ENTRY, key="k1")
    assert (first.status_code, first.json["type"].rsplit("/", 1)[1]) == (409, "idempotency-key-running")
    assert (second[0].status_code, count(world)) == (201, 1)
    assert erp.post("/drafts", ENTRY, key="k1").data == second[0].data


def test_who_fails_after_the_lease_frees_no_key_of_another(world: World) -> None:
    deeds, told = world.services.deeds, {"payload": b"p"}
    first, second = deeds.doing("o", "op", "k", **told), deeds.doing("o", "op", "k", **told)
    first.__enter__()
    world.at += timedelta(minutes=3)
    second.__enter__()
    first.__exit__(ValueError, ValueError("too late"), None)
    with pytest.raises(KeyRunning), deeds.doing("o", "op", "k", **told):
        pass
    second.__exit__(None, None, None)


def test_a_new_token_is_told_once_and_kept_nowhere(erp: Machine, world: World) -> None:
    first, again = (erp.post("/tokens", {"days": 30}, key="k1") for _ in range(2))
    assert first.json["token"].startswith("sgnr_test_")
    assert (again.json["token"], again.json["ref"]) == (None, first.json["ref"])
    assert first.json["token"] not in str(world.rows("SELECT * FROM deeds"))
    assert erp.ask("DELETE", f"/tokens/{erp.ref}").status_code == 204
    assert erp.get("/tokens").status_code == 401


def test_an_approval_with_one_key_ten_times_at_once_is_one_number(
    machines: Machines, erp: Machine, oa: Machine
) -> None:
    made = erp.post("/drafts", {"draft": sample(KAZAKHSTAN)}).json
    sent = erp.post(f"/drafts/{made['ref']}/approvals", headers={"If-Match": '"1-open"'})
    assert sent.status_code == 201, sent.text
    told = {"decision": "approve", "terms_digest": sent.json["terms_digest"], "external_ref": "OA-17"}
    with ThreadPoolExecutor(10) as pool:
        path = f"/approvals/{sent.json['ref']}/decisions"
        answers = list(pool.map(lambda _: oa.post(path, told, key="k1"), range(10)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    numbers = {answer.json["number"] for answer in answers if answer.status_code == 200}
    assert len(numbers) == 1
    world = machines.world
    assert world.rows("SELECT count(*) FROM confirmations WHERE standing = 'issued'") == [(1,)]
    assert world.rows("SELECT external_ref, factor FROM submissions") == [("OA-17", "token")]
