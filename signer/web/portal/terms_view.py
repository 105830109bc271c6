"""Terms in the words and the order of the paper, and what changed in them, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import content
from signer.domain.comparing import ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signer.domain.comparing import Change
    from signer.domain.confirmation import Commitment, Terms
    from signer.domain.parties import Outlet
    from signer.domain.vehicle import Vehicle
    from signer.verification.wording import Language

Row = tuple[str, str]
_MAKER = ("legal_name", "legal_name_en", "uscc", "role", "announcement", "address", "contact", "verification_domain")
_VEHICLE = ("certificate_no", "engine_no", "colour", "energy", "battery_code", "modified", "certificate_manufacturer")
_OUTLET = ("name_local", "provider", "address", "address_local", "phone", "email", "hours")
_LABELS = {
    "legal_name_en": "name_en",
    "verification_domain": "domain",
    "registered_on": "registered",
    "transfer_pending_on": "transfer",
    "checked_on": "checked",
    "entry": "announcement",
    "authorised_from": "authorised",
    "authorised_until": "authorised",
    "from_on": "commitment.period",
    "until_on": "commitment.period",
    "warranty_months": "warranty",
    "warranty_km": "warranty",
    "parts_years": "parts",
    "parts_lead_days": "lead",
    "text_zh": "commitment",
    "text_en": "commitment",
    "localised_note": "localised",
    "certificate_digest": "seal",
    "seal_class": "seal.panel",
    "country": "destination",
}
_WORDS = ("energy", "role", "scope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """One vehicle: its row on the paper, its window, and under it what else the registration certificate says."""

    vehicle: Vehicle
    through: str
    free_from: str
    others: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One outlet, under the place that the paper gives it."""

    outlet: Outlet
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Everything that will be sealed, section by section."""

    until: str
    maker: tuple[Row, ...]
    exporter: tuple[Row, ...]
    destination: tuple[Row, ...]
    cars: tuple[Car, ...]
    outlets: tuple[Place, ...]
    promise: tuple[Row, ...]
    seal: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One line that changed: where, and the words on either side ('' for none)."""

    place: str
    what: str
    before: str
    after: str


class Words:
    """The labels of the paper in one language."""

    def __init__(self, strings: Mapping[str, str], language: Language, t: Callable[[str], str]) -> None:
        self._strings = strings
        self._t = t
        self.language = language

    def __call__(self, key: str) -> str:
        """Return a label, or a value that the paper prints in words; anything else as it is."""
        return self.own("name-local") if key == "name_local" else self._strings.get(_LABELS.get(key, key), key)

    def own(self, key: str) -> str:
        """Return a word that the paper has not."""
        return self._t(f"approvals.{key}")

    def value(self, name: str, said: str) -> str:
        """Return a value as the paper prints it."""
        if name in _WORDS or name == "modified":
            return self._strings.get(f"{name}.{said}", self.truth(said))
        return self.truth(said) if name in ("localised", "battery_service") else said

    def truth(self, said: str) -> str:
        """Return yes, no or partly in words; anything else as it is."""
        keys = {"true": "yes", "yes": "yes", "false": "no.word", "no": "no.word", "partly": "partly"}
        return self._strings[keys[said]] if said in keys else said


def printed(terms: Terms, words: Words) -> Printed:
    """Return the terms as the paper has them."""
    until = content.until_of(terms)
    country = terms.destination.country
    names = {"country": f"{country.name_zh} {country.name_en} {country.alpha3}"}
    seal = f"{terms.seal.certificate_digest[:16]}…"
    destination = names | {"port": terms.destination.port or "", "buyer": terms.destination.buyer or ""}
    exporter = {
        "name": terms.exporter.legal_name,
        "name_en": terms.exporter.legal_name_en or "",
        "uscc": str(terms.exporter.uscc),
        "contract": terms.contract or "",
        "supersedes": str(terms.supersedes or ""),
    }
    return Printed(
        until=until.isoformat() if until else words("until.none"),
        maker=_of_maker(terms, words),
        exporter=_rows(exporter, words),
        destination=_rows(destination, words),
        cars=tuple(_car(vehicle, terms, words) for vehicle in terms.vehicles),
        outlets=tuple(_outlet(outlet, terms, words) for outlet in terms.printed_outlets),
        promise=_promise(terms.commitment, words),
        seal=(
            (words("seal.panel"), terms.seal.seal_class.value),
            (words.own("seal-certificate"), seal),
            (words.own("paper"), f"{terms.template.version} · {', '.join(terms.template.languages)}"),
        ),
    )


