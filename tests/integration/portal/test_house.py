"""How the deployment stands, for operators and auditors: trust list, seals, jobs, settings and the whole audit."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from databases import EITHER
from objects import OWN, Case, a_failed_job
from portal import Portal
from world import BEICHEN, YUNZHOU

from signer.domain.trust import SealState
from signer.services import export

if TYPE_CHECKING:
    from portal import Visitor
    from world import World

HERE = "/portal/office"
pytestmark = EITHER


@pytest.fixture
def portal(world: World) -> Portal:
    world.appoint("operator", "wu.sample")
    world.appoint("auditor", "du.sample")
    return Portal.of(world)


@pytest.fixture
def wu(portal: Portal) -> Visitor:
    return portal.visitor("wu.sample")


@pytest.fixture
def du(portal: Portal) -> Visitor:
    return portal.visitor("du.sample")


def test_the_trust_list_shows_its_sequence_its_end_and_what_changed(du: Visitor, world: World) -> None:
    page = du.get(f"{HERE}/trust-list").text
    assert all(word in page for word in (YUNZHOU, BEICHEN, "30 days left", "No earlier list is kept"))
    gone = world.services.trust.current(world.at).entries[-1].certificate_digest
    world.at += timedelta(minutes=30)
    world.publish(
        lambda entry: (
            entry.model_copy(update={"state": SealState.SUSPENDED, "state_since": world.at.replace(microsecond=0)})
            if entry.certificate_digest == gone
            else entry
        )
    )
    page = du.get(f"{HERE}/trust-list").text
    assert [word for word in (f"({gone[:16]})", "state suspended", "Lists that are kept (2)") if word not in page] == []


def test_a_list_that_cannot_be_believed_is_told_and_breaks_no_page(wu: Visitor, world: World) -> None:
    world.settings.trust_list_path.write_bytes(b"nonsense")
    page = wu.get(f"{HERE}/trust-list")
    assert (page.status_code, "cannot be believed" in page.text) == (200, True)


def test_the_seals_of_all_manufacturers_are_shown_with_their_days(du: Visitor) -> None:
    page = du.get(f"{HERE}/seals").text
    assert all(word in page for word in (YUNZHOU, BEICHEN, "days left"))


def test_the_settings_show_no_secret(wu: Visitor) -> None:
    page = wu.get(f"{HERE}/settings").text
    assert all(word in page for word in ("SIGNER_MODE", "SIGNER_DATABASE_URL"))


def test_a_failed_job_is_tried_again_or_dropped_by_an_operator_and_the_audit_says_so(
    portal: Portal, wu: Visitor, du: Visitor
) -> None:
    first, second = (a_failed_job(Case(portal), OWN) for _ in range(2))
    page = du.get(f"{HERE}/jobs").text
    assert ("disk full" in page, "/retry" in page) == (True, False)
    assert "/retry" in wu.get(f"{HERE}/jobs").text
    assert wu.post(f"{HERE}/jobs/{first}/retry").location.endswith("done=job.retried")
    assert wu.post(f"{HERE}/jobs/{second}/drop").location.endswith("done=job.dropped")
    assert portal.world.rows("SELECT id, state FROM jobs WHERE kind = 'scrub'") == [(int(first), "waiting")]
    assert wu.post(f"{HERE}/jobs/{first}/drop").status_code == 409, "only what was given up is dropped"
    assert wu.post(f"{HERE}/jobs/{second}/retry").status_code == 404
    told = portal.world.rows("SELECT actor, event, subject, detail FROM audit WHERE event LIKE 'job.%' ORDER BY id")
    assert [row[:3] for row in told] == [("wu.sample", "job.retried", first), ("wu.sample", "job.dropped", second)]
    assert json.loads(told[1][3])["error"] == "storage-unavailable: disk full"


def exported(visitor: Visitor, query: str = "") -> list[dict[str, str]]:
    answer = visitor.get(f"{HERE}/audit/export{query}")
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def note(
    world: World, event: str, *, actor: str = "x", subject: str = "s", day: int = 20, maker: int | None = 1
) -> None:
    world.change(
        "INSERT INTO audit (at, actor, event, subject, detail, manufacturer_id) VALUES "
        f"('2026-11-{day}T12:00:00.000000Z', '{actor}', '{event}', '{subject}', '{{}}', {maker or 'NULL'})"
    )


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("actor=ann", ["one", "four"]),
        ("event=held", ["one", "two"]),
        ("event=held.on", ["one"]),
        ("event=hel", []),
        ("subject=two", ["two"]),
        (f"maker={OWN}&actor=ann", ["one"]),
        ("actor=ann&from=2026-11-21", ["four"]),
        ("actor=ann&to=2026-11-20", ["one"]),
        ("actor=%25", []),
    ],
)
def test_the_audit_is_filtered_by_who_what_subject_manufacturer_and_day(
    du: Visitor, world: World, query: str, subjects: list[str]
) -> None:
    note(world, "held.on", actor="ann", subject="one")
    note(world, "held.off", actor="bob", subject="two")
    note(world, "draft.open", actor="bob", subject="three", maker=2)
    note(world, "draft.open", actor="ann", subject="four", day=21, maker=2)
    assert [row["subject"] for row in exported(du, f"?{query}")] == subjects
    page = du.get(f"{HERE}/audit?{query}").text
    assert all((f">{subject}</code>" in page) == (subject in subjects) for subject in ("one", "two", "three", "four"))


def test_an_export_is_inert_bounded_and_told_of(du: Visitor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    note(world, "draft.open", actor="=cmd()", subject="@sum")
    found = exported(du, "?event=draft")
    assert [(row["actor"], row["subject"], row["manufacturer"]) for row in found] == [("'=cmd()", "'@sum", OWN)]
    assert ("du.sample", "all") in world.rows("SELECT actor, subject FROM audit WHERE event = 'audit.exported'")
    for _ in range(7):
        note(world, "draft.open")
    monkeypatch.setattr(export, "_PIECE", 2)
    assert len(exported(du, "?event=draft")) == 8
    monkeypatch.setattr(export, "MOST_EXPORTED", 5)
    rows = exported(du, "?event=draft")
    assert ([row["event"] for row in rows[:5]], rows[5]["event"], len(rows)) == (["draft.open"] * 5, export.CUT_OFF, 6)
    monkeypatch.setattr(export, "MOST_EXPORTED", 8)
    assert len(exported(du, "?event=draft")) == 8, "what fits exactly is not cut off"


@pytest.mark.parametrize(
    "query", ["from=2026-13-45", "actor=%00", "event=%27", "subject=" + "x" * 5000, "page=99999999", "maker="]
)
def test_nothing_typed_into_the_audits_filter_breaks_it(du: Visitor, query: str) -> None:
    assert du.get(f"{HERE}/audit?{query}").status_code == 200
    assert du.get(f"{HERE}/audit/export?{query}").status_code == 200
    assert du.get(f"{HERE}/audit?maker=nobody").status_code == 404


def test_what_happened_in_the_offices_is_told_in_sentences(portal: Portal, du: Visitor, wu: Visitor) -> None:
    wu.post(f"{HERE}/jobs/{a_failed_job(Case(portal), OWN)}/retry")
    assert "wu.sample had a job tried again" in du.get(f"{HERE}/audit").text
    assert "wu.sample让一项后台任务重试" in du.get(f"{HERE}/audit?lang=zh").text
