"""Seals, both registers and the alarms at the portal: what is shown is what is there; only who may changes it."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from objects import OTHER, OWN
from portal import Portal
from world import BEICHEN, EMIRATES, KAZAKHSTAN, YUNZHOU, World, copy, fresh

from signer.domain.number import Number
from signer.domain.verdict import Code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portal import Visitor

READ = {"understood": "yes"}


@pytest.fixture(scope="module")
def used(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment in which seals were used, made once: each test has a copy."""
    made = World(copy(template_folder, tmp_path_factory.mktemp("seals") / "data"))
    for turn in range(2):
        made.issue(fresh(KAZAKHSTAN, turn))
    made.issue(fresh(EMIRATES, 0), by=BEICHEN)
    made.give("admin", "gao.sample")
    made.give("auditor", "shen.sample")
    made.services.database.close()
    return made.folder


@pytest.fixture
def world(used: Path, tmp_path: Path) -> Iterator[World]:
    made = World(copy(used, tmp_path / "data"))
    yield made
    made.services.database.close()


def digest(portal: Portal, maker: int = 1) -> str:
    return str(portal.world.rows(f"SELECT certificate_digest FROM seals WHERE manufacturer_id = {maker}")[0][0])


def test_a_seal_is_held_after_its_consequences_were_read_and_made_to_last_by_another(
    portal: Portal, lin: Visitor
) -> None:
    at, chen = f"/portal/{OWN}/seals/{digest(portal)}", portal.visitor("chen.sample")
    assert "2 confirmations" in chen.get(at).text
    assert "tick that you did" in chen.post(f"{at}/suspend").text
    assert portal.world.rows("SELECT count(*) FROM seals WHERE state = 'suspended'") == [(0,)]
    assert chen.post(f"{at}/suspend", READ).location.endswith("?done=seal.held")
    assert "another person must agree" in chen.post(f"{at}/suspend", READ).text
    assert lin.post(f"{at}/suspend", READ).location.endswith("?done=seal.held-on")
    assert portal.world.rows("SELECT state, suspended_until FROM seals WHERE manufacturer_id = 1") == [
        ("suspended", None)
    ]
    assert chen.post(f"{at}/lift", READ).status_code == 403
    assert lin.post(f"{at}/lift", READ).location.endswith("?done=seal.lifted")
    assert "its state allows no such thing" in lin.post(f"{at}/lift", READ).text


def test_the_register_shows_each_use_once_and_no_other_manufacturers(portal: Portal, lin: Visitor) -> None:
    text = lin.get(f"/portal/{OWN}/seals/register").text
    uses = portal.world.rows("SELECT number, manufacturer_id FROM seal_uses")
    assert {number for number, maker in uses if number in text} == {number for number, maker in uses if maker == 1}


def test_the_export_is_the_register_as_it_is_filtered(portal: Portal, lin: Visitor) -> None:
    number = portal.world.rows("SELECT number FROM seal_uses WHERE manufacturer_id = 1 LIMIT 1")[0][0]
    answer = lin.get(f"/portal/{OWN}/seals/register/export?form=csv&text={number}")
    assert [row["number"] for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))] == [number]
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = lin.get(f"/portal/{OWN}/seals/register/export?form=jsonl").text.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0])["preparer_id"] == "chen.sample"
    assert lin.get(f"/portal/{OWN}/seals/register/export?form=html").status_code == 404


@pytest.mark.parametrize(
    ("asked", "count"), [("from=2026-11-22", 2), ("from=2026-11-23", 0), ("to=2026-11-21", 0), ("to=2026-11-22", 2)]
)
def test_both_days_of_a_filter_belong_to_it(portal: Portal, lin: Visitor, asked: str, count: int) -> None:
    assert len(lin.get(f"/portal/{OWN}/seals/register/export?form=jsonl&{asked}").text.splitlines()) == count


@pytest.mark.parametrize(
    "asked",
    [
        "from=2026-13-45",
        "to=%00",
        "from=9999-12-31",
        "text=%25_%27",
        "text=" + "x" * 5000,
        "page=99999999999999",
        "page=-1",
        "seal='",
    ],
)
def test_nothing_typed_into_a_filter_breaks_it(portal: Portal, lin: Visitor, asked: str) -> None:
    assert lin.get(f"/portal/{OWN}/seals/register?{asked}").status_code == 200
    assert lin.get(f"/portal/{OWN}/seals/register/export?{asked}").status_code == 200


def test_pages_hold_fifty_and_lead_on(portal: Portal, lin: Visitor) -> None:
    columns = "manufacturer_id, seal_digest, number, sealed_digest, preparer_id, approver_id, origin, used_at"
    one = f"SELECT {columns} FROM seal_uses WHERE manufacturer_id = 1 LIMIT 1"
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70)"
    portal.world.change(f"INSERT INTO seal_uses ({columns}) {many} SELECT {columns} FROM n, ({one})")
    first = lin.get(f"/portal/{OWN}/seals/register?text=chen").text
    assert first.count("<tr><td") == 50
    assert "?text=chen&amp;page=2" in first
    assert lin.get(f"/portal/{OWN}/seals/register?text=chen&page=2").text.count("<tr><td") == 22


def test_the_audit_is_for_administrators_and_auditors(portal: Portal, lin: Visitor) -> None:
    for path in ("/seals/audit", "/seals/audit/export"):
        assert lin.get(f"/portal/{OWN}{path}").status_code == 403
        for person in ("gao.sample", "shen.sample"):
            assert portal.visitor(person).get(f"/portal/{OWN}{path}").status_code == 200
    told = portal.visitor("shen.sample").get(f"/portal/{OWN}/seals/audit?text=seal.enrolled").text
    assert "seal.enrolled" in told
    assert "parties.loaded" not in told


