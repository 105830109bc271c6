"""What needs no token takes one: it is refused unless good, counted, and remembered for those who check by office."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from portal import Portal
from world import KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.domain.machines import Right
from signer.domain.number import Number
from signer.domain.parties import Role
from signer.services.lookups import MOST_PER_NETWORK
from signer.services.tokens import A_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from machine import Machine, Machines
    from werkzeug.test import TestResponse
    from world import World

CHEN = PEOPLE[YUNZHOU][0]
NOTHING = {"numbers": [Number.draw(lambda bits: 7)], "tail": "000001"}


@pytest.fixture
def officer(machines: Machines) -> Machine:
    return machines.of_house("zhao.sample", Role.OFFICER)


def looked_up(machine: Machine, number: str, tail: str, query: str = "") -> TestResponse:
    return machine.ask(
        "POST", f"/lookups{query}", json={"numbers": [number], "tail": tail}, headers={"Idempotency-Key": ""}
    )


def numbers() -> Iterator[str]:
    """Numbers that can be ones, and are nobody's."""
    drawing = random.Random(17)
    while True:
        yield Number.draw(drawing.getrandbits)


def test_without_a_token_all_is_as_before_and_no_ration_is_told(machines: Machines) -> None:
    browser = machines.app.test_client()
    for path, body in (("/lookups", NOTHING), ("/licence-checks", {}), ("/verify", {})):
        answer = browser.post(f"/api/v1{path}", json=body)
        assert answer.status_code in (200, 415, 422)
        assert "RateLimit-Limit" not in answer.headers


def test_a_language_that_is_none_is_refused(machines: Machines) -> None:
    browser = machines.app.test_client()
    for path in ("/lookups", "/licence-checks", "/verify"):
        answer = browser.post(f"/api/v1{path}?lang=xx", json=NOTHING)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/lang")
    assert browser.post("/api/v1/lookups?lang=ru", json=NOTHING).status_code == 200


def test_a_token_that_is_not_good_is_refused_where_none_is_needed(machines: Machines, erp: Machine) -> None:
    reader = machines.of_maker(CHEN, YUNZHOU, Right.DRAFTS_READ)
    for path in ("/lookups", "/licence-checks", "/verify"):
        bad = erp.ask("POST", path, json=NOTHING, headers={"Authorization": "Bearer sgnr_test_x"})
        assert (bad.status_code, bad.json["type"].rsplit("/", 1)[1]) == (401, "not-authenticated")
        poor = reader.ask("POST", path, json=NOTHING)
        assert (poor.status_code, poor.json["type"].rsplit("/", 1)[1]) == (403, "right-missing")


def test_a_cookie_is_neither_needed_nor_looked_at(world: World) -> None:
    chen = Portal.of(world).visitor(CHEN)
    answer = chen.client.post("/api/v1/lookups", json=NOTHING)
    assert (answer.status_code, "RateLimit-Limit" in answer.headers) == (200, False)


def test_a_token_has_its_own_ration_here_too(machines: Machines, erp: Machine) -> None:
    answer = looked_up(erp, NOTHING["numbers"][0], "000001")
    assert answer.status_code == 200, answer.text
    assert answer.headers["RateLimit-Remaining"] == str(A_MINUTE - 1)
    caller = machines.world.services.tokens.caller(erp.secret)
    while machines.world.services.tokens.ration(caller).left > 0:
        pass
    assert looked_up(erp, NOTHING["numbers"][0], "000001").status_code == 429


