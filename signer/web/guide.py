"""What people read of the API's description: rooms, operations, fields, examples, problems. From the document alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    Schema: TypeAlias = Mapping[str, Any]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PROBLEM: Final = "application/problem+json"
_CODE: Final = re.compile(r"`([a-z-]+)`: ")
_LIMITS: Final = {
    "minLength": "≥ {} characters",
    "maxLength": "≤ {} characters",
    "minItems": "≥ {}",
    "maxItems": "≤ {}",
}
_LIMITS_OF_NUMBERS: Final = {"minimum": "≥ {:g}", "maximum": "≤ {:g}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A value of a body, or a parameter: `shape` names the shape that it has, `words` all that it can be."""

    name: str
    kind: str
    shape: str = ""
    is_needed: bool = False
    words: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    text: str = ""
    place: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A shape that has a name: its fields, or all its words."""

    name: str
    text: str
    fields: tuple[Field, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body in one media type."""

    kind: str
    shape: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered when all goes well."""

    status: str
    text: str
    headers: tuple[tuple[str, str], ...]
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A problem that an operation can answer."""

    code: str
    status: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    rights: tuple[str, ...]
    is_open: bool
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    replies: tuple[Reply, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Operations that belong together."""

    name: str
    text: str
    operations: tuple[Described, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The whole."""

    rooms: tuple[Room, ...]
    shapes: tuple[Shape, ...]
    troubles: tuple[Trouble, ...]


def read(document: Schema) -> Guide:
    """Return what people read of a description."""
    schemas, shown = document["components"]["schemas"], document["components"]["examples"]
    found: dict[str, list[Described]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in methods:
                described = _operation(method, path, methods[method], document)
                found.setdefault(methods[method]["tags"][0], []).append(described)
    texts = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    return Guide(
        rooms=tuple(Room(name=name, text=texts.get(name, ""), operations=tuple(all_)) for name, all_ in found.items()),
        shapes=tuple(_shape(name, schemas[name]) for name in sorted(schemas)),
        troubles=tuple(
            sorted((_trouble(shown[code]["value"]) for code in shown), key=lambda one: (one.status, one.code))
        ),
    )


def _operation(method: str, path: str, told: Schema, document: Schema) -> Described:
    replies, codes = [], []
    for status, response in sorted(told["responses"].items()):
        if _PROBLEM in response.get("content", {}):
            codes += _CODE.findall(response["description"])
        else:
            replies.append(_reply(status, response))
    shown = document["components"]["examples"]
    rights = {right: None for one in told.get("security", []) for right in one.get("token", [])}
    return Described(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        text=told.get("description", ""),
        rights=tuple(rights),
        is_open=not told.get("security") or {} in told["security"],
        parameters=tuple(map(_parameter, told.get("parameters", []))),
        bodies=tuple(_bodies(told.get("requestBody", {}))),
        replies=tuple(replies),
        troubles=tuple(_trouble(shown[code]["value"]) for code in dict.fromkeys(codes)),
    )


def _reply(status: str, response: Schema) -> Reply:
    headers = tuple((name, told.get("description", "")) for name, told in sorted(response.get("headers", {}).items()))
    return Reply(status=status, text=response["description"], headers=headers, bodies=tuple(_bodies(response)))


def _bodies(carrier: Schema) -> Iterator[Body]:
    for kind, media in carrier.get("content", {}).items():
        schema, example = media["schema"], media.get("example")
        is_text = isinstance(example, str)
        yield Body(
            kind=kind,
            shape=_name(schema),
            fields=tuple(_fields(schema)),
            example=example if is_text else json.dumps(example, ensure_ascii=False, indent=2),
        )


def _trouble(example: Schema) -> Trouble:
    return Trouble(code=example["type"].rpartition("/")[2], status=example["status"], title=example["title"])


def _parameter(told: Schema) -> Field:
    return _field(
        told["name"],
        told["schema"],
        is_needed=told.get("required", False),
        text=told.get("description", ""),
        place=told["in"],
        example=str(told.get("example", "")),
    )


def _shape(name: str, schema: Schema) -> Shape:
    text = " ".join(schema.get("description", "").split())
    return Shape(name=name, text=text, fields=tuple(_fields(schema)), words=tuple(map(str, schema.get("enum", ()))))


def _fields(schema: Schema) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, told in schema.get("properties", {}).items():
        yield _field(name, told, is_needed=name in needed, text=told.get("description", ""))


def _field(name: str, schema: Schema, *, is_needed: bool, text: str = "", place: str = "", example: str = "") -> Field:
    plain = _plain(schema)
    return Field(
        name=name,
        kind=_kind(schema),
        shape=_name(plain) or _name(_plain(plain.get("items", {}))),
        is_needed=is_needed,
        words=tuple(map(str, plain.get("enum", [plain["const"]] if "const" in plain else ()))),
        limits=tuple(_limits(plain)),
        text=" ".join(text.split()),
        place=place,
        example=example,
    )


def _plain(schema: Schema) -> Schema:
    """Return what a value is where it is not null."""
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def _kind(schema: Schema) -> str:
    """Return in words what a value is: `text`, `list of text`, `text or null`, or the name of its shape."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_kind, schema["anyOf"])))
    if named := _name(schema):
        return named
    kind = str(schema.get("type", "")) or ("string" if "const" in schema else "")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "string" and schema.get("format"):
        return str(schema["format"])
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}
    return words.get(kind, kind or "any value")


def _limits(schema: Schema) -> Iterator[str]:
    for word, told in (*_LIMITS.items(), *_LIMITS_OF_NUMBERS.items()):
        if word in schema:
            yield told.format(schema[word])
    if "pattern" in schema and not schema.get("format"):
        yield str(schema["pattern"])
    if schema.get("default") not in (None, "", [], ()):
        yield f"default {json.dumps(schema['default'], ensure_ascii=False)}"


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
