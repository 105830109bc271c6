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
