"""Lists of outlets in and out: template and present list as files, a list handed in, and what it would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, request

from signer.errors import Conflict, NotFound, RuleViolation
from signer.sheets.reading import MOST_BYTES
from signer.sheets.writing import CSV, XLSX
from signer.web import languages
from signer.web.portal.doors import MAKERS, files, form
from signer.web.portal.outlets import KEEPERS, country_name, faults_of
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_FILES = {"outlets.xlsx": ("xlsx", False), "outlets.csv": ("csv", False), "template.xlsx": ("xlsx", True)}
_FILES["template.csv"] = ("csv", True)
_NO_FILE = Fault(pointer="file", code="file.missing", zh="请选择文件。", en="Choose a file.")
_OTHERWISE = Fault(
    pointer="",
    code="outlet-list.changed",
    zh="网点资料在此期间已有变动，以下是更新后的对比。请重新核对后再写入。",
    en="The outlets have changed meanwhile. Below is what the list would change now: check it again before applying.",
)


def room(building: Building) -> Room:
    """Return the room."""
    lists, frame, services = building.doors.room("outlet_lists"), building.frame, building.services
    base = "/portal/<uscc>/outlets"

    @lists.get(f"{base}/import", KEEPERS)
    def choose(visit: Visit) -> ResponseReturnValue:
        """Ask for a list."""
        return frame.draw("portal/outlet_import.html", visit, is_whole=False, most=MOST_BYTES // 1_000_000)

    @lists.post(f"{base}/import", KEEPERS)
    def hand_in(visit: Visit) -> ResponseReturnValue:
        """Read a list, and lead to what it would change."""
        is_whole = form().get("kind") == "whole"
        faults: tuple[Fault, ...] = (_NO_FILE,)
        try:
            for one in files("file"):
                ref = services.outlet_lists.hand_in(visit.uscc, one.name, one.data, is_whole=is_whole, by=visit.person)
                return redirect(f"/portal/{visit.uscc}/outlets/import/{ref}", code=303)
        except RuleViolation as error:
            faults = tuple(_at_file(fault) for fault in faults_of(error.violations))
        told = {"is_whole": is_whole, "most": MOST_BYTES // 1_000_000}
        return frame.draw("portal/outlet_import.html", visit, faults=faults, **told), 422

    _add_preview(lists, building)
    _add_files(lists, building)
    return lists


def _add_preview(lists: Room, building: Building) -> None:
    """Add what a list would change, and doing it."""
    frame, services, base = building.frame, building.services, "/portal/<uscc>/outlets"

    def draw(visit: Visit, ref: str, faults: tuple[Fault, ...] = ()) -> str:
        shown = services.outlet_lists.show(visit.uscc, ref)
        return frame.draw("portal/outlet_changes.html", visit, faults=faults, shown=shown, name=country_name)

    @lists.get(f"{base}/import/<ref>", KEEPERS)
    def show(visit: Visit, ref: str) -> ResponseReturnValue:
        """Show what a list would change."""
        return draw(visit, ref)

    @lists.post(f"{base}/import/<ref>", KEEPERS)
    def apply(visit: Visit, ref: str) -> ResponseReturnValue:
        """Make the changes that were shown, or drop the list."""
        services.outlet_lists.show(visit.uscc, ref)
        if form().get("do") == "drop":
            services.outlet_lists.drop(visit.uscc, ref, by=visit.person)
            return redirect(f"/portal/{visit.uscc}/outlets?done=outlet-lists.dropped", code=303)
        try:
            services.outlet_lists.apply(visit.uscc, ref, digest=form().get("digest", "")[:64], by=visit.person)
        except Conflict:
            return draw(visit, ref, (_OTHERWISE,)), 409
        return redirect(f"/portal/{visit.uscc}/outlets?done=outlet-lists.applied", code=303)


def _add_files(lists: Room, building: Building) -> None:
    """Add the files that are handed out."""
    services, base = building.services, "/portal/<uscc>/outlets"

    @lists.get(f"{base}/file", MAKERS)
    def file(visit: Visit) -> ResponseReturnValue:
        """Return the present list or a template as a file."""
        name = request.args.get("name", "outlets.xlsx")
        if name not in _FILES:
            raise NotFound("no such file")
        kind, is_empty = _FILES[name]
        data = services.outlet_lists.sheet(visit.uscc, languages.chosen(), form=kind, is_empty=is_empty)
        answer = Response(data, mimetype=CSV if kind == "csv" else XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _at_file(fault: Fault) -> Fault:
    return Fault(pointer="file", code=fault.code, zh=fault.zh, en=fault.en)