def test_what_fails_is_counted_for_the_tokens_person_and_not_for_the_network(machines: Machines, erp: Machine) -> None:
    """Nobody's system locks its office out of the public page, and nobody guesses on by another token."""
    world, drawn = machines.world, numbers()
    for _ in range(MOST_PER_NETWORK):
        assert looked_up(erp, next(drawn), "000001").status_code == 200
    assert looked_up(erp, next(drawn), "000001").status_code == 429
    renewed = erp.post("/tokens", {"days": 1}).json["token"]
    again = looked_up(type(erp)(erp.app, renewed, ""), next(drawn), "000001")
    assert (again.status_code, again.json["type"].rsplit("/", 1)[1]) == (429, "too-many-requests")
    assert {row[0] for row in world.rows("SELECT DISTINCT network FROM lookup_failures")} == {f"person {CHEN}"}
    colleague = machines.of_maker(PEOPLE[YUNZHOU][1], YUNZHOU)
    assert looked_up(colleague, next(drawn), "000001").status_code == 200
    assert machines.app.test_client().post("/api/v1/lookups", json=NOTHING).status_code == 200


def test_an_officers_questions_are_kept_with_their_receipts_and_found_by_case(
    machines: Machines, officer: Machine
) -> None:
    issued = machines.world.issue(sample(KAZAKHSTAN))
    told = {"data": issued.pdf, "content_type": "application/pdf", "headers": {"Idempotency-Key": ""}}
    verdict = officer.ask("POST", "/verify?reference=EL-17", **told).json
    looked_up(officer, str(issued.number), sample(KAZAKHSTAN)["vehicles"][0]["vin"][-6:], "?reference=EL-18")
    items = officer.get("/receipts").json["items"]
    assert [(one["kind"], one["reference"], one["answer"]) for one in items] == [
        ("record", "EL-18", "ON_RECORD"),
        ("file", "EL-17", verdict["code"]),
    ]
    (found,) = officer.get("/receipts?reference=EL-17").json["items"]
    whole = officer.get(f"/receipts/{found['ref']}")
    assert whole.json["receipt"] == verdict["receipt"]
    alone = officer.get(f"/receipts/{found['ref']}", headers={"Accept": "application/jwt"})
    assert (alone.text, alone.content_type) == (verdict["receipt"], "application/jwt")
    part = officer.get("/receipts?limit=1")
    assert officer.get(f"/receipts?limit=1&cursor={part.json['next']}").json["items"] == items[1:]
    assert part.headers["Link"]
    _nobody_elses(machines, found["ref"])


def _nobody_elses(machines: Machines, ref: str) -> None:
    colleague = machines.of_house("qian.sample", Role.OFFICER)
    assert colleague.get("/receipts").json["items"] == []
    assert colleague.get(f"/receipts/{ref}").status_code == 404
    assert machines.of_maker(CHEN, YUNZHOU).get(f"/receipts/{ref}").status_code == 403


def test_nothing_is_kept_of_what_others_ask_and_a_reference_is_refused(machines: Machines, erp: Machine) -> None:
    assert looked_up(erp, NOTHING["numbers"][0], "000001").status_code == 200
    answer = looked_up(erp, NOTHING["numbers"][0], "000001", "?reference=EL-17")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/reference")
    assert machines.world.rows("SELECT count(*) FROM checks") == [(0,)]


def test_a_receipt_that_somebody_brings_is_judged(machines: Machines, erp: Machine) -> None:
    issued = machines.world.issue(sample(KAZAKHSTAN))
    told = {"data": issued.pdf, "content_type": "application/pdf"}
    receipt = machines.app.test_client().post("/api/v1/verify", **told).json["receipt"]
    genuine = erp.post("/receipts/verify", {"receipt": receipt})
    assert (genuine.status_code, genuine.json["state"], genuine.json["reason"]) == (200, "genuine", None)
    assert genuine.json["claims"]["number"] == str(issued.number)
    head, _, signature = receipt.split(".")
    for wrong in (f"{head}.{head}.{signature}", receipt[:-4], "no receipt", "a.b.c", "凭证"):
        answers = [
            erp.post("/receipts/verify", {"receipt": wrong}, headers={"Accept-Language": one}) for one in ("en", "zh")
        ]
        assert {answer.json["state"] for answer in answers} == {"not-genuine"}, wrong
        assert len({answer.json["message"] for answer in answers}) == 2
        assert answers[0].json["claims"] is None
