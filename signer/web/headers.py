"""What every response carries: the browser's walls, and the request's id."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING

import structlog
from flask import g, request
from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

from signer import metrics
from signer.metrics.catalogue import REQUEST_SECONDS, REQUESTS
from signer.web.portal import cookies

if TYPE_CHECKING:
    from datetime import timedelta

    from flask import Flask, Response

_NONCE = "NONCE"
_CSP = (
    ContentSecurityPolicy()
    .default_src("'none'")
    .script_src(ContentSecurityPolicy.nonce(_NONCE))
    .style_src(ContentSecurityPolicy.nonce(_NONCE))
    .img_src("'self'", "data:")
    .connect_src("'self'")
    .form_action("'self'")
    .frame_ancestors("'none'")
    .base_uri("'none'")
    .header_value
)
"""Scripts and styles are those that a page of ours names, by a word drawn for this one answer (CSP level 3)."""
_WALLS = Secure(
    xcto=XContentTypeOptions(),
    xfo=XFrameOptions().deny(),
    referrer=ReferrerPolicy().no_referrer(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
    permissions=PermissionsPolicy().camera().geolocation().microphone().payment().usb(),
)
_ALWAYS = dict(_WALLS.header_items())
_HSTS = StrictTransportSecurity().max_age(31_536_000).include_subdomains().header_value
log = structlog.get_logger()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def install(app: Flask, *, https: bool) -> None:
    """Give every request an id and every response its headers; `https` tells how the deployment is reached."""
    app.jinja_env.globals["nonce"] = nonce

    @app.before_request
    def _name() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.begun = time.monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @app.after_request
    def _guard(response: Response) -> Response:
        if cookies.is_place(request.path) and not cookies.is_untold(request.path):
            # a form's origin is told to ourselves alone
            response.headers.setdefault("Referrer-Policy", "same-origin")
        _wall(response)
        response.headers["X-Request-Id"] = request_id()
        if request.endpoint != "static":
            _tell_keepers(response)
        if https:
            response.headers["Strict-Transport-Security"] = _HSTS
        _log(response)
        return response


def _wall(response: Response) -> None:
    """Add the browser's walls, but for those that a page set itself: what there is, is looked through once."""
    said = {name.lower() for name, _ in response.headers}
    if "content-security-policy" not in said:
        response.headers.add("Content-Security-Policy", _CSP.replace(_NONCE, nonce()))
    for name, value in _ALWAYS.items():
        if name.lower() not in said:
            response.headers.add(name, value)


def may_keep(lasts: timedelta, *, immutable: bool = False) -> None:
    """Let this answer, which is the same for everybody, be kept for a while; every other one is `no-store`."""
    g.keep = f"public, max-age={max(0, int(lasts.total_seconds()))}{', immutable' if immutable else ''}"


def must_ask() -> None:
    """Let this answer, which is the same for everybody, be kept, and used only after asking whether it is the last."""
    g.keep = "no-cache"


def _tell_keepers(response: Response) -> None:
    keep = g.get("keep")
    if keep is not None and response.status_code < 400:
        response.headers["Cache-Control"] = keep
        return
    response.headers["Cache-Control"] = "no-store"
    response.headers.add("Vary", "Accept-Language")


def _log(response: Response) -> None:
    """Note that a request was answered: its rule, never its address (links hold secrets), its body or who asked."""
    took_s = time.monotonic() - g.begun
    took_ms = round(1000 * took_s)
    route = "-" if request.url_rule is None else request.url_rule.rule
    metrics.count(REQUESTS, f"{response.status_code // 100}xx")
    metrics.observe(REQUEST_SECONDS, "api" if request.path.startswith("/api/") else "page", seconds=took_s)
    log.info("request.answered", method=request.method, route=route, status=response.status_code, ms=took_ms)


def nonce() -> str:
    """Return the word by which this answer's page names its scripts and styles."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def request_id() -> str:
    """Return this request's id: the caller's own if it is a plain word, else a random one."""
    found = g.get("request_id")
    return found if isinstance(found, str) else "-"
