"""Confirmations: found, read, and handed out as files; for an exporter, those that its own pages show."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import request
from flask_openapi.models.tag import Tag

from signer.domain.confirmation import Standing
from signer.domain.machines import Right
from signer.domain.number import Number
from signer.domain.parties import Uscc, normalise_uscc, uscc_fault
from signer.domain.values import beijing_day
from signer.domain.vehicle import normalise_vin
from signer.errors import NotFound
from signer.register.overview import Sought
from signer.services.confirming import parse
from signer.services.evidence import MIME as ZIP
from signer.services.records import Wanted
from signer.web.machines import matching, paging
from signer.web.machines.confirmation_shapes import (
    ConfirmationAnswer,
    ConfirmationList,
    ConfirmationRow,
    FileAnswer,
    LineAnswer,
)
from signer.web.machines.describing import JSON, PAGED, Doc, Query
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from datetime import date

    from flask import Response

    from signer.domain.evidence import RecordFacts
    from signer.domain.machines import Caller
    from signer.register.overview import Row
    from signer.services.records import Held, Listed
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

TAG = Tag(
    name="confirmations",
    description="What was issued: a manufacturer's own, or the papers of an exporter that its manufacturers accepted.",
)
PLACE: Final = "/api/v1/confirmations/{}"
PDF: Final = "application/pdf"
KINDS: Final = ("sealed", "archive")
_FILTERS: Final = (
    Query("number", "Only this number.", example="ZNDCB-PJY9V-T636"),
    Query("vin", "Only those that list this VIN, in force or not.", example="LTEST0000T0000017"),
    Query("exporter", "Only those for this exporter: its USCC.", example="91650000MA0TH03XX3"),
    Query("standing", "Only those that stand so on record.", values=tuple(Standing)),
)
_KIND = Query("kind", "`sealed`: as it was issued, unless said otherwise; `archive`: its newest archive copy.", KINDS)


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _reading(gate_, house)
    _files(gate_, house)


def _reading(gate_: Gate, house: House) -> None:
    @gate_.get(
        "/confirmations",
        Right.CONFIRMATIONS_READ,
        doc=Doc(summary="List confirmations", tag=TAG, gives=ConfirmationList, query=(*_FILTERS, *PAGED)),
    )
    def list_confirmations(caller: Caller) -> Response:
        wanted = paging.part()
        found = _listed(house, caller, wanted)
        cursor = paging.after(found.rows[-1].number) if found.has_more else None
        items = tuple(_row(row, is_doubted=row.number in found.doubted) for row in found.rows)
        return matching.told(ConfirmationList(items=items, next=cursor), headers=paging.link(cursor))

    @gate_.get(
        "/confirmations/<number>",
        Right.CONFIRMATIONS_READ,
        doc=Doc(
            summary="Read a confirmation as it stands now",
            text=(
                "As JSON, or as its newest PDF by `Accept: application/pdf`. The ETag is another one whenever the "
                "standing of a line is."
            ),
            tag=TAG,
            gives=ConfirmationAnswer,
            files=(PDF,),
        ),
    )
    def get_confirmation(caller: Caller, number: str) -> Response:
        held = held_of(house, caller, number)
        body = answer(held, beijing_day(house.clock()))
        if request.accept_mimetypes.best_match((JSON, PDF), default=JSON) == JSON:
            return matching.told(body, headers={"Vary": "Accept"})
        if not held.files:
            raise NotFound("nothing of this is sealed yet")
        return _pdf(house, caller, held, held.files[-1].kind, etag=f"{matching.version(body)}-pdf")


def _files(gate_: Gate, house: House) -> None:
    evidence = house.services.evidence

    @gate_.get(
        "/confirmations/<number>/file",
        Right.CONFIRMATIONS_READ,
        doc=Doc(
            summary="Read the PDF of a confirmation",
            text="What it says is what was sealed, whatever became of it since: `standing` is in the JSON.",
            tag=TAG,
            files=(PDF,),
            query=(_KIND,),
        ),
    )
    def get_confirmation_file(caller: Caller, number: str) -> Response:
        kind = paging.chosen("kind", KINDS)[0]
        return _pdf(house, caller, held_of(house, caller, number), kind)

    @gate_.get(
        "/confirmations/<number>/evidence",
        Right.CONFIRMATIONS_READ,
        doc=Doc(
            summary="Read the evidence bundle",
            text="A ZIP of all that it takes to check the confirmation without us, with a receipt that is made now.",
            tag=TAG,
            files=(ZIP,),
            problems=("unavailable",),
        ),
    )
    def get_confirmation_evidence(caller: Caller, number: str) -> Response:
        record = held_of(house, caller, number).record
        if caller.exporter is not None and record.gaps:
            raise NotFound("no bundle while it cannot be told how this stands")
        data = evidence.bundle(record.number, manufacturer=record.whole.terms.manufacturer.uscc)
        return _noted(house, caller, record.number, "evidence", _saved(data, f"{record.number}-evidence.zip", ZIP))


def _listed(house: House, caller: Caller, part: paging.Part) -> Listed:
    """Return the part of the list that is asked for. Raises Refused for filters and cursors that are none."""
    sought, after = _sought(), _number(part.after)
    if part.after and after is None:
        raise Refused("invalid-input", (paging.NO_CURSOR,))
    wanted = Wanted(sought=sought, after=after, limit=part.limit)
    try:
        if caller.exporter is not None:
            return house.services.papers.part(caller.exporter, wanted)
        return house.services.confirming.part(caller.uscc, wanted)
    except NotFound as error:
        raise Refused("invalid-input", (paging.NO_CURSOR,)) from error


def _sought() -> Sought:
    """Return what the list is narrowed to; every filter that cannot be one is named. Raises Refused."""
    typed = {name: paging.word(name) for name in ("number", "vin", "exporter")}
    number, vin, exporter = _number(typed["number"]), normalise_vin(typed["vin"]), normalise_uscc(typed["exporter"])
    faults = []
    if typed["number"] and number is None:
        faults.append(_fault("number", "number.form", "不是确认书编号", "is no confirmation's number"))
    if typed["vin"] and not (len(vin) == 17 and vin.isascii() and vin.isalnum()):
        faults.append(_fault("vin", "vin.length", "VIN 为 17 位", "a VIN has 17 characters"))
    if typed["exporter"] and (rule := uscc_fault(exporter)):
        faults.append(_fault("exporter", rule, "不是统一社会信用代码", "is no unified social credit code"))
    if faults:
        raise Refused("invalid-input", tuple(faults))
    standings = frozenset(paging.chosen("standing", tuple(Standing)))
    return Sought(
        number=number,
        vin=vin or None,
        exporters=(exporter,) if exporter else None,
        standings=standings if len(standings) == 1 else None,
    )


def _fault(name: str, code: str, zh: str, en: str) -> Fault:
    return Fault(pointer=f"/{name}", code=code, zh=zh, en=en)


def _number(typed: str) -> Number | None:
    try:
        return Number.parse(typed[:40])
    except ValueError:
        return None


def held_of(house: House, caller: Caller, number: str) -> Held:
    """Return a confirmation that the token may know of. NotFound."""
    if caller.exporter is not None:
        return house.services.papers.held(caller.exporter, parse(number))
    return house.services.confirming.held(caller.uscc, number)


def _noted(house: House, caller: Caller, number: Number, kind: str, response: Response) -> Response:
    """Tell the audit who took a file, unless the answer says that it is the one that the machine has."""
    if response.status_code == HTTPStatus.OK:
        services, by, token = house.services, caller.by, caller.token
        if caller.exporter is not None:
            services.papers.note_taken(caller.exporter, number, kind, by=by, token=token)
        else:
            services.confirming.note_taken(caller.uscc, number, kind, by=by, token=token)
    return response


def _pdf(house: House, caller: Caller, held: Held, kind: str, *, etag: str = "") -> Response:
    """Hand out the newest stored file of a kind. NotFound."""
    record = held.record
    if kind not in {file.kind for file in held.files}:
        raise NotFound(f"no {kind} file of this number")
    data = house.services.confirming.file(record.whole.terms.manufacturer.uscc, record.number, kind)
    suffix = "" if kind == "sealed" else f"-{kind}"
    saved = _saved(data, f"{record.number}{suffix}.pdf", PDF, etag=etag)
    return _noted(house, caller, record.number, kind, saved)


def _saved(data: bytes, name: str, kind: str, *, etag: str = "") -> Response:
    """Answer with a file to be saved, never to be shown or run under our name."""
    told = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Vary": "Accept",
    }
    return matching.carried(data, kind, etag=etag, headers=told)


def _row(row: Row, *, is_doubted: bool) -> ConfirmationRow:
    return ConfirmationRow(
        number=row.number,
        standing="unknown" if is_doubted else row.standing.value,
        reserved_at=row.reserved_at,
        manufacturer=Uscc(row.maker_uscc),
        exporter=Uscc(row.exporter_uscc),
        country=row.country,
        vehicles=row.vehicles,
    )


def answer(held: Held, today: date) -> ConfirmationAnswer:
    """Return a confirmation as it is told of."""
    record = held.record
    return ConfirmationAnswer(
        number=record.number,
        standing="unknown" if record.has_doubts(today) else record.standing.value,
        suspended_until=record.suspended_until if record.standing is Standing.SUSPENDED else None,
        until=record.until,
        lines=_lines(record, today),
        files=tuple(
            FileAnswer(
                kind="sealed" if file.kind == "sealed" else "archive",
                sha256=file.file_digest.hex(),
                size=file.size,
                level=file.level,
                made_at=file.made_at,
            )
            for file in held.files
        ),
        content=record.whole,
    )


def _lines(record: RecordFacts, today: date) -> tuple[LineAnswer, ...]:
    return tuple(
        LineAnswer(
            vin=line.vin,
            standing="unknown" if record.is_doubted(line, today) else line.standing.value,
            ended_at=line.ended_at,
            reason=line.reason_class,
            successor=line.successor,
        )
        for line in record.lines
    )
