"""A maker's system hands in a sheet of outlets: what it would change is told, then made whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from world import BEICHEN, PEOPLE

from signer.sheets.writing import XLSX

if TYPE_CHECKING:
    from machine import Machine, Machines
    from werkzeug.test import TestResponse
    from world import World

HEAD = "id,country,name,provider,address,authorised_from,hours\n"
NEW = "om-muscat,OM,Muscat Sample Workshop,Sample Gulf LLC,1 Sample Street,2026-01-01,\n"
HOURS = "id,hours\nkz-almaty,Mon-Fri 10:00-17:00\n"


def kind(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]  # type: ignore[index]


def handed(machine: Machine, text: str, query: str = "", *, key: str = "", mime: str = "text/csv") -> TestResponse:
    more = {"data": text.encode(), "content_type": mime}
    return machine.post(f"/outlet-lists{query}", key=key, **more)


def test_a_sheet_tells_first_and_changes_when_it_is_applied(erp: Machine, world: World) -> None:
    shown = handed(erp, HEAD + NEW, "?name=december.csv")
    assert (shown.status_code, shown.json["state"], shown.json["added"]) == (201, "read", ["om-muscat"])
    assert erp.get("/outlets/om-muscat").status_code == 404
    path = shown.headers["Location"].removeprefix("/api/v1")
    assert erp.get(path).json == shown.json
    done = erp.post(f"{path}/applications", {"digest": shown.json["digest"]})
    assert (done.status_code, done.json["state"]) == (200, "done")
    assert erp.get("/outlets/om-muscat").json["state"] == "live"
    assert world.rows("SELECT event FROM audit WHERE event LIKE 'outlet-list.%' ORDER BY id") == [
        ("outlet-list.read",),
        ("outlet-list.applied",),
    ]


def test_each_field_that_changes_is_told_before_and_after(erp: Machine) -> None:
    before = erp.get("/outlets/kz-almaty").json["outlet"]["hours"]
    changed = handed(erp, HOURS).json["changed"]
    assert changed == [
        {"id": "kz-almaty", "fields": [{"field": "hours", "before": before, "after": "Mon-Fri 10:00-17:00"}]}
    ]


def test_a_whole_list_closes_what_it_no_longer_names_and_one_of_changes_does_not(erp: Machine) -> None:
    assert handed(erp, HOURS).json["closed"] == []
    assert handed(erp, HOURS, "?kind=whole").json["closed"] == ["kz-astana"]


def test_every_wrong_cell_is_named_and_nothing_can_be_applied(erp: Machine) -> None:
    shown = handed(erp, HEAD + NEW.replace("OM,", "CN,") + NEW.replace("2026-01-01", "soon")).json
    assert {(wrong["cell"], wrong["field"]) for wrong in shown["wrong"]} >= {
        ("B2", "country"),
        ("F3", "authorised_from"),
    }
    answer = erp.post(f"/outlet-lists/{shown['ref']}/applications", {"digest": shown["digest"]})
    assert kind(answer) == (409, "conflict")
    assert erp.get("/outlets/om-muscat").status_code == 404


def test_what_changed_since_it_was_told_is_not_made(erp: Machine) -> None:
    shown = handed(erp, HOURS).json
    entry, etag = (erp.get("/outlets/kz-almaty").json["outlet"], erp.get("/outlets/kz-almaty").headers["ETag"])
    erp.ask("PUT", "/outlets/kz-almaty", json={**entry, "hours": "never"}, headers={"If-Match": etag})
    answer = erp.post(f"/outlet-lists/{shown['ref']}/applications", {"digest": shown["digest"]})
    assert (kind(answer), erp.get("/outlets/kz-almaty").json["outlet"]["hours"]) == ((409, "conflict"), "never")


def test_a_sheet_is_handed_in_once_for_each_key_and_applied_once_by_many(erp: Machine, world: World) -> None:
    first, again = (handed(erp, HOURS, key="k1") for _ in range(2))
    assert first.data == again.data
    assert kind(handed(erp, HEAD + NEW, key="k1")) == (422, "idempotency-key-reused")
    path, told = f"/outlet-lists/{first.json['ref']}/applications", {"digest": first.json["digest"]}  # type: ignore[index]
    with ThreadPoolExecutor(5) as pool:
        codes = set(pool.map(lambda turn: erp.post(path, told, key=f"a{turn}").status_code, range(5)))
    assert codes == {200}
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'outlet-list.applied'") == [(1,)]


def test_what_is_no_sheet_is_refused_and_a_dropped_one_is_not_applied(erp: Machine) -> None:
    assert kind(handed(erp, "{}", mime="application/json")) == (415, "unsupported-media-type")
    assert kind(handed(erp, "PK", mime=XLSX)) == (422, "rule-violation")
    assert kind(handed(erp, "a,b\n1,2\n")) == (422, "rule-violation")
    shown = handed(erp, HOURS).json
    assert erp.ask("DELETE", f"/outlet-lists/{shown['ref']}").status_code == 204
    answer = erp.post(f"/outlet-lists/{shown['ref']}/applications", {"digest": shown["digest"]})
    assert kind(answer) == (409, "conflict")


def test_another_makers_sheet_is_not_there(machines: Machines, erp: Machine, oa: Machine) -> None:
    shown, he = handed(erp, HOURS).json, machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    path = f"/outlet-lists/{shown['ref']}"
    for asked in (
        he.get(path),
        he.post(f"{path}/applications", {"digest": shown["digest"]}),
        he.ask("DELETE", path),
    ):
        assert kind(asked) == (404, "not-found")
    assert kind(oa.get(path)) == (403, "right-missing")
    assert handed(oa, HOURS).status_code == 403
