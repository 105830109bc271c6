"""Confirmations are read by machines: the maker's own, an exporter's papers as its pages show them, nobody else's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import exporting
import pytest
import world as worlds
from machine import Machines
from portal import Portal
from world import BEICHEN, EMIRATES, HAIYI, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU

from signer.domain.machines import Right
from signer.register import restores
from signer.web.machines.confirmation_examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from machine import Machine
    from world import World

    from signer.services.sealing import Issued

CHEN, LIN = PEOPLE[YUNZHOU]
PDF = {"Accept": "application/pdf"}


@dataclass
class Case:
    """Confirmations of two manufacturers for two exporters, and a machine of each who may ask."""

    world: World
    machines: Machines
    mine: Issued
    beichens: Issued
    others: Issued
    unseen: Issued
    erp: Machine
    beichen: Machine
    zhao: Machine
    stranger: Machine


@pytest.fixture(scope="module")
def case(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    world = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("confirmations") / "data"))
    mine = world.issue({**worlds.fresh(KAZAKHSTAN, 1), "exporter": TIANSHAN})
    world.at += timedelta(minutes=1)
    beichens = world.issue({**worlds.fresh(EMIRATES, 1), "exporter": TIANSHAN})
    others = world.issue({**worlds.fresh(KAZAKHSTAN, 2), "exporter": HAIYI})
    unseen = world.issue({**worlds.fresh(EMIRATES, 2), "exporter": HAIYI})
    exporting.accept(world, TIANSHAN, YUNZHOU, BEICHEN, person="zhao.sample")
    exporting.accept(world, HAIYI, YUNZHOU, person="qian.sample")
    machines = Machines.of(world)
    yield Case(
        world,
        machines,
        mine,
        beichens,
        others,
        unseen,
        erp=machines.of_maker(CHEN, YUNZHOU),
        beichen=machines.of_maker(PEOPLE[BEICHEN][0], BEICHEN),
        zhao=machines.of_exporter("zhao.sample", TIANSHAN),
        stranger=machines.of_exporter("qian.sample", HAIYI),
    )
    world.services.database.close()


def numbers(machine: Machine, query: str = "") -> list[str]:
    answer = machine.get(f"/confirmations{query}")
    assert answer.status_code == 200, answer.text
    return [item["number"] for item in answer.json["items"]]


def kind(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]  # type: ignore[attr-defined]


def test_a_makers_token_lists_its_own_and_an_exporters_its_papers_of_every_maker(case: Case) -> None:
    assert numbers(case.erp) == [case.others.number, case.mine.number]
    assert numbers(case.beichen) == [case.unseen.number, case.beichens.number]
    assert numbers(case.zhao) == [case.beichens.number, case.mine.number]
    assert numbers(case.stranger) == [case.others.number]


def test_a_list_is_narrowed_by_number_vin_exporter_and_standing(case: Case) -> None:
    vin = worlds.fresh(KAZAKHSTAN, 1)["vehicles"][0]["vin"]
    for query in (f"number={case.mine.number.lower()}", f"vin={vin}", f"exporter={TIANSHAN}"):
        assert numbers(case.erp, f"?{query}") == [case.mine.number]
    assert len(numbers(case.erp, "?standing=issued")) == 2
    assert numbers(case.erp, "?standing=withdrawn") == []
    assert numbers(case.zhao, f"?exporter={HAIYI}") == []
    assert numbers(case.zhao, f"?vin={vin}") == [case.mine.number]


def test_every_filter_that_cannot_be_one_is_named_at_once(case: Case) -> None:
    answer = case.erp.get("/confirmations?number=7&vin=LTEST&exporter=9165")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/number", "/vin", "/exporter"]
    assert case.erp.get("/confirmations?standing=valid").json["errors"][0]["pointer"] == "/standing"


def test_a_list_goes_on_where_it_ended_and_only_after_ones_own(case: Case) -> None:
    first = case.erp.get("/confirmations?limit=1")
    assert [item["number"] for item in first.json["items"]] == [case.others.number]
    assert f"cursor={first.json['next']}" in first.headers["Link"]
    second = case.erp.get(f"/confirmations?limit=1&cursor={first.json['next']}").json
    assert ([item["number"] for item in second["items"]], second["next"]) == ([case.mine.number], None)
    for machine in (case.beichen, case.zhao):
        answer = machine.get(f"/confirmations?cursor={first.json['next']}")
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/cursor")


def test_one_is_told_with_its_content_its_lines_and_its_files_digests(case: Case) -> None:
    told = case.erp.get(f"/confirmations/{case.mine.number}").json
    assert told["content"]["number"] == told["number"] == case.mine.number
    assert [line["standing"] for line in told["lines"]] == ["issued"] * 3
    file = told["files"][-1]
    assert (file["kind"], file["sha256"], file["size"]) == (
        "sealed",
        hashlib.sha256(case.mine.pdf).hexdigest(),
        len(case.mine.pdf),
    )


def test_the_pdf_is_the_one_that_the_pages_hand_out(case: Case) -> None:
    portal, number = Portal.of(case.world), case.mine.number
    chen, zhao = portal.visitor(CHEN), portal.visitor("zhao.sample")
    makers = chen.get(f"/portal/{case.machines.maker(YUNZHOU)}/confirmations/{number}/files/sealed").data
    exporters = zhao.get(f"/exporter/{TIANSHAN}/papers/{number}/files/sealed").data
    for machine, page in ((case.erp, makers), (case.zhao, exporters)):
        by_type = machine.get(f"/confirmations/{number}", headers=PDF)
        by_address = machine.get(f"/confirmations/{number}/file")
        assert by_type.data == by_address.data == page == case.mine.pdf
        assert by_type.headers["Content-Type"] == "application/pdf"
        assert by_address.headers["Content-Disposition"] == f'attachment; filename="{number}.pdf"'


def test_the_evidence_bundle_has_this_pdf(case: Case) -> None:
    for machine in (case.erp, case.zhao):
        answer = machine.get(f"/confirmations/{case.mine.number}/evidence")
        assert answer.headers["Content-Type"] == "application/zip"
        assert case.mine.pdf in answer.data


def test_the_audit_tells_by_which_token_a_file_was_taken_and_not_that_it_was_there_already(case: Case) -> None:
    query, number = "SELECT count(*) FROM audit WHERE event LIKE '%.taken'", case.mine.number
    for machine, event in ((case.erp, "confirmation.taken"), (case.zhao, "paper.taken")):
        before = case.world.rows(query)[0][0]
        first = machine.get(f"/confirmations/{number}/file")
        again = machine.get(f"/confirmations/{number}/file", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, case.world.rows(query)) == (304, [(before + 1,)])
        told = case.world.rows("SELECT event, subject, detail FROM audit ORDER BY id DESC LIMIT 1")[0]
        assert (told[:2], '"token"' in told[2]) == ((event, number), True)


def test_another_ones_confirmation_is_not_there(case: Case) -> None:
    number = case.others.number
    for machine in (case.beichen, case.zhao):
        for path in (f"/confirmations/{number}", f"/confirmations/{number}/file", f"/confirmations/{number}/evidence"):
            assert kind(machine.get(path)) == (404, "not-found"), path
        assert kind(machine.get(f"/confirmations/{number}", headers=PDF)) == (404, "not-found")
    assert kind(case.erp.get("/confirmations/00000-00000-0000")) == (404, "not-found")


def test_an_exporter_sees_nothing_of_a_maker_that_did_not_accept_it(case: Case) -> None:
    assert case.beichen.get(f"/confirmations/{case.unseen.number}").status_code == 200
    assert kind(case.stranger.get(f"/confirmations/{case.unseen.number}")) == (404, "not-found")
    assert case.unseen.number not in numbers(case.stranger)


def test_every_example_is_one_of_its_shape() -> None:
    for shape, example in EXAMPLES.items():
        shape.model_validate_json(json.dumps(example))


def test_what_is_known_already_is_not_sent_again_until_its_standing_changes(world: World) -> None:
    erp, issued = Machines.of(world).of_maker(CHEN, YUNZHOU), world.issue(worlds.sample(KAZAKHSTAN))
    path = f"/confirmations/{issued.number}"
    etags = [erp.get(path, headers=headers).headers["ETag"] for headers in ({}, PDF)]
    assert etags[0] != etags[1]
    for etag, accept in zip(etags, ({}, PDF), strict=True):
        assert erp.get(path, headers={**accept, "If-None-Match": etag}).status_code == 304
    world.services.ending.suspend(issued.number, manufacturer=YUNZHOU, by=CHEN)
    for etag, accept in zip(etags, ({}, PDF), strict=True):
        assert erp.get(path, headers={**accept, "If-None-Match": etag}).status_code == 200
    told = erp.get(path).json
    assert (told["standing"], {line["standing"] for line in told["lines"]}) == ("suspended", {"suspended"})
    assert numbers(erp, "?standing=suspended") == [issued.number]
    world.at += timedelta(hours=73)
    assert (erp.get(path).json["standing"], numbers(erp, "?standing=suspended")) == ("issued", [])
    assert numbers(erp, "?standing=issued") == [issued.number]


def test_what_may_have_ended_in_a_gap_is_called_issued_nowhere(world: World) -> None:
    issued = world.issue({**worlds.sample(KAZAKHSTAN), "exporter": TIANSHAN})
    exporting.accept(world, TIANSHAN, YUNZHOU, person="zhao.sample")
    machines = Machines.of(world)
    erp, zhao = machines.of_maker(CHEN, YUNZHOU), machines.of_exporter("zhao.sample", TIANSHAN)
    with world.services.database.write() as tx:
        made = restores.Restore(backup_at=world.at, restored_at=world.at, archive_digest=bytes(32))
        restores.note(tx, made)
    world.at += timedelta(hours=2)
    for machine in (erp, zhao):
        told = machine.get(f"/confirmations/{issued.number}").json
        assert (told["standing"], {line["standing"] for line in told["lines"]}) == ("unknown", {"unknown"})
        assert machine.get("/confirmations").json["items"][0]["standing"] == "unknown"
    assert kind(zhao.get(f"/confirmations/{issued.number}/evidence")) == (404, "not-found")


def test_a_token_without_the_right_reads_none(case: Case) -> None:
    drafts = case.machines.of_maker(CHEN, YUNZHOU, Right.DRAFTS_READ)
    assert kind(drafts.get(f"/confirmations/{case.mine.number}/file")) == (403, "right-missing")
