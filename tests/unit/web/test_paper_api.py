"""Paper over HTTP: scans and codes are judged by the same door, in one shape, and nothing else grows a key."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import apps
import paper_keys
import printing
import pytest
import world as worlds
from PIL import Image
from world import KAZAKHSTAN, World, sample

from signer.paper.symbol import matrix
from signer.verification import report
from signer.web.shapes import LicenceAnswer, VerdictAnswer

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

PAPER_KEYS = ("codes", "seen", "pages", "issued_at", "vins", "destination", "exporter", "until", "content_digest")


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(worlds.copy(template_folder, tmp_path_factory.mktemp("paper-api") / "data"))


@pytest.fixture(scope="module")
def code(world: World) -> str:
    (claims,) = paper_keys.claims_of(world, world.issue(sample(KAZAKHSTAN)).number)
    key = paper_keys.make(world.at)
    paper_keys.enrol(world, key, claims.issuer)
    return key.sign(claims)


@pytest.fixture(scope="module")
def client(world: World) -> FlaskClient:
    return apps.create_app(world.services, clock=lambda: world.at).test_client()


@pytest.fixture(scope="module")
def scan(code: str) -> bytes:
    modules = matrix(code, level="Q")
    symbol = Image.new("L", (len(modules), len(modules)))
    symbol.putdata([0 if black else 255 for row in modules for black in row])
    page = Image.new("L", (800, 800), 255)
    page.paste(symbol.resize((len(modules) * 6,) * 2, Image.Resampling.NEAREST), (60, 60))
    return printing.printed(page, "scan-200", seed=1)


def test_a_scan_is_verified_as_a_body_and_as_a_part(client: FlaskClient, scan: bytes) -> None:
    body = client.post("/api/v1/verify?destination=KZ", data=scan, content_type="image/jpeg")
    part = client.post("/api/v1/verify", data={"file": (io.BytesIO(scan), "scan.jpg"), "destination": "KZ"})
    for response in (body, part):
        assert response.status_code == 200
        told = response.get_json()
        assert (told["code"], told["outcome"], told["subject"]) == ("PAPER_GENUINE", "review", "paper")
        assert told["coverage"]["destination"] == "equal"
        assert tuple(told) == (*report.KEYS, "paper")
        assert tuple(told["paper"]) == (*PAPER_KEYS, "others")
        assert told["paper"]["vins"] == [line["vin"] for line in sample(KAZAKHSTAN)["vehicles"]]
        assert told["receipt"]
        VerdictAnswer.model_validate_json(response.data)


def test_a_code_as_text_is_judged_alone(client: FlaskClient, code: str) -> None:
    told = client.post("/api/v1/lookups", json={"code": code, "exporter": "91650000MA0TH03XX3"})
    assert (told.get_json()["code"], told.get_json()["coverage"]["exporter"]) == ("PAPER_GENUINE", "equal")
    both = client.post("/api/v1/lookups", json={"code": code, "numbers": ["ZNDCB-PJY9V-T636"], "tail": "000101"})
    assert [error["pointer"] for error in both.get_json()["errors"]] == ["/code"]
    for wrong in ("１" * 200, "1" * 5000):
        refused = client.post("/api/v1/lookups", json={"code": wrong})
        assert (refused.status_code, refused.get_json()["errors"][0]["code"]) == (422, "code.form")


def test_only_paper_has_the_key_paper(client: FlaskClient) -> None:
    told = client.post("/api/v1/verify", data=b"%PDF-1.7", content_type="application/pdf").get_json()
    assert tuple(told) == report.KEYS


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP"])
def test_other_pictures_are_unreadable(client: FlaskClient, scan: bytes, form: str) -> None:
    kept = io.BytesIO()
    Image.open(io.BytesIO(scan)).save(kept, form)
    told = client.post("/api/v1/verify", data={"file": (io.BytesIO(kept.getvalue()), "scan.tif")}).get_json()
    assert (told["code"], told["reason"]) == ("UNREADABLE", "NOT_PDF")


def test_a_licence_takes_scans(client: FlaskClient, scan: bytes, code: str) -> None:
    fields: dict[str, Any] = {
        "file": [(io.BytesIO(scan), "scan.jpg")],
        "vin": [line["vin"] for line in sample(KAZAKHSTAN)["vehicles"]],
        "destination": "KZ",
        "exporter": "91650000MA0TH03XX3",
    }
    told = client.post("/api/v1/licence-checks", data=fields)
    assert told.status_code == 200
    assert told.get_json()["outcome"] == "review"
    assert {row["state"] for row in told.get_json()["rows"]} == {"unproven"}
    assert told.get_json()["receipt"]
    LicenceAnswer.model_validate_json(told.data)


def test_the_one_box_takes_a_code_however_it_is_pasted(client: FlaskClient, code: str) -> None:
    digits = code.partition("#")[2]
    for text in (code, digits, f"see {code}&x=1 please", f"{code}\n{code}"):
        page = client.post("/verify", data={"box": text, "lang": "en"}).get_data(as_text=True)
        assert "The printed code is genuine" in page, text
    broken = client.post("/verify", data={"box": code[:-1], "lang": "en"}).get_data(as_text=True)
    assert "The printed code is not valid" in broken


def ask(client: FlaskClient, *files: bytes, lang: str = "en") -> str:
    data = {"files": [(io.BytesIO(data), "scan.jpg") for data in files], "lang": lang}
    return client.post("/verify", data=data, content_type="multipart/form-data").get_data(as_text=True)


def test_the_page_puts_a_box_beside_each_line_of_the_code(client: FlaskClient, scan: bytes) -> None:
    page = ask(client, scan)
    assert "compare with your paper line by line" in page
    vins = [line["vin"] for line in sample(KAZAKHSTAN)["vehicles"]]
    lines = ("number", "issued", "destination", "exporter", "until", *vins)
    for line in lines:
        assert f'<input type="checkbox" id="same-{line}"' in page
    assert '<code class="vin" dir="ltr" translate="no"><span>L0Y</span><span>SA3B29</span><span>T0000101</span>' in page
    assert "It does not prove the sheet" in page


def test_a_telephone_is_offered_its_camera(client: FlaskClient) -> None:
    assert '<input type="file" id="camera" name="files" accept="image/jpeg,image/png" capture="environment"' in (
        client.get("/verify?lang=en").get_data(as_text=True)
    )


def test_codes_of_two_numbers_are_two_answers_on_the_page_and_in_json(
    client: FlaskClient, world: World, code: str
) -> None:
    (claims,) = paper_keys.claims_of(world, world.issue(worlds.fresh(KAZAKHSTAN, 1)).number)
    forged = paper_keys.make(world.at).sign(claims)
    page = Image.new("L", (800, 1500), 255)
    for place, text in enumerate((code, forged)):
        modules = matrix(text, level="Q")
        symbol = Image.new("L", (len(modules), len(modules)))
        symbol.putdata([0 if black else 255 for row in modules for black in row])
        page.paste(symbol.resize((len(modules) * 6,) * 2, Image.Resampling.NEAREST), (60, 60 + 700 * place))
    picture = printing.printed(page, "scan-200", seed=1)
    told = client.post("/api/v1/verify", data=picture, content_type="image/jpeg").get_json()
    (other,) = told["paper"]["others"]
    assert (told["code"], other["code"]) == ("CODE_INVALID", "PAPER_GENUINE")
    assert told["number"] != other["number"]
    html = ask(client, picture)
    assert "Codes of other numbers in the same file" in html
    assert other["number"] in html
    licence = {
        "file": [(io.BytesIO(picture), "scan.jpg")],
        "vin": [line["vin"] for line in sample(KAZAKHSTAN)["vehicles"]],
        "destination": "KZ",
        "exporter": "91650000MA0TH03XX3",
    }
    sources = client.post("/api/v1/licence-checks", data=licence).get_json()["sources"]
    assert [one["verdict"]["code"] for one in sources] == ["CODE_INVALID", "PAPER_GENUINE"]
    assert sources[0]["sha256"] == sources[1]["sha256"]
