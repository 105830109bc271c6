"""`POST /api/v1/verify`: every verdict is 200 with one JSON; a wrong request is a problem that names the place."""

from __future__ import annotations

import gzip
import io
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from signer.seal.precheck import MOST_BYTES
from signer.verification import report
from signer.web import intake
from signer.web.shapes import VerdictAnswer
from signer.web.telling import CHECK_TEXTS

if TYPE_CHECKING:
    from conftest import House
    from werkzeug.test import TestResponse

URL = "/api/v1/verify"
VIN = "L0YSA3B29T0000101"
PROMISED = [
    "code",
    "outcome",
    "subject",
    "test",
    "would_be",
    "reason",
    "number",
    "issuer",
    "sealed_at",
    "proven_at",
    "proven_by",
    "checked_at",
    "policy",
    "parts",
    "coverage",
    "seal_report",
    "confirmation",
    "checks",
    "receipt",
]


def pointers(response: TestResponse) -> list[tuple[str, str]]:
    plain: Any = response.json
    return [(found["pointer"], found["code"]) for found in plain.get("errors", [])]


def test_a_genuine_file_is_valid_and_its_json_is_the_command_lines(house: House) -> None:
    response = house.verify(house.kz)
    assert response.status_code == 200
    assert response.json is not None
    assert (response.json["code"], response.json["outcome"], response.json["test"]) == ("VALID", "pass", True)
    plain = report.as_json(house.world.verify(house.kz), "en", check_texts=CHECK_TEXTS)
    assert {**response.json, "receipt": None} == plain


def test_the_keys_are_those_that_were_promised_and_no_other(house: House) -> None:
    plain: Any = house.verify(house.kz, vin=VIN).json
    assert list(json.loads(house.verify(house.kz).data)) == PROMISED
    assert [sorted(check) for check in plain["checks"]] == [["id", "state", "sub_indication", "text"]] * len(
        plain["checks"]
    )
    assert sorted(plain["issuer"]) == ["name", "seal_class", "uscc"]
    assert sorted(plain["parts"]) == ["integrity", "seal", "standing"]
    assert sorted(plain["coverage"]) == ["destination", "exporter", "extra", "vins"]
    assert sorted(plain["coverage"]["vins"][0]) == ["state", "vin", "window"]
    assert sorted(plain["coverage"]["vins"][0]["window"]) == ["free_from", "n", "state", "through"]
    assert sorted(plain["seal_report"]) == ["indication", "level", "sub_indication"]


def test_every_answer_has_the_documented_shape(house: House) -> None:
    for pdf in (house.kz, b"", b"%PDF-1.4 nothing %%EOF", house.kz[:-400] + house.kz[-399:]):
        VerdictAnswer.model_validate_json(house.verify(pdf, vin=VIN).data)


def test_a_raw_body_and_a_form_get_the_same_answer(house: House) -> None:
    query = {"vin": [VIN, VIN], "destination": "KZ"}
    raw = house.client.post(URL, data=house.kz, content_type="application/pdf", query_string=query)
    form = house.verify(house.kz, vin=[VIN], destination="kz")
    assert raw.json is not None
    assert form.json is not None
    assert {**raw.json, "receipt": None} == {**form.json, "receipt": None}
    assert raw.json["coverage"]["vins"][0]["state"] == "matched"


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 a docx named pdf", b"%PDF-1.7 /Encrypt 5 0 R %%EOF", b"%PDF-"])
def test_what_cannot_be_read_is_a_verdict_and_not_an_error(house: House, body: bytes) -> None:
    for response in (house.verify(body), house.client.post(URL, data=body, content_type="application/pdf")):
        assert response.status_code == 200
        assert response.json is not None
        assert response.json["code"] == "UNREADABLE"


def test_what_was_asked_is_compared_in_whatever_way_it_was_typed(house: House) -> None:
    response = house.verify(
        house.kz,
        vin="ｌ０ysa3b29 t0000101",
        destination="哈萨克斯坦",
        exporter="91650000ma0th03xx3",
        applied_on="2027-03-01",
    )
    assert response.json is not None
    assert response.json["coverage"]["destination"] == "equal"
    assert response.json["coverage"]["exporter"] == "equal"
    assert response.json["coverage"]["vins"][0]["window"] == {
        "n": 181,
        "state": "after",
        "through": "2027-02-28",
        "free_from": "2027-03-01",
    }
    other = house.verify(house.kz, destination="UZ").json
    assert other is not None
    assert (other["code"], other["outcome"]) == ("NOT_COVERED", "fail")


def test_sentences_are_in_the_language_that_was_asked_for(house: House) -> None:
    chinese = house.verify(house.kz, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).json
    assert chinese is not None
    assert "文件中的时间是否与时钟相符？ 通过" in [check["text"] for check in chinese["checks"]]
    response = house.client.post(f"{URL}?lang=zh", data=b"", content_type="application/pdf")
    assert response.json is not None
    assert any("此文件无法读取" in check["text"] for check in response.json["checks"])


