"""Look-ups and licence checks by machine: strict JSON in, the same verdicts out, a table without formulas."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog
import world as worlds
from apps import create_app

from signer.web import sheets
from signer.web.shapes import LicenceAnswer, VerdictAnswer

if TYPE_CHECKING:
    from conftest import House
    from werkzeug.test import TestResponse

LOOKUPS, LICENCES = "/api/v1/lookups", "/api/v1/licence-checks"
VINS = ["L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103"]
LICENCE = {"destination": "KZ", "exporter": worlds.TIANSHAN, "applied_on": "2026-11-25"}


def send(house: House, url: str, body: Any, **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.client.post(url, data=data, content_type="application/json", headers=headers)


def code(response: TestResponse) -> str:
    VerdictAnswer.model_validate_json(response.data)
    assert response.json is not None
    return str(response.json["code"])


def test_a_number_and_a_vins_last_six_find_the_record(house: House) -> None:
    typed = house.kz_number.lower().replace("-", " ")
    assert code(send(house, LOOKUPS, {"numbers": [typed], "tail": VINS[0][-6:]})) == "ON_RECORD"
    assert code(send(house, LOOKUPS, {"numbers": [house.kz_number], "tail": "999999"})) == "NOT_ON_RECORD"


def test_everything_in_full_is_covered(house: House) -> None:
    body = {"numbers": [house.kz_number], "vins": VINS, **LICENCE}
    assert code(send(house, LOOKUPS, body)) == "COVERED"
    assert code(send(house, LOOKUPS, {**body, "destination": "UZ"})) == "NOT_COVERED"


def test_a_digest_finds_the_file(house: House) -> None:
    known = hashlib.sha256(house.kz).hexdigest()
    assert code(send(house, LOOKUPS, {"sha256": known.upper()})) == "ON_RECORD"
    assert code(send(house, LOOKUPS, {"sha256": "0" * 64})) == "INDETERMINATE"


@pytest.mark.parametrize(
    ("body", "pointer", "found"),
    [
        ({}, "", "lookup.incomplete"),
        ({"numbers": ["CB574-KESRE-KJB8"], "tail": "000101"}, "/numbers/0", "number.check"),
        ({"numbers": ["1"], "tail": "000101"}, "/numbers/0", "number.length"),
        ({"numbers": ["CB574-KESRE-KJB8"], "vins": ["1"]}, "/vins/0", "vin.length"),
        ({"sha256": "zz"}, "/sha256", "sha256.form"),
        ({"tail": 7}, "/tail", "field.type"),
        ({"number": "x"}, "/number", "field.unknown"),
        ({"numbers": ["x"] * 41}, "/numbers", "field.many"),
    ],
)
def test_a_wrong_look_up_names_the_place(house: House, body: dict[str, Any], pointer: str, found: str) -> None:
    response = send(house, LOOKUPS, body)
    assert response.status_code == 422
    assert response.json is not None
    assert (pointer, found) in [(error["pointer"], error["code"]) for error in response.json["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        b'{"tail": "1", "tail": "2"}',
        b'{"tail": NaN}',
        b'{"tail": 1.5}',
        b'{"tail": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 5000,
        b"",
        b"{",
    ],
)
def test_json_that_two_readers_could_read_differently_is_400(house: House, body: bytes) -> None:
    response = send(house, LOOKUPS, body)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["type"].endswith("/problems/malformed-json")


def test_a_long_json_is_413_and_a_form_is_415(house: House) -> None:
    assert send(house, LOOKUPS, b" " * 70_000).status_code == 413
    assert house.client.post(LOOKUPS, data={"tail": "1"}).status_code == 415


def test_guessing_ends_in_429_with_retry_after(world: worlds.World) -> None:
    number = world.issue(worlds.sample(worlds.KAZAKHSTAN)).number
    client = create_app(world.services, clock=lambda: world.at).test_client()
    for place in range(11):
        response = client.post(LOOKUPS, json={"numbers": [number], "tail": f"{place:06}"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    page = client.post("/verify", data={"box": f"{number}\n000099"})
    assert (page.status_code, page.mimetype) == (429, "text/html")


def form(house: House, **fields: Any) -> TestResponse:
    headers = fields.pop("headers", None)
    return house.client.post(LICENCES, data=fields, content_type="multipart/form-data", headers=headers)


def test_a_licence_is_checked_over_files_and_numbers(house: House) -> None:
    response = form(house, file=[(io.BytesIO(house.kz), "kz.pdf")], vin=VINS, **LICENCE)
    LicenceAnswer.model_validate_json(response.data)
    assert response.json is not None
    assert (response.json["outcome"], response.json["matched"]) == ("pass", 3)
    assert response.json["sources"][0]["sha256"] == hashlib.sha256(house.kz).hexdigest()
    by_number = send(house, LICENCES, {"numbers": [house.kz_number], "vins": VINS, **LICENCE})
    assert by_number.json is not None
    assert by_number.json["rows"] == response.json["rows"]


def test_files_that_are_read_at_once_keep_their_order_and_the_request_they_came_with(house: House) -> None:
    files = [(io.BytesIO(b"x"), "a.pdf"), (io.BytesIO(house.kz), "kz.pdf"), (io.BytesIO(b"%PDF-"), "b.pdf")]
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        response = form(house, file=files, vin=VINS, headers={"X-Request-Id": "licence-0007"}, **LICENCE)
    assert response.json is not None
    assert [(one["name"], one["verdict"]["code"]) for one in response.json["sources"]] == [
        ("a.pdf", "UNREADABLE"),
        ("kz.pdf", "VALID"),
        ("b.pdf", "UNREADABLE"),
    ]
    told = [line.get("request") for line in logged if line["event"] == "file.verified"]
    assert told == ["licence-0007"] * 3


def test_a_missing_car_fails_the_licence_and_is_counted(house: House) -> None:
    response = form(house, file=[(io.BytesIO(house.kz), "kz.pdf")], vin=[*VINS, "L0YSA3B20T0000199"], **LICENCE)
    assert response.json is not None
    assert (response.json["outcome"], response.json["matched"], response.json["asked"]) == ("fail", 3, 4)
    assert "3 / 4" in response.json["line"]


def test_a_licence_without_its_fields_names_them(house: House) -> None:
    response = form(house, vin=[])
    assert response.status_code == 422
    assert response.json is not None
    assert {error["pointer"] for error in response.json["errors"]} == {"/vin", "/destination", "/exporter", "/file"}


def test_the_table_comes_as_csv_for_who_asks(house: House) -> None:
    headers = {"Accept": "text/csv"}
    response = form(house, file=[(io.BytesIO(house.kz), "kz.pdf")], vin=VINS, headers=headers, **LICENCE)
    assert response.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert len(rows) == 4
    assert rows[1][:3] == [VINS[0], "matched", house.kz_number]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert sheets.plain(cell) == f"'{cell}"


def test_too_many_files_are_413(house: House) -> None:
    files = [(io.BytesIO(b"x"), f"{place}.pdf") for place in range(21)]
    assert form(house, file=files, vin=VINS, **LICENCE).status_code == 413
