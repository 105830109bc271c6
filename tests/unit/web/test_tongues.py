"""The public pages in six languages: which one is chosen, that it is whole, and that codes stay as they are."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from markupsafe import escape
from world import ROOT, TIANSHAN

from signer.domain.evidence import Asked
from signer.domain.parties import ALPHA3, country_code, country_name
from signer.domain.verdict import Code
from signer.verification import wording
from signer.web import languages
from signer.web.asking import Form
from signer.web.intake import Upload
from signer.web.languages import LANGUAGES, OTHERS, TONGUES
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from conftest import House

    from signer.web.languages import Tongue

VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
PHRASES = languages.read_phrases(ROOT / "templates" / "web" / "strings")


def begins(page: str) -> str:
    """Return the tag of a page's language and direction."""
    found = re.search(r'<html lang="([^"]+)" dir="([^"]+)">', page)
    assert found
    return f"{found[1]} {found[2]}"


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.5", "ru ltr"),
        ("kk-KZ,kk;q=0.9,ru;q=0.8,en;q=0.5", "ru ltr"),
        ("es-MX,es;q=0.9", "es ltr"),
        ("ar-AE,ar;q=0.9,en;q=0.1", "ar rtl"),
        ("fr-CI", "fr ltr"),
        ("zh-TW,zh;q=0.9", "zh-CN ltr"),
        ("de-DE,de;q=0.9", "en ltr"),
        ("", "en ltr"),
    ],
)
def test_a_public_page_speaks_what_the_browser_prefers(house: House, header: str, tag: str) -> None:
    assert begins(house.client.get("/verify", headers={"Accept-Language": header}).text) == tag


@pytest.mark.parametrize(("asked", "tag"), [("ru", "ru ltr"), ("ar-EG", "ar rtl"), ("FR", "fr ltr"), ("xx", "en ltr")])
def test_what_is_asked_for_goes_before_what_the_browser_prefers(house: House, asked: str, tag: str) -> None:
    headers = {"Accept-Language": "zh-CN"}
    assert begins(house.client.get(f"/verify?lang={asked}", headers=headers).text) == tag
    assert begins(house.client.post("/verify", data={"lang": asked, "box": "?"}, headers=headers).text) == tag


def test_what_is_behind_a_sign_in_speaks_two_languages(house: House) -> None:
    for address in ("/sign-in", "/sign-in?lang=ru", "/portal/nothing"):
        page = house.client.get(address, headers={"Accept-Language": "ru"}, follow_redirects=True).text
        assert begins(page) == "en ltr"
    assert 'class="who tongues"' not in house.client.get("/sign-in").text


def test_a_program_is_answered_in_another_language_only_if_it_names_it(house: House) -> None:
    plain = house.verify(house.kz).json
    assert house.verify(house.kz, headers={"Accept-Language": "ru"}).json["checks"] == plain["checks"]
    russian = house.verify(house.kz, lang="ru").json
    assert [check["id"] for check in russian["checks"]] == [check["id"] for check in plain["checks"]]
    assert {key for key in plain if plain[key] != russian[key]} <= {"checks", "checked_at", "receipt"}
    assert all(re.search(r"[а-я]", check["text"]) for check in russian["checks"])
    wrong = house.client.post("/api/v1/lookups?lang=es", json={"numbers": ["x"], "tail": "1"}).json
    assert wrong["title"] == "Hay un dato incorrecto"
    assert "un número tiene 14 caracteres (XXXXX-XXXXX-XXXX)" in {fault["message"] for fault in wrong["errors"]}
    assert {fault["code"] for fault in wrong["errors"]} == {"number.length", "tail.form"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_verdict_has_its_page_in_each_language(house: House, language: Tongue) -> None:
    upload, genuine = Upload(name="a.pdf", data=house.kz), house.world.verify(house.kz)
    t = PHRASES[language]
    for code in Code:
        verdict = genuine.model_copy(update={"code": code, "notices": ("NO_TIMESTAMP", "OUTLET_CLOSED")})
        with house.app.test_request_context(f"/verify?lang={language}", method="POST"):
            page = house.app.extensions["signer.pages"].verdict(verdict, asked=Asked(), filled=Form(), upload=upload)
        assert f"<title>{escape(t(f'code.{code.value}'))}" in page
        assert begins(page) == f"{language} {t.direction}"
        assert f'<code class="number" dir="ltr" translate="no">{house.kz_number}</code>' in page
        assert page.count('<code class="vin" dir="ltr" translate="no">') >= 3
        assert code.value in page
        assert len(t(f"code.{code.value}").split()) <= 10


@pytest.mark.parametrize("language", TONGUES)
def test_refusals_and_missing_pages_are_in_the_language_of_the_asker(house: House, language: Tongue) -> None:
    t = PHRASES[language]
    for answer, code in (
        (house.client.get(f"/nothing?lang={language}"), "not-found"),
        (house.client.put(f"/verify?lang={language}"), "method-not-allowed"),
        (house.client.post(f"/verify?lang={language}", data=b"x", content_type="text/plain"), "unsupported-media-type"),
    ):
        kind = KINDS[code]
        assert answer.status_code == kind.status
        assert str(escape(wording.say(f"problem.{code}", (kind.zh, kind.en), t.speech))) in answer.text
        assert begins(answer.text).endswith(t.direction)
    for code in KINDS:
        assert begins(house.client.get(f"/problems/{code}?lang={language}").text).endswith(t.direction)


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_typed_wrong_is_named_in_each_language(house: House, language: Tongue) -> None:
    told = PHRASES[language]
    for box, more, code, values in (
        ("", {}, "box.empty", {}),
        (house.kz_number, {}, "box.number-alone", {}),
        (VINS[0], {}, "box.no-number", {}),
        (f"{house.kz_number[:-1]}?", {}, "", {}),
        (f"{house.kz_number}\n{VINS[0]}\n{VINS[1]}", {}, "field.missing.destination", {}),
        (f"{house.kz_number}\n{VINS[0]}", {"destination": "Atlantis"}, "destination.unknown", {}),
        (f"{house.kz_number}\n{VINS[0]}", {"applied_on": "31.02.2026"}, "date.form", {}),
        (VINS[0][:-1], {}, "box.vin", {"line": 1, "text": VINS[0][:-1], "length": 16}),
    ):
        answer = house.ask(box=box, lang=language, **more)
        assert answer.status_code == 422
        if code:
            text = str(escape(told(f"fault.{code}", **values)))
            assert text[1:] in answer.text, code
        assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"<[^>]+>|中文|确", "", answer.text))


