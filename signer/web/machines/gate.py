"""
The gate of the API: every operation says which right it takes, in one form, so that a test can try them all.

Who asks is a token's person (ADR 0041); a cookie is never looked at. What makes something takes an Idempotency-Key.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Response, current_app, g, request

from signer.domain.values import unprintable
from signer.errors import NotAuthenticated, NotFound, TooManyRequests
from signer.services.deeds import Answer
from signer.web import bodies, intake
from signer.web.problems import MIME, Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from flask import Flask
    from flask_openapi.blueprint import APIBlueprint

    from signer.domain.machines import Caller, Right
    from signer.services.deeds import Deeds, Doing
    from signer.services.tokens import Tokens
    from signer.web.machines.describing import Doc

    View: TypeAlias = Callable[..., Response]
    Make: TypeAlias = Callable[..., str]

MOST_BODY: Final = 1_000_000
"""A draft of 200 vehicles, every field of every one filled in, has about 300 kB."""
_KEY: Final = re.compile(r"[!-~]{1,200}")
_KEPT: Final = ("Content-Type", "Location", "ETag", "Link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: which rights open it (one of them is enough), and whether it makes something."""

    name: str
    rule: str
    method: str
    rights: tuple[Right, ...]
    makes: bool
    doc: Doc


class Gate:
    """Collects the operations of the API, and lets in who may."""

    def __init__(self, api: APIBlueprint, *, tokens: Tokens, deeds: Deeds) -> None:
        self.all: list[Operation] = []
        self._api = api
        self._tokens = tokens
        self._deeds = deeds

    def get(self, rule: str, *rights: Right, doc: Doc) -> Callable[[View], View]:
        """Add what only reads. The view is handed the Caller, and then what the address names."""
        return self._add("GET", rule, rights, doc)

    def change(self, method: str, rule: str, *rights: Right, doc: Doc) -> Callable[[View], View]:
        """Add what changes something that is there (PUT, PATCH, DELETE, POST): asked twice, it is as if once."""
        return self._add(method, rule, rights, doc)

    def create(
        self,
        rule: str,
        *rights: Right,
        doc: Doc,
        telling: View,
        told_once: str = "",
        is_own: bool = False,
        reads: Callable[[], bytes] | None = None,
    ) -> Callable[[Make], Make]:
        """
        Add what makes something, once for each Idempotency-Key.

        The view is handed the Caller and the Doing; it makes, hands `doing.note` to the use case, and returns the
        reference. `telling` answers for a reference: also when somebody died between making and answering. `told_once`
        names what of the answer is told once and never kept. `is_own`: the key counts for the token, not for all of its
        owner's. `reads` returns the request's body, where that is no JSON.
        """

        def add(make: Make) -> Make:
            def made(caller: Caller, **names: str) -> Response:
                owner = f"token {caller.token}" if is_own else caller.owner
                with self._doing(owner, make.__name__, reads or body) as doing:
                    if doing.answered is not None:
                        return _again(doing.answered)
                    return _kept(doing, telling(caller, doing.made or make(caller, doing, **names)), told_once)

            made.__name__, made.__doc__ = make.__name__, make.__doc__
            self._add("POST", rule, rights, doc, makes=True, reads=reads)(made)
            return make

        return add

    def _add(
        self,
        method: str,
        rule: str,
        rights: tuple[Right, ...],
        doc: Doc,
        *,
        makes: bool = False,
        reads: Callable[[], bytes] | None = None,
    ) -> Callable[[View], View]:
        def add(view: View) -> View:
            name = view.__name__
            self.all.append(Operation(name=name, rule=rule, method=method, rights=rights, makes=makes, doc=doc))

            def opened(**names: str) -> Response:
                caller = self.caller()
                caller.refuse_without(*rights)
                refuse_others(doc)
                refuse_unprintable(names)
                if doc.takes is not None or doc.sends:  # a body may take two minutes: who asks is asked again after it
                    (reads or body)()
                    caller = self._known()
                    caller.refuse_without(*rights)
                return view(caller, **names)

            opened.__name__, opened.__doc__ = name, view.__doc__
            opened.__delay_validate_request__ = True  # type: ignore[attr-defined] # what the address names is ours
            register = getattr(self._api, method.lower())
            told = doc.keywords(name, rule, rights, makes=makes, reads=method == "GET")
            register(rule, **told)(opened)
            return view

        return add

    def caller(self) -> Caller:
        """Return whom this request's token speaks for, one question the poorer. NotAuthenticated, TooManyRequests."""
        caller = self._known()
        ration = self._tokens.ration(caller)
        g.ration = ration
        if ration.left < 0:
            raise TooManyRequests("this token asked too often", retry_after_s=ration.resets_in_s)
        return caller

    def _known(self) -> Caller:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise NotAuthenticated("no token")
        return self._tokens.caller(secret.strip())

    def guest(self) -> Caller | None:
        """Return whom the token speaks for, None where none was sent. As `caller`."""
        return self.caller() if "Authorization" in request.headers else None

    def _doing(self, owner: str, operation: str, reads: Callable[[], bytes]) -> AbstractContextManager[Doing]:
        """Hold this request's key for its owner and operation. Refused, KeyRunning, KeyReused."""
        key = request.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            raise Refused("idempotency-key-missing")
        payload = b"\n".join((request.full_path.encode(), request.mimetype.encode(), reads()))
        return self._deeds.doing(owner, operation, key, payload=payload)


