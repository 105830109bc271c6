"""A batch at the portal: handed in, every fault told, approved as a whole by another person, followed, and taken."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import batched
import pytest
from handing_in import OWN, as_csv, rows, spoilt
from world import BEICHEN, PEOPLE

from signer.domain.batch import BatchState
from signer.sheets import task

if TYPE_CHECKING:
    from portal import Portal, Visitor
    from werkzeug.test import TestResponse
    from world import World

AT = f"/portal/{OWN.maker}/batches"


def upload(visitor: Visitor, data: bytes, name: str = "车辆.csv", **more: str) -> TestResponse:
    return visitor.post(AT, {"sheet": (io.BytesIO(data), name), "size": "1", **more})


def read(world: World, answer: TestResponse) -> str:
    """Do the job that reads what was handed in; its reference."""
    ref = answer.location.partition("?")[0].rpartition("/")[2]
    world.services.batching.read(ref)
    return ref


def code(portal: Portal, person: str = batched.LIN) -> str:
    return portal.give_factor(person).at(portal.world.at)


def root(world: World, ref: str) -> str:
    return (batched.head(world, ref).root or b"").hex()


def state(world: World, ref: str) -> BatchState:
    return batched.head(world, ref).state


def seal(world: World, ref: str, count: int) -> None:
    """Seal so many items, and stop as if the process had ended."""
    with pytest.raises(EOFError):
        world.services.batch_running.run(ref, batched.stopping(count))


def opened(answer: TestResponse) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_every_fault_of_a_file_is_told_by_cell_and_as_a_sheet(world: World, chen: Visitor) -> None:
    ref = read(world, upload(chen, as_csv(spoilt(rows(50)))))
    page = chen.get(f"{AT}/{ref}").text
    assert state(world, ref) is BatchState.FAULTY
    for place in ("A4", "A6", "A8", "D10"):
        assert f">{place}</code>" in page
    assert "2026/2/30" in page
    assert "No sheet has the service commitment" in page
    table = list(csv.reader(io.StringIO(chen.get(f"{AT}/{ref}/reasons?form=csv&words=en").data.decode("utf-8-sig"))))
    assert [row[0] for row in table[1:] if row[0]][:4] == ["A4", "A6", "A8", "D10"]
    assert "commitment" in "".join(row[5] for row in table[1:] if not row[0]).lower()
    sheet = chen.get(f"{AT}/{ref}/reasons?form=xlsx&words=zh")
    assert len(task.read(sheet.data).rows) == len(table)
    assert sheet.headers["Content-Disposition"].startswith("attachment")
    again = upload(chen, as_csv(spoilt(rows(50))))
    assert again.location.partition("?")[0] != f"{AT}/{ref}"


@pytest.mark.parametrize(("data", "size", "wrong"), [(b"", "1", "sheet"), (b"x", "0", "size"), (b"x", "21", "size")])
def test_what_is_no_batch_is_refused_beside_its_field(chen: Visitor, data: bytes, size: str, wrong: str) -> None:
    answer = upload(chen, data, size=size)
    assert (answer.status_code, f'id="{wrong}-wrong"' in answer.text) == (422, True)


def test_the_same_file_in_the_same_groups_is_the_batch_that_is_there(world: World, chen: Visitor) -> None:
    first = upload(chen, as_csv(rows(2)))
    again, other = upload(chen, as_csv(rows(2))), upload(chen, as_csv(rows(2)), size="2")
    assert again.location == f"{first.location}?done=batches.known"
    assert first.location != other.location
    assert "Being" in chen.get(first.location).text or "being checked" in chen.get(first.location).text
    assert world.rows("SELECT count(*) FROM batches") == [(2,)]


def test_another_person_approves_the_whole_with_a_factor_and_what_is_sealed_comes_as_one_zip(
    portal: Portal, chen: Visitor, lin: Visitor
) -> None:
    world = portal.world
    ref = batched.ready(world, batched.drafts(3))
    here = f"{AT}/{ref}"
    page = chen.get(here).text
    samples = world.services.batch_looking.terms(OWN.maker, ref, 1)
    for said in (root(world, ref), samples.exporter.legal_name, samples.outlets[0].name, samples.commitment.text_en):
        assert said in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    assert chen.post(f"{here}/send", {"version": version[1]}).location == f"{here}?done=batches.sent"
    assert f"/batches/{ref}" in lin.get(f"/portal/{OWN.maker}/approvals").text
    assert root(world, ref) in lin.get(here).text
    for told in ({"root": root(world, ref)}, {"root": root(world, ref), "factor_code": "000000"}):
        assert lin.post(f"{here}/approve", told).status_code == 422
    shown = code(portal)
    assert lin.post(f"{here}/approve", {"root": "00" * 32, "factor_code": shown}).status_code == 409
    assert state(world, ref) is BatchState.WAITING
    answer = lin.post(f"{here}/approve", {"root": root(world, ref), "factor_code": shown})
    assert (answer.status_code, state(world, ref)) == (303, BatchState.RUNNING)
    assert world.rows("SELECT factor FROM batches") == [("totp",)]
    assert "0 of 3 sealed" in lin.get(here).text
    world.services.batch_running.run(ref, print)
    page = chen.get(here).text
    assert "All 3 are sealed" in page
    archive = opened(chen.get(f"{here}/archive.zip"))
    told = json.loads(archive.read("manifest.json"))
    assert (told["is_finished"], told["files"], told["root"]) == (True, 3, root(world, ref))
    for item, line in zip(world.services.batching.items(OWN.maker, ref), told["list"], strict=True):
        assert (line["number"], line["vins"], line["file"]) == (item.number, [*item.vins], f"{item.number}.pdf")
        assert world.verify(archive.read(line["file"])).confirmation is not None
    taken = world.rows("SELECT actor FROM audit WHERE event = 'batch.taken'")
    assert taken == [(batched.CHEN,)]


def test_a_zip_in_the_middle_holds_what_is_sealed_and_says_that_it_is_not_all(portal: Portal, chen: Visitor) -> None:
    world = portal.world
    ref = batched.approved(world, batched.drafts(3))
    seal(world, ref, 2)
    assert "2 of 3 sealed" in chen.get(f"{AT}/{ref}").text
    archive = opened(chen.get(f"{AT}/{ref}/archive.zip"))
    told = json.loads(archive.read("manifest.json"))
    assert (told["state"], told["is_finished"], told["files"]) == ("running", False, 2)
    assert sorted(line["state"] for line in told["list"]) == ["done", "done", "waiting"]
    lost = next(line for line in told["list"] if line["file"])
    (path,) = world.folder.rglob(lost["sha256"])
    path.unlink()
    broken = json.loads(opened(chen.get(f"{AT}/{ref}/archive.zip")).read("manifest.json"))
    assert [line["error"][:19] for line in broken["list"] if line["number"] == lost["number"]] == [
        "storage-unavailable"
    ]
    assert broken["files"] == 1


def test_who_prepared_it_is_told_that_another_person_decides(portal: Portal) -> None:
    world = portal.world
    ref = batched.ready(world, batched.drafts(1))
    world.services.batching.send(ref, maker=OWN.maker, by=batched.CHEN)
    world.give("approver", batched.CHEN)
    chen = portal.visitor(batched.CHEN)
    here = f"{AT}/{ref}"
    assert "another person has to approve it" in chen.get(here).text
    told = {"root": root(world, ref), "factor_code": code(portal, batched.CHEN), "reason": "because"}
    assert [chen.post(f"{here}/{what}", told).status_code for what in ("approve", "return")] == [403, 403]
    assert state(world, ref) is BatchState.WAITING


def test_it_is_returned_with_a_reason_and_taken_back_and_sent_again(
    portal: Portal, chen: Visitor, lin: Visitor
) -> None:
    world = portal.world
    ref = batched.ready(world, batched.drafts(1))
    here = f"{AT}/{ref}"
    chen.post(f"{here}/send", {"version": str(batched.head(world, ref).version)})
    assert lin.post(f"{here}/return", {"reason": "x"}).status_code == 422
    assert lin.post(f"{here}/return", {"reason": "<b>wrong port</b>"}).status_code == 303
    assert "&lt;b&gt;wrong port" in chen.get(here).text
    assert chen.post(f"{here}/send", {"version": "1"}).status_code == 409
    chen.post(f"{here}/send", {"version": str(batched.head(world, ref).version)})
    assert chen.post(f"{here}/take-back").location == f"{here}?done=batches.back"
    assert state(world, ref) is BatchState.READY


def test_it_is_paused_goes_on_and_is_cancelled_after_a_question(portal: Portal, chen: Visitor, lin: Visitor) -> None:
    world = portal.world
    ref = batched.approved(world, batched.drafts(2))
    here = f"{AT}/{ref}"
    assert chen.post(f"{here}/pause").location == f"{here}?done=batches.paused"
    assert "Nothing is sealed until somebody goes on" in lin.get(here).text
    assert lin.post(f"{here}/pause").status_code == 409
    assert lin.post(f"{here}/go-on").location == f"{here}?done=batches.resumed"
    seal(world, ref, 1)
    asked = chen.get(f"{here}/cancel").text
    assert "Sealed so far: 1; they stay valid. Left: 1" in asked
    assert state(world, ref) is BatchState.RUNNING
    assert chen.post(f"{here}/cancel").location == f"{here}?done=batches.cancelled"
    page = chen.get(here).text
    assert "Sealed before, and valid: 1. Not sealed: 1" in page
    assert opened(chen.get(f"{here}/archive.zip")).namelist()[1:] == ["manifest.csv", "manifest.json"]


def test_items_are_shown_by_state_a_page_at_a_time_and_one_in_full(portal: Portal, chen: Visitor) -> None:
    world = portal.world
    ref = batched.ready(world, batched.drafts(60))
    first = chen.get(f"{AT}/{ref}/items").text
    assert (first.count('<th scope="row"'), "after=50" in first) == (50, True)
    second = chen.get(f"{AT}/{ref}/items?after=50").text
    assert (second.count('<th scope="row"'), 'rel="next"' in second) == (10, False)
    assert "None." in chen.get(f"{AT}/{ref}/items?state=failed").text
    item = world.services.batch_looking.item(OWN.maker, ref, 60)
    page = chen.get(f"{AT}/{ref}/items/60").text
    assert item.terms_digest.hex() in page
    assert item.vins[0][9:] in page
    assert chen.get(f"{AT}/{ref}/items/61").status_code == 404


def test_an_item_that_failed_says_why_in_both_languages(portal: Portal, chen: Visitor) -> None:
    world = portal.world
    ref = batched.approved(world, batched.drafts(2))
    taken = batched.drafts(1)[0]
    world.issue(taken)
    world.services.batch_running.run(ref, print)
    assert (state(world, ref), batched.head(world, ref).failed) == (BatchState.DONE, 1)
    item = world.services.batching.items(OWN.maker, ref, states=("failed",))[0]
    assert item.error is not None
    assert item.error.code == "vin.live"
    for language, words in (("en", item.error.en), ("zh", item.error.zh)):
        assert words[:20] in chen.get(f"{AT}/{ref}?lang={language}").text.replace("&#39;", "'")
    table = opened(chen.get(f"{AT}/{ref}/archive.zip")).read("manifest.csv").decode("utf-8-sig")
    line = next(row for row in csv.DictReader(io.StringIO(table)) if row["state"] == "failed")
    assert line["error"].startswith(item.error.code)


def test_another_makers_batch_is_not_there(portal: Portal, chen: Visitor) -> None:
    ref = batched.ready(portal.world, batched.drafts(1))
    he = portal.visitor(PEOPLE[BEICHEN][0])
    for path in ("", "/items", "/items/1", "/archive.zip", "/reasons"):
        assert chen.get(f"{AT}/{ref}{path}").status_code == 200, path
        assert he.get(f"{AT}/{ref}{path}").status_code == 404, path


def test_while_it_moves_the_page_looks_again_and_afterwards_it_does_not(portal: Portal, chen: Visitor) -> None:
    world = portal.world
    ref = batched.approved(world, batched.drafts(1))
    moving = chen.get(f"{AT}/{ref}").text
    assert 'http-equiv="refresh"' in moving
    assert "batches.js" in moving
    assert 'data-live="running"' in moving
    assert f'href="/portal/{OWN.maker}/batches"' in chen.get(f"/portal/{OWN.maker}").text
    world.services.batch_running.run(ref, print)
    still: Any = chen.get(f"{AT}/{ref}").text
    assert 'http-equiv="refresh"' not in still