def test_a_destination_may_be_typed_in_each_language(house: House) -> None:
    for language in TONGUES:
        assert [code for code in ALPHA3 if country_code(country_name(code, language)) != code] == []
    box = "\n".join((house.kz_number, *VINS))
    page = house.ask(box=box, destination="Казахстан", exporter=TIANSHAN, lang="ru").text
    assert "<title>Подтверждено реестром" in page


def test_days_times_and_amounts_are_in_the_form_of_the_language() -> None:
    day, at = date(2026, 6, 5), datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
    assert [PHRASES[language].day(day).replace("\u202f", " ") for language in TONGUES] == [
        *("2026-06-05", "2026-06-05", "5 июня 2026 г.", "5 de junio de 2026", "5 يونيو 2026", "5 juin 2026"),
    ]
    assert PHRASES["zh"].instant(at) == "2026-11-30 17:05 (UTC+8)"
    assert PHRASES["ru"].instant(at).replace("\u202f", " ") == "30 ноября 2026 г., 17:05 (UTC+8)"
    assert PHRASES["es"].amount(1_234_567) == "1.234.567"
    assert PHRASES["ru"].measured(3, "duration-year") == "3 года"
    for language in TONGUES:
        for unit in ("duration-day", "duration-month", "duration-year", "length-kilometer"):
            assert unit not in PHRASES[language].measured(36, unit)


def test_among_words_from_right_to_left_a_value_keeps_its_own_order() -> None:
    told = PHRASES["ar"]("outlet.closed", on="2026-06-05")
    assert "\N{FIRST STRONG ISOLATE}2026-06-05\N{POP DIRECTIONAL ISOLATE}" in told
    assert "\N{FIRST STRONG ISOLATE}" not in PHRASES["ru"]("outlet.closed", on="2026-06-05")


def test_each_page_leads_to_itself_in_the_other_languages(house: House) -> None:
    page = house.client.get("/verify/without-us?lang=ar").text
    for language in TONGUES:
        link = f'href="/verify/without-us?lang={language}" lang="{languages.TAGS[language]}"'
        assert (link in page) == (language != "ar")
    assert 'href="/verify?lang=ru"' in house.ask(("a.pdf", house.kz), lang="ar").text


def test_a_language_that_lacks_a_phrase_is_refused_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("strings")
    (folder / "told").mkdir()
    for language in TONGUES:
        (folder / f"{language}.json").write_text('{"a": "x"}')
        if language not in LANGUAGES:
            (folder / "told" / f"{language}.json").write_text('{"b": "x"}')
    assert languages.read_phrases(folder)["fr"]("b") == "x"
    (folder / "told" / "ar.json").write_text("{}")
    with pytest.raises(ValueError, match="lacks"):
        languages.read_phrases(folder)
    (folder / "told" / "ar.json").write_text('{"b": "x"}')
    (folder / "es.json").write_text('{"a": "x", "c": "y"}')
    with pytest.raises(ValueError, match="lacks"):
        languages.read_phrases(folder)


def test_a_day_written_with_hyphens_stands_apart_among_arabic_words() -> None:
    """Without that, 2026-01-31 is drawn as 31-01-2026 there: its numbers are put in order from the right."""
    isolated = re.compile("\N{LEFT-TO-RIGHT ISOLATE}[0-9-]+\N{POP DIRECTIONAL ISOLATE}")
    for key in ("form.date-form", "form.applied-hint", "fault.date.form", "car.registered-hint"):
        assert isolated.search(PHRASES["ar"](key)), key
    for path in (ROOT / "templates" / "web" / "strings").rglob("*ar.json"):
        bare = isolated.sub(
            "", path.read_text(encoding="utf-8").replace("\\u2066", "\u2066").replace("\\u2069", "\u2069")
        )
        assert not re.search(r"\d+-\d+-\d+", bare), path.name
