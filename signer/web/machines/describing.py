"""What the OpenAPI document says of an operation, from one short description: bodies, answers, problems, headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flask_openapi.models.data_type import DataType
from flask_openapi.models.header import Header
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.parameter import Parameter
from flask_openapi.models.parameter_in_type import ParameterInType
from flask_openapi.models.reference import Reference
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.response import Response
from flask_openapi.models.schema import Schema

from signer.web.documented import file_body, problems
from signer.web.machines import examples, paging

if TYPE_CHECKING:
    from flask_openapi.models.tag import Tag
    from pydantic import BaseModel

    from signer.domain.machines import Right

JSON: Final = "application/json"
_ALWAYS: Final = (
    "not-authenticated",
    "right-missing",
    "manufacturer-suspended",
    "not-acceptable",
    "invalid-input",
    "too-many-requests",
    "busy",
)
"""A parameter that is not known is `invalid-input` everywhere."""
_FAILING: Final = ("internal", "register-unavailable")
_BODY: Final = ("malformed-json", "unsupported-media-type", "too-large", "request-timeout", "invalid-input")
_MAKING: Final = (
    "idempotency-key-missing",
    "idempotency-key-running",
    "idempotency-key-reused",
    "unsupported-media-type",
    "too-large",
    "request-timeout",
)
_MATCHING: Final = ("precondition-required", "precondition-failed")
_NAMED: Final = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_PATH: Final[dict[str, tuple[str, str]]] = {
    "ref": ("The reference: 16 hexadecimal digits.", r"^[0-9a-f]{16}$"),
    "number": ("The confirmation's number, with or without its hyphens.", r"^[0-9A-Za-z-]{14,20}$"),
    "delivery": ("The delivery's id, a whole number.", r"^[0-9]{1,15}$"),
    "place": ("The item's place in the file's order, from 1.", r"^[1-9][0-9]{0,5}$"),
    "outlet": ("The outlet's id, the manufacturer's own.", r"^[^/]{1,64}$"),
}


@dataclass(frozen=True, slots=True)
class Query:
    """One parameter of an address: what it means, and its values where there are few."""

    name: str
    text: str
    values: tuple[str, ...] = ()
    kind: DataType = DataType.STRING
    example: str = ""


PAGED: Final = (
    Query("limit", f"How many at most: 1 to {paging.MOST}, {paging.USUAL} unless said.", kind=DataType.INTEGER),
    Query("cursor", "Where the part before ended: the `next` of its answer, or its Link header."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """
    One operation, described: `takes` and `gives` are the shapes of its JSON bodies, `files` other types it gives.

    `sends`: the types of a file that it takes for its body, each with how one begins.
    `matches`: a change that takes If-Match; `may_make`: one that also makes what is not there, with If-None-Match: *.
    `problems` are those of its own.
    """

    summary: str
    tag: Tag
    text: str = ""
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200
    files: tuple[str, ...] = ()
    sends: tuple[tuple[str, str], ...] = ()
    query: tuple[Query, ...] = ()
    matches: bool = False
    may_make: bool = False
    problems: tuple[str, ...] = ()

    @property
    def accepts(self) -> tuple[str, ...]:
        """The media types of its answer."""
        return ((JSON,) if self.gives else ()) + self.files

    def keywords(self, name: str, rule: str, rights: tuple[Right, ...], *, makes: bool, reads: bool) -> dict[str, Any]:
        """Return what the framework is told. `reads`: it changes nothing, so it can be asked whether it is the same."""
        told: dict[str, Any] = {
            "summary": self.summary,
            "description": self._words(rights, makes=makes),
            "tags": [self.tag],
            "operation_id": name,
            "security": [{"token": list(rights)}],
            "responses": {**self._answer(makes=makes, reads=reads), **problems(*self._problems(rule, makes=makes))},
            "openapi_extensions": {"parameters": [*_of_path(rule), *map(_of_query, self.query), *self._headers(makes)]},
        }
        if self.takes is not None:
            told["request_body"] = RequestBody(required=True, content={JSON: _shape(self.takes)})
        if self.sends:
            content = {kind: file_body(kind, begins) for kind, begins in self.sends}
            told["request_body"] = RequestBody(required=True, content=content)
        return told

    def _words(self, rights: tuple[Right, ...], *, makes: bool) -> str:
        takes = " or ".join(f"`{right}`" for right in rights)
        key = " Takes an `Idempotency-Key`: asked again with the same, it gives the same answer." if makes else ""
        return f"{self.text} Takes the right {takes}.{key}".strip()

    def _answer(self, *, makes: bool, reads: bool) -> dict[str, Response]:
        content = {} if self.gives is None else {JSON: _shape(self.gives)}
        content |= {kind: file_body(kind) for kind in self.files}
        headers: dict[str, Header | Reference] = {"RateLimit-Remaining": Header(schema=_whole(), description="Left.")}
        if content and self.status != 204:
            headers["ETag"] = Header(schema=_text(), description="The version of what is told.")
        if makes:
            headers["Location"] = Header(schema=_text("uri-reference"), description="Where it is.")
        if self.query[-2:] == PAGED:
            headers["Link"] = Header(schema=_text(), description="The next part of the list, if there is more.")
        found = {str(self.status): Response(description=self.summary, content=content or None, headers=headers)}
        if self.may_make:
            made = {**headers, "Location": Header(schema=_text("uri-reference"), description="Where it is.")}
            found["201"] = Response(description="It is new.", content=content, headers=made)
        if reads and content:
            found["304"] = Response(description="It is still the version that If-None-Match names.")
        return found

    def _problems(self, rule: str, *, makes: bool) -> tuple[str, ...]:
        found = [*_ALWAYS]
        found += _MAKING if makes else ()
        found += _BODY if self.takes else ()
        found += ("not-found",) if "<" in rule else ()
        found += _MATCHING if self.matches else ()
        return tuple(dict.fromkeys((*found, *self.problems, *_FAILING)))

    def _headers(self, makes: bool) -> list[Parameter]:  # noqa: FBT001 -- one word, next to its only callers
        found = []
        if makes:
            text = "One for each thing that is made: 1 to 200 visible ASCII characters; the same when asked again."
            found.append(_header("Idempotency-Key", text, example="c0a8f7de-5b1e-4a0e-9a53-6f2b7f0f2d11"))
        if self.matches:
            text = "The ETag of the version that was read."
            found.append(_header("If-Match", text, example='"3"', required=not self.may_make))
        if self.may_make:
            found.append(_header("If-None-Match", "`*`: only if it is not there yet.", example="*", required=False))
        return found


def _header(name: str, text: str, *, example: str, required: bool = True) -> Parameter:
    return Parameter(
        name=name,
        param_in=ParameterInType.HEADER,
        required=required,
        description=text,
        param_schema=_text(),
        example=example,
    )


def _of_path(rule: str) -> list[Parameter]:
    found = []
    for name in _NAMED.findall(rule):
        text, pattern = _PATH[name]
        schema = Schema(type=DataType.STRING, pattern=pattern)
        found.append(
            Parameter(name=name, param_in=ParameterInType.PATH, required=True, description=text, param_schema=schema)
        )
    return found


def _of_query(query: Query) -> Parameter:
    schema = Schema(type=query.kind, enum=[*query.values] or None)
    if query.kind is DataType.INTEGER:
        schema = Schema(type=query.kind, minimum=1, maximum=paging.MOST)
    return Parameter(
        name=query.name,
        param_in=ParameterInType.QUERY,
        description=query.text,
        param_schema=schema,
        example=query.example or None,
    )


def _shape(model: type[BaseModel]) -> MediaType:
    """Return a body of a shape, with its example."""
    reference = Reference(ref=f"#/components/schemas/{model.__name__}")
    return MediaType(media_type_schema=reference, example=examples.of(model))


def _text(form: str | None = None) -> Schema:
    return Schema(type=DataType.STRING, schema_format=form)


def _whole() -> Schema:
    return Schema(type=DataType.INTEGER)
