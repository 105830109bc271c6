"""Official copies at the portal: handed in by one person, compared by another, and shown to their maker's people."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import world as worlds
from portal import Portal
from urllib3.filepost import encode_multipart_formdata

from signer.seal.precheck import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyotp
    from portal import Visitor
    from werkzeug.test import TestResponse

CHEN, LIN = worlds.PEOPLE[worlds.YUNZHOU]
HE, SUN = worlds.PEOPLE[worlds.BEICHEN]
USCC = {maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in worlds.sample("register")["manufacturers"]}
SCAN = b"\x89PNG\r\n\x1a\n"


@dataclass
class Case:
    """One issued confirmation: its page, its sealed file, and its maker's people."""

    portal: Portal
    page: str
    sealed: bytes
    chen: Visitor
    lin: Visitor
    app: pyotp.TOTP

    def offer(self, data: bytes, by: Visitor | None = None, *, name: str = "x.png") -> TestResponse:
        """Hand a file in at the page's form."""
        who = by or self.chen
        body, kind = encode_multipart_formdata({"csrf_token": who.token(), "file": (name, data)})
        return who.client.post(f"{self.page}/copies", data=body, content_type=kind)

    def copy(self, data: bytes) -> str:
        return f"{self.page}/copies/{hashlib.sha256(data).hexdigest()}"

    def states(self) -> list[str]:
        """Return the badges of the copies, as Lin sees them."""
        section = self.lin.get(self.page, lang="en").text.partition('id="copies"')[2].partition("</section>")[0]
        return re.findall(r'class="badge[^"]*">([^<]+)<', section)

    def code(self, data: bytes) -> str:
        """Return what anybody who verifies this file is told."""
        told = {"file": (io.BytesIO(data), "x.png")}
        answer = self.portal.visitor().client.post("/api/v1/verify", data=told, content_type="multipart/form-data")
        assert answer.json is not None
        return str(answer.json["code"])


@pytest.fixture(scope="module")
def case(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    world = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("copies") / "data"))
    world.give("auditor", "only.auditor")
    issued, portal = world.issue(worlds.sample(worlds.KAZAKHSTAN)), Portal.of(world)
    page = f"/portal/{USCC[worlds.YUNZHOU]}/confirmations/{issued.number}"
    yield Case(portal, page, issued.pdf, portal.visitor(CHEN), portal.visitor(LIN), portal.give_factor(LIN))
    world.services.database.close()


def test_a_copy_is_handed_in_compared_by_another_person_and_then_counts(case: Case) -> None:
    data = SCAN + b"the whole way"
    assert case.code(data) != "OFFICIAL_COPY"
    assert case.offer(data).location == f"{case.page}?done=confirmations.offered"
    assert case.states()[0] == "to be compared"
    assert case.code(data) != "OFFICIAL_COPY", "nobody compared it"
    got = case.lin.get(case.copy(data))
    assert (got.data, got.headers["X-Content-Type-Options"]) == (data, "nosniff")
    assert got.headers["Content-Disposition"].startswith("attachment; filename=")
    unsaid = case.lin.post(f"{case.copy(data)}/compare")
    field = f"compared-{hashlib.sha256(data).hexdigest()[:16]}"
    assert unsaid.status_code == 422
    assert f'href="#{field}"' in unsaid.text
    assert f'id="{field}"' in unsaid.text
    assert f'id="{field}-wrong"' in unsaid.text
    assert case.code(data) != "OFFICIAL_COPY"
    filed = case.lin.post(f"{case.copy(data)}/compare", {"compared": "yes"})
    assert filed.location == f"{case.page}?done=confirmations.filed"
    assert case.code(data) == "OFFICIAL_COPY"
    assert case.code(data + b"!") != "OFFICIAL_COPY", "another file, which nobody filed"
    again = case.lin.post(f"{case.copy(data)}/compare", {"compared": "yes"})
    assert again.status_code == 409


def test_nobody_compares_what_he_handed_in(case: Case) -> None:
    data = SCAN + b"by the approver"
    assert case.offer(data, case.lin).status_code == 303
    assert f"{case.copy(data)}/compare" not in case.lin.get(case.page).text
    assert case.lin.post(f"{case.copy(data)}/compare", {"compared": "yes"}).status_code == 403
    assert case.chen.post(f"{case.copy(data)}/compare", {"compared": "yes"}).status_code == 403, "no approver"
    assert case.code(data) != "OFFICIAL_COPY"


