"""What the OpenAPI document says of each route: bodies in several types, answers, problems, examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from flask_openapi.models.data_type import DataType
from flask_openapi.models.example import Example
from flask_openapi.models.header import Header
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.parameter import Parameter
from flask_openapi.models.parameter_in_type import ParameterInType
from flask_openapi.models.reference import Reference
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.response import Response
from flask_openapi.models.schema import Schema
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.models.tag import Tag

from signer.web import examples, languages
from signer.web.intake import FILES
from signer.web.problem_kinds import KINDS
from signer.web.problems import MIME, Problem
from signer.web.shapes import LicenceAnswer, LicenceQuestion, LookupQuestion, VerdictAnswer

if TYPE_CHECKING:
    from flask_openapi.types import ResponseDict
    from pydantic import BaseModel


class Documented(TypedDict, total=False):
    """The keywords of a route that only document it."""

    summary: str
    description: str
    tags: list[Tag | dict[str, Any]]
    operation_id: str
    request_body: RequestBody
    responses: ResponseDict
    openapi_extensions: dict[str, list[Parameter]]
    security: list[dict[str, list[str]]]


SHAPES: tuple[type[BaseModel], ...] = (Problem, VerdictAnswer, LookupQuestion, LicenceQuestion, LicenceAnswer)
"""The models that the document refers to by name; `app` registers their schemas."""
TOKEN = SecurityScheme(
    type="http",
    scheme="bearer",
    description="A token that speaks for one person: `sgnr_test_…` or `sgnr_live_…`. Made at the portal, shown once.",
)
_REFERENCE = "#/components/schemas/{}"
_VERIFYING = Tag(
    name="verifying", description="No account is needed; a token that is sent must be good. Every verdict is 200."
)
_TEXT, _FILE = Schema(type=DataType.STRING), Schema(type=DataType.STRING, schema_format="binary")
_FILES, _TEXTS = Schema(type=DataType.ARRAY, items=_FILE), Schema(type=DataType.ARRAY, items=_TEXT)
_COMPARE: dict[str, tuple[Schema, str]] = {
    "vin": (_TEXTS, "A VIN that must be covered; may be repeated."),
    "destination": (_TEXT, "The destination to compare: ISO 3166-1 alpha-2 or alpha-3, or the country's name."),
    "exporter": (_TEXT, "The exporter's unified social credit code (USCC) to compare."),
    "applied_on": (
        Schema(type=DataType.STRING, schema_format="date"),
        "The licence application's date; without it, today in Beijing.",
    ),
}


def _named(model: type[BaseModel]) -> MediaType:
    reference = Reference(ref=_REFERENCE.format(model.__name__))
    return MediaType(media_type_schema=reference, example=examples.BODIES[model])


def _form(**fields: Schema) -> MediaType:
    properties = {**fields, **{name: schema for name, (schema, _) in _COMPARE.items()}}
    shown = {name: examples.FORMS[name] for name in properties}
    if fields.get("file") is _FILES:
        shown["file"] = [shown["file"]]
    return MediaType(media_type_schema=Schema(type=DataType.OBJECT, properties=dict(properties)), example=shown)


def file_body(kind: str, begins: str = "") -> MediaType:
    """Return a body that is a file of a media type, bytes of any kind; `begins` shows one of its own, as text."""
    return MediaType(media_type_schema=_FILE, example=begins or examples.of_file(kind))


def problems(*codes: str) -> ResponseDict:
    """Return the documented problems of a route, by status."""
    found: dict[str, list[str]] = {}
    for code in codes:
        found.setdefault(str(KINDS[code].status), []).append(code)
    return {
        status: Response(
            description="; ".join(f"`{code}`: {KINDS[code].en}" for code in named), content={MIME: _problem(named)}
        )
        for status, named in found.items()
    }


def _problem(codes: list[str]) -> MediaType:
    """Return a problem's body, with an example for each code."""
    shown: dict[str, Example | Reference] = {code: Reference(ref=f"#/components/examples/{code}") for code in codes}
    return MediaType(media_type_schema=Reference(ref=_REFERENCE.format("Problem")), examples=shown)


def examples_of_problems() -> dict[str, Example | Reference]:
    """Return an example of each problem, for the document's components."""
    return {code: Example(summary=kind.en, value=_sample(code)) for code, kind in sorted(KINDS.items())}


def _sample(code: str) -> dict[str, object]:
    kind = KINDS[code]
    told = {"type": f"https://signer.example/problems/{code}", "title": kind.en, "status": kind.status}
    whole: dict[str, object] = {**told, "detail": kind.en_detail, "instance": "9f86d081884c7d65"}
    if code in _WITH_ERRORS:
        whole["errors"] = [dict(zip(("pointer", "code", "message"), _WITH_ERRORS[code], strict=True))]
    return whole


def _answer(model: type[BaseModel], text: str) -> ResponseDict:
    return {"200": Response(description=text, content={"application/json": _named(model)})}


