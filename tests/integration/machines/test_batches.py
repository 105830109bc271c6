"""An ERP hands in a batch, an OA decides on its root, and both follow it to the last file."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import batched
from handing_in import OWN, as_csv, rows, spoilt
from world import BEICHEN, PEOPLE, YUNZHOU

from signer.domain.confirmation import Terms
from signer.domain.content import terms_digest
from signer.domain.machines import Right

if TYPE_CHECKING:
    from machine import Machine, Machines
    from werkzeug.test import TestResponse
    from world import World


def kind(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]  # type: ignore[index]


def handed(machine: Machine, data: bytes, query: str = "", *, key: str = "", mime: str = "text/csv") -> TestResponse:
    return machine.post(f"/batches{query}", key=key, data=data, content_type=mime)


def decision(root: str, **more: str) -> dict[str, str]:
    return {"decision": "approve", "root": root, "external_ref": "OA-1", **more}


def test_a_file_is_handed_in_once_and_read_by_a_job(erp: Machine, world: World) -> None:
    made = handed(erp, as_csv(rows(3)), "?size=2&name=december.csv", key="batch-1")
    assert (made.status_code, made.json["state"], made.json["size"]) == (201, "reading", 2)
    again = [handed(erp, as_csv(rows(3)), "?size=2&name=december.csv", key=f"batch-{turn}") for turn in (1, 2)]
    assert [(one.status_code, one.json) for one in again] == [(201, made.json)] * 2
    at = made.headers["Location"].removeprefix("/api/v1")
    ref = at.rpartition("/")[2]
    world.services.batching.read(ref)
    assert erp.get(at).json["state"] in ("ready", "faulty")
    assert [one["ref"] for one in erp.get("/batches").json["items"]] == [ref]


def test_the_root_is_decided_on_by_another_person_and_binds_what_is_sealed(
    erp: Machine, oa: Machine, world: World
) -> None:
    ref = batched.ready(world, batched.drafts(3))
    at = f"/batches/{ref}"
    shown = erp.get(at)
    root = shown.json["root"]
    assert (shown.json["state"], shown.json["items"], shown.json["summary"]["destinations"]) == (
        "ready",
        3,
        [{"key": "KZ", "vehicles": 3}],
    )
    assert kind(erp.post(f"{at}/submissions")) == (428, "precondition-required")
    assert kind(erp.post(f"{at}/submissions", headers={"If-Match": '"1-ready-0"'})) == (412, "precondition-failed")
    sent = erp.post(f"{at}/submissions", headers={"If-Match": shown.headers["ETag"]}, key="send-1")
    assert (sent.status_code, sent.json["state"]) == (200, "waiting")
    assert erp.post(f"{at}/submissions", headers={"If-Match": shown.headers["ETag"]}, key="send-1").json == sent.json
    assert kind(oa.post(f"{at}/decisions", decision("0" * 64))) == (409, "terms-changed")
    assert kind(oa.post(f"{at}/decisions", decision(root, decision="return"))) == (422, "invalid-input")
    assert kind(erp.post(f"{at}/decisions", decision(root))) == (403, "right-missing")
    approved = oa.post(f"{at}/decisions", decision(root), key="word-1")
    assert (approved.status_code, approved.json["state"], approved.json["external_ref"]) == (200, "running", "OA-1")
    assert oa.post(f"{at}/decisions", decision(root), key="word-1").json == approved.json
    world.services.batch_running.run(ref, print)
    done = erp.get(at)
    assert (done.json["state"], done.json["progress"]["done"], done.json["progress"]["left"]) == ("done", 3, 0)
    assert erp.get(at, headers={"If-None-Match": done.headers["ETag"]}).status_code == 304
    answer = erp.get(f"{at}/archive.zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    told = json.loads(archive.read("manifest.json"))
    assert (answer.mimetype, told["root"], told["files"]) == ("application/zip", root, 3)
    taken = world.rows("SELECT actor, detail FROM audit WHERE event = 'batch.taken'")
    assert [(actor, erp.ref in told) for actor, told in taken] == [(batched.CHEN, True)]


def test_who_sent_it_decides_nothing_whatever_the_token(machines: Machines, world: World) -> None:
    ref = batched.ready(world, batched.drafts(1))
    world.services.batching.send(ref, maker=OWN.maker, by=batched.CHEN)
    world.give("approver", batched.CHEN)
    both = machines.of_maker(batched.CHEN, YUNZHOU, Right.APPROVALS_DECIDE)
    root = (batched.head(world, ref).root or b"").hex()
    assert kind(both.post(f"/batches/{ref}/decisions", decision(root))) == (403, "not-permitted")


def test_faults_are_told_by_cell_and_in_the_language_that_is_asked_for(erp: Machine, world: World) -> None:
    at = handed(erp, as_csv(spoilt(rows(12)))).headers["Location"].removeprefix("/api/v1")
    world.services.batching.read(at.rpartition("/")[2])
    found = erp.get(at).json
    assert (found["state"], found["root"]) == ("faulty", None)
    wrong = [one for one in found["faults"] if one["severity"] == "violation" and one["cell"]]
    assert [(one["cell"], one["rule"]) for one in wrong] == [
        ("A4", "vin.check-digit"),
        ("A6", "vin.look-alike"),
        ("A8", "vin.twice"),
        ("D10", "date.invalid"),
    ]
    zh = erp.get(at, headers={"Accept-Language": "zh"}).json["faults"]
    assert not {one["message"] for one in zh} & {one["message"] for one in found["faults"]}
    assert [one["ref"] for one in erp.get("/batches?state=faulty").json["items"]] == [found["ref"]]


def test_what_is_no_batch_is_refused_by_name(erp: Machine) -> None:
    assert kind(handed(erp, b"x", mime="application/pdf")) == (415, "unsupported-media-type")
    for query, pointer in (("?size=0", "/size"), ("?size=21", "/size"), ("?colour=red", "/colour")):
        answer = handed(erp, as_csv(rows(1)), query)
        assert (kind(answer), answer.json["errors"][0]["pointer"]) == ((422, "invalid-input"), pointer)


def test_a_request_without_a_file_makes_no_batch(erp: Machine) -> None:
    refused = handed(erp, b" \n")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "batch.empty")
    assert erp.get("/batches").json["items"] == []


def test_a_batch_is_steered_and_asked_twice_is_as_if_once(erp: Machine, oa: Machine, world: World) -> None:
    ref = batched.approved(world, batched.drafts(2))
    at = f"/batches/{ref}"
    for token in (erp, oa):
        for _ in range(2):
            assert token.post(f"{at}/pause").json["state"] == "paused"
            assert token.post(f"{at}/resume").json["state"] == "running"
    for _ in range(2):
        assert oa.post(f"{at}/cancel").json["state"] == "cancelled"
    assert kind(erp.post(f"{at}/resume")) == (409, "conflict")
    assert kind(erp.ask("DELETE", f"{at}/submissions")) == (409, "conflict")


def test_items_come_in_parts_and_by_state(erp: Machine, world: World) -> None:
    ref = batched.ready(world, batched.drafts(5))
    places, path = [], f"/api/v1/batches/{ref}/items?limit=2"
    while path:
        part = erp.get(path.removeprefix("/api/v1"))
        places += [one["place"] for one in part.json["items"]]
        path = part.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert places == [1, 2, 3, 4, 5]
    assert erp.get(f"/batches/{ref}/items?state=failed").json["items"] == []
    one = erp.get(f"/batches/{ref}/items/5").json
    assert [each["vin"] for each in one["terms"]["vehicles"]] == one["vins"]
    assert terms_digest(Terms.model_validate_json(json.dumps(one["terms"]))).hex() == one["terms_digest"]
    for place in ("6", "0", "x", "9" * 30):
        assert kind(erp.get(f"/batches/{ref}/items/{place}")) == (404, "not-found")
    assert kind(erp.get(f"/batches/{ref}/items?state=odd")) == (422, "invalid-input")


def test_another_makers_batch_is_not_there(machines: Machines, world: World) -> None:
    ref = batched.ready(world, batched.drafts(1))
    he = machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN)
    for path in ("", "/items", "/archive.zip"):
        assert kind(he.get(f"/batches/{ref}{path}")) == (404, "not-found")
    assert he.get("/batches").json["items"] == []