def test_no_file_is_400(house: House) -> None:
    assert house.client.post(URL).status_code == 400
    response = house.client.post(URL, data={"vin": VIN}, content_type="multipart/form-data")
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    unchosen = {"file": (io.BytesIO(b""), "")}
    assert house.client.post(URL, data=unchosen, content_type="multipart/form-data").status_code == 400


def test_a_file_over_the_cap_is_413_however_it_comes(house: House) -> None:
    large = b"%PDF-" + b"x" * MOST_BYTES
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + large + b"\r\n--x--\r\n"
    for body, mime in ((part, "multipart/form-data; boundary=x"), (large, "application/pdf")):
        response = house.client.post(URL, data=body, content_type=mime)
        assert response.status_code == 413
        assert response.mimetype == "application/problem+json"


def test_a_body_without_a_length_is_counted_as_it_comes(house: House) -> None:
    large = b"%PDF-" + b"x" * (MOST_BYTES + 400_000)
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + large + b"\r\n--x--\r\n"
    for body, mime in ((part, "multipart/form-data; boundary=x"), (large, "application/pdf")):
        stream, unknown = io.BytesIO(body), {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        response = house.client.post(URL, input_stream=stream, content_type=mime, environ_overrides=unknown)
        assert response.status_code == 413
        assert stream.read() == b""


def test_a_body_that_comes_too_slowly_is_408(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        theirs.sendall(b"%PDF-")
        response = house.client.post(
            URL,
            content_type="application/pdf",
            environ_overrides={"gunicorn.socket": ours, "wsgi.input": stream, "CONTENT_LENGTH": "1000"},
        )
    assert response.status_code == 408


@pytest.mark.parametrize("mime", ["application/json", "text/plain", "application/x-www-form-urlencoded", "image/gif"])
def test_another_request_type_is_415(house: House, mime: str) -> None:
    assert house.client.post(URL, data=b"x", content_type=mime).status_code == 415


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, gzip"])
def test_a_compressed_body_is_refused_unread(house: House, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    body = gzip.compress(b"\0" * 1_000_000)
    assert house.client.post(URL, data=body, content_type="application/pdf", headers=headers).status_code == 415
    assert house.verify(house.kz, headers=headers).status_code == 415


def test_every_wrong_field_is_named_at_once(house: House) -> None:
    response = house.verify(
        house.kz,
        vin=[VIN, "L0YSA3B29T000010"],
        destination="Atlantis",
        exporter="91650000MA0TH03XX4",
        applied_on="2026-02-30",
    )
    assert response.status_code == 422
    assert pointers(response) == [
        ("/vin/1", "vin.length"),
        ("/destination", "destination.unknown"),
        ("/exporter", "uscc.check"),
        ("/applied_on", "date.form"),
    ]


def test_a_misspelt_field_is_refused_and_does_not_silently_compare_nothing(house: House) -> None:
    assert pointers(house.verify(house.kz, vins=VIN)) == [("/vins", "field.unknown")]
    raw = house.client.post(f"{URL}?VIN=1", data=house.kz, content_type="application/pdf")
    assert (raw.status_code, pointers(raw)) == (422, [("/VIN", "field.unknown")])
    assert pointers(house.verify(house.kz, destination=["KZ", "UZ"])) == [("/destination", "field.repeated")]


def test_two_files_are_refused(house: House) -> None:
    data = {"file": [(io.BytesIO(house.kz), "a.pdf"), (io.BytesIO(house.ae), "b.pdf")]}
    response = house.client.post(URL, data=data, content_type="multipart/form-data")
    assert (response.status_code, pointers(response)) == (422, [("/file", "field.repeated")])


def test_a_date_that_is_there_and_empty_is_refused_and_does_not_mean_today(house: House) -> None:
    response = house.verify(house.kz, applied_on=" ")
    assert (response.status_code, pointers(response)) == (422, [("/applied_on", "date.form")])
    raw = house.client.post(f"{URL}?applied_on=", data=house.kz, content_type="application/pdf")
    assert (raw.status_code, pointers(raw)) == (422, [("/applied_on", "date.form")])


def test_too_many_vins_are_refused(house: House) -> None:
    many = [f"L0YSA3B29T{place:07}" for place in range(201)]
    assert house.verify(house.kz, vin=many).status_code == 422


def test_a_verdict_is_never_stored_and_cookies_are_ignored(house: House) -> None:
    response = house.verify(house.kz, headers={"Cookie": "session=stolen"})
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers


def test_a_name_in_a_field_pointer_is_escaped(house: House) -> None:
    response = house.verify(house.kz, **{"a/b~c": "x"})
    assert pointers(response) == [("/a~1b~0c", "field.unknown")]
