"""An official copy over HTTP: known by its digest, whatever it is called; the page says what that means."""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds

from signer.services.official import Place
from signer.web.shapes import VerdictAnswer

if TYPE_CHECKING:
    from conftest import House

SCAN = b"\x89PNG\r\n\x1a\n the chopped sheet"
CANDIDATE = b"\xff\xd8\xff\xe0 not compared yet"
CHEN, LIN = worlds.PEOPLE[worlds.YUNZHOU]
VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")


@pytest.fixture(scope="module", autouse=True)
def _filed(house: House) -> None:
    """File one copy, and leave another one to be compared."""
    copying = house.world.services.copying

    def place(by: str) -> Place:
        return Place(number=house.kz_number, manufacturer=worlds.YUNZHOU, by=by)  # type: ignore[arg-type]

    copying.compare(place(LIN), copying.offer(place(CHEN), SCAN))
    copying.offer(place(CHEN), CANDIDATE)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "application/ofd", "application/pdf"])
def test_a_raw_body_of_any_of_the_four_kinds_reaches_it(house: House, mime: str) -> None:
    response = house.client.post("/api/v1/verify", data=SCAN, content_type=mime)
    plain: Any = response.json
    assert (response.status_code, plain["code"], plain["outcome"], plain["subject"]) == (
        200,
        "OFFICIAL_COPY",
        "pass",
        "file",
    )
    assert plain["number"] == plain["confirmation"]["number"] == house.kz_number
    assert (plain["seal_report"], plain["sealed_at"], plain["proven_at"], plain["proven_by"]) == (None,) * 4
    assert plain["parts"] == {"integrity": "passed", "seal": "undetermined", "standing": "passed"}
    VerdictAnswer.model_validate_json(response.data)


def test_a_form_compares_it_with_what_was_asked(house: House) -> None:
    plain: Any = house.verify(SCAN, vin=VINS[0], destination="UZ").json
    assert (plain["code"], plain["reason"], plain["coverage"]["vins"][0]["state"]) == (
        "NOT_COVERED",
        "OTHER_COUNTRY",
        "matched",
    )


def test_another_image_and_a_candidate_are_as_unreadable_as_ever(house: House) -> None:
    for data in (SCAN + b"\0", CANDIDATE):
        plain: Any = house.verify(data).json
        assert (plain["code"], plain["reason"], plain["number"]) == ("UNREADABLE", "BAD_PICTURE", None)
    digest = hashlib.sha256(CANDIDATE).hexdigest()
    plain = house.client.post("/api/v1/lookups", json={"sha256": digest}).json
    assert (plain["code"], plain["reason"]) == ("INDETERMINATE", "SEND_FILE")


def test_its_digest_alone_is_on_record(house: House) -> None:
    plain: Any = house.client.post("/api/v1/lookups", json={"sha256": hashlib.sha256(SCAN).hexdigest()}).json
    assert (plain["code"], plain["subject"], plain["number"]) == ("ON_RECORD", "digest", house.kz_number)


def test_a_licence_takes_a_copy_for_a_confirmation(house: House) -> None:
    data = {
        "file": [(io.BytesIO(SCAN), "scan.png")],
        "vin": list(VINS),
        "destination": "KZ",
        "exporter": worlds.TIANSHAN,
    }
    plain: Any = house.client.post("/api/v1/licence-checks", data=data, content_type="multipart/form-data").json
    assert (plain["outcome"], plain["matched"], plain["sources"][0]["verdict"]["code"]) == ("pass", 3, "OFFICIAL_COPY")


def test_the_page_shows_the_record_and_says_that_the_seal_was_not_examined(house: House) -> None:
    page = house.ask(("扫描.png", SCAN)).get_data(as_text=True)
    told = text_of(page)
    assert "<title>The filed official copy · TEST" in page
    for words in ("byte for byte, the officially sealed copy", "Its own seal was not examined here", "Almaty"):
        assert words in told, words
    assert "<span>L0Y</span><span>SA3B29</span><span>T0000101</span>" in page
    assert hashlib.sha256(SCAN).hexdigest() in page
    assert "Every byte of the file was checked against the signature" not in told
    chinese = text_of(house.ask(("扫描.png", SCAN), lang="zh").get_data(as_text=True))
    assert "未在此检验其自身的印章" in chinese


def test_both_forms_take_images_and_ofd(house: House) -> None:
    for page in (house.client.get("/verify").get_data(as_text=True), house.ask(("a.png", SCAN)).get_data(as_text=True)):
        assert re.search(r'<input type="file"[^>]*accept="[^"]*\.ofd[^"]*image/png[^"]*image/jpeg', page)
