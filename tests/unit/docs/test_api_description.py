"""The committed description of the API: what the code gives, OpenAPI 3.1, and it breaks for nobody unsaid."""

from __future__ import annotations

import json
from typing import Any

import api_description
import api_page
import jsonschema_rs
import pytest
from schemathesis.specs.openapi import definitions

Schema = dict[str, Any]
DRAFTS = "/api/v1/drafts"


@pytest.fixture(scope="module")
def described() -> Schema:
    return api_description.described()


@pytest.fixture
def committed() -> Schema:
    return json.loads(api_description.PLACE.read_text(encoding="utf-8"))


def test_the_committed_description_is_the_one_that_the_code_gives(described: Schema) -> None:
    # not asserted as texts: pytest would compare 300 kB line by line
    is_same = api_description.PLACE.read_text(encoding="utf-8") == api_description.text(described)
    assert is_same, "run `make docs`"


def test_the_committed_page_is_the_one_that_the_description_gives(described: Schema) -> None:
    is_same = api_description.PAGE.read_text(encoding="utf-8") == api_page.page(described)
    assert is_same, "run `make docs`"


def test_it_is_the_same_each_time_and_names_no_deployment(described: Schema) -> None:
    is_same = api_description.described() == described
    assert is_same
    assert described["servers"] == [{"url": "/"}]


def test_it_is_openapi_3_1(described: Schema) -> None:
    faults = list(definitions.OPENAPI_31_VALIDATOR.iter_errors(described))
    assert [(fault.message[:200], list(fault.instance_path)) for fault in faults] == []


def test_something_that_is_not_openapi_is_noticed(committed: Schema) -> None:
    committed["paths"][DRAFTS]["get"]["responses"]["200"].pop("description")
    assert not definitions.OPENAPI_31_VALIDATOR.is_valid(committed)


def test_each_of_its_schemas_is_one_of_json_schema_2020_12(described: Schema) -> None:
    for name, schema in described["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name


def test_every_reference_in_it_leads_somewhere(described: Schema) -> None:
    for reference in references(described):
        place: Any = described
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        mine = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return mine.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()


def without_drafts(document: Schema) -> Schema:
    return {**document, "paths": {path: each for path, each in document["paths"].items() if path != DRAFTS}}


def test_one_that_breaks_is_not_written_over_the_committed_one(committed: Schema) -> None:
    reason = api_description.refused(committed, without_drafts(committed), changelog="", may_break=False)
    assert f"GET {DRAFTS}: is gone" in reason
    assert f"POST {DRAFTS}: is gone" in reason


def test_one_that_must_break_is_not_written_until_the_changelog_names_each_operation(committed: Schema) -> None:
    new = without_drafts(committed)
    old_news = (
        f"# Changelog\n\n## [2]\n\n### Breaking\n\n* `GET {DRAFTS}`\n\n## [1]\n\n### Breaking\n\n* `POST {DRAFTS}`\n"
    )
    assert api_description.refused(committed, new, changelog=old_news, may_break=True).endswith(f": `POST {DRAFTS}`")
    said = old_news.replace(f"`GET {DRAFTS}`", f"`GET {DRAFTS}` and `POST {DRAFTS}` are no more")
    assert api_description.refused(committed, new, changelog=said, may_break=True) == ""


def test_one_that_only_tells_more_is_written(committed: Schema) -> None:
    assert api_description.refused(without_drafts(committed), committed, changelog="", may_break=False) == ""
