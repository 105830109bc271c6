"""
What a manufacturer's own systems are told of: the kinds of events, the form of a message, its signature, its retries.

Source: Standard Webhooks, specification of 2024, sections "Payload structure", "Verifying webhook authenticity" and
"Deliverability and reliability"; docs/reference/webhooks.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from signer.domain.values import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

SECRET_BYTES: Final = 32
_MARK: Final = "whsec_"
PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long is waited after each failure, about three days in all; after one more it is given up."""


class EventType(StrEnum):
    """What is told of; the words are in every message and never change."""

    REQUEST_CREATED = "request.created"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_VOIDED = "approval.voided"
    ISSUED = "issued"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    FORGERY_SUSPECTED = "forgery.suspected"
    SEAL_EXPIRING = "seal.expiring"
    PING = "ping"


CHOICES: Final = tuple(kind for kind in EventType if kind is not EventType.PING)
"""What a webhook may ask for; `ping` comes when somebody tries it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event as a receiver gets it: the same `id` and the same bytes each time, whatever the try."""

    id: str
    kind: EventType
    at: datetime
    manufacturer: str
    data: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """The payload (JSON, UTF-8)."""
        data = {"manufacturer": self.manufacturer, **self.data}
        told = {"type": self.kind.value, "timestamp": format_instant(self.at), "data": data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()

    def headers(self, secrets: Iterable[bytes], *, at: datetime) -> dict[str, str]:
        """Return the head of a try at an instant, signed with every secret that is good now."""
        sent_at = str(int(at.timestamp()))
        content = f"{self.id}.{sent_at}.".encode() + self.body
        signatures = (base64.b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets)
        return {
            "Content-Type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": sent_at,
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        }


def event_id(serial: int, at: datetime) -> str:
    """Return the id of the event that the register holds under a serial number: it does not tell how many there are."""
    return f"evt_{hashlib.sha256(f'{serial} {format_instant(at)} {at.microsecond}'.encode()).hexdigest()[:32]}"


def shown(secret: bytes) -> str:
    """Return a secret as it is handed over, once."""
    return _MARK + base64.b64encode(secret).decode()


def pause_after(attempts: int, *, draw: int) -> timedelta | None:
    """
    Return how long to wait after so many failures, None if that was the last try.

    `draw` (0 to 200) moves it by up to a tenth either way, so that receivers that fell together are not met together.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1]
    return pause + pause * (draw - 100) / 1000
