"""The JSON of webhooks: where a manufacturer's systems are told of what happens, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from signer.domain.values import Frozen, Instant
from signer.domain.webhook import EventType
from signer.web.machines.shapes import Cursor, Ref

if TYPE_CHECKING:
    from pydantic import BaseModel

Choice = Literal[
    "request.created",
    "approval.requested",
    "approval.voided",
    "issued",
    "superseded",
    "withdrawn",
    "suspended",
    "resumed",
    "forgery.suspected",
    "seal.expiring",
]


class WebhookEntry(Frozen):
    """Where to tell, of what; `paused` keeps events until it goes on."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    label: Annotated[str, Field(max_length=60)] = ""
    events: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=10)]
    state: Literal["active", "paused"] = "active"


class WebhookAnswer(Frozen):
    """A webhook; `gone` is one whose receiver answered 410, until it is made active again."""

    ref: Ref
    url: str
    label: str
    events: tuple[EventType, ...]
    state: Literal["active", "paused", "gone"]
    version: int
    made_at: Instant


class NewWebhook(WebhookAnswer):
    """A webhook with a secret that was made just now: told this once, and null when asked again with the same key."""

    secret: str | None


class WebhookList(Frozen):
    """All webhooks of the manufacturer, the oldest first."""

    items: tuple[WebhookAnswer, ...]


class Rotation(Frozen):
    """Whether the secrets before end at once, or are good for 24 hours more beside the new one."""

    at_once: bool = False


class DeliveryAnswer(Frozen):
    """One message on its way: `message` is its `webhook-id`, `status` that of the receiver's last answer."""

    id: int
    message: str
    type: EventType
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    next_at: Instant
    tried_at: Instant | None
    status: int | None
    error: str | None
    delivered_at: Instant | None


class DeliveryList(Frozen):
    """A part of what was, is or will be sent to a webhook, the newest first."""

    items: tuple[DeliveryAnswer, ...]
    next: Cursor


SHAPES: tuple[type[BaseModel], ...] = (
    WebhookEntry,
    WebhookAnswer,
    NewWebhook,
    WebhookList,
    Rotation,
    DeliveryAnswer,
    DeliveryList,
)
_HOOK: Final[dict[str, Any]] = {
    "ref": "7a6b5c4d3e2f1a0b",
    "url": "https://erp.maker.example/hooks/confirmations",
    "label": "ERP",
    "events": ["issued", "withdrawn"],
    "state": "active",
    "version": 1,
    "made_at": "2026-03-02T08:15:00Z",
}
_SENT: Final[dict[str, Any]] = {
    "id": 41,
    "message": "evt_2c1b0a9f8e7d6c5b4a392817",
    "type": "issued",
    "state": "delivered",
    "attempts": 1,
    "next_at": "2026-03-02T08:15:00Z",
    "tried_at": "2026-03-02T08:15:01Z",
    "status": 204,
    "error": None,
    "delivered_at": "2026-03-02T08:15:01Z",
}
EXAMPLES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    WebhookEntry: {name: _HOOK[name] for name in ("url", "label", "events", "state")},
    WebhookAnswer: _HOOK,
    NewWebhook: {**_HOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw4Uu9mZ3pYQ0="},
    WebhookList: {"items": [_HOOK]},
    Rotation: {"at_once": False},
    DeliveryAnswer: _SENT,
    DeliveryList: {"items": [_SENT], "next": None},
}
