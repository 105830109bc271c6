"""Tell whoever holds a car, and says when it was first registered, who services it: never the exporter or number."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.values import beijing_day
from signer.errors import TooManyRequests
from signer.register import buyers, lookup, outlets, parties, restores
from signer.register.scope import Scope
from signer.services.limits import wider
from signer.services.lookups import MOST_PER_NETWORK, MOST_PER_NUMBER, NETWORK_SPAN, NUMBER_SPAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.confirmation import Commitment, Confirmation
    from signer.domain.parties import Manufacturer, Outlet
    from signer.domain.places import Place
    from signer.register.database import Database, Transaction

FREE_OF_A_VIN = 50
"""How many failures about a VIN in a day, from wherever, have no consequence."""
SLOWED = timedelta(hours=1)
"""How long a network then waits after each failure of its own; who has not failed is answered at once."""
_KEY_BYTES = 9
_ANYBODY = Scope.everything("anybody may ask about the car that is before them")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOutlet:
    """An outlet as the register has it today, and where it is, if that is known."""

    outlet: Outlet
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What a buyer may know: who promised what, for which country, and which of the outlets named are open today."""

    vin: str
    country: str
    manufacturer: Manufacturer
    outlets: tuple[OpenOutlet, ...]
    commitment: Commitment
    as_of: datetime


class Cars:
    """Answer about one car. `key` returns the secret under which failures are counted."""

    def __init__(self, *, database: Database, key: Callable[[], bytes], clock: Callable[[], datetime]) -> None:
        self._database = database
        self._key = key
        self._clock = clock

    def ask(self, vin: str, registered_on: date, *, network: str) -> Covered | None:
        """
        Return who services a car, for its whole VIN (in stored form) **and** the day of its first registration.

        None is one answer, equal in body and time, for every other case: an unknown VIN, another day, a confirmation
        that is not in force, two manufacturers in conflict, a manufacturer that does not answer buyers, a restored
        register with an open gap. TooManyRequests after failures from the same network (ADR 0036).
        """
        at, key, around = self._clock(), self._counted_under(vin), wider(network)
        with self._database.read() as tx:
            _refuse_guessing(tx, key, around, at)
            found = buyers.held(tx, vin, scope=_ANYBODY, at=at)
            is_whole = not restores.gaps(tx)
            is_right = found is not None and _is_first_registered(found.confirmation, vin, registered_on)
            if found is not None and found.is_open and is_right and is_whole:
                return _told(tx, vin, found, at=at)
        with self._database.write() as tx:
            lookup.prune_failures(tx, before=at - NUMBER_SPAN)
            lookup.note_failure(tx, number=key, network=around, at=at)
        return None

    def _counted_under(self, vin: str) -> str:
        """Return what failures of a VIN are counted under: nobody can tell the VIN from it without the secret."""
        digest = hmac.new(self._key(), vin.encode(), hashlib.sha256).digest()
        return f"car:{base64.urlsafe_b64encode(digest[:_KEY_BYTES]).decode()}"


def _told(tx: Transaction, vin: str, found: buyers.Held, *, at: datetime) -> Covered:
    terms, scope, today = found.confirmation.terms, Scope.of(found.manufacturer_id), beijing_day(at)
    named = [outlet.id for outlet in terms.printed_outlets]
    known = {outlet.id: outlet for outlet in parties.outlets_of(tx, scope=scope)}
    closed = {outlet_id for outlet_id, _ in outlets.closed(tx, frozenset(named), scope=scope, on=today)}
    places = outlets.choosing_of(tx, scope=scope).facts
    return Covered(
        vin=vin,
        country=terms.destination.country.alpha2,
        manufacturer=parties.tenant_of(tx, found.manufacturer_id).manufacturer,
        outlets=tuple(
            OpenOutlet(outlet=known[each], place=places[each].place if each in places else None)
            for each in named
            if each in known and each not in closed and known[each].is_authorised(today)
        ),
        commitment=terms.commitment,
        as_of=at,
    )


def _is_first_registered(confirmation: Confirmation, vin: str, on: date) -> bool:
    return any(vehicle.vin == vin and vehicle.registered_on == on for vehicle in confirmation.terms.vehicles)


def _refuse_guessing(tx: Transaction, key: str, network: str, at: datetime) -> None:
    """
    Refuse a network that failed too often, about anything or about this VIN.

    Nobody closes a VIN for others: after many failures from many networks each of these waits longer between its own.
    """
    mine, day = network[:64], at - NUMBER_SPAN
    if lookup.failures(tx, since=at - NETWORK_SPAN, network=mine) >= MOST_PER_NETWORK:
        raise TooManyRequests("too many questions failed from this network", retry_after_s=3600)
    if lookup.failures(tx, since=day, number=key, network=mine) >= MOST_PER_NUMBER:
        raise TooManyRequests("too many questions about this car failed from this network", retry_after_s=86_400)
    is_pressed = lookup.failures(tx, since=day, number=key) >= FREE_OF_A_VIN
    if is_pressed and lookup.failures(tx, since=at - SLOWED, number=key, network=mine):
        wait_s = int(SLOWED.total_seconds())
        raise TooManyRequests("many questions about this car failed; wait after a wrong one", retry_after_s=wait_s)
