"""Every body that the API's description names has an example, and each is what its own schema says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import api_description
import jsonschema_rs
import pytest

from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def described() -> Schema:
    return api_description.described()


def bodies(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Every body, taken or answered, under a name that a person finds again."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            for kind, media in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{name} takes {kind}", media
            for status, response in operation["responses"].items():
                for kind, media in response.get("content", {}).items():
                    yield f"{name} {status} {kind}", media


def resolved(document: Schema, value: Schema) -> Schema:
    while "$ref" in value:
        place: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        value = place
    return value


def examples(document: Schema, media: Schema) -> list[Any]:
    named = [resolved(document, each)["value"] for each in media.get("examples", {}).values()]
    return [*named, *([media["example"]] if media.get("example") is not None else [])]


def test_every_body_has_an_example(described: Schema) -> None:
    assert [name for name, media in bodies(described) if not examples(described, media)] == []


def test_every_example_is_what_its_schema_says(described: Schema) -> None:
    validators: dict[str, jsonschema_rs.Validator] = {}
    for name, media in bodies(described):
        written = str(media["schema"])
        if written not in validators:
            whole = {**media["schema"], "components": described["components"]}
            validators[written] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        for example in examples(described, media):
            faults = [(fault.message[:200], fault.instance_path) for fault in validators[written].iter_errors(example)]
            assert faults == [], name


def test_an_example_with_a_wrong_word_would_be_noticed(described: Schema) -> None:
    schema = {"$ref": "#/components/schemas/Problem", "components": described["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    right = described["components"]["examples"]["not-found"]["value"]
    assert validator.is_valid(right)
    assert not validator.is_valid({**right, "status": "404"})


def test_every_problem_of_an_answer_is_shown_with_its_status(described: Schema) -> None:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if "application/problem+json" not in response.get("content", {}):
                    continue
                told = re.findall(r"`([a-z-]+)`: ", response["description"])
                shown = response["content"]["application/problem+json"]["examples"]
                assert sorted(told) == sorted(shown), (method, path, status)
                values = [resolved(described, each)["value"] for each in shown.values()]
                assert {value["status"] for value in values} == {int(status)}, (method, path)


def test_every_code_has_an_example_that_names_its_page(described: Schema) -> None:
    shown = described["components"]["examples"]
    assert shown.keys() == KINDS.keys()
    for code, example in shown.items():
        assert example["value"]["type"] == f"https://signer.example/problems/{code}"
