"""A maker's system keeps its outlets: by its own ids, every wrong field named, nobody's change lost under another's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from world import BEICHEN, KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.domain.machines import Right
from signer.domain.verdict import Code
from signer.web.machines.outlet_shapes import EXAMPLES

if TYPE_CHECKING:
    from machine import Machine, Machines
    from werkzeug.test import TestResponse
    from world import World

NEW = {"If-None-Match": "*"}
ENTRY = {
    "country": "OM",
    "name": "Muscat Sample Workshop",
    "name_local": "ورشة العينة في مسقط",
    "provider": "Sample Gulf LLC",
    "address": "1 Sample Street, Muscat",
    "authorised_from": "2026-01-01",
    "scope": ["mechanical", "high-voltage-battery"],
    "languages": ["ar", "en"],
    "brands": ["云舟"],
    "latitude": "23.588",
    "longitude": "58.3829",
}
ALMATY = "/outlets/kz-almaty"
CLOSING = "from=2026-12-01&reason=the+contract+ended"


def kind(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]  # type: ignore[index]


def seen(machine: Machine, path: str = ALMATY) -> dict[str, str]:
    return {"If-Match": machine.get(path).headers["ETag"]}


def test_an_outlet_is_added_once_and_read_as_it_was_put(erp: Machine, world: World) -> None:
    made = erp.ask("PUT", "/outlets/om-muscat", json=ENTRY, headers=NEW)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/outlets/om-muscat")
    read = erp.get("/outlets/om-muscat")
    assert (read.json["state"], read.headers["ETag"]) == ("live", made.headers["ETag"])
    assert {name: read.json["outlet"][name] for name in ENTRY} == ENTRY
    assert kind(erp.ask("PUT", "/outlets/om-muscat", json=ENTRY, headers=NEW)) == (412, "precondition-failed")
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'outlet.added'") == [(1,)]


def test_what_is_read_can_be_put_again_and_changes_nothing(erp: Machine, world: World) -> None:
    for item in erp.get("/outlets?limit=100").json["items"]:
        path = f"/outlets/{item['id']}"
        again = erp.ask("PUT", path, json=item["outlet"], headers=seen(erp, path))
        assert (again.status_code, again.json) == (200, item)
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'outlet.changed'") == [(0,)]


def test_a_change_needs_the_version_that_was_read(erp: Machine) -> None:
    entry, first = erp.get(ALMATY).json["outlet"], seen(erp)
    assert kind(erp.ask("PUT", ALMATY, json=entry)) == (428, "precondition-required")
    changed = erp.ask("PUT", ALMATY, json={**entry, "phone": "+7 700 000 0009"}, headers=first)
    assert (changed.status_code, changed.json["outlet"]["phone"]) == (200, "+7 700 000 0009")
    assert kind(erp.ask("PUT", ALMATY, json=entry, headers=first)) == (412, "precondition-failed")
    assert kind(erp.ask("DELETE", f"{ALMATY}?{CLOSING}", headers=first)) == (412, "precondition-failed")
    assert kind(erp.ask("DELETE", f"{ALMATY}?{CLOSING}")) == (428, "precondition-required")


def test_of_many_that_change_one_version_at_once_one_wins(erp: Machine, world: World) -> None:
    entry, first = erp.get(ALMATY).json["outlet"], seen(erp)

    def change(turn: int) -> int:
        return erp.ask("PUT", ALMATY, json={**entry, "hours": f"{turn}"}, headers=first).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(change, range(8))) == [200] + [412] * 7
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'outlet.changed'") == [(1,)]


def test_of_many_that_add_one_id_at_once_one_does(erp: Machine) -> None:
    with ThreadPoolExecutor(6) as pool:
        adding = pool.map(lambda _: erp.ask("PUT", "/outlets/om-muscat", json=ENTRY, headers=NEW), range(6))
        assert sorted(answer.status_code for answer in adding) == [201] + [412] * 5


def test_every_wrong_field_is_named_at_once(erp: Machine) -> None:
    wrong = {**ENTRY, "country": "CN", "name": "", "email": "nobody", "authorised_from": "soon", "scope": ["magic"]}
    answer = erp.ask("PUT", "/outlets/om-muscat", json=wrong, headers=NEW)
    assert kind(answer) == (422, "rule-violation")
    assert {"/country", "/name", "/email", "/authorised_from", "/scope"} <= {
        error["pointer"] for error in answer.json["errors"]
    }
    for path in ("/outlets/Big-One", f"/outlets/{'x' * 41}"):
        assert kind(erp.ask("PUT", path, json=ENTRY, headers=NEW)) == (422, "rule-violation"), path
    words = erp.ask("PUT", "/outlets/om-muscat", json={**ENTRY, "brands": ["one, two"]}, headers=NEW)
    assert words.json["errors"][0]["pointer"] == "/brands/0"
    assert erp.get("/outlets/om-muscat").status_code == 404


def test_an_outlet_is_closed_from_a_day_on_and_no_confirmation_ends(erp: Machine, world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    wrong = erp.ask("DELETE", f"{ALMATY}?from=soon", headers=seen(erp))
    assert (wrong.status_code, {error["pointer"] for error in wrong.json["errors"]}) == (422, {"/from", "/reason"})
    done = erp.ask("DELETE", f"{ALMATY}?{CLOSING}", headers=seen(erp))
    assert (done.status_code, done.json["state"], done.json["closed_on"]) == (200, "closing", "2026-12-01")
    assert kind(erp.ask("DELETE", f"{ALMATY}?{CLOSING}", headers=seen(erp))) == (409, "conflict")
    closed = erp.ask("PUT", ALMATY, json=done.json["outlet"], headers=seen(erp))
    assert kind(closed) == (409, "conflict")
    assert world.verify(issued.pdf).code is Code.VALID
    assert "the contract ended" in world.rows("SELECT detail FROM audit WHERE event = 'outlet.closed'")[0][0]


def test_the_list_is_by_id_in_parts_and_by_country(erp: Machine) -> None:
    ids = [item["id"] for item in erp.get("/outlets?limit=100").json["items"]]
    assert ids == sorted(ids)
    first = erp.get("/outlets?limit=2")
    second = erp.get(f"/outlets?limit=2&cursor={first.json['next']}").json
    assert [item["id"] for item in (*first.json["items"], *second["items"])] == ids[:4]
    assert f"cursor={first.json['next']}" in first.headers["Link"]
    here = erp.get("/outlets?country=KAZ").json["items"]
    assert {item["outlet"]["country"] for item in here} == {"KZ"}
    assert erp.get("/outlets?country=nowhere").json["errors"][0]["pointer"] == "/country"


def test_another_makers_outlets_are_not_there_and_an_approvers_token_only_reads(
    machines: Machines, erp: Machine, oa: Machine
) -> None:
    he = machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    theirs = {item["id"] for item in he.get("/outlets?limit=100").json["items"]}
    assert erp.get(ALMATY).status_code == 200
    assert "kz-almaty" not in theirs
    entry = erp.get(ALMATY).json["outlet"]
    for asked in (
        he.get(ALMATY),
        he.ask("PUT", ALMATY, json=entry, headers={"If-Match": "*"}),
        he.ask("DELETE", f"{ALMATY}?{CLOSING}", headers={"If-Match": "*"}),
    ):
        assert kind(asked) == (404, "not-found")
    assert he.ask("PUT", ALMATY, json=ENTRY, headers=NEW).status_code == 201
    assert erp.get(ALMATY).json["outlet"] == entry
    assert oa.get(ALMATY).status_code == 200
    reader = machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU, Right.OUTLETS_READ)
    for machine in (oa, reader):
        assert kind(machine.ask("PUT", ALMATY, json=entry, headers={"If-Match": "*"})) == (403, "right-missing")


def test_every_example_is_one_of_its_shape() -> None:
    for shape, example in EXAMPLES.items():
        shape.model_validate_json(json.dumps(example))
