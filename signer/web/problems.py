"""Every error as an answer: RFC 9457 for machines, a page for people. The only place where an error has a status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from flask import current_app, request
from werkzeug.exceptions import HTTPException

from signer import errors
from signer.domain.values import Frozen
from signer.web import headers, languages
from signer.web.problem_kinds import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from signer.verification.wording import Language

MIME = "application/problem+json"
log = structlog.get_logger()
_DEFAULT_RETRY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One wrong value: where (JSON pointer, or the form's field), a stable code, and a sentence in both languages."""

    pointer: str
    code: str
    zh: str
    en: str

    def text(self, language: Language) -> str:
        """Return the sentence."""
        return self.zh if language == "zh" else self.en


class Refused(errors.SignerError):
    """A request that is not answered: `code` is a key of KINDS, `faults` say what is wrong where."""

    def __init__(self, code: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.faults = faults


class ProblemError(Frozen):
    """One wrong value of a request."""

    pointer: str
    code: str
    message: str


class Problem(Frozen):
    """An error as in RFC 9457: `type` leads to its page, `instance` is the request's id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[ProblemError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    code: str
    faults: tuple[Fault, ...] = ()
    retry_after_s: int | None = None
    allow: str | None = None


def _from_http(error: HTTPException) -> _Found:
    codes = {404: "not-found", 405: "method-not-allowed", 408: "request-timeout", 413: "too-large"}
    codes |= {415: "unsupported-media-type", 429: "too-many-requests"}
    status = error.code or 500
    code = codes.get(status, "malformed-request" if status < 500 else "internal")
    allow = getattr(error, "valid_methods", None)
    return _Found(code, allow=", ".join(sorted(allow)) if allow else None)


def _from_ours(error: errors.SignerError) -> _Found:
    if isinstance(error, Refused):
        return _Found(error.code, error.faults)
    if isinstance(error, errors.InvalidInput):
        pointer = error.field if error.field.startswith("/") or not error.field else f"/{error.field}"
        fault = Fault(pointer=pointer, code=error.code, zh=error.reason, en=error.reason)
        return _Found(error.code, (fault,))
    if isinstance(error, errors.Unavailable):
        seconds = getattr(error, "retry_after_s", _DEFAULT_RETRY_S)
        code = error.code if error.code in KINDS else "unavailable"
        if not isinstance(error, errors.TooManyRequests):
            log.error("unavailable", id=headers.request_id(), code=error.code, reason=str(error))
        return _Found(code, retry_after_s=int(seconds))
    return _Found(error.code) if error.code in KINDS else _incident(error)


def _incident(error: Exception) -> _Found:
    log.error("incident", id=headers.request_id(), exc_info=error)
    return _Found("internal")


def _find(error: Exception) -> _Found:
    if isinstance(error, HTTPException):
        return _from_http(error)
    return _from_ours(error) if isinstance(error, errors.SignerError) else _incident(error)


def describe(kind: Kind, language: Language) -> tuple[str, str]:
    """Return title and detail of a kind of problem."""
    return (kind.zh, kind.zh_detail) if language == "zh" else (kind.en, kind.en_detail)


def install(app: Flask, *, base_url: str, page: Callable[[Problem], str]) -> None:
    """Answer every error of an application; `page` draws it for people."""

    @app.errorhandler(Exception)
    def _answer(error: Exception) -> Response:
        found = _find(error)
        kind = KINDS[found.code]
        language = languages.chosen()
        title, detail = describe(kind, language)
        problem = Problem(
            type=f"{base_url.rstrip('/')}/problems/{found.code}",
            title=title,
            status=kind.status,
            detail=detail,
            instance=headers.request_id(),
            errors=tuple(
                ProblemError(pointer=fault.pointer, code=fault.code, message=fault.text(language))
                for fault in found.faults
            ),
        )
        return _respond(problem, found, page)


def _respond(problem: Problem, found: _Found, page: Callable[[Problem], str]) -> Response:
    if _wants_json():
        body, mime = problem.model_dump_json(exclude_defaults=True), MIME
    else:
        body, mime = page(problem), "text/html"
    response = current_app.response_class(body, status=problem.status, mimetype=mime)
    if found.retry_after_s is not None:
        response.headers["Retry-After"] = str(found.retry_after_s)
    if found.allow is not None:
        response.headers["Allow"] = found.allow
    return response


def _wants_json() -> bool:
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", MIME], default="text/html")
    return best != "text/html"
