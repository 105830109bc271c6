"""An exporter's papers: what was issued to it, by any manufacturer; its files and share links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request

from signer.domain.confirmation import Standing
from signer.domain.values import beijing_day
from signer.errors import Conflict, InvalidInput, NotFound
from signer.services.confirming import parse
from signer.services.sharing import DAYS
from signer.verification.wording import beijing
from signer.web.portal import downloads
from signer.web.portal.doors import EXPORTERS, form
from signer.web.portal.shared import TONES, proof_of
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_FAULTS: Final = {
    "share.label": ("label", "最多 60 个字符，不含特殊字符。", "At most 60 characters, none of them special."),
    "status.conflict": (
        "",
        "状态链接过多，请先撤销不用的。",
        "There are too many status links: revoke those that nobody needs.",
    ),
    "share.days": ("days", "请选择有效期。", "Choose for how long it is good."),
    "share.conflict": (
        "",
        "现在不能创建链接：确认书不在有效状态、暂时无法确定其状态，或可打开的链接过多。",
        "No link can be made now: the confirmation is not in force, or that cannot be told, or it has too many links.",
    ),
}


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("papers"), _Desk(building)
    here = "/exporter/<exporter>/papers"
    door.get(here, EXPORTERS)(desk.listed)
    door.get(f"{here}/<number>", EXPORTERS)(desk.one)
    door.get(f"{here}/<number>/files/<kind>", EXPORTERS)(desk.file)
    door.post(f"{here}/<number>/links", EXPORTERS)(desk.share)
    door.post(f"{here}/<number>/links/<ref>/revoke", EXPORTERS)(desk.revoke)
    door.post(f"{here}/<number>/status", EXPORTERS)(desk.tell)
    door.post(f"{here}/<number>/status/<status>/revoke", EXPORTERS)(desk.untell)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._frame = building.frame
        self._papers = building.services.papers
        self._sharing = building.services.sharing
        self._links = building.services.status_links
        self._base_url = building.services.settings.base_url.rstrip("/")
        self._status_key = building.vault.key("status")

    def listed(self, visit: Visit) -> ResponseReturnValue:
        """Show the papers, the newest first."""
        after = _after(request.args.get("after", "")[:40])
        found = self._papers.listed(visit.exporter, after=after)
        return self._frame.draw(
            "portal/papers.html",
            visit,
            found=found,
            is_first=after is None,
            tones=TONES,
            beijing=beijing,
        )

    def one(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Show one paper."""
        return self._draw(visit, parse(number))

    def _draw(
        self, visit: Visit, number: Number, *faults: Fault, secret: str = "", label: str = "", note: str = ""
    ) -> str:
        record, at = self._papers.one(visit.exporter, number), self._building.clock()
        shares = self._sharing.of_exporter(visit.exporter, number)
        links = self._links.of_exporter(visit.exporter, number)
        return self._frame.draw(
            "portal/paper.html",
            visit,
            faults=faults,
            **_shown(record),
            shares=[(share, share.is_open(at)) for share in shares],
            link=f"{self._base_url}/share#{secret}" if secret else "",
            statuses=[(each, self._status(number, each.ref)) for each in links],
            note=note,
            label=label,
            days=DAYS,
            as_of=beijing(at),
            today=beijing_day(at),
            beijing=beijing,
        )

    def file(self, visit: Visit, number: str, kind: str) -> ResponseReturnValue:
        """Hand out the sealed PDF, or the evidence bundle; the audit is told who took it."""
        parsed = parse(number)
        record = self._papers.one(visit.exporter, parsed)
        if kind == "sealed":
            data = self._papers.sealed(parsed)
            self._papers.note_taken(visit.exporter, parsed, "sealed", by=visit.person)
            return downloads.attachment(data, f"{parsed}.pdf", downloads.PDF)
        if kind == "evidence" and not record.gaps:
            maker = record.whole.terms.manufacturer.uscc
            data = self._building.services.evidence.bundle(parsed, manufacturer=maker)
            self._papers.note_taken(visit.exporter, parsed, "evidence", by=visit.person)
            return downloads.attachment(data, f"{parsed}-evidence.zip", downloads.ZIP)
        raise NotFound("no such file")

    def share(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Make a share link, and show it: this once, for it is kept nowhere."""
        parsed, label = parse(number), form().get("label", "")[:400]
        typed = form().get("days", "")
        days = int(typed) if typed in map(str, DAYS) else 0
        try:
            secret = self._sharing.make(visit.exporter, parsed, label=label, days=days, by=visit.person)
        except InvalidInput as error:
            return self._draw(visit, parsed, _fault(f"share.{error.field}"), label=label), 422
        except Conflict:
            return self._draw(visit, parsed, _fault("share.conflict"), label=label), 409
        return self._draw(visit, parsed, secret=secret)

    def _status(self, number: Number, ref: str) -> str:
        """Return a status link: of each, its address can be made again."""
        return f"{self._base_url}/status/{number}/{proof_of(self._status_key, number, ref)}"

    def tell(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Make a status link."""
        parsed, note = parse(number), form().get("note", "")[:400]
        try:
            self._links.make(visit.exporter, parsed, label=note, by=visit.person)
        except InvalidInput:
            return self._draw(visit, parsed, _fault("share.label", "note"), note=note), 422
        except Conflict:
            return self._draw(visit, parsed, _fault("status.conflict"), note=note), 409
        return redirect(f"/exporter/{visit.exporter}/papers/{parsed}?done=papers.status-made#status", code=303)

    def untell(self, visit: Visit, number: str, status: str) -> ResponseReturnValue:
        """Let a status link tell nothing any more."""
        parsed = parse(number)
        self._links.revoke_by_exporter(visit.exporter, parsed, status, by=visit.person)
        return redirect(f"/exporter/{visit.exporter}/papers/{parsed}?done=papers.revoked", code=303)

    def revoke(self, visit: Visit, number: str, ref: str) -> ResponseReturnValue:
        """Let a link open nothing any more."""
        parsed = parse(number)
        self._sharing.revoke_by_exporter(visit.exporter, parsed, ref, by=visit.person)
        return redirect(f"/exporter/{visit.exporter}/papers/{parsed}?done=papers.revoked", code=303)


def _shown(record: RecordFacts) -> dict[str, object]:
    """Return what the page of a paper shows of its record."""
    vehicles = {str(vehicle.vin): vehicle for vehicle in record.whole.terms.vehicles}
    return {
        "record": record,
        "terms": record.whole.terms,
        "lines": [(line, vehicles[line.vin]) for line in record.lines],
        "tones": TONES,
        "is_live": record.standing is Standing.ISSUED and not record.gaps,
    }


def _after(typed: str) -> Number | None:
    return parse(typed) if typed else None


def _fault(rule: str, pointer: str = "") -> Fault:
    place, zh, en = _FAULTS[rule]
    return Fault(pointer=pointer or place, code=rule, zh=zh, en=en)
