"""The whole audit: who did what, of which manufacturer, from when to when; on pages, and as CSV."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask import Response

from signer.domain.parties import Role
from signer.domain.values import format_instant
from signer.verification.wording import beijing
from signer.web.portal import audit_view
from signer.web.portal.frame import HOUSE, OFFICE
from signer.web.portal.ledger import PER_PAGE, Filter

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.register.audit import Entry
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

AUDIT: Final = f"{OFFICE}/audit"
_MORE = ("actor", "event", "subject", "maker")


def room(building: Building) -> Room:
    """Return the room."""
    door, frame, services = building.doors.room("office_audit"), building.frame, building.services
    reading = services.audit_reading

    @door.get(AUDIT, HOUSE)
    def audit(visit: Visit) -> ResponseReturnValue:
        """Show a page of the audit."""
        wanted, makers = _filter(), reading.makers()
        found = reading.entries(wanted.typed["maker"], wanted.sieve, most=PER_PAGE + 1, skip=wanted.skip)
        names = services.people.names(audit_view.people(found))
        lines = [
            (_line(entry, building, names, _base(visit, entry, makers)), makers.get(entry.manufacturer_id or 0))
            for entry in found[:PER_PAGE]
        ]
        return frame.draw(
            "portal/office_audit.html",
            visit,
            faults=wanted.faults,
            wanted=wanted,
            lines=lines,
            makers=sorted(makers.values(), key=lambda maker: maker[1]),
            has_more=len(found) > PER_PAGE,
            beijing=beijing,
        )

    @door.get(f"{AUDIT}/export", HOUSE)
    def export(visit: Visit) -> ResponseReturnValue:
        """Hand out the audit as it is filtered, piece by piece."""
        wanted = _filter()
        pieces = reading.csv(wanted.typed["maker"], wanted.sieve, by=visit.person)
        response = Response(pieces, content_type="text/csv; charset=utf-8")
        name = f"audit-{format_instant(building.clock())[:10]}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return door


def _filter() -> Filter:
    """Read the filter of this request's address: the maker's own, and who, what, about what, of whom."""
    plain = Filter.read(more=_MORE)
    typed = plain.typed
    return replace(
        plain, sieve=replace(plain.sieve, actor=typed["actor"], event=typed["event"], subject=typed["subject"])
    )


def _base(visit: Visit, entry: Entry, makers: dict[int, tuple[str, str]]) -> str:
    """Return below what a thing's page is: an auditor sees manufacturers' rooms, an operator does not."""
    maker = makers.get(entry.manufacturer_id or 0)
    return f"/portal/{maker[0]}" if maker and visit.has(Role.AUDITOR) else ""


def _line(entry: Entry, building: Building, names: dict[str, str], base: str) -> audit_view.Line:
    return audit_view.lines((entry,), building.frame.t, names=names, base=base)[0]