def test_an_auditor_reads_all_of_it_and_changes_nothing(portal: Portal) -> None:
    shen, seal = portal.visitor("shen.sample"), digest(portal)
    alarm = raise_alarm(portal)
    for path in ("/seals", f"/seals/{seal}", "/seals/register", "/seals/audit", "/alarms"):
        page = shen.get(f"/portal/{OWN}{path}")
        assert page.status_code == 200, path
        assert "understood" not in page.text
        assert "reason-" not in page.text
    for path in (f"/seals/{seal}/suspend", f"/seals/{seal}/lift", f"/alarms/{alarm}/settle"):
        assert shen.post(f"/portal/{OWN}{path}", READ | {"reason": "looked at"}).status_code == 403, path


def raise_alarm(portal: Portal) -> int:
    world = portal.world
    issued = world.issue(fresh(KAZAKHSTAN, 9))
    assert world.verify(issued.pdf, vins=("LYZSAMPLE00000001",)).code is Code.NOT_COVERED
    assert world.services.alarming.is_written()
    return int(world.rows("SELECT max(id) FROM suspicions")[0][0])


def test_an_alarm_is_explained_and_settled_with_a_reason(portal: Portal, lin: Visitor) -> None:
    alarm = raise_alarm(portal)
    page = lin.get(f"/portal/{OWN}/alarms").text
    assert "Asked for what it does not cover" in page
    refused = lin.post(f"/portal/{OWN}/alarms/{alarm}/settle", {"reason": "<b>"}).text
    assert "5 to 200 characters" in refused
    assert 'value="&lt;b&gt;"' in refused
    done = lin.post(f"/portal/{OWN}/alarms/{alarm}/settle", {"reason": "a mistyped VIN"})
    assert done.location.endswith("?done=alarm.settled")
    assert "settled by 林样例" in lin.get(f"/portal/{OWN}/alarms").text
    portal.world.at += timedelta(days=1)
    assert "a mistyped VIN" in portal.visitor("gao.sample").get(f"/portal/{OWN}/seals/audit").text


def test_the_audit_says_in_words_who_did_what_and_leads_there(portal: Portal) -> None:
    gao, number = (
        portal.visitor("gao.sample"),
        portal.world.rows("SELECT number FROM confirmations WHERE manufacturer_id = 1")[0][0],
    )
    portal.world.services.ending.suspend(Number.parse(number), manufacturer=YUNZHOU, by="chen.sample")
    there = f'<a href="/portal/{OWN}/confirmations/{number}">'
    assert f"陈样例暂停了{there}确认书 {number}</a>" in gao.get(f"/portal/{OWN}/seals/audit?lang=zh").text
    assert (
        f"陈样例 suspended {there}the confirmation {number}</a>" in gao.get(f"/portal/{OWN}/seals/audit?lang=en").text
    )


def test_the_seal_register_names_people(portal: Portal, lin: Visitor) -> None:
    page = lin.get(f"/portal/{OWN}/seals/register").text
    assert ("陈样例" in page, "林样例" in page, "chen.sample" in page) == (True, True, False)


def test_what_is_written_in_the_audit_is_text(portal: Portal) -> None:
    portal.world.change(
        "INSERT INTO audit (at, actor, event, subject, detail, manufacturer_id) "
        """VALUES ('2026-11-22T00:00:00.000000Z', '<i>a', '<i>e', '<i>s', '{"<i>f": "<i>v"}', 1)"""
    )
    page = portal.visitor("gao.sample").get(f"/portal/{OWN}/seals/audit").text
    assert "<i>" not in page
    for letter in "aesfv":
        assert f"&lt;i&gt;{letter}" in page


@pytest.mark.parametrize(
    "code", ["WITHDRAWN", "UNSEALED", "CODE_INVALID", "NOT_REGISTERED", "NOT_ISSUED", "SEAL_REVOKED"]
)
def test_every_alarm_has_its_words_in_both_languages(portal: Portal, lin: Visitor, code: str) -> None:
    raise_alarm(portal)
    portal.world.change(f"UPDATE suspicions SET code = '{code}', number = NULL")
    for language in ("zh", "en"):
        assert lin.get(f"/portal/{OWN}/alarms?lang={language}").status_code == 200


def test_anothers_seal_and_alarm_are_not_there(portal: Portal, lin: Visitor) -> None:
    theirs, alarm = digest(portal, 2), raise_alarm(portal)
    assert lin.get(f"/portal/{OWN}/seals/{theirs}").status_code == 404
    assert lin.post(f"/portal/{OWN}/seals/{theirs}/suspend", READ).status_code == 404
    sun = portal.visitor("sun.sample")
    assert sun.post(f"/portal/{OTHER}/alarms/{alarm}/settle", {"reason": "not mine at all"}).status_code == 404
    for name in ("1'", "-1", "99999999999", "x", "٣"):
        assert lin.post(f"/portal/{OWN}/alarms/{name}/settle", {"reason": "looked at"}).status_code == 404


def test_the_seals_page_says_until_when_codes_are_signed_and_what_is_lacking_without_a_key(
    world: World,
) -> None:
    lin = Portal.of(world).visitor("lin.sample")
    assert "Your key for paper counts until 2027-12-27" in lin.get(f"/portal/{OWN}/seals").text
    (world.settings.keys / "paper" / f"{OWN}-2026.pem").unlink()
    assert "issued all the same, but without the signed code" in lin.get(f"/portal/{OWN}/seals").text
    world.overrides["SIGNER_PAPER_CODES"] = "require"
    world.rewire()
    assert "nothing can be issued" in Portal.of(world).visitor("lin.sample").get(f"/portal/{OWN}/seals").text
