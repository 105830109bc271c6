"""What machines that watch a deployment ask: is it ready, and what has it counted. Nothing here names anybody."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, current_app, jsonify

from signer.web import proxies

if TYPE_CHECKING:
    from flask import Response

    from signer.services.doctor import Doctor
    from signer.services.observing import Observing
    from signer.services.room import Room
    from signer.settings import Settings

MIME: Final = "text/plain; version=0.0.4; charset=utf-8"
_ORDER: Final = ("ok", "warning", "error")


def blueprint(settings: Settings, *, doctor: Doctor, room: Room, observing: Observing) -> Blueprint:
    """Return the two addresses."""
    ready = Blueprint("ready", __name__)

    @ready.get("/readyz")
    def readyz() -> Response:
        """
        Tell each part's health, without a word more.

        503 where the register does not answer, and while somebody works on this machine (`draining`): then it is to be
        sent nothing more. With a full disk nothing is issued, but everything is verified.
        """
        parts, is_draining = doctor.healths(), room.is_draining()
        status = "draining" if is_draining else max(parts.values(), key=_ORDER.index)
        answer = jsonify(status=status, parts=parts)
        answer.status_code = 503 if is_draining or parts["register"] == "error" else 200
        return answer

    @ready.get("/metrics")
    def metrics() -> Response:
        """Tell what all processes of this host counted to whoever may know; others find no such page."""
        asker, told = proxies.address(settings), settings.metrics_networks.split()
        if not any(asker in ipaddress.ip_network(network) for network in told if asker is not None):
            abort(404)
        return current_app.response_class(observing.page(), content_type=MIME)

    return ready
