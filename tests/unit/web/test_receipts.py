"""Every answer comes with a signed receipt, on the page and by the API, which says what was told and nothing more."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import structlog
import world as worlds
from apps import create_app

from signer.domain.evidence import Asked
from signer.domain.receipt import NOTICE, LicenceClaims, VerdictClaims

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import House

VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
TIANSHAN = worlds.TIANSHAN
UNKNOWN = "00000-00000-0000"
ALWAYS = {
    "iss",
    "jti",
    "iat",
    "notice",
    "test",
    "trust_list",
    "policy",
    "software",
    "question",
    "kind",
    "outcome",
    "log_head",
}


def claims_of(house: House, token: str) -> dict[str, Any]:
    """Return what a receipt says, after it was found genuine."""
    found = house.world.services.receipts.examine(token.encode())
    assert found.state == "genuine", found
    assert isinstance(found.claims, VerdictClaims | LicenceClaims)
    plain: dict[str, Any] = found.claims.model_dump(mode="json", exclude_none=True)
    return plain


def ask(house: House, url: str, **question: object) -> dict[str, Any]:
    response = house.client.post(f"/api/v1/{url}", json=question)
    assert response.status_code == 200
    assert response.json is not None
    return dict(response.json)


def told(plain: object) -> set[str]:
    """Return every single value somewhere in an answer, as text."""
    if isinstance(plain, dict):
        return {leaf for value in plain.values() for leaf in told(value)}
    if isinstance(plain, list):
        return {leaf for value in plain for leaf in told(value)}
    return set() if plain is None else {str(plain)}


def test_the_receipt_of_a_file_says_what_was_asked_and_answered(house: House) -> None:
    answer: Any = house.verify(house.kz, vin=[VINS[0], "LVVDB11B0TE000009"], destination="KZ").json
    claims = claims_of(house, answer["receipt"])
    assert claims["subject"] == {"sha256": hashlib.sha256(house.kz).hexdigest(), "size": len(house.kz)}
    assert claims["question"] == {"vins": [VINS[0], "LVVDB11B0TE000009"], "destination": "KZ"}
    for name in ("code", "outcome", "reason", "test", "number", "issuer", "parts", "policy", "proven_at", "proven_by"):
        assert claims[name] == answer[name]
    assert (claims["notice"], claims["iss"], claims["trust_list"]) == (NOTICE, "http://127.0.0.1:8000", 1)
    assert [vin["state"] for vin in claims["coverage"]["vins"]] == ["matched", "missing"]
    assert [(check["id"], check["state"]) for check in claims["checks"]] == [
        (check["id"], check["state"]) for check in answer["checks"]
    ]


def test_a_receipt_tells_nothing_that_the_answer_did_not(house: House) -> None:
    altered = house.kz[:9000] + bytes([house.kz[9000] ^ 1]) + house.kz[9001:]
    questions: list[tuple[dict[str, Any], str]] = [
        (house.verify(pdf, vin=VINS[0]).json or {}, VINS[0]) for pdf in (house.kz, altered, b"", house.ae)
    ]
    questions += [
        (ask(house, "lookups", numbers=[house.kz_number], tail=VINS[0][-6:]), house.kz_number + VINS[0][-6:]),
        (ask(house, "lookups", numbers=[UNKNOWN], tail="000000"), UNKNOWN + "000000"),
    ]
    for answer, typed in questions:
        claims = claims_of(house, answer.pop("receipt"))
        extra, known = len(answer["coverage"]["extra"]), told(answer)
        assert claims.get("coverage", {}).pop("extra") == extra
        claims.pop("subject")
        new = told({name: value for name, value in claims.items() if name not in ALWAYS}) - known
        assert not new
        assert all(value in typed for value in told(claims["question"]))
    assert VINS[1] not in json.dumps(claims_of(house, house.verify(house.kz, vin=VINS[0]).json["receipt"]))  # type: ignore[index]


def test_a_look_up_has_one_too_and_its_tail_is_all_that_was_compared(house: House) -> None:
    claims = claims_of(house, ask(house, "lookups", numbers=[house.kz_number.lower()], tail=VINS[1])["receipt"])
    assert (claims["code"], claims["subject"]) == ("ON_RECORD", {"number": house.kz_number})
    assert claims["question"] == {"vins": [], "tail": VINS[1][-6:]}
    whole = {"vins": list(VINS), "destination": "KZ", "exporter": TIANSHAN}
    claims = claims_of(house, ask(house, "lookups", numbers=[house.kz_number], **whole)["receipt"])
    assert (claims["code"], claims["question"]) == ("COVERED", whole)
    digest = "ab" * 32
    claims = claims_of(house, ask(house, "lookups", sha256=digest.upper())["receipt"])
    assert (claims["code"], claims["subject"]) == ("INDETERMINATE", {"sha256": digest})
    several = ask(house, "lookups", numbers=[house.kz_number, house.ae_number], **whole)
    assert claims_of(house, several["receipt"])["subject"] == {"numbers": [house.kz_number, house.ae_number]}


def test_an_unknown_number_and_a_wrong_tail_get_receipts_that_are_alike(house: House) -> None:
    unknown = ask(house, "lookups", numbers=[UNKNOWN], tail="999999")
    wrong = ask(house, "lookups", numbers=[house.kz_number], tail="999999")
    assert len(unknown["receipt"]) == len(wrong["receipt"])
    found = [claims_of(house, answer.pop("receipt")) for answer in (unknown, wrong)]
    assert unknown == wrong
    for claims in found:
        for name in ("jti", "subject"):
            claims.pop(name)
    assert found[0] == found[1]


def test_a_licence_has_one_receipt_for_the_whole_table(house: House) -> None:
    files = [("a.pdf", house.kz), ("a.pdf", b"")]
    fields = {"vin": [*VINS, "LVVDB11B0TE000009"], "destination": "KZ", "exporter": TIANSHAN}
    response = house.client.post(
        "/api/v1/licence-checks",
        data={"file": [(io.BytesIO(data), name) for name, data in files], "number": house.ae_number, **fields},
        content_type="multipart/form-data",
    )
    answer: Any = response.json
    assert [source["verdict"]["receipt"] for source in answer["sources"]] == [None] * 3
    claims = claims_of(house, answer["receipt"])
    assert claims["kind"] == "licence"
    assert claims["question"] == {
        "vins": fields["vin"],
        "destination": "KZ",
        "exporter": TIANSHAN,
        "applied_on": answer["applied_on"],
    }
    assert (claims["matched"], claims["asked"], claims["outcome"]) == (3, 4, answer["outcome"])
    assert [(row["vin"], row["state"], row.get("number")) for row in claims["rows"]] == [
        (row["vin"], row["state"], row["number"]) for row in answer["rows"][:4]
    ]
    assert [source["subject"] for source in claims["sources"]] == [
        {"sha256": answer["sources"][0]["sha256"], "size": len(house.kz)},
        {"sha256": answer["sources"][1]["sha256"], "size": 0},
        {"number": house.ae_number},
    ]
    assert answer["sources"][0]["sha256"] != answer["sources"][1]["sha256"]
    assert [source["code"] for source in claims["sources"]] == [
        source["verdict"]["code"] for source in answer["sources"]
    ]
    for source, shown in zip(claims["sources"], answer["sources"], strict=True):
        assert [(check["id"], check["state"]) for check in source["checks"]] == [
            (check["id"], check["state"]) for check in shown["verdict"]["checks"] if check["state"] != "passed"
        ]
    assert claims["jti"] in answer["line"]
    assert "a.pdf" not in json.dumps(claims)


def _receipt_on(page: str) -> tuple[str, str, str]:
    """Return the receipt of a page as saved, as text, and its id as the case file's line tells it."""
    (href,) = re.findall(r'href="data:application/jwt;base64,([^"]+)" download="receipt-[0-9A-Z-]{19}\.jwt"', page)
    (text,) = re.findall(r"<textarea readonly[^>]*>\s*([^<]+)</textarea>", page)
    (line,) = re.findall(r'<code class="breaks" dir="ltr" translate="no">([^<]+)</code>', page)
    return base64.b64decode(href).decode(), text, html.unescape(line).rpartition(" ")[2]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", ["file", "record", "licence"])
