"""What machines that watch a deployment ask: is it ready, and how full is it. Nothing here names anybody."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, current_app, jsonify

from signer.web import proxies, turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flask import Response

    from signer.services.doctor import Doctor, Symptom
    from signer.services.room import Level, Room
    from signer.settings import Settings

MIME: Final = "text/plain; version=0.0.4; charset=utf-8"
_ORDER: Final = ("ok", "warning", "error")
_LEVELS: Final[Mapping[Level, int]] = {"ok": 0, "low": 1, "stopped": 2}
_STATM: Final = Path("/proc/self/statm")


def blueprint(settings: Settings, *, doctor: Doctor, room: Room) -> Blueprint:
    """Return the two addresses."""
    ready = Blueprint("ready", __name__)

    @ready.get("/readyz")
    def readyz() -> Response:
        """
        Tell each part's health, without a word more.

        503 only where the register does not answer: with a full disk nothing is issued, but everything is verified.
        """
        found = doctor.glance()
        parts = {name: _worst(one for one in found if one.part == name) for name in dict.fromkeys(_names(found))}
        answer = jsonify(status=max(parts.values(), key=_ORDER.index), parts=parts)
        answer.status_code = 503 if parts["register"] == "error" else 200
        return answer

    @ready.get("/metrics")
    def metrics() -> Response:
        """Tell this process's figures in Prometheus' text to whoever may know them; others find no such page."""
        asker, told = proxies.address(settings), settings.metrics_networks.split()
        if not any(asker in ipaddress.ip_network(network) for network in told if asker is not None):
            abort(404)
        lines = "".join(f"{line}\n" for line in (*_of_disks(room), *_of_process()))
        return current_app.response_class(lines, content_type=MIME)

    return ready


def _names(found: Iterable[Symptom]) -> Iterator[str]:
    return (one.part for one in found)


def _worst(found: Iterable[Symptom]) -> str:
    return max((one.health for one in found), key=_ORDER.index)


def _of_disks(room: Room) -> Iterator[str]:
    places = room.look()
    yield "# HELP signer_disk_free_bytes Bytes free where something is kept."
    yield "# TYPE signer_disk_free_bytes gauge"
    yield from (f'signer_disk_free_bytes{{place="{place.name}"}} {place.free}' for place in places)
    yield "# HELP signer_disk_level 0: enough room, 1: below the warning, 2: nothing new is begun."
    yield "# TYPE signer_disk_level gauge"
    yield from (f'signer_disk_level{{place="{place.name}"}} {_LEVELS[place.level]}' for place in places)


def _of_process() -> Iterator[str]:
    label = f'{{pid="{os.getpid()}"}}'
    figures = turns.figures()
    yield "# HELP signer_waiting Requests of this process that wait for a turn, or to have a file judged."
    yield "# TYPE signer_waiting gauge"
    yield f"signer_waiting{label} {figures.waiting}"
    yield "# HELP signer_refused_total Requests of this process for which no turn was to be had (429)."
    yield "# TYPE signer_refused_total counter"
    yield f"signer_refused_total{label} {figures.refused}"
    yield "# HELP signer_body_bytes Bytes of bodies that this process holds."
    yield "# TYPE signer_body_bytes gauge"
    yield f"signer_body_bytes{label} {figures.held}"
    if _STATM.exists():
        resident = int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        yield "# HELP signer_resident_bytes Memory of this process."
        yield "# TYPE signer_resident_bytes gauge"
        yield f"signer_resident_bytes{label} {resident}"
