"""A maker's sheet of outlets: handed in, what it would change is told first, and then made in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, request

from signer.domain.machines import Right
from signer.errors import Conflict, RuleViolation
from signer.sheets.reading import MOST_BYTES
from signer.sheets.writing import CSV, XLSX
from signer.web import bodies, intake, languages
from signer.web.machines import gate, matching, paging
from signer.web.machines.describing import Doc, Query
from signer.web.machines.outlet_shapes import (
    Application,
    FieldChange,
    OutletChange,
    OutletListAnswer,
    WrongCellAnswer,
)
from signer.web.machines.outlets import TAG
from signer.web.problems import Fault, Refused, fault_of

if TYPE_CHECKING:
    from signer.domain.machines import Caller
    from signer.domain.outlet_changes import Change, WrongCell
    from signer.services.deeds import Doing
    from signer.services.outlet_lists import Shown
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_PLACE: Final = "/api/v1/outlet-lists/{}"
_CSV: Final = CSV.partition(";")[0]
_SHEET: Final = "id,country,name,hours\nkz-almaty,KZ,Almaty Sample Service Centre,Mon-Sat 09:00-18:00\n"
_KINDS: Final = ("changes", "whole")
_ASKED: Final = (
    Query(
        "kind",
        "`whole`: it names every outlet of its countries, and others there are closed. Else `changes`.",
        values=_KINDS,
    ),
    Query("name", "What the file is called, for people.", example="outlets-2026-12.xlsx"),
)


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _handing_in(gate_, house)
    _deciding(gate_, house)


def _handing_in(gate_: Gate, house: House) -> None:
    lists = house.services.outlet_lists

    def told(caller: Caller, ref: str) -> Response:
        body = _answer(lists.show(caller.uscc, ref))
        return matching.told(body, status=201, headers={"Location": _PLACE.format(ref)})

    @gate_.create(
        "/outlet-lists",
        Right.OUTLETS_WRITE,
        telling=told,
        reads=_sheet,
        doc=Doc(
            summary="Hand in a sheet of outlets",
            text=(
                "XLSX or CSV in the layout of the portal's template; columns that it lacks stay as they are. Nothing "
                "is changed yet: this tells what would be, and every cell that is wrong."
            ),
            tag=TAG,
            sends=((XLSX, "PK…"), (_CSV, _SHEET)),
            gives=OutletListAnswer,
            status=201,
            query=_ASKED,
            problems=("rule-violation", "queue-full", "storage-low"),
        ),
    )
    def hand_in_outlets(caller: Caller, doing: Doing) -> str:
        kinds, name, data = paging.chosen("kind", _KINDS), paging.word("name"), request.get_data()
        is_whole = kinds == ("whole",)
        try:
            return lists.hand_in(caller.uscc, name, data, is_whole=is_whole, by=caller.by, also=doing.note)
        except RuleViolation as error:
            raise Refused("rule-violation", tuple(_of_body(fault_of(one)) for one in error.violations)) from error

    @gate_.get(
        "/outlet-lists/<ref>",
        Right.OUTLETS_WRITE,
        doc=Doc(summary="Read what a sheet of outlets would change now", tag=TAG, gives=OutletListAnswer),
    )
    def get_outlet_list(caller: Caller, ref: str) -> Response:
        return matching.told(_answer(lists.show(caller.uscc, ref)))


def _deciding(gate_: Gate, house: House) -> None:
    lists = house.services.outlet_lists

    def applied(caller: Caller, ref: str) -> Response:
        return matching.told(_answer(lists.show(caller.uscc, ref)), headers={"Location": _PLACE.format(ref)})

    @gate_.create(
        "/outlet-lists/<ref>/applications",
        Right.OUTLETS_WRITE,
        telling=applied,
        doc=Doc(
            summary="Make the changes that were told",
            text="All in one transaction, or none: where they would be others by now, the problem is a conflict.",
            tag=TAG,
            takes=Application,
            gives=OutletListAnswer,
            problems=("conflict",),
        ),
    )
    def apply_outlet_list(caller: Caller, doing: Doing, ref: str) -> str:
        digest = bodies.parse(Application, gate.body()).digest
        if lists.show(caller.uscc, ref).state == "dropped":
            raise Conflict("this list was dropped")
        lists.apply(caller.uscc, ref, digest=digest, by=caller.by, also=doing.note)
        return ref

    @gate_.change(
        "DELETE",
        "/outlet-lists/<ref>",
        Right.OUTLETS_WRITE,
        doc=Doc(summary="Drop a sheet of outlets", text="One that was applied stays as it is.", tag=TAG, status=204),
    )
    def drop_outlet_list(caller: Caller, ref: str) -> Response:
        lists.drop(caller.uscc, ref, by=caller.by)
        return Response(status=204)


def _sheet() -> bytes:
    """Return the body of this request, a sheet. Refused, RequestEntityTooLarge."""
    intake.refuse_type(XLSX, _CSV)
    with intake.limited(MOST_BYTES):
        return request.get_data()


def _of_body(fault: Fault) -> Fault:
    """Let what is wrong with a sheet as a whole name the whole body."""
    return Fault(pointer="", code=fault.code, zh=fault.zh, en=fault.en)


def _answer(shown: Shown) -> OutletListAnswer:
    changes = shown.changes
    return OutletListAnswer.model_validate(
        {
            "ref": shown.ref,
            "name": shown.file_name,
            "kind": "whole" if shown.is_whole else "changes",
            "state": shown.state,
            "digest": changes.digest,
            "added": tuple(change.entry.outlet.id for change in changes.added),
            "changed": tuple(map(_change, changes.changed)),
            "closed": tuple(entry.outlet.id for entry in changes.closed),
            "same": changes.same,
            "wrong": tuple(_wrong(cell, shown.columns) for cell in changes.wrong),
        }
    )


def _change(change: Change) -> OutletChange:
    fields = tuple(FieldChange(field=name, before=before, after=after) for name, before, after in change.fields)
    return OutletChange(id=change.entry.outlet.id, fields=fields)


def _wrong(cell: WrongCell, columns: dict[str, str]) -> WrongCellAnswer:
    finding = cell.finding
    return WrongCellAnswer(
        cell=f"{columns.get(cell.field, '')}{cell.row}",
        field=cell.field,
        rule=finding.rule,
        message=finding.zh if languages.answered() == "zh" else finding.en,
    )
