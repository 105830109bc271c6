"""What is only ever added to, in pages and as exports: the seal register (用印登记) and the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import Response, request

from signer.domain.parties import Role
from signer.domain.values import BEIJING, format_instant
from signer.errors import NotFound
from signer.register.audit import Sieve
from signer.services.export import FORMS, What
from signer.verification.wording import beijing
from signer.web.portal import audit_view
from signer.web.portal.doors import MAKERS, page_number
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

LOOKERS: Final = frozenset({Role.ADMIN, Role.AUDITOR})
"""Who reads the audit."""
PER_PAGE, _MOST_TEXT = 50, 120
_MIME = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What was typed into the filter, what it means, and what is wrong with it."""

    typed: dict[str, str]
    sieve: Sieve
    faults: tuple[Fault, ...]
    page: int

    @classmethod
    def read(cls, *, more: tuple[str, ...] = ()) -> Filter:
        """Read the filter of this request's address; a wrong date filters nothing, and is named; `more` are fields."""
        names = ("from", "to", "text", "seal", *more)
        typed = {name: request.args.get(name, "").strip().replace("\x00", "")[:_MOST_TEXT] for name in names}
        faults: list[Fault] = []
        since, until = _day(typed["from"], "from", faults), _day(typed["to"], "to", faults)
        sieve = Sieve(
            since=None if since is None else _midnight(since),
            until=None if until is None else _midnight(until + timedelta(days=1)),
            text=typed["text"],
            seal=typed["seal"],
        )
        return cls(typed=typed, sieve=sieve, faults=tuple(faults), page=page_number())

    @property
    def skip(self) -> int:
        """How many entries come before this page."""
        return (self.page - 1) * PER_PAGE

    def query(self, **more: object) -> str:
        """Return the filter as the end of an address."""
        told = {name: value for name, value in self.typed.items() if value} | {k: str(v) for k, v in more.items()}
        return f"?{urlencode(told)}" if told else ""


def room(building: Building) -> Room:
    """Return the room."""
    ledger, frame, exporting = building.doors.room("ledger"), building.frame, building.services.exporting

    @ledger.get("/portal/<uscc>/seals/register", MAKERS)
    def register(visit: Visit) -> ResponseReturnValue:
        """Show a page of the seal register."""
        wanted = Filter.read()
        found = exporting.seal_uses(visit.uscc, wanted.sieve, most=PER_PAGE + 1, skip=wanted.skip)
        digests = [seal.kept.certificate_digest for seal in building.services.seal_keeping.all(visit.uscc)]
        told = {"uses": found[:PER_PAGE], "has_more": len(found) > PER_PAGE, "seals": digests}
        told["names"] = building.services.people.names(
            {person for use in found for person in (use.preparer_id, use.approver_id)}
        )
        return frame.draw("portal/register.html", visit, faults=wanted.faults, wanted=wanted, beijing=beijing, **told)

    @ledger.get("/portal/<uscc>/seals/register/export", MAKERS)
    def register_export(visit: Visit) -> ResponseReturnValue:
        """Hand out the seal register, as it is filtered."""
        return _export(building, visit, "seal-register")

    @ledger.get("/portal/<uscc>/seals/audit", LOOKERS)
    def audit(visit: Visit) -> ResponseReturnValue:
        """Show a page of the audit."""
        wanted = Filter.read()
        found = exporting.entries(visit.uscc, wanted.sieve, most=PER_PAGE + 1, skip=wanted.skip)
        shown, base = found[:PER_PAGE], f"/portal/{visit.uscc}"
        names = building.services.people.names(audit_view.people(shown))
        told = {"lines": audit_view.lines(shown, frame.t, names=names, base=base), "has_more": len(found) > PER_PAGE}
        return frame.draw("portal/audit.html", visit, faults=wanted.faults, wanted=wanted, beijing=beijing, **told)

    @ledger.get("/portal/<uscc>/seals/audit/export", LOOKERS)
    def audit_export(visit: Visit) -> ResponseReturnValue:
        """Hand out the audit, as it is filtered."""
        return _export(building, visit, "audit")

    return ledger


def _export(building: Building, visit: Visit, what: What) -> Response:
    asked = request.args.get("form", "csv")
    form = next((one for one in FORMS if one == asked), None)
    if form is None:
        raise NotFound("no such form of an export")
    text = building.services.exporting.text(what, form, manufacturer=visit.uscc, sieve=Filter.read().sieve)
    name = f"{what}-{visit.uscc}-{format_instant(building.clock())[:10]}.{form}"
    response = Response(text, content_type=_MIME[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _day(typed: str, field: str, faults: list[Fault]) -> date | None:
    if not typed:
        return None
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or not _FIRST <= found <= _LAST:
        zh, en = "日期应为 2026-11-30 这样的格式", "a date looks like 2026-11-30"
        faults.append(Fault(pointer=field, code="date", zh=zh, en=en))
        return None
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=BEIJING).astimezone(UTC)
