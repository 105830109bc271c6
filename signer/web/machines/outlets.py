"""A manufacturer's outlets: kept in step with its own system, each by the manufacturer's own id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.domain.outlet_entry import ENTRY_FIELDS, typed_of
from signer.domain.parties import country_code
from signer.errors import RuleViolation
from signer.web import bodies
from signer.web.machines import gate, matching, paging
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.machines.outlet_shapes import OutletAnswer, OutletEntry, OutletList
from signer.web.problems import Fault, Refused, fault_of

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.services.outlets import Kept, Outlets
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

TAG = Tag(name="outlets", description="Service points abroad, as their manufacturer states them.")
_PLACE: Final = "/api/v1/outlets/{}"
_LISTS: Final = ("scope", "languages", "brands", "energies")
_MOST_TYPED: Final = 1000
_COUNTRY = Query("country", "Only those of this country: a code of ISO 3166-1, or its name.", example="KZ")
_CLOSING: Final = (
    Query("from", "Needed: the first day on which it is closed, a year ahead at most.", example="2026-12-01"),
    Query("reason", "Needed: why, in at most 200 characters. It stays in the audit.", example="the contract ended"),
)


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _reading(gate_, house)
    _changing(gate_, house)


def _reading(gate_: Gate, house: House) -> None:
    outlets = house.services.outlets

    @gate_.get(
        "/outlets",
        Right.OUTLETS_READ,
        doc=Doc(summary="List outlets", tag=TAG, gives=OutletList, query=(_COUNTRY, *PAGED)),
    )
    def list_outlets(caller: Caller) -> Response:
        wanted, typed = paging.part(), paging.word("country")
        country = country_code(typed)
        if typed and not country:
            raise Refused("invalid-input", (_NO_COUNTRY,))
        found = sorted(outlets.every(caller.uscc, country=country), key=lambda one: one.outlet.id)
        following = [one for one in found if one.outlet.id > wanted.after]
        items, cursor = paging.cut(following, wanted, lambda one: one.outlet.id)
        body = OutletList(items=tuple(map(_answer, items)), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get("/outlets/<outlet>", Right.OUTLETS_READ, doc=Doc(summary="Read an outlet", tag=TAG, gives=OutletAnswer))
    def get_outlet(caller: Caller, outlet: str) -> Response:
        return matching.told(_answer(outlets.one(caller.uscc, outlet)))


def _changing(gate_: Gate, house: House) -> None:
    outlets = house.services.outlets

    @gate_.change(
        "PUT",
        "/outlets/<outlet>",
        Right.OUTLETS_WRITE,
        doc=Doc(
            summary="Add an outlet, or put another entry in its place",
            text=(
                "With `If-None-Match: *` it is added, with `If-Match` changed. Every field that is wrong is named at "
                "once. Confirmations that were issued keep what they say of it."
            ),
            tag=TAG,
            takes=OutletEntry,
            gives=OutletAnswer,
            matches=True,
            may_make=True,
            problems=("rule-violation", "conflict"),
        ),
    )
    def put_outlet(caller: Caller, outlet: str) -> Response:
        typed = _typed(bodies.parse(OutletEntry, gate.body()))
        if request.headers.get("If-None-Match", "").strip() == "*":
            _add(outlets, caller, outlet, typed)
            told = {"Location": _PLACE.format(outlet)}
            return matching.told(_answer(outlets.one(caller.uscc, outlet)), status=201, headers=told)
        kept = _unchanged(outlets, caller, outlet)
        outlets.change(caller.uscc, outlet, typed, by=caller.by, seen=kept.entry)
        return matching.told(_answer(outlets.one(caller.uscc, outlet)))

    @gate_.change(
        "DELETE",
        "/outlets/<outlet>",
        Right.OUTLETS_WRITE,
        doc=Doc(
            summary="Close an outlet",
            text="From a day on; it stays in the list as closed, and no confirmation ends by it.",
            tag=TAG,
            gives=OutletAnswer,
            query=_CLOSING,
            matches=True,
            problems=("rule-violation", "conflict"),
        ),
    )
    def close_outlet(caller: Caller, outlet: str) -> Response:
        kept = _unchanged(outlets, caller, outlet)
        day, reason = (request.args.get(name, "")[:_MOST_TYPED] for name in ("from", "reason"))
        try:
            outlets.close(caller.uscc, outlet, on=day, reason=reason, by=caller.by, seen=kept.entry)
        except RuleViolation as error:
            raise Refused("rule-violation", tuple(map(_of_query, map(fault_of, error.violations)))) from error
        return matching.told(_answer(outlets.one(caller.uscc, outlet)))


_NO_COUNTRY = Fault(pointer="/country", code="country.unknown", zh="不是国家或地区", en="is no country")
_OTHER_ID = Fault(
    pointer="",
    code="outlet-entry.id",
    zh="网点编号由小写字母、数字和连字符组成，不超过 40 位",
    en="an outlet's id in the address has small letters, digits and hyphens, at most 40",
)


def _add(outlets: Outlets, caller: Caller, outlet: str, typed: dict[str, str]) -> None:
    """Add an outlet that is not there. Raises Refused for one that is, and for an id that is none."""
    if outlet != outlet.strip().lower():
        raise Refused("rule-violation", (_OTHER_ID,))
    try:
        outlets.add(caller.uscc, {**typed, "id": outlet}, by=caller.by)
    except RuleViolation as error:
        if any(one.rule == "outlet-entry.taken" for one in error.violations):
            raise Refused("precondition-failed") from error
        raise


def _unchanged(outlets: Outlets, caller: Caller, outlet: str) -> Kept:
    """Return an outlet in the version that If-Match names. NotFound, Refused."""
    kept = outlets.one(caller.uscc, outlet)
    matching.refuse_stale(matching.version(_answer(kept)))
    return kept


def _of_query(fault: Fault) -> Fault:
    """Let what is wrong with the day of closing name the parameter that it came by."""
    pointer = "/from" if fault.pointer == "/closed_on" else fault.pointer
    return Fault(pointer=pointer, code=fault.code, zh=fault.zh, en=fault.en)


def _typed(entry: OutletEntry) -> dict[str, str]:
    """Return an entry as one would type it on a page."""
    plain = entry.model_dump()
    return {name: "; ".join(plain[name]) if name in _LISTS else plain[name] for name in plain}


def _answer(kept: Kept) -> OutletAnswer:
    typed = typed_of(kept.outlet, kept.entry.facts, words=str)
    lists = {
        "scope": kept.outlet.scope,
        "languages": kept.outlet.languages,
        "brands": kept.entry.facts.brands,
        "energies": kept.entry.facts.energies,
    }
    plain = {name: typed[name] for name in ENTRY_FIELDS if name not in (*_LISTS, "id")}
    return OutletAnswer.model_validate(
        {
            "id": kept.outlet.id,
            "state": kept.state,
            "is_overdue": kept.is_overdue,
            "closed_on": kept.entry.facts.closed_on,
            "outlet": OutletEntry.model_validate({**plain, **lists}),
        }
    )
