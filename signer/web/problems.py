"""Every error as an answer: RFC 9457 for machines, a page for people. The only place where an error has a status."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from flask import current_app, request
from werkzeug.exceptions import HTTPException

from signer import errors
from signer.domain.values import Frozen
from signer.verification import wording
from signer.web import headers, languages
from signer.web.portal import cookies
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import TypeAlias

    from flask import Flask, Response

    from signer.verification.wording import Speech
    from signer.web.languages import Phrases, Tongue

    Caught: TypeAlias = tuple[type, BaseException, TracebackType] | tuple[None, None, None]

MIME = "application/problem+json"
log = structlog.get_logger()
_DEFAULT_RETRY_S = 60
_LEAST_SECRET = 8
"""What is shorter opens nothing, and may be any word of an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One wrong value: where (JSON pointer, or the form's field), a stable code, and a sentence in both languages.

    In other languages it is the phrase `fault.<code>.<where>` or `fault.<code>`, with `values` put in.
    """

    pointer: str
    code: str
    zh: str
    en: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, speech: Speech) -> str:
        """Return the sentence."""
        if isinstance(speech, str):
            return self.zh if speech == "zh" else self.en
        keys = (f"fault.{self.code}.{self.pointer}", f"fault.{self.code}")
        key = next((key for key in keys if speech.knows(key)), None)
        return self.en if key is None else speech(key, **self.values)


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
    codes = {404: "not-found", 405: "method-not-allowed", 406: "not-acceptable", 408: "request-timeout"}
    codes |= {412: "precondition-failed", 413: "too-large"}
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
    if isinstance(error, errors.RuleViolation):
        return _Found(error.code, tuple(map(fault_of, error.violations)))
    if isinstance(error, errors.KeyRunning):
        return _Found(error.code, retry_after_s=error.retry_after_s)
    if isinstance(error, errors.Unavailable):
        seconds = getattr(error, "retry_after_s", _DEFAULT_RETRY_S)
        code = error.code if error.code in KINDS else "unavailable"
        if not isinstance(error, errors.Crowded):
            log.error("unavailable", id=headers.request_id(), code=error.code, reason=str(error))
        return _Found(code, retry_after_s=int(seconds))
    return _Found(error.code) if error.code in KINDS else _incident(error)


def fault_of(finding: errors.Finding) -> Fault:
    """Return what a rule found as one wrong value."""
    return Fault(pointer=finding.pointer, code=finding.rule, zh=finding.zh, en=finding.en)


def _incident(error: Exception) -> _Found:
    log.error("incident", id=headers.request_id(), exception=told(error))
    return _Found("internal")


def told(error: BaseException) -> str:
    """Return an error with its traceback, without what this request's address names: links hold secrets."""
    text = "".join(traceback.format_exception(error))
    named = {request.full_path.rstrip("?"), request.path, request.query_string.decode("utf-8", "replace")}
    named |= {*map(str, (request.view_args or {}).values()), *request.args.values()}
    for word in sorted(named, key=len, reverse=True):
        text = text.replace(word, "[address]") if len(word) >= _LEAST_SECRET else text
    return text


def _find(error: Exception) -> _Found:
    if isinstance(error, HTTPException):
        return _from_http(error)
    return _from_ours(error) if isinstance(error, errors.SignerError) else _incident(error)


def describe(code: str, speech: Speech) -> tuple[str, str]:
    """Return title and detail of a kind of problem."""
    kind = KINDS[code]
    title = wording.say(f"problem.{code}", (kind.zh, kind.en), speech)
    return title, wording.say(f"problem.{code}.detail", (kind.zh_detail, kind.en_detail), speech)


def _speech(phrases: dict[Tongue, Phrases]) -> Speech:
    if cookies.is_place(request.path):
        return languages.chosen()
    return phrases[languages.answered() if _wants_json() else languages.spoken()].speech


def install(
    app: Flask, *, base_url: str, phrases: dict[Tongue, Phrases], page: Callable[[Problem, int | None], str]
) -> None:
    """Answer every error of an application; `page` draws it for people, with the seconds until it may be gone."""
    app.log_exception = _last  # type: ignore[method-assign] # Flask's own words name the address

    @app.errorhandler(Exception)
    def _answer(error: Exception) -> Response:
        found = _find(error)
        kind = KINDS[found.code]
        speech = _speech(phrases)
        title, detail = describe(found.code, speech)
        problem = Problem(
            type=f"{base_url.rstrip('/')}/problems/{found.code}",
            title=title,
            status=kind.status,
            detail=detail,
            instance=headers.request_id(),
            errors=tuple(
                ProblemError(pointer=fault.pointer, code=fault.code, message=fault.text(speech))
                for fault in found.faults
            ),
        )
        return _respond(problem, found, page)


def _last(exc_info: Caught) -> None:
    """Note an error of the answer to an error, without the request's address."""
    log.error("incident", id=headers.request_id(), exception="" if exc_info[1] is None else told(exc_info[1]))


def _respond(problem: Problem, found: _Found, page: Callable[[Problem, int | None], str]) -> Response:
    if _wants_json():
        body, mime = problem.model_dump_json(exclude_defaults=True), MIME
    else:
        body, mime = page(problem, found.retry_after_s), "text/html"
    response = current_app.response_class(body, status=problem.status, mimetype=mime)
    if found.retry_after_s is not None:
        response.headers["Retry-After"] = str(found.retry_after_s)
    if found.allow is not None:
        response.headers["Allow"] = found.allow
    if problem.status == HTTPStatus.UNAUTHORIZED and _wants_json():
        response.headers["WWW-Authenticate"] = 'Bearer realm="signer"'
    return response


def _wants_json() -> bool:
    if request.path == "/api" or request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", MIME], default="text/html")
    return best != "text/html"
