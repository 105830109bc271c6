"""What anybody may have without asking for anything: trust list, status lists, and whom to tell of a weakness."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort, request
from flask_openapi.blueprint import APIBlueprint

from signer.domain import status_list as plain
from signer.domain.status_list import MOST_LISTS, TTL
from signer.domain.values import format_instant
from signer.seal.status_list import MIME
from signer.web import documented, headers
from signer.web.machines.gate import refuse_parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.services.status_lists import StatusLists
    from signer.services.trust import TrustSource
    from signer.settings import Settings

JOSE: Final = "application/jose"
TRUST_LIST: Final = "/.well-known/trust-list.jws"
STATUS: Final = plain.PATH.rstrip("/")
SECURITY: Final = "/.well-known/security.txt"
_KEPT: Final = timedelta(minutes=10)
"""How long others may keep a status list without asking again, though it is the newest."""
_ANSWERS_FOR: Final = timedelta(days=90)
"""How long who is named in security.txt may be relied upon: they answer as long as this is served."""


def api(trust: TrustSource, *, clock: Callable[[], datetime]) -> APIBlueprint:
    """Return the route under /api/v1."""
    made = APIBlueprint("published_api", __name__, url_prefix="/api/v1")

    @made.get("/trust-list", **documented.TRUST_LIST)
    def get_trust_list() -> Response:
        """Hand out the trust list in use."""
        refuse_parameters(frozenset())
        return _trust_list(trust, clock())

    return made


def blueprint(
    trust: TrustSource, lists: StatusLists, settings: Settings, *, clock: Callable[[], datetime]
) -> Blueprint:
    """Return what lies at well-known addresses. Source: RFC 8615."""
    made = Blueprint("published", __name__)

    @made.get(TRUST_LIST)
    def well_known_trust_list() -> Response:
        """Hand out the trust list in use."""
        return _trust_list(trust, clock())

    @made.get(STATUS)
    def status_lists() -> Response:
        """Tell where the status lists lie. Source: Token Status List, section 9.3."""
        headers.may_keep(_KEPT)
        return for_any_origin(Response(json.dumps({"status_lists": lists.uris()}), mimetype="application/json"))

    @made.get(f"{STATUS}/<int:number>")
    def status_list(number: int) -> Response:
        """Hand out the newest token of a status list. Source: Token Status List, section 8.2."""
        if not 0 < number <= MOST_LISTS or request.path != f"{STATUS}/{number}":
            abort(404)
        kept = lists.newest(number)
        headers.may_keep(max(timedelta(), min(_KEPT, kept.at + TTL - clock())))
        return for_any_origin(Response(kept.token, mimetype=MIME))

    @made.get(SECURITY)
    def security() -> Response:
        """Tell whom to write to of a weakness; not there where nobody was named. Source: RFC 9116."""
        if not settings.security_contact:
            abort(404)
        midnight = clock().replace(hour=0, minute=0, second=0, microsecond=0)
        fields = (
            ("Contact", settings.security_address),
            ("Expires", format_instant(midnight + _ANSWERS_FOR)),
            ("Preferred-Languages", "zh, en"),
            ("Canonical", settings.base_url.rstrip("/") + SECURITY),
        )
        text = "".join(f"{name}: {value}\n" for name, value in fields)
        return Response(text, content_type="text/plain; charset=utf-8")

    return made


def _trust_list(trust: TrustSource, at: datetime) -> Response:
    """Answer with the list as it was published, for pages of any origin; 304 where it is known already."""
    trust.current(at)
    data = trust.published()
    return for_any_origin(Response(data, mimetype=JOSE))


def for_any_origin(response: Response) -> Response:
    """Let pages of any origin read an answer, and 304 stand for one that is known already."""
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