@pytest.mark.parametrize(
    "name", ["empty", "text", "html", "svg", "zip", "sealed", "sealed-and-more", "print-form", "too-large", "none"]
)
def test_a_bad_file_is_refused_beside_the_field(case: Case, name: str) -> None:
    bad = {
        "empty": b"",
        "text": b"a confirmation",
        "html": b"<!doctype html><script>alert(1)</script>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "zip": b"PK\x03\x04 a sheet",
        "sealed": case.sealed,
        "sealed-and-more": case.sealed + b"\n% a chop",
        "print-form": case.lin.get(f"{case.page}/files/print").data if name == "print-form" else b"",
        "too-large": SCAN + bytes(MOST_BYTES) if name == "too-large" else b"",
    }
    before = case.states()
    if name == "none":
        answer = case.chen.post(f"{case.page}/copies", {}, content_type="multipart/form-data")
    else:
        answer = case.offer(bad[name], name="x.pdf")
    assert answer.status_code in (413, 422), answer.text
    if answer.status_code == 422:
        assert 'href="#file"' in answer.text
        assert 'id="file-wrong"' in answer.text
        assert "neither our sealed file nor the bare print form" in answer.text
    assert case.states() == before


def test_one_file_counts_once_and_the_page_says_so(case: Case) -> None:
    data = SCAN + b"twice"
    assert case.offer(data).status_code == 303
    before = case.states()
    answer = case.offer(data)
    assert answer.status_code == 409
    assert "was handed in already" in answer.text
    assert case.states() == before


def test_a_name_is_no_path_and_no_markup(case: Case) -> None:
    data = b"%PDF-1.7 <script>alert(1)</script>"
    assert case.offer(data, name="../../<script>.pdf").status_code == 303
    assert "<script>.pdf" not in case.lin.get(case.page).text
    got = case.lin.get(case.copy(data)).headers
    assert re.fullmatch(r'attachment; filename="[A-Z0-9-]+-official\.pdf"', got["Content-Disposition"])
    assert got["Content-Type"] == "application/octet-stream"


def test_copies_are_shown_to_their_makers_people_and_to_nobody_else(case: Case) -> None:
    data = SCAN + b"for whom"
    assert case.offer(data).status_code == 303
    auditor, he = case.portal.visitor("only.auditor"), case.portal.visitor(HE)
    assert hashlib.sha256(data).hexdigest() in auditor.get(case.page).text
    assert auditor.get(case.copy(data)).data == data
    assert f'action="{case.page}/copies"' not in auditor.get(case.page).text
    assert case.offer(SCAN + b"by an auditor", auditor).status_code == 403
    elsewhere = case.copy(data).replace(USCC[worlds.YUNZHOU], USCC[worlds.BEICHEN])
    for address in (case.copy(data), elsewhere):
        assert he.get(address).status_code == 404
        assert he.post(f"{address}/retract").status_code == 404
    assert case.portal.visitor().get(case.copy(data)).location.startswith("/sign-in?next=")
    for nonsense in ("0" * 64, "x", hashlib.sha256(data).hexdigest()[:-1]):
        assert case.lin.get(f"{case.page}/copies/{nonsense}").status_code == 404


def test_a_copy_is_retracted_by_two_and_counts_no_longer(case: Case) -> None:
    data = SCAN + b"the wrong one"
    case.offer(data)
    case.lin.post(f"{case.copy(data)}/compare", {"compared": "yes"})
    assert case.code(data) == "OFFICIAL_COPY"
    asked = case.chen.post(f"{case.copy(data)}/retract").location.partition("?")[0]
    assert case.code(data) == "OFFICIAL_COPY", "one person's word is not enough"
    code = case.app.at(case.portal.world.at)
    assert case.chen.post(asked, {"factor_code": code}).status_code == 403
    assert case.lin.post(asked, {"factor_code": code}).status_code == 303
    assert case.code(data) != "OFFICIAL_COPY"
    assert "retracted" in case.states()
