"""The rules about outlets (B4): which ones a confirmation names, and whether every vehicle has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain import outlet_choice
from signer.domain.confirmation import MOST_OUTLETS
from signer.domain.outlet_choice import Need
from signer.domain.parties import Country, outlets_in
from signer.domain.places import port_place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from signer.domain.circumstances import Circumstances
    from signer.domain.ledger import Ledger
    from signer.domain.outlet_choice import Choosing, OutletRule
    from signer.domain.parties import Outlet
    from signer.domain.reading import NamedOutlet, ReadDraft, ReadVehicle

__all__ = ["VERIFIED_DAYS", "choose_outlets", "outlet_fault", "printed_order", "suggest"]

VERIFIED_DAYS = 90
_SHOWN = 5


def choose_outlets(read: ReadDraft, given: Circumstances, ledger: Ledger) -> tuple[Outlet, ...]:
    """
    Return the outlets of the confirmation, by id, and note what is wrong with the choice.

    An empty list means those that the manufacturer's first fitting rule chooses among the live outlets of the
    destination, all of them without such a rule; those that cannot be used are left out with a warning. A named
    outlet that cannot be used is a violation.
    """
    if read.country is None:  # its own violation; nothing can be said about outlets
        return ()
    country = read.country
    named = _named(read.outlets, country, given, ledger) if read.outlets else _by_rule(read, country, given, ledger)
    chosen = tuple(sorted(named, key=lambda outlet: outlet.id))
    if len(chosen) > MOST_OUTLETS:
        ledger.note("outlet.too-many", "/outlets", count=str(len(chosen)), most=str(MOST_OUTLETS))
    if not chosen:
        _note_none(country, given, ledger)
    _judge_age(chosen, given.today, ledger)
    for vehicle in read.vehicles:
        _judge_vehicle(vehicle, chosen, country, given, ledger)
    return chosen


def printed_order(read: ReadDraft, chosen: Sequence[Outlet], choosing: Choosing) -> tuple[str, ...] | None:
    """Return the ids of a confirmation's outlets, the nearest first; None where that is by id, or nothing is known."""
    if read.country is None:
        return None
    alpha2 = read.country.alpha2
    rule = outlet_choice.rule_for(choosing, alpha2, _needs(read))
    centre = (rule.centre if rule else None) or port_place(alpha2, read.port)
    ids = tuple(outlet.id for outlet in outlet_choice.in_order(chosen, choosing, centre))
    return None if list(ids) == sorted(ids) else ids


def suggest(
    read: ReadDraft, outlets: Sequence[Outlet], choosing: Choosing, *, today: date
) -> tuple[OutletRule | None, tuple[Outlet, ...]]:
    """Return the rule that fits a draft, and the outlets that it would get if it named none, the nearest first."""
    if read.country is None:
        return None, ()
    alpha2 = read.country.alpha2
    live = [one for one in outlets_in(outlets, alpha2) if not outlet_fault(one, alpha2, today)]
    needs, port = _needs(read), port_place(alpha2, read.port)
    rule = outlet_choice.rule_for(choosing, alpha2, needs)
    if rule is None:
        return None, outlet_choice.in_order(live, choosing, port)
    return rule, outlet_choice.chosen(live, needs, rule, choosing, port=port)


def _needs(read: ReadDraft) -> tuple[Need, ...]:
    return tuple(
        Need(brand=each.brand, energy=each.energy, named=frozenset(name.id for name in each.outlets))
        for each in read.vehicles
    )


def _by_rule(read: ReadDraft, country: Country, given: Circumstances, ledger: Ledger) -> list[Outlet]:
    """Return what the first fitting rule chooses of the live outlets, and note each vehicle that none serves."""
    live = _all_live(country, given, ledger)
    needs = _needs(read)
    rule = outlet_choice.rule_for(given.choosing, country.alpha2, needs)
    if rule is None:
        return live
    port = port_place(country.alpha2, read.port)
    found = outlet_choice.chosen(live, needs, rule, given.choosing, port=port)
    for vehicle, need in zip(read.vehicles, needs, strict=True):
        if live and not any(
            one.id in need.named or outlet_choice.serves(given.choosing.of(one), need) for one in found
        ):
            ledger.note("outlet.unserved", f"{vehicle.pointer}/outlets", country=(country.name_zh, country.name_en))
    return list(found)


def outlet_fault(outlet: Outlet, alpha2: str, today: date) -> str:
    """Return the id of the rule that keeps an outlet from being named for a destination, or ''."""
    if outlet.country != alpha2:
        return "outlet.country"
    if outlet.provider is None:
        return "outlet.provider"
    if today < outlet.authorised_from:
        return "outlet.not-yet"
    return "" if outlet.is_authorised(today) else "outlet.ended"


