"""
The doors of the portal: every route says who may open it, in one form, so that a test can try them all.

A manufacturer's pages have its USCC in their address: who has no role there is told that there is no such page; who
has another role, that this one is missing. An exporter's pages have the exporter's, and are there for its people alone.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from flask import Blueprint, g, redirect, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from signer.domain.parties import Role, Uscc
from signer.errors import ManufacturerSuspended, NotAuthenticated, NotFound, NotPermitted
from signer.seal.precheck import MOST_BYTES
from signer.web import intake
from signer.web.portal.cookies import is_untold, principal
from signer.web.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import TypeAlias

    from flask.typing import ResponseReturnValue
    from werkzeug.datastructures import MultiDict

    from signer.domain.account import Principal
    from signer.web.intake import Upload

    View: TypeAlias = Callable[..., ResponseReturnValue]

ANYBODY: Final = frozenset[Role]()
"""Who knows the address may open it: signing in itself, an invitation, an outlet's link."""
SIGNED_IN: Final = frozenset(Role)
"""Every signed-in person, with a role or without."""
MAKERS: Final = frozenset({Role.PREPARER, Role.APPROVER, Role.ADMIN, Role.AUDITOR})
"""The manufacturer's own people."""
ENROL: Final = "/account/enrol"
"""Where whoever has shown nothing but a password is led: a second factor comes first."""
EXPORTERS: Final = frozenset({Role.EXPORTER})
"""Who acts for the exporter in the address: doors with `<exporter>`."""
_MOST_PAGE = 20_000
_MOST_FORM = 2_000_000
_MOST_UPLOAD = MOST_BYTES + intake.OVERHEAD
_MOST_NEXT = 500
_MOST_CURSOR = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One route: who may open it, and by which method; `is_open`: anybody who has its address."""

    endpoint: str
    rule: str
    method: str
    roles: frozenset[Role]
    is_open: bool

    @property
    def is_of_a_maker(self) -> bool:
        """Tell whether the address names a manufacturer."""
        return "<uscc>" in self.rule

    @property
    def is_of_an_exporter(self) -> bool:
        """Tell whether the address names an exporter."""
        return "<exporter>" in self.rule


@dataclass(frozen=True, slots=True)
class Visit:
    """Who opens a door, of which manufacturer or exporter if it is one's."""

    principal: Principal
    maker: Uscc | None = None
    company: Uscc | None = None

    @property
    def person(self) -> str:
        """The person's id."""
        return self.principal.person.id

    @property
    def uscc(self) -> Uscc:
        """The manufacturer; every door with `<uscc>` has one."""
        if self.maker is None:
            raise NotFound("no manufacturer in this address")
        return self.maker

    @property
    def exporter(self) -> Uscc:
        """The exporter; every door with `<exporter>` has one."""
        if self.company is None:
            raise NotFound("no exporter in this address")
        return self.company

    def has(self, *roles: Role) -> bool:
        """Tell whether the person has one of these roles here."""
        return self.principal.has(frozenset(roles), at=self.maker)


class Doors:
    """Collects the doors of one application; `blueprint` gives a room its part."""

    def __init__(self, *, csrf: CSRFProtect, base_url: str, clock: Callable[[], datetime]) -> None:
        self.all: list[Door] = []
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._csrf = csrf
        self._clock = clock

    def room(self, name: str) -> Room:
        """Return a room, with a blueprint of its own."""
        return Room(name, self)

    def check(self, door: Door, uscc: str | None, exporter: str | None = None) -> Visit | None:
        """Let through who may; refuse who may not. NotAuthenticated, NotFound, NotPermitted, ManufacturerSuspended."""
        found = principal()
        if door.is_open:
            return None if found is None else Visit(found)
        if found is None:
            raise NotAuthenticated("sign in first")
        if exporter is not None:
            return Visit(found, company=_own(found, exporter))
        if uscc is None:
            if door.roles != SIGNED_IN and not found.has(door.roles, at=None):
                raise NotPermitted("this needs another role")
            return Visit(found)
        maker = _known(found, uscc)
        if maker in found.suspended and not found.has(door.roles, at=None):
            raise ManufacturerSuspended("the operators suspended this manufacturer")
        if not found.has(door.roles, at=maker):
            raise NotPermitted("this needs another role for this manufacturer")
        return Visit(found, maker)

    def refuse_forged(self, most_bytes: int = _MOST_UPLOAD) -> None:
        """Refuse a form that no page of ours made for this session, or one with more in its files. Refused."""
        intake.refuse_type(intake.FORM, intake.MULTIPART)
        if request.mimetype == intake.FORM and (request.content_length or 0) <= _MOST_FORM:
            request.max_content_length = _MOST_FORM
            request.max_form_memory_size = _MOST_FORM
            request.max_form_parts = 10_000
        self._refuse_foreign()
        try:
            with intake.limited(most_bytes) if request.mimetype == intake.MULTIPART else nullcontext():
                self._csrf.protect()
        except CSRFError as error:
            raise Refused("form-expired") from error

    def _refuse_foreign(self) -> None:
        """Refuse a form that a browser says it sends from another site, whatever it holds. Refused."""
        site, origin = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Origin", "")
        if site not in ("", "same-origin", "none"):
            raise Refused("form-expired")
        if origin == "null" and is_untold(request.path):
            return  # that page's policy hides its origin, and its form's secret counts all the same
        if origin and origin not in (self._origin, request.host_url.rstrip("/"), f"https://{request.host}"):
            raise Refused("form-expired")


