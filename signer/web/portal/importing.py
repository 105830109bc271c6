"""Spreadsheets handed in by preparers: template, upload, what is wrong in which cell, the run, and what came of it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from flask import current_app, redirect, request

from signer.domain.confirmation import MOST_VEHICLES, USUAL_VEHICLES
from signer.domain.parties import Role
from signer.errors import RuleViolation
from signer.register.imports import PAGE
from signer.services import import_files
from signer.services.importing import COLUMNS, Asked
from signer.sheets.reading import MOST_BYTES
from signer.verification.wording import beijing
from signer.web import languages
from signer.web.portal import sheet_files
from signer.web.portal.doors import files, form, page_number
from signer.web.portal.import_view import MOST_LINES, view_of
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from signer.register.imports import Kind
    from signer.services.importing import Importing
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.frame import Frame
    from signer.web.portal.rooms import Building

PREPARERS: Final = frozenset({Role.PREPARER})
READERS: Final = frozenset({Role.PREPARER, Role.ADMIN})
_REFRESH_S = 4
_NO_FILE = Fault(
    pointer="sheet", code="sheet.missing", zh="请选择一个表格文件。", en="Choose the file of a spreadsheet."
)
_SIZE = Fault(
    pointer="size",
    code="import.size",
    zh=f"每份草稿的车辆数应为 1 至 {MOST_VEHICLES}。",
    en=f"The number of vehicles in a draft is from 1 to {MOST_VEHICLES}.",
)
_WORSE = Fault(
    pointer="",
    code="import.changed",
    zh="检查结果有变化，尚未导入任何内容。请查看下列问题。",
    en="Something has changed since the last check, and nothing was imported. See what is wrong below.",
)


def room(building: Building) -> Room:
    """Return the room."""
    imports, importing = building.doors.room("imports"), building.services.importing
    desk = _Desk(building.frame, importing)
    _add_pages(imports, desk)
    _add_files(imports, importing)
    _add_actions(imports, desk, importing)
    _add_endings(imports, importing)
    return imports


def _add_pages(imports: Room, desk: _Desk) -> None:
    @imports.get("/portal/<uscc>/imports", READERS)
    def listed(visit: Visit) -> ResponseReturnValue:
        """Show the form for a sheet, and those that were handed in."""
        return desk.listed(visit)

    @imports.get("/portal/<uscc>/imports/<ref>", READERS)
    def show(visit: Visit, ref: str) -> ResponseReturnValue:
        """Show what is in a sheet, how far its import is, or what came of it."""
        return desk.shown(visit, ref)


def _add_files(imports: Room, importing: Importing) -> None:
    @imports.get("/portal/<uscc>/imports/template", READERS)
    def template(visit: Visit) -> ResponseReturnValue:
        """Give an empty sheet to fill in."""
        del visit
        kind, made, words = _kind(request.args.get("kind")), sheet_files.form_asked(), sheet_files.words_asked()
        return sheet_files.sheet(import_files.template(kind, made, words), f"{kind}-{words}.{made}", made)

    @imports.get("/portal/<uscc>/imports/<ref>/reasons", READERS)
    def reasons(visit: Visit, ref: str) -> ResponseReturnValue:
        """Give the sheet back with the reasons; once it ran, with the rows alone that were left out."""
        found, made = importing.find(visit.uscc, ref), sheet_files.form_asked()
        data = import_files.with_reasons(
            importing.file(visit.uscc, ref),
            found.plan,
            found.report,
            form=made,
            language=sheet_files.words_asked(),
            is_rest=found.head.state != "read",
        )
        return sheet_files.sheet(data, f"{PurePath(found.head.file_name).stem[:60] or 'sheet'}-{ref[:4]}.{made}", made)


def _add_actions(imports: Room, desk: _Desk, importing: Importing) -> None:
    @imports.post("/portal/<uscc>/imports", PREPARERS)
    def hand_in(visit: Visit) -> ResponseReturnValue:
        """Take a sheet in, and show what is in it."""
        uploads = files("sheet")
        if not uploads or not uploads[0].data:
            return desk.listed(visit, faults=(_NO_FILE,)), 422
        kind = _kind(form().get("kind"))
        try:
            ref, is_new = importing.hand_in(_asked(visit), kind, uploads[0].name, uploads[0].data)
        except RuleViolation as error:
            return desk.listed(visit, faults=_faults(error)), 422
        return _to(visit, ref, "" if is_new else "imports.known")

    @imports.post("/portal/<uscc>/imports/<ref>/run", PREPARERS)
    def run(visit: Visit, ref: str) -> ResponseReturnValue:
        """Start an import."""
        typed = form().get("size", "").strip()
        if not typed.isdecimal() or not typed.isascii() or not 1 <= int(typed[:9]) <= MOST_VEHICLES:
            return desk.shown(visit, ref, faults=(_SIZE,), size=typed[:9]), 422
        only_good = form().get("only_good") == "yes"
        if not importing.start(_asked(visit), ref, only_good=only_good, size=int(typed)):
            return desk.shown(visit, ref, faults=(_WORSE,)), 422
        return _to(visit, ref, "imports.begun")


def _add_endings(imports: Room, importing: Importing) -> None:
    @imports.post("/portal/<uscc>/imports/<ref>/again", PREPARERS)
    def again(visit: Visit, ref: str) -> ResponseReturnValue:
        """Go on with an import that failed."""
        importing.again(_asked(visit), ref)
        return _to(visit, ref, "imports.begun")

    @imports.post("/portal/<uscc>/imports/<ref>/drop", PREPARERS)
    def drop(visit: Visit, ref: str) -> ResponseReturnValue:
        """Drop a sheet that was not imported."""
        importing.drop(_asked(visit), ref)
        return redirect(f"/portal/{visit.uscc}/imports?done=imports.dropped", code=303)


class _Desk:
    """Draws the pages of imports."""

    def __init__(self, frame: Frame, importing: Importing) -> None:
        self._frame = frame
        self._importing = importing

    def listed(self, visit: Visit, *, faults: tuple[Fault, ...] = ()) -> str:
        """Draw the form and the list."""
        number = page_number()
        heads = self._importing.listed(visit.uscc, number=number)
        return self._frame.draw(
            "portal/imports.html",
            visit,
            faults=faults,
            heads=heads[:PAGE],
            number=number,
            has_more=len(heads) > PAGE,
            may_edit=visit.has(Role.PREPARER),
            kind=_kind(form().get("kind") or request.args.get("kind")),
            kinds=tuple(COLUMNS),
            most_mb=MOST_BYTES // 1_000_000,
            beijing=beijing,
        )

    def shown(
        self, visit: Visit, ref: str, *, faults: tuple[Fault, ...] = (), size: str = f"{USUAL_VEHICLES}"
    ) -> Response:
        """Draw one import; while it runs the page looks again by itself."""
        found = self._importing.find(visit.uscc, ref)
        page = self._frame.draw(
            "portal/import.html",
            visit,
            faults=faults,
            shown=found,
            view=view_of(found, languages.chosen()),
            size=size,
            most_lines=MOST_LINES,
            may_edit=visit.has(Role.PREPARER),
            beijing=beijing,
        )
        response = current_app.make_response(page)
        if found.head.state == "running":
            response.headers["Refresh"] = f"{_REFRESH_S}; url={request.path}"
        return response


def _asked(visit: Visit) -> Asked:
    return Asked(person=visit.person, maker=visit.uscc)


def _to(visit: Visit, ref: str, done: str) -> ResponseReturnValue:
    return redirect(f"/portal/{visit.uscc}/imports/{ref}" + (f"?done={done}" if done else ""), code=303)


def _kind(typed: str | None) -> Kind:
    return "production" if typed == "production" else "vehicles"


def _faults(error: RuleViolation) -> tuple[Fault, ...]:
    return tuple(Fault(pointer="sheet", code=one.rule, zh=one.zh, en=one.en) for one in error.violations)
