"""
Which of a destination's outlets a confirmation gets: by the first rule that fits, the nearest first, at most so many.

Pure. The content lists them by id, as it always did; in which order they are printed it says apart (ADR 0030).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.parties import comparable_name
from signer.domain.places import Place, distance_km

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from signer.domain.parties import Outlet
    from signer.domain.vehicle import Energy

__all__ = ["NO_RULES", "Choosing", "Need", "OutletFacts", "OutletRule", "chosen", "closed", "in_order", "rule_for"]

ELECTRIC = ("battery-electric", "plug-in-hybrid", "range-extended")
HIGH_VOLTAGE = "high-voltage-battery"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletFacts:
    """What chooses an outlet and is never printed: where it is, which brands and energies it serves (empty: any)."""

    place: Place | None = None
    brands: tuple[str, ...] = ()
    energies: tuple[Energy, ...] = ()
    closed_on: date | None = None

    def is_closed(self, on: date) -> bool:
        """Tell whether the outlet is closed on a day: `closed_on` is the first one."""
        return self.closed_on is not None and self.closed_on <= on


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletRule:
    """
    One rule of choice; what it leaves open (None) fits everything.

    `centre`: nearest to it first, else to the port of destination if that is known. `id` is None before it is stored.
    """

    id: int | None = None
    country: str | None = None
    brand: str | None = None
    energy: Energy | None = None
    centre: Place | None = None
    most: int

    def fits(self, country: str, need: Need) -> bool:
        """Tell whether the rule is for such a vehicle that goes to a country."""
        is_brand = self.brand is None or comparable_name(self.brand) == comparable_name(need.brand)
        return self.country in (None, country) and is_brand and self.energy in (None, need.energy)


@dataclass(frozen=True, slots=True)
class Need:
    """What a vehicle needs of an outlet: its brand, its energy (None: not said), and the outlets that it names."""

    brand: str
    energy: Energy | None
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """A manufacturer's rules in order, and what is known of its outlets by id."""

    rules: tuple[OutletRule, ...] = ()
    facts: Mapping[str, OutletFacts] = field(default_factory=dict)

    def of(self, outlet: Outlet) -> OutletFacts:
        """Return what is known of an outlet; nothing is known of most."""
        return self.facts.get(outlet.id, _NO_FACTS)

    def as_authorised(self, outlets: Sequence[Outlet]) -> tuple[Outlet, ...]:
        """Return outlets whose authorisation ends with their closing, whatever their records say."""
        return tuple(closed(one, on) if (on := self.of(one).closed_on) is not None else one for one in outlets)


def closed(outlet: Outlet, on: date) -> Outlet:
    """Return an outlet that is closed from a day on: the day before is the last of its authorisation, at the latest."""
    last, until = on - timedelta(days=1), outlet.authorised_until
    return outlet if until is not None and until <= last else outlet.model_copy(update={"authorised_until": last})


_NO_FACTS = OutletFacts()
NO_RULES = Choosing()


def rule_for(choosing: Choosing, country: str, needs: Sequence[Need]) -> OutletRule | None:
    """Return the first rule that fits every one of the vehicles, or None."""
    return next((rule for rule in choosing.rules if all(rule.fits(country, need) for need in needs)), None)


def serves(facts: OutletFacts, need: Need) -> bool:
    """Tell whether an outlet is for such a vehicle, as far as is known."""
    is_brand = not facts.brands or comparable_name(need.brand) in map(comparable_name, facts.brands)
    return is_brand and (not facts.energies or need.energy is None or need.energy in facts.energies)


def in_order(outlets: Sequence[Outlet], choosing: Choosing, centre: Place | None) -> tuple[Outlet, ...]:
    """Return outlets with the nearest first; those of which no place is known come last, and ids break a tie."""

    def key(outlet: Outlet) -> tuple[bool, float, str]:
        place = choosing.of(outlet).place
        if centre is None or place is None:
            return (True, 0.0, outlet.id)
        return (False, distance_km(centre, place), outlet.id)

    return tuple(sorted(outlets, key=key))


def chosen(
    live: Sequence[Outlet], needs: Sequence[Need], rule: OutletRule, choosing: Choosing, *, port: Place | None
) -> tuple[Outlet, ...]:
    """
    Return the outlets that a rule chooses among the live ones of a destination, the nearest first.

    At most `rule.most`, but never fewer than it takes for each vehicle to keep one that serves it (a vehicle with a
    traction battery: one that services these, where there is one) and every outlet that a vehicle names.
    """
    whole = in_order(live, choosing, rule.centre or port)
    named = {outlet_id for need in needs for outlet_id in need.named}
    fitting = [
        one for one in whole if not needs or one.id in named or any(serves(choosing.of(one), need) for need in needs)
    ]
    wanted = [ids for ids in (_good_for(need, fitting, choosing) for need in dict.fromkeys(needs)) if ids]
    wanted += [frozenset({one.id}) for one in fitting if one.id in named]
    kept = _covering([one.id for one in fitting], wanted, most=rule.most)
    return tuple(one for one in fitting if one.id in kept)


def _good_for(need: Need, fitting: Sequence[Outlet], choosing: Choosing) -> frozenset[str]:
    """Return the ids of the outlets of which one vehicle must keep one."""
    serving = [one for one in fitting if serves(choosing.of(one), need)]
    if need.energy in ELECTRIC and (trained := [one for one in serving if HIGH_VOLTAGE in one.scope]):
        serving = trained
    return frozenset(one.id for one in serving)


def _covering(nearest: Sequence[str], wanted: Sequence[frozenset[str]], *, most: int) -> frozenset[str]:
    """
    Return the nearest that together hold one of each wanted set: just the nearest where these do.

    Else what covers most of what is open comes first (the nearest of several), and the nearest fill what is left.
    """
    first = frozenset(nearest[:most])
    if all(ids & first for ids in wanted):
        return first
    kept: list[str] = []
    open_ = list(wanted)
    while open_:
        best = max(nearest, key=lambda one: sum(one in ids for ids in open_))
        kept.append(best)
        open_ = [ids for ids in open_ if best not in ids]
    kept += [one for one in nearest if one not in kept][: max(0, most - len(kept))]
    return frozenset(kept)