def _kept(doing: Doing, response: Response, told_once: str) -> Response:
    """Keep an answer, without what is told once, and return it."""
    headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
    kept = _without(response.get_data(), told_once) if told_once else response.get_data()
    doing.keep(Answer(status=response.status_code, headers=headers, body=kept))
    return response


def body() -> bytes:
    """Return the JSON body of this request, or none. Refused, RequestEntityTooLarge."""
    if not request.mimetype and not request.content_length:
        return b""
    return intake.json_body(MOST_BODY)


def refuse_others(doc: Doc) -> None:
    """Refuse what an operation does not give, and parameters that it does not know. Raises Refused."""
    accepted = request.accept_mimetypes
    if doc.accepts and accepted and not any(accepted.quality(kind) > 0 for kind in (*doc.accepts, MIME)):
        raise Refused("not-acceptable")
    refuse_parameters(frozenset(query.name for query in doc.query))


def refuse_parameters(known: frozenset[str]) -> None:
    """Refuse parameters of the address that an operation does not know, or that stand twice. Raises Refused."""
    faults = [_unknown(name) for name in request.args if name not in known]
    faults += [_twice(name) for name in known if len(request.args.getlist(name)) > 1]
    if faults:
        raise Refused("invalid-input", tuple(faults))


def refuse_unprintable(names: Mapping[str, str]) -> None:
    """Let nothing be found under a name that no register can hold. Raises NotFound."""
    if any(map(unprintable, names.values())):
        raise NotFound("no name has such a character")


def _unknown(name: str) -> Fault:
    pointer = f"/{bodies.escape(name[:60])}"
    return Fault(pointer=pointer, code="field.unknown", zh="没有此参数", en="there is no such parameter")


def _twice(name: str) -> Fault:
    return Fault(pointer=f"/{name}", code="field.repeated", zh="只能有一个", en="may stand only once")


def _without(data: bytes, told_once: str) -> bytes:
    """Return an answer without what is told once."""
    return json.dumps({**json.loads(data), told_once: None}, ensure_ascii=False, separators=(",", ":")).encode()


def _again(answer: Answer) -> Response:
    """Give an answer that was given before."""
    response = current_app.response_class(answer.body, status=answer.status)
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers["Idempotency-Replayed"] = "true"
    return response


def install(app: Flask) -> None:
    """Say in every answer to a token how many questions it has left."""

    @app.after_request
    def _tell(response: Response) -> Response:
        ration = g.get("ration")
        if ration is not None:
            response.headers["RateLimit-Limit"] = str(ration.limit)
            response.headers["RateLimit-Remaining"] = str(max(ration.left, 0))
            response.headers["RateLimit-Reset"] = str(ration.resets_in_s)
        return response
