"""A manufacturer's facts: changed by its administrators alone, and evidence that no browser ever runs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from objects import OTHER, OWN
from portal import Portal

from signer.errors import TooLarge
from signer.services.facts import Handed

if TYPE_CHECKING:
    from portal import Visitor
    from werkzeug.test import TestResponse
    from world import World

PDF, PNG, JPEG = b"%PDF-1.7\n%x", b"\x89PNG\r\n\x1a\nx", b"\xff\xd8\xff\xe0x"
GOOD = {
    "legal_name_en": "Sample Motors",
    "address": "1 Sample Road",
    "contact": "export@maker.example",
    "verification_domain": "maker.example",
    "wmis": "LYZ, lya",
    "checked_on": "2026-11-20",
}


@pytest.fixture
def portal(world: World) -> Portal:
    world.give("admin", "gao.sample")
    world.give("auditor", "shen.sample")
    return Portal.of(world)


@pytest.fixture
def gao(portal: Portal) -> Visitor:
    return portal.visitor("gao.sample")


def hand_in(visitor: Visitor, data: bytes, name: str = "a.pdf", **more: str) -> TestResponse:
    told = {"title": "Registration", "subject": "name", **more, "file": (io.BytesIO(data), name)}
    return visitor.post(f"/portal/{OWN}/facts/evidence", told, content_type="multipart/form-data")


def test_an_administrator_changes_what_may_be_changed_and_the_audit_says_which(portal: Portal, gao: Visitor) -> None:
    before, _ = portal.world.services.facts.of(OWN)
    assert gao.post(f"/portal/{OWN}/facts", GOOD | {"legal_name": "Evil", "uscc": OTHER}).location.endswith(
        "facts.changed"
    )
    after, _ = portal.world.services.facts.of(OWN)
    assert (after.wmis, after.contact, after.legal_name, after.uscc) == (
        *(("LYZ", "LYA"), "export@maker.example"),
        *(before.legal_name, before.uscc),
    )
    ((detail,),) = portal.world.rows("SELECT detail FROM audit WHERE event = 'facts.changed'")
    assert "wmis" in detail
    assert "legal_name " not in detail


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("address", ""),
        ("address", "x" * 5000),
        ("contact", "a\x00b"),
        ("contact", "a\u202eb"),
        ("wmis", "LYO"),
        ("wmis", "LYZX"),
        ("checked_on", "2027-01-01"),
        ("checked_on", "yesterday"),
        ("legal_name_en", "x" * 5000),
    ],
)
def test_a_wrong_value_changes_nothing_is_named_and_kept(portal: Portal, gao: Visitor, field: str, typed: str) -> None:
    before = portal.world.services.facts.of(OWN)
    page = gao.post(f"/portal/{OWN}/facts", GOOD | {field: typed})
    assert (page.status_code, f'id="{field}-wrong"' in page.text) == (200, True)
    assert "Sample Motors" in page.text or field == "legal_name_en"
    assert portal.world.services.facts.of(OWN) == before


@pytest.mark.parametrize("data", [PDF, PNG, JPEG])
def test_evidence_is_handed_out_as_it_came_and_never_run(portal: Portal, gao: Visitor, data: bytes) -> None:
    assert hand_in(gao, data, "../../y.pdf").location.endswith("facts.handed-in")
    ((ref, name),) = portal.world.rows("SELECT ref, file_name FROM evidence_files")
    assert name == "y.pdf"
    answer = portal.visitor("lin.sample").get(f"/portal/{OWN}/facts/evidence/{ref}")
    assert answer.data == data
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    "data",
    [
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!-- -->%PDF-1.7",
        b" %PDF-1.7",
        b"\xef\xbb\xbf%PDF-1.7",
        b"GIF89a%PDF-",
        b"PK\x03\x04",
        b"",
    ],
    ids=["html", "svg", "comment", "blank", "mark", "gif", "zip", "empty"],
)
def test_what_is_no_evidence_is_refused_whatever_it_is_called(portal: Portal, gao: Visitor, data: bytes) -> None:
    page = hand_in(gao, data)
    assert (page.status_code, 'id="file-wrong"' in page.text) == (200, True)
    assert "Registration" in page.text
    assert portal.world.rows("SELECT * FROM evidence_files") == []


def test_a_file_over_ten_megabytes_is_refused(portal: Portal) -> None:
    handed = Handed(subject="name", title="Registration", file_name="a.pdf", data=PDF + b"0" * 10_000_000)
    with pytest.raises(TooLarge):
        portal.world.services.facts.hand_in(OWN, handed, by="gao.sample")


def test_a_pdf_that_is_html_too_is_still_no_page(portal: Portal, gao: Visitor) -> None:
    hand_in(gao, PDF + b"<script>alert(1)</script>", "x.html", title="<img src=x onerror=alert(1)>")
    page = gao.get(f"/portal/{OWN}/facts").text
    assert "<img src=x" not in page
    ((ref,),) = portal.world.rows("SELECT ref FROM evidence_files")
    answer = gao.get(f"/portal/{OWN}/facts/evidence/{ref}")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evidence-{ref}.pdf"'


def test_anothers_evidence_is_not_there_and_who_only_reads_changes_nothing(portal: Portal, gao: Visitor) -> None:
    hand_in(gao, PDF)
    ((ref,),) = portal.world.rows("SELECT ref FROM evidence_files")
    assert portal.visitor("sun.sample").get(f"/portal/{OTHER}/facts/evidence/{ref}").status_code == 404
    assert portal.visitor("sun.sample").get(f"/portal/{OWN}/facts/evidence/{ref}").status_code == 404
    for person in ("shen.sample", "lin.sample", "chen.sample"):
        visitor = portal.visitor(person)
        page = visitor.get(f"/portal/{OWN}/facts")
        assert (page.status_code, 'name="address"' in page.text) == (200, False)
        assert visitor.post(f"/portal/{OWN}/facts", GOOD).status_code == 403
        assert hand_in(visitor, PDF).status_code == 403
