"""The pages that explain the API: its whole description is on them, in two languages, and links lead somewhere."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from world import ROOT

from signer.web import guide
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from conftest import House


STRINGS = ROOT / "templates" / "web" / "strings" / "portal"


@pytest.fixture(scope="module")
def document(house: House) -> Any:
    return json.loads(house.client.get("/api/v1/openapi.json").data)


@pytest.fixture(scope="module")
def pages(house: House, document: Any) -> dict[str, str]:
    """Every page, by its address, in both languages."""
    names = ["", "/shapes", *(f"/{tag['name']}" for tag in document["tags"])]
    addresses = [f"/docs{name}?lang={tag}" for name in names for tag in ("zh-CN", "en")]
    answers = {address: house.client.get(address) for address in addresses}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {address: answer.text for address, answer in answers.items()}


def test_every_operation_has_its_place_on_its_rooms_page_and_in_the_list(document: Any, pages: dict[str, str]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            room = operation["tags"][0]
            for tag in ("zh-CN", "en"):
                page = pages[f"/docs/{room}?lang={tag}"]
                assert f'<h2 id="{operation["operationId"]}" lang="en">{operation["summary"]}</h2>' in page.replace(
                    "&#39;", "'"
                ), (method, path)
                assert f'href="/docs/{room}?lang={tag}#{operation["operationId"]}"' in pages[f"/docs?lang={tag}"]


def test_every_parameter_status_and_problem_of_an_operation_is_told(document: Any) -> None:
    read = {one.id: one for room in guide.read(document).rooms for one in room.operations}
    for methods in document["paths"].values():
        for operation in methods.values():
            one = read[operation["operationId"]]
            assert [each.name for each in one.parameters] == [each["name"] for each in operation.get("parameters", [])]
            told = {each.status for each in one.replies} | {str(each.status) for each in one.troubles}
            assert told == set(operation["responses"])
            assert {each.kind for each in one.bodies} == set(operation.get("requestBody", {}).get("content", {}))


def test_an_operation_that_needs_no_token_says_so_and_what_a_token_needs(document: Any, pages: dict[str, str]) -> None:
    read = {one.id: one for room in guide.read(document).rooms for one in room.operations}
    assert (read["verify"].is_open, read["create_draft"].is_open) == (True, False)
    assert "no token needed; one that is sent must have" in " ".join(pages["/docs/verifying?lang=en"].split())
    assert "no token needed" not in pages["/docs/drafts?lang=en"]


def test_every_room_has_a_name_in_both_languages(document: Any) -> None:
    for language in ("zh", "en"):
        told = json.loads((STRINGS / f"docs.{language}.json").read_text(encoding="utf-8"))
        assert [tag["name"] for tag in document["tags"] if f"docs.room.{tag['name']}" not in told] == [], language


def test_every_code_of_a_problem_is_listed_with_its_page(pages: dict[str, str]) -> None:
    for code, kind in KINDS.items():
        assert f'href="/problems/{code}?lang=en"' in pages["/docs?lang=en"]
        assert kind.zh in pages["/docs?lang=zh-CN"]


def test_every_link_and_every_anchor_leads_somewhere(house: House, pages: dict[str, str]) -> None:
    known = dict(pages)
    for address, page in pages.items():
        for href in set(re.findall(r'href="([^"]+)"', page)):
            place, _, anchor = href.partition("#")
            place = place.replace("&amp;", "&") or address
            if place.startswith("/static/"):
                continue
            if place not in known:
                answer = house.client.get(place)
                assert answer.status_code in (200, 302, 303), href
                known[place] = answer.text
            assert not anchor or f'id="{anchor}"' in known[place], href


def test_they_are_in_chinese_or_english_with_the_descriptions_marked_as_english(
    house: House, pages: dict[str, str]
) -> None:
    zh, en = pages["/docs/drafts?lang=zh-CN"], pages["/docs/drafts?lang=en"]
    assert '<html lang="zh-CN"' in zh
    assert "请求正文" in zh
    assert '<html lang="en"' in en
    assert "请求正文" not in en
    assert house.client.get("/docs", headers={"Accept-Language": "ru"}).text.count('<html lang="en"') == 1


def test_a_room_that_is_none_is_not_found(house: House) -> None:
    assert house.client.get("/docs/nothing").status_code == 404


def test_what_a_value_may_be_is_told_in_words() -> None:
    schema = {
        "required": ["a"],
        "properties": {
            "a": {"type": "array", "maxItems": 3, "items": {"$ref": "#/components/schemas/X"}},
            "b": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "c": {"enum": ["x", "y"], "type": "string", "default": "x"},
            "d": {"type": "integer", "minimum": 1, "maximum": 9},
        },
    }
    document = {
        "paths": {},
        "tags": [],
        "components": {"schemas": {"Y": schema}, "examples": {}},
    }
    fields = {one.name: one for one in guide.read(document).shapes[0].fields}
    assert (fields["a"].kind, fields["a"].shape, fields["a"].is_needed) == ("list of X", "X", True)
    assert fields["b"].kind == "date or null"
    assert (fields["c"].words, fields["c"].limits) == (("x", "y"), ('default "x"',))
    assert fields["d"].limits == ("≥ 1", "≤ 9")