def test_the_page_offers_the_receipt_without_scripts_and_its_id_is_in_the_line(
    house: House, kind: str, lang: str
) -> None:
    files: tuple[tuple[str, bytes], ...] = () if kind == "record" else (("a.pdf", house.kz), ("b.pdf", house.ae))
    typed = {"box": "\n".join(VINS), "destination": "KZ", "exporter": TIANSHAN}
    fields = {"box": f"{house.kz_number}\n{VINS[0][-6:]}"} if kind == "record" else typed
    page = house.ask(*(files[:1] if kind == "file" else files), lang=lang, **fields).get_data(as_text=True)
    saved, text, jti = _receipt_on(page)
    assert saved == text
    claims = claims_of(house, saved)
    assert claims["jti"] == jti
    assert claims["kind"] == ("licence" if kind == "licence" else "verdict")
    head = page[page.index('<div class="print report">') : page.index('<section class="banner')]
    assert all(shown in head for shown in (jti, "127.0.0.1:8000", "2026-11-22 11:00"))
    assert ("不说明今天" if lang == "zh" else "says nothing about today") in head


def test_the_paper_report_names_what_was_asked_as_typed_and_is_no_markup(house: House) -> None:
    page = house.ask(("<b>.pdf", b""), box=f"{VINS[0]}\n", exporter=TIANSHAN, destination="KZ").get_data(as_text=True)
    head = page[page.index('<div class="print report">') : page.index('<section class="banner')]
    assert all(shown in head for shown in ("&lt;b&gt;.pdf", VINS[0], "KZ", TIANSHAN))


def test_without_a_receipt_key_every_answer_stands_and_the_reason_is_logged_once(
    template_folder: Path, tmp_path: Path
) -> None:
    world = worlds.World(worlds.copy(template_folder, tmp_path / "data"))
    (world.settings.keys / "receipt.pem").unlink()
    client = create_app(world.services, clock=lambda: world.at).test_client()
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            answer = client.post("/api/v1/verify", data=b"", content_type="application/pdf")
        page = client.post("/verify", data={"box": "ab" * 32, "lang": "en"}).get_data(as_text=True)
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"], answer.json["receipt"]) == (200, "UNREADABLE", None)
    assert "application/jwt" not in page
    assert "none: this service has no receipt key" in page
    (why,) = [entry for entry in logged if entry["event"] == "receipt.none"]
    assert "no receipt key is there" in why["reason"]
    world.services.database.close()


def test_a_question_that_no_receipt_can_hold_spoils_no_answer(house: House) -> None:
    receipts, verdict = house.world.services.receipts, house.world.verify(b"")
    for vin in ("\udc80", "X" * 401):
        assert receipts.of_file(verdict, b"", Asked(vins=(vin,))) is None
    assert receipts.of_file(verdict, b"", Asked(vins=("X" * 400,))) is not None


def test_no_two_receipts_have_one_id(house: House) -> None:
    receipts, verdict = house.world.services.receipts, house.world.verify(b"")
    found = [receipts.of_file(verdict, b"", Asked()) for _ in range(20)]
    assert len({made.jti for made in found if made is not None}) == 20