class Room:
    """One subject's pages: a blueprint whose routes are doors."""

    def __init__(self, name: str, doors: Doors) -> None:
        self.blueprint = Blueprint(name, __name__)
        self._doors = doors

    def get(self, rule: str, roles: frozenset[Role]) -> Callable[[View], View]:
        """Add a page. The view is handed a Visit, and then what its address names."""
        return self._add(rule, "GET", roles, is_open=False)

    def post(self, rule: str, roles: frozenset[Role], *, most_bytes: int = _MOST_UPLOAD) -> Callable[[View], View]:
        """Add an action: its form is one of ours, or it is refused; `most_bytes` may come with it."""
        return self._add(rule, "POST", roles, is_open=False, most_bytes=most_bytes)

    def open_get(self, rule: str) -> Callable[[View], View]:
        """Add a page for anybody; the view is handed a Visit or None."""
        return self._add(rule, "GET", ANYBODY, is_open=True)

    def open_post(self, rule: str) -> Callable[[View], View]:
        """Add an action for anybody; its form is one of ours all the same."""
        return self._add(rule, "POST", ANYBODY, is_open=True)

    def _add(
        self, rule: str, method: str, roles: frozenset[Role], *, is_open: bool, most_bytes: int = _MOST_UPLOAD
    ) -> Callable[[View], View]:
        def add(view: View) -> View:
            endpoint = f"{self.blueprint.name}.{view.__name__}"
            door = Door(endpoint=endpoint, rule=rule, method=method, roles=roles, is_open=is_open)
            self._doors.all.append(door)

            @wraps(view)
            def opened(**names: str) -> ResponseReturnValue:
                try:
                    visit = self._doors.check(door, names.pop("uscc", None), names.pop("exporter", None))
                except NotAuthenticated:
                    if method == "GET":
                        return redirect(f"/sign-in?next={quote(here())}", code=303)
                    raise
                if visit is not None and visit.principal.must_enrol and not door.is_open and not _is_own(rule):
                    return redirect(ENROL, code=303)
                if method == "POST":
                    self._doors.refuse_forged(most_bytes)
                g.visit = visit
                return view(visit, **names)

            self.blueprint.add_url_rule(rule, endpoint=view.__name__, view_func=opened, methods=[method])
            return view

        return add


def _is_own(rule: str) -> bool:
    """Tell whether an address is about one's own account."""
    return rule == "/account" or rule.startswith("/account/")


def here() -> str:
    """Return this page's own address, for coming back to it."""
    return request.full_path.rstrip("?")[:_MOST_NEXT]


def safe_next(typed: str) -> str:
    """Return an address of this site to go on to; the portal's first page for anything else (an open redirect)."""
    try:
        parts = urlsplit(typed)
    except ValueError:  # `//[` begins an IPv6 address that never ends
        return "/portal"
    is_ours = not parts.scheme and not parts.netloc and typed.startswith("/") and not typed.startswith(("//", "/\\"))
    is_plain = all(char.isprintable() and char not in "\\\t\r\n" for char in typed)
    return typed if is_ours and is_plain and len(typed) <= _MOST_NEXT else "/portal"


def form() -> MultiDict[str, str]:
    """Return the fields of the form that was sent."""
    return request.form


def page_number() -> int:
    """Return which page of a list was asked for (`?page=`), from 1; the first for anything odd."""
    return min(max(request.args.get("page", 1, type=int), 1), _MOST_PAGE)


def cursor(name: str = "before") -> str:
    """Return after which entry a list goes on (`?before=`), as the page before it named that entry; '' at its start."""
    return request.args.get(name, "").replace("\x00", "")[:_MOST_CURSOR]


def files(field: str, *, most: int = 1) -> tuple[Upload, ...]:
    """Return the files of one field of the form that was sent."""
    return intake.uploads(field, most=most)


def _own(found: Principal, exporter: str) -> Uscc:
    """Return an exporter for whom a person acts. NotFound, in one form, for all others."""
    for uscc in found.exporters:
        if uscc == exporter:
            return uscc
    raise NotFound("no such exporter, or none that you act for")


def _known(found: Principal, uscc: str) -> Uscc:
    try:
        maker = Uscc(uscc)
    except ValueError:
        maker = None
    if maker is None or not (found.knows(maker) or found.appointments):
        raise NotFound("no such manufacturer, or none that you may know of")
    return maker