def _note_fault(fault: str, outlet: Outlet, country: Country, pointer: str, ledger: Ledger) -> None:
    if fault == "outlet.country":
        names = (country.name_zh, country.name_en)
        ledger.note(fault, pointer, name=outlet.name, actual=_country_words(outlet.country), country=names)
    elif fault == "outlet.ended":
        ledger.note(fault, pointer, name=outlet.name, until=f"{outlet.authorised_until}")
    elif fault == "outlet.not-yet":
        ledger.note(fault, pointer, name=outlet.name, start=f"{outlet.authorised_from}")
    else:
        ledger.note(fault, pointer, name=outlet.name)


def _country_words(alpha2: str) -> tuple[str, str]:
    try:
        country = Country.of(alpha2)
    except ValueError:
        return alpha2, alpha2
    return country.name_zh, country.name_en


def _named(names: tuple[NamedOutlet, ...], country: Country, given: Circumstances, ledger: Ledger) -> list[Outlet]:
    """Return those of the named outlets that can be used, and note what is wrong with the others."""
    known = {outlet.id: outlet for outlet in given.outlets}
    usable = []
    for name in names:
        outlet = known.get(name.id)
        if outlet is None:
            ledger.note("outlet.unknown", name.pointer, id=name.id)
        elif fault := outlet_fault(outlet, country.alpha2, given.today):
            _note_fault(fault, outlet, country, name.pointer, ledger)
        else:
            usable.append(outlet)
    return usable


def _all_live(country: Country, given: Circumstances, ledger: Ledger) -> list[Outlet]:
    live = []
    for outlet in outlets_in(given.outlets, country.alpha2):
        if fault := outlet_fault(outlet, country.alpha2, given.today):
            ledger.note("outlet.left-out", "/outlets", name=outlet.name, reason=_reason(fault, outlet))
        else:
            live.append(outlet)
    return live


def _reason(fault: str, outlet: Outlet) -> tuple[str, str]:
    if fault == "outlet.provider":
        return "没有写明服务商", "it names no provider"
    if fault == "outlet.not-yet":
        return f"授权自 {outlet.authorised_from} 起才生效", f"its authorisation starts on {outlet.authorised_from}"
    return f"授权已于 {outlet.authorised_until} 终止", f"its authorisation ended on {outlet.authorised_until}"


def _note_none(country: Country, given: Circumstances, ledger: Ledger) -> None:
    ledger.note(
        "outlet.none",
        "/outlets",
        country=(country.name_zh, country.name_en),
        instead=_instead(given.outlets, country, given.today),
    )


def _instead(outlets: Sequence[Outlet], country: Country, today: date) -> tuple[str, str]:
    """Say what there is instead: outlets of the destination that cannot be used, else other countries."""
    here = outlets_in(outlets, country.alpha2)
    usable = [outlet for outlet in here if not outlet_fault(outlet, country.alpha2, today)]
    if usable:
        names = ", ".join(outlet.name for outlet in usable[:_SHOWN])
        return f"可选择：{names}", f"you could choose {names}"
    if here:
        reasons = [
            (outlet.name, _reason(outlet_fault(outlet, country.alpha2, today), outlet)) for outlet in here[:_SHOWN]
        ]
        zh = "；".join(f"{name}：{reason[0]}" for name, reason in reasons)
        en = "; ".join(f"{name}: {reason[1]}" for name, reason in reasons)
        return zh, en
    elsewhere = [_country_words(alpha2) for alpha2 in sorted({outlet.country for outlet in outlets})]
    if not elsewhere:
        return "本企业尚无任何网点", "the manufacturer has no outlets at all"
    zh, en = "、".join(name for name, _ in elsewhere), ", ".join(name for _, name in elsewhere)
    return f"现有网点仅在{zh}", f"there are outlets only in {en}"


def _judge_age(chosen: Sequence[Outlet], today: date, ledger: Ledger) -> None:
    for outlet in chosen:
        if outlet.verified_on is None:
            ledger.note("outlet.unverified", "/outlets", name=outlet.name)
        elif (today - outlet.verified_on).days > VERIFIED_DAYS:
            ledger.note(
                "outlet.stale", "/outlets", name=outlet.name, verified=f"{outlet.verified_on}", days=str(VERIFIED_DAYS)
            )


def _judge_vehicle(
    vehicle: ReadVehicle, chosen: tuple[Outlet, ...], country: Country, given: Circumstances, ledger: Ledger
) -> None:
    """Judge the outlets that one vehicle names (none: all of the confirmation)."""
    own: Sequence[Outlet] = chosen
    if vehicle.outlets:
        usable = _named(vehicle.outlets, country, given, ledger)
        own = [outlet for outlet in usable if outlet in chosen]
        for name in vehicle.outlets:
            if name.id in {outlet.id for outlet in usable if outlet not in chosen}:
                ledger.note("outlet.not-chosen", name.pointer, id=name.id)
    if vehicle.is_electric and own and not any("high-voltage-battery" in outlet.scope for outlet in own):
        ledger.note("outlet.scope", f"{vehicle.pointer}/outlets")
