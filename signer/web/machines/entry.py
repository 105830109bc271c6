"""Put the API of machines together: the gate, and the rooms behind it; where no register is, there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_openapi.blueprint import APIBlueprint

from signer.web.machines import (
    approvals,
    batch_shapes,
    batches,
    bundles,
    confirmation_shapes,
    confirmations,
    drafts,
    endings,
    gate,
    issuing,
    outlet_shapes,
    outlet_sheets,
    outlets,
    receipt_shapes,
    receipts,
    request_answers,
    request_shapes,
    request_wishes,
    requests,
    shapes,
    tokens,
    webhook_shapes,
    webhooks,
)
from signer.web.machines.gate import Gate
from signer.web.machines.rooms import House

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flask import Flask
    from flask_openapi.openapi import OpenAPI

    from signer.domain.machines import Caller
    from signer.wiring import Services

ROOMS = (
    outlets.install,
    outlet_sheets.install,
    requests.install,
    request_wishes.install,
    request_answers.install,
    drafts.install,
    approvals.install,
    batches.install,
    confirmations.install,
    issuing.install,
    endings.install,
    receipts.install,
    bundles.install,
    webhooks.install,
    tokens.install,
)
"""Each is a function of the Gate and the House."""
SHAPES = (
    *shapes.SHAPES,
    *batch_shapes.SHAPES,
    *confirmation_shapes.SHAPES,
    *outlet_shapes.SHAPES,
    *request_shapes.SHAPES,
    *receipt_shapes.SHAPES,
    *webhook_shapes.SHAPES,
)
"""The models of bodies, for the description."""


def install(app: OpenAPI, services: Services, *, clock: Callable[[], datetime]) -> Gate:
    """Add every operation that takes a token."""
    blueprint = APIBlueprint("machines", __name__, url_prefix="/api/v1")
    found = Gate(blueprint, tokens=services.tokens, deeds=services.deeds)
    house = House(services=services, clock=clock)
    for room in ROOMS:
        room(found, house)
    app.register_api(blueprint)
    gate.install(app)
    app.extensions["signer.gate"] = found
    return found


def guest(app: Flask) -> Caller | None:
    """Return whom a token speaks for where none is needed, None where none was sent. As `Gate.caller`."""
    found: Gate = app.extensions["signer.gate"]
    return found.guest()
