"""The licence annexes of a paper: what they need besides, which vehicles are in which, and the spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain import annex as annexes
from signer.domain.confirmation import Standing
from signer.services import annex
from signer.services.confirming import parse
from signer.web.portal import downloads
from signer.web.portal.doors import EXPORTERS, form
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from signer.domain.annex import Part
    from signer.domain.evidence import RecordFacts
    from signer.domain.vehicle import Vehicle
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_MOST_VINS: Final = 200
_MOST_TYPED: Final = 20
_FAULTS: Final = {
    "annex.code": ("商品编号应为 10 位数字，以 87 开头。", "A commodity code has 10 digits and begins with 87."),
    "annex.displacement": ("排量应如 1.5L 或 1498mL。", "A displacement is like 1.5L or 1498mL."),
    "annex.displacement-missing": (
        "请填写排量，纯电动车辆除外。",
        "Give the displacement; electric vehicles have none.",
    ),
    "annex.vehicles": ("请至少选择一辆有效车辆。", "Choose at least one vehicle that is in force."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """What is typed: chosen VINs, the code of whatever has none of its own, and by model a code and a displacement."""

    chosen: frozenset[str]
    code: str
    codes: Mapping[str, str]
    displacement: Mapping[str, str]

    def code_of(self, model: str) -> str:
        """The commodity code of a model."""
        return self.codes.get(model) or self.code


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("annex"), _Desk(building)
    here = "/exporter/<exporter>/papers/<number>/annex"
    door.get(here, EXPORTERS)(desk.blank)
    door.post(here, EXPORTERS)(desk.typed)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._papers = building.services.papers

    def blank(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Show what the annexes need besides what stands in the paper: every vehicle in force is chosen."""
        record = self._papers.one(visit.exporter, parse(number))
        vehicles = _live(record)
        electric = [model for model in _models(vehicles) if _is_electric(model, vehicles)]
        is_all = len(electric) == len(_models(vehicles)) > 0
        typed = _Typed(
            chosen=frozenset(vehicle.vin for vehicle in vehicles),
            code=annexes.BATTERY_CAR if is_all else "",
            codes={} if is_all else dict.fromkeys(electric, annexes.BATTERY_CAR),
            displacement={},
        )
        return self._draw(visit, record, typed)

    def _draw(
        self, visit: Visit, record: RecordFacts, typed: _Typed, *faults: Fault, parts: tuple[Part, ...] = ()
    ) -> str:
        vehicles = _live(record)
        return self._frame.draw(
            "portal/annex.html",
            visit,
            faults=faults,
            record=record,
            vehicles=vehicles,
            models=[(model, _has_engine(model, vehicles)) for model in _models(vehicles)],
            typed=typed,
            annexes=parts,
            most=annexes.MOST_LINES,
        )

    def typed(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Hand the annexes out, and tell the audit; of several, show first which vehicles are in which."""
        record = self._papers.one(visit.exporter, parse(number))
        vehicles = _live(record)
        typed = _read(_models(vehicles))
        chosen = tuple(vehicle for vehicle in vehicles if vehicle.vin in typed.chosen)
        if faults := _faults(chosen, typed, _models(vehicles)):
            return self._draw(visit, record, typed, *faults), 422
        codes = {vehicle.model: typed.code_of(vehicle.model) for vehicle in chosen}
        parts = annexes.parts(chosen, codes=codes, displacement=typed.displacement)
        if len(parts) > 1 and form().get("do") != "get":
            return self._draw(visit, record, typed, parts=parts)
        data = annex.sheet(record.number, parts)
        self._papers.note_taken(visit.exporter, record.number, "annex", by=visit.person)
        return downloads.attachment(data, f"{record.number}-annex.xlsx", annex.MIME)


def _read(models: tuple[str, ...]) -> _Typed:
    sent = form()

    def of_model(name: str) -> dict[str, str]:
        return {model: sent.get(f"{name}-{at}", "").strip()[:_MOST_TYPED] for at, model in enumerate(models)}

    return _Typed(
        chosen=frozenset(sent.getlist("vin")[:_MOST_VINS]),
        code=sent.get("code", "").strip()[:_MOST_TYPED],
        codes=of_model("code"),
        displacement=of_model("displacement"),
    )


def _faults(chosen: tuple[Vehicle, ...], typed: _Typed, models: tuple[str, ...]) -> tuple[Fault, ...]:
    found = [] if chosen else [_fault("annex.vehicles", "vehicles")]
    used = tuple(dict.fromkeys(vehicle.model for vehicle in chosen)) or models
    if annexes.code_fault(typed.code) and (typed.code or not all(typed.codes.get(model) for model in used)):
        found.append(_fault("annex.code", "code"))
    own = ((model, typed.codes.get(model, "")) for model in used)
    found += [
        _fault("annex.code", f"code-{models.index(model)}") for model, code in own if code and annexes.code_fault(code)
    ]
    wrong = {
        vehicle.model: annexes.displacement_fault(typed.displacement[vehicle.model], vehicle) for vehicle in chosen
    }
    found += [_fault(rule, f"displacement-{models.index(model)}") for model, rule in wrong.items() if rule]
    return tuple(found)


def _fault(rule: str, pointer: str) -> Fault:
    zh, en = _FAULTS[rule]
    return Fault(pointer=pointer, code=rule, zh=zh, en=en)


def _live(record: RecordFacts) -> tuple[Vehicle, ...]:
    """Return the vehicles that are in force, in the paper's order."""
    live = {line.vin for line in record.lines if line.standing is Standing.ISSUED}
    return tuple(vehicle for vehicle in record.whole.terms.vehicles if vehicle.vin in live)


def _models(vehicles: tuple[Vehicle, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(vehicle.model for vehicle in vehicles))


def _has_engine(model: str, vehicles: tuple[Vehicle, ...]) -> bool:
    """Tell whether a model's displacement has to be given."""
    return any(annexes.displacement_fault("", vehicle) for vehicle in vehicles if vehicle.model == model)


def _is_electric(model: str, vehicles: tuple[Vehicle, ...]) -> bool:
    return all(vehicle.energy == "battery-electric" for vehicle in vehicles if vehicle.model == model)
