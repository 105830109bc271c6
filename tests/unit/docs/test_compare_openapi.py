"""What breaks whoever relies on a description, made by hand one at a time; and what does not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import compare_openapi
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]
COMMITTED = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def described() -> Schema:
    """A small API: one operation that takes and answers a thing."""
    thing = {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "kind"],
        "properties": {
            "name": {"type": "string", "maxLength": 20, "minLength": 2, "pattern": "^a"},
            "kind": {"enum": ["x", "y"], "type": "string"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "count": {"type": "integer"},
            "day": {"type": "string", "format": "date"},
            "parts": {"type": "array", "maxItems": 5, "items": {"$ref": "#/components/schemas/Part"}},
        },
    }
    part = {"type": "object", "required": ["of"], "properties": {"of": {"$ref": "#/components/schemas/Part"}}}
    named = {"schema": {"$ref": "#/components/schemas/Thing"}}
    told = {"schema": {"$ref": "#/components/schemas/Told"}}
    operation = {
        "security": [{"token": ["read", "write"]}],
        "parameters": [
            {"in": "query", "name": "q", "schema": {"type": "string", "enum": ["a", "b"]}},
            {"in": "header", "name": "H", "required": True, "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {"application/json": named, "text/csv": {"schema": {"type": "string"}}}},
        "responses": {
            "200": {"description": "", "headers": {"ETag": {}}, "content": {"application/json": told}},
            "404": {"description": ""},
        },
    }
    return {
        "paths": {"/things": {"post": operation, "get": {"responses": {}}}, "/others": {"get": {"responses": {}}}},
        "components": {"schemas": {"Thing": thing, "Told": copy.deepcopy(thing), "Part": part}},
    }


def post(document: Schema) -> Schema:
    return document["paths"]["/things"]["post"]


def taken(document: Schema) -> Schema:
    return document["components"]["schemas"]["Thing"]


def told(document: Schema) -> Schema:
    return document["components"]["schemas"]["Told"]


def new_parameter(document: Schema, *, required: bool) -> None:
    post(document)["parameters"].append({"in": "query", "name": "n", "required": required, "schema": {}})


BREAKAGES: dict[str, tuple[Callable[[Schema], object], str]] = {
    "a path less": (lambda d: d["paths"].pop("/others"), "GET /others: is gone"),
    "an operation less": (lambda d: d["paths"]["/things"].pop("get"), "GET /things: is gone"),
    "a status less": (lambda d: post(d)["responses"].pop("404"), "404 is no longer answered"),
    "a header of an answer less": (lambda d: post(d)["responses"]["200"]["headers"].pop("ETag"), "no header ETag"),
    "a type of answer less": (lambda d: post(d)["responses"]["200"].pop("content"), "no longer given as"),
    "a type of body less": (lambda d: post(d)["requestBody"]["content"].pop("text/csv"), "text/csv is no longer taken"),
    "a body that is needed": (lambda d: post(d)["requestBody"].update(required=True), "a body is needed now"),
    "a parameter that is needed": (lambda d: new_parameter(d, required=True), "query parameter n is needed"),
    "a parameter needed by now": (lambda d: post(d)["parameters"][0].update(required=True), "parameter q is needed"),
    "a parameter less": (lambda d: post(d)["parameters"].pop(0), "the query parameter q is gone"),
    "a parameter's word less": (lambda d: post(d)["parameters"][0]["schema"]["enum"].pop(), "b is no longer taken"),
    "a right that opens it less": (lambda d: post(d)["security"][0]["token"].pop(), "the right write no longer"),
    "a token": (lambda d: d["paths"]["/others"]["get"].update(security=[{"token": ["x"]}]), "needs a token now"),
    "a field that is needed": (lambda d: taken(d)["required"].append("count"), "takes/count is needed now"),
    "a field less that is taken": (lambda d: taken(d)["properties"].pop("count"), "takes/count is no longer taken"),
    "another type": (lambda d: taken(d)["properties"]["count"].update(type="string"), "integer is no longer taken"),
    "null no longer taken": (lambda d: taken(d)["properties"]["note"]["anyOf"].pop(), "null is no longer taken"),
    "a word less": (lambda d: taken(d)["properties"]["kind"]["enum"].pop(), "y is no longer taken"),
    "only some words": (lambda d: taken(d)["properties"]["name"].update(enum=["ab"]), "only some words are taken"),
    "another pattern": (lambda d: taken(d)["properties"]["name"].update(pattern="^b"), "takes/name: another pattern"),
    "a new pattern": (lambda d: taken(d)["properties"]["day"].update(pattern="^2"), "takes/day: another pattern"),
    "a new format": (lambda d: taken(d)["properties"]["name"].update(format="uri"), "takes/name: another format"),
    "shorter texts": (lambda d: taken(d)["properties"]["name"].update(maxLength=10), "another maxLength"),
    "longer texts": (lambda d: taken(d)["properties"]["name"].update(minLength=3), "another minLength"),
    "shorter lists": (lambda d: taken(d)["properties"]["parts"].update(maxItems=4), "another maxItems"),
    "a field less that is told": (lambda d: told(d)["properties"].pop("count"), "200 answers/count is gone"),
    "a field that may be absent": (lambda d: told(d)["required"].pop(), "200 answers/kind may be absent now"),
    "a field that may be null": (
        lambda d: told(d)["properties"].update(day={"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}),
        "200 answers/day: may be null now",
    ),
    "a field that may be null, told as types": (
        lambda d: told(d)["properties"]["count"].update(type=["integer", "null"]),
        "200 answers/count: may be null now",
    ),
    "a field of another type": (lambda d: told(d)["properties"]["count"].update(type="string"), "may be string now"),
    "any word at all": (lambda d: told(d)["properties"]["kind"].pop("enum"), "may be any word now"),
    "a field of another form": (lambda d: told(d)["properties"]["day"].pop("format"), "answers/day: another format"),
    "a field deep inside": (
        lambda d: d["components"]["schemas"]["Part"]["properties"].update(of={"type": "string"}),
        "takes/parts/…/of: object is no longer taken",
    ),
}
HARMLESS: dict[str, Callable[[Schema], object]] = {
    "a path more": lambda d: d["paths"].update({"/more": {"get": {"responses": {}}}}),
    "a status more": lambda d: post(d)["responses"].update({"409": {"description": ""}}),
    "a parameter more": lambda d: new_parameter(d, required=False),
    "a token taken where none is needed": lambda d: d["paths"]["/others"]["get"].update(
        security=[{}, {"token": ["x"]}]
    ),
    "a right more": lambda d: post(d)["security"][0]["token"].append("other"),
    "a field more that is taken": lambda d: taken(d)["properties"].update(more={"type": "string"}),
    "a field more that is told": lambda d: told(d)["properties"].update(more={"type": "string"}),
    "a field told always by now": lambda d: told(d)["required"].append("count"),
    "a field more that is always told": lambda d: (
        told(d)["properties"].update(more={"type": "string"}) or told(d)["required"].append("more")
    ),
    "a field no longer needed": lambda d: taken(d)["required"].pop(),
    "null taken": lambda d: taken(d)["properties"].update(count={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    "null no longer told": lambda d: told(d)["properties"].update(note={"type": "string"}),
    "a word more that is taken": lambda d: taken(d)["properties"]["kind"]["enum"].append("z"),
    "a word more that is told": lambda d: told(d)["properties"]["kind"]["enum"].append("z"),
    "longer texts taken": lambda d: taken(d)["properties"]["name"].update(maxLength=30),
    "shorter texts told": lambda d: told(d)["properties"]["name"].update(maxLength=10),
    "fractions taken": lambda d: taken(d)["properties"]["count"].update(type="number"),
    "other words for people": lambda d: post(d).update(summary="else", description="else"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_breaks_is_told_once_and_named(name: str) -> None:
    change, told_as = BREAKAGES[name]
    new = described()
    change(new)
    found = [str(each) for each in compare_openapi.breaks(described(), new)]
    assert [line for line in found if told_as in line], found
    assert len(found) == 1 + (name == "a field deep inside")  # which is both taken and told


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_break_is_not_told(name: str) -> None:
    new = described()
    HARMLESS[name](new)
    assert new != described()
    assert compare_openapi.breaks(described(), new) == []


def test_the_committed_description_breaks_nothing_of_itself() -> None:
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert compare_openapi.breaks(committed, committed) == []


def test_the_script_tells_what_breaks_between_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    new = described()
    post(new)["responses"].pop("404")
    for name, document in (("old", described()), ("new", new)):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["compare_openapi.py", str(tmp_path / "old"), str(tmp_path / "new")])
    assert compare_openapi.main() == 1
    assert capsys.readouterr().out == "POST /things: 404 is no longer answered\n"
    monkeypatch.setattr("sys.argv", ["compare_openapi.py", str(tmp_path / "new"), str(tmp_path / "old")])
    assert compare_openapi.main() == 0
