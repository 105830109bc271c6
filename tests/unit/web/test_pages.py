"""The pages: what they say for every code; what was typed is kept; nothing from outside is markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import world as worlds
from markupsafe import escape

from signer import resources
from signer.domain.evidence import Asked, State
from signer.domain.verdict import Code, Parts
from signer.verification import wording
from signer.web import languages
from signer.web.asking import Form
from signer.web.intake import Upload

if TYPE_CHECKING:
    from conftest import House

    from signer.verification.wording import Language

VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
FOLDER = resources.templates_dir() / "web"
HOSTILE = '"><img src=x onerror=alert(1)>{{7*7}}'


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_page_whose_title_begins_with_the_verdict(
    house: House, code: Code, language: Language
) -> None:
    verdict = house.world.verify(house.kz).model_copy(update={"code": code})
    upload = Upload(name="a.pdf", data=house.kz)
    with house.app.test_request_context(f"/verify?lang={language}", method="POST"):
        page = house.app.extensions["signer.pages"].verdict(verdict, asked=Asked(), filled=Form(), upload=upload)
    assert f"<title>{escape(wording.banner(code, language))}" in page
    assert f'<section class="banner banner-{code.colour}"' in page
    assert f'<html lang="{languages.TAGS[language]}" dir="ltr">' in page
    banner = text_of(page[page.index("<h1") : page.index("</section>")])
    assert len(banner.split()) <= 12
    assert re.search(r'<h1 id="verdict" tabindex="-1" autofocus', page)


def test_the_page_follows_its_order(house: House) -> None:
    page = house.ask(("kz.pdf", house.kz), box=VINS[0]).get_data(as_text=True)
    order = ["verdict", "means", "answers", "content", "compare", "details", "keep", "again", "not-proven"]
    assert [name for name in re.findall(r'aria-labelledby="([a-z-]+)"', page) if name in order] == order


def test_a_test_answer_says_so_at_the_top(house: House) -> None:
    page = house.ask(("kz.pdf", house.kz)).get_data(as_text=True)
    assert re.search(r"<title>Valid · TEST", page)
    assert page.count("TEST</strong>") >= 3


def test_nothing_of_an_altered_file_is_shown_but_its_number(house: House) -> None:
    middle = len(house.kz) // 2
    altered = house.kz[:middle] + bytes([house.kz[middle] ^ 1]) + house.kz[middle + 1 :]
    page = house.ask(("kz.pdf", altered)).get_data(as_text=True)
    assert "Not as it was sealed" in page
    assert VINS[0] not in text_of(page)
    assert "Almaty" not in page


def test_a_vin_is_shown_in_groups_and_copied_whole(house: House) -> None:
    page = house.ask(("kz.pdf", house.kz)).get_data(as_text=True)
    assert "<span>L0Y</span><span>SA3B29</span><span>T0000101</span>" in page
    assert f'data-copy="{VINS[0]}"' in page


def test_number_and_tail_in_the_box_show_the_record(house: House) -> None:
    page = house.ask(box=f"{house.kz_number}\n{VINS[1][-6:]}", lang="zh").get_data(as_text=True)
    assert "<title>有此记录" in page
    assert "没有检查纸面" in page


def test_numbers_vins_and_fields_are_covered(house: House) -> None:
    page = house.ask(box="\n".join((house.kz_number, *VINS)), destination="Kazakhstan", exporter=worlds.TIANSHAN)
    assert "<title>Covered by the register" in page.get_data(as_text=True)


def test_several_files_are_a_licence(house: House) -> None:
    files = (("kz.pdf", house.kz), ("ae.pdf", house.ae))
    page = house.ask(*files, box="\n".join(VINS), destination="KZ", exporter=worlds.TIANSHAN).get_data(as_text=True)
    assert "3 of 3 VINs covered" in page
    assert "data:text/csv;base64," in page


def test_vins_may_come_in_a_csv_in_either_encoding(house: House) -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        sheet = ("车架号,品牌\n" + "".join(f"{vin},云舟\n" for vin in VINS)).encode(encoding)
        page = house.ask(("kz.pdf", house.kz), ("licence.csv", sheet)).get_data(as_text=True)
        assert page.count("Listed, in force") >= 3


def test_what_was_typed_is_kept_and_every_fault_is_linked_to_its_field(house: House) -> None:
    response = house.ask(box="L0YSA3B29T000010", destination="Atlantis", exporter="1", applied_on="soon")
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "<title>Please mend" in page
    for place in ("box", "destination", "exporter", "applied_on"):
        assert f'<a href="#{place}">' in page
        assert f'id="{place}-wrong"' in page
    assert 'value="Atlantis"' in page
    assert "L0YSA3B29T000010</textarea>" in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Choose a PDF"),
        ({"box": "NUMBER"}, "A number alone is not enough"),
        ({"box": VINS[0]}, "number, or its PDF, is needed"),
        ({"box": "NUMBER\n" + "\n".join(VINS)}, "Give the destination"),
        ({"box": "hello"}, "not understood: hello"),
    ],
)
def test_what_is_missing_is_asked_for(house: House, fields: dict[str, str], told: str) -> None:
    filled = {name: text.replace("NUMBER", house.kz_number) for name, text in fields.items()}
    response = house.ask(**filled)
    assert response.status_code == 422
    assert told in response.get_data(as_text=True)


def test_nothing_from_outside_becomes_markup(house: House) -> None:
    for response in (
        house.ask((f"{HOSTILE}.pdf", house.kz), box=f"{VINS[0]}\n", destination="KZ"),
        house.ask((f"{HOSTILE}.pdf", b"")),
        house.ask(box=HOSTILE, destination=HOSTILE, exporter=HOSTILE, applied_on=HOSTILE),
        house.client.get("/verify", query_string={"number": HOSTILE, "lang": HOSTILE}),
        house.client.get(f"/{HOSTILE}"),
    ):
        page = response.get_data(as_text=True)
        assert "<img" not in page
        assert "49" not in re.findall(r">([^<]*49[^<]*)<", page)


def test_a_name_is_never_a_path(house: House) -> None:
    page = house.ask(("../../etc/passwd\u202e.pdf", b"")).get_data(as_text=True)
    assert "etc/" not in page
    assert "passwd" in page
    assert "\u202e" not in page


def test_no_page_has_inline_script_or_style() -> None:
    for path in FOLDER.glob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*src=)|javascript:|https?://", source), (
            path.name
        )


def test_the_pages_speak_six_languages() -> None:
    phrases = languages.read_phrases(FOLDER / "strings")
    assert set(phrases) == {"zh", "en", "ru", "es", "ar", "fr"}


def test_the_form_asks_for_nothing_that_needs_a_cookie(house: House) -> None:
    response = house.client.get("/verify")
    assert "Set-Cookie" not in response.headers
    assert response.status_code == 200


def test_look_alikes_are_hinted_at(house: House) -> None:
    page = house.ask(("kz.pdf", house.kz), box="L0YSA3B29T000O101").get_data(as_text=True)
    assert "was 1 or 0 meant?" in page


def test_near_the_edge_both_readings_are_shown(house: House) -> None:
    page = house.ask(("kz.pdf", house.kz), box=VINS[0], applied_on="2027-03-01").get_data(as_text=True)
    assert "consider both" in page


def test_editing_again_shows_the_form_with_everything_kept(house: House) -> None:
    page = house.ask(box="abc", destination="KZ", step="edit").get_data(as_text=True)
    assert "abc</textarea>" in page
    assert 'value="KZ"' in page


def test_an_unproven_part_is_never_shown_as_a_yes(house: House) -> None:
    parts = Parts(integrity=State.UNDETERMINED, seal=State.UNDETERMINED, standing=State.UNDETERMINED)
    verdict = house.world.verify(house.kz).model_copy(update={"code": Code.INDETERMINATE, "parts": parts})
    with house.app.test_request_context("/verify?lang=en", method="POST"):
        page = house.app.extensions["signer.pages"].verdict(verdict, asked=Asked(), filled=Form())
    assert "answer-yes" not in page
    assert page.count("answer answer-open") == 3
