"""Versions of what is told: ETag, If-Match and If-None-Match. Source: RFC 9110, sections 8.8.3 and 13."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flask import current_app, request
from werkzeug.http import quote_etag

from signer.web.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response
    from pydantic import BaseModel


def told(body: BaseModel, *, etag: str = "", status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """
    Answer with a body; `etag` names its version, else the body's own SHA-256 does.

    A question that names this version in If-None-Match is answered with 304.
    """
    data = _data(body)
    return carried(data, "application/json", etag=etag, status=status, headers=headers)


def carried(
    data: bytes, kind: str, *, etag: str = "", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with bytes of a type; as `told`."""
    response: Any = current_app.response_class(data, status=status, mimetype=kind)
    response.set_etag(etag or _digest(data))
    for name, value in (headers or {}).items():
        response.headers[name] = value
    if request.method == "GET" and status == 200:
        response.make_conditional(request, accept_ranges=False)
    return response  # type: ignore[no-any-return]


def version(body: BaseModel) -> str:
    """Return the version of a body that `told` names where no other is given."""
    return _digest(_data(body))


def _data(body: BaseModel) -> bytes:
    return body.model_dump_json(by_alias=True).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def refuse_stale(etag: str) -> None:
    """Raise Refused unless If-Match names the present version (or `*`); without it, nothing is changed at all."""
    if "If-Match" not in request.headers:
        raise Refused("precondition-required")
    if not request.if_match.contains(etag):
        raise Refused("precondition-failed")


def quoted(etag: str) -> str:
    """Return a version as it stands in a header."""
    return quote_etag(etag)