def changes(found: tuple[Change, ...], words: Words) -> tuple[Changed, ...]:
    """Return what changed in words."""
    return tuple(_changed(change, words) for change in found)


def _rows(values: Mapping[str, str], words: Words) -> tuple[Row, ...]:
    return tuple((words(name), value) for name, value in values.items() if value)


def _of_maker(terms: Terms, words: Words) -> tuple[Row, ...]:
    maker = terms.manufacturer
    announcement = f"{maker.announcement.entry} ({words('checked')} {maker.announcement.checked_on})"
    said = {name: str(getattr(maker, name) or "") for name in _MAKER}
    return _rows(said | {"role": words(f"role.{maker.role}"), "announcement": announcement}, words)


def _car(vehicle: Vehicle, terms: Terms, words: Words) -> Car:
    others = {name: _said(vehicle, name, words) for name in _VEHICLE}
    if vehicle.certificate_manufacturer == terms.manufacturer.legal_name:
        others.pop("certificate_manufacturer")
    if vehicle.outlets:
        ids = [outlet.id for outlet in terms.printed_outlets]
        others["served_by"] = ", ".join(str(ids.index(each) + 1) for each in vehicle.outlets if each in ids)
    window = vehicle.window
    return Car(
        vehicle=vehicle,
        through=window.through.isoformat(),
        free_from=window.free_from.isoformat(),
        others=_rows(others, words),
    )


def _said(vehicle: Vehicle, name: str, words: Words) -> str:
    value = getattr(vehicle, name)
    return "" if value is None else words.value(name, str(value).lower() if isinstance(value, bool) else str(value))


def _outlet(outlet: Outlet, terms: Terms, words: Words) -> Place:
    said = {name: str(getattr(outlet, name) or "") for name in _OUTLET}
    said["languages"] = ", ".join(outlet.languages)
    said["scope"] = " · ".join(words(f"scope.{each}") for each in outlet.scope)
    until = outlet.authorised_until.isoformat() if outlet.authorised_until else words("open_end")
    said["authorised"] = f"{outlet.authorised_from.isoformat()} – {until}"
    said["verified_on"] = outlet.verified_on.isoformat() if outlet.verified_on else ""
    served = [str(n) for n, each in enumerate(terms.vehicles, start=1) if not each.outlets or outlet.id in each.outlets]
    said["for_vehicles"] = words("all") if len(served) == len(terms.vehicles) else ", ".join(served)
    return Place(outlet=outlet, rows=_rows(said, words))


def _promise(promise: Commitment, words: Words) -> tuple[Row, ...]:
    period = f"{promise.from_on or ''} – {promise.until_on or words('open_end')}"
    warranty = [f"{promise.warranty_months} {words('months')}"] if promise.warranty_months is not None else []
    warranty += [f"{promise.warranty_km} {words('km')}"] if promise.warranty_km is not None else []
    parts = [f"{promise.parts_years} {words('years')}"] if promise.parts_years is not None else []
    parts += [f"{words('lead')} {promise.parts_lead_days}"] if promise.parts_lead_days is not None else []
    said = {
        "text_zh": promise.text_zh,
        "text_en": promise.text_en,
        "from_on": period if promise.from_on or promise.until_on else "",
        "warranty_months": " / ".join(warranty),
        "parts_years": " / ".join(parts),
        "localised": words.truth(promise.localised) if promise.localised else "",
        "localised_note": promise.localised_note or "",
        "battery_service": "" if promise.battery_service is None else words.truth(str(promise.battery_service).lower()),
    }
    return _rows(said, words)


def _changed(change: Change, words: Words) -> Changed:
    part, *steps = change.path
    place = words(part)
    if part in ("vehicles", "outlets") and steps and steps[0] != ORDER:
        place = f"{place} · {steps[0]}"
        steps = steps[1:]
    what = words.own("order") if steps[-1:] == [ORDER] else " · ".join(words(step) for step in steps)
    name = change.path[-1]
    return Changed(
        place=place,
        what=what,
        before="" if change.before is None else words.value(name, change.before),
        after="" if change.after is None else words.value(name, change.after),
    )