_WITH_ERRORS = {
    "invalid-input": ("/vins/0", "vin.length", "a VIN has 17 characters"),
    "rule-violation": ("/vehicles/0/vin", "vin.check-digit", "the check digit does not fit the other characters"),
    "malformed-json": ("", "json.form", "the key 'vin' stands twice"),
}
"""Problems that name each wrong value, and one such."""
_LANGUAGE = Parameter(
    name="lang",
    param_in=ParameterInType.QUERY,
    description="Language of sentences; else Chinese or English, by Accept-Language.",
    param_schema=Schema(type=DataType.STRING, enum=[*languages.TONGUES]),
)
_KEPT = Parameter(
    name="reference",
    param_in=ParameterInType.QUERY,
    description="Of a case file: kept with the answer in the history of a token that speaks for the house.",
    param_schema=Schema(type=DataType.STRING, max_length=120),
)
_OPEN: list[dict[str, list[str]]] = [{}, {"token": ["verify"]}]
"""No token is needed; one that is sent must be good."""
_COMMON = (
    "not-authenticated",
    "right-missing",
    "manufacturer-suspended",
    "too-many-requests",
    "busy",
    "method-not-allowed",
    "too-large",
    "unsupported-media-type",
    "invalid-input",
    "request-timeout",
    "internal",
    "unavailable",
)

VERIFY: Documented = {
    "summary": "Verify one file",
    "description": (
        "Send one PDF as the part `file` of a form, with the fields to compare beside it, or as the body, with "
        "those in the query. A photograph or scan (JPEG, PNG, or a PDF whose pages hold nothing but pictures) in which "
        "there is a signed code is judged as `paper`. A file that the manufacturer filed as an official copy (PDF, "
        "OFD, PNG, JPEG) is known by its SHA-256. 200 for every verdict, UNREADABLE included. Nothing is kept."
    ),
    "tags": [_VERIFYING],
    "operation_id": "verify",
    "request_body": RequestBody(
        required=True,
        content={
            "multipart/form-data": _form(file=_FILE),
            **{kind: file_body(kind) for kind in FILES},
        },
    ),
    "responses": {
        **_answer(VerdictAnswer, "The verdict."),
        **problems("no-file", "malformed-request", *_COMMON),
    },
    "openapi_extensions": {
        "parameters": [
            _LANGUAGE,
            _KEPT,
            *(
                Parameter(
                    name=name,
                    param_in=ParameterInType.QUERY,
                    description=f"{text} For a raw body only.",
                    param_schema=schema,
                )
                for name, (schema, text) in _COMPARE.items()
            ),
        ]
    },
    "security": _OPEN,
}
LOOKUPS: Documented = {
    "summary": "Look up a record without its file",
    "description": (
        "By one number and the last six characters of one of its VINs; by numbers with every VIN in full, destination "
        "and exporter; or by a file's SHA-256: one answer for everything that does not match. Or the text of a signed "
        "code on paper is judged, as in a picture."
    ),
    "tags": [_VERIFYING],
    "operation_id": "look_up",
    "request_body": RequestBody(required=True, content={"application/json": _named(LookupQuestion)}),
    "responses": {
        **_answer(VerdictAnswer, "The verdict."),
        **problems("malformed-json", *_COMMON),
    },
    "openapi_extensions": {"parameters": [_LANGUAGE, _KEPT]},
    "security": _OPEN,
}
LICENCE_CHECKS: Documented = {
    "summary": "Check an export licence against its confirmations",
    "description": (
        "Files and numbers in any mix, with the licence's VINs, destination, exporter and application date. One table, "
        "one outcome, one receipt. `Accept: text/csv` gives the table as a spreadsheet."
    ),
    "tags": [_VERIFYING],
    "operation_id": "check_licence",
    "request_body": RequestBody(
        required=True,
        content={"multipart/form-data": _form(file=_FILES, number=_TEXTS), "application/json": _named(LicenceQuestion)},
    ),
    "responses": {
        "200": Response(
            description="The table.",
            content={"application/json": _named(LicenceAnswer), "text/csv": file_body("text/csv")},
        ),
        **problems("malformed-json", "malformed-request", *_COMMON),
    },
    "openapi_extensions": {"parameters": [_LANGUAGE, _KEPT]},
    "security": _OPEN,
}
_PUBLISHED = Tag(name="published", description="For anybody, from any origin: no token, nothing is counted.")
TRUST_LIST: Documented = {
    "summary": "Fetch the trust list in use",
    "description": (
        "As it was published: a compact JWS. Verify it under the root's key, which goes another way; its SHA-256 is "
        "what the next one names. The same lies at `/.well-known/trust-list.jws`."
    ),
    "tags": [_PUBLISHED],
    "operation_id": "get_trust_list",
    "responses": {
        "200": Response(
            description="The list.",
            content={
                "application/jose": MediaType(media_type_schema=_TEXT, example="eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmVk")
            },
            headers={"ETag": Header(schema=_TEXT, description="The version of the list.")},
        ),
        "304": Response(description="It is still the version that If-None-Match names."),
        **problems("method-not-allowed", "invalid-input", "internal", "unavailable"),
    },
    "security": [{}],
}
